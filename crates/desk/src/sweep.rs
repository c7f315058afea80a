//! The kill switch on the desk's side: what it stops, and the sweep that takes back what is open.
//!
//! Invariant: an order in a sweep is asked to be cancelled again and again until the venue said that it is gone; a protected order is left
//! to whoever protected it; what is stopped stays so until everything is re-armed.

use std::collections::BTreeSet;

use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::{KillReport, LeftOrder, Tell};
use strongroom_guard::{Freeze, KillScope};
use strongroom_model::{Advice, ClientOrderId, CredentialId, Timestamp};

use crate::event::{Door, Effect, Now};
use crate::machine::{Machine, error};
use crate::order::{Order, Stage};
use crate::work::Work;

/// More of them, and everything is stopped.
const STOPS_MAX: usize = 32;

/// One use of the kill switch, with the keys that it reaches where it names them otherwise than by number.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    freeze: Freeze,
    keys: Vec<CredentialId>,
}

/// Orders that are being taken back.
#[derive(Debug)]
pub(crate) struct Sweep {
    why: String,
    began: Timestamp,
    first_cancel: Option<Timestamp>,
    last_gone: Option<Timestamp>,
    open: BTreeSet<ClientOrderId>,
    orders: u64,
    protected: BTreeSet<ClientOrderId>,
}

impl Stop {
    /// Whether an order is inside. An order that may be at the venue with a key that is not known is.
    fn covers(&self, order: &Order) -> bool {
        let is_signed = order.stage != Stage::Intended;
        let with = |test: &dyn Fn(CredentialId) -> bool| order.key.map_or(is_signed, test);
        match &self.freeze.scope {
            // The desk has one venue.
            KillScope::Everything | KillScope::Venue(_) => true,
            KillScope::Account(_) => with(&|key| self.keys.contains(&key)),
            KillScope::Credential(id) => with(&|key| key == *id),
            KillScope::Bot(owner) => order.intent.client_order_id.is_of(owner),
            // One that was signed for a person who is not known is inside, as with keys.
            KillScope::Person(slot) => order.slot.map_or(is_signed, |of| of == *slot),
        }
    }
}

impl Machine {
    /// Goes on with the kill switch engaged: with what, if that was not stopped already.
    pub fn stop(&mut self, freeze: Freeze, keys: Vec<CredentialId>) -> Option<Freeze> {
        if let Some(known) = self.stops.iter_mut().find(|stop| stop.freeze.scope == freeze.scope) {
            // Which keys an account means is known while the vault is open only.
            let new = keys.into_iter().filter(|key| !known.keys.contains(key)).collect::<Vec<_>>();
            known.keys.extend(new);
            return None;
        }
        if self.stops.len() >= STOPS_MAX && freeze.scope != KillScope::Everything {
            // As the signer takes it.
            return self.stop(Freeze::everything(&freeze.why), Vec::new());
        }
        self.stops.push(Stop { freeze: freeze.clone(), keys });
        Some(freeze)
    }

    /// Why everything is stopped, if it is.
    pub fn killed(&self) -> Option<&str> {
        self.stops.iter().find(|stop| stop.freeze.scope == KillScope::Everything).map(|stop| stop.freeze.why.as_str())
    }

    /// All that is stopped.
    pub fn freezes(&self) -> Vec<Freeze> {
        self.stops.iter().map(|stop| stop.freeze.clone()).collect()
    }

    /// What is stopped beside everything, in words.
    pub fn stopped(&self) -> Vec<String> {
        self.stops.iter().filter(|stop| stop.freeze.scope != KillScope::Everything).map(|stop| stop.freeze.to_string()).collect()
    }

    /// Why this order is stopped, if it is.
    pub(crate) fn stop_of(&self, order: &Order) -> Option<String> {
        self.killed().map(str::to_owned).or_else(|| self.stops.iter().find(|stop| stop.covers(order)).map(|stop| stop.freeze.to_string()))
    }

    /// The kill switch was engaged: nothing new of that scope leaves, and what is open of it is taken back.
    /// What of it holds: too many scopes are everything.
    pub(crate) fn kill(&mut self, freeze: Freeze, keys: Vec<CredentialId>, now: Now, out: &mut Vec<Effect>) -> Freeze {
        let freeze = self.stop(freeze.clone(), keys.clone()).unwrap_or(freeze);
        let why = freeze.to_string();
        let stop = Stop { freeze, keys };
        self.take_back(&why, |order| stop.covers(order), now, out);
        stop.freeze
    }

    /// Goes on with the kill switch engaged: the first ticks cancel, as soon as the venue and the signer can be reached.
    pub fn resume_killed(&mut self, freeze: Freeze, now: Now) {
        let why = freeze.to_string();
        self.stop(freeze, Vec::new());
        self.catch(&why, |_| true, now);
    }

    /// Takes back what may rest and is inside, but not what is protected.
    pub(crate) fn take_back(&mut self, why: &str, is_inside: impl Fn(&Order) -> bool, now: Now, out: &mut Vec<Effect>) {
        let caught = self.catch(why, is_inside, now);
        for id in &caught {
            self.sign_cancel(None, id, out);
        }
        // A cancel does not wait for its log entry, and all of them are noted at once.
        let entries: Vec<_> = caught.iter().map(|id| (Kind::OrderIntended, json!({"cancel": id}))).collect();
        if !entries.is_empty() {
            self.record(Work::Note, Vec::new(), entries, out);
        }
    }

