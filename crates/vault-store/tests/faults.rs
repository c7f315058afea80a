//! Whatever fails during a save, at whatever step, with or without power loss: the old vault or the new one is there.

// Helpers of tests say what they expect by unwrapping it, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/image.rs"]
mod image;
#[path = "common/world.rs"]
mod world;

use std::io::ErrorKind;

use image::image;
use strongroom_vault_store::{AnchorVerdict, LoadError, SaveError, Saved, Store};
use world::{Fault, World};

const FAULTS: [Fault; 4] = [Fault::Error(ErrorKind::StorageFull), Fault::Error(ErrorKind::Other), Fault::Death, Fault::Lie];

fn open(world: &World) -> Store<World> {
    Store::open_on(world.clone(), "/vault", Box::new(world.clone()))
}

fn save(store: &Store<World>, generation: u64, mac: u8) -> Result<Saved, SaveError> {
    store.save(&image(generation, mac), generation, &[mac; 32])
}

/// Two generations saved.
fn world() -> World {
    let world = World::default();
    let store = Store::create_on(world.clone(), "/vault", Box::new(world.clone())).unwrap();
    assert_eq!(save(&store, 1, 1), Ok(Saved::Settled));
    assert_eq!(save(&store, 2, 2), Ok(Saved::Settled));
    world
}

fn steps_of_a_save() -> usize {
    let world = world();
    world.plan(&[]);
    save(&open(&world), 3, 3).unwrap();
    let steps = world.steps();
    assert!(steps > 15, "{steps}");
    steps
}

/// Saves generation 3 under the given faults, starts again, and checks all that must hold.
fn check(faults: &[(usize, Fault)], power_lost: bool) {
    let told = format!("{faults:?}, power lost: {power_lost}");
    let world = world();
    let before = world.record();
    world.plan(faults);
    let result = save(&open(&world), 3, 3);
    let died = world.is_dead();
    let alone = faults.len() == 1;
    if let (Err(error), false, true) = (result, died, alone) {
        // The program lived and said that nothing was saved: then nothing was, and nothing is left over.
        if !matches!(error, SaveError::Uncertain(_)) {
            assert_eq!(world.record(), before, "{told}");
            assert!(world.names_with("tmp").is_empty(), "{told}");
        }
    }
    world.restart(power_lost);
    let store = open(&world);
    let loaded = store.load().unwrap_or_else(|error| panic!("{told}: {error}"));
    let (old, new) = (image(2, 2), image(3, 3));
    assert!(loaded.bytes == old || loaded.bytes == new, "{told}: neither old nor new");
    assert!(matches!(loaded.verdict, AnchorVerdict::Matches | AnchorVerdict::MatchesPending), "{told}: {:?}", loaded.verdict);
    match result {
        Ok(_) => assert!(loaded.bytes == new, "{told}: said to be saved"),
        Err(SaveError::Uncertain(_)) => {}
        Err(_) if !died => assert!(loaded.bytes == old, "{told}: said not to be saved"),
        Err(_) => {}
    }
    // And life goes on from there.
    store.settle().unwrap();
    assert_eq!(store.load().unwrap().verdict, AnchorVerdict::Matches, "{told}");
    assert_eq!(save(&store, loaded.prefix.generation + 1, 9), Ok(Saved::Settled), "{told}");
    assert_eq!(store.load().unwrap().bytes, image(loaded.prefix.generation + 1, 9), "{told}");
}

#[test]
fn every_single_fault() {
    for step in 1..=steps_of_a_save() {
        for fault in FAULTS {
            check(&[(step, fault)], false);
            check(&[(step, fault)], true);
        }
    }
}

#[test]
fn every_fault_followed_by_every_other() {
    let steps = steps_of_a_save() + 3;
    for first in 1..=steps {
        for second in first + 1..=steps {
            for fault in FAULTS {
                for power_lost in [false, true] {
                    check(&[(first, Fault::Error(ErrorKind::Other)), (second, fault)], power_lost);
                }
            }
        }
    }
}

/// Six generations, of which a kit opened the third.
fn left() -> World {
    let world = World::default();
    let store = Store::create_on(world.clone(), "/vault", Box::new(world.clone())).unwrap();
    for generation in 1..=6 {
        save(&store, generation, 1).unwrap();
    }
    world
}

fn restore(store: &Store<World>) -> Result<Saved, SaveError> {
    store.save_by_kit(&image(4, 2), 4, &[2; 32])
}

/// Every generation of the line that is left, under its number or set aside.
fn keeps_the_left_line(world: &World, of: std::ops::RangeInclusive<u64>, told: &str) {
    for generation in of {
        let names = world.names_with(&format!("gen-{generation}.srv"));
        let kept = names.iter().any(|path| world.content(path) == image(generation, 1));
        assert!(kept || world.content("/vault/vault.srv") == image(generation, 1), "{told}: generation {generation} is lost, {names:?}");
    }
}

