//! In a window that is not wide the list is a strip of chips: what can be done with them, and with the list that hangs
//! below them.

use arraylift::State;
use arraylift::internals::app::{Form, Phase};
use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable as _;

use super::{Window, phase, recorded, several, sized};

fn small() -> Window {
    let mut window = sized(900.0, 600.0);
    several(window.state_mut());
    window.run();
    window
}

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.run();
    window.run();
}

#[test]
fn a_row_of_the_list_below_the_strip_has_its_menu_and_the_list_stays() {
    let mut window = small();
    window.get_by_label("List: 1 done").click();
    window.run();
    window.get_by_label_contains("range 0 … 5e7, f64").click_secondary();
    window.run();
    window.get_by_label("Copy name");
    window.get_by_label("Done: 1");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Copy name").is_none());
    window.get_by_label("Done: 1");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Done: 1").is_none());
    assert!(window.query_by_label("Keep running").is_none(), "nothing was cancelled");
}

#[test]
fn what_opens_the_list_below_the_strip_closes_it_and_so_does_a_click_elsewhere() {
    let mut window = small();
    for opener in ["List: 1 done", "List: 1 done"] {
        window.get_by_label(opener).click();
        window.run();
        window.get_by_label("Done: 1");
        window.get_by_label(opener).click();
        window.run();
        assert!(window.query_by_label("Done: 1").is_none());
    }
    window.get_by_label_contains("All transfers: ").click();
    window.run();
    window.get_by_label("Done: 1");
    window.get_by_label("History").click();
    window.run();
    assert!(window.query_by_label("Done: 1").is_none());
}

#[test]
fn a_chip_has_the_menu_of_its_transfer_by_the_pointer_and_by_a_key() {
    let mut window = small();
    press(&mut window, Modifiers::SHIFT, Key::F10);
    window.get_by_label("Copy name");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Copy name").is_none());
    assert_eq!(phase(window.state()), Some(&Phase::Is(State::Transferring)));
    let chip = window.get_all_by_label_contains("range 0 … 6e9, ").next().unwrap();
    chip.click_secondary();
    window.run();
    window.get_by_label("Copy endpoint");
}

#[test]
fn the_filter_is_gone_to_where_the_list_is_a_strip_and_narrows_the_list_alone() {
    let mut window = small();
    let chips = window.get_all_by_label_contains("range 0 … 6e9, ").count();
    press(&mut window, Modifiers::CTRL, Key::F);
    assert!(window.get_by_label("Filter").is_focused());
    window.get_by_label("Filter").type_text("5e7");
    window.run();
    window.get_by_label("Done: 1");
    assert!(window.query_by_label_contains("Running: ").is_none());
    assert_eq!(window.get_all_by_label_contains("range 0 … 6e9, ").count(), chips);
    for is_open in [true, false] {
        press(&mut window, Modifiers::NONE, Key::Escape);
        assert_eq!(window.query_by_label("Filter").is_some(), is_open);
    }
}

#[test]
fn the_filter_takes_no_focus_where_there_is_no_list() {
    let mut window = sized(900.0, 600.0);
    press(&mut window, Modifiers::CTRL, Key::F);
    assert!(
        window
            .query_by(|node| node.is_focused() && node.role() == Role::TextInput)
            .is_none()
    );
    // So the keys of the page are still its own.
    recorded(window.state_mut(), 1, &Form::default());
    window.run();
    press(&mut window, Modifiers::SHIFT, Key::F10);
    window.get_by_label("Copy name");
}
