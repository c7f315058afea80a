//! The kill switch's drill. Invariant: it is done with play money only, and an order counts as gone when the venue said so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strongroom_guard::Freeze;
use strongroom_model::{Advice, Instrument, OrderSpec, Price, Quantity, Side, Symbol, Timestamp};

use crate::door::{Ask, DoorError, Mode, Tell, VaultState};
use crate::kill::KillReport;
use crate::socket::DeskClient;
use crate::supervisor::{SupervisorClient, ToSupervisor};

/// Orders of a drill where nothing is said.
pub const ORDERS: u32 = 20;
/// Most orders of a drill.
pub const ORDERS_MAX: u32 = 500;

/// The supervisor answers within this.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(5);
/// The desk hears of the kill switch within this.
const HEARD_WITHIN: Duration = Duration::from_secs(1);
/// The desk is asked so often how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Confirmed cancels are awaited so long.
const CANCEL_PATIENCE: Duration = Duration::from_secs(60);
/// So many times a venue that is asked too often is waited for.
const PLACE_TRIES: u32 = 60;

/// What a drill found at one profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Drilled {
    /// Where.
    pub profile: String,
    /// Name of the venue.
    pub venue: String,
    /// How many orders were open.
    pub orders: u64,
    /// From the trigger to the answer that the signer is frozen, in microseconds.
    pub frozen_us: i64,
    /// From the trigger to the first cancel on its way, in microseconds.
    pub first_cancel_us: Option<i64>,
    /// From the trigger to the last order that the venue confirmed as gone, in microseconds.
    pub last_gone_us: Option<i64>,
    /// Orders that are not confirmed as gone.
    pub left: Vec<String>,
    /// Orders that are protected.
    pub protected: Vec<String>,
    /// An order after it was refused by this rule.
    pub refused_by: String,
}

impl Drilled {
    /// Whether nothing is left and nothing more was signed.
    pub fn has_passed(&self) -> bool {
        self.left.is_empty() && self.refused_by == "kill-switch"
    }
}

fn refused(message: impl Into<String>) -> DoorError {
    DoorError::new("drill", message.into(), Advice::Refuse)
}

/// A desk and its supervisor, at which a drill is done.
struct Place<'a>(&'a Path);

impl Place<'_> {
    fn ask(&self, ask: &Ask) -> Result<Tell, DoorError> {
        let silent = |code: &str, advice, error: std::io::Error| {
            DoorError::new(code, format!("{}: the desk does not answer ({error})", self.0.display()), advice)
        };
        let mut desk = DeskClient::connect(self.0).map_err(|error| silent("not-running", Advice::Ask, error))?;
        match desk.ask(ask).map_err(|error| silent("no-answer", Advice::Reconcile, error))? {
            Tell::Error(error) => Err(error),
            tell => Ok(tell),
        }
    }

    /// The supervisor freezes the signer, and has the desk cancel.
    fn engage(&self) -> Result<(), DoorError> {
        let kill = ToSupervisor::Kill(Freeze::everything("a drill"));
        match SupervisorClient::connect(self.0).and_then(|supervisor| supervisor.ask(&kill, &[], SUPERVISOR_PATIENCE)) {
            Ok((true, _)) => Ok(()),
            Ok((false, words)) => Err(refused(words)),
            Err(error) => Err(refused(format!("{}: the supervisor does not answer ({error})", self.0.display()))),
        }
    }

    /// Only where money is not real, nothing is stopped, and orders can be placed.
    fn is_ready(&self) -> Result<(), DoorError> {
        let not_here = |why: &str| Err(refused(format!("{}: {why}; nothing was done", self.0.display())));
        match self.ask(&Ask::Session)? {
            Tell::Session(view) if view.mode != Mode::Simulation => not_here("a drill is for paper venues, and money is real here"),
            Tell::Session(view) if view.state != VaultState::Unlocked => not_here("the vault is not unlocked"),
            Tell::Session(view) if view.killed.is_some() || !view.stopped.is_empty() => not_here("the kill switch is engaged already"),
            Tell::Session(_) => Ok(()),
            _ => Err(not_understood()),
        }
    }

    /// Places that many small orders to buy, far below the market; gives one more of them, and the venue's name.
    fn place(&self, orders: u32) -> Result<(Symbol, OrderSpec, String), DoorError> {
        let Tell::Session(session) = self.ask(&Ask::Session)? else { return Err(not_understood()) };
        let (instrument, bid) = self.market()?;
        for number in 0..orders {
            let stands = |error: DoorError| DoorError {
                message: format!("{}. {number} orders of the drill may stand: `strongroom order list`, and cancel them", error.message),
                ..error
            };
            self.placed(&new_order(instrument.symbol.clone(), far(&instrument, bid, number)?)).map_err(stands)?;
        }
        Ok((instrument.symbol.clone(), far(&instrument, bid, orders)?, session.venue))
    }

    fn placed(&self, ask: &Ask) -> Result<(), DoorError> {
        for _ in 0..PLACE_TRIES {
            match self.ask(ask) {
                Err(DoorError { advice: Advice::RetryAfter(ms), .. }) => {
                    std::thread::sleep(Duration::from_millis(ms.clamp(50, 2_000)));
                }
                answer => return answer.map(|_| ()),
            }
        }
        Err(refused("the venue or a limit lets no more orders through"))
    }

    /// The first instrument on the list that has a book, and its best bid.
    fn market(&self) -> Result<(Instrument, Price), DoorError> {
        let Tell::Policy { policy, .. } = self.ask(&Ask::Policy)? else { return Err(not_understood()) };
        let Tell::Instruments { instruments } = self.ask(&Ask::Instruments)? else { return Err(not_understood()) };
        for listed in &policy.instruments {
            let Some(instrument) = instruments.iter().find(|instrument| instrument.symbol == listed.symbol) else { continue };
            if let Ok(Tell::Book(book)) = self.ask(&Ask::Book { symbol: listed.symbol.clone(), depth: 1 })
                && let Some(best) = book.bids.first()
            {
                return Ok((instrument.clone(), best.price));
            }
        }
        Err(refused("no instrument on the list has a book"))
    }

    fn drilled(&self, orders: u32, start: &Barrier) -> Result<Drilled, DoorError> {
        let placed = self.place(orders);
        // Whoever could not place keeps nobody waiting.
        start.wait();
        let (symbol, spec, venue) = placed?;
        let (trigger, trigger_us) = (Instant::now(), wall_us());
        self.engage()?;
        let frozen_us = i64::try_from(trigger.elapsed().as_micros()).unwrap_or(i64::MAX);
        // The desk was told by the supervisor; its report begins when it heard.
        let heard = Instant::now() + HEARD_WITHIN;
        let begun =
            || matches!(self.ask(&Ask::KillReport), Ok(Tell::KillReport { report: Some(report) }) if report.began.us() >= trigger_us);
        while !begun() && Instant::now() < heard {
            std::thread::sleep(Duration::from_millis(1));
        }
        let report = follow(self.0, CANCEL_PATIENCE).ok_or_else(|| refused("the desk has no report of it"))?;
        let after = self.ask(&new_order(symbol, spec));
        let since = |at: Timestamp| at.us() - trigger_us;
        Ok(Drilled {
            profile: self.0.display().to_string(),
            venue,
            orders: report.orders,
            frozen_us,
            first_cancel_us: report.first_cancel.map(since),
            last_gone_us: report.last_gone.map(since),
            left: report.left.into_iter().map(|left| left.client_order_id).collect(),
            protected: report.protected,
            refused_by: after.map_or_else(|error| error.code, |_| "nothing: it was placed".to_owned()),
        })
    }
}

