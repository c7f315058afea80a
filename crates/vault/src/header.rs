//! The header: sorted fields under one MAC. Invariant: a header that is read is the one canonical encoding of what it says.

use strongroom_model::Timestamp;

use crate::kdf::{KdfField, KdfParams};
use crate::primitives::{same, sha256};
use crate::records::{IndexRow, RECORDS_MAX};
use crate::slots::{Details, SLOTS_MAX, Slot, SlotHead};
use crate::vault::OpenError;
use crate::wire::{Fields, len16, len32, put_tlv};

const MAGIC: &[u8; 8] = b"SRVAULT\0";
pub(crate) const MAJOR: u16 = 1;
const PREFIX_LEN: usize = 16;
pub(crate) const MAC_LEN: usize = 32;
/// Longest file that is looked at.
pub(crate) const FILE_LEN_MAX: usize = 32 * 1_024 * 1_024;
const CRITICAL: u16 = 0x8000;
/// Since 1.1; in files that have no use for it there is none.
pub(crate) const MINOR: u16 = 1;

const SLOT_DETAILS: u16 = 1;
const VAULT_ID: u16 = CRITICAL | 1;
const GENERATION: u16 = CRITICAL | 2;
const WRITE_TIME: u16 = CRITICAL | 3;
const KDF: u16 = CRITICAL | 4;
const SLOTS: u16 = CRITICAL | 5;
const RECORD_INDEX: u16 = CRITICAL | 6;
const POLICY_EPOCH: u16 = CRITICAL | 7;
const NEXT_RECORD: u16 = CRITICAL | 8;

/// What a vault's file says about itself without any key. Not proven until the vault is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Names the vault for its whole life.
    pub vault_id: [u8; 16],
    /// Grows by one with every save.
    pub generation: u64,
    /// The header's MAC: with the generation, the name of this very state.
    pub mac: [u8; 32],
    /// How hard the password is to try.
    pub kdf: KdfParams,
    /// SHA-256 of the whole `kdf` field, salt included; the anchor keeps it.
    pub kdf_hash: [u8; 32],
    /// When it was written, as the writer said.
    pub written: Timestamp,
}

/// Reads the header of a vault's file without a key.
pub fn peek(bytes: &[u8]) -> Result<Header, OpenError> {
    Layout::parse(bytes).map(|layout| layout.header())
}

/// What stands in a vault's file for each way to open it, without a key; nothing: it is no vault's.
pub fn peek_slots(bytes: &[u8]) -> Result<Vec<SlotHead>, OpenError> {
    Layout::parse(bytes).map(|layout| layout.slot_heads())
}

/// The header in memory: no secrets, so it may be copied.
#[derive(Clone)]
pub(crate) struct Layout {
    pub(crate) minor: u16,
    pub(crate) vault_id: [u8; 16],
    pub(crate) generation: u64,
    pub(crate) written: Timestamp,
    pub(crate) kdf: KdfField,
    pub(crate) slots: Vec<Slot>,
    pub(crate) index: Vec<IndexRow>,
    pub(crate) policy_epoch: u64,
    pub(crate) next_record: u64,
    /// Fields of later minor versions, kept byte for byte.
    pub(crate) unknown: Vec<(u16, Vec<u8>)>,
    pub(crate) mac: [u8; MAC_LEN],
    pub(crate) body_at: usize,
}

impl Layout {
    pub(crate) fn header(&self) -> Header {
        Header {
            vault_id: self.vault_id,
            generation: self.generation,
            mac: self.mac,
            kdf: self.kdf.params,
            kdf_hash: sha256(&self.kdf.to_bytes()),
            written: self.written,
        }
    }

    pub(crate) fn slot_heads(&self) -> Vec<SlotHead> {
        self.slots.iter().map(|slot| slot.head(&self.kdf)).collect()
    }

