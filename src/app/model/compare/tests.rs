use super::*;
use crate::compare::measured::Lost;
use crate::compare::{Measured, Over, Sink, SizePoint, Skipped, Subject};

fn contestant(id: &str) -> Contestant {
    Contestant {
        id: id.to_owned(),
        name: id.to_uppercase(),
        shows: "something".to_owned(),
        send_route: "sendfile".to_owned(),
        receive_route: "recv".to_owned(),
        wire: "native".to_owned(),
        verify: true,
        streams: 1,
        sink: Sink::Memory,
        over: Over::Tcp,
    }
}

fn measured(round: u32, seconds: f64) -> Measured {
    Measured {
        round,
        seconds,
        rate_bytes_per_s: 4e8 / seconds,
        first_byte_s: Some(0.000_18),
        cpu_s: 0.1,
        copied_bytes: 400_000_000,
        syscalls: 1526,
        page_faults: 12,
        beyond_bytes: 4_100_000,
        ..Measured::default()
    }
}

fn planned() -> CompareEvent {
    CompareEvent::Planned {
        subject: Subject {
            bytes: 400_000_000,
            ..Subject::default()
        },
        contestants: ["slow", "fast"].map(contestant).to_vec(),
        skipped: vec![Skipped {
            contestant: contestant("handoff"),
            reason: "refused here".to_owned(),
        }],
        runs: 12,
    }
}

fn round(id: &str, round: u32, seconds: f64) -> CompareEvent {
    CompareEvent::Round {
        id: id.to_owned(),
        measured: measured(round, seconds),
    }
}

fn running() -> Page {
    let mut page = Page::default();
    page.begin();
    page.fold(planned());
    page
}

fn order(page: &Page) -> Vec<&str> {
    let (shown, beside) = page.shown().unwrap();
    rows(shown, beside, page.progress.is_some())
        .iter()
        .map(|row| row.contestant.id.as_str())
        .collect()
}

#[test]
fn progress_says_what_runs_and_how_much_is_done() {
    let mut page = Page::default();
    page.begin();
    assert_eq!(page.progress.as_ref().unwrap().in_words(), "Looks at who can take part");
    page.fold(planned());
    for (number, bytes) in [(0, 400_000_000), (2, 400_000_000), (1, 4096)] {
        page.fold(CompareEvent::Begun {
            id: "fast".to_owned(),
            round: number,
            bytes,
        });
        let words = match number {
            0 => "run 1 of 12: FAST, to warm up",
            2 => "run 2 of 12: FAST, round 2",
            _ => "run 3 of 12: FAST, 4.10 kB",
        };
        assert_eq!(page.progress.as_ref().unwrap().in_words(), words);
    }
    assert!((page.progress.as_ref().unwrap().share() - 2.0 / 12.0).abs() < 1e-9);
}

#[test]
fn rounds_show_as_they_come_and_the_warm_up_does_not_count() {
    let mut page = running();
    page.fold(round("fast", 0, 9.0));
    assert!(page.result.as_ref().unwrap().ranked().is_empty());
    page.fold(round("fast", 1, 0.1));
    page.fold(round("slow", 1, 0.4));
    page.fold(CompareEvent::Lost {
        id: "slow".to_owned(),
        lost: Lost {
            round: 2,
            reason: "it crashed".to_owned(),
        },
    });
    let result = page.result.as_ref().unwrap();
    let slow = result.entry("slow").unwrap();
    assert_eq!((slow.rounds.len(), slow.lost.len()), (1, 1));
    assert!((slow.summary.unwrap().rate_bytes_per_s.median - 1e9).abs() < 1.0);
    assert_eq!(order(&page), ["slow", "fast"], "in the list's order while it runs");
    assert_eq!(page.title(), "Arraylift — comparing");
    let result = page.result.clone();
    page.end(Ok(result));
    assert_eq!(page.title(), "Arraylift — compared 400 MB by 2 routes");
    assert_eq!(order(&page), ["fast", "slow"], "the fastest first at the end");
    assert_eq!(page.progress, None);
}

