//! Slots whose key needs a share that an HSM or a key server keeps: they are added, and they open the vault. A machine's can need
//! what its TPM sealed besides.
//!
//! Invariant: share and sealed secret are made here, travel between provider and signer alone, no provider sees both, and each is
//! no more than one input of the slot's key; a provider that fails changes nothing.

use strongroom_model::{Advice, Role};
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::provider::{Failure, FromProvider, MESSAGE_LEN_MAX, PATIENCE_S, SHARE_LEN, ToProvider, VAULT_ID_LEN};
use strongroom_signer_api::{Account, Keeping, Kept};
use strongroom_vault::{
    ChangeError, Edit, Factors, KdfParams, Keeper, Machine, Reach, RecordKind, Sealed, SecretBox, SlotHead, SlotKind, SystemEntropy, Vault,
    peek, peek_slots,
};
use zeroize::Zeroizing;

use super::counting::Tried;
use super::factors::raised;
use super::kept_password::Proven;
use super::{Dialogue, PASSWORD_LEN_MIN, Talk};
use crate::arena::Shielded;
use crate::clock::Moment;
use crate::keys::Open;
use crate::signer::{Out, Signer};

/// What the prompt's next message must be, or the provider's.
pub(super) enum Step {
    /// The password of the person whom a slot is for.
    NewPassword(Wish),
    /// A machine has no password.
    NewPin(Wish, Option<Shielded>),
    Password(Purpose, Keeping),
    Pin(Purpose, Keeping, Option<Shielded>),
    /// The present password was right, and so was the share: the next one.
    OtherPassword(Proven),
    /// A provider was wished for; then it is asked.
    Provider(Box<Errand>),
}

/// A slot that is to be added.
pub(super) struct Wish {
    pub(super) label: String,
    /// What a person may do; none named: everything.
    pub(super) roles: Vec<Role>,
    pub(super) keeping: Keeping,
    pub(super) for_service: bool,
}

/// The vault's file, as it is opened by a slot.
pub(super) struct Opening {
    slot: u16,
    /// Nothing: the vault is open, and a session is asked for.
    sealed: Option<(Option<Shielded>, Vec<Vec<u8>>)>,
}

/// What a provider is for.
pub(super) struct Errand {
    /// For a slot that is added: what was asked for, and part by part what was made of it.
    keeping: Keeping,
    /// Which of them is asked now: the TPM first, so that no try of a PIN is spent where the vault could not be opened with it.
    asked: Asked,
    password: Option<Shielded>,
    pin: Shielded,
    vault_id: [u8; VAULT_ID_LEN],
    /// What the TPM is to seal, or what it gave out.
    own: Option<Shielded>,
    purpose: Purpose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Tpm,
    Share,
}

impl Errand {
    fn kept(&self) -> Kept {
        match (&self.keeping.tpm, self.asked) {
            (Some(tpm), Asked::Tpm) => tpm.clone().into(),
            _ => self.keeping.share.clone().into(),
        }
    }
}

pub(super) enum Purpose {
    Add {
        label: String,
        roles: Vec<Role>,
        share: Shielded,
    },
    Open(Opening),
    /// To give it another password.
    Change(u16),
}

impl Purpose {
    /// The slot whose password is derived, and the files that it is in while the vault is sealed.
    fn slot(&self) -> Option<(u16, &[Vec<u8>])> {
        match self {
            Self::Add { .. } => None,
            Self::Open(Opening { slot, sealed }) => Some((*slot, sealed.as_ref().map_or(&[], |(_, files)| files))),
            Self::Change(slot) => Some((*slot, &[])),
        }
    }
}

impl Signer {
    /// The code was right: a slot is to be added.
    pub(super) fn keeper_granted(&mut self, talk: Talk, wish: Wish) -> Vec<Out> {
        if wish.for_service {
            let words = pin_words(&wish.keeping.share);
            return self.ask_keeper(talk, Step::NewPin(wish, None), Field::Pin, &words);
        }
        self.ask_keeper(talk, Step::NewPassword(wish), Field::NewPassword, "Password of the person whom the slot is for")
    }

    /// The one slot that must be meant by an unlocking that names none: no password opens this vault without a share.
    pub(super) fn only_kept_slot(&self, files: &[Vec<u8>]) -> Option<u16> {
        let slots = self.slots_at_hand(files);
        let mut kept = slots.iter().filter(|slot| slot.kind == Some(SlotKind::Hsm)).map(|slot| slot.id);
        let has_plain = slots.iter().any(|slot| slot.kind == Some(SlotKind::PasswordDevice));
        kept.next().filter(|_| !has_plain && kept.next().is_none())
    }