    /// Everything that the MAC covers, except the body.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        // The lowest tag of all.
        let detailed: Vec<&Slot> = self.slots.iter().filter(|slot| !slot.details.is_empty()).collect();
        if !detailed.is_empty() {
            let count = len16(detailed.len()).to_be_bytes().to_vec();
            put_tlv(&mut fields, SLOT_DETAILS, &list(count, &detailed, |slot, out| slot.details.write(slot.id, out)));
        }
        // Unknown fields are non-critical, so they sort before every known one.
        for (tag, value) in &self.unknown {
            put_tlv(&mut fields, *tag, value);
        }
        put_tlv(&mut fields, VAULT_ID, &self.vault_id);
        put_tlv(&mut fields, GENERATION, &self.generation.to_be_bytes());
        put_tlv(&mut fields, WRITE_TIME, &self.written.us().to_be_bytes());
        put_tlv(&mut fields, KDF, &self.kdf.to_bytes());
        put_tlv(&mut fields, SLOTS, &list(len16(self.slots.len()).to_be_bytes().to_vec(), &self.slots, Slot::write));
        put_tlv(&mut fields, RECORD_INDEX, &list(len32(self.index.len()).to_be_bytes().to_vec(), &self.index, IndexRow::write));
        put_tlv(&mut fields, POLICY_EPOCH, &self.policy_epoch.to_be_bytes());
        put_tlv(&mut fields, NEXT_RECORD, &self.next_record.to_be_bytes());
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&MAJOR.to_be_bytes());
        out.extend_from_slice(&self.minor.to_be_bytes());
        out.extend_from_slice(&len32(fields.len()).to_be_bytes());
        out.extend_from_slice(&fields);
        out
    }

    /// Checks all that can be checked without a key.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        let mut file = Fields::new(bytes);
        if file.take(MAGIC.len()) != Some(MAGIC) {
            return Err(OpenError::NotAVault);
        }
        if bytes.len() > FILE_LEN_MAX {
            return Err(OpenError::Damaged("it is longer than any vault"));
        }
        let major = file.u16().ok_or(OpenError::Damaged("it ends within its first 16 bytes"))?;
        if major != MAJOR {
            return Err(OpenError::UnsupportedVersion(major));
        }
        let cut = OpenError::Damaged("it ends within the header");
        let minor = file.u16().ok_or(cut)?;
        let header_len = file.len32().ok_or(cut)?;
        let fields = file.take(header_len).ok_or(cut)?;
        let mac = file.array().ok_or(cut)?;
        let body_at = PREFIX_LEN + header_len + MAC_LEN;

        let mut layout = Self::from_fields(fields)?;
        (layout.minor, layout.mac, layout.body_at) = (minor, mac, body_at);
        if layout.slots.iter().any(|slot| slot.details.kdf.as_ref().is_some_and(|kdf| !kdf.params.is_within_bounds())) {
            return Err(OpenError::Damaged("a slot's key derivation is outside what vaults may use"));
        }
        if layout.to_bytes() != bytes.get(..PREFIX_LEN + header_len).unwrap_or_default() {
            return Err(OpenError::Damaged("its header is not in canonical form"));
        }
        if !layout.kdf.params.is_within_bounds() {
            return Err(OpenError::KdfOutOfBounds(layout.kdf.params));
        }
        layout.check_body(bytes.get(body_at..).unwrap_or_default())?;
        Ok(layout)
    }

    /// The records lie one after another, none missing, none left over, each the one that the index names.
    fn check_body(&self, body: &[u8]) -> Result<(), OpenError> {
        let mut end = 0;
        for row in &self.index {
            if row.offset != end {
                return Err(OpenError::Damaged("its record index has a gap"));
            }
            let sealed = row.slice(body).ok_or(OpenError::Damaged("it ends within a record"))?;
            if !same(&sha256(sealed), &row.hash) {
                return Err(OpenError::RecordMismatch(row.id));
            }
            end += u64::from(row.len);
        }
        if u64::try_from(body.len()) == Ok(end) { Ok(()) } else { Err(OpenError::Damaged("bytes follow its last record")) }
    }

    fn from_fields(bytes: &[u8]) -> Result<Self, OpenError> {
        let (mut known, unknown) = split_fields(bytes)?;
        let mut next =
            |tag, missing| known.iter_mut().find(|(own, _)| *own == tag).map(|(_, value)| *value).ok_or(OpenError::Damaged(missing));
        let vault_id = next(VAULT_ID, "its name is missing")?;
        let generation = next(GENERATION, "its generation is missing")?;
        let written = next(WRITE_TIME, "its time is missing")?;
        let kdf = next(KDF, "its key derivation is missing")?;
        let slots = next(SLOTS, "its slots are missing")?;
        let index = next(RECORD_INDEX, "its record index is missing")?;
        let policy_epoch = next(POLICY_EPOCH, "its policy epoch is missing")?;
        let next_record = next(NEXT_RECORD, "its next record number is missing")?;
        let details = next(SLOT_DETAILS, "").ok();
        Ok(Self {
            minor: 0,
            vault_id: vault_id.try_into().map_err(|_| OpenError::Damaged("its name is malformed"))?,
            generation: number(generation).ok_or(OpenError::Damaged("its generation is malformed"))?,
            written: number(written).map(|us| Timestamp::from_us(us.cast_signed())).ok_or(OpenError::Damaged("its time is malformed"))?,
            kdf: KdfField::parse(kdf).ok_or(OpenError::Damaged("its key derivation is malformed"))?,
            slots: read_slots(slots, details).ok_or(OpenError::Damaged("its slots are malformed"))?,
            index: read_index(index).ok_or(OpenError::Damaged("its record index is malformed"))?,
            policy_epoch: number(policy_epoch).ok_or(OpenError::Damaged("its policy epoch is malformed"))?,
            next_record: number(next_record).ok_or(OpenError::Damaged("its next record number is malformed"))?,
            unknown,
            mac: [0; MAC_LEN],
            body_at: 0,
        })
    }
}

