//! What counts as an attempt, and what is taken for the worst. Invariant: a wrong code is no wrong password, and a lost state file is no
//! way to forget the kill switch.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use strongroom_guard::{Freeze, KillScope};
use strongroom_model::REMARK_LEN_MAX;
use strongroom_signer::Signer;
use strongroom_signer::arena::Arena;
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{Action, ActionEnd, KitOpening, Reply, Request, Status};
use strongroom_tests::signer_world::{SignerWorld, UP, code_at, moment};
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
    world.signer = Signer::new(Arena::make().unwrap(), UP);
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

/// A wrong code at `ms`.
fn guess(world: &mut SignerWorld, ms: i64) {
    world.act(Action::Backup, b"", ms, &mut |_, _| b"000000".to_vec());
}

#[test]
fn ten_wrong_codes_lock_every_session_and_only_the_password_helps() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    let mut policy = strongroom_guard::Policy::initial();
    (policy.session_idle_ms, policy.session_age_max_ms) = (12 * 3_600_000, 24 * 3_600_000);
    let mut ms = MS + 60_000;
    world.set_policy(policy, ms);
    for failure in 1..=10_u32 {
        ms += 1_000_000;
        assert_eq!((world.locked_out, status(&mut world, ms).session.is_some()), (0, true), "before failure {failure}");
        guess(&mut world, ms);
        assert!(was_wrong(&world), "{:?}", world.ends.last());
    }
    let told = status(&mut world, ms);
    assert_eq!((world.locked_out, told.session, told.sealed), (1, None, false), "locked, and what stands can be looked after");
    let refused = world.ask(Request::Prepare(Action::Backup), b"", ms);
    assert!(matches!(refused, Reply::Refused(_)), "{refused:?}");
    // A restart forgives nothing but by the password.
    world.restart(ms + 1_000);
    let backup = |world: &mut SignerWorld, ms: i64| {
        world.act(Action::Backup, b"", ms, &mut |world, _| code_at(&world.otp_uri, ms).into_bytes());
        matches!(world.ends.last(), Some(ActionEnd::BackupGranted))
    };
    assert!(backup(&mut world, ms + 60_000));
}

#[test]
fn a_clock_that_went_back_refuses_codes_and_is_told() {
    let mut world = SignerWorld::with_vault(PASSWORD, MS);
    // The clock of the wall goes back by two minutes; the other one never does.
    status(&mut world, MS + 240_000);
    let at = strongroom_signer::Moment { mono_ms: u64::try_from(MS + 241_000).unwrap(), ..moment(MS + 120_000) };
    let Reply::Prepared { ticket, .. } = world.ask(Request::Prepare(Action::Backup), b"", MS + 240_000) else { panic!() };
    world.signer.prompt_attached(77);
    let hello = strongroom_signer_api::prompt::FromPrompt::Hello(ticket.try_into().unwrap());
    world.signer.on_prompt(77, &hello, at);
    // A code that a phone showed two minutes ago, and that was never used.
    let code = code_at(&world.otp_uri, MS + 120_000);
    let out = world.signer.on_prompt(77, &strongroom_signer_api::prompt::FromPrompt::Answer(code.as_bytes()), at);
    let told =
        out.iter().any(|out| matches!(out, strongroom_signer::Out::Notice(strongroom_signer_api::Notice::ClockBack { back_s: 120 }, _)));
    assert!(told, "it is told");
    assert!(!out.iter().any(|out| matches!(out, strongroom_signer::Out::Notice(strongroom_signer_api::Notice::Ended { end, .. }, _) if matches!(**end, ActionEnd::BackupGranted))));
}
