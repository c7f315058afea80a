//! What the signer numbered and the log does not tell of: orders and amendments.
//!
//! Invariant: numbers begin with 1 at each opening of the vault and go up by one; one that is missing below the highest that an entry or a
//! signed head names is a gap.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The numbers that were seen, by opening of the vault.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    openings: BTreeMap<u64, Numbers>,
    /// How many the signer gave in all, as the heads say.
    total: u64,
}

#[derive(Debug, Default)]
struct Numbers {
    seen: BTreeSet<u64>,
    /// The highest that a head named.
    claimed: u64,
}

impl Gaps {
    /// Looks at one entry.
    pub(crate) fn look(&mut self, payload: &Value) {
        let signed = |at: usize| payload.get("signed")?.get(at)?.as_u64();
        if let (Some(opening), Some(number)) = (signed(0), signed(1).filter(|number| *number > 0)) {
            self.openings.entry(opening).or_default().seen.insert(number);
        }
    }

    /// A head says how far its signer had counted.
    pub(crate) fn claim(&mut self, (opening, last, total): (u64, u64, u64)) {
        let numbers = self.openings.entry(opening).or_default();
        numbers.claimed = numbers.claimed.max(last);
        self.total = self.total.max(total);
    }

    /// What is missing, in words.
    pub(crate) fn words(&self) -> Option<String> {
        let count = |numbers: &Numbers| {
            let highest = numbers.seen.last().copied().unwrap_or(0).max(numbers.claimed);
            highest.saturating_sub(numbers.seen.len() as u64)
        };
        let missing = self.openings.iter().map(|(opening, numbers)| (opening, count(numbers))).filter(|(_, count)| *count > 0);
        let mut missing: Vec<String> =
            missing.map(|(opening, count)| format!("{count} after the opening at signature {opening}")).collect();
        // Of openings that no entry and no head that is kept speaks of.
        let known: u64 = self.openings.values().map(|numbers| numbers.seen.len() as u64 + count(numbers)).sum();
        let others = self.total.saturating_sub(known);
        missing.extend((others > 0).then(|| format!("{others} of openings of which nothing is told")));
        let missing = missing.join(", ");
        (!missing.is_empty()).then(|| format!("orders or amendments were signed that the log does not tell of: {missing}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(entries: &[Value], heads: &[(u64, u64, u64)]) -> Option<String> {
        let mut gaps = Gaps::default();
        entries.iter().for_each(|entry| gaps.look(entry));
        heads.iter().for_each(|head| gaps.claim(*head));
        gaps.words()
    }

    fn signed(opening: u64, number: u64) -> Value {
        json!({"order": "a", "signed": [opening, number]})
    }

    #[test]
    fn what_is_missing_below_the_highest_is_a_gap() {
        assert_eq!(words(&[json!({"signed": null}), json!({}), json!(7)], &[]), None);
        assert_eq!(
            words(&[signed(0, 1), signed(0, 2), signed(0, 2), signed(1_000, 1), signed(0, 3)], &[]),
            None,
            "in any order, told twice"
        );
        let found = words(&[signed(0, 1), signed(0, 4), signed(1_000, 2)], &[]).unwrap();
        assert!(found.contains("2 after the opening at signature 0") && found.contains("1 after the opening at signature 1000"), "{found}");
    }

    #[test]
    fn what_a_head_names_is_told_or_is_a_gap() {
        let told = [signed(0, 1), signed(0, 2)];
        assert_eq!(words(&told, &[(0, 0, 0), (0, 2, 2), (0, 1, 1), (5, 0, 2)]), None, "a head is as old as it is");
        assert!(words(&told, &[(0, 3, 3)]).unwrap().contains("1 after the opening at signature 0"), "the last one");
        assert!(words(&told, &[(0, 2, 2), (2_000, 7, 9)]).unwrap().contains("7 after the opening at signature 2000"), "a whole opening");
        // Its heads were thrown away; a later one counts all.
        let found = words(&told, &[(0, 2, 2), (9_000, 0, 502)]).unwrap();
        assert!(found.contains("500 of openings of which nothing is told"), "{found}");
    }
}
