//! Actions that need a person: prepared here, decided in the signer, and what follows from them.
//!
//! Invariant: the desk learns how an action ended, never with which words it was answered.

use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use serde_json::{Value, json};
use strongroom_audit::Kind;
use strongroom_desk_api::{DoorAction, DoorError, Tell};
use strongroom_guard::{Freeze, Policy};
use strongroom_model::{Advice, ClientOrderId, CredentialInfo, KeyStage, OrderSpec, PlaceOrder, Side, Symbol};
use strongroom_signer_api::{Action, ActionEnd, DoorId, KitOpening, Notice, PinChange, Refusal, Reply, Request, Saved, Sealed};
use strongroom_vault_store::{Attempt, AttemptEnd};

use crate::event::Event;
use crate::hall::{Hall, lock, wall};
use crate::keeper::{Export, Image, KeepError, OpeningKey};
use crate::machine::error;
use crate::rotation;

/// Largest file that the signer hands out.
const FILE_LEN_MAX: u64 = 64 * 1_024 * 1_024;
/// Under which name the store remembers which document of an organisation was noted.
const MANAGED: &str = "managed";

pub(crate) fn kept(error: KeepError) -> Tell {
    Tell::Error(DoorError::new(error.code, error.message, error.advice))
}

pub(crate) fn refused(refusal: &Refusal) -> Tell {
    Tell::Error(DoorError { unmet: refusal.unmet(), ..DoorError::new(refusal.code(), refusal.to_string(), refusal.advice()) })
}

