//! Trees of files over every way that there is, and what comes in between: limits, signals, files that change.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Process, names_in};
use crate::serve::{serve, until};
use crate::trees::{counts, finished, inbox, incomplete, noise, put, send};

/// Reads until bytes of a tree have moved and more are to come.
fn until_bytes_move(process: &mut Process) {
    while until(process, "sample")["bytes"].as_u64() == Some(0) {}
}

/// A sender of `src` that is slow.
fn slowly(dir: &Dir, receiver: &Process, limit: &str) -> Process {
    let arguments = ["send", "src", &receiver.address, "--limit", limit, "--json"];
    dir.arraylift(arguments).start()
}

/// The names of all that is below a folder and is no whole file yet.
fn parts_below(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for name in names_in(root) {
        let path = root.join(&name);
        if path.is_dir() {
            found.extend(parts_below(&path));
        } else if name.contains(".part") {
            found.push(name);
        }
    }
    found
}

#[test]
fn services_with_and_without_workers_and_receivers_of_one_take_trees() {
    for (command, options, signal) in [
        ("serve", "--keep-free 0", true),
        ("serve", "--keep-free 0 --workers 2", true),
        ("receive", "", true),
        ("receive", "--once", false),
    ] {
        for address in ["127.0.0.1:0", "unix:socket"] {
            let dir = Dir::new();
            put(&dir, "src/sub/a", noise(100_000));
            put(&dir, "src/b", "b");
            let into = dir.folder("inbox");
            let listener = dir.listen(command, &format!("{address} --into inbox --json {options}"));
            assert_eq!(
                counts(&send(&dir, "src", &listener).done()),
                [4, 0, 0],
                "{command} {options} {address}"
            );
            assert_eq!(dir.read("inbox/src/sub/a"), noise(100_000));
            assert_eq!(names_in(&into), ["src"]);
            if signal {
                assert_eq!(counts(&send(&dir, "src", &listener).done()), [0, 4, 0]);
                listener.signal(Signal::TERM);
            }
            let ended = listener.wait().done();
            let stored: u64 = ended
                .objects()
                .iter()
                .filter(|object| object["event"] == "finished")
                .filter_map(|object| object["items"]["stored"].as_u64())
                .sum();
            assert_eq!(stored, 4, "{command} {options} {address}: {ended:?}");
        }
    }
}

#[test]
fn several_trees_at_once_come_to_one_service() {
    let dir = Dir::new();
    for name in ["one", "two", "three", "four"] {
        for file in 0..50 {
            put(&dir, format!("{name}/{file}"), noise(1000 * file));
        }
    }
    let service = serve(&dir, "");
    let start = |name: &str| {
        let arguments = ["send", name, &service.address, "--json"];
        dir.arraylift(arguments).start()
    };
    let sending: Vec<Process> = ["one", "two", "three", "four"].map(start).into_iter().collect();
    for process in sending {
        assert_eq!(counts(&process.wait().done()), [51, 0, 0]);
    }
    assert_eq!(dir.read("inbox/four/49"), noise(49_000));
    // An array comes as before, meanwhile.
    dir.run(&format!("send range:0:10 {}", service.address)).done();
}

#[test]
fn a_receiver_that_has_no_folder_refuses_a_tree_in_words_at_both_ends() {
    for into in ["memory", "discard", "file.bin"] {
        let dir = Dir::new();
        put(&dir, "src/a", "a");
        let receiver = dir.receive(&format!("127.0.0.1:0 --into {into} --once"));
        let sent = dir.run(&format!("send src {}", receiver.address));
        let received = receiver.wait();
        sent.failed(1, &["refused", "folder"]);
        received.failed(1, &["folder"]);
        assert_eq!(dir.names(), ["src"], "{into}");
    }
}

