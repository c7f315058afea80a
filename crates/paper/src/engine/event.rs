//! What the engine tells. Invariant: every transition of every order is told once, in the order in which it happened;
//! balances come last and once per holding that changed.

use serde::{Deserialize, Serialize};
use strongroom_model::{TradeId, VenueOrderId};

use super::ledger::{AccountId, AssetId, Holding};
use super::order::{ListId, MarketId, Order, SelfTrade};
use super::units::{Money, Px, Qty};

/// One side of one trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The venue's number of the trade.
    pub trade: TradeId,
    /// Price.
    pub price: Px,
    /// Base quantity.
    pub quantity: Qty,
    /// Quote amount.
    pub quote: Money,
    /// Fee taken from what was received.
    pub commission: Money,
    /// Asset of the fee.
    pub commission_asset: AssetId,
    /// Whether the order rested.
    pub is_maker: bool,
    /// Whether it is the first trade of its order (`faqs/order_count_decrement.md`).
    pub is_first: bool,
    /// The order on the other side.
    pub other: VenueOrderId,
}

/// A self-trade that did not happen (`faqs/stp_faq.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreventedMatch {
    /// The venue's number of the match, per market.
    pub id: u64,
    /// The taker's mode.
    pub mode: SelfTrade,
    /// The arriving order.
    pub taker: VenueOrderId,
    /// The resting order.
    pub maker: VenueOrderId,
    /// Price at which they would have traded.
    pub price: Px,
    /// What the taker lost; nothing when it kept all.
    pub taker_prevented: Qty,
    /// What the maker lost; nothing when it kept all.
    pub maker_prevented: Qty,
}

/// Why an order expired (`enums.md`, “Expiry Reasons”).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiry {
    /// It could not be placed when its turn came: too little money, or its prices no longer fit.
    Rejected,
    /// The other leg of its OCO traded, triggered or expired.
    OcoTrigger,
    /// The working order of its list expired.
    OtoPhaseOneExpired,
    /// What an IOC order could not trade at once.
    UnfilledIoc,
    /// A FOK order that could not trade in full.
    UnfilledFok,
    /// The book ended before a market order did.
    InsufficientLiquidity,
}

/// What happened to an order (`enums.md`, “Execution types”; tracking, triggering and holding have none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `NEW`: accepted; told again when a pending order is placed.
    New,
    /// `TRADE`.
    Trade(Execution),
    /// `CANCELED` by its owner.
    Canceled,
    /// `REPLACED`: amended.
    Replaced,
    /// `EXPIRED`.
    Expired(Expiry),
    /// `TRADE_PREVENTION`: a self-trade did not happen.
    Prevented(PreventedMatch),
    /// A trailing order began to trail, or moved its best price.
    Tracking,
    /// Its trigger was reached: it works now.
    Triggered,
    /// It holds more or less money now, for the other leg of its OCO became smaller.
    Held,
}

/// What joins the orders of a list (`enums.md`, “ContingencyType”).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contingency {
    /// One cancels the other.
    Oco,
    /// One triggers the others.
    Oto,
}

/// A list of orders as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderList {
    /// The venue's number of the list.
    pub id: ListId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it trades.
    pub market: MarketId,
    /// What joins the orders.
    pub contingency: Contingency,
    /// Its two or three orders, in the order of placement.
    pub orders: [Option<VenueOrderId>; 3],
    /// `ALL_DONE`: no order of it is open any more. Otherwise `EXECUTING`.
    pub is_done: bool,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// To an order, with its state afterwards.
    Order(Change, Order),
    /// To a list: placed, or done.
    List(OrderList),
    /// To a holding, which is now this.
    Balance(AccountId, AssetId, Holding),
}
