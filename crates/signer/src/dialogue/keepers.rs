//! Slots whose key needs a share that an HSM or a key server keeps: they are added, and they open the vault.
//!
//! Invariant: the share is made here, travels between provider and signer alone, and is no more than one input of the slot's
//! key; a provider that fails changes nothing.

use strongroom_model::Advice;
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::provider::{Failure, FromProvider, MESSAGE_LEN_MAX, PATIENCE_S, SHARE_LEN, ToProvider, VAULT_ID_LEN};
use strongroom_signer_api::{Account, ActionEnd};
use strongroom_vault::{
    ChangeError, Edit, Factors, KdfParams, Keeper, OpenError, Reach, RecordKind, Sealed, SecretBox, SlotHead, SlotKind, SystemEntropy,
    Vault, peek, peek_slots,
};
use zeroize::Zeroizing;

use super::factors::raised;
use super::{Dialogue, PASSWORD_LEN_MIN, Talk, Tried};
use crate::arena::Shielded;
use crate::clock::Moment;
use crate::keys::Open;
use crate::signer::{Out, Signer};

/// What the prompt's next message must be, or the provider's.
pub(super) enum Step {
    /// The password of the person whom a slot is for.
    NewPassword(Wish),
    /// The present one was right, and so was the share.
    OtherPassword {
        slot: u16,
        account: Account,
        share: Shielded,
    },
    /// A machine has no password.
    NewPin(Wish, Option<Shielded>),
    Password(Purpose, Account),
    Pin(Purpose, Account, Option<Shielded>),
    /// A provider was wished for; then it is asked.
    Provider(Box<Errand>),
}

/// A slot that is to be added.
pub(super) struct Wish {
    pub(super) label: String,
    pub(super) account: Account,
    pub(super) for_service: bool,
}

/// The vault's file, as it is opened by a slot.
pub(super) struct Opening {
    slot: u16,
    /// Nothing: the vault is open, and a session is asked for.
    sealed: Option<(Shielded, Vec<Vec<u8>>)>,
}

/// What a provider is for.
pub(super) struct Errand {
    account: Account,
    password: Option<Shielded>,
    pin: Shielded,
    vault_id: [u8; VAULT_ID_LEN],
    purpose: Purpose,
}

