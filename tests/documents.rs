//! The pages for people: their links and paths lead somewhere, the commands and options that they name are those of the
//! binary, and their programs for NumPy run.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why and fails")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

/// What needs more room belongs in `docs/`.
const README_LINES_MAX: usize = 150;

#[test]
fn every_link_leads_to_a_file_and_every_anchor_to_a_heading() {
    let mut dead = Vec::new();
    for page in pages() {
        let folder = page.parent().expect("a page is in a folder");
        for link in links(&read(&page)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                folder.join(path)
            };
            let is_there = target.exists() && (anchor.is_empty() || anchors(&read(&target)).contains(anchor));
            if !is_there {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn every_path_that_the_pages_name_exists() {
    let mut missing = Vec::new();
    for page in pages() {
        let text = read(&page);
        let paths = prose(&text)
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .filter(|code| {
                let is_path = ["src/", "tests/", "docs/", "examples/", "assets/"]
                    .iter()
                    .any(|root| code.starts_with(root));
                is_path && code.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
            });
        let absent = paths.filter(|path| !root().join(path).exists());
        missing.extend(absent.map(|path| format!("{}: {path}", page.display())));
    }
    assert!(missing.is_empty(), "paths that do not exist:\n{}", missing.join("\n"));
}

#[test]
fn the_readme_is_short() {
    let lines = read(&root().join("README.md")).lines().count();
    assert!(
        lines <= README_LINES_MAX,
        "{lines} lines, of at most {README_LINES_MAX}"
    );
}

#[test]
fn the_pages_name_commands_that_the_binary_has() {
    let commands = commands();
    let unknown: Vec<String> = pages()
        .iter()
        .flat_map(|page| {
            let named = commands_named(&read(page));
            let unknown = named.into_iter().filter(|name| !commands.contains(name));
            unknown.map(|name| format!("{}: arraylift {name}", page.display()))
        })
        .collect();
    assert!(unknown.is_empty(), "{unknown:?} of {commands:?}");
}

#[test]
fn the_manual_has_every_command_and_every_long_option() {
    let manual = read(&root().join("docs/manual.md"));
    let named = commands_named(&manual);
    let described = options(&manual);
    let lacks = |what: &str, help: &str| -> Vec<String> {
        let missing = options(help);
        let missing = missing.difference(&described);
        missing.map(|option| format!("{what} {option}")).collect()
    };
    let mut missing = lacks("arraylift", &arraylift(&["--help"]));
    for command in commands() {
        if !named.contains(&command) {
            missing.push(format!("arraylift {command}"));
        }
        missing.extend(lacks(&command, &arraylift(&["help", &command])));
    }
    assert!(missing.is_empty(), "the manual lacks {missing:?}");
}

/// `src/cli/json.rs` holds the table of events to those that the program has.
#[test]
fn every_event_of_the_manual_has_an_example_and_every_field_of_an_example_its_name_in_the_text() {
    let manual = read(&root().join("docs/manual.md"));
    let (_, section) = manual.split_once("\n## JSON events\n").expect("the section");
    let named = |line: &str| -> Vec<String> { line.split('`').skip(1).step_by(2).map(String::from).collect() };
    let table = section.split("\n#").next().unwrap_or_default();
    let events = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    let events: BTreeSet<String> = events.flat_map(named).collect();
    let (mut shown, mut fields) = (BTreeSet::new(), BTreeSet::from(["event".to_owned()]));
    for line in section.lines().filter(|line| line.starts_with('{')) {
        let object: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        shown.insert(object["event"].as_str().expect("an event").to_owned());
        collect_fields(&object, &mut fields);
    }
    assert_eq!(events, shown);
    // The columns of a comparison name theirs where they are explained.
    let described: BTreeSet<String> = prose(&manual).flat_map(named).collect();
    let missing: Vec<_> = fields.difference(&described).collect();
    assert!(missing.is_empty(), "the manual does not say what {missing:?} are");
}

/// The names of all fields, at whatever depth.
fn collect_fields(value: &Json, into: &mut BTreeSet<String>) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                into.insert(name.clone());
                collect_fields(value, into);
            }
        }
        Json::Array(values) => values.iter().for_each(|value| collect_fields(value, into)),
        _ => {}
    }
}

