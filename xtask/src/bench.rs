//! Runs one benchmark. Invariant: what is shown comes from rows that the benchmark printed, and its raw output is kept.
//!
//! A benchmark prints each result as one line: `row ` and a JSON object with `name`, `value`, `unit`, how many `samples`
//! stand behind it, the `target` if the design names one (in the same unit), and, where another product was measured
//! beside ours, `peer`, `peer_version` and `ratio` (theirs to ours: above 1 ours is that many times faster).

use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use crate::place::Place;
use crate::stage::must_succeed;
use crate::{setup, window};

/// The benchmark that measures the window from outside.
const WINDOW: &str = "ui";
/// The benchmark of which a part is measured on whole systems.
const KILL: &str = "kill";
const COLUMNS: [&str; 8] = ["name", "value", "unit", "peer", "peer_version", "ratio", "samples", "target"];

pub(crate) fn run(place: &Place, name: &str, json: bool) -> anyhow::Result<bool> {
    let known = known(place)?;
    anyhow::ensure!(known.iter().any(|known| known == name), "no benchmark is named {name:?}; there is: {}", known.join(", "));
    let raw = match name {
        WINDOW => window::bench(place)?,
        KILL => measured(place, name)? + &window::bench_system(place, "kill.py")?,
        _ => measured(place, name)?,
    };
    let rows = rows(&raw)?;
    anyhow::ensure!(!rows.is_empty(), "the benchmark {name} printed no rows; it said:\n{raw}");
    let folder = place.root.join("benches/results");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}-{}.txt", utc_date()?));
    let kept: String = raw.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    std::fs::write(&path, kept).with_context(|| format!("cannot write {}", path.display()))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", table(&rows));
        println!("Raw output: {}", path.display());
    }
    Ok(true)
}

/// The raw output of a criterion benchmark.
fn measured(place: &Place, name: &str) -> anyhow::Result<String> {
    let python = setup::python_environment(place)?;
    let javascript = setup::javascript_clients(place)?.join("node_modules");
    let claim = place.claim_target()?;
    let mut signer = place.cargo(["build", "--release", "-p", "strongroom-signer", "--bin", "strongroom-signer"]);
    must_succeed(signer.stdout(Stdio::null()))?;
    let mut cargo = place.cargo(["bench", "-p", "strongroom-benches", "--bench", name]);
    cargo
        .env("STRONGROOM_SIGNER", place.target.join("release/strongroom-signer"))
        .env("STRONGROOM_VENV", python)
        .env("STRONGROOM_NODE_MODULES", javascript);
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    drop(claim);
    let raw = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(output.status.success(), "the benchmark {name} ended with {}; it said:\n{raw}", output.status);
    Ok(raw)
}

/// Names of the benchmarks that there are: one file each, and the window's.
fn known(place: &Place) -> anyhow::Result<Vec<String>> {
    let folder = place.root.join("benches/benches");
    let mut names = vec![WINDOW.to_owned()];
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        names.extend(entry?.file_name().to_str().and_then(|file| file.strip_suffix(".rs")).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

fn utc_date() -> anyhow::Result<String> {
    let output = Command::new("date").args(["-u", "+%Y-%m-%d"]).output().context("cannot start date")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn rows(raw: &str) -> anyhow::Result<Vec<Value>> {
    raw.lines()
        .filter_map(|line| line.strip_prefix("row "))
        .map(|row| {
            let row: Value = serde_json::from_str(row).with_context(|| format!("not JSON: {row}"))?;
            let is_whole = ["name", "value", "unit"].iter().all(|column| !row[column].is_null());
            anyhow::ensure!(is_whole, "a row needs name, value and unit: {row}");
            Ok(row)
        })
        .collect()
}

fn table(rows: &[Value]) -> String {
    let cell = |row: &Value, column: &str| match &row[column] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines = vec![COLUMNS.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| COLUMNS.map(|column| cell(row, column))));
    let widths: [usize; COLUMNS.len()] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default());
    let padded = |line: &[String; COLUMNS.len()]| -> String {
        let cells: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    lines.iter().map(padded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_among_other_output() {
        let raw = "Benchmarking sign\nrow {\"name\":\"sign\",\"value\":41,\"unit\":\"us\",\"peer\":\"ccxt\",\"peer_version\":\"4.5\",\"ratio\":0.1,\"samples\":9}\n\
                   row {\"name\":\"place\",\"value\":\"1.5\",\"unit\":\"ms\",\"target\":2}\n";
        let rows = rows(raw).unwrap();
        assert_eq!(
            table(&rows),
            "name   value  unit  peer  peer_version  ratio  samples  target\n\
             sign   41     us    ccxt  4.5           0.1    9        -\n\
             place  1.5    ms    -     -             -      -        2\n"
        );
        assert!(super::rows("row {\"name\":1}").is_err());
        assert!(super::rows("row nothing").is_err());
    }
}
