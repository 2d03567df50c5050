//! Arrays that are handed over as they lie in memory: no byte moves, and nothing depends on how many there are.

use std::fs::File;
use std::io::{IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use arraylift::{
    Counters, Endpoint, Error, Event, EventKind, Fault, Incoming, Job, Listener, Options, Outcome, ReceiveRouteChoice,
    SendRouteChoice, Side, SinkSpec, SourceSpec, Started, Value, WireChoice,
};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::native::{
    self, ABORT, ACCEPTED_BYTES, RESULT, accepted, asks_for_handoff, block_with, end, end_with, field, hello,
};
use crate::support::*;

/// None, less than an element's worth, one, a page, three pages and one more, many megabytes.
const EDGE_COUNTS: [usize; 7] = [0, 1, 511, 512, 513, 3 * 512 + 1, 3_000_001];

fn by_name() -> Options {
    Options {
        send_route: SendRouteChoice::Handoff,
        ..options(WireChoice::Auto)
    }
}

fn started(events: &[Event], side: Side) -> &Started {
    let found = events.iter().find_map(|event| match &event.kind {
        EventKind::Started(started) if event.side == side => Some(started),
        _ => None,
    });
    found.expect("it started")
}

fn last_preview(events: &[Event]) -> Vec<Value> {
    let previews = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Preview { values, .. } if event.side == Side::Receiver => Some(values.clone()),
        _ => None,
    });
    previews.expect("a preview")
}

fn last_counters(events: &[Event], side: Side) -> Counters {
    let counters = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Sample(sample) if event.side == side => sample.counters,
        _ => None,
    });
    counters.expect("counters")
}

/// A listener on a Unix socket in `folder`, and where to send to.
fn listening(folder: &Path) -> (Listener, Endpoint) {
    let to = Endpoint::Unix(folder.join("socket"));
    (Listener::bind(&to).expect("a socket"), to)
}

/// Sends to a receiver over a Unix socket; how both ended, and what both told.
fn over_unix(source: SourceSpec, sink: SinkSpec, sending: &Options, receiving: &Options) -> [(Outcome, Vec<Event>); 2] {
    let folder = tempfile::tempdir().expect("folder");
    let (listener, to) = listening(folder.path());
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink,
        expect: None,
    };
    let (receiver, events) = start(receive, receiving);
    let sent = run(Job::Send { source, to }, sending);
    [sent, (receiver.join(), events.try_iter().collect())]
}

#[test]
fn a_range_of_every_edge_size_is_handed_over_with_both_ends_here() {
    for count in EDGE_COUNTS {
        for sink in [SinkSpec::Memory, SinkSpec::Discard] {
            let job = Job::Loopback {
                source: range(&format!("5:{}", 5 + count), "f64"),
                sink,
            };
            let (outcome, events) = run(job, &by_name());
            let finished = done(outcome);
            assert_eq!(finished.bytes, 8 * count as u64);
            let expected: Vec<Value> = (5..5 + count.min(10)).map(|i| Value::Float(i as f64)).collect();
            assert_eq!(last_preview(&events), expected, "{count}");
            let routes = (
                started(&events, Side::Sender).send_route.clone(),
                started(&events, Side::Receiver).receive_route.clone(),
            );
            if count == 0 {
                assert_eq!(
                    routes,
                    (Some("write".into()), Some("recv".into())),
                    "there is nothing to hand over"
                );
            } else {
                assert_eq!(routes, (Some("handoff".into()), Some("handoff".into())));
                assert_eq!(
                    (finished.verified, finished.checksum, finished.note),
                    (None, None, None)
                );
            }
        }
    }
}

#[test]
fn a_range_is_handed_over_to_whoever_takes_it_on_this_host_unasked() {
    let auto = options(WireChoice::Auto);
    for count in EDGE_COUNTS.into_iter().filter(|count| *count > 0) {
        let source = range(&format!("0:{count}"), "f64");
        let [(sent, of_sender), (received, of_receiver)] = over_unix(source, SinkSpec::Memory, &auto, &auto);
        assert_eq!((done(sent).verified, done(received).bytes), (None, 8 * count as u64));
        let started_there = started(&of_sender, Side::Sender);
        assert_eq!(started_there.send_route.as_deref(), Some("handoff"));
        assert!(started_there.route_reason.contains("on this host"), "{started_there:?}");
        assert_eq!(
            started(&of_receiver, Side::Receiver).receive_route.as_deref(),
            Some("handoff")
        );
    }
}

