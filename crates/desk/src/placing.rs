//! A new order on its way into the pipeline: what stops it, what is noted, and what stops everything.
//!
//! Invariant: an order counts in every rule from the moment in which it is recorded; what may rest is never refused to be cancelled.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use strongroom_audit::Kind;
use strongroom_desk_api::{DoorError, Fate, Tell};
use strongroom_guard::{Filled, Freeze, Judgement, Pair, Policy, Quote, Reason, Unmet, not_listed, worth_at_most};
use strongroom_model::{Advice, Asset, Balance, ClientOrderId, CredentialId, Fill, PlaceOrder, Symbol, Timestamp, Venue};
use strongroom_signer_api::DoorId;

use crate::event::{Door, Effect, Now};
use crate::machine::{LIVE_ORDERS_MAX, Machine, OVER_ORDERS_MAX, Waiting, error};
use crate::order::{Order, Stage};
use crate::work::Work;

/// A door waits so long for an order whose outcome is unknown, then is told so.
const DOOR_PATIENCE_MS: u64 = 8_000;
/// An override and a confirmation hold for so long.
const OVERRIDE_MS: u64 = 120_000;
/// What is held is asked for again so often, where a rule needs it; while it is not known, more often.
const HELD_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;
const UNKNOWN_HELD_MS: u64 = 2_000;
/// And so often while it is not known whether the last answer had what was told since.
const VAGUE_HELD_MS: u64 = 10_000;

/// An order that may pass the desk's rules once.
#[derive(Debug)]
pub(crate) struct Override {
    order: PlaceOrder,
    why: String,
    until_ms: u64,
}

/// The highest results of a day by quote asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highest {
    day: i64,
    results: BTreeMap<Asset, Decimal>,
}

impl Machine {
    pub(crate) fn place(
        &mut self,
        (door, by): (Door, DoorId),
        order: PlaceOrder,
        market: Quote,
        reason: Option<String>,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let id = order.client_order_id.clone();
        if self.orders.contains_key(&id) || self.rebuild.is_others(&id) {
            out.push(Effect::Tell { door, tell: denied(&[Reason::NameTaken { id }]) });
            return;
        }
        let live = self.live();
        if live >= LIVE_ORDERS_MAX {
            out.push(Effect::Tell { door, tell: denied(&[Reason::TooMany { live, max: LIVE_ORDERS_MAX }]) });
            return;
        }
        if let Some(why) = self.stop_of(&Order::intended(order.clone(), now.wall)) {
            // The signer would refuse it, too; here nothing has to be recorded first.
            out.push(Effect::Tell { door, tell: denied(&[Reason::KillSwitch { why }]) });
            return;
        }
        let Some(policy) = &self.policy else {
            out.push(Effect::Tell { door, tell: denied(&[Reason::Sealed]) });
            return;
        };
        if let Some(error) = self.rebuild.hinders() {
            // Nothing was recorded, so the order keeps its name.
            out.push(Effect::Tell { door, tell: Tell::Error(error) });
            return;
        }
        if let Some(reason) = not_listed(policy, &order.symbol).or_else(|| self.wants_confirmation(policy, &order, now)) {
            // As the signer will say; asked before anything is recorded, so that the order keeps its name.
            out.push(Effect::Tell { door, tell: denied(&[reason]) });
            return;
        }
        let Judgement { refused, asks, shadows } = self.risk.judge(policy, &order, market, now.mono_ms);
        let mut entries = Vec::new();
        let note = |kind: &str, reason: &Reason, why: Option<&str>| {
            (Kind::RulePassed, json!({"order": order, "rule": reason.rule(), "what": reason.to_string(), "because": kind, "why": why}))
        };
        if let Some(refusal) = refused.first() {
            let granted = self.overrides.iter().position(|granted| granted.order == order && now.mono_ms < granted.until_ms);
            match granted.filter(|_| refused.iter().all(|reason| reason.can_be_overridden(policy))).map(|at| self.overrides.remove(at)) {
                Some(Override { why, .. }) => {
                    entries.extend(refused.iter().chain(&asks).map(|reason| note("override", reason, Some(&why))));
                }
                None => {
                    out.push(Effect::Tell { door, tell: denied(&refused) });
                    let entry = json!({
                        "order": order, "rule": refusal.rule(), "why": refusal.to_string(), "by": "desk", "unmet": unmet(&refused),
                    });
                    self.record(Work::Note, Vec::new(), vec![(Kind::OrderRefused, entry)], out);
                    return;
                }
            }
        } else if let Some(asking) = asks.first() {
            let Some(why) = &reason else {
                let words = format!("{asking}. It passes if you give a reason; nothing was sent");
                let needed = DoorError { unmet: unmet(&asks), ..DoorError::new("reason-needed", words, Advice::Ask) };
                out.push(Effect::Tell { door, tell: Tell::Error(needed) });
                return;
            };
            entries.extend(asks.iter().map(|reason| note("asked", reason, Some(why))));
        }
        entries.extend(shadows.iter().map(|reason| note("shadow", reason, None)));
        entries.push((Kind::OrderIntended, json!({"order": order, "words": order.words(), "why": reason})));
        self.waiting.insert(id.clone(), Waiting { door, by, until_ms: now.mono_ms + DOOR_PATIENCE_MS });
        self.risk.sent(&order, now.mono_ms);
        let order = Order::intended(order, now.wall);
        self.orders.insert(id.clone(), order.clone());
        self.record(Work::Place(id), vec![order], entries, out);
    }

