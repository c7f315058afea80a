//! A desk that was taken over signs and keeps what was signed out of the log: the signed heads tell.
//!
//! Invariant: the log is written here as the desk writes it, and read by `strongroom-auditor` with a printed code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::path::PathBuf;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use strongroom_audit::{Kind, SCHEMA, Writer, assemble, key_text, system_entropy};
use strongroom_model::{ClientOrderId, Intent, OrderSpec, PlaceOrder, Side, Symbol, TimeInForce, Timestamp};
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, ActionEnd, Refusal, Reply, Request, SignAsk};
use strongroom_tests::signer_world::{SignerWorld, code_at};
use strongroom_verify::LogKey;

const MS: i64 = 1_800_000_000_000;
/// Long after everything.
const LATER_MS: i64 = MS + 3_600_000;

struct Desk {
    world: SignerWorld,
    dir: tempfile::TempDir,
    log: Connection,
    writer: Writer,
    key: LogKey,
    orders: u32,
}

impl Desk {
    fn new() -> Self {
        let mut world = SignerWorld::with_vault(b"a password for the auditor", MS);
        let Some(ActionEnd::VaultCreated { log_key, read_key }) = world.ends.last() else { panic!("{:?}", world.ends) };
        let key = LogKey::parse(&key_text(&log_key.clone().try_into().unwrap())).unwrap();
        let read_key: [u8; 32] = read_key.clone().try_into().unwrap();
        world.import("key", b"secretsecretsecretsecretsecretsecretsecretsecretsecretsecret1234", MS + 60_000);
        let kind = strongroom_model::SlotFor::Auditor;
        let action = Action::AddSlot { kind, label: "audit".to_owned(), roles: Vec::new() };
        world.act(action, b"", MS + 120_000, &mut |world, field| match field {
            Field::Totp => code_at(&world.otp_uri, MS + 120_000).into_bytes(),
            _ => world.kit.split(' ').next_back().unwrap_or_default().as_bytes().to_vec(),
        });
        assert!(matches!(world.ends.last(), Some(ActionEnd::SlotAdded(_))), "{:?}", world.ends.last());
        let mut policy = strongroom_guard::Policy::initial();
        policy.orders_per_minute = 6_000;
        policy.day_notional_max = "100000000".parse().unwrap();
        world.set_policy(policy, MS + 180_000);
        let dir = tempfile::tempdir().unwrap();
        let log = Connection::open(dir.path().join("desk.db")).unwrap();
        log.execute_batch(SCHEMA).unwrap();
        let log_id = [7; 16];
        let (writer, first) = Writer::begin(log_id, &read_key, None, Timestamp::from_ms(MS), system_entropy).unwrap();
        let desk = Self { world, dir, log, writer, key, orders: 0 };
        desk.put(first.seq, &first.bytes, &first.hash);
        desk
    }

    fn put(&self, seq: u64, bytes: &[u8], hash: &[u8]) {
        self.log.execute("INSERT INTO audit_leaf VALUES (?, ?, ?)", params![i64::try_from(seq).unwrap(), bytes, hash]).unwrap();
    }

