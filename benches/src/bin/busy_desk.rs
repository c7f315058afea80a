//! A desk whose market changes as often as one wants: the other side of the window's measurements.
//!
//! Usage: `busy_desk PROFILE UPDATES_PER_SECOND LEVELS`. Serves desk and supervisor sockets of the profile until its input
//! ends. Invariant: each update changes one level of the book; frames are made as the desk makes them, from what is true
//! now. It signs nothing and reaches nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;
use strongroom_desk_api::market::FRAME_EVERY_MS;
use strongroom_desk_api::socket::{DESK_SOCKET, listen, run_dir};
use strongroom_desk_api::supervisor::{PAPER, Running};
use strongroom_desk_api::{
    Ask, Checks, CountedBy, Day, DoorError, Fate, Frame, KeyView, Latency, LimitView, LineKind, LineView, Mode, OrderView, PinState,
    Policy, Row, SessionView, Tell, TradeRow, VaultState, VaultView, Watch,
};
use strongroom_model::{
    Advice, Amount, Balance, Book, Candle, CredentialId, CredentialInfo, DepthUpdate, Fill, Instrument, KeyDetails, KeyStage, Level,
    LotRule, Notional, NotionalRule, OrderSpec, Origin, Price, Quantity, Scheme, Side, Symbol, TickRule, TimeInForce, Timestamp, TradeId,
    Venue,
};
use strongroom_signer_api::Channel;

/// Middle of the book in ticks of 0.01.
const MIDDLE: i64 = 6_012_450;
/// Between two levels, in ticks.
const GAP: i64 = 10;
/// Trades a second.
const TRADES_PER_S: u64 = 20;

struct Market {
    book: Book,
    at: Timestamp,
    updates: u64,
    trades: Vec<TradeRow>,
}

type Shared = Arc<Mutex<Market>>;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let profile = PathBuf::from(arguments.next().context("no profile")?);
    let rate: u64 = arguments.next().context("no rate")?.parse()?;
    let levels: i64 = arguments.next().context("no levels")?.parse()?;
    std::fs::create_dir_all(run_dir(&profile))?;
    let market = Arc::new(Mutex::new(Market::new(levels)));
    let supervisor = strongroom_desk_api::supervisor::listen(&run_dir(&profile))?;
    std::thread::spawn(move || supervise(&supervisor));
    serve(&profile, &market)?;
    let moving = Arc::clone(&market);
    std::thread::spawn(move || move_market(&moving, rate, levels));
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn supervise(listener: &std::os::fd::OwnedFd) {
    loop {
        std::thread::sleep(Duration::from_millis(5));
        let Ok(fd) = rustix::net::accept(listener) else { continue };
        let door = Channel::from_fd(fd);
        std::thread::spawn(move || {
            let mut buffer = [0; 1_024];
            while let Ok(Some(_)) = door.recv(&mut buffer) {
                let running = Running { version: env!("CARGO_PKG_VERSION").to_owned(), venue: PAPER.to_owned() };
                let _ = door.send(format!("\u{1}{running}").as_bytes(), &[]);
            }
        });
    }
}

fn serve(profile: &Path, market: &Shared) -> anyhow::Result<()> {
    let listener = listen(&run_dir(profile), DESK_SOCKET)?;
    let market = Arc::clone(market);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let market = Arc::clone(&market);
            std::thread::spawn(move || {
                let _ = answer(stream, &market);
            });
        }
    });
    Ok(())
}

fn answer(mut stream: UnixStream, market: &Shared) -> anyhow::Result<()> {
    stream.as_fd();
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let ask: Ask = serde_json::from_str(&line)?;
        line.clear();
        if let Ask::Watch { watch } = ask {
            return frames(stream, &watch, market);
        }
        let mut told = serde_json::to_vec(&tell(ask))?;
        told.push(b'\n');
        stream.write_all(&told)?;
    }
    Ok(())
}

fn frames(mut stream: UnixStream, watch: &Watch, market: &Shared) -> anyhow::Result<()> {
    let mut known = 0;
    for seq in 1.. {
        let start = Instant::now();
        let mut told = serde_json::to_vec(&Tell::Frame(Box::new(lock(market).frame(seq, watch, &mut known))))?;
        told.push(b'\n');
        stream.write_all(&told)?;
        std::thread::sleep(Duration::from_millis(FRAME_EVERY_MS).saturating_sub(start.elapsed()));
    }
    Ok(())
}

fn lock(market: &Shared) -> std::sync::MutexGuard<'_, Market> {
    market.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn price(ticks: i64) -> Price {
    Price::new(Decimal::new(ticks, 2)).unwrap_or_default()
}

fn quantity(units: i64) -> Quantity {
    Quantity::new(Decimal::new(units, 4)).unwrap_or_default()
}

impl Market {
    fn new(levels: i64) -> Self {
        let side = |sign: i64| -> Vec<Level> {
            (1..=levels).map(|level| Level { price: price(MIDDLE + sign * level * GAP), quantity: quantity(10_000 + level) }).collect()
        };
        Self { book: Book::from_snapshot(1, &side(-1), &side(1)), at: now(), updates: 1, trades: Vec::new() }
    }

