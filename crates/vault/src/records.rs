//! Records: one secret each. Invariant: a data key encrypts exactly once, and a record opens only in its own place.

use strongroom_model::Advice;
use thiserror::Error;

use crate::cells::Key;
use crate::entropy::{Entropy, EntropyError, make_public, make_secret};
use crate::keys::Keys;
use crate::primitives::{Broken, KEY_LEN, NONCE_LEN, NONCE_ONCE, TAG_LEN, decrypt, derive, encrypt, sha256};
use crate::secret::SecretBox;
use crate::wire::{Fields, len32};

/// Longest plaintext of one record.
pub const RECORD_LEN_MAX: usize = 64 * 1_024;
/// Most records in one vault.
pub const RECORDS_MAX: usize = 10_000;
const BLOCK_LEN: usize = 64;
const LEN_LEN: usize = 4;
const WRAPPED_LEN: usize = KEY_LEN + TAG_LEN;
const SCHEMA: u16 = 1;

/// What a record holds. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A venue's key and secret.
    Credential,
    /// The seed of the second factor.
    TotpSeed,
    /// What the signer may sign.
    Policy,
    /// The key that signs the log's checkpoints.
    AuditSigningKey,
    /// The key that reads the log, when it is not the slot's own.
    AuditReadKey,
    /// Single-use codes that replace the second factor.
    RecoveryCodes,
    /// The key of a state file that was written before the vault was re-keyed; gone when it is written again.
    OldStateKey,
    /// The public half of the key that reads the log: whoever only writes it needs no more.
    AuditReadPublic,
    /// A key of ours that lets a program trade through this vault.
    VirtualKey,
    /// The private key of a certificate.
    CertificateKey,
    /// Which roles the owners of slots have.
    Profiles,
}

impl RecordKind {
    /// Every kind, with its number in the format.
    pub const NUMBERS: [(Self, u16); 11] = [
        (Self::Credential, 1),
        (Self::TotpSeed, 2),
        (Self::Policy, 3),
        (Self::AuditSigningKey, 4),
        (Self::AuditReadKey, 5),
        (Self::RecoveryCodes, 6),
        (Self::OldStateKey, 7),
        (Self::AuditReadPublic, 8),
        (Self::VirtualKey, 9),
        (Self::CertificateKey, 10),
        (Self::Profiles, 11),
    ];

    fn number(self) -> u16 {
        Self::NUMBERS.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }

    fn parse(number: u16) -> Option<Self> {
        Self::NUMBERS.iter().find(|(_, own)| *own == number).map(|(kind, _)| *kind)
    }
}

/// Who may open a record. The numbers are part of the format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Persons.
    #[default]
    Persons,
    /// Persons, and services that run without one.
    Services,
}

impl Reach {
    const fn number(self) -> u16 {
        match self {
            Self::Persons => 0,
            Self::Services => 1,
        }
    }

    const fn parse(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Persons),
            1 => Some(Self::Services),
            _ => None,
        }
    }
}

/// What is known of a record without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// Its number in this vault; never used again for another record.
    pub id: u64,
    /// What it holds.
    pub kind: RecordKind,
    /// Who may open it.
    pub reach: Reach,
    /// The generation in which it was written.
    pub version: u64,
}

/// Why a record could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// No such record.
    #[error("the vault has no record {0}")]
    Unknown(u64),
    /// The slot that opened the vault carries no key for records.
    #[error("the vault was opened by a slot that may not read records")]
    NotInThisSlot,
    /// The record does not fit its place.
    #[error("record {0} does not belong where it stands; restore a backup and compare the audit log")]
    Misplaced(u64),
    /// A primitive failed.
    #[error("a cipher refused its own parameters; this is a defect")]
    Broken,
}

impl RecordError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Unknown(_) | Self::NotInThisSlot => Advice::Refuse,
            Self::Misplaced(_) => Advice::Ask,
            Self::Broken => Advice::Bug,
        }
    }
}

