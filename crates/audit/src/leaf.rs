//! A leaf's bytes. Invariant: one entry has one encoding; anything else is not a leaf.

use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};
use strongroom_model::{Advice, Timestamp};
use thiserror::Error;

/// Longest plaintext of one entry.
pub const PAYLOAD_LEN_MAX: usize = 64 * 1_024;
/// Longest leaf that is looked at.
const LEAF_LEN_MAX: usize = PAYLOAD_LEN_MAX + 1_024;
const VERSION: u64 = 1;
const KIND_LEN_MAX: usize = 32;

/// The fields of a leaf, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Names the log; the vault's id.
    pub log_id: [u8; 16],
    /// Its place, from 0.
    pub seq: u64,
    /// The place of the leaf that opened its epoch.
    pub epoch: u64,
    /// When, as the writer said.
    pub at: Timestamp,
    /// The name of its kind.
    pub kind: String,
    /// The hash of the leaf before; zeros for the first.
    pub prev: [u8; 32],
    /// The sealed payload; in an epoch's first leaf, the sealed key.
    pub sealed: Vec<u8>,
}

/// These bytes are not a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("these bytes are not a log entry in canonical form")]
pub struct LeafError;

impl LeafError {
    /// The log was damaged or changed.
    pub fn advice(&self) -> Advice {
        Advice::Ask
    }
}

impl Fields {
    /// Reads a leaf; only its one canonical encoding is accepted.
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > LEAF_LEN_MAX {
            return Err(LeafError);
        }
        let fields = Self::decode(&mut Decoder::new(bytes)).ok_or(LeafError)?;
        if fields.to_bytes() == bytes { Ok(fields) } else { Err(LeafError) }
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Encoder::new(self.write_head(8));
        ok(out.bytes(&self.sealed));
        out.into_writer()
    }

    /// What a payload is bound to: all fields but the payload, as an array of seven.
    pub(crate) fn aad(&self) -> Vec<u8> {
        self.write_head(7)
    }

    fn write_head(&self, items: u64) -> Vec<u8> {
        let mut out = Encoder::new(Vec::new());
        ok(out.array(items));
        ok(out.u64(VERSION));
        ok(out.bytes(&self.log_id));
        ok(out.u64(self.seq));
        ok(out.u64(self.epoch));
        ok(out.i64(self.at.us()));
        ok(out.str(&self.kind));
        ok(out.bytes(&self.prev));
        out.into_writer()
    }

    fn decode(input: &mut Decoder<'_>) -> Option<Self> {
        if input.array().ok()?? != 8 || input.u64().ok()? != VERSION {
            return None;
        }
        let fields = Self {
            log_id: input.bytes().ok()?.try_into().ok()?,
            seq: input.u64().ok()?,
            epoch: input.u64().ok()?,
            at: Timestamp::from_us(input.i64().ok()?),
            kind: input.str().ok().filter(|kind| is_kind(kind))?.to_owned(),
            prev: input.bytes().ok()?.try_into().ok()?,
            sealed: input.bytes().ok()?.to_vec(),
        };
        Some(fields)
    }
}

fn is_kind(text: &str) -> bool {
    (1..=KIND_LEN_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Writing to a `Vec` cannot fail.
fn ok<T, E>(written: Result<T, E>) {
    debug_assert!(written.is_ok(), "writing to memory failed");
}

/// SHA-256 over a zero byte and the leaf.
pub(crate) fn leaf_hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(bytes).finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaf() -> Fields {
        let kind = "heartbeat".to_owned();
        Fields { log_id: [1; 16], seq: 300, epoch: 0, at: Timestamp::from_us(-5), kind, prev: [2; 32], sealed: vec![9; 40] }
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let bytes = leaf().to_bytes();
        assert_eq!(Fields::parse(&bytes), Ok(leaf()));
        let mut longer = bytes.clone();
        longer.push(0);
        // The version, 1, written in two bytes.
        let padded = [&bytes[..1], &[0x18, 1], &bytes[2..]].concat();
        for bad in [&longer[..], &padded, &bytes[..bytes.len() - 1], &[], &[0x9f]] {
            assert_eq!(Fields::parse(bad), Err(LeafError));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Fields::parse(&bytes);
        }
    }
}
