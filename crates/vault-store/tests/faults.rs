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
