//! The kill switch against every other rule: what is inside of its reach is denied whatever the rest says, what is outside is judged as if
//! there were none, and nothing but new orders is ever stopped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use common::quantity;
use common::worlds::{World, policies, worlds};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use strongroom_guard::{By, Freeze, Freezes, KillScope, Reason, SessionEnd, Verdict};
use strongroom_model::{
    ClientOrderId, CredentialId, CredentialInfo, Intent, KeyDetails, KeyOperation, KeyScope, KeyStage, OrderRef, Origin, OwnerTag,
    PlaceOrder, Scheme, Timestamp, Venue, VenueOrderId,
};

/// One intent of each kind, about the order and its instrument.
fn intents(order: &PlaceOrder) -> Vec<Intent> {
    let (symbol, name) = (|| order.symbol.clone(), || order.client_order_id.clone());
    let all = vec![
        Intent::Place(order.clone()),
        Intent::Cancel { symbol: symbol(), order: OrderRef::Client(name()) },
        Intent::Amend { symbol: symbol(), order: name(), quantity: quantity("0.001") },
        Intent::CancelAll { symbol: symbol() },
        Intent::QueryOrder { symbol: symbol(), order: OrderRef::Venue(VenueOrderId(7)) },
        Intent::QueryTrades { symbol: symbol(), order: VenueOrderId(7) },
        Intent::QueryOpenOrders { symbol: None },
        Intent::QueryBalances,
        Intent::QueryKeyRights,
        Intent::StreamLogin,
        Intent::DeadMan { symbol: None, countdown_ms: 1_000 },
    ];
    assert!(all.iter().map(Intent::number).eq(0..Intent::COUNT));
    all
}

/// What each reach is of, said without the guard's own words.
fn is_inside(reach: &KillScope, key: &CredentialInfo, slot: Option<u16>, order: &ClientOrderId) -> bool {
    match reach {
        KillScope::Everything => true,
        KillScope::Venue(Venue::Binance) => key.venue == Venue::Binance,
        KillScope::Account(account) => *account == key.details.account,
        KillScope::Credential(id) => *id == key.id,
        KillScope::Bot(owner) => order.as_str().split_once('-').is_some_and(|(tag, _)| tag == owner.as_str()),
        KillScope::Person(of) => slot == Some(*of),
    }
}

const OWNERS: [&str; 3] = ["grid", "sr", "o"];
const ACCOUNTS: [&str; 3] = ["", "main", "desk 2"];

fn reaches() -> impl Strategy<Value = KillScope> {
    prop_oneof![
        1 => Just(KillScope::Everything),
        1 => Just(KillScope::Venue(Venue::Binance)),
        2 => (0_usize..3).prop_map(|of| KillScope::Account(ACCOUNTS[of].to_owned())),
        2 => (1_u64..4).prop_map(|id| KillScope::Credential(CredentialId(id))),
        2 => (0_usize..3).prop_map(|of| KillScope::Bot(OwnerTag::parse(OWNERS[of]).unwrap())),
        2 => (0_u16..3).prop_map(KillScope::Person),
    ]
}

fn keys() -> impl Strategy<Value = CredentialInfo> {
    (1_u64..4, 0_usize..3).prop_map(|(id, account)| CredentialInfo {
        id: CredentialId(id),
        label: "test".to_owned(),
        venue: Venue::Binance,
        scheme: Scheme::HmacSha256,
        api_key: "key".to_owned(),
        created: Timestamp::from_us(0),
        stage: KeyStage::Active,
        replaces: None,
        origin: Origin::Typed,
        source: String::new(),
        granted: None,
        details: KeyDetails { account: ACCOUNTS[account].to_owned(), ..KeyDetails::default() },
    })
}

/// Which kind of reach it was, and whether the order was inside.
fn kind(reach: &KillScope, is_inside: bool) -> (&'static str, bool) {
    let word = match reach {
        KillScope::Everything => "everything",
        KillScope::Venue(_) => "venue",
        KillScope::Account(_) => "account",
        KillScope::Credential(_) => "key",
        KillScope::Bot(_) => "bot",
        KillScope::Person(_) => "person",
    };
    (word, is_inside)
}

/// Every reach alone and together, over every intent, every limit and every state. Each reach was met from inside and, where there is one,
/// from outside; and orders outside passed and were denied.
#[test]
fn inside_it_is_denied_and_outside_it_is_as_if_there_were_none() {
    let met = RefCell::new(BTreeSet::new());
    let (passed, denied) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) },
        // The same cases each time: that each reach was met is no matter of chance.
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let engaged = proptest::collection::vec(reaches(), 1..4);
    let run = runner.run(&(worlds(), policies(), engaged, keys()), |(world, policy, engaged, key)| {
        let mut freezes = Freezes::default();
        for reach in &engaged {
            freezes.engage(Freeze::new("test", reach.clone()));
        }
        let World { order, session, scope, slot, .. } = &world;
        let freeze = freezes.stops(&key, By { slot: *slot, order: &order.client_order_id });
        let expected = engaged.iter().any(|reach| is_inside(reach, &key, *slot, &order.client_order_id));
        if let [reach] = engaged.as_slice() {
            met.borrow_mut().insert(kind(reach, expected));
        }
        for intent in intents(order) {
            let answer = world.answer(&policy, freeze, Ok(session), scope, &intent);
            match (&intent, expected) {
                (Intent::Place(_), true) => {
                    prop_assert!(matches!(answer, Verdict::Deny(Reason::KillSwitch { .. })), "{:?} is inside: {:?}", engaged, answer);
                }
                (Intent::Place(_), false) => {
                    let alone = world.answer(&policy, None, Ok(session), scope, &intent);
                    prop_assert_eq!(&answer, &alone, "{:?} is outside", engaged);
                    let count = if alone == Verdict::Allow { &passed } else { &denied };
                    count.set(count.get() + 1);
                }
                // Nobody's session, and a key for something else. What looks after an order that stands is inside of every key.
                _ => {
                    let operation = KeyOperation::of(&intent);
                    let other = if operation == Some(KeyOperation::Stream) { KeyOperation::Read } else { KeyOperation::Stream };
                    let narrowest = KeyScope { operations: operation.map_or(vec![other], |own| vec![own]), ..KeyScope::default() };
                    let is_inside = operation.is_none_or(|own| scope.operations.is_empty() || scope.operations.contains(&own));
                    prop_assert_eq!(answer == Verdict::Allow, is_inside, "{:?}", intent);
                    prop_assert_eq!(
                        world.answer(&policy, freeze, Err(SessionEnd::Locked), &narrowest, &intent),
                        Verdict::Allow,
                        "{:?}",
                        intent
                    );
                }
            }
        }
        Ok(())
    });
    run.unwrap_or_else(|broken| panic!("{broken}"));
    let inside = ["everything", "venue", "account", "key", "bot", "person"].map(|word| (word, true));
    let outside = ["account", "key", "bot", "person"].map(|word| (word, false));
    assert_eq!(met.into_inner(), inside.into_iter().chain(outside).collect(), "all reaches, from both sides");
    assert!(passed.get() > 20 && denied.get() > 20, "{passed:?} passed outside, {denied:?} were denied");
}
