//! The few parts that pages are made of: one label, one field, one button, one list of facts.
//!
//! Invariant: every control has a name that a screen reader tells, and nothing that was shown or typed can be copied out.

use gtk::atk::prelude::*;
use gtk::prelude::*;
use gtk::{Align, Box as Bar, Button, Entry, Grid, InputPurpose, Label, Orientation, ToggleButton, Widget, atk, gdk, glib, pango};
use strongroom_prompt::{Answer, answer};
use strongroom_signer_api::Fact;
use strongroom_signer_api::prompt::ANSWER_LEN_MAX;

use crate::icons::{Icon, icon};

/// A column with this space between rows.
pub(crate) fn column(space: i32) -> Bar {
    Bar::new(Orientation::Vertical, space)
}

/// A row with this space between columns.
pub(crate) fn row(space: i32) -> Bar {
    Bar::new(Orientation::Horizontal, space)
}

/// Text in a role of the style; it wraps, and cannot be selected.
pub(crate) fn label(text: &str, role: &str) -> Label {
    let label = Label::new(Some(text));
    label.style_context().add_class(role);
    label.set_xalign(0.0);
    label.set_line_wrap(true);
    label.set_line_wrap_mode(pango::WrapMode::WordChar);
    label.set_max_width_chars(1);
    label.set_hexpand(true);
    label
}

/// Text in one line that takes no more room than it needs.
pub(crate) fn short(text: &str, role: &str) -> Label {
    let label = Label::new(Some(text));
    label.style_context().add_class(role);
    label.set_xalign(0.0);
    label
}

/// A label with an underlined letter that leads to `control` and names it.
pub(crate) fn name_of(control: &impl IsA<Widget>, text: &str) -> Label {
    let label = Label::with_mnemonic(text);
    label.style_context().add_class("name");
    label.set_xalign(0.0);
    label.set_mnemonic_widget(Some(control));
    label
}

/// Tells a screen reader what something is.
pub(crate) fn call(widget: &impl IsA<Widget>, name: &str) {
    if let Some(accessible) = widget.accessible() {
        accessible.set_name(name);
    }
}

/// Ties the words about a control to it, for a screen reader.
pub(crate) fn describe(control: &impl IsA<Widget>, words: &impl IsA<Widget>) {
    if let (Some(control), Some(words)) = (control.accessible(), words.accessible()) {
        control.add_relationship(atk::RelationType::DescribedBy, &words);
        words.add_relationship(atk::RelationType::DescriptionFor, &control);
    }
}

/// A place for what is wrong; empty until something is. Screen readers announce it as an alert.
pub(crate) fn alert(control: &impl IsA<Widget>) -> Label {
    let label = label("", "danger");
    if let Some(accessible) = label.accessible() {
        accessible.set_role(atk::Role::Alert);
    }
    describe(control, &label);
    label
}

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// Covered, with a button that uncovers it.
    Secret,
    /// In the open.
    Plain,
}

/// An entry in its frame.
pub(crate) struct Field {
    /// The whole.
    pub(crate) frame: Bar,
    /// Where is typed.
    pub(crate) entry: Entry,
    /// The picture at its end that says that it fits.
    check: Widget,
}

impl Field {
    pub(crate) fn new(typed: Typed, what: &str) -> Self {
        let frame = row(0);
        frame.style_context().add_class("field");
        let entry = Entry::new();
        entry.set_hexpand(true);
        entry.set_activates_default(true);
        entry.set_max_length(i32::try_from(ANSWER_LEN_MAX).unwrap_or(i32::MAX));
        entry.set_has_frame(false);
        entry.set_width_chars(1);
        keep(&entry);
        frame.pack_start(&entry, true, true, 0);
        let check = icon(Icon::Check, 16, "ok").upcast::<Widget>();
        check.set_no_show_all(true);
        check.set_margin_end(10);
        frame.pack_start(&check, false, false, 0);
        if typed == Typed::Secret {
            cover(&entry);
            frame.pack_start(&eye(&entry, what), false, false, 0);
        }
        let ring = frame.clone();
        entry.connect_focus_in_event(move |_, _| {
            ring.style_context().add_class("focus");
            glib::Propagation::Proceed
        });
        let ring = frame.clone();
        entry.connect_focus_out_event(move |_, _| {
            ring.style_context().remove_class("focus");
            glib::Propagation::Proceed
        });
        Self { frame, entry, check }
    }

    /// Says with its frame and a picture whether what stands in it fits; `None`: nothing to say yet.
    pub(crate) fn judge(&self, fits: Option<bool>) {
        let style = self.frame.style_context();
        style.remove_class("good");
        style.remove_class("bad");
        match fits {
            Some(true) => style.add_class("good"),
            Some(false) => style.add_class("bad"),
            None => {}
        }
        self.check.set_visible(fits == Some(true));
    }
}

/// What stands in an entry, in a buffer that is wiped.
pub(crate) fn typed(entry: &Entry) -> Answer {
    // The copy that GTK hands out is freed at once; the supervisor starts this program with an allocator that overwrites.
    answer(entry.text().as_bytes()).unwrap_or_default()
}

