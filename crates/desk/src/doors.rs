//! Doors at the desk's socket: one JSON line in, one out. Invariant: only the same user is heard; a door that stalls
//! holds nobody up.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::socket::{DESK_SOCKET, LINE_LEN_MAX, listen, peer_is_same_user, run_dir};
use strongroom_desk_api::{Ask, AuditEntry, SessionRow, SessionView, Tell, VaultState, VaultView};
use strongroom_guard::{Enforcer, Permission, Policy, Reason, SessionEnd};
use strongroom_model::{Advice, PlaceOrder};
use strongroom_signer_api::channel::Channel;
use strongroom_signer_api::{DoorId, Refusal, Reply, Request, SessionInfo, Status};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::Semaphore;

use crate::account;
use crate::actions::{self, refused};
use crate::hall::{Hall, Summary, lock, wall};
use crate::locking;
use crate::machine::error;
use crate::ordering::named;
use crate::outcomes;
use crate::rotation;
use crate::watching;
use crate::whereabouts;

/// Most doors at once.
const DOORS_MAX: usize = 64;
/// A door that asks nothing for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// A door waits so long for a prompt's outcome.
const OUTCOME_PATIENCE: Duration = Duration::from_secs(60);

/// Opens the socket and serves doors.
pub(crate) fn open(profile: &Path, hall: Arc<Hall>, supervisor: Channel) -> io::Result<()> {
    let listener = listen(&run_dir(profile), DESK_SOCKET)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(DOORS_MAX));
    let supervisor = Arc::new(supervisor);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            if !matches!(peer_is_same_user(stream.as_fd()), Ok(true)) {
                continue;
            }
            let door = Door { hall: Arc::clone(&hall), supervisor: Arc::clone(&supervisor), id: whereabouts::door_of(&stream) };
            tokio::spawn(async move {
                let _ = door.serve(stream).await;
                drop(place);
            });
        }
    });
    Ok(())
}

pub(crate) struct Door {
    pub(crate) hall: Arc<Hall>,
    supervisor: Arc<Channel>,
    /// From where it is spoken at.
    pub(crate) id: DoorId,
}

