//! Pause, resume, limit and cancel while bytes move.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use arraylift::{
    Endpoint, EventKind, Incoming, Job, Listener, Options, Outcome, Side, SinkSpec, Slice, SourceSpec, State, Transfer,
    WireChoice,
};

use crate::support::*;

#[test]
fn a_pause_stops_the_bytes_and_resuming_moves_the_rest() {
    for wire in WIRES {
        let options = Options {
            limit_bytes_per_s: Some(4 << 20),
            ..options(wire)
        };
        let job = Job::Loopback {
            source: range("0:1e6", "f64"),
            sink: SinkSpec::Memory,
        };
        let (transfer, events) = start(job, &options);
        wait_for_bytes(&events, Side::Receiver, 1);
        transfer.pause();
        let mut paused_s = None;
        wait_until("the sender says that it is paused", || {
            paused_s = events.try_iter().find_map(|event| match event.kind {
                EventKind::State { state: State::Paused } if event.side == Side::Sender => Some(event.elapsed_s),
                _ => None,
            });
            paused_s.is_some()
        });
        transfer.set_limit(None);
        let mut moved = Vec::new();
        wait_until("samples come while paused", || {
            moved.extend(events.try_iter().filter_map(|event| match event.kind {
                EventKind::Sample(sample) if event.side == Side::Sender && Some(event.elapsed_s) > paused_s => {
                    Some(sample.bytes)
                }
                _ => None,
            }));
            moved.len() >= 5
        });
        assert!(
            moved.windows(2).all(|pair| pair[0] == pair[1]),
            "{}: {moved:?}",
            wire.name()
        );
        assert!(transfer.outcome().is_none());
        transfer.resume();
        assert_eq!(done(transfer.join()).bytes, 8_000_000);
    }
}

#[test]
fn a_pause_counts_in_the_mean_of_neither_end() {
    let options = Options {
        limit_bytes_per_s: Some(8_000_000),
        ..options(WireChoice::Native)
    };
    let job = Job::Loopback {
        source: range("0:1e6", "f64"),
        sink: SinkSpec::Memory,
    };
    let (transfer, events) = start(job, &options);
    wait_for_bytes(&events, Side::Receiver, 1);
    transfer.pause();
    std::thread::sleep(Duration::from_secs(4));
    transfer.resume();
    done(transfer.join());
    let means: Vec<f64> = events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::Finished(finished) => Some(finished.rate_bytes_per_s),
            _ => None,
        })
        .collect();
    // With the pause it would be 1.6 MB/s.
    assert!(means.len() == 2 && means.iter().all(|mean| *mean > 4e6), "{means:?}");
}

#[test]
fn a_receiver_that_waits_for_the_next_block_tells_of_a_pause_too() {
    let folder = tempfile::tempdir().expect("folder");
    let pipe = folder.path().join("numbers");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    // Both ways, so that nobody waits for the other end of the pipe.
    let feed = std::fs::File::options().read(true).write(true).open(&pipe);
    let mut feed = feed.expect("pipe");
    let half = SourceSpec {
        slice: Some(Slice {
            offset_bytes: 0,
            length_bytes: Some(8192),
        }),
        ..source(&pipe)
    };
    let job = Job::Loopback {
        source: half,
        sink: SinkSpec::Memory,
    };
    let (transfer, events) = start(job, &options(WireChoice::Native));
    feed.write_all(&[7; 4096]).expect("feed");
    wait_for_bytes(&events, Side::Receiver, 4096);
    for (act, told) in [
        (Transfer::pause as fn(&Transfer), State::Paused),
        (Transfer::resume, State::Transferring),
    ] {
        act(&transfer);
        wait_until("the receiver tells of it", || {
            events.try_iter().any(|event| {
                event.side == Side::Receiver && matches!(event.kind, EventKind::State { state } if state == told)
            })
        });
    }
    feed.write_all(&[7; 4096]).expect("feed");
    assert_eq!(done(transfer.join()).bytes, 8192);
}

#[test]
fn a_pause_longer_than_the_timeout_is_not_taken_for_silence_on_the_native_wire() {
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let to = Endpoint::parse(listener.address()).expect("address");
    let patient = Options {
        timeout: Duration::from_millis(600),
        ..options(WireChoice::Native)
    };
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Memory,
        expect: None,
    };
    let (receiver, _) = start(receive, &patient);
    let limited = Options {
        limit_bytes_per_s: Some(4 << 20),
        ..patient
    };
    let (sender, events) = start(
        Job::Send {
            source: range("0:1e6", "f64"),
            to,
        },
        &limited,
    );
    wait_for_bytes(&events, Side::Sender, 1);
    sender.pause();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!((sender.outcome(), receiver.outcome()), (None, None));
    sender.resume();
    sender.set_limit(None);
    receiver.pause();
    std::thread::sleep(Duration::from_millis(1500));
    receiver.resume();
    assert_eq!(done(sender.join()).bytes, 8_000_000);
    assert_eq!(done(receiver.join()).verified, Some(true));
}

#[test]
fn a_cancelled_transfer_ends_at_once_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("folder");
    for wire in WIRES {
        let options = Options {
            limit_bytes_per_s: Some(1 << 20),
            ..options(wire)
        };
        let sink = SinkSpec::File(folder.path().join("never"));
        let (transfer, events) = start(
            Job::Loopback {
                source: range("0:1e7", "f64"),
                sink,
            },
            &options,
        );
        wait_for_bytes(&events, Side::Receiver, 1);
        let has_part = names_in(folder.path()).iter().any(|name| name.contains(".arraylift-"));
        assert!(has_part, "a .part while it runs");
        transfer.cancel();
        assert_eq!(transfer.join(), Outcome::Cancelled, "{}", wire.name());
        assert!(names_in(folder.path()).is_empty());
    }
}

#[test]
fn a_listening_transfer_can_be_cancelled_and_a_dropped_one_is() {
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let address = listener.address().to_owned();
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Memory,
        expect: None,
    };
    let (transfer, _) = start(receive, &Options::default());
    drop(transfer);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn a_limited_receiver_keeps_its_sender_patient() {
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let to = Endpoint::parse(listener.address()).expect("address");
    let patient = Options {
        timeout: Duration::from_millis(600),
        ..options(WireChoice::Native)
    };
    let limited = Options {
        limit_bytes_per_s: Some(200_000),
        ..patient.clone()
    };
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Memory,
        expect: None,
    };
    let (receiver, _) = start(receive, &limited);
    // All of it fits the socket's buffers: the sender then waits for more than two seconds.
    let source = range("0:5e4", "f64");
    assert_eq!(done(run(Job::Send { source, to }, &patient).0).bytes, 400_000);
    assert_eq!(done(receiver.join()).verified, Some(true));
}
