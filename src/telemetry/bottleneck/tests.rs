use super::*;

/// Counters of an end after `t_s` seconds that were spent in these parts: on a core, blocked until there was room, and
/// blocked until there was something to read.
fn counters(t_s: f64, [on_core, send, receive]: [f64; 3]) -> Counters {
    Counters {
        thread_s: t_s,
        cpu_system_s: on_core * t_s,
        blocked_send_s: send * t_s,
        blocked_receive_s: receive * t_s,
        ..Counters::default()
    }
}

/// Both ends, read every 20 ms for two seconds, the receiver 7 ms after the sender.
fn steady(sender: [f64; 3], receiver: [f64; 3]) -> Bottleneck {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for i in 0..=100_u32 {
        let t_s = f64::from(i) * 0.02;
        bottleneck.push(Side::Sender, t_s, u64::from(i) * 1_000_000, &counters(t_s, sender));
        bottleneck.push(
            Side::Receiver,
            t_s + 0.007,
            u64::from(i) * 1_000_000,
            &counters(t_s, receiver),
        );
    }
    bottleneck.finish();
    bottleneck
}

#[test]
fn the_sentence_of_a_receiver_that_takes_page_faults() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for (t_s, part) in [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)] {
        let sender = counters(t_s, [0.29, 0.71, 0.0]);
        let receiver = Counters {
            page_faults: if part < 1.0 { 48_000 } else { 97_659 },
            ..counters(t_s, [0.9, 0.0, 0.0])
        };
        bottleneck.push(Side::Sender, t_s, 400_000_000, &sender);
        bottleneck.push(Side::Receiver, t_s, 400_000_000, &receiver);
    }
    let verdict = bottleneck.verdict().expect("a verdict");
    assert_eq!(verdict.limit, Some(Cause::Receiver));
    assert_eq!(
        verdict.sentence,
        "The receiver was the limit 99 % of the time: 97,659 page faults in 900 ms of CPU time, as the kernel had \
         to find fresh memory."
    );
}

#[test]
fn the_sentence_of_a_disk_says_what_was_waited_for() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for i in 0..=4_u32 {
        // Bytes land for 3 s, of which the receiver sleeps 2.6, and for one more it waits until all is on disk.
        let t_s = f64::from(i);
        let landing_s = t_s.min(3.0);
        let receiver = Counters {
            thread_s: t_s,
            sync_s: t_s - landing_s,
            cpu_system_s: landing_s * 0.4 / 3.0,
            storage_write_bytes: u64::from(i.min(3)) * 100_000_000,
            ..Counters::default()
        };
        bottleneck.push(Side::Sender, t_s, 0, &counters(t_s, [0.0, 1.0, 0.0]));
        bottleneck.push(Side::Receiver, t_s, 0, &receiver);
    }
    let verdict = bottleneck.verdict().expect("a verdict");
    assert_eq!(verdict.limit, Some(Cause::ReceiverDisk));
    assert_eq!(
        verdict.sentence,
        "The receiver's disk was the limit 99 % of the time: 300 MB went to it, writing waited 2.60 s for it, and \
         1.00 s passed until all was on it."
    );
}

#[test]
fn a_process_that_was_stopped_is_not_held_back_by_its_limit() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for i in 0..=40_u32 {
        // It stands still for 40 s after a second.
        let t_s = f64::from(i) * 0.05 + if i > 20 { 40.0 } else { 0.0 };
        bottleneck.note_awake(t_s);
        for side in [Side::Sender, Side::Receiver] {
            let counters = Counters {
                thread_s: t_s,
                rested_limit_s: t_s * 0.95,
                cpu_user_s: t_s * 0.05,
                ..Counters::default()
            };
            bottleneck.push(side, t_s, u64::from(i) * 1_000_000, &counters);
        }
    }
    let verdict = bottleneck.verdict().expect("a verdict");
    assert_eq!(verdict.limit, Some(Cause::Stopped), "{verdict:?}");
    assert_eq!(
        verdict.sentence,
        "This process was stopped 95 % of the time: nothing ran for 40.0 s."
    );
}

