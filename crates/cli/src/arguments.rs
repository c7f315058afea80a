//! What can be typed. Invariant: no argument is a secret; secrets have descriptors by number.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::paper_admin::PaperCommand;
use clap::{Args, Parser, Subcommand, ValueEnum};
use strongroom_desk_api::Ask;
use strongroom_model::{KeyDetails, KeyEdit, MarketSize, Notional, OrderSpec, Price, Quantity, Scheme, Side, Symbol, TimeInForce};

use crate::fail::Failure;
use crate::keeping::KeeperOptions;

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
    /// Engage the kill switch: orders are refused, open ones cancelled.
    #[command(after_help = "Example:\n  strongroom kill --why \"my bot runs wild\"")]
    Kill {
        /// Why, in words.
        #[arg(long, default_value = "a person engaged it")]
        why: String,
    },
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

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    /// Make a vault: password, recovery kit, one-time codes.
    #[command(after_help = "Example:\n  strongroom vault create")]
    Create {
        /// Memory of the key derivation in MiB, at least 64 [default: as much as takes this machine most of a second].
        #[arg(long)]
        kdf_memory: Option<u32>,
        /// Passes of the key derivation, at least 3 [default: likewise, or 3 with --kdf-memory].
        #[arg(long)]
        kdf_passes: Option<u32>,
        #[command(flatten)]
        secrets: NewVaultFds,
    },
    /// Where the vault stands, and the walls around the signer.
    #[command(after_help = "Example:\n  strongroom vault status --json")]
    Status,
    /// Open the vault, or the session.
    #[command(after_help = "Examples:\n  strongroom vault unlock --password-fd 3 3<password-file\n  strongroom vault unlock --slot 4")]
    Unlock {
        /// By this slot, whose share a token or a key server keeps.
        #[arg(long, value_name = "N")]
        slot: Option<u16>,
        #[command(flatten)]
        secrets: UnlockFds,
    },
    /// Open it with the recovery kit and set a new password.
    #[command(after_help = "Example:\n  strongroom vault recover")]
    Recover {
        #[command(flatten)]
        secrets: RecoveryFds,
    },
    /// Open a backup with the recovery kit and set a new password; it takes the vault's place once the kit fits.
    #[command(after_help = "Example:\n  strongroom vault status\n  strongroom vault restore 7")]
    Restore {
        /// Generation of the backup.
        generation: u64,
        #[command(flatten)]
        secrets: RecoveryFds,
    },
    /// Set a new password; needs a code and the present password.
    #[command(after_help = "Example:\n  strongroom vault passwd")]
    Passwd {
        #[command(flatten)]
        secrets: PasswordChangeFds,
    },
    /// Print a new recovery kit; needs a code. The old one opens the vault no more.
    #[command(after_help = "Example:\n  strongroom vault kit")]
    Kit {
        #[command(flatten)]
        secrets: NewKitFds,
    },
    /// The ways into the vault.
    #[command(after_help = "Example:\n  strongroom vault slots")]
    Slots,
    /// Let somebody else in: a person with a password, alone or with a share that a token or a key server keeps, or an auditor who
    /// reads the log only; needs a code.
    #[command(
        after_help = "Examples:\n  strongroom vault add-slot person --label alice\n  strongroom vault add-slot auditor --label audit\n  strongroom vault add-slot token --label bob --module /usr/lib/softhsm/libsofthsm2.so --token desk\n  strongroom vault add-slot transit --label eve --address https://vault.example:8200 --ca /etc/vault/ca.pem --key strongroom"
    )]
    AddSlot {
        /// For whom.
        #[arg(value_enum)]
        kind: SlotName,
        /// Your name for it.
        #[arg(long)]
        label: String,
        #[command(flatten)]
        keeper: KeeperOptions,
        #[command(flatten)]
        secrets: NewSlotFds,
    },
    /// Copy the vault's file, encrypted as it is, into the profile's folder of exports; needs a code.
    #[command(after_help = "Example:\n  strongroom vault backup")]
    Backup {
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Close a way into the vault; needs a code.
    #[command(after_help = "Example:\n  strongroom vault remove-slot 3")]
    RemoveSlot {
        /// Its number.
        slot: u16,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// New keys for everything, after a key may have been seen; needs a code and the present password.
    #[command(after_help = "Example:\n  strongroom vault rekey")]
    Rekey {
        #[command(flatten)]
        secrets: RekeyFds,
    },
    /// End the session; seals when nothing is live.
    #[command(after_help = "Example:\n  strongroom vault lock")]
    Lock,
    /// End the signer: nothing can be signed.
    #[command(after_help = "Example:\n  strongroom vault seal")]
    Seal,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Take in an API key; needs a code.
    #[command(after_help = "Example:\n  strongroom key import --label main --secret-fd 3 3<private-key.pem")]
    Import {
        /// Your name for it.
        #[arg(long)]
        label: String,
        /// Where it is valid.
        #[arg(long, value_enum, default_value_t = VenueName::Binance)]
        venue: VenueName,
        #[command(flatten)]
        secrets: KeyFds,
    },
    /// All keys, without their secrets.
    #[command(after_help = "Example:\n  strongroom key list")]
    List,
    /// Replace a key: the new one is tested, then takes over; the old one stays until you revoked it. Needs a code.
    #[command(
        after_help = "Examples:\n  strongroom key rotate 4\n  strongroom key rotate 4 --generate ed25519\n  strongroom key continue 4"
    )]
    Rotate {
        /// Number of the old key.
        id: u64,
        /// Make the new key in the vault, of this kind, instead of taking one in.
        #[arg(long, value_enum)]
        generate: Option<SchemeName>,
        #[command(flatten)]
        secrets: KeyFds,
    },
    /// Make a key pair in the vault: only its public half leaves; needs a code.
    #[command(after_help = "Example:\n  strongroom key generate --label main\n  strongroom key edit 5 --api-key <name at the venue>")]
    Generate {
        /// Your name for it.
        #[arg(long)]
        label: String,
        /// Where it is to be valid.
        #[arg(long, value_enum, default_value_t = VenueName::Binance)]
        venue: VenueName,
        /// How it is to sign.
        #[arg(long, value_enum, default_value_t = SchemeName::Ed25519)]
        scheme: SchemeName,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// The public half of a key pair, as PEM.
    #[command(after_help = "Example:\n  strongroom key public 5 >public.pem")]
    Public {
        /// Number of the key.
        id: u64,
    },
    /// Change what is noted of a key, or tell the venue's name of a generated one; needs a code.
    #[command(after_help = "Example:\n  strongroom key edit 5 --rotate-days 30 --address 203.0.113.7 --notes \"the desk's\"")]
    Edit {
        /// Number of the key.
        id: u64,
        #[command(flatten)]
        edit: EditOptions,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Do what can be done of a rotation now: try the new key, or see whether the old one is revoked.
    #[command(after_help = "Example:\n  strongroom key continue 5")]
    Continue {
        /// Number of the new key, or of the old one.
        id: u64,
    },
    /// Keys that should be replaced, and rotations that wait.
    #[command(after_help = "Example:\n  strongroom key due")]
    Due,
    /// Say that something is wrong with a key: it becomes due.
    #[command(after_help = "Example:\n  strongroom key suspect 4 --why \"orders that are not mine\"")]
    Suspect {
        /// Number of the key.
        id: u64,
        /// What is wrong.
        #[arg(long)]
        why: String,
    },
    /// Encrypt a key for somebody else, as an age file in the profile's folder; needs a code.
    #[command(after_help = "Example:\n  strongroom key export 4 --to age1...")]
    Export {
        /// Number of the key.
        id: u64,
        /// Their age recipient.
        #[arg(long)]
        to: String,
        #[command(flatten)]
        secrets: CodeFds,
    },
    /// Forget a key; needs a code.
    #[command(after_help = "Example:\n  strongroom key delete 4")]
    Delete {
        /// Number of the key.
        id: u64,
        #[command(flatten)]
        secrets: CodeFds,
    },
}

/// For whom a slot can be added.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SlotName {
    /// With a password, at this computer.
    Person,
    /// With a printed code: reads the log, opens no key.
    Auditor,
    /// With a password and a share that a PKCS#11 token keeps.
    Token,
    /// With a password and a share that a key server keeps: the transit engine of a Vault or an OpenBao.
    Transit,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VenueName {
    /// Binance spot and the paper venue.
    Binance,
}

/// Kinds of key pairs that a vault makes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SchemeName {
    /// RFC 8032; Binance recommends it.
    Ed25519,
}

