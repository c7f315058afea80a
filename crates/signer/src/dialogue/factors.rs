//! What a person proves, and what it opens: a vault is made, unlocked or recovered, and codes are judged.
//!
//! Invariant: a session opens only after the ledger that remembers the proof is on disk.

use strongroom_guard::{Freezes, KdfFloor, Policy, STEP_S, TotpRefusal, TotpState};
use strongroom_model::Advice;
use strongroom_signer_api::prompt::Field;
use strongroom_signer_api::{ActionEnd, KitOpening, Notice, Sealed};
use strongroom_vault::{
    Edit, Factors, KdfParams, Kit, KitError, NewVault, OpenError, RecordKind, RecoveryCode, SecretBox, SlotKind, SystemEntropy, Vault,
};
use zeroize::Zeroizing;

use super::counting::Tried;
use super::{Birth, Dialogue, Grant, Next, PASSWORD_LEN_MIN, PASSWORD_WAIT_MS_MAX, Step, Talk};
use crate::arena::Shielded;
use crate::clock::Moment;
use crate::keys::{LOG_KEY_LEN, LoadError, Open};
use crate::otp;
use crate::signer::{After, Out, Saving, Signer};

impl Signer {
    pub(super) fn create(
        &mut self,
        talk: Talk,
        birth: &Birth,
        password: &Shielded,
        kit: &Kit,
        seed: &SecretBox,
        code: &[u8],
        now: Moment,
    ) -> Vec<Out> {
        let state = TotpState::default();
        let (totp, verdict) = state.attempt(code, now.wall_s(), |step| seed.expose(|seed| otp::is_code_of(seed, code, step)));
        if let Err(refusal) = verdict {
            return talk.fail(&format!("{refusal}; nothing was created"), refusal.advice(), false);
        }
        let mut log_key = SecretBox::zeroed(LOG_KEY_LEN);
        if log_key.expose_mut(getrandom::fill).is_err() {
            return talk.broken();
        }
        let Ok(policy) = serde_json::to_vec(&Policy::initial()) else { return talk.broken() };
        let spec = NewVault { vault_id: birth.vault_id, kdf: birth.kdf, at: now.wall };
        let Some(device) = self.secret(&birth.device) else { return talk.broken() };
        let mut vault = match self.arena.expose(password, |password| Vault::create(spec, password, &device, kit, &mut SystemEntropy)) {
            Ok(Ok(vault)) => vault,
            Ok(Err(error)) => return talk.fail(&error.to_string(), error.advice(), false),
            Err(_) => return talk.broken(),
        };
        let first = vault.next_record_id();
        let sealed = seed.expose(|seed| {
            log_key.expose(|log_key| {
                let edits = [
                    Edit::Put { id: first, kind: RecordKind::Policy, plaintext: &policy },
                    Edit::Put { id: first + 1, kind: RecordKind::TotpSeed, plaintext: seed },
                    Edit::Put { id: first + 2, kind: RecordKind::AuditSigningKey, plaintext: log_key },
                ];
                vault.change(&edits, now.wall, &mut SystemEntropy)
            })
        });
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(error) => return talk.fail(&error.to_string(), error.advice(), false),
        };
        let (generation, mac, bytes) = (sealed.generation(), sealed.mac().to_vec(), sealed.bytes().to_vec());
        if vault.commit(sealed).is_err() {
            return talk.broken();
        }
        let Ok(mut open) = Open::load(vault, Some(&device), None, now, &mut self.arena) else { return talk.broken() };
        if open.settle(self.offered.as_ref().ok().and_then(Option::as_ref)).is_err() {
            return talk.broken();
        }
        open.ledger.totp = totp;
        let end = ActionEnd::VaultCreated { log_key: open.log_public.to_vec(), read_key: open.read_public.to_vec() };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(Next::OpenSession { end }) });
        self.saving.push(Saving { what: Sealed::Vault, generation, then: After::FirstVault { open: Box::new(open), prompt: talk.prompt } });
        vec![Out::Notice(Notice::Save { what: Sealed::Vault, generation, mac, by_kit: None }, Some(bytes))]
    }

    pub(super) fn unlock(&mut self, talk: Talk, device: Option<Shielded>, files: &[Vec<u8>], password: &[u8], now: Moment) -> Vec<Out> {
        if let Some(open) = &self.open {
            let checked =
                open.device.as_ref().and_then(|device| self.secret(device)).map(|device| open.vault.check_password(password, &device));
            return match checked {
                Some(Ok(slot)) => {
                    self.session_by(slot);
                    self.let_in(talk, None)
                }
                Some(Err(error)) => self.wrong_factor(talk, Tried::Password, &error, now),
                None => talk.broken(),
            };
        }
        let (Some(device), Some(bytes)) = (device, files.first()) else {
            return talk.fail("there is no vault to unlock", Advice::Ask, false);
        };
        let Some(secret) = self.secret(&device) else { return talk.broken() };
        match Vault::open(bytes, Factors::Password { password, device: &secret }) {
            Ok(vault) => match self.load(vault, Some(&device), files.get(1).map(Vec::as_slice), now) {
                Ok(()) => {
                    let kdf = self.weaker_than_wanted();
                    let factors = Factors::Password { password, device: &secret };
                    let changed = kdf.and_then(|kdf| self.stretched(factors, kdf, b"", now));
                    self.let_in_as(talk, changed)
                }
                Err(error) => talk.fail(&error.to_string(), Advice::Ask, false),
            },
            Err(error) => self.wrong_factor(talk, Tried::Password, &error, now),
        }
    }

    pub(super) fn recover(
        &mut self,
        talk: Talk,
        opening: KitOpening,
        device: Shielded,
        files: &[Vec<u8>],
        typed: &[u8],
        now: Moment,
    ) -> Vec<Out> {
        let kit = match Kit::parse(typed) {
            Ok(kit) => kit,
            Err(error) => return talk.fail(&error.to_string(), error.advice(), true),
        };
        let Some(bytes) = files.first() else { return talk.fail("there is no vault to open", Advice::Ask, false) };
        match Vault::open(bytes, Factors::Kit(&kit)) {
            Ok(vault) => {
                let first = vault.slots().into_iter().find(|slot| slot.kind == Some(SlotKind::PasswordDevice));
                let takes = self.takes(talk, &[first.and_then(|slot| slot.kdf).unwrap_or_else(|| vault.kdf())]);
                let step = Step::RecoverPassword { opening, device, vault: Box::new(vault), state: files.get(1).cloned() };
                let asked = self.ask(talk, step, Field::NewPassword, "New password for the vault");
                takes.into_iter().chain(asked).collect()
            }
            Err(error) => self.wrong_factor(talk, Tried::Kit, &error, now),
        }
    }

    pub(super) fn recovered(
        &mut self,
        talk: Talk,
        opening: KitOpening,
        device: &Shielded,
        vault: Vault,
        state: Option<&[u8]>,
        password: &[u8],
        now: Moment,
    ) -> Vec<Out> {
        if password.len() < PASSWORD_LEN_MIN {
            return talk.fail("a password has at least 10 bytes; nothing was changed", Advice::Ask, false);
        }
        let Some(secret) = self.secret(device) else { return talk.broken() };
        let factors = Factors::Password { password, device: &secret };
        // The first person's way in, whose password or device is lost; others keep theirs.
        let first = vault.slots().into_iter().find(|slot| slot.kind == Some(SlotKind::PasswordDevice));
        let kdf = first.as_ref().and_then(|slot| slot.kdf).unwrap_or_else(|| vault.kdf());
        let edit = match first {
            Some(slot) => Edit::ReplaceFactors { slot: slot.id, factors, kdf, provider: b"" },
            None => Edit::AddSlot { factors, label: "", kdf, provider: b"" },
        };
        let sealed = match vault.change(&[edit], now.wall, &mut SystemEntropy) {
            Ok(sealed) => sealed,
            Err(error) => return talk.fail(&error.to_string(), error.advice(), false),
        };
        match self.load(vault, Some(device), state, now) {
            Ok(()) => {
                if let (Some(open), Some(saves)) = (self.open.as_mut(), opening.state_lost) {
                    let floor = self.marks.floor(open.vault.id());
                    open.lose_ledger(saves.max(floor), last_step_by(now), now);
                }
                self.save_vault(talk, sealed, Next::LetIn(Some(opening)))
            }
            Err(error) => talk.fail(&error.to_string(), Advice::Ask, false),
        }
    }

    /// A machine whose TPM opened the vault brings no device secret.
    pub(super) fn load(&mut self, vault: Vault, device: Option<&Shielded>, state: Option<&[u8]>, now: Moment) -> Result<(), LoadError> {
        let device = device.map(|device| self.secret(device).ok_or(crate::arena::Unshieldable)).transpose()?;
        let mut open = Open::load(vault, device.as_deref(), state, now, &mut self.arena)?;
        let floor = self.marks.floor(open.vault.id());
        if state.is_none() {
            // The state file is gone: what it remembered is taken for the worst.
            open.lose_ledger(floor, last_step_by(now), now);
        } else if open.ledger_generation < floor {
            return Err(LoadError::OldState);
        } else {
            self.freezes.merge(&open.ledger.freezes);
        }
        open.settle(self.offered.as_ref().ok().and_then(Option::as_ref))?;
        self.open = Some(open);
        Ok(())
    }

    /// How the password that opened the vault is to be stretched, if it is easier to try than the policy asks for.
    pub(super) fn weaker_than_wanted(&self) -> Option<KdfParams> {
        let open = self.open.as_ref()?;
        let has = open.vault.opened_by()?.kdf?;
        let wanted = raised(has, open.policy.kdf_floor);
        (wanted != has).then_some(wanted)
    }

    /// The same factors under another derivation. Nothing, where there is not enough memory for it today: better an old
    /// stretching than a locked out person.
    pub(super) fn stretched(&self, factors: Factors<'_>, kdf: KdfParams, provider: &[u8], now: Moment) -> Option<strongroom_vault::Sealed> {
        let open = self.open.as_ref()?;
        let edit = Edit::ReplaceFactors { slot: open.vault.opened_by()?.id, factors, kdf, provider };
        open.vault.change(&[edit], now.wall, &mut SystemEntropy).ok()
    }

    /// Lets in, after what was changed on the way is saved.
    pub(super) fn let_in_as(&mut self, talk: Talk, changed: Option<strongroom_vault::Sealed>) -> Vec<Out> {
        match changed {
            Some(sealed) => self.save_vault(talk, sealed, Next::LetIn(None)),
            None => self.let_in(talk, None),
        }
    }

    /// Whoever opens the session of an open vault has the roles of that slot.
    pub(super) fn session_by(&mut self, slot: u16) {
        if let Some(open) = self.open.as_mut() {
            open.slot = Some(slot);
        }
    }

    /// The factors were right: saves the ledger, then opens the session.
    pub(super) fn let_in(&mut self, talk: Talk, by_kit: Option<KitOpening>) -> Vec<Out> {
        self.patience = Default::default();
        let Some(open) = self.open.as_mut() else { return talk.broken() };
        if !open.is_of_service() {
            open.ledger.totp = open.ledger.totp.after_password();
        }
        self.freezes.merge(&open.ledger.freezes);
        let frozen: Vec<Out> = self.freezes.iter().map(|freeze| Out::Notice(Notice::Frozen(freeze.clone()), None)).collect();
        open.ledger.freezes.clone_from(&self.freezes);
        open.reserve_first();
        let (log_key, read_key) = (open.log_public.to_vec(), open.read_public.to_vec());
        let end = ActionEnd::Unlocked { signatures: open.count.made(), by_kit, by: open.opened_by(), log_key, read_key };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(Next::OpenSession { end }) });
        frozen.into_iter().chain(self.save_ledger(Some(talk.prompt))).collect()
    }

    pub(super) fn wrong_factor(&mut self, talk: Talk, tried: Tried, error: &OpenError, now: Moment) -> Vec<Out> {
        let wrong = matches!(error, OpenError::WrongFactors);
        if wrong {
            self.count_wrong(tried, now);
        }
        talk.fail(&error.to_string(), error.advice(), wrong)
    }

    pub(super) fn count_wrong(&mut self, tried: Tried, now: Moment) {
        let patience = &mut self.patience[tried as usize];
        patience.failures = patience.failures.saturating_add(1);
        let wait_ms = (1_000_u64 << (patience.failures - 1).min(16)).min(PASSWORD_WAIT_MS_MAX);
        patience.not_before_ms = now.mono_ms + wait_ms;
    }

    pub(super) fn code(&mut self, talk: Talk, grant: Grant, code: &[u8], now: Moment) -> Vec<Out> {
        if let Err(why) = self.still_may(talk.prompt, now) {
            return talk.fail(&why, Advice::Ask, false);
        }
        let Some(open) = self.open.as_mut() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        let code = code.strip_suffix(b"\n").unwrap_or(code);
        let arena = &self.arena;
        let Some(seed) = &open.totp_seed else {
            return talk.fail("a machine opened the vault; codes are for persons", Advice::Refuse, false);
        };
        let matches = |step| arena.expose(seed, |seed| otp::is_code_of(seed, code, step)).unwrap_or(false);
        let (verdict, used) = match RecoveryCode::parse(code) {
            Ok(recovery) => self.recovery_code(&recovery, now),
            // Mistyped: nothing was tried, and nothing is counted.
            Err(error @ KitError::Checksum) => return talk.fail(&error.to_string(), error.advice(), false),
            Err(KitError::Shape(..)) => {
                let (totp, verdict) = open.ledger.totp.attempt(code, now.wall_s(), matches);
                open.ledger.totp = totp;
                (verdict, None)
            }
        };
        let mut out: Vec<Out> = used.into_iter().collect();
        let next = match verdict {
            Ok(()) => {
                if let (Grant::Rearm, Some(open)) = (&grant, self.open.as_mut()) {
                    open.ledger.freezes = Freezes::default();
                }
                Next::Grant(grant)
            }
            Err(refusal) => {
                out.extend(self.after_wrong_code(refusal, talk.by));
                Next::Refuse(refusal.to_string(), refusal.advice())
            }
        };
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: Step::Saving(next) });
        out.extend(self.save_ledger(Some(talk.prompt)));
        out
    }

    /// So many wrong ones lock every session: only the password helps from there on. A clock that went back is told to whoever keeps the log.
    fn after_wrong_code(&mut self, refusal: TotpRefusal, by: Option<u16>) -> Option<Out> {
        let open = self.open.as_mut()?;
        match refusal {
            TotpRefusal::ClockBack { back_s } => Some(Out::Notice(Notice::ClockBack { back_s }, None)),
            TotpRefusal::Wrong { .. } if open.ledger.totp.is_locked_out() => {
                open.sessions.end_all();
                Some(Out::Notice(Notice::LockedOut { by }, None))
            }
            _ => None,
        }
    }

    /// A secret of 32 bytes (the device's, a share, a TPM's) for one use; wiped after it.
    pub(super) fn secret(&self, shielded: &Shielded) -> Option<Zeroizing<[u8; 32]>> {
        self.arena.expose(shielded, |bytes| <[u8; 32]>::try_from(bytes).ok().map(Zeroizing::new)).ok().flatten()
    }
}

/// The last step of which a code could have been used by now.
fn last_step_by(now: Moment) -> u64 {
    now.wall_s() / STEP_S + 1
}

/// No easier to try than `floor` asks for.
pub(super) fn raised(has: KdfParams, floor: Option<KdfFloor>) -> KdfParams {
    floor.map_or(has, |floor| KdfParams {
        memory_kib: has.memory_kib.max(floor.memory_mib.saturating_mul(1_024)),
        passes: has.passes.max(floor.passes),
        ..has
    })
}
