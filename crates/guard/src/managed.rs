//! Limits of an organisation over those of a vault's owner.
//!
//! Invariant: what passes under both together passes under each of them, and a policy that is not refused is inside of the
//! organisation's limits in every part.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strongroom_model::{Asset, Notional, Price, Quantity, Symbol, is_plain};
use thiserror::Error;

use crate::bounds::PolicyError;
use crate::desk_rules::{DeskRule, DeskRules, RuleMode};
use crate::lines::lines;
use crate::policy::{CURRENCY_INITIAL, InstrumentPolicy, KdfFloor, Policy};

/// Largest document.
pub const MANAGED_LEN_MAX: usize = 16 * 1_024;
/// Longest name of an organisation in bytes.
const ORGANISATION_LEN_MAX: usize = 64;

/// What an organisation lays down. Documents of one organisation are numbered, and a higher number takes a lower one's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Managed {
    /// Only grows.
    pub serial: u64,
    /// Its name, for people.
    pub organisation: String,
    /// No limits any more: the vault's owner is let go.
    #[serde(default)]
    pub released: bool,
    /// What is not named is the owner's affair.
    #[serde(default)]
    pub limits: ManagedLimits,
}

/// Limits, each of which can be there or not; what each means stands at [`Policy`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManagedLimits {
    /// In what its values are, and all of the owner's; where it has values and does not say, USDT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Asset>,
    /// Of one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_notional_max: Option<Notional>,
    /// Of 24 hours; comes with a whole list of instruments and bands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_notional_max: Option<Notional>,
    /// Above it an order needs a code of its own; comes with a whole list of instruments and bands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_above: Option<Notional>,
    /// New orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_minute: Option<u32>,
    /// Distance from the mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_collar_bps: Option<u32>,
    /// Of a session without use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_idle_ms: Option<u64>,
    /// Of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_age_max_ms: Option<u64>,
    /// How hard passwords are to try, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kdf_floor: Option<KdfFloor>,
    /// Limits of single instruments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instruments: Vec<ManagedInstrument>,
    /// Whether nothing but those instruments may be traded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only_listed: bool,
    /// Rules of the desk.
    #[serde(skip_serializing_if = "ManagedDesk::is_empty")]
    pub desk: ManagedDesk,
}

/// Limits of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedInstrument {
    /// Which.
    pub symbol: Symbol,
    /// Of one order; comes with a band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity_max: Option<Quantity>,
    /// Lowest price; comes with a highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_low: Option<Price>,
    /// Highest price; comes with a lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_high: Option<Price>,
    /// Of what is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_max: Option<Quantity>,
    /// The most that a unit of its quote asset is ever worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_worth: Option<Price>,
}

/// Rules of the desk. A rule that is limited here refuses, unless `modes` says that it may do less.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManagedDesk {
    /// The least that a rule does.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub modes: BTreeMap<DeskRule, RuleMode>,
    /// Not to be bought.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restricted: Vec<Symbol>,
    /// See [`DeskRules::drift_bps`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_bps: Option<u32>,
    /// See [`DeskRules::slippage_bps`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slippage_bps: Option<u32>,
    /// See [`DeskRules::open_orders_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_orders_max: Option<u32>,
    /// See [`DeskRules::exposure_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_max: Option<Notional>,
    /// See [`DeskRules::day_loss_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_loss_max: Option<Notional>,
    /// See [`DeskRules::drawdown_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawdown_max: Option<Notional>,
    /// See [`DeskRules::duplicate_ms`]: at least so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_ms: Option<u64>,
    /// See [`DeskRules::fills_per_minute`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fills_per_minute: Option<u32>,
    /// See [`DeskRules::cancels_percent`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancels_percent: Option<u32>,
    /// Whether no order may meet an own one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_self_trade: bool,
}

