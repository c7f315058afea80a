//! Requests of a door and the desk's answers, as JSON lines.

use serde::{Deserialize, Serialize};
use strongroom_guard::{KillScope, ManagedNote, Policy, Unmet};
use strongroom_model::{
    Advice, Balance, Candle, CredentialId, CredentialInfo, Fill, Instrument, Level, Notional, OrderSpec, Price, Quantity, Remark, Side,
    SlotInfo, Symbol, Timestamp,
};
use thiserror::Error;

use crate::action::DoorAction;
use crate::keys::KeyView;
use crate::kill::KillReport;
use crate::market::{Frame, Interval, Watch};
use crate::session::SessionView;
use crate::ticket::Checks;

/// Most entries of the log in one answer.
pub const AUDIT_PAGE_MAX: u32 = 50;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Are you there?
    Alive,
    /// State of vault and signer.
    Vault,
    /// State of session, lines and limits.
    Session,
    /// A person is there: the session's idle time begins anew, unless the desktop knows better.
    Stay,
    /// Frames of a market from now on, until the next request of the same connection; each as [`Tell::Frame`].
    Watch {
        /// Of what.
        watch: Watch,
    },
    /// What can be traded here.
    Instruments,
    /// Past candles.
    Candles {
        /// Of what.
        symbol: Symbol,
        /// How long each.
        interval: Interval,
    },
    /// What is known of an order that is not sent yet.
    Check {
        /// What to trade.
        symbol: Symbol,
        /// Buy or sell.
        side: Side,
        /// Kind, price, size.
        spec: OrderSpec,
        /// It may only reduce what is held.
        #[serde(default)]
        reduce_only: bool,
    },
    /// How much a part of the free balance buys or sells.
    Size {
        /// What to trade.
        symbol: Symbol,
        /// Buy or sell.
        side: Side,
        /// At which price; nothing: at the book as it is.
        price: Option<Price>,
        /// Percent of the free balance, 1 to 100.
        percent: u32,
    },
    /// Begin something that needs a person; answered by [`Tell::Prepared`].
    Prepare {
        /// What.
        action: DoorAction,
    },
    /// How an action ended; waits for it.
    Outcome {
        /// Which.
        ticket: String,
    },
    /// End the session; seals when nothing is live.
    Lock,
    /// End one session, wherever it is.
    EndSession {
        /// Its number, as [`crate::SessionRow`] names it.
        door: String,
    },
    /// End the signer: nothing can be signed.
    Seal,
    /// Credentials, without secrets.
    Keys,
    /// The ways into the vault; while it is open.
    Slots,
    /// The public half of a key pair, as the venue asks for it.
    PublicKey {
        /// Which.
        id: CredentialId,
    },
    /// Do what can be done of a rotation now.
    GoOn {
        /// The new key, or the old one.
        id: CredentialId,
    },
    /// Something is wrong with a key: it should be replaced.
    Suspect {
        /// Which.
        id: CredentialId,
        /// What, in words.
        why: Remark,
    },
    /// Limits in force.
    Policy,
    /// A new order.
    Place {
        /// Our name; the desk makes one when there is none.
        #[serde(default)]
        client_order_id: Option<String>,
        /// What to trade.
        symbol: Symbol,
        /// Buy or sell.
        side: Side,
        /// Kind, price, size.
        spec: OrderSpec,
        /// It may only reduce what is held.
        #[serde(default)]
        reduce_only: bool,
        /// Why it should pass rules that ask for a reason.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Take an order back.
    Cancel {
        /// Our name of it.
        client_order_id: String,
    },
    /// Make an order that rests smaller; it keeps its name and its place in the queue.
    Amend {
        /// Our name of it.
        client_order_id: String,
        /// Its base quantity from now on, what is filled included.
        quantity: Quantity,
    },
    /// Orders known to the desk, newest first.
    Orders {
        /// Only those that are not over.
        live: bool,
    },
    /// One order.
    Order {
        /// Our name of it.
        client_order_id: String,
    },
    /// Best levels of a book.
    Book {
        /// Which.
        symbol: Symbol,
        /// Levels per side.
        depth: u32,
    },
    /// Balances at the venue.
    Balance,
    /// Engage the kill switch and cancel what is open.
    Kill {
        /// Why, in words.
        why: String,
        /// How far it reaches; everything, when nothing is said.
        #[serde(default)]
        scope: KillScope,
    },
    /// How far the last use of the kill switch is.
    KillReport,
    /// The kill switch reaches an order that was protected from it again.
    Unprotect {
        /// Our name of it.
        client_order_id: String,
    },
    /// Entries of the log, newest last.
    Audit {
        /// Only entries before this one; `None`: the newest.
        before: Option<u64>,
        /// How many at most.
        last: u32,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tell", rename_all = "snake_case", deny_unknown_fields)]
pub enum Tell {
    /// To [`Ask::Vault`].
    Vault(VaultView),
    /// To [`Ask::Session`].
    Session(Box<SessionView>),
    /// To [`Ask::Prepare`].
    Prepared {
        /// Give it to the supervisor to open a prompt.
        ticket: String,
        /// The action in words.
        words: String,
    },
    /// To [`Ask::Outcome`].
    Outcome {
        /// What happened, in words.
        words: String,
        /// The credential concerned, if any.
        key: Option<CredentialInfo>,
        /// Text form of the log's public key, after a vault was made.
        log_key: Option<String>,
        /// Public half of a key pair as PEM, after it was made.
        public_key: Option<String>,
    },
    /// Done; what changed, in words.
    Done {
        /// For people.
        words: String,
    },
    /// To [`Ask::Keys`].
    Keys {
        /// All of them.
        keys: Vec<KeyView>,
    },
    /// To [`Ask::Slots`].
    Slots {
        /// By number.
        slots: Vec<SlotInfo>,
    },
    /// To [`Ask::PublicKey`].
    PublicKey {
        /// SubjectPublicKeyInfo as PEM.
        pem: String,
    },
    /// To [`Ask::Policy`].
    Policy {
        /// In force.
        policy: Box<Policy>,
        /// The organisation's part in it.
        managed: Option<Box<ManagedNote>>,
    },
    /// To place, amend, cancel and show.
    Order(Box<OrderView>),
    /// To [`Ask::Orders`].
    Orders {
        /// Newest first.
        orders: Vec<OrderView>,
    },
    /// To [`Ask::Watch`], again and again.
    Frame(Box<Frame>),
    /// To [`Ask::Instruments`].
    Instruments {
        /// All of them.
        instruments: Vec<Instrument>,
    },
    /// To [`Ask::Candles`].
    Candles {
        /// Oldest first.
        candles: Vec<Candle>,
    },
    /// To [`Ask::Check`].
    Checks(Box<Checks>),
    /// To [`Ask::Size`].
    Size {
        /// Base quantity, floored to the instrument's step.
        quantity: Quantity,
    },
    /// To [`Ask::Book`].
    Book(BookView),
    /// To [`Ask::Balance`].
    Balance {
        /// Not zero.
        balances: Vec<Balance>,
    },
    /// To [`Ask::KillReport`]; nothing: it was not used since the desk began.
    KillReport {
        /// How far it is.
        report: Option<Box<KillReport>>,
    },
    /// To [`Ask::Audit`].
    Audit {
        /// Oldest first.
        entries: Vec<AuditEntry>,
        /// How many entries the log has.
        size: u64,
    },
    /// It was not done.
    Error(DoorError),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{message}")]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DoorError {
    /// Short name, stable.
    pub code: String,
    /// For people: fact, effect, action.
    pub message: String,
    /// What to do next.
    pub advice: Advice,
    /// Every rule that an order does not meet, in its parts; nothing where no rule said no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<Vec<Unmet>>", optional))]
    pub unmet: Vec<Unmet>,
}

impl DoorError {
    /// One without rules.
    pub fn new(code: &str, message: String, advice: Advice) -> Self {
        Self { code: code.to_owned(), message, advice, unmet: Vec::new() }
    }
}

/// Where a vault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum VaultState {
    /// There is none yet.
    Missing,
    /// Nothing can be signed.
    Sealed,
    /// Only cancels and reads are signed.
    Locked,
    /// Open with a session.
    Unlocked,
}

/// To `vault status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VaultView {
    /// Where it stands.
    pub state: VaultState,
    /// Its identity, hexadecimal.
    pub vault_id: Option<String>,
    /// Saves so far.
    pub generation: Option<u64>,
    /// Why it was sealed or locked last.
    pub because: Option<String>,
    /// Whether file and keychain agree; else in words what is wrong.
    pub anchor: String,
    /// The walls around the signer, by name.
    pub walls: Vec<(String, bool)>,
    /// What the operating system is asked to tell of the person, by name, and whether it can.
    pub watched: Vec<(String, bool)>,
    /// Public key of the log, in text form.
    pub log_key: Option<String>,
    /// Why everything is stopped by the kill switch, if it is.
    pub killed: Option<String>,
    /// What else it stops: how far and why, in words.
    pub stopped: Vec<String>,
    /// Generations of which there is a backup, newest first.
    pub backups: Vec<u64>,
    /// Recovery codes that were not used, while the vault is open.
    pub codes_left: Option<u8>,
    /// Limits of an organisation that hold, once the vault was opened.
    pub managed: Option<ManagedNote>,
}