    /// First question of an unlocking by a slot.
    pub(super) fn unlock_with(&mut self, talk: Talk, slot: u16, device: Option<Shielded>, files: Vec<Vec<u8>>) -> Vec<Out> {
        let head = self.slots_at_hand(&files).into_iter().find(|head| head.id == slot);
        let is_service = head.as_ref().is_some_and(|head| head.kind == Some(SlotKind::Service));
        let has_tpm = head.as_ref().is_some_and(|head| head.machine == Some(Machine::Tpm));
        let keeping = match head {
            None => return talk.fail(&format!("the vault has no slot {slot}. Nothing was tried"), Advice::Ask, false),
            Some(head) if head.kind != Some(SlotKind::Hsm) && !is_service => {
                let why = format!("slot {slot} has no share that somebody keeps. Nothing was tried. Unlock without naming a slot");
                return talk.fail(&why, Advice::Ask, false);
            }
            Some(head) => Keeping::decode(&head.provider).filter(|keeping| keeping.is_complete() && keeping.tpm.is_some() == has_tpm),
        };
        let Some(keeping) = keeping else { return talk.fail(&in_words(Failure::Account, NOT_OPENED), Advice::Ask, false) };
        // What a TPM sealed stands in the place of the keychain's secret, which is not even held then.
        let device = device.filter(|_| !has_tpm);
        let is_sealed = self.open.is_none() && !files.is_empty();
        if is_sealed && device.is_none() && !has_tpm {
            return talk.fail(NO_DEVICE_SECRET, Advice::Ask, false);
        }
        let opening = Opening { slot, sealed: is_sealed.then_some((device, files)) };
        if is_service {
            let words = pin_words(&keeping.share);
            return self.ask_keeper(talk, Step::Pin(Purpose::Open(opening), keeping, None), Field::Pin, &words);
        }
        self.ask_keeper(talk, Step::Password(Purpose::Open(opening), keeping), Field::Password, "Password")
    }

    pub(super) fn keeper_answered(&mut self, talk: Talk, step: Step, answer: &[u8], now: Moment) -> Vec<Out> {
        match step {
            Step::NewPassword(..) | Step::OtherPassword(_) if answer.len() < PASSWORD_LEN_MIN => {
                talk.fail("a password has at least 10 bytes; nothing was changed", Advice::Ask, false)
            }
            Step::NewPassword(wish) => {
                let Ok(password) = self.arena.shield(answer) else { return talk.broken() };
                let words = pin_words(&wish.keeping.share);
                self.ask_keeper(talk, Step::NewPin(wish, Some(password)), Field::Pin, &words)
            }
            Step::NewPin(Wish { label, roles, keeping, .. }, password) => {
                let Some(share) = self.make_share() else { return talk.broken() };
                self.want_provider(talk, keeping, password, answer, Purpose::Add { label, roles, share })
            }
            Step::OtherPassword(proven) => self.change_kept(talk, &proven, answer, now),
            Step::Password(purpose, keeping) => {
                let Ok(password) = self.arena.shield(answer) else { return talk.broken() };
                let words = pin_words(&keeping.share);
                let kdf = purpose.slot().map(|(slot, files)| self.kdf_of(slot, files));
                let takes = self.takes(talk, kdf.as_slice());
                let asked = self.ask_keeper(talk, Step::Pin(purpose, keeping, Some(password)), Field::Pin, &words);
                takes.into_iter().chain(asked).collect()
            }
            Step::Pin(purpose, keeping, password) => self.want_provider(talk, keeping, password, answer, purpose),
            Step::Provider(_) => talk.fail("the prompt said something out of order", Advice::Bug, false),
        }
    }

    fn want_provider(&mut self, talk: Talk, keeping: Keeping, password: Option<Shielded>, pin: &[u8], purpose: Purpose) -> Vec<Out> {
        let vault_id = match &purpose {
            Purpose::Open(Opening { sealed: Some((_, files)), .. }) => {
                files.first().and_then(|bytes| peek(bytes).ok()).map(|header| header.vault_id)
            }
            _ => self.open.as_ref().map(|open| *open.vault.id()),
        };
        let (Some(vault_id), Ok(pin)) = (vault_id, self.arena.shield(pin)) else { return talk.broken() };
        let asked = if keeping.tpm.is_some() { Asked::Tpm } else { Asked::Share };
        let own = match (asked, &purpose) {
            (Asked::Tpm, Purpose::Add { .. }) => match self.make_share() {
                Some(own) => Some(own),
                None => return talk.broken(),
            },
            _ => None,
        };
        self.send_for_provider(talk, Box::new(Errand { keeping, asked, password, pin, vault_id, own, purpose }))
    }

