//! Limits of an organisation as rows: each at the limit and one step beyond, and documents that are none.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use strongroom_guard::{KdfFloor, MANAGED_LEN_MAX, Managed, Policy, Reason};
use strongroom_model::Price;

fn managed(limits: &str) -> Managed {
    Managed::parse(format!(r#"{{"serial": 1, "organisation": "Example", "limits": {limits}}}"#).as_bytes()).unwrap()
}

/// A policy with some parts set otherwise, as in a file.
fn policy(changes: &str) -> Policy {
    let mut value = serde_json::to_value(Policy::initial()).unwrap();
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (name, part) in changes.as_object().unwrap() {
        match name.as_str() {
            "desk" => part.as_object().unwrap().iter().for_each(|(name, part)| value["desk"][name] = part.clone()),
            "BTCUSDT" => part.as_object().unwrap().iter().for_each(|(name, part)| value["instruments"][0][name] = part.clone()),
            _ => value[name] = part.clone(),
        }
    }
    serde_json::from_value(value).unwrap()
}

const BANDS: &str = r#""only_listed": true, "instruments": [{"symbol": "BTCUSDT", "price_low": "500", "price_high": "500000"},
    {"symbol": "ETHUSDT", "price_low": "10", "price_high": "50000"}]"#;

#[test]
fn every_limit_and_one_step_beyond() {
    let banded = |limit: &str| format!("{{{limit}, {BANDS}}}");
    let btc = |limits: &str| format!(r#"{{"instruments": [{{"symbol": "BTCUSDT", {limits}}}]}}"#);
    let desk = |limits: &str| format!(r#"{{"desk": {{{limits}}}}}"#);
    for (limits, at, beyond, name) in [
        (
            r#"{"order_notional_max": "100"}"#.to_owned(),
            r#"{"order_notional_max": "100"}"#,
            r#"{"order_notional_max": "100.01"}"#,
            "order_notional_max",
        ),
        (banded(r#""day_notional_max": "100""#), r#"{"day_notional_max": "100"}"#, r#"{"day_notional_max": "100.01"}"#, "day_notional_max"),
        (banded(r#""confirm_above": "100""#), r#"{"confirm_above": "100"}"#, r#"{"confirm_above": "100.01"}"#, "confirm_above"),
        (banded(r#""confirm_above": "100""#), r#"{"confirm_above": "0"}"#, r#"{"confirm_above": null}"#, "confirm_above"),
        (r#"{"orders_per_minute": 5}"#.to_owned(), r#"{"orders_per_minute": 5}"#, r#"{"orders_per_minute": 6}"#, "orders_per_minute"),
        (r#"{"price_collar_bps": 50}"#.to_owned(), r#"{"price_collar_bps": 50}"#, r#"{"price_collar_bps": 51}"#, "price_collar_bps"),
        (r#"{"session_idle_ms": 60000}"#.to_owned(), r#"{"session_idle_ms": 60000}"#, r#"{"session_idle_ms": 60001}"#, "session_idle_ms"),
        (
            r#"{"session_age_max_ms": 300000}"#.to_owned(),
            r#"{"session_age_max_ms": 300000}"#,
            r#"{"session_age_max_ms": 300001}"#,
            "session_age_max_ms",
        ),
        (
            r#"{"kdf_floor": {"memory_mib": 256, "passes": 4}}"#.to_owned(),
            r#"{"kdf_floor": {"memory_mib": 256, "passes": 4}}"#,
            r#"{"kdf_floor": {"memory_mib": 255, "passes": 9}}"#,
            "kdf_floor.memory_mib",
        ),
        (
            r#"{"kdf_floor": {"memory_mib": 256, "passes": 4}}"#.to_owned(),
            r#"{"kdf_floor": {"memory_mib": 512, "passes": 5}}"#,
            r#"{"kdf_floor": {"memory_mib": 512, "passes": 3}}"#,
            "kdf_floor.passes",
        ),
        (
            r#"{"kdf_floor": {"memory_mib": 256, "passes": 4}}"#.to_owned(),
            r#"{"kdf_floor": {"memory_mib": 256, "passes": 4}}"#,
            "{}",
            "kdf_floor",
        ),
        (
            btc(r#""quantity_max": "0.5", "price_low": "500", "price_high": "500000""#),
            r#"{"BTCUSDT": {"quantity_max": "0.5"}}"#,
            r#"{"BTCUSDT": {"quantity_max": "0.51"}}"#,
            "instruments.BTCUSDT.quantity_max",
        ),
        (
            btc(r#""price_low": "900", "price_high": "500000""#),
            r#"{"BTCUSDT": {"price_low": "900"}}"#,
            r#"{"BTCUSDT": {"price_low": "899.99"}}"#,
            "instruments.BTCUSDT.price_low",
        ),
        (
            btc(r#""price_low": "900", "price_high": "400000""#),
            "{}",
            r#"{"BTCUSDT": {"price_high": "400000.01"}}"#,
            "instruments.BTCUSDT.price_high",
        ),
        (
            btc(r#""price_low": "900", "price_high": "950""#),
            r#"{"BTCUSDT": {"price_low": "900", "price_high": "950"}}"#,
            "{}",
            "instruments.BTCUSDT",
        ),
        (
            btc(r#""position_max": "2""#),
            r#"{"BTCUSDT": {"position_max": "2"}}"#,
            r#"{"BTCUSDT": {"position_max": "2.1"}}"#,
            "instruments.BTCUSDT.position_max",
        ),
        (btc(r#""position_max": "2""#), r#"{"BTCUSDT": {"position_max": "1"}}"#, "{}", "instruments.BTCUSDT.position_max"),
        (
            btc(r#""quote_worth": "2""#),
            r#"{"BTCUSDT": {"quote_worth": "2"}}"#,
            r#"{"BTCUSDT": {"quote_worth": "1.99"}}"#,
            "instruments.BTCUSDT.quote_worth",
        ),
        (btc(r#""quote_worth": "2""#), r#"{"BTCUSDT": {"quote_worth": "3"}}"#, "{}", "instruments.BTCUSDT.quote_worth"),
        // What it does not say is one of its currency, where it has values; and they are in USDT where it does not say in what.
        (
            desk(r#""day_loss_max": "100""#),
            r#"{"BTCUSDT": {"quote_worth": "1"}, "desk": {"day_loss_max": "100"}}"#,
            r#"{"BTCUSDT": {"quote_worth": "0.99"}, "desk": {"day_loss_max": "100"}}"#,
            "instruments.BTCUSDT.quote_worth",
        ),
        (
            r#"{"order_notional_max": "100"}"#.to_owned(),
            r#"{"order_notional_max": "100", "currency": "USDT"}"#,
            r#"{"order_notional_max": "100", "currency": "USD"}"#,
            "currency",
        ),
        (r#"{"currency": "USD"}"#.to_owned(), r#"{"currency": "USD"}"#, "{}", "currency"),
        (r#"{"orders_per_minute": 500}"#.to_owned(), r#"{"currency": "USD"}"#, r#"{"orders_per_minute": 501}"#, "orders_per_minute"),
        (format!("{{{BANDS}}}"), "{}", r#"{"BTCUSDT": {"symbol": "DOGEUSDT"}}"#, "instruments.DOGEUSDT"),
        (
            desk(r#""restricted": ["BTCUSDT"]"#),
            r#"{"desk": {"restricted": ["ETHUSDT", "BTCUSDT"]}}"#,
            r#"{"desk": {"restricted": ["ETHUSDT"]}}"#,
            "desk.restricted",
        ),
        (desk(r#""slippage_bps": 50"#), r#"{"desk": {"slippage_bps": 50}}"#, r#"{"desk": {"slippage_bps": 51}}"#, "desk.slippage_bps"),
        (
            desk(r#""open_orders_max": 5"#),
            r#"{"desk": {"open_orders_max": 5}}"#,
            r#"{"desk": {"open_orders_max": null}}"#,
            "desk.open_orders_max",
        ),
        (
            desk(r#""exposure_max": "100""#),
            r#"{"desk": {"exposure_max": "100"}}"#,
            r#"{"desk": {"exposure_max": "101"}}"#,
            "desk.exposure_max",
        ),
        (
            desk(r#""day_loss_max": "100""#),
            r#"{"desk": {"day_loss_max": "100"}}"#,
            r#"{"desk": {"day_loss_max": "101"}}"#,
            "desk.day_loss_max",
        ),
        (
            desk(r#""drawdown_max": "100""#),
            r#"{"desk": {"drawdown_max": "100"}}"#,
            r#"{"desk": {"drawdown_max": null}}"#,
            "desk.drawdown_max",
        ),
        (desk(r#""duplicate_ms": 500"#), r#"{"desk": {"duplicate_ms": 500}}"#, r#"{"desk": {"duplicate_ms": 499}}"#, "desk.duplicate_ms"),
        (
            desk(r#""fills_per_minute": 5"#),
            r#"{"desk": {"fills_per_minute": 5}}"#,
            r#"{"desk": {"fills_per_minute": 6}}"#,
            "desk.fills_per_minute",
        ),
        (
            desk(r#""cancels_percent": 90"#),
            r#"{"desk": {"cancels_percent": 90}}"#,
            r#"{"desk": {"cancels_percent": 91}}"#,
            "desk.cancels_percent",
        ),
        (desk(r#""no_self_trade": true"#), "{}", r#"{"desk": {"self_trade": true}}"#, "desk.self_trade"),
        (desk(r#""slippage_bps": 500"#), "{}", r#"{"desk": {"modes": {"slippage": "ask"}}}"#, "desk.modes.slippage"),
        (
            desk(r#""slippage_bps": 500, "modes": {"slippage": "ask"}"#),
            r#"{"desk": {"modes": {"slippage": "ask"}}}"#,
            r#"{"desk": {"modes": {"slippage": "shadow"}}}"#,
            "desk.modes.slippage",
        ),
        (desk(r#""modes": {"exposure": "refuse"}"#), "{}", r#"{"desk": {"modes": {"exposure": "ask"}}}"#, "desk.modes.exposure"),
        (r#"{"price_collar_bps": 500}"#.to_owned(), "{}", r#"{"desk": {"modes": {"price-collar": "shadow"}}}"#, "desk.modes.price-collar"),
    ] {
        let managed = managed(&limits);
        let (at, beyond) = (policy(at), policy(beyond));
        assert_eq!(managed.refuses(&at), None, "{limits}");
        let refused = managed.refuses(&beyond);
        assert_eq!(refused.as_ref().map(|beyond| beyond.limit.as_str()), Some(name), "{limits}");
        assert_ne!(refused.as_ref().map(|beyond| &beyond.asked), refused.as_ref().map(|beyond| &beyond.passes), "{refused:?}");
        // What is in force is never beyond it, whatever the owner set.
        let mut tight = managed.tightens(&beyond);
        tight = tight.as_set();
        assert_eq!(managed.refuses(&tight), None, "{limits}");
        assert!(!beyond.is_raised_by(&Policy { kdf_floor: beyond.kdf_floor, ..with_bands_of(&beyond, &tight) }), "{limits}");
    }
}

/// A changed band and a harder derivation need a code in both directions: they are compared by themselves.
fn with_bands_of(from: &Policy, to: &Policy) -> Policy {
    let mut policy = Policy { currency: from.currency.clone(), ..to.clone() };
    for listed in &mut policy.instruments {
        let before = from.instrument(&listed.symbol).unwrap();
        (listed.price_low, listed.price_high) = (before.price_low, before.price_high);
    }
    policy
}

#[test]
fn a_refusal_says_what_would_pass() {
    let said = |limits: &str, asked: &str| managed(limits).refuses(&policy(asked)).unwrap().to_string();
    assert_eq!(said(r#"{"order_notional_max": "5000"}"#, "{}"), "order_notional_max: 25000 is beyond it, 5000 would pass");
    assert_eq!(said(r#"{"kdf_floor": {"memory_mib": 256, "passes": 4}}"#, "{}"), "kdf_floor: none is beyond it, 256 and 4 would pass");
    let only = r#"{"only_listed": true, "instruments": [{"symbol": "ETHUSDT"}]}"#;
    assert_eq!(said(only, "{}"), "instruments.BTCUSDT: trading it is beyond it, only ETHUSDT would pass");
    let none = r#"{"only_listed": true}"#;
    assert_eq!(said(none, "{}"), "instruments.BTCUSDT: trading it is beyond it, no instrument would pass");
}

/// Risk lets an order pass a rule of the owner's, never one that an organisation has refuse.
#[test]
fn no_order_is_let_pass_a_rule_of_an_organisation() {
    let broken = Reason::PriceDrift { asked: None, worst: "2".parse().unwrap(), best: "1".parse().unwrap(), drift_bps: 100 };
    let own = policy(r#"{"desk": {"drift_bps": 100, "modes": {"slippage": "ask"}}}"#);
    for (limits, can_pass) in [
        ("{}", true),
        (r#"{"desk": {"slippage_bps": 100}}"#, true),
        (r#"{"desk": {"drift_bps": 100, "modes": {"price-drift": "ask"}}}"#, true),
        (r#"{"desk": {"drift_bps": 200}}"#, false),
        (r#"{"desk": {"modes": {"price-drift": "refuse"}}}"#, false),
    ] {
        let tight = managed(limits).tightens(&own);
        assert_eq!(broken.can_be_overridden(&tight), can_pass, "{limits}");
        assert!(broken.can_be_overridden(&tight.as_set()), "{limits}: the owner's own again");
    }
}

#[test]
fn bands_that_do_not_meet_admit_nothing() {
    let apart = managed(r#"{"instruments": [{"symbol": "BTCUSDT", "price_low": "1", "price_high": "1000"}]}"#);
    let tight = apart.tightens(&policy("{}"));
    assert_eq!(tight.unlisted.iter().map(|gone| gone.symbol.as_str()).collect::<Vec<_>>(), ["BTCUSDT"], "what is held of it counts on");
    assert!(tight.validate().is_err() && tight.clone().as_set().validate().is_ok(), "no person sets that");
    assert_eq!(tight.instruments.iter().map(|listed| listed.symbol.as_str()).collect::<Vec<_>>(), ["ETHUSDT"]);
}

/// What an organisation lists with a band is in the sum that it bounds, whether or not the owner lists it.
#[test]
fn an_owner_takes_nothing_out_of_the_organisations_sum() {
    let bounded = managed(&format!(r#"{{{BANDS}, "desk": {{"exposure_max": "1000"}}}}"#));
    let mut own = policy("{}");
    let off = own.instruments.remove(0).symbol;
    let tight = bounded.tightens(&own);
    assert_eq!(tight.unlisted.iter().map(|one| &one.symbol).collect::<Vec<_>>(), [&off]);
    assert!(managed(&format!("{{{BANDS}}}")).tightens(&own).unlisted.is_empty(), "the owner's own sum is the owner's");
}

#[test]
fn what_has_no_price_is_counted_at_the_edges_of_both_bands() {
    let managed = managed(&format!("{{{BANDS}}}"));
    let narrow = policy(r#"{"BTCUSDT": {"price_low": "900", "price_high": "901"}}"#);
    let listed = &managed.tightens(&narrow).instruments[0];
    let price = |text| Price::parse(text).unwrap();
    assert_eq!((listed.price_low, listed.price_high), (price("900"), price("901")));
    assert_eq!(listed.counted, Some((price("500"), price("500000"))));
    // No person sets that.
    let mut own = policy("{}");
    own.instruments[0].counted = listed.counted;
    assert!(own.validate().is_err());
}

#[test]
fn documents_that_are_none() {
    let whole = r#"{"serial": 1, "organisation": "Example", "limits": {}}"#;
    assert!(Managed::parse(whole.as_bytes()).is_ok());
    assert!(Managed::parse(br#"{"serial": 2, "organisation": "Example", "released": true}"#).unwrap().released);
    for document in [
        "",
        "{}",
        "[]",
        r#"{"serial": 1, "organisation": ""}"#,
        r#"{"serial": -1, "organisation": "Example"}"#,
        r#"{"serial": 1, "organisation": "a\u0007"}"#,
        r#"{"serial": 1, "serial": 2, "organisation": "Example"}"#,
        r#"{"serial": 1, "organisation": "Example", "limit": {}}"#,
        r#"{"serial": 1, "organisation": "Example"} {}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"orders_per_hour": 5}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"currency": "$"}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"currency": "EUR", "instruments": [{"symbol": "BTCUSDT"}]}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"confirm_above": "5", "only_listed": true, "instruments":
            [{"symbol": "ETHBTC", "price_low": "0.01", "price_high": "0.1"}]}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"orders_per_minute": 6001}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"session_idle_ms": 1000}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"order_notional_max": "-1"}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"kdf_floor": {"memory_mib": 1, "passes": 3}}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"desk": {"slippage_bps": 10001}}}"#,
        r#"{"serial": 1, "organisation": "Example", "released": true, "limits": {"orders_per_minute": 5}}"#,
        // Half a band, and limits that nothing counts against.
        r#"{"serial": 1, "organisation": "Example", "limits": {"instruments": [{"symbol": "BTCUSDT", "price_low": "5"}]}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"instruments": [{"symbol": "BTCUSDT", "quantity_max": "5"}]}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"day_notional_max": "5000"}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"confirm_above": "5000", "only_listed": true, "instruments": [{"symbol": "BTCUSDT"}]}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"instruments": [{"symbol": "BTCUSDT"}, {"symbol": "BTCUSDT"}]}}"#,
        r#"{"serial": 1, "organisation": "Example", "limits": {"instruments": [{"symbol": "BTCUSDT", "price_low": "5", "price_high": "5"}]}}"#,
    ] {
        assert!(Managed::parse(document.as_bytes()).is_err(), "{document}");
    }
    let long = format!("{whole}{}", " ".repeat(MANAGED_LEN_MAX));
    assert!(Managed::parse(&long.as_bytes()[..MANAGED_LEN_MAX]).is_ok() && Managed::parse(long.as_bytes()).is_err());
}

#[test]
fn its_limits_have_names() {
    let limits = r#"{"order_notional_max": "100", "kdf_floor": {"memory_mib": 256, "passes": 4}, "instruments": [{"symbol": "BTCUSDT", "position_max": "2"}]}"#;
    let lines: Vec<_> = managed(limits).lines().into_iter().collect();
    let expected = [
        ("instruments.BTCUSDT.position_max", "2"),
        ("kdf_floor.memory_mib", "256"),
        ("kdf_floor.passes", "4"),
        ("order_notional_max", "100"),
    ];
    assert_eq!(lines, expected.map(|(name, said)| (name.to_owned(), said.to_owned())));
    // One that names nothing changes nothing.
    let policy = Policy { kdf_floor: Some(KdfFloor { memory_mib: 64, passes: 3 }), ..policy("{}") };
    let free = managed("{}");
    assert_eq!((free.tightens(&policy), free.refuses(&policy)), (policy, None));
}

/// A document that a vault remembered is read whatever it does not say of worths; a new one has to say it.
#[test]
fn what_was_remembered_without_worths_counts_at_one() {
    let document = r#"{"serial": 1, "organisation": "Example", "limits": {"order_notional_max": "100", "instruments": [{"symbol": "ETHBTC",
        "price_low": "0.01", "price_high": "0.1"}]}}"#;
    let refused = Managed::parse(document.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused, "ETHBTC needs quote_worth: the most USDT that a unit of its quote asset is ever worth");
    let managed = Managed::parse_kept(document.as_bytes()).unwrap();
    let mut own = policy("{}");
    own.instruments[1].symbol = strongroom_model::Symbol::parse("ETHBTC").unwrap();
    own.instruments[1].quote_worth = Price::parse("0.5").ok();
    assert_eq!(managed.tightens(&own).unlisted[0].quote_worth, Price::parse("1").ok());
}

/// What the owner takes off the list bounds on where the organisation bounds it, and to do so needs a code where it counted for more.
#[test]
fn what_is_taken_off_the_list_bounds_on() {
    let both = managed(
        r#"{"desk": {"exposure_max": "100"}, "instruments": [{"symbol": "ETHUSDT", "price_low": "10", "price_high": "50000", "position_max": "4"}]}"#,
    );
    let own = |position: &str, worth: &str| {
        let mut own = policy("{}");
        own.instruments[1].position_max = Some(position.parse().unwrap());
        own.instruments[1].quote_worth = Price::parse(worth).ok();
        own
    };
    for (position, worth, needs_code) in [("4", "1", false), ("3", "1", true), ("4", "1.5", true)] {
        let (before, mut after) = (own(position, worth), own(position, worth));
        after.instruments.pop();
        let (before, after) = (both.tightens(&before), both.tightens(&after));
        assert_eq!(after.unlisted[0].position_max.unwrap().to_string(), "4");
        assert_eq!(before.is_raised_by(&after), needs_code, "{position} {worth}");
    }
    let bounded = managed(r#"{"instruments": [{"symbol": "ETHUSDT", "position_max": "4"}]}"#);
    let mut without = policy("{}");
    without.instruments.pop();
    assert_eq!(bounded.tightens(&without).unlisted[0].position_max.unwrap().to_string(), "4", "its asset is bounded in every market");
}
