//! One array over several connections: never a hole, whatever becomes of one of them.

use std::time::Duration;

use arraylift::{
    ChecksumKind, Endpoint, Error, Event, EventKind, Incoming, Job, Listener, Options, Outcome, ReceiveRouteChoice,
    SendRouteChoice, Side, SinkSpec, WireChoice,
};

use crate::cutting_proxy::{Cut, cutting_proxy};
use crate::support::*;

fn over(streams: u16) -> Options {
    Options {
        streams,
        ..options(WireChoice::Native)
    }
}

fn streams_of(events: &[Event], side: Side) -> u16 {
    let started = events.iter().find_map(|event| match &event.kind {
        EventKind::Started(started) if event.side == side => Some(started.streams),
        _ => None,
    });
    started.expect("started")
}

#[test]
fn every_byte_arrives_over_any_number_of_connections_into_every_sink() {
    let folder = tempfile::tempdir().expect("folder");
    let content = pattern(9 * BLOCK + 12_345);
    let from = file(folder.path(), "from.bin", &content);
    for streams in [2, 3, 8, 16] {
        for (send_route, receive_route, checksum) in [
            (SendRouteChoice::Auto, ReceiveRouteChoice::Auto, ChecksumKind::Crc64Nvme),
            (SendRouteChoice::Write, ReceiveRouteChoice::Splice, ChecksumKind::Crc32),
            (SendRouteChoice::Sendfile, ReceiveRouteChoice::Recv, ChecksumKind::None),
        ] {
            let what = format!("{streams} by {}", send_route.name());
            let into = folder.path().join("into.bin");
            let options = Options {
                send_route,
                receive_route,
                checksum,
                ..over(streams)
            };
            let job = Job::Loopback {
                source: source(&from),
                sink: SinkSpec::File(into.clone()),
            };
            let (outcome, events) = run(job, &options);
            assert_eq!(done(outcome).bytes, content.len() as u64, "{what}");
            assert!(
                std::fs::read(&into).expect("read") == content,
                "{what}: other bytes landed"
            );
            // Ten blocks, so that more connections would have nothing to do.
            assert_eq!(streams_of(&events, Side::Receiver), streams.min(10), "{what}");
            let ends = events
                .iter()
                .filter(|event| matches!(event.kind, EventKind::Finished(_)));
            assert_eq!(ends.count(), 2, "{what}: one end a side");
            std::fs::remove_file(&into).expect("remove");
        }
        for sink in [SinkSpec::Memory, SinkSpec::Discard] {
            let job = Job::Loopback {
                source: range("0:5e6", "f64"),
                sink,
            };
            let finished = done(run(job, &over(streams)).0);
            assert_eq!((finished.bytes, finished.verified), (40_000_000, Some(true)));
        }
    }
}

#[test]
fn a_small_array_takes_one_connection() {
    let job = Job::Loopback {
        source: range("0:1000", "f64"),
        sink: SinkSpec::Memory,
    };
    let (outcome, events) = run(job, &over(8));
    assert_eq!(done(outcome).verified, Some(true));
    assert_eq!(streams_of(&events, Side::Receiver), 1);
}

#[test]
fn counters_and_first_values_are_those_of_all_connections() {
    let job = Job::Loopback {
        source: range("0:5e6", "f64"),
        sink: SinkSpec::Memory,
    };
    let (outcome, events) = run(job, &over(4));
    done(outcome);
    for side in [Side::Sender, Side::Receiver] {
        let samples: Vec<_> = events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Sample(sample) if event.side == side => Some(sample),
                _ => None,
            })
            .collect();
        assert!(
            samples.windows(2).all(|pair| pair[0].bytes <= pair[1].bytes),
            "{side:?}"
        );
        assert_eq!(samples.last().map(|sample| sample.bytes), Some(40_000_000), "{side:?}");
        let counted = samples
            .iter()
            .rev()
            .find_map(|sample| sample.counters)
            .expect("counters");
        // No call moves more than a chunk.
        assert!(counted.syscalls >= 40_000_000 / CHUNK as u64, "{side:?}: {counted:?}");
    }
    let first = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Preview { values, .. } if event.side == Side::Receiver => Some(values.clone()),
        _ => None,
    });
    let sent = events.iter().find_map(|event| match &event.kind {
        EventKind::Preview { values, .. } if event.side == Side::Sender => Some(values.clone()),
        _ => None,
    });
    assert_eq!(first, sent);
}

