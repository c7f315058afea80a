//! What the page is told beyond the desk's own views. Invariant: plain data for people; no field for a secret.

use serde::{Deserialize, Serialize};
use strongroom_desk_api::{AuditEntry, Frame};
use strongroom_model::{CredentialInfo, OrderSpec, Side, Symbol, Timestamp};

use crate::settings::Settings;

/// First answer to the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Hello {
    /// Of the program.
    pub version: String,
    /// The profile's folder.
    pub profile: String,
    /// Language and region, such as `en-GB`.
    pub locale: String,
    /// Whether the window is drawn without a graphics card.
    pub software_rendering: bool,
    /// Whether the system keeps other programs from capturing the window.
    pub capture_protected: bool,
    /// Whether the program may be driven from outside.
    pub dev_build: bool,
    /// The kill keys that work outside of the window; nothing: this desktop delivers none to it.
    pub kill_keys: Option<String>,
    /// How the window looks.
    pub settings: Settings,
}

/// A drafted order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What to trade.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price, size.
    pub spec: OrderSpec,
    /// It may only reduce what is held.
    pub reduce_only: bool,
}

/// Where the prompt gets a key from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person types, pastes or chooses a file there.
    Typed,
    /// The paper venue's practice key.
    Practice,
    /// The file that was dropped on the window last.
    Dropped,
}

/// How an action that needed a person ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Outcome {
    /// For people.
    pub words: String,
    /// The key concerned, if any.
    pub key: Option<CredentialInfo>,
    /// The log's public key, after a vault was made.
    pub log_key: Option<String>,
    /// Public half of a key pair as PEM, after it was made.
    pub public_key: Option<String>,
}

/// One page of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AuditPage {
    /// Oldest first.
    pub entries: Vec<AuditEntry>,
    /// How many the log has.
    pub size: u64,
}

/// What the separate verifier found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Verified {
    /// Whether every entry is in its place.
    pub intact: bool,
    /// For people.
    pub words: String,
    /// How many entries there are.
    pub entries: u64,
    /// How many of them a signed checkpoint covers.
    pub sealed_entries: u64,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// Checked with a key that a person kept; otherwise with the one that this computer names.
    pub by_kept_key: bool,
    /// Hash of the newest entry, hexadecimal.
    pub head: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u64,
}

/// After the kill switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Killed {
    /// For people.
    pub words: String,
    /// From the question to the frozen signer.
    pub frozen_us: u64,
}

/// What the page is told unasked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "push", rename_all = "snake_case")]
pub enum Push {
    /// The market as it is now.
    Frame {
        /// It.
        frame: Box<Frame>,
    },
    /// Whether the desk answers.
    Link {
        /// It does.
        up: bool,
        /// For people.
        words: String,
    },
    /// The kill switch was used outside of the page.
    Killed {
        /// Whether the signer is frozen.
        engaged: bool,
        /// For people.
        words: String,
    },
    /// How far the verifier is.
    Verify {
        /// Entries looked at.
        done: u64,
        /// Entries in all.
        of: u64,
    },
    /// Something should be shown.
    Open {
        /// What.
        what: Sheet,
    },
}

/// What the window can be asked to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Sheet {
    /// The kill switch.
    Kill,
    /// The lock screen.
    Lock,
    /// The import of the file that was dropped.
    Import,
}
