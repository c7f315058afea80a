//! A signer in this process, driven as the desk and a person would. Invariant: time is the caller's.

use strongroom_guard::Policy;
use strongroom_model::Timestamp;
use strongroom_signer::arena::Arena;
use strongroom_signer::{Moment, Out, Signer};
use strongroom_signer_api::control::StateMarks;
use strongroom_signer_api::frame::{self, Frame, Kind};
use strongroom_signer_api::managed::Offered;
use strongroom_signer_api::prompt::{Field, FromPrompt, Show, ToPrompt};
use strongroom_signer_api::{Action, ActionEnd, DoorId, Notice, Reply, Request, Saved, Walls};

/// A signer with what a person would know.
pub struct SignerWorld {
    /// The signer.
    pub signer: Signer,
    next_id: u64,
    next_prompt: u64,
    /// The address of the code generator, as shown at the vault's creation.
    pub otp_uri: String,
    /// The recovery kit, as shown.
    pub kit: String,
    /// Every byte that went to the desk, encoded as it would be.
    pub told_desk: Vec<u8>,
    /// How actions ended.
    pub ends: Vec<ActionEnd>,
    /// Newest file of each kind that was handed out.
    pub vault_file: Vec<u8>,
    /// See `vault_file`; only what was said to be on disk.
    pub state_file: Vec<u8>,
    /// The state file that was handed out last, whether it was said to be on disk or not.
    pub handed_out: Vec<u8>,
    /// Whether state files are said to be on disk when they are handed out; else nothing is said of them.
    pub saves_state: bool,
    /// Nothing can be saved, and the signer hears of it.
    pub disk_is_full: bool,
    /// Whether that is said later, by [`SignerWorld::release_state`].
    pub holds_state: bool,
    held: Vec<u64>,
    password: Vec<u8>,
    /// How many attempts with a password or a kit the desk was to count.
    pub attempts: usize,
    /// Recovery codes, as shown last.
    pub codes: Vec<String>,
    /// How many were said to be left, each time that one was used.
    pub codes_used: Vec<u8>,
    /// What every signer is told of an organisation's limits.
    pub offered: Offered,
    /// Why the desk was told that the kill switch is engaged.
    pub frozen: Vec<String>,
    /// What the supervisor remembers of state files.
    pub marks: StateMarks,
    /// How often every session was locked for wrong codes.
    pub locked_out: u32,
    /// By how much the clock went back, each time that it was told.
    pub clock_back: Vec<u64>,
    /// Size of the log whose head was signed last.
    pub log_size: u64,
    /// Where actions are begun.
    pub door: DoorId,
}

/// Walls that stand.
pub const UP: Walls = Walls {
    no_descriptors: true,
    not_dumpable: true,
    no_core: true,
    no_new_privs: true,
    no_write_execute: true,
    landlock: true,
    seccomp: true,
    locked_memory: true,
};

/// The moment of a virtual clock.
pub fn moment(ms: i64) -> Moment {
    Moment { wall: Timestamp::from_ms(ms), mono_ms: u64::try_from(ms).unwrap_or(0) }
}

/// The code that an authenticator shows for `uri` at `ms`.
pub fn code_at(uri: &str, ms: i64) -> String {
    let secret = uri.split("secret=").nth(1).unwrap_or_default().split('&').next().unwrap_or_default();
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base32");
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("vault".to_owned()).with_issuer(Some("Strongroom".to_owned()));
    totp.build().expect("a code generator").generate(u64::try_from(ms / 1_000).unwrap_or(0)).to_string()
}

impl SignerWorld {
    /// A signer with a fresh vault, open.
    pub fn with_vault(password: &[u8], ms: i64) -> Self {
        Self::with_vault_and_device(password, &[9; 32], ms)
    }

