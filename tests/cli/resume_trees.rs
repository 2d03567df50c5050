//! Folders whose transfer breaks within a large file, and goes on within it when the same is sent again.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Dir, Ended, Process, names_in};
use crate::other_users::{OTHER, Others};
use crate::part_logs::until_recorded_in;
use crate::serve::{cancelled, stopped, until_draining};
use crate::trees::{counts, finished, noise, put};

/// Of the large file.
const BYTES: usize = 48 << 20;
/// A block of it.
const BLOCK: u64 = 1 << 20;

/// A folder with small files and a large one, and an inbox for it.
fn dir() -> Dir {
    let dir = Dir::new();
    for number in 0..20 {
        put(&dir, format!("src/{number}"), noise(1000 + number));
    }
    put(&dir, "src/sub/large", noise(BYTES));
    put(&dir, "src/sub/small", "s");
    dir.folder("inbox");
    dir
}

fn serve(dir: &Dir, options: &str) -> Process {
    dir.listen(
        "serve",
        &format!("127.0.0.1:0 --into inbox --json --keep-free 0 {options}"),
    )
}

fn send_slowly(dir: &Dir, service: &Process, options: &str) -> Process {
    send_at("20MB/s", dir, service, options)
}

fn send_at(rate: &str, dir: &Dir, service: &Process, options: &str) -> Process {
    let arguments = format!("send src {} --limit {rate} {options}", service.address);
    dir.arraylift(arguments.split_whitespace()).start()
}

/// Sends all of it and returns the bytes that were there before.
fn go_on(dir: &Dir, service: &Process, options: &str) -> u64 {
    let arguments = format!("send src {} --json {options}", service.address);
    let sent = dir.arraylift(arguments.split_whitespace()).run().done();
    assert_eq!(counts(&sent)[2], 0, "{sent:?}");
    assert_eq!(finished(&sent)["verified"], true, "{sent:?}");
    finished(&sent)["resumed_bytes"].as_u64().unwrap_or(0)
}

/// The parts with a log and the logs.
fn half_received(dir: &Dir) -> Vec<PathBuf> {
    let folder = dir.path().join("inbox/src/sub");
    if !folder.exists() {
        return Vec::new();
    }
    let names = names_in(&folder).into_iter().filter(|name| name.contains(".part"));
    names.map(|name| folder.join(name)).collect()
}

/// Waits until the log has so many records, beside that of its opening.
fn until_recorded(dir: &Dir, records: u64) {
    until_recorded_in(&dir.path().join("inbox/src/sub"), records);
}

fn assert_same(dir: &Dir, folder: &Path) {
    let source = dir.path().join(folder);
    let there = dir.path().join("inbox").join(folder);
    assert_eq!(names_in(&source), names_in(&there));
    for name in names_in(&source) {
        let path = folder.join(&name);
        if source.join(&name).is_dir() {
            assert_same(dir, &path);
        } else {
            assert!(
                fs::read(source.join(&name)).ok() == fs::read(there.join(&name)).ok(),
                "{}",
                path.display()
            );
            let time = |path: PathBuf| path.metadata().expect("there").modified().expect("a time");
            assert_eq!(time(source.join(&name)), time(there.join(&name)), "{}", path.display());
        }
    }
}

fn killed(process: Process) -> Ended {
    process.signal(Signal::KILL);
    process.wait()
}

#[test]
fn what_a_killed_receiver_had_of_a_large_file_is_not_sent_again() {
    for options in ["", "--no-sync", "--workers 2"] {
        let dir = dir();
        let service = serve(&dir, options);
        let sender = send_slowly(&dir, &service, "");
        until_recorded(&dir, 12);
        killed(service);
        sender.wait().failed(1, &["the peer "]);
        let service = serve(&dir, options);
        let there = go_on(&dir, &service, "");
        assert!(there >= 12 * BLOCK && there < BYTES as u64, "{options}: {there}");
        assert_same(&dir, Path::new("src"));
    }
}

#[test]
fn what_broke_in_a_folder_below_is_listed_by_its_path_and_can_be_removed() {
    let dir = dir();
    let service = serve(&dir, "");
    let sender = send_slowly(&dir, &service, "");
    until_recorded(&dir, 12);
    killed(service);
    sender.wait().failed(1, &["the peer "]);
    symlink("src", dir.path().join("inbox/link")).expect("a link");
    let listed = dir.run("resume --in inbox").done();
    let lines = listed.stdout.lines().filter(|line| line.contains(" are there"));
    let lines: Vec<&str> = lines.collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with("src/sub/large: "),
        "{listed:?}"
    );
    let objects = dir.run("resume --in inbox --json").done().objects();
    let path = objects[0]["path"].as_str().expect("a path");
    assert!(dir.path().join(path).is_file(), "{path}");
    dir.run("resume --in inbox --discard").done();
    assert!(half_received(&dir).is_empty());
    dir.run("resume --in none").failed(1, &["none"]);
}

