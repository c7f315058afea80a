//! Places that are used again, in pages. Invariant: a page never moves, so that growth copies nothing; a place belongs
//! to one owner from `insert` to `remove`.

/// Values by the number of their place, `LEN` to a page.
#[derive(Debug)]
pub(crate) struct Pages<T, const LEN: usize> {
    pages: Vec<Vec<T>>,
    free: Vec<u32>,
}

impl<T, const LEN: usize> Default for Pages<T, LEN> {
    fn default() -> Self {
        Self { pages: Vec::new(), free: Vec::new() }
    }
}

impl<T, const LEN: usize> Pages<T, LEN> {
    /// Takes a value in. The place that was left last is used first: it is still in the cache.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(place) = self.free.pop() {
            *self.get_mut(place) = value;
            return place;
        }
        if self.pages.last().is_none_or(|page| page.len() == LEN) {
            self.pages.push(Vec::with_capacity(LEN));
        }
        let before = (self.pages.len() - 1) * LEN;
        let Some(page) = self.pages.last_mut() else { return u32::MAX };
        page.push(value);
        u32::try_from(before + page.len() - 1).unwrap_or(u32::MAX)
    }

    /// Leaves a place; what stands there means nothing until it is used again.
    pub(crate) fn remove(&mut self, place: u32) {
        self.free.push(place);
    }

    pub(crate) fn get(&self, place: u32) -> &T {
        &self.pages[place as usize / LEN][place as usize % LEN]
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut T {
        &mut self.pages[place as usize / LEN][place as usize % LEN]
    }

    /// Bytes that all places take, used or not.
    pub(crate) fn bytes(&self) -> usize {
        self.pages.len() * LEN * size_of::<T>() + self.free.capacity() * size_of::<u32>()
    }
}
