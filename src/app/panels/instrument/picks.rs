//! What the lines of the plot are, and how they are looked at: period, rate axis, second plot.

use eframe::egui::{Align, Align2, Layout, Popup, Rect, Ui, UiBuilder, pos2, vec2};

use super::plot::lines::{colour_of, other};
use super::plot::scene::Scene;
use crate::app::action::Action;
use crate::app::model::plot_view::{Period, PlotView, Scale, SecondPlot};
use crate::app::model::row::{Measure, Row};
use crate::app::panels::compare;
use crate::app::panels::instrument::CeilingsStatus;
use crate::app::theme;
use crate::app::widgets::{caption, text_width, word_button};
use crate::app::words::say;
use crate::transfer::Side;

/// From one pick to the next.
const GAP: f32 = 12.0;

/// Draws the row.
pub(super) fn ui(
    ui: &mut Ui,
    row: &Row,
    scene: &Scene,
    view: PlotView,
    ceilings: &CeilingsStatus<'_>,
    rect: Rect,
) -> Vec<Action> {
    let word = second_word(view.second);
    let widths = [
        text_width(ui, word, theme::small()) + 10.0,
        segments_width(ui, &Scale::named()),
        segments_width(ui, &Period::named()),
    ];
    let left = (rect.right() - widths.iter().sum::<f32>() - 2.0 * GAP).max(rect.left());
    let mut actions = Vec::from_iter(key_ui(ui, row, scene, ceilings, rect.with_max_x(left)));
    // From left to right, so that the Tab key goes through them as they are read.
    let layout = Layout::left_to_right(Align::Center);
    let picks = UiBuilder::new()
        .id_salt("picks")
        .max_rect(rect.with_min_x(left))
        .layout(layout);
    let mut picks = ui.new_child(picks);
    picks.spacing_mut().item_spacing.x = GAP;
    let mut picked = view;
    second_ui(&mut picks, row, word, &mut picked.second);
    segments(&mut picks, say!("plot-rate-axis"), &mut picked.scale, &Scale::named());
    segments(&mut picks, say!("plot-period"), &mut picked.period, &Period::named());
    actions.extend((picked != view).then_some(Action::SetPlotView(picked)));
    actions
}

/// The key to the lines, and whether this machine was measured.
fn key_ui(ui: &mut Ui, row: &Row, scene: &Scene, ceilings: &CeilingsStatus<'_>, rect: Rect) -> Option<Action> {
    let place = rect.with_max_x(rect.right() - GAP).with_min_x(rect.left() + 24.0);
    let layout = Layout::left_to_right(Align::Center);
    let mut key = ui.new_child(UiBuilder::new().id_salt("lines").max_rect(place).layout(layout));
    lines_ui(&key, row, scene);
    key.add_space(key_width(ui, row, scene));
    if ceilings.is_measuring {
        caption(&mut key, say!("plot-measuring-ceilings"));
    } else if ceilings.known.is_none() && ceilings.can_measure && key.available_width() > 200.0 {
        return compare::measure_ceilings_ui(&mut key);
    }
    None
}

/// A few words side by side of which one is picked, as wide as they are.
fn segments<T: Copy + PartialEq>(ui: &mut Ui, name: &str, value: &mut T, choices: &[(T, &str)]) {
    let width = segments_width(ui, choices);
    let height = ui.available_height().min(28.0);
    let (_, rect) = ui.allocate_space(vec2(width, height));
    let mut child = ui.new_child(UiBuilder::new().id_salt(name).max_rect(rect));
    crate::app::widgets::small_segments(&mut child, name, value, choices);
}

fn segments_width<T>(ui: &Ui, choices: &[(T, &str)]) -> f32 {
    let widths = choices
        .iter()
        .map(|(_, text)| text_width(ui, text, theme::value(12.0)) + 20.0);
    widths.sum::<f32>() + 4.0
}

/// What the second plot shows, in a word.
fn second_word(second: SecondPlot) -> &'static str {
    match second {
        SecondPlot::WhereRoom => say!("plot-second"),
        SecondPlot::Hidden => say!("plot-one"),
        SecondPlot::Of(measure) => measure.name(),
        SecondPlot::EachStream => say!("plot-each-stream"),
    }
}

/// A word that says what the second plot shows, and opens a list of what it can show.
fn second_ui(ui: &mut Ui, row: &Row, word: &str, second: &mut SecondPlot) {
    let button = word_button(ui, word, say!("plot-second")).on_hover_text(say!("plot-second-hover"));
    Popup::menu(&button).show(|ui| {
        ui.set_min_width(200.0);
        for (choice, name) in second_plots(row) {
            ui.selectable_value(second, choice, name);
        }
    });
}

