//! Compares the layer table with the crates. Invariant: the table of docs/architecture.md is the only list of allowed
//! edges; a crate without a row and an edge without a mention are errors.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::place::Place;

const TABLE_HEAD: &str = "| layer | crate |";
const PREFIX: &str = "strongroom-";
/// In the crate's cell of a row whose crate does not exist yet.
const LATER: &str = "later";

type Edges = BTreeMap<String, BTreeSet<String>>;

/// One crate's row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    may_use: BTreeSet<String>,
    is_later: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Findings {
    errors: Vec<String>,
    warnings: Vec<String>,
}

pub(crate) fn run(place: &Place) -> anyhow::Result<bool> {
    let findings = find(place)?;
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for error in &findings.errors {
        println!("error: {error}");
    }
    println!("layers: {} errors, {} warnings", findings.errors.len(), findings.warnings.len());
    Ok(findings.errors.is_empty())
}

fn find(place: &Place) -> anyhow::Result<Findings> {
    let path = place.root.join("docs/architecture.md");
    let document = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(compare(&rows(&document)?, &edges(place)?))
}

/// The table's rows. A cell may name several crates that share a row.
fn rows(document: &str) -> anyhow::Result<Vec<Row>> {
    let table = document.lines().skip_while(|line| !line.starts_with(TABLE_HEAD)).take_while(|line| line.starts_with('|'));
    let mut rows = Vec::new();
    for line in table.skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, crates, _, may_use, _] = cells[..] else { anyhow::bail!("not five cells: {line}") };
        let (names, remarks) = crates.split_once('(').unwrap_or((crates, ""));
        let may_use: BTreeSet<String> = may_use.split_whitespace().filter(|name| *name != "-").map(str::to_owned).collect();
        for name in names.split('`').skip(1).step_by(2) {
            rows.push(Row { name: name.to_owned(), may_use: may_use.clone(), is_later: remarks.contains(LATER) });
        }
    }
    anyhow::ensure!(!rows.is_empty(), "there is no table that begins with {TABLE_HEAD:?}");
    Ok(rows)
}

/// What every crate of `crates/` uses of the others outside its tests.
fn edges(place: &Place) -> anyhow::Result<Edges> {
    let metadata = MetadataCommand::new().manifest_path(place.root.join("Cargo.toml")).no_deps().exec()?;
    let mut edges = Edges::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().context("a manifest without a folder")?;
        let is_layered = folder.parent().is_some_and(|above| above.ends_with("crates")) || folder.ends_with("src-tauri");
        if !is_layered {
            continue;
        }
        let name = package.name.strip_prefix(PREFIX).with_context(|| format!("{} is not named {PREFIX}...", package.name))?;
        let is_named_after_folder = folder.file_name() == Some(name) || folder.ends_with("src-tauri");
        anyhow::ensure!(is_named_after_folder, "{} is not in the folder of its name", package.name);
        let used = package.dependencies.iter().filter(|used| used.kind != DependencyKind::Development);
        edges.insert(name.to_owned(), used.filter_map(|used| used.name.strip_prefix(PREFIX)).map(str::to_owned).collect());
    }
    Ok(edges)
}

fn compare(rows: &[Row], edges: &Edges) -> Findings {
    let mut findings = Findings::default();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    if names.len() < rows.len() {
        findings.errors.push("a crate has two rows".to_owned());
    }
    findings.errors.extend(edges.keys().filter(|name| !names.contains(name.as_str())).map(|name| format!("`{name}` has no row")));
    for row in rows {
        let name = &row.name;
        findings.errors.extend(
            row.may_use
                .iter()
                .filter(|used| !names.contains(used.as_str()))
                .map(|used| format!("`{name}` may use `{used}`, which has no row")),
        );
        let Some(used) = edges.get(name) else {
            if !row.is_later {
                findings.errors.push(format!("`{name}` has a row and no crate"));
            }
            continue;
        };
        if row.is_later {
            findings.errors.push(format!("`{name}` exists: its row must not say {LATER:?} any more"));
        }
        findings.errors.extend(used.difference(&row.may_use).map(|extra| format!("`{name}` uses `{extra}`, which its row does not allow")));
        let waits = |other: &str| rows.iter().any(|row| row.name == other && row.is_later);
        let stale = row.may_use.difference(used).filter(|other| !waits(other));
        findings.warnings.extend(stale.map(|stale| format!("`{name}` may use `{stale}` and does not")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "text\n\n| layer | crate | one line | may use | I/O |\n| --- | --- | --- | --- | --- |\n\
        | doors | `cli` (binary `strongroom`) | doors | model api | tty |\n\
        | | `app` (later) | window | model | - |\n\
        | words | `model`, `api` | words | - | none |\n\nmore | text";

    fn uses(edges: &[(&str, &[&str])]) -> Edges {
        edges.iter().map(|(name, used)| ((*name).to_owned(), used.iter().map(|used| (*used).to_owned()).collect())).collect()
    }

    /// What is said of these edges beside the table above.
    fn said(edges: &[(&str, &[&str])]) -> (Vec<String>, Vec<String>) {
        let findings = compare(&rows(TABLE).unwrap(), &uses(edges));
        (findings.errors, findings.warnings)
    }

    #[test]
    fn rows_are_read() {
        let names: Vec<(String, bool)> = rows(TABLE).unwrap().into_iter().map(|row| (row.name, row.is_later)).collect();
        assert_eq!(names, [("cli".into(), false), ("app".into(), true), ("model".into(), false), ("api".into(), false)]);
        assert!(rows("no table").is_err());
        assert!(rows("| layer | crate |\n| --- |\n| `a` | b |\n").is_err());
    }

    #[test]
    fn findings_name_the_edge() {
        let fine: [(&str, &[&str]); 3] = [("cli", &["model", "api"]), ("model", &[]), ("api", &[])];
        assert_eq!(said(&fine), (vec![], vec![]));
        assert_eq!(said(&[("cli", &["model"]), ("model", &[]), ("api", &[])]).1, ["`cli` may use `api` and does not"]);
        assert_eq!(
            said(&[("cli", &["model", "api"]), ("model", &["api"]), ("api", &[])]).0,
            ["`model` uses `api`, which its row does not allow"]
        );
        assert_eq!(said(&[("cli", &["model", "api"]), ("model", &[])]).0, ["`api` has a row and no crate"]);
        let extra: [(&str, &[&str]); 4] = [fine[0], fine[1], fine[2], ("new", &[])];
        assert_eq!(said(&extra).0, ["`new` has no row"]);
        let early: [(&str, &[&str]); 4] = [fine[0], fine[1], fine[2], ("app", &["model"])];
        assert_eq!(said(&early).0, ["`app` exists: its row must not say \"later\" any more"]);
    }

    #[test]
    fn the_document_does_not_lie() {
        assert_eq!(find(&Place::find().unwrap()).unwrap().errors, Vec::<String>::new());
    }
}
