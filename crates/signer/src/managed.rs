//! Limits of an organisation: whose word they are, and which of two documents counts.
//!
//! Invariant: what an open vault has seen is replaced only by what the same organisation numbered higher, or by anybody's once the
//! organisation let go. Removing files, or putting others there, takes nothing back.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use strongroom_guard::{Beyond, Managed, ManagedError, ManagedNote, Policy, Reason};
use strongroom_signer_api::managed::{ManagedFiles, Offered};

/// A document with its proof, as the sealed state keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remembered {
    document: String,
    signature: String,
    key: String,
}

/// A document whose signature was checked.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    managed: Managed,
    key: VerifyingKey,
    kept: Remembered,
}

/// What holds in an open vault, and what is said of it.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    managed: Managed,
    pub(crate) note: ManagedNote,
}

impl Verified {
    /// `read` takes the document apart: one that was remembered may be of before.
    fn of(kept: Remembered, read: fn(&[u8]) -> Result<Managed, ManagedError>) -> Result<Self, String> {
        let key = VerifyingKey::from_public_key_pem(kept.key.trim()).map_err(|_| "its key is no Ed25519 public key in PEM".to_owned())?;
        let text: Vec<u8> = kept.signature.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let signature = BASE64_STANDARD.decode(text).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        let signature = signature.ok_or_else(|| "its signature is no Ed25519 signature in base64".to_owned())?;
        if key.verify_strict(kept.document.as_bytes(), &signature).is_err() {
            return Err("its signature is not that of this key over this document".to_owned());
        }
        let managed = read(kept.document.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Self { managed, key, kept })
    }
}

/// What the supervisor offers, if there is something and it is sound.
pub(crate) fn sound(offered: Offered) -> Result<Option<Verified>, String> {
    let ManagedFiles { document, signature, key } = match offered {
        Offered::Nothing => return Ok(None),
        Offered::Trouble(words) => return Err(words),
        Offered::Files(files) => files,
    };
    let text = |bytes| String::from_utf8(bytes).map_err(|_| "a file of it is no text".to_owned());
    Verified::of(Remembered { document: text(document)?, signature: text(signature)?, key: text(key)? }, Managed::parse).map(Some)
}

/// Which document counts from now on, and why, in words.
fn chosen(offered: Option<&Verified>, remembered: Option<Verified>) -> Option<(Verified, &'static str)> {
    let (offered, remembered) = match (offered, remembered) {
        (None, None) => return None,
        (Some(offered), None) => return Some((offered.clone(), "as it lies in the system's folder")),
        (None, Some(remembered)) => return Some((remembered, "remembered by this vault; it lies in the system's folder no more")),
        (Some(offered), Some(remembered)) => (offered, remembered),
    };
    let is_same_key = offered.key == remembered.key;
    match (is_same_key, remembered.managed.released) {
        _ if offered.kept.document == remembered.kept.document && is_same_key => Some((remembered, "as it lies in the system's folder")),
        (true, _) if offered.managed.serial > remembered.managed.serial => Some((offered.clone(), "as it lies in the system's folder")),
        (true, _) => Some((remembered, "remembered by this vault; what lies in the system's folder has no higher number")),
        (false, true) => Some((offered.clone(), "as it lies in the system's folder")),
        (false, false) => Some((remembered, "remembered by this vault; what lies in the system's folder is signed with another key")),
    }
}

/// Settles what holds: what is to be remembered, and what is in force. An error: what was remembered cannot be read.
pub(crate) fn settle(offered: Option<&Verified>, kept: Option<Remembered>) -> Result<(Option<Remembered>, Option<InForce>), String> {
    let remembered = kept.map(|kept| Verified::of(kept, Managed::parse_kept)).transpose()?;
    let Some((Verified { managed, kept, .. }, source)) = chosen(offered, remembered) else { return Ok((None, None)) };
    let note = ManagedNote {
        organisation: managed.organisation.clone(),
        serial: managed.serial,
        source: source.to_owned(),
        limits: managed.lines().into_iter().collect(),
    };
    let in_force = (!managed.released).then_some(InForce { managed, note });
    Ok((Some(kept), in_force))
}

