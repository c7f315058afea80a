//! How a wait for the signer is told. Invariant: what is shown as done never goes back, and is never all of it before the end.

use std::time::Duration;

/// Shown at most, in percent.
const SHOWN_MAX: u128 = 99;

/// The part that is probably over, in percent, and the words; `expected` is the signer's estimate.
pub fn wait_words(words: &str, elapsed: Duration, expected: Duration) -> (u8, String) {
    let percent = (elapsed.as_millis() * 100 / expected.as_millis().max(1)).min(SHOWN_MAX);
    let tenths = |time: Duration| format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100);
    let told = if elapsed > expected {
        format!("{words}: {}, longer than expected", tenths(elapsed))
    } else {
        format!("{words}: {} of about {}", tenths(elapsed), tenths(expected))
    };
    (u8::try_from(percent).unwrap_or(u8::MAX), told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits() {
        let told = |elapsed, expected| wait_words("Unlocking", Duration::from_millis(elapsed), Duration::from_millis(expected));
        assert_eq!(told(0, 2_000), (0, "Unlocking: 0.0 s of about 2.0 s".to_owned()));
        assert_eq!(told(1_500, 2_000), (75, "Unlocking: 1.5 s of about 2.0 s".to_owned()));
        assert_eq!(told(2_000, 2_000).0, 99, "not over before it is");
        assert_eq!(told(2_300, 2_000), (99, "Unlocking: 2.3 s, longer than expected".to_owned()));
        assert_eq!(told(10, 0).0, 99);
    }
}
