//! A share that the transit engine of a HashiCorp Vault or an OpenBao keeps. Invariant: the key stays there and derives one
//! for each vault; a key that can be read out, or does not derive, is not used.
//!
//! Source: <https://developer.hashicorp.com/vault/api-docs/secret/transit>, read key, encrypt data, decrypt data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use strongroom_signer_api::keeping::TransitAccount;
use strongroom_signer_api::provider::{Failure, PIN_LEN_MAX, SHARE_LEN};
use zeroize::Zeroizing;

use crate::Share;
use crate::http::Answer;
use crate::line::Server;

/// The kind of key that encrypts: AES-256-GCM.
const KEY_TYPE: &str = "aes256-gcm96";
/// How a ciphertext begins.
const WRAPPED_PREFIX: &str = "vault:v";
/// Longest request: a context, a ciphertext, and JSON around them.
const REQUEST_LEN_MAX: usize = 8 * 1_024;
/// Length of the plaintext in base64.
const SHARE_TEXT_LEN: usize = SHARE_LEN.div_ceil(3) * 4;

/// Encrypts the share by the server's key, which must be there.
pub(crate) fn wrap(account: TransitAccount, bound: &[u8], token: &[u8], share: &[u8; SHARE_LEN]) -> Result<TransitAccount, Failure> {
    let engine = Engine::open(&account, token)?;
    engine.check_key()?;
    let mut plaintext = Zeroizing::new([0; SHARE_TEXT_LEN]);
    BASE64.encode_slice(share, plaintext.as_mut_slice()).map_err(|_| Failure::Garbled)?;
    let context = BASE64.encode(bound);
    let answer = engine.post("encrypt", &[("plaintext", plaintext.as_slice()), ("context", context.as_bytes())])?;
    let wrapped = match answer.status() {
        200 => answer.json::<Data<Ciphertext<'_>>>()?.data.ciphertext.as_bytes().to_vec(),
        status => return Err(refusal(status)),
    };
    let done = TransitAccount { wrapped, ..account.clone() };
    // A share that could not be had back would lock its owner out.
    match engine.decrypt(&done, bound) {
        Ok(back) if back.as_slice() == share => Ok(done),
        Err(failure @ (Failure::Denied | Failure::Unreachable)) => Err(failure),
        _ => Err(Failure::Garbled),
    }
}

/// Decrypts it again.
pub(crate) fn unwrap(account: &TransitAccount, bound: &[u8], token: &[u8]) -> Result<Share, Failure> {
    Engine::open(account, token)?.decrypt(account, bound)
}

/// The engine, seen by the owner of a token.
struct Engine<'a> {
    server: Server,
    account: &'a TransitAccount,
    token: &'a [u8],
}

impl<'a> Engine<'a> {
    fn open(account: &'a TransitAccount, token: &'a [u8]) -> Result<Self, Failure> {
        // It goes into a header as it is.
        let token = token.strip_suffix(b"\n").unwrap_or(token);
        if token.is_empty() || token.len() > PIN_LEN_MAX || !token.iter().all(u8::is_ascii_graphic) {
            return Err(Failure::PinUnfit);
        }
        Ok(Self { server: Server::open(&account.address, &account.ca_file)?, account, token })
    }

    /// Of the right kind, deriving, and staying where it is.
    fn check_key(&self) -> Result<(), Failure> {
        let answer = self.ask("GET", "keys", b"")?;
        let key = match answer.status() {
            200 => answer.json::<Data<Key<'_>>>()?.data,
            404 => return Err(Failure::KeyMissing),
            status => return Err(refusal(status)),
        };
        if key.kind != KEY_TYPE || key.exportable || key.allow_plaintext_backup {
            return Err(Failure::KeyUnfit);
        }
        if key.derived { Ok(()) } else { Err(Failure::NotDerived) }
    }

    fn decrypt(&self, account: &TransitAccount, bound: &[u8]) -> Result<Share, Failure> {
        let is_text = |byte: &u8| byte.is_ascii_alphanumeric() || b":+/=".contains(byte);
        if !account.wrapped.starts_with(WRAPPED_PREFIX.as_bytes()) || !account.wrapped.iter().all(is_text) {
            return Err(Failure::NotTheirs);
        }
        let context = BASE64.encode(bound);
        let answer = self.post("decrypt", &[("ciphertext", &account.wrapped), ("context", context.as_bytes())])?;
        match answer.status() {
            200 => {
                let text = answer.json::<Data<Plaintext<'_>>>()?.data.plaintext;
                let mut share = Zeroizing::new(vec![0; SHARE_LEN + 2]);
                let len = BASE64.decode_slice(text, &mut share).map_err(|_| Failure::NotTheirs)?;
                if len != SHARE_LEN {
                    return Err(Failure::NotTheirs);
                }
                share.truncate(SHARE_LEN);
                Ok(share)
            }
            // A wrong key, a changed ciphertext and another context are all the same to it; a key that is gone is one, too.
            400 | 404 => Err(Failure::NotTheirs),
            status => Err(refusal(status)),
        }
    }

    /// Written in place, so that a share is copied once only, into what is wiped; `fields` are base64 or names and need no escape in JSON.
    fn post(&self, verb: &str, fields: &[(&str, &[u8])]) -> Result<Answer, Failure> {
        let mut body = Zeroizing::new(Vec::with_capacity(REQUEST_LEN_MAX));
        for (at, (name, value)) in fields.iter().enumerate() {
            body.extend_from_slice(if at == 0 { b"{\"" } else { b",\"" });
            body.extend_from_slice(name.as_bytes());
            body.extend_from_slice(b"\":\"");
            body.extend_from_slice(value);
            body.push(b'"');
        }
        body.push(b'}');
        self.ask("POST", verb, &body)
    }

    fn ask(&self, method: &str, verb: &str, body: &[u8]) -> Result<Answer, Failure> {
        let TransitAccount { mount, key, namespace, .. } = self.account;
        let mut request = Zeroizing::new(Vec::with_capacity(REQUEST_LEN_MAX + PIN_LEN_MAX));
        let head = format!("{method} /v1/{mount}/{verb}/{key} HTTP/1.1\r\nHost: {}\r\n", self.server.authority());
        request.extend_from_slice(head.as_bytes());
        request.extend_from_slice(b"Accept: application/json\r\nConnection: close\r\nX-Vault-Request: true\r\nX-Vault-Token: ");
        request.extend_from_slice(self.token);
        if !namespace.is_empty() {
            request.extend_from_slice(format!("\r\nX-Vault-Namespace: {namespace}").as_bytes());
        }
        if method == "POST" {
            request.extend_from_slice(format!("\r\nContent-Type: application/json\r\nContent-Length: {}", body.len()).as_bytes());
        }
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body);
        self.server.ask(&request)
    }
}

/// An answer's wrapping; the rest of it is not needed.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Key<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    derived: bool,
    exportable: bool,
    allow_plaintext_backup: bool,
}

#[derive(Deserialize)]
struct Ciphertext<'a> {
    ciphertext: &'a str,
}

/// Borrowed: the text of a share has no other home than the buffer that it came in.
#[derive(Deserialize)]
struct Plaintext<'a> {
    plaintext: &'a str,
}

/// What a status means that is no success.
const fn refusal(status: u16) -> Failure {
    match status {
        403 => Failure::Denied,
        404 => Failure::KeyMissing,
        // 472, 473: standby servers; 503: sealed or in maintenance.
        472 | 473 | 503 => Failure::ServerSealed,
        _ => Failure::ServerRefused,
    }
}
