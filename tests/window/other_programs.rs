//! What the window has other programs do: they ask for files, and open what was received.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A folder that stands for PATH: programs of a name each, which write down how they were called, an argument a line.
struct Programs(tempfile::TempDir);

impl Programs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A program that says this, and ends as if all went well.
    fn add(&self, name: &str, says: &str) {
        let path = self.0.path().join(name);
        let record = self.record_path(name);
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$@\" >'{0}.new'\n/bin/mv '{0}.new' '{0}'\nprintf '%s\\n' '{says}'\n",
            record.display()
        );
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn record_path(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.arguments"))
    }

    /// The arguments of its next call, once that has come.
    fn called(&self, name: &str) -> Vec<String> {
        let path = self.record_path(name);
        let arguments = until(|| std::fs::read_to_string(&path).ok());
        std::fs::remove_file(path).unwrap();
        arguments.lines().map(str::to_owned).collect()
    }

    /// A window that finds only these programs, and no desktop.
    fn open_window(&self, left: &str) -> Window {
        let display = std::env::var_os("DISPLAY").unwrap();
        Window::open_in::<&str>(&display, &[], left, |program| {
            program
                .env_remove("WAYLAND_DISPLAY")
                .env_remove("DBUS_SESSION_BUS_ADDRESS")
                .env("HOME", self.0.path())
                .env("PATH", self.0.path());
        })
    }
}

impl Window {
    /// Has done what the palette finds by this text.
    fn command(&self, text: &str) {
        // Keys that come with the same frame as Ctrl K are typed into nothing.
        self.key("ctrl+k");
        std::thread::sleep(Duration::from_millis(500));
        self.xdotool(&["type", text]);
        std::thread::sleep(Duration::from_millis(500));
        self.key("Return");
    }
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn what_the_window_received_is_opened_and_shown_in_its_folder_by_xdg_open() {
    let programs = Programs::new();
    programs.add("xdg-open", "");
    let into = tempfile::tempdir().unwrap();
    let path = into.path().join("my 'first' numbers.npy");
    let left = format!(r#"(form:(to:"1000",sink:File,sink_path:"{}"))"#, path.display());
    let window = programs.open_window(&left);
    window.key("ctrl+Return");
    window.wait_for_title("done 8.00 kB");
    window.command("open (");
    assert_eq!(programs.called("xdg-open"), [path.to_str().unwrap()]);
    window.command("show in folder");
    assert_eq!(programs.called("xdg-open"), [into.path().to_str().unwrap()]);
    window.key("ctrl+q");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn several_files_that_are_chosen_in_a_dialog_of_zenity_are_sent_together() {
    let (from, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let names = ["one.bin", "number two.bin"];
    for name in names {
        std::fs::write(from.path().join(name), name.repeat(1000)).unwrap();
    }
    let chosen = names.map(|name| from.path().join(name).display().to_string());
    let programs = Programs::new();
    programs.add("zenity", &chosen.join("|"));
    let left = format!(r#"(form:(sink:File,sink_path:"{}"))"#, into.path().display());
    let window = programs.open_window(&left);
    window.key("ctrl+o");
    let arguments = programs.called("zenity");
    for asked in ["--file-selection", "--multiple"] {
        assert!(arguments.iter().any(|argument| argument == asked), "{arguments:?}");
    }
    std::thread::sleep(Duration::from_secs(1));
    window.screenshot("window-chosen");
    window.key("ctrl+Return");
    window.wait_for_title("done ");
    for name in names {
        let received = std::fs::read_to_string(into.path().join(name)).unwrap();
        assert!(received == name.repeat(1000), "{name} has other bytes");
    }
    window.key("ctrl+q");
    window.closes_with_success();
}
