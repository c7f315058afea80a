//! Names of orders and trades.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// Longest client order id that every supported venue takes (Binance spot: 36).
const CLIENT_ORDER_ID_LEN_MAX: usize = 36;

/// Longest owner tag: room for a name of its own is left behind it.
const OWNER_TAG_LEN_MAX: usize = 8;

/// What names begin with that nobody chose.
const UNOWNED: &str = "sr";

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// A client order id has 1 to 36 letters, digits and `. : / _ -` (Binance spot, `newClientOrderId`).
    #[error("a client order id has 1 to 36 of the characters A-Z a-z 0-9 . : / _ -; “{0}” does not")]
    ClientOrderId(String),
    /// An owner tag is short.
    #[error("an owner tag has 1 to 8 of the characters a-z 0-9; “{0}” does not")]
    OwnerTag(String),
}

/// The name that we give an order before anybody else sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientOrderId(String);

impl ClientOrderId {
    /// Checks the characters and the length.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let fits =
            (1..=CLIENT_ORDER_ID_LEN_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".:/_-".contains(&b));
        if fits { Ok(Self(text.to_owned())) } else { Err(IdError::ClientOrderId(text.chars().take(60).collect())) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that nobody chose; `unique` is what tells it from all others.
    pub fn unowned(unique: &str) -> Result<Self, IdError> {
        Self::parse(&format!("{UNOWNED}-{unique}"))
    }

    /// Whether only we give such names, to orders of nobody.
    pub fn is_unowned(&self) -> bool {
        self.0.split_once('-').is_some_and(|(tag, rest)| tag == UNOWNED && !rest.is_empty())
    }

    /// Whose it is: the tag in front of the first hyphen. Nothing: nobody's, as far as the name says.
    pub fn owner(&self) -> Option<OwnerTag> {
        let (tag, _) = self.0.split_once('-')?;
        OwnerTag::parse(tag).ok().filter(|tag| tag.as_str() != UNOWNED)
    }

    /// Whether it is of that owner: the tag, a hyphen, and anything behind it.
    pub fn is_of(&self, owner: &OwnerTag) -> bool {
        self.0.strip_prefix(owner.as_str()).is_some_and(|rest| rest.starts_with('-'))
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClientOrderId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, Self::parse)
    }
}

/// Whose an order is: what its name begins with. A bot gives its own to all that it places.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct OwnerTag(String);

impl OwnerTag {
    /// Checks the characters and the length.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let is_tag = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = (1..=OWNER_TAG_LEN_MAX).contains(&text.len()) && text.bytes().all(is_tag);
        if fits { Ok(Self(text.to_owned())) } else { Err(IdError::OwnerTag(text.chars().take(60).collect())) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OwnerTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for OwnerTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, Self::parse)
    }
}

/// The venue's own number for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VenueOrderId(pub u64);

impl fmt::Display for VenueOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The venue's number for one trade, unique per symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TradeId(pub u64);

/// Which order is meant: ours by our name, or any by the venue's number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OrderRef {
    /// By the name that we gave it.
    Client(ClientOrderId),
    /// By the venue's number.
    Venue(VenueOrderId),
}
