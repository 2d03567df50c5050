//! A service that sends back what comes, and the measurement of round trips to any such service.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process};
use crate::serve::drained;

fn echo(dir: &Dir, options: &str) -> Process {
    dir.listen("serve", &format!("127.0.0.1:0 --echo --json {options}"))
}

fn python(script: &str) -> Command {
    let mut command = Command::new(std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script));
    command
}

/// What was measured, one object a size.
fn measured(ended: &Ended) -> Vec<Json> {
    let objects = ended.objects();
    objects
        .into_iter()
        .filter(|object| object["event"] == "round_trips")
        .collect()
}

/// The last counts of a service.
fn counts(ended: &Ended) -> Json {
    let objects = ended.objects();
    objects
        .into_iter()
        .rfind(|object| object["event"] == "service")
        .expect("counts")
}

/// A service of another kind, which deals with one client on a thread of its own.
fn other_service(deal: impl FnOnce(TcpStream) + Send + 'static) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address").to_string();
    let body = move || deal(listener.accept().expect("a client").0);
    (address, std::thread::Builder::new().spawn(body).expect("a thread"))
}

#[test]
fn what_a_plain_client_sends_comes_back_and_its_end_too() {
    let dir = Dir::new();
    let service = echo(&dir, "");
    let mut client = TcpStream::connect(&service.address).expect("connects");
    client.write_all(b"hello\n").expect("written");
    let mut line = String::new();
    let mut reader = BufReader::new(client.try_clone().expect("clone"));
    reader.read_line(&mut line).expect("a line");
    assert_eq!(line, "hello\n");
    client.write_all(b"and no more").expect("written");
    client.shutdown(Shutdown::Write).expect("shut");
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("the rest");
    assert_eq!(rest, "and no more");
    let counts = counts(&drained(service).done());
    assert_eq!(
        (
            &counts["done"],
            &counts["failed"],
            &counts["bytes"],
            &counts["connections"]
        ),
        (&1.into(), &0.into(), &17.into(), &0.into())
    );
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn ten_sockets_of_one_python_thread_get_their_own_bytes_back() {
    let dir = Dir::new();
    let service = echo(&dir, "");
    let (host, port) = service.address.rsplit_once(':').expect("a port");
    let output = python("echo_clients.py")
        .args([host, port, "5000000"])
        .output()
        .expect("python3 runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "10\n", "{output:?}");
    let counts = counts(&drained(service).done());
    assert_eq!((&counts["done"], &counts["bytes"]), (&10.into(), &50_000_000.into()));
}

#[test]
fn three_hundred_clients_at_once_each_get_their_own_bytes_back() {
    let dir = Dir::new();
    let service = echo(&dir, "");
    let clients: Vec<(TcpStream, Vec<u8>)> = (0..300_u32)
        .map(|number| {
            let mut client = TcpStream::connect(&service.address).expect("connects");
            let bytes = number.to_le_bytes().repeat(500);
            client.write_all(&bytes).expect("written");
            (client, bytes)
        })
        .collect();
    for (mut client, bytes) in clients {
        let mut back = vec![0; bytes.len()];
        client.read_exact(&mut back).expect("an echo");
        assert_eq!(back, bytes);
    }
    let counts = counts(&drained(service).done());
    assert_eq!((&counts["done"], &counts["bytes"]), (&300.into(), &600_000.into()));
}

#[test]
fn round_trips_from_one_byte_to_64_mib_are_measured_and_verified_over_tcp_and_unix_sockets() {
    let dir = Dir::new();
    let tcp = echo(&dir, "");
    let unix = dir.listen("serve", "unix:door --echo --json");
    for address in [&tcp.address, &unix.address] {
        let ended = dir.run(&format!("ping {address} --count 2 --json")).done();
        assert_eq!(ended.objects()[0]["event"], "connected");
        let measured = measured(&ended);
        let sizes: Vec<u64> = measured.iter().filter_map(|size| size["size_bytes"].as_u64()).collect();
        assert_eq!(sizes, [1, 64, 1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20]);
        for size in &measured {
            assert_eq!(size["count"], 2);
            let times = ["min_s", "p50_s", "p90_s", "p99_s", "p999_s", "max_s"].map(|name| size[name].as_f64());
            assert!(times.is_sorted() && times[0] > Some(0.0), "{size}");
            // Three digits of them are kept.
            let mean = size["mean_s"].as_f64().expect("a mean");
            let [min, .., max] = times.map(|time| time.expect("a time"));
            assert!(min <= mean * 1.001 && mean <= max * 1.001, "{size}");
        }
    }
    // One more round trip of each size comes before those that count.
    let bytes: u64 = 3 * [1, 64, 1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20]
        .iter()
        .sum::<u64>();
    for service in [tcp, unix] {
        assert_eq!(counts(&drained(service).done())["bytes"], bytes);
    }
}

#[test]
fn a_terminal_gets_a_line_for_each_size() {
    let dir = Dir::new();
    let service = dir.listen("serve", "127.0.0.1:0 --echo");
    let ended = dir
        .run(&format!("ping {} --sizes 1,4KiB --count 5", service.address))
        .done();
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("round trips to 127.0.0.1:"), "{lines:?}");
    assert!(lines[1].contains("p99.9"), "{lines:?}");
    assert!(
        lines[2].starts_with("      1 B        5 ") && lines[3].starts_with("    4 KiB        5 "),
        "{lines:?}"
    );
    let ended = drained(service).done();
    assert!(
        ended.stdout.contains("1 connection, 24.6 kB sent back; 0 failed"),
        "{ended:?}"
    );
}

#[test]
fn services_that_send_back_something_else_or_nothing_are_named() {
    let dir = Dir::new();
    let reply = |bytes: &'static [u8]| {
        move |mut client: TcpStream| {
            client.read_exact(&mut [0; 100]).expect("a round");
            client.write_all(bytes).expect("written");
            // Until it goes.
            let _ = client.read_to_end(&mut Vec::new());
        }
    };
    let ping = |address: &str| dir.run(&format!("ping {address} --sizes 100 --count 1 --timeout 200ms"));
    let (address, thread) = other_service(reply(&[7; 100]));
    ping(&address).failed(1, &[&address, "it is no echo service"]);
    thread.join().expect("it ends");
    let (address, thread) = other_service(reply(b""));
    ping(&address).failed(1, &[&address, "said nothing for 0.2 s"]);
    thread.join().expect("it ends");
    let (address, thread) = other_service(drop);
    ping(&address).failed(
        1,
        &[&address, "closed the connection before it had sent everything back"],
    );
    thread.join().expect("it ends");
    // The right bytes, and then some.
    let (address, thread) = other_service(|mut client| {
        for _ in 0..2 {
            let mut round = [0; 100];
            client.read_exact(&mut round).expect("a round");
            client.write_all(&round).expect("written");
        }
        client.write_all(b"!").expect("written");
        let _ = client.read_to_end(&mut Vec::new());
    });
    let ended = dir.run(&format!("ping {address} --sizes 100,1 --count 1 --timeout 200ms"));
    ended.failed(1, &[&address, "no echo service"]);
    thread.join().expect("it ends");
    let receiver = dir.receive("127.0.0.1:0 --into memory");
    let ended = dir.run(&format!("ping {} --sizes 100 --count 1 --timeout 1s", receiver.address));
    ended.failed(1, &[&receiver.address]);
}

