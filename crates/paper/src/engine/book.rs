//! The two ladders of one market. Invariant: price first, then the order's number, which is its time.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_model::{DepthUpdate, Level, Price, Quantity, Side, VenueOrderId};

#[derive(Debug, Default)]
struct Queue {
    total: Quantity,
    orders: BTreeSet<VenueOrderId>,
}

/// Resting orders by side, price and time, with the changes since they were last told.
#[derive(Debug, Default)]
pub(crate) struct Ladders {
    bids: BTreeMap<Price, Queue>,
    asks: BTreeMap<Price, Queue>,
    update_id: u64,
    told_id: u64,
    changed_bids: BTreeSet<Price>,
    changed_asks: BTreeSet<Price>,
}

impl Ladders {
    fn side(&self, side: Side) -> &BTreeMap<Price, Queue> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn change(&mut self, side: Side, price: Price, f: impl FnOnce(&mut Queue)) {
        let (ladder, changed) = match side {
            Side::Buy => (&mut self.bids, &mut self.changed_bids),
            Side::Sell => (&mut self.asks, &mut self.changed_asks),
        };
        let queue = ladder.entry(price).or_default();
        f(queue);
        if queue.orders.is_empty() {
            ladder.remove(&price);
        }
        changed.insert(price);
        self.update_id += 1;
    }

    pub(crate) fn insert(&mut self, side: Side, price: Price, id: VenueOrderId, quantity: Quantity) {
        self.change(side, price, |queue| {
            queue.orders.insert(id);
            queue.total = queue.total + quantity;
        });
    }

    /// Takes `quantity` off the order's level; `gone` when the order leaves the book.
    pub(crate) fn reduce(&mut self, side: Side, price: Price, id: VenueOrderId, quantity: Quantity, gone: bool) {
        self.change(side, price, |queue| {
            queue.total = queue.total - quantity;
            if gone {
                queue.orders.remove(&id);
            }
        });
    }

    /// Price of the best level and its oldest order.
    pub(crate) fn best(&self, side: Side) -> Option<(Price, VenueOrderId)> {
        let (price, queue) = match side {
            Side::Buy => self.bids.last_key_value()?,
            Side::Sell => self.asks.first_key_value()?,
        };
        queue.orders.first().map(|id| (*price, *id))
    }

    /// Levels of one side, best first.
    pub(crate) fn levels(&self, side: Side) -> Box<dyn Iterator<Item = Level> + '_> {
        let level = |(price, queue): (&Price, &Queue)| Level { price: *price, quantity: queue.total };
        match side {
            Side::Buy => Box::new(self.bids.iter().rev().map(level)),
            Side::Sell => Box::new(self.asks.iter().map(level)),
        }
    }

    pub(crate) fn update_id(&self) -> u64 {
        self.update_id
    }

    /// Levels that changed since the last call, at their present size.
    pub(crate) fn take_update(&mut self) -> Option<DepthUpdate> {
        if self.update_id == self.told_id {
            return None;
        }
        let now = |side: Side, changed: BTreeSet<Price>| -> Vec<Level> {
            let total = |price: &Price| self.side(side).get(price).map_or(Quantity::ZERO, |queue| queue.total);
            changed.iter().map(|price| Level { price: *price, quantity: total(price) }).collect()
        };
        let (bids, asks) = (self.changed_bids.clone(), self.changed_asks.clone());
        let update = DepthUpdate { first: self.told_id + 1, last: self.update_id, bids: now(Side::Buy, bids), asks: now(Side::Sell, asks) };
        self.changed_bids.clear();
        self.changed_asks.clear();
        self.told_id = self.update_id;
        Some(update)
    }
}
