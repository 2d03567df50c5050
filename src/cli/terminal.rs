//! What people see: results on standard output; on standard error a bar a transfer, where that is a terminal.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::array::Value;
use crate::ping::PingEvent;
use crate::queue::Counts;
use crate::service::{Leftover, ServiceEvent, Status};
use crate::telemetry::{Sample, Series};
use crate::transfer::{Event, EventKind, Outcome, Side, Started, State, Stats, TransferId};
use crate::units;

use super::lines::Way;
use super::output::{BarChange, BarId, Look};
use super::repeated::Repeated;
use super::{lines, output, ping_table, printable};

/// The rate that is shown is the mean of so much time.
const RATE_WINDOW_S: f64 = 1.0;

/// What moves in no time needs no bar.
const BAR_BYTES_MIN: u64 = 8 << 20;

/// Shows transfers.
#[derive(Debug)]
pub(super) struct Terminal {
    side: Side,
    shown: HashMap<TransferId, Shown>,
    /// It is a service: one line tells what it does. Its transfers have one each as well where they are long.
    has_status: bool,
    /// Of several transfers each has a name, which its line begins with.
    names: HashMap<TransferId, String>,
    /// The last one that was done was handed over: it has no rate.
    was_handed_over: bool,
    paused: HashSet<TransferId>,
}

/// One transfer as its side that is followed tells it.
#[derive(Debug)]
struct Shown {
    /// Its bar, if it has one.
    bar: Option<BarId>,
    total_bytes: Option<u64>,
    resumed_bytes: u64,
    element_count: u64,
    way: Way,
    first_elements: Vec<Value>,
    stats: Option<Box<Stats>>,
    history: Series,
    bottleneck: Option<String>,
    limit_bytes_per_s: Option<u64>,
    /// Of a folder: how far its items are.
    items: Option<String>,
}

