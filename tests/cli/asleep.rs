//! A process that was stopped, as one is whose machine or container was frozen: what did not happen meanwhile is nobody's
//! silence.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use crate::common::{Dir, Process};
use crate::{floats, npy};

/// Twice the `--timeout` that the processes here have, and more than they are late by.
const LONG: Duration = Duration::from_millis(2500);
/// The other end was frozen as well, and goes on a little later.
const LATER: Duration = Duration::from_millis(400);

/// Stops it for longer than its patience. The other end says nothing until this returns.
fn freeze(process: &Process) {
    process.hang();
    std::thread::sleep(LONG);
    process.signal(Signal::CONT);
    std::thread::sleep(LATER);
}

#[test]
fn a_receiver_that_was_stopped_does_not_take_that_for_the_senders_silence() {
    let dir = Dir::new();
    dir.folder("inbox");
    let array = npy("'<f8'", "(10000,)", &floats(10_000));
    for (command, options) in [
        ("receive", "--once --into inbox"),
        ("receive", "--into inbox"),
        ("serve", "--into inbox"),
    ] {
        // Before it has said what it sends, and within the array.
        for said in [5, 40_000] {
            let service = dir.listen(command, &format!("127.0.0.1:0 --timeout 1s --json {options}"));
            let mut sender = TcpStream::connect(&service.address).expect("it listens");
            sender.write_all(&array[..said]).expect("it takes them");
            std::thread::sleep(LATER);
            freeze(&service);
            sender.write_all(&array[said..]).expect("it goes on");
            drop(sender);
            std::thread::sleep(LATER);
            if !options.contains("once") {
                service.signal(Signal::TERM);
            }
            let ended = service.wait();
            assert!(ended.stdout.contains("\"finished\""), "{command} {options}: {ended:?}");
        }
    }
    assert_eq!(dir.names(), ["inbox"]);
}

#[test]
fn a_silent_sender_is_still_given_up_by_one_that_was_stopped() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --timeout 1s --into a.npy");
    let mut sender = TcpStream::connect(&receiver.address).expect("it listens");
    sender
        .write_all(&npy("'<f8'", "(10000,)", &floats(100)))
        .expect("it takes them");
    std::thread::sleep(LATER);
    freeze(&receiver);
    receiver.wait().failed(1, &["said nothing for 1 s"]);
    drop(sender);
}

#[test]
fn a_sender_that_was_stopped_does_not_take_that_for_the_receivers_silence() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --timeout 1s --once --into memory");
    let arguments = format!("send range:0:4e6 {} --timeout 1s --limit 20MB/s", receiver.address);
    let sender = dir.arraylift(arguments.split_whitespace()).start();
    std::thread::sleep(LATER);
    // The sender goes on first.
    receiver.hang();
    sender.hang();
    std::thread::sleep(LONG);
    sender.signal(Signal::CONT);
    std::thread::sleep(LATER);
    receiver.signal(Signal::CONT);
    sender.wait().done();
    receiver.wait().done();
}

#[test]
fn a_fetch_that_was_stopped_does_not_take_that_for_the_servers_silence() {
    let dir = Dir::new();
    let web = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = web.local_addr().expect("address");
    let arguments = format!("fetch http://{address}/a.bin --timeout 1s --into a.bin");
    let fetch = dir.arraylift(arguments.split_whitespace()).start();
    let (mut stream, _) = web.accept().expect("a client");
    let _ = stream.read(&mut [0; 4096]).expect("a request");
    std::thread::sleep(LATER);
    freeze(&fetch);
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabc")
        .expect("it goes on");
    std::thread::sleep(LATER);
    freeze(&fetch);
    stream.write_all(b"def").expect("it goes on");
    drop((stream, web));
    fetch.wait().done();
    assert_eq!(dir.read("a.bin"), b"abcdef");
}
