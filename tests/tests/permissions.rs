//! The table of permissions holds in the signer: no action goes on without a role that the table names, and each asks first for the
//! proof that the table names.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use strongroom_guard::{Freeze, KillScope, Permission, Policy, Proof, Reason, SessionEnd};
use strongroom_model::{
    ClientOrderId, CredentialId, Intent, KeyDetails, KeyEdit, Notional, OrderSpec, PlaceOrder, Role, Scheme, Side, SlotFor, Symbol,
    TimeInForce, Venue,
};
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, ActionEnd, DoorId, PinChange, Refusal, Reply, Request, SignAsk};
use strongroom_tests::signer_world::{SignerWorld, code_at};

const MS: i64 = 1_800_000_000_000;
const STEP_MS: i64 = 30_000;

fn order(id: &str, quantity: &str) -> PlaceOrder {
    PlaceOrder {
        client_order_id: ClientOrderId::parse(id).unwrap(),
        symbol: Symbol::parse("BTCUSDT").unwrap(),
        side: Side::Buy,
        spec: OrderSpec::Limit { price: "10000".parse().unwrap(), quantity: quantity.parse().unwrap(), tif: TimeInForce::Gtc },
        reduce_only: false,
    }
}

fn raised() -> Policy {
    Policy { orders_per_minute: Policy::initial().orders_per_minute + 1, ..Policy::initial() }
}

/// Every kind of action that an open vault is asked for.
fn actions(key: CredentialId, person: u16) -> Vec<Action> {
    let label = || "further".to_owned();
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".to_owned();
    vec![
        Action::Import { label: label(), venue: Venue::Binance },
        Action::Rotate { old: key },
        Action::Generate { label: label(), venue: Venue::Binance, scheme: Scheme::Ed25519, replaces: None },
        Action::EditKey { id: key, edit: KeyEdit { label: Some("other".to_owned()), ..KeyEdit::default() } },
        Action::Delete { id: key },
        Action::ExportKey { id: key, recipient },
        Action::Backup,
        Action::ChangePassword { slot: None },
        Action::ReplaceKit,
        Action::PrintCodes,
        Action::NewPhone,
        Action::AddSlot { kind: SlotFor::Person, label: label(), roles: vec![Role::Viewer] },
        Action::AddSlot { kind: SlotFor::Auditor, label: label(), roles: Vec::new() },
        Action::SetRoles { slot: person, roles: vec![Role::Viewer] },
        Action::RemoveSlot { slot: person },
        Action::Rekey,
        Action::Rearm,
        Action::SetPolicy(Box::new(raised())),
        Action::Pin(PinChange { host: "localhost:1".to_owned(), spki_sha256: "A".repeat(43) + "=", trust: true }),
        Action::ConfirmOrder(order("c", "1")),
        Action::Override { order: order("o", "1"), why: "because".to_owned() },
        Action::Protect(order("o", "1").client_order_id),
    ]
}

struct Told {
    world: SignerWorld,
    key: CredentialId,
    person: u16,
    /// Of the next code.
    ms: i64,
}

impl Told {
    /// A vault with a key, a second person, and the kill switch engaged, so that there is something to take back.
    fn new() -> Self {
        let mut world = SignerWorld::with_vault(b"the first password", MS);
        let mut told = Self {
            key: CredentialId(0),
            person: 0,
            ms: MS + 60_000,
            world: {
                world.import("key", b"secret", MS + STEP_MS);
                world
            },
        };
        let Reply::Credentials { keys, .. } = told.world.ask(Request::Credentials { from: 0 }, b"", told.ms) else { panic!("no keys") };
        told.key = keys[0].id;
        let action = Action::AddSlot { kind: SlotFor::Person, label: "second".to_owned(), roles: Vec::new() };
        let Some(ActionEnd::SlotAdded(slot)) = told.act(action) else { panic!("{:?}", told.world.ends) };
        assert_eq!(slot.roles, Role::ALL);
        told.person = slot.id;
        told.world.ask(Request::Kill(Freeze::everything("test")), b"", told.ms);
        told
    }

    fn act(&mut self, action: Action) -> Option<ActionEnd> {
        self.ms += STEP_MS;
        let ms = self.ms;
        self.world.ask(Request::Touch { ago_ms: 0 }, b"", ms);
        self.world.act(action, b"", ms, &mut |world, field| match field {
            Field::Totp => code_at(&world.otp_uri, ms).into_bytes(),
            Field::Password => b"the first password".to_vec(),
            _ => b"another password".to_vec(),
        });
        self.world.ends.last().cloned()
    }

