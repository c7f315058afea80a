//! Files of `NAME=value` lines. Invariant: only names of the conventions below are looked at; everything else in the file
//! is left alone.

use zeroize::Zeroizing;

use super::{Form, Found, Trouble, secret};

/// Endings of names of API keys; NautilusTrader, Kraken; Alpaca; ccxt; freqtrade.
const KEYS: &[&str] = &["API_KEY", "API_KEY_ID", "APIKEY", "__KEY"];
/// Endings of names of secrets, in the same order, and a private key's.
const SECRETS: &[&str] = &["API_SECRET", "API_SECRET_KEY", "SECRET", "__SECRET", "PRIVATE_KEY"];

/// One `NAME=value`.
struct Line<'a> {
    name: &'a str,
    value: &'a str,
}

pub(super) fn looks_like_it(text: &str) -> bool {
    lines(text).next().is_some()
}

pub(super) fn parse(text: &str) -> Result<Vec<Found>, Trouble> {
    let mut found = Vec::new();
    for Line { name, value } in lines(text).filter(|line| !line.value.is_empty()) {
        let Some(owner) = owner(name, KEYS) else { continue };
        let its = |line: &Line<'_>| !line.value.is_empty() && self::owner(line.name, SECRETS) == Some(owner);
        let Some(Line { value: theirs, .. }) = lines(text).find(its) else { continue };
        found.push(Found { form: Form::Env, name: whose(text, owner), api_key: Zeroizing::new(value.to_owned()), secret: secret(theirs)? });
    }
    Ok(found)
}

/// What stands before the ending: `BINANCE_TESTNET` of `BINANCE_TESTNET_API_KEY`. The longest ending counts.
fn owner<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    let owners = endings.iter().filter_map(|ending| name.strip_suffix(ending));
    let owner = owners.min_by_key(|owner| owner.len())?;
    (owner.is_empty() || owner.ends_with('_') || name[owner.len()..].starts_with("__")).then(|| owner.trim_end_matches('_'))
}

/// In words; freqtrade says the exchange in a variable of its own.
fn whose(text: &str, owner: &str) -> String {
    let exchange = lines(text).find(|line| owner.ends_with("__EXCHANGE") && line.name == format!("{owner}__NAME"));
    exchange.map_or_else(|| owner.replace('_', " ").to_ascii_lowercase(), |line| line.value.to_ascii_lowercase())
}

/// All lines that are assignments; a quoted value may hold line breaks.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let before = rest;
            rest = after;
            let line = line.trim();
            let assignment = line.strip_prefix("export ").unwrap_or(line).trim_start();
            let Some((name, value)) = assignment.split_once('=') else { continue };
            let name = name.trim_end();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                continue;
            }
            let value = value.trim_start();
            let Some(quote) = value.chars().next().filter(|first| *first == '"' || *first == '\'') else {
                // A comment begins at a blank and a hash.
                let value = value.split_once(" #").map_or(value, |(value, _)| value);
                return Some(Line { name, value: value.trim_end() });
            };
            // The value's place in the text, so that a quotation may go on over line ends.
            let start = value.as_ptr() as usize - before.as_ptr() as usize + 1;
            let Some((value, after)) = before.get(start..).and_then(|quoted| quoted.split_once(quote)) else { continue };
            rest = after.split_once('\n').map_or("", |(_, after)| after);
            return Some(Line { name, value });
        }
        None
    })
}
