//! Reads entries with the reading key. Invariant: an entry is given out only if it is the next of its epoch.

use strongroom_model::{Advice, Timestamp};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::kind::Kind;
use crate::leaf::{Fields, leaf_hash};
use crate::ratchet::{Broken, Ratchet};

/// An entry in clear.
pub struct Entry {
    /// Its place.
    pub seq: u64,
    /// When, as the writer said.
    pub at: Timestamp,
    /// The name of its kind; perhaps one that this program does not know.
    pub kind: String,
    /// JSON; wiped on drop.
    pub payload: Zeroizing<Vec<u8>>,
}

/// Stands in one epoch and reads on, leaf by leaf. It proves order and origin within the epoch; whether the log is
/// whole is for the verifier to say.
pub struct Reader {
    log_id: [u8; 16],
    epoch: u64,
    seq: u64,
    prev: [u8; 32],
    key: Ratchet,
}

impl Reader {
    /// Opens an epoch with the 32 secret bytes; they are not kept.
    pub fn open(read_secret: &[u8], epoch_leaf: &[u8]) -> Result<Self, ReadError> {
        let fields = Fields::parse(epoch_leaf).map_err(|_| ReadError::NotALeaf)?;
        if fields.kind != Kind::Epoch.text() || fields.epoch != fields.seq {
            return Err(ReadError::NotAnEpoch(fields.seq));
        }
        let key = Ratchet::open(read_secret, &fields).ok_or(ReadError::WrongKey(fields.seq))?;
        let seq = fields.seq.checked_add(1).ok_or(ReadError::NotALeaf)?;
        Ok(Self { log_id: fields.log_id, epoch: fields.epoch, seq, prev: leaf_hash(epoch_leaf), key })
    }

    /// Reads the next leaf of the epoch. On an error the reader stands where it stood.
    pub fn next(&mut self, leaf: &[u8]) -> Result<Entry, ReadError> {
        let fields = Fields::parse(leaf).map_err(|_| ReadError::NotALeaf)?;
        if fields.kind == Kind::Epoch.text() {
            return Err(ReadError::EpochEnds(fields.seq));
        }
        let follows = fields.log_id == self.log_id && fields.epoch == self.epoch && fields.seq == self.seq && fields.prev == self.prev;
        if !follows {
            return Err(ReadError::OutOfOrder { expected: self.seq, got: fields.seq });
        }
        let payload = self.key.unseal(&fields).ok_or(ReadError::WrongKey(fields.seq))?;
        let seq = fields.seq.checked_add(1).ok_or(ReadError::NotALeaf)?;
        self.key = self.key.next(&self.log_id).map_err(|Broken| ReadError::Broken)?;
        (self.seq, self.prev) = (seq, leaf_hash(leaf));
        Ok(Entry { seq: fields.seq, at: fields.at, kind: fields.kind, payload })
    }
}

/// Why an entry was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Not a leaf.
    #[error("these bytes are not a log entry in canonical form; the log is damaged or was changed")]
    NotALeaf,
    /// Reading begins at an epoch.
    #[error("entry {0} does not open an epoch; reading begins where one opens")]
    NotAnEpoch(u64),
    /// Go on with [`Reader::open`].
    #[error("entry {0} opens the next epoch")]
    EpochEnds(u64),
    /// A leaf is missing or in the wrong place.
    #[error("entry {expected} was expected and entry {got} found; the log is damaged or was changed")]
    OutOfOrder {
        /// The place that comes next.
        expected: u64,
        /// The place that the leaf claims.
        got: u64,
    },
    /// Sealed to somebody else, or forged.
    #[error("entry {0} does not open with this key: it is another log's key, or the entry was forged")]
    WrongKey(u64),
    /// A primitive failed.
    #[error("a cipher refused its own parameters; this is a defect")]
    Broken,
}

impl ReadError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::NotALeaf | Self::OutOfOrder { .. } | Self::WrongKey(_) => Advice::Ask,
            Self::NotAnEpoch(_) | Self::EpochEnds(_) => Advice::Refuse,
            Self::Broken => Advice::Bug,
        }
    }
}
