//! A service: thousands of senders at once, and each of them for itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process, SAID_WITHIN, names_in};
use crate::native::{KEEP_ALIVE, block, end};
use crate::peers::{native_offer, say};
use crate::{floats, npy};

/// A service over the folder `inbox`, as JSON.
pub(crate) fn serve(dir: &Dir, options: &str) -> Process {
    if !dir.path().join("inbox").exists() {
        dir.folder("inbox");
    }
    // However full the disk of this machine is.
    let keep_free = if options.contains("--keep-free") {
        ""
    } else {
        "--keep-free 0"
    };
    dir.listen(
        "serve",
        &format!("127.0.0.1:0 --into inbox --json {keep_free} {options}"),
    )
}

/// Thousands of senders in one Python program, which prints one object at its end.
pub(crate) fn senders(address: &str, options: &str) -> Command {
    let mut command = Command::new(std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/many_senders.py");
    command.arg(path).arg(address).args(options.split_whitespace());
    command
}

pub(crate) fn sent(address: &str, options: &str) -> Json {
    let output = senders(address, options).output().expect("python3 runs");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Reads objects until one is this event.
pub(crate) fn until(process: &mut Process, event: &str) -> Json {
    let start = Instant::now();
    loop {
        let line = process.line();
        let object: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        if object["event"] == event {
            return object;
        }
        assert!(
            start.elapsed() < SAID_WITHIN,
            "no {event} came; the last that did: {line}"
        );
    }
}

/// Waits until a signal has been obeyed, and for so long that the next one is another ask.
pub(crate) fn until_draining(service: &mut Process) {
    while until(service, "service")["draining"] != true {}
    std::thread::sleep(std::time::Duration::from_millis(200));
}

/// Stopped while it has transfers: told twice.
pub(crate) fn stopped(mut service: Process) -> Ended {
    service.signal(Signal::TERM);
    until_draining(&mut service);
    service.signal(Signal::TERM);
    service.wait().failed(1, &["cancelled"])
}

/// Ended after its first transfer was cancelled.
pub(crate) fn cancelled(dir: &Dir, service: Process) {
    dir.run(&format!("attach {} --cancel 1", service.id()));
    // It ends when what is removed has gone.
    drained(service);
}

pub(crate) fn drained(service: Process) -> Ended {
    service.signal(Signal::TERM);
    service.wait()
}

fn count(ended: &Ended, event: &str) -> usize {
    let objects = ended.objects();
    objects.iter().filter(|object| object["event"] == event).count()
}

#[test]
fn every_wire_that_says_what_comes_is_taken_and_a_drained_service_ends_well() {
    let dir = Dir::new();
    dir.write("b.npy", npy("'<f8'", "(100,)", &floats(100)));
    let service = serve(&dir, "");
    let address = service.address.clone();
    dir.run(&format!("send range:0:1e6 {address}")).done();
    dir.run(&format!("send range:0:1e6 {address} --streams 4")).done();
    dir.run(&format!("send b.npy {address} --wire npy")).done();
    let ended = drained(service).done();
    assert_eq!(
        names_in(&dir.path().join("inbox")),
        ["array.npy", "range-1.npy", "range.npy"]
    );
    assert_eq!(dir.read("inbox/array.npy"), dir.read("b.npy"));
    assert_eq!(dir.read("inbox/range.npy"), dir.read("inbox/range-1.npy"));
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(1_000_000));
    assert_eq!(ended.objects()[0]["event"], "listening");
    let objects = ended.objects();
    let verified = objects.iter().filter(|object| object["verified"] == true).count();
    assert_eq!((count(&ended, "finished"), verified), (3, 2));
    let last = objects.last().expect("counts");
    assert_eq!(
        (&last["event"], &last["done"], &last["connections"]),
        (&"service".into(), &3.into(), &0.into())
    );
}

#[test]
fn raw_senders_are_told_what_to_send_by_the_service_alone() {
    let dir = Dir::new();
    let service = serve(&dir, "--wire raw --dtype f64 --count 100");
    say(&service.address, &floats(100));
    say(&service.address, &floats(99));
    let ended = drained(service);
    assert_eq!(dir.read("inbox/array.npy")[128..], floats(100));
    assert_eq!((count(&ended, "finished"), count(&ended, "failed")), (1, 1));
    assert!(ended.stderr.contains("8 B are missing"), "{}", ended.stderr);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn thousands_at_once_are_all_verified_and_a_waiting_one_costs_less_than_16_kib() {
    const CONNECTIONS: u64 = 3000;
    let dir = Dir::new();
    let service = serve(&dir, "");
    let before = service.resident_bytes();
    let options = format!("--connections {CONNECTIONS} --bytes 5000 --wait");
    let mut command = senders(&service.address, &options);
    let mut many = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut said = BufReader::new(many.stdout.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("UTF-8");
    // Connected is not yet accepted.
    while service.descriptors() < usize::try_from(CONNECTIONS).expect("few") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let each = service.resident_bytes().saturating_sub(before) / CONNECTIONS;
    assert!(each < 16 << 10, "{each} bytes a waiting connection");
    many.stdin.take().expect("piped").write_all(b"\n").expect("it reads");
    line.clear();
    said.read_line(&mut line).expect("UTF-8");
    let result: Json = serde_json::from_str(&line).expect("an object");
    assert_eq!(
        (&result["verified"], &result["errors"]),
        (&CONNECTIONS.into(), &serde_json::json!({}))
    );
    many.wait().expect("it ends");
    let ended = drained(service).done();
    assert_eq!(count(&ended, "finished") as u64, CONNECTIONS);
    assert_eq!(names_in(&dir.path().join("inbox")).len() as u64, CONNECTIONS);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_service_with_few_descriptors_takes_all_the_same_one_after_the_other() {
    let dir = Dir::new();
    dir.folder("inbox");
    let service = dir
        .arraylift_with_descriptors(100, "serve 127.0.0.1:0 --into inbox --json --keep-free 0")
        .listening();
    let result = sent(&service.address, "--connections 500 --bytes 20000");
    assert_eq!(result["verified"], 500, "{result}");
    drained(service).done();
    assert_eq!(names_in(&dir.path().join("inbox")).len(), 500);
}

#[test]
fn fifty_arrays_of_one_name_get_fifty_names_and_none_leaves_the_folder() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let says = [native_offer("../../same.bin", 3), block(0, b"abc"), end(3)].concat();
    for _ in 0..50 {
        say(&service.address, &says);
    }
    drained(service).done();
    let names = names_in(&dir.path().join("inbox"));
    assert_eq!(names.len(), 50, "{names:?}");
    assert!(
        names.contains(&"same.bin".into()) && names.contains(&"same-49.bin".into()),
        "{names:?}"
    );
    assert_eq!(dir.names(), ["inbox"]);
}

#[test]
fn who_offers_more_than_is_taken_is_refused_and_others_are_not() {
    for (limit, hint, here, fault) in [
        (
            "--max-bytes 1MB",
            "at most 1.00 MB are taken there",
            "--max-bytes takes 1.00 MB at most",
            "caller",
        ),
        (
            "--max-total 1MB",
            "1.00 MB more are taken there",
            "1.00 MB of --max-total 1.00 MB are left",
            "caller",
        ),
        (
            "--keep-free 1000PB",
            "its disk has no room for",
            "--keep-free keeps 1.00 EB",
            "system",
        ),
    ] {
        let dir = Dir::new();
        let service = serve(&dir, limit);
        let send = |range: &str| dir.run(&format!("send {range} {}", service.address));
        send("range:0:1e6").failed(1, &["the receiver refused", hint]);
        let small = send("range:0:1000");
        if limit.starts_with("--max") {
            small.done();
        } else {
            small.failed(1, &[hint]);
        }
        let ended = drained(service);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(
            ended.stderr.contains("refused: 8.00 MB ") && ended.stderr.contains(here),
            "{ended:?}"
        );
        let objects = ended.objects();
        let failed = objects.iter().find(|object| object["event"] == "failed").expect("one");
        assert_eq!(failed["fault"], fault, "{failed}");
        assert!(names_in(&dir.path().join("inbox")).len() <= 1);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn who_comes_beyond_the_connections_waits_and_is_taken_then() {
    let dir = Dir::new();
    let service = serve(&dir, "--max-connections 3");
    let result = sent(&service.address, "--connections 40 --bytes 300000");
    assert_eq!(result["verified"], 40, "{result}");
    let ended = drained(service).done();
    let counts = ended.objects();
    let open = counts.iter().filter_map(|object| object["connections"].as_u64());
    assert!(open.max() <= Some(3));
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_idle_the_dribbling_and_the_slow_give_way_and_one_beside_them_does_not_notice() {
    let dir = Dir::new();
    let service = serve(&dir, "--timeout 1s --slowest 100kB/s");
    let idle = TcpStream::connect(&service.address).expect("it listens");
    let mut half = TcpStream::connect(&service.address).expect("it listens");
    half.write_all(&native_offer("half.bin", 10)[..40])
        .expect("it takes them");
    let slow = senders(
        &service.address,
        "--connections 5 --bytes 100000 --slowly 10 --seconds 20",
    )
    .stdout(Stdio::piped())
    .spawn()
    .expect("python3 runs");
    // Keep-alives alone do not keep a place either.
    let mut alive = TcpStream::connect(&service.address).expect("it listens");
    alive.write_all(&native_offer("alive.bin", 10)).expect("it takes them");
    let mut keeps = alive.try_clone().expect("a descriptor");
    let keeper = std::thread::Builder::new().spawn(move || {
        while keeps.write_all(KEEP_ALIVE).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    });
    dir.run(&format!("send range:0:1e5 {}", service.address)).done();
    let output = slow.wait_with_output().expect("it ends");
    let result: Json = serde_json::from_slice(&output.stdout).expect("an object");
    assert_eq!(
        (&result["verified"], &result["left"]),
        (&0.into(), &0.into()),
        "{result}"
    );
    for mut stream in [idle, half, alive] {
        stream
            .read_to_end(&mut Vec::new())
            .or_else(reset_is_an_end)
            .expect("it is closed");
    }
    keeper.expect("a thread").join().expect("it ends");
    let ended = drained(service);
    // Two offered nothing.
    assert_eq!((count(&ended, "failed"), count(&ended, "stranger")), (6, 2));
    assert!(
        ended.stderr.contains("less than is asked of it here"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("said nothing for 1 s"), "{}", ended.stdout);
    assert_eq!(names_in(&dir.path().join("inbox")), ["range.npy"]);
}

fn reset_is_an_end(error: std::io::Error) -> std::io::Result<usize> {
    match error.kind() {
        std::io::ErrorKind::ConnectionReset => Ok(0),
        _ => Err(error),
    }
}

#[test]
fn garbage_and_a_storm_of_connections_that_say_nothing_cost_nobody_else_anything() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    let before = service.descriptors();
    for _ in 0..500 {
        drop(TcpStream::connect(&service.address).expect("it listens"));
    }
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x16, 3, 1],
        &[0; 5000],
        b"ARLIFT\xff\xff rest",
    ] {
        say(&service.address, garbage);
    }
    let mut reset = TcpStream::connect(&service.address).expect("it listens");
    reset
        .write_all(&native_offer("gone.bin", 1 << 20))
        .expect("it takes them");
    rustix::net::sockopt::set_socket_linger(&reset, Some(std::time::Duration::ZERO)).expect("a socket");
    drop(reset);
    dir.run(&format!("send range:0:1e5 {}", service.address)).done();
    while service.descriptors() > before {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let ended = drained(service);
    let counts = ["finished", "failed", "stranger"].map(|event| count(&ended, event));
    assert_eq!(counts, [2, 1, 504]);
    assert_eq!(names_in(&dir.path().join("inbox")), ["range-1.npy", "range.npy"]);
}

#[test]
fn a_drained_service_ends_what_is_on_its_way_and_takes_nobody_new() {
    let dir = Dir::new();
    let mut service = serve(&dir, "");
    let address = service.address.clone();
    let mut waits = TcpStream::connect(&address).expect("it listens");
    waits
        .write_all(&native_offer("late.bin", 10)[..40])
        .expect("it takes them");
    until(&mut service, "state");
    let sender = dir
        .arraylift(["send", "range:0:1e6", &address, "--limit", "8MB/s"])
        .start();
    until(&mut service, "sample");
    service.signal(Signal::TERM);
    let mut told = Vec::new();
    waits.read_to_end(&mut told).expect("it is told");
    assert!(String::from_utf8_lossy(&told).contains("being shut down"), "{told:?}");
    dir.run(&format!("send range:0:10 {address}"))
        .failed(1, &["nobody listens"]);
    sender.wait().done();
    service.wait().done();
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(1_000_000));
}

#[test]
fn a_second_signal_ends_what_is_on_its_way_and_leaves_nothing_half_received() {
    let dir = Dir::new();
    let mut service = serve(&dir, "");
    let arguments = ["send", "range:0:1e7", &service.address, "--limit", "1MB/s"];
    let sender = dir.arraylift(arguments).start();
    until(&mut service, "sample");
    assert_eq!(names_in(&dir.path().join("inbox")).len(), 2, "the .part and its log");
    service.signal(Signal::TERM);
    until_draining(&mut service);
    service.signal(Signal::INT);
    let ended = service.wait().failed(1, &["cancelled"]);
    assert_eq!(count(&ended, "cancelled"), 1);
    sender.wait().failed(1, &["the receiver was stopped"]);
    assert!(names_in(&dir.path().join("inbox")).is_empty());
}

#[test]
fn what_a_killed_service_left_is_reported_by_the_next_one_and_never_taken_for_whole() {
    let dir = Dir::new();
    let mut service = serve(&dir, "");
    let arguments = ["send", "range:0:1e7", &service.address, "--limit", "1MB/s"];
    let sender = dir.arraylift(arguments).start();
    until(&mut service, "sample");
    service.signal(Signal::KILL);
    service.wait();
    sender.wait().failed(1, &["closed"]);
    let left = names_in(&dir.path().join("inbox"));
    let mut next = serve(&dir, "");
    let leftover = until(&mut next, "leftover");
    assert_eq!(leftover["path"], format!("inbox/{}", left[0]));
    dir.run(&format!("send range:0:10 {}", next.address)).done();
    drained(next).done();
    let there = ["range.npy", &left[0], &left[1]];
    assert_eq!(names_in(&dir.path().join("inbox")), there, "with its log");
}

#[test]
fn a_folder_that_vanishes_fails_its_arrays_alone_until_it_is_back() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let send = || dir.run(&format!("send range:0:10 {}", service.address));
    send().done();
    std::fs::remove_dir_all(dir.path().join("inbox")).expect("removed");
    send().failed(1, &["the receiver refused", "no such folder"]);
    dir.folder("inbox");
    send().done();
    let ended = drained(service);
    assert_eq!((count(&ended, "finished"), count(&ended, "failed")), (2, 1));
}

#[test]
fn what_cannot_be_served_is_wrong_usage() {
    let dir = Dir::new();
    for (arguments, hint) in [
        ("serve 127.0.0.1:0 --into a.npy", "name a folder"),
        ("serve 127.0.0.1:0 --into shm:a", "name a folder"),
        ("serve 127.0.0.1:0 --wire raw", "--count"),
        ("serve 127.0.0.1:0 --slowest 0", "0 moves nothing"),
    ] {
        dir.run(arguments).failed(2, &[hint]);
    }
    dir.run("serve 127.0.0.1:0 --into gone/").failed(1, &["no such folder"]);
}

#[test]
fn a_person_reads_a_line_an_array_and_the_sum_at_the_end() {
    let dir = Dir::new();
    let service = dir.listen("serve", "127.0.0.1:0 --into discard");
    dir.run(&format!("send range:0:1000 {}", service.address)).done();
    let mut stream = TcpStream::connect(&service.address).expect("it listens");
    stream.shutdown(Shutdown::Write).expect("a socket");
    stream.read_to_end(&mut Vec::new()).expect("closed");
    let ended = drained(service);
    assert!(
        ended.stdout.contains("8.00 kB in") && ended.stdout.contains("verified"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.ends_with("1 transfer, 8.00 kB; 0 failed, 0 cancelled\n"),
        "{ended:?}"
    );
    let stranger = ended
        .stdout
        .lines()
        .find(|line| line.starts_with("not a sender: 127.0.0.1:"));
    let words = "closed the connection before it said what it sends";
    assert!(stranger.is_some_and(|line| line.contains(words)), "{ended:?}");
}

#[test]
fn a_service_whose_disk_has_less_free_than_it_keeps_says_so_when_it_starts() {
    let dir = Dir::new();
    let service = serve(&dir, "--keep-free 100%");
    let ended = drained(service);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let objects = ended.objects();
    let told = objects
        .iter()
        .find(|object| object["event"] == "no_room")
        .expect("told");
    assert_eq!(told["folder"], "inbox");
    assert!(told["free_bytes"].as_u64() <= told["kept_bytes"].as_u64(), "{told}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    for part in ["every array is refused now", " are free in inbox", "--keep-free keeps"] {
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
    // Where there is room nothing is said.
    let ended = drained(serve(&dir, "--keep-free 0")).done();
    assert_eq!(ended.stderr, "");
}
