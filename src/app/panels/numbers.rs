//! The numbers of the selected transfer: the rate, large, and what belongs to it; or why there is none.

use eframe::egui::{Align, Color32, Label, Layout, RichText, Role, Ui, WidgetInfo, pos2, vec2};

use crate::app::model::format::{self, Quantity};
use crate::app::model::row::{Numbers, Phase, Row};
use crate::app::theme;
use crate::app::widgets::caption;
use crate::compare::ceilings::{Ceilings, share_of_one_copy};
use crate::transfer::State;

/// Draws the rate and the figures beside it.
pub(crate) fn ui(ui: &mut Ui, row: &Row, ceilings: Option<&Ceilings>, now_s: f64) {
    let palette = theme::palette(ui);
    let numbers = row.numbers(now_s);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let width = if ui.available_width() > 760.0 { 176.0 } else { 150.0 };
        ui.allocate_ui_with_layout(vec2(width, 48.0), Layout::left_to_right(Align::Max), |ui| {
            ui.set_min_width(width);
            hero_ui(ui, row, &numbers);
        });
        let figures = figures(row, &numbers);
        let room = ui.available_width();
        let least: f32 = figures.iter().map(|figure| figure.width(ui)).sum();
        let gap = ((room - least) / figures.len().max(1) as f32).clamp(14.0, 40.0);
        for figure in figures {
            // What does not fit is left out from the right, never squeezed.
            if figure.width(ui) > ui.available_width() {
                break;
            }
            let width = figure.width(ui);
            ui.allocate_ui_with_layout(vec2(width, 48.0), Layout::top_down(Align::Min), |ui| {
                ui.set_min_width(width);
                ui.spacing_mut().item_spacing.y = 3.0;
                ui.add_space(5.0);
                caption(ui, &figure.name);
                let colour = figure.colour.map_or(palette.text, |colour| colour(palette));
                ui.add(Label::new(RichText::new(figure.value).font(theme::strong()).color(colour)).extend());
            });
            ui.add_space(gap);
        }
    });
    if let Some(ceilings) = ceilings.filter(|_| row.started().is_some()) {
        let rate = if row.is_over() { numbers.mean } else { numbers.now };
        let share = share_of_one_copy(rate, ceilings.memcpy_bytes_per_s);
        // A line also where there is no share, so that what is below does not jump.
        caption(ui, share.as_deref().unwrap_or(" "));
    }
}

/// The rate now; once it is done the mean, and where there is none the state in a word.
fn hero_ui(ui: &mut Ui, row: &Row, numbers: &Numbers) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.x = 6.0;
    let (quantity, colour) = match &row.phase {
        _ if row.is_stopped() => (Some(numbers.unit.quantity(numbers.mean)), palette.text),
        Phase::Done { .. } if row.is_over() => (Some(numbers.unit.quantity(numbers.mean)), palette.text),
        _ if row.has_rate() || row.phase == Phase::Is(State::Verifying) => {
            (Some(numbers.unit.quantity(numbers.now)), palette.text)
        }
        Phase::Failed { .. } => (None, palette.failed),
        _ => (None, palette.weak),
    };
    if let Some(Quantity { number, unit }) = quantity {
        let response = ui.add(Label::new(RichText::new(&number).font(theme::hero()).color(colour)).extend());
        let galley = ui
            .painter()
            .layout_no_wrap(unit.to_owned(), theme::body(), palette.weak);
        let at = pos2(
            response.rect.right() + 6.0,
            response.rect.bottom() - galley.size().y - 6.5,
        );
        ui.painter().galley(at, galley, palette.weak);
        // With its unit, which is painted beside it.
        let text = format!("{number} {unit}");
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    } else {
        let font = eframe::egui::FontId {
            size: theme::HERO_WORD,
            ..theme::hero()
        };
        let word = ui.add(Label::new(RichText::new(row.phase.name()).font(font).color(colour)).extend());
        // On the line that a number would stand on.
        ui.advance_cursor_after_rect(word.rect.expand2(vec2(0.0, 4.0)));
    }
}

