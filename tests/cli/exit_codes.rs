//! The exit code, which scripts go by: 0 done, 1 failed or cancelled, 2 wrong usage.

use rustix::process::Signal;

use crate::common::Dir;

#[test]
fn the_exit_code_tells_done_from_failed_from_wrong_usage() {
    let dir = Dir::new();
    dir.write("there.json", "{}");
    for (arguments, code) in [
        ("loopback range:0:10", 0),
        ("status", 0),
        ("loopback missing.npy", 1),
        ("loopback range:0:10 --into there.json", 1),
        ("send range:0:10 127.0.0.1:1", 1),
        ("send missing.npy range:0:10 127.0.0.1:1", 1),
        // There is nothing to attach to: what was typed is right all the same.
        ("attach", 1),
        ("attach 999999", 1),
        ("loopback", 2),
        ("loopback range:0:10 --frobnicate", 2),
        ("compare -", 2),
        ("fetch ftp://a/b", 2),
        ("serve 127.0.0.1:0 --keep-free 120%", 2),
        ("serve 127.0.0.1:0 --at 5", 2),
        ("worker --recipe socket --at 5", 2),
    ] {
        let ended = dir.run(arguments);
        assert_eq!(ended.status.code(), Some(code), "{arguments}: {ended:?}");
    }
}

#[test]
fn a_service_that_is_asked_to_end_ends_with_0_whatever_became_of_its_senders() {
    let dir = Dir::new();
    dir.folder("inbox");
    for command in ["serve", "receive"] {
        let options = "127.0.0.1:0 --into inbox --json";
        let keep_free = if command == "serve" { " --keep-free 0" } else { "" };
        let service = dir.listen(command, &format!("{options}{keep_free} --count 5"));
        // It fails at both ends.
        dir.run(&format!("send range:0:10 {}", service.address))
            .failed(1, &["expected f64 (5,), got f64 (10,)"]);
        service.signal(Signal::TERM);
        let ended = service.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(ended.stderr.contains("expected f64 (5,)"), "{ended:?}");
    }
}

#[test]
fn a_cancelled_command_ends_with_1_and_says_what_it_was_and_how_far_it_came() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into discard --once");
    let arguments = ["send", "range:0:1e7", &receiver.address, "--limit", "1MB/s", "--json"];
    let mut sender = dir.arraylift(arguments).start();
    crate::signals::until_bytes_move(&mut sender, "sender");
    sender.signal(Signal::INT);
    sender.wait().failed(1, &["cancelled: range 0", "of 80.0 MB had moved"]);
    assert_eq!(receiver.wait().status.code(), Some(1));
}
