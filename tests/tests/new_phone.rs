//! The one-time codes go onto a new phone: nothing of the old one counts then, and nothing of the new one before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, ActionEnd, Request};
use strongroom_tests::signer_world::{SignerWorld, code_at};

const MS: i64 = 1_800_000_000_000;
const STEP_MS: i64 = 31_000;

/// A vault, the old phone's address, and recovery codes.
fn world() -> (SignerWorld, String) {
    let mut world = SignerWorld::with_vault(b"a password of the person", MS - 3 * STEP_MS);
    let old = world.otp_uri.clone();
    world.act(Action::PrintCodes, b"", MS - STEP_MS, &mut |world, field| match field {
        Field::Totp => code_at(&world.otp_uri, MS - STEP_MS).into_bytes(),
        _ => world.codes.last().unwrap().split(' ').next_back().unwrap().as_bytes().to_vec(),
    });
    (world, old)
}

/// Takes the new phone with this code of now, and then that of the one that is shown, or another.
fn takes(world: &mut SignerWorld, first: &str, second: Option<&str>, ms: i64) -> ActionEnd {
    let before = world.otp_uri.clone();
    world.act(Action::NewPhone, b"", ms, &mut |world, field| {
        assert_eq!(field, Field::Totp);
        if world.otp_uri == before {
            return first.as_bytes().to_vec();
        }
        second.map_or_else(|| code_at(&world.otp_uri, ms), str::to_owned).into_bytes()
    });
    world.ends.last().unwrap().clone()
}

/// Why something that needs a code was not done with this one.
fn refused(world: &mut SignerWorld, code: &str, ms: i64) -> Option<String> {
    world.act(Action::Backup, b"", ms, &mut |_, _| code.as_bytes().to_vec());
    match world.ends.last().unwrap() {
        ActionEnd::BackupGranted => None,
        ActionEnd::Failed { why, .. } => Some(why.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_old_phone_counts_no_more_and_its_recovery_codes_do_not_either() {
    let (mut world, old) = world();
    let recovery = world.codes[1].clone();
    assert_eq!(takes(&mut world, &code_at(&old, MS), None, MS), ActionEnd::PhoneChanged);
    let new = world.otp_uri.clone();
    assert_ne!(new, old);
    let same = refused(&mut world, &code_at(&new, MS), MS).unwrap();
    assert!(same.contains("used"), "the code that took it is used: {same}");
    let mut at = MS + STEP_MS;
    for code in [code_at(&old, at), recovery] {
        assert!(refused(&mut world, &code, at).unwrap().contains("wrong"), "{code}");
        at += 2 * STEP_MS;
    }
    assert_eq!(refused(&mut world, &code_at(&new, at), at), None);
    // The same after a restart: it is in the vault.
    at += STEP_MS;
    world.restart(at);
    at += STEP_MS;
    assert!(refused(&mut world, &code_at(&old, at), at).unwrap().contains("wrong"));
    at += 2 * STEP_MS;
    assert_eq!(refused(&mut world, &code_at(&new, at), at), None);
}

#[test]
fn a_recovery_code_stands_in_for_the_lost_phone() {
    let (mut world, _) = world();
    let recovery = world.codes[0].clone();
    assert_eq!(takes(&mut world, &recovery, None, MS), ActionEnd::PhoneChanged);
    let at = MS + STEP_MS;
    let new = code_at(&world.otp_uri, at);
    assert_eq!(refused(&mut world, &new, at), None);
}

#[test]
fn a_mistyped_code_of_the_new_one_costs_nothing_twice() {
    let (mut world, old) = world();
    let before = world.otp_uri.clone();
    let (mut asked, mut seeds) = (0, std::collections::BTreeSet::new());
    world.act(Action::NewPhone, b"", MS, &mut |world, _| {
        asked += 1;
        seeds.insert(world.otp_uri.clone());
        match asked {
            1 => code_at(&old, MS).into_bytes(),
            2 | 3 => b"000000".to_vec(),
            _ => code_at(&world.otp_uri, MS).into_bytes(),
        }
    });
    assert_eq!(world.ends.last(), Some(&ActionEnd::PhoneChanged));
    assert!(seeds.len() == 2 && seeds.contains(&before), "the same seed each time");
}

/// Between the code and the new phone's: the session ends, the role goes, or the disk is full.
#[test]
fn whoever_may_not_any_more_puts_no_phone_in_place() {
    for (what, words) in [("lock", "no session"), ("full", "could not be saved"), ("nothing", "")] {
        let (mut world, old) = world();
        let prompt = world.begin(Action::NewPhone, MS);
        world.answer(prompt, code_at(&old, MS).as_bytes(), MS);
        let new = world.otp_uri.clone();
        assert_ne!(new, old, "{what}");
        let at = MS + 1_000;
        match what {
            "lock" => drop(world.ask(Request::Lock, b"", at)),
            "full" => world.disk_is_full = true,
            _ => {}
        }
        world.answer(prompt, code_at(&new, at).as_bytes(), at);
        world.disk_is_full = false;
        match world.ends.last().unwrap() {
            ActionEnd::PhoneChanged => assert_eq!(words, ""),
            ActionEnd::Failed { why, .. } => {
                assert!(!words.is_empty() && why.contains(words), "{what}: {why}");
                world.restart(at + STEP_MS);
                let at = at + 2 * STEP_MS;
                assert!(refused(&mut world, &code_at(&new, at), at).unwrap().contains("wrong"), "{what}");
                let at = at + STEP_MS;
                assert_eq!(refused(&mut world, &code_at(&old, at), at), None, "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn without_a_code_of_the_new_one_the_old_one_stays() {
    let (mut world, old) = world();
    let wrong = code_at(&old, MS);
    let ActionEnd::Failed { why, .. } = takes(&mut world, &code_at(&old, MS), Some(&wrong), MS) else { panic!("taken") };
    assert!(why.contains("go on counting"), "{why}");
    let new = world.otp_uri.clone();
    let at = MS + STEP_MS;
    assert!(refused(&mut world, &code_at(&new, at), at).unwrap().contains("wrong"));
    let at = at + 2 * STEP_MS;
    assert_eq!(refused(&mut world, &code_at(&old, at), at), None);
}
