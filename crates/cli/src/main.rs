//! `strongroom`: the terminal door. Invariant: secrets pass by it, as descriptors or as a terminal, never through it.

#[macro_use]
mod out;

mod arguments;
mod descriptors;
mod errand;
mod fail;
mod keeping;
mod kill;
mod paper;
mod paper_admin;
mod paper_record;
mod policy;
mod rules;
mod show;
mod vault_arguments;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use strongroom_desk_api::supervisor::{SupervisorClient, ToSupervisor};
use strongroom_desk_api::{Ask, DeskClient, DoorAction, KeyView, Policy, Tell};
use strongroom_model::{CredentialId, Venue};

use crate::arguments::{Arguments, AuditCommand, Command, OrderCommand, PinCommand, PolicyCommand};
use crate::errand::Descriptors;
use crate::fail::Failure;
use crate::vault_arguments::{KeyCommand, VaultCommand, VenueName};

/// The supervisor answers everything but prompts within this.
const SUPERVISOR_TIMEOUT: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    let outcome = match run(arguments) {
        Ok(Some(tell)) => Failure::of(&tell).map_or_else(
            || {
                show::tell(&tell, json);
                Ok(())
            },
            Err,
        ),
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show(json);
            ExitCode::from(failure.exit_code)
        }
    }
}

fn profile(dir: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let data = || std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    dir.or_else(|| data().or_else(home).map(|data| data.join("strongroom")))
        .ok_or_else(|| Failure::usage("name the profile folder with --dir"))
}

/// What stands for the one that is not given.
const KDF_MEMORY_MIB: u32 = 256;
const KDF_PASSES: u32 = 3;

struct Door {
    dir: PathBuf,
    window: bool,
}

impl Door {
    fn ask(&self, ask: &Ask) -> Result<Tell, Failure> {
        let mut desk = DeskClient::connect(&self.dir).map_err(|error| Failure::not_running(&self.dir, &error))?;
        desk.ask(ask).map_err(|error| Failure::desk_silent(&error))
    }

    fn act(&self, action: DoorAction, descriptors: &Descriptors) -> Result<Tell, Failure> {
        self.present();
        errand::run(&self.dir, action, descriptors, self.window)
    }

    /// The same, for what something else comes after: a failure ends it.
    fn done(&self, action: DoorAction, descriptors: &Descriptors) -> Result<(), Failure> {
        let tell = self.act(action, descriptors)?;
        Failure::of(&tell).map_or(Ok(()), Err)
    }

    /// The limits in force.
    fn policy(&self) -> Result<Policy, Failure> {
        match self.ask(&Ask::Policy)? {
            Tell::Policy { policy, .. } => Ok(*policy),
            other => Err(Failure::of(&other)
                .unwrap_or_else(|| Failure::refused("desk", "the desk answered something else than its limits".to_owned()))),
        }
    }

    /// A person is at this terminal: the session goes on. What comes of it, the next answer tells.
    fn present(&self) {
        let _ = self.ask(&Ask::Stay);
    }

    fn supervisor(&self, request: &ToSupervisor) -> Result<(bool, String), Failure> {
        let client = SupervisorClient::connect(&self.dir).map_err(|error| Failure::not_running(&self.dir, &error))?;
        client.ask(request, &[], SUPERVISOR_TIMEOUT).map_err(|error| Failure::desk_silent(&error))
    }

    /// What is known of a key.
    fn key(&self, id: u64) -> Result<KeyView, Failure> {
        match self.ask(&Ask::Keys)? {
            Tell::Keys { keys } => keys
                .into_iter()
                .find(|view| view.key.id == CredentialId(id))
                .ok_or_else(|| Failure::refused("no-key", "there is no such key in the vault; see `strongroom key list`".to_owned())),
            other => Err(Failure::of(&other)
                .unwrap_or_else(|| Failure::refused("desk", "the desk answered something else than its keys".to_owned()))),
        }
    }

    /// So large an order is confirmed first, in the prompt, from what the signer holds.
    fn place(&self, order: &arguments::NamedOrder, secrets: &descriptors::CodeFds) -> Result<Tell, Failure> {
        match self.ask(&order.ask())? {
            Tell::Error(refused) if refused.code == "confirm" => {
                self.done(order.confirmation(), &Descriptors::for_code(secrets))?;
                self.ask(&order.ask())
            }
            tell => Ok(tell),
        }
    }

    fn log_entry(&self, seq: u64) -> Result<Tell, Failure> {
        let tell = self.ask(&Ask::Audit { before: Some(seq.saturating_add(1)), last: 1 })?;
        match &tell {
            Tell::Audit { entries, size } if !entries.iter().any(|entry| entry.seq == seq) => Err(Failure::refused(
                "unknown-entry",
                format!("the log has {size} entries, counted from 0, and none with the number {seq}"),
            )),
            _ => Ok(tell),
        }
    }
}