    /// The same with this secret of the device.
    pub fn with_vault_and_device(password: &[u8], device: &[u8; 32], ms: i64) -> Self {
        let arena = Arena::make().expect("randomness");
        let mut world = Self {
            signer: Signer::new(arena, UP),
            next_id: 1,
            next_prompt: 1,
            otp_uri: String::new(),
            kit: String::new(),
            told_desk: Vec::new(),
            ends: Vec::new(),
            vault_file: Vec::new(),
            state_file: Vec::new(),
            handed_out: Vec::new(),
            saves_state: true,
            disk_is_full: false,
            holds_state: false,
            held: Vec::new(),
            password: password.to_vec(),
            attempts: 0,
            codes: Vec::new(),
            codes_used: Vec::new(),
            offered: Offered::Nothing,
            frozen: Vec::new(),
            marks: StateMarks::default(),
            locked_out: 0,
            clock_back: Vec::new(),
            log_size: 0,
            door: DoorId::DESK,
        };
        let action = Action::CreateVault { vault_id: vec![7; 16], kdf_memory_kib: 64 * 1_024, kdf_passes: 3 };
        world.act(action, device, ms, &mut |world, field| match field {
            Field::NewPassword => password.to_vec(),
            Field::KitGroup => world.kit.split(' ').next_back().unwrap_or_default().as_bytes().to_vec(),
            _ => code_at(&world.otp_uri, ms).into_bytes(),
        });
        assert!(matches!(world.ends.last(), Some(ActionEnd::VaultCreated { .. })), "{:?}", world.ends);
        world
    }

    /// The signer ends, and another one is opened with what is on disk.
    pub fn restart(&mut self, ms: i64) {
        let state = self.state_file.clone();
        self.opens(vec![state], ms);
    }

    /// As a desk that was taken over does: it says nothing of a state file.
    pub fn restart_without_state(&mut self, ms: i64) {
        self.opens(Vec::new(), ms);
    }

    fn opens(&mut self, state: Vec<Vec<u8>>, ms: i64) {
        self.seal();
        let (files, password) = ([vec![self.vault_file.clone()], state].concat(), self.password.clone());
        self.act_on(Action::Unlock, &[9; 32], files, ms, &mut |_, _| password.clone());
        assert!(matches!(self.ends.last(), Some(ActionEnd::Unlocked { .. })), "{:?}", self.ends.last());
    }

    /// The signer ends, and another one is started.
    pub fn seal(&mut self) {
        self.signer = Signer::new(Arena::make().expect("randomness"), UP);
        self.signer.managed_offered(self.offered.clone());
        self.marks.iter().for_each(|mark| self.signer.state_floor(mark));
        self.next_id = 1;
    }

    /// Takes in a key; the code is that of `ms`, which must be a step later than the last.
    pub fn import(&mut self, api_key: &str, secret: &[u8], ms: i64) {
        let action = Action::Import { label: api_key.to_owned(), venue: strongroom_model::Venue::Binance };
        self.act(action, b"", ms, &mut |world, field| match field {
            Field::Totp => code_at(&world.otp_uri, ms).into_bytes(),
            Field::ApiKey => api_key.as_bytes().to_vec(),
            _ => secret.to_vec(),
        });
        assert!(matches!(self.ends.last(), Some(ActionEnd::Imported(_))), "{:?}", self.ends.last());
    }

    /// Changes the limits.
    pub fn set_policy(&mut self, policy: Policy, ms: i64) {
        self.act(Action::SetPolicy(Box::new(policy)), b"", ms, &mut |world, _| code_at(&world.otp_uri, ms).into_bytes());
        assert!(matches!(self.ends.last(), Some(ActionEnd::PolicySet(_))), "{:?}", self.ends.last());
    }

    /// Takes the kill switch back.
    pub fn rearm(&mut self, ms: i64) {
        self.act(Action::Rearm, b"", ms, &mut |world, _| code_at(&world.otp_uri, ms).into_bytes());
        assert!(matches!(self.ends.last(), Some(ActionEnd::Rearmed)), "{:?}", self.ends.last());
    }

    /// Has a longer log's head signed: without one the signer signs only so many orders.
    pub fn sign_head(&mut self, ms: i64) {
        self.log_size += 1;
        let reply = self.ask(Request::SealHead { size: self.log_size, head: vec![1; 32], closes: false }, b"", ms);
        assert!(matches!(reply, Reply::HeadSealed { .. }), "{reply:?}");
    }

    /// Asks as a desk that has heads signed when they are due.
    pub fn ask_with_heads(&mut self, request: Request, ms: i64) -> Reply {
        match self.ask(request.clone(), b"", ms) {
            Reply::Refused(strongroom_signer_api::Refusal::Guard(strongroom_guard::Reason::HeadDue { .. })) => {
                self.sign_head(ms);
                self.ask(request, b"", ms)
            }
            reply => reply,
        }
    }

