//! The rules of the gate and who enforces each. This table is the only list; documents are checked against it.

use serde::{Deserialize, Serialize};
use strongroom_model::{Advice, ClientOrderId, Notional, Price, Quantity, Side, Symbol};
use thiserror::Error;

use crate::access::SessionEnd;

/// Which process a rule holds in, even if every other process is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Enforcer {
    /// Holds against a desk that lies: the signer knows all that the rule needs.
    Signer,
    /// Needs market data, which only the desk has; a desk that lies can break it.
    Desk,
}

/// One rule of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name in reasons, log entries and documents.
    pub name: &'static str,
    /// Who enforces it.
    pub enforcer: Enforcer,
    /// What it demands.
    pub demand: &'static str,
}

/// Every rule, in the order of checks.
pub const RULES: &[Rule] = &[
    Rule { name: "sealed", enforcer: Enforcer::Signer, demand: "the vault is unsealed" },
    Rule { name: "kill-switch", enforcer: Enforcer::Signer, demand: "the kill switch is not engaged" },
    Rule { name: "session", enforcer: Enforcer::Signer, demand: "a session is open, not idle too long and not too old" },
    Rule { name: "role", enforcer: Enforcer::Signer, demand: "the session's roles include trader for orders" },
    Rule { name: "scope", enforcer: Enforcer::Signer, demand: "the order is inside of what the key may be used for" },
    Rule { name: "instrument", enforcer: Enforcer::Signer, demand: "the symbol is on the instrument list" },
    Rule {
        name: "reduce-only",
        enforcer: Enforcer::Signer,
        demand: "an order that may only reduce what is held is a sale of a base quantity",
    },
    Rule { name: "order-rate", enforcer: Enforcer::Signer, demand: "not more new orders per minute than allowed" },
    Rule { name: "max-quantity", enforcer: Enforcer::Signer, demand: "base quantity at most the instrument's maximum" },
    Rule { name: "max-notional", enforcer: Enforcer::Signer, demand: "price times quantity at most the maximum per order" },
    Rule { name: "price-band", enforcer: Enforcer::Signer, demand: "price inside the instrument's absolute band" },
    Rule {
        name: "day-notional",
        enforcer: Enforcer::Signer,
        demand: "all orders signed in 24 hours, each at its most, at most the maximum",
    },
    Rule { name: "threshold", enforcer: Enforcer::Signer, demand: "what one person or one bot signed in 24 hours at most its maximum" },
    Rule {
        name: "confirm",
        enforcer: Enforcer::Signer,
        demand: "an order above the threshold that is not reduce-only was confirmed with a code",
    },
    Rule {
        name: "filter",
        enforcer: Enforcer::Desk,
        demand: "price on the venue's tick, quantity on its step, and both and their product inside its bounds",
    },
    Rule { name: "mark", enforcer: Enforcer::Desk, demand: "a current mark is known" },
    Rule {
        name: "reduce-held",
        enforcer: Enforcer::Desk,
        demand: "an order that may only reduce sells no more than what is held and no other order sells",
    },
    Rule { name: "restricted", enforcer: Enforcer::Desk, demand: "an instrument that is bought is not restricted" },
    Rule { name: "price-collar", enforcer: Enforcer::Desk, demand: "price not further from the mark than the collar, on the losing side" },
    Rule { name: "slippage", enforcer: Enforcer::Desk, demand: "a market order fills, by the book, near enough to the mark" },
    Rule { name: "open-orders", enforcer: Enforcer::Desk, demand: "not more orders open than allowed" },
    Rule { name: "position", enforcer: Enforcer::Desk, demand: "what is held and would be bought of an instrument at most its maximum" },
    Rule {
        name: "exposure",
        enforcer: Enforcer::Desk,
        demand: "all that is held and would be bought at most the maximum, in all and of a venue or account",
    },
    Rule { name: "exposure-unknown", enforcer: Enforcer::Desk, demand: "the venue told what is held, where a rule needs it" },
    Rule { name: "duplicate", enforcer: Enforcer::Desk, demand: "the same order was not sent a moment ago" },
    Rule { name: "cancel-ratio", enforcer: Enforcer::Desk, demand: "not more cancels for a hundred orders than allowed" },
    Rule { name: "self-trade", enforcer: Enforcer::Desk, demand: "the order cannot meet an own one" },
    Rule { name: "day-loss", enforcer: Enforcer::Desk, demand: "the day's trades lost at most the maximum; beyond it, everything stops" },
    Rule { name: "drawdown", enforcer: Enforcer::Desk, demand: "the day's result fell at most so far; beyond it, everything stops" },
    Rule {
        name: "repeated-execution",
        enforcer: Enforcer::Desk,
        demand: "not more orders of one side fill in a minute than allowed; beyond it, whose they are is stopped",
    },
];

