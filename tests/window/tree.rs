//! What the real window says over AT-SPI, as a screen reader hears it: of each node its role and its name, what is
//! typed in or the number that it has, and its states.
//!
//! The expected trees are in tests/window/trees; `tests/access.sh --update` writes them anew. Numbers stand there as `#`,
//! what the limit of a transfer is as `LIMIT`, its checksum as `CHECKSUM`, and a month as `MONTH`: they are others every
//! time.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::*;

const ROOT: &str = "/org/a11y/atspi/accessible/root";
const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const TEXT: &str = "org.a11y.atspi.Text";
const VALUE: &str = "org.a11y.atspi.Value";

/// There is one session at a time.
static SESSION: Mutex<()> = Mutex::new(());

/// What stands for the limit of a transfer.
const LIMIT: &str = "LIMIT";

/// States by their numbers in atspi-constants.h.
const CHECKED: usize = 4;
const ENABLED: usize = 8;
const EXPANDABLE: usize = 9;
const EXPANDED: usize = 10;
const FOCUSED: usize = 12;
const PRESSED: usize = 20;
const SELECTABLE: usize = 22;
const SELECTED: usize = 23;
const CHECKABLE: usize = 41;
const READ_ONLY: usize = 43;

/// Those of AT-SPI that the window has, by their numbers in its header atspi-constants.h.
const ROLES: [(u32, &str); 27] = [
    (7, "check box"),
    (11, "combo box"),
    (16, "dialog"),
    (20, "filler"),
    (23, "frame"),
    (27, "image"),
    (29, "label"),
    (31, "list"),
    (32, "list item"),
    (33, "menu"),
    (35, "menu item"),
    (37, "page tab"),
    (39, "panel"),
    (43, "button"),
    (44, "radio button"),
    (48, "scroll bar"),
    (49, "scroll pane"),
    (51, "slider"),
    (52, "spin button"),
    (61, "text"),
    (62, "toggle button"),
    (64, "tool tip"),
    (67, "unknown"),
    (69, "window"),
    (79, "entry"),
    (83, "heading"),
    (98, "list box"),
];

/// A session of one's own: its bus, and the one of AT-SPI.
struct Session {
    processes: Vec<Child>,
    address: String,
    folder: tempfile::TempDir,
    /// Two at once stand in each other's way: the registry of one does not start.
    _only: MutexGuard<'static, ()>,
}

