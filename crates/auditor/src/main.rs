//! `strongroom-auditor`: reads a log with an auditor's code and a copy of the vault's file, without the vault's owner.
//!
//! Invariant: with the code nothing but the log's reading key is opened; the log and the vault's file are only read. Whether the
//! log is whole is for `strongroom-audit verify` to say.

mod gaps;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Parser, Subcommand};
use strongroom_audit::{Entry, Reader};
use strongroom_vault::{AuditorCode, Factors, Vault};
use strongroom_verify::{Leaf, Log};
use zeroize::Zeroizing;

use crate::gaps::Gaps;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

const EXAMPLES: &str = "\
Example:
  strongroom-auditor read desk.db --vault vault.srv --code-fd 3 3<code.txt

The code is on paper, from `strongroom vault add-slot auditor`. Verify the log first: strongroom-audit verify desk.db --key KEY.
An entry is printed as one line of JSON: seq, at, kind, payload. Orders that were signed and that the log does not tell of
are named at the end, and make it fail.";
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
        /// Read the code from this descriptor instead of standard input
        #[arg(long, value_name = "N")]
        code_fd: Option<u32>,
    },
}

fn main() -> ExitCode {
    let Command::Read { log, vault, code_fd } = Arguments::parse().command;
    match read(&log, &vault, code_fd) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "strongroom-auditor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn read(log: &Path, vault: &Path, code_fd: Option<u32>) -> anyhow::Result<()> {
    let file = std::fs::read(vault).with_context(|| format!("{} cannot be read", vault.display()))?;
    let log = Log::open(log).with_context(|| format!("{} cannot be read", log.display()))?;
    let code = AuditorCode::parse(&typed(code_fd)?).context("this is not an auditor's code")?;
    let vault = Vault::open(&file, Factors::Auditor(&code)).context("the code does not open this vault's file")?;
    let (mut reader, mut gaps) = (None, Gaps::default());
    let mut outcome = Ok(());
    log.leaves(|row| {
        outcome = next(&vault, &mut reader, &mut gaps, &row.bytes);
        outcome.is_ok()
    })?;
    outcome?;
    match gaps.words() {
        Some(words) => Err(anyhow!(words)),
        None => Ok(()),
    }
}

/// Prints what a leaf says; one that opens an epoch says nothing.
fn next(vault: &Vault, reader: &mut Option<Reader>, gaps: &mut Gaps, bytes: &[u8]) -> anyhow::Result<()> {
    let leaf = Leaf::read(bytes).map_err(|what| anyhow!("an entry of the log {what}"))?;
    if leaf.opens_epoch() {
        *reader = Some(vault.with_audit_read_key(|key| Reader::open(key, bytes))??);
        return Ok(());
    }
    let entry = reader.as_mut().context("the log does not begin with an epoch")?.next(bytes)?;
    let payload = serde_json::from_slice(&entry.payload).unwrap_or_default();
    gaps.look(&payload);
    print(&entry, &payload)
}

fn print(entry: &Entry, payload: &serde_json::Value) -> anyhow::Result<()> {
    let line = serde_json::json!({"seq": entry.seq, "at": entry.at.to_string(), "kind": entry.kind, "payload": payload});
    writeln!(io::stdout(), "{line}").context("the entry could not be written")
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
