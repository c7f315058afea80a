//! Orders replaced by others, and orders made smaller.

use super::orders::traded;
use super::*;

/// What became of both halves: status, code, cancel, new order.
fn replace(exchange: &mut Exchange, words: &str) -> (u16, i64, String, String) {
    let words = format!("symbol=BTCUSDT&side=BUY&{words}");
    let (status, body) = send(exchange, NOW, "trade", "POST", "/api/v3/order/cancelReplace", &words);
    let data = if status == 200 { &body } else { &body["data"] };
    let result = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    (status, body["code"].as_i64().unwrap_or(0), result("cancelResult"), result("newOrderResult"))
}

#[test]
fn both_halves_are_told() {
    let good = "type=LIMIT&timeInForce=GTC&price=90&quantity=1";
    let bad = "type=LIMIT_MAKER&price=102&quantity=1";
    let rows = [
        (good, "STOP_ON_FAILURE", "ours", 200, 0, "SUCCESS", "SUCCESS"),
        (good, "STOP_ON_FAILURE", "nobodys", 400, -2022, "FAILURE", "NOT_ATTEMPTED"),
        (bad, "STOP_ON_FAILURE", "ours", 409, -2021, "SUCCESS", "FAILURE"),
        (good, "ALLOW_FAILURE", "nobodys", 409, -2021, "FAILURE", "SUCCESS"),
        (bad, "ALLOW_FAILURE", "nobodys", 400, -2022, "FAILURE", "FAILURE"),
        ("type=LIMIT&timeInForce=GTC&price=90&quantity=0.01", "ALLOW_FAILURE", "ours", 400, -1013, "", ""),
        (good, "SOMEHOW", "ours", 400, -1130, "", ""),
    ];
    for (order_words, mode, name, status, code, cancel, new) in rows {
        let mut exchange = traded();
        order(&mut exchange, "side=BUY&type=LIMIT&timeInForce=GTC&price=95&quantity=1&newClientOrderId=ours");
        let told = replace(&mut exchange, &format!("{order_words}&cancelReplaceMode={mode}&cancelOrigClientOrderId={name}"));
        assert_eq!(told, (status, code, cancel.to_owned(), new.to_owned()), "{order_words} {mode} {name}");
    }
    let nameless = replace(&mut traded(), &format!("{good}&cancelReplaceMode=STOP_ON_FAILURE"));
    assert_eq!((nameless.0, nameless.1), (400, -1102));
}

#[test]
fn too_many_orders_stop_both_halves_or_the_new_one() {
    let limits = Limits { orders_per_10s: 1, ..Limits::default() };
    let words = "type=LIMIT&timeInForce=GTC&price=90&quantity=1&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=ours";
    let mut exchange = venue(Market::Empty, limits);
    order(&mut exchange, "side=BUY&type=LIMIT&timeInForce=GTC&price=95&quantity=1&newClientOrderId=ours");
    let told = replace(&mut exchange, words);
    assert_eq!((told.0, told.1), (429, -1015));
    let told = replace(&mut exchange, &format!("{words}&orderRateLimitExceededMode=CANCEL_ONLY"));
    assert_eq!(told, (429, -2021, "SUCCESS".into(), "FAILURE".into()));
    let told = replace(&mut exchange, &format!("{words}&orderRateLimitExceededMode=CANCEL_ONLY"));
    assert_eq!(told, (429, -2022, "FAILURE".into(), "NOT_ATTEMPTED".into()));
}

