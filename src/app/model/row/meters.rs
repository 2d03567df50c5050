//! The counters of an end over time, for the second plot. They are thinned, so that they stay small.

use serde::{Deserialize, Serialize};

use crate::app::model::curves::CurvePoint;
use crate::app::words::say;
use crate::telemetry::{Counters, thinned};

/// So many readings are kept at most.
const KEPT_MAX: usize = 4096;

/// So long ago is now, in seconds.
const LATELY_S: f64 = 1.0;

/// What a second plot can show of an end. All of it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// Processor time of the data threads, in cores.
    Cpu,
    /// Page faults a second.
    PageFaults,
    /// System calls that moved bytes, a second.
    Syscalls,
    /// The smoothed round trip, in seconds.
    RoundTrip,
    /// The congestion window, in bytes.
    CongestionWindow,
    /// Segments that were sent again, a second.
    Retransmits,
    /// The rate at which the kernel saw bytes delivered, in bytes a second.
    DeliveryRate,
}

impl Measure {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Cpu,
        Self::PageFaults,
        Self::Syscalls,
        Self::RoundTrip,
        Self::CongestionWindow,
        Self::Retransmits,
        Self::DeliveryRate,
    ];

    /// Its name for people, with its unit where the numbers carry none.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cpu => say!("measure-cpu"),
            Self::PageFaults => say!("measure-page-faults"),
            Self::Syscalls => say!("measure-syscalls"),
            Self::RoundTrip => say!("measure-round-trip"),
            Self::CongestionWindow => say!("measure-congestion-window"),
            Self::Retransmits => say!("measure-retransmits"),
            Self::DeliveryRate => say!("measure-delivery-rate"),
        }
    }

    /// Its name for programs.
    #[must_use]
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::PageFaults => "page_faults",
            Self::Syscalls => "syscalls",
            Self::RoundTrip => "round_trip",
            Self::CongestionWindow => "congestion_window",
            Self::Retransmits => "retransmits",
            Self::DeliveryRate => "delivery_rate",
        }
    }

    /// The unit of its values.
    #[must_use]
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Cpu => "cores",
            Self::PageFaults | Self::Syscalls | Self::Retransmits => "1/s",
            Self::RoundTrip => "s",
            Self::CongestionWindow => "B",
            Self::DeliveryRate => "B/s",
        }
    }

    /// Whether it counts up, so that its rate is what is shown.
    fn counts(self) -> bool {
        matches!(self, Self::Cpu | Self::PageFaults | Self::Syscalls | Self::Retransmits)
    }

    fn is_of_tcp(self) -> bool {
        !matches!(self, Self::Cpu | Self::PageFaults | Self::Syscalls)
    }
}

/// One reading. Counts go on from one round to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reading {
    t_s: f64,
    cpu_s: f64,
    page_faults: f64,
    syscalls: f64,
    copied_bytes: f64,
    core_wait_s: f64,
    thread_s: f64,
    /// Round trip, congestion window, retransmits, delivery rate; `None` on a Unix socket.
    tcp: Option<[f64; 4]>,
}

impl Reading {
    /// One in place of two neighbours: what was counted by the later one, and the higher ones of what was read.
    fn merged(_before: &Self, first: &Self, second: &Self) -> Self {
        let higher = |first: [f64; 4], second: [f64; 4]| {
            let [round_trip, window, _, delivery] = first;
            [
                round_trip.max(second[0]),
                window.max(second[1]),
                second[2],
                delivery.max(second[3]),
            ]
        };
        Self {
            tcp: match (first.tcp, second.tcp) {
                (Some(first), Some(second)) => Some(higher(first, second)),
                (first, second) => second.or(first),
            },
            ..*second
        }
    }

    fn of(&self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Cpu => Some(self.cpu_s),
            Measure::PageFaults => Some(self.page_faults),
            Measure::Syscalls => Some(self.syscalls),
            Measure::RoundTrip => self.tcp.map(|tcp| tcp[0]),
            Measure::CongestionWindow => self.tcp.map(|tcp| tcp[1]),
            Measure::Retransmits => self.tcp.map(|tcp| tcp[2]),
            Measure::DeliveryRate => self.tcp.map(|tcp| tcp[3]),
        }
    }
}

/// The readings of one end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Meters {
    readings: Vec<Reading>,
    /// The counts of the rounds before this one.
    base: Counts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    cpu_s: f64,
    page_faults: f64,
    syscalls: f64,
    copied_bytes: f64,
    core_wait_s: f64,
    thread_s: f64,
    retransmits: f64,
}

