//! The signer's side of a prompt: what is asked, in which order, and what comes of it.
//!
//! Invariant: an action takes effect only after its factors were checked here and its new bytes are on disk; a
//! one-time code is stored as used before its answer is told.

use strongroom_guard::{Policy, Role};
use strongroom_model::{Advice, CredentialId, CredentialInfo, Venue};
use strongroom_signer_api::prompt::{Field, FromPrompt, Show, TICKET_LEN, ToPrompt};
use strongroom_signer_api::{Action, ActionEnd, Notice, Refusal, Reply, Sealed};
use strongroom_vault::{ChangeError, Edit, Factors, KdfParams, Kit, NewVault, OpenError, RecordKind, SecretBox, SystemEntropy, Vault};
use strongroom_venues::binance::scheme;
use zeroize::Zeroizing;

use crate::arena::Shielded;
use crate::clock::Moment;
use crate::credential;
use crate::keys::{LOG_KEY_LEN, LoadError, Open};
use crate::otp;
use crate::signer::{After, Listener, Out, PENDING_MAX, Saving, Signer};

/// A ticket is good for two minutes.
const TICKET_MS: u64 = 120_000;
/// Shortest new password in bytes; strength beyond that is the prompt's advice.
const PASSWORD_LEN_MIN: usize = 10;
/// Longest label of a credential.
const LABEL_LEN_MAX: usize = 64;
/// Longest API key name.
const API_KEY_LEN_MAX: usize = 256;
/// The group of the kit that is typed back: the last.
const KIT_GROUP: usize = Kit::GROUPS - 1;
/// Longest wait after wrong passwords: 15 minutes.
const PASSWORD_WAIT_MS_MAX: u64 = 900_000;

/// An action that waits for its prompt.
pub(crate) struct Pending {
    ticket: [u8; TICKET_LEN],
    action: Action,
    device: Option<Shielded>,
    files: Vec<Vec<u8>>,
    since_ms: u64,
}

/// A prompt that is attached.
pub(crate) struct Dialogue {
    prompt: u64,
    ticket: [u8; TICKET_LEN],
    step: Step,
}

/// What the next message of the prompt must be, with what was gathered before.
enum Step {
    Hello,
    CreatePassword(Birth),
    CreateKitShown(Birth, Shielded, Kit),
    CreateKitGroup(Birth, Shielded, Kit),
    CreateUriShown(Birth, Shielded, Kit, SecretBox),
    CreateCode(Birth, Shielded, Kit, SecretBox),
    UnlockPassword {
        device: Option<Shielded>,
        files: Vec<Vec<u8>>,
    },
    RecoverKit {
        device: Shielded,
        files: Vec<Vec<u8>>,
    },
    RecoverPassword {
        device: Shielded,
        vault: Box<Vault>,
        state: Option<Vec<u8>>,
    },
    Code(Grant),
    ImportName(Import),
    ImportSecret(Import, String),
    /// Something is being saved; then this comes.
    Saving(Next),
}

struct Birth {
    vault_id: [u8; 16],
    kdf: KdfParams,
    device: Shielded,
}

/// What a code grants.
enum Grant {
    Import(Import),
    Delete(CredentialId),
    Rearm,
    SetPolicy(Policy),
}

struct Import {
    label: String,
    venue: Venue,
    old: Option<CredentialId>,
}

enum Next {
    Grant(Grant),
    Refuse(String, Advice),
    OpenSession { end: ActionEnd },
    End(ActionEnd),
}

impl Signer {
    /// Checks an action and keeps it for its prompt.
    pub(crate) fn prepare(&mut self, action: Action, tail: &[u8], files: Vec<Vec<u8>>, now: Moment) -> Result<Reply, Refusal> {
        let words = self.words(&action, now)?;
        if matches!(action, Action::Unlock | Action::Recover) && now.mono_ms < self.password_not_before_ms {
            return Err(Refusal::Wait { wait_s: (self.password_not_before_ms - now.mono_ms).div_ceil(1_000) });
        }
        let device = match <&[u8; 32]>::try_from(tail) {
            Ok(device) => Some(self.arena.shield(device).map_err(|error| Refusal::State(error.to_string()))?),
            Err(_) if tail.is_empty() => None,
            Err(_) => return Err(Refusal::NotUnderstood),
        };
        self.pending.retain(|pending| now.mono_ms.saturating_sub(pending.since_ms) < TICKET_MS);
        if self.pending.len() >= PENDING_MAX {
            return Err(Refusal::Busy);
        }
        let mut ticket = [0; TICKET_LEN];
        getrandom::fill(&mut ticket).map_err(|_| Refusal::State("the system gave no randomness".to_owned()))?;
        self.pending.push(Pending { ticket, action, device, files, since_ms: now.mono_ms });
        Ok(Reply::Prepared { ticket: ticket.to_vec(), words })
    }

