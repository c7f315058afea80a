//! The vault with few and with many records: opening it (without the key derivation), one record, a save to the disk, a seal.
//!
//! Invariant: the same steps as the signer and the desk take them, with the shipped file layer and its syncs; every row says how
//! often it was measured.
#![expect(clippy::float_arithmetic, reason = "durations, not money")]

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use strongroom_benches::row::Row;
use strongroom_model::Timestamp;
use strongroom_vault::{Edit, Factors, KdfParams, Kit, NewVault, RecordKind, SystemEntropy, Vault};
use strongroom_vault_store::{MemoryAnchor, Store};

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

const SIZES: [u64; 4] = [10, 1_000, 5_000, 10_000];
/// The design names what it may take with so many.
const ASKED_SIZE: u64 = 5_000;
const SAMPLES: usize = 31;
/// As long as a credential with its public part.
const RECORD_LEN: usize = 600;
/// A process of this program that holds an open vault and waits to be ended.
const HOLDER: &str = "--hold";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == HOLDER) {
        return hold(arguments.get(at + 1).context("which file")?);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` starts benchmarks too; nothing is measured in a test.
        return Ok(());
    }
    println!("{SAMPLES} samples each; median, and the highest; records of {RECORD_LEN} bytes");
    let mut first: Vec<Duration> = Vec::new();
    for size in SIZES {
        let measured = measure(size)?;
        if first.is_empty() {
            first = measured.iter().map(|row| row.median).collect();
        }
        for (row, first) in measured.iter().zip(&first) {
            let growth = row.median.as_secs_f64() / first.as_secs_f64();
            println!(
                "vault, {size:>6} records, {:<30} median {:>9.3} ms, highest {:>9.3} ms, {growth:>6.1} times that of {} records",
                row.what,
                millis(row.median),
                millis(row.highest),
                SIZES[0]
            );
            let (name, ns) = (format!("{}, {size} records, median", row.what), row.median.as_secs_f64() * 1e9);
            let target_us = (size == ASKED_SIZE).then_some(row.target_us);
            println!("{}", Row { name, ns, samples: SAMPLES, target_us, peer: None }.line());
        }
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

struct Measured {
    what: &'static str,
    /// At [`ASKED_SIZE`].
    target_us: u32,
    median: Duration,
    highest: Duration,
}

fn sampled(what: &'static str, target_us: u32, mut once: impl FnMut() -> anyhow::Result<Duration>) -> anyhow::Result<Measured> {
    let mut times = (0..SAMPLES).map(|_| once()).collect::<anyhow::Result<Vec<_>>>()?;
    times.sort_unstable();
    Ok(Measured { what, target_us, median: times[SAMPLES / 2], highest: times[SAMPLES - 1] })
}

fn kit() -> Kit {
    Kit::from_bytes(&[0x5A; 32])
}

fn filled(size: u64) -> anyhow::Result<Vault> {
    let spec = NewVault { vault_id: [7; 16], kdf: KdfParams::FLOOR, at: Timestamp::from_ms(1) };
    let mut vault = Vault::create(spec, b"a long password", &[1; 32], &kit(), &mut SystemEntropy)?;
    let plaintext = [0x33; RECORD_LEN];
    let edits: Vec<Edit<'_>> = (1..=size).map(|id| Edit::Put { id, kind: RecordKind::Credential, plaintext: &plaintext }).collect();
    let sealed = vault.change(&edits, Timestamp::from_ms(2), &mut SystemEntropy)?;
    vault.commit(sealed)?;
    Ok(vault)
}

fn measure(size: u64) -> anyhow::Result<Vec<Measured>> {
    let folder = tempfile::tempdir_in(".")?;
    let mut vault = filled(size)?;
    let store = Store::create(folder.path().join("vault"), Box::new(MemoryAnchor::default()))?;
    let first = vault.first_image();
    store.save(first.bytes(), first.generation(), &first.mac())?;
    let file = first.bytes().to_vec();

    let opened = sampled("unlock without derivation", 100_000, || {
        let start = Instant::now();
        let opened = Vault::open(&file, Factors::Kit(&kit()))?;
        // What an unlocking signer reads at once: every record.
        for head in opened.records() {
            opened.with_record(head.id, |plaintext| black_box(plaintext.len()))?;
        }
        Ok(start.elapsed())
    })?;
    let record = sampled("one record", 1_000, || {
        let start = Instant::now();
        vault.with_record(size.div_ceil(2), |plaintext| black_box(plaintext.len()))?;
        Ok(start.elapsed())
    })?;
    let saved = sampled("save of one change", 150_000, || {
        let start = Instant::now();
        let edit = Edit::Put { id: 1, kind: RecordKind::Credential, plaintext: &[0x34; RECORD_LEN] };
        let sealed = vault.change(&[edit], Timestamp::from_ms(3), &mut SystemEntropy)?;
        store.save(sealed.bytes(), sealed.generation(), &sealed.mac())?;
        vault.commit(sealed)?;
        Ok(start.elapsed())
    })?;
    let path = folder.path().join("held.srv");
    std::fs::write(&path, vault.first_image().bytes())?;
    let gone = sampled("end of the process, memory gone", 250_000, || {
        let mut holder = Command::new(std::env::current_exe()?)
            .args([HOLDER, path.to_str().context("a path")?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        holder.stdout.as_mut().context("its output")?.read_exact(&mut [0])?;
        let start = Instant::now();
        holder.kill()?;
        holder.wait()?;
        Ok(start.elapsed())
    })?;
    Ok(vec![opened, record, saved, gone])
}

/// Opens a vault, says so, and waits.
fn hold(path: &str) -> anyhow::Result<()> {
    let vault = Vault::open(&std::fs::read(path)?, Factors::Kit(&kit()))?;
    std::io::stdout().write_all(b"1")?;
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    black_box(vault);
    Ok(())
}
