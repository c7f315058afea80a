//! The venue as a value: requests in, answers and market events out.
//!
//! Invariant: no clock, no I/O; the same configuration, calls and moments give the same answers.

mod account;
mod administration;
mod amend;
mod answers;
mod auth;
mod candles;
mod config;
mod events;
mod filters;
mod floor;
mod history;
mod info;
mod intervals;
mod list_answers;
mod list_queries;
mod list_records;
mod lists;
mod market_data;
mod orders;
mod params;
mod quota;
mod read_order;
mod records;
mod refusal;
mod replace;
mod replay;
mod routes;
mod saved;
mod simulator;
mod socket_api;
#[cfg(test)]
mod tests;
mod tickers;
mod user_data;
mod verifying;
mod wallet;
mod words;

pub use administration::AccountView;
pub use candles::CandleStats;
pub use config::{Account, ApiKey, Config, FIRST_ACCOUNT, Listing, Market, Rights, Scene};
pub use events::{MarketEvent, Speed};
pub use quota::Limits;
pub use replay::{Recording, RecordingError};
pub(crate) use saved::{Entry, Saved};
pub use socket_api::Session;
pub use user_data::UserEvent;
pub use verifying::{PublicKeyError, Verifying};

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use rust_decimal::Decimal;
use strongroom_model::{Amount, Asset, DepthUpdate, Level, OrderSpec, Price, Side, Symbol, TimeInForce, Timestamp, TradeId};
use strongroom_venues::binance::limits::{free_on_success, request_weight};
use thiserror::Error;

use crate::engine::{AccountId, Engine, MarketId, NewOrder, Px, Refusal, VenueRules};
use auth::{Credential, Credentials};
use candles::Candles;
use floor::Floor;
use quota::{AddressQuotas, OrderQuota};
use refusal::ApiRefusal;
use replay::Replay;
use routes::Answer;
use simulator::Simulator;

/// Depth streams, books and trades are told in this rhythm.
pub const TICK_MS: i64 = 100;
/// Ticks made up for in one call of [`Exchange::advance`]; a longer pause is skipped.
const TICKS_PER_ADVANCE_MAX: i64 = 600;
/// Ticks of trading before the venue opens, so that the tape is not empty.
const TICKS_BEFORE_OPEN: i64 = 100;
/// Minutes over which the average price is taken that filters use.
const AVERAGE_MINS: i64 = 5;
/// What the venue's own account is given of each asset to make a market with, and again when half is gone.
const HOUSE_FUNDS: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Where requests of this machine come from.
pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'a str,
    /// Path below the host.
    pub path: &'a str,
    /// Query without `?`, as received.
    pub query: &'a str,
    /// Body, as received.
    pub body: &'a [u8],
    /// Value of the header `X-MBX-APIKEY`.
    pub api_key: Option<&'a str>,
    /// Where it comes from.
    pub address: IpAddr,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// Why deterministic liquidity could not be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SeedError {
    /// No such instrument here.
    #[error("the venue does not list this symbol")]
    UnknownSymbol,
    /// A level against the rules, or crossing the book.
    #[error("a level cannot rest: {0}")]
    Refused(#[from] Refusal),
}

/// What belongs to one market besides its book and orders.
#[derive(Debug)]
struct Venue {
    id: MarketId,
    candles: Candles,
    /// Last trade that went into the candles.
    counted: TradeId,
    /// Last trade that was told to streams.
    told: TradeId,
    /// The second in which candle streams were told last.
    candles_told: Option<Timestamp>,
    /// Changes since the last one-second depth update.
    slow: Option<DepthUpdate>,
    top: Option<(Level, Level)>,
    /// Of every candle stream, in the order that they are told.
    running: Vec<candles::Running>,
}

/// The venue.
pub struct Exchange {
    floor: Floor,
    house: AccountId,
    venues: BTreeMap<Symbol, Venue>,
    keys: Credentials,
    /// Names of the accounts; the first has the number one.
    accounts: Vec<String>,
    order_quotas: HashMap<AccountId, OrderQuota>,
    addresses: AddressQuotas,
    limits: Limits,
    venue_rules: VenueRules,
    opened: Timestamp,
    next_tick_ms: i64,
    source: Source,
    is_maintained: bool,
    speed_percent: u32,
}

enum Source {
    None,
    Simulated(Simulator),
    Replay(Box<Replay>),
    Both(Simulator, Box<Replay>),
}

