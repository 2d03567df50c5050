//! Bytes over time, thinned to what a picture of a transfer needs.

use crate::telemetry::Side;

/// The most points that a curve has.
pub(crate) const POINTS_MAX: usize = 256;

/// A rate is drawn as so many spans at most.
const SPANS_MAX: u32 = 128;

/// Each has so many bytes on average, ten of the largest chunks, unless it is as long as is enough for slow ones.
const SPAN_BYTES_MIN: f64 = (20 << 20) as f64;
const SPAN_ENOUGH_S: f64 = 2.0;

/// Bytes over time of one end: the first and the last point are always there, and between them the points are about
/// evenly spaced in time. The bytes of each are exact.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Curve {
    /// Seconds since the transfer's clock began, and bytes that had moved by then. Neither ever decreases.
    points: Vec<(f64, u64)>,
    /// Points closer together than this become one.
    span_min_s: f64,
}

/// The curves of the ends that were in this process.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Curves {
    /// The sender's.
    pub sender: Curve,
    /// The receiver's.
    pub receiver: Curve,
}

impl Curve {
    /// Adds that so many bytes had moved by `t_s`.
    pub(crate) fn push(&mut self, t_s: f64, bytes: u64) {
        let (last_s, last_bytes) = self.points.last().copied().unwrap_or((-1.0, 0));
        if !t_s.is_finite() || t_s < last_s.max(0.0) {
            return;
        }
        self.put((t_s, bytes.max(last_bytes)));
        if self.points.len() > POINTS_MAX {
            self.thin();
        }
    }

    /// The points, oldest first.
    pub(crate) fn points(&self) -> &[(f64, u64)] {
        &self.points
    }

    /// The rate over time as it is drawn: seconds, and bytes a second. It is the mean of spans of the same length, with the
    /// first one's at the beginning and each one's at its end. Bytes are counted when a chunk has moved: where spans had
    /// only a few chunks, the rate would leap between what they happen to have.
    pub(crate) fn rates(&self) -> Vec<(f64, f64)> {
        let (Some((first_s, first)), Some((last_s, last))) = (self.points.first(), self.points.last()) else {
            return Vec::new();
        };
        let (seconds, bytes) = (last_s - first_s, (last - first) as f64);
        if seconds <= 0.0 {
            return Vec::new();
        }
        let fine_enough = (bytes / SPAN_BYTES_MIN).max(seconds / SPAN_ENOUGH_S);
        let spans = (1..=SPANS_MAX)
            .rev()
            .find(|spans| f64::from(*spans) <= fine_enough)
            .unwrap_or(1);
        let span_s = seconds / f64::from(spans);
        let ends = (0..=spans).map(|index| {
            let t_s = first_s + span_s * f64::from(index);
            (t_s, self.bytes_at(t_s))
        });
        let ends: Vec<(f64, f64)> = ends.collect();
        let rate = |pair: &[(f64, f64)]| (pair[1].0, (pair[1].1 - pair[0].1) / span_s);
        let rates: Vec<(f64, f64)> = ends.windows(2).map(rate).collect();
        let begin = rates.first().map(|(_, rate)| (*first_s, *rate));
        begin.into_iter().chain(rates).collect()
    }

    /// Bytes that had moved by then, where they moved evenly between two points.
    fn bytes_at(&self, t_s: f64) -> f64 {
        let after = self.points.partition_point(|(point_s, _)| *point_s <= t_s);
        match (
            after.checked_sub(1).and_then(|at| self.points.get(at)),
            self.points.get(after),
        ) {
            (Some((from_s, from)), Some((to_s, to))) => {
                *from as f64 + (to - from) as f64 * (t_s - from_s) / (to_s - from_s)
            }
            (Some((_, bytes)), None) | (None, Some((_, bytes))) => *bytes as f64,
            (None, None) => 0.0,
        }
    }

    fn put(&mut self, point: (f64, u64)) {
        match self.points.as_mut_slice() {
            [.., last] if last.0 >= point.0 => *last = point,
            [.., before, last] if point.0 - before.0 < self.span_min_s => *last = point,
            _ => self.points.push(point),
        }
    }

    /// Takes out points until at most about half of them are left.
    fn thin(&mut self) {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return;
        };
        // Every second point is at least so far from the one before, so that at most half of them stay.
        self.span_min_s = (last.0 - first.0) / (POINTS_MAX / 4) as f64;
        for point in std::mem::take(&mut self.points) {
            self.put(point);
        }
    }

    /// A number of points, then what each is more than the one before: microseconds and bytes.
    fn encode(&self, out: &mut Vec<u8>) {
        put(out, self.points.len() as u64);
        let (mut before_us, mut before_bytes) = (0, 0);
        for (t_s, bytes) in &self.points {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a time that is no less than 0"
            )]
            let t_us = (t_s * 1e6).round() as u64;
            put(out, t_us.saturating_sub(before_us));
            put(out, bytes.saturating_sub(before_bytes));
            (before_us, before_bytes) = (t_us.max(before_us), *bytes);
        }
    }

    fn decode(from: &mut &[u8]) -> Option<Self> {
        let count = usize::try_from(take(from)?).ok().filter(|count| *count <= POINTS_MAX)?;
        let mut points = Vec::with_capacity(count);
        let (mut t_us, mut bytes) = (0_u64, 0_u64);
        for _ in 0..count {
            t_us = t_us.checked_add(take(from)?)?;
            bytes = bytes.checked_add(take(from)?)?;
            points.push((t_us as f64 / 1e6, bytes));
        }
        Some(Self {
            points,
            span_min_s: 0.0,
        })
    }
}

