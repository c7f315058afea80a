//! The desk's line to its venue: one budget, one clock, one pinned connection, one stream.
//!
//! Invariant: a signed request is sent at most once; what may have left and was not answered is said to be unknown.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use strongroom_desk_api::{CountedBy, Interval, LimitView, LineKind, LineView, Mode};
use strongroom_guard::Policy;
use strongroom_model::{Candle, FilterError, Instrument, PlaceOrder, Price, SignedRequest, Symbol};
use strongroom_net::clock::{Sample, VenueClock};
use strongroom_net::governor::{Governor, Kind, Priority, PushBack, RateRule};
use strongroom_net::{Answer, ConfirmError, Endpoint, Fingerprint, Host, Line, PinBoard, SendError, Trust};
use strongroom_signer_api::PinChange;
use strongroom_venues::binance::limits::{self, LimitKind};
use strongroom_venues::binance::{decode, symbol};

use tokio::sync::Notify;

use crate::event::Outcome;
use crate::hall::{Hall, lock, wall};
use crate::lines::{self, Measured, Reached};
use crate::store::Store;

/// An answer is awaited so long; after that the outcome is unknown.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The venue's clock is asked for so often.
const CLOCK_EVERY: Duration = Duration::from_secs(5);
/// Before a lost line is tried again; for a stream the first wait.
pub(crate) const RETRY: Duration = Duration::from_millis(500);
/// A clock that differs by more is written to the log.
const CLOCK_ALARM_US: i64 = 1_000_000;
/// Most instruments that are followed: their streams are named in one address of bounded length.
pub(crate) const FOLLOWED_MAX: usize = 20;
/// Candles of a history.
const CANDLES: u32 = 500;

/// Where to trade.
pub struct VenueConfig {
    /// Base address of the REST interface.
    pub rest_url: String,
    /// Base address of the streams.
    pub stream_url: String,
    /// Certificates to trust instead of the public ones (PEM).
    pub ca_pem: Option<String>,
    /// The server's key, when it is known from the venue itself (the embedded paper venue).
    pub pin: Option<String>,
    /// Whether money is real there.
    pub mode: Mode,
}

impl VenueConfig {
    /// From addresses and a file of certificates.
    pub fn new(rest_url: String, stream_url: String, ca: Option<&PathBuf>) -> std::io::Result<Self> {
        let ca_pem = ca.map(std::fs::read_to_string).transpose()?;
        Ok(Self { rest_url, stream_url, ca_pem, pin: None, mode: Mode::Live })
    }
}

pub(crate) struct Venue {
    pub(crate) mode: Mode,
    line: Line,
    /// A key is trusted no more: the stream that it opened ends.
    pub(crate) pins_changed: Notify,
    measured: Measured,
    pub(crate) stream_url: String,
    stream_endpoint: Endpoint,
    /// The open stream: where it leads and since when.
    pub(crate) stream_open: Mutex<Option<Reached>>,
    pub(crate) stream_trouble: Mutex<Option<String>>,
    pub(crate) trust: Trust,
    pub(crate) board: Arc<PinBoard>,
    governor: Mutex<Governor>,
    clock: Mutex<VenueClock>,
    instruments: Mutex<Vec<Instrument>>,
    /// Instruments that the policy allows, as far as it is known.
    allowed: Mutex<Vec<Symbol>>,
    /// Others are allowed: the stream begins anew.
    pub(crate) allowed_changed: Notify,
    trouble: Mutex<Option<String>>,
    start: Instant,
}

const PINS: &str = "pins";

/// What is traded first, and then what only counts.
fn symbols(policy: &Policy) -> Vec<Symbol> {
    policy.summed().map(|instrument| instrument.symbol.clone()).collect()
}

