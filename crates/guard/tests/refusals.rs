//! What a refusal says. Invariant: rule, value, limit and what would pass are there for every reason, and what is said to pass does.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod common;

use common::{AT, btc, limit, market, notional, place, policy, price, quantity, quote, state};
use strongroom_guard::{DeskRule, ExposureLimit, ExposureScope, Policy, Quote, RULES, Reason, RiskState, RuleMode, SessionEnd, Unmet};
use strongroom_model::{Advice, Amount, ClientOrderId, FilterError, OrderSpec, Price, Side, Symbol};

/// One of each. A new reason that is not named here does not compile; its row is put above.
fn one_of_each() -> Vec<Reason> {
    let (symbol, side, retry_after_ms) = (btc(), Side::Buy, 61_000);
    let (asked, max, counted) = (notional("11"), notional("10"), notional("4"));
    let currency = || "USDT".to_owned();
    let id = || ClientOrderId::parse("a").unwrap();
    let all = vec![
        Reason::Sealed,
        Reason::ClockOffset { offset_us: 61_000_000 },
        Reason::RecvWindow { asked_ms: 0 },
        Reason::NotOffered { why: "x".to_owned(), passes: "y".to_owned() },
        Reason::NoKey,
        Reason::NoKeyInUse,
        Reason::KeyStage { is: "not tried yet".to_owned() },
        Reason::KillSwitch { why: "x".to_owned() },
        Reason::Session { end: SessionEnd::Idle },
        Reason::Role { needed: "risk".to_owned(), has: "viewer".to_owned() },
        Reason::Scope { asked: "x".to_owned(), allowed: "y".to_owned() },
        Reason::Instrument { symbol: symbol.clone(), listed: "ETHUSDT".to_owned() },
        Reason::OrderRate { limit: 5, retry_after_ms },
        Reason::OrderRate { limit: 0, retry_after_ms },
        Reason::MaxQuantity { asked: quantity("2"), max: quantity("1") },
        Reason::MaxNotional { asked, max, currency: currency() },
        Reason::MaxNotional { asked, max: notional("0"), currency: currency() },
        Reason::DayNotional { asked, counted, max: notional("0"), currency: currency(), retry_after_ms },
        Reason::PriceBand { asked: price("9"), low: price("1"), high: price("5") },
        Reason::DayNotional { asked, counted, max, currency: currency(), retry_after_ms },
        Reason::Threshold { of: "bot x".to_owned(), asked, counted, max, currency: currency(), retry_after_ms },
        Reason::ReduceOnly,
        Reason::Confirm { asked, above: max, currency: currency() },
        Reason::HeadDue { since: 256 },
        Reason::PolicyRange { part: "price_collar_bps".to_owned(), value: "10001".to_owned(), passes: "at most 10000".to_owned() },
        Reason::Managed { organisation: "Example".to_owned(), limit: "x".to_owned(), asked: "2".to_owned(), passes: "1".to_owned() },
        Reason::NameTaken { id: id() },
        Reason::TooMany { live: 5, max: 5 },
        Reason::Amend { id: id(), asked: quantity("3"), is: "it is over".to_owned(), between: None },
        Reason::Amend { id: id(), asked: quantity("3"), is: "it is for 2".to_owned(), between: Some((quantity("1"), quantity("2"))) },
        Reason::Restricted { symbol: symbol.clone() },
        Reason::PriceCollar { asked: price("9"), worst: price("5"), mark: price("4"), collar_bps: 2_500 },
        Reason::Mark { symbol: symbol.clone() },
        Reason::ValueAtMark { asked, max, currency: currency(), mark: price("4"), room: quantity("2") },
        Reason::PriceDrift { asked: None, worst: price("4"), best: price("3"), drift_bps: 2_500 },
        Reason::PriceDrift { asked: Some(price("5")), worst: price("4"), best: price("3"), drift_bps: 2_500 },
        Reason::Slippage { average: None, worst: price("5"), mark: price("4"), slippage_bps: 2_500 },
        Reason::OpenOrders { open: 5, max: 5 },
        Reason::OpenOrders { open: 0, max: 0 },
        Reason::ReduceHeld { symbol: symbol.clone(), asked: quantity("2"), left: quantity("1") },
        Reason::Position { symbol: symbol.clone(), after: quantity("3"), room: quantity("1"), max: quantity("2") },
        Reason::Exposure { of: Some("venue binance".to_owned()), after: asked, room: counted, max, currency: currency() },
        Reason::ExposureUnknown { symbol: symbol.clone() },
        Reason::OpenUnknown,
        Reason::Duplicate { earlier: id(), retry_after_ms },
        Reason::CancelRatio { percent: 95, retry_after_ms, max: 90 },
        Reason::SelfTrade { side, rests: price("5"), own: id() },
        Reason::DayLoss { loss: asked, max, currency: currency(), stops: true },
        Reason::Drawdown { drawdown: asked, max, currency: currency(), stops: true },
        Reason::RepeatedExecution { symbol: symbol.clone(), side, max: 5, eases_in_ms: None },
        Reason::DayLoss { loss: asked, max, currency: currency(), stops: false },
        Reason::Drawdown { drawdown: asked, max, currency: currency(), stops: false },
        Reason::RepeatedExecution { symbol, side, max: 5, eases_in_ms: Some(7) },
    ];
    for reason in &all {
        match reason {
            Reason::Sealed
            | Reason::ClockOffset { .. }
            | Reason::RecvWindow { .. }
            | Reason::NotOffered { .. }
            | Reason::NoKey
            | Reason::NoKeyInUse
            | Reason::KeyStage { .. }
            | Reason::KillSwitch { .. }
            | Reason::Session { .. }
            | Reason::Role { .. }
            | Reason::Scope { .. }
            | Reason::Instrument { .. }
            | Reason::OrderRate { .. }
            | Reason::MaxQuantity { .. }
            | Reason::MaxNotional { .. }
            | Reason::PriceBand { .. }
            | Reason::DayNotional { .. }
            | Reason::Threshold { .. }
            | Reason::ReduceOnly
            | Reason::Confirm { .. }
            | Reason::HeadDue { .. }
            | Reason::Managed { .. }
            | Reason::PolicyRange { .. }
            | Reason::NameTaken { .. }
            | Reason::TooMany { .. }
            | Reason::Amend { .. }
            | Reason::Restricted { .. }
            | Reason::PriceCollar { .. }
            | Reason::PriceDrift { .. }
            | Reason::Mark { .. }
            | Reason::ValueAtMark { .. }
            | Reason::Slippage { .. }
            | Reason::OpenOrders { .. }
            | Reason::ReduceHeld { .. }
            | Reason::Position { .. }
            | Reason::Exposure { .. }
            | Reason::ExposureUnknown { .. }
            | Reason::OpenUnknown
            | Reason::Duplicate { .. }
            | Reason::CancelRatio { .. }
            | Reason::SelfTrade { .. }
            | Reason::DayLoss { .. }
            | Reason::Drawdown { .. }
            | Reason::RepeatedExecution { .. } => {}
        }
    }
    all
}

