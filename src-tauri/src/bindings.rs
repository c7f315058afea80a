//! The page's types, made from the Rust types and the table of commands. Invariant: the committed file is what these
//! types give; `STRONGROOM_BINDINGS=write cargo test -p strongroom-app bindings` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;

use strongroom_desk_api::{
    Checks, DoorAction, DoorError, Drilled, Interval, KeyView, KillReport, KillScope, OrderView, Policy, SessionView, VaultView, Watch,
};
use strongroom_model::{Balance, Candle, CredentialId, Instrument, Price, Quantity, Side, SlotInfo, Symbol};
use ts_rs::{Config, TS, TypeVisitor};

use crate::settings::Settings;
use crate::views::{AuditPage, Hello, Killed, Order, Outcome, Push, Source, Verified};

const HEAD: &str = "// Made from the Rust types by `STRONGROOM_BINDINGS=write cargo test -p strongroom-app bindings`; do not edit.\n// Decimal numbers are strings, never floats. A `Timestamp` is microseconds since 1970, UTC.\n\nexport type Decimal = string;\n";
const TAIL: &str = "/** Every command of the app, its arguments and its answer. Each rejects with a `DoorError`. This table is also the permission list. */\n";

const RULES: &str = "/** Every rule of the gate, in the order of checks: who holds it, and what it demands. */\n";

const PERMISSIONS: &str = "/** Who may do what, and what proves that it is a person. No roles: whoever comes, without a session. */\n";

/// A callback of the page in Rust's clothes.
struct Pushes;

struct Collected<'a> {
    config: &'a Config,
    declared: BTreeMap<String, String>,
}

impl TypeVisitor for Collected<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // What has a path of its own is a type of ours; the rest is the language's.
        if T::output_path().is_none() || self.declared.contains_key(&T::ident(self.config)) {
            return;
        }
        self.declared.insert(T::ident(self.config), T::decl(self.config));
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

impl Collected<'_> {
    fn add<T: TS + 'static + ?Sized>(&mut self) -> String {
        self.visit::<T>();
        T::visit_dependencies(self);
        T::visit_generics(self);
        T::name(self.config)
    }
}

impl TS for Pushes {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn name(_: &Config) -> String {
        "(push: Push) => void".to_owned()
    }

    fn inline(config: &Config) -> String {
        Self::name(config)
    }

    fn visit_dependencies(visitor: &mut impl TypeVisitor) {
        visitor.visit::<Push>();
    }
}

fn bindings() -> String {
    let config = Config::new().with_large_int("number");
    let mut found = Collected { config: &config, declared: BTreeMap::new() };
    found.add::<DoorError>();
    let mut commands = Vec::new();
    macro_rules! describe {
        ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {$(
            let arguments: Vec<String> = vec![$(format!("{}: {}", stringify!($argument), found.add::<$type>())),*];
            let answer = match found.add::<$answer>().as_str() {
                "null" => "void".to_owned(),
                other => other.to_owned(),
            };
            let arguments = if arguments.is_empty() { String::new() } else { format!("args: {{ {} }}", arguments.join("; ")) };
            commands.push(format!("  {}({arguments}): Promise<{answer}>;", stringify!($name)));
        )*};
    }
    table!(describe);
    let types: Vec<String> = found.declared.values().map(|decl| format!("export {decl}")).collect();
    let rules: Vec<String> = strongroom_guard::RULES.iter().map(|rule| format!("  {},", serde_json::json!(rule))).collect();
    let permissions: Vec<String> = strongroom_guard::PERMISSIONS.iter().map(|row| format!("  {},", serde_json::json!(row))).collect();
    let made = format!(
        "{HEAD}{}\n\n{TAIL}export interface Commands {{\n{}\n}}\n\n{RULES}export const RULES = [\n{}\n] as const;\n\n\
         {PERMISSIONS}export const PERMISSIONS = [\n{}\n] as const;",
        types.join("\n\n"),
        commands.join("\n"),
        rules.join("\n"),
        permissions.join("\n")
    );
    made.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn names() -> Vec<&'static str> {
    macro_rules! names {
        ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => { vec![$(stringify!($name)),*] };
    }
    table!(names)
}

fn committed(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

#[test]
fn the_page_has_the_types_of_the_commands() {
    let path = "../ui/src/bindings/contract.ts";
    if std::env::var("STRONGROOM_BINDINGS").as_deref() == Ok("write") {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), bindings()).unwrap();
    }
    assert_eq!(committed(path), bindings(), "run STRONGROOM_BINDINGS=write cargo test -p strongroom-app bindings");
}

#[test]
fn the_permission_list_is_the_table_and_nothing_more() {
    let file: serde_json::Value = serde_json::from_str(&committed("capabilities/main.json")).unwrap();
    let wanted: Vec<String> = names().iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    assert_eq!(file["permissions"], serde_json::json!(wanted));
    assert_eq!((&file["windows"], &file["remote"]), (&serde_json::json!(["main"]), &serde_json::Value::Null));
    let config: serde_json::Value = serde_json::from_str(&committed("tauri.conf.json")).unwrap();
    assert_eq!(config["app"]["security"]["capabilities"], serde_json::json!(["main"]));
}

#[test]
fn the_isolation_hook_lets_the_table_pass_and_nothing_more() {
    let script = committed("isolation/isolation.js");
    let shapes = script.split("const SHAPES = {").nth(1).and_then(|rest| rest.split("\n};").next()).unwrap();
    let listed: Vec<&str> = shapes.lines().filter_map(|line| line.trim().split_once(": [").map(|(name, _)| name)).collect();
    assert_eq!(listed, names());
}
