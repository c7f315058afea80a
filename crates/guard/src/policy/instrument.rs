//! The sealed limits of one instrument. Invariant: what it is paid with has a worth in the currency of the limits, or is that currency.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strongroom_model::{Notional, Price, Quantity, Symbol};

use super::WORTH_MAX;
use crate::bounds::{PolicyError, check};

/// Limits of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct InstrumentPolicy {
    /// Which.
    pub symbol: Symbol,
    /// Most base quantity in one order.
    pub quantity_max: Quantity,
    /// Lowest price that is ever signed.
    pub price_low: Price,
    /// Highest price that is ever signed.
    pub price_high: Price,
    /// Most base quantity held, with everything that open orders would buy; desk-enforced.
    #[serde(default)]
    pub position_max: Option<Quantity>,
    /// The most that a unit of its quote asset is ever worth in the currency of the limits; nothing: it is that currency.
    #[serde(default)]
    pub quote_worth: Option<Price>,
    /// Where an organisation has a band of its own: the lowest and the highest price at which orders without one are counted. Never
    /// stored, and no person's to set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(skip))]
    pub counted: Option<(Price, Price)>,
}

impl InstrumentPolicy {
    /// The prices at which an order without one is counted.
    pub(crate) fn counted_from(&self) -> Price {
        self.counted.map_or(self.price_low, |(low, _)| low)
    }

    /// See [`Self::counted_from`].
    pub(crate) fn counted_to(&self) -> Price {
        self.counted.map_or(self.price_high, |(_, high)| high)
    }

    /// A value of its quote asset in the currency of the limits; `None` when it cannot be held.
    pub fn in_currency(&self, value: Notional) -> Option<Notional> {
        let Some(worth) = self.quote_worth else { return Some(value) };
        worth.value().checked_mul(value.value()).and_then(Notional::new)
    }

    /// The most that a unit of its quote asset is worth.
    pub(crate) fn unit(&self) -> Decimal {
        self.quote_worth.map_or(Decimal::ONE, Price::value)
    }

    pub(super) fn validate(&self, currency: &str) -> Result<(), PolicyError> {
        let of = |part: &str| format!("{}: {part}", self.symbol);
        // The venue's word on what the quote asset is does not reach the signer; the name does.
        let is_known = self.quote_worth.is_some() || self.symbol.as_str().ends_with(currency);
        let passes = format_args!("the most {currency} that a unit of its quote asset is ever worth");
        check(is_known, &of("quote_worth"), "none", passes)?;
        check(self.quote_worth.is_none_or(|worth| !worth.is_zero()), &of("quote_worth"), "0", passes)?;
        check(
            self.price_low < self.price_high,
            &of("price_low"),
            self.price_low,
            format_args!("less than price_high, {}", self.price_high),
        )?;
        check(!self.quantity_max.is_zero(), &of("quantity_max"), self.quantity_max, "more than 0")?;
        check(self.counted.is_none(), &of("counted"), "set", "leaving it out: it is an organisation's to set")?;
        let worth = self.price_high.checked_mul(self.quantity_max).and_then(|worth| self.in_currency(worth));
        let value = worth.map_or_else(|| "too large to be written".to_owned(), |worth| worth.to_string());
        let fits = worth.is_some_and(|worth| worth.value() <= WORTH_MAX.into());
        let factors =
            if self.quote_worth.is_some() { "price_high times quantity_max times quote_worth" } else { "price_high times quantity_max" };
        check(fits, &of(factors), value, format_args!("at most {WORTH_MAX}"))
    }
}
