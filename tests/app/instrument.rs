//! The instrument: what it says of a transfer with a pause, limits and ceilings, how it is looked at, and pictures of it.

use arraylift::{EventKind, Side, State, TransferId};
use eframe::egui::{Key, Modifiers, PointerButton, Pos2, Role, pos2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{Window, of_range, recorded, sample, sized, tell};
use arraylift::internals::app::{App, ThemeChoice};

/// A transfer at 5.8 GB/s, then at a limit of 2 GB/s, then paused, then at full speed again; it runs.
pub(super) fn eventful(app: &mut App) -> TransferId {
    let ceilings = serde_json::json!({
        "version": 1, "machine": {"cpu": "", "cores": 2, "memory_bytes": 0, "kernel": ""}, "measured_unix_s": 0,
        "memcpy_bytes_per_s": 13.9e9, "sendfile_bytes_per_s": 6.2e9,
    });
    app.set_ceilings(serde_json::from_value(ceilings).unwrap());
    let (_, id) = recorded(app, 1, &of_range("9e12"));
    let total = 72_000_000_000_000;
    let told = |app: &mut App, t_s: f64, kind: EventKind| {
        for side in [Side::Sender, Side::Receiver] {
            tell(app, id, side, t_s, kind.clone());
        }
    };
    let bytes_per_s = Some(2_000_000_000);
    told(app, 7.0, EventKind::Limit { bytes_per_s });
    // Where what was recorded has come to.
    let mut bytes = 37.1e9;
    let mut move_on = |app: &mut App, from: u32, to: u32, rate: f64| {
        for i in from..=to {
            bytes += rate * 0.05;
            for side in [Side::Sender, Side::Receiver] {
                sample(app, id, side, f64::from(i) * 0.05, bytes, total);
            }
        }
    };
    move_on(app, 141, 200, 2e9);
    told(app, 10.0, EventKind::Limit { bytes_per_s: None });
    move_on(app, 201, 220, 5.6e9);
    told(app, 11.0, EventKind::State { state: State::Paused });
    move_on(app, 221, 260, 0.0);
    let state = State::Transferring;
    told(app, 13.0, EventKind::State { state });
    move_on(app, 261, 300, 5.6e9);
    id
}

fn shown() -> Window {
    let mut window = sized(1280.0, 800.0);
    window.state_mut().stop_clock(15.0);
    eventful(window.state_mut());
    window.run();
    window
}

/// The place at this part of the width of the plot, in its middle.
fn in_plot(window: &Window, part: f32) -> Pos2 {
    let rect = window.get_by_label_contains("Rates over time: ").rect();
    pos2(rect.left() + rect.width() * part, rect.center().y)
}

pub(super) fn click(window: &mut Window, at: Pos2, modifiers: Modifiers) {
    use eframe::egui::Event;
    window.hover_at(at);
    window.event(Event::ModifiersChanged(modifiers));
    for pressed in [true, false] {
        window.event(Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers,
        });
    }
    window.run();
    window.event(Event::ModifiersChanged(Modifiers::NONE));
    window.run();
}

#[test]
fn what_was_changed_is_flagged_and_the_limit_is_named_now_and_all_in_all() {
    let window = shown();
    window.get_by_label_contains("after 7.00 s: limit 2.00 GB/s");
    window.get_by_label_contains("after 10.0 s: limit off");
    window.get_by_label_contains("above the scale: one copy in memory 13.9");
    // The band has columns of spans, and its key the share of each.
    window.get_by_label_contains("The limit over time: receiver ");
    window.get_by_label_contains("receiver, limit ");
    window.get_by_label_contains("copies a byte");
    let node = window.get_by_label_contains("Rates over time: ");
    let said = node.accesskit_node().label().unwrap_or_default();
    assert!(said.contains("mean ") && said.contains(" of 72.0 TB moved"), "{said}");
}

#[test]
fn two_clicks_leave_two_instants_and_say_what_lies_between_them() {
    let mut window = shown();
    let (first, second) = (in_plot(&window, 0.2), in_plot(&window, 0.45));
    click(&mut window, first, Modifiers::NONE);
    assert!(window.query_by_label_contains(" between, ").is_none());
    click(&mut window, second, Modifiers::SHIFT);
    let node = window.get_by_label_contains(" between, ");
    let said = node.accesskit_node().value().unwrap_or_default();
    assert!(
        said.contains("mean ") && said.contains("\u{a0}%") && said.contains(" GB"),
        "{said}"
    );
    click(&mut window, second, Modifiers::NONE);
    assert!(
        window.query_by_label_contains(" between, ").is_none(),
        "a click there takes them away"
    );
}