#[test]
fn shares_add_up_to_one_in_every_span_and_over_all_of_the_time() {
    for (sender, receiver) in [
        ([0.3, 0.7, 0.0], [1.0, 0.0, 0.0]),
        ([1.0, 0.0, 0.0], [0.4, 0.0, 0.6]),
        ([0.1, 0.9, 0.0], [0.1, 0.0, 0.9]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ] {
        let bottleneck = steady(sender, receiver);
        let cells = bottleneck.band().cells();
        assert!(cells.len() > 50);
        assert!(cells.iter().all(|cell| (cell.shares().sum() - 1.0).abs() < 1e-9));
        assert!((bottleneck.verdict().expect("a verdict").shares.sum() - 1.0).abs() < 1e-9);
    }
}

#[test]
fn spans_follow_each_other_without_gap_or_overlap() {
    let bottleneck = steady([0.3, 0.7, 0.0], [1.0, 0.0, 0.0]);
    let cells = bottleneck.band().cells();
    assert!((cells[0].from_s - 0.007).abs() < 1e-9, "from when both had begun");
    assert!((cells[cells.len() - 1].to_s - 2.007).abs() < 1e-9);
    for pair in cells.windows(2) {
        assert!((pair[0].to_s - pair[1].from_s).abs() < 1e-9);
    }
}

#[test]
fn a_limit_that_changes_shows_when_it_did() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for i in 0..=100_u32 {
        let t_s = f64::from(i) * 0.02;
        let (early_s, late_s) = (t_s.min(1.0), (t_s - 1.0).max(0.0));
        let sender = Counters {
            thread_s: t_s,
            rested_limit_s: 0.95 * late_s,
            ..counters(early_s, [1.0, 0.0, 0.0])
        };
        bottleneck.push(Side::Sender, t_s, 0, &sender);
        bottleneck.push(Side::Receiver, t_s, 0, &counters(t_s, [0.1, 0.0, 0.9]));
    }
    let columns = bottleneck.band().columns(0.0, 2.0, 4);
    let share = |column: usize, cause| columns[column].map_or(0.0, |shares| shares.of(cause));
    assert!(share(0, Cause::Sender) > 0.95 && share(1, Cause::Sender) > 0.95);
    assert!(share(2, Cause::Limit) > 0.9 && share(3, Cause::Limit) > 0.9);
    let verdict = bottleneck.verdict().expect("a verdict");
    assert!(
        verdict.sentence.contains(" (the limit that was set 4"),
        "{}",
        verdict.sentence
    );
}

#[test]
fn of_an_end_that_is_not_here_nothing_is_said() {
    for (side, blocked, waited) in [
        (Side::Receiver, [0.1, 0.0, 0.9], "0.90 of 1.00 s for data"),
        (Side::Sender, [0.1, 0.9, 0.0], "0.90 of 1.00 s for room in the socket"),
        (Side::Sender, [0.1, 0.0, 0.9], "0.90 of 1.00 s for its answer"),
    ] {
        let mut bottleneck = Bottleneck::new(&[side]);
        bottleneck.push(side, 0.0, 0, &counters(0.0, blocked));
        bottleneck.push(side, 1.0, 5, &counters(1.0, blocked));
        let verdict = bottleneck.verdict().expect("a verdict");
        assert_eq!(
            verdict.sentence,
            format!(
                "The other end was the limit 90 % of the time: this end waited {waited}; what the other end did is not \
                 known here."
            )
        );
        let known = [verdict.evidence.sender, verdict.evidence.receiver];
        assert_eq!(known.iter().flatten().count(), 1);
    }
}

#[test]
fn nothing_is_said_before_anything_is_known() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    assert_eq!(bottleneck.verdict(), None);
    for t_s in [0.0, 0.5, 1.0] {
        bottleneck.push(Side::Sender, t_s, 0, &Counters::default());
    }
    assert_eq!(bottleneck.verdict(), None, "the receiver has said nothing yet");
    bottleneck.finish();
    assert_eq!(bottleneck.verdict(), None, "nor will it");
}

#[test]
fn an_end_that_ended_first_waited_for_the_other() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for t_s in [0.0, 0.1] {
        bottleneck.push(Side::Sender, t_s, 0, &counters(t_s, [1.0, 0.0, 0.0]));
    }
    for t_s in [0.0, 0.1, 2.0] {
        bottleneck.push(Side::Receiver, t_s, 0, &counters(t_s, [1.0, 0.0, 0.0]));
    }
    bottleneck.finish();
    let verdict = bottleneck.verdict().expect("a verdict");
    assert!(verdict.shares.of(Cause::Receiver) > 0.9, "{verdict:?}");
}

