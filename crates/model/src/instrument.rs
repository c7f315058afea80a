//! What can be traded, and the venue's rules for it.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::{Notional, OrderSpec, Price, Quantity};

/// Longest symbol in bytes; Binance has symbols in Chinese letters (three bytes each).
const SYMBOL_LEN_MAX: usize = 64;

/// A text that cannot be a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("“{0}” is not a symbol: 1 to 64 bytes of letters, digits, `-`, `_` or `.`")]
pub struct SymbolError(String);

/// A venue's name of an instrument, such as `BTCUSDT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Symbol(String);

impl Symbol {
    /// Checks length and characters; letters of any script are allowed.
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let fits = (1..=SYMBOL_LEN_MAX).contains(&text.len()) && text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
        if fits { Ok(Self(text.to_owned())) } else { Err(SymbolError(text.chars().take(40).collect())) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An asset's code, such as `BTC`.
pub type Asset = String;

/// Prices move in steps (Binance `PRICE_FILTER`); zero means no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TickRule {
    /// Smallest price allowed.
    pub min: Price,
    /// Largest price allowed.
    pub max: Price,
    /// Step between prices.
    pub tick: Price,
}

/// Quantities move in steps (Binance `LOT_SIZE`); zero means no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LotRule {
    /// Smallest quantity allowed.
    pub min: Quantity,
    /// Largest quantity allowed.
    pub max: Quantity,
    /// Step between quantities.
    pub step: Quantity,
}

/// Orders have a smallest and a largest value (Binance `NOTIONAL`); zero means no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NotionalRule {
    /// Smallest notional allowed.
    pub min: Notional,
    /// Largest notional allowed.
    pub max: Notional,
}

/// One tradable pair with its rules, as the venue announces them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Instrument {
    /// The venue's name of it.
    pub symbol: Symbol,
    /// What is bought and sold.
    pub base: Asset,
    /// What it is paid with.
    pub quote: Asset,
    /// Price steps.
    pub price: TickRule,
    /// Quantity steps.
    pub lot: LotRule,
    /// Order value.
    pub notional: NotionalRule,
}

/// What the venue would refuse by an instrument's rules, with what would pass.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FilterError {
    /// Between two steps.
    #[error("{what} {asked} is not a multiple of the {of} {step}; {next} is the next that is")]
    Step {
        /// Price or quantity.
        what: &'static str,
        /// What was asked for.
        asked: Decimal,
        /// Tick or lot step.
        of: &'static str,
        /// How large it is.
        step: Decimal,
        /// The next larger one that passes.
        next: Decimal,
    },
    /// Outside of what the venue takes.
    #[error("{what} {asked} is below the smallest, {min}")]
    Below {
        /// Price, quantity or order value.
        what: &'static str,
        /// What was asked for.
        asked: Decimal,
        /// The least that passes.
        min: Decimal,
    },
    /// Outside of what the venue takes.
    #[error("{what} {asked} is above the largest, {max}")]
    Above {
        /// Price, quantity or order value.
        what: &'static str,
        /// What was asked for.
        asked: Decimal,
        /// The most that passes.
        max: Decimal,
    },
}

fn between_steps(what: &'static str, asked: Decimal, of: &'static str, step: Decimal) -> FilterError {
    let next = (asked - asked % step).checked_add(step).unwrap_or(Decimal::MAX);
    FilterError::Step { what, asked: asked.normalize(), of, step: step.normalize(), next: next.normalize() }
}

/// Zero means no rule.
fn within(what: &'static str, asked: Decimal, min: Decimal, max: Decimal) -> Result<(), FilterError> {
    if asked < min {
        return Err(FilterError::Below { what, asked: asked.normalize(), min: min.normalize() });
    }
    if asked > max && !max.is_zero() {
        return Err(FilterError::Above { what, asked: asked.normalize(), max: max.normalize() });
    }
    Ok(())
}

