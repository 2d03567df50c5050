//! What runs is watched and steered from outside, by any number of others, and is never held up by them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Process, full_socket};
use crate::floats;
use crate::serve::{drained, serve, until};

fn socket(dir: &Dir, process: &Process) -> PathBuf {
    dir.runtime().join(format!("arraylift/{}.sock", process.id()))
}

/// A sender that takes its time: 8 MB at 4 MB/s unless the limit is lifted.
fn slow_sender(dir: &Dir, address: &str) -> Process {
    let arguments = ["send", "range:0:1e6", address, "--limit", "4MB/s", "--json"];
    let mut sender = dir.arraylift(arguments).start();
    until(&mut sender, "started");
    sender
}

/// What `attach` printed, line by line.
fn objects(text: &str) -> Vec<Json> {
    let objects = text.lines().map(|line| serde_json::from_str(line).expect("an object"));
    objects.collect()
}

#[test]
fn who_runs_is_told_with_what_it_moves_and_how_it_is_steered() {
    let dir = Dir::new();
    assert!(dir.run("status").done().stdout.starts_with("nothing sends"));
    let service = serve(&dir, "");
    let mut sender = slow_sender(&dir, &service.address);
    until(&mut sender, "sample");
    let told = objects(&dir.run("status --json").done().stdout);
    assert_eq!(told.len(), 2, "{told:?}");
    let of = |process: &Process| told.iter().find(|one| one["pid"] == process.id()).expect("it runs");
    assert_eq!(of(&service)["command"], format!("serve {}", service.address));
    assert_eq!(of(&sender)["command"], format!("send to {}", service.address));
    let moving = &of(&sender)["transfers"][0];
    assert_eq!(
        (&moving["transfer"], &moving["total_bytes"]),
        (&1.into(), &8_000_000.into())
    );
    assert_eq!(of(&service)["transfers"].as_array().map(Vec::len), Some(1));
    let shown = dir.run("status").done().stdout;
    assert!(
        shown.contains(&format!("{}  serve {}", service.id(), service.address)),
        "{shown}"
    );
    assert!(shown.contains("of 8.00 MB"), "{shown}");

    let id = of(&service)["transfers"][0]["transfer"].as_u64().expect("an id");
    dir.run(&format!("attach {} --cancel {id}", service.id())).done();
    sender.wait().failed(1, &["gave up"]);
    dir.run(&format!("attach {} --drain", service.id())).done();
    // Somebody wished that one to end; the end of the service cut nothing off.
    service.wait().done();
    assert!(crate::common::names_in(&dir.path().join("inbox")).is_empty());
    assert!(
        crate::common::names_in(&dir.runtime().join("arraylift")).is_empty(),
        "sockets go with their processes"
    );
}

#[test]
fn who_watches_and_is_read_no_more_ends_and_what_does_not_run_cannot_be_steered() {
    let dir = Dir::new();
    // Nothing happens there, and it does not end by itself.
    let service = serve(&dir, "");
    let pid = service.id().to_string();
    for watching in [&["attach", &*pid][..], &["attach", &*pid, "--json"]] {
        assert!(dir.arraylift(watching).run_unread().success());
    }
    for wish in ["--pause 99", "--cancel 99", "--limit 99=1GB/s"] {
        dir.run(&format!("attach {pid} {wish}")).failed(1, &["no transfer 99"]);
    }
    drained(service).done();
}

#[test]
fn two_viewers_see_the_same_transfer_paused_resumed_unlimited_and_whole() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let mut sender = slow_sender(&dir, &service.address);
    let pid = sender.id().to_string();
    let watch = || dir.arraylift(["attach", &pid, "--json"]).start();
    let mut viewers = [watch(), watch()];
    for viewer in &mut viewers {
        assert_eq!(until(viewer, "engine")["pid"], sender.id());
        until(viewer, "now");
    }
    dir.run(&format!("attach {pid} --pause 1")).done();
    for viewer in &mut viewers {
        while until(viewer, "state")["state"] != "paused" {}
    }
    let passed = dir.run(&format!("attach {pid} --resume 1 --json")).done();
    assert_eq!(objects(&passed.stdout)[0]["event"], "passed");
    dir.run(&format!("attach {pid} --limit 1=none")).done();
    for viewer in &mut viewers {
        until(viewer, "bottleneck");
        assert_eq!(until(viewer, "finished")["verified"], true);
    }
    until(&mut sender, "finished");
    sender.wait().done();
    for viewer in viewers {
        viewer.wait().done();
    }
    drained(service).done();
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(1_000_000));
}