fn memory_file(bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("strongroom", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// What a person will try, if the action asks for it.
const fn attempt_of(action: &DoorAction) -> Option<Attempt> {
    match action {
        DoorAction::Unlock | DoorAction::UnlockWith { .. } | DoorAction::ChangePassword { .. } | DoorAction::Rekey => {
            Some(Attempt::Password)
        }
        DoorAction::Recover { .. } => Some(Attempt::Kit),
        _ => None,
    }
}

/// Gets the signer ready for an action.
pub(crate) async fn prepare(hall: &Arc<Hall>, door: DoorId, action: DoorAction) -> Tell {
    let (attempt, deed) = (attempt_of(&action), action.deed());
    let prepared = match hand_over(hall, door, action).await {
        Ok(prepared) => prepared,
        Err(tell) => return tell,
    };
    debug_assert_eq!(prepared.action.deed(), deed, "the signer is asked what the door asked");
    // It is counted when a prompt is about to ask; here only its wait is told.
    if let Some(attempt) = attempt
        && let Err(error) = hall.keeper.may_attempt(attempt).await
    {
        return kept(error);
    }
    match prepared.send(hall).await {
        Ok((ticket, words)) => {
            hall.note_ticket(ticket.clone());
            Tell::Prepared { ticket, words }
        }
        Err(refusal) => refused(&refusal),
    }
}

/// The signer is about to have a password or kit asked.
async fn count(hall: &Arc<Hall>, ticket: Vec<u8>, by_kit: bool) {
    let attempt = if by_kit { Attempt::Kit } else { Attempt::Password };
    let refused = match hall.keeper.begin_attempt(attempt, hall.open_attempts(attempt)).await {
        Ok(()) => {
            hall.note_attempt(hex::encode(&ticket), attempt);
            None
        }
        Err(error) => Some(error.message),
    };
    let _ = hall.ask_signer(&Request::Counted { ticket, refused }).await;
}

/// A request to the signer with all that belongs to it.
struct Prepared {
    door: DoorId,
    action: Action,
    tail: zeroize::Zeroizing<Vec<u8>>,
    files: Vec<OwnedFd>,
}

impl Prepared {
    async fn send(self, hall: &Arc<Hall>) -> Result<(String, String), Refusal> {
        let link = hall.signer().ok_or_else(|| Refusal::State("the signer is being started; try again".to_owned()))?;
        let fds: Vec<_> = self.files.iter().map(OwnedFd::as_fd).collect();
        let request = Request::At { door: self.door, request: Box::new(Request::Prepare(self.action)) };
        match link.ask(&request, &self.tail, &fds).await? {
            Reply::Prepared { ticket, words } => Ok((hex::encode(ticket), words)),
            _ => Err(Refusal::NotUnderstood),
        }
    }
}

/// Gathers what the signer needs for an action.
async fn hand_over(hall: &Arc<Hall>, door: DoorId, action: DoorAction) -> Result<Prepared, Tell> {
    let sealed = !matches!(hall.ask_signer(&Request::Status).await, Ok(Reply::Status(status)) if !status.sealed);
    let mut tail = zeroize::Zeroizing::new(Vec::with_capacity(32));
    let mut files = Vec::new();
    let action = match action {
        DoorAction::CreateVault { kdf_memory_mib, kdf_passes } => match hall.keeper.create().await {
            Ok((vault_id, device)) => {
                tail.extend_from_slice(device.as_slice());
                Action::CreateVault { vault_id: vault_id.to_vec(), kdf_memory_kib: kdf_memory_mib.saturating_mul(1_024), kdf_passes }
            }
            Err(error) => return Err(kept(error)),
        },
        DoorAction::Recover { generation: Some(_) } if !sealed => {
            return Err(error("open", "the vault is open; seal it before a backup takes its place".to_owned(), Advice::Ask));
        }
        DoorAction::Unlock | DoorAction::UnlockWith { .. } | DoorAction::Recover { .. } if sealed => {
            let key = match action {
                DoorAction::Recover { generation } => OpeningKey::Kit { generation },
                DoorAction::UnlockWith { .. } => OpeningKey::Slot,
                _ => OpeningKey::Password,
            };
            let opening = match hall.keeper.opening(key).await {
                Ok(opening) => opening,
                Err(error) => return Err(kept(error)),
            };
            if let Some(trouble) = &opening.trouble {
                let _ = hall.note(&[(Kind::AnchorLost, json!({"trouble": trouble}))]);
            }
            tail.extend_from_slice(opening.device.as_deref().map_or(&[][..], <[u8; 32]>::as_slice));
            for bytes in std::iter::once(&opening.vault).chain(&opening.state) {
                match memory_file(bytes) {
                    Ok(file) => files.push(file),
                    Err(failure) => return Err(error("memory", failure.to_string(), Advice::RetryAfter(1_000))),
                }
            }
            match (opening.by_kit, action) {
                (Some(opening), _) => Action::Recover(opening),
                (None, DoorAction::UnlockWith { slot }) => Action::UnlockWith { slot },
                (None, _) => Action::Unlock,
            }
        }
        DoorAction::Unlock => Action::Unlock,
        DoorAction::UnlockWith { slot } => Action::UnlockWith { slot },
        // An open vault needs no kit; the signer says so.
        DoorAction::Recover { .. } => Action::Recover(KitOpening { number: 0, backup: None, state_lost: None }),
        DoorAction::Import { label, venue } => Action::Import { label, venue },
        DoorAction::Rotate { id } => Action::Rotate { old: id },
        DoorAction::Generate { label, venue, scheme, replaces } => Action::Generate { label, venue, scheme, replaces },
        DoorAction::EditKey { id, edit } => Action::EditKey { id, edit },
        DoorAction::Delete { id } => {
            if let Some(live) = hall.summary().await.live_by_key.get(&id).filter(|live| **live > 0) {
                let words = format!("{live} orders that this key placed are live, and nothing else can look after them. Cancel them first");
                return Err(error("key-in-use", words, Advice::Ask));
            }
            Action::Delete { id }
        }
        DoorAction::ExportKey { id, recipient } => Action::ExportKey { id, recipient },
        DoorAction::Backup => Action::Backup,
        DoorAction::ChangePassword { slot } => Action::ChangePassword { slot },
        DoorAction::ReplaceKit => Action::ReplaceKit,
        DoorAction::PrintCodes => Action::PrintCodes,
        DoorAction::NewPhone => Action::NewPhone,
        DoorAction::AddSlot { kind, label, roles } => Action::AddSlot { kind, label, roles },
        DoorAction::SetRoles { slot, roles } => Action::SetRoles { slot, roles },
        DoorAction::ConfirmOrder { client_order_id, symbol, side, spec, reduce_only } => {
            Action::ConfirmOrder(order_of(&client_order_id, symbol, side, spec, reduce_only).map_err(bad_name)?)
        }
        DoorAction::OverrideRule { client_order_id, symbol, side, spec, reduce_only, why } => {
            Action::Override { order: order_of(&client_order_id, symbol, side, spec, reduce_only).map_err(bad_name)?, why }
        }
        DoorAction::ProtectOrder { client_order_id } => Action::Protect(ClientOrderId::parse(&client_order_id).map_err(bad_name)?),
        DoorAction::RemoveSlot { slot } => Action::RemoveSlot { slot },
        DoorAction::Rekey => Action::Rekey,
        DoorAction::Rearm => Action::Rearm,
        DoorAction::SetPolicy { policy } => Action::SetPolicy(policy),
        DoorAction::AcceptPin { host, spki_sha256 } => {
            if let Err(words) = hall.venue.could_accept(&host, &spki_sha256) {
                return Err(error("pin", words, Advice::Ask));
            }
            Action::Pin(PinChange { host, spki_sha256, trust: true })
        }
        DoorAction::ForgetPin { host, spki_sha256 } => Action::Pin(PinChange { host, spki_sha256, trust: false }),
    };
    Ok(Prepared { door, action, tail, files })
}

fn order_of(name: &str, symbol: Symbol, side: Side, spec: OrderSpec, reduce_only: bool) -> Result<PlaceOrder, strongroom_model::IdError> {
    Ok(PlaceOrder { client_order_id: ClientOrderId::parse(name)?, symbol, side, spec, reduce_only })
}

fn bad_name(failure: strongroom_model::IdError) -> Tell {
    error("client-order-id", failure.to_string(), Advice::Refuse)
}

/// A signer was attached: it may be an open one whose desk died, or a new one that must hear of the kill switch.
pub(crate) async fn greet_signer(hall: Arc<Hall>, stopped: Vec<Freeze>) {
    let Ok(Reply::Status(status)) = hall.ask_signer(&Request::Status).await else { return };
    for freeze in stopped.into_iter().filter(|stopped| status.freezes.iter().all(|known| known.scope != stopped.scope)) {
        let _ = hall.ask_signer(&Request::Kill(freeze)).await;
    }
    for freeze in status.freezes.iter() {
        hall.killed(freeze.clone()).await;
    }
    if !status.sealed {
        fetch_policy(&hall).await;
    }
}

/// What the signer says of the kill switch counts, also when it was engaged while this desk was told something else.
async fn follow_freeze(hall: &Arc<Hall>) {
    if let Ok(Reply::Status(status)) = hall.ask_signer(&Request::Status).await {
        for freeze in status.freezes.iter() {
            hall.killed(freeze.clone()).await;
        }
    }
}

async fn fetch_policy(hall: &Arc<Hall>) {
    if let Ok(Reply::Policy(policy)) = hall.ask_signer(&Request::Policy).await {
        apply_policy(hall, *policy).await;
    }
}

/// Notes which document of an organisation holds, when it is another one than before.
async fn note_managed(hall: &Arc<Hall>) {
    let Ok(Reply::Status(status)) = hall.ask_signer(&Request::Status).await else { return };
    let named = status.managed.as_ref().map(|managed| json!([managed.serial, managed.organisation, managed.limits]).to_string());
    if lock(&hall.store).meta(MANAGED).is_ok_and(|known| known == named) {
        return;
    }
    if hall.note(&[(Kind::ManagedPolicy, json!({"managed": status.managed}))]).is_ok() {
        let _ = lock(&hall.store).set_meta(MANAGED, named.as_deref());
    }
}

async fn apply_policy(hall: &Arc<Hall>, policy: Policy) {
    hall.venue.follow_policy(&policy);
    hall.event(Event::Policy(Some(Box::new(policy)))).await;
}

/// The signer told something unasked.
pub(crate) async fn on_notice(hall: Arc<Hall>, notice: Notice, file: Option<OwnedFd>) {
    match notice {
        Notice::Save { what: Sealed::State, generation, .. } => save(&hall, Image::State, generation, file).await,
        Notice::Save { what: Sealed::Vault, generation, mac, by_kit } => save(&hall, Image::Vault { mac, by_kit }, generation, file).await,
        Notice::Attempt { ticket, by_kit } => count(&hall, ticket, by_kit).await,
        Notice::Ended { ticket, by, end } => ended(&hall, hex::encode(ticket), by, *end).await,
        Notice::Frozen(freeze) => hall.killed(freeze).await,
        Notice::LockedOut { by } => {
            hall.state_changed();
            let entry = json!({"person": by, "why": "too many wrong codes: every session was locked"});
            drop(hall.note(&[(Kind::LockedOut, entry)]));
        }
        Notice::ClockBack { back_s } => {
            let entry = json!({"why": "the clock was set back since the vault was unlocked; codes are refused", "back_s": back_s});
            drop(hall.note(&[(Kind::ClockAlarm, entry)]));
        }
        Notice::RecoveryCodeUsed { left } => drop(hall.note(&[(Kind::RecoveryCodeUsed, json!({"left": left}))])),
    }
}

async fn save(hall: &Arc<Hall>, image: Image, generation: u64, file: Option<OwnedFd>) {
    let what = if matches!(image, Image::State) { Sealed::State } else { Sealed::Vault };
    let mut bytes = Vec::new();
    let read = file.map(|fd| {
        let mut file = std::fs::File::from(fd);
        file.rewind().and_then(|()| file.take(FILE_LEN_MAX).read_to_end(&mut bytes))
    });
    let restored = if let Image::Vault { by_kit: Some(opening), .. } = &image { opening.backup } else { None };
    let saved = match read {
        Some(Ok(_)) => hall.keeper.save(image, bytes, generation).await.map_err(|error| error.message),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("nothing was handed out".to_owned()),
    };
    if let Err(error) = &saved {
        tracing::error!(%error, ?what, generation, "could not save");
    } else if what == Sealed::Vault {
        let _ = hall.note(&[(Kind::VaultSaved, json!({"generation": generation}))]);
        if let Some(backup) = restored {
            let _ = hall.note(&[(Kind::BackupRestored, json!({"generation": backup}))]);
        }
    }
    let _ = hall.ask_signer(&Request::Saved(Saved { what, generation, error: saved.err() })).await;
}

/// `person`: the slot by which the session was opened that it was begun in. The log names it with all that a session changes.
async fn ended(hall: &Arc<Hall>, ticket: String, person: Option<u16>, end: ActionEnd) {
    let key = |info: &CredentialInfo| json!({"id": info.id, "label": info.label, "venue": info.venue, "scheme": info.scheme, "api_key": info.api_key, "origin": info.origin, "replaces": info.replaces});
    let note = |kind, mut entry: Value| {
        if let Some(slot) = person {
            entry["person"] = slot.into();
        }
        let _ = hall.note(&[(kind, entry)]);
    };
    let mut tell = None;
    let failures = match hall.attempt_of(&ticket) {
        Some(attempt) => {
            let became = match &end {
                ActionEnd::Failed { wrong_factor: true, .. } => AttemptEnd::Wrong,
                ActionEnd::Failed { .. } => AttemptEnd::NotMade,
                _ => AttemptEnd::Right,
            };
            hall.keeper.end_attempt(attempt, became, hall.open_attempts(attempt)).await.ok()
        }
        None => None,
    };
    match &end {
        ActionEnd::VaultCreated { log_key, read_key } => {
            tell = begin_log(hall, log_key, read_key, true).await.err();
            let _ = hall.keeper.opened(false).await;
            hall.set_because(None);
            fetch_policy(hall).await;
            note_managed(hall).await;
        }
        ActionEnd::Unlocked { signatures, by_kit, by, log_key, read_key } => {
            tell = begin_log(hall, log_key, read_key, false).await.err();
            if let Err(error) = hall.keeper.opened(by_kit.is_some()).await {
                tracing::warn!(%error, "the anchor could not be brought up to date");
            }
            let kind = if by_kit.is_some() { Kind::Recovered } else { Kind::Unlocked };
            let _ = hall.note(&[(
                kind,
                json!({"signatures": signatures, "slot": by.as_ref().map(|by| by.id), "by": by.as_ref().map(|by| &by.kind)}),
            )]);
            hall.set_because(None);
            follow_freeze(hall).await;
            fetch_policy(hall).await;
            note_managed(hall).await;
            tokio::spawn(rotation::resume(Arc::clone(hall)));
        }
        ActionEnd::Imported(info) => note(Kind::KeyImported, key(info)),
        ActionEnd::KeyExported { info, recipient, file } => {
            let name = format!("key-{}-{}.age", info.id, wall().ms());
            tell = Some(exported(hall, name, Export::Bytes(file.clone().into_bytes()), &format!("Encrypted for {recipient}")).await);
            // It is noted also where it could not be written: the bytes had left the signer.
            let is_written = !matches!(tell, Some(Tell::Error(_)));
            let what = json!({"key": info.id, "label": info.label, "recipient": recipient, "written": is_written});
            note(Kind::Exported, what);
        }
        ActionEnd::BackupGranted => {
            tell = Some(exported(hall, format!("vault-{}.srv", wall().ms()), Export::Vault, "The vault's file is copied").await);
            let is_written = !matches!(tell, Some(Tell::Error(_)));
            note(Kind::Exported, json!({"vault": true, "written": is_written}));
        }
        ActionEnd::PasswordChanged { slot } => note(Kind::PasswordChanged, json!({"slot": slot})),
        ActionEnd::KitReplaced => note(Kind::KitReplaced, json!({})),
        ActionEnd::PhoneChanged => note(Kind::PhoneChanged, json!({})),
        ActionEnd::CodesPrinted => note(Kind::RecoveryCodesPrinted, json!({})),
        ActionEnd::SlotAdded(slot) => {
            let added = json!({"slot": slot.id, "kind": slot.kind, "label": slot.label, "kept": slot.kept, "roles": slot.roles});
            note(Kind::SlotAdded, added);
        }
        ActionEnd::RolesSet { slot, roles } => note(Kind::RolesSet, json!({"slot": slot, "roles": roles})),
        ActionEnd::OrderConfirmed(order) => {
            note(Kind::OrderConfirmed, json!({"order": order}));
            hall.event(Event::Confirmed(order.clone())).await;
            drop(hall.summary().await);
        }
        ActionEnd::Overridden { order, why } => {
            note(Kind::RuleOverridden, json!({"order": order, "why": why}));
            hall.event(Event::Overridden { order: order.clone(), why: why.clone() }).await;
            // Events are taken in their order: when the summary comes, the order may be placed.
            drop(hall.summary().await);
        }
        ActionEnd::Protected(id) => {
            hall.event(Event::Protect { door: None, id: id.clone(), by: person, protected: true }).await;
            drop(hall.summary().await);
        }
        ActionEnd::SlotRemoved { slot } => note(Kind::SlotRemoved, json!({"slot": slot})),
        ActionEnd::Rekeyed { closed } => note(Kind::Rekeyed, json!({"closed": closed})),
        ActionEnd::Deleted(info) => note(Kind::KeyDeleted, key(info)),
        ActionEnd::Rearmed => {
            note(Kind::Rearmed, json!({}));
            hall.event(Event::Rearmed).await;
            follow_freeze(hall).await;
            // Events are taken in their order: when the summary comes, re-arming is on the disk, and only then it is told.
            drop(hall.summary().await);
        }
        ActionEnd::PolicySet(policy) => {
            note(Kind::PolicyChanged, json!({"policy": policy}));
            // What holds is the signer's to say: an organisation's limits lie over what was set.
            fetch_policy(hall).await;
        }
        ActionEnd::Pinned(change) => tell = hall.change_pin(change, person).err().map(|words| error("pin", words, Advice::Ask)),
        ActionEnd::RotationBegun(info) => {
            note(Kind::KeyImported, key(info));
            tell = Some(rotation::go_on(hall, info.id).await);
        }
        ActionEnd::Generated { info, .. } => note(Kind::KeyGenerated, key(info)),
        ActionEnd::Edited(info) => {
            let edited = json!({"id": info.id, "label": info.label, "api_key": info.api_key, "details": info.details});
            note(Kind::KeyEdited, edited);
            // It has its name now: nothing stands in the way of its test.
            if info.stage == KeyStage::New && !info.api_key.is_empty() {
                tell = Some(rotation::go_on(hall, info.id).await);
            }
        }
        ActionEnd::Failed { why, wrong_factor, .. } => {
            if *wrong_factor {
                note(Kind::UnlockFailed, json!({"why": why, "failures": failures}));
            }
        }
    }
    if let ActionEnd::Imported(_) | ActionEnd::Deleted(_) | ActionEnd::RotationBegun(_) | ActionEnd::Edited(_) = &end {
        hall.event(Event::KeysChanged).await;
    }
    hall.checkpoint(true).await;
    hall.set_ended(ticket, end, tell);
}

/// Puts a file into the folder of exports, and says where.
async fn exported(hall: &Arc<Hall>, name: String, export: Export, words: &str) -> Tell {
    match hall.keeper.export(name, export).await {
        Ok(path) => Tell::Outcome { words: format!("{words}: {}", path.display()), key: None, log_key: None, public_key: None },
        Err(error) => kept(error),
    }
}

/// Remembers the log's keys, and begins the log where none is being written.
async fn begin_log(hall: &Arc<Hall>, log_key: &[u8], read_key: &[u8], is_new: bool) -> Result<(), Tell> {
    let Ok(read_key): Result<[u8; 32], _> = read_key.try_into() else { return Err(refused(&Refusal::NotUnderstood)) };
    let vault_id = hall.keeper.look().await.ok().flatten().map(|look| look.vault_id);
    let vault_id = vault_id.ok_or_else(|| error("log", "the vault's identity is not known".to_owned(), Advice::Bug))?;
    let mut store = lock(&hall.store);
    if !is_new && store.log_keys().ok().flatten().is_some() {
        return Ok(());
    }
    let begun = (|| {
        store.set_meta("vault_id", Some(&hex::encode(vault_id)))?;
        store.set_meta("read_key", Some(&hex::encode(read_key)))?;
        store.set_meta("log_key", Some(&hex::encode(log_key)))?;
        store.begin_log(vault_id, &read_key, wall())?;
        store.record(&[], &[(Kind::VaultCreated, json!({"vault": hex::encode(vault_id)}))], wall())
    })();
    begun.map_err(|failure| error("log", format!("the log could not be begun: {failure}"), failure.advice()))
}

/// Payloads of the last `last` leaves of an epoch, in clear.
pub(crate) async fn read_log(hall: &Arc<Hall>, door: DoorId, leaves: &[strongroom_audit::Leaf], last: u32) -> Result<Vec<String>, Tell> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        let len = u32::try_from(leaf.bytes.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&leaf.bytes);
    }
    let file = memory_file(&bytes).map_err(|failure| error("memory", failure.to_string(), Advice::RetryAfter(1_000)))?;
    let Some(link) = hall.signer() else { return Err(refused(&Refusal::Guard(strongroom_guard::Reason::Sealed))) };
    let read = Request::At { door, request: Box::new(Request::ReadAudit { last }) };
    match link.ask(&read, b"", &[file.as_fd()]).await {
        Ok(Reply::Audit(entries)) => Ok(entries),
        Ok(_) => Err(refused(&Refusal::NotUnderstood)),
        Err(refusal) => Err(refused(&refusal)),
    }
}
