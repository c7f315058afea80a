//! Making an order that rests smaller: recorded, signed, sent once; what is not answered is looked up.
//!
//! Invariant: nothing here asks for more than the order has, and an amendment waits for its record as an order does.

use serde_json::json;
use strongroom_audit::Kind;
use strongroom_guard::Reason;
use strongroom_model::{Advice, ClientOrderId, ExecutionReport, Intent, OrderSpec, Quantity};
use strongroom_signer_api::DoorId;

use crate::event::{Door, Effect, Now};
use crate::machine::{Machine, error};
use crate::order::{Order, Stage};
use crate::placing::denied;
use crate::work::{Amendment, Trouble, Work};

impl Machine {
    pub(crate) fn amend(&mut self, door: Door, id: ClientOrderId, quantity: Quantity, out: &mut Vec<Effect>) {
        let refused = match self.orders.get(&id) {
            None => Some(error("unknown-order", format!("no order named {id} is known"), Advice::Refuse)),
            Some(order) => why_not(order, quantity).map(|reason| denied(&[reason])),
        };
        if let Some(tell) = refused {
            out.push(Effect::Tell { door, tell });
            return;
        }
        let entry = json!({"amend": id, "quantity": quantity});
        self.record(Work::Amend(Amendment { id, quantity, door }), Vec::new(), vec![(Kind::OrderIntended, entry)], out);
    }

    /// Its intent is on disk, or could not be written.
    pub(crate) fn amend_recorded(&mut self, amendment: Amendment, failure: Option<String>, out: &mut Vec<Effect>) {
        match failure {
            None => self.sign_amend(amendment, out),
            Some(failure) => {
                let why = format!("the amendment could not be recorded ({failure}); nothing was sent");
                out.push(Effect::Tell { door: amendment.door, tell: error("not-recorded", why, Advice::Ask) });
            }
        }
    }

    /// Also again, with another key, when the one that the order was placed with is accepted no more.
    pub(crate) fn sign_amend(&mut self, amendment: Amendment, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(&amendment.id) else { return };
        let intent = Intent::Amend { symbol: order.intent.symbol.clone(), order: amendment.id.clone(), quantity: amendment.quantity };
        let credential = order.key;
        let tag = self.tag(Work::Amend(amendment));
        out.push(Effect::Sign { tag, by: DoorId::DESK, intent, credential });
    }

    pub(crate) fn amended(&mut self, amendment: Amendment, answer: Result<ExecutionReport, Trouble>, now: Now, out: &mut Vec<Effect>) {
        let (id, door) = (amendment.id.clone(), amendment.door);
        match answer {
            Ok(report) => {
                if self.merge(&id, &report, now, out) {
                    self.report(&id, Kind::OrderReported, now, out);
                }
                self.tell_order(&id, Some(door), out);
            }
            Err(Trouble::NotSent(why)) => {
                let tell = error("not-sent", format!("{why}; the order stands as it was"), Advice::RetryAfter(1_000));
                out.push(Effect::Tell { door, tell });
            }
            Err(Trouble::Venue(trouble)) if trouble.advice() == Advice::Reconcile => {
                let entry = json!({"order": id, "what": format!("an amendment to {}: {trouble}", amendment.quantity)});
                self.record(Work::Note, Vec::new(), vec![(Kind::OrderAmbiguous, entry)], out);
                self.ask_amended(amendment, out);
            }
            Err(Trouble::Venue(trouble)) => {
                let tell = error("venue", format!("{trouble}; the order was not made smaller"), trouble.advice());
                out.push(Effect::Tell { door, tell });
                // Filled or gone meanwhile, perhaps.
                self.query(id, None, now, out);
            }
        }
    }

    pub(crate) fn ask_amended(&mut self, amendment: Amendment, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(&amendment.id) else { return };
        let order_ref = strongroom_model::OrderRef::Client(amendment.id.clone());
        let intent = Intent::QueryOrder { symbol: order.intent.symbol.clone(), order: order_ref };
        let credential = order.key;
        let tag = self.tag(Work::AmendUnknown(amendment));
        out.push(Effect::Sign { tag, by: DoorId::DESK, intent, credential });
    }

    /// How the order stands, of which nobody knew whether it was amended.
    pub(crate) fn amend_looked_up(
        &mut self,
        amendment: Amendment,
        answer: Result<ExecutionReport, Trouble>,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let Amendment { id, quantity, door } = amendment;
        if let Ok(report) = answer
            && self.merge(&id, &report, now, out)
        {
            self.report(&id, Kind::OrderReconciled, now, out);
        }
        let Some(order) = self.orders.get(&id) else { return };
        let has = order.intent.spec.quantity().unwrap_or_default();
        if !order.may_rest() || has <= quantity {
            self.tell_order(&id, Some(door), out);
            return;
        }
        let why = format!(
            "whether {id} was made smaller is not known yet; it stands at {has} now and is looked up on. It cannot have become larger"
        );
        out.push(Effect::Tell { door, tell: error("ambiguous", why, Advice::Reconcile) });
    }

