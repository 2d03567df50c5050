//! Pictures of the pages, of rows in each of their states, of a small window and of a Chinese one.

use arraylift::internals::app::{View, looked_at};
use arraylift::internals::{Bin, Language};
use arraylift::{ArrayMeta, Dtype, EventKind, Order, Shape, Side};
use eframe::egui::Key;
use egui_kittest::kittest::Queryable as _;
use serde_json::json;

use super::kept::{Kept, keep};
use super::{
    Modifiers, ThemeChoice, Window, choose_theme, interrupted, of_range, recorded, serves_elsewhere, several, sized,
    speaking, tell, trees, until_shown, words,
};

/// A window with a clock that stands.
fn still(width: f32, height: f32) -> Window {
    stopped(sized(width, height))
}

fn stopped(mut window: Window) -> Window {
    window.remove_cursor();
    window.state_mut().stop_clock(7.1);
    window
}

fn is_as_in(window: &mut Window, name: &str) {
    window.remove_cursor();
    window.run();
    window.snapshot(name);
}

/// What two ends tell of an array of 256 by 160 bytes, of which the receiver has another one at `[130, 77]`.
pub(super) fn ends_that_differ() -> [(Side, EventKind); 2] {
    let shape = Shape::new(vec![256, 160]).unwrap();
    let meta = ArrayMeta::new(Dtype::u8(), shape, Order::C).unwrap();
    let sent: Vec<u8> = (0..256_u32)
        .flat_map(|row| (0..160_u32).map(move |column| u32::midpoint(row, column).to_le_bytes()[0]))
        .collect();
    let mut received = sent.clone();
    received[130 * 160 + 77] = 255;
    let told = |bytes: &[u8]| looked_at(&meta, bytes, None).unwrap();
    [(Side::Sender, told(&sent)), (Side::Receiver, told(&received))]
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn ends_that_differ_are_as_in_its_snapshot() {
    let mut window = still(1280.0, 800.0);
    let (_, id) = recorded(window.state_mut(), 1, &of_range("6e9"));
    for (side, stats) in ends_that_differ() {
        tell(window.state_mut(), id, side, 7.0, stats);
    }
    is_as_in(&mut window, "array-differs");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn the_form_is_as_in_its_snapshot() {
    let mut window = still(1280.0, 800.0);
    window.key_press_modifiers(Modifiers::CTRL, Key::N);
    is_as_in(&mut window, "form");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn round_trips_are_as_in_its_snapshot() {
    let mut window = still(1280.0, 800.0);
    let page = window.state_mut().round_trips_page_mut();
    page.measured = [1, 64, 64 << 20].map(words::measured).to_vec();
    // Most take about as long as the median, a few far longer.
    let bin = |at: i32| Bin {
        from_s: 10_f64.powf(-5.0 + f64::from(at) / 10.0),
        to_s: 10_f64.powf(-5.0 + f64::from(at + 1) / 10.0),
        count: [9_000, 61_000, 21_000, 6_000, 2_000, 700, 200, 60, 30, 10][usize::try_from(at).unwrap()],
    };
    page.measured[0].histogram = (0..10).map(bin).collect();
    window.state_mut().show(View::RoundTrips);
    is_as_in(&mut window, "round-trips");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn one_that_broke_is_as_in_its_snapshot() {
    let mut window = still(1280.0, 800.0);
    several(window.state_mut());
    let broken = interrupted::broken(window.state_mut(), false);
    window.state_mut().transfers_mut().select(broken);
    is_as_in(&mut window, "interrupted");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn a_folder_is_as_in_its_snapshot() {
    let mut window = still(1280.0, 800.0);
    let (folder, id) = trees::receives(window.state_mut(), 1);
    trees::ends(window.state_mut(), id, trees::items(2000, 30));
    window.state_mut().transfers_mut().select(folder);
    is_as_in(&mut window, "folder");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn a_service_is_as_in_its_snapshot() {
    let mut window = still(1280.0, 800.0);
    several(window.state_mut());
    serves_elsewhere(window.state_mut());
    is_as_in(&mut window, "service");
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn a_small_window_is_as_in_its_snapshot() {
    let mut window = still(900.0, 600.0);
    several(window.state_mut());
    is_as_in(&mut window, "small");
}

/// Chinese characters are squares there: no machine needs a font for them.
#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn a_chinese_window_is_as_in_its_snapshot() {
    let mut window = stopped(speaking(Language::Chinese, 1280.0, 800.0));
    several(window.state_mut());
    is_as_in(&mut window, "chinese");
}

/// Bytes over `seconds` at this rate, which falls by half in the middle third.
fn curve(seconds: u32, bytes_per_s: u64) -> Vec<(f64, u64)> {
    let mut bytes = 0;
    let points = (0..=seconds * 10).map(|tenth| {
        let is_slow = tenth > seconds * 10 / 3 && tenth <= seconds * 20 / 3;
        bytes += if tenth == 0 {
            0
        } else {
            bytes_per_s / if is_slow { 20 } else { 10 }
        };
        (f64::from(tenth) / 10.0, bytes)
    });
    points.collect()
}

/// A week of work: what was done, what failed, and one that went on.
fn a_week() -> Vec<Kept> {
    let done = |day: u32, source: &str, bytes: u64, seconds: u32, rate: u64| Kept {
        entry: json!({
            "command": "window", "way": "send", "source": source, "peer": "gpu-3.example.org:25000", "dtype": "f32",
            "shape": [bytes / 4], "bytes": bytes, "total_bytes": bytes, "transfers": 1, "outcome": "done",
            "verified": true, "durable": true, "checksum": "crc64nvme:4a1d9fb2c3e07765", "streams": 4,
            "rate_bytes_per_s": rate, "seconds": seconds, "sync_s": 0.42, "wire": "native", "send_route": "sendfile",
            "sender_cpu_s": f64::from(seconds) * 0.31,
            "sentence": "The receiver was the limit 71 % of the time: it had no time to take more.",
            "shares": [["receiver", 0.71], ["network", 0.2], ["sender", 0.09]],
        }),
        began: format!("2026-11-{day} 16:46:32"),
        curve: curve(seconds, rate),
    };
    let mut went_on = done(29, "weights.npy", 22_000_000_000, 9, 2_900_000_000);
    went_on.entry["resumed_bytes"] = json!(12_100_000_000_u64);
    went_on.entry["total_bytes"] = json!(34_100_000_000_u64);
    let failed = Kept {
        entry: json!({
            "command": "send", "way": "send", "source": "run_07.npy", "peer": "10.0.0.7:25000", "outcome": "failed",
            "message": "Nobody listens at 10.0.0.7:25000: start the receiver first", "transfers": 1,
        }),
        began: "2026-11-27 08:01:05".to_owned(),
        curve: Vec::new(),
    };
    vec![
        done(24, "weights.npy", 31_000_000_000, 14, 2_300_000_000),
        done(25, "embeddings.npy", 7_600_000_000, 4, 1_950_000_000),
        failed,
        done(28, "weights.npy", 34_100_000_000, 13, 2_750_000_000),
        went_on,
    ]
}

#[test]
#[ignore = "snapshots need lavapipe (mesa-vulkan-drivers)"]
fn the_history_is_as_in_its_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arraylift/history.db");
    keep(&path, &a_week());
    let mut window = still(1280.0, 800.0);
    window.state_mut().keep_history_at(Some(path));
    choose_theme(&mut window, ThemeChoice::Dark);
    window.state_mut().show(View::History);
    until_shown(&mut window, "12.1 GB were there already");
    window.remove_cursor();
    window.run();
    // The same time in UTC is another one in each zone.
    let began = window.get_by_label_contains(":32.000Z)").rect();
    window.mask(began);
    window.snapshot("history");
    window.get_by_label_contains("28 Nov 2026").hover();
    window.run();
    window.get_by_label_contains("Lay over: weights.npy").click();
    until_shown(&mut window, "B has more");
    choose_theme(&mut window, ThemeChoice::Light);
    window.state_mut().show(View::History);
    is_as_in(&mut window, "two-runs");
}
