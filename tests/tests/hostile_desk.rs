//! A desk that was taken over asks the signer for everything that it can say: what is signed stays inside the sealed limits.
//!
//! What was signed is reckoned here from the bytes of the requests, not from what was asked for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::collections::HashMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use strongroom_guard::RECV_WINDOW_MS_MAX;
use strongroom_guard::{Actor, InstrumentPolicy, Policy, Threshold};
use strongroom_model::{
    ClientOrderId, Intent, MarketSize, Method, Notional, OrderSpec, OwnerTag, PlaceOrder, Price, Quantity, Side, SignedRequest, Symbol,
    TimeInForce, Timestamp,
};
use strongroom_paper::exchange::{Account, ApiKey, Config, Exchange, LOOPBACK, Limits, Market, Request as VenueRequest, Rights};
use strongroom_signer_api::{Action, ActionEnd, Reply, Request, Saved, Sealed, SignAsk};
use strongroom_tests::signer_world::SignerWorld;
use strongroom_venues::binance::{SigningKey, VerifyingKey};

const MS: i64 = 1_800_000_000_000;
const HOUR_MS: i64 = 3_600_000;
const SECRET: &[u8] = b"secretsecretsecretsecretsecretsecretsecretsecretsecretsecret1234";
const DAY_MAX: i64 = 2_000_000;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Paid with what is worth 100,000 of the currency of the limits.
fn of_another_currency() -> InstrumentPolicy {
    InstrumentPolicy {
        symbol: Symbol::parse("ETHBTC").unwrap(),
        quantity_max: Quantity::parse("20").unwrap(),
        price_low: Price::parse("0.005").unwrap(),
        price_high: Price::parse("0.05").unwrap(),
        position_max: None,
        quote_worth: Price::parse("100000").ok(),
        counted: None,
    }
}

fn policy() -> Policy {
    Policy {
        instruments: Policy::initial().instruments.into_iter().chain([of_another_currency()]).collect(),
        order_notional_max: Notional::parse("25000").unwrap(),
        day_notional_max: Notional::new(Decimal::from(DAY_MAX)).unwrap(),
        orders_per_minute: 600,
        session_idle_ms: 12 * 3_600_000,
        session_age_max_ms: 24 * 3_600_000,
        ..Policy::initial()
    }
}

fn world() -> SignerWorld {
    let mut world = SignerWorld::with_vault(b"a password of the hostile desk", MS - 300_000);
    world.import("hostilehostilehostile", SECRET, MS - 200_000);
    world.set_policy(policy(), MS - 100_000);
    world
}

/// Anything that can be said.
fn forged(rng: &mut ChaCha8Rng, number: u32) -> SignAsk {
    let symbol = ["BTCUSDT", "ETHUSDT", "DOGEUSDT", "ETHBTC"][rng.random_range(0..4)];
    let side = if rng.random_range(0..2) == 0 { Side::Buy } else { Side::Sell };
    // Prices and sizes at the edges, and anywhere.
    let price = match rng.random_range(0..4) {
        0 => "1000".to_owned(),
        1 => "400000".to_owned(),
        2 => "0.01".to_owned(),
        _ => rng.random_range(1..500_000_u32).to_string(),
    };
    let size = ["1", "0.0001", "20", "0.0625", "999999999999"][rng.random_range(0..5)];
    let (price, quantity) = (Price::parse(&price).unwrap(), Quantity::parse(size).unwrap());
    let spec = match rng.random_range(0..5) {
        0 => OrderSpec::Market { size: MarketSize::Base(quantity) },
        1 => OrderSpec::Market { size: MarketSize::Quote(Notional::new(price.value()).unwrap()) },
        2 => OrderSpec::PostOnly { price, quantity },
        _ => OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc },
    };
    let client_order_id = ClientOrderId::parse(&format!("h{number}")).unwrap();
    let reduce_only = rng.random_range(0..3) == 0;
    let intent = Intent::Place(PlaceOrder { client_order_id, symbol: Symbol::parse(symbol).unwrap(), side, spec, reduce_only });
    let clock_offset_us = [0, 59_000_000, -59_000_000, 61_000_000, i64::MIN + 1][rng.random_range(0..5)];
    SignAsk { intent, credential: None, clock_offset_us, recv_window_ms: 5_000, audit_seq: 0 }
}

