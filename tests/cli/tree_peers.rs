//! Trees that come from and go to a peer that was written from `docs/wire.md` alone; what no sender may say; and peers
//! that take their time.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{FileExt as _, symlink};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Process, names_in};
use crate::hostile::lasting;
use crate::native::{
    CREDIT, FINISH, GREETING, KEEP_ALIVE, REFUSE, RESULT, SUMMARY, WELCOME, field, hear, hear_offer, message,
    tree_file, tree_hello, welcome,
};
use crate::part_logs::until_recorded_in;
use crate::peers::{native_offer, peer as peer_that};
use crate::trees::{counts, incomplete, noise, put, send};

/// The peer, about to run in the folder of the test.
fn peer(dir: &Dir, arguments: &[&str]) -> crate::common::Arraylift {
    let mut command = Command::new(std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/tree_peer.py"));
    command.args(arguments).args(["--timeout", "25"]);
    dir.program(command)
}

/// The peer as a receiver into a folder.
fn receiving(dir: &Dir, inbox: &str, options: &str) -> Process {
    let arguments = format!("receive 127.0.0.1:0 --listen --folder {inbox} {options}");
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    peer(dir, &arguments).listening()
}

/// The last object that it printed.
fn said(dir: &Dir, arguments: &[&str]) -> Json {
    let ended = peer(dir, arguments).run();
    ended.objects().pop().unwrap_or_else(|| panic!("{ended:?}"))
}

fn tree(dir: &Dir) {
    put(dir, "src/small", "small");
    put(dir, "src/zero", "");
    put(dir, "src/one block", noise(65_536));
    put(dir, "src/sub/large", noise(3_000_001));
    for number in 0..300 {
        put(dir, format!("src/many/{number}"), number.to_string());
    }
    fs::create_dir(dir.path().join("src/empty")).expect("a folder");
    symlink("../small", dir.path().join("src/sub/link")).expect("a link");
}

/// All in the tree.
const ITEMS: u64 = 309;

#[track_caller]
fn is_there(dir: &Dir) {
    for path in [
        "small",
        "zero",
        "one block",
        "sub/large",
        "sub/link",
        "many/0",
        "many/299",
    ] {
        assert!(
            dir.read(&format!("inbox/src/{path}")) == dir.read(&format!("src/{path}")),
            "{path}"
        );
        let time = |root: &str| {
            dir.path()
                .join(root)
                .join(path)
                .metadata()
                .expect("there")
                .modified()
                .expect("a time")
        };
        assert_eq!(time("src"), time("inbox/src"), "{path}");
    }
    assert_eq!(names_in(&dir.path().join("inbox/src/many")).len(), 300);
    assert!(names_in(&dir.path().join("inbox/src/empty")).is_empty());
}

#[test]
#[ignore = "needs Python"]
fn python_sends_a_tree_small_files_at_once_and_a_second_time_nothing() {
    let dir = Dir::new();
    tree(&dir);
    dir.folder("inbox");
    let service = dir.listen("serve", "127.0.0.1:0 --into inbox --json --keep-free 0");
    let arguments = ["send", &service.address, "--folder", "src"];
    let first = said(&dir, &arguments);
    assert_eq!(first["counts"], serde_json::json!([ITEMS, 0, 0, 0, 0]), "{first}");
    assert!(
        first["eagerly"].as_u64().is_some_and(|eagerly| eagerly >= 300),
        "{first}"
    );
    is_there(&dir);
    let second = said(&dir, &arguments);
    assert_eq!(
        (&second["counts"], &second["bytes"]),
        (&serde_json::json!([0, ITEMS, 0, 0, 0]), &0.into()),
        "{second}"
    );
    service.signal(Signal::TERM);
    service.wait().done();
}

#[test]
#[ignore = "needs Python"]
fn python_takes_a_tree_and_a_second_time_nothing() {
    let dir = Dir::new();
    tree(&dir);
    dir.folder("inbox");
    let listen = || receiving(&dir, "inbox", "");
    let receiver = listen();
    assert_eq!(
        counts(&send(&dir, "src --checksum crc32", &receiver).done()),
        [ITEMS, 0, 0]
    );
    receiver.wait().done();
    is_there(&dir);
    let receiver = listen();
    let ended = send(&dir, "src --checksum crc32", &receiver).done();
    receiver.wait().done();
    // The peer calls folders and links stored each time.
    assert_eq!(counts(&ended)[1], 304);
    assert_eq!(crate::trees::finished(&ended)["bytes"], 0);

    fs::write(dir.path().join("src/small"), "other").expect("written");
    let receiver = listen();
    let ended = send(&dir, "src --checksum crc32", &receiver);
    receiver.wait().done();
    incomplete(&ended, [5, 303, 1], &[("src/small", "another one is there")]);
}

#[test]
#[ignore = "needs Python"]
fn python_gives_hardly_any_credit_and_gets_all_of_a_tree() {
    let dir = Dir::new();
    dir.folder("inbox");
    // What has no block, and blocks that come after their accepts, count for nothing.
    let (empty, blocks): (u64, u64) = (12_000, 100);
    for number in 0..empty {
        put(&dir, format!("src/empty/{number}"), "");
    }
    for number in 0..blocks {
        put(&dir, format!("src/blocks/{number}"), noise(65_536));
    }
    let receiver = receiving(&dir, "inbox", "--tight");
    let sent = send(&dir, "src --checksum crc32 --timeout 10s", &receiver).done();
    receiver.wait().done();
    assert_eq!(counts(&sent), [3 + empty + blocks, 0, 0]);
    assert!(dir.read("inbox/src/blocks/7") == dir.read("src/blocks/7"));
}

#[test]
#[ignore = "needs Python"]
fn python_gives_no_result_before_the_last_end_of_a_folder_and_gets_all_of_a_tree() {
    let dir = Dir::new();
    fs::create_dir_all(dir.path().join("src/a/b/c/d/empty")).expect("folders");
    for (path, bytes) in [("a/b/c/d/0", 0), ("a/b/1", 1), ("a/2", 70_000), ("3", 200_000)] {
        put(&dir, format!("src/{path}"), noise(bytes));
    }
    symlink("1", dir.path().join("src/a/b/link")).expect("a link");
    // Where nothing has the tree's name small files go with their offers. Else each waits until it is wanted.
    for (inbox, there) in [("new", "new"), ("old", "old/src")] {
        fs::create_dir_all(dir.path().join(there)).expect("folders");
        let receiver = receiving(&dir, inbox, "--late");
        let sent = send(&dir, "src --checksum crc32 --timeout 10s", &receiver).done();
        receiver.wait().done();
        assert_eq!(counts(&sent), [11, 0, 0], "{inbox}");
        assert!(dir.read(&format!("{inbox}/src/3")) == dir.read("src/3"), "{inbox}");
    }
}

#[test]
#[ignore = "needs Python"]
fn python_takes_and_sends_blocks_of_large_files_over_several_connections() {
    let dir = Dir::new();
    tree(&dir);
    put(&dir, "src/larger", noise(15_000_000));
    dir.folder("inbox");
    let receiver = receiving(&dir, "inbox", "--streams 3");
    // So slowly that the others have joined.
    let sent = send(&dir, "src --checksum crc32 --streams 3 --limit 20MB/s", &receiver).done();
    let told = receiver.wait().done().objects().pop().expect("told");
    assert_eq!(counts(&sent), [ITEMS + 1, 0, 0]);
    assert!(told["elsewhere"].as_u64() >= Some(5), "{told}");
    is_there(&dir);
    for (command, options) in [("receive", ""), ("serve", "--keep-free 0")] {
        dir.folder(command);
        let options = format!("127.0.0.1:0 --into {command} --json --timeout 10s {options}");
        let service = dir.listen(command, &options);
        let told = said(&dir, &["send", &service.address, "--folder", "src", "--streams", "3"]);
        assert_eq!(told["counts"], serde_json::json!([ITEMS + 1, 0, 0, 0, 0]), "{told}");
        assert!(told["elsewhere"].as_u64() >= Some(70), "{told}");
        service.signal(Signal::TERM);
        service.wait();
        assert!(dir.read(&format!("{command}/src/larger")) == dir.read("src/larger"));
    }
}

#[test]
#[ignore = "needs Python"]
fn where_python_closes_a_further_connection_within_a_block_the_tree_has_not_arrived() {
    let dir = Dir::new();
    put(&dir, "src/large", noise(10_000_000));
    dir.folder("inbox");
    let receiver = receiving(&dir, "inbox", "--streams 2 --cut");
    let sent = send(
        &dir,
        "src --checksum crc32 --streams 2 --limit 4MB/s --timeout 10s",
        &receiver,
    );
    sent.failed(1, &["the peer closed the connection"]);
    assert_eq!(receiver.wait().status.code(), Some(1));
}

#[test]
#[ignore = "needs Python"]
fn what_python_claims_of_a_file_is_not_sent_but_for_a_block_that_is_not_as_it_claims() {
    // Of the blocks that the peer claims.
    const BLOCK: usize = 128 << 10;
    for streams in ["", "--streams 3"] {
        let dir = Dir::new();
        let bytes = noise(3_000_001);
        put(&dir, "src/sub/large", &bytes);
        put(&dir, "src/other", noise(2_000_000));
        let mut part = bytes.clone();
        part[2 * BLOCK..5 * BLOCK].fill(0);
        part[5 * BLOCK + 7] ^= 1;
        part.truncate(20 * BLOCK + 5);
        put(&dir, "parts/src/sub/large", part);
        dir.folder("inbox");
        let receiver = receiving(&dir, "inbox", &format!("--partial parts {streams}"));
        let sent = send(&dir, &format!("src --checksum crc32 {streams}"), &receiver).done();
        let told = receiver.wait().done().objects().pop().expect("told");
        let kept = 16 * BLOCK;
        assert_eq!((&told["kept"], &told["again"]), (&kept.into(), &1.into()), "{told}");
        assert_eq!(told["bytes"], 5_000_001 - kept, "{told}");
        assert_eq!(crate::trees::finished(&sent)["resumed_bytes"], kept, "{sent:?}");
        assert!(dir.read("inbox/src/sub/large") == bytes, "{streams}");
    }
}

#[test]
#[ignore = "needs Python"]
fn python_leaves_out_what_is_claimed_of_a_file_and_sends_what_has_changed_since() {
    const MIB: u64 = 1 << 20;
    for streams in ["1", "3"] {
        let dir = Dir::new();
        put(&dir, "src/sub/large", noise(48 << 20));
        dir.folder("inbox");
        let service = dir.listen("serve", "127.0.0.1:0 --into inbox --json --keep-free 0");
        let options = format!("send src {} --checksum crc32 --limit 20MB/s", service.address);
        let sender = dir.arraylift(options.split(' ')).start();
        until_recorded_in(&dir.path().join("inbox/src/sub"), 12);
        sender.signal(Signal::KILL);
        sender.wait();
        let large = File::options().write(true).open(dir.path().join("src/sub/large"));
        large
            .expect("there")
            .write_all_at(b"\0\0\0\0", MIB + 5)
            .expect("written");
        let arguments = ["send", &service.address, "--folder", "src", "--streams", streams];
        let told = said(&dir, &arguments);
        let kept = told["kept"].as_u64().unwrap_or_else(|| panic!("{told}"));
        assert!((11 * MIB..48 * MIB).contains(&kept), "{told}");
        assert_eq!(told["bytes"].as_u64(), Some(48 * MIB - kept), "{told}");
        assert_eq!(told["counts"], serde_json::json!([1, 2, 0, 0, 0]), "{told}");
        service.signal(Signal::TERM);
        assert_eq!(crate::trees::finished(&service.wait())["resumed_bytes"], kept);
        assert!(
            dir.read("inbox/src/sub/large") == dir.read("src/sub/large"),
            "{streams}"
        );
    }
}

#[test]
fn a_receiver_whose_results_fit_nothing_that_was_sent_is_named_by_a_trees_sender() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    for (results, hint) in [
        (&[(2, 0)][..], "stored what was not sent"),
        (&[(1, 3), (1, 3)], "a second result for item 1"),
        (&[(9, 1)], "a result for what was not offered"),
        (&[(2, 4)], "withdraws what was not dropped"),
    ] {
        let (address, thread) = peer_that(move |mut stream| {
            hear_offer(&mut stream);
            hear(&mut stream);
            let of = |(item, status): &(u32, u8)| {
                let reason = if *status == 3 { field(11, b"why") } else { Vec::new() };
                message(
                    RESULT,
                    &[field(9, &item.to_le_bytes()), field(17, &[*status]), reason].concat(),
                )
            };
            let results: Vec<u8> = results.iter().flat_map(of).collect();
            stream
                .write_all(&[welcome(None), results].concat())
                .expect("it listens");
            let _ = stream.read_to_end(&mut Vec::new());
        });
        dir.run(&format!("send src {address}")).failed(1, &[hint]);
        thread.join().expect("a peer");
    }
}

