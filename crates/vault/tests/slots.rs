//! Ways into a vault: who is let in, to what, and who is not any more.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CREDENTIAL, DEVICE, PASSWORD, Repeatable, at, kit, put, vault};
use strongroom_vault::{
    AuditorCode, ChangeError, Edit, Factors, KdfParams, Keeper, Kit, Machine, OpenError, Purpose, Reach, RecordError, RecordKind, SlotKind,
    Vault, Way, peek_slots,
};

const SHARE: [u8; 32] = [0x5E; 32];
const LAPTOP: [u8; 32] = [0x1A; 32];

fn changed(vault: &mut Vault, edits: &[Edit<'_>]) {
    let sealed = vault.change(edits, at(9_000), &mut Repeatable::new(9)).unwrap();
    vault.commit(sealed).unwrap();
}

fn refused(vault: &Vault, edits: &[Edit<'_>]) -> ChangeError {
    vault.change(edits, at(9_000), &mut Repeatable::new(9)).err().unwrap()
}

fn add<'a>(factors: Factors<'a>, label: &'a str, provider: &'a [u8]) -> Edit<'a> {
    Edit::AddSlot { factors, label, kdf: KdfParams::FLOOR, provider }
}

const fn shared(password: &[u8]) -> Factors<'_> {
    Factors::Shared { password, device: &DEVICE, share: &SHARE, keeper: Keeper::Pkcs11 }
}

