//! A folder that is dropped on the window: it goes as one transfer, and what becomes of its items is told.

use std::path::Path;
use std::sync::Arc;

use arraylift::internals::app::{App, EndpointKind, Phase, RowKey, SinkKind};
use arraylift::{EventKind, Finished, Items, Side, Started, State, TransferId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::files::Dropped;
use super::{Window, of_range, open_form, phase, recipe, sample, tell, until, until_shown, with_form};

/// Drops files and folders on the window, and lets them go into a folder of this machine.
fn drop_into(window: &mut Window, dropped: &[&Path], into: &Path) {
    let form = &mut window.state_mut().settings_mut().form;
    (form.sink, form.sink_path) = (SinkKind::File, into.to_str().unwrap().to_owned());
    form.sync = false;
    let files = dropped.iter().map(|path| Arc::new(Dropped((*path).to_owned())) as _);
    window.input_mut().dropped_files.extend(files);
    window.step();
    window.input_mut().dropped_files.clear();
    window.run();
    open_form(window);
}

fn start(window: &mut Window) {
    until(window, "ready", App::can_start);
    window.get_by_label("Start").click();
    until(window, "over", |app| {
        app.transfers().running() == 0 && matches!(phase(app), Some(Phase::Done { .. }))
    });
    window.run();
}

/// What became of the items of the row that is chosen.
pub(super) fn items_of(window: &Window) -> Items {
    let row = window.state().transfers().selected().unwrap();
    row.items().cloned().unwrap()
}

/// A folder with three files, one of them in a folder of its own.
fn folder_in(base: &Path) -> std::path::PathBuf {
    let folder = base.join("photos");
    std::fs::create_dir_all(folder.join("2026")).unwrap();
    for name in ["a.jpg", "b.jpg", "2026/c.jpg"] {
        std::fs::write(folder.join(name), name.repeat(1000)).unwrap();
    }
    folder
}

#[test]
fn a_folder_is_one_row_all_of_it_arrives_and_the_second_time_it_was_there() {
    let base = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let folder = folder_in(base.path());
    let mut window = with_form();
    drop_into(&mut window, &[&folder], into.path());
    until_shown(&mut window, "3 files in 1 folder, ");
    start(&mut window);
    let rows = window.state().transfers().rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].name(), "photos");
    for name in ["a.jpg", "b.jpg", "2026/c.jpg"] {
        let arrived = std::fs::read_to_string(into.path().join("photos").join(name)).unwrap();
        assert_eq!(arrived, name.repeat(1000));
    }
    let items = rows[0].items().cloned().unwrap();
    assert_eq!((items.failed, items.had, items.stored), (0, 0, items.known));
    window.get_by_label("None failed.");
    window.get_by_label(&format!("arrived: {} items", items.stored));
    // Nothing of arrays is said of it.
    assert!(window.query_by_label("First values").is_none());
    // A click right after the end was meant for Cancel.
    std::thread::sleep(std::time::Duration::from_millis(600));
    window.step();
    window.get_by_label("Again photos").click();
    window.run();
    until(&mut window, "done again", |app| {
        app.transfers().running() == 0
            && app
                .transfers()
                .selected()
                .is_some_and(|row| row.items().is_some_and(|items| items.had > 0))
    });
    window.run();
    let items = items_of(&window);
    assert!(items.had >= 3 && items.stored + items.had == items.known, "{items:?}");
    window.get_by_label(&format!("were there already: {} items", items.had));
}

#[test]
fn what_is_dropped_with_a_folder_goes_with_it_and_what_fails_is_named() {
    let base = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let folder = folder_in(base.path());
    let file = base.path().join("notes.txt");
    std::fs::write(&file, "new").unwrap();
    // Another file of that name is there, and nothing is replaced.
    std::fs::write(into.path().join("notes.txt"), "old and longer").unwrap();
    let mut window = with_form();
    drop_into(&mut window, &[&folder, &file], into.path());
    until_shown(&mut window, "4 files in 1 folder, ");
    start(&mut window);
    assert_eq!(window.state().transfers().own_rows().len(), 1);
    let row = window.state().transfers().selected().unwrap();
    let items = row.items().cloned().unwrap();
    assert_eq!((items.failed, items.failures.len()), (1, 1), "{items:?}");
    window.get_by_label("failed: 1 item");
    let failure = &items.failures[0];
    window.get_by_label(&format!("{}: {}", failure.path, failure.reason));
    assert!(failure.path.contains("notes.txt"), "{failure:?}");
    window.get_by_label("Copy the items that failed");
    assert_eq!(
        std::fs::read_to_string(into.path().join("notes.txt")).unwrap(),
        "old and longer"
    );
    // Who asks for it has it replaced.
    open_form(&mut window);
    window.get_by_label("Files that are there and differ: Replace").click();
    window.run();
    start(&mut window);
    assert_eq!(std::fs::read_to_string(into.path().join("notes.txt")).unwrap(), "new");
}

