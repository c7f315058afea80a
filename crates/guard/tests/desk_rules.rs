//! Every desk-enforced rule at its limit and one step beyond, and what its mode makes of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod common;

use std::collections::BTreeMap;

use common::{AT, btc, limit, market, notional, place, policy, price, quantity, quote, state};
use rust_decimal::Decimal;
use strongroom_guard::{
    DeskRule, DeskRules, ExposureLimit, ExposureScope, Filled, KillScope, Pair, Policy, Quote, Reason, RiskState, RuleMode,
};
use strongroom_model::{Amount, Fill, Notional, OrderSpec, PlaceOrder, Quantity, Side, Symbol, Timestamp, TradeId, Venue};

/// The rule that refuses, or `-`.
fn refused(state: &mut RiskState, policy: &Policy, order: &PlaceOrder, quote: Quote, now_ms: u64) -> &'static str {
    state.judge(policy, order, quote, now_ms).refused.first().map_or("-", Reason::rule)
}

fn filled(state: &mut RiskState, order: &PlaceOrder, size: &str, worth: &str, now_ms: u64) {
    state.sent(order, now_ms);
    if state.stands(order, (quantity(size), notional(worth)), &[], true, (AT, None)) {
        state.executed(order, Some(0), now_ms);
    }
}

#[test]
fn prices() {
    let rules = policy(|rules| rules.slippage_bps = Some(100));
    let at = |average: &str| Quote { average: Some(price(average)), ..quote() };
    let nothing = Quote { average: None, ..quote() };
    for (side, spec, market, rule) in [
        (Side::Buy, limit("10500", "1"), quote(), "-"),
        (Side::Buy, limit("10500.01", "1"), quote(), "price-collar"),
        (Side::Buy, limit("1", "1"), quote(), "-"),
        (Side::Sell, limit("9500", "1"), quote(), "-"),
        (Side::Sell, limit("9499.99", "1"), quote(), "price-collar"),
        (Side::Sell, OrderSpec::PostOnly { price: price("99999"), quantity: quantity("1") }, quote(), "-"),
        (Side::Buy, market_of("1"), at("10100"), "-"),
        (Side::Buy, market_of("1"), at("10100.01"), "slippage"),
        (Side::Sell, market_of("1"), at("9900"), "-"),
        (Side::Sell, market_of("1"), at("9899.99"), "slippage"),
        (Side::Sell, market_of("1"), at("12000"), "-"),
        (Side::Buy, market_of("1"), nothing, "slippage"),
        (Side::Buy, market_of("2.5"), quote(), "-"),
        (Side::Buy, market_of("2.50001"), quote(), "value-at-mark"),
        (Side::Buy, limit("10000", "1"), Quote::default(), "mark"),
    ] {
        assert_eq!(refused(&mut state(), &rules, &place("a", side, spec), market, 0), rule, "{side:?} {spec:?}");
    }
}

fn market_of(size: &str) -> OrderSpec {
    market(size)
}

#[test]
fn restricted_instruments_are_sold_and_not_bought() {
    let rules = policy(|rules| rules.restricted = vec![btc()]);
    assert_eq!(refused(&mut state(), &rules, &place("a", Side::Buy, limit("10000", "1")), quote(), 0), "restricted");
    assert_eq!(refused(&mut state(), &rules, &place("a", Side::Sell, limit("10000", "1")), quote(), 0), "-");
}

#[test]
fn open_orders_count_from_being_sent_until_they_are_over() {
    let rules = policy(|rules| rules.open_orders_max = Some(2));
    let mut state = state();
    let order = |id| place(id, Side::Buy, limit("9000", "1"));
    state.sent(&order("a"), 0);
    assert_eq!(refused(&mut state, &rules, &order("b"), quote(), 0), "-");
    state.sent(&order("b"), 0);
    assert_eq!(refused(&mut state, &rules, &order("c"), quote(), 0), "open-orders");
    state.stands(&order("a"), (Quantity::ZERO, Notional::ZERO), &[], true, (AT, None));
    assert_eq!(refused(&mut state, &rules, &order("c"), quote(), 0), "-");
}

