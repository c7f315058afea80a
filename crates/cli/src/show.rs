//! Answers as text for people, or as one JSON object.

use std::fmt::Display;

use strongroom_desk_api::{
    AuditEntry, BookView, DueReason, KeyView, LineKind, OrderView, RotationStep, SessionRow, SessionView, Tell, VaultView,
};
use strongroom_model::{CredentialInfo, KeyDetails, KeyRights, KeyStage, MarketSize, OrderSpec, Origin, Role, TimeInForce};

/// Prints an answer.
pub(crate) fn tell(tell: &Tell, json: bool) {
    if json {
        match serde_json::to_string(tell) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("strongroom: {error}"),
        }
        return;
    }
    match tell {
        Tell::Vault(view) => vault(view),
        Tell::Session(view) => session(view),
        Tell::Prepared { words, .. } | Tell::Done { words } => println!("{words}"),
        Tell::PublicKey { pem } => print!("{pem}"),
        Tell::Slots { slots } => {
            for slot in slots {
                let kdf = slot.kdf.map_or_else(String::new, |(memory, passes)| format!("Argon2id {memory} MiB, {passes} passes"));
                let present = if slot.is_present { "opened the vault" } else { "" };
                println!("{:>4}  {:<34} {:<20} {kdf}  {present}", slot.id, slot.kind, slot.label);
                if let Some(kept) = &slot.kept {
                    println!("      share kept by {kept}");
                }
                if slot.roles.len() < Role::ALL.len() {
                    println!("      may be {}", slot.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", "));
                }
            }
        }
        Tell::Outcome { words, key, log_key, public_key } => {
            println!("{words}");
            if let Some(key) = key {
                row("key", format!("{} “{}” ({}, {:?})", key.id, key.label, key.venue, key.scheme));
            }
            if let Some(log_key) = log_key {
                row("log key", log_key);
            }
            if let Some(public_key) = public_key {
                print!("{public_key}");
            }
        }
        Tell::Keys { keys } => {
            if keys.is_empty() {
                println!("No keys yet. Take one in with `strongroom key import --label NAME`.");
            }
            for view in keys {
                key(view);
            }
        }
        Tell::Policy { policy, managed } => {
            match serde_json::to_string_pretty(policy) {
                Ok(text) => println!("{text}"),
                Err(error) => eprintln!("strongroom: {error}"),
            }
            // Beside the file that this can be: what is printed above is edited and set again.
            if let Some(note) = managed {
                eprintln!("Limits of {} hold here (document {}, {}):", note.organisation, note.serial, note.source);
                note.limits.iter().for_each(|(name, limit)| eprintln!("  {name} {limit}"));
            }
        }
        Tell::Order(view) => order(view),
        Tell::Orders { orders } => {
            if orders.is_empty() {
                println!("No orders.");
            }
            for view in orders {
                let protected = if view.protected { "  (protected)" } else { "" };
                println!("{:<32} {:<10} {}{protected}", view.client_order_id, format!("{:?}", view.fate).to_lowercase(), words(view));
            }
        }
        Tell::Book(view) => book(view),
        // What windows ask for; the terminal has no command for them.
        Tell::Frame(_) | Tell::Instruments { .. } | Tell::Candles { .. } | Tell::Checks(_) | Tell::Size { .. } => {}
        Tell::Balance { balances } => {
            println!("{:<8} {:>24} {:>24}", "asset", "free", "locked");
            for balance in balances {
                println!("{:<8} {:>24} {:>24}", balance.asset, balance.free, balance.locked);
            }
        }
        Tell::KillReport { report } => match report {
            Some(report) => println!("{}", report.words()),
            None => println!("The kill switch was not used since the desk began."),
        },
        Tell::Audit { entries, size } => {
            entries.iter().for_each(entry);
            println!("{size} entries in the log.");
        }
        Tell::Error(error) => eprintln!("strongroom: {}", error.message),
    }
}

fn row(name: &str, value: impl Display) {
    println!("  {name:<14} {value}");
}

fn vault(view: &VaultView) {
    println!("Vault: {}", format!("{:?}", view.state).to_lowercase());
    if let Some(because) = &view.because {
        row("because", because);
    }
    if let Some(killed) = &view.killed {
        row("kill switch", format!("engaged ({killed})"));
    }
    view.stopped.iter().for_each(|stopped| row("stopped", stopped));
    if let Some(note) = &view.managed {
        row("limits of", format!("{} (document {}, {})", note.organisation, note.serial, note.source));
    }
    if let Some(left) = view.codes_left {
        row("recovery codes", format!("{left} left"));
    }
    if let (Some(id), Some(generation)) = (&view.vault_id, view.generation) {
        row("identity", id);
        row("generation", generation);
    }
    row("anchor", &view.anchor);
    if !view.backups.is_empty() {
        row("backups", view.backups.iter().map(u64::to_string).collect::<Vec<_>>().join(", "));
    }
    if let Some(log_key) = &view.log_key {
        row("log key", log_key);
    }
    for (wall, stands) in &view.walls {
        row(if *stands { "wall stands" } else { "NO WALL" }, wall);
    }
    for (what, is_watched) in &view.watched {
        row(if *is_watched { "watched" } else { "not watched" }, what);
    }
}

