//! Peers that do it wrong.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Dir, names_in};
use crate::native::{self, ACCEPT, GREETING, REFUSE, WELCOME, end, field, grain, hello, join, message};
use crate::serve::until;
use crate::{floats, npy};

type Act = fn(TcpStream);

/// What a `native` sender says first: the greeting, a hello, and an offer of bytes under a name.
pub(crate) fn native_offer(name: &str, bytes: u64) -> Vec<u8> {
    native_offer_over(1, name, bytes, &[])
}

/// As [`native_offer`], of a sender that would move them over so many connections, with further fields.
pub(crate) fn native_offer_over(streams: u16, name: &str, bytes: u64, further: &[u8]) -> Vec<u8> {
    let further = [&field(3, &[0]), &field(5, name.as_bytes()), &field(8, &[1]), further].concat();
    [hello(streams), native::offer(bytes, &further)].concat()
}

/// Says something to a receiver, then listens until it has nothing more to say.
pub(crate) fn say(address: &str, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    // It may have refused before the last byte.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

/// A receiver that does something else with whoever connects first.
pub(crate) fn peer(act: impl FnOnce(TcpStream) + Send + 'static) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let body = move || act(listener.accept().expect("a sender").0);
    (
        address,
        std::thread::Builder::new()
            .name("peer".into())
            .spawn(body)
            .expect("a thread"),
    )
}

#[test]
fn senders_that_do_it_wrong_are_named_and_leave_no_file() {
    let dir = Dir::new();
    dir.folder("inbox");
    let short = npy("'<f8'", "(100,)", &floats(99));
    let raw = "--wire raw --count 100";
    for (options, says, hints) in [
        (raw, &floats(99)[..], &["792 of 800 B had moved, 8 B are missing"][..]),
        ("--wire npy", &short, &["792 of 800 B had moved, 8 B are missing"]),
        ("", &short, &["8 B are missing"]),
        ("", &npy("'|u1'", "(9223372036854775808,)", &[]), &["2^63"]),
        ("", &npy("'|u1'", "(4611686018427387904,)", &[]), &["array.npy needs"]),
        ("", &npy("'|O'", "(3,)", &[0; 24]), &["objects"]),
        ("", &native_offer("a", 1 << 63), &["2^63"]),
        (
            "",
            &native_offer_over(2, "a", (1 << 40) + 1, &grain(64 << 10)),
            &["more than 16777216 blocks of 65536 bytes"],
        ),
        (
            "",
            &native_offer_over(2, "a", 1 << 40, &grain(64 << 10)),
            &["inbox/a needs", "are free there"],
        ),
        (
            "",
            &native_offer_over(2, "a", 10, &grain(100_000)),
            &["100000 bytes are no power of two"],
        ),
        ("", &native_offer("a", 1 << 62), &["inbox/a needs", "are free there"]),
        ("", &native_offer("a", 10), &["closed the connection"]),
    ] {
        let receiver = dir.receive(&format!("127.0.0.1:0 --into inbox --once {options}"));
        say(&receiver.address, says);
        let ended = receiver.wait().failed(1, hints);
        assert!(names_in(&dir.path().join("inbox")).is_empty(), "{ended:?}");
    }
    let receiver = dir.receive("127.0.0.1:0 --into memory --once");
    say(&receiver.address, &native_offer("a", 1 << 62));
    receiver.wait().failed(1, &["of memory are needed"]);
}

#[test]
fn whoever_offers_nothing_is_named_and_the_sender_still_waited_for() {
    let dir = Dir::new();
    let receive = |options: &str| dir.receive(&format!("127.0.0.1:0 --json --timeout 1s {options}"));
    let join = join(&[0; 16]);
    let short = npy("'<f8'", "(100,)", &[]);
    let raw = "--wire raw --count 10";
    let strangers: [(&str, &[u8], &str); 12] = [
        ("", b"", "closed the connection before it said what it sends"),
        (raw, b"", "closed the connection before it said what it sends"),
        ("--wire npy", b"", "closed the connection before it said what it sends"),
        ("", &short[..50], "closed the connection"),
        (
            "",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "speaks another protocol",
        ),
        (
            "",
            b"\x16\x03\x01\x00\x31\x01\x00\x00\x2d\x03\x03",
            "speaks another protocol",
        ),
        ("--wire native", &short, "speaks another protocol"),
        ("", b"ARLIFT\x07\x00", "version 7"),
        ("", &native_offer("a", 10)[..20], "closed the connection"),
        ("", &hello(1), "closed the connection"),
        ("", &native_offer("a", 10)[..40], "closed the connection"),
        ("", &join, "joins a transfer that is not here"),
    ];
    for (index, (options, says, hint)) in strangers.into_iter().enumerate() {
        for into in ["--into memory --once".to_owned(), format!("--into {index}.npy")] {
            let receiver = receive(&format!("{into} {options}"));
            say(&receiver.address, says);
            say(&receiver.address, says);
            let wire = options.split_once("--wire ").map_or("native", |(_, rest)| &rest[..3]);
            let wire = if wire == "nat" { "native" } else { wire };
            dir.run(&format!("send range:0:10 {} --wire {wire}", receiver.address))
                .done();
            let told = receiver.wait().done().objects();
            let strangers: Vec<_> = told.iter().filter(|line| line["event"] == "stranger").collect();
            assert_eq!(strangers.len(), 2, "{told:?}");
            for stranger in strangers {
                let message = stranger["message"].as_str().expect("a message");
                assert!(message.contains(hint), "{message}");
                assert!(
                    stranger["peer"].as_str().expect("a peer").starts_with("127.0.0.1:"),
                    "{stranger}"
                );
            }
        }
        assert_eq!(dir.read(&format!("{index}.npy")), npy("'<f8'", "(10,)", &floats(10)));
    }
}

#[test]
fn connections_that_say_nothing_hold_up_nobody_who_offers_an_array() {
    let dir = Dir::new();
    for (index, options) in [
        "--into memory --once",
        "--into a.npy",
        "--into b.npy --wire raw --count 10",
    ]
    .into_iter()
    .enumerate()
    {
        let receiver = dir.receive(&format!("127.0.0.1:0 --json {options}"));
        // More than may stay unproven at once: two scans of ports, some that begin to greet, many that say nothing.
        drop(TcpStream::connect(&receiver.address).expect("it listens"));
        drop(TcpStream::connect(&receiver.address).expect("it listens"));
        let silent: Vec<TcpStream> = (0..20)
            .map(|_| TcpStream::connect(&receiver.address).expect("it listens"))
            .collect();
        if index != 2 {
            (&silent[19]).write_all(b"ARLI").expect("sent");
        }
        let began = Instant::now();
        let wire = if index == 2 { "raw" } else { "native" };
        dir.run(&format!("send range:0:10 {} --wire {wire}", receiver.address))
            .done();
        let told = receiver.wait().done().objects();
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        let strangers = told.iter().filter(|line| line["event"] == "stranger").count();
        assert!((2..=7).contains(&strangers), "{told:?}");
        assert!(told.iter().any(|line| line["event"] == "finished"), "{told:?}");
    }
    assert_eq!(dir.names(), ["a.npy", "b.npy"]);
}

#[test]
fn a_sender_whose_offer_cannot_be_counts_and_a_second_one_is_told_why_it_is_not_taken() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --once --into memory --json");
    // It has begun to offer when another one is taken.
    let mut late = TcpStream::connect(&receiver.address).expect("it listens");
    let offer = native_offer("a", 10);
    late.write_all(&offer[..40]).expect("sent");
    dir.run(&format!("send range:0:10 {}", receiver.address)).done();
    let mut told = Vec::new();
    let _ = late.read_to_end(&mut told);
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("another array is being received here"), "{told:?}");
    receiver.wait().done();
}

