//! What a door can ask of the desk and of the supervisor, and how it reaches them.
//!
//! Invariant: requests and answers are closed lists; none has a field for a password, a code or an API secret.

pub mod door;
pub mod socket;
pub mod supervisor;

pub use door::{
    Ask, AuditEntry, BookView, DoorAction, DoorError, Fate, KeyView, LimitView, LineView, OrderView, SessionView, Tell, VaultState,
    VaultView,
};
pub use socket::DeskClient;
