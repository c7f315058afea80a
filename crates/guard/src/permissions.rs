//! Who may do what, and what proves that it is a person: one table for the signer, the desk, the window and the documents.
//!
//! Invariant: what takes risk away needs neither a role nor a proof nor a session.

use std::fmt;

use serde::Serialize;
use strongroom_model::{Intent, Operation, Role};

use crate::access::Session;
use crate::reason::Reason;
use crate::rules::Enforcer;

/// Something that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// See what the desk shows: nothing secret, and no look at the account.
    See,
    /// A signed look at balances, for a door. The desk itself looks after what stands, for nobody.
    ReadAccount,
    /// Read entries of the log.
    ReadLog,
    /// Send a new order.
    PlaceOrder,
    /// Confirm a large order.
    ConfirmOrder,
    /// Take an order back.
    CancelOrder,
    /// Engage the kill switch.
    Kill,
    /// Take the kill switch back.
    Rearm,
    /// Change the limits.
    SetPolicy,
    /// Let one order pass that a rule of the desk stops.
    OverrideRule,
    /// Let the kill switch leave one order.
    ProtectOrder,
    /// Let the kill switch reach such an order again.
    UnprotectOrder,
    /// Trust a server's key, or no more.
    Pin,
    /// Take in, make, replace, describe or forget a credential.
    ManageKeys,
    /// Go on with the replacement of a credential that was begun: try the new one, or see whether the old one is refused.
    ContinueRotation,
    /// Note that others may know a credential.
    ReportKey,
    /// Encrypt a credential for somebody else, or copy the vault's file.
    Export,
    /// Change the own password.
    ChangePassword,
    /// Let somebody in or out, set their roles, print a kit, re-key.
    ManageWays,
    /// End a session, the signer, or everything that runs.
    Lock,
    /// Make a vault, unlock it, open it with the kit.
    Open,
}

/// What proves that a person wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Nothing beyond the session.
    None,
    /// A one-time code, for this very action.
    Code,
    /// A one-time code where it lets more pass than before; nothing where it only tightens.
    CodeToLoosen,
    /// A one-time code, then the present password.
    CodeAndPassword,
    /// The factors of a way into the vault.
    Factors,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Code => "a code",
            Self::CodeToLoosen => "a code, to loosen",
            Self::CodeAndPassword => "a code and the password",
            Self::Factors => "what the way in asks for",
        })
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PermissionRow {
    /// What.
    pub permission: Permission,
    /// Any of these roles suffices; none: no session is needed at all.
    pub roles: &'static [Role],
    /// What proves that a person wants it.
    pub proof: Proof,
    /// Who refuses it.
    pub enforcer: Enforcer,
    /// In words.
    pub what: &'static str,
}

const ANYBODY: &[Role] = &[];
const ANY_ROLE: &[Role] = &Role::ALL;
const READERS: &[Role] = &[Role::Viewer, Role::Trader, Role::Risk];

/// Every permission.
pub const PERMISSIONS: &[PermissionRow] = &[
    row(
        Permission::See,
        ANYBODY,
        Proof::None,
        Enforcer::Desk,
        "see the market, own orders, lines, limits, sessions, ways into the vault, keys without their secrets, and what an order would meet",
    ),
    row(Permission::ReadAccount, READERS, Proof::None, Enforcer::Signer, "have balances looked up at the venue"),
    row(Permission::ReadLog, &[Role::Auditor], Proof::None, Enforcer::Signer, "read the log"),
    row(Permission::PlaceOrder, &[Role::Trader], Proof::None, Enforcer::Signer, "send a new order"),
    row(Permission::ConfirmOrder, &[Role::Trader], Proof::Code, Enforcer::Signer, "confirm an order above the threshold"),
    row(Permission::CancelOrder, ANYBODY, Proof::None, Enforcer::Signer, "take an order back, or make it smaller"),
    row(Permission::Kill, ANYBODY, Proof::None, Enforcer::Signer, "engage the kill switch"),
    row(Permission::Rearm, &[Role::Risk], Proof::Code, Enforcer::Signer, "take the kill switch back"),
    row(Permission::SetPolicy, &[Role::Risk], Proof::CodeToLoosen, Enforcer::Signer, "change the limits"),
    row(Permission::OverrideRule, &[Role::Risk], Proof::Code, Enforcer::Signer, "let one order pass that a rule of the desk stops"),
    row(Permission::ProtectOrder, &[Role::Risk], Proof::Code, Enforcer::Signer, "let the kill switch leave one order"),
    row(Permission::UnprotectOrder, ANYBODY, Proof::None, Enforcer::Desk, "let the kill switch reach such an order again"),
    row(Permission::Pin, &[Role::Risk], Proof::Code, Enforcer::Signer, "trust a server's key, or no more"),
    row(Permission::ManageKeys, &[Role::KeyAdmin], Proof::Code, Enforcer::Signer, "take in, make, replace, describe or forget a key"),
    row(Permission::ContinueRotation, &[Role::KeyAdmin], Proof::None, Enforcer::Desk, "go on with the replacement of a key that was begun"),
    row(Permission::ReportKey, ANYBODY, Proof::None, Enforcer::Desk, "note that others may know a key"),
    row(Permission::Export, &[Role::KeyAdmin], Proof::Code, Enforcer::Signer, "encrypt a key for somebody else, or copy the vault's file"),
    row(Permission::ChangePassword, ANY_ROLE, Proof::CodeAndPassword, Enforcer::Signer, "set a new password of one's own"),
    row(
        Permission::ManageWays,
        &[Role::KeyAdmin],
        Proof::Code,
        Enforcer::Signer,
        "let somebody in or out, set roles, print a kit or recovery codes, take a new phone, re-key",
    ),
    row(Permission::Lock, ANYBODY, Proof::None, Enforcer::Signer, "end a session, the signer, or everything that runs"),
    row(Permission::Open, ANYBODY, Proof::Factors, Enforcer::Signer, "make a vault, unlock it, open it with the kit"),
];

