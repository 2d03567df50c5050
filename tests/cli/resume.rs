//! Transfers that break, and go on when the same is sent again: killed at either end, stopped, or with a source that is
//! another one meanwhile.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{Shutdown, TcpStream};
use std::ops::Range;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use arraylift::ChecksumKind;
use arraylift::internals::Digest;
use rustix::process::Signal;
use serde_json::Value as Json;

use super::common::{Dir, Ended, Process, names_in};
use super::hostile::lasting;
use super::native::{
    ABORT, ACCEPT, END, FINISH, KEEP_ALIVE, SUMMARY, block_with, described, field, grain, hear, hello, message,
};
use super::part_logs::{RECORDS_AT, until_recorded_in};
use super::peers::native_offer;
use super::serve::{cancelled, stopped, until};

/// Of the file that is sent.
pub(crate) const BYTES: usize = 48 << 20;
/// A block of it, at the limit with which it is sent slowly.
pub(crate) const BLOCK: u64 = 1 << 20;

/// Bytes that differ everywhere.
pub(crate) fn content(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(BYTES / 8).flatten().collect()
}

/// A folder with the file and the inbox for it.
fn dir() -> (Dir, Vec<u8>) {
    let (dir, bytes) = (Dir::new(), content(7));
    dir.write("a.bin", &bytes);
    dir.folder("inbox");
    (dir, bytes)
}

fn serve(dir: &Dir, options: &str) -> Process {
    dir.listen("serve", &format!("127.0.0.1:0 --into inbox --json {options}"))
}

/// The part in the inbox that has a log.
fn part(dir: &Dir) -> Option<PathBuf> {
    let inbox = dir.path().join("inbox");
    let names = names_in(&inbox);
    let log = names.iter().find_map(|name| name.strip_suffix(".part.log"));
    log.map(|name| inbox.join(format!("{name}.part")))
}

/// Waits until the log has so many records, beside that of its opening.
fn until_recorded(dir: &Dir, records: u64) {
    until_recorded_in(&dir.path().join("inbox"), records);
}

/// Sends so slowly that there is time to end it.
pub(crate) fn send_slowly(dir: &Dir, address: &str, options: &str) -> Process {
    send_at("40MB/s", dir, address, options)
}

pub(crate) fn send_at(rate: &str, dir: &Dir, address: &str, options: &str) -> Process {
    let arguments = format!("send a.bin {address} --limit {rate} {options}");
    dir.arraylift(arguments.split_whitespace()).start()
}

/// Sends all of it and returns the bytes that were there before.
fn go_on(dir: &Dir, address: &str, options: &str) -> u64 {
    let arguments = format!("send a.bin {address} --json {options}");
    resumed_bytes(&dir.arraylift(arguments.split_whitespace()).run().done())
}

pub(crate) fn resumed_bytes(ended: &Ended) -> u64 {
    let finished = ended.objects().into_iter().find(|object| object["event"] == "finished");
    let finished: Json = finished.unwrap_or_else(|| panic!("it is not done: {ended:?}"));
    assert_eq!(finished["verified"], true);
    let moved = ended.objects().into_iter().rfind(|object| object["event"] == "sample");
    let moved = moved.map_or(0, |sample| sample["bytes"].as_u64().expect("a number"));
    let there = finished["resumed_bytes"].as_u64().unwrap_or(0);
    assert_eq!(finished["bytes"], there + moved, "{ended:?}");
    finished["resumed_bytes"].as_u64().unwrap_or(0)
}

fn assert_whole(dir: &Dir, bytes: &[u8]) {
    assert_eq!(names_in(&dir.path().join("inbox")), ["a.bin"]);
    assert!(dir.read("inbox/a.bin") == bytes, "other bytes");
}

