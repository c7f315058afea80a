//! The container of secrets: bytes in, bytes out, as `docs/vault-format.md` describes it.
//!
//! Invariant: plaintext leaves this crate only inside a closure, in memory that is wiped when the closure returns.
//! There is no clock, no file and no network here; time and chance are arguments.
//!
//! ```
//! use strongroom_vault::{Edit, Factors, KdfParams, Kit, NewVault, RecordKind, SystemEntropy, Vault};
//! use strongroom_model::Timestamp;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut entropy = SystemEntropy;
//! let kit = Kit::make(&mut entropy)?;
//! let spec = NewVault { vault_id: [7; 16], kdf: KdfParams::FLOOR, at: Timestamp::from_ms(0) };
//! let mut vault = Vault::create(spec, b"a long password", &[1; 32], &kit, &mut entropy)?;
//! let sealed = vault.change(&[Edit::Put { id: 1, kind: RecordKind::Credential, plaintext: b"key" }], Timestamp::from_ms(1), &mut entropy)?;
//! let file = sealed.bytes().to_vec(); // the store writes it, then:
//! vault.commit(sealed)?;
//! let again = Vault::open(&file, Factors::Kit(&kit))?;
//! assert!(again.with_record(1, |plaintext| plaintext == b"key")?);
//! # Ok(()) }
//! ```

mod cells;
mod change;
mod change_error;
mod codes;
mod entropy;
#[cfg(test)]
mod forgery;
mod header;
mod kdf;
mod keys;
#[cfg(test)]
mod known_answers;
mod primitives;
mod records;
mod secret;
mod slots;
mod state;
mod vault;
mod wire;

pub use cells::KeyCells;
pub use change::{Edit, Sealed, Way};
pub use change_error::{ChangeError, CommitError};
pub use codes::{AuditorCode, Code, CodeKind, Kit, KitError, RECOVERY_CODES, RecoveryCode};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
pub use header::{Header, peek, peek_slots};
pub use kdf::{KdfParams, PASSWORD_LEN_MAX, PasswordError, measure_kdf};
pub use records::{RECORD_LEN_MAX, RECORDS_MAX, Reach, RecordError, RecordHead, RecordKind};
pub use secret::SecretBox;
pub use slots::{Factors, Keeper, Machine, SlotHead, SlotKind};
pub use state::{StateError, open_state, seal_state};
pub use vault::{CreateError, NewVault, OpenError, Purpose, Vault};
