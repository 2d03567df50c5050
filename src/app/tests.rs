//! A day of transfers, told to the window in seconds: its memory is the same after two hours and after all of them.

use eframe::egui::{Context, RawInput, Rect, pos2, vec2};

use super::model::form::{Form, SinkKind};
use super::model::plan::{Paths, Recipe, check};
use super::model::row::RowKey;
use super::model::settings::Settings;
use super::{App, AppOptions};
use crate::array::{ArrayMeta, Dtype, Order, Shape};
use crate::internals::app::looked_at;
use crate::rounds::RoundEvent;
use crate::telemetry::{Counters, Sample, TcpCounters};
use crate::transfer::{Event, EventKind, Finished, Outcome, Side, Started, State, TiledArray, TransferId};

const HOUR_S: f64 = 3600.0;
/// How long each transfer takes.
const ROUND_S: f64 = 5.0;
/// What each end tells meanwhile.
const SAMPLES: u32 = 10;
const BYTES: u64 = 20_000_000_000;
/// The window is drawn so often.
const FRAME_S: f64 = 60.0;
/// What differs from one instant to another: numbers are longer, and a list is just before it is thinned.
const SLACK_BYTES: i64 = 200_000;

/// A window, and the time on its clock.
struct Day {
    ctx: Context,
    app: App,
    now_s: f64,
    drawn_s: f64,
    /// Whether there is something in its frames.
    draws: bool,
    transfers: u64,
    /// What each end tells of the values.
    stats: EventKind,
}

impl Day {
    fn new(draws: bool) -> Self {
        let ctx = Context::default();
        let mut app = App::with_settings(&ctx, Settings::default(), AppOptions::default());
        app.stop_clock(0.0);
        Self {
            ctx,
            app,
            now_s: 0.0,
            drawn_s: 0.0,
            draws,
            transfers: 0,
            stats: stats(),
        }
    }

    fn add(&mut self, repeat: bool) -> RowKey {
        self.app.transfers.add(recipe(repeat), self.now_s)
    }

    /// One transfer for that row.
    fn transfer(&mut self, key: RowKey) {
        self.transfers += 1;
        let id = TransferId(self.transfers);
        self.tell(key, RoundEvent::Began(id));
        for side in [Side::Sender, Side::Receiver] {
            for kind in beginning() {
                self.tell(key, RoundEvent::Told(Event::new(id, side, 0.0, kind)));
            }
        }
        for at in 1..=SAMPLES {
            let share = f64::from(at) / f64::from(SAMPLES);
            for side in [Side::Sender, Side::Receiver] {
                let kind = EventKind::Sample(Box::new(sample(share, self.transfers)));
                self.tell(key, RoundEvent::Told(Event::new(id, side, share * ROUND_S, kind)));
            }
        }
        for side in [Side::Sender, Side::Receiver] {
            let kind = told_anew(&self.stats);
            self.tell(key, RoundEvent::Told(Event::new(id, side, ROUND_S, kind)));
        }
        self.now_s += ROUND_S;
        let finished = Finished {
            bytes: BYTES,
            rate_bytes_per_s: BYTES as f64 / ROUND_S,
            verified: Some(true),
            ..Finished::default()
        };
        for side in [Side::Sender, Side::Receiver] {
            let kind = EventKind::Finished(Box::new(finished.clone()));
            self.tell(key, RoundEvent::Told(Event::new(id, side, ROUND_S, kind)));
        }
        self.tell(key, RoundEvent::Ended(Outcome::Done(finished)));
        self.step();
    }

    fn tell(&self, key: RowKey, event: RoundEvent) {
        self.app
            .event_sender
            .try_send(Box::new((key, event)))
            .expect("there is room");
    }

    fn step(&mut self) {
        self.app.stop_clock(self.now_s);
        self.app.step(&self.ctx);
        if self.now_s >= self.drawn_s + FRAME_S {
            self.drawn_s = self.now_s;
            let input = RawInput {
                screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1280.0, 800.0))),
                time: Some(self.now_s),
                ..RawInput::default()
            };
            let (app, draws) = (&mut self.app, self.draws);
            let mut frame = self.ctx.run_ui(input, |ui| {
                if draws {
                    app.draw(ui, false);
                }
            });
            // Nobody shows it.
            frame.textures_delta.clear();
        }
    }
}

