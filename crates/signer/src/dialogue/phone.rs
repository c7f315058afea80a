//! Another phone shows the one-time codes. Invariant: its seed counts only after a code of it was given, and the old one until that is on
//! disk; what was remembered of the old one, recovery codes among it, ends with it.

use strongroom_guard::TotpState;
use strongroom_signer_api::ActionEnd;
use strongroom_signer_api::prompt::{Show, ToPrompt};
use strongroom_vault::{Edit, RecordKind, SecretBox, SystemEntropy};

use super::{Dialogue, Next, Step, Talk, ways};
use crate::clock::Moment;
use crate::otp;
use crate::signer::{Out, Signer};

impl Signer {
    pub(super) fn show_phone(&mut self, talk: Talk) -> Vec<Out> {
        let Ok(seed) = otp::make_seed() else { return talk.broken() };
        let Some(uri) = seed.expose(|seed| otp::uri(seed, "vault")) else { return talk.broken() };
        let show = talk.say(&ToPrompt::Show(Show::OtpUri, uri.as_bytes()));
        self.wait_for_way(talk, ways::Step::PhoneShown(seed));
        vec![show]
    }

    /// It shows codes of the new seed: from now on those count.
    pub(super) fn take_phone(&mut self, talk: Talk, seed: &SecretBox, code: &[u8], now: Moment) -> Vec<Out> {
        let judge = |step| seed.expose(|seed| otp::is_code_of(seed, code, step));
        let (totp, verdict) = TotpState::default().attempt(code, now.wall_s(), judge);
        if let Err(refusal) = verdict {
            return talk.fail(&format!("{refusal}; the old phone's codes go on counting"), refusal.advice(), false);
        }
        let Some(open) = &self.open else { return talk.broken() };
        let Some(id) = open.record(RecordKind::TotpSeed) else { return talk.broken() };
        let changed = seed.expose(|seed| {
            let edit = Edit::Put { id, kind: RecordKind::TotpSeed, plaintext: seed };
            open.vault.change(&[edit], now.wall, &mut SystemEntropy)
        });
        match changed {
            Ok(sealed) => self.save_vault(talk, sealed, Next::PhoneChanged(totp)),
            Err(error) => talk.fail(&error.to_string(), error.advice(), false),
        }
    }

    /// The vault with the new seed is on disk. Should the counters not follow, nothing is lost: no code of the old phone fits the new seed,
    /// and the step that was used last is not older than its own.
    pub(super) fn forget_old_phone(&mut self, talk: Talk, totp: TotpState) -> Vec<Out> {
        let Some(open) = self.open.as_mut() else { return talk.broken() };
        open.ledger.totp = totp;
        open.ledger.codes.clear();
        let step = Step::Saving(Next::End(ActionEnd::PhoneChanged));
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step });
        self.save_ledger(Some(talk.prompt))
    }
}
