//! The desk's pipeline as a state machine: events in, effects out.
//!
//! Invariants: an order is signed only after its intent was recorded; it is sent at most once; an order whose outcome
//! is unknown is looked up, never sent again; no clock is read here.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use strongroom_audit::Kind;
use strongroom_desk_api::{DoorError, Fate, Tell};
use strongroom_guard::{Filled, Policy, Reason, RiskState, Unmet};
use strongroom_model::{Advice, ClientOrderId, CredentialId, ExecutionReport, Intent, OrderRef, PlaceOrder, Timestamp};
use strongroom_signer_api::{DoorId, Refusal};
use strongroom_venues::binance::{VenueError, decode};

use crate::asking::Ask;
use crate::event::{Door, Effect, Event, Now, Outcome, Signed, Tag};
use crate::order::{Order, Stage};
use crate::placing::{Override, not_known};
use crate::rebuild::Rebuild;
use crate::sweep::{Stop, Sweep};
use crate::work::{Amendment, Refused, Trouble, Work, is_duplicate, work_id};

/// Added to a request's expiry before silence is believed: the venue's clock and ours differ a little.
const EXPIRY_MARGIN_MS: i64 = 2_000;
/// Most orders that are not over.
pub const LIVE_ORDERS_MAX: usize = 2_000;
/// Orders that are over are kept in memory up to so many; all of them stay in the store.
pub(crate) const OVER_ORDERS_MAX: usize = 2_000;

/// A door that waits for an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) door: Door,
    pub(crate) by: DoorId,
    pub(crate) until_ms: u64,
}

/// The state machine.
#[derive(Debug, Default)]
pub struct Machine {
    pub(crate) orders: BTreeMap<ClientOrderId, Order>,
    pub(crate) asks: HashMap<ClientOrderId, Ask>,
    pub(crate) waiting: HashMap<ClientOrderId, Waiting>,
    expiries: HashMap<ClientOrderId, Timestamp>,
    work: HashMap<Tag, Work>,
    next_tag: Tag,
    pub(crate) policy: Option<Policy>,
    pub(crate) stops: Vec<Stop>,
    pub(crate) sweep: Option<Sweep>,
    pub(crate) risk: RiskState,
    pub(crate) overrides: Vec<Override>,
    /// Large orders that a person confirmed, each with the time until which that holds.
    pub(crate) confirmed: Vec<(PlaceOrder, u64)>,
    pub(crate) held_asked_ms: Option<u64>,
    /// An order came that may only reduce what is held.
    pub(crate) has_reduced: bool,
    pub(crate) rebuild: Rebuild,
}

impl Machine {
    /// Goes on from what was recorded. Orders that were on their way are looked up: they may have been sent.
    pub fn resume(orders: Vec<Order>, now: Now, recv_window_ms: u32) -> Self {
        let mut machine = Self { rebuild: Rebuild::due(), ..Self::default() };
        for mut order in orders {
            if order.stage == Stage::Intended {
                let expires = now.venue().plus_ms(i64::from(recv_window_ms));
                order.stage = Stage::Ambiguous { expires, what: "the desk ended while it was on its way".to_owned() };
            }
            let filled = Filled { quantity: order.filled.value(), notional: order.filled_notional.value() };
            machine.risk.found(&order.intent, filled);
            machine.orders.insert(order.intent.client_order_id.clone(), order);
        }
        machine
    }

    /// One order.
    pub fn order(&self, id: &ClientOrderId) -> Option<&Order> {
        self.orders.get(id)
    }

    /// All orders in memory.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// Orders that are not over.
    pub fn live(&self) -> usize {
        self.orders.values().filter(|order| order.is_live()).count()
    }

    /// Orders that are not over, by the key that placed them.
    pub fn live_by_key(&self) -> BTreeMap<CredentialId, u64> {
        let mut live = BTreeMap::new();
        for key in self.orders.values().filter(|order| order.is_live()).filter_map(|order| order.key) {
            *live.entry(key).or_default() += 1;
        }
        live
    }

