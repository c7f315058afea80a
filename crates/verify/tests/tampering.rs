//! Logs as an attacker leaves them, and what the verifier says.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::Command;

use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use strongroom_audit::{
    Fields, Head, Kind, Numbered, SCHEMA, Writer, assemble, checkpoint_text, key_text, read_secret_to_public, system_entropy,
};
use strongroom_model::Timestamp;
use strongroom_verify::{Findings, Log, LogKey, Outcome, verify};

const LOG_ID: [u8; 16] = [0xAB; 16];

/// A log in a file, the desk's connection to it, and the key that signs it.
struct World {
    _dir: tempfile::TempDir,
    path: PathBuf,
    db: Connection,
    signer: SigningKey,
}

impl World {
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desk.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").unwrap();
        db.execute_batch(SCHEMA).unwrap();
        Self { _dir: dir, path, db, signer: SigningKey::from_bytes(&[5; 32]) }
    }

    /// Twelve leaves in two epochs, checkpoints at 6 and 12.
    fn new() -> Self {
        let world = Self::empty();
        let middle = world.write(None, 5);
        world.checkpoint(middle);
        let end = world.write(Some(middle), 5);
        world.checkpoint(end);
        world
    }

    /// One epoch of `entries` entries.
    fn write(&self, from: Option<Head>, entries: i64) -> Head {
        let public = read_secret_to_public(&[7; 32]).unwrap();
        let base = from.map_or(0, |head| i64::try_from(head.size).unwrap() * 100);
        let (mut writer, first) = Writer::begin(LOG_ID, &public, from, Timestamp::from_ms(base), system_entropy).unwrap();
        self.put(first.seq, &first.bytes);
        for entry in 0..entries {
            let staged = writer.stage(&[(Kind::OrderIntended, b"{\"qty\":\"1\"}")], Timestamp::from_ms(base + entry)).unwrap();
            self.put(staged.leaves()[0].seq, &staged.leaves()[0].bytes);
            writer.accept(staged).unwrap();
        }
        writer.head()
    }

    fn put(&self, seq: u64, bytes: &[u8]) {
        let hash = strongroom_verify::Leaf::hash(bytes);
        self.db
            .execute("INSERT OR REPLACE INTO audit_leaf VALUES (?, ?, ?)", params![i64::try_from(seq).unwrap(), bytes, &hash[..]])
            .unwrap();
    }

    fn note(&self, head: Head, signer: &SigningKey) -> String {
        let text = checkpoint_text(&LOG_ID, head, Some(Numbered { opening: head.size, last: 3, total: 9, nth: 1, closed: false }));
        assemble(&text, &signer.verifying_key().to_bytes(), &signer.sign(text.as_bytes()).to_bytes())
    }

    fn checkpoint(&self, head: Head) {
        self.keep(head.size, &self.note(head, &self.signer));
    }

    fn keep(&self, size: u64, note: &str) {
        self.db.execute("INSERT OR REPLACE INTO audit_checkpoint VALUES (?, ?)", params![i64::try_from(size).unwrap(), note]).unwrap();
    }

    fn leaf(&self, seq: i64) -> Vec<u8> {
        self.db.query_row("SELECT bytes FROM audit_leaf WHERE seq = ?", [seq], |row| row.get(0)).unwrap()
    }

    fn head_note(&self) -> String {
        Log::open(&self.path).unwrap().newest_note().unwrap().unwrap()
    }

    fn sql(&self, text: &str) {
        self.db.execute_batch(text).unwrap();
    }

    fn key(&self) -> String {
        key_text(&self.signer.verifying_key().to_bytes())
    }

    fn verdict(&self, head: Option<&str>) -> Findings {
        let key = LogKey::parse(&self.key()).unwrap();
        verify(&Log::open(&self.path).unwrap(), &key, head).unwrap()
    }

    /// Recomputes every link and noted hash from `seq` on, as an attacker with the whole file would.
    fn rechain(&self, seq: u64) {
        let mut prev = None;
        for at in seq.. {
            let found = self
                .db
                .query_row("SELECT bytes FROM audit_leaf WHERE seq = ?", [i64::try_from(at).unwrap()], |row| row.get::<_, Vec<u8>>(0));
            let Ok(bytes) = found else { break };
            let mut fields = Fields::parse(&bytes).unwrap();
            fields.prev = prev.unwrap_or(fields.prev);
            let bytes = fields.to_bytes();
            prev = Some(strongroom_verify::Leaf::hash(&bytes));
            self.put(at, &bytes);
        }
    }
}

