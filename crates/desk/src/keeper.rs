//! The thread that keeps the vault's files and speaks with the keychain: both can be slow, and neither may stop the desk.
//!
//! Invariant: it sees ciphertext, generations and the device secret; the device secret is wiped after each use.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use strongroom_model::Advice;
use strongroom_signer_api::KitOpening;
use strongroom_vault_store::{
    Anchor, AnchorVerdict, Attempt, AttemptEnd, Keychain, KeychainAnchor, SaveError, StateFile, Store, make_device_secret, state_generation,
};
use thiserror::Error;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::births::Births;
use crate::{exports, replaced};

const VAULT_FILE: &str = "vault.srv";
/// What opening the vault without its state file leads to.
const WITHOUT_STATE: &str =
    ". What that file remembered is then taken for the worst: the kill switch is engaged, and codes of before are used up";
/// Openings with the kit that may wait for their save at once.
const OPENINGS_MAX: usize = 16;
/// Wait after the n-th wrong password in a row: 1, 2, 4, … s, at most this.
const WAIT_MAX: Duration = Duration::from_secs(900);
/// The first wrong passwords cost nothing here: typing errors happen, and each costs a key derivation anyway.
const FREE_FAILURES: u32 = 3;

/// Why the vault's files cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub(crate) struct KeepError {
    /// Stable name.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) advice: Advice,
}

impl KeepError {
    fn new(code: &'static str, message: &(impl std::fmt::Display + ?Sized), advice: Advice) -> Self {
        Self { code, message: message.to_string(), advice }
    }
}

/// What is put into the folder of exports: ciphertext.
pub(crate) enum Export {
    /// An age file.
    Bytes(Vec<u8>),
    /// The vault's file as it is.
    Vault,
}

/// What the signer hands out to be put on disk.
pub(crate) enum Image {
    /// The state file.
    State,
    /// The vault.
    Vault {
        /// MAC of its header.
        mac: Vec<u8>,
        /// The recovery kit opened what it grew out of.
        by_kit: Option<KitOpening>,
    },
}

/// What the signer needs to open the vault.
pub(crate) struct Opening {
    /// The vault's file.
    pub(crate) vault: Vec<u8>,
    /// The state file, if there is one.
    pub(crate) state: Option<Vec<u8>>,
    /// The keychain's share; nothing: there is none, and a slot was named that may do without.
    pub(crate) device: Option<Zeroizing<[u8; 32]>>,
    /// What is wrong with the anchor, if the kit is used to get over it.
    pub(crate) trouble: Option<String>,
    /// An opening with the kit has a number: what is saved because of it says so.
    pub(crate) by_kit: Option<KitOpening>,
}

/// What a person opens the vault with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpeningKey {
    Password,
    /// A slot by its number. Whether it needs the device secret, the signer knows.
    Slot,
    /// Trouble with the anchor or a lost device secret is no obstacle.
    Kit {
        /// A backup is opened, and takes the vault's place if the kit fits.
        generation: Option<u64>,
    },
}

/// The vault in the folder, beside what is remembered of it outside.
pub(crate) struct Look {
    pub(crate) vault_id: [u8; 16],
    pub(crate) generation: u64,
    verdict: AnchorVerdict,
}

impl Look {
    /// For people; "ok" where the file is the one that was saved.
    pub(crate) fn words(&self) -> String {
        verdict_words(&self.verdict)
    }

    /// The file is not the one that was saved. A keychain that is locked or away for a moment does not say that.
    pub(crate) fn harm(&self) -> Option<String> {
        match self.verdict {
            AnchorVerdict::Matches | AnchorVerdict::MatchesPending | AnchorVerdict::Unreachable(_) => None,
            AnchorVerdict::RolledBack { .. } | AnchorVerdict::Foreign { .. } | AnchorVerdict::Altered { .. } | AnchorVerdict::Lost => {
                Some(self.words())
            }
        }
    }
}

type Job = Box<dyn FnOnce(&mut Keep) + Send>;
type AnchorOf = Box<dyn Fn(&[u8; 16]) -> Box<dyn Anchor> + Send>;

/// A handle to the thread.
#[derive(Clone)]
pub(crate) struct Keeper {
    jobs: std::sync::mpsc::Sender<Job>,
}

