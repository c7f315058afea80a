//! `strongroom paper account|key|market|fault`: the administration of a running paper venue. Invariant: it speaks with the socket in
//! the venue's data directory only.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use strongroom_model::{Amount, Symbol};
use strongroom_paper::engine::MarketStatus;
use strongroom_paper::{AdminAsk, AdminClient, AdminTell, Certificate, Fault, NewKey, StreamFault, Target};

use crate::arguments::symbol;
use crate::fail::Failure;
use crate::paper_record::RecordOptions;

#[derive(Subcommand)]
pub(crate) enum PaperCommand {
    /// Accounts and their balances.
    #[command(subcommand)]
    Account(AccountCommand),
    /// API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Halt a market, or let it trade again.
    #[command(after_help = "Example:\n  strongroom paper market BTCUSDT halt")]
    Market {
        /// Such as BTCUSDT.
        #[arg(value_parser = symbol)]
        symbol: Symbol,
        /// What it does from now on.
        status: StatusName,
    },
    /// Faults on demand.
    #[command(subcommand)]
    Fault(FaultCommand),
    /// Where the venue listens, and who vouches for it.
    #[command(after_help = "Example:\n  strongroom paper where --json")]
    Where,
    /// Write trades and books down, of this venue or of another, for a replay.
    #[command(after_help = "Example:\n  strongroom paper record busy-day.jsonl.gz --symbol BTCUSDT --symbol ETHUSDT --binance")]
    Record(RecordOptions),
    /// Carry out requests of a file, one JSON object per line: `{"after_ms":500,"do":"skew_clock","ms":2000}`.
    #[command(after_help = "Example:\n  strongroom paper scenario outage.jsonl")]
    Scenario {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum StatusName {
    Trading,
    Halt,
    Break,
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// All accounts with what they hold.
    #[command(after_help = "Example:\n  strongroom paper account list")]
    List,
    /// A new account.
    #[command(after_help = "Example:\n  strongroom paper account open desk-two USDT=50000 BTC=0.5")]
    Open {
        /// What it is called.
        name: String,
        /// What it holds, such as `USDT=50000`.
        #[arg(value_parser = balance)]
        balances: Vec<(String, Amount)>,
    },
    /// Make an account have exactly so much of an asset, besides what open orders hold.
    #[command(after_help = "Example:\n  strongroom paper account set main USDT=1000")]
    Set {
        /// Which account.
        name: String,
        /// Such as `USDT=1000`.
        #[arg(value_parser = balance)]
        balance: (String, Amount),
    },
    /// Cancel every open order of an account and give it the balances of a first start.
    #[command(after_help = "Example:\n  strongroom paper account reset main")]
    Reset {
        /// Which account.
        name: String,
    },
}

#[derive(Args)]
pub(crate) struct KeyRights {
    /// It may read, not trade.
    #[arg(long)]
    read_only: bool,
    /// Its requests come from these addresses only.
    #[arg(long = "ip", value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// All keys, without secrets.
    #[command(after_help = "Example:\n  strongroom paper key list")]
    List,
    /// A new key; its secret is written to a file in the data directory, or you give the public half of your own.
    #[command(after_help = "Example:\n  strongroom paper key make bot --public-key bot.pub.pem --ip 127.0.0.1")]
    Make {
        /// What it is for.
        label: String,
        /// Whose.
        #[arg(long, default_value = "main")]
        account: String,
        /// An Ed25519 pair instead of a shared secret.
        #[arg(long, conflicts_with = "public_key")]
        ed25519: bool,
        /// Public key of a pair that you made: Ed25519 or RSA, PEM.
        #[arg(long)]
        public_key: Option<PathBuf>,
        #[command(flatten)]
        rights: KeyRights,
    },
    /// Change what a key may do.
    #[command(after_help = "Example:\n  strongroom paper key limit <api-key> --read-only")]
    Limit {
        /// Public name of the key.
        api_key: String,
        #[command(flatten)]
        rights: KeyRights,
    },
    /// End a key.
    #[command(after_help = "Example:\n  strongroom paper key revoke <api-key>")]
    Revoke {
        /// Public name of the key.
        api_key: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum FaultCommand {
    /// Strike the next requests: a fault as JSON, such as `"drop_answer"` or `{"delay_answer":800}`; all of them stand in docs/paper.md.
    #[command(
        after_help = "Example:\n  strongroom paper fault request '{\"timeout\":{\"was_executed\":true}}' --count 1 --method POST --path /api/v3/order"
    )]
    Request {
        /// The fault.
        #[arg(value_parser = json::<Fault>)]
        fault: Fault,
        /// How many requests.
        #[arg(long, default_value_t = 1)]
        count: u32,
        /// Only this method; `SOCKET` for the WebSocket API.
        #[arg(long)]
        method: Option<String>,
        /// Only this path; of the WebSocket API the request's name, such as `order.place`.
        #[arg(long)]
        path: Option<String>,
    },
    /// Strike market streams: `"gap"`, `"duplicate"`, `"reorder"`, `"disconnect"`, `"slow_reader"`, `{"half_open":30000}`.
    #[command(after_help = "Example:\n  strongroom paper fault stream '\"gap\"'")]
    Stream {
        /// The fault.
        #[arg(value_parser = json::<StreamFault>)]
        fault: StreamFault,
        /// At how many moments.
        #[arg(long, default_value_t = 1)]
        count: u32,
    },
    /// Move the venue's clock by milliseconds.
    #[command(after_help = "Example:\n  strongroom paper fault clock -- -3000")]
    Clock {
        /// Ahead, or behind when negative.
        ms: i64,
    },
    /// Show new connections the venue's own certificate, one for another key, or one whose time is over.
    #[command(after_help = "Example:\n  strongroom paper fault certificate '\"expired\"'")]
    Certificate {
        /// `"own"`, `"other"` or `"expired"`.
        #[arg(value_parser = json::<Certificate>)]
        certificate: Certificate,
    },
    /// Close the venue for maintenance.
    #[command(after_help = "Example:\n  strongroom paper fault maintenance")]
    Maintenance,
    /// Strikes that are still to come.
    #[command(after_help = "Example:\n  strongroom paper fault pending")]
    Pending,
    /// End all faults.
    #[command(after_help = "Example:\n  strongroom paper fault clear")]
    Clear,
}

fn balance(text: &str) -> Result<(String, Amount), String> {
    let (asset, amount) = text.split_once('=').ok_or("a balance is an asset and an amount, such as USDT=1000")?;
    Ok((asset.to_owned(), Amount::parse(amount).map_err(|error| error.to_string())?))
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    // A bare word is a name.
    serde_json::from_str(text).or_else(|error| serde_json::from_value(text.into()).map_err(|_| error.to_string()))
}

fn ask_of(command: PaperCommand) -> Result<AdminAsk, Failure> {
    Ok(match command {
        PaperCommand::Account(AccountCommand::List) => AdminAsk::Accounts,
        PaperCommand::Account(AccountCommand::Open { name, balances }) => {
            AdminAsk::OpenAccount { name, balances: balances.into_iter().collect() }
        }
        PaperCommand::Account(AccountCommand::Set { name, balance: (asset, free) }) => AdminAsk::SetBalance { account: name, asset, free },
        PaperCommand::Account(AccountCommand::Reset { name }) => AdminAsk::ResetAccount { account: name },
        PaperCommand::Key(KeyCommand::List) => AdminAsk::Keys,
        PaperCommand::Key(KeyCommand::Make { label, account, ed25519, public_key, rights }) => {
            let key = match public_key {
                Some(path) => {
                    let read = std::fs::read_to_string(&path);
                    NewKey::PublicKey(read.map_err(|error| Failure::usage(&format!("{} cannot be read: {error}", path.display())))?)
                }
                None if ed25519 => NewKey::Ed25519,
                None => NewKey::HmacSha256,
            };
            AdminAsk::MakeKey { account, label, key, may_trade: !rights.read_only, addresses: rights.addresses }
        }
        PaperCommand::Key(KeyCommand::Limit { api_key, rights }) => {
            AdminAsk::LimitKey { api_key, may_trade: !rights.read_only, addresses: rights.addresses }
        }
        PaperCommand::Key(KeyCommand::Revoke { api_key }) => AdminAsk::RevokeKey { api_key },
        PaperCommand::Market { symbol, status } => {
            let status = match status {
                StatusName::Trading => MarketStatus::Trading,
                StatusName::Halt => MarketStatus::Halt,
                StatusName::Break => MarketStatus::Break,
            };
            AdminAsk::SetStatus { symbol, status }
        }
        PaperCommand::Fault(FaultCommand::Request { fault, count, method, path }) => {
            AdminAsk::Plan { fault, count, target: Target { method, path } }
        }
        PaperCommand::Fault(FaultCommand::Stream { fault, count }) => AdminAsk::PlanStream { fault, count },
        PaperCommand::Fault(FaultCommand::Clock { ms }) => AdminAsk::SkewClock { ms },
        PaperCommand::Fault(FaultCommand::Certificate { certificate }) => AdminAsk::ShowCertificate { certificate },
        PaperCommand::Fault(FaultCommand::Maintenance) => AdminAsk::Maintain { is_closed: true },
        PaperCommand::Fault(FaultCommand::Pending) => AdminAsk::Pending,
        PaperCommand::Fault(FaultCommand::Clear) => AdminAsk::ClearFaults,
        PaperCommand::Where => AdminAsk::Whereabouts,
        PaperCommand::Scenario { .. } | PaperCommand::Record(_) => return Err(Failure::usage("this is not one request")),
    })
}

/// Asks the venue that keeps its data in `directory`.
pub(crate) fn run(command: PaperCommand, directory: &Path, as_json: bool) -> Result<(), Failure> {
    if let PaperCommand::Record(options) = &command {
        return crate::paper_record::run(options, directory, as_json);
    }
    let silent = |error: std::io::Error| silent(directory, &error);
    let mut venue = AdminClient::connect(directory).map_err(silent)?;
    if let PaperCommand::Scenario { file } = command {
        return scenario(&mut venue, &file);
    }
    let tell = venue.ask(&ask_of(command)?).map_err(silent)?;
    match tell {
        AdminTell::Refused(why) => Err(Failure::refused("paper", why)),
        tell if as_json => {
            println!("{}", serde_json::to_string(&tell).unwrap_or_default());
            Ok(())
        }
        tell => {
            show(&tell);
            Ok(())
        }
    }
}

/// Nobody answers.
pub(crate) fn silent(directory: &Path, error: &std::io::Error) -> Failure {
    let words = format!("no paper venue answers in {} ({error}). Start one: strongroom paper --data-dir {0}", directory.display());
    Failure::refused("not-running", words)
}

/// Carries out the requests of a file at their times.
fn scenario(venue: &mut AdminClient, file: &Path) -> Result<(), Failure> {
    let text = if file.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| Failure::usage(&format!("{} cannot be read: {error}", file.display())))?;
    let mut steps = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |why: String| Failure::usage(&format!("line {number}: {why}"));
        let mut step: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let after_ms = step
            .remove("after_ms")
            .map_or(Some(0), |after| after.as_u64())
            .ok_or_else(|| wrong("after_ms is a number of milliseconds".to_owned()))?;
        let ask: AdminAsk = serde_json::from_value(step.into()).map_err(|error| wrong(error.to_string()))?;
        steps.push((std::time::Duration::from_millis(after_ms), ask));
    }
    // Everything was understood before anything is done.
    for (wait, ask) in steps {
        std::thread::sleep(wait);
        let tell = venue.ask(&ask).map_err(|error| Failure::refused("paper", format!("the venue does not answer: {error}")))?;
        if let AdminTell::Refused(why) = tell {
            return Err(Failure::refused("paper", why));
        }
    }
    Ok(())
}

