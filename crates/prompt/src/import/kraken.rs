//! TOML, as kraken-cli and others keep keys. Invariant: only tables that hold a key and its secret are looked at, down to a
//! fixed depth.

use serde_json::Value;

use super::Trouble;
use super::found::{Form, Reading, Standing};
use super::json::{look, words};
use super::opening::Opening;

const DEPTH_MAX: u32 = 4;

/// Whether a text has a table's heading of TOML in it: `[auth]`.
pub(super) fn looks_like_it(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        let heading = line.split('#').next().unwrap_or_default().trim_end();
        let inside = heading.trim_start_matches('[').trim_end_matches(']');
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.\"' ".contains(&byte);
        heading.starts_with('[')
            && heading.ends_with(']')
            && inside.starts_with(|first: char| first.is_ascii_alphabetic())
            && inside.bytes().all(is_name)
    })
}

pub(super) fn parse(text: &str, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    let value: Value = toml::from_str(text).map_err(|_| Trouble::Damaged)?;
    let auth = value.get("auth").and_then(Value::as_object);
    let pairs = [("kraken", "api_key", "api_secret"), ("kraken futures", "futures_api_key", "futures_api_secret")];
    let mut reading = Reading { form: Form::KrakenCli, also: String::new(), found: Vec::new() };
    for (name, key, secret) in pairs {
        let Some((auth, api_key)) = auth.and_then(|auth| Some((auth, words(auth, key)?))) else { continue };
        let key = Standing { name, place: ["auth", key].join("."), left: String::new(), api_key, secret: words(auth, secret) };
        if !key.is_example(opening) {
            reading.found.push(key.judge(opening)?);
        }
    }
    if auth.is_none() {
        reading.form = Form::Toml;
        look(&value, "", "", DEPTH_MAX, opening, &mut reading.found)?;
    }
    Ok(reading)
}