    /// The limits in force; nothing while sealed.
    pub const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// One step.
    pub fn on(&mut self, event: Event, now: Now) -> Vec<Effect> {
        let mut out = Vec::new();
        match event {
            Event::Place { door, by, order, market, reason } => self.place((door, by), order, market, reason, now, &mut out),
            Event::Cancel { door, id } => {
                if self.orders.get(&id).is_some_and(Order::may_rest) {
                    self.risk.cancelled(now.mono_ms);
                }
                self.cancel(Some(door), &id, &mut out);
            }
            Event::Amend { door, id, quantity } => self.amend(door, id, quantity, &mut out),
            Event::Recorded { tag, error } => self.recorded(tag, error, now, &mut out),
            Event::Signed { tag, outcome } => self.signed(tag, outcome, now, &mut out),
            Event::Answered { tag, outcome } => self.answered(tag, outcome, now, &mut out),
            Event::Killed { freeze, keys } => drop(self.kill(freeze, keys, now, &mut out)),
            Event::DeskDied => self.take_back("the desk ended", |_| true, now, &mut out),
            Event::Protect { door, id, by, protected } => self.protect(door, &id, by, protected, now, &mut out),
            Event::Rearmed => {
                self.stops.clear();
                self.risk.rearmed();
            }
            Event::Policy(policy) => {
                if self.policy.is_none() && policy.is_some() {
                    self.rebuild.ask_anew();
                }
                self.policy = policy.map(|policy| *policy);
            }
            Event::Confirmed(order) => self.confirm(order, now),
            Event::Overridden { order, why } => self.let_pass(order, why, now),
            Event::KeysChanged => self.keys_changed(now),
            Event::HeldUnknown => self.forget_held(),
            Event::Held { balances, account, asked } => self.held(&balances, account, asked, now),
            Event::Pairs(pairs) => self.pairs(pairs),
            Event::Marks(marks) => {
                self.risk.marks(marks, now.mono_ms);
                self.stop_if_broken(now, &mut out);
            }
            Event::Tick => self.tick(now, &mut out),
        }
        out
    }

    pub(crate) fn tag(&mut self, work: Work) -> Tag {
        self.next_tag += 1;
        self.work.insert(self.next_tag, work);
        self.next_tag
    }

    pub(crate) fn record(&mut self, work: Work, orders: Vec<Order>, entries: Vec<(Kind, Value)>, out: &mut Vec<Effect>) {
        out.extend(matches!(work, Work::Place(_) | Work::Amend(_)).then_some(Effect::WakeSigner));
        let tag = self.tag(work);
        out.push(Effect::Record { tag, orders, entries });
    }

    pub(crate) fn cancel(&mut self, door: Option<Door>, id: &ClientOrderId, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(id) else {
            let tell = error("unknown-order", format!("no order named {id} is known"), Advice::Refuse);
            out.extend(door.map(|door| Effect::Tell { door, tell }));
            return;
        };
        if !order.may_rest() {
            let tell = Tell::Order(Box::new(order.view()));
            out.extend(door.map(|door| Effect::Tell { door, tell }));
            return;
        }
        out.push(Effect::WakeSigner);
        // A cancel does not wait for its log entry.
        self.record(Work::Note, Vec::new(), vec![(Kind::OrderIntended, json!({"cancel": id}))], out);
        self.sign_cancel(door, id, out);
    }

    pub(crate) fn sign_cancel(&mut self, door: Option<Door>, id: &ClientOrderId, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(id) else { return };
        let intent = Intent::Cancel { symbol: order.intent.symbol.clone(), order: OrderRef::Client(id.clone()) };
        let credential = order.key;
        let tag = self.tag(Work::Cancel { id: id.clone(), door });
        out.push(Effect::Sign { tag, by: DoorId::DESK, intent, credential });
    }

    fn recorded(&mut self, tag: Tag, failure: Option<String>, now: Now, out: &mut Vec<Effect>) {
        let id = match self.work.remove(&tag) {
            Some(Work::Place(id)) => id,
            Some(Work::Amend(amendment)) => return self.amend_recorded(amendment, failure, out),
            _ => return,
        };
        if self.orders.get(&id).is_none_or(|order| order.stage != Stage::Intended) {
            return;
        }
        if let Some(failure) = failure {
            // Never recorded, so never sent, and unknown to the store.
            if let Some(order) = self.orders.remove(&id) {
                self.never_sent(&order.intent);
            }
            self.is_gone(&id, now, out);
            let why = format!("the order could not be recorded ({failure}); nothing was sent");
            self.tell_refused(&id, Refused { code: "not-recorded", why, advice: Advice::Ask, unmet: Vec::new() }, out);
            return;
        }
        let Some(intent) = self.orders.get(&id).map(|order| Intent::Place(order.intent.clone())) else { return };
        let by = self.waiting.get(&id).map_or(DoorId::NOBODY, |waiting| waiting.by);
        let tag = self.tag(Work::Place(id));
        out.push(Effect::Sign { tag, by, intent, credential: None });
    }

