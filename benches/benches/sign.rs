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
use strongroom_benches::process::{Cores, SignerProcess};
use strongroom_benches::row::{Peer, Row};
use strongroom_benches::{Spoken as _, furnish};
use strongroom_model::{CredentialId, Scheme, SignedRequest, Timestamp};
use strongroom_signer::arena::Arena;
use strongroom_signer_api::channel::{Channel, PACKET_LEN_MAX};
use strongroom_signer_api::frame::{self, Frame, FrameError, Kind};
use strongroom_signer_api::{Reply, Request};
use strongroom_venues::binance::{SigningKey, encode, scheme};

/// The signer's own allocator, which wipes what is freed.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// `cargo xtask bench` says here where the signer's program is.
const SIGNER_VARIABLE: &str = "STRONGROOM_SIGNER";
/// `cargo xtask bench` says here where the peers' Python is.
const PYTHON_VARIABLE: &str = "STRONGROOM_VENV";
/// `cargo xtask bench` says here where the peers' JavaScript is.
const NODE_VARIABLE: &str = "STRONGROOM_NODE_MODULES";

const CRITERION_SAMPLES: usize = 100;
/// Back to back; the peer's script uses the same words.
const WARM_STATE: &str = "warm";
/// After [`IDLE_GAP`] in which nothing was asked.
const IDLE_STATE: &str = "from idle";
const WARM_UP: usize = 100;
const WARM: usize = 1_000;
/// A vault signs at most 6,000 new orders per minute: all rounds of one key together stay below that.
const IDLE: usize = 300;
/// So long nothing is asked before each sample from idle.
const IDLE_GAP: Duration = Duration::from_millis(20);
/// Which core each end runs on decides more than anything else.
const PLACES: [(Cores, &str); 3] = [(Cores::Free, "cores left free"), (Cores::Shared, "one core"), (Cores::Apart, "two cores")];
/// The desk records an intent for so long, with a disk's flush, between waking the signer and asking for a signature.
const RECORDING: Duration = Duration::from_millis(2);

