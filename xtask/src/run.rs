//! The way from a clone to the main job on the screen. Invariant: the trial has its own profile, home, session bus and
//! keychain; nothing that it started or stored is left when it ends, but the profile's folder to look into.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::place::Place;
use crate::stage::{must_succeed, stage};
use crate::{setup, ui, window};

/// Services of a session that has ended take so long to leave its home.
const LEAVING: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_millis(100);

/// A home that belongs to one trial. In the folder for temporary files, because sockets need short paths.
pub(crate) struct Home {
    path: PathBuf,
}

impl Home {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn make() -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = tempfile::Builder::new().prefix("strongroom-trial-").tempdir()?.keep();
        let home = Self { path };
        let runtime = home.path.join("runtime");
        std::fs::DirBuilder::new().mode(0o700).create(&runtime).with_context(|| format!("cannot make {}", runtime.display()))?;
        Ok(home)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let begin = Instant::now();
        while let Err(error) = std::fs::remove_dir_all(&self.path) {
            if begin.elapsed() > LEAVING {
                eprintln!("{} could not be removed: {error}", self.path.display());
                return;
            }
            std::thread::sleep(AGAIN);
        }
    }
}

/// The window, or with `terminal` the same job in a terminal.
pub(crate) fn run(place: &Place, yes: bool, terminal: bool) -> anyhow::Result<bool> {
    stage("system packages", || setup::packages(yes))?;
    let claim = place.claim_target()?;
    stage("page", || ui::build(place))?;
    stage("build", || must_succeed(&mut place.cargo(["build", "--workspace", "--bins"])))?;
    let profile = window::profile(place)?;
    if !terminal {
        let shown = window::trial(place, &profile);
        drop(claim);
        return shown;
    }
    let home = Home::make()?;
    let mut session = window::session(&home);
    session.arg(std::env::current_exe()?).arg("tour");
    session.arg("--programs").arg(place.programs()).arg("--profile").arg(&profile).env_remove("DISPLAY");
    Ok(session.status().context("cannot start dbus-run-session")?.success())
}
