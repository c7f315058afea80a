//! Sessions as doors are told of them. Invariant: what is left of one is counted from when this was measured.

use serde::{Deserialize, Serialize};
use strongroom_model::{Notional, Role, Timestamp};

use crate::door::{Mode, VaultState};
use crate::line::{LimitView, LineView};

/// To `session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SessionView {
    /// State of the vault.
    pub state: VaultState,
    /// Whether money is real here.
    pub mode: Mode,
    /// Name of the venue.
    pub venue: String,
    /// Label of the key in use; empty when there is none or the vault is sealed.
    pub account: String,
    /// Whether a machine opened the vault, without a person.
    pub is_service: bool,
    /// Left until idle, milliseconds.
    pub idle_left_ms: Option<u64>,
    /// Left until too old, milliseconds.
    pub age_left_ms: Option<u64>,
    /// Signatures made with this vault.
    pub signatures: u64,
    /// What was signed in the last day, each order at the most that it can be worth, and the most allowed.
    pub day_notional: Option<(Notional, Notional)>,
    /// What the session may do.
    pub roles: Vec<Role>,
    /// Every session that is open, at this door or another.
    pub sessions: Vec<SessionRow>,
    /// Why everything is stopped by the kill switch, if it is.
    pub killed: Option<String>,
    /// What else it stops: how far and why, in words.
    pub stopped: Vec<String>,
    /// Lines to venues.
    pub lines: Vec<LineView>,
    /// Rate limits of venues.
    pub limits: Vec<LimitView>,
    /// Orders that are not over.
    pub live_orders: u64,
    /// Those of them that the kill switch leaves.
    pub protected_orders: u64,
    /// Orders whose outcome is unknown.
    pub ambiguous_orders: u64,
    /// When this was measured.
    pub at: Timestamp,
}

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SessionRow {
    /// Its number.
    pub door: String,
    /// Where it was opened, in words.
    pub place: String,
    /// Whether that is where this was asked.
    pub is_here: bool,
    /// Name of the slot by which it was opened.
    pub by: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Whether a machine opened it: it serves every door, and does not end by itself.
    pub is_service: bool,
    /// Left until idle, milliseconds.
    pub idle_left_ms: u64,
    /// Left until too old, milliseconds.
    pub age_left_ms: u64,
}
