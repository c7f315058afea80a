//! `strongroom-audit`: checks a log with a public key and nothing else. Invariant: the exit code alone tells the answer.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use strongroom_verify::{Findings, Log, LogKey, Outcome, verify_telling};

const EXIT_USAGE: u8 = 64;
const EXIT_UNREADABLE: u8 = 66;

const EXAMPLES: &str = "\
Examples:
  strongroom-audit verify log.db --key log.key
  strongroom-audit head log.db > head-of-today.txt      keep it on another machine
  strongroom-audit verify log.db --key log.key --head head-of-today.txt
  strongroom-audit verify log.db --key strongroom-log+AAAA...= --json

The key is one line, strongroom-log+<base64>, shown when the vault was created. Take it from there or from paper,
never from the machine whose log is checked.

Exit codes:
   0  whole: every entry is in its place and covered by a signed checkpoint
   2  tampered: something was changed, removed, moved or forged
   3  truncated: the log ends before the head that was saved outside
   4  unsealed tail: whole, but the last entries are not covered by a checkpoint yet
  64  usage
  66  the log, the key's file or the head's file cannot be read";

/// Checks a Strongroom audit log. It needs no password, reads no content and writes nothing.
#[derive(Parser)]
#[command(name = "strongroom-audit", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Recomputes every link, hash and signature of a log
    #[command(after_help = EXAMPLES)]
    Verify {
        /// The desk's SQLite file; it may be in use
        log: PathBuf,
        /// The log's public key: a file, or the line itself
        #[arg(long, value_name = "FILE|TEXT")]
        key: String,
        /// A head saved earlier with `head`: shows whether the end was cut off since
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
        /// Tell on standard error how far it is, as lines `done of`
        #[arg(long)]
        progress: bool,
    },
    /// Prints the newest checkpoint, to be kept where this machine cannot reach it
    Head {
        /// The desk's SQLite file
        log: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if asked { 0 } else { EXIT_USAGE });
        }
    };
    let done = match arguments.command {
        Command::Verify { log, key, head, json, progress } => check(&log, &key, head.as_deref(), json, progress),
        Command::Head { log } => head_of(&log),
    };
    done.unwrap_or_else(|failure| {
        let _ = writeln!(std::io::stderr(), "strongroom-audit: {}", failure.text);
        ExitCode::from(failure.code)
    })
}

struct Failure {
    code: u8,
    text: String,
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure { code: EXIT_UNREADABLE, text: format!("{}: {error}. Nothing was checked.", path.display()) }
}

fn check(path: &Path, key: &str, head: Option<&Path>, json: bool, progress: bool) -> Result<ExitCode, Failure> {
    let key = read_key(key)?;
    let head = head.map(|head| fs::read_to_string(head).map_err(|error| unreadable(head, error))).transpose()?;
    let log = Log::open(path).map_err(|error| unreadable(path, error))?;
    let findings = verify_telling(&log, &key, head.as_deref(), |done, of| {
        if progress {
            let _ = writeln!(std::io::stderr(), "{done} {of}");
        }
    })
    .map_err(|error| unreadable(path, error))?;
    if json {
        let text = serde_json::to_string(&findings).map_err(|error| unreadable(path, error))?;
        print(&format!("{text}\n"))?;
    } else {
        print(&tell(&findings, head.is_some()))?;
    }
    Ok(ExitCode::from(findings.outcome.code()))
}

fn head_of(path: &Path) -> Result<ExitCode, Failure> {
    let log = Log::open(path).map_err(|error| unreadable(path, error))?;
    let note = log.newest_note().map_err(|error| unreadable(path, error))?;
    print(&note.ok_or_else(|| unreadable(path, "the log has no checkpoint yet"))?)?;
    Ok(ExitCode::SUCCESS)
}

/// A text that begins like a key is one; anything else names a file.
fn read_key(key: &str) -> Result<LogKey, Failure> {
    if key.starts_with("strongroom-log+") {
        return LogKey::parse(key).map_err(|error| Failure { code: EXIT_USAGE, text: error.to_string() });
    }
    let path = Path::new(key);
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
    LogKey::parse(&text).map_err(|error| unreadable(path, error))
}

fn print(text: &str) -> Result<(), Failure> {
    let written = std::io::stdout().write_all(text.as_bytes());
    written.map_err(|error| Failure { code: EXIT_UNREADABLE, text: format!("the answer could not be written: {error}") })
}

fn tell(findings: &Findings, with_head: bool) -> String {
    let mut out = match findings.outcome {
        Outcome::Whole if findings.leaves == 0 => "EMPTY: the log has no entries, and nothing says that it ever had.\n".to_owned(),
        Outcome::Whole => "WHOLE: every entry is in its place and covered by a signed checkpoint.\n".to_owned(),
        Outcome::UnsealedTail => {
            let tail = findings.leaves - findings.sealed;
            format!("UNSEALED TAIL: whole, but the last {tail} entries are not covered by a checkpoint yet.\n")
        }
        Outcome::Tampered => "TAMPERED: this log is not what was written.\n".to_owned(),
        Outcome::Truncated => "TRUNCATED: the end of this log was cut off.\n".to_owned(),
    };
    if let Some(broken) = &findings.broken {
        out.push_str(&format!("  {}.\n", broken.what));
    }
    let period = findings.from.as_ref().zip(findings.to.as_ref()).map(|(from, to)| format!(", {from} to {to}")).unwrap_or_default();
    out.push_str(&format!(
        "  {} entries chained, {} sealed, {} epochs, {} checkpoints{period}\n",
        findings.leaves, findings.sealed, findings.epochs, findings.checkpoints
    ));
    if let Some(id) = &findings.log_id {
        out.push_str(&format!("  log {id}\n"));
    }
    for warning in &findings.warnings {
        out.push_str(&format!("  note: {warning}\n"));
    }
    if !with_head && matches!(findings.outcome, Outcome::Whole | Outcome::UnsealedTail) {
        out.push_str("  Without --head, a cut back to an earlier checkpoint cannot be seen.\n");
    }
    out
}
