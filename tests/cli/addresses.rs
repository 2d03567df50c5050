//! How peers are reached: names with several addresses, and what the time for that is counted as.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use socket2::{Domain, Socket, Type};

use crate::common::{Dir, Ended};
use crate::{floats, npy};

/// An address that answers nothing: the queue of its listener is full.
struct Silent {
    _listener: Socket,
    _fillers: Vec<Socket>,
}

impl Silent {
    fn at(address: &str) -> Self {
        let address: SocketAddr = address.parse().expect("an address");
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&address.into()).expect("free");
        listener.listen(0).expect("listens");
        let filler = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.set_nonblocking(true).expect("set");
            let _ = socket.connect(&address.into());
            socket
        };
        let fillers = (0..3).map(filler).collect();
        // What is to come has come over loopback by then.
        std::thread::sleep(Duration::from_millis(20));
        Self {
            _listener: listener,
            _fillers: fillers,
        }
    }
}

/// Runs it where the name `two` has the addresses 127.0.0.2 and 127.0.0.3, in this order.
fn run_with_hosts(dir: &Dir, arguments: &str) -> (Ended, Duration) {
    let hosts = dir.runtime().join("hosts");
    std::fs::write(&hosts, "127.0.0.2 two\n127.0.0.3 two\n").expect("writable");
    let script = "mount --bind \"$1\" /etc/hosts && shift && exec \"$0\" \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_arraylift")]);
    unshare.arg(&hosts).args(arguments.split_whitespace());
    let began = Instant::now();
    let ended = dir.program(unshare).run();
    (ended, began.elapsed())
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').expect("a port").1
}

fn event<'a>(objects: &'a [Json], name: &str) -> &'a Json {
    let found = objects.iter().find(|object| object["event"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {objects:?}"))
}

#[test]
#[ignore = "needs a mount namespace: unshare -rm"]
fn a_silent_first_address_holds_no_command_up_in_a_namespace_of_its_own() {
    let dir = Dir::new();
    let limit = Duration::from_secs(5);

    let receiver = dir.receive("127.0.0.3:0 --once --into discard --json");
    let to = port(&receiver.address).to_owned();
    let silent = Silent::at(&format!("127.0.0.2:{to}"));
    let (ended, took) = run_with_hosts(&dir, &format!("send range:0:1e6 two:{to} --streams 2 --json"));
    let objects = ended.done().objects();
    assert!(took < limit, "{took:?}");
    let connect_s = event(&objects, "started")["connect_s"].as_f64().expect("told");
    assert!((0.24..5.0).contains(&connect_s), "{connect_s}");
    let finished = event(&objects, "finished");
    let rate = finished["rate_bytes_per_s"].as_f64().expect("a rate");
    assert!(8e6 / rate < connect_s, "its waiting is in its rate: {finished}");
    // Its second connection goes where the first one got through.
    let told = receiver.wait().done().objects();
    assert_eq!(event(&told, "started")["streams"], 2);
    drop(silent);

    let echo = dir.listen("serve", "127.0.0.3:0 --echo");
    let _silent = Silent::at(&format!("127.0.0.2:{}", port(&echo.address)));
    let (ended, took) = run_with_hosts(&dir, &format!("ping two:{} --sizes 1 --count 3", port(&echo.address)));
    ended.done();
    assert!(took < limit, "{took:?}");

    let web = TcpListener::bind("127.0.0.3:0").expect("port");
    let to = web.local_addr().expect("address").port();
    let _silent = Silent::at(&format!("127.0.0.2:{to}"));
    let body = move || {
        loop {
            let (mut stream, _) = web.accept().expect("a client");
            let mut request = [0; 4096];
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
            match stream.read(&mut request).expect("a request") {
                0 => return,
                _ if request.starts_with(b"HEAD") => stream.write_all(head).expect("sent"),
                _ => stream.write_all(&[head, &b"abc"[..]].concat()).expect("sent"),
            }
        }
    };
    let server = std::thread::Builder::new()
        .name("web".into())
        .spawn(body)
        .expect("a thread");
    let (ended, took) = run_with_hosts(&dir, &format!("fetch http://two:{to}/a.bin --into a.bin"));
    ended.done();
    drop(TcpStream::connect(("127.0.0.3", to)).expect("to end it"));
    server.join().expect("served");
    assert!(took < limit, "{took:?}");
    assert_eq!(dir.read("a.bin"), b"abc");
}

#[test]
#[ignore = "needs a mount namespace: unshare -rm"]
fn where_no_address_answers_each_is_named_and_they_share_one_deadline_in_a_namespace_of_its_own() {
    let dir = Dir::new();
    let silent = [Silent::at("127.0.0.2:29317"), Silent::at("127.0.0.3:29317")];
    for command in [
        "send range:0:10 two:29317 --timeout 1s",
        "ping two:29317 --timeout 1s",
        "fetch http://two:29317/a --timeout 1s --into a",
    ] {
        let (ended, took) = run_with_hosts(&dir, command);
        ended.failed(
            1,
            &[
                "two:29317",
                "127.0.0.2: no answer in time",
                "127.0.0.3: no answer in time",
            ],
        );
        assert!(took < Duration::from_millis(1900), "{command}: {took:?}");
    }
    drop(silent);
}

#[test]
fn a_rate_does_not_count_the_waiting_for_an_offer() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --once --into discard --json");
    let mut sender = TcpStream::connect(&receiver.address).expect("connects");
    std::thread::sleep(Duration::from_secs(1));
    let array = npy("'<f8'", "(100000,)", &floats(100_000));
    sender.write_all(&array).expect("sent");
    drop(sender);
    let told = receiver.wait().done().objects();
    let rate = event(&told, "finished")["rate_bytes_per_s"].as_f64().expect("a rate");
    assert!(8e5 / rate < 0.9, "{rate}");
}

