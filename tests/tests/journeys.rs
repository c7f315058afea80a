//! Journeys in the terminal: real processes, a real session bus, a real gnome-keyring, a real paper venue.
//!
//! Invariant: each journey has a world of its own, and nothing that it started outlives it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Seconds that one journey may take.
const PATIENCE_S: &str = "420";
const PROGRAMS: [&str; 8] = [
    "strongroom",
    "strongroomd",
    "strongroom-desk",
    "strongroom-signer",
    "strongroom-prompt",
    "strongroom-prompt-window",
    "strongroom-audit",
    "faulty_venue",
];
/// Python as the person's shell finds it.
const PYTHON: &str = "python3";
/// The system's Python, which has the bindings of the accessibility bus.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// Folder of the programs, beside this test's own.
fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let folder = own.parent().and_then(Path::parent).expect("a folder").to_path_buf();
    for program in PROGRAMS {
        let found = folder.join(program).exists();
        assert!(found, "{program} is not built; run `cargo build --workspace --bins` first, as `cargo xtask test` does");
    }
    folder
}

/// Runs one story; `around`: a program that starts all of it.
fn journey(story: &str, around: &[&str]) {
    journey_with(PYTHON, story, around);
}

fn journey_with(python: &str, story: &str, around: &[&str]) {
    let programs = programs();
    let work = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys").join(story);
    let line = [around, &["dbus-run-session", "--", "timeout", "--kill-after=5", PATIENCE_S, python, "-B"]].concat();
    let ran = Command::new(line[0])
        .args(&line[1..])
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
    journey("first_use.py", &[]);
}

#[test]
fn on_a_terminal() {
    journey("on_a_terminal.py", &[]);
}

/// On a display of its own.
#[test]
fn prompt_window() {
    journey_with(SYSTEM_PYTHON, "prompt_window.py", &[]);
}

#[test]
fn crashes() {
    journey("crashes.py", &[]);
}

#[test]
fn faults() {
    journey("faults.py", &[]);
}

#[test]
fn keychain() {
    journey("keychain.py", &[]);
}

/// In a mount namespace of its own, where a disk can be full.
#[test]
fn disk() {
    journey("disk.py", &["unshare", "--user", "--map-root-user", "--mount"]);
}

#[test]
fn leaks() {
    journey("leaks.py", &[]);
}

#[test]
fn hostile_doors() {
    journey("hostile_doors.py", &[]);
}

#[test]
fn paper() {
    journey("paper.py", &[]);
}