/// Arrays that not every way of looking at memory takes: types without a format of their own, Fortran order, no elements,
/// and a header of more characters than NumPy reads unasked.
const ARRAYS: [&str; 8] = [
    "numpy.arange(1000.0)",
    "numpy.arange(12).reshape(3, 4).astype('>i4', order='F')",
    "numpy.zeros((0, 3))",
    "numpy.zeros((3, 0), 'f4', order='F')",
    "numpy.arange(12).astype('M8[s]').reshape(3, 4)",
    "numpy.ones(5, [('a', 'm8[ns]'), ('b', 'U3'), ('c', '>c8')])",
    "numpy.ones(2, [(f'field {i}', 'f8') for i in range(700)])",
    "numpy.full((), 7, 'c16')",
];

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_programs_of_the_npy_wire_move_every_array() {
    let [save, load] = programs("### The npy wire");
    for array in ARRAYS {
        let folder = numpy_file(array);
        let file = fs::read(folder.path().join("a.npy")).expect("NumPy has saved it");
        let mut receiver = Command::new(env!("CARGO_BIN_EXE_arraylift"))
            .args(["receive", "127.0.0.1:0", "--once", "--into", "b.npy"])
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut said = String::new();
        let mut output = BufReader::new(receiver.stdout.take().expect("piped"));
        output.read_line(&mut said).expect("its address");
        let port = said.trim().rsplit(':').next().expect("a port");
        let save = save.replace("25000", port).replace("numpy.arange(50_000_000.0)", array);
        succeed(python(&folder, &save));
        succeed(receiver);
        assert!(
            fs::read(folder.path().join("b.npy")).expect("received") == file,
            "{array}"
        );

        let (load, address) = on_free_port(&load);
        send_to(&folder, &address, &load, "--wire npy");
        assert!(fs::read(folder.path().join("c.npy")).expect("saved") == file, "{array}");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_program_of_the_raw_wire_fills_every_array() {
    let [program] = programs("### The raw wire");
    for array in ARRAYS {
        let folder = numpy_file(array);
        let made = format!("numpy.zeros_like({array})");
        let (program, address) = on_free_port(&program.replace("numpy.zeros(50_000_000)", &made));
        send_to(&folder, &address, &program, "--wire raw");
        let [sent, filled] = ["a.npy", "c.npy"].map(|name| fs::read(folder.path().join(name)).expect("a file"));
        assert!(sent == filled, "{array}");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_program_that_is_handed_memory_has_every_array() {
    let [program] = programs("### Without moving a byte");
    for array in ARRAYS {
        let folder = numpy_file(array);
        let address = format!("unix:{}", folder.path().join("arrays").display());
        send_to(&folder, &address, &program, "--send-route handoff");
        let same = "a, c = numpy.load('a.npy', max_header_size=10**6), numpy.load('c.npy', max_header_size=10**6)\n\
                    assert a.dtype == c.dtype and a.tobytes('A') == c.tobytes()";
        succeed(python(&folder, &format!("import numpy\n{same}")));
    }
}

/// A folder in which NumPy has saved that array as `a.npy`.
fn numpy_file(array: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    succeed(python(&folder, &format!("import numpy\nnumpy.save('a.npy', {array})")));
    folder
}

/// Runs a program that takes an array as `a`, and sends it `a.npy`; it saves what it got as `c.npy`.
fn send_to(folder: &tempfile::TempDir, address: &str, program: &str, options: &str) {
    let receiver = python(folder, &format!("{program}\nnumpy.save('c.npy', a)\n"));
    let send = || {
        Command::new(env!("CARGO_BIN_EXE_arraylift"))
            .args(["send", "a.npy", address])
            .args(options.split(' '))
            .current_dir(folder)
            .output()
            .expect("the binary runs")
    };
    // Until the program listens.
    wait_until(|| send().status.success());
    succeed(receiver);
}

/// A program that listens on port 25000, on a free one in place of it; and its address.
fn on_free_port(program: &str) -> (String, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    (
        program.replace("25000", &address.port().to_string()),
        address.to_string(),
    )
}

/// The Python programs under a heading of the manual.
fn programs<const N: usize>(heading: &str) -> [String; N] {
    let manual = read(&root().join("docs/manual.md"));
    let (_, section) = manual.split_once(&format!("{heading}\n")).expect("the heading");
    let section = section.split("\n#").next().unwrap_or_default();
    let programs = section.split("```python\n").skip(1).map(|rest| {
        let (program, _) = rest.split_once("```").expect("an end");
        program.to_owned()
    });
    let programs: Vec<String> = programs.collect();
    programs
        .try_into()
        .unwrap_or_else(|other| panic!("{heading}: {other:?}"))
}

/// A program in the Python of the tests, with this folder as its own and as that of its sockets.
fn python(folder: &tempfile::TempDir, program: &str) -> Child {
    let python = std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set");
    Command::new(python)
        .args(["-c", program])
        .current_dir(folder)
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .spawn()
        .expect("Python runs")
}

#[track_caller]
fn succeed(mut child: Child) {
    assert!(child.wait().expect("it ends").success());
}

#[track_caller]
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 30, "it takes too long");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn links_are_read_outside_of_code_alone() {
    let text = "# A `b`, C's d\n[x](y.md#z) `[no](no.md)` ![p](q.png)\n```\n[no](no.md)\n# no\n```\n    [no](no.md)\n# A b, Cs d\n";
    assert_eq!(links(text), ["y.md#z", "q.png"]);
    assert_eq!(
        anchors(text),
        ["a-b-cs-d", "a-b-cs-d-1"].map(String::from).into_iter().collect()
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages at the top level and in `docs/`.
fn pages() -> Vec<PathBuf> {
    let pages: Vec<PathBuf> = [root().to_owned(), root().join("docs")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of pages"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    assert!(pages.len() >= 8, "{pages:?}");
    pages
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence && !line.starts_with("    ")
    })
}

/// The targets of links and pictures.
fn links(text: &str) -> Vec<String> {
    prose(text)
        .flat_map(|line| {
            // What is between a pair of backticks is code.
            let words: String = line.split('`').step_by(2).collect();
            let targets = words
                .split("](")
                .skip(1)
                .map(|rest| rest.split(')').next().unwrap_or_default().to_owned());
            targets.collect::<Vec<_>>()
        })
        .collect()
}

/// What links to headings can say, as GitHub makes it.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let count = seen.entry(anchor.clone()).or_default();
            *count += 1;
            match *count {
                1 => anchor,
                several => format!("{anchor}-{}", several - 1),
            }
        })
        .collect()
}

/// The word after each `arraylift ` that could be a command: small letters alone.
fn commands_named(text: &str) -> BTreeSet<String> {
    let words = text.split("arraylift ").skip(1);
    words
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
            let (word, rest) = rest.split_at(end);
            let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || "./_-".contains(c));
            (!word.is_empty() && !goes_on).then(|| word.to_owned())
        })
        .collect()
}

/// Everything that has the form of a long option.
fn options(text: &str) -> BTreeSet<String> {
    let pieces = text.split("--").skip(1);
    pieces
        .map(|rest| {
            rest.split(|c: char| !c.is_ascii_lowercase() && c != '-')
                .next()
                .unwrap_or_default()
        })
        .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(|name| format!("--{name}"))
        .collect()
}

/// The commands that `arraylift --help` lists.
fn commands() -> BTreeSet<String> {
    let help = arraylift(&["--help"]);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: BTreeSet<String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .map(String::from)
        .collect();
    assert!(commands.contains("send"), "{commands:?}: {help}");
    commands
}

/// What the binary prints.
fn arraylift(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_arraylift"))
        .args(arguments)
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
