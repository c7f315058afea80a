//! The main job, step by step, on a fresh vault and the embedded paper venue. Invariant: a step that does not do what it
//! shows ends the tour as a failure; every process started here is stopped here.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde_json::Value;
use totp_rs::Totp;

use crate::keyring::Keyring;
use crate::talk::Talk;

/// Questions whether the desk is up or an order has moved on, and the time between two.
const TRIES_MAX: u32 = 150;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Letters of a recovery kit and of its last group, which a person types back.
const KIT_LETTERS: usize = 64;
const KIT_GROUP_LETTERS: usize = 4;
/// Length of a code's life, seconds; a code with less left than the rest is not used.
const CODE_S: u64 = 30;
const CODE_REST_S: u64 = 3;
/// A resting order stands so far below the best bid, percent of it.
const REST_AT_PERCENT: u64 = 98;

struct Tour {
    programs: PathBuf,
    profile: PathBuf,
    codes: Arc<Mutex<Option<Codes>>>,
}

pub(crate) fn run(programs: &Path, profile: &Path) -> anyhow::Result<bool> {
    println!("== A private keychain, and strongroomd with the embedded paper venue");
    let _keyring = Keyring::start(&random_text()?)?;
    let tour = Tour { programs: programs.to_owned(), profile: profile.to_owned(), codes: Arc::default() };
    let daemon = Daemon::start(&tour)?;
    let seen = tour.make_vault().and_then(|()| tour.import_key()).and_then(|()| tour.trade()).and_then(|()| tour.control());
    let log_key = seen.and_then(|()| tour.log_key());
    let stopped = daemon.stop(&tour);
    tour.verify_log(&log_key?)?;
    stopped?;
    println!("\n== Done. The profile stays in {} until the next run.", tour.profile.display());
    Ok(true)
}

impl Tour {
    fn make_vault(&self) -> anyhow::Result<()> {
        println!("\n== A vault: password, recovery kit, authenticator");
        let codes = self.codes.clone();
        let enrol = move |text: &str| {
            let uri = text.split_whitespace().find(|word| word.starts_with("otpauth://")).filter(|_| text.ends_with('\n'))?;
            let mut enrolled = Codes { totp: Totp::from_url_unchecked(uri).ok()?, last_step: 0 };
            let code = enrolled.fresh();
            *codes.lock().unwrap_or_else(PoisonError::into_inner) = Some(enrolled);
            Some(code)
        };
        let talk = self
            .door(&["vault", "create", "--kdf-memory", "64"])
            .give("--password-fd", &random_text()?)?
            .answer("--kit-out-fd", "--kit-fd", Box::new(last_group))?
            .answer("--totp-out-fd", "--totp-fd", Box::new(enrol))?;
        must(talk)?;
        self.show(&["vault", "status"])
    }

    fn import_key(&self) -> anyhow::Result<()> {
        println!("\n== The paper venue's API key goes into the vault");
        let folder = self.profile.join("paper");
        let keys: Value = serde_json::from_reader(File::open(folder.join("keys.json")).context("the paper venue has no keys")?)?;
        let trade = keys.as_array().into_iter().flatten().find(|key| key["label"] == "trade").context("no trading key")?;
        let api_key = trade["api_key"].as_str().context("a key without a name")?;
        let secret = std::fs::read_to_string(folder.join(trade["secret_file"].as_str().context("a key without a secret")?))?;
        let talk = self
            .door(&["key", "import", "--label", "paper", "--venue", "binance"])
            .give("--totp-fd", &self.code()?)?
            .give("--key-fd", api_key)?
            .give("--secret-fd", secret.trim())?;
        must(talk)
    }