#[test]
fn a_folder_goes_into_a_folder_and_its_form_has_no_fields_of_arrays() {
    let base = tempfile::tempdir().unwrap();
    let folder = folder_in(base.path());
    let mut window = with_form();
    drop_into(&mut window, &[&folder], base.path());
    window.state_mut().settings_mut().form.sink = SinkKind::Memory;
    window.state_mut().settings_mut().advanced_open = true;
    until_shown(&mut window, "a folder goes into a folder");
    assert!(window.get_by_label("Start").accesskit_node().is_disabled());
    for field in ["Wire: auto", "Streams", "Send route: auto"] {
        assert!(window.query_by_label(field).is_none(), "{field}");
    }
    window.get_by_label("Leave out");
    window.state_mut().settings_mut().form.endpoint = EndpointKind::ReceiveAt;
    window.state_mut().settings_mut().form.sink = SinkKind::File;
    window.run();
    window.get_by_label("Nothing that is there is replaced.");
    window.get_by_label("Allow replacing").click();
    window.run();
    window.get_by_label_contains("A sender can replace any file in this folder.");
}

/// Items of which so many failed, as they are told at the end.
pub(super) fn items(known: u64, failed: u64) -> Items {
    let failures: Vec<_> = (0..failed)
        .map(|index| serde_json::json!({"path": format!("photos/{index:04}.jpg"), "reason": "permission denied"}))
        .collect();
    let items = serde_json::json!({
        "stored": known - failed, "had": 0, "failed": failed, "known": known, "failures": failures,
    });
    serde_json::from_value(items).unwrap()
}

/// A row that receives a tree, with five seconds of it.
pub(super) fn receives(app: &mut App, id: u64) -> (RowKey, TransferId) {
    let id = TransferId(1_000_000 + id);
    let mut form = of_range("1000");
    (form.endpoint, form.sink) = (EndpointKind::ReceiveAt, SinkKind::Discard);
    let key = app.transfers_mut().add(recipe(&form), 0.0);
    app.transfers_mut().tie(key, id);
    let mut started = Started::default();
    started.source = Some("photos".to_owned());
    started.peer = "10.0.0.7:40123".into();
    started.wire = "native".into();
    started.receive_route = Some("files".into());
    started.is_tree = true;
    started.streams = 1;
    started.chunk_bytes = 1 << 20;
    tell(app, id, Side::Receiver, 0.0, EventKind::Started(Box::new(started)));
    let state = State::Transferring;
    tell(app, id, Side::Receiver, 0.0, EventKind::State { state });
    for step in 0..=100_u32 {
        let t_s = f64::from(step) * 0.05;
        sample(app, id, Side::Receiver, t_s, t_s * 1e8, u64::MAX);
    }
    (key, id)
}

/// The same when it has ended.
pub(super) fn ends(app: &mut App, id: TransferId, items: Items) {
    let mut finished = Finished::default();
    finished.bytes = 500_000_000;
    finished.rate_bytes_per_s = 1e8;
    finished.verified = Some(true);
    finished.items = Some(Box::new(items));
    tell(app, id, Side::Receiver, 5.0, EventKind::Finished(Box::new(finished)));
}

#[test]
fn progress_is_counted_in_items_and_is_so_far_until_all_are_known() {
    let mut window = super::sized(1280.0, 800.0);
    let (key, id) = receives(window.state_mut(), 1);
    window.state_mut().transfers_mut().select(key);
    let mut told = items(1000, 0);
    (told.stored, told.moving) = (250, Some("photos/a.jpg".to_owned()));
    tell(
        window.state_mut(),
        id,
        Side::Receiver,
        5.0,
        EventKind::Items(Box::new(told.clone())),
    );
    window.run_ok();
    window.get_by_label("items 250 of 1,000 so far");
    window.get_by_label("photos/a.jpg");
    window.get_by_label("known, and to come: 750 items");
    let share = window.state().transfers().selected().unwrap().share_done();
    assert!((share - 0.25).abs() < 1e-9, "{share}");
    told.are_all_known = true;
    tell(
        window.state_mut(),
        id,
        Side::Receiver,
        5.0,
        EventKind::Items(Box::new(told)),
    );
    window.run_ok();
    std::thread::sleep(std::time::Duration::from_millis(250));
    window.run_ok();
    window.get_by_label("items 250 of 1,000");
}

#[test]
fn the_history_says_that_it_was_a_folder_and_does_it_again() {
    let base = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let folder = folder_in(base.path());
    let history = base.path().join("kept/arraylift/history.db");
    let mut window = with_form();
    window.state_mut().keep_history_at(Some(history.clone()));
    drop_into(&mut window, &[&folder], into.path());
    start(&mut window);
    drop(window);
    let mut window = with_form();
    window.state_mut().keep_history_at(Some(history));
    window.get_by_label("History").click();
    until_shown(&mut window, "photos (folder) into ");
    until_shown(&mut window, "5 items: 5 arrived");
    until_shown(&mut window, "Again");
    window.get_by_label("Again").click();
    until(&mut window, "there already", |app| {
        let row = app.transfers().selected();
        row.is_some_and(|row| row.is_over() && row.items().is_some_and(|items| items.had >= 3))
    });
}
