//! The frame of the window by keyboard and by the names that a screen reader says: rail, list, menu, filter, form, first
//! steps, command palette, settings and help.

use arraylift::State;
use std::time::Duration;

use arraylift::internals::app::{EndpointKind, Form, Period, Phase, RowKey, Scale, SecondPlot, ThemeChoice};
use eframe::egui::{Key, Modifiers, OutputCommand};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{HEADLINE, Window, choose_theme, phase, recorded, several, sized, type_into, until, window};

#[test]
fn enter_on_the_first_page_moves_400_mb_and_shows_them() {
    let mut window = window();
    window.get_by_label(HEADLINE);
    assert!(window.query_by_label("Close New transfer").is_none(), "no form");
    assert!(window.query_by_label("Filter").is_none(), "and no list");
    // What is typed in the form is left alone.
    window.state_mut().settings_mut().form.to = "7".to_owned();
    window.run();
    window.key_press(Key::Enter);
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
    });
    window.step();
    window.get_by_label_contains("range 0 … 5e7, f64 50,000,000 · 400 MB · into memory, this machine");
    window.get_by_label_contains("Nothing runs, 400 MB moved");
    assert!(window.query_by_label(HEADLINE).is_none());
    assert_eq!(window.state().settings().form.to, "7");
}

#[test]
fn each_of_the_first_steps_is_a_button_and_has_a_key() {
    let mut window = window();
    window.get_by_label("Start: Try this machine: 400 MB");
    window.get_by_label("Receive: Receive here").click();
    window.run();
    assert_eq!(window.state().settings().form.endpoint, EndpointKind::ReceiveAt);
    window.get_by_label("Listen");
    window.get_by_label_contains("Ready to receive");
    window.key_press_modifiers(Modifiers::CTRL, Key::B);
    window.run();
    window.get_by_label("Choose: Send files or folders").click();
    window.run();
    assert_eq!(window.state().settings().form.endpoint, EndpointKind::SendTo);
    window.get_by_label("Path");
    window.key_press_modifiers(Modifiers::CTRL, Key::B);
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::L);
    window.run();
    window.get_by_label("Address to listen on");
}

#[test]
fn new_opens_over_the_list_and_the_transfer_stays_in_sight() {
    let mut window = window();
    several(window.state_mut());
    window.run();
    let list = window.get_by_label("New transfer").rect();
    let plot = window.get_by_label_contains("Rates over time").rect();
    window.get_by_label("New transfer").click();
    window.run();
    assert!(window.get_by_label("From").is_focused());
    let form = window.get_by_label("Start").rect();
    assert!(
        form.left() < list.left() && (form.right() - list.right()).abs() < 1.0,
        "as wide as the list"
    );
    assert!(window.query_by_label("Filter").is_none());
    assert_eq!(window.get_by_label_contains("Rates over time").rect(), plot);
    window.get_by_label("Close New transfer").click();
    window.run();
    window.get_by_label("Filter");
}

#[test]
fn the_rail_is_one_tab_stop_and_the_arrows_walk_it() {
    let mut window = window();
    window.key_press(Key::Tab);
    window.run();
    assert_eq!(focused(&window), "Transfers");
    for (key, expected) in [
        (Key::ArrowUp, "Transfers"),
        (Key::ArrowDown, "Compare routes"),
        (Key::ArrowDown, "Round trips"),
        (Key::ArrowDown, "History"),
        (Key::ArrowDown, "Settings"),
        (Key::ArrowDown, "Help"),
        (Key::ArrowDown, "Help"),
        (Key::ArrowUp, "Settings"),
    ] {
        window.key_press(key);
        window.run();
        assert_eq!(focused(&window), expected);
        window.get_by_label(HEADLINE);
    }
    window.key_press(Key::Enter);
    window.run();
    window.get_by_label("Theme: Dark");
    window.key_press(Key::Tab);
    window.run();
    assert!(focused(&window).starts_with("Theme: "), "{}", focused(&window));
    for (key, shown) in [
        (Key::Num2, "Nothing was compared yet"),
        (Key::Num1, HEADLINE),
        (Key::Comma, "Theme: Dark"),
    ] {
        window.key_press_modifiers(Modifiers::CTRL, key);
        window.run();
        window.get_by_label(shown);
    }
    window.key_press(Key::F1);
    window.run();
    window.get_by_label("Ctrl K: finds any action by its name");
    window.get_by_label_contains("licence: ");
    window.key_press(Key::Escape);
    window.run();
    window.get_by_label(HEADLINE);
}

