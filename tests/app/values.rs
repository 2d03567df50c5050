//! The picture of the array: how far it is, and the values that a click reads there.

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use arraylift::internals::Language;
use arraylift::internals::app::{Phase, SinkKind, SourceKind, looked_at};
use arraylift::{ArrayMeta, Dtype, Side};
use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::epaint::Shape;
use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::pages::ends_that_differ;
use super::{Window, of_range, phase, recorded, sized, speaking, tell, until, until_shown};

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

/// The rectangles that are drawn with a line of this width.
fn outlined(window: &Window, width: f32) -> Vec<Rect> {
    let shapes = window.output().shapes.iter().map(|clipped| &clipped.shape);
    let rects = shapes.filter_map(|shape| match shape {
        Shape::Rect(rect) if (rect.stroke.width - width).abs() < 0.01 => Some(rect.rect),
        _ => None,
    });
    rects.collect()
}

#[test]
fn where_both_ends_are_here_the_first_tile_that_differs_is_marked_and_named() {
    for (width, height) in [(1280.0, 800.0), (1920.0, 1080.0), (900.0, 600.0)] {
        let mut window = sized(width, height);
        window.state_mut().stop_clock(7.1);
        let (_, id) = recorded(window.state_mut(), 1, &of_range("6e9"));
        let [(sender, sent), (receiver, received)] = ends_that_differ();
        // Where both have the same, nothing is marked.
        for side in [sender, receiver] {
            tell(window.state_mut(), id, side, 7.0, sent.clone());
        }
        window.run();
        assert!(window.query_all_by_label_contains("the ends differ").next().is_none());
        let before = outlined(&window, 2.0);
        tell(window.state_mut(), id, receiver, 7.0, received);
        window.run();
        let differ = "the ends differ from value [128, 75] on";
        let said = said(&window, "The array: ").unwrap();
        assert!(said.contains(differ), "{said}");
        if height > 600.0 {
            let line = window.get_all_by_label_contains(differ);
            assert_eq!(line.count(), 2, "in a line below it, too");
        }
        let rect = picture(&window);
        let marks: Vec<Rect> = outlined(&window, 2.0)
            .into_iter()
            .filter(|mark| !before.contains(mark))
            .collect();
        assert_eq!(marks.len(), 1, "{marks:?}");
        let (x, y) = (
            rect.left() + rect.width() * 130.0 / 256.0,
            rect.top() + rect.height() * 77.0 / 160.0,
        );
        assert!(
            marks[0].contains(pos2(x, y)) && marks[0].width() < 20.0,
            "{marks:?} of {rect:?}"
        );
        // Whoever points at it reads the same.
        window.hover_at(marks[0].center());
        window.run();
        window.run();
        let hovered = window.query_all_by_label_contains("tile of ");
        let hovered: Vec<_> = hovered.filter_map(|node| node.accesskit_node().value()).collect();
        assert!(hovered.iter().any(|text| text.contains(differ)), "{hovered:?}");
    }
}

#[test]
fn that_the_picture_rested_as_the_transfer_lacked_a_core_is_said_beside_it_in_both_languages() {
    let lacked = "hardly anything was looked at for 1.50 s: the transfer lacked a core";
    let meta = ArrayMeta::vector(Dtype::u8(), 330_000).unwrap();
    for (language, line, whole) in [
        (Language::English, "1 in 33 looked at, lacking a core", lacked),
        (
            Language::Chinese,
            "每 33 个查看 1 个，核心不足",
            "有 1.50 s 几乎未查看：传输缺少核心",
        ),
    ] {
        let mut window = speaking(language, 1280.0, 800.0);
        window.state_mut().stop_clock(7.1);
        let (_, id) = recorded(window.state_mut(), 1, &of_range("6e9"));
        let stats = looked_at(&meta, &[5; 10_000], Some(lacked)).unwrap();
        tell(window.state_mut(), id, Side::Receiver, 7.0, stats);
        window.run();
        window.get_by_label(line);
        window.get_by_label_contains(whole);
        window.get_by_label(line).hover();
        window.run();
        window.run();
        assert!(window.query_all_by_label_contains(whole).count() >= 2, "{whole}");
    }
}
