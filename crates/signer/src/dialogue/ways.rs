//! Ways into the vault: passwords, the kit, further people, auditors, and new keys for everything.
//!
//! Invariant: a printed code counts only after a part of it was typed back, and an old factor only ends when the new one is on
//! disk.

use strongroom_model::{Advice, Role, SlotInfo};
use strongroom_signer_api::ActionEnd;
use strongroom_signer_api::prompt::{Field, Show, ToPrompt};
use strongroom_vault::{AuditorCode, ChangeError, Edit, Factors, KdfParams, Kit, RecordKind, SecretBox, SlotKind, SystemEntropy, Way};

use super::codes::Codes;
use super::counting::Tried;
use super::{Dialogue, KIT_GROUP, Next, PASSWORD_LEN_MIN, Talk};
use crate::arena::Shielded;
use crate::clock::Moment;
use crate::signer::{Out, Signer};

/// What is wanted.
pub(super) enum Wish {
    Password,
    Kit,
    Codes,
    Phone,
    Person(String, Vec<Role>),
    Roles(u16, Vec<Role>),
    Auditor(String),
    Remove(u16),
    Rekey,
}

/// What the prompt's next message must be.
pub(super) enum Step {
    /// The present password, to change it.
    Present,
    /// The new one of that slot.
    New(u16),
    /// A further person's.
    Person(String, Vec<Role>),
    /// The present password, to go on with new keys.
    ToRekey,
    KitShown(Kit, Option<Owner>),
    KitGroup(Kit, Option<Owner>),
    CodeShown(AuditorCode, String),
    CodeGroup(AuditorCode, String),
    CodesShown(Codes),
    CodesGroup(Codes),
    /// With so many tries left.
    PhoneShown(SecretBox, u8),
    PhoneCode(SecretBox, u8),
}

/// Who re-keys: the one way that stays open.
pub(super) struct Owner {
    slot: u16,
    password: Shielded,
}

impl Signer {
    pub(super) fn way_granted(&mut self, talk: Talk, wish: Wish, now: Moment) -> Vec<Out> {
        match wish {
            Wish::Password => self.ask_way(talk, Step::Present, Field::Password, "Present password"),
            Wish::Rekey => self.ask_way(talk, Step::ToRekey, Field::Password, "Present password"),
            Wish::Person(label, roles) => {
                self.ask_way(talk, Step::Person(label, roles), Field::NewPassword, "Password of the further person")
            }
            Wish::Roles(slot, roles) => {
                let Some(open) = &self.open else { return talk.broken() };
                let Some((id, plaintext)) = open.profiles_with(slot, &roles) else { return talk.broken() };
                let edit = Edit::Put { id, kind: RecordKind::Profiles, plaintext: &plaintext };
                let changed = open.vault.change(&[edit], now.wall, &mut SystemEntropy);
                self.save_change(talk, changed, ActionEnd::RolesSet { slot, roles })
            }
            Wish::Kit => self.show_kit(talk, None),
            Wish::Codes => self.show_codes(talk),
            Wish::Phone => self.show_phone(talk),
            Wish::Auditor(label) => {
                let Ok(code) = AuditorCode::make(&mut SystemEntropy) else { return talk.broken() };
                let show = code.with_text(|text| talk.say(&ToPrompt::Show(Show::AuditorCode, text.as_bytes())));
                self.wait_for_way(talk, Step::CodeShown(code, label));
                vec![show]
            }
            Wish::Remove(slot) => {
                let Some(open) = &self.open else { return talk.broken() };
                // Its roles go with it: the number may be another person's one day.
                let profile = open.profiles.contains_key(&slot).then(|| open.profiles_with(slot, &[])).flatten();
                let mut edits = vec![Edit::RemoveSlot { slot }];
                edits.extend(profile.as_ref().map(|(id, plaintext)| Edit::Put { id: *id, kind: RecordKind::Profiles, plaintext }));
                let changed = open.vault.change(&edits, now.wall, &mut SystemEntropy);
                self.save_change(talk, changed, ActionEnd::SlotRemoved { slot })
            }
        }
    }

    pub(super) fn way_shown(&mut self, talk: Talk, step: Step) -> Vec<Out> {
        let words = format!("Type group {} of it, the last one", KIT_GROUP + 1);
        match step {
            Step::KitShown(kit, owner) => self.ask_way(talk, Step::KitGroup(kit, owner), Field::KitGroup, &words),
            Step::CodeShown(code, label) => self.ask_way(talk, Step::CodeGroup(code, label), Field::KitGroup, &words),
            Step::CodesShown(codes) => self.ask_way(talk, Step::CodesGroup(codes), Field::KitGroup, &Codes::words()),
            Step::PhoneShown(seed, tries) => {
                self.ask_way(talk, Step::PhoneCode(seed, tries), Field::Totp, "Code that the new phone shows now")
            }
            _ => talk.fail("the prompt said something out of order", Advice::Bug, false),
        }
    }

