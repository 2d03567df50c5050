//! `arraylift compare`: what each route costs, told, saved and laid beside what was.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use arraylift::internals::compare::{Ceilings, Machine};
use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Arraylift, Dir, Ended};

/// No call moves less than this on average, or something is wrong with the loops.
const BYTES_PER_CALL_MIN: u64 = 8 << 10;
/// A process needs so much for itself.
const PROGRAM_BYTES: u64 = 32 << 20;

/// The command, on a machine whose ceilings are known.
fn compare(dir: &Dir, arguments: &str) -> Arraylift {
    let arguments = ["compare"].into_iter().chain(arguments.split_whitespace());
    dir.arraylift(arguments).env("XDG_CACHE_HOME", cache(dir))
}

fn cache(dir: &Dir) -> PathBuf {
    let cache = dir.path().join("cache");
    std::fs::create_dir_all(cache.join("arraylift")).expect("a folder");
    let ceilings = Ceilings {
        version: Ceilings::VERSION,
        machine: Machine::this(),
        measured_unix_s: 1,
        memcpy_bytes_per_s: 1e10,
        sendfile_bytes_per_s: 5e9,
        disks: [].into(),
    };
    let text = serde_json::to_string(&ceilings).expect("json");
    std::fs::write(cache.join("arraylift/ceilings.json"), text).expect("written");
    cache
}

fn result(ended: &Ended) -> Json {
    let mut objects = ended.objects();
    let last = objects.pop().expect("a result");
    assert_eq!(last["event"], "result");
    last
}

fn number(of: &Json, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_else(|| panic!("{name}: {of}"))
}

#[test]
fn every_contestant_moves_the_whole_array_and_what_it_costs_is_counted() {
    let dir = Dir::new();
    let bytes = 32_000_000;
    let ended = compare(&dir, "range:0:4e6 --rounds 1 --json").run().done();
    let result = result(&ended);
    let entries = result["entries"].as_array().expect("entries");
    assert!(entries.len() >= 10, "{entries:?}");
    let mut beyond = std::collections::HashMap::new();
    for entry in entries {
        let who = &entry["contestant"];
        let id = who["id"].as_str().expect("an id");
        let [round] = &entry["rounds"].as_array().expect("rounds")[..] else {
            panic!("{id}: one round: {entry}")
        };
        let verified = if who["verify"] == true {
            Json::Bool(true)
        } else {
            Json::Null
        };
        assert_eq!(round["verified"], verified, "{id}");
        let copied = number(round, "copied_bytes");
        match who["send_route"].as_str() {
            Some("sendfile") => assert_eq!(copied, bytes, "{id}: where it lands, and nowhere else"),
            Some("write") => assert_eq!(copied, 2 * bytes, "{id}: into the socket and out of it"),
            Some("copying") => assert!(copied > 3 * bytes, "{id}: {copied}"),
            // The kernel says which ones it copied.
            Some("zerocopy") => assert!((bytes..=2 * bytes).contains(&copied), "{id}: {copied}"),
            Some("handoff") => assert_eq!(copied, 0, "{id}: the same memory"),
            other => panic!("{id}: who knows what {other:?} copies?"),
        }
        let syscalls = number(round, "syscalls");
        let (least, most) = if id == "handoff" {
            // However long the array is.
            (0, 50)
        } else {
            (2 * bytes / (2 << 20), 2 * bytes / BYTES_PER_CALL_MIN)
        };
        assert!((least..=most).contains(&syscalls), "{id}: {syscalls} system calls");
        assert!(
            number(round, "peak_bytes") > bytes,
            "{id}: the array has a place in memory"
        );
        let (seconds, first_byte_s) = (round["seconds"].as_f64(), round["first_byte_s"].as_f64());
        assert!(
            first_byte_s > Some(0.0) && first_byte_s <= seconds.map(|s| 2.0 * s + 0.1),
            "{id}: {round}"
        );
        assert!(
            round["cpu_s"].as_f64() > Some(0.0) && round["process_cpu_s"].as_f64() > Some(0.0),
            "{id}"
        );
        assert_eq!(
            entry["summary"]["copies_per_byte"]["median"].as_f64(),
            Some(copied as f64 / bytes as f64)
        );
        beyond.insert(id, number(round, "beyond_bytes"));
    }
    // The second recipe's table of memory: a view costs nothing beside the array, a copy of the rest another array.
    for (id, beyond) in &beyond {
        let spare = if *id == "copying" { bytes * 3 / 4 } else { 0 };
        let expected = spare.max(1)..spare + 2 * PROGRAM_BYTES;
        assert!(expected.contains(beyond), "{id}: {beyond} bytes beyond the array");
    }
    let skipped = result["skipped"].as_array().expect("skipped");
    assert!(
        skipped
            .iter()
            .all(|one| one["reason"].as_str().is_some_and(|reason| reason.contains("folder")))
    );
    let events = |name: &str| ended.objects().iter().filter(|object| object["event"] == name).count();
    assert_eq!((events("planned"), events("lost"), events("begun")), (1, 0, 0));
    assert_eq!(events("round"), 2 * entries.len(), "one to warm up, one that counts");
}

