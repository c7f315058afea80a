//! Recordings of a real venue on loopback. Invariant shown: what was recorded replays to the book that the venue had, through gaps,
//! disconnections and refused snapshots, packed or not, and after a crash of the recorder too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test says what it expects by unwrapping it")]

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use strongroom_model::{Level, Symbol, Timestamp};
use strongroom_net::Trust;
use strongroom_paper::engine::MarketStatus;
use strongroom_paper::exchange::{self, Exchange, LOOPBACK, Recording, Request};
use strongroom_paper::{AdminAsk, AdminTell, Config, Fault, Market, PaperHandle, StreamFault, Target, start};
use strongroom_recorder::{Progress, RecordError, RecordingFile, Source, record};
use strongroom_venues::binance::decode;
use tokio::time::sleep;

const SYMBOLS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
/// A book that did not change for so long is told of whole: ten times as long as updates are apart.
const STILL: Duration = Duration::from_secs(1);

fn symbols() -> Vec<Symbol> {
    SYMBOLS.iter().map(|symbol| Symbol::parse(symbol).unwrap()).collect()
}

fn source(venue: &PaperHandle) -> Source {
    Source { rest_url: venue.rest_url.clone(), ws_url: venue.ws_url.clone(), trust: Trust::Authorities(venue.ca_pem.clone()) }
}

fn book(exchange: &mut Exchange, now: Timestamp, symbol: &str) -> [Vec<Level>; 2] {
    let query = format!("symbol={symbol}&limit=5000");
    let request = Request { method: "GET", path: "/api/v3/depth", query: &query, body: b"", api_key: None, address: LOOPBACK };
    let book = decode::depth(&exchange.rest(now, request).body).unwrap();
    [book.bids().collect(), book.asks().collect()]
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_us(i64::try_from(since.as_micros()).unwrap())
}

/// The books after the whole recording was played.
fn replayed(path: &Path) -> Vec<[Vec<Level>; 2]> {
    let (mut exchange, end) = played(path);
    SYMBOLS.iter().map(|symbol| book(&mut exchange, end, symbol)).collect()
}

fn played(path: &Path) -> (Exchange, Timestamp) {
    let text = if path.extension().is_some_and(|extension| extension == "gz") {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()), &mut text).unwrap();
        text
    } else {
        std::fs::read_to_string(path).unwrap()
    };
    let recording = Recording::parse(&text).unwrap();
    let begin = Timestamp::from_ms(1_700_000_000_000);
    let end = begin.plus_ms(recording.length_ms() - recording.last_snapshot_ms() + 200);
    let mut exchange = Exchange::new(exchange::Config::standard(1, exchange::Market::Replay(recording)), begin);
    exchange.advance(end);
    (exchange, end)
}