#[test]
fn half_a_comparison_is_no_result() {
    let mut page = running();
    page.fold(round("fast", 1, 0.1));
    page.end(Ok(None));
    assert!(page.shown().is_none());
    assert!(matches!(&page.notice, Some(Notice::Success(text)) if text.starts_with("Cancelled")));
    let mut page = running();
    page.end(Err("no such file".to_owned()));
    assert_eq!(page.notice, Some(Notice::Failure("no such file".to_owned())));
}

#[test]
fn an_older_result_lies_beside_the_new_one_and_stands_alone_where_there_is_none() {
    let mut page = running();
    page.fold(round("fast", 1, 0.1));
    page.fold(round("slow", 1, 0.4));
    page.older = page.result.take();
    assert!(
        page.shown()
            .is_some_and(|(shown, beside)| shown.entries.len() == 2 && beside.is_none())
    );
    page.begin();
    page.fold(planned());
    page.fold(round("fast", 1, 0.2));
    let (shown, beside) = page.shown().unwrap();
    let rows = rows(shown, beside, false);
    assert_eq!(rows[0].contestant.id, "fast");
    assert_eq!(rows[0].rate_ratio().map(|ratio| (ratio * 1e6).round() / 1e6), Some(0.5));
    assert!(rows[1].new.is_none() && rows[1].old.is_some());
    assert!((highest_rate(&rows) - 4e9).abs() < 1.0);
}

#[test]
fn a_handoff_does_not_set_the_scale_of_the_bars() {
    let mut page = running();
    page.fold(round("fast", 1, 0.1));
    page.fold(round("slow", 1, 1e-6));
    let result = page.result.as_mut().unwrap();
    result.entries[0].contestant.send_route = "handoff".to_owned();
    let (shown, beside) = page.shown().unwrap();
    let rows = rows(shown, beside, false);
    assert_eq!(rows[0].contestant.id, "slow");
    assert!((highest_rate(&rows) - 4e9).abs() < 1.0);
    assert!(highest_rate(&rows[..1]) > 1e14, "where there is nothing else it does");
}

#[test]
fn figures_have_their_units_and_three_figures() {
    let summary = Summary::of(
        &[measured(1, 0.1)],
        &Subject {
            bytes: 400_000_000,
            ..Subject::default()
        },
    );
    let cells = cells(&summary.unwrap());
    assert_eq!(cells, ["0.25", "1.00", "1,526", "12", "4.10 MB", "180 µs"]);
    for (seconds, text) in [
        (0.000_001_5, "1.50 µs"),
        (0.000_999_8, "1.00 ms"),
        (0.0804, "80.4 ms"),
        (2.0, "2.00 s"),
    ] {
        assert_eq!(format::time(seconds), text);
    }
    let spread = |min, max| Spread { median: min, min, max };
    assert_eq!(spread_in_words(&spread(4.99e9, 5.49e9)), "4.99 to 5.49 GB/s");
    assert_eq!(spread_in_words(&spread(0.5e9, 5e9)), "500 MB/s to 5.00 GB/s");
}

#[test]
fn time_against_size_grows_by_size_and_leaves_out_what_has_no_logarithm() {
    let mut page = running();
    let at = |id: &str, bytes, seconds| {
        CompareEvent::Size(SizePoint {
            id: id.to_owned(),
            bytes,
            seconds: Spread {
                median: seconds,
                min: seconds,
                max: seconds,
            },
        })
    };
    for event in [
        at("fast", 400_000_000, 0.000_12),
        at("fast", 4096, 0.000_1),
        at("fast", 0, 0.1),
        at("slow", 4096, 0.0),
    ] {
        page.fold(event);
    }
    let curves = curves(page.result.as_ref().unwrap());
    assert_eq!(curves.len(), 1);
    assert_eq!(curves[0].in_words(), "FAST: 100 µs for 4.10 kB, 120 µs for 400 MB");
    assert!((curves[0].growth() - 1.2).abs() < 1e-9);
}
