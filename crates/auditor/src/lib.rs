//! Reads a log with an auditor's code and a copy of the vault's file, without the vault's owner.
//!
//! Invariant: with the code nothing but the log's reading key is opened; the log and the vault's file are only read. Whether the
//! log is whole is for `strongroom-audit verify` to say.

mod gaps;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use strongroom_audit::{Entry, Reader};
use strongroom_model::Timestamp;
use strongroom_vault::{AuditorCode, Factors, Vault};
use strongroom_verify::{Counted, Leaf, Log, LogKey, Note};

use crate::gaps::Gaps;

/// How long what was signed may take to be told in the log: as long as a venue may take to answer.
const UNTOLD_MS: i64 = 60_000;

/// What a log does not tell of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Orders and amendments that were signed and are not there, in words.
    pub missing: Option<String>,
    /// Where others could be missing unseen: an opening of the vault that ended without its signer's word, by a crash or on purpose.
    pub doubts: Vec<String>,
}

/// Prints every entry in clear, oldest first, then says what the signer numbered and the log does not tell of. Heads count that `key`
/// signed; without a key, all of them. Of a head that is younger than a minute at `now` only what is told later counts.
pub fn read(log: &Path, vault: &Path, code: &[u8], key: Option<&LogKey>, now: Timestamp, out: &mut impl Write) -> anyhow::Result<Found> {
    let file = std::fs::read(vault).with_context(|| format!("{} cannot be read", vault.display()))?;
    let log = Log::open(log).with_context(|| format!("{} cannot be read", log.display()))?;
    let code = AuditorCode::parse(code).context("this is not an auditor's code")?;
    let vault = Vault::open(&file, Factors::Auditor(&code)).context("the code does not open this vault's file")?;
    let mut heads = heads(&log, key)?;
    let (mut reader, mut gaps) = (None, Gaps::default());
    heads.values().for_each(|head| gaps.head(*head));
    let mut outcome = Ok(());
    log.leaves(|row| {
        outcome = next(&vault, &mut reader, &mut gaps, &row.bytes, out).map(|leaf| {
            // The newest heads name what may be on its way still; a date to come is none to believe.
            if let Some(head) = heads.remove(&(leaf.seq + 1))
                && (leaf.at.plus_ms(UNTOLD_MS) <= now || leaf.at > now)
            {
                gaps.claim(head);
            }
        });
        outcome.is_ok()
    })?;
    outcome?;
    // Heads of entries that are not there any more.
    heads.into_values().for_each(|head| gaps.claim(head));
    Ok(Found { missing: gaps.missing(), doubts: gaps.doubts() })
}

/// What each head says of the signer's numbers, by the size of the log that it was signed for.
fn heads(log: &Log, key: Option<&LogKey>) -> anyhow::Result<BTreeMap<u64, Counted>> {
    let mut heads = BTreeMap::new();
    for (size, note) in log.checkpoints()? {
        let note = Note::read(&note).with_context(|| format!("the checkpoint kept for {size} entries is none"))?;
        let head = match key {
            None => note.unchecked(),
            Some(key) => match note.checked_with(key) {
                Some(head) => head,
                None => bail!("the checkpoint kept for {size} entries was not signed by this key"),
            },
        };
        heads.extend(head.numbered.map(|numbered| (head.size, numbered)));
    }
    Ok(heads)
}

/// Prints what a leaf says; one that opens an epoch says nothing.
fn next(vault: &Vault, reader: &mut Option<Reader>, gaps: &mut Gaps, bytes: &[u8], out: &mut impl Write) -> anyhow::Result<Leaf> {
    let leaf = Leaf::read(bytes).map_err(|what| anyhow!("an entry of the log {what}"))?;
    if leaf.opens_epoch() {
        *reader = Some(vault.with_audit_read_key(|key| Reader::open(key, bytes))??);
        return Ok(leaf);
    }
    let entry = reader.as_mut().context("the log does not begin with an epoch")?.next(bytes)?;
    let payload = serde_json::from_slice(&entry.payload).unwrap_or_default();
    gaps.look(&payload);
    print(&entry, &payload, out)?;
    Ok(leaf)
}

fn print(entry: &Entry, payload: &serde_json::Value, out: &mut impl Write) -> anyhow::Result<()> {
    let line = serde_json::json!({"seq": entry.seq, "at": entry.at.to_string(), "kind": entry.kind, "payload": payload});
    writeln!(out, "{line}").context("the entry could not be written")
}
