//! What every face of the prompt does alike: the start, the line to the signer, given descriptors, walls, imported files.
//!
//! Invariant: what is typed lives in fixed buffers that are wiped, and goes to the signer's channel and nowhere else;
//! the process ends with its errand.

pub mod import;
mod line;
mod slots;
mod wait;

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit};
use strongroom_signer_api::prompt::ANSWER_LEN_MAX;
use zeroize::Zeroizing;

pub use line::{Line, Start, wait_at_most, wait_for};
pub use slots::Slots;
pub use wait::wait_words;

/// A buffer of the length that an answer can have, which never grows.
pub type Answer = Zeroizing<Vec<u8>>;

/// An empty answer with room for the longest one.
pub fn empty() -> Answer {
    Zeroizing::new(Vec::with_capacity(ANSWER_LEN_MAX))
}

/// Takes `bytes` into a buffer of its own.
pub fn answer(bytes: &[u8]) -> io::Result<Answer> {
    if bytes.len() > ANSWER_LEN_MAX {
        return Err(too_long());
    }
    let mut answer = empty();
    answer.extend_from_slice(bytes);
    Ok(answer)
}

/// Refuses what does not fit.
pub fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("an answer has at most {ANSWER_LEN_MAX} bytes"))
}

/// First thing at start: nobody may look in, nothing may be dumped, and the supervisor's end is this process's.
pub fn close_windows() -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // Away from any terminal's job control: the terminal is the door's, this process only reads it.
    let _ = rustix::process::setsid();
    Ok(())
}
