//! Where flags and labels go, so that none covers another one.

/// How much of a flag is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// All of its text.
    Full,
    /// Its short form.
    Short,
    /// Only its line.
    Tick,
}

/// A flag of a lane: where its line is, and how wide its texts are with their margins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Flag {
    /// The place of its line.
    pub x: f32,
    /// The width of all of its text.
    pub full: f32,
    /// The width of its short form.
    pub short: f32,
}

/// A flag in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placed {
    /// How much of it is shown.
    pub form: Form,
    /// Where its text begins.
    pub left: f32,
}

/// Between two texts there is at least so much.
const GAP: f32 = 4.0;

/// Places flags, which come from left to right, in a lane that ends at `right`: where two would overlap the earlier one
/// shrinks. One that would leave the lane ends at its line, so that this does not go through its words.
#[must_use]
pub(crate) fn place(flags: &[Flag], right: f32) -> Vec<Placed> {
    let mut placed = vec![
        Placed {
            form: Form::Tick,
            left: 0.0
        };
        flags.len()
    ];
    let mut free_until = right;
    for (index, flag) in flags.iter().enumerate().rev() {
        let fits = |width: f32| flag.x + width <= free_until;
        // Only the last one may lean on the end of the lane.
        let is_last = (free_until - right).abs() < f32::EPSILON;
        let (form, left) = if fits(flag.full) {
            (Form::Full, flag.x)
        } else if fits(flag.short) && !is_last {
            (Form::Short, flag.x)
        } else if is_last && flag.x <= right {
            (Form::Full, flag.x - flag.full)
        } else {
            (Form::Tick, flag.x)
        };
        placed[index] = Placed { form, left };
        free_until = free_until.min(left.min(flag.x) - GAP);
    }
    placed
}

/// What comes from left to right in groups: each begins with its first, and holds what is less than `least` to the right
/// of it.
#[must_use]
pub(crate) fn grouped(xs: &[f32], least: f32) -> Vec<std::ops::Range<usize>> {
    let mut groups: Vec<std::ops::Range<usize>> = Vec::new();
    for (index, x) in xs.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if x - xs[group.start] < least => group.end = index + 1,
            _ => groups.push(index..index + 1),
        }
    }
    groups
}

/// Whether a line through these points, which go from left to right, crosses the rectangle.
#[must_use]
pub(crate) fn is_crossed(line: &[[f32; 2]], (left, right): (f32, f32), (top, bottom): (f32, f32)) -> bool {
    let first = line.partition_point(|[x, _]| *x < left).saturating_sub(1);
    let within = line[first..].windows(2).take_while(|pair| pair[0][0] <= right);
    within.into_iter().any(|pair| {
        let ([from_x, from_y], [to_x, to_y]) = (pair[0], pair[1]);
        let y_at = |x: f32| from_y + (to_y - from_y) * ((x - from_x) / (to_x - from_x).max(1e-3)).clamp(0.0, 1.0);
        let (enters, leaves) = (y_at(left), y_at(right));
        to_x >= left && enters.min(leaves) <= bottom && enters.max(leaves) >= top
    })
}

/// Moves labels of `height`, each wanted around a place, apart so that none overlaps another one, between `top` and
/// `bottom`. They keep the order of the places that they are wanted at. More than there is room for end at `top`.
#[must_use]
pub(crate) fn apart(wanted: &[f32], height: f32, (top, bottom): (f32, f32)) -> Vec<f32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut centres = wanted.to_vec();
    // Downwards, and where that leads beyond the end, upwards again.
    let mut least = top + height / 2.0;
    for &index in &order {
        centres[index] = wanted[index].max(least);
        least = centres[index] + height;
    }
    let mut most = bottom - height / 2.0;
    for &index in order.iter().rev() {
        centres[index] = centres[index].min(most);
        most = centres[index] - height;
    }
    centres
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flag(x: f32) -> Flag {
        Flag {
            x,
            full: 80.0,
            short: 30.0,
        }
    }

    fn forms(flags: &[f32], right: f32) -> Vec<Form> {
        let flags: Vec<Flag> = flags.iter().map(|x| flag(*x)).collect();
        place(&flags, right).iter().map(|placed| placed.form).collect()
    }

    #[test]
    fn the_earlier_of_two_flags_shrinks_to_its_short_form_and_then_to_its_line() {
        assert_eq!(forms(&[0.0, 100.0], 400.0), [Form::Full, Form::Full]);
        assert_eq!(forms(&[50.0, 100.0], 400.0), [Form::Short, Form::Full]);
        assert_eq!(forms(&[90.0, 100.0], 400.0), [Form::Tick, Form::Full]);
    }

    #[test]
    fn a_flag_at_the_end_of_the_lane_stands_left_of_its_line() {
        let placed = place(&[flag(380.0)], 400.0);
        assert_eq!(placed[0].form, Form::Full);
        assert!((placed[0].left - 300.0).abs() < 1e-3);
        assert_eq!(forms(&[290.0, 380.0], 400.0)[0], Form::Tick);
    }

    #[test]
    fn what_is_closer_than_that_is_one_group() {
        assert_eq!(grouped(&[0.0, 3.0, 7.0, 8.0, 30.0], 8.0), [0..3, 3..4, 4..5]);
        assert!(grouped(&[], 8.0).is_empty());
    }

    #[test]
    fn a_line_crosses_what_it_goes_through() {
        let line = [[0.0, 0.0], [10.0, 100.0], [100.0, 100.0], [100.0, 0.0]];
        let crosses = |x, y| is_crossed(&line, x, y);
        assert!(crosses((4.0, 6.0), (45.0, 55.0)), "it rises through it");
        assert!(!crosses((4.0, 6.0), (80.0, 90.0)) && !crosses((40.0, 60.0), (45.0, 55.0)));
        assert!(crosses((40.0, 60.0), (90.0, 110.0)) && !crosses((110.0, 120.0), (90.0, 110.0)));
        assert!(!is_crossed(&[], (0.0, 1.0), (0.0, 1.0)));
    }

    proptest! {
        #[test]
        fn no_flag_covers_another_one(mut xs in prop::collection::vec(0.0_f32..800.0, 0..40)) {
            xs.sort_by(f32::total_cmp);
            let flags: Vec<Flag> = xs.iter().map(|x| flag(*x)).collect();
            let placed = place(&flags, 800.0);
            let texts: Vec<(f32, f32)> = flags
                .iter()
                .zip(&placed)
                .filter_map(|(flag, placed)| match placed.form {
                    Form::Full => Some((placed.left, placed.left + flag.full)),
                    Form::Short => Some((placed.left, placed.left + flag.short)),
                    Form::Tick => None,
                })
                .collect();
            for pair in texts.windows(2) {
                prop_assert!(pair[0].1 <= pair[1].0 + 1e-3, "{:?}", texts);
            }
            prop_assert!(texts.iter().all(|(_, right)| *right <= 800.0 + 1e-3));
        }

        #[test]
        fn labels_never_overlap_and_stay_inside(wanted in prop::collection::vec(0.0_f32..200.0, 0..10)) {
            let mut centres = apart(&wanted, 16.0, (0.0, 200.0));
            centres.sort_by(f32::total_cmp);
            for pair in centres.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 16.0 - 1e-3, "{:?}", centres);
            }
            prop_assert!(centres.iter().all(|centre| *centre >= 8.0 - 1e-3 && *centre <= 192.0 + 1e-3));
        }
    }
}
