//! What each of several connections of an end has moved over time.

use super::Row;
use crate::app::model::curves::{CurvePoint, Extent, bin_s, finest_bin_s, rate_runs};
use crate::telemetry::Series;
use crate::transfer::Options;

/// Of each connection so many points are kept at most: more than a curve has spans.
const POINTS_MAX: usize = 512;

/// The connections of one end, in the order in which they were opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams {
    each: Vec<Stream>,
    last_s: Option<f64>,
    is_paused: bool,
}

#[derive(Debug, Clone)]
struct Stream {
    series: Series,
    /// Bytes of the rounds before this one.
    base_bytes: u64,
}

impl Streams {
    /// Adds what each had moved in this round by `t_s`. Those beyond the most that a transfer takes are left out.
    pub(super) fn push(&mut self, t_s: f64, bytes: &[u64]) {
        while self.each.len() < bytes.len().min(usize::from(Options::STREAMS_MAX)) {
            let mut series = Series::with_room(POINTS_MAX);
            // When the others were last read, it had moved nothing.
            if let Some(last_s) = self.last_s {
                series.push(last_s, 0);
            }
            series.set_paused(t_s, self.is_paused);
            self.each.push(Stream { series, base_bytes: 0 });
        }
        for (stream, bytes) in self.each.iter_mut().zip(bytes) {
            stream.series.push(t_s, stream.base_bytes + bytes);
        }
        self.last_s = Some(t_s);
    }

    /// Begins a pause at `t_s`, or ends it.
    pub(super) fn set_paused(&mut self, t_s: f64, is_paused: bool) {
        self.is_paused = is_paused;
        for stream in &mut self.each {
            stream.series.set_paused(t_s, is_paused);
        }
    }

    /// Another round begins at `t_s`, whose bytes are counted from zero.
    pub(super) fn next_round(&mut self, t_s: f64) {
        for stream in &mut self.each {
            stream.base_bytes = stream.series.bytes();
            stream.series.push(t_s, stream.base_bytes);
        }
        self.set_paused(t_s, false);
    }

    /// Those that have moved anything, each with its number, from 1.
    pub(crate) fn moved(&self) -> impl Iterator<Item = (usize, &Series)> {
        let numbered = self.each.iter().enumerate();
        let moved = numbered.filter(|(_, stream)| stream.series.bytes() > 0);
        moved.map(|(index, stream)| (index + 1, &stream.series))
    }
}

impl Row {
    /// The rate of each connection between two times as it is drawn, in the runs between pauses, beside its number. Empty
    /// where there is only one.
    #[must_use]
    pub(crate) fn stream_runs(&self, from_s: f64, to_s: f64) -> Vec<(usize, Vec<Vec<CurvePoint>>)> {
        let end = self.main_end();
        let chunk_bytes = end.started.as_ref().map_or(0, |started| started.chunk_bytes as u64);
        // A connection that has moved little is drawn with the spans of the others.
        let finest_s = end
            .streams
            .moved()
            .map(|(_, series)| finest_bin_s(series, chunk_bytes, from_s));
        let finest_s = finest_s.reduce(f64::min).unwrap_or(0.0);
        let bin_s = bin_s(to_s - from_s, finest_s.max(self.finest_bin_s(from_s, to_s)));
        let extent = Extent::of(end.streams.moved().map(|(_, series)| series), !self.is_over());
        let pauses = self.pauses_between(from_s, to_s);
        let runs = |(number, series)| {
            let runs = rate_runs(series, extent, &pauses, (from_s, to_s), bin_s);
            (number, runs)
        };
        end.streams.moved().map(runs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_and_connections_that_come_later_count_on() {
        let mut streams = Streams::default();
        streams.push(0.0, &[0, 0]);
        streams.push(1.0, &[100, 50]);
        streams.push(2.0, &[200, 100, 70]);
        streams.next_round(2.0);
        streams.push(3.0, &[10, 0, 0]);
        let moved: Vec<(usize, u64)> = streams
            .moved()
            .map(|(number, series)| (number, series.bytes()))
            .collect();
        assert_eq!(moved, [(1, 210), (2, 100), (3, 70)]);
        let (_, third) = streams.moved().last().expect("the third");
        assert!((third.bytes_at(1.5) - 35.0).abs() < 1e-9, "it began at 1 s");
    }

    #[test]
    fn of_more_than_a_transfer_takes_the_first_are_kept_and_of_ten_hours_little() {
        let mut streams = Streams::default();
        for i in 0..100_000_u64 {
            streams.push(i as f64 * 0.36, &[i; 20]);
        }
        assert_eq!(streams.moved().count(), 16);
        assert!(streams.moved().all(|(_, series)| series.points().len() <= POINTS_MAX));
    }
}
