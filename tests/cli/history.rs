//! What was transferred is kept across restarts, whatever ended the process, and costs no transfer anything.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process};
use crate::fetch::fetch;
use crate::resume_fetch::WebServer;
use crate::serve::{drained, serve, until};

fn file(dir: &Dir) -> PathBuf {
    dir.data().join("arraylift/history.db")
}

/// What `arraylift history` prints with these arguments, as objects.
fn told(dir: &Dir, arguments: &str) -> Vec<Json> {
    let printed = dir.run(&format!("history {arguments} --json")).done().stdout;
    let objects = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"));
    objects.collect()
}

/// One that ended well, and said this on the way.
fn noted(ended: &Ended, note: &str) {
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains(note), "{ended:?}");
}

#[test]
fn each_transfer_of_each_command_is_kept_with_what_is_known_of_it() {
    let dir = Dir::new();
    let none = dir.run("history").done().stdout;
    assert_eq!(none, "nothing was transferred, or it was forgotten\n");
    assert!(!file(&dir).exists(), "to look makes nothing");
    dir.run("loopback range:0:1e6 --into a.npy").done();
    let receiver = dir.receive("127.0.0.1:0 --once --into b.npy");
    dir.run(&format!("send a.npy {}", receiver.address)).done();
    receiver.wait().done();
    dir.run("send a.npy 127.0.0.1:1").failed(1, &[]);
    let service = serve(&dir, "");
    dir.run(&format!("send a.npy {}", service.address)).done();
    drained(service);
    let told = told(&dir, "");
    let of = |command: &str, outcome: &str| {
        let found = told
            .iter()
            .find(|entry| entry["command"] == command && entry["outcome"] == outcome);
        found.unwrap_or_else(|| panic!("{command} {outcome}: {told:#?}"))
    };
    let loopback = of("loopback", "done");
    assert_eq!(
        (
            &loopback["bytes"],
            &loopback["dtype"],
            &loopback["way"],
            &loopback["verified"],
            &loopback["durable"]
        ),
        (
            &8_000_000.into(),
            &"f64".into(),
            &"loopback".into(),
            &true.into(),
            &true.into()
        )
    );
    assert!(loopback["checksum"].as_str().expect("a text").starts_with("crc64nvme:"));
    assert!(loopback["rate_bytes_per_s"].as_f64().expect("a number") > 1e6);
    let arguments = &loopback["again"]["command_line"]["arguments"];
    assert_eq!(arguments[1], "range:0:1e6");
    assert_eq!(of("receive", "done")["way"], "receive");
    assert!(
        of("receive", "done")["path"]
            .as_str()
            .expect("a path")
            .ends_with("b.npy")
    );
    assert_eq!(of("send", "done")["source"], "a.npy");
    assert_eq!(of("serve", "done")["bytes"], 8_000_000);
    let failed = of("send", "failed");
    assert!(
        failed["message"].as_str().expect("a text").contains("127.0.0.1:1"),
        "{failed}"
    );
    let ids: Vec<_> = told
        .iter()
        .map(|entry| entry["id"].as_u64().expect("a number"))
        .collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "the latest first: {ids:?}");
    // Nobody else can read it.
    let mode = |path: PathBuf| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(file(&dir)), 0o600);
    assert_eq!(mode(dir.data().join("arraylift")), 0o700);
}

#[test]
fn a_fetch_that_is_done_is_kept_with_where_it_came_from_and_without_what_is_secret() {
    let dir = Dir::new();
    let server = WebServer::start(&vec![7; 300_000], true);
    fetch(&dir, &format!("{}?sig=s3cret --into b.bin", server.url)).done();
    let told = told(&dir, "");
    assert_eq!(told.len(), 1, "{told:#?}");
    let entry = &told[0];
    for (name, value) in [("command", "fetch"), ("way", "fetch"), ("outcome", "done")] {
        assert_eq!(entry[name], value, "{name}: {entry:#}");
    }
    assert_eq!(
        (&entry["bytes"], &entry["total_bytes"]),
        (&300_000.into(), &300_000.into())
    );
    assert!(entry["path"].as_str().expect("a path").ends_with("b.bin"), "{entry:#}");
    let text = entry.to_string();
    assert!(text.contains("a.bin") && !text.contains("s3cret"), "{text}");
}

