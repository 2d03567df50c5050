use super::*;
use crate::array::{Dtype, Order, Shape, values};
use proptest::prelude::*;

const DTYPES: [&str; 24] = [
    "|b1", "|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8", "<f2", "<f4", "<f8", ">u2", ">u4", ">u8", ">i2",
    ">i4", ">i8", ">f2", ">f4", ">f8", "u1", "<f8", "<f4",
];

fn meta(dtype: &str, shape: &[u64], order: Order) -> ArrayMeta {
    let dtype = Dtype::from_descr(&format!("'{dtype}'")).expect("a dtype");
    ArrayMeta::new(dtype, Shape::new(shape.to_vec()).expect("a shape"), order).expect("an array")
}

fn statistics(meta: &ArrayMeta) -> Statistics {
    Statistics::of(meta).expect("numbers")
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Bool(bool) => f64::from(u8::from(*bool)),
        Value::Int(int) => *int as f64,
        Value::UInt(int) => *int as f64,
        Value::Float(float) => *float,
        Value::Float32(float) => f64::from(*float),
        Value::Text(text) => panic!("{text} is no number"),
    }
}

/// The same, a value after the other, as simply as can be. `Value` prints a half shorter than it is.
fn naive(values: &[Value]) -> (Option<f64>, Option<f64>, u64, u64) {
    let numbers: Vec<f64> = values.iter().map(number).collect();
    let finite = || numbers.iter().copied().filter(|number| number.is_finite());
    let nan = numbers.iter().filter(|number| number.is_nan()).count() as u64;
    let infinite = numbers.iter().filter(|number| number.is_infinite()).count() as u64;
    (finite().reduce(f64::min), finite().reduce(f64::max), nan, infinite)
}

#[test]
fn what_no_single_number_is_has_no_statistics() {
    for dtype in ["<c8", "<c16", "<f16", "<M8[ns]", "<m8[s]", "|S3", "<U2", "|V4"] {
        assert!(Statistics::of(&meta(dtype, &[5], Order::C)).is_none(), "{dtype}");
    }
    let record = Dtype::from_descr("[('a', '<i4'), ('b', '<f8')]").expect("a record");
    assert!(Statistics::of(&ArrayMeta::vector(record, 3).expect("an array")).is_none());
}

#[test]
fn whole_numbers_are_exact_to_the_last_digit() {
    let values = [i64::MIN, i64::MIN + 1, 5, i64::MAX - 1];
    let mut seen = statistics(&meta(">i8", &[4], Order::C));
    seen.see(0, &values.map(i64::to_be_bytes).concat(), 1);
    let stats = seen.stats();
    assert_eq!(stats.min, Some(Value::Int(i64::MIN)));
    assert_eq!(stats.max, Some(Value::Int(i64::MAX - 1)));
    let mut seen = statistics(&meta("<u8", &[2], Order::C));
    seen.see(0, &[u64::MAX, u64::MAX - 1].map(u64::to_le_bytes).concat(), 1);
    assert_eq!(seen.stats().max, Some(Value::UInt(u64::MAX)));
    assert_eq!(seen.stats().min, Some(Value::UInt(u64::MAX - 1)));
}

#[test]
fn what_is_not_finite_is_counted_and_in_no_other_number() {
    let values = [f64::NAN, 1.0, f64::INFINITY, 3.0, f64::NEG_INFINITY, -0.0].repeat(50);
    let mut seen = statistics(&meta("<f8", &[300], Order::C));
    seen.see(
        0,
        &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(),
        1,
    );
    let stats = seen.stats();
    assert_eq!((stats.seen, stats.nan, stats.infinite), (300, 50, 100));
    assert_eq!(
        (stats.min, stats.max),
        (Some(Value::Float(0.0)), Some(Value::Float(3.0)))
    );
    assert_eq!(stats.mean, Some(4.0 / 3.0));
    let counted: u64 = stats.histogram.expect("finite values").counts.iter().sum();
    assert_eq!(counted, 150);
}

#[test]
fn what_is_counted_in_samples_weighs_as_much_as_what_is_counted_in_full() {
    for dtype in ["<f8", "|u1"] {
        let meta = meta(dtype, &[2000], Order::C);
        let size = meta.dtype().item_size();
        let bytes = [[0; 8]; 2000].concat()[..2000 * size].to_vec();
        let mut seen = statistics(&meta);
        let (full, sampled) = bytes.split_at(1000 * size);
        seen.see(0, full, 1);
        seen.see(1000 * size as u64, &sampled[..900 * size], 8);
        seen.see(1900 * size as u64, &sampled[900 * size..], 7);
        let counted: u64 = seen.stats().histogram.expect("numbers").counts.iter().sum();
        assert_eq!(counted, 2000, "{dtype}");
    }
}

/// Statistics of a range of which the first eighth is looked at in full, a half 1 in 20, and then 1 in 5.
fn range_at_a_changing_pace(shape: &[u64], order: Order) -> ArrayStats {
    let meta = meta("<f8", shape, order);
    let count = meta.element_count();
    let mut seen = statistics(&meta);
    let chunks = count / 512;
    for chunk in 0..chunks {
        let one_in = match chunk * 8 / chunks {
            0 => 1,
            1..=4 => 20,
            _ => 5,
        };
        if chunk % one_in == 0 {
            let values = chunk * 512..(chunk + 1) * 512;
            let bytes: Vec<u8> = values.flat_map(|value| (value as f64).to_le_bytes()).collect();
            seen.see(chunk * 4096, &bytes, 8);
        }
    }
    seen.stats()
}

