//! The journal: a file of lines, each with all entries of one change behind a checksum of its text. Invariant: what was appended is
//! in the file before anybody is answered; a change is there as a whole or not at all; a torn end is cut off, damage before
//! the end is said and nothing is opened.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::exchange::{Entry, Saved};

const FILE: &str = "journal";
const NEW_FILE: &str = "journal.part";
const MODE: u32 = 0o600;
/// The first line: what the file is, and the version of its form.
const HEAD: &str = "strongroom paper journal 1";
/// Longest line that is read.
const LINE_LEN_MAX: usize = 64 * 1024 * 1024;
/// Entries of one line when it is written anew.
const ENTRIES_PER_LINE: usize = 100;
/// A journal that grew by so much since it was written whole is written anew.
const GROWTH_MAX: u64 = 256 * 1024 * 1024;
/// Appended entries are on the disk, not only with the system, after so long.
const SYNC_EVERY: Duration = Duration::from_millis(200);

/// Why the journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("the journal {path} cannot be used: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another venue has it open.
    #[error("the journal {0} belongs to a venue that is running. Stop that venue, or give this one a data directory of its own")]
    InUse(PathBuf),
    /// Something else stands where entries were written.
    #[error(
        "the journal {path} is damaged in line {line}: {why}. Nothing was changed. Put a copy of the file in its place, or move it away \
         to begin with an empty venue"
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// The directory, locked: two venues in one would write over each other. Ends with the process, however that ends.
    directory: File,
    file: File,
    /// Length of the part that is whole.
    len: u64,
    grown: u64,
    synced: Instant,
    is_dirty: bool,
    is_torn: bool,
}

fn line(entries: &[Entry]) -> io::Result<String> {
    let text = serde_json::to_string(entries)?;
    Ok(format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes())))
}

