//! Where arrays land, and where they cannot.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::time::Instant;

use rustix::process::Signal;

use crate::common::{Dir, PATIENCE, names_in};
use crate::native::{ACCEPT, ACCEPTED_BYTES, WELCOME, block};
use crate::peers::native_offer;
use crate::{floats, npy};

#[test]
fn an_existing_file_is_never_overwritten() {
    let dir = Dir::new();
    dir.write("a.npy", "precious");
    dir.run("loopback range:0:10 --into a.npy")
        .failed(1, &["a.npy exists", "choose another name"]);
    dir.run("receive 127.0.0.1:0 --into a.npy").failed(1, &["a.npy exists"]);
    assert_eq!(dir.read("a.npy"), b"precious");
    assert_eq!(dir.names(), ["a.npy"]);
}

#[test]
fn a_folder_takes_the_senders_name_and_numbers_it_where_it_is_taken() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    dir.write("a.bin", "new");
    std::fs::write(inbox.join("a.bin"), "old").expect("writable");
    let ended = dir.run("loopback a.bin --into inbox").done();
    assert_eq!(names_in(&inbox), ["a-1.bin", "a.bin"]);
    assert_eq!(dir.read("inbox/a.bin"), b"old");
    assert_eq!(dir.read("inbox/a-1.bin"), b"new");
    assert!(ended.stdout.contains("written to inbox/a-1.bin"), "{ended:?}");
    assert!(ended.stdout.contains("note: inbox/a.bin existed"), "{ended:?}");
}

#[test]
fn a_sink_that_cannot_be_written_is_named() {
    let dir = Dir::new();
    dir.write("file", "x");
    dir.run("loopback range:0:10 --into missing/")
        .failed(1, &["cannot write missing", "create it"]);
    dir.run("loopback range:0:10 --into missing/a.npy")
        .failed(1, &["cannot write missing", "create it"]);
    dir.run("loopback range:0:10 --into file/")
        .failed(1, &["cannot write file/"]);
    dir.run("loopback range:0:10 --into file/a")
        .failed(1, &["cannot write file"]);
    dir.run("loopback range:0:10 --into /proc/a")
        .failed(1, &["cannot write /proc"]);
    let locked = dir.folder("locked");
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).expect("own folder");
    // Root writes everywhere.
    if std::fs::write(locked.join("try"), "").is_err() {
        dir.run("loopback range:0:10 --into locked/")
            .failed(1, &["cannot write locked", "permission denied"]);
    }
}

#[test]
fn a_full_disk_is_noticed_before_anything_is_sent() {
    let dir = Dir::new();
    let arguments = ["loopback", "range:0:1e6", "--into", "a.npy", "--json"];
    let ended = dir
        .arraylift_with_file_limit(100, &arguments)
        .run()
        .failed(1, &["a.npy needs 8.00 MB"]);
    assert!(dir.names().is_empty());
    let failed = ended
        .objects()
        .into_iter()
        .find(|object| object["event"] == "failed")
        .expect("told");
    assert_eq!((&failed["fault"], &failed["bytes"]), (&"system".into(), &0.into()));
}

#[test]
fn an_array_is_received_into_a_part_of_an_existing_one() {
    let dir = Dir::new();
    dir.write("whole.npy", npy("'<f8'", "(10,)", &[0; 80]));
    dir.run("loopback range:0:6 --into whole.npy --at 32").done();
    let expected = [vec![0; 32], floats(6)].concat();
    assert_eq!(dir.read("whole.npy"), npy("'<f8'", "(10,)", &expected));
    dir.write("whole.bin", [1; 10]);
    dir.write("part", [2; 3]);
    dir.run("loopback part --into whole.bin --at 7").done();
    assert_eq!(dir.read("whole.bin"), [1, 1, 1, 1, 1, 1, 1, 2, 2, 2]);
}

#[test]
fn an_existing_array_that_does_not_fit_stays_as_it_is() {
    let dir = Dir::new();
    let whole = npy("'<f8'", "(10,)", &[0; 80]);
    dir.write("whole.npy", &whole);
    for (arguments, hint) in [
        ("range:0:11 --into whole.npy --at 0", "beyond its 80"),
        ("range:0:6 --into whole.npy --at 40", "beyond its 80"),
        ("range:0:6 --into whole.npy --at 18446744073709551608", "beyond its 80"),
        ("range:0:6 --dtype f32 --into whole.npy --at 0", "got f32"),
        ("range:0:6 --into missing.npy --at 0", "no such file"),
    ] {
        dir.run(&format!("loopback {arguments}"))
            .failed(1, &["cannot take the array", hint]);
    }
    assert_eq!(dir.read("whole.npy"), whole);
    assert_eq!(dir.names(), ["whole.npy"]);
}

