//! A service whose connections are received by worker processes.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process, names_in};
use crate::floats;
use crate::native::{REFUSE, WELCOME};
use crate::serve::{drained, senders, sent, serve, stopped, until};
use crate::signals::{send_without_checksums, until_bytes_move};

/// The process ids of so many workers, as they become ready.
pub(crate) fn workers(service: &mut Process, count: usize) -> Vec<u64> {
    (0..count)
        .map(|_| until(service, "worker_ready")["worker"].as_u64().expect("a process id"))
        .collect()
}

pub(crate) fn kill(worker: u64) {
    let pid = i32::try_from(worker)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    kill_process(pid, Signal::KILL).expect("it runs");
}

/// How each transfer ended: every one that began has exactly one end.
fn ends(ended: &Ended) -> HashMap<u64, String> {
    let mut begun = HashSet::new();
    let mut ends = HashMap::new();
    for object in ended.objects() {
        let (Some(transfer), Some(event)) = (object["transfer"].as_u64(), object["event"].as_str()) else {
            continue;
        };
        begun.insert(transfer);
        if ["finished", "failed", "cancelled"].contains(&event) {
            let before = ends.insert(transfer, event.to_owned());
            assert_eq!(before, None, "{object}");
        }
    }
    assert_eq!(begun.len(), ends.len(), "some have no end");
    ends
}

fn python(script: &str) -> Command {
    let mut command = Command::new(std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script));
    command
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn every_worker_gets_its_part_and_everything_is_verified_as_ever() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 3");
    let there = workers(&mut service, 3);
    let result = sent(&service.address, "--connections 600 --bytes 30000");
    assert_eq!(result["verified"], 600, "{result}");
    dir.run(&format!("send range:0:1e6 {}", service.address)).done();
    let ended = drained(service).done();
    assert_eq!(ends(&ended).len(), 601);
    let handed: Vec<u64> = ended
        .objects()
        .iter()
        .filter_map(|object| object["worker"].as_u64())
        .collect();
    for worker in there {
        let count = handed.iter().filter(|other| **other == worker).count();
        assert!(count > 100, "{worker} had {count}");
    }
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(1_000_000));
    assert_eq!(names_in(&dir.path().join("inbox")).len(), 601);
}

#[test]
fn a_killed_worker_fails_its_own_transfers_alone_and_is_replaced() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 2");
    workers(&mut service, 2);
    let slow = || {
        let arguments = ["send", "range:0:1e6", &service.address, "--limit", "4MB/s"];
        dir.arraylift(arguments).start()
    };
    let senders = [slow(), slow()];
    let mut has: HashMap<u64, u64> = HashMap::new();
    while has.len() < 2 {
        let handed = until(&mut service, "handed_over");
        has.insert(
            handed["worker"].as_u64().expect("a process id"),
            handed["transfer"].as_u64().expect("an id"),
        );
    }
    until(&mut service, "sample");
    let (killed, lost) = has.into_iter().next().expect("two");
    kill(killed);
    let gone = until(&mut service, "worker_gone");
    assert_eq!((&gone["worker"], &gone["transfers"]), (&killed.into(), &1.into()));
    assert_ne!(workers(&mut service, 1), [killed]);
    let codes: Vec<Option<i32>> = senders.into_iter().map(|one| one.wait().status.code()).collect();
    assert!(codes.contains(&Some(0)) && codes.contains(&Some(1)), "{codes:?}");
    // The one that is sent again goes on with what the killed one had, if it had got to anything.
    dir.run(&format!("send range:0:1e6 {}", service.address)).done();
    let ended = drained(service);
    let ends = ends(&ended);
    assert_eq!((ends.len(), ends[&lost].as_str()), (3, "failed"));
    assert!(
        ended.stderr.contains("SIGKILL") && ended.stderr.contains("send it again"),
        "{ended:?}"
    );
    assert_eq!(names_in(&dir.path().join("inbox")), ["range-1.npy", "range.npy"]);
}

