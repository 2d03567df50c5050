mod rounds;

use super::*;
use crate::Error;
use crate::app::model::axes::time_end;
use crate::app::model::curves::highest;
use crate::app::model::error_text;
use crate::app::model::form::Form;
use crate::app::model::format::RateUnit;
use crate::app::model::plan::{Paths, check};
use crate::app::model::transfers::Transfers;
use crate::telemetry::Sample;
use crate::transfer::{Event, EventKind, Failure, Outcome};

const TOTAL: u64 = 400_000_000;

fn started_row() -> Row {
    let mut row = Row::new(1, check(&Form::default(), &Paths::default()).recipe.unwrap(), 0.0);
    start(&mut row);
    row
}

fn start(row: &mut Row) {
    for side in [Side::Sender, Side::Receiver] {
        let started = Started {
            source: None,
            sink: None,
            peer: "127.0.0.1:1".to_owned(),
            own_address: None,
            peer_process: None,
            wire: "native".into(),
            is_tree: false,
            send_route: None,
            receive_route: None,
            route_reason: "".into(),
            dtype: "f64".to_owned(),
            shape: vec![50_000_000],
            total_bytes: Some(TOTAL),
            resumed_bytes: 0,
            streams: 1,
            memory: None,
            congestion_control: None,
            part: None,
            is_on_record: false,
            chunk_bytes: 1 << 20,
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
            connect_s: None,
        };
        tell(row, side, 0.0, EventKind::Started(Box::new(started)));
        tell(
            row,
            side,
            0.0,
            EventKind::State {
                state: State::Transferring,
            },
        );
    }
}

/// The window hears of an event when it happens.
fn tell(row: &mut Row, side: Side, elapsed_s: f64, kind: EventKind) {
    let event = Event {
        kind,
        transfer: TransferId(1),
        side,
        elapsed_s,
    };
    row.fold(event, row.base_s + elapsed_s);
}

fn sample(row: &mut Row, elapsed_s: f64, bytes: u64) {
    for side in [Side::Sender, Side::Receiver] {
        let counters = Counters {
            cpu_system_s: elapsed_s / 2.0,
            ..Counters::default()
        };
        let sample = Sample {
            bytes,
            rate_bytes_per_s: 0.0,
            counters: Some(counters),
            ..Sample::default()
        };
        tell(row, side, elapsed_s, EventKind::Sample(Box::new(sample)));
    }
}

fn finish(row: &mut Row, elapsed_s: f64) {
    for side in [Side::Sender, Side::Receiver] {
        let finished = Finished {
            bytes: TOTAL,
            resumed_bytes: 0,
            rate_bytes_per_s: TOTAL as f64 / elapsed_s,
            verified: Some(true),
            durable: None,
            sync_s: None,
            items: None,
            checksum: None,
            path: None,
            note: None,
        };
        tell(row, side, elapsed_s, EventKind::Finished(Box::new(finished)));
    }
}

/// Half of it in half a second, a sample every 10 ms.
fn half_way() -> Row {
    let mut row = started_row();
    for i in 0..=50_u32 {
        sample(&mut row, f64::from(i) * 0.01, u64::from(i) * 4_000_000);
    }
    row
}

fn is_near(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= expected.abs() * 0.01
}

#[test]
fn half_way_the_numbers_are_those_of_the_samples() {
    let numbers = half_way().numbers(0.5);
    assert!(
        is_near(numbers.now, 4e8) && is_near(numbers.mean, 4e8) && is_near(numbers.peak, 4e8),
        "{numbers:?}"
    );
    assert_eq!((numbers.done, numbers.total), (200_000_000, Some(TOTAL)));
    assert!(is_near(numbers.left_s.unwrap(), 0.5));
    assert!(
        is_near(numbers.cpu_s_per_gb.unwrap(), 2.5),
        "half a second at both ends for a fifth of a gigabyte"
    );
}

#[test]
fn a_rate_falls_to_nothing_when_nothing_moves_and_time_left_with_it() {
    let row = half_way();
    assert!(is_near(row.numbers(0.6).now, 4e8), "a frame late is not a standstill");
    let stalled = row.numbers(2.0);
    assert!(stalled.now.abs() < 1.0);
    assert_eq!(stalled.left_s, None);
}

#[test]
fn a_pause_has_neither_a_rate_nor_time_left() {
    let mut row = half_way();
    tell(&mut row, Side::Sender, 0.5, EventKind::State { state: State::Paused });
    let numbers = row.numbers(0.5);
    assert_eq!(numbers.left_s, None);
    assert!(numbers.now.abs() < 1.0 && is_near(numbers.mean, 4e8));
    assert!(!row.can_pause() && !row.is_over());
}