#[test]
fn a_slice_of_a_file_is_handed_over_by_name_from_where_it_begins_and_said_not_to_be_sealed() {
    let folder = tempfile::tempdir().expect("folder");
    for len in [1, 4096, 3 * 4096 + 1, 20 << 20] {
        let content = pattern(len);
        let mut from = source(&file(folder.path(), "from.bin", &content));
        let offset = len / 3;
        from.slice = Some(arraylift::Slice {
            offset_bytes: offset as u64,
            length_bytes: None,
        });
        let [(sent, _), (received, events)] = over_unix(from, SinkSpec::Memory, &by_name(), &options(WireChoice::Auto));
        let (sent, received) = (done(sent), done(received));
        assert_eq!((received.bytes, received.verified), ((len - offset) as u64, None));
        let first: Vec<Value> = content[offset..]
            .iter()
            .take(10)
            .map(|byte| Value::UInt(u64::from(*byte)))
            .collect();
        assert_eq!(last_preview(&events), first);
        for note in [sent.note, received.note] {
            assert!(note.is_some_and(|note| note.contains("not sealed")), "{len}");
        }
    }
}

#[test]
fn eight_sparse_gigabytes_cost_what_eight_megabytes_cost() {
    let folder = tempfile::tempdir().expect("folder");
    let cost = |bytes: u64| {
        let path = folder.path().join(format!("{bytes}.bin"));
        File::create(&path)
            .and_then(|file| file.set_len(bytes))
            .expect("sparse");
        let job = Job::Loopback {
            source: source(&path),
            sink: SinkSpec::Memory,
        };
        let (outcome, events) = run(job, &by_name());
        assert_eq!(done(outcome).bytes, bytes);
        [Side::Sender, Side::Receiver].map(|side| last_counters(&events, side))
    };
    for (few, many) in cost(8 << 20).into_iter().zip(cost(8 << 30)) {
        assert_eq!(
            (few.syscalls, few.short_operations),
            (many.syscalls, many.short_operations)
        );
        assert!(few.syscalls > 0);
        // The same code runs for both; which of its own pages are there already varies a little.
        assert!(many.page_faults < few.page_faults + 100, "{few:?} {many:?}");
    }
}

#[test]
fn a_receiver_with_another_sink_gets_blocks_and_the_sender_says_why() {
    let folder = tempfile::tempdir().expect("folder");
    let auto = options(WireChoice::Auto);
    let into = folder.path().join("a.npy");
    let source = range("0:1e6", "f64");
    let [(sent, events), (received, _)] = over_unix(source, SinkSpec::File(into.clone()), &auto, &auto);
    assert_eq!((done(sent).verified, done(received).verified), (Some(true), Some(true)));
    let started = started(&events, Side::Sender);
    assert_eq!(started.send_route.as_deref(), Some("sendfile"));
    assert!(started.route_reason.contains("takes no handoff"), "{started:?}");
    let expected: Vec<u8> = (0..1_000_000).flat_map(|i| f64::from(i).to_le_bytes()).collect();
    let content = std::fs::read(into).expect("read");
    assert!(content[content.len() - expected.len()..] == expected);
}

#[test]
fn a_receiver_that_was_told_its_own_route_keeps_to_it() {
    let recv = Options {
        receive_route: ReceiveRouteChoice::Recv,
        ..options(WireChoice::Auto)
    };
    let auto = options(WireChoice::Auto);
    let [(sent, _), (received, _)] = over_unix(range("0:1e5", "f64"), SinkSpec::Memory, &auto, &recv);
    assert_eq!((done(sent).verified, done(received).verified), (Some(true), Some(true)));
}

