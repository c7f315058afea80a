//! One pipeline for every order, stream and reconciliation, and the shell that runs it.
//!
//! Invariant: this crate never sees a password, a code or an API secret; it sees ciphertext and signed requests.

mod keeper;
pub mod machine;
pub mod order;
mod signer_link;
pub mod store;

pub use keeper::KeepError;
pub use machine::{Effect, Event, Machine, Now, Outcome};
pub use order::{Order, Stage};
pub use signer_link::SignerLink;
pub use store::Store;
