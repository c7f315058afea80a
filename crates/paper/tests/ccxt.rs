//! An unmodified ccxt trades on the paper venue, with HMAC and Ed25519 keys, over TLS with the venue's own authority.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use strongroom_paper::{Config, start};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ccxt_lists_places_sees_and_cancels() {
    let directory = tempfile::tempdir().unwrap();
    let venue = start(Config::simulated(directory.path().join("venue"), 42)).await.unwrap();
    let keys: Vec<Value> = ["trade", "ed25519"]
        .iter()
        .map(|label| venue.key(label).unwrap())
        .map(|key| json!({"label": key.label, "api_key": key.api_key, "secret_file": key.secret_file}))
        .collect();
    let config = directory.path().join("config.json");
    std::fs::write(&config, json!({"rest_url": venue.rest_url, "keys": keys}).to_string()).unwrap();
    let ca_file = venue.ca_file.clone();
    let output = tokio::task::spawn_blocking(move || {
        let script = Path::new(WORKSPACE).join("tests/interop/ccxt_journey.py");
        Command::new(python()).arg(script).arg(&config).env("REQUESTS_CA_BUNDLE", ca_file).output().unwrap()
    })
    .await
    .unwrap();
    let said: Value = serde_json::from_slice(succeeded(&output)).unwrap();
    let journeys = said["journeys"].as_array().unwrap();
    assert_eq!(journeys.len(), 2);
    for journey in journeys {
        assert_eq!(journey["markets"], json!(["BNB/USDT", "BTC/USDT", "ETH/BTC", "ETH/USDT", "SOL/USDT"]), "{journey}");
        assert_eq!(journey["levels"], json!([20, 20]), "{journey}");
        assert_eq!(journey["candles"], 200, "{journey}");
        assert_eq!(journey["seen"], json!(["open", true, true]), "{journey}");
        assert_eq!((&journey["cancelled"], &journey["left"]), (&json!("canceled"), &json!(0)), "{journey}");
        assert_eq!(journey["bought"], json!(["closed", 0.001]), "{journey}");
        assert_eq!((&journey["has_price"], &journey["locked"], &journey["mine"]), (&json!(true), &json!(true), &json!(true)), "{journey}");
        assert_eq!((&journey["taker_fee"], &journey["refusal"]), (&json!(0.001), &json!("InsufficientFunds")), "{journey}");
        assert!(journey["trades"].as_u64().unwrap() > 0, "{journey}");
    }
    venue.shutdown().await;
}

/// Python with the pinned packages: in `STRONGROOM_VENV`, or in an environment made beside the build's output.
fn python() -> PathBuf {
    let (venv, is_given) = match std::env::var_os("STRONGROOM_VENV") {
        Some(venv) => (PathBuf::from(venv), true),
        None => (Path::new(env!("CARGO_TARGET_TMPDIR")).join("../strongroom-venv"), false),
    };
    let python = venv.join("bin/python");
    let requirements = Path::new(WORKSPACE).join("tests/interop/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).unwrap();
    let mark = venv.join("installed-requirements.txt");
    if !is_given && std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    if !python.exists() {
        succeeded(&Command::new("python3").args(["-m", "venv"]).arg(&venv).output().unwrap());
    }
    if !is_given {
        let install = Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements)
            .output();
        succeeded(&install.unwrap());
        std::fs::write(mark, wanted).unwrap();
    }
    python
}

fn succeeded(output: &Output) -> &[u8] {
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    &output.stdout
}