#[test]
fn a_file_is_compared_into_files_too_and_nothing_is_left_behind() {
    let dir = Dir::new();
    let bytes = 1_000_000;
    dir.write("-a", vec![7; bytes]);
    let ended = compare(&dir, "--rounds 1 --json --dtype i16 --sizes -- -a")
        .run()
        .done();
    let result = result(&ended);
    assert_eq!(result["subject"]["shape"], serde_json::json!([bytes / 2]));
    for entry in result["entries"].as_array().expect("entries") {
        let round = &entry["rounds"][0];
        let to_file = entry["contestant"]["sink"] == "file";
        if to_file {
            assert_eq!(number(round, "copied_bytes"), 2 * bytes as u64, "{entry}");
        }
        let id = &entry["contestant"]["id"];
        let sizes: Vec<u64> = result["sizes"]
            .as_array()
            .expect("sizes")
            .iter()
            .filter(|point| point["id"] == *id)
            .map(|point| number(point, "bytes"))
            .collect();
        assert_eq!(sizes, [4096, 32_768, 262_144, 1_000_000], "{id}");
    }
    let ids: Vec<&str> = ["file-recv", "file-splice", "file-map"].into();
    let entries = result["entries"].as_array().expect("entries");
    assert!(
        ids.iter()
            .all(|id| entries.iter().any(|entry| entry["contestant"]["id"] == *id))
    );
    assert_eq!(result["skipped"][0]["contestant"]["id"], "made");
    assert_eq!(dir.names(), ["-a", "cache"]);
}

#[test]
fn a_result_is_saved_never_over_a_file_and_shown_beside_a_later_one() {
    let dir = Dir::new();
    let ended = compare(&dir, "range:0:1e4 --rounds 1 --save old.json --save old.csv")
        .run()
        .done();
    for expected in [
        "GB/s",
        "slicing a view",
        "not run: to a file: recv",
        "one copy 10.0 GB/s",
        "saved as old.json",
    ] {
        assert!(ended.stdout.contains(expected), "{expected:?} in {ended:?}");
    }
    assert!(
        ended.stdout.lines().all(|line| line.chars().count() <= 100),
        "{ended:?}"
    );
    let csv = String::from_utf8(dir.read("old.csv")).expect("UTF-8");
    let saved: Json = serde_json::from_slice(&dir.read("old.json")).expect("JSON");
    let entries = saved["entries"].as_array().expect("entries").len();
    assert_eq!(csv.lines().count(), 1 + entries, "{csv}");
    let again = compare(&dir, "range:0:1e4 --rounds 2 --with old.json").run().done();
    let ratios = again.stdout.split_once("GB/s there").expect("both").1;
    assert!(ratios.contains("sendfile") && !ratios.contains("note:"), "{ratios}");
    assert!(
        again.stdout.lines().all(|line| line.chars().count() <= 100),
        "{again:?}"
    );
    let other = compare(&dir, "range:0:1e3 --rounds 1 --with old.json").run().done();
    assert!(
        other.stdout.contains("note: bytes: 8000 here, 80000 there"),
        "{other:?}"
    );
    compare(&dir, "range:0:1e4 --save old.json")
        .run()
        .failed(1, &["old.json", "never overwritten"]);
}

#[test]
fn what_makes_no_sense_is_found_before_anything_is_measured() {
    let dir = Dir::new();
    dir.write("no.json", "{}");
    for (arguments, code, hint) in [
        ("range:0:10 --rounds 0", 2, "rounds"),
        ("range:0:10 --save result.txt", 2, "NAME.json"),
        ("range:0:10 --save no/such/folder/a.json", 1, "folder"),
        ("range:0:10 --with missing.json", 1, "missing.json"),
        ("range:0:10 --with no.json", 2, "no saved comparison"),
        ("range:0:10 --into no/such/folder", 1, "no/such/folder"),
        ("missing.npy", 1, "missing.npy"),
    ] {
        let ended = compare(&dir, arguments).run().failed(code, &[hint]);
        assert_eq!(ended.stdout, "", "{arguments}");
    }
}