#[test]
fn whoever_says_nothing_to_a_receiver_of_many_is_told_as_a_stranger_and_counts_as_no_transfer() {
    for command in ["receive", "serve", "serve --workers 1"] {
        let dir = Dir::new();
        dir.folder("inbox");
        let arguments = format!("{command} 127.0.0.1:0 --into inbox --json --timeout 1s");
        let service = dir.arraylift(arguments.split(' ')).listening();
        for says in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &native_offer("a", 10)[..20]] {
            say(&service.address, says);
        }
        // One that stays and says nothing.
        let mut mute = TcpStream::connect(&service.address).expect("it listens");
        let _ = mute.read_to_end(&mut Vec::new());
        // One that offers something is no stranger: what it offers is missed.
        say(&service.address, &native_offer("a", 10));
        dir.run(&format!("send range:0:10 {}", service.address)).done();
        service.signal(Signal::TERM);
        let ended = service.wait();
        let told = ended.objects();
        let count = |event: &str| told.iter().filter(|line| line["event"] == event).count();
        let counts = ["stranger", "failed", "finished"].map(count);
        assert_eq!(counts, [4, 1, 1], "{command}: {ended:?}");
        let strangers = told.iter().filter(|line| line["event"] == "stranger");
        for stranger in strangers {
            let peer = stranger["peer"].as_str().expect("a peer");
            assert!(
                peer.starts_with("127.0.0.1:") && (stranger["is_last"] == true) != (command == "receive"),
                "{stranger}"
            );
        }
        if command != "receive" {
            let last = told.iter().rfind(|line| line["event"] == "service").expect("counts");
            assert_eq!((&last["failed"], &last["done"]), (&1.into(), &1.into()), "{last}");
        }
        assert_eq!(names_in(&dir.path().join("inbox")), ["range.npy"]);
    }
}

