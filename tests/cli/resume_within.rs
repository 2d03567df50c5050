//! Transfers into a part of a file that was there before, which break and go on when the same is sent to the same place
//! again: whatever became of the file meanwhile.

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value as Json;

use super::common::{Dir, Process};
use super::part_logs::{log_in, until_recorded_in};
use super::resume::{BLOCK, BYTES, content, resumed_bytes, send_at, send_slowly};

/// Where in the file the array goes: no page and no block begins there.
const AT: usize = 1_000_003;
/// Bytes of the file behind it.
const BEHIND: usize = 5_000;

/// A folder with what is sent, and with the file of which a part is received into.
fn dir() -> (Dir, Vec<u8>) {
    let (dir, bytes) = (Dir::new(), content(7));
    dir.write("a.bin", &bytes);
    dir.write("there.bin", vec![0xaa; AT + BYTES + BEHIND]);
    (dir, bytes)
}

fn receive(dir: &Dir, options: &str) -> Process {
    receive_at(AT, dir, options)
}

fn receive_at(at: usize, dir: &Dir, options: &str) -> Process {
    dir.receive(&format!(
        "127.0.0.1:0 --once --into there.bin --at {at} --json {options}"
    ))
}

/// Kills a receiver when it has written down so many blocks.
fn killed_with(blocks: u64, dir: &Dir, options: &str, streams: &str) {
    killed_at("40MB/s", blocks, dir, options, streams);
}

fn killed_at(rate: &str, blocks: u64, dir: &Dir, options: &str, streams: &str) {
    let receiver = receive(dir, options);
    let sender = send_at(rate, dir, &receiver.address, streams);
    until_recorded_in(dir.path(), blocks);
    receiver.signal(Signal::KILL);
    drop(receiver);
    sender.wait().failed(1, &["the peer "]);
}

/// Sends all of it and returns the bytes that were there before, as both ends tell.
fn go_on(dir: &Dir, receiver: Process, options: &str) -> u64 {
    let sent = dir
        .run(&format!("send a.bin {} --json {options}", receiver.address))
        .done();
    let (sent, received) = (resumed_bytes(&sent), resumed_bytes(&receiver.wait().done()));
    assert_eq!(sent, received);
    sent
}

/// The array is in its place, nothing around it is another, and nothing lies beside the file.
fn assert_whole(dir: &Dir, bytes: &[u8]) {
    assert_whole_at(AT, dir, bytes);
    assert_eq!(dir.names(), ["a.bin", "there.bin"]);
}

fn assert_whole_at(at: usize, dir: &Dir, bytes: &[u8]) {
    let there = dir.read("there.bin");
    assert_eq!(there.len(), AT + BYTES + BEHIND);
    assert!(there[at..at + BYTES] == *bytes, "other bytes");
    assert!(there[..at.min(AT)].iter().all(|byte| *byte == 0xaa), "before it");
    assert!(
        there[AT.max(at) + BYTES..].iter().all(|byte| *byte == 0xaa),
        "behind it"
    );
}

/// What `resume` lists of the folder.
fn listed(dir: &Dir) -> Json {
    let objects = dir.run("resume --json").done().objects();
    objects
        .into_iter()
        .find(|object| object["recorded_bytes"].is_number())
        .unwrap_or_default()
}

/// Somebody else writes a byte into the array's part of the file.
fn write_at(dir: &Dir, at: u64) {
    let file = std::fs::File::options().write(true).open(dir.path().join("there.bin"));
    file.expect("there")
        .write_all_at(b"?", AT as u64 + at)
        .expect("written");
}

fn log(dir: &Dir) -> Option<PathBuf> {
    log_in(dir.path())
}