/// The newest backup is the generation before, or a copy of the present file that a save left which failed later.
fn offers_the_line_in_use(store: &Store<World>, present: u64, told: &str) {
    let newest = store.backups();
    let is_copy = newest.first() == Some(&present) && store.backup(present) == Ok(store.load().unwrap().bytes);
    assert!(is_copy || newest.first() == Some(&(present - 1)), "{told}: {newest:?} of {present}");
}

#[test]
fn whatever_fails_when_a_backup_is_restored_no_line_loses_a_backup() {
    let steps = {
        let world = left();
        world.plan(&[]);
        restore(&open(&world)).unwrap();
        world.steps()
    };
    let plans = (1..=steps).flat_map(|first| {
        let alone = FAULTS.map(|fault| vec![(first, fault)]).to_vec();
        let pairs = (first + 1..=steps + 3)
            .flat_map(move |second| FAULTS.map(|fault| vec![(first, Fault::Error(ErrorKind::Other)), (second, fault)]));
        alone.into_iter().chain(pairs)
    });
    for faults in plans {
        for power_lost in [false, true] {
            let told = format!("{faults:?}, power lost: {power_lost}");
            let world = left();
            world.plan(&faults);
            let result = restore(&open(&world));
            world.restart(power_lost);
            let store = open(&world);
            keeps_the_left_line(&world, 1..=6, &told);
            let loaded = store.load().unwrap();
            let line = if loaded.bytes == image(4, 2) { 2 } else { 1 };
            assert!(line == 2 || loaded.bytes == image(6, 1), "{told}: neither old nor new");
            assert!(line == 2 || result.is_err(), "{told}: said to be restored");
            offers_the_line_in_use(&store, loaded.prefix.generation, &told);
            // The line in use goes on, past all numbers of the other one.
            store.settle().unwrap();
            for generation in loaded.prefix.generation + 1..=9 {
                assert_eq!(save(&store, generation, line), Ok(Saved::Settled), "{told}");
                assert_eq!(store.backup(generation - 1), Ok(image(generation - 1, line)), "{told}");
                assert_eq!(store.backups().first(), Some(&(generation - 1)), "{told}");
            }
            keeps_the_left_line(&world, 1..=6, &told);
        }
    }
}

#[test]
fn a_save_that_fails_after_a_restore_was_cut_off_loses_no_backup() {
    let cut_at = |step| {
        let world = left();
        world.plan(&[(step, Fault::Death)]);
        let _ = restore(&open(&world));
        world.restart(false);
        world
    };
    // It stops as soon as the new file is in place.
    let step = (1..).find(|step| cut_at(*step).content("/vault/vault.srv") == image(4, 2)).unwrap();
    let cut = || cut_at(step);
    assert_eq!(cut().content("/vault/backup/gen-4.srv"), image(4, 1), "the line that was left is not set aside yet");
    let steps = {
        let world = cut();
        world.plan(&[]);
        save(&open(&world), 5, 2).unwrap();
        world.steps()
    };
    for step in 1..=steps {
        for fault in FAULTS {
            for power_lost in [false, true] {
                let told = format!("{step}, {fault:?}, power lost: {power_lost}");
                let world = cut();
                world.plan(&[(step, fault)]);
                let _ = save(&open(&world), 5, 2);
                world.restart(power_lost);
                keeps_the_left_line(&world, 1..=6, &told);
                let store = open(&world);
                let loaded = store.load().unwrap();
                offers_the_line_in_use(&store, loaded.prefix.generation, &told);
                store.settle().unwrap();
                for generation in loaded.prefix.generation + 1..=9 {
                    assert_eq!(save(&store, generation, 2), Ok(Saved::Settled), "{told}");
                    assert_eq!(store.backup(generation - 1), Ok(image(generation - 1, 2)), "{told}");
                }
                keeps_the_left_line(&world, 1..=6, &told);
            }
        }
    }
}

#[test]
fn a_first_save_that_failed_can_be_made_again() {
    for step in 1..30 {
        for fault in FAULTS {
            let world = World::default();
            let store = Store::create_on(world.clone(), "/vault", Box::new(world.clone())).unwrap();
            world.plan(&[(step, fault)]);
            let result = save(&store, 1, 1);
            world.restart(true);
            match open(&world).load() {
                Ok(loaded) => {
                    assert_eq!(loaded.bytes, image(1, 1));
                    assert!(matches!(loaded.verdict, AnchorVerdict::Matches | AnchorVerdict::MatchesPending), "step {step}, {fault:?}");
                }
                Err(LoadError::Missing { backup: None }) => {
                    assert!(result.is_err(), "step {step}, {fault:?}");
                    assert_eq!(save(&open(&world), 1, 4), Ok(Saved::Settled), "step {step}, {fault:?}");
                }
                Err(error) => panic!("step {step}, {fault:?}: {error}"),
            }
        }
    }
}

#[test]
fn a_full_disk_is_called_so() {
    let said: Vec<_> = (1..=steps_of_a_save())
        .filter_map(|step| {
            let world = world();
            world.plan(&[(step, Fault::Error(ErrorKind::StorageFull))]);
            save(&open(&world), 3, 3).err()
        })
        .collect();
    assert!(said.contains(&SaveError::NoSpace(ErrorKind::StorageFull)), "{said:?}");
}
