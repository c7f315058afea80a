//! What a prompt is about, in the signer's own words: sent before the first question.
//!
//! Invariant: it is text that a person reads, made by the signer from the action that it holds; it has no control
//! characters, so that no label can draw over a terminal.

use serde::{Deserialize, Serialize};
use strongroom_model::is_plain;

pub use crate::deed::Deed;

/// Most facts.
pub const FACTS_MAX: usize = 16;
/// Longest title, name or value, in bytes.
pub const TEXT_LEN_MAX: usize = 400;
/// Most tries that are told.
const TRIES_MAX: u8 = 99;
/// What stands where a text was cut.
const CUT: &str = "…";

/// One line of what is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Such as `Venue`.
    pub name: String,
    /// Such as `Binance`.
    pub value: String,
}

/// The action of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

    /// Whether it keeps to its bounds: what a prompt is told is shown to a person as it stands.
    pub(crate) fn is_plain(&self) -> bool {
        let mut texts = std::iter::once(&self.title).chain(self.facts.iter().flat_map(|fact| [&fact.name, &fact.value]));
        self.facts.len() <= FACTS_MAX
            && self.tries_left.is_none_or(|tries| tries <= TRIES_MAX)
            && texts.all(|text| text.len() <= TEXT_LEN_MAX && text.chars().all(is_plain))
    }
}

fn plain(text: &str) -> String {
    let mut kept: String = text.chars().filter(|c| is_plain(*c)).collect();
    if kept.len() > TEXT_LEN_MAX {
        while kept.len() > TEXT_LEN_MAX - CUT.len() {
            kept.pop();
        }
        kept.push_str(CUT);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::ToPrompt;

    fn read(about: &About) -> Option<About> {
        let mut out = Vec::new();
        ToPrompt::About(about.clone()).write(&mut out);
        match ToPrompt::parse(&out)? {
            ToPrompt::About(about) => Some(about),
            _ => None,
        }
    }

    #[test]
    fn it_reads_as_it_was_written() {
        let about = About { tries_left: Some(10), ..About::new(Deed::Delete, "Delete the key “main”") };
        for about in
            [about.clone(), about.with("Venue", "Binance").with("Label", "ma\u{1b}[2J\u{202e}\u{2028}in\n"), About::new(Deed::Unlock, "")]
        {
            assert_eq!(read(&about), Some(about.clone()));
            assert!(!about.facts.iter().any(|fact| fact.value.contains(['\u{1b}', '\u{202e}', '\u{2028}'])));
        }
    }

    /// A person sees that there was more.
    #[test]
    fn what_is_cut_says_so() {
        let about =
            About::new(Deed::Unlock, &"é".repeat(TEXT_LEN_MAX)).with("Long", &"x".repeat(TEXT_LEN_MAX)).with("Longer", &"x".repeat(401));
        assert!(about.title.ends_with("é…") && about.title.len() <= TEXT_LEN_MAX);
        assert_eq!((about.fact("Long"), about.fact("Longer")), (Some(&*"x".repeat(400)), Some(&*format!("{}…", "x".repeat(397)))));
        assert_eq!(read(&about), Some(about.clone()));
    }

    /// Rows: what a signer that keeps to its own bounds does not say.
    #[test]
    fn nothing_else_is_read() {
        let of = |title: &str, facts: usize| {
            let fact = Fact { name: "a".to_owned(), value: "b".to_owned() };
            About { deed: Deed::Unlock, tries_left: Some(TRIES_MAX), title: title.to_owned(), facts: vec![fact; facts] }
        };
        let longest = "x".repeat(TEXT_LEN_MAX);
        assert!(read(&of(&longest, FACTS_MAX)).is_some());
        let too_long = format!("{longest}x");
        for bad in [of(&too_long, 0), of("", FACTS_MAX + 1), of("x\u{7}", 0), of("x\ny", 0), About { tries_left: Some(100), ..of("", 0) }] {
            assert_eq!(read(&bad), None, "{bad:?}");
        }
        for (name, value) in [("a\tb", ""), ("", "\u{1b}[2J"), (&too_long, ""), ("", &too_long)] {
            let fact = Fact { name: name.to_owned(), value: value.to_owned() };
            assert_eq!(read(&About { facts: vec![fact], ..of("", 0) }), None, "{name:?}: {value:?}");
        }
    }
}