fn check(name: &str, expected: Outcome, tamper: impl FnOnce(&World)) {
    let world = World::new();
    tamper(&world);
    let findings = world.verdict(None);
    assert_eq!(findings.outcome, expected, "{name}: {findings:?}");
    assert_eq!(findings.broken.is_some(), matches!(expected, Outcome::Tampered | Outcome::Truncated), "{name}");
}

#[test]
fn untouched() {
    let findings = World::new().verdict(None);
    assert_eq!((findings.outcome, findings.leaves, findings.sealed, findings.epochs, findings.checkpoints), (Outcome::Whole, 12, 12, 2, 2));
    assert_eq!(findings.warnings, Vec::<String>::new());
}

#[test]
fn every_way_of_tampering() {
    let tampered = Outcome::Tampered;
    for seq in 0..12i64 {
        check("a changed byte", tampered, |world| {
            let mut bytes = world.leaf(seq);
            *bytes.last_mut().unwrap() ^= 1;
            world.put(u64::try_from(seq).unwrap(), &bytes);
        });
        check("a removed row", tampered, |world| world.sql(&format!("DELETE FROM audit_leaf WHERE seq = {seq}")));
        check("a changed hash", tampered, |world| world.sql(&format!("UPDATE audit_leaf SET hash = zeroblob(32) WHERE seq = {seq}")));
        check("garbage", tampered, |world| world.sql(&format!("UPDATE audit_leaf SET bytes = x'00ff' WHERE seq = {seq}")));
        check("changed and chained again", tampered, |world| {
            let mut fields = Fields::parse(&world.leaf(seq)).unwrap();
            fields.at = Timestamp::from_ms(77);
            world.put(fields.seq, &fields.to_bytes());
            world.rechain(fields.seq);
        });
    }
    check("swapped rows", tampered, |world| {
        world.sql("UPDATE audit_leaf SET seq = 99 WHERE seq = 3; UPDATE audit_leaf SET seq = 3 WHERE seq = 4; UPDATE audit_leaf SET seq = 4 WHERE seq = 99");
    });
    check("removed and numbered again", tampered, |world| {
        world.sql("DELETE FROM audit_leaf WHERE seq = 3");
        for seq in 4..12 {
            let mut fields = Fields::parse(&world.leaf(seq)).unwrap();
            fields.seq -= 1;
            fields.epoch = if fields.epoch == 6 { 5 } else { 0 };
            world.put(fields.seq, &fields.to_bytes());
        }
        world.sql("DELETE FROM audit_leaf WHERE seq = 11");
        world.rechain(2);
    });
    check("a number below zero", tampered, |world| world.sql("INSERT INTO audit_leaf VALUES (-1, x'00', x'00')"));
    check("the end cut off under a checkpoint", tampered, |world| world.sql("DELETE FROM audit_leaf WHERE seq > 8"));
    check("a checkpoint by another key", tampered, |world| {
        let head = Head { size: 12, hash: strongroom_verify::Leaf::hash(&world.leaf(11)) };
        world.keep(12, &world.note(head, &SigningKey::from_bytes(&[6; 32])));
    });
    check("a checkpoint in another's place", tampered, |world| {
        world.sql("UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE size = 6) WHERE size = 12");
    });
    check("a checkpoint that is no note", tampered, |world| world.keep(3, "strongroom/ab\n3\n\n"));
    check("another log's entries", tampered, |world| {
        let mut fields = Fields::parse(&world.leaf(11)).unwrap();
        fields.log_id = [1; 16];
        world.put(11, &fields.to_bytes());
    });
    check("the wrong epoch", tampered, |world| {
        world.sql("DELETE FROM audit_checkpoint WHERE size = 12");
        let mut fields = Fields::parse(&world.leaf(11)).unwrap();
        fields.epoch = 0;
        world.put(11, &fields.to_bytes());
    });
    check("an older checkpoint as the newest", Outcome::UnsealedTail, |world| world.sql("DELETE FROM audit_checkpoint WHERE size = 12"));
    check("no checkpoint at all", Outcome::UnsealedTail, |world| world.sql("DELETE FROM audit_checkpoint"));
}

