//! One process per vault. Invariant: the lock ends with its holder, also when the holder is killed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use strongroom_model::Advice;
use thiserror::Error;

const NAME: &str = "lock";

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
}

impl Lock {
    /// Takes the lock of the vault in `dir`, or says who has it.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(&path)
            .map_err(|error| LockError::Io(error.kind()))?;
        let mut file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => file,
            Err((mut file, Errno::EWOULDBLOCK)) => return Err(LockError::AlreadyOpen { pid: holder(&mut file) }),
            Err((_, errno)) => return Err(LockError::Io(io::Error::from(errno).kind())),
        };
        // Somebody may have removed the file between opening and locking: then two could hold “the” lock.
        let same = fs::metadata(&path).and_then(|by_name| Ok(by_name.ino() == file.metadata()?.ino()));
        if !same.unwrap_or(false) {
            return Err(LockError::Io(io::ErrorKind::NotFound));
        }
        let pid = std::process::id().to_string();
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(pid.as_bytes()));
        written.map_err(|error| LockError::Io(error.kind()))?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Why the lock was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LockError {
    /// Another process has it.
    #[error("this vault is already open in another Strongroom{}. Use that one, or close it first", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    AlreadyOpen {
        /// Its process id, as it wrote itself.
        pid: Option<u32>,
    },
    /// The file could not be made or locked.
    #[error("the vault's lock could not be taken ({0}). Nothing was opened; check the folder's permissions")]
    Io(io::ErrorKind),
}

impl LockError {
    /// A person has to look.
    pub fn advice(&self) -> Advice {
        Advice::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let pid = Some(std::process::id());
        assert_eq!(Lock::take(dir.path()).err(), Some(LockError::AlreadyOpen { pid }));
        drop(first);
        assert!(Lock::take(dir.path()).is_ok());
    }
}