#[test]
fn a_sender_of_a_tree_gives_up_a_receiver_that_says_nothing_any_more() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let options = format!("send src {address} --timeout 1s");
    let sender = dir.arraylift(options.split(' ')).start();
    let (mut peer, _) = listener.accept().expect("a sender");
    peer.write_all(GREETING).expect("it listens");
    peer.write_all(&message(WELCOME, &[])).expect("it listens");
    // It says that it is there meanwhile, which is no answer.
    sender.wait().failed(1, &["the peer said nothing for 1 s"]);
    let mut told = Vec::new();
    let _ = peer.read_to_end(&mut told);
    assert!(
        told.windows(KEEP_ALIVE.len()).any(|said| said == KEEP_ALIVE),
        "{told:?}"
    );
}

#[test]
fn offers_of_64_kib_and_no_byte_of_a_file_go_with_the_hello() {
    let dir = Dir::new();
    for number in 0..1000 {
        put(
            &dir,
            format!("src/{number:03}{}", "x".repeat(200)),
            format!("<{number:03}>"),
        );
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let sender = dir.arraylift(["send", "src", &address.to_string()]).start();
    let (mut peer, _) = listener.accept().expect("a sender");
    peer.set_read_timeout(Some(Duration::from_secs(1))).expect("a time");
    let mut told = Vec::new();
    let _ = peer.read_to_end(&mut told);
    let has = |text: &str| told.windows(text.len()).any(|said| said == text.as_bytes());
    assert!(has("000xx"));
    assert!(!has("<000>"));
    assert!((8 << 10..65 << 10).contains(&told.len()), "{}", told.len());
    peer.write_all(GREETING).expect("it listens");
    let refusal = message(REFUSE, &field(11, b"no room"));
    peer.write_all(&refusal).expect("it listens");
    sender.wait().failed(1, &["no room"]);
}

/// What no sender may say, by the name that the peer has for it, and what the answer says of it.
const ANSWERS: [(&str, &str); 40] = [
    ("credit", "credit was given up to"),
    ("bytes", "before it was accepted"),
    ("order", "out of turn"),
    ("again", "out of turn"),
    ("end within", "an end of item 2 after 0 bytes of 10"),
    ("second end", "a second end of item 1"),
    ("drop of a folder", "a drop of item 1, which is no file"),
    ("drop of nothing", "a drop of item 9, which was not offered"),
    ("folder of bytes", "a folder, that speaks of bytes"),
    ("after end", "bad/g is offered after the end of its folder"),
    ("short block", "one of 10 bytes was due"),
    ("long block", "one of 10 bytes was due"),
    ("second block", "block 1 of item 2"),
    ("damaged", "block 0"),
    ("not offered", "item 7, which was not offered"),
    ("of a folder", "no file"),
    ("end of nothing", "item 9, which was not offered"),
    ("second finish", "a second finish"),
    ("after finish", "out of turn"),
    ("an array", "an offer out of turn"),
    ("hello again", "a hello out of turn"),
    ("unknown flag", "unknown flags 0x2"),
    ("no grain", "without a grain"),
    ("time", "nanoseconds"),
    ("long path", "longer than 4095"),
    ("keep-alives", "keep-alives"),
    ("dots", "result 2: its name is . or .."),
    ("dot", "result 2: its name is . or .."),
    ("absolute", "result 2: its name is empty"),
    ("empty", "result 2: its name is empty"),
    ("zero", "result 2: its name has a zero byte"),
    ("control", "result 2: its name has the character U+001B"),
    ("bidi", "result 2: its name has the character U+202E"),
    ("long name", "result 2: its name has 256 bytes"),
    ("deep", "result 2: it lies 1025 folders deep"),
    ("record", "result 2: its name ends in .part.log"),
    ("no folder", "result 2: the folder that it belongs in"),
    ("out", "result 2: the link leads out of the tree"),
    ("far", "result 2: the link points to an absolute path"),
    ("behind", "result 2: the link's target has .. behind a name"),
];

#[test]
#[ignore = "needs Python"]
fn python_is_answered_in_words_whatever_it_does_wrong_and_others_are_served_meanwhile() {
    let dir = Dir::new();
    dir.folder("inbox");
    put(&dir, "good/a", "a");
    let mut answers = Vec::new();
    for command in ["serve", "receive"] {
        let service = dir.listen(command, "127.0.0.1:0 --into inbox --json --timeout 5s");
        let all = said(&dir, &["send", &service.address, "--bad", "all"]);
        for what in all["bad"].as_array().expect("a list") {
            let what = what.as_str().expect("a name");
            let told = said(&dir, &["send", &service.address, "--bad", what]);
            answers.push((what.to_owned(), told["answer"].as_str().unwrap_or_default().to_owned()));
        }
        send(&dir, "good", &service).done();
        service.signal(Signal::TERM);
        assert_eq!(service.wait().status.code(), Some(0));
    }
    // Each by its own name.
    for (what, hint) in ANSWERS {
        let of_this: Vec<&String> = answers
            .iter()
            .filter(|(name, _)| name == what)
            .map(|(_, answer)| answer)
            .collect();
        assert_eq!(of_this.len(), 2, "{what}");
        for answer in of_this {
            assert!(answer.contains(hint), "{what}: {answer}");
        }
    }
    assert_eq!(answers.len(), 2 * ANSWERS.len());
    // Of all that, folders came at most.
    let inbox = dir.path().join("inbox");
    let names = names_in(&inbox);
    assert!(
        names
            .iter()
            .all(|name| name == "bad" || name == "good" || name.starts_with('f')),
        "{names:?}"
    );
    assert!(
        names_in(&inbox.join("bad")).is_empty(),
        "{:?}",
        names_in(&inbox.join("bad"))
    );
    assert_eq!(dir.names(), ["good", "inbox"]);
}

/// So many files are offered.
const OFFERED: u32 = 60;

/// Offers files, for longer than a timeout of 1 second, until the receiver says that all is done. Begins something when it
/// is half through.
fn offer(address: &str, name: impl Fn(u32) -> String, mut begin: impl FnMut()) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(&tree_hello("src")).expect("it listens");
    for number in 1..=OFFERED {
        if number == OFFERED / 2 {
            begin();
        }
        let offer = tree_file(number, &name(number), 1);
        stream.write_all(&offer).expect("it listens");
        sleep(Duration::from_millis(50));
    }
    finish(&mut stream);
}

