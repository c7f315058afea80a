//! What each request of a door needs of the table of permissions. Invariant: a request that is new does not compile until it has its row.

use strongroom_guard::Permission;

use crate::action::DoorAction;
use crate::door::Ask;

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
