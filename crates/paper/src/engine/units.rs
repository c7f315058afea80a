//! Numbers of the engine in units of 1e-8. Invariant: products are exact before they are truncated to 1e-8, and
//! nothing here is a float.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use strongroom_model as model;

/// Units in one whole: Binance keeps eight decimals.
pub const ONE: u64 = 100_000_000;
/// Decimals of every number here.
const DECIMALS: u32 = 8;

macro_rules! units {
    ($(#[$doc:meta])* $name:ident, $model:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest that can be held: about 1.8e11 wholes.
            pub const MAX: Self = Self(u64::MAX);

            /// Whether it is nothing.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// Difference; nothing when `other` is larger.
            #[must_use]
            pub const fn less(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// Sum; the largest that can be held when it is larger.
            #[must_use]
            pub const fn plus(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The number as a decimal.
            pub fn value(self) -> Decimal {
                Decimal::from_i128_with_scale(i128::from(self.0), DECIMALS)
            }

            /// From the domain's number: `None` with more than eight decimals, or when it is too large.
            pub fn of(number: model::$model) -> Option<Self> {
                units_of(number.value()).map(Self)
            }

            /// The domain's number.
            pub fn model(self) -> model::$model {
                model::$model::new(self.value().normalize()).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            /// Eight decimals, as the venue writes numbers.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}.{:08}", self.0 / ONE, self.0 % ONE)
            }
        }
    };
}

units! {
    /// Price: quote for one base, in 1e-8.
    Px, Price
}
units! {
    /// Base quantity, in 1e-8.
    Qty, Quantity
}
units! {
    /// An amount of one asset (a balance, a lock, a fee, a notional), in 1e-8.
    Money, Amount
}

/// Units of a decimal: `None` with more than eight decimals, when negative, or when too large.
fn units_of(value: Decimal) -> Option<u64> {
    let scaled = value.checked_mul(Decimal::from(ONE))?;
    if scaled.fract().is_zero() { scaled.to_u64() } else { None }
}

impl Money {
    /// From a notional of the domain, as [`Self::of`].
    pub fn of_notional(number: model::Notional) -> Option<Self> {
        units_of(number.value()).map(Self)
    }
}

impl Px {
    /// Price times quantity, truncated to 1e-8; `None` when it cannot be held.
    pub fn worth(self, quantity: Qty) -> Option<Money> {
        match self.0.checked_mul(quantity.0) {
            Some(product) => Some(Money(product / ONE)),
            None => u64::try_from(u128::from(self.0) * u128::from(quantity.0) / u128::from(ONE)).ok().map(Money),
        }
    }

    /// The largest multiple of `step` that `budget` pays at this price; nothing at a price of nothing.
    pub fn buys(self, budget: Money, step: Qty) -> Qty {
        let exact = (u128::from(budget.0) * u128::from(ONE)).checked_div(u128::from(self.0)).unwrap_or(0);
        let quantity = u64::try_from(exact).unwrap_or(u64::MAX);
        Qty(quantity - quantity.checked_rem(step.0).unwrap_or(0))
    }
}

/// A share of something, in 1e-8: fees and multipliers of averages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share(pub u64);

impl Share {
    /// From a decimal; more than eight decimals are truncated, and what is negative or too large is nothing.
    pub fn of(value: Decimal) -> Self {
        Self(value.checked_mul(Decimal::from(ONE)).and_then(|scaled| scaled.trunc().to_u64()).unwrap_or(0))
    }

    /// This share of `units`, truncated; the largest number when it cannot be held.
    pub fn of_units(self, units: u64) -> u64 {
        match units.checked_mul(self.0) {
            Some(product) => product / ONE,
            None => u64::try_from(u128::from(units) * u128::from(self.0) / u128::from(ONE)).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_truncated_to_eight_decimals() {
        let rows = [(300, 1, 0), (ONE, 7, 7), (9_700_001_000_000, 1_000, 97_000_010), (u64::MAX, ONE, u64::MAX)];
        for (price, quantity, worth) in rows {
            assert_eq!(Px(price).worth(Qty(quantity)), Some(Money(worth)), "{price} x {quantity}");
        }
        assert_eq!(Px(u64::MAX).worth(Qty(ONE + 1)), None);
    }

    #[test]
    fn budgets_buy_whole_steps() {
        for (price, budget, step, buys) in [(3 * ONE, 10 * ONE, ONE, 3 * ONE), (3 * ONE, 10 * ONE, 1, 333_333_333), (0, ONE, 1, 0)] {
            assert_eq!(Px(price).buys(Money(budget), Qty(step)), Qty(buys), "{budget} at {price}");
        }
    }

    #[test]
    fn texts_and_domain_numbers() {
        let price = Px::of("97000.01".parse().unwrap()).unwrap();
        assert_eq!((price.0, price.to_string().as_str()), (9_700_001_000_000, "97000.01000000"));
        assert_eq!(price.model().to_string(), "97000.01");
        assert_eq!(Px::of("0.000000001".parse().unwrap()), None);
        assert_eq!(Qty::of("999999999999".parse().unwrap()), None);
        assert_eq!(Share::of(Decimal::new(1, 3)).of_units(999), 0);
    }
}
