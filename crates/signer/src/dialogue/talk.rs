//! What is said to one prompt, and to the desk when it is over. Invariant: whatever ends is told with the slot of the session in which it was
//! begun.

use strongroom_model::Advice;
use strongroom_signer_api::prompt::{TICKET_LEN, ToPrompt};
use strongroom_signer_api::{ActionEnd, Notice};
use zeroize::Zeroizing;

use crate::signer::{Out, Signer};

/// The prompt that is being spoken to.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    pub(super) prompt: u64,
    pub(super) ticket: [u8; TICKET_LEN],
    /// Whose session it was begun in.
    pub(super) by: Option<u16>,
}

impl Talk {
    pub(super) fn say(&self, message: &ToPrompt<'_>) -> Out {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1_024));
        message.write(&mut bytes);
        Out::Prompt(self.prompt, bytes)
    }

    pub(super) fn fail(&self, why: &str, advice: Advice, wrong_factor: bool) -> Vec<Out> {
        vec![
            self.say(&ToPrompt::End(false, why.as_bytes())),
            Out::ClosePrompt(self.prompt),
            ended(&self.ticket, self.by, failed(why, advice, wrong_factor)),
        ]
    }

    pub(super) fn broken(&self) -> Vec<Out> {
        self.fail("the signer could not do this; nothing was changed", Advice::Bug, false)
    }

    pub(super) fn end(&self, words: &str, end: ActionEnd) -> Vec<Out> {
        vec![self.say(&ToPrompt::End(true, words.as_bytes())), Out::ClosePrompt(self.prompt), ended(&self.ticket, self.by, end)]
    }
}

pub(super) fn failed(why: &str, advice: Advice, wrong_factor: bool) -> ActionEnd {
    ActionEnd::Failed { why: why.to_owned(), advice, wrong_factor }
}

pub(super) fn ended(ticket: &[u8; TICKET_LEN], by: Option<u16>, end: ActionEnd) -> Out {
    Out::Notice(Notice::Ended { ticket: ticket.to_vec(), by, end: Box::new(end) }, None)
}

impl Signer {
    pub(super) fn talk(&self, prompt: u64, ticket: [u8; TICKET_LEN]) -> Talk {
        let by = self.begun.iter().find(|begun| begun.prompt == prompt).and_then(|begun| begun.by);
        Talk { prompt, ticket, by }
    }
}