/// Runs a script with the binary as `$0`, in a network of its own where `fe80::1` is the address of both ends of a cable
/// between `near` and `far`, one each.
fn run_in_network(dir: &Dir, script: &str) -> Ended {
    let network = "ip link set lo up; ip link add near type veth peer name far; \
                   ip -6 address add fe80::1/64 dev near nodad; ip -6 address add fe80::2/64 dev far nodad; \
                   ip link set near up; ip link set far up; \
                   until_there() { until [ -s \"$1\" ]; do sleep 0.01; done; }\n";
    let mut unshare = Command::new("unshare");
    unshare.args([
        "-rn",
        "sh",
        "-ec",
        &format!("{network}{script}"),
        env!("CARGO_BIN_EXE_arraylift"),
    ]);
    dir.program(unshare).run()
}

#[test]
#[ignore = "needs a network namespace: unshare -rn"]
fn zones_of_link_local_addresses_are_taken_by_name_and_number_in_a_namespace_of_its_own() {
    let dir = Dir::new();
    let script = "number=$(ip -o link show near | cut -d: -f1)
        for zone in near $number 25near; do
            \"$0\" receive \"[fe80::1%$zone]:29400\" --once --into $zone.npy >said &
            until_there said
            grep -qF \"listening on [fe80::1%$zone]:29400\" said
            \"$0\" send range:0:3e6 \"[fe80::1%$zone]:29400\" --streams 2 >/dev/null
            wait $!; rm said
        done
        \"$0\" serve \"[fe80::1%near]:0\" --echo >said & echo=$!
        until_there said
        \"$0\" ping \"$(sed -n 's/listening on //p' said)\" --sizes 1 --count 3 >/dev/null
        kill $echo; wait $echo || true
        ! \"$0\" send range:0:10 '[fe80::1%nowhere]:29400' --timeout 1s
        ! \"$0\" receive '[fe80::1%nowhere]:29400'";
    let ended = run_in_network(&dir, script);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(
        ended.stderr.matches("there is no network interface nowhere").count(),
        2,
        "{ended:?}"
    );
    assert_eq!(ended.stderr.lines().count(), 2, "{ended:?}");
    assert_eq!(dir.names().iter().filter(|name| name.contains(".npy")).count(), 3);
}

#[test]
#[ignore = "needs a network namespace and Python: unshare -rn, python3"]
fn a_url_may_name_a_zone_in_a_namespace_of_its_own_with_python() {
    let dir = Dir::new();
    dir.write("a.bin", "abc");
    let script = "python3 -m http.server --bind fe80::1%near 29400 >said 2>&1 & server=$!
        until ss -ltn | grep -q 29400; do sleep 0.05; done
        \"$0\" fetch 'http://[fe80::1%25near]:29400/a.bin' --into 1.bin >/dev/null || { kill $server; exit 1; }
        \"$0\" fetch 'http://[fe80::1%near]:29400/a.bin' --into 2.bin >/dev/null || { kill $server; exit 1; }
        kill $server";
    run_in_network(&dir, script).done();
    assert_eq!(
        (dir.read("1.bin"), dir.read("2.bin")),
        (b"abc".to_vec(), b"abc".to_vec())
    );
}

#[test]
#[ignore = "needs root and unshare: a machine whose name server is mute"]
fn in_a_namespace_a_name_that_nobody_looks_up_keeps_no_command_from_hearing_signals_and_its_timeout() {
    let mute = std::net::UdpSocket::bind("127.0.0.66:53").expect("free");
    let dir = Dir::new();
    dir.write("resolv", "nameserver 127.0.0.66\noptions timeout:10 attempts:3\n");
    let start = |arguments: &str| {
        let mut unshare = Command::new("unshare");
        let script = "mount --bind resolv /etc/resolv.conf && exec \"$0\" \"$@\"";
        unshare.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_arraylift")]);
        unshare.args(arguments.split(' '));
        dir.program(unshare).env("no_proxy", "*").start()
    };
    for arguments in [
        "send range:0:10 nohost.example:1",
        "ping nohost.example:1",
        "fetch http://nohost.example/x --into memory",
        "receive nohost.example:0 --into memory",
        "serve nohost.example:0 --into memory",
    ] {
        let process = start(arguments);
        let mut asked = [0; 512];
        mute.recv(&mut asked).expect("a question");
        let began = Instant::now();
        process.signal(rustix::process::Signal::TERM);
        let ended = process.wait();
        assert!(!ended.status.success(), "{ended:?}");
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{arguments}: {:?}",
            began.elapsed()
        );
    }
    for arguments in [
        "send range:0:10 nohost.example:1",
        "fetch http://nohost.example/x --into memory",
    ] {
        let began = Instant::now();
        start(&format!("{arguments} --timeout 1s"))
            .wait()
            .failed(1, &["nohost.example"]);
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{arguments}: {:?}",
            began.elapsed()
        );
    }
}