/// Limits of an organisation that hold in a vault, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ManagedNote {
    /// Whose.
    pub organisation: String,
    /// Number of the document.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub serial: u64,
    /// Where the document is from, in words.
    pub source: String,
    /// Each limit with its name, as in a file of limits.
    pub limits: Vec<(String, String)>,
}

/// Why a document is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManagedError {
    /// Too large.
    #[error("it is larger than {MANAGED_LEN_MAX} bytes")]
    TooLarge,
    /// Not of this form.
    #[error("{0}")]
    Form(String),
    /// No name that can be shown.
    #[error("an organisation has a name of 1 to {ORGANISATION_LEN_MAX} bytes without control characters")]
    Organisation,
    /// It lets go and holds at once.
    #[error("what is released has no limits")]
    Released,
    /// Orders without a price are counted at a band's edges.
    #[error("{0} needs {1}: an order without a price is counted at the edges of a band")]
    Band(String, &'static str),
    /// Values are in one currency.
    #[error("{0} needs quote_worth: the most {1} that a unit of its quote asset is ever worth")]
    Worth(String, String),
    /// A limit that no policy could have.
    #[error(transparent)]
    Limit(#[from] PolicyError),
}

/// A limit of an organisation that a policy is beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// Its name, as in a file of limits.
    pub limit: String,
    /// What was asked for.
    pub asked: String,
    /// What would pass.
    pub passes: String,
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is beyond it, {} would pass", self.limit, self.asked, self.passes)
    }
}

impl Managed {
    /// From a document, if every part of it is understood and makes sense.
    pub fn parse(document: &[u8]) -> Result<Self, ManagedError> {
        let managed = Self::parse_kept(document)?;
        managed.limits.says_worths()?;
        Ok(managed)
    }

    /// From a document that was good when it was taken: one of before says no worths, and counts as it did.
    pub fn parse_kept(document: &[u8]) -> Result<Self, ManagedError> {
        if document.len() > MANAGED_LEN_MAX {
            return Err(ManagedError::TooLarge);
        }
        let managed: Self = serde_json::from_slice(document).map_err(|error| ManagedError::Form(error.to_string()))?;
        let name = &managed.organisation;
        if !(1..=ORGANISATION_LEN_MAX).contains(&name.len()) || !name.chars().all(is_plain) {
            return Err(ManagedError::Organisation);
        }
        if managed.released && managed.limits != ManagedLimits::default() {
            return Err(ManagedError::Released);
        }
        managed.limits.validate()?;
        Ok(managed)
    }

    /// The tighter of both in every part.
    #[must_use]
    pub fn tightens(&self, own: &Policy) -> Policy {
        let limits = &self.limits;
        let mut tight = own.clone();
        limits.currency().unwrap_or(&own.currency).clone_into(&mut tight.currency);
        lower(&mut tight.order_notional_max, limits.order_notional_max);
        lower(&mut tight.day_notional_max, limits.day_notional_max);
        lower(&mut tight.orders_per_minute, limits.orders_per_minute);
        lower(&mut tight.price_collar_bps, limits.price_collar_bps);
        lower(&mut tight.session_idle_ms, limits.session_idle_ms);
        lower(&mut tight.session_age_max_ms, limits.session_age_max_ms);
        tight.confirm_above = least(own.confirm_above, limits.confirm_above);
        tight.kdf_floor = match (own.kdf_floor, limits.kdf_floor) {
            (Some(own), Some(floor)) => {
                Some(KdfFloor { memory_mib: own.memory_mib.max(floor.memory_mib), passes: own.passes.max(floor.passes) })
            }
            (own, floor) => own.or(floor),
        };
        let both = own.instruments.iter().map(|listed| limits.instrument(listed));
        let (listed, unlisted): (Vec<_>, Vec<_>) = both.partition(|(_, is_listed)| *is_listed);
        let policies = |of: Vec<(InstrumentPolicy, bool)>| of.into_iter().map(|(policy, _)| policy).collect();
        (tight.instruments, tight.unlisted) = (policies(listed), policies(unlisted));
        // What the organisation lets be traded is in the sum that it bounds, and its asset is bounded, though the owner took it off.
        let is_summed = |known: &&ManagedInstrument| limits.desk.exposure_max.is_some() || known.position_max.is_some();
        tight.unlisted.extend(limits.instruments.iter().filter(is_summed).filter_map(|known| known.counted_without(own)));
        tight.desk = limits.desk_rules(&own.desk);
        tight
    }