#[test]
fn positions_and_exposure() {
    let mut by_position = policy(|_| {});
    by_position.instruments[0].position_max = Some(quantity("3"));
    let by_worth = policy(|rules| rules.exposure_max = Some(notional("30000")));
    let buy = |id, size| place(id, Side::Buy, limit("10000", size));
    for (rules, rule) in [(by_position, "position"), (by_worth, "exposure")] {
        let mut state = state();
        assert_eq!(refused(&mut state, &rules, &buy("a", "1"), quote(), 0), "exposure-unknown");
        assert_eq!(refused(&mut state, &rules, &place("a", Side::Sell, limit("10000", "1")), quote(), 0), "-", "selling needs no room");
        state.held([("BTC".to_owned(), Amount::parse("1").unwrap()), ("USDT".to_owned(), Amount::parse("99999").unwrap())], AT, AT);
        state.sent(&buy("b", "1"), 0);
        assert_eq!(refused(&mut state, &rules, &buy("a", "1"), quote(), 0), "-", "1 held, 1 on its way, 1 more");
        assert_eq!(refused(&mut state, &rules, &buy("a", "1.00001"), quote(), 0), rule);
        // Filled: what was on its way is held, and counts once.
        state.stands(&buy("b", "1"), (quantity("1"), notional("10000")), &[], true, (AT, None));
        assert_eq!(refused(&mut state, &rules, &buy("a", "1"), quote(), 0), "-");
        assert_eq!(refused(&mut state, &rules, &buy("a", "1.00001"), quote(), 0), rule);
        filled(&mut state, &place("c", Side::Sell, limit("10000", "2")), "2", "20000", 2);
        assert_eq!(refused(&mut state, &rules, &buy("a", "2.5"), quote(), 0), "-", "sold, so there is room again");
        let for_quote = |worth| place("a", Side::Buy, OrderSpec::Market { size: strongroom_model::MarketSize::Quote(notional(worth)) });
        assert_eq!(refused(&mut state, &rules, &for_quote("25000"), quote(), 0), "-");
        state.sent(&buy("d", "0.6"), 0);
        assert_eq!(refused(&mut state, &rules, &for_quote("25000"), quote(), 0), rule);
        // Made smaller, it leaves room; an older report of a larger one takes none.
        assert_eq!(refused(&mut state, &rules, &buy("a", "2.5"), quote(), 0), rule);
        for size in ["0.5", "0.6"] {
            state.stands(&buy("d", size), (Quantity::ZERO, Notional::ZERO), &[], false, (AT, None));
            assert_eq!(refused(&mut state, &rules, &buy("a", "2.5"), quote(), 0), "-", "{size}");
            assert_eq!(refused(&mut state, &rules, &buy("a", "2.50001"), quote(), 0), rule, "{size}");
        }
    }
}

#[test]
fn exposure_of_a_venue_and_of_an_account() {
    let account = |name: &str| ExposureScope::Account(name.to_owned());
    let buy = |size| place("a", Side::Buy, limit("10000", size));
    for (of, binds) in [(ExposureScope::Venue(Venue::Binance), true), (account("desk 2"), true), (account("desk 3"), false)] {
        let rules = policy(|rules| rules.exposure_of = vec![ExposureLimit { of, max: notional("30000") }]);
        let mut state = state();
        assert_eq!(refused(&mut state, &rules, &buy("1"), quote(), 0), "exposure-unknown", "nobody said where that is");
        state.held([("BTC".to_owned(), Amount::parse("1").unwrap())], AT, AT);
        state.held_at(Venue::Binance, None);
        assert_eq!(refused(&mut state, &rules, &buy("2.00001"), quote(), 0), "exposure", "whichever account it is");
        state.held_at(Venue::Binance, Some("desk 2".to_owned()));
        assert_eq!(refused(&mut state, &rules, &buy("2"), quote(), 0), "-");
        assert_eq!(refused(&mut state, &rules, &buy("2.00001"), quote(), 0), if binds { "exposure" } else { "-" });
        state.forget_held();
        assert_eq!(refused(&mut state, &rules, &buy("1"), quote(), 0), "exposure-unknown", "another key");
    }
}

