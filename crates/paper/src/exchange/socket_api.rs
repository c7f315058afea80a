//! The WebSocket API (`web-socket-api.md`): the same operations as by REST, asked over one connection that can be logged on and can
//! listen to user data.
//!
//! Invariant: a session speaks for an account only after a signature of one of its keys was checked; what it may do is looked up
//! again with every request, so that a revoked key ends.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value, json};
use strongroom_model::Timestamp;

use super::auth::{self, Credential, Proof};
use super::params::Params;
use super::refusal::ApiRefusal;
use super::routes::{self, Answer, json as answer};
use super::user_data::{UserEvent, terminated};
use super::{Cost, Exchange, Rights};
use crate::engine::AccountId;

/// Subscriptions at once, and over the life of a connection (`web-socket-api.md`, “User Data Stream subscription”).
const SUBSCRIPTIONS_MAX: usize = 1_000;
const SUBSCRIPTIONS_EVER_MAX: u32 = 65_535;
/// Longest `id` of a request that is echoed.
const ID_LEN_MAX: usize = 36;
/// Weight of a new connection.
const CONNECTION_WEIGHT: u32 = 2;
/// Weight of the requests about sessions and subscriptions.
const SESSION_WEIGHT: u32 = 2;

/// `errors.md`, -2015: key, address or permissions.
const INVALID_KEY: i32 = -2015;

/// Why a request of an unknown shape was refused before anything was looked at.
const NOT_JSON: (i32, &str) = (-1135, "Invalid JSON Request");

#[derive(Clone, Debug)]
struct Logon {
    api_key: String,
    since: Timestamp,
}

#[derive(Clone, Debug)]
struct Subscription {
    account: AccountId,
    api_key: String,
    /// Made by the session's own key: ends when it logs out.
    of_session: bool,
}

/// One connection to the WebSocket API.
#[derive(Clone, Debug)]
pub struct Session {
    address: IpAddr,
    connected: Timestamp,
    tells_limits: bool,
    logon: Option<Logon>,
    subscriptions: BTreeMap<u32, Subscription>,
    next_subscription: u32,
    /// Accounts of subscriptions that ended, until the exchange knows.
    ended: Vec<AccountId>,
    is_banned: bool,
}

impl Session {
    /// A new connection from `address`. `tells_limits`: whether answers carry `rateLimits` when they are not asked to or not to.
    pub const fn new(address: IpAddr, connected: Timestamp, tells_limits: bool) -> Self {
        Self {
            address,
            connected,
            tells_limits,
            logon: None,
            subscriptions: BTreeMap::new(),
            next_subscription: 0,
            ended: Vec::new(),
            is_banned: false,
        }
    }

    /// Whether it listens to the account of an event; the frame that carries the event then.
    pub fn frame_of(&mut self, event: &UserEvent) -> Option<Value> {
        let is_meant = |subscription: &Subscription| {
            subscription.account == event.account && event.ends.as_ref().is_none_or(|api_key| *api_key == subscription.api_key)
        };
        let (id, _) = self.subscriptions.iter().find(|(_, subscription)| is_meant(subscription))?;
        let frame = json!({"subscriptionId": id, "event": event.event});
        if event.ends.is_some() {
            self.end(*id);
        }
        Some(frame)
    }

    /// Its address was banned: the connection ends after the answer (`web-socket-api.md`, "IP Limits").
    pub const fn is_banned(&self) -> bool {
        self.is_banned
    }

    fn end(&mut self, id: u32) {
        self.ended.extend(self.subscriptions.remove(&id).map(|subscription| subscription.account));
    }

    /// Accounts that it listens to.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.subscriptions.values().map(|subscription| subscription.account)
    }

    fn status(&self, now: Timestamp) -> Answer {
        answer(&json!({
            "apiKey": self.logon.as_ref().map(|logon| &logon.api_key),
            "authorizedSince": self.logon.as_ref().map(|logon| logon.since.ms()),
            "connectedSince": self.connected.ms(),
            "returnRateLimits": self.tells_limits,
            "serverTime": now.ms(),
            "userDataStream": !self.subscriptions.is_empty(),
        }))
    }
}

/// A request as far as it could be read.
struct Asked<'a> {
    id: Value,
    method: &'a str,
    params: Map<String, Value>,
}

