//! Whether a recorded book can be followed. Invariant: a symbol is whole only while a snapshot and every update after it were written
//! (rules of "How to manage a local order book correctly", web-socket-streams.md of the venue).

/// The numbers of one symbol's updates since the stream was opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Continuity {
    /// First number of the unbroken run of updates.
    first: Option<u64>,
    last: Option<u64>,
    snapshot: Option<u64>,
}

impl Continuity {
    /// Notes an update of the book; `true` when numbers are missing before it, so that a snapshot is needed.
    pub(crate) fn update(&mut self, first: u64, last: u64) -> bool {
        let expected = self.last.or(self.snapshot).map(|before| before.saturating_add(1));
        let is_gap = expected.is_some_and(|expected| first > expected);
        if is_gap {
            (self.first, self.last, self.snapshot) = (None, None, None);
        }
        self.first.get_or_insert(first);
        self.last = self.last.max(Some(last));
        is_gap
    }

    /// Notes a snapshot; `true` when it is older than what was written before it, so that another one is needed.
    pub(crate) fn snapshot(&mut self, last_update: u64) -> bool {
        let is_old = self.first.is_some_and(|first| first > last_update.saturating_add(1));
        if !is_old {
            self.snapshot = Some(last_update);
        }
        is_old
    }

    /// The book can be followed.
    pub(crate) const fn is_whole(&self) -> bool {
        self.snapshot.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_asks_for_a_snapshot_and_an_old_one_for_another() {
        let mut book = Continuity::default();
        assert!(!book.update(10, 12) && !book.is_whole());
        assert!(book.snapshot(8), "nothing tells what 9 was");
        assert!(!book.is_whole());
        assert!(!book.snapshot(9) && book.is_whole());
        assert!(!book.update(13, 13) && !book.update(13, 20), "updates may overlap");
        assert!(book.update(22, 23) && !book.is_whole(), "21 is missing");
        assert!(book.snapshot(20));
        assert!(!book.snapshot(40) && book.is_whole(), "newer than everything heard");
    }

    #[test]
    fn a_snapshot_may_come_before_the_first_update() {
        let mut book = Continuity::default();
        assert!(!book.snapshot(5) && book.is_whole());
        let mut late = book;
        assert!(!book.update(6, 9) && book.is_whole());
        assert!(late.update(7, 9) && !late.is_whole());
    }
}
