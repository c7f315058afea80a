//! JSON as ccxt's users keep it. Invariant: only objects that hold both an API key and a secret are looked at, down to a
//! fixed depth.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Form, Found, Trouble, secret};

const KEYS: &[&str] = &["apiKey", "api_key", "apikey"];
const SECRETS: &[&str] = &["secret", "apiSecret", "api_secret", "privateKey"];
/// Objects inside of objects that are looked at.
const DEPTH_MAX: u32 = 4;

pub(super) fn parse(text: &str) -> Result<Vec<Found>, Trouble> {
    let value: Value = serde_json::from_str(text).map_err(|_| Trouble::Unknown)?;
    let mut found = Vec::new();
    look(&value, "", DEPTH_MAX, &mut found)?;
    if found.is_empty() && names_files(&value) {
        return Err(Trouble::SecretElsewhere);
    }
    Ok(found)
}

fn look(value: &Value, name: &str, depth: u32, found: &mut Vec<Found>) -> Result<(), Trouble> {
    match value {
        _ if depth == 0 => {}
        Value::Object(object) => {
            if let (Some(api_key), Some(its)) = (text(object, KEYS), text(object, SECRETS)) {
                found.push(Found {
                    form: Form::Json,
                    name: name.to_ascii_lowercase(),
                    api_key: Zeroizing::new(api_key.trim().to_owned()),
                    secret: secret(its)?,
                });
            }
            for (name, value) in object {
                look(value, name, depth - 1, found)?;
            }
        }
        Value::Array(values) => {
            for value in values {
                look(value, name, depth - 1, found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn text<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| object.get(*name)?.as_str()).filter(|text| !text.trim().is_empty())
}

/// The paper venue's `keys.json`.
fn names_files(value: &Value) -> bool {
    value.as_array().is_some_and(|keys| keys.iter().any(|key| key.get("secret_file").is_some()))
}
