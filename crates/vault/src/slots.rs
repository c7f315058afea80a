//! Slots: ways to the vault's keys. Invariant: a slot opens only with all of its factors, in the vault it was made for.

use crate::codes::{AuditorCode, Kit};
use crate::entropy::{Entropy, EntropyError, make_public};
use crate::kdf::{KdfField, KdfParams, PasswordError};
use crate::keys::Keys;
use crate::primitives::{Broken, NONCE_LEN, TAG_LEN, decrypt, derive, encrypt, same, sha256};
use crate::secret::SecretBox;
use crate::wire::{Fields, len16};

pub(crate) const SLOTS_MAX: usize = 16;
const SALT_LEN: usize = 32;
const SEALED_LEN_MAX: usize = 1_024;

const FACTOR_PASSWORD: u32 = 1;
const FACTOR_DEVICE: u32 = 1 << 1;
const FACTOR_KIT: u32 = 1 << 2;
// Bit 3 is kept for FIDO2.
const FACTOR_PKCS11: u32 = 1 << 4;
const FACTOR_TRANSIT: u32 = 1 << 5;
const FACTOR_TPM: u32 = 1 << 6;
const FACTOR_AUDITOR: u32 = 1 << 7;
/// Longest name of a slot.
const LABEL_LEN_MAX: usize = 64;
/// Longest account of how a share is had.
const PROVIDER_LEN_MAX: usize = 4 * 1_024;

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

    /// For people.
    const fn words(self) -> &'static str {
        match self {
            Self::PasswordDevice => "password and device",
            Self::RecoveryKit => "recovery kit",
            Self::Hsm => "password, device and a kept share",
            Self::Fido2 => "password and FIDO2",
            Self::Escrow => "several people",
            Self::Service => "service",
            Self::Auditor => "auditor",
        }
    }

    pub(crate) fn number(self) -> u16 {
        Self::NUMBERS.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }

    fn parse(number: u16) -> Option<Self> {
        Self::NUMBERS.iter().find(|(_, own)| *own == number).map(|(kind, _)| *kind)
    }
}

/// Who gives out the share of a slot. Invariant: the share is 32 random bytes; whoever keeps it sees nothing else of the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// A token with PKCS#11: an HSM or a smart card.
    Pkcs11,
    /// The transit engine of a HashiCorp Vault or OpenBao.
    Transit,
}

/// Who keeps a machine's own secret, which it brings instead of a password. Invariant: 32 random bytes, of no use without the share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The keychain of the computer: the device secret.
    Keychain,
    /// The computer's TPM, which sealed it for this slot alone.
    Tpm,
}

/// What somebody brings to open a vault.
#[derive(Clone, Copy)]
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
    /// A person's password and device secret, with a share that somebody else keeps.
    Shared {
        /// As typed, UTF-8.
        password: &'a [u8],
        /// 32 random bytes that the keychain keeps.
        device: &'a [u8; 32],
        /// 32 random bytes that the keeper gave out.
        share: &'a [u8; 32],
        /// Which keeper.
        keeper: Keeper,
    },
    /// A machine without a person: its own secret and a share that somebody else keeps.
    Service {
        /// 32 random bytes that the machine keeps.
        own: &'a [u8; 32],
        /// Where it keeps them.
        machine: Machine,
        /// 32 random bytes that the keeper gave out.
        share: &'a [u8; 32],
        /// Which keeper.
        keeper: Keeper,
    },
    /// An auditor's code: opens the key that reads the log.
    Auditor(&'a AuditorCode),
}

impl Factors<'_> {
    pub(crate) fn kind(&self) -> SlotKind {
        match self {
            Self::Password { .. } => SlotKind::PasswordDevice,
            Self::Kit(_) => SlotKind::RecoveryKit,
            Self::Shared { .. } => SlotKind::Hsm,
            Self::Service { .. } => SlotKind::Service,
            Self::Auditor(_) => SlotKind::Auditor,
        }
    }

    fn bitmap(&self) -> u32 {
        let kept_by = |keeper: &Keeper| match keeper {
            Keeper::Pkcs11 => FACTOR_PKCS11,
            Keeper::Transit => FACTOR_TRANSIT,
        };
        match self {
            Self::Password { .. } => FACTOR_PASSWORD | FACTOR_DEVICE,
            Self::Kit(_) => FACTOR_KIT,
            Self::Shared { keeper, .. } => FACTOR_PASSWORD | FACTOR_DEVICE | kept_by(keeper),
            Self::Service { machine: Machine::Keychain, keeper, .. } => FACTOR_DEVICE | kept_by(keeper),
            Self::Service { machine: Machine::Tpm, keeper, .. } => FACTOR_TPM | kept_by(keeper),
            Self::Auditor(_) => FACTOR_AUDITOR,
        }
    }

    /// The slot key's input: Argon2id(password), the secret of device or TPM, the share, as far as there are such; or the code.
    pub(crate) fn ikm(&self, kdf: &KdfField) -> Result<SecretBox, PasswordError> {
        Ok(match self {
            Self::Password { password, device } => join(&[kdf.derive_from(password)?.bytes(), *device]),
            Self::Shared { password, device, share, .. } => join(&[kdf.derive_from(password)?.bytes(), *device, *share]),
            Self::Service { own, share, .. } => join(&[*own, *share]),
            Self::Kit(kit) => kit.expose(SecretBox::copy_of),
            Self::Auditor(code) => code.expose(SecretBox::copy_of),
        })
    }
}

