//! What the window itself costs, in words.

use crate::app::model::repaint::WindowCost;

/// What the window costs, as measured.
#[must_use]
pub(crate) fn itself(cost: Option<WindowCost>, is_running: bool) -> String {
    match (cost, is_running) {
        (Some(cost), true) if cost.is_sparing => {
            format!("Arraylift itself: {:.1} %, sparing the cores", cost.cpu * 100.0)
        }
        (Some(cost), true) => {
            format!(
                "Arraylift itself: {:.1} % of a core, {:.0} frames/s",
                cost.cpu * 100.0,
                cost.frames_per_s
            )
        }
        (None, true) => "Arraylift itself".to_owned(),
        (_, false) => "Arraylift itself: at rest".to_owned(),
    }
}
