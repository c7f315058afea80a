//! Vaults that are being made. Invariant: a device secret comes into the keychain together with its vault, so that a vault that was given
//! up, or could not be saved, leaves none there.

use strongroom_vault_store::{Anchor, KeychainError};
use zeroize::Zeroizing;

/// Vaults that may be in the making at once; of more, the first is forgotten. Their secrets protect nothing yet.
const BIRTHS_MAX: usize = 16;

/// Names and device secrets of vaults that are not on disk.
#[derive(Default)]
pub(crate) struct Births(Vec<Birth>);

struct Birth {
    vault_id: [u8; 16],
    device: Zeroizing<[u8; 32]>,
}

impl Births {
    /// Makes both, and keeps them until the vault is saved first.
    pub(crate) fn begin(&mut self) -> Result<([u8; 16], Zeroizing<[u8; 32]>), getrandom::Error> {
        let mut birth = Birth { vault_id: [0; 16], device: Zeroizing::new([0; 32]) };
        getrandom::fill(&mut birth.vault_id)?;
        getrandom::fill(&mut *birth.device)?;
        let made = (birth.vault_id, birth.device.clone());
        if self.0.len() >= BIRTHS_MAX {
            self.0.remove(0);
        }
        self.0.push(birth);
        Ok(made)
    }

    /// Puts the secret of that vault into its anchor, once; whether it was known.
    pub(crate) fn end(&mut self, vault_id: &[u8; 16], anchor: &dyn Anchor) -> Result<bool, KeychainError> {
        let Some(at) = self.0.iter().position(|birth| birth.vault_id == *vault_id) else { return Ok(false) };
        anchor.set_device_secret(&self.0.remove(at).device).map(|()| true)
    }
}
