//! Key and secret as people copy them from a page: `API Key: …` and `Secret: …`, a label above each, or two bare lines.
//! Invariant: nothing is taken from text with other words in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::Trouble;
use super::found::{Form, Reading, Standing, listed};
use super::opening::Opening;
use super::pem;

/// Labels, without blanks and marks.
const KEYS: &[&str] = &["apikey", "key", "accesskey", "apikeyid", "keyid", "publickey", "publicapikey"];
const SECRETS: &[&str] = &["secretkey", "secret", "apisecret", "apisecretkey", "privatekey", "secretaccesskey", "privateapikey"];
const OTHERS: &[&str] = &["passphrase", "password", "apipassphrase", "uid", "label", "name"];
/// Most lines of such a text.
const LINES_MAX: usize = 16;
/// Shortest key and secret that are taken without a label.
const BARE_LEN_MIN: usize = 16;
/// Kraken's: a name of 42 bytes and a secret of 64 in base64.
const KRAKEN_LENS: (usize, usize) = (42, 64);

/// A label and what it names.
type Pair<'a> = (&'static str, &'a str);

/// Reads it; `None` when it is something else.
pub(super) fn parse(text: &str, opening: &Opening<'_>) -> Result<Option<Reading>, Trouble> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if !(2..=LINES_MAX).contains(&lines.len()) {
        return Ok(None);
    }
    let Some(pairs) = bare(&lines).or_else(|| labelled(&lines)) else { return Ok(None) };
    let named = |names: &[&str]| pairs.iter().find(|(label, _)| names.contains(label)).map(|(_, value)| *value);
    let (Some(api_key), Some(secret)) = (named(KEYS), named(SECRETS)) else { return Ok(None) };
    let lens = (decoded_len(api_key), decoded_len(secret));
    let name = if lens == (Some(KRAKEN_LENS.0), Some(KRAKEN_LENS.1)) { "kraken" } else { "" };
    let left = listed(pairs.iter().map(|(label, _)| *label).filter(|label| OTHERS.contains(label)));
    let key = Standing { name, place: "the whole text".to_owned(), left, api_key, secret: Some(secret) };
    let found = if key.is_example(opening) { Vec::new() } else { vec![key.judge(opening)?] };
    Ok(Some(Reading { form: Form::Lines, also: String::new(), found }))
}

/// Two lines, the key and its secret.
fn bare<'a>(lines: &[&'a str]) -> Option<Vec<Pair<'a>>> {
    let [key, secret] = lines else { return None };
    let is_bare = |line: &&str| {
        let unpadded = line.trim_end_matches('=');
        let marks: &[u8] = if unpadded.len() == line.len() { b"+/-_" } else { b"+/" };
        line.len() >= BARE_LEN_MIN
            && unpadded.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
            && label(line).is_none()
    };
    (is_bare(key) && is_bare(secret)).then(|| vec![("key", *key), ("secret", *secret)])
}

/// Every line is a label, a label and its value, or the value of the label before it.
fn labelled<'a>(lines: &[&'a str]) -> Option<Vec<Pair<'a>>> {
    let mut pairs = Vec::new();
    let mut waiting = None;
    for line in lines {
        if let Some(label) = waiting.take() {
            pairs.push((label, *line));
        } else if let Some(label) = label(line.trim_end_matches(':')) {
            waiting = Some(label);
        } else {
            let (before, value) = line.split_once([':', '\t'])?;
            pairs.push((label(before)?, value.trim()));
        }
    }
    let one_word = |value: &str| !value.is_empty() && (!value.contains(char::is_whitespace) || value.starts_with(pem::BEGIN));
    (waiting.is_none() && pairs.iter().all(|(label, value)| OTHERS.contains(label) || one_word(value))).then_some(pairs)
}

fn label(text: &str) -> Option<&'static str> {
    if text.len() > 32 {
        return None;
    }
    let word: String = text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    [KEYS, SECRETS, OTHERS].into_iter().flatten().find(|label| **label == word).copied()
}

fn decoded_len(text: &str) -> Option<usize> {
    BASE64.decode(text).map(Zeroizing::new).ok().map(|bytes| bytes.len())
}
