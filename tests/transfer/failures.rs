//! What goes wrong is named, and nothing half received is kept.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use arraylift::{
    ArrayMeta, Dtype, Endpoint, Error, EventKind, Fault, Incoming, Job, Listener, Options, ReceiveRouteChoice,
    SendRouteChoice, Side, SinkSpec, Slice, WireChoice, npy,
};

use crate::native::{self, field, hello};
use crate::support::*;

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
fn a_bit_that_flips_on_the_way_fails_the_transfer_at_its_block_on_both_ends_and_nothing_gets_its_name() {
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
    assert!(whole_in(folder.path()).is_empty(), "{:?}", names_in(folder.path()));
}

type BoxedPeer = Box<dyn FnOnce(&mut TcpStream) + Send>;
type Check = fn(&Error) -> bool;

#[test]
fn peers_that_misbehave_are_named_and_cost_no_file() {
    let offer_of = |bytes: u64| {
        let offer = native::described(b"'|u1'", &[bytes], bytes, 1, &field(5, b"../../x"));
        [hello(1), offer].concat()
    };
    let huge = offer_of(1 << 62);
    let small = offer_of(1000);
    let talk = |bytes: Vec<u8>| move |peer: &mut TcpStream| drop(peer.write_all(&bytes));
    let cases: Vec<(&str, BoxedPeer, Check)> = vec![
        ("offers 2^62 bytes", Box::new(talk(huge)), |e| {
            matches!(e, Error::DiskFull { .. })
        }),
        ("closes after its offer", Box::new(talk(small)), |e| {
            matches!(e, Error::ClosedEarly { missing: 1000, .. })
        }),
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

#[test]
fn peers_that_offer_nothing_are_told_and_the_sender_is_still_waited_for() {
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let address = listener.address().to_owned();
    let impatient = Options {
        timeout: Duration::from_millis(500),
        ..Options::default()
    };
    let job = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Memory,
        expect: None,
    };
    let (transfer, events) = start(job, &impatient);
    for (bytes, stays, words) in [
        (&b""[..], false, "closed the connection"),
        (b"", true, "said nothing"),
        (b"GET / HTTP/1.1\r\n\r\n", true, "HTTP"),
        (b"\x93NUMPY\x01\x00\x76\x00{'descr'", false, "closed the connection"),
    ] {
        let mut stream = TcpStream::connect(&address).expect("connect");
        stream.write_all(bytes).expect("write");
        if !stays {
            stream.shutdown(std::net::Shutdown::Write).expect("open");
        }
        let told = events.iter().find_map(|event| match event.kind {
            EventKind::Stranger { peer, message, .. } => Some((peer, message)),
            _ => None,
        });
        let (peer, message) = told.expect("told");
        assert!(message.contains(words), "{message}");
        assert_eq!(peer, stream.local_addr().expect("an address").to_string());
    }
    let send = Job::Send {
        source: range("0:1000", "f64"),
        to: Endpoint::parse(&address).expect("address"),
    };
    done(run(send, &impatient).0);
    assert_eq!(done(transfer.join()).bytes, 8000);
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

#[test]
fn a_byte_now_and_then_is_no_greeting() {
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let mut stream = TcpStream::connect(listener.address()).expect("connect");
    let impatient = Options {
        timeout: Duration::from_millis(400),
        ..Options::default()
    };
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink: SinkSpec::Discard,
        expect: None,
    };
    let (transfer, _) = start(receive, &impatient);
    wait_until("the receiver gives that connection up", || {
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"A").is_err()
    });
    // It waits for one that offers something.
    assert!(transfer.outcome().is_none());
    transfer.cancel();
    assert!(matches!(transfer.join(), arraylift::Outcome::Cancelled));
}

#[test]
fn an_array_is_not_received_into_itself_nor_into_half_an_element() {
    let folder = tempfile::tempdir().expect("folder");
    let zeros = ArrayMeta::vector(Dtype::f64(), 10).expect("meta");
    let path = file(
        folder.path(),
        "a.npy",
        &[npy::write_header(&zeros), vec![0; 80]].concat(),
    );
    let within = |at_bytes| SinkSpec::Within {
        path: path.clone(),
        at_bytes,
    };
    let mut part = source(&path);
    part.slice = Some(Slice {
        offset_bytes: 0,
        length_bytes: Some(16),
    });
    let job = Job::Loopback {
        source: part,
        sink: within(16),
    };
    assert!(
        error(run(job, &options(WireChoice::Native)).0)
            .to_string()
            .contains("itself")
    );
    let job = Job::Loopback {
        source: range("0:2", "f64"),
        sink: within(4),
    };
    assert!(matches!(
        error(run(job, &options(WireChoice::Native)).0),
        Error::SinkMismatch { .. }
    ));
}

#[test]
fn a_failure_says_that_a_part_of_an_existing_file_is_overwritten() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), "a.bin", &[0; 100]);
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let mut stream = TcpStream::connect(listener.address()).expect("connect");
    stream.write_all(&[7; 20]).expect("write");
    drop(stream);
    let sink = SinkSpec::Within {
        path: path.clone(),
        at_bytes: 0,
    };
    let expect = Some(ArrayMeta::vector(Dtype::u8(), 50).expect("meta"));
    let receive = Job::Receive {
        from: Incoming::Listener(listener),
        sink,
        expect,
    };
    let error = error(run(receive, &options(WireChoice::Raw)).0);
    assert!(matches!(&error, Error::PartlyOverwritten { bytes: 20, .. }), "{error}");
    assert_eq!(error.fault(), Fault::Peer);
}

#[test]
fn a_file_that_shrinks_while_it_is_received_into_fails_and_crashes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let into = file(folder.path(), "into.bin", &pattern(8 << 20));
    let options = Options {
        receive_route: ReceiveRouteChoice::Map,
        limit_bytes_per_s: Some(8 << 20),
        ..options(WireChoice::Native)
    };
    let job = Job::Loopback {
        source: range("0:1e6", "f64"),
        sink: SinkSpec::Within {
            path: into.clone(),
            at_bytes: 100,
        },
    };
    let (transfer, events) = start(job, &options);
    wait_for_bytes(&events, Side::Receiver, 1);
    File::options()
        .write(true)
        .open(&into)
        .and_then(|file| file.set_len(0))
        .expect("shrink");
    transfer.set_limit(None);
    let error = error(transfer.join());
    assert!(matches!(error, Error::PartlyOverwritten { .. }), "{error}");
    assert_eq!(error.fault(), Fault::Caller);
}
