//! Every rule at its limit and one step beyond, in one table. Invariant: a rule without a row here is no rule: the table is compared with
//! the list of all rules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{AT, btc, limit, market, notional, place, price, quantity, quote, state};
use strongroom_guard::{
    Actor, Enforcer, ExposureLimit, ExposureScope, Freeze, OrderRate, Policy, Quote, RULES, RiskState, Role, Session, SessionEnd,
    SignerFacts, Threshold, Turnover, Turnovers, Verdict, signer_gate,
};
use strongroom_model::{Amount, Intent, KeyScope, Notional, OrderSpec, PlaceOrder, Side, Timestamp, Venue};

/// An order with everything that a rule looks at; as it begins, it passes all of them.
struct Case {
    policy: Policy,
    order: PlaceOrder,
    /// Of the signer.
    freeze: Option<Freeze>,
    session: Result<Session, SessionEnd>,
    scope: KeyScope,
    rate: OrderRate,
    turnover: Turnover,
    turnovers: Turnovers,
    slot: Option<u16>,
    is_confirmed: bool,
    /// Of the desk.
    state: RiskState,
    quote: Quote,
    now_ms: u64,
}

/// One rule: what makes it bind, what is at its limit, and what is one step beyond.
struct Row {
    rule: &'static str,
    bind: fn(&mut Case),
    at: fn(&mut Case),
    beyond: fn(&mut Case),
}

const fn row(rule: &'static str, bind: fn(&mut Case), at: fn(&mut Case), beyond: fn(&mut Case)) -> Row {
    Row { rule, bind, at, beyond }
}

fn nothing(_: &mut Case) {}