    /// The day's highest results, to be kept: a drawdown is measured from them.
    pub fn highest(&self) -> Highest {
        let (day, results) = self.risk.highest();
        Highest { day, results: results.clone() }
    }

    /// What an earlier desk kept of them.
    pub fn remember_highest(&mut self, kept: &Highest, now: Now) {
        self.risk.remember_highest(kept.day, &kept.results, now.wall);
    }

    /// Remembers what was traded before the start, live or over: of this day it counts.
    pub fn remember(&mut self, mut orders: Vec<Order>, now: Now) {
        let ago_ms = |at: Timestamp| u64::try_from(now.wall.ms().saturating_sub(at.ms())).unwrap_or(0);
        // Within the last hour: repetitions and the ratio of cancels go on from there. On a clock that began anew, as of its beginning.
        let is_young = |at: Timestamp| ago_ms(at) < HOUR_MS;
        orders.sort_by_key(|order| order.created);
        for order in
            orders.iter().filter(|order| is_young(order.created) && !matches!(order.stage, Stage::Over { fate: Fate::Refused, .. }))
        {
            self.risk.sent_earlier(&order.intent, now.mono_ms.saturating_sub(ago_ms(order.created)));
        }
        orders.sort_by_key(|order| order.updated);
        let cancelled =
            |order: &&Order| matches!(order.stage, Stage::Over { fate: Fate::Canceled, .. } | Stage::Settling { fate: Fate::Canceled });
        for order in orders.iter().filter(cancelled).filter(|order| is_young(order.updated)) {
            self.risk.cancelled(now.mono_ms.saturating_sub(ago_ms(order.updated)));
        }
        let day = |at: Timestamp| at.ms().div_euclid(86_400_000);
        for order in orders.into_iter().filter(|order| day(order.updated) == day(now.wall) && !order.filled.is_zero()) {
            let filled = Filled { quantity: order.filled.value(), notional: order.filled_notional.value() };
            let trades: Vec<Fill> = order.fills.into_values().collect();
            self.risk.traded(&order.intent, filled, &trades, now.wall);
        }
    }

    /// What the rules would say of a drafted order.
    pub fn judge(&mut self, order: &PlaceOrder, key: Option<CredentialId>, market: Quote, now: Now) -> Option<Judgement> {
        // Whoever drafts such an order sees what is held, and what changes of it.
        self.has_reduced |= order.reduce_only;
        let policy = self.policy.as_ref()?;
        let mut judgement = self.risk.judge(policy, order, market, now.mono_ms);
        let stop = self.stop_of(&Order { key, ..Order::intended(order.clone(), now.wall) });
        judgement.refused.extend(stop.map(|why| Reason::KillSwitch { why }));
        Some(judgement)
    }

