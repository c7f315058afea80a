//! The thread's work on a real folder, with a keychain in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use strongroom_vault_store::MemoryAnchor;

use super::*;

/// Every anchor that was asked for, by the vault's name.
#[derive(Clone, Default)]
struct Chain(Arc<Mutex<HashMap<[u8; 16], Arc<MemoryAnchor>>>>);

impl Chain {
    fn of(&self, vault_id: &[u8; 16]) -> Arc<MemoryAnchor> {
        Arc::clone(self.0.lock().unwrap().entry(*vault_id).or_default())
    }

    fn secrets(&self) -> usize {
        self.0.lock().unwrap().values().filter(|anchor| anchor.device_secret().unwrap().is_some()).count()
    }

    fn records(&self) -> usize {
        self.0.lock().unwrap().values().filter(|anchor| anchor.record().unwrap().is_some()).count()
    }
}

fn keep(dir: &std::path::Path) -> (Keep, Chain) {
    let chain = Chain::default();
    let anchors = chain.clone();
    (Keep::at(dir.to_owned(), Box::new(move |vault_id| Box::new(anchors.of(vault_id)))), chain)
}

/// A file that looks like a vault from outside.
fn image(vault_id: &[u8; 16], generation: u64, mac: u8) -> Vec<u8> {
    let mut fields = Vec::new();
    for (tag, value) in [(0x8001_u16, &vault_id[..]), (0x8002, &generation.to_be_bytes()), (0x8004, &[1; 46])] {
        fields.extend_from_slice(&tag.to_be_bytes());
        fields.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
        fields.extend_from_slice(value);
    }
    let len = u32::try_from(fields.len()).unwrap().to_be_bytes();
    [b"SRVAULT\0", &[0, 1, 0, 0][..], &len, &fields, &[mac; 32], &[mac; 500]].concat()
}

/// A file that looks like a state file from outside.
fn state(vault_id: &[u8; 16], generation: u64) -> Vec<u8> {
    [b"SRSTATE\0", &[0, 1][..], vault_id, &generation.to_be_bytes(), &[0; 100]].concat()
}

fn save(keep: &mut Keep, vault_id: &[u8; 16], generation: u64, by_kit: Option<KitOpening>) -> Result<(), KeepError> {
    let mac = u8::try_from(generation).unwrap();
    keep.save(Image::Vault { mac: vec![mac; 32], by_kit }, &image(vault_id, generation, mac), generation)
}

#[test]
fn a_vault_that_is_given_up_leaves_no_secret_in_the_keychain() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keep, chain) = keep(folder.path());
    let (given_up, _) = keep.create().unwrap();
    let (made, device) = keep.create().unwrap();
    assert_eq!(chain.secrets(), 0, "until a vault is saved, its secret is in no keychain");
    save(&mut keep, &made, 2, None).unwrap();
    assert!(chain.of(&made).device_secret().unwrap().unwrap() == device);
    assert_eq!(chain.secrets(), 1);
    // The other one goes on all the same: there is a vault now.
    assert!(save(&mut keep, &given_up, 2, None).is_err());
    assert!(chain.of(&given_up).device_secret().unwrap().is_none() && chain.secrets() == 1, "and the first one keeps its own");
    assert!(keep.opening(OpeningKey::Password).unwrap().device.unwrap() == device);
}

#[test]
fn a_vault_that_cannot_be_saved_leaves_nothing_in_the_keychain() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keep, chain) = keep(folder.path());
    let (vault_id, _) = keep.create().unwrap();
    let in_the_way = folder.path().join("vault.srv.tmp");
    std::fs::create_dir(&in_the_way).unwrap();
    let refused = save(&mut keep, &vault_id, 2, None).unwrap_err();
    assert!(refused.message.contains("vault.srv.tmp"), "{refused}");
    assert_eq!((chain.secrets(), chain.records()), (0, 0));
    std::fs::remove_dir(in_the_way).unwrap();
    // Of a vault that this desk does not know nothing is taken.
    assert!(save(&mut keep, &[5; 16], 2, None).is_err());
    assert!(!folder.path().join(VAULT_FILE).exists() && chain.secrets() == 0 && chain.records() == 0);
    let (vault_id, _) = keep.create().unwrap();
    save(&mut keep, &vault_id, 2, None).unwrap();
    assert_eq!((chain.secrets(), chain.records()), (1, 1));
}

#[test]
fn many_that_are_given_up_do_not_pile_up() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keep, chain) = keep(folder.path());
    let first = keep.create().unwrap().0;
    for _ in 0..50 {
        keep.create().unwrap();
    }
    assert!(save(&mut keep, &first, 2, None).is_err(), "it was begun too long ago");
    assert_eq!(chain.secrets(), 0);
}

