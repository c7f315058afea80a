//! A vault's folder on a real disk.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used)]

#[path = "common/image.rs"]
mod image;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use image::image;
use strongroom_vault_store::{
    ASIDE_MAX, Anchor, AnchorVerdict, Attempt, AttemptEnd, BACKUPS_MAX, KeychainError, LoadError, MemoryAnchor, Obstacle, RestoreError,
    SaveError, Saved, SetupError, StateFile, Store, make_device_secret,
};

fn store(dir: &Path) -> (Store, Arc<MemoryAnchor>) {
    let anchor = Arc::new(MemoryAnchor::default());
    (Store::create(dir.join("vault"), Box::new(anchor.clone())).unwrap(), anchor)
}

fn save(store: &Store, generation: u64, mac: u8) -> Result<Saved, SaveError> {
    store.save(&image(generation, mac), generation, &[mac; 32])
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keeps_ten_generations_for_the_owner_alone() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    for generation in 1..=13 {
        assert_eq!(save(&store, generation, 1), Ok(Saved::Settled));
    }
    assert_eq!(store.backups(), (3..=12).rev().collect::<Vec<_>>());
    assert_eq!(store.backups().len(), BACKUPS_MAX);
    assert_eq!(store.load().unwrap().bytes, image(13, 1));
    let dir = store.dir();
    assert_eq!([mode(dir), mode(&dir.join("backup")), mode(&dir.join("vault.srv"))], [0o700, 0o700, 0o600]);
    assert_eq!(Store::vault_id_in(dir), Some([7; 16]));
    let again = Store::create(dir, Box::new(MemoryAnchor::default()));
    assert_eq!(again.err(), Some(SetupError::Exists));
    let _lock = store.lock().unwrap();
    assert!(store.lock().is_err());
}

#[test]
fn an_old_file_put_back_is_recognised_and_not_built_upon() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, anchor) = store(tmp.path());
    for generation in 1..=3 {
        save(&store, generation, 1).unwrap();
    }
    let path = store.dir().join("vault.srv");
    std::fs::copy(store.dir().join("backup/gen-1.srv"), &path).unwrap();
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::RolledBack { file: 1, anchor: 3 });
    assert_eq!(save(&store, 2, 9), Err(SaveError::NotAnchored));
    assert_eq!(store.settle(), Err(SaveError::NotAnchored));
    std::fs::write(&path, image(3, 8)).unwrap();
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::Foreign { file: 3, anchor: 3 });
    // Weaker settings under a known generation and MAC.
    let mut weaker = image(3, 1);
    let at = weaker.windows(46).position(|window| window == [1; 46]).unwrap();
    weaker[at] = 0;
    std::fs::write(&path, weaker).unwrap();
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::Altered { generation: 3 });
    // A flipped bit anywhere, behind all that the beginning says.
    let mut flipped = image(3, 1);
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&path, flipped).unwrap();
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::Altered { generation: 3 });
    assert_eq!(save(&store, 4, 9), Err(SaveError::NotAnchored), "it is not built upon");
    // A person with the kit takes it as it is.
    std::fs::write(&path, image(2, 1)).unwrap();
    assert_eq!(store.save_by_kit(&image(3, 6), 3, &[6; 32]), Ok(Saved::Settled));
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::Matches);
    assert_eq!(store.backup(2), Ok(image(2, 1)), "what was there is kept");
    assert_eq!(save(&store, 4, 7), Ok(Saved::Settled));
    anchor.forget().unwrap();
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::Lost);
    assert_eq!(save(&store, 5, 7), Err(SaveError::NotAnchored));
}