impl Exchange {
    /// Opens the venue at `now`. A simulated market has a day of candles and some seconds of trades behind it.
    pub fn new(config: Config, now: Timestamp) -> Self {
        Self::begin(config, Floor::default(), Saved::default(), now)
    }

    /// Opens the venue with what was saved of it; what has to outlive it is told by [`Self::take_entries`] from now on. Without
    /// anything saved the accounts of `config` are opened; otherwise only their keys are taken, in the order of the accounts.
    pub(crate) fn reopen(config: Config, saved: Saved, now: Timestamp) -> Self {
        let mut floor = Floor::default();
        floor.keep();
        Self::begin(config, floor, saved, now)
    }

    fn begin(config: Config, mut floor: Floor, saved: Saved, now: Timestamp) -> Self {
        floor.set_venue_rules(config::VENUE_RULES);
        let house = floor.open_house_account();
        let (listings, source) = match config.market {
            Market::Empty => (config.listings, Source::None),
            Market::Simulated => {
                let simulator = Simulator::new(config.seed, config.scene, &config.listings);
                (config.listings, Source::Simulated(simulator))
            }
            Market::Both(recording) => {
                let recorded = recording.listings();
                let is_recorded = |listing: &Listing| recorded.iter().any(|other| other.instrument.symbol == listing.instrument.symbol);
                let mut listings: Vec<Listing> = config.listings.into_iter().filter(|listing| !is_recorded(listing)).collect();
                let simulator = Simulator::new(config.seed, config.scene, &listings);
                listings.extend(recorded);
                (listings, Source::Both(simulator, Box::new(Replay::new(recording, now))))
            }
            Market::Replay(recording) => (recording.listings(), Source::Replay(Box::new(Replay::new(recording, now)))),
        };
        let mut venues = BTreeMap::new();
        for listing in listings {
            let symbol = listing.instrument.symbol.clone();
            for asset in [&listing.instrument.base, &listing.instrument.quote] {
                floor.deposit(house, asset, house_funds());
            }
            let id = floor.add_market(listing.instrument, listing.rules);
            let told = TradeId(0);
            let (candles, running) = (Candles::default(), Vec::new());
            venues.insert(symbol, Venue { id, candles, counted: told, told, candles_told: None, slow: None, top: None, running });
        }
        let mut exchange = Self {
            floor,
            house,
            venues,
            keys: HashMap::new(),
            accounts: Vec::new(),
            order_quotas: HashMap::new(),
            addresses: AddressQuotas::new(&config.limits),
            limits: config.limits,
            venue_rules: config::VENUE_RULES,
            opened: now,
            next_tick_ms: now.ms() - now.ms().rem_euclid(TICK_MS) + TICK_MS,
            source,
            is_maintained: false,
            speed_percent: config.scene.bounded().speed_percent,
        };
        let is_new = saved.is_empty();
        exchange.restore(saved);
        for (account, id) in config.accounts.into_iter().zip(1..) {
            if is_new {
                exchange.open_account(account, config.fees);
            } else {
                exchange.take_keys(AccountId(id), account.keys);
            }
        }
        exchange.warm_up(now);
        exchange
    }

    /// Takes over what was saved: the same accounts with the same numbers, their money and their orders.
    fn restore(&mut self, saved: Saved) {
        let markets: Vec<(MarketId, &crate::engine::Market)> = self.floor.engine().markets().collect();
        let saved = saved.renumbered(&markets);
        for (id, account) in &saved.accounts {
            let fees = crate::engine::Fees { maker: account.maker, taker: account.taker };
            // Numbers have no gaps; a file that says otherwise gets empty accounts in between.
            while self.accounts.len() < id.index() {
                self.add_account(&account.name, fees);
            }
        }
        self.floor.restore(saved);
    }

    fn add_account(&mut self, name: &str, fees: crate::engine::Fees) -> AccountId {
        let id = self.floor.open_account(fees, name);
        self.accounts.push(name.to_owned());
        self.order_quotas.insert(id, OrderQuota::new(&self.limits));
        id
    }

    fn open_account(&mut self, account: Account, fees: crate::engine::Fees) -> AccountId {
        let id = self.add_account(&account.name, fees);
        for (asset, amount) in account.balances {
            self.floor.deposit(id, &asset, amount);
        }
        self.take_keys(id, account.keys);
        id
    }

    fn take_keys(&mut self, id: AccountId, keys: Vec<ApiKey>) {
        for key in keys {
            self.keys.insert(
                key.api_key,
                Credential { account: id, verifying: key.verifying, rights: key.rights, addresses: key.addresses, created: key.created },
            );
        }
    }

