//! Peers that want more than their share: of time, of memory, of disk, of places.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Dir, names_in};
use crate::native::{ACCEPTED_BYTES, KEEP_ALIVE, accepted, message};
use crate::peers::{native_offer, peer};

/// A sender that offers an array, and then says nothing but what `says` says five times a second, until it is closed.
pub(crate) fn lasting(address: &str, offer: &[u8], says: &'static [u8]) -> (TcpStream, JoinHandle<()>) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(offer).expect("it takes them");
    let mut keeps = stream.try_clone().expect("a descriptor");
    let keeper = std::thread::Builder::new().spawn(move || {
        while keeps.write_all(says).is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    (stream, keeper.expect("a thread"))
}

#[test]
fn a_flood_of_keep_alives_is_the_peers_fault_in_both_directions() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into memory --once");
    let mut stream = TcpStream::connect(&receiver.address).expect("it listens");
    stream.write_all(&native_offer("a", 10)).expect("it takes them");
    // It may be closed before the last one.
    let _ = stream.write_all(&KEEP_ALIVE.repeat(10_000));
    receiver.wait().failed(1, &["keep-alives"]);

    // An answer, and then keep-alives.
    let (address, thread) = peer(|mut stream| {
        stream.read_exact(&mut [0; 50]).expect("an offer");
        stream.write_all(&accepted()).expect("it listens");
        let _ = stream.write_all(&KEEP_ALIVE.repeat(10_000));
        let _ = stream.read_to_end(&mut Vec::new());
    });
    dir.run(&format!("send range:0:1e6 {address} --limit 1MB/s"))
        .failed(1, &["keep-alives"]);
    thread.join().expect("a peer");
}

#[test]
fn a_keep_alive_with_thousands_of_fields_is_refused_before_it_costs_anything() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into memory --once");
    let fields: Vec<u8> = (0_u16..16_000)
        .flat_map(|tag| [tag.to_le_bytes(), [0, 0]].concat())
        .collect();
    let says = [native_offer("a", 10), message(7, &fields)].concat();
    crate::peers::say(&receiver.address, &says);
    receiver.wait().failed(1, &["more than 64 fields"]);
}

/// Sixteen hold every place of a receiver, until one comes that sends.
#[track_caller]
fn give_way(offer: &[u8], says: &'static [u8]) {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into memory --timeout 2s");
    let hold = || lasting(&receiver.address, offer, says);
    let held: Vec<_> = std::iter::repeat_with(hold).take(16).collect();
    dir.run(&format!("send range:0:10 {} --timeout 20s", receiver.address))
        .done();
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    for (stream, keeper) in held {
        drop(stream);
        keeper.join().expect("it ends");
    }
    assert_eq!(ended.stdout.matches("verified").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("less than is asked of it here"), "{ended:?}");
}

#[test]
fn sixteen_that_only_say_that_they_are_there_give_way_to_one_that_sends() {
    give_way(&native_offer("held", 10), KEEP_ALIVE);
}

#[test]
fn sixteen_that_send_a_byte_now_and_then_give_way_to_one_that_sends() {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (999,)}";
    let length = u16::try_from(header.len()).expect("short").to_le_bytes();
    give_way(&[&b"\x93NUMPY\x01\0"[..], &length, header.as_bytes()].concat(), b"\0");
}