/// Shows dots instead of letters.
fn cover(entry: &Entry) {
    entry.set_visibility(false);
    entry.set_invisible_char(Some('•'));
    entry.set_input_purpose(InputPurpose::Password);
    // It is said below, in words.
    entry.set_property("caps-lock-warning", false);
}

/// Nothing is copied or cut out of an entry, nor dragged.
fn keep(entry: &Entry) {
    for signal in ["copy-clipboard", "cut-clipboard"] {
        let stopped = entry.clone();
        entry.connect_local(signal, false, move |_| {
            stopped.stop_signal_emission_by_name(signal);
            None
        });
    }
}

fn eye(entry: &Entry, what: &str) -> ToggleButton {
    let button = ToggleButton::new();
    button.add(&icon(Icon::Eye, 16, "fg1"));
    call(&button, &format!("Show {what}"));
    button.set_tooltip_text(Some(&format!("Show {what}")));
    let entry = entry.clone();
    button.connect_toggled(move |button| entry.set_visibility(button.is_active()));
    button
}

/// Tells when Caps Lock is on.
pub(crate) fn caps_lock() -> Bar {
    let warning = row(6);
    warning.pack_start(&icon(Icon::Caps, 16, "warn"), false, false, 0);
    warning.pack_start(&short("Caps Lock is on", "warn"), false, false, 0);
    warning.show_all();
    warning.set_no_show_all(true);
    if let Some(accessible) = warning.accessible() {
        accessible.set_role(atk::Role::Alert);
        accessible.set_name("Caps Lock is on");
    }
    if let Some(keymap) = gdk::Display::default().and_then(|display| gdk::Keymap::for_display(&display)) {
        warning.set_visible(keymap.is_caps_locked());
        let weak = warning.downgrade();
        keymap.connect_state_changed(move |keymap| {
            if let Some(warning) = weak.upgrade() {
                warning.set_visible(keymap.is_caps_locked());
            }
        });
    } else {
        warning.set_visible(false);
    }
    warning
}

/// A button with an underlined letter.
pub(crate) fn button(text: &str) -> Button {
    let button = Button::with_mnemonic(text);
    button.set_valign(Align::Center);
    button
}

/// A small button with a picture.
pub(crate) fn small(picture: Icon, text: &str) -> Button {
    let inside = row(6);
    let words = Label::with_mnemonic(text);
    inside.pack_start(&icon(picture, 16, "fg1"), false, false, 0);
    inside.pack_start(&words, false, false, 0);
    let button = Button::new();
    button.add(&inside);
    words.set_mnemonic_widget(Some(&button));
    button.style_context().add_class("small");
    call(&button, &text.replace('_', ""));
    button
}

/// A line between parts.
pub(crate) fn rule() -> Bar {
    let rule = row(0);
    rule.style_context().add_class("rule");
    rule
}

/// Behind a value that the signer made.
pub(crate) const FROM_SIGNER: &str = " from the signer";

/// Names and values, one pair a row, `height` pixels each.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = &'a Fact>, height: i32) -> Grid {
    let grid = Grid::new();
    grid.set_column_spacing(16);
    // A grid tells a screen reader its newest part first: the last is attached first.
    let facts: Vec<&Fact> = facts.into_iter().collect();
    for (at, Fact { name, value }) in facts.into_iter().enumerate().rev() {
        let at = i32::try_from(at).unwrap_or(i32::MAX);
        let left = short(name, "fact");
        left.set_size_request(-1, height);
        let inside = row(6);
        if is_good_news(value) {
            inside.pack_start(&icon(Icon::Dot, 9, "ok"), false, false, 0);
        }
        let (value, source) = value.split_once(FROM_SIGNER).map_or((value.as_str(), None), |(value, _)| (value, Some(FROM_SIGNER)));
        let right = short(value, "value");
        right.set_ellipsize(pango::EllipsizeMode::End);
        right.set_xalign(0.0);
        right.set_hexpand(source.is_none());
        if is_number(value) {
            right.style_context().add_class("num");
        }
        describe(&right, &left);
        inside.pack_start(&right, source.is_none(), source.is_none(), 0);
        if let Some(source) = source {
            inside.pack_start(&short(source.trim_start(), "fact"), false, false, 0);
        }
        grid.attach(&inside, 1, at, 1, 1);
        grid.attach(&left, 0, at, 1, 1);
    }
    grid
}

/// A measured state has a shape before it.
fn is_good_news(value: &str) -> bool {
    value.starts_with("Device secret")
}

/// Values that are compared letter by letter stand in letters of one width.
fn is_number(value: &str) -> bool {
    value.starts_with("Argon2id")
        || value.chars().next().is_some_and(|first| first.is_ascii_digit())
        || value.contains('…')
        || value.contains('\u{a0}')
}

/// Puts the cursor into a field of the page that is shown.
pub(crate) fn focus(widget: &impl IsA<Widget>) {
    widget.grab_focus();
}
