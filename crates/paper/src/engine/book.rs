//! The two ladders of one market. Invariant: price first, then rank; a level exists while an order is in it.

use std::collections::BTreeMap;

use strongroom_model::{DepthUpdate, Level as Told, Side};

use super::order::Order;
use super::store::{Links, NumberMap, Place, Slot, Store};
use super::units::{Px, Qty};

/// Changed prices noted before they are made unique for the first time.
const CHANGES_MIN: usize = 4_096;

/// The orders at one price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    pub(crate) price: Px,
    pub(crate) first: Slot,
    last: Slot,
    pub(crate) visible: Qty,
    pub(crate) hidden: Qty,
    is_noted: bool,
}

#[derive(Debug, Default)]
struct Ladder {
    /// Levels by price, best first: bids by the complement of their price.
    index: BTreeMap<u64, u32>,
    /// The same without order, for those who know the price.
    by_price: NumberMap<u32>,
    best: Option<u32>,
    changed: Vec<Px>,
    compact_at: usize,
}

/// Resting orders by side, price and rank, with the changes since they were last told.
#[derive(Debug, Default)]
pub(crate) struct Ladders {
    bids: Ladder,
    asks: Ladder,
    levels: Vec<Level>,
    free: Vec<u32>,
    update_id: u64,
    told_id: u64,
}

/// Sorts best first.
const fn key(side: Side, price: Px) -> u64 {
    match side {
        Side::Buy => !price.0,
        Side::Sell => price.0,
    }
}

impl Ladders {
    const fn side(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    const fn side_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The best level of a side.
    pub(crate) fn best(&self, side: Side) -> Option<&Level> {
        self.side(side).best.map(|level| &self.levels[level as usize])
    }

    /// Levels of a side, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = &Level> {
        self.side(side).index.values().map(|level| &self.levels[*level as usize])
    }

