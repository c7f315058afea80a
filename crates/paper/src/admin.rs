//! The venue's administration: accounts, keys, balances, halts and faults. Invariant: it is reached through the library and through a
//! socket in the data directory that only the same user can open, never over the network.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strongroom_model::{Amount, Asset, Symbol};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};

use crate::engine::MarketStatus;
use crate::exchange::AccountView;
use crate::faults::{Certificate, Fault, StreamFault, Target};
use crate::keys::{KeyFile, NewKey, PaperKey};
use crate::server::{Shared, now};

const SOCKET_FILE: &str = "admin.sock";
const SOCKET_MODE: u32 = 0o600;
/// Longest request.
const LINE_LEN_MAX: u64 = 64 * 1024;
/// An administrator waits so long for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// A connection that asks nothing for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminAsk {
    /// All accounts with what they hold.
    Accounts,
    /// A new account.
    OpenAccount {
        /// What it is called.
        name: String,
        /// What it holds at the beginning.
        #[serde(default)]
        balances: BTreeMap<Asset, Amount>,
    },
    /// Makes an account have exactly so much of an asset at its disposal.
    SetBalance {
        /// Whose.
        account: String,
        /// Of what.
        asset: Asset,
        /// How much, besides what open orders hold.
        free: Amount,
    },
    /// Cancels every open order of an account and gives it the balances of a first start.
    ResetAccount {
        /// Which.
        account: String,
    },
    /// All keys, without secrets.
    Keys,
    /// A new key.
    MakeKey {
        /// Whose.
        account: String,
        /// What it is for; names its secret's file.
        label: String,
        /// How it is made.
        key: NewKey,
        /// Whether it places orders.
        may_trade: bool,
        /// Where its requests may come from; empty: from anywhere.
        #[serde(default)]
        addresses: Vec<IpAddr>,
    },
    /// Changes what a key may do.
    LimitKey {
        /// Public name.
        api_key: String,
        /// Whether it places orders.
        may_trade: bool,
        /// Where its requests may come from; empty: from anywhere.
        #[serde(default)]
        addresses: Vec<IpAddr>,
    },
    /// Ends a key.
    RevokeKey {
        /// Public name.
        api_key: String,
    },
    /// Halts a market, or lets it trade again.
    SetStatus {
        /// Which.
        symbol: Symbol,
        /// What it does from now on.
        status: MarketStatus,
    },
    /// Strikes requests.
    Plan {
        /// What goes wrong.
        fault: Fault,
        /// How many requests.
        count: u32,
        /// Which requests.
        #[serde(default)]
        target: Target,
    },
    /// Strikes market streams.
    PlanStream {
        /// What goes wrong.
        fault: StreamFault,
        /// At how many moments.
        count: u32,
    },
    /// Moves the venue's clock.
    SkewClock {
        /// By so much, milliseconds.
        ms: i64,
    },
    /// Closes the venue for maintenance, or opens it.
    Maintain {
        /// Closed.
        is_closed: bool,
    },
    /// Shows new connections a certificate.
    ShowCertificate {
        /// Which.
        certificate: Certificate,
    },
    /// Ends all faults; halts stay.
    ClearFaults,
    /// Strikes that are still to come.
    Pending,
    /// Where the venue listens.
    Whereabouts,
}

/// Where a venue listens, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// Base of REST requests.
    pub rest_url: String,
    /// Base of market streams.
    pub ws_url: String,
    /// The WebSocket API.
    pub ws_api_url: String,
    /// The authority to trust.
    pub ca_file: PathBuf,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tell", content = "of", rename_all = "snake_case")]
pub enum AdminTell {
    /// To [`AdminAsk::Accounts`].
    Accounts(Vec<AccountView>),
    /// To [`AdminAsk::Keys`].
    Keys(Vec<PaperKey>),
    /// To a key that was made or changed.
    Key(PaperKey),
    /// To [`AdminAsk::Pending`].
    Pending(u32),
    /// To [`AdminAsk::Whereabouts`].
    Whereabouts(Whereabouts),
    /// Done.
    Done,
    /// Not done, and why.
    Refused(String),
}

/// Carries requests out.
#[derive(Clone)]
pub(crate) struct Admin {
    shared: Shared,
    keys: Arc<Mutex<KeyFile>>,
    whereabouts: Whereabouts,
}

impl Admin {
    pub(crate) fn new(shared: Shared, keys: KeyFile, whereabouts: Whereabouts) -> Self {
        Self { shared, keys: Arc::new(Mutex::new(keys)), whereabouts }
    }

    /// Does what was asked, or says why not.
    pub(crate) fn carry_out(&self, ask: AdminAsk) -> AdminTell {
        self.done(ask).unwrap_or_else(AdminTell::Refused)
    }

