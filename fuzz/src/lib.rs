//! What every fuzz target checks and begins with. Invariant: reading foreign bytes ends in a value or an error, and what
//! was accepted says the same when it is written and read again.
//!
//! A module has `seeds`, valid inputs made by the code itself, and `check`, which panics on a finding.
#![allow(clippy::panic, reason = "a finding is a panic")]

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

#[cfg(test)]
mod tests {
    use super::*;

    type Target = (&'static str, fn() -> Vec<Vec<u8>>, fn(&[u8]));

    macro_rules! targets {
        ($($name:ident),*) => { &[$((stringify!($name), $name::seeds, |data| $name::check(data))),*] };
    }

    const TARGETS: &[Target] = targets![
        audit_log,
        door,
        imported_file,
        paper_request,
        paper_socket,
        pasted_secret,
        prompt_message,
        provider_message,
        signer_frame,
        vault_file,
        venue_answer,
        venue_stream,
        words
    ];
    /// Places in a seed at which it is cut or changed.
    const PLACES: usize = 16;

    /// Every target with what it begins with, and that cut short or with one bit otherwise.
    #[test]
    fn seeds_and_what_is_nearly_one_are_read() {
        for (name, seeds, check) in TARGETS {
            let seeds = seeds();
            assert!(!seeds.is_empty(), "{name} begins with nothing");
            for seed in seeds {
                check(&seed);
                for place in (0..PLACES).map(|place| place * seed.len() / PLACES).filter(|place| *place < seed.len()) {
                    check(&seed[..place]);
                    let mut other = seed.clone();
                    other[place] ^= 1 << (place % 8);
                    check(&other);
                }
            }
        }
    }

    /// A target that is in the folder and not in the list would not be read here.
    #[test]
    fn every_target_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/fuzz_targets");
        let files = std::fs::read_dir(folder).expect("the targets").map(|file| file.expect("a file").file_name());
        let mut found: Vec<_> = files.filter_map(|name| Some(name.to_str()?.strip_suffix(".rs")?.to_owned())).collect();
        found.sort_unstable();
        assert_eq!(found, TARGETS.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    }
}
