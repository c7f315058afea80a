//! The next generation of a vault. Invariant: the open vault stays as it is until the store confirmed the new bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use strongroom_model::Timestamp;

use crate::change_error::{ChangeError, CommitError};
use crate::entropy::{Entropy, make_public};
use crate::header::{FILE_LEN_MAX, Header, Layout, MINOR};
use crate::kdf::{KdfField, KdfParams};
use crate::keys::Keys;
use crate::records::{IndexRow, RECORD_LEN_MAX, RECORDS_MAX, Reach, RecordHead, RecordKind, WrapKeys};
use crate::secret::SecretBox;
use crate::slots::{Details, Factors, Place, SLOTS_MAX, Slot, SlotHead, SlotKind};
use crate::vault::{Purpose, Vault, assemble};

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
    /// Writes a record, new or again, for others than its kind is usually for.
    PutFor {
        /// Who may open it.
        reach: Reach,
        /// See [`Edit::Put`].
        id: u64,
        /// See [`Edit::Put`].
        kind: RecordKind,
        /// See [`Edit::Put`].
        plaintext: &'a [u8],
    },
    /// Replaces the factors of one slot, which keeps its number and name.
    ReplaceFactors {
        /// Which.
        slot: u16,
        /// Of the same kind.
        factors: Factors<'a>,
        /// How hard its password is to try from now on.
        kdf: KdfParams,
        /// How its share is had, if it has one.
        provider: &'a [u8],
    },
    /// One more way to open the vault.
    AddSlot {
        /// What opens it.
        factors: Factors<'a>,
        /// The owner's name for it.
        label: &'a str,
        /// How hard its password is to try.
        kdf: KdfParams,
        /// How its share is had, if it has one.
        provider: &'a [u8],
    },
    /// One way less; backups of earlier generations still open with it.
    RemoveSlot {
        /// Which.
        slot: u16,
    },
}

/// A generation ready to be stored: ciphertext only.
pub struct Sealed {
    pub(crate) layout: Layout,
    pub(crate) image: Vec<u8>,
    /// New keys, when the vault was re-keyed.
    pub(crate) keys: Option<Keys>,
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

    /// Every way to open it.
    pub fn slots(&self) -> Vec<SlotHead> {
        self.layout.slot_heads()
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
        self.require_root()?;
        let mut layout = self.next_layout(at)?;
        let old_wraps = WrapKeys::derive(&self.keys, self.id(), self.generation())?;
        let new_wraps = WrapKeys::derive(&self.keys, self.id(), layout.generation)?;

        let mut records = BTreeMap::new();
        for row in &self.layout.index {
            let sealed = row.slice(self.body()).ok_or(ChangeError::Misplaced(row.id))?;
            let mut row = row.clone();
            let (old, new) = (wrap_of(&old_wraps, row.reach)?, wrap_of(&new_wraps, row.reach)?);
            row.rewrap(self.id(), old, new, entropy).map_err(|error| ChangeError::of_rewrap(row.id, error))?;
            records.insert(row.id, (row, Cow::Borrowed(sealed)));
        }
        let mut touched = BTreeSet::new();
        for edit in edits {
            match *edit {
                Edit::Put { id, kind, plaintext } => {
                    let reach = records.get(&id).map_or(Reach::default(), |(row, _): &(IndexRow, _)| row.reach);
                    self.put(&mut layout, &mut records, &mut touched, Put { id, kind, reach, plaintext }, &new_wraps, entropy)?;
                }
                Edit::PutFor { reach, id, kind, plaintext } => {
                    self.put(&mut layout, &mut records, &mut touched, Put { id, kind, reach, plaintext }, &new_wraps, entropy)?;
                }
                Edit::Remove { id } => {
                    if !touched.insert(id) {
                        return Err(ChangeError::Twice(id));
                    }
                    records.remove(&id).ok_or(ChangeError::Unknown(id))?;
                }
                Edit::ReplaceFactors { slot, factors, kdf, provider } => {
                    let old = layout.slots.iter().find(|old| old.id == slot).ok_or(ChangeError::UnknownSlot(slot))?;
                    if !old.is_for(factors.kind()) {
                        return Err(ChangeError::OtherSlotKind(slot));
                    }
                    let label = old.details.label.clone();
                    let new = self.seal_slot(&layout, slot, &factors, Wish { label: &label, kdf, provider }, entropy)?;
                    layout.slots.retain(|old| old.id != slot);
                    layout.put_slot(new);
                }
                Edit::AddSlot { factors, label, kdf, provider } => {
                    if layout.slots.len() >= SLOTS_MAX {
                        return Err(ChangeError::TooManySlots);
                    }
                    let id = layout.free_slot_id()?;
                    let slot = self.seal_slot(&layout, id, &factors, Wish { label, kdf, provider }, entropy)?;
                    layout.put_slot(slot);
                }
                Edit::RemoveSlot { slot } => {
                    let before = layout.slots.len();
                    layout.slots.retain(|one| one.id != slot);
                    if layout.slots.len() == before {
                        return Err(ChangeError::UnknownSlot(slot));
                    }
                    layout.check_ways()?;
                }
            }
        }
        self.finish(layout, records, None)
    }

