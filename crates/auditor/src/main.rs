//! `strongroom-auditor`: the reading of a log in a terminal. Invariant: the code comes by a descriptor, never by an argument.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use strongroom_model::Timestamp;
use strongroom_verify::LogKey;
use zeroize::Zeroizing;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

const EXAMPLES: &str = "\
Example:
  strongroom-auditor read desk.db --vault vault.srv --key log.key --code-fd 3 3<code.txt

The code is on paper, from `strongroom vault add-slot auditor`. Verify the log first: strongroom-audit verify desk.db --key KEY.
An entry is printed as one line of JSON: seq, at, kind, payload. Orders and amendments that were signed and that the log does not
tell of are named at the end, and make it fail; the signed heads say how many there were. An opening of the vault that ended without a
closing head, by a crash or on purpose, is noted. Give the log's key, so that no head can
be forged.";
/// Longest line that could be a code.
const CODE_LEN_MAX: usize = 1_024;

/// Reads a Strongroom audit log with an auditor's code. It opens no key and writes nothing.
#[derive(Parser)]
#[command(name = "strongroom-auditor", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints every entry in clear, oldest first
    #[command(after_help = EXAMPLES)]
    Read {
        /// The desk's SQLite file; it may be in use
        log: PathBuf,
        /// A copy of the vault's file
        #[arg(long)]
        vault: PathBuf,
        /// File with the log's public key; without it heads are believed unchecked
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Read the code from this descriptor instead of standard input
        #[arg(long, value_name = "N")]
        code_fd: Option<u32>,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "strongroom-auditor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(Command::Read { log, vault, key, code_fd }: &Command) -> anyhow::Result<()> {
    let key = key.as_ref().map(|file| {
        let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        LogKey::parse(&text).with_context(|| format!("{}", file.display()))
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp::from_ms(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    let found = strongroom_auditor::read(log, vault, &typed(*code_fd)?, key.transpose()?.as_ref(), now, &mut io::stdout().lock())?;
    for doubt in &found.doubts {
        let _ = writeln!(io::stderr(), "strongroom-auditor: note: {doubt}");
    }
    found.missing.map_or(Ok(()), |words| Err(anyhow::anyhow!(words)))
}

/// One line with the code.
fn typed(code_fd: Option<u32>) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(CODE_LEN_MAX));
    let source: Box<dyn io::Read> = match code_fd {
        Some(fd) => Box::new(File::open(format!("/proc/self/fd/{fd}")).context("the descriptor cannot be read")?),
        None => Box::new(io::stdin()),
    };
    BufReader::with_capacity(1, io::Read::take(source, CODE_LEN_MAX as u64)).read_until(b'\n', &mut line)?;
    Ok(line)
}
