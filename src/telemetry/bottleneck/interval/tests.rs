use super::*;

const SPAN_S: f64 = 2.0;

fn waiting(send_s: f64, receive_s: f64) -> Spent {
    Spent {
        thread_s: SPAN_S,
        blocked_send_s: send_s,
        blocked_receive_s: receive_s,
        cpu_s: SPAN_S - send_s - receive_s,
        ..Spent::default()
    }
}

fn both(sender: Spent, receiver: Spent) -> Shares {
    checked(shares(Some(sender), Some(receiver)))
}

fn checked(shares: Shares) -> Shares {
    assert!((shares.sum() - 1.0).abs() < 1e-9, "{shares:?}");
    assert!(Cause::ALL.iter().all(|cause| shares.of(*cause) >= 0.0), "{shares:?}");
    shares
}

#[test]
fn an_end_that_hardly_waits_while_the_other_does_is_the_limit() {
    let shares = both(waiting(1.4, 0.0), waiting(0.0, 0.02));
    assert!(shares.of(Cause::Receiver) > 0.9, "{shares:?}");
    let shares = both(waiting(0.02, 0.0), waiting(0.0, 1.0));
    assert!(shares.of(Cause::Sender) > 0.9, "{shares:?}");
}

#[test]
fn ends_that_never_wait_share_the_time() {
    let shares = both(waiting(0.0, 0.0), waiting(0.0, 0.0));
    assert!((shares.of(Cause::Sender) - 0.5).abs() < 1e-9 && (shares.of(Cause::Receiver) - 0.5).abs() < 1e-9);
}

#[test]
fn what_both_wait_is_the_buffers_where_they_were_full_and_else_the_networks() {
    let mut sender = waiting(1.8, 0.0);
    for (full_s, expected) in [(0.6, Cause::Buffers), (0.0, Cause::Network)] {
        for (receive_window, send_buffer) in [(full_s, 0.0), (0.0, full_s)] {
            sender.tcp = Some(TcpSpent {
                is_local: false,
                busy: 2.0,
                receive_window,
                send_buffer,
            });
            let shares = both(sender, waiting(0.0, 1.8));
            assert!(shares.of(expected) > 0.9, "{shares:?}");
        }
    }
    let tcp = sender.tcp.map(|tcp| TcpSpent { is_local: true, ..tcp });
    for tcp in [None, tcp] {
        sender.tcp = tcp;
        let shares = both(sender, waiting(0.0, 1.8));
        assert!(
            shares.of(Cause::Buffers) > 0.9,
            "one machine has no network within it: {shares:?}"
        );
        let shares = checked(super::shares(Some(sender), None));
        assert!(shares.of(Cause::Network) <= 0.0, "{shares:?}");
    }
}

#[test]
fn rests_are_named_by_what_they_are_for() {
    let resting = |spent: Spent| both(spent, waiting(0.0, 1.9));
    let shares = resting(Spent {
        limit_s: 1.9,
        cpu_s: 0.1,
        ..waiting(0.0, 0.0)
    });
    assert!(shares.of(Cause::Limit) > 0.9, "{shares:?}");
    let shares = resting(Spent {
        pace_s: 1.9,
        cpu_s: 0.1,
        ..waiting(0.0, 0.0)
    });
    assert!(shares.of(Cause::WriterPace) > 0.9, "{shares:?}");
    let shares = resting(Spent {
        paused_s: 2.0,
        cpu_s: 0.0,
        ..waiting(0.0, 0.0)
    });
    assert!(shares.of(Cause::Paused) > 0.95, "{shares:?}");
    let reader = Spent {
        pace_s: 1.9,
        cpu_s: 0.1,
        ..waiting(0.0, 0.0)
    };
    let shares = both(waiting(1.9, 0.0), reader);
    assert!(shares.of(Cause::ReaderPace) > 0.9, "{shares:?}");
}

#[test]
fn to_wait_until_all_is_on_disk_is_to_wait_for_the_disk_and_for_nobody_else() {
    let receiver = Spent {
        sync_s: 1.9,
        cpu_s: 0.1,
        ..waiting(0.0, 0.0)
    };
    for sender in [Some(waiting(0.0, 2.0)), None] {
        let shares = checked(shares(sender, Some(receiver)));
        assert!(shares.of(Cause::ReceiverDisk) > 0.9, "{shares:?}");
    }
}

