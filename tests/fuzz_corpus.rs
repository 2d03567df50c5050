//! Every input that fuzzing has kept, on every toolchain. `tests/fuzz.sh` looks for more.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why and fails")]

use std::path::Path;

#[path = "fuzz/bodies.rs"]
#[expect(unreachable_pub, reason = "the fuzzers use it, too")]
mod bodies;
#[path = "fuzz/budget.rs"]
#[expect(unreachable_pub, reason = "the fuzzers use it, too")]
mod budget;

/// The corpora are part of the source.
const BYTES_MAX: u64 = 120_000;

#[test]
fn every_input_of_the_corpora_is_within_its_budget() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut bytes = 0;
    for (name, body) in bodies::TARGETS {
        let mut inputs = 0;
        for entry in std::fs::read_dir(corpus.join(name)).expect("a corpus") {
            let path = entry.expect("an entry").path();
            let input = std::fs::read(&path).expect("an input");
            bytes += input.len() as u64;
            inputs += 1;
            println!("{}", path.display());
            body(&input);
        }
        assert!(inputs > 0, "{name} has no inputs");
    }
    assert!(bytes <= BYTES_MAX, "{bytes} bytes of corpora, of at most {BYTES_MAX}");
}
