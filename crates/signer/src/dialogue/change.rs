//! What a granted action changes, and how it takes effect: first the bytes are on disk, then it is so.

use strongroom_guard::Freezes;
use strongroom_model::{Advice, Venue};
use strongroom_signer_api::control::StateMark;
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{ActionEnd, DoorId, GIVEN_UP, KitOpening, Notice, Refusal, Reply, Sealed};
use strongroom_vault::{ChangeError, Edit, RecordKind, SystemEntropy};

use super::{Dialogue, Grant, Next, Step, Talk};
use crate::clock::Moment;
use crate::ledger::Reserved;
use crate::signer::{After, Listener, Out, Saving, Signer};

/// How long a confirmed order may be signed.
const CONFIRMED_MS: u64 = 120_000;

impl Signer {
    pub(super) fn granted(&mut self, talk: Talk, grant: Grant, now: Moment) -> Vec<Out> {
        let Some(open) = self.open.as_ref() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        match grant {
            // Engaged again while the code was being saved: that counts.
            Grant::Rearm if !open.ledger.freezes.is_empty() => {
                talk.fail("the kill switch was engaged again meanwhile; nothing was changed", Advice::Ask, false)
            }
            Grant::Rearm => {
                self.freezes = Freezes::default();
                talk.end("Re-armed. Orders are allowed again.", ActionEnd::Rearmed)
            }
            Grant::Order(order) => {
                let until_ms = now.mono_ms + CONFIRMED_MS;
                if let Some(open) = self.open.as_mut() {
                    open.confirmed.retain(|(_, until_ms)| now.mono_ms < *until_ms);
                    open.confirmed.push((order.clone(), until_ms));
                }
                talk.end("Confirmed.", ActionEnd::OrderConfirmed(order))
            }
            Grant::Override(order, why) => talk.end("Granted, once.", ActionEnd::Overridden { order, why }),
            Grant::Protect(order) => talk.end("Protected.", ActionEnd::Protected(order)),
            Grant::Pin(change) => talk.end("Done.", ActionEnd::Pinned(change)),
            Grant::Import(import) => self.ask(talk, Step::ImportName(import), Field::ApiKey, "API key"),
            Grant::Generate(wish) => self.generate(talk, wish, now),
            Grant::EditKey(id, edit) => self.edit_key(talk, id, edit, now),
            Grant::ExportKey(id, recipient) => self.export_key(talk, id, &recipient),
            Grant::Backup => talk.end("Granted.", ActionEnd::BackupGranted),
            Grant::Way(wish) => self.way_granted(talk, wish, now),
            Grant::Keeper(wish) => self.keeper_granted(talk, wish),
            Grant::KeptPassword(slot) => self.kept_password_granted(talk, slot),
            Grant::Delete(id) => {
                let Some(info) = open.credential(Some(id), Venue::Binance).map(|found| found.info.clone()) else {
                    return talk.fail(&Refusal::Guard(strongroom_guard::Reason::NoKey).to_string(), Advice::Ask, false);
                };
                let changed = open.vault.change(&[Edit::Remove { id: id.0 }], now.wall, &mut SystemEntropy);
                self.save_change(talk, changed, ActionEnd::Deleted(info))
            }
            Grant::SetPolicy(policy) => {
                let policy = open.completed(&policy);
                let (Some(id), Ok(plaintext)) = (open.policy_record(), serde_json::to_vec(&policy)) else { return talk.broken() };
                let edit = Edit::Put { id, kind: RecordKind::Policy, plaintext: &plaintext };
                let changed = open.vault.change(&[edit], now.wall, &mut SystemEntropy);
                self.save_change(talk, changed, ActionEnd::PolicySet(policy))
            }
        }
    }

    pub(super) fn save_change(&mut self, talk: Talk, changed: Result<strongroom_vault::Sealed, ChangeError>, end: ActionEnd) -> Vec<Out> {
        match changed {
            Ok(sealed) => self.save_vault(talk, sealed, Next::End(end)),
            Err(error) => talk.fail(&error.to_string(), error.advice(), false),
        }
    }

