//! Why a change of a vault was not made. Invariant: whatever stands here, the vault is as it was.

use strongroom_model::Advice;
use thiserror::Error;

use crate::entropy::EntropyError;
use crate::kdf::{KdfParams, PasswordError};
use crate::primitives::Broken;
use crate::records::{RECORD_LEN_MAX, RECORDS_MAX, RewrapError, SealRecordError};
use crate::slots::{SLOTS_MAX, SealSlotError};

/// Why no next generation was built. The vault is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// The slot that opened the vault may not change it.
    #[error("the vault was opened by a slot that may not change it")]
    NotInThisSlot,
    /// No such record.
    #[error("the vault has no record {0}; nothing was changed")]
    Unknown(u64),
    /// Two edits of one record.
    #[error("record {0} is named twice in one change; nothing was changed")]
    Twice(u64),
    /// A record keeps its kind.
    #[error("record {0} holds something of another kind; nothing was changed")]
    OtherKind(u64),
    /// A number that was used before.
    #[error("record number {0} was used before or cannot be used; nothing was changed")]
    BadId(u64),
    /// Over [`RECORD_LEN_MAX`].
    #[error("record {0} is longer than {RECORD_LEN_MAX} bytes; nothing was changed")]
    TooLong(u64),
    /// Over [`RECORDS_MAX`].
    #[error("a vault holds at most {RECORDS_MAX} records; nothing was changed")]
    TooMany,
    /// No such slot.
    #[error("the vault has no slot {0}; nothing was changed")]
    UnknownSlot(u16),
    /// Factors of another kind.
    #[error("slot {0} is of another kind, or was named twice; nothing was changed")]
    OtherSlotKind(u16),
    /// Over 16.
    #[error("a vault has at most {SLOTS_MAX} slots; nothing was changed. Remove one first")]
    TooManySlots,
    /// Name or provider too long.
    #[error("a slot's name has at most 64 bytes without control characters; nothing was changed")]
    BadDetails,
    /// Nobody could open it, or nobody could recover it.
    #[error("a vault needs a slot for a person and one for the recovery kit; nothing was changed")]
    LastWay,
    /// An existing record does not open.
    #[error("record {0} does not belong where it stands; nothing was changed. Restore a backup; `strongroom vault status` names them")]
    Misplaced(u64),
    /// Too weak or too heavy.
    #[error("{0} is outside what vaults may use; nothing was changed")]
    KdfOutOfBounds(KdfParams),
    /// A slot of a later kind shares the key derivation and would close for ever.
    #[error("a slot that this program cannot make again depends on the password's settings; nothing was changed. Use a newer program")]
    OtherPasswordSlot,
    /// The new password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A primitive failed.
    #[error("a cipher refused its own parameters; this is a defect")]
    Broken,
}

impl ChangeError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Misplaced(_) => Advice::Ask,
            Self::Password(error) => error.advice(),
            Self::Entropy(error) => error.advice(),
            Self::Broken => Advice::Bug,
            _ => Advice::Refuse,
        }
    }

    pub(crate) fn of_rewrap(id: u64, error: RewrapError) -> Self {
        match error {
            RewrapError::Misplaced => Self::Misplaced(id),
            RewrapError::Seal(error) => error.into(),
        }
    }
}

impl From<Broken> for ChangeError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl From<SealSlotError> for ChangeError {
    fn from(error: SealSlotError) -> Self {
        match error {
            SealSlotError::Entropy(error) => Self::Entropy(error),
            SealSlotError::Broken => Self::Broken,
        }
    }
}

impl From<SealRecordError> for ChangeError {
    fn from(error: SealRecordError) -> Self {
        match error {
            SealRecordError::Entropy(error) => Self::Entropy(error),
            SealRecordError::Broken => Self::Broken,
        }
    }
}

/// The bytes were not built from the present generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("generation {given} does not follow generation {have} of this vault; build the change again")]
pub struct CommitError {
    /// The present one.
    pub have: u64,
    /// The one offered.
    pub given: u64,
}

impl CommitError {
    /// Two changes were built from one generation.
    pub fn advice(&self) -> Advice {
        Advice::Bug
    }
}
