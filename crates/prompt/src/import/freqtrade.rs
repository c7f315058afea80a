//! freqtrade's `config.json`. Invariant: only the object `exchange` is looked at for a key; the file's other secrets are
//! named and left.

use serde_json::{Map, Value};

use super::Trouble;
use super::found::{Form, Reading, Standing, listed};
use super::json::words;
use super::opening::Opening;

/// The exchange's fields that are not kept.
const OTHERS: &[&str] = &["password", "uid", "account_id", "wallet_address", "private_key"];
/// Other secrets of the file: the table and the field.
const ALSO: &[(&str, &str)] = &[
    ("telegram", "token"),
    ("telegram", "chat_id"),
    ("discord", "webhook_url"),
    ("api_server", "password"),
    ("api_server", "jwt_secret_key"),
    ("api_server", "ws_token"),
    ("webhook", "url"),
];

/// The object `exchange`, if this is such a file.
pub(super) fn exchange(object: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let exchange = object.get("exchange")?.as_object()?;
    let has = |field: &str| exchange.contains_key(field);
    ((has("key") && has("secret")) || (has("name") && (has("pair_whitelist") || object.contains_key("stake_currency")))).then_some(exchange)
}

pub(super) fn read(object: &Map<String, Value>, exchange: &Map<String, Value>, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    let also = ALSO.iter().filter(|(table, field)| object.get(*table).and_then(Value::as_object).is_some_and(|table| is_set(table, field)));
    let also: Vec<String> = also.map(|(table, field)| [*table, *field].join(".")).collect();
    let mut reading = Reading { form: Form::Freqtrade, also: listed(also.iter().map(String::as_str)), found: Vec::new() };
    // A key in ccxt's own settings overrides the one beside it.
    let place = |inner: &str| ["exchange", inner].join(".");
    let inner = ["ccxt_config", "ccxt_sync_config", "ccxt_async_config"].iter().find_map(|inner| {
        let object = exchange.get(*inner)?.as_object()?;
        Some((place(inner), words(object, "apiKey")?, words(object, "secret")))
    });
    let outer = || Some(("exchange".to_owned(), words(exchange, "key")?, words(exchange, "secret")));
    let Some((place, api_key, secret)) = inner.or_else(outer) else {
        let elsewhere = object.get("add_config_files").and_then(Value::as_array).is_some_and(|files| !files.is_empty());
        return if elsewhere { Err(Trouble::AddConfigFiles) } else { Ok(reading) };
    };
    let left = listed(OTHERS.iter().copied().filter(|field| words(exchange, field).is_some()));
    let key = Standing { name: words(exchange, "name").unwrap_or_default(), place, left, api_key, secret };
    if !key.is_example(opening) {
        reading.found.push(key.judge(opening)?);
    }
    Ok(reading)
}

fn is_set(table: &Map<String, Value>, field: &str) -> bool {
    words(table, field).is_some() || table.get(field).is_some_and(Value::is_number)
}
