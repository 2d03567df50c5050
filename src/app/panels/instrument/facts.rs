//! The facts beside the rate, in columns that keep their place. Each says how it was measured.

use eframe::egui::{Color32, Ui, pos2};

use super::layout::{Head, Size};
use super::message::sentence;
use super::text::{self, Piece};
use crate::app::model::format;
use crate::app::model::row::{Numbers, Phase, Row};
use crate::app::theme::{self, Palette};
use crate::app::widgets::text_width;
use crate::app::words::say;
use crate::transfer::Side;

/// Where the columns begin, from the left edge of what stands in the instrument.
const SMALL_COLUMNS: [f32; 6] = [168.0, 256.0, 380.0, 494.0, 596.0, 696.0];
const COLUMNS: [f32; 6] = [234.0, 326.0, 456.0, 570.0, 684.0, 782.0];
const LARGE_COLUMNS: [f32; 6] = [300.0, 400.0, 556.0, 700.0, 830.0, 946.0];

/// From a value to its unit.
const GAP: f32 = 4.0;
/// Stands where a value is not known, as the time left while nothing moves.
const UNKNOWN: &str = "\u{2013}";

/// A name, a value, its unit, and how it was measured.
struct Fact {
    name: &'static str,
    value: String,
    unit: String,
    /// One word of the unit, for where there is little room; its first one where this is none.
    short_unit: Option<&'static str>,
    colour: Option<fn(&Palette) -> Color32>,
    has_tick: bool,
    how: String,
}

impl Fact {
    fn new(name: &'static str, value: impl Into<String>, unit: impl Into<String>, how: impl Into<String>) -> Self {
        Self {
            name,
            value: value.into(),
            unit: unit.into(),
            short_unit: None,
            colour: None,
            has_tick: false,
            how: how.into(),
        }
    }

    /// The unit; where it is wider than `width` together with the value one word of it: `12 d 7 h` is then `12 d`, and
    /// `6.37 of 8.00 GB` is `6.37 GB`.
    fn unit_within(&self, ui: &Ui, width: f32) -> &str {
        let room = width - GAP - text_width(ui, &self.value, theme::value(15.0));
        let unit = self.unit.as_str();
        if text_width(ui, unit, theme::label(12.0)) <= room {
            return unit;
        }
        let first = unit.split(' ').next();
        self.short_unit.or(first).unwrap_or_default()
    }

    /// Whether there is a value.
    fn is_known(&self) -> bool {
        !self.value.is_empty() || !self.unit.is_empty()
    }