/// One line of the record index.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct IndexRow {
    pub(crate) id: u64,
    pub(crate) kind: RecordKind,
    pub(crate) reach: Reach,
    pub(crate) version: u64,
    schema: u16,
    /// Reserved for a policy of one record; all zero in version 1.0.
    policy_hash: [u8; 32],
    wrap_nonce: [u8; NONCE_LEN],
    wrapped: [u8; WRAPPED_LEN],
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) hash: [u8; 32],
}

impl IndexRow {
    pub(crate) fn head(&self) -> RecordHead {
        RecordHead { id: self.id, kind: self.kind, reach: self.reach, version: self.version }
    }

    /// The ciphertext within `body`.
    pub(crate) fn slice<'a>(&self, body: &'a [u8]) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        body.get(start..start.checked_add(usize::try_from(self.len).ok()?)?)
    }

    /// Encrypts `plaintext` under a data key of its own; the offset is set when the body is laid out.
    pub(crate) fn seal(
        head: RecordHead,
        plaintext: &[u8],
        vault_id: &[u8; 16],
        wrap: &SecretBox,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, Vec<u8>), SealRecordError> {
        let mut row = Self {
            id: head.id,
            kind: head.kind,
            reach: head.reach,
            version: head.version,
            schema: SCHEMA,
            policy_hash: [0; 32],
            wrap_nonce: [0; NONCE_LEN],
            wrapped: [0; WRAPPED_LEN],
            offset: 0,
            len: 0,
            hash: [0; 32],
        };
        let data_key = make_secret(entropy, KEY_LEN)?;
        let mut padded = pad(plaintext);
        encrypt(&data_key, &NONCE_ONCE, &row.aad(vault_id), padded.bytes_mut())?;
        row.len = len32(padded.len());
        row.hash = padded.expose(sha256);
        row.wrap(&data_key, vault_id, wrap, entropy)?;
        Ok((row, padded.expose(<[u8]>::to_vec)))
    }

    /// Lends the plaintext to `f`.
    pub(crate) fn open<R>(
        &self,
        sealed: &[u8],
        vault_id: &[u8; 16],
        wrap: &SecretBox,
        f: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, RecordError> {
        let misplaced = RecordError::Misplaced(self.id);
        let aad = self.aad(vault_id);
        let data_key = decrypt(wrap, &self.wrap_nonce, &aad, &self.wrapped).ok_or(misplaced)?;
        let padded = decrypt(&data_key, &NONCE_ONCE, &aad, sealed).ok_or(misplaced)?;
        unpad(padded.bytes()).map(f).ok_or(misplaced)
    }

    /// The same record under the next generation's wrapping key.
    pub(crate) fn rewrap(
        &mut self,
        vault_id: &[u8; 16],
        old: &SecretBox,
        new: &SecretBox,
        entropy: &mut dyn Entropy,
    ) -> Result<(), RewrapError> {
        let data_key = decrypt(old, &self.wrap_nonce, &self.aad(vault_id), &self.wrapped).ok_or(RewrapError::Misplaced)?;
        self.wrap(&data_key, vault_id, new, entropy).map_err(RewrapError::Seal)
    }

    fn wrap(
        &mut self,
        data_key: &SecretBox,
        vault_id: &[u8; 16],
        wrap: &SecretBox,
        entropy: &mut dyn Entropy,
    ) -> Result<(), SealRecordError> {
        self.wrap_nonce = make_public(entropy)?;
        let mut buffer = SecretBox::zeroed(WRAPPED_LEN);
        buffer.bytes_mut()[..KEY_LEN].copy_from_slice(data_key.bytes());
        encrypt(wrap, &self.wrap_nonce, &self.aad(vault_id), buffer.bytes_mut())?;
        self.wrapped.copy_from_slice(buffer.bytes());
        Ok(())
    }

    fn aad(&self, vault_id: &[u8; 16]) -> Vec<u8> {
        let mut aad = b"SRV1/rec".to_vec();
        aad.extend_from_slice(vault_id);
        aad.extend_from_slice(&self.id.to_be_bytes());
        aad.extend_from_slice(&self.kind.number().to_be_bytes());
        aad.extend_from_slice(&self.reach.number().to_be_bytes());
        aad.extend_from_slice(&self.version.to_be_bytes());
        aad.extend_from_slice(&self.schema.to_be_bytes());
        aad.extend_from_slice(&self.policy_hash);
        aad
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.kind.number().to_be_bytes());
        out.extend_from_slice(&self.reach.number().to_be_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.schema.to_be_bytes());
        out.extend_from_slice(&self.policy_hash);
        out.extend_from_slice(&self.wrap_nonce);
        out.extend_from_slice(&self.wrapped);
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(&self.len.to_be_bytes());
        out.extend_from_slice(&self.hash);
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            id: fields.u64()?,
            kind: RecordKind::parse(fields.u16()?)?,
            reach: Reach::parse(fields.u16()?)?,
            version: fields.u64()?,
            schema: fields.u16()?,
            policy_hash: fields.array()?,
            wrap_nonce: fields.array()?,
            wrapped: fields.array()?,
            offset: fields.u64()?,
            len: fields.u32().filter(|len| *len > 0 && len % 64 == 0)?,
            hash: fields.array()?,
        })
    }
}

