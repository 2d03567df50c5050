//! Trees over several connections: blocks of large files go over any of them.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Dir, Ended, Process};
use crate::cutting_proxy::{Cut, cutting_proxy};
use crate::part_logs::until_recorded_in;
use crate::trees::{counts, finished, noise, put};

const BYTES: usize = 12_000_000;

fn dir() -> Dir {
    let dir = Dir::new();
    for number in 0..50 {
        put(&dir, format!("src/many/{number}"), noise(100 + number));
    }
    put(&dir, "src/first", noise(BYTES));
    put(&dir, "src/second", noise(BYTES / 2 + 1));
    dir.folder("inbox");
    dir
}

/// Slowly enough that the further connections have joined before the end.
fn send(dir: &Dir, address: &str, options: &str) -> Process {
    let arguments = format!("send src {address} --json {options}");
    dir.arraylift(arguments.split_whitespace()).start()
}

fn assert_same(dir: &Dir) {
    for path in ["first", "second", "many/0", "many/49"] {
        let read = |root: &str| fs::read(dir.path().join(root).join(path)).expect("there");
        assert!(read("src") == read("inbox/src"), "{path}");
    }
}

/// Over how many connections bytes of files were moved, as one end tells.
fn used(ended: &Ended) -> usize {
    let samples = ended.objects().into_iter().filter_map(|event| {
        let bytes = event["stream_bytes"].as_array()?.clone();
        Some(bytes.iter().filter(|bytes| bytes.as_u64() > Some(0)).count())
    });
    samples.max().unwrap_or(1)
}

#[test]
fn blocks_of_large_files_go_over_several_connections_whoever_receives() {
    for receiver in [
        "receive 127.0.0.1:0 --once",
        "receive unix:sock --once",
        "serve 127.0.0.1:0 --keep-free 0",
        "serve 127.0.0.1:0 --keep-free 0 --workers 2",
    ] {
        let dir = dir();
        let (command, options) = receiver.split_once(' ').expect("two words");
        let receiving = dir.listen(command, &format!("{options} --into inbox --json"));
        let sent = send(&dir, &receiving.address, "--streams 3 --limit 20MB/s")
            .wait()
            .done();
        assert_eq!(counts(&sent), [54, 0, 0], "{receiver}");
        // Workers share no listener: a further connection may come to another one, which knows nothing of it.
        let least = if receiver.contains("workers") { 1 } else { 2 };
        assert!(used(&sent) >= least, "{receiver}: {}", used(&sent));
        if command == "serve" {
            receiving.signal(Signal::TERM);
        }
        let received = receiving.wait().done();
        if command == "receive" {
            assert!(used(&received) >= 2, "{receiver}: {}", used(&received));
            assert_eq!(finished(&received)["verified"], true);
        }
        assert_same(&dir);
    }
}

#[test]
fn both_ends_name_the_file_whose_blocks_move_while_others_are_offered() {
    let dir = dir();
    let receiving = dir.listen("receive", "127.0.0.1:0 --once --into inbox --json");
    let sent = send(&dir, &receiving.address, "--streams 3 --limit 20MB/s")
        .wait()
        .done();
    for ended in [sent, receiving.wait().done()] {
        let names = moving(&ended);
        assert!(names.contains(&"src/first".to_owned()), "{names:?}");
    }
}

/// The files that one end has named while they moved.
fn moving(ended: &Ended) -> Vec<String> {
    let events = ended.objects().into_iter();
    events
        .filter_map(|event| Some(event["moving"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn both_ends_in_one_process_take_several_connections_too() {
    let dir = dir();
    let done = dir
        .run("loopback src --into inbox/ --streams 3 --limit 20MB/s --json")
        .done();
    assert!(used(&done) >= 2, "{}", used(&done));
    assert_same(&dir);
}

#[test]
fn a_limit_holds_for_all_connections_together() {
    let dir = dir();
    let receiving = dir.listen("receive", "127.0.0.1:0 --once --into inbox --json");
    let sent = send(&dir, &receiving.address, "--streams 4 --limit 9MB/s")
        .wait()
        .done();
    receiving.wait().done();
    let seconds = finished(&sent)["elapsed_s"].as_f64().expect("a time");
    // 18 MB, but for what a limit lets go at once.
    assert!(seconds >= 1.8, "{seconds}");
    assert_same(&dir);
}

#[test]
fn what_a_killed_end_had_over_several_connections_is_not_sent_again() {
    for killed in ["receiver", "sender"] {
        let dir = dir();
        let listen = || dir.listen("serve", "127.0.0.1:0 --into inbox --json --keep-free 0");
        let service = listen();
        let sender = send(&dir, &service.address, "--streams 4 --limit 8MB/s");
        let service = if killed == "receiver" {
            until_recorded_in(&dir.path().join("inbox/src"), 5);
            service.signal(Signal::KILL);
            service.wait();
            sender.wait().failed(1, &[]);
            listen()
        } else {
            until_recorded_in(&dir.path().join("inbox/src"), 5);
            sender.signal(Signal::KILL);
            sender.wait();
            service
        };
        let sent = send(&dir, &service.address, "--streams 4").wait().done();
        let there = finished(&sent)["resumed_bytes"].as_u64().unwrap_or(0);
        assert!(there >= 5 << 20, "{killed}: {there}");
        assert_eq!(counts(&sent)[2], 0, "{killed}");
        assert_eq!(finished(&sent)["verified"], true, "{killed}");
        service.signal(Signal::TERM);
        service.wait();
        assert_same(&dir);
    }
}

#[test]
fn where_one_of_several_connections_breaks_retry_goes_on_with_an_array_and_with_a_tree() {
    let cuts = [(0, Cut::AtBothEnds), (1, Cut::AtBothEnds), (1, Cut::AtTheReceiver)];
    for (source, (number, cut)) in ["src", "src/first"]
        .into_iter()
        .flat_map(|source| cuts.map(|cut| (source, cut)))
    {
        let dir = dir();
        let receiving = dir.listen("serve", "127.0.0.1:0 --keep-free 0 --into inbox --json");
        let proxy = cutting_proxy(receiving.address.clone(), number, 1_200_000, cut);
        let arguments = format!("send {source} {proxy} --streams 3 --retry=20s --limit 10MB/s --json");
        let sent = dir.arraylift(arguments.split(' ')).start().wait().done();
        let finished = finished(&sent);
        assert!(
            finished["resumed_bytes"].as_u64() > Some(0),
            "{source}, {number}, {cut:?}: {finished}"
        );
        let name = if source == "src" { "src/first" } else { "first" };
        assert!(
            dir.read(&format!("inbox/{name}")) == dir.read("src/first"),
            "{source}, {number}, {cut:?}"
        );
        receiving.signal(Signal::TERM);
        receiving.wait();
    }
}

#[test]
fn a_further_connection_that_loses_blocks_ends_a_tree_within_the_timeout_though_both_ends_have_limits() {
    for cut in [Cut::AtBothEnds, Cut::AtTheReceiver, Cut::Nowhere] {
        let dir = dir();
        let receiving = dir.listen(
            "receive",
            "127.0.0.1:0 --timeout 2s --limit 400MB/s --into inbox --once",
        );
        let through = cutting_proxy(receiving.address.clone(), 1, 1_500_000, cut);
        let begin = Instant::now();
        let sending = send(&dir, &through, "--streams 2 --timeout 2s --limit 10MB/s");
        assert_eq!(sending.wait().status.code(), Some(1));
        assert_eq!(receiving.wait().status.code(), Some(1));
        assert!(begin.elapsed() < Duration::from_secs(15), "{cut:?}");
    }
}