impl Curves {
    /// Adds that an end had moved so many bytes by `t_s`.
    pub(crate) fn push(&mut self, side: Side, t_s: f64, bytes: u64) {
        match side {
            Side::Sender => self.sender.push(t_s, bytes),
            Side::Receiver => self.receiver.push(t_s, bytes),
        }
    }

    /// Whether no end has any point.
    pub(crate) fn is_empty(&self) -> bool {
        self.sender.points.is_empty() && self.receiver.points.is_empty()
    }

    /// As the history keeps them: at most about 4 KiB for both, mostly far less.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.sender.encode(&mut out);
        self.receiver.encode(&mut out);
        out
    }

    /// What was kept; `None` where it is no curve.
    pub(super) fn decode(mut from: &[u8]) -> Option<Self> {
        let (sender, receiver) = (Curve::decode(&mut from)?, Curve::decode(&mut from)?);
        from.is_empty().then_some(Self { sender, receiver })
    }
}

/// LEB128: seven bits a byte, the lowest first; the highest bit says that more follow.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn take(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steady(count: u32) -> Curve {
        let mut curve = Curve::default();
        for index in 0..=count {
            curve.push(f64::from(index) * 0.05, u64::from(index) * 1_000_000);
        }
        curve
    }

    #[test]
    fn ten_hours_fit_and_keep_their_ends() {
        for count in [1, 5, 255, 256, 1000, 720_000] {
            let curve = steady(count);
            let points = curve.points();
            assert!(points.len() <= POINTS_MAX, "{}", points.len());
            assert!(points.len() > (POINTS_MAX / 4).min(count as usize), "{}", points.len());
            assert_eq!(points[0], (0.0, 0));
            let last = points[points.len() - 1];
            assert_eq!(last.1, u64::from(count) * 1_000_000);
            assert!((last.0 - f64::from(count) * 0.05).abs() < 1e-6);
        }
    }

    #[test]
    fn a_curve_that_is_read_back_is_the_same_and_takes_little_room() {
        let curves = Curves {
            sender: steady(720_000),
            receiver: steady(100),
        };
        let bytes = curves.encode();
        assert!(bytes.len() < 4096, "{}", bytes.len());
        let read = Curves::decode(&bytes).expect("a curve");
        let same = |a: &Curve, b: &Curve| {
            assert_eq!(a.points().len(), b.points().len());
            for (a, b) in a.points().iter().zip(b.points()) {
                assert!((a.0 - b.0).abs() < 1e-6 && a.1 == b.1, "{a:?} {b:?}");
            }
        };
        same(&read.sender, &curves.sender);
        same(&read.receiver, &curves.receiver);
    }

    #[test]
    fn a_steady_run_is_drawn_steady_however_its_chunks_fell() {
        // 1 GB in half a second: chunks of 2 MiB, of which each look finds a few, or none.
        let mut curve = Curve::default();
        for step in 0..=240_u32 {
            let chunks = u64::from(step) * 2 + u64::from(step * 7 % 5);
            curve.push(f64::from(step) / 480.0, chunks * (2 << 20));
        }
        let rates = curve.rates();
        assert!((20..=52).contains(&rates.len()), "{}", rates.len());
        let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / rates.len() as f64;
        let furthest = rates
            .iter()
            .map(|(_, rate)| (rate / mean - 1.0).abs())
            .fold(0.0, f64::max);
        assert!(furthest < 0.5, "{furthest}");
        assert_eq!((rates[0].0, rates[rates.len() - 1].0), (0.0, 0.5));
    }

    #[test]
    fn what_is_drawn_is_what_moved() {
        for (curve, points) in [(steady(1), 2), (steady(720_000), 129), (Curve::default(), 0)] {
            let rates = curve.rates();
            assert_eq!(rates.len(), points);
            assert!(
                rates.iter().all(|(_, rate)| (rate / 20e6 - 1.0).abs() < 1e-6),
                "{rates:?}"
            );
        }
        // Slow, and in two halves: it is no single mean.
        let mut curve = Curve::default();
        for step in 0..=100_u32 {
            curve.push(f64::from(step), u64::from(step.min(50)) * 1000);
        }
        let rates = curve.rates();
        assert_eq!(rates.len(), 51);
        assert!(
            (rates[10].1 - 1000.0).abs() < 1e-6 && rates[40].1.abs() < 1e-6,
            "{rates:?}"
        );
    }

    proptest! {
        #[test]
        fn whatever_lies_in_the_file_is_a_curve_or_none(bytes: Vec<u8>) {
            if let Some(curves) = Curves::decode(&bytes) {
                prop_assert!(curves.sender.points().len() <= POINTS_MAX);
            }
        }

        #[test]
        fn whatever_is_pushed_stays_in_order_and_within_bounds(
            pushed in prop::collection::vec((0.0..1e6, any::<u64>()), 0..2000)
        ) {
            let mut curve = Curve::default();
            for (t_s, bytes) in pushed {
                curve.push(t_s, bytes);
            }
            prop_assert!(curve.points().len() <= POINTS_MAX);
            for pair in curve.points().windows(2) {
                prop_assert!(pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1);
            }
            for (t_s, rate) in curve.rates() {
                prop_assert!(t_s.is_finite() && rate >= 0.0, "{t_s} {rate}");
            }
            let curves = Curves { sender: curve, receiver: Curve::default() };
            prop_assert!(Curves::decode(&curves.encode()).is_some());
        }
    }
}