/// Why the gate said no.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing can be signed.
    #[error("the vault is sealed; unlock it with `strongroom vault unlock`")]
    Sealed,
    /// Only cancels are signed.
    #[error("the kill switch is engaged ({why}); orders are refused until it is re-armed")]
    KillSwitch {
        /// Who or what engaged it.
        why: String,
    },
    /// Only cancels are signed until somebody unlocks.
    #[error("no session: {end}; unlock with `strongroom vault unlock`")]
    Session {
        /// How the last one ended.
        end: SessionEnd,
    },
    /// The session may not do this.
    #[error("this session has no {needed} role")]
    Role {
        /// Missing role.
        needed: String,
    },
    /// The key is not meant for this.
    #[error("the key in use is not meant for this order: {why}")]
    Scope {
        /// What it is for.
        why: String,
    },
    /// The symbol is not on the list.
    #[error("{symbol} is not on the instrument list")]
    Instrument {
        /// What was asked for.
        symbol: Symbol,
    },
    /// Too many orders.
    #[error("{limit} new orders per minute are allowed; wait {retry_after_ms} ms")]
    OrderRate {
        /// Allowed per minute.
        limit: u32,
        /// When the oldest leaves the window.
        retry_after_ms: u64,
    },
    /// Too large in base.
    #[error("a quantity of {asked} is above the maximum of {max} for one order; at most that passes")]
    MaxQuantity {
        /// What was asked for.
        asked: Quantity,
        /// The most allowed.
        max: Quantity,
    },
    /// Too large in quote.
    #[error("an order value of {asked} is above the maximum of {max}; above zero and up to that passes")]
    MaxNotional {
        /// What was asked for.
        asked: Notional,
        /// The most allowed.
        max: Notional,
    },
    /// Outside the absolute band.
    #[error("price {asked} is outside the band {low} to {high}")]
    PriceBand {
        /// What was asked for.
        asked: Price,
        /// Lowest allowed.
        low: Price,
        /// Highest allowed.
        high: Price,
    },
    /// Too much in one day.
    #[error(
        "worth up to {asked}, it would bring what was signed in 24 hours from {counted} above {max}; up to the difference passes, more from \
         {} on", in_words(*.retry_after_ms)
    )]
    DayNotional {
        /// The most that the order can be worth.
        asked: Notional,
        /// What counts already.
        counted: Notional,
        /// The most allowed.
        max: Notional,
        /// When the first of it leaves.
        retry_after_ms: u64,
    },
    /// Too much of one person or bot in one day.
    #[error(
        "worth up to {asked}, it would bring what {of} signed in 24 hours from {counted} above {max}; up to the difference passes, more from \
         {} on", in_words(*.retry_after_ms)
    )]
    Threshold {
        /// Whose.
        of: String,
        /// The most that the order can be worth.
        asked: Notional,
        /// What counts already.
        counted: Notional,
        /// The most allowed.
        max: Notional,
        /// When the first of it leaves.
        retry_after_ms: u64,
    },
    /// It may only reduce, and cannot.
    #[error("an order that may only reduce what is held is a sale of a base quantity; without the mark it passes this rule")]
    ReduceOnly,
    /// So large an order is confirmed first.
    #[error("an order worth up to {asked} is confirmed with a code first; up to {above} passes without")]
    Confirm {
        /// The most that the order can be worth.
        asked: Notional,
        /// What passes without a code.
        above: Notional,
    },
    /// Not to be bought.
    #[error("{symbol} is restricted: it is sold, and not bought")]
    Restricted {
        /// What was asked for.
        symbol: Symbol,
    },
    /// Too far from the mark.
    #[error("price {asked} is more than {collar_bps} basis points worse than the mark {mark}")]
    PriceCollar {
        /// What was asked for.
        asked: Price,
        /// Halfway between best bid and ask.
        mark: Price,
        /// Allowed distance.
        collar_bps: u32,
    },
    /// No market data to compare with.
    #[error("no current price is known for {symbol}; the price collar cannot be checked")]
    Mark {
        /// What was asked for.
        symbol: Symbol,
    },
    /// The book is too thin.
    #[error(
        "it would fill {}, which is more than {slippage_bps} basis points worse than the mark {mark}; make it smaller, or give it a price",
        .average.map_or_else(|| "beyond the book that is known".to_owned(), |price| format!("at {price} on average"))
    )]
    Slippage {
        /// By the book as it is; nothing: it does not hold so much.
        average: Option<Price>,
        /// Halfway between best bid and ask.
        mark: Price,
        /// Allowed distance.
        slippage_bps: u32,
    },
    /// Too many orders are open.
    #[error("{open} orders are open, and {max} may be; cancel one first")]
    OpenOrders {
        /// Now.
        open: u32,
        /// The most allowed.
        max: u32,
    },
    /// More than could be reduced.
    #[error("it may only reduce what is held: {left} of {symbol} can still be sold, and it sells {asked}")]
    ReduceHeld {
        /// Which.
        symbol: Symbol,
        /// What it would sell.
        asked: Quantity,
        /// Held, less what open orders sell.
        left: Quantity,
    },
    /// Too much of one instrument.
    #[error("with this order and all that are open, {after} of {symbol} could be held; at most {max} may be")]
    Position {
        /// Which.
        symbol: Symbol,
        /// Held and bought by open orders and this one.
        after: Quantity,
        /// The most allowed.
        max: Quantity,
    },
    /// Too much altogether.
    #[error(
        "with this order and all that are open, instruments worth {after} {quote} could be held{}; at most {max} may be",
        .of.as_ref().map_or_else(String::new, |of| format!(" at {of}"))
    )]
    Exposure {
        /// A venue or an account; nothing: everywhere.
        of: Option<String>,
        /// Held and bought by open orders and this one, at marks.
        after: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        quote: String,
    },
    /// A rule needs to know what is held.
    #[error("the venue has not told yet what is held, and for {symbol} it has to be known")]
    ExposureUnknown {
        /// What was asked for.
        symbol: Symbol,
    },
    /// The same again.
    #[error("the same order was sent as {earlier} a moment ago; it passes in {retry_after_ms} ms")]
    Duplicate {
        /// The earlier one.
        earlier: ClientOrderId,
        /// When it is no repetition any more.
        retry_after_ms: u64,
    },
    /// Mostly cancelled.
    #[error("{percent} cancels for a hundred orders within an hour; at most {max} are allowed")]
    CancelRatio {
        /// Cancels for a hundred orders.
        percent: u32,
        /// The most allowed.
        max: u32,
    },
    /// It would trade with itself.
    #[error("it could trade with your own order {own}; cancel that one first, or choose another price")]
    SelfTrade {
        /// The one that rests.
        own: ClientOrderId,
    },
    /// Too large a loss.
    #[error("today's trades lost {loss} {quote}; at most {max} may be lost")]
    DayLoss {
        /// At marks.
        loss: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        quote: String,
    },
    /// Too deep a fall.
    #[error("today's result fell {drawdown} {quote} from its highest; at most {max} may be lost of it")]
    Drawdown {
        /// At marks.
        drawdown: Notional,
        /// The most allowed.
        max: Notional,
        /// In what.
        quote: String,
    },
    /// Something places the same again and again.
    #[error("more than {max} orders to {} {symbol} filled within a minute", .side.word())]
    RepeatedExecution {
        /// Which.
        symbol: Symbol,
        /// Which way.
        side: Side,
        /// The most allowed.
        max: u32,
    },
}

