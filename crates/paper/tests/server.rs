//! The venue on the network: TLS, keys that outlive restarts, streams and bounds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod venue;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use strongroom_model::{Intent, Symbol};
use strongroom_paper::{Config, JournalError, Market, StartError, start};
use strongroom_venues::binance::decode;
use strongroom_venues::binance::stream::{self, Channel, StreamEvent};
use tokio_tungstenite::tungstenite::Message;
use venue::{ask, client, listen, next_text, open, tls};

#[tokio::test]
async fn keys_and_pins_outlive_a_restart_and_secrets_are_private() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("venue");
    let first = open(&data_dir, Market::Empty).await;
    assert_eq!(ask(&first, &client(&first), &Intent::QueryBalances).await.unwrap().0, 200);
    let kept = (first.spki_sha256.clone(), first.ca_pem.clone(), first.keys.clone());
    first.shutdown().await;
    let second = open(&data_dir, Market::Empty).await;
    assert_eq!((second.spki_sha256.clone(), second.ca_pem.clone(), second.keys.clone()), kept);
    assert_eq!(ask(&second, &client(&second), &Intent::QueryBalances).await.unwrap().0, 200);
    for (file, mode) in
        [("ca.key", 0o600), ("server.key", 0o600), ("keys.json", 0o600), ("trade.secret", 0o600), ("ed25519.pem", 0o600), ("ca.pem", 0o644)]
    {
        assert_eq!(std::fs::metadata(data_dir.join(file)).unwrap().permissions().mode() & 0o777, mode, "{file}");
    }
    assert_eq!(std::fs::metadata(&data_dir).unwrap().permissions().mode() & 0o777, 0o700);
    second.shutdown().await;
}

#[tokio::test]
async fn it_speaks_tls_1_3_on_loopback_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Empty).await;
    let tls12 = tls(&venue, &[&rustls::version::TLS12]);
    let old = reqwest::Client::builder().tls_backend_preconfigured(tls12).no_proxy().build().unwrap();
    assert!(old.get(format!("{}/api/v3/ping", venue.rest_url)).send().await.unwrap_err().is_connect());
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = start(Config { listen: everywhere, ..Config::simulated(directory.path(), 1) }).await;
    assert!(matches!(refused, Err(StartError::NotLoopback(_))));
    let another = tempfile::tempdir().unwrap();
    let taken = start(Config { listen: venue.addr, ..Config::simulated(another.path(), 1) }).await;
    assert!(matches!(taken, Err(StartError::Listen { .. })));
    let claimed = start(Config::simulated(directory.path(), 1)).await;
    assert!(matches!(claimed, Err(StartError::Journal(JournalError::InUse(_)))));
    venue.shutdown().await;
}

#[tokio::test]
async fn bounds_and_reserved_paths() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Empty).await;
    let http = client(&venue);
    let answer = http.post(format!("{}/api/v3/order", venue.rest_url)).body("a".repeat(70_000)).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let answer = http.get(venue.ws_api_url.replace("wss", "https")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().contains("-1020")), (426, true));
    assert_eq!(http.get(format!("{}/ws/btcusdt@trade", venue.rest_url)).send().await.unwrap().status(), 426);
    let answer = http.get(format!("{}/api/v3/ping", venue.rest_url)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["x-mbx-used-weight-1m"].to_str().unwrap()), (200, "1"));
    venue.shutdown().await;
}

