//! Whole transfers by the library: every wire, every route, every edge size, on real sockets and real files.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arraylift::array::{ArrayMeta, Dtype, Range, Value, npy};
use arraylift::route::{ReceiveRouteChoice, SendRouteChoice};
use arraylift::transfer::{
    Endpoint, Event, EventKind, Finished, Incoming, Job, Listener, Options, Origin, Outcome, Side, SinkSpec, Slice,
    SourceSpec, State, Transfer,
};
use arraylift::wire::{ChecksumKind, WireChoice};
use arraylift::{Error, Fault};
use crossbeam_channel::{Receiver, bounded};

const CHUNK: usize = 64 << 10;
const BLOCK: usize = 4 << 20;
const WIRES: [WireChoice; 3] = [WireChoice::Native, WireChoice::Npy, WireChoice::Raw];
const SEND_ROUTES: [SendRouteChoice; 3] = [
    SendRouteChoice::Sendfile,
    SendRouteChoice::Write,
    SendRouteChoice::Copying,
];
const EDGE_BYTES: [usize; 7] = [0, 1, 4095, CHUNK, CHUNK + 1, BLOCK, BLOCK + 1];

fn start(job: Job, options: &Options) -> (Transfer, Receiver<Event>) {
    let (events, reader) = bounded(1 << 14);
    (
        Transfer::start(job, options.clone(), events, Arc::new(|| {})).expect("a thread"),
        reader,
    )
}

/// Runs a job to its end.
fn run(job: Job, options: &Options) -> (Outcome, Vec<Event>) {
    let (transfer, events) = start(job, options);
    let outcome = transfer.join();
    (outcome, events.try_iter().collect())
}

fn done(outcome: Outcome) -> Finished {
    match outcome {
        Outcome::Done(finished) => finished,
        other => panic!("not done: {other:?}"),
    }
}

fn error(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Failed(failure) => failure.error,
        other => panic!("not failed: {other:?}"),
    }
}

/// Waits for a condition that another thread brings about, for as long as a slow machine may need.
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn wait_for_bytes(events: &Receiver<Event>, side: Side, bytes: u64) {
    wait_until("bytes move", || {
        events
            .try_iter()
            .any(|event| event.side == side && matches!(event.kind, EventKind::Sample(sample) if sample.bytes >= bytes))
    });
}

/// Bytes that differ wherever two places could be mixed up.
fn pattern(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("write");
    path
}

fn source(path: &Path) -> SourceSpec {
    SourceSpec {
        origin: Origin::File {
            path: path.into(),
            dtype: None,
        },
        slice: None,
    }
}

fn range(text: &str, dtype: &str) -> SourceSpec {
    let range = Range::parse(text, Some(Dtype::from_name(dtype).expect("dtype"))).expect("range");
    SourceSpec {
        origin: Origin::Range(range),
        slice: None,
    }
}

