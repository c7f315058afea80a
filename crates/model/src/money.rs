//! Money has types: `Price * Quantity = Notional`, and `Price * Price` does not compile.
//!
//! Invariant: prices, quantities and notionals are decimal, finite and never negative; their text form is
//! plain decimal digits without exponent.

use std::fmt::{self, Write as _};
use std::ops::{Add, Mul, Sub};
use std::str::FromStr;

use arrayvec::ArrayString;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Longest text accepted for one number; `Decimal` holds 28 digits, a point and a little slack.
const TEXT_LEN_MAX: usize = 40;

/// Why a text is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not plain decimal digits with at most one point.
    #[error("“{0}” is not a decimal number (digits with at most one point)")]
    NotDecimal(String),
    /// More digits than can be held exactly.
    #[error("“{0}” has more digits than can be held exactly")]
    TooLong(String),
}

/// Most digits before the point: sums and collars of such numbers can be held, whatever a venue says.
const WHOLE_DIGITS_MAX: usize = 18;

fn parse_plain(text: &str) -> Result<Decimal, MoneyError> {
    let shown = || text.chars().take(TEXT_LEN_MAX).collect::<String>();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let points = text.bytes().filter(|b| *b == b'.').count();
    if digits == 0 || points > 1 || digits + points != text.len() {
        return Err(MoneyError::NotDecimal(shown()));
    }
    if text.len() > TEXT_LEN_MAX || text.find('.').unwrap_or(text.len()) > WHOLE_DIGITS_MAX {
        return Err(MoneyError::TooLong(shown()));
    }
    Decimal::from_str_exact(text).map_err(|_| MoneyError::TooLong(shown()))
}

macro_rules! money {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(Decimal);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// Reads plain decimal digits with at most one point; no sign, no exponent.
            pub fn parse(text: &str) -> Result<Self, MoneyError> {
                parse_plain(text).map(Self)
            }

            /// From a decimal that is known; `None` when it is negative.
            pub fn new(value: Decimal) -> Option<Self> {
                (!value.is_sign_negative() || value.is_zero()).then_some(Self(value.abs()))
            }

            /// The number.
            pub fn value(self) -> Decimal {
                self.0
            }

            /// Whether it is nothing.
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }

            /// Sum, or `None` when it cannot be held.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// Difference, or `None` when it would be negative.
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                (self.0 >= other.0).then(|| Self(self.0 - other.0))
            }

            /// Whether it is a whole multiple of `step`; every value is a multiple of zero.
            pub fn is_multiple_of(self, step: Self) -> bool {
                step.is_zero() || (self.0 % step.0).is_zero()
            }

            /// The largest multiple of `step` that is not above it.
            pub fn floor_to(self, step: Self) -> Self {
                if step.is_zero() { self } else { Self(self.0 - self.0 % step.0) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.normalize(), f)
            }
        }

        impl FromStr for $name {
            type Err = MoneyError;
            fn from_str(text: &str) -> Result<Self, MoneyError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut text = ArrayString::<TEXT_LEN_MAX>::new();
                write!(text, "{self}").map_err(serde::ser::Error::custom)?;
                serializer.serialize_str(&text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::deserialize(deserializer, Self::parse)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
    };
}

money! {
    /// Units of the quote asset for one unit of the base asset.
    Price
}
money! {
    /// Units of the base asset.
    Quantity
}
money! {
    /// Price times quantity, in units of the quote asset.
    Notional
}
money! {
    /// Units of one asset in a balance or a commission.
    Amount
}

impl Mul<Quantity> for Price {
    type Output = Notional;
    fn mul(self, quantity: Quantity) -> Notional {
        Notional(self.0 * quantity.0)
    }
}

impl Price {
    /// Price times quantity, or `None` when it cannot be held.
    pub fn checked_mul(self, quantity: Quantity) -> Option<Notional> {
        self.0.checked_mul(quantity.0).map(Notional)
    }
}

impl Sub for Quantity {
    type Output = Self;
    /// Saturates at zero: a remaining quantity is never negative.
    fn sub(self, other: Self) -> Self {
        self.checked_sub(other).unwrap_or(Self::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_not_plain_decimals_are_refused() {
        for text in ["", ".", "-1", "+1", "1e5", "0x10", "1.2.3", " 1", "1 ", "１", "NaN", "inf", "1,5"] {
            assert!(Price::parse(text).is_err(), "{text:?} was accepted");
        }
        assert!(Price::parse(&"9".repeat(41)).is_err());
        // The largest: what is added to it, or taken of it in basis points, can be held.
        let largest = Price::parse(&"9".repeat(WHOLE_DIGITS_MAX)).unwrap();
        assert!((largest + largest).value().checked_mul(Decimal::from(10_000)).is_some());
        assert!(Price::parse(&"9".repeat(WHOLE_DIGITS_MAX + 1)).is_err());
    }

    #[test]
    fn text_is_shortest_and_plain() {
        for (text, shown) in [("1.500", "1.5"), ("0.00000001", "0.00000001"), ("100", "100"), ("0", "0"), ("5.", "5"), (".5", "0.5")] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn price_times_quantity_is_exact() {
        let notional = Price::parse("52000.5").unwrap() * Quantity::parse("0.001").unwrap();
        assert_eq!(notional.to_string(), "52.0005");
    }

    #[test]
    fn steps() {
        let tick = Price::parse("0.05").unwrap();
        assert!(Price::parse("1.15").unwrap().is_multiple_of(tick));
        assert!(!Price::parse("1.16").unwrap().is_multiple_of(tick));
        assert_eq!(Price::parse("1.19").unwrap().floor_to(tick).to_string(), "1.15");
    }
}
