//! Statistics of an array's values, a piece that is in cache over and over, as it was just received.

#![allow(clippy::expect_used, reason = "a benchmark that cannot go on says why and fails")]

use std::hint::black_box;

use arraylift::internals::Statistics;
use arraylift::{ArrayMeta, Dtype};
use criterion::{Criterion, Throughput};

const PIECE_BYTES: usize = 64 << 10;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("stats");
    group.throughput(Throughput::Bytes(PIECE_BYTES as u64));
    for name in [
        "u8", "int8", "u16", "i16", "i32", "u32", "i64", "u64", "float16", "f32", "f64", ">f8", ">i4",
    ] {
        let dtype = Dtype::from_name(name).expect("a dtype");
        // Floats between -2 and 2: no byte makes the exponent one of infinity.
        let piece: Vec<u8> = (0..PIECE_BYTES)
            .map(|index| (index * 7 % 61).to_le_bytes()[0])
            .collect();
        let elements = 4096 * PIECE_BYTES / dtype.item_size();
        let meta = ArrayMeta::vector(dtype, elements as u64).expect("an array");
        for (what, one_in) in [("all in the histogram", 1), ("1 in 8 in the histogram", 8)] {
            let mut statistics = Statistics::of(&meta).expect("numbers");
            group.bench_function(format!("{name}, {what}"), |bencher| {
                bencher.iter(|| statistics.see(0, black_box(&piece), one_in));
            });
        }
    }
    group.finish();
    criterion.final_summary();
}
