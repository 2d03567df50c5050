//! The window without a display: what it says to assistive technology is looked for and clicked, and the engine
//! behind it is the real one. Pictures of it are compared where a software Vulkan driver is at hand.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bus;
mod compare;
mod files;
mod folders_again;
mod frame;
mod frame_time;
mod history;
mod icon_badge;
mod instrument;
mod interrupted;
mod interrupted_fetch;
mod kept;
mod keyboard;
mod keyboard_story;
mod notify;
mod pages;
mod reading;
mod row_buttons;
mod second_plot;
mod strip;
mod trees;
mod values;
mod words;

use std::time::Duration;

use arraylift::internals::Language;
use arraylift::internals::Series;
use arraylift::internals::app::{
    App, AppOptions, Curves, EndpointKind, Form, Paths, Phase, Recipe, RowKey, Settings, ThemeChoice, check,
};
use arraylift::{Counters, Event, EventKind, Failure, Finished, Sample, Side, Started, State, TransferId, Value};
use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

type Window = Harness<'static, App>;

/// Frames until nothing changes any more. A transfer that runs asks for more of them, the slower the machine draws.
const STEPS_MAX: u64 = 100;

/// What the page says before the first transfer.
const HEADLINE: &str = "Move something, and see what holds it back";

#[test]
fn it_opens_ready_and_start_moves_the_array() {
    let mut window = with_form();
    window.get_by_label("50,000,000 numbers, 400 MB");
    window.get_by_label(HEADLINE);
    type_into(&mut window, "To (not included)", "1,000,000");
    window.get_by_label("1,000,000 numbers, 8.00 MB");
    window.get_by_label("Start").click();
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
    });
    window.step();
    window.get_by_label("verified 8.00 MB");
    window.get_by_label("moved 8.00 MB");
    window.get_by_label("1: 1.0, 1.0");
    window.get_by_label_contains("f64, little endian, shape (1000000,)");
    window.get_by_label_contains("range 0 … 1e6, f64 1,000,000 · 8.00 MB · into memory, this machine");
}

#[test]
fn control_and_enter_start_too() {
    let mut window = window();
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
    // 8 kB are too few for a figure of CPU time.
    assert!(window.query_by_label_contains("s/GB").is_none());
}

#[test]
fn a_mistake_is_named_beside_its_field_and_start_waits() {
    let mut window = with_form();
    type_into(&mut window, "Step", "0");
    window.get_by_label_contains("a step of 0");
    assert!(window.get_by_label("Start").accesskit_node().is_disabled());
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.run();
    assert!(window.state().transfers().rows().is_empty());

    type_into(&mut window, "Step", "2");
    assert!(window.query_by_label_contains("a step of 0").is_none());
    window.get_by_label("25,000,000 numbers, 200 MB");
    assert!(!window.get_by_label("Start").accesskit_node().is_disabled());
}

#[test]
fn start_closes_the_form_only_where_something_starts_and_else_shows_what_is_wrong() {
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    window.state_mut().settings_mut().form.path = "/no/such/file".to_owned();
    // The path is not looked at yet, or only just now.
    window.step();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.step();
    until_shown(&mut window, "there is no file at /no/such/file");
    window.get_by_label("Close New transfer");
    // Where it was closed by hand, too.
    window.key_press_modifiers(Modifiers::CTRL, Key::B);
    window.run();
    assert!(window.query_by_label("Close New transfer").is_none());
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.run();
    window.get_by_label_contains("there is no file at /no/such/file");
    assert!(window.state().transfers().rows().is_empty());
}

#[test]
fn what_waits_for_its_path_to_be_looked_at_starts_then_and_closes_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.bin");
    std::fs::write(&path, vec![5; 1000]).unwrap();
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    window.state_mut().settings_mut().form.path = path.to_str().unwrap().to_owned();
    window.step();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
    window.step();
    assert!(window.query_by_label("Close New transfer").is_none());
}

#[test]
fn a_file_is_looked_at_before_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.bin");
    std::fs::write(&path, vec![5; 123_456]).unwrap();
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    window.get_by_label_contains("Choose files, type a path");
    type_into(&mut window, "Path", "/no/such/file");
    until_shown(&mut window, "there is no file at /no/such/file");
    type_into(&mut window, "Path", path.to_str().unwrap());
    until_shown(&mut window, "u8 123,456 · 123 kB");
    window.get_by_label("Start").click();
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
    window.step();
    window.get_by_label_contains("data.bin, u8 123,456");
}

