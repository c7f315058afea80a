//! A refusal in its parts, for people and programs. Invariant: no part is empty, whatever the rule.

use serde::{Deserialize, Serialize};
use strongroom_model::FilterError;

use crate::drift::DRIFT_MINUTES;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::{CLOCK_OFFSET_US_MAX, NUMBERED_PER_HEAD_MAX, RECV_WINDOW_MS_MAX};
use crate::rules::{Enforcer, rule};
use crate::said::{in_words, priced, rearmed, short_of};

/// A rule that an order does not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Unmet {
    /// Its name in [`RULES`](crate::RULES).
    pub rule: String,
    /// Who holds it.
    pub by: Enforcer,
    /// What was asked for, or is so.
    pub value: String,
    /// What is allowed.
    pub limit: String,
    /// What would pass.
    pub passes: String,
}

impl Unmet {
    /// Whether it is so only until the venue was asked what is open.
    pub fn is_of_beginning(&self) -> bool {
        *self == Self::from(&Reason::OpenUnknown)
    }

    fn new(name: &str, value: impl ToString, limit: impl ToString, passes: impl ToString) -> Self {
        let (value, limit, passes) = (value.to_string(), limit.to_string(), passes.to_string());
        Self { rule: name.to_owned(), by: rule(name).enforcer, value, limit, passes }
    }
}

impl Reason {
    /// Whether risk can let one order pass it: it is the desk's own, and not one that stops everything or knows too little.
    pub fn can_be_overridden(&self, policy: &Policy) -> bool {
        let stops = matches!(self, Self::DayLoss { .. } | Self::Drawdown { .. } | Self::RepeatedExecution { .. });
        // Nor one that holds for whatever is asked.
        let is_fixed = matches!(self, Self::NameTaken { .. } | Self::TooMany { .. } | Self::Amend { .. } | Self::ValueAtMark { .. });
        let knows_little = matches!(self, Self::Mark { .. } | Self::ExposureUnknown { .. } | Self::OpenUnknown | Self::ReduceHeld { .. });
        // The venue's own bound is not the desk's.
        let is_venues = matches!(self, Self::OpenOrders { max, .. } if policy.desk.open_orders_max != Some(*max));
        let is_theirs = is_venues || policy.desk.fixed.iter().any(|rule| rule.name() == self.rule());
        self.enforcer() == Enforcer::Desk && !stops && !is_fixed && !knows_little && !is_theirs
    }
}

impl From<&FilterError> for Unmet {
    fn from(error: &FilterError) -> Self {
        Self::new("filter", error.asked(), error.allowed(), error.passes())
    }
}