    /// Asks as the desk does; saves are confirmed at once.
    pub fn ask(&mut self, request: Request, tail: &[u8], ms: i64) -> Reply {
        self.ask_with(request, tail, Vec::new(), ms)
    }

    fn ask_with(&mut self, request: Request, tail: &[u8], files: Vec<Vec<u8>>, ms: i64) -> Reply {
        let id = self.next_id;
        self.next_id += 1;
        let out = self.signer.on_desk(id, request, tail, files, moment(ms));
        self.settle(out, ms).0.expect("a reply")
    }

    /// The same of a signer that may leave the answer for later.
    pub fn ask_impatiently(&mut self, request: Request, ms: i64) -> Option<Reply> {
        let id = self.next_id;
        self.next_id += 1;
        let out = self.signer.on_desk(id, request, b"", Vec::new(), moment(ms));
        self.settle(out, ms).0
    }

    /// Begins an action; its prompt waits for the first answer.
    pub fn begin(&mut self, action: Action, ms: i64) -> u64 {
        let ticket = match self.ask(Request::Prepare(action), b"", ms) {
            Reply::Prepared { ticket, .. } => ticket,
            other => panic!("not prepared: {other:?}"),
        };
        let prompt = self.next_prompt;
        self.next_prompt += 1;
        self.signer.prompt_attached(prompt);
        let out = self.signer.on_prompt(prompt, &FromPrompt::Hello(ticket.try_into().expect("a ticket")), moment(ms));
        self.settle(out, ms);
        prompt
    }

    /// The person answers at that prompt.
    pub fn answer(&mut self, prompt: u64, answer: &[u8], ms: i64) {
        let out = self.signer.on_prompt(prompt, &FromPrompt::Answer(answer), moment(ms));
        let mut said = self.settle(out, ms).1;
        while let Some(bytes) = said.pop() {
            if let Some(ToPrompt::Show(show, text)) = ToPrompt::parse(&bytes) {
                self.sees(show, text);
                let out = self.signer.on_prompt(prompt, &FromPrompt::Shown, moment(ms));
                said.extend(self.settle(out, ms).1);
            }
        }
    }

    /// What is shown once.
    fn sees(&mut self, show: Show, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        match show {
            Show::Kit | Show::AuditorCode => self.kit = text,
            Show::RecoveryCodes => self.codes = text.lines().map(str::to_owned).collect(),
            Show::OtpUri => self.otp_uri = text,
        }
    }

    /// The desk says of the state files that it held back that they are on disk.
    pub fn release_state(&mut self, ms: i64) {
        for generation in std::mem::take(&mut self.held) {
            let id = self.next_id;
            self.next_id += 1;
            let saved = Request::Saved(Saved { what: strongroom_signer_api::Sealed::State, generation, error: None });
            let out = self.signer.on_desk(id, saved, b"", Vec::new(), moment(ms));
            self.settle(out, ms);
        }
    }

    /// Runs an action, if it may be begun.
    pub fn try_act(&mut self, action: Action, ms: i64, answer: &mut dyn FnMut(&Self, Field) -> Vec<u8>) {
        if matches!(self.ask(Request::Prepare(action.clone()), b"", ms), Reply::Prepared { .. }) {
            self.act(action, b"", ms, answer);
        }
    }

    /// Runs an action with `answer` as the person.
    pub fn act(&mut self, action: Action, tail: &[u8], ms: i64, answer: &mut dyn FnMut(&Self, Field) -> Vec<u8>) {
        self.act_on(action, tail, Vec::new(), ms, answer);
    }

