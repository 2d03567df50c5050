//! Files from web servers: a real nginx, and a plain Python server that fails in every way it can.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Arraylift, Dir, Ended};

/// Bytes that no shift of them is like.
pub(crate) fn file(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// `arraylift fetch`, without the proxies that this machine may have.
pub(crate) fn fetching(dir: &Dir, arguments: &str) -> Arraylift {
    dir.arraylift(["fetch"].into_iter().chain(arguments.split_whitespace()))
        .env("no_proxy", "127.0.0.1,localhost")
}

pub(crate) fn fetch(dir: &Dir, arguments: &str) -> Ended {
    fetching(dir, arguments).run()
}

/// A server, killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    said: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python server of `bytes` that breaks off after so many of them.
pub(crate) fn python_server(dir: &Dir, bytes: &[u8], break_after: usize) -> Server {
    let served = dir.write("served", bytes);
    python_peer(
        "http_server.py",
        &[served.as_os_str(), break_after.to_string().as_ref()],
    )
}

/// A program of tests/peers that prints where it listens.
pub(crate) fn python_peer(name: &str, arguments: &[&OsStr]) -> Server {
    python_program("ARRAYLIFT_PYTHON", name, arguments)
}

/// The same, by the Python that a variable names.
pub(crate) fn python_program(python: &str, name: &str, arguments: &[&OsStr]) -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name);
    let mut child = Command::new(variable(python))
        .arg(script)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let said = BufReader::new(child.stdout.take().expect("piped"));
    let address = String::new();
    let mut server = Server { child, said, address };
    server.address = server.line();
    server
}

/// A certificate of its own for localhost, `cert.pem` with `key.pem`; one that may sign others where it `is_ca`.
pub(crate) fn make_certificate(dir: &Dir, is_ca: bool) {
    let constraint = if is_ca { "TRUE" } else { "FALSE" };
    let certificate = Command::new("openssl")
        .args("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=nobody-else-has-this-name".split(' '))
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", &format!("basicConstraints=critical,CA:{constraint}")])
        .current_dir(dir.path())
        .stderr(Stdio::null())
        .status();
    assert!(certificate.expect("openssl runs").success());
}

impl Server {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("UTF-8");
        line.trim_end().to_owned()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The range and the version that were asked for next.
    fn asked(&mut self) -> [Option<String>; 2] {
        let line: Json = serde_json::from_str(&self.line()).expect("JSON");
        ["range", "if_range"].map(|name| line[name].as_str().map(str::to_owned))
    }
}

/// An nginx of the folder `www`, over HTTP and over HTTPS with the certificate `cert.pem`.
pub(crate) struct Nginx {
    _server: Server,
    pub(crate) http: String,
    pub(crate) https: String,
}

