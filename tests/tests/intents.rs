//! What can be said to a venue: nothing that lets orders pass without a signature each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by unwrapping it")]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use strongroom_model::{Intent, Method, Scheme, SignedRequest, Timestamp};
use strongroom_paper::exchange::{Account, ApiKey, Config, Exchange, LOOPBACK, Market, Rights, Session, Verifying};
use strongroom_tests::every_intent::every;
use strongroom_venues::binance::encode::encode;
use strongroom_venues::binance::{KeyError, SigningKey, VerifyingKey, scheme};

const MS: i64 = 1_800_000_000_000;
const SECRET: &[u8] = b"secretsecretsecretsecretsecretsecretsecretsecretsecretsecret1234";
const RSA: &str = include_str!("../vectors/keys/binance_examples_rsa.pem");
const RSA_PUBLIC: &str = include_str!("../vectors/keys/binance_examples_rsa.pub.pem");
const ED25519: &str = include_str!("../vectors/keys/binance_fixdoc_ed25519.pem");
const DOCUMENT: &str = include_str!("../../docs/signer.md");

/// A trading key of each scheme: its name at the venue, and its stored secret.
fn keys() -> Vec<(&'static str, Scheme, Vec<u8>)> {
    let stored = |scheme, text: &[u8]| scheme::import_secret(scheme, text).unwrap().to_vec();
    vec![
        ("hmac", Scheme::HmacSha256, stored(Scheme::HmacSha256, SECRET)),
        ("rsa", Scheme::RsaSha256, stored(Scheme::RsaSha256, RSA.as_bytes())),
        ("ed25519", Scheme::Ed25519, stored(Scheme::Ed25519, ED25519.as_bytes())),
    ]
}

/// A venue that knows all of them.
fn venue() -> Exchange {
    let (_, _, seed) = keys().remove(2);
    let public = scheme::public_pem(Scheme::Ed25519, &seed).unwrap();
    let mut config = Config::standard(7, Market::Empty);
    config.accounts = vec![Account::funded(vec![
        ApiKey::new("hmac", VerifyingKey::hmac(SECRET), Rights::Trade),
        ApiKey::new("rsa", Verifying::from_pem(RSA_PUBLIC).unwrap(), Rights::Trade),
        ApiKey::new("ed25519", Verifying::from_pem(&public).unwrap(), Rights::Trade),
    ])];
    Exchange::new(config, Timestamp::from_ms(MS))
}

/// Everything that is ever signed, of every intent with every kind of key; and what is not.
fn all_signed() -> (Vec<SignedRequest>, Vec<(Intent, Scheme, KeyError)>) {
    let (mut signed, mut refused) = (Vec::new(), Vec::new());
    for (at, intent) in every().into_iter().enumerate() {
        assert_eq!(intent.number(), at);
        for (name, scheme, secret) in keys() {
            let Ok(unsigned) = encode(&intent, Timestamp::from_ms(MS), 5_000) else { continue };
            match unsigned.sign(name, &SigningKey::from_stored(scheme, &secret).unwrap()) {
                Ok(request) => signed.push(request),
                Err(error) => refused.push((intent.clone(), scheme, error)),
            }
        }
    }
    (signed, refused)
}

#[test]
fn no_intent_says_logon() {
    let (signed, refused) = all_signed();
    assert_eq!(refused, [(Intent::StreamLogin, Scheme::Ed25519, KeyError::LogsOn)], "and nothing else is refused");
    for request in &signed {
        let bytes = format!("{request:?}").to_lowercase();
        assert!(!bytes.contains("session.") && !bytes.contains("logon"), "{bytes}");
        if request.method == Method::Socket {
            let message: Value = serde_json::from_str(&request.body).unwrap();
            assert_eq!(message["method"], "userDataStream.subscribe.signature");
            assert_eq!(message.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "method", "params"]);
        }
    }
    assert_eq!(signed.iter().filter(|request| request.method == Method::Socket).count(), 2);
    // Where a name would be signed that says more than a name, nothing is.
    let unsigned = encode(&Intent::StreamLogin, Timestamp::from_ms(MS), 5_000).unwrap();
    assert_eq!(unsigned.sign("k&side=BUY", &SigningKey::Hmac(SECRET)), Err(KeyError::Name));
}

