//! What a restored backup takes the place of. Invariant: it is kept beside the vault, under a name that was not used yet: whatever is
//! replaced can be put back.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const NAME: &str = "vault.replaced";
/// Of more than these nothing is replaced any more.
const KEPT_MAX: u32 = 1_000;

/// Keeps what has that name in `dir`, if anything has. A file stays until another one takes its place; what is no file makes room.
pub(crate) fn keep(dir: &Path, name: &str) -> io::Result<()> {
    let present = dir.join(name);
    let is_file = match fs::symlink_metadata(&present) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?.is_file(),
    };
    if !is_file {
        return fs::rename(present, free(dir)?);
    }
    let bytes = fs::read(present)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(free(dir)?)?;
    file.write_all(&bytes)?;
    file.sync_all()
}

fn free(dir: &Path) -> io::Result<PathBuf> {
    for number in 0..KEPT_MAX {
        let path = dir.join(if number == 0 { NAME.to_owned() } else { format!("{NAME}.{number}") });
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(io::Error::other(format!("{KEPT_MAX} replaced files are kept already")))
}
