//! Six digits in six cells. Invariant: it is one entry to keyboard, clipboard and screen reader; only the picture has cells.
#![expect(clippy::float_arithmetic, reason = "drawing")]

use gtk::cairo::Context;
use gtk::prelude::*;
use gtk::{Entry, InputPurpose, Overlay, Rectangle, Widget, glib, pango};
use strongroom_prompt::Answer;

use crate::parts::{call, typed};
use crate::theme;

/// Digits of a code.
const DIGITS: usize = 6;
const HEIGHT: f64 = 46.0;
const GAP: f64 = 8.0;
/// Room for the line between the halves.
const DASH: f64 = 12.0;
/// Room for the focus ring around cells.
const RING_WIDTH: i32 = 4;

/// The cells.
#[derive(Clone)]
pub(crate) struct Cells {
    /// The whole.
    pub(crate) overlay: Overlay,
    /// Where is typed.
    pub(crate) entry: Entry,
}

impl Cells {
    pub(crate) fn new() -> Self {
        let overlay = Overlay::new();
        overlay.style_context().add_class("cells");
        let picture = gtk::Box::new(gtk::Orientation::Horizontal, 0);
        picture.set_size_request(-1, 46);
        // The ring is drawn around the outer cells, too.
        picture.connect_size_allocate(|picture, place| {
            let ring = 2 * RING_WIDTH;
            picture.set_clip(&Rectangle::new(place.x() - RING_WIDTH, place.y() - RING_WIDTH, place.width() + ring, place.height() + ring));
        });
        overlay.add(&picture);
        let entry = Entry::new();
        entry.set_has_frame(false);
        entry.set_activates_default(true);
        entry.set_input_purpose(InputPurpose::Digits);
        entry.set_max_length(32);
        // The entry takes keys and clicks; the picture under it shows what it holds.
        entry.set_opacity(0.0);
        call(&entry, "Six-digit code");
        overlay.add_overlay(&entry);
        let cells = Self { overlay, entry };
        let drawn = cells.entry.clone();
        picture.connect_draw(move |area, cr| {
            let _ = draw(area, cr, &drawn);
            glib::Propagation::Proceed
        });
        let picture: Widget = picture.upcast();
        let redrawn = picture.clone();
        cells.entry.connect_changed(move |entry| {
            tidy(entry);
            redrawn.queue_draw();
        });
        for signal in ["focus-in-event", "focus-out-event"] {
            let redrawn = picture.clone();
            cells.entry.connect_local(signal, true, move |_| {
                redrawn.queue_draw();
                Some(false.to_value())
            });
        }
        cells
    }

    /// The digits, once there are six.
    pub(crate) fn code(&self) -> Option<Answer> {
        let code = typed(&self.entry);
        (code.len() == DIGITS && code.iter().all(u8::is_ascii_digit)).then_some(code)
    }
}

/// Keeps digits only, and six of them: a code pasted as `123 456` is one.
fn tidy(entry: &Entry) {
    let text = entry.text();
    let digits = digits(&text);
    if digits != text.as_str() {
        entry.set_text(&digits);
        entry.set_position(-1);
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(DIGITS).collect()
}

fn draw(area: &gtk::Box, cr: &Context, entry: &Entry) -> Result<(), gtk::cairo::Error> {
    let text = entry.text();
    let at = text.len().min(DIGITS);
    let width = (f64::from(area.allocated_width()) - DASH - 6.0 * GAP) / 6.0;
    let layout = area.create_pango_layout(None);
    layout.set_font_description(Some(&pango::FontDescription::from_string("JetBrains Mono 24px")));
    let mut x = 0.0;
    for cell in 0..DIGITS {
        if cell == DIGITS / 2 {
            paint(area, cr, "border_strong");
            cr.rectangle(x, HEIGHT / 2.0, DASH, 1.0);
            cr.fill()?;
            x += DASH + GAP;
        }
        let has_cursor = entry.has_focus() && cell == at.min(DIGITS - 1);
        if has_cursor {
            round(cr, x - 3.0, -3.0, width + 6.0, HEIGHT + 6.0, 5.0);
            paint(area, cr, "focus");
            cr.set_line_width(2.0);
            cr.stroke()?;
        }
        round(cr, x + 0.5, 0.5, width - 1.0, HEIGHT - 1.0, 3.0);
        paint(area, cr, "bg0");
        cr.fill_preserve()?;
        paint(area, cr, "border_strong");
        cr.set_line_width(1.0);
        cr.stroke()?;
        if let Some(digit) = text.get(cell..=cell) {
            layout.set_text(digit);
            let (w, h) = layout.pixel_size();
            // In the colour of the window's text.
            let y = (HEIGHT - f64::from(h)) / 2.0;
            gtk::render_layout(&area.style_context(), cr, x + (width - f64::from(w)) / 2.0, y, &layout);
        } else if has_cursor {
            paint(area, cr, "focus");
            cr.rectangle(x + width / 2.0 - 1.0, 11.0, 2.0, 24.0);
            cr.fill()?;
        }
        x += width + GAP;
    }
    Ok(())
}

fn paint(area: &gtk::Box, cr: &Context, role: &str) {
    let colour = theme::colour(area, role);
    cr.set_source_rgba(colour.red(), colour.green(), colour.blue(), colour.alpha());
}

fn round(cr: &Context, x: f64, y: f64, width: f64, height: f64, radius: f64) {
    use std::f64::consts::FRAC_PI_2;
    cr.new_sub_path();
    cr.arc(x + width - radius, y + radius, radius, -FRAC_PI_2, 0.0);
    cr.arc(x + width - radius, y + height - radius, radius, 0.0, FRAC_PI_2);
    cr.arc(x + radius, y + height - radius, radius, FRAC_PI_2, 2.0 * FRAC_PI_2);
    cr.arc(x + radius, y + radius, radius, 2.0 * FRAC_PI_2, 3.0 * FRAC_PI_2);
    cr.close_path();
}

#[cfg(test)]
mod tests {
    use super::digits;

    /// Rows: what is typed or pasted, and what is kept.
    #[test]
    fn only_six_digits_are_kept() {
        for (typed, kept) in
            [("", ""), ("12", "12"), ("123 456", "123456"), ("a1b2", "12"), ("1234567", "123456"), ("١٢٣", ""), (" 1-2\n3", "123")]
        {
            assert_eq!(digits(typed), kept, "{typed:?}");
        }
    }
}
