//! What each request of a door needs of the table of permissions. Invariant: a request that is new does not compile until it has its row.

use strongroom_guard::Permission;

use crate::action::DoorAction;
use crate::door::Ask;
use crate::supervisor::ToSupervisor;

impl Ask {
    /// What it needs of who may do what. A look is not a look at the account where the answer comes from the desk's own books.
    pub const fn permission(&self) -> Permission {
        match self {
            Self::Alive
            | Self::Vault
            | Self::Session
            | Self::Stay
            | Self::Watch { .. }
            | Self::Instruments
            | Self::Candles { .. }
            | Self::Check { .. }
            | Self::Size { .. }
            | Self::Outcome { .. }
            | Self::Keys
            | Self::Slots
            | Self::PublicKey { .. }
            | Self::Policy
            | Self::Orders { .. }
            | Self::Order { .. }
            | Self::Book { .. }
            | Self::KillReport => Permission::See,
            Self::Prepare { action } => action.permission(),
            Self::Lock | Self::EndSession { .. } | Self::Seal => Permission::Lock,
            Self::GoOn { .. } => Permission::ContinueRotation,
            Self::Suspect { .. } => Permission::ReportKey,
            Self::Place { .. } => Permission::PlaceOrder,
            Self::Cancel { .. } | Self::Amend { .. } => Permission::CancelOrder,
            Self::Balance => Permission::ReadAccount,
            Self::Kill { .. } => Permission::Kill,
            Self::Unprotect { .. } => Permission::UnprotectOrder,
            Self::Audit { .. } => Permission::ReadLog,
        }
    }
}

impl ToSupervisor {
    /// What it needs of who may do what; nothing for a prompt: the action that it is for has its own.
    pub const fn permission(&self) -> Option<Permission> {
        match self {
            Self::Prompt(_) => None,
            Self::Kill(_) => Some(Permission::Kill),
            Self::Seal | Self::Stop => Some(Permission::Lock),
            Self::Status => Some(Permission::See),
        }
    }
}

impl DoorAction {
    /// What it needs of who may do what.
    pub const fn permission(&self) -> Permission {
        match self {
            Self::CreateVault { .. } | Self::Unlock | Self::UnlockWith { .. } | Self::Recover { .. } => Permission::Open,
            Self::Import { .. } | Self::Rotate { .. } | Self::Generate { .. } | Self::EditKey { .. } | Self::Delete { .. } => {
                Permission::ManageKeys
            }
            Self::ExportKey { .. } | Self::Backup => Permission::Export,
            Self::ChangePassword { .. } => Permission::ChangePassword,
            Self::ReplaceKit
            | Self::PrintCodes
            | Self::NewPhone
            | Self::AddSlot { .. }
            | Self::SetRoles { .. }
            | Self::RemoveSlot { .. }
            | Self::Rekey => Permission::ManageWays,
            Self::ConfirmOrder { .. } => Permission::ConfirmOrder,
            Self::OverrideRule { .. } => Permission::OverrideRule,
            Self::ProtectOrder { .. } => Permission::ProtectOrder,
            Self::Rearm => Permission::Rearm,
            Self::SetPolicy { .. } => Permission::SetPolicy,
            Self::AcceptPin { .. } | Self::ForgetPin { .. } => Permission::Pin,
        }
    }
}

#[cfg(test)]
mod tests {
    use strongroom_guard::Freeze;

    use super::*;

    /// The supervisor knows no session: it does for a door only what needs none.
    #[test]
    fn the_supervisor_does_only_what_anybody_may() {
        for request in [ToSupervisor::Kill(Freeze::everything("x")), ToSupervisor::Seal, ToSupervisor::Stop, ToSupervisor::Status] {
            assert!(request.permission().is_some_and(|permission| permission.row().roles.is_empty()), "{request:?}");
        }
    }
}
