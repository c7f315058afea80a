//! What can be typed. Invariant: no argument is a secret; secrets have descriptors by number.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::paper_admin::PaperCommand;
use clap::{Args, Parser, Subcommand, ValueEnum};
use strongroom_desk_api::{Ask, DoorAction};
use strongroom_model::{MarketSize, Notional, OrderSpec, Price, Quantity, Side, Symbol, TimeInForce};

use crate::descriptors::CodeFds;
use crate::fail::Failure;
use crate::kill::{DrillOptions, KillOptions};
use crate::vault_arguments::{KeyCommand, VaultCommand};

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  refused; nothing was changed
  2  the command line is not understood
  3  nothing runs for this profile (start it: strongroomd --dir DIR --paper)
  4  the outcome is unknown; look it up before anything else
  5  a person is needed: unlock, re-arm, a right password or code

Secrets are asked on the terminal by a process of their own, or read from descriptors:
  strongroom vault unlock --password-fd 3 3<password-file";

/// Trades, and keeps the keys, from a terminal. Spot markets only; withdrawals do not exist here.
#[derive(Parser)]
#[command(name = "strongroom", version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Profile folder [default: strongroom in the user's data folder].
    #[arg(long, global = true)]
    pub(crate) dir: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Ask in a window of the prompt instead of on the terminal.
    #[arg(long, global = true, hide = true)]
    pub(crate) window: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The vault: create, unlock, lock, seal.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// API keys of venues.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Orders.
    #[command(subcommand)]
    Order(OrderCommand),
    /// Best levels of an order book.
    #[command(after_help = "Example:\n  strongroom book BTCUSDT --depth 5")]
    Book {
        #[arg(value_parser = symbol)]
        symbol: Symbol,
        /// Levels per side.
        #[arg(long, default_value_t = 10)]
        depth: u32,
    },
    /// Balances at the venue.
    #[command(after_help = "Example:\n  strongroom balance --json")]
    Balance,
    /// Session, lines to venues and rate limits, as measured now.
    #[command(after_help = "Example:\n  strongroom session")]
    Session,
    /// Sessions that are open, at this terminal, in the window or elsewhere; and ending one.
    #[command(after_help = "Examples:\n  strongroom sessions\n  strongroom sessions --end 4525000123456")]
    Sessions {
        /// End the one with this number.
        #[arg(long)]
        end: Option<String>,
    },
    /// Engage the kill switch: orders are refused, open ones cancelled. The signal SIGUSR1 to strongroomd does the same.
    #[command(
        after_help = "Examples:\n  strongroom kill --why \"my bot runs wild\"\n  strongroom kill --key 4 --why \"it leaked\"\n  strongroom kill --bot grid --wait 10\n  strongroom kill --seal"
    )]
    Kill(KillOptions),
    /// Try the kill switch out at paper venues: place orders far from the market, engage it, and say how long it took. All other
    /// orders there that are not protected are cancelled, too.
    #[command(
        after_help = "Examples:\n  strongroom kill-drill --orders 50\n  strongroom --dir a kill-drill --orders 67 --profile b --profile c --report drill.md"
    )]
    KillDrill(DrillOptions),
    /// Take the kill switch back; needs a code.
    #[command(after_help = "Example:\n  strongroom rearm")]
    Rearm {
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Limits on orders.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Who may do what, and what every order has to meet: the tables that signer and desk go by.
    #[command(after_help = "Examples:\n  strongroom rules\n  strongroom --json rules")]
    Rules,
    /// Pinned server keys.
    #[command(subcommand)]
    Pin(PinCommand),
    /// Run a paper venue for other programs, until interrupted; or administer one that runs.
    Paper(PaperOptions),
    /// End everything that runs for this profile.
    #[command(after_help = "Example:\n  strongroom stop")]
    Stop,
}

pub(crate) fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::parse(text).map_err(|error| error.to_string())
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SideName {
    /// Receive base, pay quote.
    Buy,
    /// Give base, receive quote.
    Sell,
}

