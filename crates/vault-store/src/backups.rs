//! Earlier generations of a vault. Invariant: a backup of the line in use gives way to newer ones of that line alone, and one of another
//! line is set aside before its number is used again: nothing is written over.
//!
//! Generations grow by one with every save, and putting a backup back begins a new line at a lower number. What is numbered as the file in
//! use or above it, and is not that file, is therefore of a line that was left.

use std::io;
use std::path::{Path, PathBuf};

use crate::anchor::Mark;
use crate::errors::{Obstacle, RestoreError, SaveError};
use crate::layer::FileLayer;
use crate::prefix::Prefix;
use crate::store::{AnchorVerdict, Store, judge};

/// How many earlier generations are kept.
pub const BACKUPS_MAX: usize = 10;
/// How many backups of lines that were left are kept; of more, those that were set aside first go.
pub const ASIDE_MAX: usize = 30;
pub(crate) const BACKUPS: &str = "backup";

impl<L: FileLayer> Store<L> {
    /// The bytes of a backup, to be opened with the recovery kit. Of a generation that the line in use has not, those of the line that
    /// was left last.
    pub fn backup(&self, generation: u64) -> Result<Vec<u8>, RestoreError> {
        let bytes = match self.layer.read(&self.backup_path(generation)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let names = self.layer.names(&self.dir.join(BACKUPS)).unwrap_or_default();
                let aside = set_aside(&names).into_iter().find(|(_, of)| *of == generation);
                let (turn, _) = aside.ok_or(RestoreError::NoSuchBackup(generation))?;
                self.layer.read(&self.aside_path(turn, generation))
            }
            read => read,
        };
        let bytes = bytes.map_err(|error| match Obstacle::is_met(&error) {
            true => RestoreError::NoFile(generation),
            false => RestoreError::Io(error.kind()),
        })?;
        match Prefix::read(&bytes) {
            Some(prefix) if prefix.generation == generation => Ok(bytes),
            _ => Err(RestoreError::Damaged(generation)),
        }
    }

    /// The generations of the line in use of which there is a backup, newest first. Where no backup is of that line, all there are.
    pub fn backups(&self) -> Vec<u64> {
        let all = generations(&self.layer.names(&self.dir.join(BACKUPS)).unwrap_or_default());
        let Some(end) = self.end_of_line() else { return all };
        let is_of_line = |generation: &u64| *generation < end.generation || *generation == end.generation && self.has_backup_of(&end);
        let line: Vec<u64> = all.iter().copied().filter(is_of_line).collect();
        if line.is_empty() { all } else { line }
    }

    /// The newest backup whose beginning can be read. Whether all of it is whole, only opening it shows.
    pub(crate) fn newest_backup(&self) -> Option<u64> {
        self.backups().into_iter().find(|generation| self.backup(*generation).is_ok())
    }

    /// A second name for the present file, which another one is about to take the place of.
    pub(crate) fn back_up(&self, path: &Path, present: &Mark) -> Result<(), SaveError> {
        let failed = |error: io::Error| SaveError::of(&error);
        let backup = self.backup_path(present.generation);
        let linked = match self.layer.link(path, &backup) {
            // A folder that was copied without its backups.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.layer.make_dir(&self.dir.join(BACKUPS)).map_err(failed)?;
                self.layer.link(path, &backup)
            }
            linked => linked,
        };
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // A save that failed later left the very same; anything else is of another line, or damaged.
                if !self.is_backup_of(present)? {
                    let turn = self.next_turn()?;
                    self.layer.rename(&backup, &self.aside_path(turn, present.generation)).map_err(failed)?;
                    self.layer.link(path, &backup).map_err(failed)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(SaveError::InTheWay(Obstacle::Backups)),
            linked => linked.map_err(failed)?,
        }
        self.sync_backups()
    }

    /// Sets aside what is of another line than `line`: whatever is numbered like it or above, and is not it.
    pub(crate) fn set_others_aside(&self, line: &Mark) -> Result<(), SaveError> {
        let failed = |error: io::Error| SaveError::of(&error);
        let names = match self.layer.names(&self.dir.join(BACKUPS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(SaveError::InTheWay(Obstacle::Backups)),
            names => names.map_err(failed)?,
        };
        let turn = next_turn(&names);
        let mut moved = false;
        for generation in generations(&names).into_iter().filter(|generation| *generation >= line.generation) {
            if generation > line.generation || !self.is_backup_of(line)? {
                self.layer.rename(&self.backup_path(generation), &self.aside_path(turn, generation)).map_err(failed)?;
                moved = true;
            }
        }
        if moved { self.sync_backups() } else { Ok(()) }
    }

    /// Removes all but the newest backups of a line that ends with that generation, and all but those that were set aside last. One
    /// that cannot be removed is tried again at the next save.
    pub(crate) fn prune(&self, end: u64) {
        let names = self.layer.names(&self.dir.join(BACKUPS)).unwrap_or_default();
        for generation in generations(&names).into_iter().filter(|generation| *generation < end).skip(BACKUPS_MAX) {
            let _ = self.layer.remove(&self.backup_path(generation));
        }
        for (turn, generation) in set_aside(&names).into_iter().skip(ASIDE_MAX) {
            let _ = self.layer.remove(&self.aside_path(turn, generation));
        }
    }

    /// The last state of the line in use: the present file, where the anchor vouches for it or knows nothing; else what was saved last.
    fn end_of_line(&self) -> Option<Mark> {
        let present = self.present_mark().ok().flatten();
        let Ok(Some(record)) = self.anchor.record() else { return present };
        let is_vouched = |present: &Mark| matches!(judge(*present, &record), AnchorVerdict::Matches | AnchorVerdict::MatchesPending);
        present.filter(is_vouched).or(record.committed).or(record.pending).or(present)
    }

    /// Whether the backup of that generation is of that very file.
    fn has_backup_of(&self, mark: &Mark) -> bool {
        let bytes = self.layer.read(&self.backup_path(mark.generation)).ok();
        bytes.and_then(|bytes| Prefix::read(&bytes)).is_some_and(|prefix| mark.is_of(&prefix.into()))
    }

    /// The same of a backup that is there, and may be no file at all.
    fn is_backup_of(&self, mark: &Mark) -> Result<bool, SaveError> {
        match self.layer.read(&self.backup_path(mark.generation)) {
            Err(error) if Obstacle::is_met(&error) => Err(SaveError::InTheWay(Obstacle::Backup(mark.generation))),
            Err(error) => Err(SaveError::of(&error)),
            Ok(bytes) => Ok(Prefix::read(&bytes).is_some_and(|prefix| mark.is_of(&prefix.into()))),
        }
    }

    fn next_turn(&self) -> Result<u64, SaveError> {
        self.layer.names(&self.dir.join(BACKUPS)).map(|names| next_turn(&names)).map_err(|error| SaveError::of(&error))
    }

    fn sync_backups(&self) -> Result<(), SaveError> {
        let mut dir = self.layer.open_dir(&self.dir.join(BACKUPS)).map_err(|error| SaveError::of(&error))?;
        self.layer.sync_dir(&mut dir).map_err(|error| SaveError::of(&error))
    }

    fn backup_path(&self, generation: u64) -> PathBuf {
        backup_path(&self.dir, generation)
    }

    fn aside_path(&self, turn: u64, generation: u64) -> PathBuf {
        self.dir.join(BACKUPS).join(format!("left-{turn}-gen-{generation}.srv"))
    }
}

