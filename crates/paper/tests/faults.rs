//! Faults on demand, on the network. Invariant shown: each reaches clients as it was asked for, and none is left when they are cleared.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test says what it expects by unwrapping it")]

mod venue;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use strongroom_paper::{AdminAsk, AdminTell, Certificate, Config, Fault, Market, StartError, StreamFault, Target, start};
use strongroom_venues::binance::decode;
use strongroom_venues::binance::stream::{self, StreamEvent};
use tokio_tungstenite::tungstenite::Message;
use venue::{OPEN_ORDERS, Socket, ask, buy, client, connect, listen, next_text, open};

#[tokio::test]
async fn faults_happen_when_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Empty).await;
    let http = client(&venue);
    let orders = Target::only("POST", "/api/v3/order");
    let open_orders = async || decode::orders(&ask(&venue, &http, &OPEN_ORDERS).await.unwrap().1).unwrap().len();

    venue.faults().plan(1, orders.clone(), Fault::DropAnswer).unwrap();
    assert!(ask(&venue, &http, &buy("dropped")).await.is_err());
    assert_eq!(open_orders().await, 1, "it was executed");

    venue.faults().plan(1, orders.clone(), Fault::CloseConnection).unwrap();
    assert!(ask(&venue, &http, &buy("closed")).await.is_err());
    assert_eq!(open_orders().await, 1, "it was not executed");

    venue.faults().plan(1, orders.clone(), Fault::RateLimited { status: 418, retry_after_s: 9 }).unwrap();
    assert_eq!(ask(&venue, &http, &buy("banned")).await.unwrap().0, 418);

    venue.faults().plan(1, orders.clone(), Fault::ServerError { status: 504, was_executed: true }).unwrap();
    assert_eq!(ask(&venue, &http, &buy("late")).await.unwrap().0, 504);
    assert_eq!(open_orders().await, 2);

    venue.faults().plan(1, orders.clone(), Fault::MalformedBody).unwrap();
    let (status, body) = ask(&venue, &http, &buy("broken")).await.unwrap();
    assert!(status == 200 && decode::order(&body).is_err());

    venue.faults().plan(1, Target::any(), Fault::DelayAnswer(Duration::from_millis(300))).unwrap();
    let begin = Instant::now();
    ask(&venue, &http, &OPEN_ORDERS).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(300));

    venue.faults().skew_clock_ms(-30_000);
    let (status, body) = ask(&venue, &http, &buy("early")).await.unwrap();
    assert!(status == 400 && String::from_utf8(body).unwrap().contains("-1021"));
    venue.faults().clear();
    assert_eq!(venue.faults().pending(), 0);
    assert_eq!(open_orders().await, 3);
    venue.shutdown().await;
}

#[tokio::test]
async fn a_swapped_certificate_has_another_key_under_the_same_authority() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Empty).await;
    let shown = async || connect(&venue).await.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let contains_pin = |certificate: &[u8]| {
        use base64::Engine as _;
        use sha2::Digest as _;
        // The server key's SubjectPublicKeyInfo (P-256) has 91 bytes; look for it by its digest.
        let pin = base64::engine::general_purpose::STANDARD.decode(&venue.spki_sha256).unwrap();
        certificate.windows(91).any(|window| sha2::Sha256::digest(window).as_slice() == pin)
    };
    assert!(contains_pin(&shown().await));
    venue.faults().swap_certificate(true);
    assert!(!contains_pin(&shown().await));
    venue.faults().swap_certificate(false);
    assert!(contains_pin(&shown().await));
    venue.shutdown().await;
}

