//! What frames of the window cost where there is much to draw: ten hours of history, a thousand rows, sixteen connections
//! each with its own curve, the picture of an array that changes, a sample of every running transfer in each frame, and a
//! history of a thousand entries. `tests/bench/frame.sh` prints it.

use std::time::Duration;

use arraylift::internals::app::{App, View, looked_at};
use arraylift::{ArrayMeta, Counters, Dtype, EventKind, Order, Sample, Shape, Side, TcpCounters, TransferId};
use eframe::egui::{Key, Modifiers, Role, pos2};
use egui_kittest::kittest::Queryable as _;

use serde_json::json;

use super::kept::{Kept, keep};
use super::{Window, of_range, recorded, sized, tell, ten_hours_with_marks, trees, until_shown};

/// No frame of our own code may take longer.
const FRAME_MAX: Duration = Duration::from_millis(4);
const FRAMES: usize = 120;
const ROWS: u64 = 1000;
/// So many of the rows run.
const RUNNING: u64 = 16;
/// The one with ten hours behind it.
const FIRST: TransferId = TransferId(1_000_001);
/// So many connections has each of them.
const STREAMS: u16 = 16;

/// Draws what is in view again and again, and takes the time of its frames.
struct Timing {
    now_s: f64,
    pictures: Vec<EventKind>,
    slowest: Duration,
}

impl Timing {
    /// From so many seconds on.
    fn new(now_s: f64) -> Self {
        println!("| what is in view | median | 99 of 100 | slowest |\n|---|---|---|---|");
        Self {
            now_s,
            pictures: pictures(),
            slowest: Duration::ZERO,
        }
    }

    fn of(&mut self, window: &mut Window, what: &str) {
        window.run_ok();
        let mut times: Vec<Duration> = (0..FRAMES)
            .map(|frame| {
                self.now_s += 0.033;
                move_on(window.state_mut(), self.now_s);
                let picture = &self.pictures[frame % self.pictures.len()];
                for side in [Side::Sender, Side::Receiver] {
                    tell(window.state_mut(), FIRST, side, self.now_s, picture.clone());
                }
                let begin = on_core();
                window.step();
                on_core().saturating_sub(begin)
            })
            .collect();
        times.sort_unstable();
        let [median, most, last] = [50, 99, 100].map(|percent| times[times.len() * percent / 100 - 1]);
        println!("| {what} | {median:.2?} | {most:.2?} | {last:.2?} |");
        self.slowest = self.slowest.max(last);
    }
}

#[test]
#[ignore = "prints what frames cost: tests/bench/frame.sh"]
fn no_frame_takes_four_milliseconds() {
    let mut window = sized(1280.0, 800.0);
    thousand_rows(window.state_mut());
    let mut timing = Timing::new(40_000.0);
    plots(&mut window, &mut timing);
    window.set_size([2560.0, 1440.0].into());
    timing.of(&mut window, "2560x1440");
    window.set_size([1280.0, 800.0].into());
    all_move(window.state_mut(), 40_100.0);
    timing.now_s = 40_110.0;
    timing.of(&mut window, "all rows have moved in the last minute");
    history(&mut window, &mut timing);
    let slowest = timing.slowest;
    assert!(
        cfg!(debug_assertions) || slowest <= FRAME_MAX,
        "a frame took {slowest:?}"
    );
}

/// Rows of which some run, the others are done, and one has ten hours behind it.
fn thousand_rows(app: &mut App) {
    for id in 2..=ROWS {
        let (_, id) = recorded(app, id, &of_range("6e9"));
        if id.0 > 1_000_000 + RUNNING {
            for side in [Side::Sender, Side::Receiver] {
                let mut finished = arraylift::Finished::default();
                finished.bytes = 48_000_000_000;
                finished.rate_bytes_per_s = 5.4e9;
                finished.verified = Some(true);
                tell(app, id, side, 9.0, EventKind::Finished(Box::new(finished)));
            }
        }
    }
    let key = ten_hours_with_marks(app);
    app.transfers_mut().select(key);
}

fn plots(window: &mut Window, timing: &mut Timing) {
    timing.of(window, "all of the ten hours");
    let plot = window.get_by_label_contains("Rates over time: ").rect();
    window.hover_at(pos2(plot.left() + plot.width() * 0.4, plot.center().y));
    timing.of(window, "the same under the pointer");
    window.remove_cursor();
    window
        .get_by_role_and_label(Role::RadioButton, "Rate axis: Log")
        .click();
    for (second, what) in [
        ("round trip", "log axis and a second plot"),
        ("rate of each stream", "a second plot of sixteen connections"),
    ] {
        window.run_ok();
        window.get_by_label("Second plot").click();
        window.run_ok();
        window.get_by_label(second).click();
        timing.of(window, what);
    }
    for _ in 0..4 {
        window.key_press(Key::Plus);
        window.step();
    }
    timing.of(window, "a sixteenth of it");
    window.get_by_role_and_label(Role::RadioButton, "Period: 10 s").click();
    window.key_press(Key::Num0);
    timing.of(window, "the last ten seconds");
    window.key_press_modifiers(Modifiers::CTRL, Key::N);
    timing.of(window, "with the form");
    window.key_press(Key::Escape);
    window.set_size([900.0, 600.0].into());
    timing.of(window, "900x600");
}

