//! An opened vault. Invariant: it exists only after every byte of its file was proven by a slot's keys.

use strongroom_model::{Advice, Timestamp};
use thiserror::Error;

use crate::change::Sealed;
use crate::codes::Kit;
use crate::entropy::{Entropy, EntropyError, make_public};
use crate::header::{Header, Layout, MAC_LEN};
use crate::kdf::{KdfField, KdfParams, PasswordError};
use crate::keys::Keys;
use crate::primitives::{Broken, derive, mac, same, sha256};
use crate::records::{RecordError, RecordHead, WrapKeys};
use crate::secret::SecretBox;
use crate::slots::{Details, Factors, Place, SealSlotError, Slot, SlotError, SlotHead, SlotKind};

/// What a new vault is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewVault {
    /// 16 random bytes that name it.
    pub vault_id: [u8; 16],
    /// How hard the password is to try.
    pub kdf: KdfParams,
    /// Now.
    pub at: Timestamp,
}

/// Keys derived for what lies outside the vault's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The sealed state file: counters and the second factor's last step.
    State,
    /// Values that verify second-factor recovery codes.
    Totp,
}

/// An opened vault: the keys, and the file's bytes as ciphertext.
pub struct Vault {
    pub(crate) layout: Layout,
    pub(crate) image: Vec<u8>,
    pub(crate) keys: Keys,
    /// Number of the slot that opened it.
    pub(crate) opened_by: u16,
}

impl Vault {
    /// Makes the first generation, with a slot for the password and one for the kit. Nothing is stored yet:
    /// see [`Vault::first_image`].
    pub fn create(spec: NewVault, password: &[u8], device: &[u8; 32], kit: &Kit, entropy: &mut dyn Entropy) -> Result<Self, CreateError> {
        if !spec.kdf.is_within_bounds() {
            return Err(CreateError::KdfOutOfBounds(spec.kdf));
        }
        let kdf = KdfField { params: spec.kdf, salt: make_public(entropy)? };
        let keys = Keys::make(entropy)?;
        let place = Place { vault_id: &spec.vault_id, kdf: &kdf };
        let mut slots = Vec::new();
        for (id, factors) in [(1, Factors::Password { password, device }), (2, Factors::Kit(kit))] {
            let ikm = factors.ikm(&kdf)?;
            slots.push(Slot::seal(id, &factors, &ikm, &keys, &place, Details::default(), entropy)?);
        }
        let mut layout = Layout {
            minor: 0,
            vault_id: spec.vault_id,
            generation: 1,
            written: spec.at,
            kdf,
            slots,
            index: Vec::new(),
            policy_epoch: 0,
            next_record: 1,
            unknown: Vec::new(),
            mac: [0; MAC_LEN],
            body_at: 0,
        };
        let image = assemble(&mut layout, &[], &keys)?;
        Ok(Self { layout, image, keys, opened_by: 1 })
    }

    /// Opens a file with somebody's factors, whichever slot they are for, and proves all of it.
    pub fn open(bytes: &[u8], factors: Factors<'_>) -> Result<Self, OpenError> {
        Self::open_slot(bytes, None, factors)
    }

    /// Opens a file by the slot of that number: needed where every slot has a share of its own.
    pub fn open_slot(bytes: &[u8], slot: Option<u16>, factors: Factors<'_>) -> Result<Self, OpenError> {
        let layout = Layout::parse(bytes)?;
        let (opened_by, keys) = open_slots(&layout, slot, &factors)?;
        let (head, body) = split(&layout, bytes);
        if !same(&mac(keys.header.bytes(), &[head, &sha256(body)])?, &layout.mac) {
            return Err(OpenError::Damaged("its header does not fit its seal"));
        }
        Ok(Self { layout, image: bytes.to_vec(), keys, opened_by })
    }

    /// Asks again for password and device while the vault is open, and tells whose slot it is; costs a key derivation for each
    /// person.
    pub fn check_password(&self, password: &[u8], device: &[u8; 32]) -> Result<u16, OpenError> {
        open_slots(&self.layout, None, &Factors::Password { password, device }).map(|(slot, _)| slot)
    }