#[test]
fn a_receiver_and_a_list_of_sources_obey_as_well() {
    let dir = Dir::new();
    dir.folder("inbox");
    let receiver = dir.receive("127.0.0.1:0 --into inbox");
    let arguments = ["send", "range:0:1e6", "range:0:2e6", "range:0:3e6", &receiver.address];
    let more = ["--jobs", "1", "--limit", "4MB/s", "--json"];
    let mut sender = dir.arraylift(arguments.iter().chain(&more)).start();
    until(&mut sender, "started");
    let seen = objects(&dir.run("status --json").done().stdout);
    let seen = seen.iter().find(|one| one["pid"] == sender.id()).expect("it runs");
    assert_eq!(seen["transfers"][0]["source"], "range:0:1e6");
    dir.run(&format!("attach {} --drain", sender.id())).done();
    dir.run(&format!("attach {} --limit 1=none", sender.id())).done();
    let ended = sender.wait();
    let objects = ended.objects();
    let counts = objects.last().expect("counts");
    assert_eq!((&counts["done"], &counts["not_begun"]), (&1.into(), &2.into()));
    dir.run(&format!("attach {} --stop", receiver.id())).done();
    receiver.wait().done();
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(1_000_000));
}

#[test]
fn a_source_whose_transfer_somebody_cancels_was_not_sent() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into discard");
    let arguments = ["send", "range:0:1e6", "range:0:10", &receiver.address];
    let more = ["--jobs", "1", "--limit", "4MB/s", "--json"];
    let mut sender = dir.arraylift(arguments.iter().chain(&more)).start();
    until(&mut sender, "started");
    dir.run(&format!("attach {} --cancel 1", sender.id())).done();
    sender.wait().failed(1, &["1 of 2 were not sent"]);
    receiver.signal(Signal::TERM);
    assert_eq!(receiver.wait().status.code(), Some(0), "its end cut nothing off");
}

#[test]
fn a_transfer_that_waits_for_its_sender_is_limited_before_it_begins_and_ends_the_receiver_when_cancelled() {
    let dir = Dir::new();
    let mut receiver = dir.receive("127.0.0.1:0 --into discard --json");
    let waiting = |receiver: &mut Process| loop {
        let told = until(receiver, "state");
        if told["state"] == "listening" {
            return told["transfer"].clone();
        }
    };
    let first = waiting(&mut receiver);
    dir.run(&format!("attach {} --limit {first}=1MB/s", receiver.id()))
        .done();
    // Another look from outside, so that the receiver has had time to obey.
    dir.run("status").done();
    dir.run(&format!("send range:0:1e5 {}", receiver.address)).done();
    let finished = until(&mut receiver, "finished");
    assert_eq!(finished["transfer"], first);
    let rate = finished["rate_bytes_per_s"].as_f64().expect("a rate");
    assert!(rate < 2e6, "800 kB at 1 MB/s: {finished}");
    let second = first.as_u64().expect("a number") + 1;
    dir.run(&format!("attach {} --cancel {second}", receiver.id())).done();
    let ended = receiver.wait().done();
    let objects = ended.objects();
    let cancelled = objects.iter().filter(|told| told["event"] == "cancelled");
    let cancelled: Vec<u64> = cancelled.filter_map(|told| told["transfer"].as_u64()).collect();
    assert_eq!(cancelled, [second]);
    assert!(!objects.iter().any(|told| told["event"] == "service"), "{objects:?}");
}

