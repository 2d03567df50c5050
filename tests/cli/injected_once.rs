//! A system call that fails once, wherever it is made: the line that is told, what stays, and the next transfer, of the
//! same process, that works.

use crate::common::{Dir, Ended, Process, names_in};
use crate::floats;
use crate::injected_fetch::web_server;
use crate::once::{Call, NEW_PROCESS, NEW_THREAD, failing_once, has_failed};
use crate::serve::{drained, until};

/// Two megabytes: several chunks of the size below.
const COUNT: u32 = 300_000;
/// No command makes so many threads.
const CALLS_MAX: u32 = 60;

fn words(error: i32) -> String {
    let text = std::io::Error::from_raw_os_error(error).to_string();
    text.split(" (os").next().expect("words").to_lowercase()
}

/// It has ended well, or it says in one line what was not had. That nobody can attach to it is told before.
#[track_caller]
fn plain(ended: &Ended, error: i32, context: &str) {
    let last = ended.stderr.lines().last().unwrap_or_default();
    let is_told = last.starts_with("arraylift: ") && last.contains(&words(error));
    let code = ended.status.code();
    assert!(code == Some(0) || code == Some(1) && is_told, "{context}: {ended:?}");
    let others = ended.stderr.lines().rev().skip(1);
    for line in others {
        assert!(line.contains("cannot open the control socket"), "{context}: {ended:?}");
    }
}

/// Nothing is left that is not whole.
#[track_caller]
fn whole(dir: &Dir, bytes: &[u8], context: &str) {
    for name in names_in(&dir.path().join("inbox")) {
        let kept = dir.read(&format!("inbox/{name}"));
        assert!(!name.contains(".part") && kept.ends_with(bytes), "{context}: {name}");
        std::fs::remove_file(dir.path().join("inbox").join(name)).expect("it is there");
    }
}

/// Runs the command for each such call that it makes, which fails, and then once without.
#[track_caller]
fn each_call(dir: &Dir, call: Call, error: i32, arguments: &str, bytes: &[u8]) {
    for nth in 1..CALLS_MAX {
        let context = format!("{arguments}: call {nth}");
        let command = failing_once(dir, call, error, nth, arguments).env("no_proxy", "127.0.0.1,localhost");
        let ended = command.run();
        let is_over = !has_failed(dir);
        if is_over {
            assert_eq!(ended.status.code(), Some(0), "{context}: {ended:?}");
        }
        plain(&ended, error, &context);
        whole(dir, bytes, &context);
        if is_over {
            assert!(nth > 1, "{context}: there is none");
            return;
        }
    }
    panic!("{arguments}: more than {CALLS_MAX} calls");
}

/// Starts a receiver for which the call fails; `None` where it does not come to listen, and says why.
fn receiver(dir: &Dir, call: Call, error: i32, nth: u32, command: &str) -> Option<Process> {
    let mut process = failing_once(dir, call, error, nth, command).start();
    let line = process.line();
    if line.is_empty() {
        plain(&process.wait(), error, command);
        return None;
    }
    let object: serde_json::Value = serde_json::from_str(&line).expect("an object");
    process.address = object["address"].as_str().expect("an address").into();
    Some(process)
}

