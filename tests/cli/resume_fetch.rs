//! Fetches that break, and go on when the same is fetched again by another process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use super::common::{Dir, Ended, Process, names_in};
use super::fetch::{event, fetch, fetching, file};
use super::part_logs::{log_in, until_recorded_in};

/// Of the file that is served.
const BYTES: usize = 48 << 20;
/// A block of it.
const BLOCK: u64 = 1 << 20;
/// What a server can have sent of an answer that nobody reads: two buffers' worth.
const UNREAD_BYTES_MAX: u64 = 10 << 20;

/// A server of one file that counts what it sends.
pub(crate) struct WebServer {
    pub(crate) url: String,
    served: Arc<Served>,
}

struct Served {
    /// The file, and its `ETag`.
    version: Mutex<(Arc<Vec<u8>>, &'static str)>,
    is_slow: AtomicBool,
    /// Whose turn it is while it is slow, over however many connections.
    turn: Mutex<()>,
    says_ranges: bool,
    /// What it does when a part is asked for.
    answers: Mutex<Answers>,
    /// Bytes of bodies.
    sent_bytes: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
enum Answers {
    Part,
    Whole,
    Unsatisfiable,
    /// Nothing to any request, nor the rest of an answer.
    Nothing,
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(body).expect("a thread");
}

impl WebServer {
    /// One that sends slowly.
    pub(crate) fn start(bytes: &[u8], says_ranges: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/a.bin", listener.local_addr().expect("an address"));
        let served = Arc::new(Served {
            version: Mutex::new((Arc::new(bytes.to_vec()), "\"1\"")),
            is_slow: AtomicBool::new(true),
            turn: Mutex::new(()),
            says_ranges,
            answers: Mutex::new(Answers::Part),
            sent_bytes: AtomicU64::new(0),
        });
        let for_peers = Arc::clone(&served);
        let accepts = move || {
            for peer in listener.incoming() {
                let (served, peer) = (Arc::clone(&for_peers), peer.expect("it comes"));
                // Whoever has gone meanwhile wants nothing.
                start("answers", move || served.answer(peer).unwrap_or_default());
            }
        };
        start("accepts", accepts);
        Self { url, served }
    }

    /// From now on it sends as fast as it can, and counts anew.
    fn hurry(&self) {
        self.served.is_slow.store(false, Ordering::SeqCst);
        self.served.sent_bytes.store(0, Ordering::SeqCst);
    }

    fn answer_with(&self, answer: Answers) {
        *lock(&self.served.answers) = answer;
    }

    fn replace(&self, bytes: &[u8], etag: &'static str) {
        *lock(&self.served.version) = (Arc::new(bytes.to_vec()), etag);
    }

    fn sent_bytes(&self) -> u64 {
        self.served.sent_bytes.load(Ordering::SeqCst)
    }
}

impl Served {
    fn answer(&self, mut peer: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(peer.try_clone()?).lines();
        let is_head = lines.next().transpose()?.is_some_and(|line| line.starts_with("HEAD"));
        let (mut range, mut condition) = (None, None);
        for line in lines {
            let line = line?.to_ascii_lowercase();
            match line.split_once(": ") {
                None => break,
                Some(("range", value)) => range = value.strip_prefix("bytes=").map(str::to_owned),
                Some(("if-range", value)) => condition = Some(value.to_owned()),
                Some(_) => {}
            }
        }
        let (bytes, etag) = lock(&self.version).clone();
        let how = *lock(&self.answers);
        let total = bytes.len();
        let asked = range.and_then(|range| {
            let (first, last) = range.split_once('-')?;
            Some((first.parse().ok()?, last.parse().unwrap_or(total - 1)))
        });
        let asked: Option<(usize, usize)> = asked.filter(|_| condition.is_none_or(|condition| condition == etag));
        let ranges = if self.says_ranges {
            "Accept-Ranges: bytes\r\n"
        } else {
            ""
        };
        let (status, body, more) = match (how, asked) {
            (Answers::Nothing, _) => return Ok(()),
            (Answers::Unsatisfiable, Some(_)) => ("416 Range Not Satisfiable", 0..0, String::new()),
            (Answers::Part, Some((first, last))) => {
                let told = format!("Content-Range: bytes {first}-{last}/{total}\r\n");
                ("206 Partial Content", first..last + 1, told)
            }
            _ => ("200 OK", 0..total, String::new()),
        };
        let len = body.len();
        let head = format!("HTTP/1.1 {status}\r\nETag: {etag}\r\nContent-Length: {len}\r\n{ranges}{more}\r\n");
        peer.write_all(head.as_bytes())?;
        for piece in bytes[body].chunks(64 << 10).filter(|_| !is_head) {
            if matches!(*lock(&self.answers), Answers::Nothing) {
                break;
            }
            peer.write_all(piece)?;
            self.sent_bytes.fetch_add(piece.len() as u64, Ordering::SeqCst);
            if self.is_slow.load(Ordering::SeqCst) {
                let _turn = lock(&self.turn);
                std::thread::sleep(Duration::from_millis(3));
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until so many blocks are written down.
fn until_recorded(dir: &Dir, blocks: u64) {
    until_recorded_in(&dir.path().join("out"), blocks);
}

/// A server and a fetch from it into a file or a folder, of which so much is written down.
fn begun(options: &str) -> (Dir, Vec<u8>, WebServer, Process) {
    let (dir, bytes) = (Dir::new(), file(BYTES));
    dir.folder("out");
    let server = WebServer::start(&bytes, true);
    let process = fetching(&dir, &format!("{} {options}", server.url)).start();
    until_recorded(&dir, 12);
    (dir, bytes, server, process)
}

/// Fetches all of it. Returns how much was there, and what is told.
fn go_on(dir: &Dir, server: &WebServer, options: &str) -> (u64, Json) {
    server.hurry();
    let ended: Ended = fetch(dir, &format!("{} --json {options}", server.url)).done();
    let objects = ended.objects();
    let finished = event(&objects, "finished").clone();
    (finished["resumed_bytes"].as_u64().unwrap_or(0), finished)
}

fn assert_whole(dir: &Dir, bytes: &[u8]) {
    assert_eq!(names_in(&dir.path().join("out")), ["a.bin"]);
    assert!(dir.read("out/a.bin") == bytes, "other bytes");
}

#[test]
fn what_a_killed_fetch_had_is_not_asked_for_again_over_one_connection_or_several() {
    for (options, again) in [
        ("--into out", "--into out"),
        ("--into out/a.bin --streams 4", "--into out/a.bin --streams 4"),
        ("--into out --streams 4 --no-sync", "--into out"),
        ("--into out", "--into out --streams 3"),
    ] {
        let (dir, bytes, server, process) = begun(options);
        process.signal(Signal::KILL);
        drop(process);
        let (there, finished) = go_on(&dir, &server, again);
        assert!(there >= 12 * BLOCK && there < BYTES as u64, "{options}: {there}");
        let sent = server.sent_bytes();
        assert!(
            sent < BYTES as u64 - there + UNREAD_BYTES_MAX,
            "{options}: {sent} beside {there}"
        );
        assert_eq!(finished["bytes"], BYTES);
        assert_whole(&dir, &bytes);
        // Of all of it, wherever it came from.
        let all = fetch(&dir, &format!("{} --json --into discard", server.url)).done();
        assert_eq!(finished["checksum"], event(&all.objects(), "finished")["checksum"]);
    }
}

#[test]
fn a_fetch_is_told_from_its_beginning_how_much_was_there() {
    let (dir, bytes, server, process) = begun("--into out");
    process.signal(Signal::KILL);
    drop(process);
    server.hurry();
    let ended = fetch(&dir, &format!("{} --json --into out", server.url)).done();
    let objects = ended.objects();
    let (started, finished) = (event(&objects, "started"), event(&objects, "finished"));
    assert!(started["resumed_bytes"].as_u64() >= Some(12 * BLOCK), "{started}");
    assert_eq!(started["resumed_bytes"], finished["resumed_bytes"]);
    let previews: Vec<_> = objects.iter().filter(|object| object["event"] == "preview").collect();
    assert_eq!(previews.last().expect("a preview")["values"][0], f64::from(bytes[0]));
    let samples = objects.iter().filter(|object| object["event"] == "sample");
    let moved = samples.filter_map(|sample| sample["bytes"].as_u64()).max();
    let missing = BYTES as u64 - finished["resumed_bytes"].as_u64().expect("bytes");
    assert!(moved.is_none_or(|moved| moved <= missing), "{moved:?} of {missing}");
    assert_whole(&dir, &bytes);
}

#[test]
fn a_fetch_that_is_stopped_keeps_what_it_has_and_one_that_is_cancelled_does_not() {
    for (stops, is_kept) in [(true, true), (false, false)] {
        let (dir, bytes, server, process) = begun("--into out --streams 2");
        if stops {
            process.signal(Signal::TERM);
        } else {
            dir.run(&format!("attach {} --cancel 1", process.id()));
        }
        process.wait().failed(1, &["cancelled"]);
        let there = names_in(&dir.path().join("out"));
        assert_eq!(log_in(&dir.path().join("out")).is_some(), is_kept, "{there:?}");
        assert!(is_kept || there.is_empty(), "{there:?}");
        let (there, _) = go_on(&dir, &server, "--into out");
        assert_eq!(there >= 4 * BLOCK, is_kept, "{there}");
        assert_whole(&dir, &bytes);
    }
}

#[test]
fn a_fetch_that_failed_goes_on_when_its_server_is_back() {
    let (dir, bytes, server, process) = begun("--into out");
    server.answer_with(Answers::Nothing);
    process.wait().failed(1, &["closed"]);
    server.answer_with(Answers::Part);
    let (there, _) = go_on(&dir, &server, "--into out");
    assert!(there >= 12 * BLOCK, "{there}");
    assert_whole(&dir, &bytes);
}

#[test]
fn a_file_that_was_changed_on_its_server_begins_anew() {
    let (dir, bytes, server, process) = begun("--into out");
    process.signal(Signal::KILL);
    drop(process);
    let other: Vec<u8> = bytes.iter().rev().copied().collect();
    server.replace(&other, "\"2\"");
    let (there, finished) = go_on(&dir, &server, "--into out");
    assert_eq!(there, 0);
    let note = finished["note"].as_str().unwrap_or_default();
    assert!(note.contains("was not gone on with"), "{finished}");
    assert!(dir.read("out/a.bin") == other);
}

#[test]
fn a_server_that_does_not_send_the_rest_is_asked_for_all_of_it() {
    for (answer, why) in [
        (Answers::Whole, "the server sent all of it where the rest was asked for"),
        (Answers::Unsatisfiable, "the file was changed on its server"),
    ] {
        for streams in ["", "--streams 4"] {
            let (dir, bytes, server, process) = begun(&format!("--into out {streams}"));
            process.signal(Signal::KILL);
            drop(process);
            server.answer_with(answer);
            let (there, finished) = go_on(&dir, &server, "--into out");
            assert_eq!(there, 0, "{answer:?}");
            let note = finished["note"].as_str().unwrap_or_default();
            assert!(
                note.contains("from its first byte again once") && note.contains(why),
                "{finished}"
            );
            assert_whole(&dir, &bytes);
        }
    }
}

#[test]
fn of_a_server_that_does_not_say_that_it_sends_parts_nothing_is_kept() {
    let (dir, bytes) = (Dir::new(), file(BYTES));
    dir.folder("out");
    let server = WebServer::start(&bytes, false);
    let mut process = fetching(&dir, &format!("{} --into out --json", server.url)).start();
    while !process.line().contains("\"sample\"") || server.sent_bytes() < 8 * BLOCK {}
    assert!(log_in(&dir.path().join("out")).is_none());
    process.signal(Signal::TERM);
    process.wait().failed(1, &["cancelled"]);
    assert!(names_in(&dir.path().join("out")).is_empty());
}
