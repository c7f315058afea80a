//! WebSocket streams. Invariant: same TLS rules as REST; messages are text of bounded size; pings are answered here.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls_pki_types::ServerName;
use strongroom_model::Advice;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

pub use tokio_tungstenite::tungstenite::Utf8Bytes as Text;

use crate::pin::Suite;
use crate::tls::{Trust, client_config};
use crate::trouble::{NotSent, innermost, why_not_connected};
use crate::{Endpoint, EndpointError, PinBoard, TlsError};

/// Largest message, bytes.
pub const MESSAGE_LEN_MAX: usize = 4 * 1_024 * 1_024;
/// Most bytes that wait to be written.
const WRITE_LEN_MAX: usize = 1_024 * 1_024;
/// Write as soon as there is something.
const WRITE_AT_ONCE: usize = 0;
/// Time for name, TCP and TLS together.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Time for the upgrade from HTTP.
const UPGRADE_MAX: Duration = Duration::from_secs(5);
/// A stream that broke is opened again after this long at the earliest.
const REOPEN_MS: u64 = 1_000;

/// Why a stream was not opened, or ended.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StreamError {
    /// The URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The authorities.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No connection that passed the checks. Nothing was sent.
    #[error(transparent)]
    NotConnected(#[from] NotSent),
    /// The server answered the upgrade with this HTTP status.
    #[error("the stream was refused with HTTP status {0}")]
    Refused(u16),
    /// Longer than [`MESSAGE_LEN_MAX`], binary, or no WebSocket at all.
    #[error("the stream broke its own rules: {0}")]
    Protocol(String),
    /// The connection broke.
    #[error("the stream broke: {0}")]
    Broken(String),
}

impl StreamError {
    /// A stream only tells: opening it again is always safe.
    pub const fn advice(&self) -> Advice {
        match self {
            Self::Endpoint(error) => error.advice(),
            Self::Tls(error) => error.advice(),
            Self::NotConnected(NotSent::Unreachable { .. }) | Self::Broken(_) | Self::Protocol(_) => Advice::RetryAfter(REOPEN_MS),
            Self::NotConnected(_) => Advice::Ask,
            Self::Refused(429 | 418 | 500..=599) => Advice::RetryAfter(60_000),
            Self::Refused(_) => Advice::Refuse,
        }
    }
}

/// An open stream.
#[derive(Debug)]
pub struct Stream {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    peer: Option<SocketAddr>,
}

impl Stream {
    /// Connects to a `wss` URL.
    pub async fn open(url: &str, trust: &Trust, board: &Arc<PinBoard>) -> Result<Self, StreamError> {
        let parsed = Url::parse(url).map_err(|_| EndpointError::Unreadable(url.to_owned()))?;
        if parsed.scheme() != "wss" {
            return Err(EndpointError::NotEncrypted(parsed.scheme().to_owned()).into());
        }
        let connection = connect(&Endpoint::of(&parsed)?, trust, board).await?;
        let peer = connection.get_ref().0.peer_addr().ok();
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LEN_MAX))
            .max_frame_size(Some(MESSAGE_LEN_MAX))
            .write_buffer_size(WRITE_AT_ONCE)
            .max_write_buffer_size(WRITE_LEN_MAX);
        let upgrade = client_async_with_config(parsed.as_str(), connection, Some(config));
        let (socket, _) = timeout(UPGRADE_MAX, upgrade)
            .await
            .map_err(|_| StreamError::Broken("the time for the upgrade ran out".to_owned()))?
            .map_err(broken)?;
        Ok(Self { socket, peer })
    }

    /// The address that was reached.
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The next message; `None` when the server closed the stream. Safe to drop while it waits.
    pub async fn next(&mut self) -> Result<Option<Text>, StreamError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Some(text)),
                // Pongs to pings are queued and flushed by the read itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => return Err(StreamError::Protocol("a binary message".to_owned())),
                Some(Ok(Message::Close(_)) | Err(WsError::ConnectionClosed)) | None => return Ok(None),
                Some(Err(error)) => return Err(broken(error)),
            }
        }
    }

    /// Sends a message, such as a subscription.
    pub async fn send_text(&mut self, text: impl Into<Text>) -> Result<(), StreamError> {
        self.socket.send(Message::Text(text.into())).await.map_err(broken)
    }

    /// Says farewell. The connection ends in any case.
    pub async fn close(mut self) {
        let _ = timeout(UPGRADE_MAX, self.socket.close(None)).await;
    }
}

/// Shakes hands and hangs up: every check is made, the board is told what was measured, nothing is sent.
pub async fn shake(endpoint: &Endpoint, trust: &Trust, board: &Arc<PinBoard>) -> Result<(), StreamError> {
    connect(endpoint, trust, board).await.map(drop)
}

async fn connect(endpoint: &Endpoint, trust: &Trust, board: &Arc<PinBoard>) -> Result<TlsStream<TcpStream>, StreamError> {
    let config = client_config(endpoint, trust, board)?;
    let name = ServerName::try_from(endpoint.host()).map_err(|_| EndpointError::Unreadable(endpoint.to_string()))?;
    let handshake = async {
        let tcp = TcpStream::connect((endpoint.host(), endpoint.port())).await?;
        tcp.set_nodelay(true)?;
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    };
    let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    match timeout(CONNECT_MAX, handshake).await.unwrap_or_else(|_| Err(late())) {
        Ok(connection) => {
            let session = connection.get_ref().1;
            if let (Some(protocol), Some(suite)) = (session.protocol_version(), session.negotiated_cipher_suite()) {
                let group = session.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name()));
                let suite = Suite { protocol: format!("{protocol:?}"), cipher: format!("{:?}", suite.suite()), group, at: board.now() };
                board.note_suite(endpoint, suite);
            }
            Ok(connection)
        }
        Err(error) => {
            let why = why_not_connected(endpoint.to_string(), &error);
            if !matches!(why, NotSent::Pin(_) | NotSent::Certificate { .. }) {
                board.note_trouble(endpoint, why.to_string());
            }
            Err(why.into())
        }
    }
}

fn broken(error: WsError) -> StreamError {
    match &error {
        WsError::Http(response) => StreamError::Refused(response.status().as_u16()),
        WsError::Capacity(_) | WsError::Protocol(_) | WsError::Utf8(_) | WsError::HttpFormat(_) => StreamError::Protocol(error.to_string()),
        _ => StreamError::Broken(innermost(&error as &(dyn StdError + 'static))),
    }
}
