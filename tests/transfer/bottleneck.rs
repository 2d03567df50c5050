//! Each verdict provoked by a real transfer: who was the limit, and what speaks for it.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;

use arraylift::{
    Cause, ChecksumKind, Counters, Endpoint, Event, EventKind, Incoming, Job, Listener, Options, SendRouteChoice, Side,
    SinkSpec, Verdict, WireChoice,
};

use crate::support::*;

const MB: u64 = 1_000_000;

/// 80 MB.
fn long() -> Job {
    Job::Loopback {
        source: range("0:1e7", "f64"),
        sink: SinkSpec::Discard,
    }
}

fn verdict(events: &[Event]) -> Verdict {
    let mut told = events.iter().filter_map(|event| match &event.kind {
        EventKind::Bottleneck(verdict) => Some((**verdict).clone()),
        _ => None,
    });
    let verdict = told.next().expect("a verdict");
    assert!(told.next().is_none(), "one verdict");
    // Where it was too short to tell there are none.
    let sum = if verdict.limit.is_some() { 1.0 } else { 0.0 };
    assert!((verdict.shares.sum() - sum).abs() < 1e-6, "{verdict:?}");
    verdict
}

/// The verdict on a transfer that ended well.
fn verdict_on(job: Job, options: &Options) -> (Verdict, Vec<Event>) {
    let (outcome, events) = run(job, options);
    done(outcome);
    (verdict(&events), events)
}

fn last_counters(events: &[Event], wanted: Side) -> Counters {
    let mut counters = events.iter().filter_map(|event| match &event.kind {
        EventKind::Sample(sample) if event.side == wanted => sample.counters,
        _ => None,
    });
    counters.next_back().expect("counters at the end")
}

#[test]
fn a_slow_reader_is_the_limit_and_the_sender_waited_for_room() {
    let options = Options {
        reader_pace_bytes_per_s: Some(80 * MB),
        ..options(WireChoice::Native)
    };
    let (verdict, events) = verdict_on(long(), &options);
    assert_eq!(verdict.limit, Some(Cause::ReaderPace), "{verdict:?}");
    assert!(
        verdict.sentence.starts_with("The reader's pace was the limit "),
        "{}",
        verdict.sentence
    );
    let (sender, receiver) = (
        last_counters(&events, Side::Sender),
        last_counters(&events, Side::Receiver),
    );
    assert!(receiver.rested_pace_s > 0.0 && sender.blocked_send_s > receiver.blocked_receive_s);
    assert!(sender.rested_pace_s <= 0.0 && receiver.rested_limit_s <= 0.0);
}

#[test]
fn a_slow_writer_is_the_limit_and_the_receiver_waited_for_data() {
    let options = Options {
        writer_pace_bytes_per_s: Some(80 * MB),
        ..options(WireChoice::Native)
    };
    let (verdict, events) = verdict_on(long(), &options);
    assert_eq!(verdict.limit, Some(Cause::WriterPace), "{verdict:?}");
    let (sender, receiver) = (
        last_counters(&events, Side::Sender),
        last_counters(&events, Side::Receiver),
    );
    assert!(sender.rested_pace_s > 0.0 && receiver.blocked_receive_s > sender.blocked_send_s);
}

#[test]
fn a_rate_limit_is_told_from_a_slow_writer() {
    for wire in WIRES {
        let options = Options {
            limit_bytes_per_s: Some(80 * MB),
            ..options(wire)
        };
        let (verdict, events) = verdict_on(long(), &options);
        assert_eq!(verdict.limit, Some(Cause::Limit), "{}: {verdict:?}", wire.name());
        let sender = last_counters(&events, Side::Sender);
        assert!(sender.rested_limit_s > 0.0 && sender.rested_pace_s <= 0.0);
    }
}

#[test]
fn a_pace_is_changed_while_it_runs_and_the_verdict_follows() {
    let (transfer, events) = start(
        Job::Loopback {
            source: range("0:3e7", "f64"),
            sink: SinkSpec::Discard,
        },
        &options(WireChoice::Native),
    );
    transfer.set_pace(Side::Receiver, Some(100 * MB));
    std::thread::sleep(std::time::Duration::from_millis(400));
    transfer.set_pace(Side::Receiver, None);
    transfer.set_pace(Side::Sender, Some(2000 * MB));
    done(transfer.join());
    let events: Vec<Event> = events.try_iter().collect();
    assert!(last_counters(&events, Side::Receiver).rested_pace_s > 0.0);
    assert!(
        verdict(&events).shares.of(Cause::ReaderPace) > 0.3,
        "{:?}",
        verdict(&events)
    );
}