    /// The first limit that a policy is beyond, if it is beyond any.
    pub fn refuses(&self, asked: &Policy) -> Option<Beyond> {
        let tight = self.tightens(asked).as_set();
        if let Some(out) = asked.instruments.iter().find(|listed| tight.instrument(&listed.symbol).is_none()) {
            let limit = format!("instruments.{}", out.symbol);
            return Some(match self.limits.instruments.iter().find(|known| known.symbol == out.symbol) {
                Some(ManagedInstrument { price_low: Some(low), price_high: Some(high), .. }) => {
                    let asked = format!("from {} to {}", out.price_low, out.price_high);
                    Beyond { limit, asked, passes: format!("from {low} to {high}") }
                }
                _ => {
                    let known: Vec<&str> = self.limits.instruments.iter().map(|known| known.symbol.as_str()).collect();
                    let passes = if known.is_empty() { "no instrument".to_owned() } else { format!("only {}", known.join(", ")) };
                    Beyond { limit, asked: "trading it".to_owned(), passes }
                }
            });
        }
        let (asked, tight) = (lines(asked), lines(&tight));
        let within = |lines: &BTreeMap<String, String>, name: &str| {
            let part = |(path, said): (&String, &String)| {
                let rest = path.strip_prefix(name)?;
                (rest.is_empty() || rest.starts_with('.')).then(|| said.clone())
            };
            let said: Vec<String> = lines.iter().filter_map(part).collect();
            if said.is_empty() { "none".to_owned() } else { said.join(" and ") }
        };
        let limit = tight.iter().find(|(name, said)| asked.get(*name) != Some(said)).map(|(name, _)| name.clone())?;
        // A pair of numbers against nothing is told as a whole.
        let limit = limit.rsplit_once('.').map(|(whole, _)| whole).filter(|whole| asked.contains_key(*whole)).unwrap_or(&limit).to_owned();
        Some(Beyond { asked: within(&asked, &limit), passes: within(&tight, &limit), limit })
    }

    /// Its limits, each with its name.
    pub fn lines(&self) -> BTreeMap<String, String> {
        lines(&self.limits)
    }
}

impl ManagedLimits {
    /// In what its values are, if it has any.
    fn currency(&self) -> Option<&str> {
        let desk = [self.desk.exposure_max, self.desk.day_loss_max, self.desk.drawdown_max];
        let values = [self.order_notional_max, self.day_notional_max, self.confirm_above];
        let has_values = values.iter().chain(&desk).any(Option::is_some);
        self.currency.as_deref().or_else(|| has_values.then_some(CURRENCY_INITIAL))
    }

    /// What a unit of the quote asset counts under both limits: the more of both. What a document with values does not say is one of its
    /// currency.
    fn quote_worth(&self, own: &InstrumentPolicy, known: Option<&ManagedInstrument>) -> Option<Price> {
        let said = known.and_then(|known| known.quote_worth).or_else(|| self.currency().and_then(|_| Price::new(Decimal::ONE)));
        said.filter(|said| said.value() > own.unit()).or(own.quote_worth)
    }

    /// Where it has values, each instrument says what its quote asset is worth, or ends in the currency.
    fn says_worths(&self) -> Result<(), ManagedError> {
        let Some(currency) = self.currency() else { return Ok(()) };
        let unsaid = |known: &&ManagedInstrument| known.quote_worth.is_none() && !known.symbol.as_str().ends_with(currency);
        match self.instruments.iter().find(unsaid) {
            Some(known) => Err(ManagedError::Worth(known.symbol.to_string(), currency.to_owned())),
            None => Ok(()),
        }
    }

