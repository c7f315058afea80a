//! Small files of the data directory. Invariant: a file is whole or absent, and what is secret is readable by its owner only.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

const SECRET_MODE: u32 = 0o600;
const PUBLIC_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o700;

pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)
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
