//! What the tests of the simulation drive: a desk's machine, a signer, a paper venue, and the bad network and disk between them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde_json::Value;
use strongroom_desk::event::{Event, Outcome, Tag};
use strongroom_desk::{Effect, Machine, Now, Order};
use strongroom_guard::{DeskRules, Policy, Quote};
use strongroom_model::{
    Asset, Balance, ClientOrderId, MarketSize, Notional, OrderSpec, PlaceOrder, Price, Quantity, Side, Symbol, TimeInForce, Timestamp,
};
use strongroom_paper::exchange::{Account, ApiKey, Config, Exchange, LOOPBACK, Limits, Market, Request, Rights};
use strongroom_signer_api::{DoorId, Reply, SignAsk};
use strongroom_tests::signer_world::SignerWorld;
use strongroom_venues::binance::{SigningKey, VerifyingKey, decode};

const API_KEY: &str = "simulatedsimulatedsimulatedsimulatedsimulatedsimulatedsimulated1";
const SECRET: &[u8] = b"secretsecretsecretsecretsecretsecretsecretsecretsecretsecret1234";
const START_MS: i64 = 1_800_000_000_000;
const TIMEOUT_MS: i64 = 5_000;
const RECV_WINDOW_MS: u32 = 5_000;

pub(crate) struct World {
    pub(crate) rng: ChaCha8Rng,
    pub(crate) now_ms: i64,
    pub(crate) machine: Machine,
    pub(crate) incarnation: u32,
    pub(crate) signer: SignerWorld,
    pub(crate) exchange: Exchange,
    pub(crate) disk: BTreeMap<String, Order>,
    pub(crate) policy: Policy,
    /// What will happen: at, order of events, incarnation, event.
    coming: BinaryHeap<Reverse<(i64, u64)>>,
    deliveries: BTreeMap<(i64, u64), (u32, Delivery)>,
    next_delivery: u64,
    pub(crate) faults: bool,
    /// Base quantities of orders as they were placed.
    pub(crate) sizes: BTreeMap<String, Decimal>,
}

pub(crate) enum Delivery {
    /// The request reaches the venue; its answer goes back unless it is dropped.
    Arrive(Tag, strongroom_model::SignedRequest),
    Answer(Tag, Outcome),
    /// The venue is asked what is held.
    LookHeld(Timestamp),
    /// And told it; nothing: it did not answer.
    Held(Option<Vec<Balance>>, Timestamp),
    /// It told its instruments.
    Pairs,
}

