//! A person gives up while a key is derived. Invariant: whatever the derivation yields, no session opens and nothing is changed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::collections::VecDeque;

use strongroom_signer::arena::Arena;
use strongroom_signer::{Out, Signer};
use strongroom_signer_api::prompt::{Field, FromPrompt, ToPrompt};
use strongroom_signer_api::{Action, ActionEnd, GIVEN_UP, Notice, Reply, Request, Saved};
use strongroom_tests::signer_world::{SignerWorld, UP, code_at, moment};

const PASSWORD: &[u8] = b"correct horse battery staple";
const MS: i64 = 1_700_000_000_000;
const PROMPT: u64 = 1_000;

/// A signer between a desk that saves everything and a person who answers.
struct Desk {
    signer: Signer,
    next_id: u64,
    ms: i64,
    ends: Vec<ActionEnd>,
    saves: usize,
    /// What the signer said before the last question.
    said: Vec<String>,
}

impl Desk {
    fn of(signer: Signer, next_id: u64, ms: i64) -> Self {
        Self { signer, next_id, ms, ends: vec![], saves: 0, said: vec![] }
    }

    /// A sealed signer with the world's files beside it.
    fn sealed() -> (Self, Vec<Vec<u8>>) {
        let world = SignerWorld::with_vault(PASSWORD, MS);
        let signer = Signer::new(Arena::make().unwrap(), UP);
        (Self::of(signer, 1, MS + 60_000), vec![world.vault_file, world.state_file])
    }

    fn ask(&mut self, request: Request, tail: &[u8], files: Vec<Vec<u8>>) -> Vec<Out> {
        self.next_id += 1;
        self.signer.on_desk(self.next_id, request, tail, files, moment(self.ms))
    }

    /// Up to what comes of the answer to `last`, which is not carried out.
    fn until(&mut self, action: Action, files: Vec<Vec<u8>>, last: Field, answer: &dyn Fn(Field) -> Vec<u8>) -> Vec<Out> {
        let prepared = self.ask(Request::Prepare(action), &[9; 32], files);
        let Some(Out::Reply(_, Reply::Prepared { ticket, .. })) = prepared.into_iter().next() else { panic!("not prepared") };
        self.signer.prompt_attached(PROMPT);
        let hello = FromPrompt::Hello(ticket.try_into().unwrap());
        let mut work: VecDeque<Out> = self.signer.on_prompt(PROMPT, &hello, moment(self.ms)).into();
        while let Some(effect) = work.pop_front() {
            if let Out::Prompt(_, said) = &effect {
                self.said.push(format!("{:?}", ToPrompt::parse(said).unwrap()));
                if let Some(ToPrompt::Ask(field, _)) = ToPrompt::parse(said) {
                    let out = self.signer.on_prompt(PROMPT, &FromPrompt::Answer(&answer(field)), moment(self.ms));
                    if field == last {
                        return out;
                    }
                    work.extend(out);
                }
                continue;
            }
            work.extend(self.step(effect));
        }
        panic!("{last:?} was not asked: {:?}", self.said);
    }

    fn step(&mut self, effect: Out) -> Vec<Out> {
        match effect {
            Out::Notice(Notice::Save { what, generation, .. }, _) => {
                self.saves += 1;
                self.ask(Request::Saved(Saved { what, generation, error: None }), b"", vec![])
            }
            Out::Notice(Notice::Attempt { ticket, .. }, _) => self.ask(Request::Counted { ticket, refused: None }, b"", vec![]),
            Out::Notice(Notice::Ended { end, .. }, _) => {
                self.ends.push(*end);
                vec![]
            }
            _ => vec![],
        }
    }

    fn settle(&mut self, out: Vec<Out>) {
        let mut work: VecDeque<Out> = out.into();
        while let Some(effect) = work.pop_front() {
            let more = self.step(effect);
            work.extend(more);
        }
    }