    fn send_for_provider(&mut self, talk: Talk, errand: Box<Errand>) -> Vec<Out> {
        self.wait_for_keeper(talk, Step::Provider(errand));
        vec![Out::WantProvider(talk.prompt)]
    }

    /// A provider is there for a dialogue: the request to it. Nothing: the dialogue has ended meanwhile.
    pub fn provider_attached(&mut self, prompt: u64) -> Vec<Out> {
        let errand = self.dialogues.iter().find(|dialogue| dialogue.prompt == prompt).map(|dialogue| &dialogue.step);
        let Some(super::Step::Keeper(Step::Provider(errand))) = errand else { return Vec::new() };
        let mut bytes = Zeroizing::new(Vec::with_capacity(MESSAGE_LEN_MAX));
        let (account, is_tpm) = (errand.kept().encode(), errand.asked == Asked::Tpm);
        let written = self.arena.expose(&errand.pin, |pin| {
            // A TPM is told no PIN of somebody else.
            let pin = if is_tpm { b"" } else { pin };
            match &errand.purpose {
                Purpose::Open(_) | Purpose::Change(_) => ToProvider::Unwrap { vault_id: errand.vault_id, pin, account }.write(&mut bytes),
                Purpose::Add { share, .. } => {
                    let secret = errand.own.as_ref().filter(|_| is_tpm).unwrap_or(share);
                    self.secret(secret)
                        .is_some_and(|share| ToProvider::Wrap { vault_id: errand.vault_id, share: &share, pin, account }.write(&mut bytes))
                }
            }
        });
        if matches!(written, Ok(true)) { vec![Out::Provider(prompt, bytes)] } else { self.provider_failed(prompt, Failure::PinUnfit, None) }
    }

    /// What the provider of a dialogue answered.
    pub fn on_provider(&mut self, prompt: u64, message: &FromProvider<'_>, now: Moment) -> Vec<Out> {
        if let FromProvider::Failed(failure) = message {
            return self.provider_failed(prompt, *failure, Some(now));
        }
        let Some((talk, mut errand)) = self.take_errand(prompt) else { return Vec::new() };
        let asked = errand.kept();
        match (&errand.purpose, message) {
            (Purpose::Add { .. }, FromProvider::Wrapped(done)) => match Kept::decode(done).filter(|done| done.completes(&asked)) {
                Some(Kept::Tpm(done)) => errand.keeping.tpm = Some(done),
                Some(Kept::Share(done)) => errand.keeping.share = done,
                None => return talk.fail("the provider's answer was not understood; nothing was changed", Advice::Bug, false),
            },
            (Purpose::Open(_) | Purpose::Change(_), FromProvider::Share(own)) if errand.asked == Asked::Tpm => {
                match self.arena.shield(*own) {
                    Ok(own) => errand.own = Some(own),
                    Err(_) => return talk.broken(),
                }
            }
            (Purpose::Open(_) | Purpose::Change(_), FromProvider::Share(_)) => {}
            _ => return talk.fail("the provider said something out of order; nothing was changed", Advice::Bug, false),
        }
        if errand.asked == Asked::Tpm {
            errand.asked = Asked::Share;
            return self.send_for_provider(talk, errand);
        }
        let Errand { keeping, password, own, purpose, .. } = *errand;
        let brought = Brought { password, own, keeper: keeper_of(&keeping.share) };
        match (purpose, message) {
            (Purpose::Add { label, roles, share }, _) => self.add_kept(talk, (&label, &roles), &keeping, &brought, &share, now),
            (Purpose::Open(opening), FromProvider::Share(share)) => self.open_kept(talk, opening, &keeping, &brought, share, now),
            (Purpose::Change(slot), FromProvider::Share(share)) => self.prove_kept(talk, slot, keeping, &brought, share, now),
            (Purpose::Open(_) | Purpose::Change(_), _) => talk.broken(),
        }
    }

    /// The provider of a dialogue has ended without an answer, or could not be started.
    pub fn provider_gone(&mut self, prompt: u64) -> Vec<Out> {
        let Some((talk, errand)) = self.take_errand(prompt) else { return Vec::new() };
        let why = format!(
            "the program that speaks with the {} ended, or did not answer within {PATIENCE_S} s. {} Check it, and try again",
            keeper_words(&errand.kept()),
            effect_of(&errand.purpose)
        );
        talk.fail(&why, Advice::Ask, false)
    }

