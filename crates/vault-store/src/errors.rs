//! Why something about a vault's files did not happen. Invariant: every text says what state the vault is in.

use std::io;

use strongroom_model::Advice;
use thiserror::Error;

use crate::keychain::KeychainError;

/// Why there is no folder for a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SetupError {
    /// There is a vault.
    #[error("this folder holds a vault already; nothing was changed. Open it, or choose another folder")]
    Exists,
    /// The folder could not be made.
    #[error("the vault's folder could not be made ({0}); nothing was created. Check the path and its permissions")]
    Io(io::ErrorKind),
}

impl SetupError {
    /// A person chooses another folder.
    pub fn advice(&self) -> Advice {
        Advice::Ask
    }
}

fn backup_hint(backup: &Option<u64>) -> String {
    match backup {
        Some(generation) => format!(
            "The newest readable backup is generation {generation}: `strongroom vault restore {generation}` opens it with the recovery kit and puts it in place"
        ),
        None => "There is no readable backup in its folder".to_owned(),
    }
}

/// Where something lies that is no file, and a file of the vault has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Obstacle {
    /// The vault's file.
    #[error("vault.srv")]
    Vault,
    /// The file that is to become the vault's.
    #[error("vault.srv.tmp")]
    NextVault,
    /// The state file.
    #[error("state.srs")]
    State,
    /// The file that is to become the state file.
    #[error("state.srs.tmp")]
    NextState,
    /// A backup.
    #[error("backup/gen-{0}.srv")]
    Backup(u64),
    /// The folder of backups is none.
    #[error("backup")]
    Backups,
}

impl Obstacle {
    /// Whether that is why something failed.
    pub(crate) fn is_met(error: &io::Error) -> bool {
        matches!(error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput)
    }

    const fn needs(self) -> &'static str {
        if matches!(self, Self::Backups) { "a folder" } else { "a file" }
    }
}

/// Why a vault's file was not read. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// No file.
    #[error("the vault's file is missing. {}", backup_hint(.backup))]
    Missing {
        /// The generation of the newest readable backup.
        backup: Option<u64>,
    },
    /// Not a vault's beginning.
    #[error("the vault's file is damaged. {}", backup_hint(.backup))]
    Damaged {
        /// The generation of the newest readable backup.
        backup: Option<u64>,
    },
    /// A folder, a link or a pipe.
    #[error(
        "what lies in the place of the vault's file (vault.srv) is no file; nothing was changed. Move it somewhere else, and put the file \
         back if you have it. {}",
        backup_hint(.backup)
    )]
    NoFile {
        /// The generation of the newest readable backup.
        backup: Option<u64>,
    },
    /// The disk failed.
    #[error("the vault's file could not be read ({kind}). {}", backup_hint(.backup))]
    Io {
        /// How.
        kind: io::ErrorKind,
        /// The generation of the newest readable backup.
        backup: Option<u64>,
    },
}

impl LoadError {
    /// A person decides whether to restore.
    pub fn advice(&self) -> Advice {
        Advice::Ask
    }
}

/// Why a save did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SaveError {
    /// Generation and MAC are not those of the bytes.
    #[error("the bytes to save are not the generation that they were announced as; nothing was saved")]
    NotTheImage,
    /// Not the next generation.
    #[error("generation {given} is not newer than generation {have}; nothing was saved")]
    NotNewer {
        /// The newest known.
        have: u64,
        /// The one offered.
        given: u64,
    },
    /// The anchor does not vouch for the present file.
    #[error("the keychain does not vouch for the present vault; nothing was saved. Open it with the recovery kit first")]
    NotAnchored,
    /// The present file cannot be read.
    #[error("the present vault is damaged; nothing was saved. Restore a backup first")]
    PresentDamaged,
    /// A folder, a link or a pipe.
    #[error(
        "what lies at {0} in the vault's folder is not {kind}, and {kind} is needed there. Nothing was saved, and the vault is as it was. \
         Move it somewhere else and try again",
        kind = .0.needs()
    )]
    InTheWay(Obstacle),
    /// The keychain failed before anything was written.
    #[error("the keychain did not take the new state, so nothing was saved: {0}")]
    Keychain(KeychainError),
    /// The disk is full.
    #[error("the disk is full ({0}). Nothing was saved, and the vault is as it was. Free some space and try again")]
    NoSpace(io::ErrorKind),
    /// The disk failed.
    #[error("the disk failed ({0}). Nothing was saved, and the vault is as it was")]
    Io(io::ErrorKind),
    /// The disk failed after the file was in place.
    #[error("the new vault is in place, but the disk did not confirm it ({0}). Seal, open again, and look whether the change is there")]
    Uncertain(io::ErrorKind),
}

impl SaveError {
    /// What to do next.
    pub fn advice(&self) -> Advice {
        match self {
            Self::NotTheImage | Self::NotNewer { .. } => Advice::Bug,
            Self::Keychain(error) => error.advice(),
            Self::NotAnchored | Self::PresentDamaged | Self::InTheWay(_) | Self::NoSpace(_) | Self::Io(_) | Self::Uncertain(_) => {
                Advice::Ask
            }
        }
    }

    pub(crate) fn of(error: &io::Error) -> Self {
        match error.kind() {
            kind @ (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Self::NoSpace(kind),
            kind => Self::Io(kind),
        }
    }

    /// The same of an operation that something in the way makes fail.
    pub(crate) fn at(place: Obstacle, error: &io::Error) -> Self {
        if Obstacle::is_met(error) { Self::InTheWay(place) } else { Self::of(error) }
    }
}

/// Why a backup was not restored. The present file is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// No such backup.
    #[error("there is no backup of generation {0}")]
    NoSuchBackup(u64),
    /// Damaged as well.
    #[error("the backup of generation {0} is damaged; nothing was changed. Choose another")]
    Damaged(u64),
    /// A folder, a link or a pipe.
    #[error(
        "what lies in the place of the backup of generation {0} is no file; nothing was changed. Move it somewhere else, or choose another"
    )]
    NoFile(u64),
    /// The disk failed.
    #[error("the backup could not be restored ({0}). Look at the vault before trying again")]
    Io(io::ErrorKind),
}

impl RestoreError {
    /// A person chooses.
    pub fn advice(&self) -> Advice {
        Advice::Ask
    }
}