    fn trade(&self) -> anyhow::Result<()> {
        println!("\n== An order that rests and is taken back");
        self.show(&["book", "BTCUSDT"])?;
        self.show(&["balance"])?;
        let price = self.resting_price()?;
        let resting = self.place(&["BTCUSDT", "buy", "--limit", &price, "--quantity", "0.001", "--post-only"], "working")?;
        self.show(&["order", "cancel", &resting])?;
        self.until(&resting, "canceled")?;
        println!("\n== An order that is filled");
        self.place(&["BTCUSDT", "buy", "--market", "--quantity", "0.001"], "filled")?;
        self.show(&["order", "list", "--all"])?;
        self.show(&["balance"])
    }

    fn control(&self) -> anyhow::Result<()> {
        println!("\n== Session and limits");
        self.show(&["session"])?;
        println!("\n== The kill switch: orders are refused until it is re-armed");
        self.show(&["kill"])?;
        let refused = self.door(&["order", "place", "BTCUSDT", "buy", "--market", "--quantity", "0.001"]).show()?;
        anyhow::ensure!(!refused.success(), "an order went through although the kill switch is engaged");
        must(self.door(&["rearm"]).give("--totp-fd", &self.code()?)?)?;
        println!("\n== What happened, as the log has it");
        self.show(&["audit", "list"])
    }

    fn log_key(&self) -> anyhow::Result<String> {
        let status = self.ask(&["vault", "status"])?;
        let key = find(&status, "log_key").and_then(Value::as_str);
        Ok(key.context("the vault names no public key of its log")?.to_owned())
    }

    fn verify_log(&self, log_key: &str) -> anyhow::Result<()> {
        println!("\n== The log is checked by a program that knows only its format and the public key");
        let key_file = self.profile.join("log-key.txt");
        std::fs::write(&key_file, format!("{log_key}\n"))?;
        let database = self.profile.join("desk.db");
        println!("\n$ strongroom-audit verify {} --key {}", database.display(), key_file.display());
        let verify =
            Command::new(self.programs.join("strongroom-audit")).arg("verify").arg(&database).arg("--key").arg(&key_file).status()?;
        anyhow::ensure!(verify.success(), "the log does not verify");
        Ok(())
    }

    /// Places an order and shows it once it stands like this; its client order id.
    fn place(&self, order: &[&str], fate: &str) -> anyhow::Result<String> {
        let arguments = [&["order", "place"], order].concat();
        println!("\n$ strongroom {}", arguments.join(" "));
        let placed = self.ask(&arguments)?;
        let id = find(&placed, "client_order_id").and_then(Value::as_str).context("an order without an id")?.to_owned();
        self.until(&id, fate)?;
        self.show(&["order", "show", &id])?;
        Ok(id)
    }

    /// Waits until an order stands like this.
    fn until(&self, id: &str, fate: &str) -> anyhow::Result<()> {
        for _ in 0..TRIES_MAX {
            let order = self.ask(&["order", "show", id])?;
            if find(&order, "fate").and_then(Value::as_str) == Some(fate) {
                return Ok(());
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        anyhow::bail!("order {id} is not {fate}")
    }

    /// Whole quote units below the best bid.
    fn resting_price(&self) -> anyhow::Result<String> {
        let book = self.ask(&["book", "BTCUSDT"])?;
        let bid = find(&book, "bids").and_then(|bids| find(bids, "price")).and_then(Value::as_str).context("the book has no bids")?;
        let whole: u64 = bid.split('.').next().unwrap_or_default().parse()?;
        Ok((whole * REST_AT_PERCENT / 100).to_string())
    }

    fn code(&self) -> anyhow::Result<String> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(codes.as_mut().context("no authenticator was enrolled")?.fresh())
    }

    fn door(&self, arguments: &[&str]) -> Talk {
        println!("\n$ strongroom {}", arguments.join(" "));
        self.command(&[], arguments)
    }

    fn quiet(&self, arguments: &[&str]) -> Talk {
        self.command(&["--json"], arguments)
    }

    fn command(&self, flags: &[&str], arguments: &[&str]) -> Talk {
        let profile = self.profile.to_string_lossy();
        Talk::new(&self.programs.join("strongroom"), [&["--dir", &profile], flags, arguments].concat())
    }

    fn show(&self, arguments: &[&str]) -> anyhow::Result<()> {
        must(self.door(arguments))
    }

    /// Runs a command and reads its answer as JSON.
    fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let (status, text) = self.quiet(arguments).read()?;
        anyhow::ensure!(status.success(), "`strongroom {}` ended with {status}: {text}", arguments.join(" "));
        serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
    }
}

