//! Messages to the paper venue's WebSocket API. Invariant: every message is answered in JSON with a status, and no money is made or
//! lost.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strongroom_model::Timestamp;
use strongroom_paper::exchange::{LOOPBACK, Session};
use strongroom_venues::binance::SigningKey;

use crate::paper_request::{KEYS, NOW_MS, REQUESTS_MAX, SECRET, count, venue};

/// Lines: a message as it is, or `1` or `2` for who asks, a method, a space, parameters as in a query, which are signed here.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "{\"id\":1,\"method\":\"time\"}\n{\"id\":\"a\",\"method\":\"depth\",\"params\":{\"symbol\":\"BTCUSDT\",\"limit\":5}}\n\
         {\"id\":null,\"method\":\"exchangeInfo\",\"params\":{\"symbols\":[\"BTCUSDT\"],\"returnRateLimits\":false}}\n[]\n{\"id\":1.5}\n",
        "1userDataStream.subscribe.signature \n1order.place symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000\n\
         2order.place symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.02\n1account.status \n\
         {\"id\":2,\"method\":\"userDataStream.unsubscribe\",\"params\":{\"subscriptionId\":0}}\n",
        "1orderList.place.oco symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=70000&belowType=STOP_LOSS&belowStopPrice=40000\n\
         1openOrders.cancelAll symbol=BTCUSDT\n1session.logon \n1session.status \n1order.cancelReplace symbol=BTCUSDT\n",
    ]
    .map(Vec::from)
    .to_vec()
}

/// Sends line by line on one connection, then counts the money.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut exchange = venue();
    let mut session = Session::new(LOOPBACK, Timestamp::from_ms(NOW_MS), true);
    for (line, at_ms) in text.lines().take(REQUESTS_MAX).zip(NOW_MS..) {
        let message = signed(line, at_ms).unwrap_or_else(|| line.to_owned());
        let frames = exchange.socket(Timestamp::from_ms(at_ms), &mut session, &message);
        let answer: Value = serde_json::from_str(frames.first().expect("every message is answered")).expect("an answer is JSON");
        let status = answer["status"].as_u64().expect("an answer has a status");
        assert!((200..500).contains(&status), "{answer}");
        assert!(frames.iter().skip(1).all(|frame| serde_json::from_str::<Value>(frame).is_ok()), "an event is JSON");
        let events = exchange.take_user_events();
        drop(events.iter().filter_map(|event| session.frame_of(event)).collect::<Vec<_>>());
    }
    count(&mut exchange);
}

/// The message that a line stands for (`web-socket-api.md`, "SIGNED request security": parameters in the order of their names).
fn signed(line: &str, at_ms: i64) -> Option<String> {
    let who = line.strip_prefix(['1', '2'])?;
    let (method, query) = who.split_once(' ')?;
    let api_key = KEYS[usize::from(line.starts_with('2'))];
    let mut params: BTreeMap<&str, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name, value.to_owned())).collect();
    params.extend([("apiKey", api_key.to_owned()), ("timestamp", at_ms.to_string())]);
    let payload = params.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    params.insert("signature", SigningKey::Hmac(SECRET).sign(payload.as_bytes()).unwrap_or_default());
    Some(json!({"id": 1, "method": method, "params": params}).to_string())
}
