//! Serves a simulated paper venue until SIGTERM: `serve DATA_DIR SEED` prints what clients need as one JSON object.
//! Invariant: it listens on loopback only, and its secrets stay in their files.

use strongroom_paper::Config;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let data_dir = arguments.next().ok_or("usage: serve DATA_DIR SEED")?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let venue = strongroom_paper::start(Config::simulated(data_dir, seed)).await?;
        let keys: Vec<serde_json::Value> = venue
            .keys
            .iter()
            .map(|key| {
                let kind = if key.scheme == strongroom_paper::KeyScheme::Ed25519 { "ed25519" } else { "hmac" };
                serde_json::json!({"label": key.label, "api_key": key.api_key, "kind": kind, "secret_file": key.secret_file})
            })
            .collect();
        let facts = serde_json::json!({
            "rest_url": venue.rest_url, "ws_url": venue.ws_url, "ws_api_url": venue.ws_api_url, "ca_file": venue.ca_file, "keys": keys,
        });
        println!("{facts}");
        let mut end = signal(SignalKind::terminate())?;
        end.recv().await;
        venue.shutdown().await;
        Ok(())
    })
}