/// Of the rules that the gate itself answers.
const ROWS: &[Row] = &[
    row("kill-switch", nothing, |case| case.freeze = None, |case| case.freeze = Some(Freeze::everything("test"))),
    row(
        "session",
        |case| case.policy.session_idle_ms = 60_000,
        |case| case.now_ms = case.session.as_ref().unwrap().used_ms + 59_999,
        |case| case.now_ms = case.session.as_ref().unwrap().used_ms + 60_000,
    ),
    row(
        "session",
        |case| (case.policy.session_idle_ms, case.policy.session_age_max_ms) = (900_000, 300_000),
        |case| case.now_ms = 299_999,
        |case| case.now_ms = 300_000,
    ),
    row("session", nothing, nothing, |case| case.session = Err(SessionEnd::Locked)),
    row("role", nothing, |case| case.roles(&[Role::Trader]), |case| case.roles(&[Role::Viewer, Role::Risk, Role::KeyAdmin, Role::Auditor])),
    row("scope", |case| case.scope.notional_max = Some(notional("10000")), nothing, |case| case.limit("10000", "1.00000001")),
    row(
        "scope",
        // A sale is worth what it brings at the top of the band.
        |case| (case.scope.notional_max, case.order.side) = (Some(notional("400000")), Side::Sell),
        nothing,
        |case| case.limit("10000", "1.00000001"),
    ),
    row("instrument", nothing, nothing, |case| case.order.symbol = strongroom_model::Symbol::parse("BTCUSD").unwrap()),
    row("reduce-only", |case| case.order.reduce_only = true, |case| case.order.side = Side::Sell, |case| case.order.side = Side::Buy),
    row("order-rate", |case| case.policy.orders_per_minute = 3, |case| case.signed(2, 0), |case| case.signed(3, 0)),
    row(
        "order-rate",
        |case| (case.policy.orders_per_minute, case.now_ms) = (1, 60_000),
        |case| case.signed(1, 0),
        |case| case.signed(1, 1),
    ),
    row("max-quantity", |case| case.policy.instruments[0].quantity_max = quantity("1"), nothing, |case| case.limit("10000", "1.00000001")),
    row("max-notional", |case| case.policy.order_notional_max = notional("10000"), nothing, |case| case.limit("10000.01", "1")),
    row("max-notional", nothing, |case| case.limit("10000", "0.00000001"), |case| case.limit("10000", "0")),
    row(
        "value-at-mark",
        |case| case.policy.order_notional_max = notional("10000"),
        |case| case.market("1"),
        |case| case.market("1.00000001"),
    ),
    // Where the quote asset is another one than the limits are in, each value counts at what it is worth.
    row(
        "max-notional",
        |case| case.paid("2", |policy| policy.order_notional_max = notional("20000")),
        nothing,
        |case| case.limit("10000.01", "1"),
    ),
    row(
        "max-notional",
        |case| case.paid("0.5", |policy| policy.order_notional_max = notional("5000")),
        nothing,
        |case| case.limit("10000.01", "1"),
    ),
    row(
        "scope",
        |case| (case.policy.instruments[0].quote_worth, case.scope.notional_max) = (Some(price("2")), Some(notional("20000"))),
        nothing,
        |case| case.limit("10000", "1.00000001"),
    ),
    row(
        "scope",
        |case| (case.policy.instruments[0].quote_worth, case.scope.notional_max) = (Some(price("0.5")), Some(notional("5000"))),
        nothing,
        |case| case.limit("10000", "1.00000001"),
    ),
    row(
        "value-at-mark",
        |case| case.paid("2", |policy| policy.order_notional_max = notional("20000")),
        |case| case.market("1"),
        |case| case.market("1.00000001"),
    ),
    row(
        "day-notional",
        |case| case.paid("2", |policy| policy.day_notional_max = notional("25000")),
        |case| case.counted("5000"),
        |case| case.counted("5000.00000001"),
    ),
    row(
        "threshold",
        |case| case.paid("2", |policy| policy.thresholds = vec![Threshold { of: Actor::Person(0), day_notional_max: notional("25000") }]),
        |case| case.counted("5000"),
        |case| case.counted("5000.00000001"),
    ),
    row(
        "confirm",
        |case| case.paid("2", |policy| policy.confirm_above = Some(notional("20000"))),
        nothing,
        |case| case.limit("10000.01", "1"),
    ),
    row(
        "exposure",
        |case| case.paid("2", |policy| policy.desk.exposure_max = Some(notional("60000"))),
        |case| case.held("2"),
        |case| case.held("2.00000001"),
    ),
    row(
        "day-loss",
        |case| case.paid("2", |policy| policy.desk.day_loss_max = Some(notional("200"))),
        |case| case.fell("9900"),
        |case| case.fell("9899.99"),
    ),
    row(
        "drawdown",
        |case| case.paid("2", |policy| policy.desk.drawdown_max = Some(notional("400"))),
        |case| case.fell("9900"),
        |case| case.fell("9899.99"),
    ),
    row("price-band", |case| case.policy.instruments[0].price_high = price("10000"), nothing, |case| case.limit("10000.01", "1")),
    row("price-band", |case| case.policy.instruments[0].price_low = price("10000"), nothing, |case| case.limit("9999.99", "1")),
    row(
        "day-notional",
        |case| case.policy.day_notional_max = notional("25000"),
        |case| case.counted("15000"),
        |case| case.counted("15000.00000001"),
    ),
    row(
        "threshold",
        |case| case.policy.thresholds = vec![Threshold { of: Actor::Person(0), day_notional_max: notional("25000") }],
        |case| case.counted("15000"),
        |case| case.counted("15000.00000001"),
    ),
    row("confirm", |case| case.policy.confirm_above = Some(notional("10000")), nothing, |case| case.limit("10000.01", "1")),
    row(
        "confirm",
        |case| case.policy.confirm_above = Some(notional("9999.99")),
        |case| case.is_confirmed = true,
        |case| case.is_confirmed = false,
    ),
    row("mark", nothing, nothing, |case| case.quote.mark = None),
    row(
        "reduce-held",
        |case| (case.order.reduce_only, case.order.side) = (true, Side::Sell),
        |case| case.held("1"),
        |case| case.held("0.99999999"),
    ),
    row("restricted", |case| case.policy.desk.restricted = vec![btc()], |case| case.order.side = Side::Sell, nothing),
    row("price-collar", |case| case.policy.price_collar_bps = 100, |case| case.limit("10100", "1"), |case| case.limit("10100.01", "1")),
    row("price-collar", |case| case.sale(100), |case| case.limit("9900", "1"), |case| case.limit("9899.99", "1")),
    // The mark is 10,000 now; lower within the last ten minutes, so a buyer compares with that.
    row("price-drift", |case| case.drifts("9900"), |case| case.limit("9999", "1"), |case| case.limit("9999.01", "1")),
    row(
        "price-drift",
        |case| case.drifts_for("9900", market("1")),
        |case| case.quote.average = Some(price("9999")),
        |case| case.quote.average = Some(price("9999.01")),
    ),
    // A book that does not hold so much says nothing; who only reduces is not held in a market that falls.
    row(
        "price-drift",
        |case| case.drifts_for("9900", market("1")),
        |case| case.quote.average = Some(price("9999")),
        |case| case.quote.average = None,
    ),
    row(
        "price-drift",
        |case| {
            case.drifts_for("10200", market("1"));
            case.held("5");
            case.order.side = Side::Sell;
        },
        |case| case.order.reduce_only = true,
        nothing,
    ),
    // Ten minutes, and the one that is not over.
    row(
        "price-drift",
        |case| {
            case.drifts_for("9900", market("1"));
            case.policy.session_idle_ms = 3_600_000;
        },
        |case| case.now_ms = 11 * 60_000,
        |case| case.now_ms = 11 * 60_000 - 1,
    ),
    row(
        "price-drift",
        |case| {
            case.drifts("10100");
            case.order.side = Side::Sell;
        },
        |case| case.limit("9999", "1"),
        |case| case.limit("9998.99", "1"),
    ),
    row(
        "slippage",
        |case| (case.policy.desk.slippage_bps, case.order.spec) = (Some(100), market("1")),
        |case| case.quote.average = Some(price("10100")),
        |case| case.quote.average = Some(price("10100.01")),
    ),
    row(
        "slippage",
        |case| (case.policy.desk.slippage_bps, case.order.spec, case.order.side) = (Some(100), market("1"), Side::Sell),
        |case| case.quote.average = Some(price("9900")),
        |case| case.quote.average = Some(price("9899.99")),
    ),
    row("open-orders", |case| case.policy.desk.open_orders_max = Some(3), |case| case.open(2), |case| case.open(3)),
    row(
        "position",
        |case| case.policy.instruments[0].position_max = Some(quantity("3")),
        |case| case.held("2"),
        |case| case.held("2.00000001"),
    ),
    row("exposure", |case| case.policy.desk.exposure_max = Some(notional("30000")), |case| case.held("2"), |case| case.held("2.00000001")),
    row(
        "exposure",
        |case| case.policy.desk.exposure_of = vec![ExposureLimit { of: ExposureScope::Venue(Venue::Binance), max: notional("30000") }],
        |case| case.held("2"),
        |case| case.held("2.00000001"),
    ),
    row(
        "exposure-unknown",
        |case| case.policy.desk.exposure_max = Some(notional("30000")),
        |case| case.held("0"),
        |case| case.state.forget_held(),
    ),
    row(
        "duplicate",
        |case| (case.policy.desk.duplicate_ms, case.now_ms) = (Some(1_000), 5_000),
        |case| case.sent_at(4_000),
        |case| case.sent_at(4_001),
    ),
    row("cancel-ratio", |case| case.policy.desk.cancels_percent = Some(90), |case| case.busy(50, 45), |case| case.busy(50, 46)),
    row("cancel-ratio", |case| case.policy.desk.cancels_percent = Some(90), |case| case.busy(99, 89), |case| case.busy(99, 90)),
    row("cancel-ratio", |case| case.policy.desk.cancels_percent = Some(90), |case| case.busy(49, 49), |case| case.busy(50, 49)),
    row("self-trade", nothing, |case| case.own_sale("10000.01"), |case| case.own_sale("10000")),
    row("day-loss", |case| case.policy.desk.day_loss_max = Some(notional("100")), |case| case.fell("9900"), |case| case.fell("9899.99")),
    row("drawdown", |case| case.policy.desk.drawdown_max = Some(notional("200")), |case| case.fell("9900"), |case| case.fell("9899.99")),
    row(
        "repeated-execution",
        |case| case.policy.desk.fills_per_minute = Some(3),
        |case| case.executed(&[1, 2, 3]),
        |case| case.executed(&[1, 2, 3, 4]),
    ),
    row(
        "repeated-execution",
        |case| (case.policy.desk.fills_per_minute, case.now_ms) = (Some(1), 60_000),
        |case| case.executed(&[0, 1]),
        |case| case.executed(&[1, 1]),
    ),
];

