//! The names of files while they are received, and the last one that they get.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::common::{Dir, names_in};
use crate::floats;
use crate::sandbox::{Refused, refused};
use crate::serve::{drained, serve, until};
use crate::workers::{kill, workers};

/// What file systems without rename flags and hard links refuse, and one that refuses the rest, too.
fn refusals() -> [Refused; 3] {
    [
        Refused::with(libc::SYS_renameat2, libc::EINVAL),
        Refused::with(libc::SYS_linkat, libc::EPERM),
        Refused::with(libc::SYS_renameat, libc::EACCES),
    ]
}

#[test]
fn where_the_file_system_lacks_rename_flags_and_links_an_array_gets_its_name_all_the_same() {
    let refusals = refusals();
    for ways in [&refusals[..1], &refusals[..2]] {
        let dir = Dir::new();
        dir.write("taken.npy", "precious");
        dir.folder("inbox");
        let receiver = refused(ways, || {
            dir.arraylift("receive 127.0.0.1:0 --into inbox".split_whitespace())
                .listening()
        });
        for _ in 0..2 {
            dir.run(&format!("send range:0:10_000 {}", receiver.address)).done();
        }
        drained(receiver).done();
        assert_eq!(names_in(&dir.path().join("inbox")), ["range-1.npy", "range.npy"]);
        for name in ["range-1.npy", "range.npy"] {
            assert_eq!(dir.read(&format!("inbox/{name}"))[128..], floats(10_000), "{name}");
        }
        refused(ways, || {
            dir.arraylift("loopback range:0:10 --into taken.npy".split_whitespace())
                .start()
        })
        .wait()
        .failed(1, &["exists and is never overwritten"]);
        assert_eq!(dir.read("taken.npy"), b"precious");
    }
}

#[test]
fn where_only_the_name_fails_the_array_is_kept_and_it_is_said_where() {
    for options in ["", "--no-sync", "--workers 1"] {
        let dir = Dir::new();
        let inbox = dir.folder("inbox");
        let arguments = format!("serve 127.0.0.1:0 --into inbox --json {options}");
        let receiver = refused(&refusals(), || dir.arraylift(arguments.split_whitespace()).listening());
        for parts in 1..=2 {
            dir.run(&format!("send range:0:10_000 {}", receiver.address))
                .failed(1, &["it has everything under another name"]);
            assert_eq!(names_in(&inbox).len(), parts, "{options}");
        }
        let ended = drained(receiver);
        for name in names_in(&inbox) {
            assert!(
                ended.stderr.contains("is kept as ") && ended.stderr.contains(&name),
                "{ended:?}"
            );
            assert_eq!(dir.read(&format!("inbox/{name}"))[128..], floats(10_000), "{name}");
        }
    }
}

#[test]
fn a_name_that_cannot_be_made_is_refused_before_the_first_byte() {
    let dir = Dir::new();
    let long = "n".repeat(256);
    dir.run(&format!("loopback range:0:10 --into {long}"))
        .failed(1, &["cannot write", "name too long"]);
    assert!(dir.names().is_empty());
}

#[test]
fn a_part_is_its_users_alone_until_it_is_whole() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let mut service = serve(&dir, "");
    let sender = dir
        .arraylift(["send", "range:0:1e6", &service.address, "--limit", "20MB/s"])
        .start();
    until(&mut service, "sample");
    let mode = |name: &str| {
        let metadata = std::fs::metadata(inbox.join(name)).expect("there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&names_in(&inbox)[0]), 0o600);
    sender.wait().done();
    drained(service).done();
    dir.write("inbox/usual", "");
    assert_eq!(mode("range.npy"), mode("usual"));
}

#[test]
fn a_peers_name_makes_no_file_one_that_is_not_whole_and_no_worker_takes_another_ones_with_it() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    dir.write("inbox/old.npy.arraylift-00000001.part", "of an earlier service");
    let mut service = serve(&dir, "--workers 1");
    let leftover = until(&mut service, "leftover")["path"].to_string();
    assert!(leftover.contains("old.npy.arraylift-00000001.part"), "{leftover}");
    let worker = workers(&mut service, 1)[0];
    for name in [format!("x.{worker}-99.part"), "y.arraylift-0123abcd.part".into()] {
        dir.write(&name, "complete");
        dir.run(&format!("send {name} {}", service.address)).done();
    }
    let mut other = dir.listen("serve", "127.0.0.1:0 --into inbox --json");
    let slow = |address: &str| {
        // Without checksums nobody could go on with it.
        dir.arraylift(["send", "range:0:1e6", address, "--limit", "8MB/s", "--no-verify"])
            .start()
    };
    let (lost, kept) = (slow(&service.address), slow(&other.address));
    until(&mut service, "started");
    while until(&mut service, "sample")["bytes"] == 0 {}
    while until(&mut other, "sample")["bytes"] == 0 {}
    kill(worker);
    lost.wait().failed(1, &[]);
    kept.wait().done();
    workers(&mut service, 1);
    service.signal(Signal::TERM);
    service.wait();
    drained(other).done();
    let expected = [
        "old.npy.arraylift-00000001.part".to_owned(),
        "range.npy".into(),
        format!("x.{worker}-99.part"),
        "y.arraylift-0123abcd.part_".into(),
    ];
    assert_eq!(names_in(&inbox), expected);
    assert_eq!(dir.read("inbox/range.npy")[128..], floats(1_000_000));

    let next = serve(&dir, "");
    let told = drained(next).done();
    let leftovers = told
        .objects()
        .into_iter()
        .filter(|object| object["event"] == "leftover");
    assert_eq!(leftovers.count(), 1, "{told:?}");
}

