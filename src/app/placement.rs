//! Where the window opens: where it was left, unless no monitor is there any more.

use eframe::egui::{Pos2, Rect, pos2, vec2};
use winit::dpi::PhysicalPosition;
use winit::window::Window;

/// So much of the window has to be on a monitor, in pixels: enough to take hold of it.
const SEEN_MIN: (f32, f32) = (120.0, 60.0);
/// Where else it opens, from the corner of a monitor, in pixels.
const INSET: f32 = 40.0;

/// Moves the window onto a monitor where it would open off all of them.
pub(super) fn bring_onto_a_monitor(window: &Window) {
    // Wayland tells no window where it is, and puts none off a monitor.
    let Ok(at) = window.outer_position() else { return };
    let size = window.outer_size();
    let window_rect = rect(at, size.width, size.height);
    let monitors: Vec<Rect> = window
        .available_monitors()
        .map(|monitor| rect(monitor.position(), monitor.size().width, monitor.size().height))
        .collect();
    if let Some(to) = place(window_rect, &monitors) {
        window.set_outer_position(PhysicalPosition::new(f64::from(to.x), f64::from(to.y)));
    }
}

fn rect(at: PhysicalPosition<i32>, width: u32, height: u32) -> Rect {
    Rect::from_min_size(pos2(at.x as f32, at.y as f32), vec2(width as f32, height as f32))
}

/// Where the window goes instead; nothing where enough of it is seen, or nothing is known of monitors.
fn place(window: Rect, monitors: &[Rect]) -> Option<Pos2> {
    let is_seen = |monitor: &Rect| {
        let seen = window.intersect(*monitor);
        let (width, height) = SEEN_MIN;
        seen.width() >= width && seen.height() >= height && window.top() >= monitor.top() - height
    };
    let first = monitors.first()?;
    (!monitors.iter().any(is_seen)).then(|| first.min + vec2(INSET, INSET))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_off_every_monitor_opens_on_the_first_one() {
        let at = |x, y, width, height| Rect::from_min_size(pos2(x, y), vec2(width, height));
        let two = [at(0.0, 0.0, 1920.0, 1080.0), at(1920.0, 0.0, 1920.0, 1080.0)];
        for (x, y, is_seen) in [
            (100.0, 100.0, true),
            (2000.0, 500.0, true),
            (-1000.0, 100.0, true),
            (-1200.0, 100.0, false),
            (5000.0, 100.0, false),
            (100.0, 1075.0, false),
            (100.0, -700.0, false),
        ] {
            let to = place(at(x, y, 1280.0, 800.0), &two);
            assert_eq!(to, (!is_seen).then(|| pos2(INSET, INSET)), "{x} {y}");
        }
        assert_eq!(place(at(5000.0, 0.0, 10.0, 10.0), &[]), None);
    }
}
