//! `strongroom paper`: the paper venue for other programs. Invariant: it listens on loopback only.

use std::path::{Path, PathBuf};

use strongroom_paper::{Config, Market, Scene};

use crate::arguments::PaperOptions;
use crate::fail::Failure;

/// Descriptors that the venue's connections may need.
const DESCRIPTORS: u64 = 4_096;

/// As many descriptors as the venue has connections, where the system permits it; with fewer, connections wait.
fn allow_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < DESCRIPTORS) {
        limit.current = Some(limit.maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS)));
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// Runs until interrupted.
pub(crate) fn run(mut options: PaperOptions, profile: &Path, json: bool) -> Result<(), Failure> {
    let failed = |error: String| Failure::refused("paper", error);
    let given = options.data_dir.take();
    let here = PathBuf::from("paper-venue");
    if let Some(command) = options.command.take() {
        // Without a venue of its own in this folder, the one that the profile embeds is meant.
        let data_dir = given.unwrap_or_else(|| if here.exists() { here } else { profile.join("paper") });
        return crate::paper_admin::run(command, &data_dir, json);
    }
    let data_dir = given.unwrap_or(here);
    let mut config = Config::simulated(data_dir, options.seed);
    config.scene = Scene {
        volatility_percent: options.volatility,
        spread_percent: options.spread,
        levels: options.depth,
        speed_percent: options.speed,
    };
    config.listen = options.listen;
    if let Some(recording) = &options.replay {
        config.market = if options.both { Market::Both(recording.clone()) } else { Market::Replay(recording.clone()) };
    }
    allow_connections();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| failed(error.to_string()))?;
    runtime.block_on(async {
        let venue = strongroom_paper::start(config).await.map_err(|error| failed(error.to_string()))?;
        let key = venue.key("trade").ok_or_else(|| failed("the venue has no trading key".to_owned()))?;
        let facts = serde_json::json!({
            "rest_url": venue.rest_url, "ws_url": venue.ws_url, "ws_api_url": venue.ws_api_url, "ca_file": venue.ca_file,
            "api_key": key.api_key, "secret_file": key.secret_file,
        });
        if json {
            println!("{facts}");
        } else {
            println!("Paper venue, play money only. Orders and balances are kept in its data directory.");
            for (name, value) in facts.as_object().into_iter().flatten() {
                println!("  {name:<12} {}", value.as_str().unwrap_or_default());
            }
            println!("Interrupt to end it.");
        }
        use tokio::signal::unix::{SignalKind, signal};
        let mut end = signal(SignalKind::terminate()).map_err(|error| failed(error.to_string()))?;
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = end.recv() => {}
        }
        venue.shutdown().await;
        Ok(())
    })
}
