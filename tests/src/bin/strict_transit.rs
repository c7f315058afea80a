//! The strict key server of the provider's tests in a process of its own. Invariant: it serves until its input ends.
//!
//! Usage: `strict_transit DIR TOKEN`. Prints one JSON line with its address and its authority's file, then answers each line of
//! input (`seal`, `unseal`, `hold`: answers wait before their last byte, `release`, `forget`: the key is gone, `requests`) with one
//! line: how many requests it has answered.

#[path = "../../../crates/provider/tests/strict_transit/mod.rs"]
mod strict_transit;

use std::path::Path;

use anyhow::Context as _;
use serde_json::json;
use strict_transit::StrictTransit;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (folder, token) = arguments.next().zip(arguments.next()).context("strict_transit DIR TOKEN")?;
    let server = StrictTransit::start(Path::new(&folder), &token)?;
    println!("{}", json!({"address": server.address, "ca_file": server.ca_file}));
    for line in std::io::stdin().lines() {
        let requests = server.with(|state| {
            match line?.as_str() {
                "seal" => state.is_sealed = true,
                "unseal" => state.is_sealed = false,
                "hold" => state.is_holding = true,
                "release" => state.is_holding = false,
                "forget" => state.keys.clear(),
                "requests" => {}
                other => anyhow::bail!("{other} is not understood"),
            }
            Ok(state.log.len())
        })?;
        println!("{}", json!({"requests": requests}));
    }
    Ok(())
}