    /// New keys for everything, with the slots of `ways` only: every record is sealed anew, under a new data key. Whoever kept
    /// an old key, or an old backup with its factors, cannot follow. The key that reads the log stays. `state_record`: where the
    /// present state key is kept until the state file is sealed with the new one.
    pub fn rekey(
        &self,
        ways: &[Way<'_>],
        state_record: Option<u64>,
        at: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Sealed, ChangeError> {
        self.require_root()?;
        let keys = self.keys.remake(entropy)?;
        let mut layout = self.next_layout(at)?;
        let new_wraps = WrapKeys::derive(&keys, self.id(), layout.generation)?;
        let mut records = BTreeMap::new();
        // A re-key that was interrupted left an older state key; since then the state file was sealed anew.
        let is_stale = |head: &RecordHead| state_record.is_some() && head.kind == RecordKind::OldStateKey;
        for row in self.layout.index.iter().filter(|row| !is_stale(&row.head())) {
            let head = RecordHead { version: layout.generation, ..row.head() };
            let wrap = wrap_of(&new_wraps, head.reach)?;
            let sealed = self
                .with_record(row.id, |plaintext| IndexRow::seal(head, plaintext, self.id(), wrap, entropy))
                .map_err(|_| ChangeError::Misplaced(row.id))??;
            records.insert(row.id, (sealed.0, Cow::Owned(sealed.1)));
        }
        if let Some(id) = state_record {
            let old = self.derive_key(Purpose::State).map_err(|_| ChangeError::NotInThisSlot)?;
            let put = Put { id, kind: RecordKind::OldStateKey, reach: Reach::Services, plaintext: old.bytes() };
            self.put(&mut layout, &mut records, &mut BTreeSet::new(), put, &new_wraps, entropy)?;
        }
        layout.slots.clear();
        layout.kdf = KdfField { params: layout.kdf.params, salt: make_public(entropy)? };
        for Way { slot, factors, label, kdf, provider } in ways {
            if layout.slots.iter().any(|known| known.id == *slot) {
                return Err(ChangeError::OtherSlotKind(*slot));
            }
            let wish = Wish { label, kdf: *kdf, provider };
            let sealed = seal_slot(&layout, &keys, *slot, factors, wish, entropy)?;
            layout.put_slot(sealed);
        }
        layout.check_ways()?;
        self.finish(layout, records, Some(keys))
    }

    /// The number that the next slot added will have; none are left when there is none.
    pub fn next_slot_id(&self) -> Option<u16> {
        self.layout.free_slot_id().ok()
    }

    fn require_root(&self) -> Result<(), ChangeError> {
        if self.keys.root.is_some() { Ok(()) } else { Err(ChangeError::NotInThisSlot) }
    }

    fn next_layout(&self, at: Timestamp) -> Result<Layout, ChangeError> {
        let mut layout = self.layout.clone();
        layout.generation = self.generation().checked_add(1).ok_or(ChangeError::Broken)?;
        layout.written = at;
        Ok(layout)
    }

    fn put<'a>(
        &self,
        layout: &mut Layout,
        records: &mut Records<'a>,
        touched: &mut BTreeSet<u64>,
        put: Put<'_>,
        wraps: &WrapKeys,
        entropy: &mut dyn Entropy,
    ) -> Result<(), ChangeError> {
        let Put { id, kind, reach, plaintext } = put;
        if !touched.insert(id) {
            return Err(ChangeError::Twice(id));
        }
        check_put(records.get(&id).map(|(row, _)| row), id, kind, plaintext, layout)?;
        let head = RecordHead { id, kind, reach, version: layout.generation };
        let (row, sealed) = IndexRow::seal(head, plaintext, self.id(), wrap_of(wraps, reach)?, entropy)?;
        records.insert(id, (row, Cow::Owned(sealed)));
        layout.next_record = layout.next_record.max(id.checked_add(1).ok_or(ChangeError::BadId(id))?);
        if kind == RecordKind::Policy {
            layout.policy_epoch += 1;
        }
        Ok(())
    }

    fn finish(&self, mut layout: Layout, records: Records<'_>, keys: Option<Keys>) -> Result<Sealed, ChangeError> {
        if records.len() > RECORDS_MAX {
            return Err(ChangeError::TooMany);
        }
        if layout.slots.iter().any(|slot| !slot.details.is_empty()) || records.values().any(|(row, _)| row.reach != Reach::default()) {
            layout.minor = layout.minor.max(MINOR);
        }
        let body = lay_out(&mut layout, records)?;
        let image = assemble(&mut layout, &body, keys.as_ref().unwrap_or(&self.keys))?;
        if image.len() > FILE_LEN_MAX {
            return Err(ChangeError::TooMany);
        }
        Ok(Sealed { layout, image, keys })
    }

    /// Takes a stored generation as the present one.
    pub fn commit(&mut self, sealed: Sealed) -> Result<(), CommitError> {
        let follows = sealed.layout.vault_id == self.layout.vault_id && Some(sealed.generation()) == self.generation().checked_add(1);
        if !follows {
            return Err(CommitError { have: self.generation(), given: sealed.generation() });
        }
        self.layout = sealed.layout;
        self.image = sealed.image;
        if let Some(keys) = sealed.keys {
            self.keys = keys;
        }
        Ok(())
    }

    fn seal_slot(
        &self,
        layout: &Layout,
        id: u16,
        factors: &Factors<'_>,
        wish: Wish<'_>,
        entropy: &mut dyn Entropy,
    ) -> Result<Slot, ChangeError> {
        seal_slot(layout, &self.keys, id, factors, wish, entropy)
    }
}

/// One way to open a vault after it was re-keyed.
pub struct Way<'a> {
    /// Number of its slot, as before.
    pub slot: u16,
    /// What opens it.
    pub factors: Factors<'a>,
    /// The owner's name for it.
    pub label: &'a str,
    /// How hard its password is to try.
    pub kdf: KdfParams,
    /// How its share is had, if it has one.
    pub provider: &'a [u8],
}