#[tokio::test]
async fn maintenance_closes_every_door_but_one() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Simulated).await;
    let http = client(&venue);
    let status = async || {
        let answer = http.get(format!("{}/sapi/v1/system/status", venue.rest_url)).send().await.unwrap();
        serde_json::from_slice::<Value>(&answer.bytes().await.unwrap()).unwrap()
    };
    assert_eq!(status().await["status"], 0);
    let mut api = listen(&venue, "/ws-api/v3").await;
    let mut stream = listen(&venue, "/ws/btcusdt@depth@100ms").await;
    assert_eq!(venue.admin(AdminAsk::Maintain { is_closed: true }), AdminTell::Done);
    assert_eq!(status().await, json!({"status": 1, "msg": "system_maintenance"}));
    assert_eq!(http.get(format!("{}/api/v3/ping", venue.rest_url)).send().await.unwrap().status(), 503);
    api.send(Message::text(json!({"id": 1, "method": "time"}).to_string())).await.unwrap();
    let answer: Value = serde_json::from_str(&next_text(&mut api).await.unwrap()).unwrap();
    assert_eq!((answer["status"].as_u64(), answer["error"]["code"].as_i64()), (Some(503), Some(-1016)), "{answer}");
    assert_eq!(next_text(&mut api).await, None, "and the connection ends");
    while next_text(&mut stream).await.is_some() {}
    let url = format!("{}/ws/btcusdt@trade", venue.ws_url);
    assert!(tokio_tungstenite::client_async(url, connect(&venue).await).await.is_err(), "nobody comes in");
    assert_eq!(venue.admin(AdminAsk::ClearFaults), AdminTell::Done);
    assert!(next_text(&mut listen(&venue, "/ws/btcusdt@depth@100ms").await).await.is_some());
    venue.shutdown().await;
}

/// Numbers of the updates that a listener hears until there are so many.
async fn numbers(socket: &mut Socket, count: usize) -> Vec<(u64, u64)> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let text = next_text(socket).await.unwrap();
        if let StreamEvent::Depth { update, .. } = stream::parse(&text).unwrap() {
            heard.push((update.first, update.last));
        }
    }
    heard
}

#[tokio::test]
async fn a_gap_and_a_wrong_order_reach_listeners_of_every_rhythm() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Simulated).await;
    for (path, count) in [("/ws/btcusdt@depth@100ms", 30), ("/ws/btcusdt@depth", 5)] {
        for fault in [StreamFault::Gap, StreamFault::Reorder] {
            let mut socket = listen(&venue, path).await;
            let before = numbers(&mut socket, 1).await;
            venue.faults().plan_stream(1, fault).unwrap();
            let heard = [before, numbers(&mut socket, count).await].concat();
            let holes = heard.windows(2).filter(|pair| pair[1].0 > pair[0].1 + 1).count();
            let back = heard.windows(2).filter(|pair| pair[1].0 < pair[0].0).count();
            let expected = if fault == StreamFault::Gap { (1, 0) } else { (2, 1) };
            assert_eq!((holes, back), expected, "{path} {fault:?}: {heard:?}");
        }
    }
    venue.shutdown().await;
}

#[tokio::test]
async fn certificates_of_a_stranger_and_for_another_name_are_refused_by_clients() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Empty).await;
    let ping = async || client(&venue).get(format!("{}/api/v3/ping", venue.rest_url)).send().await;
    for certificate in [Certificate::Stranger, Certificate::OtherName, Certificate::Expired] {
        venue.faults().show_certificate(certificate);
        assert!(ping().await.is_err_and(|error| error.is_connect()), "{certificate:?}");
    }
    venue.faults().show_certificate(Certificate::Own);
    assert!(ping().await.is_ok());
    venue.shutdown().await;
}

#[tokio::test]
async fn faults_that_cannot_be_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let venue = open(directory.path(), Market::Empty).await;
    let faults = venue.faults();
    for fault in [
        Fault::RateLimited { status: 200, retry_after_s: 1 },
        Fault::ServerError { status: 200, was_executed: true },
        Fault::Jitter { min_ms: 9, max_ms: 1 },
    ] {
        assert!(faults.plan(1, Target::any(), fault).is_err(), "{fault:?}");
    }
    assert!(faults.plan(0, Target::any(), Fault::DropAnswer).is_err());
    assert_eq!(faults.pending(), 0);
    venue.shutdown().await;
}

#[tokio::test]
async fn a_directory_that_others_may_write_to_is_refused_and_loose_secrets_are_closed() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("venue");
    open(&data_dir, Market::Empty).await.shutdown().await;
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&data_dir.join("trade.secret"), 0o644);
    open(&data_dir, Market::Empty).await.shutdown().await;
    assert_eq!(std::fs::metadata(data_dir.join("trade.secret")).unwrap().permissions().mode() & 0o777, 0o600);
    mode(&data_dir, 0o777);
    let refused = start(Config::simulated(&data_dir, 1)).await;
    assert!(matches!(refused, Err(StartError::DataDir(_))));
    mode(&data_dir, 0o700);
    let journal = data_dir.join("journal");
    std::fs::rename(&journal, directory.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &journal).unwrap();
    assert!(matches!(start(Config::simulated(&data_dir, 1)).await, Err(StartError::DataDir(_))), "a link");
}
