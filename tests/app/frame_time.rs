//! What frames of the window cost where there is much to draw: ten hours of history, a thousand rows, sixteen connections,
//! and a sample of every running transfer in each frame. `tests/bench/frame.sh` prints it.

use std::cell::Cell;
use std::time::Duration;

use arraylift::internals::app::App;
use arraylift::{Counters, EventKind, Sample, Side, TcpCounters, TransferId};
use eframe::egui::{Key, Modifiers, Role, pos2};
use egui_kittest::kittest::Queryable as _;

use super::{Window, of_range, recorded, sized, tell, ten_hours_with_marks, trees};

/// No frame of our own code may take longer.
const FRAME_MAX: Duration = Duration::from_millis(4);
const FRAMES: u32 = 120;
const ROWS: u64 = 1000;
/// So many of the rows run.
const RUNNING: u64 = 16;

#[test]
#[ignore = "prints what frames cost: tests/bench/frame.sh"]
fn no_frame_takes_four_milliseconds() {
    let mut window = sized(1280.0, 800.0);
    let app = window.state_mut();
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
    let now_s = Cell::new(40_000.0);
    let mut slowest = Duration::ZERO;
    println!("| what is in view | median | 99 of 100 | slowest |\n|---|---|---|---|");
    let mut timed = |window: &mut Window, what: &str| {
        window.run_ok();
        let mut times: Vec<Duration> = (0..FRAMES)
            .map(|_| {
                now_s.set(now_s.get() + 0.033);
                move_on(window.state_mut(), now_s.get());
                let begin = on_core();
                window.step();
                on_core().saturating_sub(begin)
            })
            .collect();
        times.sort_unstable();
        let [median, most, last] = [50, 99, 100].map(|percent| times[times.len() * percent / 100 - 1]);
        println!("| {what} | {median:.2?} | {most:.2?} | {last:.2?} |");
        slowest = slowest.max(last);
    };
    timed(&mut window, "all of the ten hours");
    let plot = window.get_by_label_contains("Rates over time: ").rect();
    window.hover_at(pos2(plot.left() + plot.width() * 0.4, plot.center().y));
    timed(&mut window, "the same under the pointer");
    window.remove_cursor();
    window
        .get_by_role_and_label(Role::RadioButton, "Rate axis: Log")
        .click();
    window.run_ok();
    window.get_by_label("Second plot").click();
    window.run_ok();
    window.get_by_label("round trip").click();
    timed(&mut window, "log axis and a second plot");
    for _ in 0..4 {
        window.key_press(Key::Plus);
        window.step();
    }
    timed(&mut window, "a sixteenth of it");
    window.get_by_role_and_label(Role::RadioButton, "Period: 10 s").click();
    window.key_press(Key::Num0);
    timed(&mut window, "the last ten seconds");
    window.key_press_modifiers(Modifiers::CTRL, Key::N);
    timed(&mut window, "with the form");
    window.key_press(Key::Escape);
    window.set_size([900.0, 600.0].into());
    timed(&mut window, "900x600");
    window.set_size([2560.0, 1440.0].into());
    timed(&mut window, "2560x1440");
    window.set_size([1280.0, 800.0].into());
    all_move(window.state_mut(), 40_100.0);
    now_s.set(40_110.0);
    timed(&mut window, "all rows have moved in the last minute");
    assert!(
        cfg!(debug_assertions) || slowest <= FRAME_MAX,
        "a frame took {slowest:?}"
    );
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

/// A sample of every transfer that runs. Those that are done were done hours ago.
fn move_on(app: &mut App, now_s: f64) {
    app.stop_clock(now_s);
    let mut counters = Counters::default();
    counters.connections = 16;
    counters.thread_s = now_s * 16.0;
    counters.cpu_system_s = now_s * 0.7;
    let mut tcp = TcpCounters::default();
    tcp.tcp_rtt_s = 2e-4 + (now_s * 3.0).sin() * 1e-4;
    counters.tcp = Some(tcp);
    for id in 1..=RUNNING {
        for side in [Side::Sender, Side::Receiver] {
            let mut sample = Sample::default();
            sample.bytes = move_bytes(now_s);
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