fn session(view: &SessionView) {
    println!("Session at {}: {}", view.at, format!("{:?}", view.state).to_lowercase());
    let minutes = |ms: u64| format!("{} min {:02} s", ms / 60_000, ms / 1_000 % 60);
    if let (Some(idle), Some(age)) = (view.idle_left_ms, view.age_left_ms) {
        row("ends idle in", minutes(idle));
        row("ends in", minutes(age));
    }
    if let Some((signed, most)) = &view.day_notional {
        row("signed in 24 h", format!("worth up to {signed}, of {most}"));
    }
    if view.is_service {
        row("opened by", "a machine, until it is locked or sealed");
    }
    row("kill switch", view.killed.as_deref().map_or("not engaged".to_owned(), |why| format!("engaged ({why})")));
    view.stopped.iter().for_each(|stopped| row("stopped", stopped));
    row("signatures", view.signatures);
    row("live orders", format!("{} ({} with unknown outcome)", view.live_orders, view.ambiguous_orders));
    for line in &view.lines {
        let kind = match line.kind {
            LineKind::Rest => "requests",
            LineKind::Stream => "stream",
        };
        println!("Line {} ({kind}) is {}", line.host, if line.up { "up" } else { "down" });
        if let Some(trouble) = &line.trouble {
            row("trouble", trouble);
        }
        let unknown = || "not measured yet".to_owned();
        row("TLS", line.tls.clone().zip(line.cipher.clone()).map_or_else(unknown, |(tls, cipher)| format!("{tls}, {cipher}")));
        row("pinned key", if line.pins.is_empty() { "none".to_owned() } else { line.pins.join(" or ") });
        row(
            "venue clock",
            line.clock_offset_us.zip(line.clock_error_us).map_or_else(unknown, |(offset, error)| format!("{offset:+} µs, ± {error} µs")),
        );
        if let Some(latency) = &line.latency {
            row("round trip", format!("p50 {} µs, p99 {} µs of {} answers", latency.p50_us, latency.p99_us, latency.count));
        }
        row("stream", line.stream_age_ms.map_or_else(unknown, |age| format!("heard {age} ms ago, {} resyncs", line.resyncs)));
    }
    if !view.limits.is_empty() {
        println!("Rate limits");
    }
    for limit in &view.limits {
        println!("  {:<24} {:>8} of {:<8} free in {} s", limit.name, limit.used, limit.limit, limit.reset_ms.div_ceil(1_000));
    }
}

fn granted(rights: &KeyRights) -> String {
    let KeyRights { trade, withdraw, transfer, bound, until, .. } = rights;
    let mut words = vec![if *trade { "it trades" } else { "it does not trade" }.to_owned()];
    words.extend(withdraw.then(|| "it can WITHDRAW".to_owned()));
    words.extend(transfer.then(|| "it can MOVE FUNDS to other accounts or wallets".to_owned()));
    words.extend(
        bound.map(|bound| if bound { "bound to addresses" } else { "not bound to addresses: it is taken from anywhere" }.to_owned()),
    );
    words.extend(until.map(|until| format!("it trades until {until}")));
    words.join(", ")
}

