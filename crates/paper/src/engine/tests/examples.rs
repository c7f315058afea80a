//! Rules as rows: what is there, what comes, what happens.

use strongroom_model::Side;

use super::desk::{Desk, parse};
use crate::engine::*;

/// Says the first lines (separated by `|`), then the last, and compares what happened.
fn check(before: &str, then: &str, expected: &str) {
    let mut desk = Desk::new();
    for words in before.split('|').map(str::trim).filter(|words| !words.is_empty()) {
        let said = desk.say(words);
        assert!(!said.starts_with("refused"), "{words}: {said}");
    }
    assert_eq!(desk.say(then), expected, "{then} into {before}");
    for row in desk.engine.audit() {
        assert_eq!(u128::from(row.deposited.0), row.held, "{} after {then} into {before}", row.asset);
    }
}

#[test]
fn limit_and_market_orders() {
    let rows = [
        ("a sell 2 @ 101", "b buy 1 @ 101", "1 made 1@101 PartiallyFilled; 2 took 1@101 Filled"),
        ("a sell 1 @ 101", "b buy 2 @ 102", "1 made 1@101 Filled; 2 took 1@101 PartiallyFilled"),
        ("a sell 1 @ 101", "b buy 2 @ 101 ioc", "1 made 1@101 Filled; 2 took 1@101 PartiallyFilled; 2 expired UnfilledIoc"),
        ("a sell 1 @ 101", "b buy 2 @ 101 fok", "2 expired UnfilledFok"),
        ("a sell 1 @ 101", "b buy 1 @ 101 fok", "1 made 1@101 Filled; 2 took 1@101 Filled"),
        ("a sell 1 @ 101", "b buy 1 @ 100 ioc", "2 expired UnfilledIoc"),
        ("a sell 1 @ 101", "b buy 1 @ 101 maker", "refused: a post-only order would trade at once"),
        ("a sell 1 @ 101", "b buy 1 @ 100 maker", ""),
        ("a sell 1 @ 101", "b buy 2 market", "1 made 1@101 Filled; 2 took 1@101 PartiallyFilled; 2 expired InsufficientLiquidity"),
        ("a sell 1 @ 101", "b sell 1 market", "2 expired InsufficientLiquidity"),
        ("a sell 1 @ 100", "b buy 50q market", "1 made 0.5@100 PartiallyFilled; 2 took 0.5@100 Filled"),
        (
            "a sell 1 @ 100 | a sell 1 @ 200",
            "b buy 200q market",
            "1 made 1@100 Filled; 3 took 1@100 PartiallyFilled; 2 made 0.5@200 PartiallyFilled; 3 took 0.5@200 Filled",
        ),
        ("a buy 1 @ 100", "b sell 50q market", "1 made 0.5@100 PartiallyFilled; 2 took 0.5@100 Filled"),
        ("", "b buy 50q market", "refused: there is nothing to trade with"),
        ("a sell 1 @ 800000", "b buy 7q market", "refused: the liquidity is less than one step of quantity"),
        ("", "a buy 5000 @ 101", "refused: the account has too little"),
        ("", "a sell 11 @ 101", "refused: the account has too little"),
        ("a sell 1 @ 99000 | a sell 1 @ 99000", "b buy 2 market", "refused: the account has too little"),
        ("halt", "a buy 1 @ 100", "refused: the market is closed"),
        ("a buy 1 @ 100 | halt", "a cancel 1", "1 canceled"),
        ("a buy 1 @ 100 | halt", "a amend 1 0.5", "refused: the market is closed"),
        ("a buy 1 @ 100", "b cancel 1", "refused: no open order of this account is meant"),
    ];
    for (before, then, expected) in rows {
        let expected = if expected.starts_with("refused") || then.contains("cancel") || expected.is_empty() {
            expected.to_owned()
        } else {
            let id = before.split('|').filter(|words| !words.trim().is_empty() && !words.contains("halt")).count() + 1;
            format!("{id} new; {expected}")
        };
        let expected = if expected.is_empty() { "2 new".to_owned() } else { expected };
        check(before, then, &expected);
    }
}