fn history(window: &mut Window, timing: &mut Timing) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arraylift/history.db");
    keep(&path, &thousand());
    window.state_mut().keep_history_at(Some(path));
    window.state_mut().show(View::History);
    until_shown(window, "999.npy");
    until_shown(window, "Forget");
    timing.of(window, "a history of 1,000");
    window.get_by_label_contains("998.npy").hover();
    window.run_ok();
    window.get_by_label_contains("Lay over: 998.npy").click();
    until_shown(window, "B has more");
    timing.of(window, "two runs over each other");
}

#[test]
#[ignore = "prints what frames cost: tests/bench/frame.sh"]
fn two_thousand_items_that_fail_at_once_cost_no_frame_of_four_milliseconds() {
    for (width, height) in [(1280.0, 800.0), (900.0, 600.0)] {
        let mut window = sized(width, height);
        let (key, id) = trees::receives(window.state_mut(), 1);
        window.state_mut().transfers_mut().select(key);
        window.run_ok();
        let items = trees::items(2000, 2000);
        let begin = on_core();
        trees::ends(window.state_mut(), id, items);
        window.step();
        let mut times = vec![on_core().saturating_sub(begin)];
        for _ in 0..FRAMES {
            let begin = on_core();
            window.step();
            times.push(on_core().saturating_sub(begin));
        }
        let first = times[0];
        times.sort_unstable();
        let [median, last] = [50, 100].map(|percent| times[times.len() * percent / 100 - 1]);
        println!("| 2,000 items that failed, {width}x{height} | first {first:.2?} | {median:.2?} | {last:.2?} |");
        assert!(cfg!(debug_assertions) || last <= FRAME_MAX, "a frame took {last:?}");
    }
}

/// An array of 256 by 160 bytes as ever more of it has been looked at: each makes the picture anew.
fn pictures() -> Vec<EventKind> {
    let shape = Shape::new(vec![256, 160]).unwrap();
    let meta = ArrayMeta::new(Dtype::u8(), shape, Order::C).unwrap();
    let bytes: Vec<u8> = (0..256 * 160_u32).map(|index| (index % 251).to_le_bytes()[0]).collect();
    let parts = (1..=40).map(|part| looked_at(&meta, &bytes[..part * 1024], None).unwrap());
    parts.collect()
}

/// Entries of a history, each with as many points as are kept at most.
fn thousand() -> Vec<Kept> {
    let entries = (0..1000_u64).map(|number| Kept {
        entry: json!({
            "command": "window", "way": "send", "source": format!("{number}.npy"), "peer": "10.0.0.7:25000",
            "dtype": "f64", "shape": [1_000_000], "bytes": 8_000_000_000_u64, "outcome": "done", "verified": true,
            "transfers": 1, "rate_bytes_per_s": 1e9, "seconds": 25.6, "streams": 16,
        }),
        began: format!(
            "2026-11-{:02} 12:{:02}:{:02}",
            1 + number / 60 % 28,
            number % 60,
            number % 60
        ),
        curve: (0..256_u32)
            .map(|at| (f64::from(at) * 0.1, u64::from(at) * 31_000_000))
            .collect(),
    });
    entries.collect()
}

/// A sample of every transfer that runs. Those that are done were done hours ago.
fn move_on(app: &mut App, now_s: f64) {
    app.stop_clock(now_s);
    let mut counters = Counters::default();
    counters.connections = STREAMS.into();
    counters.thread_s = now_s * 16.0;
    counters.cpu_system_s = now_s * 0.7;
    let mut tcp = TcpCounters::default();
    tcp.tcp_rtt_s = 2e-4 + (now_s * 3.0).sin() * 1e-4;
    counters.tcp = Some(tcp);
    for id in 1..=RUNNING {
        for side in [Side::Sender, Side::Receiver] {
            let mut sample = Sample::default();
            sample.bytes = move_bytes(now_s);
            sample.stream_bytes = vec![sample.bytes / u64::from(STREAMS); STREAMS.into()];
            sample.counters = Some(counters);
            tell(
                app,
                TransferId(1_000_000 + id),
                side,
                now_s,
                EventKind::Sample(Box::new(sample)),
            );
        }
    }
}

/// Ten seconds of every transfer, whether it runs or is done, from `from_s` on.
fn all_move(app: &mut App, from_s: f64) {
    for step in 0..=200_u32 {
        let now_s = from_s + f64::from(step) * 0.05;
        app.stop_clock(now_s);
        for id in RUNNING + 1..=ROWS {
            let mut sample = Sample::default();
            sample.bytes = move_bytes(now_s);
            tell(
                app,
                TransferId(1_000_000 + id),
                Side::Receiver,
                now_s,
                EventKind::Sample(Box::new(sample)),
            );
        }
    }
}

fn move_bytes(now_s: f64) -> u64 {
    let bytes = 201e12 + (now_s - 40_000.0) * 5e9;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a made-up number of bytes"
    )]
    let bytes = bytes as u64;
    bytes
}

/// How long this thread has been on a core: what others do meanwhile is no cost of a frame.
fn on_core() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)
        .try_into()
        .unwrap()
}
