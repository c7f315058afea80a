//! What is open at the venue, asked for before anything new is sent: after a start, and when another account may be in use.
//!
//! Invariant: until the venue told what is open, no order is placed; what it told counts in every rule, whoever placed it, and what bears a
//! name that only we give is looked after again, and taken back by the kill switch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::DoorError;
use strongroom_guard::{Filled, Reason};
use strongroom_model::{ClientOrderId, ExecutionReport, Intent, MarketSize, OrderSpec, OrderStatus, PlaceOrder, TimeInForce};
use strongroom_signer_api::DoorId;

use crate::event::{Effect, Now};
use crate::machine::{LIVE_ORDERS_MAX, Machine};
use crate::order::{Order, Stage};
use crate::work::{Trouble, Work};

/// While others have orders at the account, or a rule sums up what is open, it is asked for again so often.
const AGAIN_MS: u64 = 60_000;
/// After so many questions without an answer it is asked less often: each weighs much.
const TRIES_QUICK: u32 = 5;
/// While it is not known, more often.
const UNKNOWN_MS: u64 = 1_000;

/// What is known of the venue's open orders.
#[derive(Debug, Default)]
pub(crate) struct Rebuild {
    /// They have to be asked for before anything is placed.
    is_due: bool,
    asked_ms: Option<u64>,
    /// Number of the newest question.
    question: u64,
    /// Questions from this one on are of this account and opening: an answer to an earlier one says nothing of it.
    from: u64,
    /// How often it was asked without an answer.
    tries: u32,
    /// Why no answer came.
    trouble: Option<String>,
    /// Who refused the question last, so that it is not answered by waiting.
    refused: Option<DoorError>,
    /// Orders of other programs at the same account, by the name under which they count.
    others: BTreeSet<ClientOrderId>,
}

impl Rebuild {
    /// After a start, or with another account.
    pub(crate) const fn due() -> Self {
        Self { is_due: true, asked_ms: None, question: 0, from: 0, tries: 0, trouble: None, refused: None, others: BTreeSet::new() }
    }

    /// Why nothing can be placed yet; nothing: it can.
    pub(crate) fn hinders(&self) -> Option<DoorError> {
        let unknown = || {
            let because = self.trouble.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            let (message, advice) = (format!("{}{because}; nothing was sent", Reason::OpenUnknown), Reason::OpenUnknown.advice());
            DoorError { unmet: vec![(&Reason::OpenUnknown).into()], ..DoorError::new(Reason::OpenUnknown.rule(), message, advice) }
        };
        self.is_due.then(|| self.refused.clone().unwrap_or_else(unknown))
    }

    /// Whether that is the name of another program's order.
    pub(crate) fn is_others(&self, id: &ClientOrderId) -> bool {
        self.others.contains(id)
    }

    /// The signer does not sign that question, or the venue does not answer it for this key.
    pub(crate) fn refuse(&mut self, question: u64, error: DoorError) {
        if question >= self.from {
            self.refused = Some(error);
        }
    }

    /// The vault was opened: what a signer before said of the question, or says late, is not what this one will say.
    pub(crate) fn ask_anew(&mut self) {
        self.from = self.question + 1;
        (self.asked_ms, self.tries, self.trouble, self.refused) = (None, 0, None, None);
    }
}

impl Machine {
    /// Asks what is open, if that is not known, or may have changed without us.
    pub(crate) fn ask_open(&mut self, now: Now, out: &mut Vec<Effect>) {
        let every = match self.rebuild.is_due {
            true if self.rebuild.tries < TRIES_QUICK => UNKNOWN_MS,
            true => UNKNOWN_MS * 10,
            false => AGAIN_MS,
        };
        let is_wanted = self.rebuild.is_due || !self.rebuild.others.is_empty() || self.sums_up();
        let is_time = self.rebuild.asked_ms.is_none_or(|asked| now.mono_ms.saturating_sub(asked) >= every);
        if self.policy.is_some() && is_wanted && is_time {
            self.rebuild.asked_ms = Some(now.mono_ms);
            self.rebuild.tries = self.rebuild.tries.saturating_add(1);
            self.rebuild.question += 1;
            let tag = self.tag(Work::OpenOrders(self.rebuild.question));
            out.push(Effect::Sign { tag, by: DoorId::DESK, intent: Intent::QueryOpenOrders { symbol: None }, credential: None });
        }
    }

    /// What may be another account's is not known any more.
    pub(crate) fn forget_open(&mut self, now: Now) {
        self.stop_counting_others(&BTreeMap::new(), now);
        let question = self.rebuild.question;
        self.rebuild = Rebuild { question, from: question + 1, ..Rebuild::due() };
    }

