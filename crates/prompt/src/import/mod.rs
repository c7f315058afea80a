//! Keys in files that people have. Invariant: foreign bytes are read by a walled process that can only answer with the
//! closed list of [`Reading`] and [`Trouble`]; what it answers is checked again here.

pub mod child;
mod coinbase;
mod env;
mod found;
mod freqtrade;
mod gocryptotrader;
mod hummingbot;
mod json;
mod kraken;
mod lines;
mod octobot;
mod opening;
mod pem;
pub mod reader;
mod trouble;
mod venue;
pub mod wipe;
mod wire;

pub use found::{FOUND_MAX, Form, Found, Reading, Scheme, shortened};
pub use opening::WORK_MAX;
pub use trouble::{Trouble, Why};
pub use wire::{ANSWER_LEN_MAX, decode, encode};

use opening::Opening;

/// Largest file that is looked at; a configuration with lists of markets can be some hundred KiB.
pub const FILE_LEN_MAX: usize = 4 * 1_024 * 1_024;
/// Longest passphrase, bytes.
pub const PASSPHRASE_LEN_MAX: usize = 1_024;

/// Reads a file's bytes. Runs in the walled process only, in tests, and in fuzzing.
pub fn parse(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Reading, Trouble> {
    parse_within(bytes, passphrase, WORK_MAX)
}

/// The same, with another bound on the work for a passphrase.
pub fn parse_within(bytes: &[u8], passphrase: Option<&[u8]>, work_max: u64) -> Result<Reading, Trouble> {
    if bytes.len() > FILE_LEN_MAX {
        return Err(Trouble::TooLong);
    }
    let opening = Opening::new(passphrase, work_max);
    let reading = if bytes.starts_with(gocryptotrader::BEGIN) {
        let plain = gocryptotrader::decrypt(bytes, &opening)?;
        json::parse(text(&plain)?, &opening)?
    } else {
        recognise(text(bytes)?, &opening)?
    };
    match reading.found.len() {
        0 => Err(opening.why_empty()),
        1..=FOUND_MAX => Ok(Reading { also: found::tidy(&reading.also), ..reading }),
        _ => Err(Trouble::TooMany),
    }
}

fn text(bytes: &[u8]) -> Result<&str, Trouble> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).map_err(|_| Trouble::NotText)?.trim();
    if text.is_empty() || text.contains('\0') { Err(Trouble::NotText) } else { Ok(text) }
}

/// Tells the form by what stands in the text, and reads it.
fn recognise(text: &str, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    if text.starts_with(pem::BEGIN) {
        return Ok(Reading { form: Form::Pem, also: String::new(), found: pem::parse(text, opening)? });
    }
    if text.starts_with(hummingbot::SEALED_BEGIN) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Trouble::PasswordCheck);
    }
    // A list of JSON and a table's heading of TOML begin alike.
    if kraken::looks_like_it(text) {
        return kraken::parse(text, opening);
    }
    if text.starts_with(['{', '[']) || text.starts_with("//") || text.starts_with("/*") {
        return json::parse(text, opening);
    }
    if hummingbot::looks_like_it(text) {
        return hummingbot::parse(text, opening);
    }
    if let Some(reading) = lines::parse(text, opening)? {
        return Ok(reading);
    }
    if env::looks_like_it(text) { env::parse(text, opening) } else { Err(Trouble::Unknown) }
}
