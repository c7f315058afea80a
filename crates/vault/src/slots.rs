//! Slots: ways to the vault's keys. Invariant: a slot opens only with all of its factors, in the vault it was made for.

use crate::entropy::{Entropy, EntropyError, make_public, make_secret};
use crate::kdf::{KdfField, PasswordError};
use crate::kit::Kit;
use crate::primitives::{Broken, KEY_LEN, NONCE_LEN, TAG_LEN, decrypt, derive, encrypt, same};
use crate::secret::SecretBox;
use crate::wire::{Fields, len16};

pub(crate) const SLOTS_MAX: usize = 16;
const SALT_LEN: usize = 32;
const SEALED_LEN_MAX: usize = 1_024;

const FACTOR_PASSWORD: u32 = 1;
const FACTOR_DEVICE: u32 = 1 << 1;
const FACTOR_KIT: u32 = 1 << 2;

/// Who or what a slot is for. The numbers are part of the format; only the first two are made so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// A person: password and the device secret from the keychain.
    PasswordDevice,
    /// The printed recovery kit, alone.
    RecoveryKit,
    /// A person with a share from an HSM or a key server.
    Hsm,
    /// A person with a FIDO2 key.
    Fido2,
    /// Several people together.
    Escrow,
    /// A machine without a person.
    Service,
    /// A reader of the audit log who can open no record.
    Auditor,
}

impl SlotKind {
    const NUMBERS: [(Self, u16); 7] = [
        (Self::PasswordDevice, 1),
        (Self::RecoveryKit, 2),
        (Self::Hsm, 3),
        (Self::Fido2, 4),
        (Self::Escrow, 5),
        (Self::Service, 6),
        (Self::Auditor, 7),
    ];

    fn number(self) -> u16 {
        Self::NUMBERS.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }

    fn parse(number: u16) -> Option<Self> {
        Self::NUMBERS.iter().find(|(_, own)| *own == number).map(|(kind, _)| *kind)
    }
}

/// What somebody brings to open a vault.
pub enum Factors<'a> {
    /// A person's password with the device secret from the keychain.
    Password {
        /// As typed, UTF-8.
        password: &'a [u8],
        /// 32 random bytes that the keychain keeps.
        device: &'a [u8; 32],
    },
    /// The recovery kit.
    Kit(&'a Kit),
}

impl Factors<'_> {
    pub(crate) fn kind(&self) -> SlotKind {
        match self {
            Self::Password { .. } => SlotKind::PasswordDevice,
            Self::Kit(_) => SlotKind::RecoveryKit,
        }
    }

    fn bitmap(&self) -> u32 {
        match self {
            Self::Password { .. } => FACTOR_PASSWORD | FACTOR_DEVICE,
            Self::Kit(_) => FACTOR_KIT,
        }
    }

    /// The slot key's input: Argon2id(password) then the device secret, or the kit.
    pub(crate) fn ikm(&self, kdf: &KdfField) -> Result<SecretBox, PasswordError> {
        match self {
            Self::Password { password, device } => {
                let stretched = kdf.derive_from(password)?;
                let mut ikm = SecretBox::zeroed(2 * KEY_LEN);
                for (place, byte) in ikm.bytes_mut().iter_mut().zip(stretched.bytes().iter().chain(device.iter())) {
                    *place = *byte;
                }
                Ok(ikm)
            }
            Self::Kit(kit) => Ok(kit.expose(SecretBox::copy_of)),
        }
    }
}

/// The keys behind a slot. What a role may not do, its slot does not carry.
pub(crate) struct Keys {
    pub(crate) header: SecretBox,
    pub(crate) root: Option<SecretBox>,
    pub(crate) audit_read: Option<SecretBox>,
}

const KEY_HEADER: u16 = 1;
const KEY_ROOT: u16 = 2;
const KEY_AUDIT_READ: u16 = 3;

