//! The next generation of a vault. Invariant: the open vault stays as it is until the store confirmed the new bytes.

use std::collections::BTreeMap;

use strongroom_model::{Advice, Timestamp};
use thiserror::Error;

use crate::entropy::{Entropy, EntropyError, make_public};
use crate::header::{FILE_LEN_MAX, Header, Layout};
use crate::kdf::{KdfField, KdfParams, PasswordError};
use crate::kit::Kit;
use crate::primitives::Broken;
use crate::records::{IndexRow, RECORD_LEN_MAX, RECORDS_MAX, RecordHead, RecordKind, RewrapError, SealRecordError, wrap_key};
use crate::slots::{Factors, Place, SealSlotError, Slot, SlotKind};
use crate::vault::{Vault, assemble};

/// One wish for the next generation.
pub enum Edit<'a> {
    /// Writes a record, new or again.
    Put {
        /// Its number; for a new one see [`Vault::next_record_id`].
        id: u64,
        /// What it holds; a record keeps its kind.
        kind: RecordKind,
        /// At most [`RECORD_LEN_MAX`] bytes.
        plaintext: &'a [u8],
    },
    /// Removes a record. Backups of earlier generations still hold it, sealed.
    Remove {
        /// Its number.
        id: u64,
    },
    /// Replaces the slot for password and device.
    ReplacePassword {
        /// As typed.
        password: &'a [u8],
        /// The device secret, old or new.
        device: &'a [u8; 32],
        /// How hard the password is to try from now on.
        kdf: KdfParams,
    },
    /// Replaces the recovery kit; the old print opens only old backups.
    ReplaceKit {
        /// The new one, printed and confirmed.
        kit: &'a Kit,
    },
}

/// A generation ready to be stored: ciphertext only.
pub struct Sealed {
    pub(crate) layout: Layout,
    pub(crate) image: Vec<u8>,
}

impl Sealed {
    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.image
    }

    /// Generation, MAC and the rest, for the store and its anchor.
    pub fn header(&self) -> Header {
        self.layout.header()
    }

    /// Its generation.
    pub fn generation(&self) -> u64 {
        self.layout.generation
    }

    /// Its MAC.
    pub fn mac(&self) -> [u8; 32] {
        self.layout.mac
    }
}

