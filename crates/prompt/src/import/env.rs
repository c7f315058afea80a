//! Files of `NAME=value` lines. Invariant: only names of the conventions below are looked at; everything else in the file
//! is left alone.

use super::found::{Form, Reading, Standing, listed};
use super::opening::Opening;
use super::{Trouble, venue};

/// Endings of names of API keys; NautilusTrader, Kraken; Alpaca; ccxt; freqtrade.
const KEYS: &[&str] = &["API_KEY", "API_KEY_ID", "APIKEY", "__KEY"];
/// Endings of names of secrets, in the same order, and a private key's.
const SECRETS: &[&str] = &["API_SECRET", "API_SECRET_KEY", "SECRET", "__SECRET", "PRIVATE_KEY", "PRIVATEKEY"];
/// Endings of what stands beside them; NautilusTrader; ccxt; freqtrade.
const OTHERS: &[&str] = &[
    "API_PASSPHRASE",
    "PASSPHRASE",
    "PASSWORD",
    "__PASSWORD",
    "UID",
    "__UID",
    "__ACCOUNT_ID",
    "__WALLET_ADDRESS",
    "__PRIVATE_KEY",
    "LOGIN",
    "TWOFA",
    "TOKEN",
    "WALLETADDRESS",
    "ACCOUNTID",
];
/// freqtrade's other secrets.
const ALSO: &[&str] = &[
    "FREQTRADE__TELEGRAM__TOKEN",
    "FREQTRADE__TELEGRAM__CHAT_ID",
    "FREQTRADE__DISCORD__WEBHOOK_URL",
    "FREQTRADE__API_SERVER__PASSWORD",
    "FREQTRADE__API_SERVER__JWT_SECRET_KEY",
    "FREQTRADE__API_SERVER__WS_TOKEN",
    "FREQTRADE__WEBHOOK__URL",
];
const FREQTRADE: &str = "FREQTRADE__EXCHANGE";
/// Most assignments: each key looks for its secret among all of them.
const LINES_MAX: usize = 2_000;

/// One `NAME=value`.
struct Line<'a> {
    name: String,
    value: &'a str,
    /// Counted from one.
    number: usize,
}

pub(super) fn looks_like_it(text: &str) -> bool {
    lines(text).next().is_some()
}

pub(super) fn parse(text: &str, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    let lines: Vec<Line<'_>> = lines(text).filter(|line| !line.value.is_empty()).take(LINES_MAX + 1).collect();
    if lines.len() > LINES_MAX {
        return Err(Trouble::TooLong);
    }
    let also = listed(lines.iter().map(|line| line.name.as_str()).filter(|name| ALSO.contains(name)));
    let mut reading = Reading { form: Form::Env, also, found: Vec::new() };
    for Line { name, value, number } in &lines {
        let Some(owner) = owner(name, KEYS) else { continue };
        let its = |endings: &'static [&'static str]| move |line: &&Line<'_>| self::owner(&line.name, endings) == Some(owner);
        let secret = lines.iter().find(its(SECRETS));
        let name = whose(&lines, owner);
        // Programs of all kinds keep an API key here; without a secret it is an exchange's only if it says so.
        if secret.is_none() && venue::recognise(&name).venue.is_empty() {
            continue;
        }
        let place = match secret {
            Some(secret) => format!("lines {} and {}", number.min(&secret.number), number.max(&secret.number)),
            None => format!("line {number}"),
        };
        let is_other = |line: &&Line<'_>| its(OTHERS)(line) && secret.is_none_or(|secret| secret.number != line.number);
        let left = listed(lines.iter().filter(is_other).map(|line| line.name.as_str()));
        let key = Standing { name: &name, place, left, api_key: value, secret: secret.map(|line| line.value) };
        if !key.is_example(opening) {
            reading.found.push(key.judge(opening)?);
        }
    }
    Ok(reading)
}

/// What stands before the ending: `BINANCE_TESTNET` of `BINANCE_TESTNET_API_KEY`. The longest ending counts.
fn owner<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    let owners = endings.iter().filter_map(|ending| name.strip_suffix(ending));
    let owner = owners.min_by_key(|owner| owner.len())?;
    (owner.is_empty() || owner.ends_with('_') || name[owner.len()..].starts_with("__")).then(|| owner.trim_end_matches('_'))
}

/// The owner in words; freqtrade says the exchange in a variable of its own, Alpaca the simulation in an address.
fn whose(lines: &[Line<'_>], owner: &str) -> String {
    let value = |name: &str| lines.iter().find(|line| line.name == name).map(|line| line.value);
    match owner {
        FREQTRADE => value("FREQTRADE__EXCHANGE__NAME").unwrap_or("freqtrade").to_owned(),
        "APCA" if value("APCA_API_BASE_URL").is_some_and(|url| url.contains("paper")) => "APCA paper".to_owned(),
        _ => owner.to_owned(),
    }
}

/// All lines that are assignments; a quoted value may hold line breaks.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    let mut number = 0;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let before = rest;
            rest = after;
            number += 1;
            let line = line.trim();
            let assignment = line.strip_prefix("export ").unwrap_or(line).trim_start();
            let Some((name, value)) = assignment.split_once('=') else { continue };
            let name = name.trim_end();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                continue;
            }
            let name = name.to_ascii_uppercase();
            let value = value.trim_start();
            let Some(quote) = value.chars().next().filter(|first| *first == '"' || *first == '\'') else {
                // A comment begins at a blank and a hash.
                let value = value.split_once(" #").map_or(value, |(value, _)| value);
                return Some(Line { name, value: value.trim_end(), number });
            };
            // The value's place in the text, so that a quotation may go on over line ends.
            let start = value.as_ptr() as usize - before.as_ptr() as usize + 1;
            let Some((value, after)) = before.get(start..).and_then(|quoted| quoted.split_once(quote)) else { continue };
            rest = after.split_once('\n').map_or("", |(_, after)| after);
            let line = Line { name, value, number };
            number += value.matches('\n').count();
            return Some(line);
        }
        None
    })
}
