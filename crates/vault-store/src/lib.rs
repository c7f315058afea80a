//! Vault files, their anchor in the keychain, and backups.
//!
//! Invariant: only ciphertext passes here, and at every moment of a save the disk holds the old vault or the new one,
//! whole. The one secret that is handled is the device secret, on its way from the keychain to the signer.

mod anchor;
mod backups;
mod errors;
mod keychain;
mod layer;
mod lock;
mod prefix;
mod save;
mod state;
mod store;

pub use anchor::{Anchor, AnchorRecord, Attempt, AttemptEnd, Mark, MemoryAnchor, Sha256Hash, make_device_secret};
pub use backups::{ASIDE_MAX, BACKUPS_MAX};
pub use errors::{LoadError, Obstacle, RestoreError, SaveError, SetupError};
pub use keychain::{Keychain, KeychainAnchor, KeychainError};
pub use layer::{Disk, FileLayer};
pub use lock::{Lock, LockError};
pub use prefix::{Prefix, state_generation};
pub use state::StateFile;
pub use store::{AnchorVerdict, Loaded, Saved, Store};
