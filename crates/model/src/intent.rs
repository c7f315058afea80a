//! What an actor wants done. There is no intent for a withdrawal or a transfer: it cannot be said.

use serde::{Deserialize, Serialize};

use crate::{ClientOrderId, Notional, OrderRef, Price, Quantity, Symbol, VenueOrderId};

/// Buy or sell the base asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Side {
    /// Receive base, pay quote.
    Buy,
    /// Give base, receive quote.
    Sell,
}

impl Side {
    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `buy` or `sell`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// How long an order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum TimeInForce {
    /// Good till cancelled.
    Gtc,
    /// Fill what can be filled now, cancel the rest.
    Ioc,
    /// Fill everything now or nothing.
    Fok,
}

/// Size of a market order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum MarketSize {
    /// So much of the base asset.
    Base(Quantity),
    /// As much as this much of the quote asset trades for.
    Quote(Notional),
}

/// The kind of an order with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum OrderSpec {
    /// At this price or better.
    Limit {
        /// Worst price accepted.
        price: Price,
        /// Base quantity.
        quantity: Quantity,
        /// How long it stays.
        tif: TimeInForce,
    },
    /// Good till cancelled, refused by the venue if it would trade at once.
    PostOnly {
        /// Price at which it rests.
        price: Price,
        /// Base quantity.
        quantity: Quantity,
    },
    /// At whatever the book offers now.
    Market {
        /// How much.
        size: MarketSize,
    },
}

impl OrderSpec {
    /// The worst price that the order accepts, if it has one.
    pub const fn price(&self) -> Option<Price> {
        match self {
            Self::Limit { price, .. } | Self::PostOnly { price, .. } => Some(*price),
            Self::Market { .. } => None,
        }
    }

    /// Base quantity, where it is known beforehand.
    pub const fn quantity(&self) -> Option<Quantity> {
        match self {
            Self::Limit { quantity, .. } | Self::PostOnly { quantity, .. } => Some(*quantity),
            Self::Market { size: MarketSize::Base(quantity) } => Some(*quantity),
            Self::Market { size: MarketSize::Quote(_) } => None,
        }
    }

    /// Makes an order with a price smaller, if `quantity` is less than what it has; `false`: it stays as it is.
    pub fn shrink(&mut self, quantity: Quantity) -> bool {
        match self {
            Self::Limit { quantity: now, .. } | Self::PostOnly { quantity: now, .. } if quantity < *now && !quantity.is_zero() => {
                *now = quantity;
                true
            }
            _ => false,
        }
    }
}

/// A new order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// Our name for it, always set.
    pub client_order_id: ClientOrderId,
    /// What to trade.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price and size.
    pub spec: OrderSpec,
    /// It may only reduce what is held. No venue is told: on spot a sale can do nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reduce_only: bool,
}

impl PlaceOrder {
    /// Whether it can do nothing but reduce what is held: on spot, a sale of a base quantity.
    pub const fn can_only_reduce(&self) -> bool {
        matches!(self.side, Side::Sell) && !matches!(self.spec, OrderSpec::Market { size: MarketSize::Quote(_) })
    }

    /// The order in words, as a person is asked to confirm it.
    pub fn words(&self) -> String {
        let side = self.side.word();
        let symbol = &self.symbol;
        let words = match self.spec {
            OrderSpec::Limit { price, quantity, tif } => {
                let tif = match tif {
                    TimeInForce::Gtc => "",
                    TimeInForce::Ioc => ", immediate or cancel",
                    TimeInForce::Fok => ", fill or kill",
                };
                format!("{side} {quantity} {symbol} at {price} or better{tif}")
            }
            OrderSpec::PostOnly { price, quantity } => format!("{side} {quantity} {symbol} at {price}, post-only"),
            OrderSpec::Market { size: MarketSize::Base(quantity) } => format!("{side} {quantity} {symbol} at the market"),
            OrderSpec::Market { size: MarketSize::Quote(notional) } => {
                format!("{side} {symbol} for {notional} of the quote asset at the market")
            }
        };
        if self.reduce_only { format!("{words}, reduce-only") } else { words }
    }
}

/// Everything that can be asked of a venue with a signature. The signer builds the request from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Intent {
    /// A new order.
    Place(PlaceOrder),
    /// Take one order back.
    Cancel {
        /// Where it stands.
        symbol: Symbol,
        /// Which one.
        order: OrderRef,
    },
    /// Make one order smaller; it keeps its place in the queue, and its name.
    ///
    /// It means smaller and nothing else: a venue's module builds it only as a request that the venue itself refuses when it would make
    /// the order larger. It has no word for another name, price or side.
    Amend {
        /// Where it stands.
        symbol: Symbol,
        /// Our name for it.
        order: ClientOrderId,
        /// Base quantity from now on, what is filled included.
        quantity: Quantity,
    },
    /// Take all orders of one symbol back.
    CancelAll {
        /// Where they stand.
        symbol: Symbol,
    },
    /// State of one order.
    QueryOrder {
        /// Where it stands.
        symbol: Symbol,
        /// Which one.
        order: OrderRef,
    },
    /// Trades of one order.
    QueryTrades {
        /// Where it traded.
        symbol: Symbol,
        /// The venue's number of the order.
        order: VenueOrderId,
    },
    /// Open orders, of one symbol or of all.
    QueryOpenOrders {
        /// Only this symbol, when given.
        symbol: Option<Symbol>,
    },
    /// Balances of the account; doubles as the signed read that tests a new key where the venue tells no rights.
    QueryBalances,
    /// What the venue granted the key that this is signed with.
    QueryKeyRights,
    /// Listen to the account's own orders and balances. There is no word for a logon, after which orders would need no signature.
    StreamLogin,
    /// Have the venue cancel everything if it hears nothing for so long; 0 takes that back.
    DeadMan {
        /// Only of this symbol, when given.
        symbol: Option<Symbol>,
        /// From when the venue takes it in.
        countdown_ms: u32,
    },
}

/// What an intent does, without its details; roles and rules speak of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Adds risk.
    Place,
    /// Takes risk away; never waits for a code or an unlock.
    Cancel,
    /// Changes nothing.
    Read,
}

impl Intent {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// Its place in this list, for tables and tests that have to hold each of them.
    pub const fn number(&self) -> usize {
        match self {
            Self::Place(_) => 0,
            Self::Cancel { .. } => 1,
            Self::Amend { .. } => 2,
            Self::CancelAll { .. } => 3,
            Self::QueryOrder { .. } => 4,
            Self::QueryTrades { .. } => 5,
            Self::QueryOpenOrders { .. } => 6,
            Self::QueryBalances => 7,
            Self::QueryKeyRights => 8,
            Self::StreamLogin => 9,
            Self::DeadMan { .. } => 10,
        }
    }

    /// What it does.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Place(_) => Operation::Place,
            Self::Cancel { .. } | Self::Amend { .. } | Self::CancelAll { .. } | Self::DeadMan { .. } => Operation::Cancel,
            Self::QueryOrder { .. }
            | Self::QueryTrades { .. }
            | Self::QueryOpenOrders { .. }
            | Self::QueryBalances
            | Self::QueryKeyRights
            | Self::StreamLogin => Operation::Read,
        }
    }
}
