//! Market streams over WebSockets. Invariant: a listener that falls behind or floods is disconnected; it never
//! misses a message and stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::faults::StreamNews;
use crate::server::{Reply, Shared, now, plain, stopped};
use crate::socket::{self, LIFE, PING, Pulse, Socket, send};
use crate::time_unit::TimeUnit;

/// Messages of one tick, found by the names of their streams: most listeners hear a few of them.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Name of the stream, payload.
    messages: Vec<(String, String)>,
    places: HashMap<String, Vec<usize>>,
}

impl Batch {
    pub(crate) fn new(messages: Vec<(String, String)>) -> Self {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, (name, _)) in messages.iter().enumerate() {
            places.entry(name.clone()).or_default().push(place);
        }
        Self { messages, places }
    }

    /// The messages of these streams in their order, each with the name that it was asked by.
    fn of<'a>(&'a self, names: &'a BTreeMap<String, String>) -> impl Iterator<Item = (&'a str, &'a str)> {
        let found = names.iter().filter_map(|(asked, made)| self.places.get(made).map(|places| (asked, places)));
        let mut told: Vec<(usize, &String)> = found.flat_map(|(asked, places)| places.iter().map(move |place| (*place, asked))).collect();
        told.sort_unstable();
        told.into_iter().filter_map(|(place, asked)| Some((asked.as_str(), self.messages.get(place)?.1.as_str())))
    }
}

/// Streams of one connection.
const STREAMS_MAX: usize = 1_024;
/// Longest name of a stream.
const STREAM_NAME_LEN_MAX: usize = 128;
/// Messages that a client may send per second.
const INCOMING_PER_S_MAX: u32 = 5;
/// Whether `path` belongs to streams.
pub(crate) fn is_stream(path: &str) -> bool {
    matches!(path, "/ws" | "/stream" | "/stream/") || path.starts_with("/ws/")
}