#[test]
fn it_is_done_when_both_ends_are() {
    let mut row = half_way();
    sample(&mut row, 1.0, TOTAL);
    let finished = |row: &mut Row| finish(row, 1.0);
    finished(&mut row);
    assert_eq!(row.phase, Phase::Done { verified: Some(true) });
    assert!(is_near(row.numbers(9.0).mean, 4e8) && (row.share_done() - 1.0).abs() < 1e-9);
    assert_eq!(row.rounds, 1);
    finished(&mut row);
    assert_eq!(row.rounds, 1, "an end that is told twice is one end");
}

#[test]
fn the_cause_is_what_the_outcome_says() {
    let mut row = half_way();
    let failure = |error: Error| Failure {
        peer: None,
        fault: error.fault(),
        message: error.to_string(),
        bytes: 5,
        error,
    };
    let effect = failure(Error::ClosedWhile("before it answered"));
    tell(&mut row, Side::Sender, 0.6, EventKind::Failed(effect.clone()));
    assert_eq!(
        row.phase,
        Phase::Failed {
            fault: Fault::Peer,
            message: error_text::of(&effect.error)
        }
    );
    let cause = failure(Error::DiskFull {
        path: "/data/a".into(),
        needed: 7,
        room: None,
    });
    row.settle(Outcome::Failed(cause.clone()));
    assert_eq!(
        row.phase,
        Phase::Failed {
            fault: Fault::System,
            message: error_text::of(&cause.error)
        }
    );
}

#[test]
fn what_the_window_says_of_a_running_row_is_still_said_when_it_is_done() {
    let mut row = half_way();
    row.window_note = Some("the history is full".to_owned());
    finish(&mut row, 1.0);
    assert_eq!(row.done_in_words().as_deref(), Some("the history is full"));
}

#[test]
fn removing_a_row_selects_the_one_below() {
    let mut transfers = Transfers::default();
    let recipe = check(&Form::default(), &Paths::default()).recipe.unwrap();
    let keys: Vec<RowKey> = (0..3).map(|_| transfers.add(recipe.clone(), 0.0)).collect();
    transfers.select(keys[1]);
    transfers.remove(keys[1]);
    assert_eq!(transfers.selected().map(|row| row.key), Some(keys[0]));
    transfers.move_selection(&[keys[2], keys[0]], -5);
    assert_eq!(transfers.selected().map(|row| row.key), Some(keys[2]));
    transfers.remove(keys[2]);
    transfers.remove(keys[0]);
    assert!(transfers.selected().is_none() && transfers.title() == "Arraylift");
}

#[test]
fn the_peak_is_what_the_plot_shows_at_its_highest() {
    let mut row = started_row();
    let mut bytes = 0;
    for i in 0..=1000_u64 {
        bytes += 200_000 * u64::from(i % 17 > 3 || i > 900);
        sample(&mut row, i as f64 * 0.002, bytes);
    }
    let peak_is_drawn = |row: &Row, end_s: f64| {
        let runs = [Side::Sender, Side::Receiver].map(|side| row.rate_runs(side, 0.0, end_s));
        let drawn = runs.iter().flatten().map(|run| highest(run)).fold(0.0, f64::max);
        let numbers = row.numbers(2.0);
        assert!(is_near(numbers.peak, drawn), "{numbers:?} {drawn}");
    };
    peak_is_drawn(&row, time_end(row.elapsed_end_s(), true));
    finish(&mut row, 2.0);
    peak_is_drawn(&row, row.elapsed_end_s());
}

#[test]
fn a_limit_is_not_exceeded_by_the_bursts_it_lets_go() {
    let mut row = started_row();
    row.set_limit(Some(100_000_000));
    // A megabyte at once every ten milliseconds, seen a little before and a little after.
    for i in 0..400_u32 {
        let t_s = f64::from(i) * 0.01;
        sample(&mut row, t_s, u64::from(i) * 1_000_000);
        sample(&mut row, t_s + 0.000_5, u64::from(i + 1) * 1_000_000);
    }
    finish(&mut row, 4.0);
    let numbers = row.numbers(4.0);
    assert!(numbers.peak < 105e6, "{numbers:?}");
}

#[test]
fn a_limit_that_only_the_sender_tells_is_flagged_once() {
    let mut row = half_way();
    let flagged = |row: &Row| row.marks().changes().iter().map(|mark| mark.change).collect::<Vec<_>>();
    let limit = EventKind::Limit { bytes_per_s: Some(7) };
    tell(&mut row, Side::Sender, 0.6, limit.clone());
    assert_eq!(flagged(&row), [Change::Limit(Some(7))]);
    tell(&mut row, Side::Receiver, 0.7, limit);
    assert_eq!(flagged(&row), [Change::Limit(Some(7))]);
}

#[test]
fn time_left_follows_a_new_limit_at_once() {
    let mut row = half_way();
    row.set_limit(Some(20_000_000));
    assert!(is_near(row.numbers(0.5).left_s.unwrap(), 10.0));
}

