//! `strongroom-desk`: hosts the desk and the embedded paper venue; started by the supervisor.
//!
//! Invariant: it holds no venue secret of a person's vault and cannot sign; it ends when the supervisor does.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use strongroom_desk::{Config, VenueConfig};
use strongroom_desk_api::Mode;
use strongroom_signer_api::Channel;

/// Where Binance spot is.
// https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information
const BINANCE_REST: &str = "https://api.binance.com";
const BINANCE_STREAM: &str = "wss://stream.binance.com:9443";

/// The desk of a Strongroom profile; started by strongroomd, not by hand.
#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    binance: bool,
    #[arg(long)]
    paper_seed: Option<u64>,
    #[arg(long)]
    venue_url: Option<String>,
    #[arg(long)]
    venue_stream_url: Option<String>,
    #[arg(long)]
    venue_ca: Option<PathBuf>,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strongroom-desk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    // No core, and no other program of the same user in its memory.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let supervisor = Channel::inherited().context("started without a supervisor; use strongroomd")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        // Lives as long as the desk does.
        let mut paper = None;
        let venue = if let Some(seed) = arguments.paper_seed {
            let config = strongroom_paper::Config::simulated(arguments.dir.join("paper"), seed);
            let handle = strongroom_paper::start(config).await.context("the paper venue cannot be opened")?;
            let venue = VenueConfig {
                rest_url: handle.rest_url.clone(),
                stream_url: handle.ws_url.clone(),
                ca_pem: Some(handle.ca_pem.clone()),
                pin: Some(handle.spki_sha256.clone()),
                mode: Mode::Simulation,
            };
            paper = Some(handle);
            venue
        } else {
            let (rest, stream) = match (arguments.binance, arguments.venue_url, arguments.venue_stream_url) {
                (true, None, None) => (BINANCE_REST.to_owned(), BINANCE_STREAM.to_owned()),
                (false, Some(rest), Some(stream)) => (rest, stream),
                _ => anyhow::bail!("no venue is named"),
            };
            VenueConfig::new(rest, stream, arguments.venue_ca.as_ref()).context("the file of certificates cannot be read")?
        };
        let done = strongroom_desk::run(Config { dir: arguments.dir, venue, supervisor }).await;
        if let Some(paper) = paper {
            paper.shutdown().await;
        }
        done.map_err(anyhow::Error::from)
    })
}
