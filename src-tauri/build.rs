//! Builds the list of commands into the program. Invariant: what is not in the table cannot be asked.

include!("table.rs");

macro_rules! names {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => { &[$(stringify!($name)),*] };
}

/// Every command of the window.
const COMMANDS: &[&str] = table!(names);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let page = std::path::Path::new("../ui/dist/index.html");
    println!("cargo:rerun-if-changed=../ui/dist");
    println!("cargo:rerun-if-changed=isolation");
    println!("cargo:rerun-if-changed=table.rs");
    if !page.exists() {
        return Err("the page is not built: run `cargo xtask ui` first (`cargo xtask run` and `cargo xtask test` do)".into());
    }
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    Ok(tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))?)
}
