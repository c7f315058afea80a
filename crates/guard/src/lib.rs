//! May this actor do this now? One question, one [`Verdict`], asked by the desk and again by the signer.
//!
//! Invariant: no clock, no chance, no I/O: time, state and codes are arguments, so every rule is a table of
//! examples. Cancels pass every rule: nothing here can stop risk from being taken away.

mod access;
mod bounds;
mod day;
mod desk_rules;
mod drift;
mod exposure;
mod freezes;
mod lines;
mod managed;
mod order_rate;
mod permissions;
mod policy;
mod reason;
mod repeats;
mod request;
mod risk;
mod rules;
mod said;
mod signer_rules;
mod thresholds;
mod totp;
mod turnover;
mod unmet;

pub use access::{Session, SessionEnd};
pub use day::{Day, DayResult};
pub use desk_rules::{DeskRule, DeskRules, ExposureLimit, ExposureScope, RuleMode};
pub use drift::DRIFT_MINUTES;
pub use exposure::{Exposure, Filled, OpenOrder, Pair};
pub use freezes::{Freeze, Freezes, KillScope};
pub use managed::{Beyond, MANAGED_LEN_MAX, Managed, ManagedDesk, ManagedError, ManagedInstrument, ManagedLimits, ManagedNote};
pub use order_rate::{KeptRate, OrderRate};
pub use permissions::{PERMISSIONS, Permission, PermissionRow, Proof};
pub use policy::{InstrumentPolicy, KdfFloor, Policy};
pub use reason::Reason;
pub use request::{CLOCK_OFFSET_US_MAX, NUMBERED_PER_HEAD_MAX, RECV_WINDOW_MS_MAX, dated, numbered};
pub use risk::{Judgement, Quote, RiskState};
pub use rules::{Enforcer, RULES, Rule, Verdict};
pub use signer_rules::{SignerFacts, not_listed, signer_gate, worth_at_most};
pub use strongroom_model::Role;
pub use thresholds::{Actor, By, Threshold, Turnovers};
pub use totp::{STEP_S, TotpRefusal, TotpState};
pub use turnover::Turnover;
pub use unmet::Unmet;
