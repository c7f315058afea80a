//! Every test. Invariant: the last line is the sum over all test programs, and success means that each of them ended.

mod fuzz;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::place::Place;
use crate::stage::{must_succeed, stage};
use crate::{setup, tools, ui};

/// From cold, on two cores, without `--long`.
const BUDGET: Duration = Duration::from_secs(25 * 60);
/// Where the tests find Python with the pinned packages.
const PYTHON_VARIABLE: &str = "STRONGROOM_VENV";

/// Where the tests find further clients that we did not write.
const CONNECTORS_VARIABLE: &str = "STRONGROOM_VENV_CONNECTORS";
const JAVASCRIPT_VARIABLE: &str = "STRONGROOM_INTEROP_JS";
/// Where the tests find the program that drives the window.
const DRIVER_VARIABLE: &str = "STRONGROOM_TAURI_DRIVER";

/// The test programs of the stories: in the terminal, and on the window.
const TERMINAL: &str = "journeys";
const WINDOW: &str = "desktop";
/// Where the tests find release programs.
const RELEASE_VARIABLE: &str = "STRONGROOM_RELEASE";

/// Clients that we did not write, each where it was installed.
struct Clients {
    python: PathBuf,
    connectors: Option<PathBuf>,
    javascript: PathBuf,
}

/// What libtest counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

pub(crate) fn run(place: &Place, long: bool, yes: bool) -> anyhow::Result<bool> {
    let start = Instant::now();
    let ended = stage("system packages", || setup::packages(yes))
        .and_then(|()| {
            stage("clients", || {
                // Two clients are run in the long test only.
                let connectors = if long { Some(setup::connectors_environment(place)?) } else { None };
                Ok(Clients { python: setup::python_environment(place)?, connectors, javascript: setup::javascript_clients(place)? })
            })
        })
        .and_then(|clients| {
            let _claim = place.claim_target()?;
            stage("page", || ui::build(place))?;
            let driver = stage("window driver", || tools::tauri_driver(place))?;
            stage("build", || must_succeed(&mut place.cargo(["build", "--workspace", "--bins"])))?;
            if long {
                stage("release build", || must_succeed(&mut place.cargo(["build", "--release", "--workspace", "--bins"])))?;
                // What is wiped after a signature is measured of what ships.
                let depth = ["test", "--release", "--workspace", "--test", "stack_depth"];
                stage("depth of a signature", || must_succeed(&mut place.cargo(depth)))?;
            }
            let count = stage("tests", || tests(place, long, &clients, &driver))?;
            stage("page sizes", || ui::sizes(place))?;
            let count = count.plus(Count { passed: 1, failed: 0 });
            if long { stage("fuzzing", || fuzz::run(place)).map(|fuzzed| count.plus(fuzzed)) } else { Ok(count) }
        });
    if !long && start.elapsed() > BUDGET {
        println!("This took {:.0?}, more than the {BUDGET:.0?} that it may take.", start.elapsed());
    }
    let count = ended.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        Count { passed: 0, failed: 1 }
    });
    println!("{} passed, {} failed", count.passed, count.failed);
    Ok(count.failed == 0)
}

/// Stories wait most of their time, so they run beside all other tests; what they say comes when they are through.
fn tests(place: &Place, long: bool, clients: &Clients, driver: &Path) -> anyhow::Result<Count> {
    let cargo = |which: &[&str], threads_per_core: usize| {
        let mut cargo = place.cargo(["test", "--workspace", "--no-fail-fast"]);
        cargo.args(which);
        // Those that wait run beside those that work; how many work at once, `strongroom_tests::seats` says.
        let threads = threads_per_core * std::thread::available_parallelism().map_or(1, usize::from);
        cargo.env("RUST_TEST_THREADS", threads.to_string());
        cargo.env(PYTHON_VARIABLE, &clients.python).env(JAVASCRIPT_VARIABLE, &clients.javascript).env(DRIVER_VARIABLE, driver);
        if let Some(connectors) = &clients.connectors {
            cargo.env(CONNECTORS_VARIABLE, connectors);
        }
        if long {
            cargo.env(RELEASE_VARIABLE, place.target.join("release"));
            cargo.env("STRONGROOM_LONG", "1").args(["--", "--include-ignored"]);
        }
        cargo
    };
    stage("build of the tests", || {
        must_succeed(&mut place.cargo(["test", "--workspace", "--no-run"]))?;
        must_succeed(&mut place.cargo(["test", "--workspace", "--no-run", "--test", TERMINAL, "--test", WINDOW]))
    })?;
    let is_named = |line: &str| line.starts_with("test ") && result(line).is_none();
    std::thread::scope(|scope| {
        let beside = |name: &'static str, threads: usize| {
            let cargo = cargo(&["--test", name], threads);
            let lane = scope.spawn(move || counted(cargo, is_named));
            move || stage(name, || lane.join().map_err(|_| anyhow::anyhow!("they could not be counted"))?)
        };
        // Most of those in the terminal wait for codes.
        let (terminal, window) = (beside(TERMINAL, 5), beside(WINDOW, 3));
        let others = stage("all other tests", || counted(cargo(&[], 3), |_| true));
        let pages = stage("page tests", || ui::tests(place));
        let (window, terminal) = (window(), terminal());
        let (passed, failed) = pages?;
        Ok(others?.plus(window?).plus(terminal?).plus(Count { passed, failed }))
    })
}

/// Runs tests to their end. What is not `live` of what they say is shown together after it.
fn counted(mut cargo: Command, live: fn(&str) -> bool) -> anyhow::Result<Count> {
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let output = child.stdout.take().context("no output of cargo")?;
    let mut count = Count::default();
    let mut held = String::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if live(&line) {
            println!("{line}");
        } else {
            held.extend([&line, "\n"]);
        }
        count = count.plus(result(&line).unwrap_or_default());
    }
    print!("{held}");
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        println!("A test program was not built or did not end by itself.");
        count.failed = 1;
    }
    Ok(count)
}

impl Count {
    const fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// Reads libtest's last line, such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
fn result(line: &str) -> Option<Count> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let of = |name: &str| counts.split("; ").find_map(|part| part.strip_suffix(name)?.trim().parse().ok());
    Some(Count { passed: of(" passed")?, failed: of(" failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_read() {
        let of = |line| result(line).map(|count| (count.passed, count.failed));
        assert_eq!(of("test result: ok. 19 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s"), Some((19, 0)));
        assert_eq!(of("test result: FAILED. 6 passed; 4 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.27s"), Some((6, 4)));
        assert_eq!(of("test 3 passed; 1 failed ... ok"), None);
        assert_eq!(of("test result: FAILED. 6 pas"), None);
    }
}