#[test]
fn the_second_plot_shows_what_was_picked() {
    let mut window = shown();
    assert!(window.query_by_label_contains("CPU, cores over time").is_none());
    window.get_by_label("Second plot").click();
    window.run();
    assert!(window.query_by_label("round trip").is_none(), "it is not measured here");
    window.get_by_label("page faults a second").click();
    window.run();
    window.get_by_label_contains("page faults a second over time: sender ");
    window.get_by_label("Second plot").click();
    window.run();
    window.get_by_label("CPU, cores").click();
    window.run();
    window.get_by_label_contains("CPU, cores over time: sender ");
}

#[test]
fn an_entry_of_the_key_is_picked_and_let_go() {
    let mut window = shown();
    let picked = |window: &Window| {
        let row = window.state().transfers().selected();
        row.and_then(|row| row.picked_limit)
    };
    for is_picked in [true, false] {
        window.get_by_label_contains("receiver, limit ").click();
        window.run();
        assert_eq!(picked(&window).is_some(), is_picked);
    }
}

#[test]
fn the_keys_zoom_while_it_runs_and_one_shows_all() {
    let mut window = shown();
    let zoom = |window: &Window| window.state().transfers().selected().and_then(|row| row.zoom);
    assert_eq!(zoom(&window), None);
    window.key_press(Key::Plus);
    window.run();
    let zoomed = zoom(&window).expect("half of it");
    window.key_press(Key::Plus);
    window.run();
    let closer = zoom(&window).expect("a quarter of it");
    let length_s = |span: arraylift::internals::app::TimeSpan| span.to_s - span.from_s;
    assert!((length_s(zoomed) / length_s(closer) - 2.0).abs() < 1e-6);
    window.key_press(Key::Num0);
    window.run();
    assert_eq!(zoom(&window), None);
}

#[test]
fn zero_and_zooming_out_show_all_whatever_the_period_is() {
    for key in [Key::Num0, Key::Minus] {
        let mut window = shown();
        window.get_by_role_and_label(Role::RadioButton, "Period: 10 s").click();
        window.run();
        for _ in 0..3 {
            window.key_press(key);
            window.run();
        }
        let all = window.get_by_role_and_label(Role::RadioButton, "Period: All");
        let is_picked = all.accesskit_node().toggled();
        assert_eq!(is_picked, Some(eframe::egui::accesskit::Toggled::True), "{key:?}");
    }
}

#[test]
fn ten_hours_with_every_kind_of_mark_are_few_shapes() {
    let mut window = sized(1280.0, 800.0);
    window.run();
    let bare = window.output().shapes.len();
    super::ten_hours_with_marks(window.state_mut());
    window.run();
    window.step();
    let shapes = window.output().shapes.len();
    assert!(shapes < bare + 900, "{shapes} and {bare} without it");
    // However many changes there are, their flags have room beside each other.
    let flags = window.query_all_by_label_contains("after ");
    let flags: Vec<_> = flags
        .filter(|node| node.accesskit_node().role() == Role::Label)
        .map(|node| node.rect())
        .collect();
    assert!((2..40).contains(&flags.len()), "{}", flags.len());
    window
        .get_all_by_label_contains(" more")
        .next()
        .expect("several share a flag");
}

#[test]
fn rounds_are_flagged_a_few_at_a_time_with_their_numbers() {
    let mut window = sized(1280.0, 800.0);
    super::rounds(window.state_mut(), 3000);
    window.run();
    let flags = window.query_all_by_label_contains(": round ");
    let flags: Vec<_> = flags.filter_map(|node| node.accesskit_node().value()).collect();
    assert!((3..=8).contains(&flags.len()), "{flags:?}");
    assert!(
        flags
            .iter()
            .all(|said| said.contains("round ") && said.contains("one in ")),
        "{flags:?}"
    );
    window.get_by_label_contains("median ");
}

