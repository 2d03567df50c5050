//! Receivers that have some of what is offered, from an earlier session: what is sent to them, and what they must not say.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread::JoinHandle;

use arraylift::ChecksumKind;
use arraylift::internals::Digest;
use serde_json::Value as Json;

use crate::common::{Dir, Process};
use crate::native::{self, BLOCK, END, FINISH, GRAIN, GREETING, JOIN, accept, claim, claim_of, field, grain, welcome};
use crate::peers::peer;
use crate::{floats, npy};

/// What is sent: 12 blocks of 64 KiB and a shorter one.
const ELEMENTS: u32 = 100_000;
const TOKEN: [u8; 16] = [7; 16];

/// What a receiver has of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Right,
    /// Another checksum than that of the sender's block.
    Wrong,
}

/// What has come to a receiver.
#[derive(Debug, Default)]
struct Came {
    /// By their numbers.
    blocks: BTreeMap<u32, Vec<u8>>,
    /// In an end: bytes that were not sent.
    kept: Option<u64>,
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(bytes);
    digest.value().expect("a checksum")
}

/// A claim of all that is held.
fn claims(data: &[u8], held: &[Held]) -> Vec<u8> {
    let blocks = data.chunks(GRAIN as usize).zip(held);
    let there: Vec<Option<u64>> = blocks
        .map(|(bytes, held)| match held {
            Held::Nothing => None,
            Held::Right => Some(checksum(bytes)),
            Held::Wrong => Some(!checksum(bytes)),
        })
        .collect();
    let mut first = 0;
    // In more than one message.
    let messages = there.chunks(100).map(|there| {
        let message = claim(first, there);
        first += 100;
        message
    });
    messages.collect::<Vec<_>>().concat()
}

/// Reads blocks, each of which may come once, until an end or the end of the connection.
fn hear_blocks(stream: &mut impl Read) -> Came {
    let mut came = Came::default();
    let mut header = [0; 8];
    while stream.read_exact(&mut header).is_ok() {
        let [kind, _, _, _, len @ ..] = header;
        let mut body = vec![0; u32::from_le_bytes(len) as usize];
        if kind == BLOCK {
            let (mut place, mut sum) = ([0; 8], [0; 8]);
            stream.read_exact(&mut place).expect("an item and a number");
            stream.read_exact(&mut body).expect("its data");
            stream.read_exact(&mut sum).expect("its checksum");
            assert_eq!(u64::from_le_bytes(sum), checksum(&body));
            let [_, _, _, _, index @ ..] = place;
            let index = u32::from_le_bytes(index);
            assert!(came.blocks.insert(index, body).is_none(), "block {index} comes twice");
            continue;
        }
        stream.read_exact(&mut body).expect("a body");
        if kind == END {
            let fields = fields(&body);
            let number = |tag: u16| {
                Some(u64::from_le_bytes(
                    fields.get(&tag)?.as_slice().try_into().expect("a u64"),
                ))
            };
            came.kept = Some(number(33).unwrap_or(0));
            let (kind, _) = native::hear(stream);
            assert_eq!(kind, FINISH);
            break;
        }
    }
    came
}

/// The fields of a body, none of which is long.
fn fields(mut body: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    let mut fields = BTreeMap::new();
    while let [t0, t1, l0, l1, rest @ ..] = body {
        let (value, rest) = rest.split_at(u16::from_le_bytes([*l0, *l1]).into());
        fields.insert(u16::from_le_bytes([*t0, *t1]), value.to_vec());
        body = rest;
    }
    fields
}

/// A receiver that says all this after its welcome, reads what comes, and has stored it.
fn receiver(said: Vec<u8>, data: &[u8]) -> (String, JoinHandle<Came>) {
    let (bytes, whole) = (data.len() as u64, checksum(data));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let body = move || {
        let mut stream = listener.accept().expect("a sender").0;
        native::hear_offer(&mut stream);
        stream.write_all(&[welcome(None), said].concat()).expect("it listens");
        let came = hear_blocks(&mut stream);
        let _ = stream.write_all(&native::stored_with(bytes, Some(whole)));
        let _ = stream.read_to_end(&mut Vec::new());
        came
    };
    let builder = std::thread::Builder::new().name("receiver".into());
    (address, builder.spawn(body).expect("a thread"))
}

