//! A row that repeats: its rounds follow one another on one time axis.

use super::*;

#[test]
fn rounds_go_on_along_the_same_time_axis() {
    let mut row = half_way();
    let Process::This(recipe) = &mut row.process else {
        panic!("it is done here")
    };
    recipe.repeat = true;
    finish(&mut row, 1.0);
    assert!(row.goes_on() && !row.is_over() && row.has_rate(), "between two rounds");
    row.begin_round(TransferId(2));
    assert!(!row.is_over() && row.has_rate());
    start(&mut row);
    sample(&mut row, 0.0, 0);
    sample(&mut row, 0.5, TOTAL / 2);
    let numbers = row.numbers(1.7);
    assert_eq!(
        (numbers.done, row.main_end().series.bytes()),
        (TOTAL / 2, TOTAL + TOTAL / 2)
    );
    assert!(
        is_near(numbers.elapsed_s, 1.5),
        "what passes between two rounds is no time of theirs"
    );
    assert!(is_near(numbers.mean, 4e8), "the median of the rounds that are done");
    assert!(!row.is_stopped());
    row.is_stopping = true;
    finish(&mut row, 1.0);
    assert!(!row.goes_on() && row.is_over() && row.is_stopped());
    assert_eq!(row.note_in_words(3.0), "after 2 rounds");
    // In the middle of a round, too: it was stopped, and nothing was given up.
    row.phase = Phase::Cancelled;
    assert_eq!(
        row.told_in_list(RateUnit::default(), 3.0),
        Told::Word("stopped".to_owned())
    );
    assert_eq!(row.rate_in_words(3.0), "stopped");
}

#[test]
fn the_verdict_of_the_engine_counts_until_another_round_goes_on() {
    let mut row = half_way();
    let followed = row.verdict().expect("samples with counters");
    let told = Verdict {
        sentence: "as the engine saw it".into(),
        ..followed
    };
    tell(
        &mut row,
        Side::Receiver,
        1.0,
        EventKind::Bottleneck(Box::new(told.clone())),
    );
    finish(&mut row, 1.0);
    assert_eq!(row.verdict(), Some(told.clone()));
    row.begin_round(TransferId(2));
    start(&mut row);
    sample(&mut row, 0.5, TOTAL / 2);
    tell(
        &mut row,
        Side::Receiver,
        1.0,
        EventKind::Bottleneck(Box::new(told.clone())),
    );
    assert_ne!(row.verdict(), Some(told), "it is on one round of two");
}

/// Repeats, with one round of a second behind it and half of another.
fn in_the_second_round() -> Row {
    let mut row = half_way();
    let Process::This(recipe) = &mut row.process else {
        panic!("it is done here")
    };
    recipe.repeat = true;
    sample(&mut row, 1.0, TOTAL);
    finish(&mut row, 1.0);
    row.begin_round(TransferId(2));
    start(&mut row);
    row
}

#[test]
fn the_mean_of_rounds_is_called_the_median_that_it_is() {
    let mut row = half_way();
    assert_eq!(row.mean_name(), "mean");
    sample(&mut row, 1.0, TOTAL);
    finish(&mut row, 1.0);
    assert_eq!(row.mean_name(), "mean");
    let row = in_the_second_round();
    assert_eq!(row.mean_name(), "median");
    assert!(is_near(row.numbers(1.0).mean, 4e8) && is_near(row.mean_bytes_per_s(), 4e8));
}
