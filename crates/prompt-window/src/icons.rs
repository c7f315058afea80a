//! Small pictures, drawn. Invariant: they are ornaments; what they say stands beside them in words.
#![expect(clippy::float_arithmetic, reason = "drawing")]

use std::f64::consts::PI;

use gtk::cairo::{Context, LineCap, LineJoin};
use gtk::prelude::*;
use gtk::{DrawingArea, glib};

use crate::theme;

/// On a grid of 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Mark,
    Lock,
    Eye,
    Caps,
    Check,
    Print,
    Save,
    File,
    Dot,
    Enter,
}

/// An icon of `size` pixels in the colour of a role.
pub(crate) fn icon(icon: Icon, size: i32, role: &'static str) -> DrawingArea {
    let area = DrawingArea::new();
    area.set_size_request(size, size);
    area.set_valign(gtk::Align::Center);
    area.set_halign(gtk::Align::Center);
    area.connect_draw(move |area, cr| {
        let disabled = !area.is_sensitive();
        let colour = theme::colour(area, if disabled { "fg2" } else { role });
        cr.set_source_rgba(colour.red(), colour.green(), colour.blue(), colour.alpha());
        let scale = f64::from(size) / 24.0;
        cr.scale(scale, scale);
        cr.set_line_width(if size < 16 { 2.0 } else { 1.5 });
        cr.set_line_cap(LineCap::Round);
        cr.set_line_join(LineJoin::Round);
        let _ = draw(icon, cr);
        glib::Propagation::Proceed
    });
    area
}

fn draw(icon: Icon, cr: &Context) -> Result<(), gtk::cairo::Error> {
    match icon {
        Icon::Mark => {
            cr.set_line_width(1.6);
            path(cr, &[(12.0, 2.5), (21.5, 12.0), (12.0, 21.5), (2.5, 12.0)], true);
            cr.stroke()?;
            path(cr, &[(12.0, 7.6), (16.4, 12.0), (12.0, 16.4), (7.6, 12.0)], true);
            cr.fill()
        }
        Icon::Lock => {
            cr.rectangle(5.0, 11.0, 14.0, 9.5);
            path(cr, &[(8.0, 11.0), (8.0, 8.0)], false);
            cr.arc(12.0, 8.0, 4.0, PI, 0.0);
            cr.line_to(16.0, 11.0);
            path(cr, &[(12.0, 15.0), (12.0, 17.0)], false);
            cr.stroke()
        }
        Icon::Eye => {
            cr.move_to(2.5, 12.0);
            cr.curve_to(6.0, 4.0, 18.0, 4.0, 21.5, 12.0);
            cr.curve_to(18.0, 20.0, 6.0, 20.0, 2.5, 12.0);
            cr.close_path();
            cr.new_sub_path();
            cr.arc(12.0, 12.0, 2.7, 0.0, 2.0 * PI);
            cr.stroke()
        }
        Icon::Caps => {
            path(cr, &[(12.0, 4.0), (4.5, 12.0), (9.0, 12.0), (9.0, 16.0), (15.0, 16.0), (15.0, 12.0), (19.5, 12.0)], true);
            path(cr, &[(9.0, 20.0), (15.0, 20.0)], false);
            cr.stroke()
        }
        Icon::Check => {
            path(cr, &[(4.5, 12.5), (9.5, 17.5), (19.5, 7.0)], false);
            cr.stroke()
        }
        Icon::Print => {
            path(cr, &[(7.0, 9.0), (7.0, 4.0), (17.0, 4.0), (17.0, 9.0)], false);
            path(cr, &[(7.0, 17.0), (4.0, 17.0), (4.0, 9.0), (20.0, 9.0), (20.0, 17.0), (17.0, 17.0)], false);
            cr.rectangle(7.0, 14.0, 10.0, 6.0);
            cr.stroke()
        }
        Icon::Save => {
            path(cr, &[(12.0, 4.0), (12.0, 15.0)], false);
            path(cr, &[(7.0, 10.5), (12.0, 15.5), (17.0, 10.5)], false);
            path(cr, &[(4.5, 15.0), (4.5, 20.0), (19.5, 20.0), (19.5, 15.0)], false);
            cr.stroke()
        }
        Icon::File => {
            path(cr, &[(6.0, 3.5), (14.0, 3.5), (18.5, 8.0), (18.5, 20.5), (6.0, 20.5)], true);
            path(cr, &[(14.0, 3.5), (14.0, 8.0), (18.5, 8.0)], false);
            cr.stroke()
        }
        Icon::Enter => {
            path(cr, &[(20.0, 5.0), (20.0, 14.0), (5.0, 14.0)], false);
            path(cr, &[(10.0, 9.0), (5.0, 14.0), (10.0, 19.0)], false);
            cr.stroke()
        }
        Icon::Dot => {
            cr.arc(12.0, 12.0, 9.0, 0.0, 2.0 * PI);
            cr.fill()
        }
    }
}

fn path(cr: &Context, points: &[(f64, f64)], closed: bool) {
    for (at, (x, y)) in points.iter().enumerate() {
        if at == 0 { cr.move_to(*x, *y) } else { cr.line_to(*x, *y) }
    }
    if closed {
        cr.close_path();
    }
}
