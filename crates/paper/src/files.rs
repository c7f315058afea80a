//! Small files of the data directory. Invariant: a file is whole or absent, and what is secret is readable by its owner only.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

const SECRET_MODE: u32 = 0o600;
const PUBLIC_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o700;
const OTHERS_WRITE: u32 = 0o022;
const OTHERS: u32 = 0o077;
/// What nobody else may read, by name and by ending.
const SECRET_FILES: [&str; 5] = ["ca.key", "server.key", "keys.json", "practice.env", "journal"];
/// The one that clients read.
const PUBLIC_FILE: &str = "ca.pem";
const SECRET_ENDS: [&str; 2] = [".secret", ".pem"];

/// Makes the directory, or takes one that nobody else may write to. What was made readable for others is closed again.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS_WRITE != 0 {
        let words = format!("others may write to {} (mode {:o}); it has to be yours alone: chmod 700", path.display(), mode & 0o777);
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_secret = |name: &str| SECRET_FILES.contains(&name) || SECRET_ENDS.iter().any(|end| name.ends_with(end));
        let is_ours = name.to_str().is_some_and(|name| is_secret(name) && name != PUBLIC_FILE);
        if is_ours && entry.file_type()?.is_symlink() {
            let words = format!("{} is a link; it has to be a file of this directory", entry.path().display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        if is_ours && entry.file_type()?.is_file() && entry.metadata()?.permissions().mode() & OTHERS != 0 {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(SECRET_MODE))?;
        }
    }
    Ok(())
}

pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, SECRET_MODE)
}

pub(crate) fn write_public(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, PUBLIC_MODE)
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("part");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// The file's text; `None` when there is no such file.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Longest recording that is read, unpacked.
const RECORDING_LEN_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// The text of a recording, packed with gzip or not.
pub(crate) fn read_recording(path: &Path) -> io::Result<String> {
    let file = io::BufReader::new(fs::File::open(path)?);
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn io::Read> = if is_packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut bytes = Vec::new();
    match io::Read::read_to_end(&mut io::Read::take(reader, RECORDING_LEN_MAX), &mut bytes) {
        // A recorder that was killed leaves no end of the packed file; what it flushed is there.
        Err(error) if is_packed && error.kind() == io::ErrorKind::UnexpectedEof && !bytes.is_empty() => {}
        read => drop(read?),
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
