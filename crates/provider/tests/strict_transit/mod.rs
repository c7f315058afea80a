//! A transit engine over TLS that takes nothing that it was not promised. It is written from HashiCorp's documentation of the
//! transit secrets engine's HTTP API, because no real server is available where these tests run: it is no proof that a real one
//! agrees, only that the client does what is documented.
//!
//! Invariant: an unknown field, a missing context, a wrong token or another path is an error, as strict as a server can be.
//! Source: <https://developer.hashicorp.com/vault/api-docs/secret/transit> and </vault/api-docs> (status codes, headers).

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hkdf::Hkdf;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::ring;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sha2::Sha256;

const REQUEST_LEN_MAX: usize = 64 * 1_024;
const NONCE_LEN: usize = 12;
/// How often an answer that is held looks whether it may go on.
const HOLDING_TURN: Duration = Duration::from_millis(10);

/// A key as its owner configured it.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) kind: &'static str,
    pub(crate) derived: bool,
    pub(crate) exportable: bool,
    pub(crate) secret: [u8; 32],
}

impl Key {
    /// A key for derivation that stays where it is.
    pub(crate) fn good() -> Self {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).expect("randomness");
        Self { kind: "aes256-gcm96", derived: true, exportable: false, secret }
    }
}

/// What can be changed while it runs.
pub(crate) struct State {
    pub(crate) token: String,
    pub(crate) is_sealed: bool,
    /// The last byte of an answer waits until this ends.
    pub(crate) is_holding: bool,
    pub(crate) keys: BTreeMap<String, Key>,
    /// Requests that were answered, with their status.
    pub(crate) log: Vec<(String, u16)>,
}

/// A server that runs until its process ends.
pub(crate) struct StrictTransit {
    pub(crate) address: String,
    pub(crate) ca_file: PathBuf,
    pub(crate) state: Arc<Mutex<State>>,
}

impl StrictTransit {
    /// Starts one, with its authority's certificate in `folder`.
    pub(crate) fn start(folder: &Path, token: &str) -> io::Result<Self> {
        let (config, ca_pem) = certificates().map_err(io::Error::other)?;
        let ca_file = folder.join("transit-ca.pem");
        std::fs::write(&ca_file, ca_pem)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("https://{}", listener.local_addr()?);
        let keys = BTreeMap::from([("strongroom".to_owned(), Key::good())]);
        let state = Arc::new(Mutex::new(State { token: token.to_owned(), is_sealed: false, is_holding: false, keys, log: Vec::new() }));
        let serving = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, config) = (serving.clone(), config.clone());
                std::thread::spawn(move || serve(stream, config, &state));
            }
        });
        Ok(Self { address, ca_file, state })
    }

    /// Changes something.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn certificates() -> Result<(Arc<ServerConfig>, String), Box<dyn std::error::Error + Send + Sync>> {
    let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca_pem = ca.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)?;
    Ok((Arc::new(config), ca_pem))
}

fn serve(tcp: TcpStream, config: Arc<ServerConfig>, shared: &Mutex<State>) {
    let Ok(tls) = ServerConnection::new(config) else { return };
    let mut stream = StreamOwned::new(tls, tcp);
    let Ok(request) = Request::read(&mut stream) else { return };
    let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match answer(&state, &request) {
        Ok(data) => {
            (200, json!({"request_id": "0", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "warnings": null}))
        }
        Err((status, error)) => (status, json!({"errors": [error]})),
    };
    state.log.push((format!("{} {}", request.method, request.path), status));
    drop(state);
    let body = body.to_string();
    // Either way of saying how long it is must be understood.
    let answer = if request.path.contains("/encrypt/") {
        let (first, rest) = body.split_at(body.len() / 2);
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:X}\r\n{rest}\r\n0\r\n\r\n", first.len(), rest.len())
    } else {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let head = format!("HTTP/1.1 {status} X\r\nCache-Control: no-store\r\nContent-Type: application/json\r\n");
    let whole = [head, answer].concat();
    let (most, last) = whole.as_bytes().split_at(whole.len() - 1);
    let _ = stream.write_all(most).and_then(|()| stream.flush());
    while shared.lock().unwrap_or_else(PoisonError::into_inner).is_holding {
        std::thread::sleep(HOLDING_TURN);
    }
    let _ = stream.write_all(last).and_then(|()| stream.flush());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut impl io::Read) -> io::Result<Self> {
        let bad = || io::Error::from(io::ErrorKind::InvalidData);
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            bytes.push(byte[0]);
            if bytes.len() > REQUEST_LEN_MAX {
                return Err(bad());
            }
        }
        let head = String::from_utf8(bytes).map_err(|_| bad())?;
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path), Some("HTTP/1.1"), None) = (first.next(), first.next(), first.next(), first.next()) else {
            return Err(bad());
        };
        let (method, path) = (method.to_owned(), path.to_owned());
        let mut headers = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").ok_or_else(bad)?;
            if headers.insert(name.to_ascii_lowercase(), value.to_owned()).is_some() {
                return Err(bad());
            }
        }
        let len = headers.get("content-length").map_or(Ok(0), |len| len.parse::<usize>().map_err(|_| bad()))?;
        let mut body = vec![0; len.min(REQUEST_LEN_MAX)];
        stream.read_exact(&mut body)?;
        Ok(Self { method, path, headers, body })
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

