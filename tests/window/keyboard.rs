//! The real window by the keyboard alone, from the first transfer to the question before it closes.

use super::*;

impl Window {
    /// Types into what has the focus.
    fn type_in(&self, text: &str) {
        self.xdotool(&["windowfocus", "--sync", &self.id, "type", "--clearmodifiers", text]);
        std::thread::sleep(Duration::from_millis(300));
    }

    fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.key(key);
        }
    }
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn the_window_is_used_and_closed_by_the_keyboard_alone_and_what_was_seen_is_exported() {
    let home = tempfile::tempdir().unwrap();
    let display = std::env::var_os("DISPLAY").unwrap();
    let window = Window::open_in::<&str>(&display, &[], "()", |program| {
        program
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            // There is no program for dialogs.
            .env("HOME", home.path())
            .env("PATH", "/nowhere");
    });
    // The first page: from the rail over New to Start.
    window.keys(&["Tab", "Tab", "Tab", "Return"]);
    window.wait_for_title("done 400 MB at");

    // The menu of the row: its last entry but one saves the numbers as JSON.
    window.keys(&["shift+F10", "Up", "Up", "Return"]);
    let saved = || {
        let names = std::fs::read_dir(home.path()).ok()?.flatten();
        names
            .map(|entry| entry.path())
            .find(|path| path.extension() == Some(OsStr::new("json")))
    };
    let view = until(|| serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(saved()?).ok()?).ok());
    assert_eq!(view["bytes"], 400_000_000, "{view}");

    // Another one, by the fields of the form; then every page, and the palette.
    window.key("ctrl+n");
    window.key("Tab");
    window.key("ctrl+a");
    window.type_in("100,000,000");
    window.keys(&["ctrl+Return"]);
    window.wait_for_title("done 800 MB at");
    window.keys(&["ctrl+1", "ctrl+2", "ctrl+3", "ctrl+4", "ctrl+comma", "F1", "Escape"]);
    window.key("ctrl+k");
    std::thread::sleep(Duration::from_millis(500));
    window.type_in("try this");
    window.key("Return");
    window.wait_for_title("done 400 MB at");
    window.screenshot("window-keyboard");
    window.key("ctrl+q");
    window.closes_with_success();
}
