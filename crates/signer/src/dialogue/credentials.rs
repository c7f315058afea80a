//! The keys of venues: taken in, made, edited, tried, replaced.
//!
//! Invariant: a key that came to replace another takes its place only after the venue accepted it, and the replaced one
//! leaves only after the venue refused it; both stand in the vault meanwhile, so that an interruption loses nothing.

use strongroom_model::{Advice, CredentialId, CredentialInfo, KeyDetails, KeyEdit, KeyRights, KeyStage, Origin, Scheme, Venue};
use strongroom_signer_api::{ActionEnd, Refusal, Sealed};
use strongroom_vault::{Edit, Reach, RecordKind, SecretBox, SystemEntropy};
use strongroom_venues::binance::scheme;
use subtle::ConstantTimeEq as _;

use super::words::is_label;
use super::{API_KEY_LEN_MAX, Generate, Import, LABEL_LEN_MAX, Talk};
use crate::clock::Moment;
use crate::credential::{self, Credential};
use crate::keys::Open;
use crate::signer::{Listener, Out, Signer};

impl Signer {
    pub(super) fn import(&mut self, talk: Talk, import: Import, api_key: String, pasted: &[u8], now: Moment) -> Vec<Out> {
        let Some(open) = self.open.as_ref() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        if open.names(import.venue, &api_key) {
            return talk.fail("this API key is in the vault already; nothing was stored", Advice::Refuse, false);
        }
        let scheme = scheme::recognise(pasted);
        let secret = match scheme::import_secret(scheme, pasted) {
            Ok(secret) => secret,
            Err(error) => return talk.fail(&format!("{error}; nothing was stored"), error.advice(), false),
        };
        if let Some(label) = self.holder_of(&secret) {
            let words = format!("this secret is in the vault already, with the key “{label}”; nothing was stored");
            return talk.fail(&words, Advice::Refuse, false);
        }
        let Import { label, venue, origin, source, old } = import;
        // The first key of a venue is used at once; one that replaces another after its test.
        let stage = match old {
            Some(_) => KeyStage::New,
            None if open.credential(None, venue).is_none() => KeyStage::Active,
            None => KeyStage::Spare,
        };
        let id = CredentialId(open.vault.next_record_id());
        let created = now.wall;
        let details = old.and_then(|old| open.credential(Some(old), venue)).map(|old| old.info.details.clone()).unwrap_or_default();
        let info =
            CredentialInfo { id, label, venue, scheme, api_key, created, stage, replaces: old, origin, source, granted: None, details };
        let end = if old.is_some() { ActionEnd::RotationBegun(info.clone()) } else { ActionEnd::Imported(info.clone()) };
        self.store_new(talk, &info, &secret, end, now)
    }

    pub(super) fn generate(&mut self, talk: Talk, wish: Generate, now: Moment) -> Vec<Out> {
        let Some(open) = self.open.as_ref() else { return talk.fail("the vault was sealed meanwhile", Advice::Ask, false) };
        let Generate { label, venue, scheme, replaces } = wish;
        let Ok(secret) = scheme::generate(scheme, getrandom::fill) else { return talk.broken() };
        let Ok(public_key) = scheme::public_pem(scheme, &secret) else { return talk.broken() };
        let details = replaces.and_then(|old| open.credential(Some(old), venue)).map(|old| old.info.details.clone()).unwrap_or_default();
        let info = CredentialInfo {
            id: CredentialId(open.vault.next_record_id()),
            label,
            venue,
            scheme,
            api_key: String::new(),
            created: now.wall,
            stage: KeyStage::New,
            replaces,
            origin: Origin::Generated,
            source: String::new(),
            granted: None,
            details,
        };
        self.store_new(talk, &info, &secret, ActionEnd::Generated { info: info.clone(), public_key }, now)
    }

    fn store_new(&mut self, talk: Talk, info: &CredentialInfo, secret: &[u8], end: ActionEnd, now: Moment) -> Vec<Out> {
        let (Some(open), Some(record)) = (self.open.as_ref(), credential::record(info, secret)) else { return talk.broken() };
        let changed = record.expose(|plaintext| {
            let edit = Edit::PutFor { reach: credential::reach(info), id: info.id.0, kind: RecordKind::Credential, plaintext };
            open.vault.change(&[edit], now.wall, &mut SystemEntropy)
        });
        self.save_change(talk, changed, end)
    }