    /// Why an order has to be confirmed with a code first, if it has to.
    fn wants_confirmation(&self, policy: &Policy, order: &PlaceOrder, now: Now) -> Option<Reason> {
        let above = policy.confirm_above.filter(|_| !order.reduce_only)?;
        let asked = worth_at_most(order, policy.instrument(&order.symbol)?);
        let is_confirmed = self.confirmed.iter().any(|(confirmed, until_ms)| confirmed == order && now.mono_ms < *until_ms);
        (asked > above && !is_confirmed).then(|| Reason::Confirm { asked, above, currency: policy.currency.clone() })
    }

    /// The signer holds this order as confirmed.
    pub(crate) fn confirm(&mut self, order: PlaceOrder, now: Now) {
        self.confirmed.retain(|(_, until_ms)| now.mono_ms < *until_ms);
        self.confirmed.push((order, now.mono_ms + OVERRIDE_MS));
    }

    /// Risk and a code let this order pass once.
    pub(crate) fn let_pass(&mut self, order: PlaceOrder, why: String, now: Now) {
        self.overrides.retain(|granted| now.mono_ms < granted.until_ms);
        self.overrides.push(Override { order, why, until_ms: now.mono_ms + OVERRIDE_MS });
    }

    /// An order stands somewhere else than before; `told`: trades that were not known, `as_of`: the time of the venue's report, if it is one.
    pub(crate) fn stood(&mut self, id: &ClientOrderId, told: &[Fill], as_of: Option<Timestamp>, now: Now, out: &mut Vec<Effect>) {
        let Some(order) = self.orders.get(id) else { return };
        // What is over at the venue buys nothing more, though some of its trades are not told yet.
        let is_gone = !order.may_rest();
        if self.risk.stands(&order.intent, (order.filled, order.filled_notional), told, is_gone, (now.wall, as_of)) {
            // Of whoever is stopped, what stood then may still fill.
            if self.stop_of(order).is_none() {
                self.risk.executed(&order.intent, order.slot, now.mono_ms);
            }
        }
        if is_gone {
            self.is_gone(id, now, out);
        }
        self.stop_if_broken(now, out);
    }

    /// An order that was never sent does not count.
    pub(crate) fn never_sent(&mut self, order: &PlaceOrder) {
        self.risk.never_sent(order);
    }

    /// The venue told what is held.
    pub(crate) fn held(&mut self, balances: &[Balance], account: Option<String>, asked: Timestamp, now: Now) {
        let whole = |balance: &Balance| (balance.asset.clone(), balance.free + balance.locked);
        if self.risk.held(balances.iter().map(whole), now.venue(), asked) {
            // The desk has one venue.
            self.risk.held_at(Venue::Binance, account);
            self.held_asked_ms = Some(now.mono_ms);
        }
    }

    /// What is held may be another account's: it is asked for anew, and until then not known.
    pub(crate) fn keys_changed(&mut self, now: Now) {
        self.risk.other_account(now.wall);
        self.held_asked_ms = None;
        self.forget_open(now);
    }

    pub(crate) fn forget_held(&mut self) {
        self.risk.forget_held();
        self.held_asked_ms = None;
    }

    /// The venue told its instruments.
    pub(crate) fn pairs(&mut self, pairs: Vec<(Symbol, Asset, Asset)>) {
        self.risk.pairs(pairs.into_iter().map(|(symbol, base, quote)| (symbol, Pair { base, quote })));
    }

