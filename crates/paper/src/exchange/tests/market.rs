//! Public answers: what is listed, books, statistics, candles; and what loading clients ask of the wallet.

use super::orders::traded;
use super::*;
use crate::engine::MarketStatus;

#[test]
fn public_refusals() {
    let rows = [
        ("/api/v3/ticker", "", -1102),
        ("/api/v3/ticker", "symbol=BTCUSDT&windowSize=60m", -1130),
        ("/api/v3/ticker", "symbol=BTCUSDT&type=HUGE", -1139),
        ("/api/v3/ticker/tradingDay", "symbols=[]", -1100),
        ("/api/v3/ticker/tradingDay", "symbols=[\"BTCUSDT\",\"BTCUSDT\"]", -1151),
        ("/api/v3/ticker/tradingDay", "symbol=BTCUSDT&timeZone=15", -1130),
        ("/api/v3/ticker/price", "symbol=BTCUSDT&symbols=[\"BTCUSDT\"]", -1128),
        ("/api/v3/ticker/price", "symbol=BTCUSDT&symbolStatus=HALT", -1220),
        ("/api/v3/ticker/price", "symbolStatus=OPEN", -1122),
        ("/api/v3/depth", "symbol=BTCUSDT&symbolStatus=BREAK", -1220),
        ("/api/v3/klines", "symbol=BTCUSDT&interval=1H", -1120),
        ("/api/v3/klines", "symbol=BTCUSDT&interval=1h&timeZone=-12:01", -1130),
        ("/api/v3/aggTrades", "symbol=BTCUSDT&fromId=1&startTime=1", -1128),
        ("/api/v3/exchangeInfo", "symbol=BTCUSDT&permissions=SPOT", -1128),
        ("/api/v3/exchangeInfo", "symbol=BTCUSDT&symbolStatus=TRADING", -1128),
        ("/api/v3/exchangeInfo", "permissions=[spot]", -1100),
        ("/api/v3/exchangeInfo", "symbols=[\"NOPE\"]", -1121),
        ("/api/v3/executionRules", "symbol=NOPE", -1121),
        ("/api/v3/time", "foo=1", -1104),
    ];
    for (path, query, code) in rows {
        let (status, body) = get(&mut traded(), path, query);
        assert_eq!((status, body["code"].as_i64()), (400, Some(code)), "{path}?{query}: {body}");
    }
    for path in ["/api/v1/ping", "/api/v3/userDataStream"] {
        let (status, body) = get(&mut traded(), path, "");
        assert_eq!((status, body["code"].as_i64()), (410, Some(-1016)), "{path}");
    }
}