#[test]
fn small_buffers_are_the_limit_where_both_ends_wait() {
    let options = Options {
        socket_buffer_bytes: Some(4096),
        checksum: ChecksumKind::None,
        ..options(WireChoice::Native)
    };
    let (verdict, events) = verdict_on(long(), &options);
    assert_eq!(verdict.limit, Some(Cause::Buffers), "{verdict:?}");
    let (sender, receiver) = (
        last_counters(&events, Side::Sender),
        last_counters(&events, Side::Receiver),
    );
    assert!(sender.blocked_send_s > 0.0 && receiver.blocked_receive_s > 0.0);
    let tcp = sender.tcp.expect("a TCP connection");
    assert!(tcp.tcp_rwnd_limited_s + tcp.tcp_sndbuf_limited_s > 0.0, "{tcp:?}");
    let started = events.iter().find_map(|event| match &event.kind {
        EventKind::Started(started) => Some(started),
        _ => None,
    });
    let started = started.expect("started");
    // The kernel doubles what it is asked for.
    assert_eq!(
        (started.send_buffer_bytes, started.receive_buffer_bytes),
        (Some(8192), Some(8192))
    );
    assert_eq!(started.chunk_bytes, CHUNK);
}

#[test]
fn a_sender_that_copies_the_rest_after_every_send_is_the_limit_itself() {
    let options = Options {
        send_route: SendRouteChoice::Copying,
        ..options(WireChoice::Native)
    };
    let job = Job::Loopback {
        source: range("0:1e6", "f64"),
        sink: SinkSpec::Discard,
    };
    let (verdict, events) = verdict_on(job, &options);
    assert_eq!(verdict.limit, Some(Cause::Sender), "{verdict:?}");
    let (sender, receiver) = (
        last_counters(&events, Side::Sender),
        last_counters(&events, Side::Receiver),
    );
    assert!(sender.cpu_s() > receiver.cpu_s());
}

#[test]
fn a_receiver_that_has_more_to_do_than_the_sender_is_the_limit_itself() {
    // In memory, so that no disk has a part in it.
    let folder = tempfile::tempdir_in("/dev/shm").expect("folder");
    let content = pattern(64 << 20);
    let from = file(folder.path(), "from", &content);
    // The sender hands pages over; the receiver copies every byte twice, in small pieces.
    let options = Options {
        send_route: SendRouteChoice::Sendfile,
        checksum: ChecksumKind::None,
        chunk_bytes: 4096,
        ..options(WireChoice::Native)
    };
    let big = Options {
        chunk_bytes: 4 << 20,
        ..options.clone()
    };
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let to = Endpoint::parse(listener.address()).expect("address");
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::File(folder.path().join("into")),
        expect: None,
    };
    let (receiver, received) = start(receive, &options);
    let source = source(&from);
    let (sent, of_sender) = verdict_on(Job::Send { source, to }, &big);
    done(receiver.join());
    let received: Vec<Event> = received.try_iter().collect();
    let verdict = verdict(&received);
    assert_eq!(verdict.limit, Some(Cause::Receiver), "{verdict:?}");
    // What the other one did is not known at either end, and is not told.
    assert_eq!((verdict.evidence.sender, sent.evidence.receiver), (None, None));
    assert_eq!(sent.limit, Some(Cause::OtherEnd), "{sent:?}");
    assert!(
        sent.sentence.ends_with("what the other end did is not known here."),
        "{}",
        sent.sentence
    );
    let (sender, receiver) = (
        last_counters(&of_sender, Side::Sender),
        last_counters(&received, Side::Receiver),
    );
    assert!(receiver.cpu_s() > sender.cpu_s());
}

