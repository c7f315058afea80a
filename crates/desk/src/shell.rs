//! The shell of the desk: runs the pipeline's effects, the heartbeat and the tasks around it.
//!
//! Invariant: the heartbeat beats from the pipeline's own loop, so that a pipeline that hangs is seen from outside.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::Tell;
use strongroom_guard::{Freeze, KillScope, Reason};
use strongroom_model::CredentialId;
use strongroom_signer_api::channel::Channel;
use strongroom_signer_api::control::{FromDesk, ToDesk};
use strongroom_signer_api::{DoorId, Notice, Refusal, Reply, Request, SignAsk};
use strongroom_venues::binance::encode::RECV_WINDOW_MS;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::account;
use crate::actions;
use crate::doors;
use crate::event::{Door, Effect, Event, Signed, Tag};
use crate::feed::Feed;
use crate::hall::{Hall, Inbound, Summary, lock, wall};
use crate::keeper::Keeper;
use crate::locking;
use crate::machine::Machine;
use crate::order::Stage;
use crate::placing::Highest;
use crate::signer_link::{SignerLink, Told};
use crate::store::{RecordError, Store};
use crate::venue::{Venue, VenueConfig};

/// The pipeline turns at least so often; each turn is a heartbeat.
const TICK: Duration = Duration::from_millis(100);
/// The rules see new prices every so many ticks.
const MARKS_EVERY: u32 = 5;
/// Orders that are looked through for those of today.
const TODAY_MAX: u32 = 10_000;
/// A checkpoint is written so long after the last entry.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// Where it is kept why everything is stopped, and what else is.
const KILLED: &str = "killed";
const STOPS: &str = "stops";
/// The day's highest results.
const HIGHEST: &str = "highest";
/// They are kept every so many ticks, if they changed.
const HIGHEST_EVERY: u32 = 50;
/// Most things waiting for the pipeline.
const INBOUND_MAX: usize = 4_096;
/// A signer that ended is replaced by the supervisor well before all of these looks.
const SIGNER_LOOKS: u32 = 20;
/// Another one is asked for so often; then a person is needed.
const SIGNER_ASKS: u32 = 5;
const SIGNER_LOOK: Duration = Duration::from_millis(100);

/// How a desk is started.
pub struct Config {
    /// Profile folder.
    pub dir: PathBuf,
    /// Where to trade.
    pub venue: VenueConfig,
    /// The channel to the supervisor.
    pub supervisor: Channel,
}