#[test]
fn the_rate_axis_grows_at_once_falls_after_three_seconds_and_moves_gently() {
    let is = |rate: f64, expected: f64| (rate - expected).abs() < 1.0;
    let axis = RateAxis::default().follow(6e9, 0.05, 1.0, true);
    assert!(
        is(axis.top, 6e9) && is(axis.shown, 6e9),
        "the first one is there at once"
    );
    let lower = axis.follow(4e9, 0.05, 1.1, true);
    assert!(is(lower.top, 6e9), "what was high has just gone");
    assert!(is(lower.follow(4e9, 0.05, 4.2, true).top, 4e9));
    let higher = axis.follow(8e9, 0.05, 1.05, true);
    assert!(
        is(higher.top, 8e9) && higher.shown > 6e9 && higher.shown < 8e9,
        "{higher:?}"
    );
    assert!(is(higher.follow(8e9, 0.05, 2.0, true).shown, 8e9));
    assert!(
        is(axis.follow(4e9, 0.1, 1.1, true).top, 4e9),
        "the spike is not drawn any more"
    );
    let still = axis.follow(4e9, 0.05, 1.1, false);
    assert!(is(still.top, 4e9) && is(still.shown, 4e9));
}

#[test]
fn a_row_settles_half_a_second_after_its_end() {
    let mut row = half_way();
    row.note_end(0.5);
    assert!(!row.has_settled(9.0), "it runs");
    finish(&mut row, 1.0);
    row.note_end(1.0);
    row.note_end(1.3);
    assert!(!row.has_settled(1.4) && row.has_settled(1.6));
}

#[test]
fn a_row_that_is_done_says_how_long_its_disk_was_waited_for() {
    let mut row = half_way();
    let finished = |durable, sync_s| {
        let finished = Finished {
            bytes: TOTAL,
            rate_bytes_per_s: TOTAL as f64,
            verified: Some(true),
            durable,
            sync_s,
            ..Finished::default()
        };
        EventKind::Finished(Box::new(finished))
    };
    tell(&mut row, Side::Sender, 1.0, finished(None, None));
    tell(&mut row, Side::Receiver, 1.0, finished(Some(true), Some(0.5)));
    assert_eq!(row.done_in_words().as_deref(), Some("on disk (the last 500 ms)"));
    assert_eq!(row.note_in_words(1.0), "verified, on disk");
}

#[test]
fn one_who_offers_nothing_is_shown_beside_what_is_waited_for_and_fails_nothing() {
    let mut row = started_row();
    let state = State::Listening;
    tell(&mut row, Side::Receiver, 0.0, EventKind::State { state });
    assert_eq!(row.note_in_words(0.0), "waits for a sender");
    let stranger = EventKind::Stranger {
        peer: "10.0.0.7:5".into(),
        message: "the peer closed the connection".into(),
        is_last: false,
    };
    tell(&mut row, Side::Receiver, 1.0, stranger);
    assert_eq!(row.note_in_words(1.0), "waits for a sender; 10.0.0.7:5 offered nothing");
    assert_eq!(row.phase, Phase::Is(State::Listening));
}

#[test]
fn what_is_done_took_as_long_as_its_mean_says() {
    let mut row = half_way();
    let finished = Finished {
        bytes: TOTAL,
        rate_bytes_per_s: 4.0 * TOTAL as f64,
        ..Finished::default()
    };
    for side in [Side::Sender, Side::Receiver] {
        tell(&mut row, side, 1.0, EventKind::Finished(Box::new(finished.clone())));
    }
    let numbers = row.numbers(1.0);
    assert!((numbers.mean - 4.0 * TOTAL as f64).abs() < 1.0, "{numbers:?}");
    assert!((numbers.took_s - 0.25).abs() < 1e-9, "without connecting: {numbers:?}");
    assert!((row.beaten_bytes_per_s() - numbers.mean).abs() < 1.0);
}

#[test]
fn what_failed_after_a_pause_took_no_longer_than_it_moved_and_is_flagged_once() {
    let mut row = half_way();
    let told = |row: &mut Row, t_s: f64, kind: &EventKind| {
        for side in [Side::Sender, Side::Receiver] {
            tell(row, side, t_s, kind.clone());
        }
    };
    told(&mut row, 0.5, &EventKind::State { state: State::Paused });
    let state = State::Transferring;
    told(&mut row, 10.5, &EventKind::State { state });
    let error = Error::ClosedWhile("before it answered");
    let failure = Failure {
        peer: None,
        fault: error.fault(),
        message: error.to_string(),
        bytes: 200_000_000,
        error,
    };
    told(&mut row, 10.5, &EventKind::Failed(failure));
    assert!(is_near(row.numbers(11.0).took_s, 0.5), "{:?}", row.numbers(11.0));
    let flagged: Vec<Change> = row.marks().changes().iter().map(|mark| mark.change).collect();
    assert_eq!(flagged, [Change::Failed]);
}