/// The most that a signed order can be worth while prices are inside the sealed band; it must be inside of everything else, too.
fn worth(request: &SignedRequest, listed: &[InstrumentPolicy]) -> Decimal {
    assert_eq!(request.path, "/api/v3/order");
    let text = if request.body.is_empty() { &request.query } else { &request.body };
    let fields: HashMap<&str, &str> = text.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let listed = listed.iter().find(|listed| listed.symbol.as_str() == fields["symbol"]).expect("only what is on the list is signed");
    let (low, high) = (listed.price_low.value(), listed.price_high.value());
    let quantity = fields.get("quantity").map(|text| decimal(text));
    let price = fields.get("price").map(|text| decimal(text));
    let quote = fields.get("quoteOrderQty").map(|text| decimal(text));
    assert!(price.is_none_or(|price| (low..=high).contains(&price)), "{text}");
    let value = quote.or_else(|| Some(price? * quantity?));
    let unit = listed.quote_worth.map_or(Decimal::ONE, Price::value);
    assert!(value.is_none_or(|value| value * unit <= Decimal::from(25_000) && !value.is_zero()), "{text}");
    let moved = match (quantity, quote, fields["side"]) {
        (Some(quantity), ..) => quantity,
        (None, Some(quote), "SELL") => quote / low,
        _ => Decimal::ZERO,
    };
    assert!(moved <= listed.quantity_max.value(), "{text}");
    unit * match (fields["side"], price, quote) {
        ("BUY", Some(price), _) => price * moved,
        ("BUY", None, Some(quote)) => quote,
        _ => moved * high,
    }
}

/// Asks for `tries` orders within `span_ms` from `from_ms`: what was signed, and how many were.
fn attack(world: &mut SignerWorld, seed: u64, from_ms: i64, span_ms: i64, tries: u32) -> (Decimal, u32) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let listed = policy().instruments;
    let (mut sum, mut signed) = (Decimal::ZERO, 0);
    for number in 0..tries {
        let now = from_ms + span_ms * i64::from(number) / i64::from(tries);
        match rng.random_range(0..12) {
            // It says that things are saved which were not handed out, or that a person is there.
            0 if world.saves_state => {
                let (what, generation) = (Sealed::State, rng.random_range(0..1_000));
                world.ask_impatiently(Request::Saved(Saved { what, generation, error: None }), now);
            }
            1 => drop(world.ask_impatiently(Request::Touch { ago_ms: 0 }, now)),
            // Whatever else is signed in between gives no room.
            2 => {
                let intent = forged_beside(&mut rng, number);
                let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
                drop(world.ask_impatiently(Request::Sign(ask), now));
            }
            _ => {
                let ask = forged(&mut rng, number);
                if let Some(Reply::Signed { request, .. }) = world.ask_impatiently(Request::Sign(ask), now) {
                    sum += worth(&request, &listed);
                    signed += 1;
                    if signed % 100 == 0 {
                        world.sign_head(now);
                    }
                }
            }
        }
    }
    (sum, signed)
}

