//! Stories of a writer and a reader.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

use strongroom_audit::{
    EntropyError, Fields, Head, Kind, Leaf, ReadError, Reader, StageError, Writer, read_secret_to_public, system_entropy,
};
use strongroom_model::Timestamp;

const SECRET: [u8; 32] = [7; 32];
const LOG: [u8; 16] = [1; 16];

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn begin(resume: Option<Head>) -> (Writer, Leaf) {
    let public = read_secret_to_public(&SECRET).unwrap();
    Writer::begin(LOG, &public, resume, at(0), system_entropy).unwrap()
}

fn append(writer: &mut Writer, kind: Kind, payload: &[u8]) -> Leaf {
    let staged = writer.stage(&[(kind, payload)], at(1)).unwrap();
    let leaf = staged.leaves()[0].clone();
    writer.accept(staged).unwrap();
    leaf
}

#[test]
fn entries_are_read_back_in_order_across_epochs() {
    let (mut writer, first) = begin(None);
    let a = append(&mut writer, Kind::Unlocked, b"{\"a\":1}");
    let b = append(&mut writer, Kind::Heartbeat, b"{}");
    let (mut writer, second) = begin(Some(writer.head()));
    let c = append(&mut writer, Kind::Sealed, b"{\"c\":3}");
    assert_eq!((first.seq, a.seq, b.seq, second.seq, c.seq, c.epoch), (0, 1, 2, 3, 4, 3));
    assert_eq!(Fields::parse(&second.bytes).unwrap().prev, b.hash);

    let mut reader = Reader::open(&SECRET, &first.bytes).unwrap();
    assert_eq!(reader.next(&b.bytes).err(), Some(ReadError::OutOfOrder { expected: 1, got: 2 }));
    let entry = reader.next(&a.bytes).unwrap();
    assert_eq!((entry.seq, entry.kind.as_str(), entry.payload.as_slice()), (1, "unlocked", &b"{\"a\":1}"[..]));
    reader.next(&b.bytes).unwrap();
    assert_eq!(reader.next(&second.bytes).err(), Some(ReadError::EpochEnds(3)));
    let mut reader = Reader::open(&SECRET, &second.bytes).unwrap();
    assert_eq!(*reader.next(&c.bytes).unwrap().payload, b"{\"c\":3}");
}

#[test]
fn a_batch_that_was_not_stored_leaves_no_trace() {
    let (mut writer, first) = begin(None);
    let before = writer.head();
    let lost = writer.stage(&[(Kind::OrderIntended, b"{\"lost\":true}"), (Kind::Heartbeat, b"{}")], at(2)).unwrap();
    let lost_leaf = Fields::parse(&lost.leaves()[0].bytes).unwrap();
    drop(lost);
    assert_eq!(writer.head(), before);
    let kept = append(&mut writer, Kind::OrderIntended, b"{\"lost\":fals}");
    let kept_leaf = Fields::parse(&kept.bytes).unwrap();
    // Two texts under one key must not share a nonce.
    assert_ne!(lost_leaf.sealed[..12], kept_leaf.sealed[..12]);
    assert!(Reader::open(&SECRET, &first.bytes).unwrap().next(&kept.bytes).is_ok());
}

#[test]
fn two_batches_from_one_end_cannot_both_count() {
    let (mut writer, _) = begin(None);
    let one = writer.stage(&[(Kind::Heartbeat, b"1")], at(1)).unwrap();
    let two = writer.stage(&[(Kind::Heartbeat, b"2")], at(1)).unwrap();
    writer.accept(one).unwrap();
    assert!(writer.accept(two).is_err());
}

#[test]
fn changed_or_foreign_leaves_do_not_open() {
    let (mut writer, first) = begin(None);
    let leaf = append(&mut writer, Kind::Unlocked, b"{}");
    assert_eq!(Reader::open(&[8; 32], &first.bytes).err(), Some(ReadError::WrongKey(0)));
    assert_eq!(Reader::open(&SECRET, &leaf.bytes).err(), Some(ReadError::NotAnEpoch(1)));
    for change in [0, 1, 2, 3] {
        let mut fields = Fields::parse(&leaf.bytes).unwrap();
        match change {
            0 => fields.kind = "locked".to_owned(),
            1 => fields.at = at(9),
            2 => fields.sealed[20] ^= 1,
            _ => fields.sealed[0] ^= 1,
        }
        let mut reader = Reader::open(&SECRET, &first.bytes).unwrap();
        assert_eq!(reader.next(&fields.to_bytes()).err(), Some(ReadError::WrongKey(1)), "{change}");
    }
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let (writer, _) = begin(None);
    let long = vec![b' '; strongroom_audit::PAYLOAD_LEN_MAX + 1];
    assert_eq!(writer.stage(&[], at(1)).err(), Some(StageError::Nothing));
    assert_eq!(writer.stage(&[(Kind::Epoch, b"")], at(1)).err(), Some(StageError::EpochKind));
    assert_eq!(writer.stage(&[(Kind::Heartbeat, &long)], at(1)).err(), Some(StageError::TooLong(Kind::Heartbeat)));
    let public = read_secret_to_public(&SECRET).unwrap();
    assert!(Writer::begin(LOG, &public, None, at(0), |_| Err(EntropyError)).is_err());
    assert!(Writer::begin(LOG, &[0; 32], None, at(0), system_entropy).is_err(), "a low-order key would let anybody read");
}

#[test]
fn epochs_end_by_length_and_by_time() {
    let (mut writer, _) = begin(None);
    assert!(!writer.wants_new_epoch(at(0)) && writer.wants_new_epoch(at(15 * 60 * 1_000)));
    let batch: Vec<(Kind, &[u8])> = vec![(Kind::Heartbeat, b"{}"); 1_023];
    let staged = writer.stage(&batch, at(1)).unwrap();
    writer.accept(staged).unwrap();
    assert!(writer.wants_new_epoch(at(1)));
}
