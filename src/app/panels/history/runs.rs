//! The picked run, or two over each other: their rates over time, their numbers and the difference, and what to do.

use eframe::egui::{Align2, Color32, Grid, Popup, RichText, Sense, Ui, pos2, vec2};
use egui_plot::{AxisHints, GridMark, Line, PlotPoints};

use crate::app::action::{Action, HistoryAction};
use crate::app::export::Format;
use crate::app::model::axes::TimeAxis;
use crate::app::model::entry_text;
use crate::app::model::format::{self, unbroken};
use crate::app::model::history::{Page, Run};
use crate::app::panels::still_plot::{Point, still_plot, walk_ui};
use crate::app::theme::{self, STEP};
use crate::app::widgets::{MenuItem, caption, menu_ui, plain_button, text_line};
use crate::app::words::say;
use crate::history::{Compared, differences};
use crate::text::shown;

const PLOT_HEIGHT: f32 = 180.0;
/// The arrows go through the time in so many steps.
const POINTS: u32 = 40;
const TIMES_MAX: f64 = 8.0;

/// Draws it; returns what was asked for.
pub(super) fn ui(ui: &mut Ui, page: &Page) -> Vec<Action> {
    let Some(run) = page.picked_run() else {
        return Vec::new();
    };
    ui.spacing_mut().item_spacing.y = STEP;
    let actions = buttons_ui(ui, page, run);
    let beside = page.run_beside();
    plot_ui(ui, run, beside);
    match beside {
        Some(beside) => difference_ui(ui, run, beside),
        None => facts_ui(ui, run),
    }
    actions
}

fn buttons_ui(ui: &mut Ui, page: &Page, run: &Run) -> Vec<Action> {
    let id = run.entry.id;
    let mut actions = Vec::new();
    ui.horizontal(|ui| {
        if page.form(id).is_some() && plain_button(ui, say!("history-again")).clicked() {
            actions.push(Action::History(HistoryAction::Again(id)));
        }
        if plain_button(ui, say!("history-copy-summary")).clicked() {
            actions.push(Action::Copy(entry_text::markdown(&run.entry)));
        }
        actions.extend(save_ui(ui, run));
        if page.asks_to_forget {
            // It takes the place of Forget, and its focus: the same key pressed twice forgets nothing.
            if plain_button(ui, say!("history-keep")).clicked() {
                actions.push(Action::History(HistoryAction::AskToForget(false)));
            }
            if plain_button(ui, say!("history-forget-for-good")).clicked() {
                actions.push(Action::History(HistoryAction::Forget(id)));
            }
        } else if plain_button(ui, say!("history-forget")).clicked() {
            actions.push(Action::History(HistoryAction::AskToForget(true)));
        }
        if page.beside.is_none() {
            caption(ui, say!("history-lay-over-note"));
        }
    });
    actions
}

/// A button that drops all the forms in which the run can be saved.
fn save_ui(ui: &mut Ui, run: &Run) -> Option<Action> {
    let button = plain_button(ui, say!("history-save"));
    let shown = Popup::menu(&button).show(|ui| {
        let has_curve = rates(run).len() > 1;
        let formats = Format::ALL
            .into_iter()
            .filter(|format| has_curve || *format != Format::Svg);
        let items = formats.map(|format| MenuItem::new(format.command(), "", HistoryAction::Export(format)));
        menu_ui(ui, items.collect())
    });
    shown.and_then(|shown| shown.inner).map(Action::History)
}

/// The rate over time of the receiver, or of the sender where that is the end that was here.
fn rates(run: &Run) -> Vec<[f64; 2]> {
    let received = run.curves.receiver.rates();
    let rates = if received.is_empty() {
        run.curves.sender.rates()
    } else {
        received
    };
    rates.into_iter().map(|(t_s, rate)| [t_s, rate]).collect()
}