fn recipe(repeat: bool) -> Recipe {
    let form = Form {
        to: (BYTES / 8).to_string(),
        sink: SinkKind::Discard,
        repeat,
        ..Form::default()
    };
    check(&form, &Paths::default()).recipe.expect("a recipe")
}

/// What is known of an array with as many tiles as there are at most.
fn stats() -> EventKind {
    let shape = Shape::new(vec![256, 160]).expect("a shape");
    let meta = ArrayMeta::new(Dtype::u8(), shape, Order::C).expect("an array");
    let values: Vec<u8> = (0..256 * 160_u32).map(|index| (index % 251).to_le_bytes()[0]).collect();
    looked_at(&meta, &values, None).expect("numbers")
}

/// The same in memory of its own, as each transfer has it.
fn told_anew(stats: &EventKind) -> EventKind {
    let mut stats = stats.clone();
    if let EventKind::Stats(stats) = &mut stats
        && let Some(tiles) = &mut stats.tiles
    {
        *tiles = std::sync::Arc::new(TiledArray {
            meta: tiles.meta.clone(),
            grid: tiles.grid,
            tiles: tiles.tiles.clone(),
        });
    }
    stats
}

fn beginning() -> [EventKind; 3] {
    let started = Started {
        peer: "127.0.0.1:40123".into(),
        wire: "native".into(),
        dtype: "f64".into(),
        shape: vec![BYTES / 8],
        total_bytes: Some(BYTES),
        ..Started::default()
    };
    [
        EventKind::State {
            state: State::Connecting,
        },
        EventKind::Started(Box::new(started)),
        EventKind::State {
            state: State::Transferring,
        },
    ]
}

fn sample(share: f64, transfer: u64) -> Sample {
    // No two of them are alike.
    let wave = 1.0 + 0.2 * (transfer as f64).sin();
    let thread_s = share * ROUND_S;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a made-up number of bytes"
    )]
    let bytes = (share.powf(wave) * BYTES as f64) as u64;
    Sample {
        bytes,
        counters: Some(Counters {
            connections: 1,
            thread_s,
            cpu_system_s: thread_s * 0.6 * wave,
            blocked_send_s: thread_s * 0.2,
            tcp: Some(TcpCounters {
                tcp_rtt_s: 1e-4 * wave,
                ..TcpCounters::default()
            }),
            ..Counters::default()
        }),
        ..Sample::default()
    }
}

/// By how many bytes the window's memory grows from the third hour to the last one.
fn growth(mut hours: impl FnMut(f64)) -> i64 {
    hours(2.0 * HOUR_S);
    allocation_counter::measure(|| hours(24.0 * HOUR_S)).bytes_current
}

#[test]
fn a_transfer_that_repeats_all_day_takes_the_memory_of_two_hours() {
    let mut day = Day::new(true);
    let key = day.add(true);
    let grown = growth(|until_s| {
        while day.now_s < until_s {
            day.transfer(key);
        }
    });
    let row = day.app.transfers.row(key).expect("it goes on");
    assert_eq!((u64::from(row.rounds), row.is_over()), (day.transfers, false));
    assert!(row.tiles().is_some(), "it has a picture all the time");
    println!("{} rounds in all; grown by {grown} bytes", day.transfers);
    assert!(grown.abs() <= SLACK_BYTES, "{grown} bytes in {} rounds", day.transfers);
}

#[test]
fn thousands_of_transfers_in_a_day_take_the_memory_of_those_that_are_listed() {
    // With debug assertions egui keeps a text for each part of a window that it ever drew.
    let mut day = Day::new(!cfg!(debug_assertions));
    let grown = growth(|until_s| {
        while day.now_s < until_s {
            let key = day.add(false);
            day.transfer(key);
        }
    });
    let listed = day.app.transfers.rows().len();
    println!(
        "{} transfers in all, {listed} listed; grown by {grown} bytes",
        day.transfers
    );
    assert!(day.transfers > 17_000 && listed <= 1001);
    assert!(
        grown.abs() <= SLACK_BYTES,
        "{grown} bytes in {} transfers",
        day.transfers
    );
}