    /// The action in words, if it can be done in this state by this session.
    fn words(&mut self, action: &Action, now: Moment) -> Result<String, Refusal> {
        let state = |text: &str| Err(Refusal::State(text.to_owned()));
        let needed = match action {
            Action::CreateVault { vault_id, kdf_memory_kib, kdf_passes } => {
                if self.open.is_some() {
                    return state("a vault is open; seal it first");
                }
                let kdf = KdfParams { memory_kib: *kdf_memory_kib, passes: *kdf_passes, lanes: KdfParams::FLOOR.lanes };
                if vault_id.len() != 16 || !kdf.is_within_bounds() {
                    return state("the key derivation is outside of what vaults may use (64 MiB and 3 passes at least)");
                }
                return Ok("Create a vault".to_owned());
            }
            Action::Unlock => return Ok("Unlock the vault".to_owned()),
            Action::Recover if self.open.is_some() => return state("the vault is open; the recovery kit is not needed"),
            Action::Recover => return Ok("Open the vault with the recovery kit and set a new password".to_owned()),
            Action::Import { .. } | Action::Rotate { .. } | Action::Delete { .. } => Role::KeyAdmin,
            Action::Rearm | Action::SetPolicy(_) => Role::Risk,
        };
        let frozen = self.freeze.is_some();
        let Some(open) = self.open.as_mut() else { return Err(Refusal::Guard(strongroom_guard::Reason::Sealed)) };
        let session = open.session_at(now.mono_ms).map_err(|end| Refusal::Guard(strongroom_guard::Reason::Session { end }))?;
        if !session.roles.contains(&needed) {
            return Err(Refusal::Guard(strongroom_guard::Reason::Role { needed: format!("{needed:?}") }));
        }
        let label = |id: &CredentialId| {
            open.credential(Some(*id), Venue::Binance).map(|found| found.info.label.clone()).ok_or(Refusal::NoCredential)
        };
        match action {
            Action::Import { label, .. } if label.is_empty() || label.len() > LABEL_LEN_MAX || label.chars().any(char::is_control) => {
                state("a label has 1 to 64 bytes without control characters")
            }
            Action::Import { label, venue } => Ok(format!("Import a key for {venue} as “{label}”")),
            Action::Rotate { old } => Ok(format!("Replace the key “{}” by a new one", label(old)?)),
            Action::Delete { id } => Ok(format!("Delete the key “{}” from the vault", label(id)?)),
            Action::Rearm if !frozen => state("the kill switch is not engaged"),
            Action::Rearm => Ok("Re-arm: allow orders again".to_owned()),
            Action::SetPolicy(policy) => match policy.validate() {
                Err(error) => Err(Refusal::State(error.to_string())),
                Ok(()) if open.policy.is_raised_by(policy) => Ok("Raise the limits on orders".to_owned()),
                Ok(()) => Ok("Lower the limits on orders".to_owned()),
            },
            Action::CreateVault { .. } | Action::Unlock | Action::Recover => Err(Refusal::NotUnderstood),
        }
    }

    /// A prompt is attached; it has to say which action it is for.
    pub fn prompt_attached(&mut self, prompt: u64) {
        self.dialogues.push(Dialogue { prompt, ticket: [0; TICKET_LEN], step: Step::Hello });
    }

