//! Every byte arrives where it belongs.

use std::fs::File;

use arraylift::{
    ArrayMeta, ChecksumKind, Dtype, Endpoint, Error, Event, EventKind, Incoming, Job, Listener, Options,
    ReceiveRouteChoice, SendRouteChoice, Side, SinkSpec, Slice, Value, WireChoice, npy,
};

use crate::support::*;

const SEND_ROUTES: [SendRouteChoice; 4] = [
    SendRouteChoice::Sendfile,
    SendRouteChoice::Write,
    SendRouteChoice::Copying,
    SendRouteChoice::Zerocopy,
];
const RECEIVE_ROUTES: [ReceiveRouteChoice; 3] = [
    ReceiveRouteChoice::Recv,
    ReceiveRouteChoice::Splice,
    ReceiveRouteChoice::Map,
];
const EDGE_BYTES: [usize; 8] = [0, 1, 4095, 3 * 4096 + 1, CHUNK, CHUNK + 1, BLOCK, BLOCK + 1];

fn crc64(bytes: &[u8]) -> Option<String> {
    let mut digest = arraylift::internals::Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(bytes);
    digest.checksum().map(|checksum| checksum.to_string())
}

/// The first elements as a side showed them last.
fn last_preview(events: &[Event], side: Side) -> Vec<Value> {
    let previews = events.iter().filter(|event| event.side == side);
    let mut values = previews.filter_map(|event| match &event.kind {
        EventKind::Preview { values, .. } => Some(values.clone()),
        _ => None,
    });
    values.next_back().unwrap_or_default()
}

#[test]
fn every_wire_and_route_moves_every_edge_size_from_file_to_file() {
    let folder = tempfile::tempdir().expect("folder");
    for len in EDGE_BYTES {
        let content = pattern(len);
        let from = file(folder.path(), "from.bin", &content);
        for wire in WIRES {
            for send_route in SEND_ROUTES {
                for receive_route in RECEIVE_ROUTES {
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
                    for side in [Side::Sender, Side::Receiver] {
                        let first: Vec<Value> = content
                            .iter()
                            .take(10)
                            .map(|byte| Value::UInt((*byte).into()))
                            .collect();
                        assert_eq!(
                            last_preview(&events, side),
                            first,
                            "{what}: the {side:?}'s first elements"
                        );
                    }
                    let routes: Vec<_> = events
                        .iter()
                        .filter_map(|event| {
                            if let EventKind::Started(started) = &event.kind {
                                Some(started)
                            } else {
                                None
                            }
                        })
                        .filter_map(|started| started.send_route.as_deref().or(started.receive_route.as_deref()))
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
        ("'<f8'", vec![3, 4], arraylift::Order::Fortran),
        ("'>f4'", vec![5], arraylift::Order::C),
        ("'<U3'", vec![2, 2], arraylift::Order::C),
        ("[('a', '<i4'), ('b', '<f8')]", vec![7], arraylift::Order::C),
        ("'<f8'", vec![], arraylift::Order::C),
        ("'<f8'", vec![0, 4], arraylift::Order::C),
    ] {
        let dtype = Dtype::from_descr(descr).expect(descr);
        let shape = arraylift::Shape::new(shape).expect("shape");
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
                if let EventKind::Sample(sample) = &event.kind {
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
fn a_file_leaves_by_sendfile_only_where_a_result_says_when_its_pages_are_free() {
    let folder = tempfile::tempdir().expect("folder");
    let from = file(folder.path(), "a.bin", &pattern(1000));
    for (wire, route) in WIRES.into_iter().zip(["sendfile", "write", "write"]) {
        let job = Job::Loopback {
            source: source(&from),
            sink: SinkSpec::Discard,
        };
        let (outcome, events) = run(job, &options(wire));
        done(outcome);
        let routes = events.iter().find_map(|event| match &event.kind {
            EventKind::Started(started) => started.send_route.as_deref(),
            _ => None,
        });
        assert_eq!(routes, Some(route), "{}", wire.name());
    }
}

#[test]
fn a_name_as_long_as_the_file_system_takes_it_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join("n".repeat(255));
    let job = Job::Loopback {
        source: range("0:10", "u8"),
        sink: SinkSpec::File(into.clone()),
    };
    assert_eq!(done(run(job, &options(WireChoice::Native)).0).path, Some(into));
}
