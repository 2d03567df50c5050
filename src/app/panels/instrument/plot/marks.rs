//! What stands in a plot beside the curves: pauses, flags, the mean, ceilings, and where the rate is now.

use eframe::egui::{Align2, Color32, Mesh, Painter, Pos2, Rect, Stroke, Ui, Vec2, pos2, vec2};

use super::frame::Frame;
use super::hatch::{self, Hatch};
use super::lines::{self, colour_of};
use super::scene::Scene;
use crate::app::model::format;
use crate::app::model::lane::{Flag, Form, grouped, is_crossed, place};
use crate::app::model::row::{Mark, Pause, Row};
use crate::app::panels::instrument::layout::Body;
use crate::app::panels::instrument::text;
use crate::app::theme::{self, Palette};
use crate::app::widgets::text_width;
use crate::app::words::say;

const LABEL_HEIGHT: f32 = 16.0;
/// From a line to the middle of a label above it or below it.
const ABOVE: f32 = 9.0;
/// One flag of a round is for at least so much of the width.
const A_ROUND: f32 = 110.0;
/// Changes whose lines would be closer share a flag.
const LINES_APART: f32 = 8.0;
/// A flag of several changes says so many of them.
const SAID_MAX: usize = 6;

/// Pauses, under the curves: hatched, with their length.
pub(super) fn pauses(ui: &Ui, frame: &Frame, scene: &Scene, palette: &Palette) {
    for pause in &scene.pauses {
        let to_s = pause.to_s.unwrap_or(pause.from_s);
        let [left, right] = [pause.from_s, to_s].map(|t_s| frame.x(t_s));
        let rect = Rect::from_min_max(pos2(left, frame.rect.top()), pos2(right, frame.rect.bottom()));
        let shown = rect.intersect(frame.rect);
        if shown.width() <= 0.0 {
            continue;
        }
        ui.painter().rect_filled(shown, 0.0, palette.field);
        hatch::paint(ui, shown, Hatch::Pause, palette.ghost.gamma_multiply(0.45));
        let words = say!("plot-paused", time = format::duration(to_s - pause.from_s));
        if text_width(ui, &words, theme::value(12.0)) + 16.0 <= shown.width() {
            let font = theme::value(12.0);
            ui.painter()
                .text(shown.center(), Align2::CENTER_CENTER, words, font, palette.weak);
        }
    }
}

/// The mean, dashed, between pauses.
pub(super) fn mean(painter: &Painter, frame: &Frame, scene: &Scene, palette: &Palette) {
    let Some(mean) = scene.mean else { return };
    let in_pause = |from: f32, to: f32| {
        let covers = |pause: &Pause| to > frame.x(pause.from_s) && from < frame.x(pause.to_s.unwrap_or(pause.from_s));
        scene.pauses.iter().any(covers)
    };
    let colour = palette.text.gamma_multiply(0.75);
    let is_drawn = |from, to| !in_pause(from, to);
    painter.add(interrupted(frame, frame.y(mean), (5.0, 3.0), colour, is_drawn));
}

/// The ceilings that are within the scale, dotted.
pub(super) fn ceilings(painter: &Painter, frame: &Frame, scene: &Scene, palette: &Palette) {
    for ceiling in scene.ceilings.iter().filter(|ceiling| ceiling.rate <= frame.axis.end()) {
        let y = frame.y(ceiling.rate);
        painter.add(interrupted(frame, y, (1.5, 2.5), palette.neutral, |_, _| true));
    }
}

/// A line across the plot of dashes and gaps so long, as one shape. Only those dashes are drawn that are to be.
fn interrupted(
    frame: &Frame,
    y: f32,
    (dash, gap): (f32, f32),
    colour: Color32,
    is_drawn: impl Fn(f32, f32) -> bool,
) -> Mesh {
    let (rect, y) = (frame.rect, y.round());
    let mut mesh = Mesh::default();
    let mut x = rect.left();
    while x < rect.right() {
        let to = (x + dash).min(rect.right());
        if is_drawn(x, to) {
            mesh.add_colored_rect(Rect::from_min_max(pos2(x, y), pos2(to, y + 1.0)), colour);
        }
        x += dash + gap;
    }
    mesh
}