    /// A prompt is gone. What it was for and was not decided yet is dropped.
    pub fn prompt_gone(&mut self, prompt: u64) -> Vec<Out> {
        let Some(at) = self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt) else { return Vec::new() };
        if matches!(self.dialogues[at].step, Step::Saving(_)) {
            // Factors were given and bytes are on their way to the disk: it runs to its end without a listener.
            return Vec::new();
        }
        let dialogue = self.dialogues.remove(at);
        if matches!(dialogue.step, Step::Hello) {
            return Vec::new();
        }
        vec![ended(&dialogue.ticket, failed("the prompt was closed", Advice::Ask, false))]
    }

    /// One message of a prompt.
    pub fn on_prompt(&mut self, prompt: u64, message: &FromPrompt<'_>, now: Moment) -> Vec<Out> {
        let Some(at) = self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt) else {
            return vec![Out::ClosePrompt(prompt)];
        };
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        let talk = Talk { prompt, ticket };
        match (step, message) {
            (Step::Hello, FromPrompt::Hello(ticket)) => self.begin(Talk { prompt, ticket: *ticket }, now),
            (step @ Step::Saving(_), _) => {
                self.dialogues.push(Dialogue { prompt, ticket, step });
                Vec::new()
            }
            (_, FromPrompt::Cancel) => talk.fail("given up; nothing was changed", Advice::Ask, false),
            (step, FromPrompt::Answer(answer)) => self.answered(talk, step, answer, now),
            (Step::CreateKitShown(birth, password, kit), FromPrompt::Shown) => {
                let words = format!("Type group {} of the kit, the last one", KIT_GROUP + 1);
                self.ask(talk, Step::CreateKitGroup(birth, password, kit), Field::KitGroup, &words)
            }
            (Step::CreateUriShown(birth, password, kit, seed), FromPrompt::Shown) => {
                self.ask(talk, Step::CreateCode(birth, password, kit, seed), Field::Totp, "Code that the authenticator shows now")
            }
            _ => talk.fail("the prompt said something out of order", Advice::Bug, false),
        }
    }

    fn ask(&mut self, talk: Talk, step: Step, field: Field, words: &str) -> Vec<Out> {
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step });
        vec![talk.say(&ToPrompt::Ask(field, words.as_bytes()))]
    }

    fn begin(&mut self, talk: Talk, now: Moment) -> Vec<Out> {
        let found = self.pending.iter().position(|pending| pending.ticket == talk.ticket);
        let Some(pending) = found.map(|at| self.pending.remove(at)) else {
            return vec![
                talk.say(&ToPrompt::End(false, b"this prompt was opened for nothing that is waiting")),
                Out::ClosePrompt(talk.prompt),
            ];
        };
        if now.mono_ms.saturating_sub(pending.since_ms) >= TICKET_MS {
            return talk.fail("this took too long; start again", Advice::Ask, false);
        }
        let words = match self.words(&pending.action, now) {
            Ok(words) => words,
            Err(refusal) => return talk.fail(&refusal.to_string(), refusal.advice(), false),
        };
        let (action, device, files) = (pending.action, pending.device, pending.files);
        let code = |signer: &mut Self, grant| signer.ask(talk, Step::Code(grant), Field::Totp, &format!("{words}. Code"));
        match (action, device) {
            (Action::CreateVault { vault_id, kdf_memory_kib, kdf_passes }, Some(device)) => {
                let Ok(vault_id) = vault_id.try_into() else { return talk.fail("no vault id", Advice::Bug, false) };
                let kdf = KdfParams { memory_kib: kdf_memory_kib, passes: kdf_passes, lanes: KdfParams::FLOOR.lanes };
                self.ask(talk, Step::CreatePassword(Birth { vault_id, kdf, device }), Field::NewPassword, "New password for the vault")
            }
            (Action::Unlock, device) => self.ask(talk, Step::UnlockPassword { device, files }, Field::Password, "Password"),
            (Action::Recover, Some(device)) => self.ask(talk, Step::RecoverKit { device, files }, Field::Kit, "Recovery kit, all groups"),
            (Action::CreateVault { .. } | Action::Recover, None) => talk.fail("the device secret is missing", Advice::Bug, false),
            (Action::Import { label, venue }, _) => code(self, Grant::Import(Import { label, venue, old: None })),
            (Action::Rotate { old }, _) => {
                let label =
                    self.open.as_ref().and_then(|open| open.credential(Some(old), Venue::Binance)).map(|found| found.info.label.clone());
                let Some(label) = label else { return talk.fail(&Refusal::NoCredential.to_string(), Advice::Ask, false) };
                code(self, Grant::Import(Import { label, venue: Venue::Binance, old: Some(old) }))
            }
            (Action::Delete { id }, _) => code(self, Grant::Delete(id)),
            (Action::Rearm, _) => code(self, Grant::Rearm),
            (Action::SetPolicy(policy), _) => {
                if self.open.as_ref().is_some_and(|open| open.policy.is_raised_by(&policy)) {
                    code(self, Grant::SetPolicy(policy))
                } else {
                    self.granted(talk, Grant::SetPolicy(policy), now)
                }
            }
        }
    }

    fn answered(&mut self, talk: Talk, step: Step, answer: &[u8], now: Moment) -> Vec<Out> {
        match step {
            Step::CreatePassword(birth) => {
                if answer.len() < PASSWORD_LEN_MIN {
                    return talk.fail("a password has at least 10 bytes; nothing was created", Advice::Ask, false);
                }
                let (Ok(password), Ok(kit)) = (self.arena.shield(answer), Kit::make(&mut SystemEntropy)) else { return talk.broken() };
                let show = kit.with_text(|text| talk.say(&ToPrompt::Show(Show::Kit, text.as_bytes())));
                self.dialogues.push(Dialogue {
                    prompt: talk.prompt,
                    ticket: talk.ticket,
                    step: Step::CreateKitShown(birth, password, kit),
                });
                vec![show]
            }
            Step::CreateKitGroup(birth, password, kit) => {
                if !kit.has_group(KIT_GROUP, answer) {
                    return talk.fail(
                        "that is not the last group of the kit; nothing was created. Start again and write the kit down",
                        Advice::Ask,
                        false,
                    );
                }
                let Ok(seed) = otp::make_seed() else { return talk.broken() };
                let Some(uri) = seed.expose(|seed| otp::uri(seed, "vault")) else { return talk.broken() };
                let show = talk.say(&ToPrompt::Show(Show::OtpUri, uri.as_bytes()));
                self.dialogues.push(Dialogue {
                    prompt: talk.prompt,
                    ticket: talk.ticket,
                    step: Step::CreateUriShown(birth, password, kit, seed),
                });
                vec![show]
            }
            Step::CreateCode(birth, password, kit, seed) => self.create(talk, &birth, &password, &kit, &seed, answer, now),
            Step::UnlockPassword { device, files } => self.unlock(talk, device, &files, answer, now),
            Step::RecoverKit { device, files } => self.recover(talk, device, &files, answer, now),
            Step::RecoverPassword { device, vault, state } => self.recovered(talk, &device, *vault, state.as_deref(), answer, now),
            Step::Code(grant) => self.code(talk, grant, answer, now),
            Step::ImportName(import) => {
                let name = answer.trim_ascii();
                let fits = (1..=API_KEY_LEN_MAX).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
                let Some(name) = fits.then(|| String::from_utf8_lossy(name).into_owned()) else {
                    return talk.fail("an API key has 1 to 256 characters without blanks; nothing was stored", Advice::Ask, false);
                };
                let words = "API secret (HMAC), or private key (Ed25519, PEM)";
                self.ask(talk, Step::ImportSecret(import, name), Field::ApiSecret, words)
            }
            Step::ImportSecret(import, name) => self.import(talk, import, name, answer, now),
            _ => talk.fail("the prompt said something out of order", Advice::Bug, false),
        }
    }

    fn create(
        &mut self,
        talk: Talk,
        birth: &Birth,
        password: &Shielded,
        kit: &Kit,
        seed: &SecretBox,
        code: &[u8],
        now: Moment,
    ) -> Vec<Out> {
        let state = strongroom_guard::TotpState::default();
        let (totp, verdict) = state.attempt(code, now.wall_s(), |step| seed.expose(|seed| otp::is_code_of(seed, code, step)));
        if let Err(refusal) = verdict {
            return talk.fail(&format!("{refusal}; nothing was created"), refusal.advice(), false);
        }
        let mut log_key = SecretBox::zeroed(LOG_KEY_LEN);
        if log_key.expose_mut(getrandom::fill).is_err() {
            return talk.broken();
        }
        let Ok(policy) = serde_json::to_vec(&Policy::initial()) else { return talk.broken() };
        let spec = NewVault { vault_id: birth.vault_id, kdf: birth.kdf, at: now.wall };
        let Some(device) = self.device(&birth.device) else { return talk.broken() };
        let mut vault = match self.arena.expose(password, |password| Vault::create(spec, password, &device, kit, &mut SystemEntropy)) {
            Ok(Ok(vault)) => vault,
            Ok(Err(error)) => return talk.fail(&error.to_string(), error.advice(), false),
            Err(_) => return talk.broken(),
        };
        let first = vault.next_record_id();
        let sealed = seed.expose(|seed| {
            log_key.expose(|log_key| {
                let edits = [
                    Edit::Put { id: first, kind: RecordKind::Policy, plaintext: &policy },
                    Edit::Put { id: first + 1, kind: RecordKind::TotpSeed, plaintext: seed },
                    Edit::Put { id: first + 2, kind: RecordKind::AuditSigningKey, plaintext: log_key },
                ];
                vault.change(&edits, now.wall, &mut SystemEntropy)
            })
        });
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(error) => return talk.fail(&error.to_string(), error.advice(), false),
        };
        let (generation, mac, bytes) = (sealed.generation(), sealed.mac().to_vec(), sealed.bytes().to_vec());
        if vault.commit(sealed).is_err() {
            return talk.broken();
        }
        let Ok(mut open) = Open::load(vault, &device, None, &mut self.arena) else { return talk.broken() };
        open.ledger.totp = totp;
        let end = ActionEnd::VaultCreated { log_key: open.log_public.to_vec(), read_key: open.read_public.to_vec() };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(Next::OpenSession { end }) });
        self.saving.push(Saving { what: Sealed::Vault, generation, then: After::FirstVault { open: Box::new(open), prompt: talk.prompt } });
        vec![Out::Notice(Notice::Save { what: Sealed::Vault, generation, mac, by_kit: false }, Some(bytes))]
    }

    fn unlock(&mut self, talk: Talk, device: Option<Shielded>, files: &[Vec<u8>], password: &[u8], now: Moment) -> Vec<Out> {
        if let Some(open) = &self.open {
            let checked = self.device(&open.device).map(|device| open.vault.check_password(password, &device));
            return match checked {
                Some(Ok(())) => self.let_in(talk, false),
                Some(Err(error)) => self.wrong_factor(talk, &error, now),
                None => talk.broken(),
            };
        }
        let (Some(device), Some(bytes)) = (device, files.first()) else {
            return talk.fail("there is no vault to unlock", Advice::Ask, false);
        };
        let Some(secret) = self.device(&device) else { return talk.broken() };
        match Vault::open(bytes, Factors::Password { password, device: &secret }) {
            Ok(vault) => self.take_into_use(talk, vault, &device, files.get(1).map(Vec::as_slice), now, false),
            Err(error) => self.wrong_factor(talk, &error, now),
        }
    }

    fn recover(&mut self, talk: Talk, device: Shielded, files: &[Vec<u8>], typed: &[u8], now: Moment) -> Vec<Out> {
        let kit = match Kit::parse(typed) {
            Ok(kit) => kit,
            Err(error) => return talk.fail(&error.to_string(), error.advice(), true),
        };
        let Some(bytes) = files.first() else { return talk.fail("there is no vault to open", Advice::Ask, false) };
        match Vault::open(bytes, Factors::Kit(&kit)) {
            Ok(vault) => {
                let step = Step::RecoverPassword { device, vault: Box::new(vault), state: files.get(1).cloned() };
                self.ask(talk, step, Field::NewPassword, "New password for the vault")
            }
            Err(error) => self.wrong_factor(talk, &error, now),
        }
    }

    fn recovered(&mut self, talk: Talk, device: &Shielded, vault: Vault, state: Option<&[u8]>, password: &[u8], now: Moment) -> Vec<Out> {
        if password.len() < PASSWORD_LEN_MIN {
            return talk.fail("a password has at least 10 bytes; nothing was changed", Advice::Ask, false);
        }
        let kdf = vault.kdf();
        let Some(secret) = self.device(device) else { return talk.broken() };
        let edit = Edit::ReplacePassword { password, device: &secret, kdf };
        let sealed = match vault.change(&[edit], now.wall, &mut SystemEntropy) {
            Ok(sealed) => sealed,
            Err(error) => return talk.fail(&error.to_string(), error.advice(), false),
        };
        match self.load(vault, device, state, now) {
            Ok(()) => self.save_vault(talk, sealed, None),
            Err(error) => talk.fail(&error.to_string(), Advice::Ask, false),
        }
    }

    fn load(&mut self, vault: Vault, device: &Shielded, state: Option<&[u8]>, now: Moment) -> Result<(), LoadError> {
        let device = self.device(device).ok_or(crate::arena::Unshieldable)?;
        let mut open = Open::load(vault, &device, state, &mut self.arena)?;
        if state.is_none() {
            // The state file is gone: no code that could have been used before is accepted again.
            open.ledger.totp.last_step = now.wall_s() / strongroom_guard::STEP_S + 1;
        }
        if self.freeze.is_none() {
            self.freeze.clone_from(&open.ledger.freeze);
        }
        self.open = Some(open);
        Ok(())
    }

    fn take_into_use(&mut self, talk: Talk, vault: Vault, device: &Shielded, state: Option<&[u8]>, now: Moment, by_kit: bool) -> Vec<Out> {
        match self.load(vault, device, state, now) {
            Ok(()) => self.let_in(talk, by_kit),
            Err(error) => talk.fail(&error.to_string(), Advice::Ask, false),
        }
    }

    /// The factors were right: saves the ledger, then opens the session.
    fn let_in(&mut self, talk: Talk, by_kit: bool) -> Vec<Out> {
        self.password_failures = 0;
        self.password_not_before_ms = 0;
        let Some(open) = self.open.as_mut() else { return talk.broken() };
        open.ledger.totp = open.ledger.totp.after_password();
        open.ledger.freeze.clone_from(&self.freeze);
        open.ledger.reserved = open.count.wants().unwrap_or(open.ledger.reserved);
        let (log_key, read_key) = (open.log_public.to_vec(), open.read_public.to_vec());
        let end = ActionEnd::Unlocked { signatures: open.count.made(), by_kit, log_key, read_key };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(Next::OpenSession { end }) });
        self.save_ledger(Some(talk.prompt))
    }

    fn wrong_factor(&mut self, talk: Talk, error: &OpenError, now: Moment) -> Vec<Out> {
        let wrong = matches!(error, OpenError::WrongFactors);
        if wrong {
            self.password_failures = self.password_failures.saturating_add(1);
            let wait_ms = (1_000_u64 << (self.password_failures - 1).min(16)).min(PASSWORD_WAIT_MS_MAX);
            self.password_not_before_ms = now.mono_ms + wait_ms;
        }
        talk.fail(&error.to_string(), error.advice(), wrong)
    }

    fn code(&mut self, talk: Talk, grant: Grant, code: &[u8], now: Moment) -> Vec<Out> {
        let Some(open) = self.open.as_mut() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        let code = code.strip_suffix(b"\n").unwrap_or(code);
        let arena = &self.arena;
        let matches = |step| arena.expose(&open.totp_seed, |seed| otp::is_code_of(seed, code, step)).unwrap_or(false);
        let (totp, verdict) = open.ledger.totp.attempt(code, now.wall_s(), matches);
        open.ledger.totp = totp;
        let next = match verdict {
            Ok(()) => {
                if matches!(grant, Grant::Rearm) {
                    open.ledger.freeze = None;
                }
                Next::Grant(grant)
            }
            Err(refusal) => Next::Refuse(refusal.to_string(), refusal.advice()),
        };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(next) });
        self.save_ledger(Some(talk.prompt))
    }

    fn granted(&mut self, talk: Talk, grant: Grant, now: Moment) -> Vec<Out> {
        let Some(open) = self.open.as_ref() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        match grant {
            Grant::Rearm => {
                self.freeze = None;
                talk.end("Re-armed. Orders are allowed again.", ActionEnd::Rearmed)
            }
            Grant::Import(import) => self.ask(talk, Step::ImportName(import), Field::ApiKey, "API key"),
            Grant::Delete(id) => {
                let Some(info) = open.credential(Some(id), Venue::Binance).map(|found| found.info.clone()) else {
                    return talk.fail(&Refusal::NoCredential.to_string(), Advice::Ask, false);
                };
                let changed = open.vault.change(&[Edit::Remove { id: id.0 }], now.wall, &mut SystemEntropy);
                self.save_change(talk, changed, ActionEnd::Deleted(info))
            }
            Grant::SetPolicy(policy) => {
                let (Some(id), Ok(plaintext)) = (open.policy_record(), serde_json::to_vec(&policy)) else { return talk.broken() };
                let edit = Edit::Put { id, kind: RecordKind::Policy, plaintext: &plaintext };
                let changed = open.vault.change(&[edit], now.wall, &mut SystemEntropy);
                self.save_change(talk, changed, ActionEnd::PolicySet(policy))
            }
        }
    }

    fn import(&mut self, talk: Talk, import: Import, api_key: String, pasted: &[u8], now: Moment) -> Vec<Out> {
        let Some(open) = self.open.as_ref() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        let duplicate = open.credentials.iter().any(|known| known.info.venue == import.venue && known.info.api_key == api_key);
        if duplicate {
            return talk.fail("this API key is in the vault already; nothing was stored", Advice::Refuse, false);
        }
        let scheme = scheme::recognise(pasted);
        let secret = match scheme::import_secret(scheme, pasted) {
            Ok(secret) => secret,
            Err(error) => return talk.fail(&format!("{error}; nothing was stored"), error.advice(), false),
        };
        // The first key of a venue is used at once; a rotated-in one after its test; a further one replaces none.
        let active = import.old.is_none() && !open.credentials.iter().any(|known| known.info.active && known.info.venue == import.venue);
        let id = open.vault.next_record_id();
        let info =
            CredentialInfo { id: CredentialId(id), label: import.label, venue: import.venue, scheme, api_key, created: now.wall, active };
        let Some(record) = credential::record(&info, &secret) else { return talk.broken() };
        let changed = record.expose(|plaintext| {
            open.vault.change(&[Edit::Put { id, kind: RecordKind::Credential, plaintext }], now.wall, &mut SystemEntropy)
        });
        let end = match import.old {
            None => ActionEnd::Imported(info),
            Some(old) => {
                self.rotating = Some((old, info.id));
                ActionEnd::RotationBegun { old, new: info }
            }
        };
        self.save_change(talk, changed, end)
    }

    /// Ends a rotation: the new key takes over, or is dropped.
    /// Answers the desk's request `id` when the change is on disk.
    pub(crate) fn finish_rotation(&mut self, id: u64, new: CredentialId, passed: bool, now: Moment) -> Result<Vec<Out>, Refusal> {
        let Some((old, _)) = self.rotating.filter(|(_, begun)| *begun == new) else {
            return Err(Refusal::State("no rotation to this key was begun".to_owned()));
        };
        if self.is_saving(Sealed::Vault) {
            return Err(Refusal::Busy);
        }
        let open = self.opened()?;
        let changed = if passed {
            let found = open.credential(Some(new), Venue::Binance).ok_or(Refusal::NoCredential)?;
            let info = CredentialInfo { active: true, ..found.info.clone() };
            let record = self.arena.expose(&found.secret, |secret| credential::record(&info, secret));
            let record = record.ok().flatten().ok_or_else(|| Refusal::State("the new key cannot be used".to_owned()))?;
            record.expose(|plaintext| {
                let edits = [Edit::Put { id: new.0, kind: RecordKind::Credential, plaintext }, Edit::Remove { id: old.0 }];
                open.vault.change(&edits, now.wall, &mut SystemEntropy)
            })
        } else {
            open.vault.change(&[Edit::Remove { id: new.0 }], now.wall, &mut SystemEntropy)
        };
        let sealed = changed.map_err(|error| Refusal::State(error.to_string()))?;
        self.rotating = None;
        Ok(self.hand_out(sealed, Listener::Desk(id), false))
    }

    fn save_change(&mut self, talk: Talk, changed: Result<strongroom_vault::Sealed, ChangeError>, end: ActionEnd) -> Vec<Out> {
        match changed {
            Ok(sealed) => self.save_vault(talk, sealed, Some(end)),
            Err(error) => talk.fail(&error.to_string(), error.advice(), false),
        }
    }

    /// Saves the vault for a prompt; `None`: then goes on to open the session.
    fn save_vault(&mut self, talk: Talk, sealed: strongroom_vault::Sealed, end: Option<ActionEnd>) -> Vec<Out> {
        if self.is_saving(Sealed::Vault) {
            return talk.fail("another change is being saved; nothing was changed. Try again", Advice::RetryAfter(500), false);
        }
        let by_kit = end.is_none();
        let next = match end {
            Some(end) => Next::End(end),
            None => Next::Refuse(String::new(), Advice::Bug),
        };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(next) });
        self.hand_out(sealed, Listener::Prompt(talk.prompt), by_kit)
    }

    fn hand_out(&mut self, sealed: strongroom_vault::Sealed, listener: Listener, by_kit: bool) -> Vec<Out> {
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
                    open.ledger.reserved = open.count.wants().unwrap_or_default();
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
                    Listener::Prompt(prompt) => self.vault_saved(prompt, now),
                }
            }
            After::Ledger { reserved, prompt } => {
                if let Some(open) = self.open.as_mut() {
                    open.count.saved(reserved);
                }
                prompt.map(|prompt| self.finish(prompt, now, None)).unwrap_or_default()
            }
        }
    }

    fn vault_saved(&mut self, prompt: u64, now: Moment) -> Vec<Out> {
        let recovering = self.dialogues.iter().position(|dialogue| {
            dialogue.prompt == prompt && matches!(&dialogue.step, Step::Saving(Next::Refuse(why, _)) if why.is_empty())
        });
        match recovering {
            Some(at) => {
                let dialogue = self.dialogues.remove(at);
                self.let_in(Talk { prompt, ticket: dialogue.ticket }, true)
            }
            None => self.finish(prompt, now, None),
        }
    }

    /// A dialogue whose save is done goes on; `trouble`: or ends.
    fn finish(&mut self, prompt: u64, now: Moment, trouble: Option<&str>) -> Vec<Out> {
        let Some(at) = self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt) else { return Vec::new() };
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        let talk = Talk { prompt, ticket };
        let Step::Saving(next) = step else { return talk.fail("a save that nobody asked for", Advice::Bug, false) };
        if let Some(trouble) = trouble {
            return talk.fail(trouble, Advice::Ask, false);
        }
        match next {
            Next::Grant(grant) => self.granted(talk, grant, now),
            Next::Refuse(why, advice) => talk.fail(&why, advice, true),
            Next::OpenSession { end } => {
                if let Some(open) = self.open.as_mut() {
                    open.open_session(now.mono_ms);
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
                    ActionEnd::RotationBegun { .. } => "Stored; the new key is tested now.",
                    ActionEnd::Deleted(_) => "Deleted from the vault. It stays valid at the venue until you revoke it there.",
                    _ => "Done.",
                };
                talk.end(words, end)
            }
        }
    }

    /// The desk could not save: nothing takes effect.
    pub(crate) fn save_failed(&mut self, then: After, error: &str) -> Vec<Out> {
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
            open.ledger.freeze.clone_from(&self.freeze);
        }
        let Some(prompt) = prompt else { return Vec::new() };
        let Some(at) = self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt) else { return Vec::new() };
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        let opening = matches!(&step, Step::Saving(Next::OpenSession { .. }))
            || matches!(&step, Step::Saving(Next::Refuse(why, _)) if why.is_empty());
        let had_session = self.open.as_ref().is_some_and(|open| open.session.is_ok());
        if seals || (opening && !had_session) {
            self.open = None;
        }
        Talk { prompt, ticket }.fail(&format!("could not be saved: {error}. Nothing was changed"), Advice::Ask, false)
    }

    /// The device secret for one use; wiped after it.
    fn device(&self, device: &Shielded) -> Option<Zeroizing<[u8; 32]>> {
        self.arena.expose(device, |bytes| <[u8; 32]>::try_from(bytes).ok().map(Zeroizing::new)).ok().flatten()
    }
}