impl SchemeName {
    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::Ed25519 => Scheme::Ed25519,
        }
    }
}

/// What `key edit` changes; what is not given stays.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct EditOptions {
    /// Your name for it.
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// The venue's name of a generated key.
    #[arg(long)]
    pub(crate) api_key: Option<String>,
    /// The account or sub-account at the venue.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// An address that the venue accepts it from; several times for more, once empty for any.
    #[arg(long = "address")]
    pub(crate) addresses: Vec<String>,
    /// Replace it after so many days.
    #[arg(long)]
    pub(crate) rotate_days: Option<u32>,
    /// Anything else.
    #[arg(long)]
    pub(crate) notes: Option<String>,
}

impl EditOptions {
    /// The edit, given what is noted now.
    pub(crate) fn edit(self, mut now: KeyDetails) -> KeyEdit {
        let before = now.clone();
        now.account = self.account.unwrap_or(now.account);
        now.rotate_days = self.rotate_days.unwrap_or(now.rotate_days);
        now.notes = self.notes.unwrap_or(now.notes);
        if !self.addresses.is_empty() {
            now.addresses = self.addresses.into_iter().filter(|address| !address.is_empty()).collect();
        }
        KeyEdit { label: self.label, api_key: self.api_key, details: (now != before).then_some(now) }
    }
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
    Place(Place),
    /// Take an order back.
    #[command(after_help = "Example:\n  strongroom order cancel sr-01m85he5b14s94wwmxbqsf1hqe")]
    Cancel {
        /// Our name of it.
        id: String,
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
pub(crate) struct Place {
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
    /// Your name for the order; one is made when you give none.
    #[arg(long)]
    id: Option<String>,
}

impl Place {
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
        Ok(Ask::Place { client_order_id: self.id, symbol: self.symbol, side, spec })
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
    /// Change the limits; raising one needs a code.
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

/// Declares the descriptors that a command reads secrets from, or writes to what is shown once.
macro_rules! descriptors {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Args, Clone, Debug)]
        pub(crate) struct $name {
            $($(#[$field_doc])* #[arg(long, value_name = "N")] pub(crate) $field: Option<u32>,)*
        }
    };
}

descriptors! {
    /// For `vault create`.
    NewVaultFds {
        /// Read the new password from this descriptor.
        password_fd,
        /// Write the recovery kit to this descriptor.
        kit_out_fd,
        /// Read the last group of the recovery kit from this descriptor.
        kit_fd,
        /// Write the address of the one-time codes to this descriptor.
        totp_out_fd,
        /// Read the first one-time code from this descriptor.
        totp_fd,
    }
}

descriptors! {
    /// For `vault unlock`.
    UnlockFds {
        /// Read the password from this descriptor.
        password_fd,
        /// Read the token's PIN, or the key server's token, from this descriptor.
        pin_fd,
    }
}

descriptors! {
    /// For `vault passwd`.
    PasswordChangeFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the present password from this descriptor.
        password_fd,
        /// Read the new password from this descriptor.
        new_password_fd,
    }
}

descriptors! {
    /// For `vault kit`.
    NewKitFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Write the recovery kit to this descriptor.
        kit_out_fd,
        /// Read the last group of the recovery kit from this descriptor.
        kit_fd,
    }
}

