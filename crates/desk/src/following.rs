//! The market streams of the followed instruments. Invariant: a book is told as current only while an unbroken stream of a
//! trusted server feeds it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use strongroom_desk_api::{Day, Interval};
use strongroom_model::Symbol;
use strongroom_net::Stream;
use strongroom_venues::binance::decode;
use strongroom_venues::binance::stream::{self, Channel, StreamEvent};

use crate::hall::{Hall, lock};
use crate::lines::Reached;
use crate::venue::RETRY;

/// The wait before a stream is opened again doubles after each failure, up to this.
const RETRY_MAX: Duration = Duration::from_secs(4);
/// A stream that lived so long was a good one.
const STREAM_PROVEN: Duration = Duration::from_secs(10);
/// A stream that says nothing for so long is taken for dead.
const STREAM_SILENCE_MAX: Duration = Duration::from_secs(15);
/// Levels of a snapshot.
const SNAPSHOT_QUERY: &str = "limit=1000";

impl Hall {
    pub(crate) async fn follow_streams(self: Arc<Self>) {
        let mut wait = RETRY;
        loop {
            let began = Instant::now();
            // Made before the instruments are read: other ones are not missed.
            let others = self.venue.allowed_changed.notified();
            let followed: Vec<Symbol> = self.venue.followed().into_iter().map(|instrument| instrument.symbol).collect();
            self.feed.keep_only(&followed);
            let ended = async { if followed.is_empty() { Ok(()) } else { self.follow(&followed).await } };
            tokio::select! {
                () = others => wait = RETRY,
                ended = ended => {
                    if let Err(error) = ended {
                        tracing::warn!(%error, "the stream ended");
                        *lock(&self.venue.stream_trouble) = Some(error);
                    }
                }
            }
            *lock(&self.venue.stream_open) = None;
            self.feed.lost();
            if began.elapsed() >= STREAM_PROVEN {
                wait = RETRY;
            }
            tokio::time::sleep(wait).await;
            if !followed.is_empty() {
                wait = (wait * 2).min(RETRY_MAX);
            }
        }
    }

    async fn follow(&self, symbols: &[Symbol]) -> Result<(), String> {
        let of = |symbol| {
            let candles = Interval::ALL.map(|interval| Channel::Kline(interval.name()));
            [Channel::Depth, Channel::Trade, Channel::Ticker].into_iter().chain(candles).map(move |channel| stream::name(symbol, channel))
        };
        let names: Vec<_> = symbols.iter().flat_map(of).collect();
        // Made before anything is opened: a key that is forgotten meanwhile is not missed.
        let pins_changed = self.venue.pins_changed.notified();
        tokio::pin!(pins_changed);
        let url = stream::url(&self.venue.stream_url, &names);
        let mut stream = Stream::open(&url, &self.venue.trust, &self.venue.board).await.map_err(|error| error.to_string())?;
        *lock(&self.venue.stream_open) = stream.peer().map(Reached::now);
        // The stream is open first: updates that come before the snapshot's answer wait in it and are older or follow.
        for symbol in symbols {
            self.fetch_book(symbol).await?;
        }
        loop {
            let text = tokio::select! {
                () = &mut pins_changed => return Err("a key is trusted no more".to_owned()),
                text = tokio::time::timeout(STREAM_SILENCE_MAX, stream.next()) => text.map_err(|_| "the stream is silent".to_owned())?,
            };
            let Some(text) = text.map_err(|error| error.to_string())? else { return Err("the venue closed the stream".to_owned()) };
            match stream::parse(&text).map_err(|error| error.to_string())? {
                StreamEvent::Depth { symbol, update, .. } => {
                    if !self.feed.apply(&symbol, &update) {
                        self.fetch_book(&symbol).await?;
                    }
                }
                StreamEvent::Trade { symbol, trade } => self.feed.trade(&symbol, &trade),
                StreamEvent::Candle { symbol, interval, candle } => {
                    if let Some(interval) = Interval::from_name(&interval) {
                        self.feed.candle(&symbol, interval, candle);
                    }
                }
                StreamEvent::Day { symbol, last, change_percent, high, low, volume } => {
                    self.feed.day(&symbol, Day { last, change_percent, high, low, volume });
                }
                StreamEvent::Other => self.feed.heard(),
            }
        }
    }

    async fn fetch_book(&self, symbol: &Symbol) -> Result<(), String> {
        let answer = self.venue.get("/api/v3/depth", &format!("symbol={symbol}&{SNAPSHOT_QUERY}")).await?;
        let book = decode::depth(&answer.body).map_err(|error| error.to_string())?;
        self.feed.reset(symbol.clone(), book);
        Ok(())
    }
}
