//! The public beginning of a vault's file, read without any key (`docs/vault-format.md`, "Layout").
//! Invariant: nothing here is proven; it serves to compare a file with its anchor and to name it.

use sha2::{Digest, Sha256};

const MAGIC: &[u8] = b"SRVAULT\0";
const STATE_MAGIC: &[u8] = b"SRSTATE\0";
const MAJOR: u16 = 1;
const VAULT_ID: u16 = 0x8001;
const GENERATION: u16 = 0x8002;
const KDF: u16 = 0x8004;

/// What a file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The vault's name.
    pub vault_id: [u8; 16],
    /// How often it was saved.
    pub generation: u64,
    /// The header's MAC.
    pub mac: [u8; 32],
    /// SHA-256 of the field that says how hard the password is to try.
    pub kdf_hash: [u8; 32],
    /// SHA-256 of all of it.
    pub sha256: [u8; 32],
}

impl Prefix {
    /// Reads it; `None` when the file is not a vault of format 1 or ends within its header.
    pub fn read(file: &[u8]) -> Option<Self> {
        let mut rest = file.strip_prefix(MAGIC)?;
        if u16::from_be_bytes(take(&mut rest)?) != MAJOR {
            return None;
        }
        let _minor: [u8; 2] = take(&mut rest)?;
        let header_len = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).ok()?;
        let (mut fields, after) = rest.split_at_checked(header_len)?;
        let (mut vault_id, mut generation, mut kdf_hash) = (None, None, None);
        while !fields.is_empty() {
            let tag = u16::from_be_bytes(take(&mut fields)?);
            let len = usize::try_from(u32::from_be_bytes(take(&mut fields)?)).ok()?;
            let (value, next) = fields.split_at_checked(len)?;
            fields = next;
            match tag {
                VAULT_ID => vault_id = value.try_into().ok(),
                GENERATION => generation = value.try_into().ok().map(u64::from_be_bytes),
                KDF => kdf_hash = Some(Sha256::digest(value).into()),
                _ => {}
            }
        }
        let mac = after.first_chunk().copied()?;
        let sha256 = Sha256::digest(file).into();
        Some(Self { vault_id: vault_id?, generation: generation?, mac, kdf_hash: kdf_hash?, sha256 })
    }
}

/// The generation that a state file names (`docs/vault-format.md`, "State file"); `None` when it is none.
pub fn state_generation(file: &[u8]) -> Option<u64> {
    let mut rest = file.strip_prefix(STATE_MAGIC)?;
    let (_major, _vault_id): ([u8; 2], [u8; 16]) = (take(&mut rest)?, take(&mut rest)?);
    take(&mut rest).map(u64::from_be_bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A file with the public prefix of a vault; the rest is filler.
    pub(crate) fn image(generation: u64, mac: u8, filler: usize) -> Vec<u8> {
        let mut fields = Vec::new();
        for (tag, value) in [(VAULT_ID, &[7; 16][..]), (GENERATION, &generation.to_be_bytes()), (KDF, &[1; 46])] {
            fields.extend_from_slice(&tag.to_be_bytes());
            fields.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
            fields.extend_from_slice(value);
        }
        let len = u32::try_from(fields.len()).unwrap().to_be_bytes();
        [MAGIC, &[0, 1, 0, 0], &len, &fields, &[mac; 32], &vec![mac; filler]].concat()
    }

    #[test]
    fn reads_what_stands_before_the_body() {
        let file = image(5, 9, 100);
        let prefix = Prefix::read(&file).unwrap();
        assert_eq!((prefix.vault_id, prefix.generation, prefix.mac), ([7; 16], 5, [9; 32]));
        let header = file.len() - 100;
        for len in 0..header {
            assert_eq!(Prefix::read(&file[..len]), None, "cut at {len}");
        }
        assert!(Prefix::read(&file[..header]).is_some());
    }

    /// The vector that the crate `vault` keeps: both read the same file.
    #[test]
    fn reads_the_format_vector() {
        let text = include_str!("../../vault/tests/vectors/vault-1.0.txt");
        let file = hex::decode(text.lines().find_map(|line| line.strip_prefix("file: ")).unwrap()).unwrap();
        let prefix = Prefix::read(&file).unwrap();
        assert_eq!((&prefix.vault_id, prefix.generation), (b"vector vault 1.0", 2));
    }
}
