//! Programs that tests drive others with. Invariant: pinned versions, built from the crates registry into the cache.

use std::path::PathBuf;

use crate::place::Place;
use crate::stage::must_succeed;

/// Between the tests and the web engine's own driver.
const TAURI_DRIVER: &str = "2.1.0";

/// The program tauri-driver, built when it is missing or of another version.
pub(crate) fn tauri_driver(place: &Place) -> anyhow::Result<PathBuf> {
    let folder = place.cache.join("tools");
    let (program, stamp) = (folder.join("bin/tauri-driver"), folder.join("tauri-driver.version"));
    if program.exists() && std::fs::read_to_string(&stamp).is_ok_and(|version| version == TAURI_DRIVER) {
        return Ok(program);
    }
    let mut install = place.cargo(["install", "--quiet", "--locked", "--force", "tauri-driver", "--version", TAURI_DRIVER, "--root"]);
    must_succeed(install.arg(&folder))?;
    std::fs::write(stamp, TAURI_DRIVER)?;
    Ok(program)
}
