//! GoCryptoTrader's configuration, plain and encrypted. Invariant: an encrypted file is looked at only after AES-GCM said
//! that it is whole; the older encryption, which cannot say that, is not opened.

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Trouble;
use super::found::{Form, Reading, Standing, is_placeholder, listed};
use super::json::words;
use super::opening::Opening;

/// How an encrypted file begins.
pub(super) const BEGIN: &[u8] = b"THORS-HAMMER";
const SALT_BEGIN: &[u8] = b"~GCT~SO~SALTY~";
const SALT_RANDOM_LEN: usize = 12;
const VERSIONED: &[u8] = b"ENCVER";
const VERSION: u16 = 1;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// N = 32768, r = 8, p = 1.
const SCRYPT: (u8, u32, u32) = (15, 8, 1);
const OTHERS: &[&str] = &["clientID", "subaccount", "pemKey", "otpSecret", "tradePassword", "pin"];

/// Opens an encrypted file: `THORS-HAMMER | salt (its beginning, 12 bytes) | ENCVER | version u16 | nonce | AES-256-GCM`.
pub(super) fn decrypt(file: &[u8], opening: &Opening<'_>) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let rest = file.strip_prefix(BEGIN).ok_or(Trouble::Unknown)?;
    if !rest.starts_with(SALT_BEGIN) {
        return Err(if SALT_BEGIN.starts_with(rest) { Trouble::Damaged } else { Trouble::Legacy });
    }
    let (salt, rest) = rest.split_at_checked(SALT_BEGIN.len() + SALT_RANDOM_LEN).ok_or(Trouble::Damaged)?;
    if !rest.starts_with(VERSIONED) {
        return Err(if VERSIONED.starts_with(rest) { Trouble::Damaged } else { Trouble::Legacy });
    }
    let (version, rest) = rest[VERSIONED.len()..].split_first_chunk().ok_or(Trouble::Damaged)?;
    if u16::from_be_bytes(*version) != VERSION {
        return Err(Trouble::OtherCipher);
    }
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Trouble::Damaged)?;
    if sealed.len() <= TAG_LEN {
        return Err(Trouble::Damaged);
    }
    let mut key = Zeroizing::new([0; 32]);
    opening.scrypt(salt, SCRYPT, &mut key)?;
    let cipher = Aes256Gcm::new_from_slice(key.as_slice()).map_err(|_| Trouble::Damaged)?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    cipher.decrypt_in_place(&(*nonce).into(), b"", &mut *plain).map_err(|_| Trouble::WrongPassphrase)?;
    Ok(plain)
}

/// Keys of a configuration's list of exchanges.
pub(super) fn read(exchanges: &[Value], opening: &Opening<'_>) -> Result<Reading, Trouble> {
    let mut found = Vec::new();
    for (at, exchange) in exchanges.iter().enumerate() {
        let Some(credentials) = exchange.pointer("/api/credentials").and_then(Value::as_object) else { continue };
        let name = exchange.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(key) = key(name, at, credentials).filter(|key| !key.is_example(opening)) else { continue };
        found.push(key.judge(opening)?);
    }
    Ok(Reading { form: Form::GoCryptoTrader, also: String::new(), found })
}

fn key<'a>(name: &'a str, at: usize, credentials: &'a Map<String, Value>) -> Option<Standing<'a>> {
    let (api_key, secret) = (words(credentials, "key"), words(credentials, "secret"));
    if api_key.is_none() && secret.is_none() {
        return None;
    }
    let left = OTHERS.iter().copied().filter(|field| words(credentials, field).is_some_and(|value| !is_placeholder(value)));
    let place = format!("exchanges.{}.api.credentials", at + 1);
    Some(Standing { name, place, left: listed(left), api_key: api_key.unwrap_or_default(), secret })
}
