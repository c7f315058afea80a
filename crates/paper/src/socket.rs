//! A WebSocket of the venue. Invariant: messages, buffers and waits are bounded by name; a client that does not take what it is sent
//! is disconnected.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use futures_util::SinkExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use crate::server::{Reply, plain};

/// Longest message of a client.
const MESSAGE_LEN_MAX: usize = 64 * 1024;
/// Bytes that wait in memory for a slow client.
const WRITE_BUFFER_MAX: usize = 1024 * 1024;
/// Time in which a client must take a message.
const SEND: Duration = Duration::from_secs(5);
/// Rhythm of pings, and how long an answer may take.
pub(crate) const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(60);
/// Bytes of a handshake's key (RFC 6455, 4.1).
const KEY_LEN: usize = 16;
/// Life of a connection.
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 3_600);

/// Whether a client answers pings (`web-socket-streams.md`: a pong bears the ping's payload; others count for nothing).
pub(crate) struct Pulse {
    answered: Instant,
    count: u64,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self { answered: Instant::now(), count: 0 }
    }

    /// The next ping.
    pub(crate) fn ping(&mut self) -> Message {
        self.count += 1;
        Message::Ping(Bytes::from(self.count.to_string()))
    }

    pub(crate) fn hear(&mut self, message: &Message) {
        if matches!(message, Message::Pong(payload) if self.count > 0 && **payload == *self.count.to_string().as_bytes()) {
            self.answered = Instant::now();
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.answered.elapsed() < PONG
    }
}

pub(crate) type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// What a handshake (RFC 6455, 4.2.1) is answered with; `None` when it is none.
pub(crate) fn accept(request: &hyper::Request<Incoming>) -> Option<HeaderValue> {
    let is = |name, wanted: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    let is_asked = request.method() == hyper::Method::GET && request.version() == hyper::Version::HTTP_11;
    let key = request.headers().get(SEC_WEBSOCKET_KEY).filter(|key| BASE64.decode(key.as_bytes()).is_ok_and(|key| key.len() == KEY_LEN))?;
    let is_whole = is_asked && is(UPGRADE, "websocket") && is(CONNECTION, "upgrade") && is(SEC_WEBSOCKET_VERSION, "13");
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok().filter(|_| is_whole)
}

/// Answers the handshake (RFC 6455, 4.2) and does `work` on a task of its own.
pub(crate) fn upgrade<W: Future<Output = ()> + Send + 'static>(
    request: hyper::Request<Incoming>,
    sockets: &Mutex<JoinSet<()>>,
    work: impl FnOnce(Socket) -> W + Send + 'static,
) -> Reply {
    let Some(accept) = accept(&request) else { return plain(426, r#"{"code":-1020,"msg":"This operation is not supported."}"#) };
    let task = async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LEN_MAX))
            .max_frame_size(Some(MESSAGE_LEN_MAX))
            .max_write_buffer_size(WRITE_BUFFER_MAX);
        work(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await).await;
    };
    sockets.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    let mut reply = Reply::default();
    *reply.status_mut() = hyper::StatusCode::SWITCHING_PROTOCOLS;
    reply.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    reply.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
    reply
}

/// Whether the client took the message in time.
pub(crate) async fn send(socket: &mut Socket, message: Message) -> bool {
    matches!(tokio::time::timeout(SEND, socket.send(message)).await, Ok(Ok(())))
}

/// Says goodbye, or answers the client's goodbye; the client may have left without saying so.
pub(crate) async fn close(socket: &mut Socket) {
    let farewell = async {
        // The client closed first: the answer to that waits to be written.
        if socket.close(None).await.is_err() {
            let _ = socket.flush().await;
        }
    };
    let _ = tokio::time::timeout(SEND, farewell).await;
}
