//! The steps of a save. Invariant: until the rename, whatever fails leaves the old file and no temporary one.

use std::io;
use std::path::Path;

use crate::anchor::{AnchorRecord, Mark};
use crate::errors::{Obstacle, SaveError};
use crate::layer::FileLayer;
use crate::store::{AnchorVerdict, STATE, Store, judge};

const TMP: &str = ".tmp";

impl<L: FileLayer> Store<L> {
    /// The anchor's record for the time of the save: the present file committed, the new one pending.
    pub(crate) fn record_before(&self, old: Option<Mark>, new: Mark) -> Result<AnchorRecord, SaveError> {
        let known = self.anchor.record().map_err(SaveError::Keychain)?;
        let Some(old) = old else {
            // The first save: there is nothing older to protect, unless the anchor remembers something.
            let record = known.unwrap_or_default();
            return match record.committed {
                Some(last) if last.generation >= new.generation => {
                    Err(SaveError::NotNewer { have: last.generation, given: new.generation })
                }
                _ => Ok(AnchorRecord { pending: Some(new), ..record }),
            };
        };
        let record = known.ok_or(SaveError::NotAnchored)?;
        if !matches!(judge(old, &record), AnchorVerdict::Matches | AnchorVerdict::MatchesPending) {
            return Err(SaveError::NotAnchored);
        }
        if new.generation <= old.generation {
            return Err(SaveError::NotNewer { have: old.generation, given: new.generation });
        }
        Ok(AnchorRecord { committed: Some(old), pending: Some(new), ..record })
    }

    /// Temporary file, sync, read back, backup link, rename, sync of the folder. `present`: the file that is replaced and kept.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8], present: Option<&Mark>) -> Result<(), SaveError> {
        let (path, tmp) = (self.dir.join(name), self.dir.join(format!("{name}{TMP}")));
        let (place, place_before) =
            if name == STATE { (Obstacle::State, Obstacle::NextState) } else { (Obstacle::Vault, Obstacle::NextVault) };
        if let Err(error) = self.layer.remove(&tmp)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(SaveError::at(place_before, &error));
        }
        let prepared = self.prepare(&path, &tmp, bytes, present);
        let mut dir = match prepared {
            Ok(dir) => dir,
            Err(error) => {
                let _ = self.layer.remove(&tmp);
                return Err(error);
            }
        };
        if let Err(error) = self.layer.rename(&tmp, &path) {
            let _ = self.layer.remove(&tmp);
            return Err(SaveError::at(place, &error));
        }
        self.layer.sync_dir(&mut dir).map_err(|error| SaveError::Uncertain(error.kind()))
    }

    /// Everything before the rename; returns the open folder, since opening it later could fail.
    fn prepare(&self, path: &Path, tmp: &Path, bytes: &[u8], present: Option<&Mark>) -> Result<L::File, SaveError> {
        self.write_and_read_back(tmp, bytes).map_err(|error| SaveError::of(&error))?;
        if let Some(present) = present {
            self.back_up(path, present)?;
        }
        self.layer.open_dir(&self.dir).map_err(|error| SaveError::of(&error))
    }

    fn write_and_read_back(&self, tmp: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.layer.make(tmp)?;
        self.layer.allocate(&mut file, bytes.len())?;
        self.layer.write(&mut file, bytes)?;
        self.layer.sync(&mut file)?;
        drop(file);
        if self.layer.read(tmp)? != bytes {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the disk gave back other bytes"));
        }
        Ok(())
    }
}
