//! Orders as the venue keeps them. Invariant: a final order holds no money.

use strongroom_model::{
    Amount, Asset, MarketSize, Notional, OrderSpec, OrderStatus, Price, Quantity, Side, TimeInForce, Timestamp, TradeId, VenueOrderId,
};
use thiserror::Error;

use super::filters::FilterFailure;
use super::ledger::AccountId;

/// A new order, as the engine takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The client's name for it.
    pub client_order_id: String,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price and size.
    pub spec: OrderSpec,
}

/// Why the engine did not do what was asked. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Against a rule of the instrument.
    #[error("filter failure: {0}")]
    Filter(FilterFailure),
    /// The account has too little.
    #[error("the account has too little")]
    InsufficientBalance,
    /// An open order of this account has the same name.
    #[error("an open order of this account has the same name")]
    DuplicateClientOrderId,
    /// A post-only order would trade at once.
    #[error("a post-only order would trade at once")]
    WouldTake,
    /// No open order of this account is meant.
    #[error("no open order of this account is meant")]
    UnknownOrder,
}

/// One side of one trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The venue's number of the trade.
    pub trade_id: TradeId,
    /// Price.
    pub price: Price,
    /// Base quantity.
    pub quantity: Quantity,
    /// Fee taken from what was received.
    pub commission: Amount,
    /// Asset of the fee.
    pub commission_asset: Asset,
    /// Whether the order rested.
    pub is_maker: bool,
    /// When.
    pub at: Timestamp,
}

/// An order with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The venue's number, in order of arrival.
    pub id: VenueOrderId,
    /// Whose it is.
    pub account: AccountId,
    /// The client's name for it.
    pub client_order_id: String,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price and size.
    pub spec: OrderSpec,
    /// Base quantity ordered; for a quote-sized order, what it filled.
    pub quantity: Quantity,
    /// Base quantity filled.
    pub filled: Quantity,
    /// Quote amount traded.
    pub filled_notional: Notional,
    /// Where it stands.
    pub status: OrderStatus,
    /// Money still held for it: quote for a buy, base for a sell.
    pub locked: Amount,
    /// When it arrived.
    pub placed: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Its trades (not kept for house orders).
    pub executions: Vec<Execution>,
}

impl Order {
    /// Base quantity that still wants to trade, when the order is sized in base.
    pub fn remaining(&self) -> Quantity {
        self.quantity - self.filled
    }

    /// What can be bought or sold now at `price`, in steps of `step`.
    pub(crate) fn wants(&self, price: Price, step: Quantity) -> Quantity {
        match self.spec {
            OrderSpec::Market { size: MarketSize::Quote(budget) } => affordable(budget, self.filled_notional, price, step),
            _ => self.remaining(),
        }
    }

    /// Whether a resting order at `price` is good enough.
    pub(crate) fn crosses(&self, price: Price) -> bool {
        self.spec.price().is_none_or(|limit| match self.side {
            Side::Buy => price <= limit,
            Side::Sell => price >= limit,
        })
    }

    /// Whether what remains rests in the book.
    pub(crate) fn may_rest(&self) -> bool {
        matches!(self.spec, OrderSpec::PostOnly { .. } | OrderSpec::Limit { tif: TimeInForce::Gtc, .. })
    }
}

/// Base quantity that `budget` less `spent` buys at `price`, in steps of `step`.
pub(crate) fn affordable(budget: Notional, spent: Notional, price: Price, step: Quantity) -> Quantity {
    let left = budget.checked_sub(spent).unwrap_or_default();
    let quantity = left.value().checked_div(price.value()).and_then(Quantity::new).unwrap_or_default();
    quantity.floor_to(step)
}
