//! Times of files, and which of them a file system takes for the same.

use std::ops::RangeInclusive;

use rustix::fs::{Stat, Timespec, Timestamps, UTIME_OMIT};

const NS_PER_S: i128 = 1_000_000_000;

/// When a file was modified, since 1970-01-01 UTC without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileTime {
    /// Whole seconds, rounded down.
    pub(crate) seconds: i64,
    /// Of the second that has begun, 0 to 999,999,999.
    pub(crate) nanoseconds: u32,
}

impl FileTime {
    pub(super) fn modified(status: &Stat) -> Self {
        Self::new(status.st_mtime, status.st_mtime_nsec)
    }

    pub(super) fn changed(status: &Stat) -> Self {
        Self::new(status.st_ctime, status.st_ctime_nsec)
    }

    fn new(seconds: i64, nanoseconds: u64) -> Self {
        Self {
            seconds,
            nanoseconds: u32::try_from(nanoseconds).unwrap_or(0),
        }
    }

    /// To set it with `utimensat(2)`. The time of the last access stays.
    pub(super) fn as_modified(self) -> Timestamps {
        let omitted = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        };
        Timestamps {
            last_access: omitted,
            last_modification: Timespec {
                tv_sec: self.seconds,
                // More is an error there, or has a meaning of its own.
                tv_nsec: self.nanoseconds.min(999_999_999).into(),
            },
        }
    }

    /// Of all 2^64 seconds: too many for 64 bits.
    fn in_ns(self) -> i128 {
        i128::from(self.seconds) * NS_PER_S + i128::from(self.nanoseconds)
    }
}

/// What becomes of a time that a file system is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeRules {
    /// Times that are less than this apart may have been the same.
    pub(super) step_ns: i128,
    /// What lies outside is moved to the nearer end, without a word.
    pub(super) seconds: RangeInclusive<i64>,
}

impl TimeRules {
    /// Every time is kept.
    pub(super) fn exact() -> Self {
        Self {
            step_ns: 1,
            seconds: i64::MIN..=i64::MAX,
        }
    }

    /// The finest step that explains how `given` is read back; of steps that file systems have: 1 ns, 100 ns (NTFS), 1 us,
    /// 1 ms, 10 ms (exFAT), 1 s, and 2 s (FAT).
    pub(super) fn step_ns(given: FileTime, read: FileTime) -> i128 {
        let off_ns = (given.in_ns() - read.in_ns()).abs();
        let steps = [1, 100, 1_000, 1_000_000, 10_000_000, NS_PER_S, 2 * NS_PER_S];
        steps.into_iter().find(|step| off_ns < *step).unwrap_or(1)
    }

    /// Whether a file that was given the time `offered` can have the time `there` now.
    pub(super) fn are_same(&self, offered: FileTime, there: FileTime) -> bool {
        (self.kept(offered).in_ns() - there.in_ns()).abs() < self.step_ns
    }

    /// Whether `there` is later than `offered`, and not only by what the file system rounds.
    pub(super) fn is_newer(&self, there: FileTime, offered: FileTime) -> bool {
        there.in_ns() - self.kept(offered).in_ns() >= self.step_ns
    }

    fn kept(&self, offered: FileTime) -> FileTime {
        // The kernel drops the nanoseconds of a time that it moves to an end, and of one at an end. `timestamp_truncate`.
        let at = |end: i64| FileTime {
            seconds: end,
            nanoseconds: 0,
        };
        if offered.seconds <= *self.seconds.start() {
            at(*self.seconds.start())
        } else if offered.seconds >= *self.seconds.end() {
            at(*self.seconds.end())
        } else {
            offered
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanoseconds: u32) -> FileTime {
        FileTime { seconds, nanoseconds }
    }

    #[test]
    fn the_step_of_a_file_system_is_seen_by_what_it_leaves_of_a_time() {
        let given = at(1_000_000_001, 123_456_789);
        for (read, step_ns) in [
            (given, 1),
            (at(1_000_000_001, 123_456_700), 100),
            (at(1_000_000_001, 123_456_000), 1_000),
            (at(1_000_000_001, 123_000_000), 1_000_000),
            (at(1_000_000_001, 120_000_000), 10_000_000),
            (at(1_000_000_001, 0), NS_PER_S),
            (at(1_000_000_000, 0), 2 * NS_PER_S),
            (at(1_000_000_002, 0), NS_PER_S),
        ] {
            assert_eq!(TimeRules::step_ns(given, read), step_ns, "{read:?}");
        }
    }

    #[test]
    fn times_within_one_step_are_the_same_and_neither_is_newer() {
        let rules = TimeRules {
            step_ns: NS_PER_S,
            ..TimeRules::exact()
        };
        assert!(rules.are_same(at(5, 999_999_999), at(5, 0)));
        assert!(!rules.is_newer(at(5, 999_999_999), at(5, 0)));
        assert!(!rules.are_same(at(6, 0), at(5, 0)) && rules.is_newer(at(6, 0), at(5, 0)));
        assert!(!TimeRules::exact().are_same(at(5, 1), at(5, 0)));
        assert!(TimeRules::exact().is_newer(at(i64::MAX, 0), at(i64::MIN, 0)));
    }

    #[test]
    fn a_time_that_a_file_system_cannot_have_is_the_same_as_its_end() {
        let rules = TimeRules {
            step_ns: 1,
            seconds: -5..=5,
        };
        assert!(rules.are_same(at(-1_000, 7), at(-5, 0)) && rules.are_same(at(5, 7), at(5, 0)));
        assert!(!rules.are_same(at(4, 7), at(4, 0)) && !rules.is_newer(at(5, 0), at(9, 0)));
    }
}