#[test]
fn a_hostile_desk_stays_inside_the_sealed_limits() {
    let max = Decimal::from(DAY_MAX);
    let mut world = world();
    let (first, signed) = attack(&mut world, 1, MS, HOUR_MS, 6_000);
    assert!(first <= max && signed > 10, "{first} in {signed} orders");
    assert!(first > max * decimal("0.8"), "the limit is used, or the test tries nothing: {first}");
    // Restarts forget nothing, and time is not made by asking.
    let mut sum = first;
    for restart in 1..=3 {
        let now = MS + HOUR_MS * (1 + restart);
        world.restart(now);
        sum += attack(&mut world, 1 + restart.unsigned_abs(), now, HOUR_MS / 2, 1_500).0;
        assert!(sum <= max, "after restart {restart}: {sum}");
    }
    // A day later there is room again, and not twice as much.
    let later = MS + 30 * HOUR_MS;
    world.restart(later);
    let (next, _) = attack(&mut world, 9, later, HOUR_MS, 6_000);
    assert!(next <= max && next > max * decimal("0.5"), "{next}");
    // Nothing of what it was told in all that could sign anything.
    let found = |secret: &[u8]| world.told_desk.windows(secret.len()).any(|window| window == secret);
    assert!(found(b"hostilehostilehostile"), "the search finds what is there");
    let seed = world.otp_uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    for secret in [SECRET, b"a password of the hostile desk", seed.as_bytes(), &world.kit.as_bytes()[10..24]] {
        assert!(!found(secret), "{:?}", String::from_utf8_lossy(secret));
    }
}

#[test]
fn a_threshold_of_a_person_and_of_a_bot_holds_over_restarts() {
    let (of_person, of_bot) = (300_000, 100_000);
    let most = |worth: i64| Notional::new(Decimal::from(worth)).unwrap();
    let mut world = world();
    // Whichever slot the vault's first person has.
    let mut thresholds: Vec<_> = (0..8).map(|slot| Threshold { of: Actor::Person(slot), day_notional_max: most(of_person) }).collect();
    thresholds.push(Threshold { of: Actor::Bot(OwnerTag::parse("grid").unwrap()), day_notional_max: most(of_bot) });
    world.set_policy(Policy { thresholds, ..policy() }, MS - 50_000);
    let place = |world: &mut SignerWorld, name: String, now: i64| {
        let spec =
            OrderSpec::Limit { price: Price::parse("50000").unwrap(), quantity: Quantity::parse("0.1").unwrap(), tif: TimeInForce::Gtc };
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let client_order_id = ClientOrderId::parse(&name).unwrap();
        let intent = Intent::Place(PlaceOrder { client_order_id, symbol, side: Side::Buy, spec, reduce_only: false });
        let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        matches!(world.ask_impatiently(Request::Sign(ask), now), Some(Reply::Signed { .. }))
    };
    // 5,000 each.
    let mut bots = (0..40).filter(|number| place(&mut world, format!("grid-{number}"), MS + number)).count();
    assert_eq!(bots, 20, "exactly its threshold");
    world.restart(MS + HOUR_MS);
    bots += (0..40).filter(|number| place(&mut world, format!("grid-r{number}"), MS + HOUR_MS + number)).count();
    assert_eq!(bots, 20, "a restart gives it nothing");
    let others = (0..400).filter(|number| place(&mut world, format!("h{number}"), MS + HOUR_MS + 1_000 + number)).count();
    assert!((30..=40).contains(&others), "the person has what is left of 300,000, less what a restart assumes: {others}");
    world.restart(MS + 2 * HOUR_MS);
    let (sum, _) = attack(&mut world, 3, MS + 2 * HOUR_MS, HOUR_MS, 3_000);
    let signed = Decimal::from(5_000 * (bots + others)) + sum;
    assert!(signed <= Decimal::from(of_person), "{signed}");
}

/// Orders of a minute, whatever is sealed and opened in between: each opening may cost some of them, none gives any.
#[test]
fn the_order_rate_holds_over_restarts() {
    let mut world = world();
    world.set_policy(Policy { orders_per_minute: 40, ..policy() }, MS - 50_000);
    let mut at: Vec<i64> = Vec::new();
    for step in 0..60 {
        let now = MS + 60_000 + step * 4_000;
        if step % 10 == 9 {
            world.restart(now);
        }
        for number in 0..30 {
            let spec = OrderSpec::PostOnly { price: Price::parse("20000").unwrap(), quantity: Quantity::parse("0.001").unwrap() };
            let client_order_id = ClientOrderId::parse(&format!("r{step}-{number}")).unwrap();
            let symbol = Symbol::parse("BTCUSDT").unwrap();
            let intent = Intent::Place(PlaceOrder { client_order_id, symbol, side: Side::Buy, spec, reduce_only: false });
            let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
            if matches!(world.ask_impatiently(Request::Sign(ask), now), Some(Reply::Signed { .. })) {
                at.push(now);
            }
        }
    }
    let most = at.iter().map(|from| at.iter().filter(|at| (*from..*from + 60_000).contains(*at)).count()).max().unwrap();
    assert!(most <= 40, "{most} within a minute");
    assert!(at.len() >= 100, "what is left is used: {}", at.len());
}