struct Keep {
    dir: PathBuf,
    store: Option<Store>,
    /// When the last wrong password, and the last wrong kit, was told; or this program began.
    failed_at: [Instant; 2],
    births: Births,
    /// Where a vault is remembered outside its folder.
    anchor_of: AnchorOf,
    /// Openings with the kit that were not saved yet.
    kit_openings: BTreeSet<u64>,
    last_opening: u64,
}

impl Keeper {
    /// Starts the thread for a profile folder.
    pub(crate) fn start(dir: PathBuf) -> std::io::Result<Self> {
        let (jobs, work) = std::sync::mpsc::channel::<Job>();
        std::thread::Builder::new().name("vault-keeper".to_owned()).spawn(move || {
            let mut keep = Keep::at(dir, Box::new(|vault_id| Box::new(KeychainAnchor::new(vault_id))));
            while let Ok(job) = work.recv() {
                job(&mut keep);
            }
        })?;
        Ok(Self { jobs })
    }

    async fn run<R: Send + 'static>(&self, job: impl FnOnce(&mut Keep) -> Result<R, KeepError> + Send + 'static) -> Result<R, KeepError> {
        let (done, wait) = oneshot::channel();
        let job: Job = Box::new(move |keep| {
            let _ = done.send(job(keep));
        });
        let ended = || KeepError::new("keeper", "the thread that keeps the vault has ended; restart Strongroom", Advice::Bug);
        self.jobs.send(job).map_err(|_| ended())?;
        wait.await.map_err(|_| ended())?
    }

    /// The vault in the folder, and what the anchor says of it.
    pub(crate) async fn look(&self) -> Result<Option<Look>, KeepError> {
        self.run(|keep| {
            if !keep.exists() {
                return Ok(None);
            }
            let loaded = keep.store()?.load().map_err(|error| KeepError::new("vault-damaged", &error, error.advice()))?;
            Ok(Some(Look { vault_id: loaded.prefix.vault_id, generation: loaded.prefix.generation, verdict: loaded.verdict }))
        })
        .await
    }

    /// Makes identity and device secret of a new vault.
    pub(crate) async fn create(&self) -> Result<([u8; 16], Zeroizing<[u8; 32]>), KeepError> {
        self.run(|keep| {
            if keep.exists() {
                return Err(KeepError::new("vault-exists", "there is a vault in this folder already; nothing was created", Advice::Refuse));
            }
            Keychain::probe().map_err(|error| KeepError::new("no-keychain", &format!("{error}. Nothing was created"), error.advice()))?;
            keep.create()
        })
        .await
    }

    /// Generations of which there is a backup, newest first.
    pub(crate) async fn backups(&self) -> Result<Vec<u64>, KeepError> {
        self.run(|keep| Ok(keep.store()?.backups())).await
    }

    /// Reads what is needed to open the vault.
    pub(crate) async fn opening(&self, key: OpeningKey) -> Result<Opening, KeepError> {
        self.run(move |keep| keep.opening(key)).await
    }

    /// Puts bytes of the signer on disk.
    pub(crate) async fn save(&self, image: Image, bytes: Vec<u8>, generation: u64) -> Result<(), KeepError> {
        self.run(move |keep| keep.save(image, &bytes, generation)).await
    }

    /// The vault opened. One that the kit opened was saved, and anchored, before.
    pub(crate) async fn opened(&self, by_kit: bool) -> Result<(), KeepError> {
        self.run(move |keep| {
            if by_kit {
                return Ok(());
            }
            keep.store()?.settle().map_err(|error| KeepError::new("anchor", &error, Advice::Ask))
        })
        .await
    }

    /// Puts ciphertext into the folder of exports, under a name that is not taken; gives the path.
    pub(crate) async fn export(&self, name: String, export: Export) -> Result<PathBuf, KeepError> {
        self.run(move |keep| {
            let bytes = match export {
                Export::Bytes(bytes) => bytes,
                Export::Vault => keep.store()?.load().map_err(|error| KeepError::new("vault-damaged", &error, error.advice()))?.bytes,
            };
            exports::write(&keep.dir, &name, &bytes).map_err(|error| KeepError::new("export", &error, error.advice()))
        })
        .await
    }

    /// Whether earlier attempts make the next one wait.
    pub(crate) async fn may_attempt(&self, attempt: Attempt) -> Result<(), KeepError> {
        self.run(move |keep| keep.may_attempt(attempt)).await
    }

    /// Counts an attempt before a person makes it; refused while earlier ones make it wait.
    pub(crate) async fn begin_attempt(&self, attempt: Attempt, others: u32) -> Result<(), KeepError> {
        self.run(move |keep| keep.begin_attempt(attempt, others)).await
    }

    /// What became of an attempt; gives how many there are now since the last good one.
    pub(crate) async fn end_attempt(&self, attempt: Attempt, end: AttemptEnd, others: u32) -> Result<u32, KeepError> {
        self.run(move |keep| {
            if end == AttemptEnd::Wrong {
                keep.failed_at[attempt as usize] = Instant::now();
            }
            keep.store()?.end_attempt(attempt, end, others).map_err(|error| KeepError::new("anchor", &error, error.advice()))
        })
        .await
    }
}

