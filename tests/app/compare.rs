//! The compare page, this machine's ceilings, and connections at once: real comparisons by the real program, and a
//! recorded result where figures have to be the same every time.

use eframe::egui::Role;
use egui_kittest::SnapshotResults;
use std::collections::BTreeMap;
use std::path::Path;

use arraylift::internals::app::{Notice, View};
use arraylift::internals::compare::{
    Ceilings, Comparison, Contestant, Entry, Machine, Measured, Over, Sink, SizePoint, Skipped, Spread, Subject, load,
};

use super::*;

#[test]
fn the_page_says_what_to_do_and_goes_as_it_came() {
    let mut window = window();
    window.get_by_label("Compare routes").click();
    window.run();
    window.get_by_label("Nothing was compared yet");
    window.get_by_label_contains("the same array by every route");
    window.get_by_label("Between: Receive at").click();
    window.run();
    assert!(window.get_by_label("Compare").accesskit_node().is_disabled());
    window.get_by_label_contains("choose This machine on the left");
    window.get_by_label("Back to the transfers").click();
    window.run();
    window.get_by_label(HEADLINE);
    window.key_press_modifiers(Modifiers::CTRL, Key::R);
    window.run();
    window.get_by_label("Nothing was compared yet");
    window.key_press(Key::Escape);
    window.run();
    window.get_by_label(HEADLINE);
}

#[test]
fn routes_are_compared_saved_and_laid_beside() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = comparing("1000");
    window.get_by_label("Rounds: 1").click();
    window.run();
    window.get_by_label("Time against size, too").click();
    window.run();
    window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
    window.step();
    window.step();
    assert!(window.get_by_label("Start").accesskit_node().is_disabled());
    until(&mut window, "compared", |app| app.compare_page().progress.is_none());
    window.step();
    assert_eq!(window.state().compare_page().notice, None);
    window.get_by_label_contains("sendfile, raw, ");
    window.get_by_label_contains("Time against size was not measured");
    let result = window.state().compare_page().result.clone().unwrap();
    assert!(result.ranked().len() >= 3, "{:?}", result.skipped);

    for name in ["a.json", "a.csv"] {
        window.state_mut().compare_page_mut().path = text(&folder.path().join(name));
        window.run();
        window.get_by_label("Save the comparison").click();
        until_shown(&mut window, name);
        until(&mut window, "saved", |app| {
            matches!(app.compare_page().notice, Some(Notice::Success(_)))
        });
        window.state_mut().compare_page_mut().notice = None;
        window.run();
    }
    let saved = load(&folder.path().join("a.json")).unwrap();
    assert_eq!(saved.subject, result.subject);
    assert_eq!(ids(&saved), ids(&result));
    window.get_by_label("Save the comparison").click();
    until_shown(&mut window, "a.csv exists and is never overwritten: type another name");

    window.state_mut().compare_page_mut().path = text(&folder.path().join("a.json"));
    window.run();
    window.get_by_label("Lay beside").click();
    until_shown(&mut window, "Lighter bars: the older result");
    assert!(
        window
            .query_all_by_label_contains("1.00 × the older result")
            .next()
            .is_some()
    );
    window.get_by_label("Take the older result away").click();
    window.run();
    window.step();
    assert!(window.query_by_label_contains("Lighter bars").is_none());
}

#[test]
fn a_comparison_is_cancelled_at_once_and_keeps_nothing() {
    let mut window = comparing("10000000");
    several(window.state_mut());
    let failed = window.state().transfers().failed()[0];
    let running = window.state().transfers().rows()[0].key;
    window.state_mut().transfers_mut().row_mut(running).unwrap().phase = Phase::Cancelled;
    window.step();
    // It has ended for long enough that nobody means to stop it.
    std::thread::sleep(Duration::from_millis(600));
    window.get_by_label("Compare").click();
    until(&mut window, "running", |app| {
        app.compare_page()
            .progress
            .as_ref()
            .is_some_and(|progress| progress.begun > 0)
    });
    window.step();
    // Whatever else would start is refused, and the comparison is what says why.
    for label in ["Retry", "New transfer"] {
        window.state_mut().show(View::Transfers);
        window.state_mut().transfers_mut().select(failed);
        window.step();
        window.get_by_label(label).click();
        window.step();
        if label == "New transfer" {
            window.key_press_modifiers(Modifiers::CTRL, Key::Enter);
        }
        window.step();
        window.step();
        window.get_by_label("Cancel the comparison");
    }
    assert_eq!(window.state().transfers().own_rows().len(), 3);
    window.get_by_label("Cancel the comparison").click();
    until(&mut window, "cancelled", |app| app.compare_page().progress.is_none());
    window.step();
    window.get_by_label("Cancelled: nothing was kept.");
    assert_eq!(window.state().compare_page().result, None);
    assert!(!window.get_by_label("Start").accesskit_node().is_disabled());
}