#[test]
fn rounds_add_up_on_one_time_axis() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for base_s in [0.0, 5.0] {
        for i in 0..=50_u32 {
            let t_s = f64::from(i) * 0.02;
            let paused = Counters {
                thread_s: t_s,
                paused_s: t_s,
                ..Counters::default()
            };
            bottleneck.push(Side::Sender, base_s + t_s, 1000, &paused);
            bottleneck.push(Side::Receiver, base_s + t_s, 1000, &counters(t_s, [0.0, 0.0, 1.0]));
        }
        bottleneck.restart();
    }
    let verdict = bottleneck.verdict().expect("a verdict");
    assert!((verdict.evidence.seconds - 2.0).abs() < 1e-9);
    assert_eq!(verdict.evidence.sender.map(|sender| sender.bytes), Some(2000));
    assert_eq!(verdict.sentence, "It was paused 99 % of the time: 2.00 s.");
    assert_eq!(
        bottleneck.band().columns(1.0, 5.0, 4),
        [None; 4],
        "nothing between the rounds"
    );
}

#[test]
fn a_long_wait_that_is_told_late_is_spread_over_its_time() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for i in 0..=100_u32 {
        let t_s = f64::from(i) * 0.02;
        bottleneck.push(Side::Receiver, t_s, 0, &counters(t_s, [1.0, 0.0, 0.0]));
    }
    assert!(
        bottleneck.band().cells().is_empty(),
        "what the sender did is not known yet"
    );
    bottleneck.push(Side::Sender, 0.0, 0, &Counters::default());
    bottleneck.push(Side::Sender, 2.0, 0, &counters(2.0, [0.0, 1.0, 0.0]));
    let cells = bottleneck.band().cells();
    assert!(cells.len() > 90);
    assert!(cells.iter().all(|cell| cell.shares().of(Cause::Receiver) > 0.95));
}

#[test]
fn a_verdict_has_a_share_for_every_cause_by_name() {
    let verdict = steady([0.3, 0.7, 0.0], [1.0, 0.0, 0.0]).verdict().expect("a verdict");
    let json = serde_json::to_value(&verdict).expect("json");
    assert_eq!(json["limit"], "receiver");
    let shares = json["shares"].as_object().expect("an object");
    assert_eq!(shares.len(), Cause::COUNT);
    for name in [
        "writer_pace",
        "reader_pace",
        "other_end",
        "network",
        "buffers",
        "sender_disk",
        "receiver_disk",
    ] {
        assert!(shares.contains_key(name), "{name}");
    }
    assert_eq!(json["evidence"]["sender"]["bytes"], 100_000_000);
}

#[test]
fn what_several_connections_waited_is_told_in_seconds_of_the_transfer() {
    let rested = |t_s: f64| Counters {
        connections: 4,
        thread_s: 4.0 * t_s,
        rested_limit_s: 3.8 * t_s,
        ..Counters::default()
    };
    let waited = |t_s: f64| Counters {
        connections: 4,
        thread_s: 4.0 * t_s,
        blocked_receive_s: 3.6 * t_s,
        ..Counters::default()
    };
    let paused = |t_s: f64| Counters {
        connections: 4,
        thread_s: 4.0 * t_s,
        paused_s: 4.0 * t_s,
        ..Counters::default()
    };
    let of = |side, counters: &dyn Fn(f64) -> Counters| {
        let mut bottleneck = Bottleneck::new(&[side]);
        bottleneck.push(side, 0.0, 0, &counters(0.0));
        bottleneck.push(side, 2.0, 5, &counters(2.0));
        bottleneck.verdict().expect("a verdict").sentence
    };
    assert_eq!(
        of(Side::Sender, &rested),
        "The limit that was set held it back 95 % of the time: 1.90 of 2.00 s rested, on average over 4 connections."
    );
    assert_eq!(
        of(Side::Receiver, &waited),
        "The other end was the limit 90 % of the time: this end waited 1.80 of 2.00 s for data, on average over 4 \
         connections; what the other end did is not known here."
    );
    assert_eq!(of(Side::Sender, &paused), "It was paused 100 % of the time: 2.00 s.");
}

