//! What the desk's rules are set to. Invariant: what is not set does not bind, and loosening any of it is recognised as loosening.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use strongroom_model::{ACCOUNT_LEN_MAX, Notional, Symbol, Venue, is_plain};

use crate::bounds::{PolicyError, at_most_if_any, check, distinct, within};
use crate::policy::is_looser;

/// Most restricted instruments.
const RESTRICTED_MAX: usize = 200;
/// Most open orders that can be allowed.
const OPEN_ORDERS_MAX: u32 = 2_000;
/// Most venues and accounts with a limit of their own.
const EXPOSURES_MAX: usize = 32;
/// Longest time in which an order is a repetition: an hour.
const DUPLICATE_MS_MAX: u64 = 3_600_000;

/// A rule that the desk enforces and that its owner can soften.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum DeskRule {
    /// See [`DeskRules::restricted`].
    Restricted,
    /// See [`crate::Policy::price_collar_bps`].
    PriceCollar,
    /// See [`DeskRules::drift_bps`].
    PriceDrift,
    /// See [`DeskRules::slippage_bps`].
    Slippage,
    /// See [`DeskRules::open_orders_max`].
    OpenOrders,
    /// See [`crate::InstrumentPolicy::position_max`].
    Position,
    /// See [`DeskRules::exposure_max`].
    Exposure,
    /// See [`DeskRules::day_loss_max`].
    DayLoss,
    /// See [`DeskRules::drawdown_max`].
    Drawdown,
    /// See [`DeskRules::duplicate_ms`].
    Duplicate,
    /// See [`DeskRules::cancels_percent`].
    CancelRatio,
    /// See [`DeskRules::self_trade`].
    SelfTrade,
    /// See [`DeskRules::fills_per_minute`].
    RepeatedExecution,
}

impl DeskRule {
    /// All.
    pub const ALL: [Self; 13] = [
        Self::Restricted,
        Self::PriceCollar,
        Self::PriceDrift,
        Self::Slippage,
        Self::OpenOrders,
        Self::Position,
        Self::Exposure,
        Self::DayLoss,
        Self::Drawdown,
        Self::Duplicate,
        Self::CancelRatio,
        Self::SelfTrade,
        Self::RepeatedExecution,
    ];

    /// Its name in reasons, log entries and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::PriceCollar => "price-collar",
            Self::PriceDrift => "price-drift",
            Self::Slippage => "slippage",
            Self::OpenOrders => "open-orders",
            Self::Position => "position",
            Self::Exposure => "exposure",
            Self::DayLoss => "day-loss",
            Self::Drawdown => "drawdown",
            Self::Duplicate => "duplicate",
            Self::CancelRatio => "cancel-ratio",
            Self::SelfTrade => "self-trade",
            Self::RepeatedExecution => "repeated-execution",
        }
    }
}

/// What a rule does with an order that does not meet it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum RuleMode {
    /// Notes it in the log, and lets it pass.
    Shadow,
    /// Lets it pass for whoever gives a reason.
    Ask,
    /// Refuses it.
    #[default]
    Refuse,
}

/// Where something is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum ExposureScope {
    /// At a venue.
    Venue(Venue),
    /// At an account, as it is noted of the keys.
    Account(String),
}

impl fmt::Display for ExposureScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Venue(venue) => write!(f, "venue {venue}"),
            Self::Account(account) => write!(f, "account {account}"),
        }
    }
}

/// How much may be held somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ExposureLimit {
    /// Where.
    pub of: ExposureScope,
    /// As [`DeskRules::exposure_max`].
    pub max: Notional,
}

/// Rules that the desk enforces: only it knows markets and what is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DeskRules {
    /// Rules that do something else than refuse.
    pub modes: BTreeMap<DeskRule, RuleMode>,
    /// Instruments that are on the list, and not to be bought for now.
    pub restricted: Vec<Symbol>,
    /// How much worse than the best mark of the last ten minutes a price may be; nothing: any.
    pub drift_bps: Option<u32>,
    /// How much worse than the mark a market order may fill, by the book as it is; nothing: any.
    pub slippage_bps: Option<u32>,
    /// Most orders that are not over.
    pub open_orders_max: Option<u32>,
    /// Most that is held of all instruments together, with what open orders would buy, at marks.
    pub exposure_max: Option<Notional>,
    /// The same of one venue or one account.
    pub exposure_of: Vec<ExposureLimit>,
    /// Most that a day's trades (UTC) may have lost, at marks; beyond it, the kill switch engages.
    pub day_loss_max: Option<Notional>,
    /// Most that the day's result may have fallen from its highest; beyond it, the kill switch engages.
    pub drawdown_max: Option<Notional>,
    /// The same order again within so many milliseconds is a repetition; nothing: never.
    pub duplicate_ms: Option<u64>,
    /// Most orders of one instrument and side that fill within a minute; one more, and whoever places them is stopped.
    pub fills_per_minute: Option<u32>,
    /// Most cancels for a hundred orders within an hour, once there were 50 orders.
    pub cancels_percent: Option<u32>,
    /// Whether an order may meet an own one that rests.
    pub self_trade: bool,
    /// Rules that an organisation has refuse: risk lets no order pass them. Never stored, and no person's to set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(skip))]
    pub fixed: Vec<DeskRule>,
}