    /// The answer to that question.
    pub(crate) fn open_answered(&mut self, question: u64, answer: Result<Vec<ExecutionReport>, Trouble>, now: Now, out: &mut Vec<Effect>) {
        if question < self.rebuild.from {
            return;
        }
        match answer {
            Ok(reports) => {
                // One that was asked earlier and comes later is older.
                self.rebuild.from = question;
                self.told_open(&reports, now, out);
            }
            Err(Trouble::Venue(error)) if error.refuses_signature() => {
                self.rebuild.refuse(question, DoorError::new("venue", error.to_string(), error.advice()));
            }
            Err(Trouble::Venue(error)) => self.rebuild.trouble = Some(error.to_string()),
            Err(Trouble::NotSent(why)) => self.rebuild.trouble = Some(why),
        }
    }

    /// The venue told all that is open.
    pub(crate) fn told_open(&mut self, reports: &[ExecutionReport], now: Now, out: &mut Vec<Effect>) {
        let mut others = BTreeMap::new();
        for report in reports {
            let (Some(name), Some(found)) = (name_of(report), found(report)) else { continue };
            if self.orders.contains_key(&name) {
                if self.merge(&name, report, now, out) {
                    self.report(&name, Kind::OrderReported, now, out);
                }
            } else if name.is_unowned() && self.live() < LIVE_ORDERS_MAX {
                self.adopt(report, found, now, out);
            } else {
                others.insert(name, (found, filled(report)));
            }
        }
        self.stop_counting_others(&others, now);
        for (name, (order, filled)) in others {
            self.risk.found_open(&order, filled, now.wall);
            self.rebuild.others.insert(name);
        }
        self.rebuild.is_due = false;
        (self.rebuild.refused, self.rebuild.trouble, self.rebuild.tries) = (None, None, 0);
    }

    /// Orders of others that are not among those any more.
    fn stop_counting_others(&mut self, still: &BTreeMap<ClientOrderId, (PlaceOrder, Filled)>, now: Now) {
        for name in std::mem::take(&mut self.rebuild.others) {
            if still.contains_key(&name) {
                self.rebuild.others.insert(name);
            } else {
                // It may have filled: until the venue tells what is held, it counts as if it had.
                self.risk.exposure.lost(&name, now.wall);
            }
        }
    }

    /// An order with a name of ours that the store has lost.
    fn adopt(&mut self, report: &ExecutionReport, order: PlaceOrder, now: Now, out: &mut Vec<Effect>) {
        let id = order.client_order_id.clone();
        self.risk.found_open(&order, filled(report), now.wall);
        let mut adopted = Order::intended(order, now.wall);
        adopted.stage = Stage::Working;
        adopted.merge(report, now.wall);
        let why = self.stop_of(&adopted);
        let entry = json!({"order": id, "venue_order": report.venue_order_id, "why": "open at the venue, and not in the store"});
        self.orders.insert(id.clone(), adopted.clone());
        self.record(Work::Note, vec![adopted], vec![(Kind::OrderReconciled, entry)], out);
        if let Some(why) = why {
            self.take_back(&why, |inside| inside.intent.client_order_id == id, now, out);
        }
    }
}

/// Our name for it; of a name that we could not have given, one by the venue's number.
fn name_of(report: &ExecutionReport) -> Option<ClientOrderId> {
    let number = format!("venue-{}", report.venue_order_id.0);
    report.client_order_id.clone().or_else(|| ClientOrderId::parse(&number).ok())
}

/// The order behind a report, if it is not over. One without a price waits for its moment, and counts as one that takes any.
fn found(report: &ExecutionReport) -> Option<PlaceOrder> {
    let is_open = matches!(report.status, OrderStatus::New | OrderStatus::PartiallyFilled);
    let spec = match report.price.filter(|price| !price.is_zero()) {
        Some(price) => OrderSpec::Limit { price, quantity: report.quantity, tif: TimeInForce::Gtc },
        None => OrderSpec::Market { size: MarketSize::Base(report.quantity) },
    };
    let order =
        PlaceOrder { client_order_id: name_of(report)?, symbol: report.symbol.clone(), side: report.side, spec, reduce_only: false };
    is_open.then_some(order)
}

fn filled(report: &ExecutionReport) -> Filled {
    Filled { quantity: report.filled.value(), notional: report.filled_notional.value() }
}

#[cfg(test)]
mod tests {
    use strongroom_guard::{Freeze, Policy, Quote};
    use strongroom_model::{Notional, Quantity, Side, Symbol, Timestamp, VenueOrderId};

    use super::*;
    use crate::event::{Event, Outcome, Signed};

