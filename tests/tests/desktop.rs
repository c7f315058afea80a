//! Journeys on the real window: WebKitWebDriver through tauri-driver, a display, a session bus and a keyring of their own,
//! the real gnome-keyring, the prompt through the accessibility bus.
//!
//! Invariant: each journey has a world of its own, and nothing that it started outlives it. They run one after another:
//! two windows on two cores would measure each other's patience.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Seconds that one journey may take.
const PATIENCE_S: &str = "300";
/// The system's Python, which has the bindings of the accessibility bus.
const PYTHON: &str = "/usr/bin/python3";
const PROGRAMS: [&str; 6] =
    ["strongroom-app-driven", "strongroom-app", "strongroom-prompt-window", "strongroomd", "strongroom-audit", "faulty_venue"];

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let folder = own.parent().and_then(Path::parent).expect("a folder").to_path_buf();
    for program in PROGRAMS {
        let found = folder.join(program).exists();
        assert!(found, "{program} is not built; run `cargo build --workspace --bins` first, as `cargo xtask test` does");
    }
    folder
}

fn journey(story: &str) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let programs = programs();
    let work = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("desktop").join(story);
    let ran = Command::new("dbus-run-session")
        .args(["--", "timeout", "--kill-after=5", PATIENCE_S, PYTHON, "-B"])
        .args([script.as_path(), &programs, work.path()])
        .envs(["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"].map(|name| (name, work.path())))
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .stdin(Stdio::null())
        .output()
        .expect("dbus-run-session");
    let told = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{story} ended with {}\n{}", ran.status, String::from_utf8_lossy(&told));
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

#[test]
fn shipped() {
    journey("shipped.py");
}