fn join(parts: &[&[u8]]) -> SecretBox {
    let mut joined = SecretBox::zeroed(parts.iter().map(|part| part.len()).sum());
    for (place, byte) in joined.bytes_mut().iter_mut().zip(parts.iter().flat_map(|part| part.iter())) {
        *place = *byte;
    }
    joined
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
    pub(crate) details: Details,
}

/// What stands beside a slot since format 1.1, in a field of its own.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// The owner's name for it.
    pub(crate) label: String,
    /// Its own key derivation, instead of the header's.
    pub(crate) kdf: Option<KdfField>,
    /// How its share is had; the keeper's affair, not read here.
    pub(crate) provider: Vec<u8>,
}

impl Details {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn write(&self, id: u16, out: &mut Vec<u8>) {
        let kdf = self.kdf.as_ref().map(KdfField::to_bytes).unwrap_or_default();
        out.extend_from_slice(&id.to_be_bytes());
        for part in [self.label.as_bytes(), &kdf, &self.provider] {
            out.extend_from_slice(&len16(part.len()).to_be_bytes());
            out.extend_from_slice(part);
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<(u16, Self)> {
        let id = fields.u16()?;
        let mut part = |len_max: usize| {
            let len = usize::from(fields.u16()?);
            fields.take(len).filter(|_| len <= len_max)
        };
        let label = part(LABEL_LEN_MAX).and_then(|label| String::from_utf8(label.to_vec()).ok())?;
        let kdf = part(usize::from(u16::MAX))?;
        let kdf = if kdf.is_empty() { None } else { Some(KdfField::parse(kdf)?) };
        let provider = part(PROVIDER_LEN_MAX)?.to_vec();
        let details = Self { label, kdf, provider };
        (!details.is_empty()).then_some((id, details))
    }

    /// Whether they are what a vault keeps.
    pub(crate) fn fit(&self) -> bool {
        self.label.len() <= LABEL_LEN_MAX && !self.label.chars().any(char::is_control) && self.provider.len() <= PROVIDER_LEN_MAX
    }
}

/// What may be known of a slot without opening it. Not proven until the vault is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotHead {
    /// Its number; never used again for another one while it stands.
    pub id: u16,
    /// For whom; nothing: a kind that this program does not know.
    pub kind: Option<SlotKind>,
    /// The owner's name for it.
    pub label: String,
    /// Who keeps its share, if it has one.
    pub keeper: Option<Keeper>,
    /// Who keeps the secret that is of this computer, if it has one.
    pub machine: Option<Machine>,
    /// How the share is had.
    pub provider: Vec<u8>,
    /// How hard its password is to try; nothing: it has none.
    pub kdf: Option<KdfParams>,
}

impl SlotHead {
    /// What it opens with, for people; empty: a kind that this program does not know.
    pub fn words(&self) -> &'static str {
        match (self.kind, self.machine) {
            (Some(SlotKind::Service), Some(Machine::Tpm)) => "service with TPM",
            (kind, _) => kind.map_or("", SlotKind::words),
        }
    }
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
        details: Details,
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
            details,
        };
        let slot_key = slot.key(ikm, place)?;
        let mut payload = keys.to_payload(slot.kind);
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
            aad.extend_from_slice(&self.kdf(place.kdf).to_bytes());
        }
        if !self.details.provider.is_empty() {
            aad.extend_from_slice(&sha256(&self.details.provider));
        }
        aad
    }

    /// The key derivation that counts for this slot.
    pub(crate) fn kdf<'a>(&'a self, header: &'a KdfField) -> &'a KdfField {
        self.details.kdf.as_ref().unwrap_or(header)
    }

    /// Whether somebody with `factors` could have made it.
    pub(crate) fn is_of(&self, factors: &Factors<'_>) -> bool {
        self.is_for(factors.kind()) && self.factors == factors.bitmap()
    }

    pub(crate) fn head(&self, header: &KdfField) -> SlotHead {
        let has = |factor: u32| self.factors & factor != 0;
        let keeper = has(FACTOR_PKCS11).then_some(Keeper::Pkcs11).or(has(FACTOR_TRANSIT).then_some(Keeper::Transit));
        let machine = has(FACTOR_TPM).then_some(Machine::Tpm).or(has(FACTOR_DEVICE).then_some(Machine::Keychain));
        SlotHead {
            id: self.id,
            kind: SlotKind::parse(self.kind),
            label: self.details.label.clone(),
            keeper,
            machine,
            provider: self.details.provider.clone(),
            kdf: self.needs_password().then(|| self.kdf(header).params),
        }
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
        Some(Self { id, kind, factors, salt, nonce, sealed, commit: fields.array()?, details: Details::default() })
    }
}

struct SlotKey {
    encryption: SecretBox,
    commit: [u8; 32],
}

/// Why a slot could not be made.
#[derive(Debug)]
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