const fn row(permission: Permission, roles: &'static [Role], proof: Proof, enforcer: Enforcer, what: &'static str) -> PermissionRow {
    PermissionRow { permission, roles, proof, enforcer, what }
}

impl Permission {
    /// What an intent needs that is asked for at a door.
    pub const fn of(intent: &Intent) -> Self {
        match intent.operation() {
            Operation::Place => Self::PlaceOrder,
            Operation::Cancel => Self::CancelOrder,
            Operation::Read => Self::ReadAccount,
        }
    }

    /// Its row.
    pub fn row(self) -> &'static PermissionRow {
        // Every permission has one; the tests say so.
        PERMISSIONS.iter().find(|row| row.permission == self).unwrap_or(&PERMISSIONS[0])
    }

    /// Whether that session may; `Err`: what it lacks.
    pub fn check(self, session: &Session) -> Result<(), Reason> {
        self.check_roles(&session.roles)
    }

    /// Whether somebody with these roles may; `Err`: what is lacking.
    pub fn check_roles(self, held: &[Role]) -> Result<(), Reason> {
        let roles = self.row().roles;
        if roles.is_empty() || roles.iter().any(|role| held.contains(role)) {
            return Ok(());
        }
        let list = |roles: &[Role], by: &str| roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(by);
        let has = if held.is_empty() { "none".to_owned() } else { list(held, ", ") };
        Err(Reason::Role { needed: list(roles, " or "), has })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_one_row() {
        for row in PERMISSIONS {
            assert_eq!(PERMISSIONS.iter().filter(|other| other.permission == row.permission).count(), 1);
            assert_eq!(row.permission.row(), row);
        }
        // The enum ends with `Open`; its number is one less than the count.
        assert_eq!(PERMISSIONS.len(), Permission::Open as usize + 1);
    }

    #[test]
    fn what_takes_risk_away_needs_nothing() {
        for permission in [Permission::CancelOrder, Permission::Kill, Permission::Lock, Permission::UnprotectOrder, Permission::ReportKey] {
            assert!(permission.row().roles.is_empty() && permission.row().proof == Proof::None);
        }
    }

    /// Rows: a role alone, and all that it may of what needs one.
    #[test]
    fn a_role_alone() {
        use Permission::{
            ChangePassword, ConfirmOrder, ContinueRotation, Export, ManageKeys, ManageWays, OverrideRule, Pin, PlaceOrder, ProtectOrder,
            ReadAccount, ReadLog, Rearm, SetPolicy,
        };
        for (role, may) in [
            (Role::Viewer, &[ReadAccount, ChangePassword][..]),
            (Role::Trader, &[ReadAccount, PlaceOrder, ConfirmOrder, ChangePassword]),
            (Role::Risk, &[ReadAccount, Rearm, SetPolicy, OverrideRule, ProtectOrder, Pin, ChangePassword]),
            (Role::KeyAdmin, &[ManageKeys, ContinueRotation, Export, ChangePassword, ManageWays]),
            (Role::Auditor, &[ReadLog, ChangePassword]),
        ] {
            let session = Session { opened_ms: 0, used_ms: 0, roles: vec![role], is_service: false };
            let found: Vec<Permission> = PERMISSIONS
                .iter()
                .filter(|row| !row.roles.is_empty() && row.permission.check(&session).is_ok())
                .map(|row| row.permission)
                .collect();
            assert_eq!(found, may, "{role}");
        }
    }
}
