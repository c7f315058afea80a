//! Habits that a machine can see. Invariant: each finding names file, line and habit; exceptions stand here with reasons.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::place::Place;

/// Longest file of code, lines.
const LINES_MAX: usize = 500;
/// Files that are longer, how long they may be, and the reason.
const LONGER: &[(&str, usize, &str)] = &[("crates/desk/src/machine.rs", 550, "one state machine: its transitions are read together")];
/// Largest file in the repository, bytes.
const BYTES_MAX: u64 = 1_024 * 1_024;
/// Recorded data may be larger.
const RECORDINGS: &str = "tests/fixtures/";
/// Files that are kept as their authors wrote them.
const FOREIGN: &[&str] = &[RECORDINGS, "tests/vectors/"];
/// Names of patterns instead of things of the trade.
const VAGUE: &[&str] = &["Manager", "Service", "Helper", "Handler", "Util", "Utils", "Processor", "Common"];
/// Marks of unfinished work; split so that this file does not contain them.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
/// Paths of one machine.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
/// Endings of files that are text.
const TEXT: &[&str] = &["rs", "toml", "md", "json", "py", "svg", "service", "sh", "txt", "yml", "sql", "ts", "svelte", "css", "html"];

pub(crate) fn run(place: &Place) -> anyhow::Result<bool> {
    let findings = find(place)?;
    for finding in &findings {
        println!("error: {finding}");
    }
    println!("tidiness: {} findings", findings.len());
    Ok(findings.is_empty())
}

fn find(place: &Place) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for path in files(&place.root)? {
        let full = place.root.join(&path);
        // Deleted, and not committed yet.
        let Ok(facts) = std::fs::metadata(&full) else { continue };
        if facts.len() > BYTES_MAX && !path.starts_with(RECORDINGS) {
            findings.push(format!("{path}: {} bytes, more than {BYTES_MAX}", facts.len()));
        }
        let is_text = Path::new(&path).extension().is_some_and(|ending| TEXT.iter().any(|text| ending == *text));
        if is_text && !FOREIGN.iter().any(|folder| path.starts_with(folder)) {
            let text = std::fs::read_to_string(&full).with_context(|| format!("cannot read {path} as text"))?;
            findings.extend(text_findings(&path, &text));
        }
    }
    Ok(findings)
}

fn files(root: &Path) -> anyhow::Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("cannot start git")?;
    anyhow::ensure!(listed.status.success(), "git cannot list the files");
    let listed = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn text_findings(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut say = |what: &str| findings.push(format!("{path}:{}: {what}", number + 1));
        if line.ends_with([' ', '\t']) {
            say("blanks at the end of the line");
        }
        if let Some(mark) = UNFINISHED.iter().find(|mark| line.contains(**mark)) {
            say(&format!("{mark}: finish it or open an issue"));
        }
        if let Some(machine) = MACHINE_PATHS.iter().find(|machine| line.contains(**machine)) {
            say(&format!("{machine} exists on one machine only"));
        }
        // Cargo's own convention for what several tests share is a module of such a name.
        if path.ends_with(".rs")
            && path.contains("/src/")
            && let Some(name) = defined_name(line)
            && let Some(vague) = VAGUE.iter().find(|vague| has_word(name, vague))
        {
            say(&format!("{name}: {vague} names a pattern; name the thing"));
        }
    }
    if path.ends_with(".rs") {
        findings.extend(code_findings(path, text));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(format!("{path}: no line end at the end"));
    }
    findings
}

fn code_findings(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if path.contains("/src/") && !text.starts_with("//!") {
        findings.push(format!("{path}:1: open with one sentence, then the invariant (//!)"));
    }
    let lines = text.lines().count();
    let allowed = LONGER.iter().find(|(long, ..)| *long == path).map_or(LINES_MAX, |(_, lines, _)| *lines);
    if lines > allowed {
        findings.push(format!("{path}: {lines} lines, more than {allowed}: split it, or list it with a reason"));
    }
    findings
}

/// The name that a line defines, if it defines a type or a module.
fn defined_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub") || *word == "unsafe");
    if !matches!(words.next()?, "struct" | "enum" | "trait" | "type" | "mod" | "union") {
        return None;
    }
    let name = words.next()?;
    Some(&name[..name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len())])
}

/// Whether a name in CamelCase or snake_case contains the word.
fn has_word(name: &str, word: &str) -> bool {
    let lower = word.to_lowercase();
    let in_camel_case = name.match_indices(word).any(|(at, _)| !name[at + word.len()..].starts_with(|c: char| c.is_lowercase()));
    in_camel_case || name.split('_').any(|part| part == lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        text_findings("crates/x/src/y.rs", &format!("//! Y.\n{text}\n"))
    }

    #[test]
    fn habits_are_seen() {
        for (line, finding) in [
            ("let x = 1; ", "blanks"),
            (concat!("// TO", "DO later"), "finish it"),
            (concat!("// see /wo", "rk/notes"), "one machine"),
            ("pub struct OrderManager<T>;", "OrderManager: Manager"),
            ("pub(crate) enum Handler {", "Handler: Handler"),
            ("mod common;", "common: Common"),
            ("mod string_utils;", "string_utils: Utils"),
        ] {
            let findings = said(line);
            assert!(findings.len() == 1 && findings[0].contains(finding) && findings[0].contains("y.rs:2"), "{line:?}: {findings:?}");
        }
        for fine in ["struct Utility;", "struct Commonwealth;", "use tower::Service;", "fn handler() {}", "mod serviced;"] {
            assert_eq!(said(fine), Vec::<String>::new());
        }
        assert_eq!(text_findings("crates/x/src/y.rs", "fn x() {}\n").len(), 1, "no opening sentence");
        assert_eq!(text_findings("crates/x/src/y.rs", "//! Y.").len(), 1, "no line end");
        assert_eq!(said(&"\n".repeat(LINES_MAX)).len(), 1, "too long");
    }

    #[test]
    fn the_house_is_tidy() {
        assert_eq!(find(&Place::find().unwrap()).unwrap(), Vec::<String>::new());
    }
}
