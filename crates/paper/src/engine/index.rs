//! Finds orders and levels by number. Invariant: a leaf exists while one of its numbers is there, so that forgotten
//! numbers take no memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::pages::Pages;

/// Numbers of a leaf. Numbers of orders are given in sequence, and prices lie beside each other: neighbours share a leaf,
/// and the leaves' own index stays small enough for the cache.
const LEAF_LEN: usize = 64;
/// Nothing has this number.
const NONE: u32 = u32::MAX;

/// Multiplies by an odd constant: numbers in sequence, as orders have them, fall into different places.
#[derive(Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        // Prices are multiples of a tick: their low bits alone say little.
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// A map from numbers that the venue gives itself.
pub(crate) type NumberMap<V> = HashMap<u64, V, BuildHasherDefault<NumberHasher>>;

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Leaf([u32; LEAF_LEN]);

#[derive(Clone, Copy, Debug)]
struct Entry {
    leaf: u32,
    used: u32,
}

/// Places by number.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: NumberMap<Entry>,
    leaves: Pages<Leaf, 64>,
    len: usize,
}

#[expect(clippy::cast_possible_truncation, reason = "a place in a leaf is below 64")]
const fn split(number: u64) -> (u64, usize) {
    (number / LEAF_LEN as u64, (number % LEAF_LEN as u64) as usize)
}

impl Index {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn find(&self, number: u64) -> Option<u32> {
        let (key, at) = split(number);
        let place = self.leaves.get(self.entries.get(&key)?.leaf).0[at];
        (place != NONE).then_some(place)
    }

    pub(crate) fn insert(&mut self, number: u64, place: u32) {
        let (key, at) = split(number);
        let entry = self.entries.entry(key).or_insert_with(|| Entry { leaf: self.leaves.insert(Leaf([NONE; LEAF_LEN])), used: 0 });
        entry.used += 1;
        self.leaves.get_mut(entry.leaf).0[at] = place;
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, number: u64) {
        let (key, at) = split(number);
        let Some(entry) = self.entries.get_mut(&key) else { return };
        self.leaves.get_mut(entry.leaf).0[at] = NONE;
        entry.used -= 1;
        self.len -= 1;
        if entry.used == 0 {
            self.leaves.remove(entry.leaf);
            self.entries.remove(&key);
        }
    }

    /// Bytes that the leaves and their own index take.
    pub(crate) fn bytes(&self) -> usize {
        self.leaves.bytes() + self.entries.capacity() * (size_of::<(u64, Entry)>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_come_and_go_with_their_numbers() {
        let mut index = Index::default();
        for round in 0..100 {
            for id in 0..1_000 {
                index.insert(round * 1_000 + id, 7);
            }
            for id in 0..1_000 {
                assert_eq!(index.find(round * 1_000 + id), Some(7));
                index.remove(round * 1_000 + id);
                assert_eq!(index.find(round * 1_000 + id), None);
            }
        }
        assert_eq!((index.len(), index.entries.len()), (0, 0));
        assert!(index.bytes() < 1 << 20, "{}", index.bytes());
        assert_eq!(index.find(u64::MAX), None);
    }
}
