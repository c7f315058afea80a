//! What can be traded, and the venue's rules for it.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::{Advice, Notional, OrderSpec, Price, Quantity, Side};

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
        crate::text::deserialize(deserializer, Self::parse)
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

/// How far an order's price may be from the average price, as multipliers of it (Binance `PERCENT_PRICE_BY_SIDE`, `PERCENT_PRICE`); zero means
/// no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PercentRule {
    /// Least for a purchase.
    pub bid_low: Price,
    /// Most for a purchase.
    pub bid_high: Price,
    /// Least for a sale.
    pub ask_low: Price,
    /// Most for a sale.
    pub ask_high: Price,
}

/// What binds orders beside price, quantity and value; zero means no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct OrderRule {
    /// Quantities of market orders (Binance `MARKET_LOT_SIZE`), beside those of all.
    pub market_lot: LotRule,
    /// Distance from the average price.
    pub percent: PercentRule,
    /// Most orders that are open at once (Binance `MAX_NUM_ORDERS`).
    pub open_max: u32,
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
    /// What else binds orders.
    #[serde(default)]
    pub orders: OrderRule,
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
    /// Too far from the market.
    #[error("price {asked} is outside of {low} to {high}, which the venue takes at a price of {mark}")]
    Percent {
        /// What was asked for.
        asked: Decimal,
        /// The least that passes.
        low: Decimal,
        /// The most that passes.
        high: Decimal,
        /// The mark, in place of the venue's average, which it does not tell.
        mark: Price,
    },
    /// Nothing is known of it.
    #[error("the venue does not trade {0}")]
    NotTraded(Symbol),
    /// Nothing is known of anything.
    #[error("the venue has not told its instruments yet")]
    NotTold,
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

impl FilterError {
    /// What was asked for.
    pub fn asked(&self) -> String {
        match self {
            Self::Step { what, asked, .. } | Self::Below { what, asked, .. } | Self::Above { what, asked, .. } => format!("{what} {asked}"),
            Self::Percent { asked, .. } => format!("price {asked}"),
            Self::NotTraded(symbol) => symbol.to_string(),
            Self::NotTold => "an instrument that is not known".to_owned(),
        }
    }

    /// What the venue allows.
    pub fn allowed(&self) -> String {
        match self {
            Self::Step { of, step, .. } => format!("multiples of the {of} {step}"),
            Self::Below { min, .. } => format!("from {min} on"),
            Self::Above { max, .. } => format!("up to {max}"),
            Self::Percent { low, high, .. } => format!("{low} to {high}"),
            Self::NotTraded(_) | Self::NotTold => "what the venue trades".to_owned(),
        }
    }

    /// What would pass.
    pub fn passes(&self) -> String {
        match self {
            Self::Step { what, next, .. } => format!("the {what} {next}"),
            Self::Below { what, min, .. } => format!("the {what} {min} or more"),
            Self::Above { what, max, .. } => format!("the {what} {max} or less"),
            Self::Percent { low, high, .. } => format!("a price from {low} to {high}"),
            Self::NotTraded(_) => "an instrument that the venue trades".to_owned(),
            Self::NotTold => "the same, once the venue has told its instruments".to_owned(),
        }
    }

    /// What to do next.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::NotTold => Advice::RetryAfter(1_000),
            _ => Advice::Refuse,
        }
    }
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

impl LotRule {
    fn check(&self, asked: Quantity) -> Result<(), FilterError> {
        if !asked.is_multiple_of(self.step) {
            return Err(between_steps("quantity", asked.value(), "step", self.step.value()));
        }
        within("quantity", asked.value(), self.min.value(), self.max.value())
    }
}

impl PercentRule {
    fn check(&self, asked: Price, side: Side, mark: Option<Price>) -> Result<(), FilterError> {
        let Some(mark) = mark else { return Ok(()) };
        let (low, high) = match side {
            Side::Buy => (self.bid_low, self.bid_high),
            Side::Sell => (self.ask_low, self.ask_high),
        };
        let of = |multiplier: Price| mark.value().saturating_mul(multiplier.value());
        let high = if high.is_zero() { Decimal::MAX } else { of(high) };
        if (of(low)..=high).contains(&asked.value()) {
            return Ok(());
        }
        Err(FilterError::Percent { asked: asked.value().normalize(), low: of(low).normalize(), high: high.normalize(), mark })
    }
}