impl Venue {
    pub(crate) fn new(config: VenueConfig, store: &Store) -> Result<Self, String> {
        let pins = store.meta(PINS).map_err(|error| error.to_string())?;
        let pins: BTreeMap<String, Host> = pins.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let board = PinBoard::restore(pins, wall);
        let trust = config.ca_pem.map_or(Trust::PublicRoots, Trust::Authorities);
        let line = Line::open(&config.rest_url, &trust, Arc::clone(&board)).map_err(|error| error.to_string())?;
        if let Some(pin) = &config.pin {
            let pin: Fingerprint = pin.parse().map_err(|_| "the paper venue's key cannot be read".to_owned())?;
            board.pin(line.endpoint(), pin).map_err(|error| error.to_string())?;
        }
        // Until the venue has told its limits, a cautious budget.
        let cautious =
            RateRule { name: "weight per minute (until the venue tells)".to_owned(), kind: Kind::Weight, window_ms: 60_000, limit: 600 };
        let stream_endpoint = stream_endpoint(&config.stream_url)?;
        Ok(Self {
            mode: config.mode,
            line,
            pins_changed: Notify::new(),
            measured: Measured::default(),
            stream_url: config.stream_url,
            stream_endpoint,
            stream_open: Mutex::new(None),
            stream_trouble: Mutex::new(None),
            trust,
            board,
            governor: Mutex::new(Governor::new(vec![cautious])),
            clock: Mutex::new(VenueClock::default()),
            instruments: Mutex::new(Vec::new()),
            allowed: Mutex::new(symbols(&Policy::initial())),
            allowed_changed: Notify::new(),
            trouble: Mutex::new(None),
            start: Instant::now(),
        })
    }

    /// Its name, for people.
    pub(crate) fn name(&self) -> String {
        match self.mode {
            Mode::Simulation => "Paper".to_owned(),
            Mode::Live => self.line.endpoint().to_string(),
        }
    }

