//! Opens the window minimized.

use winit::raw_window_handle::{HasWindowHandle as _, RawWindowHandle};
use winit::window::Window;
use x11rb::properties::{WmHints, WmHintsState};

/// Has the window open minimized. It is not shown yet.
pub(super) fn open_minimized(window: &Window) {
    if x_id(window).and_then(ask_window_manager).is_none() {
        window.set_minimized(true);
    }
}

/// Its number, where it is one of X.
fn x_id(window: &Window) -> Option<u32> {
    match window.window_handle().ok()?.as_raw() {
        RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok(),
        RawWindowHandle::Xcb(handle) => Some(handle.window.get()),
        _ => None,
    }
}

/// Asks for it by a property of the window (ICCCM, 4.1.2.4). A request to minimize counts only once a window is shown, and
/// then it would be seen first.
fn ask_window_manager(id: u32) -> Option<()> {
    let (connection, _) = x11rb::connect(None).ok()?;
    let hints = WmHints {
        initial_state: Some(WmHintsState::Iconic),
        ..WmHints::default()
    };
    // The answer says that it is there before the window's own connection shows the window.
    hints.set(&connection, id).ok()?.check().ok()
}
