//! The paper venue as it is served: orders over one connection, and market streams to many listeners. Invariant: the venue runs in a
//! process and on a core of its own, with its journal and its simulated market; clients are the desk's own lines.
#![expect(clippy::float_arithmetic, reason = "durations and rates, not money")]

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::thread::CpuSet;
use serde::{Deserialize, Serialize};
use strongroom_benches::row::{Peer, Row};
use strongroom_model::{
    ClientOrderId, Intent, MarketSize, OrderRef, OrderSpec, PlaceOrder, Price, Quantity, Side, SignedRequest, Symbol, TimeInForce,
    Timestamp,
};
use strongroom_net::{Endpoint, Fingerprint, Line, PinBoard, Stream, Trust};
use strongroom_paper::exchange::Limits;
use strongroom_venues::binance::encode::{RECV_WINDOW_MS, encode};
use strongroom_venues::binance::{SigningKey, stream};
use tokio_rustls::TlsAcceptor;

/// Set in the processes that serve: what to serve, and the directory of their data.
const SERVE: &str = "STRONGROOM_BENCH_SERVE";
const DIRECTORY: &str = "STRONGROOM_BENCH_DIRECTORY";
const SERVER_CORE: usize = 1;
const CLIENT_CORE: usize = 0;
const ORDERS: usize = 20_000;
const WARM_UP: usize = 1_000;
/// Orders over one connection: 5,000 a second.
const ORDER_TARGET_US: u32 = 200;
const IDLE_LISTENERS: usize = 1_000;
const ACTIVE_LISTENERS: usize = 100;
const LISTENING: Duration = Duration::from_secs(20);
const DELAY_TARGET_US: u32 = 50_000;
const SOON: Duration = Duration::from_secs(5);
/// The lock file says which version of the peer was measured.
const LOCK: &str = include_str!("../../Cargo.lock");

/// What a server says when it is ready.
#[derive(Serialize, Deserialize)]
struct Ready {
    rest_url: String,
    ws_url: String,
    ca_pem: String,
    spki_sha256: String,
    api_key: String,
    secret: String,
}

