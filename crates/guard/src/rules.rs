//! The rules of the gate and who enforces each. This table is the only list; documents are checked against it.

use serde::{Deserialize, Serialize};
use strongroom_model::{Advice, Notional, Price, Quantity, Symbol};
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
    Rule { name: "instrument", enforcer: Enforcer::Signer, demand: "the symbol is on the instrument list" },
    Rule { name: "order-rate", enforcer: Enforcer::Signer, demand: "not more new orders per minute than allowed" },
    Rule { name: "max-quantity", enforcer: Enforcer::Signer, demand: "base quantity at most the instrument's maximum" },
    Rule { name: "max-notional", enforcer: Enforcer::Signer, demand: "price times quantity at most the maximum per order" },
    Rule { name: "price-band", enforcer: Enforcer::Signer, demand: "price inside the instrument's absolute band" },
    Rule { name: "price-collar", enforcer: Enforcer::Desk, demand: "price not further from the mark than the collar, on the losing side" },
    Rule { name: "mark", enforcer: Enforcer::Desk, demand: "a current mark is known for orders that need one" },
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
    #[error("{asked} is above the maximum quantity {max} for one order")]
    MaxQuantity {
        /// What was asked for.
        asked: Quantity,
        /// The most allowed.
        max: Quantity,
    },
    /// Too large in quote.
    #[error("an order value of {asked} is above the maximum of {max}")]
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
}

impl Reason {
    /// Name of the rule that said no; stands in [`RULES`].
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::KillSwitch { .. } => "kill-switch",
            Self::Session { .. } => "session",
            Self::Role { .. } => "role",
            Self::Instrument { .. } => "instrument",
            Self::OrderRate { .. } => "order-rate",
            Self::MaxQuantity { .. } => "max-quantity",
            Self::MaxNotional { .. } => "max-notional",
            Self::PriceBand { .. } => "price-band",
            Self::PriceCollar { .. } => "price-collar",
            Self::Mark { .. } => "mark",
        }
    }

    /// What to do next.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::OrderRate { retry_after_ms, .. } => Advice::RetryAfter(*retry_after_ms),
            Self::Mark { .. } => Advice::RetryAfter(1_000),
            Self::Sealed | Self::Session { .. } | Self::KillSwitch { .. } => Advice::Ask,
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
    /// Only after a fresh code from the person.
    StepUp,
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
