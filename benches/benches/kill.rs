//! The kill switch at the signer: from the supervisor's word to the last order signed, while orders are signed one after the other.
//!
//! Invariant: each sample has a signer's process of its own, and after it no order is signed. The rest of the way, to the venue and back, is
//! measured on whole systems by `benches/system/kill.py`, which `cargo xtask bench kill` runs after this.
#![expect(clippy::float_arithmetic, reason = "durations, not money")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use strongroom_benches::furnish;
use strongroom_benches::order::{self, KEYS};
use strongroom_benches::process::SignerProcess;
use strongroom_benches::row::Row;

/// `cargo xtask bench` says here where the signer's program is.
const SIGNER_VARIABLE: &str = "STRONGROOM_SIGNER";
const SAMPLES: usize = 101;
/// Orders signed before the switch, so that everything is warm.
const WARM_UP: usize = 50;

fn main() -> anyhow::Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --all-targets` starts benchmarks too; nothing is measured in a test.
        return Ok(());
    }
    let program = PathBuf::from(std::env::var_os(SIGNER_VARIABLE).with_context(|| format!("{SIGNER_VARIABLE} is not set"))?);
    let request = order::request()?;
    let mut took = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let mut signer = SignerProcess::start(&program)?;
        furnish(&mut signer, &KEYS[0])?;
        for _ in 0..WARM_UP {
            signer.timed(&request)?;
        }
        took.push(signer.frozen(&request)?);
    }
    took.sort_unstable();
    for (name, at) in [("median", SAMPLES / 2), ("p99", SAMPLES * 99 / 100), ("highest", SAMPLES - 1)] {
        let name = format!("from the trigger to the first order that is refused, {name}");
        println!("{}", Row { name, ns: ns(took[at]), samples: SAMPLES, target_us: Some(1_000), peer: None }.line());
    }
    Ok(())
}

fn ns(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