/// The names of the mean and of the ceilings, and the value now in a pill beside its dot. None of them covers a curve
/// where there is room elsewhere.
pub(super) fn labels(ui: &Ui, frame: &Frame, row: &Row, scene: &Scene, pill: &str, palette: &Palette) {
    let live = scene.live.map(|live| frame.at(live.t_s, live.value));
    let pill_rect = live.map(|at| pill_place(ui, frame, at, pill));
    let mut room = Room {
        frame,
        pauses: &scene.pauses,
        lines: lines::in_points(frame, scene),
        taken: pill_rect.into_iter().collect(),
    };
    // The mean's own name stands on its line, and no other one does.
    let mean_line = scene.mean.map(|mean| frame.y(mean));
    let mean_line = mean_line.map(|y| vec![[frame.rect.left(), y], [frame.rect.right(), y]]);
    let lines = room.lines.len();
    room.lines.extend(mean_line);
    for ceiling in scene.ceilings.iter().filter(|ceiling| ceiling.rate <= frame.axis.end()) {
        let words = format!("{} {}", ceiling.name, scene.unit.quantity(ceiling.rate).number);
        let galley = ui.painter().layout_no_wrap(words, theme::label(12.0), palette.weak);
        if let Some(rect) = room.beside(frame.y(ceiling.rate), galley.size()) {
            ui.painter().galley(rect.min, galley, palette.weak);
            room.taken.push(rect);
        }
    }
    room.lines.truncate(lines);
    if let Some(mean) = scene.mean {
        let words = format!("{} {}", row.mean_name(), scene.unit.quantity(mean).number);
        let galley = ui.painter().layout_no_wrap(words, theme::value(12.0), palette.text);
        let (y, size) = (frame.y(mean), galley.size());
        let on_line = room.on_line(y, size);
        if let Some(rect) = on_line {
            let patch = rect.expand2(vec2(6.0, 0.0)).with_max_x(frame.rect.right());
            ui.painter().rect_filled(patch, 0.0, palette.background);
        }
        // Wherever it would cover a curve, it is read in the key and beside the rate.
        if let Some(rect) = on_line.or_else(|| room.beside(y, size)) {
            ui.painter().galley(rect.min, galley, palette.text);
        }
    }
    if let (Some(at), Some(rect)) = (live, pill_rect) {
        live_value(ui, at, rect, pill, colour_of(scene.main, palette), palette);
    }
}

/// What labels in a plot stand clear of.
struct Room<'a> {
    frame: &'a Frame,
    pauses: &'a [Pause],
    lines: Vec<Vec<[f32; 2]>>,
    taken: Vec<Rect>,
}

impl Room<'_> {
    /// At the right edge on a line at `y`.
    fn on_line(&self, y: f32, size: Vec2) -> Option<Rect> {
        let centre = pos2(self.frame.rect.right() - size.x / 2.0, y);
        Some(Rect::from_center_size(centre, size)).filter(|rect| self.is_free(*rect))
    }

    /// Above a line at `y` or else below it, as far to the right as there is room.
    fn beside(&self, y: f32, size: Vec2) -> Option<Rect> {
        let rights = std::iter::successors(Some(self.frame.rect.right()), |right| Some(right - 12.0));
        rights
            .take_while(|right| right - size.x > self.frame.rect.left())
            .flat_map(|right| [y - ABOVE, y + ABOVE].map(|y| pos2(right - size.x / 2.0, y)))
            .map(|centre| Rect::from_center_size(centre, size))
            .find(|rect| self.is_free(*rect))
    }

    fn is_free(&self, rect: Rect) -> bool {
        let plot = self.frame.rect;
        let rect = rect.expand2(vec2(4.0, 0.0));
        let in_pause = |pause: &Pause| {
            let [from, to] = [pause.from_s, pause.to_s.unwrap_or(pause.from_s)].map(|t_s| self.frame.x(t_s));
            rect.right() > from && rect.left() < to && from < plot.right()
        };
        let (x, y) = ((rect.left(), rect.right()), (rect.top(), rect.bottom()));
        rect.top() >= plot.top() - 2.0
            && rect.bottom() <= plot.bottom()
            && !self.taken.iter().any(|taken| taken.intersects(rect))
            && !self.lines.iter().any(|line| is_crossed(line, x, y))
            && !self.pauses.iter().any(in_pause)
    }
}

