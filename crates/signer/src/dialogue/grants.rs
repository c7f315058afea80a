//! What a code grants. Invariant: a grant holds all that it takes to carry it out, as it was shown.

use strongroom_guard::Policy;
use strongroom_model::{ClientOrderId, CredentialId, KeyEdit, Origin, PlaceOrder, Scheme, Venue};
use strongroom_signer_api::PinChange;

use super::{keepers, ways};

/// What a code grants.
pub(super) enum Grant {
    Import(Import),
    Generate(Generate),
    EditKey(CredentialId, KeyEdit),
    Delete(CredentialId),
    ExportKey(CredentialId, String),
    Backup,
    Way(ways::Wish),
    Keeper(keepers::Wish),
    /// The password of this slot, whose share somebody keeps.
    KeptPassword(u16),
    Rearm,
    SetPolicy(Policy),
    Pin(PinChange),
    /// A large order.
    Order(PlaceOrder),
    /// An order that passes a rule of the desk, and why.
    Override(PlaceOrder, String),
    /// An order that the kill switch leaves.
    Protect(ClientOrderId),
}

pub(super) struct Import {
    pub(super) label: String,
    pub(super) venue: Venue,
    pub(super) old: Option<CredentialId>,
    pub(super) origin: Origin,
    pub(super) source: String,
}

impl Import {
    /// As long as the prompt does not say otherwise, the person types it.
    pub(super) const fn typed(label: String, venue: Venue, old: Option<CredentialId>) -> Self {
        Self { label, venue, old, origin: Origin::Typed, source: String::new() }
    }
}

/// A key pair to be made.
pub(super) struct Generate {
    pub(super) label: String,
    pub(super) venue: Venue,
    pub(super) scheme: Scheme,
    pub(super) replaces: Option<CredentialId>,
}
