//! The picture of the array: how far it is, and the values that a click reads there.

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use arraylift::internals::app::{Phase, SinkKind, SourceKind};
use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{Window, phase, sized, until, until_shown};

const ROWS: u64 = 2000;
const COLUMNS: u64 = 1000;

/// A file of two dimensions as NumPy writes it: value `[i, j]` is `1000 i + j`.
fn two_dimensions(path: &Path) {
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({ROWS}, {COLUMNS}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    file.extend(header.as_bytes());
    file.extend((0..ROWS * COLUMNS).flat_map(|value| (value as f64).to_le_bytes()));
    std::fs::write(path, file).unwrap();
}

fn picture(window: &Window) -> Rect {
    window.get_by_label_contains("The array: ").rect()
}

fn click(window: &mut Window, at: Pos2) {
    window.hover_at(at);
    for pressed in [true, false] {
        window.event(Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    }
    window.step();
}

/// The first text that begins so.
fn said(window: &Window, begins: &str) -> Option<String> {
    let texts = window.query_all_by_label_contains(begins).filter_map(|node| {
        let node = node.accesskit_node();
        node.value().or_else(|| node.label())
    });
    texts.into_iter().find(|text| text.starts_with(begins))
}

#[test]
fn pick_an_array_of_two_dimensions_and_read_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let (from, into) = (folder.path().join("a.npy"), folder.path().join("b.npy"));
    two_dimensions(&from);
    let mut window = sized(1920.0, 1080.0);
    let form = &mut window.state_mut().settings_mut().form;
    (form.source, form.path) = (SourceKind::File, from.to_str().unwrap().to_owned());
    (form.sink, form.sink_path) = (SinkKind::File, into.to_str().unwrap().to_owned());
    form.sync = false;
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
    });
    until_shown(&mut window, "The array: min ");
    window.run();
    let rect = picture(&window);
    let aspect = rect.width() / rect.height();
    assert!((aspect - 2.0).abs() < 0.1, "as long as its first axis: {rect:?}");

    click(&mut window, pos2(rect.left() + rect.width() * 0.25, rect.center().y));
    until_shown(&mut window, "Both ends are the same");
    let place = said(&window, "From [").unwrap();
    let mut numbers = place
        .trim_start_matches("From [")
        .trim_end_matches("] on")
        .split(", ")
        .map(|number| number.replace(',', "").parse::<u64>().unwrap());
    let (row, column) = (numbers.next().unwrap(), numbers.next().unwrap());
    assert!((490..=510).contains(&row) && (490..=510).contains(&column), "{place}");
    let value = |at: u64| (at as f64).to_string() + ".0";
    let first = row * COLUMNS + column;
    let values: Vec<String> = (first..first + 16).map(value).collect();
    for end in ["sender", "receiver"] {
        assert_eq!(
            said(&window, &format!("{end}: ")),
            Some(format!("{end}: {}", values.join("  ")))
        );
    }

    // Somebody writes to what was received: 4 of the 8 bytes of one value.
    let file = std::fs::File::options().write(true).open(&into).unwrap();
    let header = file.metadata().unwrap().len() - ROWS * COLUMNS * 8;
    file.write_all_at(&0_f64.to_le_bytes(), header + 1_234_567 * 8).unwrap();
    click(&mut window, rect.center());
    until_shown(&mut window, "First difference at [1,234, 567]: 1234567.0 and 0.0");

    window
        .get_by_label("Close these values, and show the histogram")
        .click();
    window.run();
    assert!(window.query_by_label_contains("sender: ").is_none());
    window.get_by_label("Histogram of the values");
}

/// Whether a choice is picked.
fn is_picked(window: &Window, choice: &str) -> bool {
    let node = window.get_by_role_and_label(Role::RadioButton, choice);
    node.accesskit_node().toggled() == Some(Toggled::True)
}

#[test]
fn an_image_shows_the_least_the_mean_or_the_greatest_value_of_its_tiles_as_the_mouse_or_the_arrows_choose() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("a.npy");
    two_dimensions(&from);
    for (width, height) in [(1280.0, 800.0), (1920.0, 1080.0)] {
        let mut window = sized(width, height);
        let form = &mut window.state_mut().settings_mut().form;
        (form.source, form.path) = (SourceKind::File, from.to_str().unwrap().to_owned());
        form.sink = SinkKind::Discard;
        window.run();
        window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
        until_shown(&mut window, "A tile shows: mean");
        until(&mut window, "done", |app| {
            matches!(phase(app), Some(Phase::Done { .. }))
        });
        window.run();
        assert!(is_picked(&window, "A tile shows: mean"));
        let max = window.get_by_role_and_label(Role::RadioButton, "A tile shows: max");
        max.click();
        window.run();
        assert!(is_picked(&window, "A tile shows: max") && !is_picked(&window, "A tile shows: mean"));
        window
            .get_by_role_and_label(Role::RadioButton, "A tile shows: max")
            .focus();
        window.run();
        window.key_press(Key::ArrowLeft);
        window.run();
        window.key_press(Key::ArrowLeft);
        window.run();
        assert!(is_picked(&window, "A tile shows: min"));
        // How much was looked at, and what is no number, stand beside each other below the histogram.
        let much = window.get_by_label_contains(" looked at").rect();
        let counts = window.get_by_label_contains("no NaN").rect();
        assert!(counts.right() < much.left(), "{counts:?} {much:?}");
    }
}

#[test]
fn what_was_received_into_memory_is_read_where_it_came_from_alone() {
    let mut window = sized(1280.0, 800.0);
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    until_shown(&mut window, "The array: min 0.0, mean 499.5, max 999.0");
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
    window.run();
    let rect = picture(&window);
    click(&mut window, pos2(rect.right() - 0.1, rect.center().y));
    until_shown(&mut window, "sender: 999.0");
    let freed = "receiver: memory that is free again";
    assert_eq!(said(&window, "receiver: ").as_deref(), Some(freed));
    assert_eq!(said(&window, "From ").as_deref(), Some("From 999 on"));
}

#[test]
fn while_bytes_land_the_picture_tells_how_many_have_and_how_many_are_verified() {
    let mut window = sized(1280.0, 800.0);
    let form = &mut window.state_mut().settings_mut().form;
    (form.to, form.limit) = ("50_000_000".to_owned(), "100MB/s".to_owned());
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    for _ in 0..1000 {
        window.step();
        let parts = said(&window, "landed ").and_then(|text| {
            let (_, verified) = text.split_once(", verified ")?;
            verified.trim_end_matches("\u{a0}%").parse::<u32>().ok()
        });
        if parts.is_some_and(|percent| (1..100).contains(&percent)) {
            window.key_press(Key::Escape);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("nothing is verified on the way");
}
