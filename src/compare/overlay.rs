//! Puts two results side by side.

use super::contestant::Contestant;
use super::result::Comparison;
use super::spread::Summary;

/// One contestant in two results.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair<'a> {
    /// The contestant.
    pub contestant: &'a Contestant,
    /// Its numbers in the new result.
    pub new: Option<&'a Summary>,
    /// Its numbers in the old result.
    pub old: Option<&'a Summary>,
}

impl Pair<'_> {
    /// The median rate of the new one to that of the old; above 1 the new one is faster.
    #[must_use]
    pub(crate) fn rate_ratio(&self) -> Option<f64> {
        self.ratio(|summary| summary.rate_bytes_per_s.median)
    }

    /// The ratio of a number of the new one to that of the old one, if both have it.
    #[must_use]
    pub(crate) fn ratio(&self, value: impl Fn(&Summary) -> f64) -> Option<f64> {
        let ratio = value(self.new?) / value(self.old?);
        ratio.is_finite().then_some(ratio)
    }
}

/// The contestants of both, matched by id: in the order of `new`, then those that only `old` has.
#[must_use]
pub(crate) fn overlay<'a>(new: &'a Comparison, old: &'a Comparison) -> Vec<Pair<'a>> {
    let summary = |of: &'a Comparison, id: &str| of.entry(id).and_then(|entry| entry.summary.as_ref());
    let also = old
        .entries
        .iter()
        .filter(|entry| new.entry(&entry.contestant.id).is_none());
    let pairs = new.entries.iter().chain(also).map(|entry| Pair {
        contestant: &entry.contestant,
        new: summary(new, &entry.contestant.id),
        old: summary(old, &entry.contestant.id),
    });
    pairs.collect()
}

/// Something else than the routes that differs, from which a ratio may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What differs.
    pub what: &'static str,
    /// What it is in the new result.
    pub new: String,
    /// What it is in the old one.
    pub old: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} here, {} there", self.what, self.new, self.old)
    }
}

/// What differs besides the routes; empty if nothing else does.
#[must_use]
pub(crate) fn differences(new: &Comparison, old: &Comparison) -> Vec<Difference> {
    let mut lines = Vec::new();
    let mut differ = |what: &'static str, new: String, old: String| {
        if new != old {
            lines.push(Difference { what, new, old });
        }
    };
    differ("bytes", new.subject.bytes.to_string(), old.subject.bytes.to_string());
    differ("source", new.subject.source.clone(), old.subject.source.clone());
    differ("processor", new.machine.cpu.clone(), old.machine.cpu.clone());
    differ("cores", new.machine.cores.to_string(), old.machine.cores.to_string());
    differ("kernel", new.machine.kernel.clone(), old.machine.kernel.clone());
    differ("program", new.program.clone(), old.program.clone());
    lines
}

#[cfg(test)]
mod tests {
    use super::super::result::tests::comparison;
    use super::*;

    #[test]
    fn contestants_meet_by_their_id_and_nobody_is_lost() {
        let new = comparison(&[("a", &[1.0]), ("b", &[1.0]), ("c", &[])]);
        let old = comparison(&[("old", &[4.0]), ("b", &[2.0]), ("c", &[1.0])]);
        let pairs = overlay(&new, &old);
        let seen: Vec<(&str, bool, bool, Option<f64>)> = pairs
            .iter()
            .map(|pair| {
                let id = pair.contestant.id.as_str();
                (id, pair.new.is_some(), pair.old.is_some(), pair.rate_ratio())
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a", true, false, None),
                ("b", true, true, Some(2.0)),
                ("c", false, true, None),
                ("old", false, true, None)
            ]
        );
    }

    #[test]
    fn what_else_differs_is_said() {
        let new = comparison(&[("a", &[1.0])]);
        let mut old = new.clone();
        assert!(differences(&new, &old).is_empty());
        old.subject.bytes = 5;
        old.machine.kernel = "6.0".into();
        assert_eq!(differences(&new, &old).len(), 2);
    }
}
