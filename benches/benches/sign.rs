//! From an intent to a signed request: in this process, through the isolated signer, and in ccxt. Invariant: one run, one
//! order, the same keys; every figure says how many samples stand behind it.
#![expect(clippy::float_arithmetic, reason = "durations, not money")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use criterion::Criterion;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use strongroom_benches::here::SignerHere;
use strongroom_benches::order::{self, KEYS, Key, RECV_WINDOW_MS};
use strongroom_benches::process::{SignerProcess, Wait};
use strongroom_benches::row::{Peer, Row};
use strongroom_benches::{Spoken as _, furnish};
use strongroom_model::{Scheme, Timestamp};
use strongroom_signer::arena::Arena;
use strongroom_signer_api::Request;
use strongroom_venues::binance::{SigningKey, encode, scheme};

/// The signer's own allocator, which wipes what is freed.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// `cargo xtask bench` says here where the signer's program is.
const SIGNER_VARIABLE: &str = "STRONGROOM_SIGNER";
/// `cargo xtask bench` says here where the peers' Python is.
const PYTHON_VARIABLE: &str = "STRONGROOM_VENV";

const CRITERION_SAMPLES: usize = 100;
const WARM_UP: usize = 200;
const WARM: usize = 2_000;
/// A vault signs at most 6,000 new orders per minute: all rounds of one key together stay below that.
const IDLE: usize = 300;
/// So long nothing is asked before each sample from idle.
const IDLE_GAP: Duration = Duration::from_millis(20);

