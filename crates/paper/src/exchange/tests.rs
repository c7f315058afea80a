//! The venue's answers, as a client reads them.

use std::time::Instant;

use serde_json::Value;
use strongroom_model::{Book, ClientOrderId, Intent, Level, OrderRef, OrderSpec, PlaceOrder, Side, Symbol, TimeInForce, Timestamp};
use strongroom_venues::binance::encode::{RECV_WINDOW_MS, encode};
use strongroom_venues::binance::{SigningKey, VerifyingKey, decode};

use super::*;

mod lists;
mod market;
mod orders;
mod replacing;

const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_050);
const SECRET: &[u8] = b"tests-only-secret";

fn key(name: &str, rights: Rights) -> ApiKey {
    ApiKey { created: NOW, ..ApiKey::new(name, VerifyingKey::hmac(SECRET), rights) }
}

fn venue(market: Market, limits: Limits) -> Exchange {
    let accounts = vec![
        Account::funded(vec![key("trade", Rights::Trade), key("read", Rights::Read)]),
        Account::funded(vec![key("other", Rights::Trade)]),
    ];
    Exchange::new(Config { accounts, limits, ..Config::standard(7, market) }, NOW)
}

fn empty() -> Exchange {
    venue(Market::Empty, Limits::default())
}

fn send(exchange: &mut Exchange, now: Timestamp, api_key: &str, method: &str, path: &str, params: &str) -> (u16, Value) {
    let params = format!("{params}&timestamp={}", now.ms());
    let params = params.trim_start_matches('&');
    let params = format!("{params}&signature={}", SigningKey::Hmac(SECRET).sign(params.as_bytes()).unwrap());
    let answer = exchange.rest(now, Request { method, path, query: &params, body: b"", api_key: Some(api_key), address: LOOPBACK });
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn order(exchange: &mut Exchange, words: &str) -> (u16, Value) {
    send(exchange, NOW, "trade", "POST", "/api/v3/order", &format!("symbol=BTCUSDT&{words}"))
}

fn get(exchange: &mut Exchange, path: &str, query: &str) -> (u16, Value) {
    let answer = exchange.rest(NOW, Request { method: "GET", path, query, body: b"", api_key: None, address: LOOPBACK });
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn level(price: &str, quantity: &str) -> Level {
    Level { price: price.parse().unwrap(), quantity: quantity.parse().unwrap() }
}

fn btcusdt() -> Symbol {
    Symbol::parse("BTCUSDT").unwrap()
}

fn seeded() -> Exchange {
    let mut exchange = empty();
    exchange.seed_book(NOW, &btcusdt(), &[level("99", "1"), level("98", "2")], &[level("101", "1"), level("102", "2")]).unwrap();
    exchange
}

#[test]
fn refusals_have_the_venues_codes_and_words() {
    let gtc = "side=BUY&type=LIMIT&timeInForce=GTC";
    let rows = [
        (format!("{gtc}&price=100&quantity=1001"), -2010, "Account has insufficient balance for requested action."),
        (format!("{gtc}&price=100.001&quantity=1"), -1013, "Filter failure: PRICE_FILTER"),
        (format!("{gtc}&price=100&quantity=1.0000001"), -1013, "Filter failure: LOT_SIZE"),
        (format!("{gtc}&price=100&quantity=0.01"), -1013, "Filter failure: NOTIONAL"),
        (format!("{gtc}&price=100.000000001&quantity=1"), -1111, "Parameter 'price' has too much precision."),
        (format!("{gtc}&quantity=1"), -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        (format!("{gtc}&price=100&quantity=1&foo=1"), -1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."),
        (format!("{gtc}&price=100&quantity="), -1105, "Parameter 'quantity' was empty."),
        (
            format!("{gtc}&price=100&quantity=1e3"),
            -1100,
            r"Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.",
        ),
        (format!("{gtc}&price=100&price=100&quantity=1"), -1101, "Duplicate values for a parameter detected."),
        ("side=HOLD&type=MARKET&quantity=1".into(), -1117, "Invalid side."),
        ("side=BUY&type=ICE&quantity=1".into(), -1116, "Invalid orderType."),
        ("side=BUY&type=LIMIT&timeInForce=DAY&price=1&quantity=1".into(), -1115, "Invalid timeInForce."),
        ("side=BUY&type=MARKET&price=1&quantity=1".into(), -1106, "Parameter 'price' sent when not required."),
        ("side=BUY&type=MARKET".into(), -1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"),
        ("side=BUY&type=LIMIT_MAKER&price=101&quantity=1".into(), -2010, "Order would immediately match and take."),
        (
            format!("{gtc}&price=99&quantity=1&recvWindow=60001"),
            -1102,
            "'recvWindow' contains unexpected value. Cannot be greater than 60000.",
        ),
    ];
    for (words, code, msg) in rows {
        let (status, body) = order(&mut seeded(), &words);
        assert_eq!((status, body["code"].as_i64(), body["msg"].as_str()), (400, Some(code), Some(msg)), "{words}");
    }
    let mut exchange = seeded();
    let wrong = |answer: (u16, Value)| (answer.0, answer.1["code"].as_i64().unwrap());
    assert_eq!(
        wrong(send(&mut exchange, NOW, "trade", "POST", "/api/v3/order", "symbol=NOPE&side=BUY&type=MARKET&quantity=1")),
        (400, -1121)
    );
    assert_eq!(wrong(send(&mut exchange, NOW, "trade", "GET", "/api/v3/order", "symbol=BTCUSDT&orderId=77")), (400, -2013));
    assert_eq!(wrong(send(&mut exchange, NOW, "trade", "DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=77")), (400, -2011));
    assert_eq!(wrong(send(&mut exchange, NOW, "trade", "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT")), (400, -2011));
    assert_eq!(wrong(get(&mut exchange, "/api/v3/klines", "symbol=BTCUSDT&interval=7m")), (400, -1120));
    assert_eq!(wrong(get(&mut exchange, "/api/v3/nothing", "")), (404, -1020));
}

#[test]
fn who_may_do_what() {
    let mut exchange = seeded();
    let buy = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1";
    let code = |answer: (u16, Value)| (answer.0, answer.1["code"].as_i64());
    assert_eq!(code(send(&mut exchange, NOW, "", "POST", "/api/v3/order", buy)), (401, Some(-2014)));
    assert_eq!(code(send(&mut exchange, NOW, "no key!", "POST", "/api/v3/order", buy)), (401, Some(-2014)));
    assert_eq!(code(send(&mut exchange, NOW, "unknown", "POST", "/api/v3/order", buy)), (401, Some(-2015)));
    assert_eq!(code(send(&mut exchange, NOW, "read", "POST", "/api/v3/order", buy)), (401, Some(-2015)));
    assert_eq!(code(send(&mut exchange, NOW, "read", "GET", "/api/v3/account", "")), (200, None));
    assert_eq!(code(send(&mut exchange, NOW, "trade", "POST", "/api/v3/order", buy)), (200, None));
    // Nobody sees or cancels an order of somebody else.
    assert_eq!(code(send(&mut exchange, NOW, "other", "GET", "/api/v3/order", "symbol=BTCUSDT&orderId=5")), (400, Some(-2013)));
    assert_eq!(code(send(&mut exchange, NOW, "other", "DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=1")), (400, Some(-2011)));
    let rights = |exchange: &mut Exchange, key: &str| send(exchange, NOW, key, "GET", "/sapi/v1/account/apiRestrictions", "").1;
    assert_eq!(rights(&mut exchange, "read")["enableSpotAndMarginTrading"], false);
    assert_eq!(rights(&mut exchange, "trade")["enableSpotAndMarginTrading"], true);
    assert_eq!(rights(&mut exchange, "trade")["enableWithdrawals"], false);
}

#[test]
fn time_and_signature_from_both_sides_of_each_boundary() {
    let sign = |params: &str| format!("{params}&signature={}", SigningKey::Hmac(SECRET).sign(params.as_bytes()).unwrap());
    let asked = |method: &str, path: &str, query: &str, body: &str| {
        let body = body.as_bytes();
        let answer = empty().rest(NOW, Request { method, path, query, body, api_key: Some("trade"), address: LOOPBACK });
        serde_json::from_slice::<Value>(&answer.body).unwrap()["code"].as_i64().unwrap_or(0)
    };
    let dated = |offset_ms: i64, window: &str| sign(&format!("timestamp={}{window}", NOW.ms() + offset_ms));
    let rows = [
        (dated(999, ""), 0),
        (dated(1_000, ""), -1021),
        (dated(-5_000, ""), 0),
        (dated(-5_001, ""), -1021),
        (dated(-60_000, "&recvWindow=60000"), 0),
        (dated(-60_001, "&recvWindow=60000"), -1021),
        (sign(&format!("timestamp={}", NOW.us())), 0),
        (sign("recvWindow=5000"), -1102),
        (format!("timestamp={}", NOW.ms()), -1102),
        (format!("timestamp={}&signature=00", NOW.ms()), -1022),
        (sign(&format!("timestamp={}", NOW.ms())).replace("timestamp=1", "timestamp=%31"), -1022),
    ];
    for (query, expected) in rows {
        assert_eq!(asked("GET", "/api/v3/account", &query, ""), expected, "{query}");
    }
    // Query and body are signed together, without a separator.
    let (query, body) = (format!("timestamp={}&symbol=BTCUSDT&side=BUY", NOW.ms()), "type=MARKET&quantity=0.5");
    let signature = SigningKey::Hmac(SECRET).sign(format!("{query}{body}").as_bytes()).unwrap();
    let code = |method: &str, body: &str| asked(method, "/api/v3/order/test", &query, body);
    assert_eq!(code("POST", &format!("{body}&signature={signature}")), 0);
    assert_eq!(code("POST", &format!("&{body}&signature={signature}")), -1022);
    // GET has no body (`rest-api.md`, "General Information").
    let body = format!("signature={}", SigningKey::Hmac(SECRET).sign(format!("timestamp={}", NOW.ms()).as_bytes()).unwrap());
    assert_eq!(asked("GET", "/api/v3/account", &format!("timestamp={}", NOW.ms()), &body), -1102);
}

#[test]
fn a_name_is_taken_while_its_order_is_open() {
    let mut exchange = seeded();
    let place = "side=BUY&type=LIMIT&timeInForce=GTC&price=97&quantity=1&newClientOrderId=mine";
    assert_eq!(order(&mut exchange, place).0, 200);
    let (status, body) = order(&mut exchange, place);
    assert_eq!((status, body["msg"].as_str()), (400, Some("Duplicate order sent.")));
    let (_, gone) =
        send(&mut exchange, NOW, "trade", "DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=mine&newClientOrderId=c1");
    assert_eq!(
        (gone["status"].as_str(), gone["origClientOrderId"].as_str(), gone["clientOrderId"].as_str()),
        (Some("CANCELED"), Some("mine"), Some("c1"))
    );
    assert_eq!(order(&mut exchange, place).0, 200);
    let (_, found) = send(&mut exchange, NOW, "trade", "GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=mine");
    assert_eq!(found["status"], "NEW", "the latest order of the name is told");
}

#[test]
fn trades_balances_and_fees() {
    let mut exchange = seeded();
    let (_, body) = order(&mut exchange, "side=BUY&type=MARKET&quoteOrderQty=152");
    assert_eq!(
        (body["status"].as_str(), body["executedQty"].as_str(), body["cummulativeQuoteQty"].as_str()),
        (Some("FILLED"), Some("1.50000000"), Some("152.00000000"))
    );
    assert_eq!(body["fills"].as_array().unwrap().len(), 2);
    let (_, account) = send(&mut exchange, NOW, "read", "GET", "/api/v3/account", "");
    let held = |asset: &str| account["balances"].as_array().unwrap().iter().find(|row| row["asset"] == asset).unwrap()["free"].clone();
    assert_eq!((held("USDT"), held("BTC")), (Value::from("99848.00000000"), Value::from("2.49850000")));
    let (_, trades) = send(&mut exchange, NOW, "read", "GET", "/api/v3/myTrades", "symbol=BTCUSDT");
    assert_eq!(
        (trades[1]["price"].as_str(), trades[1]["commission"].as_str(), trades[1]["isMaker"].as_bool()),
        (Some("102.00000000"), Some("0.00050000"), Some(false))
    );
    for (asset, deposited, held) in exchange.audit() {
        assert_eq!(deposited, held, "{asset}");
    }
}

#[test]
fn limits_are_counted_told_and_kept() {
    let limits = Limits { weight_per_minute: 30, orders_per_10s: 2, orders_per_day: 3, raw_requests_per_5m: 1_000 };
    let mut exchange = venue(Market::Empty, limits);
    let rest = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=100&quantity=0.1";
    let at = |ms: i64| Timestamp::from_ms(1_790_000_000_000 - 1_790_000_000_000 % 60_000 + ms);
    let place = |exchange: &mut Exchange, ms| send(exchange, at(ms), "trade", "POST", "/api/v3/order", rest);
    assert_eq!((place(&mut exchange, 0).0, place(&mut exchange, 1).0), (200, 200));
    let (status, body) = place(&mut exchange, 2);
    assert_eq!((status, body["msg"].as_str()), (429, Some("Too many new orders; current limit is 2 orders per 10 SECOND.")));
    assert_eq!(place(&mut exchange, 10_000).0, 200);
    assert_eq!(place(&mut exchange, 20_000).1["code"], -1015);
    // Two refused orders weighed 1 each, successful ones nothing.
    let account = |exchange: &mut Exchange, ms: i64| {
        let params = format!("timestamp={}", at(ms).ms());
        let query = format!("{params}&signature={}", SigningKey::Hmac(SECRET).sign(params.as_bytes()).unwrap());
        exchange.rest(
            at(ms),
            Request { method: "GET", path: "/api/v3/account", query: &query, body: b"", api_key: Some("read"), address: LOOPBACK },
        )
    };
    let header = |answer: &Response, name: &str| answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let first = account(&mut exchange, 30_000);
    assert_eq!((first.status, header(&first, "x-mbx-used-weight-1m").as_deref()), (200, Some("22")));
    let second = account(&mut exchange, 45_500);
    assert_eq!((second.status, header(&second, "retry-after").as_deref()), (429, Some("15")));
    assert!(String::from_utf8(second.body).unwrap().contains("current limit is 30 request weight per 1 MINUTE"));
    assert_eq!(account(&mut exchange, 60_000).status, 200);
}

#[test]
fn an_order_that_trades_no_longer_counts() {
    let mut exchange = seeded();
    let count = |exchange: &mut Exchange| send(exchange, NOW, "trade", "GET", "/api/v3/rateLimit/order", "").1[0]["count"].clone();
    order(&mut exchange, "side=BUY&type=LIMIT&timeInForce=GTC&price=100&quantity=1");
    assert_eq!(count(&mut exchange), 1);
    order(&mut exchange, "side=BUY&type=MARKET&quantity=1");
    assert_eq!(count(&mut exchange), 1);
    exchange.seed_trade(NOW, &btcusdt(), Side::Sell, level("100", "0.5")).unwrap();
    assert_eq!(count(&mut exchange), 0);
}

#[test]
fn a_simulated_market_is_alive_and_repeatable() {
    let tell = || {
        let mut exchange = venue(Market::Simulated, Limits::default());
        let events: Vec<MarketEvent> = (1..=100).flat_map(|tick| exchange.advance(NOW.plus_ms(tick * 100))).collect();
        (exchange, events)
    };
    let (mut exchange, events) = tell();
    assert_eq!(events, tell().1, "the same seed and time give the same market");
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let of = |wanted: &Symbol| wanted.as_str() == symbol;
        let trades = events.iter().filter(|event| matches!(event, MarketEvent::Trade { symbol, .. } if of(symbol))).count();
        let depth =
            events.iter().filter(|event| matches!(event, MarketEvent::Depth { symbol, speed: Speed::Fast, .. } if of(symbol))).count();
        assert!(trades >= 10 && depth >= 50, "{symbol}: {trades} trades and {depth} depth updates in ten seconds");
        let (_, candles) = get(&mut exchange, "/api/v3/klines", &format!("symbol={symbol}&interval=1m&limit=1000"));
        assert!(candles.as_array().unwrap().len() >= 200);
        let book =
            decode::depth(&serde_json::to_vec(&get(&mut exchange, "/api/v3/depth", &format!("symbol={symbol}&limit=50")).1).unwrap())
                .unwrap();
        assert!(book.bids().count() >= 20 && book.asks().count() >= 20);
        assert!(book.bids().next().unwrap().price < book.asks().next().unwrap().price);
    }
    for (asset, deposited, held) in exchange.audit() {
        assert_eq!(deposited, held, "{asset}");
    }
}

#[test]
fn money_is_conserved_while_a_client_trades_in_a_moving_market() {
    let mut exchange = venue(Market::Simulated, Limits { orders_per_10s: 1_000, ..Limits::default() });
    let mut filled = 0;
    for tick in 1..=300 {
        let now = NOW.plus_ms(tick * 100);
        exchange.advance(now);
        let side = if tick % 3 == 0 { "SELL" } else { "BUY" };
        let best = exchange.best(&exchange.venues[&btcusdt()]);
        let price = best[usize::from(tick % 2 == 0)].price;
        let words = format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity=0.001");
        let (_, body) = send(&mut exchange, now, "trade", "POST", "/api/v3/order", &words);
        filled += u32::from(body["status"] == "FILLED");
        if tick % 50 == 0 {
            send(&mut exchange, now, "trade", "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT");
        }
        for (asset, deposited, held) in exchange.audit() {
            assert_eq!(deposited, held, "{asset}");
        }
    }
    assert!(filled > 50, "only {filled} orders filled at once");
    let (_, trades) = send(&mut exchange, NOW.plus_ms(30_000), "trade", "GET", "/api/v3/myTrades", "symbol=BTCUSDT");
    assert!(trades.as_array().unwrap().iter().any(|trade| trade["isMaker"] == true), "the market trades with resting orders of clients");
}

#[test]
fn candles_have_no_holes_and_longer_ones_are_made_of_them() {
    let mut exchange = venue(Market::Simulated, Limits::default());
    exchange.advance(NOW.plus_ms(10_000));
    let mut rows = |interval: &str| {
        decode::candles(
            &serde_json::to_vec(&get(&mut exchange, "/api/v3/klines", &format!("symbol=BTCUSDT&interval={interval}&limit=1000")).1)
                .unwrap(),
        )
        .unwrap()
    };
    let (minutes, fives, hours) = (rows("1m"), rows("5m"), rows("1h"));
    for (candles, length_ms) in [(&minutes, 60_000), (&fives, 300_000), (&hours, 3_600_000)] {
        assert!(candles.windows(2).all(|pair| pair[1].open_time.ms_since(pair[0].open_time) == length_ms));
        assert!(candles.iter().all(|candle| candle.low <= candle.open
            && candle.open <= candle.high
            && candle.low <= candle.close
            && candle.close <= candle.high));
    }
    let five = &fives[fives.len() - 2];
    let inside: Vec<_> = minutes.iter().filter(|minute| (0..300_000).contains(&minute.open_time.ms_since(five.open_time))).collect();
    assert_eq!(inside.len(), 5);
    assert_eq!(five.high, inside.iter().map(|minute| minute.high).max().unwrap());
    assert_eq!((five.open, five.close), (inside[0].open, inside[4].close));
}

#[test]
fn a_book_kept_from_depth_updates_equals_the_venues() {
    let mut exchange = venue(Market::Simulated, Limits::default());
    let snapshot = |exchange: &mut Exchange| {
        decode::depth(&serde_json::to_vec(&get(exchange, "/api/v3/depth", "symbol=BTCUSDT&limit=5000").1).unwrap()).unwrap()
    };
    let mut books: [Book; 2] = [snapshot(&mut exchange), snapshot(&mut exchange)];
    for tick in 1..=200 {
        for event in exchange.advance(NOW.plus_ms(tick * 100)) {
            if let MarketEvent::Depth { symbol, speed, update, .. } = event
                && symbol == btcusdt()
            {
                books[usize::from(speed == Speed::Slow)].apply(&update).expect("no gap");
            }
        }
        if tick % 50 == 0 {
            assert_eq!(books[0], snapshot(&mut exchange));
        }
    }
}

#[test]
fn a_recording_drives_its_books() {
    let text = include_str!("../../../../tests/fixtures/binance_feed.jsonl");
    let expected: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/binance_book_expected.json")).unwrap();
    let recording = Recording::parse(text).unwrap();
    let end = NOW.plus_ms(recording.length_ms() - recording.last_snapshot_ms() + 200);
    let mut exchange = venue(Market::Replay(recording), Limits::default());
    exchange.advance(end);
    for (symbol, expected) in expected.as_object().unwrap() {
        let (_, depth) = get(&mut exchange, "/api/v3/depth", &format!("symbol={symbol}&limit=5000"));
        for (side, best, count) in [("bids", "best_bid", "n_bids"), ("asks", "best_ask", "n_asks")] {
            assert_eq!(depth[side][0], expected[best], "{symbol}");
            assert_eq!(depth[side].as_array().unwrap().len() as u64, expected[count].as_u64().unwrap(), "{symbol}");
        }
    }
    // It begins again, and never stops.
    exchange.advance(end.plus_ms(30_000));
    assert!(exchange.advance(end.plus_ms(40_000)).iter().any(|event| matches!(event, MarketEvent::Depth { .. })));
}

#[test]
fn a_snapshot_that_is_older_than_the_updates_before_it_catches_up() {
    let text = [
        r#"{"t":1,"kind":"ws","msg":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":9,"u":10,"b":[["90","5"]],"a":[]}}"#,
        r#"{"t":1.1,"kind":"ws","msg":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":11,"u":12,"b":[["91","2"]],"a":[["101","0"]]}}"#,
        r#"{"t":1.2,"kind":"http","url":"https://x/api/v3/depth?symbol=BTCUSDT&limit=5","msg":{"lastUpdateId":10,"bids":[["90","5"]],"asks":[["101","1"],["102","1"]]}}"#,
        r#"{"t":1.3,"kind":"ws","msg":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":13,"u":13,"b":[["92","1"]],"a":[]}}"#,
        r#"{"t":1.4,"kind":"ws","msg":{"e":"dep"#,
    ];
    let recording = Recording::parse(&text.join("\n")).unwrap();
    let mut exchange = venue(Market::Replay(recording), Limits::default());
    exchange.advance(NOW.plus_ms(300));
    let (_, depth) = get(&mut exchange, "/api/v3/depth", "symbol=BTCUSDT&limit=5");
    let prices = |side: &str| depth[side].as_array().unwrap().iter().map(|level| level[0].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        (prices("bids").join(" "), prices("asks").join(" ")),
        ("92.00000000 91.00000000 90.00000000".to_owned(), "102.00000000".to_owned()),
        "{depth}"
    );
}

#[test]
fn our_own_client_understands_every_answer() {
    let mut exchange = seeded();
    let id = ClientOrderId::parse("ours-1").unwrap();
    let spec = OrderSpec::Limit { price: "101".parse().unwrap(), quantity: "1.5".parse().unwrap(), tif: TimeInForce::Gtc };
    let mut ask = |intent: Intent| {
        let request = encode(&intent, NOW, RECV_WINDOW_MS).unwrap().sign("trade", &SigningKey::Hmac(SECRET)).unwrap();
        let (path, query, body) = (&request.path, &request.query, request.body.as_bytes());
        let answer = exchange
            .rest(NOW, Request { method: request.method.as_str(), path, query, body, api_key: Some(&request.api_key), address: LOOPBACK });
        decode::outcome(answer.status, None, &answer.body).map(<[u8]>::to_vec)
    };
    let placed =
        ask(Intent::Place(PlaceOrder { client_order_id: id.clone(), symbol: btcusdt(), side: Side::Buy, spec, reduce_only: false }))
            .unwrap();
    let report = decode::order(&placed).unwrap();
    assert_eq!((report.filled.to_string(), report.fills.len()), ("1".to_owned(), 1));
    let open = decode::orders(&ask(Intent::QueryOpenOrders { symbol: None }).unwrap()).unwrap();
    assert_eq!(open.len(), 1);
    let trades = decode::trades(&ask(Intent::QueryTrades { symbol: btcusdt(), order: report.venue_order_id }).unwrap()).unwrap();
    assert_eq!(trades, report.fills);
    let amend = |quantity: &str| Intent::Amend { symbol: btcusdt(), order: id.clone(), quantity: quantity.parse().unwrap() };
    let smaller = decode::amended(&ask(amend("1.25")).unwrap()).unwrap();
    let told = (smaller.client_order_id.clone(), smaller.quantity.to_string(), smaller.filled.to_string(), smaller.venue_order_id);
    assert_eq!(told, (Some(id.clone()), "1.25".to_owned(), "1".to_owned(), report.venue_order_id), "its name and number stay");
    for raise in ["1.25", "1.26", "1.5", "100"] {
        assert!(matches!(ask(amend(raise)), Err(decode::VenueError::Refused { code: -2038, .. })), "{raise}");
    }
    let cancelled = ask(Intent::Cancel { symbol: btcusdt(), order: OrderRef::Client(id.clone()) }).unwrap();
    assert_eq!(decode::order(&cancelled).unwrap().client_order_id, Some(id));
    assert!(decode::balances(&ask(Intent::QueryBalances).unwrap()).unwrap().iter().all(|balance| balance.locked.is_zero()));
}

#[test]
fn our_own_client_reads_rules_and_limits() {
    let answer =
        empty().rest(NOW, Request { method: "GET", path: "/api/v3/exchangeInfo", query: "", body: b"", api_key: None, address: LOOPBACK });
    let mut listed: Vec<_> = config::Config::standard(1, Market::Empty).listings.into_iter().map(|listing| listing.instrument).collect();
    listed.sort_by(|one, other| one.symbol.cmp(&other.symbol));
    let mut read = strongroom_venues::binance::symbol::instruments(&answer.body).unwrap();
    assert!(read.iter().all(|instrument| instrument.orders.open_max > 0 && !instrument.orders.market_lot.max.is_zero()), "{read:?}");
    // These the engine has in units of its own.
    read.iter_mut().for_each(|instrument| instrument.orders = Default::default());
    assert_eq!(read, listed);
    assert_eq!(strongroom_venues::binance::limits::rules(&answer.body).unwrap().len(), 4);
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(strongroom_venues::binance::limits::usage(headers)[0].used, 20);
}

/// Prints the speed of signed orders, one in two cancelled; asserts a floor far below what was measured.
#[test]
fn is_fast_enough_for_simulations() {
    const ORDERS: u64 = 10_000;
    let limits = Limits { weight_per_minute: u32::MAX, orders_per_10s: u32::MAX, orders_per_day: u32::MAX, raw_requests_per_5m: u32::MAX };
    let mut exchange = venue(Market::Empty, limits);
    let requests: Vec<(String, &str)> = (0..ORDERS)
        .map(|number| {
            let id = number / 2;
            let (params, method) = if number % 2 == 0 {
                let price = 90 + id % 20;
                let side = if id % 3 == 0 { "SELL" } else { "BUY" };
                (format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity=0.1&newClientOrderId=o{id}"), "POST")
            } else {
                (format!("symbol=BTCUSDT&origClientOrderId=o{id}"), "DELETE")
            };
            let params = format!("{params}&timestamp={}", NOW.ms());
            (format!("{params}&signature={}", SigningKey::Hmac(SECRET).sign(params.as_bytes()).unwrap()), method)
        })
        .collect();
    let begin = Instant::now();
    for (body, method) in &requests {
        exchange.rest(
            NOW,
            Request { method, path: "/api/v3/order", query: "", body: body.as_bytes(), api_key: Some("trade"), address: LOOPBACK },
        );
    }
    let per_second = u128::from(ORDERS) * 1_000_000 / begin.elapsed().as_micros().max(1);
    println!("{per_second} signed requests per second");
    assert!(per_second > 2_000, "{per_second} signed requests per second");
}