/// Reads a request; otherwise the id to answer to, and why not.
fn read<'a>(message: &'a Value) -> Result<Asked<'a>, (Value, ApiRefusal)> {
    let refuse = |id: Value, code, msg: &str| Err((id, ApiRefusal::new(400, code, msg)));
    let Value::Object(fields) = message else { return refuse(Value::Null, NOT_JSON.0, NOT_JSON.1) };
    let id = fields.get("id").cloned().unwrap_or(Value::Null);
    let is_name = |id: &str| (1..=ID_LEN_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let is_id = id.is_null() || id.is_i64() || id.as_str().is_some_and(is_name);
    if !is_id {
        return refuse(Value::Null, -1100, "Illegal characters found in parameter 'id'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.");
    }
    let Some(method) = fields.get("method").and_then(Value::as_str) else {
        return refuse(id, -1102, "Mandatory parameter 'method' was not sent, was empty/null, or malformed.");
    };
    let params = match fields.get("params") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(params)) => params.clone(),
        Some(_) => return refuse(id, NOT_JSON.0, NOT_JSON.1),
    };
    Ok(Asked { id, method: method.strip_prefix("v3/").unwrap_or(method), params })
}

/// What an answer is made of.
struct Outcome {
    answer: Answer,
    counts_orders_of: Option<AccountId>,
    /// The session's key is no key any more: the answer has no id (`web-socket-api.md`, "Regarding API key revocation").
    is_revoked: bool,
}

impl Exchange {
    /// A connection from `address` is asked for (`web-socket-api.md`, "IP Limits"); its body when it is refused.
    pub fn connect(&mut self, now: Timestamp, address: IpAddr) -> Result<(), (u16, Vec<u8>)> {
        self.addresses.admit(now, address, CONNECTION_WEIGHT).map_err(|refusal| (refusal.status, refusal.body()))?;
        self.addresses.charge(now, address, CONNECTION_WEIGHT);
        Ok(())
    }

    /// The connection of a session has ended.
    pub fn close_session(&mut self, mut session: Session) {
        for id in session.subscriptions.keys().copied().collect::<Vec<_>>() {
            session.end(id);
        }
        self.note_ended(&mut session);
    }

    fn note_ended(&mut self, session: &mut Session) {
        for account in session.ended.drain(..) {
            self.floor.unlisten(account);
        }
    }