    /// Saves the vault for a prompt; then comes `next`.
    pub(super) fn save_vault(&mut self, talk: Talk, sealed: strongroom_vault::Sealed, next: Next) -> Vec<Out> {
        if self.is_saving(Sealed::Vault) {
            return talk.fail("another change is being saved; nothing was changed. Try again", Advice::RetryAfter(500), false);
        }
        let by_kit = if let Next::LetIn(opening) = next { opening } else { None };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(next) });
        self.hand_out(sealed, Listener::Prompt(talk.prompt), by_kit)
    }

    pub(super) fn hand_out(&mut self, sealed: strongroom_vault::Sealed, listener: Listener, by_kit: Option<KitOpening>) -> Vec<Out> {
        let (generation, mac, bytes) = (sealed.generation(), sealed.mac().to_vec(), sealed.bytes().to_vec());
        self.saving.push(Saving { what: Sealed::Vault, generation, then: After::Vault { sealed: Box::new(sealed), listener } });
        vec![Out::Notice(Notice::Save { what: Sealed::Vault, generation, mac, by_kit }, Some(bytes))]
    }

    /// The desk says that something is on disk.
    pub(crate) fn save_took_effect(&mut self, saving: Saving, now: Moment) -> Vec<Out> {
        match saving.then {
            After::FirstVault { open, prompt } => {
                self.open = Some(*open);
                if let Some(open) = self.open.as_mut() {
                    open.reserve_first();
                }
                self.save_ledger(Some(prompt))
            }
            After::Vault { sealed, listener } => {
                let Some(open) = self.open.as_mut() else { return Vec::new() };
                if open.vault.commit(*sealed).is_err() || open.reload(&mut self.arena).is_err() {
                    self.open = None;
                    let trouble = "the saved vault could not be taken into use; unlock again";
                    return match listener {
                        Listener::Desk(id) => vec![Out::Reply(id, Reply::Refused(Refusal::State(trouble.to_owned())))],
                        Listener::Prompt(prompt) => self.finish(prompt, now, Some(trouble)),
                    };
                }
                match listener {
                    Listener::Desk(id) => vec![Out::Reply(id, Reply::Done)],
                    Listener::Prompt(prompt) => self.finish(prompt, now, None),
                }
            }
            After::Ledger { reserved, prompt } => {
                let mut out = Vec::new();
                if let Some(open) = self.open.as_mut() {
                    open.saved(reserved);
                    let mark = StateMark { vault: *open.vault.id(), generation: saving.generation };
                    self.marks.note(mark);
                    out.push(Out::StateSaved(mark));
                }
                out.extend(prompt.map(|prompt| self.finish(prompt, now, None)).unwrap_or_default());
                out.extend(self.serve_waiting(None, Some(now)));
                out
            }
        }
    }

    /// A re-arming that was saved and is not carried out is taken back on disk, too.
    fn keep_freezes(&mut self) -> Vec<Out> {
        match self.open.as_mut() {
            Some(open) if !open.ledger.freezes.includes(&self.freezes) => {
                open.ledger.freezes.clone_from(&self.freezes);
                self.save_ledger(None)
            }
            _ => Vec::new(),
        }
    }

    /// A dialogue whose save is done goes on; `trouble`: or ends.
    pub(super) fn finish(&mut self, prompt: u64, now: Moment, trouble: Option<&str>) -> Vec<Out> {
        let Some(at) = self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt) else { return Vec::new() };
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        let talk = self.talk(prompt, ticket);
        let Step::Saving(next) = step else { return talk.fail("a save that nobody asked for", Advice::Bug, false) };
        if let Some(trouble) = trouble {
            return talk.fail(trouble, Advice::Ask, false);
        }
        match next {
            Next::Grant(grant) => match self.still_may(prompt, now) {
                Ok(()) => self.code_was_right(talk, grant, now),
                Err(why) => talk.fail(&why, Advice::Ask, false).into_iter().chain(self.keep_freezes()).collect(),
            },
            Next::Rekeyed { closed } => {
                if self.open.as_mut().is_none_or(|open| open.take_new_state_key().is_err()) {
                    return talk.broken();
                }
                let step = Step::Saving(Next::ForgetOldState { closed });
                self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step });
                self.save_ledger(Some(talk.prompt))
            }
            Next::ForgetOldState { closed } => self.forget_old_state(talk, closed, now),
            Next::Refuse(why, advice) => talk.fail(&why, advice, true),
            Next::LetIn(opening) => self.let_in(talk, opening),
            Next::CodesPrinted { .. } => talk.end("The new codes count. Earlier ones count no more.", ActionEnd::CodesPrinted),
            Next::PhoneProved(seed) => match self.is_allowed_still(prompt, now) {
                Ok(()) => self.keep_phone(talk, &seed, now),
                Err(why) => talk.fail(&format!("{why}; the old phone's codes go on counting"), Advice::Ask, false),
            },
            Next::PhoneChanged => self.forget_old_phone(talk),
            Next::GiveUp => {
                // A vault that was opened for this is sealed again; one that was open before stays as it was.
                if self.open.as_ref().is_some_and(|open| open.sessions.were_never_opened()) {
                    self.open = None;
                }
                talk.fail(GIVEN_UP, Advice::Ask, false)
            }
            Next::OpenSession { end } => {
                let door = self.begun.iter().find(|begun| begun.prompt == prompt).map_or(DoorId::NOBODY, |begun| begun.door);
                if let Some(open) = self.open.as_mut() {
                    // Another person may have begun to unlock meanwhile.
                    let slot = if let ActionEnd::Unlocked { by: Some(by), .. } = &end { Some(by.id) } else { open.slot };
                    open.open_session(door, slot, now.mono_ms);
                }
                let words = match end {
                    ActionEnd::VaultCreated { .. } => "The vault is created and open.",
                    _ => "Unlocked.",
                };
                talk.end(words, end)
            }
            Next::End(end) => {
                let words = match &end {
                    ActionEnd::Imported(_) => "Stored in the vault.",
                    ActionEnd::RotationBegun(_) => "Stored; the new key is tested now.",
                    ActionEnd::Generated { .. } => "Made. Register its public half at the venue, then tell its name there.",
                    ActionEnd::Edited(_) | ActionEnd::PasswordChanged { .. } => "Changed.",
                    ActionEnd::PhoneChanged => "The codes of the new phone count, and no others.",
                    ActionEnd::KitReplaced => "The new kit counts. The old one opens old backups only.",
                    ActionEnd::Rekeyed { .. } => "Everything has new keys. Unlock with the same password from now on.",
                    ActionEnd::Deleted(_) => "Deleted from the vault. It stays valid at the venue until you revoke it there.",
                    _ => "Done.",
                };
                talk.end(words, end)
            }
        }
    }

    /// The desk ended before it said what became of a save: the vault is sealed already.
    pub(crate) fn save_unknown(&mut self, then: After) -> Vec<Out> {
        let prompt = match then {
            After::FirstVault { prompt, .. } | After::Vault { listener: Listener::Prompt(prompt), .. } => Some(prompt),
            After::Vault { listener: Listener::Desk(_), .. } => None,
            After::Ledger { prompt, .. } => prompt,
        };
        let at = prompt.and_then(|prompt| self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt));
        let Some(at) = at else { return Vec::new() };
        let Dialogue { prompt, ticket, step } = self.dialogues.remove(at);
        let words = if matches!(step, Step::Saving(Next::PhoneProved(_) | Next::PhoneChanged | Next::End(ActionEnd::PhoneChanged))) {
            "the desk ended while it saved, and whether the new phone's codes count is not known. The vault is sealed: unlock it again and \
             try one; if it is refused, the old phone's count, and its recovery codes"
        } else {
            "the desk ended while it saved, and whether that took effect is not known. The vault is sealed: unlock it again, \
             with the new password or kit if the old one is refused, and look"
        };
        self.talk(prompt, ticket).fail(words, Advice::Reconcile, false)
    }

    /// The desk could not save: nothing takes effect.
    pub(crate) fn save_failed(&mut self, then: After, error: &str) -> Vec<Out> {
        let is_ledger = matches!(then, After::Ledger { .. });
        let mut out = if is_ledger { self.serve_waiting(Some(error), None) } else { Vec::new() };
        let (prompt, seals) = match then {
            After::FirstVault { prompt, .. } => (Some(prompt), true),
            After::Vault { listener: Listener::Prompt(prompt), .. } => (Some(prompt), false),
            After::Vault { listener: Listener::Desk(id), .. } => {
                return vec![Out::Reply(id, Reply::Refused(Refusal::State(format!("could not be saved: {error}. Nothing was changed"))))];
            }
            After::Ledger { prompt, .. } => (prompt, false),
        };
        if let Some(open) = self.open.as_mut() {
            // What a failed save would have taken back stays.
            open.ledger.freezes.clone_from(&self.freezes);
            // What is reserved is what is on disk; it is asked for again.
            let Reserved { signatures, spent, orders } = open.on_disk();
            (open.ledger.reserved, open.ledger.spent, open.ledger.orders_reserved) = (signatures, spent, orders);
        }
        let at = prompt.and_then(|prompt| self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt));
        let (Some(prompt), Some(at)) = (prompt, at) else { return out };
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        if matches!(&step, Step::Saving(Next::End(ActionEnd::PhoneChanged))) {
            // The seed is in the vault: only what is to be forgotten of the old one is not yet.
            out.extend(self.talk(prompt, ticket).end("The codes of the new phone count, and no others.", ActionEnd::PhoneChanged));
            return out;
        }
        if let (Step::Saving(Next::CodesPrinted { before }), Some(open)) = (&step, self.open.as_mut()) {
            open.ledger.codes.clone_from(before);
        }
        let opening = matches!(&step, Step::Saving(Next::OpenSession { .. } | Next::LetIn(_) | Next::GiveUp));
        let had_session = self.open.as_ref().is_some_and(|open| open.sessions.any());
        if seals || (opening && !had_session) {
            self.open = None;
        }
        let is_recovered = matches!(&step, Step::Saving(Next::OpenSession { end: ActionEnd::Unlocked { by_kit: Some(_), .. } }));
        let effect = if is_recovered {
            "The vault has its new password, but no session was opened. Unlock it with the new password"
        } else {
            "Nothing was changed"
        };
        out.extend(self.talk(prompt, ticket).fail(&format!("could not be saved: {error}. {effect}"), Advice::Ask, false));
        out
    }
}