    fn signed(&mut self, tag: Tag, outcome: Result<Signed, Refusal>, now: Now, out: &mut Vec<Effect>) {
        let Some(work) = self.work.remove(&tag) else { return };
        match outcome {
            Ok(Signed { request, expires, key, number, slot }) => {
                match &work {
                    Work::Place(id) => {
                        if let Some(order) = self.orders.get_mut(id) {
                            (order.key, order.signed, order.slot) = (Some(key), number, slot);
                        }
                        // Engaged while it was being signed: it does not leave.
                        if let Some(why) = self.orders.get(id).and_then(|order| self.stop_of(order)) {
                            let reason = Reason::KillSwitch { why };
                            let (why, unmet) = (format!("{reason}; nothing was sent"), vec![Unmet::from(&reason)]);
                            let entry =
                                json!({"order": id, "rule": reason.rule(), "why": reason.to_string(), "by": "desk", "unmet": unmet});
                            let refused = Refused { code: reason.rule(), why, advice: reason.advice(), unmet };
                            self.refuse(id, refused, (Kind::OrderRefused, entry), now, out);
                            return;
                        }
                        self.expiries.insert(id.clone(), expires);
                    }
                    Work::Cancel { id, .. } => self.cancel_leaves(id, now),
                    Work::Amend(Amendment { id, quantity, .. }) => {
                        let entry = json!({"amend": id, "quantity": quantity, "signed": number});
                        self.record(Work::Note, Vec::new(), vec![(Kind::OrderIntended, entry)], out);
                    }
                    _ => {}
                }
                let cancel = matches!(work, Work::Cancel { .. });
                let tag = self.tag(work);
                out.push(Effect::Send { tag, request, cancel });
            }
            // Its key is not in the vault any more: another one looks after it.
            Err(Refusal::Guard(Reason::NoKey)) if self.forget_key(&work) => self.again(work, now, out),
            Err(refusal) => match work {
                Work::Place(id) => {
                    let rule = refusal.code();
                    let unmet = refusal.unmet();
                    let entry = json!({"order": id, "rule": rule, "why": refusal.to_string(), "by": "signer", "unmet": unmet});
                    let why = format!("{refusal}; nothing was sent");
                    if let Some(intent) = self.orders.get(&id).map(|order| order.intent.clone()) {
                        self.never_sent(&intent);
                    }
                    self.refuse(&id, Refused { code: rule, why, advice: refusal.advice(), unmet }, (Kind::OrderRefused, entry), now, out);
                }
                Work::Cancel { door, .. } | Work::Query { door, .. } => {
                    self.ask_done(&work_id(&work), now, true);
                    let tell = Tell::Error(unsigned(&refusal, "the order stands as it was"));
                    out.extend(door.map(|door| Effect::Tell { door, tell }));
                }
                Work::Amend(Amendment { door, .. }) => {
                    out.push(Effect::Tell { door, tell: Tell::Error(unsigned(&refusal, "the order stands as it was")) });
                }
                Work::AmendUnknown(amendment) => self.amend_not_looked_up(amendment, &refusal.to_string(), out),
                Work::Trades(id) => self.ask_done(&Some(id), now, true),
                Work::OpenOrders(question) => self.rebuild.refuse(question, unsigned(&refusal, "nothing was sent")),
                Work::Note => {}
            },
        }
    }

    fn answered(&mut self, tag: Tag, outcome: Outcome, now: Now, out: &mut Vec<Effect>) {
        let Some(work) = self.work.remove(&tag) else { return };
        let answer = match outcome {
            Outcome::Answer { status, retry_after_s, body } => match decode::outcome(status, retry_after_s, &body) {
                Ok(_) => Ok(body),
                Err(error) => Err(Trouble::Venue(error)),
            },
            Outcome::NotSent(why) => Err(Trouble::NotSent(why)),
            Outcome::NoAnswer(what) => Err(Trouble::Venue(VenueError::Unknown { what })),
        };
        // Its key is not accepted any more: another one looks after it.
        if matches!(&answer, Err(Trouble::Venue(error)) if error.refuses_key()) && self.forget_key(&work) {
            self.again(work, now, out);
            return;
        }
        let read = |answer: Result<Vec<u8>, Trouble>| answer.and_then(|body| decode::order(&body).map_err(Trouble::Venue));
        match work {
            Work::Place(id) => self.placed(&id, read(answer), now, out),
            Work::Cancel { id, door } => self.cancelled(&id, door, read(answer), now, out),
            Work::Query { id, door } => self.queried(&id, door, read(answer), now, out),
            Work::Amend(amendment) => {
                self.amended(amendment, answer.and_then(|body| decode::amended(&body).map_err(Trouble::Venue)), now, out);
            }
            Work::AmendUnknown(amendment) => self.amend_looked_up(amendment, read(answer), now, out),
            Work::Trades(id) => {
                let fills = answer.and_then(|body| decode::trades(&body).map_err(Trouble::Venue));
                self.ask_done(&Some(id.clone()), now, fills.is_err());
                if let (Ok(fills), Some(order)) = (fills, self.orders.get_mut(&id)) {
                    let new = not_known(order, &fills);
                    if order.merge_fills(&fills, now.wall) {
                        self.stood(&id, &new, None, now, out);
                        self.report(&id, Kind::OrderReported, now, out);
                    }
                }
            }
            // Without an answer it is asked again.
            Work::OpenOrders(question) => {
                let reports = answer.and_then(|body| decode::orders(&body).map_err(Trouble::Venue));
                self.open_answered(question, reports, now, out);
            }
            Work::Note => {}
        }
    }

