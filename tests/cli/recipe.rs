//! Connections handed to, and taken from, plain Python programs: one byte, the descriptor beside it, and `OK`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process, names_in};
use crate::floats;
use crate::serve::{drained, until};

/// A service that hands its connections over at `work`.
fn service(dir: &Dir, options: &str) -> Process {
    dir.listen("serve", &format!("127.0.0.1:0 --recipe-workers work --json {options}"))
}

fn python(dir: &Dir, arguments: &[&str]) -> Child {
    Command::new(std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set"))
        .args(arguments)
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        // Some are to fail, and say so at length.
        .stderr(Stdio::null())
        .spawn()
        .expect("python3 runs")
}

fn peer(script: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    path.display().to_string()
}

/// A Python worker that the service has taken.
fn python_worker(dir: &Dir, service: &mut Process) -> Child {
    let worker = python(dir, &[&peer("recipe_worker.py"), "work"]);
    assert_eq!(until(service, "worker_ready")["worker"], worker.id());
    worker
}

/// The first line that a Python program says.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let mut said = BufReader::new(child.stdout.take().expect("piped"));
    said.read_line(&mut line).expect("a line");
    line.trim().to_owned()
}

fn echoed(mut client: &TcpStream, bytes: &[u8]) -> Vec<u8> {
    client.write_all(bytes).expect("written");
    let mut back = vec![0; bytes.len()];
    client.read_exact(&mut back).expect("an echo");
    back
}

fn of_event<'a>(objects: &'a [Json], event: &str) -> Vec<&'a Json> {
    objects.iter().filter(|object| object["event"] == event).collect()
}

