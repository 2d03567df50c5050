//! What does not depend on the machine's mood: system calls, page faults, bytes copied.

use arraylift::{
    ChecksumKind, Counters, Event, EventKind, Job, Options, ReceiveRouteChoice, SendRouteChoice, Side, SinkSpec,
    SourceSpec, WireChoice,
};

use crate::support::*;

const BYTES: u64 = 64 << 20;
const BLOCKS: u64 = BYTES / BLOCK as u64;
/// Calls a block, where the socket takes and gives what it can: 64 KiB at a time and now and then less.
const CALLS_PER_BLOCK_MAX: u64 = 256;
const SMALL_PAGE_BYTES: u64 = 4096;

/// The last counters of a side.
#[track_caller]
fn counters(events: &[Event], side: Side) -> Counters {
    let counted = events.iter().rev().filter(|event| event.side == side);
    let counters = counted.filter_map(|event| match &event.kind {
        EventKind::Sample(sample) => sample.counters,
        _ => None,
    });
    counters.into_iter().next().expect("counters at the end")
}

fn moved(source: SourceSpec, sink: SinkSpec, options: &Options) -> Vec<Event> {
    let (outcome, events) = run(Job::Loopback { source, sink }, options);
    assert_eq!(done(outcome).bytes, BYTES);
    events
}

#[test]
fn every_byte_is_copied_as_often_as_the_route_must() {
    let folder = tempfile::tempdir().expect("folder");
    let from = file(
        folder.path(),
        "from.bin",
        &pattern(usize::try_from(BYTES).expect("small")),
    );
    let into = folder.path().join("into.bin");
    let memory = || SinkSpec::Memory;
    let to_file = || SinkSpec::File(into.clone());
    let (sendfile, write) = (SendRouteChoice::Sendfile, SendRouteChoice::Write);
    let (recv, splice) = (ReceiveRouteChoice::Recv, ReceiveRouteChoice::Splice);
    for wire in WIRES {
        for (send_route, receive_route, sink, sent, received) in [
            (sendfile, recv, memory(), 0, 1),
            (write, recv, memory(), 1, 1),
            (sendfile, recv, SinkSpec::Discard, 0, 1),
            (sendfile, recv, to_file(), 0, 2),
            (write, splice, to_file(), 1, 2),
        ] {
            let options = Options {
                send_route,
                receive_route,
                wire,
                ..Options::default()
            };
            let what = format!("{options:?} into {sink:?}");
            let events = moved(source(&from), sink, &options);
            assert_eq!(
                counters(&events, Side::Sender).copied_bytes,
                sent * BYTES,
                "sender, {what}"
            );
            assert_eq!(
                counters(&events, Side::Receiver).copied_bytes,
                received * BYTES,
                "receiver, {what}"
            );
            let _ = std::fs::remove_file(&into);
        }
    }
}

#[test]
fn a_block_takes_a_bounded_number_of_system_calls_and_at_least_those_that_its_length_needs() {
    let chunks = BYTES / Options::default().chunk_bytes as u64;
    for (send_route, checksum) in [
        (SendRouteChoice::Sendfile, ChecksumKind::Crc64Nvme),
        (SendRouteChoice::Sendfile, ChecksumKind::None),
        (SendRouteChoice::Write, ChecksumKind::Crc64Nvme),
    ] {
        let options = Options {
            send_route,
            checksum,
            ..Options::default()
        };
        let events = moved(range("0:8388608", "f64"), SinkSpec::Memory, &options);
        for side in [Side::Sender, Side::Receiver] {
            let counters = counters(&events, side);
            let expected = chunks..=BLOCKS * CALLS_PER_BLOCK_MAX;
            assert!(
                expected.contains(&counters.syscalls),
                "{side:?}, {options:?}: {counters:?}"
            );
            assert!(counters.short_operations <= counters.syscalls, "{side:?}: {counters:?}");
        }
    }
}

#[test]
fn the_copying_route_copies_the_rest_after_every_send() {
    let bytes = 8 << 20;
    let options = Options {
        send_route: SendRouteChoice::Copying,
        wire: WireChoice::Raw,
        chunk_bytes: 1 << 20,
        ..Options::default()
    };
    let job = Job::Loopback {
        source: range("0:8388608", "u8"),
        sink: SinkSpec::Memory,
    };
    let (outcome, events) = run(job, &options);
    assert_eq!(done(outcome).bytes, bytes);
    let counters = counters(&events, Side::Sender);
    // At the least a chunk a send: 7 + 6 + 5 + ... of 8 chunks. At the most as much as each send could leave.
    let least = bytes + (7 * 8 / 2) * (1 << 20);
    let most = bytes + counters.syscalls * bytes;
    assert!((least..=most).contains(&counters.copied_bytes), "{counters:?}");
}

#[test]
fn the_thread_that_receives_finds_its_pages_in_place() {
    let options = Options {
        send_route: SendRouteChoice::Sendfile,
        ..Options::default()
    };
    let events = moved(range("0:8388608", "f64"), SinkSpec::Memory, &options);
    let kind = events.iter().find_map(|event| match &event.kind {
        EventKind::Started(started) => started.memory.as_deref(),
        _ => None,
    });
    let faults = counters(&events, Side::Receiver).page_faults;
    // Where it outruns the thread that faults ahead it faults itself, at most once a page. A huge page is 512 small
    // ones; some may be small all the same, where memory is in pieces.
    let pages = BYTES / SMALL_PAGE_BYTES;
    let most = if kind.is_some_and(|kind| kind.contains("huge pages,")) {
        pages / 4
    } else {
        pages
    };
    // Its stack, its buffers, what it says.
    let own = 200;
    assert!(faults <= most + own, "{faults} page faults in {kind:?}");
}