impl Meters {
    /// Adds what had been counted in this round by `t_s`.
    pub(super) fn push(&mut self, t_s: f64, counters: &Counters) {
        let base = self.base;
        let tcp = counters.tcp.map(|tcp| {
            [
                tcp.tcp_rtt_s,
                tcp.tcp_cwnd_bytes as f64,
                base.retransmits + tcp.tcp_retransmits as f64,
                tcp.tcp_delivery_rate_bytes_per_s as f64,
            ]
        });
        if self.readings.last().is_some_and(|last| t_s <= last.t_s) {
            return;
        }
        self.readings.push(Reading {
            t_s,
            cpu_s: base.cpu_s + counters.cpu_s(),
            page_faults: base.page_faults + counters.page_faults as f64,
            syscalls: base.syscalls + counters.syscalls as f64,
            copied_bytes: base.copied_bytes + counters.copied_bytes as f64,
            core_wait_s: base.core_wait_s + counters.core_wait_s,
            thread_s: base.thread_s + counters.thread_s,
            tcp,
        });
        if self.readings.len() > KEPT_MAX {
            let thinned = thinned(&self.readings, KEPT_MAX, |reading| reading.t_s, Reading::merged);
            self.readings = thinned.map_or_else(Vec::new, |thinned| thinned.kept);
        }
    }

    /// Another round begins, whose counters start from zero.
    pub(super) fn next_round(&mut self) {
        if let Some(last) = self.readings.last() {
            self.base = Counts {
                cpu_s: last.cpu_s,
                page_faults: last.page_faults,
                syscalls: last.syscalls,
                copied_bytes: last.copied_bytes,
                core_wait_s: last.core_wait_s,
                thread_s: last.thread_s,
                retransmits: last.tcp.map_or(self.base.retransmits, |tcp| tcp[2]),
            };
        }
    }

    /// Whether this was ever measured here.
    #[must_use]
    pub(crate) fn has(&self, measure: Measure) -> bool {
        self.readings.iter().any(|reading| match measure {
            _ if measure.is_of_tcp() => reading.tcp.is_some(),
            _ => true,
        })
    }

    /// What was counted by an instant, or the last reading then; nothing before the first and after the last one.
    #[must_use]
    pub(crate) fn value_at(&self, measure: Measure, t_s: f64) -> Option<f64> {
        let after = self.readings.partition_point(|reading| reading.t_s < t_s);
        let then = self.readings.get(after)?;
        let Some(before) = after.checked_sub(1).map(|before| self.readings[before]) else {
            return then.of(measure).filter(|_| then.t_s <= t_s);
        };
        let (from, to) = (before.of(measure)?, then.of(measure)?);
        if !measure.counts() {
            return Some(from);
        }
        Some(from + (to - from) * (t_s - before.t_s) / (then.t_s - before.t_s))
    }

    /// Page faults so far, over all rounds.
    #[must_use]
    pub(crate) fn page_faults(&self) -> f64 {
        self.readings.last().map_or(0.0, |last| last.page_faults)
    }

    /// Bytes that the processor has copied so far, over all rounds.
    #[must_use]
    pub(crate) fn copied_bytes(&self) -> f64 {
        self.readings.last().map_or(0.0, |last| last.copied_bytes)
    }

    /// The part of the last second of its threads in which they were ready without a core.
    #[must_use]
    pub(crate) fn core_wait_share(&self) -> f64 {
        let Some(last) = self.readings.last() else { return 0.0 };
        let before = self
            .readings
            .iter()
            .rev()
            .find(|reading| last.t_s - reading.t_s >= LATELY_S);
        let before = before.or(self.readings.first());
        let before = before.filter(|before| before.t_s < last.t_s);
        let (wait_s, thread_s) = before.map_or((0.0, 0.0), |before| (before.core_wait_s, before.thread_s));
        let thread_s = last.thread_s - thread_s;
        if thread_s > 0.0 {
            (last.core_wait_s - wait_s) / thread_s
        } else {
            0.0
        }
    }