    fn validate(&self) -> Result<(), ManagedError> {
        for known in &self.instruments {
            let is_banded = known.price_low.is_some() && known.price_high.is_some();
            let is_half = known.price_low.is_some() != known.price_high.is_some();
            if is_half || (known.quantity_max.is_some() && !is_banded) {
                return Err(ManagedError::Band(known.symbol.to_string(), "price_low and price_high"));
            }
        }
        let is_whole = self.only_listed && self.instruments.iter().all(|known| known.price_low.is_some());
        for (name, is_set) in [("day_notional_max", self.day_notional_max.is_some()), ("confirm_above", self.confirm_above.is_some())] {
            if is_set && !is_whole {
                return Err(ManagedError::Band(name.to_owned(), "only_listed, and a band for each instrument"));
            }
        }
        // What a policy may not have, a limit of one may not be.
        let mut policy = Policy::initial();
        let loosest = policy.instruments.pop();
        policy.instruments = self.instruments.iter().filter_map(|known| Some(known.as_policy(loosest.as_ref()?))).collect();
        self.currency().unwrap_or(CURRENCY_INITIAL).clone_into(&mut policy.currency);
        policy = policy.with_worths();
        set(&mut policy.order_notional_max, self.order_notional_max);
        set(&mut policy.day_notional_max, self.day_notional_max);
        set(&mut policy.orders_per_minute, self.orders_per_minute);
        set(&mut policy.price_collar_bps, self.price_collar_bps);
        set(&mut policy.session_idle_ms, self.session_idle_ms);
        set(&mut policy.session_age_max_ms, self.session_age_max_ms);
        policy.kdf_floor = self.kdf_floor;
        policy.desk = DeskRules {
            restricted: self.desk.restricted.clone(),
            drift_bps: self.desk.drift_bps,
            slippage_bps: self.desk.slippage_bps,
            open_orders_max: self.desk.open_orders_max,
            duplicate_ms: self.desk.duplicate_ms,
            cancels_percent: self.desk.cancels_percent,
            ..DeskRules::default()
        };
        Ok(policy.validate()?)
    }

    /// One instrument under both limits, and whether it can be traded.
    fn instrument(&self, own: &InstrumentPolicy) -> (InstrumentPolicy, bool) {
        let known = self.instruments.iter().find(|known| known.symbol == own.symbol);
        let mut tight = InstrumentPolicy { quote_worth: self.quote_worth(own, known), ..own.clone() };
        let Some(known) = known else { return (tight, !self.only_listed) };
        lower(&mut tight.quantity_max, known.quantity_max);
        tight.position_max = least(own.position_max, known.position_max);
        if let (Some(low), Some(high)) = (known.price_low, known.price_high) {
            (tight.price_low, tight.price_high) = (own.price_low.max(low), own.price_high.min(high));
            // Counted at the edges of both, so that neither band makes orders without a price cheap under the other's limits.
            tight.counted = Some((own.price_low.min(low), own.price_high.max(high)));
        }
        let is_listed = tight.price_low < tight.price_high;
        (tight, is_listed)
    }

