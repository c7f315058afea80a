//! JSON: whose it is, and keys as ccxt's users keep them. Invariant: objects are looked at down to a fixed depth, and what
//! one holds beside key and secret is named and left.

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde_json::{Map, Value};

use super::found::{Form, Found, Reading, Standing, is_placeholder, listed};
use super::opening::Opening;
use super::{Trouble, coinbase, freqtrade, gocryptotrader, octobot, venue};

const KEYS: &[&str] = &["apiKey", "api_key", "apikey"];
const SECRETS: &[&str] = &["secret", "apiSecret", "api_secret", "privateKey"];
/// ccxt's other credentials (`requiredCredentials` of its exchanges), and how people spell them.
const OTHERS: &[&str] = &["password", "passphrase", "uid", "login", "twofa", "privateKey", "walletAddress", "token", "accountId"];
/// Objects inside of objects that are looked at.
const DEPTH_MAX: u32 = 4;
/// Comments and trailing commas, as freqtrade takes them; nothing else that is not JSON.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn parse(text: &str, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    let value: Value = parse_to_serde_value(text, &OPTIONS).map_err(|_| Trouble::Damaged)?;
    let Value::Object(object) = &value else { return plain(&value, opening) };
    if let Some(exchange) = freqtrade::exchange(object) {
        return freqtrade::read(object, exchange, opening);
    }
    match object.get("exchanges") {
        Some(Value::Array(exchanges)) => return gocryptotrader::read(exchanges, opening),
        Some(Value::Object(exchanges)) if octobot::is_it(exchanges) => return octobot::read(exchanges, opening),
        _ => {}
    }
    if let Some(standing) = coinbase::key(object) {
        return Ok(Reading { form: Form::Coinbase, also: String::new(), found: vec![standing.judge(opening)?] });
    }
    plain(&value, opening)
}

/// Keys as ccxt takes them, under the exchange's id.
fn plain(value: &Value, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    if names_files(value) {
        return Err(Trouble::SecretElsewhere);
    }
    let mut found = Vec::new();
    look(value, "", "", DEPTH_MAX, opening, &mut found)?;
    Ok(Reading { form: Form::Json, also: String::new(), found })
}

/// Looks for keys in tables and lists of any program.
pub(super) fn look(
    value: &Value,
    name: &str,
    place: &str,
    depth: u32,
    opening: &Opening<'_>,
    found: &mut Vec<Found>,
) -> Result<(), Trouble> {
    let below = |step: &str| if place.is_empty() { step.to_owned() } else { [place, step].join(".") };
    match value {
        _ if depth == 0 => {}
        Value::Object(object) => {
            found.extend(key(object, name, place).filter(|key| !key.is_example(opening)).map(|key| key.judge(opening)).transpose()?);
            for (name, value) in object {
                look(value, name, &below(name), depth - 1, opening, found)?;
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                look(value, "", &below(&(at + 1).to_string()), depth - 1, opening, found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The key that an object is, if it is one.
fn key<'a>(object: &'a Map<String, Value>, name: &'a str, place: &str) -> Option<Standing<'a>> {
    let name = ["exchange", "exchange_id", "id", "venue"].iter().find_map(|field| words(object, field)).unwrap_or(name);
    let known = !venue::recognise(name).venue.is_empty();
    let api_key = KEYS.iter().find_map(|field| words(object, field));
    let secret = SECRETS.iter().find_map(|field| Some((*field, words(object, field)?)));
    // A wallet signs with a private key alone.
    let wallet = words(object, "walletAddress").filter(|_| known && secret.is_some());
    let is_one = if known { api_key.is_some() || wallet.is_some() } else { api_key.is_some() && secret.is_some() };
    let is_taken = |field: &str| secret.is_some_and(|(own, _)| own == field) || (field == "walletAddress" && api_key.is_none());
    let left = OTHERS.iter().copied().filter(|field| !is_taken(field) && words(object, field).is_some());
    is_one.then(|| Standing {
        name,
        place: if place.is_empty() { "the whole file".to_owned() } else { place.to_owned() },
        left: listed(left),
        api_key: api_key.or(wallet).unwrap_or_default(),
        secret: secret.map(|(_, secret)| secret),
    })
}

impl Standing<'_> {
    /// Whether an example stands where a key could be.
    pub(super) fn is_example(&self, opening: &Opening<'_>) -> bool {
        let example = is_placeholder(self.api_key) || self.secret.is_some_and(is_placeholder);
        if example {
            opening.saw_placeholder();
        }
        example
    }
}

/// A text field that says something.
pub(super) fn words<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    object.get(field)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The paper venue's `keys.json`.
fn names_files(value: &Value) -> bool {
    value.as_array().is_some_and(|keys| keys.iter().any(|key| key.get("secret_file").is_some()))
}
