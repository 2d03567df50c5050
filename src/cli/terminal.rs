//! What people see: results on standard output; on standard error a bar a transfer, where that is a terminal.

use std::collections::HashMap;
use std::path::Path;

use crate::array::Value;
use crate::ping::PingEvent;
use crate::queue::Counts;
use crate::service::{Leftover, ServiceEvent, Status};
use crate::telemetry::{Sample, Series};
use crate::transfer::{Event, EventKind, Finished, Outcome, Side, Started, TransferId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{output, printable, round_trips, units};

/// The rate that is shown is the mean of so much time.
const RATE_WINDOW_S: f64 = 1.0;

/// What moves in no time needs no bar.
const BAR_BYTES_MIN: u64 = 8 << 20;

/// Shows transfers.
#[derive(Debug)]
pub struct Terminal {
    side: Side,
    bars: MultiProgress,
    shown: HashMap<TransferId, Shown>,
    /// What a service does, in one line; its transfers have one each as well where they are long.
    status: Option<ProgressBar>,
    /// Of several transfers each has a name, which its line begins with.
    names: HashMap<TransferId, String>,
}

/// One transfer as its side that is followed tells it.
#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    total_bytes: Option<u64>,
    element_count: u64,
    /// Where it comes from, where that is the web.
    url: Option<String>,
    first_elements: Vec<Value>,
    history: Series,
    bottleneck: Option<String>,
}

impl Terminal {
    /// Follows this side of each transfer.
    pub fn new(side: Side) -> Self {
        Self {
            side,
            bars: MultiProgress::new(),
            shown: HashMap::new(),
            status: None,
            names: HashMap::new(),
        }
    }

    pub fn job(&mut self, transfer: TransferId, name: &str) {
        self.names.insert(transfer, name.into());
    }