/// What names a vault whose own file does not: its newest readable backup, of whatever line.
pub(crate) fn any_backup(layer: &impl FileLayer, dir: &Path) -> Option<Prefix> {
    let names = layer.names(&dir.join(BACKUPS)).unwrap_or_default();
    generations(&names).into_iter().find_map(|generation| Prefix::read(&layer.read(&backup_path(dir, generation)).ok()?))
}

fn backup_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(BACKUPS).join(format!("gen-{generation}.srv"))
}

/// Generations of backups, newest first.
fn generations(names: &[String]) -> Vec<u64> {
    let number = |name: &String| name.strip_prefix("gen-")?.strip_suffix(".srv")?.parse().ok();
    let mut generations: Vec<u64> = names.iter().filter_map(number).collect();
    generations.sort_unstable_by(|a, b| b.cmp(a));
    generations
}

/// What was set aside: at which turn, and of which generation; the last turn first, and in it the newest.
fn set_aside(names: &[String]) -> Vec<(u64, u64)> {
    let numbers = |name: &String| {
        let (turn, generation) = name.strip_prefix("left-")?.strip_suffix(".srv")?.split_once("-gen-")?;
        Some((turn.parse().ok()?, generation.parse().ok()?))
    };
    let mut aside: Vec<(u64, u64)> = names.iter().filter_map(numbers).collect();
    aside.sort_unstable_by(|a, b| b.cmp(a));
    aside
}

/// A turn that nothing was set aside at.
fn next_turn(names: &[String]) -> u64 {
    set_aside(names).first().map_or(1, |(turn, _)| turn.saturating_add(1))
}