/// Says that nothing more is offered, and waits until the receiver says that all is done.
fn finish(stream: &mut TcpStream) {
    stream.write_all(&message(FINISH, b"")).expect("it listens");
    let mut greeting = [0; 8];
    stream.read_exact(&mut greeting).expect("a greeting");
    assert_eq!(greeting, GREETING);
    while hear(stream).0 != SUMMARY {}
}

#[test]
fn what_a_trees_sender_offers_counts_for_a_service_though_no_byte_of_a_file_moves() {
    let dir = Dir::new();
    dir.folder("inbox");
    let options = "--into inbox --json --timeout 1s --slowest 100B/s --keep-free 0";
    let service = dir.listen("serve", &format!("127.0.0.1:0 {options}"));
    // No disk is asked about such a name: it is the sender's turn all the time.
    offer(&service.address, |_| "..".into(), || {});
    service.signal(Signal::TERM);
    let ended = service.wait();
    assert_eq!(crate::trees::finished(&ended)["items"]["failed"], OFFERED, "{ended:?}");
}

#[test]
fn a_tree_that_is_there_already_keeps_its_place_where_others_want_one() {
    let dir = Dir::new();
    dir.folder("inbox");
    let receiver = dir.receive("127.0.0.1:0 --into inbox --json --timeout 1s");
    // With the tree these are as many as have a place, and they move nothing.
    let hold = || lasting(&receiver.address, &native_offer("a", 10), KEEP_ALIVE);
    let held: Vec<_> = std::iter::repeat_with(hold).take(15).collect();
    let name = |number: u32| format!("{number:0200}");
    for number in 1..=OFFERED {
        let path = put(&dir, format!("inbox/{}", name(number)), "x");
        let file = File::open(path).expect("there");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("ours");
    }
    let mut further = None;
    offer(&receiver.address, name, || {
        let arguments = ["send", "range:0:10", &receiver.address, "--timeout", "20s"];
        further = Some(dir.arraylift(arguments).start());
    });
    further.expect("begun").wait().done();
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    for (stream, keeper) in held {
        drop(stream);
        keeper.join().expect("it ends");
    }
    assert!(ended.stderr.contains("less than is asked of it here"), "{ended:?}");
}

