//! Vault files, their anchor in the keychain, and backups.
//!
//! Invariant: only ciphertext passes here, and at every moment of a save the disk holds the old vault or the new one,
//! whole. The one secret that is handled is the device secret, on its way from the keychain to the signer.

mod anchor;
mod errors;
mod keychain;
mod layer;
mod lock;
mod prefix;
mod save;
mod store;

pub use anchor::{Anchor, AnchorRecord, Attempt, AttemptEnd, Mark, MemoryAnchor, Sha256Hash, make_device_secret};
pub use errors::{LoadError, RestoreError, SaveError, SetupError};
pub use keychain::{Keychain, KeychainAnchor, KeychainError};
pub use layer::{Disk, FileLayer};
pub use lock::{Lock, LockError};
pub use prefix::{Prefix, state_generation};
pub use store::{AnchorVerdict, BACKUPS_MAX, Loaded, Saved, Store};
