//! POSIX shared memory as a source and as a sink.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::{Dir, names_in};
use crate::{floats, npy};

/// A name of this test's own, unlinked when this is dropped.
struct Name(String);

impl Name {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("arraylift-test-{}-{number}", std::process::id()))
    }

    fn path(&self) -> PathBuf {
        Path::new("/dev/shm").join(&self.0)
    }

    /// What there is of it: itself, and what a transfer has left behind.
    fn there(&self) -> Vec<String> {
        let begins = |name: &String| name.starts_with(&format!("{}.", self.0)) || *name == self.0;
        names_in(Path::new("/dev/shm")).into_iter().filter(begins).collect()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // Never made is as good.
        let _ = std::fs::remove_file(self.path());
    }
}

#[test]
fn an_array_lands_in_new_shared_memory_of_exactly_its_bytes() {
    let (dir, name) = (Dir::new(), Name::new());
    let ended = dir.run(&format!("loopback range:0:1001 --into shm:{}", name.0)).done();
    assert!(
        ended.stdout.contains(&format!("written to {}", name.path().display())),
        "{ended:?}"
    );
    assert_eq!(std::fs::read(name.path()).expect("made"), floats(1001));
    let mode = std::fs::metadata(name.path()).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "as Python makes it");
    assert_eq!(name.there(), [name.0.as_str()]);
    assert!(dir.names().is_empty());
}

#[test]
fn shared_memory_is_sent_as_bytes_or_as_what_it_is_said_to_be() {
    let (dir, name) = (Dir::new(), Name::new());
    dir.folder("inbox");
    std::fs::write(name.path(), floats(100)).expect("/dev/shm");
    let shm = format!("shm:{}", name.0);
    for route in ["auto", "sendfile", "write", "copying"] {
        let file = format!("{route}.bin");
        dir.run(&format!("loopback {shm} --send-route {route} --into {file}"))
            .done();
        assert_eq!(dir.read(&file), floats(100), "{route}");
    }
    dir.run(&format!(
        "loopback {shm} --dtype f64 --offset 80 --length 160 --into part.npy"
    ))
    .done();
    assert_eq!(dir.read("part.npy"), npy("'<f8'", "(20,)", &floats(100)[80..240]));
    // A folder keeps an array with its header, and mere bytes as they are.
    dir.run(&format!("loopback {shm} --dtype f64 --into inbox")).done();
    dir.run(&format!("loopback {shm} --into inbox")).done();
    assert_eq!(
        dir.read(&format!("inbox/{}.npy", name.0)),
        npy("'<f8'", "(100,)", &floats(100))
    );
    assert_eq!(dir.read(&format!("inbox/{}", name.0)), floats(100));
    let ended = dir.run(&format!("loopback {shm} --dtype f64 --length 12"));
    ended.failed(1, &[&shm, "cannot be sent as an array"]);
}

#[test]
fn from_one_shared_memory_to_another_between_two_processes() {
    let (dir, from, into) = (Dir::new(), Name::new(), Name::new());
    std::fs::write(from.path(), floats(300_000)).expect("/dev/shm");
    // It takes one array, as a file does.
    let receiver = dir.receive(&format!("127.0.0.1:0 --into shm:{} --json", into.0));
    dir.run(&format!("send shm:{} {} --dtype f64", from.0, receiver.address))
        .done();
    let told = receiver.wait().done().objects();
    let started = told.iter().find(|object| object["event"] == "started").expect("told");
    assert_eq!(started["sink"], format!("shm:{}", into.0));
    assert_eq!(
        (&started["dtype"], &started["shape"]),
        (&"f64".into(), &vec![300_000].into())
    );
    let part = started["part"].as_str().expect("a name");
    assert!(
        part.strip_suffix(".part")
            .is_some_and(|name| name.starts_with(&format!("{}.", into.path().display()))),
        "{part}"
    );
    assert_eq!(std::fs::read(into.path()).expect("made"), floats(300_000));
}

#[test]
fn a_name_that_exists_is_refused_before_anything_is_sent() {
    let (dir, name) = (Dir::new(), Name::new());
    std::fs::write(name.path(), "precious").expect("/dev/shm");
    let shm = format!("shm:{}", name.0);
    let hints = [shm.as_str(), "exists and is never overwritten"];
    dir.run(&format!("loopback range:0:10 --into {shm}")).failed(1, &hints);
    dir.run(&format!("receive 127.0.0.1:0 --into {shm}")).failed(1, &hints);
    dir.run(&format!("loopback range:0:10 --repeat 2 --into {shm}"))
        .failed(2, &["--repeat"]);
    assert_eq!(std::fs::read(name.path()).expect("there"), b"precious");
    assert_eq!(name.there(), [name.0.as_str()]);

    // One that appears later is in the sender's way, too.
    let later = Name::new();
    let mut receiver = dir.receive(&format!("127.0.0.1:0 --json --into shm:{}", later.0));
    assert!(receiver.line().contains("\"state\":\"listening\""), "it has looked");
    std::fs::write(later.path(), "precious").expect("/dev/shm");
    dir.run(&format!("send range:0:10 {}", receiver.address))
        .failed(1, &["refused", "shared memory of that name exists there"]);
    receiver.wait().failed(1, &[&format!("shm:{} exists", later.0)]);
    assert_eq!(std::fs::read(later.path()).expect("there"), b"precious");
}

