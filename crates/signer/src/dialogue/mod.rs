//! The signer's side of a prompt: what is asked, in which order, and what comes of it.
//!
//! Invariant: an action takes effect only after its factors were checked here and its new bytes are on disk; a
//! one-time code is stored as used before its answer is told.

mod about;
mod change;
mod codes;
mod counting;
mod credentials;
mod export;
mod factors;
mod giving_up;
mod grants;
mod keepers;
mod kept_password;
mod phone;
mod shown;
mod talk;
mod ways;
mod words;

use strongroom_guard::{Permission, Proof};
use strongroom_model::{Advice, SlotFor, Timestamp, Venue};
use strongroom_signer_api::prompt::{Field, FromPrompt, Show, TICKET_LEN, ToPrompt};
use strongroom_signer_api::{Action, ActionEnd, DoorId, GIVEN_UP, Keeping, KitOpening, Refusal, Reply};
use strongroom_vault::{KdfParams, Kit, SecretBox, SystemEntropy, Vault, peek};

use self::counting::{Counting, tried, tried_first};
use self::credentials::is_api_key;
use self::grants::{Generate, Grant, Import};
use self::shown::Shown;
use self::talk::{Talk, ended, failed};
use crate::arena::Shielded;
use crate::clock::Moment;
use crate::otp;
use crate::signer::{Out, PENDING_MAX, Signer};

/// A ticket is good for two minutes.
const TICKET_MS: u64 = 120_000;
/// A code is given, and saved, within this of the prompt's beginning.
const ANSWERS_MS: u64 = 300_000;
/// Shortest new password in bytes; strength beyond that is the prompt's advice.
const PASSWORD_LEN_MIN: usize = 10;
/// Longest label of a credential.
const LABEL_LEN_MAX: usize = 64;
/// Longest API key name.
const API_KEY_LEN_MAX: usize = 256;
/// Longest host and port.
const HOST_LEN_MAX: usize = 260;
/// Length of a SHA-256 in base64.
const FINGERPRINT_LEN: usize = 44;
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
    asked: Timestamp,
    /// Where it was asked for.
    door: DoorId,
}

/// What a prompt began with; looked at again when its code is given, and when that is saved.
pub(crate) struct Begun {
    prompt: u64,
    door: DoorId,
    /// The slot by which the session there was opened.
    by: Option<u16>,
    since_ms: u64,
    permission: Permission,
    /// What it changes, as it was shown.
    shown: Shown,
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
    /// The desk counts the attempt; then this is asked.
    Counting(Counting),
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
        opening: KitOpening,
        device: Shielded,
        files: Vec<Vec<u8>>,
    },
    RecoverPassword {
        opening: KitOpening,
        device: Shielded,
        vault: Box<Vault>,
        state: Option<Vec<u8>>,
    },
    Code(Grant),
    Way(ways::Step),
    Keeper(keepers::Step),
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

enum Next {
    Grant(Grant),
    /// New keys count: the counters are saved under theirs.
    Rekeyed {
        closed: Vec<u16>,
    },
    /// They are: the key that they were under before is forgotten.
    ForgetOldState {
        closed: Vec<u16>,
    },
    Refuse(String, Advice),
    /// The vault has its new password: the kit's owner is let in.
    LetIn(Option<KitOpening>),
    OpenSession {
        end: ActionEnd,
    },
    /// New recovery codes count; should that fail, those of before do.
    CodesPrinted {
        before: Vec<[u8; 32]>,
    },
    /// A new phone showed a code, and its step is used up on disk: its seed goes into the vault.
    PhoneProved(SecretBox),
    /// The vault has another seed of one-time codes: what was remembered of the old one goes.
    PhoneChanged,
    /// The person gave up an unlocking that was already granted.
    GiveUp,
    End(ActionEnd),
}