#[test]
fn what_a_killed_worker_left_goes_from_a_folder_whose_name_is_not_utf_8_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = Dir::new();
    let inbox = dir.path().join(std::ffi::OsStr::from_bytes(b"in\xff"));
    std::fs::create_dir(&inbox).expect("a folder");
    let arguments = "serve 127.0.0.1:0 --workers 1 --keep-free 0 --json --into";
    let arguments = arguments
        .split(' ')
        .map(std::ffi::OsStr::new)
        .chain([inbox.as_os_str()]);
    let mut service = dir.arraylift(arguments).listening();
    let there = workers(&mut service, 1);
    // Without checksums nobody could go on with it.
    let send = [
        "send",
        "range:0:1e6",
        &service.address,
        "--limit",
        "4MB/s",
        "--no-verify",
    ];
    let sender = dir.arraylift(send).start();
    until(&mut service, "started");
    assert_eq!(names_in(&inbox).len(), 1, "the .part");
    kill(there[0]);
    until(&mut service, "worker_gone");
    assert!(!sender.wait().status.success());
    drained(service);
    assert!(names_in(&inbox).is_empty(), "{:?}", names_in(&inbox));
}

#[test]
fn a_worker_that_hangs_with_nothing_to_do_does_not_keep_its_service_from_ending() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 2");
    let there = workers(&mut service, 2);
    let pid = i32::try_from(there[0]).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::STOP).expect("it runs");
    let ended = drained(service);
    assert!(ended.status.success(), "{ended:?}");
    let gone: Vec<Json> = ended
        .objects()
        .into_iter()
        .filter(|o| o["event"] == "worker_gone")
        .collect();
    let how = gone
        .iter()
        .find(|gone| gone["worker"] == there[0])
        .map(|gone| gone["how"].to_string());
    assert!(how.is_some_and(|how| how.contains("did not answer")), "{ended:?}");
}

#[test]
fn a_worker_that_hangs_with_a_transfer_is_killed_after_the_timeout_and_told_and_one_that_rests_is_not() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 2 --timeout 2s");
    workers(&mut service, 2);
    let slow = || {
        dir.arraylift([
            "send",
            "range:0:1e6",
            &service.address,
            "--limit",
            "100kB/s",
            "--timeout",
            "60s",
            "--no-verify",
        ])
        .start()
    };
    let senders = [slow(), slow()];
    let mut has: HashMap<u64, u64> = HashMap::new();
    while has.len() < 2 {
        let handed = until(&mut service, "handed_over");
        has.insert(
            handed["worker"].as_u64().expect("a process id"),
            handed["transfer"].as_u64().expect("an id"),
        );
    }
    let mut has = has.into_iter();
    let ((stopped, lost), (other, paused)) = (has.next().expect("two"), has.next().expect("two"));
    until(&mut service, "sample");
    // It says nothing of its transfer, either, and goes on.
    dir.run(&format!("attach {} --pause {paused}", service.id())).done();
    let pid = |id: u64| i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid(stopped), Signal::STOP).expect("it runs");
    service.signal(Signal::TERM);
    let gone = until(&mut service, "worker_gone");
    assert_eq!(
        (&gone["worker"], &gone["transfers"]),
        (&stopped.into(), &1.into()),
        "{gone}"
    );
    assert!(gone["how"].to_string().contains("did not answer"), "{gone}");
    std::thread::sleep(std::time::Duration::from_secs(8));
    kill_process(pid(other), Signal::CONT).expect("it is still there");
    service.signal(Signal::TERM);
    let ended = service.wait();
    let ends = ends(&ended);
    assert_eq!((ends[&lost].as_str(), ends[&paused].as_str()), ("failed", "cancelled"));
    assert!(senders.into_iter().all(|sender| !sender.wait().status.success()));
    assert!(names_in(&dir.path().join("inbox")).is_empty());
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn fifty_workers_killed_under_load_lose_their_own_transfers_and_nothing_else() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 2");
    let mut there = workers(&mut service, 2);
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    let before = service.descriptors();
    let mut resident_bytes = Vec::new();
    for _ in 0..50 {
        let mut many = senders(&service.address, "--connections 40 --bytes 200000")
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        until(&mut service, "started");
        kill(there.remove(0));
        there.extend(workers(&mut service, 1));
        let mut said = String::new();
        many.stdout
            .take()
            .expect("piped")
            .read_to_string(&mut said)
            .expect("UTF-8");
        let result: Json = serde_json::from_str(&said).expect("an object");
        assert_eq!(result["left"], 0, "{result}");
        many.wait().expect("it ends");
        resident_bytes.push(service.resident_bytes());
    }
    let (early, late) = (resident_bytes[10], resident_bytes[49]);
    assert!(late < early + (1 << 20), "memory grows: {resident_bytes:?}");
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    while service.descriptors() > before {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let ended = drained(service);
    let ends = ends(&ended);
    let whole = ends.values().filter(|end| *end == "finished").count();
    assert_eq!(ends.len(), 2 + 50 * 40);
    let names = names_in(&dir.path().join("inbox"));
    assert!(names.len() >= whole, "{names:?}");
    assert!(!names.iter().any(|name| name.contains(".part")), "{names:?}");
    for name in names.iter().filter(|name| name.starts_with("from-")) {
        assert_eq!(dir.read(&format!("inbox/{name}")).len(), 200_000, "{name}");
    }
}

