//! Orders in the engine's own words. Invariant: `filled + prevented` never passes `quantity`, and an order that ended
//! holds no money.

use serde::{Deserialize, Serialize};
use strongroom_model::{MarketSize, OrderSpec, Side, TimeInForce, Timestamp, VenueOrderId};

use super::filters::FilterFailure;
use super::ledger::AccountId;
use super::refusal::Refusal;
use super::units::{Money, Px, Qty};

/// Order types (`enums.md`, “Order types”).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Trades at its price or better.
    Limit,
    /// A limit that never takes.
    LimitMaker,
    /// Trades at once at the best prices.
    Market,
    /// A market order that waits for a loss.
    StopLoss,
    /// A limit order that waits for a loss.
    StopLossLimit,
    /// A market order that waits for a profit.
    TakeProfit,
    /// A limit order that waits for a profit.
    TakeProfitLimit,
}

impl Kind {
    /// Waits for the last price to reach a trigger (`filters.md`, “algo” orders).
    pub const fn is_algo(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit | Self::TakeProfit | Self::TakeProfitLimit)
    }

    /// Whether it has a limit price.
    pub const fn has_price(self) -> bool {
        matches!(self, Self::Limit | Self::LimitMaker | Self::StopLossLimit | Self::TakeProfitLimit)
    }

    /// Whether it waits for a loss.
    pub const fn is_stop(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit)
    }

    /// Whether it is triggered by a price at or above its stop price (otherwise: at or below), by
    /// `rest-api.md`, “Trigger order price rules”.
    pub const fn is_above(self, side: Side) -> bool {
        self.is_stop() == matches!(side, Side::Buy)
    }
}

/// What happens when an order would trade with its own account or trade group (`faqs/stp_faq.md`); the taker's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SelfTrade {
    /// They trade.
    #[default]
    None,
    /// The arriving order expires.
    ExpireTaker,
    /// The resting order expires.
    ExpireMaker,
    /// Both expire.
    ExpireBoth,
    /// Both lose the smaller quantity; what has nothing left expires.
    Decrement,
}

/// Where an order stands (`enums.md`, “Order status”).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Waits for the working order of its list.
    PendingNew,
    /// Open, nothing traded.
    New,
    /// Open, a part traded.
    PartiallyFilled,
    /// Traded in full.
    Filled,
    /// Taken back by its owner.
    Canceled,
    /// Ended by its own rules or its list's.
    Expired,
    /// Ended by self-trade prevention.
    ExpiredInMatch,
}

impl Status {
    /// Whether the order ended.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Filled | Self::Canceled | Self::Expired | Self::ExpiredInMatch)
    }
}

/// The part that an order plays in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Leg {
    /// Not in a list.
    Single,
    /// One of two orders of which one cancels the other.
    Oco,
    /// The order whose fill places the others.
    Working,
    /// Placed when the working order filled.
    Pending,
    /// One of two pending orders of which one cancels the other.
    PendingOco,
}

impl Leg {
    /// Whether its sibling ends when it trades or triggers.
    pub const fn is_oco(self) -> bool {
        matches!(self, Self::Oco | Self::PendingOco)
    }
}

/// Identifies a market of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MarketId(pub(crate) u32);

impl MarketId {
    /// Its place among the markets, from zero.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The venue's number of an order list; unique over all markets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListId(pub u64);

/// How much is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Base quantity.
    Base(Qty),
    /// Quote amount, for market orders.
    Quote(Money),
}

/// A new order, as the engine takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Buy or sell.
    pub side: Side,
    /// Type.
    pub kind: Kind,
    /// For types with a limit price that may rest; otherwise GTC.
    pub tif: TimeInForce,
    /// Limit price; zero for types without.
    pub price: Px,
    /// How much.
    pub size: Size,
    /// Trigger price; zero for none.
    pub stop: Px,
    /// Trailing distance in basis points; zero for none (`faqs/trailing-stop-faq.md`).
    pub trailing_bps: u32,
    /// Shown slice; zero for none.
    pub iceberg: Qty,
    /// Self-trade prevention.
    pub self_trade: SelfTrade,
}

impl NewOrder {
    /// A limit order that rests.
    pub const fn limit(side: Side, price: Px, quantity: Qty) -> Self {
        Self {
            side,
            kind: Kind::Limit,
            tif: TimeInForce::Gtc,
            price,
            size: Size::Base(quantity),
            stop: Px::ZERO,
            trailing_bps: 0,
            iceberg: Qty::ZERO,
            self_trade: SelfTrade::None,
        }
    }