impl Vault {
    /// Builds the next generation with all `edits`, or with none of them. The vault itself stays as it is: give the
    /// bytes to the store, then [`Vault::commit`].
    pub fn change(&self, edits: &[Edit<'_>], at: Timestamp, entropy: &mut dyn Entropy) -> Result<Sealed, ChangeError> {
        let root = self.keys.root.as_ref().ok_or(ChangeError::NotInThisSlot)?;
        let mut layout = self.layout.clone();
        layout.generation = self.generation().checked_add(1).ok_or(ChangeError::Broken)?;
        layout.written = at;
        let old_wrap = wrap_key(root, self.id(), self.generation())?;
        let new_wrap = wrap_key(root, self.id(), layout.generation)?;

        let mut records = BTreeMap::new();
        for row in &self.layout.index {
            let sealed = row.slice(self.body()).ok_or(ChangeError::Misplaced(row.id))?;
            let mut row = row.clone();
            row.rewrap(self.id(), &old_wrap, &new_wrap, entropy).map_err(|error| ChangeError::of_rewrap(row.id, error))?;
            records.insert(row.id, (row, sealed.to_vec()));
        }
        let mut touched = Vec::new();
        for edit in edits {
            match edit {
                Edit::Put { id, .. } | Edit::Remove { id } => {
                    if touched.contains(id) {
                        return Err(ChangeError::Twice(*id));
                    }
                    touched.push(*id);
                }
                Edit::ReplacePassword { .. } | Edit::ReplaceKit { .. } => {}
            }
            match edit {
                Edit::Put { id, kind, plaintext } => {
                    let old = records.get(id).map(|(row, _)| row);
                    check_put(old, *id, *kind, plaintext, &layout)?;
                    let head = RecordHead { id: *id, kind: *kind, version: layout.generation };
                    records.insert(*id, IndexRow::seal(head, plaintext, self.id(), &new_wrap, entropy)?);
                    layout.next_record = layout.next_record.max(id.checked_add(1).ok_or(ChangeError::BadId(*id))?);
                    if *kind == RecordKind::Policy {
                        layout.policy_epoch += 1;
                    }
                }
                Edit::Remove { id } => {
                    records.remove(id).ok_or(ChangeError::Unknown(*id))?;
                }
                Edit::ReplacePassword { password, device, kdf } => {
                    if !kdf.is_within_bounds() {
                        return Err(ChangeError::KdfOutOfBounds(*kdf));
                    }
                    if layout.slots.iter().any(|slot| slot.needs_password() && !slot.is_for(SlotKind::PasswordDevice)) {
                        return Err(ChangeError::OtherPasswordSlot);
                    }
                    layout.kdf = KdfField { params: *kdf, salt: make_public(entropy)? };
                    self.replace_slot(&mut layout, &Factors::Password { password, device }, entropy)?;
                }
                Edit::ReplaceKit { kit } => self.replace_slot(&mut layout, &Factors::Kit(kit), entropy)?,
            }
        }
        if records.len() > RECORDS_MAX {
            return Err(ChangeError::TooMany);
        }
        let body = lay_out(&mut layout, records)?;
        let image = assemble(&mut layout, &body, &self.keys)?;
        if image.len() > FILE_LEN_MAX {
            return Err(ChangeError::TooMany);
        }
        Ok(Sealed { layout, image })
    }

    /// Takes a stored generation as the present one.
    pub fn commit(&mut self, sealed: Sealed) -> Result<(), CommitError> {
        let follows = sealed.layout.vault_id == self.layout.vault_id && Some(sealed.generation()) == self.generation().checked_add(1);
        if !follows {
            return Err(CommitError { have: self.generation(), given: sealed.generation() });
        }
        self.layout = sealed.layout;
        self.image = sealed.image;
        Ok(())
    }

    /// All slots of that kind give way to one with the next free number.
    fn replace_slot(&self, layout: &mut Layout, factors: &Factors<'_>, entropy: &mut dyn Entropy) -> Result<(), ChangeError> {
        let kind = factors.kind();
        let id = layout.slots.iter().map(|slot| slot.id).max().unwrap_or(0).checked_add(1).ok_or(ChangeError::Broken)?;
        let ikm = factors.ikm(&layout.kdf)?;
        let place = Place { vault_id: &layout.vault_id, kdf: &layout.kdf };
        let slot = Slot::seal(id, factors, &ikm, &self.keys, &place, entropy)?;
        layout.slots.retain(|slot| !slot.is_for(kind));
        layout.slots.push(slot);
        Ok(())
    }
}

/// A new record takes a fresh number, so that a number in an old log never means another secret.
fn check_put(old: Option<&IndexRow>, id: u64, kind: RecordKind, plaintext: &[u8], layout: &Layout) -> Result<(), ChangeError> {
    if plaintext.len() > RECORD_LEN_MAX {
        return Err(ChangeError::TooLong(id));
    }
    match old {
        Some(row) if row.kind != kind => Err(ChangeError::OtherKind(id)),
        Some(_) => Ok(()),
        None if id < layout.next_record => Err(ChangeError::BadId(id)),
        None => Ok(()),
    }
}

/// Puts the records one after another, by ascending id.
fn lay_out(layout: &mut Layout, records: BTreeMap<u64, (IndexRow, Vec<u8>)>) -> Result<Vec<u8>, ChangeError> {
    let mut body = Vec::new();
    layout.index.clear();
    for (mut row, sealed) in records.into_values() {
        row.offset = u64::try_from(body.len()).map_err(|_| ChangeError::TooMany)?;
        body.extend_from_slice(&sealed);
        layout.index.push(row);
    }
    Ok(body)
}

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

    fn of_rewrap(id: u64, error: RewrapError) -> Self {
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
