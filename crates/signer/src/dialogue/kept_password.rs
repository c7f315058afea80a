//! Another password for a slot whose share somebody keeps. Invariant: the present password and the share are proven on the slot
//! itself before the next password is asked for, and the share stays what it was.

use strongroom_model::Advice;
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::provider::{Failure, SHARE_LEN};
use strongroom_signer_api::{ActionEnd, Keeping};
use strongroom_vault::{Edit, Factors, SlotKind, SystemEntropy, Vault};

use super::Talk;
use super::counting::Tried;
use super::keepers::{Brought, NOT_CHANGED, Purpose, SEALED_MEANWHILE, Step, in_words, keeper_of};
use crate::arena::Shielded;
use crate::clock::Moment;
use crate::signer::{Out, Signer};

/// Whose password may be changed.
pub(super) struct Proven {
    slot: u16,
    keeping: Keeping,
    share: Shielded,
}

impl Signer {
    /// The slot that opened the vault, if it has a password and somebody keeps its share.
    pub(super) fn opened_by_kept(&self) -> Option<u16> {
        self.open.as_ref()?.vault.opened_by().filter(|head| head.kind == Some(SlotKind::Hsm)).map(|head| head.id)
    }

    /// The code was right: a slot is to have another password.
    pub(super) fn kept_password_granted(&mut self, talk: Talk, slot: u16) -> Vec<Out> {
        let head = self.slots_at_hand(&[]).into_iter().find(|head| head.id == slot && head.kind == Some(SlotKind::Hsm));
        let keeping = head.and_then(|head| Keeping::decode(&head.provider)).filter(Keeping::is_complete);
        let Some(keeping) = keeping else { return talk.fail(&in_words(Failure::Account, NOT_CHANGED), Advice::Ask, false) };
        self.ask_keeper(talk, Step::Password(Purpose::Change(slot), keeping), Field::Password, "Present password")
    }

    /// Asks for the next password, if what was brought is the slot's.
    pub(super) fn prove_kept(
        &mut self,
        talk: Talk,
        slot: u16,
        keeping: Keeping,
        brought: &Brought,
        share: &[u8; SHARE_LEN],
        now: Moment,
    ) -> Vec<Out> {
        let Some(open) = &self.open else { return talk.fail(SEALED_MEANWHILE, Advice::Ask, false) };
        let image = open.vault.first_image();
        let proven = self
            .with_factors(brought, open.device.as_ref(), share, |factors| Vault::open_slot(image.bytes(), Some(slot), factors).map(drop));
        match proven {
            Some(Ok(())) => {}
            Some(Err(error)) => return self.wrong_factor(talk, Tried::Password, &error, now),
            None => return talk.broken(),
        }
        let Ok(share) = self.arena.shield(share) else { return talk.broken() };
        let takes = self.takes(talk, &[self.kdf_of(slot, &[])]);
        let asked = self.ask_keeper(talk, Step::OtherPassword(Proven { slot, keeping, share }), Field::NewPassword, "New password");
        takes.into_iter().chain(asked).collect()
    }

    pub(super) fn change_kept(&mut self, talk: Talk, proven: &Proven, password: &[u8], now: Moment) -> Vec<Out> {
        let Proven { slot, keeping, share } = proven;
        let kdf = self.kdf_of(*slot, &[]);
        let Some(open) = &self.open else { return talk.fail(SEALED_MEANWHILE, Advice::Ask, false) };
        let device = open.device.as_ref().and_then(|device| self.secret(device));
        let (Some(device), Some(share)) = (device, self.secret(share)) else { return talk.broken() };
        let factors = Factors::Shared { password, device: &device, share: &share, keeper: keeper_of(&keeping.share) };
        let edit = Edit::ReplaceFactors { slot: *slot, factors, kdf, provider: &keeping.encode() };
        let changed = open.vault.change(&[edit], now.wall, &mut SystemEntropy);
        self.save_change(talk, changed, ActionEnd::PasswordChanged { slot: *slot })
    }
}
