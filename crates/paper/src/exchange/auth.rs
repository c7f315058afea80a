//! Whose request is this? Invariant: the signature is checked over the bytes that were received, query before body.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

use strongroom_model::Timestamp;

use super::params::Params;
use super::refusal::ApiRefusal;
use super::verifying::Verifying;
use super::{Request, Rights};
use crate::engine::AccountId;

/// How long a request stays valid when it does not say.
const RECV_WINDOW_MS: i64 = 5_000;
/// How long a request may ask to stay valid.
const RECV_WINDOW_MS_MAX: i64 = 60_000;
/// How far a client's clock may be ahead.
const AHEAD_MS_MAX: i64 = 1_000;
/// Longest text that can be an API key.
const API_KEY_LEN_MAX: usize = 128;

/// A key as the venue keeps it.
pub(crate) struct Credential {
    pub(crate) account: AccountId,
    pub(crate) verifying: Verifying,
    pub(crate) rights: Rights,
    /// Where its requests may come from; empty: from anywhere.
    pub(crate) addresses: Vec<IpAddr>,
    /// When it was made.
    pub(crate) created: Timestamp,
}

/// All keys by their public name.
pub(crate) type Credentials = HashMap<String, Credential>;

/// What a request brings to show whose it is.
pub(crate) struct Proof<'a> {
    /// Public name of the key; empty for none.
    pub(crate) api_key: &'a str,
    /// What the client signed.
    pub(crate) payload: Cow<'a, [u8]>,
    /// Where it comes from.
    pub(crate) address: IpAddr,
    /// A session that was logged on with this key stands for the signature.
    pub(crate) is_logged_on: bool,
    /// It came through the WebSocket API.
    pub(crate) by_socket: bool,
}

impl<'a> Proof<'a> {
    /// Of a REST request: query and body as they came.
    pub(crate) fn of_rest(request: &Request<'a>) -> Self {
        let api_key = request.api_key.unwrap_or_default();
        Self { api_key, payload: payload(request), address: request.address, is_logged_on: false, by_socket: false }
    }
}

/// Finds the caller of a signed request and checks right, time and signature, in the venue's order.
pub(crate) fn authenticate<'a>(
    keys: &'a Credentials,
    now: Timestamp,
    proof: &Proof<'_>,
    params: &mut Params,
    needed: Rights,
) -> Result<&'a Credential, ApiRefusal> {
    let api_key = proof.api_key;
    if !(1..=API_KEY_LEN_MAX).contains(&api_key.len()) || !api_key.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ApiRefusal::key_format());
    }
    let credential = keys.get(api_key).ok_or_else(ApiRefusal::key)?;
    let timestamp = timestamp(params.needed("timestamp")?)?;
    let recv_window = recv_window(params.optional("recvWindow")?)?;
    let signature = if proof.is_logged_on { None } else { Some(params.needed("signature")?) };
    if timestamp.us() >= now.plus_ms(AHEAD_MS_MAX).us() {
        return Err(ApiRefusal::ahead_of_time());
    }
    if now.us().saturating_sub(timestamp.us()) > recv_window.us() {
        return Err(ApiRefusal::outside_window());
    }
    // By the WebSocket API the payload is not encoded; by REST it has to be (`CHANGELOG.md`, 2026-01-15).
    let is_encoded = proof.by_socket || is_percent_encoded(&proof.payload);
    if signature.is_some_and(|signature| !is_encoded || !credential.verifying.verify(&proof.payload, signature)) {
        return Err(ApiRefusal::signature());
    }
    let is_allowed = credential.addresses.is_empty() || credential.addresses.contains(&proof.address);
    if !is_allowed || (needed == Rights::Trade && credential.rights == Rights::Read) {
        return Err(ApiRefusal::key_from(proof.address));
    }
    Ok(credential)
}

/// Whether only what may stand in a parameter does (RFC 3986, unreserved, and what encoders of forms leave: `!'()*` and `+`).
fn is_percent_encoded(payload: &[u8]) -> bool {
    let mut rest = payload;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'%' => match after {
                [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => after,
                _ => return false,
            },
            b if b.is_ascii_alphanumeric() || b"-_.~!'()*+=&,;$".contains(b) => after,
            _ => return false,
        };
    }
    true
}

