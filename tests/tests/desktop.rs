//! Journeys on the real window: WebKitWebDriver through tauri-driver, a display, a session bus and a keyring of their own,
//! the real gnome-keyring, the prompt through the accessibility bus.
//!
//! Invariant: each journey has a world of its own, and nothing that it started outlives it. They run one after another:
//! two windows on two cores would measure each other's patience. The one that runs counts among those that work.

use std::sync::{Mutex, PoisonError};

use strongroom_tests::seats::seat_blocking;
use strongroom_tests::stories::{SYSTEM_PYTHON, Stories};

const STORIES: Stories = Stories {
    folder: "desktop",
    programs: &["strongroom-app-driven", "strongroom-app", "strongroom-prompt-window", "strongroomd", "strongroom-audit", "faulty_venue"],
    patience_s: 300,
};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn journey(story: &str) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _seat = seat_blocking();
    STORIES.run(story, SYSTEM_PYTHON, &[]);
}

#[test]
fn first_use() {
    journey("first_use.py");
}

#[test]
fn keyboard_alone() {
    journey("keyboard.py");
}

#[test]
fn guard() {
    journey("guard.py");
}

#[test]
fn troubles() {
    journey("troubles.py");
}

#[test]
fn hung_page() {
    journey("hung.py");
}

#[test]
fn hostile_page() {
    journey("hostile_page.py");
}

#[test]
fn traces() {
    journey("traces.py");
}

/// Optimised programs keep other copies in other places.
#[test]
#[ignore = "on release programs, which `cargo xtask test --long` builds"]
fn traces_of_release() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    STORIES.run_on_release("traces.py", SYSTEM_PYTHON);
}

#[test]
fn shipped() {
    journey("shipped.py");
}