    pub(super) fn edit_key(&mut self, talk: Talk, id: CredentialId, edit: KeyEdit, now: Moment) -> Vec<Out> {
        let Some(found) = self.open.as_ref().and_then(|open| open.credential(Some(id), Venue::Binance)) else {
            return talk.fail(&Refusal::Guard(strongroom_guard::Reason::NoKey).to_string(), Advice::Ask, false);
        };
        if let Err(why) = self.may_edit(&found.info, &edit) {
            return talk.fail(&format!("{why}; nothing was changed"), Advice::Ask, false);
        }
        let mut info = found.info.clone();
        let KeyEdit { label, api_key, details } = edit;
        info.label = label.unwrap_or(info.label);
        info.api_key = api_key.unwrap_or(info.api_key);
        info.details = details.unwrap_or(info.details);
        let (Some(open), Some(record)) = (self.open.as_ref(), self.rewritten(found, &info)) else { return talk.broken() };
        let changed = change(open, &[(id, Some(&record))], now);
        self.save_change(talk, changed, ActionEnd::Edited(info))
    }

    /// Why an edit is not made, if it is not.
    pub(super) fn may_edit(&self, info: &CredentialInfo, edit: &KeyEdit) -> Result<(), String> {
        if edit.label.as_ref().is_some_and(|label| !is_label(label)) {
            return Err(format!("a label has 1 to {LABEL_LEN_MAX} bytes without control characters"));
        }
        if let Some(name) = &edit.api_key {
            if info.origin != Origin::Generated || info.stage != KeyStage::New {
                return Err("only a generated key that was not tried yet is named".to_owned());
            }
            if !is_api_key(name.as_bytes()) {
                return Err(format!("an API key has 1 to {API_KEY_LEN_MAX} characters without blanks"));
            }
            if self.open.as_ref().is_some_and(|open| open.names(info.venue, name) && info.api_key != *name) {
                return Err("this API key is in the vault already".to_owned());
            }
        }
        if let Some(details) = &edit.details
            && details.account != info.details.account
            && let Some(freeze) = self.freezes.holds(info)
        {
            return Err(format!("the kill switch holds this key ({freeze}), so its account stays as it is; re-arm first"));
        }
        edit.details.as_ref().map_or(Ok(()), KeyDetails::validate).map_err(|error| error.to_string())
    }

    /// A new key was tried: it takes its place, or leaves. Answers the desk's request `request` when that is on disk.
    pub(crate) fn key_tested(
        &mut self,
        request: u64,
        id: CredentialId,
        granted: Option<KeyRights>,
        now: Moment,
    ) -> Result<Vec<Out>, Refusal> {
        let open = self.opened()?;
        let new = open.credential(Some(id), Venue::Binance).ok_or(Refusal::Guard(strongroom_guard::Reason::NoKey))?;
        if new.info.stage != KeyStage::New {
            return Err(Refusal::State("this key was tried before".to_owned()));
        }
        let broken = || Refusal::State("a key in memory cannot be used; seal and unlock".to_owned());
        let Some(granted) = granted else {
            if new.info.origin == Origin::Generated {
                // Its private half exists nowhere else; the person may have named it wrongly.
                return Err(Refusal::State("a generated key is not dropped; name it again, or delete it".to_owned()));
            }
            return self.change_for_desk(request, &[(id, None)], now);
        };
        let old = new.info.replaces.and_then(|old| open.credential(Some(old), new.info.venue));
        if let Some(freeze) = old.and_then(|old| self.freezes.holds(&old.info)) {
            return Err(Refusal::State(format!("the kill switch holds the key that it is to replace ({freeze}); re-arm first")));
        }
        let stage = match old {
            Some(old) => old.info.stage,
            None if open.credential(None, new.info.venue).is_none() => KeyStage::Active,
            None => KeyStage::Spare,
        };
        let info = CredentialInfo { stage, granted: Some(granted), ..new.info.clone() };
        let record = self.rewritten(new, &info).ok_or_else(broken)?;
        let Some(old) = old else { return self.change_for_desk(request, &[(id, Some(&record))], now) };
        let retiring = CredentialInfo { stage: KeyStage::Retiring, ..old.info.clone() };
        let old_record = self.rewritten(old, &retiring).ok_or_else(broken)?;
        let old = retiring.id;
        self.change_for_desk(request, &[(id, Some(&record)), (old, Some(&old_record))], now)
    }

