//! What all transfers moved in the last minute, kept as it comes: so drawing it takes the same time for a thousand rows
//! as for one, and a row that is gone has moved its bytes all the same.

use std::collections::VecDeque;

/// The curve is of so many seconds.
pub(crate) const CURVE_S: f64 = 60.0;
/// And of so many points.
pub(crate) const CURVE_POINTS: usize = 46;
/// Each of them has so many of the short spans in which bytes are counted, so that it moves on in small steps.
const SPANS_A_POINT: usize = 12;
const SPAN_S: f64 = CURVE_S / (CURVE_POINTS * SPANS_A_POINT) as f64;

/// Bytes in short spans of the window's clock.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastMinute {
    /// The bytes of each span, the latest last: no more than a minute of them.
    spans: VecDeque<f64>,
    /// The number of the latest span since the clock began.
    latest: f64,
}

impl LastMinute {
    /// Counts bytes that moved evenly between two times on the window's clock. What is older than a minute is left out.
    pub(crate) fn add(&mut self, from_s: f64, to_s: f64, bytes: u64) {
        if bytes == 0 || !(from_s.is_finite() && to_s.is_finite()) {
            return;
        }
        let last = (to_s / SPAN_S).floor();
        self.go_on_to(last);
        let (bytes, length_s) = (bytes as f64, to_s - from_s);
        let mut number = (from_s / SPAN_S).floor().max(self.oldest());
        while number <= last {
            let begins_s = (number * SPAN_S).max(from_s);
            let ends_s = ((number + 1.0) * SPAN_S).min(to_s);
            let part = if length_s > 0.0 {
                (ends_s - begins_s) / length_s
            } else {
                1.0
            };
            if let Some(span) = self.span_mut(number) {
                *span += bytes * part;
            }
            number += 1.0;
        }
    }

    /// The mean rates in the minute before `now_s`, in bytes a second, the oldest first.
    #[must_use]
    pub(crate) fn rates(&self, now_s: f64) -> Vec<f64> {
        let mut rates = vec![0.0; CURVE_POINTS];
        let end = (now_s / SPAN_S).floor();
        for (index, bytes) in self.spans.iter().enumerate() {
            // How many spans before the one that lasts.
            let age = end - (self.oldest() + index as f64);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative and small where it counts"
            )]
            let point = (age.max(0.0) / SPANS_A_POINT as f64) as usize;
            if let Some(rate) = CURVE_POINTS.checked_sub(point + 1).and_then(|at| rates.get_mut(at)) {
                *rate += bytes / (SPAN_S * SPANS_A_POINT as f64);
            }
        }
        rates
    }

    /// The number of the first span that is kept.
    fn oldest(&self) -> f64 {
        self.latest + 1.0 - self.spans.len() as f64
    }

    fn span_mut(&mut self, number: f64) -> Option<&mut f64> {
        let index = number - self.oldest();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number that is not negative"
        )]
        let index = (index >= 0.0).then_some(index as usize)?;
        self.spans.get_mut(index)
    }

    /// Makes room up to a span, and lets go of what is older than a minute then.
    fn go_on_to(&mut self, number: f64) {
        let most = CURVE_POINTS * SPANS_A_POINT;
        if self.spans.is_empty() || number - self.latest >= most as f64 {
            self.spans.clear();
            self.spans.resize(most, 0.0);
            self.latest = number;
        }
        while self.latest < number {
            self.spans.pop_front();
            self.spans.push_back(0.0);
            self.latest += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(minute: &LastMinute, now_s: f64) -> f64 {
        minute.rates(now_s).iter().sum::<f64>() * CURVE_S / CURVE_POINTS as f64
    }

    #[test]
    fn bytes_count_where_they_moved_for_a_minute_and_no_longer() {
        let mut minute = LastMinute::default();
        minute.add(100.0, 112.0, 1200);
        minute.add(111.0, 112.0, 600);
        let rates = minute.rates(112.05);
        assert!((moved(&minute, 112.05) - 1800.0).abs() < 1e-6);
        assert!(
            (rates[CURVE_POINTS - 1] - (100.0 + 600.0 / 1.304)).abs() < 60.0,
            "{rates:?}"
        );
        assert!((rates[CURVE_POINTS - 5] - 100.0).abs() < 1.0, "{rates:?}");
        assert!(rates[..CURVE_POINTS - 11].iter().all(|rate| *rate == 0.0), "{rates:?}");
        assert!(
            (moved(&minute, 165.0) - 1300.0).abs() < 30.0,
            "{}",
            moved(&minute, 165.0)
        );
        assert!(moved(&minute, 173.0).abs() < 1e-9);
    }

    #[test]
    fn hours_of_silence_and_what_comes_late_are_no_trouble() {
        let mut minute = LastMinute::default();
        minute.add(0.0, 0.05, 10);
        minute.add(40_000.0, 40_000.0, 20);
        // As from a clock that was set back.
        minute.add(39_990.0, 39_991.0, 30);
        minute.add(10.0, 11.0, 40);
        assert!((moved(&minute, 40_000.01) - 50.0).abs() < 1e-6);
        assert_eq!(minute.spans.len(), CURVE_POINTS * SPANS_A_POINT);
    }
}