#[test]
fn a_cold_file_is_read_from_storage_and_that_takes_its_share_of_the_time() {
    // Not the folder for temporary files, which may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("folder");
    let len = 256 << 20;
    let path = file(folder.path(), "cold", &pattern(len));
    let options = Options {
        send_route: SendRouteChoice::Sendfile,
        checksum: ChecksumKind::None,
        chunk_bytes: 1 << 20,
        ..options(WireChoice::Native)
    };
    let job = || Job::Loopback {
        source: source(&path),
        sink: SinkSpec::Discard,
    };
    let (warm, events) = verdict_on(job(), &options);
    assert_eq!(last_counters(&events, Side::Sender).storage_read_bytes, 0);
    assert!(warm.shares.of(Cause::SenderDisk) <= 0.0, "{warm:?}");
    drop_from_cache(&path);
    let (cold, events) = verdict_on(job(), &options);
    let read = last_counters(&events, Side::Sender).storage_read_bytes;
    assert!(
        read >= len as u64 / 2,
        "{read} bytes came from it: is {} on a disk?",
        path.display()
    );
    // How large a share depends on the disk alone: one as fast as the receiver leaves the source little of the blame.
    let share = cold.shares.of(Cause::SenderDisk);
    assert!(share > 0.0, "{cold:?}");
    assert!(cold.limit == Some(Cause::SenderDisk) || share <= 0.5, "{cold:?}");
    if cold.limit == Some(Cause::SenderDisk) {
        assert!(cold.sentence.contains("came from it"), "{}", cold.sentence);
    }
}

/// Writes a file out and drops it from the page cache.
fn drop_from_cache(path: &Path) {
    let file = File::open(path).expect("open");
    file.sync_all().expect("sync");
    rustix::fs::fadvise(file.as_fd(), 0, None, rustix::fs::Advice::DontNeed).expect("drop from the cache");
}

#[test]
fn a_pause_is_told_as_one() {
    let options = Options {
        limit_bytes_per_s: Some(400 * MB),
        ..options(WireChoice::Native)
    };
    let (transfer, events) = start(long(), &options);
    transfer.pause();
    std::thread::sleep(std::time::Duration::from_millis(500));
    transfer.resume();
    done(transfer.join());
    let events: Vec<Event> = events.try_iter().collect();
    let verdict = verdict(&events);
    assert!(last_counters(&events, Side::Sender).paused_s > 0.0);
    assert_eq!(verdict.limit, Some(Cause::Paused), "{verdict:?}");
}

#[test]
fn a_unix_socket_has_no_network_and_nothing_is_told_of_one() {
    let folder = tempfile::tempdir().expect("folder");
    let at = Endpoint::Unix(folder.path().join("socket"));
    let listener = Listener::bind(&at).expect("free");
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Discard,
        expect: None,
    };
    let (receiver, _) = start(receive, &options(WireChoice::Native));
    let source = range("0:1e6", "f64");
    let (verdict, events) = verdict_on(Job::Send { source, to: at }, &options(WireChoice::Native));
    done(receiver.join());
    assert_eq!(last_counters(&events, Side::Sender).tcp, None);
    assert!(verdict.shares.of(Cause::Network) <= 0.0, "{verdict:?}");
}

#[test]
fn of_several_connections_none_is_paused_by_those_that_have_more_to_do() {
    for (at_sender, at_receiver) in [(None, Some(20 * MB)), (Some(20 * MB), None)] {
        let options = Options {
            streams: 4,
            limit_bytes_per_s: at_sender,
            reader_pace_bytes_per_s: at_receiver,
            ..options(WireChoice::Native)
        };
        let job = Job::Loopback {
            source: range("0:3e6", "f64"),
            sink: SinkSpec::Discard,
        };
        let (verdict, events) = verdict_on(job, &options);
        for side in [Side::Sender, Side::Receiver] {
            let counters = last_counters(&events, side);
            assert!(counters.paused_s <= 0.0, "{side:?}: {counters:?}");
        }
        assert!(verdict.shares.of(Cause::Paused) <= 0.0, "{verdict:?}");
        assert!(verdict.shares.of(Cause::Network) <= 0.0, "one machine: {verdict:?}");
        let [Some(sender), Some(receiver)] = [verdict.evidence.sender, verdict.evidence.receiver] else {
            panic!("both ends are here: {verdict:?}")
        };
        assert_eq!((sender.connections, receiver.connections), (4, 4), "{verdict:?}");
        assert!(
            verdict.sentence.ends_with(" rested, on average over 4 connections."),
            "{}",
            verdict.sentence
        );
    }
}
