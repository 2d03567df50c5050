//! How often the window repaints while a transfer runs, and what the window itself costs.

use std::time::Duration;

/// The window may take this share of one core while a transfer runs.
pub(crate) const OWN_SHARE: f64 = 0.02;
/// Never more than 20 frames a second.
pub(crate) const SHORTEST: Duration = Duration::from_millis(50);
/// Never fewer than 2 frames a second.
pub(crate) const LONGEST: Duration = Duration::from_millis(500);

/// The time from one frame to the next, where a frame costs `frame_cpu_s` seconds of CPU.
#[must_use]
pub(crate) fn interval(frame_cpu_s: f64) -> Duration {
    if frame_cpu_s.is_nan() {
        return SHORTEST;
    }
    let wanted_s = (frame_cpu_s / OWN_SHARE).clamp(SHORTEST.as_secs_f64(), LONGEST.as_secs_f64());
    Duration::from_secs_f64(wanted_s)
}

/// What the window has cost lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WindowCost {
    /// Share of one core, from 0; 1 is one whole core.
    pub cpu: f64,
    /// Frames a second.
    pub frames_per_s: f64,
    /// CPU time of one frame.
    pub frame_cpu_s: f64,
}

/// Turns readings of a CPU clock, taken once a frame, into what the window costs.
#[derive(Debug, Clone, Default)]
pub(crate) struct CostMeter {
    begin: Option<Reading>,
    frames: u32,
    cost: Option<WindowCost>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    now_s: f64,
    cpu_s: f64,
}

impl CostMeter {
    /// How long a measurement lasts at least.
    const WINDOW_S: f64 = 1.0;
    /// The first one is shorter, so that pacing adapts soon.
    const FIRST_WINDOW_S: f64 = 0.25;

    /// Counts a frame, and tells whether a reading of the CPU clock is wanted now.
    pub(crate) fn frame(&mut self, now_s: f64) -> bool {
        self.frames += 1;
        let window_s = if self.cost.is_some() {
            Self::WINDOW_S
        } else {
            Self::FIRST_WINDOW_S
        };
        self.begin.is_none_or(|begin| now_s - begin.now_s >= window_s)
    }

    /// Takes the reading that [`CostMeter::frame`] wanted: the CPU time of the window's own threads so far.
    pub(crate) fn read(&mut self, now_s: f64, cpu_s: f64) {
        if let Some(begin) = self.begin
            && now_s > begin.now_s
            && self.frames > 0
        {
            let (span_s, cpu_s) = (now_s - begin.now_s, (cpu_s - begin.cpu_s).max(0.0));
            let frames = f64::from(self.frames);
            self.cost = Some(WindowCost {
                cpu: cpu_s / span_s,
                frames_per_s: frames / span_s,
                frame_cpu_s: cpu_s / frames,
            });
        }
        self.begin = Some(Reading { now_s, cpu_s });
        self.frames = 0;
    }

    /// Forgets the span that is being measured: the window was at rest.
    pub(crate) fn rest(&mut self) {
        self.begin = None;
        self.frames = 0;
    }

    /// What the window cost when it was last measured.
    #[must_use]
    pub(crate) fn cost(&self) -> Option<WindowCost> {
        self.cost
    }

    /// The time from this frame to the next.
    #[must_use]
    pub(crate) fn interval(&self) -> Duration {
        self.cost.map_or(SHORTEST, |cost| interval(cost.frame_cpu_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_frames_come_twenty_times_a_second_and_dear_ones_rarely() {
        assert_eq!(interval(0.0), SHORTEST);
        assert_eq!(interval(0.001), SHORTEST);
        assert_eq!(interval(0.002), Duration::from_millis(100));
        assert_eq!(interval(0.006), Duration::from_millis(300));
        assert_eq!(interval(0.012), LONGEST);
        assert_eq!(interval(1.0), LONGEST);
        assert_eq!(interval(f64::NAN), SHORTEST);
        assert_eq!(interval(f64::INFINITY), LONGEST);
    }

    #[test]
    fn the_window_stays_within_its_share_unless_a_frame_is_very_dear() {
        for milliseconds in 0..=10 {
            let cost_s = f64::from(milliseconds) / 1000.0;
            assert!(cost_s / interval(cost_s).as_secs_f64() <= OWN_SHARE + 1e-9);
        }
    }

    #[test]
    fn the_meter_measures_a_window_of_frames() {
        let mut meter = CostMeter::default();
        let mut wanted = 0;
        for i in 0..=40_u32 {
            let now_s = f64::from(i) * 0.05;
            if meter.frame(now_s) {
                wanted += 1;
                meter.read(now_s, f64::from(i) * 0.001);
            }
        }
        assert!((2..=4).contains(&wanted), "{wanted}");
        let cost = meter.cost().unwrap();
        assert!(
            (cost.frame_cpu_s - 0.001).abs() < 1e-9 && (cost.frames_per_s - 20.0).abs() < 0.1,
            "{cost:?}"
        );
        assert!((cost.cpu - 0.02).abs() < 1e-3);
        assert_eq!(meter.interval(), SHORTEST);
    }

    #[test]
    fn rest_does_not_count() {
        let mut meter = CostMeter::default();
        meter.frame(0.0);
        meter.read(0.0, 0.0);
        meter.rest();
        assert!(meter.frame(100.0));
        meter.read(100.0, 5.0);
        assert_eq!(meter.cost(), None);
    }
}
