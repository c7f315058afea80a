//! The signer's side of the desk: every request, and the signature.
//!
//! Invariant: a place is signed only after the gate allowed it with facts that the signer itself knows.

use strongroom_guard::{
    By, Freeze, Freezes, Permission, Reason, SessionEnd, SignerFacts, Verdict, dated, numbered, signer_gate, worth_at_most,
};
use strongroom_model::{Intent, KeyScope, KeyStage, Notional, Operation, PlaceOrder, Scheme, Venue};
use strongroom_signer_api::control::{StateMark, StateMarks};
use strongroom_signer_api::managed::Offered;
use strongroom_signer_api::{DoorId, Notice, Refusal, Reply, Request, Saved, Sealed, SignAsk, Status, Walls};
use strongroom_venues::binance::{KeyError, SigningKey, encode};
use zeroize::Zeroizing;

use crate::arena::Arena;
use crate::clock::Moment;
use crate::dialogue::{Begun, Dialogue, Pending};
use crate::keys::Open;
use crate::ledger::Reserved;
use crate::managed::{self, Verified};
use crate::stack::{self, Depth};
use crate::unsigned::{no_key, not_offered, stage_words};

/// Most actions waiting for a prompt.
pub(crate) const PENDING_MAX: usize = 16;
/// Most signatures that wait for a reservation.
const WAITING_MAX: usize = 64;

/// What the shell has to send.
pub enum Out {
    /// To the desk, answering its request.
    Reply(u64, Reply),
    /// To the desk, with the bytes of a file.
    Notice(Notice, Option<Vec<u8>>),
    /// To a prompt; wiped on drop.
    Prompt(u64, Zeroizing<Vec<u8>>),
    /// The prompt is done, and its provider, if it had one.
    ClosePrompt(u64),
    /// A key provider is needed for the dialogue of this prompt.
    WantProvider(u64),
    /// To the provider of that dialogue; wiped on drop.
    Provider(u64, Zeroizing<Vec<u8>>),
    /// To the supervisor: a state file is on disk.
    StateSaved(StateMark),
}

/// A save that waits for the desk's word.
pub(crate) struct Saving {
    pub(crate) what: Sealed,
    pub(crate) generation: u64,
    pub(crate) then: After,
}

/// What happens when a save is on disk.
pub(crate) enum After {
    /// The vault's next generation takes effect; then whoever waits is told.
    Vault { sealed: Box<strongroom_vault::Sealed>, listener: Listener },
    /// A first vault comes into being; then its ledger is saved.
    FirstVault { open: Box<Open>, prompt: u64 },
    /// The ledger takes effect; then the dialogue goes on.
    Ledger { reserved: Reserved, prompt: Option<u64> },
}

/// Who waits for a change of the vault.
pub(crate) enum Listener {
    /// The desk, for the answer to this request.
    Desk(u64),
    /// A prompt, for its dialogue to go on.
    Prompt(u64),
}

/// How long wrong factors of one kind make the next one wait.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    pub(crate) failures: u32,
    pub(crate) not_before_ms: u64,
}

/// The signer.
pub struct Signer {
    pub(crate) arena: Arena,
    pub(crate) walls: Walls,
    pub(crate) open: Option<Open>,
    pub(crate) freezes: Freezes,
    pub(crate) pending: Vec<Pending>,
    pub(crate) dialogues: Vec<Dialogue>,
    pub(crate) begun: Vec<Begun>,
    pub(crate) saving: Vec<Saving>,
    /// Of passwords, then of kits.
    pub(crate) patience: [Patience; 2],
    pub(crate) pace: crate::calibration::Pace,
    /// Limits of an organisation that lie in the system's folder, or why they cannot be used: then nothing is opened.
    pub(crate) offered: Result<Option<Verified>, String>,
    /// How far the state files of vaults had come, as the supervisor remembers it.
    pub(crate) marks: StateMarks,
    last_request: u64,
    /// Asked for, and signed as soon as what they need is reserved on disk.
    waiting: Vec<(u64, DoorId, SignAsk)>,
}

