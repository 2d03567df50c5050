//! The rate, large: now while it runs, the mean once it is done, and where there is none the state in a word.

use eframe::egui::{Color32, Ui, pos2};

use super::facts;
use super::layout::Head;
use super::text::{self, Piece};
use crate::app::model::format;
use crate::app::model::row::{Numbers, Phase, Row};
use crate::app::theme;
use crate::app::widgets::text_width;
use crate::app::words::say;
use crate::compare::ceilings::{Ceilings, CopyShare};
use crate::transfer::State;

/// What stands in the place of the rate.
enum Hero {
    /// A rate in bytes a second, and what it is unless it is the one of now.
    Rate(f64, &'static str),
    /// A word.
    Word(Color32),
}

/// Draws it on the head's baseline.
pub(super) fn ui(ui: &Ui, row: &Row, numbers: &Numbers, head: &Head, ceilings: Option<&Ceilings>) {
    let palette = theme::palette(ui);
    let size = head.size.hero();
    let at = pos2(head.hero.min - size * 0.02, head.baseline);
    let hero = match &row.phase {
        _ if row.is_stopped() => Hero::Rate(numbers.mean, row.mean_name()),
        Phase::Done { .. } if row.is_over() => Hero::Rate(numbers.mean, row.mean_name()),
        _ if row.has_rate() || row.phase == Phase::Is(State::Verifying) => Hero::Rate(numbers.now, ""),
        Phase::Failed { .. } => Hero::Word(palette.failed),
        Phase::Interrupted { .. } => Hero::Word(palette.interrupted),
        _ => Hero::Word(palette.weak),
    };
    match hero {
        Hero::Rate(rate, what) => {
            let quantity = numbers.unit.quantity(rate);
            let unit_size = if size > 50.0 { 20.0 } else { 18.0 };
            let words = [(what, 12.0), (quantity.unit, unit_size)];
            let unit_width = words.map(|(words, size)| text_width(ui, words, theme::label(size)));
            let room = facts::left_free(head.size) - unit_width[0].max(unit_width[1]) - size * 0.12;
            // The figures of a rate that is far below its unit are many.
            let wanted = text_width(ui, &quantity.number, theme::value(size));
            let size = size * (room / wanted).min(1.0);
            let piece = Piece::new(&quantity.number, theme::value(size), palette.text);
            let galley = text::spaced(ui, &piece, -1.0);
            let top = head.baseline - text::baseline(&galley);
            let rect = eframe::egui::Rect::from_min_size(pos2(at.x, top), galley.size());
            ui.painter().galley(rect.min, galley, palette.text);
            let unit_at = pos2(rect.right() + size * 0.12 + 2.0, head.baseline);
            let unit = Piece::new(quantity.unit, theme::label(unit_size), palette.weak);
            let mut covered = rect.union(text::on_baseline(ui, unit_at, &[unit], 0.0));
            if !what.is_empty() {
                let what_at = pos2(unit_at.x, head.baseline - unit_size - 3.0);
                let what = Piece::new(what, theme::label(12.0), palette.weak);
                covered = covered.union(text::on_baseline(ui, what_at, &[what], 0.0));
            }
            let share = ceilings.and_then(|ceilings| share_of_one_copy(rate, ceilings));
            let said = format!("{quantity} {what}");
            let words: Vec<String> = [Some(said.trim_end().to_owned()), share]
                .into_iter()
                .flatten()
                .collect();
            let said = words.join(say!("comma"));
            let response = text::said(ui, "hero", covered, &said);
            response.on_hover_text(tooltip(row, numbers, ceilings));
        }
        Hero::Word(colour) => {
            let word = row.phase.name();
            let piece = Piece::new(word, theme::value(size * 0.5), colour);
            let rect = text::on_baseline(ui, at, &[piece], 0.0);
            text::said(ui, "hero", rect, word);
        }
    }
}

/// A rate beside one copy in memory.
fn share_of_one_copy(rate: f64, ceilings: &Ceilings) -> Option<String> {
    Some(match CopyShare::of(rate, ceilings.memcpy_bytes_per_s)? {
        CopyShare::Faster => say!("hero-faster-than-copy").to_owned(),
        CopyShare::Under1 => say!("hero-under-1-of-copy").to_owned(),
        CopyShare::Percent(percent) => say!("hero-percent-of-copy", percent = format!("{percent:.0}")),
    })
}

/// How the rate was measured, and what belongs to it.
fn tooltip(row: &Row, numbers: &Numbers, ceilings: Option<&Ceilings>) -> String {
    let mut lines = Vec::new();
    let quantity = |rate: f64| numbers.unit.quantity(rate);
    if row.is_over() {
        lines.push(say!("hero-mean-how").to_owned());
    } else {
        lines.push(say!("hero-now-how").to_owned());
        let (name, rate) = (row.mean_name(), quantity(numbers.mean));
        lines.push(say!("hero-so-far", name = name, rate = rate));
    }
    // Of a moment that is one span or two, the peak is the mean.
    if numbers.elapsed_s >= 3.0 * numbers.peak_bin_s {
        let span = format::duration(numbers.peak_bin_s);
        lines.push(say!("hero-peak", rate = quantity(numbers.peak), span = span));
    }
    if let Some(ceilings) = ceilings {
        let rate = if row.is_over() { numbers.mean } else { numbers.now };
        lines.extend(share_of_one_copy(rate, ceilings));
    }
    lines.join("\n")
}
