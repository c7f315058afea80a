//! Colours, letters and spaces. Invariant: values are those of the app's tokens; pages name roles, never colours.

use gtk::prelude::*;
use gtk::{CssProvider, Settings, StyleContext, gdk, gio};

const STYLE: &str = include_str!("style.css");
/// Says which colours, whatever the desktop prefers: `dark` or `light`.
const VARIABLE: &str = "STRONGROOM_THEME";

/// Roles and their colours, dark and light; from the tokens.
const COLOURS: &[(&str, &str, &str)] = &[
    ("bg0", "#0B0E14", "#FFFFFF"),
    ("bg1", "#11151D", "#F6F7F9"),
    ("bg2", "#181E29", "#EDF0F4"),
    ("bg3", "#212938", "#E3E8EF"),
    ("fg0", "#E6EBF2", "#131923"),
    ("fg1", "#B7C1D0", "#394355"),
    ("fg2", "#98A4B8", "#4F5A6D"),
    ("border", "#2B3446", "#CBD3DE"),
    ("border_strong", "#7C8AA3", "#68758B"),
    ("accent", "#7DB1FF", "#0A55B5"),
    ("accent_fill", "#1F6FEB", "#0A55B5"),
    ("on_fill", "#FFFFFF", "#FFFFFF"),
    ("focus", "#FFD84D", "#0A55B5"),
    ("ok", "#4FD39A", "#08653E"),
    ("warn", "#F2C14E", "#7A4B00"),
    ("danger", "#FF8A93", "#B01F2E"),
    ("danger_fill", "#B3261E", "#B01F2E"),
    ("hair", "#1D2431", "#E1E6ED"),
];

/// Puts the style on the screen, over every other one.
pub(crate) fn apply() {
    let dark = is_dark();
    let mut css = String::new();
    for (name, on_dark, on_light) in COLOURS {
        css.push_str(&format!("@define-color {name} {};\n", if dark { on_dark } else { on_light }));
    }
    css.push_str(STYLE);
    if let Some(settings) = Settings::default() {
        settings.set_gtk_theme_name(Some("Adwaita"));
        settings.set_gtk_application_prefer_dark_theme(dark);
        settings.set_gtk_font_name(Some("Inter 10"));
        // What was opened or saved here is nobody's history.
        settings.set_property("gtk-recent-files-enabled", false);
        settings.set_property("gtk-recent-files-max-age", 0);
    }
    let provider = CssProvider::new();
    // The style is part of the program; the test of this module reads it.
    if provider.load_from_data(css.as_bytes()).is_ok()
        && let Some(screen) = gdk::Screen::default()
    {
        StyleContext::add_provider_for_screen(&screen, &provider, gtk::STYLE_PROVIDER_PRIORITY_USER + 1);
    }
}

/// What the variable says, else what the desktop prefers.
fn is_dark() -> bool {
    match std::env::var(VARIABLE).as_deref() {
        Ok("dark") => return true,
        Ok("light") => return false,
        _ => {}
    }
    const DESKTOP: &str = "org.gnome.desktop.interface";
    let schema = gio::SettingsSchemaSource::default().and_then(|source| source.lookup(DESKTOP, true));
    if schema.is_some_and(|schema| schema.has_key("color-scheme")) {
        match gio::Settings::new(DESKTOP).string("color-scheme").as_str() {
            "prefer-dark" => return true,
            "prefer-light" => return false,
            _ => {}
        }
    }
    let settings = Settings::default();
    settings.is_some_and(|settings| {
        settings.is_gtk_application_prefer_dark_theme()
            || settings.gtk_theme_name().is_some_and(|name| name.to_lowercase().ends_with("dark"))
    })
}

/// The colour of a role under `widget`.
pub(crate) fn colour(widget: &impl IsA<gtk::Widget>, role: &str) -> gdk::RGBA {
    widget.style_context().lookup_color(role).unwrap_or(gdk::RGBA::new(0.5, 0.5, 0.5, 1.0))
}
