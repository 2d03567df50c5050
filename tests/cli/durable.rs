//! What is done is on disk, or it is said that it is not; and what a disk refuses is no array that is done.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process, names_in};
use crate::floats;
use crate::sandbox::{Refused, refused};
use crate::serve::drained;

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
        ("", "d.npy, on disk"),
        (" --no-sync", "e.npy, not waited for to be on disk"),
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
        let receiver = without_fsync(|| dir.arraylift(arguments.split_whitespace()).listening());
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
    let fetch = dir.arraylift(["fetch", &url]).env("NO_PROXY", "127.0.0.1");
    without_fsync(|| fetch.start())
        .wait()
        .failed(1, &["a.bin", ".part is not on disk", "check the disk"]);
    server.join().expect("it answered");
    let names = dir.names();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(dir.read(&names[0]), floats(100_000));

    dir.write("there.bin", vec![0; 80_000]);
    let within = "loopback range:0:10_000 --into there.bin --at 0";
    without_fsync(|| dir.arraylift(within.split_whitespace()).start())
        .wait()
        .failed(1, &["there.bin is not on disk", "are overwritten already"]);
    // Without a sync there is nothing that could fail.
    without_fsync(|| {
        dir.arraylift("loopback range:0:10 --into b.npy --no-sync".split_whitespace())
            .start()
    })
    .wait()
    .done();
}