#[test]
fn the_socket_is_its_users_alone_and_one_that_was_killed_is_forgotten() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let mode = |path: PathBuf| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(socket(&dir, &service)), 0o600);
    assert_eq!(mode(dir.runtime().join("arraylift")), 0o700);
    dir.run("attach 1").failed(1, &["process 1"]);
    dir.run("attach --pause 1 --stop").failed(2, &["--pause"]);
    let other = serve(&dir, "");
    dir.run("attach").failed(2, &["several run", &other.id().to_string()]);
    let stale = socket(&dir, &other);
    other.signal(Signal::KILL);
    other.wait();
    assert!(stale.exists());
    let left = objects(&dir.run("status --json").done().stdout);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!stale.exists());
    drained(service).done();
}

#[test]
fn a_runtime_folder_that_cannot_be_used_stops_nothing_and_is_told() {
    let dir = Dir::new();
    dir.folder("inbox");
    std::fs::write(
        dir.runtime().join("arraylift"),
        b"a file stands where the folder would be",
    )
    .expect("written");
    let service = serve(&dir, "");
    let sent = dir
        .run(&format!("send range:0:10 {}", service.address))
        .failed(0, &["control socket"]);
    assert!(sent.stdout.contains("80 B"), "{sent:?}");
    drained(service).failed(0, &["control socket"]);
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(10));
}

#[test]
fn one_that_hangs_is_named_and_the_others_are_told() {
    let dir = Dir::new();
    let (hangs, other) = (serve(&dir, ""), serve(&dir, ""));
    hangs.hang();
    let ended = dir.run("status --json");
    assert_eq!(objects(&ended.stdout)[0]["pid"], other.id());
    let line = format!("process {}: the peer said nothing for 2 s", hangs.id());
    assert_eq!(ended.status.code(), Some(1), "it is not all that is known: {ended:?}");
    assert!(ended.stderr.contains(&line), "{ended:?}");
    hangs.signal(Signal::CONT);
    for service in [hangs, other] {
        drained(service).done();
    }
}

#[test]
fn garbage_from_a_viewer_is_refused_and_concerns_nobody() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let connect = || UnixStream::connect(socket(&dir, &service)).expect("it listens");
    for nonsense in [
        "hello\n",
        "{}\n",
        "{\"do\":\"pause\",\"transfer\":\"x\"}\n",
        "\u{0}\n",
        "[[[[\n",
    ] {
        let mut viewer = connect();
        viewer.write_all(nonsense.as_bytes()).expect("written");
        let lines = BufReader::new(&viewer).lines();
        let events = lines.map(|line| serde_json::from_str::<Json>(&line.expect("a line")).expect("an object"));
        let refused = events.map(|one| one["event"].clone()).find(|event| event == "refused");
        assert!(refused.is_some(), "{nonsense}");
    }
    // One without an end, and one that says very much.
    let mut endless = connect();
    let piece = vec![b'x'; 4096];
    while endless.write_all(&piece).is_ok() {}
    let mut talker = connect();
    talker.set_nonblocking(true).expect("set");
    for _ in 0..1000 {
        if talker
            .write_all("{\"do\":\"resume\",\"transfer\":99}\n".repeat(100).as_bytes())
            .is_err()
        {
            break;
        }
    }
    // A wish for a transfer that is not there.
    dir.run(&format!("attach {} --cancel 99", service.id()))
        .failed(1, &["no transfer 99"]);
    dir.run(&format!("send range:0:1e5 {}", service.address)).done();
    drop((endless, talker));
    drained(service).done();
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(100_000));
}

#[test]
fn twenty_viewers_of_whom_half_read_nothing_cost_no_bytes_and_little_memory() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let mut viewers: Vec<UnixStream> = (0..20)
        .map(|_| UnixStream::connect(socket(&dir, &service)).expect("it listens"))
        .collect();
    dir.run(&format!("send range:0:1e6 {}", service.address)).done();
    let before = service.resident_bytes();
    for _ in 0..3 {
        for _ in 0..20 {
            dir.run(&format!("send range:0:100 {}", service.address)).done();
        }
        for viewer in &mut viewers[..10] {
            viewer.set_nonblocking(true).expect("set");
            while viewer.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
        }
    }
    assert!(service.resident_bytes() < before + (30 << 20));
    let ended = drained(service).done();
    let finished = ended.objects().iter().filter(|one| one["event"] == "finished").count();
    assert_eq!(finished, 61);
    // Those who read have seen the end.
    let mut rest = Vec::new();
    viewers[0].set_nonblocking(false).expect("set");
    viewers[0].read_to_end(&mut rest).expect("the rest");
    assert!(String::from_utf8_lossy(&rest).contains("\"done\":61"));
}

