//! Limits as files, and what changed of them. Invariant: a file that is not a policy changes nothing.

use std::path::Path;

use serde_json::{Map, Value, json};
use strongroom_desk_api::{Ask, DoorError, Policy, Tell, Unmet};
use strongroom_guard::Reason;

use crate::Door;
use crate::fail::Failure;

/// Entries of the log that are asked for at once.
const PAGE: u32 = 50;
/// Entries of the log that are looked through.
const LOOKED_THROUGH_MAX: u64 = 20_000;

/// Reads a policy from a file; `-` is standard input.
pub(crate) fn read(file: &Path) -> Result<Policy, Failure> {
    let text = if file.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| Failure::usage(&format!("{} cannot be read: {error}", file.display())))?;
    serde_json::from_str(&text).map_err(|error| Failure::usage(&format!("{} is not a policy: {error}", file.display())))
}

/// Prints what `next` would change.
pub(crate) fn diff(now: &Policy, next: &Policy, json: bool) -> Result<(), Failure> {
    next.validate().map_err(|error| {
        let reason = Reason::from(error);
        let unmet = vec![Unmet::from(&reason)];
        Failure::from(DoorError { unmet, ..DoorError::new(reason.rule(), reason.to_string(), reason.advice()) })
    })?;
    let changes = changes(&value(now), &value(next));
    let needs_code = now.is_raised_by(next);
    if json {
        println!("{}", json!({"changes": changes, "needs_code": needs_code}));
        return Ok(());
    }
    print(&changes);
    println!(
        "{}",
        if changes.is_empty() {
            "Nothing differs."
        } else if needs_code {
            "Setting it needs a code."
        } else {
            "Setting it needs no code."
        }
    );
    Ok(())
}

/// Prints earlier limits, newest first, each as it differs from the one before.
pub(crate) fn history(door: &Door, json: bool) -> Result<(), Failure> {
    let mut found: Vec<Change> = Vec::new();
    let (mut before, mut looked, mut is_whole) = (None, 0, false);
    loop {
        let (entries, size) = match door.ask(&Ask::Audit { before, last: PAGE })? {
            Tell::Audit { entries, size } => (entries, size),
            other => {
                return Err(
                    Failure::of(&other).unwrap_or_else(|| Failure::refused("desk", "the desk did not answer with its log".to_owned()))
                );
            }
        };
        let Some(oldest) = entries.iter().map(|entry| entry.seq).min() else {
            is_whole = true;
            break;
        };
        looked += entries.len() as u64;
        let changed = entries.into_iter().filter(|entry| entry.kind == "policy-changed");
        found.extend(changed.map(|entry| Change { seq: entry.seq, at: entry.at.to_string(), payload: entry.payload }));
        // The first leaf opens an epoch and says nothing.
        is_whole |= oldest <= 1;
        if is_whole || looked >= LOOKED_THROUGH_MAX.min(size) {
            break;
        }
        before = Some(oldest);
    }
    found.sort_by_key(|change| change.seq);
    // Before the first one found were the limits of a new vault, if all was looked through; else they are not known.
    let initial = is_whole.then(|| value(&Policy::initial()));
    let earlier = std::iter::once(initial.as_ref()).chain(found.iter().map(|change| Some(&change.payload["policy"])));
    let rows: Vec<_> = found
        .iter()
        .zip(earlier)
        .map(|(change, earlier)| (change, earlier.map(|earlier| changes(earlier, &change.payload["policy"]))))
        .collect();
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(change, changes)| json!({"entry": change.seq, "at": change.at, "person": change.payload["person"], "changes": changes}))
            .collect();
        println!("{}", json!({"history": rows, "whole": is_whole}));
        return Ok(());
    }
    for (change, changes) in rows.iter().rev() {
        let by = change.payload["person"].as_u64().map_or_else(String::new, |slot| format!("  slot {slot}"));
        println!("{}  entry {}{by}", change.at, change.seq);
        match changes {
            Some(changes) => print(changes),
            None => println!("  what they were before lies further back than was looked"),
        }
    }
    match (rows.is_empty(), is_whole) {
        (true, true) => println!("The limits are those of a new vault."),
        (true, false) => println!("No change in the newest {looked} entries; what is older was not looked through."),
        (false, false) => println!("The newest {looked} entries were looked through."),
        (false, true) => {}
    }
    Ok(())
}

/// A change of the limits, as the log has it.
struct Change {
    seq: u64,
    at: String,
    payload: Value,
}

fn value(policy: &Policy) -> Value {
    serde_json::to_value(policy).unwrap_or_default()
}

fn print(changes: &Map<String, Value>) {
    for (name, change) in changes {
        println!("  {name}: {} → {}", shown(&change["from"]), shown(&change["to"]));
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What differs, each part by its path.
fn changes(from: &Value, to: &Value) -> Map<String, Value> {
    let (mut olds, mut news) = (Map::new(), Map::new());
    flatten("", from, &mut olds);
    flatten("", to, &mut news);
    let paths: std::collections::BTreeSet<&String> = olds.keys().chain(news.keys()).collect();
    let change = |path: &String| {
        let (old, new) = (olds.get(path).unwrap_or(&Value::Null), news.get(path).unwrap_or(&Value::Null));
        (old != new).then(|| (path.clone(), json!({"from": old, "to": new})))
    };
    paths.into_iter().filter_map(change).collect()
}

/// Lists of instruments by their symbol, other lists whole.
fn flatten(path: &str, value: &Value, into: &mut Map<String, Value>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(parts) => parts.iter().for_each(|(name, part)| flatten(&below(name), part, into)),
        Value::Array(rows) if rows.iter().any(|row| row.get("symbol").is_some()) => {
            for row in rows {
                flatten(&below(row["symbol"].as_str().unwrap_or("?")), row, into);
            }
        }
        other => drop(into.insert(path.to_owned(), other.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_paths() {
        let old = Policy::initial();
        let mut new = old.clone();
        new.orders_per_minute = 7;
        new.desk.day_loss_max = strongroom_model::Notional::parse("100").ok();
        new.instruments.remove(1);
        let changes = changes(&value(&old), &value(&new));
        let paths: Vec<&str> = changes.keys().map(String::as_str).collect();
        assert!(
            paths.contains(&"orders_per_minute")
                && paths.contains(&"desk.day_loss_max")
                && paths.contains(&"instruments.ETHUSDT.price_low")
        );
        assert!(!paths.iter().any(|path| path.contains("BTCUSDT")), "{paths:?}");
        assert_eq!(changes["orders_per_minute"], json!({"from": 120, "to": 7}));
    }
}
