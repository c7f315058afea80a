//! Listens and writes. Invariant: a broken stream is opened again and every book begins anew with a snapshot; only a person, the file or
//! the source's identity ends a recording.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use strongroom_model::{Advice, Symbol, Timestamp};
use strongroom_net::{Endpoint, EndpointError, Line, NotSent, OpenError, PinBoard, PinError, Stream, StreamError, Text, Trust, shake};
use strongroom_venues::binance::stream::{self as feed, Channel, StreamEvent};
use thiserror::Error;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::continuity::Continuity;

/// Most symbols of one recording: their snapshots, of weight 50 each, stay below the venue's limit of 6,000 a minute.
pub const SYMBOLS_MAX: usize = 100;
const SNAPSHOT_PATH: &str = "/api/v3/depth";
const SNAPSHOT_LEVELS: &str = "1000";
const SNAPSHOT_MAX: Duration = Duration::from_secs(10);
/// A snapshot that was refused or too old is asked for again after this.
const SNAPSHOT_AGAIN: Duration = Duration::from_secs(1);
/// Longest wait that a venue may impose on a snapshot.
const WAIT_MAX: Duration = Duration::from_secs(3 * 60);
/// Everything written is in the file after this.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// A stream that says nothing for so long is opened again: every symbol has changes far more often, and venues ping every 20 s.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const REOPEN: Duration = Duration::from_secs(1);

/// Where from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Base of REST requests, such as `https://api.binance.com`.
    pub rest_url: String,
    /// Base of streams, such as `wss://stream.binance.com:9443`.
    pub ws_url: String,
    /// Who vouches for its servers. The key that is seen first is the only one accepted until the end.
    pub trust: Trust,
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Messages of the stream that were written.
    pub messages: u64,
    /// Snapshots that were written.
    pub snapshots: u64,
    /// Times that a book's numbers had a gap.
    pub gaps: u64,
    /// Times that the stream was opened again.
    pub reopened: u64,
    /// Snapshots that were refused.
    pub refused: u64,
    /// Symbols whose books can be followed now.
    pub whole: usize,
    /// Bytes of text.
    pub bytes: u64,
}

/// What ended a recording before its time.
#[derive(Debug, Error)]
pub enum RecordError {
    /// No symbol, or too many.
    #[error("a recording has 1 to {SYMBOLS_MAX} symbols, not {0}")]
    Symbols(usize),
    /// An address.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The REST line.
    #[error(transparent)]
    Line(#[from] OpenError),
    /// The source is not there, is not who it was, or refuses.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A symbol that the venue does not have.
    #[error("the venue refuses the book of {symbol}: {answer}")]
    Refused {
        /// Which.
        symbol: Symbol,
        /// The venue's words.
        answer: String,
    },
    /// The file.
    #[error("the recording cannot be written: {0}")]
    File(#[from] io::Error),
}

/// Records trades and books of `symbols` until `end`; `told` hears how far it is, once a second.
pub async fn record(
    source: &Source,
    symbols: &[Symbol],
    out: &mut impl Write,
    end: impl Future<Output = ()>,
    mut told: impl FnMut(Progress),
) -> Result<Progress, RecordError> {
    if symbols.is_empty() || symbols.len() > SYMBOLS_MAX {
        return Err(RecordError::Symbols(symbols.len()));
    }
    let board = PinBoard::new(now);
    for url in [&source.rest_url, &source.ws_url] {
        pin(url, &source.trust, &board).await?;
    }
    let mut recorder = Recorder { source, symbols, line: Line::open(&source.rest_url, &source.trust, board.clone())?, board, out };
    let mut progress = Progress::default();
    tokio::pin!(end);
    let mut stream = Stream::open(&recorder.url(), &source.trust, &recorder.board).await?;
    loop {
        let ended = tokio::select! {
            () = &mut end => None,
            ended = recorder.follow(stream, &mut progress, &mut told) => Some(ended?),
        };
        recorder.out.flush()?;
        progress.whole = 0;
        if ended.is_none() {
            return Ok(progress);
        }
        stream = tokio::select! {
            () = &mut end => return Ok(progress),
            opened = recorder.reopen() => opened?,
        };
        progress.reopened += 1;
    }
}

/// Takes the key that a server shows at the beginning for its own: who vouches for it was checked, and nothing secret is sent.
async fn pin(url: &str, trust: &Trust, board: &Arc<PinBoard>) -> Result<(), RecordError> {
    let parsed = Url::parse(url).map_err(|_| EndpointError::Unreadable(url.to_owned()))?;
    let endpoint = Endpoint::of(&parsed)?;
    match shake(&endpoint, trust, board).await {
        Err(StreamError::NotConnected(NotSent::Pin(PinError::Unconfirmed { seen, .. }))) => {
            // The board is empty but for the other address.
            let _ = board.pin(&endpoint, seen);
            Ok(())
        }
        other => Ok(other?),
    }
}

/// A request for a snapshot that brought none.
enum NoSnapshot {
    /// To be asked again after so long.
    Again(Duration),
    /// The venue's words: it will say the same again.
    Refused(String),
}

/// What came of a request for a snapshot.
type Snapshot = (Symbol, Result<Vec<u8>, NoSnapshot>);

struct Recorder<'a, W> {
    source: &'a Source,
    symbols: &'a [Symbol],
    line: Line,
    board: Arc<PinBoard>,
    out: &'a mut W,
}

impl<W: Write> Recorder<'_, W> {
    fn url(&self) -> String {
        let names: Vec<String> =
            self.symbols.iter().flat_map(|symbol| [Channel::Depth, Channel::Trade].map(|channel| feed::name(symbol, channel))).collect();
        feed::url(&self.source.ws_url, &names)
    }

