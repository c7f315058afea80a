//! An open order as the engine keeps it: two cache lines. Invariant: what it and its conditions say makes the same
//! [`Order`] that was taken in.
//!
//! Most orders that rest are plain limits. What those have is in one place of 128 bytes, so that an order at a random
//! place costs one fetch; what only the others have is kept apart, for those alone.

use strongroom_model::{Side, TimeInForce, Timestamp, VenueOrderId};

use super::ledger::AccountId;
use super::order::{Kind, Leg, ListId, MarketId, Order, SelfTrade, Status};
use super::queue::Seat;
use super::units::{Money, Px, Qty};

/// Where an open order is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere: it takes right now, or waits for its list or its turn.
    Away,
    /// In the queue of this level.
    Book(u32),
    /// Waits for its trigger price.
    Armed,
    /// Trails.
    Trailing,
}

/// What every open order has; the fields of the same names are those of [`Order`].
#[derive(Clone, Copy, Debug)]
#[repr(align(128))]
pub(crate) struct OpenOrder {
    pub(crate) id: VenueOrderId,
    pub(crate) price: Px,
    pub(crate) quantity: Qty,
    pub(crate) filled: Qty,
    pub(crate) filled_quote: Money,
    pub(crate) prevented: Qty,
    pub(crate) visible: Qty,
    pub(crate) locked: Money,
    pub(crate) rank: u64,
    pub(crate) placed: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) account: AccountId,
    pub(crate) place: Place,
    /// Its seat at its level.
    pub(crate) queue: Seat,
    /// Its seat among the orders of its account.
    pub(crate) own: Seat,
    /// Its conditions, if they are not those of a plain order.
    pub(super) conditions: Option<Apart>,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) tif: TimeInForce,
    pub(crate) self_trade: SelfTrade,
    pub(crate) status: Status,
    pub(crate) leg: Leg,
}

const _: () = assert!(size_of::<OpenOrder>() == 128);

/// A place among the conditions, counted from one.
pub(super) type Apart = std::num::NonZeroU32;

/// What plain limits do not have; the fields are those of [`Order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) list: Option<ListId>,
    pub(crate) budget: Money,
    pub(crate) prevented_match: Option<u64>,
    pub(crate) stop: Px,
    pub(crate) trailing_bps: u32,
    pub(crate) tracked: Px,
    pub(crate) iceberg: Qty,
    pub(crate) amends: u32,
    pub(crate) working: Option<Timestamp>,
    pub(crate) tracking: Option<Timestamp>,
}

impl Conditions {
    /// Of an order that works since it arrived, without any.
    pub(crate) const fn plain(placed: Timestamp) -> Self {
        Self {
            list: None,
            budget: Money::ZERO,
            prevented_match: None,
            stop: Px::ZERO,
            trailing_bps: 0,
            tracked: Px::ZERO,
            iceberg: Qty::ZERO,
            amends: 0,
            working: Some(placed),
            tracking: None,
        }
    }
}

/// What a level shows and hides of an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) visible: Qty,
    pub(crate) hidden: Qty,
}

impl OpenOrder {
    /// Takes an order apart.
    pub(crate) fn of(order: &Order) -> (Self, Conditions) {
        let Order { id, account, list, leg, side, kind, tif, self_trade, status, price, quantity, filled, filled_quote, .. } = *order;
        let Order { budget, prevented, prevented_match, stop, trailing_bps, tracked, iceberg, visible, locked, rank, .. } = *order;
        let Order { amends, placed, updated, working, tracking, .. } = *order;
        let (place, queue, own, conditions) = (Place::Away, Seat::NONE, Seat::NONE, None);
        let open = Self {
            id,
            price,
            quantity,
            filled,
            filled_quote,
            prevented,
            visible,
            locked,
            rank,
            placed,
            updated,
            account,
            place,
            queue,
            own,
            conditions,
            side,
            kind,
            tif,
            self_trade,
            status,
            leg,
        };
        (open, Conditions { list, budget, prevented_match, stop, trailing_bps, tracked, iceberg, amends, working, tracking })
    }

    /// Puts an order together.
    pub(crate) fn with(&self, market: MarketId, conditions: &Conditions) -> Order {
        let Self { id, price, quantity, filled, filled_quote, prevented, visible, locked, rank, placed, updated, account, .. } = *self;
        let Self { side, kind, tif, self_trade, status, leg, .. } = *self;
        let Conditions { list, budget, prevented_match, stop, trailing_bps, tracked, iceberg, amends, working, tracking } = *conditions;
        Order {
            id,
            account,
            market,
            list,
            leg,
            side,
            kind,
            tif,
            self_trade,
            status,
            price,
            quantity,
            filled,
            filled_quote,
            budget,
            prevented,
            prevented_match,
            stop,
            trailing_bps,
            tracked,
            iceberg,
            visible,
            locked,
            rank,
            amends,
            placed,
            updated,
            working,
            tracking,
        }
    }

    /// Base quantity that may still trade (`faqs/stp_faq.md`: original less executed less prevented).
    pub(crate) const fn available(&self) -> Qty {
        self.quantity.less(self.filled).less(self.prevented)
    }

    pub(crate) const fn shown(&self) -> Shown {
        Shown { visible: self.visible, hidden: self.available().less(self.visible) }
    }

    /// Whether a resting order at `price` is good enough.
    pub(crate) const fn crosses(&self, price: Px) -> bool {
        if !self.kind.has_price() {
            return true;
        }
        match self.side {
            Side::Buy => price.0 <= self.price.0,
            Side::Sell => price.0 >= self.price.0,
        }
    }

    /// What it has to hold while it is open; the largest number when that cannot be held.
    pub(crate) fn need(&self) -> Money {
        match self.side {
            Side::Sell => Money(self.available().0),
            Side::Buy => self.price.worth(self.available()).unwrap_or(Money::MAX),
        }
    }

    /// Whether `STOP_LOSS` or `TAKE_PROFIT` has become a market order, or it always was one.
    pub(crate) const fn is_market(&self) -> bool {
        !self.kind.has_price()
    }
}
