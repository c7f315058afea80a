//! What a file holds, as the walled reader tells it. Invariant: a secret stands here only if its key can be imported; of
//! every other key no more is told than what the preview shows.

use strongroom_signer_api::prompt::ANSWER_LEN_MAX;
use zeroize::Zeroizing;

use super::opening::Opening;
use super::{Trouble, Why, coinbase, pem, venue};

/// Most keys told of one file.
pub const FOUND_MAX: usize = 32;
/// Longest text of the preview: a label, a place, a list of fields.
pub(super) const TEXT_LEN_MAX: usize = 160;
/// Longest API key.
pub(super) const API_KEY_LEN_MAX: usize = 256;

/// The form that a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// One private key in PEM.
    Pem = 1,
    /// `NAME=value` lines.
    Env = 2,
    /// JSON with `apiKey` and `secret`, as ccxt's users keep it.
    Json = 3,
    /// freqtrade's configuration.
    Freqtrade = 4,
    /// One of Hummingbot's connectors.
    Hummingbot = 5,
    /// GoCryptoTrader's configuration.
    GoCryptoTrader = 6,
    /// OctoBot's configuration.
    OctoBot = 7,
    /// A key that Coinbase let download.
    Coinbase = 8,
    /// The configuration of kraken-cli.
    KrakenCli = 9,
    /// Key and secret in words or lines, as they are copied from a page.
    Lines = 10,
    /// TOML with `api_key` and `api_secret`.
    Toml = 11,
}

impl Form {
    const ALL: [Self; 11] = [
        Self::Pem,
        Self::Env,
        Self::Json,
        Self::Freqtrade,
        Self::Hummingbot,
        Self::GoCryptoTrader,
        Self::OctoBot,
        Self::Coinbase,
        Self::KrakenCli,
        Self::Lines,
        Self::Toml,
    ];

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pem => "private key (PEM)",
            Self::Env => "environment file",
            Self::Json => "JSON with keys (ccxt)",
            Self::Freqtrade => "freqtrade configuration",
            Self::Hummingbot => "Hummingbot connector",
            Self::GoCryptoTrader => "GoCryptoTrader configuration",
            Self::OctoBot => "OctoBot configuration",
            Self::Coinbase => "Coinbase key file",
            Self::KrakenCli => "kraken-cli configuration",
            Self::Lines => "key and secret in lines",
            Self::Toml => "TOML with keys",
        }
    }

    /// What else is gone when the file is, in words.
    pub fn lost_with_it(self, other_keys: usize, also: &str) -> Vec<String> {
        let is_configuration =
            matches!(self, Self::Env | Self::Freqtrade | Self::Hummingbot | Self::GoCryptoTrader | Self::OctoBot | Self::KrakenCli);
        let mut lost = Vec::new();
        if is_configuration {
            lost.push("A program may need this file: it is a configuration.".to_owned());
        }
        match other_keys {
            0 => {}
            1 => lost.push("One more key is in it.".to_owned()),
            more => lost.push(format!("{more} more keys are in it.")),
        }
        if !also.is_empty() {
            lost.push(format!("It also holds {also}."));
        }
        lost
    }

    /// What to say when the file's own protection is none.
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::OctoBot => Some(
                "OctoBot's encryption key is the same for everybody and public. If this file was ever shared, treat its keys as leaked.",
            ),
            _ => None,
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|form| *form as u8 == number)
    }
}

/// How a key signs, as the form of its secret says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scheme {
    /// A secret that the venue knows too.
    Shared = 1,
    /// Ed25519.
    Ed25519 = 2,
    /// RSA.
    Rsa = 3,
    /// ECDSA or another use of an elliptic curve.
    Ec = 4,
    /// It is encrypted or absent.
    Unknown = 5,
}

impl Scheme {
    const ALL: [Self; 5] = [Self::Shared, Self::Ed25519, Self::Rsa, Self::Ec, Self::Unknown];

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Shared => "shared secret (HMAC)",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
            Self::Ec => "elliptic curve (ECDSA)",
            Self::Unknown => "not known, it was not opened",
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| *scheme as u8 == number)
    }
}

/// A key that a file holds.
#[derive(PartialEq, Eq)]
pub struct Found {
    /// The venue's name, as this program spells it; empty when the file names none.
    pub venue: String,
    /// What to call it, as the file says: `binance testnet`; empty when it says nothing.
    pub label: String,
    /// Where in the file.
    pub place: String,
    /// What stands beside it and is not kept.
    pub left: String,
    /// How it signs.
    pub scheme: Scheme,
    /// The venue's name of the key; empty when the file does not have it or it was not opened.
    pub api_key: Zeroizing<String>,
    /// The secret, or the private key as PEM with line breaks; or why it cannot be imported.
    pub secret: Result<Zeroizing<String>, Why>,
}

impl Found {
    /// Why it cannot be imported for this venue; `None` when it can.
    pub fn why_not(&self, venue: &str) -> Option<Why> {
        match &self.secret {
            Err(why) => Some(*why),
            Ok(_) if self.venue.is_empty() || self.venue.eq_ignore_ascii_case(venue) => None,
            Ok(_) => Some(Why::Venue),
        }
    }

