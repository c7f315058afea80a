//! The state file beside the vault. Invariant: it only grows, and what lies in its place and cannot be read is set aside, not removed.

use std::io;

use crate::anchor::AnchorRecord;
use crate::errors::{Obstacle, SaveError};
use crate::layer::FileLayer;
use crate::store::{STATE, Store};

/// Most of what lay in the state file's place that is kept.
const UNREADABLE_MAX: u32 = 1_000;

/// What lies in the state file's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateFile {
    /// Nothing.
    Missing,
    /// A file: ciphertext, or damaged.
    Bytes(Vec<u8>),
    /// Something that is no file.
    NoFile,
    /// A file that the system does not give out.
    Unreadable(io::ErrorKind),
}

impl<L: FileLayer> Store<L> {
    /// Saves the sealed state file, then its generation in the anchor. An older generation than the anchor's is refused.
    pub fn save_state(&self, bytes: &[u8], generation: u64) -> Result<(), SaveError> {
        let record = self.anchor.record().map_err(SaveError::Keychain)?.ok_or(SaveError::NotAnchored)?;
        if generation <= record.state_generation {
            return Err(SaveError::NotNewer { have: record.state_generation, given: generation });
        }
        self.replace(STATE, bytes, None)?;
        self.anchor.set_record(&AnchorRecord { state_generation: generation, ..record }).map_err(SaveError::Keychain)
    }

    /// What lies in the state file's place, and the lowest generation that the signer may accept in it.
    pub fn load_state(&self) -> (StateFile, u64) {
        let at_least = self.anchor.record().ok().flatten().map_or(0, |record| record.state_generation);
        let file = match self.layer.read(&self.dir.join(STATE)) {
            Ok(bytes) => StateFile::Bytes(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => StateFile::Missing,
            Err(error) if Obstacle::is_met(&error) => StateFile::NoFile,
            Err(error) => StateFile::Unreadable(error.kind()),
        };
        (file, at_least)
    }

    /// Makes room for a state file, once the recovery kit opened the vault without one.
    pub(crate) fn set_unreadable_state_aside(&self) -> Result<(), SaveError> {
        if !matches!(self.load_state().0, StateFile::NoFile | StateFile::Unreadable(_)) {
            return Ok(());
        }
        let names = self.layer.names(&self.dir).map_err(|error| SaveError::of(&error))?;
        let free = (1..=UNREADABLE_MAX).map(|number| format!("state.unreadable.{number}")).find(|name| !names.contains(name));
        let free = free.ok_or(SaveError::InTheWay(Obstacle::State))?;
        self.layer.rename(&self.dir.join(STATE), &self.dir.join(free)).map_err(|error| SaveError::of(&error))
    }
}
