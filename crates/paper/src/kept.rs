//! What has to outlive the venue, on its way to the journal. Invariant: what the journal did not take waits, in order, and is
//! tried again.

use std::time::{Duration, Instant};

use thiserror::Error;

use crate::exchange::{Entry, Exchange};
use crate::journal::Journal;

/// The markets' numbers are put into the journal so often.
const NUMBERS_EVERY: Duration = Duration::from_secs(10);

/// The journal does not take what happened: nobody is told that it did.
#[derive(Debug, Error)]
#[error("the journal cannot be written")]
pub(crate) struct NotKept;

/// The journal and what it has not taken yet.
pub(crate) struct Kept {
    journal: Journal,
    waiting: Vec<Entry>,
    numbers_at: Instant,
}

impl Kept {
    pub(crate) fn new(journal: Journal) -> Self {
        Self { journal, waiting: Vec::new(), numbers_at: Instant::now() }
    }

    /// Puts what happened since the last call into the journal.
    pub(crate) fn keep(&mut self, exchange: &mut Exchange) -> Result<(), NotKept> {
        self.waiting.extend(exchange.take_entries());
        if self.numbers_at.elapsed() >= NUMBERS_EVERY {
            self.numbers_at = Instant::now();
            self.waiting.extend(exchange.numbers());
        }
        let failed = |error: std::io::Error| {
            tracing::error!(%error, "the journal cannot be written; orders are not answered until it can");
            NotKept
        };
        if self.journal.has_grown() {
            match self.journal.rewrite(&exchange.all_entries()) {
                Ok(()) => self.waiting.clear(),
                // The old file goes on: there may be room for a line where there is none for a second file.
                Err(error) => tracing::warn!(%error, "the journal could not be written anew; tried again when it has grown further"),
            }
        }
        self.journal.append(&self.waiting).map_err(failed)?;
        // In the file now: what fails from here on must not append it a second time.
        self.waiting.clear();
        self.journal.tick().map_err(failed)
    }
}
