//! The sealed limits. Invariant: a policy in use is a valid one, and raising any limit is recognised as raising.

mod instrument;

use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strongroom_model::{Asset, Notional, Price, Quantity, Symbol};

pub use self::instrument::InstrumentPolicy;
use crate::bounds::{PolicyError, at_most, check, distinct, within};
use crate::desk_rules::DeskRules;
use crate::thresholds::{Actor, THRESHOLDS_MAX, Threshold};

/// Most instruments on one list.
const INSTRUMENTS_MAX: usize = 200;
/// Most new orders per minute that can be allowed.
pub(crate) const ORDERS_PER_MINUTE_MAX: u32 = 6_000;
/// Most that a day, or one order, can be allowed to be worth: sums of many of them can still be held and written.
const WORTH_MAX: u64 = 1_000_000_000_000_000;
/// What a new vault signs in a day.
const DAY_NOTIONAL_INITIAL: u32 = 5_000_000;
/// In what a new vault's limits are, and those of an organisation that does not say.
pub(crate) const CURRENCY_INITIAL: &str = "USDT";
/// Letters and digits of a currency. Fewer would end too many names of instruments.
const CURRENCY_LEN: RangeInclusive<usize> = 3..=12;
/// Shortest times of a session: whoever can only lower limits must not lock a person out.
const SESSION_IDLE_MS_MIN: u64 = 60_000;
const SESSION_AGE_MS_MIN: u64 = 300_000;
/// Longest session without use: 12 hours.
const SESSION_IDLE_MS_MAX: u64 = 12 * 3_600_000;
/// Longest session: 24 hours.
const SESSION_AGE_MS_MAX: u64 = 24 * 3_600_000;

/// What may be signed. Stored in the vault as a record of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Policy {
    /// The instrument list: nothing else is signed.
    pub instruments: Vec<InstrumentPolicy>,
    /// What an organisation takes off the list: not traded, and still in every sum of what is held, so that others get no room by it. Never
    /// stored, and no person's to set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(skip))]
    pub unlisted: Vec<InstrumentPolicy>,
    /// In what all values here are: the quote asset of most instruments.
    #[serde(default = "currency_initial")]
    pub currency: Asset,
    /// Most value of one order.
    pub order_notional_max: Notional,
    /// Most that is signed in 24 hours, each order at the most that it can be worth inside its band. What is cancelled or never filled
    /// counts, too.
    #[serde(default = "day_notional_initial")]
    pub day_notional_max: Notional,
    /// An order worth more is signed only after its own code; nothing: none needs one.
    #[serde(default)]
    pub confirm_above: Option<Notional>,
    /// Most new orders per minute.
    pub orders_per_minute: u32,
    /// Distance from the mark in basis points; desk-enforced.
    pub price_collar_bps: u32,
    /// A session ends when unused for so long.
    pub session_idle_ms: u64,
    /// A session ends at this age.
    pub session_age_max_ms: u64,
    /// A password that is less hard to try is stretched anew when it is given next; nothing: as it is.
    #[serde(default)]
    pub kdf_floor: Option<KdfFloor>,
    /// What one person, or one bot, may sign in a day, beside what everybody together may.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Rules that need to know markets, or what is held.
    #[serde(default)]
    pub desk: DeskRules,
}

fn currency_initial() -> Asset {
    CURRENCY_INITIAL.to_owned()
}

fn day_notional_initial() -> Notional {
    Notional::new(DAY_NOTIONAL_INITIAL.into()).unwrap_or_default()
}

/// How hard every password is to try, at least (Argon2id).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KdfFloor {
    /// Memory in MiB, 64 to 4,096.
    pub memory_mib: u32,
    /// Passes over it, 3 to 32.
    pub passes: u32,
}

impl KdfFloor {
    const MEMORY_MIB: RangeInclusive<u32> = 64..=4_096;
    const PASSES: RangeInclusive<u32> = 3..=32;
}

