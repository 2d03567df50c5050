//! A user who has as many pages in pipes as one may have: new pipes are small, and too slow to receive through.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::Signal;

use crate::common::{Dir, Process};
use crate::other_users::{OTHER, Others};

/// Pipes of 1 MiB that another user has, held until this is dropped.
struct Held(Child);

impl Held {
    fn new(pipes: u32) -> Self {
        let script = "import fcntl, os, sys\n\
            ends = [os.pipe() for _ in range(int(sys.argv[1]))]\n\
            for _, end in ends: fcntl.fcntl(end, 1031, 1 << 20)\n\
            print('held', flush=True)\n\
            sys.stdin.read()";
        let mut holder = Command::new("setpriv")
            .args(["--reuid", OTHER, "--regid", OTHER, "--clear-groups"])
            // The system's own: someone else's may lie where others cannot look.
            .args(["/usr/bin/python3", "-c", script])
            .arg(pipes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let said = holder.stdout.take().expect("piped");
        BufReader::new(said).read_line(&mut line).expect("it says so");
        assert_eq!(line, "held\n");
        Self(holder)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("it ends");
    }
}

/// Held by a test that counts on what pipes the other user has.
static ALONE: Mutex<()> = Mutex::new(());

/// How many pipes of 1 MiB a user may have.
fn pipes_max() -> u32 {
    let pages = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft").expect("a limit of pages");
    // Each has 256 pages.
    pages.trim().parse::<u32>().expect("a number") / 256
}

/// The route of the transfer that a receiver has taken, and why that one.
fn route(receiver: Process) -> (String, String) {
    receiver.signal(Signal::TERM);
    let ended = receiver.wait();
    let started = ended.objects().into_iter().find(|object| object["event"] == "started");
    let started = started.unwrap_or_else(|| panic!("{ended:?}"));
    let word = |name: &str| started[name].as_str().expect("a word").to_owned();
    (word("receive_route"), word("route_reason"))
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn another_user_with_many_pipes_receives_through_no_small_one_unasked() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = Dir::new();
    let others = Others::new(&dir);
    let receive = format!("receive 127.0.0.1:0 --into {} --json", others.folder.display());
    let receiver = others.arraylift(&dir, &receive).listening();
    dir.run(&format!("send range:0:1e6 {}", receiver.address)).done();
    assert_eq!(route(receiver).0, "splice", "nobody holds pipes");

    let _held = Held::new(pipes_max());
    let receiver = others.arraylift(&dir, &receive).listening();
    dir.run(&format!("send range:0:1e6 {}", receiver.address)).done();
    let (name, reason) = route(receiver);
    assert_eq!(name, "recv");
    assert!(reason.contains("pipes"), "{reason}");
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn each_of_several_connections_of_another_user_with_many_pipes_looks_at_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = Dir::new();
    let others = Others::new(&dir);
    let _held = Held::new(pipes_max() - 1);
    for (asked, how) in [
        ("", "some connections took recv"),
        ("--receive-route splice", "some connections were slow"),
    ] {
        let into = others.folder.display();
        let receive = format!("receive 127.0.0.1:0 --into {into} --json {asked}");
        let receiver = others.arraylift(&dir, &receive).listening();
        let address = &receiver.address;
        dir.run(&format!("send range:0:1e6 {address} --streams 4 --limit 20MB/s"))
            .done();
        receiver.signal(Signal::TERM);
        let ended = receiver.wait();
        let told = |event: &str, name: &str| {
            let object = ended.objects().into_iter().find(|object| object["event"] == event);
            object.unwrap_or_else(|| panic!("{ended:?}"))[name].to_string()
        };
        assert_eq!(told("started", "receive_route"), "\"splice\"");
        assert!(told("finished", "note").contains(how), "{ended:?}");
    }
}
