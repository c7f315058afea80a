//! What a prompt showed of what it changes. Invariant: what was changed meanwhile is not changed as it was shown.

use strongroom_guard::Policy;
use strongroom_model::{CredentialInfo, Role, Venue};
use strongroom_signer_api::{Action, DoorId};

use crate::keys::Open;

/// What it was when the prompt began.
#[derive(Clone)]
pub(super) enum Shown {
    Nothing,
    Policy(Box<Policy>),
    Key(Box<CredentialInfo>),
    Roles(u16, Vec<Role>),
}

impl Shown {
    pub(super) fn of(action: &Action, open: &Open) -> Self {
        match action {
            Action::SetPolicy(_) => Self::Policy(Box::new(open.policy.clone())),
            Action::EditKey { id, .. } => {
                open.credential(Some(*id), Venue::Binance).map_or(Self::Nothing, |found| Self::Key(Box::new(found.info.clone())))
            }
            Action::SetRoles { slot, .. } => Self::Roles(*slot, roles_of(open, *slot)),
            _ => Self::Nothing,
        }
    }

    /// Why it is not what was shown any more, if it is not.
    pub(super) fn is_outdated(&self, open: &Open) -> Option<&'static str> {
        match self {
            Self::Policy(policy) if **policy != open.policy => {
                Some("the limits were changed meanwhile; nothing was changed. Look at them and start again")
            }
            Self::Key(key) if open.credential(Some(key.id), Venue::Binance).is_some_and(|found| found.info != **key) => {
                Some("what is noted of the key was changed meanwhile; nothing was changed. Look at it and start again")
            }
            Self::Roles(slot, roles) if *roles != roles_of(open, *slot) => {
                Some("their roles were changed meanwhile; nothing was changed. Look at them and start again")
            }
            _ => None,
        }
    }
}

fn roles_of(open: &Open, slot: u16) -> Vec<Role> {
    open.slots(DoorId::DESK).into_iter().find(|known| known.id == slot).map(|known| known.roles).unwrap_or_default()
}