    /// Slots of a level's orders, oldest first.
    pub(crate) fn queue<'a>(&self, store: &'a Store, level: &Level) -> impl Iterator<Item = Slot> + 'a {
        let present = |slot: Slot| (!slot.is_none()).then_some(slot);
        std::iter::successors(present(level.first), move |slot| present(store.node(*slot).queue.next))
    }

    fn note(&mut self, side: Side, level: u32) {
        self.update_id += 1;
        let entry = &mut self.levels[level as usize];
        if entry.is_noted {
            return;
        }
        entry.is_noted = true;
        let price = entry.price;
        let ladder = self.side_mut(side);
        ladder.changed.push(price);
        if ladder.changed.len() >= ladder.compact_at.max(CHANGES_MIN) {
            ladder.changed.sort_unstable();
            ladder.changed.dedup();
            ladder.compact_at = ladder.changed.len() * 2;
        }
    }

    fn level_at(&mut self, side: Side, price: Px) -> u32 {
        if let Some(level) = self.side(side).best
            && self.levels[level as usize].price == price
        {
            return level;
        }
        if let Some(level) = self.side(side).by_price.get(&price.0) {
            return *level;
        }
        let entry = Level { price, first: Slot::NONE, last: Slot::NONE, visible: Qty::ZERO, hidden: Qty::ZERO, is_noted: false };
        let level = match self.free.pop() {
            Some(level) => {
                self.levels[level as usize] = entry;
                level
            }
            None => {
                self.levels.push(entry);
                u32::try_from(self.levels.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let is_best = self.best(side).is_none_or(|best| key(side, price) < key(side, best.price));
        let ladder = self.side_mut(side);
        ladder.index.insert(key(side, price), level);
        ladder.by_price.insert(price.0, level);
        if is_best {
            ladder.best = Some(level);
        }
        level
    }

    /// Rests an order by its rank, at the back when nothing has a higher one.
    pub(crate) fn insert(&mut self, store: &mut Store, slot: Slot) {
        let Order { side, price, rank, visible, .. } = *store.order(slot);
        let hidden = store.order(slot).available().less(visible);
        let level = self.level_at(side, price);
        let entry = &mut self.levels[level as usize];
        let mut prev = entry.last;
        while !prev.is_none() && store.node(prev).rank > rank {
            prev = store.node(prev).queue.prev;
        }
        let next = if prev.is_none() { entry.first } else { store.node(prev).queue.next };
        if prev.is_none() {
            entry.first = slot
        } else {
            store.node_mut(prev).queue.next = slot
        }
        if next.is_none() {
            entry.last = slot
        } else {
            store.node_mut(next).queue.prev = slot
        }
        entry.visible = entry.visible.plus(visible);
        entry.hidden = entry.hidden.plus(hidden);
        let node = store.node_mut(slot);
        node.queue = Links { prev, next };
        node.rank = rank;
        node.place = Place::Book(level);
        self.note(side, level);
    }

    /// Takes an order out of its queue.
    pub(crate) fn remove(&mut self, store: &mut Store, slot: Slot) {
        let node = *store.node(slot);
        let Place::Book(level) = node.place else { return };
        let (Links { prev, next }, order) = (node.queue, *store.order(slot));
        let entry = &mut self.levels[level as usize];
        if prev.is_none() {
            entry.first = next
        } else {
            store.node_mut(prev).queue.next = next
        }
        if next.is_none() {
            entry.last = prev
        } else {
            store.node_mut(next).queue.prev = prev
        }
        entry.visible = entry.visible.less(order.visible);
        entry.hidden = entry.hidden.less(order.available().less(order.visible));
        let is_empty = entry.first.is_none();
        store.node_mut(slot).place = Place::Away;
        self.note(order.side, level);
        if is_empty {
            self.drop_level(order.side, order.price, level);
        }
    }

    fn drop_level(&mut self, side: Side, price: Px, level: u32) {
        let ladder = self.side_mut(side);
        ladder.index.remove(&key(side, price));
        ladder.by_price.remove(&price.0);
        if ladder.best == Some(level) {
            ladder.best = ladder.index.first_key_value().map(|(_, level)| *level);
        }
        self.free.push(level);
    }

    /// Tells the level that an order in it changed: `before` is the order as the level counted it.
    pub(crate) fn changed(&mut self, store: &Store, slot: Slot, before: &Order) {
        let Place::Book(level) = store.node(slot).place else { return };
        let (order, entry) = (store.order(slot), &mut self.levels[level as usize]);
        entry.visible = entry.visible.less(before.visible).plus(order.visible);
        entry.hidden = entry.hidden.less(before.available().less(before.visible)).plus(order.available().less(order.visible));
        self.note(order.side, level);
    }

    pub(crate) const fn update_id(&self) -> u64 {
        self.update_id
    }

    /// Continues the numbers of a saved state: the next change has the next number.
    pub(crate) const fn continue_from(&mut self, update_id: u64) {
        self.update_id = update_id;
        self.told_id = update_id;
    }

    /// Levels that changed since the last call, at their present size.
    pub(crate) fn take_update(&mut self) -> Option<DepthUpdate> {
        if self.update_id == self.told_id {
            return None;
        }
        let update = DepthUpdate {
            first: self.told_id + 1,
            last: self.update_id,
            bids: self.take_side(Side::Buy),
            asks: self.take_side(Side::Sell),
        };
        self.told_id = self.update_id;
        Some(update)
    }

    fn take_side(&mut self, side: Side) -> Vec<Told> {
        let mut changed = std::mem::take(&mut self.side_mut(side).changed);
        changed.sort_unstable();
        changed.dedup();
        let mut told = Vec::with_capacity(changed.len());
        for price in changed {
            let level = self.side(side).by_price.get(&price.0).copied();
            let quantity = level.map_or(Qty::ZERO, |level| {
                let entry = &mut self.levels[level as usize];
                entry.is_noted = false;
                entry.visible
            });
            told.push(Told { price: price.model(), quantity: quantity.model() });
        }
        self.side_mut(side).compact_at = 0;
        told
    }

    /// Bytes that the levels take.
    pub(crate) fn bytes(&self) -> usize {
        let indexed = self.bids.index.len() + self.asks.index.len();
        self.levels.capacity() * size_of::<Level>() + indexed * 4 * size_of::<(u64, u32)>()
    }
}
