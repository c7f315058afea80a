//! What may be known about a credential without knowing its secret.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A venue whose dialect we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Venue {
    /// Binance spot; the paper venue speaks it too.
    Binance,
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binance => f.write_str("binance"),
        }
    }
}

/// How a credential signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Scheme {
    /// HMAC-SHA-256 with a shared secret, hexadecimal.
    HmacSha256,
    /// Ed25519 with a private key that the venue does not know, base64.
    Ed25519,
}

/// How a credential came into the vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[repr(u8)]
pub enum Origin {
    /// Typed or pasted, or not known.
    #[default]
    Typed = 0,
    /// From a file that anybody could read who had it.
    PlainFile = 1,
    /// From a file under a passphrase.
    EncryptedFile = 2,
}

impl Origin {
    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Typed, Self::PlainFile, Self::EncryptedFile].into_iter().find(|origin| *origin as u8 == number)
    }

    /// Backups, journals and other programs may hold the secret still: it should be replaced.
    pub const fn is_exposed(self) -> bool {
        matches!(self, Self::PlainFile)
    }
}

/// Identifies a credential in a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CredentialId(pub u64);

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The public part of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CredentialInfo {
    /// Its number in the vault.
    pub id: CredentialId,
    /// The person's name for it.
    pub label: String,
    /// Where it is valid.
    pub venue: Venue,
    /// How it signs.
    pub scheme: Scheme,
    /// The venue's public name of the key: enough to recognise it, useless without the secret.
    pub api_key: String,
    /// When it came into the vault.
    pub created: Timestamp,
    /// Whether orders are signed with it now (a key being rotated in is not, until its test passed).
    pub active: bool,
    /// How it came; of records from before this was noted, [`Origin::Typed`].
    #[serde(default)]
    pub origin: Origin,
}