#[test]
fn an_older_state_file_opens_nothing() {
    let mut world = world();
    let early = world.state_file.clone();
    let (sum, _) = attack(&mut world, 5, MS, HOUR_MS, 3_000);
    assert!(sum > Decimal::from(DAY_MAX / 2), "{sum}");
    // It hands over what was there before, and claims that it is the newest.
    let late = std::mem::replace(&mut world.state_file, early);
    world.seal();
    let (files, password) = (vec![world.vault_file.clone(), world.state_file.clone()], b"a password of the hostile desk".to_vec());
    let now = MS + 2 * HOUR_MS;
    world.act_on(Action::Unlock, &[9; 32], files, now, &mut |_, _| password.clone());
    let Some(ActionEnd::Failed { why, .. }) = world.ends.last() else { panic!("{:?}", world.ends.last()) };
    assert!(why.contains("older than the one that was saved last"), "{why}");
    world.state_file = late;
    world.restart(now + 60_000);
    let after = attack(&mut world, 6, now + 60_000, HOUR_MS, 3_000).0;
    assert!(sum + after <= Decimal::from(DAY_MAX), "{sum} + {after}");
}

#[test]
fn what_is_not_on_disk_is_not_signed() {
    let mut world = world();
    let before = attack(&mut world, 5, MS, 60_000, 40).0;
    // From here on nothing is ever saved, and nobody says that it is; then the machine loses power. (A desk that says so against the
    // truth, and then hands over an older file, is what docs/threats.md speaks of.)
    world.saves_state = false;
    let unsaved = attack(&mut world, 6, MS + 60_000, HOUR_MS, 3_000).0;
    world.saves_state = true;
    let now = MS + 2 * HOUR_MS;
    world.restart(now);
    let after = attack(&mut world, 7, now, HOUR_MS, 6_000).0;
    assert!(before + unsaved + after <= Decimal::from(DAY_MAX), "{before} + {unsaved} + {after}");
    assert!(after > Decimal::ZERO, "what is left is used");
}

/// A venue that knows the key, with an empty book and wide limits.
fn venue() -> Exchange {
    let mut config = Config::standard(3, Market::Empty);
    let key = ApiKey::new("hostilehostilehostile", VerifyingKey::hmac(SECRET), Rights::Trade);
    config.accounts = vec![Account::funded(vec![key])];
    config.accounts[0].balances = vec![("USDT".to_owned(), "1000000000".parse().unwrap())];
    let wide = u32::MAX;
    config.limits = Limits { weight_per_minute: wide, orders_per_10s: wide, orders_per_day: wide, raw_requests_per_5m: wide };
    Exchange::new(config, Timestamp::from_ms(MS))
}

/// The names and values of a request's parameters.
fn fields_of(request: &SignedRequest) -> Vec<(&str, &str)> {
    let text = if request.body.is_empty() { &request.query } else { &request.body };
    text.split('&').filter_map(|pair| pair.split_once('=')).collect()
}

/// What is wanted beside orders: amendments of any order to any size, logins, and what the venue does not have.
fn forged_beside(rng: &mut ChaCha8Rng, number: u32) -> Intent {
    let order = ClientOrderId::parse(&format!("h{}", rng.random_range(0..=number))).unwrap();
    match rng.random_range(0..8) {
        0 => Intent::StreamLogin,
        1 => Intent::QueryKeyRights,
        2 => Intent::DeadMan { symbol: None, countdown_ms: rng.random_range(0..2) * 60_000 },
        _ => {
            let quantity = ["0.0001", "0.001", "0.01", "0.05", "0.0625", "1", "20", "999999999999"][rng.random_range(0..8)];
            Intent::Amend { symbol: Symbol::parse("BTCUSDT").unwrap(), order, quantity: quantity.parse().unwrap() }
        }
    }
}