#[test]
fn leaving_leaves_the_engine_alone_and_its_end_is_told() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let mut viewer = dir.arraylift(["attach"]).start();
    assert!(
        viewer
            .line()
            .starts_with(&format!("attached to {}: serve 127.0.0.1:", service.id()))
    );
    viewer.signal(Signal::INT);
    viewer.wait().done();
    let mut viewer = dir.arraylift(["attach"]).start();
    viewer.line();
    dir.run(&format!("send range:0:1e6 {}", service.address)).done();
    drained(service).done();
    let ended = viewer.wait().done();
    assert!(
        ended.stdout.contains("8.00 MB in ") && ended.stdout.ends_with("it has ended\n"),
        "{ended:?}"
    );
}

#[test]
fn status_finds_what_runs_without_the_variable_and_says_where_it_looked() {
    let dir = Dir::new();
    let user = rustix::process::geteuid().as_raw();
    let said = dir.run("status").done().stdout;
    let folders = ["arraylift".into(), format!("arraylift-{user}")].map(|name| dir.runtime().join(name));
    for folder in &folders {
        assert!(said.contains(&folder.display().to_string()), "{said}");
    }
    // As cron starts it.
    let service = dir.arraylift(["serve", "127.0.0.1:0", "--into", "discard"]);
    let service = service.env("XDG_RUNTIME_DIR", "").listening();
    assert!(folders[1].exists());
    let seen = dir.run("status --json").done().objects();
    assert_eq!(seen[0]["pid"], service.id(), "{seen:?}");
    dir.run(&format!("attach {} --stop", service.id())).done();
    service.wait().done();
}

#[test]
fn status_does_not_say_nothing_where_it_cannot_look() {
    let dir = Dir::new();
    dir.write("arraylift", "no folder");
    for command in ["status", "status --json", "attach"] {
        let status = dir.arraylift(command.split(' ')).env("XDG_RUNTIME_DIR", dir.path());
        let ended = status.run().failed(1, &["not known", "arraylift"]);
        assert_eq!(ended.stdout, "");
    }
    let started = dir
        .arraylift(["loopback", "range:0:10"])
        .env("XDG_RUNTIME_DIR", dir.path())
        .run();
    assert_eq!(started.status.code(), Some(0), "{started:?}");
    let receiver = dir
        .arraylift(["receive", "unix:s"])
        .env("XDG_RUNTIME_DIR", dir.path())
        .listening();
    receiver.signal(rustix::process::Signal::TERM);
    let ended = receiver.wait();
    assert!(ended.stderr.contains("status does not see this process"), "{ended:?}");
}

#[test]
fn a_command_for_one_transfer_never_ends_the_whole_service() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let path = dir.runtime().join(format!("arraylift/{}.sock", service.id()));
    let mut stream = UnixStream::connect(path).expect("it listens");
    for wish in [r#"{"do":"stop","transfer":99}"#, r#"{"do":"drain","transfer":99}"#] {
        writeln!(stream, "{wish}").expect("sent");
    }
    let mut answers = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    for _ in 0..2 {
        let refused = answers.find(|line| line.contains("refused")).expect("an answer");
        assert!(refused.contains("transfer"), "{refused}");
    }
    dir.run(&format!("send range:0:10 {}", service.address)).done();
    drained(service).done();
}

#[test]
fn a_process_that_takes_nobody_is_named_in_time_and_holds_no_look_up() {
    let dir = Dir::new();
    std::fs::create_dir(dir.runtime().join("arraylift")).expect("a folder");
    let _full = full_socket(&dir.runtime().join("arraylift/4711.sock"));
    let began = std::time::Instant::now();
    let ended = dir.run("status");
    assert!(ended.stderr.contains("process 4711: "), "{ended:?}");
    assert!(ended.stderr.contains("no answer in time"), "{ended:?}");
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(1), ""), "{ended:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{ended:?}");
}