#[test]
fn a_connection_that_joins_a_transfer_which_is_over_is_no_stranger() {
    let dir = Dir::new();
    let mut receiver = dir
        .arraylift("receive 127.0.0.1:0 --into discard --json".split(' '))
        .listening();
    let mut first = TcpStream::connect(&receiver.address).expect("it listens");
    let offer = native_offer_over(2, "a", 10, &grain(native::GRAIN));
    first.write_all(&offer).expect("it takes them");
    // A greeting, a welcome with the number of connections and the token, and the header of an acceptance.
    let mut answer = [0; 50];
    first.read_exact(&mut answer).expect("an answer");
    assert_eq!((answer[8], answer[42]), (WELCOME, ACCEPT), "{answer:?}");
    let token = &answer[26..42];
    assert_eq!(answer[22..26], *b"\x0f\0\x10\0", "{answer:?}");
    drop(first);
    until(&mut receiver, "failed");
    say(&receiver.address, &join(token));
    say(&receiver.address, &join(&[0; 16]));
    let stranger = until(&mut receiver, "stranger");
    let message = stranger["message"].as_str().expect("a message");
    assert!(message.contains("joins a transfer that is not here"), "{message}");
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let told = ended.objects();
    let strangers = told.iter().filter(|line| line["event"] == "stranger");
    assert_eq!(strangers.count(), 1, "the one that was never here: {told:?}");
}