fn plot_ui(ui: &mut Ui, run: &Run, beside: Option<&Run>) {
    let palette = theme::palette(ui);
    let mut lines = vec![("A", rates(run), palette.receiver)];
    lines.extend(beside.map(|beside| ("B", rates(beside), palette.sender)));
    lines.retain(|(_, rates, _)| rates.len() > 1);
    if lines.is_empty() {
        caption(ui, say!("history-no-picture"));
        return;
    }
    let all = || lines.iter().flat_map(|(_, rates, _)| rates);
    let most = all().map(|[_, rate]| *rate).fold(0.0, f64::max);
    let end_s = all().map(|[t_s, _]| *t_s).fold(0.0, f64::max);
    let in_words = lines.iter().map(|(name, rates, _)| {
        let peak = rates.iter().map(|[_, rate]| *rate).fold(0.0, f64::max);
        say!("history-run-peak", run = *name, rate = format::rate(peak))
    });
    let in_words = in_words.collect::<Vec<_>>().join(say!("semicolon"));
    let unit = format::rate_scale().unit(most);
    legend_ui(ui, unit.name, &lines);
    // The highest mark says how many decimals all of them have.
    let rate = move |mark: GridMark, _: &std::ops::RangeInclusive<f64>| {
        let digits = usize::from(mark.step_size < unit.divisor);
        format!("{:.digits$}", mark.value / unit.divisor)
    };
    let times = TimeAxis::until(end_s).ticks(TIMES_MAX);
    let step_s = times.get(1).map_or(end_s, |tick| tick.value);
    let at_times: Vec<GridMark> = times.iter().map(|tick| mark(tick.value, step_s)).collect();
    let seconds = move |mark: GridMark, _: &std::ops::RangeInclusive<f64>| {
        let tick = times.iter().find(|tick| (tick.value - mark.value).abs() < step_s / 2.0);
        tick.map_or_else(String::new, |tick| tick.label.clone())
    };
    // Each mark has a number, all equally strong.
    let (x, y) = (
        AxisHints::new_x().formatter(seconds).label_spacing(10.0..=14.0),
        AxisHints::new_y().formatter(rate).label_spacing(10.0..=14.0),
    );
    let plot = still_plot(ui, "runs over each other", PLOT_HEIGHT, x, y);
    let plot = plot.x_grid_spacer(move |_| at_times.clone());
    let plot = plot
        .y_grid_spacer(move |_| marks(most, unit.divisor))
        .grid_spacing(4.0..=16.0);
    let plot = plot.show(ui, |plot| {
        plot.set_plot_bounds_x(0.0..=end_s);
        // A little below zero, so that its number is not cut off and stands beside no time.
        plot.set_plot_bounds_y(-0.06 * most..=most * 1.08);
        for (name, rates, colour) in &lines {
            let points = PlotPoints::from(rates.clone());
            plot.line(Line::new(*name, points).color(*colour).width(1.5).allow_hover(false));
        }
    });
    let sentence = say!("history-plot", words = &in_words);
    let points: Vec<Point> = (0..=POINTS)
        .map(|at| end_s * f64::from(at) / f64::from(POINTS))
        .map(|t_s| (t_s, rates_in_words(&lines, t_s)))
        .collect();
    walk_ui(ui, &plot.response, &plot.transform, &sentence, &points);
}

/// What each line shows at an instant.
fn rates_in_words(lines: &[(&str, Vec<[f64; 2]>, Color32)], t_s: f64) -> String {
    let shown = lines.iter().filter_map(|(name, rates, _)| {
        let after = rates.partition_point(|[at_s, _]| *at_s < t_s);
        let [_, rate] = rates.get(after)?;
        let rate = format::rate(*rate);
        Some(if lines.len() > 1 {
            format!("{name} {rate}")
        } else {
            rate.to_string()
        })
    });
    let rates = shown.collect::<Vec<_>>().join(say!("comma"));
    say!("history-at", time = format::time(t_s), rates = rates)
}

/// Three to seven rates above 0 up to the highest one, in steps of 1, 2 or 5 of a unit.
fn marks(most: f64, unit: f64) -> Vec<GridMark> {
    let most = most / unit;
    let decade = 10_f64.powf((most / 3.0).log10().floor());
    let steps = [5.0, 2.0, 1.0].map(|step| step * decade);
    let step = steps.into_iter().find(|step| 3.0 * step <= most).unwrap_or(decade);
    let values = (0_u32..8).map(|index| f64::from(index) * step);
    let marks = values.take_while(|value| *value <= most * 1.08);
    marks.map(|value| mark(value * unit, step * unit)).collect()
}

