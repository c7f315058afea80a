//! Orders of every type: what they need, how they are told, why they are refused.

use super::*;

/// Refusals of a row of words, in a market whose last price is 101.
fn refused(words: &str) -> (i64, String) {
    let mut exchange = traded();
    let (status, body) = order(&mut exchange, words);
    assert_eq!(status, 400, "{words}: {body}");
    (body["code"].as_i64().unwrap(), body["msg"].as_str().unwrap().to_owned())
}

/// The seeded market after a trade at 101.
pub(super) fn traded() -> Exchange {
    let mut exchange = seeded();
    exchange.seed_trade(NOW, &btcusdt(), Side::Buy, level("101", "0.1")).unwrap();
    exchange
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

#[test]
fn each_type_has_its_parameters() {
    let rows = [
        ("type=LIMIT&price=90&quantity=1", -1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."),
        ("type=LIMIT&timeInForce=GTC&price=90", -1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=1&stopPrice=95", -1106, "Parameter 'stopPrice' sent when not required."),
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=1&trailingDelta=50", -1106, "Parameter 'trailingDelta' sent when not required."),
        ("type=LIMIT_MAKER&timeInForce=GTC&price=90&quantity=1", -1106, "Parameter 'timeInForce' sent when not required."),
        ("type=MARKET&quantity=1&quoteOrderQty=5", -1128, "Combination of optional parameters invalid."),
        ("type=MARKET&quantity=1&icebergQty=0.5", -1106, "Parameter 'icebergQty' sent when not required."),
        ("type=STOP_LOSS&quantity=1", -1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"),
        ("type=STOP_LOSS&quantity=1&stopPrice=110&price=1", -1106, "Parameter 'price' sent when not required."),
        (
            "type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&stopPrice=110",
            -1102,
            "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
        ),
        (
            "type=TAKE_PROFIT_LIMIT&price=90&quantity=1&stopPrice=90",
            -1102,
            "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
        ),
        ("type=TAKE_PROFIT&quoteOrderQty=50&stopPrice=90", -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ("type=STOP_LOSS&quantity=1&stopPrice=100", -2010, "Order would trigger immediately."),
        ("type=STOP_LOSS&quantity=1&stopPrice=0", -1013, "Filter failure: PRICE_FILTER"),
        ("type=STOP_LOSS&quantity=1&trailingDelta=5", -1013, "Filter failure: TRAILING_DELTA"),
        ("type=STOP_LOSS&quantity=1&trailingDelta=0", -1013, "Filter failure: TRAILING_DELTA"),
        ("type=MARKET&quantity=121", -1013, "Filter failure: MARKET_LOT_SIZE"),
        ("type=LIMIT&timeInForce=GTC&price=600&quantity=1", -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=1&icebergQty=0.05", -1013, "Filter failure: ICEBERG_PARTS"),
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=1&icebergQty=2", -2010, "IcebergQty exceeds QTY."),
        ("type=LIMIT&timeInForce=IOC&price=90&quantity=1&icebergQty=0.5", -2010, "Unsupported order combination"),
        ("type=MARKET&quantity=1&strategyType=999999", -1134, "`strategyType` was less than 1000000."),
        (
            "type=MARKET&quantity=1&selfTradePreventionMode=TRANSFER",
            -2010,
            "This symbol does not allow the specified self-trade prevention mode.",
        ),
        ("type=MARKET&quantity=1&selfTradePreventionMode=MAYBE", -1130, "Data sent for parameter 'selfTradePreventionMode' is not valid."),
        ("type=MARKET&quantity=1&newOrderRespType=SOME", -1130, "Data sent for parameter 'newOrderRespType' is not valid."),
        ("type=LIMIT&timeInForce=GTC&quantity=1&pegPriceType=PRIMARY_PEG", -2010, "Pegged orders are not supported for this symbol."),
        (
            "type=MARKET&quantity=1&newClientOrderId=a%20b",
            -1100,
            r"Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\.A-Z\:/a-z0-9_-]{1,36}$'.",
        ),
    ];
    for (words, code, msg) in rows {
        assert_eq!(refused(&format!("side=BUY&{words}")), (code, msg.to_owned()), "{words}");
    }
}

#[test]
fn an_answer_tells_as_much_as_was_asked() {
    let rows = [
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=1", true, true),
        ("type=LIMIT_MAKER&price=90&quantity=1", false, false),
        ("type=LIMIT_MAKER&price=90&quantity=1&newOrderRespType=RESULT", true, false),
        ("type=MARKET&quantity=0.1", true, true),
        ("type=MARKET&quantity=0.1&newOrderRespType=ACK", false, false),
        ("type=STOP_LOSS&quantity=0.1&stopPrice=110", false, false),
        ("type=STOP_LOSS&quantity=0.1&stopPrice=110&newOrderRespType=FULL", true, true),
    ];
    for (words, has_status, has_fills) in rows {
        let (status, body) = order(&mut traded(), &format!("side=BUY&{words}"));
        assert_eq!((status, body.get("status").is_some(), body.get("fills").is_some()), (200, has_status, has_fills), "{words}: {body}");
    }
}

#[test]
fn conditional_fields_appear_with_their_conditions() {
    let rows = [
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=1", ""),
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=1&icebergQty=0.5", "icebergQty"),
        ("type=STOP_LOSS&quantity=1&stopPrice=110", "stopPrice"),
        ("type=TAKE_PROFIT&quantity=1&trailingDelta=100", "stopPrice trailingDelta trailingTime"),
        ("type=MARKET&quantity=0.1&strategyId=7&strategyType=1000000", "strategyId strategyType"),
        ("type=LIMIT&timeInForce=IOC&price=90&quantity=1", "expiryReason"),
    ];
    let names =
        ["expiryReason", "icebergQty", "preventedMatchId", "stopPrice", "strategyId", "strategyType", "trailingDelta", "trailingTime"];
    for (words, expected) in rows {
        let (_, body) = order(&mut traded(), &format!("side=BUY&{words}&newOrderRespType=RESULT"));
        let found: Vec<&str> = names.into_iter().filter(|name| body.get(name).is_some()).collect();
        assert_eq!(found.join(" "), expected, "{words}: {body}");
    }
}

#[test]
fn a_stop_waits_triggers_and_trades() {
    let mut exchange = traded();
    let (_, placed) = order(&mut exchange, "side=SELL&type=STOP_LOSS&quantity=0.5&stopPrice=98.5&newOrderRespType=RESULT");
    assert_eq!((text(&placed, "status").as_str(), placed["workingTime"].as_i64()), ("NEW", Some(-1)));
    exchange.seed_trade(NOW, &btcusdt(), Side::Sell, level("98", "1.5")).unwrap();
    let ask = format!("symbol=BTCUSDT&orderId={}", placed["orderId"]);
    let (_, seen) = send(&mut exchange, NOW, "trade", "GET", "/api/v3/order", &ask);
    assert_eq!(
        (text(&seen, "status"), text(&seen, "cummulativeQuoteQty"), seen["isWorking"].as_bool()),
        ("FILLED".into(), "49.00000000".into(), Some(true))
    );
    assert_eq!(text(&seen, "icebergQty"), "0.00000000", "queries tell it of every order");
}

#[test]
fn self_trades_are_prevented_and_told() {
    let rows = [
        ("EXPIRE_TAKER", "EXPIRED_IN_MATCH", "NEW", true, false),
        ("EXPIRE_MAKER", "EXPIRED", "EXPIRED_IN_MATCH", false, true),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH", true, true),
        ("DECREMENT", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH", true, true),
    ];
    for (mode, taker_status, maker_status, taker_lost, maker_lost) in rows {
        let mut exchange = traded();
        let (_, maker) = order(&mut exchange, "side=BUY&type=LIMIT&timeInForce=GTC&price=100&quantity=1");
        let sell = format!("side=SELL&type=LIMIT&timeInForce=IOC&price=100&quantity=1&selfTradePreventionMode={mode}");
        let (_, taker) = order(&mut exchange, &sell);
        assert_eq!(text(&taker, "status"), taker_status, "{mode}: {taker}");
        let (_, seen) = send(&mut exchange, NOW, "trade", "GET", "/api/v3/order", &format!("symbol=BTCUSDT&orderId={}", maker["orderId"]));
        assert_eq!(text(&seen, "status"), maker_status, "{mode}");
        let mut matches = |key: &str, words: String| send(&mut exchange, NOW, key, "GET", "/api/v3/myPreventedMatches", &words).1;
        let of_order = matches("trade", format!("symbol=BTCUSDT&orderId={}", maker["orderId"]));
        let row = &of_order[0];
        assert_eq!((&row["takerOrderId"], &row["makerOrderId"]), (&taker["orderId"], &maker["orderId"]), "{mode}");
        assert_eq!((row.get("takerPreventedQuantity").is_some(), row.get("makerPreventedQuantity").is_some()), (taker_lost, maker_lost));
        let by_id = format!("symbol=BTCUSDT&preventedMatchId={}", row["preventedMatchId"]);
        assert_eq!(matches("trade", by_id.clone()), of_order, "{mode}");
        assert_eq!(matches("other", by_id), Value::Array(Vec::new()), "nobody sees matches of somebody else");
    }
}

#[test]
fn cancels_keep_to_their_restrictions() {
    let mut exchange = traded();
    let (_, placed) = order(&mut exchange, "side=BUY&type=LIMIT&timeInForce=GTC&price=100&quantity=1");
    let cancel = |exchange: &mut Exchange, only: &str| {
        let words = format!("symbol=BTCUSDT&orderId={}&cancelRestrictions={only}", placed["orderId"]);
        let (_, body) = send(exchange, NOW, "trade", "DELETE", "/api/v3/order", &words);
        body.get("msg").map_or_else(|| text(&body, "status"), |_| text(&body, "msg"))
    };
    let refused = "Order was not canceled due to cancel restrictions.";
    assert_eq!(cancel(&mut exchange, "NEVER"), "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.");
    assert_eq!(cancel(&mut exchange, "ONLY_PARTIALLY_FILLED"), refused);
    exchange.seed_trade(NOW, &btcusdt(), Side::Sell, level("100", "0.5")).unwrap();
    assert_eq!(cancel(&mut exchange, "ONLY_NEW"), refused);
    assert_eq!(cancel(&mut exchange, "ONLY_PARTIALLY_FILLED"), "CANCELED");
    assert_eq!(cancel(&mut exchange, "ONLY_NEW"), "Unknown order sent.", "what ended is unknown to a cancel");
}

#[test]
fn an_order_is_tried_without_being_placed() {
    let mut exchange = traded();
    let mut try_order = |words: &str| send(&mut exchange, NOW, "trade", "POST", "/api/v3/order/test", &format!("symbol=BTCUSDT&{words}"));
    assert_eq!(try_order("side=BUY&type=MARKET&quantity=1"), (200, serde_json::json!({})));
    let (_, rates) = try_order("side=BUY&type=MARKET&quantity=1&computeCommissionRates=true");
    assert_eq!(rates["standardCommissionForOrder"]["taker"], "0.00100000");
    assert_eq!(rates["discount"]["enabledForAccount"], false);
    assert_eq!(try_order("side=BUY&type=MARKET&quantity=0.000001").1["msg"], "Filter failure: LOT_SIZE");
    assert_eq!(send(&mut exchange, NOW, "trade", "GET", "/api/v3/allOrders", "symbol=BTCUSDT").1, serde_json::json!([]));
}

#[test]
fn history_is_told_by_documented_combinations_only() {
    let mut exchange = traded();
    let (_, first) = order(&mut exchange, "side=BUY&type=MARKET&quantity=0.1");
    order(&mut exchange, "side=BUY&type=MARKET&quantity=0.2");
    let (now, day) = (NOW.ms(), 86_400_000);
    let id = &first["orderId"];
    let rows = [
        ("/api/v3/myTrades", String::new(), Ok(2)),
        ("/api/v3/myTrades", format!("&orderId={id}"), Ok(1)),
        ("/api/v3/myTrades", "&fromId=3".into(), Ok(1)),
        ("/api/v3/myTrades", format!("&startTime={now}"), Ok(2)),
        ("/api/v3/myTrades", format!("&endTime={}", now - 1), Ok(0)),
        ("/api/v3/myTrades", format!("&startTime={}&endTime={now}", now - day), Ok(2)),
        ("/api/v3/myTrades", format!("&startTime={}&endTime={now}", now - day - 1), Err(-1127)),
        ("/api/v3/myTrades", format!("&orderId={id}&startTime={now}"), Err(-1128)),
        ("/api/v3/allOrders", "&limit=1".into(), Ok(1)),
        ("/api/v3/allOrders", format!("&startTime={}&endTime={now}", now - day - 1), Err(-1127)),
        ("/api/v3/myPreventedMatches", String::new(), Err(-1102)),
        ("/api/v3/myPreventedMatches", format!("&orderId={id}&preventedMatchId=1"), Err(-1128)),
        ("/api/v3/myAllocations", String::new(), Ok(0)),
        ("/api/v3/order/amendments", format!("&orderId={id}"), Ok(0)),
        ("/api/v3/order/amendments", String::new(), Err(-1102)),
        ("/api/v3/order", format!("&orderId={id}&origClientOrderId=another"), Err(-2039)),
        ("/api/v3/order", "&orderId=77&origClientOrderId=another".into(), Err(-2013)),
    ];
    for (path, words, expected) in rows {
        let (_, body) = send(&mut exchange, NOW, "read", "GET", path, &format!("symbol=BTCUSDT{words}"));
        let found = body.as_array().map(Vec::len).ok_or_else(|| body["code"].as_i64().unwrap());
        assert_eq!(found, expected, "{path} {words}: {body}");
    }
}
