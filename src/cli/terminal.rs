//! What people see: results on standard output; on standard error a bar a transfer, where that is a terminal.

use std::collections::HashMap;
use std::io::Write as _;

use arraylift::array::Value;
use arraylift::telemetry::{Sample, Series};
use arraylift::transfer::{Event, EventKind, Finished, Outcome, Side, Started, TransferId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{printable, units};

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
            match &event.kind {
                EventKind::Sample(sample) => shown.sample(sample, event.elapsed_s),
                EventKind::Preview { values, .. } => shown.first_elements.clone_from(values),
                EventKind::Bottleneck(verdict) => shown.bottleneck = Some(verdict.sentence.clone()),
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
            self.say(&result(finished, shown.history.end_s()));
            if let Some(sentence) = &shown.bottleneck {
                self.say(sentence);
            }
            if let Some(line) = first_elements(&shown.first_elements, shown.element_count) {
                self.say(&line);
            }
            if let Some(note) = &finished.note {
                self.say(&format!("note: {note}"));
            }
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
    fn say(&self, line: &str) {
        self.suspend(|| {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{}", printable(line)).and_then(|()| out.flush());
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
        bar.set_prefix(name(started));
        Self {
            bar,
            total_bytes,
            element_count: started.shape.iter().product(),
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

/// `1.2 GB of 40.0 GB  5.1 GB/s  8 s left`; a time only where one can be told.
fn numbers(bytes: u64, total_bytes: u64, rate: f64) -> String {
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
    fn time_left_is_never_invented() {
        assert_eq!(numbers(1_000, 40_000, 0.0), "1.0 kB of 40.0 kB  0 B/s");
        assert_eq!(
            numbers(1_200_000_000, 40_000_000_000, 5.1e9),
            "1.2 GB of 40.0 GB  5.1 GB/s  8 s left"
        );
    }

    #[test]
    fn first_elements_say_when_there_are_more() {
        let values = [Value::Float(0.0), Value::Float(1.0)];
        assert_eq!(first_elements(&values, 2).as_deref(), Some("first elements: 0.0 1.0"));
        assert_eq!(first_elements(&values, 3).as_deref(), Some("first elements: 0.0 1.0 …"));
        assert_eq!(first_elements(&[], 3), None);
    }
}
