//! Limits of an organisation in the signer: who can lay them down, what they hold against, and that nothing but the organisation takes
//! them back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use strongroom_guard::{ManagedNote, Policy};
use strongroom_model::{ClientOrderId, Intent, OrderSpec, PlaceOrder, Side, Symbol, TimeInForce};
use strongroom_signer_api::managed::{ManagedFiles, Offered};
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, ActionEnd, KitOpening, Reply, Request, SignAsk};
use strongroom_tests::signer_world::SignerWorld;

const MS: i64 = 1_800_000_000_000;
const MINUTE_MS: i64 = 60_000;
const FIVE_THOUSAND: &str = r#""limits": {"order_notional_max": "5000"}"#;

fn files(key: u8, serial: u64, rest: &str) -> ManagedFiles {
    let key = SigningKey::from_bytes(&[key; 32]);
    let document = format!(r#"{{"serial": {serial}, "organisation": "Example", {rest}}}"#);
    ManagedFiles {
        signature: BASE64_STANDARD.encode(key.sign(document.as_bytes()).to_bytes()).into_bytes(),
        document: document.into_bytes(),
        key: key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap().into_bytes(),
    }
}

fn offered(key: u8, serial: u64, rest: &str) -> Offered {
    Offered::Files(files(key, serial, rest))
}

/// A vault whose owner allows 25,000 an order, opened under what is offered.
fn world(offered: Offered) -> SignerWorld {
    let mut world = SignerWorld::with_vault(b"a password of the person", MS - 3 * MINUTE_MS);
    world.import("key", b"secret", MS - 2 * MINUTE_MS);
    world.offered = offered;
    world.restart(MS);
    world
}

fn signs(world: &mut SignerWorld, quantity: &str, ms: i64) -> Result<(), String> {
    let intent = Intent::Place(PlaceOrder {
        client_order_id: ClientOrderId::parse("a").unwrap(),
        symbol: Symbol::parse("BTCUSDT").unwrap(),
        side: Side::Buy,
        spec: OrderSpec::Limit { price: "50000".parse().unwrap(), quantity: quantity.parse().unwrap(), tif: TimeInForce::Gtc },
        reduce_only: false,
    });
    match world.ask(Request::Sign(SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 }), b"", ms) {
        Reply::Signed { .. } => Ok(()),
        Reply::Refused(refusal) => Err(refusal.code().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn note(world: &mut SignerWorld, ms: i64) -> Option<ManagedNote> {
    match world.ask(Request::Status, b"", ms) {
        Reply::Status(status) => status.managed,
        other => panic!("{other:?}"),
    }
}

/// Whether 5,000 an order hold now, and not more.
fn holds(world: &mut SignerWorld, ms: i64) -> bool {
    assert_eq!(signs(world, "0.1", ms), Ok(()));
    signs(world, "0.1001", ms) == Err("max-notional".to_owned())
}

#[test]
fn an_organisations_limits_hold_and_an_owner_only_tightens() {
    let mut world = world(offered(1, 1, FIVE_THOUSAND));
    assert!(holds(&mut world, MS + 1_000));
    let found = note(&mut world, MS + 1_000).unwrap();
    assert_eq!((found.organisation.as_str(), found.serial), ("Example", 1));
    assert_eq!(found.limits, [("order_notional_max".to_owned(), "5000".to_owned())]);
    let Reply::Policy(policy) = world.ask(Request::Policy, b"", MS + 1_000) else { panic!("no policy") };
    assert_eq!(policy.order_notional_max.to_string(), "5000", "what is told is what holds");
    let asked = |notional: &str| Policy { order_notional_max: notional.parse().unwrap(), ..(*policy).clone() };
    // Refused before anybody is asked for a code, with what would pass.
    match world.ask(Request::Prepare(Action::SetPolicy(Box::new(asked("5000.01")))), b"", MS + 1_000) {
        Reply::Refused(refusal) => {
            assert_eq!(refusal.code(), "managed-policy");
            assert_eq!(refusal.unmet()[0].passes, "5000");
            assert!(
                refusal.to_string().contains("Example has a limit here. order_notional_max: 5000.01 is beyond it, 5000 would pass"),
                "{refusal}"
            );
        }
        other => panic!("{other:?}"),
    }
    world.set_policy(asked("4000"), MS + MINUTE_MS);
    assert_eq!(signs(&mut world, "0.0801", MS + MINUTE_MS), Err("max-notional".to_owned()));
    world.set_policy(asked("5000"), MS + 2 * MINUTE_MS);
    assert!(holds(&mut world, MS + 2 * MINUTE_MS));
}

/// What only the organisation keeps off the list counts on, whatever its owner lowers; it is shown to nobody, so nobody drops it unseen.
#[test]
fn what_an_organisation_keeps_off_counts_on_when_limits_are_lowered() {
    let only_eth = r#""limits": {"only_listed": true, "instruments": [{"symbol": "ETHUSDT"}]}"#;
    let mut world = SignerWorld::with_vault(b"a password of the person", MS - 3 * MINUTE_MS);
    let mut own = Policy::initial();
    own.desk.exposure_max = "100000".parse().ok();
    world.set_policy(own.clone(), MS - 2 * MINUTE_MS);
    world.offered = offered(1, 1, only_eth);
    world.restart(MS);
    let names = |of: &[strongroom_guard::InstrumentPolicy]| of.iter().map(|one| one.symbol.to_string()).collect::<Vec<_>>();
    let told = |world: &mut SignerWorld, ms: i64| match world.ask(Request::Policy, b"", ms) {
        Reply::Policy(policy) => *policy,
        other => panic!("{other:?}"),
    };
    let policy = told(&mut world, MS);
    assert_eq!((names(&policy.instruments), names(&policy.unlisted)), (vec!["ETHUSDT".to_owned()], vec!["BTCUSDT".to_owned()]));
    // As a door is told it, with one limit lowered: no code, and all else stays.
    let lowered = Policy { orders_per_minute: 1, ..policy.as_set() };
    let mut asked = Vec::new();
    world.act(Action::SetPolicy(Box::new(lowered)), b"", MS + 1_000, &mut |_, field| {
        asked.push(field);
        Vec::new()
    });
    assert!(asked.is_empty(), "{asked:?}");
    let policy = told(&mut world, MS + 2_000);
    assert_eq!((policy.orders_per_minute, names(&policy.unlisted)), (1, vec!["BTCUSDT".to_owned()]));
    // The organisation lets go: the owner's list is what it was.
    world.offered = offered(1, 2, r#""limits": {}"#);
    world.restart(MS + MINUTE_MS);
    let policy = told(&mut world, MS + MINUTE_MS);
    assert_eq!(names(&policy.instruments).len(), 2);
    assert_eq!((policy.orders_per_minute, policy.unlisted.len()), (1, 0));
}

#[test]
fn what_was_seen_once_holds_until_the_organisation_says_otherwise() {
    let mut world = world(offered(1, 5, FIVE_THOUSAND));
    let mut ms = MS;
    let mut restarted = |world: &mut SignerWorld, offered: Offered| {
        ms += MINUTE_MS;
        world.offered = offered;
        world.restart(ms);
        ms
    };
    for (other, words) in [
        (Offered::Nothing, "no more"),
        (offered(1, 4, r#""limits": {}"#), "no higher number"),
        (offered(1, 5, r#""limits": {}"#), "no higher number"),
        (offered(1, 4, r#""released": true"#), "no higher number"),
        (offered(2, 9, r#""limits": {}"#), "another key"),
        (offered(2, 9, r#""released": true"#), "another key"),
        (Offered::Nothing, "no more"),
    ] {
        let now = restarted(&mut world, other.clone());
        assert!(holds(&mut world, now), "{other:?}");
        assert!(note(&mut world, now).unwrap().source.contains(words), "{other:?}");
    }
    let now = restarted(&mut world, offered(1, 6, r#""limits": {"order_notional_max": "6000"}"#));
    assert_eq!((signs(&mut world, "0.12", now), signs(&mut world, "0.1201", now)), (Ok(()), Err("max-notional".to_owned())));
    let now = restarted(&mut world, offered(1, 7, r#""released": true"#));
    assert_eq!((signs(&mut world, "0.5", now), note(&mut world, now)), (Ok(()), None));
    // What it let go of does not come back by an old document, nor by its absence.
    for old in [offered(1, 5, FIVE_THOUSAND), Offered::Nothing] {
        let now = restarted(&mut world, old);
        assert_eq!((signs(&mut world, "0.5", now), note(&mut world, now)), (Ok(()), None));
    }
    let now = restarted(&mut world, offered(2, 1, FIVE_THOUSAND));
    assert!(holds(&mut world, now), "another organisation comes");
}

#[test]
fn nothing_is_opened_under_what_is_not_sound() {
    let mut world = world(Offered::Nothing);
    let sound = files(1, 1, FIVE_THOUSAND);
    let forged = ManagedFiles { document: files(1, 1, r#""limits": {}"#).document, ..sound.clone() };
    let another = ManagedFiles { key: files(2, 1, FIVE_THOUSAND).key, ..sound.clone() };
    let unknown = files(1, 1, r#""limits": {"orders_per_hour": 5}"#);
    let trouble = Offered::Trouble("/etc/strongroom/policy.pub: is missing, and the others are there".to_owned());
    for (at, broken) in [Offered::Files(forged), Offered::Files(another), Offered::Files(unknown), trouble].into_iter().enumerate() {
        world.offered = broken;
        world.seal();
        let kit = KitOpening { number: 1, backup: None, state_lost: None };
        let create = Action::CreateVault { vault_id: vec![8; 16], kdf_memory_kib: 0, kdf_passes: 0 };
        for action in [Action::Unlock, Action::UnlockWith { slot: 1 }, Action::Recover(kit), create] {
            match world.ask(Request::Prepare(action), &[9; 32], MS + MINUTE_MS) {
                Reply::Refused(refusal) => {
                    assert_eq!(refusal.code(), "managed-files", "{at}");
                    assert!(refusal.to_string().contains("Nothing was opened"), "{refusal}");
                }
                other => panic!("{at}: {other:?}"),
            }
        }
    }
    world.offered = Offered::Files(sound);
    world.restart(MS + 2 * MINUTE_MS);
    assert!(holds(&mut world, MS + 2 * MINUTE_MS));
}

/// With a lost state file nothing is remembered: docs/threats.md speaks of it. What lies in the system's folder still holds.
#[test]
fn a_lost_state_file_forgets_what_lies_nowhere_else() {
    let mut world = world(offered(1, 5, FIVE_THOUSAND));
    for (lies, most) in [(offered(1, 5, FIVE_THOUSAND), "5000"), (Offered::Nothing, "25000")] {
        world.offered = lies;
        world.seal();
        let opening = KitOpening { number: 1, backup: None, state_lost: Some(40) };
        let (file, kit) = (world.vault_file.clone(), world.kit.clone());
        world.act_on(Action::Recover(opening), &[9; 32], vec![file], MS + MINUTE_MS, &mut |_, field| match field {
            Field::Kit => kit.clone().into_bytes(),
            _ => b"a password of the person".to_vec(),
        });
        assert!(matches!(world.ends.last(), Some(ActionEnd::Unlocked { .. })), "{:?}", world.ends.last());
        let Reply::Policy(policy) = world.ask(Request::Policy, b"", MS + MINUTE_MS) else { panic!("no policy") };
        assert_eq!(policy.order_notional_max.to_string(), most);
    }
}

#[test]
fn a_band_of_the_owner_does_not_make_orders_cheap_under_the_organisations_day() {
    let limits = r#""limits": {"day_notional_max": "500000", "only_listed": true,
        "instruments": [{"symbol": "BTCUSDT", "price_low": "1000", "price_high": "400000"}]}"#;
    let mut world = world(offered(1, 1, limits));
    let Reply::Policy(policy) = world.ask(Request::Policy, b"", MS) else { panic!("no policy") };
    let mut policy = policy.as_set();
    policy.instruments[0].price_high = "1001".parse().unwrap();
    world.set_policy(policy, MS + MINUTE_MS);
    let mut sell = |number: u32| {
        let intent = Intent::Place(PlaceOrder {
            client_order_id: ClientOrderId::parse(&format!("s{number}")).unwrap(),
            symbol: Symbol::parse("BTCUSDT").unwrap(),
            side: Side::Sell,
            spec: OrderSpec::Market { size: strongroom_model::MarketSize::Base("1".parse().unwrap()) },
            reduce_only: false,
        });
        world.ask(
            Request::Sign(SignAsk { intent, credential: None, clock_offset_us: 0, recv_window_ms: 5_000, audit_seq: 0 }),
            b"",
            MS + MINUTE_MS,
        )
    };
    assert!(matches!(sell(1), Reply::Signed { .. }));
    match sell(2) {
        Reply::Refused(refusal) => assert_eq!(refusal.code(), "day-notional"),
        other => panic!("{other:?}"),
    }
}
