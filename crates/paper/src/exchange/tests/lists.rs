//! Order lists: placed, told, cancelled, done.

use super::orders::traded;
use super::*;

const OCO: &str = "side=SELL&quantity=0.5&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS_LIMIT&belowStopPrice=95&belowPrice=94&belowTimeInForce=GTC";
const OTO: &str = "workingType=LIMIT&workingSide=BUY&workingPrice=100&workingQuantity=0.5&workingTimeInForce=GTC\
                   &pendingType=LIMIT_MAKER&pendingSide=SELL&pendingPrice=120&pendingQuantity=0.5";
const OTOCO: &str = "workingType=LIMIT&workingSide=BUY&workingPrice=100&workingQuantity=0.5&workingTimeInForce=GTC&pendingSide=SELL\
                     &pendingQuantity=0.4&pendingAboveType=TAKE_PROFIT&pendingAboveStopPrice=120\
                     &pendingBelowType=STOP_LOSS&pendingBelowTrailingDelta=200";

fn place(exchange: &mut Exchange, kind: &str, words: &str) -> (u16, Value) {
    send(exchange, NOW, "trade", "POST", kind, &format!("symbol=BTCUSDT&{words}"))
}

fn statuses(exchange: &mut Exchange) -> Vec<String> {
    let (_, orders) = send(exchange, NOW, "trade", "GET", "/api/v3/allOrders", "symbol=BTCUSDT");
    orders.as_array().unwrap().iter().map(|order| order["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn refusals_name_the_leg() {
    let oco = |before: &str, after: &str| OCO.replace(before, after);
    let rows = [
        ("/api/v3/orderList/oco", oco("aboveType=LIMIT_MAKER", "aboveType=LIMIT"), -1158, "Order type not supported in OCO."),
        (
            "/api/v3/orderList/oco",
            "side=BUY&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS&belowStopPrice=90".into(),
            -1165,
            "A limit order in a buy OCO must be below.",
        ),
        (
            "/api/v3/orderList/oco",
            "side=SELL&quantity=1&aboveType=STOP_LOSS&aboveStopPrice=110&belowType=LIMIT_MAKER&belowPrice=90".into(),
            -1166,
            "A limit order in a sell OCO must be above.",
        ),
        (
            "/api/v3/orderList/oco",
            "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=LIMIT_MAKER&belowPrice=90".into(),
            -1168,
            "At least one OCO order must be contingent.",
        ),
        (
            "/api/v3/orderList/oco",
            "side=BUY&quantity=1&aboveType=STOP_LOSS&aboveStopPrice=110&belowType=STOP_LOSS&belowStopPrice=90".into(),
            -1196,
            "A stop loss order in a buy OCO must be above.",
        ),
        (
            "/api/v3/orderList/oco",
            "side=SELL&quantity=1&aboveType=STOP_LOSS&aboveStopPrice=110&belowType=STOP_LOSS&belowStopPrice=90".into(),
            -1197,
            "A stop loss order in a sell OCO must be below.",
        ),
        (
            "/api/v3/orderList/oco",
            "side=BUY&quantity=1&aboveType=TAKE_PROFIT&aboveStopPrice=110&belowType=TAKE_PROFIT&belowStopPrice=90".into(),
            -1198,
            "A take profit order in a buy OCO must be below.",
        ),
        (
            "/api/v3/orderList/oco",
            "side=SELL&quantity=1&aboveType=TAKE_PROFIT&aboveStopPrice=110&belowType=TAKE_PROFIT&belowStopPrice=90".into(),
            -1199,
            "A take profit order in a sell OCO must be above.",
        ),
        (
            "/api/v3/orderList/oco",
            format!("{}&belowIcebergQty=0.1", oco("belowTimeInForce=GTC", "belowTimeInForce=IOC")),
            -1160,
            "Parameter 'belowIcebergQty' is not supported if `belowTimeInForce` is not GTC.",
        ),
        (
            "/api/v3/orderList/oco",
            oco("&abovePrice=110", ""),
            -1102,
            "Mandatory parameter 'abovePrice' was not sent, was empty/null, or malformed.",
        ),
        (
            "/api/v3/orderList/oco",
            oco("abovePrice=110", "abovePrice=100"),
            -2010,
            "The relationship of the prices for the orders is not correct.",
        ),
        ("/api/v3/orderList/oco", oco("quantity=0.5", "quantity=5"), -2010, "Account has insufficient balance for requested action."),
        ("/api/v3/orderList/oco", format!("{OCO}&aboveClientOrderId=a&belowClientOrderId=a"), -2010, "Duplicate order sent."),
        (
            "/api/v3/orderList/oto",
            OTO.replace("workingType=LIMIT", "workingType=MARKET"),
            -1106,
            "Parameter 'workingTimeInForce' sent when not required.",
        ),
        (
            "/api/v3/orderList/oto",
            OTO.replace("&pendingPrice=120", ""),
            -1102,
            "Mandatory parameter 'pendingPrice' was not sent, was empty/null, or malformed.",
        ),
        ("/api/v3/orderList/opo", OTO.into(), -2010, "OPO orders are not supported for this symbol."),
        (
            "/api/v3/order/oco",
            "side=SELL&quantity=1&price=110&stopPrice=90&stopLimitPrice=89".into(),
            -1102,
            "Mandatory parameter 'stopLimitTimeInForce' was not sent, was empty/null, or malformed.",
        ),
    ];
    for (path, words, code, msg) in rows {
        let (status, body) = place(&mut traded(), path, &words);
        assert_eq!((status, body["code"].as_i64(), body["msg"].as_str()), (400, Some(code), Some(msg)), "{path} {words}");
    }
}

#[test]
fn one_cancels_the_other() {
    let mut exchange = traded();
    let (status, list) = place(&mut exchange, "/api/v3/orderList/oco", &format!("{OCO}&listClientOrderId=mine"));
    assert_eq!((status, list["contingencyType"].as_str(), list["listOrderStatus"].as_str()), (200, Some("OCO"), Some("EXECUTING")));
    assert_eq!(list["orderReports"].as_array().unwrap().len(), 2);
    assert_eq!(list["orders"][0]["clientOrderId"], list["orderReports"][0]["clientOrderId"]);
    assert_eq!(list["orderReports"][1]["orderListId"], list["orderListId"]);
    let (_, again) = place(&mut exchange, "/api/v3/orderList/oco", &format!("{OCO}&listClientOrderId=mine"));
    assert_eq!(again["msg"], "Duplicate order sent.", "an open list has its name");
    exchange.seed_trade(NOW, &btcusdt(), Side::Buy, level("110", "4")).unwrap();
    assert_eq!(statuses(&mut exchange), ["FILLED", "EXPIRED"]);
    let (_, done) = send(&mut exchange, NOW, "read", "GET", "/api/v3/orderList", "origClientOrderId=mine");
    assert_eq!((done["listStatusType"].as_str(), done["listOrderStatus"].as_str()), (Some("ALL_DONE"), Some("ALL_DONE")));
    assert_eq!(send(&mut exchange, NOW, "read", "GET", "/api/v3/openOrderList", "").1, serde_json::json!([]));
    assert_eq!(
        send(&mut exchange, NOW, "other", "GET", "/api/v3/orderList", &format!("orderListId={}", list["orderListId"])).1["code"],
        -2013
    );
}

#[test]
fn one_triggers_the_others() {
    let mut exchange = traded();
    let (_, list) = place(&mut exchange, "/api/v3/orderList/otoco", OTOCO);
    assert_eq!((list["contingencyType"].as_str(), list["orders"].as_array().unwrap().len()), (Some("OTO"), 3), "{list}");
    assert_eq!(statuses(&mut exchange), ["NEW", "PENDING_NEW", "PENDING_NEW"]);
    exchange.seed_trade(NOW, &btcusdt(), Side::Sell, level("100", "0.5")).unwrap();
    assert_eq!(statuses(&mut exchange), ["FILLED", "NEW", "NEW"]);
    // One order of a list takes the others with it.
    let (_, gone) = send(
        &mut exchange,
        NOW,
        "trade",
        "DELETE",
        "/api/v3/order",
        &format!("symbol=BTCUSDT&orderId={}&newClientOrderId=c", list["orders"][1]["orderId"]),
    );
    assert_eq!((gone["status"].as_str(), gone["clientOrderId"].as_str()), (Some("CANCELED"), Some("c")));
    assert_eq!(statuses(&mut exchange), ["FILLED", "CANCELED", "CANCELED"]);
    for (asset, deposited, held) in exchange.audit() {
        assert_eq!(deposited, held, "{asset}");
    }
}

#[test]
fn lists_are_cancelled_by_themselves_and_with_everything() {
    let mut exchange = traded();
    let (_, list) = place(&mut exchange, "/api/v3/orderList/oto", OTO);
    let words = format!("symbol=BTCUSDT&orderListId={}&newClientOrderId=c", list["orderListId"]);
    let (status, gone) = send(&mut exchange, NOW, "trade", "DELETE", "/api/v3/orderList", &words);
    assert_eq!((status, gone["listOrderStatus"].as_str()), (200, Some("ALL_DONE")), "{gone}");
    assert_eq!((&gone["orderReports"][1]["clientOrderId"], &gone["orderReports"][1]["status"]), (&"c".into(), &"CANCELED".into()));
    assert_eq!(send(&mut exchange, NOW, "trade", "DELETE", "/api/v3/orderList", &words).1["code"], -2011);
    place(&mut exchange, "/api/v3/orderList/oco", OCO);
    order(&mut exchange, "side=BUY&type=LIMIT&timeInForce=GTC&price=90&quantity=1");
    let (_, gone) = send(&mut exchange, NOW, "trade", "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT");
    let kinds: Vec<bool> = gone.as_array().unwrap().iter().map(|row| row.get("contingencyType").is_some()).collect();
    assert_eq!((kinds, gone[1]["orderReports"].as_array().unwrap().len()), (vec![false, true], 2));
    let all = |exchange: &mut Exchange, words: &str| send(exchange, NOW, "read", "GET", "/api/v3/allOrderList", words).1;
    assert_eq!(all(&mut exchange, "").as_array().unwrap().len(), 2);
    assert_eq!(all(&mut exchange, "limit=1")[0]["contingencyType"], "OCO", "the newest");
    assert_eq!(all(&mut exchange, "fromId=1&limit=1")[0]["contingencyType"], "OTO", "the oldest from a number on");
    assert_eq!(all(&mut exchange, "fromId=1&startTime=1")["code"], -1128);
}

#[test]
fn the_deprecated_route_places_a_pair_too() {
    for (words, above, below) in [
        ("side=SELL&quantity=0.5&price=110&stopPrice=95", "LIMIT_MAKER", "STOP_LOSS"),
        ("side=BUY&quantity=0.5&price=95&stopPrice=110&stopLimitPrice=111&stopLimitTimeInForce=GTC", "STOP_LOSS_LIMIT", "LIMIT_MAKER"),
    ] {
        let (status, list) = place(&mut traded(), "/api/v3/order/oco", &format!("{words}&limitClientOrderId=l&stopClientOrderId=s"));
        let kinds = [&list["orderReports"][0]["type"], &list["orderReports"][1]["type"]];
        assert_eq!((status, kinds), (200, [&above.into(), &below.into()]), "{list}");
    }
}