const fn service(own: &'static [u8; 32], machine: Machine, keeper: Keeper) -> Factors<'static> {
    Factors::Service { own, machine, share: &SHARE, keeper }
}

const SERVICE: Factors<'static> = service(&LAPTOP, Machine::Keychain, Keeper::Transit);

#[test]
fn an_auditor_reads_the_log_and_opens_no_record() {
    let mut vault = vault();
    let code = AuditorCode::from_bytes(&[0x77; 32]);
    changed(&mut vault, &[add(Factors::Auditor(&code), "auditor", b"")]);
    let opened = Vault::open(vault.first_image().bytes(), Factors::Auditor(&code)).unwrap();
    assert_eq!(opened.opened_by().unwrap().kind, Some(SlotKind::Auditor));
    let key = vault.with_audit_read_key(<[u8]>::to_vec).unwrap();
    assert!(opened.with_audit_read_key(|own| own == key).unwrap());
    assert_eq!(opened.with_record(1, |_| ()), Err(RecordError::NotInThisSlot));
    assert_eq!(opened.derive_key(Purpose::State).err(), Some(RecordError::NotInThisSlot));
    assert_eq!(refused(&opened, &[Edit::Remove { id: 1 }]), ChangeError::NotInThisSlot);
    // The same bits as another kind of code are nobody's.
    let as_kit = Kit::from_bytes(&[0x77; 32]);
    assert_eq!(Vault::open(vault.first_image().bytes(), Factors::Kit(&as_kit)).err(), Some(OpenError::WrongFactors));
}

#[test]
fn a_service_opens_what_was_given_to_services_and_changes_nothing() {
    let mut vault = vault();
    let given = Edit::PutFor { reach: Reach::Services, id: 3, kind: RecordKind::Credential, plaintext: b"of a bot" };
    changed(&mut vault, &[add(SERVICE, "gateway", b"transit"), given]);
    let file = vault.first_image().bytes().to_vec();
    let opened = Vault::open(&file, SERVICE).unwrap();
    assert!(opened.with_record(3, |plaintext| plaintext == b"of a bot").unwrap());
    assert_eq!(opened.with_record(1, |_| ()), Err(RecordError::NotInThisSlot));
    assert_eq!(opened.with_audit_read_key(|_| ()), Err(RecordError::NotInThisSlot));
    assert_eq!(opened.derive_key(Purpose::Totp).err(), Some(RecordError::NotInThisSlot));
    assert_eq!(refused(&opened, &[Edit::Remove { id: 3 }]), ChangeError::NotInThisSlot);
    // Persons open it, too, and keep its reach when they write it again.
    assert!(vault.with_record(3, |plaintext| plaintext == b"of a bot").unwrap());
    changed(&mut vault, &[put(3, RecordKind::Credential, b"rotated")]);
    let again = Vault::open(vault.first_image().bytes(), SERVICE).unwrap();
    assert!(again.with_record(3, |plaintext| plaintext == b"rotated").unwrap());
    // Taken back: the same service opens it no more.
    let back = Edit::PutFor { reach: Reach::Persons, id: 3, kind: RecordKind::Credential, plaintext: b"rotated" };
    changed(&mut vault, &[back]);
    let again = Vault::open(vault.first_image().bytes(), SERVICE).unwrap();
    assert_eq!(again.with_record(3, |_| ()), Err(RecordError::NotInThisSlot));
}

#[test]
fn a_shared_slot_needs_all_three_and_its_own_provider() {
    let mut vault = vault();
    changed(&mut vault, &[add(shared(b"with a token"), "token", b"pkcs11:token=desk")]);
    let file = vault.first_image().bytes().to_vec();
    let [_, _, token] = &peek_slots(&file).unwrap()[..] else { panic!("three slots") };
    assert_eq!(
        (token.kind, token.keeper, token.provider.as_slice()),
        (Some(SlotKind::Hsm), Some(Keeper::Pkcs11), &b"pkcs11:token=desk"[..])
    );
    assert_eq!((token.label.as_str(), token.kdf), ("token", Some(KdfParams::FLOOR)));
    assert!(Vault::open(&file, shared(b"with a token")).unwrap().with_record(1, |plaintext| plaintext == CREDENTIAL).unwrap());
    let other = Factors::Shared { password: b"with a token", device: &DEVICE, share: &[0; 32], keeper: Keeper::Pkcs11 };
    assert_eq!(Vault::open(&file, other).err(), Some(OpenError::WrongFactors));
    let elsewhere = Factors::Shared { password: b"with a token", device: &DEVICE, share: &SHARE, keeper: Keeper::Transit };
    assert_eq!(Vault::open(&file, elsewhere).err(), Some(OpenError::NoSuchSlot(SlotKind::Hsm)));
    assert_eq!(Vault::open(&file, Factors::Password { password: b"with a token", device: &DEVICE }).err(), Some(OpenError::WrongFactors));
    // The account of the share is sealed with the slot: another one in its place is noticed.
    let at = file.windows(5).position(|window| window == b"=desk").unwrap();
    let mut forged = file.clone();
    forged[at + 1..at + 5].copy_from_slice(b"evil");
    assert!(matches!(Vault::open(&forged, shared(b"with a token")).err(), Some(OpenError::Damaged(_))));
}

#[test]
fn persons_come_and_go_without_each_other() {
    let mut vault = vault();
    let second = Factors::Password { password: b"the second person", device: &LAPTOP };
    changed(&mut vault, &[add(second, "second", b"")]);
    let first = Factors::Password { password: PASSWORD, device: &DEVICE };
    let file = vault.first_image().bytes().to_vec();
    for (factors, slot) in [(first, 1), (second, 3)] {
        assert_eq!(Vault::open(&file, factors).unwrap().opened_by().unwrap().id, slot);
        assert_eq!(Vault::open_slot(&file, Some(4 - slot), factors).err(), Some(OpenError::WrongFactors));
    }
    // The first one's new password leaves the second one's alone, number and name stay.
    let renewed = Factors::Password { password: b"another password", device: &DEVICE };
    changed(&mut vault, &[Edit::ReplaceFactors { slot: 1, factors: renewed, kdf: KdfParams::FLOOR, provider: b"" }]);
    let file = vault.first_image().bytes().to_vec();
    assert_eq!(Vault::open(&file, first).err(), Some(OpenError::WrongFactors));
    assert_eq!(Vault::open(&file, renewed).unwrap().opened_by().unwrap().id, 1);
    assert_eq!(Vault::open(&file, second).unwrap().opened_by().unwrap().label, "second");
    changed(&mut vault, &[Edit::RemoveSlot { slot: 3 }]);
    assert_eq!(Vault::open(vault.first_image().bytes(), second).err(), Some(OpenError::WrongFactors));
}

#[test]
fn no_way_out() {
    let vault = vault();
    let code = AuditorCode::from_bytes(&[1; 32]);
    let auditor = Factors::Auditor(&code);
    let weak = KdfParams { memory_kib: 1_024, ..KdfParams::FLOOR };
    let person = Factors::Password { password: b"x", device: &DEVICE };
    assert_eq!(refused(&vault, &[Edit::RemoveSlot { slot: 1 }]), ChangeError::LastWay);
    assert_eq!(refused(&vault, &[Edit::RemoveSlot { slot: 2 }]), ChangeError::LastWay, "the kit");
    assert_eq!(refused(&vault, &[Edit::RemoveSlot { slot: 9 }]), ChangeError::UnknownSlot(9));
    assert_eq!(refused(&vault, &[add(auditor, "a\nb", b"")]), ChangeError::BadDetails);
    assert_eq!(refused(&vault, &[add(auditor, "", &[0; 5_000])]), ChangeError::BadDetails);
    let replace = |slot, factors| Edit::ReplaceFactors { slot, factors, kdf: KdfParams::FLOOR, provider: b"" };
    assert_eq!(refused(&vault, &[replace(1, auditor)]), ChangeError::OtherSlotKind(1));
    assert_eq!(refused(&vault, &[replace(7, auditor)]), ChangeError::UnknownSlot(7));
    let one = Edit::AddSlot { factors: person, label: "", kdf: weak, provider: b"" };
    assert_eq!(refused(&vault, &[one]), ChangeError::KdfOutOfBounds(weak));
    let many: Vec<_> = (0..15).map(|_| add(auditor, "", b"")).collect();
    assert_eq!(refused(&vault, &many), ChangeError::TooManySlots);
}

/// The same bytes from another keeper, or for another slot of its kind, are another key's.
#[test]
fn what_a_tpm_sealed_opens_its_own_slot_alone() {
    let mut vault = vault();
    let with_tpm = service(&LAPTOP, Machine::Tpm, Keeper::Transit);
    changed(&mut vault, &[add(with_tpm, "gateway", b"tpm and transit")]);
    let file = vault.first_image().bytes().to_vec();
    let opened = Vault::open(&file, with_tpm).unwrap();
    assert_eq!(opened.with_record(1, |_| ()), Err(RecordError::NotInThisSlot));
    let head = opened.opened_by().unwrap();
    assert_eq!((head.kind, head.machine, head.words()), (Some(SlotKind::Service), Some(Machine::Tpm), "service with TPM"));
    for other in [
        SERVICE,
        service(&LAPTOP, Machine::Tpm, Keeper::Pkcs11),
        service(&SHARE, Machine::Tpm, Keeper::Transit),
        Factors::Service { own: &LAPTOP, machine: Machine::Tpm, share: &LAPTOP, keeper: Keeper::Transit },
    ] {
        assert!(Vault::open(&file, other).is_err());
    }
    changed(&mut vault, &[add(SERVICE, "keychain", b"transit")]);
    let file = vault.first_image().bytes().to_vec();
    assert_eq!(Vault::open(&file, with_tpm).unwrap().opened_by().unwrap().id, 3);
    assert_eq!(Vault::open(&file, SERVICE).unwrap().opened_by().unwrap().id, 4);
    assert!(Vault::open_slot(&file, Some(3), SERVICE).is_err());
    assert!(Vault::open_slot(&file, Some(4), with_tpm).is_err());
}

#[test]
fn a_rekeyed_vault_is_closed_to_whoever_had_a_key() {
    let mut vault = vault();
    changed(&mut vault, &[add(SERVICE, "gateway", b"transit")]);
    let before = vault.first_image().bytes().to_vec();
    let state = vault.derive_key(Purpose::State).unwrap();
    let log = vault.with_audit_read_key(<[u8]>::to_vec).unwrap();
    let new_kit = Kit::from_bytes(&[0x4B; 32]);
    let person = Factors::Password { password: PASSWORD, device: &DEVICE };
    let way = |slot, factors| Way { slot, factors, label: "", kdf: KdfParams::FLOOR, provider: b"" };
    let sealed = vault
        .rekey(&[way(1, person), way(2, Factors::Kit(&new_kit))], Some(vault.next_record_id()), at(9_000), &mut Repeatable::new(5))
        .unwrap();
    vault.commit(sealed).unwrap();
    let file = vault.first_image().bytes().to_vec();
    for factors in [person, Factors::Kit(&new_kit)] {
        let opened = Vault::open(&file, factors).unwrap();
        assert!(opened.with_record(1, |plaintext| plaintext == CREDENTIAL).unwrap());
        assert!(opened.with_audit_read_key(|own| own == log).unwrap(), "the log stays readable");
        let own = opened.derive_key(Purpose::State).unwrap();
        assert!(own.expose(|own| state.expose(|old| own != old)));
    }
    assert_eq!(Vault::open(&file, Factors::Kit(&kit())).err(), Some(OpenError::WrongFactors));
    assert_eq!(Vault::open(&file, SERVICE).err(), Some(OpenError::NoSuchSlot(SlotKind::Service)));
    // No ciphertext of before is left in the new file, and a change goes on from the new keys.
    let tail = |file: &[u8]| file[file.len() - 64..].to_vec();
    assert_ne!(tail(&before), tail(&file));
    let old_state = vault.records().find(|head| head.kind == RecordKind::OldStateKey).unwrap();
    assert!(vault.with_record(old_state.id, |own| state.expose(|old| own == old)).unwrap());
    // Interrupted before that key could be forgotten, and done again: one is there, the last one.
    let again = vault
        .rekey(&[way(1, person), way(2, Factors::Kit(&new_kit))], Some(vault.next_record_id()), at(9_000), &mut Repeatable::new(7))
        .unwrap();
    let state = vault.derive_key(Purpose::State).unwrap();
    vault.commit(again).unwrap();
    let old: Vec<u64> = vault.records().filter(|head| head.kind == RecordKind::OldStateKey).map(|head| head.id).collect();
    assert_eq!(old.len(), 1, "{old:?}");
    let old_state = vault.records().find(|head| head.kind == RecordKind::OldStateKey).unwrap();
    assert!(vault.with_record(old_state.id, |own| state.expose(|old| own == old)).unwrap());
    changed(&mut vault, &[Edit::Remove { id: old_state.id }, put(9, RecordKind::Credential, b"after")]);
    assert!(Vault::open(vault.first_image().bytes(), person).unwrap().with_record(9, |plaintext| plaintext == b"after").unwrap());
    let without_person = vault.rekey(&[way(2, Factors::Kit(&new_kit))], None, at(9_000), &mut Repeatable::new(5));
    assert_eq!(without_person.err(), Some(ChangeError::LastWay));
}

/// A kind that is not written yet by any program is kept like the others.
#[test]
fn records_of_every_kind_open_for_whom_they_are() {
    let mut vault = vault();
    let first = vault.next_record_id();
    let texts: Vec<String> = RecordKind::NUMBERS.iter().map(|(_, number)| format!("kind {number}")).collect();
    let rows = || RecordKind::NUMBERS.iter().zip(&texts).zip(first..);
    let edits: Vec<Edit<'_>> = rows()
        .map(|(((kind, number), text), id)| {
            let reach = if number % 2 == 0 { Reach::Services } else { Reach::Persons };
            Edit::PutFor { reach, id, kind: *kind, plaintext: text.as_bytes() }
        })
        .chain([add(SERVICE, "gateway", b"transit")])
        .collect();
    changed(&mut vault, &edits);
    let machine = Vault::open(vault.first_image().bytes(), SERVICE).unwrap();
    for (((kind, number), text), id) in rows() {
        assert!(vault.with_record(id, |plaintext| plaintext == text.as_bytes()).unwrap(), "{kind:?}");
        assert_eq!(machine.with_record(id, |_| ()).is_ok(), number % 2 == 0, "{kind:?}");
    }
}
