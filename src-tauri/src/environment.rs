//! What the window inherits. Invariant: only listed variables reach GTK and the web engine; none of them lets another
//! process drive, inspect or preload into a shipped window.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

/// Who the program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// For people.
    Shipped,
    /// For tests and measurements: may be driven.
    Driven,
}

/// Variables that are kept; those that end with `*` by their beginning.
const KEPT: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_*",
    "TZ",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_*",
    "DBUS_SESSION_BUS_ADDRESS",
    "DESKTOP_SESSION",
    "GDK_BACKEND",
    "GDK_SCALE",
    "GDK_DPI_SCALE",
    "XCURSOR_SIZE",
    "XCURSOR_THEME",
    "STRONGROOM_THEME",
    // The keyring of the session is found by it when there is no bus activation.
    "GNOME_KEYRING_CONTROL",
];
/// More of them for a window that may be driven.
const KEPT_WHEN_DRIVEN: &[&str] = &["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER", "RUST_BACKTRACE", "STRONGROOM_DRIVEN_*"];
/// Says that the environment was cleaned; its value is the moment of the first start, microseconds since 1970.
const CLEANED: &str = "STRONGROOM_STARTED_US";
/// A locale that the web engine can use, whether installed or not.
const LOCALE: &str = "en_US.UTF-8";

/// Starts this program again with a clean environment, once.
pub(crate) fn clean(build: Build) -> anyhow::Result<()> {
    if std::env::var_os(CLEANED).is_some() && is_clean(build) {
        return Ok(());
    }
    let started = started_us();
    let mut command = Command::new("/proc/self/exe");
    command.args(std::env::args_os().skip(1)).env_clear();
    command.arg0(std::env::args_os().next().unwrap_or_else(|| "strongroom-app".into()));
    command.envs(std::env::vars_os().filter(|(name, _)| is_kept(name, build)));
    if !is_usable_locale() {
        command.env("LANG", LOCALE).env_remove("LC_ALL").env_remove("LC_MESSAGES");
    }
    if draws_in_software() {
        // Without a graphics card the engine's compositor costs more than it saves.
        command.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
    }
    command.env(CLEANED, started.to_string());
    Err(command.exec()).context("cannot start with a clean environment")
}

/// When the program was started first, microseconds since 1970.
pub(crate) fn first_start_us() -> i64 {
    std::env::var(CLEANED).ok().and_then(|text| text.parse().ok()).unwrap_or_else(started_us)
}

/// Whether the window is drawn without a graphics card.
pub(crate) fn draws_in_software() -> bool {
    let asked = std::env::args_os().any(|argument| argument == "--safe-graphics");
    let has_card = std::fs::read_dir("/dev/dri")
        .is_ok_and(|mut nodes| nodes.any(|node| node.is_ok_and(|node| node.file_name().to_string_lossy().starts_with("render"))));
    asked || !has_card
}

/// A window needs a screen.
pub(crate) fn need_display() -> anyhow::Result<()> {
    let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    anyhow::ensure!(
        has("DISPLAY") || has("WAYLAND_DISPLAY"),
        "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set). Nothing was started. Use the terminal instead: `strongroom --help`"
    );
    gtk::init().map_err(|_| {
        let display = std::env::var("WAYLAND_DISPLAY").or_else(|_| std::env::var("DISPLAY")).unwrap_or_default();
        anyhow::anyhow!("the display {display} cannot be opened. Nothing was started. Use the terminal instead: `strongroom --help`")
    })
}

fn started_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn is_kept(name: &OsString, build: Build) -> bool {
    let name = name.to_string_lossy();
    let matches = |pattern: &&str| pattern.strip_suffix('*').map_or(*pattern == name, |start| name.starts_with(start));
    KEPT.iter().any(matches) || (build == Build::Driven && KEPT_WHEN_DRIVEN.iter().any(matches))
}

/// The mark alone is not believed: whoever sets it could set more.
fn is_clean(build: Build) -> bool {
    let ours = ["WEBKIT_DISABLE_COMPOSITING_MODE", CLEANED];
    std::env::vars_os().all(|(name, _)| is_kept(&name, build) || ours.iter().any(|own| name == *own)) && is_usable_locale()
}

fn is_usable_locale() -> bool {
    let value = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    value.is_some_and(|value| !matches!(value.as_str(), "C" | "POSIX" | "C.UTF-8" | "C.utf8") && !value.contains('@'))
}

/// Where the programs are that belong to this one.
pub(crate) fn beside(program: &str) -> anyhow::Result<std::path::PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's folder")?;
    let path = own.with_file_name(program);
    anyhow::ensure!(Path::new(&path).exists(), "{program} is not beside {}. The installation is not complete", own.display());
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_drives_or_preloads_is_kept() {
        for name in [
            "TAURI_WEBVIEW_AUTOMATION",
            "WEBKIT_INSPECTOR_SERVER",
            "WEBKIT_INSPECTOR_HTTP_SERVER",
            "GTK_MODULES",
            "GTK3_MODULES",
            "GTK_PATH",
            "GIO_EXTRA_MODULES",
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "WEBKIT_EXEC_PATH",
            "WEBKIT_INJECTED_BUNDLE_PATH",
            "JSC_useDollarVM",
            "GTK_IM_MODULE",
            "PYTHONPATH",
            "http_proxy",
        ] {
            assert!(!is_kept(&name.into(), Build::Shipped), "{name}");
        }
        for name in ["HOME", "DISPLAY", "LC_TIME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"] {
            assert!(is_kept(&name.into(), Build::Shipped), "{name}");
        }
        assert!(is_kept(&"TAURI_WEBVIEW_AUTOMATION".into(), Build::Driven));
        assert!(!is_kept(&"LD_PRELOAD".into(), Build::Driven));
    }
}