#[test]
fn the_wires_of_one_array_refuse_a_tree() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    dir.folder("inbox");
    for wire in ["npy", "raw"] {
        dir.run(&format!("send src 127.0.0.1:1 --wire {wire}"))
            .failed(2, &["native wire"]);
        dir.run(&format!("loopback src --into inbox/ --wire {wire}"))
            .failed(2, &["native wire"]);
    }
    for option in ["--dtype f8", "--offset 8", "--stats"] {
        dir.run(&format!("send src 127.0.0.1:1 {option}"))
            .failed(2, &["are sent as they are"]);
    }
}

#[test]
fn a_limit_holds_for_a_tree_at_either_end() {
    for at_receiver in [false, true] {
        let dir = Dir::new();
        for file in 0..20 {
            put(&dir, format!("src/{file}"), noise(100_000));
        }
        let limit = "--limit 2MB/s";
        let receiver = inbox(&dir, if at_receiver { limit } else { "" });
        let begin = Instant::now();
        let words = if at_receiver {
            "src".into()
        } else {
            format!("src {limit}")
        };
        assert_eq!(counts(&send(&dir, &words, &receiver).done()), [21, 0, 0]);
        let took = begin.elapsed();
        assert!(
            took > Duration::from_millis(500) && took < Duration::from_secs(8),
            "{at_receiver}: {took:?}"
        );
    }
}

/// How many bytes have moved in the one transfer of a process, its number, and its state.
fn moved(dir: &Dir, process: &Process) -> (u64, Json, Json) {
    let told = dir.run("status --json").done().objects();
    let process = told.iter().find(|told| told["pid"] == process.id()).expect("it runs");
    let transfer = &process["transfers"][0];
    let bytes = transfer["bytes"].as_u64().unwrap_or_else(|| panic!("{told:?}"));
    (bytes, transfer["transfer"].clone(), transfer["state"].clone())
}

#[test]
fn a_tree_that_is_paused_at_either_end_rests_for_longer_than_the_timeout_and_then_all_of_it_arrives() {
    // A service gives up who rests at the other end: by `--slowest`.
    for (command, at_sender) in [("serve", false), ("receive", true), ("receive", false)] {
        let dir = Dir::new();
        for file in 0..50 {
            put(&dir, format!("src/{file}"), noise(1000));
        }
        put(&dir, "src/large", noise(24 << 20));
        put(&dir, "src/sub/later", noise(2 << 20));
        dir.folder("inbox");
        let keeps = if command == "serve" { "--keep-free 0" } else { "" };
        let options = format!("127.0.0.1:0 --into inbox --json --timeout 1s {keeps}");
        let receiver = dir.listen(command, &options);
        let arguments = format!("send src {} --limit 8MB/s --timeout 1s --json", receiver.address);
        let mut sender = dir.arraylift(arguments.split(' ')).start();
        until_bytes_move(&mut sender);
        while moved(&dir, &receiver).0 < 1 << 20 {}
        let paused = if at_sender { &sender } else { &receiver };
        let steer = |wish: &str| {
            let number = &moved(&dir, paused).1;
            dir.run(&format!("attach {} --{wish} {number}", paused.id())).done();
        };
        steer("pause");
        // What was on its way comes to its end.
        sleep(Duration::from_millis(500));
        let (before, _, state) = moved(&dir, &receiver);
        assert_eq!(moved(&dir, paused).2, "paused", "{command}, {at_sender}");
        sleep(Duration::from_millis(2500));
        assert_eq!(
            moved(&dir, &receiver),
            (before, moved(&dir, &receiver).1, state),
            "{command}, {at_sender}"
        );
        assert!(before < 24 << 20, "{command}, {at_sender}: {before}");
        steer("resume");
        assert_eq!(counts(&sender.wait().done()), [54, 0, 0], "{command}, {at_sender}");
        for path in ["49", "large", "sub/later"] {
            let read = |root: &str| dir.read(&format!("{root}/{path}"));
            assert!(read("inbox/src") == read("src"), "{command}, {at_sender}: {path}");
        }
    }
}