    const NOW: Now = Now { wall: Timestamp::from_ms(1_800_000_000_000), mono_ms: 5_000, venue_offset_us: 0 };

    fn order(name: &str, side: Side, price: &str) -> PlaceOrder {
        let spec = OrderSpec::Limit { price: price.parse().unwrap(), quantity: "0.1".parse().unwrap(), tif: TimeInForce::Gtc };
        let client_order_id = ClientOrderId::parse(name).unwrap();
        PlaceOrder { client_order_id, symbol: Symbol::parse("BTCUSDT").unwrap(), side, spec, reduce_only: false }
    }

    fn report(name: Option<&str>, number: u64, side: Side, price: &str) -> ExecutionReport {
        ExecutionReport {
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            venue_order_id: VenueOrderId(number),
            client_order_id: name.map(|name| ClientOrderId::parse(name).unwrap()),
            side,
            status: OrderStatus::New,
            quantity: "0.1".parse().unwrap(),
            filled: Quantity::ZERO,
            filled_notional: Notional::ZERO,
            price: price.parse().ok(),
            fills: Vec::new(),
            at: NOW.wall,
        }
    }

    fn started() -> Machine {
        let mut machine = Machine::resume(Vec::new(), NOW, 5_000);
        machine.on(Event::Policy(Some(Box::new(Policy::initial()))), NOW);
        machine
    }

    fn refusal(machine: &mut Machine, name: &str, side: Side, price: &str) -> Option<String> {
        let market = Quote { mark: "50000".parse().ok(), ..Quote::default() };
        let order = order(name, side, price);
        let event = Event::Place { door: 1, by: DoorId::NOBODY, order, market, reason: None };
        machine.on(event, NOW).into_iter().find_map(|effect| match effect {
            Effect::Tell { tell: strongroom_desk_api::Tell::Error(error), .. } => Some(error.code),
            _ => None,
        })
    }

    #[test]
    fn nothing_is_placed_before_the_venue_told_what_is_open() {
        let mut machine = started();
        let asked = machine.on(Event::Tick, NOW);
        let is_open_query = |effect: &Effect| matches!(effect, Effect::Sign { intent: Intent::QueryOpenOrders { symbol: None }, .. });
        assert_eq!(asked.iter().filter(|effect| is_open_query(effect)).count(), 1);
        assert_eq!(refusal(&mut machine, "sr-a", Side::Buy, "50000").as_deref(), Some("exposure-unknown"));
        // No answer: it is asked again, and still nothing is placed.
        let tag = asked.iter().find_map(|effect| if let Effect::Sign { tag, .. } = effect { Some(*tag) } else { None }).unwrap();
        let request = strongroom_model::SignedRequest {
            method: strongroom_model::Method::Get,
            path: String::new(),
            query: String::new(),
            body: String::new(),
            api_key: "k".to_owned(),
            key_header: "X-MBX-APIKEY".into(),
        };
        let key = strongroom_model::CredentialId(1);
        let signed = Signed { request, expires: NOW.wall, key, number: None, slot: None };
        let sent = machine.on(Event::Signed { tag, outcome: Ok(signed) }, NOW);
        let Some(Effect::Send { tag, .. }) = sent.first() else { panic!("{sent:?}") };
        machine.on(Event::Answered { tag: *tag, outcome: Outcome::NoAnswer("cut off".to_owned()) }, NOW);
        assert_eq!(refusal(&mut machine, "sr-b", Side::Buy, "50000").as_deref(), Some("exposure-unknown"));
        let later = Now { mono_ms: NOW.mono_ms + UNKNOWN_MS, ..NOW };
        assert!(machine.on(Event::Tick, later).iter().any(is_open_query));
        machine.told_open(&[], NOW, &mut Vec::new());
        assert_eq!(refusal(&mut machine, "sr-c", Side::Buy, "50000"), None);
        machine.on(Event::KeysChanged, NOW);
        assert_eq!(refusal(&mut machine, "sr-d", Side::Buy, "50000").as_deref(), Some("exposure-unknown"), "another account, perhaps");
    }

    #[test]
    fn who_refuses_the_question_is_named() {
        let mut machine = started();
        let asked = machine.on(Event::Tick, NOW);
        let tag = asked.iter().find_map(|effect| if let Effect::Sign { tag, .. } = effect { Some(*tag) } else { None }).unwrap();
        machine.on(Event::Signed { tag, outcome: Err(strongroom_signer_api::Refusal::Guard(strongroom_guard::Reason::NoKey)) }, NOW);
        assert_eq!(refusal(&mut machine, "sr-a", Side::Buy, "50000").as_deref(), Some("no-key"), "waiting would not help");
        machine.told_open(&[], NOW, &mut Vec::new());
        assert_eq!(refusal(&mut machine, "sr-b", Side::Buy, "50000"), None);
    }

