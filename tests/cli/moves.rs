//! Two real processes, and the same bytes in both.

use std::fs::File;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Dir, Ended, PATIENCE};
use crate::{floats, npy};

const COUNT: u32 = 70_000;

/// Sends `source` to a receiver that takes one array, and returns how both ended.
fn moved(dir: &Dir, source: &str, receive: &str) -> (Ended, Ended) {
    let receiver = dir.receive(&format!("{receive} --once"));
    let wire = receive
        .split_once("--wire ")
        .map_or("auto", |(_, rest)| rest.split(' ').next().expect("a wire"));
    let sent = dir
        .run(&format!("send {source} {} --wire {wire}", receiver.address))
        .done();
    (sent, receiver.wait().done())
}

fn endpoints() -> Vec<&'static str> {
    let v6 = TcpListener::bind("[::1]:0").is_ok().then_some("[::1]:0");
    ["127.0.0.1:0", "unix:socket"].into_iter().chain(v6).collect()
}

#[test]
fn files_arrays_and_ranges_cross_every_kind_of_socket_on_every_wire_byte_for_byte() {
    let dir = Dir::new();
    let data = floats(COUNT);
    let array = npy("'<f8'", &format!("({COUNT},)"), &data);
    dir.write("a.bin", &data[..data.len() - 3]);
    dir.write("a.npy", &array);
    for endpoint in endpoints() {
        for wire in ["native", "npy", "raw"] {
            let bytes = data.len() - 3;
            for (source, count, result, expected) in [
                ("a.bin", format!("--dtype u8 --count {bytes}"), "b.bin", &data[..bytes]),
                ("a.npy", format!("--count {COUNT}"), "b.npy", &array[..]),
                ("range:0:70_000", format!("--shape {COUNT}"), "c.npy", &array[..]),
            ] {
                let count = if wire == "raw" { count } else { String::new() };
                let (sent, received) = moved(
                    &dir,
                    source,
                    &format!("{endpoint} --into {result} {count} --wire {wire}"),
                );
                assert!(dir.read(result) == expected, "{source} over {wire} at {endpoint}");
                std::fs::remove_file(dir.path().join(result)).expect("it is there");
                let verified = if wire == "native" {
                    ", verified (crc64nvme:"
                } else {
                    ", not verified"
                };
                assert!(
                    sent.stdout.contains(verified) && received.stdout.contains(verified),
                    "{sent:?} {received:?}"
                );
            }
        }
    }
    assert_eq!(dir.names(), ["a.bin", "a.npy"], "no .part and no socket is left");
}

#[test]
fn an_empty_array_is_an_array() {
    let dir = Dir::new();
    dir.write("a.npy", npy("'<f8'", "(3, 0)", &[]));
    for wire in ["native", "npy", "raw --shape 3,0"] {
        moved(&dir, "a.npy", &format!("127.0.0.1:0 --into b.npy --wire {wire}"));
        assert_eq!(dir.read("b.npy"), dir.read("a.npy"), "{wire}");
        std::fs::remove_file(dir.path().join("b.npy")).expect("it is there");
    }
}

#[test]
fn the_checksum_is_the_one_asked_for_or_none() {
    let dir = Dir::new();
    for (option, said) in [
        ("--checksum crc32", "verified (crc32:"),
        ("--checksum none", "not verified"),
        ("--no-verify", "not verified"),
        ("", "verified (crc64nvme:"),
    ] {
        let ended = dir.run(&format!("loopback range:0:1000 {option}")).done();
        assert!(ended.stdout.contains(said), "{option}: {ended:?}");
    }
}

#[test]
fn every_route_gives_the_same_file() {
    let dir = Dir::new();
    let expected = npy("'<f8'", "(1000,)", &floats(1000));
    for send in ["auto", "sendfile", "write", "copying", "zerocopy"] {
        for receive in ["auto", "recv", "splice", "map"] {
            let name = format!("{send}-{receive}.npy");
            let routes = format!("--send-route {send} --receive-route {receive} --chunk 4KiB");
            dir.run(&format!("loopback range:0:1000 {routes} --into {name}")).done();
            assert_eq!(dir.read(&name), expected, "{name}");
        }
    }
}

#[test]
fn port_0_takes_a_free_port_and_the_first_line_says_which() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into discard --once");
    let port = receiver.address.strip_prefix("127.0.0.1:").expect("this address");
    assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{port}");
    dir.run(&format!("send range:0:10 {}", receiver.address)).done();
    let ended = receiver.wait().done();
    assert!(ended.stdout.starts_with("listening on 127.0.0.1:"), "{ended:?}");
}

#[test]
fn with_once_whoever_comes_second_finds_nobody() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into memory --once");
    let address = receiver.address.clone();
    dir.run(&format!("send range:0:10 {address}")).done();
    receiver.wait().done();
    dir.run(&format!("send range:0:10 {address}"))
        .failed(1, &["nobody listens at", &address]);
}

#[test]
fn a_receiver_takes_many_senders_at_once_and_one_that_fails_is_only_told() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let receiver = dir.receive("127.0.0.1:0 --into inbox");
    let senders: Vec<_> = (0..5)
        .map(|index| {
            let name = format!("{index}.bin");
            dir.write(&name, vec![index; 300_000]);
            // Slow enough to overlap.
            dir.arraylift(["send", &name, &receiver.address, "--limit", "1MB/s"])
                .start()
        })
        .collect();
    dir.run(&format!("send range:0:10 {} --wire raw", receiver.address));
    for sender in senders {
        sender.wait().done();
    }
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    assert_eq!(ended.status.code(), Some(0), "nothing was cut off: {ended:?}");
    assert_eq!(ended.stderr, "");
    let mut strangers = ended.stdout.lines().filter(|line| line.starts_with("not a sender: "));
    assert!(
        strangers
            .next()
            .is_some_and(|line| line.contains("speaks another protocol")),
        "{ended:?}"
    );
    assert!(strangers.next().is_none(), "{ended:?}");
    assert_eq!(ended.stdout.matches("written to inbox/").count(), 5, "{ended:?}");
    let names = crate::common::names_in(&inbox);
    assert_eq!(names, ["0.bin", "1.bin", "2.bin", "3.bin", "4.bin"]);
    for index in 0..5 {
        assert!(
            dir.read(&format!("inbox/{index}.bin")) == vec![index; 300_000],
            "{index}"
        );
    }
}

