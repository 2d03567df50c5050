//! What the window itself costs, in words.

use crate::app::model::repaint::WindowCost;
use crate::app::words::say;

/// What the window costs, as measured.
#[must_use]
pub(crate) fn itself(cost: Option<WindowCost>, is_running: bool) -> String {
    match (cost, is_running) {
        (Some(cost), true) if cost.is_sparing => {
            say!("status-sparing", percent = format!("{:.1}", cost.cpu * 100.0))
        }
        (Some(cost), true) => {
            say!(
                "status-runs",
                percent = format!("{:.1}", cost.cpu * 100.0),
                frames = format!("{:.0}", cost.frames_per_s)
            )
        }
        (None, true) => say!("status-itself").to_owned(),
        (_, false) => say!("status-rests").to_owned(),
    }
}
