//! The real keychain, when there is one to try: STRONGROOM_TEST_KEYCHAIN=1 in a session with an unlocked Secret Service,
//! `=absent` in one without, `=locked` in one where it is locked, `=session` in one that forgets at logout.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

use strongroom_vault_store::{Anchor, AnchorRecord, Keychain, KeychainAnchor, KeychainError, Mark, Sha256Hash, make_device_secret};

#[test]
fn the_keychain_of_this_session() {
    match std::env::var("STRONGROOM_TEST_KEYCHAIN").as_deref() {
        Ok("1") => keeps_both_items_apart(),
        Ok("absent") => assert_eq!(Keychain::probe(), Err(KeychainError::Absent)),
        Ok("locked") => assert_eq!(Keychain::probe(), Err(KeychainError::Locked)),
        Ok("session") => assert_eq!(Keychain::probe(), Err(KeychainError::NotPersistent)),
        _ => eprintln!("STRONGROOM_TEST_KEYCHAIN is not set: the real keychain was not tried"),
    }
}

fn keeps_both_items_apart() {
    Keychain::probe().unwrap();
    let (ours, theirs) = (KeychainAnchor::new(&[0xEE; 16]), KeychainAnchor::new(&[0xEF; 16]));
    ours.forget().unwrap();
    assert!(ours.device_secret().unwrap().is_none() && ours.record().unwrap().is_none());
    let secret = make_device_secret(&ours).unwrap();
    let mark = Mark { generation: u64::MAX, mac: [0xAB; 32], kdf_hash: [0xCD; 32], sha256: Some(Sha256Hash([0xEF; 32])) };
    let mut record = AnchorRecord { committed: Some(mark), pending: None, state_generation: 3, fail_counter: 1, kit_fail_counter: 0 };
    for fail_counter in 1..4 {
        record.fail_counter = fail_counter;
        ours.set_record(&record).unwrap();
        assert_eq!(ours.record().unwrap(), Some(record));
    }
    assert!(ours.device_secret().unwrap().unwrap() == secret);
    assert!(theirs.device_secret().unwrap().is_none());
    ours.forget().unwrap();
    assert!(ours.device_secret().unwrap().is_none() && ours.record().unwrap().is_none());
    assert_eq!(Keychain::probe(), Ok(()));
}