fn key(view: &KeyView) {
    let info = &view.key;
    let stage = match info.stage {
        KeyStage::New => "new",
        KeyStage::Active => "in use",
        KeyStage::Spare => "in reserve",
        KeyStage::Retiring => "replaced",
    };
    let name: String = info.api_key.chars().take(8).collect();
    let name = if name.is_empty() { "no name yet".to_owned() } else { format!("{name}…") };
    println!(
        "{:>4}  {:<20} {:<8} {:<12}  {name}  {stage}, {} days old, {}",
        info.id.0,
        info.label,
        info.venue,
        info.scheme.words(),
        view.age_days,
        origin(info),
    );
    let KeyDetails { account, addresses, notes, services, scope, .. } = &info.details;
    let addresses = if addresses.is_empty() { String::new() } else { format!("from {} only", addresses.join(" ")) };
    let machines = if *services { "machines may sign with it" } else { "" };
    let scope = scope.words();
    let scope = if scope.is_empty() { scope } else { format!("only for: {scope}") };
    let noted: Vec<&str> = [account.as_str(), &addresses, machines, &scope, notes].into_iter().filter(|text| !text.is_empty()).collect();
    if !noted.is_empty() {
        println!("      {}", noted.join("; "));
    }
    if let Some(rights) = &view.rights {
        println!("      the venue says: {}", granted(rights));
    }
    if let Some(words) = &view.address_trouble {
        println!("      refused: {words}");
    }
    for reason in &view.due {
        match reason {
            DueReason::Age => println!("      due: it is older than {} days", info.details.rotate_days),
            DueReason::Exposed => println!("      due: its secret lay in a plain file"),
            DueReason::Suspect { why, since } => println!("      due: {why} ({since})"),
        }
    }
    match &view.step {
        Some(RotationStep::Name) => println!(
            "      next: register `strongroom key public {0}` at the venue, then `strongroom key edit {0} --api-key NAME`",
            info.id
        ),
        Some(RotationStep::Test) => println!("      next: `strongroom key continue {}` tries it", info.id),
        Some(RotationStep::Orders { live }) => println!("      next: {live} orders of the old key are open; wait or cancel them"),
        Some(RotationStep::Revoke { how }) => {
            println!("      next: {} Then `strongroom key continue {}`", how.join(" "), info.id);
        }
        None => {}
    }
}

fn origin(info: &CredentialInfo) -> String {
    let source = if info.source.is_empty() { String::new() } else { format!(" ({})", info.source) };
    match info.origin {
        Origin::Typed => "typed".to_owned(),
        Origin::PlainFile => format!("exposed: from a plain file{source}"),
        Origin::EncryptedFile => format!("from an encrypted file{source}"),
        Origin::Generated => "made in the vault".to_owned(),
    }
}

fn words(view: &OrderView) -> String {
    let side = view.side.word();
    let symbol = &view.symbol;
    let what = match view.spec {
        OrderSpec::Limit { price, quantity, tif } => {
            let tif = match tif {
                TimeInForce::Gtc => "",
                TimeInForce::Ioc => " IOC",
                TimeInForce::Fok => " FOK",
            };
            format!("{side} {quantity} {symbol} @ {price}{tif}")
        }
        OrderSpec::PostOnly { price, quantity } => format!("{side} {quantity} {symbol} @ {price} post-only"),
        OrderSpec::Market { size: MarketSize::Base(quantity) } => format!("{side} {quantity} {symbol} market"),
        OrderSpec::Market { size: MarketSize::Quote(notional) } => format!("{side} {symbol} for {notional} market"),
    };
    format!("{what}{}, filled {}", if view.reduce_only { " reduce-only" } else { "" }, view.filled)
}

fn order(view: &OrderView) {
    println!("{}: {}", format!("{:?}", view.fate).to_lowercase(), words(view));
    row("order", &view.client_order_id);
    if let Some(id) = view.venue_order_id {
        row("at the venue", id);
    }
    row("recorded", view.created);
    if view.protected {
        row("protected", "the kill switch leaves it");
    }
    if let Some(note) = &view.note {
        row("note", note);
    }
    for fill in &view.fills {
        row(
            "fill",
            format!("{} @ {} (fee {} {}, trade {})", fill.quantity, fill.price, fill.commission, fill.commission_asset, fill.trade_id.0),
        );
    }
}

/// One line each.
pub(crate) fn sessions(rows: &[SessionRow]) {
    if rows.is_empty() {
        println!("No session is open.");
    }
    for session in rows {
        let left = if session.is_service {
            "until it is locked or sealed; serves every door".to_owned()
        } else {
            format!("idle in {} s, ends in {} s", session.idle_left_ms / 1_000, session.age_left_ms / 1_000)
        };
        let here = if session.is_here { " (here)" } else { "" };
        println!("{:<22} {}{here}, by “{}”: {left}", session.door, session.place, session.by);
    }
}

fn book(view: &BookView) {
    println!("{} {}, changed {} ms ago", view.symbol, if view.current { "is current" } else { "IS NOT CURRENT" }, view.age_ms);
    for level in view.asks.iter().rev() {
        println!("  {:>16}  {:>16}  ask", level.price, level.quantity);
    }
    println!("  ----");
    for level in &view.bids {
        println!("  {:>16}  {:>16}  bid", level.price, level.quantity);
    }
}

fn entry(entry: &AuditEntry) {
    println!("{:>6}  {}  {:<18} {}", entry.seq, entry.at, entry.kind, entry.payload);
}