/// To the right of the dot, or to its left where there is no room.
fn pill_place(ui: &Ui, frame: &Frame, at: Pos2, pill: &str) -> Rect {
    let size = vec2(text_width(ui, pill, theme::value(13.0)) + 16.0, 22.0);
    let y = at.y.clamp(frame.rect.top(), frame.rect.bottom() - 11.0) - size.y / 2.0;
    let is_left = at.x + 14.0 + size.x > frame.rect.right();
    let x = if is_left { at.x - 14.0 - size.x } else { at.x + 14.0 };
    Rect::from_min_size(pos2(x, y), size)
}

fn live_value(ui: &Ui, at: Pos2, rect: Rect, pill: &str, colour: Color32, palette: &Palette) {
    let painter = ui.painter();
    painter.circle_filled(at, 8.0, colour.gamma_multiply(0.22));
    painter.circle_filled(at, 5.5, palette.background);
    painter.circle_filled(at, 4.0, colour);
    painter.rect_filled(rect, 4.0, colour);
    let (base_x, tip_x) = if rect.left() > at.x {
        (rect.left() + 0.5, rect.left() - 4.0)
    } else {
        (rect.right() - 0.5, rect.right() + 4.0)
    };
    let y = rect.center().y;
    painter.add(eframe::egui::Shape::convex_polygon(
        vec![pos2(base_x, y - 4.0), pos2(base_x, y + 4.0), pos2(tip_x, y)],
        colour,
        Stroke::NONE,
    ));
    let ink = on(colour);
    painter.text(rect.center(), Align2::CENTER_CENTER, pill, theme::value(13.0), ink);
}

/// What is read on a fill of this colour.
pub(in super::super) fn on(fill: Color32) -> Color32 {
    let light = 0.299 * f32::from(fill.r()) + 0.587 * f32::from(fill.g()) + 0.114 * f32::from(fill.b());
    if light > 125.0 {
        Color32::from_rgb(20, 24, 29)
    } else {
        Color32::WHITE
    }
}

/// The flags in their lane with their lines down through the band, and in the lane, too, the ceilings above the scale.
pub(super) fn flags(ui: &Ui, frame: &Frame, body: &Body, row: &Row, scene: &Scene, palette: &Palette) {
    let right = above(ui, frame, body, scene, palette);
    // A width in points is small and not negative.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and not negative"
    )]
    let rounds_max = (frame.rect.width() / A_ROUND).max(1.0) as usize;
    let (marks, step) = row.marks().between(scene.time.from_s, scene.time.to_s, rounds_max);
    let xs: Vec<f32> = marks.iter().map(|mark| frame.x(mark.t_s)).collect();
    let font = theme::value(11.0);
    let words: Vec<FlagWords> = grouped(&xs, LINES_APART)
        .into_iter()
        .map(|group| FlagWords::of(&marks[group.clone()], xs[group.start], step))
        .collect();
    let width = |text: &str| text_width(ui, text, font.clone()) + 13.0;
    let flags: Vec<Flag> = words
        .iter()
        .map(|words| Flag {
            x: words.x,
            full: width(&words.full),
            short: width(&words.short),
        })
        .collect();
    let painter = ui.painter();
    for ((flag, placed), words) in flags.iter().zip(place(&flags, right)).zip(&words) {
        let line = palette.text.gamma_multiply(0.55);
        painter.vline(flag.x, body.lane.top()..=body.band.bottom(), (1.0, line));
        let (text, width) = match placed.form {
            Form::Full => (&words.full, flag.full),
            Form::Short => (&words.short, flag.short),
            Form::Tick => (&words.full, 0.0),
        };
        let rect = Rect::from_min_size(pos2(placed.left, body.lane.top()), vec2(width.max(5.0), LABEL_HEIGHT));
        painter.rect_filled(rect, 0.0, palette.selected_row);
        painter.vline(flag.x, rect.y_range(), (1.0, palette.text));
        if width > 0.0 {
            let at = pos2(rect.left() + 6.5, rect.center().y);
            painter.text(at, Align2::LEFT_CENTER, text, font.clone(), palette.text);
        }
        let response = text::said(ui, ("flag", flag.x.to_bits()), rect, &words.said);
        response.on_hover_text(&words.said);
    }
}