#[test]
fn a_worker_from_outside_shows_the_key_takes_its_part_and_leaves_when_asked() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers-at door --key key");
    let mode = |name: &str| {
        std::fs::metadata(dir.path().join(name))
            .expect("there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("door"), mode("key")), (0o600, 0o600));
    let mut worker = dir.arraylift(["worker", "door", "--key", "key", "--json"]).start();
    let said: Json = serde_json::from_str(&worker.line()).expect("an object");
    assert_eq!(
        (&said["event"], &said["worker"]),
        (&"working".into(), &worker.id().into())
    );
    assert_eq!(workers(&mut service, 1), [u64::from(worker.id())]);
    dir.run(&format!("send range:0:1e5 {}", service.address)).done();
    worker.signal(Signal::TERM);
    worker.wait().done();
    assert_eq!(until(&mut service, "worker_gone")["how"], "has left");
    drained(service).done();
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(100_000));
    assert_eq!(dir.names(), ["inbox", "key"]);
}

#[test]
fn a_worker_from_outside_that_cuts_a_transfer_off_ends_with_1() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers-at door --key key");
    let worker = dir.arraylift(["worker", "door", "--key", "key"]).start();
    workers(&mut service, 1);
    let sender = send_without_checksums(&dir, &service.address);
    until_bytes_move(&mut service, "receiver");
    worker.signal(Signal::TERM);
    // Another ask, and not the same one.
    std::thread::sleep(std::time::Duration::from_millis(300));
    worker.signal(Signal::TERM);
    worker.wait().failed(1, &["1 transfer was cut off"]);
    sender.wait().failed(1, &["the receiver was stopped"]);
    // Its own end cut nothing off.
    drained(service).done();
    assert!(names_in(&dir.path().join("inbox")).is_empty());
}

#[test]
fn what_a_killed_worker_from_outside_had_half_received_is_removed() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers-at door --key key");
    let worker = dir.arraylift(["worker", "door", "--key", "key"]).start();
    workers(&mut service, 1);
    // Without checksums nobody could go on with it.
    let send = [
        "send",
        "range:0:1e6",
        &service.address,
        "--limit",
        "1MB/s",
        "--no-verify",
    ];
    let sender = dir.arraylift(send).start();
    until(&mut service, "sample");
    let inbox = dir.path().join("inbox");
    assert!(names_in(&inbox)[0].contains(".part"), "{:?}", names_in(&inbox));
    kill(worker.id().into());
    let gone = until(&mut service, "worker_gone");
    assert_eq!(gone["transfers"], 1);
    sender.wait().failed(1, &[]);
    worker.wait();
    drained(service);
    assert!(names_in(&inbox).is_empty(), "{:?}", names_in(&inbox));
}

