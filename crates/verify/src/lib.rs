//! A second reading of the audit log, written from `docs/audit-format.md` alone.
//!
//! Invariant: nothing of the crate that writes logs is used here, no secret is needed, and nothing is written to the log.

mod key;
mod leaf;
mod note;
mod source;
mod verdict;

pub use key::{KeyError, LogKey};
pub use leaf::Leaf;
pub use note::{Checkpoint, Counted, Note};
pub use source::{Log, Row, SourceError};
pub use verdict::{Broken, Findings, Outcome, verify, verify_telling};