#[test]
fn amended_orders_are_smaller_and_renamed() {
    let mut exchange = traded();
    let (_, placed) = order(&mut exchange, "side=BUY&type=LIMIT&timeInForce=GTC&price=95&quantity=1&newClientOrderId=first");
    let amend = |exchange: &mut Exchange, words: &str| {
        send(exchange, NOW, "trade", "PUT", "/api/v3/order/amend/keepPriority", &format!("symbol=BTCUSDT&{words}"))
    };
    let (status, body) = amend(&mut exchange, "origClientOrderId=first&newQty=0.8&newClientOrderId=second");
    assert_eq!(status, 200, "{body}");
    let told = &body["amendedOrder"];
    assert_eq!(
        (told["orderId"].clone(), told["qty"].as_str(), told["origClientOrderId"].as_str(), told["clientOrderId"].as_str()),
        (placed["orderId"].clone(), Some("0.80000000"), Some("first"), Some("second"))
    );
    amend(&mut exchange, "origClientOrderId=second&newQty=0.5");
    let ask = format!("symbol=BTCUSDT&orderId={}", placed["orderId"]);
    let (_, amendments) = send(&mut exchange, NOW, "read", "GET", "/api/v3/order/amendments", &ask);
    let quantities: Vec<_> = amendments.as_array().unwrap().iter().map(|row| row["newQty"].as_str().unwrap()).collect();
    assert_eq!(quantities, ["0.80000000", "0.50000000"]);
    let from = format!("{ask}&fromExecutionId={}", amendments[1]["executionId"]);
    assert_eq!(send(&mut exchange, NOW, "read", "GET", "/api/v3/order/amendments", &from).1.as_array().unwrap().len(), 1);
    let id = &placed["orderId"];
    let rows = [
        (format!("orderId={id}&newQty=0.6"), -2038, "Order amend (quantity increase) is not supported."),
        (format!("orderId={id}&newQty=0.5"), -2038, "The requested action would change no state; rejecting"),
        (format!("orderId={id}&newQty=0.00001"), -2038, "Filter failure: NOTIONAL"),
        ("orderId=99&newQty=0.1".into(), -2038, "Unknown order sent."),
        ("newQty=0.1".into(), -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"),
        (format!("orderId={id}"), -1102, "Mandatory parameter 'newQty' was not sent, was empty/null, or malformed."),
    ];
    for (words, code, msg) in rows {
        let (status, body) = amend(&mut exchange, &words);
        assert_eq!((status, body["code"].as_i64(), body["msg"].as_str()), (400, Some(code), Some(msg)), "{words}");
    }
}

#[test]
fn an_amended_member_tells_its_list() {
    let mut exchange = traded();
    let oco = "symbol=BTCUSDT&side=SELL&quantity=0.5&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS&belowStopPrice=95";
    let mut session = Session::new(LOOPBACK, NOW, true);
    let payload = format!("apiKey=trade&timestamp={}", NOW.ms());
    let params = serde_json::json!({
        "apiKey": "trade", "timestamp": NOW.ms(), "signature": SigningKey::Hmac(SECRET).sign(payload.as_bytes()).unwrap(),
    });
    let subscribe = serde_json::json!({"id": 1, "method": "userDataStream.subscribe.signature", "params": params});
    let subscribed = exchange.socket(NOW, &mut session, &subscribe.to_string());
    assert!(subscribed[0].contains("\"status\":200"), "{subscribed:?}");
    let noted = format!("{oco}&aboveStrategyId=7&aboveStrategyType=1000000");
    let (_, list) = send(&mut exchange, NOW, "trade", "POST", "/api/v3/orderList/oco", &noted);
    exchange.take_user_events();
    let words = format!("symbol=BTCUSDT&orderId={}&newQty=0.3", list["orders"][0]["orderId"]);
    let (_, body) = send(&mut exchange, NOW, "trade", "PUT", "/api/v3/order/amend/keepPriority", &words);
    assert_eq!(body["listStatus"]["orderListId"], list["orderListId"]);
    let events: Vec<Value> = exchange.take_user_events().into_iter().map(|event| event.event).collect();
    let told: Vec<_> = events.iter().map(|event| (event["e"].as_str().unwrap(), event["x"].as_str().or(event["l"].as_str()))).collect();
    let replaced = ("executionReport", Some("REPLACED"));
    // The other leg is smaller too, and keeps its name.
    assert_eq!(told, [replaced, ("listStatus", Some("UPDATED")), replaced, ("outboundAccountPosition", None)], "{events:?}");
    assert_eq!(events[1]["O"][0]["c"], body["amendedOrder"]["clientOrderId"]);
    let noted: Vec<_> = events.iter().filter(|event| event["j"] == 7 && event["J"] == 1_000_000).collect();
    assert!(exchange.take_user_events().is_empty());
    assert_eq!(noted.len(), 1, "the leg that carries them: {events:?}");
    let (_, open) = send(&mut exchange, NOW, "trade", "GET", "/api/v3/openOrders", "symbol=BTCUSDT");
    assert!(open.as_array().unwrap().iter().all(|order| order["origQty"] == "0.30000000"), "both legs are smaller: {open}");
}

#[test]
fn user_data_ends_with_its_key_and_with_its_last_listener() {
    let mut exchange = traded();
    let now = NOW;
    let mut sessions = ["trade", "read"].map(|api_key| {
        let mut session = Session::new(LOOPBACK, now, true);
        let signature = SigningKey::Hmac(SECRET).sign(format!("apiKey={api_key}&timestamp={}", now.ms()).as_bytes()).unwrap();
        let params = serde_json::json!({"apiKey": api_key, "timestamp": now.ms(), "signature": signature});
        let subscribe = serde_json::json!({"id": 1, "method": "userDataStream.subscribe.signature", "params": params});
        assert!(exchange.socket(now, &mut session, &subscribe.to_string())[0].contains("\"status\":200"));
        session
    });
    exchange.forget_key(now, "read");
    let told = exchange.take_user_events();
    let heard: Vec<Vec<Value>> =
        sessions.iter_mut().map(|session| told.iter().filter_map(|event| session.frame_of(event)).collect()).collect();
    assert!(heard[0].is_empty() && heard[1].len() == 1 && heard[1][0]["event"]["e"] == "eventStreamTerminated", "{heard:?}");
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=90";
    assert_eq!(send(&mut exchange, now, "trade", "POST", "/api/v3/order", order).0, 200);
    let told = exchange.take_user_events();
    assert!(sessions[0].frame_of(&told[0]).is_some() && sessions[1].frame_of(&told[0]).is_none());
    let [first, second] = sessions;
    exchange.close_session(second);
    assert_eq!(send(&mut exchange, now, "trade", "POST", "/api/v3/order", order).0, 200);
    assert!(!exchange.take_user_events().is_empty(), "one still listens");
    exchange.close_session(first);
    assert_eq!(send(&mut exchange, now, "trade", "POST", "/api/v3/order", order).0, 200);
    assert!(exchange.take_user_events().is_empty(), "nobody listens");
}

#[test]
fn no_two_reports_have_one_number() {
    let mut exchange = traded();
    let mut session = Session::new(LOOPBACK, NOW, true);
    let signature = SigningKey::Hmac(SECRET).sign(format!("apiKey=trade&timestamp={}", NOW.ms()).as_bytes()).unwrap();
    let params = serde_json::json!({"apiKey": "trade", "timestamp": NOW.ms(), "signature": signature});
    let subscribe = serde_json::json!({"id": 1, "method": "userDataStream.subscribe.signature", "params": params});
    exchange.socket(NOW, &mut session, &subscribe.to_string());
    let mut ask = |method: &str, path: &str, words: &str| {
        let (status, body) = send(&mut exchange, NOW, "trade", method, path, &format!("symbol=BTCUSDT&{words}"));
        assert_eq!(status, 200, "{words}: {body}");
        body
    };
    let limit = "type=LIMIT&timeInForce=GTC";
    for price in ["101", "102", "103"] {
        ask("POST", "/api/v3/order", &format!("side=SELL&{limit}&quantity=0.1&price={price}"));
    }
    // Takes its own orders, one after the other: both sides of three trades.
    ask("POST", "/api/v3/order", "side=BUY&type=MARKET&quantity=0.3");
    let order = ask("POST", "/api/v3/order", &format!("side=BUY&{limit}&quantity=0.5&price=90"));
    for left in ["0.4", "0.3"] {
        ask("PUT", "/api/v3/order/amend/keepPriority", &format!("orderId={}&newQty={left}", order["orderId"]));
    }
    ask("DELETE", "/api/v3/order", &format!("orderId={}", order["orderId"]));
    ask("POST", "/api/v3/order", "side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.1&price=80");
    ask(
        "POST",
        "/api/v3/orderList/oto",
        "workingType=LIMIT&workingSide=SELL&workingPrice=101&workingQuantity=0.1&workingTimeInForce=GTC&pendingType=MARKET&pendingSide=BUY&pendingQuantity=0.1",
    );
    ask("POST", "/api/v3/order", "side=BUY&type=MARKET&quantity=0.1");
    let events: Vec<Value> = exchange.take_user_events().into_iter().map(|event| event.event).collect();
    let numbers: Vec<u64> =
        events.iter().filter(|event| event["e"] == "executionReport").map(|event| event["I"].as_u64().unwrap()).collect();
    let different: std::collections::HashSet<u64> = numbers.iter().copied().collect();
    assert!(numbers.len() > 12 && different.len() == numbers.len(), "{numbers:?}");
}
