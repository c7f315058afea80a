//! What can be said about a log. Invariant: “whole” is said only of leaves that a checked signature covers.

use std::collections::BTreeMap;

use serde::Serialize;
use strongroom_model::Timestamp;

use crate::key::LogKey;
use crate::leaf::Leaf;
use crate::note::{Checkpoint, Note};
use crate::source::{Log, Row, SourceError};

/// The answer, and the exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every leaf is in its place and covered by a checkpoint.
    Whole,
    /// Something was changed, removed, moved or forged.
    Tampered,
    /// The log does not contain the head that was saved outside.
    Truncated,
    /// Whole up to the newest checkpoint; what comes after it is chained but signed by nobody yet.
    UnsealedTail,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Whole => 0,
            Self::Tampered => 2,
            Self::Truncated => 3,
            Self::UnsealedTail => 4,
        }
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The entry's number, if it is about one.
    pub seq: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// The answer.
    pub outcome: Outcome,
    /// Name of the log, in hexadecimal.
    pub log_id: Option<String>,
    /// How many leaves were proven to be chained.
    pub leaves: u64,
    /// How many of them the newest good checkpoint covers.
    pub sealed: u64,
    /// How many epochs were opened.
    pub epochs: u64,
    /// How many checkpoints were checked.
    pub checkpoints: u64,
    /// Hash of the last leaf that is chained, hexadecimal.
    pub head: String,
    /// The first leaf's time.
    pub from: Option<String>,
    /// The last leaf's time.
    pub to: Option<String>,
    /// What is wrong, when something is.
    pub broken: Option<Broken>,
    /// What is odd and proves nothing.
    pub warnings: Vec<String>,
}

/// Progress is told after so many entries.
const TELL_EVERY: u64 = 500;
/// How many warnings are told one by one.
const WARNINGS_MAX: usize = 20;

/// Recomputes everything: places, links, hashes, signatures, and the head that was saved outside if there is one.
pub fn verify(log: &Log, key: &LogKey, saved_head: Option<&str>) -> Result<Findings, SourceError> {
    verify_telling(log, key, saved_head, |_, _| ())
}

/// As [`verify`]; tells now and then how many entries were looked at, and how many there are.
pub fn verify_telling(log: &Log, key: &LogKey, saved_head: Option<&str>, mut tell: impl FnMut(u64, u64)) -> Result<Findings, SourceError> {
    let len = log.len()?;
    let mut walk = Walk::default();
    let notes = log.checkpoints()?;
    let (checkpoints, forged) = check_notes(&notes, key);
    let saved = saved_head.map(|note| Note::read(note).and_then(|note| note.checked_with(key)));
    walk.wanted = checkpoints.iter().chain(saved.iter().flatten()).map(|point| (point.size, None)).collect();
    log.leaves(|row| {
        if walk.leaves % TELL_EVERY == 0 {
            tell(walk.leaves, len);
        }
        walk.take(row)
    })?;
    tell(walk.leaves, len.max(walk.leaves));

    let origin = walk.log_id.map(|id| format!("strongroom/{}", hex(&id)));
    let mut broken = walk.broken.take().or(forged);
    let mut sealed = 0;
    if broken.is_none() {
        match check_against_chain(&checkpoints, &walk, origin.as_deref()) {
            Ok(covered) => sealed = covered,
            Err(found) => broken = Some(found),
        }
    }
    let mut outcome = match (&broken, walk.leaves == sealed) {
        (Some(_), _) => Outcome::Tampered,
        (None, true) => Outcome::Whole,
        (None, false) => Outcome::UnsealedTail,
    };
    if let (Some(saved), None) = (&saved, &broken) {
        let checked =
            saved.as_ref().map_or_else(|| Err((Outcome::Tampered, forged_head())), |head| check_saved(head, &walk, origin.as_deref()));
        if let Err((worse, found)) = checked {
            (outcome, broken) = (worse, Some(found));
        }
    }
    Ok(walk.findings(outcome, broken, sealed, u64::try_from(checkpoints.len()).unwrap_or(u64::MAX)))
}

fn forged_head() -> Broken {
    Broken { seq: None, what: "the saved head was not signed by this key".to_owned() }
}

/// A saved head names a leaf that must be there, with that hash.
fn check_saved(head: &Checkpoint, walk: &Walk, origin: Option<&str>) -> Result<(), (Outcome, Broken)> {
    let broken = |what: String| Broken { seq: head.size.checked_sub(1), what };
    if origin.is_some_and(|origin| origin != head.origin) {
        return Err((Outcome::Tampered, broken(format!("the saved head belongs to another log, {}", head.origin))));
    }
    if head.size > walk.leaves {
        let what = format!("the saved head covers {} entries and the log has {}: the end was cut off", head.size, walk.leaves);
        return Err((Outcome::Truncated, broken(what)));
    }
    if walk.hash_at(head.size) != Some(head.head) {
        let what = "the log does not contain the saved head: it was rewritten after the head was saved".to_owned();
        return Err((Outcome::Tampered, broken(what)));
    }
    Ok(())
}