#[derive(Subcommand)]
pub(crate) enum OrderCommand {
    /// Place an order.
    #[command(
        after_help = "Examples:\n  strongroom order place BTCUSDT buy --limit 95000 --quantity 0.01 --post-only\n  strongroom order place ETHUSDT sell --market --quantity 0.5\n  strongroom order place BTCUSDT buy --market --quote 100"
    )]
    Place {
        #[command(flatten)]
        order: OrderOptions,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Let one order pass a rule of the desk, and place it; needs the risk role, a reason and a code.
    #[command(
        after_help = "Example:\n  strongroom order override BTCUSDT buy --limit 99000 --quantity 0.01 --why \"closing the short at the other venue\""
    )]
    Override {
        #[command(flatten)]
        order: OrderOptions,
        /// Why, for the log.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Take an order back.
    #[command(after_help = "Example:\n  strongroom order cancel sr-01m85he5b14s94wwmxbqsf1hqe")]
    Cancel {
        /// Our name of it.
        id: String,
    },
    /// Let the kill switch leave a live order; needs the risk role and a code.
    #[command(after_help = "Example:\n  strongroom order protect my-long-term-bid")]
    Protect {
        /// Our name of it.
        id: String,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Let the kill switch reach it again.
    #[command(after_help = "Example:\n  strongroom order unprotect my-long-term-bid")]
    Unprotect {
        /// Our name of it.
        id: String,
    },
    /// Make an order that rests smaller; it keeps its place in the queue.
    #[command(after_help = "Example:\n  strongroom order amend sr-01m85he5b14s94wwmxbqsf1hqe --quantity 0.005")]
    Amend {
        /// Our name of it.
        id: String,
        /// Base quantity from now on, what is filled included.
        #[arg(long)]
        quantity: Quantity,
    },
    /// Live orders, newest first.
    #[command(after_help = "Example:\n  strongroom order list --all")]
    List {
        /// Those that are over, too.
        #[arg(long)]
        all: bool,
    },
    /// One order with its fills.
    #[command(after_help = "Example:\n  strongroom order show sr-01m85he5b14s94wwmxbqsf1hqe")]
    Show {
        /// Our name of it.
        id: String,
    },
}

#[derive(Args)]
pub(crate) struct OrderOptions {
    /// Such as BTCUSDT.
    #[arg(value_parser = symbol)]
    symbol: Symbol,
    side: SideName,
    /// Worst price accepted.
    #[arg(long, required_unless_present = "market", conflicts_with = "market", allow_hyphen_values = true)]
    limit: Option<Price>,
    /// At whatever the book offers.
    #[arg(long)]
    market: bool,
    /// Base quantity.
    #[arg(long, required_unless_present = "quote", allow_hyphen_values = true)]
    quantity: Option<Quantity>,
    /// Quote amount, for market orders.
    #[arg(long, requires = "market", conflicts_with_all = ["quantity", "limit"], allow_hyphen_values = true)]
    quote: Option<Notional>,
    /// Refused by the venue if it would trade at once.
    #[arg(long, conflicts_with_all = ["ioc", "fok", "market"])]
    post_only: bool,
    /// Fill what can be filled now, cancel the rest.
    #[arg(long, conflicts_with_all = ["fok", "market"])]
    ioc: bool,
    /// Fill everything now or nothing.
    #[arg(long, conflicts_with = "market")]
    fok: bool,
    /// Only if it reduces what is held: a sale of no more than that. Needs no code, however large.
    #[arg(long, conflicts_with = "quote")]
    reduce_only: bool,
    /// Your name for the order; one is made when you give none.
    #[arg(long)]
    id: Option<String>,
    /// Why it should pass a rule that asks for a reason.
    #[arg(long)]
    reason: Option<String>,
}

impl OrderOptions {
    pub(crate) fn ask(self) -> Result<Ask, Failure> {
        let tif = match (self.ioc, self.fok) {
            (true, _) => TimeInForce::Ioc,
            (_, true) => TimeInForce::Fok,
            _ => TimeInForce::Gtc,
        };
        let spec = match (self.limit, self.quantity, self.quote) {
            (Some(price), Some(quantity), _) if self.post_only => OrderSpec::PostOnly { price, quantity },
            (Some(price), Some(quantity), _) => OrderSpec::Limit { price, quantity, tif },
            (None, Some(quantity), _) => OrderSpec::Market { size: MarketSize::Base(quantity) },
            (None, None, Some(notional)) => OrderSpec::Market { size: MarketSize::Quote(notional) },
            _ => return Err(Failure::usage("name a price with --limit, or --market, and a size")),
        };
        let side = match self.side {
            SideName::Buy => Side::Buy,
            SideName::Sell => Side::Sell,
        };
        let reduce_only = self.reduce_only;
        Ok(Ask::Place { client_order_id: self.id, symbol: self.symbol, side, spec, reduce_only, reason: self.reason })
    }

    /// The order with a name, for what has to name it twice.
    pub(crate) fn named(mut self) -> Result<NamedOrder, Failure> {
        self.id.get_or_insert_with(|| format!("sr-{}", ulid::Ulid::generate().to_string().to_lowercase()));
        match self.ask()? {
            Ask::Place { client_order_id: Some(client_order_id), symbol, side, spec, reduce_only, reason } => {
                Ok(NamedOrder { client_order_id, symbol, side, spec, reduce_only, reason })
            }
            _ => Err(Failure::usage("an order needs a name")),
        }
    }
}

/// An order that is spoken of more than once.
pub(crate) struct NamedOrder {
    pub(crate) client_order_id: String,
    pub(crate) symbol: Symbol,
    pub(crate) side: Side,
    pub(crate) spec: OrderSpec,
    pub(crate) reduce_only: bool,
    pub(crate) reason: Option<String>,
}

impl NamedOrder {
    pub(crate) fn ask(&self) -> Ask {
        Ask::Place {
            client_order_id: Some(self.client_order_id.clone()),
            symbol: self.symbol.clone(),
            side: self.side,
            spec: self.spec,
            reduce_only: self.reduce_only,
            reason: self.reason.clone(),
        }
    }

    pub(crate) fn confirmation(&self) -> DoorAction {
        let NamedOrder { client_order_id, symbol, side, spec, reduce_only, .. } = self;
        let (client_order_id, symbol) = (client_order_id.clone(), symbol.clone());
        DoorAction::ConfirmOrder { client_order_id, symbol, side: *side, spec: *spec, reduce_only: *reduce_only }
    }

    pub(crate) fn exception(&self, why: String) -> DoorAction {
        let NamedOrder { client_order_id, symbol, side, spec, reduce_only, .. } = self;
        let (client_order_id, symbol) = (client_order_id.clone(), symbol.clone());
        DoorAction::OverrideRule { client_order_id, symbol, side: *side, spec: *spec, reduce_only: *reduce_only, why }
    }
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Entries, newest last.
    #[command(after_help = "Example:\n  strongroom audit list --last 50")]
    List {
        /// How many at most.
        #[arg(long, default_value_t = 20)]
        last: u32,
        /// Only entries before this one.
        #[arg(long)]
        before: Option<u64>,
    },
    /// One entry.
    #[command(after_help = "Example:\n  strongroom audit show 12")]
    Show {
        /// Its place.
        seq: u64,
    },
}

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Limits in force, as JSON that `set` takes.
    #[command(after_help = "Example:\n  strongroom policy show --json >limits.json")]
    Show,
    /// What a file would change, and whether that needs a code.
    #[command(after_help = "Example:\n  strongroom policy diff limits.json")]
    Diff {
        /// JSON file; `-` for standard input.
        file: PathBuf,
    },
    /// Earlier limits, from the log; needs a session that reads it.
    #[command(after_help = "Example:\n  strongroom policy history")]
    History,
    /// Change the limits; what may let more pass, or keep somebody out, needs a code.
    #[command(after_help = "Example:\n  strongroom policy set limits.json")]
    Set {
        /// JSON file; `-` for standard input.
        file: PathBuf,
        #[command(flatten)]
        secrets: CodeFds,
    },
}

