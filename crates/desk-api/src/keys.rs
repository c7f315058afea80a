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
    /// What the address means from which the venue refused it, until it accepts it again.
    pub address_trouble: Option<String>,
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
