//! Why the signer refuses. Invariant: each refusal has a stable name, words, and what to do next.

use serde::{Deserialize, Serialize};
use strongroom_guard::{Reason, Unmet};
use strongroom_model::Advice;
use thiserror::Error;

use crate::desk::RECV_WINDOW_MS_MAX;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Refusal {
    /// A rule of the gate.
    #[error("{0}")]
    Guard(Reason),
    /// No such key in the vault.
    #[error("there is no such key in the vault; see `strongroom key list`")]
    NoCredential,
    /// The stage of a key does not allow this.
    #[error("this key does not sign that: it is {}", .stage_words)]
    NotActive {
        /// What it is, in words.
        stage_words: String,
    },
    /// The desk's idea of the venue's clock is too far from ours.
    #[error("the venue's clock is said to differ by {offset_ms} ms; at most 60000 ms are accepted. Check this computer's clock")]
    ClockOffset {
        /// What the desk said.
        offset_ms: i64,
    },
    /// A window in which a signed order could be sent for too long.
    #[error("a receive window of {0} ms is outside of 1 to {max} ms", max = RECV_WINDOW_MS_MAX)]
    RecvWindow(u32),
    /// The venue has no request for it, or none that is harmless.
    #[error("{why}; nothing was signed")]
    NotOffered {
        /// What it lacks, or what it would mean.
        why: String,
    },
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
    /// Limits of an organisation stand in the way, or cannot be read.
    #[error("{0}")]
    ManagedPolicy(String),
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
    /// Too many orders since the log's head was signed last: what is signed next could be left out of the log.
    #[error("{0} orders were signed since the log's head was; it has to be signed first")]
    HeadDue(u64),
    /// A wall does not stand: nothing secret may come in.
    #[error("a wall around the signer does not stand on this system: {}. Nothing is opened; docs/signer.md says what each needs", .0.join(", "))]
    Walls(Vec<String>),
    /// Not understood.
    #[error("the request is not understood")]
    NotUnderstood,
}

impl Refusal {
    /// Short name, stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Guard(reason) => reason.rule(),
            Self::NoCredential => "no-key",
            Self::NotActive { .. } => "key-not-active",
            Self::ClockOffset { .. } => "clock-offset",
            Self::RecvWindow(_) => "recv-window",
            Self::NotOffered { .. } => "not-offered",
            Self::Busy => "busy",
            Self::Wait { .. } => "wait",
            Self::State(_) => "signer",
            Self::ManagedPolicy(_) => "managed-policy",
            Self::HeadOlder { .. } => "head-older",
            Self::HeadDue(_) => "head-due",
            Self::Walls(_) => "walls",
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
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Guard(reason) => reason.advice(),
            Self::Busy | Self::HeadDue(_) => Advice::RetryAfter(500),
            Self::Wait { wait_s } => Advice::RetryAfter(wait_s.saturating_mul(1_000)),
            Self::NoCredential | Self::ClockOffset { .. } | Self::State(_) | Self::Walls(_) => Advice::Ask,
            Self::NotActive { .. } | Self::RecvWindow(_) | Self::NotOffered { .. } | Self::ManagedPolicy(_) => Advice::Refuse,
            Self::HeadOlder { .. } => Advice::Ask,
            Self::NotUnderstood => Advice::Bug,
        }
    }
}
