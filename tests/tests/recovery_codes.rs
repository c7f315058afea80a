//! Codes on paper in place of the phone's: each counts once, also over a crash, and a wrong one is a wrong code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use strongroom_model::Venue;
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, ActionEnd, KitOpening, Reply, Request};
use strongroom_tests::signer_world::{SignerWorld, code_at};

const MS: i64 = 1_800_000_000_000;
const STEP_MS: i64 = 31_000;
const PASSWORD: &[u8] = b"a password of the person";

/// A vault with recovery codes.
fn world() -> SignerWorld {
    let mut world = SignerWorld::with_vault(PASSWORD, MS - 2 * STEP_MS);
    prints(&mut world, MS - STEP_MS, None);
    world
}

/// Prints codes, with a code of the phone or with one of those.
fn prints(world: &mut SignerWorld, ms: i64, code: Option<&str>) {
    world.act(Action::PrintCodes, b"", ms, &mut |world, field| match (field, code) {
        (Field::Totp, Some(code)) => code.as_bytes().to_vec(),
        (Field::Totp, None) => code_at(&world.otp_uri, ms).into_bytes(),
        _ => world.codes.last().unwrap().split(' ').next_back().unwrap().as_bytes().to_vec(),
    });
    assert_eq!(world.ends.last(), Some(&ActionEnd::CodesPrinted), "{:?}", world.ends.last());
}

/// Does something that needs a code: `None`, when it was done, else why not, and whether that counts.
fn uses(world: &mut SignerWorld, code: &str, ms: i64) -> Option<(String, bool)> {
    let action =
        Action::Generate { label: "key".to_owned(), venue: Venue::Binance, scheme: strongroom_model::Scheme::Ed25519, replaces: None };
    world.act(action, b"", ms, &mut |_, field| {
        assert_eq!(field, Field::Totp);
        code.as_bytes().to_vec()
    });
    match world.ends.last().unwrap() {
        ActionEnd::Generated { .. } => None,
        ActionEnd::Failed { why, wrong_factor, .. } => Some((why.clone(), *wrong_factor)),
        other => panic!("{other:?}"),
    }
}

fn left(world: &mut SignerWorld, ms: i64) -> u8 {
    match world.ask(Request::Status, b"", ms) {
        Reply::Status(status) => status.codes_left,
        other => panic!("{other:?}"),
    }
}

fn is_wrong(told: &Option<(String, bool)>) -> bool {
    told.as_ref().is_some_and(|(why, counts)| why.starts_with("the code is wrong") && *counts)
}

#[test]
fn each_counts_once_where_a_code_is_asked() {
    let mut world = world();
    let codes = world.codes.clone();
    assert_eq!((codes.len(), left(&mut world, MS)), (10, 10));
    assert_eq!(uses(&mut world, &codes[3], MS), None);
    assert_eq!((left(&mut world, MS), &world.codes_used[..]), (9, &[9][..]));
    assert!(is_wrong(&uses(&mut world, &codes[3], MS + STEP_MS)), "used");
    // As it may be typed; and the phone's codes go on beside them.
    assert_eq!(uses(&mut world, &codes[0].to_lowercase().replace(' ', ""), MS + 2 * STEP_MS), None);
    let phone = code_at(&world.otp_uri, MS + 3 * STEP_MS);
    assert_eq!(uses(&mut world, &phone, MS + 3 * STEP_MS), None);
    assert_eq!(left(&mut world, MS + 3 * STEP_MS), 8);
    // Over a restart: what was used is used, the others are there.
    world.restart(MS + 4 * STEP_MS);
    assert!(is_wrong(&uses(&mut world, &codes[0], MS + 4 * STEP_MS)));
    assert_eq!(uses(&mut world, &codes[1], MS + 5 * STEP_MS), None);
    // None of them was told to the desk.
    for code in &codes {
        let dense = code.replace(' ', "");
        for form in [code.clone(), dense.clone(), dense.to_lowercase()] {
            assert!(!world.told_desk.windows(form.len()).any(|window| window == form.as_bytes()));
        }
    }
}

