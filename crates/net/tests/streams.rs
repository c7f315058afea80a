//! Streams against a real WebSocket server behind TLS on loopback.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod venue;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use strongroom_model::{Advice, Timestamp};
use strongroom_net::{Endpoint, MESSAGE_LEN_MAX, PinBoard, Stream, StreamError};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use venue::{Authority, Script, Venue, pinned};

/// A server that sends these messages, then echoes text, then closes when it hears `bye`.
async fn open(messages: Vec<Message>) -> (Stream, Arc<PinBoard>, Endpoint) {
    let authority = Authority::make();
    let identity = authority.identity();
    let acceptor = TlsAcceptor::from(Arc::new(identity.config(&[&rustls::version::TLS13])));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Endpoint = listener.local_addr().unwrap().to_string().parse().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(acceptor.accept(tcp).await.unwrap()).await.unwrap();
        for message in messages {
            // A client that hung up is what some tests are about.
            let _ = socket.send(message).await;
        }
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(text) if text == "bye" => drop(socket.close(None).await),
                Message::Text(text) => socket.send(Message::Text(text)).await.unwrap(),
                Message::Pong(payload) => {
                    let text = format!("pong {}", String::from_utf8_lossy(&payload));
                    socket.send(Message::Text(text.into())).await.unwrap();
                }
                _ => {}
            }
        }
    });
    let board = PinBoard::new(|| Timestamp::from_ms(1));
    board.pin(&endpoint, identity.fingerprint()).unwrap();
    let stream = Stream::open(&format!("wss://{endpoint}/stream?streams=a/b"), &authority.trust(), &board).await.unwrap();
    (stream, board, endpoint)
}

async fn next(stream: &mut Stream) -> Result<Option<String>, StreamError> {
    let message = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap()?;
    Ok(message.map(|text| text.as_str().to_owned()))
}

#[tokio::test]
async fn text_in_text_out_farewell() {
    let (mut stream, board, endpoint) = open(vec![Message::text("hello")]).await;
    assert_eq!(next(&mut stream).await, Ok(Some("hello".into())));
    stream.send_text("{\"method\":\"SUBSCRIBE\"}").await.unwrap();
    assert_eq!(next(&mut stream).await, Ok(Some("{\"method\":\"SUBSCRIBE\"}".into())));
    stream.send_text("bye").await.unwrap();
    assert_eq!(next(&mut stream).await, Ok(None));
    let suite = board.host(&endpoint).unwrap().handshake.unwrap().suite.unwrap();
    assert_eq!(suite.protocol, "TLSv1_3");
}

#[tokio::test]
async fn pings_are_answered() {
    let (mut stream, ..) = open(vec![Message::Ping("a".into())]).await;
    assert_eq!(next(&mut stream).await, Ok(Some("pong a".into())));
}

#[tokio::test]
async fn size_and_kind_are_bounded() {
    let (mut stream, ..) = open(vec![Message::text("x".repeat(MESSAGE_LEN_MAX))]).await;
    assert_eq!(next(&mut stream).await.unwrap().unwrap().len(), MESSAGE_LEN_MAX);
    for message in [Message::text("x".repeat(MESSAGE_LEN_MAX + 1)), Message::binary(vec![1])] {
        let (mut stream, ..) = open(vec![message]).await;
        let error = next(&mut stream).await.unwrap_err();
        assert!(matches!(error, StreamError::Protocol(_)), "{error}");
    }
}

#[tokio::test]
async fn a_refused_upgrade_tells_its_status() {
    let authority = Authority::make();
    let identity = authority.identity();
    let venue = Venue::open(&identity, Script::Answer("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n")).await;
    let url = format!("wss://{}/ws", venue.endpoint);
    let error = Stream::open(&url, &authority.trust(), &pinned(&venue, &identity)).await.unwrap_err();
    assert_eq!((error.advice(), error), (Advice::RetryAfter(60_000), StreamError::Refused(429)));
}

#[tokio::test]
async fn plain_text_is_refused() {
    let board = PinBoard::new(|| Timestamp::from_ms(1));
    let error = Stream::open("ws://venue.test/ws", &strongroom_net::Trust::PublicRoots, &board).await.unwrap_err();
    assert!(matches!(error, StreamError::Endpoint(_)), "{error}");
}
