//! Arrays that one process hands another one, and what becomes of that in a sandbox that refuses it.

use serde_json::Value as Json;

use crate::common::{Dir, Ended};
use crate::floats;
use crate::sandbox::{Refused, start_refused};

/// The first object of that event in JSON Lines.
fn event(ended: &Ended, name: &str) -> Json {
    let lines = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    let found = lines.into_iter().find(|object| object["event"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {ended:?}"))
}

#[test]
fn a_range_goes_from_process_to_process_as_it_lies_in_memory() {
    let dir = Dir::new();
    for count in [1, 512, 3 * 512 + 1, 3_000_000] {
        let receiver = dir.receive("unix:socket --into memory --once --json");
        let sent = dir.run(&format!("send range:0:{count} unix:socket --json")).done();
        let received = receiver.wait().done();
        assert_eq!(event(&sent, "started")["send_route"], "handoff");
        assert_eq!(event(&received, "started")["receive_route"], "handoff");
        for ended in [&sent, &received] {
            let finished = event(ended, "finished");
            assert_eq!(finished["bytes"], 8 * count);
            assert_eq!(
                (&finished["verified"], &finished["checksum"]),
                (&Json::Null, &Json::Null)
            );
        }
        let last = received.stdout.lines().rev().find(|line| line.contains("\"preview\""));
        assert!(last.expect("a preview").contains("\"values\":[0.0"), "{received:?}");
    }
}

#[test]
fn a_file_of_8_gb_and_one_of_8_mb_cost_both_processes_the_same() {
    let dir = Dir::new();
    let cost = |bytes: u64| {
        let file = std::fs::File::create(dir.path().join("sparse")).expect("a file");
        file.set_len(bytes).expect("sparse");
        let receiver = dir.receive("unix:socket --into memory --once --json");
        let sent = dir.run("send sparse unix:socket --send-route handoff --json").done();
        [sent, receiver.wait().done()].map(|ended| {
            assert_eq!(event(&ended, "finished")["bytes"], bytes);
            let note = event(&ended, "finished")["note"].clone();
            assert!(note.as_str().is_some_and(|note| note.contains("not sealed")), "{note}");
            let last = ended.stdout.lines().rev().find(|line| line.contains("\"syscalls\""));
            let sample: Json = serde_json::from_str(last.expect("counters")).expect("JSON");
            ["syscalls", "short_operations"].map(|name| sample[name].clone())
        })
    };
    assert_eq!(cost(8_000_000), cost(8_000_000_000));
}

#[test]
fn where_memory_that_could_be_handed_over_is_refused_bytes_are_sent_or_it_is_said_in_one_line() {
    let dir = Dir::new();
    for error in [libc::EPERM, libc::ENOSYS] {
        let refused = Refused::with(libc::SYS_memfd_create, error);
        let receiver = dir.receive("unix:socket --into a.npy --once");
        let sent = start_refused(&dir, &refused, "send range:0:70_000 unix:socket --json")
            .wait()
            .done();
        receiver.wait().done();
        let started = event(&sent, "started");
        assert_eq!(started["send_route"], "write");
        let reason = started["route_reason"].as_str().expect("a reason");
        assert!(reason.contains("refuses memory"), "{reason}");
        assert!(dir.read("a.npy").ends_with(&floats(70_000)));
        std::fs::remove_file(dir.path().join("a.npy")).expect("it is there");

        let by_name = "send range:0:10 unix:socket --send-route handoff";
        start_refused(&dir, &refused, by_name)
            .wait()
            .failed(1, &["cannot generate the range in memory"]);
    }
}

#[test]
fn where_no_descriptor_is_let_through_bytes_are_sent_or_it_is_said_in_one_line() {
    let dir = Dir::new();
    let refused = Refused::with(libc::SYS_sendmsg, libc::EPERM);
    let receiver = dir.receive("unix:socket --into memory --once --json");
    let sent = start_refused(&dir, &refused, "send range:0:70_000 unix:socket --json")
        .wait()
        .done();
    let received = receiver.wait().done();
    let started = event(&sent, "started");
    assert_eq!(started["send_route"], "sendfile");
    let reason = started["route_reason"].as_str().expect("a reason");
    assert!(reason.contains("lets no descriptor through"), "{reason}");
    assert_eq!(event(&received, "started")["receive_route"], "recv");
    let finished = [event(&sent, "finished"), event(&received, "finished")];
    assert_eq!(finished[0]["checksum"], finished[1]["checksum"]);
    assert!(
        finished.iter().all(|finished| finished["verified"] == true),
        "{finished:?}"
    );

    let receiver = dir.receive("unix:socket --into memory --once");
    let by_name = "send range:0:10 unix:socket --send-route handoff";
    start_refused(&dir, &refused, by_name)
        .wait()
        .failed(1, &["does not let the descriptor through", "another route"]);
    receiver.wait().failed(1, &["gave up"]);
}

#[test]
fn a_receiver_that_may_not_take_descriptors_takes_bytes() {
    let dir = Dir::new();
    let refused = Refused::with(libc::SYS_recvmsg, libc::EPERM);
    let mut receiver = start_refused(&dir, &refused, "receive unix:socket --into memory --once --json");
    assert!(receiver.line().contains("listening"));
    let sent = dir.run("send range:0:70_000 unix:socket --json").done();
    let received = receiver.wait().done();
    let reason = event(&sent, "started")["route_reason"].to_string();
    assert!(reason.contains("takes no handoff"), "{reason}");
    assert_eq!(event(&received, "finished")["verified"], true);
}

#[test]
fn a_source_that_refuses_sendfile_is_written_or_it_is_said_in_one_line() {
    let dir = Dir::new();
    dir.write("a.bin", floats(70_000));
    for error in [libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP] {
        let refused = Refused::with(libc::SYS_sendfile, error);
        let ended = start_refused(&dir, &refused, "loopback a.bin --into b.bin --json")
            .wait()
            .done();
        let of_sender = |line: &&str| line.contains("\"send_route\":\"write\"");
        let started = ended
            .stdout
            .lines()
            .find(of_sender)
            .unwrap_or_else(|| panic!("{ended:?}"));
        assert!(started.contains("refuses sendfile"), "{started}");
        assert_eq!(dir.read("b.bin"), floats(70_000));
        std::fs::remove_file(dir.path().join("b.bin")).expect("it is there");

        let by_name = "loopback a.bin --send-route sendfile";
        start_refused(&dir, &refused, by_name)
            .wait()
            .failed(2, &["refuses sendfile", "another send route"]);
    }
}

#[test]
fn the_kernels_word_on_copies_is_told_and_sends_beyond_its_limit_are_plain_ones() {
    let dir = Dir::new();
    // Such as "the kernel copied 8 of 8 sends; 3 more were plain sends": its numbers.
    let numbers = |ended: &Ended| -> Vec<u32> {
        let line = ended.stdout.lines().find(|line| line.contains("the kernel copied"));
        let words = line
            .unwrap_or_else(|| panic!("{ended:?}"))
            .split_once("the kernel")
            .expect("a note")
            .1;
        words
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|word| word.parse().ok())
            .take(3)
            .collect()
    };
    let zerocopy = "loopback range:0:1e6 --send-route zerocopy --json";
    let ended = dir.run(zerocopy).done();
    // Over loopback it always copies.
    let [copied, sends, ..] = numbers(&ended)[..] else {
        panic!("{ended:?}")
    };
    assert!(copied == sends && sends >= 4, "{ended:?}");

    let refused = Refused {
        call: libc::SYS_sendto,
        bits: Some((3, u64::try_from(libc::MSG_ZEROCOPY).expect("positive"))),
        error: libc::ENOBUFS,
    };
    let ended = start_refused(&dir, &refused, zerocopy).wait().done();
    let [0, 0, plain] = numbers(&ended)[..] else {
        panic!("{ended:?}")
    };
    assert!(plain >= 4 && ended.stdout.contains("limit"), "{ended:?}");

    let receiver = dir.receive("unix:socket --into memory --once");
    dir.run("send range:0:10 unix:socket --send-route zerocopy")
        .failed(1, &["refuses to send from here without a copy", "another send route"]);
    // It has offered nothing: the receiver waits for one that does.
    dir.run("send range:0:10 unix:socket").done();
    let ended = receiver.wait();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.contains("closed the connection"), "{ended:?}");
}