impl Session {
    fn start() -> Self {
        let only = SESSION.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .env("XDG_RUNTIME_DIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let said = BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address);
        let mut session = Self {
            processes: vec![daemon],
            address: address.trim().to_owned(),
            folder,
            _only: only,
        };
        assert!(said.unwrap() > 0, "no address of the bus");
        let launcher = Command::new("/usr/libexec/at-spi-bus-launcher")
            .arg("--launch-immediately")
            .env("DBUS_SESSION_BUS_ADDRESS", &session.address)
            .env("XDG_RUNTIME_DIR", session.folder.path())
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        session.processes.push(launcher.unwrap());
        session
    }

    /// The bus of AT-SPI, on which assistive technology has just said that it is there.
    fn accessibility(&self) -> Connection {
        let bus = connection::Builder::address(self.address.as_str()).unwrap();
        let bus = bus.build().unwrap();
        let status = || {
            let status = Proxy::new(&bus, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Status").ok()?;
            status.set_property("IsEnabled", true).ok()
        };
        until(status);
        let door = Proxy::new(&bus, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus").unwrap();
        let address: String = door.call("GetAddress", &()).unwrap();
        connection::Builder::address(address.as_str()).unwrap().build().unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The launcher first: it ends its own daemon.
        for process in self.processes.iter_mut().rev() {
            output("kill", &[&process.id().to_string()]);
            let _ = process.wait();
        }
    }
}

/// A node of another process: the name of that on the bus, and the node's path.
type Node = (String, OwnedObjectPath);

/// What a node says of itself.
struct Said {
    depth: usize,
    role: String,
    name: String,
    /// The text of a field, or the number of a slider or of progress.
    value: Option<String>,
    states: Vec<&'static str>,
}

/// Reads nodes.
struct Reader(Connection);

impl Reader {
    fn of(&self, node: &Node, interface: &'static str) -> Proxy<'static> {
        let (name, path) = node.clone();
        Proxy::new(&self.0, name, path, interface).unwrap()
    }

    fn call<R: serde::de::DeserializeOwned + zbus::zvariant::Type + Default>(&self, node: &Node, method: &str) -> R {
        let asked: zbus::Result<R> = self.of(node, ACCESSIBLE).call(method, &());
        asked.unwrap_or_default()
    }

    fn property<T: TryFrom<OwnedValue>>(&self, node: &Node, interface: &'static str, name: &str) -> Option<T> {
        let properties = self.of(node, "org.freedesktop.DBus.Properties");
        let value: zbus::Result<OwnedValue> = properties.call("Get", &(interface, name));
        value.ok()?.try_into().ok()
    }

    fn children(&self, node: &Node) -> Vec<Node> {
        self.call(node, "GetChildren")
    }

    fn role(&self, node: &Node) -> String {
        let role: u32 = self.call(node, "GetRole");
        let known = ROLES.iter().find(|(number, _)| *number == role);
        known.map_or_else(|| format!("role {role}"), |(_, name)| (*name).to_owned())
    }

    fn name(&self, node: &Node) -> String {
        self.property(node, ACCESSIBLE, "Name").unwrap_or_default()
    }

    /// What is typed in, or a number.
    fn value(&self, node: &Node, role: &str) -> Option<String> {
        let interfaces: Vec<String> = self.call(node, "GetInterfaces");
        let has = |interface| interfaces.iter().any(|has| has == interface);
        if role == "entry" && has(TEXT) {
            return self.of(node, TEXT).call("GetText", &(0, -1)).ok();
        }
        let number: Option<f64> = has(VALUE).then(|| self.property(node, VALUE, "CurrentValue"))?;
        number.map(|number| number.to_string())
    }

    /// The states of which a screen reader speaks.
    fn states(&self, node: &Node, role: &str) -> Vec<&'static str> {
        let bits: Vec<u32> = self.call(node, "GetState");
        let is = |state: usize| {
            let word = bits.get(state / 32).copied().unwrap_or_default();
            word >> (state % 32) & 1 == 1
        };
        let one_of = |can_be: bool, state, name, not| can_be.then(|| if is(state) { name } else { not });
        let states = [
            one_of(is(CHECKABLE), CHECKED, "checked", "not checked"),
            one_of(is(SELECTABLE), SELECTED, "selected", "not selected"),
            one_of(role == "toggle button", PRESSED, "pressed", "not pressed"),
            is(EXPANDABLE).then(|| if is(EXPANDED) { "expanded" } else { "collapsed" }),
            is(FOCUSED).then_some("focused"),
            (!is(ENABLED) && !is(READ_ONLY)).then_some("disabled"),
        ];
        states.into_iter().flatten().collect()
    }

    /// The window of Arraylift.
    fn window(&self) -> Node {
        let desktop = ("org.a11y.atspi.Registry".to_owned(), ROOT.try_into().unwrap());
        let of_program = |node: &Node| self.name(node) == "arraylift";
        until(|| {
            let program = self.children(&desktop).into_iter().find(of_program)?;
            self.children(&program).into_iter().next()
        })
    }

    /// A node and all that is in it.
    fn tree(&self, node: &Node, depth: usize, said: &mut Vec<Said>) {
        let role = self.role(node);
        said.push(Said {
            depth,
            name: self.name(node),
            value: self.value(node, &role),
            states: self.states(node, &role),
            role,
        });
        for child in self.children(node) {
            self.tree(&child, depth + 1, said);
        }
    }

    /// The tree as text, once it has this node and changes no more.
    fn settled(&self, window: &Node, part: &str) -> String {
        let begin = Instant::now();
        let mut before = String::new();
        loop {
            let mut said = Vec::new();
            self.tree(window, 0, &mut said);
            let tree = steady(&said);
            if tree == before && tree.contains(part) {
                return tree;
            }
            assert!(begin.elapsed() < PATIENCE, "no {part} in\n{tree}");
            before = tree;
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// What is the same every time: without numbers, and without what the limit was. A line a node.
fn steady(said: &[Said]) -> String {
    let mut seen = HashSet::new();
    let mut text = String::new();
    for node in said {
        let Some(name) = steady_name(&node.name) else { continue };
        let mut line = format!("{}{}: {name}", "  ".repeat(node.depth), node.role);
        if let Some(value) = &node.value {
            let _ = write!(line, " = {}", without_numbers(value));
        }
        if !node.states.is_empty() {
            let _ = write!(line, " ({})", node.states.join(", "));
        }
        // However many of them there are.
        if name != LIMIT || seen.insert(line.clone()) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn steady_name(name: &str) -> Option<String> {
    // What was looked at of the values depends on how many cores were idle.
    let of_values = ["The array: ", "Histogram of ", "no NaN"];
    if of_values.iter().any(|told| name.starts_with(told)) || name.contains("looked at") {
        return None;
    }
    let told = [
        "\u{a0}% of the time",
        "was the limit",
        "held it back",
        "no single limit",
        "The limit over time",
    ];
    if told.iter().any(|told| name.contains(told)) {
        return Some(LIMIT.to_owned());
    }
    let is_digits = |group: &str| group.len() == 4 && group.chars().all(|digit| digit.is_ascii_hexdigit());
    if name.split(' ').all(is_digits) {
        return Some("CHECKSUM".to_owned());
    }
    let mut text = without_numbers(name);
    for unit in ["kB/s", "MB/s", "GB/s"] {
        text = text.replace(unit, "B/s");
    }
    for unit in ["ns", "µs", "ms"] {
        text = text.replace(&format!("# {unit}"), "# s");
    }
    for month in [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ] {
        text = text.replace(&format!("# {month} #"), "# MONTH #");
    }
    Some(text)
}

fn without_numbers(said: &str) -> String {
    let mut text = String::new();
    for character in said.chars() {
        let is_number = character.is_ascii_digit() || (text.ends_with('#') && matches!(character, '.' | ','));
        if !is_number {
            text.push(character);
        } else if !text.ends_with('#') {
            text.push('#');
        }
    }
    text
}

/// Compares with what is expected, or writes that.
fn is_expected(name: &str, tree: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/window/trees/{name}.txt"));
    if std::env::var_os("ARRAYLIFT_UPDATE_TREES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, tree).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(tree, expected, "{} is not what is said", path.display());
}

/// A window of which a screen reader hears, with the pointer at nothing.
fn opened(session: &Session, left: &str, environment: impl FnOnce(&mut Command)) -> Window {
    let display = std::env::var_os("DISPLAY").unwrap();
    let window = Window::open_in::<&str>(&display, &[], left, |program| {
        program
            .env_remove("WAYLAND_DISPLAY")
            .env("ARRAYLIFT_HISTORY", "off")
            // What was measured of this machine is not known.
            .env("XDG_CACHE_HOME", session.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &session.address);
        environment(program);
    });
    // The corner of the screen.
    window.xdotool(&["mousemove", "99999", "99999"]);
    window
}

#[test]
#[ignore = "needs an X display, xdotool, dbus-daemon and at-spi2-core"]
fn the_window_says_over_at_spi_what_it_shows() {
    let session = Session::start();
    let reader = Reader(session.accessibility());
    let left = r#"(form:(send_to:"127.0.0.1:25000",receive_at:"127.0.0.1:0"))"#;
    let window = opened(&session, left, |_| {});
    let root = reader.window();
    is_expected("first", &reader.settled(&root, "Try this machine"));
    let pages = [
        ("ctrl+n", "Repeat until stopped", "form"),
        ("ctrl+2", "Nothing was compared yet", "compare"),
        ("ctrl+3", "Nothing was measured yet", "round-trips"),
        ("ctrl+4", "Nothing is kept", "history"),
        ("ctrl+comma", "Reduced motion", "settings"),
        ("F1", "Terms", "help"),
    ];
    for (key, part, name) in pages {
        window.key(key);
        is_expected(name, &reader.settled(&root, part));
    }
    window.key("ctrl+1");
    window.key("ctrl+Return");
    window.wait_for_title("done 400 MB at");
    is_expected("transfer", &reader.settled(&root, "Rates over time"));
    window.key("ctrl+k");
    is_expected("palette", &reader.settled(&root, "Command"));
    window.key("Escape");
    window.key("shift+F10");
    is_expected("menu", &reader.settled(&root, "Copy"));
    window.key("Escape");
    window.key("ctrl+q");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool, dbus-daemon and at-spi2-core"]
fn a_window_that_was_asked_to_speak_chinese_says_so_over_at_spi() {
    let session = Session::start();
    let reader = Reader(session.accessibility());
    let window = opened(&session, "()", |program| {
        program.args(["--lang", "zh-CN"]);
    });
    let root = reader.window();
    is_expected("chinese", &reader.settled(&root, "# MB"));
    window.key("ctrl+q");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool, dbus-daemon and at-spi2-core"]
fn a_failure_and_what_was_kept_of_it_in_the_history_are_said_over_at_spi() {
    let session = Session::start();
    let reader = Reader(session.accessibility());
    // Nobody may listen there.
    let left = r#"(form:(to:"1000",endpoint:SendTo,send_to:"127.0.0.1:1"))"#;
    let window = opened(&session, left, |program| {
        program.env_remove("ARRAYLIFT_HISTORY");
    });
    let root = reader.window();
    window.key("ctrl+Return");
    is_expected("failed", &reader.settled(&root, "Nobody listens at"));
    window.key("ctrl+4");
    is_expected("history-entries", &reader.settled(&root, "list item: "));
    window.key("ctrl+q");
    window.closes_with_success();
}

#[test]
#[ignore = "needs an X display, xdotool, dbus-daemon and at-spi2-core"]
fn an_interruption_says_over_at_spi_what_is_at_the_receiver() {
    let mut session = Session::start();
    let reader = Reader(session.accessibility());
    let inbox = tempfile::tempdir().unwrap();
    let mut service = Command::new(env!("CARGO_BIN_EXE_arraylift"))
        .args(["serve", "127.0.0.1:0", "--json", "--into"])
        .arg(inbox.path())
        .env("XDG_RUNTIME_DIR", session.folder.path())
        .env("XDG_DATA_HOME", session.folder.path())
        .env("TMPDIR", session.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stdout.take().unwrap()).lines();
    let told: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let address = told["address"].as_str().unwrap();
    // It ends with the session.
    session.processes.push(service);
    let left = format!(r#"(retries:false,form:(endpoint:SendTo,send_to:"{address}",limit:"20 MB/s"))"#);
    let window = opened(&session, &left, |_| {});
    let root = reader.window();
    window.key("ctrl+Return");
    until(|| {
        let names = std::fs::read_dir(inbox.path()).unwrap().flatten();
        let mut logs = names.filter(|entry| entry.path().extension() == Some(OsStr::new("log")));
        logs.any(|log| log.metadata().is_ok_and(|log| log.len() > 13_000))
            .then_some(())
    });
    let mut service = session.processes.pop().unwrap();
    service.kill().unwrap();
    service.wait().unwrap();
    is_expected("interrupted", &reader.settled(&root, "are at the receiver"));
    window.key("ctrl+q");
    window.closes_with_success();
}
