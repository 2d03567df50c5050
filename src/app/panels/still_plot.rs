//! The look that all plots share. By itself a plot is only looked at: it neither zooms nor scrolls.

use eframe::egui::{Sense, Ui};
use egui_plot::{AxisHints, HPlacement, Plot};

use crate::app::theme;

/// Every plot leaves at least this much to the left of its y axis, so that plots stand one below the other.
const LEFT_AXIS_WIDTH: f32 = 50.0;

/// A plot with its axes, `height` points high.
pub(super) fn still_plot<'a>(ui: &Ui, name: &str, height: f32, x: AxisHints<'a>, y: AxisHints<'a>) -> Plot<'a> {
    let palette = theme::palette(ui);
    let label = |axis: AxisHints<'a>| axis.tick_label_font(theme::small()).tick_label_color(palette.weak);
    let y = y.placement(HPlacement::Left).min_thickness(LEFT_AXIS_WIDTH);
    Plot::new(name)
        .height(height)
        .sense(Sense::hover())
        .show_background(false)
        .grid_color(palette.grid)
        .grid_fade(0.0)
        .custom_x_axes(vec![label(x.min_thickness(20.0))])
        .custom_y_axes(vec![label(y)])
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_crosshair(false)
        .show_x(false)
        .show_y(false)
}