    /// How it signs, for people; what shared secrets are used with is known of the venues whose keys can be used.
    fn signs_with(&self) -> &'static str {
        if self.scheme == Scheme::Shared && self.secret.is_ok() { "HMAC-SHA-256" } else { self.scheme.words() }
    }

    /// What the preview says, its secret covered.
    pub fn facts(&self, venue: &str) -> Vec<(&'static str, String)> {
        let or = |text: &str, absent: &str| if text.is_empty() { absent.to_owned() } else { text.to_owned() };
        let api_key = match &self.secret {
            Ok(_) => or(&shortened(&self.api_key), "not in the file"),
            Err(_) => or(&shortened(&self.api_key), "not told"),
        };
        let mut facts = vec![
            ("Venue", or(&self.venue, "not named")),
            ("API key", api_key),
            ("Signs with", self.signs_with().to_owned()),
            ("Stands in", self.place.clone()),
        ];
        if let Ok(secret) = &self.secret {
            facts.push(("Secret", format!("••••••••, {} characters", secret.trim().len())));
        }
        if !self.label.is_empty() && self.label != self.venue {
            facts.push(("Label", format!("{}, for example", self.label)));
        }
        if !self.left.is_empty() {
            facts.push(("Not kept", self.left.clone()));
        }
        if let Some(why) = self.why_not(venue) {
            facts.push(("Not taken", why.words().to_owned()));
        }
        facts
    }

    pub(super) fn is_whole(&self) -> bool {
        let plain = |text: &str| text.len() <= TEXT_LEN_MAX && !text.chars().any(char::is_control);
        let graphic = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let secret = match &self.secret {
            Ok(secret) if secret.starts_with(pem::BEGIN) => secret.len() <= ANSWER_LEN_MAX && pem::is_whole(secret),
            Ok(secret) => (1..=ANSWER_LEN_MAX).contains(&secret.len()) && graphic(secret),
            Err(_) => true,
        };
        (self.venue.is_empty() || venue::canonical(&self.venue).is_some())
            && [&self.label, &self.place, &self.left].into_iter().all(|text| plain(text))
            && self.api_key.len() <= API_KEY_LEN_MAX
            && graphic(&self.api_key)
            && secret
            && (self.secret.is_err() || venue::is_supported(&self.venue))
    }
}

/// All that a file holds.
#[derive(PartialEq, Eq)]
pub struct Reading {
    /// The file's form.
    pub form: Form,
    /// Other secrets of the file that are no exchange's keys and stay where they are.
    pub also: String,
    /// Its keys; at least one.
    pub found: Vec<Found>,
}

/// A key as it stands in the file.
pub(super) struct Standing<'a> {
    pub(super) name: &'a str,
    pub(super) place: String,
    pub(super) left: String,
    pub(super) api_key: &'a str,
    pub(super) secret: Option<&'a str>,
}

impl Standing<'_> {
    /// Looks whether it can be imported. Nothing is decrypted for a venue whose keys cannot be used.
    pub(super) fn judge(self, opening: &Opening<'_>) -> Result<Found, Trouble> {
        let named = venue::recognise(self.name);
        let secret = self.secret.map(str::trim).filter(|secret| !secret.is_empty());
        let (scheme, secret) = match secret {
            None => (Scheme::Unknown, Err(Why::NoSecret)),
            Some(text) if named.venue == "coinbase" && coinbase::is_ed25519(text) => (Scheme::Ed25519, Err(Why::Venue)),
            Some(text) if !venue::is_supported(named.venue) => (pem::scheme(text), Err(Why::Venue)),
            Some(text) if text.starts_with(pem::BEGIN) => match pem::open(text, opening) {
                Ok((scheme, pem)) => (scheme, Ok(pem)),
                Err(Trouble::OtherKind) => (pem::scheme(text), Err(Why::Kind)),
                Err(Trouble::Damaged | Trouble::OtherPem) => (Scheme::Unknown, Err(Why::Broken)),
                Err(trouble) => return Err(trouble),
            },
            Some(text) => (Scheme::Shared, Ok(Zeroizing::new(text.to_owned()))),
        };
        let found = Found {
            venue: named.venue.to_owned(),
            label: tidy(&named.label),
            place: tidy(&self.place),
            left: tidy(&self.left),
            scheme,
            api_key: Zeroizing::new(self.api_key.trim().to_owned()),
            secret,
        };
        Ok(found.or_broken())
    }
}

impl Found {
    /// What cannot be told in full is told without its texts, as broken.
    pub(super) fn or_broken(mut self) -> Self {
        if !self.is_whole() {
            self.api_key = Zeroizing::default();
            self.secret = Err(self.secret.err().unwrap_or(Why::Broken));
        }
        self
    }
}

/// A text of the file as the preview can show it.
pub(super) fn tidy(text: &str) -> String {
    let mut tidy = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if tidy.len() + letter.len_utf8() > TEXT_LEN_MAX {
            break;
        }
        tidy.push(letter);
    }
    tidy
}

/// Enough of a public name to recognise it.
pub fn shortened(api_key: &str) -> String {
    match (api_key.get(..6), api_key.len().checked_sub(4).and_then(|at| api_key.get(at..))) {
        (Some(head), Some(tail)) if api_key.len() > 16 => format!("{head}…{tail}"),
        _ => api_key.to_owned(),
    }
}

/// Names in a list, in the order in which they stand.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Values that programs ship in place of keys: GoCryptoTrader, freqtrade, OctoBot, and what examples of ccxt say.
pub(super) fn is_placeholder(value: &str) -> bool {
    const EXAMPLES: &[&str] = &["Key", "Secret", "ClientID", "NOKEY", "NO KEY", "Empty", "...", "xxx", "changeme"];
    let words = value.to_ascii_lowercase().replace(['-', '_', ' ', '<', '>'], "");
    let yours = words.strip_prefix("your").is_some_and(|rest| {
        rest.len() <= 32 && ["key", "secret", "password", "passphrase"].iter().any(|ending| rest.trim_end_matches("here").ends_with(ending))
    });
    yours || EXAMPLES.contains(&value)
}