#[test]
fn a_transfer_pauses_resumes_and_is_cancelled() {
    let mut window = with_form();
    window.state_mut().settings_mut().form.limit = "4 MB/s".to_owned();
    window.run();
    window.get_by_label("Start").click();
    until(&mut window, "moving", |app| {
        moved(app) > 0 && phase(app) == Some(&Phase::Is(State::Transferring))
    });
    window.get_by_label("Pause range 0 … 5e7").click();
    until(&mut window, "paused", |app| {
        phase(app) == Some(&Phase::Is(State::Paused))
    });
    window.step();
    window.get_by_label("Paused");
    window.get_by_label("left: not known yet");
    window.get_by_label("Resume range 0 … 5e7").click();
    until(&mut window, "moving again", |app| {
        phase(app) == Some(&Phase::Is(State::Transferring))
    });
    window.step();
    window.get_by_label("Cancel range 0 … 5e7").click();
    until(&mut window, "cancelled", |app| phase(app) == Some(&Phase::Cancelled));
    window.step();
    // A second click, meant for Cancel, does not take the row away.
    window.get_by_label("Remove range 0 … 5e7").click();
    window.step();
    window.step();
    assert_eq!(window.state().transfers().own_rows().len(), 1);
    std::thread::sleep(Duration::from_millis(600));
    window.step();
    window.get_by_label("Remove range 0 … 5e7").click();
    window.step();
    window.step();
    assert!(window.state().transfers().rows().is_empty());
    window.get_by_label(HEADLINE);
}

#[test]
fn a_limit_is_changed_while_it_runs() {
    let mut window = with_form();
    window.state_mut().settings_mut().form.limit = "2 MB/s".to_owned();
    window.state_mut().settings_mut().form.to = "2,000,000".to_owned();
    window.run();
    window.get_by_label("Start").click();
    until(&mut window, "moving", |app| moved(app) > 0);
    window.step();
    let limit = |window: &Window| {
        window
            .state()
            .transfers()
            .selected()
            .and_then(|row| row.limit_bytes_per_s)
    };
    assert_eq!(limit(&window), Some(2_000_000));
    window.get_by_label("Limit").click();
    window.step();
    window.step();
    window
        .get_by_role_and_label(Role::Slider, "Limit: 2.00 MB/s")
        .increment_accesskit();
    window.step();
    window.step();
    assert!(
        limit(&window).is_none_or(|limit| limit > 2_000_000),
        "{:?}",
        limit(&window)
    );
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
}

#[test]
fn a_reader_is_made_slow_while_it_runs_and_named_as_the_limit() {
    let mut window = with_form();
    window.state_mut().settings_mut().form.limit = "40 MB/s".to_owned();
    window.run();
    window.get_by_label("Start").click();
    until(&mut window, "moving", |app| moved(app) > 0);
    until_shown(&mut window, "The limit that was set held it back");
    window.get_by_label_contains("The limit over time: limit ");
    window.get_by_label("Limit").click();
    window.step();
    window.step();
    let pace = |window: &Window, side| {
        window
            .state()
            .transfers()
            .selected()
            .and_then(|row| row.pace_bytes_per_s(side))
    };
    let sliders = [
        ("Writer's pace: as fast as it can", 9.0, 1_000_000_000, Side::Sender),
        ("Reader's pace: as fast as it can", 7.0, 10_000_000, Side::Receiver),
    ];
    for (name, power, rate, side) in sliders {
        assert_eq!(pace(&window, side), None);
        window
            .get_by_role_and_label(Role::Slider, name)
            .set_value_accesskit(power);
        window.step();
        window.step();
        assert_eq!(pace(&window, side), Some(rate), "{side:?}");
    }
    // Each is a flag of the plot.
    until_shown(&mut window, "writer 1.00 GB/s");
    until_shown(&mut window, "reader 10.0 MB/s");
    until_shown(&mut window, "The reader's pace was the limit");
}

#[test]
fn nobody_listening_is_said_in_full() {
    let mut window = with_form();
    window.get_by_label("Between: Send to").click();
    window.run();
    type_into(&mut window, "Receiver's address", "127.0.0.1:1");
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    window.get_by_label("Start").click();
    until(&mut window, "failed", |app| {
        matches!(phase(app), Some(Phase::Failed { .. }))
    });
    window.step();
    window.get_by_label("Failed");
    window.get_by_label_contains("Nobody listens at 127.0.0.1:1");
    window.get_by_label("Copy the message");
}

#[test]
fn one_window_receives_what_another_sends() {
    let mut receiver = with_form();
    receiver.get_by_label("Between: Receive at").click();
    receiver.run();
    type_into(&mut receiver, "Address to listen on", "127.0.0.1:0");
    receiver.get_by_label("Listen").click();
    until(&mut receiver, "listening", |app| {
        app.transfers().selected().is_some_and(|row| row.address.is_some())
    });
    let address = receiver
        .state()
        .transfers()
        .selected()
        .unwrap()
        .address
        .clone()
        .unwrap();
    until_shown(&mut receiver, "Waits for a sender at 127.0.0.1:");

    let mut sender = with_form();
    let form = &mut sender.state_mut().settings_mut().form;
    (form.endpoint, form.send_to, form.to) = (EndpointKind::SendTo, address, "10,000".to_owned());
    sender.run();
    sender.get_by_label("Start").click();
    until(&mut sender, "sent", |app| {
        matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
    });
    until(&mut receiver, "received", |app| {
        matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
    });
    receiver.step();
    receiver.get_by_label("9: 9.0");
}