#[test]
fn the_list_is_one_tab_stop_and_its_keys_work_from_there() {
    let mut window = window();
    let keys: Vec<RowKey> = (1..=3)
        .map(|id| recorded(window.state_mut(), id, &Form::default()).0)
        .collect();
    window.run();
    let selected = |window: &Window| window.state().transfers().selected().map(|row| row.key);
    for _ in 0..12 {
        window.key_press(Key::Tab);
        window.run();
        if focused(&window).starts_with("range 0 … 5e7, ") {
            break;
        }
    }
    assert!(focused(&window).starts_with("range 0 … 5e7, "), "{}", focused(&window));
    assert_eq!(selected(&window), Some(keys[2]));
    for expected in [keys[1], keys[0], keys[0]] {
        window.key_press(Key::ArrowDown);
        window.run();
        window.run();
        assert_eq!(selected(&window), Some(expected));
        assert!(
            focused(&window).starts_with("range 0 … 5e7, "),
            "the focus goes with the selection"
        );
    }
    // The next stops are the buttons of this row, and none of another one.
    window.key_press(Key::Tab);
    window.run();
    assert_eq!(focused(&window), "Pause range 0 … 5e7");
    window.key_press(Key::Tab);
    window.run();
    assert_eq!(focused(&window), "Cancel range 0 … 5e7");
    window.key_press(Key::Tab);
    window.run();
    assert!(!focused(&window).contains("range 0"), "{}", focused(&window));
}

#[test]
fn the_menu_of_a_row_opens_by_a_click_or_a_key_and_is_walked_by_the_arrows() {
    let mut window = window();
    several(window.state_mut());
    window.run();
    window.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    window.run();
    window.run();
    assert_eq!(focused(&window), "Pause");
    for expected in ["Cancel", "Copy name", "Copy endpoint"] {
        window.key_press(Key::ArrowDown);
        window.run();
        assert_eq!(focused(&window), expected);
    }
    window.key_press(Key::ArrowUp);
    window.run();
    window.key_down(Key::Enter);
    window.step();
    assert_eq!(copied(&window).as_deref(), Some("range 0 … 6e9"));
    window.key_up(Key::Enter);
    window.run();
    assert!(window.query_by_label("Copy name").is_none());
    // Escape closes it and cancels nothing.
    window.key_press(Key::Menu);
    window.run();
    window.get_by_label("Copy name");
    window.key_press(Key::Escape);
    window.run();
    assert!(window.query_by_label("Copy name").is_none());
    assert!(window.query_by_label("Keep running").is_none());
    assert_eq!(phase(window.state()), Some(&Phase::Is(State::Transferring)));

    // It has ended for long enough that nobody means to stop it.
    std::thread::sleep(Duration::from_millis(600));
    window.run();
    window.get_by_label_contains("range 0 … 5e7, ").click_secondary();
    window.run();
    window.get_by_label("Copy sentence");
    window
        .get_by_role_and_label(eframe::egui::Role::MenuItem, "Again")
        .click();
    window.run();
    assert_eq!(window.state().transfers().own_rows().len(), 4);
}

#[test]
fn what_waits_is_moved_in_the_queue_by_its_menu() {
    let mut window = window();
    let keys: Vec<RowKey> = (1..=3)
        .map(|id| {
            let (key, _) = recorded(window.state_mut(), id, &Form::default());
            let row = window.state_mut().transfers_mut().row_mut(key).unwrap();
            row.phase = Phase::Is(State::Queued);
            key
        })
        .collect();
    window.state_mut().transfers_mut().hold(true);
    window.run();
    let waiting = |window: &Window| -> Vec<RowKey> {
        let rows = window.state().transfers().waiting();
        rows.map(|row| row.key).collect()
    };
    assert_eq!(waiting(&window), keys);
    window.state_mut().transfers_mut().select(keys[0]);
    window.run();
    for (entry, expected) in [("Later", [1, 0, 2]), ("Later", [1, 2, 0]), ("Sooner", [1, 0, 2])] {
        window.key_press(Key::Menu);
        window.run();
        window.get_by_label(entry).click();
        window.run();
        assert_eq!(waiting(&window), expected.map(|at| keys[at]), "{entry}");
    }
}

