//! `strongroomd`: starts, wires and watches signer, desk and prompts of one vault.
//!
//! Invariant: it holds no secret and opens no network. A desk that hangs freezes the signer; a signer that ends is a
//! seal; nothing that it started outlives it.

mod children;
mod doors;
mod managed;
mod providers;
mod watch;

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use rustix::fs::{FlockOperation, Mode, flock};

use crate::children::DeskArguments;
use crate::watch::Supervisor;

/// Runs a Strongroom profile: one vault, one desk, one signer.
#[derive(Parser)]
#[command(version, about, after_help = "Example:\n  strongroomd --dir ~/.local/share/strongroom --paper")]
struct Arguments {
    /// Profile folder: vault, orders, log, sockets.
    #[arg(long)]
    dir: PathBuf,
    #[command(flatten)]
    venue: VenueArguments,
    /// Seed of the paper venue's market.
    #[arg(long, default_value_t = 1)]
    paper_seed: u64,
    /// Streams of that venue.
    #[arg(long, requires = "venue_url")]
    venue_stream_url: Option<String>,
    /// Certificates to trust for that venue instead of the public ones (PEM).
    #[arg(long, requires = "venue_url")]
    venue_ca: Option<PathBuf>,
}

/// Where to trade; real money is never the default.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct VenueArguments {
    /// Host the embedded paper venue and trade there: play money.
    #[arg(long)]
    paper: bool,
    /// Trade at Binance spot: real money.
    #[arg(long)]
    binance: bool,
    /// Trade at this venue (base address of a Binance spot API); its key is pinned after a person confirmed it.
    #[arg(long, requires = "venue_stream_url")]
    venue_url: Option<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strongroomd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // It makes the sockets between prompt and signer: whoever could attach here could listen there.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    // Its children inherit it, and nobody can raise it again.
    let no_core = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, no_core)?;
    // Whatever this process and its children make is closed to others.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let _lock = claim(&arguments.dir)?;
    let desk = DeskArguments {
        dir: arguments.dir.clone(),
        binance: arguments.venue.binance,
        paper_seed: arguments.venue.paper.then_some(arguments.paper_seed),
        venue_url: arguments.venue.venue_url.clone(),
        venue_stream_url: arguments.venue_stream_url.clone(),
        venue_ca: arguments.venue_ca.clone(),
    };
    Supervisor::start(desk)?.watch()
}

/// Takes the profile's lock; it is released by the kernel when this process ends, however it ends.
fn claim(dir: &Path) -> anyhow::Result<std::fs::File> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    for folder in [dir.to_path_buf(), strongroom_desk_api::socket::run_dir(dir)] {
        let made = std::fs::DirBuilder::new().mode(0o700).recursive(true).create(&folder);
        made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
        rustix::fs::chmod(&folder, Mode::RWXU).with_context(|| format!("cannot close {} to others", folder.display()))?;
    }
    let path = dir.join("supervisor.lock");
    let lock = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
    if flock(lock.as_fd(), FlockOperation::NonBlockingLockExclusive).is_err() {
        anyhow::bail!(
            "another strongroomd runs this vault ({}). Nothing was started. Use its doors, or stop it with `strongroom stop`",
            dir.display()
        );
    }
    Ok(lock)
}
