//! Runs files of signatures that others made. Invariant: what is not reproduced to the byte is wrong, or is said to be
//! not expressible with the reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use strongroom_model::{
    ClientOrderId, Intent, MarketSize, Notional, OrderRef, OrderSpec, PlaceOrder, Price, Quantity, Scheme, Side, Symbol, TimeInForce,
    Timestamp, VenueOrderId,
};
use strongroom_venues::binance::{SigningKey, encode, scheme};

/// What came of one vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Equal to the byte.
    Reproduced,
    /// No intent or scheme of ours says this.
    NotExpressible(String),
    /// Ours differs.
    Wrong(String),
}

/// Runs a file; a name and a verdict per vector.
pub fn run(text: &str) -> Result<Vec<(String, Verdict)>, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    if let Some(list) = file.as_array() {
        return Ok(list.iter().enumerate().map(|(at, vector)| (name(vector, at), signature(vector))).collect());
    }
    if let (Some(keys), Some(vectors)) = (file.get("keys"), file["vectors"].as_array()) {
        let at = Timestamp::from_ms(file["time_ms"].as_i64().ok_or("no time_ms")?);
        return Ok(vectors.iter().enumerate().map(|(index, vector)| (name(vector, index), request(vector, keys, at))).collect());
    }
    if let Some(vectors) = file["vectors"].as_array() {
        return Ok(vectors.iter().enumerate().map(|(at, vector)| (name(vector, at), signature(vector))).collect());
    }
    let formats = file.as_object().ok_or("a file of no known shape")?;
    let elsewhere =
        || Verdict::NotExpressible("a file of another program: the prompt's own tests read it (crates/prompt/tests)".to_owned());
    Ok(formats.keys().map(|format| (format.clone(), elsewhere())).collect())
}

fn name(vector: &Value, at: usize) -> String {
    ["id", "method"].iter().find_map(|field| vector[field].as_str()).map_or_else(|| at.to_string(), |id| format!("{at} {id}"))
}

fn not(why: &str) -> Verdict {
    Verdict::NotExpressible(why.to_owned())
}

fn compare(ours: &str, theirs: &str) -> Verdict {
    if ours == theirs { Verdict::Reproduced } else { Verdict::Wrong(format!("ours {ours}, theirs {theirs}")) }
}

/// Private keys that were published to be signed with; see `tests/vectors/README.md`.
const KEY_FILES: [(&str, &str); 2] = [
    ("keys/binance_examples_rsa.pem", include_str!("../vectors/keys/binance_examples_rsa.pem")),
    ("keys/binance_fixdoc_ed25519.pem", include_str!("../vectors/keys/binance_fixdoc_ed25519.pem")),
];

/// Signed with a private key: in base64, or where the vector has it so in hexadecimal.
fn signature_of_pair(file: &str, payload: &str, expected: &str) -> Verdict {
    let Some((_, pem)) = KEY_FILES.iter().find(|(name, _)| *name == file) else { return not(&format!("no key file {file}")) };
    let scheme = scheme::recognise(pem.as_bytes());
    let signed = scheme::import_secret(scheme, pem.as_bytes())
        .and_then(|secret| SigningKey::from_stored(scheme, &secret).and_then(|key| key.sign(payload.as_bytes())));
    match signed {
        Ok(ours) if expected.bytes().all(|byte| byte.is_ascii_hexdigit()) => match BASE64.decode(&ours) {
            Ok(ours) => compare(&hex::encode(ours), expected),
            Err(error) => Verdict::Wrong(error.to_string()),
        },
        Ok(ours) => compare(&ours, expected),
        Err(error) => Verdict::Wrong(error.to_string()),
    }
}

/// A payload with its signature.
fn signature(vector: &Value) -> Verdict {
    let (Some(payload), Some(expected)) = (vector["payload"].as_str(), vector["expected"].as_str()) else {
        return not("no payload or signature");
    };
    if vector["algo"].as_str().is_some_and(|algo| algo != "HMAC-SHA256/hex") {
        return match vector["private_key_file"].as_str() {
            Some(file) => signature_of_pair(file, payload, expected),
            None => not("a scheme of another venue"),
        };
    }
    match vector["secret"].as_str() {
        Some(secret) => match SigningKey::Hmac(secret.as_bytes()).sign(payload.as_bytes()) {
            Ok(ours) => compare(&ours, expected),
            Err(error) => Verdict::Wrong(error.to_string()),
        },
        None => not("no secret"),
    }
}