#[test]
fn shared_memory_that_is_not_there_is_named() {
    let (dir, name) = (Dir::new(), Name::new());
    dir.run(&format!("loopback shm:{}", name.0))
        .failed(1, &[&format!("there is no shared memory shm:{}", name.0)]);
    // A link could lead anywhere.
    let target = dir.write("a.bin", "four");
    std::os::unix::fs::symlink(target, name.path()).expect("/dev/shm");
    dir.run(&format!("loopback shm:{}", name.0))
        .failed(1, &[&format!("cannot read shm:{}", name.0)]);
    dir.run(&format!("loopback range:0:10 --into shm:{}", name.0))
        .failed(1, &["exists"]);
    assert_eq!(dir.read("a.bin"), b"four");
}

#[test]
fn a_name_that_would_leave_the_folder_is_wrong_usage() {
    let dir = Dir::new();
    for name in ["", "/a", "a/b", "..", ".", "../a", &"x".repeat(256)] {
        for arguments in [
            format!("loopback shm:{name}"),
            format!("loopback range:0:10 --into shm:{name}"),
        ] {
            dir.run(&arguments).failed(2, &[&format!("shm:{name}: ")]);
        }
    }
    // A file of that name is a file.
    dir.write("shm:a", "four");
    dir.run("loopback shm:a --into b").done();
    assert_eq!(dir.read("b"), b"four");
}

#[test]
fn more_than_memory_holds_is_refused_and_the_sender_is_told() {
    let (dir, name) = (Dir::new(), Name::new());
    for (sink, hint) in [
        ("memory".to_owned(), "of memory are needed"),
        (format!("shm:{}", name.0), "of memory are needed"),
    ] {
        let receiver = dir.receive(&format!("127.0.0.1:0 --once --into {sink}"));
        dir.run(&format!("send range:0:1e15 {} --dtype f32", receiver.address))
            .failed(1, &["the receiver refused", "it has no memory for"]);
        receiver.wait().failed(1, &[hint]);
    }
    assert!(name.there().is_empty());
}

#[test]
fn a_cancelled_transfer_leaves_no_shared_memory() {
    let (dir, name) = (Dir::new(), Name::new());
    let arguments = format!("loopback range:0:1e6 --limit 1MB/s --json --into shm:{}", name.0);
    let mut process = dir.arraylift(arguments.split(' ')).start();
    while !process.line().contains("\"sample\"") {}
    assert_eq!(name.there().len(), 1, "a .part while it runs");
    assert!(!name.path().exists());
    process.signal(rustix::process::Signal::TERM);
    process.wait().failed(1, &["cancelled"]);
    assert!(name.there().is_empty());
}

#[test]
#[ignore = "needs a mount namespace: unshare -rm"]
fn a_full_shared_memory_is_noticed_in_a_namespace_of_its_own() {
    let dir = Dir::new();
    let script = "mount -t tmpfs -o size=1m tmpfs /dev/shm && \"$0\" loopback range:0:1e6 --into shm:big; code=$?; \
                  ls -A /dev/shm; exit $code";
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_arraylift")]);
    let ended = dir.program(unshare).run();
    let ended = ended.failed(1, &["shm:big needs 8.00 MB", "more than /dev/shm has free"]);
    assert_eq!(ended.stdout, "", "nothing is left in it");
    // Full while it comes: someone else takes what was free.
    let script = "mount -t tmpfs -o size=12m tmpfs /dev/shm || exit 9; \
                  \"$0\" loopback range:0:1e6 --limit 16MB/s --into shm:big & \
                  while ! ls /dev/shm/big.*.part >/dev/null 2>&1; do sleep 0.01; done; \
                  head -c 8m /dev/zero >/dev/shm/other; wait $!; code=$?; ls -A /dev/shm; exit $code";
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_arraylift")]);
    let ended = dir.program(unshare).run();
    let ended = ended.failed(1, &["shm:big needs 8.00 MB", "more than /dev/shm has free"]);
    assert_eq!(ended.stdout, "other\n");
}