impl Policy {
    /// The policy of a new vault: two instruments, small orders, wide absolute bands.
    #[expect(clippy::expect_used, reason = "constants that a test reads")]
    pub fn initial() -> Self {
        let instrument = |symbol: &str, quantity: &str, low: &str, high: &str| InstrumentPolicy {
            symbol: Symbol::parse(symbol).expect("constant"),
            quantity_max: Quantity::parse(quantity).expect("constant"),
            price_low: Price::parse(low).expect("constant"),
            price_high: Price::parse(high).expect("constant"),
            position_max: None,
            quote_worth: None,
            counted: None,
        };
        Self {
            instruments: vec![instrument("BTCUSDT", "1", "1000", "400000"), instrument("ETHUSDT", "20", "50", "20000")],
            unlisted: Vec::new(),
            currency: currency_initial(),
            order_notional_max: Notional::parse("25000").expect("constant"),
            day_notional_max: day_notional_initial(),
            confirm_above: None,
            orders_per_minute: 120,
            price_collar_bps: 500,
            session_idle_ms: 5 * 60_000,
            session_age_max_ms: 8 * 3_600_000,
            kdf_floor: None,
            thresholds: Vec::new(),
            desk: DeskRules::default(),
        }
    }

    /// Limits of one instrument, if it is on the list.
    pub fn instrument(&self, symbol: &Symbol) -> Option<&InstrumentPolicy> {
        self.instruments.iter().find(|instrument| instrument.symbol == *symbol)
    }

    /// All instruments of which what is held counts.
    pub fn summed(&self) -> impl Iterator<Item = &InstrumentPolicy> + Clone {
        self.instruments.iter().chain(&self.unlisted)
    }

    /// As a person can set it again: without what an organisation's limits brought with them.
    #[must_use]
    pub fn as_set(mut self) -> Self {
        self.unlisted.clear();
        self.desk.fixed.clear();
        self.instruments.iter_mut().for_each(|listed| listed.counted = None);
        self
    }

    /// Limits that were stored before quote assets had a worth: each counts as one of the currency, as it did then.
    #[must_use]
    pub fn with_worths(mut self) -> Self {
        let unsaid = self.instruments.iter_mut().filter(|listed| !listed.symbol.as_str().ends_with(self.currency.as_str()));
        unsaid.for_each(|listed| listed.quote_worth = listed.quote_worth.or(Price::new(Decimal::ONE)));
        self
    }

    /// The least that anybody's day is bounded by.
    pub fn smallest_day(&self) -> Notional {
        self.thresholds.iter().map(|threshold| threshold.day_notional_max).fold(self.day_notional_max, Ord::min)
    }

    /// What one person or bot may sign in a day, if there is a threshold of its own.
    fn threshold(&self, of: &Actor) -> Option<Notional> {
        self.thresholds.iter().find(|threshold| threshold.of == *of).map(|threshold| threshold.day_notional_max)
    }

    /// Whether it makes sense.
    pub fn validate(&self) -> Result<(), PolicyError> {
        distinct("instruments", self.instruments.iter().map(|instrument| instrument.symbol.to_string()), INSTRUMENTS_MAX)?;
        check(self.unlisted.is_empty(), "unlisted", "set", "leaving it out: it is an organisation's to set")?;
        let is_currency = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let fits = CURRENCY_LEN.contains(&self.currency.len()) && self.currency.chars().all(is_currency);
        let passes = format!("{} to {} capital letters or digits", CURRENCY_LEN.start(), CURRENCY_LEN.end());
        check(fits, "currency", format_args!("{:?}", self.currency), passes)?;
        self.instruments.iter().try_for_each(|listed| listed.validate(&self.currency))?;
        distinct("thresholds", self.thresholds.iter().map(|threshold| threshold.of.to_string()), THRESHOLDS_MAX)?;
        let most = Notional::new(WORTH_MAX.into()).unwrap_or_default();
        for threshold in &self.thresholds {
            at_most(&format!("{}: day_notional_max", threshold.of), threshold.day_notional_max, most)?;
        }
        at_most("day_notional_max", self.day_notional_max, most)?;
        at_most("orders_per_minute", self.orders_per_minute, ORDERS_PER_MINUTE_MAX)?;
        at_most("price_collar_bps", self.price_collar_bps, 10_000)?;
        within("session_idle_ms", self.session_idle_ms, &(SESSION_IDLE_MS_MIN..=SESSION_IDLE_MS_MAX))?;
        within("session_age_max_ms", self.session_age_max_ms, &(SESSION_AGE_MS_MIN..=SESSION_AGE_MS_MAX))?;
        if let Some(floor) = self.kdf_floor {
            within("kdf_floor: memory_mib", floor.memory_mib, &KdfFloor::MEMORY_MIB)?;
            within("kdf_floor: passes", floor.passes, &KdfFloor::PASSES)?;
        }
        self.desk.validate()
    }