#[test]
fn what_a_killed_receiver_had_is_not_sent_again() {
    for options in ["", "--no-sync", "--workers 2"] {
        let (dir, bytes) = dir();
        let service = serve(&dir, options);
        let sender = send_slowly(&dir, &service.address, "");
        until_recorded(&dir, 12);
        service.signal(Signal::KILL);
        drop(service);
        sender.wait().failed(1, &["the peer "]);
        let service = serve(&dir, options);
        let there = go_on(&dir, &service.address, "");
        assert!(there >= 12 * BLOCK && there < BYTES as u64, "{options}: {there}");
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn what_a_killed_sender_had_sent_is_not_sent_again_over_one_connection_or_several() {
    for streams in ["", "--streams 4"] {
        let (dir, bytes) = dir();
        let service = serve(&dir, "");
        let sender = send_slowly(&dir, &service.address, streams);
        until_recorded(&dir, 12);
        sender.signal(Signal::KILL);
        drop(sender);
        let there = go_on(&dir, &service.address, streams);
        assert!(there >= 12 * BLOCK && there < BYTES as u64, "{streams}: {there}");
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn a_worker_that_is_killed_leaves_what_it_has_for_another_one() {
    let (dir, bytes) = dir();
    let mut service = serve(&dir, "--workers 1");
    let sender = send_slowly(&dir, &service.address, "");
    let worker = loop {
        let told: Json = serde_json::from_str(&service.line()).expect("an object");
        if told["event"] == "handed_over" {
            break told["worker"].as_i64().expect("a process");
        }
    };
    until_recorded(&dir, 12);
    let worker = rustix::process::Pid::from_raw(i32::try_from(worker).expect("a process")).expect("not 0");
    rustix::process::kill_process(worker, Signal::KILL).expect("it runs");
    sender.wait().failed(1, &[]);
    let there = go_on(&dir, &service.address, "--retry");
    assert!(there >= 12 * BLOCK, "{there}");
    assert_whole(&dir, &bytes);
}

#[test]
fn blocks_that_are_other_ones_now_are_sent_and_the_others_are_not() {
    let (dir, mut bytes) = dir();
    let service = serve(&dir, "");
    let sender = send_slowly(&dir, &service.address, "");
    until_recorded(&dir, 16);
    sender.signal(Signal::KILL);
    drop(sender);
    // One of the first blocks, and a byte of the last.
    let file = std::fs::File::options().write(true).open(dir.path().join("a.bin"));
    let mut file = file.expect("there");
    for at in [BLOCK + 5, BYTES as u64 - 1] {
        file.seek(SeekFrom::Start(at)).expect("a place");
        file.write_all(b"\0").expect("written");
        bytes[usize::try_from(at).expect("small")] = 0;
    }
    drop(file);
    let there = go_on(&dir, &service.address, "");
    assert!(there >= 15 * BLOCK && there < BYTES as u64, "{there}");
    assert_whole(&dir, &bytes);
}

#[test]
fn another_file_of_the_same_name_and_length_arrives_as_it_is() {
    let (dir, _) = dir();
    let service = serve(&dir, "");
    let sender = send_slowly(&dir, &service.address, "");
    until_recorded(&dir, 12);
    sender.signal(Signal::KILL);
    drop(sender);
    let bytes = content(11);
    dir.write("a.bin", &bytes);
    assert_eq!(go_on(&dir, &service.address, ""), 0);
    assert_whole(&dir, &bytes);
}

#[test]
fn a_file_of_another_length_begins_anew_and_the_part_waits_for_its_own() {
    let (dir, bytes) = dir();
    let service = serve(&dir, "");
    let sender = send_slowly(&dir, &service.address, "");
    until_recorded(&dir, 12);
    sender.signal(Signal::KILL);
    drop(sender);
    dir.write("a.bin", &bytes[..BYTES - 8]);
    assert_eq!(go_on(&dir, &service.address, ""), 0);
    assert!(dir.read("inbox/a.bin") == bytes[..BYTES - 8]);
    std::fs::remove_file(dir.path().join("inbox/a.bin")).expect("there");
    dir.write("a.bin", &bytes);
    assert!(go_on(&dir, &service.address, "") >= 12 * BLOCK);
    assert_whole(&dir, &bytes);
}

#[test]
fn a_part_or_a_log_that_somebody_has_changed_is_never_taken_for_what_it_was() {
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change); 4] = [
        ("a log that ends early", |part| {
            let log = std::fs::File::options()
                .write(true)
                .open(part.with_extension("part.log"));
            log.expect("there").set_len(RECORDS_AT + 40).expect("shortened");
        }),
        ("a log of nothing", |part| {
            std::fs::write(part.with_extension("part.log"), vec![0; 20_000]).expect("written");
        }),
        ("a part that was cut", |part| {
            let file = std::fs::File::options().write(true).open(part).expect("there");
            file.set_len(BLOCK).expect("cut");
        }),
        ("bytes that are other ones", |part| {
            let mut file = std::fs::File::options().write(true).open(part).expect("there");
            file.write_all(&[0; 100]).expect("written");
        }),
    ];
    for (what, change) in changes {
        let (dir, bytes) = dir();
        // Without a sync nothing is trusted that is not read again.
        let service = serve(&dir, "--no-sync");
        let sender = send_slowly(&dir, &service.address, "");
        until_recorded(&dir, 12);
        sender.signal(Signal::KILL);
        drop(sender);
        let there = part(&dir).expect("a part");
        change(&there);
        go_on(&dir, &service.address, "");
        assert!(dir.read("inbox/a.bin") == bytes, "{what}: other bytes");
    }
}

#[test]
fn a_receiver_that_is_stopped_keeps_what_it_has_and_one_whose_transfer_is_cancelled_does_not() {
    for (stops, is_kept) in [(true, true), (false, false)] {
        let (dir, bytes) = dir();
        let service = serve(&dir, "");
        // In blocks of 256 KiB, so that there is time for two signals.
        let sender = send_at("10MB/s", &dir, &service.address, "");
        until_recorded(&dir, 16);
        if stops {
            stopped(service);
            sender.wait().failed(1, &["stopped"]);
        } else {
            cancelled(&dir, service);
            sender.wait().failed(1, &["cancelled"]);
        }
        assert_eq!(
            part(&dir).is_some(),
            is_kept,
            "{:?}",
            names_in(&dir.path().join("inbox"))
        );
        let service = serve(&dir, "");
        assert_eq!(go_on(&dir, &service.address, "") >= 4 * BLOCK, is_kept);
        assert_whole(&dir, &bytes);
    }
}

/// What a peer that compares holds, in blocks of 4 MiB of which the last one was not sent at first.
const COMPARED_BLOCKS: u32 = 24;

/// Breaks off. Then it sends what is missing, and compares what is there for 1.5 s, in which it says every half second that
/// it does.
fn compare_slowly(receiver: &mut Process, begin: impl FnOnce()) {
    let address = receiver.address.clone();
    let zeros = vec![0; 4 << 20];
    let mut digest = Digest::new(ChecksumKind::Crc32);
    digest.update(&zeros);
    let checksum = digest.value().expect("one");
    let bytes = u64::from(COMPARED_BLOCKS + 1) << 22;
    let further = [field(3, &[0]), field(5, b"zeros"), field(8, &[1]), grain(4 << 20)].concat();
    let offer = [hello(1), described(b"'|u1'", &[bytes], bytes, 2, &further)].concat();
    let session = |blocks: Range<u32>| {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.write_all(&offer).expect("it takes it");
        stream.read_exact(&mut [0; 8]).expect("a greeting");
        while hear(&mut stream).0 != ACCEPT {}
        for index in blocks {
            let block = block_with(index, &zeros, checksum);
            stream.write_all(&block).expect("it takes it");
        }
        stream
    };
    let first = session(0..COMPARED_BLOCKS);
    // All of it arrives: to close what was not read to its end would be a reset.
    first.shutdown(Shutdown::Write).expect("open");
    while !receiver.line().contains("\"event\":\"failed\"") {}
    let mut stream = session(COMPARED_BLOCKS..COMPARED_BLOCKS + 1);
    let say = |stream: &mut TcpStream| stream.write_all(KEEP_ALIVE).expect("it listens");
    for _ in 0..2 {
        sleep(Duration::from_millis(500));
        say(&mut stream);
    }
    sleep(Duration::from_millis(200));
    begin();
    sleep(Duration::from_millis(300));
    let mut whole = Digest::new(ChecksumKind::Crc32);
    (0..=COMPARED_BLOCKS).for_each(|_| whole.update(&zeros));
    let kept = u64::from(COMPARED_BLOCKS) << 22;
    let fields = [
        field(9, &1_u32.to_le_bytes()),
        field(4, &bytes.to_le_bytes()),
        field(10, &whole.value().expect("one").to_le_bytes()),
        field(33, &kept.to_le_bytes()),
    ];
    let says = [message(END, &fields.concat()), message(FINISH, b"")].concat();
    stream.write_all(&says).expect("it listens");
    loop {
        let (kind, body) = hear(&mut stream);
        match kind {
            SUMMARY => return,
            ABORT => panic!("{}", String::from_utf8_lossy(&body)),
            _ => {}
        }
    }
}

#[test]
fn who_compares_what_is_there_keeps_its_place_where_others_want_one() {
    let dir = Dir::new();
    dir.folder("inbox");
    let mut receiver = dir.receive("127.0.0.1:0 --into inbox --json --timeout 1s");
    let address = receiver.address.clone();
    let hold = || lasting(&address, &native_offer("a", 10), KEEP_ALIVE);
    // With the one that compares these are as many as have a place.
    let held: Vec<_> = std::iter::repeat_with(hold).take(15).collect();
    let mut further = None;
    compare_slowly(&mut receiver, || {
        let arguments = ["send", "range:0:10", &address, "--timeout", "20s"];
        further = Some(dir.arraylift(arguments).start());
    });
    further.expect("begun").wait().done();
    receiver.signal(Signal::TERM);
    receiver.wait();
    for (stream, keeper) in held {
        drop(stream);
        keeper.join().expect("it ends");
    }
    assert_eq!(
        dir.path().join("inbox/zeros").metadata().expect("there").len(),
        u64::from(COMPARED_BLOCKS + 1) << 22
    );
}

#[test]
fn with_retry_a_sender_goes_on_by_itself_once_the_receiver_is_there_again() {
    for is_killed in [true, false] {
        let (dir, bytes) = dir();
        let service = serve(&dir, "");
        let address = service.address.clone();
        let sender = send_at("10MB/s", &dir, &address, "--retry=1m --json");
        until_recorded(&dir, 16);
        if is_killed {
            service.signal(Signal::KILL);
            service.wait();
        } else {
            stopped(service);
        }
        let service = dir.listen("serve", &format!("{address} --into inbox --json"));
        let ended = sender.wait();
        assert!(ended.status.success(), "{ended:?}");
        let mut told = ended.objects().into_iter();
        assert!(told.any(|object| object["event"] == "retry"), "{ended:?}");
        assert!(resumed_bytes(&ended) >= 4 * BLOCK);
        drop(service);
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn with_retry_what_no_second_try_can_change_is_tried_once() {
    let (dir, _) = dir();
    let service = dir.listen("serve", "127.0.0.1:0 --into inbox --max-bytes 1MB");
    let ended = dir.run(&format!("send a.bin {} --retry", service.address));
    ended.failed(1, &["refused"]);
    dir.run("send a.bin 127.0.0.1:1 --retry=300ms")
        .failed(1, &["nobody listens"]);
    dir.run("send a.bin a.bin 127.0.0.1:1 --retry")
        .failed(2, &["--retry goes with one source"]);
}

#[test]
fn one_file_by_name_goes_on_and_so_does_an_array_with_a_header() {
    let dir = Dir::new();
    let (once, sends) = ("127.0.0.1:0 --once --into a.npy", "send range:0:6e6");
    let receiver = dir.receive(once);
    let arguments = format!("{sends} {} --limit 40MB/s", receiver.address);
    let sender = dir.arraylift(arguments.split_whitespace()).start();
    until_recorded_in(dir.path(), 12);
    receiver.signal(Signal::KILL);
    drop(receiver);
    sender.wait().failed(1, &[]);
    let receiver = dir.receive(&format!("{once} --json"));
    let sent = dir.run(&format!("{sends} {} --json", receiver.address)).done();
    let received = receiver.wait().done();
    let there = resumed_bytes(&received);
    assert!(there >= 12 * BLOCK && there == resumed_bytes(&sent), "{there}");
    let preview = received
        .objects()
        .into_iter()
        .rfind(|object| object["event"] == "preview");
    assert_eq!(preview.expect("a preview")["values"][1], 1.0);
    assert_eq!(dir.names(), ["a.npy"]);
    assert!(dir.read("a.npy")[128..] == super::floats(6_000_000));
}

#[test]
fn what_broke_is_listed_at_both_ends_goes_on_by_its_number_and_can_be_removed() {
    let (dir, bytes) = dir();
    let service = serve(&dir, "");
    let address = service.address.clone();
    let sender = send_slowly(&dir, &address, "");
    until_recorded(&dir, 12);
    service.signal(Signal::KILL);
    drop(service);
    sender.wait().failed(1, &["the peer "]);
    let listed = dir.run("resume --in inbox").done();
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert!(
        lines[0].starts_with("a.bin: ") && lines[0].contains(" of 50.3 MB are there"),
        "{listed:?}"
    );
    assert!(lines[1].contains("a.bin") && lines[1].contains("goes on"), "{listed:?}");
    let objects = dir.run("resume --in inbox --json").done().objects();
    let (part, sent) = (&objects[0], &objects[1]);
    assert!(part["recorded_bytes"].as_u64() >= Some(12 * BLOCK), "{part}");
    assert_eq!((&part["name"], &part["is_in_use"]), (&"a.bin".into(), &false.into()));
    // Nobody is there yet: it is still what broke.
    dir.run(&format!("resume {}", sent["id"]))
        .failed(1, &["nobody listens"]);
    let listed = dir.run("resume --in inbox").done();
    assert!(
        listed
            .stdout
            .contains(&format!("arraylift resume {} goes on", sent["id"])),
        "{listed:?}"
    );
    let service = dir.listen("serve", &format!("{address} --into inbox --json"));
    let again = dir.run(&format!("resume {}", sent["id"])).done();
    assert!(again.stdout.contains("goes on: "), "{again:?}");
    assert_whole(&dir, &bytes);
    assert!(!dir.run("resume --in inbox").done().stdout.contains("goes on"));
    std::fs::remove_file(dir.path().join("inbox/a.bin")).expect("there");
    let sender = send_slowly(&dir, &address, "");
    until_recorded(&dir, 12);
    // What is being received stays.
    dir.run("resume --in inbox --discard").failed(1, &["being received"]);
    service.signal(Signal::KILL);
    drop(service);
    sender.wait().failed(1, &["the peer "]);
    dir.run("resume --in inbox --discard").done();
    assert!(names_in(&dir.path().join("inbox")).is_empty());
    dir.run("resume 4711").failed(1, &["4711 is not in the history"]);
}

#[test]
fn a_send_that_went_on_and_broke_again_counts_what_was_there_before_and_says_how_it_goes_on() {
    let (dir, _) = dir();
    let service = serve(&dir, "");
    let address = service.address.clone();
    let sender = send_slowly(&dir, &address, "");
    until_recorded(&dir, 12);
    service.signal(Signal::KILL);
    drop(service);
    sender
        .wait()
        .failed(1, &["sent again, a.bin goes on from what the receiver has of it"]);
    let service = dir.listen("serve", &format!("{address} --into inbox --keep-free 0"));
    let mut sender = send_at("20MB/s", &dir, &address, "--json");
    while until(&mut sender, "sample")["bytes"].as_u64() < Some(BLOCK) {}
    service.signal(Signal::KILL);
    drop(service);
    let ended = sender.wait().failed(1, &["the peer closed the connection early: "]);
    let entry = &dir.run("history --last 1 --json").done().objects()[0];
    let (there, moved) = (entry["resumed_bytes"].as_u64(), entry["bytes"].as_u64());
    assert!(there >= Some(12 * BLOCK) && moved > Some(0), "{entry}");
    let all = units_of(there.expect("there") + moved.expect("moved"));
    let listed = dir.run("resume --in inbox").done();
    let line = listed.stdout.lines().last().expect("a line");
    assert!(line.contains(&format!("{all} of 50.3 MB had moved")), "{all}: {line}");
    let said = format!("early: {all} of 50.3 MB had moved");
    assert!(ended.stderr.contains(&said), "{said}: {ended:?}");
}

/// `12.6`, in MB.
fn units_of(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

#[test]
fn what_arrived_by_another_command_line_is_no_longer_listed_and_what_came_by_a_pipe_never_is() {
    let (dir, _) = dir();
    let service = serve(&dir, "");
    let address = service.address.clone();
    let sender = send_slowly(&dir, &address, "--dtype u8");
    let piped = format!("send - {address} --length {BYTES} --limit 40MB/s");
    let from = std::fs::File::open(dir.path().join("a.bin")).expect("a file");
    let piped = dir.arraylift(piped.split_whitespace()).stdin(from).start();
    until_recorded(&dir, 8);
    service.signal(Signal::KILL);
    drop(service);
    sender.wait().failed(1, &["the peer "]);
    piped.wait().failed(1, &["the peer "]);
    let broken = || {
        let listed = dir.run("resume --in inbox").done().stdout;
        let lines = listed.lines().filter(|line| line.contains(" goes on, "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = broken();
    assert!(before.len() == 1 && before[0].contains("a.bin to "), "{before:?}");
    assert!(before[0].contains("arraylift history forget "), "{before:?}");
    let _service = dir.listen("serve", &format!("{address} --into inbox --json"));
    dir.run(&format!("send ./inbox/../a.bin {address}")).done();
    assert!(broken().is_empty());
}

#[test]
fn what_nobody_can_go_on_with_is_listed_below_a_folder_too_and_can_be_removed() {
    let (dir, _) = dir();
    dir.folder("inbox/sub");
    let part = "inbox/sub/small.bin.arraylift-00000001.part";
    dir.write(part, vec![7; 5000]);
    let listed = dir.run("resume --in inbox").done();
    let expected =
        "sub/small.bin.arraylift-00000001.part (5.00 kB): what came of it is known to nobody, --discard removes it";
    assert!(listed.stdout.contains(expected), "{listed:?}");
    let object = &dir.run("resume --in inbox --json").done().objects()[0];
    assert_eq!(object["bytes"], 5000);
    dir.run("resume --in inbox --discard").done();
    assert!(names_in(&dir.path().join("inbox/sub")).is_empty());
}

#[test]
fn what_came_to_its_end_is_not_done_again_by_its_number() {
    let (dir, _) = dir();
    let service = serve(&dir, "");
    dir.run(&format!("send a.bin {}", service.address)).done();
    dir.run("resume 1").failed(1, &["1 came to its end"]);
    assert_eq!(names_in(&dir.path().join("inbox")), ["a.bin"]);
}
