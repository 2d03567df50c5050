//! A system call that fails while a command sets itself up, or keeps a file of its own: the line that is told, what
//! stays, and the next command that works.

use crate::common::{Dir, Ended, names_in};
use crate::sandbox::{Refused, refused};

/// Runs a command for which that call fails.
fn run(dir: &Dir, refusal: Refused, arguments: &str) -> Ended {
    let start = || dir.arraylift(arguments.split_whitespace()).without_history().start();
    refused(&[refusal], start).wait()
}

#[test]
fn a_command_that_lacks_what_it_listens_or_waits_with_ends_and_says_why() {
    for command in ["receive", "serve", "serve --workers 1"] {
        for (name, call, error) in [
            ("socket", libc::SYS_socket, libc::EMFILE),
            ("bind", libc::SYS_bind, libc::EACCES),
            ("listen", libc::SYS_listen, libc::ENOBUFS),
            ("eventfd2", libc::SYS_eventfd2, libc::EMFILE),
            ("epoll_create1", libc::SYS_epoll_create1, libc::EMFILE),
            ("socketpair", libc::SYS_socketpair, libc::EMFILE),
        ] {
            let dir = Dir::new();
            dir.folder("inbox");
            let ended = run(
                &dir,
                Refused::with(call, error),
                &format!("{command} 127.0.0.1:0 --into inbox"),
            );
            let why = std::io::Error::from_raw_os_error(error).to_string();
            let why = why.split(" (os").next().expect("words").to_owned();
            // That nobody can attach to it may be told before.
            let last = ended.stderr.lines().last().unwrap_or_default().to_lowercase();
            let is_told = last.starts_with("arraylift: ") && last.contains(&why.to_lowercase());
            assert!(
                is_told && ended.status.code() == Some(1),
                "{command}, {name}: {ended:?}"
            );
            assert!(names_in(&dir.path().join("inbox")).is_empty(), "{command}, {name}");
        }
    }
}

#[test]
fn workers_whose_promises_cannot_be_counted_together_are_not_started() {
    let dir = Dir::new();
    for error in [libc::EMFILE, libc::ENOSYS] {
        let refusal = Refused::with(libc::SYS_memfd_create, error);
        run(&dir, refusal, "serve 127.0.0.1:0 --into discard --workers 1")
            .failed(1, &["cannot count together what the workers promise"]);
    }
    let service = dir.listen("serve", "127.0.0.1:0 --into discard --workers 1");
    dir.run(&format!("send range:0:10 {}", service.address)).done();
}

#[test]
fn a_key_that_is_not_on_disk_is_none_and_leaves_nothing() {
    let dir = Dir::new();
    let command = "serve 127.0.0.1:0 --into discard --workers-at door --key key";
    let new = u64::try_from(libc::O_CREAT | libc::O_EXCL).expect("positive");
    for refusal in [
        Refused::with(libc::SYS_fsync, libc::EIO),
        Refused::with(libc::SYS_renameat2, libc::EIO),
        Refused {
            bits: Some((2, new)),
            ..Refused::with(libc::SYS_openat, libc::ENOSPC)
        },
    ] {
        run(&dir, refusal, command).failed(1, &["cannot write key"]);
        assert_eq!(dir.names(), [""; 0]);
    }
    // Without that flag of rename it is made another way; and it is made once.
    let service = || dir.arraylift(command.split_whitespace()).without_history().listening();
    let refusal = Refused::with(libc::SYS_renameat2, libc::EINVAL);
    drop(refused(&[refusal], service));
    let key = dir.read("key");
    assert_eq!(key.len(), 32);
    std::fs::remove_file(dir.path().join("door")).expect("it was killed");
    drop(service());
    assert_eq!(dir.read("key"), key);
}

#[test]
fn a_result_that_is_not_on_disk_is_told_and_leaves_nothing() {
    let dir = Dir::new();
    let command = "compare range:0:1000 --rounds 1 --save result.json";
    let ended = run(&dir, Refused::with(libc::SYS_fsync, libc::EIO), command);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("result.json"), "{ended:?}");
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn a_process_that_cannot_be_attached_to_is_not_called_none() {
    let dir = Dir::new();
    let _receiver = dir.listen("receive", "127.0.0.1:0 --into discard");
    let ended = run(&dir, Refused::with(libc::SYS_connect, libc::EPERM), "attach");
    assert!(!ended.status.success(), "{ended:?}");
    assert!(ended.stderr.to_lowercase().contains("not permitted"), "{ended:?}");
    dir.run("status").done();
}