#[test]
fn without_its_state_file_a_vault_opens_with_the_kit_alone() {
    for (name, code) in [("a folder", "state-unreadable"), ("a link", "state-unreadable"), ("damaged", "anchor")] {
        let folder = tempfile::tempdir().unwrap();
        let (mut keep, _) = keep(folder.path());
        let (vault_id, _) = keep.create().unwrap();
        save(&mut keep, &vault_id, 2, None).unwrap();
        keep.save(Image::State, &state(&vault_id, 7), 7).unwrap();
        let opening = keep.opening(OpeningKey::Kit { generation: None }).unwrap();
        assert!(opening.state.is_some() && opening.by_kit.unwrap().state_lost.is_none(), "{name}");
        let path = folder.path().join("state.srs");
        std::fs::remove_file(&path).unwrap();
        match name {
            "a folder" => std::fs::create_dir(&path).unwrap(),
            "a link" => std::os::unix::fs::symlink("/dev/null", &path).unwrap(),
            _ => std::fs::write(&path, b"nothing").unwrap(),
        }
        let refused = keep.opening(OpeningKey::Password).err().unwrap();
        assert_eq!(refused.code, code, "{name}: {refused}");
        for words in ["state file", "Nothing was opened", "strongroom vault recover", "the kill switch is engaged"] {
            assert!(refused.message.contains(words), "{name}: {refused}");
        }
        let opening = keep.opening(OpeningKey::Kit { generation: None }).unwrap();
        assert!(opening.state.is_none() && opening.trouble.is_some(), "{name}");
        assert_eq!(opening.by_kit.unwrap().state_lost, Some(7), "{name}");
        save(&mut keep, &vault_id, 3, opening.by_kit).unwrap();
        keep.save(Image::State, &state(&vault_id, 8), 8).unwrap();
        assert!(keep.opening(OpeningKey::Password).unwrap().state.is_some(), "{name}: in order again");
        // What was kept from before does not bring back what it remembered.
        std::fs::write(&path, state(&vault_id, 7)).unwrap();
        assert_eq!(keep.opening(OpeningKey::Password).err().unwrap().code, "anchor", "{name}");
    }
}

#[test]
fn what_a_backup_takes_the_place_of_is_kept_whatever_it_is() {
    let no_file: [&dyn Fn(&std::path::Path); 2] =
        [&|path| std::fs::create_dir(path).unwrap(), &|path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap()];
    for put in no_file {
        let folder = tempfile::tempdir().unwrap();
        let (mut keep, _) = keep(folder.path());
        let (vault_id, _) = keep.create().unwrap();
        save(&mut keep, &vault_id, 2, None).unwrap();
        save(&mut keep, &vault_id, 3, None).unwrap();
        let (file, kept) = (folder.path().join(VAULT_FILE), folder.path().join("vault.replaced"));
        for replaced in [kept.clone(), folder.path().join("vault.replaced.1")] {
            let opening = keep.opening(OpeningKey::Kit { generation: Some(2) }).unwrap();
            let before = std::fs::read(&file).unwrap();
            save(&mut keep, &vault_id, 3, opening.by_kit).unwrap();
            assert_eq!(std::fs::read(replaced).unwrap(), before);
        }
        std::fs::remove_file(&file).unwrap();
        put(&file);
        let refused = keep.opening(OpeningKey::Password).err().unwrap();
        assert!(refused.message.contains("is no file") && refused.message.contains("vault restore 2"), "{refused}");
        let opening = keep.opening(OpeningKey::Kit { generation: Some(2) }).unwrap();
        save(&mut keep, &vault_id, 3, opening.by_kit).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), image(&vault_id, 3, 3));
        assert!(!std::fs::symlink_metadata(folder.path().join("vault.replaced.2")).unwrap().is_file(), "it made room");
    }
}

#[test]
fn a_vault_that_nothing_is_remembered_of_has_lost_its_state_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keep, chain) = keep(folder.path());
    let (vault_id, _) = keep.create().unwrap();
    save(&mut keep, &vault_id, 2, None).unwrap();
    let opening = |keep: &mut Keep| keep.opening(OpeningKey::Kit { generation: None }).unwrap().by_kit.unwrap();
    assert_eq!(opening(&mut keep).state_lost, None, "it never had one");
    chain.of(&vault_id).forget().unwrap();
    assert_eq!(opening(&mut keep).state_lost, Some(0));
}
