//! What is done is on disk, or it is said that it is not; and what a disk refuses is no array that is done.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Arraylift, Dir, Ended, Process, names_in};
use crate::floats;
use crate::sandbox::{Refused, refused};
use crate::serve::drained;
use crate::signals::until_bytes_move;

/// The last object of that event, and of the receiver where it says whose it is.
fn told(ended: &Ended, event: &str) -> Json {
    let mut objects = ended.objects().into_iter();
    let of_receiver = |object: &Json| object["event"] == event && object["side"] == "receiver";
    let last = objects.rfind(of_receiver);
    last.unwrap_or_else(|| panic!("no {event} in {ended:?}"))
}

/// A process for which no `fsync` works.
fn without_fsync(start: impl FnOnce() -> Process + Send) -> Process {
    refused(&[Refused::with(libc::SYS_fsync, libc::EIO)], start)
}

/// A web server of one file, which answers once.
fn web_server(bytes: Vec<u8>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = move || {
        let (mut peer, _) = listener.accept().expect("it comes");
        let mut asked = [0; 4096];
        let _ = peer.read(&mut asked).expect("it asks");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        peer.write_all(head.as_bytes()).expect("it listens");
        peer.write_all(&bytes).expect("it listens");
        let _ = peer.read(&mut asked);
    };
    let thread = std::thread::Builder::new().name("server".into()).spawn(serve);
    (format!("http://{address}/a.bin"), thread.expect("a thread"))
}

#[test]
fn what_is_done_is_on_disk_or_it_is_said_that_it_is_not() {
    let dir = Dir::new();
    dir.write("there.bin", vec![0; 80_000]);
    for (options, durable) in [
        ("--into a.npy", Json::Bool(true)),
        ("--into b.bin --streams 4", Json::Bool(true)),
        ("--into there.bin --at 0", Json::Bool(true)),
        ("--into .", Json::Bool(true)),
        ("--into c.npy --no-sync", Json::Bool(false)),
        ("--into there.bin --at 0 --no-sync", Json::Bool(false)),
        ("--into memory", Json::Null),
        ("--into discard", Json::Null),
        ("--into memory --no-sync", Json::Null),
    ] {
        let ended = dir.run(&format!("loopback range:0:10_000 --json {options}")).done();
        assert_eq!(told(&ended, "finished")["durable"], durable, "{options}");
    }
    for (options, words) in [
        ("", "d.npy, on disk (the last "),
        (" --no-sync", "e.npy, not synced to disk"),
    ] {
        let into = words.split(',').next().expect("a name");
        let ended = dir.run(&format!("loopback range:0:10 --into {into}{options}")).done();
        assert!(ended.stdout.contains(&format!(", written to {words}")), "{ended:?}");
    }
}

#[test]
fn whoever_receives_says_that_it_is_on_disk() {
    let dir = Dir::new();
    dir.folder("inbox");
    for options in ["", "--workers 1"] {
        let service = dir.listen("serve", &format!("127.0.0.1:0 --into inbox --json {options}"));
        for sent in ["range:0:10", "range:0:2_000_000 --streams 3"] {
            dir.run(&format!("send {sent} {}", service.address)).done();
        }
        let ended = drained(service).done();
        let finished: Vec<Json> = ended
            .objects()
            .into_iter()
            .filter(|o| o["event"] == "finished")
            .collect();
        assert_eq!(finished.len(), 2, "{ended:?}");
        assert!(finished.iter().all(|o| o["durable"] == true), "{finished:?}");
    }
    let service = dir.listen("serve", "127.0.0.1:0 --into inbox --json --workers 1 --no-sync");
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    assert_eq!(told(&drained(service).done(), "finished")["durable"], false);

    let (url, server) = web_server(floats(100_000));
    let fetch = dir.arraylift(["fetch", &url, "--json"]).env("NO_PROXY", "127.0.0.1");
    assert_eq!(told(&fetch.run().done(), "finished")["durable"], true);
    server.join().expect("it answered");
    assert_eq!(dir.read("a.bin"), floats(100_000));
}

#[test]
fn what_the_disk_refuses_fails_at_both_ends_stays_as_a_part_and_the_receiver_goes_on() {
    for (command, streams) in [
        ("receive 127.0.0.1:0", ""),
        ("serve 127.0.0.1:0", ""),
        ("serve 127.0.0.1:0 --workers 1", ""),
        ("serve 127.0.0.1:0", "--streams 4"),
    ] {
        let dir = Dir::new();
        let inbox = dir.folder("inbox");
        let arguments = format!("{command} --into inbox --json");
        let receiver = without_fsync(|| {
            dir.arraylift(arguments.split_whitespace())
                .without_history()
                .listening()
        });
        for parts in 1..=2 {
            let send = format!("send range:0:1_000_000 {} {streams}", receiver.address);
            dir.run(&send).failed(1, &["its disk took not all of it", "error"]);
            let names = names_in(&inbox);
            assert_eq!(names.len(), parts, "{command}: {names:?}");
            assert!(names.iter().all(|name| name.contains(".part")), "{names:?}");
        }
        let ended = drained(receiver);
        let message = told(&ended, "failed")["message"].to_string();
        let name = names_in(&inbox).remove(1);
        assert!(
            message.contains("is not on disk") && message.contains(".part"),
            "{message}"
        );
        assert_eq!(
            dir.read(&format!("inbox/{name}"))[128..],
            floats(1_000_000),
            "all that came is kept"
        );

        // What is kept is in nobody's way.
        let receiver = dir.listen("serve", "127.0.0.1:0 --into inbox --json");
        dir.run(&format!("send range:0:1_000_000 {}", receiver.address)).done();
        drained(receiver);
        assert_eq!(dir.read("inbox/range.npy")[128..], floats(1_000_000));
    }
}

