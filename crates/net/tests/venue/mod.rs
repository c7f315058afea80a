//! A scripted venue with real TLS. Invariant: it records every byte that a client says inside TLS, and nothing else.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData as _, date_time_ymd};
use rustls::crypto::ring;
use rustls::{ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use strongroom_model::Timestamp;
use strongroom_net::{Endpoint, Fingerprint, PinBoard, Trust};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority of this test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What a server shows.
pub(crate) struct Identity {
    key: KeyPair,
    chain: Vec<rustls_pki_types::CertificateDer<'static>>,
}

impl Authority {
    pub(crate) fn make() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::Authorities(self.pem.clone())
    }

    /// A valid certificate for 127.0.0.1 and a new key.
    pub(crate) fn identity(&self) -> Identity {
        self.identity_for("127.0.0.1", (2020, 2120))
    }

    pub(crate) fn identity_for(&self, name: &str, years: (i32, i32)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        params.distinguished_name.push(rcgen::DnType::CommonName, "scripted venue");
        let chain = vec![params.signed_by(&key, &self.issuer).unwrap().der().clone()];
        Identity { key, chain }
    }
}

impl Identity {
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_spki(&self.key.subject_public_key_info())
    }

    pub(crate) fn config(&self, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap()
    }
}

/// What the venue does after it has read a whole request.
#[derive(Clone, Copy)]
pub(crate) enum Script {
    /// Answers these bytes and keeps the connection.
    Answer(&'static str),
    /// Answers these bytes, then closes.
    AnswerAndClose(&'static str),
    /// Never answers.
    Silence,
}

/// A running venue.
pub(crate) struct Venue {
    pub(crate) endpoint: Endpoint,
    pub(crate) heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Venue {
    pub(crate) async fn open(identity: &Identity, script: Script) -> Self {
        Self::open_with(identity, &[&rustls::version::TLS13], script).await
    }

    pub(crate) async fn open_with(identity: &Identity, versions: &[&'static SupportedProtocolVersion], script: Script) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(identity.config(versions)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string().parse().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let record = heard.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, record) = (acceptor.clone(), record.clone());
                tokio::spawn(async move {
                    let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                    while let Some(request) = read_request(&mut tls, &record).await {
                        record.lock().unwrap().push(request);
                        match script {
                            Script::Answer(bytes) => tls.write_all(bytes.as_bytes()).await.unwrap(),
                            Script::AnswerAndClose(bytes) => {
                                tls.write_all(bytes.as_bytes()).await.unwrap();
                                tls.shutdown().await.unwrap();
                                return;
                            }
                            Script::Silence => tokio::time::sleep(Duration::from_secs(60)).await,
                        }
                    }
                });
            }
        });
        Self { endpoint, heard }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.endpoint)
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect()
    }
}

/// A board on which this endpoint's key is pinned.
pub(crate) fn pinned(venue: &Venue, identity: &Identity) -> Arc<PinBoard> {
    let board = PinBoard::new(|| Timestamp::from_ms(1_700_000_000_000));
    board.pin(&venue.endpoint, identity.fingerprint()).unwrap();
    board
}

/// A head and as much body as it announces. A part of a request is recorded too, then the connection ends.
async fn read_request(tls: &mut (impl AsyncRead + Unpin), record: &Mutex<Vec<Vec<u8>>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut byte = [0];
        if !matches!(tls.read(&mut byte).await, Ok(1)) {
            if !bytes.is_empty() {
                record.lock().unwrap().push(bytes);
            }
            return None;
        }
        bytes.push(byte[0]);
        if bytes.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            tls.read_exact(&mut body).await.ok()?;
            bytes.extend(body);
            return Some(bytes);
        }
    }
}