/// Of the rules that others answer: the file and the test in it.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("clock-offset", include_str!("../src/request.rs"), "at_each_bound_and_one_beyond"),
    ("recv-window", include_str!("../src/request.rs"), "at_each_bound_and_one_beyond"),
    ("head-due", include_str!("../src/request.rs"), "at_each_bound_and_one_beyond"),
    ("no-key", include_str!("../../../tests/tests/boundaries.rs"), "a_request_is_signed_with_the_key_that_it_names_and_never_with_another"),
    ("key-not-active", include_str!("../../model/src/credential.rs"), "only_an_active_key_adds_risk"),
    ("not-offered", include_str!("../../../tests/tests/stream_login.rs"), "a_stream_login_hears_of_orders_and_places_none"),
    ("policy-range", include_str!("../src/policy.rs"), "numbers_have_bounds"),
    ("managed-policy", include_str!("../../../tests/tests/managed.rs"), "an_organisations_limits_hold_and_an_owner_only_tightens"),
    ("duplicate-id", include_str!("../../desk/src/placing.rs"), "so_many_orders_are_live_and_each_has_its_own_name"),
    ("too-many-orders", include_str!("../../desk/src/placing.rs"), "so_many_orders_are_live_and_each_has_its_own_name"),
    ("amend", include_str!("../../desk/src/amending.rs"), "what_cannot_be_made_smaller_is_not_asked_for"),
    ("sealed", include_str!("../../../tests/tests/boundaries.rs"), "a_sealed_signer_signs_nothing"),
    ("filter", include_str!("../../model/src/instrument.rs"), "at_each_filter_and_one_step_beyond"),
    ("balance", include_str!("../../desk/src/ticket.rs"), "the_windows_own_rules_at_their_edge_and_one_step_beyond"),
    ("slippage-guide", include_str!("../../desk/src/ticket.rs"), "the_windows_own_rules_at_their_edge_and_one_step_beyond"),
    ("post-only", include_str!("../../desk/src/ticket.rs"), "the_windows_own_rules_at_their_edge_and_one_step_beyond"),
    // How old a mark may be.
    ("mark", include_str!("../../desk/src/feed.rs"), "a_book_is_current_up_to_its_age"),
];

