//! `--stats`: what the values are that pass by.

use serde_json::{Value as Json, json};

use crate::common::{Dir, Ended};
use crate::fetch::{fetch, file, python_server};
use crate::npy;
use crate::serve::{drained, serve};

fn of(ended: &Ended, side: &str) -> Json {
    let told: Vec<Json> = ended
        .objects()
        .into_iter()
        .filter(|object| object["event"] == "stats" && object["side"] == side)
        .collect();
    let [one] = &told[..] else {
        panic!("{side} tells it once: {told:?}")
    };
    one.clone()
}

#[test]
fn each_end_tells_what_the_values_of_a_file_are_and_what_is_no_number_apart() {
    let dir = Dir::new();
    let values = [1.5, f64::NAN, -3.0, f64::INFINITY, 4.5, f64::NEG_INFINITY, 0.0];
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    dir.write("a.npy", npy("'>f8'", "(7,)", &bytes));
    for options in [
        "",
        "--no-verify",
        "--wire npy",
        "--send-route write",
        "--into b.npy",
        "--into discard",
    ] {
        let ended = dir.run(&format!("loopback a.npy --stats --json {options}")).done();
        for side in ["sender", "receiver"] {
            let told = of(&ended, side);
            assert_eq!(
                (&told["values"], &told["seen"], &told["exact"]),
                (&json!(7), &json!(7), &json!(true)),
                "{options}: {told}"
            );
            assert_eq!(
                (&told["min"], &told["max"]),
                (&json!(-3.0), &json!(4.5)),
                "{options}: {told}"
            );
            assert_eq!(
                (&told["mean"], &told["nan"]),
                (&json!(0.75), &json!(1)),
                "{options}: {told}"
            );
            assert_eq!(
                (&told["infinite"], &told["left_out"]),
                (&json!(2), &Json::Null),
                "{options}: {told}"
            );
            let counts = told["histogram"]["counts"].as_array().expect("counts");
            assert_eq!(
                counts.iter().filter_map(Json::as_u64).sum::<u64>(),
                4,
                "{options}: {told}"
            );
        }
    }
    let words = dir.run("loopback a.npy --stats").done().stdout;
    let line = "values: min -3.0, max 4.5, mean 0.75, 1 NaN, 2 infinite; all 7 were looked at";
    assert!(words.lines().any(|said| said == line), "{words}");
}

#[test]
fn what_a_transfer_has_no_time_for_is_not_looked_at_and_how_much_was_is_told() {
    let dir = Dir::new();
    let ended = dir.run("loopback range:0:20e6 --stats --streams 3 --json").done();
    for side in ["sender", "receiver"] {
        let told = of(&ended, side);
        let number = |name: &str| told[name].as_f64().expect(name);
        assert_eq!(told["values"], 20_000_000, "{told}");
        assert!((1.0..=20e6).contains(&number("seen")), "{told}");
        assert!(number("min") >= 0.0 && number("max") < 20e6, "{told}");
        assert!((number("min")..number("max")).contains(&number("mean")), "{told}");
        assert_eq!(told["exact"], told["seen"] == told["values"], "{told}");
        assert!((number("mean") / 1e7 - 1.0).abs() < 0.05, "{told}");
    }
}

#[test]
fn a_service_and_its_workers_tell_what_the_values_of_each_array_are() {
    for options in ["", "--workers 2"] {
        let dir = Dir::new();
        let service = serve(&dir, &format!("--stats {options}"));
        dir.run(&format!("send range:0:1000 {}", service.address)).done();
        dir.run(&format!("send range:0:2e6 {} --streams 3", service.address))
            .done();
        dir.write("c.npy", npy("'<c16'", "(2,)", &[0; 32]));
        dir.run(&format!("send c.npy {}", service.address)).done();
        let objects = drained(service).done().objects();
        let told: Vec<&Json> = objects.iter().filter(|object| object["event"] == "stats").collect();
        let [small, large, none] = &told[..] else {
            panic!("{options}: each tells it once: {told:?}")
        };
        assert_eq!(
            (&small["exact"], &small["mean"]),
            (&json!(true), &json!(499.5)),
            "{small}"
        );
        assert_eq!(
            (&small["seen"], &small["max"]),
            (&json!(1000), &json!(999.0)),
            "{small}"
        );
        assert_eq!(large["values"], 2_000_000, "{large}");
        let mean = large["mean"].as_f64().expect("a mean");
        assert!((mean / 1e6 - 1.0).abs() < 0.1, "{large}");
        assert_eq!(none["left_out"], "there are none of c128", "{none}");
        // Before its end, and of the same transfer.
        for one in told {
            let at = objects
                .iter()
                .position(|object| object == one)
                .expect("it is one of them");
            let later = |event: &str| {
                let of = |object: &Json| object["event"] == event && object["transfer"] == one["transfer"];
                objects[at..].iter().any(of)
            };
            assert!(later("finished") && !later("sample"), "{options}: {one}");
        }
    }
}

