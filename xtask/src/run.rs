//! The way from a clone to the main job on the screen. Invariant: the trial has its own profile, home, session bus and
//! keychain; nothing that it started or stored is left when it ends, but the profile's folder to look into.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::place::Place;
use crate::stage::{must_succeed, stage};
use crate::{setup, ui, window};

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
        let path = std::env::temp_dir().join(format!("strongroom-trial-{}", std::process::id()));
        for folder in [path.clone(), path.join("runtime")] {
            std::fs::DirBuilder::new().mode(0o700).create(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(Self { path })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What cannot be removed lies in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.path);
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