/// One of each of the venue's own rules.
fn filters() -> Vec<FilterError> {
    let number = |text: &str| text.parse().unwrap();
    vec![
        FilterError::Step { what: "price", asked: number("1.5"), of: "tick", step: number("1"), next: number("2") },
        FilterError::Below { what: "quantity", asked: number("1"), min: number("2") },
        FilterError::Above { what: "order value", asked: number("3"), max: number("2") },
        FilterError::Percent { asked: number("9"), low: number("1"), high: number("5"), mark: price("2") },
        FilterError::NotTraded(btc()),
        FilterError::NotTold,
    ]
}

#[test]
fn every_refusal_carries_rule_value_limit_and_what_would_pass() {
    let all = one_of_each();
    let unmet: Vec<Unmet> = all.iter().map(Unmet::from).chain(filters().iter().map(Unmet::from)).collect();
    for Unmet { rule, by, value, limit, passes } in &unmet {
        let row = RULES.iter().find(|row| row.name == rule).unwrap();
        assert_eq!(row.enforcer, *by, "{rule}");
        assert!(!value.is_empty() && !limit.is_empty() && !passes.is_empty(), "{rule}: {value} / {limit} / {passes}");
        assert!(value != passes && limit != value, "{rule}: {value} / {limit} / {passes}");
    }
    for row in RULES.iter().filter(|rule| rule.enforcer != strongroom_guard::Enforcer::Window) {
        assert!(unmet.iter().any(|unmet| unmet.rule == row.name), "{} has no reason", row.name);
        assert!(!row.title.is_empty());
    }
    for reason in &all {
        assert_ne!(reason.advice(), Advice::Bug);
    }
}