#[test]
fn older_orders_at_a_price_trade_first() {
    check(
        "a sell 1 @ 101 | b sell 1 @ 100 | c sell 1 @ 100",
        "d buy 2.5 @ 101",
        "4 new; 2 made 1@100 Filled; 4 took 1@100 PartiallyFilled; 3 made 1@100 Filled; 4 took 1@100 PartiallyFilled; \
         1 made 0.5@101 PartiallyFilled; 4 took 0.5@101 Filled",
    );
}

#[test]
fn icebergs_show_a_slice_and_queue_again() {
    let mut desk = Desk::new();
    desk.say("a sell 3 @ 101 ice=1");
    desk.say("b sell 1 @ 101");
    assert_eq!(desk.book(Side::Sell), "2@101");
    assert_eq!(
        desk.say("c buy 2.5 @ 101"),
        "3 new; 1 made 1@101 PartiallyFilled; 3 took 1@101 PartiallyFilled; 2 made 1@101 Filled; 3 took 1@101 PartiallyFilled; \
         1 made 0.5@101 PartiallyFilled; 3 took 0.5@101 Filled"
    );
    assert_eq!(desk.book(Side::Sell), "0.5@101");
    assert_eq!(
        desk.say("c buy 2 @ 101"),
        "4 new; 1 made 0.5@101 PartiallyFilled; 4 took 0.5@101 PartiallyFilled; 1 made 1@101 Filled; 4 took 1@101 PartiallyFilled"
    );
    let rows = [
        ("a sell 1 @ 101 ice=0.05", "refused: filter failure: ICEBERG_PARTS"),
        ("a sell 1 @ 101 ice=2", "refused: the iceberg quantity is larger than the quantity"),
        ("a sell 1 @ 101 ice=0.5 ioc", "refused: this combination of order type, time in force, trigger and iceberg is not supported"),
        ("a sell 1 @ 102 maker ice=0.5", "1 new"),
    ];
    for (words, expected) in rows {
        check("", words, expected);
    }
    // What is hidden counts for FOK.
    check(
        "a sell 3 @ 101 ice=1",
        "b buy 3 @ 101 fok",
        "2 new; 1 made 1@101 PartiallyFilled; 2 took 1@101 PartiallyFilled; 1 made 1@101 PartiallyFilled; 2 took 1@101 PartiallyFilled; 1 made 1@101 Filled; 2 took 1@101 Filled",
    );
}

