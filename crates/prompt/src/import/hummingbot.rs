//! Hummingbot's connectors, `conf/connectors/NAME.yml`: each field a keyfile of Ethereum's kind, in hexadecimal.
//!
//! Invariant: a field is decrypted only after its MAC was compared in constant time, and only for a connector whose keys can be
//! used; YAML is read as one flat list of names and texts, without references.

use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use saphyr_parser::{Event, Parser};
use serde::Deserialize;
use sha3::{Digest as _, Keccak256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::found::{Form, Reading, Standing, listed};
use super::opening::Opening;
use super::{Trouble, venue};

type Cipher = ctr::Ctr128BE<aes::Aes128>;

/// `{"crypto"` in hexadecimal: how every encrypted field begins.
pub(super) const SEALED_BEGIN: &str = "7b2263727970746f22";
/// Endings of fields that hold the key's name, and its secret.
const KEYS: &[&str] = &["_api_key"];
const SECRETS: &[&str] = &["_api_secret", "_secret_key"];
/// Most fields of a connector.
const FIELDS_MAX: usize = 64;

#[derive(Deserialize)]
struct Keyfile {
    crypto: Crypto,
    version: u8,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: serde_json::Value,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct Pbkdf2 {
    c: u64,
    dklen: u64,
    prf: String,
    salt: String,
}

/// Whether a text is such a file: it names its connector.
pub(super) fn looks_like_it(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("connector:"))
}

pub(super) fn parse(text: &str, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    let fields = fields(text)?;
    let field = |wanted: &dyn Fn(&str) -> bool| fields.iter().find(|(name, value)| wanted(name) && !value.is_empty());
    let ending = |endings: &'static [&'static str]| field(&move |name| endings.iter().any(|ending| name.ends_with(ending)));
    let (_, connector) = field(&|name| name == "connector").ok_or(Trouble::NoKey)?;
    let (key, secret) = (ending(KEYS), ending(SECRETS));
    let is_own = |name: &str| name == "connector" || [key, secret].into_iter().flatten().any(|(own, _)| own == name);
    let left = listed(fields.iter().filter(|(name, value)| !is_own(name) && !value.is_empty()).map(|(name, _)| name.as_str()));
    let mut reading = Reading { form: Form::Hummingbot, also: String::new(), found: Vec::new() };
    let place = listed([key, secret].into_iter().flatten().map(|(name, _)| name.as_str()));
    let standing = |api_key, secret| Standing { name: connector, place, left, api_key, secret };
    if !venue::is_supported(venue::recognise(connector).venue) {
        // Named, and not opened.
        let sealed = [key, secret].into_iter().flatten().chain(&fields).find(|(_, value)| value.starts_with(SEALED_BEGIN));
        reading.found.extend(sealed.map(|(_, value)| standing("", Some(value))).map(|key| key.judge(opening)).transpose()?);
        return Ok(reading);
    }
    let (Some((_, key)), Some((_, secret))) = (key, secret) else { return Ok(reading) };
    let (key, secret) = (plain(key, opening)?, plain(secret, opening)?);
    reading.found.push(standing(&key, Some(&secret)).judge(opening)?);
    Ok(reading)
}

/// Names and texts of one flat mapping.
fn fields(text: &str) -> Result<Vec<(String, Zeroizing<String>)>, Trouble> {
    let mut fields = Vec::new();
    let mut name: Option<String> = None;
    let mut depth = 0_u32;
    for event in Parser::new_from_str(text) {
        match event.map_err(|_| Trouble::Damaged)?.0 {
            Event::MappingStart(..) if depth == 0 => depth = 1,
            Event::MappingEnd if depth == 1 && name.is_none() => depth = 0,
            Event::Scalar(value, ..) if depth == 1 => match name.take() {
                None => name = Some(value.into_owned()),
                Some(_) if fields.len() == FIELDS_MAX => return Err(Trouble::Damaged),
                Some(name) => fields.push((name, Zeroizing::new(value.into_owned()))),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
            _ => return Err(Trouble::Damaged),
        }
    }
    Ok(fields)
}

/// A field in the clear; one that is not encrypted is that already.
fn plain(field: &str, opening: &Opening<'_>) -> Result<Zeroizing<String>, Trouble> {
    if !field.starts_with(SEALED_BEGIN) {
        return Ok(Zeroizing::new(field.to_owned()));
    }
    let json = hex::decode(field).map_err(|_| Trouble::Damaged)?;
    let Keyfile { crypto, version } = serde_json::from_slice(&json).map_err(|_| Trouble::Damaged)?;
    if version != 3 || crypto.cipher != "aes-128-ctr" || crypto.kdf != "pbkdf2" {
        return Err(Trouble::OtherCipher);
    }
    let Pbkdf2 { c, dklen, prf, salt } = serde_json::from_value(crypto.kdfparams).map_err(|_| Trouble::Damaged)?;
    if dklen != 32 || prf != "hmac-sha256" {
        return Err(Trouble::OtherCipher);
    }
    let bytes = |text: &str| hex::decode(text).map_err(|_| Trouble::Damaged);
    let (salt, mac, mut text) = (bytes(&salt)?, bytes(&crypto.mac)?, Zeroizing::new(bytes(&crypto.ciphertext)?));
    let iv = iv(&crypto.cipherparams.iv)?;
    if text.is_empty() || mac.len() != 32 {
        return Err(Trouble::Damaged);
    }
    let mut key = Zeroizing::new([0; 32]);
    opening.pbkdf2(&salt, c, &mut key)?;
    let measured = Keccak256::new().chain_update(&key[16..]).chain_update(&*text).finalize();
    if !bool::from(measured.as_slice().ct_eq(&mac)) {
        return Err(Trouble::WrongPassphrase);
    }
    let mut cipher = Cipher::new_from_slices(&key[..16], &iv).map_err(|_| Trouble::Damaged)?;
    cipher.apply_keystream(&mut text);
    std::str::from_utf8(&text).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| Trouble::Damaged)
}

/// Leading zeros are not written: it is a number there.
fn iv(text: &str) -> Result<[u8; 16], Trouble> {
    let number = u128::from_str_radix(text, 16).map_err(|_| Trouble::Damaged)?;
    Ok(number.to_be_bytes())
}