    /// Whether a rule sums up what is held and open.
    pub(crate) fn sums_up(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| {
            policy.desk.exposure_max.is_some()
                || !policy.desk.exposure_of.is_empty()
                || policy.summed().any(|listed| listed.position_max.is_some())
        })
    }

    /// Asks for what is held, where a rule needs it and it is not known, or was told long ago.
    pub(crate) fn ask_held(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.risk.exposure.clock_is(now.wall);
        let needs = self.policy.is_some() && (self.has_reduced || self.sums_up());
        let every = match (self.risk.exposure.is_known(), self.risk.exposure.is_vague()) {
            (false, _) => UNKNOWN_HELD_MS,
            (true, true) => VAGUE_HELD_MS,
            (true, false) => HELD_MS,
        };
        if needs && self.held_asked_ms.is_none_or(|asked| now.mono_ms.saturating_sub(asked) >= every) {
            self.held_asked_ms = Some(now.mono_ms);
            out.push(Effect::AskHeld);
        }
    }

    /// Orders that are over leave memory, oldest first; the store keeps them.
    pub(crate) fn forget_old(&mut self) {
        let over: Vec<_> =
            self.orders.iter().filter(|(_, order)| !order.is_live()).map(|(id, order)| (order.updated, id.clone())).collect();
        if over.len() > OVER_ORDERS_MAX {
            let mut over = over;
            over.sort_unstable();
            for (_, id) in over.iter().take(over.len() - OVER_ORDERS_MAX / 2) {
                self.orders.remove(id);
                self.asks.remove(id);
            }
        }
    }

    /// Engages the kill switch when a rule says that somebody or everything has to stop.
    pub(crate) fn stop_if_broken(&mut self, now: Now, out: &mut Vec<Effect>) {
        let Some(policy) = self.policy.as_ref().filter(|_| self.killed().is_none()) else { return };
        if let Some((reason, scope)) = self.risk.must_stop(policy, now.mono_ms, now.wall) {
            let freeze = Freeze::new(&format!("by rule {}: {reason}", reason.rule()), scope);
            let first = out.len();
            let freeze = self.kill(freeze, Vec::new(), now, out);
            out.insert(first, Effect::Kill(freeze));
        }
    }
}

/// Every rule that said no; the first of them names the error.
pub(crate) fn denied(reasons: &[Reason]) -> Tell {
    let Some(first) = reasons.first() else { return error("refused", "nothing was sent".to_owned(), Advice::Bug) };
    let words: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    let message = format!("{}; nothing was sent", words.join("; "));
    Tell::Error(DoorError { unmet: unmet(reasons), ..DoorError::new(first.rule(), message, first.advice()) })
}

fn unmet(reasons: &[Reason]) -> Vec<Unmet> {
    reasons.iter().map(Unmet::from).collect()
}

