//! API keys of the first account. Invariant: they outlive restarts; secrets stand only in their own files.

use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::KeypairBytes;
use ed25519_dalek::pkcs8::spki::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use serde::{Deserialize, Serialize};
use strongroom_model::Scheme;
use strongroom_venues::binance::{KeyError, VerifyingKey};
use thiserror::Error;

use crate::exchange::{ApiKey, Rights};
use crate::files;

/// Characters of an API key and of an HMAC secret, as many as Binance's have.
const TEXT_LEN: usize = 64;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Random bytes from here on would make some letters likelier than others.
const FAIR_BELOW: u8 = 248;

/// Why keys could not be loaded or made.
#[derive(Debug, Error)]
pub enum KeysError {
    /// A file could not be read or written.
    #[error("the key files cannot be used: {0}")]
    File(#[from] io::Error),
    /// `keys.json` or a file named there is not what was written.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Chance(#[from] getrandom::Error),
}

/// An API key with the place of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperKey {
    /// What it is for: `trade`, `ed25519`, `read`.
    pub label: String,
    /// Public name.
    pub api_key: String,
    /// How it signs.
    pub scheme: Scheme,
    /// Whether it places orders.
    pub may_trade: bool,
    /// File of the secret (mode 0600): the HMAC secret's text without line end, or a PKCS#8 PEM.
    pub secret_file: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    label: String,
    api_key: String,
    scheme: Scheme,
    may_trade: bool,
    secret_file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key_pem: Option<String>,
}

/// The keys that every venue has.
const KEYS: [(&str, Scheme, bool, &str); 3] = [
    ("trade", Scheme::HmacSha256, true, "trade.secret"),
    ("ed25519", Scheme::Ed25519, true, "ed25519.pem"),
    ("read", Scheme::HmacSha256, false, "read.secret"),
];

/// The trading key in the form that Binance's users keep theirs in.
const PRACTICE: &str = "practice.env";

/// Loads the keys from `directory`, or makes them.
pub(crate) fn open(directory: &Path) -> Result<Vec<(PaperKey, ApiKey)>, KeysError> {
    let path = directory.join("keys.json");
    let stored: Vec<Stored> = match files::read(&path)? {
        Some(text) => serde_json::from_str(&text).map_err(|error| KeysError::Damaged { path, why: error.to_string() })?,
        None => {
            let made = KEYS.into_iter().map(|row| make(directory, row)).collect::<Result<Vec<_>, _>>()?;
            let text = serde_json::to_vec_pretty(&made).map_err(|error| io::Error::other(error.to_string()))?;
            files::write_secret(&path, &text)?;
            made
        }
    };
    practice(directory, &stored)?;
    stored.into_iter().map(|stored| load(directory, stored)).collect()
}

/// The trading key in one file, as bots and importers read it; written when it is not there.
fn practice(directory: &Path, stored: &[Stored]) -> Result<(), KeysError> {
    let path = directory.join(PRACTICE);
    let trade = stored.iter().find(|key| key.label == KEYS[0].0);
    let (None, Some(Stored { api_key, secret_file, .. })) = (files::read(&path)?, trade) else { return Ok(()) };
    let Some(secret) = files::read(&directory.join(secret_file))? else { return Ok(()) };
    let text = format!("# The paper venue's trading key: play money.\nBINANCE_API_KEY={api_key}\nBINANCE_API_SECRET={}\n", secret.trim());
    Ok(files::write_secret(&path, text.as_bytes())?)
}

fn make(directory: &Path, (label, scheme, may_trade, file): (&str, Scheme, bool, &str)) -> Result<Stored, KeysError> {
    let path = directory.join(file);
    let public_key_pem = match scheme {
        Scheme::HmacSha256 => {
            files::write_secret(&path, random_text()?.as_bytes())?;
            None
        }
        Scheme::Ed25519 => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed)?;
            let key = ed25519_dalek::SigningKey::from_bytes(&seed);
            let other = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
            // Without the public key beside the private one, as OpenSSL writes it: the form that every client reads.
            let pair = KeypairBytes { secret_key: seed, public_key: None };
            let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| other(&error))?;
            files::write_secret(&path, pem.as_bytes())?;
            Some(key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|error| other(&error))?)
        }
    };
    let api_key = random_text()?;
    Ok(Stored { label: label.to_owned(), api_key, scheme, may_trade, secret_file: file.to_owned(), public_key_pem })
}

fn load(directory: &Path, stored: Stored) -> Result<(PaperKey, ApiKey), KeysError> {
    let path = directory.join(&stored.secret_file);
    let damaged = |error: KeyError| KeysError::Damaged { path: path.clone(), why: error.to_string() };
    let verifying = match stored.scheme {
        Scheme::HmacSha256 => {
            let secret = files::read(&path)?.ok_or_else(|| damaged(KeyError::Secret))?;
            VerifyingKey::hmac(secret.trim_ascii().as_bytes())
        }
        Scheme::Ed25519 => VerifyingKey::ed25519_from_pem(stored.public_key_pem.as_deref().unwrap_or_default()).map_err(damaged)?,
    };
    let rights = if stored.may_trade { Rights::Trade } else { Rights::Read };
    let api_key = ApiKey { api_key: stored.api_key.clone(), verifying, rights };
    let key =
        PaperKey { label: stored.label, api_key: stored.api_key, scheme: stored.scheme, may_trade: stored.may_trade, secret_file: path };
    Ok((key, api_key))
}

fn random_text() -> Result<String, KeysError> {
    let mut text = String::with_capacity(TEXT_LEN);
    while text.len() < TEXT_LEN {
        let mut bytes = [0; TEXT_LEN];
        getrandom::fill(&mut bytes)?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BELOW);
        text.extend(fair.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).take(TEXT_LEN - text.len()));
    }
    Ok(text)
}
