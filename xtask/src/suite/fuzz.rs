//! Runs every fuzz target for a bounded time. Invariant: it needs nothing but the stable compiler and a C++ compiler, and a
//! finding leaves its input and its words behind.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;

use super::Count;
use crate::place::Place;
use crate::stage::must_succeed;

/// So long each target runs.
const SECONDS_EACH: u64 = 20;
/// Another number of seconds.
const SECONDS_VARIABLE: &str = "STRONGROOM_FUZZ_SECONDS";
/// What libFuzzer needs to see where an input leads; the sanitizers, which need a nightly compiler, are left out.
const COVERAGE_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// No input makes more memory necessary, takes longer, or is longer.
const LIMITS: [&str; 3] = ["-rss_limit_mb=2048", "-timeout=10", "-max_len=8192"];
/// Lines of a failed run that are shown.
const LINES_SHOWN: usize = 30;

/// Builds the targets and runs them one after the other.
pub(super) fn run(place: &Place) -> anyhow::Result<Count> {
    let folder = place.target.join("fuzz");
    let host = host(place)?;
    let mut build = place.cargo(["build", "--release", "--bins", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]);
    // With --target the flags reach neither build scripts nor macros, which have no fuzzer to link with.
    must_succeed(build.env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", COVERAGE_FLAGS))?;
    let seconds = std::env::var(SECONDS_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS_EACH);
    let mut count = Count::default();
    for name in targets(place)? {
        let found_nothing = fuzz(&folder, &host, &name, seconds).with_context(|| format!("the target {name} could not be run"))?;
        count = count.plus(Count { passed: u64::from(found_nothing), failed: u64::from(!found_nothing) });
    }
    Ok(count)
}

/// The compiler's own platform.
fn host(place: &Place) -> anyhow::Result<String> {
    let output = place.cargo(["-vV"]).output().context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("cargo does not say its platform")
}

/// Names of the targets: one file each.
fn targets(place: &Place) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.root.join("fuzz/fuzz_targets")).context("cannot list the fuzz targets")? {
        names.extend(entry?.file_name().to_str().and_then(|file| file.strip_suffix(".rs")).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether the target ran to its end without a finding.
fn fuzz(folder: &Path, host: &str, name: &str, seconds: u64) -> anyhow::Result<bool> {
    let corpus = folder.join("corpus").join(name);
    let findings = folder.join("findings").join(name);
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&findings)?;
    let log = findings.join("log.txt");
    let mut program = std::process::Command::new(folder.join(host).join("release").join(name));
    program.arg(&corpus).args(LIMITS).args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", findings.display())]);
    // The target writes its own seeds to where it then looks for them.
    program.env("STRONGROOM_SEEDS", &corpus).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
    let status = program.status()?;
    let said = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    if status.success() {
        let done = said.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or("no count");
        println!("fuzz {name}: {done}");
        return Ok(true);
    }
    let lines: Vec<_> = said.lines().collect();
    println!("fuzz {name}: a finding, {status}; its input and {} hold all of it:", log.display());
    lines[lines.len().saturating_sub(LINES_SHOWN)..].iter().for_each(|line| println!("  {line}"));
    Ok(false)
}
