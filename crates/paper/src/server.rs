//! The venue on the network: HTTPS and secure WebSockets on loopback, TLS 1.3 only.
//!
//! Invariant: it listens on loopback only; every connection, queue, body and wait has a bound with a name.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use strongroom_model::Timestamp;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::admin::{Admin, AdminAsk, AdminTell, Whereabouts};
use crate::authority::{self, AuthorityError};
use crate::exchange::{self, Account, Exchange, MarketEvent, Recording, RecordingError, Request, Response, TICK_MS, UserEvent};
use crate::faults::{Fault, Faults, Refused, StreamNews};
use crate::journal::{Journal, JournalError};
use crate::kept::{Kept, NotKept};
use crate::keys::{KeyFile, KeysError, PaperKey};
use crate::time_unit::TimeUnit;
use crate::{api_socket, files, streams};

/// Connections at once; further ones are closed before a handshake.
const CONNECTIONS_MAX: usize = 2_048;
/// Time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time for a request's headers; an idle connection ends after it.
const HEADERS: Duration = Duration::from_secs(60);
/// Time for a request's body.
const BODY: Duration = Duration::from_secs(10);
/// Longest request head.
const HEAD_LEN_MAX: usize = 32 * 1024;
/// Longest request body.
const BODY_LEN_MAX: usize = 64 * 1024;
/// Ticks of market data that a slow listener may be behind.
const TICKS_BEHIND_MAX: usize = 64;
/// Batches of user data that a slow listener may be behind.
const USER_BATCHES_BEHIND_MAX: usize = 4_096;
/// Time that open connections have to end at shutdown.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where prices come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Market {
    /// A market maker and takers of the house, moved by the seed.
    Simulated,
    /// Nobody trades but the clients.
    Empty,
    /// Books follow the recording in this file (JSON lines, or the same with gzip), over and over.
    Replay(PathBuf),
    /// The same, and the usual markets beside it are simulated.
    Both(PathBuf),
}

/// How to open a venue on the network.
#[derive(Clone)]
pub struct Config {
    /// Loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Keeps authority, server key, API keys, and the journal of orders, fills and balances; made when absent.
    pub data_dir: PathBuf,
    /// Decides the course of a simulated market.
    pub seed: u64,
    /// Where prices come from.
    pub market: Market,
    /// How it moves.
    pub scene: exchange::Scene,
    /// Rate limits.
    pub limits: exchange::Limits,
    /// Accounts besides the one whose keys stand in `data_dir`.
    pub more_accounts: Vec<Account>,
}

impl Config {
    /// A simulated venue on a free port of 127.0.0.1.
    pub fn simulated(data_dir: impl Into<PathBuf>, seed: u64) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: data_dir.into(),
            seed,
            market: Market::Simulated,
            scene: exchange::Scene::default(),
            limits: exchange::Limits::default(),
            more_accounts: Vec::new(),
        }
    }
}