#[test]
fn what_may_only_reduce_sells_what_is_held_and_no_more() {
    let only = |side, spec| PlaceOrder { reduce_only: true, ..place("r", side, spec) };
    let rules = policy(|_| {});
    let sale = |size| only(Side::Sell, limit("10000", size));
    let mut state = state();
    assert_eq!(refused(&mut state, &rules, &sale("1"), quote(), 0), "exposure-unknown");
    state.held([("BTC".to_owned(), Amount::parse("2").unwrap())], AT, AT);
    assert_eq!(refused(&mut state, &rules, &only(Side::Buy, limit("10000", "1")), quote(), 0), "reduce-only");
    let for_quote = OrderSpec::Market { size: strongroom_model::MarketSize::Quote(notional("100")) };
    assert_eq!(refused(&mut state, &rules, &only(Side::Sell, for_quote), quote(), 0), "reduce-only");
    assert_eq!(refused(&mut state, &rules, &sale("2"), quote(), 0), "-");
    assert_eq!(refused(&mut state, &rules, &sale("2.00001"), quote(), 0), "reduce-held");
    // Sales that are open hold back what they sell; what is filled of them is gone.
    let open = place("s", Side::Sell, limit("10000", "1.5"));
    state.sent(&open, 0);
    assert_eq!(refused(&mut state, &rules, &sale("0.5"), quote(), 0), "-");
    assert_eq!(refused(&mut state, &rules, &sale("0.50001"), quote(), 0), "reduce-held");
    state.stands(&open, (quantity("1"), notional("10000")), &[], true, (AT, None));
    assert_eq!(refused(&mut state, &rules, &sale("1"), quote(), 0), "-");
    assert_eq!(refused(&mut state, &rules, &sale("1.00001"), quote(), 0), "reduce-held");
}

#[test]
fn the_same_again() {
    let rules = policy(|rules| rules.duplicate_ms = Some(1_000));
    let order = |id, size| place(id, Side::Buy, limit("10000", size));
    let mut state = state();
    state.sent(&order("a", "1"), 5_000);
    for (now_ms, size, rule) in [(5_999, "1", "duplicate"), (6_000, "1", "-"), (5_000, "1.1", "-")] {
        assert_eq!(refused(&mut state, &rules, &order("b", size), quote(), now_ms), rule, "{size} at {now_ms}");
    }
}

#[test]
fn own_orders_do_not_meet() {
    let mut state = state();
    state.sent(&place("a", Side::Sell, limit("10100", "1")), 0);
    let rules = policy(|_| {});
    for (side, spec, rule) in [
        (Side::Buy, limit("10100", "1"), "self-trade"),
        (Side::Buy, limit("10099.99", "1"), "-"),
        (Side::Buy, market("1"), "self-trade"),
        (Side::Buy, OrderSpec::PostOnly { price: price("10100"), quantity: quantity("1") }, "-"),
        (Side::Sell, limit("9900", "1"), "-"),
    ] {
        assert_eq!(refused(&mut state, &rules, &place("b", side, spec), quote(), 0), rule, "{side:?} {spec:?}");
    }
    assert_eq!(refused(&mut state, &policy(|rules| rules.self_trade = true), &place("b", Side::Buy, market("1")), quote(), 0), "-");
}

#[test]
fn cancels_for_a_hundred_orders() {
    let rules = policy(|rules| rules.cancels_percent = Some(90));
    let order = |number: u64| place(&format!("o{number}"), Side::Buy, limit("9000", "0.001"));
    let mut state = state();
    for number in 0..50 {
        filled(&mut state, &order(number), "0", "0", number);
    }
    (0..45).for_each(|at| state.cancelled(at));
    assert_eq!(refused(&mut state, &rules, &order(99), quote(), 100), "-", "45 of 50");
    state.cancelled(46);
    assert_eq!(refused(&mut state, &rules, &order(99), quote(), 100), "cancel-ratio");
    assert_eq!(refused(&mut state, &rules, &order(99), quote(), 3_600_100), "-", "an hour later it is forgotten");
}