    /// Whether all of its keys lie in memory that was reserved for them ([`KeyCells`](crate::KeyCells)).
    pub fn keys_are_kept(&self) -> bool {
        self.keys.are_kept()
    }

    /// Every way to open it.
    pub fn slots(&self) -> Vec<SlotHead> {
        self.layout.slot_heads()
    }

    /// The slot that opened it.
    pub fn opened_by(&self) -> Option<SlotHead> {
        self.slots().into_iter().find(|slot| slot.id == self.opened_by)
    }

    /// The header, proven.
    pub fn header(&self) -> Header {
        self.layout.header()
    }

    /// The vault's name.
    pub fn id(&self) -> &[u8; 16] {
        &self.layout.vault_id
    }

    /// How often it was saved.
    pub fn generation(&self) -> u64 {
        self.layout.generation
    }

    /// How hard the password is to try.
    pub fn kdf(&self) -> KdfParams {
        self.layout.kdf.params
    }

    /// How often the policy was replaced.
    pub fn policy_epoch(&self) -> u64 {
        self.layout.policy_epoch
    }

    /// A number that no record of this vault ever had.
    pub fn next_record_id(&self) -> u64 {
        self.layout.next_record
    }

    /// Every record, by ascending id.
    pub fn records(&self) -> impl Iterator<Item = RecordHead> + '_ {
        self.layout.index.iter().map(|row| row.head())
    }

    /// Decrypts one record and lends it to `f`; the plaintext is wiped when `f` returns.
    pub fn with_record<R>(&self, id: u64, f: impl FnOnce(&[u8]) -> R) -> Result<R, RecordError> {
        // Rows stand by ascending id.
        let at = self.layout.index.binary_search_by_key(&id, |row| row.id).map_err(|_| RecordError::Unknown(id))?;
        let row = self.layout.index.get(at).ok_or(RecordError::Unknown(id))?;
        let sealed = row.slice(self.body()).ok_or(RecordError::Misplaced(id))?;
        let wraps = WrapKeys::derive(&self.keys, self.id(), self.generation()).map_err(|_| RecordError::Broken)?;
        row.open(sealed, self.id(), wraps.of(row.reach).ok_or(RecordError::NotInThisSlot)?, f)
    }

    /// The key for `purpose`; the same in every generation.
    pub fn derive_key(&self, purpose: Purpose) -> Result<SecretBox, RecordError> {
        // A service keeps counters, too; codes are for persons.
        let (key, info): (_, &[u8]) = match purpose {
            Purpose::State => (&self.keys.service, b"strongroom/v1/state"),
            Purpose::Totp => (&self.keys.root, b"strongroom/v1/totp"),
        };
        let key = key.as_ref().ok_or(RecordError::NotInThisSlot)?;
        derive(key.bytes(), self.id(), &[info]).map_err(|_| RecordError::Broken)
    }

    /// Lends the 32 bytes that read the audit log: an X25519 private key.
    pub fn with_audit_read_key<R>(&self, f: impl FnOnce(&[u8]) -> R) -> Result<R, RecordError> {
        self.keys.audit_read.as_ref().map(|key| f(key.bytes())).ok_or(RecordError::NotInThisSlot)
    }

    /// The bytes of the generation that is open, ready to be stored; after [`Vault::create`], the first.
    pub fn first_image(&self) -> Sealed {
        Sealed { layout: self.layout.clone(), image: self.image.clone(), keys: None }
    }

    pub(crate) fn body(&self) -> &[u8] {
        split(&self.layout, &self.image).1
    }
}

/// The part under the MAC and the body.
fn split<'a>(layout: &Layout, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let head = bytes.get(..layout.body_at - MAC_LEN).unwrap_or_default();
    (head, bytes.get(layout.body_at..).unwrap_or_default())
}

/// Lays out header, MAC and body.
pub(crate) fn assemble(layout: &mut Layout, body: &[u8], keys: &Keys) -> Result<Vec<u8>, Broken> {
    let mut image = layout.to_bytes();
    layout.mac = mac(keys.header.bytes(), &[&image, &sha256(body)])?;
    layout.body_at = image.len() + MAC_LEN;
    image.extend_from_slice(&layout.mac);
    image.extend_from_slice(body);
    Ok(image)
}