    /// A market order.
    pub const fn market(side: Side, size: Size) -> Self {
        Self { kind: Kind::Market, size, ..Self::limit(side, Px::ZERO, Qty::ZERO) }
    }

    /// From the domain's words. Numbers that the engine cannot hold break the rule that bounds them.
    pub fn of(side: Side, spec: &OrderSpec) -> Result<Self, Refusal> {
        let price = |price| Px::of(price).ok_or(Refusal::Filter(FilterFailure::Price));
        let quantity = |quantity| Qty::of(quantity).ok_or(Refusal::Filter(FilterFailure::Lot));
        Ok(match *spec {
            OrderSpec::Limit { price: limit, quantity: size, tif } => Self { tif, ..Self::limit(side, price(limit)?, quantity(size)?) },
            OrderSpec::PostOnly { price: limit, quantity: size } => {
                Self { kind: Kind::LimitMaker, ..Self::limit(side, price(limit)?, quantity(size)?) }
            }
            OrderSpec::Market { size: MarketSize::Base(size) } => Self::market(side, Size::Base(quantity(size)?)),
            OrderSpec::Market { size: MarketSize::Quote(budget) } => {
                let budget = Money::of_notional(budget).ok_or(Refusal::Filter(FilterFailure::Notional))?;
                Self::market(side, Size::Quote(budget))
            }
        })
    }

    /// Base quantity; nothing when sized in quote.
    pub const fn quantity(&self) -> Qty {
        match self.size {
            Size::Base(quantity) => quantity,
            Size::Quote(_) => Qty::ZERO,
        }
    }
}

/// An order as it stands after a transition. A list of these, each order's last one counting, restores a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The venue's number, per market in order of arrival.
    pub id: VenueOrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it trades.
    pub market: MarketId,
    /// Its list, if it is in one.
    pub list: Option<ListId>,
    /// Its part in the list.
    pub leg: Leg,
    /// Buy or sell.
    pub side: Side,
    /// Type.
    pub kind: Kind,
    /// Time in force.
    pub tif: TimeInForce,
    /// Self-trade prevention.
    pub self_trade: SelfTrade,
    /// Where it stands.
    pub status: Status,
    /// Limit price. For `STOP_LOSS` and `TAKE_PROFIT`, which have none, the price at which a buy holds money.
    pub price: Px,
    /// Base quantity ordered; of a quote-sized order, what its budget could trade on arrival.
    pub quantity: Qty,
    /// Base quantity traded.
    pub filled: Qty,
    /// Quote amount traded.
    pub filled_quote: Money,
    /// Quote amount asked for; nothing for orders sized in base.
    pub budget: Money,
    /// Base quantity that self-trade prevention took away.
    pub prevented: Qty,
    /// The last prevented match.
    pub prevented_match: Option<u64>,
    /// Trigger price; zero for none.
    pub stop: Px,
    /// Trailing distance in basis points; zero for none.
    pub trailing_bps: u32,
    /// The best price since it began to trail; zero before.
    pub tracked: Px,
    /// Shown slice of an iceberg; zero for none.
    pub iceberg: Qty,
    /// Base quantity that the book shows now.
    pub visible: Qty,
    /// Money held for it: quote for a buy, base for a sell. Of two legs of an OCO one holds for both.
    pub locked: Money,
    /// Its place in the queue of its price: lower trades first.
    pub rank: u64,
    /// How often it was amended.
    pub amends: u32,
    /// When it arrived.
    pub placed: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Since when it works: on the book or taking.
    pub working: Option<Timestamp>,
    /// Since when it trails.
    pub tracking: Option<Timestamp>,
}

impl Order {
    /// Base quantity that may still trade (`faqs/stp_faq.md`: original less executed less prevented).
    pub const fn available(&self) -> Qty {
        self.quantity.less(self.filled).less(self.prevented)
    }

    /// Whether a resting order at `price` is good enough.
    pub const fn crosses(&self, price: Px) -> bool {
        if !self.kind.has_price() {
            return true;
        }
        match self.side {
            Side::Buy => price.0 <= self.price.0,
            Side::Sell => price.0 >= self.price.0,
        }
    }

    /// Whether it waits for a trigger.
    pub(crate) const fn waits(&self) -> bool {
        self.kind.is_algo() && self.working.is_none()
    }
}
