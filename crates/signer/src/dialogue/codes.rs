//! Recovery codes: printed on demand, and given in place of a one-time code.
//!
//! Invariant: each counts once, and is stored as used before anything comes of it; what is kept of one is a mark that compares with nothing
//! without the seed of the one-time codes.

use std::fmt::Write as _;

use strongroom_guard::TotpRefusal;
use strongroom_model::Advice;
use strongroom_signer_api::Notice;
use strongroom_signer_api::prompt::{Show, ToPrompt};
use strongroom_vault::{RECOVERY_CODES, RecoveryCode, SystemEntropy};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Dialogue, Next, Step, Talk, ways};
use crate::clock::Moment;
use crate::signer::{Out, Signer};

/// All that are printed at once.
pub(super) struct Codes(Vec<RecoveryCode>);

impl Codes {
    fn make() -> Option<Self> {
        let codes: Result<Vec<_>, _> = (0..RECOVERY_CODES).map(|_| RecoveryCode::make(&mut SystemEntropy)).collect();
        codes.ok().map(Self)
    }

    /// One a line.
    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(RECOVERY_CODES * 32));
        for code in &self.0 {
            let blank = if text.is_empty() { "" } else { "\n" };
            // Writing into a text cannot fail.
            let _ = code.with_text(|code| write!(text, "{blank}{code}"));
        }
        text
    }

    /// What is to be typed back.
    pub(super) fn words() -> String {
        format!("Type group {} of code {RECOVERY_CODES}, the last one", RecoveryCode::GROUPS)
    }

    pub(super) fn has_last_group(&self, typed: &[u8]) -> bool {
        self.0.last().is_some_and(|code| code.has_group(RecoveryCode::GROUPS - 1, typed))
    }
}

impl Signer {
    pub(super) fn show_codes(&mut self, talk: Talk) -> Vec<Out> {
        let Some(codes) = Codes::make() else { return talk.broken() };
        let show = talk.say(&ToPrompt::Show(Show::RecoveryCodes, codes.text().as_bytes()));
        self.wait_for_way(talk, ways::Step::CodesShown(codes));
        vec![show]
    }

    /// They are on paper: from now on these count, and no others.
    pub(super) fn take_codes(&mut self, talk: Talk, codes: &Codes) -> Vec<Out> {
        let Some(open) = self.open.as_mut() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        let Some(seed) = &open.totp_seed else { return talk.broken() };
        let marks = self.arena.expose(seed, |seed| codes.0.iter().map(|code| code.mark(seed)).collect());
        let Ok(marks) = marks else { return talk.broken() };
        let before = std::mem::replace(&mut open.ledger.codes, marks);
        let step = Step::Saving(Next::CodesPrinted { before });
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step });
        self.save_ledger(Some(talk.prompt))
    }

    /// Judges a code that is no one-time code. One that was right is gone from the ledger, which is saved before anything comes of it.
    pub(super) fn recovery_code(&mut self, code: &RecoveryCode, now: Moment) -> (Result<(), TotpRefusal>, Option<Out>) {
        let Some(open) = self.open.as_mut() else { return (Err(TotpRefusal::Form), None) };
        let mark = open.totp_seed.as_ref().and_then(|seed| self.arena.expose(seed, |seed| code.mark(seed)).ok());
        let at = mark.and_then(|mark| open.ledger.codes.iter().position(|known| known.ct_eq(&mark).into()));
        let (totp, verdict) = open.ledger.totp.attempt_recovery(now.wall_s(), || at.is_some());
        open.ledger.totp = totp;
        let used = at.filter(|_| verdict.is_ok()).map(|at| {
            open.ledger.codes.remove(at);
            Out::Notice(Notice::RecoveryCodeUsed { left: open.codes_left() }, None)
        });
        (verdict, used)
    }
}