#[test]
fn the_mean_and_the_histogram_of_a_range_are_right_however_much_was_looked_at_of_its_parts() {
    for (shape, order) in [
        (&[5_000_000_u64][..], Order::C),
        (&[2000, 2500], Order::C),
        (&[2500, 2000], Order::Fortran),
        (&[5_000_000, 1], Order::C),
    ] {
        let stats = range_at_a_changing_pace(shape, order);
        assert!(!stats.exact && stats.seen < 1_500_000, "{}", stats.seen);
        let mean = stats.mean.expect("a mean");
        assert!((mean / 2.5e6 - 1.0).abs() < 0.01, "{shape:?}: {mean}");
        let histogram = stats.histogram.expect("a histogram");
        // As finely as it is drawn.
        let bins: Vec<u64> = histogram.counts.chunks(8).map(|bins| bins.iter().sum()).collect();
        let whole = &bins[..bins.len() - 1];
        let wide = histogram.bin_width * 8.0;
        for (index, count) in whole.iter().enumerate() {
            let share = *count as f64 / wide;
            assert!((0.9..1.1).contains(&share), "{shape:?}: {share} in bin {index}");
        }
        let counted = histogram.counts.iter().sum::<u64>() as f64;
        assert!((counted / 5e6 - 1.0).abs() < 0.01, "{shape:?}: {counted}");
    }
}

#[test]
fn a_part_that_has_not_come_yet_is_in_no_number() {
    let ramp: Vec<u8> = (0..200).collect();
    let mut seen = statistics(&meta("|u1", &[200], Order::C));
    seen.see(0, &ramp[..100], 1);
    let stats = seen.stats();
    assert!(!stats.exact);
    // A stratum is 7 values; the last one that came is taken to be whole.
    assert!((49.5..53.0).contains(&stats.mean.expect("a mean")), "{stats:?}");
    seen.see(100, &ramp[100..], 1);
    assert!(seen.stats().exact);
    assert_eq!(seen.stats().mean, Some(99.5));
}

#[test]
fn nothing_has_no_numbers_and_what_overflows_has_no_mean() {
    let stats = statistics(&meta("<f8", &[2], Order::C)).stats();
    assert_eq!(stats, ArrayStats::default());
    let mut seen = statistics(&meta("<f8", &[2], Order::C));
    seen.see(0, &[f64::MAX, f64::MAX].map(f64::to_le_bytes).concat(), 1);
    assert_eq!(
        (seen.stats().mean, seen.stats().max),
        (None, Some(Value::Float(f64::MAX)))
    );
}

#[test]
fn tiles_of_an_image_are_true_to_its_shape() {
    let values: Vec<u8> = (0..200).flat_map(|row: u8| [row; 100]).collect();
    let mut seen = statistics(&meta("|u1", &[200, 100], Order::C));
    for (index, piece) in values.chunks(333).enumerate().rev() {
        seen.see(index as u64 * 333, piece, 1);
    }
    let (tiles, (_, across)) = (seen.tiles(), seen.grid().tiles());
    let (rows, _) = seen.grid().tile();
    for (index, tile) in tiles.iter().enumerate() {
        let first = (index / across) as f64 * rows as f64;
        let last = (first + rows as f64 - 1.0).min(199.0);
        assert_eq!((tile.min, tile.max), (first, last), "tile {index}");
        assert_eq!(tile.seen, seen.grid().elements_of(index).1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn pieces_in_any_order_over_any_connections_come_to_what_a_loop_over_all_does(
        dtype in prop::sample::select(DTYPES.to_vec()),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xff), Just(0x7f), Just(0)], 8..3000),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        order in prop::collection::vec((any::<u32>(), 0_usize..3), 21),
    ) {
        let size = Dtype::from_descr(&format!("'{dtype}'")).expect("a dtype").item_size();
        let count = bytes.len() / size;
        let bytes = &bytes[..count * size];
        let shape = if count.is_multiple_of(6) { vec![count as u64 / 6, 6] } else { vec![count as u64] };
        let meta = meta(dtype, &shape, Order::C);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut pieces: Vec<(u32, usize, usize, usize)> = cuts
            .windows(2)
            .zip(&order)
            .map(|(ends, (place, connection))| (*place, *connection, ends[0], ends[1]))
            .collect();
        pieces.sort_unstable();
        let mut all = statistics(&meta);
        let mut connections = [all.emptied(), all.emptied(), all.emptied()];
        for (index, (_, connection, from, to)) in pieces.into_iter().enumerate() {
            connections[connection].see(from as u64, &bytes[from..to], 1);
            if index % 4 == 3 {
                all.take_from(&mut connections[connection]);
            }
        }
        for connection in &mut connections {
            all.take_from(connection);
        }
        let mut at_once = statistics(&meta);
        at_once.see(0, bytes, 1);
        let (stats, same) = (all.stats(), at_once.stats());
        let values = values(meta.dtype(), bytes);
        let (min, max, nan, infinite) = naive(&values);
        prop_assert_eq!(stats.seen, count as u64);
        prop_assert_eq!((stats.nan, stats.infinite), (nan, infinite));
        prop_assert_eq!(stats.min.as_ref().map(number), min);
        prop_assert_eq!(stats.max.as_ref().map(number), max);
        prop_assert_eq!(&stats.histogram, &same.histogram);
        let scale = min.unwrap_or(0.0).abs().max(max.unwrap_or(0.0).abs());
        if let (Some(mean), Some(same)) = (stats.mean, same.mean) {
            prop_assert!((mean - same).abs() <= scale * 1e-12, "{} {}", mean, same);
        }
        for (one, other) in all.tiles().iter().zip(at_once.tiles()) {
            prop_assert_eq!((one.seen, one.not_finite), (other.seen, other.not_finite));
            prop_assert!(one.min.total_cmp(&other.min).is_eq());
            prop_assert!(one.max.total_cmp(&other.max).is_eq());
        }
    }
}