    /// Opens the stream again, as often as it takes.
    async fn reopen(&self) -> Result<Stream, RecordError> {
        loop {
            sleep(REOPEN).await;
            match Stream::open(&self.url(), &self.source.trust, &self.board).await {
                Ok(stream) => return Ok(stream),
                Err(error) => match error.advice() {
                    Advice::RetryAfter(ms) => sleep(Duration::from_millis(ms)).await,
                    _ => return Err(error.into()),
                },
            }
        }
    }

    /// Writes what one stream says, with a snapshot of every book, until the stream ends.
    async fn follow(&mut self, mut stream: Stream, progress: &mut Progress, told: &mut impl FnMut(Progress)) -> Result<(), RecordError> {
        let mut books: BTreeMap<&Symbol, Continuity> = self.symbols.iter().map(|symbol| (symbol, Continuity::default())).collect();
        let line = self.line.clone();
        let ask = |symbol: &Symbol, wait| snapshot(line.clone(), symbol.clone(), wait);
        let mut asked: FuturesUnordered<_> = self.symbols.iter().map(|symbol| ask(symbol, Duration::ZERO)).collect();
        let mut tick = tokio::time::interval(FLUSH_EVERY);
        loop {
            tokio::select! {
                heard = timeout(SILENCE_MAX, stream.next()) => {
                    let Ok(Ok(Some(text))) = heard else { return Ok(()) };
                    let written = self.write("ws", None, text.as_bytes())?;
                    progress.bytes += written;
                    progress.messages += u64::from(written > 0);
                    if let Some(symbol) = depth_gap(&text, &mut books) {
                        progress.gaps += 1;
                        asked.push(ask(&symbol, Duration::ZERO));
                    }
                }
                Some((symbol, answer)) = asked.next() => match answer {
                    Ok(body) => {
                        let url = format!("{}{SNAPSHOT_PATH}?{}", self.source.rest_url, query(&symbol));
                        let written = self.write("http", Some(&url), &body)?;
                        progress.bytes += written;
                        progress.snapshots += u64::from(written > 0);
                        let is_old = match (strongroom_venues::binance::decode::depth(&body), books.get_mut(&symbol)) {
                            (Ok(book), Some(continuity)) => continuity.snapshot(book.last_update_id()),
                            _ => true,
                        };
                        if is_old {
                            asked.push(ask(&symbol, SNAPSHOT_AGAIN));
                        }
                    }
                    Err(NoSnapshot::Again(wait)) => {
                        progress.refused += 1;
                        asked.push(ask(&symbol, wait));
                    }
                    Err(NoSnapshot::Refused(answer)) => return Err(RecordError::Refused { symbol, answer }),
                },
                _ = tick.tick() => {
                    self.out.flush()?;
                    progress.whole = books.values().filter(|book| book.is_whole()).count();
                    told(*progress);
                }
            }
        }
    }

    /// One line: JSON as it came, its line breaks (which JSON has between values only) replaced.
    fn write(&mut self, kind: &str, url: Option<&str>, message: &[u8]) -> io::Result<u64> {
        // Half a message is no message: the gap that it leaves is found by its numbers.
        let is_json = |message: &&str| serde_json::from_str::<serde::de::IgnoredAny>(message).is_ok();
        let Some(message) = std::str::from_utf8(message).ok().filter(is_json) else { return Ok(0) };
        let us = now().us();
        let url = url.map(|url| format!("\"url\":{},", serde_json::Value::from(url))).unwrap_or_default();
        let message = message.replace(['\n', '\r'], " ");
        let line = format!("{{\"t\":{}.{:06},\"kind\":\"{kind}\",{url}\"msg\":{message}}}\n", us / 1_000_000, us % 1_000_000);
        self.out.write_all(line.as_bytes())?;
        Ok(u64::try_from(line.len()).unwrap_or(u64::MAX))
    }
}

/// Notes a message; the symbol whose book has a gap before it.
fn depth_gap(text: &Text, books: &mut BTreeMap<&Symbol, Continuity>) -> Option<Symbol> {
    let Ok(StreamEvent::Depth { symbol, update, .. }) = feed::parse(text) else { return None };
    let book = books.get_mut(&symbol)?;
    book.update(update.first, update.last).then_some(symbol)
}

fn query(symbol: &Symbol) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("symbol", symbol.as_str()).append_pair("limit", SNAPSHOT_LEVELS);
    query.finish()
}

async fn snapshot(line: Line, symbol: Symbol, wait: Duration) -> Snapshot {
    sleep(wait).await;
    let answer = line.get(SNAPSHOT_PATH, &query(&symbol), SNAPSHOT_MAX).await;
    let result = match answer {
        Ok(answer) if answer.status == 200 => Ok(answer.body),
        Ok(answer) if (400..404).contains(&answer.status) => Err(NoSnapshot::Refused(String::from_utf8_lossy(&answer.body).into_owned())),
        Ok(answer) => {
            let imposed = answer.header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
            Err(NoSnapshot::Again(imposed.unwrap_or(SNAPSHOT_AGAIN).clamp(SNAPSHOT_AGAIN, WAIT_MAX)))
        }
        Err(_) => Err(NoSnapshot::Again(SNAPSHOT_AGAIN)),
    };
    (symbol, result)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
