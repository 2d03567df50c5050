use super::*;
use crate::app::model::form::{EndpointKind, Form, SinkKind, SourceKind};
use crate::app::model::list::Group;
use crate::app::model::plan::{Paths, Recipe, check};
use crate::app::model::row::RowKey;
use crate::app::model::transfers::Transfers;
use crate::telemetry::Sample;
use crate::transfer::{Event, EventKind, Finished, Outcome, Started, TransferId};

const TOTAL: u64 = 40_000_000_000;

fn recipe(form: &Form) -> Recipe {
    check(form, &Paths::default()).recipe.expect("a recipe")
}

fn a_send() -> Recipe {
    recipe(&Form {
        endpoint: EndpointKind::SendTo,
        send_to: "10.0.0.7:25000".to_owned(),
        ..Form::default()
    })
}

/// Into a file, or into memory.
fn a_receive(sink: Option<SinkSpec>) -> Recipe {
    let mut recipe = recipe(&Form {
        endpoint: EndpointKind::ReceiveAt,
        sink: SinkKind::Memory,
        ..Form::default()
    });
    if let (Job::Receive { sink: place, .. }, Some(sink)) = (&mut recipe.job, sink) {
        *place = sink;
    }
    recipe
}

fn a_fetch() -> Recipe {
    let mut recipe = recipe(&Form {
        source: SourceKind::File,
        path: "http://a.example/a.npy".to_owned(),
        ..Form::default()
    });
    if let Job::Fetch { sink, .. } = &mut recipe.job {
        *sink = SinkSpec::Folder("/data".into());
    }
    recipe
}

/// A row of a list, whose tries are told of at the times of the window's clock.
struct Story {
    transfers: Transfers,
    key: RowKey,
    tries: u64,
    began_s: f64,
}

impl Story {
    fn of(recipe: Recipe) -> Self {
        let mut transfers = Transfers::default();
        let key = transfers.add(recipe, 0.0);
        Self {
            transfers,
            key,
            tries: 0,
            began_s: 0.0,
        }
    }

    fn row(&mut self) -> &mut Row {
        self.transfers.row_mut(self.key).expect("the row")
    }

    fn begins(&mut self, now_s: f64) {
        (self.tries, self.began_s) = (self.tries + 1, now_s);
        let (key, id) = (self.key, TransferId(self.tries));
        self.transfers.tie(key, id);
        self.row().phase = Phase::Starting;
    }

    fn told(&mut self, elapsed_s: f64, kind: EventKind) {
        let side = self.row().sides()[0];
        let event = Event::new(TransferId(self.tries), side, elapsed_s, kind);
        self.transfers.fold(event, self.began_s + elapsed_s);
    }

    fn starts(&mut self, resumed_bytes: u64) {
        self.starts_on("native", resumed_bytes, true);
    }

    fn starts_on(&mut self, wire: &'static str, resumed_bytes: u64, is_on_record: bool) {
        let started = Started {
            wire: wire.into(),
            is_on_record,
            total_bytes: Some(TOTAL),
            resumed_bytes,
            part: Some("/data/a.npy.arraylift-1.part".into()),
            ..Started::default()
        };
        self.told(0.0, EventKind::Started(Box::new(started)));
        let state = State::Transferring;
        self.told(0.0, EventKind::State { state });
        self.moves(0.0, 0);
    }

    fn moves(&mut self, elapsed_s: f64, bytes: u64) {
        let sample = Sample {
            bytes,
            ..Sample::default()
        };
        self.told(elapsed_s, EventKind::Sample(Box::new(sample)));
    }

    fn fails(&mut self, elapsed_s: f64, bytes: u64, error: Error) {
        let failure = Failure {
            fault: error.fault(),
            message: error.to_string(),
            bytes,
            peer: None,
            error,
        };
        self.told(elapsed_s, EventKind::Failed(failure.clone()));
        let now_s = self.began_s + elapsed_s;
        let row = self.row();
        row.settle(Outcome::Failed(failure.clone()));
        row.retry_after(&failure, now_s);
    }
}

fn gone() -> Error {
    Error::ClosedWhile("it answered")
}

/// Broken after 12.1 of 40 GB and four seconds.
fn broken(recipe: Recipe) -> Story {
    let mut story = Story::of(recipe);
    story.begins(0.0);
    story.starts(0);
    story.moves(4.0, 12_100_000_000);
    story.fails(4.0, 12_100_000_000, gone());
    story
}

#[test]
fn what_broke_may_go_on_and_says_how_much_is_there() {
    let mut story = broken(a_send());
    let row = story.row();
    assert!(row.is_interrupted() && row.group() == Group::Interrupted);
    assert_eq!(row.kept_in_words().unwrap(), "12.1 of 40.0 GB are at the receiver");
    let mut story = broken(a_receive(Some(SinkSpec::Folder("/data".into()))));
    let row = story.row();
    assert_eq!(row.kept_in_words().unwrap(), "12.1 of 40.0 GB are here");
    assert_eq!(row.part().unwrap().to_str(), Some("/data/a.npy.arraylift-1.part"));
    assert!(row.is_over() && !row.waits_to_retry(), "a sender comes when it comes");
}