#[test]
fn what_the_disk_refuses_of_a_fetch_or_of_a_part_of_a_file_is_an_error() {
    let dir = Dir::new();
    let (url, server) = web_server(floats(100_000));
    // What is refused is refused to the history, too.
    let fetch = dir
        .arraylift(["fetch", &url])
        .env("NO_PROXY", "127.0.0.1")
        .without_history();
    without_fsync(|| fetch.start())
        .wait()
        .failed(1, &["a.bin", ".part is not on disk", "check the disk"]);
    server.join().expect("it answered");
    let names = dir.names();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(dir.read(&names[0]), floats(100_000));

    dir.write("there.bin", vec![0; 80_000]);
    let within = "loopback range:0:10_000 --into there.bin --at 0 --no-history";
    without_fsync(|| dir.arraylift(within.split_whitespace()).without_history().start())
        .wait()
        .failed(1, &["there.bin is not on disk", "are overwritten already"]);
    // Without a sync there is nothing that could fail.
    without_fsync(|| {
        dir.arraylift("loopback range:0:10 --into b.npy --no-sync".split_whitespace())
            .without_history()
            .start()
    })
    .wait()
    .done();
}

/// So much longer an `fsync` takes in [`with_slow_fsync`].
const FSYNC_TAKES: Duration = Duration::from_secs(1);

/// A process whose every `fsync` takes longer.
fn with_slow_fsync(dir: &Dir, arguments: &str) -> Arraylift {
    with_slow(dir, "fsync", FSYNC_TAKES, arguments)
}

/// A process whose every call of that name takes so much longer, in which it sleeps.
fn with_slow(dir: &Dir, call: &str, longer: Duration, arguments: &str) -> Arraylift {
    let mut strace = Command::new("strace");
    // `-D`: what is started is the program, and strace a grandchild of it.
    strace
        // The history is put on disk, too.
        .args(["-D", "-f", "-E", "ARRAYLIFT_HISTORY=off", "-o", "/dev/null"])
        .args(["-e", &format!("trace={call}"), "-e"])
        .arg(format!("inject={call}:delay_enter={}", longer.as_micros()))
        .arg(env!("CARGO_BIN_EXE_arraylift"))
        .args(arguments.split_whitespace());
    dir.program(strace)
}