#[test]
fn losses_stop_everything() {
    let mark = |at: &str| BTreeMap::from([(btc(), price(at))]);
    let fee = Fill {
        trade_id: TradeId(1),
        price: price("10000"),
        quantity: quantity("1"),
        commission: Amount::parse("10").unwrap(),
        commission_asset: "USDT".to_owned(),
    };
    let rows = [
        (policy(|rules| rules.day_loss_max = Some(notional("100"))), "9909.99", "day-loss"),
        (policy(|rules| rules.drawdown_max = Some(notional("100"))), "9999.99", "drawdown"),
    ];
    // What is filled before the venue told its instruments counts, too: after a restart that comes first.
    for ((rules, stops_at, rule), is_told_first) in rows.into_iter().flat_map(|row| [(row.clone(), true), (row, false)]) {
        let mut state = if is_told_first { state() } else { RiskState::default() };
        let bought = place("a", Side::Buy, limit("10000", "1"));
        state.sent(&bought, 0);
        state.stands(&bought, (quantity("1"), notional("10000")), std::slice::from_ref(&fee), true, (AT, None));
        state.pairs([(btc(), Pair { base: "BTC".to_owned(), quote: "USDT".to_owned() })]);
        state.pairs([]);
        state.marks(mark("10100"), 0);
        assert_eq!(state.must_stop(&rules, 1, AT), None, "{rule}: 90 gained");
        let edge = if rule == "day-loss" { "9910" } else { "10000" };
        state.marks(mark(edge), 0);
        assert_eq!(state.must_stop(&rules, 1, AT), None, "{rule} at {edge}");
        state.marks(mark(stops_at), 0);
        assert_eq!(state.must_stop(&rules, 1, AT).map(|(reason, scope)| (reason.rule(), scope)), Some((rule, KillScope::Everything)));
        assert_eq!(refused(&mut state, &rules, &place("b", Side::Sell, limit("10000", "1")), quote(), 2), rule);
        let mut noted = rules.clone();
        noted.desk.modes = BTreeMap::from([(DeskRule::DayLoss, RuleMode::Shadow), (DeskRule::Drawdown, RuleMode::Ask)]);
        assert_eq!(state.must_stop(&noted, 1, AT), None, "a softened rule does not stop everything");
    }
}

/// An instrument that is told late brings nothing of yesterday, and takes nothing of today away.
#[test]
fn what_filled_yesterday_leaves_todays_loss_as_it_is() {
    let rules = policy(|rules| rules.day_loss_max = Some(notional("100")));
    let (eth, filled) = (Symbol::parse("ETHUSDT").unwrap(), (quantity("1"), notional("10000")));
    let today = place("today", Side::Buy, limit("10000", "1"));
    let yesterday = PlaceOrder { symbol: eth.clone(), ..place("yesterday", Side::Buy, limit("10000", "1")) };
    let mut state = state();
    for (order, at) in [(&yesterday, Timestamp::from_ms(AT.ms() - 86_400_000)), (&today, AT)] {
        state.sent(order, 0);
        state.stands(order, filled, &[], true, (at, None));
    }
    state.pairs([(eth.clone(), Pair { base: "ETH".to_owned(), quote: "USDT".to_owned() })]);
    for (btc_mark, stops) in [("9900", false), ("9899", true)] {
        state.marks(BTreeMap::from([(btc(), price(btc_mark)), (eth.clone(), price("1"))]), 0);
        assert_eq!(state.must_stop(&rules, 1, AT).is_some(), stops, "{btc_mark}");
    }
}

#[test]
fn the_same_side_again_and_again_stops_whoever_does_it() {
    let rules = policy(|rules| rules.fills_per_minute = Some(3));
    let mut state = state();
    for number in 0..3_u64 {
        filled(&mut state, &place(&format!("o{number}"), Side::Buy, limit("10000", "1")), "1", "10000", number);
    }
    filled(&mut state, &place("s", Side::Sell, limit("10000", "1")), "1", "10000", 4);
    assert_eq!(state.must_stop(&rules, 5, AT), None);
    filled(&mut state, &place("o4", Side::Buy, limit("10000", "1")), "1", "10000", 5);
    assert_eq!(
        state.clone().must_stop(&rules, 6, AT).map(|(reason, scope)| (reason.rule(), scope)),
        Some(("repeated-execution", KillScope::Person(0)))
    );
    // Softened, nobody is stopped, and each further one is asked about or noted.
    for (mode, expected) in [(RuleMode::Ask, [1, 0]), (RuleMode::Shadow, [0, 1])] {
        let mut softened = rules.clone();
        softened.desk.modes = BTreeMap::from([(DeskRule::RepeatedExecution, mode)]);
        let mut state = state.clone();
        assert_eq!(state.must_stop(&softened, 6, AT), None);
        let judgement = state.judge(&softened, &place("next", Side::Buy, limit("10000", "0.001")), quote(), 6);
        assert_eq!([judgement.asks.len(), judgement.shadows.len()], expected, "{judgement:?}");
        let other_way = state.judge(&softened, &place("next", Side::Sell, limit("10000", "0.001")), quote(), 6);
        assert!(other_way.asks.is_empty() && other_way.shadows.is_empty());
    }
    assert_eq!(state.must_stop(&rules, 60_000, AT), None, "the first left the window");
}