    /// The signer refused it, or its lookup.
    pub(crate) fn amend_not_looked_up(&mut self, amendment: Amendment, why: &str, out: &mut Vec<Effect>) {
        let Amendment { id, door, .. } = amendment;
        let words = format!(
            "nobody knows whether {id} was made smaller, and it could not be looked up ({why}). `strongroom order show {id}` tells"
        );
        out.push(Effect::Tell { door, tell: error("ambiguous", words, Advice::Reconcile) });
    }
}

/// Why an order cannot be made so small.
fn why_not(order: &Order, asked: Quantity) -> Option<Reason> {
    let id = &order.intent.client_order_id;
    let (is, between) = match (order.intent.spec, &order.stage) {
        (OrderSpec::Limit { quantity: has, .. } | OrderSpec::PostOnly { quantity: has, .. }, Stage::Working) => {
            let is = match asked {
                _ if asked >= has => format!("it is for {has}, and an order can only be made smaller"),
                _ if asked <= order.filled => format!("{} of it is filled already; cancel what is left", order.filled),
                _ => return None,
            };
            (is, Some((order.filled, has)))
        }
        (OrderSpec::Market { .. }, _) => ("it has no price, so it does not rest".to_owned(), None),
        (_, Stage::Intended | Stage::Ambiguous { .. }) => ("whether it rests at the venue is not known yet".to_owned(), None),
        (_, Stage::Settling { .. } | Stage::Over { .. }) => ("it is over".to_owned(), None),
    };
    Some(Reason::Amend { id: id.clone(), asked, is, between })
}

#[cfg(test)]
mod tests {
    use strongroom_desk_api::Tell;
    use strongroom_model::{
        CredentialId, Method, Notional, OrderStatus, PlaceOrder, Side, SignedRequest, Symbol, TimeInForce, Timestamp, VenueOrderId,
    };

    use super::*;
    use crate::event::{Event, Outcome, Signed};

    const NOW: Now = Now { wall: Timestamp::from_ms(1), mono_ms: 1, venue_offset_us: 0 };

    fn id() -> ClientOrderId {
        ClientOrderId::parse("a").unwrap()
    }

    fn order(stage: Stage) -> Order {
        let spec = OrderSpec::Limit { price: "10".parse().unwrap(), quantity: "3".parse().unwrap(), tif: TimeInForce::Gtc };
        let intent = PlaceOrder { client_order_id: id(), symbol: Symbol::parse("X").unwrap(), side: Side::Buy, spec, reduce_only: false };
        Order {
            stage,
            filled: "1".parse().unwrap(),
            venue_order_id: Some(VenueOrderId(7)),
            ..Order::intended(intent, Timestamp::from_ms(0))
        }
    }

    fn answer(status: u16, body: &str) -> Outcome {
        Outcome::Answer { status, retry_after_s: None, body: body.as_bytes().to_vec() }
    }