    /// A wrong PIN counts like a wrong password, where there was a slot before; while one is added the token alone knows which is right.
    fn provider_failed(&mut self, prompt: u64, failure: Failure, now: Option<Moment>) -> Vec<Out> {
        let Some((talk, errand)) = self.take_errand(prompt) else { return Vec::new() };
        let is_wrong = failure.is_wrong_pin() && !matches!(errand.purpose, Purpose::Add { .. });
        if let Some(now) = now.filter(|_| is_wrong) {
            self.count_wrong(Tried::Password, now);
        }
        talk.fail(&in_words(failure, effect_of(&errand.purpose)), Advice::Ask, is_wrong)
    }

    fn add_kept(
        &mut self,
        talk: Talk,
        (label, roles): (&str, &[Role]),
        keeping: &Keeping,
        brought: &Brought,
        share: &Shielded,
        now: Moment,
    ) -> Vec<Out> {
        let Some(open) = &self.open else { return talk.fail(SEALED_MEANWHILE, Advice::Ask, false) };
        let Some(share) = self.secret(share) else { return talk.broken() };
        let provider = keeping.encode();
        let kdf = self.kdf_wanted();
        let changed = self.with_factors(brought, open.device.as_ref(), &share, |factors| {
            let slot = Edit::AddSlot { factors, label, kdf, provider: &provider };
            match factors {
                Factors::Service { .. } => Some(with_needs_of_services(open, slot, now)),
                _ => self.added(slot, roles, now),
            }
        });
        self.save_added(talk, changed.flatten(), roles)
    }

    fn open_kept(
        &mut self,
        talk: Talk,
        opening: Opening,
        keeping: &Keeping,
        brought: &Brought,
        share: &[u8; SHARE_LEN],
        now: Moment,
    ) -> Vec<Out> {
        let open_by = |bytes: &[u8], device: Option<&Shielded>| {
            self.with_factors(brought, device, share, |factors| Vault::open_slot(bytes, Some(opening.slot), factors))
        };
        let tried = match (&self.open, &opening.sealed) {
            (Some(open), _) => open_by(open.vault.first_image().bytes(), open.device.as_ref()),
            (None, Some((device, files))) => open_by(files.first().map(Vec::as_slice).unwrap_or_default(), device.as_ref()),
            (None, None) => return talk.fail(SEALED_MEANWHILE, Advice::Ask, false),
        };
        let vault = match tried {
            Some(Ok(vault)) => vault,
            Some(Err(error)) => return self.wrong_factor(talk, Tried::Password, &error, now),
            None => return talk.broken(),
        };
        match (&self.open, opening.sealed) {
            (None, Some((device, files))) => match self.load(vault, device.as_ref(), files.get(1).map(Vec::as_slice), now) {
                Ok(()) => {
                    let changed = self.weaker_than_wanted().and_then(|kdf| {
                        self.with_factors(brought, device.as_ref(), share, |factors| self.stretched(factors, kdf, &keeping.encode(), now))
                            .flatten()
                    });
                    self.let_in_as(talk, changed)
                }
                Err(error) => talk.fail(&error.to_string(), Advice::Ask, false),
            },
            _ => {
                self.session_by(opening.slot);
                self.let_in(talk, None)
            }
        }
    }

