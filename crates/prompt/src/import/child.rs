//! The walled process as its parent sees it. Invariant: the parent moves the file's bytes and understands none of them; each
//! try is a process of its own that hears one passphrase and one file, and is not waited for beyond its time.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use super::wire::{ANSWER_LEN_MAX, decode, input};
use super::{FILE_LEN_MAX, PASSPHRASE_LEN_MAX, Reading, Trouble, reader};

/// A reader of a file in the clear that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Deriving a key takes its time: a second or two for a file of Hummingbot, more on a slow machine.
const PATIENCE_DERIVING: Duration = Duration::from_secs(40);

/// A process that waits for its file. Ended when it is dropped.
pub struct Reader(Child);

impl Reader {
    /// The same program, in its other role.
    pub fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env_clear().arg(reader::ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().map(Self)
    }

    /// Gives it a passphrase, which may be empty, and the file. It reads all before it answers anything.
    pub fn feed(&mut self, file: &[u8], passphrase: &[u8]) -> Result<(), Trouble> {
        if passphrase.len() > PASSPHRASE_LEN_MAX {
            return Err(Trouble::WrongPassphrase);
        }
        let mut pipe = self.0.stdin.take().ok_or(Trouble::NoAnswer)?;
        pipe.write_all(&input(passphrase, file)).map_err(|_| Trouble::NoAnswer)
    }

    /// Where it answers; once.
    pub fn answers(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// Waits for its answer.
    pub fn hear(mut self, patience: Duration) -> Result<Reading, Trouble> {
        let mut output = self.answers().ok_or(Trouble::NoAnswer)?;
        let start = Instant::now();
        let mut said = Said::default();
        loop {
            let left = patience.checked_sub(start.elapsed()).ok_or(Trouble::NoAnswer)?;
            let left = Timespec::try_from(left).map_err(|_| Trouble::NoAnswer)?;
            match poll(&mut [PollFd::new(&output, PollFlags::IN)], Some(&left)) {
                Ok(0) => return Err(Trouble::NoAnswer),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return Err(Trouble::NoAnswer),
            }
            if let Some(result) = said.more(&mut output) {
                return result;
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How long a try may take.
pub const fn patience(passphrase: &[u8]) -> Duration {
    if passphrase.is_empty() { PATIENCE } else { PATIENCE_DERIVING }
}

/// An answer as it comes in, in a buffer that never grows.
pub struct Said(Zeroizing<Vec<u8>>);

impl Default for Said {
    fn default() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(ANSWER_LEN_MAX)))
    }
}

impl Said {
    /// Takes what is there; the result at its end, or when it says more than it may.
    pub fn more(&mut self, output: &mut ChildStdout) -> Option<Result<Reading, Trouble>> {
        let mut chunk = Zeroizing::new([0; 4_096]);
        match output.read(chunk.as_mut_slice()).unwrap_or(0) {
            0 => Some(decode(&self.0)),
            len if self.0.len() + len > ANSWER_LEN_MAX => Some(Err(Trouble::NoAnswer)),
            len => {
                self.0.extend_from_slice(&chunk[..len]);
                None
            }
        }
    }
}

/// All of a file that a person chose, from its beginning.
pub fn bytes_of(file: &mut File) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let metadata = file.metadata().map_err(|_| Trouble::NotText)?;
    if !metadata.is_file() || file.rewind().is_err() {
        return Err(Trouble::NotText);
    }
    let len = usize::try_from(metadata.len()).ok().filter(|len| *len <= FILE_LEN_MAX).ok_or(Trouble::TooLong)?;
    // One byte more than there was, so that the buffer does not grow when it ends where it should.
    let mut bytes = Zeroizing::new(Vec::with_capacity(len + 1));
    let limit = u64::try_from(len).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut bytes).map_err(|_| Trouble::NotText)?;
    Ok(bytes)
}