/// What has come is what is not held, or wrongly, and no more.
#[track_caller]
fn is_what_was_missing(came: &BTreeMap<u32, Vec<u8>>, kept: u64, data: &[u8], held: &[Held]) {
    let blocks = || (0_u32..).zip(data.chunks(GRAIN as usize).zip(held));
    let missing = blocks().filter(|(_, (_, held))| **held != Held::Right);
    let missing: BTreeMap<u32, Vec<u8>> = missing.map(|(index, (bytes, _))| (index, bytes.to_vec())).collect();
    assert!(*came == missing, "{:?} of {held:?}", came.keys());
    let right = blocks().filter(|(_, (_, held))| **held == Held::Right);
    assert_eq!(kept, right.map(|(_, (bytes, _))| bytes.len() as u64).sum::<u64>());
}

/// Right, wrong and missing, the last and shorter block among them.
fn some_held() -> Vec<Held> {
    let mut held = vec![Held::Nothing; 13];
    for (index, what) in [
        (0, Held::Wrong),
        (1, Held::Right),
        (3, Held::Wrong),
        (4, Held::Right),
        (12, Held::Right),
    ] {
        held[index] = what;
    }
    held
}

fn finished(ended: &crate::common::Ended) -> Json {
    let objects = ended.objects();
    let finished = objects.iter().rfind(|object| object["event"] == "finished");
    finished.cloned().unwrap_or_else(|| panic!("{ended:?}"))
}

#[test]
fn what_a_receiver_has_is_compared_and_not_sent_by_whatever_route() {
    let dir = Dir::new();
    let data = floats(ELEMENTS);
    dir.write("a.npy", npy("'<f8'", "(100000,)", &data));
    let all = |what| vec![what; 13];
    for (source, options) in [
        ("a.npy", "--send-route sendfile"),
        ("a.npy", "--send-route write"),
        ("a.npy", "--send-route zerocopy"),
        ("a.npy", "--chunk 4KiB"),
        ("range:0:1e5", ""),
    ] {
        for held in [some_held(), all(Held::Right), all(Held::Wrong)] {
            let said = [claims(&data, &held), accept(&grain(GRAIN))].concat();
            let (address, receiver) = receiver(said, &data);
            let ended = dir
                .run(&format!(
                    "send {source} {address} --json {options} --checksum crc64nvme"
                ))
                .done();
            let came = receiver.join().expect("a receiver");
            is_what_was_missing(&came.blocks, came.kept.expect("an end"), &data, &held);
            let finished = finished(&ended);
            assert_eq!(
                (&finished["bytes"], &finished["verified"], &finished["checksum"]),
                (
                    &800_000.into(),
                    &true.into(),
                    &format!("crc64nvme:{:016x}", checksum(&data)).into()
                ),
                "{source} {options}"
            );
        }
    }
}

