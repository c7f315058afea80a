//! Ways into a vault, as they are wished for and listed. Invariant: nothing here is a secret.

use serde::{Deserialize, Serialize};

use crate::Role;

/// For whom a slot is added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum SlotFor {
    /// A person with a password, at this computer.
    Person,
    /// Somebody who reads the log and opens no key.
    Auditor,
    /// Whoever needs a share besides, which somebody else keeps.
    Shared {
        /// Who keeps it.
        keeper: ShareKeeper,
        /// For a machine without a person, and without a password: what it brings instead.
        machine: Option<MachineSecret>,
    },
}

/// Where a machine keeps the secret that it brings besides the share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum MachineSecret {
    /// The keychain of this computer: the same secret that persons use.
    Keychain,
    /// A TPM 2.0, which seals a secret for this slot alone.
    Tpm {
        /// How it is reached: `device:/dev/tpmrm0` or `swtpm:host=127.0.0.1,port=2321`.
        tcti: String,
    },
}

impl MachineSecret {
    /// Where a Linux machine has its TPM, shared by the kernel between those who use it.
    pub const TCTI: &str = "device:/dev/tpmrm0";
}

/// Where the share of a slot is to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum ShareKeeper {
    /// A PKCS#11 token: an HSM or a smart card.
    Token {
        /// Path of the PKCS#11 library.
        module: String,
        /// The token's name.
        token: String,
        /// Name of the key on it; made if it is not there.
        key: String,
    },
    /// The transit engine of a HashiCorp Vault or an OpenBao.
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
    },
}

/// A way into the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SlotInfo {
    /// Its number.
    pub id: u16,
    /// For whom, as the format names it; empty: a kind of a later version.
    pub kind: String,
    /// The person's name for it.
    pub label: String,
    /// Memory in MiB and passes of its password's derivation, if it has one.
    pub kdf: Option<(u32, u32)>,
    /// Who keeps its share, and where, if it has one.
    pub kept: Option<String>,
    /// Whether the vault was opened by it.
    pub is_present: bool,
    /// What its owner may do.
    #[serde(default)]
    pub roles: Vec<Role>,
}