/// Places orders far from the market at paper venues, engages the kill switch everywhere at once, and says how long it took.
/// Blocks until the last order is confirmed as gone, or for a minute.
pub fn run(profiles: &[PathBuf], orders: u32) -> Result<Vec<Drilled>, DoorError> {
    let orders = orders.clamp(1, ORDERS_MAX);
    for profile in profiles {
        Place(profile).is_ready()?;
    }
    let start = Barrier::new(profiles.len());
    std::thread::scope(|scope| {
        let running: Vec<_> = profiles.iter().map(|profile| scope.spawn(|| Place(profile).drilled(orders, &start))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(refused("a part of the drill ended by itself")))).collect()
    })
}

/// How far a use of the kill switch is after so long, or as soon as everything is gone. Nothing: the desk does not tell. Blocks.
pub fn follow(profile: &Path, patience: Duration) -> Option<KillReport> {
    let end = Instant::now() + patience;
    loop {
        let Ok(Tell::KillReport { report }) = Place(profile).ask(&Ask::KillReport) else { return None };
        if report.as_ref().is_none_or(|report| report.left.is_empty()) || Instant::now() >= end {
            return report.map(|report| *report);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn new_order(symbol: Symbol, spec: OrderSpec) -> Ask {
    Ask::Place { client_order_id: None, symbol, side: Side::Buy, spec, reduce_only: false, reason: Some("a drill".to_owned()) }
}

fn not_understood() -> DoorError {
    refused("the desk answered something else than it was asked")
}

/// A tenth below the market, each a tick lower than the one before, of little more than the least worth.
fn far(instrument: &Instrument, bid: Price, number: u32) -> Result<OrderSpec, DoorError> {
    let no_price = || refused("no price far from the market can be named");
    let below = bid.value() * Decimal::new(9, 1) - instrument.price.tick.value() * Decimal::from(number);
    let price =
        Price::new(below).map(|price| price.floor_to(instrument.price.tick)).filter(|price| !price.is_zero()).ok_or_else(no_price)?;
    let least = instrument.notional.min.value() * Decimal::TWO / price.value();
    let quantity = Quantity::new(least).unwrap_or_default().max(instrument.lot.min).floor_to(instrument.lot.step);
    let quantity = quantity.checked_add(instrument.lot.step).ok_or_else(no_price)?;
    Ok(OrderSpec::PostOnly { price, quantity })
}

fn wall_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The report, as Markdown.
pub fn report(drilled: &[Drilled]) -> String {
    let ms = |us: Option<i64>| us.map_or("none".to_owned(), |us| format!("{:.1} ms", Decimal::new(us, 3)));
    let mut text = String::from("# Kill drill\n\n");
    let _ = writeln!(text, "| profile | venue | orders | signer frozen | first cancel | last confirmed | left | after it |");
    let _ = writeln!(text, "| --- | --- | --- | --- | --- | --- | --- | --- |");
    for row in drilled {
        let name = Path::new(&row.profile).file_name().map_or_else(|| row.profile.clone(), |name| name.to_string_lossy().into_owned());
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | refused by {} |",
            row.venue,
            row.orders,
            ms(Some(row.frozen_us)),
            ms(row.first_cancel_us),
            ms(row.last_gone_us),
            if row.left.is_empty() { "none".to_owned() } else { row.left.join(", ") },
            row.refused_by,
        );
    }
    let orders: u64 = drilled.iter().map(|row| row.orders).sum();
    let _ = writeln!(
        text,
        "\n{orders} orders at {} venues; the last was confirmed as gone {} after the trigger. Take the kill switch back with `strongroom rearm`, \
         for each profile.",
        drilled.len(),
        ms(drilled.iter().filter_map(|row| row.last_gone_us).max()),
    );
    text
}
