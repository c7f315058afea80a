//! May this actor do this now? One question, one [`Verdict`], asked by the desk and again by the signer.
//!
//! Invariant: no clock, no chance, no I/O: time, state and codes are arguments, so every rule is a table of
//! examples. Cancels pass every rule: nothing here can stop risk from being taken away.

mod access;
mod policy;
mod risk;
mod rules;
mod totp;

pub use access::{Freeze, Role, Session, SessionEnd};
pub use policy::{InstrumentPolicy, KdfFloor, Policy, PolicyError};
pub use risk::{OrderRate, desk_gate, signer_gate};
pub use rules::{Enforcer, RULES, Reason, Rule, Verdict};
pub use totp::{STEP_S, TotpRefusal, TotpState};

pub use risk::{DeskFacts, SignerFacts};
