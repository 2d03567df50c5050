//! A system call that fails, of those that take an array in: the line that is told, the file that stays, and the next
//! transfer that works.
//!
//! A filter refuses a call for as long as a process lives, so that "once" is a receiver's life: the next one is not
//! refused anything.

use crate::common::{Dir, Ended, Process, names_in};
use crate::floats;
use crate::sandbox::{Refused, refused};
use crate::serve::drained;

/// Eight megabytes: they come by a pipe into a file.
const COUNT: u32 = 1_000_000;

/// What becomes of the array.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// It comes another way.
    Comes,
    /// It does not, and nothing is left of it; these words are told.
    IsGone(&'static str),
    /// It is whole, and stays under its temporary name; these words are told.
    StaysAsPart(&'static str),
}

fn only(call: i64, bits: (u8, u64), error: i32) -> Refused {
    Refused {
        bits: Some(bits),
        ..Refused::with(call, error)
    }
}

/// A receiver for which that call fails.
fn receiver(dir: &Dir, command: &str, refusal: Refused) -> Process {
    let start = || dir.arraylift(command.split_whitespace()).without_history().listening();
    refused(&[refusal], start)
}

/// What is in the folder that arrays come into, and whether it is the whole array under its name.
fn whole(dir: &Dir) -> bool {
    dir.read("inbox/range.npy")[128..] == floats(COUNT)
}

const RECEIVERS: [&str; 3] = [
    "receive 127.0.0.1:0",
    "serve 127.0.0.1:0 --keep-free 0",
    "serve 127.0.0.1:0 --keep-free 0 --workers 1",
];

#[track_caller]
fn each(call: &str, make: impl Fn(i32) -> Refused, errors: &[i32], then: Then) {
    each_of(&RECEIVERS, call, make, errors, then);
}

/// Each receiver takes one array under the filter; then one without a filter takes the next.
#[track_caller]
fn each_of(receivers: &[&str], call: &str, make: impl Fn(i32) -> Refused, errors: &[i32], then: Then) {
    for command in receivers {
        for &error in errors {
            let context = format!("{call} gives {}: {command}", std::io::Error::from_raw_os_error(error));
            let dir = Dir::new();
            let inbox = dir.folder("inbox");
            let command = format!("{command} --into inbox --json");
            let process = receiver(&dir, &command, make(error));
            let sent = dir.run(&format!("send range:0:{COUNT} {}", process.address));
            // It goes on: a failed transfer is none of the next one's business.
            let ended = drained(process);
            let told = |words: &str| {
                let failed: Vec<_> = ended.objects().into_iter().filter(|o| o["event"] == "failed").collect();
                assert_eq!(failed.len(), 1, "{context}: {ended:?}");
                let message = failed[0]["message"].to_string();
                assert!(message.contains(words), "{context}: {message}");
                let one_line = sent.status.code() == Some(1) && sent.stderr.lines().count() == 1;
                assert!(one_line, "{context}: {sent:?}");
            };
            let names = names_in(&inbox);
            match then {
                Then::Comes => {
                    assert!(sent.status.success(), "{context}: {sent:?}, {ended:?}");
                    assert!(names == ["range.npy"] && whole(&dir), "{context}: {names:?}");
                    std::fs::remove_file(inbox.join("range.npy")).expect("it is there");
                }
                Then::IsGone(words) => {
                    told(words);
                    assert!(names.is_empty(), "{context}: {names:?}");
                }
                Then::StaysAsPart(words) => {
                    told(words);
                    assert!(names.len() == 1 && names[0].contains(".part"), "{context}: {names:?}");
                    assert_eq!(
                        dir.read(&format!("inbox/{}", names[0]))[128..],
                        floats(COUNT),
                        "{context}"
                    );
                }
            }
            next_works(&dir, &context);
        }
    }
}

/// The next receiver, which is refused nothing, takes the same array.
#[track_caller]
fn next_works(dir: &Dir, context: &str) {
    let process = dir.receive("127.0.0.1:0 --into inbox --once");
    dir.run(&format!("send range:0:{COUNT} {}", process.address)).done();
    let ended: Ended = process.wait().done();
    assert!(ended.stdout.contains("range.npy") && whole(dir), "{context}: {ended:?}");
}

#[test]
fn a_file_that_cannot_be_made_is_told_and_nothing_is_left() {
    let flags = u64::try_from(libc::O_CREAT | libc::O_EXCL).expect("positive");
    let make = |error| only(libc::SYS_openat, (2, flags), error);
    let errors = [libc::EMFILE, libc::ENOSPC, libc::EROFS];
    each("openat", make, &errors, Then::IsGone("range.npy"));
}

#[test]
fn room_that_cannot_be_had_is_told_and_nothing_is_left() {
    let fallocate = |error| Refused::with(libc::SYS_fallocate, error);
    each(
        "fallocate",
        fallocate,
        &[libc::ENOSPC, libc::EDQUOT, libc::EIO],
        Then::IsGone("range.npy"),
    );
    each("fallocate", fallocate, &[libc::EOPNOTSUPP, libc::ENOSYS], Then::Comes);
    let ftruncate = |error| Refused::with(libc::SYS_ftruncate, error);
    // With workers a service does not even start: it counts with them in memory that has to have a length.
    each_of(
        &RECEIVERS[..2],
        "ftruncate",
        ftruncate,
        &[libc::EFBIG, libc::EIO],
        Then::IsGone("range.npy"),
    );
    let write = |error| Refused::with(libc::SYS_pwrite64, error);
    each("pwrite64", write, &[libc::ENOSPC, libc::EIO], Then::IsGone("range.npy"));
}

#[test]
fn without_splice_or_pipes_an_array_comes_by_copies() {
    let splice = |error| Refused::with(libc::SYS_splice, error);
    each(
        "splice",
        splice,
        &[libc::EINVAL, libc::ENOSYS, libc::EPERM],
        Then::Comes,
    );
}

#[test]
fn a_splice_that_fails_when_bytes_come_is_told_and_nothing_is_left() {
    // The one from the socket alone: the one that tries a file out waits.
    let splice = |error| only(libc::SYS_splice, (5, 2), error);
    each(
        "splice",
        splice,
        &[libc::EIO, libc::ENOMEM],
        Then::IsGone("cannot take bytes from the connection"),
    );
}

#[test]
fn a_sendfile_that_fails_is_told_as_this_systems_fault_and_not_as_the_receivers() {
    for error in [libc::ENOMEM, libc::EBADF] {
        let dir = Dir::new();
        let inbox = dir.folder("inbox");
        dir.write("a.bin", floats(COUNT));
        let receiver = dir.receive("127.0.0.1:0 --into inbox --once");
        let words = format!("send a.bin {} --json", receiver.address);
        let start = || dir.arraylift(words.split_whitespace()).without_history().start();
        let sent = refused(&[Refused::with(libc::SYS_sendfile, error)], start).wait();
        assert_eq!(sent.status.code(), Some(1), "{sent:?}");
        let failed: Vec<_> = sent.objects().into_iter().filter(|o| o["event"] == "failed").collect();
        assert!(failed.len() == 1 && failed[0]["fault"] == "system", "{sent:?}");
        assert!(
            failed[0]["message"]
                .to_string()
                .contains("cannot send over the connection"),
            "{sent:?}"
        );
        receiver.wait().failed(1, &[]);
        assert!(names_in(&inbox).is_empty());
    }
}

#[test]
fn a_name_that_cannot_be_given_is_told_and_the_array_stays_as_a_part() {
    let rename = |error| Refused::with(libc::SYS_renameat2, error);
    each(
        "renameat2",
        rename,
        &[libc::EIO, libc::ENOSPC, libc::EROFS],
        Then::StaysAsPart(".part"),
    );
    each("renameat2", rename, &[libc::EINVAL, libc::ENOSYS], Then::Comes);
}

#[test]
fn a_sync_that_fails_is_told_and_the_array_stays_as_a_part() {
    let fsync = |error| Refused::with(libc::SYS_fsync, error);
    each(
        "fsync",
        fsync,
        &[libc::EIO, libc::ENOSPC, libc::EDQUOT],
        Then::StaysAsPart("is not on disk"),
    );
}

#[test]
fn a_file_system_that_syncs_no_files_takes_arrays_and_none_is_called_durable() {
    let fsync = |error| Refused::with(libc::SYS_fsync, error);
    let errors = [libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP];
    each("fsync", fsync, &errors, Then::Comes);
    let dir = Dir::new();
    dir.folder("inbox");
    let receiver = receiver(&dir, "receive 127.0.0.1:0 --into inbox --json", fsync(libc::EINVAL));
    dir.run(&format!("send range:0:10 {}", receiver.address)).done();
    let objects = drained(receiver).done().objects();
    let finished = objects.iter().find(|o| o["event"] == "finished").expect("it came");
    assert_ne!(finished["durable"], true, "{finished}");
    assert!(finished["note"].to_string().contains("syncs no files"), "{finished}");
}

#[test]
fn what_only_makes_it_faster_or_nicer_is_done_without() {
    for (call, number) in [
        ("sync_file_range", libc::SYS_sync_file_range),
        ("fchmod", libc::SYS_fchmod),
        ("flock", libc::SYS_flock),
        ("fadvise64", libc::SYS_fadvise64),
    ] {
        let make = |error| Refused::with(number, error);
        each(call, make, &[libc::EPERM, libc::ENOSYS], Then::Comes);
    }
}

#[test]
fn a_connection_that_cannot_be_taken_does_not_end_a_receiver() {
    for command in [
        "receive 127.0.0.1:0",
        "serve 127.0.0.1:0 --keep-free 0",
        "serve 127.0.0.1:0 --keep-free 0 --workers 1",
    ] {
        for error in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS] {
            let dir = Dir::new();
            let inbox = dir.folder("inbox");
            let command = format!("{command} --into inbox --json");
            let process = receiver(&dir, &command, Refused::with(libc::SYS_accept4, error));
            let send = format!("send range:0:10 {} --timeout 500ms", process.address);
            dir.run(&send).failed(1, &[]);
            let before = process.cpu_time();
            std::thread::sleep(std::time::Duration::from_millis(300));
            let busy = process.cpu_time().saturating_sub(before);
            assert!(
                busy.as_millis() < 200,
                "{command}, {error}: it turns without a pause, {busy:?}"
            );
            let ended = drained(process);
            assert!(names_in(&inbox).is_empty(), "{ended:?}");
            next_works(&dir, &command);
        }
    }
}

