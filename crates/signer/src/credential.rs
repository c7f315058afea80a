//! A credential as a record of the vault: `length u16 | public part as JSON | secret bytes`.
//!
//! Invariant: the secret bytes never pass through a decoder or an owned text.

use strongroom_model::CredentialInfo;
use strongroom_vault::{Reach, SecretBox};

use crate::arena::{Arena, Shielded, Unshieldable};

/// A credential in use.
pub(crate) struct Credential {
    pub(crate) info: CredentialInfo,
    pub(crate) secret: Shielded,
}

/// Who may open the record of a credential.
pub(crate) const fn reach(info: &CredentialInfo) -> Reach {
    if info.details.services { Reach::Services } else { Reach::Persons }
}

/// The record's plaintext.
pub(crate) fn record(info: &CredentialInfo, secret: &[u8]) -> Option<SecretBox> {
    let head = serde_json::to_vec(info).ok()?;
    let mut record = SecretBox::zeroed(2 + head.len() + secret.len());
    let head_len = u16::try_from(head.len()).ok()?;
    record.expose_mut(|bytes| {
        bytes[..2].copy_from_slice(&head_len.to_be_bytes());
        bytes[2..2 + head.len()].copy_from_slice(&head);
        bytes[2 + head.len()..].copy_from_slice(secret);
    });
    Some(record)
}

/// Splits a record's plaintext; `None` when it is not one.
pub(crate) fn split(record: &[u8]) -> Option<(CredentialInfo, &[u8])> {
    let (head_len, rest) = record.split_at_checked(2)?;
    let head_len = usize::from(u16::from_be_bytes(head_len.try_into().ok()?));
    let (head, secret) = rest.split_at_checked(head_len)?;
    Some((serde_json::from_slice(head).ok()?, secret))
}

/// Takes a record's plaintext into shielded memory.
pub(crate) fn shield(record: &[u8], arena: &mut Arena) -> Result<Option<Credential>, Unshieldable> {
    let Some((info, secret)) = split(record) else { return Ok(None) };
    Ok(Some(Credential { info, secret: arena.shield(secret)? }))
}