    /// What has to be taken back and was not yet.
    fn catch(&mut self, why: &str, is_inside: impl Fn(&Order) -> bool, now: Now) -> Vec<ClientOrderId> {
        let inside: Vec<&Order> = self.orders.values().filter(|order| order.may_rest() && is_inside(order)).collect();
        let named = |is_protected: bool| {
            inside.iter().filter(move |order| order.protected == is_protected).map(|order| order.intent.client_order_id.clone())
        };
        let (caught, protected): (Vec<_>, BTreeSet<_>) = (named(false).collect(), named(true).collect());
        if self.sweep.as_ref().is_none_or(|sweep| sweep.open.is_empty()) {
            let is_repeated = caught.is_empty() && self.sweep.as_ref().is_some_and(|sweep| sweep.why == why);
            if is_repeated {
                return Vec::new();
            }
            self.sweep = Some(Sweep {
                why: why.to_owned(),
                began: now.wall,
                first_cancel: None,
                last_gone: None,
                open: BTreeSet::new(),
                orders: 0,
                protected: BTreeSet::new(),
            });
        }
        let Some(sweep) = self.sweep.as_mut() else { return Vec::new() };
        sweep.protected.extend(protected);
        let new: Vec<_> = caught.into_iter().filter(|id| sweep.open.insert(id.clone())).collect();
        sweep.orders += new.len() as u64;
        new
    }

    /// Whether it is being taken back.
    pub(crate) fn is_swept(&self, id: &ClientOrderId) -> bool {
        self.sweep.as_ref().is_some_and(|sweep| sweep.open.contains(id))
    }

    /// A cancel of it is about to leave.
    pub(crate) fn cancel_leaves(&mut self, id: &ClientOrderId, now: Now) {
        if let Some(sweep) = self.sweep.as_mut().filter(|sweep| sweep.open.contains(id)) {
            sweep.first_cancel.get_or_insert(now.wall);
        }
    }

    /// It cannot rest any more: the venue said so, or it was never sent.
    pub(crate) fn is_gone(&mut self, id: &ClientOrderId, now: Now, out: &mut Vec<Effect>) {
        let Some(sweep) = self.sweep.as_mut().filter(|sweep| sweep.open.contains(id)) else { return };
        sweep.open.remove(id);
        sweep.last_gone = Some(now.wall);
        if sweep.open.is_empty() {
            let took_ms = |at: Option<Timestamp>| at.map(|at| at.ms() - sweep.began.ms());
            let entry = json!({
                "why": sweep.why, "orders": sweep.orders, "protected": sweep.protected, "first_cancel_ms": took_ms(sweep.first_cancel),
                "last_gone_ms": took_ms(sweep.last_gone),
            });
            self.record(Work::Note, Vec::new(), vec![(Kind::KillEnded, entry)], out);
        }
    }

    /// Whether a protected order is wanted, or no more.
    pub(crate) fn protect(
        &mut self,
        door: Option<Door>,
        id: &ClientOrderId,
        by: Option<u16>,
        protected: bool,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let Some(order) = self.orders.get_mut(id).filter(|order| order.is_live()) else {
            let tell = error("unknown-order", format!("no live order named {id} is known"), Advice::Refuse);
            out.extend(door.map(|door| Effect::Tell { door, tell }));
            return;
        };
        order.protected = protected;
        let order = order.clone();
        let tell = Tell::Order(Box::new(order.view()));
        self.record(
            Work::Note,
            vec![order.clone()],
            vec![(Kind::OrderProtected, json!({"order": id, "protected": protected, "person": by}))],
            out,
        );
        if protected {
            // Also from a kill that is under way.
            if let Some(sweep) = self.sweep.as_mut()
                && sweep.open.remove(id)
            {
                sweep.protected.insert(id.clone());
                sweep.orders = sweep.orders.saturating_sub(1);
            }
        } else if let Some(why) = self.stop_of(&order) {
            if let Some(sweep) = self.sweep.as_mut() {
                sweep.protected.remove(id);
            }
            self.take_back(&why, |inside| inside.intent.client_order_id == *id, now, out);
        }
        out.extend(door.map(|door| Effect::Tell { door, tell }));
    }

    /// How far the last sweep is.
    pub fn kill_report(&self) -> Option<KillReport> {
        let sweep = self.sweep.as_ref()?;
        let left = sweep.open.iter().filter_map(|id| self.orders.get(id)).map(|order| LeftOrder {
            client_order_id: order.intent.client_order_id.to_string(),
            symbol: order.intent.symbol.clone(),
            state: match &order.stage {
                Stage::Ambiguous { what, .. } => format!("nobody knows whether the venue has it ({what}); it is looked up"),
                Stage::Intended => "on its way".to_owned(),
                _ => "open; its cancel is not confirmed".to_owned(),
            },
        });
        Some(KillReport {
            why: sweep.why.clone(),
            began: sweep.began,
            first_cancel: sweep.first_cancel,
            last_gone: sweep.last_gone,
            orders: sweep.orders,
            left: left.collect(),
            protected: sweep.protected.iter().map(ToString::to_string).collect(),
        })
    }
}