/// The parameters of a request, as a message of the WebSocket API has them.
fn params_of(request: &SignedRequest) -> Map<String, Value> {
    if request.method == Method::Socket {
        let message: Value = serde_json::from_str(&request.body).unwrap();
        return message["params"].as_object().unwrap().clone();
    }
    let text = if request.query.is_empty() { &request.body } else { &request.query };
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let decoded = |text: &str| text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    pairs.map(|(name, value)| (name.to_owned(), decoded(value).into())).collect()
}

fn say(exchange: &mut Exchange, session: &mut Session, method: &str, params: &Map<String, Value>) -> Value {
    let message = json!({"id": 1, "method": method, "params": params}).to_string();
    serde_json::from_str(&exchange.socket(Timestamp::from_ms(MS + 1), session, &message)[0]).unwrap()
}

/// A hostile desk sends what was signed under another method: a signature covers parameters only.
#[test]
fn nothing_that_is_signed_logs_anybody_on() {
    let (signed, _) = all_signed();
    let order = json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.5", "price": "50000",
        "timestamp": MS,
    });
    let mut subscribed = BTreeMap::new();
    for request in &signed {
        let mut exchange = venue();
        let mut session = Session::new(LOOPBACK, Timestamp::from_ms(MS), false);
        let mut params = params_of(request);
        if request.method == Method::Socket {
            *subscribed.entry(request.api_key.clone()).or_insert(0) += 1;
            let told = say(&mut exchange, &mut session, &request.path, &params);
            assert_eq!(told["status"], 200, "it is a stream login: {told}");
        }
        params.entry("apiKey").or_insert_with(|| request.api_key.clone().into());
        let minimal: Map<String, Value> = ["apiKey", "recvWindow", "signature", "timestamp"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), params.get(*name)?.clone())))
            .collect();
        for params in [&params, &minimal] {
            let told = say(&mut exchange, &mut session, "session.logon", params);
            assert_ne!(told["status"], 200, "{request:?} logs on: {told}");
        }
        let told = say(&mut exchange, &mut session, "order.place", order.as_object().unwrap());
        assert_ne!(told["status"], 200, "an order without a signature: {told}");
    }
    assert_eq!(subscribed.into_iter().collect::<Vec<_>>(), [("hmac".to_owned(), 1), ("rsa".to_owned(), 1)]);
    // The other way round: what is not signed here would be one, so the refusal is not vain.
    let (_, _, seed) = keys().remove(2);
    let signature =
        SigningKey::from_stored(Scheme::Ed25519, &seed).unwrap().sign(format!("apiKey=ed25519&timestamp={MS}").as_bytes()).unwrap();
    let login = json!({"apiKey": "ed25519", "timestamp": MS, "signature": signature});
    let (mut exchange, mut session) = (venue(), Session::new(LOOPBACK, Timestamp::from_ms(MS), false));
    assert_eq!(say(&mut exchange, &mut session, "userDataStream.subscribe.signature", login.as_object().unwrap())["status"], 200);
    assert_eq!(say(&mut exchange, &mut session, "session.logon", login.as_object().unwrap())["status"], 200);
    assert_eq!(say(&mut exchange, &mut session, "order.place", order.as_object().unwrap())["status"], 200);
}

/// docs/signer.md lists what the code lists, word for word.
#[test]
fn every_intent_has_its_row_and_no_other_is_there() {
    let word = |value: Value| match value {
        Value::String(word) => word,
        Value::Object(fields) => fields.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    };
    let expected: Vec<String> = every()
        .iter()
        .map(|intent| {
            let request = match encode(intent, Timestamp::from_ms(MS), 5_000) {
                Ok(unsigned) if unsigned.method == Method::Socket => format!("`{}` (WebSocket API)", unsigned.path),
                Ok(unsigned) => format!("`{} {}`", unsigned.method.as_str(), unsigned.path),
                Err(why) => format!("none: {why}"),
            };
            let operation = word(serde_json::to_value(intent.operation()).unwrap());
            format!("| `{}` | {operation} | {request} |", word(serde_json::to_value(intent).unwrap()))
        })
        .collect();
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with("| intent |"));
    let rows: Vec<&str> = lines.skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows, expected);
}