impl Keys {
    pub(crate) fn make(entropy: &mut dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self {
            header: make_secret(entropy, KEY_LEN)?,
            root: Some(make_secret(entropy, KEY_LEN)?),
            audit_read: Some(make_secret(entropy, KEY_LEN)?),
        })
    }

    /// `count u16 | (key id u16 | key 32)*` with room for a tag behind.
    fn to_payload(&self) -> SecretBox {
        let all = [(KEY_HEADER, Some(&self.header)), (KEY_ROOT, self.root.as_ref()), (KEY_AUDIT_READ, self.audit_read.as_ref())];
        let held: Vec<_> = all.into_iter().filter_map(|(id, key)| Some((id, key?))).collect();
        let mut payload = SecretBox::zeroed(2 + held.len() * (2 + KEY_LEN) + TAG_LEN);
        let count = len16(held.len()).to_be_bytes();
        let numbered = held.iter().flat_map(|(id, key)| id.to_be_bytes().into_iter().chain(key.bytes().iter().copied()));
        for (place, byte) in payload.bytes_mut().iter_mut().zip(count.into_iter().chain(numbered)) {
            *place = byte;
        }
        payload
    }

    /// Key ids strictly ascend; ids of later versions are passed over; the header's key must be there.
    fn from_payload(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (mut header, mut root, mut audit_read) = (None, None, None);
        let mut last = 0;
        for _ in 0..fields.u16()? {
            let id = fields.u16()?;
            let key = fields.take(KEY_LEN)?;
            if id <= last {
                return None;
            }
            last = id;
            match id {
                KEY_HEADER => header = Some(SecretBox::copy_of(key)),
                KEY_ROOT => root = Some(SecretBox::copy_of(key)),
                KEY_AUDIT_READ => audit_read = Some(SecretBox::copy_of(key)),
                _ => {}
            }
        }
        fields.end(())?;
        Some(Self { header: header?, root, audit_read })
    }
}

/// One slot as it stands in the header.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) id: u16,
    /// A number, not a `SlotKind`: a slot of a later kind is carried along unread.
    kind: u16,
    factors: u32,
    salt: [u8; SALT_LEN],
    nonce: [u8; NONCE_LEN],
    sealed: Vec<u8>,
    commit: [u8; 32],
}

/// Why a slot did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotError {
    /// The factors are not this slot's.
    Wrong,
    /// The factors are right and the content is not.
    Damaged,
    /// A primitive failed.
    Broken,
}

impl From<Broken> for SlotError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

/// What a slot is bound to besides itself.
pub(crate) struct Place<'a> {
    pub(crate) vault_id: &'a [u8; 16],
    pub(crate) kdf: &'a KdfField,
}

impl Slot {
    pub(crate) fn is_for(&self, kind: SlotKind) -> bool {
        SlotKind::parse(self.kind) == Some(kind)
    }

    pub(crate) fn needs_password(&self) -> bool {
        self.factors & FACTOR_PASSWORD != 0
    }

    /// Seals `keys` for whoever brings `factors` (whose `ikm` the caller derived).
    pub(crate) fn seal(
        id: u16,
        factors: &Factors<'_>,
        ikm: &SecretBox,
        keys: &Keys,
        place: &Place<'_>,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, SealSlotError> {
        let mut slot = Self {
            id,
            kind: factors.kind().number(),
            factors: factors.bitmap(),
            salt: make_public(entropy)?,
            nonce: make_public(entropy)?,
            sealed: Vec::new(),
            commit: [0; 32],
        };
        let slot_key = slot.key(ikm, place)?;
        let mut payload = keys.to_payload();
        encrypt(&slot_key.encryption, &slot.nonce, &slot.aad(place), payload.bytes_mut())?;
        slot.sealed = payload.expose(<[u8]>::to_vec);
        slot.commit = slot_key.commit;
        Ok(slot)
    }

