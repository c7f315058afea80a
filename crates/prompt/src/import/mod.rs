//! Keys in files that people have. Invariant: foreign bytes are read by a walled process that can only answer with the
//! closed list of [`Found`] and [`Trouble`]; what it answers is checked again here.

mod env;
mod json;
mod pem;
pub mod reader;
mod wire;

use zeroize::Zeroizing;

pub use wire::{decode, encode};

/// Largest file that is looked at: what fits into a pipe at once.
pub const FILE_LEN_MAX: usize = 64 * 1_024;
/// Most keys taken from one file.
pub const FOUND_MAX: usize = 8;
/// Longest name of a key's place in the file.
const NAME_LEN_MAX: usize = 64;
/// Longest API key.
const API_KEY_LEN_MAX: usize = 256;

/// The form that a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// One private key in PEM.
    Pem = 1,
    /// `NAME=value` lines.
    Env = 2,
    /// JSON with `apiKey` and `secret`.
    Json = 3,
}

impl Form {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pem => "private key (PEM)",
            Self::Env => "environment file",
            Self::Json => "JSON",
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [Self::Pem, Self::Env, Self::Json].into_iter().find(|form| *form as u8 == number)
    }
}

/// A key that a file holds.
#[derive(PartialEq, Eq)]
pub struct Found {
    /// The file's form.
    pub form: Form,
    /// Whose key it is, as the file says: `binance`, `bybit demo`; empty when it does not.
    pub name: String,
    /// The venue's name of the key; empty when the file does not have it.
    pub api_key: Zeroizing<String>,
    /// The secret, or the private key as PEM with line breaks.
    pub secret: Zeroizing<String>,
}

impl Found {
    /// How it signs, as the secret's form says.
    pub fn signs_with(&self) -> &'static str {
        if self.secret.starts_with(pem::BEGIN) { "Ed25519" } else { "HMAC-SHA-256" }
    }

    /// Whether the file says that it belongs to another venue than this one.
    pub fn is_for_another_venue_than(&self, venue: &str) -> bool {
        let first = self.name.split(' ').next().unwrap_or_default();
        VENUES.contains(&first) && !first.eq_ignore_ascii_case(venue)
    }

    fn is_whole(&self) -> bool {
        let plain = |text: &str| !text.chars().any(char::is_control);
        let graphic = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let secret = if self.secret.starts_with(pem::BEGIN) { pem::is_whole(&self.secret) } else { graphic(&self.secret) };
        self.name.len() <= NAME_LEN_MAX
            && plain(&self.name)
            && self.api_key.len() <= API_KEY_LEN_MAX
            && graphic(&self.api_key)
            && (1..=strongroom_signer_api::prompt::ANSWER_LEN_MAX).contains(&self.secret.len())
            && secret
    }
}

/// Venues that files name.
const VENUES: &[&str] = &["binance", "bybit", "okx", "coinbase", "kraken", "apca", "kucoin", "gate", "bitget", "huobi", "mexc", "bitfinex"];

/// Why no key is taken from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Trouble {
    /// Empty, or not text.
    NotText = 1,
    /// Longer than [`FILE_LEN_MAX`].
    TooLong = 2,
    /// No form that is known.
    Unknown = 3,
    /// A known form without a key and its secret.
    NoKey = 4,
    /// A private key under a password.
    Encrypted = 5,
    /// RSA or EC.
    OtherKind = 6,
    /// A list that names files with the secrets.
    SecretElsewhere = 7,
    /// More keys than [`FOUND_MAX`].
    TooMany = 8,
    /// The reader's walls do not stand on this system.
    NoWalls = 9,
    /// The reader ended without an answer.
    NoAnswer = 10,
}

impl Trouble {
    const ALL: [Self; 10] = [
        Self::NotText,
        Self::TooLong,
        Self::Unknown,
        Self::NoKey,
        Self::Encrypted,
        Self::OtherKind,
        Self::SecretElsewhere,
        Self::TooMany,
        Self::NoWalls,
        Self::NoAnswer,
    ];