/// Whether money is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Mode {
    /// The embedded paper venue: play money.
    Simulation,
    /// A venue of its own.
    Live,
}

/// Where an order stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Fate {
    /// Recorded, not sent yet.
    Intended,
    /// Sent, no answer yet.
    Sent,
    /// Nobody knows; being looked up.
    Ambiguous,
    /// In the book.
    Working,
    /// Wholly filled.
    Filled,
    /// Taken back.
    Canceled,
    /// Ended by its own time in force.
    Expired,
    /// Refused by a rule, the signer or the venue; nothing was executed.
    Refused,
}

impl Fate {
    /// Whether nothing more can happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Filled | Self::Canceled | Self::Expired | Self::Refused)
    }
}

/// One order as the desk knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct OrderView {
    /// Our name.
    pub client_order_id: String,
    /// The venue's number.
    pub venue_order_id: Option<u64>,
    /// What.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price, size.
    pub spec: OrderSpec,
    /// It may only reduce what is held.
    pub reduce_only: bool,
    /// Where it stands.
    pub fate: Fate,
    /// Base quantity filled.
    pub filled: Quantity,
    /// Quote amount traded.
    pub filled_notional: Notional,
    /// Trades.
    pub fills: Vec<Fill>,
    /// Why it was refused, or what is unknown.
    pub note: Option<String>,
    /// The kill switch leaves it.
    pub protected: bool,
    /// When it was recorded.
    pub created: Timestamp,
    /// Last change.
    pub updated: Timestamp,
}

/// Best levels of a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookView {
    /// Which.
    pub symbol: Symbol,
    /// Best first.
    pub bids: Vec<Level>,
    /// Best first.
    pub asks: Vec<Level>,
    /// Whether it follows the stream without a gap.
    pub current: bool,
    /// Age of the newest change, milliseconds.
    pub age_ms: u64,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AuditEntry {
    /// Its place.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub kind: String,
    /// What, as JSON.
    #[cfg_attr(feature = "typescript", ts(type = "unknown"))]
    pub payload: serde_json::Value,
}