impl Door {
    async fn serve(&self, stream: UnixStream) -> io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        loop {
            let mut line = Vec::new();
            let asked = tokio::time::timeout(IDLE_MAX, (&mut reader).take(LINE_LEN_MAX).read_until(b'\n', &mut line)).await;
            // A door that says nothing makes room for others.
            let Ok(read) = asked else { return Ok(()) };
            if read? == 0 {
                return Ok(());
            }
            let ask = match serde_json::from_slice::<Ask>(&line) {
                Ok(ask) => self.may(ask.permission()).await.map(|()| ask).map_err(|reason| refused(&Refusal::Guard(reason))),
                Err(failure) => Err(error("not-understood", format!("the request is not understood: {failure}"), Advice::Bug)),
            };
            let tell = match ask {
                Ok(Ask::Watch { watch }) => {
                    // Whatever the door says next, or its end, ends the frames.
                    let end = async {
                        let _ = reader.fill_buf().await;
                    };
                    watching::frames(&self.hall, &watch, &mut writer, end).await?;
                    continue;
                }
                Ok(ask) => self.answer(ask).await,
                Err(tell) => tell,
            };
            write_line(&mut writer, &tell).await?;
        }
    }

    /// What the table says that the desk refuses. The rest the signer refuses itself, whatever the desk says.
    async fn may(&self, permission: Permission) -> Result<(), Reason> {
        let row = permission.row();
        if row.enforcer == Enforcer::Signer || row.roles.is_empty() {
            return Ok(());
        }
        match self.status().await {
            Some(Status { session: Some(_), roles, .. }) => permission.check_roles(&roles),
            Some(Status { sealed: false, session_end, .. }) => Err(Reason::Session { end: session_end.unwrap_or(SessionEnd::NeverOpened) }),
            _ => Err(Reason::Sealed),
        }
    }

    async fn answer(&self, ask: Ask) -> Tell {
        match ask {
            Ask::Alive => Tell::Done { words: "The desk is running.".to_owned() },
            Ask::Vault => self.vault().await,
            Ask::Session => Tell::Session(Box::new(self.session().await)),
            Ask::Stay => {
                self.hall.renew(Some(self.id)).await;
                Tell::Done { words: "The session goes on, as far as somebody is there.".to_owned() }
            }
            // Handled where the connection is, because it answers more than once.
            Ask::Watch { .. } => error("not-understood", "frames are asked for on a connection of their own".to_owned(), Advice::Bug),
            Ask::Instruments => {
                // What only counts is not for trading.
                let policy = self.hall.summary().await.policy;
                let mut instruments = self.hall.venue.followed();
                instruments.retain(|found| policy.as_ref().is_none_or(|policy| policy.instrument(&found.symbol).is_some()));
                Tell::Instruments { instruments }
            }
            Ask::Candles { symbol, interval } => match self.hall.venue.candles(&symbol, interval).await {
                Ok(candles) => Tell::Candles { candles },
                Err(words) => error("venue", format!("no candles came: {words}"), Advice::RetryAfter(1_000)),
            },
            Ask::Check { symbol, side, spec, reduce_only } => account::check(&self.hall, self.id, symbol, side, spec, reduce_only).await,
            Ask::Size { symbol, side, price, percent } => account::size(&self.hall, &symbol, side, price, percent).await,
            Ask::Prepare { action } => actions::prepare(&self.hall, self.id, action).await,
            Ask::Outcome { ticket } => self.outcome(&ticket).await,
            Ask::Lock => locking::lock(&self.hall, &self.supervisor, "it was locked").await,
            Ask::EndSession { door } => self.end_session(&door).await,
            Ask::Seal => locking::seal(&self.hall, &self.supervisor, "a person sealed it").await,
            Ask::Keys => account::keys(&self.hall).await,
            Ask::Slots => match self.hall.ask_at(self.id, Request::Slots).await {
                Ok(Reply::Slots(slots)) => Tell::Slots { slots },
                other => unexpected(other),
            },
            Ask::PublicKey { id } => match self.hall.ask_signer(&Request::PublicKey { id }).await {
                Ok(Reply::PublicKey(pem)) => Tell::PublicKey { pem },
                other => unexpected(other),
            },
            Ask::GoOn { id } => rotation::go_on(&self.hall, id).await,
            Ask::Suspect { id, why } => account::suspect(&self.hall, id, why).await,
            Ask::Policy => match self.hall.ask_signer(&Request::Policy).await {
                Ok(Reply::Policy(policy)) => self.policy(*policy).await,
                other => unexpected(other),
            },
            Ask::Place { client_order_id: name, symbol, side, spec, reduce_only, reason } => match named(name) {
                Ok(client_order_id) => self.place(PlaceOrder { client_order_id, symbol, side, spec, reduce_only }, reason).await,
                Err(failure) => error("client-order-id", failure.to_string(), Advice::Refuse),
            },
            Ask::Cancel { client_order_id } => self.cancel(&client_order_id).await,
            Ask::Amend { client_order_id, quantity } => self.amend(&client_order_id, quantity).await,
            Ask::Orders { live } => self.orders(live),
            Ask::Order { client_order_id } => match lock(&self.hall.store).order(&client_order_id) {
                Ok(Some(order)) => Tell::Order(Box::new(order.view())),
                Ok(None) => error("unknown-order", format!("no order named {client_order_id} is known"), Advice::Refuse),
                Err(failure) => error("store", failure.to_string(), failure.advice()),
            },
            Ask::Book { symbol, depth } => match self.hall.feed.view(&symbol, depth) {
                Some(book) => Tell::Book(book),
                None => error(
                    "no-book",
                    format!("no book of {symbol} is followed; the venue is down or does not trade it"),
                    Advice::RetryAfter(1_000),
                ),
            },
            Ask::Balance => account::balances(&self.hall, self.id).await,
            Ask::Kill { why, scope } => self.kill(why, scope).await,
            Ask::KillReport => Tell::KillReport { report: self.hall.summary().await.kill_report.map(Box::new) },
            Ask::Unprotect { client_order_id } => self.unprotect(&client_order_id).await,
            Ask::Audit { before, last } => self.audit(before, last).await,
        }
    }

    /// As a person can set it again.
    async fn policy(&self, policy: Policy) -> Tell {
        let policy = policy.as_set();
        let managed = self.status().await.and_then(|status| status.managed).map(Box::new);
        Tell::Policy { policy: Box::new(policy), managed }
    }

    pub(crate) async fn status(&self) -> Option<Status> {
        match self.hall.ask_at(self.id, Request::Status).await {
            Ok(Reply::Status(status)) => Some(*status),
            _ => None,
        }
    }

    /// Ends the session of one door; the last one locks.
    async fn end_session(&self, named: &str) -> Tell {
        let Some(status) = self.status().await else { return refused(&Refusal::Guard(Reason::Sealed)) };
        let Some(found) = status.sessions.iter().find(|session| session.door.0.to_string() == named) else {
            return error("no-session", format!("there is no session {named}; `strongroom sessions` lists them"), Advice::Refuse);
        };
        if status.sessions.len() == 1 {
            return locking::lock(&self.hall, &self.supervisor, "its last session was ended").await;
        }
        match self.hall.ask_signer(&Request::EndSession { door: found.door }).await {
            Ok(_) => {
                let _ = self.hall.note(&[(Kind::SessionClosed, json!({"door": whereabouts::words(found.door), "by": found.by}))]);
                self.hall.state_changed();
                Tell::Done { words: format!("The session of {} is ended.", whereabouts::words(found.door)) }
            }
            Err(refusal) => refused(&refusal),
        }
    }

    async fn vault(&self) -> Tell {
        let look = self.hall.keeper.look().await;
        let status = self.status().await;
        let (vault_id, generation, anchor) = match look {
            Ok(Some(look)) => (Some(hex::encode(look.vault_id)), Some(look.generation), look.words()),
            Ok(None) => (None, None, "there is no vault yet".to_owned()),
            Err(failure) => (None, None, failure.message),
        };
        let missing = vault_id.is_none() && anchor == "there is no vault yet";
        let state = if missing { VaultState::Missing } else { state_of(status.as_ref()) };
        let named = |(name, _, stands): (&str, bool, bool)| (name.to_owned(), stands);
        let walls = status.as_ref().map(|status| status.walls.named().map(named).to_vec());
        let because = match status.as_ref().and_then(|status| status.session_end) {
            // One session that was ended from another door locked nothing else.
            Some(end @ SessionEnd::Locked) if state == VaultState::Locked => self.hall.because().or_else(|| Some(end.to_string())),
            Some(end) if state == VaultState::Locked => Some(end.to_string()),
            _ if state == VaultState::Sealed => self.hall.because(),
            _ => None,
        };
        let log_key = lock(&self.hall.store).meta("log_key").ok().flatten().and_then(|key| log_key_text(&key));
        let Summary { killed, stopped, .. } = self.hall.summary().await;
        let backups = self.hall.keeper.backups().await.unwrap_or_default();
        let watched = self.hall.watched();
        let walls = walls.unwrap_or_default();
        let codes_left = status.as_ref().filter(|status| !status.sealed).map(|status| status.codes_left);
        let managed = status.and_then(|status| status.managed);
        Tell::Vault(VaultView {
            state,
            vault_id,
            generation,
            because,
            anchor,
            walls,
            watched,
            log_key,
            killed,
            stopped,
            backups,
            codes_left,
            managed,
        })
    }

    fn session_rows(&self, status: &Status) -> Vec<SessionRow> {
        let row = |session: &SessionInfo| SessionRow {
            door: session.door.0.to_string(),
            place: whereabouts::words(session.door),
            is_here: session.door == self.id,
            by: session.by.clone(),
            roles: session.roles.clone(),
            is_service: session.is_service,
            idle_left_ms: session.idle_left_ms,
            age_left_ms: session.age_left_ms,
        };
        status.sessions.iter().map(row).collect()
    }

    async fn session(&self) -> SessionView {
        let status = self.status().await;
        let summary = self.hall.summary().await;
        let (stream_age_ms, resyncs) = self.hall.feed.health();
        let state = state_of(status.as_ref());
        let account = if state == VaultState::Sealed { None } else { account::key_in_use(&self.hall).await };
        SessionView {
            state,
            mode: self.hall.venue.mode,
            venue: self.hall.venue.name(),
            account: account.map(|key| key.label).unwrap_or_default(),
            is_service: status.as_ref().is_some_and(|status| status.is_service),
            idle_left_ms: status.as_ref().and_then(persons_session).map(|(idle, _)| idle),
            age_left_ms: status.as_ref().and_then(persons_session).map(|(_, age)| age),
            signatures: status.as_ref().map_or(0, |status| status.signatures),
            day_notional: status.as_ref().and_then(|status| status.day),
            sessions: status.as_ref().map(|status| self.session_rows(status)).unwrap_or_default(),
            roles: status.map(|status| status.roles).unwrap_or_default(),
            killed: summary.killed,
            stopped: summary.stopped,
            lines: self.hall.venue.line_views(stream_age_ms, resyncs),
            limits: self.hall.venue.limit_views(),
            live_orders: summary.live,
            protected_orders: summary.protected,
            ambiguous_orders: summary.ambiguous,
            at: wall(),
        }
    }

    async fn outcome(&self, ticket: &str) -> Tell {
        let end = tokio::time::Instant::now() + OUTCOME_PATIENCE;
        loop {
            let news = self.hall.ended_news.notified();
            if let Some(ended) = self.hall.ended(ticket) {
                return ended.tell.unwrap_or_else(|| outcomes::told(ended.end));
            }
            if tokio::time::timeout_at(end, news).await.is_err() {
                return error("outcome", "this action has not ended".to_owned(), Advice::RetryAfter(1_000));
            }
        }
    }

    async fn audit(&self, before: Option<u64>, last: u32) -> Tell {
        let last = last.clamp(1, strongroom_desk_api::door::AUDIT_PAGE_MAX);
        let mut entries = std::collections::VecDeque::new();
        let size = match lock(&self.hall.store).log_size() {
            Ok(size) => size,
            Err(failure) => return error("store", failure.to_string(), failure.advice()),
        };
        let mut upto = before.unwrap_or(size).min(size);
        // An epoch's opening leaf has no payload; going back over it leads into the epoch before.
        while upto > 0 && entries.len() < last as usize {
            let leaves = match lock(&self.hall.store).epoch_of(upto - 1) {
                Ok(leaves) if !leaves.is_empty() => leaves,
                Ok(_) => break,
                Err(failure) => return error("store", failure.to_string(), failure.advice()),
            };
            let wanted = last - u32::try_from(entries.len()).unwrap_or(last);
            match actions::read_log(&self.hall, self.id, &leaves, wanted).await {
                Ok(texts) => {
                    let shown = &leaves[leaves.len() - texts.len()..];
                    for (leaf, text) in shown.iter().zip(&texts).rev() {
                        entries.push_front(audit_entry(leaf, text));
                    }
                    if texts.is_empty() && leaves.len() > 1 {
                        break;
                    }
                }
                Err(tell) => return tell,
            }
            upto = leaves[0].seq;
        }
        Tell::Audit { entries: entries.into(), size }
    }
}