    /// A replaced key is refused by its venue: it leaves.
    pub(crate) fn key_revoked(&mut self, request: u64, id: CredentialId, now: Moment) -> Result<Vec<Out>, Refusal> {
        let old = self.opened()?.credential(Some(id), Venue::Binance).ok_or(Refusal::Guard(strongroom_guard::Reason::NoKey))?;
        if old.info.stage != KeyStage::Retiring {
            return Err(Refusal::State("this key was not replaced; delete it with a code".to_owned()));
        }
        self.change_for_desk(request, &[(id, None)], now)
    }

    /// The public half of a key pair, as PEM.
    pub(crate) fn public_key(&self, id: CredentialId) -> Result<String, Refusal> {
        let found = self.opened()?.credential(Some(id), Venue::Binance).ok_or(Refusal::Guard(strongroom_guard::Reason::NoKey))?;
        let pem = self.arena.expose(&found.secret, |secret| scheme::public_pem(found.info.scheme, secret));
        pem.map_err(|error| Refusal::State(error.to_string()))?.map_err(|error| Refusal::State(error.to_string()))
    }

    fn change_for_desk(&mut self, request: u64, records: &[(CredentialId, Option<&SecretBox>)], now: Moment) -> Result<Vec<Out>, Refusal> {
        if self.is_saving(Sealed::Vault) {
            return Err(Refusal::Busy);
        }
        let sealed = change(self.opened()?, records, now).map_err(|error| Refusal::State(error.to_string()))?;
        Ok(self.hand_out(sealed, Listener::Desk(request), None))
    }

    /// The record of a credential with another public part.
    fn rewritten(&self, credential: &Credential, info: &CredentialInfo) -> Option<SecretBox> {
        self.arena.expose(&credential.secret, |secret| credential::record(info, secret)).ok().flatten()
    }

    /// Label of the credential that has this very secret.
    fn holder_of(&self, secret: &[u8]) -> Option<String> {
        let open = self.open.as_ref()?;
        let has = |known: &&Credential| self.arena.expose(&known.secret, |own| own.ct_eq(secret).into()).unwrap_or(false);
        open.credentials.iter().find(has).map(|known| known.info.label.clone())
    }
}

/// Records written again, or removed.
fn change(
    open: &Open,
    records: &[(CredentialId, Option<&SecretBox>)],
    now: Moment,
) -> Result<strongroom_vault::Sealed, strongroom_vault::ChangeError> {
    let written: Vec<&SecretBox> = records.iter().filter_map(|(_, record)| *record).collect();
    SecretBox::expose_all(&written, |plaintexts| {
        let mut plaintexts = plaintexts.iter();
        let edits: Vec<Edit<'_>> = records
            .iter()
            .map(|(id, record)| match record.and_then(|_| plaintexts.next()) {
                Some(plaintext) => {
                    let reach = credential::split(plaintext).map_or(Reach::default(), |(info, _)| credential::reach(&info));
                    Edit::PutFor { reach, id: id.0, kind: RecordKind::Credential, plaintext }
                }
                None => Edit::Remove { id: id.0 },
            })
            .collect();
        open.vault.change(&edits, now.wall, &mut SystemEntropy)
    })
}

pub(super) fn is_api_key(name: &[u8]) -> bool {
    (1..=API_KEY_LEN_MAX).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic)
}

/// Whether a key of that scheme can be made for the venue.
pub(super) const fn can_be_generated(venue: Venue, scheme: Scheme) -> bool {
    match venue {
        Venue::Binance => scheme::takes(scheme) && !matches!(scheme, Scheme::HmacSha256),
    }
}
