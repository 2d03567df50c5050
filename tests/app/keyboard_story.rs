//! A whole day with the keyboard alone: nothing here is clicked, and nothing is set that a key could set.

use std::net::TcpListener;

use arraylift::State;
use arraylift::internals::app::{App, Phase};
use eframe::egui::{Event, Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::keyboard::{Stop, focused};
use super::{Window, sized, until, until_shown};

/// More stops than any page has.
const STOPS_MAX: usize = 150;

/// A person at the keyboard of a window.
struct Person {
    window: Window,
}

impl Person {
    fn press(&mut self, key: Key) {
        self.press_with(Modifiers::NONE, key);
    }

    fn press_with(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        // What a key asks for shows in the next frame.
        self.window.run_steps(3);
    }

    fn type_in(&mut self, text: &str) {
        self.press_with(Modifiers::COMMAND, Key::A);
        self.window.event(Event::Text(text.to_owned()));
        self.window.run_steps(3);
    }

    fn focused(&self) -> Option<Stop> {
        focused(&self.window)
    }

    fn name(&self) -> String {
        self.focused().map(|stop| stop.name).unwrap_or_default()
    }

    /// Goes on by the Tab key until the focus is where it is wanted.
    fn go_to(&mut self, what: &str, is_there: impl Fn(&Stop) -> bool) {
        let mut passed = Vec::new();
        for _ in 0..STOPS_MAX {
            if self.focused().is_some_and(|stop| is_there(&stop)) {
                return;
            }
            self.press(Key::Tab);
            passed.push(self.name());
        }
        panic!("the Tab key does not lead to {what}: {passed:#?}");
    }

    /// The same to what has this name.
    fn tab_to(&mut self, name: &str) {
        self.go_to(name, |stop| stop.name == name);
    }

    /// The same to what has a name with this in it.
    fn tab_to_part(&mut self, part: &str) {
        self.go_to(part, |stop| stop.name.contains(part));
    }

    /// Goes there and presses it.
    fn choose(&mut self, name: &str) {
        self.tab_to(name);
        self.press(Key::Enter);
    }

    fn until(&mut self, what: &str, reached: impl Fn(&App) -> bool) {
        until(&mut self.window, what, reached);
        self.window.step();
    }

    fn until_shown(&mut self, text: &str) {
        until_shown(&mut self.window, text);
    }

    fn phase(&self) -> Option<Phase> {
        self.window.state().transfers().selected().map(|row| row.phase.clone())
    }

    fn shows(&self, text: &str) -> bool {
        self.window.query_all_by_label_contains(text).next().is_some()
    }
}

fn at_the_first_page() -> Person {
    Person {
        window: sized(1280.0, 800.0),
    }
}

fn is_done(app: &App) -> bool {
    let selected = app.transfers().selected();
    selected.is_some_and(|row| row.phase == Phase::Done { verified: Some(true) })
}

#[test]
fn a_transfer_is_started_steered_and_given_up_by_the_keyboard_alone() {
    let mut person = at_the_first_page();
    person.choose("Start: Try this machine: 400 MB");
    person.until("done", is_done);
    assert!(person.shows("Rates over time: "));

    // Another one, field by field, with a limit so that there is time to steer it.
    person.press_with(Modifiers::CTRL, Key::N);
    assert_eq!(person.name(), "From");
    person.tab_to("To (not included)");
    person.type_in("40,000,000");
    person.tab_to("Into: Memory");
    person.press(Key::ArrowRight);
    person.press(Key::ArrowRight);
    assert_eq!(person.name(), "Into: Discard");
    person.tab_to_part("Advanced: ");
    person.press(Key::Enter);
    person.go_to("the limit", |stop| stop.name == "Limit" && stop.role == Role::TextInput);
    person.type_in("20 MB/s");
    person.choose("Start");
    let runs = |app: &App| super::moved(app) > 0 && app.transfers().own_rows().len() == 2;
    person.until("moving", runs);

    person.choose("Pause");
    let is = |state: State| move |app: &App| super::phase(app) == Some(&Phase::Is(state));
    person.until("paused", is(State::Paused));
    assert_eq!(person.name(), "Resume", "the focus stays");
    person.press(Key::Enter);
    person.until("moving again", is(State::Transferring));
    person.choose("Limit");
    person.go_to("the slider", |stop| stop.role == Role::Slider);
    let limit = |person: &Person| {
        let selected = person.window.state().transfers().selected();
        selected.and_then(|row| row.limit_bytes_per_s)
    };
    let before = limit(&person).expect("a limit");
    person.press(Key::ArrowLeft);
    assert!(
        limit(&person).is_some_and(|limit| limit < before),
        "{:?}",
        limit(&person)
    );
    person.press(Key::Escape);
    assert!(!person.shows("Writer's pace"), "the popup is closed");
    assert_eq!(
        person.phase(),
        Some(Phase::Is(State::Transferring)),
        "and nothing is cancelled"
    );

    // The plot: the arrows move an instant, whose values are said.
    person.tab_to_part("Rates over time: ");
    person.press(Key::ArrowRight);
    assert!(person.name().contains("moved until then"), "{}", person.name());
    person.press_with(Modifiers::SHIFT, Key::ArrowLeft);
    person.press_with(Modifiers::SHIFT, Key::ArrowLeft);
    assert!(person.shows(" between, "));
    person.press(Key::Escape);
    assert!(!person.shows(" between, "));

    person.choose("Cancel");
    if person.shows("Keep running") {
        // It has run for a while: the first answer keeps it.
        assert_eq!(person.name(), "Keep running");
        person.choose("Cancel it");
    }
    person.until("cancelled", |app| super::phase(app) == Some(&Phase::Cancelled));

    the_list_is_walked(&mut person);
}

/// Of two transfers that are over, the one of 5e7 numbers before the one of 4e7, which is chosen.
fn the_list_is_walked(person: &mut Person) {
    // The arrows choose, the menu has all that can be asked of a row, and what was removed comes back.
    person.tab_to_part("range 0 … 4e7, ");
    person.press(Key::ArrowDown);
    assert!(person.name().starts_with("range 0 … 5e7, "), "{}", person.name());
    person.press_with(Modifiers::SHIFT, Key::F10);
    assert_eq!(person.focused().map(|stop| stop.role), Some(Role::MenuItem));
    person.press(Key::Escape);
    assert_ne!(person.focused().map(|stop| stop.role), Some(Role::MenuItem));
    std::thread::sleep(std::time::Duration::from_millis(600));
    person.tab_to_part("range 0 … 5e7, ");
    person.press_with(Modifiers::SHIFT, Key::F10);
    while person.name() != "Remove" {
        person.press(Key::ArrowDown);
    }
    person.press(Key::Enter);
    let count = |person: &Person| person.window.state().transfers().own_rows().len();
    assert_eq!(count(person), 1);
    person.press_with(Modifiers::CTRL, Key::Z);
    assert_eq!(count(person), 2);
    person.press_with(Modifiers::CTRL, Key::F);
    assert_eq!(person.name(), "Filter");
    person.type_in("4e7");
    assert!(person.shows("range 0 … 4e7, ") && !person.shows("range 0 … 5e7, f64"));
    person.press(Key::Escape);
    assert!(person.shows("range 0 … 5e7, f64"));
}

#[test]
fn every_page_is_reached_and_used_by_the_keyboard_alone() {
    let mut person = at_the_first_page();
    person
        .window
        .state_mut()
        .compare_with(env!("CARGO_BIN_EXE_arraylift").into());

    // The palette finds a page by its name.
    person.press_with(Modifiers::CTRL, Key::K);
    assert_eq!(person.focused().map(|stop| stop.role), Some(Role::ListBoxOption));
    person.type_in("show settings");
    assert_eq!(person.name(), "Show settings");
    person.press(Key::Enter);
    person.tab_to_part("Theme: ");
    let before = person.name();
    person.press(Key::ArrowRight);
    assert_ne!(person.name(), before);
    person.tab_to("Reduced motion");
    person.press(Key::Space);
    assert!(person.window.state().settings().reduced_motion);
    person.press(Key::Escape);
    person.press(Key::Escape);

    // The rail: the arrows walk it.
    person.tab_to("Transfers");
    for _ in 0..5 {
        person.press(Key::ArrowDown);
    }
    assert_eq!(person.name(), "Help");
    person.press(Key::Enter);
    person.window.set_size([900.0, 500.0].into());
    person.window.run_steps(2);
    let first = |person: &Person| person.window.get_by_label_contains("Ctrl K: ").rect().top();
    let before = first(&person);
    person.press(Key::PageDown);
    assert!(first(&person) < before, "Page Down moves the page");
    person.window.set_size([1280.0, 800.0].into());
    person.window.run_steps(2);

    person.press_with(Modifiers::CTRL, Key::Num2);
    person.tab_to("To (not included)");
    person.type_in("1000");
    person.tab_to_part("Rounds: ");
    while person.name() != "Rounds: 1" {
        person.press(Key::ArrowLeft);
    }
    person.tab_to("Time against size, too");
    person.press(Key::Space);
    person.choose("Compare");
    person.until("comparing", |app| app.compare_page().progress.is_some());
    person.choose("Cancel the comparison");
    person.until("cancelled", |app| app.compare_page().progress.is_none());

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let echo = std::thread::Builder::new().name("echo".to_owned()).spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut back = client.try_clone().unwrap();
        std::io::copy(&mut client, &mut back)
    });
    person.press_with(Modifiers::CTRL, Key::Num3);
    person.go_to("the address", |stop| stop.name == "To" && stop.role == Role::TextInput);
    person.type_in(&address);
    person.choose("Measure");
    person.until_shown("size 64 B,");
    person.choose("Cancel");
    person.tab_to_part("size ");
    let before = person.name();
    person.press(Key::End);
    person.press(Key::Enter);
    assert_ne!(person.name(), before);
    person.tab_to_part("How many round trips of ");
    person.press(Key::ArrowRight);
    assert!(person.name().starts_with("from "), "{}", person.name());

    person.press_with(Modifiers::CTRL, Key::Num1);
    let services = person.window.state_mut().services_mut();
    services.note_command(4711, "serve 127.0.0.1:25000".to_owned());
    services.note_status(4711, arraylift::internals::Status::default());
    person.window.run_steps(2);
    person.choose("Drain process 4711");
    person.tab_to("Stop process 4711");
    drop(person);
    drop(echo.unwrap().join());
}