    /// Whether `next` may allow anything that this policy does not, or keep somebody out: then a code is needed.
    pub fn is_raised_by(&self, next: &Self) -> bool {
        let raised_instrument = next.instruments.iter().any(|after| match self.instrument(&after.symbol) {
            None => true,
            Some(before) => {
                after.quantity_max > before.quantity_max
                    // Both ways: what has no price of its own is counted at the band's edges, so a tighter band lets more of it into a day.
                    || after.price_low != before.price_low
                    || after.price_high != before.price_high
                    || (after.counted_from(), after.counted_to()) != (before.counted_from(), before.counted_to())
                    || is_looser(before.position_max, after.position_max)
                    || after.unit() < before.unit()
            }
        });
        // What is held of an instrument that is not on the list is in no sum: where one is bounded, that makes room for others. Its own
        // maximum bounds its asset in every market. What was lost in it would count as if it were lost in the currency.
        let is_bounded = self.desk.exposure_max.is_some() || !self.desk.exposure_of.is_empty();
        let is_lost = self.desk.day_loss_max.is_some() || self.desk.drawdown_max.is_some();
        let is_summed =
            |before: &&InstrumentPolicy| is_bounded || before.position_max.is_some() || (is_lost && before.quote_worth.is_some());
        // One that counts at less, or with a higher maximum of its own, makes room as well.
        let is_gone = |before: &InstrumentPolicy| {
            !next.summed().any(|after| {
                after.symbol == before.symbol
                    && after.counted_to() >= before.counted_to()
                    && after.unit() >= before.unit()
                    && !is_looser(before.position_max, after.position_max)
            })
        };
        raised_instrument
            || self.summed().filter(is_summed).any(is_gone)
            || next.currency != self.currency
            || next.order_notional_max > self.order_notional_max
            || next.day_notional_max > self.day_notional_max
            || is_looser(self.confirm_above, next.confirm_above)
            || self.thresholds.iter().any(|before| is_looser(Some(before.day_notional_max), next.threshold(&before.of)))
            || self.desk.is_loosened_by(&next.desk)
            || next.orders_per_minute > self.orders_per_minute
            || next.price_collar_bps > self.price_collar_bps
            || next.session_idle_ms > self.session_idle_ms
            || next.session_age_max_ms > self.session_age_max_ms
            // Both ways: a harder derivation can take a machine longer than its owner has.
            || next.kdf_floor != self.kdf_floor
    }
}

