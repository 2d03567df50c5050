//! What the two plots have in common: one time axis, one look, one way to zoom and scroll.

use eframe::egui::{Color32, Id, PointerButton, Sense, Ui, Vec2b, vec2};
use egui_plot::{AxisHints, GridInput, GridMark, HoverPosition, PlotPoint, PlotResponse, PlotUi};

use super::still_plot::{left_axis_width, wide_plot};
use crate::app::action::{Action, TransferAction};
use crate::app::model::curves::{CurvePoint, TimeSpan, nice_step, time_end};
use crate::app::model::row::Row;
use crate::app::theme;

/// The part of a row's time that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeAxis {
    /// Its beginning, in seconds.
    pub from_s: f64,
    /// Its end, in seconds.
    pub to_s: f64,
    can_zoom: bool,
    end_s: f64,
}

impl TimeAxis {
    /// The axis of a row: all of it unless someone zoomed in.
    #[must_use]
    pub(crate) fn of(row: &Row) -> Self {
        let end_s = time_end(row.elapsed_end_s(), !row.is_over());
        let whole = TimeSpan {
            from_s: 0.0,
            to_s: end_s,
        };
        let TimeSpan { from_s, to_s } = row.zoom.unwrap_or(whole);
        Self {
            from_s,
            to_s,
            can_zoom: row.is_over(),
            end_s,
        }
    }

    /// The part of the axis around `centre_s` that is `factor` times as long, kept inside of the whole.
    #[must_use]
    pub(crate) fn zoomed(&self, factor: f64, centre_s: f64, shift_s: f64) -> Option<TimeSpan> {
        let length_s = ((self.to_s - self.from_s) * factor).clamp(self.end_s * 1e-4, self.end_s);
        let before = (centre_s - self.from_s) / (self.to_s - self.from_s);
        let from_s = (centre_s - before * length_s + shift_s).clamp(0.0, self.end_s - length_s);
        let to_s = from_s + length_s;
        (length_s < self.end_s * 0.999).then_some(TimeSpan { from_s, to_s })
    }

    fn unit(&self) -> (f64, &'static str) {
        match self.to_s {
            s if s <= 1.0 => (1e-3, "ms"),
            s if s <= 300.0 => (1.0, "s"),
            s if s <= 3.0 * 3600.0 => (60.0, "min"),
            _ => (3600.0, "h"),
        }
    }

    /// A time on this axis, with its unit.
    #[must_use]
    pub(crate) fn label(&self, t_s: f64, step_s: f64) -> String {
        let (scale, unit) = self.unit();
        format!("{} {unit}", decimals(t_s / scale, step_s / scale))
    }
}

/// A number with as many decimals as tell one step from the next.
#[must_use]
pub(crate) fn decimals(value: f64, step: f64) -> String {
    if value.abs() < step.abs() * 1e-6 {
        return "0".to_owned();
    }
    let mut digits = 0;
    let mut shown = step.abs();
    while digits < 6 && (shown - shown.round()).abs() > shown * 1e-6 {
        digits += 1;
        shown *= 10.0;
    }
    format!("{value:.digits$}")
}

/// The y axis of a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ValueAxis {
    /// Its end.
    pub top: f64,
    /// From one line to the next.
    pub step: f64,
    /// What a label's number is divided by.
    pub scale: f64,
    /// What stands behind a label's number.
    pub suffix: &'static str,
}

impl ValueAxis {
    fn label(&self, value: f64) -> String {
        format!(
            "{}{}",
            decimals(value / self.scale, self.step / self.scale),
            self.suffix
        )
    }

    /// The labels from zero to its end.
    fn labels(&self) -> impl Iterator<Item = String> {
        marks((0.0, self.top * 1.000_001), self.step)
            .into_iter()
            .map(|mark| self.label(mark.value))
    }
}

/// The width that both plots of a time axis leave for the numbers of theirs, so that one instant is at one place.
pub(crate) fn axis_width(ui: &Ui, axes: [ValueAxis; 2]) -> f32 {
    left_axis_width(ui, axes.iter().flat_map(ValueAxis::labels))
}

/// How large a plot is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PlotSize {
    /// Its height with both axes, in points.
    pub height: f32,
    /// The width of its y axis, in points.
    pub axis_width: f32,
}

/// Draws a plot over `time`. `hover` says what is known at an instant, in lines.
pub(crate) fn show<'a>(
    ui: &mut Ui,
    name: &str,
    PlotSize { height, axis_width }: PlotSize,
    time: TimeAxis,
    values: ValueAxis,
    hover: impl Fn(f64) -> String + 'a,
    draw: impl FnOnce(&mut PlotUi<'a>) + 'a,
) -> PlotResponse<()> {
    let palette = theme::palette(ui);
    let x_axis = AxisHints::new_x().formatter(move |mark, _| time.label(mark.value, mark.step_size));
    let y_axis = AxisHints::new_y()
        .formatter(move |mark, _| values.label(mark.value))
        .label_spacing(8.0..=12.0);
    let (unit_s, _) = time.unit();
    // A plot is looked at, not tabbed to: the keys work wherever the focus is.
    let sense = if time.can_zoom {
        Sense::CLICK | Sense::DRAG
    } else {
        Sense::hover()
    };
    wide_plot(ui, name, (height, axis_width), x_axis, y_axis)
        .sense(sense)
        .show_grid([false, true])
        .x_grid_spacer(move |input| marks(input.bounds, nice_step(pixels(&input, 110.0) / unit_s) * unit_s))
        .y_grid_spacer(move |input| marks(input.bounds, values.step))
        .allow_zoom([time.can_zoom, false])
        .allow_drag([time.can_zoom, false])
        .pan_pointer_button(PointerButton::Primary)
        .show_crosshair(true)
        .show_x(true)
        .cursor_color(palette.neutral.gamma_multiply(0.5))
        .link_cursor(Id::unique("transfer time"), Vec2b::new(true, false))
        .label_formatter(move |position| match position {
            HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position } => {
                Some(hover(position.x)).filter(|text| !text.is_empty())
            }
        })
        .show(ui, move |plot| {
            plot.set_plot_bounds_x(time.from_s..=time.to_s);
            // A little below zero and above the top, so that neither line nor label is cut off.
            let pixel = values.top / f64::from(height - 34.0).max(1.0);
            plot.set_plot_bounds_y(-7.0 * pixel..=values.top + 7.0 * pixel);
            draw(plot);
        })
}

