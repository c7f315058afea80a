//! Harness for the tests of the whole.
#![expect(clippy::expect_used, clippy::panic, reason = "a harness fails loudly")]

pub mod every_intent;
pub mod seats;
pub mod signer_world;
pub mod stories;
pub mod vectors;