#[test]
fn whoever_has_another_key_or_none_or_speaks_nonsense_does_not_become_a_worker() {
    let dir = Dir::new();
    let service = serve(&dir, "--workers 1 --workers-at door --key key");
    dir.write("other", [7; 40]);
    std::fs::set_permissions(dir.path().join("other"), PermissionsExt::from_mode(0o600)).expect("ours");
    dir.run("worker door --key other").failed(1, &["another key"]);
    std::fs::set_permissions(dir.path().join("other"), PermissionsExt::from_mode(0o644)).expect("ours");
    dir.run("worker door --key other").failed(1, &["chmod 600"]);
    dir.run("worker door").failed(2, &["--key"]);
    dir.run("worker nowhere --key key").failed(1, &["nowhere"]);
    for nonsense in [&b"garbage\n"[..], b"\"ready\"\n", b"{\"told\":{}}\n", &[0; 10_000]] {
        let mut stream = UnixStream::connect(dir.path().join("door")).expect("it listens");
        // It may be turned away before the last byte.
        let _ = stream.write_all(nonsense);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut said = String::new();
        let _ = stream.read_to_string(&mut said);
        assert!(!said.contains("plan"), "{said}");
    }
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    let ended = drained(service).done();
    let ready = ended
        .objects()
        .iter()
        .filter(|object| object["event"] == "worker_ready")
        .count();
    assert_eq!(ready, 1);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_worker_that_takes_connections_and_says_nothing_is_let_go_and_others_go_on() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers-at door --key key --timeout 1s");
    let mut mute = python("mute_worker.py");
    let mut mute = mute
        .args(["door", "key"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut said = BufReader::new(mute.stdout.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("UTF-8");
    assert_eq!(line, "joined\n");
    workers(&mut service, 1);
    // The first one goes to the only worker that there is.
    let lost = dir.arraylift(["send", "range:0:10", &service.address]).start();
    let gone = until(&mut service, "worker_gone");
    assert_eq!((&gone["worker"], &gone["transfers"]), (&mute.id().into(), &1.into()));
    lost.wait().failed(1, &[]);
    mute.wait().expect("it ends");
    let worker = dir.arraylift(["worker", "door", "--key", "key"]).start();
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    drained(service);
    assert_eq!(worker.wait().status.code(), Some(0));
}

#[test]
fn a_second_signal_stops_the_workers_too_and_leaves_nothing_half_received() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 2");
    let there = workers(&mut service, 2);
    let sender = dir
        .arraylift(["send", "range:0:1e7", &service.address, "--limit", "1MB/s"])
        .start();
    until(&mut service, "sample");
    let ended = stopped(service);
    sender.wait().failed(1, &["the receiver was stopped"]);
    assert_eq!(ends(&ended).into_values().collect::<Vec<_>>(), ["cancelled"]);
    assert!(names_in(&dir.path().join("inbox")).is_empty());
    for worker in there {
        assert!(!Path::new(&format!("/proc/{worker}")).exists(), "{worker} still runs");
    }
}

#[test]
fn what_a_worker_that_hangs_had_when_all_were_told_to_stop_counts_as_cut_off() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 1");
    let there = workers(&mut service, 1);
    let sender = send_without_checksums(&dir, &service.address);
    until_bytes_move(&mut service, "receiver");
    let pid = i32::try_from(there[0]).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::STOP).expect("it runs");
    let ended = stopped(service).failed(1, &["1 transfer was cut off"]);
    sender.wait().failed(1, &["closed the connection"]);
    assert_eq!(ends(&ended).into_values().collect::<Vec<_>>(), ["cancelled"]);
    let gone = ended
        .objects()
        .into_iter()
        .find(|object| object["event"] == "worker_gone");
    assert!(
        gone.expect("told")["how"].to_string().contains("did not answer"),
        "{ended:?}"
    );
    assert!(names_in(&dir.path().join("inbox")).is_empty());
}

