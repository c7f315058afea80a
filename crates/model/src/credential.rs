//! What may be known about a credential without knowing its secret.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Advice, KeyScope, Operation, Timestamp, is_plain};

/// Longest name of an account.
pub const ACCOUNT_LEN_MAX: usize = 64;
const ADDRESSES_MAX: usize = 16;
const ROTATE_DAYS_MAX: u32 = 3_650;
const NOTES_LEN_MAX: usize = 1_000;

/// A key should be replaced after so many days, unless its owner says otherwise.
pub const ROTATE_DAYS: u32 = 90;

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
    /// RSA, PKCS #1 v1.5 with SHA-256, base64.
    RsaSha256,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
}

impl Scheme {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA-256",
            Self::Ed25519 => "Ed25519",
            Self::RsaSha256 => "RSA",
            Self::EcdsaP256 => "ECDSA P-256",
        }
    }
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
    /// Born in the vault: nobody ever had the secret half.
    Generated = 3,
}

impl Origin {
    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Typed, Self::PlainFile, Self::EncryptedFile, Self::Generated].into_iter().find(|origin| *origin as u8 == number)
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

/// What a credential is used for. Invariant: of one venue at most one is [`KeyStage::Active`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum KeyStage {
    /// Not tried at the venue yet.
    New,
    /// Orders are signed with it.
    Active,
    /// A further key of the venue.
    Spare,
    /// Replaced: what was placed with it can be looked after, until the venue refuses it.
    Retiring,
}

impl KeyStage {
    /// Whether a key of this stage signs such a request.
    pub const fn signs(self, operation: Operation) -> bool {
        match operation {
            Operation::Read => true,
            Operation::Cancel => matches!(self, Self::Active | Self::Retiring),
            Operation::Place => matches!(self, Self::Active),
        }
    }
}

/// What its owner notes of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KeyDetails {
    /// The account or sub-account at the venue.
    pub account: String,
    /// The addresses that the venue accepts it from; none: any.
    pub addresses: Vec<String>,
    /// Replaced after so many days.
    pub rotate_days: u32,
    /// Whether machines that open the vault without a person may sign with it.
    pub services: bool,
    /// Anything else.
    pub notes: String,
    /// For what it may be used here, whatever the venue granted it.
    pub scope: Box<KeyScope>,
}

/// A change of what is noted of a credential; what is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KeyEdit {
    /// Another name.
    pub label: Option<String>,
    /// What the venue calls a generated key; once only, until it was tried.
    pub api_key: Option<String>,
    /// All details anew.
    pub details: Option<KeyDetails>,
}

/// Why details are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DetailsError {
    /// Too long or not plain.
    #[error("an account has at most {ACCOUNT_LEN_MAX} bytes without control characters")]
    Account,
    /// Not addresses.
    #[error("at most {ADDRESSES_MAX} IP addresses can be named, each like 203.0.113.7 or 2001:db8::7")]
    Addresses,
    /// Not days.
    #[error("a key is replaced after 1 to {ROTATE_DAYS_MAX} days")]
    RotateDays,
    /// Too long.
    #[error("notes have at most {NOTES_LEN_MAX} bytes without control characters")]
    Notes,
    /// Not a scope.
    #[error("a scope names at most 50 instruments, and hours that begin and end at different minutes of the day")]
    Scope,
}

impl DetailsError {
    /// A person writes something else.
    pub const fn advice(self) -> Advice {
        Advice::Ask
    }
}

impl KeyDetails {
    /// Whether they are what a vault keeps.
    pub fn validate(&self) -> Result<(), DetailsError> {
        let fits = |text: &str, len_max: usize| text.len() <= len_max && text.chars().all(is_plain);
        if !fits(&self.account, ACCOUNT_LEN_MAX) {
            Err(DetailsError::Account)
        } else if self.addresses.len() > ADDRESSES_MAX || self.addresses.iter().any(|one| one.parse::<IpAddr>().is_err()) {
            Err(DetailsError::Addresses)
        } else if !(1..=ROTATE_DAYS_MAX).contains(&self.rotate_days) {
            Err(DetailsError::RotateDays)
        } else if !fits(&self.notes, NOTES_LEN_MAX) {
            Err(DetailsError::Notes)
        } else if !self.scope.fits() {
            Err(DetailsError::Scope)
        } else {
            Ok(())
        }
    }
}

impl Default for KeyDetails {
    fn default() -> Self {
        Self {
            account: String::new(),
            addresses: Vec::new(),
            rotate_days: ROTATE_DAYS,
            services: false,
            notes: String::new(),
            scope: Box::default(),
        }
    }
}

/// What the venue granted a key, as its answer to a signed read said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KeyRights {
    /// Place orders.
    pub trade: bool,
    /// Withdraw. Strongroom never does; a thief of the key could.
    pub withdraw: bool,
    /// Move funds to other accounts, or between those of the owner. Strongroom never does, either.
    #[serde(default)]
    pub transfer: bool,
    /// Whether the venue accepts it from certain addresses only; nothing: the venue did not say.
    #[serde(default)]
    pub bound: Option<bool>,
    /// When it places no orders any more, where the venue ends that.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// When it was asked.
    pub at: Timestamp,
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
    /// The venue's public name of the key: enough to recognise it, useless without the secret. Empty while the venue has not
    /// named a generated key yet.
    pub api_key: String,
    /// When it came into the vault.
    pub created: Timestamp,
    /// What it is used for.
    pub stage: KeyStage,
    /// The key that it takes the place of, as long as that one is in the vault.
    #[serde(default)]
    pub replaces: Option<CredentialId>,
    /// How it came.
    #[serde(default)]
    pub origin: Origin,
    /// The kind of file that it came from; empty when it came from none.
    #[serde(default)]
    pub source: String,
    /// What the venue granted it when it was tried.
    #[serde(default)]
    pub granted: Option<KeyRights>,
    /// What its owner notes.
    #[serde(default)]
    pub details: KeyDetails,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_key_adds_risk() {
        use KeyStage::{Active, New, Retiring, Spare};
        for (stage, operations) in [(New, 1), (Spare, 1), (Retiring, 2), (Active, 3)] {
            let signed = [Operation::Read, Operation::Cancel, Operation::Place].map(|operation| stage.signs(operation));
            assert_eq!(signed.iter().filter(|signs| **signs).count(), operations, "{stage:?}");
            assert!(signed.is_sorted_by(|before, after| before >= after), "{stage:?}: what adds more risk needs more");
        }
    }

    #[test]
    fn details_have_bounds() {
        let good = KeyDetails {
            account: "desk 2".to_owned(),
            addresses: vec!["203.0.113.7".to_owned(), "2001:db8::7".to_owned()],
            ..KeyDetails::default()
        };
        assert_eq!(good.validate(), Ok(()));
        for (bad, error) in [
            (KeyDetails { account: "a\u{1b}[2J".to_owned(), ..good.clone() }, DetailsError::Account),
            (KeyDetails { account: "a\u{202e}b".to_owned(), ..good.clone() }, DetailsError::Account),
            (KeyDetails { notes: "n\u{2066}".to_owned(), ..good.clone() }, DetailsError::Notes),
            (KeyDetails { addresses: vec!["everywhere".to_owned()], ..good.clone() }, DetailsError::Addresses),
            (KeyDetails { rotate_days: 0, ..good.clone() }, DetailsError::RotateDays),
            (KeyDetails { notes: "n".repeat(NOTES_LEN_MAX + 1), ..good.clone() }, DetailsError::Notes),
        ] {
            assert_eq!(bad.validate(), Err(error));
        }
    }
}