/// The one reason of a rule that an order does not meet.
fn broken(state: &RiskState, rules: &Policy, spec: OrderSpec, rule: &str) -> Option<Reason> {
    let market = Quote { average: spec.price().or(quote().mark), ..quote() };
    let judgement = state.clone().judge(rules, &place("new", Side::Buy, spec), market, 100);
    judgement.refused.into_iter().find(|reason| reason.rule() == rule)
}

#[test]
fn what_is_said_to_pass_passes() {
    let step = |price: Price| Price::new(price.value() + "0.01".parse::<rust_decimal::Decimal>().unwrap()).unwrap();
    let state = state();
    let rules = policy(|_| {});
    let Some(Reason::PriceCollar { worst, .. }) = broken(&state, &rules, limit("20000", "1"), "price-collar") else { panic!() };
    let at = |price: Price| limit(&price.to_string(), "0.1");
    assert!(
        broken(&state, &rules, at(worst), "price-collar").is_none() && broken(&state, &rules, at(step(worst)), "price-collar").is_some()
    );
    let sells = |at: &str| {
        let judgement = state.clone().judge(&rules, &place("new", Side::Sell, limit(at, "0.1")), quote(), 100);
        judgement.refused.into_iter().find(|reason| reason.rule() == "price-collar")
    };
    let Some(Reason::PriceCollar { worst, .. }) = sells("5000.00") else { panic!() };
    assert_eq!(worst, price("9500"));
    assert!(sells("9500").is_none() && sells("9499.99").is_some());
    // A position and an exposure with something held and something on its way.
    let mut rules = policy(|rules| {
        rules.exposure_max = Some(notional("50000"));
        rules.exposure_of = vec![ExposureLimit { of: ExposureScope::Venue(strongroom_model::Venue::Binance), max: notional("45000") }];
    });
    rules.instruments.iter_mut().for_each(|listed| listed.position_max = Some(quantity("4")));
    let mut state = state.clone();
    state.held([("BTC".to_owned(), Amount::parse("1.5").unwrap()), ("USDT".to_owned(), Amount::parse("9000000").unwrap())], AT, AT);
    state.held_at(strongroom_model::Venue::Binance, None);
    state.sent(&place("open", Side::Buy, limit("9000", "1")), 0);
    let Some(Reason::Position { room, .. }) = broken(&state, &rules, limit("10000", "3"), "position") else { panic!() };
    assert_eq!(room, quantity("1.5"));
    let buys = |size: &str| broken(&state, &rules, limit("10000", size), "position");
    assert!(buys("1.5").is_none() && buys("1.50001").is_some());
    let mut rooms = Vec::new();
    let judgement = state.clone().judge(&rules, &place("new", Side::Buy, limit("10000", "3")), quote(), 100);
    for reason in judgement.refused {
        if let Reason::Exposure { room, of, .. } = reason {
            rooms.push((of, room));
        }
    }
    assert_eq!(
        rooms,
        [(None, notional("26000")), (Some("venue binance".to_owned()), notional("21000"))],
        "15,000 held, 9,000 on their way"
    );
    let buys = |size: &str| broken(&state, &rules, limit("10000", size), "exposure");
    assert!(buys("2.1").is_none() && buys("2.10001").is_some());
}