#[tokio::test]
async fn streams_carry_a_book_without_gaps_and_trades() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Simulated).await;
    let symbol = Symbol::parse("BTCUSDT").unwrap();
    let url = stream::url(&venue.ws_url, &[stream::name(&symbol, Channel::Depth), stream::name(&symbol, Channel::Trade)]);
    let mut socket = listen(&venue, url.strip_prefix(&venue.ws_url).unwrap()).await;
    // The first update before the snapshot, as the venue's documentation wants it.
    let first = next_text(&mut socket).await.unwrap();
    let body = client(&venue)
        .get(format!("{}/api/v3/depth?symbol=BTCUSDT&limit=5000", venue.rest_url))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let mut book = decode::depth(&body).unwrap();
    let (mut updates, mut trades, mut text) = (0, 0, first);
    while updates < 20 || trades < 2 {
        match stream::parse(&text).unwrap() {
            StreamEvent::Depth { update, .. } => updates += u32::from(book.apply(&update).expect("no gap")),
            StreamEvent::Trade { .. } => trades += 1,
            StreamEvent::Candle { .. } | StreamEvent::Day { .. } | StreamEvent::Other => panic!("{text}"),
        }
        text = next_text(&mut socket).await.unwrap();
    }
    let (bid, ask) = (book.bids().next().unwrap(), book.asks().next().unwrap());
    assert!(bid.price < ask.price);
    venue.shutdown().await;
}

#[tokio::test]
async fn a_recording_is_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/binance_feed.jsonl");
    let venue = open(&directory.path().join("venue"), Market::Replay(recording)).await;
    let mut socket = listen(&venue, "/ws/nknusdt@depth@100ms").await;
    let StreamEvent::Depth { symbol, .. } = stream::parse(&next_text(&mut socket).await.unwrap()).unwrap() else { panic!("not depth") };
    assert_eq!(symbol.as_str(), "NKNUSDT");
    venue.shutdown().await;
    let missing = start(Config { market: Market::Replay(directory.path().join("none")), ..Config::simulated(directory.path(), 1) }).await;
    assert!(matches!(missing, Err(StartError::RecordingFile(_))));
}

#[tokio::test]
async fn every_stream_tells_something() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Simulated).await;
    let mut waiting: Vec<String> = [
        "trade",
        "aggTrade",
        "depth@100ms",
        "depth",
        "depth5",
        "depth10@100ms",
        "depth20@100ms",
        "bookTicker",
        "miniTicker",
        "ticker",
        "kline_1m",
    ]
    .map(|kind| format!("ethusdt@{kind}"))
    .to_vec();
    let mut socket = listen(&venue, "/stream").await;
    socket.send(Message::text(json!({"method": "SUBSCRIBE", "params": waiting, "id": "all"}).to_string())).await.unwrap();
    let begin = Instant::now();
    while !waiting.is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(15), "silent: {waiting:?}");
        let message: Value = serde_json::from_str(&next_text(&mut socket).await.unwrap()).unwrap();
        waiting.retain(|name| message["stream"] != **name);
    }
    venue.shutdown().await;
}

#[tokio::test]
async fn subscriptions_are_managed_and_floods_end() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Empty).await;
    let mut socket = listen(&venue, "/ws/btcusdt@trade").await;
    let rows = [
        (r#"{"method":"LIST_SUBSCRIPTIONS","id":1}"#, r#"{"result":["btcusdt@trade"],"id":1}"#),
        (r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":null}"#, r#"{"result":null,"id":null}"#),
        (r#"{"method":"GET_PROPERTY","params":["combined"],"id":3}"#, r#"{"result":false,"id":3}"#),
        (r#"{"method":"SUBSCRIBE","params":"x","id":4}"#, r#"{"code":2,"msg":"Invalid request: stream names must be strings","id":4}"#),
        ("{", r#"{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}"#),
    ];
    for (at, (sent, expected)) in rows.into_iter().enumerate() {
        if at == 3 {
            // The pong to the venue's first ping counts as a message: all of them in one second could be one too many.
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        socket.send(Message::text(sent)).await.unwrap();
        assert_eq!(next_text(&mut socket).await.unwrap(), expected, "{sent}");
    }
    for _ in 0..10 {
        let _ = socket.send(Message::text("{")).await;
    }
    while next_text(&mut socket).await.is_some() {}
    let mut other = listen(&venue, "/ws/btcusdt@trade").await;
    venue.shutdown().await;
    let goodbye = next_text(&mut other).await.unwrap();
    assert!(goodbye.contains("serverShutdown"), "{goodbye}");
    assert_eq!(next_text(&mut other).await, None);
}