#[test]
fn a_run_is_found_compared_done_again_and_forgotten_by_the_keyboard_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arraylift/history.db");
    let with_history = || {
        let mut person = at_the_first_page();
        person.window.state_mut().keep_history_at(Some(path.clone()));
        person
    };
    let mut yesterday = with_history();
    for to in ["1,000,000", "2,000,000"] {
        yesterday.press_with(Modifiers::CTRL, Key::N);
        yesterday.tab_to("To (not included)");
        yesterday.type_in(to);
        yesterday.press_with(Modifiers::CTRL, Key::Enter);
        yesterday.until("done", is_done);
    }
    // What ended is there once the window has gone.
    drop(yesterday);

    let mut person = with_history();
    person.press_with(Modifiers::CTRL, Key::Num4);
    person.until_shown("range 0 … 2000000");
    person.tab_to("Search");
    person.type_in("range");
    person.until_shown("range 0 … 1000000");
    person.until_shown("Again");
    person.tab_to_part("range 0 … 2000000");
    person.press(Key::ArrowDown);
    assert!(person.name().starts_with("range 0 … 1000000"), "{}", person.name());
    person.press(Key::Tab);
    assert!(
        person.name().starts_with("Lay over: range 0 … 1000000"),
        "{}",
        person.name()
    );
    person.press(Key::Enter);
    person.until_shown("B has more");
    person.choose("Forget");
    assert_eq!(person.name(), "Keep");
    person.press(Key::Enter);
    person.choose("Forget");
    person.choose("Forget for good");
    for _ in 0..500 {
        person.window.step();
        if !person.shows("range 0 … 2000000") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(!person.shows("range 0 … 2000000"));
    person.until_shown("Again");
    person.choose("Again");
    person.until("done", is_done);
    assert_eq!(person.window.state().settings().form.to, "1,000,000");
}

#[test]
fn the_first_graph_is_one_click_away_and_has_units() {
    let mut window = sized(1280.0, 800.0);
    window.get_by_label("Start: Try this machine: 400 MB").click();
    until(&mut window, "done", is_done);
    window.run();
    let plot = window.get_by_label_contains("Rates over time: ");
    let said = plot.accesskit_node().label().unwrap_or_default();
    assert!(said.contains("B/s") && said.contains("of 400 MB moved"), "{said}");
    assert!(plot.rect().height() >= 160.0, "{:?}", plot.rect());
    window.get_by_label("moved 400 MB");
    window.get_by_label("verified 400 MB");
    // The curve itself: more than the frame and the numbers of the axes.
    let row = window.state().transfers().selected().unwrap();
    let curves = arraylift::internals::app::Curves::of(row, 0.0, row.elapsed_end_s());
    assert!(curves.point_count() > 2, "{}", curves.point_count());
}
