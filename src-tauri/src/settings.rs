//! How the window looks and which keys it hears. Invariant: nothing secret; a file that cannot be read gives the defaults.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// File in the profile's folder.
const FILE: &str = "window.json";
/// Longest file that is read.
const FILE_LEN_MAX: u64 = 64 * 1_024;

/// Bright or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the desktop is.
    System,
    /// Dark.
    #[default]
    Dark,
    /// Bright.
    Light,
}

/// How close rows stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Density {
    /// Much on the screen.
    Compact,
    /// In between.
    #[default]
    Standard,
    /// Large targets.
    Relaxed,
}

/// Colours of up and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum UpDown {
    /// Distinct for every kind of colour vision.
    #[default]
    BlueOrange,
    /// Green up, red down.
    Classic,
    /// Red up, green down.
    ClassicEast,
}

/// How much moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Motion {
    /// As the desktop wants.
    #[default]
    System,
    /// As little as possible.
    Reduced,
}

/// All settings of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Bright or dark.
    pub theme: Theme,
    /// How close rows stand.
    pub density: Density,
    /// Colours of up and down.
    pub pnl: UpDown,
    /// How much moves.
    pub motion: Motion,
    /// Whether single letters are shortcuts.
    pub single_keys: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: Theme::default(), density: Density::default(), pnl: UpDown::default(), motion: Motion::default(), single_keys: true }
    }
}

impl Settings {
    /// Of a profile.
    pub(crate) fn read(profile: &Path) -> Self {
        let path = profile.join(FILE);
        if std::fs::metadata(&path).is_ok_and(|file| file.len() > FILE_LEN_MAX) {
            return Self::default();
        }
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Whole or not at all.
    pub(crate) fn write(self, profile: &Path) -> std::io::Result<()> {
        let (path, new) = (profile.join(FILE), profile.join("window.json.new"));
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&self)?)?;
        file.sync_all()?;
        std::fs::rename(new, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_as_written_and_defaults_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(folder.path()), Settings::default());
        let settings = Settings { theme: Theme::Light, pnl: UpDown::ClassicEast, ..Settings::default() };
        settings.write(folder.path()).unwrap();
        assert_eq!(Settings::read(folder.path()), settings);
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(Settings::read(folder.path()), Settings::default());
    }
}
