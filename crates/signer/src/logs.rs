//! The audit log at the signer: its heads are signed here, and only an auditor's session reads it. Invariant: no head is signed that is older
//! than one that was.

use strongroom_audit::{Head, Numbered};
use strongroom_guard::Permission;
use strongroom_model::Notional;
use strongroom_signer_api::desk::AUDIT_PAGE_MAX;
use strongroom_signer_api::{DoorId, Refusal, Reply};

use crate::clock::Moment;
use crate::signer::{Out, Signer};

/// Largest reply to a page of the log, with room for the frame.
const AUDIT_REPLY_LEN_MAX: usize = 48 * 1_024;

impl Signer {
    pub(crate) fn seal_head(&mut self, size: u64, head: &[u8], closes: bool, out: &mut Vec<Out>) -> Result<Reply, Refusal> {
        let hash: [u8; 32] = head.try_into().map_err(|_| Refusal::NotUnderstood)?;
        let Some(open) = self.open.as_mut() else { return Err(Refusal::Guard(strongroom_guard::Reason::Sealed)) };
        if size < open.ledger.log_size {
            return Err(Refusal::HeadOlder { size, signed: open.ledger.log_size });
        }
        open.closed |= closes;
        let (opening, last, total) = (open.opened_at, open.numbered, open.numbered_before + open.numbered);
        let numbered = Numbered { opening, last, total, nth: open.ledger.openings, closed: open.closed };
        let text = strongroom_audit::checkpoint_text(open.vault.id(), Head { size, hash }, Some(numbered));
        let signature = open.sign_log(&text, &self.arena).ok_or_else(|| Refusal::State("the log's key cannot be used".to_owned()))?;
        open.numbered_in_head = open.numbered;
        // Remembered now; written with the next state file.
        open.ledger.log_size = size;
        let public_key = open.log_public.to_vec();
        out.extend(self.reserve(Notional::ZERO));
        Ok(Reply::HeadSealed { signature: signature.to_vec(), public_key, text })
    }

    pub(crate) fn read_audit(&mut self, files: &[Vec<u8>], last: u32, door: DoorId, now: Moment) -> Result<Reply, Refusal> {
        let open = self.open.as_mut().ok_or(Refusal::Guard(strongroom_guard::Reason::Sealed))?;
        open.may(Permission::ReadLog, door, now.mono_ms).map_err(Refusal::Guard)?;
        let unreadable = |error: String| Refusal::State(format!("the log cannot be read: {error}"));
        let leaves = split_leaves(files.first().map_or(&[], Vec::as_slice)).ok_or(Refusal::NotUnderstood)?;
        let (epoch, rest) = leaves.split_first().ok_or(Refusal::NotUnderstood)?;
        let reader = open.vault.with_audit_read_key(|key| strongroom_audit::Reader::open(key, epoch));
        let mut reader = reader.map_err(|error| unreadable(error.to_string()))?.map_err(|error| unreadable(error.to_string()))?;
        let wanted = usize::try_from(last).unwrap_or(usize::MAX).min(AUDIT_PAGE_MAX);
        let mut page = Vec::new();
        let mut page_len = 0;
        for (at, leaf) in rest.iter().enumerate() {
            let entry = reader.next(leaf).map_err(|error| unreadable(error.to_string()))?;
            if at + wanted >= rest.len() {
                page_len += entry.payload.len();
                if page_len > AUDIT_REPLY_LEN_MAX {
                    break;
                }
                page.push(String::from_utf8_lossy(&entry.payload).into_owned());
            }
        }
        Ok(Reply::Audit(page))
    }
}

/// Leaves in a file, each behind its length (u32, little-endian).
fn split_leaves(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_at_checked(4)?;
        let len = usize::try_from(u32::from_le_bytes(len.try_into().ok()?)).ok()?;
        let (leaf, rest) = rest.split_at_checked(len)?;
        leaves.push(leaf);
        bytes = rest;
    }
    Some(leaves)
}
