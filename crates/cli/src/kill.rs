//! The kill switch at the terminal, and its drill. Invariant: everything else waits until the signer is frozen; a drill is done with play money
//! only.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use rust_decimal::Decimal;
use serde::Serialize;
use strongroom_desk_api::supervisor::ToSupervisor;
use strongroom_desk_api::{Ask, DeskClient, KillReport, KillScope, Mode, Tell, VaultState};
use strongroom_guard::{Freeze, Policy};
use strongroom_model::{Advice, CredentialId, Instrument, OrderSpec, OwnerTag, Price, Quantity, Side, Symbol, Venue};

use crate::Door;
use crate::fail::Failure;
use crate::vault_arguments::VenueName;

/// A hung desk is not waited for when the kill switch is engaged.
const KILL_TIMEOUT: Duration = Duration::from_secs(1);
/// The desk is asked so often how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Confirmed cancels of a drill are awaited so long.
const DRILL_PATIENCE: Duration = Duration::from_secs(60);
/// So many times a venue that is asked too often is waited for.
const PLACE_TRIES: u32 = 60;

#[derive(Args)]
pub(crate) struct KillOptions {
    /// Why, in words.
    #[arg(long, default_value = "a person engaged it")]
    why: String,
    /// Only what goes to this venue.
    #[arg(long, group = "reach")]
    venue: Option<VenueName>,
    /// Only keys of this account, as it is noted of them.
    #[arg(long, group = "reach")]
    account: Option<String>,
    /// Only this key, by its number.
    #[arg(long, group = "reach")]
    key: Option<u64>,
    /// Only orders whose names begin with this owner tag and a hyphen.
    #[arg(long, group = "reach", value_parser = owner)]
    bot: Option<OwnerTag>,
    /// Wait so many seconds for the venue to confirm that what was open is gone.
    #[arg(long, default_value_t = 5)]
    wait: u64,
    /// Then seal the vault: nothing at all can be signed.
    #[arg(long)]
    seal: bool,
}

#[derive(Args)]
pub(crate) struct DrillOptions {
    /// Orders per profile.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    orders: u32,
    /// A further profile that is killed at the same moment; may be repeated.
    #[arg(long = "profile")]
    profiles: Vec<PathBuf>,
    /// Write the report there, too.
    #[arg(long)]
    report: Option<PathBuf>,
}

fn owner(text: &str) -> Result<OwnerTag, String> {
    OwnerTag::parse(text).map_err(|error| error.to_string())
}

impl KillOptions {
    fn scope(&self) -> KillScope {
        match (self.venue, &self.account, self.key, &self.bot) {
            (Some(VenueName::Binance), ..) => KillScope::Venue(Venue::Binance),
            (_, Some(account), ..) => KillScope::Account(account.clone()),
            (_, _, Some(id), _) => KillScope::Credential(CredentialId(id)),
            (.., Some(owner)) => KillScope::Bot(owner.clone()),
            _ => KillScope::Everything,
        }
    }
}

/// Engages it, says what became of open orders, and seals if it was asked to.
pub(crate) fn kill(door: &Door, options: &KillOptions) -> Result<Tell, Failure> {
    let mut words = engage(door, &options.why, options.scope())?;
    let is_sealed = matches!(door.ask(&Ask::Vault), Ok(Tell::Vault(view)) if view.state == VaultState::Sealed);
    if !is_sealed {
        let report = follow(door, Duration::from_secs(options.wait));
        if let Some(report) = &report {
            let _ = write!(words, " {}", report.words());
        }
        if options.seal {
            done(door.ask(&Ask::Seal)?)?;
            words.push_str(match report {
                Some(report) if !report.left.is_empty() => " The vault is sealed: what is not gone yet is cancelled when it is unlocked.",
                _ => " The vault is sealed.",
            });
        }
    }
    Ok(Tell::Done { words })
}

/// The supervisor freezes the signer first; then the desk cancels, if it can.
fn engage(door: &Door, why: &str, scope: KillScope) -> Result<String, Failure> {
    let (frozen, words) = door.supervisor(&ToSupervisor::Kill(Freeze::new(why, scope.clone())))?;
    if !frozen {
        return Err(Failure::refused("kill", words));
    }
    let cancelled = DeskClient::connect(&door.dir).and_then(|mut desk| {
        desk.set_timeout(KILL_TIMEOUT)?;
        desk.ask(&Ask::Kill { why: why.to_owned(), scope })
    });
    Ok(match cancelled {
        Ok(Tell::Done { words }) => words,
        _ => "The signer is frozen: no order can be signed. The desk did not answer; it is started anew and then cancels open orders."
            .to_owned(),
    })
}