#[test]
fn a_route_that_cannot_go_back_offers_nothing_that_could_be_claimed() {
    let dir = Dir::new();
    let (address, thread) = peer(|mut stream| {
        let offer = fields(&native::hear_offer(&mut stream));
        assert!(offer.contains_key(&4) && !offer.contains_key(&16), "{offer:?}");
        let said = [welcome(None), claim(0, &[Some(7)])].concat();
        stream.write_all(&said).expect("it listens");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    dir.run(&format!("send range:0:1e5 {address} --send-route copying"))
        .failed(1, &["a claim of blocks that lie on no grid"]);
    thread.join().expect("a peer");
}

/// Takes connections until so many have come, and then as long as the sender makes some.
fn receive_over(listener: &TcpListener, said: &[u8], data: &[u8], streams: u16) -> Vec<Came> {
    let mut control = listener.accept().expect("a sender").0;
    native::hear_offer(&mut control);
    control
        .write_all(&[welcome(Some((streams, &TOKEN))), said.to_vec()].concat())
        .expect("it listens");
    let joined: Vec<JoinHandle<Came>> = (1..streams)
        .map(|_| {
            let mut stream = listener.accept().expect("another one").0;
            let body = move || {
                stream.read_exact(&mut [0; GREETING.len()]).expect("a greeting");
                let (kind, body) = native::hear(&mut stream);
                assert_eq!((kind, body), (JOIN, field(15, &TOKEN)));
                stream.write_all(&welcome(None)).expect("it listens");
                hear_blocks(&mut stream)
            };
            std::thread::Builder::new().spawn(body).expect("a thread")
        })
        .collect();
    let mut came = vec![hear_blocks(&mut control)];
    control
        .write_all(&native::stored_with(data.len() as u64, Some(checksum(data))))
        .expect("it listens");
    let _ = control.read_to_end(&mut Vec::new());
    came.extend(joined.into_iter().map(|joined| joined.join().expect("a connection")));
    came
}

#[test]
fn several_connections_share_what_is_to_be_compared() {
    let dir = Dir::new();
    // Four blocks as the sender offers them, which three connections are for.
    let data = floats(2_000_000);
    let held: Vec<Held> = (0..data.len().div_ceil(GRAIN as usize))
        .map(|index| match index % 10 {
            0 => Held::Nothing,
            1 | 5 => Held::Wrong,
            _ => Held::Right,
        })
        .collect();
    let said = [claims(&data, &held), accept(&grain(GRAIN))].concat();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let sent = data.clone();
    let receiver = std::thread::Builder::new().spawn(move || receive_over(&listener, &said, &sent, 3));
    let arguments = format!("send range:0:2e6 {address} --json --streams 3 --checksum crc64nvme");
    let ended = dir.run(&arguments).done();
    let connections = receiver.expect("a thread").join().expect("a receiver");
    let kept = connections.iter().find_map(|came| came.kept).expect("an end");
    let mut blocks = BTreeMap::new();
    for (index, bytes) in connections.into_iter().flat_map(|came| came.blocks) {
        assert!(blocks.insert(index, bytes).is_none(), "block {index} comes twice");
    }
    is_what_was_missing(&blocks, kept, &data, &held);
    let finished = finished(&ended);
    assert_eq!(
        (&finished["bytes"], &finished["verified"]),
        (&16_000_000.into(), &true.into())
    );
}

#[test]
fn a_source_that_changes_while_it_is_compared_is_not_called_sent() {
    let dir = Dir::new();
    let data = floats(ELEMENTS);
    let path = dir.write("a.npy", npy("'<f8'", "(100000,)", &data));
    let (address, thread) = peer(move |mut stream| {
        native::hear_offer(&mut stream);
        let mut changed = data.clone();
        changed[0] ^= 1;
        std::fs::write(&path, npy("'<f8'", "(100000,)", &changed)).expect("written");
        let said = [welcome(None), claims(&data, &[Held::Right; 13]), accept(&grain(GRAIN))].concat();
        stream.write_all(&said).expect("it listens");
        assert_eq!(hear_blocks(&mut stream).kept, None, "an end");
    });
    dir.run(&format!("send a.npy {address} --checksum crc64nvme"))
        .failed(1, &["changed while it was being sent"]);
    thread.join().expect("a peer");
}

#[test]
fn claims_that_break_the_rules_are_the_receivers_fault() {
    let dir = Dir::new();
    let accepted = || accept(&grain(GRAIN));
    let one = |first| claim(first, &[Some(7)]);
    for (said, options, hint) in [
        (
            vec![one(2), one(1)],
            "",
            "a claim from block 1 on after one up to block 3",
        ),
        (
            vec![one(2), one(2)],
            "",
            "a claim from block 2 on after one up to block 3",
        ),
        (
            vec![one(13), accepted()],
            "",
            "a claim up to block 14, where there are at most 13",
        ),
        (vec![one(1 << 24)], "", "a claim of 1 blocks from block 16777216 on"),
        (vec![one(0), accepted(), one(1)], "", "a claim out of turn"),
        (vec![one(0), accept(&[])], "", "does not say how long they are"),
        (
            vec![one(0), accept(&grain(100_000))],
            "",
            "blocks of 100000 bytes are on no grid",
        ),
        (
            vec![one(0), accept(&grain(32 << 10))],
            "",
            "blocks of 32768 bytes are on no grid",
        ),
        (vec![one(0)], "--checksum none", "lie on no grid or have no checksum"),
        (vec![claim_of(0, 0, &[], &[])], "", "a claim of 0 blocks"),
        (vec![claim_of(0, 4097, &[0; 513], &[])], "", "a claim of 4097 blocks"),
        (
            vec![claim_of(0, 3, &[0b1000], &[1])],
            "",
            "a block that it is not about",
        ),
        (
            vec![claim_of(0, 3, &[0b111], &[1, 2])],
            "",
            "not one checksum for each block",
        ),
        (
            vec![claim_of(0, 9, &[0b111], &[1, 2, 3])],
            "",
            "1 bytes of bits for 9 blocks",
        ),
    ] {
        let (address, thread) = peer(move |mut stream| {
            native::hear_offer(&mut stream);
            let _ = stream.write_all(&[welcome(None), said.concat()].concat());
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let ended = dir.run(&format!("send range:0:1e5 {address} {options}"));
        ended.failed(1, &["the peer broke the protocol", hint]);
        thread.join().expect("a peer");
    }
}

/// The peer that was written from the page, about to run in the folder of the test.
fn python(dir: &Dir, arguments: &str) -> crate::common::Arraylift {
    let mut command = Command::new(std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/native_peer.py"));
    command.args(arguments.split_whitespace()).args(["--timeout", "25"]);
    dir.program(command)
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_peer_in_python_gets_what_it_does_not_claim_and_what_it_claims_wrongly() {
    let dir = Dir::new();
    let data = floats(ELEMENTS);
    let mut part = data.clone();
    // Of block 3; and of block 7, which it does not claim.
    part[3 * GRAIN as usize] ^= 1;
    part[7 * GRAIN as usize] ^= 1;
    dir.write("part", part);
    for checksum in ["crc32", "crc64nvme"] {
        let arguments = "receive 127.0.0.1:0 --listen --partial part --claim 0,1,3,12 --grain 65536";
        let receiver: Process = python(&dir, arguments).listening();
        let arguments = format!("send range:0:1e5 {} --json --checksum {checksum}", receiver.address);
        let sent = finished(&dir.run(&arguments).done());
        let received = finished(&receiver.wait().done());
        assert_eq!(received["blocks"], serde_json::json!([2, 4, 5, 6, 7, 8, 9, 10, 11, 3]));
        assert_eq!(
            received["values"],
            serde_json::json!((0..10).map(f64::from).collect::<Vec<_>>())
        );
        assert_eq!((&sent["verified"], &received["bytes"]), (&true.into(), &800_000.into()));
        // The peer understands such a receiver when it sends, too.
        let receiver = python(
            &dir,
            "receive 127.0.0.1:0 --listen --partial part --claim 0,1,3,12 --grain 65536",
        );
        let receiver = receiver.listening();
        let arguments = format!("send {} --count 100000 --checksum {checksum}", receiver.address);
        let from_python = finished(&python(&dir, &arguments).run().done());
        assert_eq!(from_python["blocks"], received["blocks"]);
        assert_eq!(finished(&receiver.wait().done())["sha256"], received["sha256"]);
    }
}
