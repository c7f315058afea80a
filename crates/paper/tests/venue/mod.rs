//! A venue on loopback and clients of it, for the tests. Invariant: a client trusts the venue's own authority and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a test says what it expects by unwrapping it; not every test uses all")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use strongroom_model::{ClientOrderId, Intent, OrderSpec, PlaceOrder, Side, Symbol, TimeInForce, Timestamp};
use strongroom_paper::{Config, Market, PaperHandle, start};
use strongroom_venues::binance::{SigningKey, encode::encode};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

pub(crate) type Tls = tokio_rustls::client::TlsStream<tokio::net::TcpStream>;
pub(crate) type Socket = WebSocketStream<Tls>;

pub(crate) fn tls(venue: &PaperHandle, versions: &[&'static rustls::SupportedProtocolVersion]) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(venue.ca_pem.as_bytes()).unwrap()).unwrap();
    rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(crate) fn client(venue: &PaperHandle) -> reqwest::Client {
    let config = tls(venue, &[&rustls::version::TLS13]);
    reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

pub(crate) async fn connect(venue: &PaperHandle) -> Tls {
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls(venue, &[&rustls::version::TLS13])));
    let stream = tokio::net::TcpStream::connect(venue.addr).await.unwrap();
    connector.connect("localhost".try_into().unwrap(), stream).await.expect("a valid chain")
}

pub(crate) async fn listen(venue: &PaperHandle, path: &str) -> Socket {
    tokio_tungstenite::client_async(format!("{}{path}", venue.ws_url), connect(venue).await).await.unwrap().0
}

pub(crate) async fn next_text(socket: &mut Socket) -> Option<String> {
    loop {
        match tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("a message in time") {
            Some(Ok(Message::Text(text))) => return Some(text.to_string()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

pub(crate) async fn open(directory: &Path, market: Market) -> PaperHandle {
    start(Config { market, ..Config::simulated(directory, 42) }).await.unwrap()
}

pub(crate) fn now() -> Timestamp {
    let ms = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    Timestamp::from_ms(i64::try_from(ms).unwrap())
}

/// Sends a signed intent as our own client does.
pub(crate) async fn ask(venue: &PaperHandle, http: &reqwest::Client, intent: &Intent) -> reqwest::Result<(u16, Vec<u8>)> {
    let key = venue.key("trade").unwrap();
    let secret = std::fs::read(key.secret_file.as_ref().unwrap()).unwrap();
    let request = encode(intent, now(), 5_000).unwrap().sign(&key.api_key, &SigningKey::Hmac(&secret)).unwrap();
    let url = format!("{}{}?{}", venue.rest_url, request.path, request.query);
    let method = request.method.as_str().parse().unwrap();
    let answer = http.request(method, url).header("X-MBX-APIKEY", &request.api_key).body(request.body).send().await?;
    Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
}

pub(crate) fn buy(name: &str) -> Intent {
    let spec = OrderSpec::Limit { price: "100".parse().unwrap(), quantity: "0.1".parse().unwrap(), tif: TimeInForce::Gtc };
    let symbol = Symbol::parse("BTCUSDT").unwrap();
    Intent::Place(PlaceOrder { client_order_id: ClientOrderId::parse(name).unwrap(), symbol, side: Side::Buy, spec, reduce_only: false })
}

pub(crate) const OPEN_ORDERS: Intent = Intent::QueryOpenOrders { symbol: None };
