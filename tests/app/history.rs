//! The history page: what was transferred is found, laid over another run, done again and forgotten.

use std::time::Duration;

use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::frame::copied;
use crate::interrupted_fetch::WebServer;
use crate::kept::{Kept, keep};
use crate::{HEADLINE, Window, phase, speaking, type_into, until, until_shown, with_form};
use arraylift::internals::Language;
use arraylift::internals::app::{App, Phase, SinkKind, SourceKind, View};

/// A window whose history lies in that folder.
fn with_history(folder: &tempfile::TempDir) -> Window {
    let mut window = with_form();
    let path = folder.path().join("arraylift/history.db");
    window.state_mut().keep_history_at(Some(path));
    window
}

fn transfer(window: &mut Window, to: &str) {
    type_into(window, "To (not included)", to);
    window.get_by_label("Start").click();
    let one_more = window.state().transfers().own_rows().len() + 1;
    until(window, "done", |app| {
        app.transfers().own_rows().len() == one_more && matches!(phase(app), Some(Phase::Done { .. }))
    });
    window.step();
}

fn until_gone(window: &mut Window, text: &str) {
    for _ in 0..1000 {
        window.step();
        if window.query_all_by_label_contains(text).next().is_none() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("still shown: {text}");
}

#[test]
fn yesterdays_run_is_found_laid_over_todays_done_again_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut yesterday = with_history(&folder);
    transfer(&mut yesterday, "1,000,000");
    // What ended is there once the window has gone.
    drop(yesterday);
    let mut window = with_history(&folder);
    transfer(&mut window, "2,000,000");
    drop(window);

    let mut window = with_history(&folder);
    window.get_by_label("History").click();
    until_shown(&mut window, "range 0 … 2000000");
    until_shown(&mut window, "Again");
    type_into(&mut window, "Search", "1000000");
    until_shown(&mut window, "range 0 … 1000000");
    type_into(&mut window, "Search", "nothing of that name");
    until_shown(&mut window, "Nothing was found");
    type_into(&mut window, "Search", "range");
    until_shown(&mut window, "range 0 … 2000000");
    // The picked row is the stop of the Tab key; from there the arrows walk.
    window.get_by_label_contains("range 0 … 2000000").focus();
    window.run();
    window.key_press(Key::ArrowDown);
    window.run();
    window.key_press(Key::Tab);
    window.run();
    assert!(window.get_by_label_contains("Lay over: range 0 … 1000000").is_focused());
    window.key_press(Key::Enter);
    until_shown(&mut window, "B has more");
    assert!(window.query_all_by_label("\u{2212}50.0 %").next().is_some());

    window.get_by_label("Forget").click();
    window.run();
    window.get_by_label("Keep").click();
    window.run();
    window.get_by_label("Forget").click();
    window.run();
    window.get_by_label("Forget for good").click();
    window.run();
    until_gone(&mut window, "range 0 … 2000000");
    window.get_by_label_contains("range 0 … 1000000 into memory, ").click();
    until_shown(&mut window, "Again");
    window.get_by_label("Again").click();
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
    });
    assert_eq!(window.state().settings().form.to, "1,000,000");
}

#[test]
fn a_window_of_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_history(&folder);
    window.state_mut().show(View::History);
    until_shown(&mut window, "Nothing was transferred yet");
    window.get_by_label("Transfers").click();
    window.run();
    window.get_by_label(HEADLINE);
}

/// As if a day had passed since what is in the history; returns the day on which the latest of it began.
fn a_day_passes(folder: &tempfile::TempDir) -> String {
    let history = rusqlite::Connection::open(folder.path().join("arraylift/history.db")).unwrap();
    let back = "UPDATE entries SET began_unix_ms = began_unix_ms - 86400000;
        UPDATE details SET entry = json_set(entry, '$.began_unix_ms', entry ->> '$.began_unix_ms' - 86400000)";
    history.execute_batch(back).unwrap();
    let latest = "SELECT strftime('%d %m %Y, %H:%M', max(began_unix_ms) / 1000, 'unixepoch', 'localtime') FROM entries";
    let latest: String = history.query_row(latest, [], |row| row.get(0)).unwrap();
    let (day, month, rest) = (&latest[..2], &latest[3..5], &latest[6..]);
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let at = 3 * (month.parse::<usize>().unwrap() - 1);
    format!("{} {} {rest}", day.trim_start_matches('0'), &months[at..at + 3])
}

#[test]
fn yesterdays_run_lies_over_todays_and_the_difference_is_told_in_per_cent() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_history(&folder);
    transfer(&mut window, "3,000,000");
    drop(window);
    let yesterday = a_day_passes(&folder);
    let mut window = with_history(&folder);
    transfer(&mut window, "2,000,000");
    drop(window);

    let mut window = with_history(&folder);
    window.get_by_label("History").click();
    until_shown(&mut window, "range 0 … 2000000");
    until_shown(&mut window, "Again");
    window.get_by_label_contains(&yesterday).hover();
    window.run();
    window.get_by_label_contains("Lay over: range 0 … 3000000").click();
    until_shown(&mut window, "B has more");
    // Both are there with their days, and what B has more in bytes and in rate.
    window.get_by_label_contains(&format!("B  {yesterday}"));
    window.get_by_label_contains("A  ");
    assert!(window.query_all_by_label("+50.0 %").next().is_some());
    let percents = window.query_all_by_label_contains(" %");
    let percents: Vec<_> = percents.filter_map(|node| node.accesskit_node().value()).collect();
    assert!(percents.len() >= 3, "{percents:?}");
    let plot = window.get_by_label_contains("Rate over time. A: at most ");
    assert!(
        plot.accesskit_node()
            .label()
            .unwrap_or_default()
            .contains("; B: at most ")
    );
}

