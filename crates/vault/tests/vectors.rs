//! Files of every format open for ever, and this program still writes them byte for byte.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CREDENTIAL, DEVICE, PASSWORD, Repeatable, at, kit, vault};
use strongroom_vault::{AuditorCode, Edit, Factors, KdfParams, Keeper, Kit, Machine, Reach, RecordKind, SlotKind, Vault, peek_slots};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

/// A file of vectors, written anew when `STRONGROOM_WRITE_VECTORS` is set.
fn vectors(version: &str, lines: impl FnOnce() -> Vec<String>) -> String {
    let path = format!("{FOLDER}/vault-{version}.txt");
    if std::env::var_os("STRONGROOM_WRITE_VECTORS").is_some() {
        std::fs::write(&path, lines().join("\n") + "\n").unwrap();
    }
    std::fs::read_to_string(&path).unwrap()
}

fn field(text: &str, name: &str) -> String {
    let start = format!("{name}: ");
    text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().to_owned()
}

fn bytes<const LEN: usize>(text: &str, name: &str) -> [u8; LEN] {
    hex::decode(field(text, name)).unwrap().try_into().unwrap()
}

fn person_and_kit() -> Vec<String> {
    vec![
        "# Randomness: SHA-256(0x01 || count u64) for count 0, 1, ...; see tests/common/mod.rs.".to_owned(),
        format!("password: {}", std::str::from_utf8(PASSWORD).unwrap()),
        format!("device: {}", hex::encode(DEVICE)),
        format!("kit: {}", kit().with_text(str::to_owned)),
        format!("record 1 credential: {}", std::str::from_utf8(CREDENTIAL).unwrap()),
        "record 2 policy: {}".to_owned(),
    ]
}

#[test]
fn format_1_0() {
    let text = vectors("1.0", || {
        let head = "# A vault of format 1.0 in its second generation, written 2026-11-23 by this crate's tests/vectors.rs.".to_owned();
        let file = format!("file: {}", hex::encode(vault().first_image().bytes()));
        [vec![head], person_and_kit(), vec![file]].concat()
    });
    let file = hex::decode(field(&text, "file")).unwrap();
    let (device, password) = (bytes(&text, "device"), field(&text, "password"));
    let kit = Kit::parse(field(&text, "kit").as_bytes()).unwrap();
    for factors in [Factors::Password { password: password.as_bytes(), device: &device }, Factors::Kit(&kit)] {
        let opened = Vault::open(&file, factors).unwrap();
        assert_eq!(opened.records().map(|head| head.kind).collect::<Vec<_>>(), [RecordKind::Credential, RecordKind::Policy]);
        assert!(opened.with_record(1, |plaintext| plaintext == field(&text, "record 1 credential").as_bytes()).unwrap());
        assert!(opened.with_record(2, |plaintext| plaintext == b"{}").unwrap());
    }
    assert!(vault().first_image().bytes() == file, "the same inputs give other bytes now");
}

const fn service<'a>(own: &'a [u8; 32], machine: Machine, share: &'a [u8; 32], keeper: Keeper) -> Factors<'a> {
    Factors::Service { own, machine, share, keeper }
}

/// The vault above with a slot of each further kind, and a record for services.
fn vault_1_1() -> Vault {
    let mut vault = vault();
    let auditor = AuditorCode::from_bytes(&[0xA0; 32]);
    let add = |factors, label, provider| Edit::AddSlot { factors, label, kdf: KdfParams::FLOOR, provider };
    let edits = [
        add(Factors::Password { password: b"a second person", device: &[0xD6; 32] }, "second", b""),
        add(
            Factors::Shared { password: b"with a token", device: &DEVICE, share: &[0x55; 32], keeper: Keeper::Pkcs11 },
            "token",
            b"the token's account",
        ),
        add(service(&[0xD7; 32], Machine::Keychain, &[0x56; 32], Keeper::Transit), "gateway", b"the server's account"),
        add(Factors::Auditor(&auditor), "auditor", b""),
        Edit::PutFor { reach: Reach::Services, id: 3, kind: RecordKind::Credential, plaintext: b"of a bot" },
    ];
    let sealed = vault.change(&edits, at(3_000), &mut Repeatable::new(2)).unwrap();
    vault.commit(sealed).unwrap();
    vault
}