/// One line's entries, or what is wrong with it.
fn parse(line: &str) -> Result<Vec<Entry>, String> {
    let (sum, text) = line.split_once(' ').ok_or("it has no checksum")?;
    let sum = u32::from_str_radix(sum, 16).map_err(|_| "its checksum is not a number")?;
    if sum != crc32fast::hash(text.as_bytes()) {
        return Err("its checksum is another one".to_owned());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Reads what is there; the length of the part that is whole.
fn read(path: &Path) -> Result<(Saved, Option<u64>), JournalError> {
    let failed = |source| JournalError::File { path: path.to_owned(), source };
    let damaged = |line, why: &str| JournalError::Damaged { path: path.to_owned(), line, why: why.to_owned() };
    let mut saved = Saved::default();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((saved, None)),
        Err(error) => return Err(failed(error)),
    };
    let len = file.metadata().map_err(failed)?.len();
    let mut reader = BufReader::new(file);
    let (mut whole, mut number, mut text) = (0, 0, Vec::new());
    loop {
        text.clear();
        let read = io::Read::take(&mut reader, LINE_LEN_MAX as u64).read_until(b'\n', &mut text).map_err(failed)?;
        if read == 0 && number == 0 {
            return Err(damaged(1, "it is empty, as the venue never leaves it"));
        }
        if read == 0 {
            return Ok((saved, Some(whole)));
        }
        number += 1;
        let end = whole + read as u64;
        let taken = match std::str::from_utf8(&text).ok().and_then(|text| text.strip_suffix('\n')) {
            Some(head) if number == 1 => {
                if head == HEAD {
                    Ok(())
                } else {
                    Err("it is not a journal of this version".to_owned())
                }
            }
            Some(line) => parse(line).map(|entries| entries.into_iter().for_each(|entry| saved.take(entry))),
            // A write that was cut off: nobody was answered because of it.
            None if end >= len && number > 1 => return Ok((saved, Some(whole))),
            None => Err("it has no end".to_owned()),
        };
        taken.map_err(|why| damaged(number, &why))?;
        whole = end;
    }
}

/// A new journal, which has its name only when it has its first line.
fn begin(path: &Path) -> io::Result<()> {
    let beside = path.with_file_name(NEW_FILE);
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(MODE).open(&beside)?;
    file.write_all(format!("{HEAD}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

impl Journal {
    /// Opens the journal in `directory` and tells what it holds.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Saved), JournalError> {
        let path = directory.join(FILE);
        let failed = |source| JournalError::File { path: path.clone(), source };
        let claim = File::open(directory).map_err(failed)?;
        claim.try_lock().map_err(|refused| match refused {
            std::fs::TryLockError::WouldBlock => JournalError::InUse(path.clone()),
            std::fs::TryLockError::Error(error) => failed(error),
        })?;
        let (saved, whole) = read(&path)?;
        if whole.is_none() {
            begin(&path).map_err(failed)?;
            claim.sync_all().map_err(failed)?;
        }
        let mut file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
        if let Some(whole) = whole {
            file.set_len(whole).map_err(failed)?;
        }
        file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let journal =
            Self { path: path.clone(), directory: claim, file, len, grown: 0, synced: Instant::now(), is_dirty: false, is_torn: false };
        Ok((journal, saved))
    }

    /// Puts the entries of one change into the file. They survive this process from now on, and the machine's end after
    /// [`SYNC_EVERY`].
    pub(crate) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let line = line(entries)?;
        // What an earlier failure left is cut off first: half a line must not stand before a whole one.
        if self.is_torn {
            self.file.set_len(self.len)?;
            self.file.seek(io::SeekFrom::Start(self.len))?;
            self.is_torn = false;
        }
        self.file.write_all(line.as_bytes()).inspect_err(|_| self.is_torn = true)?;
        self.len += line.len() as u64;
        self.grown += line.len() as u64;
        self.is_dirty = true;
        Ok(())
    }

    /// Brings to the disk what was appended, from time to time.
    pub(crate) fn tick(&mut self) -> io::Result<()> {
        if self.is_dirty && self.synced.elapsed() >= SYNC_EVERY {
            self.file.sync_data()?;
            (self.is_dirty, self.synced) = (false, Instant::now());
        }
        Ok(())
    }

    /// Whether it should be written anew.
    pub(crate) fn has_grown(&self) -> bool {
        self.grown >= GROWTH_MAX
    }

    /// Writes it anew with these entries alone: the whole state. When that fails, the old file goes on.
    pub(crate) fn rewrite(&mut self, entries: &[Entry]) -> io::Result<()> {
        // After a failure it has to grow as much again before it is tried again.
        self.grown = 0;
        let beside = self.path.with_file_name(NEW_FILE);
        let mut file = BufWriter::new(OpenOptions::new().create(true).truncate(true).write(true).mode(MODE).open(&beside)?);
        file.write_all(format!("{HEAD}\n").as_bytes())?;
        for entries in entries.chunks(ENTRIES_PER_LINE) {
            file.write_all(line(entries)?.as_bytes())?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let len = file.metadata()?.len();
        std::fs::rename(&beside, &self.path)?;
        // From here on this is the file, whatever fails: the old one has no name any more.
        (self.file, self.len, self.is_dirty, self.is_torn) = (file, len, false, false);
        self.directory.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use strongroom_model::Symbol;

    use super::*;
    use crate::engine::{AccountId, Holding, Money};

    fn entry(free: u64) -> Entry {
        Entry::Holding { account: AccountId(1), asset: "BTC".to_owned(), held: Holding { free: Money(free), locked: Money::ZERO } }
    }

    fn held(saved: &Saved) -> Option<u64> {
        saved.holdings.get(&(AccountId(1), "BTC".to_owned())).map(|held| held.free.0)
    }

    #[test]
    fn what_was_appended_is_there_again() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, saved) = Journal::open(directory.path()).unwrap();
        assert!(saved.is_empty());
        journal.append(&[Entry::Markets { symbols: vec![Symbol::parse("BTCUSDT").unwrap()] }, entry(1)]).unwrap();
        journal.append(&[entry(2)]).unwrap();
        drop(journal);
        let (mut journal, saved) = Journal::open(directory.path()).unwrap();
        assert_eq!(held(&saved), Some(2));
        journal.rewrite(&[entry(3)]).unwrap();
        journal.append(&[entry(4)]).unwrap();
        drop(journal);
        assert_eq!(held(&Journal::open(directory.path()).unwrap().1), Some(4));
    }

    #[test]
    fn two_venues_cannot_write_one_journal() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path()).unwrap();
        assert!(matches!(Journal::open(directory.path()), Err(JournalError::InUse(_))));
        journal.rewrite(&[entry(1)]).unwrap();
        assert!(matches!(Journal::open(directory.path()), Err(JournalError::InUse(_))));
        drop(journal);
        assert_eq!(held(&Journal::open(directory.path()).unwrap().1), Some(1));
    }

    #[test]
    fn a_failed_rewrite_leaves_the_old_file_going_on() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path()).unwrap();
        journal.append(&[entry(1)]).unwrap();
        std::fs::create_dir(directory.path().join(NEW_FILE)).unwrap();
        journal.rewrite(&[entry(7)]).unwrap_err();
        journal.append(&[entry(2)]).unwrap();
        drop(journal);
        assert_eq!(held(&Journal::open(directory.path()).unwrap().1), Some(2));
    }

    #[test]
    fn a_torn_end_is_cut_off_at_every_length() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path()).unwrap();
        journal.append(&[entry(1)]).unwrap();
        let path = directory.path().join(FILE);
        let kept = std::fs::read(&path).unwrap().len();
        journal.append(&[entry(2)]).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for len in kept..whole.len() {
            std::fs::write(&path, &whole[..len]).unwrap();
            let (mut journal, saved) = Journal::open(directory.path()).unwrap();
            assert_eq!(held(&saved), Some(1), "{len} bytes");
            journal.append(&[entry(9)]).unwrap();
            drop(journal);
            assert_eq!(held(&Journal::open(directory.path()).unwrap().1), Some(9), "{len} bytes, and one more entry");
        }
    }

    #[test]
    fn damage_before_the_end_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path()).unwrap();
        journal.append(&[entry(1), entry(2)]).unwrap();
        drop(journal);
        let path = directory.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        assert!(matches!(Journal::open(directory.path()), Err(JournalError::Damaged { line: 1, .. })), "emptied");
        for at in [0, HEAD.len() + 3, HEAD.len() + 30, whole.len() - 5] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(matches!(Journal::open(directory.path()), Err(JournalError::Damaged { .. })), "byte {at}");
            assert_eq!(std::fs::read(&path).unwrap(), damaged, "nothing was changed");
        }
    }
}
