//! An action in the signer's own words, for the person at the prompt.
//!
//! Invariant: every word comes from the action that is waiting here and from the opened vault; the digest is computed
//! over the action as it will be carried out, so that what is confirmed is what is done.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use strongroom_guard::{Freeze, InstrumentPolicy, Policy, RuleMode, worth_at_most};
use strongroom_model::{CredentialInfo, KeyDetails, KeyEdit, KeyScope, PlaceOrder, Role, SlotFor, Timestamp, Venue};
use strongroom_signer_api::about::{FACTS_MAX, TEXT_LEN_MAX};
use strongroom_signer_api::{About, Action, DoorId, Keeping, KitOpening, PinChange};
use strongroom_vault::{KdfParams, peek, peek_slots};

use super::Pending;
use crate::keys::Open;
use crate::signer::Signer;

/// Letters of a reason that somebody gave.
const REASON_LEN_SHOWN: usize = 120;
/// So many uses of the kill switch are shown, the earliest first.
const FREEZES_SHOWN: usize = 8;
/// Bytes of an action's digest that are shown.
const DIGEST_LEN: usize = 8;

impl Signer {
    /// What the prompt is told before its first question.
    pub(super) fn about(&self, pending: &Pending, words: &str) -> About {
        let about = About::new(pending.action.deed(), words);
        let about = match &pending.action {
            Action::CreateVault { vault_id, kdf_memory_kib, kdf_passes } => about
                .with("Vault", &groups(&hex(vault_id.get(..6).unwrap_or_default())))
                .with(
                    "Derivation",
                    &if *kdf_passes == 0 {
                        "Argon2id, as hard as this machine can".to_owned()
                    } else {
                        derivation(*kdf_memory_kib, *kdf_passes)
                    },
                )
                .with("Second factor", "Device secret, in the keychain"),
            Action::Unlock | Action::Recover(_) => self.about_file(about, pending),
            Action::UnlockWith { slot } => {
                let head = self.slots_at_hand(&pending.files).into_iter().find(|head| head.id == *slot);
                let account = head.and_then(|head| Keeping::decode(&head.provider));
                let about = self.about_file(about, pending);
                account.iter().fold(about, |about, account| about.with("Share kept by", &account.words()))
            }
            Action::Import { label, venue } => about.with("Venue", name(*venue)).with("Label", label),
            Action::Rotate { old } => self.about_key(about, old.0),
            Action::Generate { label, venue, scheme, .. } => about
                .with("Venue", name(*venue))
                .with("Label", label)
                .with("Scheme", scheme.words())
                .with("After it", "its public half is shown; the private half stays here"),
            Action::EditKey { id, edit } => {
                let old = self.open.as_ref().and_then(|open| open.credential(Some(*id), Venue::Binance));
                let rows = old.map(|old| edit_rows(&old.info, edit)).unwrap_or_default();
                rows.iter().fold(self.about_key(about, id.0), |about, (name, value)| about.with(name, value))
            }
            Action::Delete { id } => self.about_key(about, id.0),
            Action::ExportKey { id, recipient } => self.about_key(about, id.0).with("For", recipient),
            Action::Backup => self.about_vault(about).with("It opens with", "today's password and device, or the recovery kit"),
            Action::ChangePassword { .. } => about.with("After it", "old backups still open with the old password"),
            Action::ReplaceKit => self.about_vault(about).with("After it", "old backups still open with the old kit"),
            Action::PrintCodes => {
                let left = self.open.as_ref().map_or(0, Open::codes_left);
                self.about_vault(about).with("Until now", &format!("{left} codes that were not used"))
            }
            Action::NewPhone => {
                let left = self.open.as_ref().map_or(0, Open::codes_left);
                let ended = match left {
                    0 => "the old phone's codes count no more".to_owned(),
                    left => format!("the old phone's codes count no more, nor the {left} recovery codes that are left"),
                };
                let persons = self.open.iter().flat_map(|open| open.slots(DoorId::DESK)).filter(|slot| !slot.roles.is_empty()).count();
                let about = self.about_vault(about).with("After it", &ended);
                if persons > 1 { about.with("For", "everybody: all persons of the vault have their codes from it then") } else { about }
            }
            Action::AddSlot { kind, label, roles } => {
                let about = self.about_vault(about).with("Name", label);
                let about = if *kind == SlotFor::Auditor { about } else { about.with("May", &role_names(roles)) };
                match kind {
                    SlotFor::Shared { keeper, machine } => about.with("Share kept by", &Keeping::asked(keeper, machine.as_ref()).words()),
                    SlotFor::Person | SlotFor::Auditor => about,
                }
            }
            Action::SetRoles { slot, roles } => {
                let known = self.open.iter().flat_map(|open| open.slots(DoorId::DESK)).find(|known| known.id == *slot);
                let about =
                    known.iter().fold(about, |about, known| about.with("Name", &known.label).with("Until now", &role_names(&known.roles)));
                about.with("From now on", &role_names(roles))
            }
            Action::ConfirmOrder(order) => self.about_order(about, order),
            Action::Override { order, why } => self.about_order(about, order).with("Why, it was said", why),
            Action::RemoveSlot { slot } => {
                let known = self.open.iter().flat_map(|open| open.slots(DoorId::DESK)).find(|known| known.id == *slot);
                known.iter().fold(about, |about, known| about.with("Slot", &format!("{slot}, {}", known.kind)).with("Name", &known.label))
            }
            Action::Rekey => {
                let closed = self.open.iter().flat_map(|open| open.slots(DoorId::DESK)).filter(|known| !known.is_present).count();
                self.about_vault(about)
                    .with("After it", &format!("{closed} other ways into the vault are closed, old backups stay as they are"))
            }
            Action::Protect(order) => about.with("Order", order.as_str()).with("After it", "a kill does not cancel it; it can still fill"),
            Action::Rearm => {
                let shown = |freeze: &Freeze| beginning(&freeze.to_string());
                let about =
                    self.freezes.iter().take(FREEZES_SHOWN).fold(about, |about, freeze| about.with("Frozen, it was said", &shown(freeze)));
                let more = self.freezes.iter().skip(FREEZES_SHOWN).count();
                let about = if more > 0 { about.with("Frozen besides", &format!("{more} more keys, accounts or bots")) } else { about };
                about.with("After it", "orders are signed again, inside the limits")
            }
            Action::SetPolicy(policy) => {
                let rows = self.open.as_ref().map(|open| changes(&open.policy, &open.in_force(policy))).unwrap_or_default();
                rows.iter().fold(about, |about, (name, change)| about.with(name, change))
            }
            Action::Pin(PinChange { host, spki_sha256, trust }) => {
                let after = if *trust { "a server with this key is sent orders" } else { "a server with this key is sent nothing" };
                about.with("Server", host).with("Key", &groups(spki_sha256)).with("After it", after)
            }
        };
        if matches!(pending.action, Action::CreateVault { .. } | Action::Unlock | Action::UnlockWith { .. } | Action::Recover(_)) {
            return about;
        }
        let about = about.with("Asked", &format!("through the desk, {}", clock(pending.asked))).with("Action", &digest(&pending.action));
        About { tries_left: self.open.as_ref().map(|open| open.ledger.totp.tries_left()), ..about }
    }

