//! Desk, signer and paper venue in one process, in virtual time, from a seed.
//!
//! Ten thousand orders over a network that drops, delays, duplicates and reorders answers, with restarts of the desk
//! and failing disks: no order twice, no fill missed, balances equal. `STRONGROOM_SEED=n` replays a seed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

mod held;
mod world;

use std::collections::BTreeMap;

use rand::RngExt as _;
use rust_decimal::Decimal;
use strongroom_desk::Order;
use strongroom_desk::event::Event;
use strongroom_desk_api::Fate;
use strongroom_guard::{Freeze, KillScope, Quote};
use strongroom_model::{ClientOrderId, OrderSpec, OwnerTag, PlaceOrder, Price, Quantity, Side, Symbol};
use strongroom_paper::exchange::Account;
use strongroom_signer_api::DoorId;
use world::World;

const ORDERS: u32 = 10_000;

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