fn verdict_words(verdict: &AnchorVerdict) -> String {
    match verdict {
        AnchorVerdict::Matches | AnchorVerdict::MatchesPending => "ok".to_owned(),
        AnchorVerdict::RolledBack { file, anchor } => {
            format!("the vault's file is generation {file}, older than generation {anchor} that was saved last: an old file was put back")
        }
        AnchorVerdict::Foreign { file, anchor } => {
            format!("the vault's file (generation {file}) is not the one that was saved (generation {anchor})")
        }
        AnchorVerdict::Altered { generation } => format!(
            "the vault's file is damaged: it was changed since its generation {generation} was saved, by a failing disk or by somebody. \
             `strongroom vault restore` puts a backup in its place"
        ),
        AnchorVerdict::Lost => "the keychain knows nothing of this vault".to_owned(),
        AnchorVerdict::Unreachable(error) => error.to_string(),
    }
}

/// What is wrong with the state file, if anything: a stable name, and words.
fn state_trouble(state: &StateFile, at_least: u64) -> Option<(&'static str, String)> {
    let unusable = |words: String| Some(("anchor", words));
    let bytes = match state {
        StateFile::Missing if at_least == 0 => return None,
        StateFile::Missing => return unusable(format!("the state file is missing; generation {at_least} was saved last")),
        StateFile::NoFile => {
            let words = "what lies in the place of the state file (state.srs in the vault's folder) is no file. Move it away and put the file \
                         back, if you have it";
            return Some(("state-unreadable", words.to_owned()));
        }
        StateFile::Unreadable(kind) => {
            let words =
                format!("the state file (state.srs in the vault's folder) cannot be read ({kind}). Look at its owner and its permissions");
            return Some(("state-unreadable", words));
        }
        StateFile::Bytes(bytes) => bytes,
    };
    match state_generation(bytes) {
        None => unusable("the state file is damaged".to_owned()),
        Some(generation) if generation < at_least => unusable(format!(
            "the state file is generation {generation}, older than generation {at_least} that was saved last: an old file was put back"
        )),
        Some(_) => None,
    }
}

impl Keep {
    fn at(dir: PathBuf, anchor_of: AnchorOf) -> Self {
        let (births, kit_openings) = (Births::default(), BTreeSet::new());
        Self { dir, store: None, failed_at: [Instant::now(); 2], births, anchor_of, kit_openings, last_opening: 0 }
    }

    fn exists(&self) -> bool {
        self.dir.join(VAULT_FILE).exists() || Store::<strongroom_vault_store::Disk>::vault_id_in(&self.dir).is_some()
    }

    fn create(&mut self) -> Result<([u8; 16], Zeroizing<[u8; 32]>), KeepError> {
        let made = self.births.begin().map_err(|error| KeepError::new("no-randomness", &error, Advice::RetryAfter(1_000)))?;
        // The folder is tried now; whose vault it becomes, its first save says, for several may be prepared at once.
        Store::create(&self.dir, (self.anchor_of)(&made.0)).map_err(|error| KeepError::new("vault-folder", &error, error.advice()))?;
        Ok(made)
    }

