//! What the supervisor found in the system's folder for organisations, on its way to the signer. Invariant: the supervisor judges none of
//! it; half of it is told as trouble, never as nothing.

use serde::{Deserialize, Serialize};

/// Largest document.
pub const DOCUMENT_LEN_MAX: usize = strongroom_guard::MANAGED_LEN_MAX;
/// Largest signature and largest key, as text.
pub const TEXT_LEN_MAX: usize = 1_024;

/// An organisation's document with its proof, as they lie on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedFiles {
    /// JSON; see `Managed` of the guard.
    #[serde(with = "serde_bytes")]
    pub document: Vec<u8>,
    /// Ed25519 over the document's bytes, in base64.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// SubjectPublicKeyInfo as PEM.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Offered {
    /// No such files.
    Nothing,
    /// All of them.
    Files(ManagedFiles),
    /// Something that cannot be used; in words.
    Trouble(String),
}