    /// Lends a person's factors, or a machine's, which has no password; nothing: what was needed is not there.
    pub(super) fn with_factors<R>(
        &self,
        brought: &Brought,
        device: Option<&Shielded>,
        share: &[u8; SHARE_LEN],
        f: impl FnOnce(Factors<'_>) -> R,
    ) -> Option<R> {
        let Brought { password, own, keeper } = brought;
        let (machine, secret) = match own {
            Some(own) => (Machine::Tpm, self.secret(own)?),
            None => (Machine::Keychain, self.secret(device?)?),
        };
        let keeper = *keeper;
        match password {
            Some(password) => self.arena.expose(password, |password| f(Factors::Shared { password, device: &secret, share, keeper })).ok(),
            None => Some(f(Factors::Service { own: &secret, machine, share, keeper })),
        }
    }

    fn take_errand(&mut self, prompt: u64) -> Option<(Talk, Box<Errand>)> {
        let is_it = |dialogue: &Dialogue| dialogue.prompt == prompt && matches!(dialogue.step, super::Step::Keeper(Step::Provider(_)));
        let at = self.dialogues.iter().position(is_it)?;
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        let super::Step::Keeper(Step::Provider(errand)) = step else { return None };
        Some((self.talk(prompt, ticket), errand))
    }

    fn make_share(&mut self) -> Option<Shielded> {
        let mut share = SecretBox::zeroed(SHARE_LEN);
        share.expose_mut(getrandom::fill).ok()?;
        share.expose(|share| self.arena.shield(share)).ok()
    }

    /// As hard as the vault's own password is to try, and no easier than the policy asks for.
    fn kdf_wanted(&self) -> KdfParams {
        let Some(open) = &self.open else { return KdfParams::default() };
        raised(open.vault.kdf(), open.policy.kdf_floor)
    }

    /// The slots of the open vault, or of the file that waits.
    pub(super) fn slots_at_hand(&self, files: &[Vec<u8>]) -> Vec<SlotHead> {
        match (&self.open, files.first()) {
            (Some(open), _) => open.vault.slots(),
            (None, Some(bytes)) => peek_slots(bytes).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }

    /// How hard a slot's password is to try; of one that is not there, as hard as the first one's. `files`: what it stands in while the
    /// vault is sealed.
    pub(super) fn kdf_of(&self, slot: u16, files: &[Vec<u8>]) -> KdfParams {
        let own = self.slots_at_hand(files).into_iter().find(|head| head.id == slot).and_then(|head| head.kdf);
        own.or_else(|| self.open.as_ref().map(|open| open.vault.kdf())).unwrap_or_default()
    }

    pub(super) fn ask_keeper(&mut self, talk: Talk, step: Step, field: Field, words: &str) -> Vec<Out> {
        self.ask(talk, super::Step::Keeper(step), field, words)
    }

    fn wait_for_keeper(&mut self, talk: Talk, step: Step) {
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: super::Step::Keeper(step) });
    }
}

/// A slot for a machine, with what every machine needs to sign and to write the log: limits, the log's signing key, and the public
/// half of its reading key. Which credentials it opens, the owner says of each.
fn with_needs_of_services(open: &Open, slot: Edit<'_>, now: Moment) -> Result<Sealed, ChangeError> {
    let next = open.vault.next_record_id();
    let read_record = open.record(RecordKind::AuditReadPublic).unwrap_or(next);
    let missing = || ChangeError::Unknown(next);
    let (policy_record, log_record) =
        (open.policy_record().ok_or_else(missing)?, open.record(RecordKind::AuditSigningKey).ok_or_else(missing)?);
    let policy = serde_json::to_vec(&open.own).map_err(|_| ChangeError::Broken)?;
    let with_log_key = |log_key: &[u8]| {
        let give = |id, kind, plaintext| Edit::PutFor { reach: Reach::Services, id, kind, plaintext };
        let edits = [
            slot,
            give(policy_record, RecordKind::Policy, &policy),
            give(log_record, RecordKind::AuditSigningKey, log_key),
            give(read_record, RecordKind::AuditReadPublic, &open.read_public[..]),
        ];
        open.vault.change(&edits, now.wall, &mut SystemEntropy)
    };
    open.vault.with_record(log_record, with_log_key).map_err(|_| ChangeError::Unknown(log_record))?
}

/// What somebody brought besides the share.
pub(super) struct Brought {
    /// A person's.
    password: Option<Shielded>,
    /// What a machine's TPM gave out; nothing: the keychain's secret counts.
    own: Option<Shielded>,
    keeper: Keeper,
}

pub(super) const NOT_CHANGED: &str = "Nothing was changed.";
pub(super) const SEALED_MEANWHILE: &str = "the vault was sealed meanwhile; unlock again";
const NOT_OPENED: &str = "The vault was not opened.";
const NO_DEVICE_SECRET: &str = "the keychain of this computer has no secret for this vault. Nothing was tried. Open it with the recovery kit: \
                                `strongroom vault recover`";

pub(super) fn in_words(failure: Failure, effect: &str) -> String {
    format!("{}. {effect} {}", failure.fact(), failure.action())
}

fn effect_of(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Add { .. } | Purpose::Change(_) => NOT_CHANGED,
        Purpose::Open(_) => NOT_OPENED,
    }
}

pub(super) fn keeper_of(account: &Account) -> Keeper {
    match account {
        Account::Token(_) => Keeper::Pkcs11,
        Account::Transit(_) => Keeper::Transit,
    }
}

fn keeper_words(kept: &Kept) -> &'static str {
    match kept {
        Kept::Share(Account::Token(_)) => "token",
        Kept::Share(Account::Transit(_)) => "key server",
        Kept::Tpm(_) => "TPM",
    }
}

fn pin_words(account: &Account) -> String {
    match account {
        Account::Token(of) => format!("PIN of the token “{}”", of.token),
        Account::Transit(of) => format!("Token for the key server {}", of.address),
    }
}
