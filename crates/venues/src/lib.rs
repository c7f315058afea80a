//! Two-way translation between intents and what venues speak, one module per venue, without I/O.
//!
//! Invariant: no module here reads a clock, opens a socket or keeps a secret; time and keys are arguments.

pub mod binance;
pub mod pair;