    /// The answer to a query of the order when it is for `quantity`.
    fn stands(quantity: &str) -> Outcome {
        answer(
            200,
            &format!(
                r#"{{"symbol":"X","orderId":7,"clientOrderId":"a","price":"10","origQty":"{quantity}","executedQty":"1",
                "cummulativeQuoteQty":"10","status":"PARTIALLY_FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY"}}"#
            ),
        )
    }

    fn amended(quantity: &str) -> Outcome {
        answer(
            200,
            &format!(
                r#"{{"transactTime":5,"executionId":1,"amendedOrder":{{"symbol":"X","orderId":7,"origClientOrderId":"a",
                "clientOrderId":"a","price":"10","qty":"{quantity}","executedQty":"1","cumulativeQuoteQty":"10","status":"PARTIALLY_FILLED",
                "timeInForce":"GTC","type":"LIMIT","side":"BUY"}}}}"#
            ),
        )
    }

    /// Asks for 2 and plays the venue with `answers`, one per request: what the door is told, the order's quantity, and what was signed.
    fn play(stage: Stage, quantity: &str, recorded: Option<&str>, answers: &[Outcome]) -> (String, String, Vec<&'static str>) {
        let mut machine = Machine::resume(vec![order(stage)], NOW, 5_000);
        let mut answers = answers.iter();
        let (mut told, mut signed) = (Vec::new(), Vec::new());
        let mut effects = machine.on(Event::Amend { door: 4, id: id(), quantity: quantity.parse().unwrap() }, NOW);
        while !effects.is_empty() {
            let mut next = Vec::new();
            for effect in effects {
                let event = match effect {
                    Effect::Tell { tell: Tell::Error(error), .. } => {
                        told.push(error.code);
                        continue;
                    }
                    Effect::Tell { .. } => {
                        told.push("order".to_owned());
                        continue;
                    }
                    Effect::Record { tag, .. } => Event::Recorded { tag, error: recorded.map(str::to_owned) },
                    Effect::Sign { tag, intent, .. } => {
                        signed.push(if matches!(intent, Intent::Amend { .. }) { "amend" } else { "query" });
                        let (path, query, body) = Default::default();
                        let request =
                            SignedRequest { method: Method::Put, path, query, body, key_header: String::new(), api_key: String::new() };
                        Event::Signed {
                            tag,
                            outcome: Ok(Signed { request, expires: NOW.wall, key: CredentialId(1), number: None, slot: None }),
                        }
                    }
                    Effect::Send { tag, cancel, .. } => {
                        assert!(!cancel, "the budget that is kept for cancels stays theirs");
                        match answers.next() {
                            Some(outcome) => Event::Answered { tag, outcome: outcome.clone() },
                            None => continue,
                        }
                    }
                    Effect::Kill { .. } | Effect::AskHeld | Effect::WakeSigner => continue,
                };
                next.extend(machine.on(event, NOW));
            }
            effects = next;
        }
        let has = machine.order(&id()).unwrap().intent.spec.quantity().unwrap();
        (told.join(" "), has.to_string(), signed)
    }

    /// Rows: answers of the venue, what the door is told, how large the order is then, what was signed.
    #[test]
    fn what_a_door_is_told_of_an_amendment() {
        let lost = || Outcome::NoAnswer("timed out".to_owned());
        let refused = || answer(400, r#"{"code":-2038,"msg":"Order amend (quantity increase) is not supported."}"#);
        let rows: [(&[Outcome], &str, &str, &[&str]); 7] = [
            (&[amended("2")], "order", "2", &["amend"]),
            (&[refused(), stands("3")], "venue", "3", &["amend", "query"]),
            (&[Outcome::NotSent("no route".to_owned())], "not-sent", "3", &["amend"]),
            (&[lost(), stands("2")], "order", "2", &["amend", "query"]),
            (&[lost(), stands("3")], "ambiguous", "3", &["amend", "query"]),
            (&[answer(200, "{"), lost()], "ambiguous", "3", &["amend", "query"]),
            // Whatever a venue says, an order does not grow.
            (&[amended("5")], "order", "3", &["amend"]),
        ];
        for (answers, told, has, signed) in rows {
            let played = play(Stage::Working, "2", None, answers);
            assert_eq!((played.0.as_str(), played.1.as_str(), played.2.as_slice()), (told, has, signed), "{answers:?}");
        }
    }

    #[test]
    fn what_cannot_be_made_smaller_is_not_asked_for() {
        let over = Stage::Over { fate: strongroom_desk_api::Fate::Filled, note: None };
        let unknown = Stage::Ambiguous { expires: NOW.wall, what: String::new() };
        for (stage, quantity) in
            [(Stage::Working, "3"), (Stage::Working, "3.1"), (Stage::Working, "1"), (Stage::Working, "0"), (over, "2"), (unknown, "2")]
        {
            let played = play(stage.clone(), quantity, None, &[]);
            assert_eq!((played.0.as_str(), played.2.len()), ("amend", 0), "{stage:?} {quantity}");
        }
        let unrecorded = play(Stage::Working, "2", Some("no space left"), &[]);
        assert_eq!((unrecorded.0.as_str(), unrecorded.2.len()), ("not-recorded", 0), "what is not recorded is not signed");
    }

    #[test]
    fn a_report_of_an_older_size_changes_nothing() {
        let report = |quantity: &str| ExecutionReport {
            symbol: Symbol::parse("X").unwrap(),
            venue_order_id: VenueOrderId(7),
            client_order_id: Some(id()),
            side: Side::Buy,
            status: OrderStatus::New,
            quantity: quantity.parse().unwrap(),
            filled: Quantity::ZERO,
            filled_notional: Notional::ZERO,
            price: None,
            fills: Vec::new(),
            at: NOW.wall,
        };
        let mut machine = Machine::resume(vec![order(Stage::Working)], NOW, 5_000);
        let mut out = Vec::new();
        machine.merge(&id(), &report("2"), NOW, &mut out);
        machine.merge(&id(), &report("3"), NOW, &mut out);
        assert_eq!(machine.order(&id()).unwrap().intent.spec.quantity(), Some("2".parse().unwrap()));
    }
}
