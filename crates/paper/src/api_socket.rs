//! Connections to the WebSocket API. Invariant: answers come in the order of the requests; user data comes as it happened, and a
//! client that falls behind is disconnected rather than left without an event.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use hyper::body::Incoming;
use serde_json::json;
use strongroom_model::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::exchange::{Session, UserEvent};
use crate::faults::{Fault, Refused};
use crate::server::{MAINTAINED, Reply, Shared, now, plain, stopped, with_body};
use crate::socket::{self, LIFE, PING, Pulse, Socket, send};
use crate::time_unit::TimeUnit;

/// Where the WebSocket API is.
pub(crate) const PATH: &str = "/ws-api/v3";

/// Answers on a task of its own once the client has switched over.
pub(crate) fn open(request: hyper::Request<Incoming>, address: IpAddr, shared: Shared, sockets: &Mutex<JoinSet<()>>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let Some(unit) = TimeUnit::of_query(query) else {
        return plain(400, r#"{"code":-1194,"msg":"Invalid value for time unit; expected either MICROSECOND or MILLISECOND."}"#);
    };
    let hides_limits = form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "returnRateLimits" && value == "false");
    let connected = match socket::accept(&request) {
        Some(_) => shared.with_exchange(|exchange| exchange.connect(shared.now(), address)),
        None => Ok(Ok(())),
    };
    match connected {
        Ok(Ok(())) => {}
        Ok(Err((status, body))) => return with_body(status, body),
        Err(_) => return plain(503, r#"{"code":-1000,"msg":"An unknown error occurred while processing the request."}"#),
    }
    socket::upgrade(request, sockets, move |socket| async move {
        let session = Session::new(address, shared.now(), !hides_limits);
        let mut connection = Connection { session, shared, unit };
        connection.serve(socket).await;
        let Connection { session, shared, .. } = connection;
        // Nothing of it goes into the journal.
        let _ = shared.with_exchange(|exchange| exchange.close_session(session));
    })
}

struct Connection {
    session: Session,
    shared: Shared,
    unit: TimeUnit,
}

impl Connection {
    async fn serve(&mut self, mut socket: Socket) {
        // Before the first request, so that no event between subscription and listening is missed.
        let mut events = self.shared.user_events.subscribe();
        let mut stop = self.shared.stop.clone();
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        let end = Instant::now() + LIFE;
        let mut pulse = Pulse::new();
        loop {
            let goes_on = tokio::select! {
                // A request's own events come after its answer.
                biased;
                () = stopped(&mut stop) => {
                    let farewell = json!({"event": {"e": "serverShutdown", "E": now().ms()}}).to_string();
                    let _ = send(&mut socket, Message::text(farewell)).await;
                    false
                }
                batch = events.recv() => match batch {
                    Ok(batch) => self.tell(&mut socket, &batch).await,
                    Err(RecvError::Lagged(missed)) => {
                        tracing::info!(missed, "a slow listener to user data is disconnected");
                        false
                    }
                    Err(RecvError::Closed) => false,
                },
                message = socket.next() => {
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(&mut socket, &text).await,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                        Some(Ok(message)) => {
                            pulse.hear(&message);
                            true
                        }
                    }
                }
                () = tokio::time::sleep_until(end) => false,
                _ = ping.tick() => pulse.is_alive() && send(&mut socket, pulse.ping()).await,
            };
            if !goes_on {
                socket::close(&mut socket).await;
                return;
            }
        }
    }

    async fn tell(&mut self, socket: &mut Socket, batch: &Arc<Vec<UserEvent>>) -> bool {
        for event in batch.iter() {
            let Some(frame) = self.session.frame_of(event) else { continue };
            if !send(socket, Message::text(self.unit.frame(frame.to_string()))).await {
                return false;
            }
        }
        true
    }

    async fn hear(&mut self, socket: &mut Socket, text: &str) -> bool {
        if self.shared.faults.is_closed() {
            let _ = send(socket, refusal(text, &MAINTAINED, self.shared.now())).await;
            return false;
        }
        let fault = self.shared.faults.take_socket(text);
        match fault {
            Some(Fault::CloseConnection) => return false,
            Some(Fault::DelayRequest(wait)) => tokio::time::sleep(wait).await,
            _ => {}
        }
        let instead = fault.and_then(|fault| fault.refused());
        if let Some(instead) = instead.filter(|instead| !instead.was_executed) {
            return send(socket, refusal(text, &instead, self.shared.now())).await;
        }
        let at = self.shared.now();
        let Ok(frames) = self.shared.with_exchange(|exchange| exchange.socket(at, &mut self.session, text)) else { return false };
        if let Some(instead) = instead {
            return send(socket, refusal(text, &instead, at)).await;
        }
        match fault {
            Some(Fault::DropAnswer) => return true,
            Some(Fault::HalfOpen) => std::future::pending().await,
            Some(Fault::DelayAnswer(wait)) => tokio::time::sleep(wait).await,
            Some(Fault::Jitter { min_ms, max_ms }) => tokio::time::sleep(self.shared.faults.jitter(min_ms, max_ms)).await,
            _ => {}
        }
        for (nth, frame) in frames.into_iter().enumerate() {
            let mut frame = self.unit.frame(frame);
            if nth == 0 && matches!(fault, Some(Fault::MalformedBody)) {
                let half = frame.char_indices().map(|(at, _)| at).take_while(|at| *at <= frame.len() / 2).last();
                frame.truncate(half.unwrap_or_default());
            }
            if !send(socket, Message::text(frame)).await {
                return false;
            }
        }
        !self.session.is_banned()
    }
}

/// The answer of a fault in place of the true one.
fn refusal(request: &str, refused: &Refused, now: Timestamp) -> Message {
    let id = serde_json::from_str::<serde_json::Value>(request).ok().and_then(|request| request.get("id").cloned());
    Message::text(json!({"id": id, "status": refused.status, "error": refused.socket_error(now)}).to_string())
}
