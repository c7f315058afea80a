//! Leaves and checkpoints of the log. Invariant: the crate that writes them and the verifier, which share no code, read the
//! same leaves, and the verifier believes no checkpoint that the writer's side does not.

use ed25519_dalek::{Signer as _, SigningKey};
use strongroom_audit::{
    Fields, Head, Kind, Numbered, Reader, Writer, assemble, checkpoint_text, key_text, read_secret_to_public, verify_checkpoint,
};
use strongroom_model::Timestamp;
use strongroom_verify::{Leaf, LogKey, Note};

const READ_SECRET: [u8; 32] = [7; 32];
const LOG_ID: [u8; 16] = [1; 16];

fn log_key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

/// An epoch's first leaf, then two.
fn leaves() -> Vec<Vec<u8>> {
    let public = read_secret_to_public(&READ_SECRET).expect("a key");
    let chance = |out: &mut [u8]| {
        out.fill(5);
        Ok(())
    };
    let (writer, opening) = Writer::begin(LOG_ID, &public, None, Timestamp::from_ms(0), chance).expect("an epoch");
    let entries: [(Kind, &[u8]); 2] = [(Kind::Unlocked, br#"{"by":"me"}"#), (Kind::Unlocked, b"{}")];
    let staged = writer.stage(&entries, Timestamp::from_ms(5)).expect("leaves");
    std::iter::once(opening.bytes).chain(staged.leaves().iter().map(|leaf| leaf.bytes.clone())).collect()
}

/// The leaves and a checkpoint, alone and beside another signer's line.
pub fn seeds() -> Vec<Vec<u8>> {
    let text =
        checkpoint_text(&LOG_ID, Head { size: 3, hash: [4; 32] }, Some(Numbered { opening: 0, last: 7, total: 9, nth: 1, closed: false }));
    let key = log_key();
    let note = assemble(&text, &key.verifying_key().to_bytes(), &key.sign(text.as_bytes()).to_bytes());
    let witnessed = format!("{note}\u{2014} witness AAAAAAAA\n");
    leaves().into_iter().chain([note.into_bytes(), witnessed.into_bytes()]).collect()
}

/// Reads the bytes as a leaf with both readers, and as a checkpoint.
pub fn check(data: &[u8]) {
    match (Fields::parse(data), Leaf::read(data)) {
        (Ok(fields), Ok(leaf)) => {
            assert_eq!(fields.to_bytes(), data);
            assert_eq!((fields.log_id, fields.seq, fields.epoch), (leaf.log_id, leaf.seq, leaf.epoch));
            assert_eq!((fields.at, fields.kind, fields.prev), (leaf.at, leaf.kind, leaf.prev));
        }
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("one reads it, the other does not: {ours:?}, {theirs:?}"),
    }
    if let Ok(mut reader) = Reader::open(&READ_SECRET, data) {
        let _ = leaves().iter().skip(1).try_for_each(|leaf| reader.next(leaf).map(drop));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let public = log_key().verifying_key().to_bytes();
    let key = LogKey::parse(&key_text(&public)).expect("a key");
    let ours = verify_checkpoint(text, &public);
    if let Some(theirs) = Note::read(text).and_then(|note| note.checked_with(&key)) {
        let ours = ours.expect("the verifier believes what the writer's side does not");
        assert_eq!((ours.head.size, ours.head.hash), (theirs.size, theirs.head));
    }
    let _ = LogKey::parse(text);
}