#[derive(Subcommand)]
pub(crate) enum PinCommand {
    /// Accept the key that a server showed and that was refused. Compare it first with what the venue publishes.
    #[command(after_help = "Example:\n  strongroom pin accept 127.0.0.1:9443 9hoyw0CazHlLlDo2CYob6277GX089Y3/nahqzBI6QvY=")]
    Accept {
        #[command(flatten)]
        key: ServerKey,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Trust a pinned key no more, such as one that the venue took out of use.
    #[command(after_help = "Example:\n  strongroom pin forget 127.0.0.1:9443 9hoyw0CazHlLlDo2CYob6277GX089Y3/nahqzBI6QvY=")]
    Forget {
        #[command(flatten)]
        key: ServerKey,
        #[command(flatten)]
        secrets: CodeFds,
    },
}

#[derive(Args)]
pub(crate) struct ServerKey {
    /// Host and port.
    pub(crate) host: String,
    /// SHA-256 of the key (SubjectPublicKeyInfo), base64.
    pub(crate) spki: String,
}

#[derive(Args)]
#[command(after_help = "Example:\n  strongroom paper --listen 127.0.0.1:0 --json", args_conflicts_with_subcommands = false)]
pub(crate) struct PaperOptions {
    #[command(subcommand)]
    pub(crate) command: Option<PaperCommand>,
    /// Loopback address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Decides the course of the simulated market.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Follow this recording (Binance JSON lines) instead of a simulated market.
    #[arg(long)]
    pub(crate) replay: Option<PathBuf>,
    /// Simulate the usual markets beside those of the recording.
    #[arg(long, requires = "replay")]
    pub(crate) both: bool,
    /// How much the simulated prices move, in percent of the usual.
    #[arg(long, default_value_t = 100)]
    pub(crate) volatility: u32,
    /// How far apart the simulated levels are, in percent of the usual.
    #[arg(long, default_value_t = 100)]
    pub(crate) spread: u32,
    /// Levels per side of the simulated books.
    #[arg(long, default_value_t = 25)]
    pub(crate) depth: u32,
    /// How fast the market moves or a recording is played, in percent.
    #[arg(long, default_value_t = 100)]
    pub(crate) speed: u32,
    /// Where certificates, keys and the journal of orders and balances are kept [default: paper-venue in this folder; to administer
    /// one and there is none, the venue of the profile].
    #[arg(long, global = true)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command shows how it is used.
    #[test]
    fn every_command_has_an_example() {
        fn without(command: &clap::Command, path: &str, found: &mut Vec<String>) {
            let path = format!("{path} {}", command.get_name());
            let mut below = command.get_subcommands().peekable();
            let shown = command.get_after_help().is_some_and(|help| help.to_string().contains("Example"));
            if below.peek().is_none() && !shown {
                found.push(path.clone());
            }
            below.for_each(|command| without(command, &path, found));
        }
        let mut found = Vec::new();
        without(&<Arguments as clap::CommandFactory>::command(), "", &mut found);
        assert!(found.is_empty(), "without an example: {found:?}");
    }