fn pairs() -> Vec<(Symbol, Asset, Asset)> {
    [("BTCUSDT", "BTC"), ("ETHUSDT", "ETH")].map(|(symbol, base)| (Symbol::parse(symbol).unwrap(), base.into(), "USDT".into())).into()
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut signer = SignerWorld::with_vault(b"a password of the simulation", START_MS - 300_000);
        signer.import(API_KEY, SECRET, START_MS - 200_000);
        let mut policy = Policy {
            orders_per_minute: 6_000,
            day_notional_max: Notional::parse("100000000000").unwrap(),
            session_idle_ms: 12 * 3_600_000,
            session_age_max_ms: 24 * 3_600_000,
            ..Policy::initial()
        };
        // Orders come from a die here, and meet each other.
        policy.desk = DeskRules { self_trade: true, open_orders_max: None, slippage_bps: None, ..DeskRules::default() };
        signer.set_policy(policy.clone(), START_MS - 100_000);
        let key = ApiKey::new(API_KEY, VerifyingKey::hmac(SECRET), Rights::Trade);
        let mut config = Config::standard(seed, Market::Simulated);
        config.accounts = vec![Account::funded(vec![key])];
        config.limits = Limits {
            weight_per_minute: 10_000_000,
            orders_per_10s: 1_000_000,
            orders_per_day: 100_000_000,
            raw_requests_per_5m: 100_000_000,
        };
        let exchange = Exchange::new(config, Timestamp::from_ms(START_MS));
        let mut machine = Machine::default();
        let now = Now { wall: Timestamp::from_ms(START_MS), mono_ms: 0, venue_offset_us: 0 };
        machine.on(Event::Policy(Some(Box::new(policy.clone()))), now);
        machine.on(Event::Pairs(pairs()), now);
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now_ms: START_MS,
            machine,
            incarnation: 0,
            signer,
            exchange,
            disk: BTreeMap::new(),
            policy,
            coming: BinaryHeap::new(),
            deliveries: BTreeMap::new(),
            next_delivery: 0,
            faults: true,
            sizes: BTreeMap::new(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now { wall: Timestamp::from_ms(self.now_ms), mono_ms: u64::try_from(self.now_ms - START_MS).unwrap(), venue_offset_us: 0 }
    }

    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.faults && self.rng.random_range(0..1_000) < per_mille
    }

    pub(crate) fn deliver(&mut self, in_ms: i64, delivery: Delivery) {
        self.deliver_to(self.incarnation, in_ms, delivery);
    }

    /// To the desk that asked: another one hears nothing of it.
    fn deliver_to(&mut self, incarnation: u32, in_ms: i64, delivery: Delivery) {
        let key = (self.now_ms + in_ms, self.next_delivery);
        self.next_delivery += 1;
        self.coming.push(Reverse(key));
        self.deliveries.insert(key, (incarnation, delivery));
    }

    pub(crate) fn step(&mut self, event: Event) {
        let effects = self.machine.on(event, self.now());
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Tell { .. } | Effect::WakeSigner => {}
            Effect::AskHeld if self.chance(50) => self.deliver(TIMEOUT_MS, Delivery::Held(None, self.now().wall)),
            Effect::AskHeld => {
                let delay = self.rng.random_range(1..400);
                self.deliver(delay, Delivery::LookHeld(self.now().wall));
            }
            Effect::Kill(freeze) => panic!("nothing says that everything should stop: {freeze}"),
            Effect::Record { tag, orders, .. } => {
                // A disk that fails, fails for new orders only: what is known already is written again later.
                let fails = orders.iter().any(|order| order.stage == strongroom_desk::Stage::Intended) && self.chance(5);
                if !fails {
                    self.disk.extend(orders.into_iter().map(|order| (order.intent.client_order_id.as_str().to_owned(), order)));
                }
                self.step(Event::Recorded { tag, error: fails.then(|| "no space left".to_owned()) });
            }
            Effect::Sign { tag, by: _, intent, credential } => {
                let ask = SignAsk { intent, credential, clock_offset_us: 0, recv_window_ms: RECV_WINDOW_MS, audit_seq: 0 };
                let outcome = match self.signer.ask_with_heads(strongroom_signer_api::Request::Sign(ask), self.now_ms) {
                    Reply::Signed { request, expires, credential, order, .. } => {
                        Ok(strongroom_desk::Signed { request, expires, key: credential, number: order, slot: None })
                    }
                    Reply::Refused(refusal) => Err(refusal),
                    other => panic!("{other:?}"),
                };
                self.step(Event::Signed { tag, outcome });
            }
            Effect::Send { tag, request, .. } => {
                if self.chance(10) {
                    let outcome = Outcome::NotSent("no route".to_owned());
                    return self.deliver(1, Delivery::Answer(tag, outcome));
                }
                // Whatever happens, the desk stops waiting at its time-out.
                self.deliver(TIMEOUT_MS, Delivery::Answer(tag, Outcome::NoAnswer("timed out".to_owned())));
                if self.chance(25) {
                    return;
                }
                let slow = self.chance(20);
                let delay = if slow { self.rng.random_range(1_000..9_000) } else { self.rng.random_range(1..40) };
                self.deliver(delay, Delivery::Arrive(tag, request));
            }
        }
    }

    fn arrive(&mut self, incarnation: u32, tag: Tag, request: &strongroom_model::SignedRequest) {
        let at = Timestamp::from_ms(self.now_ms);
        let response = self.exchange.rest(
            at,
            Request {
                method: request.method.as_str(),
                path: &request.path,
                query: &request.query,
                body: request.body.as_bytes(),
                api_key: Some(&request.api_key),
                address: LOOPBACK,
            },
        );
        if self.chance(25) {
            return;
        }
        let (status, body) = match self.rng.random_range(0..1_000) {
            0..8 if self.faults => (503, b"<html>".to_vec()),
            8..14 if self.faults => (200, b"{\"orderId\":".to_vec()),
            _ => (response.status, response.body),
        };
        let outcome = Outcome::Answer { status, retry_after_s: None, body };
        let delay = if self.chance(20) { self.rng.random_range(500..9_000) } else { self.rng.random_range(1..40) };
        if self.chance(30) {
            let again = delay + self.rng.random_range(0..2_000);
            self.deliver_to(incarnation, again, Delivery::Answer(tag, outcome.clone()));
        }
        self.deliver_to(incarnation, delay, Delivery::Answer(tag, outcome));
    }

    /// The desk dies and comes back with what is on disk.
    pub(crate) fn restart(&mut self) {
        self.incarnation += 1;
        let orders = self.disk.values().filter(|order| order.is_live()).cloned().collect();
        self.machine = Machine::resume(orders, self.now(), RECV_WINDOW_MS);
        let policy = self.policy.clone();
        self.step(Event::Policy(Some(Box::new(policy))));
        let delay = self.rng.random_range(1..3_000);
        self.deliver(delay, Delivery::Pairs);
    }

    pub(crate) fn pass(&mut self, ms: i64) {
        let end = self.now_ms + ms;
        loop {
            let next_tick = self.now_ms - self.now_ms.rem_euclid(100) + 100;
            let next = self.coming.peek().map_or(i64::MAX, |Reverse((at, _))| *at).min(next_tick).min(end);
            self.now_ms = next;
            while let Some(Reverse(key)) = self.coming.peek().copied().filter(|Reverse((at, _))| *at <= next) {
                self.coming.pop();
                let Some((incarnation, delivery)) = self.deliveries.remove(&key) else { continue };
                match delivery {
                    Delivery::Arrive(tag, request) => self.arrive(incarnation, tag, &request),
                    Delivery::Answer(tag, outcome) if incarnation == self.incarnation => self.step(Event::Answered { tag, outcome }),
                    Delivery::LookHeld(asked) if incarnation == self.incarnation => {
                        let account = self.signed_get("/api/v3/account", "");
                        let balances = decode::balances(account.to_string().as_bytes()).unwrap();
                        let delay = self.rng.random_range(1..400);
                        self.deliver(delay, Delivery::Held(Some(balances), asked));
                    }
                    Delivery::Held(Some(balances), asked) if incarnation == self.incarnation => {
                        self.step(Event::Held { balances, account: None, asked })
                    }
                    Delivery::Held(None, _) if incarnation == self.incarnation => self.step(Event::HeldUnknown),
                    Delivery::Pairs if incarnation == self.incarnation => self.step(Event::Pairs(pairs())),
                    Delivery::Answer(..) | Delivery::LookHeld(_) | Delivery::Held(..) | Delivery::Pairs => {}
                }
            }
            if next == next_tick {
                self.exchange.advance(Timestamp::from_ms(next));
                self.step(Event::Tick);
            }
            if next >= end {
                return;
            }
        }
    }

    pub(crate) fn mark(&mut self, symbol: &Symbol) -> Price {
        let query = format!("symbol={symbol}&limit=5");
        let at = Timestamp::from_ms(self.now_ms);
        let response = self
            .exchange
            .rest(at, Request { method: "GET", path: "/api/v3/depth", query: &query, body: b"", api_key: None, address: LOOPBACK });
        strongroom_venues::binance::decode::depth(&response.body).unwrap().mid().unwrap()
    }

    pub(crate) fn place(&mut self, number: u32) {
        self.place_as(&format!("sim-{number}"), number);
    }

    pub(crate) fn place_as(&mut self, name: &str, number: u32) {
        let symbol = Symbol::parse(if self.rng.random_range(0..2) == 0 { "BTCUSDT" } else { "ETHUSDT" }).unwrap();
        let side = if self.rng.random_range(0..2) == 0 { Side::Buy } else { Side::Sell };
        let mark = self.mark(&symbol);
        let lot = if symbol.as_str() == "BTCUSDT" { Decimal::new(1, 3) } else { Decimal::new(2, 2) };
        let quantity = Quantity::new(lot * Decimal::from(self.rng.random_range(1..5))).unwrap();
        let off_bps: i64 = self.rng.random_range(-60..60);
        let price = mark.value() * (Decimal::ONE + Decimal::from(off_bps) / Decimal::from(10_000));
        let price = Price::new(price.round_dp(2)).unwrap();
        let spec = match self.rng.random_range(0..10) {
            0..2 => OrderSpec::Market { size: MarketSize::Base(quantity) },
            2 => OrderSpec::PostOnly { price, quantity },
            3 => OrderSpec::Limit { price, quantity, tif: TimeInForce::Ioc },
            4 => OrderSpec::Limit { price, quantity, tif: TimeInForce::Fok },
            _ => OrderSpec::Limit { price, quantity, tif: TimeInForce::Gtc },
        };
        let client_order_id = ClientOrderId::parse(name).unwrap();
        let order = PlaceOrder { client_order_id, symbol, side, spec, reduce_only: false };
        self.sizes.insert(format!("sim-{number}"), quantity.value());
        let market = Quote { mark: Some(mark), average: Some(mark), ..Quote::default() };
        self.step(Event::Place { door: u64::from(number), by: DoorId::DESK, order, market, reason: None });
    }

    pub(crate) fn cancel_some(&mut self) {
        let live: Vec<_> =
            self.machine.orders().filter(|order| order.may_rest()).map(|order| order.intent.client_order_id.clone()).collect();
        if !live.is_empty() {
            let id = live[self.rng.random_range(0..live.len())].clone();
            self.step(Event::Cancel { door: 0, id });
        }
    }

    pub(crate) fn amend_some(&mut self) {
        let live: Vec<_> = self.machine.orders().filter(|order| order.may_rest()).map(|order| order.intent.clone()).collect();
        if live.is_empty() {
            return;
        }
        let order = &live[self.rng.random_range(0..live.len())];
        // Mostly smaller; at times as large as it is, or larger, which is never asked of the venue.
        let percent = [25, 50, 75, 75, 100, 150][self.rng.random_range(0..6)];
        let step = if order.symbol.as_str() == "BTCUSDT" { 5 } else { 4 };
        let wanted = order.spec.quantity().map(|quantity| (quantity.value() * Decimal::new(percent, 2)).round_dp(step));
        if let Some(quantity) = wanted.and_then(Quantity::new) {
            self.step(Event::Amend { door: 0, id: order.client_order_id.clone(), quantity });
        }
    }

    pub(crate) fn signed_get(&mut self, path: &str, params: &str) -> Value {
        let params = format!("{params}timestamp={}", self.now_ms);
        let query = format!("{params}&signature={}", SigningKey::Hmac(SECRET).sign(params.as_bytes()).unwrap());
        let at = Timestamp::from_ms(self.now_ms);
        let response =
            self.exchange.rest(at, Request { method: "GET", path, query: &query, body: b"", api_key: Some(API_KEY), address: LOOPBACK });
        serde_json::from_slice(&response.body).unwrap()
    }

    pub(crate) fn venue_orders(&mut self) -> BTreeMap<String, Vec<Value>> {
        let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            let mut from = 0;
            loop {
                let page = self.signed_get("/api/v3/allOrders", &format!("symbol={symbol}&orderId={from}&limit=1000&"));
                let page = page.as_array().unwrap_or_else(|| panic!("{page}")).clone();
                for order in &page {
                    found.entry(order["clientOrderId"].as_str().unwrap().to_owned()).or_default().push(order.clone());
                    from = order["orderId"].as_u64().unwrap() + 1;
                }
                if page.len() < 1_000 {
                    break;
                }
            }
        }
        found
    }
}
