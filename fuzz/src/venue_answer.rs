//! Answers of a venue. Invariant: whatever it says, reading it and reckoning with it ends in a value or an error.

use strongroom_guard::{Policy, Quote, RiskState};
use strongroom_model::{PlaceOrder, Symbol, Timestamp};
use strongroom_venues::binance::{decode, limits, symbol};

const READERS: usize = 10;

/// Recorded and documented answers, each behind the number of its reader.
pub fn seeds() -> Vec<Vec<u8>> {
    let documented = [
        (0, r#"{"code":-2010,"msg":"Account has insufficient balance for requested action."}"#),
        (
            1,
            r#"{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"a-1","transactTime":1507725176595,"price":"0.00000000","origQty":"10.00000000","executedQty":"10.00000000","origQuoteOrderQty":"0.000000","cummulativeQuoteQty":"10.00000000","status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"SELL","workingTime":1507725176595,"selfTradePreventionMode":"NONE","fills":[{"price":"4000.00000000","qty":"1.00000000","commission":"4.00000000","commissionAsset":"USDT","tradeId":56}]}"#,
        ),
        (
            1,
            r#"{"symbol":"LTCBTC","orderId":1,"orderListId":-1,"clientOrderId":"myOrder1","price":"0.1","origQty":"1.0","executedQty":"0.0","cummulativeQuoteQty":"0.0","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY","stopPrice":"0.0","icebergQty":"0.0","time":1499827319559,"updateTime":1499827319559,"isWorking":true,"workingTime":1499827319559,"origQuoteOrderQty":"0.000000","selfTradePreventionMode":"NONE"}"#,
        ),
        (
            2,
            r#"[{"symbol":"LTCBTC","orderId":1,"orderListId":-1,"clientOrderId":"myOrder1","price":"0.1","origQty":"1.0","executedQty":"0.0","cummulativeQuoteQty":"0.0","status":"CANCELED","timeInForce":"GTC","type":"LIMIT","side":"BUY","time":1499827319559,"updateTime":1499827319559,"isWorking":true,"origQuoteOrderQty":"0.000000"}]"#,
        ),
        (
            3,
            r#"[{"symbol":"BNBBTC","id":28457,"orderId":100234,"orderListId":-1,"price":"4.00000100","qty":"12.00000000","quoteQty":"48.000012","commission":"10.10000000","commissionAsset":"BNB","time":1499865549590,"isBuyer":true,"isMaker":false,"isBestMatch":true}]"#,
        ),
        (
            4,
            r#"{"makerCommission":15,"canTrade":true,"updateTime":123456789,"accountType":"SPOT","balances":[{"asset":"BTC","free":"4723846.89208129","locked":"0.00000000"}],"permissions":["SPOT"],"uid":354937868}"#,
        ),
        (5, r#"{"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"],["3.5","1"]],"asks":[["4.00000200","12.00000000"]]}"#),
        // The largest prices: their sum, and a collar around them, must be held.
        (5, r#"{"lastUpdateId":1,"bids":[["999999999999999999","1"]],"asks":[["999999999999999999.9999999999","1"]]}"#),
        (5, r#"{"lastUpdateId":1,"bids":[["39614081257132168796771975167","1"]],"asks":[["79228162514264337593543950335","1"]]}"#),
        (6, r#"{"serverTime":1499827319559}"#),
        (
            7,
            r#"[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","0"]]"#,
        ),
        (
            8,
            r#"{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100}],"symbols":[]}"#,
        ),
        (
            9,
            r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","baseAssetPrecision":8,"quoteAsset":"USDT","quoteAssetPrecision":8,"orderTypes":["LIMIT","MARKET"],"isSpotTradingAllowed":true,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1000000.00","tickSize":"0.01"},{"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000","stepSize":"0.00001"},{"filterType":"NOTIONAL","minNotional":"5.0","maxNotional":"9000000.0"}],"permissionSets":[["SPOT"]]}]}"#,
        ),
    ];
    let mut seeds: Vec<Vec<u8>> = documented.iter().map(|(reader, text)| [&[*reader], text.as_bytes()].concat()).collect();
    // Snapshots are long; what a book does shows with few levels.
    for (_, message) in crate::recorded().into_iter().filter(|(url, _)| url.as_deref().is_some_and(|url| url.contains("/depth?"))) {
        let mut depth: serde_json::Value = serde_json::from_str(&message).expect("JSON");
        for side in ["bids", "asks"] {
            if let Some(levels) = depth[side].as_array_mut() {
                levels.truncate(5);
            }
        }
        seeds.push([&[5], depth.to_string().as_bytes()].concat());
    }
    seeds
}

/// Reads an answer with one of the readers.
pub fn check(data: &[u8]) {
    let Some((reader, body)) = crate::choose(data, READERS) else { return };
    match reader {
        0 => drop([200, 400, 418, 429, 503].map(|status| decode::outcome(status, Some(3), body).is_ok())),
        1 => drop(decode::order(body)),
        2 => drop(decode::orders(body)),
        3 => drop(decode::trades(body)),
        4 => drop(decode::balances(body)),
        5 => depth(body),
        6 => drop(decode::server_time(body)),
        7 => drop(decode::candles(body)),
        8 => drop(limits::rules(body)),
        _ => drop(symbol::instruments(body)),
    }
}

/// A book gives a mark, and the desk's gate reckons with it.
fn depth(body: &[u8]) {
    let Ok(book) = decode::depth(body) else { return };
    let mut state = RiskState::default();
    let mark = book.mid();
    state.marks(mark.iter().filter_map(|mark| Some((Symbol::parse("BTCUSDT").ok()?, *mark))).collect(), 0);
    state.held([], Timestamp::from_ms(0), Timestamp::from_ms(0));
    let mut policy = Policy::initial();
    policy.desk.exposure_max = Some(policy.order_notional_max);
    for (now_ms, order) in (0..).zip(orders()) {
        let _ = state.judge(&policy, &order, Quote { mark, average: mark, ..Quote::default() }, now_ms);
        state.sent(&order, now_ms);
    }
}

fn orders() -> [PlaceOrder; 2] {
    [
        r#"{"client_order_id":"a","symbol":"BTCUSDT","side":"buy","spec":{"limit":{"price":"50000","quantity":"1","tif":"GTC"}}}"#,
        r#"{"client_order_id":"a","symbol":"BTCUSDT","side":"sell","spec":{"market":{"size":{"base":"0.5"}}}}"#,
    ]
    .map(|text| serde_json::from_str(text).expect("an order"))
}