pub(crate) fn nginx(dir: &Dir) -> Nginx {
    make_certificate(dir, false);
    let here = dir.path().display();
    let [http, https] = free_ports();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {here}/tmp; "))
        .concat();
    dir.write(
        "nginx.conf",
        format!(
            "daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/error.log notice;
             events {{ }}
             http {{ access_log off; sendfile on; {temporary}
               server {{ listen 127.0.0.1:{http}; root {here}/www;
                 location = /round-about {{ return 302 https://localhost:{https}/insecure; }}
                 location /slow/ {{ alias {here}/www/; limit_rate 2m; }} }}
               server {{ listen 127.0.0.1:{https} ssl; root {here}/www;
                 ssl_certificate {here}/cert.pem; ssl_certificate_key {here}/key.pem;
                 location = /insecure {{ return 302 http://127.0.0.1:{http}/big.bin; }} }} }}"
        ),
    );
    let arguments = ["-p", &here.to_string(), "-c", "nginx.conf"];
    let log = dir.path().join("error.log");
    Nginx {
        _server: listening_at(http, "ARRAYLIFT_NGINX", &arguments, &log),
        http: format!("http://127.0.0.1:{http}"),
        https: format!("https://localhost:{https}"),
    }
}

/// Ports that were free a moment ago, for servers that take no port 0 and tell which one it became.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| std::net::TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// A server, the program of which a variable names, once it listens at that port. It complains in `log`.
pub(crate) fn listening_at(port: u16, program: &str, arguments: &[&str], log: &Path) -> Server {
    let mut child = Command::new(variable(program))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let said = BufReader::new(child.stdout.take().expect("piped"));
    let address = format!("127.0.0.1:{port}");
    let mut server = Server { child, said, address };
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = server.child.try_wait().expect("its own child");
        assert!(ended.is_none(), "{:?}", std::fs::read_to_string(log));
        std::thread::sleep(Duration::from_millis(2));
    }
    server
}

/// A folder that an nginx serves, with one file of so many bytes.
fn served(dir: &Dir, len: usize) -> (Nginx, Vec<u8>) {
    dir.folder("www");
    let bytes = file(len);
    dir.write("www/big.bin", &bytes);
    let yesterday = SystemTime::now() - Duration::from_hours(24);
    let big = File::options()
        .write(true)
        .open(dir.path().join("www/big.bin"))
        .expect("a file");
    big.set_modified(yesterday).expect("an older file");
    dir.folder("out");
    (nginx(dir), bytes)
}

pub(crate) fn event<'a>(objects: &'a [Json], name: &str) -> &'a Json {
    let found = objects.iter().find(|object| object["event"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {objects:?}"))
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX"]
fn a_file_comes_from_nginx_as_it_is_over_http_and_https() {
    let dir = Dir::new();
    let (nginx, bytes) = served(&dir, 30_000_001);
    for (from, options) in [(&nginx.http, ""), (&nginx.https, "--ca cert.pem")] {
        let ended = fetch(&dir, &format!("{from}/big.bin --into out/ {options}")).done();
        let line = ended.stdout.lines().next().expect("a line").to_owned();
        assert!(
            line.starts_with(&format!("30.0 MB received from {from}/big.bin in ")),
            "{line}"
        );
        assert!(line.contains("written to out/big.bin, on disk (the last "), "{line}");
        assert!(dir.read("out/big.bin") == bytes);
        assert_eq!(crate::common::names_in(&dir.path().join("out")), ["big.bin"]);
        std::fs::remove_file(dir.path().join("out/big.bin")).expect("removed");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX"]
fn the_same_checksum_is_told_however_a_file_comes_from_nginx() {
    let dir = Dir::new();
    let (nginx, bytes) = served(&dir, 40_000_000);
    let mut checksums = Vec::new();
    for (from, options, streams) in [
        (&nginx.http, "--into memory", 1),
        (&nginx.http, "--into discard --chunk 4KiB", 1),
        (&nginx.http, "--into out/a.npy --streams 3", 3),
        (&nginx.http, "--into out/b.bin --streams 16", 4),
        (&nginx.https, "--into out/c.bin --streams 2 --ca cert.pem", 2),
    ] {
        let ended = fetch(&dir, &format!("{from}/big.bin --json {options}")).done();
        let objects = ended.objects();
        assert_eq!(event(&objects, "started")["streams"], streams, "{options}");
        let finished = event(&objects, "finished");
        assert_eq!(
            (&finished["bytes"], &finished["verified"]),
            (&40_000_000.into(), &Json::Null)
        );
        checksums.push(finished["checksum"].as_str().expect("a checksum").to_owned());
        if let Some(path) = finished["path"].as_str() {
            assert!(dir.read(path) == bytes, "{options}");
        }
    }
    checksums.dedup();
    assert_eq!(checksums.len(), 1, "{checksums:?}");
    // It is the one that a transfer of the same file is verified with.
    let sent = dir.run("loopback www/big.bin --json").done();
    assert_eq!(event(&sent.objects(), "finished")["checksum"], checksums[0].as_str());
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX"]
fn many_files_come_from_nginx_a_few_at_once_and_one_that_is_missing_concerns_no_other() {
    let dir = Dir::new();
    let (nginx, _) = served(&dir, 1);
    let urls: Vec<String> = (0..20)
        .map(|index| {
            dir.write(&format!("www/{index}.bin"), file(1000 * index));
            format!("{}/{index}.bin", nginx.http)
        })
        .collect();
    let ended = fetch(
        &dir,
        &format!("{} {}/no --into out --jobs 3", urls.join(" "), nginx.http),
    );
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stdout.lines().last(), Some("20 fetched, 1 failed"));
    assert!(ended.stderr.contains("/no: the server answered 404 Not Found"));
    for index in 0..20 {
        assert_eq!(dir.read(&format!("out/{index}.bin")), file(1000 * index));
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX"]
fn nothing_is_overwritten_and_a_npy_file_from_nginx_keeps_its_own_header() {
    let dir = Dir::new();
    let (nginx, _) = served(&dir, 1);
    let array = crate::npy("'<f8'", "(3,)", &crate::floats(3));
    dir.write("www/a%20b.npy", &array);
    dir.write("www/a b.npy", &array);
    dir.write("out/a b.npy", b"mine");
    let url = format!("{}/a%20b.npy", nginx.http);
    let ended = fetch(&dir, &format!("{url} --into out")).done();
    assert!(ended.stdout.contains("out/a b.npy existed"), "{}", ended.stdout);
    assert_eq!(dir.read("out/a b.npy"), b"mine");
    assert_eq!(dir.read("out/a b-1.npy"), array);
    fetch(&dir, &format!("{url} --into out/a.npy")).done();
    assert_eq!(dir.read("out/a.npy"), array);
    fetch(&dir, &format!("{url} --into out/a.npy")).failed(1, &["out/a.npy exists and is never overwritten"]);
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX"]
fn a_certificate_of_nginx_that_nobody_vouches_for_is_refused_and_so_is_a_way_out_of_https() {
    let dir = Dir::new();
    let (nginx, _) = served(&dir, 1000);
    let https = &nginx.https;
    fetch(&dir, &format!("{https}/big.bin --into out"))
        .failed(1, &["not trusted", "signed its certificate", "--ca FILE"]);
    let numeric = https.replace("localhost", "127.0.0.1");
    fetch(&dir, &format!("{numeric}/big.bin --into out --ca cert.pem"))
        .failed(1, &["not trusted", "not valid for name"]);
    fetch(&dir, &format!("{https}/insecure --into out --ca cert.pem"))
        .failed(1, &["it leads to http://", "anyone could read and change it"]);
    fetch(&dir, &format!("{}/round-about --into out --ca cert.pem", nginx.http))
        .failed(1, &["it leads to http://", "anyone could read and change it"]);
    let plain = https.replace("https", "http");
    fetch(&dir, &format!("{plain}/big.bin --into out")).failed(1, &["400 Bad Request"]);
    let secret = nginx.http.replace("http", "https");
    fetch(&dir, &format!("{secret}/big.bin --into out --ca cert.pem")).failed(1, &["another protocol", "try http://"]);
    fetch(&dir, &format!("{https}/big.bin --ca key.pem")).failed(2, &["key.pem has no certificate in it"]);
    assert!(crate::common::names_in(&dir.path().join("out")).is_empty());
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX"]
fn ctrl_c_ends_a_fetch_from_nginx_at_once_and_leaves_nothing_but_what_can_be_gone_on_with() {
    let dir = Dir::new();
    let (nginx, _) = served(&dir, 50_000_000);
    for from in ["", "--limit 1MB/s "] {
        let path = if from.is_empty() { "slow/big.bin" } else { "big.bin" };
        let mut process = fetching(&dir, &format!("{}/{path} --into out --json {from}", nginx.http)).start();
        while !process.line().contains("\"sample\"") {}
        process.signal(Signal::INT);
        process.wait().failed(1, &["cancelled"]);
        let names = crate::common::names_in(&dir.path().join("out"));
        let is_part = |name: &String| name.contains(".arraylift-");
        assert!(names.iter().all(is_part) && names.len() != 1, "{names:?}");
        dir.run("resume --in out --discard").done();
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX"]
fn whoever_is_attached_watches_and_steers_a_fetch_from_nginx() {
    let dir = Dir::new();
    let (nginx, _) = served(&dir, 50_000_000);
    let mut process = fetching(
        &dir,
        &format!("{}/big.bin --into discard --json --limit 1MB/s", nginx.http),
    )
    .start();
    while !process.line().contains("\"sample\"") {}
    let status = dir.run("status").done().stdout;
    assert!(
        status.contains("fetch http://127.0.0.1") && status.contains("big.bin"),
        "{status}"
    );
    let id = process.id().to_string();
    dir.run(&format!("attach {id} --limit 1=none")).done();
    process.wait().done();
}

/// A file of which a server breaks off half, twice as large as what is worth another try.
pub(crate) const HALF: usize = 2 << 20;

pub(crate) fn broken() -> (Dir, Server, Vec<u8>) {
    let dir = Dir::new();
    let bytes = file(2 * HALF);
    let server = python_server(&dir, &bytes, HALF);
    (dir, server, bytes)
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_connection_that_breaks_is_followed_by_one_that_goes_on_in_the_same_file_of_a_python_server() {
    for (path, version) in [("breaks", "\"v1\""), ("dated", "Thu, 26 Nov 2026 10:00:00 GMT")] {
        let (dir, mut server, bytes) = broken();
        let ended = fetch(&dir, &format!("{} --into a.bin", server.url(path))).done();
        assert!(
            ended
                .stdout
                .contains("note: the connection broke once, and another one went on"),
            "{}",
            ended.stdout
        );
        assert!(dir.read("a.bin") == bytes);
        assert_eq!(server.asked(), [None, None]);
        assert_eq!(server.asked(), [Some(format!("bytes={HALF}-")), Some(version.into())]);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn what_is_missing_comes_however_a_python_server_sends_the_rest() {
    for (path, breaks) in [
        ("ignores-ranges", "once"),
        ("little-by-little", "once"),
        ("pieces", "once"),
        ("busy", "2 times"),
    ] {
        let (dir, server, bytes) = broken();
        let ended = fetch(&dir, &format!("{} --into a.bin", server.url(path))).done();
        assert!(
            ended.stdout.contains(&format!("broke {breaks},")),
            "{path}: {}",
            ended.stdout
        );
        assert!(dir.read("a.bin") == bytes, "{path}");
    }
    let (dir, server, bytes) = broken();
    fetch(&dir, &format!("{} --into a.bin --timeout 300ms", server.url("silent"))).done();
    assert!(dir.read("a.bin") == bytes);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn two_files_are_never_mixed_into_one_whatever_a_python_server_sends() {
    for (path, words) in [
        ("always-rewritten", "was changed on its server"),
        ("crumbs", "closed the connection early"),
        ("endless", "Content-Length is no number"),
        ("nameless", "closed the connection early: 2.10 of 4.19 MB"),
        ("chunked-breaks", "in the middle of the file"),
        ("until-reset", "in the middle of the file"),
        ("contradicts", "conflicting content-length"),
        ("garbage", "another protocol"),
        ("endless-head", "another protocol"),
        ("round", "leads elsewhere more than 10 times"),
        ("nothing", "404 Not Found"),
    ] {
        let (dir, server, _) = broken();
        dir.folder("out");
        let url = server.url(path);
        fetch(&dir, &format!("{url} --into out")).failed(1, &[words]);
        assert!(crate::common::names_in(&dir.path().join("out")).is_empty(), "{path}");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_python_server_that_never_answers_again_is_given_up_after_five_tries() {
    let (dir, mut server, _) = broken();
    let url = server.url("never-again");
    fetch(&dir, &format!("{url} --into discard")).failed(1, &[&server.address, "before it answered"]);
    for _ in 0..6 {
        server.asked();
    }
    assert!(server.child.try_wait().expect("its own child").is_none());
    let mute = server.url("mute");
    fetch(&dir, &format!("{mute} --into discard --timeout 300ms")).failed(1, &["said nothing for 0.3 s"]);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_file_whose_length_a_python_server_does_not_tell_grows_as_it_comes() {
    for path in ["chunked", "until-closed"] {
        let (dir, server, bytes) = broken();
        let ended = fetch(&dir, &format!("{} --into a.bin --json", server.url(path))).done();
        assert!(dir.read("a.bin") == bytes, "{path}");
        let objects = ended.objects();
        assert_eq!(event(&objects, "started")["total_bytes"], Json::Null);
        assert_eq!(event(&objects, "finished")["bytes"], bytes.len());
        fetch(&dir, &format!("{} --into discard", server.url(path))).done();
        fetch(&dir, &format!("{} --into memory", server.url(path))).failed(1, &["does not tell its length"]);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn where_a_python_server_redirects_to_is_followed_under_the_first_name() {
    let (dir, server, bytes) = broken();
    dir.folder("out");
    fetch(&dir, &format!("{} --into out", server.url("leads-to-whole"))).done();
    assert!(dir.read("out/leads-to-whole") == bytes);
    // The rest comes from where the beginning came from, though the redirect leads elsewhere by then.
    fetch(&dir, &format!("{} --into out", server.url("here-and-there"))).done();
    assert!(dir.read("out/here-and-there") == bytes);
    let encoded = fetch(&dir, &format!("{} --into out", server.url("encoded"))).done();
    assert!(
        encoded.stdout.contains("encoded as gzip, and that is what is kept"),
        "{}",
        encoded.stdout
    );
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_location_of_a_python_server_that_is_only_a_query_keeps_the_path() {
    let (dir, server, bytes) = broken();
    dir.folder("out");
    fetch(&dir, &format!("{} --into out", server.url("signed/a.npy"))).done();
    assert!(dir.read("out/a.npy") == bytes);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_location_of_a_python_server_with_raw_letters_spaces_and_quotes_is_followed() {
    let (dir, server, bytes) = broken();
    dir.folder("out");
    fetch(&dir, &format!("{} --into out", server.url("raw"))).done();
    assert!(dir.read("out/raw") == bytes);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn where_a_python_server_leads_to_a_user_or_nowhere_it_is_not_followed() {
    let (dir, server, _) = broken();
    let url = server.url("to-a-user");
    let ended = fetch(&dir, &format!("{url} --into discard")).failed(1, &["a name and a password"]);
    assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    fetch(&dir, &format!("{} --into discard", server.url("nowhere"))).failed(1, &["302 Found"]);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_length_of_a_python_server_that_no_disk_has_is_refused_before_it_is_taken() {
    let (dir, server, _) = broken();
    dir.folder("out");
    let url = server.url("huge");
    fetch(&dir, &format!("{url} --into out")).failed(1, &["are free there"]);
    fetch(&dir, &format!("{url} --into memory")).failed(1, &["of memory are needed"]);
    assert!(crate::common::names_in(&dir.path().join("out")).is_empty());
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_file_comes_again_from_its_first_byte_where_a_python_server_does_not_prove_that_its_rest_fits() {
    let bytes = file(2 * HALF);
    let other: Vec<u8> = bytes.iter().rev().copied().collect();
    for (path, expected, why) in [
        ("nameless-once", &bytes[..], "does not name the version"),
        ("weak", &bytes, "ETag is weak"),
        ("outlives", &other, "changed on its server"),
        ("fresh", &other, "less than two seconds before"),
        ("rewritten", &other, "changed on its server while it came"),
        ("changes", &other, "changed on its server"),
        ("shrinks", &other[..10], "changed on its server"),
        ("unnamed-rest", &bytes, "did not name the version"),
        ("elsewhere", &bytes, "did not send the rest of it"),
        ("no-rest", &bytes, "did not send the rest of it"),
        ("back-soon", &bytes, "does not name the version"),
        ("says-less", &other, "changed on its server while it came"),
    ] {
        let (dir, server, _) = broken();
        dir.folder("out");
        let ended = fetch(&dir, &format!("{} --into out", server.url(path))).done();
        assert!(dir.read(&format!("out/{path}")) == expected, "{path}");
        let words = "it came from its first byte again once: ";
        assert!(
            ended.stdout.contains(words) && ended.stdout.contains(why),
            "{path}: {}",
            ended.stdout
        );
        assert_eq!(crate::common::names_in(&dir.path().join("out")), [path]);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_python_server_is_asked_after_the_last_byte_whether_the_file_is_still_the_same() {
    let (dir, server, bytes) = broken();
    // Where HEAD is not answered, one byte is asked for; where nothing is, that is told.
    let ended = fetch(&dir, &format!("{} --into a.bin", server.url("no-head"))).done();
    assert!(
        dir.read("a.bin") == bytes && !ended.stdout.contains("note:"),
        "{}",
        ended.stdout
    );
    let ended = fetch(&dir, &format!("{} --into b.bin", server.url("no-second-look"))).done();
    assert!(dir.read("b.bin") == bytes);
    assert!(
        ended
            .stdout
            .contains("did not say afterwards whether the file had changed"),
        "{}",
        ended.stdout
    );
    // The same bytes are called another version each time: they came whole twice.
    fetch(&dir, &format!("{} --into c.bin", server.url("always-new"))).done();
    assert!(dir.read("c.bin") == bytes);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn odd_answers_of_a_python_server_are_files_and_a_busy_one_is_asked_when_it_wants() {
    let (dir, server, bytes) = broken();
    fetch(&dir, &format!("{} --into empty.bin", server.url("empty"))).done();
    assert!(dir.read("empty.bin").is_empty());
    fetch(&dir, &format!("{} --into copy.bin", server.url("copy"))).done();
    assert!(dir.read("copy.bin") == bytes);
    let began = std::time::Instant::now();
    fetch(&dir, &format!("{} --into later.bin", server.url("later"))).done();
    assert!(dir.read("later.bin") == bytes && began.elapsed() >= Duration::from_secs(1));
    fetch(&dir, &format!("{} --into never.bin", server.url("much-later")))
        .failed(1, &["429 Too Many Requests", "asks to be left alone for 3,600 s"]);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_python_server_that_serves_one_connection_is_asked_for_each_part_over_it_and_fewer_streams_are_told() {
    let dir = Dir::new();
    let bytes = file(17 << 20);
    let server = python_server(&dir, &bytes, 0);
    let ended = fetch(
        &dir,
        &format!("{} --into a.bin --streams 2", server.url("one-at-a-time")),
    )
    .done();
    assert!(dir.read("a.bin") == bytes);
    let words = "did not serve 1 of 2 connections";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
    let ended = fetch(&dir, &format!("{} --into b.bin --streams 2", server.url("whole"))).done();
    let words = "over one connection in place of 2: the server does not say that it sends parts";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
}

/// What the scripts that run the tests have set.
fn variable(name: &str) -> OsString {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set"))
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_file_of_a_python_server_that_changes_while_it_comes_over_several_connections_comes_again_over_as_many() {
    let dir = Dir::new();
    let bytes = file(33 << 20);
    let other: Vec<u8> = bytes.iter().rev().copied().collect();
    let server = python_server(&dir, &bytes, 0);
    dir.folder("out");
    let ended = fetch(
        &dir,
        &format!("{} --into out --streams 4 --json", server.url("replaced")),
    )
    .done();
    assert!(dir.read("out/replaced") == other);
    let objects = ended.objects();
    let begun: Vec<_> = objects.iter().filter(|object| object["event"] == "started").collect();
    assert_eq!(begun.len(), 2, "{begun:?}");
    assert_eq!(begun[1]["streams"], 4);
    let finished = event(&objects, "finished");
    assert_eq!(finished["bytes"], other.len());
    let note = finished["note"].as_str().unwrap_or_default();
    assert_eq!(
        note,
        "it came from its first byte again once: the file was changed on its server"
    );
    let samples: Vec<_> = objects.iter().filter(|object| object["event"] == "sample").collect();
    assert_eq!(
        samples.last().expect("a sample")["bytes"],
        other.len(),
        "what came of the other file counts for nothing"
    );
    // One that changes each time is given up, and nothing of it stays.
    let url = server.url("always-replaced");
    fetch(&dir, &format!("{url} --into out --streams 4")).failed(1, &["changed on its server"]);
    assert_eq!(crate::common::names_in(&dir.path().join("out")), ["replaced"]);
}

/// A server of `bytes` over TLS, whose end tells their length.
fn tls_server(dir: &Dir, bytes: &[u8], is_ca: bool) -> Server {
    make_certificate(dir, is_ca);
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name));
    let served = dir.write("served", bytes);
    python_peer(
        "tls_server.py",
        &[cert.as_os_str(), key.as_os_str(), served.as_os_str()],
    )
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_file_that_ends_with_its_connection_is_whole_only_where_tls_of_a_python_server_ends_in_order() {
    let dir = Dir::new();
    let bytes = file(HALF);
    let server = tls_server(&dir, &bytes, false);
    dir.folder("out");
    let url = server.url("orderly").replace("http:", "https:");
    fetch(&dir, &format!("{url} --into out --ca cert.pem")).done();
    assert!(dir.read("out/orderly") == bytes);
    let url = server.url("torn").replace("http:", "https:");
    fetch(&dir, &format!("{url} --into out --ca cert.pem")).failed(1, &["in the middle of the file"]);
    assert_eq!(crate::common::names_in(&dir.path().join("out")), ["orderly"]);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_certificate_of_a_python_server_that_may_sign_others_is_taken_where_it_was_named_itself() {
    let dir = Dir::new();
    let bytes = file(1000);
    let server = tls_server(&dir, &bytes, true);
    let url = server.url("orderly").replace("http:", "https:");
    fetch(&dir, &format!("{url} --into a.bin --ca cert.pem")).done();
    assert!(dir.read("a.bin") == bytes);
    let numeric = url.replace("localhost", "127.0.0.1");
    fetch(&dir, &format!("{numeric} --into b.bin --ca cert.pem")).failed(1, &["not trusted", "not valid for name"]);
    fetch(&dir, &format!("{url} --into b.bin")).failed(1, &["not trusted"]);
    make_certificate(&dir, true);
    fetch(&dir, &format!("{url} --into b.bin --ca cert.pem")).failed(1, &["not trusted"]);
}

/// `arraylift fetch` by way of the proxies that these variables name, and no others.
pub(crate) fn by_proxy(dir: &Dir, variables: &[(&str, &str)], arguments: &str) -> Ended {
    let mut command = dir.arraylift(["fetch"].into_iter().chain(arguments.split_whitespace()));
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command = command.env(name, "").env(&name.to_ascii_uppercase(), "");
    }
    for (name, value) in variables {
        command = command.env(name, value);
    }
    command.run()
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn http_goes_through_a_python_proxy_by_whole_urls_and_everything_by_socks5_where_that_is_asked_for() {
    let (dir, server, bytes) = broken();
    let url = server.url("breaks");
    let (host, port) = server.address.split_once(':').expect("a port");
    let named = url.replace(host, "localhost");
    for (kind, url, asked) in [
        ("http://user:pa%3Ass", &url, format!("GET {url}")),
        ("socks5://user:pa%3Ass", &url, format!("SOCKS5 127.0.0.1:{port}")),
        ("socks5h://user:pa%3Ass", &named, format!("SOCKS5 localhost:{port}")),
        ("socks4://user", &url, format!("SOCKS4 127.0.0.1:{port}")),
        ("socks4a://user", &named, format!("SOCKS4 localhost:{port}")),
    ] {
        let mut proxy = python_peer("proxy.py", &[OsStr::new("user:pa:ss")]);
        let through = format!("{kind}@{}", proxy.address);
        by_proxy(&dir, &[("all_proxy", &through)], &format!("{url} --into a.bin")).done();
        assert!(dir.read("a.bin") == bytes, "{kind}");
        assert_eq!(proxy.line(), asked);
        std::fs::remove_file(dir.path().join("a.bin")).expect("removed");
        let wrong = format!("{}@{}", kind.replace("user", "other"), proxy.address);
        let failed = by_proxy(&dir, &[("http_proxy", &wrong)], &format!("{url} --into a.bin"));
        failed.failed(1, &["the proxy", &proxy.address, "of http_proxy", "in its URL"]);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_python_proxy_within_tls_is_trusted_as_a_server_is_and_leads_to_http_and_https() {
    let dir = Dir::new();
    let bytes = file(3_000_000);
    let server = tls_server(&dir, &bytes, false);
    let https = server.url("orderly").replace("http:", "https:");
    let plain = python_server(&dir, &bytes, 0);
    let http = plain.url("whole");
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name));
    let mut proxy = python_peer(
        "proxy.py",
        &[OsStr::new("user:pass"), cert.as_os_str(), key.as_os_str()],
    );
    let (_, port) = proxy.address.split_once(':').expect("a port");
    let port = port.to_owned();
    let through = format!("https://user:pass@localhost:{port}");
    for (url, asked) in [
        (&http, format!("GET {http}")),
        (&https, format!("CONNECT {}", server.address)),
    ] {
        let arguments = format!("{url} --ca cert.pem --into a.bin");
        by_proxy(&dir, &[("all_proxy", &through)], &arguments).done();
        assert!(dir.read("a.bin") == bytes, "{url}");
        std::fs::remove_file(dir.path().join("a.bin")).expect("it is there");
        while proxy.line() != asked {}
    }
    // Another name than the certificate's, nobody who vouches for it, and one that speaks no TLS.
    for (through, ca, words) in [
        (
            format!("https://user:pass@127.0.0.1:{port}"),
            "--ca cert.pem",
            "not valid for name",
        ),
        (through, "", "not trusted"),
        (format!("https://{}", plain.address), "--ca cert.pem", "the proxy"),
    ] {
        let arguments = format!("{http} --into a.bin {ca}");
        by_proxy(&dir, &[("http_proxy", &through)], &arguments)
            .failed(1, &["cannot use the proxy", "of http_proxy", words]);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_file_is_called_what_a_python_server_calls_it_where_that_is_asked_for() {
    let (dir, server, bytes) = broken();
    let out = dir.folder("out");
    for (path, option, name) in [
        ("named", "", "named"),
        ("named", "--name-from-server", "größe 1.npy"),
        ("named", "--name-from-server", "größe 1-1.npy"),
        ("named-badly", "--name-from-server", "evil.npy"),
        ("whole", "--name-from-server", "whole"),
    ] {
        fetch(&dir, &format!("{} --into out {option}", server.url(path))).done();
        assert!(dir.read(&format!("out/{name}")) == bytes, "{path} {option}");
    }
    assert_eq!(crate::common::names_in(&out).len(), 5);
    // A name of one's own comes first.
    fetch(
        &dir,
        &format!("{} --into mine.bin --name-from-server", server.url("named")),
    )
    .done();
    assert!(dir.read("mine.bin") == bytes);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn https_goes_through_a_python_proxy_by_connect() {
    let dir = Dir::new();
    let bytes = file(1000);
    let server = tls_server(&dir, &bytes, false);
    let url = server.url("orderly").replace("http:", "https:");
    let mut proxy = python_peer("proxy.py", &[]);
    let arguments = format!("{url} --ca cert.pem");
    // The one for http leads nowhere, and is not asked.
    let variables = [("http_proxy", "127.0.0.1:1"), ("HTTPS_PROXY", proxy.address.as_str())];
    by_proxy(&dir, &variables, &format!("{arguments} --into a.bin")).done();
    assert!(dir.read("a.bin") == bytes);
    assert_eq!(proxy.line(), format!("CONNECT {}", server.address));
    let socks = format!("socks5h://{}", proxy.address);
    by_proxy(&dir, &[("ALL_PROXY", &socks)], &format!("{arguments} --into b.bin")).done();
    // Whoever is exempt needs none, and the environment of a CGI program counts for nothing.
    let dead = "http://127.0.0.1:1";
    for variables in [
        &[("ALL_PROXY", dead), ("NO_PROXY", "a.example, localhost")][..],
        &[("HTTP_PROXY", dead)],
    ] {
        by_proxy(&dir, variables, &format!("{arguments} --into discard")).done();
    }
}

#[test]
fn a_dead_or_impossible_proxy_is_called_by_its_name() {
    let dir = Dir::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let dead = port.local_addr().expect("an address").to_string();
    drop(port);
    for kind in ["http", "socks5h"] {
        let proxy = format!("{kind}://{dead}");
        by_proxy(&dir, &[("all_proxy", &proxy)], "http://127.0.0.1:9/a")
            .failed(1, &["cannot use the proxy", &dead, "of all_proxy", "refused"]);
    }
    by_proxy(&dir, &[("http_proxy", "ftp://127.0.0.1")], "http://127.0.0.1:9/a")
        .failed(2, &["http_proxy names no proxy that can be used", "socks5h://"]);
}

#[test]
fn what_is_no_url_and_where_nobody_is_says_so() {
    let dir = Dir::new();
    let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    dir.write("broken.pem", broken);
    fetch(&dir, "https://a.example/a --ca broken.pem").failed(2, &["broken.pem has a certificate that cannot be read"]);
    fetch(&dir, "a.npy").failed(2, &["a.npy is no URL", "http://"]);
    fetch(&dir, "http://u:p@127.0.0.1/a").failed(2, &["a name and a password"]);
    fetch(&dir, "http://a.example/a http://a.example/b --into a.bin").failed(2, &["one file takes one URL"]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = port.local_addr().expect("an address");
    drop(port);
    fetch(&dir, &format!("http://{address}/a")).failed(1, &["nobody listens at", &address.to_string()]);
    fetch(&dir, &format!("http://{address}/a --into no/")).failed(1, &["no", "create it first"]);
}
