//! Files for elsewhere, in a folder of the profile. Invariant: they are written into a real folder of the user's alone, which no link leads
//! to, and under a name that was not taken.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, fsync, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use strongroom_model::Advice;
use thiserror::Error;

const EXPORTS: &str = "exports";

/// Why nothing was exported.
#[derive(Debug, Error)]
pub(crate) enum ExportError {
    /// A link, a file, or somebody else's.
    #[error(
        "exports in the vault's folder is not a folder of yours that only you can write to, but {0}. Nothing was exported. Move it away, and \
         try again: the folder is made anew"
    )]
    Folder(&'static str),
    /// The disk failed, or there is such a file.
    #[error("the export could not be written: {0}. Nothing was exported")]
    Io(#[from] io::Error),
}

impl ExportError {
    /// A person looks at the folder.
    pub(crate) const fn advice(&self) -> Advice {
        Advice::Ask
    }
}

impl From<Errno> for ExportError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// Writes a new file into the folder of exports of `profile`; gives its path.
pub(crate) fn write(profile: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, ExportError> {
    if Path::new(name).file_name() != Some(&OsString::from(name)) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
    }
    let folder = open_folder(profile)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(&folder, name, flags, Mode::RUSR | Mode::WUSR)?);
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| Ok(fsync(&folder)?));
    if let Err(error) = written {
        // A part of an export is none.
        let _ = unlinkat(&folder, name, AtFlags::empty());
        return Err(error.into());
    }
    Ok(profile.join(EXPORTS).join(name))
}

/// The folder itself: whatever its name leads to later, what is written goes there.
fn open_folder(profile: &Path) -> Result<OwnedFd, ExportError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let profile = openat(CWD, profile, flags, Mode::empty())?;
    match mkdirat(&profile, EXPORTS, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let folder = openat(&profile, EXPORTS, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(|errno| match errno {
        Errno::NOTDIR | Errno::LOOP => ExportError::Folder("a link or a file"),
        errno => errno.into(),
    })?;
    let found = fstat(&folder)?;
    if found.st_uid != rustix::process::geteuid().as_raw() {
        return Err(ExportError::Folder("somebody else's"));
    }
    if Mode::from_raw_mode(found.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
        return Err(ExportError::Folder("open for others to write to"));
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_in_a_folder_of_its_owner() {
        let profile = tempfile::tempdir().unwrap();
        let path = write(profile.path(), "one.age", b"ciphertext").unwrap();
        assert_eq!(path, profile.path().join("exports/one.age"));
        assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (b"ciphertext".to_vec(), 0o600));
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        let again = write(profile.path(), "one.age", b"other");
        assert!(matches!(&again, Err(ExportError::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists), "{again:?}");
        assert_eq!(std::fs::read(&path).unwrap(), b"ciphertext");
        symlink("/dev/null", profile.path().join("exports/link.age")).unwrap();
        for name in ["link.age", "../up.age", "a/b.age", "..", ""] {
            assert!(write(profile.path(), name, b"x").is_err(), "{name}");
        }
        assert!(!profile.path().join("up.age").exists());
    }

    #[test]
    fn a_link_a_file_and_a_folder_for_everybody_are_refused() {
        let (profile, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let exports = profile.path().join(EXPORTS);
        symlink(theirs.path(), &exports).unwrap();
        let refused = write(profile.path(), "one.age", b"ciphertext").unwrap_err();
        assert!(matches!(refused, ExportError::Folder("a link or a file")), "{refused:?}");
        assert!(refused.to_string().contains("Nothing was exported"));
        assert_eq!(std::fs::read_dir(theirs.path()).unwrap().count(), 0);
        std::fs::remove_file(&exports).unwrap();
        std::fs::write(&exports, b"mine").unwrap();
        assert!(matches!(write(profile.path(), "one.age", b"x"), Err(ExportError::Folder("a link or a file"))));
        assert_eq!(std::fs::read(&exports).unwrap(), b"mine");
        std::fs::remove_file(&exports).unwrap();
        std::fs::create_dir(&exports).unwrap();
        std::fs::set_permissions(&exports, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(write(profile.path(), "one.age", b"x"), Err(ExportError::Folder("open for others to write to"))));
        assert_eq!(std::fs::read_dir(&exports).unwrap().count(), 0);
        std::fs::set_permissions(&exports, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(write(profile.path(), "one.age", b"x").is_ok());
    }

    /// Only root can make a folder somebody else's.
    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let profile = tempfile::tempdir().unwrap();
        let exports = profile.path().join(EXPORTS);
        std::fs::create_dir(&exports).unwrap();
        if std::os::unix::fs::chown(&exports, Some(65_534), None).is_err() {
            eprintln!("not root: nobody else's folder could be made");
            return;
        }
        assert!(matches!(write(profile.path(), "one.age", b"x"), Err(ExportError::Folder("somebody else's"))));
    }
}
