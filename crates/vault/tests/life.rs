//! The life of a vault: made, opened, changed, opened by other means.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CREDENTIAL, DEVICE, PASSWORD, Repeatable, at, kit, put, vault};
use strongroom_vault::{
    ChangeError, CreateError, Edit, Entropy, EntropyError, Factors, KdfParams, Kit, NewVault, OpenError, PasswordError, Purpose,
    RecordError, RecordKind, SystemEntropy, Vault, open_state, peek, seal_state,
};

#[test]
fn both_slots_open_the_same_vault() {
    let vault = vault();
    let file = vault.first_image().bytes().to_vec();
    let by_password = Vault::open(&file, Factors::Password { password: PASSWORD, device: &DEVICE }).unwrap();
    let by_kit = Vault::open(&file, Factors::Kit(&kit())).unwrap();
    for opened in [&by_password, &by_kit] {
        assert_eq!(opened.header(), peek(&file).unwrap());
        assert_eq!((opened.generation(), opened.policy_epoch(), opened.next_record_id()), (2, 1, 3));
        let heads: Vec<_> = opened.records().map(|head| (head.id, head.kind, head.version)).collect();
        assert_eq!(heads, [(1, RecordKind::Credential, 2), (2, RecordKind::Policy, 2)]);
        assert!(opened.with_record(1, |plaintext| plaintext == CREDENTIAL).unwrap());
        assert_eq!(opened.with_record(9, |_| ()), Err(RecordError::Unknown(9)));
    }
    let audit = by_kit.with_audit_read_key(<[u8]>::to_vec).unwrap();
    assert!(by_password.with_audit_read_key(|key| key == audit).unwrap());
    // A password in another normal form is the same password; another password or another device is not.
    let decomposed = "correct horse, Zu\u{308}rich".as_bytes();
    assert_eq!(by_kit.check_password(decomposed, &DEVICE), Ok(1));
    assert_eq!(by_kit.check_password(b"correct horse, Zurich", &DEVICE), Err(OpenError::WrongFactors));
    assert_eq!(by_kit.check_password(PASSWORD, &[0; 32]), Err(OpenError::WrongFactors));
    let other = Kit::from_bytes(&[0; 32]);
    assert_eq!(Vault::open(&file, Factors::Kit(&other)).err(), Some(OpenError::WrongFactors));
}

#[test]
fn a_change_counts_when_it_was_committed() {
    let mut vault = vault();
    let mut chance = Repeatable::new(2);
    let first =
        vault.change(&[put(3, RecordKind::TotpSeed, b"seed"), put(1, RecordKind::Credential, b"rotated")], at(3_000), &mut chance).unwrap();
    let second = vault.change(&[Edit::Remove { id: 1 }], at(3_000), &mut chance).unwrap();
    assert!(vault.with_record(1, |plaintext| plaintext == CREDENTIAL).unwrap(), "nothing was committed");
    assert_eq!((first.generation(), second.generation()), (3, 3));
    vault.commit(first).unwrap();
    assert!(vault.commit(second).is_err(), "both were built on generation 2");
    assert!(vault.with_record(1, |plaintext| plaintext == b"rotated").unwrap());
    assert!(vault.with_record(2, |plaintext| plaintext == b"{}").unwrap(), "carried over under a new wrapping key");

    let removed = vault.change(&[Edit::Remove { id: 3 }], at(4_000), &mut chance).unwrap();
    vault.commit(removed).unwrap();
    assert_eq!(vault.with_record(3, |_| ()), Err(RecordError::Unknown(3)));
    let reuse = vault.change(&[put(3, RecordKind::TotpSeed, b"seed")], at(5_000), &mut chance);
    assert_eq!(reuse.err(), Some(ChangeError::BadId(3)), "a number never means another secret");
    let again = Vault::open(vault.first_image().bytes(), Factors::Kit(&kit())).unwrap();
    assert_eq!((again.generation(), again.next_record_id(), again.records().count()), (4, 4, 2));
}

/// Other factors for the first person.
const fn person<'a>(password: &'a [u8], device: &'a [u8; 32], kdf: KdfParams) -> Edit<'a> {
    Edit::ReplaceFactors { slot: 1, factors: Factors::Password { password, device }, kdf, provider: b"" }
}

