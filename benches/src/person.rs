//! A person at a prompt. Invariant: it answers with what it was shown and what it brought, nothing else.

use anyhow::Context as _;
use strongroom_signer_api::prompt::{Field, FromPrompt, Show, ToPrompt};

use crate::order::Key;

const PASSWORD: &[u8] = b"a password for measurements";

/// What a person knows.
pub struct Person {
    api_key: &'static str,
    secret: &'static str,
    kit: String,
    otp_uri: String,
}

impl Person {
    /// Somebody who holds `key`.
    pub const fn new(key: &Key) -> Self {
        Self { api_key: key.api_key, secret: key.secret, kit: String::new(), otp_uri: String::new() }
    }

    /// The answer to what a signer `said`; `None` when it is none.
    pub fn answer(&mut self, said: &[u8], code_s: u64) -> anyhow::Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        match ToPrompt::parse(said).context("the prompt was told nonsense")? {
            ToPrompt::Ask(field, _) => FromPrompt::Answer(&self.typed(field, code_s)?).write(&mut out),
            ToPrompt::Show(show, text) => {
                let text = String::from_utf8_lossy(text).into_owned();
                match show {
                    Show::Kit | Show::AuditorCode | Show::RecoveryCodes => self.kit = text,
                    Show::OtpUri => self.otp_uri = text,
                }
                FromPrompt::Shown.write(&mut out);
            }
            ToPrompt::About(_) | ToPrompt::Takes(_) | ToPrompt::End(..) => return Ok(None),
        }
        Ok(Some(out))
    }

    fn typed(&self, field: Field, code_s: u64) -> anyhow::Result<Vec<u8>> {
        Ok(match field {
            Field::Password | Field::NewPassword => PASSWORD.to_vec(),
            Field::ApiKey => self.api_key.into(),
            Field::ApiSecret => self.secret.into(),
            Field::Kit => self.kit.clone().into_bytes(),
            Field::KitGroup => self.kit.split(' ').next_back().unwrap_or_default().into(),
            Field::Totp => self.code(code_s)?.into_bytes(),
            Field::Pin => anyhow::bail!("no share of this vault is kept elsewhere"),
        })
    }

    fn code(&self, at_s: u64) -> anyhow::Result<String> {
        let secret = self.otp_uri.split(['?', '&']).find_map(|pair| pair.strip_prefix("secret=")).context("no seed was shown")?;
        let secret = totp_rs::Secret::try_from_base32(secret).context("the seed is not base32")?;
        let name = "vault".to_owned();
        let generator = totp_rs::Builder::new().with_secret(secret).with_account_name(name).with_issuer(Some("Strongroom".to_owned()));
        Ok(generator.build().context("no code generator")?.generate(at_s).to_string())
    }
}