fn must(talk: Talk) -> anyhow::Result<()> {
    let status = talk.show()?;
    anyhow::ensure!(status.success(), "the step ended with {status}");
    Ok(())
}

/// The running supervisor.
struct Daemon {
    process: Child,
}

impl Daemon {
    fn start(tour: &Tour) -> anyhow::Result<Self> {
        let process = Command::new(tour.programs.join("strongroomd"))
            .arg("--dir")
            .arg(&tour.profile)
            .arg("--paper")
            .stdin(Stdio::null())
            .spawn()
            .context("cannot start strongroomd")?;
        let mut daemon = Self { process };
        for _ in 0..TRIES_MAX {
            if let Some(ended) = daemon.process.try_wait()? {
                anyhow::bail!("strongroomd ended with {ended}");
            }
            let is_up = Command::new(tour.programs.join("strongroom"))
                .arg("--dir")
                .arg(&tour.profile)
                .args(["vault", "status"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()?
                .success();
            if is_up {
                return Ok(daemon);
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        anyhow::bail!("strongroomd does not answer")
    }

    fn stop(mut self, tour: &Tour) -> anyhow::Result<()> {
        println!("\n== The end");
        tour.show(&["stop"])?;
        for _ in 0..TRIES_MAX {
            if self.process.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        anyhow::bail!("strongroomd did not stop when it was told to")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already ended after `stop`.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An authenticator that never shows a code twice.
struct Codes {
    totp: Totp,
    last_step: u64,
}

impl Codes {
    fn fresh(&mut self) -> String {
        loop {
            let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let (step, rest_s) = (now_s / CODE_S, CODE_S - now_s % CODE_S);
            if step > self.last_step && rest_s >= CODE_REST_S {
                self.last_step = step;
                return self.totp.generate(now_s).to_string();
            }
            println!("(the next code comes in {rest_s} s)");
            std::thread::sleep(Duration::from_secs(rest_s));
        }
    }
}

/// The last group of a recovery kit, once the kit is whole.
fn last_group(text: &str) -> Option<String> {
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let kit = letters.get(letters.to_ascii_lowercase().find("srkit1")?..)?.get(..KIT_LETTERS)?;
    kit.get(KIT_LETTERS - KIT_GROUP_LETTERS..).map(str::to_owned)
}

/// The first value under this name, however deep.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => fields.get(name).or_else(|| fields.values().find_map(|field| find(field, name))),
        Value::Array(items) => items.iter().find_map(|item| find(item, name)),
        _ => None,
    }
}

/// A password that nobody has to remember.
fn random_text() -> anyhow::Result<String> {
    use std::fmt::Write as _;
    use std::io::Read as _;
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_group_waits_for_the_whole_kit() {
        let kit: Vec<String> = std::iter::once("SRKI".to_owned()).chain((0..15).map(|n| format!("T1{n:02}"))).collect();
        let kit = kit.join(" ");
        assert_eq!(last_group(&format!("Your kit:\n{kit}\n")), Some("T114".to_owned()));
        assert_eq!(last_group(&kit[..kit.len() - 1]), None);
        assert_eq!(last_group("no kit"), None);
    }

    #[test]
    fn values_are_found() {
        let book = json!({"tell": "book", "book": {"bids": [{"price": "64000.5"}]}});
        assert_eq!(find(&book, "bids").and_then(|bids| find(bids, "price")), Some(&json!("64000.5")));
        assert_eq!(find(&book, "asks"), None);
    }
}
