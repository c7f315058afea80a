//! What the desk can ask of the signer, and what it gets.
//!
//! Invariant: requests and replies are closed lists; unknown fields are refused; no reply or notice has a field
//! that could hold a secret.

use std::cell::Cell;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use strongroom_guard::{Freeze, Policy};
use strongroom_model::{
    ClientOrderId, CredentialId, CredentialInfo, Intent, KeyEdit, KeyRights, PlaceOrder, Role, Scheme, SignedRequest, SlotFor, SlotInfo,
    Timestamp, Venue,
};

use crate::end::ActionEnd;
use crate::refusal::Refusal;
use crate::status::{DoorId, Status};

/// Most log entries read with one request.
pub const AUDIT_PAGE_MAX: usize = 50;
/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The same, asked at a door: its session counts. Without it the desk asks by itself.
    At {
        /// Which.
        door: DoorId,
        /// What; not another of this kind.
        #[serde(deserialize_with = "not_at_a_door_again")]
        request: Box<Request>,
    },
    /// How are you?
    Status,
    /// Get ready for something that a person has to take part in; answered by [`Reply::Prepared`].
    ///
    /// Descriptors: for `Unlock` and `Recover` of a sealed signer the vault's bytes, then the state file's (if there
    /// is one). Tail: for `CreateVault`, `Unlock`, `Recover` the device secret (32 bytes).
    Prepare(Action),
    /// Sign an intent.
    Sign(SignAsk),
    /// What was handed out by [`Notice::Save`] is on disk, or not.
    Saved(Saved),
    /// The attempt of a [`Notice::Attempt`] is counted where a restart does not forget it.
    Counted {
        /// Which.
        #[serde(with = "serde_bytes")]
        ticket: Vec<u8>,
        /// Why it is not made, if it is not: earlier ones make it wait, or it could not be counted.
        refused: Option<String>,
    },
    /// End every session; cancels and reads are still signed.
    Lock,
    /// End the session of one door.
    EndSession {
        /// Which.
        door: DoorId,
    },
    /// A person was there so long ago: the session was in use then. An older word than the last changes nothing.
    Touch {
        /// Milliseconds since the input.
        ago_ms: u64,
    },
    /// Something to be signed follows as soon as its record is on the disk: do not sleep until then. It changes nothing else.
    StayAwake,
    /// Engage the kill switch.
    Kill(Freeze),
    /// Public parts of all credentials.
    Credentials {
        /// From this one on, counted from 0: one answer holds as many as fit into a message.
        from: u32,
    },
    /// The limits in force.
    Policy,
    /// The ways into the open vault.
    Slots,
    /// A new key was tried with a signed read: it takes its place, or is dropped. One that was generated is not dropped.
    KeyTested {
        /// The new key.
        id: CredentialId,
        /// What the venue granted it; nothing: the venue refused it.
        granted: Option<KeyRights>,
    },
    /// The venue refused a signed read of a key that was replaced: forget it.
    KeyRevoked {
        /// The old key.
        id: CredentialId,
    },
    /// The public half of a key pair.
    PublicKey {
        /// Which.
        id: CredentialId,
    },
    /// Sign the head of the audit log.
    SealHead {
        /// How many entries the log has.
        size: u64,
        /// Hash of the last entry.
        #[serde(with = "serde_bytes")]
        head: Vec<u8>,
        /// The vault is about to be closed: no order and no amendment is signed after it.
        closes: bool,
    },
    /// Read entries of the audit log. Descriptor: the leaves of one epoch from its opening leaf up to the last one
    /// wanted, each behind its length (u32, little-endian).
    ReadAudit {
        /// How many from the end are wanted; at most [`AUDIT_PAGE_MAX`] are given.
        last: u32,
    },
}

