//! A world for one test: repeatable chance, a vault with two records.

use sha2::{Digest, Sha256};
use strongroom_model::Timestamp;
use strongroom_vault::{Edit, Entropy, EntropyError, KdfParams, Kit, NewVault, RecordKind, Vault};

pub(crate) const PASSWORD: &[u8] = "correct horse, Zürich".as_bytes();
pub(crate) const DEVICE: [u8; 32] = [0xD5; 32];
pub(crate) const VAULT_ID: [u8; 16] = *b"vector vault 1.0";
pub(crate) const CREDENTIAL: &[u8] = b"{\"api_key\":\"public\",\"secret\":\"of the venue\"}";

/// SHA-256 of a seed and a count: block after block.
pub(crate) struct Repeatable {
    seed: u8,
    count: u64,
}

impl Repeatable {
    pub(crate) fn new(seed: u8) -> Self {
        Self { seed, count: 0 }
    }
}

impl Entropy for Repeatable {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in out.chunks_mut(32) {
            let block = Sha256::new().chain_update([self.seed]).chain_update(self.count.to_be_bytes()).finalize();
            self.count += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

pub(crate) fn kit() -> Kit {
    Kit::from_bytes(&[0x5A; 32])
}

pub(crate) fn put<'a>(id: u64, kind: RecordKind, plaintext: &'a [u8]) -> Edit<'a> {
    Edit::Put { id, kind, plaintext }
}

/// A vault in its second generation: a credential and a policy. Costs one key derivation.
pub(crate) fn vault() -> Vault {
    vault_of(VAULT_ID)
}

pub(crate) fn vault_of(vault_id: [u8; 16]) -> Vault {
    let mut chance = Repeatable::new(1);
    let spec = NewVault { vault_id, kdf: KdfParams::FLOOR, at: at(1_000) };
    let mut vault = Vault::create(spec, PASSWORD, &DEVICE, &kit(), &mut chance).unwrap();
    let edits = [put(1, RecordKind::Credential, CREDENTIAL), put(2, RecordKind::Policy, b"{}")];
    let sealed = vault.change(&edits, at(2_000), &mut chance).unwrap();
    vault.commit(sealed).unwrap();
    vault
}