    /// Answers one message of a session; also what the session's own subscriptions are told because of it.
    pub fn socket(&mut self, now: Timestamp, session: &mut Session, text: &str) -> Vec<String> {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            let refusal = ApiRefusal::new(400, NOT_JSON.0, NOT_JSON.1);
            return vec![self.reply(now, session, &Value::Null, Err(refusal), None, session.tells_limits)];
        };
        let asked = match read(&message) {
            Ok(asked) => asked,
            Err((id, refusal)) => return vec![self.reply(now, session, &id, Err(refusal), None, session.tells_limits)],
        };
        let Asked { id, method, params } = asked;
        let tells = match params.get("returnRateLimits") {
            Some(Value::Bool(tells)) => *tells,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text == "false" => false,
            _ => session.tells_limits,
        };
        let mut told = Vec::new();
        let outcome = match Params::of_json(&params) {
            Ok(params) => self.ask(now, session, method, params, &mut told),
            Err(refusal) => Outcome { answer: Err(refusal), counts_orders_of: None, is_revoked: false },
        };
        session.is_banned = outcome.answer.as_ref().is_err_and(|refusal| refusal.status == 418);
        let id = if outcome.is_revoked { Value::Null } else { id };
        let mut frames = vec![self.reply(now, session, &id, outcome.answer, outcome.counts_orders_of, tells)];
        frames.extend(told.iter().map(Value::to_string));
        frames
    }

    fn ask(&mut self, now: Timestamp, session: &mut Session, method: &str, mut params: Params, told: &mut Vec<Value>) -> Outcome {
        let plain = |answer| Outcome { answer, counts_orders_of: None, is_revoked: false };
        if let Some(work) = session_work(method) {
            let cost = Cost { weight: SESSION_WEIGHT, is_free_on_success: false };
            let address = session.address;
            return plain(self.metered(now, address, cost, |exchange| work(exchange, now, session, &mut params, told)));
        }
        let Some(operation) = routes::of_socket(method) else {
            return plain(Err(ApiRefusal::new(400, -1020, "This operation is not supported.")));
        };
        let cost = Cost::of(operation.method, operation.path, &params.query());
        let address = session.address;
        let counts_orders = matches!(operation.method, "POST") && operation.path.contains("/order");
        let (mut account, mut by_session) = (None, false);
        let answer = self.metered(now, address, cost, |exchange| {
            params.pass_over("returnRateLimits");
            let payload = params.signed_text();
            let (api_key, is_logged_on) = who(session, &mut params)?;
            by_session = is_logged_on;
            let proof = Proof { api_key: &api_key, payload: Cow::Owned(payload.into_bytes()), address, is_logged_on, by_socket: true };
            account = exchange.keys.get(api_key.as_str()).map(|credential| credential.account);
            exchange.carry_out(now, operation, &proof, &mut params, &mut Vec::new())
        });
        let is_gone = session.logon.as_ref().is_some_and(|logon| !self.keys.contains_key(logon.api_key.as_str()));
        let is_refused = by_session && answer.as_ref().is_err_and(|refusal| refusal.code == INVALID_KEY);
        if is_gone || is_refused {
            self.leave(session, now, told);
        }
        Outcome { answer, counts_orders_of: account.filter(|_| counts_orders), is_revoked: is_refused }
    }

    fn reply(
        &mut self,
        now: Timestamp,
        session: &Session,
        id: &Value,
        answer: Answer,
        orders_of: Option<AccountId>,
        tells_limits: bool,
    ) -> String {
        let limits = tells_limits.then(|| self.limits_used(now, session.address, orders_of));
        let mut frame = Map::new();
        frame.insert("id".to_owned(), id.clone());
        let result = match answer {
            Ok(body) => {
                frame.insert("status".to_owned(), 200.into());
                String::from_utf8(body).ok()
            }
            Err(refusal) => {
                frame.insert("status".to_owned(), refusal.status.into());
                frame.insert("error".to_owned(), refusal.socket_error(now));
                None
            }
        };
        let head = Value::Object(frame).to_string();
        let mut text = head.strip_suffix('}').unwrap_or(&head).to_owned();
        if let Some(result) = result {
            text.push_str(",\"result\":");
            text.push_str(&result);
        }
        if let Some(limits) = limits {
            text.push_str(",\"rateLimits\":");
            text.push_str(&limits.to_string());
        }
        text.push('}');
        text
    }

    fn limits_used(&mut self, now: Timestamp, address: IpAddr, orders_of: Option<AccountId>) -> Value {
        let weight = self.addresses.used_weight(now, address);
        let orders = orders_of.and_then(|account| self.order_quotas.get_mut(&account)).map(|quota| quota.used(now));
        let mut told = Vec::new();
        let mut orders = orders.into_iter().flatten();
        for rule in self.limits.announced() {
            let count = match rule.rate_limit_type.as_str() {
                "REQUEST_WEIGHT" => Some(weight),
                "ORDERS" => orders.next(),
                _ => None,
            };
            if let Some(count) = count {
                told.push(json!({
                    "rateLimitType": rule.rate_limit_type, "interval": rule.interval, "intervalNum": rule.interval_num,
                    "limit": rule.limit, "count": count,
                }));
            }
        }
        Value::Array(told)
    }

    fn session_logon(&mut self, now: Timestamp, session: &mut Session, params: &mut Params, _: &mut Vec<Value>) -> Answer {
        params.pass_over("returnRateLimits");
        let (api_key, credential) = self.signed(now, session, params)?;
        if !credential.verifying.logs_on() {
            return Err(ApiRefusal::new(400, -4056, "HMAC_SHA256 API key is not supported."));
        }
        params.finish()?;
        session.logon = Some(Logon { api_key, since: now });
        session.status(now)
    }

    /// The key that a request itself is signed with.
    fn signed(&self, now: Timestamp, session: &Session, params: &mut Params) -> Result<(String, &Credential), ApiRefusal> {
        let payload = Cow::Owned(params.signed_text().into_bytes());
        let api_key = params.needed("apiKey")?.to_owned();
        let proof = Proof { api_key: &api_key, payload, address: session.address, is_logged_on: false, by_socket: true };
        let credential = auth::authenticate(&self.keys, now, &proof, params, Rights::Read)?;
        Ok((api_key, credential))
    }

    fn session_status(&mut self, now: Timestamp, session: &mut Session, params: &mut Params, _: &mut Vec<Value>) -> Answer {
        params.pass_over("returnRateLimits");
        params.finish()?;
        session.status(now)
    }

    fn session_logout(&mut self, now: Timestamp, session: &mut Session, params: &mut Params, told: &mut Vec<Value>) -> Answer {
        params.pass_over("returnRateLimits");
        params.finish()?;
        self.leave(session, now, told);
        session.status(now)
    }

    /// The session forgets its key; what it listened to by that key ends.
    fn leave(&mut self, session: &mut Session, now: Timestamp, told: &mut Vec<Value>) {
        session.logon = None;
        let ended: Vec<u32> = session.subscriptions.iter().filter(|(_, subscription)| subscription.of_session).map(|(id, _)| *id).collect();
        for id in ended {
            self.end_subscription(session, id, now, told);
        }
    }

    fn subscribe(&mut self, _: Timestamp, session: &mut Session, params: &mut Params, _: &mut Vec<Value>) -> Answer {
        params.pass_over("returnRateLimits");
        params.finish()?;
        let logon = session.logon.as_ref().ok_or_else(|| ApiRefusal::new(401, -2015, "Invalid API-key, IP, or permissions for action."))?;
        let api_key = logon.api_key.clone();
        let account = self.keys.get(api_key.as_str()).ok_or_else(ApiRefusal::key)?.account;
        self.add_subscription(session, Subscription { account, api_key, of_session: true })
    }

    fn subscribe_by_signature(&mut self, now: Timestamp, session: &mut Session, params: &mut Params, _: &mut Vec<Value>) -> Answer {
        params.pass_over("returnRateLimits");
        let (api_key, credential) = self.signed(now, session, params)?;
        let account = credential.account;
        params.finish()?;
        self.add_subscription(session, Subscription { account, api_key, of_session: false })
    }

    fn add_subscription(&mut self, session: &mut Session, subscription: Subscription) -> Answer {
        let account = subscription.account;
        if session.accounts().any(|other| other == account) {
            return Err(ApiRefusal::new(400, -2035, "User Data Stream subscription already active."));
        }
        if session.subscriptions.len() >= SUBSCRIPTIONS_MAX || session.next_subscription >= SUBSCRIPTIONS_EVER_MAX {
            return Err(ApiRefusal::new(
                400,
                -1191,
                format!("Too many subscriptions. Connection may create up to '{SUBSCRIPTIONS_MAX}' subscriptions at a time."),
            ));
        }
        let id = session.next_subscription;
        session.next_subscription += 1;
        session.subscriptions.insert(id, subscription);
        self.floor.listen(account);
        answer(&json!({"subscriptionId": id}))
    }

    fn unsubscribe(&mut self, now: Timestamp, session: &mut Session, params: &mut Params, told: &mut Vec<Value>) -> Answer {
        params.pass_over("returnRateLimits");
        let wanted = params.integer("subscriptionId")?.map(|id| u32::try_from(id).unwrap_or(u32::MAX));
        params.finish()?;
        let ids: Vec<u32> = session.subscriptions.keys().copied().filter(|id| wanted.is_none_or(|wanted| wanted == *id)).collect();
        if wanted.is_some() && ids.is_empty() {
            return Err(ApiRefusal::new(400, -2036, "User Data Stream subscription does not exist."));
        }
        for id in ids {
            self.end_subscription(session, id, now, told);
        }
        answer(&json!({}))
    }

    fn end_subscription(&mut self, session: &mut Session, id: u32, now: Timestamp, told: &mut Vec<Value>) {
        session.end(id);
        self.note_ended(session);
        told.push(json!({"subscriptionId": id, "event": terminated(now)}));
    }

    fn subscriptions(&mut self, _: Timestamp, session: &mut Session, params: &mut Params, _: &mut Vec<Value>) -> Answer {
        params.pass_over("returnRateLimits");
        params.finish()?;
        answer(&session.subscriptions.keys().map(|id| json!({"subscriptionId": id})).collect::<Vec<Value>>())
    }
}

type SessionWork = fn(&mut Exchange, Timestamp, &mut Session, &mut Params, &mut Vec<Value>) -> Answer;

/// Requests that are about the session itself.
fn session_work(method: &str) -> Option<SessionWork> {
    Some(match method {
        "session.logon" => Exchange::session_logon,
        "session.status" => Exchange::session_status,
        "session.logout" => Exchange::session_logout,
        "session.subscriptions" => Exchange::subscriptions,
        "userDataStream.subscribe" => Exchange::subscribe,
        "userDataStream.subscribe.signature" => Exchange::subscribe_by_signature,
        "userDataStream.unsubscribe" => Exchange::unsubscribe,
        _ => return None,
    })
}

/// The key of a request, and whether the session stands for its signature.
fn who(session: &Session, params: &mut Params) -> Result<(String, bool), ApiRefusal> {
    let named = params.optional("apiKey")?.map(str::to_owned);
    match (named, &session.logon) {
        (Some(named), Some(logon)) if named == logon.api_key && !params.has("signature") => Ok((named, true)),
        (Some(named), _) => Ok((named, false)),
        (None, Some(logon)) => Ok((logon.api_key.clone(), !params.has("signature"))),
        (None, None) => Ok((String::new(), false)),
    }
}