    /// What is drawn between two times: of what counts up its rate over spans of `bin_s`, of the others each reading, or
    /// the highest in each span where they are closer. Spans begin at the first reading after a multiple of `bin_s`,
    /// whatever is looked at, so that what is drawn keeps its shape.
    #[must_use]
    pub(crate) fn curve(&self, measure: Measure, (from_s, to_s): (f64, f64), bin_s: f64) -> Vec<CurvePoint> {
        let span_of = |t_s: f64| (t_s / bin_s * 1.000_001).floor();
        let first_span = span_of(from_s) - 1.0;
        let first = self
            .readings
            .partition_point(|reading| span_of(reading.t_s) < first_span);
        let drawn = |(begin_s, before): (f64, f64), t_s: f64, value: f64| {
            let value = if measure.counts() {
                ((value - before) / (t_s - begin_s)).max(0.0)
            } else {
                before.max(value)
            };
            CurvePoint { t_s, value }
        };
        let mut curve: Vec<CurvePoint> = Vec::new();
        // The reading that the open span begins with, or the highest in it.
        let mut open: Option<(f64, f64)> = None;
        for reading in &self.readings[first..] {
            let Some(value) = reading.of(measure) else { continue };
            let t_s = reading.t_s;
            match open {
                None => open = Some((t_s, value)),
                Some(begin) if span_of(t_s) > span_of(begin.0) => {
                    let drawn = drawn(begin, t_s, value);
                    // A curve begins level.
                    if curve.is_empty() {
                        curve.push(CurvePoint { t_s: begin.0, ..drawn });
                    }
                    curve.push(drawn);
                    open = Some((t_s, value));
                }
                Some((begin_s, before)) if !measure.counts() => open = Some((begin_s, before.max(value))),
                Some(_) => {}
            }
            if t_s > to_s + bin_s {
                break;
            }
        }
        // What is left over at the end, where it is enough to tell.
        if let (Some(begin), Some(last)) = (open, self.readings.last())
            && last.t_s - begin.0 >= bin_s / 2.0
            && last.t_s <= to_s + bin_s
            && let Some(value) = last.of(measure)
        {
            curve.push(drawn(begin, last.t_s, value));
        }
        curve
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::TcpCounters;

    fn counters(cpu_s: f64, rtt_s: Option<f64>) -> Counters {
        Counters {
            cpu_user_s: cpu_s,
            tcp: rtt_s.map(|tcp_rtt_s| TcpCounters {
                tcp_rtt_s,
                ..TcpCounters::default()
            }),
            ..Counters::default()
        }
    }

    #[test]
    fn processor_time_is_drawn_in_cores_over_two_rounds() {
        let mut meters = Meters::default();
        for round in 0..2_u32 {
            for i in 0..=20_u32 {
                let t_s = f64::from(round * 20 + i) * 0.05 + f64::from(round) * 1e-6;
                meters.push(t_s, &counters(f64::from(i) * 0.025, None));
            }
            meters.next_round();
        }
        let curve = meters.curve(Measure::Cpu, (0.0, 2.0), 0.1);
        assert!(curve.len() > 15, "{}", curve.len());
        for drawn in &curve {
            assert!((drawn.value - 0.5).abs() < 0.3, "{drawn:?}");
        }
        assert!(!meters.has(Measure::RoundTrip) && meters.has(Measure::Cpu));
        assert!(meters.curve(Measure::RoundTrip, (0.0, 2.0), 0.1).is_empty());
    }

    #[test]
    fn a_round_trip_is_drawn_at_its_highest() {
        let mut meters = Meters::default();
        for i in 0..100_u32 {
            let rtt_s = if i == 50 { 1e-2 } else { 1e-4 };
            meters.push(f64::from(i) * 0.05, &counters(0.0, Some(rtt_s)));
        }
        let curve = meters.curve(Measure::RoundTrip, (0.0, 5.0), 0.5);
        assert!(curve.len() <= 12);
        assert!(curve.iter().any(|drawn| drawn.value > 9e-3));
    }

    #[test]
    fn what_is_drawn_keeps_its_shape_whatever_part_is_looked_at() {
        let mut meters = Meters::default();
        for i in 0..400_u32 {
            let cpu_s = f64::from(i) * 0.01 + f64::from(i % 13) * 0.004;
            meters.push(f64::from(i) * 0.047, &counters(cpu_s, Some(f64::from(i % 7))));
        }
        for measure in [Measure::Cpu, Measure::RoundTrip] {
            let whole = meters.curve(measure, (0.0, 20.0), 0.128);
            for from_s in [1.0, 1.01, 3.3, 7.77] {
                let part = meters.curve(measure, (from_s, from_s + 5.0), 0.128);
                // A curve begins level.
                let inside = &part[1..];
                assert!(inside.len() > 30, "{}", inside.len());
                assert!(inside.iter().all(|drawn| whole.contains(drawn)), "from {from_s}");
            }
        }
    }

    #[test]
    fn rounds_shorter_than_a_second_lack_a_core_together() {
        let mut meters = Meters::default();
        for round in 0..40_u32 {
            // Each waits for a core only at its beginning.
            for (i, waited_s) in [(0, 0.0), (1, 0.02), (2, 0.02)] {
                let counters = Counters {
                    thread_s: f64::from(i) * 0.05,
                    core_wait_s: waited_s,
                    ..Counters::default()
                };
                meters.push(f64::from(round) * 0.1 + f64::from(i) * 0.05 + 1e-6, &counters);
            }
            meters.next_round();
        }
        let share = meters.core_wait_share();
        assert!((share - 0.2).abs() < 0.02, "{share}");
    }

    #[test]
    fn ten_hours_take_bounded_room() {
        let mut meters = Meters::default();
        for i in 0..720_000_u32 {
            meters.push(f64::from(i) * 0.05, &counters(f64::from(i) * 0.01, None));
        }
        assert!(meters.readings.len() <= KEPT_MAX);
        let curve = meters.curve(Measure::Cpu, (0.0, 36_000.0), 300.0);
        assert!((100..=125).contains(&curve.len()), "{}", curve.len());
        assert!(curve.iter().all(|drawn| (drawn.value - 0.2).abs() < 1e-6));
        let lately = meters.curve(Measure::Cpu, (35_990.0, 36_000.0), 0.128);
        assert!(lately.len() >= 60, "{}", lately.len());
    }
}