/// Whether a most, where nothing means no bound, became more.
pub(crate) fn is_looser<T: PartialOrd>(before: Option<T>, after: Option<T>) -> bool {
    match (before, after) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_policy_is_valid_and_no_raise_of_itself() {
        let policy = Policy::initial();
        policy.validate().unwrap();
        assert!(!policy.is_raised_by(&policy));
    }

    fn paid(listed: &mut InstrumentPolicy, symbol: &str, worth: Option<&str>) {
        listed.symbol = Symbol::parse(symbol).unwrap();
        listed.quote_worth = worth.map(|worth| Price::parse(worth).unwrap());
    }

    /// Rows: what no file of limits may say, and the words of the refusal; the limit itself passes.
    #[test]
    fn numbers_have_bounds() {
        let threshold = |day: &str| Threshold { of: Actor::Person(2), day_notional_max: Notional::parse(day).unwrap() };
        let floor = |memory_mib, passes| Some(KdfFloor { memory_mib, passes });
        let (most, beyond) = ("1000000000000000", "1000000000000001");
        type Change = Box<dyn Fn(&mut Policy)>;
        let rows: Vec<(Change, Change, String)> = vec![
            (
                Box::new(|policy| policy.instruments[0].price_low = Price::parse("399999").unwrap()),
                Box::new(|policy| policy.instruments[0].price_low = Price::parse("400000").unwrap()),
                "BTCUSDT: price_low is 400000; less than price_high, 400000".to_owned(),
            ),
            (
                Box::new(|policy| policy.instruments[0].quantity_max = Quantity::parse("0.00000001").unwrap()),
                Box::new(|policy| policy.instruments[0].quantity_max = Quantity::ZERO),
                "BTCUSDT: quantity_max is 0; more than 0".to_owned(),
            ),
            (
                Box::new(|policy| policy.instruments[0].quantity_max = Quantity::parse("2500000000").unwrap()),
                Box::new(|policy| policy.instruments[0].quantity_max = Quantity::parse("2500000001").unwrap()),
                format!("BTCUSDT: price_high times quantity_max is 1000000000400000; at most {most}"),
            ),
            (
                Box::new(|policy| policy.currency = "SDT".to_owned()),
                Box::new(|policy| policy.currency = "DT".to_owned()),
                "currency is \"DT\"; 3 to 12 capital letters or digits".to_owned(),
            ),
            (
                Box::new(|policy| policy.currency = "SDT".to_owned()),
                Box::new(|policy| policy.currency = "usdt".to_owned()),
                "currency is \"usdt\"; 3 to 12 capital letters or digits".to_owned(),
            ),
            (
                Box::new(|policy| paid(&mut policy.instruments[1], "ETHBTC", Some("150000"))),
                Box::new(|policy| paid(&mut policy.instruments[1], "ETHBTC", None)),
                "ETHBTC: quote_worth is none; the most USDT that a unit of its quote asset is ever worth".to_owned(),
            ),
            (
                Box::new(|policy| paid(&mut policy.instruments[1], "ETHUSDT", Some("1.1"))),
                Box::new(|policy| paid(&mut policy.instruments[1], "ETHUSDT", Some("0"))),
                "ETHUSDT: quote_worth is 0; the most USDT that a unit of its quote asset is ever worth".to_owned(),
            ),
            (
                Box::new(|policy| paid(&mut policy.instruments[1], "ETHBTC", Some("2500000000"))),
                Box::new(|policy| paid(&mut policy.instruments[1], "ETHBTC", Some("2500000001"))),
                format!("ETHBTC: price_high times quantity_max times quote_worth is 1000000000400000; at most {most}"),
            ),
            (
                Box::new(|policy| policy.instruments.truncate(2)),
                Box::new(|policy| policy.instruments.push(policy.instruments[0].clone())),
                "instruments is a list with BTCUSDT twice; each once".to_owned(),
            ),
            (
                Box::new(move |policy| policy.thresholds = vec![threshold(most)]),
                Box::new(move |policy| policy.thresholds = vec![threshold(beyond)]),
                format!("slot 2: day_notional_max is {beyond}; at most {most}"),
            ),
            (
                Box::new(move |policy| policy.thresholds = vec![threshold("1")]),
                Box::new(move |policy| policy.thresholds = vec![threshold("1"), threshold("2")]),
                "thresholds is a list with slot 2 twice; each once".to_owned(),
            ),
            (
                Box::new(move |policy| policy.day_notional_max = Notional::parse(most).unwrap()),
                Box::new(move |policy| policy.day_notional_max = Notional::parse(beyond).unwrap()),
                format!("day_notional_max is {beyond}; at most {most}"),
            ),
            (
                Box::new(|policy| policy.orders_per_minute = 6_000),
                Box::new(|policy| policy.orders_per_minute = 6_001),
                "orders_per_minute is 6001; at most 6000".to_owned(),
            ),
            (
                Box::new(|policy| policy.price_collar_bps = 10_000),
                Box::new(|policy| policy.price_collar_bps = 10_001),
                "price_collar_bps is 10001; at most 10000".to_owned(),
            ),
            (
                Box::new(|policy| policy.session_idle_ms = 60_000),
                Box::new(|policy| policy.session_idle_ms = 59_999),
                "session_idle_ms is 59999; 60000 to 43200000".to_owned(),
            ),
            (
                Box::new(|policy| policy.session_age_max_ms = 86_400_000),
                Box::new(|policy| policy.session_age_max_ms = 86_400_001),
                "session_age_max_ms is 86400001; 300000 to 86400000".to_owned(),
            ),
            (
                Box::new(move |policy| policy.kdf_floor = floor(64, 32)),
                Box::new(move |policy| policy.kdf_floor = floor(63, 32)),
                "kdf_floor: memory_mib is 63; 64 to 4096".to_owned(),
            ),
            (
                Box::new(move |policy| policy.kdf_floor = floor(4_096, 3)),
                Box::new(move |policy| policy.kdf_floor = floor(4_096, 2)),
                "kdf_floor: passes is 2; 3 to 32".to_owned(),
            ),
        ];
        for (fits, does_not, words) in rows {
            let (mut at, mut beyond) = (Policy::initial(), Policy::initial());
            fits(&mut at);
            does_not(&mut beyond);
            assert_eq!(at.validate(), Ok(()), "{words}");
            assert_eq!(beyond.validate().map_err(|error| error.to_string()), Err(format!("{words} would pass")));
        }
    }

    #[test]
    fn every_way_to_raise_is_seen() {
        let threshold = Threshold { of: Actor::Person(2), day_notional_max: Notional::parse("100").unwrap() };
        let mut policy = Policy { thresholds: vec![threshold], ..Policy::initial() };
        policy.instruments[1].quote_worth = Price::parse("2").ok();
        assert_eq!(policy.smallest_day(), Notional::parse("100").unwrap());
        let changes: [fn(&mut Policy); 18] = [
            |p| p.currency = "USD".to_owned(),
            |p| p.instruments[0].quote_worth = Price::parse("0.99").ok(),
            |p| p.instruments[1].quote_worth = Price::parse("1.99").ok(),
            |p| p.thresholds.clear(),
            |p| p.thresholds[0].of = Actor::Person(3),
            |p| p.thresholds[0].day_notional_max = Notional::parse("100.01").unwrap(),
            |p| p.order_notional_max = Notional::parse("25000.00000001").unwrap(),
            |p| p.orders_per_minute += 1,
            |p| p.day_notional_max = Notional::parse("5000000.01").unwrap(),
            |p| p.price_collar_bps += 1,
            |p| p.session_idle_ms += 1,
            |p| p.session_age_max_ms += 1,
            |p| p.instruments[0].quantity_max = Quantity::parse("1.1").unwrap(),
            |p| p.instruments[0].price_low = Price::parse("999").unwrap(),
            |p| p.instruments[0].price_low = Price::parse("1001").unwrap(),
            |p| p.instruments[0].price_high = Price::parse("399999").unwrap(),
            |p| p.instruments[0].price_high = Price::parse("400001").unwrap(),
            |p| p.instruments[0].symbol = Symbol::parse("DOGEUSDT").unwrap(),
        ];
        for change in changes {
            let mut next = policy.clone();
            change(&mut next);
            assert!(policy.is_raised_by(&next));
        }
        let mut lower = policy.clone();
        lower.kdf_floor = Some(KdfFloor { memory_mib: 512, passes: 4 });
        for kdf_floor in [None, Some(KdfFloor { memory_mib: 511, passes: 9 }), Some(KdfFloor { memory_mib: 4_096, passes: 32 })] {
            assert!(lower.is_raised_by(&Policy { kdf_floor, ..lower.clone() }));
        }
        lower.kdf_floor = None;
        lower.instruments.pop();
        lower.orders_per_minute = 1;
        assert!(!policy.is_raised_by(&lower));
        // What is held of it made the sum larger; now it is in none.
        let mut summed = policy.clone();
        summed.desk.exposure_max = Notional::parse("100").ok();
        let without = Policy { desk: summed.desk.clone(), ..lower.clone() };
        assert!(summed.is_raised_by(&without) && !lower.is_raised_by(&without) && !policy.is_raised_by(&without));
        // What was lost in it counted at its worth; without it, at one.
        let mut bounded = policy.clone();
        bounded.desk.day_loss_max = Notional::parse("100").ok();
        let without = Policy { desk: bounded.desk.clone(), ..lower.clone() };
        assert!(bounded.is_raised_by(&without));
        bounded.instruments[1].quote_worth = None;
        assert!(!bounded.is_raised_by(&without));
    }

    /// A vault of before opens, and counts as it did.
    #[test]
    fn what_was_stored_without_worths_counts_at_one() {
        let mut stored = serde_json::to_value(Policy::initial()).unwrap();
        stored.as_object_mut().unwrap().remove("currency");
        stored["instruments"][1]["symbol"] = "ETHBTC".into();
        for listed in stored["instruments"].as_array_mut().unwrap() {
            listed.as_object_mut().unwrap().remove("quote_worth");
        }
        let read: Policy = serde_json::from_value(stored).unwrap();
        assert!(read.validate().is_err());
        let policy = read.with_worths();
        assert_eq!((policy.validate(), policy.currency.as_str()), (Ok(()), "USDT"));
        let worths: Vec<_> = policy.instruments.iter().map(|listed| listed.quote_worth).collect();
        assert_eq!(worths, [None, Price::parse("1").ok()]);
    }
}
