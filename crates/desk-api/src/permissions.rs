//! What each request of a door needs of the table of permissions. Invariant: a request that is new does not compile until it has its row.

use strongroom_guard::Permission;
use strongroom_signer_api::Deed;

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
    /// Its kind.
    pub const fn deed(&self) -> Deed {
        match self {
            Self::CreateVault { .. } => Deed::Create,
            Self::Unlock | Self::UnlockWith { .. } => Deed::Unlock,
            Self::Recover { .. } => Deed::Recover,
            Self::Import { .. } => Deed::Import,
            Self::Rotate { .. } => Deed::Rotate,
            Self::Generate { .. } => Deed::Generate,
            Self::EditKey { .. } => Deed::EditKey,
            Self::Delete { .. } => Deed::Delete,
            Self::ExportKey { .. } => Deed::ExportKey,
            Self::Backup => Deed::Backup,
            Self::ChangePassword { .. } => Deed::Password,
            Self::ReplaceKit => Deed::Kit,
            Self::PrintCodes => Deed::Codes,
            Self::NewPhone => Deed::Phone,
            Self::AddSlot { .. } => Deed::AddSlot,
            Self::SetRoles { .. } => Deed::Roles,
            Self::RemoveSlot { .. } => Deed::RemoveSlot,
            Self::Rekey => Deed::Rekey,
            Self::ConfirmOrder { .. } => Deed::ConfirmOrder,
            Self::OverrideRule { .. } => Deed::Override,
            Self::ProtectOrder { .. } => Deed::Protect,
            Self::Rearm => Deed::Rearm,
            Self::SetPolicy { .. } => Deed::Policy,
            Self::AcceptPin { .. } | Self::ForgetPin { .. } => Deed::Pin,
        }
    }

    /// What it needs of who may do what.
    pub const fn permission(&self) -> Permission {
        self.deed().permission()
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
