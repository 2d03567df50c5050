//! Several sources in one command: a bounded pool, each job's end told as it happens.

use std::collections::HashSet;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process, names_in};
use crate::floats;

fn receiver(dir: &Dir) -> Process {
    dir.folder("inbox");
    dir.receive("127.0.0.1:0 --into inbox")
}

fn received(dir: &Dir) -> Vec<String> {
    names_in(&dir.path().join("inbox"))
}

/// The names `0.bin` to `COUNT.bin` in a folder, each with bytes of its own.
fn files(dir: &Dir, folder: &str, count: u8, len: usize) {
    dir.folder(folder);
    for index in 0..count {
        dir.write(&format!("{folder}/{index:02}.bin"), vec![index; len]);
    }
}

/// The last counts: done, failed, cancelled, not begun.
fn counts(ended: &Ended) -> [Option<u64>; 4] {
    let objects = ended.objects();
    let jobs = objects.last().expect("counts");
    assert_eq!(jobs["event"], "jobs");
    ["done", "failed", "cancelled", "not_begun"].map(|name| jobs[name].as_u64())
}

/// It failed, with one line for each of these on standard error.
fn complains(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), words.len(), "{lines:?}");
    for (line, words) in lines.iter().zip(words) {
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn options_may_stand_before_between_and_after_what_is_sent_and_where_to() {
    let dir = Dir::new();
    let receiver = receiver(&dir);
    let to = &receiver.address;
    for words in [
        format!("send --no-verify range:0:10 {to}"),
        format!("send range:0:10 --no-verify {to}"),
        format!("send range:0:10 --no-verify range:0:20 --jobs 1 {to}"),
        format!("send range:0:10 {to} --no-verify"),
    ] {
        dir.run(&words).done();
    }
    assert_eq!(received(&dir).len(), 5);
}

#[test]
fn files_ranges_and_patterns_go_in_one_command_and_each_arrives_whole() {
    let dir = Dir::new();
    files(&dir, "runs", 3, 1000);
    dir.folder("runs/deeper");
    dir.write("runs/deeper/not.bin", b"this");
    dir.write("x1.dat", b"one");
    dir.write("x2.dat", b"two");
    dir.write("y.dat", b"three");
    let receiver = receiver(&dir);
    let ended = dir.run(&format!(
        "send runs/*.bin x*.dat y.dat range:0:1e5 {}",
        receiver.address
    ));
    let ended = ended.done();
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.last(), Some(&"7 sent"));
    let mut named: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "range:0:1e5",
            "runs/00.bin",
            "runs/01.bin",
            "runs/02.bin",
            "x1.dat",
            "x2.dat",
            "y.dat"
        ]
    );
    receiver.signal(Signal::INT);
    receiver.wait().done();
    assert_eq!(
        received(&dir),
        ["00.bin", "01.bin", "02.bin", "range.npy", "x1.dat", "x2.dat", "y.dat"]
    );
    assert_eq!(dir.read("inbox/02.bin"), vec![2; 1000]);
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(100_000));
}

#[test]
fn no_more_than_so_many_run_at_once_and_each_end_is_told_when_it_comes() {
    let dir = Dir::new();
    files(&dir, "runs", 12, 300_000);
    let receiver = receiver(&dir);
    let ended = dir
        .run(&format!("send runs/*.bin {} --jobs 3 --json", receiver.address))
        .done();
    assert_eq!(counts(&ended), [12, 0, 0, 0].map(Some));
    let (mut running, mut most, mut sources) = (HashSet::new(), 0, HashSet::new());
    for object in ended.objects() {
        match object["event"].as_str() {
            Some("job") => {
                running.insert(object["transfer"].as_u64());
                sources.insert(object["source"].to_string());
                most = most.max(running.len());
            }
            Some("finished") => assert!(running.remove(&object["transfer"].as_u64()), "{object}"),
            _ => {}
        }
    }
    assert_eq!((running.len(), most, sources.len()), (0, 3, 12));
    receiver.signal(Signal::INT);
    receiver.wait().done();
    assert_eq!(received(&dir).len(), 12);
}

#[test]
fn one_that_fails_is_named_and_concerns_no_other() {
    let dir = Dir::new();
    files(&dir, "runs", 4, 1000);
    let receiver = receiver(&dir);
    let ended = dir.run(&format!(
        "send runs/00.bin missing.bin runs/01.bin {} --json",
        receiver.address
    ));
    assert_eq!(counts(&ended), [2, 1, 0, 0].map(Some));
    complains(&ended, &["missing.bin: there is no file", "1 of 3 were not sent"]);
    receiver.signal(Signal::INT);
    receiver.wait().done();
    assert_eq!(received(&dir), ["00.bin", "01.bin"]);
}

#[test]
fn where_nobody_listens_the_rest_is_not_tried() {
    let dir = Dir::new();
    files(&dir, "runs", 50, 10);
    let ended = dir.run("send runs/*.bin unix:nobody --jobs 1 --json");
    assert_eq!(counts(&ended), [0, 1, 0, 49].map(Some));
    complains(&ended, &["runs/00.bin: nobody listens", "50 of 50 were not sent"]);
}

#[test]
fn a_signal_ends_those_that_run_and_the_others_never_begin() {
    let dir = Dir::new();
    files(&dir, "runs", 6, 20_000_000);
    let receiver = receiver(&dir);
    let arguments = [
        "send",
        "runs/*.bin",
        &receiver.address,
        "--jobs",
        "2",
        "--limit",
        "4MB/s",
        "--json",
    ];
    let mut sending = dir.arraylift(arguments).start();
    loop {
        let object: Json = serde_json::from_str(&sending.line()).expect("an object");
        if object["event"] == "sample" {
            break;
        }
    }
    sending.signal(Signal::INT);
    let ended = sending.wait();
    assert_eq!(counts(&ended), [0, 0, 2, 4].map(Some));
    ended.failed(1, &["cancelled"]);
    receiver.signal(Signal::INT);
    receiver.wait();
    assert!(received(&dir).is_empty(), "{:?}", received(&dir));
}

#[test]
fn what_makes_no_sense_for_several_is_wrong_usage() {
    let dir = Dir::new();
    dir.write("a", b"a");
    for (arguments, word) in [
        ("send a a localhost:1 --offset 1", "--offset"),
        ("send *.npy localhost:1", "names no file"),
        ("send [a localhost:1", "no pattern"),
        ("send - a - localhost:1", "once"),
        ("send a a", "HOST:PORT"),
        ("send a a localhost:1 --jobs 0", "--jobs"),
    ] {
        dir.run(arguments).failed(2, &[word]);
    }
}