impl Terminal {
    /// Follows this side of each transfer.
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            shown: HashMap::new(),
            has_status: false,
            names: HashMap::new(),
            was_handed_over: false,
            paused: HashSet::new(),
        }
    }

    pub(super) fn job(&mut self, transfer: TransferId, name: &str) {
        self.names.insert(transfer, name.into());
    }

    pub(super) fn jobs(&self, counts: &Counts, done: &str) {
        let mut parts = vec![format!("{} {done}", counts.done)];
        for (count, word) in [
            (counts.failed, "failed"),
            (counts.cancelled, "cancelled"),
            (counts.withdrawn, "not begun"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        self.say(&parts.join(", "));
    }

    pub(super) fn listening(&self, address: &str) {
        self.say(&format!("listening on {address}"));
    }

    pub(super) fn event(&mut self, event: &Event) {
        if event.side != self.side {
            return;
        }
        if let EventKind::Stranger { peer, message, .. } = &event.kind {
            self.say(&format!("not a sender: {}: {message}", super::printable(peer)));
        }
        if let EventKind::State { state } = event.kind {
            self.state(event.transfer, state);
        }
        if let EventKind::Started(started) = &event.kind {
            if started.resumed_bytes > 0 {
                let (there, all) = (started.resumed_bytes, started.total_bytes.unwrap_or(0));
                let words = format!("goes on: {} are there already", units::done_of(there, all));
                match self.names.get(&event.transfer) {
                    Some(name) => self.say(&format!("{name}: {words}")),
                    None => self.say(&words),
                }
            }
            let shown = Shown::new(event.transfer, started);
            self.shown.insert(event.transfer, shown);
        } else if let Some(shown) = self.shown.get_mut(&event.transfer) {
            match &event.kind {
                EventKind::Sample(sample) => shown.sample(sample, event.elapsed_s),
                EventKind::Items(items) => shown.items = Some(items.how_far_in_words()),
                EventKind::Limit { bytes_per_s } => shown.limit_bytes_per_s = *bytes_per_s,
                EventKind::Preview { values, .. } => shown.first_elements.clone_from(values),
                EventKind::Stats(stats) => shown.stats = Some(stats.clone()),
                EventKind::Bottleneck(verdict) => shown.bottleneck = Some(verdict.sentence.clone()),
                EventKind::Cancelled { note: Some(note), .. } => self.say(note),
                _ => {}
            }
        }
    }

    /// Says that a transfer is paused, and that it goes on.
    fn state(&mut self, transfer: TransferId, state: State) {
        let word = match state {
            State::Paused if self.paused.insert(transfer) => "paused",
            State::Transferring if self.paused.remove(&transfer) => "goes on",
            _ => return,
        };
        match self.names.get(&transfer) {
            Some(name) => self.say(&format!("{name}: {word}")),
            None if self.has_status => self.say(&format!("transfer {}: {word}", transfer.0)),
            None => self.say(word),
        }
    }

    pub(super) fn ended(&mut self, transfer: TransferId, outcome: &Outcome) {
        self.paused.remove(&transfer);
        let name = self.names.remove(&transfer);
        let Some(shown) = self.shown.remove(&transfer) else {
            return;
        };
        if let Some(bar) = shown.bar {
            output::bar(bar, BarChange::Clear);
        }
        if let Outcome::Done(finished) = outcome {
            self.was_handed_over = shown.way == Way::Handoff;
            let line = lines::result(finished, &shown.way, shown.history.end_s());
            if let Some(name) = name {
                let line = if line.contains(&name) {
                    line
                } else {
                    format!("{name}: {line}")
                };
                // Of several one line each is enough, and what one should know.
                self.say(&line);
                for line in shown.stats.iter().flat_map(|stats| lines::statistics(stats)) {
                    self.say(&format!("{name}: {line}"));
                }
                if let Some(note) = &finished.note {
                    self.say(&format!("{name}: note: {note}"));
                }
                return;
            }
            self.say(&line);
            if let Some(sentence) = &shown.bottleneck {
                self.say(sentence);
            }
            let first = lines::first_elements(&shown.first_elements, shown.element_count);
            // Of thousands one line each is enough.
            if let Some(line) = first.filter(|_| !self.has_status) {
                self.say(&line);
            }
            if let Some(stats) = &shown.stats {
                for line in lines::statistics(stats) {
                    self.say(&line);
                }
            }
            if let Some(note) = &finished.note {
                self.say(&format!("note: {note}"));
            }
        }
    }

    pub(super) fn service(&mut self, event: &ServiceEvent) {
        match event {
            ServiceEvent::Service(status) => self.status(status),
            // Each of thousands would be a line: they are counted.
            ServiceEvent::HandedOver { .. } => {}
            ServiceEvent::WorkerReady { worker } => self.say(&format!("process {worker} works here")),
            ServiceEvent::WorkerMissing { why } => {
                self.say(&format!("no worker can be started, it is tried again: {why}"));
            }
            ServiceEvent::WorkerGone { worker, how, transfers } => {
                let lost = match transfers {
                    0 => String::new(),
                    1 => ": 1 transfer failed with it".into(),
                    several => format!(": {several} transfers failed with it"),
                };
                self.say(&format!("process {worker} {how}{lost}"));
            }
        }
    }

    pub(super) fn working(&self, at: &Path) {
        self.say(&format!("process {} works for {}", std::process::id(), at.display()));
    }

    fn status(&mut self, status: &Status) {
        if !self.has_status {
            self.has_status = true;
            let show = BarChange::Show {
                look: Look::Words,
                length: None,
                name: String::new(),
            };
            output::bar(BarId::Command, show);
        }
        let text = status.in_words();
        output::bar(BarId::Command, BarChange::Move { position: 0, text });
    }

    pub(super) fn leftover(&self, leftover: &Leftover) {
        let (path, bytes) = (leftover.path.display(), units::bytes(leftover.bytes));
        self.say(&match leftover.resumed_bytes {
            Some(there) => format!(
                "{path} was half received by a process that is gone: send it again, and it goes on from {}",
                units::done_of(there, leftover.bytes)
            ),
            None => {
                format!("{path} ({bytes}) was half received by a process that is gone: send it again, and remove it")
            }
        });
    }

    pub(super) fn draining(&self) {
        let goes_on = match self.shown.len() {
            0 => "once more ends at once".into(),
            1 => "1 transfer goes on; once more ends it".into(),
            several => format!("{several} transfers go on; once more ends them"),
        };
        self.say(&format!("no new connections; {goes_on}"));
    }

    pub(super) fn ended_service(&mut self, status: &Status) {
        self.clear_status();
        self.say(&lines::summary(status));
    }

    pub(super) fn ended_echo(&mut self, status: &Status) {
        self.clear_status();
        let connections = if status.done == 1 { "connection" } else { "connections" };
        let bytes = units::bytes(status.bytes);
        self.say(&format!(
            "{} {connections}, {bytes} sent back; {} failed",
            units::count(status.done),
            units::count(status.failed)
        ));
    }

    pub(super) fn ended_recipe(&mut self, status: &Status) {
        self.clear_status();
        let connections = if status.done == 1 { "connection" } else { "connections" };
        self.say(&format!(
            "{} {connections} handed over; {} failed",
            units::count(status.done),
            units::count(status.failed)
        ));
    }

    pub(super) fn ping(&self, event: &PingEvent) {
        for line in ping_table::lines(event) {
            self.say(&line);
        }
    }

    pub(super) fn repeated(&self, repeated: &Repeated) {
        let is_several = repeated.count() > 1;
        if is_several && self.was_handed_over {
            self.say(&repeated.handoffs_in_words());
        } else if is_several {
            self.say(&repeated.in_words());
        }
    }

    /// A line on standard output.
    #[expect(
        clippy::unused_self,
        reason = "lines for people are said by who shows transfers to them"
    )]
    pub(super) fn say(&self, line: &str) {
        output::text(printable(line) + "\n");
    }

    fn clear_status(&mut self) {
        if std::mem::take(&mut self.has_status) {
            output::bar(BarId::Command, BarChange::Clear);
        }
    }
}

