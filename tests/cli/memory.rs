//! Where arrays land in memory: huge pages where there are any, and the same ones again.

use std::sync::Mutex;

use rustix::thread::disable_transparent_huge_pages;
use serde_json::Value as Json;

use crate::common::{Dir, Ended};

/// Children inherit what is switched off here.
static SWITCH: Mutex<()> = Mutex::new(());

fn kinds_of_memory(ended: &Ended) -> Vec<String> {
    let objects = ended.objects();
    let started = |object: &&Json| object["event"] == "started" && object["side"] == "receiver";
    let kinds = objects.iter().filter(started);
    kinds
        .map(|object| object["memory"].as_str().expect("in memory").to_owned())
        .collect()
}

#[test]
fn the_next_array_of_a_process_lands_in_the_same_memory() {
    let ended = {
        let _switch = SWITCH.lock();
        Dir::new().run("loopback range:0:2e6 --repeat 3 --json")
    };
    let kinds = kinds_of_memory(&ended.done());
    assert_eq!(kinds.len(), 3);
    if !kinds[0].starts_with("small pages") {
        assert_eq!(kinds, ["huge pages, fresh", "huge pages, reused", "huge pages, reused"]);
    }
}

#[test]
fn without_huge_pages_an_array_lands_in_small_ones_and_that_is_said() {
    let _switch = SWITCH.lock();
    disable_transparent_huge_pages(true).expect("prctl");
    let ended = Dir::new().run("loopback range:0:2e6 --json");
    disable_transparent_huge_pages(false).expect("prctl");
    let kinds = kinds_of_memory(&ended.done());
    assert!(
        matches!(&kinds[..], [kind] if kind.starts_with("small pages: ")),
        "{kinds:?}"
    );
}