    fn save(&mut self, image: Image, bytes: &[u8], generation: u64) -> Result<(), KeepError> {
        let mac = match image {
            Image::State => {
                let saved = self.store()?.save_state(bytes, generation);
                return saved.map_err(|error| KeepError::new("save", &error, error.advice()));
            }
            Image::Vault { mac, by_kit: Some(opening) } => return self.save_by_kit(opening, bytes, generation, &mac),
            Image::Vault { mac, by_kit: None } => mac,
        };
        let mac = <[u8; 32]>::try_from(mac).map_err(|_| KeepError::new("save", "the signer named no MAC", Advice::Bug))?;
        let is_first = !self.exists();
        if is_first {
            self.begin(bytes)?;
        }
        let saved = self.store()?.save(bytes, generation, &mac);
        if is_first && saved.is_err() {
            self.never_was();
        }
        saved.map(|_| ()).map_err(|error| KeepError::new("save", &error, error.advice()))
    }

    /// The first image of a vault makes the folder its own, and its device secret comes into the keychain.
    fn begin(&mut self, image: &[u8]) -> Result<(), KeepError> {
        let vault_id = Store::<strongroom_vault_store::Disk>::vault_id_of(image)
            .ok_or_else(|| KeepError::new("save", "the signer named no vault", Advice::Bug))?;
        let anchor = (self.anchor_of)(&vault_id);
        let store = Store::create(&self.dir, anchor).map_err(|error| KeepError::new("vault-folder", &error, error.advice()))?;
        let kept = self.births.end(&vault_id, store.anchor());
        self.store = Some(store);
        let failed = match kept {
            Ok(true) => return Ok(()),
            Ok(false) => KeepError::new("save", "the desk was started anew while the vault was made; make it again", Advice::Ask),
            Err(error) => KeepError::new("no-keychain", &error, error.advice()),
        };
        self.never_was();
        Err(failed)
    }

    /// A vault that did not come to be leaves nothing in the keychain.
    fn never_was(&mut self) {
        let file = std::fs::symlink_metadata(self.dir.join(VAULT_FILE));
        if let Some(store) = self.store.take()
            && file.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        {
            let _ = store.anchor().forget();
        }
    }

    fn store(&mut self) -> Result<&mut Store, KeepError> {
        if self.store.is_none() {
            let Some(vault_id) = Store::<strongroom_vault_store::Disk>::vault_id_in(&self.dir) else {
                let message = "the vault's file is missing or its beginning is damaged. There is no backup of which its name can be read";
                return Err(KeepError::new("vault-damaged", message, Advice::Ask));
            };
            self.store = Some(Store::open(&self.dir, (self.anchor_of)(&vault_id)));
        }
        self.store.as_mut().ok_or_else(|| KeepError::new("keeper", "no store", Advice::Bug))
    }

    /// A vault that the kit opened is put in place; what a backup takes the place of is kept beside it.
    fn save_by_kit(&mut self, opening: KitOpening, bytes: &[u8], generation: u64, mac: &[u8]) -> Result<(), KeepError> {
        let failed = |words: &dyn std::fmt::Display| KeepError::new("restore", words, Advice::Ask);
        let mac = <[u8; 32]>::try_from(mac).map_err(|_| KeepError::new("save", "the signer named no MAC", Advice::Bug))?;
        if !self.kit_openings.remove(&opening.number) {
            return Err(KeepError::new("save", "no opening with the kit has this number", Advice::Bug));
        }
        if opening.backup.is_some() {
            replaced::keep(&self.dir, VAULT_FILE).map_err(|error| failed(&format!("the present file could not be kept: {error}")))?;
        }
        self.store()?.save_by_kit(bytes, generation, &mac).map_err(|error| failed(&error))?;
        Ok(())
    }

    /// `others`: so many of the kind are begun and not judged yet. Where attempts wait for one another, one at a time is made.
    fn begin_attempt(&mut self, attempt: Attempt, others: u32) -> Result<(), KeepError> {
        self.may_attempt(attempt)?;
        let failures = self.store()?.attempts(attempt).map_err(|error| KeepError::new("no-keychain", &error, error.advice()))?;
        if others > 0 && failures.saturating_sub(others) >= FREE_FAILURES {
            let message = "after several wrong ones, one prompt at a time may ask; finish or close the other one first";
            return Err(KeepError::new("wait", message, Advice::RetryAfter(1_000)));
        }
        self.store()?.begin_attempt(attempt).map(|_| ()).map_err(|error| KeepError::new("no-keychain", &error, error.advice()))
    }

