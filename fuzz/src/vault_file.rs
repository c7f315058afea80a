//! Vault and state files. Invariant: only the very bytes that were sealed open; everything else is an error.

use std::sync::OnceLock;

use strongroom_model::Timestamp;
use strongroom_vault::{
    Edit, Entropy, EntropyError, Factors, KdfParams, Kit, NewVault, Purpose, RecordKind, SecretBox, Vault, open_state, peek, seal_state,
};

const VAULT_ID: [u8; 16] = [7; 16];

/// Bytes that are the same in every run, so that a corpus keeps its meaning.
struct Repeatable(u8);

impl Entropy for Repeatable {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        }
        Ok(())
    }
}

struct World {
    images: Vec<Vec<u8>>,
    state: Vec<u8>,
    state_key: SecretBox,
}

fn kit() -> Kit {
    Kit::from_bytes(&[0x5A; 32])
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut chance = Repeatable(1);
        let spec = NewVault { vault_id: VAULT_ID, kdf: KdfParams::FLOOR, at: Timestamp::from_ms(1) };
        let mut vault = Vault::create(spec, b"a long password", &[9; 32], &kit(), &mut chance).expect("a vault");
        let first = vault.first_image().bytes().to_vec();
        let edits = [
            Edit::Put { id: 1, kind: RecordKind::Credential, plaintext: b"a credential" },
            Edit::Put { id: 2, kind: RecordKind::Policy, plaintext: b"{}" },
        ];
        let sealed = vault.change(&edits, Timestamp::from_ms(2), &mut chance).expect("a change");
        let second = sealed.bytes().to_vec();
        vault.commit(sealed).expect("its own change");
        let state_key = vault.derive_key(Purpose::State).expect("a key");
        let state = seal_state(&state_key, &VAULT_ID, 1, b"{\"reserved\":7}", &mut chance).expect("a state");
        World { images: vec![first, second], state, state_key }
    })
}

/// Two generations of a vault, and a state file.
pub fn seeds() -> Vec<Vec<u8>> {
    world().images.iter().chain([&world().state]).cloned().collect()
}

/// Reads the bytes as both kinds of file.
pub fn check(data: &[u8]) {
    let world = world();
    if let Ok(header) = peek(data) {
        assert!(header.kdf.is_within_bounds());
    }
    if let Ok(vault) = Vault::open(data, Factors::Kit(&kit())) {
        assert!(world.images.iter().any(|image| image == data), "other bytes than the sealed ones open");
        for head in vault.records() {
            vault.with_record(head.id, |_| ()).expect("a sealed record opens");
        }
    }
    if open_state(&world.state_key, &VAULT_ID, data).is_ok() {
        assert_eq!(world.state, data, "other bytes than the sealed ones open");
    }
}