/// What was done to a plot: zoomed, scrolled, or shown as a whole again by a double click.
#[must_use]
pub(crate) fn zoom(ui: &Ui, plot: &PlotResponse<()>, row: &Row, time: TimeAxis) -> Option<Action> {
    let zoom = |span| Some(Action::Transfer(row.key, TransferAction::Zoom(span)));
    if !time.can_zoom {
        return None;
    }
    if plot.response.double_clicked() {
        return zoom(None);
    }
    let shown = plot.transform.bounds().range_x();
    let length_s = time.to_s - time.from_s;
    if (shown.start() - time.from_s).abs() + (shown.end() - time.to_s).abs() > length_s * 1e-6 {
        let axis = TimeAxis {
            from_s: *shown.start(),
            to_s: *shown.end(),
            ..time
        };
        return zoom(axis.zoomed(1.0, *shown.start(), 0.0));
    }
    let pointer = plot.response.hover_pos()?;
    let scroll = ui.input(|input| input.smooth_scroll_delta);
    if scroll.x == 0.0 && scroll.y == 0.0 {
        return None;
    }
    let centre_s = plot.transform.value_from_position(pointer).x;
    let shift_s = -f64::from(scroll.x) * plot.transform.dvalue_dpos()[0];
    zoom(time.zoomed((-f64::from(scroll.y) / 200.0).exp(), centre_s, shift_s))
}

/// A curve in the plot's own points.
#[must_use]
pub(crate) fn points(curve: &[CurvePoint]) -> Vec<PlotPoint> {
    curve
        .iter()
        .map(|drawn| PlotPoint::new(drawn.t_s, drawn.value))
        .collect()
}

/// How many points of a curve there is room for: one every two pixels.
#[must_use]
pub(crate) fn buckets(ui: &Ui) -> usize {
    // A width in points is neither negative nor beyond any screen.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and not negative"
    )]
    let pixels = ui.available_width().clamp(2.0, 8192.0) as usize;
    pixels / 2
}

/// The key to a line: a dash of its colour and what it is.
pub(crate) fn legend(ui: &mut Ui, name: &str, colour: Color32) {
    let weak = theme::palette(ui).weak;
    let galley = ui.painter().layout_no_wrap(name.to_owned(), theme::small(), weak);
    let (rect, _) = ui.allocate_exact_size(vec2(galley.size().x + 20.0, 18.0), Sense::hover());
    let dash = rect.left()..=rect.left() + 14.0;
    ui.painter().hline(dash, rect.center().y, (2.0, colour));
    let at = rect.left_center() + vec2(20.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, weak);
    ui.add_space(6.0);
}

fn marks((from, to): (f64, f64), step: f64) -> Vec<GridMark> {
    let first = (from / step).ceil();
    let count = (to / step - first).floor();
    if !(0.0..=1000.0).contains(&count) {
        return Vec::new();
    }
    (0..=1000_u32)
        .map(f64::from)
        .take_while(|i| *i <= count)
        .map(|i| GridMark {
            value: (first + i) * step,
            step_size: step,
        })
        .collect()
}

/// So many pixels in units of the axis; the plot's own step is eight of them.
fn pixels(input: &GridInput, count: f64) -> f64 {
    input.base_step_size / 8.0 * count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(from_s: f64, to_s: f64, end_s: f64) -> TimeAxis {
        TimeAxis {
            from_s,
            to_s,
            can_zoom: true,
            end_s,
        }
    }

    fn span(from_s: f64, to_s: f64) -> TimeSpan {
        TimeSpan { from_s, to_s }
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer_and_stays_inside() {
        let TimeSpan { from_s, to_s } = axis(0.0, 10.0, 10.0).zoomed(0.5, 4.0, 0.0).unwrap();
        assert!((from_s - 2.0).abs() < 1e-9 && (to_s - 7.0).abs() < 1e-9);
        assert_eq!(axis(2.0, 7.0, 10.0).zoomed(4.0, 4.0, 0.0), None, "all of it");
        assert_eq!(axis(8.0, 10.0, 10.0).zoomed(1.0, 8.0, 5.0), Some(span(8.0, 10.0)));
        assert_eq!(axis(0.0, 2.0, 10.0).zoomed(1.0, 0.0, -5.0), Some(span(0.0, 2.0)));
    }

    #[test]
    fn times_have_the_unit_that_suits_the_axis() {
        assert_eq!(axis(0.0, 0.08, 0.08).label(0.02, 0.02), "20 ms");
        assert_eq!(axis(0.0, 12.0, 12.0).label(2.5, 2.5), "2.5 s");
        assert_eq!(axis(0.0, 1200.0, 1200.0).label(300.0, 300.0), "5 min");
        assert_eq!(axis(0.0, 36_000.0, 36_000.0).label(7200.0, 7200.0), "2 h");
    }

    #[test]
    fn labels_have_the_decimals_of_their_step() {
        assert_eq!(decimals(2.0, 0.25), "2.00");
        assert_eq!(decimals(2.0, 1.0), "2");
        assert_eq!(decimals(-1e-12, 1.0), "0");
    }
}