#[test]
fn who_could_not_be_asked_is_not_told_as_nothing_that_runs() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let attach = |_| UnixStream::connect(socket(&dir, &service)).expect("it listens");
    let viewers: Vec<UnixStream> = (0..256).map(attach).collect();
    for options in ["", "--json"] {
        let ended = dir.run(&format!("status {options}"));
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.contains("1 could not be asked"), "{ended:?}");
    }
    drop(viewers);
    drained(service).done();
}

#[test]
#[ignore = "needs root and unshare: a process in another PID namespace"]
fn a_process_in_a_container_is_seen_from_its_host() {
    let dir = Dir::new();
    dir.folder("inbox");
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child", env!("CARGO_BIN_EXE_arraylift")]);
    unshare.args(["serve", "127.0.0.1:0", "--into", "inbox", "--keep-free", "0"]);
    let service = dir.program(unshare).listening();
    let told = objects(&dir.run("status --json").done().stdout);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["command"], format!("serve {}", service.address));
}

/// What `status --json` says of a process, as soon as it is so.
fn told_of(dir: &Dir, pid: u32, is_so: impl Fn(&Json) -> bool) -> Json {
    let mut told = Json::Null;
    for _ in 0..50 {
        let all = objects(&dir.run("status --json").done().stdout);
        told = all.into_iter().find(|one| one["pid"] == pid).unwrap_or_default();
        if is_so(&told) {
            return told;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("it never said so: {told}");
}

#[test]
fn status_says_what_is_so_now_and_what_is_paused_limited_and_draining() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let sender = slow_sender(&dir, &service.address);
    std::thread::sleep(Duration::from_millis(1200));
    let near = |rate: &Json| rate.as_f64().is_some_and(|rate| (2e6..6e6).contains(&rate));
    let told = told_of(&dir, sender.id(), |_| true);
    let moving = &told["transfers"][0];
    assert!(near(&moving["rate_bytes_per_s"]), "{told}");
    assert_eq!(
        (&moving["state"], &moving["limit_bytes_per_s"]),
        (&"transferring".into(), &4_000_000.into())
    );
    let told = told_of(&dir, service.id(), |_| true);
    assert!(near(&told["transfers"][0]["rate_bytes_per_s"]), "{told}");
    dir.run(&format!("attach {} --pause 1", sender.id())).done();
    told_of(&dir, sender.id(), |told| told["transfers"][0]["state"] == "paused");
    let shown = dir.run("status").done().stdout;
    assert!(shown.contains("of 8.00 MB  paused  limited to 4.00 MB/s"), "{shown}");
    sender.signal(Signal::KILL);
    sender.wait();
    told_of(&dir, service.id(), |told| {
        let counts = &told["service"];
        (&counts["connections"], &counts["rate_bytes_per_s"], &counts["failed"]) == (&0.into(), &0.0.into(), &1.into())
    });

    let mut sender = slow_sender(&dir, &service.address);
    until(&mut sender, "sample");
    dir.run(&format!("attach {} --drain", service.id())).done();
    told_of(&dir, service.id(), |told| told["service"]["draining"] == true);
    let shown = dir.run("status").done().stdout;
    assert!(
        shown.contains("1 receiving at ") && shown.contains("1 failed; draining"),
        "{shown}"
    );
    sender.wait().done();
    service.wait();
}

#[test]
fn who_watches_hears_of_a_pause_and_of_its_end() {
    let dir = Dir::new();
    let service = serve(&dir, "");
    let sender = slow_sender(&dir, &service.address);
    let mut viewer = dir.arraylift(["attach", &sender.id().to_string()]).start();
    for (command, line) in [("pause", "paused"), ("resume", "goes on")] {
        dir.run(&format!("attach {} --{command} 1", sender.id())).done();
        assert!((0..20).any(|_| viewer.line() == line), "it is {line}");
    }
    sender.wait().done();
    viewer.wait().done();
    drained(service).done();
}