/// The prompt that is being spoken to.
#[derive(Clone, Copy)]
struct Talk {
    prompt: u64,
    ticket: [u8; TICKET_LEN],
}

impl Talk {
    fn say(&self, message: &ToPrompt<'_>) -> Out {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1_024));
        message.write(&mut bytes);
        Out::Prompt(self.prompt, bytes)
    }

    fn fail(&self, why: &str, advice: Advice, wrong_factor: bool) -> Vec<Out> {
        vec![
            self.say(&ToPrompt::End(false, why.as_bytes())),
            Out::ClosePrompt(self.prompt),
            ended(&self.ticket, failed(why, advice, wrong_factor)),
        ]
    }

    fn broken(&self) -> Vec<Out> {
        self.fail("the signer could not do this; nothing was changed", Advice::Bug, false)
    }

    fn end(&self, words: &str, end: ActionEnd) -> Vec<Out> {
        vec![self.say(&ToPrompt::End(true, words.as_bytes())), Out::ClosePrompt(self.prompt), ended(&self.ticket, end)]
    }
}

fn failed(why: &str, advice: Advice, wrong_factor: bool) -> ActionEnd {
    ActionEnd::Failed { why: why.to_owned(), advice, wrong_factor }
}

fn ended(ticket: &[u8; TICKET_LEN], end: ActionEnd) -> Out {
    Out::Notice(Notice::Ended { ticket: ticket.to_vec(), end }, None)
}