#[test]
fn silent_connections_that_come_again_and_again_keep_no_sender_from_a_receiver_of_many() {
    const SILENT: usize = 48;
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into memory --timeout 20s --json");
    let address = receiver.address.clone();
    let is_over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&is_over);
    let keeper = std::thread::Builder::new().spawn(move || {
        let mut silent: Vec<TcpStream> = Vec::new();
        while !ends.load(Ordering::Relaxed) {
            // One that has nothing to read is still open.
            silent.retain(|stream| {
                let read = (&*stream).read(&mut [0; 64]);
                read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
            });
            while silent.len() < SILENT {
                let Ok(stream) = TcpStream::connect(&address) else {
                    break;
                };
                stream.set_nonblocking(true).expect("a socket");
                silent.push(stream);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    std::thread::sleep(Duration::from_secs(1));
    for _ in 0..3 {
        dir.run(&format!("send range:0:1e4 {} --timeout 15s", receiver.address))
            .done();
    }
    is_over.store(true, Ordering::Relaxed);
    keeper.expect("a thread").join().expect("it ends");
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    let objects = ended.objects();
    let count = |event: &str| objects.iter().filter(|object| object["event"] == event).count();
    assert_eq!((count("finished"), count("failed")), (3, 0), "{ended:?}");
    let messages = objects.iter().filter(|object| object["event"] == "stranger");
    let messages = messages.filter_map(|object| object["message"].as_str());
    let gave_way: Vec<&str> = messages.filter(|message| message.contains("offered nothing")).collect();
    assert!(!gave_way.is_empty(), "{ended:?}");
    for message in gave_way {
        // A time of three digits.
        assert!(message.len() < 80, "{message}");
        assert!(message.starts_with("it offered nothing for 1"), "{message}");
    }
}

#[test]
fn who_is_promised_the_whole_disk_and_sends_nothing_gives_way_to_one_that_wants_room() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let room = rustix::fs::statvfs(&inbox).expect("it is there");
    let free_bytes = room.f_bavail * room.f_frsize;
    let receiver = dir.receive("127.0.0.1:0 --into inbox --timeout 2s");
    let offer = native_offer("held", free_bytes / 10 * 8);
    let (mut held, keeper) = lasting(&receiver.address, &offer, KEEP_ALIVE);
    held.read_exact(&mut [0; ACCEPTED_BYTES]).expect("an acceptance");
    std::fs::File::create(dir.path().join("half.bin"))
        .and_then(|file| file.set_len(free_bytes / 2))
        .expect("a file of holes");
    dir.run(&format!("send half.bin {}", receiver.address))
        .failed(1, &["no room"]);
    // The one that was refused has it ended.
    keeper.join().expect("it ends");
    let (mut taken, keeper) = lasting(&receiver.address, &native_offer("taken", free_bytes / 2), KEEP_ALIVE);
    taken.read_exact(&mut [0; ACCEPTED_BYTES]).expect("an acceptance");
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    drop(taken);
    keeper.join().expect("it ends");
    assert!(ended.stderr.contains("less than is asked of it here"), "{ended:?}");
}

#[test]
fn what_no_disk_can_hold_is_refused_at_once_with_the_same_figures_at_both_ends_and_nobody_gives_way_for_it() {
    for command in ["receive", "serve --keep-free 0", "serve --keep-free 0 --workers 1"] {
        let dir = Dir::new();
        let inbox = dir.folder("inbox");
        let room = rustix::fs::statvfs(&inbox).expect("it is there");
        let all_bytes = room.f_blocks * room.f_frsize;
        let receiver = dir
            .arraylift(format!("{command} 127.0.0.1:0 --into inbox --timeout 2s").split(' '))
            .listening();
        let (mut held, keeper) = lasting(&receiver.address, &native_offer("held", 1_000_000), KEEP_ALIVE);
        held.read_exact(&mut [0; ACCEPTED_BYTES]).expect("an acceptance");
        std::fs::File::create(dir.path().join("huge.bin"))
            .and_then(|file| file.set_len(2 * all_bytes))
            .expect("a file of holes");
        let began = Instant::now();
        let figures = "that are free there 1.00 MB are promised to others";
        dir.run(&format!("send huge.bin {}", receiver.address))
            .failed(1, &["has no room for", figures]);
        assert!(began.elapsed() < Duration::from_secs(2), "{command}: it waited");
        if command == "receive" {
            // Longer than the timeout: who sends nothing stays where that would give nobody room.
            std::thread::sleep(Duration::from_millis(2500));
            assert!(!keeper.is_finished(), "it gave way to one that does not fit");
        }
        receiver.signal(Signal::TERM);
        receiver.signal(Signal::TERM);
        let ended = receiver.wait();
        keeper.join().expect("it ends");
        let mut lines = ended.stderr.lines();
        let is_told = lines.any(|line| line.contains(" needs ") && line.contains(figures));
        assert!(is_told, "{command}: {ended:?}");
    }
}

#[test]
fn an_offer_alone_takes_no_disk_and_little_memory() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    for (into, bytes) in [("inbox", 8 << 30), ("memory", 400 << 20)] {
        let receiver = dir.receive(&format!("127.0.0.1:0 --into {into}"));
        let before = receiver.resident_bytes();
        let hold = || lasting(&receiver.address, &native_offer("held.bin", bytes), KEEP_ALIVE);
        let held: Vec<_> = std::iter::repeat_with(hold).take(10).collect();
        for (stream, _) in &held {
            let mut answer = [0; ACCEPTED_BYTES];
            (&*stream).read_exact(&mut answer).expect("an acceptance");
        }
        let blocks: u64 = names_in(&inbox)
            .iter()
            .map(|name| std::os::unix::fs::MetadataExt::blocks(&inbox.join(name).metadata().expect("a part")))
            .sum();
        assert!(512 * blocks < 10 << 20, "{blocks} blocks for offers alone");
        let resident = receiver.resident_bytes() - before;
        assert!(resident < 10 * (9 << 20), "{resident} bytes for offers alone");
        let threads = receiver.threads_named("arraylift-fault");
        assert!(threads <= 8, "{threads} threads that fault memory in");
        receiver.signal(Signal::TERM);
        receiver.wait();
        for (stream, keeper) in held {
            drop(stream);
            keeper.join().expect("it ends");
        }
    }
}