fn done(tell: Tell) -> Result<String, Failure> {
    match tell {
        Tell::Done { words } => Ok(words),
        other => Err(Failure::of(&other).unwrap_or_else(|| Failure::refused("desk", "the desk answered something else".to_owned()))),
    }
}

/// How far it is after so long, or as soon as everything is gone.
fn follow(door: &Door, patience: Duration) -> Option<KillReport> {
    let end = Instant::now() + patience;
    loop {
        let Ok(Tell::KillReport { report }) = door.ask(&Ask::KillReport) else { return None };
        if report.as_ref().is_none_or(|report| report.left.is_empty()) || Instant::now() >= end {
            return report.map(|report| *report);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What a drill found at one profile.
#[derive(Serialize)]
struct Drilled {
    profile: PathBuf,
    venue: String,
    orders: u64,
    /// From the trigger to the answer that the signer is frozen.
    frozen_us: i64,
    /// From the trigger to the first cancel on its way.
    first_cancel_us: Option<i64>,
    /// From the trigger to the last order that the venue confirmed as gone.
    last_gone_us: Option<i64>,
    left: Vec<String>,
    protected: Vec<String>,
    /// An order after it was refused by this rule.
    refused_by: String,
}

/// Places orders far from the market at paper venues, engages the kill switch everywhere at once, and says how long it took.
pub(crate) fn drill(door: &Door, options: &DrillOptions, json: bool) -> Result<(), Failure> {
    let doors: Vec<Door> =
        std::iter::once(&door.dir).chain(&options.profiles).map(|dir| Door { dir: dir.clone(), window: door.window }).collect();
    for door in &doors {
        is_ready(door)?;
    }
    let start = Barrier::new(doors.len());
    let drilled: Vec<Result<Drilled, Failure>> = std::thread::scope(|scope| {
        let running: Vec<_> = doors.iter().map(|door| scope.spawn(|| one(door, options.orders, &start))).collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(Failure::refused("drill", "a part of the drill ended by itself".to_owned())))
        };
        running.into_iter().map(ended).collect()
    });
    let drilled = drilled.into_iter().collect::<Result<Vec<_>, _>>()?;
    let text = words(&drilled);
    if let Some(file) = &options.report {
        std::fs::write(file, &text).map_err(|error| Failure::usage(&format!("{} cannot be written: {error}", file.display())))?;
    }
    if json {
        println!("{}", serde_json::json!({ "drill": drilled }));
    } else {
        print!("{text}");
    }
    if drilled.iter().all(|drilled| drilled.left.is_empty() && drilled.refused_by == "kill-switch") {
        return Ok(());
    }
    Err(Failure::refused("drill", "the drill failed: orders are left, or an order was not refused".to_owned()))
}

/// Only where money is not real, nothing is stopped, and orders can be placed.
fn is_ready(door: &Door) -> Result<(), Failure> {
    let not_here = |why: &str| Err(Failure::refused("drill", format!("{}: {why}; nothing was done", door.dir.display())));
    match door.ask(&Ask::Session)? {
        Tell::Session(view) if view.mode != Mode::Simulation => not_here("a drill is for paper venues, and money is real here"),
        Tell::Session(view) if view.state != VaultState::Unlocked => not_here("the vault is not unlocked"),
        Tell::Session(view) if view.killed.is_some() || !view.stopped.is_empty() => not_here("the kill switch is engaged already"),
        Tell::Session(_) => Ok(()),
        other => Err(Failure::of(&other).unwrap_or_else(|| Failure::refused("desk", "the desk answered something else".to_owned()))),
    }
}

fn one(door: &Door, orders: u32, start: &Barrier) -> Result<Drilled, Failure> {
    let placed = place(door, orders);
    // Whoever could not place keeps nobody waiting.
    start.wait();
    let (symbol, spec, venue) = placed?;
    let (trigger, trigger_us) = (Instant::now(), wall_us());
    let (frozen, words) = door.supervisor(&ToSupervisor::Kill(Freeze::everything("a drill")))?;
    let frozen_us = i64::try_from(trigger.elapsed().as_micros()).unwrap_or(i64::MAX);
    if !frozen {
        return Err(Failure::refused("kill", words));
    }
    // The desk was told by the supervisor; its report begins when it heard.
    let heard = Instant::now() + KILL_TIMEOUT;
    let begun = || matches!(door.ask(&Ask::KillReport), Ok(Tell::KillReport { report: Some(report) }) if report.began.us() >= trigger_us);
    while !begun() && Instant::now() < heard {
        std::thread::sleep(Duration::from_millis(1));
    }
    let report = follow(door, DRILL_PATIENCE).ok_or_else(|| Failure::refused("drill", "the desk has no report of it".to_owned()))?;
    let refused = door.ask(&Ask::Place { client_order_id: None, symbol, side: Side::Buy, spec, reduce_only: false, reason: None })?;
    let since = |at: strongroom_model::Timestamp| at.us() - trigger_us;
    Ok(Drilled {
        profile: door.dir.clone(),
        venue,
        orders: report.orders,
        frozen_us,
        first_cancel_us: report.first_cancel.map(since),
        last_gone_us: report.last_gone.map(since),
        left: report.left.into_iter().map(|left| left.client_order_id).collect(),
        protected: report.protected,
        refused_by: match refused {
            Tell::Error(error) => error.code,
            _ => "nothing: it was placed".to_owned(),
        },
    })
}

/// Places that many small orders to buy, far below the market; gives one of them, and the venue's name.
fn place(door: &Door, orders: u32) -> Result<(Symbol, OrderSpec, String), Failure> {
    let policy = door.policy()?;
    let venue = match door.ask(&Ask::Session)? {
        Tell::Session(view) => view.venue,
        _ => String::new(),
    };
    let (instrument, bid) = market(door, &policy)?;
    let spec = |number: u32| far(&instrument, bid, number);
    for number in 0..orders {
        let spec = spec(number)?;
        let ask = Ask::Place {
            client_order_id: None,
            symbol: instrument.symbol.clone(),
            side: Side::Buy,
            spec,
            reduce_only: false,
            reason: Some("a drill".to_owned()),
        };
        placed(door, &ask)?;
    }
    Ok((instrument.symbol.clone(), spec(orders)?, venue))
}

fn placed(door: &Door, ask: &Ask) -> Result<(), Failure> {
    for _ in 0..PLACE_TRIES {
        match door.ask(ask)? {
            Tell::Error(error) => match error.advice {
                Advice::RetryAfter(ms) => std::thread::sleep(Duration::from_millis(ms.clamp(50, 2_000))),
                _ => return Err(Failure::of(&Tell::Error(error)).unwrap_or_else(|| Failure::usage("an order was refused"))),
            },
            _ => return Ok(()),
        }
    }
    Err(Failure::refused("drill", "the venue or a limit lets no more orders through".to_owned()))
}

/// The first instrument on the list that has a book, and its best bid.
fn market(door: &Door, policy: &Policy) -> Result<(Instrument, Price), Failure> {
    let Tell::Instruments { instruments } = door.ask(&Ask::Instruments)? else {
        return Err(Failure::refused("drill", "the desk knows no instruments yet".to_owned()));
    };
    for listed in &policy.instruments {
        let Some(instrument) = instruments.iter().find(|instrument| instrument.symbol == listed.symbol) else { continue };
        if let Tell::Book(book) = door.ask(&Ask::Book { symbol: listed.symbol.clone(), depth: 1 })?
            && let Some(best) = book.bids.first()
        {
            return Ok((instrument.clone(), best.price));
        }
    }
    Err(Failure::refused("drill", "no instrument on the list has a book".to_owned()))
}

/// A tenth below the market, each a tick lower than the one before, of little more than the least worth.
fn far(instrument: &Instrument, bid: Price, number: u32) -> Result<OrderSpec, Failure> {
    let no_price = || Failure::refused("drill", "no price far from the market can be named".to_owned());
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

fn words(drilled: &[Drilled]) -> String {
    let ms = |us: Option<i64>| us.map_or("none".to_owned(), |us| format!("{:.1} ms", Decimal::new(us, 3)));
    let mut text = String::from("# Kill drill\n\n");
    let _ = writeln!(text, "| profile | venue | orders | signer frozen | first cancel | last confirmed | left | after it |");
    let _ = writeln!(text, "| --- | --- | --- | --- | --- | --- | --- | --- |");
    for row in drilled {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | refused by {} |",
            short(&row.profile),
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

fn short(profile: &Path) -> String {
    profile.file_name().map_or_else(|| profile.display().to_string(), |name| name.to_string_lossy().into_owned())
}
