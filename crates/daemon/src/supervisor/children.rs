//! Starting processes. Invariant: a child gets one channel as its standard input and a clean environment, and is
//! killed by the kernel when the supervisor ends.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context as _;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use strongroom_desk_api::supervisor::{BINANCE, PAPER};
use strongroom_signer_api::errand::Face;
use strongroom_signer_api::{Channel, Line};

/// What the desk needs to find its keychain and to ask the desktop how long nobody used it ([`DISPLAYS`] too), and nothing else.
const DESK_ENVIRONMENT: &[&str] = &[
    "HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_DATA_HOME",
    "RUST_LOG",
    "LANG",
    "TZ",
];

/// Where a window can be shown, and a person seen.
const DISPLAYS: &[&str] = &["WAYLAND_DISPLAY", "DISPLAY"];
/// What the prompt's window needs besides: the display's key, a screen reader, language, clock, colours.
const WINDOW_ENVIRONMENT: &[&str] =
    &["XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "HOME", "LANG", "TZ", "STRONGROOM_THEME"];

/// Where a token's module finds its configuration, and nothing else.
const PROVIDER_ENVIRONMENT: &[&str] = &["HOME", "OPENSC_CONF", "SOFTHSM2_CONF", "TPM2_PKCS11_STORE", "YUBIHSM_PKCS11_CONF"];

/// How the desk is started.
#[derive(Clone, Debug)]
pub(crate) struct DeskArguments {
    pub(crate) dir: PathBuf,
    pub(crate) binance: bool,
    pub(crate) paper_seed: Option<u64>,
    pub(crate) venue_url: Option<String>,
    pub(crate) venue_stream_url: Option<String>,
    pub(crate) venue_ca: Option<PathBuf>,
}

impl DeskArguments {
    /// What is traded with, as a door would name it.
    pub(crate) fn venue(&self) -> &str {
        match &self.venue_url {
            Some(url) => url,
            None if self.binance => BINANCE,
            None => PAPER,
        }
    }
}

/// A running child, and what leads to it.
pub(crate) struct Process<C = Channel> {
    child: Child,
    pub(crate) pidfd: OwnedFd,
    pub(crate) channel: C,
}

impl Process {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        let (ours, theirs) = Channel::pair()?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(theirs.into_fd()).stdout(Stdio::null()).spawn().with_context(|| format!("cannot start {name}"))?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).context("cannot watch the child")?;
        Ok(Self { child, pidfd, channel: ours })
    }
}

impl<C> Process<C> {
    /// Ends it at once.
    pub(crate) fn kill(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Collects it after it ended; how it ended, where that can be told.
    pub(crate) fn reap(mut self) -> Option<ExitStatus> {
        self.child.wait().ok()
    }

    /// How it has ended, once it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

/// How a child ended, for the log.
pub(crate) fn how(ended: Option<ExitStatus>) -> String {
    ended.map_or_else(|| "nobody knows how".to_owned(), |status| status.to_string())
}

fn beside(program: &str) -> io::Result<Command> {
    let own = std::env::current_exe()?;
    let mut command = Command::new(own.with_file_name(program));
    command.env_clear();
    Ok(command)
}

pub(crate) fn signer() -> anyhow::Result<Process<Line>> {
    let Process { child, pidfd, channel } = Process::start(beside("strongroom-signer")?)?;
    Ok(Process { child, pidfd, channel: channel.into() })
}

/// The prompt with the face that an errand names.
pub(crate) fn prompt(face: Face) -> anyhow::Result<Process> {
    if !face.is_window() {
        return Process::start(beside("strongroom-prompt")?);
    }
    anyhow::ensure!(
        DISPLAYS.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())),
        "strongroomd was started outside of a desktop session, so no window can be shown. Nothing was asked. Answer on a terminal, or start \
         strongroomd in the session"
    );
    let mut command = beside("strongroom-prompt-window")?;
    command.envs(WINDOW_ENVIRONMENT.iter().chain(DISPLAYS).filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    if let Some(theme) = face.theme() {
        command.env("STRONGROOM_THEME", theme);
    }
    // The toolkit's settings of the person could name modules to load and rules that change what is drawn.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    // No input method daemon sees what is typed.
    command.env("GTK_IM_MODULE", "gtk-im-context-simple");
    // The C library overwrites what the toolkit frees, and the toolkit allocates through it alone.
    command.env("GLIBC_TUNABLES", "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0").env("G_SLICE", "always-malloc");
    Process::start(command)
}

/// A process that speaks with whoever keeps a share.
pub(crate) fn provider() -> anyhow::Result<Process> {
    let mut command = beside("strongroom-provider")?;
    command.envs(PROVIDER_ENVIRONMENT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    // The library that speaks with a TPM could write down all that it sends and hears.
    command.env("TSS2_LOG", "all+none");
    Process::start(command)
}

pub(crate) fn desk(arguments: &DeskArguments) -> anyhow::Result<Process> {
    let mut command = beside("strongroom-desk")?;
    command.envs(DESK_ENVIRONMENT.iter().chain(DISPLAYS).filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    command.arg("--dir").arg(&arguments.dir);
    if let Some(seed) = arguments.paper_seed {
        command.arg("--paper-seed").arg(seed.to_string());
    }
    if arguments.binance {
        command.arg("--binance");
    }
    for (flag, value) in [("--venue-url", &arguments.venue_url), ("--venue-stream-url", &arguments.venue_stream_url)] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    if let Some(ca) = &arguments.venue_ca {
        command.arg("--venue-ca").arg(ca);
    }
    Process::start(command)
}