    fn placed(&mut self, id: &ClientOrderId, answer: Result<ExecutionReport, Trouble>, now: Now, out: &mut Vec<Effect>) {
        let expires = self.expiries.remove(id).unwrap_or_else(|| now.venue().plus_ms(60_000));
        match answer {
            Ok(report) => {
                self.merge(id, &report, now, out);
                self.asks.insert(id.clone(), Ask::of_working(now));
                self.report(id, Kind::OrderReported, now, out);
                // Engaged while it was on its way.
                if self.is_swept(id) {
                    self.cancel(None, id, out);
                }
            }
            Err(Trouble::NotSent(why)) => {
                let entry = json!({"order": id, "why": why, "by": "net"});
                let why = format!("{why}; nothing was sent");
                self.refuse(
                    id,
                    Refused { code: "not-sent", why, advice: Advice::RetryAfter(1_000), unmet: Vec::new() },
                    (Kind::OrderRefused, entry),
                    now,
                    out,
                );
            }
            Err(Trouble::Venue(error)) if error.advice() == Advice::Reconcile || is_duplicate(&error) => {
                if let Some(order) = self.orders.get_mut(id).filter(|order| order.stage == Stage::Intended) {
                    order.stage = Stage::Ambiguous { expires, what: error.to_string() };
                    order.updated = now.wall;
                    let order = order.clone();
                    let entry = json!({"order": id, "what": error.to_string(), "expires": expires, "signed": order.signed});
                    self.record(Work::Note, vec![order], vec![(Kind::OrderAmbiguous, entry)], out);
                    self.asks.insert(id.clone(), Ask::of_unknown(now));
                }
            }
            Err(Trouble::Venue(error)) => {
                let entry = json!({"order": id, "why": error.to_string(), "by": "venue"});
                let refused = Refused { code: "venue", why: error.to_string(), advice: error.advice(), unmet: Vec::new() };
                self.refuse(id, refused, (Kind::OrderRefused, entry), now, out);
            }
        }
    }

    fn cancelled(
        &mut self,
        id: &ClientOrderId,
        door: Option<Door>,
        answer: Result<ExecutionReport, Trouble>,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        match answer {
            Ok(report) => {
                if self.merge(id, &report, now, out) {
                    self.report(id, Kind::OrderReported, now, out);
                }
                self.tell_order(id, door, out);
            }
            // Gone already, or nobody knows: the order itself is asked, which tells the truth either way.
            Err(_) => self.query(id.clone(), door, now, out),
        }
    }

