//! Keys and ways into the vault, as doors are told of them. Invariant: nothing here is secret.

use serde::{Deserialize, Serialize};
use strongroom_model::{CredentialInfo, KeyRights, Timestamp};

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KeyView {
    /// Public part.
    pub key: CredentialInfo,
    /// Whole days since it came.
    pub age_days: u32,
    /// When it signed last, as far as this desk remembers.
    pub last_used: Option<Timestamp>,
    /// When it should be replaced.
    pub rotate_due: Timestamp,
    /// What the venue says it may do.
    pub rights: Option<KeyRights>,
    /// Why it should be replaced now; empty: it need not.
    pub due: Vec<DueReason>,
    /// What its rotation waits for: told of the new key.
    pub step: Option<RotationStep>,
}

/// For whom a way into the vault is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum SlotFor {
    /// A person with a password, at this computer.
    Person,
    /// Somebody who reads the log and opens no key.
    Auditor,
    /// A person with a password and a share that a PKCS#11 token keeps.
    Token {
        /// Path of the PKCS#11 library.
        module: String,
        /// The token's name.
        token: String,
        /// Name of the key on it; made if it is not there.
        key: String,
        /// For a machine that opens the vault without a person, and without a password.
        service: bool,
    },
    /// A person with a password and a share that a key server keeps.
    Transit {
        /// `https://host:port`.
        address: String,
        /// Path of the authority's certificate.
        ca_file: String,
        /// Where the engine is mounted.
        mount: String,
        /// Name of the key, made for derived keys.
        key: String,
        /// The namespace, or nothing.
        namespace: String,
        /// For a machine that opens the vault without a person, and without a password.
        service: bool,
    },
}

/// A way into the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SlotView {
    /// Its number.
    pub id: u16,
    /// For whom; empty: a kind of a later version.
    pub kind: String,
    /// The person's name for it.
    pub label: String,
    /// Memory in MiB and passes of its password's derivation, if it has one.
    pub kdf: Option<(u32, u32)>,
    /// Who keeps its share, and where, if it has one.
    pub kept: Option<String>,
    /// Whether the vault was opened by it.
    pub is_present: bool,
}

/// Why a key should be replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "due", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum DueReason {
    /// Its time is over.
    Age,
    /// Its secret lay in a plain file.
    Exposed,
    /// Something was not as it should be.
    Suspect {
        /// What, in words.
        why: String,
        /// Since when.
        since: Timestamp,
    },
}

/// What a rotation waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum RotationStep {
    /// The public half of the new key is to be registered at the venue, and the venue's name of it to be told.
    Name,
    /// The new key is to be tried with a signed read.
    Test,
    /// Orders that the old key placed are open.
    Orders {
        /// How many.
        live: u64,
    },
    /// The old key is to be revoked at the venue.
    Revoke {
        /// How, step by step.
        how: Vec<String>,
    },
}
