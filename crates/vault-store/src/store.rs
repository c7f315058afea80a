//! A vault's folder. Invariant: a save replaces the vault's file only by a whole, synced, re-read one, and the anchor
//! knows of it before and after.

use std::io;
use std::path::{Path, PathBuf};

use crate::anchor::{Anchor, AnchorRecord, Attempt, AttemptEnd, Mark};
use crate::backups::{BACKUPS, any_backup};
use crate::errors::{LoadError, Obstacle, SaveError, SetupError};
use crate::keychain::KeychainError;
use crate::layer::{Disk, FileLayer};
use crate::lock::{Lock, LockError};
use crate::prefix::Prefix;

pub(crate) const VAULT: &str = "vault.srv";
pub(crate) const STATE: &str = "state.srs";

/// The folder of one vault, and its anchor.
pub struct Store<L: FileLayer = Disk> {
    pub(crate) dir: PathBuf,
    pub(crate) layer: L,
    pub(crate) anchor: Box<dyn Anchor>,
}

/// What the anchor says of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorVerdict {
    /// It is the one that was saved last.
    Matches,
    /// It is the one that was being saved when something failed; complete. Call [`Store::settle`] once it opened.
    MatchesPending,
    /// It is older than what was saved: open read-only, ask for the recovery kit, record it.
    RolledBack {
        /// The file's generation.
        file: u64,
        /// The anchor's.
        anchor: u64,
    },
    /// It says that it is the one that was saved, and its bytes are others: bits flipped, or somebody wrote into it.
    Altered {
        /// Both generations.
        generation: u64,
    },
    /// It is not older, and the anchor does not know it: treat it like a rollback.
    Foreign {
        /// The file's generation.
        file: u64,
        /// The anchor's.
        anchor: u64,
    },
    /// The keychain knows nothing of this vault: treat it like a rollback.
    Lost,
    /// The keychain cannot be asked; the device secret cannot be had either.
    Unreachable(KeychainError),
}

/// A vault's file and what is to be thought of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The file: ciphertext.
    pub bytes: Vec<u8>,
    /// What it says about itself.
    pub prefix: Prefix,
    /// What the anchor says.
    pub verdict: AnchorVerdict,
}

/// How a save went that did save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// File and anchor agree.
    Settled,
    /// The file is saved; the anchor still calls it pending. The next save or [`Store::settle`] sets that right.
    AnchorBehind(KeychainError),
}

impl Store {
    /// Makes the folder (0700) for a new vault; one that holds a vault already is refused.
    pub fn create(dir: impl Into<PathBuf>, anchor: Box<dyn Anchor>) -> Result<Self, SetupError> {
        Self::create_on(Disk, dir, anchor)
    }

    /// Stands before an existing vault's folder; nothing is read yet.
    pub fn open(dir: impl Into<PathBuf>, anchor: Box<dyn Anchor>) -> Self {
        Self { dir: dir.into(), layer: Disk, anchor }
    }

    /// The name of the vault in `dir`, from its file or else from its newest readable backup: needed to find its anchor.
    pub fn vault_id_in(dir: &Path) -> Option<[u8; 16]> {
        let from_file = Disk.read(&dir.join(VAULT)).ok().and_then(|bytes| Prefix::read(&bytes));
        from_file.or_else(|| any_backup(&Disk, dir)).map(|prefix| prefix.vault_id)
    }

    /// The name of the vault in an image that was not saved yet.
    pub fn vault_id_of(image: &[u8]) -> Option<[u8; 16]> {
        Prefix::read(image).map(|prefix| prefix.vault_id)
    }

    /// One process per vault: the lock, or who has it.
    pub fn lock(&self) -> Result<Lock, LockError> {
        Lock::take(&self.dir)
    }
}

impl<L: FileLayer> Store<L> {
    /// [`Store::create`] on a given layer.
    pub fn create_on(layer: L, dir: impl Into<PathBuf>, anchor: Box<dyn Anchor>) -> Result<Self, SetupError> {
        let dir = dir.into();
        let io = |error: io::Error| SetupError::Io(error.kind());
        layer.make_dir(&dir).map_err(io)?;
        if layer.names(&dir).map_err(io)?.iter().any(|name| name == VAULT) {
            return Err(SetupError::Exists);
        }
        layer.make_dir(&dir.join(BACKUPS)).map_err(io)?;
        let mut handle = layer.open_dir(&dir).map_err(io)?;
        layer.sync_dir(&mut handle).map_err(io)?;
        Ok(Self { dir, layer, anchor })
    }

