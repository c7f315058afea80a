//! What needs a person: asked for by a door, decided in the prompt. Invariant: no action carries anything secret.

use serde::{Deserialize, Serialize};
use strongroom_guard::Policy;
use strongroom_model::{CredentialId, KeyEdit, OrderSpec, Role, Scheme, Side, SlotFor, Symbol, Venue};

/// Something that needs a person, as a door asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum DoorAction {
    /// Make a vault.
    CreateVault {
        /// Memory of the key derivation in MiB; 0, with 0 passes: as much as takes this machine most of a second.
        kdf_memory_mib: u32,
        /// Passes of the key derivation.
        kdf_passes: u32,
    },
    /// Open vault or session.
    Unlock,
    /// The same by the slot of that number, whose share somebody else keeps.
    UnlockWith {
        /// Which.
        slot: u16,
    },
    /// Open with the recovery kit; only while sealed.
    Recover {
        /// A backup, as named in [`VaultView::backups`](crate::VaultView::backups), that takes the vault's place once the kit opened it.
        #[serde(default)]
        generation: Option<u64>,
    },
    /// Take in a key.
    Import {
        /// Name for it.
        label: String,
        /// Where it is valid.
        venue: Venue,
    },
    /// Replace a key.
    Rotate {
        /// The old one.
        id: CredentialId,
    },
    /// Make a key pair in the vault.
    Generate {
        /// Name for it.
        label: String,
        /// Where it is to be valid.
        venue: Venue,
        /// How it is to sign.
        scheme: Scheme,
        /// The key that it is to take the place of.
        #[serde(default)]
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
    /// Encrypt a key for somebody else, into the profile's folder of exports.
    ExportKey {
        /// Which.
        id: CredentialId,
        /// Their age recipient.
        recipient: String,
    },
    /// Copy the vault's file into the profile's folder of exports.
    Backup,
    /// Set a new password.
    ChangePassword {
        /// The slot, when its share somebody else keeps; nothing: by which the vault was opened, else whose password it is.
        #[serde(default)]
        slot: Option<u16>,
    },
    /// Print a new recovery kit.
    ReplaceKit,
    /// Print recovery codes.
    PrintCodes,
    /// Put the one-time codes onto a new phone; the old one's count no more.
    NewPhone,
    /// One more way into the vault.
    AddSlot {
        /// For whom.
        kind: SlotFor,
        /// Name for it.
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
    /// Confirm a large order; afterwards it is placed, exactly as it was confirmed.
    ConfirmOrder {
        /// Our name for it.
        client_order_id: String,
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
    /// Let one order pass a rule of the desk; afterwards it is placed, exactly as it was named.
    OverrideRule {
        /// Our name for it.
        client_order_id: String,
        /// What to trade.
        symbol: Symbol,
        /// Buy or sell.
        side: Side,
        /// Kind, price, size.
        spec: OrderSpec,
        /// It may only reduce what is held.
        #[serde(default)]
        reduce_only: bool,
        /// Why, for the log.
        why: String,
    },
    /// Let the kill switch leave one live order.
    ProtectOrder {
        /// Our name for it.
        client_order_id: String,
    },
    /// One way less.
    RemoveSlot {
        /// Which.
        slot: u16,
    },
    /// New keys for everything in the vault.
    Rekey,
    /// Allow orders again.
    Rearm,
    /// Change limits.
    SetPolicy {
        /// The new ones.
        policy: Box<Policy>,
    },
    /// Trust the key that a server showed and that was refused.
    AcceptPin {
        /// Host and port.
        host: String,
        /// SHA-256 of the SubjectPublicKeyInfo, base64.
        spki_sha256: String,
    },
    /// Trust a pinned key no more.
    ForgetPin {
        /// Host and port.
        host: String,
        /// SHA-256 of the SubjectPublicKeyInfo, base64.
        spki_sha256: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the window sends: an action's name beside the parts of the order on the ticket.
    #[test]
    fn an_order_of_the_ticket_can_be_confirmed_and_excepted() {
        let order = r#""symbol":"BTCUSDT","side":"sell","spec":{"market":{"size":{"base":"1"}}},"reduce_only":false"#;
        for text in [
            format!(r#"{{"action":"confirm_order","client_order_id":"a",{order}}}"#),
            format!(r#"{{"action":"override_rule","client_order_id":"a","why":"b",{order}}}"#),
        ] {
            serde_json::from_str::<DoorAction>(&text).unwrap();
        }
    }
}