fn options(wire: WireChoice) -> Options {
    Options {
        wire,
        chunk_bytes: CHUNK,
        timeout: Duration::from_secs(20),
        ..Options::default()
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    entries
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect()
}

fn crc64(bytes: &[u8]) -> Option<String> {
    let mut digest = arraylift::wire::Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(bytes);
    digest.to_text()
}

#[test]
fn every_wire_and_route_moves_every_edge_size_from_file_to_file() {
    let folder = tempfile::tempdir().expect("folder");
    for len in EDGE_BYTES {
        let content = pattern(len);
        let from = file(folder.path(), "from.bin", &content);
        for wire in WIRES {
            for send_route in SEND_ROUTES {
                for receive_route in [ReceiveRouteChoice::Recv, ReceiveRouteChoice::Splice] {
                    let what = format!(
                        "{len} bytes, {}, {} to {}",
                        wire.name(),
                        send_route.name(),
                        receive_route.name()
                    );
                    let into = folder.path().join("into.bin");
                    let options = Options {
                        send_route,
                        receive_route,
                        ..options(wire)
                    };
                    let job = Job::Loopback {
                        source: source(&from),
                        sink: SinkSpec::File(into.clone()),
                    };
                    let (outcome, events) = run(job, &options);
                    let finished = done(outcome);
                    assert_eq!(finished.bytes, len as u64, "{what}");
                    assert_eq!(finished.path.as_deref(), Some(into.as_path()), "{what}");
                    assert!(
                        std::fs::read(&into).expect("read") == content,
                        "{what}: other bytes landed"
                    );
                    let native = wire == WireChoice::Native;
                    assert_eq!(finished.verified, native.then_some(true), "{what}");
                    assert_eq!(finished.checksum, crc64(&content).filter(|_| native), "{what}");
                    let routes: Vec<_> = events
                        .iter()
                        .filter_map(|event| {
                            if let EventKind::Started(started) = &event.kind {
                                Some(started)
                            } else {
                                None
                            }
                        })
                        .filter_map(|started| started.send_route.or(started.receive_route))
                        .collect();
                    assert!(
                        routes.contains(&send_route.name()) && routes.contains(&receive_route.name()),
                        "{what}: {routes:?}"
                    );
                    std::fs::remove_file(&into).expect("remove");
                }
            }
        }
    }
    assert_eq!(names_in(folder.path()), ["from.bin"]);
}

#[test]
fn every_wire_and_route_moves_a_range_into_memory_and_into_nothing() {
    for wire in WIRES {
        for send_route in SEND_ROUTES {
            for sink in [SinkSpec::Memory, SinkSpec::Discard] {
                for count in [0, 1, 511, CHUNK / 8 + 1, BLOCK / 8 + 1] {
                    let what = format!("{count}, {}, {}, {sink:?}", wire.name(), send_route.name());
                    let options = Options {
                        send_route,
                        ..options(wire)
                    };
                    let job = Job::Loopback {
                        source: range(&format!("0:{count}"), "f64"),
                        sink: sink.clone(),
                    };
                    let (outcome, events) = run(job, &options);
                    let finished = done(outcome);
                    let bytes: Vec<u8> = (0..count).flat_map(|i| (i as f64).to_le_bytes()).collect();
                    assert_eq!(finished.bytes, bytes.len() as u64, "{what}");
                    assert_eq!(
                        finished.checksum,
                        crc64(&bytes).filter(|_| wire == WireChoice::Native),
                        "{what}"
                    );
                    let last_preview = events.iter().rev().find_map(|event| match &event.kind {
                        EventKind::Preview { values, .. } if event.side == Side::Receiver => Some(values.clone()),
                        _ => None,
                    });
                    let expected: Vec<Value> = (0..count.min(10)).map(|i| Value::Float(i as f64)).collect();
                    assert_eq!(last_preview, Some(expected), "{what}");
                }
            }
        }
    }
}

#[test]
fn several_sparse_gigabytes_cross_and_every_byte_is_counted_and_checked() {
    const BYTES: u64 = 3 << 30;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("sparse.bin");
    let sparse = File::create(&path).expect("create");
    sparse.set_len(BYTES).expect("sparse");
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"end", BYTES - 3).expect("write");
    let options = Options {
        chunk_bytes: 1 << 20,
        ..options(WireChoice::Native)
    };
    let (outcome, _) = run(
        Job::Loopback {
            source: source(&path),
            sink: SinkSpec::Discard,
        },
        &options,
    );
    let finished = done(outcome);
    assert_eq!((finished.bytes, finished.verified), (BYTES, Some(true)));
}

