//! The page of help: the keys, the terms, and what this program is.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::settings::{part, title};
use crate::app::theme;
use crate::app::widgets::{caption, text_line};
use crate::app::words::say;

const WIDTH: f32 = 720.0;
const KEYS_WIDTH: f32 = 168.0;
const LINE_HEIGHT: f32 = 24.0;

fn keys() -> [(&'static str, &'static str); 19] {
    [
        ("Ctrl K", say!("help-palette")),
        ("Ctrl N", say!("help-new")),
        ("Ctrl Enter", say!("help-start")),
        ("Ctrl O", say!("help-files")),
        ("Ctrl L", say!("help-receive")),
        ("Ctrl B", say!("help-form")),
        ("Ctrl F", say!("help-filter")),
        (say!("help-key-up-down"), say!("help-choose")),
        ("Space", say!("help-pause")),
        ("Delete", say!("help-delete")),
        (say!("help-key-menu"), say!("help-menu")),
        ("Ctrl Z", say!("help-undo")),
        (say!("help-key-zoom"), say!("help-zoom")),
        ("Escape", say!("help-escape")),
        ("Ctrl 1, 2, 3, 4", say!("help-pages")),
        ("Ctrl R", say!("help-compare")),
        ("Ctrl ,", say!("help-settings")),
        ("F1", say!("help-help")),
        ("Ctrl Q", say!("help-close")),
    ]
}

fn terms() -> [(&'static str, &'static str); 9] {
    [
        (say!("help-term-wire"), say!("help-term-wire-text")),
        (say!("help-term-route"), say!("help-term-route-text")),
        (say!("help-term-chunk"), say!("help-term-chunk-text")),
        (say!("help-term-verified"), say!("help-term-verified-text")),
        (say!("help-term-on-disk"), say!("help-term-on-disk-text")),
        (say!("help-term-limit"), say!("help-term-limit-text")),
        (say!("help-term-mean"), say!("help-term-mean-text")),
        (say!("help-term-ceiling"), say!("help-term-ceiling-text")),
        (say!("help-term-cpu"), say!("help-term-cpu-text")),
    ]
}

/// Draws the page.
pub(crate) fn ui(ui: &mut Ui) {
    ui.set_max_width(WIDTH);
    ui.spacing_mut().item_spacing.y = 2.0;
    title(ui, say!("rail-help"));
    part(ui, say!("help-keys"), None);
    lines_ui(ui, &keys());
    part(ui, say!("help-terms"), None);
    lines_ui(ui, &terms());
    part(ui, say!("help-about"), None);
    let version = concat!("Arraylift ", env!("CARGO_PKG_VERSION"));
    lines_ui(
        ui,
        &[
            (say!("help-version"), version),
            (say!("help-licence"), env!("CARGO_PKG_LICENSE")),
            (say!("help-typeface"), say!("help-typeface-text")),
            (say!("help-drawn-by"), say!("help-drawn-by-text")),
        ],
    );
    caption(ui, say!("help-manual"));
}

fn lines_ui(ui: &mut Ui, lines: &[(&str, &str)]) {
    let palette = theme::palette(ui);
    for (name, text) in lines {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, say!("help-line", name = *name, text = *text)));
        let left = Rect::from_min_max(rect.min, pos2(rect.left() + KEYS_WIDTH - 12.0, rect.bottom()));
        text_line(ui, left, Align2::LEFT_CENTER, name, theme::strong(), palette.text);
        let right = rect.with_min_x(rect.left() + KEYS_WIDTH);
        let placed = text_line(ui, right, Align2::LEFT_CENTER, text, theme::body(), palette.weak);
        if placed.width() >= right.width() - 14.0 {
            response.on_hover_text(*text);
        }
    }
}