#[test]
fn a_damaged_or_missing_file_names_the_newest_backup() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    for generation in 1..=4 {
        save(&store, generation, 1).unwrap();
    }
    let path = store.dir().join("vault.srv");
    std::fs::write(store.dir().join("backup/gen-3.srv"), b"torn").unwrap();
    std::fs::write(&path, &image(4, 1)[..50]).unwrap();
    assert_eq!(store.load(), Err(LoadError::Damaged { backup: Some(2) }));
    assert_eq!(save(&store, 5, 1), Err(SaveError::PresentDamaged));
    assert_eq!(Store::vault_id_in(store.dir()), Some([7; 16]));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(store.load(), Err(LoadError::Missing { backup: Some(2) }));
    assert_eq!(store.backup(3), Err(RestoreError::Damaged(3)));
    assert_eq!(store.backup(9), Err(RestoreError::NoSuchBackup(9)));
    assert_eq!(store.backup(2), Ok(image(2, 1)));
    assert!(store.load().is_err(), "reading a backup puts nothing in place");
    assert_eq!(store.save_by_kit(&image(3, 7), 3, &[8; 32]), Err(SaveError::NotTheImage));
    store.save_by_kit(&image(3, 7), 3, &[7; 32]).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!((loaded.bytes, loaded.verdict), (image(3, 7), AnchorVerdict::Matches), "whatever the anchor said before");
}

#[test]
fn saves_only_what_was_announced_and_only_forward() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    save(&store, 2, 1).unwrap();
    assert_eq!(store.save(&image(3, 1), 4, &[1; 32]), Err(SaveError::NotTheImage));
    assert_eq!(store.save(&image(3, 1), 3, &[2; 32]), Err(SaveError::NotTheImage));
    assert_eq!(store.save(b"plaintext", 3, &[2; 32]), Err(SaveError::NotTheImage));
    assert_eq!(save(&store, 2, 3), Err(SaveError::NotNewer { have: 2, given: 2 }));
}

#[test]
fn the_state_file_only_grows() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    assert_eq!(store.save_state(b"one", 1), Err(SaveError::NotAnchored), "there is no vault yet");
    save(&store, 1, 1).unwrap();
    assert_eq!(store.load_state(), (StateFile::Missing, 0));
    store.save_state(b"one", 1).unwrap();
    store.save_state(b"five", 5).unwrap();
    assert_eq!(store.save_state(b"four", 4), Err(SaveError::NotNewer { have: 5, given: 4 }));
    assert_eq!(store.load_state(), (StateFile::Bytes(b"five".to_vec()), 5));
}

/// Fifteen generations of a first line, then a line that began at the backup of generation 5.
fn two_lines(dir: &Path) -> Store {
    let (store, _) = store(dir);
    for generation in 1..=15 {
        save(&store, generation, 1).unwrap();
    }
    assert_eq!(store.backup(6), Ok(image(6, 1)));
    assert_eq!(store.save_by_kit(&image(7, 2), 7, &[2; 32]), Ok(Saved::Settled));
    store
}

#[test]
fn after_a_restore_the_backups_are_those_of_the_line_in_use() {
    let tmp = tempfile::tempdir().unwrap();
    let store = two_lines(tmp.path());
    assert_eq!(store.backups(), [6, 5], "7 to 15 are of the line that was left");
    for generation in 8..=20 {
        save(&store, generation, 2).unwrap();
        assert_eq!(store.backups().first(), Some(&(generation - 1)));
        assert_eq!(store.backup(generation - 1), Ok(image(generation - 1, 2)), "the newest of the line in use");
    }
    assert_eq!(store.backups(), (10..=19).rev().collect::<Vec<_>>());
    std::fs::write(store.dir().join("vault.srv"), b"torn").unwrap();
    assert_eq!(store.load(), Err(LoadError::Damaged { backup: Some(19) }));
}

#[test]
fn what_a_restore_left_is_set_aside_and_can_be_had_again() {
    let tmp = tempfile::tempdir().unwrap();
    let store = two_lines(tmp.path());
    for generation in 8..=10 {
        save(&store, generation, 2).unwrap();
    }
    assert_eq!(store.backup(9), Ok(image(9, 2)), "the line in use comes first");
    assert_eq!(std::fs::read(store.dir().join("backup/left-1-gen-9.srv")).unwrap(), image(9, 1), "and nothing was written over");
    for generation in 11..=15 {
        assert_eq!(store.backup(generation), Ok(image(generation, 1)));
    }
    // Back to the line that was left, from what it had last.
    store.save_by_kit(&image(16, 3), 16, &[3; 32]).unwrap();
    save(&store, 17, 3).unwrap();
    assert_eq!((store.backup(16), store.backup(10)), (Ok(image(16, 3)), Ok(image(10, 2))));
    assert_eq!(store.backups().first(), Some(&16));
}

