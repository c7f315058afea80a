//! Which kind of thing an action does. Invariant: what it needs of who may do what follows from its kind alone, whoever asks for it.

use serde::{Deserialize, Serialize};
use strongroom_guard::Permission;

use crate::desk::Action;

/// What is to be done; decides pages, buttons and where a person is led.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Make a vault.
    Create,
    /// Open the vault or the session.
    Unlock,
    /// Open the vault with its recovery kit.
    Recover,
    /// Take in a key.
    Import,
    /// Replace a key.
    Rotate,
    /// Forget a key.
    Delete,
    /// Take the kill switch back.
    Rearm,
    /// Change limits.
    Policy,
    /// Trust a server's key, or no more.
    Pin,
    /// Make a key pair.
    Generate,
    /// Change what is noted of a key.
    EditKey,
    /// Set a new password.
    Password,
    /// Print a new recovery kit.
    Kit,
    /// One more way into the vault.
    AddSlot,
    /// One way less.
    RemoveSlot,
    /// New keys for everything.
    Rekey,
    /// Encrypt a key for somebody else.
    ExportKey,
    /// Copy the vault's file.
    Backup,
    /// Say what somebody may do.
    Roles,
    /// Confirm a large order.
    ConfirmOrder,
    /// Let an order pass a rule.
    Override,
    /// Let the kill switch leave an order.
    Protect,
    /// Print recovery codes.
    Codes,
    /// Put the one-time codes onto a new phone.
    Phone,
}

impl Deed {
    /// All.
    pub const ALL: [Self; 24] = [
        Self::Create,
        Self::Unlock,
        Self::Recover,
        Self::Import,
        Self::Rotate,
        Self::Delete,
        Self::Rearm,
        Self::Policy,
        Self::Pin,
        Self::Generate,
        Self::EditKey,
        Self::Password,
        Self::Kit,
        Self::AddSlot,
        Self::RemoveSlot,
        Self::Rekey,
        Self::ExportKey,
        Self::Backup,
        Self::Roles,
        Self::ConfirmOrder,
        Self::Override,
        Self::Protect,
        Self::Codes,
        Self::Phone,
    ];

    /// What it needs.
    pub const fn permission(self) -> Permission {
        match self {
            Self::Create | Self::Unlock | Self::Recover => Permission::Open,
            Self::Import | Self::Rotate | Self::Generate | Self::EditKey | Self::Delete => Permission::ManageKeys,
            Self::ExportKey | Self::Backup => Permission::Export,
            Self::Password => Permission::ChangePassword,
            Self::Kit | Self::Codes | Self::Phone | Self::AddSlot | Self::Roles | Self::RemoveSlot | Self::Rekey => Permission::ManageWays,
            Self::Rearm => Permission::Rearm,
            Self::Policy => Permission::SetPolicy,
            Self::Pin => Permission::Pin,
            Self::ConfirmOrder => Permission::ConfirmOrder,
            Self::Override => Permission::OverrideRule,
            Self::Protect => Permission::ProtectOrder,
        }
    }
}

impl Action {
    /// Its kind.
    pub const fn deed(&self) -> Deed {
        match self {
            Self::CreateVault { .. } => Deed::Create,
            Self::Unlock | Self::UnlockWith { .. } => Deed::Unlock,
            Self::Recover(_) => Deed::Recover,
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
            Self::Rearm => Deed::Rearm,
            Self::SetPolicy(_) => Deed::Policy,
            Self::Pin(_) => Deed::Pin,
            Self::ConfirmOrder(_) => Deed::ConfirmOrder,
            Self::Override { .. } => Deed::Override,
            Self::Protect(_) => Deed::Protect,
        }
    }

    /// What it needs.
    pub const fn permission(&self) -> Permission {
        self.deed().permission()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_at_its_number() {
        assert!(Deed::ALL.iter().enumerate().all(|(at, deed)| *deed as usize == at));
        // The list ends with this one.
        assert_eq!(Deed::ALL.len(), Deed::Phone as usize + 1);
    }
}