impl Case {
    /// A unit of the quote asset is worth so much, and a limit is set.
    fn paid(&mut self, worth: &str, change: fn(&mut Policy)) {
        self.policy.instruments[0].quote_worth = Some(price(worth));
        change(&mut self.policy);
    }

    fn new() -> Self {
        let mut policy = Policy::initial();
        policy.order_notional_max = notional("400000");
        policy.instruments[0].quantity_max = quantity("10");
        let mut case = Self {
            policy,
            order: place("new", Side::Buy, limit("10000", "1")),
            freeze: None,
            session: Ok(Session { opened_ms: 0, used_ms: 0, roles: Role::ALL.to_vec(), is_service: false }),
            scope: KeyScope::default(),
            rate: OrderRate::default(),
            turnover: Turnover::default(),
            turnovers: Turnovers::default(),
            slot: Some(0),
            is_confirmed: false,
            state: state(),
            quote: quote(),
            now_ms: 10,
        };
        case.state.held_at(Venue::Binance, None);
        case.held("5");
        case
    }

    fn roles(&mut self, roles: &[Role]) {
        self.session.as_mut().unwrap().roles = roles.to_vec();
    }

    fn market(&mut self, size: &str) {
        self.order.spec = market(size);
    }

    fn limit(&mut self, at: &str, size: &str) {
        self.order.spec = limit(at, size);
    }

    fn sale(&mut self, bps: u32) {
        (self.policy.price_collar_bps, self.order.side) = (bps, Side::Sell);
    }

    /// The mark was there in the first minute.
    fn drifts(&mut self, from: &str) {
        self.policy.desk.drift_bps = Some(100);
        self.state.marks(BTreeMap::from([(btc(), price(from))]), 0);
    }

    fn drifts_for(&mut self, from: &str, spec: OrderSpec) {
        self.drifts(from);
        self.order.spec = spec;
    }

    fn signed(&mut self, orders: u32, at_ms: u64) {
        (0..orders).for_each(|_| self.rate.count(at_ms));
    }

    fn counted(&mut self, worth: &str) {
        let by = strongroom_guard::By { slot: self.slot, order: &self.order.client_order_id };
        assert!(self.turnover.count(notional(worth), 0));
        assert!(self.turnovers.count(&self.policy.thresholds, by, notional(worth), 0));
    }