impl Shown {
    fn new(transfer: TransferId, started: &Started) -> Self {
        let total_bytes = started.total_bytes;
        let is_long = total_bytes.is_none_or(|total| total >= BAR_BYTES_MIN);
        let bar = (is_long && output::has_bars()).then_some(BarId::Transfer(transfer));
        if let Some(bar) = bar {
            let show = BarChange::Show {
                look: Look::Transfer,
                length: total_bytes,
                name: lines::name(started),
            };
            output::bar(bar, show);
        }
        Self {
            bar,
            total_bytes,
            resumed_bytes: started.resumed_bytes,
            element_count: started.shape.iter().product(),
            way: Way::of(started),
            first_elements: Vec::new(),
            stats: None,
            history: Series::new(),
            bottleneck: None,
            limit_bytes_per_s: None,
            items: None,
        }
    }

    fn sample(&mut self, sample: &Sample, elapsed_s: f64) {
        self.history.push(elapsed_s, sample.bytes);
        if let Some(bar) = self.bar {
            let rate = self.history.rate_before(elapsed_s, RATE_WINDOW_S);
            let done_bytes = self.resumed_bytes.saturating_add(sample.bytes);
            let mut numbers = lines::numbers(done_bytes, self.total_bytes, rate);
            if let Some(items) = &self.items {
                numbers = format!("{numbers}  {items}");
            }
            let change = BarChange::Move {
                position: done_bytes,
                text: match self.limit_bytes_per_s {
                    Some(limit) => format!("{numbers}  limited to {}", units::rate(limit as f64)),
                    None => numbers,
                },
            };
            output::bar(bar, change);
        }
    }
}
