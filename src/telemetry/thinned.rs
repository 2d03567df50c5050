//! Keeps a record of any length small: the last minute closely, what is older at even distances.

/// So many seconds before its end are kept closely.
const RECENT_S: f64 = 60.0;

/// A record with fewer entries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thinned<T> {
    /// What is left, at most three quarters of what there is room for.
    pub(crate) kept: Vec<T>,
    /// From when on it is kept closely, in seconds.
    pub(crate) close_from_s: f64,
    /// Neighbours that are closer there have merged, in seconds.
    pub(crate) close_s: f64,
}

/// Merges neighbours until what is left leaves room for more. `t_s` are the times of entries, which never decrease;
/// `merge` makes one of two neighbours, of which the first one follows `before`. The first and the last time stay.
/// `None` where there is nothing.
pub(crate) fn thinned<T: Copy>(
    all: &[T],
    room: usize,
    t_s: impl Fn(&T) -> f64,
    merge: impl Fn(&T, &T, &T) -> T,
) -> Option<Thinned<T>> {
    let (first_s, last_s) = (t_s(all.first()?), t_s(all.last()?));
    let length_s = last_s - first_s;
    let close_from_s = if length_s > 2.0 * RECENT_S {
        last_s - RECENT_S
    } else {
        first_s
    };
    // Two neighbours that do not merge span more than this together: at most a half and a quarter of the room is kept.
    let close_s = (last_s - close_from_s) / (room / 4) as f64;
    let far_s = length_s / (room / 8) as f64;
    let mut kept: Vec<T> = Vec::with_capacity(room + 1);
    for entry in all {
        let span_s = if t_s(entry) <= close_from_s { far_s } else { close_s };
        if let [.., before, open] = kept.as_mut_slice()
            && t_s(entry) - t_s(before) <= span_s
        {
            *open = merge(before, open, entry);
        } else {
            kept.push(*entry);
        }
    }
    Some(Thinned {
        kept,
        close_from_s,
        close_s,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_hours_the_last_minute_is_close_and_the_rest_even() {
        let (mut times, mut last_s): (Vec<f64>, f64) = (Vec::new(), 0.0);
        for i in 0..720_000_u32 {
            last_s = f64::from(i) * 0.05;
            times.push(last_s);
            if times.len() > 4096 {
                times = thinned(&times, 4096, |t_s| *t_s, |_, _, later| *later)
                    .map(|thinned| thinned.kept)
                    .unwrap_or_default();
                assert!(times.len() <= 3072, "{}", times.len());
            }
        }
        assert_eq!((times[0], times.last()), (0.0, Some(&last_s)));
        let widest = |from_s: f64| {
            let pairs = times.windows(2).filter(|pair| pair[0] >= from_s);
            pairs.map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
        };
        assert!(widest(0.0) < 150.0, "{}", widest(0.0));
        assert!(widest(35_945.0) < 0.13, "{}", widest(35_945.0));
    }
}
