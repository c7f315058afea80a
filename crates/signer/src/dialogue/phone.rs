//! Another phone shows the one-time codes. Invariant: its seed counts only after a code of it was given, whose step is used up on disk first;
//! the old one counts until the new one is on disk, and what was remembered of it, recovery codes among it, ends with it.

use strongroom_guard::TotpState;
use strongroom_signer_api::ActionEnd;
use strongroom_signer_api::prompt::{Show, ToPrompt};
use strongroom_vault::{Edit, RecordKind, SecretBox, SystemEntropy};

use super::{Dialogue, Next, Step, Talk, ways};
use crate::clock::Moment;
use crate::otp;
use crate::signer::{Out, Signer};

/// So many codes may be mistyped: what let the person in, a recovery code perhaps, is used already.
const TRIES: u8 = 3;

impl Signer {
    pub(super) fn show_phone(&mut self, talk: Talk) -> Vec<Out> {
        match otp::make_seed() {
            Ok(seed) => self.show_seed(talk, seed, TRIES),
            Err(_) => talk.broken(),
        }
    }

    fn show_seed(&mut self, talk: Talk, seed: SecretBox, tries: u8) -> Vec<Out> {
        let Some(uri) = seed.expose(|seed| otp::uri(seed, "vault")) else { return talk.broken() };
        let show = talk.say(&ToPrompt::Show(Show::OtpUri, uri.as_bytes()));
        self.wait_for_way(talk, ways::Step::PhoneShown(seed, tries));
        vec![show]
    }

    /// It shows codes of the new seed: those are to count.
    pub(super) fn take_phone(&mut self, talk: Talk, seed: SecretBox, tries: u8, code: &[u8], now: Moment) -> Vec<Out> {
        let judge = |step| seed.expose(|seed| otp::is_code_of(seed, code, step));
        let (shown, verdict) = TotpState::default().attempt(code, now.wall_s(), judge);
        match verdict {
            Err(_) if tries > 1 => self.show_seed(talk, seed, tries - 1),
            Err(refusal) => talk.fail(&format!("{refusal}; the old phone's codes go on counting"), refusal.advice(), false),
            Ok(()) => {
                let Some(open) = self.open.as_mut() else { return talk.broken() };
                open.ledger.totp.last_step = open.ledger.totp.last_step.max(shown.last_step);
                self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(Next::PhoneProved(seed)) });
                self.save_ledger(Some(talk.prompt))
            }
        }
    }

    pub(super) fn keep_phone(&mut self, talk: Talk, seed: &SecretBox, now: Moment) -> Vec<Out> {
        let Some(open) = &self.open else { return talk.broken() };
        let Some(id) = open.record(RecordKind::TotpSeed) else { return talk.broken() };
        let changed = seed.expose(|seed| {
            let edit = Edit::Put { id, kind: RecordKind::TotpSeed, plaintext: seed };
            open.vault.change(&[edit], now.wall, &mut SystemEntropy)
        });
        match changed {
            Ok(sealed) => self.save_vault(talk, sealed, Next::PhoneChanged),
            Err(error) => talk.fail(&error.to_string(), error.advice(), false),
        }
    }

    /// The vault with the new seed is on disk. Recovery codes compare with nothing any more; should that they are gone not reach the disk,
    /// they are counted as left, and no more.
    pub(super) fn forget_old_phone(&mut self, talk: Talk) -> Vec<Out> {
        let Some(open) = self.open.as_mut() else { return talk.broken() };
        open.ledger.codes.clear();
        let step = Step::Saving(Next::End(ActionEnd::PhoneChanged));
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step });
        self.save_ledger(Some(talk.prompt))
    }
}
