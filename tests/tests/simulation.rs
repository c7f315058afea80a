//! Desk, signer and paper venue in one process, in virtual time, from a seed.
//!
//! Ten thousand orders over a network that drops, delays, duplicates and reorders answers, with restarts of the desk
//! and failing disks: no order twice, no fill missed, balances equal. `STRONGROOM_SEED=n` replays a seed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rust_decimal::Decimal;
use serde_json::Value;
use strongroom_desk::event::{Event, Outcome, Tag};
use strongroom_desk::{Effect, Machine, Now, Order};
use strongroom_desk_api::Fate;
use strongroom_guard::{DeskRules, Freeze, KillScope, Policy, Quote};
use strongroom_model::{
    ClientOrderId, MarketSize, Notional, OrderSpec, OwnerTag, PlaceOrder, Price, Quantity, Side, Symbol, TimeInForce, Timestamp,
};
use strongroom_paper::exchange::{Account, ApiKey, Config, Exchange, LOOPBACK, Limits, Market, Request, Rights};
use strongroom_signer_api::{DoorId, Reply, SignAsk};
use strongroom_tests::signer_world::SignerWorld;
use strongroom_venues::binance::{SigningKey, VerifyingKey};

const API_KEY: &str = "simulatedsimulatedsimulatedsimulatedsimulatedsimulatedsimulated1";
const SECRET: &[u8] = b"secretsecretsecretsecretsecretsecretsecretsecretsecretsecret1234";
const START_MS: i64 = 1_800_000_000_000;
const ORDERS: u32 = 10_000;
const TIMEOUT_MS: i64 = 5_000;
const RECV_WINDOW_MS: u32 = 5_000;

struct World {
    rng: ChaCha8Rng,
    now_ms: i64,
    machine: Machine,
    incarnation: u32,
    signer: SignerWorld,
    exchange: Exchange,
    disk: BTreeMap<String, Order>,
    policy: Policy,
    /// What will happen: at, order of events, incarnation, event.
    coming: BinaryHeap<Reverse<(i64, u64)>>,
    deliveries: BTreeMap<(i64, u64), (u32, Delivery)>,
    next_delivery: u64,
    faults: bool,
    /// Base quantities of orders as they were placed.
    sizes: BTreeMap<String, Decimal>,
}

enum Delivery {
    /// The request reaches the venue; its answer goes back unless it is dropped.
    Arrive(Tag, strongroom_model::SignedRequest),
    Answer(Tag, Outcome),
}