#[test]
fn a_folder_that_is_renamed_meanwhile_keeps_what_comes_into_it_and_the_present_path_is_told() {
    for command in [
        "receive 127.0.0.1:0 --once",
        "receive 127.0.0.1:0 --once --no-sync",
        "receive 127.0.0.1:0",
        "serve 127.0.0.1:0 --keep-free 0",
        "serve 127.0.0.1:0 --keep-free 0 --workers 1",
    ] {
        let dir = Dir::new();
        let inbox = dir.folder("inbox");
        std::fs::write(inbox.join("range.npy"), "precious").expect("write");
        let arguments = format!("{command} --into inbox --json");
        let mut receiver = dir.arraylift(arguments.split(' ')).listening();
        let send = ["send", "range:0:1e6", &receiver.address, "--limit", "8MB/s"];
        let sender = dir.arraylift(send).start();
        until(&mut receiver, "sample");
        let moved = dir.path().join("moved");
        std::fs::rename(&inbox, &moved).expect("renamed");
        // Another folder has its name now, and nothing comes into that.
        std::fs::create_dir(&inbox).expect("free");
        let finished = until(&mut receiver, "finished");
        sender.wait().done();
        let moved = moved.canonicalize().expect("there");
        let path = moved.join("range-1.npy");
        assert_eq!(finished["path"], path.to_str().expect("UTF-8"), "{command}");
        assert!(finished["note"].to_string().contains("existed"), "{finished}");
        assert_eq!(names_in(&moved), ["range-1.npy", "range.npy"], "{command}");
        assert_eq!(
            std::fs::read(&path).expect("there")[128..],
            floats(1_000_000),
            "{command}"
        );
        assert!(names_in(&inbox).is_empty(), "{command}: {:?}", names_in(&inbox));
        if !command.contains("once") {
            receiver.signal(Signal::TERM);
        }
        receiver.wait().done();
    }
}

#[test]
fn what_is_broken_off_goes_from_a_folder_that_was_renamed_meanwhile() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let mut receiver = dir.receive("127.0.0.1:0 --once --into inbox --json");
    let send = ["send", "range:0:1e6", &receiver.address, "--limit", "2MB/s"];
    let sender = dir.arraylift(send).start();
    until(&mut receiver, "sample");
    let moved = dir.path().join("moved");
    std::fs::rename(&inbox, &moved).expect("renamed");
    assert_eq!(names_in(&moved).len(), 2, "the .part and its log");
    sender.signal(Signal::INT);
    assert!(!sender.wait().status.success());
    assert!(!receiver.wait().status.success());
    assert!(names_in(&moved).is_empty(), "{:?}", names_in(&moved));
}

#[test]
fn an_existing_file_that_is_renamed_meanwhile_is_told_by_the_name_that_it_has_then() {
    let dir = Dir::new();
    dir.write("a.bin", vec![0; 8_000_000]);
    let mut receiver = dir.receive("127.0.0.1:0 --once --into a.bin --at 0 --json");
    let send = ["send", "range:0:1e6", &receiver.address, "--limit", "8MB/s"];
    let sender = dir.arraylift(send).start();
    until(&mut receiver, "sample");
    std::fs::rename(dir.path().join("a.bin"), dir.path().join("b.bin")).expect("renamed");
    let finished = until(&mut receiver, "finished");
    sender.wait().done();
    receiver.wait().done();
    let path = dir.path().canonicalize().expect("there").join("b.bin");
    assert_eq!(finished["path"], path.to_str().expect("UTF-8"));
    assert_eq!(dir.read("b.bin"), floats(1_000_000));
}

#[test]
fn a_receiver_of_many_names_what_a_killed_one_has_left_in_its_folder() {
    let dir = Dir::new();
    dir.folder("inbox");
    dir.write("inbox/old.npy.arraylift-00000001.part", "abc");
    let mut receiver = dir.receive("127.0.0.1:0 --into inbox");
    let line = receiver.line();
    assert!(
        line.contains("inbox/old.npy.arraylift-00000001.part (3 B) was half received"),
        "{line}"
    );
    assert!(
        dir.path().join("inbox/old.npy.arraylift-00000001.part").exists(),
        "it is left alone"
    );
}
