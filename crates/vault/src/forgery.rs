//! What an attacker with the file can try, and that none of it opens. Tests only.

use proptest::prelude::*;
use strongroom_model::Timestamp;

use crate::header::{Layout, MAC_LEN};
use crate::kdf::KdfParams;
use crate::keys::Keys;
use crate::primitives::KEY_LEN;
use crate::slots::{Details, Place, Slot};
use crate::vault::assemble;
use crate::{Edit, Factors, Kit, OpenError, RecordError, RecordKind, SystemEntropy, Vault, peek};

const CRITICAL: u16 = 0x8000;

fn kit() -> Kit {
    Kit::from_bytes(&[0x5A; KEY_LEN])
}

/// Generation 2 with two records of one length. The password slot is left out, so that no test waits for Argon2id.
fn vault(vault_id: [u8; 16]) -> Vault {
    let keys = Keys::make(&mut SystemEntropy).unwrap();
    let kdf = crate::kdf::KdfField { params: KdfParams::FLOOR, salt: [3; 32] };
    let factors = Factors::Kit(&kit());
    let place = Place { vault_id: &vault_id, kdf: &kdf };
    let slot = Slot::seal(2, &factors, &factors.ikm(&kdf).unwrap(), &keys, &place, Details::default(), &mut SystemEntropy).ok().unwrap();
    let written = Timestamp::from_ms(1);
    let mut layout = Layout {
        minor: 0,
        vault_id,
        generation: 1,
        written,
        kdf,
        slots: vec![slot],
        index: vec![],
        policy_epoch: 0,
        next_record: 1,
        unknown: vec![],
        mac: [0; MAC_LEN],
        body_at: 0,
    };
    let image = assemble(&mut layout, &[], &keys).unwrap();
    let mut vault = Vault { layout, image, keys, opened_by: 2 };
    save(&mut vault, &[put(1, b"first"), put(2, b"other")]);
    vault
}

fn put(id: u64, plaintext: &[u8]) -> Edit<'_> {
    Edit::Put { id, kind: RecordKind::Credential, plaintext }
}

