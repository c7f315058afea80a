//! What every fuzz target checks and begins with. Invariant: reading foreign bytes ends in a value or an error, and what
//! was accepted says the same when it is written and read again.
//!
//! A module has `seeds`, valid inputs made by the code itself, and `check`, which panics on a finding.

pub mod audit_log;
pub mod door;
pub mod imported_file;
pub mod paper_request;
pub mod paper_socket;
pub mod pasted_secret;
pub mod prompt_message;
pub mod provider_message;
pub mod signer_frame;
pub mod vault_file;
pub mod venue_answer;
pub mod venue_stream;
pub mod words;

/// Recorded market data; its beginning is enough.
const FEED: &str = include_str!("../../tests/fixtures/binance_feed.jsonl");
/// How many recorded messages become seeds.
const RECORDED_SEEDS: usize = 40;
/// Where seeds are written before the run, if it is set: a folder that is also given as the corpus.
const SEEDS_VARIABLE: &str = "STRONGROOM_SEEDS";

/// Writes the seeds of a target to where the run will look for them.
pub fn sow(seeds: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(folder) = std::env::var_os(SEEDS_VARIABLE) else { return };
    for (number, seed) in seeds().iter().enumerate() {
        std::fs::write(std::path::Path::new(&folder).join(format!("seed-{number:03}")), seed).expect("a writable folder");
    }
}

/// Messages of the recording with the address that they came from; none for a stream.
fn recorded() -> Vec<(Option<String>, String)> {
    let messages = FEED.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    messages.take(RECORDED_SEEDS).map(|line| (line["url"].as_str().map(str::to_owned), line["msg"].to_string())).collect()
}

/// The first byte chooses among `count`; the rest is the input.
fn choose(data: &[u8], count: usize) -> Option<(usize, &[u8])> {
    let (first, rest) = data.split_first()?;
    Some((usize::from(*first) % count, rest))
}

/// Asserts that a message was written again as it was read: all but the number, which a line gives it when it is sent.
fn assert_same_frame(written: &[u8], read: &[u8]) {
    let number = 6..14;
    assert_eq!(written[..number.start], read[..number.start]);
    assert_eq!(written[number.end..], read[number.end..]);
}

/// Defines a target from the module of the same name.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        libfuzzer_sys::fuzz_target!(init: $crate::sow($crate::$name::seeds), |data: &[u8]| $crate::$name::check(data));
    };
}
