//! Output that nobody reads: everything goes on, signals are heard, and the process ends.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Process, names_in};
use crate::npy;

/// As many arrays as one sender after the other brings.
const ARRAYS: usize = 1500;
/// Nothing here takes so long, unless it waits for a reader.
const PATIENCE: Duration = Duration::from_secs(30);

/// A pipe that has no room for a single byte, and that nobody reads.
struct FullPipe {
    _reader: OwnedFd,
    writer: OwnedFd,
}

impl FullPipe {
    fn new() -> Self {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).expect("a pipe");
        while rustix::io::write(&writer, &[b'\n'; 4096]).is_ok() {}
        // Whoever writes to it now waits.
        let flags = fcntl_getfl(&writer).expect("its flags");
        fcntl_setfl(&writer, flags - OFlags::NONBLOCK).expect("set");
        Self {
            _reader: reader,
            writer,
        }
    }

    fn end(&self) -> OwnedFd {
        self.writer.try_clone().expect("a descriptor")
    }
}

fn start(dir: &Dir, arguments: &str, stdout: &FullPipe) -> Process {
    dir.arraylift(arguments.split_whitespace()).stdout(stdout.end()).start()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn connected(path: &Path) -> UnixStream {
    // The path is there a moment before anybody listens at it.
    let mut stream = None;
    until("nobody listens", || {
        stream = UnixStream::connect(path).ok();
        stream.is_some()
    });
    stream.expect("it listens")
}

/// Sends an array as a plain `.npy` stream, and waits until the other end closes.
fn send(to: &Path) {
    let mut stream = connected(to);
    stream.write_all(&npy("'<f8'", "(4,)", &[0; 32])).expect("sent");
    stream.shutdown(std::net::Shutdown::Write).expect("shut down");
    stream.read_to_end(&mut Vec::new()).expect("closed");
}

/// Ends by a signal, whatever could not be told.
fn ends(process: Process) {
    process.signal(Signal::TERM);
    let ended = process.wait();
    assert!(ended.status.code().is_some(), "{ended:?}");
}

#[test]
fn a_receiver_whose_output_nobody_reads_receives_on_and_hears_signals() {
    for command in ["serve", "receive"] {
        for json in ["--json", ""] {
            let dir = Dir::new();
            let inbox = dir.folder("inbox");
            let full = FullPipe::new();
            let process = start(&dir, &format!("{command} unix:s --into inbox {json}"), &full);
            for _ in 0..3 {
                send(&dir.path().join("s"));
            }
            until("an array is missing", || names_in(&inbox).len() == 3);
            ends(process);
        }
    }
}

#[test]
fn who_reads_late_finds_each_end_and_how_many_samples_were_left_out() {
    for command in ["serve", "receive"] {
        let dir = Dir::new();
        let arguments = format!("{command} unix:s --into discard --json --preview 100");
        let mut process = dir.arraylift(arguments.split_whitespace()).start();
        for _ in 0..ARRAYS {
            send(&dir.path().join("s"));
        }
        until("not all have ended", || {
            let status = dir.run("status --json").objects();
            let transfers = status[0]["transfers"].as_array().expect("transfers");
            transfers.iter().all(|transfer| transfer["has_begun"] == false)
        });
        process.signal(Signal::TERM);
        let (mut finished, mut omitted) = (0, 0);
        let mut last = Json::Null;
        loop {
            let line = process.line();
            if line.is_empty() {
                break;
            }
            last = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            finished += usize::from(last["event"] == "finished");
            if last["event"] == "omitted" {
                assert_eq!(last["events"], 0, "{last}");
                omitted += last["samples"].as_u64().expect("a count");
            }
        }
        process.wait().done();
        assert_eq!(finished, ARRAYS, "{command}: {omitted} left out, last {last}");
        if command == "receive" {
            assert!(omitted > 0, "nothing was left out");
        }
    }
}

#[test]
fn a_transfer_whose_output_nobody_reads_is_done_and_says_what_could_not_be_told() {
    let dir = Dir::new();
    dir.folder("inbox");
    let service = dir.listen("serve", "unix:s --into inbox");
    let echo = dir.listen("serve", "127.0.0.1:0 --echo");
    let web = web_server();
    for command in [
        "send range:0:1e5 unix:s",
        "send range:0:10 range:0:10 unix:s",
        &format!("fetch http://{web}/a.bin"),
        &format!("ping {} --sizes 64 --count 3", echo.address),
        "loopback range:0:1e5",
        "loopback range:0:1e5 --repeat 3",
    ] {
        for json in ["", "--json"] {
            let full = FullPipe::new();
            let process = start(&dir, &format!("{command} {json}"), &full);
            process.wait().failed(1, &["standard output", "done", "nobody reads"]);
        }
    }
    ends(service);
    ends(echo);
}

/// A server of ten bytes.
fn web_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let serve = move || {
        for client in listener.incoming() {
            let mut client = client.expect("a client");
            let mut asked = [0; 4096];
            let read = client.read(&mut asked).expect("a request");
            assert!(asked[..read].ends_with(b"\r\n\r\n"));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789";
            client.write_all(answer).expect("answered");
        }
    };
    std::thread::Builder::new().spawn(serve).expect("a thread");
    address
}

#[test]
fn a_signal_ends_each_command_whose_output_nobody_reads() {
    let dir = Dir::new();
    dir.folder("inbox");
    let service = dir.listen("serve", "unix:s --into inbox");
    let echo = dir.listen("serve", "127.0.0.1:0 --echo");
    let recipe = UnixListener::bind(dir.path().join("recipe")).expect("bound");
    let slow = dir
        .arraylift("send range:0:1e8 unix:s --limit 1MB/s --json".split(' '))
        .start();
    for command in [
        "send range:0:1e8 unix:s --limit 1MB/s",
        "loopback range:0:1e8 --limit 1MB/s",
        &format!("attach {}", slow.id()),
        &format!("ping {} --sizes 64 --count 1000000000", echo.address),
        "worker --recipe recipe --into discard",
        "compare range:0:1e7",
    ] {
        for json in ["", "--json"] {
            let full = FullPipe::new();
            let process = start(&dir, &format!("{command} {json}"), &full);
            // Once it hears signals, they do not kill it.
            until("it hears no signals", || process.hears(Signal::TERM));
            std::thread::sleep(Duration::from_millis(300));
            ends(process);
        }
    }
    drop(recipe);
    ends(slow);
    ends(service);
    ends(echo);
}

#[test]
fn a_standard_error_that_nobody_reads_holds_nobody() {
    for command in ["serve", "receive"] {
        let dir = Dir::new();
        let inbox = dir.folder("inbox");
        let full = FullPipe::new();
        let arguments = format!("{command} unix:s --into inbox --json");
        let mut process = dir.arraylift(arguments.split(' ')).stderr(full.end()).start();
        for _ in 0..20 {
            let mut stranger = connected(&dir.path().join("s"));
            stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
            let _ = stranger.read_to_end(&mut Vec::new());
        }
        send(&dir.path().join("s"));
        until("the array is missing", || names_in(&inbox).len() == 1);
        crate::serve::until(&mut process, "finished");
        ends(process);
    }
    let dir = Dir::new();
    let full = FullPipe::new();
    let process = dir
        .arraylift(["send", "missing.npy", "unix:s"])
        .stderr(full.end())
        .start();
    assert_eq!(process.wait().status.code(), Some(1));
}