#[test]
fn repeating_goes_on_until_it_is_stopped() {
    let mut window = with_form();
    window.get_by_label("Repeat until stopped").click();
    window.state_mut().settings_mut().form.to = "100,000".to_owned();
    window.run();
    window.get_by_label("Start").click();
    until(&mut window, "third round", |app| {
        app.transfers().selected().is_some_and(|row| row.rounds >= 2)
    });
    assert_eq!(window.state().transfers().own_rows().len(), 1, "one row");
    for _ in 0..200 {
        if let Some(stop) = window.query_by_label("Stop range 0 … 1e5") {
            stop.click();
        }
        window.step();
        if window.state().transfers().running() == 0 {
            window.step();
            window.get_by_label_contains("B/s median");
            let title = window.state().transfers().title();
            assert!(title.contains("stopped after") && title.ends_with(" in all"), "{title}");
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it goes on for ever");
}

#[test]
fn what_repeats_is_paused_wherever_it_is_and_goes_on_from_there() {
    let mut window = with_form();
    window.get_by_label("Repeat until stopped").click();
    window.state_mut().settings_mut().form.to = "100,000".to_owned();
    window.run();
    window.get_by_label("Start").click();
    let rounds = |app: &App| app.transfers().selected().map_or(0, |row| row.rounds);
    for _ in 0..5 {
        let before = rounds(window.state());
        until(&mut window, "another round", |app| rounds(app) > before);
        window.key_press(Key::Space);
        window.step();
        until(&mut window, "paused", |app| {
            phase(app) == Some(&Phase::Is(State::Paused))
        });
        window.get_by_label("Resume range 0 … 1e5");
        window.key_press(Key::Space);
    }
    let before = rounds(window.state());
    until(&mut window, "another round", |app| rounds(app) > before);
    window.key_press(Key::Delete);
    window.step();
    until(&mut window, "stopped", |app| app.transfers().running() == 0);
}

#[test]
fn what_does_not_run_at_once_waits_for_its_turn_and_can_be_brought_forward() {
    let mut window = with_form();
    window.state_mut().settings_mut().at_once = Some(1);
    let started = |window: &mut Window, to: &str| {
        let form = &mut window.state_mut().settings_mut().form;
        (form.to, form.limit) = (to.to_owned(), "400 kB/s".to_owned());
        window.run();
        open_form(window);
        window.get_by_label("Start").click();
        window.run();
    };
    for to in ["300,000", "200,001", "200,002", "200,003"] {
        started(&mut window, to);
    }
    let waiting = |window: &Window| -> Vec<String> {
        let rows = window.state().transfers().waiting();
        rows.map(|row| row.name().to_owned()).collect()
    };
    assert_eq!(
        waiting(&window),
        ["range 0 … 200001", "range 0 … 200002", "range 0 … 200003"]
    );
    window.get_by_label_contains("3 wait");
    window.get_by_label("Sooner range 0 … 200003").click();
    window.run();
    assert_eq!(
        waiting(&window),
        ["range 0 … 200001", "range 0 … 200003", "range 0 … 200002"]
    );
    // The next one begins when the one that runs has ended, and with it all that may.
    window.get_by_label("Cancel range 0 … 3e5").click();
    until(&mut window, "the next one", |app| {
        app.transfers().waiting().count() == 2
    });
    window.get_by_label("Pause all").click();
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Comma);
    window.run();
    window.get_by_label("Transfers at once: All").click();
    window.run();
    window.key_press(Key::Escape);
    window.run();
    assert_eq!(waiting(&window).len(), 2, "nothing begins while all is paused");
    window.get_by_label("Resume all").click();
    until(&mut window, "all of them", |app| app.transfers().waiting().count() == 0);
}

#[test]
fn what_all_transfers_come_to_stands_above_the_list_also_where_nothing_runs() {
    let mut window = with_form();
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    for _ in 0..2 {
        open_form(&mut window);
        window.get_by_label("Start").click();
        until(&mut window, "done", |app| {
            matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
        });
    }
    window.run();
    let line = window.get_by_label_contains("Nothing runs, 16.0 kB moved").rect();
    let first = window
        .get_all_by_label_contains("f64 1,000")
        .next()
        .expect("a row")
        .rect();
    assert!(
        line.height() > 0.0 && line.bottom() <= first.top() + 0.5,
        "{line:?} {first:?}"
    );
}

#[test]
fn what_failed_is_tried_again_in_place_of_it() {
    let mut window = with_form();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = port.local_addr().expect("an address").to_string();
    drop(port);
    let form = &mut window.state_mut().settings_mut().form;
    (form.endpoint, form.send_to, form.to) = (EndpointKind::SendTo, address.clone(), "1000".to_owned());
    window.run();
    let failed = |app: &App| app.transfers().failed().len();
    for count in 1..=2 {
        open_form(&mut window);
        window.get_by_label("Start").click();
        until(&mut window, "a failure", |app| failed(app) == count);
    }
    let receiver = std::net::TcpListener::bind(&address).expect("still free");
    window.run();
    window.get_by_label("Retry failed").click();
    until(&mut window, "none that failed", |app| failed(app) == 0);
    assert_eq!(window.state().transfers().own_rows().len(), 2);
    drop(receiver);
}

/// Process 4711 is a service that receives from a thousand and one.
fn serves_elsewhere(app: &mut App) {
    let status = arraylift::internals::Status {
        connections: 1001,
        receiving: 1001,
        rate_bytes_per_s: 1.21e9,
        ..Default::default()
    };
    let services = app.services_mut();
    services.note_command(4711, "serve 127.0.0.1:25000".to_owned());
    services.note_status(4711, status);
}

#[test]
fn a_service_elsewhere_has_a_line_with_its_counts_until_it_ends() {
    let mut window = window();
    serves_elsewhere(window.state_mut());
    window.run();
    window.get_by_label_contains("1,001 connections, 1,001 receiving at 1.21 GB/s");
    window.get_by_label("Drain process 4711").click();
    window.run();
    window.get_by_label("Stop process 4711");
    // Transfers of it run: it asks, as Cancel does.
    window.get_by_label("Stop process 4711").click();
    window.run();
    window.get_by_label("Stop process 4711 while 1,001 transfers run?");
    window.get_by_label("Keep running").click();
    window.run();
    assert!(window.query_by_label("Keep running").is_none());
    window.get_by_label("Stop process 4711").click();
    window.run();
    window.get_by_label("Stop it").click();
    window.run();
    assert!(window.query_by_label("Keep running").is_none());
    window.state_mut().services_mut().end(4711);
    window.run();
    assert!(window.query_by_label("Stop process 4711").is_none());
}

#[test]
fn what_other_processes_do_stands_below_under_a_heading_that_folds_it_away() {
    let mut window = window();
    window
        .state_mut()
        .services_mut()
        .note_status(4711, arraylift::internals::Status::default());
    for id in 1..=2 {
        watched(window.state_mut(), 4711, id);
    }
    recorded(window.state_mut(), 1, &Form::default());
    window.run();
    let top = |window: &Window, label: &str| window.get_by_label_contains(label).rect().top();
    let own = top(&window, "range 0 … 5e7, f64");
    let heading = top(&window, "Other processes: 1 service, 2 transfers");
    assert!(own < heading && heading < top(&window, "process 4711: "));
    window.get_by_label_contains("Other processes: ").click();
    window.run();
    assert!(window.query_by_label_contains("process 4711: ").is_none());
    window.get_by_label_contains("Other processes: ").click();
    window.run();
    window.get_by_label_contains("process 4711: ");
}

#[test]
fn a_row_that_was_removed_comes_back_by_undo_or_its_key() {
    let mut window = window();
    several(window.state_mut());
    window.run();
    let keys = |window: &Window| -> Vec<RowKey> {
        let rows = window.state().transfers().rows();
        rows.iter().map(|row| row.key).collect()
    };
    let all = keys(&window);
    for undo in [
        |window: &mut Window| window.get_by_label("Undo").click(),
        |window: &mut Window| {
            window.key_press_modifiers(Modifiers::CTRL, Key::Z);
        },
    ] {
        std::thread::sleep(Duration::from_millis(600));
        window.run();
        window.state_mut().transfers_mut().select(all[2]);
        window.run();
        window.key_press(Key::Delete);
        window.run();
        assert_eq!(keys(&window), all[..2]);
        window.get_by_label("Removed range 0 … 5e7");
        undo(&mut window);
        window.run();
        assert_eq!(keys(&window), all);
        assert!(window.query_by_label("Undo").is_none());
        let selected = window.state().transfers().selected().map(|row| row.key);
        assert_eq!(selected, Some(all[2]));
    }
}

#[test]
fn what_has_finished_is_removed_at_once_and_what_failed_stays() {
    let mut window = window();
    several(window.state_mut());
    several(window.state_mut());
    window.run();
    window.get_by_label("Remove finished").click();
    window.run();
    window.get_by_label("Removed 2 transfers");
    let rows = window.state().transfers().rows();
    assert_eq!(rows.len(), 4, "those that run and those that failed");
    window.get_by_label("Undo").click();
    window.run();
    assert_eq!(window.state().transfers().own_rows().len(), 6);
}

#[test]
fn what_waits_is_taken_off_the_list_at_once() {
    let mut window = with_form();
    window.state_mut().settings_mut().at_once = Some(1);
    let form = &mut window.state_mut().settings_mut().form;
    (form.to, form.limit) = ("300,000".to_owned(), "400 kB/s".to_owned());
    window.run();
    for _ in 0..4 {
        open_form(&mut window);
        window.get_by_label("Start").click();
        window.run();
    }
    window.get_by_label("Remove waiting").click();
    window.run();
    assert_eq!(window.state().transfers().waiting_count(), 0);
    window.key_press_modifiers(Modifiers::CTRL, Key::Z);
    window.run();
    assert_eq!(window.state().transfers().waiting_count(), 3);
}

#[test]
fn round_trips_to_a_real_echo_are_measured_and_one_size_is_looked_at() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let echo = std::thread::Builder::new().name("echo".to_owned()).spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let mut back = client.try_clone().expect("a clone");
        std::io::copy(&mut client, &mut back)
    });
    let mut window = window();
    window.run();
    window.get_by_label("Round trips").click();
    window.run();
    window.get_by_label_contains("Nothing was measured yet");
    window.state_mut().round_trips_page_mut().endpoint = address;
    window.run();
    window.get_by_label("Measure").click();
    for _ in 0..2000 {
        window.step();
        if window.query_by_label("64 B there and back").is_some() {
            window.get_by_label("Cancel").click();
            window.step();
            let page = window.state_mut().round_trips_page_mut();
            let (first, second) = (page.measured[0].clone(), page.measured[1].clone());
            assert_eq!((first.size_bytes, second.size_bytes), (1, 64));
            assert_eq!(first.histogram.iter().map(|bin| bin.count).sum::<u64>(), first.count);
            drop(window);
            let _ = echo.expect("a thread").join().expect("no panic");
            return;
        }
        if let Some(row) = window.query_by_label_contains("size 64 B,") {
            row.click();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("nothing was measured");
}

#[test]
fn escape_closes_an_open_list_and_asks_nothing() {
    let mut window = window();
    recorded(window.state_mut(), 1, &Form::default());
    window.run();
    window.get_by_label("Limit").click();
    window.run();
    let pace = "Writer's pace: as fast as it can";
    window.get_by_role_and_label(Role::Slider, pace);
    window.key_press(Key::Escape);
    window.run();
    assert!(window.query_by_role_and_label(Role::Slider, pace).is_none());
    assert!(window.query_by_label("Keep running").is_none());
    window.key_press(Key::Escape);
    window.run();
    let is_given_up =
        window.query_by_label("Keep running").is_some() || phase(window.state()) == Some(&Phase::Cancelled);
    assert!(is_given_up, "now it is about the transfer");
}

#[test]
fn a_screen_reader_has_the_plots_the_rate_with_its_unit_and_words_in_the_order_they_are_read() {
    let mut window = with_form();
    window.state_mut().settings_mut().form.to = "1,000,000".to_owned();
    window.run();
    window.get_by_label("Start").click();
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
    window.run();
    window.get_by_label_contains("Rates over time: after ");
    window.get_by_label_contains("; 8.00 of 8.00 MB moved");
    window.get_by_label_contains("The limit over time: ");
    let hero = window.get_all_by_label_contains("B/s").next();
    assert!(hero.is_some(), "a number has its unit");
    let left = |label: &str| window.get_by_label(label).rect().left();
    assert!(left("Again range 0 … 1e6") < left("Remove range 0 … 1e6"));
}

#[test]
fn every_rate_of_a_transfer_is_shown_in_the_unit_of_its_peak() {
    let mut window = window();
    // A minute of 6 GB/s at its beginning, and 700 MB/s after that: so is its mean, or nearly.
    let (_, id) = recorded(window.state_mut(), 1, &of_range("9e12"));
    for i in 141..=20_000_u32 {
        for side in [Side::Sender, Side::Receiver] {
            let t_s = f64::from(i) * 0.05;
            sample(
                window.state_mut(),
                id,
                side,
                t_s,
                40e9 + (t_s - 7.0) * 0.5e9,
                72_000_000_000_000,
            );
        }
    }
    window.run();
    let rates: Vec<String> = window
        .get_all_by_label_contains("B/s")
        .filter_map(|node| node.accesskit_node().value().or(node.accesskit_node().label()))
        .collect();
    assert!(rates.len() >= 3, "{rates:?}");
    for rate in rates {
        assert!(!rate.contains("MB/s"), "{rate}");
    }
}

#[test]
fn a_megabyte_pasted_into_a_field_is_not_kept() {
    let mut window = with_form();
    window.get_by_label("To (not included)").focus();
    window.run();
    window.event(eframe::egui::Event::Paste("7".repeat(1 << 20)));
    window.run();
    let typed = window.state().settings().form.to.len();
    assert!(typed <= 4096, "{typed}");
}

#[test]
fn keys_fold_the_form_and_walk_the_list() {
    let mut window = window();
    let keys: Vec<RowKey> = (1..=3)
        .map(|id| recorded(window.state_mut(), id, &Form::default()).0)
        .collect();
    window.run();
    let selected = |window: &Window| window.state().transfers().selected().map(|row| row.key);
    assert_eq!(selected(&window), Some(keys[2]));
    window.key_press(Key::ArrowDown);
    window.run();
    assert_eq!(selected(&window), Some(keys[1]));
    for close in [Key::B, Key::Escape] {
        window.key_press_modifiers(Modifiers::CTRL, Key::N);
        window.run();
        assert!(window.get_by_label("From").is_focused());
        window.get_by_label("Start");
        if close == Key::B {
            window.key_press_modifiers(Modifiers::CTRL, close);
        } else {
            // It leaves the field, and then the form.
            window.key_press(close);
            window.run();
            window.get_by_label("Start");
            window.key_press(close);
        }
        window.run();
        assert!(window.query_by_label("Start").is_none());
        assert!(window.query_by_label("Keep running").is_none(), "nothing was cancelled");
    }
}

#[test]
fn in_a_small_window_the_list_is_a_strip_and_the_form_opens_beside_the_transfer() {
    let mut window = sized(900.0, 600.0);
    several(window.state_mut());
    window.run();
    assert!(window.query_by_label("Start").is_none());
    window.get_by_label_contains("range 0 … 6e9, ");
    window.get_by_label("List: 1 done").click();
    window.run();
    window.get_by_label("Done: 1");
    window.get_by_label_contains("range 0 … 5e7, f64 50,000,000");
    window.key_press(Key::Escape);
    window.run();
    assert!(window.query_by_label("Done: 1").is_none());
    window.get_by_label("New transfer").click();
    window.run();
    window.get_by_label("Start");
    window.get_by_label_contains("Rates over time");
}

#[test]
fn start_is_in_sight_however_many_fields_are_shown() {
    for (width, height) in [(1280.0, 800.0), (900.0, 600.0)] {
        let mut window = sized(width, height);
        open_form(&mut window);
        window.get_by_label("Source: File").click();
        window.run();
        window.get_by_label("Into: File").click();
        window.run();
        window.get_by_label_contains("Advanced: ").click();
        window.run();
        for label in ["Start", "Repeat until stopped"] {
            let bottom = window.get_by_label(label).rect().bottom();
            assert!(bottom < height - 8.0, "{label} ends at {bottom} of {height}");
        }
    }
}

#[test]
fn where_there_is_room_for_one_only_the_form_and_the_list_take_turns() {
    let mut window = sized(900.0, 600.0);
    recorded(window.state_mut(), 1, &Form::default());
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::N);
    window.run();
    window.get_by_label("Start");
    window.get_by_label_contains("range 0 … 5e7, ");
    window.set_size([640.0, 420.0].into());
    window.run();
    assert!(window.query_by_label("Start").is_none(), "it closes by itself");
    window.get_by_label_contains("range 0 … 5e7, ");
    window.key_press_modifiers(Modifiers::CTRL, Key::N);
    window.run();
    window.get_by_label("Start");
    assert!(window.query_by_label_contains("range 0 … 5e7, ").is_none());
}

