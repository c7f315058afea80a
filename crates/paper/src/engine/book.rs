//! The two ladders of one market. Invariant: price first, then rank; a level exists while an order is in it.

use std::collections::BTreeMap;

use strongroom_model::{DepthUpdate, Level as Told, Side};

use super::index::Index;
use super::open::{OpenOrder, Place, Shown};
use super::pages::Pages;
use super::queue::{Ends, Queues};
use super::store::{Slot, Store};
use super::units::{Px, Qty};

/// Changed prices noted before they are made unique for the first time.
const CHANGES_MIN: usize = 4_096;

/// The orders at one price.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Level {
    pub(crate) price: Px,
    pub(crate) visible: Qty,
    pub(crate) hidden: Qty,
    ends: Ends,
    /// No order in the queue has a higher rank.
    newest: u64,
    is_noted: bool,
}

#[derive(Debug, Default)]
struct Ladder {
    /// Levels by price, best first: bids by the complement of their price.
    index: BTreeMap<u64, u32>,
    /// The same without order, for those who know the price.
    by_price: PriceIndex,
    best: Option<u32>,
    changed: Vec<Px>,
    compact_at: usize,
}

/// Levels by how many units their price has: as dense as prices are. Invariant: every price is a multiple of the unit.
#[derive(Debug, Default)]
struct PriceIndex {
    unit: u64,
    index: Index,
}

/// The largest number that divides both.
const fn common(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

impl PriceIndex {
    fn find(&self, price: Px) -> Option<u32> {
        let is_whole = price.0.checked_rem(self.unit)? == 0;
        if is_whole { self.index.find(price.0 / self.unit) } else { None }
    }

    /// Adds a level; `others` are those that are there, for a price that is no multiple makes the unit smaller.
    fn insert(&mut self, price: Px, level: u32, others: impl Iterator<Item = (Px, u32)>) {
        let unit = common(price.0, self.unit).max(1);
        if unit != self.unit {
            *self = Self { unit, index: Index::default() };
            others.for_each(|(price, level)| self.index.insert(price.0 / unit, level));
        }
        self.index.insert(price.0 / unit, level);
    }

    fn remove(&mut self, price: Px) {
        self.index.remove(price.0 / self.unit.max(1));
    }
}

/// Resting orders by side, price and rank, with the changes since they were last told.
#[derive(Debug, Default)]
pub(crate) struct Ladders {
    bids: Ladder,
    asks: Ladder,
    levels: Pages<Level, 256>,
    queues: Queues,
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
        self.side(side).best.map(|level| self.levels.get(level))
    }

    /// Levels of a side, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = &Level> {
        self.side(side).index.values().map(|level| self.levels.get(*level))
    }

    /// The oldest order of a level.
    pub(crate) fn first(&self, level: &Level) -> Option<Slot> {
        self.queues.first(level.ends)
    }

    /// Slots of a level's orders, oldest first.
    pub(crate) fn queue(&self, level: &Level) -> impl Iterator<Item = Slot> + '_ {
        self.queues.iter(level.ends)
    }

    fn note(&mut self, side: Side, level: u32) {
        self.update_id += 1;
        let entry = self.levels.get_mut(level);
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
            && self.levels.get(level).price == price
        {
            return level;
        }
        if let Some(level) = self.side(side).by_price.find(price) {
            return level;
        }
        let entry = Level { price, visible: Qty::ZERO, hidden: Qty::ZERO, ends: Ends::EMPTY, newest: 0, is_noted: false };
        let level = self.levels.insert(entry);
        let is_best = self.best(side).is_none_or(|best| key(side, price) < key(side, best.price));
        let ladder = self.side_mut(side);
        // The key of a key is the price.
        ladder.by_price.insert(price, level, ladder.index.iter().map(|(at, level)| (Px(key(side, Px(*at))), *level)));
        ladder.index.insert(key(side, price), level);
        if is_best {
            ladder.best = Some(level);
        }
        level
    }

    /// Rests an order by its rank, at the back when nothing has a higher one.
    pub(crate) fn insert(&mut self, store: &mut Store, slot: Slot) {
        let OpenOrder { side, price, rank, .. } = *store.order(slot);
        let Shown { visible, hidden } = store.order(slot).shown();
        let level = self.level_at(side, price);
        let entry = self.levels.get_mut(level);
        let mut later = Vec::new();
        if entry.newest > rank {
            while let Some(last) = self.queues.last(entry.ends)
                && store.order(last).rank > rank
            {
                self.queues.leave(&mut entry.ends, store.order(last).queue);
                later.push(last);
            }
        }
        entry.newest = entry.newest.max(rank);
        for slot in std::iter::once(slot).chain(later.into_iter().rev()) {
            store.order_mut(slot).queue = self.queues.push(&mut entry.ends, slot);
        }
        entry.visible = entry.visible.plus(visible);
        entry.hidden = entry.hidden.plus(hidden);
        store.order_mut(slot).place = Place::Book(level);
        self.note(side, level);
    }

    /// Takes an order out of its queue.
    pub(crate) fn remove(&mut self, store: &mut Store, slot: Slot) {
        let order = store.order_mut(slot);
        let Place::Book(level) = order.place else { return };
        order.place = Place::Away;
        let (side, price, seat, Shown { visible, hidden }) = (order.side, order.price, order.queue, order.shown());
        let entry = self.levels.get_mut(level);
        self.queues.leave(&mut entry.ends, seat);
        entry.visible = entry.visible.less(visible);
        entry.hidden = entry.hidden.less(hidden);
        let is_empty = entry.ends.is_empty();
        self.note(side, level);
        if is_empty {
            self.drop_level(side, price, level);
        }
    }

    fn drop_level(&mut self, side: Side, price: Px, level: u32) {
        let ladder = self.side_mut(side);
        ladder.index.remove(&key(side, price));
        ladder.by_price.remove(price);
        if ladder.best == Some(level) {
            ladder.best = ladder.index.first_key_value().map(|(_, level)| *level);
        }
        self.levels.remove(level);
    }

    /// Tells the level that an order in it changed, of which it counted `before`.
    pub(crate) fn changed(&mut self, store: &Store, slot: Slot, before: Shown) {
        let order = store.order(slot);
        let Place::Book(level) = order.place else { return };
        let (entry, after) = (self.levels.get_mut(level), order.shown());
        entry.visible = entry.visible.less(before.visible).plus(after.visible);
        entry.hidden = entry.hidden.less(before.hidden).plus(after.hidden);
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
            let level = self.side(side).by_price.find(price);
            let quantity = level.map_or(Qty::ZERO, |level| {
                let entry = self.levels.get_mut(level);
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
        let side = |ladder: &Ladder| ladder.index.len() * 2 * size_of::<(u64, u32)>() + ladder.by_price.index.bytes();
        self.levels.bytes() + self.queues.bytes() + side(&self.bids) + side(&self.asks)
    }
}
