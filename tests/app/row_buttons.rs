//! A click counts for the button that was pressed, also where the transfer goes on before the release, and another button
//! stands there then.

use arraylift::internals::app::{Phase, RowKey};
use arraylift::{EventKind, Side, State, TransferId};
use eframe::egui::{Event, Modifiers, PointerButton, Pos2};
use egui_kittest::kittest::Queryable as _;

use super::{Role, Window, of_range, recorded, tell, window};

#[test]
fn cancel_cancels_where_pause_has_taken_its_place() {
    let mut window = window();
    let (key, id) = listening(&mut window);
    let at = window.get_by_label("Cancel range 0 … 3e5").rect().center();
    press(&mut window, at);
    begin(&mut window, id);
    window.get_by_label("Pause range 0 … 3e5");
    release(&mut window, at);
    assert_was_cancelled(&mut window, key);
}

#[test]
fn cancel_of_an_open_menu_cancels_where_pause_has_taken_its_place() {
    let mut window = window();
    let (key, id) = listening(&mut window);
    window.get_by_label_contains("range 0 … 3e5, f64").click_secondary();
    window.run();
    let at = window.get_by_role_and_label(Role::MenuItem, "Cancel").rect().center();
    press(&mut window, at);
    begin(&mut window, id);
    window.get_by_role_and_label(Role::MenuItem, "Pause");
    release(&mut window, at);
    assert_was_cancelled(&mut window, key);
}

/// A row that waits for its sender, so that it cannot be paused: Cancel is the first of its buttons.
fn listening(window: &mut Window) -> (RowKey, TransferId) {
    let (key, id) = recorded(window.state_mut(), 1, &of_range("300,000"));
    move_on(window, id, State::Listening);
    window.run();
    assert!(window.query_by_label("Pause range 0 … 3e5").is_none());
    (key, id)
}

fn begin(window: &mut Window, id: TransferId) {
    move_on(window, id, State::Transferring);
    window.step();
}

fn move_on(window: &mut Window, id: TransferId, state: State) {
    for side in [Side::Sender, Side::Receiver] {
        tell(window.state_mut(), id, side, 7.0, EventKind::State { state });
    }
}

fn press(window: &mut Window, at: Pos2) {
    window.event(Event::PointerMoved(at));
    button(window, at, true);
}

fn release(window: &mut Window, at: Pos2) {
    button(window, at, false);
    window.run();
}

fn button(window: &mut Window, pos: Pos2, pressed: bool) {
    window.event(Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    });
    window.step();
}

/// It has run for a while, so that it is asked for first.
fn assert_was_cancelled(window: &mut Window, key: RowKey) {
    window.get_by_label("Cancel it").click();
    window.run();
    let row = window.state().transfers().row(key).unwrap();
    assert_eq!(row.phase, Phase::Cancelled);
}
