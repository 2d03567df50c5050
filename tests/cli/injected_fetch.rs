//! A system call that fails while a file is fetched: the line that is told, what stays, and the next fetch that works.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::common::{Dir, Ended, names_in};
use crate::sandbox::{Refused, refused};

/// Enough for a pipe to be filled more than once.
const LEN: usize = 5_000_000;

/// A web server of one file, which answers whoever asks until the tests end.
pub(crate) fn web_server(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = move || {
        for peer in listener.incoming() {
            let mut peer = peer.expect("it comes");
            let mut asked = [0; 4096];
            // Who has gone meanwhile wants nothing.
            let Ok(len @ 1..) = peer.read(&mut asked) else { continue };
            let head = format!(
                "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nAccept-Ranges: bytes\r\nContent-Length: {}\r\n\r\n",
                bytes.len()
            );
            let body = if asked[..len].starts_with(b"HEAD") {
                &[][..]
            } else {
                &bytes
            };
            let _ = peer.write_all(&[head.as_bytes(), body].concat());
        }
    };
    let thread = std::thread::Builder::new().name("server".into()).spawn(serve);
    drop(thread.expect("a thread"));
    format!("http://{address}/a.bin")
}

/// A web server of a file whose length it does not tell: it comes in chunks.
fn chunked_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = move || {
        for peer in listener.incoming() {
            let mut peer = peer.expect("it comes");
            let Ok(1..) = peer.read(&mut [0; 4096]) else { continue };
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
            let _ = peer.write_all(head);
        }
    };
    let thread = std::thread::Builder::new().name("server".into()).spawn(serve);
    drop(thread.expect("a thread"));
    format!("http://{address}/a.bin")
}

#[test]
fn a_full_disk_is_told_without_a_figure_where_the_server_tells_no_length() {
    let dir = Dir::new();
    let url = chunked_server();
    let fetch = || {
        let words = ["fetch", &url, "--into", "a.bin", "--timeout", "5s"];
        dir.arraylift(words)
            .env("no_proxy", "127.0.0.1")
            .without_history()
            .start()
    };
    let full = [
        Refused::with(libc::SYS_splice, libc::EINVAL),
        Refused::with(libc::SYS_pwrite64, libc::ENOSPC),
    ];
    let ended = refused(&full, fetch).wait();
    let ended = ended.failed(1, &["a.bin needs more than its disk has free or a limit allows"]);
    assert!(!ended.stderr.contains("0 B"), "{ended:?}");
    assert!(dir.names().is_empty());
    fetch().wait().done();
    assert_eq!(dir.read("a.bin"), b"hello");
}