#[test]
fn a_filter_narrows_the_list_and_escape_clears_it() {
    let mut window = window();
    several(window.state_mut());
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::F);
    window.run();
    assert_eq!(focused(&window), "Filter");
    window.get_by_label("Filter").type_text("5e7 machine");
    window.run();
    window.get_by_label("Done: 1");
    assert!(window.query_by_label_contains("range 0 … 6e9, ").is_none());
    window.get_by_label("Filter").type_text(" nowhere");
    window.run();
    window.get_by_label("No transfer has these words.");
    window.key_press(Key::Escape);
    window.run();
    assert_eq!(window.get_all_by_label_contains("range 0 … 6e9, ").count(), 2);
    assert!(window.query_by_label("Keep running").is_none(), "nothing was cancelled");
    assert!(!window.get_by_label("Filter").is_focused());
}

#[test]
fn the_palette_finds_an_action_by_its_name_and_does_it() {
    let mut window = window();
    several(window.state_mut());
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::K);
    window.run();
    window.get_by_label("Command").type_text("theme");
    window.run();
    window.get_by_label("Theme: dark");
    window.key_press(Key::ArrowDown);
    window.run();
    window.key_press(Key::ArrowDown);
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(window.state().settings().theme, ThemeChoice::Light);
    assert!(window.query_by_label("Command").is_none());

    window.key_press_modifiers(Modifiers::CTRL, Key::K);
    window.run();
    window.get_by_label("Command").type_text("no such thing");
    window.run();
    window.get_by_label("No command has these words.");
    window.key_press(Key::Escape);
    window.run();
    assert!(window.query_by_label("Command").is_none());
    assert_eq!(
        phase(window.state()),
        Some(&Phase::Is(State::Transferring)),
        "nothing was cancelled"
    );

    window.key_press_modifiers(Modifiers::CTRL, Key::K);
    window.run();
    window.get_by_label("Command").type_text("pause (range");
    window.run();
    window.get_by_label("Pause (range 0 … 6e9)");
}

#[test]
fn the_palette_changes_settings_and_how_plots_are_looked_at() {
    let mut window = window();
    several(window.state_mut());
    window.run();
    let mut choose = |typed: &str, name: &str| {
        window.key_press_modifiers(Modifiers::CTRL, Key::K);
        window.run();
        window.get_by_label("Command").type_text(typed);
        window.run();
        assert!(window.get_all_by_label(name).count() > 0, "{name}");
        window.key_press(Key::Enter);
        window.run();
        window.state().settings().clone()
    };
    assert_eq!(choose("rate axis log", "Rate axis: log").plot.scale, Scale::Log);
    assert_eq!(choose("period 10", "Period: 10 s").plot.period, Period::TenSeconds);
    let second = choose("second plot none", "Second plot: none").plot.second;
    assert_eq!(second, SecondPlot::Hidden);
    assert!(choose("reduced", "Reduced motion: on").reduced_motion);
    assert!(!choose("reduced", "Reduced motion: off").reduced_motion);
    let retries = choose("breaks", "Try again by itself when a connection breaks: off").retries;
    assert!(!retries);
}

#[test]
fn the_palette_closes_a_menu_and_has_the_keys() {
    let mut window = window();
    several(window.state_mut());
    window.run();
    window.key_press(Key::Menu);
    window.run();
    window.get_by_label("Copy name");
    window.key_press_modifiers(Modifiers::CTRL, Key::K);
    window.run();
    assert!(window.query_by_label("Copy name").is_none());
    window.get_by_label("Command");
    // What is typed finds it.
    let found = window.get_by_role_and_label(eframe::egui::Role::ListBoxOption, "New transfer");
    assert!(found.is_focused());
}

#[test]
fn the_menu_of_a_row_opens_where_the_form_lies_over_the_list_too() {
    let mut window = window();
    several(window.state_mut());
    window.state_mut().settings_mut().form_open = true;
    window.run();
    window.key_press(Key::Menu);
    window.run();
    window.get_by_label("Copy name");
}

#[test]
fn the_focus_walks_past_the_edge_of_the_list_and_a_group_is_shown_with_its_heading() {
    let mut window = window();
    for id in 1..=30 {
        recorded(window.state_mut(), id, &Form::default());
    }
    window.run();
    let selected = |window: &Window| window.state().transfers().selected().map(|row| row.key);
    let first = selected(&window);
    for _ in 0..12 {
        window.key_press(Key::Tab);
        window.run();
        if focused(&window).starts_with("range 0 … 5e7, ") {
            break;
        }
    }
    for key in std::iter::repeat_n(Key::ArrowDown, 29).chain(std::iter::repeat_n(Key::ArrowUp, 29)) {
        let before = selected(&window);
        window.key_press(key);
        window.run();
        assert_ne!(selected(&window), before);
        assert!(focused(&window).starts_with("range 0 … 5e7, "), "{}", focused(&window));
    }
    assert_eq!(selected(&window), first);
    window.run();
    let heading = window.get_by_label("Running: 30").rect();
    assert!(
        heading.top() >= window.get_by_label("Filter").rect().bottom(),
        "{heading:?}"
    );
}

