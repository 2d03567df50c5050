//! Wrong usage, help, and the command without a command.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Command;

use crate::common::Dir;

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    let dir = Dir::new();
    for (arguments, hint) in [
        ("send", "<SOURCE>"),
        ("send range:0:10", "<ENDPOINT>"),
        ("loopback", "<SOURCE>"),
        ("loopback range:0:10 --frobnicate", "--frobnicate"),
        (
            "serve 127.0.0.1:0 --at 3",
            "--at is no option of serve, but of loopback, receive",
        ),
        ("send a 127.0.0.1:1 --into x", "--into is no option of send"),
        ("fetch http://a/b --no-verify", "--no-verify is no option of fetch"),
        ("attach --pause x", "arraylift status tells"),
        ("attach x", "arraylift status tells"),
        ("send a 127.0.0.1:1 --jobs 300", "a whole number from 1 to 256"),
        ("ping 127.0.0.1:1 --count 0", "a whole number from 1 on"),
        ("loopback range:0:10 --socket-buffer 64kb", "kB for bytes"),
        ("loopback -", "standard input (-) does not tell its length"),
        ("loopback range:0:10:0", "the step is zero"),
        ("loopback range:0:nan", "nan"),
        ("loopback range:0:inf", "inf"),
        ("loopback range:0:x", "\"x\" is not a number"),
        ("loopback range:5", "START:STOP"),
        ("loopback range:0:1e30", "too many elements"),
        ("loopback range:0:300 --dtype u8 --offset 1000", "sliced"),
        ("loopback range:0:10 --offset 4", "sliced"),
        ("loopback range:-1:5 --dtype u8", "does not fit"),
        ("loopback range:0:10 --dtype nonsense", "unknown dtype"),
        ("loopback range:0:10 --dtype O", "Python objects"),
        ("loopback range:0:10 --wire telepathy", "native"),
        ("loopback range:0:10 --send-route telepathy", "sendfile"),
        ("loopback range:0:10 --receive-route splice", "--into PATH"),
        ("loopback range:0:10 --receive-route map", "--into PATH"),
        ("loopback range:0:10 --into a.npy --send-route handoff", "memory"),
        ("loopback range:0:10 --send-route handoff --wire npy", "native wire"),
        (
            "loopback range:0:10 --send-route handoff --receive-route recv",
            "receive route",
        ),
        ("send range:0:10 127.0.0.1:25000 --send-route handoff", "unix:PATH"),
        ("send range:0:10 unix:a --send-route handoff --wire raw", "native wire"),
        ("loopback range:0:10 --chunk 0", "4KiB"),
        ("loopback range:0:10 --chunk 1GiB", "64MiB"),
        ("loopback range:0:10 --limit 0", "--limit"),
        ("loopback range:0:10 --limit nan", "--limit"),
        ("loopback range:0:10 --limit=-5MB/s", "--limit"),
        ("loopback range:0:10 --limit 200mb/s", "bits"),
        ("loopback range:0:10 --timeout 0", "--timeout"),
        ("loopback range:0:10 --timeout soon", "30s"),
        ("loopback range:0:10 --checksum md5", "crc32"),
        (
            "loopback range:0:10 --no-verify --checksum crc32",
            "cannot be used with",
        ),
        ("loopback range:0:10 --wire raw --checksum crc32", "no checksums"),
        ("loopback range:0:10 --at 5", "--into PATH"),
        ("loopback range:0:2e8 --send-route copying", "1 GB"),
        ("send range:0:10 localhost", "HOST:PORT"),
        ("send range:0:10 localhost:x", "65535"),
        ("send range:0:10 ::1:25000", "brackets"),
        ("receive unix:", "path"),
        ("receive 127.0.0.1:0 --wire raw", "--count"),
        ("receive 127.0.0.1:0 --count 5 --shape 5", "--shape"),
        ("receive 127.0.0.1:0 --count 0.5", "whole number"),
        ("receive 127.0.0.1:0 --count 9e18", "2^63"),
        ("receive 127.0.0.1:0 --shape 3,x", "\"x\""),
        ("receive 127.0.0.1:0 --dtype f32", "--count"),
        ("receive 127.0.0.1:0 --at 0", "--into PATH"),
        ("receive 127.0.0.1:0 --into . --at 0", "--into PATH"),
    ] {
        let ended = dir.run(arguments).failed(2, &[hint]);
        assert_eq!(ended.stdout, "", "{arguments}");
    }
    assert!(dir.names().is_empty());
}

