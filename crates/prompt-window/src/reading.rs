//! A file to import and the walled process that reads it. Invariant: this process moves the file's bytes and understands
//! none of them; the reader gets a moment and no second file.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use gtk::glib::{self, ControlFlow, IOCondition};
use rustix::fs::{Mode, OFlags};
use strongroom_prompt::import::{FILE_LEN_MAX, Found, Trouble, decode, reader};
use zeroize::Zeroizing;

/// A reader that takes longer is not waited for; it ends with the prompt at the latest.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest answer: every key that a file can hold.
const ANSWER_MAX: usize = 2 * FILE_LEN_MAX;

/// A process that waits for its file.
pub(crate) struct Reader(Child);

impl Reader {
    /// The same program, in its other role.
    pub(crate) fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env_clear().arg(reader::ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// Gives it the file; `done` hears what is in it.
    pub(crate) fn read(mut self, file: File, done: impl FnOnce(Result<Vec<Found>, Trouble>) + 'static) {
        if let Err(trouble) = self.feed(file) {
            return done(Err(trouble));
        }
        let Some(mut output) = self.0.stdout.take() else { return done(Err(Trouble::NoAnswer)) };
        let done = Rc::new(Cell::new(Some(done)));
        let overdue = Rc::clone(&done);
        let mut said = Zeroizing::new(Vec::with_capacity(ANSWER_MAX));
        let mut chunk = Zeroizing::new([0; 4_096]);
        glib::unix_fd_add_local(output.as_raw_fd(), IOCondition::IN | IOCondition::HUP | IOCondition::ERR, move |_, _| {
            let len = output.read(chunk.as_mut_slice()).unwrap_or(0);
            if len > 0 && said.len() + len <= ANSWER_MAX {
                said.extend_from_slice(&chunk[..len]);
                return ControlFlow::Continue;
            }
            // Its end, or more than it may say. Dropping it ends it.
            let result = if len == 0 { decode(&said) } else { Err(Trouble::NoAnswer) };
            let _ = self.0.kill();
            let _ = self.0.wait();
            if let Some(done) = done.take() {
                done(result);
            }
            ControlFlow::Break
        });
        glib::timeout_add_local_once(PATIENCE, move || {
            if let Some(done) = overdue.take() {
                done(Err(Trouble::NoAnswer));
            }
        });
    }

    fn feed(&mut self, mut file: File) -> Result<(), Trouble> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_LEN_MAX + 1));
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        if !is_file || file.rewind().is_err() {
            return Err(Trouble::NotText);
        }
        let limit = u64::try_from(FILE_LEN_MAX + 1).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut bytes).map_err(|_| Trouble::NotText)?;
        if bytes.len() > FILE_LEN_MAX {
            return Err(Trouble::TooLong);
        }
        // A pipe takes all of it at once; what the reader does not take is not waited for.
        let mut input = self.0.stdin.take().ok_or(Trouble::NoAnswer)?;
        input.write_all(&bytes).map_err(|_| Trouble::NoAnswer)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Opens a file that a person chose; something that is no file is refused before anything is read.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}