fn save(vault: &mut Vault, edits: &[Edit<'_>]) {
    let sealed = vault.change(edits, Timestamp::from_ms(2), &mut SystemEntropy).unwrap();
    vault.commit(sealed).unwrap();
}

fn open(bytes: &[u8]) -> Result<Vault, OpenError> {
    Vault::open(bytes, Factors::Kit(&kit()))
}

/// The forged header with the MAC that it would have if the attacker held the header's key.
fn reseal(vault: &Vault, forge: impl FnOnce(&mut Layout)) -> Vec<u8> {
    let mut layout = vault.layout.clone();
    forge(&mut layout);
    assemble(&mut layout, vault.body(), &vault.keys).unwrap()
}

#[test]
fn every_flipped_bit_is_refused() {
    let image = vault([9; 16]).image;
    assert!(open(&image).is_ok());
    for at in 0..image.len() {
        for bit in 0..8 {
            let mut flipped = image.clone();
            flipped[at] ^= 1 << bit;
            assert!(open(&flipped).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let image = vault([9; 16]).image;
    for len in 0..image.len() {
        assert!(open(&image[..len]).is_err(), "cut at {len}");
    }
    let longer = [&image[..], &[0]].concat();
    assert_eq!(open(&longer).err(), Some(OpenError::Damaged("bytes follow its last record")));
}

#[test]
fn swapped_records_are_refused() {
    let vault = vault([9; 16]);
    let body_at = vault.layout.body_at;
    let half = (vault.image.len() - body_at) / 2;
    let mut swapped = vault.image.clone();
    swapped[body_at..].rotate_left(half);
    assert_eq!(open(&swapped).err(), Some(OpenError::RecordMismatch(1)));
    // Even with the header's key, a record does not open in another's place.
    let mut layout = vault.layout.clone();
    let [first, second] = layout.index.as_mut_slice() else { panic!("two records") };
    std::mem::swap(&mut first.id, &mut second.id);
    layout.index.swap(0, 1);
    let (a, b) = (layout.index[0].offset, layout.index[1].offset);
    (layout.index[0].offset, layout.index[1].offset) = (b, a);
    let body = [&vault.body()[half..], &vault.body()[..half]].concat();
    let forged = open(&assemble(&mut layout, &body, &vault.keys).unwrap()).unwrap();
    assert_eq!(forged.with_record(1, |_| ()), Err(RecordError::Misplaced(1)));
    assert_eq!(forged.with_record(2, |_| ()), Err(RecordError::Misplaced(2)));
}

#[test]
fn records_of_another_generation_or_vault_are_refused() {
    let mut vault = vault([9; 16]);
    let old = (vault.layout.clone(), vault.image.clone());
    save(&mut vault, &[put(1, b"newer")]);
    let block = usize::try_from(vault.layout.index[0].len).unwrap();
    let mut mixed = vault.image.clone();
    mixed[vault.layout.body_at..][..block].copy_from_slice(&old.1[old.0.body_at..][..block]);
    assert_eq!(open(&mixed).err(), Some(OpenError::RecordMismatch(1)));
    // With the header's key: the older index row under the newer generation does not unwrap.
    let forged = reseal_with_body(&vault, &old);
    assert_eq!(open(&forged).unwrap().with_record(1, |_| ()), Err(RecordError::Misplaced(1)));
}

fn reseal_with_body(vault: &Vault, old: &(Layout, Vec<u8>)) -> Vec<u8> {
    let mut layout = vault.layout.clone();
    layout.index = old.0.index.clone();
    assemble(&mut layout, &old.1[old.0.body_at..], &vault.keys).unwrap()
}

#[test]
fn a_slot_of_another_vault_is_refused() {
    let (ours, theirs) = (vault([9; 16]), vault([8; 16]));
    let forged = reseal(&ours, |layout| layout.slots = theirs.layout.slots.clone());
    assert_eq!(open(&forged).err(), Some(OpenError::WrongFactors), "the slot's key depends on the vault's name");
    let renamed = reseal(&theirs, |layout| layout.vault_id = [9; 16]);
    assert_eq!(open(&renamed).err(), Some(OpenError::WrongFactors));
}

#[test]
fn a_weaker_or_absurd_key_derivation_is_refused_before_it_runs() {
    let vault = vault([9; 16]);
    for params in [
        KdfParams { memory_kib: 8, ..KdfParams::FLOOR },
        KdfParams { passes: 1, ..KdfParams::FLOOR },
        KdfParams { memory_kib: u32::MAX, ..KdfParams::CEILING },
    ] {
        let forged = reseal(&vault, |layout| layout.kdf.params = params);
        assert_eq!(peek(&forged).err(), Some(OpenError::KdfOutOfBounds(params)));
        assert_eq!(open(&forged).err(), Some(OpenError::KdfOutOfBounds(params)));
    }
}

#[test]
fn unknown_critical_fields_end_the_reading_and_others_are_kept() {
    let mut vault = vault([9; 16]);
    let critical = reseal(&vault, |layout| layout.unknown = vec![(CRITICAL | 0x77, vec![1])]);
    assert!(open(&critical).is_err());
    // In its place in the order, so that only its being critical counts.
    let mut layout = vault.layout.clone();
    let mut bytes = layout.to_bytes();
    crate::wire::put_tlv(&mut bytes, CRITICAL | 0x77, b"x");
    let len = u32::try_from(bytes.len() - 16).unwrap();
    bytes[12..16].copy_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(&layout.mac);
    assert_eq!(peek(&bytes).err(), Some(OpenError::UnknownCriticalTag(CRITICAL | 0x77)));

    layout.unknown = vec![(0x10, b"kept".to_vec()), (0x7fff, vec![])];
    layout.minor = 3;
    let image = assemble(&mut layout, vault.body(), &vault.keys).unwrap();
    vault = open(&image).unwrap();
    save(&mut vault, &[put(1, b"written by an older program")]);
    let again = open(&vault.image).unwrap();
    assert_eq!(again.layout.unknown, [(0x10, b"kept".to_vec()), (0x7fff, vec![])]);
    assert_eq!(again.layout.minor, 3);
}

#[test]
fn fields_out_of_order_are_refused() {
    let vault = vault([9; 16]);
    let forged = reseal(&vault, |layout| layout.unknown = vec![(5, vec![]), (4, vec![])]);
    assert_eq!(open(&forged).err(), Some(OpenError::Damaged("its header fields are not in order")));
    let twice = reseal(&vault, |layout| layout.unknown = vec![(5, vec![]), (5, vec![])]);
    assert_eq!(open(&twice).err(), Some(OpenError::Damaged("its header fields are not in order")));
}

#[test]
fn versions_and_other_files() {
    let image = vault([9; 16]).image;
    let mut major = image.clone();
    major[9] = 2;
    assert_eq!(peek(&major).err(), Some(OpenError::UnsupportedVersion(2)));
    assert_eq!(peek(b"SQLite format 3\0").err(), Some(OpenError::NotAVault));
    assert_eq!(peek(b"").err(), Some(OpenError::NotAVault));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(tail in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = peek(&tail);
        let _ = peek(&[b"SRVAULT\0\0\x01\0\0\0\0\x01\0", &tail[..]].concat());
    }
}