#[test]
fn a_result_is_shown_with_who_did_not_take_part_and_how_time_grows() {
    let mut window = window();
    shows_result(window.state_mut());
    window.run();
    let rows: Vec<f32> = ["handoff, ", "sendfile, ", "copying the rest, "]
        .map(|name| window.get_by_label_contains(name).rect().top())
        .to_vec();
    assert!(
        rows.windows(2).all(|pair| pair[0] < pair[1]),
        "the fastest first: {rows:?}"
    );
    window.get_by_label_contains("sendfile, 5.21 GB/s, 4.69 to 5.73 GB/s, CPU s a GB 0.26, copies a byte 1.00");
    window.get_by_label("to a file: splice: it writes a file: name a folder for it");
    window.get_by_label_contains("handoff: 180 µs for 4.10 kB, 190 µs for 400 MB");
    window.get_by_label_contains("sendfile, 5.21").click_accesskit();
    window.run();
    window.step();
    window.get_by_label_contains("sendfile: 300 µs for 4.10 kB, 76.8 ms for 400 MB");
}

#[test]
fn a_rate_is_told_beside_what_one_copy_allows() {
    let mut window = with_form();
    window.state_mut().set_ceilings(None);
    window.state_mut().settings_mut().form.to = "1000".to_owned();
    window.run();
    window.get_by_label("Start").click();
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
    window.step();
    window.step();
    window.get_by_label("Measure this machine's ceilings");
    window.state_mut().set_ceilings(Some(ceilings()));
    window.run();
    window.get_by_label_contains("% of what one copy allows");
    window.get_by_label_contains("one copy in memory ");
    assert!(window.query_by_label("Measure this machine's ceilings").is_none());
}

#[test]
fn ceilings_are_not_offered_to_be_measured_while_something_moves() {
    let mut window = window();
    recorded(window.state_mut(), 1, &Form::default());
    window.run();
    assert!(window.query_by_label("Measure this machine's ceilings").is_none());
    window.key_press_modifiers(Modifiers::CTRL, Key::R);
    window.run();
    assert!(window.query_by_label("Measure this machine's ceilings").is_none());
    assert!(window.get_by_label("Compare").accesskit_node().is_disabled());
    window.get_by_label_contains("waits until the transfers have ended");
}

#[test]
fn the_table_is_copied_by_the_menu_of_a_row_as_a_spreadsheet_takes_it() {
    let mut window = window();
    shows_result(window.state_mut());
    window.run();
    let row = window.get_all_by_role(Role::ListItem).find_map(|row| {
        row.accesskit_node()
            .label()
            .filter(|label| label.starts_with("sendfile, "))
    });
    let row = row.expect("a row");
    window.get_by_label(&row).click_secondary();
    window.run();
    window.get_by_label("Copy row").click();
    window.step();
    let cells = frame::copied(&window).expect("copied");
    assert!(cells.starts_with("sendfile\t") && cells.contains(" GB/s\t"), "{cells}");
    window.get_by_label(&row).click_secondary();
    window.run();
    window.get_by_label("Copy table").click();
    window.step();
    let table = frame::copied(&window).expect("copied");
    assert!(
        table.starts_with("\tmedian\tmin to max\t") && table.contains(&cells),
        "{table}"
    );
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn the_page_is_as_in_its_snapshots() {
    let mut results = SnapshotResults::new();
    for (theme, name) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
        let mut window = window();
        choose_theme(&mut window, theme);
        window.remove_cursor();
        shows_result(window.state_mut());
        window.run();
        window.snapshot(format!("compare-{name}"));
        results.extend(window.take_snapshot_results());
    }
}

