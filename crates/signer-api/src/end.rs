//! How an action ended. Invariant: no end has a field that could hold a secret; what is encrypted for somebody else is ciphertext.

use serde::{Deserialize, Serialize};
use strongroom_guard::Policy;
use strongroom_model::{Advice, ClientOrderId, CredentialInfo, PlaceOrder, Role, SlotInfo};

use crate::desk::{KitOpening, PinChange};

/// Why an action failed that a person gave up.
pub const GIVEN_UP: &str = "given up; nothing was changed";

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ActionEnd {
    /// There is a vault and it is open.
    VaultCreated {
        /// Public key that checks the audit log.
        #[serde(with = "serde_bytes")]
        log_key: Vec<u8>,
        /// Public key that log entries are sealed to.
        #[serde(with = "serde_bytes")]
        read_key: Vec<u8>,
    },
    /// The vault is open, with a session.
    Unlocked {
        /// Count of signatures to go on from.
        signatures: u64,
        /// Whether the recovery kit was used.
        by_kit: Option<KitOpening>,
        /// By which way.
        by: Option<SlotInfo>,
        /// The log's public keys again: log key, then read key.
        #[serde(with = "serde_bytes")]
        log_key: Vec<u8>,
        /// See `log_key`.
        #[serde(with = "serde_bytes")]
        read_key: Vec<u8>,
    },
    /// A key was taken in.
    Imported(CredentialInfo),
    /// A key was taken in that is to take another's place, and waits for its test.
    RotationBegun(CredentialInfo),
    /// A key pair was made.
    Generated {
        /// Without a name at the venue yet.
        info: CredentialInfo,
        /// Its public half: SubjectPublicKeyInfo as PEM.
        public_key: String,
    },
    /// What is noted of a key changed.
    Edited(CredentialInfo),
    /// A key was forgotten.
    Deleted(CredentialInfo),
    /// A key was encrypted for somebody else.
    KeyExported {
        /// Which.
        info: CredentialInfo,
        /// For whom.
        recipient: String,
        /// An age file, armoured.
        file: String,
    },
    /// The vault's file may be copied.
    BackupGranted,
    /// A person's password changed.
    PasswordChanged {
        /// Whose.
        slot: u16,
    },
    /// There is a new recovery kit.
    KitReplaced,
    /// There are new recovery codes.
    CodesPrinted,
    /// The one-time codes are a new phone's.
    PhoneChanged,
    /// There is one more way into the vault.
    SlotAdded(SlotInfo),
    /// The owner of a slot may do something else from now on.
    RolesSet {
        /// Which slot.
        slot: u16,
        /// All that it may.
        roles: Vec<Role>,
    },
    /// A large order was confirmed.
    OrderConfirmed(PlaceOrder),
    /// One order may pass a rule of the desk.
    Overridden {
        /// Which.
        order: PlaceOrder,
        /// Why.
        why: String,
    },
    /// The kill switch leaves this order.
    Protected(ClientOrderId),
    /// There is one way less.
    SlotRemoved {
        /// Which.
        slot: u16,
    },
    /// Everything has new keys.
    Rekeyed {
        /// Ways that were closed.
        closed: Vec<u16>,
    },
    /// The kill switch is off.
    Rearmed,
    /// A person trusts a server's key, or no more.
    Pinned(PinChange),
    /// The limits changed.
    PolicySet(Policy),
    /// Nothing changed.
    Failed {
        /// Why, for people.
        why: String,
        /// What to do next.
        advice: Advice,
        /// Whether a factor (password, kit, code) was wrong: counts as an attempt.
        wrong_factor: bool,
    },
}
