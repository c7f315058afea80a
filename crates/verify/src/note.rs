//! Signed notes, read strictly. Invariant: what a note says is believed only after its signature was checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signature;
use sha2::{Digest, Sha256};

use crate::key::LogKey;

const NOTE_LEN_MAX: usize = 4_096;
const ED25519: u8 = 1;

/// What a checkpoint says: so many leaves, the last with this hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, as in the note.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The hash of the last one.
    pub head: [u8; 32],
    /// How far its signer had counted; older notes do not say.
    pub numbered: Option<Counted>,
}

/// How far the signer of a head had counted the orders and amendments that it signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Which opening of the vault it was signed in.
    pub opening: u64,
    /// The last number that was given since.
    pub last: u64,
    /// How many were given in all openings.
    pub total: u64,
    /// The how manyth opening it was.
    pub nth: u64,
    /// Whether none was given after it.
    pub closed: bool,
}

/// A note before its signature was checked.
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<&'a str>,
    claimed: Checkpoint,
}

impl<'a> Note<'a> {
    /// Takes a note apart; `None` when it is not a checkpoint.
    pub fn read(note: &'a str) -> Option<Self> {
        if note.len() > NOTE_LEN_MAX {
            return None;
        }
        let (text, signatures) = note.split_once("\n\n")?;
        let text = note.get(..text.len() + 1)?;
        let (origin, size, head, numbered) = match text.lines().collect::<Vec<_>>()[..] {
            [origin, size, head] => (origin, size, head, None),
            [origin, size, head, numbered] => (origin, size, head, Some(counted(numbered)?)),
            _ => return None,
        };
        let hex = origin.strip_prefix("strongroom/")?;
        if hex.len() != 32 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let count: u64 = size.parse().ok()?;
        let hash: [u8; 32] = STANDARD.decode(head).ok()?.try_into().ok()?;
        if count.to_string() != size || STANDARD.encode(hash) != head {
            return None;
        }
        let signatures: Vec<_> = signatures.strip_suffix('\n')?.split('\n').collect();
        Some(Self { text, signatures, claimed: Checkpoint { origin: origin.to_owned(), size: count, head: hash, numbered } })
    }

    /// What it says, whoever signed it.
    pub fn unchecked(self) -> Checkpoint {
        self.claimed
    }

    /// What it says, if `key` signed it. Lines of other signers are passed over.
    pub fn checked_with(self, key: &LogKey) -> Option<Checkpoint> {
        let id = key_id(&self.claimed.origin, key);
        let ours = |line: &&str| -> Option<Signature> {
            let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let bytes = STANDARD.decode(encoded).ok()?;
            let signature = bytes.strip_prefix(&id)?;
            (name == self.claimed.origin).then_some(())?;
            Signature::from_slice(signature).ok()
        };
        let found: Vec<_> = self.signatures.iter().filter_map(ours).collect();
        match found.as_slice() {
            [signature] if key.0.verify_strict(self.text.as_bytes(), signature).is_ok() => Some(self.claimed),
            _ => None,
        }
    }
}

/// The numbers of the line that tells what was numbered.
fn counted(line: &str) -> Option<Counted> {
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    let (numbers, closed) = match line.strip_prefix("numbered ")?.rsplit_once(' ')? {
        (numbers, "open") => (numbers, false),
        (numbers, "closed") => (numbers, true),
        _ => return None,
    };
    let [opening, last, total, nth] = numbers.split(' ').collect::<Vec<_>>().try_into().ok()?;
    Some(Counted { opening: number(opening)?, last: number(last)?, total: number(total)?, nth: number(nth)?, closed })
}

/// The first four bytes of SHA-256(name, newline, 1, public key), as C2SP's signed-note has it.
fn key_id(name: &str, key: &LogKey) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', ED25519]);
    hasher.update(key.0.as_bytes());
    let hash: [u8; 32] = hasher.finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}
