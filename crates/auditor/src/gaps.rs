//! Orders that the signer numbered and that the log does not tell of.
//!
//! Invariant: numbers begin with 1 at each opening of the vault and go up by one; one that is missing below the highest is a gap.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The numbers that were seen, by opening of the vault.
#[derive(Debug, Default)]
pub(crate) struct Gaps(BTreeMap<u64, BTreeSet<u64>>);

impl Gaps {
    /// Looks at one entry.
    pub(crate) fn look(&mut self, payload: &Value) {
        let signed = |at: usize| payload.get("signed")?.get(at)?.as_u64();
        if let (Some(opening), Some(number)) = (signed(0), signed(1).filter(|number| *number > 0)) {
            self.0.entry(opening).or_default().insert(number);
        }
    }

    /// What is missing, in words.
    pub(crate) fn words(&self) -> Option<String> {
        let missing = self.0.iter().filter_map(|(opening, seen)| {
            let count = seen.last()?.saturating_sub(seen.len() as u64);
            (count > 0).then(|| format!("{count} after the opening at signature {opening}"))
        });
        let missing = missing.collect::<Vec<_>>().join(", ");
        (!missing.is_empty()).then(|| format!("orders were signed that the log does not tell of: {missing}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_below_the_highest_is_a_gap() {
        let words = |entries: &[Value]| {
            let mut gaps = Gaps::default();
            entries.iter().for_each(|entry| gaps.look(entry));
            gaps.words()
        };
        let signed = |opening: u64, number: u64| json!({"order": "a", "signed": [opening, number]});
        assert_eq!(words(&[json!({"signed": null}), json!({}), json!(7)]), None);
        assert_eq!(words(&[signed(0, 1), signed(0, 2), signed(0, 2), signed(1_000, 1), signed(0, 3)]), None, "in any order, told twice");
        let found = words(&[signed(0, 1), signed(0, 4), signed(1_000, 2)]).unwrap();
        assert!(found.contains("2 after the opening at signature 0") && found.contains("1 after the opening at signature 1000"), "{found}");
    }
}