/// Why a venue could not be opened. Nothing listens then.
#[derive(Debug, Error)]
pub enum StartError {
    /// Asked to listen to the network.
    #[error("{0} is not a loopback address: the paper venue serves this machine only")]
    NotLoopback(SocketAddr),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The data directory cannot be made.
    #[error("the data directory cannot be used: {0}")]
    DataDir(io::Error),
    /// Certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// API keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// What was saved.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The recording's file.
    #[error("the recording cannot be read: {0}")]
    RecordingFile(io::Error),
    /// The recording's content.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

impl StartError {
    /// A person has to change something before the venue can open.
    pub const fn advice(&self) -> strongroom_model::Advice {
        strongroom_model::Advice::Ask
    }
}

/// An open venue. Dropping the handle closes it without waiting.
pub struct PaperHandle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Base of REST requests, such as `https://127.0.0.1:40123`.
    pub rest_url: String,
    /// Base of market streams, such as `wss://127.0.0.1:40123`.
    pub ws_url: String,
    /// The WebSocket API.
    pub ws_api_url: String,
    /// The authority to trust.
    pub ca_pem: String,
    /// The same as a file.
    pub ca_file: PathBuf,
    /// Pin of the server key: base64 of SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: String,
    /// API keys as they were at the start; of the first account: `trade`, `ed25519`, `read`.
    pub keys: Vec<PaperKey>,
    exchange: Arc<Mutex<Exchange>>,
    faults: Arc<Faults>,
    admin: Admin,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl PaperHandle {
    /// Faults to order.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Does what an administrator asks.
    pub fn admin(&self, ask: AdminAsk) -> AdminTell {
        self.admin.carry_out(ask)
    }

    /// The venue itself, to look into and to seed.
    pub fn exchange(&self) -> Arc<Mutex<Exchange>> {
        self.exchange.clone()
    }

    /// The key with this label.
    pub fn key(&self, label: &str) -> Option<&PaperKey> {
        self.keys.iter().find(|key| key.label == label)
    }

    /// Tells listeners, closes every connection and waits until all have ended.
    pub async fn shutdown(self) {
        // Without receivers everything has ended already.
        let _ = self.stop.send(true);
        let _ = self.serving.await;
    }
}

/// What every connection shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) exchange: Arc<Mutex<Exchange>>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) events: broadcast::Sender<StreamNews>,
    pub(crate) user_events: broadcast::Sender<Arc<Vec<UserEvent>>>,
    kept: Arc<Mutex<Kept>>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Shared {
    /// The venue's clock, with the skew that was asked for.
    pub(crate) fn now(&self) -> Timestamp {
        now().plus_ms(self.faults.skew_ms())
    }

    /// Works with the exchange. What came of it is in the journal and passed on to user data streams before anything else
    /// happens to the exchange, and before anybody is answered.
    pub(crate) fn with_exchange<R>(&self, work: impl FnOnce(&mut Exchange) -> R) -> Result<R, NotKept> {
        let mut exchange = lock(&self.exchange);
        let done = work(&mut exchange);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).keep(&mut exchange)?;
        let events = exchange.take_user_events();
        if !events.is_empty() {
            // The last listener may have left just now.
            let _ = self.user_events.send(Arc::new(events));
        }
        Ok(done)
    }
}

/// Opens a venue.
pub async fn start(config: Config) -> Result<PaperHandle, StartError> {
    if !config.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(config.listen));
    }
    files::make_directory(&config.data_dir).map_err(StartError::DataDir)?;
    let identity = authority::open(&config.data_dir, SystemTime::now())?;
    let key_file = KeyFile::open(&config.data_dir, now())?;
    let all_keys = key_file.all()?;
    let market = match &config.market {
        Market::Simulated => exchange::Market::Simulated,
        Market::Empty => exchange::Market::Empty,
        Market::Replay(path) => {
            let text = files::read_recording(path).map_err(StartError::RecordingFile)?;
            exchange::Market::Replay(Recording::parse(&text)?)
        }
        Market::Both(path) => {
            let text = files::read_recording(path).map_err(StartError::RecordingFile)?;
            exchange::Market::Both(Recording::parse(&text)?)
        }
    };
    let accounts = std::iter::once(Account::funded(Vec::new())).chain(config.more_accounts).collect();
    let venue =
        exchange::Config { accounts, limits: config.limits, scene: config.scene, ..exchange::Config::standard(config.seed, market) };
    let (mut journal, saved) = Journal::open(&config.data_dir)?;
    let mut exchange = Exchange::reopen(venue, saved, now());
    for (key, known) in &all_keys {
        // A key of an account that is gone is no key.
        let _ = exchange.put_key(&key.account, known.clone());
    }
    journal.rewrite(&exchange.all_entries()).map_err(StartError::DataDir)?;
    exchange.take_entries();
    let kept = Arc::new(Mutex::new(Kept::new(journal)));
    let exchange = Arc::new(Mutex::new(exchange));
    let refused = |source| StartError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let faults = Arc::new(Faults::new(identity.shown));
    let (stop, stopped) = watch::channel(false);
    let (events, _) = broadcast::channel(TICKS_BEHIND_MAX);
    let (user_events, _) = broadcast::channel(USER_BATCHES_BEHIND_MAX);
    let shared = Shared { exchange: exchange.clone(), faults: faults.clone(), events, user_events, kept, stop: stopped };
    let whereabouts = Whereabouts {
        rest_url: format!("https://{addr}"),
        ws_url: format!("wss://{addr}"),
        ws_api_url: format!("wss://{addr}{}", api_socket::PATH),
        ca_file: identity.ca_file,
    };
    let admin = Admin::new(shared.clone(), key_file, whereabouts.clone());
    admin.clone().serve(&config.data_dir).map_err(StartError::DataDir)?;
    let serving = tokio::spawn(serve(listener, TlsAcceptor::from(identity.tls), shared));
    tracing::info!(%addr, "paper venue is open");
    Ok(PaperHandle {
        addr,
        rest_url: whereabouts.rest_url,
        ws_url: whereabouts.ws_url,
        ws_api_url: whereabouts.ws_api_url,
        ca_pem: identity.ca_pem,
        ca_file: whereabouts.ca_file,
        spki_sha256: identity.spki_sha256,
        keys: all_keys.into_iter().map(|(key, _)| key).collect(),
        exchange,
        faults,
        admin,
        stop,
        serving,
    })
}