    /// What the vault's file says; of one that is not open it is proven only by opening it.
    fn about_file(&self, about: About, pending: &Pending) -> About {
        let known = match &self.open {
            Some(open) => Some((open.vault.header(), open.vault.slots())),
            None => pending.files.first().and_then(|bytes| Some((peek(bytes).ok()?, peek_slots(bytes).ok()?))),
        };
        let Some((header, slots)) = known else { return about };
        // The first person's; a new password brings a derivation of its own.
        let KdfParams { memory_kib, passes, .. } = slots.iter().find_map(|slot| slot.kdf).unwrap_or(header.kdf);
        let about = about.with("Vault", &groups(&hex(&header.vault_id[..6]))).with("Derivation", &derivation(memory_kib, passes));
        let is_unlock = matches!(pending.action, Action::Unlock | Action::UnlockWith { .. });
        let about = if is_unlock { about.with("Second factor", "Device secret, from the keychain") } else { about };
        let about = about.with("Generation", &header.generation.to_string());
        match &pending.action {
            Action::Recover(KitOpening { backup: Some(_), .. }) => {
                about.with("After it", "keys and limits are those of the backup; the present file is kept beside it")
            }
            _ => about,
        }
    }

    /// What an order can be worth, from the intent and the limits that are held here.
    fn about_order(&self, about: About, order: &PlaceOrder) -> About {
        let about = about.with("Order", &order.words()).with("Named", order.client_order_id.as_str());
        let policy = self.open.as_ref().map(|open| &open.policy);
        let listed = policy.and_then(|policy| Some((policy.instrument(&order.symbol)?, &policy.currency)));
        match listed {
            Some((listed, currency)) => about.with("Worth at most", &format!("{} {currency}", worth_at_most(order, listed))),
            None => about.with("Worth at most", "unknown: it is not on the instrument list"),
        }
    }

