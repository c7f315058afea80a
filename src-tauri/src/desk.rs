//! The window's way to desk and supervisor. Invariant: every question has a time limit, and an answer that does not
//! come is told as such, never guessed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use strongroom_desk_api::{Ask, DeskClient, DoorError, Tell};
use strongroom_model::Advice;

/// The desk of one profile.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    profile: PathBuf,
    /// Until then a desk that does not answer may be starting.
    starting_until: Instant,
    trouble: Arc<Mutex<Option<String>>>,
}

/// A desk that was started with the window has so long until its absence is an error.
const START_MAX: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// An error in the desk's own form.
pub(crate) fn failed(code: &str, message: String, advice: Advice) -> DoorError {
    DoorError::new(code, message, advice)
}

impl Desk {
    pub(crate) fn of(profile: &Path) -> Self {
        Self { profile: profile.to_path_buf(), starting_until: Instant::now() + START_MAX, trouble: Arc::default() }
    }

    pub(crate) fn profile(&self) -> &Path {
        &self.profile
    }

    /// Why the desk cannot be used, or that it can.
    pub(crate) fn set_trouble(&self, why: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Connects. Blocks for moments, and while the desk is being started.
    pub(crate) fn connect(&self) -> Result<DeskClient, DoorError> {
        loop {
            if let Some(why) = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                return Err(failed("not-started", format!("The desk could not be started: {why}."), Advice::Ask));
            }
            let error = match DeskClient::connect(&self.profile) {
                Ok(client) => return Ok(client),
                Err(error) => error,
            };
            let is_absent = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused);
            if !is_absent || Instant::now() > self.starting_until {
                let message = format!("The desk does not answer ({error}).");
                return Err(failed("not-running", message, Advice::RetryAfter(1_000)));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Asks, away from the window's thread.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Tell, DoorError> {
        self.ask_within(ask, strongroom_desk_api::socket::ANSWER_TIMEOUT).await
    }

    /// Asks and waits at most so long.
    pub(crate) async fn ask_within(&self, ask: Ask, patience: Duration) -> Result<Tell, DoorError> {
        let desk = self.clone();
        let asked = tauri::async_runtime::spawn_blocking(move || {
            let mut client = desk.connect()?;
            client.set_timeout(patience).map_err(|error| silent(&error))?;
            client.ask(&ask).map_err(|error| silent(&error))
        });
        match asked.await {
            Ok(Ok(Tell::Error(error))) | Ok(Err(error)) => Err(error),
            Ok(Ok(tell)) => Ok(tell),
            Err(_) => Err(failed("window", "the window is ending".to_owned(), Advice::Refuse)),
        }
    }
}

fn silent(error: &std::io::Error) -> DoorError {
    failed(
        "no-answer",
        format!("No answer came ({error}). If this was an order, it is shown as soon as its fate is known."),
        Advice::Reconcile,
    )
}

/// An answer of another kind than was asked for.
pub(crate) fn unexpected() -> DoorError {
    failed("not-understood", "the desk answered something else; desk and window are of different versions".to_owned(), Advice::Bug)
}