#[test]
fn lines_that_were_left_are_kept_up_to_a_number() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    save(&store, 1, 1).unwrap();
    let aside = || std::fs::read_dir(store.dir().join("backup")).unwrap();
    let aside = || aside().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("left-")).count();
    for line in 2..=6 {
        for generation in 2..=12 {
            save(&store, generation, line).unwrap();
        }
        store.save_by_kit(&image(2, line + 100), 2, &[line + 100; 32]).unwrap();
        store.save_by_kit(&image(1, line + 50), 1, &[line + 50; 32]).unwrap();
    }
    save(&store, 2, 99).unwrap();
    assert_eq!(aside(), ASIDE_MAX);
    assert_eq!(store.backup(11), Ok(image(11, 6)), "those that were left last");
}

#[test]
fn a_backup_of_another_file_under_this_number_is_not_written_over() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    save(&store, 1, 1).unwrap();
    std::fs::write(store.dir().join("backup/gen-1.srv"), image(1, 9)).unwrap();
    save(&store, 2, 1).unwrap();
    assert_eq!(store.backup(1), Ok(image(1, 1)));
    assert_eq!(std::fs::read(store.dir().join("backup/left-1-gen-1.srv")).unwrap(), image(1, 9));
}

#[test]
fn what_is_in_the_way_is_named_and_stays() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, anchor) = store(tmp.path());
    save(&store, 1, 1).unwrap();
    let before = anchor.record().unwrap();
    for (name, place) in
        [("vault.srv.tmp", Obstacle::NextVault), ("state.srs.tmp", Obstacle::NextState), ("backup/gen-1.srv", Obstacle::Backup(1))]
    {
        let path = store.dir().join(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("mine"), b"mine").unwrap();
        let refused = if place == Obstacle::NextState { store.save_state(b"one", 1).err() } else { save(&store, 2, 1).err() };
        assert_eq!(refused, Some(SaveError::InTheWay(place)));
        let words = refused.unwrap().to_string();
        assert!(words.contains(name) && words.contains("Nothing was saved") && words.contains("Move it"), "{words}");
        assert_eq!(std::fs::read(path.join("mine")).unwrap(), b"mine");
        assert_eq!((store.load().unwrap().bytes, anchor.record().unwrap()), (image(1, 1), before));
        if place == Obstacle::Backup(1) {
            assert_eq!(store.backup(1), Err(RestoreError::NoFile(1)));
        }
        std::fs::remove_dir_all(path).unwrap();
    }
    assert_eq!(save(&store, 2, 1), Ok(Saved::Settled));
    std::fs::remove_dir_all(store.dir().join("backup")).unwrap();
    std::fs::write(store.dir().join("backup"), b"mine").unwrap();
    assert_eq!(save(&store, 3, 1), Err(SaveError::InTheWay(Obstacle::Backups)));
    assert_eq!(std::fs::read(store.dir().join("backup")).unwrap(), b"mine");
}

#[test]
fn what_lies_in_the_state_files_place_does_not_keep_the_kit_out() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, anchor) = store(tmp.path());
    save(&store, 1, 1).unwrap();
    store.save_state(b"four", 4).unwrap();
    let path = store.dir().join("state.srs");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("mine"), b"mine").unwrap();
    assert_eq!(store.load_state(), (StateFile::NoFile, 4));
    assert_eq!(store.save_state(b"five", 5), Err(SaveError::InTheWay(Obstacle::State)));
    store.save_by_kit(&image(2, 2), 2, &[2; 32]).unwrap();
    assert_eq!(std::fs::read(store.dir().join("state.unreadable.1/mine")).unwrap(), b"mine");
    assert_eq!(anchor.record().unwrap().unwrap().state_generation, 4, "an old state file that is put back stays an old one");
    assert_eq!(store.save_state(b"four again", 4), Err(SaveError::NotNewer { have: 4, given: 4 }));
    store.save_state(b"five", 5).unwrap();
    assert_eq!(store.load_state(), (StateFile::Bytes(b"five".to_vec()), 5));
}