fn main() -> anyhow::Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` starts benchmarks too; nothing is measured in a test.
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    println!("{}", machine());
    let peers = peers(scratch.path())?;
    let mut rows = vec![frames(scratch.path())?];
    rows.extend(channel_alone()?);
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
        Scheme::RsaSha256 => "rsa",
        Scheme::EcdsaP256 => "p256",
    }
}

fn criterion(scratch: &Path) -> Criterion {
    Criterion::default()
        .sample_size(CRITERION_SAMPLES)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .without_plots()
        .output_directory(scratch)
}

/// The part of the way that is neither channel nor signature: both frames written, read, and checked to be canonical.
fn frames(scratch: &Path) -> anyhow::Result<Row> {
    let request = order::request()?;
    let unsigned = encode::encode(&order::intent()?, Timestamp::from_ms(0), RECV_WINDOW_MS)?;
    let signed = unsigned.sign(KEYS[0].api_key, &SigningKey::Hmac(b"key"))?;
    let reply = Reply::Signed {
        request: signed,
        count: 1,
        expires: Timestamp::from_ms(0),
        credential: CredentialId(1),
        order: Some((1, 1)),
        slot: Some(0),
    };
    let mut out = Vec::with_capacity(PACKET_LEN_MAX);
    let mut there_and_back = || -> Result<(Request, Reply), FrameError> {
        frame::write(&mut out, Kind::Request, 1, black_box(&request), b"")?;
        let asked = Frame::parse(&out)?.message()?;
        frame::write(&mut out, Kind::Reply, 1, black_box(&reply), b"")?;
        Ok((asked, Frame::parse(&out)?.message()?))
    };
    there_and_back()?;
    let name = "frames of a request and its reply, written and read";
    criterion(scratch).bench_function(name, |bencher| bencher.iter(|| drop(black_box(there_and_back()))));
    Ok(Row { name: name.to_owned(), ns: estimate(scratch, name)?, samples: CRITERION_SAMPLES, target_us: None, peer: None })
}

/// The floor under the isolated signer: packets of the same size there and back, to a thread that only returns them.
fn channel_alone() -> anyhow::Result<Vec<Row>> {
    const REQUEST_LEN: usize = 256;
    let (near, far) = Channel::pair()?;
    let echo = std::thread::spawn(move || {
        let mut buffer = vec![0; PACKET_LEN_MAX];
        while let Ok(Some(packet)) = far.recv(&mut buffer) {
            if far.send(&buffer[..packet.len], &[]).is_err() {
                break;
            }
        }
    });
    let mut buffer = vec![0; PACKET_LEN_MAX];
    let mut rows = Vec::new();
    for (state, samples, gap) in [(WARM_STATE, WARM, Duration::ZERO), (IDLE_STATE, IDLE, IDLE_GAP)] {
        let mut took = histogram();
        for _ in 0..samples {
            if !gap.is_zero() {
                std::thread::sleep(gap);
            }
            let start = Instant::now();
            near.send(&[1; REQUEST_LEN], &[])?;
            near.recv(&mut buffer)?.context("the echo ended")?;
            record(&mut took, start.elapsed());
        }
        let name = format!("channel alone, {state}, both ends sleep");
        println!("{name}: {samples} samples: {}", summary(&took));
        let ns = took.value_at_quantile(0.5) as f64;
        rows.push(Row { name: format!("{name}, p50"), ns, samples, target_us: None, peer: None });
    }
    drop(near);
    echo.join().ok().context("the echo failed")?;
    Ok(rows)
}

/// Without any channel: the bare translation and signature, the same with the key shielded, and the whole state machine.
fn in_process(key: &Key, peers: &Peers, scratch: &Path) -> anyhow::Result<Vec<Row>> {
    let mut criterion = criterion(scratch);
    let (intent, at) = (order::intent()?, Timestamp::from_ms(1_800_000_000_000));
    let secret = scheme::import_secret(key.scheme, key.secret.as_bytes())?;
    let signed = |secret: &[u8]| -> anyhow::Result<SignedRequest> {
        let unsigned = encode::encode(black_box(&intent), at, RECV_WINDOW_MS)?;
        Ok(unsigned.sign(key.api_key, &SigningKey::from_stored(key.scheme, secret)?)?)
    };
    let mut measured = Vec::new();
    let mut median = |criterion: &mut Criterion, name: &str, target_us, routine: &mut dyn FnMut()| {
        let name = format!("sign {} {name}", word(key.scheme));
        criterion.bench_function(&name, |bencher| bencher.iter(&mut *routine));
        let ns = estimate(scratch, &name)?;
        let row = Row { name, ns, samples: CRITERION_SAMPLES, target_us, peer: None };
        measured.extend(row.beside(peers.at(key.scheme, WARM_STATE, 0.5)?));
        anyhow::Ok(())
    };
    // The design's figures are for HMAC: one Ed25519 signature alone takes longer.
    let (bare_target, shielded_target) = match key.scheme {
        Scheme::HmacSha256 => (Some(2), Some(10)),
        Scheme::Ed25519 | Scheme::RsaSha256 | Scheme::EcdsaP256 => (None, None),
    };
    median(&mut criterion, "in process", bare_target, &mut || drop(black_box(signed(&secret))))?;
    let mut arena = Arena::make().context("no randomness")?;
    let shielded = arena.shield(&secret)?;
    median(&mut criterion, "in process, key shielded", shielded_target, &mut || drop(black_box(arena.expose(&shielded, signed))))?;
    let mut signer = SignerHere::new()?;
    furnish(&mut signer, key)?;
    let request = order::request()?;
    median(&mut criterion, "in process, shielded, limits", None, &mut || drop(black_box(signer.sign(request.clone()))))?;
    let last = signer.ask(request.clone(), b"")?;
    anyhow::ensure!(matches!(last, Reply::Signed { .. }), "not signed: {last:?}");
    // The same with cold caches: what of the time from idle is no channel.
    let mut took = histogram();
    for _ in 0..IDLE {
        std::thread::sleep(IDLE_GAP);
        let request = request.clone();
        let start = Instant::now();
        let reply = black_box(signer.sign(request));
        record(&mut took, start.elapsed());
        drop(reply);
    }
    let name = format!("sign {} in process, shielded, limits, {IDLE_STATE}, p50", word(key.scheme));
    println!("{name}: {IDLE} samples: {}", summary(&took));
    let row = Row { name, ns: took.value_at_quantile(0.5) as f64, samples: IDLE, target_us: None, peer: None };
    measured.extend(row.beside(peers.at(key.scheme, IDLE_STATE, 0.5)?));
    Ok(measured)
}

/// The median of one iteration, as criterion estimated it.
fn estimate(scratch: &Path, name: &str) -> anyhow::Result<f64> {
    let path = scratch.join(name).join("new/estimates.json");
    let text = std::fs::read(&path).with_context(|| format!("criterion kept no estimate of {name}"))?;
    let estimates: Value = serde_json::from_slice(&text)?;
    estimates["median"]["point_estimate"].as_f64().context("criterion's estimate has no median")
}

/// Through the isolated process, warm and from idle.
fn through_the_process(key: &Key, peers: &Peers) -> anyhow::Result<Vec<Row>> {
    let program = std::env::var_os(SIGNER_VARIABLE).context("run this with `cargo xtask bench sign`, which builds the signer")?;
    let mut signer = SignerProcess::start(&PathBuf::from(program))?;
    furnish(&mut signer, key)?;
    let request = order::request()?;
    let mut rows = Vec::new();
    for (cores, place) in PLACES {
        signer.place(cores)?;
        round(&mut signer, &request, WARM_UP, Duration::ZERO)?;
        for (state, samples, gap, target_us) in [(WARM_STATE, WARM, Duration::ZERO, 15), (IDLE_STATE, IDLE, IDLE_GAP, 150)] {
            let start = Instant::now();
            let took = round(&mut signer, &request, samples, gap)?;
            let name = format!("place {} through the signer, {state}, {place}", word(key.scheme));
            println!("{name}: {samples} samples in {:.2?}: {}", start.elapsed(), summary(&took));
            rows.extend(percentiles(&name, &took, target_us, |quantile| peers.at(key.scheme, state, quantile))?);
        }
    }
    for (cores, place) in PLACES {
        signer.place(cores)?;
        let took = woken_round(&mut signer, &request)?;
        let name = format!("place {} through the signer, {IDLE_STATE}, as the desk asks, {place}", word(key.scheme));
        println!("{name}: {IDLE} samples: {}", summary(&took));
        rows.extend(percentiles(&name, &took, 150, |quantile| peers.at(key.scheme, IDLE_STATE, quantile))?);
    }
    signer.place(Cores::Free)?;
    Ok(rows)
}

/// Median, which has a target, and p99, each beside the peers'.
fn percentiles(
    name: &str,
    took: &Histogram<u64>,
    target_us: u32,
    peers: impl Fn(f64) -> anyhow::Result<Vec<Peer>>,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (quantile, label, target_us) in [(0.5, "p50", Some(target_us)), (0.99, "p99", None)] {
        let ns = took.value_at_quantile(quantile) as f64;
        let row = Row { name: format!("{name}, {label}"), ns, samples: usize::try_from(took.len())?, target_us, peer: None };
        rows.extend(row.beside(peers(quantile)?));
    }
    Ok(rows)
}

/// The way of an order: the signer is woken, the intent is recorded meanwhile, and only then it is signed.
fn woken_round(signer: &mut SignerProcess, request: &Request) -> anyhow::Result<Histogram<u64>> {
    let mut took = histogram();
    for _ in 0..IDLE {
        std::thread::sleep(IDLE_GAP);
        signer.wake()?;
        std::thread::sleep(RECORDING);
        record(&mut took, signer.timed(request)?);
    }
    Ok(took)
}

fn round(signer: &mut SignerProcess, request: &Request, samples: usize, gap: Duration) -> anyhow::Result<Histogram<u64>> {
    let mut took = histogram();
    for _ in 0..samples {
        if !gap.is_zero() {
            std::thread::sleep(gap);
        }
        record(&mut took, signer.timed(request)?);
    }
    Ok(took)
}

/// From one nanosecond to ten seconds, to three digits.
#[expect(clippy::expect_used, reason = "the bounds are constants that make sense")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("valid bounds")
}

fn record(took: &mut Histogram<u64>, sample: Duration) {
    took.saturating_record(u64::try_from(sample.as_nanos()).unwrap_or(u64::MAX));
}

fn summary(took: &Histogram<u64>) -> String {
    let us = |ns: u64| ns as f64 / 1_000.0;
    let quantiles =
        [0.1, 0.5, 0.9, 0.99, 0.999].map(|quantile| format!("p{}={:.1}", quantile * 100.0, us(took.value_at_quantile(quantile))));
    format!("min={:.1} {} max={:.1} us", us(took.min()), quantiles.join(" "), us(took.max()))
}

/// What ccxt took for the same order, up to where it would send, in one language.
struct Ccxt {
    version: String,
    took: Vec<(Scheme, &'static str, Histogram<u64>)>,
}

/// ccxt in each of its languages.
struct Peers(Vec<Ccxt>);

impl Peers {
    fn at(&self, scheme: Scheme, state: &str, quantile: f64) -> anyhow::Result<Vec<Peer>> {
        let at = |ccxt: &Ccxt| {
            let (.., took) =
                ccxt.took.iter().find(|(of, when, _)| *of == scheme && *when == state).context("the peer did not measure this")?;
            Ok(Peer { name: "ccxt", version: ccxt.version.clone(), ns: took.value_at_quantile(quantile) as f64 })
        };
        self.0.iter().map(at).collect()
    }
}

fn peers(scratch: &Path) -> anyhow::Result<Peers> {
    let set_up = |variable: &str| {
        let folder = std::env::var_os(variable).context("run this with `cargo xtask bench sign`, which sets up ccxt")?;
        anyhow::Ok(PathBuf::from(folder))
    };
    let keys: Vec<Value> =
        KEYS.iter().map(|key| json!({ "scheme": word(key.scheme), "api_key": key.api_key, "secret": key.secret })).collect();
    let file = scratch.join("keys.json");
    std::fs::write(&file, serde_json::to_vec(&keys)?)?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut python = Command::new(set_up(PYTHON_VARIABLE)?.join("bin/python"));
    python.arg(scripts.join("ccxt_sign.py"));
    let mut node = Command::new("node");
    node.arg(scripts.join("ccxt_sign.mjs")).env("NODE_PATH", set_up(NODE_VARIABLE)?);
    let measured = [python, node].into_iter().map(|mut peer| ccxt(peer.arg(&file).arg(scripts.join("venue.json"))));
    Ok(Peers(measured.collect::<anyhow::Result<_>>()?))
}

fn ccxt(command: &mut Command) -> anyhow::Result<Ccxt> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    anyhow::ensure!(output.status.success(), "ccxt failed: {}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let version = format!("{} ({})", said["ccxt"].as_str().unwrap_or_default(), said["runtime"].as_str().unwrap_or_default());
    let mut took = Vec::new();
    for (key, state) in KEYS.iter().flat_map(|key| [WARM_STATE, IDLE_STATE].map(|state| (key, state))) {
        let mut of = histogram();
        for ns in said["took_ns"][word(key.scheme)][state].as_array().context("ccxt said no durations")? {
            of.saturating_record(ns.as_u64().context("no duration")?);
        }
        println!("ccxt {version} {} {state}: {} samples: {}", word(key.scheme), of.len(), summary(&of));
        took.push((key.scheme, state, of));
    }
    Ok(Ccxt { version, took })
}