/// What Binance's signatures cannot say: that they come once. A market order that was signed can be sent again while its window lasts, and not a
/// moment longer, wherever the desk says that the venue's clock is.
#[test]
fn a_signed_market_order_passes_in_its_window_and_never_after_it() {
    for clock_offset_us in [0, 59_000_000, -4_000_000] {
        let mut world = world();
        let mut venue = venue();
        let spec = OrderSpec::Market { size: MarketSize::Base("0.01".parse().unwrap()) };
        let client_order_id = ClientOrderId::parse("again").unwrap();
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let intent = Intent::Place(PlaceOrder { client_order_id, symbol, side: Side::Buy, spec, reduce_only: false });
        let ask = SignAsk { intent, credential: None, clock_offset_us, recv_window_ms: RECV_WINDOW_MS_MAX, audit_seq: 0 };
        let Some(Reply::Signed { request, expires, .. }) = world.ask_impatiently(Request::Sign(ask), MS) else { panic!() };
        let mut passed: Vec<i64> = Vec::new();
        for ms in (MS..MS + 90_000).step_by(250) {
            let (path, query, body) = (&request.path, &request.query, request.body.as_bytes());
            let (method, api_key) = (request.method.as_str(), Some(request.api_key.as_str()));
            let answer = venue.rest(Timestamp::from_ms(ms), VenueRequest { method, path, query, body, api_key, address: LOOPBACK });
            // An empty book fills nothing; what counts is whether the venue takes it.
            let told = String::from_utf8_lossy(&answer.body).into_owned();
            if !told.contains("-1021") {
                passed.push(ms);
            }
        }
        assert!(passed.iter().all(|ms| *ms <= expires.ms()), "{clock_offset_us}: {passed:?}, until {expires:?}");
        let lasted = passed.last().zip(passed.first()).map_or(0, |(last, first)| last - first);
        assert!(!passed.is_empty() && lasted <= i64::from(RECV_WINDOW_MS_MAX) + 1_000, "{clock_offset_us}: for {lasted} ms");
    }
}