type Known<'a> = Vec<(u16, &'a [u8])>;
type Unknown = Vec<(u16, Vec<u8>)>;

/// Fields in strictly ascending order of tag; unknown critical ones end the reading.
fn split_fields(bytes: &[u8]) -> Result<(Known<'_>, Unknown), OpenError> {
    let malformed = OpenError::Damaged("its header fields are malformed");
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut fields = Fields::new(bytes);
    let mut last = None;
    while let Some(tag) = fields.u16() {
        if last.is_some_and(|last| tag <= last) {
            return Err(OpenError::Damaged("its header fields are not in order"));
        }
        last = Some(tag);
        let len = fields.len32().ok_or(malformed)?;
        let value = fields.take(len).ok_or(malformed)?;
        match tag {
            SLOT_DETAILS | VAULT_ID | GENERATION | WRITE_TIME | KDF | SLOTS | RECORD_INDEX | POLICY_EPOCH | NEXT_RECORD => {
                known.push((tag, value))
            }
            _ if tag & CRITICAL != 0 => return Err(OpenError::UnknownCriticalTag(tag)),
            _ => unknown.push((tag, value.to_vec())),
        }
    }
    fields.end((known, unknown)).ok_or(malformed)
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

fn list<T>(mut out: Vec<u8>, items: &[T], write: impl Fn(&T, &mut Vec<u8>)) -> Vec<u8> {
    for item in items {
        write(item, &mut out);
    }
    out
}

fn read_slots(bytes: &[u8], details: Option<&[u8]>) -> Option<Vec<Slot>> {
    let mut fields = Fields::new(bytes);
    let count = usize::from(fields.u16()?);
    if count == 0 || count > SLOTS_MAX {
        return None;
    }
    let mut slots = (0..count).map(|_| Slot::read(&mut fields)).collect::<Option<Vec<_>>>()?;
    if let Some(details) = details {
        let mut fields = Fields::new(details);
        for _ in 0..fields.u16()? {
            let (id, details) = Details::read(&mut fields)?;
            // Order and number are checked by the canonical form.
            slots.iter_mut().find(|slot| slot.id == id)?.details = details;
        }
        fields.end(())?;
    }
    let ascending = slots.windows(2).all(|pair| matches!(pair, [a, b] if a.id < b.id));
    fields.end(slots).filter(|_| ascending)
}

fn read_index(bytes: &[u8]) -> Option<Vec<IndexRow>> {
    let mut fields = Fields::new(bytes);
    let count = fields.len32()?;
    if count > RECORDS_MAX {
        return None;
    }
    let rows = (0..count).map(|_| IndexRow::read(&mut fields)).collect::<Option<Vec<_>>>()?;
    let ascending = rows.windows(2).all(|pair| matches!(pair, [a, b] if a.id < b.id));
    fields.end(rows).filter(|_| ascending)
}