impl World {
    fn new(seed: u64) -> Self {
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

    fn now(&self) -> Now {
        Now { wall: Timestamp::from_ms(self.now_ms), mono_ms: u64::try_from(self.now_ms - START_MS).unwrap(), venue_offset_us: 0 }
    }

    fn chance(&mut self, per_mille: u32) -> bool {
        self.faults && self.rng.random_range(0..1_000) < per_mille
    }

    fn deliver(&mut self, in_ms: i64, delivery: Delivery) {
        let key = (self.now_ms + in_ms, self.next_delivery);
        self.next_delivery += 1;
        self.coming.push(Reverse(key));
        self.deliveries.insert(key, (self.incarnation, delivery));
    }

    fn step(&mut self, event: Event) {
        let effects = self.machine.on(event, self.now());
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Tell { .. } | Effect::AskHeld | Effect::WakeSigner => {}
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

    fn arrive(&mut self, tag: Tag, request: &strongroom_model::SignedRequest) {
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
            self.deliver(again, Delivery::Answer(tag, outcome.clone()));
        }
        self.deliver(delay, Delivery::Answer(tag, outcome));
    }

    /// The desk dies and comes back with what is on disk.
    fn restart(&mut self) {
        self.incarnation += 1;
        let orders = self.disk.values().filter(|order| order.is_live()).cloned().collect();
        self.machine = Machine::resume(orders, self.now(), RECV_WINDOW_MS);
        let policy = self.policy.clone();
        self.step(Event::Policy(Some(Box::new(policy))));
    }

    fn pass(&mut self, ms: i64) {
        let end = self.now_ms + ms;
        loop {
            let next_tick = self.now_ms - self.now_ms.rem_euclid(100) + 100;
            let next = self.coming.peek().map_or(i64::MAX, |Reverse((at, _))| *at).min(next_tick).min(end);
            self.now_ms = next;
            while let Some(Reverse(key)) = self.coming.peek().copied().filter(|Reverse((at, _))| *at <= next) {
                self.coming.pop();
                let Some((incarnation, delivery)) = self.deliveries.remove(&key) else { continue };
                match delivery {
                    Delivery::Arrive(tag, request) => self.arrive(tag, &request),
                    Delivery::Answer(tag, outcome) if incarnation == self.incarnation => self.step(Event::Answered { tag, outcome }),
                    Delivery::Answer(..) => {}
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

    fn mark(&mut self, symbol: &Symbol) -> Price {
        let query = format!("symbol={symbol}&limit=5");
        let at = Timestamp::from_ms(self.now_ms);
        let response = self
            .exchange
            .rest(at, Request { method: "GET", path: "/api/v3/depth", query: &query, body: b"", api_key: None, address: LOOPBACK });
        strongroom_venues::binance::decode::depth(&response.body).unwrap().mid().unwrap()
    }

    fn place(&mut self, number: u32) {
        self.place_as(&format!("sim-{number}"), number);
    }

    fn place_as(&mut self, name: &str, number: u32) {
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

    fn cancel_some(&mut self) {
        let live: Vec<_> =
            self.machine.orders().filter(|order| order.may_rest()).map(|order| order.intent.client_order_id.clone()).collect();
        if !live.is_empty() {
            let id = live[self.rng.random_range(0..live.len())].clone();
            self.step(Event::Cancel { door: 0, id });
        }
    }

    fn amend_some(&mut self) {
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

    fn signed_get(&mut self, path: &str, params: &str) -> Value {
        let params = format!("{params}timestamp={}", self.now_ms);
        let query = format!("{params}&signature={}", SigningKey::Hmac(SECRET).sign(params.as_bytes()).unwrap());
        let at = Timestamp::from_ms(self.now_ms);
        let response =
            self.exchange.rest(at, Request { method: "GET", path, query: &query, body: b"", api_key: Some(API_KEY), address: LOOPBACK });
        serde_json::from_slice(&response.body).unwrap()
    }

    fn venue_orders(&mut self) -> BTreeMap<String, Vec<Value>> {
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

fn simulate(seed: u64, orders: u32) {
    let mut world = World::new(seed);
    for number in 0..orders {
        world.place(number);
        let pause = world.rng.random_range(5..60);
        world.pass(pause);
        if world.rng.random_range(0..3) == 0 {
            world.cancel_some();
        }
        if world.rng.random_range(0..4) == 0 {
            world.amend_some();
        }
        if world.chance(2) {
            world.restart();
        }
    }
    // The network heals; everything is taken back and comes to its end.
    world.faults = false;
    for _ in 0..200 {
        if world.machine.live() == 0 {
            break;
        }
        let resting: Vec<_> =
            world.machine.orders().filter(|order| order.may_rest()).map(|order| order.intent.client_order_id.clone()).collect();
        for id in resting {
            world.step(Event::Cancel { door: 0, id });
        }
        world.pass(2_000);
    }
    assert_eq!(world.machine.live(), 0, "seed {seed}: orders that never ended");
    check(&mut world, seed);
}

fn check(world: &mut World, seed: u64) {
    let venue = world.venue_orders();
    let disk = world.disk.clone();
    let mut balances: BTreeMap<String, Decimal> =
        Account::funded(Vec::new()).balances.into_iter().map(|(asset, amount)| (asset, amount.value())).collect();
    let mut add = |asset: &str, amount: Decimal| *balances.entry(asset.to_owned()).or_default() += amount;
    let (mut filled, mut refused, mut smaller) = (0, 0, 0);
    for (id, order) in &disk {
        let view = order.view();
        let at_venue = venue.get(id).map_or(&[][..], Vec::as_slice);
        assert!(at_venue.len() <= 1, "seed {seed}: {id} was executed twice: {at_venue:?}");
        assert!(view.fate.is_final(), "seed {seed}: {id} is {:?}", view.fate);
        let Some(told) = at_venue.first() else {
            assert_eq!(view.fate, Fate::Refused, "seed {seed}: the venue does not know {id}: {view:?}");
            refused += 1;
            continue;
        };
        let executed: Decimal = told["executedQty"].as_str().unwrap().parse().unwrap();
        assert_eq!(view.filled.value(), executed, "seed {seed}: {id} {view:?} {told}");
        let sum: Decimal = view.fills.iter().map(|fill| fill.quantity.value()).sum();
        assert_eq!(sum, executed, "seed {seed}: fills of {id} are missing");
        if let Some(has) = view.spec.quantity() {
            let ordered: Decimal = told["origQty"].as_str().unwrap().parse().unwrap();
            assert_eq!(has.value(), ordered, "seed {seed}: {id} is amended here or there only");
            let size = world.sizes.get(id).copied().unwrap_or_default();
            assert!(ordered <= size, "seed {seed}: {id} became larger than {size}: {told}");
            smaller += u32::from(ordered < size);
        }
        filled += u32::from(!executed.is_zero());
        let (base, quote) = if view.symbol.as_str() == "BTCUSDT" { ("BTC", "USDT") } else { ("ETH", "USDT") };
        for fill in &view.fills {
            let sign = if view.side == Side::Buy { Decimal::ONE } else { -Decimal::ONE };
            add(base, sign * fill.quantity.value());
            add(quote, -sign * (fill.price * fill.quantity).value());
            add(&fill.commission_asset, -fill.commission.value());
        }
    }
    for id in venue.keys() {
        assert!(disk.contains_key(id), "seed {seed}: the venue has {id}, which was never recorded");
    }
    let account = world.signed_get("/api/v3/account", "");
    for told in account["balances"].as_array().unwrap() {
        let asset = told["asset"].as_str().unwrap();
        let total: Decimal = ["free", "locked"].iter().map(|part| told[part].as_str().unwrap().parse::<Decimal>().unwrap()).sum();
        assert_eq!(total, balances.get(asset).copied().unwrap_or_default(), "seed {seed}: balance of {asset}");
    }
    assert!(filled > 0 && refused > 0 && smaller > 0, "seed {seed}: {filled} filled, {refused} refused, {smaller} smaller");
    eprintln!(
        "seed {seed}: {} orders, {filled} with fills, {refused} refused, {smaller} made smaller, {} restarts",
        disk.len(),
        world.incarnation
    );
}

/// Names of orders that may stand in the venue's book, as the venue tells.
fn standing(world: &mut World) -> Vec<String> {
    let open = world.signed_get("/api/v3/openOrders", "");
    open.as_array().unwrap().iter().map(|order| order["clientOrderId"].as_str().unwrap().to_owned()).collect()
}

/// Over the same bad network, with restarts: what a kill reaches is gone in the end, what it does not reach stands, and nothing of it leaves.
fn kill_in_the_middle(seed: u64) {
    let mut world = World::new(seed);
    let grid = OwnerTag::parse("grid").unwrap();
    for number in 0..150 {
        let owner = if number % 2 == 0 { "grid" } else { "sim" };
        world.place_as(&format!("{owner}-{number}"), number);
        let pause = world.rng.random_range(5..60);
        world.pass(pause);
    }
    let resting: Vec<_> =
        world.machine.orders().filter(|order| order.may_rest()).map(|order| order.intent.client_order_id.clone()).collect();
    let protected = resting.iter().find(|id| id.is_of(&grid)).unwrap().clone();
    world.step(Event::Protect { door: Some(1), id: protected.clone(), by: None, protected: true });
    let freeze = Freeze { why: "it runs wild".to_owned(), scope: KillScope::Bot(grid.clone()) };
    world.signer.ask(strongroom_signer_api::Request::Kill(freeze.clone()), b"", world.now_ms);
    world.step(Event::Killed { freeze: freeze.clone(), keys: Vec::new() });
    for number in 150..200 {
        let owner = if number % 2 == 0 { "grid" } else { "sim" };
        world.place_as(&format!("{owner}-{number}"), number);
        world.pass(20);
        if number == 175 {
            world.restart();
            world.step(Event::Killed { freeze: freeze.clone(), keys: Vec::new() });
        }
    }
    assert!(!world.disk.contains_key("grid-150") && world.disk.contains_key("sim-151"), "seed {seed}: only the bot's are refused");
    world.faults = false;
    world.pass(90_000);
    let told = standing(&mut world);
    let of_grid: Vec<_> = told.iter().filter(|name| name.starts_with("grid-")).collect();
    let survives = world.machine.order(&protected).is_some_and(Order::may_rest);
    assert_eq!(of_grid, if survives { vec![protected.as_str()] } else { vec![] }, "seed {seed}");
    assert!(told.iter().any(|name| name.starts_with("sim-")), "seed {seed}: others stand");
    // Everything, then.
    world.step(Event::Killed { freeze: Freeze::everything("enough"), keys: Vec::new() });
    world.pass(30_000);
    let report = world.machine.kill_report().unwrap();
    assert!(report.left.is_empty() && report.orders > 0 && report.last_gone >= report.first_cancel, "seed {seed}: {report:?}");
    assert_eq!(standing(&mut world).len(), usize::from(survives), "seed {seed}");
    assert_eq!(report.protected, if survives { vec![protected.to_string()] } else { vec![] }, "seed {seed}");
    if survives {
        world.step(Event::Protect { door: None, id: protected.clone(), by: None, protected: false });
        world.pass(10_000);
        assert!(standing(&mut world).is_empty(), "seed {seed}: what is protected no more goes, too");
    }
    world.place(999);
    assert!(!world.disk.contains_key("sim-999"), "seed {seed}: nothing leaves");
    // A desk that dies takes back what is open, though nothing is stopped.
    world.signer.rearm(world.now_ms);
    world.step(Event::Rearmed);
    let far = |number: u32, world: &mut World| {
        let price = Price::new((world.mark(&Symbol::parse("BTCUSDT").unwrap()).value() * Decimal::new(96, 2)).round_dp(2)).unwrap();
        let spec = OrderSpec::PostOnly { price, quantity: Quantity::parse("0.001").unwrap() };
        let client_order_id = ClientOrderId::parse(&format!("far-{number}")).unwrap();
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let market = Quote { mark: Some(world.mark(&symbol)), ..Quote::default() };
        let order = PlaceOrder { client_order_id, symbol, side: Side::Buy, spec, reduce_only: false };
        world.step(Event::Place { door: 7, by: DoorId::DESK, order, market, reason: None });
        world.pass(2_000);
    };
    far(1, &mut world);
    assert!(standing(&mut world).contains(&"far-1".to_owned()), "seed {seed}: re-armed");
    world.restart();
    world.step(Event::DeskDied);
    world.pass(5_000);
    assert!(!standing(&mut world).contains(&"far-1".to_owned()), "seed {seed}");
}

#[test]
fn a_kill_takes_back_what_it_reaches_and_nothing_else() {
    for seed in 1..5 {
        kill_in_the_middle(seed);
    }
}

#[test]
fn ten_thousand_orders_end_in_the_truth() {
    let seed = std::env::var("STRONGROOM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    simulate(seed, ORDERS);
}

#[test]
fn other_seeds_end_in_the_truth_too() {
    for seed in 2..8 {
        simulate(seed, 400);
    }
}