impl Signer {
    /// Checks an action and keeps it for its prompt.
    pub(crate) fn prepare(
        &mut self,
        action: Action,
        tail: &[u8],
        files: Vec<Vec<u8>>,
        door: DoorId,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        if !self.walls.are_up() {
            return Err(Refusal::Walls(self.walls.missing().into_iter().map(str::to_owned).collect()));
        }
        if door == DoorId::NOBODY && action.permission() == Permission::Open {
            return Err(Refusal::State(
                "whoever asks cannot be told from others here; unlock from a terminal or the window of this computer".to_owned(),
            ));
        }
        let words = self.words(&action, door, now)?;
        let not_before_ms = tried(&action).map_or(0, |tried| self.patience[tried as usize].not_before_ms);
        if now.mono_ms < not_before_ms {
            return Err(Refusal::Wait { wait_s: (not_before_ms - now.mono_ms).div_ceil(1_000) });
        }
        if let Action::Recover(KitOpening { backup: Some(named), .. }) = &action
            && files.first().and_then(|bytes| peek(bytes).ok()).is_none_or(|header| header.generation != *named)
        {
            return Err(Refusal::State(format!("what was handed over is not the backup of generation {named}")));
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
        self.pending.push(Pending { ticket, action, device, files, since_ms: now.mono_ms, asked: now.wall, door });
        Ok(Reply::Prepared { ticket: ticket.to_vec(), words })
    }

    /// A prompt is attached; it has to say which action it is for.
    pub fn prompt_attached(&mut self, prompt: u64) {
        self.dialogues.push(Dialogue { prompt, ticket: [0; TICKET_LEN], step: Step::Hello });
    }

    /// A prompt is gone. What it was for and was not decided yet is dropped.
    pub fn prompt_gone(&mut self, prompt: u64) -> Vec<Out> {
        let Some(at) = self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt) else { return Vec::new() };
        if self.give_up_opening(at) {
            return Vec::new();
        }
        if self.give_up_before_password(at) {
            return Vec::new();
        }
        if matches!(self.dialogues[at].step, Step::Saving(_)) {
            // Factors were given and bytes are on their way to the disk: it runs to its end without a listener.
            return Vec::new();
        }
        let dialogue = self.dialogues.remove(at);
        if matches!(dialogue.step, Step::Hello) {
            return Vec::new();
        }
        let by = self.talk(prompt, dialogue.ticket).by;
        vec![ended(&dialogue.ticket, by, failed(GIVEN_UP, Advice::Ask, false))]
    }