impl Signer {
    /// A sealed signer behind `walls`.
    pub fn new(arena: Arena, walls: Walls) -> Self {
        Self {
            arena,
            walls,
            open: None,
            freezes: Freezes::default(),
            pending: Vec::new(),
            dialogues: Vec::new(),
            begun: Vec::new(),
            saving: Vec::new(),
            patience: Default::default(),
            pace: Default::default(),
            offered: Ok(None),
            marks: StateMarks::default(),
            last_request: 0,
            waiting: Vec::new(),
        }
    }

    /// What the supervisor found of an organisation's limits; it holds from the next opening on.
    pub fn managed_offered(&mut self, offered: Offered) {
        self.offered = managed::sound(offered);
    }

    /// How far a state file had come before this signer.
    pub fn state_floor(&mut self, mark: StateMark) {
        self.marks.note(mark);
    }

    /// A new desk is attached: what the old one was saving will never be confirmed. Whether a vault is on disk or not cannot be known
    /// here: what is open might be what is there no more, so it is sealed.
    pub fn desk_attached(&mut self) -> Vec<Out> {
        self.last_request = 0;
        self.waiting.clear();
        let saving: Vec<_> = self.saving.drain(..).collect();
        // The desk before said that it would end this opening, and did not come to it.
        let is_closed = self.open.as_ref().is_some_and(|open| open.closed);
        if is_closed || saving.iter().any(|saving| saving.what == Sealed::Vault) {
            self.open = None;
            let unknown = saving.into_iter().flat_map(|saving| self.save_unknown(saving.then)).collect::<Vec<_>>();
            return unknown.into_iter().chain(self.stop_counting()).collect();
        }
        let had_ledger = saving.iter().any(|saving| saving.what == Sealed::State);
        let failed: Vec<Out> = saving.into_iter().flat_map(|saving| self.save_failed(saving.then, "the desk ended while saving")).collect();
        // Answers were for the old desk.
        let mut out: Vec<Out> = failed.into_iter().filter(|out| !matches!(out, Out::Reply(..))).collect();
        out.extend(self.stop_counting());
        if had_ledger && self.open.is_some() {
            // It may be on disk, with what did not take effect: what counts is written again.
            out.extend(self.save_ledger(None));
        }
        out
    }

    /// Answers one request of the desk. `files` are the bytes of the attached descriptors.
    pub fn on_desk(&mut self, id: u64, request: Request, tail: &[u8], files: Vec<Vec<u8>>, now: Moment) -> Vec<Out> {
        if id <= self.last_request {
            return vec![Out::Reply(id, Reply::Refused(Refusal::NotUnderstood))];
        }
        self.last_request = id;
        if let Some(open) = self.open.as_mut() {
            open.ledger.totp.seen(now.wall_s());
        }
        let (door, request) = match request {
            Request::At { door, request } => (door, *request),
            request => (DoorId::DESK, request),
        };
        match request {
            Request::Sign(ask) => self.on_sign(id, ask, door, now),
            request => self.on_other(id, request, tail, files, door, now),
        }
    }

    fn on_sign(&mut self, id: u64, ask: SignAsk, door: DoorId, now: Moment) -> Vec<Out> {
        let mut out = Vec::new();
        match self.sign(&ask, door, now, &mut out) {
            Some(answer) => out.insert(0, Out::Reply(id, answer.unwrap_or_else(Reply::Refused))),
            None => self.waiting.push((id, door, ask)),
        }
        out
    }