    /// Whether the server showed a key that nobody confirmed: no request can reach it.
    fn waits_for_a_person(&self) -> bool {
        self.board.host(self.line.endpoint()).is_some_and(|host| host.waiting.is_some())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Venue clock minus ours; zero while unknown.
    pub(crate) fn clock_offset_us(&self) -> i64 {
        lock(&self.clock).estimate(wall()).map_or(0, |estimate| estimate.offset_us)
    }

    /// Sends a signed request, once.
    pub(crate) async fn send(&self, request: &SignedRequest, cancel: bool) -> Outcome {
        let method = request.method.as_str();
        let params = if request.query.is_empty() { &request.body } else { &request.query };
        let mut costs = vec![(Kind::Raw, 1), (Kind::Weight, limits::request_weight(method, &request.path, params))];
        if method == "POST" {
            costs.push((Kind::Orders, 1));
        }
        if let Err(why) = self.take(&costs, cancel) {
            return Outcome::NotSent(why);
        }
        self.outcome(self.line.send(request, ANSWER_TIMEOUT).await)
    }

    fn take(&self, costs: &[(Kind, u32)], cancel: bool) -> Result<(), String> {
        let priority = if cancel { Priority::Cancel } else { Priority::Normal };
        lock(&self.governor)
            .ask(self.now_ms(), costs, priority)
            .map_err(|wait| format!("the rate budget ({}) is used up; wait {} ms", wait.rule, wait.retry_after_ms))
    }

    fn outcome(&self, answer: Result<Answer, SendError>) -> Outcome {
        match answer {
            Ok(answer) => {
                self.heed(&answer);
                self.measured.answered(&answer);
                *lock(&self.trouble) = None;
                let retry_after_s = answer.header("retry-after").and_then(|text| text.parse().ok());
                Outcome::Answer { status: answer.status, retry_after_s, body: answer.body }
            }
            Err(error) => {
                *lock(&self.trouble) = Some(error.to_string());
                match error {
                    SendError::NotSent(why) => Outcome::NotSent(why.to_string()),
                    SendError::NoAnswer(what) => Outcome::NoAnswer(what.to_string()),
                }
            }
        }
    }

    /// Takes the venue's own count of our requests, and its wish to be left alone.
    fn heed(&self, answer: &Answer) {
        let now_ms = self.now_ms();
        let mut governor = lock(&self.governor);
        let headers = || answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for usage in limits::usage(headers()) {
            governor.observe(now_ms, kind_of(usage.kind), usage.window_ms, usage.used);
        }
        if matches!(answer.status, 418 | 429) {
            let wait_s = limits::retry_after_s(headers()).unwrap_or(60);
            let push = if answer.status == 418 { PushBack::Banned } else { PushBack::TooMany };
            governor.back_off(now_ms, now_ms.saturating_add(wait_s.saturating_mul(1_000)), push);
        }
    }

    pub(crate) async fn get(&self, path: &str, query: &str) -> Result<Answer, String> {
        self.take(&[(Kind::Raw, 1), (Kind::Weight, limits::request_weight("GET", path, query))], false)?;
        match self.line.get(path, query, ANSWER_TIMEOUT).await {
            Ok(answer) => {
                self.heed(&answer);
                self.measured.answered(&answer);
                *lock(&self.trouble) = None;
                if answer.status == 200 { Ok(answer) } else { Err(format!("HTTP {} from {path}", answer.status)) }
            }
            Err(error) => {
                *lock(&self.trouble) = Some(error.to_string());
                Err(error.to_string())
            }
        }
    }

    /// Checks an order against the venue's filters, before anything is recorded.
    pub(crate) fn check(&self, order: &PlaceOrder, mark: Option<Price>) -> Result<(), FilterError> {
        let instruments = lock(&self.instruments);
        if instruments.is_empty() {
            return Err(FilterError::NotTold);
        }
        let instrument = instruments.iter().find(|instrument| instrument.symbol == order.symbol);
        instrument.ok_or_else(|| FilterError::NotTraded(order.symbol.clone()))?.check(&order.spec, order.side, mark)
    }

    /// Most orders that it lets be open of an instrument; 0: it does not say.
    pub(crate) fn open_max(&self, symbol: &Symbol) -> u32 {
        lock(&self.instruments).iter().find(|instrument| instrument.symbol == *symbol).map_or(0, |instrument| instrument.orders.open_max)
    }

    /// What is measured of the lines: requests, and the stream.
    pub(crate) fn line_views(&self, stream_age_ms: Option<u64>, resyncs: u64) -> Vec<LineView> {
        let trouble = lock(&self.trouble).clone();
        let estimate = lock(&self.clock).estimate(wall());
        let rest = LineView {
            up: trouble.is_none() && estimate.is_some(),
            trouble,
            clock_offset_us: estimate.as_ref().map(|estimate| estimate.offset_us),
            clock_at: lock(&self.clock).asked_at(),
            clock_error_us: estimate.as_ref().and_then(|estimate| i64::try_from(estimate.error_us).ok()),
            latency: self.measured.latency(),
            peer: self.measured.reached().map(|reached| reached.peer),
            open_since: self.measured.reached().map(|reached| reached.since),
            ..lines::seen(self.line.endpoint(), &self.board, LineKind::Rest)
        };
        let open = lock(&self.stream_open).clone();
        let stream = LineView {
            up: open.is_some(),
            trouble: lock(&self.stream_trouble).clone().filter(|_| open.is_none()),
            peer: open.as_ref().map(|reached| reached.peer.clone()),
            open_since: open.map(|reached| reached.since),
            stream_age_ms,
            resyncs,
            ..lines::seen(&self.stream_endpoint, &self.board, LineKind::Stream)
        };
        vec![rest, stream]
    }

    /// The rate limits and their use.
    pub(crate) fn limit_views(&self) -> Vec<LimitView> {
        let view = |gauge: strongroom_net::governor::Gauge| LimitView {
            name: gauge.name,
            used: gauge.used,
            limit: gauge.limit,
            reserved: gauge.reserved,
            window_ms: gauge.window_ms,
            reset_ms: gauge.reset_ms,
            source: if gauge.counted_by_venue { CountedBy::Venue } else { CountedBy::Here },
        };
        lock(&self.governor).gauges(self.now_ms()).into_iter().map(view).collect()
    }

    /// What the venue trades, as far as it has told.
    pub(crate) fn instruments(&self) -> Vec<Instrument> {
        lock(&self.instruments).clone()
    }

    /// What is followed of it: the first of what the policy allows, in the policy's order. Before a vault was opened, what the policy
    /// of a new one allows.
    pub(crate) fn followed(&self) -> Vec<Instrument> {
        let instruments = lock(&self.instruments);
        let allowed = lock(&self.allowed);
        let listed = allowed.iter().filter_map(|symbol| instruments.iter().find(|instrument| instrument.symbol == *symbol));
        listed.take(FOLLOWED_MAX).cloned().collect()
    }

    /// Follows what a policy allows, or counts, from now on.
    pub(crate) fn follow_policy(&self, policy: &Policy) {
        let allowed = symbols(policy);
        let mut before = lock(&self.allowed);
        if *before != allowed {
            *before = allowed;
            self.allowed_changed.notify_waiters();
        }
    }

    /// Past candles, oldest first; the last one is being formed.
    pub(crate) async fn candles(&self, symbol: &Symbol, interval: Interval) -> Result<Vec<Candle>, String> {
        let query = format!("symbol={symbol}&interval={}&limit={CANDLES}", interval.name());
        let answer = self.get("/api/v3/klines", &query).await?;
        decode::candles(&answer.body).map_err(|error| error.to_string())
    }

    /// Whether that key is the one that a server showed and that waits for a person.
    pub(crate) fn could_accept(&self, host: &str, spki_sha256: &str) -> Result<(), String> {
        let (endpoint, key) = named(host, spki_sha256)?;
        let waits = self.board.host(&endpoint).and_then(|host| host.waiting).is_some_and(|seen| seen.key == key);
        if waits { Ok(()) } else { Err(ConfirmError::NotSeen { host: endpoint.to_string(), asked: key }.to_string()) }
    }
}

fn named(host: &str, spki_sha256: &str) -> Result<(Endpoint, Fingerprint), String> {
    let endpoint: Endpoint = host.parse().map_err(|error| format!("{error}"))?;
    Ok((endpoint, spki_sha256.parse().map_err(|error| format!("{error}"))?))
}

fn stream_endpoint(url: &str) -> Result<Endpoint, String> {
    // An endpoint is host and port; both schemes have the same default port.
    let url = url::Url::parse(url).map_err(|error| format!("{url} is not an address: {error}"))?;
    Endpoint::of(&url).map_err(|error| error.to_string())
}

fn kind_of(kind: LimitKind) -> Kind {
    match kind {
        LimitKind::Weight => Kind::Weight,
        LimitKind::Orders => Kind::Orders,
        LimitKind::RawRequests => Kind::Raw,
    }
}

impl Hall {
    /// What a person decided about a server's key. Kept on disk and in the log.
    pub(crate) fn change_pin(&self, change: &PinChange, person: Option<u16>) -> Result<(), String> {
        let (endpoint, key) = named(&change.host, &change.spki_sha256)?;
        let board = &self.venue.board;
        if change.trust {
            board.confirm(&endpoint, key).map_err(|error| error.to_string())?;
        } else if !board.forget(&endpoint, key) {
            return Err(format!("{endpoint} has no pinned key {key}; nothing was changed"));
        }
        if !change.trust {
            // Connections that the key opened end now.
            self.venue.line.hang_up().map_err(|error| error.to_string())?;
            self.venue.pins_changed.notify_waiters();
        }
        let snapshot = serde_json::to_string(&board.snapshot()).map_err(|error| error.to_string())?;
        lock(&self.store).set_meta(PINS, Some(&snapshot)).map_err(|error| error.to_string())?;
        let kind = if change.trust { strongroom_audit::Kind::PinAccepted } else { strongroom_audit::Kind::PinForgotten };
        let _ = self.note(&[(kind, serde_json::json!({"host": change.host, "spki_sha256": change.spki_sha256, "person": person}))]);
        Ok(())
    }

