//! A disk that is full before all has come, and has room again when the same is sent once more.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::common::{Dir, Process, names_in};
use crate::part_logs::until_recorded_in;
use crate::trees::{counts, finished, incomplete, noise, put};

/// So much is written at a time.
const PIECE: usize = 16 << 10;

/// A service into `disk`, which is a disk of 64 MB that it alone has mounted, and where that is seen from here.
fn on_small_disk(dir: &Dir) -> (Process, PathBuf) {
    // A file system that gives no space ahead.
    let script = "mount -o loop image disk && exec \"$0\" serve 127.0.0.1:0 --into disk --json --keep-free 0";
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_arraylift")]);
    let service = dir.program(unshare).listening();
    let root = PathBuf::from(format!("/proc/{}/root", service.id()));
    let disk = dir.path().join("disk");
    (service, root.join(disk.strip_prefix("/").expect("from the root on")))
}

fn send(dir: &Dir, source: &str, service: &Process, options: &str) -> Process {
    let arguments = format!("send {source} {} --json {options}", service.address);
    dir.arraylift(arguments.split_whitespace()).start()
}

/// Takes all that is free, and not what others give back meanwhile.
fn fill(path: &Path) {
    let disk = rustix::fs::statvfs(path.parent().expect("a folder")).expect("there");
    let mut file = File::create(path).expect("room");
    let pieces = disk.f_bfree * disk.f_frsize / PIECE as u64 + 1;
    for _ in 0..pieces {
        if file.write_all(&[1; PIECE]).is_err() {
            return;
        }
    }
}

/// A disk of 64 MB for a service, and something to send that fills most of it.
fn dir() -> Dir {
    let dir = Dir::new();
    put(&dir, "src/large", noise(48 << 20));
    put(&dir, "src/later", noise(4 << 20));
    dir.folder("disk");
    let image = File::create(dir.path().join("image")).expect("free");
    image.set_len(64 << 20).expect("room");
    let made = Command::new("mkfs.ext2")
        .args(["-q", "image"])
        .current_dir(dir.path())
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    dir
}

/// Whether parts lie there.
fn has_parts(folder: &Path) -> bool {
    names_in(folder).iter().any(|name| name.contains(".part"))
}

fn stop(service: Process) {
    service.signal(Signal::TERM);
    service.wait();
}

#[test]
#[ignore = "needs root and unshare: a small disk in a mount namespace"]
fn a_file_that_a_full_disk_cut_off_in_a_namespace_goes_on_from_there_once_there_is_room() {
    let dir = dir();
    let (service, disk) = on_small_disk(&dir);
    let sender = send(&dir, "src/large", &service, "--limit 20MB/s");
    until_recorded_in(&disk, 8);
    fill(&disk.join("filler"));
    sender.wait().failed(1, &["no room"]);
    assert!(has_parts(&disk));
    fs::remove_file(disk.join("filler")).expect("there");
    let again = send(&dir, "src/large", &service, "").wait().done();
    let resumed = finished(&again)["resumed_bytes"].as_u64();
    // Eight blocks, which are shorter under a limit.
    assert!(resumed >= Some(4 << 20), "{again:?}");
    assert!(fs::read(disk.join("large")).expect("there") == noise(48 << 20));
    stop(service);
}

#[test]
#[ignore = "needs root and unshare: a small disk in a mount namespace"]
fn a_file_of_a_tree_that_a_full_disk_cuts_off_in_a_namespace_makes_room_for_the_others_and_comes_the_next_time() {
    let dir = dir();
    let (service, disk) = on_small_disk(&dir);
    let sender = send(&dir, "src", &service, "--limit 20MB/s");
    until_recorded_in(&disk.join("src"), 16);
    fill(&disk.join("filler"));
    incomplete(&sender.wait(), [2, 0, 1], &[("src/large", "no space")]);
    assert_eq!(names_in(&disk.join("src")), ["later"]);
    fs::remove_file(disk.join("filler")).expect("there");
    fs::remove_file(disk.join("src/later")).expect("there");
    fs::remove_file(dir.path().join("src/later")).expect("there");
    assert_eq!(counts(&send(&dir, "src", &service, "").wait().done()), [1, 1, 0]);
    assert!(fs::read(disk.join("src/large")).expect("there") == noise(48 << 20));
    stop(service);
}