#[test]
fn impossible_changes_change_nothing() {
    let vault = vault();
    let mut chance = Repeatable::new(2);
    let long = vec![0; strongroom_vault::RECORD_LEN_MAX + 1];
    let weak = KdfParams { memory_kib: 1_024, ..KdfParams::FLOOR };
    for (edits, expected) in [
        (vec![Edit::Remove { id: 7 }], ChangeError::Unknown(7)),
        (vec![put(1, RecordKind::TotpSeed, b"x")], ChangeError::OtherKind(1)),
        (vec![put(5, RecordKind::TotpSeed, b"x"), Edit::Remove { id: 5 }], ChangeError::Twice(5)),
        (vec![put(5, RecordKind::TotpSeed, &long)], ChangeError::TooLong(5)),
        (vec![put(u64::MAX, RecordKind::TotpSeed, b"")], ChangeError::BadId(u64::MAX)),
        (vec![put(0, RecordKind::TotpSeed, b"")], ChangeError::BadId(0)),
        (vec![person(b"", &DEVICE, KdfParams::FLOOR)], ChangeError::Password(PasswordError::Empty)),
        (vec![person(b"x", &DEVICE, weak)], ChangeError::KdfOutOfBounds(weak)),
    ] {
        assert_eq!(vault.change(&edits, at(3_000), &mut chance).err(), Some(expected));
    }
    let most = u64::try_from(strongroom_vault::RECORDS_MAX).unwrap();
    let many: Vec<_> = (3..most + 2).map(|id| put(id, RecordKind::Credential, b"x")).collect();
    assert_eq!(vault.change(&many, at(3_000), &mut chance).err(), Some(ChangeError::TooMany));
    assert!(vault.change(&many[1..], at(3_000), &mut chance).is_ok(), "as many as may be");
}

#[test]
fn a_new_password_and_a_new_kit_replace_the_old_ones() {
    let mut vault = vault();
    let new_kit = Kit::make(&mut SystemEntropy).unwrap();
    let edits = [
        person(b"another", &[7; 32], KdfParams { passes: 4, ..KdfParams::FLOOR }),
        Edit::ReplaceFactors { slot: 2, factors: Factors::Kit(&new_kit), kdf: KdfParams::FLOOR, provider: b"" },
    ];
    let sealed = vault.change(&edits[..1], at(3_000), &mut SystemEntropy).unwrap();
    vault.commit(sealed).unwrap();
    assert!(Vault::open(vault.first_image().bytes(), Factors::Kit(&kit())).is_ok(), "a new password keeps the printed kit");
    let sealed = vault.change(&edits[1..], at(4_000), &mut SystemEntropy).unwrap();
    let file = sealed.bytes().to_vec();
    assert_eq!(vault.slots()[0].kdf.map(|kdf| kdf.passes), Some(4));
    assert_eq!(Vault::open(&file, Factors::Kit(&kit())).err(), Some(OpenError::WrongFactors));
    let opened = Vault::open(&file, Factors::Kit(&new_kit)).unwrap();
    assert_eq!(opened.check_password(b"another", &[7; 32]), Ok(1));
    assert_eq!(opened.check_password(PASSWORD, &DEVICE), Err(OpenError::WrongFactors));
}

#[test]
fn vaults_that_must_not_exist_are_not_made() {
    struct Dry;
    impl Entropy for Dry {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }
    let weak = KdfParams { passes: 2, ..KdfParams::FLOOR };
    let spec = |kdf| NewVault { vault_id: [1; 16], kdf, at: at(0) };
    let made = Vault::create(spec(weak), PASSWORD, &DEVICE, &kit(), &mut SystemEntropy);
    assert_eq!(made.err(), Some(CreateError::KdfOutOfBounds(weak)));
    assert_eq!(Vault::create(spec(KdfParams::FLOOR), PASSWORD, &DEVICE, &kit(), &mut Dry).err(), Some(CreateError::Entropy(EntropyError)));
}

#[test]
fn the_state_file_belongs_to_one_vault_and_one_generation() {
    let vault = vault();
    let key = vault.derive_key(Purpose::State).unwrap();
    let other = vault.derive_key(Purpose::Totp).unwrap();
    let sealed = seal_state(&key, vault.id(), 12, b"counters", &mut SystemEntropy).unwrap();
    let (generation, plaintext) = open_state(&key, vault.id(), &sealed).ok().unwrap();
    assert!(generation == 12 && plaintext.expose(|bytes| bytes == b"counters"));
    assert!(open_state(&other, vault.id(), &sealed).is_err());
    assert!(open_state(&key, &[0; 16], &sealed).is_err());
    for at in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 1;
        assert!(open_state(&key, vault.id(), &flipped).is_err(), "byte {at}");
        assert!(open_state(&key, vault.id(), &sealed[..at]).is_err(), "cut at {at}");
    }
}
