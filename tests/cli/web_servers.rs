//! Files from web servers that people use: nginx, and the servers of Python that `tests/peers/web_servers.txt` names.
//! Connections to them go through a relay, which breaks one midway, or stops it there until a file was replaced.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::common::{Dir, Ended, names_in};
use crate::fetch::{Nginx, Server, by_proxy, event, fetch, file, free_ports, listening_at, nginx, python_program};

/// More than sockets hold on the way, and enough for two connections.
const LEN: usize = 20_000_000;
/// After so many bytes of an answer something happens to the connection.
const MIDWAY: usize = 5_000_000;

/// A server of the folder `www` of a folder of its own.
struct Served {
    name: &'static str,
    dir: Dir,
    address: String,
    _server: Running,
}

enum Running {
    Nginx(Nginx),
    Python(#[expect(dead_code, reason = "it is there to be dropped")] Server),
}

fn served(name: &'static str) -> Served {
    let dir = Dir::new();
    let www = dir.folder("www");
    dir.folder("out");
    let (address, server) = if name == "nginx" {
        let nginx = nginx(&dir);
        (
            nginx.http.trim_start_matches("http://").to_owned(),
            Running::Nginx(nginx),
        )
    } else {
        let arguments = [OsStr::new(name), www.as_os_str()];
        let server = python_program("ARRAYLIFT_WEB_PYTHON", "web_server.py", &arguments);
        (server.address.clone(), Running::Python(server))
    };
    Served {
        name,
        dir,
        address,
        _server: server,
    }
}

/// Runs a test with each server, those of Python beside each other.
fn with_each(test: impl Fn(Served) + Sync) {
    thread::scope(|scope| {
        for name in ["nginx", "tornado", "aiohttp", "starlette", "bottle"] {
            let test = &test;
            let thread = thread::Builder::new().name(name.into());
            thread
                .spawn_scoped(scope, move || test(served(name)))
                .expect("a thread");
        }
    });
}

impl Served {
    /// Puts a file there that was changed at that time.
    fn put(&self, bytes: &[u8], modified: SystemTime) -> PathBuf {
        let path = self.dir.write("www/a.bin", bytes);
        set_modified(&path, modified);
        path
    }

    /// Fetches the file from there, by way of the relay where there is one.
    fn fetch(&self, relay: Option<&Relay>, options: &str) -> Ended {
        let address = relay.map_or(&self.address, |relay| &relay.address);
        fetch(&self.dir, &format!("http://{address}/a.bin --into out {options}"))
    }

    /// What came is `bytes`, and nothing else is there.
    #[track_caller]
    fn has(&self, ended: &Ended, bytes: &[u8]) {
        let Self { name, dir, .. } = self;
        assert_eq!(ended.status.code(), Some(0), "{name}: {ended:?}");
        assert!(dir.read("out/a.bin") == bytes, "{name}: {ended:?}");
        assert_eq!(names_in(&dir.path().join("out")), ["a.bin"], "{name}");
    }
}

fn set_modified(path: &Path, modified: SystemTime) {
    let file = File::options().write(true).open(path).expect("a file");
    file.set_modified(modified).expect("its time");
}

fn yesterday() -> SystemTime {
    SystemTime::now() - Duration::from_hours(24)
}

/// What stands between whoever asks and a server.
struct Relay {
    address: String,
}

/// What becomes of the first connection in the middle of its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Midway {
    Breaks,
    GoesOn,
}

/// Passes connections on to `server`. In the middle of the first answer it does `between`, and then breaks that connection
/// or lets it go on. It is there until the tests end.
fn relay(server: &str, midway: Midway, between: impl FnOnce() + Send + 'static) -> Relay {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = server.to_owned();
    let run = move || -> io::Result<()> {
        let mut between = Some(between);
        loop {
            let (mut client, _) = listener.accept()?;
            let mut server = TcpStream::connect(&server)?;
            let upward = pass(client.try_clone()?, server.try_clone()?);
            if let Some(between) = between.take() {
                let mut left = MIDWAY;
                let mut buffer = vec![0; 65536];
                while left > 0 {
                    let most = left.min(buffer.len());
                    let received = server.read(&mut buffer[..most])?;
                    client.write_all(&buffer[..received])?;
                    left -= received;
                    assert!(received > 0, "the answer was shorter");
                }
                between();
                if midway == Midway::Breaks {
                    for end in [client, server] {
                        // One that the other end has closed is broken already.
                        let _ = end.shutdown(Shutdown::Both);
                    }
                    upward.join().expect("it ends");
                    continue;
                }
            }
            pass(server, client);
        }
    };
    // Whoever closed a connection before its end is heard of here.
    beside(|| run().expect("a relay"));
    Relay { address }
}

