//! Files of format 1.0 open for ever, and this program still writes them byte for byte.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CREDENTIAL, DEVICE, PASSWORD, kit, vault};
use strongroom_vault::{Factors, Kit, RecordKind, Vault};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/vault-1.0.txt");

fn field(text: &str, name: &str) -> String {
    let start = format!("{name}: ");
    text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().to_owned()
}

#[test]
fn format_1_0() {
    if std::env::var_os("STRONGROOM_WRITE_VECTORS").is_some() {
        let kit_text = kit().with_text(str::to_owned);
        let lines = [
            "# A vault of format 1.0 in its second generation, written 2026-11-23 by this crate's tests/vectors.rs.".to_owned(),
            "# Randomness: SHA-256(0x01 || count u64) for count 0, 1, ...; see tests/common/mod.rs.".to_owned(),
            format!("password: {}", std::str::from_utf8(PASSWORD).unwrap()),
            format!("device: {}", hex::encode(DEVICE)),
            format!("kit: {kit_text}"),
            format!("record 1 credential: {}", std::str::from_utf8(CREDENTIAL).unwrap()),
            "record 2 policy: {}".to_owned(),
            format!("file: {}", hex::encode(vault().first_image().bytes())),
        ];
        std::fs::write(PATH, lines.join("\n") + "\n").unwrap();
    }
    let text = std::fs::read_to_string(PATH).unwrap();
    let file = hex::decode(field(&text, "file")).unwrap();
    let device: [u8; 32] = hex::decode(field(&text, "device")).unwrap().try_into().unwrap();
    let password = field(&text, "password");
    let kit = Kit::parse(field(&text, "kit").as_bytes()).unwrap();

    let by_password = Vault::open(&file, Factors::Password { password: password.as_bytes(), device: &device }).unwrap();
    let by_kit = Vault::open(&file, Factors::Kit(&kit)).unwrap();
    for opened in [by_password, by_kit] {
        assert_eq!(opened.records().map(|head| head.kind).collect::<Vec<_>>(), [RecordKind::Credential, RecordKind::Policy]);
        assert!(opened.with_record(1, |plaintext| plaintext == field(&text, "record 1 credential").as_bytes()).unwrap());
        assert!(opened.with_record(2, |plaintext| plaintext == b"{}").unwrap());
    }
    assert!(vault().first_image().bytes() == file, "the same inputs give other bytes now");
}