    fn queried(
        &mut self,
        id: &ClientOrderId,
        door: Option<Door>,
        answer: Result<ExecutionReport, Trouble>,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let was_ambiguous = self.orders.get(id).is_some_and(|order| matches!(order.stage, Stage::Ambiguous { .. }));
        match answer {
            Ok(report) => {
                self.ask_done(&Some(id.clone()), now, false);
                if self.merge(id, &report, now, out) {
                    self.report(id, if was_ambiguous { Kind::OrderReconciled } else { Kind::OrderReported }, now, out);
                }
                if was_ambiguous && self.is_swept(id) {
                    self.cancel(None, id, out);
                }
            }
            Err(Trouble::Venue(VenueError::NoSuchOrder { .. })) => {
                self.ask_done(&Some(id.clone()), now, true);
                let expired = match self.orders.get(id).map(|order| &order.stage) {
                    Some(Stage::Ambiguous { expires, .. }) => now.venue() > expires.plus_ms(EXPIRY_MARGIN_MS),
                    _ => false,
                };
                if self.is_forgotten(id) {
                    if let Some(order) = self.orders.get_mut(id) {
                        order.stage = Stage::Over { fate: Fate::Expired, note: Some("the venue no longer knows this order".to_owned()) };
                        order.updated = now.wall;
                    }
                    // It may have filled.
                    self.risk.exposure.lost(id, now.wall);
                    self.stood(id, &[], None, now, out);
                    self.report(id, Kind::OrderReconciled, now, out);
                } else if expired {
                    let entry =
                        json!({"order": id, "why": "the venue does not know it and can no longer execute it", "by": "reconciliation"});
                    let why = "it never reached the venue; nothing was executed".to_owned();
                    let refused = Refused { code: "not-executed", why, advice: Advice::Refuse, unmet: Vec::new() };
                    self.refuse(id, refused, (Kind::OrderReconciled, entry), now, out);
                }
            }
            Err(_) => self.ask_done(&Some(id.clone()), now, true),
        }
        self.tell_order(id, door, out);
    }

    pub(crate) fn merge(&mut self, id: &ClientOrderId, report: &ExecutionReport, now: Now, out: &mut Vec<Effect>) -> bool {
        let Some(order) = self.orders.get_mut(id) else { return false };
        let new = not_known(order, &report.fills);
        let changed = order.merge(report, now.wall);
        if changed {
            self.stood(id, &new, Some(report.at), now, out);
        }
        changed
    }

    /// Records the order as it stands and tells the door that waits for it.
    pub(crate) fn report(&mut self, id: &ClientOrderId, kind: Kind, now: Now, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(id).cloned() else { return };
        let entry = json!({
            "order": id, "venue_order": order.venue_order_id, "fate": order.view().fate, "filled": order.filled,
            "quantity": order.intent.spec.quantity(),
            "notional": order.filled_notional, "trades": order.fills.keys().collect::<Vec<_>>(), "signed": order.signed,
        });
        self.record(Work::Note, vec![order], vec![(kind, entry)], out);
        self.settle_door(id, now, out);
        self.forget_old();
    }

    fn refuse(&mut self, id: &ClientOrderId, refused: Refused<'_>, entry: (Kind, Value), now: Now, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get_mut(id) else { return };
        order.refuse(refused.why.clone(), now.wall);
        let order = order.clone();
        self.stood(id, &[], None, now, out);
        let (kind, mut told) = entry;
        told["signed"] = json!(order.signed);
        let entry = (kind, told);
        self.record(Work::Note, vec![order], vec![entry], out);
        self.tell_refused(id, refused, out);
    }

    fn tell_refused(&mut self, id: &ClientOrderId, Refused { code, why, advice, unmet }: Refused<'_>, out: &mut Vec<Effect>) {
        if let Some(waiting) = self.waiting.remove(id) {
            let tell = Tell::Error(DoorError { unmet, ..DoorError::new(code, why, advice) });
            out.push(Effect::Tell { door: waiting.door, tell });
        }
    }

    /// Tells the waiting door, once the order is known to stand somewhere.
    pub(crate) fn settle_door(&mut self, id: &ClientOrderId, now: Now, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(id) else { return };
        let Some(waiting) = self.waiting.get(id).copied() else { return };
        let unsettled = matches!(order.stage, Stage::Intended | Stage::Ambiguous { .. } | Stage::Settling { .. });
        if unsettled && now.mono_ms < waiting.until_ms {
            return;
        }
        self.waiting.remove(id);
        let tell = Tell::Order(Box::new(order.view()));
        out.push(Effect::Tell { door: waiting.door, tell });
    }

    pub(crate) fn tell_order(&self, id: &ClientOrderId, door: Option<Door>, out: &mut Vec<Effect>) {
        if let (Some(door), Some(order)) = (door, self.orders.get(id)) {
            out.push(Effect::Tell { door, tell: Tell::Order(Box::new(order.view())) });
        }
    }
}

/// What the signer does not sign, for a door.
fn unsigned(refusal: &Refusal, so: &str) -> DoorError {
    DoorError { unmet: refusal.unmet(), ..DoorError::new(refusal.code(), format!("{refusal}; {so}"), refusal.advice()) }
}

/// An error for a door.
pub fn error(code: &str, message: String, advice: Advice) -> Tell {
    Tell::Error(DoorError::new(code, message, advice))
}
