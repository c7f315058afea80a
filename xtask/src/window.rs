//! The window in trials, pictures and measurements. Invariant: each has its own profile, home, session bus and keychain,
//! and without a display a virtual one; nothing that it started is left.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::keyring::Keyring;
use crate::place::Place;
use crate::run::Home;
use crate::stage::{must_succeed, stage};
use crate::{setup, tools, ui};

/// The system's Python, which has the bindings of the accessibility bus.
const PYTHON: &str = "/usr/bin/python3";
const THEMES: [&str; 2] = ["dark", "light"];

/// Whether a person could see a window.
pub(crate) fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A private session bus with a home of its own.
pub(crate) fn session(home: &Home) -> Command {
    let mut session = Command::new("dbus-run-session");
    session.arg("--").env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path().join("runtime"));
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL"] {
        session.env_remove(name);
    }
    session
}

/// Opens the window for a person; without a display the first use is driven, and pictures are kept.
pub(crate) fn trial(place: &Place, profile: &Path) -> anyhow::Result<bool> {
    let home = Home::make()?;
    if has_display() {
        println!("The window opens on the paper venue: play money, a keychain of its own. Close it to end the trial.");
        let mut session = session(&home);
        session.arg(std::env::current_exe()?).arg("window").arg("--programs").arg(place.programs()).arg("--profile").arg(profile);
        return Ok(session.status().context("cannot start dbus-run-session")?.success());
    }
    let pictures = place.target.join("trial-pictures");
    println!("There is no display: a virtual one is started, and the first use is driven on it.");
    let shown = story(place, &home, "first_use.py", &pictures, "dark")?;
    println!("Pictures of every step: {}", pictures.display());
    Ok(shown)
}

/// The part of [`trial`] inside the private session.
pub(crate) fn inside(programs: &Path, profile: &Path) -> anyhow::Result<bool> {
    let _keyring = Keyring::start("trial")?;
    let mut window = Command::new(programs.join("strongroom-app"));
    Ok(window.arg("--dir").arg(profile).status().context("cannot start strongroom-app")?.success())
}

/// A picture of every screen and of the main states, dark and light.
pub(crate) fn shots(place: &Place, folder: &Path, yes: bool) -> anyhow::Result<bool> {
    stage("system packages", || setup::packages(yes))?;
    let _claim = place.claim_target()?;
    stage("page", || ui::build(place))?;
    stage("build", || must_succeed(&mut place.cargo(["build", "--workspace", "--bins"])))?;
    let folder = std::path::absolute(folder)?;
    let mut whole = true;
    for theme in THEMES {
        for name in ["shots.py", "troubles.py"] {
            let home = Home::make()?;
            whole &= stage(&format!("{name}, {theme}"), || story(place, &home, name, &folder.join(theme), theme))?;
        }
    }
    println!("Pictures: {}", folder.display());
    Ok(whole)
}

fn story(place: &Place, home: &Home, name: &str, pictures: &Path, theme: &str) -> anyhow::Result<bool> {
    let driver = tools::tauri_driver(place)?;
    let work = home.path().join("work");
    std::fs::create_dir_all(&work)?;
    let mut session = session(home);
    session.args([PYTHON, "-B"]).arg(place.root.join("tests/desktop").join(name)).arg(place.programs()).arg(&work);
    session.env("STRONGROOM_TAURI_DRIVER", driver).env("STRONGROOM_SHOTS", pictures).env("STRONGROOM_THEME", theme);
    // The session's own services are talkative; what the story says stays on the screen.
    std::fs::create_dir_all(pictures)?;
    let log = pictures.join(format!("{name}.log"));
    let shown = session.stderr(std::fs::File::create(&log)?).status().context("cannot start dbus-run-session")?.success();
    if !shown {
        eprintln!("{name} failed; why stands at the end of {}", log.display());
    }
    Ok(shown)
}

/// Measures the window; its rows, as raw output.
pub(crate) fn bench(place: &Place) -> anyhow::Result<String> {
    stage("page", || ui::build(place))?;
    let bins = ["app", "benches", "daemon", "signer", "prompt", "prompt-window", "cli", "verify"];
    let packages = bins.iter().flat_map(|name| ["-p".to_owned(), format!("strongroom-{name}")]);
    let arguments = ["build", "--release", "--bins"].map(str::to_owned).into_iter().chain(packages);
    stage("build", || must_succeed(&mut place.cargo(arguments)))?;
    let home = Home::make()?;
    let work = home.path().join("work");
    std::fs::create_dir_all(&work)?;
    let mut session = session(&home);
    session.args([PYTHON, "-B"]).arg(place.root.join("benches/ui/window.py")).arg(place.target.join("release")).arg(&work);
    session.env("STRONGROOM_TAURI_DRIVER", tools::tauri_driver(place)?);
    let output = session.stderr(std::process::Stdio::inherit()).output().context("cannot start dbus-run-session")?;
    let raw = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(output.status.success(), "the benchmark ui ended with {}; it said:\n{raw}", output.status);
    Ok(raw + &ui::sizes(place)?)
}

/// Measures whole systems without a window by a script of `benches/system`; its rows, as raw output.
pub(crate) fn bench_system(place: &Place, script: &str) -> anyhow::Result<String> {
    let bins = ["daemon", "signer", "prompt", "cli", "verify"].iter().flat_map(|name| ["-p".to_owned(), format!("strongroom-{name}")]);
    let arguments = ["build", "--release", "--bins"].map(str::to_owned).into_iter().chain(bins);
    stage("build", || must_succeed(&mut place.cargo(arguments)))?;
    let home = Home::make()?;
    let work = home.path().join("work");
    std::fs::create_dir_all(&work)?;
    let mut session = session(&home);
    session.args(["python3", "-B"]).arg(place.root.join("benches/system").join(script)).arg(place.target.join("release")).arg(&work);
    let output = session.stderr(std::process::Stdio::inherit()).output().context("cannot start dbus-run-session")?;
    let raw = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(output.status.success(), "{script} ended with {}; it said:\n{raw}", output.status);
    Ok(raw)
}

/// Where a trial keeps its profile.
pub(crate) fn profile(place: &Place) -> anyhow::Result<PathBuf> {
    let profile = place.target.join("trial");
    if profile.exists() {
        std::fs::remove_dir_all(&profile).with_context(|| format!("cannot remove the last trial in {}", profile.display()))?;
    }
    Ok(profile)
}