/// Reads a greeting and one message; the version and the kind, and the rest as text.
fn greeting_and_message(stream: &mut TcpStream) -> (u8, u8, String) {
    let mut head = [0; 16];
    stream.read_exact(&mut head).expect("a greeting and a header");
    assert_eq!(&head[..6], b"ARLIFT");
    let mut body = Vec::new();
    stream.read_to_end(&mut body).expect("a body");
    (head[6], head[8], String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn a_sender_and_a_receiver_of_version_1_are_refused_by_name_and_told_both_versions() {
    let versions = ["version 1 of the native wire", "version 2"];
    // Greeting and offer were said together, without a hello.
    let offer = native::offer(10, b"");
    let old = [b"ARLIFT\x01\0", &offer[..]].concat();
    for command in [
        "receive 127.0.0.1:0 --once --json",
        "serve 127.0.0.1:0 --json --workers 1",
    ] {
        let dir = Dir::new();
        let arguments = format!("{command} --into memory");
        let mut receiver = dir.arraylift(arguments.split(' ')).listening();
        let mut sender = TcpStream::connect(&receiver.address).expect("it listens");
        sender.write_all(&old).expect("it takes them");
        let (version, kind, reason) = greeting_and_message(&mut sender);
        assert_eq!((version, kind), (2, REFUSE), "{reason:?}");
        let told = until(&mut receiver, "stranger")["message"].to_string();
        for part in versions {
            assert!(reason.contains(part) && told.contains(part), "{reason} {told}");
        }
        dir.run(&format!("send range:0:10 {}", receiver.address)).done();
        receiver.signal(Signal::TERM);
        receiver.wait();
    }

    let dir = Dir::new();
    let (address, thread) = peer(|mut stream| {
        let mut greeting = [0; 8];
        stream.read_exact(&mut greeting).expect("a greeting");
        assert_eq!(greeting, GREETING);
        let reason = "version 2 of the native wire is unknown here, version 1 is";
        let refusal = message(REFUSE, &field(11, reason.as_bytes()));
        stream
            .write_all(&[b"ARLIFT\x01\0", &refusal[..]].concat())
            .expect("it listens");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    dir.run(&format!("send range:0:10 {address}"))
        .failed(1, &["refused", "version 2 of the native wire", "version 1"]);
    thread.join().expect("a peer");
}

#[test]
fn flags_and_fields_that_have_to_be_known_are_refused_and_others_are_skipped() {
    let dir = Dir::new();
    let flagged = |kind: u8| [&[kind, 1, 0, 0][..], &[0; 4]].concat();
    let receive = || dir.receive("127.0.0.1:0 --into memory --once --timeout 2s");
    for (further, hint) in [
        (field(0x8000, b""), "field 32768 has to be understood"),
        (field(0xffff, b"x"), "field 65535 has to be understood"),
    ] {
        // Nobody knows what was offered: the receiver waits for one that it understands.
        let mut receiver = dir.receive("127.0.0.1:0 --into memory --once --json");
        say(&receiver.address, &native_offer_over(1, "a", 0, &further));
        let told = until(&mut receiver, "stranger")["message"].to_string();
        assert!(told.contains(hint), "{told}");
        receiver.signal(Signal::TERM);
        receiver.wait();
    }
    let receiver = receive();
    let flags = [native_offer("a", 0), flagged(native::END)].concat();
    say(&receiver.address, &flags);
    receiver
        .wait()
        .failed(1, &["a message of kind 15 with the unknown flags 0x1"]);

    let receiver = receive();
    let later = [
        native_offer_over(1, "a", 0, &field(0x7fff, b"later")),
        flagged(0x80),
        end(0),
    ]
    .concat();
    say(&receiver.address, &later);
    receiver.wait().done();
}

#[test]
fn an_array_whose_sender_never_says_that_it_is_still_what_was_offered_is_not_kept() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let blocks = native::block(0, b"0123456789");
    for (says, hint) in [
        (vec![], "closed the connection"),
        (message(native::ABORT, &field(11, b"it has changed")), "it has changed"),
        (end(9), "an end after 9 bytes of 10"),
    ] {
        let receiver = dir.receive("127.0.0.1:0 --into inbox --once");
        say(
            &receiver.address,
            &[&native_offer("a", 10)[..], &blocks, &says].concat(),
        );
        receiver.wait().failed(1, &[hint]);
        assert!(names_in(&inbox).is_empty(), "{hint}");
    }
    // Before its last block it is no end.
    let receiver = dir.receive("127.0.0.1:0 --into inbox --once");
    say(&receiver.address, &[native_offer("a", 10), end(10)].concat());
    receiver
        .wait()
        .failed(1, &["closed the connection", "10 B are missing"]);
    assert!(names_in(&inbox).is_empty());

    let receiver = dir.receive("127.0.0.1:0 --into inbox --once");
    say(&receiver.address, &[native_offer("a", 10), blocks, end(10)].concat());
    receiver.wait().done();
    assert_eq!(dir.read("inbox/a"), b"0123456789");
}

#[test]
fn a_hundred_strangers_take_no_descriptor_for_good() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --once --into memory");
    let descriptors = || {
        let listed = std::fs::read_dir(format!("/proc/{}/fd", receiver.id())).expect("it runs");
        listed.count()
    };
    say(&receiver.address, b"");
    let before = descriptors();
    for _ in 0..100 {
        say(&receiver.address, b"");
    }
    assert!(descriptors() <= before + 8, "{before} became {}", descriptors());
    dir.run(&format!("send range:0:10 {}", receiver.address)).done();
    let ended = receiver.wait().done();
    assert_eq!(ended.stdout.matches("not a sender: ").count(), 101, "{ended:?}");
}

#[test]
fn surplus_is_reported_and_the_array_kept() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into a.npy --wire raw --count 100");
    say(&receiver.address, &floats(101));
    let ended = receiver.wait().done();
    assert!(ended.stdout.contains("note: "), "{ended:?}");
    assert_eq!(dir.read("a.npy"), npy("'<f8'", "(100,)", &floats(100)));
}

#[test]
fn a_name_from_a_peer_stays_in_the_folder() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let receiver = dir.receive("127.0.0.1:0 --into inbox");
    for (offered, name) in [
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\y", "y"),
        ("..", "file.bin"),
        (".profile", "profile"),
        ("a\u{1b}[2Jb\n", "a\u{fffd}[2Jb\u{fffd}"),
        ("a\u{202e}ypn\u{200b}", "a\u{fffd}ypn\u{fffd}"),
    ] {
        say(&receiver.address, &[native_offer(offered, 0), end(0)].concat());
        let names = names_in(&inbox);
        assert!(names.iter().any(|there| there == name), "{offered:?} became {names:?}");
    }
    receiver.signal(Signal::TERM);
    let ended = receiver.wait().done();
    assert_eq!(dir.names(), ["inbox"]);
    assert_eq!(names_in(&inbox).len(), 7);
    assert!(!ended.stdout.contains('\u{1b}'), "{ended:?}");
}