/// A window with its compare page open, and the range up to `to` to be compared by the program that was built.
fn comparing(to: &str) -> Window {
    let mut window = window();
    window.state_mut().compare_with(env!("CARGO_BIN_EXE_arraylift").into());
    to.clone_into(&mut window.state_mut().settings_mut().form.to);
    window.key_press_modifiers(Modifiers::CTRL, Key::R);
    window.run();
    window
}

fn ids(comparison: &Comparison) -> Vec<&str> {
    let ranked = comparison.ranked();
    ranked.iter().map(|(entry, _)| entry.contestant.id.as_str()).collect()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn ceilings() -> Ceilings {
    Ceilings {
        version: Ceilings::VERSION,
        machine: Machine::default(),
        measured_unix_s: 1_790_000_000,
        memcpy_bytes_per_s: 13.9e9,
        sendfile_bytes_per_s: 8.4e9,
        disks: BTreeMap::new(),
    }
}

/// A result with figures as a machine would give them.
pub(super) fn shows_result(app: &mut App) {
    let subject = Subject {
        source: "range 0 … 5e7".to_owned(),
        dtype: "f64".to_owned(),
        shape: vec![50_000_000],
        bytes: 400_000_000,
    };
    let figures = [
        ("copying", "copying the rest", 0.31e9, 7.1, 20, 83_594, 48_600_000),
        ("view", "slicing a view", 2.96e9, 0.49, 2, 629, 9_500_000),
        ("sendfile", "sendfile", 5.21e9, 0.26, 1, 633, 9_560_000),
        ("handoff", "handoff", 2_100e9, 0.0, 0, 17, 1_200_000),
    ];
    let entries = figures.map(|(id, name, rate, cpu, copies, faults, beyond)| {
        let rounds = [0.9, 1.0, 1.1].map(|factor| Measured {
            round: 1,
            seconds: 4e8 / (rate * factor),
            rate_bytes_per_s: rate * factor,
            first_byte_s: Some(0.000_18),
            cpu_s: cpu * 0.4,
            process_cpu_s: cpu,
            syscalls: 1526,
            page_faults: faults,
            copied_bytes: copies * 400_000_000,
            beyond_bytes: beyond,
            ..Measured::default()
        });
        Entry::new(contestant(id, name), rounds.to_vec(), Vec::new(), &subject)
    });
    let sizes = [
        ("copying", 0.000_4, 1.29),
        ("view", 0.000_25, 0.135),
        ("sendfile", 0.000_3, 0.076_8),
        ("handoff", 0.000_18, 0.000_19),
    ];
    let sizes = sizes.into_iter().flat_map(|(id, least_s, most_s): (_, f64, f64)| {
        let exact = |bytes: u64, seconds: f64| SizePoint {
            id: id.to_owned(),
            bytes,
            seconds: Spread {
                median: seconds,
                min: seconds,
                max: seconds,
            },
        };
        [exact(4096, least_s), exact(400_000_000, most_s)]
    });
    app.show(View::Compare);
    app.compare_page_mut().result = Some(Comparison {
        version: Comparison::VERSION,
        program: "arraylift 0.1.0".to_owned(),
        machine: Machine {
            cpu: "AMD EPYC".to_owned(),
            cores: 2,
            ..Machine::default()
        },
        began_unix_s: 1_790_000_000,
        rounds: 3,
        entries: entries.to_vec(),
        skipped: vec![Skipped {
            contestant: contestant("file-splice", "to a file: splice"),
            reason: "it writes a file: name a folder for it".to_owned(),
        }],
        sizes: sizes.collect(),
        subject,
        ceilings: None,
    });
    app.set_ceilings(Some(ceilings()));
}

fn contestant(id: &str, name: &str) -> Contestant {
    Contestant {
        id: id.to_owned(),
        name: name.to_owned(),
        shows: "what it is there to show".to_owned(),
        send_route: if id == "handoff" { id } else { "sendfile" }.to_owned(),
        receive_route: "recv".to_owned(),
        wire: "native".to_owned(),
        verify: true,
        streams: 1,
        sink: Sink::Memory,
        over: Over::Tcp,
    }
}
