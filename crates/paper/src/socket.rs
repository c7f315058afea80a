//! A WebSocket of the venue. Invariant: messages, buffers and waits are bounded by name; a client that does not take what it is sent
//! is disconnected.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::SinkExt as _;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
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
pub(crate) const PONG: Duration = Duration::from_secs(60);
/// Life of a connection.
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 3_600);

pub(crate) type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Answers the handshake (RFC 6455, 4.2) and does `work` on a task of its own.
pub(crate) fn upgrade<W: Future<Output = ()> + Send + 'static>(
    request: hyper::Request<Incoming>,
    sockets: &Mutex<JoinSet<()>>,
    work: impl FnOnce(Socket) -> W + Send + 'static,
) -> Reply {
    let is = |name, wanted: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.to_ascii_lowercase().contains(wanted))
    };
    let accept = request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let accept = accept.and_then(|accept| HeaderValue::from_str(&accept).ok());
    let (true, true, true, Some(accept)) = (is(UPGRADE, "websocket"), is(CONNECTION, "upgrade"), is(SEC_WEBSOCKET_VERSION, "13"), accept)
    else {
        return plain(426, r#"{"code":-1020,"msg":"This operation is not supported."}"#);
    };
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
