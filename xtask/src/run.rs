//! The way from a clone to the main job on the screen. Invariant: the trial has its own profile, home, session bus and
//! keychain; nothing that it started or stored is left when it ends, but the profile's folder to look into.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::place::Place;
use crate::setup;
use crate::stage::{must_succeed, stage};

/// A home that belongs to one trial. In the folder for temporary files, because sockets need short paths.
struct Home {
    path: PathBuf,
}

impl Home {
    fn make() -> anyhow::Result<Self> {
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

pub(crate) fn run(place: &Place, yes: bool) -> anyhow::Result<bool> {
    stage("system packages", || setup::packages(yes))?;
    let _claim = place.claim_target()?;
    stage("build", || must_succeed(&mut place.cargo(["build", "--workspace", "--bins"])))?;
    let profile = place.target.join("trial");
    if profile.exists() {
        std::fs::remove_dir_all(&profile).with_context(|| format!("cannot remove the last trial in {}", profile.display()))?;
    }
    let home = Home::make()?;
    let mut session = Command::new("dbus-run-session");
    session.arg("--").arg(std::env::current_exe()?).arg("tour");
    session.arg("--programs").arg(place.programs()).arg("--profile").arg(&profile);
    session.env("HOME", &home.path).env("XDG_RUNTIME_DIR", home.path.join("runtime"));
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL", "DISPLAY"] {
        session.env_remove(name);
    }
    Ok(session.status().context("cannot start dbus-run-session")?.success())
}