#[test]
fn what_a_killed_sender_had_sent_of_a_large_file_is_not_sent_again_and_what_changed_since_is() {
    for changes in [false, true] {
        let dir = dir();
        let service = serve(&dir, "");
        let sender = send_slowly(&dir, &service, "");
        until_recorded(&dir, 16);
        killed(sender);
        if changes {
            let large = fs::File::options().write(true).open(dir.path().join("src/sub/large"));
            let large = large.expect("there");
            for at in [BLOCK + 5, BYTES as u64 - 1] {
                large.write_all_at(b"\0", at).expect("written");
            }
        }
        let there = go_on(&dir, &service, "");
        assert!(there >= 15 * BLOCK && there < BYTES as u64, "{changes}: {there}");
        assert_same(&dir, Path::new("src"));
        // Both ends tell the same.
        service.signal(Signal::TERM);
        assert_eq!(finished(&service.wait())["resumed_bytes"], there);
    }
}

#[test]
fn a_large_file_of_another_length_begins_anew() {
    let dir = dir();
    let service = serve(&dir, "");
    let sender = send_slowly(&dir, &service, "");
    until_recorded(&dir, 12);
    killed(sender);
    let parts = half_received(&dir);
    put(&dir, "src/sub/large", noise(BYTES - 8));
    assert_eq!(go_on(&dir, &service, ""), 0);
    assert_eq!(half_received(&dir), parts, "it waits for its own");
    for part in parts {
        fs::remove_file(part).expect("there");
    }
    assert_same(&dir, Path::new("src"));
}

#[test]
fn a_large_file_that_replaces_another_one_is_gone_on_with_and_the_old_one_stays_until_then() {
    let dir = dir();
    put(&dir, "inbox/src/sub/large", "old");
    let options = "--allow-replace";
    let service = serve(&dir, options);
    let sender = send_slowly(&dir, &service, "--replace");
    until_recorded(&dir, 12);
    killed(service);
    sender.wait().failed(1, &["the peer "]);
    assert_eq!(dir.read("inbox/src/sub/large"), b"old");
    let service = serve(&dir, options);
    assert!(go_on(&dir, &service, "--replace") >= 12 * BLOCK);
    assert_same(&dir, Path::new("src"));
}

#[test]
fn a_receiver_that_is_stopped_keeps_what_it_has_and_one_whose_transfer_is_cancelled_does_not() {
    for (stops, is_kept) in [(true, true), (false, false)] {
        let dir = dir();
        let service = serve(&dir, "");
        let sender = send_at("10MB/s", &dir, &service, "");
        until_recorded(&dir, 8);
        if stops {
            stopped(service);
            sender.wait().failed(1, &["stopped"]);
        } else {
            cancelled(&dir, service);
            sender.wait().failed(1, &["cancelled"]);
        }
        assert_eq!(
            half_received(&dir).len(),
            if is_kept { 2 } else { 0 },
            "{:?}",
            half_received(&dir)
        );
        let service = serve(&dir, "");
        assert_eq!(go_on(&dir, &service, "") >= 4 * BLOCK, is_kept);
        assert_same(&dir, Path::new("src"));
    }
}

#[test]
fn with_retry_a_folder_goes_on_by_itself_once_the_receiver_is_there_again() {
    let dir = dir();
    let service = serve(&dir, "");
    let address = service.address.clone();
    let sender = send_slowly(&dir, &service, "--retry=1m --json");
    until_recorded(&dir, 12);
    killed(service);
    let _service = dir.listen("serve", &format!("{address} --into inbox --json --keep-free 0"));
    let ended = sender.wait().done();
    assert!(
        finished(&ended)["resumed_bytes"].as_u64() >= Some(12 * BLOCK),
        "{ended:?}"
    );
    assert_same(&dir, Path::new("src"));
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn a_read_only_folder_that_is_there_is_as_it_was_after_a_break_or_at_the_latest_after_the_next_transfer() {
    let dir = dir();
    let others = Others::new(&dir);
    let (inbox, there) = (others.folder.clone(), others.folder.join("src/sub"));
    let modes = || fs::metadata(&there).expect("there").permissions().mode() & 0o7777;
    let user = Some(OTHER.parse().expect("a number"));
    for folder in [&inbox.join("src"), &there] {
        fs::create_dir(folder).expect("free");
        chown(folder, user, user).expect("root");
    }
    let serve = |options: &str| {
        let arguments = format!("serve 127.0.0.1:0 --into {} --keep-free 0 {options}", inbox.display());
        others.arraylift(&dir, &arguments).listening()
    };
    fs::set_permissions(&there, Permissions::from_mode(0o555)).expect("root");
    let (service, until_it_comes) = (serve("--json"), || until_recorded_in(&there, 3));
    // The sender goes, the receiver is asked to end, and it is killed.
    let sender = send_slowly(&dir, &service, "");
    until_it_comes();
    assert_eq!(modes(), 0o755);
    killed(sender);
    until("as it was", || modes() == 0o555);
    let mut service = service;
    for (is_killed, after) in [(false, 0o555), (true, 0o755)] {
        let sender = send_slowly(&dir, &service, "");
        until("opened", || modes() == 0o755);
        if is_killed {
            service.signal(Signal::KILL);
        } else {
            service.signal(Signal::TERM);
            until_draining(&mut service);
            service.signal(Signal::TERM);
        }
        service.wait();
        sender.wait();
        assert_eq!(modes(), after, "killed: {is_killed}");
        service = serve("--json");
    }
    dir.run(&format!("send src {}", service.address)).done();
    assert_eq!(modes(), 0o555);
    assert!(there.join("large").exists());
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        sleep(Duration::from_millis(5));
    }
}