#[test]
fn nobody_listening_is_said_at_once() {
    let dir = Dir::new();
    let free = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    dir.run(&format!("send range:0:10 {free}"))
        .failed(1, &["nobody listens at", "start the receiver"]);
    dir.run("send range:0:10 unix:nowhere")
        .failed(1, &["nobody listens at unix:nowhere"]);
    dir.run("send range:0:10 nowhere.invalid:1")
        .failed(1, &["nowhere.invalid:1"]);
}

#[test]
fn receivers_that_do_it_wrong_are_named() {
    let dir = Dir::new();
    for (act, hints) in [
        ((|_| {}) as Act, &["closed the connection"][..]),
        (
            |mut stream| _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            &["another protocol"],
        ),
        (
            |mut stream| _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
            &["another protocol"],
        ),
        (
            |mut stream| _ = stream.read_exact(&mut [0; 50]),
            &["closed the connection"],
        ),
    ] {
        let (address, thread) = peer(act);
        dir.run(&format!("send range:0:1e6 {address}")).failed(1, hints);
        thread.join().expect("a peer");
    }
    for wire in ["raw", "npy"] {
        let (address, thread) = peer(|mut stream| _ = stream.read_exact(&mut [0; 50]));
        let ended = dir.run(&format!("send range:0:1e7 {address} --wire {wire}"));
        ended.failed(1, &["closed the connection"]);
        thread.join().expect("a peer");
    }
}

#[test]
fn a_peer_that_says_nothing_is_not_waited_for_longer_than_the_timeout() {
    let dir = Dir::new();
    let (address, thread) = peer(|mut stream| _ = stream.read_to_end(&mut Vec::new()));
    let ended = dir.run(&format!("send range:0:10 {address} --timeout 300ms"));
    ended.failed(1, &["0.3 s", "did not answer"]);
    thread.join().expect("a peer");

    let mut receiver = dir.receive("127.0.0.1:0 --once --timeout 300ms");
    let silent = TcpStream::connect(&receiver.address).expect("it listens");
    let line = receiver.line();
    assert!(line.contains("said nothing for 0.3 s"), "{line}");
    dir.run(&format!("send range:0:10 {}", receiver.address)).done();
    receiver.wait().done();
    drop(silent);
}

#[test]
fn senders_beyond_sixteen_wait_until_there_is_room() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into memory --timeout 1s");
    let connect = || TcpStream::connect(&receiver.address).expect("it listens");
    let offering = || {
        let mut stream = connect();
        stream.write_all(&native_offer("a", 10)).expect("it takes them");
        stream
    };
    let silent: Vec<TcpStream> = std::iter::repeat_with(offering).take(20).collect();
    // Each has a thread of this name, and nothing else does.
    let deadline = Instant::now() + Duration::from_millis(500);
    let mut most = 0;
    while Instant::now() < deadline {
        most = most.max(receiver.threads_named("arraylift-recv"));
    }
    assert_eq!(most, 16);
    dir.run(&format!("send range:0:10 {} --timeout 20s", receiver.address))
        .done();
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    drop(silent);
    assert_eq!(ended.stdout.matches("verified").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("said nothing for 1 s"), "{ended:?}");
}

#[test]
fn a_receiver_with_few_descriptors_does_without_the_connections_that_it_cannot_equip() {
    const FLOATS: u32 = 4_000_000;
    for descriptors in [24, 30, 36, 44] {
        let dir = Dir::new();
        let receiver = dir
            .arraylift_with_descriptors(descriptors, "receive 127.0.0.1:0 --once --into a.bin")
            .listening();
        dir.run(&format!("send range:0:{FLOATS} {} --streams 8", receiver.address))
            .done();
        receiver.wait().done();
        assert_eq!(dir.read("a.bin"), floats(FLOATS), "{descriptors}");
    }
}