#[test]
fn a_npy_file_arrives_as_the_same_array_whatever_its_dtype_order_and_shape() {
    let folder = tempfile::tempdir().expect("folder");
    for (descr, shape, order) in [
        ("'<f8'", vec![3, 4], arraylift::array::Order::Fortran),
        ("'>f4'", vec![5], arraylift::array::Order::C),
        ("'<U3'", vec![2, 2], arraylift::array::Order::C),
        ("[('a', '<i4'), ('b', '<f8')]", vec![7], arraylift::array::Order::C),
        ("'<f8'", vec![], arraylift::array::Order::C),
        ("'<f8'", vec![0, 4], arraylift::array::Order::C),
    ] {
        let dtype = Dtype::from_descr(descr).expect(descr);
        let shape = arraylift::array::Shape::new(shape).expect("shape");
        let meta = ArrayMeta::new(dtype, shape, order).expect("meta");
        let content = [
            npy::write_header(&meta),
            pattern(usize::try_from(meta.byte_len()).expect("small")),
        ]
        .concat();
        let from = file(folder.path(), "a.npy", &content);
        for wire in [WireChoice::Native, WireChoice::Npy] {
            let into = folder.path().join("b.npy");
            let job = Job::Loopback {
                source: source(&from),
                sink: SinkSpec::File(into.clone()),
            };
            done(run(job, &options(wire)).0);
            assert!(
                std::fs::read(&into).expect("read") == content,
                "{descr} over {}",
                wire.name()
            );
            std::fs::remove_file(&into).expect("remove");
        }
    }
}

#[test]
fn a_slice_is_sent_by_offset_and_length_and_lands_in_a_part_of_an_existing_array() {
    let folder = tempfile::tempdir().expect("folder");
    let zeros = ArrayMeta::vector(Dtype::f64(), 10).expect("meta");
    let existing = file(
        folder.path(),
        "zeros.npy",
        &[npy::write_header(&zeros), vec![0; 80]].concat(),
    );
    let mut slice = range("0:100", "f64");
    slice.slice = Some(Slice {
        offset_bytes: 400,
        length_bytes: Some(48),
    });
    // As recv_into(a[4:]) of elements 50 to 55.
    let job = Job::Loopback {
        source: slice,
        sink: SinkSpec::Within {
            path: existing.clone(),
            at_bytes: 32,
        },
    };
    assert_eq!(done(run(job, &options(WireChoice::Native)).0).bytes, 48);
    let content = std::fs::read(&existing).expect("read");
    let elements: Vec<f64> = content[content.len() - 80..]
        .as_chunks()
        .0
        .iter()
        .map(|bytes| f64::from_le_bytes(*bytes))
        .collect();
    assert_eq!(elements, [0.0, 0.0, 0.0, 0.0, 50.0, 51.0, 52.0, 53.0, 54.0, 55.0]);

    let mut beyond = range("0:100", "f64");
    beyond.slice = Some(Slice {
        offset_bytes: 0,
        length_bytes: Some(56),
    });
    let job = Job::Loopback {
        source: beyond,
        sink: SinkSpec::Within {
            path: existing,
            at_bytes: 32,
        },
    };
    assert!(matches!(
        error(run(job, &options(WireChoice::Native)).0),
        Error::SinkMismatch { .. }
    ));
}

#[test]
fn tcp_v4_tcp_v6_and_unix_sockets_all_carry_a_file_under_its_own_name() {
    let folder = tempfile::tempdir().expect("folder");
    let content = pattern(BLOCK + 5);
    let from = file(folder.path(), "photo.raw", &content);
    let unix = format!("unix:{}", folder.path().join("socket").display());
    for endpoint in ["127.0.0.1:0", "[::1]:0", &unix] {
        let received = tempfile::tempdir().expect("folder");
        let listener = Listener::bind(&Endpoint::parse(endpoint).expect("endpoint")).expect(endpoint);
        let to = Endpoint::parse(listener.address()).expect("address");
        let sink = SinkSpec::Folder(received.path().into());
        let receive = Job::Receive {
            from: Incoming::Listener(listener),
            sink,
            expect: None,
        };
        let (receiver, _events) = start(receive, &options(WireChoice::Auto));
        let sent = done(
            run(
                Job::Send {
                    source: source(&from),
                    to,
                },
                &options(WireChoice::Auto),
            )
            .0,
        );
        let got = done(receiver.join());
        assert_eq!(
            (sent.checksum.is_some(), &sent.checksum),
            (true, &got.checksum),
            "{endpoint}"
        );
        assert!(
            std::fs::read(received.path().join("photo.raw")).expect("read") == content,
            "{endpoint}"
        );
    }
}

