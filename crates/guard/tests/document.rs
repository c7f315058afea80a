//! docs/guard.md lists what the code lists, word for word.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use strongroom_guard::{Enforcer, PERMISSIONS, RULES};

const DOCUMENT: &str = include_str!("../../../docs/guard.md");

fn by(enforcer: Enforcer) -> &'static str {
    match enforcer {
        Enforcer::Signer => "signer",
        Enforcer::Desk => "desk",
        Enforcer::Window => "window",
    }
}

/// The rows of the table with this head, without the line below it.
fn rows(head: &str) -> Vec<&'static str> {
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with(head));
    lines.skip(2).take_while(|line| line.starts_with('|')).collect()
}

#[test]
fn every_rule_has_its_row_and_no_other_is_there() {
    let expected: Vec<String> = RULES.iter().map(|rule| format!("| `{}` | {} | {} |", rule.name, rule.demand, by(rule.enforcer))).collect();
    assert_eq!(rows("| rule |"), expected);
}

#[test]
fn every_permission_has_its_row_and_no_other_is_there() {
    let word = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let expected: Vec<String> = PERMISSIONS
        .iter()
        .map(|row| {
            let names: Vec<&str> = row.roles.iter().map(|role| role.name()).collect();
            let roles = match names.len() {
                0 => "none needed, nor a session".to_owned(),
                5 => "any".to_owned(),
                _ => names.join(", "),
            };
            let (name, proof) = (word(serde_json::to_value(row.permission).unwrap()), word(serde_json::to_value(row.proof).unwrap()));
            format!("| `{name}` | {} | {roles} | {} | {} |", row.what, proof.replace('-', " "), by(row.enforcer))
        })
        .collect();
    assert_eq!(rows("| permission |"), expected);
}
