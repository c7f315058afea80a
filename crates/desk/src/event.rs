//! The pipeline's vocabulary: what happens to the desk, and what it wants done.
//!
//! Invariant: plain data; whoever carries an effect out answers it with the event of the same tag.

use std::collections::BTreeMap;

use serde_json::Value;
use strongroom_audit::Kind;
use strongroom_desk_api::Tell;
use strongroom_guard::{Freeze, Policy, Quote};
use strongroom_model::{
    Asset, Balance, ClientOrderId, CredentialId, Intent, PlaceOrder, Price, Quantity, SignedRequest, Symbol, Timestamp,
};
use strongroom_signer_api::{DoorId, Refusal};

use crate::order::Order;

/// Names a piece of work between effect and event.
pub type Tag = u64;
/// Names a waiting door.
pub type Door = u64;

/// Both clocks, and what is known of the venue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// UTC, as this computer believes.
    pub wall: Timestamp,
    /// Never goes back, milliseconds.
    pub mono_ms: u64,
    /// Venue clock minus ours, microseconds.
    pub venue_offset_us: i64,
}

impl Now {
    /// The venue's clock, as far as it is known.
    pub fn venue(self) -> Timestamp {
        Timestamp::from_us(self.wall.us().saturating_add(self.venue_offset_us))
    }
}

/// What happens to the desk.
#[derive(Debug)]
pub enum Event {
    /// A door wants an order placed.
    Place {
        /// Who waits.
        door: Door,
        /// Whose session it is.
        by: DoorId,
        /// What is wanted.
        order: PlaceOrder,
        /// What its market looks like.
        market: Quote,
        /// Why it should pass rules that ask, if somebody said so.
        reason: Option<String>,
    },
    /// A person confirmed this very order with a code.
    Confirmed(PlaceOrder),
    /// Risk lets this very order pass once.
    Overridden {
        /// Which.
        order: PlaceOrder,
        /// Why.
        why: String,
    },
    /// The venue told what is held.
    Held {
        /// Of each asset.
        balances: Vec<Balance>,
        /// At which account, as it is noted of the key that asked; nothing: that could not be found out.
        account: Option<String>,
        /// When it was asked, by our clock.
        asked: Timestamp,
    },
    /// Another key, or another account, may be in use.
    KeysChanged,
    /// What is held could not be looked up.
    HeldUnknown,
    /// The venue told its instruments: symbol, base, quote.
    Pairs(Vec<(Symbol, Asset, Asset)>),
    /// Prices of now.
    Marks(BTreeMap<Symbol, Price>),
    /// A door wants an order cancelled.
    Cancel {
        /// Who waits.
        door: Door,
        /// Which order.
        id: ClientOrderId,
    },
    /// A door wants an order made smaller.
    Amend {
        /// Who waits.
        door: Door,
        /// Which order.
        id: ClientOrderId,
        /// Its base quantity from now on.
        quantity: Quantity,
    },
    /// A [`Effect::Record`] is on disk, or could not be written.
    Recorded {
        /// Which.
        tag: Tag,
        /// Why not.
        error: Option<String>,
    },
    /// Answer to [`Effect::Sign`].
    Signed {
        /// Which.
        tag: Tag,
        /// The request with what is known of it; or why not.
        outcome: Result<Signed, Refusal>,
    },
    /// Answer to [`Effect::Send`].
    Answered {
        /// Which.
        tag: Tag,
        /// What came.
        outcome: Outcome,
    },
    /// The kill switch was engaged.
    Killed {
        /// Why, and how far it reaches.
        freeze: Freeze,
        /// The keys of the account that it names.
        keys: Vec<CredentialId>,
    },
    /// The desk before this one ended by itself: what is open is taken back.
    DeskDied,
    /// The kill switch leaves this order, or no more.
    Protect {
        /// Who waits.
        door: Option<Door>,
        /// Which order.
        id: ClientOrderId,
        /// By whom: the slot of the session.
        by: Option<u16>,
        /// Leave it.
        protected: bool,
    },
    /// The kill switch was taken back.
    Rearmed,
    /// The limits in force; `None` while sealed.
    Policy(Option<Box<Policy>>),
    /// Time passed.
    Tick,
}

/// A signed request.
#[derive(Debug)]
pub struct Signed {
    /// To be sent unchanged.
    pub request: SignedRequest,
    /// When the venue can no longer execute it.
    pub expires: Timestamp,
    /// Its key.
    pub key: CredentialId,
    /// Of a new order: which opening of the vault, and its number since then.
    pub number: Option<(u64, u64)>,
    /// Of a new order: the slot of whose session it counts to.
    pub slot: Option<u16>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An HTTP answer.
    Answer {
        /// Status.
        status: u16,
        /// `Retry-After`, whole seconds.
        retry_after_s: Option<u64>,
        /// Body.
        body: Vec<u8>,
    },
    /// It certainly never left.
    NotSent(String),
    /// It may have left; no answer came.
    NoAnswer(String),
}

/// What the desk wants done.
#[derive(Debug)]
pub enum Effect {
    /// Write in one transaction.
    Record {
        /// Comes back with [`Event::Recorded`].
        tag: Tag,
        /// Orders as they stand now.
        orders: Vec<Order>,
        /// Log entries.
        entries: Vec<(Kind, Value)>,
    },
    /// What is recorded next is to be signed: let the signer be awake by then.
    WakeSigner,
    /// Have it signed.
    Sign {
        /// Comes back with [`Event::Signed`].
        tag: Tag,
        /// Whose session it is.
        by: DoorId,
        /// What.
        intent: Intent,
        /// With which key; `None`: the active one.
        credential: Option<CredentialId>,
    },
    /// Send it unchanged, once.
    Send {
        /// Comes back with [`Event::Answered`].
        tag: Tag,
        /// What.
        request: SignedRequest,
        /// Whether it takes risk away: such requests have a lane of their own.
        cancel: bool,
    },
    /// Engage the kill switch, in the signer, too.
    Kill(Freeze),
    /// Ask the venue what is held.
    AskHeld,
    /// Tell a door.
    Tell {
        /// Who.
        door: Door,
        /// What.
        tell: Tell,
    },
}