#[test]
fn who_takes_nothing_back_is_closed_and_the_others_are_served_meanwhile() {
    let dir = Dir::new();
    let service = echo(&dir, "--timeout 1s");
    let before = service.resident_bytes();
    let mut greedy = TcpStream::connect(&service.address).expect("connects");
    greedy.set_nonblocking(true).expect("set");
    let mut quiet = TcpStream::connect(&service.address).expect("connects");
    let mut sent = 0;
    let piece = vec![1; 1 << 20];
    let ended = loop {
        match greedy.write(&piece) {
            Ok(more) => sent += more,
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => break error.kind(),
        }
        if sent == piece.len() {
            dir.run(&format!("ping {} --sizes 1MiB --count 3", service.address))
                .done();
        }
        assert!(
            service.resident_bytes() < before + (8 << 20),
            "it keeps what nobody takes"
        );
    };
    assert!(
        matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{ended}"
    );
    // One that says nothing may stay.
    quiet.write_all(b"still here").expect("written");
    let mut back = [0; 10];
    quiet.read_exact(&mut back).expect("an echo");
    drop((greedy, quiet));
    let counts = counts(&drained(service).done());
    assert_eq!((&counts["done"], &counts["failed"]), (&2.into(), &1.into()));
}

#[test]
fn the_second_signal_closes_who_would_stay_and_the_first_one_ends_a_measurement() {
    let dir = Dir::new();
    let service = echo(&dir, "");
    let mut stays = TcpStream::connect(&service.address).expect("connects");
    stays.write_all(b"x").expect("written");
    stays.read_exact(&mut [0]).expect("an echo");
    let mut ping = dir
        .arraylift([
            "ping",
            &service.address,
            "--sizes",
            "1",
            "--count",
            "1000000000",
            "--json",
        ])
        .start();
    let said: Json = serde_json::from_str(&ping.line()).expect("an object");
    assert_eq!(said["event"], "connected");
    ping.signal(Signal::INT);
    ping.wait().failed(1, &["cancelled"]);
    service.signal(Signal::TERM);
    while TcpStream::connect(&service.address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    stays.write_all(b"y").expect("written");
    stays.read_exact(&mut [0]).expect("an echo: it drains");
    service.signal(Signal::TERM);
    assert_eq!(stays.read(&mut [0]).expect("closed"), 0);
    service.wait().done();
}

#[test]
fn a_client_that_says_nothing_holds_no_service_that_is_to_end() {
    let dir = Dir::new();
    let service = echo(&dir, "--timeout 1s");
    let mut stays = TcpStream::connect(&service.address).expect("connects");
    stays.write_all(b"x").expect("written");
    stays.read_exact(&mut [0]).expect("an echo");
    // Until then it may say nothing for as long as it likes.
    std::thread::sleep(Duration::from_millis(1500));
    stays.write_all(b"x").expect("written");
    stays.read_exact(&mut [0]).expect("an echo");
    let counts = counts(&drained(service).done());
    assert_eq!((&counts["done"], &counts["failed"]), (&1.into(), &0.into()));
}

#[test]
fn an_echo_keeps_nothing_and_a_measurement_needs_sizes_that_make_sense() {
    let dir = Dir::new();
    dir.run("serve 127.0.0.1:0 --echo --into memory").failed(2, &["--echo"]);
    dir.run("serve 127.0.0.1:0 --echo --workers 2").failed(2, &["--echo"]);
    dir.run("ping 127.0.0.1:1").failed(1, &["nobody listens"]);
    for wrong in ["--sizes 0", "--sizes 2GiB", "--sizes ,", "--count 0"] {
        dir.run(&format!("ping 127.0.0.1:1 {wrong}")).failed(2, &["--help"]);
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn the_echo_service_of_another_program_is_measured_too() {
    let script = "import socket\n\
                  listener = socket.create_server(('127.0.0.1', 0))\n\
                  print(listener.getsockname()[1], flush=True)\n\
                  client, _ = listener.accept()\n\
                  while data := client.recv(65536): client.sendall(data)\n";
    let mut service = Command::new(std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set"))
        .args(["-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let mut port = String::new();
    let mut said = BufReader::new(service.stdout.take().expect("piped"));
    said.read_line(&mut port).expect("a port");
    let dir = Dir::new();
    let ended = dir
        .run(&format!("ping 127.0.0.1:{} --count 3 --json", port.trim()))
        .done();
    assert_eq!(measured(&ended).len(), 7);
    assert!(service.wait().expect("it ends").success());
}

#[test]
fn who_sends_to_an_echo_service_is_told_that_it_is_no_receiver() {
    let dir = Dir::new();
    let service = dir.listen("serve", "127.0.0.1:0 --echo");
    dir.run(&format!("send range:0:10 {}", service.address))
        .failed(1, &["sends back what it gets", "a receiver is needed there"]);
}
