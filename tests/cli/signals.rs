//! Ctrl-C, `kill`, and what they leave behind of what nobody could go on with: nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Process, full_socket, names_in};

/// Reads objects until bytes have moved on that side.
pub(crate) fn until_bytes_move(process: &mut Process, side: &str) {
    loop {
        let line = process.line();
        let object: Json = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        if object["event"] == "sample" && object["side"] == side && object["bytes"].as_u64() > Some(0) {
            return;
        }
    }
}

/// Sends for 80 s, and nobody can go on with it where it breaks off.
pub(crate) fn send_without_checksums(dir: &Dir, address: &str) -> Process {
    let arguments = format!("send range:0:1e7 {address} --limit 1MB/s --no-verify --json");
    dir.arraylift(arguments.split(' ')).start()
}

#[test]
fn a_signal_cancels_a_transfer_and_removes_what_nobody_could_go_on_with() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let dir = Dir::new();
        let mut running = dir
            .arraylift("loopback range:0:1e7 --limit 1MB/s --json --no-verify --into a.npy".split(' '))
            .start();
        until_bytes_move(&mut running, "receiver");
        assert_eq!(dir.names().len(), 1, "the .part");
        running.signal(signal);
        let ended = running.wait().failed(1, &["cancelled"]);
        assert!(ended.stderr.starts_with("arraylift: cancelled: "), "{ended:?}");
        assert!(ended.stderr.ends_with(" of 80.0 MB had moved\n"), "{ended:?}");
        assert!(dir.names().is_empty(), "{:?}", dir.names());
        let objects = ended.objects();
        let cancelled: Vec<&Json> = objects.iter().filter(|object| object["event"] == "cancelled").collect();
        assert_eq!(cancelled.len(), 2, "{cancelled:?}");
        for object in cancelled {
            let (bytes, elapsed_s) = (
                object["bytes"].as_f64().expect("bytes"),
                object["elapsed_s"].as_f64().expect("s"),
            );
            assert!(
                bytes > 0.0 && bytes <= 1e6 * elapsed_s + 2e5,
                "the limit was not kept: {object}"
            );
        }
    }
}

#[test]
fn an_ask_that_comes_as_two_signals_is_one() {
    for arguments in [
        "loopback range:0:1e7 --limit 1MB/s --json --no-verify --into a.npy",
        "loopback range:0:1e7 --limit 1MB/s --json --no-verify --into a.npy --streams 2",
    ] {
        for signals in [[Signal::TERM, Signal::TERM], [Signal::HUP, Signal::TERM]] {
            let dir = Dir::new();
            let mut running = dir.arraylift(arguments.split(' ')).start();
            until_bytes_move(&mut running, "receiver");
            for signal in signals {
                running.signal(signal);
            }
            let ended = running.wait().failed(1, &["cancelled"]);
            assert!(dir.names().is_empty(), "{:?}: {ended:?}", dir.names());
        }
    }
}

#[test]
fn a_receiver_that_is_stopped_tells_its_sender() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let receiver = dir.receive("127.0.0.1:0 --into inbox");
    let mut sender = send_without_checksums(&dir, &receiver.address);
    until_bytes_move(&mut sender, "sender");
    receiver.signal(Signal::INT);
    receiver.wait().failed(1, &["cancelled"]);
    sender.wait().failed(1, &["the peer gave up", "cancelled"]);
    assert!(names_in(&inbox).is_empty());
}

#[test]
fn a_sender_that_is_killed_leaves_nothing_that_nobody_could_go_on_with() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let receiver = dir.receive("127.0.0.1:0 --into inbox --once");
    let mut sender = send_without_checksums(&dir, &receiver.address);
    until_bytes_move(&mut sender, "sender");
    sender.signal(Signal::KILL);
    receiver
        .wait()
        .failed(1, &["closed the connection", "of 80.0 MB had moved"]);
    assert!(names_in(&inbox).is_empty());
}

#[test]
fn a_receiver_that_only_waits_can_be_stopped() {
    let dir = Dir::new();
    for endpoint in ["127.0.0.1:0", "unix:socket"] {
        let receiver = dir.receive(endpoint);
        receiver.signal(Signal::TERM);
        receiver.wait().done();
        let receiver = dir.receive(&format!("{endpoint} --once"));
        receiver.signal(Signal::TERM);
        receiver.wait().failed(1, &["cancelled"]);
    }
    assert!(dir.names().is_empty(), "the socket's file goes with it");
}

#[test]
fn signals_that_are_ignored_when_it_starts_stay_ignored() {
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT), ("TERM", Signal::TERM)] {
        for command in ["serve", "receive", "receive --once"] {
            let dir = Dir::new();
            let mut shell = std::process::Command::new("sh");
            let script = format!("trap '' {name}; exec \"$0\" {command} 127.0.0.1:0");
            shell.args(["-c", &script, env!("CARGO_BIN_EXE_arraylift")]);
            let receiver = dir.program(shell).listening();
            receiver.signal(signal);
            let send = format!("send range:0:10 {}", receiver.address);
            dir.run(&send).done();
            if name != "TERM" && command != "receive --once" {
                receiver.signal(Signal::TERM);
                receiver.wait().done();
            }
        }
    }
}

#[test]
fn a_worker_that_nobody_lets_in_hears_the_first_signal_and_its_timeout() {
    let dir = Dir::new();
    let _full = full_socket(&dir.path().join("full"));
    let _mute = UnixListener::bind(dir.path().join("mute")).expect("a socket");
    let key = dir.write("key", "x".repeat(32));
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).expect("private");
    for arguments in [
        "worker full --key key",
        "worker mute --key key",
        "worker --recipe full",
        "worker --recipe mute --key key",
    ] {
        let worker = dir.arraylift(arguments.split(' ')).start();
        while !worker.hears(Signal::TERM) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(50));
        let began = Instant::now();
        worker.signal(Signal::TERM);
        worker.wait().failed(1, &["cancelled"]);
        assert!(began.elapsed() < Duration::from_secs(5), "{arguments}");
    }
    for arguments in ["worker --recipe full", "worker --recipe mute --key key"] {
        let began = Instant::now();
        dir.run(&format!("{arguments} --timeout 1s")).failed(1, &["no"]);
        assert!(began.elapsed() < Duration::from_secs(5), "{arguments}");
    }
}