#[test]
fn a_contestant_that_fails_is_told_of_and_the_others_go_on() {
    let dir = Dir::new();
    dir.write("a.bin", vec![1; 1 << 20]);
    // Files of at most 512 KiB: those who write one fail.
    let ended = dir
        .arraylift_with_file_limit(1024, &["compare", "a.bin", "--rounds", "1", "--json"])
        .env("XDG_CACHE_HOME", cache(&dir))
        .run()
        .failed(
            1,
            &["no round went well of: to a file: recv; to a file: splice; to a file: map"],
        );
    let result = result(&ended);
    for entry in result["entries"].as_array().expect("entries") {
        let fails = entry["contestant"]["sink"] == "file";
        assert_eq!(entry["summary"].is_null(), fails, "{entry}");
        assert_eq!(
            entry["lost"].as_array().map(Vec::len),
            Some(if fails { 2 } else { 0 }),
            "{entry}"
        );
    }
}

#[test]
fn a_signal_ends_it_and_its_children_and_leaves_nothing() {
    let dir = Dir::new();
    let mut running = compare(&dir, "range:0:2e7 --rounds 1000 --json --into .").start();
    let id = running.id();
    while !running.line().contains("\"event\":\"round\"") {}
    running.signal(Signal::INT);
    running.wait().failed(1, &["cancelled"]);
    // A child has the array from its parent's descriptor: its command line names it.
    let of_it = |entry: std::io::Result<std::fs::DirEntry>| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(&format!("/proc/{id}/fd/")).then_some(line)
    };
    let left: Vec<String> = std::fs::read_dir("/proc").expect("procfs").filter_map(of_it).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(dir.names(), ["cache"]);
    let left = folders(dir.runtime());
    assert!(left.is_empty(), "{left:?}");
}

/// The names of the temporary folders that comparisons have there.
fn folders(parent: &std::path::Path) -> Vec<String> {
    let names = crate::common::names_in(parent).into_iter();
    names.filter(|name| name.starts_with(".arraylift-compare-")).collect()
}

/// The processes that a process has started and that run.
fn children_of(id: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("procfs");
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|child| parent_of(*child) == Some(id)).collect()
}

/// `proc_pid_status(5)`; `None` where it has ended, whether or not that was noticed.
fn parent_of(id: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let is_alive = !field("State:")?.starts_with('Z');
    field("PPid:")?.parse().ok().filter(|_| is_alive)
}

fn is_alive(id: u32) -> bool {
    parent_of(id).is_some()
}

#[test]
fn comparisons_have_folders_of_drawn_names_and_the_next_one_removes_those_of_one_that_was_killed() {
    let dir = Dir::new();
    let start = || {
        let mut running = compare(&dir, "range:0:2e6 --rounds 1000 --json --into .").start();
        while !running.line().contains("\"event\":\"round\"") {}
        running
    };
    let killed = start();
    let places = || [folders(dir.path()), folders(dir.runtime())];
    let left = places();
    let id = killed.id().to_string();
    let children = children_of(killed.id());
    assert!(left.iter().all(|names| names.len() == 1), "{left:?}");
    assert_ne!(left[0], left[1]);
    killed.signal(Signal::KILL);
    let deadline = Instant::now() + Duration::from_mins(1);
    assert!(!killed.wait().status.success());
    assert_eq!(places(), left, "nobody could remove them");
    while let Some(child) = children.iter().find(|child| is_alive(**child)) {
        assert!(Instant::now() < deadline, "{child} of {children:?} has outlived it");
        std::thread::sleep(Duration::from_millis(5));
    }
    let other = start();
    let others = places();
    assert!(others.iter().all(|names| names.len() == 1), "{others:?}");
    let digits = |name: &str| name.trim_start_matches(".arraylift-compare-").to_owned();
    for (name, before) in others.iter().flatten().zip(left.iter().flatten()) {
        assert_ne!(name, before);
        assert!(digits(name).len() == 16 && digits(name) != id, "{name}");
    }
    // One that is at work keeps its own.
    compare(&dir, "range:0:1e4 --rounds 1 --into .").run().done();
    assert_eq!(places(), others);
    other.signal(Signal::INT);
    other.wait().failed(1, &["cancelled"]);
    assert!(places().iter().all(Vec::is_empty));
}

#[test]
fn ceilings_are_measured_once_and_kept() {
    let dir = Dir::new();
    let cache = dir.path().join("new");
    let run = || {
        dir.arraylift("compare range:0:10 --rounds 1 --json --into .".split(' '))
            .env("XDG_CACHE_HOME", &cache)
            .run()
            .done()
    };
    let first = result(&run())["ceilings"].clone();
    for name in ["memcpy_bytes_per_s", "sendfile_bytes_per_s"] {
        assert!(first[name].as_f64() > Some(0.0), "{first}");
    }
    let disks = first["disks"].as_object().expect("disks");
    assert_eq!(disks.len(), 1, "{first}");
    assert_eq!(result(&run())["ceilings"], first, "not measured again");
    assert_eq!(dir.names(), ["new"]);
}

#[test]
fn what_can_be_read_once_is_not_compared() {
    Dir::new()
        .run("compare /dev/zero --length 8")
        .failed(2, &["only once", "file or a range"]);
}
