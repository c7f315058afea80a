//! What is measured of lines to venues. Invariant: percentiles are of real answers, the newest [`ANSWERS_KEPT`] of them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;

use strongroom_desk_api::{CertificateView, Latency, LineKind, LineView, PinState, SeenKey};
use strongroom_model::Timestamp;
use strongroom_net::{Answer, Endpoint, Fingerprint, Host, PinBoard};

use crate::hall::{lock, wall};

/// Answers of which times are kept.
const ANSWERS_KEPT: usize = 512;
/// Times that are shown one by one.
const RECENT: usize = 60;

/// Where a connection leads, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) peer: String,
    pub(crate) since: Timestamp,
}

impl Reached {
    pub(crate) fn now(peer: SocketAddr) -> Self {
        Self { peer: peer.to_string(), since: wall() }
    }
}

/// Times of a line's answers.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    took_us: Mutex<VecDeque<u64>>,
    answered_at: Mutex<Timestamp>,
    reached: Mutex<Option<Reached>>,
}

impl Measured {
    pub(crate) fn answered(&self, answer: &Answer) {
        let took_us = u64::try_from(answer.answered_at.us().saturating_sub(answer.sent_at.us())).unwrap_or_default();
        *lock(&self.answered_at) = answer.answered_at;
        let mut took = lock(&self.took_us);
        took.push_back(took_us);
        if took.len() > ANSWERS_KEPT {
            took.pop_front();
        }
        drop(took);
        let mut reached = lock(&self.reached);
        match answer.peer.map(Reached::now) {
            Some(peer) if reached.as_ref().is_none_or(|known| known.peer != peer.peer) => *reached = Some(peer),
            _ => {}
        }
    }

    pub(crate) fn reached(&self) -> Option<Reached> {
        lock(&self.reached).clone()
    }

    pub(crate) fn latency(&self) -> Option<Latency> {
        let took = lock(&self.took_us);
        let recent_us = took.iter().rev().take(RECENT).rev().copied().collect();
        let mut sorted: Vec<u64> = took.iter().copied().collect();
        drop(took);
        sorted.sort_unstable();
        // Nearest rank: the smallest value that so many percent of the values do not exceed.
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Latency {
            p50_us: rank(50)?,
            p99_us: rank(99)?,
            count: u32::try_from(sorted.len()).unwrap_or(u32::MAX),
            recent_us,
            at: *lock(&self.answered_at),
        })
    }
}

/// What the board knows of an endpoint.
pub(crate) fn seen(endpoint: &Endpoint, board: &PinBoard, kind: LineKind) -> LineView {
    let host = board.host(endpoint).unwrap_or_default();
    let handshake = host.handshake.as_ref();
    let suite = handshake.and_then(|handshake| handshake.suite.as_ref());
    LineView {
        host: endpoint.to_string(),
        kind,
        up: false,
        trouble: None,
        tls: suite.map(|suite| suite.protocol.clone()),
        cipher: suite.map(|suite| suite.cipher.clone()),
        group: suite.and_then(|suite| suite.group.clone()),
        pin_state: pin_state(&host),
        pins: host.pins.iter().map(Fingerprint::to_string).collect(),
        waiting: host.waiting.as_ref().map(|seen| SeenKey {
            spki_sha256: seen.key.to_string(),
            chain: seen.chain.iter().map(certificate).collect(),
            at: seen.at,
        }),
        chain: handshake.map(|handshake| handshake.chain.iter().map(certificate).collect()).unwrap_or_default(),
        handshake_at: handshake.map(|handshake| handshake.at),
        peer: None,
        open_since: None,
        latency: None,
        clock_offset_us: None,
        clock_error_us: None,
        clock_at: None,
        stream_age_ms: None,
        resyncs: 0,
        at: wall(),
    }
}

fn certificate(seen: &strongroom_net::Certificate) -> CertificateView {
    CertificateView {
        subject: seen.subject.clone(),
        issuer: seen.issuer.clone(),
        not_after: seen.not_after,
        spki_sha256: seen.key.to_string(),
    }
}

fn pin_state(host: &Host) -> PinState {
    match (&host.waiting, host.pins.is_empty(), &host.handshake) {
        (Some(_), true, _) => PinState::Unconfirmed,
        (Some(_), false, _) => PinState::Changed,
        (None, _, Some(handshake)) if host.pins.contains(&handshake.key) => PinState::Match,
        (None, _, _) => PinState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let measured = Measured::default();
        assert_eq!(measured.latency(), None);
        for took_us in 1..=600 {
            let answer = Answer {
                status: 200,
                headers: Vec::new(),
                body: Vec::new(),
                sent_at: Timestamp::from_us(0),
                answered_at: Timestamp::from_us(took_us),
                peer: Some(([127, 0, 0, 1], 443).into()),
            };
            measured.answered(&answer);
        }
        let latency = measured.latency().unwrap();
        assert_eq!((latency.p50_us, latency.p99_us, latency.count, latency.at.us()), (344, 595, 512, 600));
        assert_eq!((latency.recent_us.len(), latency.recent_us[59]), (60, 600));
        assert_eq!(measured.reached().unwrap().peer, "127.0.0.1:443");
    }

    #[test]
    fn a_key_that_waits_is_never_shown_as_a_match() {
        let key = Fingerprint::from_digest([1; 32]);
        let waiting = Some(strongroom_net::Seen { key, chain: Vec::new(), at: Timestamp::default() });
        let host = |pins: &[Fingerprint], waiting: Option<strongroom_net::Seen>| Host { pins: pins.to_vec(), waiting, ..Host::default() };
        assert_eq!(pin_state(&host(&[], None)), PinState::Unknown);
        assert_eq!(pin_state(&host(&[], waiting.clone())), PinState::Unconfirmed);
        assert_eq!(pin_state(&host(&[key], waiting)), PinState::Changed);
        let handshake =
            strongroom_net::Handshake { at: Timestamp::default(), key, not_after: Timestamp::default(), chain: Vec::new(), suite: None };
        let shaken = |pins: Vec<Fingerprint>| Host { pins, handshake: Some(handshake.clone()), ..Host::default() };
        assert_eq!(pin_state(&shaken(vec![key])), PinState::Match);
        assert_eq!(pin_state(&shaken(Vec::new())), PinState::Unknown, "a key that is trusted no more");
    }
}
