//! What the real window says over AT-SPI, as a screen reader hears it: the role and the name of each node.
//!
//! The expected trees are in tests/window/trees; `tests/access.sh --update` writes them anew. Numbers stand there as `#`,
//! what the limit of a transfer is as `LIMIT`, and its checksum as `CHECKSUM`: they are others every time.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::*;

const ROOT: &str = "/org/a11y/atspi/accessible/root";

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
}

impl Session {
    fn start() -> Self {
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

/// Reads nodes.
struct Reader(Connection);

impl Reader {
    fn of(&self, node: &Node) -> Proxy<'static> {
        let (name, path) = node.clone();
        Proxy::new(&self.0, name, path, "org.a11y.atspi.Accessible").unwrap()
    }

    fn children(&self, node: &Node) -> Vec<Node> {
        self.of(node).call("GetChildren", &()).unwrap_or_default()
    }

    fn role(&self, node: &Node) -> String {
        let role: u32 = self.of(node).call("GetRole", &()).unwrap_or_default();
        let known = ROLES.iter().find(|(number, _)| *number == role);
        known.map_or_else(|| format!("role {role}"), |(_, name)| (*name).to_owned())
    }

    fn name(&self, node: &Node) -> String {
        let (destination, path) = node.clone();
        let properties = Proxy::new(&self.0, destination, path, "org.freedesktop.DBus.Properties").unwrap();
        let value: zbus::Result<OwnedValue> = properties.call("Get", &("org.a11y.atspi.Accessible", "Name"));
        value.ok().and_then(|value| value.try_into().ok()).unwrap_or_default()
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

    /// A line a node: how deep it is, its role and its name.
    fn tree(&self, node: &Node, depth: usize, lines: &mut Vec<String>) {
        let (role, name) = (self.role(node), self.name(node));
        lines.push(format!("{}{role}: {name}", "  ".repeat(depth)));
        for child in self.children(node) {
            self.tree(&child, depth + 1, lines);
        }
    }

    /// The tree as text, once it has this node and changes no more.
    fn settled(&self, window: &Node, part: &str) -> String {
        let begin = Instant::now();
        let mut before = String::new();
        loop {
            let mut lines = Vec::new();
            self.tree(window, 0, &mut lines);
            let tree = steady(&lines);
            if tree == before && tree.contains(part) {
                return tree;
            }
            assert!(begin.elapsed() < PATIENCE, "no {part} in\n{tree}");
            before = tree;
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// What is the same every time: without numbers, and without what the limit was.
fn steady(lines: &[String]) -> String {
    let mut seen = HashSet::new();
    let mut text = String::new();
    for line in lines {
        let Some(line) = steady_line(line) else { continue };
        // However many of them there are.
        let is_limit = line.ends_with("LIMIT");
        if !is_limit || seen.insert(line.clone()) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn steady_line(line: &str) -> Option<String> {
    let (role, name) = line.split_once(": ").unwrap_or((line, ""));
    // What was looked at of the values depends on how many cores were idle.
    let of_values = ["The array: ", "Histogram of ", "no NaN"];
    if of_values.iter().any(|told| name.starts_with(told)) || name.ends_with("looked at") {
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
        return Some(format!("{role}: LIMIT"));
    }
    let is_digits = |group: &str| group.len() == 4 && group.chars().all(|digit| digit.is_ascii_hexdigit());
    if name.split(' ').all(is_digits) {
        return Some(format!("{role}: CHECKSUM"));
    }
    let mut text = String::new();
    for character in name.chars() {
        let is_number = character.is_ascii_digit() || (text.ends_with('#') && matches!(character, '.' | ','));
        if !is_number {
            text.push(character);
        } else if !text.ends_with('#') {
            text.push('#');
        }
    }
    for unit in ["kB/s", "MB/s", "GB/s"] {
        text = text.replace(unit, "B/s");
    }
    for unit in ["ns", "µs", "ms"] {
        text = text.replace(&format!("# {unit}"), "# s");
    }
    Some(format!("{role}: {text}"))
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

#[test]
#[ignore = "needs an X display, xdotool, dbus-daemon and at-spi2-core"]
fn the_window_says_over_at_spi_what_it_shows() {
    let session = Session::start();
    let reader = Reader(session.accessibility());
    let display = std::env::var_os("DISPLAY").unwrap();
    let left = r#"(form:(send_to:"127.0.0.1:25000",receive_at:"127.0.0.1:0"))"#;
    let window = Window::open_in::<&str>(&display, &[], left, |program| {
        program
            .env_remove("WAYLAND_DISPLAY")
            .env("ARRAYLIFT_HISTORY", "off")
            // What was measured of this machine is not known.
            .env("XDG_CACHE_HOME", session.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &session.address);
    });
    // The corner of the screen: nothing is pointed at.
    window.xdotool(&["mousemove", "99999", "99999"]);
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