/// At a mark between two ticks what is said to pass is rounded towards the mark, on either side.
#[test]
fn a_worst_price_between_two_ticks_passes() {
    let rules = policy(|_| {});
    let market = Quote { mark: Some(price("10000.01")), ..quote() };
    for (side, asked, expected) in [(Side::Buy, "20000.00", "10500.01"), (Side::Sell, "5000.00", "9500.01")] {
        let refused = |at: &str| {
            let judgement = state().judge(&rules, &place("new", side, limit(at, "0.001")), market, 0);
            judgement.refused.into_iter().find_map(|reason| if let Reason::PriceCollar { worst, .. } = reason { Some(worst) } else { None })
        };
        let worst = refused(asked).unwrap();
        assert_eq!((worst, refused(&worst.to_string())), (price(expected), None), "{side:?}");
    }
}

/// What a market order is worth at the mark: the quantity that is named passes, one step more does not.
#[test]
fn the_quantity_that_a_mark_lets_pass_is_named() {
    let rules = policy(|_| {});
    let refused = |size: &str| {
        let judgement = state().judge(&rules, &place("new", Side::Buy, market(size)), Quote { average: None, ..quote() }, 100);
        judgement.refused.into_iter().find_map(|reason| if let Reason::ValueAtMark { room, .. } = reason { Some(room) } else { None })
    };
    let most = rules.order_notional_max.value() / price("10000").value();
    for size in [most.ceil() + rust_decimal::Decimal::ONE, most + "0.00001".parse::<rust_decimal::Decimal>().unwrap()] {
        assert_eq!(refused(&size.to_string()).map(|room| room.value()), Some(most), "however few decimals were asked for: {size}");
    }
    let room = refused("100").unwrap();
    assert_eq!(refused(&room.to_string()), None);
    let more = room.value() + "0.00001".parse::<rust_decimal::Decimal>().unwrap();
    assert!(refused(&more.to_string()).is_some());
}

/// A rule that stops nobody says nothing of re-arming, and when the same passes again.
#[test]
fn what_is_only_asked_about_needs_no_rearming() {
    let softened = |mode| {
        policy(|rules| {
            rules.day_loss_max = Some(notional("1"));
            rules.drawdown_max = Some(notional("1"));
            rules.fills_per_minute = Some(2);
            rules.modes.extend(DeskRule::ALL.map(|rule| (rule, mode)));
        })
    };
    let mut state = state();
    let mut at = |id: &str, side, at: &str, now_ms: u64| {
        let order = place(id, side, limit(at, "1"));
        state.sent(&order, now_ms);
        let (quantity, value) = (quantity("1"), notional(at));
        state.stands(&order, (quantity, value), &[], true, (AT, None));
        state.executed(&order, Some(0), now_ms);
    };
    at("a", Side::Buy, "11000", 0);
    at("b", Side::Sell, "10000", 0);
    at("c", Side::Buy, "10000", 10_000);
    at("d", Side::Buy, "10000", 20_000);
    let told = |mode, now_ms: u64| {
        let judgement = state.clone().judge(&softened(mode), &place("new", Side::Buy, limit("10000", "0.001")), quote(), now_ms);
        let all = judgement.refused.into_iter().chain(judgement.asks);
        all.filter(|reason| matches!(reason.rule(), "day-loss" | "drawdown" | "repeated-execution")).collect::<Vec<_>>()
    };
    for (mode, rearms) in [(RuleMode::Refuse, true), (RuleMode::Ask, false)] {
        let reasons = told(mode, 30_000);
        assert_eq!(reasons.len(), 3, "{mode:?}");
        for reason in reasons {
            let words = format!("{reason} {}", Unmet::from(&reason).passes);
            assert_eq!(words.matches("re-arm").count(), if rearms { 2 } else { 0 }, "{words}");
        }
    }
    let eases = told(RuleMode::Ask, 30_000).into_iter().find_map(|reason| match reason {
        Reason::RepeatedExecution { eases_in_ms, .. } => eases_in_ms,
        _ => None,
    });
    assert_eq!(eases, Some(30_000), "three bought; the first of them leaves the minute then, and two may be");
    let repeats = |now_ms| told(RuleMode::Ask, now_ms).iter().any(|reason| reason.rule() == "repeated-execution");
    assert!(repeats(59_999) && !repeats(60_000));
}