pub(super) enum Purpose {
    Add {
        label: String,
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
    /// The slot that opened the vault, if its share somebody keeps.
    pub(super) fn opened_by_kept(&self) -> Option<u16> {
        self.open.as_ref()?.vault.opened_by().filter(|head| head.kind == Some(SlotKind::Hsm)).map(|head| head.id)
    }

    /// The code was right: a slot is to have another password.
    pub(super) fn kept_password_granted(&mut self, talk: Talk, slot: u16) -> Vec<Out> {
        let head = self.slots_at_hand(&[]).into_iter().find(|head| head.id == slot && head.kind == Some(SlotKind::Hsm));
        let account = head.and_then(|head| Account::decode(&head.provider)).filter(Account::is_complete);
        let Some(account) = account else { return talk.fail(&in_words(Failure::Account, NOT_CHANGED), Advice::Ask, false) };
        self.ask_keeper(talk, Step::Password(Purpose::Change(slot), account), Field::Password, "Present password")
    }

    /// The code was right: a slot is to be added.
    pub(super) fn keeper_granted(&mut self, talk: Talk, wish: Wish) -> Vec<Out> {
        if wish.for_service {
            let words = pin_words(&wish.account);
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
        let account = match head {
            None => return talk.fail(&format!("the vault has no slot {slot}. Nothing was tried"), Advice::Ask, false),
            Some(head) if head.kind != Some(SlotKind::Hsm) && !is_service => {
                let why = format!("slot {slot} has no share that somebody keeps. Nothing was tried. Unlock without naming a slot");
                return talk.fail(&why, Advice::Ask, false);
            }
            Some(head) => Account::decode(&head.provider).filter(Account::is_complete),
        };
        let Some(account) = account else { return talk.fail(&in_words(Failure::Account, NOT_OPENED), Advice::Ask, false) };
        let opening = Opening { slot, sealed: device.filter(|_| self.open.is_none()).map(|device| (device, files)) };
        if is_service {
            let words = pin_words(&account);
            return self.ask_keeper(talk, Step::Pin(Purpose::Open(opening), account, None), Field::Pin, &words);
        }
        self.ask_keeper(talk, Step::Password(Purpose::Open(opening), account), Field::Password, "Password")
    }

    pub(super) fn keeper_answered(&mut self, talk: Talk, step: Step, answer: &[u8], now: Moment) -> Vec<Out> {
        match step {
            Step::NewPassword(..) | Step::OtherPassword { .. } if answer.len() < PASSWORD_LEN_MIN => {
                talk.fail("a password has at least 10 bytes; nothing was changed", Advice::Ask, false)
            }
            Step::NewPassword(wish) => {
                let Ok(password) = self.arena.shield(answer) else { return talk.broken() };
                let words = pin_words(&wish.account);
                self.ask_keeper(talk, Step::NewPin(wish, Some(password)), Field::Pin, &words)
            }
            Step::NewPin(Wish { label, account, .. }, password) => {
                let Some(share) = self.make_share() else { return talk.broken() };
                self.want_provider(talk, account, password, answer, Purpose::Add { label, share })
            }
            Step::OtherPassword { slot, account, share } => self.change_kept(talk, slot, &account, answer, &share, now),
            Step::Password(purpose, account) => {
                let Ok(password) = self.arena.shield(answer) else { return talk.broken() };
                let words = pin_words(&account);
                let kdf = purpose.slot().map(|(slot, files)| self.kdf_at_hand(slot, files));
                let takes = self.takes(talk, kdf.as_slice());
                let asked = self.ask_keeper(talk, Step::Pin(purpose, account, Some(password)), Field::Pin, &words);
                takes.into_iter().chain(asked).collect()
            }
            Step::Pin(purpose, account, password) => self.want_provider(talk, account, password, answer, purpose),
            Step::Provider(_) => talk.fail("the prompt said something out of order", Advice::Bug, false),
        }
    }

    fn want_provider(&mut self, talk: Talk, account: Account, password: Option<Shielded>, pin: &[u8], purpose: Purpose) -> Vec<Out> {
        let vault_id = match &purpose {
            Purpose::Open(Opening { sealed: Some((_, files)), .. }) => {
                files.first().and_then(|bytes| peek(bytes).ok()).map(|header| header.vault_id)
            }
            _ => self.open.as_ref().map(|open| *open.vault.id()),
        };
        let (Some(vault_id), Ok(pin)) = (vault_id, self.arena.shield(pin)) else { return talk.broken() };
        let errand = Errand { account, password, pin, vault_id, purpose };
        self.wait_for_keeper(talk, Step::Provider(Box::new(errand)));
        vec![Out::WantProvider(talk.prompt)]
    }

    /// A provider is there for a dialogue: the request to it. Nothing: the dialogue has ended meanwhile.
    pub fn provider_attached(&mut self, prompt: u64) -> Vec<Out> {
        let errand = self.dialogues.iter().find(|dialogue| dialogue.prompt == prompt).map(|dialogue| &dialogue.step);
        let Some(super::Step::Keeper(Step::Provider(errand))) = errand else { return Vec::new() };
        let mut bytes = Zeroizing::new(Vec::with_capacity(MESSAGE_LEN_MAX));
        let account = errand.account.encode();
        let written = self.arena.expose(&errand.pin, |pin| match &errand.purpose {
            Purpose::Open(_) | Purpose::Change(_) => {
                ToProvider::Unwrap { vault_id: &errand.vault_id, pin, account: &account }.write(&mut bytes)
            }
            Purpose::Add { share, .. } => self.device(share).is_some_and(|share| {
                ToProvider::Wrap { vault_id: &errand.vault_id, share: &share, pin, account: &account }.write(&mut bytes)
            }),
        });
        if matches!(written, Ok(true)) { vec![Out::Provider(prompt, bytes)] } else { self.provider_failed(prompt, Failure::PinUnfit, None) }
    }

    /// What the provider of a dialogue answered.
    pub fn on_provider(&mut self, prompt: u64, message: &FromProvider<'_>, now: Moment) -> Vec<Out> {
        if let FromProvider::Failed(failure) = message {
            return self.provider_failed(prompt, *failure, Some(now));
        }
        let Some((talk, errand)) = self.take_errand(prompt) else { return Vec::new() };
        let Errand { account, password, purpose, .. } = *errand;
        match (purpose, message) {
            (Purpose::Add { label, share }, FromProvider::Wrapped(done)) => {
                let Some(done) = Account::decode(done).filter(|done| done.completes(&account)) else {
                    return talk.fail("the provider's answer was not understood; nothing was changed", Advice::Bug, false);
                };
                self.add_kept(talk, &label, &done, password.as_ref(), &share, now)
            }
            (Purpose::Open(opening), FromProvider::Share(share)) => self.open_kept(talk, opening, &account, password.as_ref(), share, now),
            (Purpose::Change(slot), FromProvider::Share(share)) => self.prove_kept(talk, slot, account, password.as_ref(), share, now),
            _ => talk.fail("the provider said something out of order; nothing was changed", Advice::Bug, false),
        }
    }

    /// The provider of a dialogue has ended without an answer, or could not be started.
    pub fn provider_gone(&mut self, prompt: u64) -> Vec<Out> {
        let Some((talk, errand)) = self.take_errand(prompt) else { return Vec::new() };
        let why = format!(
            "the program that speaks with the {} ended, or did not answer within {PATIENCE_S} s. {} Check it, and try again",
            keeper_words(&errand.account),
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
        label: &str,
        account: &Account,
        password: Option<&Shielded>,
        share: &Shielded,
        now: Moment,
    ) -> Vec<Out> {
        let Some(open) = &self.open else { return talk.fail(SEALED_MEANWHILE, Advice::Ask, false) };
        let (Some(device), Some(share)) = (self.device(&open.device), self.device(share)) else { return talk.broken() };
        let provider = account.encode();
        let kdf = self.kdf_wanted();
        let changed = self.with_factors(password, &device, &share, keeper_of(account), |factors| {
            let slot = Edit::AddSlot { factors, label, kdf, provider: &provider };
            match factors {
                Factors::Service { .. } => with_needs_of_services(open, slot, now),
                _ => open.vault.change(&[slot], now.wall, &mut SystemEntropy),
            }
        });
        self.save_added(talk, changed)
    }

    fn open_kept(
        &mut self,
        talk: Talk,
        opening: Opening,
        account: &Account,
        password: Option<&Shielded>,
        share: &[u8; SHARE_LEN],
        now: Moment,
    ) -> Vec<Out> {
        let keeper = keeper_of(account);
        let tried = match (&self.open, &opening.sealed) {
            (Some(open), _) => self.try_kept(open.vault.first_image().bytes(), opening.slot, &open.device, password, share, keeper),
            (None, Some((device, files))) => {
                let Some(bytes) = files.first() else { return talk.broken() };
                self.try_kept(bytes, opening.slot, device, password, share, keeper)
            }
            (None, None) => return talk.fail(SEALED_MEANWHILE, Advice::Ask, false),
        };
        let vault = match tried {
            Some(Ok(vault)) => vault,
            Some(Err(error)) => return self.wrong_factor(talk, Tried::Password, &error, now),
            None => return talk.broken(),
        };
        match (&self.open, opening.sealed) {
            (None, Some((device, files))) => match self.load(vault, &device, files.get(1).map(Vec::as_slice), now) {
                Ok(()) => self.let_in_kept(talk, &account.encode(), password, &device, share, keeper, now),
                Err(error) => talk.fail(&error.to_string(), Advice::Ask, false),
            },
            _ => self.let_in(talk, None),
        }
    }

    fn let_in_kept(
        &mut self,
        talk: Talk,
        provider: &[u8],
        password: Option<&Shielded>,
        device: &Shielded,
        share: &[u8; SHARE_LEN],
        keeper: Keeper,
        now: Moment,
    ) -> Vec<Out> {
        let Some(kdf) = self.weaker_than_wanted() else { return self.let_in(talk, None) };
        let Some(device) = self.device(device) else { return talk.broken() };
        let changed = self.with_factors(password, &device, share, keeper, |factors| self.stretched(factors, kdf, provider, now)).flatten();
        self.let_in_as(talk, changed)
    }

    /// Password and share are those of the slot: the next password is asked for.
    fn prove_kept(
        &mut self,
        talk: Talk,
        slot: u16,
        account: Account,
        password: Option<&Shielded>,
        share: &[u8; SHARE_LEN],
        now: Moment,
    ) -> Vec<Out> {
        let Some(open) = &self.open else { return talk.fail(SEALED_MEANWHILE, Advice::Ask, false) };
        let bytes = open.vault.first_image();
        match self.try_kept(bytes.bytes(), slot, &open.device, password, share, keeper_of(&account)) {
            Some(Ok(_)) => {}
            Some(Err(error)) => return self.wrong_factor(talk, Tried::Password, &error, now),
            None => return talk.broken(),
        }
        let Ok(share) = self.arena.shield(share) else { return talk.broken() };
        let takes = self.takes(talk, &[self.kdf_at_hand(slot, &[])]);
        let asked = self.ask_keeper(talk, Step::OtherPassword { slot, account, share }, Field::NewPassword, "New password");
        takes.into_iter().chain(asked).collect()
    }

    fn change_kept(&mut self, talk: Talk, slot: u16, account: &Account, password: &[u8], share: &Shielded, now: Moment) -> Vec<Out> {
        let kdf = self.kdf_at_hand(slot, &[]);
        let Some(open) = &self.open else { return talk.fail(SEALED_MEANWHILE, Advice::Ask, false) };
        let (Some(device), Some(share)) = (self.device(&open.device), self.device(share)) else { return talk.broken() };
        let factors = Factors::Shared { password, device: &device, share: &share, keeper: keeper_of(account) };
        let edit = Edit::ReplaceFactors { slot, factors, kdf, provider: &account.encode() };
        let changed = open.vault.change(&[edit], now.wall, &mut SystemEntropy);
        self.save_change(talk, changed, ActionEnd::PasswordChanged { slot })
    }

    /// How hard a slot's password is to try.
    fn kdf_at_hand(&self, slot: u16, files: &[Vec<u8>]) -> KdfParams {
        self.slots_at_hand(files).into_iter().find(|head| head.id == slot).and_then(|head| head.kdf).unwrap_or_default()
    }

    fn try_kept(
        &self,
        bytes: &[u8],
        slot: u16,
        device: &Shielded,
        password: Option<&Shielded>,
        share: &[u8; SHARE_LEN],
        keeper: Keeper,
    ) -> Option<Result<Vault, OpenError>> {
        let device = self.device(device)?;
        self.with_factors(password, &device, share, keeper, |factors| Vault::open_slot(bytes, Some(slot), factors))
    }

    /// Lends a person's factors, or a machine's, which has no password.
    fn with_factors<R>(
        &self,
        password: Option<&Shielded>,
        device: &[u8; 32],
        share: &[u8; SHARE_LEN],
        keeper: Keeper,
        f: impl FnOnce(Factors<'_>) -> R,
    ) -> Option<R> {
        match password {
            Some(password) => self.arena.expose(password, |password| f(Factors::Shared { password, device, share, keeper })).ok(),
            None => Some(f(Factors::Service { device, share, keeper })),
        }
    }

    fn take_errand(&mut self, prompt: u64) -> Option<(Talk, Box<Errand>)> {
        let is_it = |dialogue: &Dialogue| dialogue.prompt == prompt && matches!(dialogue.step, super::Step::Keeper(Step::Provider(_)));
        let at = self.dialogues.iter().position(is_it)?;
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        let super::Step::Keeper(Step::Provider(errand)) = step else { return None };
        Some((Talk { prompt, ticket }, errand))
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

    fn ask_keeper(&mut self, talk: Talk, step: Step, field: Field, words: &str) -> Vec<Out> {
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
    let policy = serde_json::to_vec(&open.policy).map_err(|_| ChangeError::Broken)?;
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

const NOT_OPENED: &str = "The vault was not opened.";
const NOT_CHANGED: &str = "Nothing was changed.";
const SEALED_MEANWHILE: &str = "the vault was sealed meanwhile; unlock again";

fn in_words(failure: Failure, effect: &str) -> String {
    format!("{}. {effect} {}", failure.fact(), failure.action())
}

fn effect_of(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Add { .. } | Purpose::Change(_) => NOT_CHANGED,
        Purpose::Open(_) => NOT_OPENED,
    }
}

fn keeper_of(account: &Account) -> Keeper {
    match account {
        Account::Token(_) => Keeper::Pkcs11,
        Account::Transit(_) => Keeper::Transit,
    }
}

fn keeper_words(account: &Account) -> &'static str {
    match account {
        Account::Token(_) => "token",
        Account::Transit(_) => "key server",
    }
}

fn pin_words(account: &Account) -> String {
    match account {
        Account::Token(of) => format!("PIN of the token “{}”", of.token),
        Account::Transit(of) => format!("Token for the key server {}", of.address),
    }
}