    fn frame(&self, seq: u64, watch: &Watch, known: &mut u64) -> Frame {
        let rows = |levels: &mut dyn Iterator<Item = Level>| -> Vec<Row> {
            let mut total = Quantity::ZERO;
            levels
                .take(watch.depth as usize)
                .map(|level| {
                    total = total + level.quantity;
                    Row(level.price, level.quantity, total)
                })
                .collect()
        };
        let trades: Vec<TradeRow> = self.trades.iter().filter(|trade| trade.id > *known).cloned().collect();
        *known = trades.last().map_or(*known, |trade| trade.id);
        let last = self.trades.last().map_or(price(MIDDLE), |trade| trade.price);
        let open_time = Timestamp::from_ms(self.at.ms() - self.at.ms().rem_euclid(watch.interval.ms()));
        Frame {
            seq,
            symbol: watch.symbol.clone(),
            current: true,
            age_ms: u64::try_from(now().ms_since(self.at)).unwrap_or_default(),
            book_at: self.at,
            best: self.book.bids().next().zip(self.book.asks().next()).map(|(bid, ask)| (bid.price, ask.price)),
            bids: Some(rows(&mut self.book.bids())),
            asks: Some(rows(&mut self.book.asks())),
            trades: Some(trades).filter(|trades| !trades.is_empty()),
            candle: Some(Candle {
                open_time,
                open: price(MIDDLE),
                high: price(MIDDLE + 500),
                low: price(MIDDLE - 500),
                close: last,
                volume: quantity(99),
            }),
            day: Some(Day { last, change_percent: "1.24".to_owned(), high: last, low: last, volume: quantity(99_999) }),
            orders_version: 1,
            state_version: 1,
        }
    }
}

fn move_market(market: &Shared, rate: u64, levels: i64) {
    let mut chance = SmallRng::seed_from_u64(7);
    let start = Instant::now();
    let mut done = 0_u64;
    let mut traded = 0_u64;
    loop {
        let due = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX) * rate / 1_000;
        let trades_due = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX) * TRADES_PER_S / 1_000;
        let mut market = lock(market);
        while done < due {
            let level = chance.random_range(1..=levels.min(25));
            let is_bid = chance.random_bool(0.5);
            let changed = Level {
                price: price(MIDDLE + if is_bid { -level * GAP } else { level * GAP }),
                quantity: quantity(chance.random_range(1..90_000)),
            };
            let update = market.updates + 1;
            let (bids, asks) = if is_bid { (vec![changed], vec![]) } else { (vec![], vec![changed]) };
            let _ = market.book.apply(&DepthUpdate { first: update, last: update, bids, asks });
            market.updates = update;
            market.at = now();
            done += 1;
        }
        while traded < trades_due {
            traded += 1;
            let side = if chance.random_bool(0.5) { Side::Buy } else { Side::Sell };
            let trade = TradeRow {
                id: traded,
                price: price(MIDDLE + chance.random_range(-GAP..=GAP)),
                quantity: quantity(chance.random_range(1..9_000)),
                side,
                at: now(),
            };
            market.trades.push(trade);
            let over = market.trades.len().saturating_sub(40);
            market.trades.drain(..over);
        }
        drop(market);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[expect(clippy::expect_used, reason = "constants")]
fn symbol() -> Symbol {
    Symbol::parse("BTCUSDT").expect("a symbol")
}

fn tell(ask: Ask) -> Tell {
    match ask {
        Ask::Vault => Tell::Vault(VaultView {
            state: VaultState::Unlocked,
            vault_id: Some("00".repeat(16)),
            generation: Some(1),
            because: None,
            anchor: "file and keychain agree".to_owned(),
            walls: Vec::new(),
            watched: Vec::new(),
            log_key: None,
            killed: None,
            stopped: Vec::new(),
            backups: Vec::new(),
            codes_left: None,
            managed: None,
        }),
        Ask::Session => Tell::Session(Box::new(session())),
        Ask::Instruments => Tell::Instruments { instruments: vec![instrument()] },
        Ask::Candles { interval, .. } => {
            let newest = now().ms() - now().ms().rem_euclid(interval.ms());
            let candle = |back: i64| {
                let middle = MIDDLE + (back * 37) % 900 - 450;
                Candle {
                    open_time: Timestamp::from_ms(newest - back * interval.ms()),
                    open: price(middle),
                    high: price(middle + 300),
                    low: price(middle - 300),
                    close: price(middle + (back * 53) % 400 - 200),
                    volume: quantity(10_000 + back),
                }
            };
            Tell::Candles { candles: (0..500).rev().map(candle).collect() }
        }
        Ask::Orders { .. } => Tell::Orders { orders: (1..=5).map(order).collect() },
        Ask::Balance => Tell::Balance { balances: [("USDT", 100_000), ("BTC", 1)].map(|(asset, units)| balance(asset, units)).to_vec() },
        Ask::Keys => Tell::Keys { keys: vec![key()] },
        Ask::Policy => Tell::Policy { policy: Box::new(Policy::initial()), managed: None },
        Ask::Check { .. } => Tell::Checks(Box::new(Checks {
            checks: Vec::new(),
            words: "a draft".to_owned(),
            notional: Notional::new(Decimal::from(3_006)),
            fee: None,
            fee_asset: "USDT".to_owned(),
            balance_after: None,
            balance_asset: "USDT".to_owned(),
        })),
        Ask::Size { .. } => Tell::Size { quantity: quantity(500) },
        Ask::Audit { .. } => Tell::Audit { entries: Vec::new(), size: 0 },
        Ask::Alive | Ask::Stay | Ask::Lock | Ask::Seal => Tell::Done { words: "Done.".to_owned() },
        _ => Tell::Error(DoorError::new("busy", "this desk only shows".to_owned(), Advice::Refuse)),
    }
}