    /// Fact, effect, action.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotText => "This is no text file. Nothing was taken from it. Choose a .env, JSON or PEM file.",
            Self::TooLong => "This file is longer than 64 KiB. It was not read. Copy the key's lines into a file of their own.",
            Self::Unknown => "This file's form is not known. Nothing was taken from it. Choose a .env, JSON or PEM file, or type the key.",
            Self::NoKey => "No API key with its secret is in this file. Nothing was taken from it. Choose another, or type the key.",
            Self::Encrypted => {
                "This private key is under a password. It was not read. Write it without one, import it, then delete that file."
            }
            Self::OtherKind => "This private key is RSA or EC. It cannot be used here. Make an Ed25519 key at the venue.",
            Self::SecretElsewhere => "This list names other files that hold the secrets. Choose practice.env beside it.",
            Self::TooMany => "More than eight keys are in this file. Nothing was taken. Copy one key into a file of its own.",
            Self::NoWalls => "This system cannot wall off the process that reads files. The file was not read. Type or paste the key.",
            Self::NoAnswer => "The process that reads files gave up on this one. Nothing was taken from it. Type or paste the key.",
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| *trouble as u8 == number)
    }
}

/// Reads a file's bytes. Runs in the walled process only, in tests, and in fuzzing.
pub fn parse(bytes: &[u8]) -> Result<Vec<Found>, Trouble> {
    if bytes.len() > FILE_LEN_MAX {
        return Err(Trouble::TooLong);
    }
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).map_err(|_| Trouble::NotText)?.trim();
    if text.is_empty() || text.contains('\0') {
        return Err(Trouble::NotText);
    }
    let mut found = if text.starts_with(pem::BEGIN) {
        vec![Found { form: Form::Pem, name: String::new(), api_key: Zeroizing::default(), secret: pem::normal(text)? }]
    } else if text.starts_with(['{', '[']) {
        json::parse(text)?
    } else if env::looks_like_it(text) {
        env::parse(text)?
    } else {
        return Err(Trouble::Unknown);
    };
    found.retain(Found::is_whole);
    match found.len() {
        0 => Err(Trouble::NoKey),
        1..=FOUND_MAX => Ok(found),
        _ => Err(Trouble::TooMany),
    }
}

