//! A disk that takes its time holds up nobody but those who wait for it: the thread that accepts, hears signals and
//! receives asks it for nothing but what a chunk of bytes needs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Arraylift, Dir, Ended, Process, names_in};
use crate::peers::{native_offer, say};
use crate::serve::{drained, until};
use crate::workers::{kill, workers};

/// `strace(1)` over the binary, which is what is started: strace is a grandchild of it.
fn traced(dir: &Dir, options: &[&str], arguments: &str) -> Arraylift {
    let mut strace = Command::new("strace");
    // The history is kept on disk by a thread of its own.
    strace.args(["-D", "-f", "-E", "ARRAYLIFT_HISTORY=off"]).args(options);
    strace
        .arg(env!("CARGO_BIN_EXE_arraylift"))
        .args(arguments.split_whitespace());
    dir.program(strace)
}

/// A service for which each of these system calls takes so much longer.
fn with_slow(call: &str, seconds: u32, dir: &Dir, options: &str) -> Process {
    dir.folder("inbox");
    let options = format!("serve 127.0.0.1:0 --into inbox --json --keep-free 0 --timeout 1s {options}");
    let (trace, inject) = (
        format!("trace={call}"),
        format!("inject={call}:delay_enter={seconds}000000"),
    );
    traced(dir, &["-o", "/dev/null", "-e", &trace, "-e", &inject], &options).listening()
}

/// Waits until the service has answered somebody who speaks another version.
fn ask(address: &str) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(b"ARLIFT\x09\x00").expect("it listens");
    stream.read_exact(&mut [0; 8]).expect("an answer");
}

