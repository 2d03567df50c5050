//! Real peers in Python on the other end: the recipe's own calls, NumPy's save and load, and a native peer.
//!
//! The programs are in `tests/peers`; `ARRAYLIFT_PYTHON` names a Python with NumPy.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use arraylift::{
    ArrayMeta, ChecksumKind, Dtype, Endpoint, EventKind, Finished, Incoming, Job, Listener, Options, Origin, Range,
    SinkSpec, SourceSpec, WireChoice,
};
use serde_json::Value as Json;

use crate::support::*;

/// The recipe's array.
const COUNT: u64 = 50_000_000;

/// A peer that runs, or has run.
struct Peer {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(script: &str, arguments: &[&str]) -> Self {
        let python = std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
        let mut command = Command::new(python);
        let command = command.arg(script).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python runs");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, output }
    }

    /// A peer that listens, and where.
    fn listening(script: &str, arguments: &[&str]) -> (Self, Endpoint) {
        let mut arguments = arguments.to_vec();
        arguments.extend(["127.0.0.1", "0", "--listen"]);
        let mut peer = Self::start(script, &arguments);
        let line = peer.line();
        let address = line["address"].as_str().expect("an address");
        (peer, Endpoint::parse(address).expect("address"))
    }

    fn line(&mut self) -> Json {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    /// What it says at its end.
    fn finished(mut self) -> Json {
        let line = self.line();
        assert!(self.child.wait().expect("ended").success(), "{line}");
        line
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(source: SourceSpec, to: Endpoint, options: &Options) -> Finished {
    done(run(Job::Send { source, to }, options).0)
}

/// Receives from a peer that is started once we listen, into a file; returns what the file has, and what the peer said.
fn received(
    script: &str,
    arguments: &[&str],
    options: &Options,
    expect: Option<ArrayMeta>,
    file: &str,
) -> (Finished, Vec<u8>, Json) {
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join(file);
    let listener = Listener::bind(&Endpoint::parse("127.0.0.1:0").expect("endpoint")).expect("port");
    let address = listener.address().to_owned();
    let sink = SinkSpec::File(into.clone());
    let (transfer, events) = start(
        Job::Receive {
            from: Incoming::Listener(listener),
            sink,
            expect,
        },
        options,
    );
    let mut arguments = arguments.to_vec();
    arguments.push(&address);
    let peer = Peer::start(script, &arguments);
    let finished = done(transfer.join());
    let first = events.try_iter().find_map(|event| match event.kind {
        EventKind::Preview { values, .. } => Some(values),
        _ => None,
    });
    assert_eq!(first.map(|values| values.len()), Some(0), "nothing has arrived yet");
    (finished, std::fs::read(into).expect("read"), peer.finished())
}

fn floats(count: u64) -> SourceSpec {
    range(&format!("0:{count}"), "f64")
}

fn bytes_of(source: &SourceSpec) -> Vec<u8> {
    let Origin::Range(range) = &source.origin else {
        panic!("a range")
    };
    let mut bytes = vec![0; usize::try_from(range.meta().byte_len()).expect("small")];
    Range::fill(range, 0, &mut bytes);
    bytes
}

/// By the system's own tool.
fn sha256(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), "content", bytes);
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum runs");
    String::from_utf8_lossy(&output.stdout)[..64].into()
}

fn ten_floats() -> Json {
    (0..10).map(f64::from).collect()
}

fn zeros() -> Json {
    vec![0.0; 10].into()
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_recipe_receives_fifty_million_floats_into_a_numpy_array() {
    let (peer, to) = Peer::listening("raw_peer.py", &["receive", "--count", &COUNT.to_string()]);
    let source = floats(COUNT);
    let finished = send(
        source.clone(),
        to,
        &Options {
            wire: WireChoice::Raw,
            ..Options::default()
        },
    );
    assert_eq!((finished.bytes, finished.verified), (8 * COUNT, None));
    let said = peer.finished();
    assert_eq!((&said["before"], &said["after"]), (&zeros(), &ten_floats()));
    assert_eq!(said["sha256"], sha256(&bytes_of(&source)));
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_recipe_sends_fifty_million_floats_from_a_numpy_array() {
    let options = Options {
        wire: WireChoice::Raw,
        ..Options::default()
    };
    let expect = ArrayMeta::vector(Dtype::f64(), COUNT).expect("meta");
    let arguments = ["send", "--count", &COUNT.to_string()];
    let (finished, bytes, _) = received("raw_peer.py", &arguments, &options, Some(expect), "a.bin");
    assert_eq!(finished.bytes, 8 * COUNT);
    assert!(bytes == bytes_of(&floats(COUNT)));
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_recipe_moves_arrays_of_the_array_module_of_python_both_ways() {
    const FEW: u64 = 1_000_003;
    let arguments = ["receive", "--module", "array", "--count", &FEW.to_string()];
    let (peer, to) = Peer::listening("raw_peer.py", &arguments);
    let options = Options {
        wire: WireChoice::Raw,
        ..Options::default()
    };
    send(floats(FEW), to, &options);
    assert_eq!(peer.finished()["sha256"], sha256(&bytes_of(&floats(FEW))));

    let arguments = ["send", "--module", "array", "--count", &FEW.to_string()];
    let expect = ArrayMeta::vector(Dtype::f64(), FEW).expect("meta");
    let (_, bytes, _) = received("raw_peer.py", &arguments, &options, Some(expect), "a.bin");
    assert!(bytes == bytes_of(&floats(FEW)));
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn numpy_in_python_loads_fifty_million_floats_from_the_socket() {
    let (peer, to) = Peer::listening("npy_peer.py", &["receive"]);
    let source = floats(COUNT);
    send(
        source.clone(),
        to,
        &Options {
            wire: WireChoice::Npy,
            ..Options::default()
        },
    );
    let said = peer.finished();
    assert_eq!(said["values"], ten_floats());
    assert_eq!(said["sha256"], sha256(&bytes_of(&source)));
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn numpy_in_python_saves_fifty_million_floats_into_the_socket() {
    let arguments = ["send", "--shape", &COUNT.to_string()];
    let (finished, bytes, said) = received("npy_peer.py", &arguments, &Options::default(), None, "a.bin");
    assert_eq!(finished.bytes, 8 * COUNT);
    assert_eq!(said["values"], ten_floats());
    assert!(bytes == bytes_of(&floats(COUNT)));
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_fortran_array_of_big_endian_floats_from_python_stays_as_it_is() {
    let arguments = ["send", "--shape", "3,4", "--dtype", ">f4", "--fortran"];
    let (_, bytes, said) = received("npy_peer.py", &arguments, &Options::default(), None, "a.npy");
    let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
    assert!(
        header.contains("'descr': '>f4', 'fortran_order': True, 'shape': (3, 4)"),
        "{header}"
    );
    assert_eq!(said["sha256"], sha256(&bytes[128..]));
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_native_peer_in_python_moves_and_verifies_both_ways() {
    for (kind, name) in [
        (ChecksumKind::Crc32, "crc32"),
        (ChecksumKind::Crc64Nvme, "crc64nvme"),
        (ChecksumKind::None, "none"),
    ] {
        // Plain Python takes its time for CRC-64.
        for count in [
            0_u64,
            1,
            100_000,
            if kind == ChecksumKind::Crc64Nvme {
                200_000
            } else {
                1_500_000
            },
        ] {
            let verified = (kind != ChecksumKind::None).then_some(true);
            let (peer, to) = Peer::listening("native_peer.py", &["receive"]);
            let source = floats(count);
            let finished = send(
                source.clone(),
                to,
                &Options {
                    checksum: kind,
                    ..Options::default()
                },
            );
            assert_eq!(
                (finished.bytes, finished.verified),
                (8 * count, verified),
                "{name} {count}"
            );
            assert_eq!(peer.finished()["sha256"], sha256(&bytes_of(&source)), "{name} {count}");

            let arguments = ["send", "--checksum", name, "--count", &count.to_string()];
            let (finished, bytes, _) = received("native_peer.py", &arguments, &Options::default(), None, "a.bin");
            assert_eq!(finished.verified, verified, "{name} {count}");
            assert!(bytes == bytes_of(&source), "{name} {count}");
        }
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_record_of_thousands_of_fields_passes_both_ways_between_python_and_every_wire() {
    let fields: Vec<String> = (0..4000).map(|index| format!("('f{index:04}', '<f4')")).collect();
    let descr = format!("[{}]", fields.join(", "));
    let arguments = ["send", "--shape", "2", "--dtype", &descr];
    for (script, wire) in [("native_peer.py", WireChoice::Native), ("npy_peer.py", WireChoice::Npy)] {
        let (_, bytes, said) = received(script, &arguments, &Options::default(), None, "a.npy");
        let (header, data) = bytes.split_at(bytes.len() - 2 * 16_000);
        assert_eq!(
            (header[6], said["sha256"].as_str()),
            (2, Some(&*sha256(data))),
            "{script}"
        );

        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.npy");
        std::fs::write(&path, &bytes).expect("written");
        let (peer, to) = Peer::listening(script, &["receive"]);
        let origin = Origin::File { path, dtype: None };
        let source = SourceSpec { origin, slice: None };
        let options = Options {
            wire,
            ..Options::default()
        };
        done(start(Job::Send { source, to }, &options).0.join());
        assert_eq!(peer.finished()["sha256"], sha256(data), "{script}");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn python_takes_an_array_that_is_handed_over_and_gives_one() {
    let folder = tempfile::tempdir().expect("folder");
    let at = Endpoint::Unix(folder.path().join("socket"));
    let address = at.to_string();
    for count in [1, 512, 3 * 512 + 1, COUNT] {
        let mut peer = Peer::start("handoff_peer.py", &["receive", &address, "--listen"]);
        assert_eq!(peer.line()["event"], "listening");
        let source = floats(count);
        let finished = send(source.clone(), at.clone(), &Options::default());
        assert_eq!((finished.bytes, finished.verified), (8 * count, None));
        assert_eq!(peer.finished()["sha256"], sha256(&bytes_of(&source)), "{count}");
        std::fs::remove_file(folder.path().join("socket")).expect("it was left");

        for (options, note) in [(&[][..], None), (&["--unsealed"], Some("not sealed"))] {
            let receive = Job::Receive {
                from: Incoming::Listener(Listener::bind(&at).expect("free")),
                sink: SinkSpec::Memory,
                expect: None,
            };
            let (transfer, events) = start(receive, &Options::default());
            let count = count.to_string();
            let arguments = [&["send", &address, "--count", &count], options].concat();
            let said = Peer::start("handoff_peer.py", &arguments);
            let finished = done(transfer.join());
            assert_eq!(finished.note.is_some(), note.is_some());
            assert!(note.is_none_or(|note| finished.note.is_some_and(|told| told.contains(note))));
            let last = events.try_iter().filter_map(|event| match event.kind {
                EventKind::Preview { values, .. } => Some(values),
                _ => None,
            });
            let values: Vec<String> = last
                .last()
                .expect("a preview")
                .iter()
                .map(ToString::to_string)
                .collect();
            let there = said.finished();
            let there: Vec<String> = there["values"]
                .as_array()
                .expect("values")
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(values, there);
        }
    }
}
