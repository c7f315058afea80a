//! How long a password withstands guessing. Invariant: words tell an estimate and its assumption; only the length that the
//! signer demands is a rule.

use zxcvbn::zxcvbn;

/// Shortest new password, in bytes: the signer's rule.
pub(crate) const LEN_MIN: usize = 10;
/// Segments of the meter.
pub(crate) const SEGMENTS: usize = 5;
/// More is not looked at; it is strong by then.
const LOOKED_AT_MAX: usize = 100;

/// What is said about a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strength {
    /// Lit segments of the meter.
    pub(crate) lit: usize,
    /// Fact.
    pub(crate) words: String,
    /// What would help, if anything would.
    pub(crate) tip: String,
    /// Whether the signer takes it.
    pub(crate) is_enough: bool,
}

/// Judges `password`.
pub(crate) fn judge(password: &str) -> Strength {
    if password.is_empty() {
        let tip = "Four or more unrelated words are strong and can be remembered.".to_owned();
        return Strength { lit: 0, words: format!("At least {LEN_MIN} bytes"), tip, is_enough: false };
    }
    let missing = LEN_MIN.saturating_sub(password.len());
    let looked_at = password.char_indices().nth(LOOKED_AT_MAX).map_or(password, |(at, _)| &password[..at]);
    let entropy = zxcvbn(looked_at, &["strongroom", "vault", "binance", "bitcoin"]);
    let score = u8::from(entropy.score());
    let tip = entropy.feedback().and_then(|feedback| {
        let warning = feedback.warning().map(|warning| warning.to_string());
        warning.or_else(|| feedback.suggestions().first().map(ToString::to_string))
    });
    if missing > 0 {
        let words = format!("Too short: {missing} more {}", if missing == 1 { "byte" } else { "bytes" });
        return Strength { lit: 1, words, tip: tip.unwrap_or_default(), is_enough: false };
    }
    let name = ["Very weak", "Weak", "Fair", "Strong", "Very strong"][usize::from(score.min(4))];
    let time = entropy.crack_times().offline_slow_hashing_1e4_per_second().to_string();
    let words = format!("{name}: {time} at 10\u{a0}000 guesses per second offline");
    let tip = tip.unwrap_or_else(|| if score < 4 { "Another unrelated word makes it much stronger.".to_owned() } else { String::new() });
    Strength { lit: usize::from(score) + 1, words, tip, is_enough: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: a password, lit segments, the beginning of the words, and whether it is enough.
    #[test]
    fn words() {
        for (password, lit, words, is_enough) in [
            ("", 0, "At least 10 bytes", false),
            ("short", 1, "Too short: 5 more bytes", false),
            ("ninebytes", 1, "Too short: 1 more byte", false),
            ("passwordpassword", 1, "Very weak", true),
            ("1234567890", 1, "Very weak: ", true),
            ("correct horse battery staple", 5, "Very strong: centuries at 10\u{a0}000 guesses per second offline", true),
            ("äöüäöüäöüä", 2, "", true),
        ] {
            let found = judge(password);
            assert_eq!(found.is_enough, is_enough, "{password}: {found:?}");
            assert!(found.words.starts_with(words), "{password}: {found:?}");
            assert!(found.lit == lit || words.is_empty(), "{password}: {found:?}");
        }
        assert!(!judge("password12").tip.is_empty());
        assert!(judge(&"correct horse battery staple ".repeat(40)).is_enough);
    }
}
