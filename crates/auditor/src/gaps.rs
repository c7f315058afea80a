//! What the signer numbered and the log does not tell of: orders and amendments.
//!
//! Invariant: numbers begin with 1 at each opening of the vault and go up by one; one that is missing below the highest that an entry or a
//! signed head names is a gap. An opening whose signer never said that it numbers no more may have had others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use strongroom_verify::Counted;

/// Orders and amendments that a signer signs without a head of the log.
const PER_HEAD_MAX: u64 = 256;

/// The numbers that were seen, by opening of the vault.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    openings: BTreeMap<u64, Numbers>,
    /// How many the signer gave in all, as the heads say.
    total: u64,
    /// The how manyth opening each head is of, in the order of the log.
    nth: Vec<u64>,
    /// Where the log ends, as far as it was looked at.
    newest: Option<u64>,
}

#[derive(Debug, Default)]
struct Numbers {
    seen: BTreeSet<u64>,
    /// The highest that a head named.
    claimed: u64,
    /// The highest that the newest head named, however new it is.
    last: u64,
    /// Its signer said that it numbers no more.
    closed: bool,
    /// There is a head of it.
    has_head: bool,
}

impl Numbers {
    fn highest(&self) -> u64 {
        self.seen.last().copied().unwrap_or(0).max(self.claimed)
    }
}

impl Gaps {
    /// Looks at one entry.
    pub(crate) fn look(&mut self, payload: &Value) {
        let signed = |at: usize| payload.get("signed")?.get(at)?.as_u64();
        if let (Some(opening), Some(number)) = (signed(0), signed(1).filter(|number| *number > 0)) {
            self.openings.entry(opening).or_default().seen.insert(number);
        }
    }

    /// There is a head; told in the order of the log.
    pub(crate) fn head(&mut self, head: Counted) {
        let numbers = self.openings.entry(head.opening).or_default();
        numbers.last = numbers.last.max(head.last);
        numbers.closed |= head.closed;
        numbers.has_head = true;
        self.nth.push(head.nth);
        self.newest = Some(head.opening);
    }

    /// A head is old enough: what its signer had counted by then has to be told.
    pub(crate) fn claim(&mut self, head: Counted) {
        let numbers = self.openings.entry(head.opening).or_default();
        numbers.claimed = numbers.claimed.max(head.last);
        self.total = self.total.max(head.total);
    }

    /// What is missing, in words.
    pub(crate) fn missing(&self) -> Option<String> {
        let count = |numbers: &Numbers| numbers.highest().saturating_sub(numbers.seen.len() as u64);
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

    /// Where something could be missing that nothing here would show, in words: after a crash, or where a desk hides it.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let is_newest = |opening: u64| self.newest.is_none_or(|newest| newest == opening);
        // Those without any head are told of below.
        let open = self.openings.iter().filter(|(opening, numbers)| !numbers.closed && (numbers.has_head || is_newest(**opening)));
        let mut doubts: Vec<String> = open
            .map(|(opening, numbers)| {
                let more = numbers.last.saturating_add(PER_HEAD_MAX).saturating_sub(numbers.highest()).min(PER_HEAD_MAX);
                let how = if is_newest(*opening) { "is the newest and not closed yet" } else { "was not closed" };
                let last = numbers.highest();
                format!("the opening at signature {opening} {how}: what was signed after its order number {last}, {more} at most, would not show")
            })
            .collect();
        let mut unseen = 0;
        for run in self.nth.chunk_by(|before, after| before <= after) {
            let known: BTreeSet<_> = run.iter().collect();
            unseen = run.last().map_or(0, |last| last.saturating_sub(known.len() as u64)).saturating_add(unseen);
        }
        if unseen > 0 {
            doubts.push(format!("of {unseen} openings no head of the log is here: of each, {PER_HEAD_MAX} orders at most would not show"));
        }
        if !self.nth.is_sorted() {
            doubts.push("the count of openings began anew: the state file was lost, or left out by whoever opened the vault".to_owned());
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(entries: &[Value], heads: &[(u64, u64, u64)]) -> Option<String> {
        let mut gaps = Gaps::default();
        entries.iter().for_each(|entry| gaps.look(entry));
        heads.iter().for_each(|(opening, last, total)| gaps.claim(head((*opening, *last, *total, 1, false))));
        gaps.missing()
    }

    fn head((opening, last, total, nth, closed): (u64, u64, u64, u64, bool)) -> Counted {
        Counted { opening, last, total, nth, closed }
    }

    fn doubts(entries: &[Value], heads: &[(u64, u64, u64, u64, bool)]) -> Vec<String> {
        let mut gaps = Gaps::default();
        entries.iter().for_each(|entry| gaps.look(entry));
        heads.iter().for_each(|one| gaps.head(head(*one)));
        gaps.doubts()
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

    #[test]
    fn an_opening_that_was_not_closed_leaves_a_doubt() {
        let told = [signed(0, 1), signed(0, 2), signed(0, 3)];
        let found = doubts(&told, &[(0, 2, 2, 1, false)]);
        assert!(found.len() == 1 && found[0].contains("not closed yet: what was signed after its order number 3, 255"), "{found:?}");
        assert!(doubts(&told, &[(0, 2, 2, 1, false), (0, 3, 3, 1, true), (1_000, 0, 3, 2, true)]).is_empty());
        let found = doubts(&told, &[(0, 2, 2, 1, false), (1_000, 0, 3, 2, true)]);
        assert!(
            found.len() == 1 && found[0].contains("was not closed: what was signed after its order number 3, 255 at most"),
            "{found:?}"
        );
        // One of which there is no head at all.
        let found = doubts(&told, &[(0, 3, 3, 1, true), (2_000, 0, 3, 3, true)]);
        assert!(found.len() == 1 && found[0].contains("of 1 openings no head"), "{found:?}");
        // A state file that was lost, or left out: the count begins anew, and nothing before it is taken for what comes after it.
        let found = doubts(&told, &[(0, 3, 3, 1, true), (2_000, 0, 3, 2, false), (9_000, 0, 0, 1, true), (10_000, 0, 0, 2, true)]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("2000 was not closed") && found[1].contains("began anew"), "{found:?}");
    }
}