#[test]
fn nothing_is_remembered_of_rows_that_were_drawn() {
    let mut window = window();
    let remembered = |window: &Window| window.ctx.data(eframe::egui::util::IdTypeMap::len);
    let round = |window: &mut Window, ids: std::ops::Range<u64>| {
        for id in ids {
            let (key, _) = recorded(window.state_mut(), id, &Form::default());
            window.run();
            window.state_mut().transfers_mut().remove(key);
        }
        window.run();
        remembered(window)
    };
    let before = round(&mut window, 0..3);
    assert!(round(&mut window, 3..20) <= before + 1);
}

#[test]
fn the_settings_take_effect_at_once() {
    let mut window = window();
    choose_theme(&mut window, ThemeChoice::Light);
    window.key_press_modifiers(Modifiers::CTRL, Key::Comma);
    window.run();
    window.get_by_label("Transfers at once: 2").click();
    window.run();
    window.get_by_label("Reduced motion").click();
    window.run();
    let settings = window.state().settings();
    assert_eq!((settings.at_once, settings.reduced_motion), (Some(2), true));
    several(window.state_mut());
    for (choice, rate) in [
        ("GiB/s", "5.57 GiB/s"),
        ("Gbit/s", "47.9 Gbit/s"),
        ("GB/s", "5.98 GB/s"),
    ] {
        window.state_mut().stop_clock(7.0);
        window.key_press_modifiers(Modifiers::CTRL, Key::Comma);
        window.run();
        window.get_by_label(&format!("Rates: {choice}")).click();
        window.run();
        window.key_press_modifiers(Modifiers::CTRL, Key::Num1);
        window.run();
        // Of all, of the row, and of the plot.
        window.get_by_label_contains(&format!("All transfers: {rate}"));
        let of_rows = window.get_all_by_label_contains("range 0 … 6e9, f64");
        assert!(
            of_rows
                .filter(|row| row.accesskit_node().label().unwrap_or_default().contains(rate))
                .count()
                == 1
        );
        let plot = window.get_by_label_contains("Rates over time");
        let said = plot.accesskit_node().label().unwrap_or_default();
        assert!(said.contains(choice), "{said}");
    }
}

#[test]
fn nothing_is_cut_off_by_the_edge_of_any_window() {
    for (width, height) in [(1280.0, 800.0), (1100.0, 700.0), (900.0, 600.0), (640.0, 420.0)] {
        let mut window = sized(width, height);
        let labels = [
            "Start: Try this machine: 400 MB",
            "Receive: Receive here",
            "Settings",
            "Help",
        ];
        for label in labels {
            let rect = window.get_by_label(label).rect();
            let is_inside = rect.left() >= 0.0 && rect.right() <= width && rect.bottom() <= height - 2.0;
            assert!(is_inside, "{label} at {rect:?} of {width} x {height}");
        }
        several(window.state_mut());
        window.run();
        let rect = window.get_by_label("New transfer").rect();
        assert!(rect.right() <= width, "New transfer at {rect:?} of {width} x {height}");
    }
}

#[test]
fn escape_leaves_a_field_of_the_form_and_cancels_nothing() {
    let mut window = window();
    recorded(window.state_mut(), 1, &Form::default());
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::N);
    window.run();
    type_into(&mut window, "Step", "3");
    window.key_press(Key::Escape);
    window.run();
    assert!(!window.get_by_label("Step").is_focused());
    window.get_by_label("Start");
    assert_eq!(phase(window.state()), Some(&Phase::Is(State::Transferring)));
}

fn focused(window: &Window) -> String {
    let node = window.query_by(|node| node.is_focused() && !node.is_hidden());
    node.and_then(|node| node.accesskit_node().label()).unwrap_or_default()
}

/// What was put on the clipboard in the last frame.
pub(super) fn copied(window: &Window) -> Option<String> {
    let commands = window.output().platform_output.commands.iter();
    commands
        .filter_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
        .next_back()
}