/// What becomes of the file.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// It comes another way.
    Comes,
    /// It does not, and nothing is left of it; these words are told.
    IsGone(&'static str),
    /// It is whole, and stays under its temporary name; these words are told.
    StaysAsPart(&'static str),
}

/// Fetches a file where these calls fail, and then where none does.
#[track_caller]
fn fetch(what: &str, refusals: &[Refused], then: Then) {
    let dir = Dir::new();
    let inbox = dir.folder("inbox");
    let bytes: Vec<u8> = (0..LEN).map(|index| (index % 251).to_le_bytes()[0]).collect();
    let url = web_server(bytes.clone());
    let words = ["fetch", &url, "--into", "inbox", "--timeout", "5s"];
    let fetch = || {
        dir.arraylift(words)
            .env("no_proxy", "127.0.0.1")
            .without_history()
            .start()
    };
    let ended: Ended = refused(refusals, fetch).wait();
    let names = names_in(&inbox);
    let failed = |words: &str| {
        let is_one_line = ended.status.code() == Some(1) && ended.stderr.lines().count() == 1;
        assert!(is_one_line && ended.stderr.contains(words), "{what}: {ended:?}");
    };
    match then {
        Then::Comes => {
            assert!(ended.status.success(), "{what}: {ended:?}");
            assert!(
                names == ["a.bin"] && dir.read("inbox/a.bin") == bytes,
                "{what}: {names:?}"
            );
            std::fs::remove_file(inbox.join("a.bin")).expect("it is there");
        }
        Then::IsGone(words) => {
            failed(words);
            assert!(names.is_empty(), "{what}: {names:?}");
        }
        Then::StaysAsPart(words) => {
            failed(words);
            assert!(names.len() == 1 && names[0].contains(".part"), "{what}: {names:?}");
            assert!(dir.read(&format!("inbox/{}", names[0])) == bytes, "{what}");
        }
    }
    fetch().wait().done();
    assert!(dir.read("inbox/a.bin") == bytes, "{what}");
}

/// One call, each time with another error.
#[track_caller]
fn each(what: &str, call: i64, bits: Option<(u8, u64)>, errors: &[i32], then: Then) {
    for &error in errors {
        let refusal = Refused { call, bits, error };
        let context = format!("{what} gives {}", std::io::Error::from_raw_os_error(error));
        fetch(&context, &[refusal], then);
    }
}

#[test]
fn a_server_that_cannot_be_reached_or_heard_is_told_and_nothing_is_left() {
    // Of connections to the web: those of one's own services are Unix sockets.
    let internet = Some((0, u64::try_from(libc::AF_INET).expect("positive")));
    each(
        "socket",
        libc::SYS_socket,
        internet,
        &[libc::EMFILE, libc::EACCES],
        Then::IsGone("127.0.0.1"),
    );
    each(
        "connect",
        libc::SYS_connect,
        None,
        &[libc::ECONNREFUSED, libc::ENETUNREACH, libc::EPERM],
        Then::IsGone("127.0.0.1"),
    );
    each(
        "sendto",
        libc::SYS_sendto,
        None,
        &[libc::EPIPE],
        Then::IsGone("before it answered"),
    );
    each(
        "sendto",
        libc::SYS_sendto,
        None,
        &[libc::ENOBUFS, libc::EIO],
        Then::IsGone("127.0.0.1"),
    );
    // So many bytes are asked for of a server: signals come through a socket, too, byte by byte.
    let head = Some((2, 256 << 10));
    each(
        "recvfrom",
        libc::SYS_recvfrom,
        head,
        &[libc::ECONNRESET],
        Then::IsGone("before it answered"),
    );
    each(
        "recvfrom",
        libc::SYS_recvfrom,
        head,
        &[libc::EIO],
        Then::IsGone("127.0.0.1"),
    );
}

#[test]
fn a_file_that_cannot_be_made_or_kept_where_it_is_fetched_to_is_told_and_nothing_is_left() {
    let new = u64::try_from(libc::O_CREAT | libc::O_EXCL).expect("positive");
    each(
        "openat",
        libc::SYS_openat,
        Some((2, new)),
        &[libc::EMFILE, libc::ENOSPC, libc::EROFS],
        Then::IsGone("a.bin"),
    );
    each(
        "fallocate",
        libc::SYS_fallocate,
        None,
        &[libc::ENOSPC, libc::EDQUOT, libc::EIO],
        Then::IsGone("a.bin"),
    );
    each(
        "ftruncate",
        libc::SYS_ftruncate,
        None,
        &[libc::EIO],
        Then::IsGone("a.bin"),
    );
    each(
        "splice",
        libc::SYS_splice,
        None,
        &[libc::EINVAL, libc::EPERM],
        Then::Comes,
    );
    for error in [libc::ENOSPC, libc::EIO] {
        let calls = [
            Refused::with(libc::SYS_splice, libc::EINVAL),
            Refused::with(libc::SYS_pwrite64, error),
        ];
        fetch("pwrite64", &calls, Then::IsGone("a.bin"));
    }
}

#[test]
fn a_fetched_file_that_is_not_on_disk_or_gets_no_name_is_told_and_stays_as_a_part() {
    each(
        "fsync",
        libc::SYS_fsync,
        None,
        &[libc::EIO, libc::ENOSPC],
        Then::StaysAsPart("is not on disk"),
    );
    each(
        "renameat2",
        libc::SYS_renameat2,
        None,
        &[libc::EIO, libc::EROFS],
        Then::StaysAsPart(".part"),
    );
    each("renameat2", libc::SYS_renameat2, None, &[libc::EINVAL], Then::Comes);
}
