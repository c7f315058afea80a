//! What a prompt is about, in the signer's own words: sent before the first question.
//!
//! Invariant: it is text that a person reads, made by the signer from the action that it holds; it has no control
//! characters, so that no label can draw over a terminal, and it has one encoding.

use std::fmt::Write as _;

use strongroom_model::is_plain;

/// Most facts.
pub const FACTS_MAX: usize = 16;
/// Longest title, name or value, in bytes.
pub const TEXT_LEN_MAX: usize = 400;

/// What is to be done; decides pages, buttons and where a person is led.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Deed {
    /// Make a vault.
    Create = 1,
    /// Open the vault or the session.
    Unlock = 2,
    /// Open the vault with its recovery kit.
    Recover = 3,
    /// Take in a key.
    Import = 4,
    /// Replace a key.
    Rotate = 5,
    /// Forget a key.
    Delete = 6,
    /// Take the kill switch back.
    Rearm = 7,
    /// Change limits.
    Policy = 8,
    /// Trust a server's key, or no more.
    Pin = 9,
    /// Make a key pair.
    Generate = 10,
    /// Change what is noted of a key.
    EditKey = 11,
    /// Set a new password.
    Password = 12,
    /// Print a new recovery kit.
    Kit = 13,
    /// One more way into the vault.
    AddSlot = 14,
    /// One way less.
    RemoveSlot = 15,
    /// New keys for everything.
    Rekey = 16,
    /// Encrypt a key for somebody else.
    ExportKey = 17,
    /// Copy the vault's file.
    Backup = 18,
    /// Say what somebody may do.
    Roles = 19,
    /// Confirm a large order.
    ConfirmOrder = 20,
    /// Let an order pass a rule.
    Override = 21,
    /// Let the kill switch leave an order.
    Protect = 22,
    /// Print recovery codes.
    Codes = 23,
    /// Put the one-time codes onto a new phone.
    Phone = 24,
}

impl Deed {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 24] = [
        Self::Create,
        Self::Unlock,
        Self::Recover,
        Self::Import,
        Self::Rotate,
        Self::Delete,
        Self::Rearm,
        Self::Policy,
        Self::Pin,
        Self::Generate,
        Self::EditKey,
        Self::Password,
        Self::Kit,
        Self::AddSlot,
        Self::RemoveSlot,
        Self::Rekey,
        Self::ExportKey,
        Self::Backup,
        Self::Roles,
        Self::ConfirmOrder,
        Self::Override,
        Self::Protect,
        Self::Codes,
        Self::Phone,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| *deed as u8 == number)
    }
}

/// One line of what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Such as `Venue`.
    pub name: String,
    /// Such as `Binance`.
    pub value: String,
}

/// The action of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Which kind of action.
    pub deed: Deed,
    /// Wrong codes that are still borne, if a code is asked; at most 99.
    pub tries_left: Option<u8>,
    /// The action in words.
    pub title: String,
    /// What belongs to it.
    pub facts: Vec<Fact>,
}

impl About {
    /// With a title and no facts yet. Control characters are left out, what is too long is cut.
    pub fn new(deed: Deed, title: &str) -> Self {
        Self { deed, tries_left: None, title: plain(title), facts: Vec::new() }
    }

    /// One fact more; beyond [`FACTS_MAX`] none is added.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if self.facts.len() < FACTS_MAX {
            self.facts.push(Fact { name: plain(name), value: plain(value) });
        }
        self
    }

    /// The value of a fact.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str())
    }

    /// As text: kind and tries, then the title, then a line for each fact.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        let _ =
            write!(text, "{}\t{}\n{}", self.deed as u8, self.tries_left.map_or_else(String::new, |tries| tries.to_string()), self.title);
        for Fact { name, value } in &self.facts {
            let _ = write!(text, "\n{name}\t{value}");
        }
        text
    }

    /// Reads that text; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.split('\n');
        let (deed, tries) = lines.next()?.split_once('\t')?;
        let title = read(lines.next()?)?;
        let facts = lines.map(|line| line.split_once('\t').and_then(|(name, value)| Some(Fact { name: read(name)?, value: read(value)? })));
        let facts: Vec<Fact> = facts.collect::<Option<_>>()?;
        let tries_left = if tries.is_empty() { None } else { Some(number(tries)?) };
        let about = Self { deed: Deed::from_number(number(deed)?)?, tries_left, title, facts };
        (about.facts.len() <= FACTS_MAX).then_some(about)
    }
}

/// A number below 100, without a sign or leading zeros.
fn number(text: &str) -> Option<u8> {
    let number: u8 = text.parse().ok()?;
    (number < 100 && number.to_string() == text).then_some(number)
}

fn read(text: &str) -> Option<String> {
    (text.len() <= TEXT_LEN_MAX && text.chars().all(is_plain)).then(|| text.to_owned())
}

fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(TEXT_LEN_MAX));
    for c in text.chars().filter(|c| is_plain(*c)) {
        if kept.len() + c.len_utf8() > TEXT_LEN_MAX {
            break;
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_it_was_written() {
        let about = About { tries_left: Some(10), ..About::new(Deed::Delete, "Delete the key “main”") };
        for about in
            [about.clone(), about.with("Venue", "Binance").with("Label", "ma\u{1b}[2J\u{202e}\u{2028}in\n"), About::new(Deed::Unlock, "")]
        {
            assert_eq!(About::decode(about.encode().as_bytes()), Some(about.clone()));
            assert!(!about.facts.iter().any(|fact| fact.value.contains(['\u{1b}', '\u{202e}', '\u{2028}'])));
        }
    }

    /// Rows: bytes that are not one.
    #[test]
    fn nothing_else_is_read() {
        for text in ["", "1", "1\t", "25\t\nx", "0\t\nx", "1\t100\nx", "01\t\nx", "1\t+1\nx", "1\t\nx\ny", "1\t\nx\u{7}", "1\t\nx\na\tb\tc"]
        {
            assert_eq!(About::decode(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(About::decode(format!("1\t\nx{}", "\na\tb".repeat(FACTS_MAX + 1)).as_bytes()), None);
        assert_eq!(About::decode(format!("1\t\n{}", "x".repeat(TEXT_LEN_MAX + 1)).as_bytes()), None);
    }
}
