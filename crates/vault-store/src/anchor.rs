//! What the keychain remembers of a vault. Invariant: the device secret is wiped by whoever held it, and never printed.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keychain::KeychainError;
use crate::prefix::Prefix;

/// One state of a vault's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How often it was saved.
    pub generation: u64,
    /// The header's MAC.
    #[serde(with = "hex32")]
    pub mac: [u8; 32],
    /// SHA-256 of the key derivation's settings.
    #[serde(with = "hex32")]
    pub kdf_hash: [u8; 32],
    /// SHA-256 of the whole file; records of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Hash>,
}

/// A hash that is written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256Hash(#[serde(with = "hex32")] pub [u8; 32]);

impl Mark {
    /// Whether `file` is the one that was marked.
    pub(crate) fn is_of(&self, file: &Self) -> bool {
        let same = self.generation == file.generation && self.mac == file.mac && self.kdf_hash == file.kdf_hash;
        same && (self.sha256.is_none() || self.sha256 == file.sha256)
    }

    /// Whether `file` says of itself that it is, and is not: its bytes were changed since.
    pub(crate) fn is_altered_in(&self, file: &Self) -> bool {
        self.generation == file.generation && self.mac == file.mac && !self.is_of(file)
    }
}

impl From<Prefix> for Mark {
    fn from(prefix: Prefix) -> Self {
        let Prefix { generation, mac, kdf_hash, sha256, .. } = prefix;
        Self { generation, mac, kdf_hash, sha256: Some(Sha256Hash(sha256)) }
    }
}

/// What stands in the keychain beside the device secret. It is not secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorRecord {
    /// The last state that was surely saved; nothing during the very first save.
    pub committed: Option<Mark>,
    /// The state that was being saved.
    pub pending: Option<Mark>,
    /// The highest generation of the state file.
    pub state_generation: u64,
    /// Attempts with a password since the last good one; counted before they are judged.
    pub fail_counter: u32,
    /// The same with the recovery kit.
    #[serde(default)]
    pub kit_fail_counter: u32,
}

/// What is tried. Each has a counter of its own: who guesses passwords does not lock the kit out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// A password.
    Password,
    /// The recovery kit.
    Kit,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It was right.
    Right,
    /// It was wrong; it was counted already.
    Wrong,
    /// Nothing was tried after all.
    NotMade,
}

impl AnchorRecord {
    pub(crate) fn counter(&mut self, attempt: Attempt) -> &mut u32 {
        match attempt {
            Attempt::Password => &mut self.fail_counter,
            Attempt::Kit => &mut self.kit_fail_counter,
        }
    }
}

/// A place outside the vault's folder that remembers.
pub trait Anchor: Send {
    /// The device secret, if there is one.
    fn device_secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, KeychainError>;
    /// Replaces the device secret.
    fn set_device_secret(&self, secret: &[u8; 32]) -> Result<(), KeychainError>;
    /// The record, if there is one.
    fn record(&self) -> Result<Option<AnchorRecord>, KeychainError>;
    /// Replaces the record.
    fn set_record(&self, record: &AnchorRecord) -> Result<(), KeychainError>;
    /// Removes both.
    fn forget(&self) -> Result<(), KeychainError>;
}

/// 32 random bytes, kept in the anchor and returned once.
pub fn make_device_secret(anchor: &dyn Anchor) -> Result<Zeroizing<[u8; 32]>, KeychainError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(|_| KeychainError::NoRandomness)?;
    anchor.set_device_secret(&secret)?;
    Ok(secret)
}

/// An anchor that lasts as long as the process: for tests.
#[derive(Default)]
pub struct MemoryAnchor(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    secret: Option<Zeroizing<[u8; 32]>>,
    record: Option<AnchorRecord>,
}

impl MemoryAnchor {
    fn with<R>(&self, f: impl FnOnce(&mut Memory) -> R) -> Result<R, KeychainError> {
        Ok(f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Anchor for MemoryAnchor {
    fn device_secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, KeychainError> {
        self.with(|memory| memory.secret.clone())
    }

    fn set_device_secret(&self, secret: &[u8; 32]) -> Result<(), KeychainError> {
        self.with(|memory| memory.secret = Some(Zeroizing::new(*secret)))
    }

    fn record(&self) -> Result<Option<AnchorRecord>, KeychainError> {
        self.with(|memory| memory.record)
    }

    fn set_record(&self, record: &AnchorRecord) -> Result<(), KeychainError> {
        self.with(|memory| memory.record = Some(*record))
    }

    fn forget(&self) -> Result<(), KeychainError> {
        self.with(|memory| *memory = Memory::default())
    }
}

impl<A: Anchor + Sync + ?Sized> Anchor for std::sync::Arc<A> {
    fn device_secret(&self) -> Result<Option<Zeroizing<[u8; 32]>>, KeychainError> {
        (**self).device_secret()
    }

    fn set_device_secret(&self, secret: &[u8; 32]) -> Result<(), KeychainError> {
        (**self).set_device_secret(secret)
    }

    fn record(&self) -> Result<Option<AnchorRecord>, KeychainError> {
        (**self).record()
    }

    fn set_record(&self, record: &AnchorRecord) -> Result<(), KeychainError> {
        (**self).set_record(record)
    }

    fn forget(&self) -> Result<(), KeychainError> {
        (**self).forget()
    }
}

mod hex32 {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&*text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(bytes)
    }
}