#[test]
fn an_offer_for_a_part_of_a_sparse_file_takes_no_disk_and_its_bytes_take_little_more_than_they_are() {
    const BYTES: u64 = 3 << 30;
    let dir = Dir::new();
    let sparse = File::create_new(dir.path().join("sparse.bin")).expect("a new file");
    sparse.set_len(BYTES).expect("lengthened");
    let disk_bytes = || 512 * sparse.metadata().expect("a file").blocks();
    let receiver = dir.receive("127.0.0.1:0 --into sparse.bin --at 0 --once");
    let mut stream = TcpStream::connect(&receiver.address).expect("it listens");
    stream.write_all(&native_offer("a", BYTES)).expect("it takes them");
    let mut answer = [0; ACCEPTED_BYTES];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!((answer[8], answer[16]), (WELCOME, ACCEPT));
    assert_eq!(disk_bytes(), 0, "accepted, and nothing taken");
    stream.write_all(&block(0, b"x")).expect("it takes them");
    // Closed with bytes unread it would take back what it has sent.
    stream.shutdown(Shutdown::Write).expect("open");
    let _ = stream.read_to_end(&mut Vec::new());
    receiver.wait().failed(1, &["closed the connection"]);
    assert!(
        disk_bytes() <= (64 << 20) + (1 << 20),
        "{} bytes of disk for one",
        disk_bytes()
    );
    let mut head = [1; 2];
    let mut reader = File::open(dir.path().join("sparse.bin")).expect("there");
    reader.read_exact(&mut head).expect("read");
    assert_eq!(head, *b"x\0");
}

#[test]
fn a_cancel_tells_how_many_bytes_of_a_file_that_was_there_are_others_now() {
    const BYTES: usize = 8_000_000;
    let dir = Dir::new();
    dir.write("source.bin", vec![0x55; BYTES]);
    let others = || dir.read("whole.bin").split(|byte| *byte == 0x55).count() - 1;
    for streams in [1, 2, 4] {
        for json in ["", " --json"] {
            dir.write("whole.bin", vec![0xaa; BYTES]);
            let receiver = dir.receive(&format!("127.0.0.1:0 --once --into whole.bin --at 0{json}"));
            let arguments = format!(
                "send source.bin {} --wire native --streams {streams} --limit 1MB/s",
                receiver.address
            );
            let sender = dir.arraylift(arguments.split(' ')).start();
            let deadline = Instant::now() + PATIENCE;
            while others() < 300_000 {
                assert!(Instant::now() < deadline, "nothing moves");
            }
            receiver.signal(Signal::TERM);
            let ended = receiver.wait().failed(1, &["cancelled"]);
            sender.wait().failed(1, &[]);
            let note = format!("{} bytes of whole.bin are overwritten already", others());
            assert!(ended.stdout.contains(&note), "{streams}: {note:?} is not in {ended:?}");
        }
    }
}

#[test]
fn discard_and_memory_leave_nothing() {
    let dir = Dir::new();
    for sink in ["memory", "discard"] {
        let ended = dir.run(&format!("loopback range:0:1000 --into {sink}")).done();
        assert!(ended.stdout.starts_with("8.00 kB in "), "{ended:?}");
    }
    assert!(dir.names().is_empty());
}

#[test]
fn a_port_or_a_socket_in_use_is_named_and_whoever_has_it_is_not_disturbed() {
    let dir = Dir::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    dir.run(&format!("receive {address}"))
        .failed(1, &[&address.to_string(), "in use"]);
    dir.write("file", "precious");
    dir.run("receive unix:file").failed(1, &["unix:file", "not a socket"]);
    assert_eq!(dir.read("file"), b"precious");

    let receiver = dir.receive("unix:socket --into discard --once");
    dir.run("receive unix:socket").failed(1, &["unix:socket", "in use"]);
    dir.run("send range:0:10 unix:socket").done();
    receiver.wait().done();
}