    fn held(&mut self, amount: &str) {
        self.state.held([("BTC".to_owned(), Amount::parse(amount).unwrap())], AT, AT);
    }

    fn open(&mut self, orders: u32) {
        (0..orders).for_each(|number| self.state.sent(&place(&format!("o{number}"), Side::Buy, limit("9000", "0.01")), 0));
    }

    fn sent_at(&mut self, at_ms: u64) {
        self.state.sent(&PlaceOrder { client_order_id: place("a", Side::Buy, market("1")).client_order_id, ..self.order.clone() }, at_ms);
    }

    fn busy(&mut self, orders: u32, cancels: u32) {
        for number in 0..orders {
            let order = place(&format!("o{number}"), Side::Buy, limit("9000", "0.01"));
            self.state.sent(&order, 0);
            self.state.stands(&order, (quantity("0"), Notional::ZERO), &[], true, (AT, None));
        }
        (0..cancels).for_each(|_| self.state.cancelled(0));
    }

    fn own_sale(&mut self, at: &str) {
        self.state.sent(&place("own", Side::Sell, limit(at, "1")), 0);
    }

    /// One was bought at 10,000, rose by 100, and is at `price` now.
    fn fell(&mut self, to: &str) {
        let order = place("held", Side::Buy, limit("10000", "1"));
        self.state.sent(&order, 0);
        self.state.stands(&order, (quantity("1"), notional("10000")), &[], true, (AT, None));
        for at in ["10100", to] {
            self.state.marks(BTreeMap::from([(btc(), price(at))]), 0);
            let _ = self.state.must_stop(&self.policy, 0, AT);
        }
    }

    fn executed(&mut self, at_ms: &[u64]) {
        for (number, at_ms) in at_ms.iter().enumerate() {
            self.state.executed(&place(&format!("o{number}"), Side::Buy, limit("9000", "0.01")), Some(0), *at_ms);
        }
    }

    /// Each rule that it does not meet, with who says so.
    fn broken(&mut self) -> Vec<(&'static str, Enforcer)> {
        let facts = SignerFacts {
            freeze: self.freeze.as_ref(),
            session: self.session.as_ref().map_err(|end| *end),
            scope: &self.scope,
            rate: &mut self.rate,
            turnover: &mut self.turnover,
            slot: self.slot,
            turnovers: &mut self.turnovers,
            is_confirmed: self.is_confirmed,
            now_ms: self.now_ms,
            wall: Timestamp::from_ms(0),
        };
        let mut broken = Vec::new();
        if let Verdict::Deny(reason) = signer_gate(&self.policy, facts, &Intent::Place(self.order.clone())) {
            broken.push((reason.rule(), Enforcer::Signer));
        }
        let judgement = self.state.judge(&self.policy, &self.order, self.quote, self.now_ms);
        broken.extend(judgement.refused.iter().map(|reason| (reason.rule(), Enforcer::Desk)));
        broken.extend(self.state.must_stop(&self.policy, self.now_ms, AT).map(|(reason, _)| (reason.rule(), Enforcer::Desk)));
        broken
    }
}

#[test]
fn each_rule_at_its_limit_and_one_step_beyond() {
    for (number, Row { rule, bind, at, beyond }) in ROWS.iter().enumerate() {
        let asked = |set: &fn(&mut Case)| {
            let mut case = Case::new();
            bind(&mut case);
            set(&mut case);
            case.broken()
        };
        let enforcer = RULES.iter().find(|known| known.name == *rule).unwrap().enforcer;
        let at = asked(at);
        assert!(at.is_empty(), "row {number}, at the limit of {rule}: {at:?}");
        let beyond = asked(beyond);
        assert!(beyond.contains(&(*rule, enforcer)), "row {number}, beyond the limit of {rule}: {beyond:?}");
    }
}

#[test]
fn no_rule_is_without_a_row() {
    for (rule, file, test) in ELSEWHERE {
        assert!(file.contains(&format!("fn {test}()")), "{rule}: there is no {test}");
    }
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.rule).chain(ELSEWHERE.iter().map(|(rule, ..)| *rule)).collect();
    assert_eq!(rows, RULES.iter().map(|rule| rule.name).collect());
}
