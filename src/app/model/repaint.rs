//! How often the window repaints while a transfer runs, and what the window itself costs.

use std::time::Duration;

/// The window may take this share of one core while a transfer runs and cores are scarce.
pub(crate) const OWN_SHARE: f64 = 0.02;
/// 30 frames a second, where cores are idle.
pub(crate) const SMOOTH: Duration = Duration::from_millis(33);
/// Never more than 20 frames a second where they are scarce.
pub(crate) const SHORTEST: Duration = Duration::from_millis(50);
/// Never fewer than 2 frames a second.
pub(crate) const LONGEST: Duration = Duration::from_millis(500);
/// 5 frames a second where nothing moves: of a transfer that is paused, or waits for its peer, only the time goes on.
const RESTING: Duration = Duration::from_millis(200);
/// So much of a core stays idle besides what the window takes.
const SPARE_CORES: f64 = 0.5;
/// A transfer whose threads are ready without a core for such a share of the time lacks one.
pub(crate) const LACKS_FROM: f64 = 0.1;

/// What the cores of this machine do.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cores {
    /// How many would be idle if there were no window; `None` where that is not known.
    pub idle: Option<f64>,
    /// Whether a transfer waits for one.
    pub are_lacking: bool,
}

/// The time from one frame to the next, where a frame costs `frame_cpu_s` seconds of CPU.
#[must_use]
pub(crate) fn interval(frame_cpu_s: f64, cores: Cores) -> Duration {
    if cores.are_lacking {
        return LONGEST;
    }
    if frame_cpu_s.is_nan() {
        return SHORTEST;
    }
    let smooth = frame_cpu_s / SMOOTH.as_secs_f64();
    if cores.idle.is_some_and(|idle| idle >= smooth + SPARE_CORES) {
        return SMOOTH;
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
    /// Whether it draws less now, to leave the cores to a transfer that lacks one.
    pub is_sparing: bool,
}

/// Turns readings of a CPU clock, taken once a frame, into what the window costs.
#[derive(Debug, Clone, Default)]
pub(crate) struct CostMeter {
    begin: Option<Reading>,
    frames: u32,
    cost: Option<WindowCost>,
    cores: Cores,
}

#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "a unit is part of a name")]
struct Reading {
    now_s: f64,
    cpu_s: f64,
    idle_s: Option<f64>,
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

    /// Takes the reading that [`CostMeter::frame`] wanted: the CPU time of the window's own threads so far, and the time
    /// that cores of this machine were idle, summed over all of them, where that is known.
    pub(crate) fn read(&mut self, now_s: f64, cpu_s: f64, idle_s: Option<f64>) {
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
                is_sparing: false,
            });
            let idle_s = idle_s.zip(begin.idle_s).map(|(idle_s, before_s)| idle_s - before_s);
            self.cores.idle = idle_s.map(|idle_s| (idle_s.max(0.0) + cpu_s) / span_s);
        }
        self.begin = Some(Reading { now_s, cpu_s, idle_s });
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
        let is_sparing = self.cores.are_lacking;
        self.cost.map(|cost| WindowCost { is_sparing, ..cost })
    }

    /// Takes in whether a transfer lacks a core.
    pub(crate) fn note_lack(&mut self, are_lacking: bool) {
        self.cores.are_lacking = are_lacking;
    }

    /// Whether frames come so often that what moves is seen to move.
    #[must_use]
    pub(crate) fn is_smooth(&self) -> bool {
        self.interval() <= SHORTEST
    }

    /// The time from this frame to the next while something moves.
    #[must_use]
    pub(crate) fn interval(&self) -> Duration {
        let frame_cpu_s = self.cost.map_or(f64::NAN, |cost| cost.frame_cpu_s);
        interval(frame_cpu_s, self.cores)
    }

    /// The same while nothing does.
    #[must_use]
    pub(crate) fn resting_interval(&self) -> Duration {
        self.interval().max(RESTING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_frames_come_twenty_times_a_second_and_dear_ones_rarely() {
        let interval = |frame_cpu_s| interval(frame_cpu_s, Cores::default());
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
            let interval = interval(cost_s, Cores::default());
            assert!(cost_s / interval.as_secs_f64() <= OWN_SHARE + 1e-9);
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
                meter.read(now_s, f64::from(i) * 0.001, None);
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
    fn idle_cores_are_used_and_a_transfer_that_lacks_one_is_left_alone() {
        let cores = |idle, are_lacking| Cores {
            idle: Some(idle),
            are_lacking,
        };
        assert_eq!(interval(0.01, cores(2.0, false)), SMOOTH);
        assert_eq!(
            interval(0.01, cores(0.7, false)),
            LONGEST,
            "it would take all that is left"
        );
        assert_eq!(interval(0.001, cores(0.1, false)), SHORTEST);
        assert_eq!(interval(0.001, cores(2.0, true)), LONGEST);
        let mut meter = CostMeter::default();
        meter.frame(0.0);
        meter.read(0.0, 0.0, Some(10.0));
        for _ in 0..20 {
            meter.frame(0.9);
        }
        meter.read(1.0, 0.1, Some(11.4));
        assert_eq!(meter.interval(), SMOOTH, "what the window takes counts as idle");
        assert_eq!(meter.resting_interval(), Duration::from_millis(200));
        meter.note_lack(true);
        assert_eq!((meter.interval(), meter.resting_interval()), (LONGEST, LONGEST));
        assert!(meter.cost().is_some_and(|cost| cost.is_sparing));
    }

    #[test]
    fn rest_does_not_count() {
        let mut meter = CostMeter::default();
        meter.frame(0.0);
        meter.read(0.0, 0.0, None);
        meter.rest();
        assert!(meter.frame(100.0));
        meter.read(100.0, 5.0, None);
        assert_eq!(meter.cost(), None);
    }
}
