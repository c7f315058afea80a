//! OctoBot's `user/config.json`: Fernet tokens under a key that is in its source for everyone to see. Invariant: a token is
//! opened only after its checksum was verified, and only for a venue whose keys can be used; the name of a key always.

use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::found::{Form, Found, Reading, Standing, is_placeholder, listed};
use super::json::words;
use super::opening::Opening;
use super::{Trouble, Why, venue};

/// `OCTOBOT_KEY` in `octobot_commons/__init__.py`, version 1.10.6 as published on PyPI: no secret.
const KEY: &str = "uVEw_JJe7uiXepaU_DR4T-ThkjZlDn8Pzl8hYPIv7w0=";
/// Every token's first bytes: version 0x80 and the time's leading zeros.
const TOKEN_BEGIN: &str = "gAAAA";
const OTHERS: &[&str] = &["api-password", "private-key", "wallet-address", "api-uid", "access_token"];
const HEAD_LEN: usize = 1 + 8;
const IV_LEN: usize = 16;
const MAC_LEN: usize = 32;

pub(super) fn is_it(exchanges: &Map<String, Value>) -> bool {
    exchanges.values().any(|one| one.get("api-key").is_some() || one.get("api-secret").is_some())
}

pub(super) fn read(exchanges: &Map<String, Value>, opening: &Opening<'_>) -> Result<Reading, Trouble> {
    let mut found = Vec::new();
    for (name, exchange) in exchanges {
        let Some(exchange) = exchange.as_object() else { continue };
        let Some(api_key) = words(exchange, "api-key") else { continue };
        let secret = words(exchange, "api-secret").filter(|secret| !is_placeholder(secret));
        let (api_key, locked) = match plain(api_key) {
            Some(api_key) => (api_key, false),
            None => (Zeroizing::default(), true),
        };
        // What is not opened stands for itself: a venue that is not supported refuses it unread.
        let is_supported = venue::is_supported(venue::recognise(name).venue);
        let opened = secret.map(|secret| if is_supported { plain(secret) } else { Some(Zeroizing::new(secret.to_owned())) });
        let locked = locked || matches!(opened, Some(None));
        let left = OTHERS.iter().copied().filter(|field| words(exchange, field).is_some_and(|value| !is_placeholder(value)));
        let opened = opened.flatten();
        let key = Standing {
            name,
            place: ["exchanges", name].join("."),
            left: listed(left),
            api_key: &api_key,
            secret: opened.as_deref().map(String::as_str),
        };
        if key.is_example(opening) {
            continue;
        }
        let key = key.judge(opening)?;
        found.push(if locked && is_supported { Found { secret: Err(Why::Locked), ..key } } else { key });
    }
    Ok(Reading { form: Form::OctoBot, also: String::new(), found })
}

/// A value in the clear; `None` when it is a token that the key does not open.
fn plain(value: &str) -> Option<Zeroizing<String>> {
    if !value.starts_with(TOKEN_BEGIN) {
        return Some(Zeroizing::new(value.to_owned()));
    }
    let key = BASE64.decode(KEY).ok()?;
    fernet(&key, value)
}

/// Opens a token: `0x80 | time u64 | IV | AES-128-CBC | HMAC-SHA-256 over all before`; the key is `sign | encrypt`.
fn fernet(key: &[u8], token: &str) -> Option<Zeroizing<String>> {
    let (sign, encrypt) = key.split_at_checked(16)?;
    let mut token = Zeroizing::new(BASE64.decode(token).ok()?);
    let at = token.len().checked_sub(MAC_LEN).filter(|at| *at >= HEAD_LEN + IV_LEN)?;
    let (signed, tag) = token.split_at_mut(at);
    let mut mac = Hmac::<Sha256>::new_from_slice(sign).ok()?;
    mac.update(signed);
    mac.verify_slice(tag).ok()?;
    let (head, sealed) = signed.split_at_mut(HEAD_LEN + IV_LEN);
    let cipher = cbc::Decryptor::<aes::Aes128>::new_from_slices(encrypt, &head[HEAD_LEN..]).ok()?;
    let plain = cipher.decrypt_padded::<Pkcs7>(sealed).ok()?;
    std::str::from_utf8(plain).ok().map(|plain| Zeroizing::new(plain.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Fernet specification's own vectors: verify.json and entries of invalid.json (github.com/fernet/spec, MIT).
    #[test]
    fn the_specifications_vectors() {
        let key = BASE64.decode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
        let token = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
        assert_eq!(fernet(&key, token).as_deref().map(String::as_str), Some("hello"));
        for (why, token) in [
            ("incorrect mac", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ=="),
            ("too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA=="),
            ("invalid base64", "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q=="),
            (
                "payload padding error",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
            ),
        ] {
            assert!(fernet(&key, token).is_none(), "{why}");
        }
    }
}