/// Reads objects until the array is whole and waits for the disk.
fn until_it_verifies(process: &mut Process) {
    loop {
        let line = process.line();
        let object: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        if object["state"] == "verifying" && object["side"] == "receiver" {
            return;
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn strace_what_is_cancelled_while_the_disk_is_waited_for_gets_no_name() {
    let cancelled = |dir: &Dir, mut process: Process, sender: Option<Process>| {
        until_it_verifies(&mut process);
        process.signal(Signal::INT);
        let ended = process.wait().failed(1, &["cancelled"]);
        let events: Vec<Json> = ended.objects().iter().map(|object| object["event"].clone()).collect();
        assert!(events.contains(&"cancelled".into()), "{ended:?}");
        assert!(!events.contains(&"finished".into()), "{ended:?}");
        let names = names_in(&dir.path().join("inbox"));
        assert!(names.is_empty(), "{names:?}: {ended:?}");
        if let Some(sender) = sender {
            sender.wait().failed(1, &["cancelled"]);
        }
    };
    for command in ["receive 127.0.0.1:0 --once", "receive 127.0.0.1:0"] {
        let dir = Dir::new();
        dir.folder("inbox");
        let receiver = with_slow_fsync(&dir, &format!("{command} --into inbox --json")).listening();
        let sender = dir.arraylift(["send", "range:0:10_000", &receiver.address]).start();
        cancelled(&dir, receiver, Some(sender));
    }
    let dir = Dir::new();
    dir.folder("inbox");
    let loopback = with_slow_fsync(&dir, "loopback range:0:10_000 --into inbox --json").start();
    cancelled(&dir, loopback, None);
    let (url, server) = web_server(vec![7; 80_000]);
    let fetch = with_slow_fsync(&dir, &format!("fetch {url} --into inbox --json")).start();
    cancelled(&dir, fetch, None);
    server.join().expect("it served");
}

/// That the disk of the receiver was the limit, in all that is told of it.
fn names_the_disk(ended: &Ended) {
    let told_of = told(ended, "bottleneck");
    assert_eq!(told_of["limit"], "receiver_disk", "{told_of}");
    let sentence = told_of["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("The receiver's disk was the limit "), "{sentence}");
    let share = told_of["shares"]["receiver_disk"].as_f64().expect("a share");
    assert!(share > 0.5, "{told_of}");
}

#[test]
#[ignore = "needs strace"]
fn strace_what_waits_until_it_is_on_disk_names_the_disk_and_how_long_that_took() {
    // The file and its folder: 2 s.
    let waits_for_the_disk = |ended: &Ended| {
        names_the_disk(ended);
        let (told_of, finished) = (told(ended, "bottleneck"), told(ended, "finished"));
        let sentence = told_of["sentence"].as_str().expect("a sentence");
        assert!(sentence.contains(" s passed until all was on it"), "{sentence}");
        let sync_s = finished["sync_s"].as_f64().expect("seconds");
        assert!((1.9..8.0).contains(&sync_s), "{finished}");
        // They are in the rate.
        let (bytes, rate) = (finished["bytes"].as_f64(), finished["rate_bytes_per_s"].as_f64());
        let took_s = bytes.expect("bytes") / rate.expect("a rate");
        assert!(took_s >= sync_s, "{finished}");
    };
    let dir = Dir::new();
    dir.folder("inbox");
    for options in ["", "--streams 4"] {
        let loopback = format!("loopback range:0:100_000 --into inbox --json {options}");
        waits_for_the_disk(&with_slow_fsync(&dir, &loopback).run().done());
    }
    let receive = "receive 127.0.0.1:0 --once --into inbox --json";
    let receiver = with_slow_fsync(&dir, receive).listening();
    let sender = dir.run(&format!("send range:0:100_000 {} --json", receiver.address));
    waits_for_the_disk(&receiver.wait().done());
    // The sender does not know what the other end did.
    let of_sender = sender.done().objects().into_iter();
    let limits: Vec<Json> = of_sender.filter(|object| object["event"] == "bottleneck").collect();
    assert_eq!(limits[0]["limit"], "other_end", "{limits:?}");

    let (url, server) = web_server(vec![7; 80_000]);
    let fetch = with_slow_fsync(&dir, &format!("fetch {url} --into inbox --json"));
    waits_for_the_disk(&fetch.env("NO_PROXY", "127.0.0.1").run().done());
    server.join().expect("it served");

    let ended = with_slow_fsync(&dir, "loopback range:0:10 --into a.npy").run().done();
    assert!(ended.stdout.contains("a.npy, on disk (the last 2."), "{ended:?}");
    assert!(ended.stdout.contains("The receiver's disk was the limit "), "{ended:?}");
}

#[test]
#[ignore = "needs strace"]
fn strace_what_waits_for_the_disk_while_bytes_land_names_the_disk() {
    let dir = Dir::new();
    let arguments = "loopback range:0:4_000_000 --receive-route recv --no-sync --into a.npy --json";
    let ended = with_slow(&dir, "pwrite64", Duration::from_millis(20), arguments)
        .run()
        .done();
    names_the_disk(&ended);
    let told_of = told(&ended, "bottleneck");
    let sentence = told_of["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains(" went to it, and writing waited "), "{sentence}");
    assert_eq!(told(&ended, "finished")["sync_s"], Json::Null);
}

#[test]
#[ignore = "needs strace"]
fn strace_what_is_told_as_cancelled_gets_no_name_however_long_its_sender_stays() {
    for after_ms in [650, 750, 850, 950] {
        let dir = Dir::new();
        dir.folder("inbox");
        let mut receiver = with_slow_fsync(&dir, "receive 127.0.0.1:0 --once --into inbox --json").listening();
        let sender = dir.arraylift(["send", "range:0:10_000", &receiver.address]).start();
        until_it_verifies(&mut receiver);
        // Whoever does not run closes no connection.
        sender.signal(Signal::STOP);
        std::thread::sleep(Duration::from_millis(after_ms));
        receiver.signal(Signal::INT);
        let ended = receiver.wait();
        sender.signal(Signal::CONT);
        sender.wait();
        let is_told_done = ended.objects().iter().any(|object| object["event"] == "finished");
        let names = names_in(&dir.path().join("inbox"));
        assert_eq!(
            names.len(),
            usize::from(is_told_done),
            "after {after_ms} ms: {names:?}: {ended:?}"
        );
    }
}

#[test]
fn a_cancel_says_which_bytes_of_an_existing_file_are_other_ones_now() {
    let dir = Dir::new();
    dir.write("there.bin", vec![1; 80_000_000]);
    let arguments = "loopback range:0:10_000_000 --limit 20MB/s --into there.bin --at 0 --json";
    let mut process = dir.arraylift(arguments.split(' ')).start();
    until_bytes_move(&mut process, "receiver");
    process.signal(Signal::TERM);
    let cancelled = told(&process.wait().failed(1, &["cancelled"]), "cancelled");
    let (bytes, note) = (cancelled["bytes"].as_u64().expect("bytes"), cancelled["note"].as_str());
    let path = dir.path().join("there.bin");
    let note = note.expect("a note").replace(&path.display().to_string(), "there.bin");
    assert_eq!(note, format!("{bytes} bytes of there.bin are overwritten already"));
}