#[test]
fn a_receiver_over_tcp_and_over_a_unix_socket_lets_further_connections_in() {
    let folder = tempfile::tempdir().expect("folder");
    for at in [
        Endpoint::Tcp("127.0.0.1:0".into()),
        Endpoint::Unix(folder.path().join("socket")),
    ] {
        let listener = Listener::bind(&at).expect("free");
        let to = Endpoint::parse(listener.address()).expect("address");
        let job = Job::Receive {
            from: Incoming::Listener(listener),
            sink: SinkSpec::Memory,
            expect: None,
        };
        let (receiving, events) = start(job, &options(WireChoice::Auto));
        let send = Job::Send {
            source: range("0:5e6", "f64"),
            to,
        };
        let by_bytes = Options {
            // Over a Unix socket auto would hand the array over as a whole.
            send_route: SendRouteChoice::Write,
            ..over(4)
        };
        assert_eq!(done(run(send, &by_bytes).0).verified, Some(true));
        assert_eq!(done(receiving.join()).bytes, 40_000_000);
        let events: Vec<Event> = events.try_iter().collect();
        assert_eq!(streams_of(&events, Side::Receiver), 4);
    }
}

#[test]
fn a_receiver_of_many_hands_each_connection_to_the_transfer_that_it_belongs_to() {
    let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("free");
    let to = Endpoint::parse(listener.address()).expect("address");
    let receiving: Vec<_> = (0..8)
        .map(|_| {
            let job = Job::Receive {
                from: Incoming::Listener(listener.clone()),
                sink: SinkSpec::Memory,
                expect: None,
            };
            start(job, &options(WireChoice::Auto))
        })
        .collect();
    let sending: Vec<_> = [40_000_000_u64, 24_000_000]
        .into_iter()
        .map(|bytes| {
            let send = Job::Send {
                source: range(&format!("0:{}", bytes / 8), "f64"),
                to: to.clone(),
            };
            (bytes, start(send, &over(4)).0)
        })
        .collect();
    for (bytes, transfer) in sending {
        let finished = done(transfer.join());
        assert_eq!((finished.bytes, finished.verified), (bytes, Some(true)));
    }
    let mut whole = Vec::new();
    for (transfer, events) in receiving {
        // Those that nobody has connected to.
        if transfer.outcome().is_none() {
            std::thread::sleep(Duration::from_millis(100));
            transfer.cancel();
        }
        match transfer.join() {
            Outcome::Done(finished) => {
                whole.push(finished.bytes);
                let events: Vec<Event> = events.try_iter().collect();
                assert_eq!(streams_of(&events, Side::Receiver), 4);
            }
            // One that meets connections which join another transfer hands them over and waits on.
            Outcome::Cancelled => {}
            other => panic!("{other:?}"),
        }
    }
    whole.sort_unstable();
    assert_eq!(whole, [24_000_000, 40_000_000]);
}

#[test]
fn without_a_listener_all_comes_over_the_first_connection() {
    let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("free");
    let job = Job::Receive {
        from: Incoming::Listener(listener.clone()),
        sink: SinkSpec::Memory,
        expect: None,
    };
    // Someone else has the listener, and takes nothing.
    let to = Endpoint::parse(listener.address()).expect("address");
    let (receiving, _events) = start(job, &options(WireChoice::Auto));
    let send = Job::Send {
        source: range("0:5e6", "f64"),
        to,
    };
    assert_eq!(done(run(send, &over(4)).0).verified, Some(true));
    assert_eq!(done(receiving.join()).bytes, 40_000_000);
    drop(listener);
}