#[test]
fn workers_end_with_a_service_that_was_killed() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 2");
    let there = workers(&mut service, 2);
    service.signal(Signal::KILL);
    service.wait();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    for worker in there {
        // Who adopts it may not have reaped it yet.
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        while runs() {
            assert!(std::time::Instant::now() < deadline, "{worker} still runs");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

#[test]
fn workers_and_a_sum_over_all_of_them_is_wrong_usage() {
    let dir = Dir::new();
    dir.run("serve 127.0.0.1:0 --workers 2 --max-total 1GB")
        .failed(2, &["--max-total"]);
    dir.run("serve 127.0.0.1:0 --workers-at door").failed(2, &["--key"]);
}

#[test]
fn workers_do_not_promise_the_same_memory_twice_and_a_killed_one_gives_its_promises_back() {
    let dir = Dir::new();
    let mut service = dir.listen("serve", "127.0.0.1:0 --into memory --json --workers 2");
    workers(&mut service, 2);
    let meminfo = std::fs::read_to_string("/proc/meminfo").expect("procfs");
    let available = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:")?.strip_suffix("kB"));
    let kib: u64 = available.expect("a line").trim().parse().expect("a number");
    let offer = crate::peers::native_offer("most", kib * 1024 / 10 * 6);
    let address = service.address.clone();
    // The kind of the message that answers.
    let ask = || {
        let mut stream = std::net::TcpStream::connect(&address).expect("it listens");
        stream.write_all(&offer).expect("it takes them");
        let mut answer = [0; 9];
        stream.read_exact(&mut answer).expect("an answer");
        (answer[8], stream)
    };
    let (first, stream) = ask();
    let holder = until(&mut service, "handed_over")["worker"]
        .as_u64()
        .expect("a process id");
    assert_eq!(
        (first, ask().0, ask().0),
        (WELCOME, REFUSE, REFUSE),
        "both workers were asked"
    );
    kill(holder);
    until(&mut service, "worker_gone");
    drop(stream);
    assert_eq!(ask().0, WELCOME);
}

#[test]
fn a_service_whose_program_was_replaced_starts_its_workers_as_before() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let program = dir.path().join("arraylift-copy");
    std::fs::copy(env!("CARGO_BIN_EXE_arraylift"), &program).expect("copied");
    let mut command = Command::new(&program);
    command.args("serve 127.0.0.1:0 --into inbox --json --workers 1".split(' '));
    let mut service = dir.program(command).listening();
    let [first] = workers(&mut service, 1)[..] else {
        panic!("one worker")
    };
    // As a package manager does it.
    std::fs::write(dir.path().join("new"), "#!/bin/false\n").expect("written");
    std::fs::rename(dir.path().join("new"), &program).expect("replaced");
    kill(first);
    workers(&mut service, 1);
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    drained(service).done();
    assert_eq!(names_in(&inbox).len(), 1);
}

#[test]
fn a_service_that_cannot_start_a_worker_tells_it_once_and_tries_again() {
    let dir = Dir::new();
    let mut service = serve(&dir, "--workers 1");
    let [first] = workers(&mut service, 1)[..] else {
        panic!("one worker")
    };
    let id = i32::try_from(service.id()).ok().and_then(Pid::from_raw);
    let no_more = |limit| {
        let rlimit = rustix::process::Rlimit {
            current: Some(limit),
            maximum: Some(4096),
        };
        rustix::process::prlimit(id, rustix::process::Resource::Nofile, rlimit).expect("set")
    };
    no_more(3);
    kill(first);
    let missing = until(&mut service, "worker_missing");
    assert!(
        missing["why"].as_str().is_some_and(|why| why.contains("open files")),
        "{missing}"
    );
    std::thread::sleep(std::time::Duration::from_millis(500));
    no_more(4096);
    workers(&mut service, 1);
    let ended = drained(service).done();
    let missing = ended
        .objects()
        .iter()
        .filter(|object| object["event"] == "worker_missing")
        .count();
    assert_eq!(missing, 1);
}

#[test]
fn a_folder_whose_name_is_not_text_takes_arrays_and_every_end_is_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = Dir::new();
    let name = std::ffi::OsStr::from_bytes(b"in\xffbox");
    std::fs::create_dir(dir.path().join(name)).expect("a folder");
    for command in [
        "serve 127.0.0.1:0",
        "serve 127.0.0.1:0 --workers 1 --max-connections 2",
        "receive 127.0.0.1:0",
    ] {
        let arguments = command
            .split(' ')
            .chain(["--json", "--into"])
            .map(std::ffi::OsStr::new)
            .chain([name]);
        let mut receiver = dir.arraylift(arguments).listening();
        for _ in 0..4 {
            dir.run(&format!("send range:0:10 {}", receiver.address)).done();
            let finished = until(&mut receiver, "finished");
            assert!(
                finished["path"]
                    .as_str()
                    .is_some_and(|path| path.contains("in\u{fffd}box")),
                "{finished}"
            );
        }
        let seen = dir.run("status --json").done();
        assert_eq!(seen.objects().len(), 1, "{seen:?}");
        drained(receiver).done();
    }
    assert_eq!(names_in(&dir.path().join(name)).len(), 12);
}
