//! What is pointed at: a line through all plots with the values there, and two instants that stay with what lies
//! between them.

use eframe::egui::{Align2, Id, PopupAnchor, Rect, Response, Stroke, Tooltip, Ui, pos2, vec2};

use super::frame::{Frame, t_of, x_of};
use super::keys;
use super::lines::colour_of;
use super::scene::Scene;
use super::second::colour_of_line;
use crate::app::action::{Action, TransferAction};
use crate::app::model::format;
use crate::app::model::row::{Cursors, Row};
use crate::app::model::second_plot::{LineOf, SecondScene, Shows};
use crate::app::panels::instrument::layout::Body;
use crate::app::theme::{self, Palette};
use crate::app::words::say;
use crate::transfer::Side;

/// A click so near to an instant that stays takes it away.
const NEAR: f32 = 4.0;

/// Draws the line under the pointer, and its values beside it; or those of the instant that the keyboard has moved.
pub(super) fn ui(ui: &Ui, body: &Body, row: &Row, scene: &Scene, second: Option<&SecondScene>, response: &Response) {
    let palette = theme::palette(ui);
    let over = body.over_time();
    let pointer = response.hover_pos().filter(|_| !response.dragged());
    let (t_s, anchor) = match (pointer, keys::instant(row, response)) {
        (Some(pointer), _) => (t_of(body.plot, scene.time, pointer.x), PopupAnchor::Pointer),
        (None, Some(t_s)) => {
            let at = pos2(x_of(body.plot, scene.time, t_s), body.plot.center().y);
            (t_s, PopupAnchor::Position(at))
        }
        (None, None) => return,
    };
    let x = x_of(body.plot, scene.time, t_s);
    ui.painter()
        .vline(x, over.y_range(), (1.0, palette.neutral.gamma_multiply(0.6)));
    let lines = lines(row, scene, t_s, palette);
    let second = second.map_or_else(Vec::new, |second| second_lines(ui, second, t_s));
    if lines.len() + second.len() < 2 {
        return;
    }
    let id = Id::unique("plot values");
    let tooltip = Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), id, anchor);
    tooltip.gap(14.0).show(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        // Lines of several values are as low as those of one.
        ui.spacing_mut().interact_size.y = 0.0;
        for (colour, line) in lines {
            ui.colored_label(colour, line);
        }
        for row in second {
            ui.horizontal(|ui| {
                for (colour, words) in row {
                    ui.colored_label(colour, words);
                }
            });
        }
    });
}

/// What all plots show at an instant, in one line for who does not see it.
pub(super) fn in_words(ui: &Ui, row: &Row, scene: &Scene, second: Option<&SecondScene>, t_s: f64) -> String {
    let lines = lines(row, scene, t_s, theme::palette(ui)).into_iter();
    let second = second.map_or_else(Vec::new, |second| second_lines(ui, second, t_s));
    let all = lines.chain(second.into_iter().flatten());
    all.map(|(_, words)| words).collect::<Vec<_>>().join(", ")
}

type Lines = Vec<(eframe::egui::Color32, String)>;

/// What the second plot shows at an instant: of the connections several in one line.
fn second_lines(ui: &Ui, second: &SecondScene, t_s: f64) -> Vec<Lines> {
    let values: Lines = second
        .at(t_s)
        .into_iter()
        .map(|(of, value)| {
            let words = match of {
                LineOf::End(_) => [&of.name(), " ", &second.in_words(value)].concat(),
                LineOf::Stream(number) => format!("{number}: {}", second.in_words(value)),
            };
            (colour_of_line(ui, of), words)
        })
        .collect();
    let a_line = if second.shows == Shows::EachStream { 2 } else { 1 };
    values.chunks(a_line).map(<[_]>::to_vec).collect()
}

/// What all plots show at an instant: what is drawn there, not what lies behind it.
fn lines(row: &Row, scene: &Scene, t_s: f64, palette: &Palette) -> Lines {
    let bin = format::duration(row.bin_between_s(scene.time.from_s, scene.time.to_s));
    let mut lines = vec![(
        palette.text,
        say!("plot-instant", time = scene.time.exact_label(t_s), span = bin),
    )];
    let quantity = |rate: f64| scene.unit.quantity(rate);
    let pause = scene
        .pauses
        .iter()
        .find(|pause| pause.from_s <= t_s && pause.to_s.is_some_and(|to_s| t_s <= to_s));
    if let Some(pause) = pause {
        let length_s = pause.to_s.unwrap_or(pause.from_s) - pause.from_s;
        lines.push((palette.weak, say!("plot-paused-for", time = format::duration(length_s))));
    }
    for (side, name) in [
        (Side::Receiver, say!("plot-received")),
        (Side::Sender, say!("plot-sent")),
    ] {
        if let Some(rate) = scene.curves.at(side, t_s) {
            lines.push((colour_of(side, palette), format!("{name} {}", quantity(rate))));
        }
    }
    if let Some(spread) = scene.curves.spread_at(t_s) {
        let (least, most) = (quantity(spread.least).number, quantity(spread.most));
        let words = say!("plot-from-to", least = least, most = most);
        lines.push((palette.weak, words));
    }
    let series = &row.main_end().series;
    if t_s >= 0.0 && t_s <= series.end_s() && series.mean_until(t_s) > 0.0 {
        let mean = quantity(series.mean_until(t_s));
        lines.push((palette.weak, say!("plot-mean-until", rate = mean)));
        let moved = format::mean_bytes(series.bytes_at(t_s));
        lines.push((palette.weak, say!("plot-moved-until", bytes = moved)));
    }
    lines
}