struct Figure {
    name: String,
    value: String,
    /// The widest value that is to be expected, so that nothing moves when figures change.
    widest: &'static str,
    colour: Option<fn(&theme::Palette) -> Color32>,
}

impl Figure {
    fn new(name: impl Into<String>, value: String, widest: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            widest,
            colour: None,
        }
    }

    fn width(&self, ui: &Ui) -> f32 {
        let measure = |text: &str, font| {
            ui.painter()
                .layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER)
                .size()
                .x
        };
        let value = measure(&self.value, theme::strong()).max(measure(self.widest, theme::strong()));
        value.max(measure(&self.name, theme::small())).ceil() + 1.0
    }
}

fn peak(numbers: &Numbers) -> Figure {
    Figure::new(
        format!("peak, {}", format::duration(numbers.peak_bin_s)),
        numbers.unit.quantity(numbers.peak).to_string(),
        "0.00 GB/s",
    )
}

fn figures(row: &Row, numbers: &Numbers) -> Vec<Figure> {
    let mut figures = Vec::new();
    if row.started().is_none() {
        return figures;
    }
    match &row.phase {
        _ if row.is_stopped() => {
            figures.push(Figure::new("median, stopped after", row.rounds_in_words(), ""));
        }
        Phase::Done { verified } if row.is_over() => {
            let (value, colour): (_, fn(&theme::Palette) -> Color32) = match verified {
                Some(true) => ("Verified", |palette| palette.verified),
                Some(false) => ("Checksums differ", |palette| palette.failed),
                None => ("Not verified", |palette| palette.weak),
            };
            figures.push(Figure {
                colour: Some(colour),
                ..Figure::new("done", value.to_owned(), "")
            });
        }
        _ => {
            let name = if row.rounds > 0 { "median of rounds" } else { "mean" };
            figures.push(Figure::new(
                name,
                numbers.unit.quantity(numbers.mean).to_string(),
                "0.00 GB/s",
            ));
        }
    }
    // Of a moment that is one span or two, the peak is the mean.
    if numbers.elapsed_s >= 3.0 * numbers.peak_bin_s {
        figures.push(peak(numbers));
    }
    match (&row.phase, numbers.total) {
        _ if row.rounds > 0 && row.repeats() => {
            let moved = format::bytes(row.main_end().series.bytes());
            let name = if row.is_over() {
                "moved in all".to_owned()
            } else {
                format!("moved in all, round {}", format::count(u64::from(row.rounds) + 1))
            };
            figures.push(Figure::new(name, moved.to_string(), "00.0 GB"));
        }
        (Phase::Done { .. }, Some(total)) => figures.push(Figure::new("moved", format::bytes(total).to_string(), "")),
        (_, Some(total)) => figures.push(Figure::new(
            "moved",
            format::done_of(numbers.done, total),
            "00.0 of 00.0 GB",
        )),
        (_, None) => figures.push(Figure::new("moved", format::bytes(numbers.done).to_string(), "00.0 GB")),
    }
    if row.is_over() {
        figures.push(Figure::new("took", format::duration(numbers.took_s), ""));
    } else if !row.repeats() {
        let left = numbers.left_s.map_or_else(String::new, format::left);
        figures.push(Figure::new("left", left, "00 min 00 s"));
    }
    let cpu = numbers.cpu_s_per_gb.map(|cpu_s| format!("{cpu_s:.2} s a GB"));
    // While it runs the number keeps its place; of too few bytes there never is one.
    if cpu.is_some() || !row.is_over() {
        let ends = if row.is_loopback() {
            "CPU, both ends"
        } else {
            "CPU, this end"
        };
        figures.push(Figure::new(ends, cpu.unwrap_or_default(), "0.00 s a GB"));
    }
    if let Some(bytes) = row.peak_memory_bytes {
        figures.push(Figure::new(
            "process memory, peak",
            format::bytes(bytes).to_string(),
            "00.0 GB",
        ));
    }
    figures
}
