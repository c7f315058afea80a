//! Benchmarks beside named peers. Invariant: a figure is printed as a row with what was measured and how often; nothing
//! here decides whether a figure is good.

pub mod here;
pub mod order;
pub mod person;
pub mod process;
pub mod row;

use strongroom_guard::Policy;
use strongroom_model::Venue;
use strongroom_signer_api::{Action, ActionEnd, Reply, Request};

use crate::order::Key;
use crate::person::Person;

/// A signer that a desk and a person can speak to.
pub trait Spoken {
    /// Asks as the desk does; what the signer wants saved counts as saved.
    fn ask(&mut self, request: Request, tail: &[u8]) -> anyhow::Result<Reply>;

    /// Runs an action to its end with `person` at the prompt; codes are those of `code_s`, seconds since the epoch.
    fn act(&mut self, action: Action, tail: &[u8], person: &mut Person, code_s: u64) -> anyhow::Result<ActionEnd>;

    /// When the `nth` one-time code is read; each is at least one step of 30 s after the one before.
    fn code_time_s(&mut self, nth: u64) -> u64;
}

/// Makes a vault, imports `key`, and allows as many orders per minute as a vault may allow.
pub fn furnish(signer: &mut impl Spoken, key: &Key) -> anyhow::Result<()> {
    let mut person = Person::new(key);
    let policy = Policy {
        orders_per_minute: 6_000,
        day_notional_max: strongroom_model::Notional::parse("1000000000000")?,
        session_idle_ms: 12 * 3_600_000,
        session_age_max_ms: 24 * 3_600_000,
        ..Policy::initial()
    };
    let actions = [
        (Action::CreateVault { vault_id: vec![7; 16], kdf_memory_kib: 64 * 1_024, kdf_passes: 3 }, &[9; 32][..]),
        (Action::Import { label: "measured".to_owned(), venue: Venue::Binance }, &[]),
        (Action::SetPolicy(Box::new(policy)), &[]),
    ];
    for (nth, (action, tail)) in (0..).zip(actions) {
        let code_s = signer.code_time_s(nth);
        let end = signer.act(action, tail, &mut person, code_s)?;
        anyhow::ensure!(!matches!(end, ActionEnd::Failed { .. }), "the vault could not be furnished: {end:?}");
    }
    Ok(())
}