/// Each receiver, for each such call that it makes: of two arrays one comes at least, and the other one or a line.
#[track_caller]
fn each_call_of_receivers(call: Call, error: i32, receivers: &[&str]) {
    let array = floats(1000);
    for command in receivers {
        for nth in 1..CALLS_MAX {
            let dir = Dir::new();
            dir.folder("inbox");
            let context = format!("{command}: call {nth}");
            let command = format!("{command} --into inbox --json");
            let Some(process) = receiver(&dir, call, error, nth, &command) else {
                continue;
            };
            let send = || dir.run(&format!("send range:0:1000 {} --timeout 5s", process.address));
            let sent = [send(), send()].map(|sent| sent.status.success());
            let ended = drained(process);
            assert_eq!(ended.status.code(), Some(0), "{context}: {ended:?}");
            assert!(sent.contains(&true), "{context}: {ended:?}");
            let failed = ended.objects().into_iter().filter(|o| o["event"] == "failed").count();
            assert!(
                failed <= 1 && !ended.stderr.contains("panicked"),
                "{context}: {ended:?}"
            );
            assert_eq!(
                names_in(&dir.path().join("inbox")).len(),
                sent.iter().filter(|sent| **sent).count(),
                "{context}: {ended:?}"
            );
            whole(&dir, &array, &context);
            if !has_failed(&dir) {
                assert!(nth > 1 && sent == [true; 2], "{context}: {ended:?}");
                break;
            }
        }
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn wherever_a_thread_is_not_had_a_transfer_ends_with_one_line_or_does_without() {
    let array = floats(COUNT);
    let dir = Dir::new();
    dir.folder("inbox");
    for command in [
        "loopback range:0:300000 --into inbox/",
        "loopback range:0:300000 --into inbox/ --streams 3",
        "loopback range:0:300000 --into memory --repeat 2",
    ] {
        each_call(&dir, NEW_THREAD, libc::EAGAIN, command, &array);
    }
    let receiver = dir.listen("receive", "127.0.0.1:0 --into discard");
    let echo = dir.listen("serve", "127.0.0.1:0 --echo");
    let (_, port) = receiver.address.rsplit_once(':').expect("a port");
    for command in [
        format!("send range:0:300000 {}", receiver.address),
        format!("send range:0:300000 {} --streams 3", receiver.address),
        format!("send range:0:300000 localhost:{port}"),
        format!("ping {} --count 5", echo.address),
    ] {
        each_call(&dir, NEW_THREAD, libc::EAGAIN, &command, &array);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn wherever_a_thread_is_not_had_a_fetch_ends_with_one_line_or_does_without() {
    let bytes = floats(COUNT);
    let dir = Dir::new();
    dir.folder("inbox");
    let url = web_server(bytes.clone());
    for url in [url.clone(), url.replace("127.0.0.1", "localhost")] {
        let command = format!("fetch {url} --into inbox/ --timeout 10s");
        each_call(&dir, NEW_THREAD, libc::EAGAIN, &command, &bytes);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn wherever_a_thread_is_not_had_a_receiver_ends_before_it_listens_or_takes_the_next_array() {
    each_call_of_receivers(
        NEW_THREAD,
        libc::EAGAIN,
        &["receive 127.0.0.1:0", "serve 127.0.0.1:0 --keep-free 0"],
    );
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_worker_that_cannot_be_started_is_told_and_started_again() {
    let program = Call::any(libc::SYS_execve);
    for (call, errors) in [
        (NEW_PROCESS, &[libc::EAGAIN, libc::ENOMEM][..]),
        (program, &[libc::ENOENT, libc::EACCES, libc::ENOMEM]),
    ] {
        for (&error, nth) in errors.iter().zip([1, 2].into_iter().cycle()) {
            let dir = Dir::new();
            dir.folder("inbox");
            let command = "serve 127.0.0.1:0 --keep-free 0 --workers 2 --into inbox --json";
            let mut service = failing_once(&dir, call, error, nth, command).listening();
            let missing = until(&mut service, "worker_missing");
            assert_eq!(missing["why"].as_str(), Some(&*words(error)));
            if nth == 1 {
                until(&mut service, "worker_ready");
            }
            until(&mut service, "worker_ready");
            dir.run(&format!("send range:0:1000 {}", service.address)).done();
            drained(service).done();
            assert!(has_failed(&dir), "{call:?}");
            whole(&dir, &floats(1000), command);
        }
    }
}

/// A file that takes no more in the middle of an array, by one of the ways into it.
#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_file_that_takes_no_more_in_the_middle_fails_that_array_alone() {
    // What is moved into the file, and not what comes from the socket, which does not wait.
    let splice = Call::only(libc::SYS_splice, &["5=1"]);
    let array = floats(COUNT);
    for (route, call) in [("splice", splice), ("recv", Call::any(libc::SYS_pwrite64))] {
        for (error, hint) in [
            (libc::ENOSPC, "more than its disk has free"),
            (libc::EDQUOT, "more than its disk has free"),
            (libc::EFBIG, "more than its disk has free"),
            (libc::EIO, "cannot write"),
        ] {
            for command in ["receive 127.0.0.1:0", "serve 127.0.0.1:0 --keep-free 0"] {
                let context = format!("{command}, {route}: {}", words(error));
                let dir = Dir::new();
                dir.folder("inbox");
                let command = format!("{command} --into inbox --json --receive-route {route} --chunk 256KiB");
                // The first ones try the file out, or write the header.
                let process = failing_once(&dir, call, error, 4, &command).listening();
                let send = || dir.run(&format!("send range:0:{COUNT} {}", process.address));
                send().failed(1, &["the peer gave up"]);
                assert!(names_in(&dir.path().join("inbox")).is_empty(), "{context}");
                send().done();
                let ended = drained(process);
                let objects = ended.objects();
                let failed: Vec<_> = objects.iter().filter(|o| o["event"] == "failed").collect();
                assert!(
                    failed.len() == 1 && failed[0]["message"].to_string().contains(hint),
                    "{context}: {ended:?}"
                );
                assert_eq!(names_in(&dir.path().join("inbox")).len(), 1, "{context}");
                whole(&dir, &array, &context);
            }
        }
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_source_that_cannot_be_read_in_the_middle_is_told_by_its_name() {
    let dir = Dir::new();
    dir.folder("inbox");
    dir.write("a.bin", floats(COUNT));
    let receiver = dir.receive("127.0.0.1:0 --into inbox --json");
    let send = format!("send a.bin {} --send-route sendfile --chunk 256KiB", receiver.address);
    let sendfile = Call::any(libc::SYS_sendfile);
    failing_once(&dir, sendfile, libc::EIO, 3, &send)
        .run()
        .failed(1, &["cannot read a.bin: input/output error"]);
    assert!(has_failed(&dir) && names_in(&dir.path().join("inbox")).is_empty());
    dir.run(&send).done();
    drained(receiver);
    whole(&dir, &floats(COUNT), "the next one");
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn what_a_signal_interrupts_is_done_again() {
    let array = floats(COUNT);
    for number in [
        libc::SYS_fallocate,
        libc::SYS_ftruncate,
        libc::SYS_fsync,
        libc::SYS_splice,
        libc::SYS_pwrite64,
        libc::SYS_sendfile,
        libc::SYS_ppoll,
        libc::SYS_accept4,
    ] {
        for nth in 1..8 {
            let dir = Dir::new();
            dir.folder("inbox");
            dir.write("a.bin", &array);
            let command = "loopback a.bin --into inbox/ --chunk 256KiB";
            let ended = failing_once(&dir, Call::any(number), libc::EINTR, nth, command).run();
            let context = format!("call {nth} of {number}");
            assert_eq!(ended.status.code(), Some(0), "{context}: {ended:?}");
            whole(&dir, &array, &context);
            if !has_failed(&dir) {
                break;
            }
        }
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn lines_that_cannot_be_written_are_told_and_what_was_to_be_done_is_done() {
    let to_standard_output = Call::only(libc::SYS_write, &["0=1"]);
    let array = floats(1000);
    for (error, is_told) in [(libc::EIO, true), (libc::ENOSPC, true), (libc::EPIPE, false)] {
        let context = words(error);
        let dir = Dir::new();
        dir.folder("inbox");
        for json in ["", "--json"] {
            let command = format!("loopback range:0:1000 --into inbox/ {json}");
            let ended = failing_once(&dir, to_standard_output, error, 1, &command).run();
            assert!(has_failed(&dir), "{context}: {ended:?}");
            if is_told {
                ended.failed(1, &["cannot write to standard output", &words(error)]);
            } else {
                assert_eq!(ended.status.code(), Some(0), "{context}: {ended:?}");
            }
            assert_eq!(names_in(&dir.path().join("inbox")).len(), 1, "{context}");
            whole(&dir, &array, &context);
        }
        // Its first line says where it listens.
        for command in ["receive 127.0.0.1:0", "serve 127.0.0.1:0 --keep-free 0"] {
            let command = format!("{command} --into inbox --json");
            let service = failing_once(&dir, to_standard_output, error, 2, &command).listening();
            let send = || dir.run(&format!("send range:0:1000 {}", service.address));
            let sent = [send(), send()].map(|sent| sent.status.success());
            let ended = drained(service);
            assert!(has_failed(&dir), "{context}: {ended:?}");
            // One whom nobody reads any more is left to itself.
            assert_eq!(sent, [true; 2], "{context}: {ended:?}");
            assert_eq!(ended.status.code(), Some(i32::from(is_told)), "{context}: {ended:?}");
            whole(&dir, &array, &context);
        }
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_key_or_a_result_that_cannot_be_written_is_told_and_leaves_nothing() {
    let dir = Dir::new();
    let command = "serve 127.0.0.1:0 --into discard --workers-at door --key key";
    // A key has so many bytes.
    let key = Call::only(libc::SYS_write, &["2=32"]);
    for error in [libc::ENOSPC, libc::EDQUOT, libc::EIO] {
        let ended = failing_once(&dir, key, error, 1, command).run();
        ended.failed(1, &["cannot write key", &words(error)]);
        assert!(has_failed(&dir) && dir.names().is_empty(), "{:?}", dir.names());
    }
    let command = "compare range:0:1000 --rounds 1 --save result.json";
    // No cache can be there, so that it is the result that is synced.
    let compare = failing_once(&dir, Call::any(libc::SYS_fsync), libc::ENOSPC, 1, command);
    let ended = compare.env("XDG_CACHE_HOME", "/dev/null").run();
    assert!(has_failed(&dir), "{ended:?}");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("result.json") && ended.stderr.contains(&words(libc::ENOSPC)),
        "{ended:?}"
    );
    assert!(dir.names().is_empty(), "{:?}", dir.names());
}