#[test]
fn format_1_1() {
    let text = vectors("1.1", || {
        let head = "# The vault of vault-1.0.txt in its third generation, format 1.1, written 2026-11-27 by this crate's tests/vectors.rs.";
        let lines = [
            "# Randomness of this generation: SHA-256(0x02 || count u64) for count 0, 1, ...".to_owned(),
            "second password: a second person".to_owned(),
            format!("second device: {}", hex::encode([0xD6; 32])),
            "token password: with a token".to_owned(),
            format!("token share: {}", hex::encode([0x55; 32])),
            format!("service device: {}", hex::encode([0xD7; 32])),
            format!("service share: {}", hex::encode([0x56; 32])),
            format!("auditor code: {}", AuditorCode::from_bytes(&[0xA0; 32]).with_text(str::to_owned)),
            "record 3 credential, for services: of a bot".to_owned(),
            format!("file: {}", hex::encode(vault_1_1().first_image().bytes())),
        ];
        [vec![head.to_owned()], person_and_kit(), lines.to_vec()].concat()
    });
    let file = hex::decode(field(&text, "file")).unwrap();
    let (device, second) = (bytes(&text, "device"), bytes(&text, "second device"));
    let (token, own, share) = (bytes(&text, "token share"), bytes(&text, "service device"), bytes(&text, "service share"));
    let (password, second_password, with_token) =
        (field(&text, "password"), field(&text, "second password"), field(&text, "token password"));
    let kit = Kit::parse(field(&text, "kit").as_bytes()).unwrap();
    let auditor = AuditorCode::parse(field(&text, "auditor code").as_bytes()).unwrap();
    let rows = [
        (Factors::Password { password: password.as_bytes(), device: &device }, 1, true, true),
        (Factors::Kit(&kit), 2, true, true),
        (Factors::Password { password: second_password.as_bytes(), device: &second }, 3, true, true),
        (Factors::Shared { password: with_token.as_bytes(), device: &device, share: &token, keeper: Keeper::Pkcs11 }, 4, true, true),
        (service(&own, Machine::Keychain, &share, Keeper::Transit), 5, false, true),
        (Factors::Auditor(&auditor), 6, false, false),
    ];
    for (factors, slot, opens_first, opens_third) in rows {
        let opened = Vault::open(&file, factors).unwrap();
        assert_eq!(opened.opened_by().unwrap().id, slot);
        assert_eq!(opened.with_record(1, |plaintext| plaintext == CREDENTIAL).is_ok_and(|same| same), opens_first, "slot {slot}");
        assert_eq!(opened.with_record(3, |plaintext| plaintext == b"of a bot").is_ok_and(|same| same), opens_third, "slot {slot}");
    }
    let heads = peek_slots(&file).unwrap();
    let named: Vec<_> = heads.iter().map(|head| (head.kind.unwrap(), head.label.as_str(), head.provider.len())).collect();
    assert_eq!(
        named,
        [
            (SlotKind::PasswordDevice, "", 0),
            (SlotKind::RecoveryKit, "", 0),
            (SlotKind::PasswordDevice, "second", 0),
            (SlotKind::Hsm, "token", 19),
            (SlotKind::Service, "gateway", 20),
            (SlotKind::Auditor, "auditor", 0),
        ]
    );
    assert!(vault_1_1().first_image().bytes() == file, "the same inputs give other bytes now");
}

/// The vault above with a machine whose own secret a TPM sealed.
fn vault_1_1_tpm() -> Vault {
    let mut vault = vault_1_1();
    let factors = service(&[0xD8; 32], Machine::Tpm, &[0x57; 32], Keeper::Pkcs11);
    let slot = Edit::AddSlot { factors, label: "cage 7", kdf: KdfParams::FLOOR, provider: b"the TPM's account and the token's" };
    let sealed = vault.change(&[slot], at(4_000), &mut Repeatable::new(3)).unwrap();
    vault.commit(sealed).unwrap();
    vault
}

#[test]
fn format_1_1_with_a_tpm() {
    let text = vectors("1.1-tpm", || {
        let lines = [
            "# The vault of vault-1.1.txt in its fourth generation, written 2026-11-27 by this crate's tests/vectors.rs.".to_owned(),
            "# Randomness of this generation: SHA-256(0x03 || count u64) for count 0, 1, ...".to_owned(),
            format!("TPM secret: {}", hex::encode([0xD8; 32])),
            format!("token share: {}", hex::encode([0x57; 32])),
            "record 3 credential, for services: of a bot".to_owned(),
            format!("file: {}", hex::encode(vault_1_1_tpm().first_image().bytes())),
        ];
        lines.to_vec()
    });
    let file = hex::decode(field(&text, "file")).unwrap();
    let (own, share) = (bytes(&text, "TPM secret"), bytes(&text, "token share"));
    let opened = Vault::open(&file, service(&own, Machine::Tpm, &share, Keeper::Pkcs11)).unwrap();
    let head = opened.opened_by().unwrap();
    assert_eq!((head.id, head.label.as_str(), head.machine, head.keeper), (7, "cage 7", Some(Machine::Tpm), Some(Keeper::Pkcs11)));
    assert!(opened.with_record(3, |plaintext| plaintext == b"of a bot").unwrap());
    assert!(opened.with_record(1, |_| ()).is_err());
    assert!(vault_1_1_tpm().first_image().bytes() == file, "the same inputs give other bytes now");
}
