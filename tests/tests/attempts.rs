//! What counts as an attempt, and what is taken for the worst. Invariant: a wrong code is no wrong password, and a lost state file is no
//! way to forget the kill switch.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use strongroom_guard::{Freeze, KillScope};
use strongroom_model::REMARK_LEN_MAX;
use strongroom_signer::Signer;
use strongroom_signer::arena::Arena;
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, ActionEnd, KitOpening, Reply, Request, Status, Walls};
use strongroom_tests::signer_world::{SignerWorld, code_at};
use strongroom_vault_store::state_generation;

const PASSWORD: &[u8] = b"correct horse battery staple";
const MS: i64 = 1_700_000_000_000;

fn status(world: &mut SignerWorld, ms: i64) -> Status {
    match world.ask(Request::Status, b"", ms) {
        Reply::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

fn was_wrong(world: &SignerWorld) -> bool {
    matches!(world.ends.last(), Some(ActionEnd::Failed { wrong_factor: true, .. }))
}

/// The vault of `world` in another signer, opened with the kit.
fn recover(world: &mut SignerWorld, files: Vec<Vec<u8>>, state_lost: Option<u64>, ms: i64) {
    world.signer = Signer::new(Arena::make().unwrap(), Walls::default());
    let action = Action::Recover(KitOpening { number: 1, backup: None, state_lost });
    world.act_on(action, &[9; 32], files, ms, &mut |world, field| match field {
        Field::Kit => world.kit.clone().into_bytes(),
        _ => b"another long password".to_vec(),
    });
    assert!(matches!(world.ends.last(), Some(ActionEnd::Unlocked { by_kit: Some(_), .. })), "{:?}", world.ends.last());
}

#[test]
fn a_wrong_code_counts_as_a_code_and_not_as_a_password() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    for (at, action) in [Action::ChangePassword { slot: None }, Action::Rekey].into_iter().enumerate() {
        let ms = MS + 60_000 * (1 + i64::try_from(at).unwrap());
        let mut asked = Vec::new();
        world.attempts = 0;
        world.act(action.clone(), b"", ms, &mut |_, field| {
            asked.push(field);
            b"000000".to_vec()
        });
        assert!(was_wrong(&world) && asked == [Field::Totp], "{:?}, {asked:?}", world.ends.last());
        assert_eq!(world.attempts, 0, "{action:?}: no password was asked for, and none is counted");
        world.act(action.clone(), b"", ms + 30_000, &mut |world, field| match field {
            Field::Totp => code_at(&world.otp_uri, ms + 30_000).into_bytes(),
            Field::Password => {
                assert_eq!(world.attempts, 1, "counted before it is answered");
                b"not the password".to_vec()
            }
            other => panic!("{other:?} was asked"),
        });
        assert!(was_wrong(&world) && world.attempts == 1, "{action:?}: {:?}", world.ends.last());
    }
}

#[test]
fn a_lost_state_file_engages_the_kill_switch_and_skips_numbers() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    let saves = state_generation(&world.state_file).unwrap();
    let (vault, ms) = (world.vault_file.clone(), MS + 60_000);
    let made = status(&mut world, ms).signatures;
    recover(&mut world, vec![vault], Some(saves + 5), ms);
    let told = status(&mut world, ms);
    assert!(told.freezes.everything().is_some() && world.frozen.len() == 1, "{told:?}");
    assert!(told.signatures >= made + 5_000, "{} after {made}: no number is given twice", told.signatures);
    assert_eq!(state_generation(&world.state_file), Some(saves + 6), "an old state file stays an old one");
    // What was frozen stays so over a restart, until a code takes it back.
    let files = vec![world.vault_file.clone(), world.state_file.clone()];
    recover(&mut world, files, None, ms + 60_000);
    assert!(status(&mut world, ms + 60_000).freezes.everything().is_some());
    let later = ms + 300_000;
    world.rearm(later);
    assert!(status(&mut world, later).freezes.is_empty());
}

/// The code was right and the state file says so, and then the session is over: nothing is re-armed, on disk either.
#[test]
fn a_rearming_that_is_not_carried_out_is_taken_back_on_disk() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    let ms = MS + 60_000;
    world.ask(Request::Kill(Freeze::everything("test")), b"", ms);
    let prompt = world.begin(Action::Rearm, ms);
    world.holds_state = true;
    let code = code_at(&world.otp_uri, ms).into_bytes();
    world.answer(prompt, &code, ms);
    world.ask(Request::Lock, b"", ms);
    world.holds_state = false;
    let before = state_generation(&world.state_file).unwrap();
    world.release_state(ms);
    assert!(matches!(world.ends.last(), Some(ActionEnd::Failed { .. })), "{:?}", world.ends.last());
    assert!(state_generation(&world.state_file).unwrap() > before, "what is on disk was written again");
    let files = vec![world.vault_file.clone(), world.state_file.clone()];
    recover(&mut world, files, None, ms + 60_000);
    assert!(status(&mut world, ms + 60_000).freezes.everything().is_some());
}

#[test]
fn a_state_file_that_is_there_is_taken_as_it_is() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    let files = vec![world.vault_file.clone(), world.state_file.clone()];
    recover(&mut world, files, None, MS + 60_000);
    assert!(status(&mut world, MS + 60_000).freezes.is_empty() && world.frozen.is_empty());
}

#[test]
fn whatever_the_words_the_kill_switch_is_engaged_and_they_stay_short() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    let why = format!("a\u{202e}b\u{1b}[2J{}", "x".repeat(1_000_000));
    world.ask(Request::Kill(Freeze { why, scope: KillScope::Everything }), b"", MS + 1_000);
    let told = status(&mut world, MS + 1_000).freezes.everything().unwrap().why.clone();
    assert!(told.starts_with("ab[2Jx") && told.chars().count() == REMARK_LEN_MAX, "{told:?}");
}
