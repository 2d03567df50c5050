//! Filling memory with a range, in pieces that stay in cache, as a sender does.

#![allow(clippy::expect_used, reason = "a benchmark that cannot go on says why and fails")]

use std::hint::black_box;

use arraylift::{Dtype, Range};
use criterion::{Criterion, Throughput};

const PIECE_BYTES: usize = 1 << 20;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("range");
    group.throughput(Throughput::Bytes(PIECE_BYTES as u64));
    for name in ["f64", "f32", "i64", "i32", "u8"] {
        let dtype = Dtype::from_name(name).expect("a dtype");
        // Past its end the progression goes on.
        let range = Range::parse("0:100", Some(dtype.clone())).expect("a range");
        let mut piece = vec![0; PIECE_BYTES];
        let mut first_index = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                range.fill(first_index, black_box(&mut piece));
                first_index += (PIECE_BYTES / dtype.item_size()) as u64;
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