fn mark(value: f64, step_size: f64) -> GridMark {
    GridMark { value, step_size }
}

/// The unit of the rates, and where there are two lines, which is which.
fn legend_ui(ui: &mut Ui, unit: &str, lines: &[(&str, Vec<[f64; 2]>, Color32)]) {
    ui.horizontal(|ui| {
        caption(ui, unit);
        for (name, _, colour) in lines.iter().filter(|_| lines.len() > 1) {
            let (rect, _) = ui.allocate_exact_size(vec2(44.0, 16.0), Sense::hover());
            let y = rect.center().y;
            ui.painter()
                .line_segment([pos2(rect.left(), y), pos2(rect.left() + 16.0, y)], (2.0, *colour));
            let text = rect.with_min_x(rect.left() + 22.0);
            text_line(
                ui,
                text,
                Align2::LEFT_CENTER,
                name,
                theme::small(),
                theme::palette(ui).weak,
            );
        }
    });
}

fn facts_ui(ui: &mut Ui, run: &Run) {
    let palette = theme::palette(ui);
    Grid::new("facts")
        .num_columns(2)
        .spacing(vec2(24.0, 6.0))
        .show(ui, |ui| {
            for (name, value) in entry_text::facts(&run.entry) {
                ui.label(RichText::new(name).font(theme::small()).color(palette.weak));
                ui.label(RichText::new(unbroken(&shown(&value))).font(theme::small()));
                ui.end_row();
            }
        });
}

fn difference_ui(ui: &mut Ui, run: &Run, beside: &Run) {
    let palette = theme::palette(ui);
    let small = |text: String, colour: Color32| RichText::new(text).font(theme::small()).color(colour);
    for (name, run) in [("A", run), ("B", beside)] {
        let text = format!(
            "{name}  {}  {}",
            entry_text::when(&run.entry),
            shown(&entry_text::what(&run.entry))
        );
        ui.label(small(text, palette.weak));
    }
    Grid::new("difference")
        .num_columns(4)
        .spacing(vec2(24.0, 6.0))
        .show(ui, |ui| {
            for head in ["", "A", "B", say!("history-more")] {
                ui.label(small(head.into(), palette.weak));
            }
            ui.end_row();
            for number in differences(&run.entry, &beside.entry) {
                let cell = |value: Option<f64>| {
                    value.map_or_else(|| "-".into(), |value| number.in_words(value, format::rate_scale()))
                };
                ui.label(small(entry_text::label(&number).to_owned(), palette.weak));
                ui.label(small(cell(number.first), palette.text));
                ui.label(small(cell(number.second), palette.text));
                ui.label(small(more(&number), palette.text));
                ui.end_row();
            }
        });
    for (name, run) in [("A", run), ("B", beside)] {
        if let Some(sentence) = entry_text::sentence(&run.entry) {
            let words = say!("history-run-sentence", run = name, sentence = unbroken(&sentence));
            ui.label(small(words, palette.weak));
        }
    }
}

fn more(number: &Compared) -> String {
    number.more_percent().map_or_else(|| "-".into(), in_percent)
}

/// `+3.2 %`, `−0.5 %`; `0 %` where it is less than can be written.
fn in_percent(percent: f64) -> String {
    if percent.abs() < 0.05 {
        return "0 %".into();
    }
    format!("{percent:+.1} %").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_its_sign_and_none_has_none() {
        assert_eq!([3.24, -0.5, 0.01].map(in_percent), ["+3.2 %", "\u{2212}0.5 %", "0 %"]);
    }

    #[test]
    fn three_to_eight_rates_are_marked_whatever_the_highest_one_is() {
        for most in [1.0, 9.9, 1e3, 79.1e6, 8.08e9, 2.5e11] {
            let marks = marks(most, 1.0);
            assert!((4..=8).contains(&marks.len()), "{most}: {}", marks.len());
        }
    }
}
