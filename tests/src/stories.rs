//! Starts a story that is written in Python. Invariant: each has a world of its own (home, session bus, keyring), and nothing
//! that it started outlives it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Python as the person's shell finds it.
pub const PYTHON: &str = "python3";
/// The system's Python, which has the bindings of the accessibility bus.
pub const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// Names the folder of release programs, for stories that look at what is shipped.
const RELEASE_VARIABLE: &str = "STRONGROOM_RELEASE";

/// Stories of one kind.
pub struct Stories {
    /// Folder below `tests/`.
    pub folder: &'static str,
    /// Programs that they start; without them no story begins.
    pub programs: &'static [&'static str],
    /// Seconds that one may take.
    pub patience_s: u32,
}

impl Stories {
    /// Runs one with `python`; `around`: a program that starts all of it.
    ///
    /// # Panics
    /// When it fails, with everything that it said.
    pub fn run(&self, story: &str, python: &str, around: &[&str]) {
        self.run_on(&self.programs(), story, python, around);
    }

    /// Runs one on release programs, which `cargo xtask test --long` builds and names.
    ///
    /// # Panics
    /// When it fails, with everything that it said, and when no release programs are named.
    pub fn run_on_release(&self, story: &str, python: &str) {
        let named = std::env::var_os(RELEASE_VARIABLE).filter(|folder| !folder.is_empty());
        let folder = named.unwrap_or_else(|| {
            panic!("{RELEASE_VARIABLE} names no folder of release programs; run `cargo xtask test --long`, which builds them")
        });
        let folder = PathBuf::from(folder);
        self.check_built(&folder, "cargo build --release --workspace --bins");
        self.run_on(&folder, story, python, &[]);
    }

    fn run_on(&self, programs: &Path, story: &str, python: &str, around: &[&str]) {
        let work = tempfile::tempdir().expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.folder).join(story);
        let patience = self.patience_s.to_string();
        let line = [around, &["dbus-run-session", "--", "timeout", "--kill-after=5", &patience, python, "-B"]].concat();
        let ran = Command::new(line[0])
            .args(&line[1..])
            .args([script.as_path(), programs, work.path()])
            .envs(["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"].map(|name| (name, work.path())))
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null())
            .output()
            .expect("dbus-run-session");
        let told = [ran.stdout, ran.stderr].concat();
        assert!(ran.status.success(), "{story} ended with {}\n{}", ran.status, its_own(&String::from_utf8_lossy(&told)));
    }

    /// Folder of the programs, beside this test's own.
    fn programs(&self) -> PathBuf {
        let own = std::env::current_exe().expect("a path");
        let folder = own.parent().and_then(Path::parent).expect("a folder").to_path_buf();
        self.check_built(&folder, "cargo build --workspace --bins");
        folder
    }

    fn check_built(&self, folder: &Path, how: &str) {
        for program in self.programs {
            let found = folder.join(program).exists();
            assert!(found, "{program} is not built; run `{how}` first, as `cargo xtask test` does");
        }
    }
}

/// Without the lines of the session bus and of the desktop's services, which stand around the one that matters.
fn its_own(told: &str) -> String {
    const OTHERS: [&str; 4] = ["dbus-daemon[", "xdg-desktop-portal", "xdg-document-portal", "SpiRegistry"];
    let own = told.lines().filter(|line| !line.trim().is_empty() && !OTHERS.iter().any(|other| line.contains(other)));
    own.collect::<Vec<_>>().join("\n")
}