#[test]
fn a_folder_that_came_without_its_backups_gets_them_again() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    save(&store, 1, 1).unwrap();
    std::fs::remove_dir_all(store.dir().join("backup")).unwrap();
    save(&store, 2, 1).unwrap();
    assert_eq!(store.backups(), [1]);
}

#[test]
fn a_pipe_in_the_place_of_the_vault_is_no_file_and_holds_nobody_up() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    save(&store, 1, 1).unwrap();
    let path = store.dir().join("vault.srv");
    std::fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(store.load(), Err(LoadError::NoFile { backup: None }));
    assert_eq!(save(&store, 2, 1), Err(SaveError::InTheWay(Obstacle::Vault)));
}

#[test]
fn attempts_are_counted_before_they_are_judged() {
    let tmp = tempfile::tempdir().unwrap();
    let (store, _) = store(tmp.path());
    assert_eq!(store.begin_attempt(Attempt::Password), Ok(0), "there is no anchor yet");
    save(&store, 1, 1).unwrap();
    let wrong = |attempt| {
        store.begin_attempt(attempt).unwrap();
        store.end_attempt(attempt, AttemptEnd::Wrong, 0).unwrap()
    };
    assert_eq!((wrong(Attempt::Password), wrong(Attempt::Password), wrong(Attempt::Kit)), (1, 2, 1), "each has its own counter");
    save(&store, 2, 1).unwrap();
    assert_eq!(store.attempts(Attempt::Password), Ok(2), "a save does not forget them");
    assert_eq!(store.begin_attempt(Attempt::Password), Ok(3), "and one that never ends stays counted");
    store.begin_attempt(Attempt::Password).unwrap();
    assert_eq!(store.end_attempt(Attempt::Password, AttemptEnd::NotMade, 0), Ok(3));
    assert_eq!(store.end_attempt(Attempt::Password, AttemptEnd::Right, 0), Ok(0));
    assert_eq!(store.attempts(Attempt::Kit), Ok(1), "a password says nothing about the kit");
    wrong(Attempt::Password);
    assert_eq!(store.end_attempt(Attempt::Kit, AttemptEnd::Right, 0), Ok(0));
    assert_eq!(store.attempts(Attempt::Password), Ok(0));
    for _ in 0..3 {
        store.begin_attempt(Attempt::Password).unwrap();
    }
    assert_eq!(store.end_attempt(Attempt::Password, AttemptEnd::Right, 2), Ok(2), "those that are still open are not forgotten");
    assert_eq!(store.end_attempt(Attempt::Password, AttemptEnd::Wrong, 1), Ok(2));
}

#[test]
fn without_a_keychain_the_file_can_still_be_read() {
    struct NoKeychain;
    impl Anchor for NoKeychain {
        fn device_secret(&self) -> Result<Option<zeroize::Zeroizing<[u8; 32]>>, KeychainError> {
            Err(KeychainError::Locked)
        }
        fn set_device_secret(&self, _: &[u8; 32]) -> Result<(), KeychainError> {
            Err(KeychainError::Locked)
        }
        fn record(&self) -> Result<Option<strongroom_vault_store::AnchorRecord>, KeychainError> {
            Err(KeychainError::Locked)
        }
        fn set_record(&self, _: &strongroom_vault_store::AnchorRecord) -> Result<(), KeychainError> {
            Err(KeychainError::Locked)
        }
        fn forget(&self) -> Result<(), KeychainError> {
            Err(KeychainError::Locked)
        }
    }
    let tmp = tempfile::tempdir().unwrap();
    let (first, anchor) = store(tmp.path());
    save(&first, 1, 1).unwrap();
    assert_eq!(make_device_secret(&*anchor).unwrap(), anchor.device_secret().unwrap().unwrap());
    let store = Store::open(first.dir(), Box::new(NoKeychain));
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::Unreachable(KeychainError::Locked));
    assert_eq!(save(&store, 2, 1), Err(SaveError::Keychain(KeychainError::Locked)));
}
