//! Runs one benchmark. Invariant: what is shown comes from rows that the benchmark printed, and its raw output is kept.
//!
//! A benchmark prints each result as one line: `row ` and a JSON object with `name`, `value`, `unit`, and, where another
//! product was measured beside ours, `peer`, `peer_version` and `ratio` (ours to theirs).

use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use crate::place::Place;

const COLUMNS: [&str; 6] = ["name", "value", "unit", "peer", "peer_version", "ratio"];

pub(crate) fn run(place: &Place, name: &str, json: bool) -> anyhow::Result<bool> {
    anyhow::ensure!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
        "{name:?} is no benchmark's name"
    );
    let claim = place.claim_target()?;
    let mut cargo = place.cargo(["bench", "-p", "strongroom-benches", "--bench", name]);
    let output = cargo.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    drop(claim);
    let raw = String::from_utf8_lossy(&output.stdout);
    let folder = place.root.join("benches/results");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}-{}.txt", utc_date()?));
    std::fs::write(&path, raw.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    let rows = rows(&raw)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", table(&rows));
        println!("Raw output: {}", path.display());
    }
    Ok(output.status.success() && !rows.is_empty())
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
    let widths: [usize; 6] = std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default());
    let padded = |line: &[String; 6]| -> String {
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
        let raw = "Benchmarking sign\nrow {\"name\":\"sign\",\"value\":41,\"unit\":\"us\",\"peer\":\"ccxt\",\"peer_version\":\"4.5\",\"ratio\":0.1}\n\
                   row {\"name\":\"place\",\"value\":\"1.5\",\"unit\":\"ms\"}\n";
        let rows = rows(raw).unwrap();
        assert_eq!(
            table(&rows),
            "name   value  unit  peer  peer_version  ratio\nsign   41     us    ccxt  4.5           0.1\nplace  1.5    ms    -     -             -\n"
        );
        assert!(super::rows("row {\"name\":1}").is_err());
        assert!(super::rows("row nothing").is_err());
    }
}