    fn sign(&mut self, intent: Intent, ms: i64) -> Result<Option<(u64, u64)>, Refusal> {
        let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        match self.world.ask(Request::Sign(ask), b"", ms) {
            Reply::Signed { order, .. } => Ok(order),
            Reply::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }

    fn place(&mut self, ms: i64) -> Result<Option<(u64, u64)>, Refusal> {
        self.orders += 1;
        let spec = OrderSpec::Limit { price: "50000".parse().unwrap(), quantity: "0.001".parse().unwrap(), tif: TimeInForce::Gtc };
        let client_order_id = ClientOrderId::parse(&format!("u{}", self.orders)).unwrap();
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        self.sign(Intent::Place(PlaceOrder { client_order_id, symbol, side: Side::Buy, spec, reduce_only: false }), ms)
    }

    fn tell(&mut self, payload: &Value, ms: i64) {
        let text = payload.to_string();
        let staged = self.writer.stage(&[(Kind::OrderReported, text.as_bytes())], Timestamp::from_ms(ms)).unwrap();
        let leaf = staged.leaves()[0].clone();
        self.put(leaf.seq, &leaf.bytes, &leaf.hash);
        self.writer.accept(staged).unwrap();
    }

    /// Has the head signed and keeps it.
    fn seal(&mut self, ms: i64) {
        self.seals(ms, false);
    }

    fn seals(&mut self, ms: i64, closes: bool) {
        let head = self.writer.head();
        let reply = self.world.ask(Request::SealHead { size: head.size, head: head.hash.to_vec(), closes }, b"", ms);
        let Reply::HeadSealed { signature, public_key, text } = reply else { panic!("{reply:?}") };
        let note = assemble(&text, &public_key.try_into().unwrap(), &signature.try_into().unwrap());
        self.log.execute("INSERT INTO audit_checkpoint VALUES (?, ?)", params![i64::try_from(head.size).unwrap(), note]).unwrap();
    }

    /// What the auditor finds missing.
    fn doubts(&self, now_ms: i64) -> Result<Vec<String>, String> {
        let vault: PathBuf = self.dir.path().join("vault.srv");
        std::fs::write(&vault, &self.world.vault_file).unwrap();
        let (log, code, now) = (self.dir.path().join("desk.db"), self.world.kit.as_bytes(), Timestamp::from_ms(now_ms));
        let mut printed = Vec::new();
        let read = strongroom_auditor::read(&log, &vault, code, Some(&self.key), now, &mut printed);
        assert_eq!(printed.iter().filter(|byte| **byte == b'\n').count() + 1, usize::try_from(self.writer.head().size).unwrap());
        let found = read.map_err(|error| format!("{error:#}"))?;
        found.missing.map_or(Ok(found.doubts), Err)
    }

    fn audit(&self, now_ms: i64) -> Result<(), String> {
        self.doubts(now_ms).map(drop)
    }
}

#[test]
fn an_order_that_the_log_does_not_tell_of_shows_in_the_next_head() {
    let mut desk = Desk::new();
    let at = MS + 200_000;
    let first = desk.place(at).unwrap();
    desk.tell(&json!({"order": "u1", "signed": first}), at);
    desk.seal(at);
    assert_eq!(desk.audit(LATER_MS), Ok(()));
    // An order and an amendment, neither told: the last of all numbers.
    desk.place(at + 1).unwrap();
    let (symbol, order) = (Symbol::parse("BTCUSDT").unwrap(), ClientOrderId::parse("u1").unwrap());
    desk.sign(Intent::Amend { symbol, order, quantity: "0.0005".parse().unwrap() }, at + 1).unwrap();
    desk.tell(&json!({"note": "of something else"}), at + 2);
    assert_eq!(desk.audit(LATER_MS), Ok(()), "no head says so yet");
    desk.seal(at + 2);
    assert_eq!(desk.audit(at + 30_000), Ok(()), "they may be on their way");
    let missing = desk.audit(LATER_MS).unwrap_err();
    assert!(missing.contains("2 after the opening"), "{missing}");
    // A head that was forged, or edited to say less, is not believed.
    let edited = "UPDATE audit_checkpoint SET note = replace(note, ' 3 3 ', ' 1 1 ')";
    assert_eq!(desk.log.execute(edited, []).unwrap(), 2);
    assert!(desk.audit_fails_with("was not signed by this key"));
}

impl Desk {
    fn audit_fails_with(&self, words: &str) -> bool {
        let vault = self.dir.path().join("vault.srv");
        let log = self.dir.path().join("desk.db");
        let read = strongroom_auditor::read(
            &log,
            &vault,
            self.world.kit.as_bytes(),
            Some(&self.key),
            Timestamp::from_ms(LATER_MS),
            &mut std::io::sink(),
        );
        read.is_err_and(|error| format!("{error:#}").contains(words))
    }
}

#[test]
fn an_opening_of_which_nothing_is_told_shows() {
    let mut desk = Desk::new();
    let at = MS + 200_000;
    desk.place(at).unwrap();
    desk.tell(&json!({"note": "nothing of it"}), at);
    desk.seal(at);
    desk.world.restart(at + 60_000);
    let second = desk.place(at + 120_000).unwrap();
    desk.tell(&json!({"order": "u2", "signed": second}), at + 120_000);
    let missing = desk.audit(LATER_MS).unwrap_err();
    assert!(missing.contains("1 after the opening at signature"), "{missing}");
}

#[test]
fn no_more_than_a_named_number_can_be_kept_from_every_head() {
    let mut desk = Desk::new();
    let at = MS + 200_000;
    let signed = (0..400).map_while(|_| desk.place(at).ok()).count();
    assert_eq!(signed, 256);
    assert_eq!(desk.place(at), Err(Refusal::Guard(strongroom_guard::Reason::HeadDue { since: 256 })));
    let cancel = Intent::Cancel {
        symbol: Symbol::parse("BTCUSDT").unwrap(),
        order: strongroom_model::OrderRef::Venue(strongroom_model::VenueOrderId(7)),
    };
    assert_eq!(desk.sign(cancel, at), Ok(None), "a cancel always is");
    desk.tell(&json!({"note": "as if nothing had been"}), at);
    desk.seal(at);
    desk.place(at).unwrap();
    let missing = desk.audit(LATER_MS).unwrap_err();
    assert!(missing.contains("256 after the opening"), "{missing}");
}

#[test]
fn heads_that_are_thrown_away_hide_nothing_from_a_later_one() {
    let mut desk = Desk::new();
    let at = MS + 200_000;
    // As if each head had been kept: the signer goes on, and no note stays.
    for _ in 0..3 {
        assert_eq!((0..200).map_while(|_| desk.place(at).ok()).count(), 200);
        desk.seal(at);
        desk.log.execute("DELETE FROM audit_checkpoint", []).unwrap();
        desk.tell(&json!({"note": "as if nothing had been"}), at);
    }
    desk.world.restart(at + 60_000);
    let told = desk.place(at + 180_000).unwrap();
    desk.tell(&json!({"order": "the next one", "signed": told}), at + 180_000);
    desk.seal(at + 180_000);
    let missing = desk.audit(LATER_MS).unwrap_err();
    let count: u64 = missing.rsplit_once("tell of: ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
    assert!((500..=600).contains(&count) && missing.contains("of openings of which nothing is told"), "{missing}");
}

#[test]
fn a_log_that_is_dated_ahead_hides_nothing() {
    let mut desk = Desk::new();
    let at = MS + 200_000;
    desk.place(at).unwrap();
    desk.tell(&json!({"note": "of another year"}), MS + 100 * 365 * 86_400_000);
    desk.seal(at);
    assert!(desk.audit(at + 1_000).unwrap_err().contains("1 after the opening"));
}

/// What a signer signs after its last head shows once it is gone: it never said that there is nothing more.
#[test]
fn an_opening_that_ends_without_its_last_head_is_told() {
    let mut desk = Desk::new();
    let at = MS + 200_000;
    let first = desk.place(at).unwrap();
    desk.tell(&json!({"order": "u1", "signed": first}), at);
    desk.seals(at, true);
    let refused = desk.place(at).unwrap_err();
    assert_eq!(refused.code(), "sealed", "nothing is numbered after the last head");
    let (symbol, order) = (Symbol::parse("BTCUSDT").unwrap(), ClientOrderId::parse("u1").unwrap());
    let cancel = Intent::Cancel { symbol, order: strongroom_model::OrderRef::Client(order) };
    assert_eq!(desk.sign(cancel, at), Ok(None), "what stands is still taken back");
    desk.world.restart(at + 60_000);
    assert_eq!(desk.doubts(LATER_MS), Ok(Vec::new()), "as long as nothing is told of the next one");
    let second = desk.place(at + 120_000).unwrap();
    desk.tell(&json!({"order": "u3", "signed": second}), at + 120_000);
    desk.seal(at + 120_000);
    // Never told, and the signer ends before another head.
    desk.place(at + 121_000).unwrap();
    desk.world.restart(at + 180_000);
    let third = desk.place(at + 240_000).unwrap();
    desk.tell(&json!({"order": "u5", "signed": third}), at + 240_000);
    desk.seal(at + 240_000);
    let doubts = desk.doubts(LATER_MS).unwrap();
    assert!(doubts.len() == 2 && doubts[0].contains("was not closed: what was signed after its order number 1, 256 at most"), "{doubts:?}");
    assert!(doubts[1].contains("is the newest and not closed yet"), "{doubts:?}");
    assert!(doubts[0].contains(&strongroom_guard::NUMBERED_PER_HEAD_MAX.to_string()), "the auditor's bound is the signer's");
    // With all earlier heads thrown away, those of the closed opening included, the count of openings shows it.
    desk.log.execute("DELETE FROM audit_checkpoint WHERE size < (SELECT max(size) FROM audit_checkpoint)", []).unwrap();
    let doubts = desk.doubts(LATER_MS).unwrap();
    assert!(doubts.iter().any(|doubt| doubt.contains("of 2 openings no head of the log is here")), "{doubts:?}");
}

/// A desk that was taken over hides the last orders of an opening, and hands the next signer no state file: it shows.
#[test]
fn an_opening_without_a_state_file_is_not_taken_for_the_first_one() {
    let mut desk = Desk::new();
    let at = MS + 200_000;
    let first = desk.place(at).unwrap();
    desk.tell(&json!({"order": "u1", "signed": first}), at);
    desk.seals(at, true);
    desk.world.restart(at + 60_000);
    let second = desk.place(at + 120_000).unwrap();
    desk.tell(&json!({"order": "u2", "signed": second}), at + 120_000);
    desk.seal(at + 120_000);
    desk.place(at + 121_000).unwrap();
    desk.world.restart_without_state(at + 180_000);
    desk.tell(&json!({"note": "a new day"}), at + 180_000);
    desk.seals(at + 180_000, true);
    let doubts = desk.doubts(LATER_MS).unwrap();
    assert!(doubts.iter().any(|doubt| doubt.contains("1000 was not closed")), "{doubts:?}");
    assert!(doubts.iter().any(|doubt| doubt.contains("began anew")), "{doubts:?}");
}
