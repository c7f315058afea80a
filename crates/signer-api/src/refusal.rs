//! Why the signer refuses. Invariant: each refusal has a stable name, words, and what to do next.

use serde::{Deserialize, Serialize};
use strongroom_guard::{Reason, Unmet};
use strongroom_model::Advice;
use thiserror::Error;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Refusal {
    /// A rule of the gate.
    #[error("{0}")]
    Guard(Reason),
    /// Something is being saved or asked already.
    #[error("another change is being made; try again when it is done")]
    Busy,
    /// Too many password failures.
    #[error("too many wrong passwords; the next one is looked at in {wait_s} s")]
    Wait {
        /// Seconds until then.
        wait_s: u64,
    },
    /// Cannot be done in this state.
    #[error("{0}")]
    State(String),
    /// Limits of an organisation cannot be read.
    #[error("{0}")]
    ManagedFiles(String),
    /// The log would shrink or fork.
    #[error(
        "the log has {size} entries, and one of {signed} was signed already: it was lost or put back. No more than 256 orders of an opening are \
         signed beside it; put the newer desk.db back, or open the vault with the recovery kit and without its state file"
    )]
    HeadOlder {
        /// Size asked for.
        size: u64,
        /// Size signed before.
        signed: u64,
    },
    /// A wall does not stand: nothing secret may come in.
    #[error("a wall around the signer does not stand on this system: {}. Nothing is opened; docs/signer.md says what each needs", .0.join(", "))]
    Walls(Vec<String>),
    /// The answer has no room in a packet.
    #[error("the answer is longer than one message may be")]
    TooLong,
    /// Not understood.
    #[error("the request is not understood")]
    NotUnderstood,
}

impl Refusal {
    /// Short name, stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Guard(reason) => reason.rule(),
            Self::Busy => "busy",
            Self::Wait { .. } => "wait",
            Self::State(_) => "signer",
            Self::ManagedFiles(_) => "managed-files",
            Self::HeadOlder { .. } => "head-older",
            Self::Walls(_) => "walls",
            Self::TooLong => "too-long",
            Self::NotUnderstood => "not-understood",
        }
    }

    /// The rule that said no, in its parts; nothing where none did.
    pub fn unmet(&self) -> Vec<Unmet> {
        match self {
            Self::Guard(reason) => vec![reason.into()],
            _ => Vec::new(),
        }
    }

    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Guard(reason) => reason.advice(),
            Self::Busy => Advice::RetryAfter(500),
            Self::Wait { wait_s } => Advice::RetryAfter(wait_s.saturating_mul(1_000)),
            Self::State(_) | Self::Walls(_) => Advice::Ask,
            Self::ManagedFiles(_) => Advice::Refuse,
            Self::HeadOlder { .. } => Advice::Ask,
            Self::TooLong | Self::NotUnderstood => Advice::Bug,
        }
    }
}