/// The keys that wrap the data keys of one generation, as far as a slot has them.
pub(crate) struct WrapKeys {
    persons: Option<SecretBox>,
    services: Option<SecretBox>,
}

impl WrapKeys {
    pub(crate) fn derive(keys: &Keys, vault_id: &[u8; 16], generation: u64) -> Result<Self, Broken> {
        let of = |key: &Key| derive(key.bytes(), vault_id, &[b"strongroom/v1/wrap", &generation.to_be_bytes()]);
        Ok(Self { persons: keys.root.as_ref().map(of).transpose()?, services: keys.service.as_ref().map(of).transpose()? })
    }

    pub(crate) fn of(&self, reach: Reach) -> Option<&SecretBox> {
        match reach {
            Reach::Persons => self.persons.as_ref(),
            Reach::Services => self.services.as_ref(),
        }
    }
}

/// `len u32 | plaintext | zeros`, with room for the tag, a multiple of 64 in all.
pub(crate) fn pad(plaintext: &[u8]) -> SecretBox {
    let len = (LEN_LEN + plaintext.len() + TAG_LEN).next_multiple_of(BLOCK_LEN);
    let mut padded = SecretBox::zeroed(len);
    let (length, rest) = padded.bytes_mut().split_at_mut(LEN_LEN);
    length.copy_from_slice(&len32(plaintext.len()).to_be_bytes());
    rest[..plaintext.len()].copy_from_slice(plaintext);
    padded
}

/// The plaintext, if nothing but zeros follows it.
pub(crate) fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (length, rest) = padded.split_at_checked(LEN_LEN)?;
    let len = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let (plaintext, zeros) = rest.split_at_checked(len)?;
    zeros.iter().all(|byte| *byte == 0).then_some(plaintext)
}

pub(crate) enum SealRecordError {
    Entropy(EntropyError),
    Broken,
}

pub(crate) enum RewrapError {
    Misplaced,
    Seal(SealRecordError),
}

impl From<EntropyError> for SealRecordError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

impl From<Broken> for SealRecordError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_hidden_in_blocks() {
        for (len, padded) in [(0, 64), (1, 64), (44, 64), (45, 128), (108, 128), (109, 192)] {
            let plaintext = vec![7; len];
            let sealed = pad(&plaintext);
            assert_eq!(sealed.len(), padded, "{len}");
            assert_eq!(unpad(&sealed.bytes()[..padded - TAG_LEN]), Some(&plaintext[..]));
        }
        assert_eq!(unpad(&[0, 0, 0, 1, 7, 1]), None);
        assert_eq!(unpad(&[0, 0, 0, 9, 7]), None);
        assert_eq!(unpad(&[0, 0]), None);
    }
}
