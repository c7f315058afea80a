//! An open vault in use. Invariant: what stands here is what is on disk; changes take effect when they are saved.

use std::collections::BTreeMap;

use ed25519_dalek::Signer as _;
use strongroom_guard::{InstrumentPolicy, Permission, Policy, Reason, Session, SessionEnd};
use strongroom_model::{CredentialId, KeyStage, Notional, PlaceOrder, Role, SlotInfo, Venue};
use strongroom_signer_api::channel::PACKET_LEN_MAX;
use strongroom_signer_api::{DoorId, Keeping, Refusal, Reply, SessionInfo};
use strongroom_vault::{Purpose, Reach, RecordHead, RecordKind, SecretBox, SlotHead, SlotKind, Vault};
use thiserror::Error;

use crate::arena::{Arena, Shielded, Unshieldable};
use crate::clock::Moment;
use crate::credential::{self, Credential};
use crate::ledger::{Count, Ledger, Rate, Reserved, Spending};
use crate::managed::{self, InForce, Verified};
use crate::sessions::Sessions;
use crate::signer::Signer;

/// Seed of the key that signs the log's heads.
pub(crate) const LOG_KEY_LEN: usize = 32;

/// Why an opened vault cannot be used.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("the vault opened, but {0}; restore a backup")]
    Record(&'static str),
    #[error(
        "its state file is older than the one that was saved last: what was signed and stopped since is not in it. Put the newer one back, or \
         open the vault with the recovery kit and without a state file"
    )]
    OldState,
    #[error(transparent)]
    Memory(#[from] Unshieldable),
    #[error("a record of the vault does not open: {0}")]
    Sealed(#[from] strongroom_vault::RecordError),
}

/// Everything that an unlocked signer works with.
pub(crate) struct Open {
    pub(crate) vault: Vault,
    pub(crate) device: Option<Shielded>,
    pub(crate) credentials: Vec<Credential>,
    /// The limits that hold: the sealed ones, under those of an organisation.
    pub(crate) policy: Policy,
    /// The sealed limits.
    pub(crate) own: Policy,
    pub(crate) managed: Option<InForce>,
    /// What the owners of slots may do; who is not named may do everything.
    pub(crate) profiles: BTreeMap<u16, Vec<Role>>,
    /// By which slot the latest unlocking was.
    pub(crate) slot: Option<u16>,
    /// Nothing: a machine opened the vault, and codes are for persons.
    pub(crate) totp_seed: Option<Shielded>,
    log_key: Shielded,
    pub(crate) log_public: [u8; 32],
    pub(crate) read_public: [u8; 32],
    state_key: SecretBox,
    pub(crate) ledger: Ledger,
    pub(crate) ledger_generation: u64,
    pub(crate) count: Count,
    pub(crate) spending: Spending,
    /// Signatures that there had been when the vault was opened: another number at each opening.
    pub(crate) opened_at: u64,
    /// New orders signed since the vault was opened.
    pub(crate) orders: u64,
    /// Orders and amendments signed since then, each with its number.
    pub(crate) numbered: u64,
    /// The same of all openings before, as far as the state file knows.
    pub(crate) numbered_before: u64,
    /// The same when a head of the log was signed last.
    pub(crate) numbered_in_head: u64,
    /// A signed head said that nothing more is numbered.
    pub(crate) closed: bool,
    /// Orders that a person confirmed with a code, each with the time until which that holds.
    pub(crate) confirmed: Vec<(PlaceOrder, u64)>,
    pub(crate) sessions: Sessions,
    pub(crate) rate: Rate,
}

impl Signer {
    /// As many as half a message holds, so that their frame is never too long; one at least.
    pub(crate) fn credentials(&self, from: u32) -> Result<Reply, Refusal> {
        let open = self.opened()?;
        let rest = open.credentials.get(usize::try_from(from).unwrap_or(usize::MAX)..).unwrap_or_default();
        let (mut keys, mut len) = (Vec::new(), 0);
        for credential in rest {
            // With its names, which its frame leaves out: it is never longer.
            len += minicbor_serde::to_vec(&credential.info).map_or(PACKET_LEN_MAX, |info| info.len());
            if len > PACKET_LEN_MAX / 2 && !keys.is_empty() {
                break;
            }
            keys.push(credential.info.clone());
        }
        let left = u32::try_from(rest.len() - keys.len()).unwrap_or(u32::MAX);
        Ok(Reply::Credentials { keys, left })
    }
}

impl Open {
    /// Takes an opened vault into use. `state` is the content of the state file, if there is one.
    pub(crate) fn load(
        vault: Vault,
        device: Option<&[u8; 32]>,
        state: Option<&[u8]>,
        now: Moment,
        arena: &mut Arena,
    ) -> Result<Self, LoadError> {
        let device = device.map(|device| arena.shield(device)).transpose()?;
        let mut credentials = Vec::new();
        let (mut policy, mut totp_seed, mut log_key, mut read_public) = (None, None, None, None);
        let mut profiles = Some(BTreeMap::new());
        let is_service = is_of_service(&vault);
        for head in within_reach(&vault) {
            match head.kind {
                RecordKind::Credential => {
                    let credential = vault.with_record(head.id, |record| credential::shield(record, arena))??;
                    credentials.push(credential.ok_or(LoadError::Record("a credential in it cannot be read"))?);
                }
                RecordKind::Policy => policy = vault.with_record(head.id, stored_policy)?,
                RecordKind::TotpSeed => totp_seed = Some(vault.with_record(head.id, |record| arena.shield(record))??),
                RecordKind::AuditSigningKey => log_key = Some(vault.with_record(head.id, |record| arena.shield(record))??),
                RecordKind::AuditReadPublic => read_public = vault.with_record(head.id, |record| <[u8; 32]>::try_from(record).ok())?,
                RecordKind::Profiles => profiles = vault.with_record(head.id, |record| serde_json::from_slice(record).ok())?,
                RecordKind::AuditReadKey
                | RecordKind::RecoveryCodes
                | RecordKind::OldStateKey
                | RecordKind::VirtualKey
                | RecordKind::CertificateKey => {}
            }
        }
        let policy = policy.filter(|policy| policy.validate().is_ok()).ok_or(LoadError::Record("its limits cannot be read"))?;
        let profiles = profiles.ok_or(LoadError::Record("what its owners may do cannot be read"))?;
        if totp_seed.is_none() && !is_service {
            return Err(LoadError::Record("the seed of the one-time codes is missing"));
        }
        let log_key = log_key.ok_or(LoadError::Record("the log's signing key is missing"))?;
        let log_public = arena
            .expose(&log_key, |seed| {
                seed.try_into().ok().map(|seed| ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes())
            })?
            .ok_or(LoadError::Record("the log's signing key cannot be read"))?;
        let read_public = if is_service {
            read_public.ok_or(LoadError::Record("the public half of the log's reading key is missing"))?
        } else {
            let made = vault.with_audit_read_key(strongroom_audit::read_secret_to_public)?;
            made.map_err(|_| LoadError::Record("the log's reading key cannot be read"))?
        };
        let state_key = vault.derive_key(Purpose::State)?;
        let (ledger_generation, mut ledger) = match state {
            None => (0, Ledger::default()),
            Some(bytes) => {
                let broken = LoadError::Record("its state file does not belong to it or is damaged");
                let Some((generation, plain)) = open_state(&vault, &state_key, bytes) else { return Err(broken) };
                let Ok(ledger) = plain.expose(|plain| serde_json::from_slice(plain)) else { return Err(broken) };
                (generation, ledger)
            }
        };
        let count = Count::resume(&ledger);
        let spending = Spending::resume(&ledger, &policy.thresholds, now.wall_s());
        let rate = Rate::resume(&ledger, now);
        let numbered_before = ledger.numbered;
        ledger.openings += 1;
        Ok(Self {
            slot: vault.opened_by().map(|slot| slot.id),
            profiles,
            vault,
            device,
            credentials,
            own: policy.clone(),
            policy,
            managed: None,
            totp_seed,
            log_key,
            log_public,
            read_public,
            state_key,
            ledger,
            ledger_generation,
            count,
            spending,
            opened_at: count.made(),
            orders: 0,
            numbered: 0,
            numbered_before,
            numbered_in_head: 0,
            closed: false,
            confirmed: Vec::new(),
            sessions: Sessions::default(),
            rate,
        })
    }

    /// There is no state file, and there was one: its generations go on, and what it remembered is taken for the worst.
    pub(crate) fn lose_ledger(&mut self, saves: u64, step: u64, now: Moment) {
        self.ledger = Ledger { managed: self.ledger.managed.take(), openings: 1, ..Ledger::lost(saves, step) };
        self.ledger_generation = saves;
        self.count = Count::resume(&self.ledger);
        self.opened_at = self.count.made();
        self.rate = Rate::resume(&self.ledger, now);
    }

    /// Takes an organisation's limits into use: those that are offered, or those that are remembered.
    pub(crate) fn settle(&mut self, offered: Option<&Verified>) -> Result<(), LoadError> {
        let settled = managed::settle(offered, self.ledger.managed.take());
        let unreadable = |_| LoadError::Record("the limits of an organisation that it remembers cannot be read");
        (self.ledger.managed, self.managed) = settled.map_err(unreadable)?;
        self.policy = self.in_force(&self.own);
        Ok(())
    }

    /// How limits would hold here.
    pub(crate) fn in_force(&self, own: &Policy) -> Policy {
        let own = self.completed(own);
        self.managed.as_ref().map_or_else(|| own.clone(), |managed| managed.tightens(&own))
    }

    /// Limits with what of the owner's list only the organisation keeps off it: nobody is shown it, so nobody can have meant to drop it.
    pub(crate) fn completed(&self, asked: &Policy) -> Policy {
        let mut completed = asked.clone();
        let is_kept_off = |own: &&InstrumentPolicy| self.policy.unlisted.iter().any(|off| off.symbol == own.symbol);
        let missing = self.own.instruments.iter().filter(is_kept_off).filter(|own| asked.instrument(&own.symbol).is_none());
        // In another currency than theirs they say nothing of what they are paid with; nothing of them is signed.
        let kept_off = Policy { instruments: missing.cloned().collect(), ..asked.clone() }.with_worths();
        completed.instruments.extend(kept_off.instruments);
        completed
    }

    /// Reads credentials and limits again from the vault, after a change was saved.
    pub(crate) fn reload(&mut self, arena: &mut Arena) -> Result<(), LoadError> {
        let mut credentials = Vec::new();
        for head in within_reach(&self.vault) {
            if head.kind == RecordKind::Credential {
                let credential = self.vault.with_record(head.id, |record| credential::shield(record, arena))??;
                credentials.push(credential.ok_or(LoadError::Record("a credential in it cannot be read"))?);
            } else if head.kind == RecordKind::Profiles {
                let profiles = self.vault.with_record(head.id, |record| serde_json::from_slice(record).ok())?;
                self.profiles = profiles.ok_or(LoadError::Record("what its owners may do cannot be read"))?;
            } else if head.kind == RecordKind::Policy {
                let policy = self.vault.with_record(head.id, stored_policy)?;
                self.own = policy.ok_or(LoadError::Record("its limits cannot be read"))?;
                self.policy = self.in_force(&self.own);
            } else if head.kind == RecordKind::TotpSeed {
                self.totp_seed = Some(self.vault.with_record(head.id, |record| arena.shield(record))??);
            }
        }
        self.credentials = credentials;
        let mut sessions = std::mem::take(&mut self.sessions);
        sessions.retain_roles(|slot| self.roles_of(slot));
        self.sessions = sessions;
        Ok(())
    }

    /// The ledger as it stands, as ciphertext, with its new generation.
    pub(crate) fn sealed_ledger(&mut self) -> Option<(u64, Vec<u8>)> {
        self.ledger.orders = self.rate.made();
        self.ledger.numbered = self.numbered_before + self.numbered;
        self.ledger.rate.clone_from(self.rate.kept());
        self.ledger.turnover.clone_from(&self.spending.turnover);
        self.ledger.turnovers.clone_from(&self.spending.turnovers);
        let plain = SecretBox::from_vec(serde_json::to_vec(&self.ledger).ok()?);
        let generation = self.ledger_generation.checked_add(1)?;
        self.ledger_generation = generation;
        let bytes = plain.expose(|plain| {
            strongroom_vault::seal_state(&self.state_key, self.vault.id(), generation, plain, &mut strongroom_vault::SystemEntropy)
        });
        Some((generation, bytes.ok()?))
    }

    /// Recovery codes that were not used.
    pub(crate) fn codes_left(&self) -> u8 {
        u8::try_from(self.ledger.codes.len()).unwrap_or(u8::MAX)
    }

    /// Which record holds the limits.
    pub(crate) fn policy_record(&self) -> Option<u64> {
        self.record(RecordKind::Policy)
    }

    /// The record of a kind that is there once.
    pub(crate) fn record(&self, kind: RecordKind) -> Option<u64> {
        self.vault.records().find(|head| head.kind == kind).map(|head| head.id)
    }

    /// For whom that slot is.
    pub(crate) fn kind_of(&self, slot: u16) -> Option<SlotKind> {
        self.vault.slots().into_iter().find(|head| head.id == slot)?.kind
    }

    /// The way by which the latest unlocking was.
    pub(crate) fn opened_by(&self) -> Option<SlotInfo> {
        let head = self.vault.slots().into_iter().find(|head| Some(head.id) == self.slot)?;
        Some(self.slot_info(head, None))
    }

    /// What the owner of that slot may do: as a machine, an auditor or a person does; a person, as it was said.
    pub(crate) fn roles_of(&self, slot: u16) -> Vec<Role> {
        self.roles_of_head(slot, self.kind_of(slot))
    }

    fn roles_of_head(&self, slot: u16, kind: Option<SlotKind>) -> Vec<Role> {
        match kind {
            Some(SlotKind::Service) => Role::OF_SERVICES.to_vec(),
            Some(SlotKind::Auditor) => vec![Role::Auditor],
            Some(SlotKind::RecoveryKit) => Role::ALL.to_vec(),
            // Not there, or of a kind of a later version.
            None => Vec::new(),
            Some(_) => self.profiles.get(&slot).cloned().unwrap_or_else(|| Role::ALL.to_vec()),
        }
    }

    /// Whether a person with a slot other than that one is key-admin.
    pub(crate) fn has_other_admin(&self, slot: u16) -> bool {
        let persons = self.vault.slots().into_iter().filter(|head| matches!(head.kind, Some(SlotKind::PasswordDevice | SlotKind::Hsm)));
        persons.filter(|head| head.id != slot).any(|head| self.roles_of(head.id).contains(&Role::KeyAdmin))
    }

    /// The record of all profiles with that one changed, or gone where no roles are named: its number and its content.
    pub(crate) fn profiles_with(&self, slot: u16, roles: &[Role]) -> Option<(u64, Vec<u8>)> {
        let mut profiles = self.profiles.clone();
        let known: Vec<u16> = self.vault.slots().iter().map(|head| head.id).collect();
        profiles.retain(|slot, _| known.contains(slot));
        profiles.remove(&slot);
        if !roles.is_empty() {
            profiles.insert(slot, roles.to_vec());
        }
        let id = self.record(RecordKind::Profiles).unwrap_or_else(|| self.vault.next_record_id());
        Some((id, serde_json::to_vec(&profiles).ok()?))
    }

    /// The ways into the vault, as doors are told.
    pub(crate) fn slots(&self, door: DoorId) -> Vec<SlotInfo> {
        let present = self.sessions.slot(door).or(self.slot);
        self.vault.slots().into_iter().map(|head| self.slot_info(head, present)).collect()
    }

    pub(crate) fn slot_info(&self, slot: SlotHead, present: Option<u16>) -> SlotInfo {
        SlotInfo {
            is_present: present == Some(slot.id),
            id: slot.id,
            kept: slot
                .keeper
                .map(|_| Keeping::decode(&slot.provider).map_or_else(|| "somebody unknown".to_owned(), |keeping| keeping.words())),
            kind: slot.words().to_owned(),
            roles: self.roles_of_head(slot.id, slot.kind),
            label: slot.label,
            kdf: slot.kdf.map(|kdf| (kdf.memory_kib / 1_024, kdf.passes)),
        }
    }

    /// Whether a machine opened the vault, without a person.
    pub(crate) fn is_of_service(&self) -> bool {
        is_of_service(&self.vault)
    }

    /// After the vault was re-keyed: the counters are sealed with its new key from now on.
    pub(crate) fn take_new_state_key(&mut self) -> Result<(), LoadError> {
        self.state_key = self.vault.derive_key(Purpose::State)?;
        Ok(())
    }

    /// The credential meant: the named one, or the active one of the venue.
    pub(crate) fn credential(&self, id: Option<CredentialId>, venue: Venue) -> Option<&Credential> {
        self.credentials.iter().find(|credential| match id {
            Some(id) => credential.info.id == id,
            None => credential.info.stage == KeyStage::Active && credential.info.venue == venue,
        })
    }

    /// Whether a key of that venue has that name there.
    pub(crate) fn names(&self, venue: Venue, api_key: &str) -> bool {
        self.credentials.iter().any(|known| known.info.venue == venue && known.info.api_key == api_key)
    }

    /// Signs with the log's key.
    pub(crate) fn sign_log(&self, text: &str, arena: &Arena) -> Option<[u8; 64]> {
        arena
            .expose(&self.log_key, |seed| {
                let seed: &[u8; LOG_KEY_LEN] = seed.try_into().ok()?;
                Some(ed25519_dalek::SigningKey::from_bytes(seed).sign(text.as_bytes()).to_bytes())
            })
            .ok()
            .flatten()
    }

    /// The session that serves a door, if it is still valid at `now_ms`; ends those that are not.
    pub(crate) fn session_at(&mut self, door: DoorId, now_ms: u64) -> Result<&Session, SessionEnd> {
        self.sessions.at(door, now_ms, &self.policy)
    }

    /// Whether whoever is at that door may; where a role is needed, a session is.
    pub(crate) fn may(&mut self, permission: Permission, door: DoorId, now_ms: u64) -> Result<(), Reason> {
        if permission.row().roles.is_empty() {
            return Ok(());
        }
        let session = self.session_at(door, now_ms).map_err(|end| Reason::Session { end })?;
        permission.check(session)
    }

    /// What is reserved, for a save that failed: only what is on disk.
    pub(crate) const fn on_disk(&self) -> Reserved {
        Reserved { signatures: self.count.on_disk(), spent: self.spending.on_disk(), orders: self.rate.on_disk() }
    }

    /// What is on disk now.
    pub(crate) fn saved(&mut self, reserved: Reserved) {
        self.count.saved(reserved.signatures);
        self.spending.saved(reserved.spent);
        self.rate.saved(reserved.orders);
    }

    /// What the first signatures need, to be saved with the ledger.
    pub(crate) fn reserve_first(&mut self) {
        self.ledger.orders_reserved = self.rate.wants(self.policy.orders_per_minute).unwrap_or(self.ledger.orders_reserved);
        self.ledger.reserved = self.count.wants().unwrap_or(self.ledger.reserved);
        self.ledger.spent = self.spending.wants(Notional::ZERO, self.policy.smallest_day()).unwrap_or(self.ledger.spent);
    }

    /// Begins a session at a door, with the roles of the slot by which it is opened.
    pub(crate) fn open_session(&mut self, door: DoorId, slot: Option<u16>, now_ms: u64) {
        let is_service = self.is_of_service();
        let roles = slot.map(|slot| self.roles_of(slot)).unwrap_or_default();
        self.sessions.begin(door, slot, Session { opened_ms: now_ms, used_ms: now_ms, roles, is_service });
    }

    /// Every session, with the names of their slots.
    pub(crate) fn list_sessions(&self, now_ms: u64) -> Vec<SessionInfo> {
        let heads = self.vault.slots();
        let label = |slot: u16| heads.iter().find(|head| head.id == slot).map(|head| head.label.clone()).unwrap_or_default();
        self.sessions.list(now_ms, &self.policy, label)
    }
}

/// Limits as they were stored.
fn stored_policy(record: &[u8]) -> Option<Policy> {
    serde_json::from_slice::<Policy>(record).ok().map(Policy::with_worths)
}

fn is_of_service(vault: &Vault) -> bool {
    vault.opened_by().and_then(|slot| slot.kind) == Some(SlotKind::Service)
}

/// The records that whoever opened the vault can open.
fn within_reach(vault: &Vault) -> Vec<RecordHead> {
    let is_service = is_of_service(vault);
    vault.records().filter(|head| !is_service || head.reach == Reach::Services).collect()
}

/// Opens the state file, also one that was written before the vault was re-keyed and could not be written again since. Files of earlier
/// versions may have several old keys; one of them is the right one.
fn open_state(vault: &Vault, key: &SecretBox, bytes: &[u8]) -> Option<(u64, SecretBox)> {
    strongroom_vault::open_state(key, vault.id(), bytes).ok().or_else(|| {
        vault.records().filter(|head| head.kind == RecordKind::OldStateKey).find_map(|head| {
            let old = vault.with_record(head.id, SecretBox::copy_of).ok()?;
            strongroom_vault::open_state(&old, vault.id(), bytes).ok()
        })
    })
}
