//! To which rule a reason belongs, and what to do next. Invariant: each reason is of one rule of the table.

use strongroom_model::Advice;

use super::Reason;
use crate::rules::{Enforcer, rule};

impl Reason {
    /// Name of the rule that said no; stands in [`RULES`].
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::ClockOffset { .. } => "clock-offset",
            Self::RecvWindow { .. } => "recv-window",
            Self::NotOffered { .. } => "not-offered",
            Self::NoKey | Self::NoKeyInUse => "no-key",
            Self::KeyStage { .. } => "key-not-active",
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
            Self::HeadDue { .. } => "head-due",
            Self::Managed { .. } => "managed-policy",
            Self::PolicyRange { .. } => "policy-range",
            Self::NameTaken { .. } => "duplicate-id",
            Self::TooMany { .. } => "too-many-orders",
            Self::Amend { .. } => "amend",
            Self::Restricted { .. } => "restricted",
            Self::PriceCollar { .. } => "price-collar",
            Self::PriceDrift { .. } => "price-drift",
            Self::Mark { .. } => "mark",
            Self::ValueAtMark { .. } => "value-at-mark",
            Self::Slippage { .. } => "slippage",
            Self::OpenOrders { .. } => "open-orders",
            Self::ReduceHeld { .. } => "reduce-held",
            Self::Position { .. } => "position",
            Self::Exposure { .. } => "exposure",
            Self::ExposureUnknown { .. } | Self::OpenUnknown => "exposure-unknown",
            Self::Duplicate { .. } => "duplicate",
            Self::CancelRatio { .. } => "cancel-ratio",
            Self::SelfTrade { .. } => "self-trade",
            Self::DayLoss { .. } => "day-loss",
            Self::Drawdown { .. } => "drawdown",
            Self::RepeatedExecution { .. } => "repeated-execution",
        }
    }

    /// As a line of a ticket has it.
    pub fn title(&self) -> &'static str {
        rule(self.rule()).title
    }

    /// Who holds its rule.
    pub fn enforcer(&self) -> Enforcer {
        rule(self.rule()).enforcer
    }

    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::DayNotional { max, .. } | Self::Threshold { max, .. } if max.is_zero() => Advice::Refuse,
            Self::OrderRate { limit: 0, .. } => Advice::Refuse,
            Self::OrderRate { retry_after_ms, .. }
            | Self::DayNotional { retry_after_ms, .. }
            | Self::Threshold { retry_after_ms, .. }
            | Self::Duplicate { retry_after_ms, .. }
            | Self::CancelRatio { retry_after_ms, .. }
            | Self::RepeatedExecution { eases_in_ms: Some(retry_after_ms), .. } => Advice::RetryAfter(*retry_after_ms),
            Self::HeadDue { .. } => Advice::RetryAfter(500),
            Self::Mark { .. } | Self::ExposureUnknown { .. } | Self::OpenUnknown => Advice::RetryAfter(1_000),
            Self::Sealed | Self::Session { .. } | Self::KillSwitch { .. } | Self::Confirm { .. } => Advice::Ask,
            Self::NoKey | Self::NoKeyInUse | Self::ClockOffset { .. } => Advice::Ask,
            _ => Advice::Refuse,
        }
    }
}
