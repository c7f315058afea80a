//! What the desk's tasks share. Invariant: locks are held for moments only and never across an await.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use strongroom_audit::Kind;
use strongroom_desk_api::{KillReport, Tell};
use strongroom_guard::{Freeze, Judgement, KillScope, Policy, Quote};
use strongroom_model::{Advice, Balance, CredentialId, CredentialInfo, PlaceOrder, Timestamp};
use strongroom_signer_api::{ActionEnd, DoorId, Refusal, Reply, Request};
use strongroom_vault_store::Attempt;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::event::{Event, Now};
use crate::feed::Feed;
use crate::idleness::{Idleness, Seen};
use crate::keeper::Keeper;
use crate::key_use::KeyUse;
use crate::presence::Watched;
use crate::signer_link::SignerLink;
use crate::store::{RecordError, Store};
use crate::venue::Venue;

/// A list of keys that changes while it is told, or cannot be had, is asked for again so often.
const KEYS_TRIES: u32 = 8;
const KEYS_AGAIN: std::time::Duration = std::time::Duration::from_millis(200);
/// Outcomes are kept for so long after an action ended.
const OUTCOME_KEPT: Duration = Duration::from_secs(300);
/// The log's head is signed after so many orders and amendments: the signer stops at twice as many.
const NUMBERED_PER_HEAD: u64 = 128;
/// Most outcomes kept.
const OUTCOMES_MAX: usize = 64;

/// What arrives at the pipeline.
pub(crate) enum Inbound {
    /// A door places an order.
    Place { by: DoorId, order: PlaceOrder, reason: Option<String>, reply: oneshot::Sender<Tell> },
    /// What the rules would say of a drafted order.
    Judge { order: PlaceOrder, key: Option<CredentialId>, market: Quote, reply: oneshot::Sender<Option<Judgement>> },
    /// A door cancels one.
    Cancel { id: strongroom_model::ClientOrderId, reply: oneshot::Sender<Tell> },
    /// The kill switch reaches an order again.
    Unprotect { id: strongroom_model::ClientOrderId, reply: oneshot::Sender<Tell> },
    /// A door makes one smaller.
    Amend { id: strongroom_model::ClientOrderId, quantity: strongroom_model::Quantity, reply: oneshot::Sender<Tell> },
    /// Anything else that happens.
    Event(Event),
    /// How many orders are live, how many ambiguous, and why the kill switch is engaged.
    Summary(oneshot::Sender<Summary>),
}

/// A glance at the pipeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) live: u64,
    pub(crate) protected: u64,
    pub(crate) ambiguous: u64,
    pub(crate) killed: Option<String>,
    /// What is stopped beside everything, in words.
    pub(crate) stopped: Vec<String>,
    pub(crate) kill_report: Option<KillReport>,
    pub(crate) policy: Option<Policy>,
    /// Orders that are not over, by the key that placed them.
    pub(crate) live_by_key: BTreeMap<CredentialId, u64>,
}

/// How an action ended, as doors are told.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) end: ActionEnd,
    /// Words or an error that replace the end's own, where the desk did more.
    pub(crate) tell: Option<Tell>,
    at: Instant,
}

pub(crate) struct Hall {
    pub(crate) store: Mutex<Store>,
    pub(crate) keeper: Keeper,
    pub(crate) venue: Venue,
    pub(crate) feed: Feed,
    pub(crate) inbound: mpsc::Sender<Inbound>,
    signer: Mutex<Option<SignerLink>>,
    /// Why the vault was sealed or locked last.
    because: Mutex<Option<String>>,
    ended: Mutex<HashMap<String, Ended>>,
    pub(crate) ended_news: Notify,
    attempts: Mutex<HashMap<String, Attempt>>,
    waiting: Mutex<Vec<String>>,
    orders_version: AtomicU64,
    state_version: AtomicU64,
    /// What the venue said of the account last.
    pub(crate) balances: Mutex<Vec<Balance>>,
    pub(crate) keys: KeyUse,
    watched: OnceLock<Arc<Watched>>,
    idleness: OnceLock<Idleness>,
    /// Numbers given since the log's head was signed.
    signed_since_head: AtomicU64,
    /// Why the signer signs no head of this log, where waiting does not help.
    pub(crate) head_refused: Mutex<Option<Refusal>>,
    start: Instant,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// UTC, as this computer believes.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

impl Hall {
    pub(crate) fn new(store: Store, keeper: Keeper, venue: Venue, feed: Feed, inbound: mpsc::Sender<Inbound>) -> Self {
        let keys = KeyUse::restore(&store);
        Self {
            store: Mutex::new(store),
            keeper,
            venue,
            feed,
            inbound,
            signer: Mutex::new(None),
            because: Mutex::new(None),
            ended: Mutex::new(HashMap::new()),
            ended_news: Notify::new(),
            attempts: Mutex::default(),
            waiting: Mutex::default(),
            orders_version: AtomicU64::new(1),
            state_version: AtomicU64::new(1),
            balances: Mutex::default(),
            keys,
            watched: OnceLock::new(),
            idleness: OnceLock::new(),
            signed_since_head: AtomicU64::new(0),
            head_refused: Mutex::new(None),
            start: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            wall: wall(),
            mono_ms: u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
            venue_offset_us: self.venue.clock_offset_us(),
        }
    }