#[test]
fn without_threads_a_command_ends_with_one_line() {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    for command in [
        "receive 127.0.0.1:0",
        "serve 127.0.0.1:0 --keep-free 0",
        "loopback range:0:10",
    ] {
        // No thread has room for such a stack: the system gives `EAGAIN`.
        let words = command.split_whitespace().chain(["--into", "inbox"]);
        let ended = dir
            .arraylift(words)
            .without_history()
            .env("RUST_MIN_STACK", (1_u64 << 46).to_string())
            .run();
        ended.failed(1, &["temporarily unavailable"]);
        assert!(names_in(&inbox).is_empty(), "{command}");
    }
    next_works(&dir, "no thread");
}

#[test]
fn a_worker_that_cannot_be_handed_a_connection_costs_that_connection_alone() {
    for error in [libc::EPERM, libc::ENOBUFS, libc::ETOOMANYREFS] {
        let dir = Dir::new();
        let inbox = dir.folder("inbox");
        let command = "serve 127.0.0.1:0 --keep-free 0 --into inbox --workers 1 --json";
        let process = receiver(&dir, command, Refused::with(libc::SYS_sendmsg, error));
        let sent = dir.run(&format!("send range:0:10 {} --timeout 2s", process.address));
        assert!(!sent.status.success(), "{sent:?}");
        let ended = drained(process);
        assert!(names_in(&inbox).is_empty(), "{ended:?}");
        next_works(&dir, "sendmsg");
    }
}