    pub(super) fn way_answered(&mut self, talk: Talk, step: Step, answer: &[u8], now: Moment) -> Vec<Out> {
        let not_typed_back = "that is not its last group; nothing was changed. Start again and write it down";
        match step {
            Step::Present => match self.owner_of(talk, answer, now) {
                Ok(slot) => self.ask_way(talk, Step::New(slot), Field::NewPassword, "New password"),
                Err(failed) => failed,
            },
            Step::ToRekey => match self.owner_of(talk, answer, now) {
                Ok(slot) if !self.open.as_ref().is_some_and(|open| open.roles_of(slot).contains(&Role::KeyAdmin)) => {
                    talk.fail("the one way that stays open must be a key-admin's; nothing was changed", Advice::Ask, false)
                }
                Ok(slot) => match self.arena.shield(answer) {
                    Ok(password) => self.show_kit(talk, Some(Owner { slot, password })),
                    Err(_) => talk.broken(),
                },
                Err(failed) => failed,
            },
            Step::New(_) | Step::Person(..) if answer.len() < PASSWORD_LEN_MIN => {
                talk.fail("a password has at least 10 bytes; nothing was changed", Advice::Ask, false)
            }
            Step::New(slot) => {
                let kdf = self.kdf_of(slot, &[]);
                let changed = self.with_person(answer, |factors, vault| {
                    let edit = Edit::ReplaceFactors { slot, factors, kdf, provider: b"" };
                    vault.change(&[edit], now.wall, &mut SystemEntropy)
                });
                self.save_way(talk, changed, ActionEnd::PasswordChanged { slot })
            }
            Step::Person(label, roles) => {
                let kdf = self.kdf_of(0, &[]);
                let changed = self.with_person(answer, |factors, _| {
                    self.added(Edit::AddSlot { factors, label: &label, kdf, provider: b"" }, &roles, now)
                });
                self.save_added(talk, changed.flatten(), &roles)
            }
            Step::KitGroup(kit, _) if !kit.has_group(KIT_GROUP, answer) => talk.fail(not_typed_back, Advice::Ask, false),
            Step::KitGroup(kit, None) => {
                let Some(open) = &self.open else { return talk.broken() };
                let (slot, kdf) = (self.kit_slot(), open.vault.kdf());
                let edit = Edit::ReplaceFactors { slot, factors: Factors::Kit(&kit), kdf, provider: b"" };
                let changed = open.vault.change(&[edit], now.wall, &mut SystemEntropy);
                self.save_change(talk, changed, ActionEnd::KitReplaced)
            }
            Step::KitGroup(kit, Some(owner)) => self.rekey(talk, &kit, &owner, now),
            Step::CodeGroup(code, _) if !code.has_group(KIT_GROUP, answer) => talk.fail(not_typed_back, Advice::Ask, false),
            Step::CodeGroup(code, label) => {
                let Some(open) = &self.open else { return talk.broken() };
                let edit = Edit::AddSlot { factors: Factors::Auditor(&code), label: &label, kdf: KdfParams::FLOOR, provider: b"" };
                let changed = open.vault.change(&[edit], now.wall, &mut SystemEntropy);
                self.save_added(talk, Some(changed), &[])
            }
            Step::CodesGroup(codes) if !codes.has_last_group(answer) => talk.fail(not_typed_back, Advice::Ask, false),
            Step::CodesGroup(codes) => self.take_codes(talk, &codes),
            Step::PhoneCode(seed, tries) => self.take_phone(talk, seed, tries, answer, now),
            Step::KitShown(..) | Step::CodeShown(..) | Step::CodesShown(..) | Step::PhoneShown(..) => {
                talk.fail("the prompt said something out of order", Advice::Bug, false)
            }
        }
    }

    fn show_kit(&mut self, talk: Talk, owner: Option<Owner>) -> Vec<Out> {
        let Ok(kit) = Kit::make(&mut SystemEntropy) else { return talk.broken() };
        let show = kit.with_text(|text| talk.say(&ToPrompt::Show(Show::Kit, text.as_bytes())));
        self.wait_for_way(talk, Step::KitShown(kit, owner));
        vec![show]
    }

    /// Everything sealed anew; the counters follow, since their key is another one, too.
    fn rekey(&mut self, talk: Talk, kit: &Kit, owner: &Owner, now: Moment) -> Vec<Out> {
        let Some(open) = &self.open else { return talk.broken() };
        let heads = open.vault.slots();
        let label = heads.iter().find(|head| head.id == owner.slot).map(|head| head.label.clone()).unwrap_or_default();
        let kit_slot = self.kit_slot();
        let closed = heads.iter().map(|head| head.id).filter(|id| *id != owner.slot && *id != kit_slot).collect();
        let kdf = self.kdf_of(owner.slot, &[]);
        let changed = self.arena.expose(&owner.password, |password| {
            self.with_person(password, |factors, vault| {
                let ways = [
                    Way { slot: owner.slot, factors, label: &label, kdf, provider: b"" },
                    Way { slot: kit_slot, factors: Factors::Kit(kit), label: "", kdf, provider: b"" },
                ];
                vault.rekey(&ways, Some(vault.next_record_id()), now.wall, &mut SystemEntropy)
            })
        });
        match changed {
            Ok(Some(Ok(sealed))) => self.save_vault(talk, sealed, Next::Rekeyed { closed }),
            Ok(Some(Err(error))) => talk.fail(&error.to_string(), error.advice(), false),
            _ => talk.broken(),
        }
    }