#[test]
fn credit_that_gives_nothing_more_is_no_sign_that_a_receiver_goes_on() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    let (address, thread) = peer_that(|mut stream| {
        let items = field(27, &64_u32.to_le_bytes());
        let bytes = field(4, &(1_u64 << 20).to_le_bytes());
        let credit = message(CREDIT, &[items, bytes].concat());
        let says = [GREETING, &message(WELCOME, b""), &credit.repeat(10_000)].concat();
        // It may be closed before the last one.
        let _ = stream.write_all(&says);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    dir.run(&format!("send src {address} --timeout 5s"))
        .failed(1, &["keep-alives"]);
    thread.join().expect("a peer");
}

#[test]
fn where_a_tree_is_said_to_be_is_below_the_folder_whatever_its_sender_calls_it() {
    let dir = Dir::new();
    dir.folder("inbox");
    for root in ["/etc", "..", "a and 3 more"] {
        let receiver = dir.receive("127.0.0.1:0 --into inbox --once --json");
        let mut stream = TcpStream::connect(&receiver.address).expect("it listens");
        stream.write_all(&tree_hello(root)).expect("it listens");
        finish(&mut stream);
        assert_eq!(
            crate::trees::finished(&receiver.wait().done())["path"],
            "inbox",
            "{root}"
        );
    }
    put(&dir, "one/a", "1");
    put(&dir, "two/a", "2");
    for (roots, path) in [("one two", "inbox"), ("one", "inbox/one"), ("one/a", "inbox/a")] {
        let receiver = dir.receive("127.0.0.1:0 --into inbox --once --json");
        // What concerns folders alone makes a tree of a file.
        send(&dir, &format!("{roots} --update"), &receiver).done();
        assert_eq!(crate::trees::finished(&receiver.wait().done())["path"], path, "{roots}");
    }
}