#[test]
fn a_rule_refuses_asks_or_notes() {
    let order = place("a", Side::Buy, limit("20000", "1"));
    for (mode, expected) in [(RuleMode::Refuse, [1, 0, 0]), (RuleMode::Ask, [0, 1, 0]), (RuleMode::Shadow, [0, 0, 1])] {
        let rules = policy(|rules| rules.modes = BTreeMap::from([(DeskRule::PriceCollar, mode)]));
        let judgement = state().judge(&rules, &order, quote(), 0);
        assert_eq!([judgement.refused.len(), judgement.asks.len(), judgement.shadows.len()], expected);
    }
}

/// Every rule that can be set is in the table of rules, by its name.
#[test]
fn rules_have_rows() {
    for rule in DeskRule::ALL {
        assert!(strongroom_guard::RULES.iter().any(|row| row.name == rule.name() && row.enforcer == strongroom_guard::Enforcer::Desk));
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
    }
    let _: DeskRules = serde_json::from_str("{}").unwrap();
}

/// Of instruments that are paid with several assets each sum is one, in the currency of the limits; no gain makes room for a loss elsewhere.
#[test]
fn sums_are_of_all_quote_assets_together() {
    let eth_btc = Symbol::parse("ETHBTC").unwrap();
    let mut rules = policy(|_| {});
    rules.instruments[1].symbol = eth_btc.clone();
    (rules.instruments[1].price_low, rules.instruments[1].price_high) = (price("0.01"), price("0.1"));
    rules.instruments[1].quote_worth = Some(price("12000"));
    assert_eq!(rules.validate(), Ok(()));
    let mut state = state();
    state.pairs([(eth_btc.clone(), Pair { base: "ETH".to_owned(), quote: "BTC".to_owned() })]);
    let marks = |btc_at: &str, eth_at: &str| BTreeMap::from([(btc(), price(btc_at)), (eth_btc.clone(), price(eth_at))]);
    state.marks(marks("10000", "0.05"), 0);
    // 2 BTC at the mark, and 10 ETH at 0.05 BTC, each of which counts 12,000: 20,000 and 6,000. An order for 4,000 more.
    state.held([("BTC".to_owned(), Amount::parse("2").unwrap()), ("ETH".to_owned(), Amount::parse("10").unwrap())], AT, AT);
    for (max, rule) in [("30000", "-"), ("29999.99", "exposure")] {
        rules.desk.exposure_max = Some(notional(max));
        assert_eq!(refused(&mut state, &rules, &place("a", Side::Buy, limit("10000", "0.4")), quote(), 0), rule, "{max}");
        // The same for what is paid with bitcoin: 0.4 BTC would be 4,800.
        let order = PlaceOrder { symbol: eth_btc.clone(), ..place("a", Side::Buy, limit("0.04", "10")) };
        let market = Quote { mark: Some(price("0.05")), average: None, open_max: 0 };
        let judged = state.judge(&rules, &order, market, 0).refused;
        let Some(Reason::Exposure { after, room, .. }) = judged.first() else { panic!("{judged:?}") };
        assert_eq!((*after, room.value()), (notional("30800"), rules.desk.exposure_max.unwrap().value() - notional("26000").value()));
    }
    rules.desk.exposure_max = None;
    let bought = |state: &mut RiskState, symbol: &Symbol, at: &str, size: &str, worth: &str| {
        let order = PlaceOrder { symbol: symbol.clone(), ..place(symbol.as_str(), Side::Buy, limit(at, size)) };
        state.sent(&order, 0);
        state.stands(&order, (quantity(size), notional(worth)), &[], true, (AT, None));
    };
    bought(&mut state, &btc(), "10000", "1", "10000");
    bought(&mut state, &eth_btc, "0.05", "10", "0.5");
    // 100 USDT and 0.01 BTC are lost, then 100 USDT are won.
    for (btc_at, lost) in [("9900", "220"), ("10100", "120")] {
        state.marks(marks(btc_at, "0.049"), 0);
        let little = notional("0.01").value();
        for (max, stops) in [(notional(lost).value(), false), (notional(lost).value() - little, true)] {
            rules.desk.day_loss_max = Notional::new(max);
            assert_eq!(state.must_stop(&rules, 0, AT).is_some(), stops, "at {btc_at}, {max} may be lost");
        }
    }
    // The falls: 0 from the best in USDT, 0.01 BTC.
    rules.desk.day_loss_max = None;
    for (max, stops) in [("120", false), ("119.99", true)] {
        rules.desk.drawdown_max = Some(notional(max));
        assert_eq!(state.must_stop(&rules, 0, AT).is_some(), stops, "{max}");
    }
    // Whoever takes the instrument off the list needs a code for it: what was lost in it would count as so many of the currency.
    let without = Policy { instruments: vec![rules.instruments[0].clone()], ..rules.clone() };
    assert!(rules.is_raised_by(&without) && state.must_stop(&without, 0, AT).is_none());
}