#[test]
fn every_announced_rule_is_one_of_the_documented() {
    let mut exchange = empty();
    let (_, info) = get(&mut exchange, "/api/v3/exchangeInfo", "symbol=BTCUSDT");
    let symbol = &info["symbols"][0];
    let kinds: Vec<&str> = symbol["filters"].as_array().unwrap().iter().map(|filter| filter["filterType"].as_str().unwrap()).collect();
    let expected = [
        "PRICE_FILTER",
        "LOT_SIZE",
        "ICEBERG_PARTS",
        "MARKET_LOT_SIZE",
        "TRAILING_DELTA",
        "PERCENT_PRICE_BY_SIDE",
        "NOTIONAL",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ORDER_LISTS",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(symbol["orderTypes"].as_array().unwrap().len(), 7);
    assert_eq!(symbol["permissionSets"], serde_json::json!([["SPOT"]]));
    let (_, own) = send(&mut exchange, NOW, "read", "GET", "/api/v3/myFilters", "symbol=BTCUSDT");
    assert_eq!((&own["symbolFilters"], &own["exchangeFilters"]), (&symbol["filters"], &info["exchangeFilters"]));
    let listed = |exchange: &mut Exchange, query: &str| get(exchange, "/api/v3/exchangeInfo", query).1["symbols"].as_array().unwrap().len();
    assert_eq!(listed(&mut exchange, ""), 5);
    assert_eq!(listed(&mut exchange, "permissions=[\"SPOT\",\"MARGIN\"]"), 5);
    assert_eq!(listed(&mut exchange, "permissions=LEVERAGED"), 0);
    assert_eq!(listed(&mut exchange, "symbolStatus=HALT"), 0);
    assert_eq!(listed(&mut exchange, "symbols=[\"BTCUSDT\",\"ETHBTC\"]&showPermissionSets=false"), 2);
}

#[test]
fn statistics_span_what_was_asked() {
    let mut exchange = traded();
    exchange.seed_trade(NOW, &btcusdt(), Side::Sell, level("99", "0.3")).unwrap();
    let (_, hour) = get(&mut exchange, "/api/v3/ticker", "symbol=BTCUSDT&windowSize=1h");
    assert_eq!(
        (hour["openPrice"].as_str(), hour["lastPrice"].as_str(), hour["volume"].as_str(), hour["priceChange"].as_str()),
        (Some("101.00000000"), Some("99.00000000"), Some("0.40000000"), Some("-2.00000000"))
    );
    assert_eq!((hour["firstId"].as_i64(), hour["lastId"].as_i64(), hour["count"].as_i64()), (Some(1), Some(2), Some(2)));
    assert_eq!(hour["openTime"].as_i64().unwrap() % 60_000, 0);
    let (_, day) = get(&mut exchange, "/api/v3/ticker/tradingDay", "symbols=[\"BTCUSDT\",\"ETHUSDT\"]&type=MINI&timeZone=8");
    assert_eq!((day[0]["openTime"].as_i64().unwrap() + 8 * 3_600_000) % 86_400_000, 0);
    assert_eq!((day[1]["count"].as_i64(), day[1]["firstId"].as_i64()), (Some(0), Some(-1)), "nothing traded there");
    assert!(day[0].get("weightedAvgPrice").is_none());
    let (_, average) = get(&mut exchange, "/api/v3/avgPrice", "symbol=BTCUSDT");
    assert_eq!((average["price"].as_str(), average["closeTime"].as_i64()), (Some("99.50000000"), Some(NOW.ms())));
    // Filters use the same average: five times of it is the most.
    let buy = |price: &str| format!("side=BUY&type=LIMIT&timeInForce=FOK&quantity=0.1&price={price}");
    assert_eq!(order(&mut exchange, &buy("497.51")).1["msg"], "Filter failure: PERCENT_PRICE_BY_SIDE");
    assert_eq!(order(&mut exchange, &buy("497.5")).0, 200);
}

#[test]
fn trades_are_told_from_a_number_on() {
    let mut exchange = traded();
    for _ in 0..3 {
        exchange.seed_trade(NOW, &btcusdt(), Side::Buy, level("101", "0.1")).unwrap();
    }
    let ids = |exchange: &mut Exchange, query: &str| -> Vec<i64> {
        let (_, rows) = get(exchange, "/api/v3/historicalTrades", &format!("symbol=BTCUSDT{query}"));
        rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&mut exchange, "&limit=2"), [3, 4]);
    assert_eq!(ids(&mut exchange, "&fromId=2&limit=2"), [2, 3]);
    assert_eq!(ids(&mut exchange, "&fromId=9"), Vec::<i64>::new());
}

#[test]
fn seconds_and_zones_have_candles() {
    let mut exchange = venue(Market::Simulated, Limits::default());
    exchange.advance(NOW.plus_ms(10_000));
    let (_, seconds) = get(&mut exchange, "/api/v3/klines", "symbol=BTCUSDT&interval=1s&limit=5");
    let opens: Vec<i64> = seconds.as_array().unwrap().iter().map(|row| row[0].as_i64().unwrap()).collect();
    assert!(opens.len() == 5 && opens.windows(2).all(|pair| pair[1] - pair[0] == 1_000), "{opens:?}");
    let (_, days) = get(&mut exchange, "/api/v3/uiKlines", "symbol=BTCUSDT&interval=1d&timeZone=5:45");
    let day = days.as_array().unwrap().last().unwrap();
    assert_eq!((day[0].as_i64().unwrap() + 345 * 60_000) % 86_400_000, 0);
    assert_eq!(day[6].as_i64().unwrap() - day[0].as_i64().unwrap(), 86_399_999);
    for interval in ["3d", "1w", "1M"] {
        let (_, rows) = get(&mut exchange, "/api/v3/klines", &format!("symbol=BTCUSDT&interval={interval}"));
        assert!(!rows.as_array().unwrap().is_empty(), "{interval}");
    }
}

