//! API keys of the venue. Invariant: they outlive restarts; secrets stand only in their own files; of asymmetric keys that a client
//! made, the venue has the public half only.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::KeypairBytes;
use ed25519_dalek::pkcs8::spki::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use serde::{Deserialize, Serialize};
use strongroom_model::Timestamp;
use strongroom_venues::binance::VerifyingKey;
use thiserror::Error;

use crate::exchange::{ApiKey, FIRST_ACCOUNT, PublicKeyError, Rights, Verifying};
use crate::files;

/// Characters of an API key and of an HMAC secret, as many as Binance's have.
const TEXT_LEN: usize = 64;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Random bytes from here on would make some letters likelier than others.
const FAIR_BELOW: u8 = 248;
const FILE: &str = "keys.json";
/// Keys of a venue.
const KEYS_MAX: usize = 1_000;
/// Longest label, and addresses of one key (Binance takes 30).
const LABEL_LEN_MAX: usize = 32;
const ADDRESSES_MAX: usize = 30;

/// Why keys could not be loaded, made or changed. Nothing changed.
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
    /// A public key that cannot be used.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// A label that names a file badly, or another key.
    #[error("a label has 1 to {LABEL_LEN_MAX} letters, digits, `-` and `_`, and no other key has it")]
    Label,
    /// Too many keys or addresses.
    #[error("there is no room for another one: {KEYS_MAX} keys, {ADDRESSES_MAX} addresses each")]
    Full,
    /// No such key.
    #[error("the venue has no such key")]
    Unknown,
}

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyScheme {
    /// Shared secret.
    HmacSha256,
    /// Ed25519.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rsa,
}

/// An API key with the place of its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperKey {
    /// What it is for; of the first account: `trade`, `ed25519`, `read`.
    pub label: String,
    /// Whose it is.
    pub account: String,
    /// Public name.
    pub api_key: String,
    /// How it signs.
    pub scheme: KeyScheme,
    /// Whether it places orders.
    pub may_trade: bool,
    /// Where its requests may come from; empty: from anywhere.
    pub addresses: Vec<IpAddr>,
    /// When it was made.
    pub created: Timestamp,
    /// File of the secret (mode 0600): the HMAC secret's text without line end, or a PKCS#8 PEM. None where the owner keeps it.
    pub secret_file: Option<PathBuf>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    label: String,
    #[serde(default = "first_account")]
    account: String,
    api_key: String,
    scheme: KeyScheme,
    may_trade: bool,
    #[serde(default)]
    secret_file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key_pem: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<IpAddr>,
    #[serde(default)]
    created: Timestamp,
}

fn first_account() -> String {
    FIRST_ACCOUNT.to_owned()
}

/// The keys that every venue has.
const FIRST_KEYS: [(&str, KeyScheme, bool, &str); 3] = [
    ("trade", KeyScheme::HmacSha256, true, "trade.secret"),
    ("ed25519", KeyScheme::Ed25519, true, "ed25519.pem"),
    ("read", KeyScheme::HmacSha256, false, "read.secret"),
];

/// The trading key in the form that Binance's users keep theirs in.
const PRACTICE: &str = "practice.env";

/// What a new key is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewKey {
    /// The venue makes a shared secret.
    HmacSha256,
    /// The venue makes an Ed25519 pair.
    Ed25519,
    /// The client made a pair and gives the public half, PEM: Ed25519 or RSA.
    PublicKey(String),
}

/// All keys of a venue.
pub(crate) struct KeyFile {
    directory: PathBuf,
    stored: Vec<Stored>,
}

impl KeyFile {
    /// Loads the keys from `directory`, or makes the first ones.
    pub(crate) fn open(directory: &Path, now: Timestamp) -> Result<Self, KeysError> {
        let path = directory.join(FILE);
        let stored = match files::read(&path)? {
            Some(text) => serde_json::from_str(&text).map_err(|error| KeysError::Damaged { path, why: error.to_string() })?,
            None => Vec::new(),
        };
        let mut keys = Self { directory: directory.to_owned(), stored };
        if keys.stored.is_empty() {
            for (label, scheme, may_trade, file) in FIRST_KEYS {
                let made = keys.make(label, scheme, file)?;
                keys.stored.push(Stored { may_trade, created: now, ..made });
            }
            keys.write()?;
        }
        keys.practice()?;
        Ok(keys)
    }

    /// Every key, with what the exchange needs of it.
    pub(crate) fn all(&self) -> Result<Vec<(PaperKey, ApiKey)>, KeysError> {
        self.stored.iter().map(|stored| self.load(stored)).collect()
    }

    /// Makes a key for an account.
    pub(crate) fn add(
        &mut self,
        account: &str,
        label: &str,
        new: &NewKey,
        may_trade: bool,
        addresses: Vec<IpAddr>,
        now: Timestamp,
    ) -> Result<(PaperKey, ApiKey), KeysError> {
        let is_label = (1..=LABEL_LEN_MAX).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !is_label || self.stored.iter().any(|stored| stored.label == label) {
            return Err(KeysError::Label);
        }
        if self.stored.len() >= KEYS_MAX || addresses.len() > ADDRESSES_MAX {
            return Err(KeysError::Full);
        }
        let made = match new {
            NewKey::HmacSha256 => self.make(label, KeyScheme::HmacSha256, &format!("{label}.secret"))?,
            NewKey::Ed25519 => self.make(label, KeyScheme::Ed25519, &format!("{label}.pem"))?,
            NewKey::PublicKey(pem) => {
                let scheme = match Verifying::from_pem(pem)? {
                    Verifying::Rsa(_) => KeyScheme::Rsa,
                    Verifying::Known(_) => KeyScheme::Ed25519,
                };
                stored(label, scheme, None, Some(pem.clone()))?
            }
        };
        let stored = Stored { account: account.to_owned(), may_trade, addresses, created: now, ..made };
        let loaded = self.load(&stored)?;
        self.change(|keys| keys.push(stored))?;
        Ok(loaded)
    }

