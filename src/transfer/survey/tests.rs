use super::*;
use crate::array::{Dtype, Value};
use crate::telemetry::Counters;

fn ramp(count: u32) -> (ArrayMeta, Vec<u8>) {
    let meta = ArrayMeta::vector(Dtype::f64(), count.into()).expect("an array");
    (
        meta,
        (0..count).flat_map(|value| f64::from(value).to_le_bytes()).collect(),
    )
}

#[test]
fn where_there_is_time_for_it_every_value_is_looked_at_whatever_the_chunks_are() {
    let (meta, bytes) = ramp(10_000);
    let mut reader = SurveyReader::new(Detail::Picture);
    reader.survey().begin(&meta);
    let mut surveyors = [reader.survey().surveyor(), reader.survey().surveyor()];
    let (mut now, mut waited) = (Instant::now(), Duration::ZERO);
    for (index, chunk) in bytes.chunks(1003).enumerate() {
        now += Duration::from_millis(10);
        waited += Duration::from_millis(10);
        surveyors[index % 2].see(index as u64 * 1003, chunk, now, waited);
        if index % 7 == 0 {
            reader.stats(now, false);
        }
    }
    let stats = reader.stats(now, true).expect("an array");
    assert_eq!((stats.values, stats.array.seen), (10_000, 10_000));
    assert_eq!(stats.array.max, Some(Value::Float(9999.0)));
    assert_eq!(stats.array.mean, Some(4999.5));
    assert_eq!(stats.left_out, None);
}

#[test]
fn where_there_is_no_time_samples_lie_all_over_the_array() {
    let (meta, bytes) = ramp(1 << 20);
    let mut reader = SurveyReader::new(Detail::Picture);
    reader.survey().begin(&meta);
    let mut surveyor = reader.survey().surveyor();
    let mut now = Instant::now();
    // 8 MB in 1.6 ms: as fast as it comes.
    for (index, chunk) in bytes.chunks(1 << 20).enumerate() {
        now += Duration::from_micros(200);
        surveyor.see(index as u64 * (1 << 20), chunk, now, Duration::ZERO);
    }
    let stats = reader.stats(now, true).expect("an array");
    assert!(stats.array.seen < 1 << 18, "{}", stats.array.seen);
    assert!(stats.array.seen > 0);
}

#[test]
fn a_short_transfer_is_looked_at_from_its_first_byte_to_its_last() {
    let (meta, bytes) = ramp(1 << 20);
    let mut reader = SurveyReader::new(Detail::Picture);
    reader.survey().begin(&meta);
    let mut surveyor = reader.survey().surveyor();
    let now = Instant::now();
    // In no time.
    for (index, chunk) in bytes.chunks(256 << 10).enumerate() {
        surveyor.see(index as u64 * (256 << 10), chunk, now, Duration::ZERO);
    }
    let stats = reader.stats(now, true).expect("an array");
    let tiles = stats.tiles.expect("tiles");
    let eighths = tiles.tiles.chunks(tiles.tiles.len() / 8);
    for (index, eighth) in eighths.enumerate() {
        let seen: u64 = eighth.iter().map(|tile| tile.seen).sum();
        assert!(seen > 0, "nothing of eighth {index}");
    }
    let mean = stats.array.mean.expect("a mean") / f64::from(1 << 19);
    assert!((0.9..1.1).contains(&mean), "{mean}");
}

#[test]
fn a_thread_without_a_core_does_not_look_and_the_event_says_so() {
    let (meta, bytes) = ramp(1000);
    let mut reader = SurveyReader::new(Detail::Picture);
    reader.survey().begin(&meta);
    let mut surveyor = reader.survey().surveyor();
    let start = Instant::now();
    let counters = |thread_s, core_wait_s| Counters {
        thread_s,
        core_wait_s,
        ..Counters::default()
    };
    reader.hear(&counters(1.0, 0.5), start);
    surveyor.see(0, &bytes[..4000], start, Duration::ZERO);
    let later = start + Duration::from_millis(1500);
    let stats = reader.stats(later, false).expect("an array");
    assert_eq!(stats.array.seen, 0);
    let why = stats.left_out.expect("a reason");
    assert!(why.contains("1.5") && why.contains("lacked a core"), "{why}");
    reader.hear(&counters(2.0, 0.51), later);
    surveyor.see(4000, &bytes[4000..], later, Duration::ZERO);
    assert_eq!(reader.stats(later, true).expect("an array").array.seen, 500);
}