impl Default for DeskRules {
    /// What protects everybody and hinders nobody: no order into the own one, no runaway market order, no double click.
    fn default() -> Self {
        Self {
            modes: BTreeMap::new(),
            restricted: Vec::new(),
            drift_bps: None,
            slippage_bps: Some(500),
            open_orders_max: Some(500),
            exposure_max: None,
            exposure_of: Vec::new(),
            day_loss_max: None,
            drawdown_max: None,
            duplicate_ms: None,
            fills_per_minute: None,
            cancels_percent: None,
            self_trade: false,
            fixed: Vec::new(),
        }
    }
}

impl DeskRules {
    /// What that rule does.
    pub fn mode(&self, rule: DeskRule) -> RuleMode {
        self.modes.get(&rule).copied().unwrap_or_default()
    }

    /// Whether its numbers make sense.
    pub(crate) fn validate(&self) -> Result<(), PolicyError> {
        check(self.fixed.is_empty(), "desk: fixed", "set", "leaving it out: it is an organisation's to set")?;
        distinct("desk: restricted", self.restricted.iter().map(Symbol::to_string), RESTRICTED_MAX)?;
        distinct("desk: exposure_of", self.exposure_of.iter().map(|limit| limit.of.to_string()), EXPOSURES_MAX)?;
        for limit in &self.exposure_of {
            if let ExposureScope::Account(account) = &limit.of {
                let fits = (1..=ACCOUNT_LEN_MAX).contains(&account.len()) && account.chars().all(is_plain);
                let passes = format!("a name of 1 to {ACCOUNT_LEN_MAX} bytes without control characters");
                check(fits, "desk: exposure_of: account", format_args!("{account:?}"), passes)?;
            }
        }
        at_most_if_any("desk: drift_bps", self.drift_bps, 10_000)?;
        at_most_if_any("desk: slippage_bps", self.slippage_bps, 10_000)?;
        at_most_if_any("desk: open_orders_max", self.open_orders_max, OPEN_ORDERS_MAX)?;
        at_most_if_any("desk: duplicate_ms", self.duplicate_ms, DUPLICATE_MS_MAX)?;
        self.cancels_percent.map_or(Ok(()), |percent| within("desk: cancels_percent", percent, &(1..=10_000)))
    }

