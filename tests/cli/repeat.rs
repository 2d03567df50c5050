//! `--repeat`: many transfers in one process, and nothing that grows with them.

use rustix::process::Signal;

use crate::common::{Dir, Process};

/// Large enough for a thread that faults memory in ahead.
const FLOATS: u64 = 1_200_000;
/// Growth that is none: an allocator's own. One array that was not given back is more.
const GROWTH_BYTES_MAX: u64 = 4 << 20;
/// Growth that is none: it is stopped while it holds those of a transfer.
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
    let early = held(&mut process, 20);
    let late = held(&mut process, 200);
    process.wait().done();
    assert!(
        late.descriptors < early.descriptors + GROWTH_DESCRIPTORS_MAX
            && late.resident_bytes < early.resident_bytes + GROWTH_BYTES_MAX,
        "{early:?} {late:?}"
    );
}

#[test]
fn ten_thousand_small_transfers_take_the_memory_of_the_first_thousand() {
    let dir = Dir::new();
    let mut process = dir
        .arraylift("loopback range:0:1000 --repeat 10100 --json".split(' '))
        .start();
    let early = held(&mut process, 1000);
    let late = held(&mut process, 10_000);
    process.wait().done();
    println!("{early:?} {late:?}");
    // 9,000 transfers that leave 120 bytes each behind are more.
    assert!(
        late.descriptors < early.descriptors + GROWTH_DESCRIPTORS_MAX
            && late.resident_bytes < early.resident_bytes + (1 << 20),
        "{early:?} {late:?}"
    );
}

#[derive(Debug)]
struct Held {
    resident_bytes: u64,
    descriptors: usize,
}

/// What a process holds at the least, of five looks from the end of this transfer on.
fn held(process: &mut Process, transfer: u64) -> Held {
    let looks = (transfer..transfer + 5).map(|transfer| look(process, transfer));
    let least = |one: Held, other: Held| Held {
        resident_bytes: one.resident_bytes.min(other.resident_bytes),
        descriptors: one.descriptors.min(other.descriptors),
    };
    looks.reduce(least).expect("looks")
}

/// What it holds somewhere in the transfer after this one.
fn look(process: &mut Process, transfer: u64) -> Held {
    loop {
        let line = process.line();
        assert!(!line.is_empty(), "it ended before transfer {transfer}");
        if line.contains(r#""event":"finished""#) && line.contains(&format!(r#""transfer":{transfer},"#)) {
            break;
        }
    }
    process.hang();
    let held = Held {
        resident_bytes: process.resident_bytes(),
        descriptors: process.descriptors(),
    };
    process.signal(Signal::CONT);
    held
}
