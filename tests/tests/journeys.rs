//! Journeys in the terminal: real processes, a real session bus, a real gnome-keyring, a real paper venue.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folder of the programs, beside this test's own.
fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().to_path_buf()
}

const BEGIN: &str = r#"
set -eu
printf pass | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>&1
keyring=$(pgrep -n gnome-keyring-d)
trap 'kill $keyring 2>/dev/null' EXIT
python3 "$1" "$2" "$3"
"#;

#[test]
fn terminal() {
    let programs = programs();
    for program in ["strongroom", "strongroomd", "strongroom-desk", "strongroom-signer", "strongroom-prompt", "strongroom-audit"] {
        let found = programs.join(program).exists();
        assert!(found, "{program} is not built; run `cargo build --workspace --bins` first, as `cargo xtask test` does");
    }
    let work = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys/terminal.py");
    let mut begin = tempfile::NamedTempFile::new().unwrap();
    begin.write_all(BEGIN.as_bytes()).unwrap();
    let status = Command::new("dbus-run-session")
        .args(["--", "bash"])
        .arg(begin.path())
        .args([script.as_path(), &programs, work.path()])
        .envs(["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"].map(|name| (name, work.path())))
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "the journey ended with {status}");
}