#[test]
fn a_crash_gives_none_back() {
    let mut world = world();
    let code = world.codes[0].clone();
    // On disk, and the signer ends before anything comes of it.
    world.holds_state = true;
    let prompt = world.begin(Action::Backup, MS);
    world.answer(prompt, code.as_bytes(), MS);
    assert_eq!(world.ends.last(), Some(&ActionEnd::CodesPrinted), "nothing comes of it before it is on disk as used");
    let saved = world.handed_out.clone();
    world.holds_state = false;
    world.state_file = saved;
    world.restart(MS + STEP_MS);
    assert!(is_wrong(&uses(&mut world, &code, MS + STEP_MS)));
    assert_eq!(left(&mut world, MS + STEP_MS), 9);
}

#[test]
fn wrong_ones_make_wait_and_mistyped_ones_do_not() {
    let mut world = world();
    let code = world.codes[0].clone();
    let other = code_of_another_vault();
    // Another letter in the middle: the checksum says so, and nothing is counted.
    let mistyped = code.replacen(&code[10..14], if &code[10..14] == "QQQQ" { "PPPP" } else { "QQQQ" }, 1);
    let (why, counts) = uses(&mut world, &mistyped, MS).unwrap();
    assert!(why.contains("mistyped") && !counts, "{why}");
    assert!(is_wrong(&uses(&mut world, &other, MS)), "a code of another vault");
    let (why, _) = uses(&mut world, &code, MS).unwrap();
    assert!(why.contains("the next one is looked at in 1 s"), "{why}");
    let phone = code_at(&world.otp_uri, MS);
    assert!(uses(&mut world, &phone, MS).unwrap().0.contains("looked at in 1 s"), "both wait together");
    assert_eq!(uses(&mut world, &code, MS + 1_000), None);
}

fn code_of_another_vault() -> String {
    world().codes[0].clone()
}

#[test]
fn a_new_print_ends_the_old_one_once_it_is_typed_back() {
    let mut world = world();
    let old = world.codes.clone();
    // Not typed back: the old ones stay.
    world.act(Action::PrintCodes, b"", MS, &mut |world, field| match field {
        Field::Totp => code_at(&world.otp_uri, MS).into_bytes(),
        _ => b"QQQQ".to_vec(),
    });
    assert!(matches!(world.ends.last(), Some(ActionEnd::Failed { .. })), "{:?}", world.ends.last());
    assert_eq!(uses(&mut world, &old[0], MS + STEP_MS), None);
    // Without the phone, with one of those.
    prints(&mut world, MS + 2 * STEP_MS, Some(&old[1]));
    assert_eq!(left(&mut world, MS + 2 * STEP_MS), 10);
    assert!(is_wrong(&uses(&mut world, &old[2], MS + 3 * STEP_MS)));
    let new = world.codes[2].clone();
    assert_eq!(uses(&mut world, &new, MS + 4 * STEP_MS), None);
}

#[test]
fn a_lost_state_file_uses_up_all_of_them() {
    let mut world = world();
    let code = world.codes[0].clone();
    world.seal();
    let (file, kit) = (world.vault_file.clone(), world.kit.clone());
    let opening = KitOpening { number: 1, backup: None, state_lost: Some(40) };
    world.act_on(Action::Recover(opening), &[9; 32], vec![file], MS, &mut |_, field| match field {
        Field::Kit => kit.clone().into_bytes(),
        _ => PASSWORD.to_vec(),
    });
    assert!(matches!(world.ends.last(), Some(ActionEnd::Unlocked { .. })), "{:?}", world.ends.last());
    assert_eq!(left(&mut world, MS), 0);
    assert!(is_wrong(&uses(&mut world, &code, MS)));
}
