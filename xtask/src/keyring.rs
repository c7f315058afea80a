//! A keychain of its own for a trial. Invariant: a person's keychain is neither asked nor written; this one ends with
//! the private session.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

/// Questions whether the keychain is up, and the time between two.
const TRIES_MAX: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Seconds that one question may take; a locked keychain would wait for a dialog.
const QUESTION_S: &str = "5";

/// A running keychain in the session of this process.
pub(crate) struct Keyring {
    daemon: Child,
}

impl Keyring {
    /// Starts it unlocked and proves that it keeps a secret.
    pub(crate) fn start(password: &str) -> anyhow::Result<Self> {
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start gnome-keyring-daemon")?;
        let mut input = daemon.stdin.take().context("no way to unlock the keychain")?;
        let keyring = Self { daemon };
        input.write_all(password.as_bytes())?;
        drop(input);
        for _ in 0..TRIES_MAX {
            // Asked of the bus first: a call to the service itself would start another one, locked.
            if is_on_the_bus()? && keeps_a_secret()? {
                return Ok(keyring);
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        anyhow::bail!("the trial's keychain does not answer")
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn is_on_the_bus() -> anyhow::Result<bool> {
    let answer = Command::new("dbus-send")
        .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
        .args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"])
        .output()
        .context("cannot start dbus-send")?;
    Ok(String::from_utf8_lossy(&answer.stdout).contains("boolean true"))
}

fn keeps_a_secret() -> anyhow::Result<bool> {
    let mut store = Command::new("timeout")
        .args([QUESTION_S, "secret-tool", "store", "--label=strongroom trial", "strongroom", "trial"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start secret-tool")?;
    // An early end shows in the exit code.
    let _ = store.stdin.take().map(|mut input| input.write_all(b"kept"));
    if !store.wait()?.success() {
        return Ok(false);
    }
    let looked_up = Command::new("timeout").args([QUESTION_S, "secret-tool", "lookup", "strongroom", "trial"]).output()?;
    Ok(looked_up.stdout == b"kept")
}