/// One answer, as a line.
pub(crate) async fn write_line(writer: &mut OwnedWriteHalf, tell: &Tell) -> io::Result<()> {
    let mut answer = serde_json::to_vec(tell)?;
    answer.push(b'\n');
    writer.write_all(&answer).await
}

fn audit_entry(leaf: &strongroom_audit::Leaf, text: &str) -> AuditEntry {
    let fields = strongroom_audit::Fields::parse(&leaf.bytes).ok();
    AuditEntry {
        seq: leaf.seq,
        at: fields.as_ref().map(|fields| fields.at).unwrap_or_default(),
        kind: fields.map(|fields| fields.kind).unwrap_or_default(),
        payload: serde_json::from_str(text).unwrap_or(serde_json::Value::Null),
    }
}

/// What is left of a person's session; a machine's does not end by itself.
fn persons_session(status: &Status) -> Option<(u64, u64)> {
    status.session.filter(|_| !status.is_service)
}

fn state_of(status: Option<&Status>) -> VaultState {
    match status {
        Some(status) if status.sealed => VaultState::Sealed,
        Some(status) if status.session.is_some() => VaultState::Unlocked,
        Some(_) => VaultState::Locked,
        None => VaultState::Sealed,
    }
}

fn log_key_text(hexadecimal: &str) -> Option<String> {
    let key: [u8; 32] = hex::decode(hexadecimal).ok()?.try_into().ok()?;
    Some(strongroom_audit::key_text(&key))
}

pub(crate) fn unexpected(answer: Result<Reply, strongroom_signer_api::Refusal>) -> Tell {
    match answer {
        Err(refusal) => refused(&refusal),
        Ok(_) => refused(&strongroom_signer_api::Refusal::NotUnderstood),
    }
}