/// A whole request, built from the same intent.
fn request(vector: &Value, keys: &Value, at: Timestamp) -> Verdict {
    if vector["venue"] != "binance" {
        return not("a venue of a later issue");
    }
    let key = &keys[vector["key"].as_str().unwrap_or_default()];
    let Some(api_key) = key["apiKey"].as_str() else { return not("no key") };
    let (scheme, secret) = match (key["secret"].as_str(), key["secret_der"]["base64"].as_str()) {
        (Some(secret), _) => (Scheme::HmacSha256, secret.as_bytes().to_vec()),
        (None, Some(der)) => {
            let lines: Vec<&str> = der.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
            let scheme = scheme::recognise(pem.as_bytes());
            match scheme::import_secret(scheme, pem.as_bytes()) {
                Ok(stored) => (scheme, stored.to_vec()),
                Err(error) => return Verdict::Wrong(error.to_string()),
            }
        }
        _ => return not("no secret"),
    };
    let theirs = &vector["request"];
    let (url, body) = (theirs["url"].as_str().unwrap_or_default(), theirs["body"].as_str());
    let params = body.or_else(|| url.split_once('?').map(|(_, query)| query)).unwrap_or_default();
    let (intent, window) = match intent(theirs["method"].as_str().unwrap_or_default(), url, params) {
        Ok(found) => found,
        Err(why) => return Verdict::NotExpressible(why),
    };
    let Ok(key) = SigningKey::from_stored(scheme, &secret) else { return not("no usable key") };
    let Ok(unsigned) = encode::encode(&intent, at, window) else { return not("the venue has no such request") };
    let Ok(ours) = unsigned.sign(api_key, &key) else { return Verdict::Wrong("it did not sign".to_owned()) };
    let host = url.split("/api/").next().unwrap_or_default();
    let our_url = if ours.query.is_empty() { format!("{host}{}", ours.path) } else { format!("{host}{}?{}", ours.path, ours.query) };
    let headers_fit = theirs["headers"][&ours.key_header] == ours.api_key && theirs["method"] == ours.method.as_str();
    if !headers_fit {
        return Verdict::Wrong("method or key header differ".to_owned());
    }
    match compare(&our_url, url) {
        Verdict::Reproduced => compare(&ours.body, body.unwrap_or_default()),
        other => other,
    }
}

type Params = Vec<(String, String)>;

/// The intent behind a request; it says nothing of how the request is written or signed.
fn intent(method: &str, url: &str, params: &str) -> Result<(Intent, u32), String> {
    let decode = |text: &str| percent(text);
    let pairs: Params =
        params.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), decode(value))).collect();
    let get = |name: &str| pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let known = [
        "timestamp",
        "symbol",
        "side",
        "newClientOrderId",
        "newOrderRespType",
        "type",
        "quantity",
        "price",
        "timeInForce",
        "recvWindow",
        "signature",
        "orderId",
        "origClientOrderId",
        "quoteOrderQty",
    ];
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(format!("no intent has {name}"));
    }
    let path = url.split('?').next().unwrap_or_default().split(".com").nth(1).unwrap_or_default();
    let symbol = || Symbol::parse(get("symbol").unwrap_or_default()).map_err(|error| error.to_string());
    let order = || match (get("orderId"), get("origClientOrderId")) {
        (Some(id), _) => id.parse().map(|id| OrderRef::Venue(VenueOrderId(id))).map_err(|_| "not a number".to_owned()),
        (_, Some(id)) => ClientOrderId::parse(id).map(OrderRef::Client).map_err(|error| error.to_string()),
        _ => Err("no order named".to_owned()),
    };
    let intent = match (method, path) {
        ("POST", "/api/v3/order") => place(&get, symbol()?)?,
        ("DELETE", "/api/v3/order") => Intent::Cancel { symbol: symbol()?, order: order()? },
        ("DELETE", "/api/v3/openOrders") => Intent::CancelAll { symbol: symbol()? },
        ("GET", "/api/v3/order") => Intent::QueryOrder { symbol: symbol()?, order: order()? },
        ("GET", "/api/v3/openOrders") => {
            Intent::QueryOpenOrders { symbol: get("symbol").map(Symbol::parse).transpose().map_err(|e| e.to_string())? }
        }
        ("GET", "/api/v3/account") => Intent::QueryBalances,
        _ => return Err(format!("no intent is {method} {path}")),
    };
    let window = get("recvWindow").and_then(|window| window.parse().ok()).ok_or("no recvWindow")?;
    Ok((intent, window))
}

fn place<'a>(get: &impl Fn(&str) -> Option<&'a str>, symbol: Symbol) -> Result<Intent, String> {
    if get("newOrderRespType") != Some("FULL") || get("newClientOrderId").is_none() {
        return Err("our orders always have a name and ask for the full answer".to_owned());
    }
    let text = |name: &str| get(name).ok_or_else(|| format!("no {name}"));
    let price = || text("price").and_then(|text| Price::parse(text).map_err(|error| error.to_string()));
    let quantity = || text("quantity").and_then(|text| Quantity::parse(text).map_err(|error| error.to_string()));
    let spec = match (text("type")?, get("timeInForce")) {
        ("LIMIT", Some("GTC")) => OrderSpec::Limit { price: price()?, quantity: quantity()?, tif: TimeInForce::Gtc },
        ("LIMIT", Some("IOC")) => OrderSpec::Limit { price: price()?, quantity: quantity()?, tif: TimeInForce::Ioc },
        ("LIMIT", Some("FOK")) => OrderSpec::Limit { price: price()?, quantity: quantity()?, tif: TimeInForce::Fok },
        ("LIMIT_MAKER", None) => OrderSpec::PostOnly { price: price()?, quantity: quantity()? },
        ("MARKET", None) => match get("quoteOrderQty") {
            Some(notional) => OrderSpec::Market { size: MarketSize::Quote(Notional::parse(notional).map_err(|error| error.to_string())?) },
            None => OrderSpec::Market { size: MarketSize::Base(quantity()?) },
        },
        (other, tif) => return Err(format!("no intent is a {other} order with {tif:?}")),
    };
    let side = if text("side")? == "BUY" { Side::Buy } else { Side::Sell };
    let client_order_id = ClientOrderId::parse(text("newClientOrderId")?).map_err(|error| error.to_string())?;
    Ok(Intent::Place(PlaceOrder { client_order_id, symbol, side, spec, reduce_only: false }))
}

fn percent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
