//! Attempts with a password or a kit. Invariant: the desk counts each before it is asked for, and none before that: a wrong code is no wrong
//! password.

use strongroom_model::Advice;
use strongroom_signer_api::{Action, Notice};

use super::{Dialogue, Grant, Next, Pending, Step, Talk, ways};
use crate::clock::Moment;
use crate::signer::{Out, Signer};

/// What a password or a kit is asked for.
pub(super) enum Counting {
    /// It is the action's first question.
    First(Box<Pending>, String),
    /// A code came before it.
    Granted(Box<Grant>),
}

/// What is guessed; each makes only its own kind wait.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tried {
    Password,
    Kit,
}

pub(super) const fn tried(action: &Action) -> Option<Tried> {
    match action {
        Action::Unlock | Action::UnlockWith { .. } | Action::ChangePassword { .. } | Action::Rekey => Some(Tried::Password),
        Action::Recover(_) => Some(Tried::Kit),
        _ => None,
    }
}

/// The same, if it is the first question: until a code was right, no password is asked, and none is counted.
pub(super) const fn tried_first(action: &Action) -> Option<Tried> {
    match action {
        Action::ChangePassword { .. } | Action::Rekey => None,
        _ => tried(action),
    }
}

const fn asks_password(grant: &Grant) -> bool {
    matches!(grant, Grant::Way(ways::Wish::Password | ways::Wish::Rekey) | Grant::KeptPassword(_))
}

impl Signer {
    /// Counted before it is asked: ending everything in between gives no attempt for nothing.
    pub(super) fn count(&mut self, talk: Talk, tried: Tried, counting: Counting) -> Vec<Out> {
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Counting(counting) });
        vec![Out::Notice(Notice::Attempt { ticket: talk.ticket.to_vec(), by_kit: matches!(tried, Tried::Kit) }, None)]
    }

    /// A code was right; where a password comes next, its attempt is counted first.
    pub(super) fn code_was_right(&mut self, talk: Talk, grant: Grant, now: Moment) -> Vec<Out> {
        if asks_password(&grant) {
            return self.count(talk, Tried::Password, Counting::Granted(Box::new(grant)));
        }
        self.granted(talk, grant, now)
    }

    /// Nobody is there any more to be asked for a password after the code that is being saved as used. Whether that was so.
    pub(super) fn give_up_before_password(&mut self, at: usize) -> bool {
        let step = &mut self.dialogues[at].step;
        let asks = matches!(step, Step::Saving(Next::Grant(grant)) if asks_password(grant));
        if asks {
            *step = Step::Saving(Next::GiveUp);
        }
        asks
    }

    /// The desk counted an attempt, or says why it may not be made.
    pub(crate) fn counted(&mut self, ticket: &[u8], refused: Option<String>, now: Moment) -> Vec<Out> {
        let counting = |dialogue: &Dialogue| dialogue.ticket == *ticket && matches!(dialogue.step, Step::Counting(..));
        let Some(at) = self.dialogues.iter().position(counting) else { return Vec::new() };
        let Dialogue { prompt, ticket, step } = self.dialogues.remove(at);
        let talk = self.talk(prompt, ticket);
        match (step, refused) {
            (_, Some(why)) => talk.fail(&why, Advice::Ask, false),
            (Step::Counting(Counting::First(pending, words)), None) => self.first_words(talk, *pending, &words, now),
            (Step::Counting(Counting::Granted(grant)), None) => self.granted(talk, *grant, now),
            _ => talk.broken(),
        }
    }

    /// A new desk knows of no attempt that the old one was counting.
    pub(crate) fn stop_counting(&mut self) -> Vec<Out> {
        let (counting, others) = std::mem::take(&mut self.dialogues).into_iter().partition(|one| matches!(one.step, Step::Counting(..)));
        self.dialogues = others;
        let counting: Vec<Dialogue> = counting;
        let why = "the desk ended meanwhile; nothing was tried. Try again";
        counting.iter().flat_map(|one| self.talk(one.prompt, one.ticket).fail(why, Advice::RetryAfter(500), false)).collect()
    }
}
