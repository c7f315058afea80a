//! What can be traded, and the venue's rules for it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::{Notional, Price, Quantity};

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