    /// One message of a prompt.
    pub fn on_prompt(&mut self, prompt: u64, message: &FromPrompt<'_>, now: Moment) -> Vec<Out> {
        let Some(at) = self.dialogues.iter().position(|dialogue| dialogue.prompt == prompt) else {
            return vec![Out::ClosePrompt(prompt)];
        };
        // The password was right, but the person gave up while that was saved: no session opens.
        if *message == FromPrompt::Cancel && self.give_up_opening(at) {
            return Vec::new();
        }
        let Dialogue { ticket, step, .. } = self.dialogues.remove(at);
        let talk = self.talk(prompt, ticket);
        match (step, message) {
            (Step::Hello, FromPrompt::Hello(ticket)) => self.begin(self.talk(prompt, *ticket), now),
            (step @ Step::Saving(_), _) => {
                self.dialogues.push(Dialogue { prompt, ticket, step });
                Vec::new()
            }
            (_, FromPrompt::Cancel) => talk.fail(GIVEN_UP, Advice::Ask, false),
            (Step::ImportName(import), FromPrompt::From(origin, source)) => {
                let source = String::from_utf8_lossy(source).chars().filter(|letter| !letter.is_control()).collect();
                let step = Step::ImportName(Import { origin: *origin, source, ..import });
                self.dialogues.push(Dialogue { prompt, ticket, step });
                Vec::new()
            }
            (step, FromPrompt::Answer(answer)) => self.answered(talk, step, answer, now),
            (Step::CreateKitShown(birth, password, kit), FromPrompt::Shown) => {
                let words = format!("Type group {} of the kit, the last one", KIT_GROUP + 1);
                self.ask(talk, Step::CreateKitGroup(birth, password, kit), Field::KitGroup, &words)
            }
            (Step::Way(step), FromPrompt::Shown) => self.way_shown(talk, step),
            (Step::CreateUriShown(birth, password, kit, seed), FromPrompt::Shown) => {
                let takes = self.takes(talk, &[birth.kdf]);
                let asked =
                    self.ask(talk, Step::CreateCode(birth, password, kit, seed), Field::Totp, "Code that the authenticator shows now");
                takes.into_iter().chain(asked).collect()
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
        let words = match self.words(&pending.action, pending.door, now) {
            Ok(words) => words,
            Err(refusal) => return talk.fail(&refusal.to_string(), refusal.advice(), false),
        };
        self.begun.retain(|begun| self.dialogues.iter().any(|dialogue| dialogue.prompt == begun.prompt));
        let shown = self.open.as_ref().map_or(Shown::Nothing, |open| Shown::of(&pending.action, open));
        let (permission, door) = (pending.action.permission(), pending.door);
        let by = self.open.as_ref().and_then(|open| open.sessions.slot(door));
        self.begun.push(Begun { prompt: talk.prompt, door, by, since_ms: now.mono_ms, permission, shown });
        let talk = Talk { by, ..talk };
        match tried_first(&pending.action) {
            Some(tried) => self.count(talk, tried, Counting::First(Box::new(pending), words)),
            None => self.first_words(talk, pending, &words, now),
        }
    }

    /// Whether what was allowed when the prompt began is allowed still: not too long ago, and the session may do it now.
    pub(super) fn still_may(&mut self, prompt: u64, now: Moment) -> Result<(), String> {
        let Some(begun) = self.begun.iter().find(|begun| begun.prompt == prompt) else {
            return Err("this prompt was opened for nothing that is waiting".to_owned());
        };
        let (since_ms, shown) = (begun.since_ms, begun.shown.clone());
        if now.mono_ms.saturating_sub(since_ms) >= ANSWERS_MS {
            return Err("this took too long; nothing was changed. Start again".to_owned());
        }
        let Some(open) = self.open.as_ref() else { return Err("the vault was sealed meanwhile".to_owned()) };
        if let Some(why) = shown.is_outdated(open) {
            return Err(why.to_owned());
        }
        self.is_allowed_still(prompt, now)
    }

    /// The same of what comes after the code, for which a person may need a while: whether the session may do it now.
    pub(super) fn is_allowed_still(&mut self, prompt: u64, now: Moment) -> Result<(), String> {
        let Some(begun) = self.begun.iter().find(|begun| begun.prompt == prompt) else {
            return Err("this prompt was opened for nothing that is waiting".to_owned());
        };
        let (permission, door) = (begun.permission, begun.door);
        let Some(open) = self.open.as_mut() else { return Err("the vault was sealed meanwhile".to_owned()) };
        open.may(permission, door, now.mono_ms).map_err(|reason| reason.to_string())
    }

    fn first_words(&mut self, talk: Talk, pending: Pending, words: &str, now: Moment) -> Vec<Out> {
        let about = talk.say(&ToPrompt::About(self.about(&pending, words)));
        std::iter::once(about).chain(self.first_question(talk, pending, words, now)).collect()
    }

    /// Which proof comes first, the table of permissions says.
    fn first_question(&mut self, talk: Talk, pending: Pending, words: &str, now: Moment) -> Vec<Out> {
        let proof = pending.action.permission().row().proof;
        if proof == Proof::Factors {
            return self.first_factor(talk, pending);
        }
        let grant = match self.wished(pending.action) {
            Ok(grant) => grant,
            Err(refusal) => return talk.fail(&refusal.to_string(), Advice::Ask, false),
        };
        let is_asked = match proof {
            Proof::None | Proof::Factors => false,
            Proof::Code | Proof::CodeAndPassword => true,
            Proof::CodeToLoosen => self.loosens(&grant),
        };
        if !is_asked {
            return self.granted(talk, grant, now);
        }
        self.ask(talk, Step::Code(grant), Field::Totp, &format!("{words}. Code"))
    }

    /// Making a vault, and every way of opening one.
    fn first_factor(&mut self, talk: Talk, pending: Pending) -> Vec<Out> {
        let (action, device, files) = (pending.action, pending.device, pending.files);
        match (action, device) {
            (Action::CreateVault { vault_id, kdf_memory_kib, kdf_passes }, Some(device)) => {
                let Ok(vault_id) = vault_id.try_into() else { return talk.fail("no vault id", Advice::Bug, false) };
                let kdf = match kdf_passes {
                    0 => crate::calibration::calibrate(),
                    passes => KdfParams { memory_kib: kdf_memory_kib, passes, lanes: KdfParams::FLOOR.lanes },
                };
                self.ask(talk, Step::CreatePassword(Birth { vault_id, kdf, device }), Field::NewPassword, "New password for the vault")
            }
            (Action::UnlockWith { slot }, device) => self.unlock_with(talk, slot, device, files),
            (Action::Unlock, device) if self.only_kept_slot(&files).is_some() => {
                let slot = self.only_kept_slot(&files).unwrap_or_default();
                self.unlock_with(talk, slot, device, files)
            }
            (Action::Unlock, device) => {
                let takes = self.takes_password(talk, &files);
                let asked = self.ask(talk, Step::UnlockPassword { device, files }, Field::Password, "Password");
                takes.into_iter().chain(asked).collect()
            }
            (Action::Recover(opening), Some(device)) => {
                self.ask(talk, Step::RecoverKit { opening, device, files }, Field::Kit, "Recovery kit, all groups")
            }
            (Action::CreateVault { .. } | Action::Recover(_), None) => talk.fail("the device secret is missing", Advice::Bug, false),
            _ => talk.broken(),
        }
    }

    /// What an action wishes once it is proved that a person wants it.
    fn wished(&self, action: Action) -> Result<Grant, Refusal> {
        Ok(match action {
            Action::Import { label, venue } => Grant::Import(Import::typed(label, venue, None)),
            Action::Rotate { old } => {
                let open = self.opened()?;
                let label = open.credential(Some(old), Venue::Binance).map(|found| found.info.label.clone());
                Grant::Import(Import::typed(label.ok_or(Refusal::Guard(strongroom_guard::Reason::NoKey))?, Venue::Binance, Some(old)))
            }
            Action::Generate { label, venue, scheme, replaces } => Grant::Generate(Generate { label, venue, scheme, replaces }),
            Action::EditKey { id, edit } => Grant::EditKey(id, edit),
            Action::Delete { id } => Grant::Delete(id),
            Action::ExportKey { id, recipient } => Grant::ExportKey(id, recipient),
            Action::Backup => Grant::Backup,
            Action::ChangePassword { slot } => {
                slot.or_else(|| self.opened_by_kept()).map_or(Grant::Way(ways::Wish::Password), Grant::KeptPassword)
            }
            Action::ReplaceKit => Grant::Way(ways::Wish::Kit),
            Action::PrintCodes => Grant::Way(ways::Wish::Codes),
            Action::NewPhone => Grant::Way(ways::Wish::Phone),
            Action::AddSlot { kind: SlotFor::Person, label, roles } => Grant::Way(ways::Wish::Person(label, roles)),
            Action::AddSlot { kind: SlotFor::Auditor, label, .. } => Grant::Way(ways::Wish::Auditor(label)),
            Action::AddSlot { kind: SlotFor::Shared { keeper, machine }, label, roles } => {
                let keeping = Keeping::asked(&keeper, machine.as_ref());
                Grant::Keeper(keepers::Wish { label, roles, keeping, for_service: machine.is_some() })
            }
            Action::SetRoles { slot, roles } => Grant::Way(ways::Wish::Roles(slot, roles)),
            Action::RemoveSlot { slot } => Grant::Way(ways::Wish::Remove(slot)),
            Action::Rekey => Grant::Way(ways::Wish::Rekey),
            Action::ConfirmOrder(order) => Grant::Order(order),
            Action::Override { order, why } => Grant::Override(order, why),
            Action::Protect(order) => Grant::Protect(order),
            Action::Rearm => Grant::Rearm,
            Action::Pin(change) => Grant::Pin(change),
            Action::SetPolicy(policy) => Grant::SetPolicy(*policy),
            Action::CreateVault { .. } | Action::Unlock | Action::UnlockWith { .. } | Action::Recover(_) => {
                return Err(Refusal::NotUnderstood);
            }
        })
    }

    /// Whether more would pass than before; of what cannot be compared, yes.
    fn loosens(&self, grant: &Grant) -> bool {
        match (grant, self.open.as_ref()) {
            (Grant::SetPolicy(policy), Some(open)) => open.policy.is_raised_by(&open.in_force(policy)),
            _ => true,
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
            Step::RecoverKit { opening, device, files } => self.recover(talk, opening, device, &files, answer, now),
            Step::RecoverPassword { opening, device, vault, state } => {
                self.recovered(talk, opening, &device, *vault, state.as_deref(), answer, now)
            }
            Step::Code(grant) => self.code(talk, grant, answer, now),
            Step::Way(step) => match self.is_allowed_still(talk.prompt, now) {
                Ok(()) => self.way_answered(talk, step, answer, now),
                Err(why) => talk.fail(&format!("{why}; nothing was changed"), Advice::Ask, false),
            },
            Step::Keeper(step) => self.keeper_answered(talk, step, answer, now),
            Step::ImportName(import) => {
                let name = answer.trim_ascii();
                let Some(name) = is_api_key(name).then(|| String::from_utf8_lossy(name).into_owned()) else {
                    return talk.fail("an API key has 1 to 256 characters without blanks; nothing was stored", Advice::Ask, false);
                };
                let words = "API secret (HMAC), or private key (Ed25519 or RSA, PEM)";
                self.ask(talk, Step::ImportSecret(import, name), Field::ApiSecret, words)
            }
            Step::ImportSecret(import, name) => self.import(talk, import, name, answer, now),
            _ => talk.fail("the prompt said something out of order", Advice::Bug, false),
        }
    }
}
