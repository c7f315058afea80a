//! Limits as lines of name and value. Invariant: two policies that differ have different lines.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Every part with its name, as in a file of limits; an instrument's behind its symbol.
pub(crate) fn lines(limits: &impl Serialize) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    // Limits are texts, numbers and lists of them: always JSON.
    put("", &serde_json::to_value(limits).unwrap_or_default(), &mut found);
    found
}

fn put(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let symbol = |one: &Value| one.get("symbol").and_then(Value::as_str).map(str::to_owned);
    match value {
        Value::Object(parts) => parts.iter().filter(|(name, _)| *name != "symbol").for_each(|(name, part)| put(&below(name), part, found)),
        Value::Array(parts) if !parts.is_empty() && parts.iter().all(|part| symbol(part).is_some()) => {
            parts.iter().for_each(|part| put(&below(&symbol(part).unwrap_or_default()), part, found));
        }
        Value::Array(parts) => drop(found.insert(path.to_owned(), parts.iter().map(words).collect::<Vec<_>>().join(", "))),
        one => drop(found.insert(path.to_owned(), words(one))),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}