#[test]
fn a_service_takes_files_of_a_tree_up_to_its_bounds_and_refuses_the_others_by_name() {
    for (bound, expected, named) in [
        (
            "--max-bytes 1MB",
            [3, 0, 1],
            &[("src/large", "at most 1.00 MB are taken")][..],
        ),
        (
            "--max-bytes 1MB --workers 1",
            [3, 0, 1],
            &[("src/large", "at most 1.00 MB are taken")],
        ),
        (
            "--max-total 1MB",
            [2, 0, 2],
            &[
                ("src/b", "400 kB more are taken"),
                ("src/large", "400 kB more are taken"),
            ],
        ),
    ] {
        let dir = Dir::new();
        for (name, bytes) in [("a", 600_000), ("b", 600_000), ("large", 3_000_000)] {
            put(&dir, format!("src/{name}"), noise(bytes));
        }
        let service = serve(&dir, bound);
        incomplete(&send(&dir, "src", &service), expected, named);
        let refused: Vec<&str> = named.iter().map(|(path, _)| *path).collect();
        for path in ["src/a", "src/b", "src/large"] {
            let arrived = fs::read(dir.path().join("inbox").join(path)).ok();
            let is_due = !refused.contains(&path);
            assert!(arrived == is_due.then(|| dir.read(path)), "{bound}: {path}");
        }
        assert_eq!(parts_below(&dir.path().join("inbox")), [""; 0], "{bound}");
    }
}

#[test]
fn whichever_end_is_cancelled_or_killed_the_other_is_told_and_the_rest_comes_the_next_time() {
    for (at_sender, signal) in [(true, Signal::INT), (false, Signal::INT), (true, Signal::KILL)] {
        let dir = Dir::new();
        put(&dir, "src/small", "s");
        put(&dir, "src/sub/large", noise(20 << 20));
        let receiver = inbox(&dir, "--once --json");
        let mut sender = slowly(&dir, &receiver, "1MB/s");
        until_bytes_move(&mut sender);
        until(&mut sender, "items");
        if at_sender { &sender } else { &receiver }.signal(signal);
        let (sent, received) = (sender.wait(), receiver.wait());
        if signal == Signal::INT {
            sent.failed(1, &["cancelled"]);
        }
        let words = if signal == Signal::KILL {
            "closed the connection"
        } else {
            "cancelled"
        };
        received.failed(1, &[words]);
        let into = dir.path().join("inbox");
        assert!(!into.join("src/sub/large").exists());
        // What is whole stays, and is there already the next time; what is not is gone on with.
        let again = inbox(&dir, "");
        let ended = send(&dir, "src", &again).done();
        assert_eq!(counts(&ended).iter().sum::<u64>(), 4);
        assert_eq!(dir.read("inbox/src/sub/large"), noise(20 << 20));
        assert!(parts_below(&into).is_empty(), "{:?}", parts_below(&into));
    }
}

#[test]
fn json_tells_how_many_items_there_are_while_they_move_and_at_the_end() {
    let dir = Dir::new();
    for file in 0..10 {
        put(&dir, format!("src/{file}"), noise(300_000));
    }
    let receiver = inbox(&dir, "--once --json");
    let sent = send(&dir, "src --limit 3MB/s", &receiver).done();
    let received = receiver.wait().done();
    for (end, ended) in [("sender", &sent), ("receiver", &received)] {
        let objects = ended.objects();
        let started = objects
            .iter()
            .find(|object| object["event"] == "started")
            .expect("a start");
        assert_eq!(
            (&started["is_tree"], &started["source"]),
            (&true.into(), &"src".into()),
            "{end}"
        );
        let items: Vec<_> = objects.iter().filter(|object| object["event"] == "items").collect();
        assert!(items.len() > 2, "{end}: {items:?}");
        let known: Vec<u64> = items.iter().filter_map(|object| object["known"].as_u64()).collect();
        assert!(known.is_sorted() && known.len() == items.len(), "{end}: {known:?}");
        assert!(
            items
                .iter()
                .any(|object| object["moving"].as_str().is_some_and(|path| path.starts_with("src")))
        );
        assert_eq!(
            (counts(ended), finished(ended)["bytes"].as_u64()),
            ([11, 0, 0], Some(3_000_000)),
            "{end}"
        );
        assert_eq!(finished(ended)["items"]["known"], 11, "{end}");
    }
    assert_eq!(finished(&received)["path"], "inbox/src");
}