/// Trades that an order does not have yet.
pub(crate) fn not_known(order: &Order, fills: &[Fill]) -> Vec<Fill> {
    fills.iter().filter(|fill| !order.fills.contains_key(&fill.trade_id.0)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use strongroom_model::{OrderSpec, Side, TimeInForce};

    use super::*;
    use crate::event::Event;

    const fn at(mono_ms: u64) -> Now {
        Now { wall: Timestamp::from_ms(1_800_000_000_000), mono_ms, venue_offset_us: 0 }
    }

    /// Far above the market.
    fn order(id: &str, quantity: &str) -> PlaceOrder {
        let spec = OrderSpec::Limit { price: "60000".parse().unwrap(), quantity: quantity.parse().unwrap(), tif: TimeInForce::Gtc };
        let client_order_id = ClientOrderId::parse(id).unwrap();
        PlaceOrder { client_order_id, symbol: Symbol::parse("BTCUSDT").unwrap(), side: Side::Buy, spec, reduce_only: false }
    }

    /// At the market.
    fn near() -> OrderSpec {
        OrderSpec::Limit { price: "50000".parse().unwrap(), quantity: "0.1".parse().unwrap(), tif: TimeInForce::Gtc }
    }

    fn placed(machine: &mut Machine, order: PlaceOrder, mono_ms: u64) -> String {
        let market = Quote { mark: "50000".parse().ok(), average: None, open_max: 0 };
        let effects = machine.on(Event::Place { door: 1, by: DoorId::DESK, order, market, reason: None }, at(mono_ms));
        let refused = effects.iter().find_map(|effect| match effect {
            Effect::Tell { tell: Tell::Error(error), .. } => Some(error.code.clone()),
            _ => None,
        });
        refused.unwrap_or_else(|| "recorded".to_owned())
    }

    /// While its record is written: what is recorded without being signed wakes nobody.
    #[test]
    fn the_signer_is_woken_before_an_order_is_recorded() {
        let mut machine = Machine::resume(Vec::new(), at(1), 5_000);
        machine.told_open(&[], at(1), &mut Vec::new());
        machine.on(Event::Policy(Some(Box::new(Policy::initial()))), at(1));
        let mut recorded = |spec, ms| {
            let market = Quote { mark: "50000".parse().ok(), average: None, open_max: 0 };
            let order = PlaceOrder { spec, ..order("a", "0.1") };
            let effects = machine.on(Event::Place { door: 1, by: DoorId::DESK, order, market, reason: None }, at(ms));
            let record = effects.iter().position(|effect| matches!(effect, Effect::Record { .. })).unwrap();
            let wake = effects.iter().position(|effect| matches!(effect, Effect::WakeSigner));
            (wake.is_some(), wake.is_none_or(|wake| wake < record))
        };
        let far = OrderSpec::Limit { price: "90000".parse().unwrap(), quantity: "0.1".parse().unwrap(), tif: TimeInForce::Gtc };
        assert_eq!(recorded(far, 2), (false, true), "refused");
        assert_eq!(recorded(near(), 3), (true, true));
    }

    /// After a start the venue tells of orders before it tells of its instruments: all of it counts in the day's loss.
    #[test]
    fn what_filled_before_the_instruments_were_known_counts_in_the_days_loss() {
        let btc = Symbol::parse("BTCUSDT").unwrap();
        let buy = |id: &str| {
            let spec = OrderSpec::Limit { price: "10000".parse().unwrap(), quantity: "1".parse().unwrap(), tif: TimeInForce::Gtc };
            let order = Order::intended(PlaceOrder { spec, ..order(id, "1") }, at(0).wall);
            Order { filled: "1".parse().unwrap(), filled_notional: "10000".parse().unwrap(), ..order }
        };
        let mut policy = Policy::initial();
        policy.desk.day_loss_max = Some("1500".parse().unwrap());
        let mut machine = Machine::resume(Vec::new(), at(1), 5_000);
        machine.on(Event::Policy(Some(Box::new(policy))), at(1));
        machine.remember(vec![buy("before")], at(1));
        let mut stops = |mark: &str, ms| {
            let marks = std::collections::BTreeMap::from([(btc.clone(), mark.parse().unwrap())]);
            let effects = machine.on(Event::Marks(marks), at(ms));
            let is_stopped = effects.iter().any(|effect| matches!(effect, Effect::Kill(freeze) if freeze.why.contains("day-loss")));
            if ms == 2 {
                let after = buy("after");
                machine.risk.found(&after.intent, Filled::default());
                machine.risk.stands(&after.intent, (after.filled, after.filled_notional), &[], true, (at(ms).wall, None));
                machine.on(Event::Pairs(vec![(btc.clone(), "BTC".to_owned(), "USDT".to_owned())]), at(ms));
            }
            is_stopped
        };
        // One of them alone would lose 1,000 of the 1,500.
        assert_eq!([stops("9000", 2), stops("9250", 3), stops("9249", 4)], [false, false, true]);
    }

    /// Limits are told when the vault is opened, and taken back when it is sealed.
    #[test]
    fn a_sealed_vault_places_nothing() {
        let mut machine = Machine::resume(Vec::new(), at(1), 5_000);
        machine.told_open(&[], at(1), &mut Vec::new());
        let market = |id: &str| PlaceOrder { spec: near(), ..order(id, "0.1") };
        assert_eq!(placed(&mut machine, market("a"), 2), "sealed");
        machine.on(Event::Policy(Some(Box::new(Policy::initial()))), at(3));
        assert_eq!(placed(&mut machine, market("b"), 4), "recorded");
        machine.on(Event::Policy(None), at(5));
        assert_eq!(placed(&mut machine, market("c"), 6), "sealed");
    }

    /// One less than the most are live; the next passes, one more does not, nor does a name that is there.
    #[test]
    fn so_many_orders_are_live_and_each_has_its_own_name() {
        let live = |number: usize| Order { stage: Stage::Working, ..Order::intended(order(&format!("o{number}"), "0.1"), at(0).wall) };
        let mut machine = Machine::resume((1..LIVE_ORDERS_MAX).map(live).collect(), at(1), 5_000);
        machine.told_open(&[], at(1), &mut Vec::new());
        let mut policy = Policy::initial();
        (policy.desk.open_orders_max, policy.desk.duplicate_ms) = (None, None);
        machine.on(Event::Policy(Some(Box::new(policy))), at(1));
        let market = |id: &str| PlaceOrder { spec: near(), ..order(id, "0.1") };
        assert_eq!(placed(&mut machine, market("o1"), 2), "duplicate-id");
        assert_eq!(placed(&mut machine, market("o0"), 2), "recorded");
        assert_eq!(placed(&mut machine, market("x"), 3), "too-many-orders");
    }

    #[test]
    fn an_order_is_let_pass_once_exactly_as_named_and_for_two_minutes() {
        for (id, quantity, mono_ms, expected) in [
            ("a", "0.1", 10, "recorded"),
            ("a", "0.1", 10 + OVERRIDE_MS - 1, "recorded"),
            ("a", "0.1", 10 + OVERRIDE_MS, "price-collar"),
            ("a", "0.10001", 10, "price-collar"),
            ("b", "0.1", 10, "price-collar"),
        ] {
            let mut machine = Machine::resume(Vec::new(), at(1), 5_000);
            machine.told_open(&[], at(1), &mut Vec::new());
            machine.on(Event::Policy(Some(Box::new(Policy::initial()))), at(1));
            assert_eq!(placed(&mut machine, order("a", "0.1"), 5), "price-collar", "before it is let pass");
            machine.on(Event::Overridden { order: order("a", "0.1"), why: "tested".to_owned() }, at(10));
            assert_eq!(placed(&mut machine, order(id, quantity), mono_ms), expected, "{quantity} as {id} at {mono_ms}");
            assert_eq!(placed(&mut machine, order("c", "0.1"), mono_ms), "price-collar", "another one");
        }
    }
    /// Rows: how long before the start the same order was sent, and whether it is a repetition.
    #[test]
    fn a_restart_forgets_no_repetition_and_no_cancel() {
        for (ago_ms, expected) in [(1_000, "duplicate"), (3_599_999, "duplicate"), (3_600_000, "reason-needed")] {
            let mut machine = Machine::resume(Vec::new(), at(0), 5_000);
            machine.told_open(&[], at(1), &mut Vec::new());
            let mut policy = Policy::initial();
            (policy.desk.duplicate_ms, policy.desk.cancels_percent) = (Some(600_000), Some(90));
            policy.desk.modes.insert(strongroom_guard::DeskRule::PriceCollar, strongroom_guard::RuleMode::Ask);
            machine.on(Event::Policy(Some(Box::new(policy))), at(1));
            let sent = |name: &str, fate| {
                let created = Timestamp::from_ms(at(0).wall.ms() - ago_ms);
                let order = Order::intended(order(name, "0.1"), created);
                Order { stage: Stage::Over { fate, note: None }, ..order }
            };
            let refused = sent("refused", Fate::Refused);
            machine.remember(vec![sent("a", Fate::Filled), refused], at(0));
            let told = placed(&mut machine, order("b", "0.1"), 10);
            // A clock that began anew counts what came before as of its beginning: longer, never shorter.
            assert_eq!(told, expected, "{ago_ms} ms ago");
            let many = (0..60).map(|number| sent(&format!("c{number}"), Fate::Canceled)).collect();
            machine.remember(many, at(0));
            let mut other = order("d", "0.2");
            other.side = Side::Sell;
            assert_eq!(placed(&mut machine, other, 700_000), if ago_ms < 3_600_000 { "cancel-ratio" } else { "recorded" });
        }
    }
}