    /// Keeps clock, limits and books up to date.
    pub(crate) fn spawn_venue_tasks(self: Arc<Self>) {
        tokio::spawn(Arc::clone(&self).keep_clock());
        tokio::spawn(Arc::clone(&self).follow_streams());
    }

    async fn keep_clock(self: Arc<Self>) {
        let mut alarmed = false;
        let mut refused = BTreeMap::new();
        loop {
            let mut wait = CLOCK_EVERY;
            if self.venue.waits_for_a_person() {
                // A handshake costs no budget and sends nothing; it shows whether the key is another by now.
                let shaken = strongroom_net::shake(self.venue.line.endpoint(), &self.venue.trust, &self.venue.board).await;
                *lock(&self.venue.trouble) = shaken.err().map(|error| error.to_string());
                self.watch_pins(&mut refused);
                tokio::time::sleep(RETRY).await;
                continue;
            }
            if lock(&self.venue.instruments).is_empty() && self.learn_venue().await.is_err() {
                wait = RETRY;
            }
            match self.venue.get("/api/v3/time", "").await {
                Ok(answer) => {
                    if let Ok(server) = decode::server_time(&answer.body) {
                        let sample = Sample { sent_at: answer.sent_at, server_ms: server.ms(), received_at: answer.answered_at };
                        lock(&self.venue.clock).add(sample);
                    }
                    let offset_us = self.venue.clock_offset_us();
                    if offset_us.abs() > CLOCK_ALARM_US && !std::mem::replace(&mut alarmed, true) {
                        let _ = self.note(&[(strongroom_audit::Kind::ClockAlarm, serde_json::json!({"offset_us": offset_us}))]);
                    }
                }
                Err(_) => wait = RETRY,
            }
            self.watch_pins(&mut refused);
            tokio::time::sleep(wait).await;
        }
    }