    fn may_attempt(&mut self, attempt: Attempt) -> Result<(), KeepError> {
        let failed_at = self.failed_at[attempt as usize];
        let keychain = |error: SaveError| KeepError::new("no-keychain", &error, error.advice());
        let store = self.store()?;
        let failures = store.attempts(attempt).map_err(keychain)?;
        if failures > FREE_FAILURES {
            let wait = Duration::from_secs(1 << (failures - FREE_FAILURES).min(10)).min(WAIT_MAX);
            let left = wait.saturating_sub(failed_at.elapsed());
            if !left.is_zero() {
                let what = if attempt == Attempt::Kit { "kits" } else { "passwords" };
                let message = format!("{failures} wrong {what} in a row; the next one is looked at in {} s", left.as_secs() + 1);
                return Err(KeepError::new("wait", &message, Advice::RetryAfter(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))));
            }
        }
        Ok(())
    }

    fn opening(&mut self, key: OpeningKey) -> Result<Opening, KeepError> {
        if !self.exists() {
            return Err(KeepError::new("no-vault", "there is no vault here yet; make one with `strongroom vault create`", Advice::Ask));
        }
        let by_kit = matches!(key, OpeningKey::Kit { .. });
        let store = self.store()?;
        let (bytes, verdict) = match key {
            OpeningKey::Kit { generation: Some(generation) } => {
                let bytes = store.backup(generation).map_err(|error| KeepError::new("restore", &error, error.advice()))?;
                (bytes, AnchorVerdict::Matches)
            }
            _ => {
                let loaded = store.load().map_err(|error| KeepError::new("vault-damaged", &error, error.advice()))?;
                (loaded.bytes, loaded.verdict)
            }
        };
        let trouble = match verdict {
            AnchorVerdict::Matches | AnchorVerdict::MatchesPending => None,
            AnchorVerdict::Unreachable(error) => return Err(KeepError::new("no-keychain", &error, error.advice())),
            verdict => Some(verdict_words(&verdict)),
        };
        let (state, at_least) = store.load_state();
        let state_trouble = state_trouble(&state, at_least);
        let is_usable = state_trouble.is_none();
        let trouble = trouble.map(|words| ("anchor", words)).or(state_trouble);
        if let (Some((code, words)), false) = (&trouble, by_kit) {
            let without = if is_usable { "" } else { WITHOUT_STATE };
            let message =
                format!("{words}. Nothing was opened. If you know why, open it with the recovery kit: `strongroom vault recover`{without}");
            return Err(KeepError::new(code, &message, Advice::Ask));
        }
        let keychain = |error: strongroom_vault_store::KeychainError| KeepError::new("no-keychain", &error, error.advice());
        let device = match store.anchor().device_secret().map_err(keychain)? {
            Some(device) => Some(device),
            None if by_kit => Some(make_device_secret(store.anchor()).map_err(keychain)?),
            None if key == OpeningKey::Slot => None,
            None => {
                let message =
                    "the keychain of this computer has no secret for this vault. Open it with the recovery kit: `strongroom vault recover`";
                return Err(KeepError::new("no-device-secret", message, Advice::Ask));
            }
        };
        let state = match state {
            StateFile::Bytes(bytes) if is_usable => Some(bytes),
            _ => None,
        };
        // A vault that was never saved with one has lost none; where nothing is remembered of it, nobody knows.
        let is_known = store.anchor().record().is_ok_and(|record| record.is_some());
        let state_lost = (state.is_none() && !(is_usable && is_known)).then_some(at_least);
        let by_kit = match key {
            OpeningKey::Kit { generation } => {
                self.last_opening += 1;
                self.kit_openings.insert(self.last_opening);
                while self.kit_openings.len() > OPENINGS_MAX {
                    self.kit_openings.pop_first();
                }
                Some(KitOpening { number: self.last_opening, backup: generation, state_lost })
            }
            OpeningKey::Password | OpeningKey::Slot => None,
        };
        Ok(Opening { vault: bytes, state, device, trouble: trouble.map(|(_, words)| words), by_kit })
    }
}

#[cfg(test)]
mod tests;