#[test]
fn a_saved_head_shows_what_was_cut_off() {
    let world = World::new();
    let saved = world.head_note();
    assert_eq!(world.verdict(Some(&saved)).outcome, Outcome::Whole);
    // Growth since then is fine.
    let more = world.write(Some(Head { size: 12, hash: strongroom_verify::Leaf::hash(&world.leaf(11)) }), 2);
    assert_eq!(world.verdict(Some(&saved)).outcome, Outcome::UnsealedTail);
    world.checkpoint(more);
    assert_eq!(world.verdict(Some(&saved)).outcome, Outcome::Whole);
    // Cut back to an earlier checkpoint: whole in itself, and not what was saved.
    world.sql("DELETE FROM audit_leaf WHERE seq >= 6; DELETE FROM audit_checkpoint WHERE size > 6");
    assert_eq!(world.verdict(None).outcome, Outcome::Whole);
    assert_eq!(world.verdict(Some(&saved)).outcome, Outcome::Truncated);
    world.sql("DELETE FROM audit_leaf; DELETE FROM audit_checkpoint");
    assert_eq!(world.verdict(Some(&saved)).outcome, Outcome::Truncated, "everything was cut off");
    // Written anew from the earlier checkpoint, with the key in the attacker's hands: the saved head is not in it.
    let other = World::new();
    assert_eq!(other.verdict(Some(&saved)).outcome, Outcome::Tampered);
    assert_eq!(other.verdict(Some("not a note")).outcome, Outcome::Tampered);
    let forged = other.note(Head { size: 1, hash: [0; 32] }, &SigningKey::from_bytes(&[6; 32]));
    assert_eq!(other.verdict(Some(&forged)).outcome, Outcome::Tampered);
}

#[test]
fn an_empty_log_and_a_clock_that_went_back() {
    let findings = World::empty().verdict(None);
    assert_eq!((findings.outcome, findings.leaves), (Outcome::Whole, 0));
    let world = World::empty();
    let head = world.write(None, 2);
    let public = read_secret_to_public(&[7; 32]).unwrap();
    let (writer, leaf) = Writer::begin(LOG_ID, &public, Some(head), Timestamp::from_ms(-50), system_entropy).unwrap();
    world.put(leaf.seq, &leaf.bytes);
    world.checkpoint(writer.head());
    let findings = world.verdict(None);
    assert_eq!((findings.outcome, findings.warnings.len()), (Outcome::Whole, 1));
}

#[test]
fn the_program_answers_by_exit_code() {
    let world = World::new();
    let run = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_strongroom-audit")).args(arguments).output().unwrap();
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    };
    let (log, key) = (world.path.to_str().unwrap(), world.key());
    let files = tempfile::tempdir().unwrap();
    let (key_file, head_file) = (files.path().join("log.key"), files.path().join("head.txt"));
    std::fs::write(&key_file, format!("# of my vault\n{key}\n")).unwrap();
    let (code, head) = run(&["head", log]);
    assert_eq!(code, 0);
    std::fs::write(&head_file, head).unwrap();
    let head_file = head_file.to_str().unwrap();

    let (code, text) = run(&["verify", log, "--key", key_file.to_str().unwrap()]);
    assert!(code == 0 && text.starts_with("WHOLE"), "{text}");
    let (code, text) = run(&["verify", log, "--key", &key, "--head", head_file, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(code == 0 && json["outcome"] == "whole" && json["leaves"] == 12, "{text}");

    world.sql("DELETE FROM audit_checkpoint WHERE size = 12");
    assert_eq!(run(&["verify", log, "--key", &key]).0, 4);
    world.sql("DELETE FROM audit_leaf WHERE seq > 8");
    assert_eq!(run(&["verify", log, "--key", &key, "--head", head_file]).0, 3);
    world.sql("DELETE FROM audit_leaf WHERE seq = 2");
    let (code, text) = run(&["verify", log, "--key", &key]);
    assert!(code == 2 && text.contains("entry 2 is missing"), "{text}");

    assert_eq!(run(&["verify", log]).0, 64);
    assert_eq!(run(&["verify", log, "--key", "strongroom-log+AAAA"]).0, 64);
    assert_eq!(run(&["verify", log, "--key", "/nowhere/log.key"]).0, 66);
    assert_eq!(run(&["verify", "/nowhere/log.db", "--key", &key]).0, 66);
    assert_eq!(run(&["verify", key_file.to_str().unwrap(), "--key", &key]).0, 66);
    let (code, help) = run(&["--help"]);
    assert!(code == 0 && help.contains("Exit codes") && help.contains("Examples"), "{help}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200), note in ".{0,200}", seq in 0..13i64) {
        let world = World::new();
        world.db.execute("INSERT OR REPLACE INTO audit_leaf VALUES (?, ?, x'00')", params![seq, bytes]).unwrap();
        world.keep(12, &note);
        prop_assert_eq!(world.verdict(Some(&note)).outcome, Outcome::Tampered);
        let _ = LogKey::parse(&note);
    }

    #[test]
    fn any_file_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), head in any::<bool>()) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let magic: &[u8] = if head { b"SQLite format 3\0" } else { b"" };
        std::fs::write(file.path(), [magic, &bytes].concat()).unwrap();
        if let Ok(log) = Log::open(file.path()) {
            let _ = verify(&log, &LogKey::parse(&World::empty().key()).unwrap(), None);
        }
    }
}