    fn desk_rules(&self, own: &DeskRules) -> DeskRules {
        let desk = &self.desk;
        let mut tight = own.clone();
        tight.drift_bps = least(own.drift_bps, desk.drift_bps);
        tight.slippage_bps = least(own.slippage_bps, desk.slippage_bps);
        tight.open_orders_max = least(own.open_orders_max, desk.open_orders_max);
        tight.exposure_max = least(own.exposure_max, desk.exposure_max);
        tight.day_loss_max = least(own.day_loss_max, desk.day_loss_max);
        tight.drawdown_max = least(own.drawdown_max, desk.drawdown_max);
        tight.fills_per_minute = least(own.fills_per_minute, desk.fills_per_minute);
        tight.cancels_percent = least(own.cancels_percent, desk.cancels_percent);
        tight.duplicate_ms = own.duplicate_ms.max(desk.duplicate_ms);
        tight.self_trade = own.self_trade && !desk.no_self_trade;
        tight.restricted.extend(desk.restricted.iter().filter(|symbol| !own.restricted.contains(symbol)).cloned());
        for (rule, least) in self.modes() {
            if own.mode(rule) < least {
                tight.modes.insert(rule, least);
            }
            if least == RuleMode::Refuse {
                tight.fixed.push(rule);
            }
        }
        tight
    }

    /// What each rule does at the least.
    fn modes(&self) -> BTreeMap<DeskRule, RuleMode> {
        let desk = &self.desk;
        let limited = [
            (DeskRule::PriceCollar, self.price_collar_bps.is_some()),
            (DeskRule::Position, self.instruments.iter().any(|known| known.position_max.is_some())),
            (DeskRule::Restricted, !desk.restricted.is_empty()),
            (DeskRule::PriceDrift, desk.drift_bps.is_some()),
            (DeskRule::Slippage, desk.slippage_bps.is_some()),
            (DeskRule::OpenOrders, desk.open_orders_max.is_some()),
            (DeskRule::Exposure, desk.exposure_max.is_some()),
            (DeskRule::DayLoss, desk.day_loss_max.is_some()),
            (DeskRule::Drawdown, desk.drawdown_max.is_some()),
            (DeskRule::Duplicate, desk.duplicate_ms.is_some()),
            (DeskRule::CancelRatio, desk.cancels_percent.is_some()),
            (DeskRule::SelfTrade, desk.no_self_trade),
            (DeskRule::RepeatedExecution, desk.fills_per_minute.is_some()),
        ];
        let mut modes: BTreeMap<_, _> =
            limited.into_iter().filter(|(_, is_set)| *is_set).map(|(rule, _)| (rule, RuleMode::Refuse)).collect();
        modes.extend(&desk.modes);
        modes
    }
}

impl ManagedInstrument {
    /// For the sum alone, where the owner does not list it and there is a price to count it at.
    fn counted_without(&self, own: &Policy) -> Option<InstrumentPolicy> {
        let band = self.price_low.zip(self.price_high);
        // A maximum of its asset needs no price.
        let (price_low, price_high) = band.or_else(|| self.position_max.map(|_| (Price::ZERO, Price::ZERO)))?;
        own.instrument(&self.symbol).is_none().then(|| InstrumentPolicy {
            symbol: self.symbol.clone(),
            quantity_max: self.quantity_max.unwrap_or_default(),
            price_low,
            price_high,
            position_max: self.position_max,
            quote_worth: self.quote_worth,
            counted: None,
        })
    }

    fn as_policy(&self, loosest: &InstrumentPolicy) -> InstrumentPolicy {
        let InstrumentPolicy { quantity_max, price_low, price_high, .. } = *loosest;
        let (symbol, position_max, quote_worth) = (self.symbol.clone(), self.position_max, self.quote_worth);
        let mut policy = InstrumentPolicy { symbol, quantity_max, price_low, price_high, position_max, quote_worth, counted: None };
        set(&mut policy.quantity_max, self.quantity_max);
        set(&mut policy.price_low, self.price_low);
        set(&mut policy.price_high, self.price_high);
        policy
    }
}

impl ManagedDesk {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn lower<T: Ord + Copy>(value: &mut T, most: Option<T>) {
    *value = most.map_or(*value, |most| most.min(*value));
}

fn set<T: Copy>(value: &mut T, to: Option<T>) {
    *value = to.unwrap_or(*value);
}

/// The lower of two mosts, where nothing means no bound.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    [one, other].into_iter().flatten().min()
}
