//! Leaves, read strictly. Invariant: bytes that a strict writer would not have written are not a leaf.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};
use strongroom_model::Timestamp;

/// Longest leaf of the format.
const LEAF_LEN_MAX: usize = 65 * 1_024;
const ITEMS: u64 = 8;
const VERSION: u64 = 1;

/// What stands in clear in a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Names the log.
    pub log_id: [u8; 16],
    /// Its place.
    pub seq: u64,
    /// The place of its epoch's first leaf.
    pub epoch: u64,
    /// When, as the writer said.
    pub at: Timestamp,
    /// Its kind.
    pub kind: String,
    /// Hash of the leaf before.
    pub prev: [u8; 32],
    sealed_len: usize,
}

impl Leaf {
    /// Reads one, or says what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > LEAF_LEN_MAX {
            return Err("is longer than any entry");
        }
        let mut input = Decoder::new(bytes);
        let (leaf, sealed) = fields(&mut input).ok_or("is not an entry")?;
        if leaf.is_written_as(bytes, sealed) { Ok(leaf) } else { Err("is not in canonical form") }
    }

    /// SHA-256 over a zero byte and the leaf's bytes.
    pub fn hash(bytes: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update([0u8]);
        hasher.update(bytes);
        hasher.finalize().into()
    }

    /// Whether it opens an epoch.
    pub fn opens_epoch(&self) -> bool {
        self.kind == "epoch"
    }

    /// A sealed key has 80 bytes; a sealed entry at least a nonce and a tag.
    pub fn has_plausible_payload(&self) -> bool {
        if self.opens_epoch() { self.sealed_len == 80 } else { self.sealed_len >= 28 }
    }

    fn is_written_as(&self, bytes: &[u8], sealed: &[u8]) -> bool {
        let mut canonical = Encoder::new(Vec::with_capacity(bytes.len()));
        let written = canonical.array(ITEMS).and_then(|out| {
            out.u64(VERSION)?.bytes(&self.log_id)?.u64(self.seq)?.u64(self.epoch)?;
            out.i64(self.at.us())?.str(&self.kind)?.bytes(&self.prev)?.bytes(sealed)
        });
        written.is_ok() && canonical.writer() == bytes
    }
}

fn fields<'a>(input: &mut Decoder<'a>) -> Option<(Leaf, &'a [u8])> {
    if input.array().ok()? != Some(ITEMS) || input.u64().ok()? != VERSION {
        return None;
    }
    let log_id = <[u8; 16]>::try_from(definite_bytes(input)?).ok()?;
    let seq = input.u64().ok()?;
    let epoch = input.u64().ok()?;
    let at = Timestamp::from_us(input.i64().ok()?);
    let kind = input.str().ok()?;
    let letters = kind.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if kind.is_empty() || kind.len() > 32 || !letters {
        return None;
    }
    let kind = kind.to_owned();
    let prev = <[u8; 32]>::try_from(definite_bytes(input)?).ok()?;
    let sealed = definite_bytes(input)?;
    Some((Leaf { log_id, seq, epoch, at, kind, prev, sealed_len: sealed.len() }, sealed))
}

fn definite_bytes<'a>(input: &mut Decoder<'a>) -> Option<&'a [u8]> {
    match input.datatype().ok()? {
        Type::Bytes => input.bytes().ok(),
        _ => None,
    }
}
