//! How an action ended, as a door is told. Invariant: it says what is so now, and what of before still counts.

use strongroom_desk_api::Tell;
use strongroom_model::CredentialInfo;
use strongroom_signer_api::{ActionEnd, GIVEN_UP, KitOpening, PinChange};

use crate::machine::error;

pub(crate) fn told(end: ActionEnd) -> Tell {
    let done = |words: &str, key: Option<CredentialInfo>| Tell::Outcome { words: words.to_owned(), key, log_key: None, public_key: None };
    match end {
        ActionEnd::VaultCreated { log_key, .. } => {
            let key: Option<[u8; 32]> = log_key.try_into().ok();
            let words = "The vault is created and open. Keep the log's public key where this computer cannot change it.".to_owned();
            Tell::Outcome { words, key: None, log_key: key.map(|key| strongroom_audit::key_text(&key)), public_key: None }
        }
        ActionEnd::Unlocked { by_kit: Some(KitOpening { state_lost: Some(_), .. }), .. } => done(
            "Unlocked, without the state file. Whether the kill switch was engaged is not known, so it is: look at your orders, then re-arm with \
             `strongroom rearm`.",
            None,
        ),
        ActionEnd::Unlocked { .. } => done("Unlocked.", None),
        ActionEnd::Imported(info) => done("Imported. The secret is in the vault; remove it from where it came from.", Some(info)),
        ActionEnd::RotationBegun(info) => done("The new key is stored and waits for its test.", Some(info)),
        ActionEnd::Generated { info, public_key } => {
            let words = format!(
                "Made; nobody ever saw its private half. Register the public half below at the venue, for reading and trading only. Then tell \
                 the venue's name of it: `strongroom key edit {} --api-key NAME`.",
                info.id
            );
            Tell::Outcome { words, key: Some(info), log_key: None, public_key: Some(public_key) }
        }
        ActionEnd::Edited(info) => done("Changed.", Some(info)),
        ActionEnd::Deleted(info) => done("Deleted from the vault. It stays valid at the venue until you revoke it there.", Some(info)),
        // The desk did more: it told where the file is.
        ActionEnd::KeyExported { info, .. } => done("Encrypted.", Some(info)),
        ActionEnd::BackupGranted => done("Granted.", None),
        ActionEnd::PasswordChanged { slot } => {
            done(&format!("The password of slot {slot} is changed. Backups of before still open with the old one."), None)
        }
        ActionEnd::CodesPrinted => done("The new recovery codes count, each once. Destroy the old print: its codes count no more.", None),
        ActionEnd::KitReplaced => done("The new recovery kit counts. Destroy the old print: it still opens backups of before.", None),
        ActionEnd::PhoneChanged => {
            done("The codes of the new phone count. The old one's count no more, nor do recovery codes of before: print new ones.", None)
        }
        ActionEnd::SlotAdded(slot) => done(&format!("Slot {} is added: {}, “{}”.", slot.id, slot.kind, slot.label), None),
        ActionEnd::RolesSet { slot, roles } => {
            let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            done(&format!("The owner of slot {slot} is {} from now on.", names.join(", ")), None)
        }
        ActionEnd::OrderConfirmed(_) => done("Confirmed. It is signed when it is placed within two minutes, exactly like this.", None),
        ActionEnd::Overridden { .. } => done("Granted. The order passes when it is placed within two minutes, exactly like this.", None),
        ActionEnd::Protected(id) => done(&format!("The kill switch leaves {id} as long as it is live; you can still cancel it."), None),
        ActionEnd::SlotRemoved { slot } => done(
            &format!("Slot {slot} is closed. It still opens backups of before; `strongroom vault rekey` gives everything new keys."),
            None,
        ),
        ActionEnd::Rekeyed { closed } => {
            let closed: Vec<String> = closed.iter().map(u16::to_string).collect();
            let closed = if closed.is_empty() { String::new() } else { format!(" Closed slots: {}.", closed.join(", ")) };
            done(&format!("Everything in the vault has new keys; only your password and the new recovery kit open it.{closed}"), None)
        }
        ActionEnd::Rearmed => done("Re-armed. Orders are allowed again.", None),
        ActionEnd::PolicySet(_) => done("The limits are changed.", None),
        ActionEnd::Pinned(PinChange { host, spki_sha256, trust: true }) => done(&format!("{host} is pinned to {spki_sha256}."), None),
        ActionEnd::Pinned(PinChange { host, spki_sha256, .. }) => {
            done(&format!("{host} may not have the key {spki_sha256} any more."), None)
        }
        ActionEnd::Failed { why, advice, .. } if why == GIVEN_UP => error("given-up", why, advice),
        ActionEnd::Failed { why, advice, wrong_factor } => error(if wrong_factor { "wrong-factor" } else { "not-done" }, why, advice),
    }
}