#[test]
fn a_limit_that_was_lifted_leaves_short_spans_where_it_was_not() {
    let mut row = started_row();
    for i in 0..=2000_u32 {
        match i {
            100 => row.set_limit(Some(1_000_000_000)),
            1000 => row.set_limit(None),
            _ => {}
        }
        sample(&mut row, f64::from(i) * 0.01, u64::from(i) * 10_000_000);
    }
    let finest_s = |from_s: f64, to_s: f64| row.finest_bin_s(from_s, to_s);
    assert!(finest_s(0.0, 20.0) > 0.09 && finest_s(9.0, 11.0) > 0.09);
    assert!(finest_s(11.0, 20.0) < 0.02 && finest_s(0.0, 0.9) < 0.02);
}

#[test]
fn before_a_second_has_passed_none_is_told_of() {
    let mut row = started_row();
    let mut said = Vec::new();
    for i in 0..=150_u32 {
        let t_s = f64::from(i) * 0.01;
        for side in [Side::Sender, Side::Receiver] {
            let counters = Counters {
                thread_s: t_s,
                cpu_system_s: t_s,
                ..Counters::default()
            };
            let sample = Sample {
                bytes: u64::from(i) * 1_000_000,
                rate_bytes_per_s: 0.0,
                counters: Some(counters),
                ..Sample::default()
            };
            tell(&mut row, side, t_s, EventKind::Sample(Box::new(sample)));
        }
        if [50, 150].contains(&i) {
            said.push(row.limit_now_in_words());
        }
    }
    assert_eq!(
        said,
        [
            "The sender held it back for 50\u{a0}% of the time so far, the receiver for 50\u{a0}%.",
            "The sender held it back for 50\u{a0}% of the last second, the receiver for 50\u{a0}%."
        ]
    );
}

#[test]
fn pauses_too_short_to_be_seen_neither_divide_the_curve_nor_lower_it() {
    let mut row = started_row();
    let told = |row: &mut Row, t_s: f64, state: State| {
        for side in [Side::Sender, Side::Receiver] {
            tell(row, side, t_s, EventKind::State { state });
        }
    };
    let mut bytes = 0;
    for i in 0..4000_u32 {
        let t_s = f64::from(i) * 0.1;
        // Every second 0.2 s of pause; the seconds from 200 to 250 are one long pause.
        let is_paused = i % 10 < 2 || (2000..2500).contains(&i);
        let was_paused = i
            .checked_sub(1)
            .is_some_and(|i| i % 10 < 2 || (2000..2500).contains(&i));
        if is_paused != was_paused {
            let state = if is_paused { State::Paused } else { State::Transferring };
            told(&mut row, t_s, state);
        }
        sample(&mut row, t_s, bytes);
        bytes += if is_paused { 0 } else { 10_000_000 };
    }
    sample(&mut row, 400.0, bytes);
    let runs = row.rate_runs(Side::Receiver, 0.0, 400.0);
    assert_eq!(runs.len(), 2, "one is long");
    for drawn in runs.iter().flatten() {
        assert!((drawn.value - 1e8).abs() < 2e7, "{drawn:?}");
    }
    assert!(
        row.rate_runs(Side::Receiver, 100.0, 110.0).len() > 8,
        "they are seen from near"
    );
}

#[test]
fn the_curve_beside_a_name_has_few_points_however_long_it_ran_and_shows_where_it_was_slow() {
    let mut row = started_row();
    // Ten hours at 1 GB/s, of which the sixth hour went at a tenth of that.
    let mut bytes = 0;
    for second in 0..=36_000_u32 {
        sample(&mut row, f64::from(second), bytes);
        let is_slow = (18_000..21_600).contains(&second);
        bytes += if is_slow { 100_000_000 } else { 1_000_000_000 };
    }
    let curve = row.sparkline();
    assert!((40..=46).contains(&curve.len()), "{}", curve.len());
    let slow = |share: &&f32| (0.09..0.12).contains(*share);
    let slow_points = curve.iter().filter(slow).count();
    assert!((3..=5).contains(&slow_points), "{curve:?}");
    // Two of them lie at the ends of the slow hour; all others are of full rate.
    let full = curve.iter().filter(|share| **share > 0.98).count();
    assert!(full + slow_points + 2 >= curve.len(), "{curve:?}");
    assert!(row.main_end().series.points().len() > curve.len());
}

#[test]
fn a_transfer_without_any_time_has_no_curve_beside_its_name() {
    let mut row = started_row();
    sample(&mut row, 0.0, 0);
    assert!(row.sparkline().is_empty());
}