/// Listens on a task of its own once the client has switched over.
pub(crate) fn open(request: hyper::Request<Incoming>, shared: Shared, sockets: &Mutex<JoinSet<()>>) -> Reply {
    let Some(names) = names(&request) else {
        return plain(400, r#"{"code":2,"msg":"Invalid request: too many parameters"}"#);
    };
    let Some(unit) = TimeUnit::of_query(request.uri().query().unwrap_or_default()) else {
        return plain(400, r#"{"code":-1194,"msg":"Invalid value for time unit; expected either MICROSECOND or MILLISECOND."}"#);
    };
    let is_combined = request.uri().path().starts_with("/stream");
    let mut listener = Listener { names: BTreeMap::new(), is_combined, unit, second: Instant::now(), in_second: 0 };
    listener.add(names);
    socket::upgrade(request, sockets, move |socket| listener.listen(socket, shared))
}

/// Streams named by the address; `None` when there are too many or too long ones.
fn names(request: &hyper::Request<Incoming>) -> Option<BTreeSet<String>> {
    let list = match request.uri().path().strip_prefix("/ws/") {
        Some(names) => {
            let escaped = format!("streams={}", names.replace('+', "%2B"));
            form_urlencoded::parse(escaped.as_bytes()).next().map(|(_, names)| names.into_owned())
        }
        None => {
            // A plus sign belongs to a name, such as that of a time zone.
            let query = request.uri().query().unwrap_or_default().replace('+', "%2B");
            form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "streams").map(|(_, names)| names.into_owned())
        }
    };
    let names: BTreeSet<String> = list.iter().flat_map(|list| list.split('/')).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let fits = names.len() <= STREAMS_MAX && names.iter().all(|name| name.len() <= STREAM_NAME_LEN_MAX);
    fits.then_some(names)
}

struct Listener {
    /// Names that the client asked by, with the venue's own.
    names: BTreeMap<String, String>,
    is_combined: bool,
    unit: TimeUnit,
    second: Instant,
    in_second: u32,
}

impl Listener {
    async fn listen(mut self, mut socket: Socket, shared: Shared) {
        let mut events = shared.events.subscribe();
        let mut stop = shared.stop.clone();
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        let end = Instant::now() + LIFE;
        let mut pulse = Pulse::new();
        loop {
            let goes_on = tokio::select! {
                () = stopped(&mut stop) => {
                    let payload = json!({"e": "serverShutdown", "E": now().ms()}).to_string();
                    let _ = send(&mut socket, self.framed("!serverShutdown", &payload)).await;
                    false
                }
                _ = tokio::time::sleep_until(end) => false,
                _ = ping.tick() => pulse.is_alive() && send(&mut socket, pulse.ping()).await,
                news = events.recv() => match news {
                    Ok(StreamNews::Batch(batch)) => self.tell(&mut socket, &batch).await,
                    Ok(StreamNews::Disconnect) => false,
                    Ok(StreamNews::Drop) => return,
                    Ok(StreamNews::Freeze(silence)) => {
                        // Nothing is read or said, as when the other side is gone; what happens meanwhile is missed.
                        tokio::time::sleep(silence).await;
                        events = shared.events.subscribe();
                        true
                    }
                    Err(RecvError::Lagged(missed)) => {
                        tracing::info!(missed, "a slow listener is disconnected");
                        false
                    }
                    Err(RecvError::Closed) => false,
                },
                message = socket.next() => {
                    match message {
                        Some(Ok(message)) => {
                            pulse.hear(&message);
                            self.hear(&mut socket, message).await
                        }
                        Some(Err(_)) | None => false,
                    }
                }
            };
            if !goes_on {
                // The client may have left without saying so.
                socket::close(&mut socket).await;
                return;
            }
        }
    }

    fn add(&mut self, names: impl IntoIterator<Item = String>) {
        self.names.extend(names.into_iter().map(|name| {
            let made = made_name(&name);
            (name, made)
        }));
    }

    async fn tell(&self, socket: &mut Socket, batch: &Arc<Batch>) -> bool {
        for (asked, payload) in batch.of(&self.names) {
            if !send(socket, self.framed(asked, payload)).await {
                return false;
            }
        }
        true
    }

    fn framed(&self, name: &str, payload: &str) -> Message {
        let text = if self.is_combined { format!(r#"{{"stream":{},"data":{payload}}}"#, json!(name)) } else { payload.to_owned() };
        Message::text(self.unit.frame(text))
    }

    async fn hear(&mut self, socket: &mut Socket, message: Message) -> bool {
        if self.second.elapsed() >= Duration::from_secs(1) {
            (self.second, self.in_second) = (Instant::now(), 0);
        }
        self.in_second += 1;
        if self.in_second > INCOMING_PER_S_MAX {
            tracing::info!("a listener that sends too much is disconnected");
            return false;
        }
        match message {
            Message::Text(text) => {
                let answer = self.command(&text);
                send(socket, Message::text(answer.to_string())).await
            }
            Message::Close(_) => false,
            _ => true,
        }
    }

    /// Carries out one command of a client and says what came of it.
    fn command(&mut self, text: &str) -> Value {
        let Ok(command) = serde_json::from_str::<Value>(text) else {
            return json!({"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"});
        };
        let id = command.get("id").cloned().unwrap_or(Value::Null);
        let wrong = |code: u8, msg: &str| json!({"code": code, "msg": msg, "id": id});
        let is_name = |id: &str| (1..=36).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !(id.is_null() || id.is_i64() || id.as_str().is_some_and(is_name)) {
            return json!({"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"});
        }
        let params: Option<&Vec<Value>> = command.get("params").and_then(Value::as_array);
        let names = || -> Option<Vec<String>> {
            let names: Option<Vec<String>> = params?.iter().map(|name| name.as_str().map(str::to_owned)).collect();
            names.filter(|names| names.iter().all(|name| (1..=STREAM_NAME_LEN_MAX).contains(&name.len())))
        };
        let result = match command.get("method").and_then(Value::as_str) {
            Some("SUBSCRIBE") => {
                let Some(names) = names() else { return wrong(2, "Invalid request: stream names must be strings") };
                if self.names.len() + names.len() > STREAMS_MAX {
                    return wrong(2, "Invalid request: too many parameters");
                }
                self.add(names);
                Value::Null
            }
            Some("UNSUBSCRIBE") => {
                let Some(names) = names() else { return wrong(2, "Invalid request: stream names must be strings") };
                for name in names {
                    self.names.remove(&name);
                }
                Value::Null
            }
            Some("LIST_SUBSCRIPTIONS") if params.is_some_and(|params| !params.is_empty()) => {
                return wrong(2, "Invalid request: too many parameters");
            }
            Some("LIST_SUBSCRIPTIONS") => json!(self.names.keys().collect::<Vec<_>>()),
            Some("SET_PROPERTY") => match params.map(Vec::as_slice) {
                Some([Value::String(name), Value::Bool(value)]) if name == "combined" => {
                    self.is_combined = *value;
                    Value::Null
                }
                Some([Value::String(name), _]) if name == "combined" => return wrong(1, "Invalid value type: expected Boolean"),
                Some([Value::String(_), _]) => return wrong(0, "Unknown property"),
                _ => return wrong(2, "Invalid request: property name must be a string"),
            },
            Some("GET_PROPERTY") => match params.map(Vec::as_slice) {
                Some([Value::String(name)]) if name == "combined" => json!(self.is_combined),
                Some([Value::String(_)]) => return wrong(0, "Unknown property"),
                _ => return wrong(2, "Invalid request: property name must be a string"),
            },
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                let known = "expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`";
                return wrong(2, &format!("Invalid request: unknown variant {other}, {known}"));
            }
            None => return wrong(2, "Invalid request: missing field `method`"),
        };
        json!({"result": result, "id": id})
    }
}

/// The venue's own name of a stream: one second is the rhythm when none is said.
fn made_name(asked: &str) -> String {
    asked.strip_suffix("@1000ms").unwrap_or(asked).to_owned()
}