/// Something that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Make a vault: password, recovery kit, codes.
    CreateVault {
        /// Its identity, chosen by the desk.
        #[serde(with = "serde_bytes")]
        vault_id: Vec<u8>,
        /// Memory of the key derivation in KiB; 0, with 0 passes: as much as takes this machine most of a second.
        kdf_memory_kib: u32,
        /// Passes of the key derivation.
        kdf_passes: u32,
    },
    /// Open the vault or, if it is open, the session.
    Unlock,
    /// As [`Action::Unlock`], by the slot of that number, whose share somebody else keeps.
    UnlockWith {
        /// Which.
        slot: u16,
    },
    /// Open the vault or a backup of it with the recovery kit and set a new password.
    Recover(KitOpening),
    /// Take in a venue's key.
    Import {
        /// The person's name for it.
        label: String,
        /// Where it is valid.
        venue: Venue,
    },
    /// Take in a new key in place of an old one.
    Rotate {
        /// The old one.
        old: CredentialId,
    },
    /// Make a key pair.
    Generate {
        /// The person's name for it.
        label: String,
        /// Where it is to be valid.
        venue: Venue,
        /// How it is to sign.
        scheme: Scheme,
        /// The key that it is to take the place of.
        replaces: Option<CredentialId>,
    },
    /// Change what is noted of a key.
    EditKey {
        /// Which.
        id: CredentialId,
        /// What.
        edit: KeyEdit,
    },
    /// Forget a key.
    Delete {
        /// Which.
        id: CredentialId,
    },
    /// Encrypt a key for somebody else's age recipient.
    ExportKey {
        /// Which.
        id: CredentialId,
        /// `age1…`.
        recipient: String,
    },
    /// Let the vault's file, as it is, be copied out of its folder.
    Backup,
    /// Set a new password for the person whose present one is given.
    ChangePassword {
        /// The slot, when its share somebody else keeps; nothing: by which the vault was opened, else whose password it is.
        slot: Option<u16>,
    },
    /// Print a new recovery kit; the old one opens only old backups.
    ReplaceKit,
    /// Print recovery codes, which stand in for one-time codes; earlier ones count no more.
    PrintCodes,
    /// Put the one-time codes onto a new phone; those of the old one count no more, nor do recovery codes.
    NewPhone,
    /// One more way into the vault.
    AddSlot {
        /// For whom.
        kind: SlotFor,
        /// The person's name for it.
        label: String,
        /// What a person may do; none named: everything.
        #[serde(default)]
        roles: Vec<Role>,
    },
    /// Say anew what the owner of a slot may do.
    SetRoles {
        /// Which slot: a person's.
        slot: u16,
        /// At least one.
        roles: Vec<Role>,
    },
    /// One way less.
    RemoveSlot {
        /// Which.
        slot: u16,
    },
    /// New keys for everything, with a new kit; every way but the present password is closed.
    Rekey,
    /// Take the kill switch back.
    Rearm,
    /// Change the limits.
    SetPolicy(Box<Policy>),
    /// Confirm a large order: exactly this one is signed, once, within two minutes.
    ConfirmOrder(PlaceOrder),
    /// Let exactly this order pass once, within two minutes, though a rule of the desk stops it.
    Override {
        /// Which.
        order: PlaceOrder,
        /// Why, for the log.
        why: String,
    },
    /// Let the kill switch leave this order.
    Protect(ClientOrderId),
    /// Trust a key that a server showed, or trust a pinned one no more.
    Pin(PinChange),
}

/// Reads what is asked at a door, which is asked at no other door: else a few bytes could nest thousands of requests.
fn not_at_a_door_again<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Request>, D::Error> {
    thread_local!(static IS_INSIDE: Cell<bool> = const { Cell::new(false) });
    if IS_INSIDE.replace(true) {
        return Err(D::Error::custom("a request at a door inside of another one"));
    }
    let request = Request::deserialize(deserializer);
    IS_INSIDE.set(false);
    request.map(Box::new)
}

/// One opening with the recovery kit: what comes of it is told with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitOpening {
    /// The desk's number of it.
    pub number: u64,
    /// Generation of the backup that is opened, and takes the vault's place; none: the vault itself.
    pub backup: Option<u64>,
    /// There is no state file that could be used; so often at least one was saved. What it remembered is taken for the worst.
    pub state_lost: Option<u64>,
}

/// A change of the keys that a server may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinChange {
    /// Host and port.
    pub host: String,
    /// SHA-256 of the SubjectPublicKeyInfo, base64.
    pub spki_sha256: String,
    /// Trust it from now on, or no more.
    pub trust: bool,
}