    /// Apart from signing, which would reach deeper into the stack with it, and all that it reaches is wiped.
    #[inline(never)]
    fn on_other(&mut self, id: u64, request: Request, tail: &[u8], mut files: Vec<Vec<u8>>, door: DoorId, now: Moment) -> Vec<Out> {
        let mut out = Vec::new();
        let reply = match request {
            Request::At { .. } | Request::Sign(_) => Err(Refusal::NotUnderstood),
            Request::Status => Ok(Reply::Status(Box::new(self.status(door, now)))),
            Request::Prepare(action) => self.prepare(action, tail, std::mem::take(&mut files), door, now),
            Request::Saved(saved) => {
                out.extend(self.saved(saved, now));
                Ok(Reply::Done)
            }
            Request::Counted { ticket, refused } => {
                out.extend(self.counted(&ticket, refused, now));
                Ok(Reply::Done)
            }
            Request::Lock => self.may(Permission::Lock, door, now).and_then(|()| self.lock()),
            Request::EndSession { door: of } => self.may(Permission::Lock, door, now).and_then(|()| self.end_session(of)),
            Request::Touch { ago_ms } => self.touch(ago_ms, door, now),
            // Whoever moves the packets sees to it.
            Request::StayAwake => Ok(Reply::Done),
            Request::Kill(freeze) => self.may(Permission::Kill, door, now).map(|()| {
                out.extend(self.freeze(freeze));
                Reply::Done
            }),
            Request::Credentials { from } => self.credentials(from),
            Request::Policy => self.opened().map(|open| Reply::Policy(Box::new(open.policy.clone()))),
            Request::KeyTested { id: key, granted } => match self.key_tested(id, key, granted, now) {
                Ok(saving) => return saving,
                Err(refusal) => Err(refusal),
            },
            Request::KeyRevoked { id: key } => match self.key_revoked(id, key, now) {
                Ok(saving) => return saving,
                Err(refusal) => Err(refusal),
            },
            Request::Slots => self.opened().map(|open| Reply::Slots(open.slots(door))),
            Request::PublicKey { id } => self.public_key(id).map(Reply::PublicKey),
            Request::SealHead { size, head, closes } => self.seal_head(size, &head, closes, &mut out),
            Request::ReadAudit { last } => self.read_audit(&files, last, door, now),
        };
        out.insert(0, Out::Reply(id, reply.unwrap_or_else(Reply::Refused)));
        out
    }

    /// Whether whoever is at that door may. While nothing is open, what needs no role is allowed.
    fn may(&mut self, permission: Permission, door: DoorId, now: Moment) -> Result<(), Refusal> {
        match self.open.as_mut() {
            Some(open) => open.may(permission, door, now.mono_ms).map_err(Refusal::Guard),
            None if permission.row().roles.is_empty() => Ok(()),
            None => Err(Refusal::Guard(Reason::Sealed)),
        }
    }

    pub(crate) fn opened(&self) -> Result<&Open, Refusal> {
        self.open.as_ref().ok_or(Refusal::Guard(Reason::Sealed))
    }

    /// Nothing: what it counts is to be reserved first.
    fn sign(&mut self, ask: &SignAsk, door: DoorId, now: Moment, out: &mut Vec<Out>) -> Option<Result<Reply, Refusal>> {
        match self.signed(ask, door, now, out) {
            Ok(None) if self.waiting.len() < WAITING_MAX => None,
            Ok(None) => Some(Err(Refusal::Busy)),
            Ok(Some(reply)) => Some(Ok(reply)),
            Err(refusal) => Some(Err(refusal)),
        }
    }