    /// The keys, if `ikm` is this slot's.
    pub(crate) fn open(&self, ikm: &SecretBox, place: &Place<'_>) -> Result<Keys, SlotError> {
        let slot_key = self.key(ikm, place)?;
        // GCM does not bind its key; the commitment does, so one ciphertext cannot answer many guesses.
        if !same(&slot_key.commit, &self.commit) {
            return Err(SlotError::Wrong);
        }
        let payload = decrypt(&slot_key.encryption, &self.nonce, &self.aad(place), &self.sealed).ok_or(SlotError::Damaged)?;
        Keys::from_payload(payload.bytes()).ok_or(SlotError::Damaged)
    }

    fn key(&self, ikm: &SecretBox, place: &Place<'_>) -> Result<SlotKey, Broken> {
        let salt = [&place.vault_id[..], &self.salt].concat();
        let (id, factors) = (self.id.to_be_bytes(), self.factors.to_be_bytes());
        let root = derive(ikm.bytes(), &salt, &[b"strongroom/v1/slot", &id, &factors])?;
        let commit = derive(root.bytes(), &[], &[b"strongroom/v1/slot/commit"])?;
        Ok(SlotKey {
            encryption: derive(root.bytes(), &[], &[b"strongroom/v1/slot/encrypt"])?,
            commit: commit.bytes().try_into().map_err(|_| Broken)?,
        })
    }

    /// Only a slot with a password is bound to the key derivation: a new password must not need the kit.
    fn aad(&self, place: &Place<'_>) -> Vec<u8> {
        let mut aad = b"SRV1/slot".to_vec();
        aad.extend_from_slice(place.vault_id);
        aad.extend_from_slice(&self.id.to_be_bytes());
        aad.extend_from_slice(&self.kind.to_be_bytes());
        aad.extend_from_slice(&self.factors.to_be_bytes());
        if self.needs_password() {
            aad.extend_from_slice(&place.kdf.to_bytes());
        }
        aad
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.kind.to_be_bytes());
        out.extend_from_slice(&self.factors.to_be_bytes());
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&len16(self.sealed.len()).to_be_bytes());
        out.extend_from_slice(&self.sealed);
        out.extend_from_slice(&self.commit);
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (id, kind, factors) = (fields.u16()?, fields.u16()?, fields.u32()?);
        let (salt, nonce) = (fields.array()?, fields.array()?);
        let len = usize::from(fields.u16()?);
        let sealed = fields.take(len).filter(|_| (TAG_LEN..=SEALED_LEN_MAX).contains(&len))?.to_vec();
        Some(Self { id, kind, factors, salt, nonce, sealed, commit: fields.array()? })
    }
}

struct SlotKey {
    encryption: SecretBox,
    commit: [u8; 32],
}

/// Why a slot could not be made.
pub(crate) enum SealSlotError {
    Entropy(EntropyError),
    Broken,
}

impl From<EntropyError> for SealSlotError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

impl From<Broken> for SealSlotError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretBox {
        SecretBox::copy_of(&[byte; KEY_LEN])
    }

    #[test]
    fn a_role_carries_only_its_keys() {
        let auditor = Keys { header: key(1), root: None, audit_read: Some(key(3)) };
        let payload = auditor.to_payload();
        let bytes = &payload.bytes()[..payload.len() - TAG_LEN];
        assert_eq!(bytes.len(), 2 + 2 * 34);
        let again = Keys::from_payload(bytes).unwrap();
        assert!(again.root.is_none() && again.audit_read.unwrap().bytes() == [3; KEY_LEN]);
    }

    #[test]
    fn payloads_in_another_form_are_refused() {
        let entry = |id: u8| [vec![0, id], vec![9; KEY_LEN]].concat();
        let good = [vec![0, 2], entry(1), entry(9)].concat();
        assert!(Keys::from_payload(&good).is_some());
        for bad in [
            [vec![0, 2], entry(2), entry(1)].concat(),
            [vec![0, 2], entry(1), entry(1)].concat(),
            [vec![0, 1], entry(2)].concat(),
            [vec![0, 1], entry(1), vec![0]].concat(),
            good[..good.len() - 1].to_vec(),
            vec![],
        ] {
            assert!(Keys::from_payload(&bad).is_none());
        }
    }
}
