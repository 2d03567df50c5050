//! What a web server may answer, and when: a plain Python server that is slow, odd or silent at the worst moment.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{Dir, names_in};
use crate::fetch::{broken, event, fetch, fetching, file, python_peer, python_server};

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_fetch_that_is_cancelled_while_a_python_server_is_asked_for_the_last_time_leaves_no_file() {
    for options in ["", "--no-sync"] {
        let (dir, server, _) = broken();
        dir.folder("out");
        let url = server.url("mute-head");
        let mut process = fetching(&dir, &format!("{url} --into out --json {options}")).start();
        while !process.line().contains("\"verifying\"") {}
        std::thread::sleep(Duration::from_millis(100));
        process.signal(Signal::TERM);
        process.wait().failed(1, &["cancelled"]);
        assert!(names_in(&dir.path().join("out")).is_empty());
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_python_server_that_is_slow_to_answer_is_what_a_fetch_waited_for_and_not_the_disk() {
    let (dir, server, _) = broken();
    let url = server.url("mute-head");
    let ended = fetch(&dir, &format!("{url} --into a.bin --timeout 2s --no-sync --json")).done();
    let objects = ended.objects();
    let limits = event(&objects, "bottleneck");
    assert_eq!(limits["limit"], "other_end", "{limits}");
    assert!(limits["shares"]["receiver_disk"].as_f64() < Some(0.1), "{limits}");
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn whatever_head_a_python_server_sends_before_the_bytes_they_are_the_file() {
    for path in ["hinted", "hinted-at-once", "lengths", "created", "long-head"] {
        let (dir, server, bytes) = broken();
        fetch(&dir, &format!("{} --into a.bin", server.url(path))).done();
        assert!(dir.read("a.bin") == bytes, "{path}");
    }
    let (dir, server, _) = broken();
    dir.folder("out");
    for (path, words) in [
        ("too-long-head", "more than 256 KiB"),
        ("packed", "Transfer-Encoding: gzip, chunked"),
    ] {
        fetch(&dir, &format!("{} --into out", server.url(path))).failed(1, &[words]);
        assert!(names_in(&dir.path().join("out")).is_empty(), "{path}");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_python_server_that_never_ends_what_is_not_the_file_is_given_up_after_the_timeout() {
    for path in ["drips", "hints-for-ever", "trailers-for-ever"] {
        let (dir, server, _) = broken();
        let began = Instant::now();
        let url = server.url(path);
        fetch(&dir, &format!("{url} --into discard --timeout 1s")).failed(1, &["said nothing for 1 s"]);
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{path}: {:?}",
            began.elapsed()
        );
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_file_is_kept_with_a_note_where_a_python_server_never_ends_its_last_answer_or_names_no_version() {
    for path in ["drips-head", "never-named"] {
        let (dir, server, bytes) = broken();
        let began = Instant::now();
        let ended = fetch(&dir, &format!("{} --into a.bin --timeout 1s", server.url(path))).done();
        assert!(dir.read("a.bin") == bytes && began.elapsed() < Duration::from_secs(15));
        let words = "did not say afterwards whether the file had changed";
        assert!(ended.stdout.contains(words), "{path}: {}", ended.stdout);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn where_one_connection_to_a_python_server_works_so_do_several() {
    let dir = Dir::new();
    let bytes = file(25 << 20);
    let server = python_server(&dir, &bytes, 0);
    for how in ["401", "404", "412", "416", "503", "multiple", "unnamed", "closed"] {
        fetch(&dir, &format!("{}{how} --into a.bin --streams 3", server.url("parts-"))).done();
        assert!(dir.read("a.bin") == bytes, "{how}");
        std::fs::remove_file(dir.path().join("a.bin")).expect("it is there");
    }
    // A link that works once: what others are refused comes with the one answer there is.
    let url = server.url("one-time");
    let ended = fetch(&dir, &format!("{url} --into a.bin --streams 3")).done();
    assert!(dir.read("a.bin") == bytes);
    let words = "did not serve 2 of 3 connections";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn what_is_wrong_with_a_certificate_of_a_python_server_is_said_in_plain_words() {
    for (key, words) in [
        ("rsa:2048", "a common name (CN) alone counts for nothing"),
        ("ec -pkeyopt ec_paramgen_curve:secp521r1", "kind of key in common"),
    ] {
        let dir = Dir::new();
        let certificate = Command::new("openssl")
            .args(
                format!("req -x509 -newkey {key} -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost")
                    .split(' '),
            )
            .current_dir(dir.path())
            .stderr(Stdio::null())
            .status();
        assert!(certificate.expect("openssl runs").success());
        let served = dir.write("served", b"abc");
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name));
        let server = python_peer(
            "tls_server.py",
            &[&cert, &key, &served].map(|path| -> &OsStr { path.as_ref() }),
        );
        let url = server.url("orderly").replace("http:", "https:");
        fetch(&dir, &format!("{url} --into discard --ca cert.pem")).failed(1, &[words]);
    }
}