/// What a click sets: an instant that stays, with Shift the other one; near one that stays it takes both away.
pub(super) fn clicked(ui: &Ui, frame: &Frame, row: &Row, response: &Response) -> Option<Action> {
    let pointer = response.interact_pointer_pos().filter(|_| response.clicked())?;
    let t_s = t_of(frame.rect, frame.time, pointer.x);
    let Cursors { first_s, second_s } = row.cursors;
    let is_near = |at_s: Option<f64>| at_s.is_some_and(|at_s| (frame.x(at_s) - pointer.x).abs() <= NEAR);
    let cursors = if ui.input(|input| input.modifiers.shift) && first_s.is_some() {
        Cursors {
            first_s,
            second_s: Some(t_s),
        }
    } else if is_near(first_s) || is_near(second_s) {
        Cursors::default()
    } else {
        Cursors {
            first_s: Some(t_s),
            second_s: None,
        }
    };
    Some(Action::Transfer(row.key, TransferAction::SetCursors(cursors)))
}

/// Draws the instants that stay, and what lies between them.
pub(super) fn cursors(
    ui: &Ui,
    body: &Body,
    row: &Row,
    (scene, second): (&Scene, Option<&SecondScene>),
    palette: &Palette,
) {
    let Cursors { first_s, second_s } = row.cursors;
    let over = body.over_time();
    let instants = [first_s, second_s].into_iter().flatten();
    for t_s in instants {
        if !(scene.time.from_s..=scene.time.to_s).contains(&t_s) {
            continue;
        }
        let x = x_of(body.plot, scene.time, t_s);
        ui.painter().vline(x, over.y_range(), Stroke::new(1.0, palette.text));
        let words = match scene.curves.at(scene.main, t_s) {
            Some(rate) => {
                let rate = scene.unit.quantity(rate).to_string();
                [scene.time.exact_label(t_s), rate].join(say!("comma"))
            }
            None => scene.time.exact_label(t_s),
        };
        patch(ui, body.plot, pos2(x, body.plot.top() + 12.0), &words, palette);
    }
    if let (Some(first_s), Some(second_s)) = (first_s, second_s) {
        let middle = x_of(body.plot, scene.time, f64::midpoint(first_s, second_s));
        let words = between(row, scene, first_s.min(second_s), first_s.max(second_s));
        let rect = patch(ui, body.plot, pos2(middle, body.plot.top() + 32.0), &words, palette);
        super::super::text::said(ui, "between the cursors", rect, &words);
        let counted = second.and_then(|second| second.between(row, first_s.min(second_s), first_s.max(second_s)));
        if let (Some(counted), Some(plot)) = (counted, body.second) {
            let rect = patch(ui, plot, pos2(middle, plot.top() + 12.0), &counted, palette);
            super::super::text::said(ui, "counted between the cursors", rect, &counted);
        }
    }
}

/// The time between two instants, what moved in it, and how fast.
fn between(row: &Row, scene: &Scene, from_s: f64, to_s: f64) -> String {
    let series = &row.main_end().series;
    let moved = series.bytes_at(to_s) - series.bytes_at(from_s);
    let [active_from_s, active_to_s] = [from_s, to_s].map(|t_s| series.active_until(t_s));
    let active_s = active_to_s - active_from_s;
    let mut words = vec![
        say!("plot-between", time = format::duration(to_s - from_s)),
        format::mean_bytes(moved).to_string(),
    ];
    if active_s > 0.0 {
        words.push(say!("plot-mean", rate = scene.unit.quantity(moved / active_s)));
    }
    let rates = [from_s, to_s].map(|t_s| scene.curves.at(scene.main, t_s));
    if let [Some(before), Some(after)] = rates
        && before > 0.0
    {
        let percent = format!("{:+.0}\u{a0}%", (after / before - 1.0) * 100.0);
        words.push(percent.replace('-', "\u{2212}"));
    }
    words.join(say!("comma"))
}

/// A text on a patch of the background, kept inside of the plot.
fn patch(ui: &Ui, plot: Rect, centre: eframe::egui::Pos2, words: &str, palette: &Palette) -> Rect {
    let font = theme::value(12.0);
    let galley = ui.painter().layout_no_wrap(words.to_owned(), font, palette.text);
    let size = galley.size() + vec2(12.0, 4.0);
    let x = centre.x.clamp(
        plot.left() + size.x / 2.0,
        (plot.right() - size.x / 2.0).max(plot.left() + size.x / 2.0),
    );
    let rect = Align2::CENTER_CENTER.anchor_size(pos2(x, centre.y), size);
    ui.painter().rect_filled(rect, 4.0, palette.selected_row);
    ui.painter().galley(rect.min + vec2(6.0, 2.0), galley, palette.text);
    rect
}
