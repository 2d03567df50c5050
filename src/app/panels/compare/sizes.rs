//! Time against size, both axes logarithmic: a handoff lies flat, everything that moves bytes climbs.

use eframe::egui::{Align2, Color32, Response, RichText, Sense, Ui, pos2, vec2};
use egui_plot::{AxisHints, GridMark, Line, PlotPoint, PlotPoints, PlotTransform};

use crate::app::model::compare::{Curve, curves};
use crate::app::model::format;
use crate::app::panels::still_plot::{Point, still_plot, walk_ui};
use crate::app::theme::{self, Palette, STEP};
use crate::app::widgets::caption;
use crate::app::words::say;
use crate::compare::Comparison;

const HEIGHT: f32 = 280.0;
/// What the names at the right ends of the lines take.
const NAMES_WIDTH: f32 = 150.0;
const NAME_HEIGHT: f32 = 14.0;

/// Draws the plot, or says that it was not measured.
pub(super) fn ui(ui: &mut Ui, shown: &Comparison, beside: Option<&Comparison>, is_running: bool, picked: Option<&str>) {
    let curves = curves(shown);
    let older = beside.map(self::curves).unwrap_or_default();
    if curves.is_empty() {
        if !is_running {
            ui.add_space(STEP);
            caption(ui, say!("compare-no-sizes"));
        }
        return;
    }
    ui.add_space(2.0 * STEP);
    ui.label(RichText::new(say!("compare-sizes")).font(theme::strong()));
    ui.add_space(-4.0);
    caption(ui, say!("compare-sizes-note"));
    let palette = theme::palette(ui);
    let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let plot_area = area.with_max_x(area.right() - NAMES_WIDTH);
    let lines: Vec<StyledCurve<'_>> = older
        .iter()
        .map(|curve| StyledCurve::of(curve, palette.neutral.gamma_multiply(0.3), 1.0))
        .chain(curves.iter().map(|curve| StyledCurve::looking(curve, palette, picked)))
        .collect();
    let place = eframe::egui::UiBuilder::new().max_rect(plot_area);
    let (transform, response) = ui.scope_builder(place, |ui| plot(ui, &lines)).inner;
    walk_ui(ui, &response, &transform, say!("compare-sizes"), &points(&curves));
    names_ui(ui, &transform, &lines[older.len()..], area.right() - NAMES_WIDTH + 8.0);
    // What a plot shows, for who does not see it: the flattest, and the picked one.
    let flattest = curves.iter().min_by(|a, b| a.growth().total_cmp(&b.growth()));
    let chosen = curves.iter().find(|curve| picked == Some(curve.id));
    if let Some(curve) = chosen.or(flattest) {
        caption(ui, &curve.in_words());
    }
}

/// A curve and how it is drawn.
struct StyledCurve<'a> {
    name: &'a str,
    points: Vec<PlotPoint>,
    colour: Color32,
    width: f32,
}

impl<'a> StyledCurve<'a> {
    fn of(curve: &Curve<'a>, colour: Color32, width: f32) -> Self {
        let points = curve
            .points
            .iter()
            .map(|(bytes, seconds)| PlotPoint::new((*bytes as f64).log10(), seconds.log10()))
            .collect();
        Self {
            name: curve.name,
            points,
            colour,
            width,
        }
    }

    /// The picked one stands out; where none is picked, the one that moves no bytes does.
    fn looking(curve: &Curve<'a>, palette: &Palette, picked: Option<&str>) -> Self {
        let stands_out = picked.unwrap_or("handoff") == curve.id;
        if stands_out {
            Self::of(curve, palette.text, 2.0)
        } else {
            Self::of(curve, palette.neutral.gamma_multiply(0.75), 1.0)
        }
    }
}

/// Each size, and how long each curve takes for it, the fastest first.
fn points(curves: &[Curve<'_>]) -> Vec<Point> {
    let mut sizes: Vec<u64> = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .map(|(bytes, _)| *bytes)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let words = |size: u64| {
        let of = |curve: &Curve<'_>| {
            let (_, seconds) = curve.points.iter().find(|(bytes, _)| *bytes == size)?;
            Some((*seconds, format!("{} {}", curve.name, format::time(*seconds))))
        };
        let mut times: Vec<(f64, String)> = curves.iter().filter_map(of).collect();
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let times: Vec<String> = times.into_iter().map(|(_, words)| words).collect();
        let times = times.join(say!("comma"));
        say!("compare-at-size", size = format::bytes(size), times = times)
    };
    sizes
        .into_iter()
        .map(|size| ((size as f64).log10(), words(size)))
        .collect()
}