fn counts(ended: &Ended) -> (Json, Json) {
    let objects = ended.objects();
    let last = of_event(&objects, "service").pop().expect("counts").clone();
    (last["done"].clone(), last["failed"].clone())
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn two_python_workers_each_serve_their_part_of_the_clients_and_end_with_the_service() {
    let dir = Dir::new();
    let mut service = service(&dir, "");
    let mode = std::fs::metadata(dir.path().join("work"))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut workers = [python_worker(&dir, &mut service), python_worker(&dir, &mut service)];
    for number in 0..20_u8 {
        let client = TcpStream::connect(&service.address).expect("connects");
        assert_eq!(echoed(&client, &[number; 1000]), [number; 1000]);
        let own = client.local_addr().expect("address").to_string();
        assert_eq!(until(&mut service, "handed_over")["peer"], own);
    }
    let ended = drained(service).done();
    for worker in &mut workers {
        assert!(worker.wait().expect("it ends").success());
    }
    let objects = ended.objects();
    let handed = of_event(&objects, "handed_over");
    for worker in &workers {
        assert_eq!(handed.iter().filter(|one| one["worker"] == worker.id()).count(), 10);
    }
    assert_eq!(counts(&ended), (20.into(), 0.into()));
    assert!(dir.names().is_empty(), "its socket goes with it");
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn clients_wait_for_a_worker_and_what_one_that_goes_did_not_take_goes_to_the_next() {
    let dir = Dir::new();
    let mut service = service(&dir, "");
    let early = TcpStream::connect(&service.address).expect("connects");
    // One that is given it, and goes without a word.
    let mut mute = UnixStream::connect(dir.path().join("work")).expect("it listens");
    mute.read_exact(&mut [0]).expect("a connection");
    drop(mute);
    assert_eq!(until(&mut service, "worker_gone")["how"], "has left");
    // And one that says what nobody asked for.
    let mut confused = UnixStream::connect(dir.path().join("work")).expect("it listens");
    confused.read_exact(&mut [0]).expect("a connection");
    confused.write_all(b"KO").expect("written");
    let gone = until(&mut service, "worker_gone");
    assert!(
        gone["how"].as_str().expect("words").contains("not to be said"),
        "{gone}"
    );
    let mut worker = python_worker(&dir, &mut service);
    assert_eq!(echoed(&early, b"at last"), b"at last");
    drop(early);
    assert_eq!(counts(&drained(service).done()), (1.into(), 0.into()));
    worker.wait().expect("it ends");
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_worker_that_takes_one_and_says_nothing_is_let_go_after_the_timeout() {
    let dir = Dir::new();
    let mut service = service(&dir, "--timeout 500ms");
    let mut mute = UnixStream::connect(dir.path().join("work")).expect("it listens");
    let client = TcpStream::connect(&service.address).expect("connects");
    mute.read_exact(&mut [0]).expect("a connection");
    let gone = until(&mut service, "worker_gone");
    assert!(
        gone["how"].as_str().expect("words").contains("did not answer"),
        "{gone}"
    );
    assert_eq!(mute.read(&mut [0]).expect("closed"), 0);
    let mut worker = python_worker(&dir, &mut service);
    assert_eq!(echoed(&client, b"hello"), b"hello");
    drop(client);
    drained(service).done();
    worker.wait().expect("it ends");
}

#[test]
fn what_nobody_has_taken_at_the_end_is_counted_as_failed_and_a_file_stays_what_it_is() {
    let dir = Dir::new();
    let mut running = service(&dir, "");
    let mut client = TcpStream::connect(&running.address).expect("connects");
    let mut mute = UnixStream::connect(dir.path().join("work")).expect("it listens");
    mute.read_exact(&mut [0]).expect("a connection");
    drop(mute);
    until(&mut running, "worker_gone");
    assert_eq!(counts(&drained(running).done()), (0.into(), 1.into()));
    assert_eq!(client.read(&mut [0]).expect("closed"), 0);
    dir.write("work", b"a file");
    dir.run("serve 127.0.0.1:0 --recipe-workers work").failed(1, &["work"]);
    assert_eq!(dir.read("work"), b"a file");
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn what_a_python_server_accepts_is_received_and_verified_as_ever() {
    let dir = Dir::new();
    dir.folder("inbox");
    let mut server = python(&dir, &[&peer("recipe_server.py"), "work", "3"]);
    let port = first_line(&mut server);
    let worker = dir
        .arraylift(["worker", "--recipe", "work", "--into", "inbox", "--json"])
        .start();
    for _ in 0..3 {
        dir.run(&format!("send range:0:1e5 127.0.0.1:{port}")).done();
    }
    assert!(server.wait().expect("it ends").success());
    // Nobody has to tell it: its server has ended.
    let ended = worker.wait().done();
    let objects = ended.objects();
    let finished = of_event(&objects, "finished");
    assert_eq!(finished.len(), 3);
    assert!(finished.iter().all(|one| one["verified"] == true));
    assert_eq!(
        names_in(&dir.path().join("inbox")),
        ["range-1.npy", "range-2.npy", "range.npy"]
    );
    assert_eq!(dir.read("inbox/range-2.npy")[128..], floats(100_000));
}

/// A key that nobody else can read.
fn key(dir: &Dir, name: &str, content: &[u8]) {
    let path = dir.write(name, content);
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("ours");
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn workers_of_multiprocessing_show_the_key_and_serve() {
    let dir = Dir::new();
    key(&dir, "key", b"peekaboo");
    key(&dir, "other", b"something else");
    let mut service = service(&dir, "--key key");
    let mut stranger = python(&dir, &[&peer("mp_worker.py"), "work", "other"]);
    let gone = until(&mut service, "worker_gone");
    assert_eq!(
        (&gone["worker"], &gone["how"]),
        (&stranger.id().into(), &"was turned away: it has another key".into())
    );
    stranger.wait().expect("it ends");
    // And one that does not speak so.
    let mut nonsense = UnixStream::connect(dir.path().join("work")).expect("it listens");
    nonsense.write_all(&[0xff; 100]).expect("written");
    until(&mut service, "worker_gone");
    // One as Python is until 3.13, and one as it is since 3.14.
    let start = |how| python(&dir, &[&peer("mp_worker.py"), "work", "key", how]);
    let mut workers = [start("silent"), start("acknowledge")];
    let ready = [0; 2].map(|_| until(&mut service, "worker_ready")["worker"].as_u64());
    for worker in &workers {
        assert!(ready.contains(&Some(worker.id().into())), "{ready:?}");
    }
    for number in 0..20_u8 {
        let client = TcpStream::connect(&service.address).expect("connects");
        assert_eq!(echoed(&client, &[number; 1000]), [number; 1000]);
        until(&mut service, "handed_over");
    }
    let ended = drained(service).done();
    let objects = ended.objects();
    let handed = of_event(&objects, "handed_over");
    for worker in &mut workers {
        assert_eq!(handed.iter().filter(|one| one["worker"] == worker.id()).count(), 10);
        assert!(worker.wait().expect("it ends").success());
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_server_of_multiprocessing_is_shown_the_key_and_told_the_process_id() {
    for how in ["silent", "acknowledge"] {
        a_server_of_multiprocessing_has_a_worker(how);
    }
}

/// One as Python is until 3.13, or as it is since 3.14.
fn a_server_of_multiprocessing_has_a_worker(how: &str) {
    let dir = Dir::new();
    dir.folder("inbox");
    key(&dir, "key", b"peekaboo");
    key(&dir, "other", b"something else");
    let serve = || python(&dir, &[&peer("mp_server.py"), "work", "key", "2", how]);
    let mut server = serve();
    first_line(&mut server);
    dir.run("worker --recipe work --into inbox --key other")
        .failed(1, &["another key"]);
    server.wait().expect("it ends");
    let mut server = serve();
    let mut said = BufReader::new(server.stdout.take().expect("piped"));
    let mut line = || {
        let mut line = String::new();
        said.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    };
    let port = line();
    let worker = dir
        .arraylift([
            "worker", "--recipe", "work", "--into", "inbox", "--key", "key", "--json",
        ])
        .start();
    assert_eq!(line(), format!("worker {}", worker.id()));
    for _ in 0..2 {
        dir.run(&format!("send range:0:1e5 127.0.0.1:{port}")).done();
    }
    assert!(server.wait().expect("it ends").success());
    let ended = worker.wait().done();
    assert_eq!(of_event(&ended.objects(), "finished").len(), 2);
    assert_eq!(dir.read("inbox/range-1.npy")[128..], floats(100_000));
    std::fs::set_permissions(dir.path().join("other"), PermissionsExt::from_mode(0o644)).expect("ours");
    dir.run("worker --recipe work --into inbox --key other")
        .failed(1, &["chmod 600"]);
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_server_that_hands_over_something_else_fails_that_and_one_that_hands_over_nothing_ends_its_worker_with_1() {
    let dir = Dir::new();
    dir.folder("inbox");
    // A file, a socket that is not connected, a real connection, and a byte without anything.
    let script = "import array, socket, sys\n\
                  work = socket.socket(socket.AF_UNIX); work.bind('work'); work.listen(1)\n\
                  clients = socket.create_server(('127.0.0.1', 0))\n\
                  print(clients.getsockname()[1], flush=True)\n\
                  worker, _ = work.accept()\n\
                  def give(descriptor):\n\
                  \x20   worker.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [descriptor]))])\n\
                  \x20   assert worker.recv(2) == b'OK'\n\
                  file = open(sys.executable); give(file.fileno())\n\
                  give(clients.fileno())\n\
                  client, _ = clients.accept(); give(client.fileno()); client.close()\n\
                  worker.sendall(b'x')\n\
                  assert worker.recv(2) == b''\n";
    let mut server = python(&dir, &["-c", script]);
    let port = first_line(&mut server);
    let worker = dir
        .arraylift(["worker", "--recipe", "work", "--into", "inbox", "--json"])
        .start();
    dir.run(&format!("send range:0:10 127.0.0.1:{port}")).done();
    assert!(server.wait().expect("it ends").success());
    let ended = worker.wait();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let told: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("without a descriptor"))
        .collect();
    assert_eq!(told.len(), 1, "{ended:?}");
    let objects = ended.objects();
    let failed: Vec<&str> = of_event(&objects, "failed")
        .iter()
        .filter_map(|one| one["message"].as_str())
        .collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(
        failed[0].contains("no connection") && failed[1].contains("no connection"),
        "{failed:?}"
    );
    assert_eq!(names_in(&dir.path().join("inbox")), ["range.npy"]);
}

#[test]
fn what_would_be_read_and_kept_by_nobody_is_wrong_usage() {
    let dir = Dir::new();
    for (arguments, word) in [
        ("serve 127.0.0.1:0 --recipe-workers work --into memory", "--into"),
        ("serve 127.0.0.1:0 --recipe-workers work --echo", "--echo"),
        ("serve 127.0.0.1:0 --recipe-workers work --workers 2", "--workers"),
        ("worker door --key key --into memory", "--into"),
        ("serve 127.0.0.1:0 --key key", "--recipe-workers"),
        ("worker", "<PATH>"),
    ] {
        dir.run(arguments).failed(2, &[word]);
    }
    dir.run("worker --recipe nowhere --into memory")
        .failed(1, &["nobody listens at nowhere"]);
}