    fn done(&self, ask: AdminAsk) -> Result<AdminTell, String> {
        let faults = &self.shared.faults;
        match ask {
            AdminAsk::Accounts => Ok(AdminTell::Accounts(self.exchange(|exchange| Ok(exchange.accounts()))?)),
            AdminAsk::OpenAccount { name, balances } => self.change(|exchange| exchange.make_account(&name, balances)),
            AdminAsk::SetBalance { account, asset, free } => self.change(|exchange| exchange.set_balance(now(), &account, &asset, free)),
            AdminAsk::ResetAccount { account } => self.change(|exchange| exchange.reset_account(now(), &account)),
            AdminAsk::Keys => {
                let keys = self.keys().all().map_err(|error| error.to_string())?;
                Ok(AdminTell::Keys(keys.into_iter().map(|(key, _)| key).collect()))
            }
            AdminAsk::MakeKey { account, label, key, may_trade, addresses } => {
                self.exchange(|exchange| exchange.account_named(&account))?;
                let made = self.keys().add(&account, &label, &key, may_trade, addresses, now());
                let (told, known) = made.map_err(|error| error.to_string())?;
                self.exchange(|exchange| exchange.put_key(&account, known))?;
                Ok(AdminTell::Key(told))
            }
            AdminAsk::LimitKey { api_key, may_trade, addresses } => {
                let (told, known) = self.keys().limit(&api_key, may_trade, addresses).map_err(|error| error.to_string())?;
                self.exchange(|exchange| exchange.put_key(&told.account, known))?;
                Ok(AdminTell::Key(told))
            }
            AdminAsk::RevokeKey { api_key } => {
                self.keys().revoke(&api_key).map_err(|error| error.to_string())?;
                self.change(|exchange| {
                    exchange.forget_key(now(), &api_key);
                    Ok(())
                })
            }
            AdminAsk::SetStatus { symbol, status } => self.change(|exchange| exchange.set_status(&symbol, status)),
            AdminAsk::Plan { fault, count, target } => {
                faults.plan(count, target, fault).map_err(|error| error.to_string())?;
                Ok(AdminTell::Done)
            }
            AdminAsk::PlanStream { fault, count } => {
                faults.plan_stream(count, fault).map_err(|error| error.to_string())?;
                Ok(AdminTell::Done)
            }
            AdminAsk::SkewClock { ms } => {
                faults.skew_clock_ms(ms);
                Ok(AdminTell::Done)
            }
            AdminAsk::Maintain { is_closed } => {
                faults.maintain(is_closed);
                self.set_maintenance(is_closed)
            }
            AdminAsk::ShowCertificate { certificate } => {
                faults.show_certificate(certificate);
                Ok(AdminTell::Done)
            }
            AdminAsk::ClearFaults => {
                faults.clear();
                self.set_maintenance(false)
            }
            AdminAsk::Whereabouts => Ok(AdminTell::Whereabouts(self.whereabouts.clone())),
            AdminAsk::Pending => Ok(AdminTell::Pending(faults.pending())),
        }
    }

    fn set_maintenance(&self, is_closed: bool) -> Result<AdminTell, String> {
        self.change(|exchange| {
            exchange.set_maintenance(is_closed);
            Ok(())
        })
    }

    fn change(&self, work: impl FnOnce(&mut crate::exchange::Exchange) -> Result<(), String>) -> Result<AdminTell, String> {
        self.exchange(work).map(|()| AdminTell::Done)
    }

    fn exchange<T>(&self, work: impl FnOnce(&mut crate::exchange::Exchange) -> Result<T, String>) -> Result<T, String> {
        self.shared.with_exchange(work).map_err(|error| error.to_string())?
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, KeyFile> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves administrators at the socket in `directory` until the venue closes.
    pub(crate) fn serve(self, directory: &Path) -> io::Result<()> {
        let listener = listen(directory)?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let mut stop = self.shared.stop.clone();
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = crate::server::stopped(&mut stop) => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((stream, _)) = accepted else { continue };
                let admin = self.clone();
                tokio::spawn(async move {
                    // An administrator that leaves in the middle loses nothing but the answer.
                    let _ = admin.answer(stream).await;
                });
            }
        });
        Ok(())
    }

    async fn answer(&self, stream: tokio::net::UnixStream) -> io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut stop = self.shared.stop.clone();
        let mut reader = tokio::io::BufReader::new(reader);
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut reader).take(LINE_LEN_MAX);
            let read = tokio::select! {
                () = crate::server::stopped(&mut stop) => return Ok(()),
                read = tokio::time::timeout(IDLE_MAX, bounded.read_until(b'\n', &mut line)) => read,
            };
            if !matches!(read, Ok(Ok(len)) if len > 0) {
                return Ok(());
            }
            let tell = match serde_json::from_slice(&line) {
                Ok(ask) => self.carry_out(ask),
                Err(error) => AdminTell::Refused(format!("the request is not understood: {error}")),
            };
            let mut answer = serde_json::to_vec(&tell)?;
            answer.push(b'\n');
            writer.write_all(&answer).await?;
        }
    }
}

/// A path of any depth, as short as an address of a socket has to be.
fn short(directory: &std::fs::File) -> String {
    format!("/proc/self/fd/{}/{SOCKET_FILE}", directory.as_raw_fd())
}

fn listen(directory: &Path) -> io::Result<UnixListener> {
    let folder = std::fs::File::open(directory)?;
    match std::fs::remove_file(directory.join(SOCKET_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(short(&folder))?;
    std::fs::set_permissions(directory.join(SOCKET_FILE), std::fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok(listener)
}

/// A connection to the administration of a running venue.
#[derive(Debug)]
pub struct AdminClient {
    stream: BufReader<UnixStream>,
}

impl AdminClient {
    /// Connects to the venue that keeps its data in `directory`.
    pub fn connect(directory: &Path) -> io::Result<Self> {
        let folder = std::fs::File::open(directory)?;
        let stream = UnixStream::connect(short(&folder))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Asks and waits for what comes of it.
    pub fn ask(&mut self, ask: &AdminAsk) -> io::Result<AdminTell> {
        let mut line = serde_json::to_vec(ask)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        let mut answer = String::new();
        self.stream.read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    }
}