/// A secret as a file spells it: PEM is brought into its normal form, everything else stays.
fn secret(text: &str) -> Result<Zeroizing<String>, Trouble> {
    let text = text.trim();
    if text.starts_with(pem::BEGIN) { pem::normal(text) } else { Ok(Zeroizing::new(text.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The private key of RFC 8410, section 10.3: published, so no secret.
    const PEM: &str =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    /// `name|api key|secret` of each key, joined by blanks; or the trouble.
    fn read(text: &str) -> String {
        match parse(text.as_bytes()) {
            Err(trouble) => format!("{trouble:?}"),
            Ok(found) => {
                let secret = |found: &Found| if *found.secret == *PEM { "PEM".to_owned() } else { found.secret.to_string() };
                let keys = found.iter().map(|found| format!("{}|{}|{}", found.name, *found.api_key, secret(found)));
                keys.collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// Rows: a file, and what is found in it.
    #[test]
    fn files() {
        let literal = PEM.trim().replace('\n', "\\n");
        let rows: &[(&str, &str)] = &[
            // Plain PEM, with line breaks of all kinds.
            (PEM, "||PEM"),
            (&PEM.replace('\n', "\r\n"), "||PEM"),
            (&literal, "||PEM"),
            (&format!("\u{feff}{PEM}"), "||PEM"),
            ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "OtherKind"),
            ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "OtherKind"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "Encrypted"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA", "NoKey"),
            // NautilusTrader, ccxt, freqtrade, Kraken's and Alpaca's names.
            ("BINANCE_API_KEY=k1\nBINANCE_API_SECRET=s1\n", "binance|k1|s1"),
            ("# mine\nexport BINANCE_API_KEY=\"k1\"\nexport BINANCE_API_SECRET='s1' # tail\n", "binance|k1|s1"),
            ("BINANCE_TESTNET_API_KEY=k\nBINANCE_TESTNET_API_SECRET=s", "binance testnet|k|s"),
            ("BINANCE_APIKEY=k\nBINANCE_SECRET=s", "binance|k|s"),
            ("BINANCE_API_SECRET=s\r\nOTHER=1\r\nBINANCE_API_KEY=k\r\n", "binance|k|s"),
            ("FREQTRADE__EXCHANGE__NAME=binance\nFREQTRADE__EXCHANGE__KEY=k\nFREQTRADE__EXCHANGE__SECRET=s", "binance|k|s"),
            ("BYBIT_DEMO_API_KEY=k\nBYBIT_DEMO_API_SECRET=s\nOKX_API_KEY=a\nOKX_API_SECRET=b", "bybit demo|k|s okx|a|b"),
            ("APCA_API_KEY_ID=k\nAPCA_API_SECRET_KEY=s", "apca|k|s"),
            (&format!("BINANCE_API_KEY=k\nBINANCE_API_SECRET=\"{literal}\""), "binance|k|PEM"),
            (&format!("BINANCE_API_KEY=k\nBINANCE_API_SECRET=\"{}\"", PEM.trim()), "binance|k|PEM"),
            ("API_KEY=k\nAPI_SECRET=s", "|k|s"),
            ("BINANCE_API_KEY=k", "NoKey"),
            ("BINANCE_API_KEY=\nBINANCE_API_SECRET=", "NoKey"),
            ("BINANCE_API_KEY=k k\nBINANCE_API_SECRET=s", "NoKey"),
            // ccxt's JSON, flat and by exchange.
            (r#"{"apiKey":"k","secret":"s"}"#, "|k|s"),
            (r#"{"binance":{"apiKey":"k","secret":"s","options":{}}}"#, "binance|k|s"),
            (r#"{"binance":{"apiKey":"k","secret":"s"},"okx":{"apiKey":"a","secret":"b","password":"p"}}"#, "binance|k|s okx|a|b"),
            (&format!(r#"{{"binance":{{"apiKey":"k","secret":"{literal}"}}}}"#), "binance|k|PEM"),
            (r#"{"api_key":"k","api_secret":"s"}"#, "|k|s"),
            (r#"{"apiKey":"k"}"#, "NoKey"),
            (r#"{"apiKey":7,"secret":"s"}"#, "NoKey"),
            (r#"{"apiKey":"k","secret":"s""#, "Unknown"),
            // The paper venue's own list has its secrets elsewhere.
            (
                r#"[{"label":"trade","api_key":"k","scheme":"hmac-sha256","may_trade":true,"secret_file":"trade.secret"}]"#,
                "SecretElsewhere",
            ),
            // Neither.
            ("", "NotText"),
            ("a\0b", "NotText"),
            ("some words", "Unknown"),
            ("[1,2]", "NoKey"),
        ];
        for (text, wanted) in rows {
            assert_eq!(read(text), *wanted, "{text:?}");
        }
    }

    #[test]
    fn bounds() {
        assert_eq!(parse(&vec![b'a'; FILE_LEN_MAX + 1]).err(), Some(Trouble::TooLong));
        assert_eq!(parse(b"\xff\xfe").err(), Some(Trouble::NotText));
        let many: String = (0..=FOUND_MAX).map(|n| format!("V{n}_API_KEY=k\nV{n}_API_SECRET=s\n")).collect();
        assert_eq!(read(&many), "TooMany");
        assert_eq!(read(&format!("A_API_KEY={}\nA_API_SECRET=s", "k".repeat(API_KEY_LEN_MAX + 1))), "NoKey");
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        assert_eq!(read(&deep), "Unknown");
    }

    #[test]
    fn venues() {
        let named =
            |name: &str| Found { form: Form::Env, name: name.to_owned(), api_key: Zeroizing::default(), secret: Zeroizing::default() };
        for (name, other) in [("binance", false), ("binance testnet", false), ("bybit demo", true), ("", false), ("mine", false)] {
            assert_eq!(named(name).is_for_another_venue_than("Binance"), other, "{name}");
        }
    }
}
