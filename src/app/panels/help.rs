//! The page of help: the keys, the terms, and what this program is.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::settings::{part, title};
use crate::app::theme;
use crate::app::widgets::{caption, text_line};

const WIDTH: f32 = 720.0;
const KEYS_WIDTH: f32 = 168.0;
const LINE_HEIGHT: f32 = 24.0;

const KEYS: [(&str, &str); 19] = [
    ("Ctrl K", "finds any action by its name"),
    ("Ctrl N", "opens the form for a new transfer"),
    ("Ctrl Enter", "starts what the form says; on the page Compare, compares"),
    ("Ctrl O", "chooses files to send"),
    ("Ctrl L", "opens the form to receive here"),
    ("Ctrl B", "opens or closes the form"),
    ("Ctrl F", "goes to the filter of the list"),
    ("Up, Down", "choose a transfer"),
    ("Space", "pauses or resumes the chosen transfer"),
    ("Delete", "removes a transfer that has ended; cancels one that runs"),
    ("Shift F10, Menu", "opens the menu of the chosen transfer"),
    ("Ctrl Z", "puts back what was removed last, for 20 seconds"),
    ("+, -, Left, Right, 0", "zoom and move the plots; 0 shows all"),
    ("Escape", "closes what is open, else cancels the chosen transfer"),
    ("Ctrl 1, 2, 3, 4", "show Transfers, Compare, Round trips, History"),
    ("Ctrl R", "opens or closes Compare"),
    ("Ctrl ,", "shows the settings"),
    ("F1", "shows this page"),
    ("Ctrl Q", "closes the window"),
];

const TERMS: [(&str, &str); 9] = [
    (
        "wire",
        "what goes over the connection: native is verified, npy is a NumPy file, raw is bytes only",
    ),
    (
        "route",
        "how bytes leave one end and land at the other: sendfile, write, recv, splice and others",
    ),
    ("chunk", "how many bytes are moved at a time"),
    ("verified", "the checksums of both ends agree"),
    (
        "on disk",
        "the file and its folder were synced: a loss of power does not undo it",
    ),
    ("limit", "the rate that you allow at most"),
    ("mean", "bytes over time, pauses left out"),
    ("ceiling", "the highest rate that was measured on this machine"),
    ("CPU a GB", "the processor time that moving 10^9 bytes took"),
];

/// Draws the page.
pub(crate) fn ui(ui: &mut Ui) {
    ui.set_max_width(WIDTH);
    ui.spacing_mut().item_spacing.y = 2.0;
    title(ui, "Help");
    part(ui, "Keys", None);
    lines_ui(ui, &KEYS);
    part(ui, "Terms", None);
    lines_ui(ui, &TERMS);
    part(ui, "About", None);
    let version = concat!("Arraylift ", env!("CARGO_PKG_VERSION"));
    lines_ui(
        ui,
        &[
            ("version", version),
            ("licence", env!("CARGO_PKG_LICENSE")),
            ("typeface", "Inter, under the SIL Open Font License 1.1"),
            ("drawn by", "egui and OpenGL"),
        ],
    );
    caption(
        ui,
        "The manual is docs/manual.md; it describes the window and the commands.",
    );
}

fn lines_ui(ui: &mut Ui, lines: &[(&str, &str)]) {
    let palette = theme::palette(ui);
    for (name, text) in lines {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {text}")));
        let left = Rect::from_min_max(rect.min, pos2(rect.left() + KEYS_WIDTH - 12.0, rect.bottom()));
        text_line(ui, left, Align2::LEFT_CENTER, name, theme::strong(), palette.text);
        let right = rect.with_min_x(rect.left() + KEYS_WIDTH);
        let placed = text_line(ui, right, Align2::LEFT_CENTER, text, theme::body(), palette.weak);
        if placed.width() >= right.width() - 14.0 {
            response.on_hover_text(*text);
        }
    }
}