    /// Nothing: a reservation has to be saved first.
    fn signed(&mut self, ask: &SignAsk, door: DoorId, now: Moment, out: &mut Vec<Out>) -> Result<Option<Reply>, Refusal> {
        let Some(open) = self.open.as_mut() else { return Err(Refusal::Guard(Reason::Sealed)) };
        dated(ask.clock_offset_us, ask.recv_window_ms).map_err(Refusal::Guard)?;
        let operation = ask.intent.operation();
        let at = strongroom_model::Timestamp::from_us(now.wall.us().saturating_add(ask.clock_offset_us));
        let unsigned =
            encode::encode(&ask.intent, at, ask.recv_window_ms).map_err(|why| not_offered(why, "the supervisor, in its place"))?;
        let credential = open.credential(ask.credential, Venue::Binance).ok_or(no_key(ask.credential))?;
        if !credential.info.stage.signs(operation) || credential.info.api_key.is_empty() {
            return Err(Refusal::Guard(Reason::KeyStage { is: stage_words(&credential.info).to_owned() }));
        }
        let worth = open.gate(&self.freezes, ask, door, now)?;
        let (is_new, is_numbered) = (operation == Operation::Place, matches!(ask.intent, Intent::Place(_) | Intent::Amend { .. }));
        let since_head = open.numbered - open.numbered_in_head;
        if is_numbered {
            // The last head said that there is no further one.
            let none_left = open.closed.then_some(Reason::Sealed);
            none_left.map_or_else(|| numbered(since_head), Err).map_err(Refusal::Guard)?;
        }
        let is_reserved =
            operation == Operation::Cancel || (open.count.has_next() && open.spending.covers(worth) && (!is_new || open.rate.has_next()));
        if !is_reserved {
            out.extend(self.reserve(worth));
            return Ok(None);
        }
        let count = open.count.next().unwrap_or_else(|| open.count.next_unreserved());
        let credential = open.credential(ask.credential, Venue::Binance).ok_or(no_key(ask.credential))?;
        let broken = |_| Refusal::State("a credential in memory cannot be used; seal and unlock".to_owned());
        let scheme = credential.info.scheme;
        let signed = || {
            self.arena.expose(&credential.secret, |secret| {
                SigningKey::from_stored(scheme, secret).and_then(|key| unsigned.sign(&credential.info.api_key, &key))
            })
        };
        // What a shared secret leaves is wiped once the answer is on its way.
        let request = if scheme == Scheme::HmacSha256 { signed() } else { stack::wiped(|| (signed(), Depth::KeyPair)) }
            .map_err(broken)?
            .map_err(|error| match error {
                KeyError::LogsOn => not_offered(error, "an HMAC or RSA key of the same account"),
                KeyError::Name => not_offered(error, "a key whose name has letters and digits only"),
                _ => Refusal::State(error.to_string()),
            })?;
        let credential = credential.info.id;
        if let Intent::Place(order) = &ask.intent {
            // Counted before the signature leaves, and whatever becomes of it.
            let by = By { slot: open.sessions.slot(door), order: &order.client_order_id };
            let is_counted = open.spending.turnover.count(worth, now.wall_s())
                && open.spending.turnovers.count(&open.policy.thresholds, by, worth, now.wall_s());
            if !is_counted {
                return Err(Refusal::State("the worth of what was signed cannot be counted any further".to_owned()));
            }
            open.rate.count(now);
            open.orders += 1;
            open.confirmed.retain(|(confirmed, _)| confirmed != order);
        }
        open.numbered += u64::from(is_numbered);
        let order = is_numbered.then_some((open.opened_at, open.numbered));
        let slot = open.sessions.slot(door).filter(|_| is_new);
        out.extend(self.reserve(worth));
        Ok(Some(Reply::Signed { request, count, expires: at.plus_ms(i64::from(ask.recv_window_ms)), credential, order, slot }))
    }

    /// What waited for a reservation is asked again; `failed`: is refused.
    pub(crate) fn serve_waiting(&mut self, failed: Option<&str>, now: Option<Moment>) -> Vec<Out> {
        let mut out = Vec::new();
        for (id, door, ask) in std::mem::take(&mut self.waiting) {
            let answer = match (failed, now) {
                (None, Some(now)) => match self.sign(&ask, door, now, &mut out) {
                    Some(answer) => answer,
                    None => {
                        self.waiting.push((id, door, ask));
                        continue;
                    }
                },
                (failed, _) => {
                    let why = failed.unwrap_or("the vault was sealed");
                    Err(Refusal::State(format!("what is signed could not be counted ahead: {why}; nothing was signed")))
                }
            };
            out.push(Out::Reply(id, answer.unwrap_or_else(Reply::Refused)));
        }
        out
    }