#[test]
fn a_tree_is_on_disk_or_it_is_said_that_it_is_not_and_nothing_is_said_where_nothing_came_onto_one() {
    let memory = tempfile::tempdir_in("/dev/shm");
    for (options, first) in [("", true), ("--no-sync", false)] {
        let dir = Dir::new();
        put(&dir, "src/sub/large", noise(3 << 20));
        put(&dir, "src/small", "s");
        let durable = |into: &str| {
            let receiver = dir.receive(&format!("127.0.0.1:0 --into {into} --once --json {options}"));
            send(&dir, "src", &receiver).done();
            finished(&receiver.wait().done())["durable"].clone()
        };
        dir.folder("inbox");
        assert_eq!(durable("inbox"), first, "{options}");
        assert_eq!(durable("inbox"), Json::Null, "all of it is there: {options}");
        if let Ok(memory) = &memory {
            let into = memory.path().join(if first { "a" } else { "b" });
            fs::create_dir(&into).expect("a folder");
            assert_eq!(durable(&into.display().to_string()), Json::Null, "{options}");
        }
    }
}

#[test]
fn a_file_with_holes_is_held_to_what_is_to_stay_free_as_any_other() {
    let dir = Dir::new();
    dir.folder("src");
    for (name, written_bytes) in [("sparse", 1 << 20), ("dense", 3 << 20)] {
        let file = File::create(dir.path().join("src").join(name)).expect("free");
        file.set_len(3 << 20).expect("room");
        file.write_all_at(&noise(written_bytes), 0).expect("room");
    }
    dir.folder("inbox");
    let service = dir.listen("serve", "127.0.0.1:0 --into inbox --keep-free 100% --json");
    let why = "no room for it beside what --keep-free keeps free there";
    incomplete(
        &send(&dir, "src", &service),
        [1, 0, 2],
        &[("src/sparse", why), ("src/dense", why)],
    );
    assert!(names_in(&dir.path().join("inbox/src")).is_empty());
}

