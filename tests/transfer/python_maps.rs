//! NumPy maps what is received, while it is received and afterwards, and makes shared memory that is sent.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use arraylift::{Dtype, EventKind, Job, Options, Origin, ShmName, Side, SinkSpec, SourceSpec, WireChoice};
use serde_json::Value as Json;

use crate::support::*;

/// A NumPy that looks when it is told to.
struct Onlooker {
    child: Child,
    tell: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Onlooker {
    fn start(arguments: &[&str]) -> Self {
        let python = std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/map_peer.py");
        let mut command = Command::new(python);
        command.arg(script).args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python runs");
        Self {
            tell: child.stdin.take().expect("piped"),
            output: BufReader::new(child.stdout.take().expect("piped")),
            child,
        }
    }

    fn line(&mut self) -> Json {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    fn go_on(&mut self) {
        self.tell.write_all(b"\n").expect("it listens");
    }

    fn end(mut self) {
        assert!(self.child.wait().expect("ended").success());
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn name(of: &str) -> ShmName {
    ShmName::new(&format!("arraylift-test-{of}-{}", std::process::id())).expect("a name")
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn numpy_maps_a_npy_file_while_it_is_received_and_the_map_outlives_the_rename() {
    const COUNT: u64 = 4_000_000;
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join("a.npy");
    for wire in [WireChoice::Native, WireChoice::Npy] {
        let job = Job::Loopback {
            source: range("0:4e6", "f64"),
            sink: SinkSpec::File(into.clone()),
        };
        let options = Options {
            limit_bytes_per_s: Some(16 << 20),
            ..options(wire)
        };
        let (transfer, events) = start(job, &options);
        let (mut part, mut bytes) = (None, 0);
        wait_until("a quarter has landed", || {
            for event in events.try_iter().filter(|event| event.side == Side::Receiver) {
                match event.kind {
                    EventKind::Started(started) => part = started.part,
                    EventKind::Sample(sample) => bytes = sample.bytes,
                    _ => {}
                }
            }
            bytes >= 8 * COUNT / 4
        });
        transfer.pause();
        let part = part.expect("it is said where the array lands");
        assert_eq!(part.parent(), Some(folder.path()), "beside its final name");
        assert!(!into.exists());
        let mut numpy = Onlooker::start(&["npy", part.to_str().expect("UTF-8")]);
        let before = numpy.line();
        assert_eq!(
            (&before["dtype"], &before["shape"]),
            (&"<f8".into(), &vec![COUNT].into())
        );
        let counted = before["counted"].as_u64().expect("a number");
        assert!((COUNT / 4..COUNT).contains(&counted), "{before}");
        assert_eq!(before["zeros_behind"], true, "{before}");
        transfer.set_limit(None);
        transfer.resume();
        assert_eq!(done(transfer.join()).path, Some(into.clone()));
        assert!(!part.exists());
        numpy.go_on();
        assert_eq!(numpy.line()["counted"], COUNT, "the same map");
        numpy.end();
        std::fs::remove_file(&into).expect("published");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn python_opens_received_shared_memory_without_a_copy() {
    let name = name("received");
    let job = Job::Loopback {
        source: range("0:1e6", "f64"),
        sink: SinkSpec::Shm(name.clone()),
    };
    assert_eq!(done(run(job, &Options::default()).0).path, Some(name.path()));
    let mut numpy = Onlooker::start(&["attach", name.as_str()]);
    let said = numpy.line();
    assert_eq!(
        (&said["size"], &said["counted"], &said["same"]),
        (&8_000_000.into(), &1_000_000.into(), &true.into())
    );
    numpy.end();
    std::fs::remove_file(name.path()).expect("it stays when a reader that does not track it ends");
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn shared_memory_that_python_made_is_sent() {
    let name = name("made");
    let mut numpy = Onlooker::start(&["make", name.as_str(), "1000000"]);
    assert_eq!(numpy.line()["size"], 8_000_000, "Python rounds nothing here");
    let folder = tempfile::tempdir().expect("folder");
    let origin = Origin::Shm {
        name: name.clone(),
        dtype: Some(Dtype::f64()),
    };
    let job = Job::Loopback {
        source: SourceSpec { origin, slice: None },
        sink: SinkSpec::File(folder.path().join("a.bin")),
    };
    let finished = done(run(job, &options(WireChoice::Native)).0);
    assert_eq!((finished.bytes, finished.verified), (8_000_000, Some(true)));
    let expected: Vec<u8> = (0..1_000_000).flat_map(|i| f64::from(i).to_le_bytes()).collect();
    assert!(std::fs::read(folder.path().join("a.bin")).expect("published") == expected);
    numpy.go_on();
    numpy.end();
    assert!(!name.path().exists(), "it was never ours to keep");
}