#[test]
fn a_source_is_sent_as_it_was_told_to_expect_or_not_at_all() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into a.npy --count 11");
    let sent = dir.run(&format!("send range:0:10 {}", receiver.address));
    sent.failed(1, &["the receiver refused", "f64 (11,)"]);
    receiver.wait().failed(1, &["expected f64 (11,), got f64 (10,)"]);
    assert!(dir.names().is_empty());
}

#[test]
fn a_folder_that_vanishes_fails_the_next_array_whose_sender_hears_why_and_the_receiver_goes_on() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let receiver = dir.receive("127.0.0.1:0 --into inbox");
    let send = || dir.run(&format!("send range:0:10 {}", receiver.address));
    std::fs::remove_dir_all(&inbox).expect("removed");
    send().failed(1, &["the receiver refused", "no such folder"]);
    dir.folder("inbox");
    send().done();
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    assert_eq!(ended.status.code(), Some(0), "nothing was cut off: {ended:?}");
    assert!(ended.stderr.contains("no such folder"), "{ended:?}");
}

#[test]
fn whoever_has_too_few_descriptors_for_one_array_does_not_listen() {
    let dir = Dir::new();
    dir.folder("inbox");
    for command in ["receive", "serve"] {
        let mut who_listens = 0;
        for most in [12, 14, 16, 18, 20, 24, 28, 32, 36] {
            let arguments = format!("{command} 127.0.0.1:0 --into inbox");
            let mut process = dir.arraylift_with_descriptors(most, &arguments).start();
            let Some(address) = process.line().strip_prefix("listening on ").map(str::to_owned) else {
                process.wait().failed(1, &["cannot", "too many open files"]);
                continue;
            };
            dir.run(&format!("send range:0:10 {address} --timeout 5s")).done();
            process.signal(Signal::TERM);
            process.wait().done();
            who_listens += 1;
        }
        assert!(who_listens > 0, "{command}");
    }
}

#[test]
fn every_command_ends_by_itself_and_says_why_however_few_descriptors_there_are() {
    let dir = Dir::new();
    dir.folder("inbox");
    dir.write("a.bin", [1; 1000]);
    for command in [
        "send a.bin 127.0.0.1:1 --timeout 1s",
        "loopback a.bin",
        "receive 127.0.0.1:0 --once --into discard",
        "receive 127.0.0.1:0 --into inbox",
        "serve 127.0.0.1:0 --into inbox",
        "serve 127.0.0.1:0 --into inbox --workers 1",
        "serve 127.0.0.1:0 --echo",
        "worker --recipe unix:nobody",
        "fetch http://127.0.0.1:1/a.bin --into discard",
        "ping 127.0.0.1:1",
        "status",
        "attach 1",
    ] {
        // With fewer the system starts no program.
        for most in 4..=16 {
            let ended = ended_or_asked_to(&dir, most, command);
            let is_done_without = [
                "cannot open the control socket",
                "no history is kept",
                "is not in the history",
            ];
            let (notes, told): (Vec<&str>, Vec<&str>) =
                (ended.stderr.lines()).partition(|line| is_done_without.iter().any(|note| line.contains(note)));
            assert!(notes.len() <= 2, "{most}: {ended:?}");
            match ended.status.code() {
                Some(0) => assert!(told.is_empty(), "{most}: {ended:?}"),
                Some(1) => assert!(
                    told.len() == 1 && told[0].starts_with("arraylift: "),
                    "{most}: {ended:?}"
                ),
                _ => panic!("{most}: {ended:?}"),
            }
        }
    }
}

/// Runs a command with so few descriptors to its end. One that listens is asked to end.
fn ended_or_asked_to(dir: &Dir, most: u32, command: &str) -> Ended {
    let said = dir.path().join("said");
    let program = dir.arraylift_with_descriptors(most, command);
    let mut process = program.stdout(File::create(&said).expect("a file")).start();
    let deadline = Instant::now() + PATIENCE;
    while !process.has_ended() {
        assert!(Instant::now() < deadline, "with {most} descriptors it hangs: {command}");
        if std::fs::read_to_string(&said).expect("text").contains("listening on") {
            process.signal(Signal::TERM);
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    process.wait()
}

#[test]
fn a_receiver_with_few_descriptors_takes_senders_one_after_the_other() {
    let dir = Dir::new();
    dir.folder("inbox");
    let receiver = dir
        .arraylift_with_descriptors(40, "receive 127.0.0.1:0 --into inbox")
        .listening();
    let send = || {
        let arguments = ["send", "range:0:10000", &receiver.address, "--limit", "1MB/s"];
        dir.arraylift(arguments).start()
    };
    let senders: Vec<_> = std::iter::repeat_with(send).take(20).collect();
    for sender in senders {
        sender.wait().done();
    }
    receiver.signal(Signal::TERM);
    receiver.wait().done();
    assert_eq!(crate::common::names_in(&dir.path().join("inbox")).len(), 20);
}
