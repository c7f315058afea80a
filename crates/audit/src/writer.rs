//! Builds leaves. Invariant: what was staged counts only once it was accepted; until then the writer stands where it stood.

use strongroom_model::{Advice, Timestamp};
use thiserror::Error;

use crate::kind::Kind;
use crate::leaf::{Fields, PAYLOAD_LEN_MAX, leaf_hash};
use crate::ratchet::{BeginRatchetError, Broken, EntropyError, Ratchet};

/// After so many leaves a new epoch is due.
pub const EPOCH_LEAVES_MAX: u64 = 1_024;
/// After so long a new epoch is due.
pub const EPOCH_MS_MAX: i64 = 15 * 60 * 1_000;
/// Most entries in one transaction.
pub const BATCH_LEN_MAX: usize = 1_024;

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many leaves it has.
    pub size: u64,
    /// The hash of the last one; zeros when there is none.
    pub hash: [u8; 32],
}

/// One leaf, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its place.
    pub seq: u64,
    /// The place of the leaf that opened its epoch.
    pub epoch: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: [u8; 32],
}

/// The end of a log, with the key for the next leaf.
pub struct Writer {
    log_id: [u8; 16],
    epoch: u64,
    epoch_began: Timestamp,
    head: Head,
    key: Ratchet,
}

/// Leaves that count once they are stored. Dropping them leaves no trace.
pub struct Staged {
    leaves: Vec<Leaf>,
    from: Head,
    key: Ratchet,
}

impl Staged {
    /// In the order of their places.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Where the log will end.
    pub fn head(&self) -> Head {
        self.leaves.last().map_or(self.from, |leaf| Head { size: leaf.seq + 1, hash: leaf.hash })
    }
}

impl Writer {
    /// Begins an epoch at the end of a log (`resume`, or `None` for a new log). The leaf that is returned opens it:
    /// store it before anything else. The epoch's first key is random, sealed to `read_public`, and cannot be computed
    /// from the epoch before.
    pub fn begin(
        log_id: [u8; 16],
        read_public: &[u8; 32],
        resume: Option<Head>,
        at: Timestamp,
        entropy: impl FnOnce(&mut [u8]) -> Result<(), EntropyError>,
    ) -> Result<(Self, Leaf), BeginError> {
        let from = resume.unwrap_or(Head { size: 0, hash: [0; 32] });
        let epoch = from.size;
        let kind = Kind::Epoch.text().to_owned();
        let mut fields = Fields { log_id, seq: epoch, epoch, at, kind, prev: from.hash, sealed: Vec::new() };
        let (key, sealed) = Ratchet::begin(read_public, &fields, entropy)?;
        fields.sealed = sealed;
        let leaf = finish(&fields).ok_or(BeginError::Full)?;
        let head = Head { size: leaf.seq + 1, hash: leaf.hash };
        Ok((Self { log_id, epoch, epoch_began: at, head, key }, leaf))
    }

    /// Builds one leaf per entry. Nothing changes until [`Writer::accept`].
    pub fn stage(&self, entries: &[(Kind, &[u8])], at: Timestamp) -> Result<Staged, StageError> {
        if entries.len() > BATCH_LEN_MAX {
            return Err(StageError::TooMany);
        }
        let mut leaves: Vec<Leaf> = Vec::with_capacity(entries.len());
        let mut key = None;
        for (kind, payload) in entries {
            if *kind == Kind::Epoch {
                return Err(StageError::EpochKind);
            }
            if payload.len() > PAYLOAD_LEN_MAX {
                return Err(StageError::TooLong(*kind));
            }
            let now = key.as_ref().unwrap_or(&self.key);
            let (seq, prev) = leaves.last().map_or((self.head.size, self.head.hash), |last| (last.seq + 1, last.hash));
            let kind = kind.text().to_owned();
            let mut fields = Fields { log_id: self.log_id, seq, epoch: self.epoch, at, kind, prev, sealed: Vec::new() };
            fields.sealed = now.seal(&fields, payload)?;
            let next = now.next(&self.log_id)?;
            leaves.push(finish(&fields).ok_or(StageError::Full)?);
            key = Some(next);
        }
        let key = key.ok_or(StageError::Nothing)?;
        Ok(Staged { leaves, from: self.head, key })
    }

    /// The staged leaves are stored: moves on and wipes the keys that sealed them.
    pub fn accept(&mut self, staged: Staged) -> Result<(), AcceptError> {
        if staged.from != self.head {
            return Err(AcceptError);
        }
        self.head = staged.head();
        self.key = staged.key;
        Ok(())
    }

    /// Where the log ends.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The place of the leaf that opened this epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether this epoch is long enough that another should begin.
    pub fn wants_new_epoch(&self, now: Timestamp) -> bool {
        self.head.size - self.epoch >= EPOCH_LEAVES_MAX || now.ms_since(self.epoch_began) >= EPOCH_MS_MAX
    }
}

/// SQLite counts in signed 64 bits.
fn finish(fields: &Fields) -> Option<Leaf> {
    i64::try_from(fields.seq).ok().filter(|seq| *seq < i64::MAX)?;
    let bytes = fields.to_bytes();
    Some(Leaf { seq: fields.seq, epoch: fields.epoch, hash: leaf_hash(&bytes), bytes })
}

/// Why no epoch was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BeginError {
    /// The reading key cannot be used.
    #[error("the log's reading key is not a usable X25519 key; nothing can be recorded under it")]
    Key,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// 2^63 leaves.
    #[error("the log has no number left for another entry")]
    Full,
}

impl BeginError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Key | Self::Full => Advice::Refuse,
            Self::Entropy(_) => Advice::RetryAfter(1_000),
        }
    }
}

impl From<BeginRatchetError> for BeginError {
    fn from(error: BeginRatchetError) -> Self {
        match error {
            BeginRatchetError::Key => Self::Key,
            BeginRatchetError::Entropy(error) => Self::Entropy(error),
        }
    }
}

/// Why nothing was staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StageError {
    /// An empty batch.
    #[error("there is nothing to record")]
    Nothing,
    /// Over [`BATCH_LEN_MAX`].
    #[error("more than {BATCH_LEN_MAX} entries at once; nothing was recorded")]
    TooMany,
    /// Over [`PAYLOAD_LEN_MAX`].
    #[error("an entry of kind {0} is longer than {PAYLOAD_LEN_MAX} bytes; nothing was recorded")]
    TooLong(Kind),
    /// Epochs are opened by [`Writer::begin`].
    #[error("an epoch is not an entry; nothing was recorded")]
    EpochKind,
    /// 2^63 leaves.
    #[error("the log has no number left for another entry")]
    Full,
    /// A primitive failed.
    #[error("a cipher refused its own parameters; this is a defect")]
    Broken,
}

impl StageError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::TooLong(_) | Self::TooMany | Self::Full => Advice::Refuse,
            Self::Nothing | Self::EpochKind | Self::Broken => Advice::Bug,
        }
    }
}

impl From<Broken> for StageError {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

/// The staged leaves do not continue this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("these entries were staged at another end of the log; stage them again")]
pub struct AcceptError;

impl AcceptError {
    /// Two batches were staged at one end.
    pub fn advice(&self) -> Advice {
        Advice::Bug
    }
}
