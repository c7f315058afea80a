//! How a command fails: a stable name, words, and an exit code that says what to do next.

use std::io;
use std::path::Path;

use strongroom_desk_api::{DoorError, Tell, Unmet};
use strongroom_model::Advice;

const REFUSED: u8 = 1;
const USAGE: u8 = 2;
const NOT_RUNNING: u8 = 3;
const UNKNOWN_OUTCOME: u8 = 4;
const NEEDS_PERSON: u8 = 5;

/// A command that did not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit_code: u8,
    error: DoorError,
}

impl Failure {
    fn new(exit_code: u8, code: &str, message: String, advice: Advice) -> Self {
        Self { exit_code, error: DoorError::new(code, message, advice) }
    }

    pub(crate) fn usage(message: &str) -> Self {
        Self::new(USAGE, "usage", message.to_owned(), Advice::Ask)
    }

    pub(crate) fn refused(code: &str, message: String) -> Self {
        Self::new(REFUSED, code, message, Advice::Refuse)
    }

    pub(crate) fn not_running(dir: &Path, error: &io::Error) -> Self {
        let dir = dir.display();
        Self::new(
            NOT_RUNNING,
            "not-running",
            format!("nothing answers for the profile {dir} ({error}). Start it: strongroomd --dir {dir} --paper"),
            Advice::Ask,
        )
    }

    pub(crate) fn desk_silent(error: &io::Error) -> Self {
        let message = format!("no answer came ({error}). If this was an order, look it up with `strongroom order list --all`");
        Self::new(UNKNOWN_OUTCOME, "no-answer", message, Advice::Reconcile)
    }

    /// The failure that an answer is, if it is one.
    pub(crate) fn of(tell: &Tell) -> Option<Self> {
        let Tell::Error(error) = tell else { return None };
        Some(error.clone().into())
    }

    pub(crate) fn show(&self, json: bool) {
        if json {
            println!("{}", serde_json::json!({ "error": self.error }));
        } else {
            eprintln!("strongroom: {}", self.error.message);
            for Unmet { rule, by, value, limit, passes } in &self.error.unmet {
                eprintln!("  {rule} ({by}): {value}; allowed: {limit}; passes: {passes}");
            }
        }
    }
}

impl From<DoorError> for Failure {
    fn from(error: DoorError) -> Self {
        let exit_code = match error.advice {
            _ if error.code == "not-running" => NOT_RUNNING,
            Advice::Ask => NEEDS_PERSON,
            Advice::Reconcile => UNKNOWN_OUTCOME,
            Advice::RetryAfter(_) | Advice::Refuse | Advice::Bug => REFUSED,
        };
        Self { exit_code, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_decides_the_exit_code() {
        for (advice, code) in [(Advice::Ask, 5), (Advice::Reconcile, 4), (Advice::Refuse, 1), (Advice::RetryAfter(1), 1), (Advice::Bug, 1)]
        {
            let error = DoorError::new("x", "y".to_owned(), advice);
            assert_eq!(Failure::of(&Tell::Error(error)).unwrap().exit_code, code);
        }
        assert!(Failure::of(&Tell::Done { words: String::new() }).is_none());
    }
}