    /// A key that was refused is written to the log once.
    fn watch_pins(&self, refused: &mut BTreeMap<String, String>) {
        for endpoint in [self.venue.line.endpoint(), &self.venue.stream_endpoint] {
            let host = endpoint.to_string();
            let Some(seen) = self.venue.board.host(endpoint).and_then(|known| known.waiting).map(|seen| seen.key.to_string()) else {
                refused.remove(&host);
                continue;
            };
            if refused.get(&host) != Some(&seen) {
                let _ = self.note(&[(strongroom_audit::Kind::PinAlarm, serde_json::json!({"host": host, "seen": seen}))]);
                refused.insert(host, seen);
            }
        }
    }

    async fn learn_venue(&self) -> Result<(), String> {
        let answer = self.venue.get("/api/v3/exchangeInfo", "").await?;
        let rules = limits::rules(&answer.body).map_err(|error| error.to_string())?;
        let instruments = symbol::instruments(&answer.body).map_err(|error| error.to_string())?;
        let rules = rules.into_iter().map(|rule| {
            let kind = kind_of(rule.kind);
            RateRule {
                name: format!("{kind:?} per {} s", rule.window_ms / 1_000).to_lowercase(),
                kind,
                window_ms: rule.window_ms,
                limit: rule.limit,
            }
        });
        lock(&self.venue.governor).set_rules(rules.collect());
        *lock(&self.venue.instruments) = instruments;
        // Measures the suite of a handshake; sends nothing.
        let _ = strongroom_net::shake(self.venue.line.endpoint(), &self.venue.trust, &self.venue.board).await;
        Ok(())
    }
}