    /// What it says to who does not see it.
    fn said(&self) -> String {
        if !self.is_known() {
            return say!("labelled", name = self.name, value = say!("row-array-unknown"));
        }
        let words = [self.name, &self.value, &self.unit].into_iter();
        words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// A quantity in words, `6.37 of 8.00 GB`: the first number is the value, the rest its unit.
    fn of_words(name: &'static str, words: &str, how: impl Into<String>) -> Self {
        let (value, unit) = words.split_once(' ').unwrap_or((words, ""));
        Self::new(name, value, unit, how)
    }
}

fn columns(size: Size) -> [f32; 6] {
    match size {
        Size::Small => SMALL_COLUMNS,
        Size::Normal => COLUMNS,
        Size::Large | Size::Huge => LARGE_COLUMNS,
    }
}

/// The width to the left of them, which the rate has.
pub(super) fn left_free(size: Size) -> f32 {
    columns(size)[0] - 12.0
}

/// Draws them. One that is not known has a dash for a value.
pub(super) fn ui(ui: &Ui, row: &Row, numbers: &Numbers, head: &Head) {
    if row.started().is_none() {
        return;
    }
    let palette = theme::palette(ui);
    let columns = columns(head.size);
    let facts = facts(row, numbers);
    for (index, (fact, column)) in facts.iter().zip(columns).enumerate() {
        let left = head.hero.min + column;
        let right = columns
            .get(index + 1)
            .map_or(head.hero.max, |next| head.hero.min + next - 8.0);
        if right > head.hero.max + 1.0 || head.hero.max - left < 56.0 {
            break;
        }
        let mut at = pos2(left, head.baseline);
        let name = Piece::new(fact.name, theme::label(12.0), palette.weak);
        let mut covered = text::on_baseline(ui, pos2(left, head.baseline - 22.0), &[name], 0.0);
        let colour = fact.colour.map_or(palette.text, |colour| colour(palette));
        if fact.has_tick {
            tick(ui, pos2(left + 4.5, head.baseline - 5.0), palette.verified);
            at.x += 15.0;
        }
        let value = if fact.is_known() {
            Piece::new(&fact.value, theme::value(15.0), colour)
        } else {
            Piece::new(UNKNOWN, theme::value(15.0), palette.weak)
        };
        let unit = Piece::new(fact.unit_within(ui, right - at.x), theme::label(12.0), palette.weak);
        covered = covered.union(text::on_baseline(ui, at, &[value, unit], GAP));
        let response = text::said(ui, ("fact", index), covered, &fact.said());
        response.on_hover_text(&fact.how);
    }
}

/// A small tick, as beside what is verified.
pub(super) fn tick(ui: &Ui, centre: eframe::egui::Pos2, colour: Color32) {
    let points = vec![
        centre + eframe::egui::vec2(-4.5, 0.0),
        centre + eframe::egui::vec2(-1.5, 3.5),
        centre + eframe::egui::vec2(4.5, -3.5),
    ];
    ui.painter().line(points, (1.5, colour));
}

fn facts(row: &Row, numbers: &Numbers) -> [Fact; 6] {
    if row.is_tree() {
        return [
            time(row, numbers),
            items(numbers),
            moved(row, numbers),
            item_rate(row, numbers),
            verified(row),
            cpu(row, numbers),
        ];
    }
    let [fifth, sixth] = if row.is_loopback() {
        [copies(row), faults(row)]
    } else {
        [streams(row), round_trip(row)]
    };
    [
        time(row, numbers),
        moved(row, numbers),
        verified(row),
        cpu(row, numbers),
        fifth,
        sixth,
    ]
}

/// Time left, time taken, or the number of rounds.
fn time(row: &Row, numbers: &Numbers) -> Fact {
    if row.repeats() && row.rounds > 0 {
        let how = say!("figure-rounds-how");
        return Fact::new(say!("figure-rounds"), format::count(u64::from(row.rounds)), "", how);
    }
    if row.is_over() {
        let how = match row.phase {
            Phase::Done { .. } => say!("figure-took-done-how"),
            _ => say!("figure-took-ended-how"),
        };
        return Fact::of_words(say!("figure-took"), &format::duration(numbers.took_s), how);
    }
    if row.is_tree() {
        // How many bytes are left nobody knows.
        let how = say!("figure-elapsed-how");
        return Fact::of_words(say!("figure-elapsed"), &format::duration(numbers.took_s), how);
    }
    let left = numbers.left_s.map_or_else(String::new, format::left);
    Fact::of_words(say!("figure-left"), &left, say!("figure-left-how"))
}

/// Items that are settled, of those that are known.
fn items(numbers: &Numbers) -> Fact {
    let (name, how) = (say!("figure-items"), say!("figure-items-how"));
    let Some(items) = numbers.items else {
        return Fact::new(name, "", "", how);
    };
    if items.are_all_known && items.settled >= items.known {
        return Fact::new(name, format::count(items.known), "", how);
    }
    Fact {
        short_unit: Some(""),
        ..Fact::new(name, format::count(items.settled), items.of_known_in_words(), how)
    }
}

fn item_rate(row: &Row, numbers: &Numbers) -> Fact {
    let (name, how) = if row.is_over() {
        (say!("figure-item-mean"), say!("figure-item-mean-how"))
    } else {
        (say!("figure-item-rate"), say!("figure-item-rate-how"))
    };
    let Some(items) = numbers.items.filter(|items| items.per_s > 0.0) else {
        return Fact::new(name, "", "", how);
    };
    let per_s = match items.per_s {
        few if few < 9.95 => format!("{few:.1}"),
        // Far below 2^64.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a conversion of floats saturates"
        )]
        many => format::count(many.round() as u64),
    };
    Fact::new(name, per_s, say!("figure-per-s"), how)
}