    /// Rows: a command line, and whether it is understood.
    #[test]
    fn command_lines() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
        for (line, understood) in [
            ("order place BTCUSDT buy --limit 1 --quantity 1", true),
            ("order place BTCUSDT buy --limit 1 --quantity 1 --post-only --ioc", false),
            ("order place BTCUSDT buy --market --quote 10", true),
            ("order place BTCUSDT buy --limit 1 --quote 10", false),
            ("order place BTCUSDT buy --market", false),
            ("order place BTCUSDT hold --market --quantity 1", false),
            ("order place BTCUSDT buy --limit -1 --quantity 1", false),
            ("order amend sr-1 --quantity 0.5", true),
            ("order amend sr-1", false),
            ("order amend sr-1 --quantity 0.5 --limit 9", false),
            ("vault unlock --password secret", false),
            ("vault unlock --password-fd 3 --json", true),
            ("vault unlock --secret-fd 3", false),
            ("vault unlock --slot 4 --password-fd 3 --pin-fd 4", true),
            ("vault unlock --slot 4 --pin 1234", false),
            ("vault add-slot person --label a", true),
            ("vault add-slot token --label a --module /m.so --token t", true),
            ("vault add-slot token --label a --module /m.so", false),
            ("vault add-slot transit --label a --address https://v --ca /c --key k", true),
            ("vault add-slot transit --label a --address https://v --key k", false),
            ("vault add-slot service --label a --module /m.so --token t", true),
            ("key edit 4 --services yes", true),
            ("key edit 4 --services perhaps", false),
            ("key edit 4 --scope {\"side\":\"buy\"}", true),
            ("key edit 4 --scope {\"sides\":\"buy\"}", false),
            ("vault roles 3 viewer,trader", true),
            ("vault roles 3 king", false),
            ("vault add-slot person --label a --roles viewer,risk", true),
        ] {
            let words = std::iter::once("strongroom").chain(line.split(' '));
            assert_eq!(Arguments::try_parse_from(words).is_ok(), understood, "{line}");
        }
    }
}
