//! Which bytes of a file are missing, and which connection fetches which of them.

use std::collections::VecDeque;
use std::ops::Range;

use crate::wire::Grain;

/// The bytes of a file of `total` bytes that lie in none of the `recorded` blocks: numbers on a grid, in order. Neighbours
/// are one range, and none is empty.
pub(super) fn missing(total: u64, grain: Grain, recorded: impl Iterator<Item = u32>) -> Vec<Range<u64>> {
    let mut missing = Vec::new();
    let mut at = 0;
    for index in recorded {
        let begin = u64::from(index) * grain.bytes();
        missing.push(at..begin.min(total));
        at = begin + grain.bytes();
    }
    missing.push(at..total);
    missing.retain(|range| range.start < range.end);
    missing
}

/// Shares ranges, which ascend, out in at most `count` parts of about as many bytes each. They are cut at multiples of
/// `unit` bytes, so that a block has one part.
pub(super) fn share(ranges: Vec<Range<u64>>, count: u64, unit: u64) -> Vec<Vec<Range<u64>>> {
    if count <= 1 {
        return vec![ranges];
    }
    let total = bytes_of(&ranges);
    let mut rest = VecDeque::from(ranges);
    let (mut parts, mut shared) = (Vec::new(), 0);
    for index in 1..=count {
        let until = u128::from(total) * u128::from(index) / u128::from(count);
        let until = u64::try_from(until).unwrap_or(total);
        let mut part = Vec::new();
        while shared < until
            && let Some(range) = rest.pop_front()
        {
            let most = until - shared;
            let (taken, left) = if range.end - range.start <= most {
                (range.clone(), range.end..range.end)
            } else {
                let cut = range.start + most;
                let cut = (cut - cut % unit.max(1)).max(range.start);
                (range.start..cut, cut..range.end)
            };
            shared += taken.end - taken.start;
            let is_cut = !left.is_empty();
            if is_cut {
                rest.push_front(left);
            }
            if !taken.is_empty() {
                part.push(taken);
            }
            if is_cut {
                break;
            }
        }
        parts.push(part);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// How many bytes they have together.
pub(super) fn bytes_of(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges, some of which have one")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRAIN: Grain = Grain::MIN;
    const B: u64 = 64 << 10;

    #[test]
    fn what_is_not_recorded_is_missing_in_as_few_ranges_as_there_are_gaps() {
        for (total, recorded, expected) in [
            (3 * B + 1, vec![], vec![0..3 * B + 1]),
            (3 * B + 1, vec![0], vec![B..3 * B + 1]),
            (3 * B + 1, vec![3], vec![0..3 * B]),
            (3 * B + 1, vec![1, 2], vec![0..B, 3 * B..3 * B + 1]),
            (3 * B + 1, vec![0, 2], vec![B..2 * B, 3 * B..3 * B + 1]),
            (3 * B + 1, vec![0, 1, 2, 3], vec![]),
            (0, vec![], vec![]),
        ] {
            assert_eq!(
                missing(total, GRAIN, recorded.iter().copied()),
                expected,
                "{recorded:?}"
            );
        }
    }

    #[test]
    fn a_whole_file_is_shared_out_in_equal_parts() {
        assert_eq!(share(vec![0..100], 1, 1), [[0..100]]);
        assert_eq!(share(vec![0..100], 3, 1), [[0..33], [33..66], [66..100]]);
        assert_eq!(share(vec![0..100], 3, 16), [[0..32], [32..64], [64..100]]);
        // Where there are fewer blocks than connections, some have none.
        assert_eq!(share(vec![0..100], 4, 64), [[0..64], [64..100]]);
        assert_eq!(
            share(vec![0..10, 20..30, 40..100], 2, 10),
            [vec![0..10, 20..30, 40..60], vec![60..100]]
        );
    }

    proptest! {
        #[test]
        fn parts_are_in_order_and_have_every_missing_block_once(
            blocks in prop::collection::vec(any::<bool>(), 1..60),
            last_bytes in 1..=B,
            count in 1_u64..17,
        ) {
            let total = (blocks.len() as u64 - 1) * B + last_bytes;
            let recorded = || (0_u32..).zip(&blocks).filter(|(_, is_there)| **is_there).map(|(index, _)| index);
            let ranges = missing(total, GRAIN, recorded());
            let recorded_bytes: u64 = recorded().map(|index| (total - u64::from(index) * B).min(B)).sum();
            prop_assert_eq!(bytes_of(&ranges) + recorded_bytes, total);
            let parts = share(ranges.clone(), count, B);
            prop_assert!(parts.len() as u64 <= count);
            let shared: Vec<_> = parts.concat();
            prop_assert_eq!(bytes_of(&shared), bytes_of(&ranges));
            prop_assert!(shared.windows(2).all(|two| two[0].end <= two[1].start));
            for range in &shared {
                prop_assert!(range.start.is_multiple_of(B) && (range.end.is_multiple_of(B) || range.end == total));
                prop_assert!(ranges.iter().any(|whole| whole.start <= range.start && range.end <= whole.end));
            }
            let lens: Vec<u64> = parts.iter().map(|part| bytes_of(part)).collect();
            let mean = bytes_of(&ranges) / count;
            prop_assert!(lens.iter().all(|len| *len <= mean + 2 * B), "{:?}", lens);
        }
    }
}