    fn missing(&mut self, action: &Action) -> Option<String> {
        match self.world.ask(Request::Prepare(action.clone()), b"", self.ms) {
            Reply::Refused(Refusal::Guard(Reason::Role { needed, .. })) => Some(needed),
            Reply::Prepared { .. } => None,
            other => panic!("{action:?}: {other:?}"),
        }
    }
}

#[test]
fn no_action_without_a_role_that_the_table_names() {
    for role in Role::ALL {
        let mut told = Told::new();
        let end = told.act(Action::SetRoles { slot: 1, roles: vec![role] });
        assert!(matches!(end, Some(ActionEnd::RolesSet { slot: 1, .. })), "{end:?}");
        let mut allowed = 0;
        for action in actions(told.key, told.person) {
            // Only so many wait for their prompts.
            told.ms += if allowed % 8 == 7 { 121_000 } else { 0 };
            told.world.ask(Request::Touch { ago_ms: 0 }, b"", told.ms);
            let row = action.permission().row();
            let missing = told.missing(&action);
            assert_eq!(missing.is_none(), row.roles.contains(&role), "{role}: {action:?} lacks {missing:?}");
            allowed += u32::from(missing.is_none());
        }
        assert!(allowed > 0);
        // The log, too.
        let read = told.world.ask(Request::ReadAudit { last: 1 }, b"", told.ms);
        let lacks_role = matches!(&read, Reply::Refused(Refusal::Guard(Reason::Role { .. })));
        assert_eq!(lacks_role, role != Role::Auditor, "{role}: {read:?}");
    }
}

#[test]
fn a_role_that_was_lost_signs_no_order_in_the_session_that_is_open() {
    let mut told = Told::new();
    told.act(Action::Rearm);
    let sign = |told: &mut Told, intent| {
        let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        told.world.ask(Request::Sign(ask), b"", told.ms)
    };
    assert!(matches!(sign(&mut told, Intent::Place(order("a", "0.1"))), Reply::Signed { .. }));
    told.act(Action::SetRoles { slot: 1, roles: vec![Role::KeyAdmin, Role::Risk] });
    assert!(matches!(sign(&mut told, Intent::Place(order("b", "0.1"))), Reply::Refused(Refusal::Guard(Reason::Role { .. }))));
    let cancel = Intent::CancelAll { symbol: Symbol::parse("BTCUSDT").unwrap() };
    assert!(matches!(sign(&mut told, cancel), Reply::Signed { .. }), "what takes risk away needs no role");
    // A machine's slot and the kit have none to lose, and somebody stays key-admin.
    told.act(Action::SetRoles { slot: told.person, roles: vec![Role::Viewer] });
    let none_left = told.world.ask(Request::Prepare(Action::SetRoles { slot: 1, roles: vec![Role::Trader] }), b"", told.ms);
    assert!(matches!(&none_left, Reply::Refused(Refusal::State(words)) if words.contains("key-admin")), "{none_left:?}");
}