/// The venue's clock: the only one that is read.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_us(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

pub(crate) fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resolves when the venue closes, or its handle was dropped.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the handle is gone: the same.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, shared: Shared) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stop = shared.stop.clone();
    let mut connections = JoinSet::new();
    let tick = tokio::time::sleep(until_next_tick(shared.now()));
    tokio::pin!(tick);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = &mut tick => {
                move_market(&shared);
                tick.as_mut().reset(tokio::time::Instant::now() + until_next_tick(shared.now()));
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Full: the connection is closed by being dropped.
                    let Ok(place) = places.clone().try_acquire_owned() else { continue };
                    let (acceptor, shared) = (acceptor.clone(), shared.clone());
                    connections.spawn(async move {
                        connection(stream, peer.ip(), acceptor, shared).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, all_ended).await.is_err() {
        connections.shutdown().await;
    }
}

/// Ticks happen when the clock shows a multiple of their length: what is told bears the time at which it is told.
fn until_next_tick(now: Timestamp) -> Duration {
    let tick_us = TICK_MS * 1_000;
    Duration::from_micros((tick_us - now.us().rem_euclid(tick_us)).unsigned_abs())
}

fn move_market(shared: &Shared) {
    let Ok(events) = shared.with_exchange(|exchange| exchange.advance(shared.now())) else { return };
    if shared.events.receiver_count() > 0 && !events.is_empty() {
        let batch: Vec<(String, String)> =
            events.iter().flat_map(MarketEvent::messages).map(|(name, data)| (name, data.to_string())).collect();
        // The last listener may have left just now.
        let _ = shared.events.send(shared.faults.bend(batch));
    }
}

async fn connection(stream: TcpStream, address: IpAddr, acceptor: TlsAcceptor, shared: Shared) {
    // Latency only: a socket that does not take the option works as well.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let mut stop = shared.stop.clone();
    let upgrades = Arc::new(Mutex::new(JoinSet::new()));
    let service = service_fn(|request| answer(request, address, shared.clone(), upgrades.clone()));
    let http = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEAD_LEN_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(http);
    tokio::select! {
        // Ends badly when the client leaves, breaks the protocol, or a fault says so: nothing is left to do.
        _ = &mut http => {}
        () = stopped(&mut stop) => {
            http.as_mut().graceful_shutdown();
            let _ = http.await;
        }
    }
    let mut sockets = std::mem::take(&mut *upgrades.lock().unwrap_or_else(PoisonError::into_inner));
    while sockets.join_next().await.is_some() {}
}

/// The connection ends without an answer.
#[derive(Debug, Error)]
#[error("the connection ends without an answer")]
pub(crate) struct Silence;

pub(crate) type Reply = hyper::Response<Full<Bytes>>;

async fn answer(
    request: hyper::Request<Incoming>,
    address: IpAddr,
    shared: Shared,
    sockets: Arc<Mutex<JoinSet<()>>>,
) -> Result<Reply, Silence> {
    if shared.faults.is_closed() && request.uri().path() != SYSTEM_STATUS {
        return Ok(refused(&MAINTAINED, shared.now()));
    }
    match request.uri().path() {
        path if path == api_socket::PATH || path.strip_prefix(api_socket::PATH) == Some("/") => {
            return Ok(api_socket::open(request, address, shared, &sockets));
        }
        path if streams::is_stream(path) => return Ok(streams::open(request, shared, &sockets)),
        _ => {}
    }
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.as_str(), head.uri.path());
    let fault = shared.faults.take(method, path);
    match fault {
        Some(Fault::CloseConnection) => return Err(Silence),
        Some(Fault::DelayRequest(wait)) => tokio::time::sleep(wait).await,
        _ => {}
    }
    let instead = fault.and_then(|fault| fault.refused());
    if let Some(instead) = instead.filter(|instead| !instead.was_executed) {
        return Ok(refused(&instead, shared.now()));
    }
    let body = match tokio::time::timeout(BODY, Limited::new(body, BODY_LEN_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Ok(plain(413, r#"{"code":-1101,"msg":"Too many parameters sent for this endpoint."}"#)),
        Err(_) => return Err(Silence),
    };
    let unit =
        head.headers.get("x-mbx-time-unit").and_then(|value| value.to_str().ok()).map_or(Some(TimeUnit::Millisecond), TimeUnit::parse);
    let Some(unit) = unit else {
        return Ok(plain(400, r#"{"code":-1194,"msg":"Invalid value for time unit; expected either MICROSECOND or MILLISECOND."}"#));
    };
    let api_key = head.headers.get("x-mbx-apikey").and_then(|value| value.to_str().ok());
    let request = Request { method, path, query: head.uri.query().unwrap_or_default(), body: &body, api_key, address };
    let at = shared.now();
    let Ok(mut response) = shared.with_exchange(|exchange| exchange.rest(at, request)) else { return Ok(server_error(503)) };
    response.body = unit.answer(response.body, path);
    if let Some(instead) = instead {
        return Ok(refused(&instead, at));
    }
    match fault {
        Some(Fault::DropAnswer) => return Err(Silence),
        Some(Fault::HalfOpen) => std::future::pending().await,
        Some(Fault::DelayAnswer(wait)) => tokio::time::sleep(wait).await,
        Some(Fault::Jitter { min_ms, max_ms }) => tokio::time::sleep(shared.faults.jitter(min_ms, max_ms)).await,
        Some(Fault::MalformedBody) => response.body.truncate(response.body.len() / 2),
        _ => {}
    }
    Ok(reply(response))
}

fn reply(response: Response) -> Reply {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(response.body))).unwrap_or_else(|_| server_error(500))
}

pub(crate) fn plain(status: u16, body: &'static str) -> Reply {
    let mut reply = hyper::Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *reply.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json;charset=UTF-8"));
    reply
}

fn server_error(status: u16) -> Reply {
    plain(status, r#"{"code":-1000,"msg":"An unknown error occurred while processing the request."}"#)
}

/// Answered while the venue is closed (`errors.md`, -1016).
pub(crate) const MAINTAINED: Refused =
    Refused { status: 503, code: -1016, msg: "This service is no longer available.", was_executed: false, retry_after_s: None };
/// The one request that is answered while the venue is closed.
const SYSTEM_STATUS: &str = "/sapi/v1/system/status";

pub(crate) fn with_body(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = plain(status, "");
    *reply.body_mut() = Full::new(body.into());
    reply
}

fn refused(refused: &Refused, now: Timestamp) -> Reply {
    let body = serde_json::json!({"code": refused.code, "msg": refused.words(now)}).to_string();
    let mut reply = with_body(refused.status, body);
    if let Some(seconds) = refused.retry_after_s {
        reply.headers_mut().insert("retry-after", seconds.into());
    }
    reply
}