#[test]
fn a_handoff_that_was_asked_for_by_name_is_that_or_an_error() {
    let folder = tempfile::tempdir().expect("folder");
    let into = SinkSpec::Folder(folder.path().into());
    let auto = options(WireChoice::Auto);
    let [(sent, _), (received, _)] = over_unix(range("0:10", "f64"), into, &by_name(), &auto);
    assert_eq!(error(sent), Error::HandoffNotTaken);
    assert!(matches!(error(received), Error::Aborted(reason) if reason.contains("no handoff")));
    assert!(names_in(folder.path()).is_empty());

    // Over TCP nobody is even asked.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    listener.set_nonblocking(true).expect("non-blocking");
    let to = Endpoint::Tcp(listener.local_addr().expect("address").to_string());
    let source = range("0:10", "f64");
    assert!(matches!(
        error(run(Job::Send { source, to }, &by_name()).0),
        Error::Usage(reason) if reason.contains("unix:PATH")
    ));
    assert!(listener.accept().is_err(), "nobody connected");
}

#[test]
fn a_source_that_was_written_to_is_not_handed_over() {
    let folder = tempfile::tempdir().expect("folder");
    let from = file(folder.path(), "from.bin", &pattern(10_000));
    let path = folder.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("socket");
    let send = Job::Send {
        source: source(&from),
        to: Endpoint::Unix(path),
    };
    let (sender, _events) = start(send, &by_name());
    let (mut peer, _) = listener.accept().expect("a sender");
    assert!(
        peer.read(&mut [0; 1024]).expect("an offer") > 0,
        "so the source is open"
    );
    File::options()
        .append(true)
        .open(&from)
        .and_then(|mut file| file.write_all(b"more"))
        .expect("write");
    peer.write_all(&asks_for_handoff()).expect("answered");
    assert_eq!(error(sender.join()), Error::SourceChanged(from));
}

/// A sender of one's own that offers 5,000 bytes; `handoff` is what it says that it can hand over.
struct OwnSender(UnixStream);

impl OwnSender {
    fn offers(to: &Endpoint, handoff: u8) -> Self {
        let Endpoint::Unix(path) = to else {
            panic!("a Unix socket")
        };
        let offer = native::described(b"'|u1'", &[5000], 5000, 1, &field(12, &[handoff]));
        let mut stream = UnixStream::connect(path).expect("it listens");
        stream.write_all(&[hello(1), offer].concat()).expect("offered");
        Self(stream)
    }

