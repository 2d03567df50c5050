//! What ends while the window is not in front is told to a desktop, over a real bus.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arraylift::internals::app::{EndpointKind, Phase};
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use zbus::blocking::{Connection, connection};
use zbus::zvariant::OwnedValue;

use super::bus::Bus;
use super::{Window, phase, until, until_shown, window};

/// What it was asked to show: the number of the one that is replaced, the summary and the body.
type Shown = Arc<Mutex<Vec<(u32, String, String)>>>;

/// A desktop that shows notifications.
struct Desktop(Shown);

#[expect(clippy::unused_self, clippy::needless_pass_by_value, reason = "so it is called")]
#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Desktop {
    #[zbus(name = "GetCapabilities")]
    fn capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "body-markup".to_owned()]
    }

    #[expect(clippy::too_many_arguments, reason = "as in the specification")]
    #[zbus(name = "Notify")]
    fn notify(
        &self,
        app: &str,
        replaces: u32,
        icon: &str,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        timeout_ms: i32,
    ) -> u32 {
        assert_eq!(
            (app, icon, actions.len(), timeout_ms),
            ("Arraylift", "arraylift", 0, -1)
        );
        assert!(hints.contains_key("desktop-entry"));
        self.0.lock().unwrap().push((replaces, summary, body));
        7
    }
}

/// It is there until this goes.
fn desktop(bus: &Bus, shown: &Shown) -> Connection {
    connection::Builder::address(bus.address.as_str())
        .unwrap()
        .serve_at("/org/freedesktop/Notifications", Desktop(Arc::clone(shown)))
        .unwrap()
        .name("org.freedesktop.Notifications")
        .unwrap()
        .build()
        .unwrap()
}

fn moves_once(window: &mut Window) {
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.step();
    until(window, "done", |app| {
        app.transfers().running() == 0 && matches!(phase(app), Some(Phase::Done { .. } | Phase::Failed { .. }))
    });
}

fn until_told(window: &mut Window, shown: &Shown, count: usize) -> Vec<(u32, String, String)> {
    for _ in 0..1000 {
        window.step();
        let told = shown.lock().unwrap().clone();
        if told.len() >= count {
            return told;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("never told {count}: {:?}", shown.lock().unwrap());
}

#[test]
fn what_ends_while_the_window_is_not_in_front_is_told_once_and_in_one_place() {
    let Some(bus) = Bus::start() else { return };
    let shown = Shown::default();
    let _desktop = desktop(&bus, &shown);
    let mut window = window();
    window.state_mut().tell_desktop_at(bus.address.clone());
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    moves_once(&mut window);
    window.input_mut().focused = false;
    moves_once(&mut window);
    let told = until_told(&mut window, &shown, 1);
    let [(replaces, summary, body)] = &told[..] else {
        panic!("what ended in front is known: {told:?}")
    };
    assert_eq!((*replaces, summary.as_str()), (0, "range 0 … 1000: done"));
    assert!(
        body.starts_with("8.00 kB at ") && body.ends_with(", verified"),
        "{body}"
    );

    // The next one takes its place.
    moves_once(&mut window);
    let told = until_told(&mut window, &shown, 2);
    assert_eq!((told[1].0, told[1].1.as_str()), (7, "Transfers: 2 done"));

    // Seen, and then begun anew; not told where nobody wants it.
    window.input_mut().focused = true;
    window.step();
    window.input_mut().focused = false;
    window.state_mut().settings_mut().notifies = false;
    moves_once(&mut window);
    window.state_mut().settings_mut().notifies = true;
    moves_once(&mut window);
    let told = until_told(&mut window, &shown, 3);
    assert_eq!((told[2].0, told[2].1.as_str()), (0, "range 0 … 1000: done"));
}

#[test]
fn where_the_desktop_shows_none_the_settings_say_why() {
    let mut window = window();
    window.state_mut().tell_desktop_at("unix:path=/no/such/bus".to_owned());
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    window.input_mut().focused = false;
    moves_once(&mut window);
    window.input_mut().focused = true;
    window.key_press_modifiers(Modifiers::CTRL, Key::Comma);
    until_shown(&mut window, "The desktop shows no notifications: ");
    window.get_by_label("Tell the desktop when something ends").click();
    window.run();
    assert!(!window.state().settings().notifies);
    assert!(window.query_by_label_contains("shows no notifications").is_none());
}

#[test]
fn a_receiver_that_cannot_listen_a_comparison_and_round_trips_are_told_too() {
    let Some(bus) = Bus::start() else { return };
    let shown = Shown::default();
    let _desktop = desktop(&bus, &shown);
    let mut window = window();
    window.state_mut().tell_desktop_at(bus.address.clone());
    window.input_mut().focused = false;
    window.run();
    // Somebody else listens there.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let form = &mut window.state_mut().settings_mut().form;
    form.endpoint = EndpointKind::ReceiveAt;
    form.receive_at = taken.local_addr().unwrap().to_string();
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    let told = until_told(&mut window, &shown, 1);
    assert!(told[0].1.ends_with(": failed"), "{told:?}");
    assert!(told[0].2.contains("in use"), "{told:?}");

    // Nobody answers: whoever is asked is gone.
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    window.state_mut().round_trips_page_mut().endpoint = address;
    window.get_by_label("Round trips").click();
    window.run();
    window.get_by_label("Measure").click();
    let told = until_told(&mut window, &shown, 2);
    assert_eq!(told[1].1, "Arraylift: 2 failed");
    assert!(told[1].2.starts_with("Last of all Round trips: failed, "), "{told:?}");

    let form = &mut window.state_mut().settings_mut().form;
    (form.endpoint, form.to) = (EndpointKind::ThisMachine, "1000".to_owned());
    window.state_mut().compare_with("/no/such/program".into());
    window.key_press_modifiers(Modifiers::CTRL, Key::R);
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    let told = until_told(&mut window, &shown, 3);
    assert_eq!(told[2].1, "Arraylift: 3 failed");
    assert!(told[2].2.starts_with("Last of all Comparison: failed, "), "{told:?}");
}