/// Passes a connection on, changing one byte of what the sender says.
fn flipping_proxy(to: String, flip_at: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address").to_string();
    let body = move || {
        let (mut sender, _) = listener.accept().expect("sender");
        let mut receiver = TcpStream::connect(to).expect("receiver");
        let (mut back_from, mut back_to) = (receiver.try_clone().expect("clone"), sender.try_clone().expect("clone"));
        let back = std::thread::Builder::new()
            .spawn(move || std::io::copy(&mut back_from, &mut back_to))
            .expect("thread");
        let (mut buffer, mut passed) = (vec![0; 1 << 16], 0);
        while let Ok(n @ 1..) = sender.read(&mut buffer) {
            if (passed..passed + n).contains(&flip_at) {
                buffer[flip_at - passed] ^= 0x10;
            }
            passed += n;
            if receiver.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = receiver.shutdown(std::net::Shutdown::Write);
        let _ = back.join();
    };
    std::thread::Builder::new().spawn(body).expect("thread");
    address
}

#[test]
fn a_bit_that_flips_on_the_way_fails_the_transfer_at_its_block_on_both_ends_and_nothing_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    // Well within the third block: what precedes is an offer of some hundred bytes, and 24 bytes a block.
    let proxy = flipping_proxy(listener.address().into(), 2 * BLOCK + 100_000);
    let sink = SinkSpec::Folder(folder.path().into());
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink,
        expect: None,
    };
    let (receiver, _events) = start(receive, &options(WireChoice::Auto));
    let send = Job::Send {
        source: range("0:5e6", "f64"),
        to: Endpoint::parse(&proxy).expect("proxy"),
    };
    let sent = run(send, &options(WireChoice::Native)).0;
    let damaged = Error::DamagedBlock {
        index: 2,
        start: 2 * BLOCK as u64,
        end: 3 * BLOCK as u64,
    };
    assert_eq!(error(receiver.join()), damaged);
    assert!(matches!(error(sent), Error::Aborted(reason) if reason.contains("block 2")));
    assert!(names_in(folder.path()).is_empty(), "{:?}", names_in(folder.path()));
}

#[test]
fn a_source_that_shrinks_on_the_way_fails_on_every_route_and_nothing_is_kept() {
    for send_route in [SendRouteChoice::Sendfile, SendRouteChoice::Write] {
        for wire in WIRES {
            let folder = tempfile::tempdir().expect("folder");
            let sinks = tempfile::tempdir().expect("folder");
            let from = file(folder.path(), "from.bin", &pattern(8 << 20));
            let options = Options {
                send_route,
                limit_bytes_per_s: Some(8 << 20),
                ..options(wire)
            };
            let job = Job::Loopback {
                source: source(&from),
                sink: SinkSpec::Folder(sinks.path().into()),
            };
            let (transfer, events) = start(job, &options);
            wait_for_bytes(&events, Side::Sender, 1);
            File::options()
                .write(true)
                .open(&from)
                .expect("open")
                .set_len(1 << 10)
                .expect("shrink");
            transfer.set_limit(None);
            let error = error(transfer.join());
            assert_eq!(
                error,
                Error::SourceChanged(from),
                "{} over {}",
                send_route.name(),
                wire.name()
            );
            assert_eq!(error.fault(), Fault::Caller);
            assert!(names_in(sinks.path()).is_empty());
        }
    }
}

