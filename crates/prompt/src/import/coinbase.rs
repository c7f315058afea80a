//! Coinbase's `cdp_api_key.json`. Invariant: a key of Coinbase is told by its name and its private key, and no other field
//! of the file is looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::found::Standing;
use super::json::words;
use super::pem;

/// The key that an object is: a `name` (older) or `id`, and a private key that is EC in PEM or Ed25519 in base64.
pub(super) fn key(object: &Map<String, Value>) -> Option<Standing<'_>> {
    let secret = words(object, "privateKey")?;
    let name = words(object, "name").or_else(|| words(object, "id"))?;
    let other = object.contains_key("apiKey") || object.contains_key("secret") || object.contains_key("walletAddress");
    let is_one = !other && (secret.starts_with(pem::BEGIN) || is_ed25519(secret));
    let place = || "the whole file".to_owned();
    is_one.then(|| Standing { name: "coinbase", place: place(), left: String::new(), api_key: name, secret: Some(secret) })
}

/// 32 bytes of a seed, or 64 of seed and public key, in base64.
pub(super) fn is_ed25519(secret: &str) -> bool {
    BASE64.decode(secret).map(Zeroizing::new).is_ok_and(|bytes| matches!(bytes.len(), 32 | 64))
}
