//! Statistics of arrays are those of NumPy.
//!
//! `ARRAYLIFT_PYTHON=python3 cargo test -- --ignored`, with a Python that has NumPy 2.
#![allow(clippy::expect_used)]

use std::fmt::Write as _;

use arraylift::internals::Statistics;
use arraylift::{ArrayMeta, Dtype};

mod numpy;

const DTYPES: [&str; 20] = [
    "?", "u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<f2", ">f2",
    "<f4", ">f4", "<f8",
];
const ELEMENTS: usize = 100_003;

/// Reads a dtype, the beginning and the width of the bins and their number, a line each; answers with a line: how many
/// are NaN, how many infinite, minimum, maximum and mean of the others, and how many lie in each bin.
const ORACLE: &str = r"
import sys
import numpy
for line in sys.stdin:
    dtype, path, start, width, bins = line.split()
    a = numpy.fromfile(path, dtype)
    with numpy.errstate(all='ignore'):
        f = a.astype('f8')
    finite = numpy.isfinite(f)
    start, width, bins = float(start), float(width), int(bins)
    widths = numpy.floor(f[finite] / width)
    widths[(widths == 0) & (f[finite] < 0)] = -1
    counts = numpy.bincount((widths - start / width).astype(int), minlength=bins)
    print(numpy.isnan(f).sum(), numpy.isinf(f).sum(), repr(float(a[finite].min())), repr(float(a[finite].max())),
          repr(float(numpy.mean(f[finite]))), *counts)
";

/// Bytes that look like any, the same ones every time.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) + 1;
    let next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40).to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with numpy"]
fn statistics_of_any_bytes_are_those_of_numpy() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut questions, mut ours) = (String::new(), Vec::new());
    for (seed, name) in DTYPES.into_iter().enumerate() {
        let dtype = Dtype::from_descr(&format!("'{name}'")).expect("a dtype");
        let mut bytes = bytes(seed as u64, ELEMENTS * dtype.item_size());
        if name == "?" {
            // NumPy's own are 0 and 1.
            for byte in &mut bytes {
                *byte &= 1;
            }
        }
        let meta = ArrayMeta::vector(dtype, ELEMENTS as u64).expect("an array");
        let mut statistics = Statistics::of(&meta).expect("numbers");
        let pieces: Vec<_> = bytes.chunks(4099).enumerate().collect();
        for (index, piece) in pieces.into_iter().rev() {
            statistics.see(index as u64 * 4099, piece, 1);
        }
        let stats = statistics.stats();
        let path = folder.path().join(seed.to_string());
        std::fs::write(&path, &bytes).expect("written");
        let histogram = stats.histogram.clone().expect("finite values");
        let (path, from, width) = (path.display(), histogram.from, histogram.bin_width);
        writeln!(questions, "{name} {path} {from:?} {width:?} {}", histogram.counts.len()).expect("written");
        ours.push((name, stats, histogram));
    }
    let answers = String::from_utf8(numpy::run(ORACLE, &questions)).expect("text");
    assert_eq!(answers.lines().count(), DTYPES.len());
    for (line, (name, stats, histogram)) in answers.lines().zip(ours) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(stats.seen, ELEMENTS as u64, "{name}");
        assert_eq!(words[0], stats.nan.to_string(), "{name}: NaN");
        assert_eq!(words[1], stats.infinite.to_string(), "{name}: infinities");
        for (word, value) in words[2..4].iter().zip([&stats.min, &stats.max]) {
            let theirs: f64 = word.parse().expect("a number");
            let value = value.as_ref().expect("a value").to_string();
            let value = value.replace("True", "1").replace("False", "0");
            let value: f64 = value.parse().expect("a number");
            // Ours has the digits of its own type.
            let precision = if name.ends_with("f2") { 1e-3 } else { 1e-7 };
            assert!(
                (value - theirs).abs() <= theirs.abs() * precision,
                "{name}: {value} for {theirs}"
            );
        }
        let (theirs, mean): (f64, f64) = (words[4].parse().expect("a number"), stats.mean.unwrap_or(f64::INFINITY));
        let scale: f64 = words[3].parse().expect("a number");
        let is_near = (mean - theirs).abs() <= scale * 1e-12;
        assert!(
            is_near || mean.is_infinite() && !theirs.is_finite(),
            "{name}: {mean} for {theirs}"
        );
        let counts: Vec<u64> = words[5..].iter().map(|count| count.parse().expect("a count")).collect();
        assert_eq!(counts, histogram.counts, "{name}");
    }
}
