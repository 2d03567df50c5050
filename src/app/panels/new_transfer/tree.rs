//! What is said of a folder: which of its files go, what becomes of files that are there, and whether a sender may have
//! any replaced.

use eframe::egui::Ui;

use super::{note_below, titled};
use crate::app::model::form::Form;
use crate::app::widgets::{field, pair, segments, tick};
use crate::app::words::say;
use crate::transfer::Replace;

/// Which files of a folder go, and what becomes of those that are there.
pub(super) fn choices_ui(ui: &mut Ui, form: &mut Form) {
    let Form { exclude, include, .. } = form;
    pair(
        ui,
        |ui| {
            field(ui, say!("form-exclude"), exclude, say!("form-exclude-nothing"), None)
                .on_hover_text(say!("form-exclude-hover"));
        },
        |ui| {
            field(ui, say!("form-include"), include, say!("form-include-all"), None)
                .on_hover_text(say!("form-include-hover"));
        },
    );
    titled(ui, say!("form-there"), |ui| {
        let choices = [
            (Replace::Never, say!("form-there-never")),
            (Replace::Older, say!("form-there-older")),
            (Replace::Always, say!("form-there-always")),
        ];
        segments(ui, say!("form-there"), &mut form.replace, &choices);
    });
    if form.replace != Replace::Never {
        note_below(
            ui,
            if form.receives() {
                say!("form-there-here")
            } else {
                say!("form-there-asks")
            },
        );
    }
}

/// Whether a sender may have files replaced.
pub(super) fn allow_replace_ui(ui: &mut Ui, form: &mut Form) {
    tick(ui, &mut form.allow_replace, say!("form-allow-replace"));
    note_below(
        ui,
        if form.allow_replace {
            say!("form-allow-replace-warning")
        } else {
            say!("form-allow-replace-off")
        },
    );
}