fn moved(row: &Row, numbers: &Numbers) -> Fact {
    let mut how = say!("figure-moved-how").to_owned();
    if let Some(bytes) = row.peak_memory_bytes {
        how += "\n";
        how += &say!("figure-moved-memory", bytes = format::bytes(bytes));
    }
    if let Some(there) = row.resumed_in_words() {
        how += "\n";
        how += &sentence(&there);
    }
    if row.repeats() && row.rounds > 0 {
        let all = format::bytes(row.main_end().series.bytes()).to_string();
        return Fact::of_words(say!("figure-moved-in-all"), &all, how);
    }
    let name = say!("figure-moved");
    match (&row.phase, numbers.total) {
        (Phase::Done { .. }, Some(total)) => Fact::of_words(name, &format::bytes(total).to_string(), how),
        (_, Some(total)) => Fact {
            short_unit: Some(format::bytes(total).unit),
            ..Fact::of_words(name, &format::done_of(numbers.done, total), how)
        },
        (_, None) => Fact::of_words(name, &format::bytes(numbers.done).to_string(), how),
    }
}

/// Whether both ends have the same: known when both have told each other their checksums.
fn verified(row: &Row) -> Fact {
    let of = row
        .checksum()
        .map_or_else(String::new, |checksum| format!("\n{checksum}"));
    match row.phase {
        Phase::Done { verified: Some(true) } => {
            let bytes = row.main_end().finished.as_ref().map_or(0, |finished| finished.bytes);
            let how = say!("figure-verified-how").to_owned() + &of;
            Fact {
                has_tick: true,
                ..Fact::of_words(say!("figure-verified"), &format::bytes(bytes).to_string(), how)
            }
        }
        Phase::Done { verified: Some(false) } => Fact {
            colour: Some(|palette| palette.failed),
            ..Fact::new(
                say!("figure-checksums"),
                say!("figure-differ"),
                "",
                say!("figure-differ-how").to_owned() + &of,
            )
        },
        Phase::Done { verified: None } => {
            let how = say!("figure-not-verified-how");
            Fact::new(say!("figure-verified"), "", say!("row-not-verified"), how)
        }
        Phase::Failed { .. } | Phase::Interrupted { .. } | Phase::Cancelled => Fact::new(
            say!("figure-verified"),
            "",
            say!("figure-nothing"),
            say!("figure-nothing-how"),
        ),
        _ => Fact::new(
            say!("figure-verified"),
            "",
            say!("figure-at-the-end"),
            say!("figure-at-the-end-how"),
        ),
    }
}

fn cpu(row: &Row, numbers: &Numbers) -> Fact {
    let how = if row.is_loopback() {
        say!("figure-cpu-both-how")
    } else {
        say!("figure-cpu-this-how")
    };
    match numbers.cpu_s_per_gb {
        Some(cpu_s) => Fact::new(say!("figure-cpu"), format!("{cpu_s:.2}"), "s/GB", how),
        None => Fact::new(say!("figure-cpu"), "", "", how),
    }
}

fn copies(row: &Row) -> Fact {
    let (name, how) = (say!("figure-copies"), say!("figure-copies-how"));
    let copied: f64 = row
        .sides()
        .iter()
        .map(|side| row.end(*side).meters.copied_bytes())
        .sum();
    let bytes = row.main_end().series.bytes() as f64;
    if bytes <= 0.0 {
        return Fact::new(name, "", "", how);
    }
    Fact::new(name, format!("{:.2}", copied / bytes), "", how)
}

fn faults(row: &Row) -> Fact {
    let faults: f64 = row.sides().iter().map(|side| row.end(*side).meters.page_faults()).sum();
    // A count, which an f64 holds exactly up to 2^53.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count that is not negative"
    )]
    let faults = faults as u64;
    Fact::new(
        say!("figure-faults"),
        format::count(faults),
        "",
        say!("figure-faults-how"),
    )
}

fn streams(row: &Row) -> Fact {
    let end = row.main_end();
    let told = end.started.as_ref().map_or(0, |started| u64::from(started.streams));
    let streams = if end.counters.connections > 0 {
        end.counters.connections
    } else {
        told
    };
    Fact::new(
        say!("figure-streams"),
        format::count(streams),
        "",
        say!("figure-streams-how"),
    )
}

fn round_trip(row: &Row) -> Fact {
    let (name, how) = (say!("figure-round-trip"), say!("figure-round-trip-how"));
    let sides = [Side::Sender, Side::Receiver].into_iter();
    let tcp = sides
        .filter_map(|side| row.end(side).counters.tcp)
        .find(|tcp| tcp.tcp_rtt_s > 0.0);
    match tcp {
        Some(tcp) => Fact::of_words(name, &format::time(tcp.tcp_rtt_s), how),
        None => Fact::new(name, "", "", how),
    }
}