/// Whatever it does with amendments and logins, and in which order and how often it sends what was signed: no order at the venue is larger
/// than it was signed, none has another name, and nothing that it was told lets orders pass without a signature.
#[test]
fn amendments_and_logins_raise_nothing() {
    let mut world = world();
    let mut venue = venue();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (mut kept, mut sizes, mut sum): (Vec<SignedRequest>, HashMap<String, Decimal>, Decimal) = Default::default();
    let (mut amendments, mut logins, mut answers) = (0, 0, HashMap::<(String, u16), u32>::new());
    for number in 0..4_000 {
        let ms = MS + i64::from(number) * 10;
        let intent = if rng.random_range(0..3) == 0 {
            let (price, quantity) = (rng.random_range(1_000..200_000_u32).to_string(), ["0.1", "0.05", "0.02"][rng.random_range(0..3)]);
            let spec = OrderSpec::PostOnly { price: Price::parse(&price).unwrap(), quantity: quantity.parse().unwrap() };
            let client_order_id = ClientOrderId::parse(&format!("h{number}")).unwrap();
            Intent::Place(PlaceOrder {
                client_order_id,
                symbol: Symbol::parse("BTCUSDT").unwrap(),
                side: Side::Buy,
                spec,
                reduce_only: false,
            })
        } else {
            forged_beside(&mut rng, number)
        };
        let ask =
            SignAsk { intent: intent.clone(), credential: None, clock_offset_us: 0, recv_window_ms: RECV_WINDOW_MS_MAX, audit_seq: 0 };
        if let Some(Reply::Signed { request, .. }) = world.ask_impatiently(Request::Sign(ask), ms) {
            let fields = fields_of(&request);
            match &intent {
                Intent::Place(order) => {
                    sum += worth(&request, &policy().instruments);
                    sizes.insert(order.client_order_id.as_str().to_owned(), order.spec.quantity().unwrap().value());
                }
                Intent::Amend { order, .. } => {
                    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                    assert_eq!(
                        names,
                        ["timestamp", "symbol", "origClientOrderId", "newClientOrderId", "newQty", "recvWindow", "signature"]
                    );
                    assert!(fields[2..4].iter().all(|(_, name)| *name == order.as_str()), "{fields:?}");
                    assert_eq!((request.method.as_str(), request.path.as_str()), ("PUT", "/api/v3/order/amend/keepPriority"));
                    amendments += 1;
                }
                Intent::StreamLogin => logins += 1,
                Intent::QueryKeyRights => {}
                other => panic!("{other:?} was signed"),
            }
            kept.push(request);
            if kept.len().is_multiple_of(100) {
                world.sign_head(ms);
            }
        }
        // It sends what it has: at once, later, twice, in any order.
        for request in (0..3).filter_map(|_| kept.get(rng.random_range(0..kept.len().max(1)))) {
            if request.method == Method::Socket {
                continue;
            }
            let (path, query, body) = (&request.path, &request.query, request.body.as_bytes());
            let (method, api_key) = (request.method.as_str(), Some(request.api_key.as_str()));
            let answer = venue.rest(Timestamp::from_ms(ms), VenueRequest { method, path, query, body, api_key, address: LOOPBACK });
            *answers.entry((method.to_owned(), answer.status)).or_default() += 1;
        }
    }
    let count = |method: &str, status: u16| answers.get(&(method.to_owned(), status)).copied().unwrap_or_default();
    assert!(amendments > 1_000 && logins > 100 && count("PUT", 200) > 20 && count("PUT", 400) > 100, "{amendments} {logins} {answers:?}");
    assert!(sum <= Decimal::from(DAY_MAX), "{sum}");
    let params = format!("symbol=BTCUSDT&limit=1000&timestamp={}", MS + 40_000);
    let query = format!("{params}&signature={}", SigningKey::Hmac(SECRET).sign(params.as_bytes()).unwrap());
    let ask = VenueRequest {
        method: "GET",
        path: "/api/v3/allOrders",
        query: &query,
        body: b"",
        api_key: Some("hostilehostilehostile"),
        address: LOOPBACK,
    };
    let told: serde_json::Value = serde_json::from_slice(&venue.rest(Timestamp::from_ms(MS + 40_000), ask).body).unwrap();
    let mut smaller = 0;
    for order in told.as_array().unwrap() {
        let size = sizes.get(order["clientOrderId"].as_str().unwrap()).expect("its name was signed");
        let has = decimal(order["origQty"].as_str().unwrap());
        assert!(has <= *size, "{order} was signed for {size}");
        smaller += u32::from(has < *size);
    }
    assert!(smaller > 10, "{smaller} of {told}");
    // Nothing that it was told in all is a logon.
    assert!(!world.told_desk.windows(13).any(|window| window.eq_ignore_ascii_case(b"session.logon")));
}

/// The one mark by which a desk that was taken over goes past the code for large orders: on a sale of a base quantity, and on nothing else.
#[test]
fn without_a_code_nothing_large_is_signed_but_a_sale_that_is_marked_as_reduction() {
    let mut world = world();
    let confirm_above = Notional::parse("5000").unwrap();
    world.set_policy(Policy { confirm_above: Some(confirm_above), ..policy() }, MS);
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let (mut small, mut reductions) = (0, 0);
    for number in 0..6_000 {
        let ask = forged(&mut rng, number);
        let Intent::Place(order) = ask.intent.clone() else { panic!("an order") };
        let Reply::Signed { request, .. } = world.ask(Request::Sign(ask), b"", MS + 60_000 + i64::from(number) * 500) else { continue };
        if worth(&request, &policy().instruments) <= confirm_above.value() {
            small += 1;
            continue;
        }
        assert!(order.reduce_only && order.side == Side::Sell && order.spec.quantity().is_some(), "{order:?}");
        reductions += 1;
    }
    assert!(small > 10 && reductions > 10, "{small} small ones, {reductions} reductions");
}