fn balance(asset: &str, units: i64) -> Balance {
    Balance { asset: asset.to_owned(), free: Amount::new(Decimal::from(units)).unwrap_or_default(), locked: Amount::ZERO }
}

fn instrument() -> Instrument {
    Instrument {
        symbol: symbol(),
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        price: TickRule { min: price(1), max: price(100_000_000), tick: price(1) },
        lot: LotRule { min: quantity(1), max: quantity(90_000_000), step: quantity(1) },
        notional: NotionalRule {
            min: Notional::new(Decimal::from(5)).unwrap_or_default(),
            max: Notional::new(Decimal::from(9_000_000)).unwrap_or_default(),
        },
        orders: Default::default(),
    }
}

fn order(number: i64) -> OrderView {
    let fill = Fill {
        trade_id: TradeId(1),
        price: price(MIDDLE),
        quantity: quantity(100),
        commission: Amount::ZERO,
        commission_asset: "USDT".to_owned(),
    };
    OrderView {
        client_order_id: format!("sr-busy-{number}"),
        venue_order_id: u64::try_from(number).ok(),
        symbol: symbol(),
        side: if number % 2 == 0 { Side::Buy } else { Side::Sell },
        spec: OrderSpec::Limit {
            price: price(MIDDLE + (if number % 2 == 0 { -1 } else { 1 }) * number * 5 * GAP),
            quantity: quantity(500),
            tif: TimeInForce::Gtc,
        },
        reduce_only: false,
        fate: Fate::Working,
        filled: quantity(100),
        filled_notional: Notional::ZERO,
        fills: vec![fill],
        note: None,
        protected: false,
        created: now(),
        updated: now(),
    }
}

fn key() -> KeyView {
    KeyView {
        key: CredentialInfo {
            id: CredentialId(4),
            label: "practice".to_owned(),
            venue: Venue::Binance,
            scheme: Scheme::HmacSha256,
            api_key: "k".repeat(64),
            created: now(),
            stage: KeyStage::Active,
            replaces: None,
            origin: Origin::Typed,
            source: String::new(),
            granted: None,
            details: KeyDetails::default(),
        },
        age_days: 0,
        last_used: None,
        rotate_due: now().plus_ms(90 * 86_400_000),
        rights: None,
        due: Vec::new(),
        step: None,
        address_trouble: None,
    }
}

fn session() -> SessionView {
    let line = |kind| LineView {
        host: "127.0.0.1:443".to_owned(),
        kind,
        up: true,
        trouble: None,
        tls: Some("TLSv1_3".to_owned()),
        cipher: Some("TLS13_AES_256_GCM_SHA384".to_owned()),
        group: Some("X25519".to_owned()),
        pin_state: PinState::Match,
        pins: vec!["A".repeat(43) + "="],
        waiting: None,
        chain: Vec::new(),
        handshake_at: Some(now()),
        peer: Some("127.0.0.1:443".to_owned()),
        open_since: Some(now()),
        latency: Some(Latency {
            p50_us: 900,
            p99_us: 3_000,
            count: 60,
            recent_us: (0..60).map(|n| 800 + n * 13 % 400).collect(),
            at: now(),
        }),
        clock_offset_us: Some(120),
        clock_at: None,
        clock_error_us: Some(400),
        stream_age_ms: Some(3),
        resyncs: 0,
        at: now(),
    };
    let limit = |name: &str, used, limit| LimitView {
        name: name.to_owned(),
        used,
        limit,
        reserved: limit / 10,
        window_ms: 60_000,
        reset_ms: 41_000,
        source: CountedBy::Venue,
    };
    SessionView {
        state: VaultState::Unlocked,
        mode: Mode::Simulation,
        venue: "Paper".to_owned(),
        account: "practice".to_owned(),
        is_service: false,
        idle_left_ms: Some(900_000),
        age_left_ms: Some(9_000_000),
        day_notional: None,
        roles: strongroom_model::Role::ALL.to_vec(),
        sessions: Vec::new(),
        signatures: 7,
        killed: None,
        stopped: Vec::new(),
        lines: vec![line(LineKind::Rest), line(LineKind::Stream)],
        limits: vec![limit("weight per 60 s", 842, 6_000), limit("orders per 10 s", 31, 100)],
        live_orders: 5,
        protected_orders: 0,
        ambiguous_orders: 0,
        at: now(),
    }
}
