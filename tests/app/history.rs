//! The history page: what was transferred is found, laid over another run, done again and forgotten.

use std::time::Duration;

use egui_kittest::kittest::Queryable as _;

use crate::{HEADLINE, Window, phase, type_into, until, until_shown, with_form};
use arraylift::internals::app::{Phase, View};

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
    let one_more = window.state().transfers().rows().len() + 1;
    until(window, "done", |app| {
        app.transfers().rows().len() == one_more && matches!(phase(app), Some(Phase::Done { .. }))
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
    window.get_by_label_contains("range 0 … 1000000").focus();
    window.run();
    window.get_by_label_contains("Lay over: range 0 … 1000000").click();
    until_shown(&mut window, "B has more");
    window.get_by_label("\u{2212}50.0 %");

    window.get_by_label("Forget").click();
    window.run();
    window.get_by_label("Keep").click();
    window.run();
    window.get_by_label("Forget").click();
    window.run();
    window.get_by_label("Forget for good").click();
    window.run();
    until_gone(&mut window, "range 0 … 2000000");
    window.get_by_label_contains("range 0 … 1000000 into memory, 2").click();
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
