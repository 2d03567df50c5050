//! The real window on a real X display: the program is started, driven by keys, looked at and closed.
//!
//! Needs an X display with the GL that software rendering gives, `xdotool`, and `ImageMagick`'s `import`; screenshots
//! are left in `target/screenshots/`, or in the folder that `ARRAYLIFT_SCREENSHOTS` names.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod idle;
mod keyboard;
mod language;
mod other_programs;
mod tree;

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// There is one keyboard.
static KEYBOARD: Mutex<()> = Mutex::new(());

/// Longer than the slowest machine needs for anything here.
const PATIENCE: Duration = Duration::from_mins(3);

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn the_window_opens_ready_and_one_key_moves_400_mb() {
    for theme in ["Dark", "Light"] {
        let window = Window::open_as_left::<&str>(&[], &format!("(theme:{theme})"));
        window.screenshot(&format!("window-ready-{theme}"));
        window.key("ctrl+Return");
        window.wait_for_title("done 400 MB at");
        assert!(window.title().ends_with(", verified"), "{}", window.title());
        window.screenshot(&format!("window-done-{theme}"));
        window.key("ctrl+q");
        window.closes_with_success();
    }
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn a_file_named_on_the_command_line_is_chosen_in_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.bin");
    std::fs::write(&path, vec![7; 3_000_000]).unwrap();
    let window = Window::open(&[path.to_str().unwrap()]);
    window.key("ctrl+Return");
    window.wait_for_title("done 3.00 MB at");
    window.key("ctrl+q");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn what_another_process_sends_is_shown_as_if_it_were_its_own_and_can_be_paused_and_cancelled() {
    let window = Window::open::<&str>(&[]);
    let socket = format!("unix:{}", window.settings.path().join("door").display());
    let elsewhere = |arguments: &[&str], runtime: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arraylift"));
        command
            .args(arguments)
            .env("XDG_RUNTIME_DIR", runtime)
            .env("TMPDIR", runtime)
            .env("XDG_DATA_HOME", runtime)
            .stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    // The receiver is out of sight.
    let out_of_sight = tempfile::tempdir().unwrap();
    let receive = ["receive", &socket, "--once", "--into", "discard"];
    let mut receiver = elsewhere(&receive, out_of_sight.path());
    until(|| window.settings.path().join("door").exists().then_some(()));
    let send = [
        "send",
        "range:0:1e8",
        &socket,
        "--limit",
        "20MB/s",
        "--send-route",
        "write",
    ];
    let mut sender = elsewhere(&send, window.settings.path());
    window.wait_for_title("transferring 800 MB");
    window.key("space");
    window.wait_for_title("paused 800 MB");
    window.screenshot("window-elsewhere");
    window.key("space");
    window.wait_for_title("transferring 800 MB");
    window.key("Delete");
    std::thread::sleep(Duration::from_secs(2));
    if !window.title().contains("cancelled") {
        // On a busy machine it has run for so long by now that it is asked about: the second answer is yes.
        window.key("Tab");
        window.key("Return");
    }
    window.wait_for_title("cancelled");
    assert_eq!(sender.wait().unwrap().code(), Some(1));
    assert_eq!(receiver.wait().unwrap().code(), Some(1));
    // Nothing of its own runs: nobody asks.
    window.key("ctrl+q");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn what_is_in_view_is_saved_at_home_where_nobody_can_be_asked_for_a_place() {
    let home = tempfile::tempdir().unwrap();
    let display = std::env::var_os("DISPLAY").unwrap();
    let window = Window::open_in::<&str>(&display, &[], "()", |program| {
        program
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS");
        // There is no program for dialogs.
        program.env("HOME", home.path()).env("PATH", "/nowhere");
    });
    window.key("ctrl+Return");
    window.wait_for_title("done 400 MB at");
    let found = |ending: &str| {
        let names = std::fs::read_dir(home.path()).unwrap().flatten();
        let mut paths = names.map(|entry| entry.path());
        paths.find(|path| path.to_str().unwrap().ends_with(&format!(".arraylift.{ending}")))
    };
    let saved = |ending: &str| {
        until(|| {
            // Keys that come with the same frame as Ctrl K are typed into nothing.
            window.key("ctrl+k");
            std::thread::sleep(Duration::from_millis(500));
            window.xdotool(&["type", &format!("save ({ending}")]);
            std::thread::sleep(Duration::from_millis(500));
            window.key("Return");
            let asked = Instant::now();
            while found(ending).is_none() && asked.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(50));
            }
            found(ending)
        })
    };
    let csv = std::fs::read_to_string(saved("csv")).unwrap();
    assert!(csv.contains("rate,receiver,B/s,"), "{csv}");
    let json = std::fs::read_to_string(saved("json")).unwrap();
    let view: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(view["bytes"], 400_000_000, "{json}");
    let report = std::fs::read_to_string(saved("html")).unwrap();
    assert!(
        report.contains("<td>400 of 400 MB</td>") && report.contains("<polyline"),
        "{report}"
    );
    let svg = std::fs::read_to_string(saved("svg")).unwrap();
    assert_eq!(
        roxmltree::Document::parse(&svg)
            .unwrap()
            .root_element()
            .tag_name()
            .name(),
        "svg"
    );
    let png = saved("png");
    let size = output("identify", &["-format", "%m %w", png.to_str().unwrap()]);
    let width = size.strip_prefix("PNG ").and_then(|width| width.parse().ok());
    // The page without the rail and the list.
    assert!(width.is_some_and(|width| (600..=1100).contains(&width)), "{size}");
    if let Some(folder) = std::env::var_os("ARRAYLIFT_SCREENSHOTS") {
        std::fs::copy(&png, Path::new(&folder).join("saved.png")).unwrap();
        std::fs::write(Path::new(&folder).join("saved.svg"), svg).unwrap();
    }
    window.screenshot("window-saved");
    window.key("ctrl+q");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn closing_the_window_while_something_runs_asks_and_then_leaves_no_process() {
    // What was remembered is as if someone had typed a limit under Advanced, and left.
    let window = Window::open_as_left::<&str>(&[], r#"(form:(limit:"5 MB/s"))"#);
    window.key("ctrl+Return");
    window.wait_for_title("transferring");
    window.key("ctrl+q");
    std::thread::sleep(Duration::from_secs(1));
    window.screenshot("window-asks");
    assert!(
        window.title().contains("transferring"),
        "it is still there: {}",
        window.title()
    );
    window.key("Tab");
    window.key("Return");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn a_window_opens_by_display_where_wayland_display_leads_nowhere() {
    for nowhere in ["wayland-7", "/nowhere/wayland-0"] {
        let display = std::env::var_os("DISPLAY").unwrap();
        let window = Window::open_in::<&str>(&display, &[], "()", |program| {
            program.env("WAYLAND_DISPLAY", nowhere);
        });
        window.key("ctrl+q");
        window.closes_with_success();
    }
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn a_window_that_was_left_off_every_monitor_opens_on_one_and_any_other_where_it_was_left() {
    for (left, expected) in [
        ((200, 150), (200, 150)),
        ((9000, 7000), (40, 40)),
        ((-5000, 10), (40, 40)),
    ] {
        let at = format!(
            "(normal_geometry:(outer_position_pixels:Some((x:{}.0,y:{}.0)),scale_factor:1.0,\
             inner_size_points:(x:1000.0,y:700.0)),fullscreen:false,maximized:false)",
            left.0, left.1
        );
        let display = std::env::var_os("DISPLAY").unwrap();
        let window = Window::open_in::<&str>(&display, &[], "()", |program| {
            program.env_remove("WAYLAND_DISPLAY");
            let data = program
                .get_envs()
                .find(|(name, _)| *name == "XDG_DATA_HOME")
                .unwrap()
                .1
                .unwrap();
            let kept = format!("{{\"settings\": \"()\", \"window\": {at:?}}}");
            std::fs::write(Path::new(data).join("arraylift/app.ron"), kept).unwrap();
        });
        let geometry = window.xdotool(&["getwindowgeometry", "--shell", &window.id]);
        for (name, expected) in [("X", expected.0), ("Y", expected.1)] {
            assert!(
                geometry.contains(&format!("\n{name}={expected}\n")),
                "{left:?}: {geometry}"
            );
        }
        window.key("ctrl+q");
        window.closes_with_success();
    }
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn a_name_that_is_no_text_and_one_in_letters_that_the_windows_own_fonts_lack_are_sent() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    // Georgian and Armenian, which DejaVu has.
    for name in ["ნუმპი-թվեր.bin".as_bytes(), b"a\xff.bin"] {
        let path = folder.path().join(OsStr::from_bytes(name));
        std::fs::write(&path, vec![7; 3_000_000]).unwrap();
        let window = Window::open(&[path.as_os_str()]);
        window.key("ctrl+Return");
        window.wait_for_title("done 3.00 MB at");
        window.screenshot(&format!("window-name-{}", name.len()));
        window.key("ctrl+q");
        window.closes_with_success();
    }
}

/// There is nothing, or what is half received has its log.
#[track_caller]
fn assert_half_file_can_go_on(folder: &Path) {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let is_pair = |names: &[String]| matches!(names, [part, log] if *log == format!("{part}.log"));
    assert!(names.is_empty() || is_pair(&names), "{names:?}");
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn a_window_that_a_signal_ends_leaves_what_can_go_on_and_keeps_what_was_typed() {
    for signal in ["TERM", "HUP", "INT"] {
        let (window, into) = receiving_into_a_file(&std::env::var_os("DISPLAY").unwrap());
        output(
            "kill",
            &[&format!("-{signal}"), &window.program.borrow().id().to_string()],
        );
        let settings = window.settings.path().join("arraylift/settings.json");
        let status = until(|| window.program.borrow_mut().try_wait().unwrap());
        assert!(status.success(), "{signal}: {status}");
        assert_half_file_can_go_on(into.path());
        let kept = std::fs::read_to_string(settings).unwrap();
        assert!(kept.contains("\"form_open\": true"), "{signal}: {kept}");
    }
}

#[test]
#[ignore = "needs an X display, xdotool and ImageMagick"]
fn a_window_whose_x_server_goes_leaves_what_can_go_on_and_keeps_what_was_typed() {
    let mut server = XServer::start();
    let (window, into) = receiving_into_a_file(&server.display);
    // Longer than what is typed takes to be kept.
    std::thread::sleep(Duration::from_millis(2500));
    server.end();
    until(|| window.program.borrow_mut().try_wait().unwrap());
    assert_half_file_can_go_on(into.path());
    let kept = std::fs::read_to_string(window.settings.path().join("arraylift/settings.json")).unwrap();
    assert!(kept.contains("\"form_open\": true"), "{kept}");
}

#[test]
#[ignore = "needs Xvfb, jwm, xdotool and xprop"]
fn a_window_manager_shows_a_window_that_opens_minimized_as_an_icon_until_somebody_wants_it() {
    let server = XServer::start();
    let manager = WindowManager::start(&server.display);
    let window = Window::start(
        &server.display,
        &["--minimized"],
        "()",
        |program| {
            program.env_remove("WAYLAND_DISPLAY");
        },
        |_| manager.windows().pop(),
    );
    let state = || {
        output_at(
            "xprop",
            &["-id", &window.id, "WM_STATE", "_NET_WM_STATE"],
            &server.display,
        )
    };
    until(|| state().contains("window state: Iconic").then_some(()));
    // It stays so once all that opening it has started is done.
    std::thread::sleep(Duration::from_secs(2));
    let iconic = state();
    assert!(
        iconic.contains("window state: Iconic") && iconic.contains("_NET_WM_STATE_HIDDEN"),
        "{iconic}"
    );
    let seen = output_at(
        "xdotool",
        &["search", "--onlyvisible", "--name", "Arraylift"],
        &server.display,
    );
    assert_eq!(seen, "");
    window.xdotool(&["windowactivate", &window.id]);
    until(|| {
        let shown = state();
        (shown.contains("window state: Normal") && !shown.contains("_NET_WM_STATE_HIDDEN")).then_some(())
    });
    window.key("ctrl+Return");
    window.wait_for_title("done 400 MB at");
    // Minimized again by hand, it is told to close.
    window.xdotool(&["windowminimize", "--sync", &window.id]);
    until(|| state().contains("window state: Iconic").then_some(()));
    output("kill", &["-TERM", &window.program.borrow().id().to_string()]);
    window.closes_with_success();
}

/// A window manager of this test's own.
struct WindowManager {
    process: Child,
    display: OsString,
    _settings: tempfile::NamedTempFile,
}

impl WindowManager {
    fn start(display: &OsStr) -> Self {
        let settings = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(settings.path(), "<?xml version=\"1.0\"?><JWM/>").unwrap();
        let process = Command::new("jwm")
            .arg("-f")
            .arg(settings.path())
            .env("DISPLAY", display)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("jwm is needed: {error}"));
        let manager = Self {
            process,
            display: display.to_owned(),
            _settings: settings,
        };
        until(|| {
            let manages = output_at("xprop", &["-root", "_NET_SUPPORTING_WM_CHECK"], display);
            manages.contains("window id").then_some(())
        });
        manager
    }

    /// The windows that it manages.
    fn windows(&self) -> Vec<String> {
        let listed = output_at("xprop", &["-root", "_NET_CLIENT_LIST"], &self.display);
        let ids = listed.split(['#', ',']).skip(1).map(|id| id.trim().to_owned());
        ids.filter(|id| id.starts_with("0x")).collect()
    }
}

impl Drop for WindowManager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A window in which a transfer runs into a file in that folder, and the form was just opened.
fn receiving_into_a_file(display: &OsStr) -> (Window, tempfile::TempDir) {
    let into = tempfile::tempdir().unwrap();
    let path = into.path().join("a.npy");
    let left = format!(r#"(form:(limit:"5 MB/s",sink:File,sink_path:"{}"))"#, path.display());
    let window = Window::open_at::<&str>(display, &[], &left);
    window.key("ctrl+Return");
    window.wait_for_title("transferring");
    until(|| (std::fs::read_dir(into.path()).unwrap().count() > 0).then_some(()));
    window.key("ctrl+b");
    (window, into)
}

/// An X server of this test's own.
struct XServer {
    process: Child,
    display: OsString,
}

impl XServer {
    fn start() -> Self {
        // Without -noreset it would begin anew whenever its last client leaves, and turn the next one away meanwhile.
        let mut process = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1600x1200x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let display = format!(":{}", number.trim()).into();
        Self { process, display }
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        self.end();
    }
}

struct Window {
    program: std::cell::RefCell<Child>,
    id: String,
    display: OsString,
    settings: tempfile::TempDir,
    _keyboard: MutexGuard<'static, ()>,
}

impl Window {
    fn open<A: AsRef<OsStr>>(arguments: &[A]) -> Self {
        Self::open_as_left(arguments, "()")
    }

    /// Opens it as if these settings had been left behind by the run before.
    fn open_as_left<A: AsRef<OsStr>>(arguments: &[A], left: &str) -> Self {
        Self::open_at(&std::env::var_os("DISPLAY").unwrap(), arguments, left)
    }

    /// The same at another display.
    fn open_at<A: AsRef<OsStr>>(display: &OsStr, arguments: &[A], left: &str) -> Self {
        Self::open_in(display, arguments, left, |program| {
            program.env_remove("WAYLAND_DISPLAY");
        })
    }

    /// The same in another environment.
    fn open_in<A: AsRef<OsStr>>(
        display: &OsStr,
        arguments: &[A],
        left: &str,
        environment: impl FnOnce(&mut Command),
    ) -> Self {
        let window = Self::start(display, arguments, left, environment, |pid| {
            let found = output_at("xdotool", &["search", "--onlyvisible", "--pid", pid], display);
            found.lines().next().map(str::to_owned)
        });
        // There may be no window manager that would give the focus.
        window.xdotool(&["windowsize", "--sync", &window.id, "1280", "800"]);
        window.xdotool(&["windowfocus", "--sync", &window.id]);
        window
    }

    /// Starts the program. `find` looks for its window by the number of the process.
    fn start<A: AsRef<OsStr>>(
        display: &OsStr,
        arguments: &[A],
        left: &str,
        environment: impl FnOnce(&mut Command),
        find: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let keyboard = KEYBOARD.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = tempfile::tempdir().unwrap();
        let folder = settings.path().join("arraylift");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("app.ron"), format!("{{\"settings\": {left:?}}}")).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_arraylift"));
        program
            .args(arguments)
            .env("XDG_DATA_HOME", settings.path())
            // What runs elsewhere on this machine is none of its business.
            .env("XDG_RUNTIME_DIR", settings.path())
            .env("TMPDIR", settings.path())
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("DISPLAY", display)
            .stdin(Stdio::null());
        environment(&mut program);
        let program = program.spawn().unwrap();
        let pid = program.id().to_string();
        let id = until(|| find(&pid));
        Self {
            program: program.into(),
            id,
            display: display.to_owned(),
            settings,
            _keyboard: keyboard,
        }
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        output_at("xdotool", arguments, &self.display)
    }

    fn key(&self, key: &str) {
        self.xdotool(&["windowfocus", "--sync", &self.id, "key", "--clearmodifiers", key]);
        std::thread::sleep(Duration::from_millis(300));
    }

    fn title(&self) -> String {
        self.xdotool(&["getwindowname", &self.id]).trim().to_owned()
    }

    fn wait_for_title(&self, part: &str) {
        let begin = Instant::now();
        while !self.title().contains(part) {
            assert!(
                begin.elapsed() < PATIENCE,
                "the title is {:?}, not {part:?}",
                self.title()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn screenshot(&self, name: &str) {
        let folder = std::env::var_os("ARRAYLIFT_SCREENSHOTS").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots"),
            PathBuf::from,
        );
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        std::thread::sleep(Duration::from_millis(700));
        output("import", &["-window", &self.id, path.to_str().unwrap()]);
        assert!(std::fs::metadata(&path).unwrap().len() > 10_000, "an empty picture");
    }

    fn closes_with_success(self) {
        let status = until(|| self.program.borrow_mut().try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Where a test failed half-way.
        let program = self.program.get_mut();
        if program.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

fn until<T>(mut probe: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    output_at(program, arguments, &std::env::var_os("DISPLAY").unwrap_or_default())
}

fn output_at(program: &str, arguments: &[&str], display: &OsStr) -> String {
    let output = Command::new(program).args(arguments).env("DISPLAY", display).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
