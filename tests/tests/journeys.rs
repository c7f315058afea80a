//! Journeys in the terminal: real processes, a real session bus, a real gnome-keyring, a real paper venue.
//!
//! Invariant: each journey has a world of its own, and nothing that it started outlives it.

use strongroom_tests::seats::seat_blocking;
use strongroom_tests::stories::{PYTHON, SYSTEM_PYTHON, Stories};

const STORIES: Stories = Stories {
    folder: "journeys",
    programs: &[
        "strongroom",
        "strongroomd",
        "strongroom-desk",
        "strongroom-signer",
        "strongroom-prompt",
        "strongroom-provider",
        "strongroom-prompt-window",
        "strongroom-audit",
        "strongroom-auditor",
        "faulty_venue",
        "strict_transit",
    ],
    patience_s: 600,
};

fn journey(story: &str) {
    busy(story, PYTHON, &[]);
}

fn busy(story: &str, python: &str, around: &[&str]) {
    let _seat = seat_blocking();
    STORIES.run(story, python, around);
}

/// Stories that wait most of their time, for the next one-time code for instance.
fn waiting(story: &str) {
    STORIES.run(story, PYTHON, &[]);
}

#[test]
fn first_use() {
    waiting("first_use.py");
}

#[test]
fn on_a_terminal() {
    journey("on_a_terminal.py");
}

/// On a display of its own.
#[test]
fn prompt_window() {
    busy("prompt_window.py", SYSTEM_PYTHON, &[]);
}

#[test]
fn ways() {
    waiting("ways.py");
}

#[test]
fn rules() {
    waiting("rules.py");
}

#[test]
fn sums() {
    waiting("sums.py");
}

#[test]
fn rebuild() {
    waiting("rebuild.py");
}

#[test]
fn recovery_codes() {
    waiting("recovery_codes.py");
}

#[test]
fn sessions() {
    waiting("sessions.py");
}

#[test]
fn kill() {
    waiting("kill.py");
}

#[test]
fn roles() {
    waiting("roles.py");
}

#[test]
fn interrupted() {
    waiting("interrupted.py");
}

#[test]
fn service() {
    waiting("service.py");
}

#[test]
fn keepers() {
    waiting("keepers.py");
}

#[test]
fn tpm() {
    waiting("tpm.py");
}

/// With the system's Python, which speaks with buses.
#[test]
fn away() {
    busy("away.py", SYSTEM_PYTHON, &[]);
}

/// On a display of its own, where nobody is: it waits for that.
#[test]
fn idle() {
    waiting("idle.py");
}

#[test]
fn crashes() {
    journey("crashes.py");
}

#[test]
fn faults() {
    journey("faults.py");
}

#[test]
fn keychain() {
    journey("keychain.py");
}

#[test]
fn state_put_back() {
    waiting("state_put_back.py");
}

#[test]
fn keychain_away() {
    waiting("keychain_away.py");
}

/// In a mount namespace of its own, where a disk can be full.
#[test]
fn disk() {
    busy("disk.py", PYTHON, &["unshare", "--user", "--map-root-user", "--mount"]);
}

/// In a mount namespace of its own, whose system folder it can write.
#[test]
fn managed() {
    busy("managed.py", PYTHON, &["unshare", "--user", "--map-root-user", "--mount"]);
}

/// Everything in it runs as an ordinary user; run as root, it looks with root's eyes too.
#[test]
fn dump() {
    journey("dump.py");
}

#[test]
fn dump_providers() {
    journey("dump_providers.py");
}

#[test]
fn dump_ends() {
    journey("dump_ends.py");
}

/// Optimised programs keep other copies in other places.
#[test]
#[ignore = "on release programs, which `cargo xtask test --long` builds"]
fn dump_of_release() {
    STORIES.run_on_release("dump.py", PYTHON);
}

#[test]
#[ignore = "on release programs, which `cargo xtask test --long` builds"]
fn dump_providers_of_release() {
    STORIES.run_on_release("dump_providers.py", PYTHON);
}

/// There a panic ends the process at once.
#[test]
#[ignore = "on release programs, which `cargo xtask test --long` builds"]
fn dump_ends_of_release() {
    STORIES.run_on_release("dump_ends.py", PYTHON);
}

#[test]
fn hostile_doors() {
    journey("hostile_doors.py");
}

#[test]
fn paper_durable() {
    journey("paper_durable.py");
}

/// In a mount namespace of its own, where a disk can be full.
#[test]
fn paper_disk() {
    busy("paper_disk.py", PYTHON, &["unshare", "--user", "--map-root-user", "--mount"]);
}

#[test]
fn paper() {
    journey("paper.py");
}