    #[test]
    fn what_a_signer_before_said_is_not_held_against_this_one() {
        let sealed = || Err(strongroom_signer_api::Refusal::Guard(Reason::Sealed));
        for is_late in [false, true] {
            let mut machine = started();
            let asked = machine.on(Event::Tick, NOW);
            let tag = asked.iter().find_map(|effect| if let Effect::Sign { tag, .. } = effect { Some(*tag) } else { None }).unwrap();
            if !is_late {
                machine.on(Event::Signed { tag, outcome: sealed() }, NOW);
                assert_eq!(refusal(&mut machine, "sr-a", Side::Buy, "50000").as_deref(), Some("sealed"));
            }
            machine.on(Event::Policy(None), NOW);
            machine.on(Event::Policy(Some(Box::new(Policy::initial()))), NOW);
            if is_late {
                machine.on(Event::Signed { tag, outcome: sealed() }, NOW);
            }
            assert_eq!(refusal(&mut machine, "sr-a", Side::Buy, "50000").as_deref(), Some("exposure-unknown"), "late: {is_late}");
            let asked = machine.on(Event::Tick, NOW);
            assert!(asked.iter().any(|effect| matches!(effect, Effect::Sign { .. })), "at once, late: {is_late}");
            machine.told_open(&[], NOW, &mut Vec::new());
            assert_eq!(refusal(&mut machine, "sr-b", Side::Buy, "50000"), None);
        }
    }

    #[test]
    fn what_the_store_lost_is_looked_after_and_what_others_placed_counts() {
        let mut machine = started();
        let reports = [
            report(Some("sr-lost"), 1, Side::Sell, "50100"),
            report(Some("grid-1"), 2, Side::Sell, "50200"),
            report(None, 3, Side::Buy, "40000"),
        ];
        machine.told_open(&reports, NOW, &mut Vec::new());
        assert_eq!(machine.orders().map(|order| order.intent.client_order_id.as_str()).collect::<Vec<_>>(), ["sr-lost"]);
        // No purchase meets either of them, whoever placed it; the others' stop counting when they are gone.
        assert_eq!(refusal(&mut machine, "sr-a", Side::Buy, "50150").as_deref(), Some("self-trade"));
        machine.told_open(&reports[1..], NOW, &mut Vec::new());
        assert_eq!(machine.risk.exposure.open().count(), 3, "one of ours is asked for by itself");
        machine.told_open(&reports[..1], NOW, &mut Vec::new());
        assert_eq!(machine.risk.exposure.open().count(), 1);
    }

    /// An answer that comes late says less than the one that was asked for after it; and a name that somebody else's order has is taken.
    #[test]
    fn an_older_list_and_a_name_of_others_take_nothing_away() {
        let mut machine = started();
        let later = Now { mono_ms: NOW.mono_ms + UNKNOWN_MS, ..NOW };
        let asked = |machine: &mut Machine, now| {
            machine.ask_open(now, &mut Vec::new());
            machine.rebuild.question
        };
        let (first, second) = (asked(&mut machine, NOW), asked(&mut machine, later));
        assert!(second > first);
        machine.open_answered(second, Ok(vec![report(Some("grid-1"), 2, Side::Sell, "50200")]), later, &mut Vec::new());
        machine.open_answered(first, Ok(Vec::new()), later, &mut Vec::new());
        assert_eq!(machine.risk.exposure.open().count(), 1, "it stands");
        assert_eq!(refusal(&mut machine, "grid-1", Side::Buy, "40000").as_deref(), Some("duplicate-id"));
        machine.on(Event::KeysChanged, NOW);
        machine.open_answered(second, Ok(Vec::new()), later, &mut Vec::new());
        assert_eq!(refusal(&mut machine, "sr-a", Side::Buy, "40000").as_deref(), Some("exposure-unknown"), "of the account before");
    }

    #[test]
    fn what_is_found_while_the_kill_switch_is_engaged_is_taken_back() {
        let mut machine = started();
        machine.on(Event::Killed { freeze: Freeze::everything("test"), keys: Vec::new() }, NOW);
        let mut out = Vec::new();
        machine.told_open(
            &[report(Some("sr-lost"), 1, Side::Sell, "50100"), report(Some("grid-1"), 2, Side::Sell, "50200")],
            NOW,
            &mut out,
        );
        let cancelled: Vec<_> = out.iter().filter(|effect| matches!(effect, Effect::Sign { intent: Intent::Cancel { .. }, .. })).collect();
        assert_eq!(cancelled.len(), 1, "orders of other programs are left: {out:?}");
    }
}
