//! What a screen reader says of the form, and how the Tab key and the arrows walk it.

use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{Form, Window, recorded, several, window, with_form};

#[test]
fn every_entry_says_its_value() {
    let mut window = with_form();
    window.get_by_label_contains("Advanced: ").click();
    window.run();
    for (label, value) in [
        ("From", "0"),
        ("To (not included)", "50,000,000"),
        ("Step", "1"),
        ("Type: f64", "f64"),
        ("Timeout", "30 s"),
        ("Wire: auto", "auto"),
    ] {
        let node = window.get_by_label(label);
        assert_eq!(node.accesskit_node().value().as_deref(), Some(value), "{label}");
    }
}

#[test]
fn of_tabs_rows_and_options_one_is_said_to_be_selected_and_none_to_be_checked() {
    let mut window = window();
    several(window.state_mut());
    window.key_press_modifiers(Modifiers::CTRL, Key::K);
    // The palette is drawn from the frame after.
    window.run_steps(3);
    for role in [Role::Tab, Role::ListItem, Role::ListBoxOption] {
        let nodes: Vec<_> = window.query_all_by_role(role).collect();
        let is_selected = |node: &&egui_kittest::Node<'_>| node.accesskit_node().is_selected() == Some(true);
        assert!(nodes.len() > 1, "{role:?}");
        assert_eq!(nodes.iter().filter(is_selected).count(), 1, "{role:?}");
        let checked = nodes.iter().filter(|node| node.accesskit_node().toggled().is_some());
        assert_eq!(checked.count(), 0, "{role:?}");
    }
}

#[test]
fn the_option_that_the_arrows_walk_to_is_read_aloud_while_the_field_keeps_what_is_typed() {
    let mut window = window();
    window.key_press_modifiers(Modifiers::CTRL, Key::K);
    window.run_steps(3);
    let read = |window: &Window| {
        let options = window.query_all_by_role(Role::ListBoxOption);
        let mut read = options.filter(|node| node.accesskit_node().is_focused());
        let only = read
            .next()
            .map(|node| node.accesskit_node().label().unwrap_or_default());
        assert!(read.next().is_none(), "two at once");
        only
    };
    assert_eq!(read(&window).as_deref(), Some("New transfer"));
    window.key_press(Key::ArrowDown);
    window.run_steps(3);
    assert_eq!(read(&window).as_deref(), Some("Start what the form says"));
    window.event(eframe::egui::Event::Text("help".to_owned()));
    window.run_steps(3);
    assert_eq!(read(&window).as_deref(), Some("Show help"));
}

#[test]
fn a_dialog_is_called_by_what_it_asks() {
    let called = |window: &Window| {
        let dialog = window.get_by_role(Role::Dialog);
        dialog.accesskit_node().label().unwrap_or_default()
    };
    let mut window = window();
    window.state_mut().stop_clock(7.1);
    recorded(window.state_mut(), 1, &Form::default());
    window.run();
    window.key_press(Key::Delete);
    window.run();
    assert_eq!(called(&window), "Cancel range 0 … 5e7?");
    window.key_press(Key::Escape);
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::K);
    window.run();
    assert_eq!(called(&window), "Type a command");
}

#[test]
fn segments_are_one_tab_stop_and_the_arrows_choose() {
    let mut window = with_form();
    window.get_by_label("Into: Memory").focus();
    window.run();
    let chosen = |window: &Window| -> Vec<String> {
        let all = ["Memory", "File", "Discard"].map(|name| format!("Into: {name}"));
        all.into_iter().filter(|name| is_toggled(window, name)).collect()
    };
    for (key, expected) in [
        (Key::ArrowLeft, "Into: Memory"),
        (Key::ArrowRight, "Into: File"),
        (Key::ArrowRight, "Into: Discard"),
        (Key::ArrowRight, "Into: Discard"),
        (Key::ArrowLeft, "Into: File"),
    ] {
        window.key_press(key);
        window.run();
        assert_eq!(chosen(&window), [expected]);
        assert_eq!(focused(&window), expected, "the focus goes with the choice");
    }
    window.key_press(Key::Tab);
    window.run();
    assert!(!focused(&window).starts_with("Into: "), "{}", focused(&window));
    window.key_press_modifiers(Modifiers::SHIFT, Key::Tab);
    window.run();
    assert_eq!(focused(&window), "Into: File", "back to the one that is chosen");
    window.key_press_modifiers(Modifiers::SHIFT, Key::Tab);
    window.run();
    assert!(!focused(&window).starts_with("Into: "), "{}", focused(&window));
}

fn is_toggled(window: &Window, name: &str) -> bool {
    let node = window.get_by_label(name);
    let node = node.accesskit_node();
    node.is_selected() == Some(true) || node.toggled().is_some_and(|toggled| format!("{toggled:?}") == "True")
}

fn focused(window: &Window) -> String {
    let node = window.get_by(|node| node.is_focused() && !node.is_hidden());
    node.accesskit_node().label().unwrap_or_default()
}