#[test]
fn a_source_that_is_written_to_on_the_way_is_never_called_done() {
    let folder = tempfile::tempdir().expect("folder");
    for wire in WIRES {
        let from = file(folder.path(), "from.bin", &pattern(8 << 20));
        let sinks = tempfile::tempdir().expect("folder");
        let options = Options {
            limit_bytes_per_s: Some(8 << 20),
            ..options(wire)
        };
        let job = Job::Loopback {
            source: source(&from),
            sink: SinkSpec::Folder(sinks.path().into()),
        };
        let (transfer, events) = start(job, &options);
        wait_for_bytes(&events, Side::Sender, 1);
        let file = File::options().write(true).open(&from).expect("open");
        std::os::unix::fs::FileExt::write_all_at(&file, b"other", 0).expect("write");
        transfer.set_limit(None);
        assert_eq!(error(transfer.join()), Error::SourceChanged(from), "{}", wire.name());
        assert!(names_in(sinks.path()).is_empty());
    }
}

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
        wait_until("it says that it is paused", || {
            events
                .try_iter()
                .any(|event| event.kind == EventKind::State { state: State::Paused })
        });
        transfer.set_limit(None);
        let mut moved = Vec::new();
        wait_until("samples come while paused", || {
            moved.extend(events.try_iter().filter_map(|event| match event.kind {
                EventKind::Sample(sample) if event.side == Side::Sender => Some(sample.bytes),
                _ => None,
            }));
            moved.len() >= 8
        });
        // What was under way, at most a block, may still move.
        assert!(
            moved[2..].windows(2).all(|pair| pair[0] == pair[1]),
            "{}: {moved:?}",
            wire.name()
        );
        assert!(transfer.outcome().is_none());
        transfer.resume();
        assert_eq!(done(transfer.join()).bytes, 8_000_000);
    }
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
        assert_eq!(names_in(folder.path()).len(), 1, "a .part while it runs");
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
fn peers_that_misbehave_are_named_and_cost_no_file() {
    type Peer = fn(&mut TcpStream);
    let offer_of = |bytes: u64| {
        let mut body = Vec::new();
        for (tag, value) in [
            (1_u16, b"'|u1'".to_vec()),
            (2, bytes.to_le_bytes().to_vec()),
            (4, bytes.to_le_bytes().to_vec()),
            (5, b"../../x".to_vec()),
            (7, vec![1]),
        ] {
            body.extend(tag.to_le_bytes());
            body.extend(u16::try_from(value.len()).expect("short").to_le_bytes());
            body.extend(value);
        }
        let mut offer = b"ARLIFT\x01\x00\x01\x00\x00\x00".to_vec();
        offer.extend(u32::try_from(body.len()).expect("short").to_le_bytes());
        offer.extend(body);
        offer
    };
    let huge = offer_of(1 << 62);
    let small = offer_of(1000);
    let talk = |bytes: Vec<u8>| move |peer: &mut TcpStream| drop(peer.write_all(&bytes));
    type Check = fn(&Error) -> bool;
    let silent: Peer = |peer| drop(peer.read(&mut [0; 16]));
    let cases: Vec<(&str, Box<dyn FnOnce(&mut TcpStream) + Send>, Check)> = vec![
        ("closes at once", Box::new(|_: &mut TcpStream| {}), |e| {
            matches!(e, Error::ClosedWhile(_))
        }),
        ("says nothing", Box::new(silent), |e| matches!(e, Error::Silent(_))),
        ("speaks HTTP", Box::new(talk(b"GET / HTTP/1.1\r\n\r\n".to_vec())), |e| {
            e.to_string().contains("HTTP")
        }),
        ("offers 2^62 bytes", Box::new(talk(huge)), |e| {
            matches!(e, Error::DiskFull { .. })
        }),
        ("closes after its offer", Box::new(talk(small)), |e| {
            matches!(e, Error::ClosedEarly { missing: 1000, .. })
        }),
        (
            "ends within a .npy header",
            Box::new(talk(b"\x93NUMPY\x01\x00\x76\x00{'descr'".to_vec())),
            |e| matches!(e, Error::ClosedWhile(_)),
        ),
        ("sends an object array", Box::new(talk(object_header())), |e| {
            e.to_string().contains("object")
        }),
    ];
    for (name, peer, expected) in cases {
        let folder = tempfile::tempdir().expect("folder");
        let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
        let address = listener.address().to_owned();
        let sink = SinkSpec::Folder(folder.path().into());
        let impatient = Options {
            timeout: Duration::from_millis(500),
            ..Options::default()
        };
        let (transfer, _) = start(
            Job::Receive {
                from: Incoming::Listener(listener),
                sink,
                expect: None,
            },
            &impatient,
        );
        let mut stream = TcpStream::connect(address).expect("connect");
        peer(&mut stream);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let error = error(transfer.join());
        assert!(expected(&error), "{name}: {error}");
        assert!(names_in(folder.path()).is_empty(), "{name}");
    }
}