/// Prints every session that is open.
fn sessions(door: &Door, json: bool) -> Result<(), Failure> {
    let view = match door.ask(&Ask::Session)? {
        Tell::Session(view) => view,
        other => return Err(Failure::of(&other).unwrap_or_else(|| Failure::refused("desk", "the desk answered something else".to_owned()))),
    };
    if json {
        println!("{}", serde_json::json!({ "sessions": view.sessions }));
    } else {
        show::sessions(&view.sessions);
    }
    Ok(())
}

fn run(arguments: Arguments) -> Result<Option<Tell>, Failure> {
    let door = Door { dir: profile(arguments.dir)?, window: arguments.window };
    let tell = match arguments.command {
        Command::Vault(command) => match command {
            VaultCommand::Create { kdf_memory, kdf_passes, secrets } => {
                // None given: the signer measures.
                let (kdf_memory_mib, kdf_passes) = match (kdf_memory, kdf_passes) {
                    (None, None) => (0, 0),
                    (memory, passes) => (memory.unwrap_or(KDF_MEMORY_MIB), passes.unwrap_or(KDF_PASSES)),
                };
                let action = DoorAction::CreateVault { kdf_memory_mib, kdf_passes };
                door.act(action, &Descriptors::for_new_vault(&secrets))?
            }
            VaultCommand::Status => door.ask(&Ask::Vault)?,
            VaultCommand::Unlock { slot, secrets } => {
                let action = slot.map_or(DoorAction::Unlock, |slot| DoorAction::UnlockWith { slot });
                door.act(action, &Descriptors::for_unlock(slot, &secrets))?
            }
            VaultCommand::Recover { secrets } => {
                door.act(DoorAction::Recover { generation: None }, &Descriptors::for_recovery(&secrets))?
            }
            VaultCommand::Restore { generation, secrets } => {
                door.act(DoorAction::Recover { generation: Some(generation) }, &Descriptors::for_recovery(&secrets))?
            }
            VaultCommand::Passwd { slot, secrets } => {
                door.act(DoorAction::ChangePassword { slot }, &Descriptors::for_password_change(slot, &secrets))?
            }
            VaultCommand::Phone { secrets } => door.act(DoorAction::NewPhone, &Descriptors::for_new_phone(&secrets))?,
            VaultCommand::Codes { secrets } => door.act(DoorAction::PrintCodes, &Descriptors::for_new_codes(&secrets))?,
            VaultCommand::Kit { secrets } => door.act(DoorAction::ReplaceKit, &Descriptors::for_new_kit(&secrets))?,
            VaultCommand::Backup { secrets } => door.act(DoorAction::Backup, &Descriptors::for_code(&secrets))?,
            VaultCommand::Slots => door.ask(&Ask::Slots)?,
            VaultCommand::Roles { slot, roles, secrets } => {
                door.act(DoorAction::SetRoles { slot, roles }, &Descriptors::for_code(&secrets))?
            }
            VaultCommand::AddSlot { kind, label, roles, keeper, secrets } => {
                let kind = keeper.slot(kind)?;
                let descriptors = Descriptors::for_new_slot(&kind, &secrets);
                door.act(DoorAction::AddSlot { kind, label, roles }, &descriptors)?
            }
            VaultCommand::RemoveSlot { slot, secrets } => door.act(DoorAction::RemoveSlot { slot }, &Descriptors::for_code(&secrets))?,
            VaultCommand::Rekey { secrets } => door.act(DoorAction::Rekey, &Descriptors::for_rekey(&secrets))?,
            VaultCommand::Lock => door.ask(&Ask::Lock)?,
            VaultCommand::Seal => Tell::Done { words: kill::seal(&door)? },
        },
        Command::Key(command) => match command {
            KeyCommand::Import { label, venue: VenueName::Binance, secrets } => {
                door.act(DoorAction::Import { label, venue: Venue::Binance }, &Descriptors::for_key(&secrets))?
            }
            KeyCommand::List => door.ask(&Ask::Keys)?,
            KeyCommand::Rotate { id, generate: None, secrets } => {
                door.act(DoorAction::Rotate { id: CredentialId(id) }, &Descriptors::for_key(&secrets))?
            }
            KeyCommand::Rotate { id, generate: Some(scheme), secrets } => {
                let key = door.key(id)?.key;
                let action =
                    DoorAction::Generate { label: key.label, venue: key.venue, scheme: scheme.scheme(), replaces: Some(CredentialId(id)) };
                door.act(action, &Descriptors::for_code(&secrets.code()))?
            }
            KeyCommand::Generate { label, venue: VenueName::Binance, scheme, secrets } => {
                let action = DoorAction::Generate { label, venue: Venue::Binance, scheme: scheme.scheme(), replaces: None };
                door.act(action, &Descriptors::for_code(&secrets))?
            }
            KeyCommand::Public { id } => door.ask(&Ask::PublicKey { id: CredentialId(id) })?,
            KeyCommand::Edit { id, edit, secrets } => {
                let edit = edit.edit(door.key(id)?.key.details);
                door.act(DoorAction::EditKey { id: CredentialId(id), edit }, &Descriptors::for_code(&secrets))?
            }
            KeyCommand::Continue { id } => door.ask(&Ask::GoOn { id: CredentialId(id) })?,
            KeyCommand::Due => match door.ask(&Ask::Keys)? {
                Tell::Keys { keys } => {
                    Tell::Keys { keys: keys.into_iter().filter(|view| !view.due.is_empty() || view.step.is_some()).collect() }
                }
                other => other,
            },
            KeyCommand::Suspect { id, why } => door.ask(&Ask::Suspect { id: CredentialId(id), why })?,
            KeyCommand::Export { id, to, secrets } => {
                door.act(DoorAction::ExportKey { id: CredentialId(id), recipient: to }, &Descriptors::for_code(&secrets))?
            }
            KeyCommand::Delete { id, secrets } => {
                door.act(DoorAction::Delete { id: CredentialId(id) }, &Descriptors::for_code(&secrets))?
            }
        },
        Command::Order(command) => match command {
            OrderCommand::Place { order, secrets } => {
                let order = order.named()?;
                door.present();
                door.place(&order, &secrets)?
            }
            OrderCommand::Override { order, why, secrets } => {
                let order = order.named()?;
                door.done(order.exception(why), &Descriptors::for_code(&secrets))?;
                door.place(&order, &secrets)?
            }
            OrderCommand::Cancel { id } => door.ask(&Ask::Cancel { client_order_id: id })?,
            OrderCommand::Protect { id, secrets } => {
                door.act(DoorAction::ProtectOrder { client_order_id: id }, &Descriptors::for_code(&secrets))?
            }
            OrderCommand::Unprotect { id } => door.ask(&Ask::Unprotect { client_order_id: id })?,
            OrderCommand::Amend { id, quantity } => door.ask(&Ask::Amend { client_order_id: id, quantity })?,
            OrderCommand::List { all } => door.ask(&Ask::Orders { live: !all })?,
            OrderCommand::Show { id } => door.ask(&Ask::Order { client_order_id: id })?,
        },
        Command::Book { symbol, depth } => door.ask(&Ask::Book { symbol, depth })?,
        Command::Balance => door.ask(&Ask::Balance)?,
        Command::Session => door.ask(&Ask::Session)?,
        Command::Sessions { end: None } => return sessions(&door, arguments.json).map(|()| None),
        Command::Sessions { end: Some(door_id) } => door.ask(&Ask::EndSession { door: door_id })?,
        Command::Kill(options) => return kill::kill(&door, &options, arguments.json).map(|()| None),
        Command::KillDrill(options) => return kill::drill(&door, &options, arguments.json).map(|()| None),
        Command::Rearm { secrets } => door.act(DoorAction::Rearm, &Descriptors::for_code(&secrets))?,
        Command::Audit(command) => match command {
            AuditCommand::List { last, before } => door.ask(&Ask::Audit { before, last })?,
            AuditCommand::Show { seq } => door.log_entry(seq)?,
        },
        Command::Policy(command) => match command {
            PolicyCommand::Show => door.ask(&Ask::Policy)?,
            PolicyCommand::Diff { file } => return policy::diff(&door.policy()?, &policy::read(&file)?, arguments.json).map(|()| None),
            PolicyCommand::History => return policy::history(&door, arguments.json).map(|()| None),
            PolicyCommand::Set { file, secrets } => {
                door.act(DoorAction::SetPolicy { policy: Box::new(policy::read(&file)?) }, &Descriptors::for_code(&secrets))?
            }
        },
        Command::Rules => {
            rules::show(arguments.json);
            return Ok(None);
        }
        Command::Pin(PinCommand::Accept { key, secrets }) => {
            door.act(DoorAction::AcceptPin { host: key.host, spki_sha256: key.spki }, &Descriptors::for_code(&secrets))?
        }
        Command::Pin(PinCommand::Forget { key, secrets }) => {
            door.act(DoorAction::ForgetPin { host: key.host, spki_sha256: key.spki }, &Descriptors::for_code(&secrets))?
        }
        Command::Paper(options) => return paper::run(options, &door.dir, arguments.json).map(|()| None),
        Command::Stop => {
            let (done, words) = door.supervisor(&ToSupervisor::Stop)?;
            if done { Tell::Done { words: "Stopping.".to_owned() } } else { return Err(Failure::refused("stop", words)) }
        }
    };
    Ok(Some(tell))
}