#[test]
fn what_is_nowhere_kept_never_began_or_is_refused_has_failed() {
    let has_failed = |mut story: Story| matches!(story.row().phase, Phase::Failed { .. });
    assert!(has_failed(broken(a_receive(None))), "into memory");
    let mut never_began = Story::of(a_send());
    never_began.begins(0.0);
    never_began.fails(0.0, 0, Error::NobodyListening("10.0.0.7:25000".into()));
    assert!(has_failed(never_began));
    let mut refused = Story::of(a_send());
    refused.begins(0.0);
    refused.starts(0);
    refused.fails(1.0, 5, Error::Refused("no room".into()));
    assert!(!refused.row().waits_to_retry());
    assert!(has_failed(refused));
}

#[test]
fn a_fetch_goes_on_where_what_came_is_on_record_and_has_failed_where_it_is_not() {
    for is_on_record in [true, false] {
        let mut story = Story::of(a_fetch());
        story.begins(0.0);
        story.starts_on("https", 0, is_on_record);
        story.moves(4.0, 12_100_000_000);
        story.fails(4.0, 12_100_000_000, gone());
        let row = story.row();
        assert_eq!(row.is_interrupted(), is_on_record);
        let kept = is_on_record.then_some("12.1 of 40.0 GB are here");
        assert_eq!(row.kept_in_words().as_deref(), kept);
        assert!(row.is_over() && !row.waits_to_retry());
    }
}

#[test]
fn without_checksums_nothing_is_kept_and_that_is_said() {
    let mut recipe = a_send();
    recipe.options.checksum = ChecksumKind::None;
    let kept = broken(recipe).row().kept_in_words();
    assert_eq!(kept.as_deref(), Some("Resume begins from the start"));
}

#[test]
fn a_send_counts_down_is_tried_again_and_waits_for_longer_where_nobody_is_there() {
    let mut story = broken(a_send());
    let row = story.row();
    assert!(row.waits_to_retry() && !row.is_over());
    assert_eq!(row.retries_in_words(4.0).unwrap(), "trying again in 1 s");
    assert!(!row.is_to_be_retried(4.4) && row.is_to_be_retried(4.5));
    for (wait, now_s) in [(1, 4.5), (2, 5.5), (4, 7.5), (8, 11.5)] {
        story.transfers.retry_due(now_s);
        assert!(story.row().is_waiting(), "for its turn");
        story.begins(now_s);
        story.fails(0.0, 0, Error::NobodyListening("10.0.0.7:25000".into()));
        assert_eq!(story.row().retries_in_s(now_s), Some(wait));
        // What was there is not forgotten by a try that reached nobody.
        assert_eq!(story.row().kept_in_short(), "12.1 of 40.0 GB");
    }
    let row = story.row();
    assert_eq!((row.retries_in_s(11.6), row.retries_in_s(12.6)), (Some(8), Some(7)));
    let changes_s = row.retry_changes_in_s(11.7).unwrap();
    assert!((changes_s - 0.8).abs() < 1e-9, "{changes_s}");
    assert_eq!(row.marks().changes().len(), 1, "one break, however often it is tried");
}

#[test]
fn it_goes_on_from_what_was_there_which_no_plot_and_no_mean_has() {
    let mut story = broken(a_send());
    story.row().go_on(5.0);
    story.begins(5.0);
    assert_eq!(story.row().done_bytes(), 12_100_000_000, "until it is told");
    assert_eq!(story.row().resumed_in_words(), None);
    story.starts(11_900_000_000);
    story.moves(1.0, 4_000_000_000);
    let row = story.row();
    assert_eq!(row.done_bytes(), 15_900_000_000);
    assert_eq!(row.resumed_in_words().unwrap(), "11.9 GB were there already");
    assert_eq!(row.main_end().series.bytes(), 16_100_000_000, "what moved");
    let finished = Finished {
        bytes: TOTAL,
        resumed_bytes: 11_900_000_000,
        rate_bytes_per_s: 28_100_000_000.0 / 7.0,
        verified: Some(true),
        ..Finished::default()
    };
    story.told(7.0, EventKind::Finished(Box::new(finished)));
    let row = story.row();
    assert!(row.is_over() && row.done_bytes() == TOTAL);
    // 40.2 GB moved in 11 s, without the second between.
    let mean = row.mean_bytes_per_s() / 1e9;
    assert!((mean - 40.2 / 11.0).abs() < 0.01, "{mean}");
    assert!(row.done_in_words().unwrap().contains("11.9 GB were there already"));
}

#[test]
fn one_that_is_not_tried_again_is_over_and_a_person_resumes_it() {
    let mut story = broken(a_send());
    let row = story.row();
    row.stop_trying();
    assert!(row.is_over() && row.retries_in_words(4.0).is_none());
    story.transfers.retry_due(100.0);
    assert!(story.row().is_interrupted());
    assert_eq!(story.transfers.slots_taken(), 0);
    story.row().go_on(100.0);
    assert!(story.row().is_waiting() && !story.row().is_over());
}

#[test]
fn it_gives_up_after_ten_minutes_without_a_byte() {
    let mut story = broken(a_send());
    let mut now_s = 4.0;
    for _ in 0..100 {
        let Some(wait_s) = story.row().retries_in_s(now_s) else {
            break;
        };
        now_s += wait_s as f64;
        story.transfers.retry_due(now_s);
        story.begins(now_s);
        story.fails(0.0, 0, Error::NobodyListening("10.0.0.7:25000".into()));
    }
    assert!(story.row().is_over() && story.row().is_interrupted());
    assert!((590.0..620.0).contains(&(now_s - 4.0)), "{now_s}");
}
