//! Actions that need a person: the prompt window is opened by the supervisor, and the window waits for the outcome.
//!
//! Invariant: files to import are opened here and handed on unread; what a person types never comes here.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strongroom_desk_api::supervisor::{Errand, Face, Slot, SupervisorClient, ToSupervisor};
use strongroom_desk_api::{Ask, DoorAction, DoorError, Tell};
use strongroom_model::Advice;

use crate::desk::{Desk, failed, unexpected};
use crate::settings::{Settings, Theme};
use crate::views::{Outcome, Source};

/// A person has so long to answer all questions.
const PERSON_TIMEOUT: Duration = Duration::from_secs(600);
/// The practice key in a profile's folder.
const PRACTICE_KEY: &str = "paper/practice.env";
/// The supervisor's word for a prompt that ended without success; the desk knows why.
const NOT_DONE: &str = "not done";

/// The prompt that is open, and the file that was dropped last.
#[derive(Clone, Default)]
pub(crate) struct Person {
    open: Arc<Mutex<Option<Arc<SupervisorClient>>>>,
    dropped: Arc<Mutex<Option<PathBuf>>>,
}

impl Person {
    /// A file was dropped on the window.
    pub(crate) fn dropped(&self, path: PathBuf) {
        *self.dropped.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
    }

    /// Closes the prompt.
    pub(crate) fn give_up(&self) {
        if let Some(supervisor) = self.open.lock().unwrap_or_else(PoisonError::into_inner).take() {
            supervisor.hang_up();
        }
    }

    /// Prepares, has a person asked, waits for the end.
    pub(crate) async fn act(&self, desk: &Desk, action: DoorAction, source: Source) -> Result<Outcome, DoorError> {
        let file = self.file(desk.profile(), source)?;
        let Tell::Prepared { ticket, .. } = desk.ask(Ask::Prepare { action }).await? else { return Err(unexpected()) };
        let number = ticket_number(&ticket).ok_or_else(unexpected)?;
        let slots = file.iter().map(|_| Slot::Import).collect();
        let errand = Errand { ticket: number, face: face(desk.profile()), slots };
        let supervisor = SupervisorClient::connect(desk.profile()).map(Arc::new);
        let supervisor = supervisor.map_err(|error| not_opened(&error.to_string()))?;
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(before) = open.replace(Arc::clone(&supervisor)) {
                // One question at a time: the newer one counts.
                before.hang_up();
            }
        }
        let asking = Arc::clone(&supervisor);
        let asked = tauri::async_runtime::spawn_blocking(move || {
            let fds: Vec<_> = file.iter().map(File::as_fd).collect();
            asking.ask(&ToSupervisor::Prompt(errand), &fds, PERSON_TIMEOUT)
        });
        let answered = asked.await;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take_if(|open| Arc::ptr_eq(open, &supervisor));
        match answered {
            Ok(Ok((true, _))) => {}
            Ok(Ok((false, words))) if words == NOT_DONE => {}
            Ok(Ok((false, words))) => return Err(not_opened(&words)),
            Ok(Err(_)) => return Err(failed("given-up", "The prompt was closed. Nothing was changed.".to_owned(), Advice::Ask)),
            Err(_) => return Err(failed("window", "the window is ending".to_owned(), Advice::Refuse)),
        }
        match desk.ask(Ask::Outcome { ticket }).await? {
            Tell::Outcome { words, key, log_key, public_key } => Ok(Outcome { words, key, log_key, public_key }),
            _ => Err(unexpected()),
        }
    }

    fn file(&self, profile: &Path, source: Source) -> Result<Option<File>, DoorError> {
        let path = match source {
            Source::Typed => return Ok(None),
            Source::Practice => profile.join(PRACTICE_KEY),
            Source::Dropped => {
                let dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner).take();
                dropped.ok_or_else(|| failed("no-file", "No file was dropped on the window.".to_owned(), Advice::Ask))?
            }
        };
        // A pipe would let the opening wait for its writer.
        let mut options = File::options();
        std::os::unix::fs::OpenOptionsExt::custom_flags(options.read(true), rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        match options.open(&path) {
            Ok(file) if file.metadata().is_ok_and(|file| file.is_file()) => Ok(Some(file)),
            Ok(_) => Err(failed("no-file", format!("{} is not a file.", path.display()), Advice::Ask)),
            Err(error) => Err(failed("no-file", format!("{} cannot be opened: {error}.", path.display()), Advice::Ask)),
        }
    }
}

/// The prompt looks like the window.
fn face(profile: &Path) -> Face {
    match Settings::read(profile).theme {
        Theme::System => Face::Window,
        Theme::Dark => Face::DarkWindow,
        Theme::Light => Face::BrightWindow,
    }
}

fn not_opened(why: &str) -> DoorError {
    failed("prompt", format!("The prompt was not opened: {why}. Nothing was changed."), Advice::Ask)
}

fn ticket_number(text: &str) -> Option<[u8; 16]> {
    let mut number = [0; 16];
    if text.len() != 2 * number.len() || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in number.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets() {
        assert_eq!(ticket_number("000102030405060708090a0b0c0d0eff").unwrap()[15], 255);
        for wrong in ["", "00", "zz0102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f0"] {
            assert_eq!(ticket_number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_files_are_handed_on() {
        let folder = tempfile::tempdir().unwrap();
        let person = Person::default();
        assert!(person.file(folder.path(), Source::Typed).unwrap().is_none());
        assert_eq!(person.file(folder.path(), Source::Practice).unwrap_err().code, "no-file");
        assert_eq!(person.file(folder.path(), Source::Dropped).unwrap_err().code, "no-file");
        person.dropped(folder.path().to_path_buf());
        assert_eq!(person.file(folder.path(), Source::Dropped).unwrap_err().code, "no-file");
        std::fs::write(folder.path().join("key.env"), "A=1").unwrap();
        person.dropped(folder.path().join("key.env"));
        assert!(person.file(folder.path(), Source::Dropped).unwrap().is_some());
        assert!(person.file(folder.path(), Source::Dropped).is_err(), "a drop counts once");
        std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
        person.dropped(folder.path().join("pipe"));
        assert_eq!(person.file(folder.path(), Source::Dropped).unwrap_err().code, "no-file", "and nothing waits");
    }
}
