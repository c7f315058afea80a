//! Where things are. Invariant: everything that is built or fetched lands in one folder per user, so that clones of the
//! repository share it; nothing but benchmark results is written into a clone.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// Variables that `cargo run` gave to this program. Passed on, they would make build scripts run again.
const LEFT_BY_CARGO: &[&str] = &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// Folders of one clone and one user.
pub(crate) struct Place {
    /// Root of the clone.
    pub(crate) root: PathBuf,
    /// Folder for what is made from the outside, such as the Python environment.
    pub(crate) cache: PathBuf,
    /// Cargo's target folder: `CARGO_TARGET_DIR`, or one below the cache.
    pub(crate) target: PathBuf,
}

impl Place {
    pub(crate) fn find() -> anyhow::Result<Self> {
        // At run time, because a shared target folder may hold the program of another clone.
        let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own.parent().context("xtask has no folder above it")?.to_path_buf();
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        let cache = caches.map_or_else(|| root.join("target/cache"), |caches| caches.join("strongroom"));
        let target = set("CARGO_TARGET_DIR").unwrap_or_else(|| cache.join("target"));
        Ok(Self { root, cache, target: std::path::absolute(target)? })
    }

    /// Cargo, working in this clone on the shared target folder.
    pub(crate) fn cargo(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| LEFT_BY_CARGO.iter().any(|left| name.starts_with(left))) {
                cargo.env_remove(name);
            }
        }
        if std::env::var_os("CI").is_some() {
            // A clone that is built once gains nothing from it, and the shared folder grows.
            cargo.env("CARGO_INCREMENTAL", "0");
        }
        cargo
    }

    /// Keeps other clones from replacing the programs under our feet, until dropped.
    pub(crate) fn claim_target(&self) -> anyhow::Result<File> {
        std::fs::create_dir_all(&self.target).with_context(|| format!("cannot make {}", self.target.display()))?;
        let path = self.target.join("strongroom-xtask.lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("xtask: another clone works in {}; waiting until it is done", self.target.display());
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        Ok(file)
    }

    /// A built program.
    pub(crate) fn programs(&self) -> PathBuf {
        self.target.join("debug")
    }
}

/// Whether a program of this name can be found.
pub(crate) fn is_in_path(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| Path::new(&folder).join(program).is_file())
}
