//! Many small files cost few threads and few system calls each, at both ends.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Arraylift, Dir, PATIENCE, names_in};
use crate::trees::put;

const FILES: usize = 200;
/// The calls that start a thread.
const STARTS: [&str; 2] = ["clone", "clone3"];
/// Calls that come by how threads take turns, which is the system's business.
const TURNS: [&str; 3] = ["futex", "sched_yield", "restart_syscall"];

/// `strace(1)` over the binary, which counts its calls into this file.
fn counted(dir: &Dir, counts: &str, arguments: &str) -> Arraylift {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-c", "-o", counts]);
    strace
        .arg(env!("CARGO_BIN_EXE_arraylift"))
        .args(arguments.split_whitespace());
    dir.program(strace)
}

/// How often each call was made. `%TIME SECONDS USECS/CALL CALLS [ERRORS] NAME`, between two lines of dashes.
fn counts(dir: &Dir, name: &str) -> Vec<(String, usize)> {
    let text = written(dir, name);
    let lines = text.lines().skip_while(|line| !line.starts_with("---")).skip(1);
    let lines = lines.take_while(|line| !line.starts_with("---"));
    let count = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let calls = fields.get(3)?.parse().ok()?;
        Some(((*fields.last()?).to_owned(), calls))
    };
    lines.filter_map(count).collect()
}

/// What strace writes when the program that it counts has ended.
fn written(dir: &Dir, name: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(dir.path().join(name)).unwrap_or_default();
        if text.ends_with("total\n") {
            return text;
        }
        assert!(Instant::now() < deadline, "{name}: {text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Of these counts, those of the calls that are named, and those of all others.
fn split(counts: &[(String, usize)], named: &[&str]) -> (usize, usize) {
    let is_named = |call: &&(String, usize)| named.contains(&call.0.as_str());
    let sum = |counts: &mut dyn Iterator<Item = &(String, usize)>| counts.map(|(_, calls)| calls).sum();
    (
        sum(&mut counts.iter().filter(is_named)),
        sum(&mut counts.iter().filter(|call| !is_named(call))),
    )
}

#[test]
#[ignore = "needs strace"]
fn strace_many_small_files_take_few_threads_and_few_system_calls() {
    let dir = Dir::new();
    let source = dir.folder("source");
    for number in 0..FILES {
        std::fs::write(source.join(format!("{number}.bin")), vec![7; 10_000]).expect("written");
    }
    dir.folder("inbox");
    let receiver = counted(&dir, "received", "receive 127.0.0.1:0 --into inbox --json").listening();
    let send = format!("send source/*.bin {} --jobs 4 --preview 0", receiver.address);
    counted(&dir, "sent", &send).run().done();
    receiver.signal(Signal::TERM);
    receiver.wait();
    assert_eq!(names_in(&dir.path().join("inbox")).len(), FILES);
    for (end, calls_max) in [("sent", 80), ("received", 100)] {
        let counts = counts(&dir, end);
        let (starts, _) = split(&counts, &STARTS);
        // Two threads a file would be twice as many as there are files.
        assert!(starts > 4 && starts < FILES / 2, "{end}: {counts:?}");
        let (_, calls) = split(&counts, &TURNS);
        assert!(calls < calls_max * FILES, "{end}: {calls} of {counts:?}");
    }
}

#[test]
#[ignore = "needs strace"]
fn strace_a_folder_of_small_files_takes_one_connection_few_threads_and_few_syncs() {
    let dir = Dir::new();
    for number in 0..FILES {
        put(&dir, format!("source/{}/{number}", number % 10), vec![7; 10_000]);
    }
    dir.folder("inbox");
    let receiver = counted(&dir, "received", "receive 127.0.0.1:0 --into inbox --json").listening();
    let send = format!("send source {}", receiver.address);
    counted(&dir, "sent", &send).run().done();
    receiver.signal(Signal::TERM);
    receiver.wait();
    assert_eq!(names_in(&dir.path().join("inbox/source/9")).len(), FILES / 10);
    let (sent, received) = (counts(&dir, "sent"), counts(&dir, "received"));
    for counts in [&sent, &received] {
        let ((starts, _), (_, calls)) = (split(counts, &STARTS), split(counts, &TURNS));
        assert!(starts < 20 && calls < 20 * FILES, "{starts} and {calls} of {counts:?}");
    }
    let calls = |name| split(&received, &[name]).0;
    // One that came, and one that found nobody.
    assert!(calls("accept4") <= 3, "{received:?}");
    // Two for each batch, and some at the end. What a test's own disk is may have none.
    assert!(calls("syncfs") <= 20 && calls("fsync") <= 20, "{received:?}");
    assert!(calls("linkat") >= FILES, "{received:?}");
}