fn main() -> anyhow::Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` starts benchmarks too; nothing is measured in a test.
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    println!("{}", machine());
    let peers = peers(scratch.path())?;
    let mut rows = Vec::new();
    for key in &KEYS {
        rows.extend(in_process(key, &peers, scratch.path())?);
        rows.extend(through_the_process(key, &peers)?);
    }
    for row in &rows {
        println!("{}", row.line());
    }
    Ok(())
}

fn machine() -> String {
    let said = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = said("/proc/cpuinfo")
        .lines()
        .find_map(|line| Some(line.strip_prefix("model name")?.trim_start_matches(['\t', ' ', ':']).to_owned()));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} cores, load average {}", cpu.unwrap_or_default(), said("/proc/loadavg").trim())
}

const fn word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::HmacSha256 => "hmac",
        Scheme::Ed25519 => "ed25519",
    }
}

/// Without any channel: the bare translation and signature, the same with the key shielded, and the whole state machine.
fn in_process(key: &Key, peers: &Peers, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let mut criterion = Criterion::default()
        .sample_size(CRITERION_SAMPLES)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .without_plots()
        .output_directory(scratch);
    let (intent, at) = (order::intent()?, Timestamp::from_ms(1_800_000_000_000));
    let secret = scheme::import_secret(key.scheme, key.secret.as_bytes())?;
    let signed = |secret: &[u8]| {
        let unsigned = encode::encode(black_box(&intent), at, RECV_WINDOW_MS);
        SigningKey::from_stored(key.scheme, secret).map(|signing| unsigned.sign(key.api_key, &signing))
    };
    let mut measured = Vec::new();
    let mut median = |criterion: &mut Criterion, name: &str, target_us, routine: &mut dyn FnMut()| {
        let name = format!("sign {} {name}", word(key.scheme));
        criterion.bench_function(&name, |bencher| bencher.iter(&mut *routine));
        let ns = estimate(scratch, &name)?;
        measured.push(Row { name, ns, samples: CRITERION_SAMPLES, target_us, peer: Some(peers.at(key.scheme, 0.5)?) });
        anyhow::Ok(())
    };
    // The design's figures are for HMAC: one Ed25519 signature alone takes longer.
    let (bare_target, shielded_target) = match key.scheme {
        Scheme::HmacSha256 => (Some(2), Some(10)),
        Scheme::Ed25519 => (None, None),
    };
    median(&mut criterion, "in process", bare_target, &mut || drop(black_box(signed(&secret))))?;
    let mut arena = Arena::make().context("no randomness")?;
    let shielded = arena.shield(&secret)?;
    median(&mut criterion, "in process, key shielded", shielded_target, &mut || drop(black_box(arena.expose(&shielded, signed))))?;
    let mut signer = SignerHere::new()?;
    furnish(&mut signer, key)?;
    let request = order::request()?;
    median(&mut criterion, "in process, shielded, limits", None, &mut || drop(black_box(signer.sign(request.clone()))))?;
    let last = signer.ask(request, b"")?;
    anyhow::ensure!(matches!(last, strongroom_signer_api::Reply::Signed { .. }), "not signed: {last:?}");
    Ok(measured)
}

/// The median of one iteration, as criterion estimated it.
fn estimate(scratch: &Path, name: &str) -> anyhow::Result<f64> {
    let path = scratch.join(name).join("new/estimates.json");
    let text = std::fs::read(&path).with_context(|| format!("criterion kept no estimate of {name}"))?;
    let estimates: Value = serde_json::from_slice(&text)?;
    estimates["median"]["point_estimate"].as_f64().context("criterion's estimate has no median")
}

/// Through the isolated process, warm and from idle, with a reader that sleeps and with one that spins.
fn through_the_process(key: &Key, peers: &Peers) -> anyhow::Result<Vec<Row>> {
    let program = std::env::var_os(SIGNER_VARIABLE).context("run this with `cargo xtask bench sign`, which builds the signer")?;
    let mut signer = SignerProcess::start(&PathBuf::from(program))?;
    furnish(&mut signer, key)?;
    let request = order::request()?;
    let mut rows = Vec::new();
    for (wait, reader) in [(Wait::Spinning, "reader spins"), (Wait::Asleep, "reader sleeps")] {
        round(&mut signer, &request, wait, WARM_UP, Duration::ZERO)?;
        for (state, samples, gap, target_us) in [("warm", WARM, Duration::ZERO, 15), ("from idle", IDLE, IDLE_GAP, 150)] {
            let start = Instant::now();
            let took = round(&mut signer, &request, wait, samples, gap)?;
            let name = format!("place {} through the signer, {state}, {reader}", word(key.scheme));
            println!("{name}: {samples} samples in {:.2?}: {}", start.elapsed(), summary(&took));
            for (quantile, label) in [(0.5, "p50"), (0.99, "p99")] {
                let target_us = (quantile == 0.5).then_some(target_us);
                let ns = took.value_at_quantile(quantile) as f64;
                rows.push(Row { name: format!("{name}, {label}"), ns, samples, target_us, peer: Some(peers.at(key.scheme, quantile)?) });
            }
        }
    }
    Ok(rows)
}

fn round(signer: &mut SignerProcess, request: &Request, wait: Wait, samples: usize, gap: Duration) -> anyhow::Result<Histogram<u64>> {
    let mut took = histogram();
    for _ in 0..samples {
        if !gap.is_zero() {
            std::thread::sleep(gap);
        }
        let ns = signer.timed(request, wait)?.as_nanos();
        took.saturating_record(u64::try_from(ns).unwrap_or(u64::MAX));
    }
    Ok(took)
}

/// From one nanosecond to ten seconds, to three digits.
#[expect(clippy::expect_used, reason = "the bounds are constants that make sense")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("valid bounds")
}

fn summary(took: &Histogram<u64>) -> String {
    let us = |ns: u64| ns as f64 / 1_000.0;
    let quantiles =
        [0.1, 0.5, 0.9, 0.99, 0.999].map(|quantile| format!("p{}={:.1}", quantile * 100.0, us(took.value_at_quantile(quantile))));
    format!("min={:.1} {} max={:.1} us", us(took.min()), quantiles.join(" "), us(took.max()))
}

/// What ccxt took for the same order, up to where it would send.
struct Peers {
    version: String,
    took: Vec<(Scheme, Histogram<u64>)>,
}

impl Peers {
    fn at(&self, scheme: Scheme, quantile: f64) -> anyhow::Result<Peer> {
        let (_, took) = self.took.iter().find(|(of, _)| *of == scheme).context("the peer did not sign with this scheme")?;
        Ok(Peer { name: "ccxt", version: self.version.clone(), ns: took.value_at_quantile(quantile) as f64 })
    }
}

fn peers(scratch: &Path) -> anyhow::Result<Peers> {
    let environment = std::env::var_os(PYTHON_VARIABLE).context("run this with `cargo xtask bench sign`, which sets up ccxt")?;
    let keys: Vec<Value> =
        KEYS.iter().map(|key| json!({ "scheme": word(key.scheme), "api_key": key.api_key, "secret": key.secret })).collect();
    let file = scratch.join("keys.json");
    std::fs::write(&file, serde_json::to_vec(&keys)?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/ccxt_sign.py");
    let output =
        Command::new(PathBuf::from(environment).join("bin/python")).arg(script).arg(&file).output().context("cannot start Python")?;
    anyhow::ensure!(output.status.success(), "ccxt failed: {}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let version = format!("{} (Python {})", said["ccxt"].as_str().unwrap_or_default(), said["python"].as_str().unwrap_or_default());
    let mut took = Vec::new();
    for key in &KEYS {
        let mut of = histogram();
        for ns in said["took_ns"][word(key.scheme)].as_array().context("ccxt said no durations")? {
            of.saturating_record(ns.as_u64().context("no duration")?);
        }
        println!("ccxt {version} {}: {} samples: {}", word(key.scheme), of.len(), summary(&of));
        took.push((key.scheme, of));
    }
    Ok(Peers { version, took })
}