/// The scenarios of `faqs/stp_faq.md`, scaled by a hundred to pass the notional filter.
#[test]
fn self_trades_are_prevented() {
    let makers = "a buy 0.12 @ 120 | a buy 0.13 @ 110 | a buy 0.81 @ 100";
    let rows = [
        // A
        ("a buy 1 @ 100", "a sell 1 @ 100", "2 new; 1 made 1@100 Filled; 2 took 1@100 Filled"),
        // B
        (
            makers,
            "a sell 0.3 @ 100 stp=maker",
            "4 new; 1 prevented 0.12 ExpiredInMatch; 2 prevented 0.13 ExpiredInMatch; 3 prevented 0.81 ExpiredInMatch",
        ),
        // C
        (makers, "a sell 0.3 @ 100 stp=taker", "4 new; 4 prevented 0.3 ExpiredInMatch"),
        // D
        ("a buy 1 @ 100", "a sell 3 @ 100 stp=both", "2 new; 1 prevented 1 ExpiredInMatch; 2 prevented 3 ExpiredInMatch"),
        // E: the taker's mode counts
        ("a buy 1 @ 100 stp=maker", "a sell 1 @ 100 stp=taker", "2 new; 2 prevented 1 ExpiredInMatch"),
        // F
        ("a buy 1 @ 100", "a sell 1 market stp=maker", "2 new; 1 prevented 1 ExpiredInMatch; 2 expired InsufficientLiquidity"),
        // G
        ("a buy 6 @ 200", "a sell 2 @ 200 stp=decrement", "2 new; 1 prevented 2 New; 2 prevented 2 ExpiredInMatch"),
        (
            "a buy 1 @ 200 | b buy 1 @ 199",
            "a sell 2 @ 199 stp=decrement",
            "3 new; 1 prevented 1 ExpiredInMatch; 3 prevented 1 New; 2 made 1@199 Filled; 3 took 1@199 Filled",
        ),
        // FOK: own orders cannot fill it.
        ("a buy 1 @ 100 | b buy 1 @ 100", "a sell 2 @ 100 fok stp=maker", "3 new; 3 expired UnfilledFok"),
        ("a buy 1 @ 100 | b buy 1 @ 100", "a sell 1 @ 100 fok stp=taker", "3 new; 3 expired UnfilledFok"),
        (
            "a buy 1 @ 100 | b buy 1 @ 100",
            "a sell 1 @ 100 fok stp=maker",
            "3 new; 1 prevented 1 ExpiredInMatch; 2 made 1@100 Filled; 3 took 1@100 Filled",
        ),
        // A market buy that passes its own cheap order pays the dearer one.
        (
            "a sell 1 @ 100 | b sell 1 @ 200",
            "a buy 1 market stp=maker",
            "3 new; 1 prevented 1 ExpiredInMatch; 2 made 1@200 Filled; 3 took 1@200 Filled",
        ),
    ];
    for (before, then, expected) in rows {
        check(before, then, expected);
    }
    let mut desk = Desk::new();
    for who in ["a", "b"] {
        desk.engine.set_trade_group(desk.account(who), Some(7));
    }
    desk.say("b buy 1 @ 100");
    assert_eq!(desk.say("a sell 1 @ 100 stp=taker"), "2 new; 2 prevented 1 ExpiredInMatch", "a trade group is one trader");
    assert_eq!(desk.say("c sell 1 @ 100 stp=taker"), "3 new; 1 made 1@100 Filled; 3 took 1@100 Filled");
}

#[test]
fn amended_orders_keep_their_place() {
    let mut desk = Desk::new();
    desk.say("a buy 5.5 @ 87");
    desk.say("b buy 4 @ 87");
    assert_eq!(desk.say("a amend 1 5"), "1 replaced 5");
    assert_eq!((desk.book(Side::Buy), desk.holds("a", "USDT")), ("9@87".to_owned(), "99565/435".to_owned()));
    assert_eq!(desk.say("c sell 1 @ 87"), "3 new; 1 made 1@87 PartiallyFilled; 3 took 1@87 Filled");
    let rows = [
        ("a amend 1 6", "refused: an amendment cannot make an order larger"),
        ("a amend 1 5", "refused: the amendment would change nothing"),
        ("a amend 1 1", "refused: the new quantity has been traded already"),
        ("a amend 1 0.000001", "refused: filter failure: LOT_SIZE"),
        ("a amend 1 0.01", "refused: filter failure: NOTIONAL"),
        ("b amend 1 4", "refused: no open order of this account is meant"),
        ("a amend 1 4.5", "1 replaced 4.5"),
    ];
    for (words, expected) in rows {
        assert_eq!(desk.say(words), expected, "{words}");
    }
    for tenth in 0..8 {
        desk.say(&format!("a amend 1 4.{}", 4 - tenth.min(3) - 1).replace("4.0", &format!("3.{}", 9 - tenth)));
    }
    let mut desk = Desk::new();
    desk.say("a sell 9 @ 101 ice=2");
    assert_eq!((desk.say("a amend 1 4"), desk.book(Side::Sell)), ("1 replaced 4".to_owned(), "2@101".to_owned()));
    assert_eq!((desk.say("a amend 1 1"), desk.book(Side::Sell)), ("1 replaced 1".to_owned(), "1@101".to_owned()));
    let mut desk = Desk::new();
    desk.say("a buy 9 @ 100");
    for times in 0..AMENDS_MAX {
        assert_eq!(desk.say(&format!("a amend 1 8.{}", 99 - times)), format!("1 replaced 8.{}", 99 - times).trim_end_matches('0'));
    }
    assert_eq!(desk.say("a amend 1 8"), "refused: filter failure: MAX_NUM_ORDER_AMENDS");
}