    fn is_sealed(&mut self) -> bool {
        matches!(&self.ask(Request::Status, b"", vec![])[..], [Out::Reply(_, Reply::Status(status))] if status.sealed)
    }

    fn was_given_up(&self) -> bool {
        matches!(self.ends.as_slice(), [ActionEnd::Failed { why, wrong_factor: false, .. }] if why == GIVEN_UP)
    }
}

#[test]
fn a_right_password_opens_nothing() {
    let (mut desk, files) = Desk::sealed();
    let out = desk.until(Action::Unlock, files, Field::Password, &|_| PASSWORD.to_vec());
    let [.., takes, asked] = desk.said.as_slice() else { panic!("{:?}", desk.said) };
    assert!(takes.starts_with("Takes(") && takes != "Takes(0)" && asked.starts_with("Ask(Password"), "{:?}", desk.said);
    let out = desk.signer.take_back(PROMPT, out);
    desk.settle(out);
    assert!(desk.was_given_up() && desk.saves == 0 && desk.is_sealed(), "{:?}", desk.ends);
}

#[test]
fn a_wrong_password_stays_wrong() {
    let (mut desk, files) = Desk::sealed();
    let out = desk.until(Action::Unlock, files, Field::Password, &|_| b"another password".to_vec());
    let out = desk.signer.take_back(PROMPT, out);
    desk.settle(out);
    assert!(matches!(desk.ends.as_slice(), [ActionEnd::Failed { wrong_factor: true, .. }]), "{:?}", desk.ends);
    assert!(desk.is_sealed());
}

#[test]
fn a_prompt_that_ends_or_gives_up_while_it_is_saved_opens_nothing() {
    for gives_up in [false, true] {
        let (mut desk, files) = Desk::sealed();
        let out = desk.until(Action::Unlock, files, Field::Password, &|_| PASSWORD.to_vec());
        if gives_up {
            assert!(desk.signer.on_prompt(PROMPT, &FromPrompt::Cancel, moment(desk.ms)).is_empty());
        }
        assert!(desk.signer.prompt_gone(PROMPT).is_empty());
        desk.settle(out);
        assert!(desk.was_given_up() && desk.is_sealed(), "{:?}", desk.ends);
    }
}

#[test]
fn nobody_gave_up() {
    let (mut desk, files) = Desk::sealed();
    let out = desk.until(Action::Unlock, files, Field::Password, &|_| PASSWORD.to_vec());
    desk.settle(out);
    assert!(matches!(desk.ends.as_slice(), [ActionEnd::Unlocked { .. }]) && !desk.is_sealed(), "{:?}", desk.ends);
}

#[test]
fn a_new_password_that_was_derived_is_thrown_away() {
    let world = SignerWorld::with_vault(PASSWORD, MS);
    let (before, code) = (world.vault_file.clone(), code_at(&world.otp_uri, MS + 60_000));
    let mut desk = Desk::of(world.signer, 1_000, MS + 60_000);
    let out = desk.until(Action::ChangePassword { slot: None }, vec![], Field::NewPassword, &|field| match field {
        Field::Totp => code.clone().into_bytes(),
        Field::NewPassword => b"another battery staple".to_vec(),
        _ => PASSWORD.to_vec(),
    });
    let saves = desk.saves;
    let out = desk.signer.take_back(PROMPT, out);
    desk.settle(out);
    assert!(desk.was_given_up() && desk.saves == saves && !desk.is_sealed(), "{:?}", desk.ends);
    // The old password opens the file as it was.
    let mut again = Desk::of(Signer::new(Arena::make().unwrap(), UP), 1, MS + 90_000);
    let out = again.until(Action::Unlock, vec![before], Field::Password, &|_| PASSWORD.to_vec());
    again.settle(out);
    assert!(matches!(again.ends.as_slice(), [ActionEnd::Unlocked { .. }]), "{:?}", again.ends);
}