    /// [`Store::open`] on a given layer.
    pub fn open_on(layer: L, dir: impl Into<PathBuf>, anchor: Box<dyn Anchor>) -> Self {
        Self { dir: dir.into(), layer, anchor }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The anchor.
    pub fn anchor(&self) -> &dyn Anchor {
        &*self.anchor
    }

    /// Reads the vault's file and compares it with the anchor.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        let newest = || self.newest_backup();
        let bytes = match self.layer.read(&self.dir.join(VAULT)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LoadError::Missing { backup: newest() }),
            Err(error) if Obstacle::is_met(&error) => return Err(LoadError::NoFile { backup: newest() }),
            Err(error) => return Err(LoadError::Io { kind: error.kind(), backup: newest() }),
        };
        let prefix = Prefix::read(&bytes).ok_or_else(|| LoadError::Damaged { backup: newest() })?;
        let verdict = match self.anchor.record() {
            Ok(Some(record)) => judge(prefix.into(), &record),
            Ok(None) => AnchorVerdict::Lost,
            Err(error) => AnchorVerdict::Unreachable(error),
        };
        Ok(Loaded { bytes, prefix, verdict })
    }

    /// Saves the next generation. On an error other than [`SaveError::Uncertain`] the old vault stands unchanged.
    pub fn save(&self, image: &[u8], generation: u64, mac: &[u8; 32]) -> Result<Saved, SaveError> {
        let new: Mark =
            Prefix::read(image).filter(|new| new.generation == generation && new.mac == *mac).ok_or(SaveError::NotTheImage)?.into();
        let old = self.present_mark()?;
        let record = self.record_before(old, new)?;
        if let Some(old) = &old {
            // A restored backup began a new line, and something failed before the other one was set aside.
            self.set_others_aside(old)?;
        }
        self.anchor.set_record(&record).map_err(SaveError::Keychain)?;

        let replaced = self.replace(VAULT, image, old.as_ref());
        if let Err(error) = replaced {
            if !matches!(error, SaveError::Uncertain(_)) {
                // If this fails too, the pending mark names a file that never came to be: harmless.
                let _ = self.anchor.set_record(&AnchorRecord { pending: None, ..record });
            }
            return Err(error);
        }
        self.prune(new.generation);
        let settled = AnchorRecord { committed: Some(new), pending: None, ..record };
        Ok(self.anchor.set_record(&settled).map_or_else(Saved::AnchorBehind, |()| Saved::Settled))
    }

    /// Calls the present file the committed one if the anchor knows it, after it opened.
    pub fn settle(&self) -> Result<(), SaveError> {
        let Some(present) = self.present_mark()? else { return Err(SaveError::NotAnchored) };
        let record = self.anchor.record().map_err(SaveError::Keychain)?.ok_or(SaveError::NotAnchored)?;
        match judge(present, &record) {
            AnchorVerdict::Matches if record.pending.is_none() => Ok(()),
            AnchorVerdict::Matches | AnchorVerdict::MatchesPending => {
                self.set_record(AnchorRecord { committed: Some(present), pending: None, ..record })
            }
            _ => Err(SaveError::NotAnchored),
        }
    }

    /// Puts a vault that the recovery kit opened, with its new password, in the present file's place, whatever that is and whatever
    /// the anchor says of it. A present file that can be read is kept among the backups, and so are those of a line that is left. On an
    /// error other than [`SaveError::Uncertain`] file and anchor stand as they were: nothing is vouched for without this image.
    pub fn save_by_kit(&self, image: &[u8], generation: u64, mac: &[u8; 32]) -> Result<Saved, SaveError> {
        let new: Mark =
            Prefix::read(image).filter(|new| new.generation == generation && new.mac == *mac).ok_or(SaveError::NotTheImage)?.into();
        let present = match self.present_mark() {
            Ok(present) => present.filter(|present| present.mac != new.mac),
            // Nothing could be made of it.
            Err(SaveError::PresentDamaged) => None,
            Err(error) => return Err(error),
        };
        self.set_unreadable_state_aside()?;
        let known = self.anchor.record().map_err(SaveError::Keychain)?;
        let before = known.unwrap_or_default();
        self.set_record(AnchorRecord { pending: Some(new), ..before })?;
        if let Err(error) = self.replace(VAULT, image, present.as_ref()) {
            if !matches!(error, SaveError::Uncertain(_)) {
                // If this fails too, the pending mark names a file that never came to be: harmless.
                let _ = self.set_record(before);
            }
            return Err(error);
        }
        // Not before: until the new file is in place, another one is in use. If it fails, the next save does it.
        let _ = self.set_others_aside(&new);
        let settled = AnchorRecord { committed: Some(new), pending: None, ..before };
        Ok(self.anchor.set_record(&settled).map_or_else(Saved::AnchorBehind, |()| Saved::Settled))
    }

    /// Counts an attempt before it is judged, so that nobody gets one for nothing by ending the program. Gives how many there are
    /// now since the last good one. Without an anchor nothing is counted.
    pub fn begin_attempt(&self, attempt: Attempt) -> Result<u32, SaveError> {
        let Some(mut record) = self.anchor.record().map_err(SaveError::Keychain)? else { return Ok(0) };
        let counter = record.counter(attempt);
        *counter = counter.saturating_add(1);
        let counted = *counter;
        self.set_record(record).map(|()| counted)
    }

    /// Says what became of it. A right one forgets the wrong ones before; a right kit those of the password, too. `others`: so many
    /// of the kind are begun and not judged yet, and stay counted.
    pub fn end_attempt(&self, attempt: Attempt, end: AttemptEnd, others: u32) -> Result<u32, SaveError> {
        let Some(mut record) = self.anchor.record().map_err(SaveError::Keychain)? else { return Ok(0) };
        let before = record;
        match (attempt, end) {
            (_, AttemptEnd::Wrong) => {}
            (_, AttemptEnd::NotMade) => *record.counter(attempt) = record.counter(attempt).saturating_sub(1),
            (Attempt::Password, AttemptEnd::Right) => record.fail_counter = record.fail_counter.min(others),
            (Attempt::Kit, AttemptEnd::Right) => (record.fail_counter, record.kit_fail_counter) = (0, record.kit_fail_counter.min(others)),
        }
        let counted = *record.counter(attempt);
        if record == before { Ok(counted) } else { self.set_record(record).map(|()| counted) }
    }

    /// Attempts since the last good one.
    pub fn attempts(&self, attempt: Attempt) -> Result<u32, SaveError> {
        let record = self.anchor.record().map_err(SaveError::Keychain)?;
        Ok(record.map_or(0, |mut record| *record.counter(attempt)))
    }

    fn set_record(&self, record: AnchorRecord) -> Result<(), SaveError> {
        self.anchor.set_record(&record).map_err(SaveError::Keychain)
    }

    /// The file's mark; `None` when there is no file.
    pub(crate) fn present_mark(&self) -> Result<Option<Mark>, SaveError> {
        match self.layer.read(&self.dir.join(VAULT)) {
            Ok(bytes) => Prefix::read(&bytes).map(|prefix| Some(prefix.into())).ok_or(SaveError::PresentDamaged),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if Obstacle::is_met(&error) => Err(SaveError::InTheWay(Obstacle::Vault)),
            Err(error) => Err(SaveError::of(&error)),
        }
    }
}

pub(crate) fn judge(file: Mark, record: &AnchorRecord) -> AnchorVerdict {
    if record.committed.is_some_and(|mark| mark.is_of(&file)) {
        return AnchorVerdict::Matches;
    }
    if record.pending.is_some_and(|mark| mark.is_of(&file)) {
        return AnchorVerdict::MatchesPending;
    }
    if [record.committed, record.pending].into_iter().flatten().any(|mark| mark.is_altered_in(&file)) {
        return AnchorVerdict::Altered { generation: file.generation };
    }
    let (file, anchor) = (file.generation, record.committed.map_or(0, |mark| mark.generation));
    if file < anchor { AnchorVerdict::RolledBack { file, anchor } } else { AnchorVerdict::Foreign { file, anchor } }
}