fn show(tell: &AdminTell) {
    match tell {
        AdminTell::Accounts(accounts) => {
            for account in accounts {
                println!("{}", account.name);
                for (asset, (free, locked)) in &account.balances {
                    println!("  {asset:<8} {free:>20} free {locked:>20} in orders");
                }
            }
        }
        AdminTell::Keys(keys) => keys.iter().for_each(show_key),
        AdminTell::Key(key) => show_key(key),
        AdminTell::Pending(count) => println!("{count} strikes to come"),
        AdminTell::Whereabouts(at) => {
            println!(
                "rest_url    {}\nws_url      {}\nws_api_url  {}\nca_file     {}",
                at.rest_url,
                at.ws_url,
                at.ws_api_url,
                at.ca_file.display()
            );
        }
        AdminTell::Done => println!("Done."),
        AdminTell::Refused(why) => println!("{why}"),
    }
}

fn show_key(key: &strongroom_paper::PaperKey) {
    let addresses: Vec<String> = key.addresses.iter().map(IpAddr::to_string).collect();
    let from = if addresses.is_empty() { "from anywhere".to_owned() } else { format!("from {}", addresses.join(", ")) };
    let may = if key.may_trade { "trades" } else { "reads" };
    println!("{} ({:?}, {}, {may}, {from})\n  {}", key.label, key.scheme, key.account, key.api_key);
    if let Some(file) = &key.secret_file {
        println!("  secret in {}", file.display());
    }
}