    /// The signer of now, if one is attached.
    pub(crate) fn signer(&self) -> Option<SignerLink> {
        lock(&self.signer).clone().filter(|link| !link.is_gone())
    }

    pub(crate) fn attach_signer(&self, link: SignerLink) {
        if let Some(old) = lock(&self.signer).replace(link) {
            old.retire();
        }
    }

    /// Asks the signer; none attached is as good as sealed.
    pub(crate) async fn ask_signer(&self, request: &Request) -> Result<Reply, Refusal> {
        match self.signer() {
            Some(link) => link.ask(request, b"", &[]).await,
            None => Err(Refusal::Guard(strongroom_guard::Reason::Sealed)),
        }
    }

    /// All keys in the vault.
    pub(crate) async fn credentials(&self) -> Result<Vec<CredentialInfo>, Refusal> {
        let mut all: Vec<CredentialInfo> = Vec::new();
        let mut expected = None;
        let mut anew = 0;
        loop {
            let count = |known: usize| u32::try_from(known).unwrap_or(u32::MAX);
            let Reply::Credentials { keys, left } = self.ask_signer(&Request::Credentials { from: count(all.len()) }).await? else {
                return Err(Refusal::NotUnderstood);
            };
            let total = count(all.len() + keys.len()).saturating_add(left);
            if expected.is_some_and(|expected| expected != total) {
                // One came or went between two answers: where it stood is not known.
                (all, expected, anew) = (Vec::new(), None, anew + 1);
                if anew >= KEYS_TRIES {
                    return Err(Refusal::Busy);
                }
                continue;
            }
            if keys.is_empty() && left > 0 {
                return Err(Refusal::NotUnderstood);
            }
            expected = Some(total);
            all.extend(keys);
            if left == 0 {
                return Ok(all);
            }
        }
    }

    /// A request that is asked at a door.
    pub(crate) async fn ask_at(&self, door: DoorId, request: Request) -> Result<Reply, Refusal> {
        self.ask_signer(&Request::At { door, request: Box::new(request) }).await
    }

    /// Orders or balances are not what they were.
    pub(crate) fn orders_changed(&self) {
        self.orders_version.fetch_add(1, Ordering::Relaxed);
        self.feed.wake();
    }

    /// Vault, session or kill switch are not what they were.
    pub(crate) fn state_changed(&self) {
        self.state_version.fetch_add(1, Ordering::Relaxed);
        self.feed.wake();
    }

    /// Versions of orders and state.
    pub(crate) fn versions(&self) -> (u64, u64) {
        (self.orders_version.load(Ordering::Relaxed), self.state_version.load(Ordering::Relaxed))
    }

    pub(crate) fn set_because(&self, why: Option<String>) {
        *lock(&self.because) = why;
        self.state_changed();
    }

    pub(crate) fn because(&self) -> Option<String> {
        lock(&self.because).clone()
    }

    pub(crate) fn set_watched(&self, watched: Arc<Watched>, idleness: Idleness) {
        let _ = self.watched.set(watched);
        let _ = self.idleness.set(idleness);
    }

    /// Renews the session as far as the person was seen; `door`: a door says that somebody is at it.
    pub(crate) async fn renew(&self, door: Option<DoorId>) {
        let seen = match self.idleness.get() {
            Some(idleness) => idleness.look().await,
            None => Seen::NoSource,
        };
        if let Some(ago) = seen.renews(door.is_some()) {
            let ago_ms = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
            let touch = Request::Touch { ago_ms };
            // Input to the whole desktop is there for every door; the word of one door for that one.
            let _ = match door.filter(|_| seen == Seen::NoSource) {
                Some(door) => self.ask_at(door, touch).await,
                None => self.ask_signer(&touch).await,
            };
        }
    }

    /// What the operating system is asked to tell of the person, and whether it can.
    pub(crate) fn watched(&self) -> Vec<(String, bool)> {
        let signals = self.watched.get().map(|watched| watched.list()).unwrap_or_default();
        let input = self.idleness.get().map(Idleness::told);
        signals.into_iter().map(|(name, stands)| (name.to_owned(), stands)).chain(input).collect()
    }

    /// Writes entries that belong to no order.
    pub(crate) fn note(&self, entries: &[(Kind, Value)]) -> Result<(), RecordError> {
        let recorded = lock(&self.store).record(&[], entries, wall());
        if let Err(error) = &recorded {
            tracing::error!(%error, "could not write to the log");
        }
        recorded
    }

    pub(crate) fn set_ended(&self, ticket: String, end: ActionEnd, tell: Option<Tell>) {
        lock(&self.waiting).retain(|waiting| *waiting != ticket);
        let mut ended = lock(&self.ended);
        ended.retain(|_, ended| ended.at.elapsed() < OUTCOME_KEPT);
        if ended.len() < OUTCOMES_MAX {
            ended.insert(ticket, Ended { end, tell, at: Instant::now() });
        }
        drop(ended);
        self.state_changed();
        self.ended_news.notify_waiters();
    }

