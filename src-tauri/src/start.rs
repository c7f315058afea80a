//! How the window starts, and the desk with it. Invariant: real money is never the default.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use strongroom_desk_api::supervisor::{SupervisorClient, ToSupervisor};

use crate::environment::beside;

/// A desk that was started has so long until it answers.
const START_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The Strongroom window.
#[derive(Clone, Debug, Parser)]
#[command(name = "strongroom-app", version, about, after_help = "Example:\n  strongroom-app                 the paper venue: play money")]
pub(crate) struct Arguments {
    /// Profile folder: vault, orders, log. Default: ~/.local/share/strongroom
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Trade at Binance spot: real money. Without it the embedded paper venue is used.
    #[arg(long, conflicts_with = "venue_url")]
    binance: bool,
    /// Trade at this venue (base address of a Binance spot API).
    #[arg(long, requires = "venue_stream_url")]
    venue_url: Option<String>,
    /// Streams of that venue.
    #[arg(long, requires = "venue_url")]
    venue_stream_url: Option<String>,
    /// Certificates to trust for that venue instead of the public ones (PEM).
    #[arg(long, requires = "venue_url")]
    venue_ca: Option<PathBuf>,
    /// Draw without the graphics card.
    #[arg(long)]
    safe_graphics: bool,
}

pub(crate) fn arguments() -> Arguments {
    Arguments::parse()
}

impl Arguments {
    /// The profile's folder.
    pub(crate) fn profile(&self) -> anyhow::Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return std::path::absolute(dir).context("the profile's folder cannot be found");
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
        Ok(data.context("neither --dir nor HOME is set")?.join("strongroom"))
    }

    /// Starts the supervisor unless one answers. `true`: it was started here.
    pub(crate) fn start_desk(&self, profile: &Path) -> anyhow::Result<bool> {
        if answers(profile) {
            return Ok(false);
        }
        let mut command = Command::new(beside("strongroomd")?);
        command.arg("--dir").arg(profile);
        match (&self.venue_url, &self.venue_stream_url) {
            (Some(url), Some(streams)) => {
                command.arg("--venue-url").arg(url).arg("--venue-stream-url").arg(streams);
                command.args(self.venue_ca.iter().flat_map(|ca| [Path::new("--venue-ca"), ca.as_path()]));
            }
            _ => {
                command.arg(if self.binance { "--binance" } else { "--paper" });
            }
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("strongroomd cannot be started")?;
        let end = Instant::now() + START_MAX;
        while !answers(profile) {
            if let Some(status) = child.try_wait()? {
                // Another one may have been faster.
                anyhow::ensure!(answers(profile), "strongroomd ended at once ({status}). Its own words stand above");
                return Ok(false);
            }
            anyhow::ensure!(Instant::now() < end, "strongroomd does not answer");
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(true)
    }
}

fn answers(profile: &Path) -> bool {
    SupervisorClient::connect(profile).and_then(|supervisor| supervisor.ask(&ToSupervisor::Status, &[], Duration::from_secs(2))).is_ok()
}
