//! The file operations that a save consists of. Invariant: new files are 0600 and made exclusively; links are not followed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, posix_fallocate};

/// Longest file that is read.
const FILE_LEN_MAX: u64 = 64 * 1_024 * 1_024;

/// File operations, one system call each as far as possible, so that a test can make each of them fail.
pub trait FileLayer: Send {
    /// An open file.
    type File;

    /// Makes a folder for its owner alone; one that is there is restricted to its owner.
    fn make_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a file that was not there.
    fn make(&self, path: &Path) -> io::Result<Self::File>;
    /// Takes the space that the file will need.
    fn allocate(&self, file: &mut Self::File, len: usize) -> io::Result<()>;
    /// Writes all.
    fn write(&self, file: &mut Self::File, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the disk has the file.
    fn sync(&self, file: &mut Self::File) -> io::Result<()>;
    /// Reads all of a file; what is there and is none, is invalid input.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// A second name for the same file.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Another name, replacing whatever had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a name.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Opens a folder, for [`FileLayer::sync_dir`].
    fn open_dir(&self, path: &Path) -> io::Result<Self::File>;
    /// Returns when the disk has the folder's names.
    fn sync_dir(&self, dir: &mut Self::File) -> io::Result<()>;
    /// The names in a folder.
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;
}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileLayer for Disk {
    type File = File;

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::set_permissions(path, Permissions::from_mode(0o700)),
            done => done,
        }
    }

    fn make(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)
    }

    fn allocate(&self, file: &mut File, len: usize) -> io::Result<()> {
        let len = i64::try_from(len).map_err(io::Error::other)?;
        // A file system that cannot reserve will say at the write that it is full; the old vault stands either way.
        match posix_fallocate(&*file, 0, len) {
            Err(Errno::EOPNOTSUPP | Errno::EINVAL) => Ok(()),
            done => done.map_err(io::Error::from),
        }
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &mut File) -> io::Result<()> {
        file.sync_all()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Whoever put a pipe there would have this wait for ever.
        let no_file = || io::Error::new(io::ErrorKind::InvalidInput, "not a file");
        let opened = OpenOptions::new().read(true).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).open(path);
        // A link, or a socket.
        let is_none = |error: &io::Error| matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::ELOOP | Errno::ENXIO));
        let file = opened.map_err(|error| if is_none(&error) { no_file() } else { error })?;
        if !file.metadata()?.is_file() {
            return Err(no_file());
        }
        let mut bytes = Vec::new();
        file.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).is_ok_and(|len| len <= FILE_LEN_MAX) {
            return Ok(bytes);
        }
        Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than any vault"))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn open_dir(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits()).open(path)
    }

    fn sync_dir(&self, dir: &mut File) -> io::Result<()> {
        dir.sync_all()
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned())).collect()
    }
}
