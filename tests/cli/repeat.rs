//! `--repeat`: many transfers in one process, and nothing that grows with them.

use crate::common::{Dir, Process};

/// Large enough for a thread that faults memory in ahead.
const FLOATS: u64 = 1_200_000;
/// A pipe holds so much that has been said and not read.
const PIPE_BYTES: usize = 64 << 10;
/// Growth that is none: an allocator's own. One array that was not given back is more.
const GROWTH_BYTES_MAX: u64 = 4 << 20;
/// Growth that is none: it may stand still while it holds those of the transfer that it tells of.
/// One that each of 180 transfers left behind is more.
const GROWTH_DESCRIPTORS_MAX: usize = 16;

#[test]
fn each_transfer_has_events_of_its_own_and_the_last_line_tells_the_median() {
    let dir = Dir::new();
    let ended = dir.run("loopback range:0:1e5 --repeat 3 --json").done();
    for side in ["sender", "receiver"] {
        let objects = ended.objects();
        let finished: Vec<_> = objects
            .iter()
            .filter(|object| object["event"] == "finished" && object["side"] == side)
            .map(|object| (object["transfer"].as_u64(), object["verified"].as_bool()))
            .collect();
        assert_eq!(finished, [1, 2, 3].map(|id| (Some(id), Some(true))));
    }
    let ended = dir.run("loopback range:0:1e5 --repeat 3").done();
    let last = ended.stdout.lines().last().expect("a line");
    assert!(last.starts_with("3 transfers: median "), "{ended:?}");
}

#[test]
fn a_folder_takes_many_and_a_file_one() {
    let dir = Dir::new();
    dir.folder("in");
    dir.run("loopback range:0:10 --repeat 2 --into in/").done();
    assert_eq!(
        crate::common::names_in(&dir.path().join("in")),
        ["range-1.npy", "range.npy"]
    );
    dir.run("loopback range:0:10 --repeat 2 --into a.npy")
        .failed(2, &["--repeat"]);
    dir.run("loopback range:0:10 --repeat 0").failed(2, &["--repeat"]);
    assert_eq!(dir.names(), ["in"]);
}

#[test]
fn two_hundred_transfers_leave_neither_memory_nor_descriptors_behind() {
    let dir = Dir::new();
    let arguments = format!("loopback range:0:{FLOATS} --repeat 300 --preview 200 --json");
    let mut process = dir.arraylift(arguments.split_whitespace()).start();
    let early = settled(&mut process, 20);
    let late = settled(&mut process, 200);
    let mut said_since = 0;
    loop {
        match process.line().len() {
            0 => break,
            len => said_since += len,
        }
    }
    process.wait().done();
    assert!(
        said_since > 2 * PIPE_BYTES,
        "it may have ended before it was looked at: {said_since}"
    );
    assert!(
        late.descriptors < early.descriptors + GROWTH_DESCRIPTORS_MAX
            && late.resident_bytes < early.resident_bytes + GROWTH_BYTES_MAX,
        "{early:?} {late:?}"
    );
}

#[derive(Debug)]
struct Held {
    resident_bytes: u64,
    descriptors: usize,
}

/// What a process holds that has finished its transfer of this number and stands still, as nobody reads what it says.
fn settled(process: &mut Process, transfer: u64) -> Held {
    loop {
        let line = process.line();
        assert!(!line.is_empty(), "it ended before transfer {transfer}");
        if line.contains(r#""event":"finished""#) && line.contains(&format!(r#""transfer":{transfer},"#)) {
            break;
        }
    }
    process.stand_still();
    Held {
        resident_bytes: process.resident_bytes(),
        descriptors: process.descriptors(),
    }
}
