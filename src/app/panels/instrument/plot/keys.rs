//! The plot by the keyboard: the arrows move an instant that stays, with Shift the other one, and its values are said.

use eframe::egui::{EventFilter, Key, Modifiers, Response, Ui};

use super::scene::Scene;
use crate::app::action::{Action, TransferAction};
use crate::app::model::plot_view::PlotView;
use crate::app::model::row::{Cursors, Row};

/// An arrow moves an instant by this part of the time that is shown.
const STEP_SHARE: f64 = 0.02;

/// The instant that the keyboard has moved last, where the plot has the focus.
pub(super) fn instant(row: &Row, response: &Response) -> Option<f64> {
    let Cursors { first_s, second_s } = row.cursors;
    second_s.or(first_s).filter(|_| response.has_focus())
}

/// What the keys ask for while the plot has the focus.
pub(super) fn pressed(ui: &Ui, row: &Row, scene: &Scene, view: PlotView, response: &Response) -> Vec<Action> {
    if !response.has_focus() {
        return Vec::new();
    }
    let Cursors { first_s, second_s } = row.cursors;
    let filter = EventFilter {
        horizontal_arrows: true,
        // The first Escape takes the instants away, the next one leaves the plot.
        escape: first_s.is_some(),
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let is_pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    let set = |cursors| vec![Action::Transfer(row.key, TransferAction::SetCursors(cursors))];
    if first_s.is_some() && is_pressed(Modifiers::NONE, Key::Escape) {
        return set(Cursors::default());
    }
    let time = scene.time;
    let middle_s = time.from_s + time.length_s() / 2.0;
    // What was left behind by a zoom is taken up at the edge.
    let moved = |t_s: f64, step: f64| (t_s + step * time.length_s()).clamp(time.from_s, time.to_s);
    let keys = [
        (Key::ArrowLeft, -STEP_SHARE),
        (Key::ArrowRight, STEP_SHARE),
        (Key::Home, -1.0),
        (Key::End, 1.0),
    ];
    for (key, step) in keys {
        // With Shift first: without it the others are asked for whatever else is held.
        if is_pressed(Modifiers::SHIFT, key) {
            let first_s = first_s.unwrap_or(middle_s);
            let second_s = Some(moved(second_s.unwrap_or(first_s), step));
            let first_s = Some(first_s);
            return set(Cursors { first_s, second_s });
        }
        if is_pressed(Modifiers::NONE, key) {
            let first_s = Some(moved(first_s.unwrap_or(middle_s), step));
            return set(Cursors {
                first_s,
                second_s: None,
            });
        }
    }
    let zooms = [
        (Key::Plus, 0.5),
        (Key::Equals, 0.5),
        (Key::Minus, 2.0),
        (Key::Num0, f64::INFINITY),
    ];
    let zoom = zooms.into_iter().find(|(key, _)| is_pressed(Modifiers::NONE, *key));
    zoom.map_or_else(Vec::new, |(_, factor)| {
        let centre_s = second_s.or(first_s).unwrap_or(middle_s);
        Action::zoomed(row.key, view, time, factor, (centre_s, 0.0))
    })
}