#[test]
fn the_price_that_meets_no_own_order_is_named() {
    let mut state = state();
    for (id, at) in [("far", "10200"), ("near", "10100")] {
        state.sent(&place(id, Side::Sell, limit(at, "0.1")), 0);
    }
    let rules = policy(|_| {});
    let Some(Reason::SelfTrade { own, rests, .. }) = broken(&state, &rules, limit("10300", "0.1"), "self-trade") else { panic!() };
    assert_eq!((own.as_str(), rests), ("near", price("10100")), "below it none is met");
    assert!(broken(&state, &rules, limit("10100", "0.1"), "self-trade").is_some());
    assert!(broken(&state, &rules, limit("10099.99", "0.1"), "self-trade").is_none());
    assert!(broken(&state, &rules, market("0.1"), "self-trade").is_some());
}

#[test]
fn the_time_at_which_orders_pass_again_is_told() {
    let rules = policy(|rules| rules.cancels_percent = Some(90));
    let mut state = state();
    for number in 0..60_u64 {
        state.sent(&place(&format!("o{number}"), Side::Buy, limit("1000", "0.1")), number * 1_000);
        state.cancelled(number * 1_000 + 500);
    }
    let now_ms = 60_000;
    let told = |state: &RiskState, now_ms: u64| {
        let judgement = state.clone().judge(&rules, &place("new", Side::Buy, limit("10000", "0.001")), quote(), now_ms);
        judgement.refused.into_iter().find_map(|reason| match reason {
            Reason::CancelRatio { retry_after_ms, .. } => Some(retry_after_ms),
            _ => None,
        })
    };
    let retry_after_ms = told(&state, now_ms).unwrap();
    assert_eq!(told(&state, now_ms + retry_after_ms), None);
    assert!(told(&state, now_ms + retry_after_ms - 1).is_some());
}

#[test]
fn a_rule_of_the_venue_is_not_softened() {
    let mut state = state();
    let orders = |state: &RiskState, open_max: u32, rules: &Policy| {
        let market = Quote { open_max, ..quote() };
        let judgement = state.clone().judge(rules, &place("new", Side::Buy, limit("10000", "0.001")), market, 100);
        judgement.refused.iter().any(|reason| reason.rule() == "open-orders")
    };
    let softened = policy(|rules| rules.modes.extend(DeskRule::ALL.map(|rule| (rule, RuleMode::Shadow))));
    for number in 0..3 {
        state.sent(&place(&format!("o{number}"), Side::Buy, limit("1000", "0.1")), number);
    }
    let mut elsewhere = place("elsewhere", Side::Buy, limit("1000", "0.1"));
    elsewhere.symbol = Symbol::parse("ETHUSDT").unwrap();
    state.sent(&elsewhere, 5);
    for (open_max, refuses) in [(0, false), (3, true), (4, false)] {
        assert_eq!(orders(&state, open_max, &softened), refuses, "3 are open, {open_max} may be");
    }
    // The desk's own bound risk lets an order pass, the venue's not.
    let mut bounded = policy(|rules| rules.open_orders_max = Some(2));
    for (max, passes) in [(2, true), (3, false)] {
        assert_eq!(Reason::OpenOrders { open: 3, max }.can_be_overridden(&bounded), passes, "{max}");
    }
    bounded.desk.open_orders_max = None;
    assert!(!Reason::OpenOrders { open: 3, max: 2 }.can_be_overridden(&bounded));
}
