//! The signer's stream login at a real venue: it hears of orders, and can place none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use strongroom_guard::Reason;
use strongroom_model::{ClientOrderId, Intent, MarketSize, Method, OrderSpec, PlaceOrder, Side, SignedRequest, Symbol, Timestamp};
use strongroom_net::{Line, PinBoard, Stream, Trust};
use strongroom_paper::{Config, start};
use strongroom_signer_api::{Refusal, Reply, Request, SignAsk};
use strongroom_tests::signer_world::SignerWorld;

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn signed(signer: &mut SignerWorld, intent: Intent) -> SignedRequest {
    let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
    match signer.ask(Request::Sign(ask), b"", now_ms()) {
        Reply::Signed { request, .. } => request,
        other => panic!("{other:?}"),
    }
}

async fn next(stream: &mut Stream) -> Value {
    let text = tokio::time::timeout(Duration::from_secs(10), stream.next()).await.expect("a message in time").unwrap().unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_stream_login_hears_of_orders_and_places_none() {
    let folder = tempfile::tempdir().unwrap();
    let venue = start(Config::simulated(folder.path(), 42)).await.unwrap();
    let key = venue.key("trade").unwrap();
    let secret = std::fs::read(key.secret_file.as_ref().unwrap()).unwrap();
    let mut signer = SignerWorld::with_vault(b"a password of the stream", now_ms() - 200_000);
    signer.import(&key.api_key, &secret, now_ms() - 150_000);
    let board = PinBoard::new(|| Timestamp::from_ms(now_ms()));
    let trust = Trust::Authorities(venue.ca_pem.clone());
    let line = Line::open(&venue.rest_url, &trust, board.clone()).unwrap();
    board.pin(line.endpoint(), venue.spki_sha256.parse().unwrap()).unwrap();

    let login = signed(&mut signer, Intent::StreamLogin);
    assert_eq!(login.method, Method::Socket);
    assert!(line.send(&login, Duration::from_secs(5)).await.is_err(), "it is no request of the other interface");
    let mut stream = Stream::open(&venue.ws_api_url, &trust, &board).await.unwrap();
    stream.send_text(login.body.clone()).await.unwrap();
    let told = next(&mut stream).await;
    assert_eq!((&told["status"], &told["result"]["subscriptionId"]), (&json!(200), &json!(0)), "{told}");

    let client_order_id = ClientOrderId::parse("heard-1").unwrap();
    let spec = OrderSpec::Market { size: MarketSize::Base("0.01".parse().unwrap()) };
    let order = PlaceOrder { client_order_id, symbol: Symbol::parse("BTCUSDT").unwrap(), side: Side::Buy, spec, reduce_only: false };
    let placed = line.send(&signed(&mut signer, Intent::Place(order)), Duration::from_secs(5)).await.unwrap();
    assert_eq!(placed.status, 200, "{}", String::from_utf8_lossy(&placed.body));
    let heard = next(&mut stream).await;
    let event = &heard["event"];
    assert_eq!((&event["e"], &event["c"], &event["x"]), (&json!("executionReport"), &json!("heard-1"), &json!("NEW")), "{heard}");

    // What was heard on this connection lets nothing pass: neither the same signature as a logon, nor an order without one.
    let mut message: Value = serde_json::from_str(&login.body).unwrap();
    message["method"] = json!("session.logon");
    stream.send_text(message.to_string()).await.unwrap();
    let order = json!({"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", "timestamp": now_ms()});
    stream.send_text(json!({"id": "order", "method": "order.place", "params": order}).to_string()).await.unwrap();
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let told = next(&mut stream).await;
        if told.get("status").is_some() {
            answers.push(told);
        }
    }
    assert!(answers.iter().all(|answer| answer["status"] != 200), "{answers:?}");

    // With a key that could log on nothing is signed, and the words say why.
    let ed25519 = venue.key("ed25519").unwrap();
    let pem = std::fs::read(ed25519.secret_file.as_ref().unwrap()).unwrap();
    signer.import(&ed25519.api_key, &pem, now_ms() + 30_000);
    let Reply::Credentials { keys, .. } = signer.ask(Request::Credentials { from: 0 }, b"", now_ms()) else { panic!("no keys") };
    let other = keys.iter().find(|key| key.api_key == ed25519.api_key).unwrap().id;
    let ask = |intent| SignAsk { intent, credential: Some(other), clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
    let refused = signer.ask(Request::Sign(ask(Intent::StreamLogin)), b"", now_ms());
    assert!(
        matches!(&refused, Reply::Refused(Refusal::Guard(Reason::NotOffered { why, .. })) if why.contains("is a logon, too")),
        "{refused:?}"
    );
    assert!(matches!(signer.ask(Request::Sign(ask(Intent::QueryKeyRights)), b"", now_ms()), Reply::Signed { .. }));
    let dead_man = Intent::DeadMan { symbol: None, countdown_ms: 60_000 };
    let refused = signer.ask(Request::Sign(ask(dead_man)), b"", now_ms());
    assert!(
        matches!(&refused, Reply::Refused(Refusal::Guard(Reason::NotOffered { why, .. })) if why.contains("supervisor")),
        "{refused:?}"
    );
    venue.shutdown().await;
}