/// What the second plot of a row can show, with their names.
pub(in crate::app::panels) fn second_plots(row: &Row) -> Vec<(SecondPlot, &'static str)> {
    let is_measured = |measure: &Measure| row.sides().iter().any(|side| row.end(*side).meters.has(*measure));
    let measures = Measure::ALL.into_iter().filter(is_measured);
    let has_several = row.main_end().streams.moved().count() > 1;
    let each = has_several.then(|| (SecondPlot::EachStream, say!("plot-each-stream")));
    let mut plots = vec![(SecondPlot::WhereRoom, say!("plot-where-room"))];
    plots.extend(measures.map(|measure| (SecondPlot::Of(measure), measure.name())));
    plots.extend(each);
    plots.push((SecondPlot::Hidden, say!("plot-none")));
    plots
}

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sample {
    /// The rate of an end.
    Rate(Side),
    /// From the slowest to the fastest.
    Spread,
    /// The mean, or the median of several rounds.
    Mean,
}

impl Sample {
    fn name(self, row: &Row) -> &'static str {
        match self {
            Self::Rate(Side::Receiver) => say!("plot-received"),
            Self::Rate(Side::Sender) => say!("plot-sent"),
            Self::Spread => say!("plot-spread"),
            Self::Mean => row.mean_name(),
        }
    }
}

/// What is drawn of a row, each with its name.
fn samples(row: &Row, scene: &Scene) -> Vec<(Sample, &'static str)> {
    let mut samples = vec![Sample::Rate(scene.main)];
    // What another process told of the other end stays drawn when it tells no more.
    let is_there = |side: Side| row.sides().contains(&side) || !scene.curves.of_side(side).is_empty();
    samples.extend(Some(other(scene.main)).filter(|side| is_there(*side)).map(Sample::Rate));
    if !scene.curves.spread.is_empty() {
        samples.push(Sample::Spread);
    }
    if scene.mean.is_some() {
        samples.push(Sample::Mean);
    }
    samples.into_iter().map(|sample| (sample, sample.name(row))).collect()
}

fn key_width(ui: &Ui, row: &Row, scene: &Scene) -> f32 {
    let samples = samples(row, scene);
    let widths = samples
        .iter()
        .map(|(_, name)| text_width(ui, name, theme::label(12.0)) + 46.0);
    widths.sum()
}

/// The key to the lines: a sample of each and its name.
fn lines_ui(ui: &Ui, row: &Row, scene: &Scene) {
    let palette = theme::palette(ui);
    let rect = ui.max_rect();
    let painter = ui.painter();
    let mut x = rect.left();
    for (sample, name) in samples(row, scene) {
        let width = text_width(ui, name, theme::label(12.0));
        if x + 22.0 + width > rect.right() {
            break;
        }
        let y = rect.center().y;
        let place = Rect::from_min_max(pos2(x, y - 5.0), pos2(x + 16.0, y + 5.0));
        let main = colour_of(scene.main, palette);
        match sample {
            Sample::Spread => {
                painter.rect_filled(place, 0.0, main.gamma_multiply(0.3));
            }
            Sample::Mean => {
                for dash in [0.0, 9.0] {
                    painter.hline(x + dash..=x + dash + 6.0, y, (1.5, palette.text));
                }
            }
            Sample::Rate(side) if side == scene.main => {
                painter.rect_filled(place, 0.0, main.gamma_multiply(0.4));
                painter.hline(place.x_range(), place.top() + 1.0, (2.0, main));
            }
            Sample::Rate(side) => {
                painter.hline(place.x_range(), y, (1.5, colour_of(side, palette)));
            }
        }
        painter.text(
            pos2(x + 22.0, y),
            Align2::LEFT_CENTER,
            name,
            theme::label(12.0),
            palette.weak,
        );
        x += 46.0 + width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::curves::CurvePoint;
    use crate::app::model::form::{EndpointKind, Form};
    use crate::app::model::plan::{Paths, check};

    #[test]
    fn each_line_has_its_entry_in_the_key_also_of_an_end_that_tells_no_more() {
        let form = Form {
            endpoint: EndpointKind::SendTo,
            send_to: "10.0.0.7:25000".to_owned(),
            ..Form::default()
        };
        let row = Row::new(1, check(&form, &Paths::default()).recipe.expect("a recipe"), 0.0);
        let mut scene = Scene::of(&row, &row.numbers(0.0), PlotView::default(), None, 0.0, false);
        let names = |scene: &Scene| -> Vec<_> { samples(&row, scene).into_iter().map(|(_, name)| name).collect() };
        assert_eq!(names(&scene), ["sent"]);
        let of_the_receiver = CurvePoint { t_s: 0.5, value: 4e7 };
        scene.curves.receiver = vec![vec![of_the_receiver]];
        assert_eq!(names(&scene), ["sent", "received"]);
    }
}