    /// Asks for the next block of signature numbers, and of worth for orders like the one of `worth`, unless that is under way.
    pub(crate) fn reserve(&mut self, worth: Notional) -> Vec<Out> {
        let Some(open) = self.open.as_mut() else { return Vec::new() };
        let before = open.ledger.reserves();
        let signatures = open.count.wants().filter(|reserved| *reserved > before.signatures);
        let spent = open.spending.wants(worth, open.policy.smallest_day()).filter(|spent| *spent > before.spent);
        let orders = open.rate.wants(open.policy.orders_per_minute).filter(|orders| *orders > before.orders);
        if signatures.is_none() && spent.is_none() && orders.is_none() {
            return Vec::new();
        }
        open.ledger.reserved = signatures.unwrap_or(before.signatures);
        open.ledger.spent = spent.unwrap_or(before.spent);
        open.ledger.orders_reserved = orders.unwrap_or(before.orders);
        self.save_ledger(None)
    }

    /// Hands the ledger out to be saved, as it stands. Later saves contain what earlier ones did.
    pub(crate) fn save_ledger(&mut self, prompt: Option<u64>) -> Vec<Out> {
        let Some(open) = self.open.as_mut() else { return Vec::new() };
        let reserved = open.ledger.reserves();
        let Some((generation, bytes)) = open.sealed_ledger() else {
            return self.save_failed(After::Ledger { reserved, prompt }, "the state could not be sealed");
        };
        self.saving.push(Saving { what: Sealed::State, generation, then: After::Ledger { reserved, prompt } });
        vec![Out::Notice(Notice::Save { what: Sealed::State, generation, mac: Vec::new(), by_kit: None }, Some(bytes))]
    }

    pub(crate) fn is_saving(&self, what: Sealed) -> bool {
        self.saving.iter().any(|saving| saving.what == what)
    }

    fn saved(&mut self, saved: Saved, now: Moment) -> Vec<Out> {
        let Some(at) = self.saving.iter().position(|saving| saving.what == saved.what && saving.generation == saved.generation) else {
            return Vec::new();
        };
        let saving = self.saving.remove(at);
        match saved.error {
            None => self.save_took_effect(saving, now),
            Some(error) => self.save_failed(saving.then, &error),
        }
    }

    fn status(&mut self, door: DoorId, now: Moment) -> Status {
        let freezes = self.freezes.clone();
        let Some(open) = self.open.as_mut() else {
            return Status {
                sealed: true,
                generation: None,
                session: None,
                is_service: false,
                session_end: Some(SessionEnd::NeverOpened),
                freezes,
                signatures: 0,
                orders: 0,
                day: None,
                roles: Vec::new(),
                sessions: Vec::new(),
                managed: None,
                codes_left: 0,
                walls: self.walls,
                schemes: Vec::new(),
            };
        };
        let (idle_ms, age_max_ms) = (open.policy.session_idle_ms, open.policy.session_age_max_ms);
        let session = open.session_at(door, now.mono_ms).map(|session| {
            let left = |since: u64, limit: u64| limit.saturating_sub(now.mono_ms.saturating_sub(since));
            (left(session.used_ms, idle_ms), left(session.opened_ms, age_max_ms))
        });
        Status {
            sealed: false,
            generation: Some(open.vault.generation()),
            session: session.ok(),
            is_service: open.is_of_service(),
            session_end: session.err(),
            freezes,
            signatures: open.count.made(),
            orders: open.orders,
            day: Some((open.spending.turnover.of_day(now.wall_s()), open.policy.day_notional_max)),
            roles: open.sessions.known(door).map(|session| session.roles.clone()).unwrap_or_default(),
            sessions: open.list_sessions(now.mono_ms),
            managed: open.managed.as_ref().map(|managed| managed.note.clone()),
            codes_left: open.codes_left(),
            walls: self.walls,
            schemes: open.credentials.iter().map(|credential| credential.info.scheme).collect(),
        }
    }