/// Passes on what comes until nothing more does.
fn pass(mut from: TcpStream, mut to: TcpStream) -> thread::JoinHandle<()> {
    beside(move || {
        // An end that has gone is one that needs no more.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    })
}

fn beside(run: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    let thread = thread::Builder::new().name("relay".into());
    thread.spawn(run).expect("a thread")
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_WEB_PYTHON"]
fn a_file_comes_as_it_is_and_so_does_an_empty_one() {
    with_each(|served| {
        let bytes = file(5_000_001);
        for bytes in [&bytes[..], &bytes[..1], &[]] {
            served.put(bytes, yesterday());
            let ended = served.fetch(None, "");
            assert!(!ended.stdout.contains("note:"), "{}: {ended:?}", served.name);
            served.has(&ended, bytes);
            std::fs::remove_file(served.dir.path().join("out/a.bin")).expect("it is there");
        }
    });
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_WEB_PYTHON"]
fn a_connection_that_breaks_midway_is_followed_by_another_one() {
    with_each(|served| {
        let bytes = file(LEN);
        served.put(&bytes, yesterday());
        let relay = relay(&served.address, Midway::Breaks, || {});
        let ended = served.fetch(Some(&relay), "");
        served.has(&ended, &bytes);
        // Bottle's tag has no quotes, and is none.
        let words = match served.name {
            "bottle" => "it came from its first byte again once: the server's ETag is weak",
            _ => "the connection broke once, and another one went on",
        };
        assert!(ended.stdout.contains(words), "{}: {ended:?}", served.name);
    });
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_WEB_PYTHON"]
fn a_file_that_is_replaced_while_a_connection_breaks_is_never_mixed_with_the_one_before() {
    with_each(|served| {
        let bytes = file(LEN);
        let other: Vec<u8> = bytes.iter().rev().copied().collect();
        for is_within_a_second in [false, true] {
            // Of a server's clock, and still to come: two seconds later it would be settled.
            let second = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds_now() + 2);
            let (before, after) = if is_within_a_second {
                (second, second + Duration::from_millis(500))
            } else {
                (yesterday(), SystemTime::now())
            };
            let path = served.put(&bytes, before);
            let (new, others) = (served.dir.path().join("new"), other.clone());
            let between = move || {
                std::fs::write(&new, others).expect("writable");
                set_modified(&new, after);
                std::fs::rename(&new, path).expect("replaced");
            };
            let relay = relay(&served.address, Midway::Breaks, between);
            let ended = served.fetch(Some(&relay), "");
            served.has(&ended, &other);
            let words = "note: it came from its first byte again once: ";
            assert!(ended.stdout.contains(words), "{}: {ended:?}", served.name);
            std::fs::remove_file(served.dir.path().join("out/a.bin")).expect("it is there");
        }
    });
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_WEB_PYTHON"]
fn a_file_that_is_written_anew_while_it_comes_is_not_kept_as_it_was_then() {
    with_each(|served| {
        let bytes = file(LEN);
        let other: Vec<u8> = bytes.iter().rev().copied().collect();
        let path = served.put(&bytes, yesterday());
        let others = other.clone();
        // A server that finds it shorter than it was stands still, and so would this.
        let between = move || {
            let mut file = File::options().write(true).open(path).expect("a file");
            file.write_all(&others).expect("writable");
        };
        let relay = relay(&served.address, Midway::GoesOn, between);
        let ended = served.fetch(Some(&relay), "");
        served.has(&ended, &other);
        assert!(ended.stdout.contains("changed"), "{}: {ended:?}", served.name);
    });
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_WEB_PYTHON"]
fn a_file_comes_over_two_connections_where_its_parts_are_sure_to_fit() {
    with_each(|served| {
        let bytes = file(LEN);
        served.put(&bytes, yesterday());
        let breaking = relay(&served.address, Midway::Breaks, || {});
        for relay in [None, Some(&breaking)] {
            let ended = served.fetch(relay, "--streams 2 --json");
            served.has(&ended, &bytes);
            let objects = ended.objects();
            let streams = if served.name == "bottle" { 1 } else { 2 };
            assert_eq!(event(&objects, "started")["streams"], streams, "{}", served.name);
            let note = event(&objects, "finished")["note"].as_str().unwrap_or_default();
            let says_why = note.contains("over one connection in place of 2: the server's ETag is weak");
            assert_eq!(says_why, streams == 1, "{}: {note}", served.name);
            std::fs::remove_file(served.dir.path().join("out/a.bin")).expect("it is there");
        }
    });
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_WEB_PYTHON"]
fn a_file_that_is_replaced_while_it_comes_over_two_connections_is_never_mixed_with_the_one_before() {
    with_each(|served| {
        let bytes = file(LEN);
        let other: Vec<u8> = bytes.iter().rev().copied().collect();
        let path = served.put(&bytes, yesterday());
        let (new, others) = (served.dir.path().join("new"), other.clone());
        let between = move || {
            std::fs::write(&new, others).expect("writable");
            std::fs::rename(&new, path).expect("replaced");
        };
        let relay = relay(&served.address, Midway::Breaks, between);
        let ended = served.fetch(Some(&relay), "--streams 2");
        served.has(&ended, &other);
        let words = "it came from its first byte again";
        assert!(ended.stdout.contains(words), "{}: {ended:?}", served.name);
    });
}

fn seconds_now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

/// A tinyproxy that connects by CONNECT to this port only, and lets in whoever says that name and that password.
fn tinyproxy(dir: &Dir, connect: u16, user: Option<(&str, &str)>) -> Server {
    let [port] = free_ports();
    let log = dir.write("tinyproxy.log", "");
    let user = user.map(|(name, password)| format!("BasicAuth {name} {password}"));
    let text = format!(
        "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 20\nMaxClients 20\nLogLevel Connect\n\
         LogFile \"{}\"\nConnectPort {connect}\n{}\n",
        log.display(),
        user.unwrap_or_default()
    );
    let path = dir.write("tinyproxy.conf", text);
    let arguments = ["-d", "-c", path.to_str().expect("UTF-8")];
    listening_at(port, "ARRAYLIFT_TINYPROXY", &arguments, &log)
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_TINYPROXY"]
fn files_come_by_way_of_tinyproxy_over_http_and_https_and_after_a_break() {
    let Served {
        dir,
        _server: Running::Nginx(nginx),
        address,
        ..
    } = served("nginx")
    else {
        panic!("it is nginx");
    };
    let bytes = file(LEN);
    set_modified(&dir.write("www/a.bin", &bytes), yesterday());
    let (_, https_port) = nginx.https.rsplit_once(':').expect("a port");
    let proxy = tinyproxy(&dir, https_port.parse().expect("a port"), None);
    let relay = relay(&address, Midway::Breaks, || {});
    for (from, options, note) in [
        (&nginx.http, "", false),
        (&nginx.https, "--ca cert.pem", false),
        (&nginx.https, "--ca cert.pem --streams 2", false),
        (&format!("http://{}", relay.address), "--streams 2", true),
    ] {
        let variables = [("all_proxy", proxy.address.as_str())];
        let ended = by_proxy(&dir, &variables, &format!("{from}/a.bin --into out {options}"));
        assert_eq!(ended.status.code(), Some(0), "{from} {options}: {ended:?}");
        assert!(dir.read("out/a.bin") == bytes, "{from} {options}: {ended:?}");
        assert_eq!(ended.stdout.contains("broke once"), note, "{from} {options}: {ended:?}");
        std::fs::remove_file(dir.path().join("out/a.bin")).expect("it is there");
    }
    let log = String::from_utf8(dir.read("tinyproxy.log")).expect("UTF-8");
    for asked in [
        format!("GET {}/a.bin HTTP/1.1", nginx.http),
        format!("CONNECT localhost:{https_port} HTTP/1.1"),
    ] {
        assert!(log.contains(&asked), "{asked}: {log}");
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_NGINX and ARRAYLIFT_TINYPROXY"]
fn what_tinyproxy_refuses_is_told_as_the_proxys_answer() {
    let Served {
        dir,
        _server: Running::Nginx(nginx),
        ..
    } = served("nginx")
    else {
        panic!("it is nginx");
    };
    dir.write("www/a.bin", file(1000));
    let proxy = tinyproxy(&dir, 443, Some(("user", "secret")));
    let ask = |user: &str, url: &str| {
        let variables = [("all_proxy", format!("http://{user}{}", proxy.address))];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        by_proxy(&dir, &variables, &format!("{url}/a.bin --into discard --ca cert.pem"))
    };
    ask("user:secret@", &nginx.http).done();
    let [nobody] = free_ports();
    for (user, url, words) in [
        ("", &nginx.http, "asks for a name and a password"),
        ("", &nginx.https, "407 Proxy Authentication Required"),
        // To whoever says wrong ones it answers as a server would.
        ("user:wrong@", &nginx.http, "401 Unauthorized"),
        ("user:wrong@", &nginx.https, "401 Unauthorized"),
        ("user:secret@", &nginx.https, "403 Access violation"),
        (
            "user:secret@",
            &format!("http://127.0.0.1:{nobody}"),
            "500 Internal Server Error",
        ),
    ] {
        ask(user, url).failed(1, &[words, "the proxy", &proxy.address, "of all_proxy"]);
    }
}
