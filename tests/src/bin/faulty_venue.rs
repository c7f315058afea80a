//! A paper venue in a process of its own that fails on demand. Invariant: without a line on its input it has no faults.
//!
//! Usage: `faulty_venue DATA_DIR [PORT [other-key]]`; `other-key`: it shows another key of the same authority from the start.
//! Prints one JSON line with its addresses, then answers each line of input, such
//! as `{"plan": {"fault": "drop_answer", "count": 1, "method": "POST", "path": "/api/v3/order"}}`, with one line.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::json;
use strongroom_paper::{Config, Fault, Faults, Target};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Wish {
    Plan { fault: Planned, count: u32, method: Option<String>, path: Option<String> },
    SkewClockMs(i64),
    SwapCertificate(bool),
    Clear,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Planned {
    DropAnswer,
    CloseConnection,
    DelayAnswerMs(u64),
    RateLimited(u64),
    ServerError(bool),
    MalformedBody,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut config = Config::simulated(arguments.next().context("no data folder")?, 1);
    if let Some(port) = arguments.next() {
        config.listen = SocketAddr::from(([127, 0, 0, 1], port.parse()?));
    }
    let venue = strongroom_paper::start(config).await?;
    venue.faults().swap_certificate(arguments.next().as_deref() == Some("other-key"));
    println!("{}", json!({"rest_url": venue.rest_url, "ws_url": venue.ws_url, "ca_file": venue.ca_file, "spki_sha256": venue.spki_sha256}));
    // The venue is served by the runtime's other threads.
    for line in std::io::stdin().lines() {
        let line = line?;
        carry_out(venue.faults(), serde_json::from_str(&line).with_context(|| line.clone())?);
        println!("{}", json!({"pending": venue.faults().pending()}));
    }
    venue.shutdown().await;
    Ok(())
}

fn carry_out(faults: &Faults, wish: Wish) {
    match wish {
        Wish::Plan { fault, count, method, path } => {
            let fault = match fault {
                Planned::DropAnswer => Fault::DropAnswer,
                Planned::CloseConnection => Fault::CloseConnection,
                Planned::DelayAnswerMs(ms) => Fault::DelayAnswer(Duration::from_millis(ms)),
                Planned::RateLimited(retry_after_s) => Fault::RateLimited { status: 429, retry_after_s },
                Planned::ServerError(was_executed) => Fault::ServerError { status: 503, was_executed },
                Planned::MalformedBody => Fault::MalformedBody,
            };
            faults.plan(count, Target { method, path }, fault).expect("a fault that can be");
        }
        Wish::SkewClockMs(ms) => faults.skew_clock_ms(ms),
        Wish::SwapCertificate(other) => faults.swap_certificate(other),
        Wish::Clear => faults.clear(),
    }
}