descriptors! {
    /// For `vault add-slot`.
    NewSlotFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the person's password from this descriptor.
        new_password_fd,
        /// Read the token's PIN, or the key server's token, from this descriptor.
        pin_fd,
        /// Write the auditor's code to this descriptor.
        code_out_fd,
        /// Read the last group of the auditor's code from this descriptor.
        code_fd,
    }
}

descriptors! {
    /// For `vault rekey`.
    RekeyFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the present password from this descriptor.
        password_fd,
        /// Write the recovery kit to this descriptor.
        kit_out_fd,
        /// Read the last group of the recovery kit from this descriptor.
        kit_fd,
    }
}

descriptors! {
    /// For `vault recover`.
    RecoveryFds {
        /// Read the recovery kit from this descriptor.
        kit_fd,
        /// Read the new password from this descriptor.
        password_fd,
    }
}

descriptors! {
    /// For `key import` and `key rotate`.
    KeyFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
        /// Read the API key from this descriptor.
        key_fd,
        /// Read the API secret or private key from this descriptor.
        secret_fd,
        /// Hand this file, unread, to the prompt, which shows what is in it.
        file_fd,
    }
}

impl KeyFds {
    /// The descriptor of the code alone.
    pub(crate) const fn code(&self) -> CodeFds {
        CodeFds { totp_fd: self.totp_fd }
    }
}

descriptors! {
    /// For what needs a one-time code.
    CodeFds {
        /// Read the one-time code from this descriptor.
        totp_fd,
    }
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
        ] {
            let words = std::iter::once("strongroom").chain(line.split(' '));
            assert_eq!(Arguments::try_parse_from(words).is_ok(), understood, "{line}");
        }
    }
}
