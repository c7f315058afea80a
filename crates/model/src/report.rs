//! What a venue says happened.

use serde::{Deserialize, Serialize};

use crate::{Amount, Asset, ClientOrderId, Notional, Price, Quantity, Side, Symbol, Timestamp, TradeId, VenueOrderId};

/// The venue's word on where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Rests, nothing filled.
    New,
    /// Rests, partly filled.
    PartiallyFilled,
    /// Done.
    Filled,
    /// Taken back; what was filled before stays filled.
    Canceled,
    /// Never entered the book.
    Rejected,
    /// Ended by its own time in force.
    Expired,
}

impl OrderStatus {
    /// Whether nothing more can happen to it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::New | Self::PartiallyFilled)
    }
}

/// One trade of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Fill {
    /// The venue's number, unique per symbol: the same fill told twice has the same number.
    pub trade_id: TradeId,
    /// Price of this trade.
    pub price: Price,
    /// Base quantity of this trade.
    pub quantity: Quantity,
    /// Fee taken.
    pub commission: Amount,
    /// Asset the fee was taken in.
    pub commission_asset: Asset,
}

/// State of one order as the venue told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionReport {
    /// Where.
    pub symbol: Symbol,
    /// The venue's number.
    pub venue_order_id: VenueOrderId,
    /// Our name, if the order is ours (foreign names that we could not have given are `None`).
    pub client_order_id: Option<ClientOrderId>,
    /// Buy or sell.
    pub side: Side,
    /// Where it stands.
    pub status: OrderStatus,
    /// Base quantity ordered.
    pub quantity: Quantity,
    /// Base quantity filled so far.
    pub filled: Quantity,
    /// Quote amount traded so far.
    pub filled_notional: Notional,
    /// Limit price, if it has one.
    pub price: Option<Price>,
    /// Fills told in this answer; may be fewer than all.
    pub fills: Vec<Fill>,
    /// Venue time of this state.
    pub at: Timestamp,
}

/// What an account holds of one asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Balance {
    /// Which asset.
    pub asset: Asset,
    /// Can be used.
    pub free: Amount,
    /// Held by open orders.
    pub locked: Amount,
}