fn object_header() -> Vec<u8> {
    let text = "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }";
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(u16::try_from(text.len() + 1).expect("short").to_le_bytes());
    header.extend(text.as_bytes());
    header.push(b'\n');
    header
}

#[test]
fn surplus_on_a_wire_that_ends_with_the_data_is_reported_and_the_array_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let mut stream = TcpStream::connect(listener.address()).expect("connect");
    stream.write_all(&[7; 25]).expect("write");
    let sink = SinkSpec::File(folder.path().join("a.bin"));
    let expect = Some(ArrayMeta::vector(Dtype::u8(), 20).expect("meta"));
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink,
        expect,
    };
    let finished = done(run(receive, &options(WireChoice::Raw)).0);
    assert_eq!((finished.bytes, finished.verified), (20, None));
    assert!(finished.note.is_some_and(|note| note.contains('5')));
    assert_eq!(std::fs::read(folder.path().join("a.bin")).expect("read"), [7; 20]);
}

#[test]
fn many_transfers_run_at_once_and_each_is_whole() {
    let running: Vec<_> = (0..20)
        .map(|i| {
            let job = Job::Loopback {
                source: range(&format!("{i}:{}", 100_000 + i), "i32"),
                sink: SinkSpec::Memory,
            };
            start(job, &options(WireChoice::Native))
        })
        .collect();
    let mut checksums: Vec<_> = running
        .into_iter()
        .map(|(transfer, _)| done(transfer.join()).checksum)
        .collect();
    checksums.sort();
    checksums.dedup();
    assert_eq!(checksums.len(), 20, "twenty different arrays");
}

#[test]
fn samples_grow_and_end_with_every_byte_and_the_counters() {
    let (outcome, events) = run(
        Job::Loopback {
            source: range("0:2e6", "f64"),
            sink: SinkSpec::Memory,
        },
        &options(WireChoice::Native),
    );
    done(outcome);
    for side in [Side::Sender, Side::Receiver] {
        let samples: Vec<_> = events
            .iter()
            .filter(|event| event.side == side)
            .filter_map(|event| {
                if let EventKind::Sample(sample) = event.kind {
                    Some((event.elapsed_s, sample))
                } else {
                    None
                }
            })
            .collect();
        assert_eq!(samples.first().map(|(_, sample)| sample.bytes), Some(0));
        assert!(
            samples
                .windows(2)
                .all(|pair| pair[0].0 <= pair[1].0 && pair[0].1.bytes <= pair[1].1.bytes)
        );
        let (_, last) = samples.last().expect("samples");
        let counters = last.counters.expect("counters");
        assert_eq!(last.bytes, 16_000_000);
        assert!(counters.syscalls >= 16_000_000 / CHUNK as u64);
    }
}

#[test]
fn the_copying_baseline_is_refused_where_it_would_look_like_a_hang() {
    let options = Options {
        send_route: SendRouteChoice::Copying,
        ..options(WireChoice::Raw)
    };
    let job = Job::Loopback {
        source: range("0:2e8", "f64"),
        sink: SinkSpec::Discard,
    };
    assert!(error(run(job, &options).0).to_string().contains("1 GB"));
}

#[test]
fn more_than_the_free_memory_is_refused_before_it_is_touched() {
    let job = Job::Loopback {
        source: range("0:1e15", "u8").clone(),
        sink: SinkSpec::Memory,
    };
    let error = error(run(job, &options(WireChoice::Native)).0);
    assert!(
        matches!(
            error,
            Error::NotEnoughMemory {
                needed: 1_000_000_000_000_000,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.fault(), Fault::System);
}