/// Tries the slots that such factors could be for; a password is stretched once for each of their key derivations.
fn open_slots(layout: &Layout, only: Option<u16>, factors: &Factors<'_>) -> Result<(u16, Keys), OpenError> {
    let fits = |slot: &&Slot| slot.is_of(factors) && only.is_none_or(|only| slot.id == only);
    let mut slots = layout.slots.iter().filter(fits).peekable();
    if slots.peek().is_none() {
        return Err(OpenError::NoSuchSlot(factors.kind()));
    }
    let mut derived: Option<(&KdfField, SecretBox)> = None;
    for slot in slots {
        let kdf = slot.kdf(&layout.kdf);
        let ikm = match derived.take() {
            Some((of, ikm)) if of == kdf => ikm,
            _ => factors.ikm(kdf)?,
        };
        let place = Place { vault_id: &layout.vault_id, kdf: &layout.kdf };
        match slot.open(&ikm, &place) {
            Ok(keys) => return Ok((slot.id, keys)),
            Err(SlotError::Wrong) => derived = Some((kdf, ikm)),
            Err(SlotError::Damaged) => return Err(OpenError::Damaged("its slot does not fit its seal")),
            Err(SlotError::Broken) => return Err(OpenError::Broken),
        }
    }
    Err(OpenError::WrongFactors)
}

/// Why no vault was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CreateError {
    /// The password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Too weak or too heavy.
    #[error("{0} is outside what vaults may use; nothing was created")]
    KdfOutOfBounds(KdfParams),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A primitive failed.
    #[error("a cipher refused its own parameters; this is a defect")]
    Broken,
}

impl CreateError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Password(error) => error.advice(),
            Self::KdfOutOfBounds(_) => Advice::Refuse,
            Self::Entropy(error) => error.advice(),
            Self::Broken => Advice::Bug,
        }
    }
}

impl From<Broken> for CreateError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl From<SealSlotError> for CreateError {
    fn from(error: SealSlotError) -> Self {
        match error {
            SealSlotError::Entropy(error) => Self::Entropy(error),
            SealSlotError::Broken => Self::Broken,
        }
    }
}

/// Why a vault did not open. The file is never changed by an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Another kind of file.
    #[error("this file is not a Strongroom vault")]
    NotAVault,
    /// Written by a program with another major version.
    #[error("this vault has format {0}; this program reads format 1. Use the program that wrote it")]
    UnsupportedVersion(u16),
    /// A field that must be understood and is not.
    #[error("this vault uses a feature ({0:#06x}) that this program does not know. Use a newer program")]
    UnknownCriticalTag(u16),
    /// Too weak to be safe or too heavy to be honest.
    #[error(
        "this vault asks for {0}, outside what vaults may use; it may have been tampered with. Restore a backup; `strongroom vault status` names them"
    )]
    KdfOutOfBounds(KdfParams),
    /// Not what was written.
    #[error("the vault is damaged or was changed: {0}. Restore a backup; `strongroom vault status` names them")]
    Damaged(&'static str),
    /// A record was replaced, perhaps by another or an older one.
    #[error(
        "record {0} is not the one that the vault's index names. Restore a backup (`strongroom vault status` names them) and compare the audit log"
    )]
    RecordMismatch(u64),
    /// Nobody can open it this way.
    #[error("this vault has no slot of kind {0:?}")]
    NoSuchSlot(SlotKind),
    /// Wrong password, device or kit: which one is not known.
    #[error("the vault did not open: the password, or the secret in this device's keychain, or the kit is not this vault's")]
    WrongFactors,
    /// The password cannot be tried.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A primitive failed.
    #[error("a cipher refused its own parameters; this is a defect")]
    Broken,
}

impl OpenError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::NotAVault | Self::UnsupportedVersion(_) | Self::UnknownCriticalTag(_) | Self::NoSuchSlot(_) => Advice::Refuse,
            Self::KdfOutOfBounds(_) | Self::Damaged(_) | Self::RecordMismatch(_) | Self::WrongFactors => Advice::Ask,
            Self::Password(error) => error.advice(),
            Self::Broken => Advice::Bug,
        }
    }
}

impl From<Broken> for OpenError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}