#[test]
fn threads_that_sleep_while_another_one_writes_the_file_do_not_sleep_for_the_disk() {
    // Four threads, of which one is at work at a time; then none is for most of the time.
    for (on_core_s, is_disk) in [(SPAN_S, false), (0.2 * SPAN_S, true)] {
        let receiver = Spent {
            span_s: SPAN_S,
            thread_s: 4.0 * SPAN_S,
            cpu_s: on_core_s,
            storage_bytes: 1e6,
            ..Spent::default()
        };
        let shares = both(waiting(1.9, 0.0), receiver);
        let share = shares.of(Cause::ReceiverDisk);
        assert_eq!(share > 0.9, is_disk, "{shares:?}");
        assert!(is_disk || share <= 0.0, "{shares:?}");
    }
}

#[test]
fn sleep_elsewhere_is_for_the_disk_only_where_the_disk_was_used() {
    let mut sender = Spent {
        cpu_s: 0.2,
        ..waiting(0.0, 0.0)
    };
    let shares = both(sender, waiting(0.0, 1.9));
    assert!(
        shares.of(Cause::Sender) > 0.9 && shares.of(Cause::SenderDisk) <= 0.0,
        "{shares:?}"
    );
    sender.storage_bytes = 1e6;
    let shares = both(sender, waiting(0.0, 1.9));
    assert!(shares.of(Cause::SenderDisk) > 0.8, "{shares:?}");
    let busy = Spent { cpu_s: 1.95, ..sender };
    let shares = both(busy, waiting(0.0, 1.9));
    assert!(shares.of(Cause::Sender) > 0.9, "storage was faster: {shares:?}");
    let receiver = Spent {
        cpu_s: 0.2,
        storage_bytes: 1e6,
        ..waiting(0.0, 0.0)
    };
    let shares = both(waiting(1.9, 0.0), receiver);
    assert!(shares.of(Cause::ReceiverDisk) > 0.8, "{shares:?}");
}

#[test]
fn a_wait_for_a_core_is_no_wait_for_the_peer() {
    // Both were woken soon enough, and then had no core for nearly all of the time.
    let woken_late = |mut spent: Spent| {
        (spent.core_wait_s, spent.cpu_s, spent.voluntary_switches) = (1.5, 0.4, 100.0);
        spent
    };
    let shares = both(woken_late(waiting(1.6, 0.0)), woken_late(waiting(0.0, 1.6)));
    assert!(
        shares.of(Cause::Buffers) + shares.of(Cause::Network) < 0.15,
        "{shares:?}"
    );
    // Where its core was taken from it instead, the wait was for the peer.
    let mut preempted = waiting(1.0, 0.0);
    (preempted.core_wait_s, preempted.involuntary_switches) = (0.5, 100.0);
    assert!((preempted.waiting() - 0.5).abs() < 1e-9);
}

#[test]
fn of_an_end_elsewhere_only_what_is_known_is_said() {
    let mut sender = waiting(1.6, 0.2);
    let shares = checked(shares(Some(sender), None));
    assert!((shares.of(Cause::OtherEnd) - 0.9).abs() < 1e-9, "{shares:?}");
    assert!((shares.of(Cause::Sender) - 0.1).abs() < 1e-9, "{shares:?}");
    sender.tcp = Some(TcpSpent {
        is_local: false,
        busy: 1.0,
        receive_window: 0.0,
        send_buffer: 0.0,
    });
    let shares = checked(super::shares(Some(sender), None));
    assert!((shares.of(Cause::Network) - 0.8).abs() < 1e-9, "{shares:?}");
    assert!(
        (shares.of(Cause::OtherEnd) - 0.1).abs() < 1e-9,
        "it kept the result waiting: {shares:?}"
    );
    let shares = checked(super::shares(None, Some(waiting(0.0, 1.9))));
    assert!((shares.of(Cause::OtherEnd) - 0.95).abs() < 1e-9, "{shares:?}");
}

#[test]
fn shares_add_up_to_one_whatever_the_counters_say() {
    let amounts = [-0.5, 0.0, 0.3, 1.0, 5.0];
    for send_s in amounts {
        for receive_s in amounts {
            for other_s in amounts {
                let one = Spent {
                    blocked_send_s: send_s,
                    core_wait_s: other_s,
                    voluntary_switches: 3.0,
                    pace_s: receive_s,
                    storage_bytes: other_s,
                    tcp: Some(TcpSpent {
                        is_local: false,
                        busy: other_s,
                        receive_window: send_s,
                        send_buffer: receive_s,
                    }),
                    ..waiting(0.0, 0.0)
                };
                let two = waiting(other_s, receive_s);
                both(one, two);
                both(two, one);
                checked(shares(Some(one), None));
                checked(shares(None, Some(one)));
            }
        }
    }
}
