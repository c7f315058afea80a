//! What the machine needs besides Rust. Invariant: nothing is installed system-wide that is there already, and no person
//! at a terminal is surprised by an installation.

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::place::{Place, is_in_path};
use crate::stage::must_succeed;

/// Debian packages and what each is for.
const PACKAGES: &[(&str, &str)] = &[
    ("gnome-keyring", "the keychain that keeps a vault's device secret"),
    ("libsecret-tools", "a second look into the keychain"),
    ("dbus-x11", "a private session bus"),
    ("libgtk-3-dev", "the prompt's window"),
    ("libwebkit2gtk-4.1-dev", "the window's page"),
    ("webkit2gtk-driver", "driving the window in tests"),
    ("at-spi2-core", "the screen reader's bus, in the tests of the window"),
    ("python3-gi", "Python on that bus"),
    ("gir1.2-atspi-2.0", "the names on that bus"),
    ("softhsm2", "a token with PKCS#11, in the tests"),
    ("libtss2-dev", "speaking with a TPM"),
    ("swtpm", "a TPM in software, in the tests"),
    ("tpm2-tools", "another program at that TPM, in the tests"),
    ("xvfb", "a display for tests"),
    ("xdotool", "keys on that display"),
    ("imagemagick", "pictures of that display"),
    ("age", "another program that reads what is exported"),
];
/// Only where a C compiler is missing: the TLS library and SQLite are partly C.
const COMPILER: (&str, &str) = ("build-essential", "a C compiler for TLS and SQLite");
/// Only where no Python of the right age makes virtual environments: unmodified bots are driven in the tests.
const PYTHON: [(&str, &str); 2] = [("python3", "bots in the tests"), ("python3-venv", "the bots' pinned packages")];
/// Oldest Python that the pinned packages support.
const PYTHON_MIN: (u32, u32) = (3, 10);
/// Python programs, the best first.
const PYTHONS: &[&str] = &["python3", "/usr/bin/python3", "python3.13", "python3.12", "python3.11", "python3.10"];

/// Installs what is missing. Elsewhere than on Debian it says what is needed.
pub(crate) fn packages(yes: bool) -> anyhow::Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    println!("Missing system packages:");
    for (name, purpose) in &missing {
        println!("  {name}: {purpose}");
    }
    if !is_in_path("apt-get") {
        println!("This is no Debian: install what corresponds to them if something fails below.");
        return Ok(());
    }
    let by_hand = format!("apt-get install {}", names.join(" "));
    anyhow::ensure!(yes || may_install()?, "nothing was installed. Install them yourself: {by_hand}");
    let apt = |arguments: &[&str]| {
        let mut command = as_root("apt-get")?;
        command.args(["-o", "DPkg::Lock::Timeout=400"]).args(arguments).stdin(Stdio::null());
        must_succeed(&mut command).with_context(|| format!("nothing more was installed. Try it yourself: {by_hand}"))
    };
    apt(&["update"])?;
    apt(&[&["install", "-y"], names.as_slice()].concat())
}

fn missing() -> Vec<(&'static str, &'static str)> {
    let mut wanted = PACKAGES.to_vec();
    if !is_in_path("cc") {
        wanted.push(COMPILER);
    }
    if python().is_none() {
        wanted.extend(PYTHON);
    }
    wanted.retain(|(name, _)| !is_installed(name));
    wanted
}

fn is_installed(package: &str) -> bool {
    let answer = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]).stderr(Stdio::null()).output();
    answer.is_ok_and(|answer| answer.stdout == b"installed")
}

/// Asks the person at the terminal; where there is none, or under CI, the answer is yes.
fn may_install() -> anyhow::Result<bool> {
    if std::env::var_os("CI").is_some() || !std::io::stdin().is_terminal() {
        return Ok(true);
    }
    print!("Install them with apt-get? [Y/n] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "" | "y" | "Y" | "yes"))
}

fn as_root(program: &str) -> anyhow::Result<Command> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let mut command = match (is_root, is_in_path("sudo")) {
        (true, _) => Command::new(program),
        (false, true) => {
            let mut command = Command::new("sudo");
            command.args(["--preserve-env=DEBIAN_FRONTEND", program]);
            command
        }
        (false, false) => anyhow::bail!("installing needs root, and there is no sudo"),
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn python() -> Option<&'static str> {
    let is_fit = |python: &&&str| {
        let (major, minor) = PYTHON_MIN;
        let code = format!("import ensurepip, sys, venv; sys.exit(sys.version_info < ({major}, {minor}))");
        Command::new(python).args(["-c", &code]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    PYTHONS.iter().find(is_fit).copied()
}

/// The Python environment with exactly the packages of tests/interop/requirements.txt; made when they changed.
pub(crate) fn python_environment(place: &Place) -> anyhow::Result<PathBuf> {
    environment_of(place, "requirements.txt", "python")
}

/// A second one: two of the clients overwrite each other's files.
pub(crate) fn connectors_environment(place: &Place) -> anyhow::Result<PathBuf> {
    environment_of(place, "requirements-connectors.txt", "python-connectors")
}

/// The folder with the JavaScript client of tests/interop/js; made when its lock file changed.
pub(crate) fn javascript_clients(place: &Place) -> anyhow::Result<PathBuf> {
    let source = place.root.join("tests/interop/js");
    let folder = place.cache.join("interop-js");
    let lock = "package-lock.json";
    let stamp = folder.join("installed.json");
    let wanted = std::fs::read_to_string(source.join(lock)).with_context(|| format!("cannot read {}", source.display()))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    for file in ["package.json", lock] {
        std::fs::copy(source.join(file), folder.join(file))?;
    }
    must_succeed(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder))?;
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

fn environment_of(place: &Place, requirements: &str, name: &str) -> anyhow::Result<PathBuf> {
    let pins = place.root.join("tests/interop").join(requirements);
    let wanted = std::fs::read_to_string(&pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let folder = place.cache.join(name);
    let stamp = folder.join("requirements.installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    let python = python().with_context(|| format!("no Python {}.{} or newer with venv", PYTHON_MIN.0, PYTHON_MIN.1))?;
    must_succeed(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"];
    must_succeed(Command::new(interpreter(&folder)).args(quiet).arg(&pins))?;
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin/python")
}
