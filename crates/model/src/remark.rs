//! What a person says of something, on one line. Invariant: it is short, and nothing in it draws over, hides or turns what stands
//! beside it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// Longest remark, in characters.
pub const REMARK_LEN_MAX: usize = 200;

/// Why a text is no remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a reason has 1 to {REMARK_LEN_MAX} characters on one line, none of which controls a terminal, is hidden or turns the text's direction"
)]
pub struct RemarkError;

/// A few words of a person or a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Remark(String);

impl Remark {
    /// Checks length and characters; blanks around it are not part of it.
    pub fn parse(text: &str) -> Result<Self, RemarkError> {
        let text = text.trim_matches(' ');
        let fits = (1..=REMARK_LEN_MAX).contains(&text.chars().take(REMARK_LEN_MAX + 1).count()) && text.chars().all(is_plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(RemarkError) }
    }

    /// What of a text can be a remark, for what must not be refused because of its words; it may be empty.
    pub fn clipped(text: &str) -> Self {
        Self(text.chars().filter(|c| is_plain(*c)).take(REMARK_LEN_MAX).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Remark> for String {
    fn from(remark: Remark) -> Self {
        remark.0
    }
}

impl<'de> Deserialize<'de> for Remark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, Self::parse)
    }
}

/// Neither a control character, nor one that breaks lines, hides or turns the direction of others (UAX 9, 14).
pub fn is_plain(c: char) -> bool {
    let bends = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    !c.is_control() && !bends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_short_and_plain() {
        for good in ["orders that are not mine", "заявки не мои", "ä", &"x".repeat(REMARK_LEN_MAX), &"ж".repeat(REMARK_LEN_MAX)]
        {
            assert_eq!(Remark::parse(good).map(String::from), Ok(good.to_owned()));
            assert_eq!(Remark::clipped(good).as_str(), good);
        }
        assert_eq!(Remark::parse(" seen elsewhere ").unwrap().as_str(), "seen elsewhere");
        let bad = [
            "",
            "   ",
            "two\nlines",
            "tab\t",
            "\u{1b}[2J",
            "\0",
            "\u{85}",
            "\u{9b}1m",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "\u{feff}a",
            "\u{2028}",
        ];
        for bad in bad.into_iter().map(str::to_owned).chain([REMARK_LEN_MAX + 1, 1_000_000].map(|len| "x".repeat(len))) {
            assert_eq!(Remark::parse(&bad), Err(RemarkError), "{bad:?}");
            let clipped = Remark::clipped(&bad);
            assert!(clipped.as_str().is_empty() || Remark::parse(clipped.as_str()).is_ok() || clipped.as_str().trim().is_empty());
        }
        assert_eq!(Remark::clipped("a\u{202e}b\u{1b}[2J").as_str(), "ab[2J");
        assert_eq!(Remark::clipped(&"x".repeat(300)).as_str().len(), REMARK_LEN_MAX);
    }
}