impl InForce {
    /// A policy as it holds.
    pub(crate) fn tightens(&self, own: &Policy) -> Policy {
        self.managed.tightens(own)
    }

    /// Why a policy cannot be set.
    pub(crate) fn refuses(&self, asked: &Policy) -> Option<Reason> {
        let Beyond { limit, asked, passes } = self.managed.refuses(asked)?;
        Some(Reason::Managed { organisation: self.note.organisation.clone(), limit, asked, passes })
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::pkcs8::EncodePublicKey as _;
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn signed(key: u8, document: &str) -> ManagedFiles {
        let key = SigningKey::from_bytes(&[key; 32]);
        ManagedFiles {
            document: document.as_bytes().to_vec(),
            signature: BASE64_STANDARD.encode(key.sign(document.as_bytes()).to_bytes()).into_bytes(),
            key: key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap().into_bytes(),
        }
    }

    fn document(serial: u64, limits: &str) -> String {
        format!(r#"{{"serial": {serial}, "organisation": "Example", {limits}}}"#)
    }

    fn verified(key: u8, serial: u64, limits: &str) -> Verified {
        sound(Offered::Files(signed(key, &document(serial, limits)))).unwrap().unwrap()
    }

    const FIVE: &str = r#""limits": {"orders_per_minute": 5}"#;
    const NINE: &str = r#""limits": {"orders_per_minute": 9}"#;
    const FREE: &str = r#""released": true"#;

    #[test]
    fn which_document_counts() {
        let rate = |offered: Option<&Verified>, kept: Option<&Verified>| {
            let (kept, in_force) = settle(offered, kept.map(|verified| verified.kept.clone())).unwrap();
            assert!(kept.is_some() || in_force.is_none(), "what holds is remembered");
            in_force.map(|in_force| in_force.tightens(&Policy::initial()).orders_per_minute)
        };
        let (first, second) = (verified(1, 3, FIVE), verified(1, 4, NINE));
        assert_eq!((rate(None, None), rate(Some(&first), None), rate(None, Some(&first))), (None, Some(5), Some(5)));
        assert_eq!((rate(Some(&second), Some(&first)), rate(Some(&first), Some(&second))), (Some(9), Some(9)), "the higher number");
        assert_eq!(rate(Some(&verified(1, 3, NINE)), Some(&first)), Some(5), "the same number says nothing new");
        assert_eq!(rate(Some(&verified(2, 9, NINE)), Some(&first)), Some(5), "another key");
        let free = verified(1, 4, FREE);
        assert_eq!((rate(Some(&free), Some(&first)), rate(None, Some(&free)), rate(Some(&free), None)), (None, None, None));
        assert_eq!(rate(Some(&first), Some(&free)), None, "what it let go of does not come back by an old document");
        assert_eq!((rate(Some(&verified(1, 5, NINE)), Some(&free)), rate(Some(&verified(2, 1, NINE)), Some(&free))), (Some(9), Some(9)));
    }

    #[test]
    fn what_is_not_sound_is_refused() {
        let whole = signed(1, &document(1, FIVE));
        let refused = |change: fn(&mut ManagedFiles)| {
            let mut files = whole.clone();
            change(&mut files);
            sound(Offered::Files(files)).unwrap_err()
        };
        assert!(refused(|files| files.document = document(1, NINE).into_bytes()).contains("not that of this key"));
        assert!(refused(|files| files.key = signed(2, "").key).contains("not that of this key"));
        assert!(refused(|files| files.signature = b"AAAA".to_vec()).contains("no Ed25519 signature"));
        assert!(
            refused(|files| files.key = b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".to_vec())
                .contains("no Ed25519 public key")
        );
        assert!(refused(|files| files.document = vec![0xFF]).contains("no text"));
        assert!(sound(Offered::Files(signed(1, r#"{"serial": 1}"#))).unwrap_err().contains("organisation"));
        assert_eq!(sound(Offered::Trouble("half is there".to_owned())).unwrap_err(), "half is there");
        // Lines as `base64` and `openssl base64` break them.
        let mut broken = whole;
        broken.signature.insert(64, b'\n');
        assert!(sound(Offered::Files(broken)).unwrap().is_some() && sound(Offered::Nothing).unwrap().is_none());
    }
}
