//! What people see: results on standard output; on standard error a bar a transfer, where that is a terminal.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;

use arraylift::array::Value;
use arraylift::telemetry::Sample;
use arraylift::transfer::{Event, EventKind, Finished, Outcome, Side, Started, TransferId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::units;

/// The rate that is shown is the mean of so much time.
const RATE_WINDOW_S: f64 = 1.0;

/// Shows transfers.
#[derive(Debug)]
pub struct Terminal {
    side: Side,
    bars: MultiProgress,
    shown: HashMap<TransferId, Shown>,
}

/// One transfer as its side that is followed tells it.
#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    total_bytes: u64,
    element_count: u64,
    first_elements: Vec<Value>,
    pace: Pace,
    elapsed_s: f64,
}

impl Terminal {
    /// Follows this side of each transfer.
    pub fn new(side: Side) -> Self {
        Self {
            side,
            bars: MultiProgress::new(),
            shown: HashMap::new(),
        }
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
            shown.elapsed_s = event.elapsed_s;
            match &event.kind {
                EventKind::Sample(sample) => shown.sample(sample, event.elapsed_s),
                EventKind::Preview { values, .. } => shown.first_elements.clone_from(values),
                _ => {}
            }
        }
    }

    pub fn ended(&mut self, transfer: TransferId, outcome: &Outcome) {
        let Some(shown) = self.shown.remove(&transfer) else {
            return;
        };
        shown.bar.finish_and_clear();
        self.bars.remove(&shown.bar);
        if let Outcome::Done(finished) = outcome {
            self.say(&result(finished, shown.elapsed_s));
            if let Some(line) = first_elements(&shown.first_elements, shown.element_count) {
                self.say(&line);
            }
            if let Some(note) = &finished.note {
                self.say(&format!("note: {note}"));
            }
        }
    }

    /// Does something to the screen with the bars out of its way.
    pub fn suspend(&self, act: impl FnOnce()) {
        self.bars.suspend(act);
    }

    /// A line on standard output, at once. Nobody may be reading it, which is no reason to stop.
    fn say(&self, line: &str) {
        self.suspend(|| {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        });
    }
}

impl Shown {
    fn new(started: &Started, bars: &MultiProgress) -> Self {
        let total_bytes = started.total_bytes;
        let bar = bars.add(ProgressBar::new(total_bytes));
        // The template is a constant that the tests read; without it the bar would only be plainer.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(started.source.clone().unwrap_or_else(|| started.peer.clone()));
        Self {
            bar,
            total_bytes,
            element_count: started.shape.iter().product(),
            first_elements: Vec::new(),
            pace: Pace::default(),
            elapsed_s: 0.0,
        }
    }

    fn sample(&mut self, sample: &Sample, elapsed_s: f64) {
        let rate = self.pace.rate(elapsed_s, sample.bytes);
        self.bar.set_position(sample.bytes);
        self.bar.set_message(numbers(sample.bytes, self.total_bytes, rate));
    }
}

const TEMPLATE: &str = "{prefix:.bold} {wide_bar} {msg}";

/// The mean rate of the last second.
#[derive(Debug, Default)]
struct Pace(VecDeque<(f64, u64)>);

impl Pace {
    fn rate(&mut self, elapsed_s: f64, bytes: u64) -> Option<f64> {
        self.0.push_back((elapsed_s, bytes));
        while self.0.len() > 2 && elapsed_s - self.0[1].0 >= RATE_WINDOW_S {
            self.0.pop_front();
        }
        let (first_s, first_bytes) = *self.0.front()?;
        let passed_s = elapsed_s - first_s;
        (passed_s > 0.0).then(|| bytes.saturating_sub(first_bytes) as f64 / passed_s)
    }
}

/// `1.2 GB of 40.0 GB  5.1 GB/s  8 s left`; a rate and a time only where they are known.
fn numbers(bytes: u64, total_bytes: u64, rate: Option<f64>) -> String {
    let left_bytes = total_bytes.saturating_sub(bytes) as f64;
    let left = rate.filter(|rate| *rate > 0.0).map(|rate| left_bytes / rate);
    let parts = [
        Some(format!("{} of {}", units::bytes(bytes), units::bytes(total_bytes))),
        rate.map(units::rate),
        left.map(|seconds| format!("{} left", units::left(seconds))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

/// `400.0 MB in 0.080 s: 5.0 GB/s, verified (crc64nvme:0123456789abcdef), written to PATH`.
fn result(finished: &Finished, elapsed_s: f64) -> String {
    let (bytes, rate) = (finished.bytes, finished.rate_bytes_per_s);
    let seconds = if rate > 0.0 { bytes as f64 / rate } else { elapsed_s };
    let verified = match (finished.verified, &finished.checksum) {
        (Some(true), Some(checksum)) => format!("verified ({checksum})"),
        (Some(true), None) => "verified".into(),
        (Some(false) | None, _) => "not verified".into(),
    };
    let written = finished
        .path
        .as_ref()
        .map(|path| format!(", written to {}", path.display()));
    format!(
        "{} in {}: {}, {verified}{}",
        units::bytes(bytes),
        units::elapsed(seconds),
        units::rate(rate),
        written.unwrap_or_default()
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
            result(&finished, 1.0),
            "400.0 MB in 0.080 s: 5.0 GB/s, verified (crc32:cbf43926), written to a.npy"
        );
        (finished.verified, finished.checksum, finished.path) = (None, None, None);
        assert_eq!(result(&finished, 1.0), "400.0 MB in 0.080 s: 5.0 GB/s, not verified");
        (finished.bytes, finished.rate_bytes_per_s) = (0, 0.0);
        assert_eq!(result(&finished, 0.001), "0 B in 0.001 s: 0 B/s, not verified");
    }

    #[test]
    fn time_left_is_never_invented() {
        assert_eq!(numbers(0, 40_000_000_000, None), "0 B of 40.0 GB");
        assert_eq!(numbers(1_000, 40_000, Some(0.0)), "1.0 kB of 40.0 kB  0 B/s");
        assert_eq!(
            numbers(1_200_000_000, 40_000_000_000, Some(5.1e9)),
            "1.2 GB of 40.0 GB  5.1 GB/s  8 s left"
        );
    }

    #[test]
    fn the_rate_follows_the_last_second() {
        let mut pace = Pace::default();
        assert_eq!(pace.rate(0.0, 0), None);
        assert_eq!(pace.rate(1.0, 100), Some(100.0));
        assert_eq!(pace.rate(2.0, 200), Some(100.0));
        assert_eq!(pace.rate(3.0, 200), Some(0.0));
        assert_eq!(pace.rate(3.0, 200), Some(0.0));
    }

    #[test]
    fn first_elements_say_when_there_are_more() {
        let values = [Value::Float(0.0), Value::Float(1.0)];
        assert_eq!(first_elements(&values, 2).as_deref(), Some("first elements: 0.0 1.0"));
        assert_eq!(first_elements(&values, 3).as_deref(), Some("first elements: 0.0 1.0 …"));
        assert_eq!(first_elements(&[], 3), None);
    }
}