#[test]
fn what_is_asked_for_is_found_shown_and_set_side_by_side() {
    let dir = Dir::new();
    dir.run("loopback range:0:1e6 --into one.npy").done();
    dir.run("loopback range:0:2e6 --into two.npy").done();
    assert_eq!(told(&dir, "--search TWO.npy")[0]["id"], 2);
    assert_eq!(told(&dir, "--search nowhere").len(), 0);
    assert_eq!(told(&dir, "--last 1").len(), 1);
    assert_eq!(told(&dir, "--since 1h").len(), 2);
    assert_eq!(told(&dir, "--since 2999-01-01").len(), 0);
    let table = dir.run("history").done().stdout;
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(
        table.contains("two.npy") && table.contains("done, verified, on disk"),
        "{table}"
    );
    let shown = dir.run("history show 1").done().stdout;
    assert!(
        shown.contains("8.00 MB in ") && shown.contains("arraylift loopback range:0:1e6"),
        "{shown}"
    );
    let shown: Json = serde_json::from_str(&dir.run("history show 1 --json").done().stdout).expect("an object");
    let points = shown["curves"]["receiver"].as_array().expect("points");
    assert_eq!(points.last().expect("one")[1], 8_000_000);
    let compared = dir.run("history compare 1 2").done().stdout;
    assert!(compared.contains("+100.0 %"), "{compared}");
    let compared: Json = serde_json::from_str(&dir.run("history compare 1 2 --json").done().stdout).expect("an object");
    assert_eq!(compared["difference_percent"]["bytes"], 100.0);
    dir.run("history show 3").failed(1, &["3 is not in the history"]);
    dir.run("history --since soon").failed(2, &[]);
    dir.run("history forget").failed(2, &[]);
    assert_eq!(told(&dir, "--search loopback").len(), 2, "the command is searched, too");
}

#[test]
fn an_hour_that_summer_time_leaves_out_is_no_time() {
    let dir = Dir::new();
    let since = |time: &str| {
        let run = dir.arraylift(["history", "--since", time]);
        run.env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3").run()
    };
    since("2026-03-29T02:30").failed(2, &["there was no 2026-03-29T02:30 here"]);
    for time in ["2026-03-29T01:30", "2026-03-29T03:30", "2026-10-25T02:30"] {
        since(time).done();
    }
    // There the clock goes on from midnight: the day is there, and begins an hour later.
    let run = dir.arraylift(["history", "--since", "2026-04-24"]);
    run.env("TZ", "EET-2EEST,M4.5.5/0,M10.5.4/24").run().done();
}

#[test]
fn a_number_that_is_given_twice_is_forgotten_once_and_one_that_is_missing_is_told() {
    let dir = Dir::new();
    dir.run("loopback range:0:1000 --repeat 3").done();
    assert_eq!(dir.run("history forget 2 2").done().stdout, "1 entry is forgotten\n");
    dir.run("history forget 1 2 3 4")
        .failed(1, &["2 numbers are not in the history; 2 entries are forgotten"]);
    dir.run("history forget 1")
        .failed(1, &["1 number is not in the history"]);
}

#[test]
fn a_process_that_is_killed_takes_nothing_that_had_ended_with_it() {
    let dir = Dir::new();
    for round in 1..=3 {
        let service = serve(&dir, "");
        let mut sender = dir.arraylift(["send", "range:0:1000", &service.address]).start();
        sender.line();
        sender.wait().done();
        // It is written a moment after it has ended.
        let begun = std::time::Instant::now();
        while told(&dir, "--search serve").len() < round {
            assert!(begun.elapsed() < crate::common::PATIENCE, "round {round}");
        }
        let mut slow = dir
            .arraylift([
                "send",
                "range:0:1e6",
                &service.address,
                "--limit",
                "4MB/s",
                "--json",
                "--no-history",
            ])
            .start();
        until(&mut slow, "started");
        service.signal(Signal::KILL);
        service.wait();
        slow.wait();
    }
    let told = told(&dir, "");
    assert_eq!(told.len(), 6, "{told:#?}");
    assert!(told.iter().all(|entry| entry["outcome"] == "done"));
}

#[test]
fn ten_processes_at_once_all_get_in() {
    let dir = Dir::new();
    for _ in 0..3 {
        let start = |_| dir.arraylift(["loopback", "range:0:1000", "--repeat", "5"]).start();
        let all: Vec<Process> = (0..10).map(start).collect();
        for one in all {
            assert_eq!(one.wait().done().stderr, "");
        }
    }
    assert_eq!(told(&dir, "--last 1000").len(), 150);
}