    /// Which vault it is about.
    fn about_vault(&self, about: About) -> About {
        match &self.open {
            Some(open) => about.with("Vault", &groups(&hex(&open.vault.id()[..6]))),
            None => about,
        }
    }

    fn about_key(&self, about: About, id: u64) -> About {
        let known = self.open.iter().flat_map(|open| &open.credentials).find(|known| known.info.id.0 == id);
        let Some(CredentialInfo { venue, api_key, created, .. }) = known.map(|known| &known.info) else { return about };
        let day = created.to_string();
        about.with("Venue", name(*venue)).with("API key", &shortened(api_key)).with("In the vault since", day.get(..10).unwrap_or_default())
    }
}

fn role_names(roles: &[Role]) -> String {
    let all = if roles.is_empty() { &Role::ALL[..] } else { roles };
    all.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

pub(super) const fn name(venue: Venue) -> &'static str {
    match venue {
        Venue::Binance => "Binance",
    }
}

/// SHA-256 of the action's CBOR, its beginning, in groups.
fn digest(action: &Action) -> String {
    let Ok(bytes) = minicbor_serde::to_vec(action) else { return String::new() };
    groups(&hex(&Sha256::digest(bytes)[..DIGEST_LEN]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In groups of four, with blanks that do not break.
fn groups(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("\u{a0}")
}

fn derivation(memory_kib: u32, passes: u32) -> String {
    format!("Argon2id {} MiB, {passes} passes", memory_kib / 1_024)
}

/// Enough of a public name to recognise it.
fn shortened(api_key: &str) -> String {
    match (api_key.get(..6), api_key.len().checked_sub(4).and_then(|at| api_key.get(at..))) {
        (Some(head), Some(tail)) if api_key.len() > 16 => format!("{head}…{tail}"),
        _ => api_key.to_owned(),
    }
}

fn clock(at: Timestamp) -> String {
    format!("{} UTC", at.to_string().get(11..19).unwrap_or_default())
}

/// Changes of a key that the prompt has room for, beside which key it is, when and what was asked.
const EDITS_MAX: usize = FACTS_MAX - 5;

/// Why a change of what is noted of a key cannot be shown whole, if it cannot: then it is not made.
pub(super) fn edit_cannot_be_shown(old: &CredentialInfo, edit: &KeyEdit) -> Option<String> {
    let rows = edit_rows(old, edit);
    let is_whole = rows.len() <= EDITS_MAX && rows.iter().all(|(_, value)| value.len() <= TEXT_LEN_MAX);
    (!is_whole).then(|| "the prompt cannot show so much at once; change it in parts".to_owned())
}

/// What is to be noted from now on, as far as it differs.
fn edit_rows(old: &CredentialInfo, edit: &KeyEdit) -> Vec<(String, String)> {
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let mut rows = Vec::new();
    let mut row = |name: &str, changes: bool, value: String| {
        if changes {
            rows.push((name.to_owned(), value));
        }
    };
    if let Some(label) = &edit.label {
        row("New label", *label != old.label, label.clone());
    }
    if let Some(name) = &edit.api_key {
        row("New API key", *name != old.api_key, name.clone());
    }
    if let Some(KeyDetails { account, addresses, rotate_days, services, notes, scope }) = &edit.details {
        let of = &old.details;
        row("Account", *account != of.account, or_none(account));
        for (name, list) in listed("Addresses", addresses) {
            row(&name, *addresses != of.addresses, or_none(&list));
        }
        row("Replaced after", *rotate_days != of.rotate_days, format!("{rotate_days} days"));
        let machines = if *services { "may sign with it" } else { "may not use it" };
        row("Machines without a person", *services != of.services, machines.to_owned());
        let symbols: Vec<String> = scope.instruments.iter().map(ToString::to_string).collect();
        for (name, list) in listed("Instruments", &symbols) {
            row(&name, scope.instruments != of.scope.instruments, if list.is_empty() { "all".to_owned() } else { list });
        }
        let bounds = |scope: &KeyScope| KeyScope { instruments: Vec::new(), ..scope.clone() };
        let words = bounds(scope).words();
        let words = match (words.is_empty(), scope.instruments.is_empty()) {
            (true, true) => "everything".to_owned(),
            (true, false) => "its instruments, whatever is done with them".to_owned(),
            (false, _) => words,
        };
        row("Only for", bounds(scope) != bounds(&of.scope), words);
        row("Notes", *notes != of.notes, or_none(&beginning(notes)));
    }
    rows
}

/// As much of a text that decides nothing as there is room for.
fn beginning(text: &str) -> String {
    let more = if text.chars().count() > REASON_LEN_SHOWN { "…" } else { "" };
    text.chars().take(REASON_LEN_SHOWN).chain(more.chars()).collect()
}

/// A list in as many rows as it needs; an empty one in one.
fn listed(name: &str, items: &[String]) -> Vec<(String, String)> {
    let mut rows = vec![String::new()];
    for item in items {
        match rows.last_mut() {
            Some(last) if last.is_empty() => last.clone_from(item),
            Some(last) if last.len() + 1 + item.len() <= TEXT_LEN_MAX => *last = format!("{last} {item}"),
            _ => rows.push(item.clone()),
        }
    }
    let named = |(at, row): (usize, String)| (if at == 0 { name.to_owned() } else { format!("{name} ({})", at + 1) }, row);
    rows.into_iter().enumerate().map(named).collect()
}

/// Changes of limits that the prompt has room for, beside when and what was asked.
const CHANGES_MAX: usize = FACTS_MAX - 2;

/// Why a change of limits cannot be shown whole, if it cannot: then it is not made.
pub(super) fn cannot_be_shown(old: &Policy, new: &Policy) -> Option<String> {
    let rows = changes(old, new);
    let is_long = rows.iter().any(|(name, change)| name.len().max(change.len()) > TEXT_LEN_MAX);
    match (rows.len() > CHANGES_MAX, is_long) {
        (true, _) => {
            Some(format!("the prompt cannot show so much at once ({} changes); change at most {CHANGES_MAX} limits at a time", rows.len()))
        }
        (false, true) => {
            Some(format!("the prompt cannot show one of the changes whole: it has more than {TEXT_LEN_MAX} bytes. Change a list in parts"))
        }
        (false, false) => None,
    }
}

/// What differs, each as name and `old → new`, by instrument and by limit.
fn changes(old: &Policy, new: &Policy) -> Vec<(String, String)> {
    let minutes = |ms: u64| format!("{} min", ms / 60_000);
    let floor = |policy: &Policy| {
        policy.kdf_floor.map_or_else(|| "as they are".to_owned(), |kdf| format!("{} MiB, {} passes", kdf.memory_mib, kdf.passes))
    };
    let row = |name: &str, of: &dyn Fn(&Policy) -> String| (name.to_owned(), of(old), of(new));
    let rows = [
        row("Currency of limits and key scopes", &|policy| policy.currency.clone()),
        row("Value of an order", &|policy| policy.order_notional_max.to_string()),
        row("Value of a day", &|policy| policy.day_notional_max.to_string()),
        row("Code for orders above", &|policy| or(policy.confirm_above, "none")),
        row("Orders a minute", &|policy| policy.orders_per_minute.to_string()),
        row("Price collar", &|policy| format!("{} bp", policy.price_collar_bps)),
        row("Session unused", &|policy| minutes(policy.session_idle_ms)),
        row("Session at most", &|policy| minutes(policy.session_age_max_ms)),
        row("Passwords at least", &floor),
        row("Sold only", &|policy| {
            let names = policy.desk.restricted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            if names.is_empty() { "none".to_owned() } else { names }
        }),
        row("Price against ten minutes", &|policy| or(policy.desk.drift_bps.map(|bps| format!("{bps} bp")), "any")),
        row("Slippage", &|policy| or(policy.desk.slippage_bps.map(|bps| format!("{bps} bp")), "any")),
        row("Open orders", &|policy| or(policy.desk.open_orders_max, "any")),
        row("All that is held", &|policy| or(policy.desk.exposure_max, "any")),
        row("Loss of a day", &|policy| or(policy.desk.day_loss_max, "any")),
        row("Fall of a day", &|policy| or(policy.desk.drawdown_max, "any")),
        row("Same order again", &|policy| or(policy.desk.duplicate_ms.map(|ms| format!("after {ms} ms")), "at once")),
        row("Fills a minute", &|policy| or(policy.desk.fills_per_minute, "any")),
        row("Cancels for 100 orders", &|policy| or(policy.desk.cancels_percent, "any")),
        row("Into own orders", &|policy| if policy.desk.self_trade { "allowed" } else { "never" }.to_owned()),
        row("Rules that do not refuse", &|policy| {
            let softened = policy.desk.modes.iter().filter(|(_, mode)| **mode != RuleMode::Refuse);
            let word = |mode: RuleMode| if mode == RuleMode::Ask { "asks" } else { "notes" };
            let names = softened.map(|(rule, mode)| format!("{} {}", rule.name(), word(*mode))).collect::<Vec<_>>().join(", ");
            if names.is_empty() { "none".to_owned() } else { names }
        }),
    ];
    let differing = rows.into_iter().filter(|(_, old, new)| old != new);
    let mut rows: Vec<_> = differing.map(|(name, old, new)| (name, format!("{old} → {new}"))).collect();
    // Each in a row of its own: a list could be too long to be shown.
    let days = |policy: &Policy| -> BTreeMap<String, String> {
        policy.thresholds.iter().map(|each| (format!("Day of {}", each.of), each.day_notional_max.to_string())).collect()
    };
    let held = |policy: &Policy| -> BTreeMap<String, String> {
        policy.desk.exposure_of.iter().map(|each| (format!("Held at {}", each.of), each.max.to_string())).collect()
    };
    for (before, after) in [(days(old), days(new)), (held(old), held(new))] {
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let any = "any".to_owned();
        let change = |name: &String| (before.get(name).unwrap_or(&any), after.get(name).unwrap_or(&any));
        let differing = names.into_iter().map(|name| (name, change(name))).filter(|(_, (before, after))| before != after);
        rows.extend(differing.map(|(name, (before, after))| (name.clone(), format!("{before} → {after}"))));
    }
    let symbols: BTreeSet<_> = old.instruments.iter().chain(&new.instruments).map(|one| &one.symbol).collect();
    for symbol in symbols {
        let change = match (old.instrument(symbol), new.instrument(symbol)) {
            (Some(before), Some(after)) => instrument_change(before, after),
            (None, Some(after)) => {
                let unit = after.quote_worth.map_or_else(String::new, |worth| format!(", each unit paid worth {worth}"));
                format!("added: at most {}, from {} to {}{unit}", after.quantity_max, after.price_low, after.price_high)
            }
            (Some(_), None) => "taken off the list".to_owned(),
            (None, None) => continue,
        };
        if !change.is_empty() {
            rows.push((symbol.to_string(), change));
        }
    }
    rows
}

fn instrument_change(before: &InstrumentPolicy, after: &InstrumentPolicy) -> String {
    let parts = [
        ("at most", before.quantity_max.to_string(), after.quantity_max.to_string()),
        ("from", before.price_low.to_string(), after.price_low.to_string()),
        ("to", before.price_high.to_string(), after.price_high.to_string()),
        ("counted", counted(before), counted(after)),
        ("each unit paid worth", or(before.quote_worth, "1"), or(after.quote_worth, "1")),
        ("held", or(before.position_max, "any"), or(after.position_max, "any")),
    ];
    let differing = parts.into_iter().filter(|(_, before, after)| before != after);
    differing.map(|(name, before, after)| format!("{name} {before} → {after}")).collect::<Vec<_>>().join("; ")
}

/// At which prices orders without one are counted, where those are not the band's.
fn counted(listed: &InstrumentPolicy) -> String {
    listed.counted.map_or_else(|| "in the band".to_owned(), |(low, high)| format!("from {low} to {high}"))
}

fn or(value: Option<impl ToString>, nothing: &str) -> String {
    value.map_or_else(|| nothing.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use strongroom_model::CredentialId;

    use super::*;

    #[test]
    fn a_digest_names_one_action() {
        let of = |id| digest(&Action::Delete { id: CredentialId(id) });
        assert_eq!(of(4), of(4));
        assert_ne!(of(4), of(5));
        assert_eq!(of(4).split('\u{a0}').map(str::len).collect::<Vec<_>>(), [4; 4]);
    }

    #[test]
    fn limits_in_words() {
        let old = Policy::initial();
        assert!(changes(&old, &old).is_empty());
        let mut all = old.clone();
        all.instruments.reverse();
        assert!(changes(&old, &all).is_empty(), "their order is no limit");
        all.instruments[0].quantity_max = strongroom_model::Quantity::parse("1000000").unwrap();
        all.instruments[1].symbol = strongroom_model::Symbol::parse("SOLUSDT").unwrap();
        all.desk.modes.insert(strongroom_guard::DeskRule::Position, RuleMode::Shadow);
        let shown = changes(&old, &all);
        let of = |name: &str| shown.iter().find(|(known, _)| known == name).map(|(_, change)| change.as_str());
        assert_eq!(of("ETHUSDT"), Some("at most 20 → 1000000"));
        assert_eq!((of("BTCUSDT"), of("SOLUSDT")), (Some("taken off the list"), Some("added: at most 1, from 1000 to 400000")));
        assert_eq!(of("Rules that do not refuse"), Some("none → position notes"));
        assert_eq!(cannot_be_shown(&old, &all), None);
        let bot = |most: &str| strongroom_guard::Threshold {
            of: strongroom_guard::Actor::Bot(strongroom_model::OwnerTag::parse("grid").unwrap()),
            day_notional_max: strongroom_model::Notional::parse(most).unwrap(),
        };
        let limited = |most: &str| Policy { thresholds: vec![bot(most)], ..old.clone() };
        let row = |before: &Policy, after: &Policy| -> Vec<String> {
            changes(before, after).into_iter().map(|(name, change)| format!("{name}: {change}")).collect()
        };
        let rows = [row(&old, &limited("5")), row(&limited("5"), &limited("6")), row(&limited("6"), &old)];
        assert_eq!(rows.concat(), ["Day of bot grid: any → 5", "Day of bot grid: 5 → 6", "Day of bot grid: 6 → any"]);
        let mut held = old.clone();
        let of = strongroom_guard::ExposureScope::Account("desk 2".to_owned());
        held.desk.exposure_of.push(strongroom_guard::ExposureLimit { of, max: strongroom_model::Notional::parse("7").unwrap() });
        assert_eq!(row(&old, &held), ["Held at account desk 2: any → 7"]);
        let many = |count: usize| {
            let one = &old.instruments[0];
            let symbol = |number: usize| strongroom_model::Symbol::parse(&format!("X{number}")).unwrap();
            let instruments = (0..count).map(|number| InstrumentPolicy { symbol: symbol(number), ..one.clone() }).collect();
            Policy { instruments, ..old.clone() }
        };
        assert_eq!(cannot_be_shown(&many(0), &many(CHANGES_MAX)), None);
        assert!(cannot_be_shown(&many(0), &many(CHANGES_MAX + 1)).is_some(), "what cannot be shown is not made");
        let new = Policy { orders_per_minute: old.orders_per_minute + 1, ..old.clone() };
        let [(name, change)] = &changes(&old, &new)[..] else { panic!("one change") };
        assert_eq!(
            (name.as_str(), change.as_str()),
            ("Orders a minute", format!("{} → {}", old.orders_per_minute, new.orders_per_minute).as_str())
        );
    }
}
