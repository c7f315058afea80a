//! An instrument's rules for orders. Invariant: what passes can be priced and settled exactly.

use std::fmt;

use strongroom_model::{Instrument, MarketSize, Notional, OrderSpec, Price, Quantity};

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterFailure {
    /// Price outside of its bounds or off its tick.
    Price,
    /// Quantity outside of its bounds or off its step.
    Lot,
    /// Order worth too little or too much.
    Notional,
    /// Too many open orders on the instrument.
    OpenOrders,
}

impl fmt::Display for FilterFailure {
    /// The venue's name of the rule (`filters.md`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Price => "PRICE_FILTER",
            Self::Lot => "LOT_SIZE",
            Self::Notional => "NOTIONAL",
            Self::OpenOrders => "MAX_NUM_ORDERS",
        })
    }
}

/// Checks `spec` against the rules. `market_price` values a market order; without one its worth is not checked.
pub(crate) fn check(instrument: &Instrument, spec: &OrderSpec, market_price: Option<Price>) -> Result<(), FilterFailure> {
    if let Some(price) = spec.price() {
        let rule = instrument.price;
        let bounded = !price.is_zero() && price >= rule.min && (rule.max.is_zero() || price <= rule.max);
        if !(bounded && price.is_multiple_of(rule.tick)) {
            return Err(FilterFailure::Price);
        }
    }
    if let Some(quantity) = spec.quantity() {
        let rule = instrument.lot;
        let bounded = !quantity.is_zero() && quantity >= rule.min && (rule.max.is_zero() || quantity <= rule.max);
        if !(bounded && quantity.is_multiple_of(rule.step)) {
            return Err(FilterFailure::Lot);
        }
    }
    let rule = instrument.notional;
    match worth(spec, market_price)? {
        Some(worth) if worth < rule.min || (!rule.max.is_zero() && worth > rule.max) => Err(FilterFailure::Notional),
        _ => Ok(()),
    }
}

fn worth(spec: &OrderSpec, market_price: Option<Price>) -> Result<Option<Notional>, FilterFailure> {
    let product = |price: Price, quantity: Quantity| price.checked_mul(quantity).ok_or(FilterFailure::Notional).map(Some);
    match *spec {
        OrderSpec::Limit { price, quantity, .. } | OrderSpec::PostOnly { price, quantity } => product(price, quantity),
        OrderSpec::Market { size: MarketSize::Quote(notional) } => Ok(Some(notional)),
        OrderSpec::Market { size: MarketSize::Base(quantity) } => match market_price {
            Some(price) => product(price, quantity),
            None => Ok(None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::btcusdt;
    use strongroom_model::TimeInForce;

    fn limit(price: &str, quantity: &str) -> OrderSpec {
        OrderSpec::Limit { price: price.parse().unwrap(), quantity: quantity.parse().unwrap(), tif: TimeInForce::Gtc }
    }

    #[test]
    fn rules_from_both_sides_of_each_boundary() {
        let rows = [
            ("100.01", "0.10000", Ok(())),
            ("100.011", "0.1", Err(FilterFailure::Price)),
            ("0", "0.1", Err(FilterFailure::Price)),
            ("1000000", "0.1", Ok(())),
            ("1000000.01", "0.1", Err(FilterFailure::Price)),
            ("100", "0.100001", Err(FilterFailure::Lot)),
            ("100", "0", Err(FilterFailure::Lot)),
            ("100", "9000.00001", Err(FilterFailure::Lot)),
            ("100", "0.05", Ok(())),
            ("100", "0.04999", Err(FilterFailure::Notional)),
            ("1000000", "9000", Err(FilterFailure::Notional)),
        ];
        for (price, quantity, expected) in rows {
            assert_eq!(check(&btcusdt(), &limit(price, quantity), None), expected, "{quantity} @ {price}");
        }
    }

    #[test]
    fn a_market_order_is_valued_at_the_market() {
        let spec = OrderSpec::Market { size: MarketSize::Base("0.001".parse().unwrap()) };
        assert_eq!(check(&btcusdt(), &spec, Some("5000".parse().unwrap())), Ok(()));
        assert_eq!(check(&btcusdt(), &spec, Some("4999".parse().unwrap())), Err(FilterFailure::Notional));
    }
}
