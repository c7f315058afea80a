//! Figures as rows for `cargo xtask bench`. Invariant: a ratio above 1 means that the peer takes so many times longer.
#![expect(clippy::float_arithmetic, reason = "durations and ratios, not money")]

use serde_json::{Value, json};

/// What a peer took for the same thing.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: String,
    /// Its time, nanoseconds.
    pub ns: f64,
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// Nanoseconds.
    pub ns: f64,
    /// How many samples stand behind it.
    pub samples: usize,
    /// Microseconds that the design asks for, where it does.
    pub target_us: Option<u32>,
    /// What a peer took.
    pub peer: Option<Peer>,
}

impl Row {
    /// The same figure beside each of them, a row for each.
    pub fn beside(self, peers: Vec<Peer>) -> impl Iterator<Item = Self> {
        peers.into_iter().map(move |peer| Self { peer: Some(peer), ..self.clone() })
    }

    /// As the line that `cargo xtask bench` reads.
    pub fn line(&self) -> String {
        let mut row = json!({ "name": self.name, "value": rounded(self.ns / 1_000.0), "unit": "us", "samples": self.samples });
        let mut put = |name: &str, value: Value| row[name] = value;
        if let Some(target_us) = self.target_us {
            put("target", json!(target_us));
        }
        if let Some(peer) = &self.peer {
            put("peer", json!(format!("{} {} us", peer.name, rounded(peer.ns / 1_000.0))));
            put("peer_version", json!(peer.version));
            put("ratio", json!(rounded(peer.ns / self.ns)));
        }
        format!("row {row}")
    }
}

/// Two decimals.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_how_many_times_longer_the_peer_takes() {
        let peer = Peer { name: "other", version: "1.2".to_owned(), ns: 30_000.0 };
        let row = Row { name: "sign".to_owned(), ns: 1_500.0, samples: 7, target_us: Some(2), peer: Some(peer) };
        let line = row.line();
        let said: Value = serde_json::from_str(line.strip_prefix("row ").unwrap()).unwrap();
        assert_eq!(said["value"], 1.5);
        assert_eq!((&said["ratio"], &said["samples"], &said["target"]), (&json!(20.0), &json!(7), &json!(2)));
    }
}
