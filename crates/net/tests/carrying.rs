//! What leaves and what is said about answers, against real TLS on loopback. Invariant shown: sent unchanged, at most
//! once, and no doubt is reported as certainty.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod venue;

use std::time::Duration;

use strongroom_model::{Advice, Method, SignedRequest};
use strongroom_net::{Line, NoAnswer, NotSent, SendError};
use tokio::io::AsyncWriteExt as _;
use venue::{Authority, Script, Venue, pinned};

const SOON: Duration = Duration::from_secs(5);
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-MBX-USED-WEIGHT-1M: 7\r\n\r\n{}";

async fn open(script: Script) -> (Venue, Line) {
    let authority = Authority::make();
    let identity = authority.identity();
    let venue = Venue::open(&identity, script).await;
    let line = Line::open(&venue.url(), &authority.trust(), pinned(&venue, &identity)).unwrap();
    (venue, line)
}

fn request(method: Method, query: &str, body: &str) -> SignedRequest {
    SignedRequest {
        method,
        path: "/api/v3/order".into(),
        query: query.into(),
        body: body.into(),
        key_header: "X-MBX-APIKEY".into(),
        api_key: "key-of-the-test".into(),
    }
}

#[tokio::test]
async fn bytes_leave_as_they_were_signed() {
    let (venue, line) = open(Script::Answer(OK)).await;
    // CJK, every reserved character of RFC 3986, lower and upper case escapes, repeated and empty parameters.
    let params = "symbol=%E5%B8%81%E5%AE%89%e4%BA%ba&x=%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%2F%3F%23%5B%5D&y=a+b~c-d_e.f!*()&y=&&=&signature=ab%2Fcd%3D%3D";
    line.send(&request(Method::Get, params, ""), SOON).await.unwrap();
    line.send(&request(Method::Delete, params, ""), SOON).await.unwrap();
    let answer = line.send(&request(Method::Post, "", params), SOON).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice(), answer.header("x-mbx-used-weight-1m")), (200, b"{}".as_slice(), Some("7")));
    assert!(answer.sent_at < answer.answered_at);
    let heard = venue.heard();
    assert_eq!(heard.len(), 3);
    assert!(heard[0].starts_with(&format!("GET /api/v3/order?{params} HTTP/1.1\r\n")), "{}", heard[0]);
    assert!(heard[1].starts_with(&format!("DELETE /api/v3/order?{params} HTTP/1.1\r\n")), "{}", heard[1]);
    assert!(heard[2].starts_with("POST /api/v3/order HTTP/1.1\r\n") && heard[2].ends_with(&format!("\r\n\r\n{params}")), "{}", heard[2]);
    assert!(heard[2].contains("content-type: application/x-www-form-urlencoded\r\n"));
    assert!(heard.iter().all(|head| head.contains("x-mbx-apikey: key-of-the-test\r\n") && !head.contains("cookie")));
}

#[tokio::test]
async fn what_would_change_does_not_leave() {
    let (venue, line) = open(Script::Answer(OK)).await;
    for query in ["a=ä", "a=b c", "a=\"", "a=<>", "a=1#b", "a='", "a=\t", "a=\n", "symbol=币安"] {
        let error = line.send(&request(Method::Get, query, ""), SOON).await.unwrap_err();
        assert_eq!(error, SendError::NotSent(NotSent::WouldChange("query")), "{query:?}");
        assert_eq!(error.advice(), Advice::Bug);
    }
    for path in ["api/v3", "/a/../b", "/a b", "/ä", "/a?b", "//other/..", "\\a", "", "/a#b"] {
        let error = line.send(&SignedRequest { path: path.into(), ..request(Method::Get, "", "") }, SOON).await.unwrap_err();
        assert_eq!(error, SendError::NotSent(NotSent::WouldChange("path")), "{path:?}");
    }
    let split = SignedRequest { api_key: "a\r\nhost: b".into(), ..request(Method::Get, "", "") };
    assert_eq!(line.send(&split, SOON).await.unwrap_err(), SendError::NotSent(NotSent::WouldChange("API key")));
    assert_eq!(venue.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn redirects_are_answers() {
    let (elsewhere, _) = open(Script::Answer(OK)).await;
    let target = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
    let (venue, line) = open(Script::Answer(target.leak())).await;
    assert_eq!(line.send(&request(Method::Post, "", "a=1"), SOON).await.unwrap().status, 307);
    assert_eq!((venue.heard().len(), elsewhere.heard().len()), (1, 0));
}

/// Sent once, outcome unknown.
async fn no_answer(script: Script, timeout: Duration) -> NoAnswer {
    let (venue, line) = open(script).await;
    let error = line.send(&request(Method::Post, "", "signature=secret-of-a-kind"), timeout).await.unwrap_err();
    assert_eq!(error.advice(), Advice::Reconcile);
    assert!(!error.to_string().contains("secret-of-a-kind"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(venue.heard().len(), 1, "sent more than once, or not at all");
    match error {
        SendError::NoAnswer(why) => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_dropped_answer_is_no_answer() {
    assert!(matches!(no_answer(Script::AnswerAndClose(""), SOON).await, NoAnswer::Broken(_)));
    assert!(matches!(no_answer(Script::AnswerAndClose("HTTP/1.1 200 OK\r\nconte"), SOON).await, NoAnswer::Broken(_)));
    assert!(matches!(no_answer(Script::AnswerAndClose("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"), SOON).await, NoAnswer::Broken(_)));
    assert!(matches!(no_answer(Script::Answer("no HTTP at all\r\n\r\n"), SOON).await, NoAnswer::Broken(_)));
}

#[tokio::test]
async fn a_late_answer_is_no_answer() {
    assert_eq!(no_answer(Script::Silence, Duration::from_millis(300)).await, NoAnswer::TimedOut);
    let half = Script::Answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}");
    assert_eq!(no_answer(half, Duration::from_millis(300)).await, NoAnswer::TimedOut);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 8388609\r\n\r\n{}", "x".repeat(8_388_609));
    assert_eq!(no_answer(Script::Answer(long.leak()), SOON).await, NoAnswer::TooLong(8_388_608));
}

/// The server closed the kept connection: the request goes over a new one, and only there.
#[tokio::test]
async fn a_connection_closed_while_idle_costs_nothing() {
    let (venue, line) = open(Script::AnswerAndClose(OK)).await;
    for _ in 0..5 {
        line.send(&request(Method::Post, "", "a=1"), SOON).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(venue.heard().len(), 5);
}

#[tokio::test]
async fn nobody_there_is_certainly_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let authority = Authority::make();
    let board = strongroom_net::PinBoard::new(|| strongroom_model::Timestamp::from_ms(0));
    let line = Line::open(&format!("https://{endpoint}"), &authority.trust(), board.clone()).unwrap();

    // Someone who listens but hangs up before the handshake.
    let hang_up = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tcp.shutdown().await.unwrap();
    });
    let error = line.send(&request(Method::Post, "", "a=1"), SOON).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent(NotSent::Unreachable { .. })), "{error}");
    hang_up.await.unwrap();

    // Nobody listens any more.
    let error = line.send(&request(Method::Post, "", "a=1"), SOON).await.unwrap_err();
    assert!(
        matches!(&error, SendError::NotSent(NotSent::Unreachable { host, why }) if *host == endpoint && why.contains("refused")),
        "{error}"
    );
    assert!(matches!(error.advice(), Advice::RetryAfter(_)));
    assert!(board.host(line.endpoint()).unwrap().trouble.is_some());
}