    /// Whether `next` lets anything pass that these do not.
    pub(crate) fn is_loosened_by(&self, next: &Self) -> bool {
        let rules = self.modes.keys().chain(next.modes.keys());
        rules.into_iter().any(|rule| next.mode(*rule) < self.mode(*rule))
            || self.restricted.iter().any(|symbol| !next.restricted.contains(symbol))
            || is_looser(self.drift_bps, next.drift_bps)
            || is_looser(self.slippage_bps, next.slippage_bps)
            || is_looser(self.open_orders_max, next.open_orders_max)
            || is_looser(self.exposure_max, next.exposure_max)
            || self.exposure_of.iter().any(|before| {
                let after = next.exposure_of.iter().find(|after| after.of == before.of);
                is_looser(Some(before.max), after.map(|after| after.max))
            })
            || is_looser(self.day_loss_max, next.day_loss_max)
            || is_looser(self.drawdown_max, next.drawdown_max)
            // A shorter time lets more pass.
            || next.duplicate_ms.unwrap_or(0) < self.duplicate_ms.unwrap_or(0)
            || is_looser(self.fills_per_minute, next.fills_per_minute)
            || is_looser(self.cancels_percent, next.cancels_percent)
            || (next.self_trade && !self.self_trade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_loosen_is_seen() {
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let most = |text| Notional::parse(text).ok();
        let rules = DeskRules {
            modes: BTreeMap::from([(DeskRule::Slippage, RuleMode::Ask)]),
            restricted: vec![symbol],
            drift_bps: Some(200),
            slippage_bps: Some(100),
            open_orders_max: Some(10),
            exposure_max: most("100"),
            exposure_of: vec![ExposureLimit { of: ExposureScope::Account("a".to_owned()), max: Notional::parse("100").unwrap() }],
            day_loss_max: most("100"),
            drawdown_max: most("100"),
            duplicate_ms: Some(1_000),
            fills_per_minute: Some(5),
            cancels_percent: Some(90),
            self_trade: false,
            fixed: Vec::new(),
        };
        assert!(rules.validate().is_ok() && !rules.is_loosened_by(&rules));
        let looser: [fn(&mut DeskRules); 17] = [
            |rules| rules.modes = BTreeMap::from([(DeskRule::Slippage, RuleMode::Shadow)]),
            |rules| rules.modes.extend([(DeskRule::Position, RuleMode::Ask)]),
            |rules| rules.restricted.clear(),
            |rules| rules.drift_bps = Some(201),
            |rules| rules.drift_bps = None,
            |rules| rules.slippage_bps = Some(101),
            |rules| rules.slippage_bps = None,
            |rules| rules.open_orders_max = Some(11),
            |rules| rules.exposure_max = None,
            |rules| rules.exposure_of.clear(),
            |rules| rules.exposure_of[0].max = Notional::parse("100.01").unwrap(),
            |rules| rules.day_loss_max = Notional::parse("101").ok(),
            |rules| rules.drawdown_max = None,
            |rules| rules.duplicate_ms = Some(999),
            |rules| rules.fills_per_minute = None,
            |rules| rules.cancels_percent = Some(91),
            |rules| rules.self_trade = true,
        ];
        for (at, change) in looser.into_iter().enumerate() {
            let mut next = rules.clone();
            change(&mut next);
            assert!(rules.is_loosened_by(&next), "change {at}");
        }
        let tighter = DeskRules {
            modes: BTreeMap::new(),
            slippage_bps: Some(99),
            duplicate_ms: Some(2_000),
            exposure_max: most("99"),
            fills_per_minute: Some(4),
            ..rules.clone()
        };
        assert!(!rules.is_loosened_by(&tighter));
    }

    /// Rows: what no file of limits may say, and the words of the refusal.
    #[test]
    fn numbers_have_bounds() {
        let of = |account: &str| ExposureLimit { of: ExposureScope::Account(account.to_owned()), max: Notional::ZERO };
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let many = |len: usize| (0..len).map(|at| Symbol::parse(&format!("X{at}USDT")).unwrap()).collect::<Vec<_>>();
        let none = DeskRules::default;
        for (rules, words) in [
            (
                DeskRules { restricted: vec![symbol.clone(), symbol], ..none() },
                "desk: restricted is a list with BTCUSDT twice; each once would pass",
            ),
            (DeskRules { restricted: many(201), ..none() }, "desk: restricted is a list of 201; at most 200 would pass"),
            (DeskRules { drift_bps: Some(10_001), ..none() }, "desk: drift_bps is 10001; at most 10000 would pass"),
            (DeskRules { slippage_bps: Some(10_001), ..none() }, "desk: slippage_bps is 10001; at most 10000 would pass"),
            (DeskRules { open_orders_max: Some(2_001), ..none() }, "desk: open_orders_max is 2001; at most 2000 would pass"),
            (DeskRules { duplicate_ms: Some(3_600_001), ..none() }, "desk: duplicate_ms is 3600001; at most 3600000 would pass"),
            (DeskRules { cancels_percent: Some(0), ..none() }, "desk: cancels_percent is 0; 1 to 10000 would pass"),
            (DeskRules { cancels_percent: Some(10_001), ..none() }, "desk: cancels_percent is 10001; 1 to 10000 would pass"),
            (
                DeskRules { exposure_of: vec![of("a"), of("a")], ..none() },
                "desk: exposure_of is a list with account a twice; each once would pass",
            ),
            (
                DeskRules { exposure_of: vec![of("a\u{202e}b")], ..none() },
                "desk: exposure_of: account is \"a\\u{202e}b\"; a name of 1 to 64 bytes without control characters would pass",
            ),
        ] {
            assert_eq!(rules.validate().map_err(|error| error.to_string()), Err(words.to_owned()));
        }
        assert!(DeskRules { exposure_of: vec![of("")], ..none() }.validate().is_err());
        let most = DeskRules {
            restricted: many(200),
            drift_bps: Some(10_000),
            slippage_bps: Some(10_000),
            open_orders_max: Some(2_000),
            duplicate_ms: Some(3_600_000),
            cancels_percent: Some(10_000),
            ..none()
        };
        assert_eq!((most.validate(), none().validate()), (Ok(()), Ok(())));
    }
}
