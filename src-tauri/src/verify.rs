//! Checks the log with the separate verifier. Invariant: a process of its own reads the file with the key that a person kept or
//! the desk names, which of the two is told, and what it finds is told as it says it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use strongroom_desk_api::DoorError;
use strongroom_model::{Advice, Timestamp};

use crate::desk::failed;
use crate::environment::beside;
use crate::views::Verified;

/// Longest answer of the verifier.
const ANSWER_LEN_MAX: u64 = 1024 * 1024;
/// How the text form of a log's key begins.
const KEY_PREFIX: &str = "strongroom-log";
/// A log that was written to meanwhile ends in entries that no checkpoint covers yet: that is no damage.
const INTACT: [&str; 2] = ["whole", "unsealed-tail"];

/// The verifier's answer, as far as it is shown.
#[derive(Deserialize)]
struct Findings {
    outcome: String,
    leaves: u64,
    sealed: u64,
    checkpoints: u64,
    head: String,
    broken: Option<Broken>,
}

#[derive(Deserialize)]
struct Broken {
    what: String,
}

/// Longest key that is looked at.
const KEY_LEN_MAX: usize = 200;

/// The log's public key.
pub(crate) enum LogKey {
    /// By a person, away from this computer.
    Kept(String),
    /// By the desk.
    Named(String),
}

/// Runs it; `tell` hears how far it is. Blocks.
pub(crate) fn run(profile: &Path, key: &LogKey, mut tell: impl FnMut(u64, u64)) -> Result<Verified, DoorError> {
    let start = Instant::now();
    let no = |why: String| failed("verify", format!("The log was not checked: {why}."), Advice::Ask);
    let (log_key, is_kept) = match key {
        LogKey::Kept(key) => (key.trim(), true),
        LogKey::Named(key) => (key.as_str(), false),
    };
    if !log_key.starts_with(KEY_PREFIX) || log_key.len() > KEY_LEN_MAX {
        return Err(no(format!("a key of the log begins with {KEY_PREFIX}")));
    }
    let program = beside("strongroom-audit").map_err(|error| no(error.to_string()))?;
    let mut command = Command::new(program);
    command.arg("verify").arg(profile.join("desk.db")).args(["--key", log_key, "--json", "--progress"]);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| no(error.to_string()))?;
    let mut said = String::new();
    if let Some(progress) = child.stderr.take() {
        for line in BufReader::new(progress.take(ANSWER_LEN_MAX)).lines().map_while(Result::ok) {
            match line.split_once(' ').map(|(done, of)| (done.parse(), of.parse())) {
                Some((Ok(done), Ok(of))) => tell(done, of),
                _ => said = line,
            }
        }
    }
    let mut answer = Vec::new();
    if let Some(output) = child.stdout.take() {
        output.take(ANSWER_LEN_MAX).read_to_end(&mut answer).map_err(|error| no(error.to_string()))?;
    }
    child.wait().map_err(|error| no(error.to_string()))?;
    let findings: Findings =
        serde_json::from_slice(&answer).map_err(|_| no(if said.is_empty() { "the verifier said nothing".to_owned() } else { said }))?;
    Ok(verified(findings, is_kept, start))
}

fn verified(findings: Findings, by_kept_key: bool, start: Instant) -> Verified {
    let Findings { outcome, leaves, sealed, checkpoints, head, broken } = findings;
    let words = match (outcome.as_str(), broken) {
        ("whole", _) => "Every entry is in its place and covered by a signed checkpoint.".to_owned(),
        ("unsealed-tail", _) => {
            format!("Every entry is in its place. The last {} are not covered by a checkpoint yet.", leaves.saturating_sub(sealed))
        }
        (_, Some(broken)) if by_kept_key => {
            format!("This key did not sign this log, or the log is not what was written: {}.", broken.what)
        }
        (_, Some(broken)) => format!("This log is not what was written: {}.", broken.what),
        (other, None) => format!("The verifier says: {other}."),
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Verified {
        intact: INTACT.contains(&outcome.as_str()),
        words,
        by_kept_key,
        entries: leaves,
        sealed_entries: sealed,
        checkpoints,
        head,
        at: Timestamp::from_us(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
        took_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_never_shown_as_intact() {
        for (outcome, intact) in [("whole", true), ("unsealed-tail", true), ("tampered", false), ("truncated", false), ("anything", false)]
        {
            let text = format!(
                r#"{{"outcome":"{outcome}","leaves":9,"sealed":8,"checkpoints":1,"head":"ab","broken":null,"warnings":[],"epochs":1,"log_id":null,"from":null,"to":null}}"#
            );
            let found = verified(serde_json::from_str(&text).unwrap(), false, Instant::now());
            assert_eq!(found.intact, intact, "{outcome}");
        }
    }
}