#[test]
fn what_a_killed_receiver_had_in_a_part_of_a_file_is_not_sent_again() {
    for (options, streams) in [("", ""), ("--no-sync", ""), ("--receive-route map", "--streams 4")] {
        let (dir, bytes) = dir();
        killed_with(12, &dir, options, streams);
        let there = go_on(&dir, receive(&dir, options), streams);
        assert!(there >= 12 * BLOCK && there < BYTES as u64, "{options}: {there}");
        assert_whole(&dir, &bytes);
        // It is done, and done again it begins anew.
        assert_eq!(go_on(&dir, receive(&dir, options), streams), 0);
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn what_a_killed_sender_had_sent_into_a_part_of_a_file_is_not_sent_again() {
    let (dir, bytes) = dir();
    let receiver = receive(&dir, "");
    let sender = send_slowly(&dir, &receiver.address, "--streams 4");
    until_recorded_in(dir.path(), 12);
    sender.signal(Signal::KILL);
    drop(sender);
    receiver.wait().failed(1, &["overwritten already"]);
    let there = go_on(&dir, receive(&dir, ""), "--streams 4");
    assert!(there >= 12 * BLOCK && there < BYTES as u64, "{there}");
    assert_whole(&dir, &bytes);
}

#[test]
fn a_loopback_into_a_part_of_an_array_with_a_header_goes_on_by_whichever_path() {
    let dir = Dir::new();
    let whole = |data: &[u8]| super::npy("'<f8'", "(6000010,)", data);
    dir.write("whole.npy", whole(&vec![0; 48_000_080]));
    std::os::unix::fs::symlink("whole.npy", dir.path().join("link.npy")).expect("a link");
    let arguments = "loopback range:0:6e6 --at 32 --json --into";
    let slow = format!("{arguments} link.npy --limit 40MB/s");
    let process = dir.arraylift(slow.split(' ')).start();
    until_recorded_in(dir.path(), 12);
    process.signal(Signal::KILL);
    drop(process);
    let ended = dir.run(&format!("{arguments} whole.npy")).done();
    assert!(resumed_bytes(&ended) >= 12 * BLOCK, "{ended:?}");
    let preview = ended.objects().into_iter().rfind(|object| object["event"] == "preview");
    assert_eq!(preview.expect("a preview")["values"][1], 1.0);
    let expected = [vec![0; 32], super::floats(6_000_000), vec![0; 48]].concat();
    assert!(dir.read("whole.npy") == whole(&expected));
    assert_eq!(dir.names(), ["link.npy", "whole.npy"]);
}

#[test]
fn blocks_into_which_somebody_wrote_between_are_sent_again_and_the_others_are_not() {
    // A mark says that they are on disk, which nobody trusts.
    for options in ["", "--no-sync"] {
        let (dir, bytes) = dir();
        killed_at("10MB/s", 100, &dir, options, "");
        let recorded = listed(&dir)["recorded_bytes"].as_u64().expect("a number");
        for at in [0, 2 * BLOCK - 1] {
            write_at(&dir, at);
        }
        let there = go_on(&dir, receive(&dir, options), "");
        // At that limit a block has a quarter of these bytes.
        assert_eq!(there, recorded - 2 * (BLOCK / 4), "{options}");
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn a_claimed_block_into_which_somebody_writes_meanwhile_fails_the_transfer_and_the_next_one_sends_it() {
    for options in ["", "--no-sync"] {
        let (dir, bytes) = dir();
        killed_with(12, &dir, options, "");
        let mut receiver = receive(&dir, options);
        let sender = send_at("20MB/s", &dir, &receiver.address, "");
        while !receiver.line().contains("\"started\"") {}
        write_at(&dir, 5);
        receiver.wait().failed(1, &["changed by someone else"]);
        sender.wait().failed(1, &[]);
        let there = go_on(&dir, receive(&dir, options), "");
        assert!(there >= 12 * BLOCK && there < BYTES as u64, "{there}");
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn another_place_another_array_and_another_file_of_that_name_begin_anew() {
    let (dir, bytes) = dir();
    killed_with(12, &dir, "", "");
    // Only the place is another, and what was written down of the first one stays true.
    let elsewhere = AT + BYTES / 2;
    dir.write("there.bin", {
        let mut there = dir.read("there.bin");
        there.resize(elsewhere + BYTES, 0xaa);
        there
    });
    assert_eq!(go_on(&dir, receive_at(elsewhere, &dir, ""), ""), 0);
    assert!(dir.read("there.bin")[elsewhere..] == bytes);
    assert!(go_on(&dir, receive(&dir, ""), "") >= 12 * BLOCK);
    let (dir, bytes) = self::dir();
    killed_with(12, &dir, "", "");
    // The same bytes, of another type.
    let receiver = receive(&dir, "");
    let sent = dir
        .run(&format!("send range:0:6291456 {} --json", receiver.address))
        .done();
    assert_eq!((resumed_bytes(&sent), resumed_bytes(&receiver.wait().done())), (0, 0));
    assert_whole(&dir, &super::floats(6_291_456));
    // The same bytes in a file of the same name.
    killed_with(12, &dir, "", "");
    std::fs::rename(dir.path().join("there.bin"), dir.path().join("was")).expect("renamed");
    std::fs::copy(dir.path().join("was"), dir.path().join("there.bin")).expect("copied");
    std::fs::remove_file(dir.path().join("was")).expect("there");
    assert_eq!(go_on(&dir, receive(&dir, ""), ""), 0);
    assert_whole(&dir, &bytes);
}

#[test]
fn a_log_of_a_part_of_a_file_that_is_torn_or_cut_is_no_worse_than_none() {
    type Change = fn(&std::fs::File);
    let changes: [Change; 4] = [
        |log| log.set_len(0).expect("cut"),
        |log| log.set_len(12288 + 40).expect("cut"),
        |log| log.write_all_at(&[0; 5000], 0).expect("written"),
        |log| log.write_all_at(&[0; 40], 12288 + 70).expect("written"),
    ];
    for change in changes {
        let (dir, bytes) = dir();
        killed_with(12, &dir, "", "");
        let file = std::fs::File::options().write(true).open(log(&dir).expect("a log"));
        change(&file.expect("there"));
        assert!(go_on(&dir, receive(&dir, ""), "") < BYTES as u64);
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn to_stop_a_receiver_into_a_part_of_a_file_keeps_its_log_and_to_cancel_its_transfer_removes_it() {
    for is_kept in [true, false] {
        let (dir, bytes) = dir();
        let receiver = receive(&dir, "");
        let sender = send_at("10MB/s", &dir, &receiver.address, "");
        until_recorded_in(dir.path(), 16);
        if is_kept {
            receiver.signal(Signal::TERM);
        } else {
            dir.run(&format!("attach {} --cancel 1", receiver.id()));
        }
        receiver.wait().failed(1, &["cancelled"]);
        sender.wait().failed(1, &[]);
        assert_eq!(log(&dir).is_some(), is_kept, "{:?}", dir.names());
        assert_eq!(go_on(&dir, receive(&dir, ""), "") >= 4 * BLOCK, is_kept);
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn what_came_into_a_part_of_a_file_is_listed_and_to_discard_it_removes_its_log_alone() {
    let (dir, _) = dir();
    let receiver = receive(&dir, "");
    let sender = send_slowly(&dir, &receiver.address, "");
    until_recorded_in(dir.path(), 12);
    assert_eq!(listed(&dir)["is_in_use"], true);
    dir.run("resume --discard").failed(1, &["being received"]);
    receiver.signal(Signal::KILL);
    drop(receiver);
    sender.wait().failed(1, &["the peer "]);
    let part = listed(&dir);
    assert_eq!((&part["name"], &part["at_byte"]), (&"there.bin".into(), &AT.into()));
    assert!(
        part["recorded_bytes"].as_u64() >= Some(12 * BLOCK) && part["is_in_use"] == false,
        "{part}"
    );
    let text = dir.run("resume").done();
    assert!(
        text.stdout.starts_with("there.bin: ") && text.stdout.contains("a part of that file"),
        "{text:?}"
    );
    let before = dir.read("there.bin");
    let discarded = dir.run("resume --discard").done();
    assert!(discarded.stdout.contains("1 removed"), "{discarded:?}");
    assert_eq!(dir.names(), ["a.bin", "there.bin"]);
    assert!(dir.read("there.bin") == before, "the file stays as it is");
}

#[test]
fn where_no_log_can_be_made_a_part_of_a_file_is_received_into_all_the_same() {
    // Somebody else receives into the same part.
    let (dir, bytes) = dir();
    let first = receive(&dir, "");
    let sender = send_slowly(&dir, &first.address, "");
    until_recorded_in(dir.path(), 4);
    assert_eq!(go_on(&dir, receive(&dir, ""), ""), 0);
    sender.wait().done();
    first.wait().done();
    assert_whole(&dir, &bytes);
    // Nothing can be made in its folder.
    let locked = dir.folder("locked");
    dir.write("locked/there.bin", vec![0; BYTES]);
    std::fs::set_permissions(&locked, std::os::unix::fs::PermissionsExt::from_mode(0o555)).expect("own folder");
    dir.run("loopback a.bin --into locked/there.bin --at 0").done();
    assert!(dir.read("locked/there.bin") == bytes);
    std::fs::set_permissions(&locked, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("own folder");
    assert_eq!(super::common::names_in(&locked), ["there.bin"]);
}

#[test]
fn without_checksums_nothing_of_a_part_of_a_file_is_written_down() {
    let (dir, bytes) = dir();
    let receiver = receive(&dir, "");
    let sender = send_slowly(&dir, &receiver.address, "--no-verify");
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert!(log(&dir).is_none());
    sender.signal(Signal::KILL);
    drop(sender);
    receiver.wait().failed(1, &["overwritten already"]);
    assert_eq!(dir.names(), ["a.bin", "there.bin"]);
    assert_eq!(go_on(&dir, receive(&dir, ""), ""), 0);
    assert_whole(&dir, &bytes);
}
