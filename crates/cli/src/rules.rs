//! The tables of permissions and rules. Invariant: nothing is said here that is not in them.

use strongroom_guard::{PERMISSIONS, PermissionRow, RULES, Rule};

/// Both tables, to standard output.
pub(crate) fn show(json: bool) {
    if json {
        println!("{}", serde_json::json!({ "permissions": PERMISSIONS, "rules": RULES }));
        return;
    }
    println!("Who may do what");
    PERMISSIONS.iter().for_each(permission);
    println!("\nWhat an order has to meet");
    RULES.iter().for_each(rule);
}

fn permission(row: &PermissionRow) {
    let names: Vec<&str> = row.roles.iter().map(|role| role.name()).collect();
    let who = if names.is_empty() { "anyone".to_owned() } else { names.join(", ") };
    println!("  {}", row.what);
    println!("      {who}; proof: {}; refused by the {}", row.proof, row.enforcer);
}

fn rule(rule: &Rule) {
    println!("  {:<20} {} ({})", rule.name, rule.demand, rule.enforcer);
}