impl Instrument {
    /// Tick, step, and the smallest and largest of price, quantity and value. An order without a price has a value that only the venue knows.
    pub fn check(&self, spec: &OrderSpec) -> Result<(), FilterError> {
        if let Some(asked) = spec.price() {
            if !asked.is_multiple_of(self.price.tick) {
                return Err(between_steps("price", asked.value(), "tick", self.price.tick.value()));
            }
            within("price", asked.value(), self.price.min.value(), self.price.max.value())?;
        }
        if let Some(asked) = spec.quantity() {
            if !asked.is_multiple_of(self.lot.step) {
                return Err(between_steps("quantity", asked.value(), "step", self.lot.step.value()));
            }
            within("quantity", asked.value(), self.lot.min.value(), self.lot.max.value())?;
        }
        match (spec.price(), spec.notional()) {
            (Some(_), Some(asked)) => within("order value", asked.value(), self.notional.min.value(), self.notional.max.value()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MarketSize, TimeInForce};

    fn instrument() -> Instrument {
        let (price, quantity, notional) =
            (|text| Price::parse(text).unwrap(), |text| Quantity::parse(text).unwrap(), |text| Notional::parse(text).unwrap());
        Instrument {
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            base: "BTC".to_owned(),
            quote: "USDT".to_owned(),
            price: TickRule { min: price("0.10"), max: price("100000"), tick: price("0.05") },
            lot: LotRule { min: quantity("0.002"), max: quantity("90"), step: quantity("0.001") },
            notional: NotionalRule { min: notional("5"), max: notional("9000000") },
        }
    }

    fn told(instrument: &Instrument, price: &str, quantity: &str) -> String {
        let (price, quantity) = (Price::parse(price).unwrap(), Quantity::parse(quantity).unwrap());
        let limit = instrument.check(&OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc });
        assert_eq!(limit, instrument.check(&OrderSpec::PostOnly { price, quantity }));
        limit.map_or_else(|error| error.to_string(), |()| "passes".to_owned())
    }

    #[test]
    fn at_each_filter_and_one_step_beyond() {
        for (price, quantity, expected) in [
            ("100000", "90", "passes"),
            ("100000.05", "1", "price 100000.05 is above the largest, 100000"),
            ("0.10", "50", "passes"),
            ("0.05", "90", "price 0.05 is below the smallest, 0.1"),
            ("100.01", "1", "price 100.01 is not a multiple of the tick 0.05; 100.05 is the next that is"),
            ("1000", "90.001", "quantity 90.001 is above the largest, 90"),
            ("5000", "0.002", "passes"),
            ("50000", "0.001", "quantity 0.001 is below the smallest, 0.002"),
            ("50000", "0.0025", "quantity 0.0025 is not a multiple of the step 0.001; 0.003 is the next that is"),
            ("1000", "0.005", "passes"),
            ("1000", "0.004", "order value 4 is below the smallest, 5"),
        ] {
            assert_eq!(told(&instrument(), price, quantity), expected, "{quantity} at {price}");
        }
        let mut narrow = instrument();
        narrow.notional.max = Notional::parse("1000").unwrap();
        assert_eq!(told(&narrow, "1000", "1"), "passes");
        assert_eq!(told(&narrow, "1000", "1.001"), "order value 1001 is above the largest, 1000");
    }

    #[test]
    fn a_market_order_has_the_filters_of_what_it_names() {
        let base = |text| instrument().check(&OrderSpec::Market { size: MarketSize::Base(Quantity::parse(text).unwrap()) });
        assert_eq!(base("0.002"), Ok(()));
        assert!(matches!(base("0.001"), Err(FilterError::Below { what: "quantity", .. })));
        assert!(matches!(base("90.001"), Err(FilterError::Above { what: "quantity", .. })));
        let quote = OrderSpec::Market { size: MarketSize::Quote(Notional::parse("1").unwrap()) };
        assert_eq!(instrument().check(&quote), Ok(()), "whether its filter is for market orders, the venue says");
    }

    #[test]
    fn zero_is_no_rule() {
        let none = Instrument { price: TickRule::default(), lot: LotRule::default(), notional: NotionalRule::default(), ..instrument() };
        assert_eq!(told(&none, "123456789.123", "0.00000001"), "passes");
    }
}
