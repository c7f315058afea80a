//! A credential for somebody else. Invariant: it leaves as an age file for the one recipient that the person confirmed, and as
//! nothing else.

use std::io::Write as _;

use age::armor::{ArmoredWriter, Format};
use age::x25519::Recipient;
use strongroom_model::{Advice, CredentialId, Venue};
use strongroom_signer_api::{ActionEnd, Refusal};
use strongroom_vault::SecretBox;

use super::Talk;
use crate::credential::Credential;
use crate::signer::{Out, Signer};

/// What is not an age recipient, in words.
pub(super) fn recipient(text: &str) -> Result<Recipient, String> {
    text.parse().map_err(|_| "that is no age recipient: it begins with age1 and has 62 letters".to_owned())
}

impl Signer {
    pub(super) fn export_key(&mut self, talk: Talk, id: CredentialId, to: &str) -> Vec<Out> {
        let Some(found) = self.open.as_ref().and_then(|open| open.credential(Some(id), Venue::Binance)) else {
            return talk.fail(&Refusal::Guard(strongroom_guard::Reason::NoKey).to_string(), Advice::Ask, false);
        };
        let recipient = match recipient(to) {
            Ok(recipient) => recipient,
            Err(words) => return talk.fail(&words, Advice::Ask, false),
        };
        let file = self.arena.expose(&found.secret, |secret| encrypted(&plaintext(found, secret)?, &recipient));
        match file {
            Ok(Some(file)) => {
                let end = ActionEnd::KeyExported { info: found.info.clone(), recipient: to.to_owned(), file };
                talk.end("Encrypted for that recipient.", end)
            }
            _ => talk.broken(),
        }
    }
}

/// `key: value` lines that a person can read, the secret last: as PEM where it is a private key of Ed25519 (RFC 8410), else as the
/// venue gave it.
fn plaintext(found: &Credential, secret: &[u8]) -> Option<SecretBox> {
    let info = &found.info;
    let head = format!("label: {}\nvenue: {}\nscheme: {}\napi_key: {}\n", info.label, info.venue, info.scheme.words(), info.api_key);
    let (before, secret) = strongroom_venues::binance::scheme::private_text(info.scheme, secret).ok()?;
    let mut plain = SecretBox::zeroed(head.len() + before.len() + secret.len());
    plain.expose_mut(|bytes| {
        let parts = head.as_bytes().iter().chain(before.as_bytes()).chain(secret.iter());
        for (place, byte) in bytes.iter_mut().zip(parts) {
            *place = *byte;
        }
    });
    Some(plain)
}

fn encrypted(plain: &SecretBox, recipient: &Recipient) -> Option<String> {
    let recipients: [&dyn age::Recipient; 1] = [recipient];
    let encryptor = age::Encryptor::with_recipients(recipients.into_iter()).ok()?;
    let armoured = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).ok()?;
    let mut writer = encryptor.wrap_output(armoured).ok()?;
    plain.expose(|plain| writer.write_all(plain)).ok()?;
    String::from_utf8(writer.finish().ok()?.finish().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_recipient_reads_it_and_nobody_else() {
        let (theirs, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let file = encrypted(&SecretBox::copy_of(b"label: a\nsecret"), &recipient(&theirs.to_public().to_string()).unwrap()).unwrap();
        assert!(file.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
        let open = |identity: &age::x25519::Identity| {
            let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(file.as_bytes())).unwrap();
            let mut reader = decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).ok()?;
            let mut plain = String::new();
            reader.read_to_string(&mut plain).unwrap();
            Some(plain)
        };
        assert_eq!(open(&theirs).as_deref(), Some("label: a\nsecret"));
        assert_eq!(open(&other), None);
        for wrong in ["", "age1", "AGE-SECRET-KEY-1", "ssh-ed25519 AAAA"] {
            assert!(recipient(wrong).is_err(), "{wrong}");
        }
    }
}