#[test]
fn texts_of_the_head_never_cover_each_other() {
    for size in [(900.0, 600.0), (1280.0, 800.0), (1920.0, 1080.0)] {
        for state in 0..5 {
            let mut window = sized(size.0, size.1);
            window.state_mut().stop_clock(15.0);
            in_state(window.state_mut(), state);
            window.run();
            let hero = window.get_all_by_role(Role::Label).map(|node| node.rect());
            let picks = window.get_by_label("Second plot").rect();
            let head: Vec<_> = hero
                .filter(|rect| rect.bottom() < picks.bottom() && rect.top() > picks.top() - 80.0)
                .filter(|rect| rect.left() > picks.left() - 800.0 && rect.width() > 1.0)
                .collect();
            assert!(head.len() >= 5, "{size:?} {state}: {head:?}");
            for (index, one) in head.iter().enumerate() {
                let covered = head[index + 1..]
                    .iter()
                    .find(|other| one.shrink(1.0).intersects(other.shrink(1.0)));
                assert_eq!(covered, None, "{size:?} {state}: {one:?}");
            }
        }
    }
}

/// A transfer that has long texts beside its rate: days are left, its rate is far below its peak, checksums differ, it
/// failed, it repeats.
fn in_state(app: &mut App, state: u32) {
    if state == 4 {
        super::rounds(app, 1234);
        return;
    }
    let (_, id) = recorded(app, 1, &of_range("9e14"));
    let sides = [Side::Sender, Side::Receiver];
    match state {
        0 => {}
        1 => {
            for i in 141..400_u32 {
                for side in sides {
                    let bytes = 40e9 + f64::from(i) * 4000.0;
                    sample(app, id, side, f64::from(i) * 0.05, bytes, u64::MAX);
                }
            }
        }
        2 => {
            for side in sides {
                let mut finished = arraylift::Finished::default();
                finished.bytes = 240_000_000_000;
                finished.rate_bytes_per_s = 12.3e6;
                finished.verified = Some(false);
                tell(app, id, side, 15.0, EventKind::Finished(Box::new(finished)));
            }
        }
        _ => {
            for side in sides {
                let (bytes, note) = (240_000_000_000, None);
                tell(app, id, side, 15.0, EventKind::Cancelled { bytes, note });
            }
        }
    }
}

#[test]
fn every_limit_has_its_entry_in_the_key_and_what_is_left_over_one_together() {
    let mut window = shown();
    let shares = serde_json::json!({
        "receiver": 0.4, "sender": 0.2, "limit": 0.1, "network": 0.1, "buffers": 0.08, "writer_pace": 0.06,
        "reader_pace": 0.04, "sender_disk": 0.02,
    });
    let evidence = serde_json::json!({"seconds": 10.0, "sender": null, "receiver": null});
    let verdict =
        serde_json::json!({"limit": "receiver", "sentence": "As told.", "shares": shares, "evidence": evidence});
    let verdict: arraylift::Verdict = serde_json::from_value(verdict).unwrap();
    let id = TransferId(1_000_001);
    tell(
        window.state_mut(),
        id,
        Side::Receiver,
        15.0,
        EventKind::Bottleneck(Box::new(verdict)),
    );
    window.run();
    for entry in ["receiver", "sender", "limit", "network", "buffers"] {
        window.get_by_label_contains(&format!("{entry}, limit "));
    }
    window.get_by_label_contains("3 others: writer's pace 6\u{a0}%, reader's pace 4\u{a0}%, sender's disk 2\u{a0}%");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn the_instrument_is_as_in_its_snapshots() {
    let mut window = sized(1280.0, 800.0);
    window.remove_cursor();
    window.state_mut().stop_clock(15.0);
    eventful(window.state_mut());
    window.run();
    for (theme, name) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
        super::choose_theme(&mut window, theme);
        window.remove_cursor();
        window.run();
        window.snapshot(format!("instrument-{name}"));
    }
    window
        .get_by_role_and_label(Role::RadioButton, "Rate axis: Log")
        .click();
    window.run();
    window.get_by_label("Second plot").click();
    window.run();
    window.get_by_label("CPU, cores").click();
    window.set_size(vec2(1280.0, 1000.0));
    window.run();
    let (first, second) = (in_plot(&window, 0.15), in_plot(&window, 0.7));
    click(&mut window, first, Modifiers::NONE);
    click(&mut window, second, Modifiers::SHIFT);
    window.remove_cursor();
    window.run();
    window.snapshot("instrument-log");
}
