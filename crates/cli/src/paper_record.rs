//! `strongroom paper record`: writes market data down. Invariant: public data only; no file is written over.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use strongroom_model::Symbol;
use strongroom_net::Trust;
use strongroom_paper::{AdminAsk, AdminClient, AdminTell};
use strongroom_recorder::{Progress, RecordingFile, Source, record};

use crate::fail::Failure;

/// Binance's public addresses (rest-api.md and web-socket-streams.md of its documentation, "General API Information").
const BINANCE: [&str; 2] = ["https://api.binance.com", "wss://stream.binance.com:9443"];

#[derive(Args)]
pub(crate) struct RecordOptions {
    /// A new file; packed with gzip when its name ends with `.gz`.
    file: PathBuf,
    /// What is recorded, such as BTCUSDT; may be given several times.
    #[arg(long = "symbol", required = true, value_parser = in_capitals)]
    symbols: Vec<Symbol>,
    /// From Binance instead of the paper venue of the data directory.
    #[arg(long, conflicts_with_all = ["rest_url", "ws_url"])]
    binance: bool,
    /// From another venue with Binance's interface: base of its REST requests.
    #[arg(long, requires = "ws_url")]
    rest_url: Option<String>,
    /// The same: base of its streams.
    #[arg(long, requires = "rest_url")]
    ws_url: Option<String>,
    /// The authority to trust instead of the public web's (PEM).
    #[arg(long, requires = "rest_url")]
    ca_file: Option<PathBuf>,
    /// End after so long; without it, when interrupted.
    #[arg(long)]
    seconds: Option<u64>,
}

/// A packed file with nothing in it is so long.
const EMPTY_LEN_MAX: u64 = 32;

/// Symbols are written in capitals, also where they are typed otherwise.
fn in_capitals(text: &str) -> Result<Symbol, String> {
    crate::arguments::symbol(&text.to_uppercase())
}

/// Records until the time is over or a person interrupts.
pub(crate) fn run(options: &RecordOptions, directory: &Path, as_json: bool) -> Result<(), Failure> {
    let failed = |error: String| Failure::refused("record", error);
    let source = source(options, directory)?;
    let shown = options.file.display();
    let mut file = RecordingFile::create(&options.file).map_err(|error| failed(format!("{shown} cannot be made: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(error.to_string()))?;
    let told = |progress: Progress| {
        if as_json {
            println!("{}", serde_json::to_string(&progress).unwrap_or_default());
        } else {
            // One line that is written over; a pipe that was closed takes nothing from the recording.
            let _ = write!(std::io::stdout(), "\r{}", words(&progress, options.symbols.len()));
            let _ = std::io::stdout().flush();
        }
    };
    let done = runtime.block_on(async {
        let end = ended(options.seconds.map(Duration::from_secs)).map_err(|error| failed(error.to_string()))?;
        record(&source, &options.symbols, &mut file, end, told).await.map_err(|error| failed(error.to_string()))
    });
    // What was heard is kept, whatever ended it.
    file.finish().map_err(|error| failed(format!("{shown} is not complete: {error}")))?;
    let is_kept = done.as_ref().is_ok_and(|done| done.snapshots > 0);
    let is_worthless =
        done.as_ref().map_or_else(|_| std::fs::metadata(&options.file).is_ok_and(|file| file.len() <= EMPTY_LEN_MAX), |_| !is_kept);
    if is_worthless {
        let _ = std::fs::remove_file(&options.file);
    }
    let done = done?;
    if !is_kept {
        return Err(failed("no book was heard of, and nothing was kept".to_owned()));
    }
    if as_json {
        println!("{}", serde_json::to_string(&done).unwrap_or_default());
    } else {
        println!("\nWritten to {shown}. To replay it: strongroom paper --replay {shown}");
    }
    Ok(())
}

fn source(options: &RecordOptions, directory: &Path) -> Result<Source, Failure> {
    if options.binance {
        let [rest_url, ws_url] = BINANCE.map(str::to_owned);
        return Ok(Source { rest_url, ws_url, trust: Trust::PublicRoots });
    }
    let authority = |path: &Path| {
        let pem = std::fs::read_to_string(path);
        pem.map(Trust::Authorities).map_err(|error| Failure::usage(&format!("{} cannot be read: {error}", path.display())))
    };
    if let (Some(rest_url), Some(ws_url)) = (&options.rest_url, &options.ws_url) {
        let trust = options.ca_file.as_deref().map_or(Ok(Trust::PublicRoots), authority)?;
        return Ok(Source { rest_url: rest_url.clone(), ws_url: ws_url.clone(), trust });
    }
    let mut venue = AdminClient::connect(directory).map_err(|error| crate::paper_admin::silent(directory, &error))?;
    match venue.ask(&AdminAsk::Whereabouts).map_err(|error| crate::paper_admin::silent(directory, &error))? {
        AdminTell::Whereabouts(at) => Ok(Source { trust: authority(&at.ca_file)?, rest_url: at.rest_url, ws_url: at.ws_url }),
        other => Err(Failure::refused("paper", format!("the venue answers {other:?}"))),
    }
}

/// When the time is over, or a person or the system ends the program.
fn ended(after: Option<Duration>) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        let over = async {
            match after {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = over => {}
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

fn words(progress: &Progress, symbols: usize) -> String {
    let Progress { messages, snapshots, gaps, reopened, whole, bytes, .. } = progress;
    let megabytes = bytes / 1_000_000;
    format!(
        "{messages} messages, {megabytes} MB, {snapshots} snapshots, {whole} of {symbols} books whole, {gaps} gaps, reopened {reopened} times"
    )
}