#[test]
fn what_an_end_waited_before_the_other_one_had_begun_is_not_told() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    bottleneck.push(Side::Receiver, 0.0, 0, &counters(0.0, [0.0, 0.0, 1.0]));
    for t_s in [1.0, 2.0] {
        let sender = Counters {
            thread_s: t_s - 1.0,
            blocked_receive_s: t_s - 1.0,
            ..Counters::default()
        };
        bottleneck.push(Side::Sender, t_s, 0, &sender);
        bottleneck.push(Side::Receiver, t_s, 0, &counters(t_s, [0.0, 0.0, 1.0]));
    }
    let verdict = bottleneck.verdict().expect("a verdict");
    assert_eq!(
        verdict.sentence,
        "The socket's buffers were the limit 100 % of the time: the ends waited 1.00 s and 1.00 s for each other."
    );
    let receiver = verdict.evidence.receiver.expect("it is here");
    assert!((receiver.blocked_receive_s - 1.0).abs() < 1e-9, "{receiver:?}");
}

#[test]
fn of_a_time_too_short_to_tell_there_are_neither_shares_nor_a_band() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
    for t_s in [0.0, 0.003] {
        bottleneck.push(Side::Sender, t_s, 0, &counters(t_s, [1.0, 0.0, 0.0]));
        bottleneck.push(Side::Receiver, t_s, 0, &counters(t_s, [0.1, 0.0, 0.9]));
    }
    bottleneck.finish();
    let verdict = bottleneck.verdict().expect("a verdict");
    assert_eq!(verdict.sentence, "It was too short to tell what held it back.");
    assert_eq!((verdict.limit, verdict.shares), (None, Shares::default()));
    assert_eq!(bottleneck.band().columns(0.0, 0.003, 5), [None; 5]);
    assert!(serde_json::to_value(&verdict).expect("json")["limit"].is_null());
}

#[test]
fn readings_of_connections_that_have_nothing_to_do_say_nothing_of_the_others() {
    // What the reading itself took is none of the nothing.
    for reading_s in [0.0, 30e-6] {
        let mut bottleneck = Bottleneck::new(&[Side::Sender, Side::Receiver]);
        for i in 0..=20_u32 {
            // One of two connections waits for the result, and the other one, read 8 ms before, for nothing.
            let t_s = f64::from(i) * 0.1;
            let read_s = f64::from(i) * reading_s;
            let of_sender = Counters {
                thread_s: t_s + read_s,
                ..counters(t_s, [0.0, 0.0, 1.0])
            };
            if let Some(before) = i.checked_sub(1) {
                let before_s = f64::from(before) * 0.1;
                let idle = Counters {
                    thread_s: before_s + read_s,
                    ..counters(before_s, [0.0, 0.0, 1.0])
                };
                bottleneck.push(Side::Sender, t_s - 0.008, 0, &idle);
            }
            bottleneck.push(Side::Sender, t_s, 0, &of_sender);
            let rested = Counters {
                thread_s: t_s,
                rested_pace_s: t_s,
                ..Counters::default()
            };
            bottleneck.push(Side::Receiver, t_s, 0, &rested);
        }
        let verdict = bottleneck.verdict().expect("a verdict");
        assert!(verdict.shares.of(Cause::ReaderPace) > 0.95, "{verdict:?}");
    }
}

#[test]
fn percents_add_up_to_a_hundred() {
    let shares = |text: &str| serde_json::from_str::<Shares>(text).expect("shares");
    let thirds = shares(r#"{"sender": 0.3333, "receiver": 0.3334, "network": 0.3333}"#);
    let sum: u32 = thirds.percents().iter().map(|(_, percent)| percent).sum();
    assert_eq!(sum, 100);
    let tiny = shares(r#"{"sender": 0.998, "receiver": 0.002}"#);
    assert_eq!(tiny.percents(), [(Cause::Sender, 100)]);
    assert!(Shares::default().percents().is_empty());
}

#[test]
fn a_sentence_without_the_pauses_tells_of_the_time_without_them() {
    let mut bottleneck = Bottleneck::new(&[Side::Sender]);
    for i in 0..=400_u32 {
        // Ten seconds, of which the first five are a pause.
        let t_s = f64::from(i) * 0.025;
        let counters = Counters {
            thread_s: t_s,
            paused_s: t_s.min(5.0),
            rested_limit_s: (t_s - 5.0).max(0.0),
            ..Counters::default()
        };
        bottleneck.push(Side::Sender, t_s, 0, &counters);
    }
    bottleneck.finish();
    let verdict = bottleneck.verdict().expect("a verdict");
    assert_eq!(
        verdict.sentence_without(Cause::Paused),
        "The limit that was set held it back 100 % of the time: 5.00 of 5.00 s rested."
    );
    assert!(verdict.sentence.ends_with("of 10.0 s rested."), "{}", verdict.sentence);
}
