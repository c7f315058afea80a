//! A key is derived: how long that will probably take is told before, and who gives up meanwhile gets nothing.
//!
//! Invariant: what was derived for a person who gave up is not handed out; a wrong factor stays wrong, a used code stays used.

use strongroom_model::Advice;
use strongroom_signer_api::prompt::ToPrompt;
use strongroom_signer_api::{ActionEnd, GIVEN_UP, Notice};
use strongroom_vault::{KdfParams, SlotKind};

use super::{Dialogue, Next, Step, Talk};
use crate::signer::{Out, Signer};

impl Signer {
    /// Told before the question whose answer starts the work: while a key is derived nothing can be told.
    pub(super) fn takes(&mut self, talk: Talk, kdfs: &[KdfParams]) -> Option<Out> {
        self.pace.takes_ms(kdfs).map(|ms| talk.say(&ToPrompt::Takes(ms)))
    }

    /// A present password is tried on each person's slot; a wrong one on all of them.
    pub(super) fn takes_password(&mut self, talk: Talk, files: &[Vec<u8>]) -> Option<Out> {
        let people = self.slots_at_hand(files).into_iter().filter(|head| head.kind == Some(SlotKind::PasswordDevice));
        let kdfs: Vec<KdfParams> = people.filter_map(|head| head.kdf).collect();
        self.takes(talk, &kdfs)
    }

    /// An unlocking whose save is under way ends without a session. Whether this was one.
    pub(super) fn give_up_opening(&mut self, at: usize) -> bool {
        let step = &mut self.dialogues[at].step;
        let opens = matches!(
            step,
            Step::Saving(Next::LetIn(None) | Next::GiveUp | Next::OpenSession { end: ActionEnd::Unlocked { by_kit: None, .. } })
        );
        if opens {
            *step = Step::Saving(Next::GiveUp);
        }
        opens
    }

    /// The person gave up while `out` was being worked out, as the shell finds before it carries it out: what was derived is thrown
    /// away, and nothing is changed. A wrong factor stays wrong, and a used code stays used.
    pub fn take_back(&mut self, prompt: u64, out: Vec<Out>) -> Vec<Out> {
        let is_it = |dialogue: &Dialogue| {
            let effects = |next: &Next| {
                matches!(next, Next::OpenSession { .. } | Next::LetIn(_) | Next::Rekeyed { .. } | Next::PhoneProved(_) | Next::End(_))
            };
            dialogue.prompt == prompt && matches!(&dialogue.step, Step::Saving(next) if effects(next))
        };
        let handed_out = out.iter().find_map(|out| match out {
            Out::Notice(Notice::Save { what, generation, .. }, _) => Some((*what, *generation)),
            _ => None,
        });
        let (Some(at), Some((what, generation))) = (self.dialogues.iter().position(is_it), handed_out) else { return out };
        let is_new = self.open.as_ref().is_some_and(|open| open.sessions.were_never_opened());
        if !is_new && self.give_up_opening(at) {
            // The vault was open before: its counters are saved as they are now, and no session opens.
            return out;
        }
        let opens = matches!(&self.dialogues[at].step, Step::Saving(Next::OpenSession { .. } | Next::LetIn(_)));
        self.saving.retain(|saving| saving.what != what || saving.generation != generation);
        let ticket = self.dialogues.remove(at).ticket;
        if opens && is_new {
            self.open = None;
        }
        self.talk(prompt, ticket).fail(GIVEN_UP, Advice::Ask, false)
    }
}
