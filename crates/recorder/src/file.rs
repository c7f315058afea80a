//! The file of a recording. Invariant: a file that exists is never written over; what was flushed can be read after any crash.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// JSON lines, packed with gzip when the name ends with `.gz`.
pub struct RecordingFile(Out);

enum Out {
    Plain(BufWriter<File>),
    Packed(GzEncoder<BufWriter<File>>),
}

impl RecordingFile {
    /// A new file.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(OpenOptions::new().write(true).create_new(true).open(path)?);
        let is_packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        Ok(Self(if is_packed { Out::Packed(GzEncoder::new(file, Compression::default())) } else { Out::Plain(file) }))
    }

    /// Ends the file and brings it to the disk.
    pub fn finish(self) -> io::Result<()> {
        let mut file = match self.0 {
            Out::Plain(file) => file,
            Out::Packed(packed) => packed.finish()?,
        };
        file.flush()?;
        file.get_ref().sync_all()
    }
}

impl Write for RecordingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Out::Plain(file) => file.write(bytes),
            Out::Packed(packed) => packed.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Out::Plain(file) => file.flush(),
            Out::Packed(packed) => packed.flush(),
        }
    }
}
