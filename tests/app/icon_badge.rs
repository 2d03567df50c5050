//! What a dock or a taskbar is told to draw on the icon of the window, over a real bus.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arraylift::internals::app::Phase;
use eframe::egui::{Key, Modifiers};
use zbus::blocking::{MessageIterator, connection};
use zbus::zvariant::OwnedValue;
use zbus::{MatchRule, message::Type};

use super::bus::Bus;
use super::{Window, phase, until, window};

/// A signal: when it came, who sent it, which icon it is about and what it says.
type Told = (Instant, String, String, HashMap<String, OwnedValue>);

/// A dock that draws whatever anybody tells it, as KDE's does: it asks for no name and no path.
struct Dock(Arc<Mutex<Vec<Told>>>);

impl Dock {
    fn start(bus: &Bus) -> Self {
        let connection = connection::Builder::address(bus.address.as_str())
            .unwrap()
            .build()
            .unwrap();
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .interface("com.canonical.Unity.LauncherEntry")
            .unwrap()
            .member("Update")
            .unwrap()
            .build();
        let signals = MessageIterator::for_match_rule(rule, &connection, Some(1000)).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        std::thread::Builder::new()
            .name("dock".to_owned())
            .spawn(move || {
                for signal in signals {
                    // The bus ends with the test.
                    let Ok(signal) = signal else { return };
                    let sender = signal.header().sender().unwrap().to_string();
                    let (icon, properties) = signal.body().deserialize().unwrap();
                    heard.lock().unwrap().push((Instant::now(), sender, icon, properties));
                }
            })
            .unwrap();
        Self(told)
    }

    fn told(&self) -> Vec<Told> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until no badge is drawn any more.
    fn until_cleared(&self, window: &mut Window) -> Vec<Told> {
        for _ in 0..500 {
            window.step();
            let told = self.told();
            if told
                .last()
                .is_some_and(|(.., properties)| !is(properties, "progress-visible") && !is(properties, "count-visible"))
            {
                return told;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("still drawn: {:?}", self.told());
    }
}

fn is(properties: &HashMap<String, OwnedValue>, name: &str) -> bool {
    bool::try_from(properties[name].clone()).unwrap()
}

fn share(properties: &HashMap<String, OwnedValue>) -> f64 {
    f64::try_from(properties["progress"].clone()).unwrap()
}

fn is_done(app: &arraylift::internals::app::App) -> bool {
    matches!(phase(app), Some(Phase::Done { .. } | Phase::Failed { .. })) && app.transfers().running() == 0
}

#[test]
fn how_far_it_is_is_drawn_on_the_icon_while_it_runs_and_not_afterwards() {
    let Some(bus) = Bus::start() else { return };
    let dock = Dock::start(&bus);
    let mut window = window();
    window.state_mut().tell_desktop_at(bus.address.clone());
    // Four seconds of it.
    let form = &mut window.state_mut().settings_mut().form;
    (form.to, form.limit) = ("2,000,000".to_owned(), "4 MB/s".to_owned());
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.step();
    until(&mut window, "done", is_done);
    let told = dock.until_cleared(&mut window);
    let (last, running) = told.split_last().unwrap();
    assert!((3..=8).contains(&running.len()), "{told:?}");
    assert!(share(&last.3) < 1e-9);
    let mut before = 0.0;
    for (_, sender, icon, properties) in running {
        assert_eq!((sender, icon.as_str()), (&last.1, "application://arraylift.desktop"));
        assert!(
            is(properties, "progress-visible") && is(properties, "count-visible"),
            "{properties:?}"
        );
        assert_eq!(i64::try_from(properties["count"].clone()).unwrap(), 1);
        assert!(
            (before..=1.0).contains(&share(properties)) && share(properties) > 0.0,
            "{told:?}"
        );
        before = share(properties);
    }
    let apart = running.windows(2).map(|two| two[1].0 - two[0].0).min().unwrap();
    assert!(apart >= Duration::from_millis(400), "at most twice a second: {apart:?}");
}

#[test]
fn what_is_over_at_once_is_not_drawn_and_a_paused_one_is_told_once() {
    let Some(bus) = Bus::start() else { return };
    let dock = Dock::start(&bus);
    let mut window = window();
    window.state_mut().tell_desktop_at(bus.address.clone());
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.step();
    until(&mut window, "done", is_done);
    let form = &mut window.state_mut().settings_mut().form;
    (form.to, form.limit) = ("1,000,000".to_owned(), "4 MB/s".to_owned());
    window.step();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.step();
    until(&mut window, "moving", |app| super::moved(app) > 0);
    window.key_press(Key::Space);
    until(&mut window, "paused", |app| {
        phase(app) == Some(&Phase::Is(arraylift::State::Paused))
    });
    let paused = Instant::now();
    while paused.elapsed() < Duration::from_secs(3) {
        window.step();
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(dock.told().len(), 1, "nothing changes: {:?}", dock.told());
    window.key_press(Key::Space);
    until(&mut window, "done", is_done);
    let told = dock.until_cleared(&mut window);
    assert!(told.len() <= 7, "{told:?}");
}
