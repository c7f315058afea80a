//! Asks a person in a window and hands the answers to the signer.
//!
//! Invariant: what is typed lives in this process for seconds and goes to the signer's channel alone; when the errand is
//! over, however it is over, the process ends.

mod dialogue;
mod fonts;
mod frame;
mod icons;
mod pages;
mod parts;
mod printing;
mod qr;
mod reading;
mod strength;
mod theme;

use std::io;
use std::process::ExitCode;

use strongroom_prompt::import::reader;
use strongroom_prompt::{Start, close_windows};
use strongroom_signer_api::errand::EXIT_NO_DISPLAY;

use crate::dialogue::{Dialogue, Outcome};

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    let done = if std::env::args().nth(1).as_deref() == Some(reader::ARGUMENT) { reader::run().map(|()| Outcome::Done) } else { run() };
    match done {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::NotDone) => ExitCode::FAILURE,
        Ok(Outcome::NoDisplay) => ExitCode::from(u8::try_from(EXIT_NO_DISPLAY).unwrap_or(2)),
        Err(error) => {
            eprintln!("strongroom-prompt-window: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> io::Result<Outcome> {
    close_windows()?;
    let start = Start::receive()?;
    if !start.face.is_window() || !start.slots.are_for_files_only() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "a window takes no descriptors but files to import"));
    }
    // Held until the end: what is drawn is read from there.
    let fonts = fonts::load();
    if let Err(error) = &fonts {
        eprintln!("strongroom-prompt-window: the desktop's own letters are used: {error}");
    }
    if gtk::init().is_err() {
        return Ok(Outcome::NoDisplay);
    }
    theme::apply();
    let outcome = Dialogue::run(start);
    drop(fonts);
    outcome
}