    /// Changes what a key may do.
    pub(crate) fn limit(&mut self, api_key: &str, may_trade: bool, addresses: Vec<IpAddr>) -> Result<(PaperKey, ApiKey), KeysError> {
        if addresses.len() > ADDRESSES_MAX {
            return Err(KeysError::Full);
        }
        let at = self.position(api_key)?;
        self.change(|keys| (keys[at].may_trade, keys[at].addresses) = (may_trade, addresses))?;
        self.load(&self.stored[at])
    }

    /// Ends a key. Its secret's file is removed.
    pub(crate) fn revoke(&mut self, api_key: &str) -> Result<(), KeysError> {
        let at = self.position(api_key)?;
        let file = self.stored[at].secret_file.clone();
        self.change(|keys| drop(keys.remove(at)))?;
        match file.map(|file| std::fs::remove_file(self.directory.join(file))) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn position(&self, api_key: &str) -> Result<usize, KeysError> {
        self.stored.iter().position(|stored| stored.api_key == api_key).ok_or(KeysError::Unknown)
    }

    /// Changes the list; if it cannot be written it stays as it was.
    fn change(&mut self, change: impl FnOnce(&mut Vec<Stored>)) -> Result<(), KeysError> {
        let before = self.stored.clone();
        change(&mut self.stored);
        self.write().inspect_err(|_| self.stored = before)
    }

    fn write(&self) -> Result<(), KeysError> {
        let text = serde_json::to_vec_pretty(&self.stored).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(files::write_secret(&self.directory.join(FILE), &text)?)
    }

    /// The trading key in one file, as bots and importers read it; written when it is not there.
    fn practice(&self) -> Result<(), KeysError> {
        let path = self.directory.join(PRACTICE);
        let trade = self.stored.iter().find(|key| key.label == FIRST_KEYS[0].0);
        let (None, Some(Stored { api_key, secret_file: Some(secret_file), .. })) = (files::read(&path)?, trade) else { return Ok(()) };
        let Some(secret) = files::read(&self.directory.join(secret_file))? else { return Ok(()) };
        let text =
            format!("# The paper venue's trading key: play money.\nBINANCE_API_KEY={api_key}\nBINANCE_API_SECRET={}\n", secret.trim());
        Ok(files::write_secret(&path, text.as_bytes())?)
    }

    fn make(&self, label: &str, scheme: KeyScheme, file: &str) -> Result<Stored, KeysError> {
        let path = self.directory.join(file);
        if scheme == KeyScheme::HmacSha256 {
            files::write_secret(&path, random_text()?.as_bytes())?;
            return stored(label, scheme, Some(file), None);
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let other = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
        // Without the public key beside the private one, as OpenSSL writes it: the form that every client reads.
        let pair = KeypairBytes { secret_key: seed, public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| other(&error))?;
        files::write_secret(&path, pem.as_bytes())?;
        let public = key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|error| other(&error))?;
        stored(label, scheme, Some(file), Some(public))
    }

    fn load(&self, stored: &Stored) -> Result<(PaperKey, ApiKey), KeysError> {
        let secret_file = stored.secret_file.as_ref().map(|file| self.directory.join(file));
        let damaged = |path: &Path, why: &dyn std::fmt::Display| KeysError::Damaged { path: path.to_owned(), why: why.to_string() };
        let verifying = match (&stored.public_key_pem, &secret_file) {
            (Some(pem), _) => Verifying::from_pem(pem).map_err(|error| damaged(&self.directory.join(FILE), &error))?,
            (None, Some(path)) => {
                let secret = files::read(path)?.filter(|secret| !secret.trim_ascii().is_empty());
                let secret = secret.ok_or_else(|| damaged(path, &"the secret is missing"))?;
                VerifyingKey::hmac(secret.trim_ascii().as_bytes()).into()
            }
            (None, None) => return Err(damaged(&self.directory.join(FILE), &"a key has neither a secret nor a public key")),
        };
        let Stored { label, account, api_key, scheme, may_trade, addresses, created, .. } = stored.clone();
        let rights = if may_trade { Rights::Trade } else { Rights::Read };
        let known = ApiKey { api_key: api_key.clone(), verifying, rights, addresses: addresses.clone(), created };
        Ok((PaperKey { label, account, api_key, scheme, may_trade, addresses, created, secret_file }, known))
    }
}

fn stored(label: &str, scheme: KeyScheme, file: Option<&str>, public_key_pem: Option<String>) -> Result<Stored, KeysError> {
    Ok(Stored {
        label: label.to_owned(),
        account: first_account(),
        api_key: random_text()?,
        scheme,
        may_trade: true,
        secret_file: file.map(str::to_owned),
        public_key_pem,
        addresses: Vec::new(),
        created: Timestamp::default(),
    })
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
