//! The signer's state machine in this process, without its shell. Invariant: its clock is virtual, one order every 11 ms,
//! so that the limit on orders per minute is reached and never exceeded.

use std::collections::VecDeque;

use anyhow::Context as _;
use strongroom_model::Timestamp;
use strongroom_signer::arena::Arena;
use strongroom_signer::{Moment, Out, Signer};
use strongroom_signer_api::prompt::FromPrompt;
use strongroom_signer_api::{Action, ActionEnd, Notice, Reply, Request, Saved, Walls};

use crate::Spoken;
use crate::person::Person;

const START_MS: i64 = 1_800_000_000_000;
const STEP_MS: i64 = 30_000;
const ORDER_EVERY_MS: i64 = 11;

/// The log's head is signed as often as the desk has it signed.
const ORDERS_PER_HEAD: u64 = 128;

/// Walls that stand.
const UP: Walls = Walls {
    no_descriptors: true,
    not_dumpable: true,
    no_core: true,
    no_new_privs: true,
    no_write_execute: true,
    landlock: true,
    seccomp: true,
    locked_memory: true,
};

/// A signer in this process.
pub struct SignerHere {
    signer: Signer,
    now_ms: i64,
    next_id: u64,
    next_prompt: u64,
    end: Option<ActionEnd>,
    /// How often it was asked to sign.
    asked: u64,
    /// How often the log's head was signed.
    heads: u64,
}

impl SignerHere {
    /// A sealed one.
    pub fn new() -> anyhow::Result<Self> {
        let arena = Arena::make().context("no randomness")?;
        anyhow::ensure!(arena.is_locked(), "the shielding key's memory is not locked");
        Ok(Self { signer: Signer::new(arena, UP), now_ms: START_MS, next_id: 1, next_prompt: 1, end: None, asked: 0, heads: 0 })
    }

    fn moment(&self) -> Moment {
        Moment { wall: Timestamp::from_ms(self.now_ms), mono_ms: u64::try_from(self.now_ms - START_MS).unwrap_or_default() }
    }

    /// Asks once, without looking at effects other than the reply and saves.
    pub fn sign(&mut self, request: Request) -> Option<Reply> {
        self.now_ms += ORDER_EVERY_MS;
        self.asked += 1;
        if self.asked.is_multiple_of(ORDERS_PER_HEAD) {
            self.heads += 1;
            let _ = self.tell(Request::SealHead { size: self.heads, head: vec![0; 32], closes: false }, b"");
        }
        let out = self.tell(request, b"");
        match <[Out; 1]>::try_from(out) {
            Ok([Out::Reply(_, reply)]) => Some(reply),
            Ok(_) => None,
            Err(out) => {
                // Every 500 signatures a reservation is saved; a person looks at the screen about as often.
                let reply = self.settle(out).0;
                let _ = self.tell(Request::Touch { ago_ms: 0 }, b"");
                reply
            }
        }
    }

    /// Asks once and does nothing else: what comes out is to be settled, unless it is a reply alone.
    pub fn ask_alone(&mut self, request: Request) -> Vec<Out> {
        self.now_ms += ORDER_EVERY_MS;
        self.tell(request, b"")
    }

    fn tell(&mut self, request: Request, tail: &[u8]) -> Vec<Out> {
        let id = self.next_id;
        self.next_id += 1;
        let now = self.moment();
        self.signer.on_desk(id, request, tail, Vec::new(), now)
    }

    /// Carries effects out: the first reply, and what was said to the prompt.
    pub fn settle(&mut self, out: Vec<Out>) -> (Option<Reply>, VecDeque<Vec<u8>>) {
        let (mut reply, mut said, mut work) = (None, VecDeque::new(), VecDeque::from(out));
        while let Some(effect) = work.pop_front() {
            match effect {
                Out::Reply(_, told) => drop(reply.get_or_insert(told)),
                Out::Prompt(_, words) => said.push_back(words.to_vec()),
                Out::Notice(Notice::Ended { end, .. }, _) => self.end = Some(*end),
                Out::Notice(Notice::Save { what, generation, .. }, _) => {
                    let saved = Request::Saved(Saved { what, generation, error: None });
                    let more = self.tell(saved, b"");
                    work.extend(more.into_iter().filter(|out| !matches!(out, Out::Reply(..))));
                }
                Out::Notice(Notice::Attempt { ticket, .. }, _) => {
                    let more = self.tell(Request::Counted { ticket, refused: None }, b"");
                    work.extend(more.into_iter().filter(|out| !matches!(out, Out::Reply(..))));
                }
                Out::Notice(
                    Notice::Frozen(_) | Notice::RecoveryCodeUsed { .. } | Notice::LockedOut { .. } | Notice::ClockBack { .. },
                    _,
                )
                | Out::ClosePrompt(_)
                | Out::WantProvider(_)
                | Out::Provider(..)
                | Out::StateSaved(_) => {}
            }
        }
        (reply, said)
    }
}

impl Spoken for SignerHere {
    fn ask(&mut self, request: Request, tail: &[u8]) -> anyhow::Result<Reply> {
        let out = self.tell(request, tail);
        self.settle(out).0.context("no reply")
    }

    fn act(&mut self, action: Action, tail: &[u8], person: &mut Person, code_s: u64) -> anyhow::Result<ActionEnd> {
        let ticket = match self.ask(Request::Prepare(action), tail)? {
            Reply::Prepared { ticket, .. } => ticket.try_into().ok().context("no ticket")?,
            other => anyhow::bail!("not prepared: {other:?}"),
        };
        let prompt = self.next_prompt;
        self.next_prompt += 1;
        self.signer.prompt_attached(prompt);
        let out = self.signer.on_prompt(prompt, &FromPrompt::Hello(ticket), self.moment());
        let mut said = self.settle(out).1;
        while let Some(words) = said.pop_front() {
            if let Some(answer) = person.answer(&words, code_s)? {
                let message = FromPrompt::parse(&answer).context("no answer")?;
                let out = self.signer.on_prompt(prompt, &message, self.moment());
                said.extend(self.settle(out).1);
            }
        }
        self.end.take().context("the action did not end")
    }

    fn code_time_s(&mut self, _nth: u64) -> u64 {
        self.now_ms += STEP_MS;
        u64::try_from(self.now_ms / 1_000).unwrap_or_default()
    }
}