#[test]
fn filters_from_both_sides_of_each_boundary() {
    let rules = Rules {
        percent: Band { down: Share(50_000_000), up: Share(200_000_000) },
        percent_bid: Band { down: Share(60_000_000), up: Share(120_000_000) },
        percent_ask: Band { down: Share(80_000_000), up: Share(500_000_000) },
        market_lot: Bounds { min: ONE / 10, max: 2 * ONE, step: ONE / 10 },
        min_notional: (Money(10 * ONE), false),
        position: Qty(15 * ONE),
        algo_orders: 1,
        iceberg_orders: 1,
        orders: 3,
        lists: 1,
        ..Rules::of(&super::desk::btcusdt()).unwrap()
    };
    let rows = [
        ("", "a buy 1 @ 100.01", ""),
        ("", "a buy 1 @ 100.011", "PRICE_FILTER"),
        ("", "a buy 1 @ 0", "PRICE_FILTER"),
        ("", "a sell 1 @ 1000000.01", "PRICE_FILTER"),
        ("", "a buy 0.10001 @ 100", ""),
        ("", "a buy 0.100001 @ 100", "LOT_SIZE"),
        ("", "a buy 0 @ 100", "LOT_SIZE"),
        ("", "a buy 9000.00001 @ 100", "LOT_SIZE"),
        ("", "a buy 0.1 @ 100", ""),
        ("", "a buy 0.09999 @ 100", "MIN_NOTIONAL"),
        ("", "a buy 4000 @ 5000", "PERCENT_PRICE"),
        ("", "a buy 1 @ 120", ""),
        ("", "a buy 1 @ 120.01", "PERCENT_PRICE_BY_SIDE"),
        ("", "a buy 1 @ 59.99", "PERCENT_PRICE_BY_SIDE"),
        ("", "a sell 1 @ 79.99", "PERCENT_PRICE_BY_SIDE"),
        ("", "a sell 1 @ 200", ""),
        ("", "a sell 1 @ 200.01", "PERCENT_PRICE"),
        ("", "a sell 2.1 market", "MARKET_LOT_SIZE"),
        ("", "a sell 0.15 market", "MARKET_LOT_SIZE"),
        ("", "a sell 0.04 market", "MARKET_LOT_SIZE"),
        ("", "a sell 4.9q market", "NOTIONAL"),
        ("", "a buy 5 @ 100", ""),
        ("", "a buy 5.00001 @ 100", "MAX_POSITION"),
        ("a buy 3 @ 100", "a buy 3 @ 100", "MAX_POSITION"),
        ("a sell 1 sl stop=90", "a sell 1 sl stop=80", "MAX_NUM_ALGO_ORDERS"),
        ("a sell 1 @ 110 ice=0.5", "a sell 1 @ 110 ice=0.5", "MAX_NUM_ICEBERG_ORDERS"),
        ("a sell 1 @ 110 | a sell 1 @ 110 | a sell 1 @ 110", "a sell 1 @ 110", "MAX_NUM_ORDERS"),
        ("a oto [sell 1 @ 110] [buy 1 @ 90]", "a oto [sell 1 @ 110] [buy 1 @ 90]", "MAX_NUM_ORDERS"),
        ("", "a sell 1 sl stop=90 trail=9", "TRAILING_DELTA"),
        ("", "a sell 1 sl stop=90 trail=2001", "TRAILING_DELTA"),
        ("", "a sell 1 sl stop=90 trail=2000", ""),
    ];
    for (before, then, failure) in rows {
        let mut desk = Desk::new();
        desk.say("b buy 1 @ 100");
        desk.say("c sell 1 @ 100");
        desk.engine.set_rules(desk.market, rules);
        for words in before.split('|').map(str::trim).filter(|words| !words.is_empty()) {
            let said = desk.say(words);
            assert!(!said.starts_with("refused"), "{words}: {said}");
        }
        let said = desk.say(then);
        if failure.is_empty() {
            assert!(!said.starts_with("refused"), "{then}: {said}");
        } else {
            assert_eq!(said, format!("refused: filter failure: {failure}"), "{then}");
        }
    }
    let mut desk = Desk::new();
    desk.engine.set_rules(desk.market, Rules { orders: 0, ..rules });
    desk.engine.set_venue_rules(VenueRules { orders: 2, algo_orders: 0 });
    desk.say("a sell 1 @ 110");
    desk.say("a oto [sell 1 @ 110] [buy 1 @ 90]");
    desk.say("a sell 1 @ 110");
    assert_eq!(desk.say("a sell 1 @ 110"), "refused: filter failure: EXCHANGE_MAX_NUM_ORDERS");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    for words in [
        "sell 1 @ 100 stop=90",
        "sell 1 sl",
        "sell 1 @ 100 sl stop=90",
        "sell 1 market ioc",
        "sell 1 sll stop=90 @ 90 ice=0.5 fok",
        "sell 1q @ 100",
        "sell 1q sl stop=90",
        "sell 1 market ice=0.5",
        "sell 1 maker @ 100 fok",
    ] {
        assert_eq!(Rules::check_shape(&parse(words)), Err(Refusal::UnsupportedCombination), "{words}");
    }
}

