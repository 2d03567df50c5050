//! Below the source: which files cannot be sent, and which are no arrays; each with its reason.

use eframe::egui::{CollapsingHeader, Label, RichText, ScrollArea, Ui};

use crate::app::model::sources::{Remark, Sources};
use crate::app::theme;
use crate::app::widgets::caption;
use crate::app::words::say;

const LINE_HEIGHT: f32 = 17.0;
/// More scroll.
const LINES_SHOWN: f32 = 7.0;

/// Draws a line for each kind of remark. It unfolds to the names.
pub(super) fn ui(ui: &mut Ui, sources: &Sources) {
    if sources.refused().is_empty() && sources.plain().is_empty() {
        return;
    }
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        lines_ui(ui, sources);
    });
}

fn lines_ui(ui: &mut Ui, sources: &Sources) {
    if !sources.refused().is_empty() {
        let refused = sources.refused();
        fold_ui(ui, &say!("form-refused", count = refused.len()), refused);
    }
    match sources.plain() {
        [] => {}
        [only] if sources.files().len() == 1 => {
            caption(ui, &say!("form-plain-file", why = &only.why));
        }
        plain => fold_ui(ui, &say!("form-plain-files", count = plain.len()), plain),
    }
}

fn fold_ui(ui: &mut Ui, title: &str, remarks: &[Remark]) {
    let palette = theme::palette(ui);
    let small = |text: String| RichText::new(text).font(theme::small()).color(palette.weak);
    CollapsingHeader::new(small(title.to_owned()))
        .id_salt(("remarks", title))
        .show_unindented(ui, |ui| {
            let list = ScrollArea::vertical()
                .id_salt(("remarks", title))
                .max_height(LINE_HEIGHT * LINES_SHOWN)
                .auto_shrink([false, true]);
            list.show_rows(ui, LINE_HEIGHT, remarks.len(), |ui, visible| {
                for remark in remarks.get(visible).unwrap_or_default() {
                    let text = say!("form-remark", name = &remark.name, why = &remark.why);
                    // What is cut off is shown when it is pointed at.
                    ui.add(Label::new(small(text)).truncate());
                }
            });
        });
}