/// Trades on the tape after the whole recording was played.
fn trades_replayed(path: &Path) -> usize {
    let (mut exchange, end) = played(path);
    let request = Request { method: "GET", path: "/api/v3/trades", query: "symbol=BTCUSDT", body: b"", api_key: None, address: LOOPBACK };
    let answer = String::from_utf8(exchange.rest(end, request).body).unwrap();
    answer.matches("\"qty\"").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_replays_to_the_same_books() {
    for name in ["feed.jsonl", "feed.jsonl.gz"] {
        let directory = tempfile::tempdir().unwrap();
        let venue = start(Config { market: Market::Simulated, ..Config::simulated(directory.path().join("venue"), 7) }).await.unwrap();
        let path = directory.path().join(name);
        // The first two snapshots are refused.
        let target = Target { method: None, path: Some("/api/v3/depth".to_owned()) };
        venue.faults().plan(2, target, Fault::ServerError { status: 503, was_executed: false }).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (from, to) = (source(&venue), path.clone());
        let recording = tokio::spawn(async move {
            let mut file = RecordingFile::create(&to).unwrap();
            let mut seen = Vec::new();
            let end = async { drop(stopped.await) };
            let done = record(&from, &symbols(), &mut file, end, |progress| seen.push(progress)).await.unwrap();
            file.finish().unwrap();
            (done, seen)
        });
        sleep(Duration::from_millis(2_500)).await;
        venue.faults().plan_stream(1, StreamFault::Gap).unwrap();
        sleep(Duration::from_millis(1_500)).await;
        venue.faults().plan_stream(1, StreamFault::Disconnect).unwrap();
        sleep(Duration::from_millis(3_000)).await;
        for symbol in symbols() {
            let halted = venue.admin(AdminAsk::SetStatus { symbol, status: MarketStatus::Halt });
            assert_eq!(halted, AdminTell::Done);
        }
        // What the market takes back once it is halted comes as slowly as the machine is.
        let books = || SYMBOLS.map(|symbol| book(&mut venue.exchange().lock().unwrap(), now(), symbol)).to_vec();
        let mut last = books();
        loop {
            sleep(STILL).await;
            let later = books();
            if later == last {
                break;
            }
            last = later;
        }
        stop.send(()).unwrap();
        let (done, seen) = recording.await.unwrap();
        assert!(done.gaps >= 1 && done.reopened == 1 && done.refused == 2, "{done:?}");
        assert!(done.snapshots >= 5 && done.messages > 40, "two at each opening, one for the gap: {done:?}");
        assert!(seen.iter().any(|progress| progress.whole == 2), "{seen:?}");
        assert!(last.iter().flatten().all(|side| side.len() > 5), "{last:?}");
        assert_eq!(replayed(&path), last, "{name}");
        assert!(trades_replayed(&path) > 0, "{name}");
        venue.shutdown().await;
    }
}

#[tokio::test]
async fn what_a_killed_recorder_flushed_is_a_recording() {
    let directory = tempfile::tempdir().unwrap();
    let line = r#"{"t":1.5,"kind":"http","url":"https://x/api/v3/depth?symbol=BTCUSDT&limit=5","msg":{"lastUpdateId":3,"bids":[["9","1"]],"asks":[["11","1"]]}}"#;
    for name in ["torn.jsonl", "torn.jsonl.gz"] {
        let path = directory.path().join(name);
        let mut file = RecordingFile::create(&path).unwrap();
        writeln!(file, "{line}").unwrap();
        write!(file, "{}", &line[..40]).unwrap();
        file.flush().unwrap();
        // As after `kill -9`: nothing ends the file.
        std::mem::forget(file);
        let venue = Config { market: Market::Replay(path), ..Config::simulated(directory.path().join("venue"), 1) };
        let venue = start(venue).await.unwrap();
        assert_eq!(book(&mut venue.exchange().lock().unwrap(), now(), "BTCUSDT").map(|side| side.len()), [1, 1], "{name}");
        venue.shutdown().await;
    }
}

#[tokio::test]
async fn nothing_is_written_over_and_what_is_missing_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("feed.jsonl");
    std::fs::write(&path, "mine").unwrap();
    assert_eq!(RecordingFile::create(&path).err().unwrap().kind(), std::io::ErrorKind::AlreadyExists);
    let venue = start(Config { market: Market::Empty, ..Config::simulated(directory.path().join("venue"), 1) }).await.unwrap();
    let from = source(&venue);
    let none = |_: Progress| {};
    let error = record(&from, &[], &mut Vec::new(), std::future::pending(), none).await.unwrap_err();
    assert!(matches!(error, RecordError::Symbols(0)), "{error}");
    let stranger = Source { trust: Trust::PublicRoots, ..from.clone() };
    let error = record(&stranger, &symbols(), &mut Vec::new(), std::future::pending(), none).await.unwrap_err();
    assert!(matches!(error, RecordError::Stream(_)) && error.to_string().contains("certificate"), "{error}");
    let unknown = [Symbol::parse("NOPEUSDT").unwrap()];
    let error = record(&from, &unknown, &mut Vec::new(), std::future::pending(), none).await.unwrap_err();
    assert!(matches!(error, RecordError::Refused { .. }) && error.to_string().contains("-1121"), "{error}");
    let plain = Source { ws_url: from.ws_url.replace("wss:", "ws:"), ..from };
    let error = record(&plain, &symbols(), &mut Vec::new(), std::future::pending(), none).await.unwrap_err();
    assert!(error.to_string().contains("ws"), "{error}");
    venue.shutdown().await;
}
