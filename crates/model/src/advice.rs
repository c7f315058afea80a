//! What to do next when something failed.

use serde::{Deserialize, Serialize};

/// The one question every error of Strongroom answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Advice {
    /// Nothing happened; the same call may succeed after this many milliseconds.
    RetryAfter(u64),
    /// The outcome is unknown: look the order up by its client order id before anything else.
    Reconcile,
    /// A person has to decide or supply something.
    Ask,
    /// Nothing happened and the same call will fail again.
    Refuse,
    /// We are wrong; report it.
    Bug,
}