/// Whoever is stopped is so at every door, and nobody else is.
#[test]
fn a_person_who_is_stopped_signs_no_order_and_takes_back_what_stands() {
    let mut told = Told::new();
    told.act(Action::Rearm);
    let mut number = 0;
    let mut sign = |told: &mut Told| {
        number += 1;
        let intent = Intent::Place(order(&format!("o{number}"), "0.1"));
        let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        told.world.ask(Request::Sign(ask), b"", told.ms)
    };
    let stop = |slot| Request::Kill(Freeze::new("test", KillScope::Person(slot)));
    let (ms, other) = (told.ms, told.person);
    told.world.ask(stop(other), b"", ms);
    assert!(matches!(sign(&mut told), Reply::Signed { slot: Some(1), .. }), "the other one is stopped");
    told.world.ask(stop(1), b"", ms);
    let refused = sign(&mut told);
    assert!(matches!(&refused, Reply::Refused(Refusal::Guard(Reason::KillSwitch { why })) if why.contains("slot 1")), "{refused:?}");
    let cancel = Intent::CancelAll { symbol: Symbol::parse("BTCUSDT").unwrap() };
    let ask = SignAsk { intent: cancel, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
    assert!(matches!(told.world.ask(Request::Sign(ask), b"", ms), Reply::Signed { slot: None, .. }));
    // Nor does that person open another way in.
    let further = Action::AddSlot { kind: SlotFor::Person, label: "third".to_owned(), roles: Vec::new() };
    let refused = told.world.ask(Request::Prepare(further), b"", ms);
    assert!(matches!(&refused, Reply::Refused(Refusal::State(words)) if words.contains("slot 1")), "{refused:?}");
    // It outlives the signer, and re-arming takes it back.
    told.ms += STEP_MS;
    told.world.restart(told.ms);
    assert!(matches!(sign(&mut told), Reply::Refused(Refusal::Guard(Reason::KillSwitch { .. }))));
    told.act(Action::Rearm);
    assert!(matches!(sign(&mut told), Reply::Signed { .. }));
}

#[test]
fn each_action_asks_first_for_the_proof_that_the_table_names() {
    let mut told = Told::new();
    for action in actions(told.key, told.person) {
        let proof = action.permission().row().proof;
        assert!(matches!(proof, Proof::Code | Proof::CodeToLoosen | Proof::CodeAndPassword));
        let mut asked = Vec::new();
        told.ms += STEP_MS;
        told.world.ask(Request::Touch { ago_ms: 0 }, b"", told.ms);
        told.world.act(action.clone(), b"", told.ms, &mut |_, field| {
            asked.push(field);
            b"000000".to_vec()
        });
        assert_eq!(asked, [Field::Totp], "{action:?}: a wrong code ends it");
        let Some(ActionEnd::Failed { wrong_factor: true, .. }) = told.world.ends.last() else { panic!("{action:?}") };
        // A right one takes the failures back.
        told.ms += 1_000;
        assert!(matches!(
            told.act(Action::SetPolicy(Box::new(Policy { price_collar_bps: 501, ..Policy::initial() }))),
            Some(ActionEnd::PolicySet(_))
        ));
        told.act(Action::SetPolicy(Box::new(Policy::initial())));
    }
    // What only tightens needs no code.
    let lowered = Policy { orders_per_minute: 1, ..Policy::initial() };
    let mut asked = Vec::new();
    told.world.act(Action::SetPolicy(Box::new(lowered.clone())), b"", told.ms, &mut |_, field| {
        asked.push(field);
        Vec::new()
    });
    assert!(asked.is_empty() && told.world.ends.last() == Some(&ActionEnd::PolicySet(lowered)));
    assert_eq!(Permission::CancelOrder.row().proof, Proof::None);
}

#[test]
fn a_large_order_is_signed_once_and_only_as_it_was_confirmed() {
    let mut told = Told::new();
    told.act(Action::Rearm);
    told.act(Action::SetPolicy(Box::new(Policy { confirm_above: Notional::parse("1000").ok(), ..Policy::initial() })));
    let sign = |told: &mut Told, order: PlaceOrder, later_ms: i64| {
        let ask = SignAsk { intent: Intent::Place(order), credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        told.world.ask(Request::Sign(ask), b"", told.ms + later_ms)
    };
    let is_unconfirmed = |reply: &Reply| matches!(reply, Reply::Refused(Refusal::Guard(Reason::Confirm { .. })));
    assert!(matches!(sign(&mut told, order("small", "0.1"), 0), Reply::Signed { .. }), "1000 passes");
    assert!(is_unconfirmed(&sign(&mut told, order("large", "0.5"), 0)));
    assert!(matches!(told.act(Action::ConfirmOrder(order("large", "0.5"))), Some(ActionEnd::OrderConfirmed(_))));
    for other in [order("large", "0.51"), order("other", "0.5"), PlaceOrder { side: Side::Sell, ..order("large", "0.5") }] {
        assert!(is_unconfirmed(&sign(&mut told, other.clone(), 0)), "{other:?}");
    }
    assert!(matches!(sign(&mut told, order("large", "0.5"), 1_000), Reply::Signed { .. }));
    assert!(is_unconfirmed(&sign(&mut told, order("large", "0.5"), 1_001)), "once");
    told.act(Action::ConfirmOrder(order("late", "0.5")));
    assert!(is_unconfirmed(&sign(&mut told, order("late", "0.5"), 120_000)), "within two minutes only");
}

/// Everything is looked at again when the code comes: time, session, role, and the limits that were shown.
#[test]
fn a_code_that_comes_late_or_in_another_session_changes_nothing() {
    // What happens while the prompt asks, and what is said then.
    type Meanwhile = fn(&mut SignerWorld, i64);
    let rows: [(Meanwhile, i64, &str); 4] = [
        (|_, _| (), 300_000, "took too long"),
        (|world, ms| drop(world.ask(Request::Lock, b"", ms)), 1_000, "no session"),
        (|_, _| (), 1_000, ""),
        (
            |world, ms| {
                let lowered = Policy { price_collar_bps: 400, ..Policy::initial() };
                world.act(Action::SetPolicy(Box::new(lowered)), b"", ms, &mut |_, _| Vec::new());
            },
            1_000,
            "the limits were changed meanwhile",
        ),
    ];
    for (meanwhile, later_ms, why) in rows {
        let mut told = Told::new();
        told.act(Action::Rearm);
        let ms = told.ms + STEP_MS;
        told.world.ask(Request::Touch { ago_ms: 0 }, b"", ms);
        let prompt = told.world.begin(Action::SetPolicy(Box::new(raised())), ms);
        meanwhile(&mut told.world, ms);
        if later_ms > 60_000 {
            told.world.ask(Request::Touch { ago_ms: 0 }, b"", ms + later_ms - 1_000);
        }
        let code = code_at(&told.world.otp_uri, ms + later_ms).into_bytes();
        told.world.answer(prompt, &code, ms + later_ms);
        match told.world.ends.last() {
            Some(ActionEnd::PolicySet(_)) => assert_eq!(why, ""),
            Some(ActionEnd::Failed { why: told, .. }) => assert!(!why.is_empty() && told.contains(why), "{why}: {told}"),
            other => panic!("{why}: {other:?}"),
        }
    }
}

/// A kill that comes while the code of a re-arming is being saved counts.
#[test]
fn a_kill_between_the_code_and_its_save_is_not_undone() {
    let mut told = Told::new();
    let ms = told.ms + STEP_MS;
    told.world.ask(Request::Touch { ago_ms: 0 }, b"", ms);
    let prompt = told.world.begin(Action::Rearm, ms);
    told.world.holds_state = true;
    let code = code_at(&told.world.otp_uri, ms).into_bytes();
    told.world.answer(prompt, &code, ms);
    told.world.ask(Request::Kill(Freeze::everything("again")), b"", ms);
    told.world.holds_state = false;
    told.world.release_state(ms);
    assert!(
        matches!(told.world.ends.last(), Some(ActionEnd::Failed { why, .. }) if why.contains("engaged again")),
        "{:?}",
        told.world.ends.last()
    );
    let Reply::Status(status) = told.world.ask(Request::Status, b"", ms) else { panic!("no status") };
    assert!(status.freezes.everything().is_some());
}

/// Ways and roles go together, and somebody stays who can change them.
#[test]
fn roles_go_with_their_slot() {
    let mut told = Told::new();
    told.act(Action::Rearm);
    told.act(Action::SetRoles { slot: told.person, roles: vec![Role::Viewer] });
    let person = told.person;
    assert!(matches!(told.act(Action::RemoveSlot { slot: person }), Some(ActionEnd::SlotRemoved { .. })));
    let action = Action::AddSlot { kind: SlotFor::Person, label: "another".to_owned(), roles: Vec::new() };
    let Some(ActionEnd::SlotAdded(slot)) = told.act(action) else { panic!("{:?}", told.world.ends) };
    assert_eq!((slot.id, slot.roles), (person, Role::ALL.to_vec()), "the number is the same, the roles are not");
    told.act(Action::SetRoles { slot: person, roles: vec![Role::Trader] });
    let removed = told.world.ask(Request::Prepare(Action::RemoveSlot { slot: 1 }), b"", told.ms);
    assert!(matches!(&removed, Reply::Refused(Refusal::State(words)) if words.contains("key-admin")), "{removed:?}");
}

#[test]
fn a_key_signs_only_what_it_is_meant_for() {
    let mut told = Told::new();
    told.act(Action::Rearm);
    let scope = strongroom_model::KeyScope { side: Some(Side::Sell), ..Default::default() };
    let details = KeyDetails { scope: Box::new(scope), ..KeyDetails::default() };
    let edit = KeyEdit { details: Some(details), ..KeyEdit::default() };
    assert!(matches!(told.act(Action::EditKey { id: told.key, edit }), Some(ActionEnd::Edited(_))));
    let sign = |told: &mut Told, intent| {
        let ask = SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        told.world.ask(Request::Sign(ask), b"", told.ms)
    };
    assert!(matches!(sign(&mut told, Intent::Place(order("a", "0.1"))), Reply::Refused(Refusal::Guard(Reason::Scope { .. }))));
    let sale = PlaceOrder { side: Side::Sell, ..order("b", "0.1") };
    assert!(matches!(sign(&mut told, Intent::Place(sale)), Reply::Signed { .. }));
    assert!(matches!(sign(&mut told, Intent::QueryBalances), Reply::Signed { .. }));
}

/// Rows: a role alone, and whether whoever unlocked at a door with it may look at the account there.
#[test]
fn only_a_reader_looks_at_the_account_and_only_at_the_door_of_the_session() {
    const HERE: DoorId = DoorId(5);
    const ELSEWHERE: DoorId = DoorId(6);
    for (role, reads) in [(Role::Viewer, true), (Role::Trader, true), (Role::Risk, true), (Role::KeyAdmin, false), (Role::Auditor, false)] {
        let mut told = Told::new();
        let end = told.act(Action::SetRoles { slot: 1, roles: vec![role] });
        assert!(matches!(end, Some(ActionEnd::RolesSet { .. })), "{end:?}");
        let ms = told.ms;
        told.world.ask(Request::Lock, b"", ms);
        told.world.door = HERE;
        told.world.act(Action::Unlock, b"", ms, &mut |_, _| b"the first password".to_vec());
        assert!(matches!(told.world.ends.last(), Some(ActionEnd::Unlocked { .. })), "{role}: {:?}", told.world.ends.last());
        let ask = SignAsk { intent: Intent::QueryBalances, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 };
        let mut at = |door| told.world.ask(Request::At { door, request: Box::new(Request::Sign(ask.clone())) }, b"", ms);
        match at(HERE) {
            Reply::Signed { .. } => assert!(reads, "{role}"),
            Reply::Refused(Refusal::Guard(Reason::Role { needed, has })) => {
                assert_eq!((reads, needed.as_str(), has.as_str()), (false, "viewer or trader or risk", role.name()));
            }
            other => panic!("{role}: {other:?}"),
        }
        for door in [ELSEWHERE, DoorId::OUTSIDE, DoorId::NOBODY] {
            let end = Reply::Refused(Refusal::Guard(Reason::Session { end: SessionEnd::Elsewhere }));
            assert_eq!(at(door), end, "{role} at {door:?}");
        }
        // Nor does an action begin anywhere else.
        told.world.door = ELSEWHERE;
        let prepare = Request::At { door: ELSEWHERE, request: Box::new(Request::Prepare(Action::ChangePassword { slot: None })) };
        assert!(matches!(told.world.ask(prepare, b"", ms), Reply::Refused(Refusal::Guard(Reason::Session { .. }))));
    }
}

/// Two prompts for one key: the second confirmed is told that the key is not what was shown.
#[test]
fn a_key_that_was_changed_meanwhile_is_not_changed_as_it_was_shown() {
    let mut told = Told::new();
    let key = told.key;
    let Reply::Credentials { keys, .. } = told.world.ask(Request::Credentials { from: 0 }, b"", told.ms) else { panic!("no keys") };
    let noted = |account: &str, addresses: &[&str]| {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        let details = KeyDetails { account: account.to_owned(), addresses, ..keys[0].details.clone() };
        Action::EditKey { id: key, edit: KeyEdit { details: Some(details), ..KeyEdit::default() } }
    };
    told.ms += STEP_MS;
    let ms = told.ms;
    told.world.ask(Request::Touch { ago_ms: 0 }, b"", ms);
    let first = told.world.begin(noted("desk 2", &[]), ms);
    let end = told.act(noted("", &["203.0.113.7"]));
    assert!(matches!(end, Some(ActionEnd::Edited(_))), "{end:?}");
    told.ms += STEP_MS;
    let code = code_at(&told.world.otp_uri, told.ms);
    told.world.answer(first, code.as_bytes(), told.ms);
    assert!(
        matches!(told.world.ends.last(), Some(ActionEnd::Failed { why, .. }) if why.contains("changed meanwhile")),
        "{:?}",
        told.world.ends.last()
    );
    let Reply::Credentials { keys, .. } = told.world.ask(Request::Credentials { from: 0 }, b"", told.ms) else { panic!("no keys") };
    assert_eq!((keys[0].details.account.as_str(), keys[0].details.addresses.len()), ("", 1), "the narrower address stays");
}
