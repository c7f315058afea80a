//! How the window starts, and the desk with it. Invariant: a desk that is started here has play money unless a venue was asked for;
//! one that runs already is shown as what it is.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use strongroom_desk_api::supervisor::{BINANCE, Running, SupervisorClient, ToSupervisor};

use crate::desk::Desk;
use crate::environment::beside;

/// A desk that was started has so long until it answers.
const START_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The Strongroom window.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "strongroom-app",
    version,
    about,
    after_help = "Example:\n  strongroom-app                 the desk of this profile, or a new one on the paper venue: play money"
)]
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

    /// Starts the desk unless one answers, and tells `desk` how that ended. Blocks.
    pub(crate) fn bring_up(&self, desk: &Desk, started: &StartedDesk) {
        match self.start_desk(desk.profile()) {
            Ok(None) => desk.set_trouble(None),
            Ok(Some(child)) => {
                started.set(child);
                desk.set_trouble(None);
            }
            Err(error) => {
                eprintln!("strongroom-app: {error:#}");
                desk.set_trouble(Some(format!("{error:#}")));
            }
        }
    }

    /// The venue that was asked for, if one was.
    fn venue(&self) -> Option<&str> {
        self.venue_url.as_deref().or(self.binance.then_some(BINANCE))
    }

    /// Starts the supervisor unless one answers; the process, if it was started here.
    fn start_desk(&self, profile: &Path) -> anyhow::Result<Option<Child>> {
        if let Some(words) = status(profile) {
            fits(Running::parse(&words).as_ref(), self.venue())?;
            return Ok(None);
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
        while status(profile).is_none() {
            if let Some(ended) = child.try_wait()? {
                // Another one may have been faster.
                anyhow::ensure!(status(profile).is_some(), "strongroomd ended at once ({ended}). Its own words stand above");
                return Ok(None);
            }
            anyhow::ensure!(Instant::now() < end, "strongroomd does not answer");
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(Some(child))
    }
}

/// The supervisor that this window started, as long as it lives.
#[derive(Clone, Default)]
pub(crate) struct StartedDesk(Arc<Mutex<Option<Child>>>);

impl StartedDesk {
    fn set(&self, child: Child) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    /// Whether the one that runs is the one that was started here.
    pub(crate) fn lives(&self) -> bool {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }
}

/// What the supervisor of the profile says of itself, if one answers.
fn status(profile: &Path) -> Option<String> {
    let asked = SupervisorClient::connect(profile).and_then(|running| running.ask(&ToSupervisor::Status, &[], Duration::from_secs(2)));
    asked.ok().map(|(_, words)| words)
}

/// A desk that is of another version, or trades elsewhere than was asked for, is not taken for the right one. Who asks for no
/// venue gets the desk that is running: the window says where it trades.
fn fits(running: Option<&Running>, venue: Option<&str>) -> anyhow::Result<()> {
    const END_IT: &str = "End it with `strongroom stop`, then try again";
    let own = env!("CARGO_PKG_VERSION");
    match running {
        Some(running) if running.version == own => match venue {
            Some(venue) if venue != running.venue => {
                anyhow::bail!("this profile's desk is running on {}, and {venue} was asked for. {END_IT}", running.venue)
            }
            _ => Ok(()),
        },
        Some(running) => anyhow::bail!("this profile's desk is of version {}, the window of version {own}. {END_IT}", running.version),
        None => anyhow::bail!("this profile's desk is of an older version than the window ({own}). {END_IT}"),
    }
}

#[cfg(test)]
mod tests {
    use strongroom_desk_api::supervisor::PAPER;

    use super::*;

    #[test]
    fn another_desk_is_not_taken_for_the_right_one() {
        let running = |version: &str, venue: &str| Running { version: version.to_owned(), venue: venue.to_owned() };
        let own = env!("CARGO_PKG_VERSION");
        assert!(fits(Some(&running(own, BINANCE)), Some(BINANCE)).is_ok());
        assert!(fits(Some(&running(own, BINANCE)), None).is_ok(), "the running one is shown");
        for (other, why) in [(running(own, PAPER), "paper"), (running("0.0.1", BINANCE), "0.0.1")] {
            assert!(fits(Some(&other), Some(BINANCE)).unwrap_err().to_string().contains(why), "{why}");
        }
        assert!(fits(None, None).is_err());
    }
}