/// What is held, as a rule says it of a small purchase; nothing: it is not known.
fn held_by(state: &RiskState) -> Option<Decimal> {
    let mut rules = policy(|_| {});
    rules.instruments[0].position_max = Some(Quantity::ZERO);
    let order = place("more", Side::Buy, limit("10000", "0.001"));
    let judged = state.clone().judge(&rules, &order, quote(), 0).refused;
    judged.iter().find_map(|reason| match reason {
        Reason::Position { after, .. } => Some(after.value() - quantity("0.001").value()),
        _ => None,
    })
}

/// An answer counts if no later question was answered before it, and not where another account may be in use since it was asked.
#[test]
fn an_older_answer_takes_no_newer_ones_place() {
    let at = |seconds: i64| AT.plus_ms(seconds * 1_000);
    let tell = |state: &mut RiskState, amount: &str, (asked, told): (i64, i64)| {
        state.held([("BTC".to_owned(), Amount::parse(amount).unwrap())], at(told), at(asked));
    };
    let mut state = state();
    tell(&mut state, "10", (2, 3));
    tell(&mut state, "0", (0, 4));
    assert_eq!(held_by(&state), Some(Decimal::TEN));
    tell(&mut state, "1", (2, 5));
    assert_eq!(held_by(&state), Some(Decimal::ONE));
    state.other_account(at(6));
    tell(&mut state, "10", (5, 7));
    assert_eq!(held_by(&state), None, "asked of the account before");
    tell(&mut state, "2", (7, 8));
    assert_eq!(held_by(&state), Some(Decimal::TWO));
    // A clock that was set back by an hour.
    tell(&mut state, "3", (-3_600, -3_599));
    assert_eq!(held_by(&state), Some(Decimal::TWO));
    state.exposure.clock_is(at(-3_600));
    tell(&mut state, "3", (-3_600, -3_599));
    assert_eq!(held_by(&state), Some(Decimal::from(3)));
}

/// What another program had filled before its order was found may be in what was told as held, or not; the same of what is gone.
#[test]
fn what_others_fill_counts_though_nobody_told_it() {
    let mut state = state();
    state.held([], AT, AT);
    let theirs = place("theirs", Side::Buy, limit("10000", "10"));
    let filled = Filled { quantity: quantity("6").value(), notional: notional("60000").value() };
    state.found_open(&theirs, filled, AT.plus_ms(5_000));
    assert_eq!(held_by(&state), Some(Decimal::TEN));
    state.found_open(&theirs, Filled::default(), AT.plus_ms(6_000));
    assert_eq!(held_by(&state), Some(Decimal::TEN), "found twice is found");
    // Another one under its name: that one is gone, and may have filled to its end.
    let larger = place("theirs", Side::Buy, limit("10000", "50"));
    state.found_open(&larger, Filled::default(), AT.plus_ms(7_000));
    assert_eq!(held_by(&state), Some(Decimal::from(60)));
    state.exposure.lost(&larger.client_order_id, AT.plus_ms(8_000));
    assert_eq!((held_by(&state), state.exposure.is_vague()), (Some(Decimal::from(60)), true), "until the venue tells");
    state.held([], AT.plus_ms(70_000), AT.plus_ms(69_000));
    assert_eq!((held_by(&state), state.exposure.is_vague()), (Some(Decimal::ZERO), false));
}

/// More was sold than was known, so something came that nobody told: that makes no room for anything else.
#[test]
fn less_than_nothing_is_nothing() {
    let mut state = state();
    state.held([], AT, AT);
    filled(&mut state, &place("sold", Side::Sell, limit("10000", "10")), "10", "100000", 1);
    assert_eq!(held_by(&state), Some(Decimal::ZERO));
    let rules = policy(|rules| rules.exposure_max = Some(notional("20000")));
    assert_eq!(refused(&mut state, &rules, &place("a", Side::Buy, limit("10000", "2.00001")), quote(), 2), "exposure");
}
