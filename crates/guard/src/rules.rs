//! The rules of the gate and who enforces each. This table is the only list; documents are checked against it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// Which process a rule holds in, even if every other process is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Enforcer {
    /// Holds against a desk that lies: the signer knows all that the rule needs.
    Signer,
    /// Needs market data or what is open, which only the desk has; a desk that lies can break it.
    Desk,
    /// The care of whoever drafts an order by hand: the window asks before it sends. Terminal and programs do not meet it.
    Window,
}

impl fmt::Display for Enforcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signer => "signer",
            Self::Desk => "desk",
            Self::Window => "window",
        })
    }
}

/// One rule of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name in reasons, log entries and documents.
    pub name: &'static str,
    /// As a line of a ticket has it.
    pub title: &'static str,
    /// Who enforces it.
    pub enforcer: Enforcer,
    /// What it demands.
    pub demand: &'static str,
}

/// Every rule, in the order of checks.
pub const RULES: &[Rule] = &[
    Rule { name: "sealed", title: "Vault", enforcer: Enforcer::Signer, demand: "the vault is unsealed" },
    Rule {
        name: "clock-offset",
        title: "Clock",
        enforcer: Enforcer::Signer,
        demand: "the venue's clock is said to differ by a minute at most",
    },
    Rule {
        name: "recv-window",
        title: "Receive window",
        enforcer: Enforcer::Signer,
        demand: "what is signed can be sent for ten seconds at most",
    },
    Rule {
        name: "not-offered",
        title: "Request",
        enforcer: Enforcer::Signer,
        demand: "the venue has a request for it, and one that means no more",
    },
    Rule { name: "no-key", title: "Key", enforcer: Enforcer::Signer, demand: "the key that is asked for, or one in use, is in the vault" },
    Rule {
        name: "key-not-active",
        title: "Stage of the key",
        enforcer: Enforcer::Signer,
        demand: "new orders are signed with a key in use; one of another stage signs what its stage is for",
    },
    Rule { name: "kill-switch", title: "Kill switch", enforcer: Enforcer::Signer, demand: "the kill switch is not engaged" },
    Rule { name: "session", title: "Session", enforcer: Enforcer::Signer, demand: "a session is open, not idle too long and not too old" },
    Rule { name: "role", title: "Role", enforcer: Enforcer::Signer, demand: "the session's roles include trader for orders" },
    Rule {
        name: "scope",
        title: "Scope of the key",
        enforcer: Enforcer::Signer,
        demand: "the order is inside of what the key may be used for",
    },
    Rule { name: "instrument", title: "Instrument list", enforcer: Enforcer::Signer, demand: "the symbol is on the instrument list" },
    Rule {
        name: "reduce-only",
        title: "Reduce only",
        enforcer: Enforcer::Signer,
        demand: "an order that may only reduce what is held is a sale of a base quantity",
    },
    Rule {
        name: "order-rate",
        title: "Orders per minute",
        enforcer: Enforcer::Signer,
        demand: "not more new orders per minute than allowed",
    },
    Rule {
        name: "max-quantity",
        title: "Quantity per order",
        enforcer: Enforcer::Signer,
        demand: "base quantity at most the instrument's maximum",
    },
    Rule {
        name: "max-notional",
        title: "Notional per order",
        enforcer: Enforcer::Signer,
        demand: "price times quantity at most the maximum per order",
    },
    Rule { name: "price-band", title: "Price band", enforcer: Enforcer::Signer, demand: "price inside the instrument's absolute band" },
    Rule {
        name: "day-notional",
        title: "Notional of 24 hours",
        enforcer: Enforcer::Signer,
        demand: "all orders signed in 24 hours, each at its most, at most the maximum",
    },
    Rule {
        name: "threshold",
        title: "Threshold of 24 hours",
        enforcer: Enforcer::Signer,
        demand: "what one person or one bot signed in 24 hours at most its maximum",
    },
    Rule {
        name: "confirm",
        title: "Confirmation",
        enforcer: Enforcer::Signer,
        demand: "an order above the threshold that is not reduce-only was confirmed with a code",
    },
    Rule {
        name: "head-due",
        title: "Head of the log",
        enforcer: Enforcer::Signer,
        demand: "fewer than 256 orders and amendments were signed since the log's head was",
    },
    Rule {
        name: "policy-range",
        title: "Limits themselves",
        enforcer: Enforcer::Signer,
        demand: "limits that are set make sense: no empty band, no name twice, no number that could not be kept",
    },
    Rule {
        name: "managed-policy",
        title: "Limits of an organisation",
        enforcer: Enforcer::Signer,
        demand: "limits that are set are within the organisation's",
    },
    Rule { name: "duplicate-id", title: "Name of the order", enforcer: Enforcer::Desk, demand: "no order has the name already" },
    Rule {
        name: "too-many-orders",
        title: "Orders in hand",
        enforcer: Enforcer::Desk,
        demand: "fewer orders are live than the desk looks after",
    },
    Rule {
        name: "amend",
        title: "Amendment",
        enforcer: Enforcer::Desk,
        demand: "an order that rests is made smaller, and stays above what is filled",
    },
    Rule {
        name: "filter",
        title: "Tick, lot, venue's bounds",
        enforcer: Enforcer::Desk,
        demand: "price on the venue's tick, quantity on its step, and both and their product inside its bounds",
    },
    Rule { name: "mark", title: "Current price", enforcer: Enforcer::Desk, demand: "a current mark is known" },
    Rule {
        name: "value-at-mark",
        title: "Notional per order",
        enforcer: Enforcer::Desk,
        demand: "a market order of a base quantity is worth, at the mark, at most the maximum per order",
    },
    Rule {
        name: "reduce-held",
        title: "Reduce only",
        enforcer: Enforcer::Desk,
        demand: "an order that may only reduce sells no more than what is held and no other order sells",
    },
    Rule {
        name: "restricted",
        title: "Restricted instruments",
        enforcer: Enforcer::Desk,
        demand: "an instrument that is bought is not restricted",
    },
    Rule {
        name: "price-collar",
        title: "Price inside collar",
        enforcer: Enforcer::Desk,
        demand: "price not further from the mark than the collar, on the losing side",
    },
    Rule {
        name: "price-drift",
        title: "Price against the last minutes",
        enforcer: Enforcer::Desk,
        demand: "unless reduce-only, price, or what a market order fills at by the book that is known, not further from the best mark of ten minutes than allowed",
    },
    Rule {
        name: "slippage",
        title: "Slippage limit",
        enforcer: Enforcer::Desk,
        demand: "a market order fills, by the book, near enough to the mark",
    },
    Rule { name: "open-orders", title: "Open orders", enforcer: Enforcer::Desk, demand: "not more orders open than allowed" },
    Rule {
        name: "position",
        title: "Position",
        enforcer: Enforcer::Desk,
        demand: "what is held and would be bought of an instrument at most its maximum",
    },
    Rule {
        name: "exposure",
        title: "Exposure",
        enforcer: Enforcer::Desk,
        demand: "all that is held and would be bought at most the maximum, in all and of a venue or account",
    },
    Rule {
        name: "exposure-unknown",
        title: "Exposure",
        enforcer: Enforcer::Desk,
        demand: "the venue told what is open, and what is held where a rule needs it",
    },
    Rule { name: "duplicate", title: "Repetition", enforcer: Enforcer::Desk, demand: "the same order was not sent a moment ago" },
    Rule {
        name: "cancel-ratio",
        title: "Cancels per order",
        enforcer: Enforcer::Desk,
        demand: "not more cancels for a hundred orders than allowed",
    },
    Rule { name: "self-trade", title: "Own orders", enforcer: Enforcer::Desk, demand: "the order cannot meet an own one" },
    Rule {
        name: "day-loss",
        title: "Loss of the day",
        enforcer: Enforcer::Desk,
        demand: "the day's trades lost at most the maximum; beyond it, everything stops",
    },
    Rule {
        name: "drawdown",
        title: "Drawdown of the day",
        enforcer: Enforcer::Desk,
        demand: "the day's result fell at most so far; beyond it, everything stops",
    },
    Rule {
        name: "repeated-execution",
        title: "Repeated execution",
        enforcer: Enforcer::Desk,
        demand: "not more orders of one side fill in a minute than allowed; beyond it, whose they are is stopped",
    },
    Rule {
        name: "balance",
        title: "Balance",
        enforcer: Enforcer::Window,
        demand: "no more is given than is free, and what is above a quarter of it is ticked as meant",
    },
    Rule {
        name: "slippage-guide",
        title: "Slippage",
        enforcer: Enforcer::Window,
        demand: "a market order that fills, by the book, more than half a percent from the middle is ticked as meant",
    },
    Rule {
        name: "post-only",
        title: "Post-only",
        enforcer: Enforcer::Window,
        demand: "a post-only order that would trade at once is ticked as meant",
    },
];

/// The row of a rule.
pub(crate) fn rule(name: &str) -> &'static Rule {
    // Every reason's rule has one; the tests say so.
    RULES.iter().find(|rule| rule.name == name).unwrap_or(&RULES[0])
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
