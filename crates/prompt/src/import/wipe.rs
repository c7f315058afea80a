//! Overwrites and deletes the file that a key came from. Invariant: what is overwritten is the very file that was read, by its
//! number on its device, and never one that has a second name.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, fsync, open, openat, statat, unlinkat};

/// What deleting cannot undo.
pub const WORDS: &str = "Journals, spare cells of an SSD, snapshots, backups and editors' copies may still hold it: the key counts as \
                         exposed. Make a new one at the venue when you can.";
/// Written over the file, so often as it needs.
static ZEROS: [u8; 64 * 1_024] = [0; 64 * 1_024];

/// Why a file is as it was, or is not gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It has no name any more, or another file has it.
    NotFound,
    /// It has further names, by which it would be overwritten too.
    ManyNames,
    /// It may not be written or deleted.
    NotAllowed,
    /// It was overwritten, and its name could not be deleted.
    Overwritten,
}

impl Kept {
    /// Fact, effect, action.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotFound => "The file was moved or replaced meanwhile. Nothing was deleted. Find it and delete it yourself.",
            Self::ManyNames => "The file has a second name (a hard link). It was not touched. Delete it by both names.",
            Self::NotAllowed => "The file may not be written or deleted. It still holds the key. Delete it yourself.",
            Self::Overwritten => "The file was overwritten with zeros, but it could not be deleted. Delete it yourself.",
        }
    }
}

/// Where an open file has its name.
pub fn path_of(file: &File) -> Option<PathBuf> {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let is_gone = path.as_os_str().as_bytes().ends_with(b" (deleted)");
    (path.is_absolute() && !is_gone && path.file_name().is_some()).then_some(path)
}

/// Overwrites the file that `read` is with zeros, waits for the disk, and deletes its name.
pub fn wipe(read: &File, path: &Path) -> Result<(), Kept> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(Kept::NotFound) };
    let read = fstat(read).map_err(|_| Kept::NotFound)?;
    let folder = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(|_| Kept::NotFound)?;
    let named = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| Kept::NotFound)?;
    if !is_same(&named, &read) || FileType::from_raw_mode(named.st_mode) != FileType::RegularFile {
        return Err(Kept::NotFound);
    }
    if named.st_nlink != 1 {
        return Err(Kept::ManyNames);
    }
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(openat(&folder, name, flags, Mode::empty()).map_err(|_| Kept::NotAllowed)?);
    let opened = fstat(&file).map_err(|_| Kept::NotAllowed)?;
    if !is_same(&opened, &read) {
        return Err(Kept::NotFound);
    }
    overwrite(&file, u64::try_from(opened.st_size).unwrap_or(0)).map_err(|_| Kept::NotAllowed)?;
    let still = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|named| is_same(&named, &read));
    if !still || unlinkat(&folder, name, AtFlags::empty()).is_err() {
        return Err(Kept::Overwritten);
    }
    let _ = fsync(folder.as_fd());
    Ok(())
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    one.st_dev == other.st_dev && one.st_ino == other.st_ino
}

fn overwrite(file: &File, len: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt as _;
    let mut at = 0;
    while at < len {
        let part = usize::try_from(len - at).unwrap_or(ZEROS.len()).min(ZEROS.len());
        file.write_all_at(&ZEROS[..part], at)?;
        at += u64::try_from(part).unwrap_or(u64::MAX);
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_was_read_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let opened = |name: &str| {
            std::fs::write(place(name), vec![b's'; 100_000]).unwrap();
            File::open(place(name)).unwrap()
        };
        let plain = opened("plain");
        assert_eq!(path_of(&plain), Some(place("plain")));
        assert_eq!(wipe(&plain, &place("plain")), Ok(()));
        assert!(!place("plain").exists());
        assert_eq!(plain.metadata().unwrap().len(), 100_000);
        let mut left = vec![1; 100_000];
        std::os::unix::fs::FileExt::read_exact_at(&plain, &mut left, 0).unwrap();
        assert!(left.iter().all(|byte| *byte == 0));
        assert_eq!(path_of(&plain), None);
        // Replaced by another file, or by a link to it.
        let moved = opened("moved");
        std::fs::rename(place("moved"), place("elsewhere")).unwrap();
        std::fs::write(place("moved"), b"other").unwrap();
        assert_eq!(wipe(&moved, &place("moved")), Err(Kept::NotFound));
        assert_eq!(std::fs::read(place("moved")).unwrap(), b"other");
        std::fs::remove_file(place("moved")).unwrap();
        std::os::unix::fs::symlink(place("elsewhere"), place("moved")).unwrap();
        assert_eq!(wipe(&moved, &place("moved")), Err(Kept::NotFound));
        // With a second name.
        let twice = opened("twice");
        std::fs::hard_link(place("twice"), place("again")).unwrap();
        assert_eq!(wipe(&twice, &place("twice")), Err(Kept::ManyNames));
        assert_eq!(std::fs::read(place("again")).unwrap()[0], b's');
    }
}
