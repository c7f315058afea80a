//! Descriptors that a door gave along. Invariant: of a line nothing is read beyond its end, of a block nothing is kept
//! beyond the longest answer.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use strongroom_signer_api::channel::Channel;
use strongroom_signer_api::errand::Slot;
use strongroom_signer_api::prompt::{ANSWER_LEN_MAX, Field, Show};
use zeroize::Zeroizing;

use crate::{Answer, empty, too_long, wait_for};

/// The descriptors, each with its purpose.
pub struct Slots(Vec<(Slot, File)>);

impl Slots {
    pub(crate) const fn new(given: Vec<(Slot, File)>) -> Self {
        Self(given)
    }

    /// Whether there is none for an answer or something shown.
    pub fn are_for_files_only(&self) -> bool {
        self.0.iter().all(|(slot, _)| *slot == Slot::Import)
    }

    /// The file to import; gone from here after it.
    pub fn take_import(&mut self) -> Option<File> {
        let at = self.0.iter().position(|(slot, _)| *slot == Slot::Import)?;
        Some(self.0.remove(at).1)
    }

    /// The answer from its descriptor; `None` when there is none.
    pub fn answer(&mut self, field: Field, supervisor: &Channel) -> Option<io::Result<Answer>> {
        let file = self.find(Slot::Answer(field))?;
        Some(if field == Field::ApiSecret { read_all(file, supervisor) } else { read_line(file, supervisor) })
    }

    /// Writes to the descriptor of what is shown; `None` when there is none.
    pub fn show(&mut self, show: Show, bytes: &[u8]) -> Option<io::Result<()>> {
        let file = self.find(Slot::Shown(show))?;
        Some(file.write_all(bytes).and_then(|()| file.write_all(b"\n")))
    }

    fn find(&mut self, wanted: Slot) -> Option<&mut File> {
        self.0.iter_mut().find(|(slot, _)| *slot == wanted).map(|(_, file)| file)
    }
}

/// One line without its end; byte by byte, so that nothing of a later answer is taken.
fn read_line(file: &mut File, supervisor: &Channel) -> io::Result<Answer> {
    let mut line = empty();
    let mut byte = Zeroizing::new([0]);
    loop {
        wait_for(file, supervisor)?;
        if file.read(byte.as_mut_slice())? == 0 || byte[0] == b'\n' {
            break;
        }
        if line.len() == ANSWER_LEN_MAX {
            return Err(too_long());
        }
        line.push(byte[0]);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// Everything up to the end.
fn read_all(file: &mut File, supervisor: &Channel) -> io::Result<Answer> {
    let mut block = empty();
    let mut chunk = Zeroizing::new([0; 512]);
    loop {
        wait_for(file, supervisor)?;
        let len = file.read(chunk.as_mut_slice())?;
        if len == 0 {
            return Ok(block);
        }
        if block.len() + len > ANSWER_LEN_MAX {
            return Err(too_long());
        }
        block.extend_from_slice(&chunk[..len]);
    }
}