    pub fn jobs(&self, counts: &Counts, done: &str) {
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

    pub fn listening(&self, address: &str) {
        self.say(&format!("listening on {address}"));
    }

    pub fn event(&mut self, event: &Event) {
        if event.side != self.side {
            return;
        }
        if let EventKind::Started(started) = &event.kind {
            let shown = Shown::new(started, &self.bars);
            self.shown.insert(event.transfer, shown);
        } else if let Some(shown) = self.shown.get_mut(&event.transfer) {
            match &event.kind {
                EventKind::Sample(sample) => shown.sample(sample, event.elapsed_s),
                EventKind::Preview { values, .. } => shown.first_elements.clone_from(values),
                EventKind::Bottleneck(verdict) => shown.bottleneck = Some(verdict.sentence.clone()),
                _ => {}
            }
        }
    }

    pub fn ended(&mut self, transfer: TransferId, outcome: &Outcome) {
        let name = self.names.remove(&transfer);
        let Some(shown) = self.shown.remove(&transfer) else {
            return;
        };
        shown.bar.finish_and_clear();
        self.bars.remove(&shown.bar);
        if let Outcome::Done(finished) = outcome {
            let line = result(finished, shown.url.as_deref(), shown.history.end_s());
            if let Some(name) = name {
                let line = if line.contains(&name) {
                    line
                } else {
                    format!("{name}: {line}")
                };
                // Of several one line each is enough.
                self.say(&line);
                return;
            }
            self.say(&line);
            if let Some(sentence) = &shown.bottleneck {
                self.say(sentence);
            }
            let first = first_elements(&shown.first_elements, shown.element_count);
            // Of thousands one line each is enough.
            if let Some(line) = first.filter(|_| self.status.is_none()) {
                self.say(&line);
            }
            if let Some(note) = &finished.note {
                self.say(&format!("note: {note}"));
            }
        }
    }

    pub fn service(&mut self, event: &ServiceEvent) {
        match event {
            ServiceEvent::Service(status) => self.status(status),
            // Each of thousands would be a line: they are counted.
            ServiceEvent::HandedOver { .. } => {}
            ServiceEvent::WorkerReady { worker } => self.say(&format!("process {worker} works here")),
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

    pub fn working(&self, at: &Path) {
        self.say(&format!("process {} works for {}", std::process::id(), at.display()));
    }

    fn status(&mut self, status: &Status) {
        let bar = self.status.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::no_length());
            // A constant; without it the line would only be plainer.
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_message(units::counts(status));
    }

    pub fn leftover(&self, leftover: &Leftover) {
        let (path, bytes) = (leftover.path.display(), units::bytes(leftover.bytes));
        self.say(&format!(
            "{path} ({bytes}) was half received by a process that is gone: send it again, and remove it"
        ));
    }

    pub fn draining(&self) {
        self.say("nobody is taken any more; once more ends what is on its way, too");
    }

    pub fn ended_service(&mut self, status: &Status) {
        if let Some(bar) = self.status.take() {
            bar.finish_and_clear();
        }
        self.say(&summary(status));
    }

    pub fn ended_echo(&mut self, status: &Status) {
        if let Some(bar) = self.status.take() {
            bar.finish_and_clear();
        }
        let connections = if status.done == 1 { "connection" } else { "connections" };
        let bytes = units::bytes(status.bytes);
        self.say(&format!(
            "{} {connections}, {bytes} sent back; {} failed",
            status.done, status.failed
        ));
    }

    pub fn ended_recipe(&mut self, status: &Status) {
        if let Some(bar) = self.status.take() {
            bar.finish_and_clear();
        }
        let connections = if status.done == 1 { "connection" } else { "connections" };
        self.say(&format!(
            "{} {connections} handed over; {} failed",
            status.done, status.failed
        ));
    }

    pub fn ping(&self, event: &PingEvent) {
        for line in round_trips::lines(event) {
            self.say(&line);
        }
    }

    pub fn repeated(&self, finished: &[Finished]) {
        let mut rates: Vec<f64> = finished.iter().map(|finished| finished.rate_bytes_per_s).collect();
        if rates.len() > 1 {
            self.say(&repeated(&mut rates));
        }
    }

    /// Does something to the screen with the bars out of its way.
    pub fn suspend(&self, act: impl FnOnce()) {
        self.bars.suspend(act);
    }

    /// A line on standard output, at once. Nobody may be reading it, which is no reason to stop.
    pub fn say(&self, line: &str) {
        self.suspend(|| {
            output::write(format!("{}\n", printable(line)).as_bytes());
        });
    }
}

impl Shown {
    fn new(started: &Started, bars: &MultiProgress) -> Self {
        let total_bytes = started.total_bytes;
        let bar = match total_bytes {
            None => bars.add(ProgressBar::no_length()),
            Some(total) if total < BAR_BYTES_MIN => ProgressBar::hidden(),
            Some(total) => bars.add(ProgressBar::new(total)),
        };
        // The template is a constant that the tests read; without it the bar would only be plainer.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(name(started));
        Self {
            bar,
            total_bytes,
            element_count: started.shape.iter().product(),
            url: started.source.clone().filter(|_| started.wire.starts_with("http")),
            first_elements: Vec::new(),
            history: Series::new(),
            bottleneck: None,
        }
    }

    fn sample(&mut self, sample: &Sample, elapsed_s: f64) {
        self.history.push(elapsed_s, sample.bytes);
        let rate = self.history.rate_before(elapsed_s, RATE_WINDOW_S);
        self.bar.set_position(sample.bytes);
        self.bar.set_message(numbers(sample.bytes, self.total_bytes, rate));
    }
}

const TEMPLATE: &str = "{prefix:.bold} {wide_bar} {msg}";

/// What the bar is called: the source, or else the peer.
fn name(started: &Started) -> String {
    const CHARS_MAX: usize = 32;
    let name = printable(started.source.as_ref().unwrap_or(&started.peer));
    if name.chars().count() <= CHARS_MAX {
        return name;
    }
    name.chars().take(CHARS_MAX - 1).chain(['…']).collect()
}

/// `1.2 GB of 40.0 GB  5.1 GB/s  8 s left`; a whole and a time only where they can be told.
fn numbers(bytes: u64, total_bytes: Option<u64>, rate: f64) -> String {
    let Some(total_bytes) = total_bytes else {
        return format!("{}  {}", units::bytes(bytes), units::rate(rate));
    };
    let mut parts = vec![
        format!("{} of {}", units::bytes(bytes), units::bytes(total_bytes)),
        units::rate(rate),
    ];
    if rate > 0.0 {
        let left_bytes = total_bytes.saturating_sub(bytes) as f64;
        parts.push(format!("{} left", units::left(left_bytes / rate)));
    }
    parts.join("  ")
}

/// `400.0 MB in 0.080 s: 5.0 GB/s, verified (crc64nvme:0123456789abcdef), written to PATH`.
/// `400000000 bytes received from URL in 0.080 s: 5.0 GB/s, crc64nvme:0123456789abcdef, written to PATH`.
fn result(finished: &Finished, url: Option<&str>, elapsed_s: f64) -> String {
    let (bytes, rate) = (finished.bytes, finished.rate_bytes_per_s);
    let seconds = if rate > 0.0 { bytes as f64 / rate } else { elapsed_s };
    let verified = match (finished.verified, &finished.checksum) {
        (Some(true), Some(checksum)) => format!("verified ({checksum})"),
        (Some(true), None) => "verified".into(),
        (None, Some(checksum)) => checksum.clone(),
        (Some(false) | None, _) => "not verified".into(),
    };
    let written = finished
        .path
        .as_ref()
        .map(|path| format!(", written to {}", path.display()));
    let what = match url {
        Some(url) => format!("{bytes} bytes received from {url}"),
        None => units::bytes(bytes),
    };
    format!(
        "{what} in {}: {}, {verified}{}",
        units::elapsed(seconds),
        units::rate(rate),
        written.unwrap_or_default()
    )
}

/// `5 transfers: median 5.1 GB/s, 4.8 GB/s to 5.5 GB/s`. The median of an even number is the mean of the middle two.
fn repeated(rates: &mut [f64]) -> String {
    rates.sort_by(f64::total_cmp);
    let (count, last) = (rates.len(), rates.len() - 1);
    let median = f64::midpoint(rates[last / 2], rates[count / 2]);
    format!(
        "{count} transfers: median {}, {} to {}",
        units::rate(median),
        units::rate(rates[0]),
        units::rate(rates[last])
    )
}

/// `120 arrays, 1.2 GB; 4 failed, 1 cancelled`.
fn summary(status: &Status) -> String {
    let arrays = if status.done == 1 { "array" } else { "arrays" };
    format!(
        "{} {arrays}, {}; {} failed, {} cancelled",
        status.done,
        units::bytes(status.bytes),
        status.failed,
        status.cancelled
    )
}

fn first_elements(values: &[Value], element_count: u64) -> Option<String> {
    let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
    let more = if element_count > values.len() as u64 {
        " …"
    } else {
        ""
    };
    (!shown.is_empty()).then(|| format!("first elements: {}{more}", shown.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn a_result_is_one_line_with_everything_in_it() {
        let mut finished = Finished {
            bytes: 400_000_000,
            rate_bytes_per_s: 5e9,
            verified: Some(true),
            checksum: Some("crc32:cbf43926".into()),
            path: Some("a.npy".into()),
            note: None,
        };
        assert_eq!(
            result(&finished, None, 1.0),
            "400.0 MB in 0.080 s: 5.0 GB/s, verified (crc32:cbf43926), written to a.npy"
        );
        (finished.verified, finished.checksum, finished.path) = (None, None, None);
        assert_eq!(
            result(&finished, None, 1.0),
            "400.0 MB in 0.080 s: 5.0 GB/s, not verified"
        );
        (finished.bytes, finished.rate_bytes_per_s) = (0, 0.0);
        assert_eq!(result(&finished, None, 0.001), "0 B in 0.001 s: 0 B/s, not verified");
    }

    #[test]
    fn repeated_transfers_are_summed_up_by_their_median() {
        assert_eq!(
            repeated(&mut [3e9, 1e9, 2e9]),
            "3 transfers: median 2.0 GB/s, 1.0 GB/s to 3.0 GB/s"
        );
        assert_eq!(
            repeated(&mut [2e9, 1e9]),
            "2 transfers: median 1.5 GB/s, 1.0 GB/s to 2.0 GB/s"
        );
    }

    #[test]
    fn what_a_service_does_is_one_line() {
        let mut status = Status {
            connections: 3,
            receiving: 2,
            rate_bytes_per_s: 1.2e9,
            done: 120,
            failed: 4,
            bytes: 1_200_000_000,
            ..Status::default()
        };
        assert_eq!(
            units::counts(&status),
            "3 connections, 2 receiving at 1.2 GB/s; 120 done, 4 failed"
        );
        status.waiting = 1;
        assert_eq!(
            units::counts(&status),
            "3 connections, 2 receiving at 1.2 GB/s, 1 waiting; 120 done, 4 failed"
        );
        assert_eq!(summary(&status), "120 arrays, 1.2 GB; 4 failed, 0 cancelled");
    }

    #[test]
    fn time_left_is_never_invented() {
        assert_eq!(numbers(1_000, Some(40_000), 0.0), "1.0 kB of 40.0 kB  0 B/s");
        assert_eq!(
            numbers(1_200_000_000, Some(40_000_000_000), 5.1e9),
            "1.2 GB of 40.0 GB  5.1 GB/s  8 s left"
        );
        assert_eq!(numbers(1_000, None, 2e9), "1.0 kB  2.0 GB/s");
    }

    #[test]
    fn first_elements_say_when_there_are_more() {
        let values = [Value::Float(0.0), Value::Float(1.0)];
        assert_eq!(first_elements(&values, 2).as_deref(), Some("first elements: 0.0 1.0"));
        assert_eq!(first_elements(&values, 3).as_deref(), Some("first elements: 0.0 1.0 …"));
        assert_eq!(first_elements(&[], 3), None);
    }
}
