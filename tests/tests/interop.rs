//! Clients that we did not write, unmodified, on the paper venue: each case names the client's call and what must come back.
//!
//! Invariant: each client has a venue of its own, and a case that could not run counts as failed.

#![allow(clippy::panic, reason = "a test says what it expects")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::json;
use strongroom_paper::{Config, KeyScheme, start};
use strongroom_tests::seats::seat;

/// Environments with the pinned packages; `cargo xtask test` makes them.
const PYTHON: &str = "STRONGROOM_VENV";
const PYTHON_CONNECTORS: &str = "STRONGROOM_VENV_CONNECTORS";
const NODE_MODULES: &str = "STRONGROOM_INTEROP_JS";
const LONG: &str = "STRONGROOM_LONG";

/// One line of a journey.
#[derive(Deserialize)]
struct Said {
    case: String,
    ok: bool,
    why: Option<String>,
}

fn environment(name: &str) -> PathBuf {
    let set = std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set; run `cargo xtask test`, which makes what it names"));
    PathBuf::from(set)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name)
}

fn python(name: &str) -> Command {
    Command::new(environment(name).join("bin/python"))
}

fn node() -> Command {
    let mut node = Command::new("node");
    node.env("NODE_PATH", environment(NODE_MODULES).join("node_modules"));
    node
}

/// Runs a journey on a venue of its own and expects every case to hold.
async fn journey(mut command: Command, name: &str) {
    let _seat = seat().await;
    let directory = tempfile::tempdir().expect("a folder");
    let venue = start(Config::simulated(directory.path().join("venue"), 42)).await.expect("the venue opens");
    let kind = |scheme| match scheme {
        KeyScheme::HmacSha256 => "hmac",
        KeyScheme::Ed25519 => "ed25519",
        KeyScheme::Rsa => "rsa",
    };
    let keys: Vec<_> = ["trade", "ed25519"]
        .iter()
        .filter_map(|label| venue.key(label))
        .map(|key| json!({"label": key.label, "api_key": key.api_key, "kind": kind(key.scheme), "secret_file": key.secret_file}))
        .collect();
    let config = json!({
        "rest_url": venue.rest_url, "ws_url": venue.ws_url, "ws_api_url": venue.ws_api_url, "ca_file": venue.ca_file, "keys": keys, "only": [],
    });
    let file = directory.path().join("config.json");
    std::fs::write(&file, config.to_string()).expect("the configuration is written");
    command.arg(script(name)).arg(&file).env("PYTHONDONTWRITEBYTECODE", "1");
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread").expect("the journey starts");
    let mut failed = String::new();
    let mut held = 0;
    for line in String::from_utf8_lossy(&ran.stdout).lines() {
        match serde_json::from_str::<Said>(line) {
            Ok(Said { ok: true, .. }) => held += 1,
            Ok(Said { case, why, .. }) => drop(writeln!(failed, "  {case}: {}", why.unwrap_or_default())),
            Err(_) => drop(writeln!(failed, "  said: {line}")),
        }
    }
    println!("{name}: {held} cases held");
    assert!(
        ran.status.success() && failed.is_empty() && held > 0,
        "{name}: {held} cases held; not these:\n{failed}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    venue.shutdown().await;
}

fn is_long() -> bool {
    std::env::var_os(LONG).is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ccxt_python() {
    journey(python(PYTHON), "ccxt_sync.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ccxt_python_pro() {
    journey(python(PYTHON), "ccxt_pro.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ccxt_javascript() {
    journey(node(), "js/ccxt.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_binance() {
    journey(python(PYTHON), "python_binance_sync.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_binance_async_and_sockets() {
    journey(python(PYTHON), "python_binance_async.py").await;
}

/// Answers and events have exactly the fields of the documentation's examples.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documented_shapes() {
    journey(python(PYTHON), "shapes.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binance_connector() {
    if is_long() {
        journey(python(PYTHON_CONNECTORS), "connector.py").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binance_sdk_spot() {
    if is_long() {
        journey(python(PYTHON_CONNECTORS), "sdk_spot.py").await;
    }
}