/// An intent to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignAsk {
    /// What is wanted.
    pub intent: Intent,
    /// With which key; `None`: the active one.
    pub credential: Option<CredentialId>,
    /// Venue clock minus ours, microseconds; at most [`CLOCK_OFFSET_US_MAX`](strongroom_guard::CLOCK_OFFSET_US_MAX) either way.
    pub clock_offset_us: i64,
    /// How long the venue may execute it, milliseconds.
    pub recv_window_ms: u32,
    /// The log entry that recorded the intent.
    pub audit_seq: u64,
}

/// Which file a [`Notice::Save`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sealed {
    /// The vault.
    Vault,
    /// Counters and last steps.
    State,
}

/// Answer to a [`Notice::Save`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// Which file.
    pub what: Sealed,
    /// Which generation of it.
    pub generation: u64,
    /// `None`: it is on disk. Else why not.
    pub error: Option<String>,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Prepare`]: hand this ticket to a prompt.
    Prepared {
        /// Names the action, once, for two minutes.
        #[serde(with = "serde_bytes")]
        ticket: Vec<u8>,
        /// The action in words.
        words: String,
    },
    /// To [`Request::Sign`].
    Signed {
        /// Send it unchanged.
        request: SignedRequest,
        /// How many signatures this vault has made, this one included.
        count: u64,
        /// Venue time after which the venue will not execute it.
        expires: Timestamp,
        /// The key that it is signed with.
        credential: CredentialId,
        /// Of an order or an amendment: how many signatures there had been when the vault was opened, and its number since then. Both stand in
        /// the log, and the last number in every signed head, so that one which the log does not tell of leaves a gap.
        order: Option<(u64, u64)>,
        /// Of a new order: the slot of the vault by which the session was opened that it counts to.
        slot: Option<u16>,
    },
    /// The request was understood and refused.
    Refused(Refusal),
    /// Done, nothing to tell.
    Done,
    /// To [`Request::Credentials`].
    Credentials {
        /// In the vault's order.
        keys: Vec<CredentialInfo>,
        /// How many come after them.
        left: u32,
    },
    /// To [`Request::Policy`].
    Policy(Box<Policy>),
    /// To [`Request::SealHead`].
    HeadSealed {
        /// Ed25519 over the checkpoint's text.
        #[serde(with = "serde_bytes")]
        signature: Vec<u8>,
        /// Public key of the log.
        #[serde(with = "serde_bytes")]
        public_key: Vec<u8>,
        /// The checkpoint's text: the head, and how far the signer had counted.
        text: String,
    },
    /// To [`Request::Slots`].
    Slots(Vec<SlotInfo>),
    /// To [`Request::PublicKey`]: SubjectPublicKeyInfo as PEM.
    PublicKey(String),
    /// To [`Request::ReadAudit`]: payloads in plain JSON.
    Audit(Vec<String>),
}

/// Told without being asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Notice {
    /// Put the attached bytes on disk and say so with [`Request::Saved`].
    Save {
        /// Which file.
        what: Sealed,
        /// Its new generation.
        generation: u64,
        /// MAC of its header (vault only).
        #[serde(with = "serde_bytes")]
        mac: Vec<u8>,
        /// The recovery kit opened what it grew out of: it counts, whatever the anchor says of the present file.
        by_kit: Option<KitOpening>,
    },
    /// A person is about to give a password or the recovery kit: count it, and say so with [`Request::Counted`]. Nothing is asked
    /// before.
    Attempt {
        /// For which action.
        #[serde(with = "serde_bytes")]
        ticket: Vec<u8>,
        /// The kit, which has a counter of its own.
        by_kit: bool,
    },
    /// An action came to its end.
    Ended {
        /// Which.
        #[serde(with = "serde_bytes")]
        ticket: Vec<u8>,
        /// The slot of the vault by which the session was opened that it was begun in.
        by: Option<u16>,
        /// How.
        end: Box<ActionEnd>,
    },
    /// The kill switch is engaged: now, or since before the vault was opened.
    Frozen(Freeze),
    /// So many wrong codes were given that every session was locked.
    LockedOut {
        /// The slot by which the session was opened in which the last one was given.
        by: Option<u16>,
    },
    /// The wall clock was set back by so many seconds since the vault was unlocked; codes are refused.
    ClockBack {
        /// How many.
        back_s: u64,
    },
    /// A recovery code was given in place of a one-time code; so many are left.
    RecoveryCodeUsed {
        /// How many.
        left: u8,
    },
}
