//! Square codes for cameras. Invariant: always black on white with a quiet zone of four modules, in every theme.
#![expect(clippy::float_arithmetic, reason = "drawing")]

use std::rc::Rc;

use gtk::atk::prelude::*;
use gtk::cairo::{Antialias, Context};
use gtk::prelude::*;
use gtk::{DrawingArea, atk, glib};
use qrcodegen::{QrCode, QrCodeEcc, QrSegment};

/// Modules of white around a code.
const QUIET: i32 = 4;

/// A code for this text; letters that the denser alphanumeric form has are written in it.
pub(crate) fn encode(text: &str) -> Option<Rc<QrCode>> {
    QrCode::encode_segments(&QrSegment::make_segments(text), QrCodeEcc::Medium).ok().map(Rc::new)
}

/// The code as a picture of `size` pixels.
pub(crate) fn picture(code: Option<Rc<QrCode>>, size: i32, name: &str) -> DrawingArea {
    let area = DrawingArea::new();
    area.set_size_request(size, size);
    area.set_valign(gtk::Align::Start);
    area.set_halign(gtk::Align::Start);
    if let Some(accessible) = area.accessible() {
        accessible.set_name(name);
        accessible.set_role(atk::Role::Image);
    }
    area.connect_draw(move |_, cr| {
        if let Some(code) = &code {
            let _ = draw(cr, code, f64::from(size));
        }
        glib::Propagation::Proceed
    });
    area
}

/// Draws at the origin, `size` wide.
pub(crate) fn draw(cr: &Context, code: &QrCode, size: f64) -> Result<(), gtk::cairo::Error> {
    cr.save()?;
    cr.set_antialias(Antialias::None);
    cr.set_source_rgb(1.0, 1.0, 1.0);
    cr.rectangle(0.0, 0.0, size, size);
    cr.fill()?;
    let modules = code.size() + 2 * QUIET;
    cr.scale(size / f64::from(modules), size / f64::from(modules));
    cr.set_source_rgb(0.0, 0.0, 0.0);
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            cr.rectangle(f64::from(x + QUIET), f64::from(y + QUIET), 1.0, 1.0);
        }
    }
    cr.fill()?;
    cr.restore()
}
