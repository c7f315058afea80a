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
        let kept = if self.journal.has_grown() {
            self.journal.rewrite(&exchange.all_entries())
        } else {
            self.journal.append(&self.waiting).and_then(|()| self.journal.tick())
        };
        match kept {
            Ok(()) => {
                self.waiting.clear();
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, waiting = self.waiting.len(), "the journal cannot be written; orders are not answered until it can");
                Err(NotKept)
            }
        }
    }
}
