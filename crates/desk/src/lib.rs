//! One pipeline for every order, stream and reconciliation, and the shell that runs it.
//!
//! Invariant: this crate never sees a password, a code or an API secret; it sees ciphertext and signed requests.

mod account;
mod actions;
mod amending;
mod asking;
mod births;
mod doors;
pub mod event;
mod exports;
mod feed;
mod following;
mod hall;
mod idleness;
mod keeper;
mod key_use;
mod lines;
mod locking;
pub mod machine;
pub mod order;
mod ordering;
mod outcomes;
mod placing;
mod presence;
mod rebuild;
mod replaced;
mod rights;
mod rotation;
mod shell;
mod signer_link;
pub mod store;
mod sweep;
mod ticket;
mod venue;
mod watching;
mod whereabouts;
mod work;

pub use event::{Effect, Event, Now, Outcome, Signed};
pub use machine::Machine;
pub use order::{Order, Stage};
pub use shell::{Config, DeskError, run};
pub use store::Store;
pub use venue::VenueConfig;
