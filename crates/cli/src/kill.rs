//! The kill switch at the terminal, and its drill. Invariant: everything else waits until the signer is frozen; a drill is done with play money
//! only.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use strongroom_desk_api::supervisor::ToSupervisor;
use strongroom_desk_api::{Ask, DeskClient, Drilled, KillScope, Tell, VaultState, drill};
use strongroom_guard::Freeze;
use strongroom_model::{CredentialId, OwnerTag, Venue};

use crate::Door;
use crate::fail::Failure;
use crate::vault_arguments::VenueName;

/// A hung desk is not waited for when the kill switch is engaged.
const KILL_TIMEOUT: Duration = Duration::from_secs(1);
/// Nor when the vault is sealed: the log's last head takes a moment.
const SEAL_TIMEOUT: Duration = Duration::from_secs(3);

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
    /// Only orders of whoever unlocks with this slot of the vault.
    #[arg(long, group = "reach")]
    person: Option<u16>,
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
    #[arg(long, default_value_t = drill::ORDERS, value_parser = clap::value_parser!(u32).range(1..=i64::from(drill::ORDERS_MAX)))]
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
        match (self.venue, &self.account, self.key, &self.bot, self.person) {
            (Some(VenueName::Binance), ..) => KillScope::Venue(Venue::Binance),
            (_, Some(account), ..) => KillScope::Account(account.clone()),
            (_, _, Some(id), ..) => KillScope::Credential(CredentialId(id)),
            (_, _, _, Some(owner), _) => KillScope::Bot(owner.clone()),
            (.., Some(slot)) => KillScope::Person(slot),
            _ => KillScope::Everything,
        }
    }
}

/// Engages it, says what became of open orders, and seals if it was asked to.
pub(crate) fn kill(door: &Door, options: &KillOptions, json: bool) -> Result<(), Failure> {
    let (frozen, mut words) = engage(door, &options.why, options.scope())?;
    if !frozen && !options.seal {
        return Err(Failure::refused("kill", words));
    }
    let mut report = None;
    let is_sealed = matches!(door.ask(&Ask::Vault), Ok(Tell::Vault(view)) if view.state == VaultState::Sealed);
    if !is_sealed {
        report = drill::follow(&door.dir, Duration::from_secs(options.wait));
        if let Some(report) = &report {
            let _ = write!(words, " {}", report.words());
        }
        if options.seal {
            seal(door)?;
            words.push_str(match &report {
                Some(report) if !report.left.is_empty() => " The vault is sealed: what is not gone yet is cancelled when it is unlocked.",
                _ => " The vault is sealed.",
            });
        }
    }
    if json {
        println!("{}", serde_json::json!({ "words": words, "report": report }));
        return Ok(());
    }
    println!("{words}");
    // The words name the first few.
    for left in report.iter().flat_map(|report| &report.left) {
        println!("  {} {}: {}", left.symbol, left.client_order_id, left.state);
    }
    Ok(())
}

/// By the desk, which closes the log first; by the supervisor, where the desk does not answer.
pub(crate) fn seal(door: &Door) -> Result<String, Failure> {
    let asked = DeskClient::connect(&door.dir).and_then(|mut desk| {
        desk.set_timeout(SEAL_TIMEOUT)?;
        desk.ask(&Ask::Seal)
    });
    if let Ok(tell) = asked {
        return done(tell);
    }
    let (sealed, words) = door.supervisor(&ToSupervisor::Seal)?;
    if sealed { Ok(words) } else { Err(Failure::refused("seal", words)) }
}

/// The supervisor freezes the signer first; then the desk cancels, if it can.
fn engage(door: &Door, why: &str, scope: KillScope) -> Result<(bool, String), Failure> {
    let (frozen, words) = door.supervisor(&ToSupervisor::Kill(Freeze::new(why, scope.clone())))?;
    let cancelled = DeskClient::connect(&door.dir).and_then(|mut desk| {
        desk.set_timeout(KILL_TIMEOUT)?;
        desk.ask(&Ask::Kill { why: why.to_owned(), scope })
    });
    if !frozen {
        return Ok((false, words));
    }
    Ok(match cancelled {
        Ok(Tell::Done { words }) => (true, words),
        _ => (
            true,
            "The signer is frozen: no order can be signed. The desk did not answer; it is started anew and then cancels open orders."
                .to_owned(),
        ),
    })
}

fn done(tell: Tell) -> Result<String, Failure> {
    match tell {
        Tell::Done { words } => Ok(words),
        other => Err(Failure::of(&other).unwrap_or_else(|| Failure::refused("desk", "the desk answered something else".to_owned()))),
    }
}

/// Places orders far from the market at paper venues, engages the kill switch everywhere at once, and says how long it took.
pub(crate) fn drill(door: &Door, options: &DrillOptions, json: bool) -> Result<(), Failure> {
    let profiles: Vec<PathBuf> = std::iter::once(&door.dir).chain(&options.profiles).cloned().collect();
    let drilled = drill::run(&profiles, options.orders)?;
    let text = drill::report(&drilled);
    if let Some(file) = &options.report {
        std::fs::write(file, &text).map_err(|error| Failure::usage(&format!("{} cannot be written: {error}", file.display())))?;
    }
    if json {
        println!("{}", serde_json::json!({ "drill": drilled }));
    } else {
        print!("{text}");
    }
    if drilled.iter().all(Drilled::has_passed) {
        return Ok(());
    }
    Err(Failure::refused("drill", "the drill failed: orders are left, or an order was not refused".to_owned()))
}