impl From<&Reason> for Unmet {
    fn from(reason: &Reason) -> Self {
        let of = |value: String, limit: String, passes: String| Self::new(reason.rule(), value, limit, passes);
        match reason {
            Reason::Sealed => of("sealed".into(), "unsealed".into(), "the same, once the vault is unlocked".into()),
            Reason::ClockOffset { offset_us } => of(
                format!("{} ms", offset_us / 1_000),
                format!("{} ms either way", CLOCK_OFFSET_US_MAX / 1_000),
                "the same, once this computer's clock is right".into(),
            ),
            Reason::RecvWindow { asked_ms } => {
                of(format!("{asked_ms} ms"), format!("1 to {RECV_WINDOW_MS_MAX} ms"), format!("a window of 1 to {RECV_WINDOW_MS_MAX} ms"))
            }
            Reason::NotOffered { why, passes } => {
                of(why.clone(), "a request that the venue has and that means no more".into(), passes.clone())
            }
            Reason::NoKey => {
                of("none that is in the vault".into(), "a key that is in the vault".into(), "one of `strongroom key list`".into())
            }
            Reason::NoKeyInUse => of("none".into(), "a key in use".into(), "the same, once a key is taken in or used".into()),
            Reason::KeyStage { is } => of(is.clone(), "in use".into(), "the same with a key that is in use, or once this one is".into()),
            Reason::KillSwitch { why } => {
                of(format!("engaged: {why}"), "not engaged".into(), "cancels; the same, once it is re-armed".into())
            }
            Reason::Session { end } => of(format!("none: {end}"), "an open session".into(), "the same, once this door is unlocked".into()),
            Reason::Role { needed, has } => of(has.clone(), needed.clone(), format!("the same, asked by a person with the role {needed}")),
            Reason::Scope { asked, allowed } => of(asked.clone(), allowed.clone(), "what the key is for, or another key".into()),
            Reason::Instrument { symbol, listed } => of(symbol.to_string(), listed.clone(), format!("one of: {listed}")),
            Reason::OrderRate { limit: 0, .. } => of("one more".into(), "none".into(), "no new order, until the limit is raised".into()),
            Reason::OrderRate { limit, retry_after_ms } => {
                of(format!("{limit} in the last minute"), format!("{limit} a minute"), format!("the same in {retry_after_ms} ms"))
            }
            Reason::MaxQuantity { asked, max } => of(asked.to_string(), max.to_string(), format!("a quantity up to {max}")),
            Reason::DayNotional { asked, max, currency, .. }
            | Reason::Threshold { asked, max, currency, .. }
            | Reason::MaxNotional { asked, max, currency }
                if max.is_zero() =>
            {
                of(format!("{asked} {currency}"), "none".into(), "no order, until the limit is raised".into())
            }
            Reason::MaxNotional { asked, max, currency } => {
                of(format!("{asked} {currency}"), format!("{max} {currency}"), format!("a value above 0, up to {max} {currency}"))
            }
            Reason::PriceBand { asked, low, high } => {
                of(asked.to_string(), format!("{low} to {high}"), format!("a price from {low} to {high}"))
            }
            Reason::DayNotional { asked, counted, max, currency, retry_after_ms } => of(
                format!("{asked} {currency}, with {counted} signed in 24 hours"),
                format!("{max} {currency} in 24 hours"),
                format!(
                    "a value up to {} {currency}; more in {}",
                    max.checked_sub(*counted).unwrap_or_default(),
                    in_words(*retry_after_ms)
                ),
            ),
            Reason::Threshold { of: whose, asked, counted, max, currency, retry_after_ms } => of(
                format!("{asked} {currency}, with {counted} signed in 24 hours by {whose}"),
                format!("{max} {currency} in 24 hours"),
                format!(
                    "a value up to {} {currency}; more in {}",
                    max.checked_sub(*counted).unwrap_or_default(),
                    in_words(*retry_after_ms)
                ),
            ),
            Reason::ReduceOnly => of(
                "marked reduce-only".into(),
                "a sale of a base quantity".into(),
                "a sale of a base quantity, or the same without the mark".into(),
            ),
            Reason::Confirm { asked, above, currency } => of(
                format!("{asked} {currency}"),
                format!("{above} {currency}"),
                format!("the same, confirmed with a code; a value up to {above} {currency} without"),
            ),
            Reason::HeadDue { since } => of(
                format!("{since} since the log's head was signed"),
                format!("fewer than {NUMBERED_PER_HEAD_MAX}"),
                "the same, once the log's head is signed".into(),
            ),
            Reason::Managed { organisation, limit, asked, passes } => {
                of(format!("{limit}: {asked}"), format!("the limit of {organisation}"), passes.clone())
            }
            Reason::PolicyRange { part, value, passes } => of(format!("{part}: {value}"), passes.clone(), format!("{part}: {passes}")),
            Reason::NameTaken { id } => {
                of(format!("the name {id}"), "a name that no order has".into(), "the same under another name".into())
            }
            Reason::TooMany { live, max } => {
                of(format!("{live} live, and this one"), format!("{max} live"), "the same, once one of them is over".into())
            }
            Reason::Amend { id, asked, is, between } => of(
                format!("{asked} for {id}: {is}"),
                "above what is filled, and below what it is for".into(),
                between.map_or_else(
                    || "no quantity; a cancel where it rests".to_owned(),
                    |(filled, has)| format!("a quantity above {filled} and below {has}"),
                ),
            ),
            Reason::Restricted { symbol } => of(format!("a purchase of {symbol}"), "sales only".into(), format!("a sale of {symbol}")),
            Reason::PriceCollar { asked, worst, mark, collar_bps } => {
                of(asked.to_string(), format!("{collar_bps} basis points from {mark}"), format!("a price of {worst} or better"))
            }
            Reason::PriceDrift { asked: None, worst, best, drift_bps } => of(
                priced(&None),
                format!("{drift_bps} basis points from {best}, the best mark of {DRIFT_MINUTES} minutes"),
                format!("a smaller order, or one with a price of {worst} or better"),
            ),
            Reason::PriceDrift { asked, worst, best, drift_bps } => of(
                priced(asked),
                format!("{drift_bps} basis points from {best}, the best mark of {DRIFT_MINUTES} minutes"),
                format!("a price of {worst} or better"),
            ),
            Reason::Mark { symbol } => {
                of(format!("no current price of {symbol}"), "a current price".into(), "the same, once prices arrive again".into())
            }
            Reason::ValueAtMark { asked, max, currency, mark, room } => {
                of(format!("{asked} {currency} at the mark {mark}"), format!("{max} {currency}"), format!("a quantity up to {room}"))
            }
            Reason::Slippage { average, worst, mark, slippage_bps } => of(
                average.map_or_else(|| "beyond the book that is known".to_owned(), |average| format!("{average} on average")),
                format!("{slippage_bps} basis points from {mark}"),
                format!("a smaller order, or one with a price of {worst} or better"),
            ),
            Reason::OpenOrders { open, max: 0 } => {
                of(format!("{open} open, and this one"), "none".into(), "no new order, until the limit is raised".into())
            }
            Reason::OpenOrders { open, max } => of(
                format!("{open} open, and this one"),
                max.to_string(),
                format!("the same, once {} of them are over", u64::from(*open) + 1 - u64::from(*max)),
            ),
            Reason::ReduceHeld { symbol, asked, left } => {
                of(asked.to_string(), left.to_string(), format!("a sale of up to {left} of {symbol}"))
            }
            Reason::Position { after, room, max, .. } => of(after.to_string(), max.to_string(), format!("up to {room} more of it")),
            Reason::Exposure { of: at, after, room, max, currency } => of(
                format!("{after} {currency}{}", at.as_ref().map_or_else(String::new, |at| format!(" at {at}"))),
                format!("{max} {currency}"),
                format!("a purchase worth up to {room} {currency}"),
            ),
            Reason::ExposureUnknown { symbol } => of(
                format!("what is held of {symbol} is not known"),
                "what is held is known".into(),
                "the same, once the venue has told".into(),
            ),
            Reason::OpenUnknown => of(
                "what is open at the venue is not known".into(),
                "what is open is known".into(),
                "the same, once the venue has told; a cancel".into(),
            ),
            Reason::Duplicate { earlier, retry_after_ms } => of(
                format!("the same as {earlier}"),
                "no repetition for a while".into(),
                format!("the same in {retry_after_ms} ms; another price or size now"),
            ),
            Reason::CancelRatio { percent, max, retry_after_ms } => {
                of(format!("{percent} for a hundred orders"), max.to_string(), format!("the same in {}", in_words(*retry_after_ms)))
            }
            Reason::SelfTrade { side, own, rests } => of(
                format!("it could meet {own}"),
                "never an own order".into(),
                format!("a price {} {rests}; any, once {own} is cancelled", short_of(*side)),
            ),
            Reason::DayLoss { loss, max, currency, stops } => of(
                format!("{loss} {currency}"),
                format!("{max} {currency}"),
                format!("the same tomorrow (UTC), or under a higher limit{}", rearmed(*stops)),
            ),
            Reason::Drawdown { drawdown, max, currency, stops } => of(
                format!("{drawdown} {currency}"),
                format!("{max} {currency}"),
                format!("the same tomorrow (UTC), or under a higher limit{}", rearmed(*stops)),
            ),
            Reason::RepeatedExecution { symbol, side, max, eases_in_ms } => of(
                format!("more than {max} to {} {symbol} filled within a minute", side.word()),
                format!("{max} a minute"),
                eases_in_ms
                    .map_or_else(|| "the same, once a person with the risk role re-arms".to_owned(), |ms| format!("the same in {ms} ms")),
            ),
        }
    }
}