#[test]
fn the_list_scrolls_to_what_is_selected() {
    let mut window = window();
    let keys: Vec<RowKey> = (1..=30)
        .map(|id| {
            let form = Form {
                to: format!("{}", 1_000_000_000 + id),
                ..Form::default()
            };
            recorded(window.state_mut(), id, &form).0
        })
        .collect();
    window.run();
    let row = "range 0 … 1000000002, f64";
    assert!(window.query_by_label_contains(row).is_none(), "far below");
    window.state_mut().transfers_mut().select(keys[1]);
    window.run();
    window.step();
    window.get_by_label_contains(row);
}

#[test]
fn ten_hours_of_history_draw_no_more_than_the_plot_has_room_for() {
    let mut window = window();
    let key = ten_hours(window.state_mut());
    window.run();
    window.step();
    let row = window.state().transfers().row(key).unwrap();
    assert!(row.main_end().series.points().len() <= Series::MAX_POINTS);
    // Three curves of at most 120 spans.
    let curves = Curves::of(row, 0.0, row.elapsed_end_s());
    assert!(curves.point_count() <= 3 * 124, "{}", curves.point_count());
    assert!(curves.point_count() >= 3 * 60, "{}", curves.point_count());
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn dark_is_as_in_its_snapshot() {
    is_as_in_its_snapshots(ThemeChoice::Dark, "dark");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn light_is_as_in_its_snapshot() {
    is_as_in_its_snapshots(ThemeChoice::Light, "light");
}

fn is_as_in_its_snapshots(theme: ThemeChoice, name: &str) {
    let mut window = window();
    choose_theme(&mut window, theme);
    window.remove_cursor();
    window.state_mut().stop_clock(7.1);
    window.run();
    window.snapshot(format!("empty-{name}"));
    several(window.state_mut());
    window.run();
    window.snapshot(format!("running-{name}"));
    window.key_press(Key::ArrowDown);
    window.run();
    window.snapshot(format!("failed-{name}"));
}

/// Chooses a theme as a person does.
fn choose_theme(window: &mut Window, theme: ThemeChoice) {
    window.key_press_modifiers(Modifiers::CTRL, Key::Comma);
    window.run();
    window.get_by_label(&format!("Theme: {}", theme.name())).click();
    window.run();
    assert_eq!(window.state().settings().theme, theme);
    window.key_press(Key::Escape);
    window.run();
}

fn window() -> Window {
    sized(1280.0, 800.0)
}

/// A window with the form open.
fn with_form() -> Window {
    let mut window = window();
    open_form(&mut window);
    window
}

/// Opens the form where it is closed: it closes with every start.
fn open_form(window: &mut Window) {
    if window.query_by_label("Close New transfer").is_none() {
        window.key_press_modifiers(Modifiers::CTRL, Key::N);
        window.run();
    }
}

fn sized(width: f32, height: f32) -> Window {
    speaking(Language::English, width, height)
}

fn speaking(language: Language, width: f32, height: f32) -> Window {
    let builder = Harness::builder().with_size([width, height]).with_max_steps(STEPS_MAX);
    let mut window = builder.build_eframe(|cc| {
        cc.egui_ctx.add_glyph_rasterizer(words::squares());
        let options = AppOptions {
            no_history: true,
            language: Some(language),
            ..AppOptions::default()
        };
        let mut app = App::new(cc, options);
        // Pictures are the same on every machine, whatever was measured there.
        app.set_ceilings(None);
        app
    });
    window.run();
    window
}

fn phase(app: &App) -> Option<&Phase> {
    app.transfers().selected().map(|row| &row.phase)
}

fn moved(app: &App) -> u64 {
    app.transfers()
        .selected()
        .map_or(0, |row| row.main_end().series.bytes())
}

/// Puts a text in place of what stands in a field.
fn type_into(window: &mut Window, field: &str, text: &str) {
    window.get_by_label(field).focus();
    window.run();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.run();
    window.get_by_label(field).type_text(text);
    window.run();
}

/// Draws frame after frame, for a minute at most, until the window knows what is expected of it.
fn until(window: &mut Window, what: &str, reached: impl Fn(&App) -> bool) {
    for _ in 0..6000 {
        window.step();
        if reached(window.state()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never {what}: {:?}", phase(window.state()));
}

fn until_shown(window: &mut Window, text: &str) {
    for _ in 0..1000 {
        window.step();
        if window.query_all_by_label_contains(text).next().is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never shown: {text}");
}

fn recipe(form: &Form) -> Recipe {
    check(form, &Paths::default()).recipe.unwrap()
}

fn of_range(to: &str) -> Form {
    Form {
        to: to.to_owned(),
        ..Form::default()
    }
}

/// A row with the beginning of a recorded transfer: 10 samples of half a gigabyte, a tenth of a second apart.
fn recorded(app: &mut App, id: u64, form: &Form) -> (RowKey, TransferId) {
    let id = TransferId(1_000_000 + id);
    let mut recipe = recipe(form);
    // What suits this processor may not suit another one.
    recipe.options.chunk_bytes = 2 << 20;
    let meta = recipe.meta.clone().unwrap();
    let key = app.transfers_mut().add(recipe, 0.0);
    app.transfers_mut().tie(key, id);
    for side in [Side::Sender, Side::Receiver] {
        let mut started = Started::default();
        started.source = Some("range".to_owned());
        started.sink = Some("memory".to_owned());
        started.peer = "127.0.0.1:40123".into();
        started.wire = "native".into();
        started.send_route = Some("sendfile".into());
        started.receive_route = Some("recv".into());
        started.route_reason = "recorded".into();
        started.dtype = meta.dtype().name();
        started.shape = meta.shape().dimensions().to_vec();
        started.total_bytes = Some(meta.byte_len());
        started.streams = 1;
        started.congestion_control = Some("reno".to_owned());
        started.chunk_bytes = 1 << 20;
        let values = (0..10).map(|i| Value::Float(f64::from(i))).collect();
        tell(
            app,
            id,
            side,
            0.0,
            EventKind::State {
                state: State::Connecting,
            },
        );
        tell(app, id, side, 0.0, EventKind::Started(Box::new(started)));
        tell(
            app,
            id,
            side,
            0.0,
            EventKind::State {
                state: State::Transferring,
            },
        );
        tell(app, id, side, 0.0, EventKind::Preview { offset: 0, values });
        let mut bytes = 0.0;
        for i in 0..=140_u32 {
            let t_s = f64::from(i) * 0.05;
            let lag = if side == Side::Sender { 0.0 } else { 0.12 };
            let wave = ((t_s - lag) * 2.1).sin() * 0.25 + ((t_s - lag) * 7.3).sin() * 0.1;
            let dip = if (3.0..4.2).contains(&(t_s - lag)) { 3.1 } else { 0.0 };
            bytes += if i == 0 { 0.0 } else { (5.8 + wave - dip) * 1e9 * 0.05 };
            sample(app, id, side, t_s, bytes, meta.byte_len());
        }
    }
    (key, id)
}

fn sample(app: &mut App, id: TransferId, side: Side, t_s: f64, bytes: f64, total: u64) {
    let mut counters = Counters::default();
    counters.thread_s = t_s;
    counters.cpu_system_s = bytes * 0.15e-9;
    counters.blocked_send_s = if side == Side::Sender { bytes * 0.05e-9 } else { 0.0 };
    counters.blocked_receive_s = if side == Side::Receiver { bytes * 0.01e-9 } else { 0.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a made-up number of bytes"
    )]
    let bytes = (bytes as u64).min(total);
    let mut sample = Sample::default();
    sample.bytes = bytes;
    sample.counters = Some(counters);
    tell(app, id, side, t_s, EventKind::Sample(Box::new(sample)));
}

fn tell(app: &mut App, transfer: TransferId, side: Side, elapsed_s: f64, kind: EventKind) {
    let event = Event::new(transfer, side, elapsed_s, kind);
    app.transfers_mut().fold(event, elapsed_s);
}

/// The beginning of a transfer of another process.
fn watched(app: &mut App, pid: u32, id: u64) {
    let mut started = Started::default();
    started.source = Some(format!("{id}.npy"));
    started.peer = format!("10.0.0.7:{id}");
    started.dtype = "f64".into();
    started.shape = vec![1000];
    started.total_bytes = Some(8000);
    let event = Event::new(
        TransferId(id),
        Side::Receiver,
        0.0,
        EventKind::Started(Box::new(started)),
    );
    app.transfers_mut().fold_watched(pid, Side::Receiver, event, 0.0);
}

/// A running transfer with a sample every 50 ms for ten hours, at both ends.
fn ten_hours(app: &mut App) -> RowKey {
    let (key, id) = recorded(
        app,
        1,
        &Form {
            to: "9e13".to_owned(),
            ..Form::default()
        },
    );
    let total = 720_000_000_000_000;
    for i in 141..=720_000_u32 {
        let t_s = f64::from(i) * 0.05;
        for (side, lag) in [(Side::Sender, 0.0), (Side::Receiver, 1e6)] {
            sample(app, id, side, t_s, t_s * 5.5e9 + (t_s * 0.01).sin() * 2e10 - lag, total);
        }
    }
    key
}

/// The same with thousands of changes of every kind in its last minutes.
fn ten_hours_with_marks(app: &mut App) -> RowKey {
    let key = ten_hours(app);
    let id = TransferId(1_000_001);
    for i in 0..3000_u32 {
        let t_s = 36_000.0 + f64::from(i);
        let kind = match i % 3 {
            0 => EventKind::Limit {
                bytes_per_s: (i % 2 == 0).then_some(u64::from(i) * 1_000_000),
            },
            1 => EventKind::State { state: State::Paused },
            _ => EventKind::State {
                state: State::Transferring,
            },
        };
        for side in [Side::Sender, Side::Receiver] {
            tell(app, id, side, t_s, kind.clone());
            sample(
                app,
                id,
                side,
                t_s + 0.5,
                198e12 + f64::from(i) * 1e9,
                720_000_000_000_000,
            );
        }
    }
    key
}

/// One that repeats and is in the round after so many, each of a fifth of a second.
fn rounds(app: &mut App, count: u64) {
    let mut recipe = recipe(&of_range("50,000,000"));
    recipe.repeat = true;
    let key = app.transfers_mut().add(recipe, 0.0);
    let sides = [Side::Sender, Side::Receiver];
    for round in 0..=count {
        let id = TransferId(2_000_000 + round);
        app.transfers_mut().tie(key, id);
        for side in sides {
            let mut started = Started::default();
            started.total_bytes = Some(400_000_000);
            started.streams = 1;
            tell(app, id, side, 0.0, EventKind::Started(Box::new(started)));
            let state = State::Transferring;
            tell(app, id, side, 0.0, EventKind::State { state });
            sample(app, id, side, 0.0, 0.0, 400_000_000);
            sample(app, id, side, 0.1, 2e8, 400_000_000);
        }
        for side in sides.into_iter().filter(|_| round < count) {
            sample(app, id, side, 0.2, 4e8, 400_000_000);
            let mut finished = Finished::default();
            finished.bytes = 400_000_000;
            finished.rate_bytes_per_s = 2e9;
            tell(app, id, side, 0.2, EventKind::Finished(Box::new(finished)));
        }
    }
}

/// One that failed, one that is done, one that runs: as after a while of work.
fn several(app: &mut App) {
    let form = |to: &str| Form {
        to: to.to_owned(),
        ..Form::default()
    };
    let (_, done) = recorded(app, 1, &form("50,000,000"));
    for side in [Side::Sender, Side::Receiver] {
        let mut finished = Finished::default();
        finished.bytes = 400_000_000;
        finished.rate_bytes_per_s = 5.41e9;
        finished.verified = Some(true);
        tell(app, done, side, 7.0, EventKind::Finished(Box::new(finished)));
    }
    let (_, broken) = recorded(app, 2, &form("6e9"));
    let error = arraylift::Error::ClosedEarly {
        missing: 566_000_000,
        received: 47_434_000_000,
        total: 48_000_000_000,
    };
    let failure = serde_json::json!({"fault": error.fault(), "message": error.to_string(), "bytes": 0});
    let failure: Failure = serde_json::from_value(failure).unwrap();
    tell(app, broken, Side::Receiver, 7.0, EventKind::Failed(failure));
    recorded(app, 3, &form("6e9"));
}