/// Good notes, and the first that is not.
fn check_notes(notes: &[(i64, String)], key: &LogKey) -> (Vec<Checkpoint>, Option<Broken>) {
    let mut good = Vec::new();
    let mut forged = None;
    for (size, note) in notes {
        let checked = Note::read(note).and_then(|note| note.checked_with(key));
        match checked {
            Some(point) if u64::try_from(*size) == Ok(point.size) => good.push(point),
            Some(point) => {
                let what = format!("the checkpoint kept for {size} entries is one for {}", point.size);
                forged.get_or_insert(Broken { seq: None, what });
            }
            None => {
                let what = format!("the checkpoint kept for {size} entries was not signed by this key");
                forged.get_or_insert(Broken { seq: None, what });
            }
        }
    }
    (good, forged)
}

/// Every checkpoint's size and head are those of the chain. Gives the size of the newest.
fn check_against_chain(checkpoints: &[Checkpoint], walk: &Walk, origin: Option<&str>) -> Result<u64, Broken> {
    let mut covered = 0;
    for point in checkpoints {
        let broken = |what: String| Broken { seq: point.size.checked_sub(1), what };
        if origin.is_some_and(|origin| origin != point.origin) {
            return Err(broken(format!("a checkpoint belongs to another log, {}", point.origin)));
        }
        if point.size > walk.leaves {
            let what = format!("a checkpoint covers {} entries and the log has {}: the end was cut off", point.size, walk.leaves);
            return Err(broken(what));
        }
        if walk.hash_at(point.size) != Some(point.head) {
            return Err(broken(format!("the checkpoint for {} entries was signed for other entries", point.size)));
        }
        covered = covered.max(point.size);
    }
    Ok(covered)
}

/// Stands at a place in the chain.
#[derive(Default)]
struct Walk {
    log_id: Option<[u8; 16]>,
    leaves: u64,
    epochs: u64,
    epoch: u64,
    head: [u8; 32],
    /// Sizes whose head somebody will ask for.
    wanted: BTreeMap<u64, Option<[u8; 32]>>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    broken: Option<Broken>,
    warnings: Vec<String>,
    warnings_untold: u64,
}

impl Walk {
    /// Takes one row; `false` when it is wrong and going on would say nothing more.
    fn take(&mut self, row: Row) -> bool {
        if let Err(what) = self.follow(&row) {
            self.broken = Some(Broken { seq: Some(self.leaves), what });
            return false;
        }
        true
    }

    fn follow(&mut self, row: &Row) -> Result<(), String> {
        let expected = self.leaves;
        if u64::try_from(row.seq) != Ok(expected) {
            return Err(format!("entry {expected} is missing: the next one kept is {}", row.seq));
        }
        let leaf = Leaf::read(&row.bytes).map_err(|what| format!("entry {expected} {what}"))?;
        if leaf.seq != expected {
            return Err(format!("in the place of entry {expected} stands entry {}", leaf.seq));
        }
        if self.log_id.is_some_and(|id| id != leaf.log_id) {
            return Err(format!("entry {expected} belongs to another log"));
        }
        if leaf.prev != self.head {
            return Err(format!("entry {expected} does not follow the entry before it: one of them was changed"));
        }
        self.follow_epoch(&leaf)?;
        let hash = Leaf::hash(&row.bytes);
        if row.hash != hash {
            return Err(format!("entry {expected} does not fit the hash that was noted for it"));
        }
        self.follow_time(&leaf);
        self.log_id = Some(leaf.log_id);
        (self.leaves, self.head) = (expected + 1, hash);
        if let Some(place) = self.wanted.get_mut(&self.leaves) {
            *place = Some(hash);
        }
        Ok(())
    }

    fn follow_epoch(&mut self, leaf: &Leaf) -> Result<(), String> {
        let seq = leaf.seq;
        if leaf.opens_epoch() {
            (self.epoch, self.epochs) = (seq, self.epochs + 1);
        }
        if self.epochs == 0 {
            return Err("the first entry does not open an epoch".to_owned());
        }
        if leaf.epoch != self.epoch {
            return Err(format!("entry {seq} claims epoch {} and stands in epoch {}", leaf.epoch, self.epoch));
        }
        if leaf.has_plausible_payload() { Ok(()) } else { Err(format!("entry {seq} has no sealed content of a possible length")) }
    }

    fn follow_time(&mut self, leaf: &Leaf) {
        if let Some(before) = self.to.filter(|before| leaf.at < *before) {
            if self.warnings.len() < WARNINGS_MAX {
                self.warnings.push(format!("entry {} is dated {}, before the entry before it ({before})", leaf.seq, leaf.at));
            } else {
                self.warnings_untold += 1;
            }
        }
        self.from.get_or_insert(leaf.at);
        self.to = Some(leaf.at);
    }

    /// The head of the first `size` leaves, if it was asked for in advance; zeros for none.
    fn hash_at(&self, size: u64) -> Option<[u8; 32]> {
        if size == 0 { Some([0; 32]) } else { self.wanted.get(&size).copied().flatten() }
    }

    fn findings(mut self, outcome: Outcome, broken: Option<Broken>, sealed: u64, checkpoints: u64) -> Findings {
        if self.warnings_untold > 0 {
            self.warnings.push(format!("and {} more like these", self.warnings_untold));
        }
        Findings {
            outcome,
            log_id: self.log_id.map(|id| hex(&id)),
            leaves: self.leaves,
            sealed,
            epochs: self.epochs,
            checkpoints,
            head: hex(&self.head),
            from: self.from.map(|at| at.to_string()),
            to: self.to.map(|at| at.to_string()),
            broken,
            warnings: self.warnings,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