fn main() -> anyhow::Result<()> {
    match std::env::var(SERVE).ok().as_deref() {
        Some("venue") => return on_core(SERVER_CORE, || runtime()?.block_on(serve_venue())),
        Some("bare") => return on_core(SERVER_CORE, || runtime()?.block_on(serve_bare())),
        _ => {}
    }
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` starts benchmarks too; nothing is measured in a test.
        return Ok(());
    }
    on_core(CLIENT_CORE, || {
        let rows = runtime()?.block_on(measure())?;
        for row in rows {
            println!("{}", row.line());
        }
        Ok(())
    })
}

/// Threads that are started later stay on the core too.
fn on_core<T>(core: usize, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut cores = CpuSet::new();
    cores.set(core);
    rustix::thread::sched_setaffinity(None, &cores).context("the cores cannot be fixed")?;
    work()
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

async fn serve_venue() -> anyhow::Result<()> {
    let directory = std::env::var(DIRECTORY)?;
    let limits = Limits { weight_per_minute: u32::MAX, orders_per_10s: u32::MAX, orders_per_day: u32::MAX, raw_requests_per_5m: u32::MAX };
    let venue = strongroom_paper::start(strongroom_paper::Config { limits, ..strongroom_paper::Config::simulated(directory, 7) }).await?;
    let key = venue.key("trade").context("a key that trades")?;
    let secret = std::fs::read_to_string(key.secret_file.as_ref().context("a secret")?)?.trim().to_owned();
    let ready = Ready {
        rest_url: venue.rest_url.clone(),
        ws_url: venue.ws_url.clone(),
        ca_pem: venue.ca_pem.clone(),
        spki_sha256: venue.spki_sha256.clone(),
        api_key: key.api_key.clone(),
        secret,
    };
    println!("{}", serde_json::to_string(&ready)?);
    std::future::pending().await
}

/// The peer: the same HTTP library behind the same TLS, with an answer of an order's length that it has ready.
async fn serve_bare() -> anyhow::Result<()> {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let addr = listener.local_addr()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(certified.cert.der())?;
    let spki = ring::digest::digest(&ring::digest::SHA256, certificate.public_key().raw);
    let ready = Ready {
        rest_url: format!("https://{addr}"),
        ws_url: String::new(),
        ca_pem: certified.cert.pem(),
        spki_sha256: base64::Engine::encode(&base64::engine::general_purpose::STANDARD, spki.as_ref()),
        api_key: "none".to_owned(),
        secret: "none".to_owned(),
    };
    println!("{}", serde_json::to_string(&ready)?);
    let answer = Bytes::from_static(&[b'7'; 500]);
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        tokio::spawn(async move {
            let Ok(tls) = acceptor.accept(tcp).await else { return };
            let service = service_fn(|request: hyper::Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let _ = request.into_body().collect().await;
                    Ok::<_, Infallible>(hyper::Response::new(Full::new(answer)))
                }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tls), service).await;
        });
    }
}

/// A serving process; it ends with this value.
struct Server {
    child: Child,
    ready: Ready,
    board: Arc<PinBoard>,
    trust: Trust,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(what: &str, directory: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(SERVE, what)
            .env(DIRECTORY, directory)
            .stdout(Stdio::piped())
            .spawn()
            .context("the server cannot be started")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
        let ready: Ready = serde_json::from_str(&line).with_context(|| format!("the server says {line:?}"))?;
        let board = PinBoard::new(now);
        let endpoint: Endpoint = ready.rest_url.trim_start_matches("https://").parse()?;
        board.pin(&endpoint, ready.spki_sha256.parse::<Fingerprint>()?)?;
        Ok(Self { child, trust: Trust::Authorities(ready.ca_pem.clone()), ready, board })
    }

    fn line(&self) -> anyhow::Result<Line> {
        Ok(Line::open(&self.ready.rest_url, &self.trust, self.board.clone())?)
    }

    fn signed(&self, intent: &Intent) -> anyhow::Result<SignedRequest> {
        Ok(encode(intent, now(), RECV_WINDOW_MS)?.sign(&self.ready.api_key, &SigningKey::Hmac(self.ready.secret.as_bytes()))?)
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let mut rows = Vec::new();
    let bare = Server::start("bare", folder.path())?;
    let floor = timed(&bare, |_, n| resting(n)).await?;
    drop(bare);
    let version = LOCK.split("[[package]]").find_map(|package| package.split_once("name = \"hyper\"\nversion = \"")?.1.split('"').next());
    let peer = |ns: f64| Peer { name: "bare hyper server", version: version.unwrap_or("unknown").to_owned(), ns };
    let venue = Server::start("venue", &folder.path().join("venue"))?;
    let orders = timed(&venue, |_, n| resting(n)).await?;
    let filled = timed(&venue, |_, n| crossing(n)).await?;
    for (what, took) in [("half placed, half cancelled", &orders), ("market orders, each filled", &filled)] {
        let mean_ns = took.mean();
        println!(
            "orders over one connection, {what}: {:.0} a second; p50 {} p99 {} p99.9 {} us (bare server: p50 {} us)",
            1e9 / mean_ns,
            took.value_at_quantile(0.5) / 1_000,
            took.value_at_quantile(0.99) / 1_000,
            took.value_at_quantile(0.999) / 1_000,
            floor.value_at_quantile(0.5) / 1_000,
        );
        let row = |figure: &str, ns: f64, target_us, of: f64| Row {
            name: format!("one order over one TLS connection, {what}, {figure}"),
            ns,
            samples: ORDERS,
            target_us,
            peer: Some(peer(of)),
        };
        rows.push(row("mean", mean_ns, Some(ORDER_TARGET_US), floor.mean()));
        rows.push(row("p99", took.value_at_quantile(0.99) as f64, None, floor.value_at_quantile(0.99) as f64));
    }
    let delays = listened(&venue).await?;
    println!(
        "{IDLE_LISTENERS} idle listeners and {ACTIVE_LISTENERS} active ones: {} messages in {} s, delay p50 {} p99 {} p99.9 {} max {} us",
        delays.len(),
        LISTENING.as_secs(),
        delays.value_at_quantile(0.5),
        delays.value_at_quantile(0.99),
        delays.value_at_quantile(0.999),
        delays.max(),
    );
    for (figure, us, target_us) in
        [("p50", delays.value_at_quantile(0.5), None), ("p99", delays.value_at_quantile(0.99), Some(DELAY_TARGET_US))]
    {
        rows.push(Row {
            name: format!(
                "stream message, {ACTIVE_LISTENERS} active beside {IDLE_LISTENERS} idle listeners, event time to arrival, {figure}"
            ),
            ns: us as f64 * 1_000.0,
            samples: usize::try_from(delays.len())?,
            target_us,
            peer: None,
        });
    }
    Ok(rows)
}

/// Sends one order after the other; how long each took, in nanoseconds. Signing is part of it.
async fn timed(server: &Server, intent: impl Fn(&Server, usize) -> anyhow::Result<Intent>) -> anyhow::Result<Histogram<u64>> {
    let line = server.line()?;
    let mut took = Histogram::new_with_bounds(1_000, 10_000_000_000, 3)?;
    for n in 0..WARM_UP + ORDERS {
        let intent = intent(server, n)?;
        let begin = Instant::now();
        let answer = line.send(&server.signed(&intent)?, SOON).await?;
        let elapsed = begin.elapsed();
        anyhow::ensure!(answer.status == 200, "order {n} was refused: {}", String::from_utf8_lossy(&answer.body));
        if n >= WARM_UP {
            took.saturating_record(u64::try_from(elapsed.as_nanos())?);
        }
    }
    Ok(took)
}

/// Far from the market; every second call takes the order away.
fn resting(n: usize) -> anyhow::Result<Intent> {
    let symbol: Symbol = Symbol::parse("BTCUSDT")?;
    let client_order_id = ClientOrderId::parse(&format!("bench-{}", n / 2))?;
    if n % 2 == 1 {
        return Ok(Intent::Cancel { symbol, order: OrderRef::Client(client_order_id) });
    }
    let spec = OrderSpec::Limit { price: Price::parse("50000")?, quantity: Quantity::parse("0.001")?, tif: TimeInForce::Gtc };
    Ok(Intent::Place(PlaceOrder { client_order_id, symbol, side: Side::Buy, spec, reduce_only: false }))
}

/// Bought and sold in turns.
fn crossing(n: usize) -> anyhow::Result<Intent> {
    let side = if n.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let spec = OrderSpec::Market { size: MarketSize::Base(Quantity::parse("0.0005")?) };
    let client_order_id = ClientOrderId::parse(&format!("cross-{n}"))?;
    Ok(Intent::Place(PlaceOrder { client_order_id, symbol: Symbol::parse("BTCUSDT")?, side, spec, reduce_only: false }))
}

/// Delays of what active listeners hear, in microseconds, while idle ones hear nothing.
async fn listened(venue: &Server) -> anyhow::Result<Histogram<u64>> {
    let open = |path: &'static str| async move { Stream::open(&format!("{}{path}", venue.ready.ws_url), &venue.trust, &venue.board).await };
    let mut idle = Vec::new();
    for _ in 0..IDLE_LISTENERS {
        // Listens to a stream that never says anything.
        idle.push(open("/ws/ethusdt@none").await?);
    }
    let (heard, mut delays) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..ACTIVE_LISTENERS {
        // The depth of a market that changes at every tick of 100 ms.
        let (mut listener, heard) = (open("/ws/btcusdt@depth@100ms").await?, heard.clone());
        tokio::spawn(async move {
            while let Ok(Some(text)) = listener.next().await {
                let at = now();
                if let Ok(stream::StreamEvent::Depth { event_time, .. }) = stream::parse(&text) {
                    let _ = heard.send(at.us() - event_time.us());
                }
            }
        });
    }
    drop(heard);
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let end = tokio::time::Instant::now() + LISTENING;
    while let Ok(Some(delay_us)) = tokio::time::timeout_at(end, delays.recv()).await {
        histogram.saturating_record(delay_us.max(1).unsigned_abs());
    }
    let least = ACTIVE_LISTENERS as u64 * LISTENING.as_secs() * 5;
    anyhow::ensure!(histogram.len() > least, "only {} messages came", histogram.len());
    drop(idle);
    Ok(histogram)
}
