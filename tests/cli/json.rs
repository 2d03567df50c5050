//! JSON Lines: what programs read.

use serde_json::Value as Json;

use crate::common::{Dir, Ended};

fn of<'a>(objects: &'a [Json], side: &str, event: &str) -> Vec<&'a Json> {
    let wanted = |object: &&Json| object["side"] == side && object["event"] == event;
    objects.iter().filter(wanted).collect()
}

#[track_caller]
fn check(ended: &Ended, sides: &[&str], count: u64, verified: &Json) {
    let objects = ended.objects();
    for object in &objects {
        assert!(object["event"].is_string(), "{object}");
        assert!(object["transfer"].is_u64(), "{object}");
        assert!(sides.contains(&object["side"].as_str().expect("a side")), "{object}");
        assert!(
            object["elapsed_s"].as_f64().is_some_and(|elapsed| elapsed >= 0.0),
            "{object}"
        );
    }
    for side in sides {
        let [started] = of(&objects, side, "started")[..] else {
            panic!("one started: {objects:?}")
        };
        assert_eq!(started["shape"], serde_json::json!([count]));
        assert_eq!(
            (&started["dtype"], &started["total_bytes"]),
            (&"f64".into(), &(8 * count).into())
        );
        let samples = of(&objects, side, "sample");
        let numbers = |name: &str| -> Vec<f64> { samples.iter().map(|s| s[name].as_f64().expect(name)).collect() };
        assert!(numbers("bytes").is_sorted(), "{samples:?}");
        assert!(numbers("elapsed_s").is_sorted(), "{samples:?}");
        assert!(
            numbers("rate_bytes_per_s").iter().all(|rate| *rate >= 0.0),
            "{samples:?}"
        );
        let last = samples.last().expect("a sample");
        assert_eq!(last["bytes"], 8 * count, "{last}");
        for counter in [
            "syscalls",
            "short_operations",
            "copied_bytes",
            "cpu_user_s",
            "cpu_system_s",
            "page_faults",
        ] {
            assert!(last[counter].is_number(), "{counter}: {last}");
        }
        // A call moves bytes at once where it can, and each byte is copied where it lands at the least.
        let copies = if *side == "receiver" { 8 * count } else { 0 };
        assert!(
            last["copied_bytes"].as_u64() >= Some(copies) && last["syscalls"].as_u64() > Some(0),
            "{last}"
        );
        let previews = of(&objects, side, "preview");
        assert_eq!(
            previews.last().expect("a preview")["values"],
            serde_json::json!([0.0, 1.0, 2.0])
        );
        if *side == "receiver" {
            assert_eq!(previews[0]["values"], serde_json::json!([]), "nothing has arrived yet");
        }
        let [finished] = of(&objects, side, "finished")[..] else {
            panic!("one finished: {objects:?}")
        };
        assert_eq!(
            (&finished["bytes"], &finished["verified"]),
            (&(8 * count).into(), verified)
        );
        assert_eq!(
            finished["checksum"].is_string(),
            verified == &Json::Bool(true),
            "{finished}"
        );
        assert!(
            finished["rate_bytes_per_s"].as_f64().is_some_and(|rate| rate > 0.0),
            "{finished}"
        );
    }
}

#[test]
fn every_line_is_an_event_of_one_side() {
    let dir = Dir::new();
    for (wire, verified) in [("native", Json::Bool(true)), ("npy", Json::Null), ("raw", Json::Null)] {
        let ended = dir
            .run(&format!("loopback range:0:1e6 --json --preview 3 --wire {wire}"))
            .done();
        check(&ended, &["sender", "receiver"], 1_000_000, &verified);
    }
}

#[test]
fn a_receiver_says_first_where_it_listens() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --json --once --into a.npy --preview 3");
    let address = receiver.address.clone();
    let sent = dir
        .run(&format!("send range:0:1e5 {address} --json --preview 3"))
        .done();
    check(&sent, &["sender"], 100_000, &Json::Bool(true));
    let mut received = receiver.wait().done();
    let first = received.objects().remove(0);
    assert_eq!(first, serde_json::json!({"event": "listening", "address": address}));
    received.stdout = received.stdout.split_once('\n').expect("more lines").1.into();
    check(&received, &["receiver"], 100_000, &Json::Bool(true));
    let objects = received.objects();
    assert_eq!(of(&objects, "receiver", "finished")[0]["path"], "a.npy");
    let mut states: Vec<&Json> = of(&objects, "receiver", "state")
        .into_iter()
        .map(|object| &object["state"])
        .collect();
    states.dedup();
    assert_eq!(states, ["listening", "connecting", "transferring", "verifying"]);
}