    /// A person is asked because of this ticket.
    pub(crate) fn note_ticket(&self, ticket: String) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= OUTCOMES_MAX {
            waiting.remove(0);
        }
        waiting.push(ticket);
    }

    /// The signer that knew them is gone: nothing of them will ever end.
    pub(crate) fn give_up_tickets(&self) {
        // They stay counted.
        lock(&self.attempts).clear();
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        for ticket in waiting {
            let why = "the signer ended; what was not saved was not done. Unlock and look".to_owned();
            self.set_ended(ticket, ActionEnd::Failed { why, advice: Advice::Ask, wrong_factor: false }, None);
        }
    }

    /// An attempt was counted for this action.
    pub(crate) fn note_attempt(&self, ticket: String, attempt: Attempt) {
        let mut attempts = lock(&self.attempts);
        // More are never open at once; what is dropped stays counted.
        if attempts.len() < OUTCOMES_MAX {
            attempts.insert(ticket, attempt);
        }
    }

    /// How many of a kind are counted and not judged yet.
    pub(crate) fn open_attempts(&self, attempt: Attempt) -> u32 {
        let open = lock(&self.attempts).values().filter(|open| **open == attempt).count();
        u32::try_from(open).unwrap_or(u32::MAX)
    }

    /// What was counted for an action, once.
    pub(crate) fn attempt_of(&self, ticket: &str) -> Option<Attempt> {
        lock(&self.attempts).remove(ticket)
    }

    pub(crate) fn ended(&self, ticket: &str) -> Option<Ended> {
        lock(&self.ended).get(ticket).cloned()
    }

    /// The kill switch was engaged: the pipeline is told, with the keys of the account that it may name.
    pub(crate) async fn killed(&self, freeze: Freeze) {
        let keys = match &freeze.scope {
            KillScope::Account(account) => self.keys_of(account).await,
            _ => Vec::new(),
        };
        self.event(Event::Killed { freeze, keys }).await;
    }

    /// Which keys an account means; of a vault that is sealed that is asked again when it is open.
    async fn keys_of(&self, account: &str) -> Vec<CredentialId> {
        for _ in 0..KEYS_TRIES {
            match self.credentials().await {
                Ok(keys) => return keys.into_iter().filter(|key| key.details.account == account).map(|key| key.id).collect(),
                Err(Refusal::Guard(_)) => return Vec::new(),
                Err(_) => tokio::time::sleep(KEYS_AGAIN).await,
            }
        }
        tracing::error!(account, "which keys an account means could not be found out");
        Vec::new()
    }

    pub(crate) async fn event(&self, event: Event) {
        let _ = self.inbound.send(Inbound::Event(event)).await;
    }

    pub(crate) async fn summary(&self) -> Summary {
        let (reply, wait) = oneshot::channel();
        let _ = self.inbound.send(Inbound::Summary(reply)).await;
        wait.await.unwrap_or_default()
    }

    /// The signer gave a number to what it signed: it does so only so often without a signed head.
    pub(crate) fn numbered(self: &Arc<Self>) {
        if (self.signed_since_head.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(NUMBERED_PER_HEAD) {
            let hall = self.clone();
            tokio::spawn(async move { hall.checkpoint(true).await });
        }
    }

    /// Has the log's head signed, if a checkpoint is due.
    pub(crate) async fn checkpoint(self: &Arc<Self>, now_or_never: bool) {
        let head = lock(&self.store).wants_checkpoint(now_or_never);
        if let Some(head) = head {
            self.seal_head(head, false).await;
        }
    }

    /// Has the log's head signed as the last one of this opening: no order is signed after it.
    pub(crate) async fn close_log(self: &Arc<Self>) {
        let head = lock(&self.store).written_head();
        if let Some(head) = head {
            self.seal_head(head, true).await;
        }
    }

    async fn seal_head(self: &Arc<Self>, head: strongroom_audit::Head, closes: bool) {
        let request = Request::SealHead { size: head.size, head: head.hash.to_vec(), closes };
        self.signed_since_head.store(0, Ordering::Relaxed);
        let (signature, public_key, text) = match self.ask_signer(&request).await {
            Ok(Reply::HeadSealed { signature, public_key, text }) => (signature, public_key, text),
            other => {
                *lock(&self.head_refused) = other.err().filter(|refusal| matches!(refusal, Refusal::HeadOlder { .. }));
                return;
            }
        };
        *lock(&self.head_refused) = None;
        let (Ok(signature), Ok(public_key)) = (signature.as_slice().try_into(), public_key.as_slice().try_into()) else { return };
        let mut store = lock(&self.store);
        let note = strongroom_audit::assemble(&text, public_key, signature);
        if let Err(error) = store.save_checkpoint(head.size, &note, closes) {
            tracing::error!(%error, "could not keep a checkpoint");
        }
    }
}