/// What a new slot is to be besides its factors.
#[derive(Clone, Copy)]
struct Wish<'a> {
    label: &'a str,
    kdf: KdfParams,
    provider: &'a [u8],
}

struct Put<'a> {
    id: u64,
    kind: RecordKind,
    reach: Reach,
    plaintext: &'a [u8],
}

type Records<'a> = BTreeMap<u64, (IndexRow, Cow<'a, [u8]>)>;

fn wrap_of(wraps: &WrapKeys, reach: Reach) -> Result<&SecretBox, ChangeError> {
    wraps.of(reach).ok_or(ChangeError::NotInThisSlot)
}

/// A slot with a password brings its own key derivation, so that it can be made again without the others.
fn seal_slot(
    layout: &Layout,
    keys: &Keys,
    id: u16,
    factors: &Factors<'_>,
    wish: Wish<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Slot, ChangeError> {
    let kdf = match factors {
        Factors::Password { .. } | Factors::Shared { .. } if !wish.kdf.is_within_bounds() => {
            return Err(ChangeError::KdfOutOfBounds(wish.kdf));
        }
        Factors::Password { .. } | Factors::Shared { .. } => Some(KdfField { params: wish.kdf, salt: make_public(entropy)? }),
        Factors::Kit(_) | Factors::Service { .. } | Factors::Auditor(_) => None,
    };
    let details = Details { label: wish.label.to_owned(), kdf, provider: wish.provider.to_vec() };
    if !details.fit() {
        return Err(ChangeError::BadDetails);
    }
    let ikm = factors.ikm(details.kdf.as_ref().unwrap_or(&layout.kdf))?;
    let place = Place { vault_id: &layout.vault_id, kdf: &layout.kdf };
    Ok(Slot::seal(id, factors, &ikm, keys, &place, details, entropy)?)
}

impl Layout {
    fn free_slot_id(&self) -> Result<u16, ChangeError> {
        self.slots.iter().map(|slot| slot.id).max().unwrap_or(0).checked_add(1).ok_or(ChangeError::TooManySlots)
    }

    fn put_slot(&mut self, slot: Slot) {
        self.slots.push(slot);
        self.slots.sort_by_key(|slot| slot.id);
    }

    /// A person and the kit: without them a vault would be lost with one mistake.
    fn check_ways(&self) -> Result<(), ChangeError> {
        let has = |kind| self.slots.iter().any(|slot| slot.is_for(kind));
        let has_person = has(SlotKind::PasswordDevice) || has(SlotKind::Hsm) || has(SlotKind::Fido2);
        if has_person && has(SlotKind::RecoveryKit) { Ok(()) } else { Err(ChangeError::LastWay) }
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
fn lay_out(layout: &mut Layout, records: Records<'_>) -> Result<Vec<u8>, ChangeError> {
    let mut body = Vec::new();
    layout.index.clear();
    for (mut row, sealed) in records.into_values() {
        row.offset = u64::try_from(body.len()).map_err(|_| ChangeError::TooMany)?;
        body.extend_from_slice(&sealed);
        layout.index.push(row);
    }
    Ok(body)
}