/// Waits until a file of that name is half received, so that it is known that the sender is in the middle.
fn until_part_of(dir: &Dir, name: &str) {
    let deadline = Instant::now() + crate::common::PATIENCE;
    let is_it = |part: &String| part.starts_with(&format!("{name}.arraylift-"));
    while !parts_below(&dir.path().join("inbox")).iter().any(is_it) {
        assert!(Instant::now() < deadline, "{name} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_that_is_changed_once_before_its_turn_is_offered_again_and_arrives_as_it_is_then() {
    let dir = Dir::new();
    // The large one keeps the sender busy for a second, while the other two wait for their turn.
    put(&dir, "src/a large", noise(3 << 20));
    let grows = put(&dir, "src/sub/grows", noise(200_000));
    let shrinks = put(&dir, "src/sub/shrinks", noise(200_000));
    let replaced = put(&dir, "src/sub/replaced", noise(200_000));
    let receiver = inbox(&dir, "");
    let mut sender = slowly(&dir, &receiver, "2MB/s");
    until_bytes_move(&mut sender);
    until_part_of(&dir, "a large");
    OpenOptions::new()
        .append(true)
        .open(&grows)
        .and_then(|mut file| file.write_all(b"more"))
        .expect("written");
    File::options()
        .write(true)
        .open(&shrinks)
        .and_then(|file| file.set_len(100))
        .expect("cut");
    fs::remove_file(&replaced).expect("there");
    fs::write(&replaced, "another").expect("written");
    let ended = sender.wait().done();
    assert_eq!(counts(&ended), [6, 0, 0], "{ended:?}");
    for name in ["grows", "shrinks", "replaced"] {
        let arrived = dir.read(&format!("inbox/src/sub/{name}"));
        assert_eq!(arrived, dir.read(&format!("src/sub/{name}")), "{name}");
    }
}

#[test]
fn a_file_that_is_changed_while_it_is_sent_arrives_whole_or_is_named() {
    for what in ["grows", "shrinks", "is written", "is gone"] {
        let dir = Dir::new();
        let path = put(&dir, "src/file", noise(3 << 20));
        put(&dir, "src/sub/other", "o");
        let receiver = inbox(&dir, "");
        let mut sender = slowly(&dir, &receiver, "2MB/s");
        until_bytes_move(&mut sender);
        until_part_of(&dir, "file");
        let file = OpenOptions::new().write(true).open(&path).expect("there");
        match what {
            "grows" => file.write_all_at(b"more", 3 << 20).expect("written"),
            "shrinks" => file.set_len(1 << 20).expect("cut"),
            "is written" => file.write_all_at(b"other", 5).expect("written"),
            _ => fs::remove_file(&path).expect("there"),
        }
        let ended = sender.wait();
        let arrived = fs::read(dir.path().join("inbox/src/file"));
        if what == "is gone" {
            incomplete(&ended, [3, 0, 1], &[("src/file", "")]);
            assert!(arrived.is_err());
        } else {
            assert_eq!(counts(&ended.done()), [4, 0, 0], "{what}");
            assert_eq!(arrived.expect("there"), dir.read("src/file"), "{what}");
        }
        assert!(parts_below(&dir.path().join("inbox")).is_empty(), "{what}");
    }
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn what_another_user_may_not_read_is_named_and_the_rest_goes() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    let secret = put(&dir, "src/secret", "s");
    put(&dir, "src/closed/in it", "c");
    let large = put(&dir, "src/large", noise(2 << 20));
    for (path, mode) in [
        (dir.path(), 0o755),
        (&*secret, 0),
        (&*large, 0),
        (&*dir.path().join("src/closed"), 0),
    ] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
    }
    fs::copy(env!("CARGO_BIN_EXE_arraylift"), dir.path().join("arraylift")).expect("room");
    let receiver = inbox(&dir, "");
    let mut setpriv = Command::new("setpriv");
    // A control socket needs a folder of one's own.
    let own = dir.folder("own");
    fs::set_permissions(&own, Permissions::from_mode(0o700)).expect("ours");
    std::os::unix::fs::chown(&own, Some(65534), Some(65534)).expect("root");
    setpriv.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "env"]);
    setpriv.arg(format!("XDG_RUNTIME_DIR={}", own.display()));
    setpriv.arg("./arraylift");
    setpriv.args(["send", "src", &receiver.address, "--json", "--no-history"]);
    let ended = dir.program(setpriv).run();
    incomplete(
        &ended,
        [2, 0, 3],
        &[
            ("src/secret", "permission denied"),
            ("src/large", "permission denied"),
            ("src/closed", "permission denied"),
        ],
    );
    assert_eq!(names_in(&dir.path().join("inbox/src")), ["a"]);
}

#[test]
fn a_folder_is_not_copied_into_itself() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    dir.folder("src/in");
    for into in ["src", "src/in", "./src/in/../in"] {
        dir.run(&format!("loopback src --into {into}"))
            .failed(2, &["lies in src", "into itself"]);
    }
    assert_eq!(names_in(&dir.path().join("src")), ["a", "in"]);
}

#[test]
fn a_folder_that_reached_nobody_is_in_the_history_by_its_name() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    dir.run("send src 127.0.0.1:1").failed(1, &["nobody listens"]);
    let listed = dir.run("history").done();
    assert!(listed.stdout.contains("src to 127.0.0.1:1"), "{listed:?}");
}
