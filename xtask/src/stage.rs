//! Steps with names and durations. Invariant: what takes time says so before it starts and how long it took after.

use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

/// Does something under a name.
pub(crate) fn stage<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    println!("== {name}");
    let start = Instant::now();
    let done = work().with_context(|| format!("{name} failed"));
    println!("== {name}: {:.1?}", start.elapsed());
    done
}

/// Runs a command to its end; an error when it fails.
pub(crate) fn must_succeed(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    anyhow::ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}