#[test]
fn fees_are_taken_of_what_is_received() {
    let mut desk = Desk::new();
    let rate = rust_decimal::Decimal::new(1, 3);
    let account = desk.engine.open_account(Fees { maker: rate, taker: rate });
    desk.accounts.push(account);
    let usdt = desk.engine.asset("USDT");
    desk.engine.deposit(account, usdt, Money(1_000 * ONE), &mut Vec::new()).unwrap();
    desk.say("a sell 1 @ 100");
    desk.say("e buy 1 @ 101");
    assert_eq!((desk.holds("e", "USDT").as_str(), desk.holds("e", "BTC").as_str()), ("900/0", "0.999/0"));
    desk.say("a buy 0.5 @ 100");
    desk.say("e sell 0.5 @ 100");
    assert_eq!((desk.holds("e", "USDT").as_str(), desk.holds("e", "BTC").as_str()), ("949.95/0", "0.499/0"));
}

#[test]
fn balances_are_set_and_taken_out() {
    let mut desk = Desk::new();
    let (a, usdt) = (desk.account("a"), desk.engine.asset("USDT"));
    desk.say("a buy 1 @ 100");
    let mut out = Vec::new();
    assert_eq!(desk.engine.withdraw(a, usdt, Money(100_000 * ONE), &mut out), Err(Refusal::InsufficientBalance));
    desk.engine.set_balance(a, usdt, Money(50 * ONE), &mut out).unwrap();
    assert_eq!(desk.holds("a", "USDT"), "50/100");
    assert_eq!(out, vec![Event::Balance(a, usdt, Holding { free: Money(50 * ONE), locked: Money(100 * ONE) })]);
    assert_eq!(desk.engine.deposit(a, usdt, Money::MAX, &mut out), Err(Refusal::TooMuch));
    for row in desk.engine.audit() {
        assert_eq!(u128::from(row.deposited.0), row.held);
    }
}