#[test]
fn the_place_of_a_next_sender_is_no_transfer() {
    let dir = Dir::new();
    let receiver = dir.receive("127.0.0.1:0 --into discard --json");
    dir.run(&format!("send range:0:10 {}", receiver.address)).done();
    let told = dir.run("status --json").done().objects();
    assert_eq!(told[0]["transfers"], serde_json::json!([]), "{told:?}");
    receiver.signal(rustix::process::Signal::TERM);
    let objects = receiver.wait().done().objects();
    assert_eq!(of(&objects, "receiver", "finished").len(), 1, "{objects:?}");
    assert!(of(&objects, "receiver", "cancelled").is_empty(), "{objects:?}");
}

#[test]
fn a_failure_is_an_object_on_standard_output_and_a_line_on_standard_error() {
    let dir = Dir::new();
    let ended = dir.run("loopback missing.npy --json").failed(1, &["missing.npy"]);
    let objects = ended.objects();
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert_eq!(
        (&objects[0]["event"], &objects[0]["fault"]),
        (&"failed".into(), &"caller".into())
    );
    let message = objects[0]["message"].as_str().expect("a message");
    assert_eq!(ended.stderr, format!("arraylift: {message}\n"));
}

#[test]
fn a_reader_who_goes_does_not_end_the_transfer() {
    let dir = Dir::new();
    for (index, arguments) in ["--json", ""].into_iter().enumerate() {
        let name = format!("{index}.npy");
        let arguments = ["loopback", "range:0:1e6", "--into", &name]
            .into_iter()
            .chain(arguments.split_whitespace());
        let status = dir.arraylift(arguments).run_unread();
        assert_eq!(status.code(), Some(0), "{name}");
        assert_eq!(dir.read(&name).len(), 8_000_128);
    }
}

#[test]
fn a_file_that_is_shorter_than_the_preview_shows_what_it_has() {
    use std::io::{Read as _, Write as _};
    let dir = Dir::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/a.bin", listener.local_addr().expect("an address"));
    let serve = move || {
        for client in listener.incoming() {
            let mut client = client.expect("a client");
            let mut asked = [0; 4096];
            assert!(client.read(&mut asked).expect("a request") > 0);
            // Its length is not told before it comes.
            let answer =
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
            client.write_all(answer).expect("answered");
        }
    };
    std::thread::Builder::new().spawn(serve).expect("a thread");
    let fetch = |options: &str| {
        let arguments = format!("fetch {url} --into discard {options}");
        let fetching = dir.arraylift(arguments.split_whitespace()).env("NO_PROXY", "127.0.0.1");
        fetching.run().done()
    };
    let ended = fetch("--json");
    let objects = ended.objects();
    let previews = of(&objects, "receiver", "preview");
    assert_eq!(
        previews.last().expect("a preview")["values"],
        serde_json::json!([97, 98, 99])
    );
    let said = fetch("").stdout;
    assert!(said.contains("first elements: 97 98 99\n"), "{said}");
}

#[test]
fn of_several_connections_each_tells_what_it_has_moved() {
    let dir = Dir::new();
    let count = 10_000_000;
    let told = dir
        .run(&format!(
            "loopback range:0:{count} --streams 3 --limit 400MB/s --json --no-history"
        ))
        .done()
        .objects();
    for side in ["sender", "receiver"] {
        let samples = of(&told, side, "sample");
        let each = |sample: &Json| -> Vec<u64> {
            let bytes = sample["stream_bytes"].as_array();
            bytes.map_or_else(Vec::new, |bytes| bytes.iter().filter_map(Json::as_u64).collect())
        };
        let with_each: Vec<_> = samples.iter().filter(|sample| !each(sample).is_empty()).collect();
        assert!(with_each.len() >= 5, "{side}: {samples:?}");
        for sample in &with_each {
            let (sum, bytes) = (
                each(sample).iter().sum::<u64>(),
                sample["bytes"].as_u64().expect("bytes"),
            );
            // What lies between two readings is cut to a whole byte.
            assert!(bytes - sum <= 3, "{sample}");
        }
        let last = each(with_each.last().expect("one"));
        assert_eq!((last.len(), last.iter().sum::<u64>()), (3, 8 * count), "{side}");
    }
    let alone = dir.run("loopback range:0:1e6 --json --no-history").done().objects();
    assert!(alone.iter().all(|object| object.get("stream_bytes").is_none()));
}