impl Instrument {
    /// Tick, step, the smallest and largest of price, quantity and value, and the distance from the market. An order without a price has a value that only the venue knows.
    pub fn check(&self, spec: &OrderSpec, side: Side, mark: Option<Price>) -> Result<(), FilterError> {
        if let Some(asked) = spec.price() {
            if !asked.is_multiple_of(self.price.tick) {
                return Err(between_steps("price", asked.value(), "tick", self.price.tick.value()));
            }
            within("price", asked.value(), self.price.min.value(), self.price.max.value())?;
            self.orders.percent.check(asked, side, mark)?;
        }
        if let Some(asked) = spec.quantity() {
            self.lot.check(asked)?;
            if matches!(spec, OrderSpec::Market { .. }) {
                self.orders.market_lot.check(asked)?;
            }
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
            orders: OrderRule::default(),
        }
    }

    fn told(instrument: &Instrument, price: &str, quantity: &str) -> String {
        let (price, quantity) = (Price::parse(price).unwrap(), Quantity::parse(quantity).unwrap());
        let limit = instrument.check(&OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc }, Side::Buy, None);
        assert_eq!(limit, instrument.check(&OrderSpec::PostOnly { price, quantity }, Side::Buy, None));
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
        let check = |spec: OrderSpec| instrument().check(&spec, Side::Sell, None);
        let base = |text| check(OrderSpec::Market { size: MarketSize::Base(Quantity::parse(text).unwrap()) });
        assert_eq!(base("0.002"), Ok(()));
        assert!(matches!(base("0.001"), Err(FilterError::Below { what: "quantity", .. })));
        assert!(matches!(base("90.001"), Err(FilterError::Above { what: "quantity", .. })));
        let quote = OrderSpec::Market { size: MarketSize::Quote(Notional::parse("1").unwrap()) };
        assert_eq!(check(quote), Ok(()), "whether its filter is for market orders, the venue says");
        // A lot of their own, which binds no others.
        let quantity = |text| Quantity::parse(text).unwrap();
        let market_lot = LotRule { min: quantity("0.01"), max: quantity("5"), step: quantity("0.01") };
        let own = Instrument { orders: OrderRule { market_lot, ..OrderRule::default() }, ..instrument() };
        for (size, passes) in [("0.01", true), ("0.009", false), ("0.015", false), ("5", true), ("5.01", false)] {
            let market = OrderSpec::Market { size: MarketSize::Base(quantity(size)) };
            assert_eq!(own.check(&market, Side::Buy, None).is_ok(), passes, "{size}");
            let limit = OrderSpec::Limit { price: Price::parse("1000").unwrap(), quantity: quantity(size), tif: TimeInForce::Gtc };
            assert_eq!(own.check(&limit, Side::Buy, None), Ok(()), "{size}");
        }
    }

    #[test]
    fn a_price_is_as_near_to_the_market_as_the_venue_wants() {
        let price = |text| Price::parse(text).unwrap();
        let percent = PercentRule { bid_low: price("0.2"), bid_high: price("1.5"), ask_low: price("0.8"), ask_high: price("5") };
        let near = Instrument { orders: OrderRule { percent, ..OrderRule::default() }, ..instrument() };
        for (side, asked, passes) in [
            (Side::Buy, "200", true),
            (Side::Buy, "199.95", false),
            (Side::Buy, "1500", true),
            (Side::Buy, "1500.05", false),
            (Side::Sell, "800", true),
            (Side::Sell, "799.95", false),
            (Side::Sell, "5000", true),
            (Side::Sell, "5000.05", false),
        ] {
            let spec = OrderSpec::PostOnly { price: price(asked), quantity: Quantity::parse("1").unwrap() };
            let told = near.check(&spec, side, Some(price("1000")));
            assert_eq!(told.is_ok(), passes, "{side:?} at {asked}: {told:?}");
            assert_eq!(near.check(&spec, side, None), Ok(()), "without a mark the rule for marks refuses");
        }
    }

    #[test]
    fn zero_is_no_rule() {
        let none = Instrument { price: TickRule::default(), lot: LotRule::default(), notional: NotionalRule::default(), ..instrument() };
        assert_eq!(told(&none, "123456789.123", "0.00000001"), "passes");
    }
}