/// Why a desk did not start or ended.
#[derive(Debug, Error)]
pub enum DeskError {
    /// The profile's database.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Sockets and threads.
    #[error("the desk cannot work: {0}")]
    Io(#[from] io::Error),
    /// The venue cannot even be named.
    #[error("{0}")]
    Venue(String),
}

/// What the supervisor says.
enum Order {
    Signer(Channel),
    SignerGone(String),
    Killed(String),
    DeskDied,
    Quit,
}

/// Runs the desk until the supervisor ends it.
pub async fn run(config: Config) -> Result<(), DeskError> {
    let (inbound, arrivals) = mpsc::channel(INBOUND_MAX);
    let store = Store::open(&config.dir.join("desk.db"))?;
    let keeper = Keeper::start(config.dir.clone())?;
    let venue = Venue::new(config.venue, &store).map_err(DeskError::Venue)?;
    let hall = Arc::new(Hall::new(store, keeper, venue, Feed::default(), inbound));
    let machine = begin(&hall)?;
    let orders = listen_to_supervisor(config.supervisor.try_clone()?)?;
    doors::open(&config.dir, Arc::clone(&hall), config.supervisor.try_clone()?)?;
    locking::follow(Arc::clone(&hall), config.supervisor.try_clone()?)?;
    Arc::clone(&hall).spawn_venue_tasks();
    tokio::spawn(checkpoints(Arc::clone(&hall)));
    let (saves, to_save) = mpsc::unbounded_channel();
    tokio::spawn(save_in_order(Arc::clone(&hall), to_save));
    Pipeline {
        hall,
        machine,
        supervisor: config.supervisor,
        doors: HashMap::new(),
        next_door: 1,
        saves,
        ticks: 0,
        highest: Highest::default(),
        pairs_known: 0,
    }
    .turn(arrivals, orders)
    .await;
    Ok(())
}

/// Goes on from what was recorded.
fn begin(hall: &Arc<Hall>) -> Result<Machine, DeskError> {
    let mut store = lock(&hall.store);
    if let Some((log_id, read_key)) = store.log_keys()? {
        store.begin_log(log_id, &read_key, wall())?;
    }
    let orders = store.live_orders()?;
    let earlier = store.newest_orders(TODAY_MAX)?;
    let killed = store.meta(KILLED)?;
    let stops = store.meta(STOPS)?.and_then(|stops| serde_json::from_str::<Vec<Freeze>>(&stops).ok()).unwrap_or_default();
    let highest = store.meta(HIGHEST)?.and_then(|kept| serde_json::from_str::<Highest>(&kept).ok()).unwrap_or_default();
    let unfinished = orders.len();
    store.record(&[], &[(Kind::DeskStarted, json!({"version": env!("CARGO_PKG_VERSION"), "live_orders": unfinished}))], wall())?;
    drop(store);
    let mut machine = Machine::resume(orders, hall.now(), RECV_WINDOW_MS);
    machine.remember(earlier, hall.now());
    machine.remember_highest(&highest, hall.now());
    for freeze in stops {
        machine.stop(freeze, Vec::new());
    }
    if let Some(why) = killed {
        // What rests is cancelled as soon as the venue and the signer can be reached.
        machine.resume_killed(Freeze::everything(&why), hall.now());
    }
    Ok(machine)
}

fn listen_to_supervisor(channel: Channel) -> io::Result<mpsc::UnboundedReceiver<Order>> {
    let (tell, orders) = mpsc::unbounded_channel();
    std::thread::Builder::new().name("supervisor".to_owned()).spawn(move || {
        let mut buffer = [0; 1_024];
        while let Ok(Some(packet)) = channel.recv(&mut buffer) {
            let order = match (ToDesk::decode(&buffer[..packet.len]), packet.fds.into_iter().next()) {
                (Some(ToDesk::AttachSigner), Some(fd)) => Order::Signer(Channel::from_fd(fd)),
                (Some(ToDesk::SignerGone(why)), _) => Order::SignerGone(why),
                (Some(ToDesk::Killed(why)), _) => Order::Killed(why),
                (Some(ToDesk::DeskDied), _) => Order::DeskDied,
                (Some(ToDesk::Quit), _) => Order::Quit,
                _ => continue,
            };
            if tell.send(order).is_err() {
                return;
            }
        }
        let _ = tell.send(Order::Quit);
    })?;
    Ok(orders)
}

/// A line that broke while its signer goes on leads nowhere: a signer that is sealed takes its place. One that ended is replaced by itself.
async fn ask_for_another(hall: Arc<Hall>, supervisor: Channel) {
    for _ in 0..SIGNER_ASKS {
        for _ in 0..SIGNER_LOOKS {
            tokio::time::sleep(SIGNER_LOOK).await;
            if hall.signer().is_some() {
                return;
            }
        }
        tracing::error!("the line to the signer broke, and no other one came");
        hall.set_because(Some("the line between desk and signer broke".to_owned()));
        let _ = supervisor.try_send(FromDesk::Seal.encode(), &[]);
    }
}

async fn checkpoints(hall: Arc<Hall>) {
    let mut last = None;
    loop {
        tokio::time::sleep(CHECKPOINT_EVERY / 4).await;
        let head = lock(&hall.store).wants_checkpoint(true).map(|head| head.size);
        // The same uncovered end as a moment ago: nothing was added since.
        let quiet = head.is_some() && head == last;
        hall.checkpoint(quiet).await;
        let _ = hall.keys.write(&lock(&hall.store), wall());
        last = head;
    }
}

struct Pipeline {
    hall: Arc<Hall>,
    machine: Machine,
    supervisor: Channel,
    doors: HashMap<Door, oneshot::Sender<Tell>>,
    next_door: Door,
    saves: mpsc::UnboundedSender<ToSave>,
    ticks: u32,
    /// As it was kept last.
    highest: Highest,
    pairs_known: usize,
}

/// What the signer handed out, and the descriptor of its bytes.
type ToSave = (Notice, Option<OwnedFd>);

/// Saves in the order in which the signer handed out: a later file contains what an earlier one did.
async fn save_in_order(hall: Arc<Hall>, mut saves: mpsc::UnboundedReceiver<ToSave>) {
    while let Some((notice, file)) = saves.recv().await {
        actions::on_notice(Arc::clone(&hall), notice, file).await;
    }
}

impl Pipeline {
    async fn turn(mut self, mut arrivals: mpsc::Receiver<Inbound>, mut orders: mpsc::UnboundedReceiver<Order>) {
        let (told, mut tellings) = mpsc::unbounded_channel();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Quit) | None => break,
                    Some(order) => self.obey(order, &told),
                },
                Some(telling) = tellings.recv() => self.told(telling),
                _ = tick.tick() => {
                    let _ = self.supervisor.try_send(FromDesk::Alive.encode(), &[]);
                    self.ticks = self.ticks.wrapping_add(1);
                    if self.ticks.is_multiple_of(MARKS_EVERY) {
                        self.look_at_markets();
                    }
                    self.step(Event::Tick);
                }
                Some(arrival) = arrivals.recv() => self.arrived(arrival),
            }
        }
        let _ = self.hall.note(&[(Kind::DeskStopped, json!({}))]);
        self.hall.close_log().await;
    }

    fn obey(&mut self, order: Order, told: &mpsc::UnboundedSender<Told>) {
        match order {
            Order::Signer(channel) => match SignerLink::new(channel, told.clone()) {
                Ok(link) => {
                    self.hall.attach_signer(link);
                    // A signer that was open before this desk came goes on where it stood.
                    tokio::spawn(actions::greet_signer(Arc::clone(&self.hall), self.machine.freezes()));
                }
                Err(error) => tracing::error!(%error, "the signer cannot be reached"),
            },
            Order::SignerGone(why) => {
                let kind = if why == "crashed" { Kind::SignerCrashed } else { Kind::Sealed };
                let because = if why == "crashed" {
                    "the signer crashed".to_owned()
                } else {
                    self.hall.because().unwrap_or_else(|| "sealed".to_owned())
                };
                let _ = self.hall.note(&[(kind, json!({"because": because}))]);
                self.hall.set_because(Some(because));
                self.hall.give_up_tickets();
                self.step(Event::Policy(None));
            }
            Order::Killed(why) => {
                let freeze = Freeze::everything(&why);
                self.killed(freeze.clone(), Vec::new());
                // What stops the desk stops the signer, so that one re-arming takes both back.
                let hall = Arc::clone(&self.hall);
                tokio::spawn(async move { hall.ask_signer(&Request::Kill(freeze)).await });
            }
            Order::DeskDied => self.step(Event::DeskDied),
            Order::Quit => {}
        }
    }

    fn killed(&mut self, freeze: Freeze, keys: Vec<CredentialId>) {
        if let Some(engaged) = self.machine.stop(freeze.clone(), keys.clone()) {
            self.remember(&engaged);
        }
        self.step(Event::Killed { freeze, keys });
        self.hall.state_changed();
    }

    /// Across restarts, before anything else is done about it: a sealed signer has nowhere to keep it.
    fn remember(&self, freeze: &Freeze) {
        if freeze.scope == KillScope::Everything {
            let _ = lock(&self.hall.store).set_meta(KILLED, Some(&freeze.why));
        } else {
            let stops: Vec<Freeze> = self.machine.freezes().into_iter().filter(|known| known.scope != KillScope::Everything).collect();
            let _ = lock(&self.hall.store).set_meta(STOPS, serde_json::to_string(&stops).ok().as_deref());
        }
        let _ = self.hall.note(&[(Kind::Killed, json!({"why": freeze.why, "scope": freeze.scope.to_string()}))]);
        self.hall.state_changed();
    }

    /// Prices of what is on the list, once in a while; instruments as soon as they are known.
    fn look_at_markets(&mut self) {
        let Some(policy) = self.machine.policy() else { return };
        let counted: Vec<_> = policy.summed().map(|counted| counted.symbol.clone()).collect();
        let marks = counted.into_iter().filter_map(|symbol| Some((symbol.clone(), self.hall.feed.mark(&symbol)?))).collect();
        let instruments = self.hall.venue.instruments();
        if instruments.len() != self.pairs_known {
            self.pairs_known = instruments.len();
            let pairs = instruments.into_iter().map(|found| (found.symbol, found.base, found.quote)).collect();
            self.step(Event::Pairs(pairs));
        }
        self.step(Event::Marks(marks));
        if self.ticks.is_multiple_of(HIGHEST_EVERY) {
            let highest = self.machine.highest();
            if highest != self.highest {
                let _ = lock(&self.hall.store).set_meta(HIGHEST, serde_json::to_string(&highest).ok().as_deref());
                self.highest = highest;
            }
        }
    }

    fn told(&mut self, telling: Told) {
        match telling {
            // Everything is stopped at once; what an account means is asked first.
            Told::Notice(Notice::Frozen(freeze), _) if freeze.scope == KillScope::Everything => self.killed(freeze, Vec::new()),
            Told::Notice(notice @ Notice::Save { .. }, file) => drop(self.saves.send((notice, file))),
            Told::Notice(notice, file) => {
                tokio::spawn(actions::on_notice(Arc::clone(&self.hall), notice, file));
            }
            Told::Gone => {
                if let Ok(supervisor) = self.supervisor.try_clone() {
                    tokio::spawn(ask_for_another(Arc::clone(&self.hall), supervisor));
                }
            }
        }
    }

    fn arrived(&mut self, arrival: Inbound) {
        match arrival {
            Inbound::Place { by, order, reason, reply } => {
                let market = account::market_of(&self.hall, &order);
                let door = self.door(reply);
                self.step(Event::Place { door, by, order, market, reason });
            }
            Inbound::Judge { order, key, market, reply } => drop(reply.send(self.machine.judge(&order, key, market, self.hall.now()))),
            Inbound::Cancel { id, reply } => {
                let door = self.door(reply);
                self.step(Event::Cancel { door, id });
            }
            Inbound::Unprotect { id, reply } => {
                let door = Some(self.door(reply));
                self.step(Event::Protect { door, id, by: None, protected: false });
            }
            Inbound::Event(Event::Killed { freeze, keys }) => self.killed(freeze, keys),
            Inbound::Amend { id, quantity, reply } => {
                let door = self.door(reply);
                self.step(Event::Amend { door, id, quantity });
            }
            Inbound::Event(Event::Rearmed) => {
                for kept in [KILLED, STOPS] {
                    let _ = lock(&self.hall.store).set_meta(kept, None);
                }
                self.step(Event::Rearmed);
                self.hall.state_changed();
            }
            Inbound::Event(event) => self.step(event),
            Inbound::Summary(reply) => {
                let count = |test: fn(&Stage) -> bool| self.machine.orders().filter(|order| test(&order.stage)).count() as u64;
                let summary = Summary {
                    live: self.machine.live() as u64,
                    protected: self.machine.orders().filter(|order| order.is_live() && order.protected).count() as u64,
                    ambiguous: count(|stage| matches!(stage, Stage::Ambiguous { .. })),
                    killed: self.machine.killed().map(str::to_owned),
                    stopped: self.machine.stopped(),
                    kill_report: self.machine.kill_report(),
                    policy: self.machine.policy().cloned(),
                    live_by_key: self.machine.live_by_key(),
                };
                let _ = reply.send(summary);
            }
        }
    }

    fn door(&mut self, reply: oneshot::Sender<Tell>) -> Door {
        let door = self.next_door;
        self.next_door += 1;
        self.doors.retain(|_, reply| !reply.is_closed());
        self.doors.insert(door, reply);
        door
    }

    fn step(&mut self, event: Event) {
        for effect in self.machine.on(event, self.hall.now()) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        let hall = Arc::clone(&self.hall);
        match effect {
            Effect::Tell { door, tell } => {
                if let Some(reply) = self.doors.remove(&door) {
                    let _ = reply.send(tell);
                }
            }
            Effect::WakeSigner => {
                if let Some(link) = hall.signer() {
                    link.wake();
                }
            }
            Effect::Record { tag, orders, entries } => {
                // In the order of effects: the next record of an order never overtakes this one.
                let error = tokio::task::block_in_place(|| lock(&hall.store).record(&orders, &entries, wall()).err());
                if let Some(error) = &error {
                    tracing::error!(%error, "could not record");
                }
                if !orders.is_empty() {
                    hall.orders_changed();
                }
                self.step(Event::Recorded { tag, error: error.map(|error| error.to_string()) });
            }
            Effect::Kill(freeze) => {
                self.remember(&freeze);
                tokio::spawn(async move { hall.ask_signer(&Request::Kill(freeze)).await });
            }
            Effect::AskHeld => {
                tokio::spawn(async move { account::balances(&hall, DoorId::DESK).await });
            }
            Effect::Sign { tag, by, intent, credential } => {
                let clock_offset_us = hall.venue.clock_offset_us();
                let ask = SignAsk {
                    intent,
                    credential,
                    clock_offset_us,
                    recv_window_ms: RECV_WINDOW_MS,
                    audit_seq: lock(&hall.store).log_size().unwrap_or_default(),
                };
                tokio::spawn(sign(hall, tag, by, ask));
            }
            Effect::Send { tag, request, cancel } => {
                tokio::spawn(async move {
                    let outcome = hall.send(&request, cancel).await;
                    hall.event(Event::Answered { tag, outcome }).await;
                });
            }
        }
    }
}

async fn sign(hall: Arc<Hall>, tag: Tag, by: DoorId, ask: SignAsk) {
    let mut answer = hall.ask_at(by, Request::Sign(ask.clone())).await;
    let is_due = |answer: &Result<Reply, Refusal>| matches!(answer, Err(Refusal::Guard(Reason::HeadDue { .. })));
    if is_due(&answer) {
        hall.checkpoint(true).await;
        answer = hall.ask_at(by, Request::Sign(ask)).await;
        // A log that was put back or lost: no head of it is signed, however often it is asked for.
        let refused = lock(&hall.head_refused).clone();
        if let Some(refusal) = refused.filter(|_| is_due(&answer)) {
            answer = Err(refusal);
        }
    }
    let outcome = match answer {
        Ok(Reply::Signed { request, expires, credential, order, slot, .. }) => {
            hall.keys.signed(&request.api_key, wall());
            if order.is_some() {
                hall.numbered();
            }
            Ok(Signed { request, expires, key: credential, number: order, slot })
        }
        Ok(_) => Err(Refusal::NotUnderstood),
        Err(refusal) => Err(refusal),
    };
    hall.event(Event::Signed { tag, outcome }).await;
}