    fn lock(&mut self) -> Result<Reply, Refusal> {
        if let Some(open) = self.open.as_mut() {
            open.sessions.end_all();
        }
        Ok(Reply::Done)
    }

    fn end_session(&mut self, door: DoorId) -> Result<Reply, Refusal> {
        match self.open.as_mut().map(|open| open.sessions.end(door)) {
            Some(true) => Ok(Reply::Done),
            _ => Err(Refusal::State("there is no such session".to_owned())),
        }
    }

    fn touch(&mut self, ago_ms: u64, door: DoorId, now: Moment) -> Result<Reply, Refusal> {
        let Some(open) = self.open.as_mut() else { return Err(Refusal::Guard(Reason::Sealed)) };
        // What is over is not renewed.
        let _ = open.session_at(door, now.mono_ms);
        open.sessions.seen(door, now.mono_ms.saturating_sub(ago_ms));
        Ok(Reply::Done)
    }

    /// Engages the kill switch, for the desk or for the supervisor. It holds at once; saving it comes after.
    pub fn freeze(&mut self, freeze: Freeze) -> Vec<Out> {
        // Whatever the words are, it is engaged; they are kept in the state file, and shown.
        let freeze = self.freezes.engage(freeze);
        let mut out = vec![Out::Notice(Notice::Frozen(freeze), None)];
        if let Some(open) = self.open.as_mut().filter(|open| !open.ledger.freezes.includes(&self.freezes)) {
            open.ledger.freezes.merge(&self.freezes);
            out.extend(self.save_ledger(None));
        }
        out
    }
}

impl Open {
    /// The most that an order can be worth, if it may be signed; nothing, for what is no order.
    fn gate(&mut self, freezes: &Freezes, ask: &SignAsk, door: DoorId, now: Moment) -> Result<Notional, Refusal> {
        let order = match &ask.intent {
            Intent::Place(order) => Some(order),
            _ => None,
        };
        if door != DoorId::DESK {
            self.may(Permission::of(&ask.intent), door, now.mono_ms).map_err(Refusal::Guard)?;
        }
        let is_confirmed = order.is_some_and(|order| self.is_confirmed(order, now));
        // Looked up again: the gate borrows what changes, and the key lies beside it.
        let wanted = ask.credential;
        let credential = self.credentials.iter().find(|credential| match wanted {
            Some(id) => credential.info.id == id,
            None => credential.info.stage == KeyStage::Active && credential.info.venue == Venue::Binance,
        });
        let key = &credential.ok_or(no_key(wanted))?.info;
        let session = self.sessions.known(door);
        let slot = self.sessions.slot(door);
        let stops = |order: &PlaceOrder| freezes.stops(key, By { slot, order: &order.client_order_id });
        // One that is not in use yet is tried, whatever it is for.
        let untried = KeyScope::default();
        let scope = if key.stage == KeyStage::New { &untried } else { &key.details.scope };
        let freeze = order.and_then(stops);
        let (rate, turnover, turnovers) = (&mut self.rate.window, &mut self.spending.turnover, &mut self.spending.turnovers);
        let (now_ms, wall) = (now.mono_ms, now.wall);
        let facts = SignerFacts { freeze, session, scope, rate, turnover, slot, turnovers, is_confirmed, now_ms, wall };
        match signer_gate(&self.policy, facts, &ask.intent) {
            Verdict::Deny(reason) => Err(Refusal::Guard(reason)),
            Verdict::Allow => {
                let listed = order.and_then(|order| Some((order, self.policy.instrument(&order.symbol)?)));
                Ok(listed.map(|(order, instrument)| worth_at_most(order, instrument)).unwrap_or_default())
            }
        }
    }

    fn is_confirmed(&self, order: &PlaceOrder, now: Moment) -> bool {
        self.confirmed.iter().any(|(confirmed, until_ms)| confirmed == order && now.mono_ms < *until_ms)
    }
}