#[test]
fn a_run_is_saved_from_the_page_and_its_rates_are_in_the_unit_of_choice() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_history(&folder);
    transfer(&mut window, "2,000,000");
    drop(window);

    let mut window = with_history(&folder);
    window.state_mut().show(View::History);
    until_shown(&mut window, "Again");
    window.key_press_modifiers(Modifiers::CTRL, Key::Comma);
    window.run();
    window.get_by_label("Rates: Gbit/s").click();
    window.run();
    window.state_mut().show(View::History);
    window.run();
    assert!(
        window.query_all_by_label_contains("bit/s").count() >= 2,
        "in its row, and of its facts"
    );
    assert!(window.query_all_by_label_contains("B/s").next().is_none());
    window.get_by_label("Save").click();
    window.run();
    for form in [
        "Save picture (PNG)",
        "Save report (HTML)",
        "Save numbers (CSV)",
        "Save numbers (JSON)",
    ] {
        window.get_by_label(form);
    }
}

#[test]
fn the_first_page_has_what_was_done_last_and_does_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_history(&folder);
    for to in ["1,000,000", "2,000,000", "3,000,000", "4,000,000"] {
        super::open_form(&mut window);
        transfer(&mut window, to);
    }
    drop(window);
    let mut window = crate::sized(1280.0, 800.0);
    let path = folder.path().join("arraylift/history.db");
    window.state_mut().keep_history_at(Some(path));
    until_shown(&mut window, "Last done");
    for count in ["2000000", "3000000", "4000000"] {
        window.get_by_role_and_label(Role::Button, &format!("Again: range 0 … {count} into memory"));
    }
    assert!(
        window.query_by_label_contains("range 0 … 1000000").is_none(),
        "the last three"
    );
    window.get_by_label("All history").click();
    until_shown(&mut window, "range 0 … 1000000");
    window.get_by_label("Transfers").click();
    window.run();
    window.get_by_label("Again: range 0 … 3000000 into memory").click();
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
    });
    assert_eq!(window.state().settings().form.to, "3,000,000");
}

#[test]
fn what_is_known_of_a_run_is_copied_by_its_menu() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = with_history(&folder);
    transfer(&mut before, "1,000,000");
    drop(before);
    let mut window = with_history(&folder);
    window.get_by_label("History").click();
    until_shown(&mut window, "range 0 … 1000000");
    window.get_by_label_contains("range 0 … 1000000").focus();
    window.run();
    window.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    window.run();
    window.get_by_label("Copy name").click();
    window.step();
    assert_eq!(copied(&window).as_deref(), Some("range 0 … 1000000 into memory"));
    window.run();
    assert!(window.query_by_label("Copy name").is_none(), "it has closed");
    window.get_by_label_contains("range 0 … 1000000").click_secondary();
    window.run();
    window.get_by_label("Copy checksum").click();
    window.step();
    let checksum = copied(&window).expect("copied");
    assert!(checksum.starts_with("crc64nvme:"), "{checksum}");
}

#[test]
fn a_date_is_in_the_order_of_the_language_and_what_was_there_before_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arraylift/history.db");
    let entry = serde_json::json!({
        "way": "send", "source": "weights.npy", "peer": "10.0.0.7:25000", "bytes": 2_000_000, "resumed_bytes": 12_000_000,
        "outcome": "done", "transfers": 1,
    });
    let began = "2026-11-29 16:46:32".to_owned();
    keep(
        &path,
        &[Kept {
            entry,
            began,
            curve: Vec::new(),
        }],
    );
    for (language, date, before) in [
        (Language::English, "29 Nov 2026, 16:46:32", "12.0 MB were there already"),
        (Language::Chinese, "2026年11月29日 16:46:32", "已有 12.0 MB"),
    ] {
        let mut window = speaking(language, 1280.0, 800.0);
        window.state_mut().keep_history_at(Some(path.clone()));
        window.state_mut().show(View::History);
        until_shown(&mut window, before);
        // In its row and with its facts.
        assert_eq!(window.query_all_by_label_contains(date).count(), 2, "{date}");
        assert!(window.query_all_by_label_contains("2026-11-29 ").next().is_none());
    }
}

#[test]
fn what_was_fetched_is_in_the_history_and_is_fetched_again_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let server = WebServer::start(vec![7; 3_000_000], true);
    let mut window = with_history(&folder);
    let form = &mut window.state_mut().settings_mut().form;
    (form.source, form.path) = (SourceKind::File, server.url.clone());
    form.sink = SinkKind::Memory;
    window.run();
    until_shown(&mut window, "from 127.0.0.1:");
    until(&mut window, "ready", App::can_start);
    window.get_by_label("Start").click();
    let is_done = |app: &App| matches!(phase(app), Some(Phase::Done { .. }));
    until(&mut window, "done", is_done);
    drop(window);

    let mut window = with_history(&folder);
    window.state_mut().show(View::History);
    until_shown(&mut window, "a.bin");
    until_shown(&mut window, "3.00 MB in ");
    until_shown(&mut window, "Again");
    window.get_by_label("Again").click();
    until(&mut window, "fetched again", is_done);
}