    /// The same, with the bytes of the files that the desk hands over.
    pub fn act_on(&mut self, action: Action, tail: &[u8], files: Vec<Vec<u8>>, ms: i64, answer: &mut dyn FnMut(&Self, Field) -> Vec<u8>) {
        let prepare = match self.door {
            DoorId::DESK => Request::Prepare(action),
            door => Request::At { door, request: Box::new(Request::Prepare(action)) },
        };
        let ticket = match self.ask_with(prepare, tail, files, ms) {
            Reply::Prepared { ticket, .. } => ticket,
            other => panic!("not prepared: {other:?}"),
        };
        let prompt = self.next_prompt;
        self.next_prompt += 1;
        self.signer.prompt_attached(prompt);
        let hello = FromPrompt::Hello(ticket.try_into().expect("a ticket"));
        let out = self.signer.on_prompt(prompt, &hello, moment(ms));
        let mut said = self.settle(out, ms).1;
        while let Some(bytes) = said.pop() {
            let out = match ToPrompt::parse(&bytes).expect("a message") {
                ToPrompt::Ask(field, _) => {
                    let answer = answer(self, field);
                    self.signer.on_prompt(prompt, &FromPrompt::Answer(&answer), moment(ms))
                }
                ToPrompt::Show(show, bytes) => {
                    self.sees(show, bytes);
                    self.signer.on_prompt(prompt, &FromPrompt::Shown, moment(ms))
                }
                ToPrompt::About(_) | ToPrompt::Takes(_) | ToPrompt::End(..) => Vec::new(),
            };
            said.extend(self.settle(out, ms).1);
        }
    }

    /// Carries effects out: the reply, and what was said to the prompt.
    fn settle(&mut self, out: Vec<Out>, ms: i64) -> (Option<Reply>, Vec<Vec<u8>>) {
        let mut reply = None;
        let mut said = Vec::new();
        let mut work: std::collections::VecDeque<Out> = out.into();
        let mut bytes = Vec::new();
        while let Some(effect) = work.pop_front() {
            match effect {
                Out::Reply(_, told) => {
                    frame::write(&mut bytes, Kind::Reply, 1, &told, b"").expect("a frame");
                    assert_eq!(
                        Frame::parse(&bytes).and_then(|frame| frame.message::<Reply>()).as_ref(),
                        Ok(&told),
                        "read as it was written"
                    );
                    self.told_desk.extend_from_slice(&bytes);
                    reply.get_or_insert(told);
                }
                Out::Notice(notice, file) => {
                    frame::write(&mut bytes, Kind::Notice, 1, &notice, b"").expect("a frame");
                    assert_eq!(
                        Frame::parse(&bytes).and_then(|frame| frame.message::<Notice>()).as_ref(),
                        Ok(&notice),
                        "read as it was written"
                    );
                    self.told_desk.extend_from_slice(&bytes);
                    match notice {
                        Notice::Save { what, generation, .. } => {
                            let file = file.expect("a file");
                            self.told_desk.extend_from_slice(&file);
                            if what == strongroom_signer_api::Sealed::State {
                                self.handed_out.clone_from(&file);
                            }
                            match what {
                                _ if self.disk_is_full => {}
                                strongroom_signer_api::Sealed::Vault => self.vault_file = file,
                                strongroom_signer_api::Sealed::State if self.holds_state => {
                                    self.held.push(generation);
                                    continue;
                                }
                                strongroom_signer_api::Sealed::State if !self.saves_state => continue,
                                strongroom_signer_api::Sealed::State => self.state_file = file,
                            }
                            let id = self.next_id;
                            self.next_id += 1;
                            let error = self.disk_is_full.then(|| "no space left".to_owned());
                            let saved = Request::Saved(Saved { what, generation, error });
                            let more = self.signer.on_desk(id, saved, b"", Vec::new(), moment(ms));
                            // The answer to this one is nobody's; an answer to what waited for the save is.
                            work.extend(more.into_iter().filter(|out| !matches!(out, Out::Reply(of, _) if *of == id)));
                        }
                        Notice::Attempt { ticket, .. } => {
                            self.attempts += 1;
                            let id = self.next_id;
                            self.next_id += 1;
                            let counted = Request::Counted { ticket, refused: None };
                            let more = self.signer.on_desk(id, counted, b"", Vec::new(), moment(ms));
                            work.extend(more.into_iter().filter(|out| !matches!(out, Out::Reply(..))));
                        }
                        Notice::Ended { end, .. } => self.ends.push(*end),
                        Notice::Frozen(freeze) => self.frozen.push(freeze.why),
                        Notice::LockedOut { .. } => self.locked_out += 1,
                        Notice::ClockBack { back_s } => self.clock_back.push(back_s),
                        Notice::RecoveryCodeUsed { left } => self.codes_used.push(left),
                    }
                }
                Out::Prompt(_, message) => said.push(message.to_vec()),
                Out::StateSaved(mark) => self.marks.note(mark),
                Out::ClosePrompt(_) | Out::WantProvider(_) | Out::Provider(..) => {}
            }
        }
        (reply, said)
    }
}
