//! Orders that wait for the last price. Invariant: an order waits in one place; one price triggers first what waits
//! below it, nearest first, then what waits above it, then what trails; equals by number.

use std::collections::BTreeSet;

use strongroom_model::{Side, Timestamp};

use super::open::{Conditions, OpenOrder, Place};
use super::store::{Slot, Store};
use super::units::Px;

/// Basis points of one whole.
const BPS: u128 = 10_000;

/// What a price did to waiting orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It begins to trail, or its best price moved.
    Tracking(Slot),
    /// It triggers.
    Triggered(Slot),
}

/// Waiting orders of one market.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    /// By stop price and number: reached by a price at or above.
    above: BTreeSet<(u64, u64)>,
    /// By the complement of the stop price and number: reached by a price at or below.
    below: BTreeSet<(u64, u64)>,
    /// By number.
    trailing: Vec<(u64, Slot)>,
}

const fn key(order: &OpenOrder, stop: Px) -> (u64, u64) {
    if order.kind.is_above(order.side) { (stop.0, order.id.0) } else { (!stop.0, order.id.0) }
}

impl Triggers {
    /// Whether no price can do anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.above.is_empty() && self.below.is_empty() && self.trailing.is_empty()
    }

    fn side_of(&mut self, order: &OpenOrder) -> &mut BTreeSet<(u64, u64)> {
        if order.kind.is_above(order.side) { &mut self.above } else { &mut self.below }
    }

    /// Lets an order wait. One that trails without a stop price trails from now on.
    pub(crate) fn insert(&mut self, store: &mut Store, slot: Slot) {
        let (order, conditions) = (*store.order(slot), store.conditions(slot));
        if conditions.stop.is_zero() || !conditions.tracked.is_zero() {
            store.order_mut(slot).place = Place::Trailing;
            self.trail(order.id.0, slot);
        } else {
            store.order_mut(slot).place = Place::Armed;
            self.side_of(&order).insert(key(&order, conditions.stop));
        }
    }

    fn trail(&mut self, id: u64, slot: Slot) {
        let at = self.trailing.partition_point(|(other, _)| *other < id);
        self.trailing.insert(at, (id, slot));
    }

    pub(crate) fn remove(&mut self, store: &mut Store, slot: Slot) {
        let order = *store.order(slot);
        match order.place {
            Place::Armed => drop(self.side_of(&order).remove(&key(&order, store.conditions(slot).stop))),
            Place::Trailing => self.trailing.retain(|(_, trailing)| *trailing != slot),
            Place::Away | Place::Book(_) => return,
        }
        store.order_mut(slot).place = Place::Away;
    }

    /// Applies one trade's price; tells in order what it reached. Triggered orders wait no longer.
    pub(crate) fn observe(&mut self, store: &mut Store, now: Timestamp, price: Px, reached: &mut Vec<Reached>) {
        while let Some((stop, id)) = self.above.first().copied()
            && stop <= price.0
        {
            self.above.pop_first();
            self.reach(store, now, price, id, reached);
        }
        while let Some((stop, id)) = self.below.first().copied()
            && !stop >= price.0
        {
            self.below.pop_first();
            self.reach(store, now, price, id, reached);
        }
        if self.trailing.is_empty() {
            return;
        }
        self.trailing.retain(|(_, slot)| {
            let before = store.conditions(*slot).tracked;
            let is_triggered = trail(store, *slot, now, price);
            if is_triggered {
                store.order_mut(*slot).place = Place::Away;
                reached.push(Reached::Triggered(*slot));
            } else if store.conditions(*slot).tracked != before {
                reached.push(Reached::Tracking(*slot));
            }
            !is_triggered
        });
    }

    fn reach(&mut self, store: &mut Store, now: Timestamp, price: Px, id: u64, reached: &mut Vec<Reached>) {
        let Some(slot) = store.find(strongroom_model::VenueOrderId(id)) else { return };
        if store.conditions(slot).trailing_bps > 0 {
            // The first price that meets the condition is where it begins to trail.
            let conditions = store.conditions_mut(slot);
            (conditions.tracked, conditions.tracking) = (price, Some(now));
            let order = store.order_mut(slot);
            (order.updated, order.place) = (now, Place::Trailing);
            self.trail(id, slot);
            reached.push(Reached::Tracking(slot));
        } else {
            store.order_mut(slot).place = Place::Away;
            reached.push(Reached::Triggered(slot));
        }
    }
}

/// Moves the best price of a trailing order; whether it triggers (`faqs/trailing-stop-faq.md`: sells by a decrease
/// from the highest price, buys by an increase from the lowest).
fn trail(store: &mut Store, slot: Slot, now: Timestamp, price: Px) -> bool {
    let (side, Conditions { tracked, tracking, trailing_bps, .. }) = (store.order(slot).side, store.conditions(slot));
    let is_better = match side {
        Side::Sell => price > tracked,
        Side::Buy => price < tracked,
    };
    if tracked.is_zero() || is_better {
        let conditions = store.conditions_mut(slot);
        (conditions.tracked, conditions.tracking) = (price, tracking.or(Some(now)));
        store.order_mut(slot).updated = now;
        return false;
    }
    let delta = u128::from(trailing_bps);
    let (moved, from) = (u128::from(price.0) * BPS, u128::from(tracked.0));
    match side {
        Side::Sell => moved <= from * BPS.saturating_sub(delta),
        Side::Buy => moved >= from * (BPS + delta),
    }
}