fn plot(ui: &mut Ui, lines: &[StyledCurve<'_>]) -> (PlotTransform, Response) {
    let all = || lines.iter().flat_map(|line| &line.points);
    let range = |value: fn(&PlotPoint) -> f64| {
        let (least, most) = all()
            .map(value)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
                (least.min(value), most.max(value))
            });
        (least, most)
    };
    let (x, y) = (range(|point| point.x), range(|point| point.y));
    let y = (y.0.floor(), y.1.ceil().max(y.0.floor() + 1.0));
    let decade = |value: f64| 10_f64.powi(whole(value));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes: not negative, and saturating"
    )]
    let size = move |mark: GridMark, _: &std::ops::RangeInclusive<f64>| {
        let text = format::bytes(decade(mark.value) as u64).to_string();
        text.replace(".00", "").replace(".0", "")
    };
    let seconds = move |mark: GridMark, _: &std::ops::RangeInclusive<f64>| {
        format::time(decade(mark.value)).replace(".00", "").replace(".0", "")
    };
    let x_axis = AxisHints::new_x().formatter(size);
    let y_axis = AxisHints::new_y().formatter(seconds).label_spacing(8.0..=12.0);
    let shown = still_plot(ui, "time against size", HEIGHT, x_axis, y_axis)
        .x_grid_spacer(|input| decades(input.bounds))
        .y_grid_spacer(|input| decades(input.bounds))
        .show(ui, |plot| {
            plot.set_plot_bounds_x(x.0 - 0.15..=x.1 + 0.05);
            plot.set_plot_bounds_y(y.0 - 0.25..=y.1 + 0.1);
            for line in lines {
                plot.line(
                    Line::new(line.name, PlotPoints::Borrowed(&line.points))
                        .color(line.colour)
                        .width(line.width)
                        .allow_hover(false),
                );
            }
        });
    (shown.transform, shown.response)
}

/// The names at the right ends of the lines, pushed apart where lines end close to each other.
fn names_ui(ui: &Ui, transform: &PlotTransform, lines: &[StyledCurve<'_>], left: f32) {
    let mut names: Vec<(f32, &StyledCurve<'_>)> = lines
        .iter()
        .filter_map(|line| Some((transform.position_from_point(line.points.last()?).y, line)))
        .collect();
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let heights: Vec<f32> = names.iter().map(|(y, _)| *y).collect();
    let frame = transform.frame();
    for (y, (end_y, line)) in apart(&heights, NAME_HEIGHT, (frame.top(), frame.bottom()))
        .into_iter()
        .zip(&names)
    {
        let end_x = line
            .points
            .last()
            .map_or(0.0, |point| transform.position_from_point(point).x);
        let stroke = (1.0, line.colour.gamma_multiply(0.4));
        ui.painter()
            .line_segment([pos2(end_x + 2.0, *end_y), pos2(left - 3.0, y)], stroke);
        let at = pos2(left, y);
        ui.painter()
            .text(at, Align2::LEFT_CENTER, line.name, theme::small(), line.colour);
    }
}

/// Heights in rising order, moved so that none is closer than `least` to the next, within bounds where they fit.
fn apart(heights: &[f32], least: f32, (top, bottom): (f32, f32)) -> Vec<f32> {
    let mut moved: Vec<f32> = heights.to_vec();
    let mut limit = top + least / 2.0;
    for height in &mut moved {
        *height = height.max(limit);
        limit = *height + least;
    }
    let mut limit = bottom - least / 2.0;
    for height in moved.iter_mut().rev() {
        *height = height.min(limit);
        limit = *height - least;
    }
    moved
}

fn decades((from, to): (f64, f64)) -> Vec<GridMark> {
    (whole(from.ceil())..=whole(to.floor()))
        .map(|power| GridMark {
            value: f64::from(power),
            step_size: 1.0,
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a power of ten of bytes or seconds")]
fn whole(power: f64) -> i32 {
    power.round().clamp(-30.0, 30.0) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pushed_apart_and_stay_in_order_and_in_sight() {
        let moved = apart(&[10.0, 11.0, 12.0, 97.0, 99.0], 14.0, (0.0, 100.0));
        assert!(
            moved.windows(2).all(|pair| pair[1] - pair[0] >= 14.0 - 1e-3),
            "{moved:?}"
        );
        assert!(moved.iter().all(|height| (7.0..=93.0).contains(height)), "{moved:?}");
        assert_eq!(apart(&[20.0, 60.0], 14.0, (0.0, 100.0)), [20.0, 60.0]);
    }

    #[test]
    fn decades_are_marked_within_the_bounds() {
        let marks: Vec<f64> = decades((3.1, 6.2)).iter().map(|mark| mark.value).collect();
        assert_eq!(marks, [4.0, 5.0, 6.0]);
    }
}
