//! What an entry is, in words for people.

use crate::sys::{LocalTime, local_time};
use crate::transfer::Items;
use crate::units;

use super::entry::{Ending, Entry, Way};

impl Entry {
    /// When it began, here: `2026-11-29 16:46:32`.
    pub(crate) fn when(&self) -> String {
        when(self.began_unix_ms)
    }

    /// When it began in UTC, as ISO 8601 writes it: `2026-11-29T16:46:32.123Z`.
    pub(crate) fn began_utc(&self) -> String {
        crate::array::utc(self.began_unix_ms)
    }

    /// What moved, from where to where: `a.npy to 10.0.0.7:25000`. For a service's burst: `a.npy and 1,999 more`.
    pub(crate) fn what(&self) -> String {
        let mut what = match &self.source {
            Some(source) if self.items.is_some() => format!("{source} (folder)"),
            Some(source) => source.clone(),
            None if self.outcome == Ending::Damaged => "?".into(),
            None if self.items.is_some() => "a folder".into(),
            // The other end told nothing of it.
            None => "an array".into(),
        };
        if self.transfers > 1 {
            what += " and ";
            what += &units::count(self.transfers - 1);
            what += " more";
        }
        let (before, place) = match self.way {
            Way::Send => (" to ", self.peer.as_ref()),
            Way::Receive => (" from ", self.peer.as_ref()),
            Way::Loopback | Way::Fetch => (" into ", self.path.as_ref().or(self.sink.as_ref())),
        };
        if let Some(place) = place {
            what += before;
            what += place;
        }
        what
    }

    /// How it ended: `done, verified, on disk`.
    pub(crate) fn how_it_ended(&self) -> String {
        let mut words = self.outcome.name().to_owned();
        if let Some(items) = self.items.as_ref().filter(|items| items.failed > 0) {
            words += ", ";
            words += &units::count(items.failed);
            words += " failed";
        }
        if self.outcome == Ending::Done {
            words += match self.verified {
                Some(true) => ", verified",
                Some(false) => ", not verified",
                None => "",
            };
            words += match self.durable {
                Some(true) => ", on disk",
                Some(false) => ", not synced",
                None => "",
            };
        }
        words
    }
}

/// What became of the items of a folder: `1,238 items: 1,233 arrived, 3 were there, 2 failed`.
pub(super) fn items(items: &Items) -> String {
    let known = match items.known.max(items.settled()) {
        1 => "1 item".to_owned(),
        count => format!("{} items", units::count(count)),
    };
    let counted = [
        (items.stored, "arrived"),
        (items.had, "were there"),
        (items.failed, "failed"),
    ];
    let counted = counted.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = counted
        .map(|(count, word)| format!("{} {word}", units::count(*count)))
        .collect();
    if parts.is_empty() {
        known
    } else {
        format!("{known}: {}", parts.join(", "))
    }
}

/// A time here, from milliseconds since 1970: `2026-11-29 16:46:32`.
fn when(unix_ms: i64) -> String {
    let Some(LocalTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
    }) = local_time(unix_ms.div_euclid(1000))
    else {
        return "?".into();
    };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