/// A time to wait, for people.
fn in_words(ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    if minutes < 90 { format!("{minutes} min") } else { format!("{} h", minutes.div_ceil(60)) }
}

impl Reason {
    /// Name of the rule that said no; stands in [`RULES`].
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::KillSwitch { .. } => "kill-switch",
            Self::Session { .. } => "session",
            Self::Role { .. } => "role",
            Self::Scope { .. } => "scope",
            Self::Instrument { .. } => "instrument",
            Self::OrderRate { .. } => "order-rate",
            Self::MaxQuantity { .. } => "max-quantity",
            Self::MaxNotional { .. } => "max-notional",
            Self::PriceBand { .. } => "price-band",
            Self::DayNotional { .. } => "day-notional",
            Self::Threshold { .. } => "threshold",
            Self::ReduceOnly => "reduce-only",
            Self::Confirm { .. } => "confirm",
            Self::Restricted { .. } => "restricted",
            Self::PriceCollar { .. } => "price-collar",
            Self::Mark { .. } => "mark",
            Self::Slippage { .. } => "slippage",
            Self::OpenOrders { .. } => "open-orders",
            Self::ReduceHeld { .. } => "reduce-held",
            Self::Position { .. } => "position",
            Self::Exposure { .. } => "exposure",
            Self::ExposureUnknown { .. } => "exposure-unknown",
            Self::Duplicate { .. } => "duplicate",
            Self::CancelRatio { .. } => "cancel-ratio",
            Self::SelfTrade { .. } => "self-trade",
            Self::DayLoss { .. } => "day-loss",
            Self::Drawdown { .. } => "drawdown",
            Self::RepeatedExecution { .. } => "repeated-execution",
        }
    }

    /// Whether risk can let one order pass it: it is the desk's, and not one that stops everything or knows too little.
    pub fn can_be_overridden(&self) -> bool {
        let stops = matches!(self, Self::DayLoss { .. } | Self::Drawdown { .. } | Self::RepeatedExecution { .. });
        let knows_little = matches!(self, Self::Mark { .. } | Self::ExposureUnknown { .. } | Self::ReduceHeld { .. });
        let is_of_desk = RULES.iter().any(|rule| rule.name == self.rule() && rule.enforcer == Enforcer::Desk);
        is_of_desk && !stops && !knows_little
    }

    /// What to do next.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::OrderRate { retry_after_ms, .. }
            | Self::DayNotional { retry_after_ms, .. }
            | Self::Threshold { retry_after_ms, .. }
            | Self::Duplicate { retry_after_ms, .. } => Advice::RetryAfter(*retry_after_ms),
            Self::Mark { .. } | Self::ExposureUnknown { .. } => Advice::RetryAfter(1_000),
            Self::Sealed | Self::Session { .. } | Self::KillSwitch { .. } | Self::Confirm { .. } => Advice::Ask,
            _ => Advice::Refuse,
        }
    }
}

/// The gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allow,
    /// No, and why.
    Deny(Reason),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_own_name() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
        assert!(RULES.iter().any(|rule| rule.name == Reason::Sealed.rule()));
    }
}