    /// What has to outlive the venue since the last call.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        self.floor.take_entries()
    }

    /// Everything that has to outlive the venue.
    pub(crate) fn all_entries(&self) -> Vec<Entry> {
        let account = |(id, name): (u32, &String)| {
            let fees = self.floor.fees(AccountId(id));
            Entry::Account { id: AccountId(id), name: name.clone(), maker: fees.maker, taker: fees.taker }
        };
        (1..).zip(&self.accounts).map(account).chain(self.floor.all_entries()).collect()
    }

    /// The numbers that the markets have given away: to be kept from time to time.
    pub(crate) fn numbers(&self) -> Vec<Entry> {
        self.floor.numbers().collect()
    }

    /// Answers one REST request. Nothing else moves: time passes only in [`Self::advance`].
    pub fn rest(&mut self, now: Timestamp, request: Request<'_>) -> Response {
        // `rest-api.md`, "General Information": parameters of GET come in the query only.
        let request = if request.method == "GET" { Request { body: b"", ..request } } else { request };
        let body = std::str::from_utf8(request.body).unwrap_or_default();
        let params = if request.query.is_empty() { body } else { request.query };
        let mut headers = vec![("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())];
        let cost = Cost::of(request.method, request.path, params);
        let answer = self.metered(now, request.address, cost, |exchange| exchange.route(now, &request, &mut headers));
        let used = self.addresses.used_weight(now, request.address).to_string();
        headers.push(("x-mbx-used-weight".to_owned(), used.clone()));
        headers.push(("x-mbx-used-weight-1m".to_owned(), used));
        let (status, body) = match answer {
            Ok(body) => (200, body),
            Err(refusal) => {
                headers.extend(refusal.retry_after_s.map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
                (refusal.status, refusal.body())
            }
        };
        Response { status, headers, body }
    }

    /// Counts a request of `address`, and carries it out if it fits the limits.
    fn metered(&mut self, now: Timestamp, address: IpAddr, cost: Cost, work: impl FnOnce(&mut Self) -> Answer) -> Answer {
        self.addresses.admit(now, address, cost.weight)?;
        if !cost.is_free_on_success {
            self.addresses.charge(now, address, cost.weight);
        }
        let answer = work(self);
        if cost.is_free_on_success && answer.is_err() {
            self.addresses.charge(now, address, cost.weight);
        }
        answer
    }

    /// Lets time pass up to `now`: the market moves, and what streams tell is returned in order.
    pub fn advance(&mut self, now: Timestamp) -> Vec<MarketEvent> {
        let mut events = Vec::new();
        let behind = now.ms().saturating_sub(self.next_tick_ms) / TICK_MS;
        if behind > TICKS_PER_ADVANCE_MAX {
            self.next_tick_ms = now.ms() - now.ms().rem_euclid(TICK_MS);
        }
        if self.next_tick_ms > now.ms().saturating_add(TICK_MS) {
            // The clock was set back: the market goes on from there.
            self.next_tick_ms = now.ms() - now.ms().rem_euclid(TICK_MS);
        }
        while self.next_tick_ms <= now.ms() {
            let at = Timestamp::from_ms(self.next_tick_ms);
            self.move_market(at);
            self.tell(at, &mut events);
            self.next_tick_ms += TICK_MS;
        }
        events
    }

    /// Rests orders of the house: liquidity for tests, one order per level.
    pub fn seed_book(&mut self, now: Timestamp, symbol: &Symbol, bids: &[Level], asks: &[Level]) -> Result<(), SeedError> {
        let market = self.venues.get(symbol).ok_or(SeedError::UnknownSymbol)?.id;
        let bids = bids.iter().map(|level| (Side::Buy, level));
        for (side, level) in bids.chain(asks.iter().map(|level| (Side::Sell, level))) {
            let spec = OrderSpec::PostOnly { price: level.price, quantity: level.quantity };
            self.floor.place(now, self.house, market, String::new(), &NewOrder::of(side, &spec)?)?;
        }
        Ok(())
    }

    /// A trade of the house against the book: moves the market in tests.
    pub fn seed_trade(&mut self, now: Timestamp, symbol: &Symbol, side: Side, limit: Level) -> Result<(), SeedError> {
        let market = self.venues.get(symbol).ok_or(SeedError::UnknownSymbol)?.id;
        let spec = OrderSpec::Limit { price: limit.price, quantity: limit.quantity, tif: TimeInForce::Ioc };
        self.floor.place(now, self.house, market, String::new(), &NewOrder::of(side, &spec)?)?;
        self.after_trading(now, market);
        Ok(())
    }

    /// For every asset: what was ever deposited (refills of the house included), and what everybody and the fee
    /// pot hold now. They are equal.
    pub fn audit(&self) -> Vec<(Asset, Amount, Amount)> {
        self.floor.audit()
    }

    /// What user data streams tell since the last call, in order.
    pub fn take_user_events(&mut self) -> Vec<UserEvent> {
        self.floor.take_user_events()
    }

    /// The engine, to look into.
    pub fn engine(&self) -> &Engine {
        self.floor.engine()
    }

    fn warm_up(&mut self, now: Timestamp) {
        if let Source::Simulated(simulator) | Source::Both(simulator, _) = &self.source {
            for (symbol, venue) in &mut self.venues {
                simulator.history(symbol, now).into_iter().for_each(|candle| venue.candles.push(candle));
            }
        }
        if !matches!(self.source, Source::None) {
            for tick in (0..TICKS_BEFORE_OPEN).rev() {
                self.move_market(now.plus_ms(-tick * TICK_MS));
            }
        }
        self.tell(now, &mut Vec::new());
    }

    /// The moment of the market at `at`: it moves faster or slower than the clock.
    fn market_time(&self, at: Timestamp) -> Timestamp {
        let since_ms = at.ms_since(self.opened);
        self.opened.plus_ms(since_ms.saturating_mul(i64::from(self.speed_percent)) / 100)
    }

    fn move_market(&mut self, at: Timestamp) {
        let mut source = std::mem::replace(&mut self.source, Source::None);
        match &mut source {
            Source::None => {}
            Source::Simulated(simulator) => simulator.step(at, self.market_time(at), &mut self.floor, self.house),
            Source::Replay(replay) => replay.step(at, self.market_time(at), &mut self.floor, self.house),
            Source::Both(simulator, replay) => {
                simulator.step(at, self.market_time(at), &mut self.floor, self.house);
                replay.step(at, self.market_time(at), &mut self.floor, self.house);
            }
        }
        self.source = source;
        let markets: Vec<MarketId> = self.venues.values().map(|venue| venue.id).collect();
        for market in markets {
            self.after_trading(at, market);
        }
        self.refill_house();
    }

    /// Brings new trades into the candles and the average, and filled orders out of the order counts.
    fn after_trading(&mut self, now: Timestamp, market: MarketId) {
        let Some(venue) = self.venues.values_mut().find(|venue| venue.id == market) else { return };
        let tape = self.floor.tape(market);
        let fresh = tape.iter().rev().take_while(|trade| trade.trade_id > venue.counted).count();
        for trade in tape.iter().skip(tape.len() - fresh) {
            venue.candles.trade(trade);
            venue.counted = trade.trade_id;
        }
        let average = venue.candles.average(now, AVERAGE_MINS).map(|average| average.trunc_with_scale(8));
        self.floor.set_average(market, average.and_then(Price::new).and_then(Px::of));
        for account in self.floor.take_first_filled() {
            if let Some(quota) = self.order_quotas.get_mut(&account) {
                quota.first_filled(now);
            }
        }
    }

    fn refill_house(&mut self) {
        let low = HOUSE_FUNDS / Decimal::TWO;
        for asset in self.floor.assets().to_vec() {
            if self.floor.holding(self.house, &asset).free.value() < low {
                self.floor.deposit(self.house, &asset, house_funds());
            }
        }
    }

    fn venue(&self, symbol: &str) -> Result<(&Symbol, &Venue), ApiRefusal> {
        let symbol = Symbol::parse(symbol).map_err(|_| ApiRefusal::symbol())?;
        self.venues.get_key_value(&symbol).ok_or_else(ApiRefusal::symbol)
    }
}

/// What a request weighs.
#[derive(Clone, Copy, Debug)]
struct Cost {
    weight: u32,
    is_free_on_success: bool,
}

impl Cost {
    fn of(method: &str, path: &str, params: &str) -> Self {
        // Only the spot API counts weights here.
        let weight = if path.starts_with("/api/") { request_weight(method, path, params) } else { 0 };
        Self { weight, is_free_on_success: free_on_success(method, path) }
    }
}

fn house_funds() -> Amount {
    Amount::new(HOUSE_FUNDS).unwrap_or_default()
}

/// Money as the venue writes it: eight decimals.
fn eight(value: Decimal) -> String {
    let mut value = value;
    value.rescale(8);
    value.to_string()
}
