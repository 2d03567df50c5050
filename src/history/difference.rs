//! Two entries side by side: their numbers, and how much more the second one has.

use crate::units::{self, RateScale};

use super::entry::Entry;

/// A number that both can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Compared {
    /// As the entry calls it.
    pub name: &'static str,
    /// What it is for people.
    pub label: &'static str,
    /// The first one's.
    pub first: Option<f64>,
    /// The second one's.
    pub second: Option<f64>,
}

impl Compared {
    /// One of its two values for people, with its unit; a rate counted in `rates`.
    pub(crate) fn in_words(&self, value: f64, rates: RateScale) -> String {
        match self.name {
            "rate_bytes_per_s" => rates.rate(value).to_string(),
            "bytes" => units::mean_bytes(value).to_string(),
            _ => units::duration(value),
        }
    }

    /// How much more the second one has, in percent of the first one; `None` where that says nothing.
    pub(crate) fn more_percent(&self) -> Option<f64> {
        let (first, second) = (self.first?, self.second?);
        (first > 0.0).then(|| (second / first - 1.0) * 100.0)
    }
}

/// The numbers of two entries.
pub(crate) fn differences(first: &Entry, second: &Entry) -> Vec<Compared> {
    type Read = fn(&Entry) -> Option<f64>;
    let numbers: [(&'static str, &'static str, Read); 6] = [
        ("rate_bytes_per_s", "mean rate", |entry| Some(entry.rate_bytes_per_s)),
        ("seconds", "took", |entry| Some(entry.seconds)),
        ("bytes", "bytes", |entry| Some(entry.bytes as f64)),
        ("sync_s", "until on disk", |entry| entry.sync_s),
        ("sender_cpu_s", "CPU of the sender", |entry| entry.sender_cpu_s),
        ("receiver_cpu_s", "CPU of the receiver", |entry| entry.receiver_cpu_s),
    ];
    numbers
        .into_iter()
        .map(|(name, label, read)| Compared {
            name,
            label,
            first: read(first),
            second: read(second),
        })
        .filter(|number| number.first.is_some() || number.second.is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_by_how_much_more_it_has() {
        let of = |rate_bytes_per_s, sync_s| Entry {
            rate_bytes_per_s,
            sync_s,
            ..Entry::default()
        };
        let compared = differences(&of(4e9, None), &of(5e9, Some(1.0)));
        let percent = |name| {
            let number = compared.iter().find(|number| number.name == name).expect("there");
            number.more_percent()
        };
        assert_eq!(percent("rate_bytes_per_s"), Some(25.0));
        assert_eq!(percent("sync_s"), None);
        assert_eq!(percent("seconds"), None, "neither took any time");
        assert!(compared.iter().all(|number| number.name != "sender_cpu_s"));
    }
}