#[test]
fn help_and_version_are_on_standard_output() {
    let dir = Dir::new();
    for command in [
        "", "loopback", "send", "receive", "fetch", "serve", "worker", "attach", "ping", "compare",
    ] {
        let help = dir.run(&format!("{command} --help")).done().stdout;
        assert!(
            help.contains("Usage: arraylift") && help.contains("Examples:"),
            "{help}"
        );
        assert!(help.lines().all(|line| line.chars().count() <= 120), "{help}");
        // What a command refuses it does not list.
        let takes_part = ["loopback", "receive"].contains(&command);
        assert_eq!(help.contains("--at <BYTES>"), takes_part, "{help}");
        // A comment stands on a line of its own.
        let examples = help.lines().filter(|line| line.starts_with("  arraylift "));
        assert!(examples.clone().all(|line| !line.trim().contains("   ")), "{help}");
    }
    assert!(!dir.run("compare --help").done().stdout.contains("standard input"));
    assert_eq!(
        dir.run("--version").done().stdout,
        format!("arraylift {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn without_a_display_the_default_transfer_runs_in_the_terminal_and_says_so() {
    let dir = Dir::new();
    let ended = dir.run("");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("400 MB in "), "{ended:?}");
    assert!(ended.stdout.contains(", verified (crc64nvme:"), "{ended:?}");
    assert!(ended.stdout.contains("first elements: 0.0 1.0 2.0"), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(
        ended.stderr.contains("no display") && ended.stderr.contains("range:0:50_000_000"),
        "{ended:?}"
    );
}

#[test]
fn without_a_display_a_path_is_what_is_moved() {
    let dir = Dir::new();
    dir.write("a.bin", [7; 1000]);
    let ended = dir.run("a.bin");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("1.00 kB in "), "{ended:?}");
    let ended = dir.run("b.bin");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("there is no file at b.bin"), "{ended:?}");
    let ended = dir
        .run("version")
        .failed(1, &["there is no file at version", "compare"]);
    assert!(!ended.stderr.contains("moving"), "{ended:?}");
}

#[test]
fn what_cannot_be_told_is_not_passed_over_in_silence() {
    let dir = Dir::new();
    for (arguments, hint) in [
        ("loopback range:0:10", "done"),
        ("loopback range:0:10 --json", "done"),
        ("--help", "cannot write"),
        ("send --help", "cannot write"),
        ("--version", "cannot write"),
    ] {
        let mut command = Command::new("sh");
        let script = "exec \"$0\" \"$@\" > /dev/full";
        command
            .args(["-c", script, env!("CARGO_BIN_EXE_arraylift")])
            .args(arguments.split(' '));
        dir.program(command).run().failed(1, &["standard output", hint]);
    }
}

#[test]
fn an_endpoint_that_is_not_text_is_named_and_so_is_what_stands_behind_a_path_that_is_not() {
    let dir = Dir::new();
    let not_text = |start: &str| OsString::from_vec([start.as_bytes(), b"\xff"].concat());
    for command in ["receive", "serve", "ping"] {
        dir.arraylift([command.into(), not_text("unix:s")])
            .run()
            .failed(2, &["unix:s\u{fffd}", "an endpoint is UTF-8 text"]);
    }
    dir.arraylift(["send".into(), "range:0:10".into(), not_text("unix:s")])
        .run()
        .failed(2, &["unix:s\u{fffd}", "an endpoint is UTF-8 text"]);
    dir.arraylift([not_text("a"), "--frobnicate".into()])
        .run()
        .failed(2, &["a\u{fffd} is no command"]);
}

#[test]
fn a_socket_in_a_folder_that_is_missing_is_told_as_that() {
    let dir = Dir::new();
    dir.run("receive unix:missing/socket")
        .failed(1, &["the folder missing does not exist"]);
    let receiver = dir.receive("unix:socket");
    let ended = dir.run("receive unix:socket").failed(1, &["choose another path"]);
    assert!(!ended.stderr.contains("port"), "{ended:?}");
    drop(receiver);
}

#[test]
fn an_address_that_cannot_be_used_is_told_with_what_to_do() {
    let dir = Dir::new();
    let long = format!("receive unix:{}", "a".repeat(200));
    for (arguments, hint) in [
        (&*long, "at most 107 bytes: choose a shorter one"),
        ("receive 192.0.2.1:25000", "this machine has no such address"),
        (
            "send range:0:10 no.such.host.invalid:25000",
            "check it, and the name servers",
        ),
    ] {
        dir.run(arguments).failed(1, &[hint]);
    }
}