#[test]
fn what_lacks_a_core_all_the_time_still_has_a_mean_of_all_of_the_array() {
    let (meta, bytes) = ramp(4 << 20);
    let mut reader = SurveyReader::new(Detail::Picture);
    reader.survey().begin(&meta);
    let mut surveyor = reader.survey().surveyor();
    let now = Instant::now();
    let lacking = Counters {
        thread_s: 1.0,
        core_wait_s: 0.9,
        ..Counters::default()
    };
    reader.hear(&lacking, now);
    for (index, chunk) in bytes.chunks(64 << 10).enumerate() {
        surveyor.see(index as u64 * (64 << 10), chunk, now, Duration::ZERO);
    }
    let stats = reader.stats(now, true).expect("an array");
    assert!(stats.array.seen <= 64 * 512, "{}", stats.array.seen);
    let mean = stats.array.mean.expect("a mean") / f64::from(2 << 20);
    assert!((0.99..1.01).contains(&mean), "{mean}");
}

#[test]
fn what_comes_again_from_the_beginning_is_counted_once() {
    for detail in [Detail::Picture, Detail::Numbers, Detail::FewNumbers] {
        let ((first, _), (meta, bytes)) = (ramp(500), ramp(1000));
        let mut reader = SurveyReader::new(detail);
        reader.survey().begin(&first);
        let now = Instant::now();
        let mut surveyors = [reader.survey().surveyor(), reader.survey().surveyor()];
        surveyors[0].see(0, &[7; 2000], now, Duration::ZERO);
        surveyors[1].see(2000, &[7; 2000], now, Duration::ZERO);
        assert_eq!(reader.stats(now, false).expect("an array").array.seen, 500);
        reader.survey().begin_again();
        assert_eq!(reader.stats(now, false), None);
        reader.survey().begin(&meta);
        surveyors[1].see(0, &bytes, now, Duration::ZERO);
        let stats = reader.stats(now, true).expect("an array");
        assert_eq!((stats.values, stats.array.seen), (1000, 1000));
        assert_eq!(
            (stats.array.mean, stats.array.max),
            (Some(499.5), Some(Value::Float(999.0)))
        );
        assert_eq!(stats.tiles.is_some(), detail == Detail::Picture);
    }
}

#[test]
fn an_array_without_numbers_says_that_there_are_none() {
    let mut reader = SurveyReader::new(Detail::Picture);
    assert_eq!(reader.stats(Instant::now(), true), None);
    let dtype = Dtype::from_name("c128").expect("a dtype");
    let meta = ArrayMeta::vector(dtype, 5).expect("an array");
    reader.survey().begin(&meta);
    reader
        .survey()
        .surveyor()
        .see(0, &[0; 80], Instant::now(), Duration::ZERO);
    let stats = reader.stats(Instant::now(), true).expect("a reason");
    assert_eq!(stats.left_out.as_deref(), Some("there are none of c128"));
    assert_eq!(stats.array.seen, 0);
}

#[test]
fn what_a_service_keeps_of_the_values_of_a_connection_has_the_bounds_that_docs_bounds_tells() {
    let meta = ArrayMeta::vector(Dtype::f64(), 1 << 24).expect("an array");
    let array_bytes = (1_u64 << 24) * 8;
    let few = || Statistics::with_grid(&meta, Grid::in_pieces(&meta, FEW_PIECES)).expect("numbers");
    let fill = |statistics: &mut Statistics| {
        for piece in 0..FEW_PIECES {
            let values = [-1e300_f64, 0.0, 1e300].map(f64::to_le_bytes).concat();
            statistics.see(piece * array_bytes / FEW_PIECES, &values, 1);
        }
    };
    let seen = allocation_counter::measure(|| fill(&mut few()));
    assert!(seen.bytes_max <= 18 << 10, "{seen:?}");
    let seen = allocation_counter::measure(|| {
        let mut statistics = few();
        fill(&mut statistics);
        // The first byte of each element and no more: of more elements than are kept.
        for index in 8..10_000 {
            statistics.see(index * 8, &[1], 1);
        }
    });
    assert!((18 << 10..242 << 10).contains(&seen.bytes_max), "{seen:?}");
}
