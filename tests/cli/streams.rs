//! Pipes, devices, and what else does not tell its length.

use std::io::{PipeReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use crate::common::{Dir, names_in};
use crate::native::{KEEP_ALIVE, accepted, hear_offer};
use crate::peers::peer;
use crate::{floats, npy};

fn fifo(dir: &Dir, name: &str) -> std::path::PathBuf {
    let path = dir.path().join(name);
    mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).expect("a named pipe");
    path
}

/// Writes at its own pace, on a thread that ends when all is written or nobody reads.
fn producer(
    mut into: impl std::io::Write + Send + 'static,
    pieces: Vec<(Duration, Vec<u8>)>,
) -> std::thread::JoinHandle<()> {
    let body = move || {
        for (pause, bytes) in pieces {
            std::thread::sleep(pause);
            if into.write_all(&bytes).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("producer".into())
        .spawn(body)
        .expect("a thread")
}

/// A pipe that gives these bytes and then ends.
fn piped(bytes: Vec<u8>) -> PipeReader {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(producer(writer, vec![(Duration::ZERO, bytes)]));
    reader
}

#[test]
fn what_does_not_tell_its_length_needs_one() {
    let dir = Dir::new();
    fifo(&dir, "pipe");
    for source in ["pipe", "/dev/zero", "-"] {
        for arguments in [
            format!("loopback {source}"),
            format!("send {source} 127.0.0.1:1 --dtype f64"),
        ] {
            let ended = dir.arraylift(arguments.split(' ')).stdin(piped(vec![1; 10])).run();
            ended.failed(2, &["does not tell its length", "--length BYTES"]);
        }
    }
    dir.run("loopback /dev/zero --length 12 --dtype f64")
        .failed(2, &["12 bytes", "whole number of f64 elements"]);
    dir.run("loopback pipe --length 12 --offset 1").failed(2, &["offset"]);
    for route in ["sendfile", "copying"] {
        dir.run(&format!("loopback /dev/zero --length 8 --send-route {route}"))
            .failed(2, &["/dev/zero", "write route"]);
    }
    assert_eq!(dir.names(), ["pipe"]);
}

#[test]
fn a_producer_on_standard_input_is_sent_by_every_wire() {
    let dir = Dir::new();
    // More than a pipe, a chunk and a block hold.
    let bytes = floats(1_000_000);
    for (wire, options) in [("native", ""), ("npy", ""), ("raw", "--dtype f64 --count 1e6")] {
        let receiver = dir.receive(&format!("127.0.0.1:0 --into {wire}.npy --wire {wire} {options}"));
        let arguments = format!(
            "send - {} --length 8MB --dtype f64 --wire {wire} --json",
            receiver.address
        );
        let sender = dir.arraylift(arguments.split(' ')).stdin(piped(bytes.clone()));
        let told = sender.run().done().objects();
        let started = told.iter().find(|object| object["event"] == "started").expect("told");
        assert_eq!(
            (&started["source"], &started["send_route"]),
            (&"stdin".into(), &"write".into())
        );
        let preview = told
            .iter()
            .filter(|object| object["event"] == "preview")
            .collect::<Vec<_>>();
        assert_eq!(preview.len(), 1, "{preview:?}");
        assert_eq!(preview[0]["values"][9], 9.0);
        receiver.wait().done();
        assert!(
            dir.read(&format!("{wire}.npy")) == npy("'<f8'", "(1000000,)", &bytes),
            "{wire}"
        );
    }
}

#[test]
fn a_folder_keeps_a_typed_stream_with_its_header_and_bytes_as_they_are() {
    let dir = Dir::new();
    dir.folder("inbox");
    for options in ["--length 80 --dtype f64", "--length 80"] {
        let arguments = format!("loopback - --into inbox {options}");
        dir.arraylift(arguments.split(' '))
            .stdin(piped(floats(10)))
            .run()
            .done();
    }
    assert_eq!(dir.read("inbox/stdin.npy"), npy("'<f8'", "(10,)", &floats(10)));
    assert_eq!(dir.read("inbox/stdin"), floats(10));
}

#[test]
fn a_slow_producer_is_not_taken_for_silence() {
    let dir = Dir::new();
    let pipe = fifo(&dir, "pipe");
    let receiver = dir.receive("127.0.0.1:0 --into a.bin --timeout 600ms");
    let arguments = format!("send pipe {} --length 3000 --timeout 600ms", receiver.address);
    let sender = dir.arraylift(arguments.split(' ')).start();
    // Nobody has opened the pipe yet, and then it gives a little now and then.
    std::thread::sleep(Duration::from_millis(1500));
    let writer = std::fs::File::options()
        .write(true)
        .open(pipe)
        .expect("its reader is there");
    let pieces = (1..=3).map(|piece| (Duration::from_millis(900), vec![piece; 1000]));
    let producer = producer(writer, pieces.collect());
    sender.wait().done();
    let ended = receiver.wait().done();
    producer.join().expect("wrote");
    assert!(ended.stdout.contains(", verified"), "{ended:?}");
    assert_eq!(
        dir.read("a.bin"),
        [vec![1; 1000], vec![2; 1000], vec![3; 1000]].concat()
    );
}

#[test]
fn a_stream_that_ends_early_is_named_and_nothing_is_kept() {
    let dir = Dir::new();
    dir.folder("inbox");
    for (wire, options) in [("native", ""), ("npy", ""), ("raw", "--dtype u8 --count 5000000")] {
        let receiver = dir.receive(&format!("127.0.0.1:0 --once --into inbox --wire {wire} {options}"));
        let arguments = format!("send - {} --length 5e6 --wire {wire}", receiver.address);
        let sender = dir.arraylift(arguments.split(' ')).stdin(piped(vec![7; 4_999_999]));
        sender
            .run()
            .failed(1, &["/dev/stdin ended early: 4999999 of 5000000 bytes came"]);
        let hint = if wire == "native" {
            "the source ended early: 4999999 of 5000000"
        } else {
            "1 B are missing"
        };
        receiver.wait().failed(1, &[hint]);
        assert!(names_in(&dir.path().join("inbox")).is_empty(), "{wire}");
    }
    dir.run("loopback /dev/null --length 5")
        .failed(1, &["ended early: 0 of 5"]);
}

#[test]
fn why_a_sender_gives_up_is_heard_by_a_receiver_that_reads_it_late_and_talks_meanwhile() {
    let (address, thread) = peer(|mut stream| {
        hear_offer(&mut stream);
        stream.write_all(&accepted()).expect("it listens");
        let mut talks = stream.try_clone().expect("a descriptor");
        let talker = std::thread::Builder::new().spawn(move || {
            while talks.write_all(KEEP_ALIVE).is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        // Long after all has been sent.
        std::thread::sleep(Duration::from_millis(250));
        let mut came = Vec::new();
        stream.read_to_end(&mut came).expect("all that was sent");
        stream.shutdown(Shutdown::Both).expect("it is open");
        talker.expect("a thread").join().expect("it ends");
        let words = b"the source ended early";
        assert!(came.windows(words.len()).any(|window| window == words));
    });
    let dir = Dir::new();
    dir.arraylift(["send", "-", &address, "--length", "100001"])
        .stdin(piped(vec![7; 100_000]))
        .run()
        .failed(1, &["ended early: 100000 of 100001 bytes came"]);
    thread.join().expect("a peer");
}

#[test]
fn a_transfer_that_waits_for_a_producer_can_be_cancelled() {
    let dir = Dir::new();
    fifo(&dir, "pipe");
    for wire in ["native", "npy"] {
        let arguments = format!("loopback pipe --length 1e6 --into a.bin --wire {wire} --json");
        let mut process = dir.arraylift(arguments.split(' ')).start();
        while !process.line().contains("\"started\"") {}
        let asked = Instant::now();
        process.signal(Signal::TERM);
        process.wait().failed(1, &["cancelled"]);
        assert!(asked.elapsed() < Duration::from_secs(10));
        assert_eq!(dir.names(), ["pipe"]);
    }
}

#[test]
fn what_follows_the_length_is_left_to_others() {
    let dir = Dir::new();
    let mut shell = std::process::Command::new("sh");
    let script = "printf 0123456789 | { \"$0\" loopback - --length 4 --into a.bin >/dev/null; cat; }";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_arraylift")]);
    let ended = dir.program(shell).run().done();
    assert_eq!((dir.read("a.bin"), ended.stdout.as_str()), (b"0123".to_vec(), "456789"));
}

#[test]
fn devices_and_what_the_system_makes_up_are_sent_with_a_length() {
    let dir = Dir::new();
    dir.run("loopback /dev/zero --length 10MB --into zeros").done();
    assert!(dir.read("zeros") == vec![0; 10_000_000]);
    let version = std::fs::read("/proc/version").expect("a kernel");
    dir.run(&format!(
        "loopback /proc/version --length {} --into version",
        version.len()
    ))
    .done();
    assert_eq!(dir.read("version"), version);
}

#[test]
fn what_the_system_makes_up_is_sent_whole_whatever_length_it_tells() {
    let dir = Dir::new();
    // The first tells 0 bytes, the second 4096, and neither can be mapped.
    for (number, path) in ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"]
        .into_iter()
        .enumerate()
    {
        let Ok(whole) = std::fs::read(path) else {
            println!("skipped: there is no {path} here");
            continue;
        };
        let into = |kind: &str| format!("{kind}{number}");
        dir.run(&format!("loopback {path} --into {}", into("whole"))).done();
        assert_eq!(dir.read(&into("whole")), whole, "{path}");
        dir.run(&format!("loopback {path} --offset 2 --into {}", into("rest")))
            .done();
        assert_eq!(dir.read(&into("rest")), whole[2..], "{path}");
        dir.run(&format!(
            "loopback {path} --offset 2 --length 3 --into {}",
            into("part")
        ))
        .done();
        assert_eq!(dir.read(&into("part")), whole[2..5], "{path}");
        let file = std::fs::File::open(path).expect("there");
        let input = dir
            .arraylift(["loopback", "-", "--into", &into("input")])
            .stdin(OwnedFd::from(file));
        input.run().done();
        assert_eq!(dir.read(&into("input")), whole, "{path}");
    }
    // It cannot be read where nothing is mapped, which is no reason to send nothing.
    dir.run("loopback /proc/self/mem")
        .failed(1, &["cannot read /proc/self/mem"]);
}

#[test]
fn a_file_as_standard_input_tells_its_length_itself() {
    let dir = Dir::new();
    let path = dir.write("a.bin", "0123456789");
    let open = || OwnedFd::from(std::fs::File::open(&path).expect("there"));
    dir.arraylift(["loopback", "-", "--into", "b"])
        .stdin(open())
        .run()
        .done();
    assert_eq!(dir.read("b"), b"0123456789");
    let read = std::fs::File::open(&path).expect("there");
    rustix::fs::seek(&read, rustix::fs::SeekFrom::Start(3)).expect("a file");
    dir.arraylift(["loopback", "-"])
        .stdin(Stdio::from(read))
        .run()
        .failed(1, &["/dev/stdin", "read from it already"]);
}