    pub(super) fn forget_old_state(&mut self, talk: Talk, closed: Vec<u16>, now: Moment) -> Vec<Out> {
        let Some(open) = &self.open else { return talk.broken() };
        let Some(old) = open.vault.records().find(|head| head.kind == RecordKind::OldStateKey) else { return talk.broken() };
        let changed = open.vault.change(&[Edit::Remove { id: old.id }], now.wall, &mut SystemEntropy);
        self.save_change(talk, changed, ActionEnd::Rekeyed { closed })
    }

    /// A vault always has one; the second from its birth on.
    fn kit_slot(&self) -> u16 {
        let heads = self.open.iter().flat_map(|open| open.vault.slots());
        heads.filter(|head| head.kind == Some(SlotKind::RecoveryKit)).map(|head| head.id).next().unwrap_or(2)
    }

    /// A new slot of a person, with what that person may do; nothing: that could not be said.
    pub(super) fn added(&self, slot: Edit<'_>, roles: &[Role], now: Moment) -> Option<Result<strongroom_vault::Sealed, ChangeError>> {
        let open = self.open.as_ref()?;
        let next = open.vault.next_slot_id()?;
        if roles.is_empty() && !open.profiles.contains_key(&next) {
            return Some(open.vault.change(&[slot], now.wall, &mut SystemEntropy));
        }
        let (id, plaintext) = open.profiles_with(next, roles)?;
        Some(open.vault.change(&[slot, Edit::Put { id, kind: RecordKind::Profiles, plaintext: &plaintext }], now.wall, &mut SystemEntropy))
    }

    /// `roles`: of a person, where they were named.
    pub(super) fn save_added(
        &mut self,
        talk: Talk,
        changed: Option<Result<strongroom_vault::Sealed, ChangeError>>,
        roles: &[Role],
    ) -> Vec<Out> {
        let added = match (&changed, &self.open) {
            (Some(Ok(sealed)), Some(open)) => sealed.slots().into_iter().next_back().map(|head| {
                let head_kind = head.kind;
                let known = open.slot_info(head, None);
                let is_person = matches!(head_kind, Some(SlotKind::PasswordDevice | SlotKind::Hsm));
                let named = if roles.is_empty() { Role::ALL.to_vec() } else { roles.to_vec() };
                SlotInfo { roles: if is_person { named } else { known.roles }, ..known }
            }),
            _ => None,
        };
        let Some(added) = added else {
            return match changed {
                Some(Err(error)) => talk.fail(&error.to_string(), error.advice(), false),
                _ => talk.broken(),
            };
        };
        self.save_way(talk, changed, ActionEnd::SlotAdded(added))
    }

    fn save_way(&mut self, talk: Talk, changed: Option<Result<strongroom_vault::Sealed, ChangeError>>, end: ActionEnd) -> Vec<Out> {
        match changed {
            Some(changed) => self.save_change(talk, changed, end),
            None => talk.broken(),
        }
    }

    /// Whose password it is; a wrong one counts.
    fn owner_of(&mut self, talk: Talk, password: &[u8], now: Moment) -> Result<u16, Vec<Out>> {
        let checked = self.with_person(password, |factors, vault| match factors {
            Factors::Password { password, device } => vault.check_password(password, device),
            _ => Err(strongroom_vault::OpenError::WrongFactors),
        });
        match checked {
            Some(Ok(slot)) => Ok(slot),
            Some(Err(error)) => Err(self.wrong_factor(talk, Tried::Password, &error, now)),
            None => Err(talk.broken()),
        }
    }

    /// Lends the factors of a person at this computer, with the open vault.
    fn with_person<R>(&self, password: &[u8], f: impl FnOnce(Factors<'_>, &strongroom_vault::Vault) -> R) -> Option<R> {
        let open = self.open.as_ref()?;
        let device = self.secret(open.device.as_ref()?)?;
        Some(f(Factors::Password { password, device: &device }, &open.vault))
    }

    fn ask_way(&mut self, talk: Talk, step: Step, field: Field, words: &str) -> Vec<Out> {
        let takes = match &step {
            Step::Present | Step::ToRekey => self.takes_password(talk, &[]),
            Step::New(slot) => self.takes(talk, &[self.kdf_of(*slot, &[])]),
            Step::Person(..) => self.takes(talk, &[self.kdf_of(0, &[])]),
            Step::KitGroup(_, Some(owner)) => self.takes(talk, &[self.kdf_of(owner.slot, &[])]),
            _ => None,
        };
        takes.into_iter().chain(self.ask(talk, super::Step::Way(step), field, words)).collect()
    }

    pub(super) fn wait_for_way(&mut self, talk: Talk, step: Step) {
        self.dialogues.push(Dialogue { prompt: talk.prompt, ticket: talk.ticket, step: super::Step::Way(step) });
    }
}