#[test]
fn a_service_says_the_values_of_each_array_in_words() {
    let dir = Dir::new();
    let service = dir.listen("serve", "127.0.0.1:0 --into discard --stats");
    dir.run(&format!("send range:0:1000 {}", service.address)).done();
    let words = drained(service).done().stdout;
    assert!(words.contains("values: min 0.0, max 999.0, mean 499.5"), "{words}");
}

#[test]
fn several_sources_have_their_values_told_by_name() {
    let dir = Dir::new();
    let receiver = dir.listen("receive", "127.0.0.1:0 --into discard");
    let address = receiver.address.clone();
    let words = dir
        .run(&format!("send range:0:1000 range:0:100 {address} --stats"))
        .done()
        .stdout;
    assert!(words.contains("range:0:100: values: min 0.0, max 99.0"), "{words}");
    receiver.signal(rustix::process::Signal::TERM);
    receiver.wait();
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn what_a_python_server_sends_again_from_the_first_byte_is_counted_once() {
    let dir = Dir::new();
    let few = file(4 << 20);
    let many = file(33 << 20);
    let elsewhere = Dir::new();
    let servers = [python_server(&dir, &few, 0), python_server(&elsewhere, &many, 0)];
    for (bytes, server, path, streams, limit, again) in [
        (&few, &servers[0], "always-new", 1, "5MB/s", true),
        (&few, &servers[0], "whole", 1, "5MB/s", false),
        (&many, &servers[1], "replaced", 4, "none", true),
    ] {
        let options = format!("--into discard --stats --json --limit {limit}");
        let url = server.url(path);
        let ended = fetch(&dir, &format!("{url} {options} --streams {streams}")).done();
        let told = of(&ended, "receiver");
        let begun = ended
            .objects()
            .iter()
            .filter(|object| object["event"] == "started")
            .count();
        assert_eq!(begun > 1, again, "{path}");
        assert_eq!(told["values"], bytes.len(), "{path}: {told}");
        let seen = told["seen"].as_u64().expect("a count");
        assert!(0 < seen && seen <= bytes.len() as u64, "{path}: {told}");
        assert_eq!((&told["min"], &told["max"]), (&json!(0), &json!(255)), "{path}: {told}");
        let mean = told["mean"].as_f64().expect("a mean");
        assert!((mean - 127.5).abs() < 1.0, "{path}: {told}");
        assert_eq!(told["exact"], seen == bytes.len() as u64, "{path}: {told}");
    }
}

#[test]
fn what_has_no_values_says_why() {
    let dir = Dir::new();
    dir.write("c.npy", npy("'<c16'", "(2,)", &[0; 32]));
    for (arguments, why) in [
        ("loopback c.npy", "there are none of c128"),
        ("loopback range:0:9 --send-route handoff", "handed over"),
    ] {
        let ended = dir.run(&format!("{arguments} --stats --json")).done();
        for side in ["sender", "receiver"] {
            let told = of(&ended, side);
            assert_eq!(told["seen"], 0, "{told}");
            assert!(
                told["left_out"].as_str().is_some_and(|said| said.contains(why)),
                "{told}"
            );
        }
    }
}

#[test]
fn nobody_looks_at_values_that_nobody_asked_for() {
    let dir = Dir::new();
    let ended = dir.run("loopback range:0:1e5 --json").done();
    assert!(ended.objects().iter().all(|object| object["event"] != "stats"));
}