/// Milliseconds, or microseconds when there are more than thirteen digits.
fn timestamp(text: &str) -> Result<Timestamp, ApiRefusal> {
    let illegal = || ApiRefusal::illegal("timestamp", "^[0-9]{1,20}$");
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(illegal());
    }
    let number: i64 = text.parse().map_err(|_| illegal())?;
    Ok(if text.len() > 13 { Timestamp::from_us(number) } else { Timestamp::from_ms(number) })
}

/// Milliseconds with up to three decimals, as a span since the epoch.
fn recv_window(text: Option<&str>) -> Result<Timestamp, ApiRefusal> {
    let Some(text) = text else { return Ok(Timestamp::from_ms(RECV_WINDOW_MS)) };
    let illegal = || ApiRefusal::illegal("recvWindow", r"^[0-9]{1,5}(\.[0-9]{1,3})?$");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || part.is_empty() || part.len() > 3 || !(whole.bytes().chain(part.bytes())).all(|b| b.is_ascii_digit()) {
        return Err(illegal());
    }
    let ms: i64 = whole.parse().map_err(|_| illegal())?;
    let us: i64 = format!("{part:0<3}").parse().map_err(|_| illegal())?;
    let window = Timestamp::from_us(ms.saturating_mul(1_000).saturating_add(us));
    if window > Timestamp::from_ms(RECV_WINDOW_MS_MAX) {
        return Err(ApiRefusal::too_great("recvWindow", RECV_WINDOW_MS_MAX.unsigned_abs()));
    }
    Ok(window)
}

/// What the client signed: query and body as they came, without the signature itself and without a separator.
fn payload<'a>(request: &Request<'a>) -> Cow<'a, [u8]> {
    let query = without_signature(request.query.as_bytes());
    let body = without_signature(request.body);
    match (query.is_empty(), body.is_empty()) {
        (_, true) => query,
        (true, false) => body,
        (false, false) => Cow::Owned([query, body].concat()),
    }
}

fn without_signature(params: &[u8]) -> Cow<'_, [u8]> {
    const NAME: &[u8] = b"signature=";
    let is_signature = |pair: &&[u8]| pair.starts_with(NAME);
    let pairs: Vec<&[u8]> = params.split(|b| *b == b'&').collect();
    match pairs.iter().position(is_signature) {
        None => Cow::Borrowed(params),
        Some(at) if at + 1 == pairs.len() => Cow::Borrowed(&params[..params.len().saturating_sub(pairs[at].len() + 1)]),
        Some(_) => Cow::Owned(pairs.into_iter().filter(|pair| !is_signature(pair)).collect::<Vec<_>>().join(&b'&')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::LOOPBACK;

    #[test]
    fn payload_is_query_then_body_as_received() {
        let rows: [(&str, &str, &str); 7] = [
            ("a=1&signature=x", "", "a=1"),
            ("", "a=1&signature=x", "a=1"),
            ("a=1", "b=2&signature=x", "a=1b=2"),
            ("a=1&signature=x", "b=2", "a=1b=2"),
            ("signature=x&a=1&b=%E5", "", "a=1&b=%E5"),
            ("signature=x", "", ""),
            ("a=1&notsignature=x", "", "a=1&notsignature=x"),
        ];
        for (query, body, signed) in rows {
            let request = Request { method: "GET", path: "/", query, body: body.as_bytes(), api_key: None, address: LOOPBACK };
            assert_eq!(payload(&request), signed.as_bytes(), "{query} + {body}");
        }
    }

    #[test]
    fn what_is_not_percent_encoded_is_seen() {
        for text in ["a=1&b=x-_.~", "a=%E5%B8%81&b=%2F", "a=b+c&d=(1)*!'", ""] {
            assert!(is_percent_encoded(text.as_bytes()), "{text}");
        }
        for text in ["a=é", "a=b/c", "a=b:c", "a=[\"X\"]", "a=b c", "a=%", "a=%2", "a=%zz", "a=<", "a=@"] {
            assert!(!is_percent_encoded(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn windows_of_validity() {
        for (text, us) in [("5000", 5_000_000), ("60000", 60_000_000), ("6000.346", 6_000_346), ("0.5", 500)] {
            assert_eq!(recv_window(Some(text)).unwrap().us(), us, "{text}");
        }
        for text in ["60000.001", "60001", "99999999999999999999", "-1", "1.", ".5", "1.2345", "x"] {
            assert!(recv_window(Some(text)).is_err(), "{text}");
        }
    }
}
