//! The process that holds keys and signs intents, as a state machine: packets in, packets out.
//!
//! Invariant: [`Signer`] does no I/O and reads no clock. Secrets enter through a prompt's answers and the vault's
//! bytes, and leave only as signatures, as ciphertext, or as the two things a prompt shows once.
//!
//! The shell around it (`main.rs`) builds the walls first, then moves packets.

pub mod arena;
pub mod awaited;
pub mod calibration;
mod clock;
mod credential;
mod dialogue;
mod kernel;
mod keys;
mod ledger;
mod logs;
mod managed;
mod otp;
mod sessions;
mod signer;
pub mod stack;
mod unsigned;
pub mod walls;

pub use clock::Moment;
pub use signer::{Out, Signer};