    /// Reads the answer, which asks for a handoff.
    fn is_asked(&mut self) {
        let expected = asks_for_handoff();
        let mut answer = vec![0; expected.len()];
        self.0.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, expected);
    }

    /// Hands over, whatever these are of, and says that it is all; the array begins at `position`.
    fn hands_over(&mut self, descriptors: &[BorrowedFd<'_>], position: u64) {
        let message = native::handoff(position);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(descriptors.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
        let sent = sendmsg(&self.0, &[IoSlice::new(&message)], &mut ancillary, SendFlags::empty());
        assert_eq!(sent, Ok(message.len()));
        // It may have closed by then.
        let _ = self.0.write_all(&end(5000));
    }

    /// What the receiver says last; 0 bytes where it has closed.
    fn hears(mut self) -> Vec<u8> {
        let mut said = Vec::new();
        self.0.read_to_end(&mut said).expect("closed");
        said
    }
}

fn memory(len: u64, seals: SealFlags) -> File {
    let memory = File::from(memfd_create("test", MemfdFlags::ALLOW_SEALING).expect("memory"));
    memory.set_len(len).expect("length");
    std::os::unix::fs::FileExt::write_all_at(&memory, b"abc", 0).expect("write");
    fcntl_add_seals(&memory, seals).expect("sealed");
    memory
}

#[test]
fn what_is_handed_over_is_looked_at_and_a_peer_that_lies_is_named() {
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    let (sealed, short) = (memory(5000, all), memory(4999, all));
    let growing = memory(5000, SealFlags::SHRINK | SealFlags::WRITE);
    let (socket, _other) = UnixStream::pair().expect("pair");
    let cases: [(&[BorrowedFd<'_>], u64, Option<&str>); 8] = [
        (&[sealed.as_fd()], 0, None),
        // More than one are closed.
        (&[sealed.as_fd(), short.as_fd(), socket.as_fd()], 0, None),
        (&[], 0, Some("no descriptor")),
        (&[sealed.as_fd()], 1, Some("it has 5000")),
        (&[sealed.as_fd()], u64::MAX, Some("it has 5000")),
        (&[short.as_fd()], 0, Some("it has 4999")),
        (&[growing.as_fd()], 0, Some("sealed")),
        (&[socket.as_fd()], 0, Some("neither memory nor a file")),
    ];
    for (descriptors, position, hint) in cases {
        let folder = tempfile::tempdir().expect("folder");
        let (listener, to) = listening(folder.path());
        let receive = Job::Receive {
            from: Incoming::Listener(listener),
            sink: SinkSpec::Memory,
            expect: None,
        };
        let (receiver, events) = start(receive, &options(WireChoice::Auto));
        let mut sender = OwnSender::offers(&to, 1);
        sender.is_asked();
        sender.hands_over(descriptors, position);
        // A result, or an abort.
        let said = sender.hears();
        let outcome = receiver.join();
        match hint {
            None => {
                assert_eq!((done(outcome).bytes, said[0]), (5000, RESULT));
                let events: Vec<Event> = events.try_iter().collect();
                let first = last_preview(&events)[..3].to_vec();
                assert_eq!(first, [97, 98, 99].map(Value::UInt));
            }
            Some(hint) => {
                let error = error(outcome);
                assert_eq!(error.fault(), Fault::Peer, "{error}");
                assert!(error.to_string().contains(hint), "{error}");
                assert_eq!(said[0], ABORT);
            }
        }
    }
}

#[test]
fn a_sender_that_cannot_after_all_sends_blocks_and_one_that_goes_is_missed() {
    for (says, expected) in [(Some(()), None), (None, Some(5000))] {
        let folder = tempfile::tempdir().expect("folder");
        let (listener, to) = listening(folder.path());
        let receive = Job::Receive {
            from: Incoming::Listener(listener),
            sink: SinkSpec::Memory,
            expect: None,
        };
        let (receiver, events) = start(receive, &options(WireChoice::Auto));
        let mut sender = OwnSender::offers(&to, 1);
        sender.is_asked();
        if says.is_some() {
            let content = pattern(5000);
            let mut digest = arraylift::internals::Digest::new(arraylift::ChecksumKind::Crc64Nvme);
            digest.update(&content);
            let checksum = digest.value().expect("a checksum");
            let all = [block_with(0, &content, checksum), end_with(5000, Some(checksum))].concat();
            sender.0.write_all(&all).expect("sent");
        }
        sender.0.shutdown(std::net::Shutdown::Write).expect("shut");
        sender.hears();
        match (expected, receiver.join()) {
            (None, outcome) => {
                assert_eq!(done(outcome).verified, Some(true));
                let events: Vec<Event> = events.try_iter().collect();
                assert_eq!(started(&events, Side::Receiver).receive_route.as_deref(), Some("recv"));
            }
            (Some(wanted), outcome) => {
                assert!(matches!(error(outcome), Error::ClosedEarly { missing, .. } if missing == wanted));
            }
        }
    }
}

#[test]
fn a_handoff_of_a_kind_that_nobody_knows_is_not_asked_for() {
    let folder = tempfile::tempdir().expect("folder");
    let (listener, to) = listening(folder.path());
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Memory,
        expect: None,
    };
    let (receiver, _events) = start(receive, &options(WireChoice::Auto));
    let mut sender = OwnSender::offers(&to, 77);
    let mut answer = [0; ACCEPTED_BYTES];
    sender.0.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[..], accepted(), "it has the item and no more");
    // Comes all the same: it is out of turn, and its descriptor goes nowhere.
    let sealed = memory(5000, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE);
    sender.hands_over(&[sealed.as_fd()], 0);
    assert!(matches!(error(receiver.join()), Error::Protocol(reason) if reason.contains("handoff out of turn")));
}