#[test]
fn no_transfer_fails_and_one_note_is_said_where_no_history_can_be_kept() {
    let dir = Dir::new();
    // The folder has a file's place: nothing can be made there, whoever asks.
    dir.write("data", "");
    let run = dir.arraylift(["loopback", "range:0:1000", "--repeat", "3"]);
    noted(
        &run.env("XDG_DATA_HOME", dir.path().join("data")).run(),
        "no history is kept",
    );
    let run = dir.arraylift(["loopback", "range:0:1000"]);
    noted(
        &run.env("XDG_DATA_HOME", "").env("HOME", "").run(),
        "there is no place for a history",
    );
    std::fs::create_dir(dir.data().join("arraylift")).expect("a folder");
    let text = "this is no database".repeat(1000);
    std::fs::write(file(&dir), &text).expect("written");
    noted(&dir.run("loopback range:0:1000"), "is damaged");
    dir.run("history").failed(1, &["is damaged"]);
    assert!(
        std::fs::read(file(&dir)).expect("a file") == text.as_bytes(),
        "it is left as it is"
    );
}

#[test]
fn a_home_behind_a_link_has_a_history() {
    let dir = Dir::new();
    std::os::unix::fs::symlink(dir.data(), dir.path().join("link")).expect("a link");
    let run = dir.arraylift(["loopback", "range:0:1000"]);
    let ended = run.env("XDG_DATA_HOME", dir.path().join("link")).run().done();
    assert_eq!(ended.stderr, "");
    assert_eq!(told(&dir, "").len(), 1);
}

#[test]
fn a_service_leaves_no_log_behind() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    dir.run(&format!("send range:0:1000 {} --no-history", service.address))
        .done();
    drained(service);
    let files = std::fs::read_dir(dir.data().join("arraylift")).expect("a folder");
    let names: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(names, ["history.db"]);
}

#[test]
fn a_text_that_nothing_has_room_for_is_refused_in_one_line() {
    let dir = Dir::new();
    dir.run("loopback range:0:1000").done();
    let long = "x".repeat(100_000);
    let ended = dir.arraylift(["history", "--search", &long]).run();
    assert_eq!(
        (ended.status.code(), ended.stderr.as_str()),
        (Some(2), "arraylift: a text to search for has at most 4096 characters\n")
    );
}

#[test]
fn a_full_disk_is_said_once_and_ends_no_transfer() {
    let dir = Dir::new();
    // Files may have no more than 8 KiB: the history needs more.
    let run = dir.arraylift_with_file_limit(16, &["loopback", "range:0:1000", "--repeat", "20"]);
    noted(&run.run(), "history");
    dir.run("loopback range:0:1000").done();
    assert_eq!(told(&dir, "").len(), 1);
}

#[test]
fn a_history_of_a_newer_version_is_left_alone() {
    let dir = Dir::new();
    dir.run("loopback range:0:1000").done();
    dir.run("history forget --all").done();
    // Bytes 60 to 63 of the file are the version.
    let mut bytes = std::fs::read(file(&dir)).expect("a file");
    bytes[63] = 200;
    std::fs::write(file(&dir), &bytes).expect("written");
    for name in ["history.db-wal", "history.db-shm"] {
        let _ = std::fs::remove_file(dir.data().join("arraylift").join(name));
    }
    noted(&dir.run("loopback range:0:1000"), "a newer Arraylift wrote");
    dir.run("history").failed(1, &["version 200"]);
    dir.run("history forget --all").failed(1, &["version 200"]);
    assert_eq!(std::fs::read(file(&dir)).expect("a file"), bytes);
}

#[test]
fn nothing_is_kept_where_that_was_asked_for() {
    let dir = Dir::new();
    dir.run("loopback range:0:1000 --no-history").done();
    dir.arraylift(["loopback", "range:0:1000"])
        .env("ARRAYLIFT_HISTORY", "off")
        .run()
        .done();
    let receiver = dir.receive("127.0.0.1:0 --once --into memory --no-history");
    dir.run(&format!("send range:0:10 {} --no-history", receiver.address))
        .done();
    receiver.wait().done();
    dir.run("compare range:0:1000 --rounds 1").done();
    assert!(!file(&dir).exists());
}

#[test]
fn names_that_would_move_the_cursor_reach_no_terminal() {
    let dir = Dir::new();
    let name = "\u{1b}]0;x\u{7}\u{202e}.npy";
    dir.run("loopback range:0:10 --into a.npy").done();
    std::fs::rename(dir.path().join("a.npy"), dir.path().join(name)).expect("renamed");
    let receiver = dir.receive("127.0.0.1:0 --once --into memory");
    dir.arraylift(["send", name, &receiver.address]).run().done();
    receiver.wait().done();
    for arguments in ["history", "history show 2", "history show 3", "history compare 2 3"] {
        let said = dir.run(arguments).done().stdout;
        assert!(said.contains(".npy"), "{said}");
        let hides = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!said.contains(hides), "{said:?}");
    }
    let json = dir.run("history --json").done().stdout;
    assert!(!json.contains('\u{1b}'), "{json}");
}