#[test]
fn loading_clients_find_what_they_ask() {
    let mut exchange = empty();
    for path in ["/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"] {
        assert_eq!(get(&mut exchange, path, "").1["symbols"], serde_json::json!([]), "{path}");
    }
    assert_eq!(get(&mut exchange, "/eapi/v1/exchangeInfo", "").1["optionSymbols"], serde_json::json!([]));
    assert_eq!(get(&mut exchange, "/sapi/v1/system/status", "").1, serde_json::json!({"status": 0, "msg": "normal"}));
    let (_, fees) = send(&mut exchange, NOW, "read", "GET", "/sapi/v1/asset/tradeFee", "symbol=BTCUSDT");
    assert_eq!(fees, serde_json::json!([{"symbol": "BTCUSDT", "makerCommission": "0.001", "takerCommission": "0.001"}]));
    let (_, all) = send(&mut exchange, NOW, "read", "GET", "/sapi/v1/asset/tradeFee", "");
    assert_eq!(all.as_array().unwrap().len(), 5);
    assert_eq!(send(&mut exchange, NOW, "read", "GET", "/sapi/v1/asset/tradeFee", "symbol=NOPE").1["code"], -1121);
    let (_, account) = send(&mut exchange, NOW, "read", "GET", "/api/v3/account", "");
    let (_, another) = send(&mut exchange, NOW, "other", "GET", "/api/v3/account", "");
    assert_ne!(account["uid"], another["uid"]);
    let (_, restrictions) = send(&mut exchange, NOW, "read", "GET", "/sapi/v1/account/apiRestrictions", "");
    assert_eq!((restrictions["ipRestrict"].as_bool(), restrictions["createTime"].as_i64()), (Some(false), Some(NOW.ms())));
}

#[test]
fn the_market_goes_on_when_the_clock_is_set_forward_and_back() {
    let mut exchange = venue(Market::Simulated, Limits::default());
    let mut at = NOW;
    for jump_ms in [3_000, -7_000, 200_000, -400_000, 200_000] {
        at = at.plus_ms(jump_ms);
        for _ in 0..50 {
            at = at.plus_ms(100);
            let told = exchange.advance(at);
            assert!(told.iter().any(|event| matches!(event, MarketEvent::Depth { .. })), "after {jump_ms}");
        }
        for words in ["symbol=BTCUSDT&interval=1m&limit=20", "symbol=BTCUSDT&interval=1s&limit=20"] {
            let (status, rows) = get(&mut exchange, "/api/v3/klines", words);
            let times: Vec<i64> = rows.as_array().unwrap().iter().map(|row| row[0].as_i64().unwrap()).collect();
            assert!(status == 200 && times.is_sorted() && !times.is_empty(), "{times:?}");
        }
    }
}

#[test]
fn running_candles_are_told_every_two_seconds_also_when_a_trade_comes_first_in_each() {
    let mut exchange = traded();
    let mut told = 0;
    let begin = NOW.plus_ms(-NOW.ms().rem_euclid(60_000) + 60_000);
    exchange.advance(begin);
    for second in 1..=20 {
        let at = begin.plus_ms(second * 1_000);
        exchange.seed_trade(at, &btcusdt(), Side::Buy, level("101", "0.1")).unwrap();
        let events = exchange.advance(at.plus_ms(50));
        let is_running = |event: &&MarketEvent| matches!(event, MarketEvent::Candle { interval: "1m", zone: "", is_closed: false, .. });
        told += events.iter().filter(is_running).count();
    }
    assert!((9..=11).contains(&told), "{told} in 20 s");
}

/// Its maker could put nothing in the place of what it takes back.
#[test]
fn a_simulated_book_stands_while_its_market_does_not_trade() {
    let mut exchange = venue(Market::Simulated, Limits::default());
    let mut tick = 0;
    let mut book_after_a_second = |exchange: &mut Exchange| {
        for _ in 0..10 {
            tick += 1;
            exchange.advance(NOW.plus_ms(tick * 100));
        }
        let book = get(exchange, "/api/v3/depth", "symbol=BTCUSDT&limit=5000").1;
        [book["bids"].clone(), book["asks"].clone()]
    };
    book_after_a_second(&mut exchange);
    for status in [MarketStatus::Halt, MarketStatus::Break] {
        exchange.set_status(&btcusdt(), status).unwrap();
        let stands = book_after_a_second(&mut exchange);
        assert!(stands.iter().all(|side| side.as_array().unwrap().len() >= 20), "{status:?}");
        assert_eq!(book_after_a_second(&mut exchange), stands, "{status:?}");
        exchange.set_status(&btcusdt(), MarketStatus::Trading).unwrap();
        assert_ne!(book_after_a_second(&mut exchange), stands, "it moves again after {status:?}");
    }
}