/// Waits until a file is made, which has no length yet.
fn until_it_is_made(dir: &Dir) {
    while names_in(&dir.path().join("inbox")).is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn events(ended: &Ended) -> Vec<String> {
    let name = |object: &Json| object["event"].as_str().unwrap_or_default().to_owned();
    ended.objects().iter().map(name).collect()
}

const HOW: [&str; 2] = ["", "--workers 1"];

#[test]
#[ignore = "needs strace"]
fn strace_who_connects_is_answered_while_another_waits_for_the_disk() {
    // What is slow, and what is told before: a file gets its length as it is made, and its space as bytes come.
    for (call, before) in [
        ("ftruncate", "state"),
        ("fallocate", "started"),
        ("renameat2", "started"),
    ] {
        for how in HOW {
            let dir = Dir::new();
            let mut service = with_slow(call, 2, &dir, how);
            // Keep-alives come meanwhile, or it would give up.
            let send = format!("send range:0:1_000_000 {} --timeout 1s", service.address);
            let sender = dir.arraylift(send.split_whitespace()).start();
            until(&mut service, before);
            for _ in 0..10 {
                ask(&service.address);
            }
            dir.run("status").done();
            sender.wait().done();
            let ended = drained(service);
            assert!(ended.status.success(), "{call} {how}: {ended:?}");
            let events = events(&ended);
            let finished = events.iter().position(|event| event == "finished").expect("it came");
            let answered = events[..finished].iter().filter(|event| *event == "stranger").count();
            assert_eq!(answered, 10, "{call} {how}: {events:?}");
            assert_eq!(names_in(&dir.path().join("inbox")), ["range.npy"]);
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn strace_a_service_that_is_stopped_while_a_file_is_made_leaves_none() {
    for how in HOW {
        let dir = Dir::new();
        let service = with_slow("ftruncate", 8, &dir, how);
        let sender = dir.arraylift(["send", "range:0:1000", &service.address]).start();
        until_it_is_made(&dir);
        service.signal(Signal::TERM);
        // Two that come together are one ask; a service with workers asks them one after the other.
        std::thread::sleep(Duration::from_secs(1));
        service.signal(Signal::INT);
        sender.wait().failed(1, &["stopped"]);
        let ended = service.wait();
        let events = events(&ended);
        assert!(!events.contains(&"started".into()), "{how}: {ended:?}");
        assert!(events.contains(&"cancelled".into()), "{how}: {ended:?}");
        // A worker is killed in the end, in the middle of it.
        let left = names_in(&dir.path().join("inbox"));
        assert!(left.is_empty(), "{how}: {left:?}");
    }
}

#[test]
#[ignore = "needs strace"]
fn strace_a_worker_that_is_killed_before_it_has_told_of_its_file_leaves_none() {
    let dir = Dir::new();
    let mut service = with_slow("ftruncate", 8, &dir, "--workers 1");
    let there = workers(&mut service, 1);
    let sender = dir.arraylift(["send", "range:0:1000", &service.address]).start();
    until_it_is_made(&dir);
    kill(there[0]);
    assert_eq!(until(&mut service, "worker_gone")["transfers"], 1);
    sender.wait().failed(1, &[]);
    drained(service);
    let left = names_in(&dir.path().join("inbox"));
    assert!(left.is_empty(), "{left:?}");
}

/// What a chunk of bytes needs. Before each one it is asked whether the file is as long as it was; a file that is mapped
/// has a second descriptor, for which its file system is not asked. Where strace was interrupted within that call, the rest
/// of it is a line that does not say what was asked, which the first one does.
const OF_CHUNKS: [&str; 7] = [
    "AT_EMPTY_PATH",
    " F_DUPFD_CLOEXEC",
    "<... fcntl resumed>",
    " splice(",
    " pread64(",
    " pwrite64(",
    " mmap(",
];

/// Of what strace wrote, the calls of other threads than those that are there for the disk.
fn calls_on_the_disk(trace: &str) -> Vec<&str> {
    let is_of_disk = |line: &&str| line.contains("/inbox") || line.contains("\"inbox");
    let may = |line: &&str| line.contains("<arraylift-sync>") || line.contains("<arraylift-remo>");
    let is_of_chunk = |line: &&str| OF_CHUNKS.iter().any(|call| line.contains(call));
    let calls = trace.lines().filter(is_of_disk);
    calls.filter(|line| !may(line) && !is_of_chunk(line)).collect()
}

#[test]
#[ignore = "needs strace"]
fn strace_the_thread_that_receives_asks_the_disk_for_nothing_but_to_take_bytes() {
    for how in ["", "--no-sync", "--workers 1", "--receive-route map"] {
        let dir = Dir::new();
        dir.folder("inbox");
        let options = ["-Y", "-y", "-o", "trace", "-e", "trace=%file,%desc"];
        let arguments = format!("serve 127.0.0.1:0 --into inbox --json --keep-free 0 --max-bytes 100MB {how}");
        let service = traced(&dir, &options, &arguments).listening();
        // What a worker does before the first array is its start.
        dir.run(&format!("send range:0:10 {}", service.address)).done();
        let before = dir.read("trace").len();
        for sent in ["range:0:1000", "range:0:10_000_000", "range:0:2_000_000 --streams 3"] {
            dir.run(&format!("send {sent} {}", service.address)).done();
        }
        say(&service.address, &native_offer("half.npy", 1000));
        dir.run(&format!("send range:0:20_000_000 {}", service.address))
            .failed(1, &["100 MB"]);
        let ended = drained(service);
        assert!(ended.status.success(), "{how}: {ended:?}");
        let trace = dir.read("trace");
        let trace = String::from_utf8_lossy(&trace[before..]);
        // Beside their logs.
        let is_made = |line: &&str| line.contains("O_EXCL") && !line.contains(".part.log");
        let made = trace.lines().filter(is_made).count();
        assert_eq!(made, 4, "{how}: {trace}");
        let calls = calls_on_the_disk(&trace);
        assert!(calls.is_empty(), "{how}: {}", calls.join("\n"));
        assert_eq!(names_in(&dir.path().join("inbox")).len(), 4, "{how}");
    }
}

#[test]
#[ignore = "needs strace"]
fn strace_where_files_are_memory_the_thread_that_receives_small_ones_does_all_itself() {
    for how in ["", "--no-sync", "--workers 1", "--receive-route map"] {
        let dir = Dir::new();
        let memory = tempfile::Builder::new().prefix("inbox").tempdir_in("/dev/shm");
        let memory = memory.expect("shared memory");
        let inbox = memory.path().display();
        let options = ["-Y", "-y", "-o", "trace", "-e", "trace=%file,%desc"];
        let arguments = format!("serve 127.0.0.1:0 --into {inbox} --json --keep-free 0 {how}");
        let service = traced(&dir, &options, &arguments).listening();
        for sent in ["range:0:1000", "range:0:200_000", "range:0:100_000 --streams 3"] {
            dir.run(&format!("send {sent} {}", service.address)).done();
        }
        say(&service.address, &native_offer("half.npy", 1000));
        let ended = drained(service);
        assert!(ended.status.success(), "{how}: {ended:?}");
        let trace = dir.read("trace");
        let trace = String::from_utf8_lossy(&trace);
        // Beside their logs.
        let is_made = |line: &&str| line.contains("O_EXCL") && !line.contains(".part.log");
        let made = trace.lines().filter(is_made).count();
        assert_eq!(made, 4, "{how}: {trace}");
        // A service looks through the folder once for what a worker that has gone may have left.
        let is_of_file = |line: &&str| line.contains("/inbox") && line.contains(".npy");
        let is_by_others = |line: &&str| is_of_file(line) && line.contains("<arraylift-sync>");
        let by_others: Vec<&str> = trace.lines().filter(is_by_others).collect();
        assert!(by_others.is_empty(), "{how}: {}", by_others.join("\n"));
        assert_eq!(names_in(memory.path()).len(), 3, "{how}");
    }
}
