//! The checks before anything is sent, against real TLS on loopback. Invariant shown: a refused server hears nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod venue;

use std::time::Duration;

use strongroom_model::{Advice, Timestamp};
use strongroom_net::{Line, NotSent, PinBoard, PinError, SendError, Stream, StreamError, Trust, shake};
use venue::{Authority, Identity, Script, Venue, pinned};

const SOON: Duration = Duration::from_secs(5);
const OK: Script = Script::Answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");

fn empty_board() -> std::sync::Arc<PinBoard> {
    PinBoard::new(|| Timestamp::from_ms(1_700_000_000_000))
}

/// What a line says that must not send anything.
async fn refused(venue: &Venue, trust: &Trust, board: std::sync::Arc<PinBoard>) -> NotSent {
    let line = Line::open(&venue.url(), trust, board).unwrap();
    let error = line.get("/api/v3/time", "", SOON).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(venue.heard(), Vec::<String>::new(), "the server heard something");
    match error {
        SendError::NotSent(why) => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn unknown_host_waits_for_a_person() {
    let authority = Authority::make();
    let identity = authority.identity();
    let venue = Venue::open(&identity, OK).await;
    let board = empty_board();
    let seen = identity.fingerprint();
    let why = refused(&venue, &authority.trust(), board.clone()).await;
    assert_eq!(why, NotSent::Pin(PinError::Unconfirmed { host: venue.endpoint.to_string(), seen }));
    assert_eq!(SendError::NotSent(why).advice(), Advice::Ask);
    assert_eq!(board.host(&venue.endpoint).unwrap().waiting.unwrap().key, seen);

    board.confirm(&venue.endpoint, seen).unwrap();
    let line = Line::open(&venue.url(), &authority.trust(), board.clone()).unwrap();
    assert_eq!(line.get("/api/v3/time", "", SOON).await.unwrap().status, 200);
    let host = board.host(&venue.endpoint).unwrap();
    let handshake = host.handshake.unwrap();
    assert_eq!((host.waiting, host.trouble), (None, None));
    assert_eq!(handshake.key, seen);
    assert!(handshake.chain[0].subject.contains("scripted venue"));
    assert_eq!(handshake.not_after.to_string(), "2120-01-01T00:00:00.000Z");
}

#[tokio::test]
async fn another_key_under_a_valid_chain_hears_nothing() {
    let authority = Authority::make();
    let (expected, shown) = (authority.identity(), authority.identity());
    let venue = Venue::open(&shown, OK).await;
    let board = pinned(&venue, &expected);
    let why = refused(&venue, &authority.trust(), board.clone()).await;
    let mismatch =
        PinError::Mismatch { host: venue.endpoint.to_string(), expected: vec![expected.fingerprint()], seen: shown.fingerprint() };
    assert_eq!(why, NotSent::Pin(mismatch.clone()));
    let text = SendError::NotSent(why).to_string();
    assert!(text.contains(&expected.fingerprint().to_string()) && text.contains(&shown.fingerprint().to_string()), "{text}");

    let error = Stream::open(&format!("wss://{}/ws", venue.endpoint), &authority.trust(), &board).await.unwrap_err();
    assert_eq!(error, StreamError::NotConnected(NotSent::Pin(mismatch)));
    assert_eq!(venue.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn a_backup_pin_opens_as_well() {
    let authority = Authority::make();
    let (old, new) = (authority.identity(), authority.identity());
    let venue = Venue::open(&new, OK).await;
    let board = pinned(&venue, &old);
    board.pin(&venue.endpoint, new.fingerprint()).unwrap();
    shake(&venue.endpoint, &authority.trust(), &board).await.unwrap();
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let authority = Authority::make();
    let identity = authority.identity();
    let venue = Venue::open_with(&identity, &[&rustls::version::TLS12], OK).await;
    let board = pinned(&venue, &identity);
    let why = refused(&venue, &authority.trust(), board.clone()).await;
    assert!(matches!(&why, NotSent::Tls { host, .. } if *host == venue.endpoint.to_string()), "{why:?}");
    assert!(board.host(&venue.endpoint).unwrap().trouble.unwrap().why.contains("TLS 1.3"));
}

/// Chain, dates and name are checked even if the key is pinned.
async fn certificate_refused(trust: &Trust, identity: Identity, because: &str) {
    let venue = Venue::open(&identity, OK).await;
    let board = pinned(&venue, &identity);
    let why = refused(&venue, trust, board.clone()).await;
    assert!(matches!(&why, NotSent::Certificate { why, .. } if why.contains(because)), "{why:?}");
    let host = board.host(&venue.endpoint).unwrap();
    assert!(host.trouble.unwrap().why.contains(because));
    assert_eq!(host.handshake, None);
}

#[tokio::test]
async fn expired_certificate() {
    let authority = Authority::make();
    certificate_refused(&authority.trust(), authority.identity_for("127.0.0.1", (2010, 2011)), "expired").await;
}

#[tokio::test]
async fn certificate_of_another_name() {
    let authority = Authority::make();
    certificate_refused(&authority.trust(), authority.identity_for("api.venue.test", (2020, 2120)), "not valid for").await;
}

#[tokio::test]
async fn certificate_of_another_authority() {
    let (ours, theirs) = (Authority::make(), Authority::make());
    // Both authorities bear the same name, so only the signature tells them apart.
    certificate_refused(&ours.trust(), theirs.identity(), "BadSignature").await;
    certificate_refused(&Trust::PublicRoots, theirs.identity(), "UnknownIssuer").await;
}

#[tokio::test]
async fn a_handshake_alone_measures_and_says_nothing() {
    let authority = Authority::make();
    let identity = authority.identity();
    let venue = Venue::open(&identity, OK).await;
    let board = pinned(&venue, &identity);
    shake(&venue.endpoint, &authority.trust(), &board).await.unwrap();
    let suite = board.host(&venue.endpoint).unwrap().handshake.unwrap().suite.unwrap();
    assert_eq!(suite.protocol, "TLSv1_3");
    assert!(suite.cipher.starts_with("TLS13_"), "{}", suite.cipher);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(venue.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn every_connection_is_checked_again() {
    let authority = Authority::make();
    let identity = authority.identity();
    let venue = Venue::open(&identity, Script::AnswerAndClose("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")).await;
    let board = pinned(&venue, &identity);
    let line = Line::open(&venue.url(), &authority.trust(), board.clone()).unwrap();
    line.get("/", "", SOON).await.unwrap();
    assert!(board.forget(&venue.endpoint, identity.fingerprint()));
    let error = line.get("/", "", SOON).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent(NotSent::Pin(PinError::Unconfirmed { .. }))), "{error}");
    assert_eq!(venue.heard().len(), 1);
}

#[test]
fn only_encrypted_addresses_without_a_path() {
    for bad in ["http://venue.test", "wss://venue.test", "https://venue.test/api", "https://venue.test/?a", "https://u@venue.test", "venue"]
    {
        assert!(Line::open(bad, &Trust::PublicRoots, empty_board()).is_err(), "{bad} was accepted");
    }
    assert!(Line::open("https://venue.test", &Trust::Authorities("no PEM".into()), empty_board()).is_err());
}