type Refusal = (u16, &'static str);

fn answer(state: &State, request: &Request) -> Result<Value, Refusal> {
    if request.header("x-vault-request") != "true" {
        return Err((412, "missing 'X-Vault-Request' header"));
    }
    if state.is_sealed {
        return Err((503, "Vault is sealed"));
    }
    if request.header("x-vault-token") != state.token {
        return Err((403, "permission denied"));
    }
    if request.headers.contains_key("x-vault-namespace") || request.header("host").is_empty() {
        return Err((404, "no such namespace"));
    }
    let parts: Vec<&str> = request.path.split('/').collect();
    let ["", "v1", "transit", verb, name] = parts[..] else { return Err((404, "unsupported path")) };
    let key = state.keys.get(name);
    match (request.method.as_str(), verb) {
        ("GET", "keys") if request.body.is_empty() => {
            let Key { kind, derived, exportable, .. } = key.ok_or((404, ""))?;
            Ok(json!({
                "type": kind, "derived": derived, "exportable": exportable, "allow_plaintext_backup": false, "deletion_allowed": false,
                "name": name, "latest_version": 1, "min_available_version": 0, "min_decryption_version": 1, "min_encryption_version": 0,
                "supports_encryption": true, "supports_decryption": true, "supports_derivation": true, "supports_signing": false,
                "imported_key": false, "keys": {"1": 1_442_851_412},
            }))
        }
        ("POST", "encrypt") => {
            let key = key.ok_or((400, "encryption key not found"))?;
            let [plaintext, context] = fields(request, ["plaintext", "context"])?;
            let cipher = cipher(key, &context)?;
            let mut nonce = [0; NONCE_LEN];
            getrandom::fill(&mut nonce).map_err(|_| (500, "no randomness"))?;
            let sealed = cipher.encrypt(&nonce.into(), plaintext.as_slice()).map_err(|_| (500, "cipher"))?;
            Ok(json!({"ciphertext": format!("vault:v1:{}", BASE64.encode([&nonce[..], &sealed].concat())), "key_version": 1}))
        }
        ("POST", "decrypt") => {
            let key = key.ok_or((400, "encryption key not found"))?;
            let body = object(request, ["ciphertext", "context"])?;
            let context = BASE64.decode(text(&body, "context")?).map_err(|_| (400, "failed to base64-decode context"))?;
            let sealed = text(&body, "ciphertext")?.strip_prefix("vault:v1:").ok_or((400, "invalid ciphertext: no prefix"))?;
            let sealed = BASE64.decode(sealed).map_err(|_| (400, "invalid ciphertext: could not decode base64"))?;
            let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or((400, "invalid ciphertext length"))?;
            let plain = cipher(key, &context)?.decrypt(&(*nonce).into(), sealed);
            let plain = plain.map_err(|_| (400, "cipher: message authentication failed"))?;
            Ok(json!({"plaintext": BASE64.encode(plain)}))
        }
        _ => Err((405, "unsupported operation")),
    }
}

/// Exactly these fields.
fn object(request: &Request, names: [&str; 2]) -> Result<Value, Refusal> {
    if request.header("content-type") != "application/json" {
        return Err((415, "unsupported media type"));
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| (400, "failed to parse JSON input"))?;
    let fits = body.as_object().is_some_and(|object| object.keys().all(|name| names.contains(&name.as_str())));
    if fits { Ok(body) } else { Err((400, "unknown field")) }
}

fn fields(request: &Request, names: [&str; 2]) -> Result<[Vec<u8>; 2], Refusal> {
    let body = object(request, names)?;
    let read = |name| BASE64.decode(text(&body, name)?).map_err(|_| (400, "failed to base64-decode"));
    Ok([read(names[0])?, read(names[1])?])
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or((400, "missing field; a derived key needs a context"))
}

/// A key of its own for each context.
fn cipher(key: &Key, context: &[u8]) -> Result<Aes256Gcm, Refusal> {
    if !key.derived {
        return Err((400, "the key is not derived and takes no context"));
    }
    let mut derived = [0; 32];
    Hkdf::<Sha256>::new(None, &key.secret).expand(context, &mut derived).map_err(|_| (500, "derivation"))?;
    Ok(Aes256Gcm::new(&derived.into()))
}
