//! `--stats`: what the values are that pass by.

use serde_json::{Value as Json, json};

use crate::common::{Dir, Ended};
use crate::npy;

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
        assert_eq!(told["exact"], number("seen") == 20e6, "{told}");
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