#[test]
fn what_is_forgotten_is_in_no_file_any_more() {
    let dir = Dir::new();
    dir.run("loopback range:0:10 --into secret_one.npy").done();
    dir.run("loopback range:0:10 --into secret_two.npy").done();
    let has = |text: &str| {
        let files = std::fs::read_dir(dir.data().join("arraylift")).expect("a folder");
        let mut files = files.map(|file| std::fs::read(file.expect("a file").path()).expect("a file"));
        files.any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    assert!(has("secret_one") && has("secret_two"));
    assert_eq!(dir.run("history forget 1").done().stdout, "1 entry is forgotten\n");
    assert!(!has("secret_one") && has("secret_two"));
    dir.run("history forget 1").failed(1, &[]);
    assert_eq!(
        dir.run("history forget --before 2000-01-01").done().stdout,
        "0 entries are forgotten\n"
    );
    dir.run("history forget --all").done();
    assert!(!has("secret_two"));
    assert!(told(&dir, "").is_empty());
}

#[test]
fn no_ticket_and_no_password_is_kept() {
    let dir = Dir::new();
    dir.run("fetch http://127.0.0.1:1/a.npy?sig=s3cret").failed(1, &[]);
    // So many that they are not all told one by one, and with a space that no URL should have.
    let many = (0..120).map(|index| format!("http://127.0.0.1:1/{index}.npy?sig=x s3cret"));
    let arguments = ["fetch", "--into", "memory"].map(str::to_owned).into_iter().chain(many);
    let ended = dir.arraylift(arguments.collect::<Vec<_>>()).run();
    assert!(ended.stdout.contains("120 failed"), "{}", ended.stdout);
    assert!(told(&dir, "--last 1000").iter().any(|entry| entry["transfers"] != 1));
    let shown = dir.run("history show 1").done().stdout;
    assert!(shown.contains("http://127.0.0.1:1/a.npy"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    for name in ["history.db", "history.db-wal"] {
        let bytes = std::fs::read(dir.data().join("arraylift").join(name)).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"), "{name}");
    }
}

#[test]
fn what_one_peer_sends_by_the_thousand_is_a_few_entries() {
    let dir = Dir::new();
    let folder = dir.folder("many");
    for index in 0..500 {
        std::fs::write(folder.join(format!("{index:03}.bin")), [7; 1024]).expect("written");
    }
    let socket = dir.path().join("door");
    let service = dir.listen("serve", &format!("unix:{} --into discard", socket.display()));
    dir.run(&format!("send many/*.bin --jobs 8 {}", service.address)).done();
    // Whoever only knocks is no transfer.
    drop(UnixStream::connect(&socket).expect("it listens"));
    drained(service);
    for command in ["send", "serve"] {
        let entries: Vec<Json> = told(&dir, "--last 100000")
            .into_iter()
            .filter(|entry| entry["command"] == command)
            .collect();
        assert!(entries.len() < 120, "{}", entries.len());
        let sum = |field: &str| {
            entries
                .iter()
                .map(|entry| entry[field].as_u64().expect("a number"))
                .sum::<u64>()
        };
        assert_eq!((sum("transfers"), sum("bytes")), (500, 500 * 1024), "{command}");
    }
    let table = dir.run("history --last 3").done().stdout;
    assert!(table.contains(" more"), "{table}");
}

#[test]
fn a_report_is_one_file_and_replaces_none() {
    let dir = Dir::new();
    dir.run("loopback range:0:1e6 --into a.npy").done();
    dir.run("history show 1 --html report.html --csv report.csv").done();
    let page = String::from_utf8(dir.read("report.html")).expect("UTF-8");
    assert!(
        page.starts_with("<!DOCTYPE html>") && page.contains("<svg") && page.contains("8.00 MB in "),
        "{page}"
    );
    let table = String::from_utf8(dir.read("report.csv")).expect("UTF-8");
    assert!(table.ends_with(",8000000\n"), "{table}");
    dir.run("history show 1 --html report.html").failed(1, &["report.html"]);
    let text = dir.run("history show 1 --md").done().stdout;
    assert!(
        text.starts_with("### ") && text.contains(" into ") && text.contains("\n| | |\n|---|---|\n"),
        "{text}"
    );
    assert!(text.contains("| moved | 8.00 MB in "), "{text}");
}