/// What a flag says: of several changes that are close to each other the last, and how many more there are.
struct FlagWords {
    x: f32,
    full: String,
    short: String,
    /// All of them, with their times.
    said: String,
}

impl FlagWords {
    /// Of at least one mark; of rounds every `step`th is flagged.
    fn of(marks: &[Mark], x: f32, step: u32) -> Self {
        let line = |mark: &Mark| {
            let time = format::duration(mark.t_s);
            say!("plot-flag", time = time, change = mark.change.text())
        };
        let mut said: Vec<String> = marks.iter().take(SAID_MAX).map(line).collect();
        if marks.len() > SAID_MAX {
            said.push(say!("plot-more-flags", count = marks.len() - SAID_MAX));
        }
        if step > 1 && marks.iter().any(Mark::is_round) {
            said.push(say!("plot-rounds-flagged", count = step));
        }
        let (full, short) = marks.last().map_or_else(Default::default, |mark| {
            let more = match marks.len() {
                0 | 1 => String::new(),
                several => format!(" +{}", several - 1),
            };
            (mark.change.text() + &more, mark.change.short() + &more)
        });
        let said = said.join("\n");
        Self { x, full, short, said }
    }
}

/// The ceilings above the scale, at the right of the lane; returns where that begins.
fn above(ui: &Ui, frame: &Frame, body: &Body, scene: &Scene, palette: &Palette) -> f32 {
    let mut right = body.lane.right();
    let font = theme::label(12.0);
    for ceiling in scene.ceilings.iter().filter(|ceiling| ceiling.rate > frame.axis.end()) {
        let words = format!("{} {}", ceiling.name, scene.unit.quantity(ceiling.rate).number);
        let galley = ui.painter().layout_no_wrap(words.clone(), font.clone(), palette.weak);
        let at = pos2(right - galley.size().x, body.lane.center().y - galley.size().y / 2.0);
        if at.x < body.lane.left() + body.lane.width() / 2.0 {
            break;
        }
        let rect = Rect::from_min_size(at, galley.size());
        ui.painter().galley(at, galley, palette.weak);
        let tip = pos2(at.x - 9.0, body.lane.center().y - 2.5);
        ui.painter().add(eframe::egui::Shape::convex_polygon(
            vec![tip, tip + vec2(4.0, 5.0), tip + vec2(-4.0, 5.0)],
            palette.weak,
            Stroke::NONE,
        ));
        text::said(
            ui,
            ("ceiling", ceiling.name),
            rect,
            &say!("plot-above-scale", ceiling = &words),
        );
        right = at.x - 28.0;
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_on_a_colour_is_told_apart_from_it() {
        for palette in [theme::DARK, theme::LIGHT] {
            for fill in [palette.sender, palette.receiver, palette.buffers, palette.network] {
                let ink = on(fill);
                let distance = i32::from(ink.g()).abs_diff(i32::from(fill.g()));
                assert!(distance > 70, "{fill:?} {ink:?}");
            }
        }
    }
}