#[test]
fn pausing_limiting_and_cancelling_hold_for_all_connections() {
    let (transfer, events) = start(
        Job::Loopback {
            source: range("0:1e8", "f64"),
            sink: SinkSpec::Discard,
        },
        &Options {
            limit_bytes_per_s: Some(50_000_000),
            ..over(4)
        },
    );
    wait_for_bytes(&events, Side::Receiver, 1_000_000);
    transfer.pause();
    wait_until("all connections rest", || {
        let before = last_bytes(&events);
        std::thread::sleep(Duration::from_millis(300));
        before.is_some() && last_bytes(&events) == before
    });
    transfer.resume();
    transfer.set_limit(None);
    wait_for_bytes(&events, Side::Receiver, 100_000_000);
    transfer.cancel();
    assert!(matches!(transfer.join(), Outcome::Cancelled | Outcome::Done(_)));
}

fn last_bytes(events: &crossbeam_channel::Receiver<Event>) -> Option<u64> {
    let samples = events.try_iter().filter_map(|event| match event.kind {
        EventKind::Sample(sample) if event.side == Side::Receiver => Some(sample.bytes),
        _ => None,
    });
    samples.last()
}

fn through_a_proxy(cut: usize, after_bytes: usize, into: &std::path::Path) -> (Outcome, Outcome) {
    let options = (options(WireChoice::Auto), over(3));
    through(
        |to| cutting_proxy(to, cut, after_bytes, Cut::AtBothEnds),
        &options,
        into,
    )
}

/// What comes of an array that goes to a file through a proxy, with options of the receiver and of the sender.
fn through(
    proxy: impl Fn(String) -> String,
    (receive_options, send_options): &(Options, Options),
    into: &std::path::Path,
) -> (Outcome, Outcome) {
    let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("free");
    let proxy = proxy(listener.address().into());
    let job = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::File(into.into()),
        expect: None,
    };
    let (receiving, _events) = start(job, receive_options);
    let send = Job::Send {
        source: range("0:2e7", "f64"),
        to: Endpoint::parse(&proxy).expect("address"),
    };
    let (sent, _) = run(send, send_options);
    (sent, receiving.join())
}

#[test]
fn a_connection_that_breaks_within_a_block_is_an_error_and_nothing_gets_its_name() {
    let folder = tempfile::tempdir().expect("folder");
    for cut in [0, 1, 2] {
        let into = folder.path().join("into.npy");
        let (sent, received) = through_a_proxy(cut, 5_000_000, &into);
        for outcome in [sent, received] {
            let error = error(outcome);
            assert!(
                matches!(
                    error,
                    Error::ClosedEarly { .. } | Error::ClosedWhile(_) | Error::GoesAway(_)
                ),
                "connection {cut}: {error:?}"
            );
        }
        assert!(whole_in(folder.path()).is_empty(), "connection {cut}");
    }
}

#[test]
fn a_connection_that_loses_blocks_ends_an_array_within_the_timeout_though_both_ends_have_limits() {
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join("into.npy");
    let limited = |options| Options {
        limit_bytes_per_s: Some(400_000_000),
        timeout: Duration::from_secs(2),
        ..options
    };
    let options = (limited(options(WireChoice::Auto)), limited(over(3)));
    let (sent, received) = through(|to| cutting_proxy(to, 1, 5_000_000, Cut::Nowhere), &options, &into);
    for outcome in [sent, received] {
        error(outcome);
    }
    assert!(whole_in(folder.path()).is_empty());
}

#[test]
fn a_connection_that_never_comes_about_is_made_up_for_by_the_others() {
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join("into.npy");
    // Within the greeting: it never joins.
    let (sent, received) = through_a_proxy(2, 5, &into);
    assert_eq!(done(sent).verified, Some(true));
    assert_eq!(done(received).bytes, 160_000_000);
    assert_eq!(std::fs::metadata(&into).expect("there").len(), 160_000_000 + 128);
}

#[test]
fn several_connections_on_a_wire_without_blocks_are_refused_before_anything_starts() {
    let job = Job::Loopback {
        source: range("0:10", "f64"),
        sink: SinkSpec::Memory,
    };
    let options = Options {
        wire: WireChoice::Npy,
        ..over(2)
    };
    assert!(matches!(error(run(job, &options).0), Error::Usage(_)));
}
