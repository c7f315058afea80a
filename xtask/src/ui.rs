//! The window's page: its packages, its build, its tests. Invariant: what the window embeds was built from the sources
//! that are in the clone, with exactly the packages of the lock file.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::place::{Place, is_in_path};
use crate::stage::must_succeed;

/// Oldest Node.js that the pinned packages support.
const NODE_MIN: u32 = 20;
/// Folders that are made, not written.
const MADE: &[&str] = &["node_modules", "dist", "dist-fake"];

/// Builds the page, unless it is built from these sources already.
pub(crate) fn build(place: &Place) -> anyhow::Result<()> {
    let folder = place.root.join("ui");
    packages(&folder)?;
    let (stamp, sources) = (folder.join("node_modules/.built-from"), fingerprint(&folder)?);
    let is_built = folder.join("dist/index.html").exists() && std::fs::read_to_string(&stamp).is_ok_and(|built| built == sources);
    if is_built {
        return Ok(());
    }
    must_succeed(npm(&folder).args(["run", "--silent", "build"]))?;
    std::fs::write(stamp, sources)?;
    Ok(())
}

/// Installs the packages of the lock file, unless they are installed already.
fn packages(folder: &Path) -> anyhow::Result<()> {
    need_node()?;
    let wanted = std::fs::read_to_string(folder.join("package-lock.json")).context("the page has no lock file")?;
    let stamp = folder.join("node_modules/.installed-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    must_succeed(npm(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    std::fs::write(stamp, wanted)?;
    Ok(())
}

fn need_node() -> anyhow::Result<()> {
    let advice = format!("Node.js {NODE_MIN} or newer with npm is needed to build the window's page");
    anyhow::ensure!(is_in_path("npm"), "{advice}");
    let version = Command::new("node").arg("--version").output().with_context(|| advice.clone())?.stdout;
    let version = String::from_utf8_lossy(&version).trim().trim_start_matches('v').to_owned();
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    anyhow::ensure!(major >= NODE_MIN, "{advice}; this is {version}");
    Ok(())
}

fn npm(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder).stdin(Stdio::null()).env("NO_UPDATE_NOTIFIER", "1");
    npm
}

/// One number for all sources of the page.
fn fingerprint(folder: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        std::fs::read(folder.join(&file))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let own = path.strip_prefix(root)?.to_path_buf();
        if MADE.iter().any(|made| own == Path::new(made)) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(own);
        }
    }
    Ok(())
}

/// Types, lints, format of the page.
pub(crate) fn check(place: &Place) -> anyhow::Result<bool> {
    let folder = place.root.join("ui");
    packages(&folder)?;
    Ok(npm(&folder).args(["run", "--silent", "check"]).status()?.success())
}

/// The page's own tests; how many passed and failed.
pub(crate) fn tests(place: &Place) -> anyhow::Result<(u64, u64)> {
    let folder = place.root.join("ui");
    packages(&folder)?;
    let mut child = npm(&folder).args(["test"]).env("NO_COLOR", "1").stdout(Stdio::piped()).spawn().context("cannot start npm")?;
    let output = child.stdout.take().context("no output of npm")?;
    let mut count = None;
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        count = counted(&line).or(count);
    }
    let status = child.wait()?;
    let (passed, failed) = count.context("the page's tests did not say how many passed")?;
    Ok((passed, if status.success() { failed } else { failed.max(1) }))
}

/// The scripts' sizes beside their budgets, as rows of a benchmark; an error when one is over.
pub(crate) fn sizes(place: &Place) -> anyhow::Result<String> {
    let output = npm(&place.root.join("ui")).args(["run", "--silent", "sizes"]).output().context("cannot start npm")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(output.status.success(), "the page's scripts are larger than their budgets, or hold what they must not:\n{said}");
    Ok(said.lines().filter_map(size_row).collect())
}

/// Reads a line such as `ok   total: 141.7 of 250 kB`.
fn size_row(line: &str) -> Option<String> {
    let (name, size) = line.strip_prefix("ok")?.trim().rsplit_once(": ")?;
    let (value, target) = size.strip_suffix(" kB")?.split_once(" of ")?;
    let (value, target): (f64, f64) = (value.parse().ok()?, target.parse().ok()?);
    let row =
        serde_json::json!({"name": format!("scripts, {name}, gzipped"), "value": value, "unit": "kB", "samples": 1, "target": target});
    Some(format!("row {row}\n"))
}

/// Reads vitest's last lines, such as ` Tests  3 failed | 80 passed (83)`.
fn counted(line: &str) -> Option<(u64, u64)> {
    let counts = line.trim().strip_prefix("Tests ")?;
    let counts = counts.split('(').next()?;
    let of = |name: &str| counts.split('|').find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok()).unwrap_or(0);
    Some((of("passed"), of("failed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_read() {
        assert_eq!(counted("      Tests  83 passed (83)"), Some((83, 0)));
        assert_eq!(counted(" Tests  3 failed | 80 passed (83)"), Some((80, 3)));
        assert_eq!(counted(" Test Files  9 passed (9)"), None);
    }

    #[test]
    fn sizes_are_read() {
        let row = size_row("ok   initial, to Trade without chart: 56.4 of 130 kB").unwrap();
        assert!(row.contains("\"value\":56.4") && row.contains("scripts, initial, to Trade without chart, gzipped"), "{row}");
        assert_eq!(size_row("something else"), None);
    }
}
