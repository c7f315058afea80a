//! What an action is, in the signer's words, and whether it can be done at all. Invariant: the roles and bounds that an action needs
//! are looked at before a person is asked.

use strongroom_guard::{KillScope, Permission, Proof};
use strongroom_model::{CredentialId, KeyStage, Origin, Role, SlotFor, Venue, is_plain};
use strongroom_signer_api::{Action, DoorId, Keeping, KitOpening, PinChange, Refusal};
use strongroom_vault::{KdfParams, SlotKind};

use super::credentials::can_be_generated;
use super::{FINGERPRINT_LEN, HOST_LEN_MAX, LABEL_LEN_MAX, about, export};
use crate::clock::Moment;
use crate::keys::Open;
use crate::signer::Signer;

impl Signer {
    /// The action in words, if it can be done in this state by this session.
    pub(super) fn words(&mut self, action: &Action, door: DoorId, now: Moment) -> Result<String, Refusal> {
        let state = |text: &str| Err(Refusal::State(text.to_owned()));
        if let (Permission::Open, Err(why)) = (action.permission(), &self.offered) {
            let words = "an organisation's limits lie in the system's folder and cannot be used";
            let next = "Nothing was opened. Have its files put right, then start strongroomd anew";
            return Err(Refusal::ManagedFiles(format!("{words}: {why}. {next}")));
        }
        match action {
            Action::CreateVault { vault_id, kdf_memory_kib, kdf_passes } => {
                if self.open.is_some() {
                    return state("a vault is open; seal it first");
                }
                let kdf = KdfParams { memory_kib: *kdf_memory_kib, passes: *kdf_passes, lanes: KdfParams::FLOOR.lanes };
                let is_to_measure = (*kdf_memory_kib, *kdf_passes) == (0, 0);
                if vault_id.len() != 16 || !(is_to_measure || kdf.is_within_bounds()) {
                    return state("the key derivation is outside of what vaults may use (64 MiB and 3 passes at least)");
                }
                return Ok("Create a vault".to_owned());
            }
            Action::Unlock | Action::UnlockWith { .. } | Action::Recover(_) if self.open.as_ref().is_some_and(Open::is_of_service) => {
                return state("a machine has the vault open; seal it first (`strongroom vault seal`)");
            }
            Action::UnlockWith { slot } if self.open.as_ref().is_some_and(|open| open.kind_of(*slot) == Some(SlotKind::Service)) => {
                return state("the vault is open; a machine's slot opens a sealed one");
            }
            Action::Unlock => return Ok("Unlock the vault".to_owned()),
            Action::UnlockWith { slot } => return Ok(format!("Unlock the vault by slot {slot}")),
            Action::Recover(_) if self.open.is_some() => return state("the vault is open; the recovery kit is not needed"),
            Action::Recover(KitOpening { backup: Some(generation), .. }) => {
                return Ok(format!("Put the backup of generation {generation} in the vault's place"));
            }
            Action::Recover(_) => return Ok("Open the vault with the recovery kit and set a new password".to_owned()),
            _ => {}
        }
        let frozen = !self.freezes.is_empty();
        let Some(open) = self.open.as_mut() else { return Err(Refusal::Guard(strongroom_guard::Reason::Sealed)) };
        let session = open.session_at(door, now.mono_ms).map_err(|end| Refusal::Guard(strongroom_guard::Reason::Session { end }))?;
        action.permission().check(session).map_err(Refusal::Guard)?;
        if session.is_service && action.permission().row().proof != Proof::None {
            return state("a machine has the vault open, and this needs a person; seal it first (`strongroom vault seal`)");
        }
        let Some(open) = self.open.as_ref() else { return Err(Refusal::Guard(strongroom_guard::Reason::Sealed)) };
        // Whoever is stopped makes nobody else of themselves.
        let stopped = open.sessions.slot(door).and_then(|slot| self.freezes.of(&KillScope::Person(slot)));
        if let Some(freeze) = stopped.filter(|_| action.permission() == Permission::ManageWays) {
            return Err(Refusal::State(format!(
                "the kill switch holds whoever opened this session ({freeze}); re-arm first, which the role risk may"
            )));
        }
        let found = |id: &CredentialId| {
            open.credential(Some(*id), Venue::Binance).map(|found| &found.info).ok_or(Refusal::Guard(strongroom_guard::Reason::NoKey))
        };
        let label = |id: &CredentialId| found(id).map(|info| info.label.clone());
        let replaceable = |id: &CredentialId| {
            let info = found(id)?;
            let is_in_use = matches!(info.stage, KeyStage::Active | KeyStage::Spare);
            match open.credentials.iter().find(|known| known.info.replaces == Some(*id)) {
                Some(new) => Err(Refusal::State(format!("“{}” is being replaced already, by key {}", info.label, new.info.id))),
                None if is_in_use => Ok(info.label.clone()),
                None => Err(Refusal::State(format!("“{}” is not in use: there is nothing to replace", info.label))),
            }
        };
        match action {
            Action::Import { label, .. } | Action::Generate { label, .. } if !is_label(label) => {
                state("a label has 1 to 64 bytes without control characters")
            }
            Action::Generate { venue, scheme, .. } if !can_be_generated(*venue, *scheme) => {
                let (venue, scheme) = (about::name(*venue), scheme.words());
                Err(Refusal::State(format!(
                    "for {venue} the vault makes Ed25519 and RSA keys, not {scheme}; a shared secret is made by the venue"
                )))
            }
            Action::Generate { replaces: Some(old), .. } => Ok(format!("Make a key pair in the vault to replace “{}”", replaceable(old)?)),
            Action::Generate { label, venue, .. } => Ok(format!("Make a key pair in the vault for {}, “{label}”", about::name(*venue))),
            Action::EditKey { id, edit } => {
                let info = found(id)?;
                self.may_edit(info, edit).map_err(Refusal::State)?;
                if let Some(why) = about::edit_cannot_be_shown(info, edit) {
                    return state(&why);
                }
                Ok(format!("Change what is noted of the key “{}”", info.label))
            }
            Action::Import { label, venue } => Ok(format!("Import a key for {} as “{label}”", about::name(*venue))),
            Action::Rotate { old } => Ok(format!("Replace the key “{}” by a new one", replaceable(old)?)),
            Action::Delete { id } => Ok(format!("Delete the key “{}” from the vault", label(id)?)),
            Action::AddSlot { label, .. } if !is_label(label) => state("a name has 1 to 64 bytes without control characters"),
            Action::SetRoles { roles, .. } if roles.is_empty() => state("somebody has at least one role"),
            Action::AddSlot { kind: SlotFor::Auditor, roles, .. }
            | Action::AddSlot { kind: SlotFor::Shared { machine: Some(_), .. }, roles, .. }
                if !roles.is_empty() =>
            {
                state("roles are given to persons; an auditor reads the log, and a machine sees and trades")
            }
            Action::SetRoles { slot, roles } => {
                let has_roles = |kind| matches!(kind, Some(SlotKind::PasswordDevice | SlotKind::Hsm));
                if !has_roles(open.kind_of(*slot)) {
                    return state("roles are given to persons with a slot of their own; see `strongroom vault slots`");
                }
                if !roles.contains(&Role::KeyAdmin) && !open.has_other_admin(*slot) {
                    return state("somebody has to be key-admin, or nobody but the kit's owner could change this again");
                }
                let names = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
                Ok(format!("Let the owner of slot {slot} be {names}"))
            }
            Action::RemoveSlot { slot } if !open.vault.slots().iter().any(|known| known.id == *slot) => {
                state("the vault has no such slot; see `strongroom vault slots`")
            }
            Action::RemoveSlot { slot } if !open.has_other_admin(*slot) => {
                state("somebody has to be key-admin, or nobody but the kit's owner could change this again")
            }
            Action::ExportKey { id, .. } if found(id)?.origin == Origin::Generated => {
                state("a key that was made in the vault never leaves it; make another one where it is needed")
            }
            Action::Rekey if !open.vault.slots().iter().any(|slot| slot.kind == Some(SlotKind::PasswordDevice)) => {
                state("new keys need a way in by password alone, which stays open; add one first (`strongroom vault add-slot person`)")
            }
            Action::ExportKey { id, recipient } => {
                export::recipient(recipient).map_err(Refusal::State)?;
                Ok(format!("Encrypt the key “{}” for somebody else", label(id)?))
            }
            Action::Backup => Ok("Copy the vault's file".to_owned()),
            Action::ChangePassword { slot: Some(slot) } if open.kind_of(*slot) != Some(SlotKind::Hsm) => state(
                "that slot has no password with a kept share; see `strongroom vault slots`. Without a slot, the password is that of whoever gives it",
            ),
            Action::ChangePassword { .. } => Ok("Set a new password".to_owned()),
            Action::ReplaceKit => Ok("Print a new recovery kit; the old one opens the vault no more".to_owned()),
            Action::PrintCodes => Ok("Print recovery codes; earlier ones count no more".to_owned()),
            Action::NewPhone => Ok("Put the one-time codes onto a new phone; those of the old one count no more".to_owned()),
            Action::AddSlot { kind: SlotFor::Person, label, .. } => Ok(format!("Let one more person into the vault, “{label}”")),
            Action::AddSlot { kind: SlotFor::Auditor, label, .. } => {
                Ok(format!("Give a code that reads the log, and nothing else, to “{label}”"))
            }
            Action::AddSlot { kind: SlotFor::Shared { keeper, machine }, label, .. } => {
                match (Keeping::asked(keeper, machine.as_ref()).trouble(), machine) {
                    (Some(trouble), _) => state(trouble),
                    (None, Some(_)) => Ok(format!("Let a machine open the vault without a person, “{label}”")),
                    (None, None) => Ok(format!("Let one more person into the vault, “{label}”, with a share that somebody keeps")),
                }
            }
            Action::RemoveSlot { slot } => Ok(format!("Close slot {slot} of the vault")),
            Action::Rekey => Ok("Give everything in the vault new keys, and print a new recovery kit".to_owned()),
            Action::Rearm if !frozen => state("the kill switch is not engaged"),
            Action::Rearm => Ok("Re-arm: allow orders again".to_owned()),
            Action::SetPolicy(policy) => {
                policy.validate().and_then(|()| open.completed(policy).validate()).map_err(|error| Refusal::Guard(error.into()))?;
                if let Some(why) = open.managed.as_ref().and_then(|managed| managed.refuses(policy)) {
                    return Err(Refusal::Guard(why));
                }
                let next = open.in_force(policy);
                match about::cannot_be_shown(&open.policy, &next) {
                    Some(why) => Err(Refusal::State(why)),
                    None if open.policy.is_raised_by(&next) => Ok("Raise the limits on orders".to_owned()),
                    None => Ok("Lower the limits on orders".to_owned()),
                }
            }
            Action::ConfirmOrder(order) => Ok(format!("Confirm: {}", order.words())),
            Action::Override { why, .. } if !is_label(why) => state("say why in 1 to 64 bytes without control characters"),
            Action::Override { order, .. } => Ok(format!("Let this order pass the desk's rules once: {}", order.words())),
            Action::Protect(order) => Ok(format!("Let the kill switch leave the order {order}")),
            Action::Pin(change) if !names_a_key(change) => state("a server is named by host and port, its key by a SHA-256 in base64"),
            Action::Pin(PinChange { host, trust: true, .. }) => Ok(format!("Trust a key of {host}")),
            Action::Pin(PinChange { host, .. }) => Ok(format!("Trust a key of {host} no more")),
            Action::CreateVault { .. } | Action::Unlock | Action::UnlockWith { .. } | Action::Recover(_) => Err(Refusal::NotUnderstood),
        }
    }
}

pub(super) fn is_label(label: &str) -> bool {
    (1..=LABEL_LEN_MAX).contains(&label.len()) && label.chars().all(is_plain)
}

fn names_a_key(change: &PinChange) -> bool {
    let PinChange { host, spki_sha256, .. } = change;
    let is_host = (1..=HOST_LEN_MAX).contains(&host.len()) && host.bytes().all(|byte| byte.is_ascii_graphic());
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    is_host && spki_sha256.len() == FINGERPRINT_LEN && spki_sha256.bytes().all(is_digit)
}
