//! The list of contestants, and which of them cannot take part. One line adds a contestant.

use std::path::Path;

use crate::route::send::COPYING_BYTES_MAX;
use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::telemetry::available_memory_bytes;
use crate::wire::WireChoice;

use super::contestant::{Contestant, Over, Sink, Skipped};

/// A contestant, as it is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Way {
    pub(super) id: &'static str,
    name: &'static str,
    shows: &'static str,
    pub(super) send_route: SendRouteChoice,
    pub(super) receive_route: ReceiveRouteChoice,
    pub(super) wire: WireChoice,
    pub(super) verify: bool,
    pub(super) sink: Sink,
    pub(super) over: Over,
    /// Whether the ends are two processes, which shows what each needs beyond its own array.
    pub(super) apart: bool,
    pub(super) streams: u16,
    /// Whether a range is put into memory first and sent from there, or generated while it is sent.
    pub(super) from_memory: bool,
}

#[rustfmt::skip]
const WAYS: &[Way] = &[
    Way::new("copying", SendRouteChoice::Copying, "copying the rest", "the recipe's first way, from one process to another: what is left is copied after every send").raw().as_given().apart(),
    Way::new("view", SendRouteChoice::Write, "slicing a view", "the recipe's second way, from one process to another: sent from the array itself").raw().apart(),
    Way::new("made", SendRouteChoice::Write, "made as it goes", "a range that is made and sent from cache, verified").as_given(),
    Way::new("write", SendRouteChoice::Write, "write", "sent from memory, verified"),
    Way::new("sendfile", SendRouteChoice::Sendfile, "sendfile", "the socket takes the array's own pages, verified"),
    Way::new("sendfile-unverified", SendRouteChoice::Sendfile, "sendfile, unverified", "the same without checksums").unverified(),
    Way::new("sendfile-raw", SendRouteChoice::Sendfile, "sendfile, raw", "the same on the raw wire: the bytes and nothing else").raw(),
    Way::new("sendfile-2", SendRouteChoice::Sendfile, "sendfile, 2 streams", "verified, over two connections at once").streams(2),
    Way::new("sendfile-4", SendRouteChoice::Sendfile, "sendfile, 4 streams", "verified, over four connections at once").streams(4),
    Way::new("unix", SendRouteChoice::Sendfile, "sendfile, Unix socket", "verified, from one process to another").unix(),
    Way::new("zerocopy", SendRouteChoice::Zerocopy, "zerocopy", "MSG_ZEROCOPY, verified: over loopback the kernel copies all the same, and says so").as_given(),
    Way::new("handoff", SendRouteChoice::Handoff, "handoff, Unix socket", "the memory itself goes from one process to another: no byte moves, nothing to verify").as_given().unverified().unix().receiving(ReceiveRouteChoice::Auto),
    Way::new("file-recv", SendRouteChoice::Sendfile, "to a file: recv", "verified, through a buffer in cache into a new file").to_file(ReceiveRouteChoice::Recv),
    Way::new("file-splice", SendRouteChoice::Sendfile, "to a file: splice", "verified, within the kernel into a new file").to_file(ReceiveRouteChoice::Splice),
    Way::new("file-map", SendRouteChoice::Sendfile, "to a file: map", "verified, into a mapping of a new file").to_file(ReceiveRouteChoice::Map),
];

impl Way {
    const fn new(id: &'static str, send_route: SendRouteChoice, name: &'static str, shows: &'static str) -> Self {
        Self {
            id,
            name,
            shows,
            send_route,
            receive_route: ReceiveRouteChoice::Recv,
            wire: WireChoice::Native,
            verify: true,
            sink: Sink::Memory,
            over: Over::Tcp,
            apart: false,
            streams: 1,
            from_memory: true,
        }
    }

    const fn raw(self) -> Self {
        Self {
            wire: WireChoice::Raw,
            verify: false,
            ..self
        }
    }

    const fn unverified(self) -> Self {
        Self { verify: false, ..self }
    }

    const fn streams(self, streams: u16) -> Self {
        Self { streams, ..self }
    }

    const fn as_given(self) -> Self {
        Self {
            from_memory: false,
            ..self
        }
    }

    const fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    const fn unix(self) -> Self {
        Self {
            over: Over::Unix,
            ..self.apart()
        }
    }

    const fn receiving(self, receive_route: ReceiveRouteChoice) -> Self {
        Self { receive_route, ..self }
    }

    const fn to_file(self, receive_route: ReceiveRouteChoice) -> Self {
        Self {
            sink: Sink::File,
            ..self.receiving(receive_route)
        }
    }

    /// The contestant as a saved result has it.
    pub(super) fn contestant(&self) -> Contestant {
        Contestant {
            id: self.id.into(),
            name: self.name.into(),
            shows: self.shows.into(),
            send_route: self.send_route.name().into(),
            receive_route: self.receive_route.name().into(),
            wire: self.wire.name().into(),
            verify: self.verify,
            streams: self.streams,
            sink: self.sink,
            over: self.over,
        }
    }

    /// How many times the array is in the memory of the processes because it begins or ends there. Memory beyond that
    /// is the route's. A mapped source counts if its pages are read, for a checksum or to send them.
    pub(super) fn arrays_held(&self, of_range: bool) -> u64 {
        let mapped = !of_range || self.from_memory;
        let source = match self.send_route {
            // A range is generated in the memory that is handed over. Pages of a file, and those of the receiver, stay
            // untouched.
            SendRouteChoice::Handoff => return u64::from(of_range),
            // The copy that these routes send from counts as the array of their caller.
            SendRouteChoice::Copying | SendRouteChoice::Zerocopy => 1 + u64::from(mapped),
            SendRouteChoice::Write => u64::from(mapped),
            _ => u64::from(mapped && self.verify),
        };
        let maps = self.receive_route == ReceiveRouteChoice::Map;
        source + u64::from(self.sink == Sink::Memory || maps)
    }
}

/// What decides which contestants can take part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) bytes: u64,
    pub(super) of_range: bool,
    /// The folder for new files.
    pub(super) folder: Option<&'a Path>,
}

/// Why a contestant does not take part that writes a file, where nobody has named a folder for it.
pub(crate) const NO_FOLDER: &str = "it writes a file: name a folder for it";

/// Why one does not take part that makes a range as it goes.
pub(crate) const NO_RANGE: &str = "the source is a file, which is not generated";

/// Why one does not take part whose time grows with the square of the length.
pub(crate) const TOO_LONG: &str = "its time grows with the square of the length: only up to 1 GB";

/// All contestants.
#[cfg(test)]
pub(crate) fn contestants() -> Vec<Contestant> {
    WAYS.iter().map(Way::contestant).collect()
}

/// The contestants that take part, and those that do not.
pub(super) fn who(terms: &Terms<'_>) -> (Vec<Way>, Vec<Skipped>) {
    let (mut taking_part, mut skipped) = (Vec::new(), Vec::new());
    let available = available_memory_bytes();
    for way in WAYS {
        match obstacle(way, terms, available) {
            None => taking_part.push(*way),
            Some(reason) => skipped.push(Skipped {
                contestant: way.contestant(),
                reason,
            }),
        }
    }
    (taking_part, skipped)
}

fn obstacle(way: &Way, terms: &Terms<'_>, available: Option<u64>) -> Option<String> {
    if way.send_route == SendRouteChoice::Copying && terms.bytes > COPYING_BYTES_MAX {
        return Some(TOO_LONG.into());
    }
    if way.id == "made" && !terms.of_range {
        return Some(NO_RANGE.into());
    }
    if way.sink == Sink::File && terms.folder.is_none() {
        return Some(NO_FOLDER.into());
    }
    // A range in memory is there once for all runs, beside what the run itself needs.
    let copies = match way.send_route {
        SendRouteChoice::Copying => 2,
        SendRouteChoice::Zerocopy => 1,
        _ => 0,
    };
    let arrays = copies + u64::from(way.sink == Sink::Memory) + u64::from(terms.of_range && way.from_memory);
    let needed = arrays.saturating_mul(terms.bytes);
    let too_much = available.is_some_and(|available| needed > available);
    too_much.then(|| format!("it needs {} of memory, more than is free", crate::units::bytes(needed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(terms: &Terms<'_>) -> Vec<(String, String)> {
        let (taking_part, skipped) = who(terms);
        assert_eq!(taking_part.len() + skipped.len(), WAYS.len());
        skipped.into_iter().map(|one| (one.contestant.id, one.reason)).collect()
    }

    #[test]
    fn ids_tell_contestants_apart() {
        let mut ids: Vec<&str> = WAYS.iter().map(|way| way.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), WAYS.len());
    }

    #[test]
    fn who_cannot_take_part_is_told_why() {
        let small = Terms {
            bytes: 1 << 20,
            of_range: true,
            folder: Some(Path::new("/tmp")),
        };
        assert_eq!(skipped(&small), []);
        let no_folder = skipped(&Terms { folder: None, ..small });
        assert!(
            no_folder
                .iter()
                .all(|(id, reason)| id.starts_with("file-") && reason.contains("folder"))
        );
        assert_eq!(no_folder.len(), 3);
        let file = skipped(&Terms {
            of_range: false,
            ..small
        });
        assert!(matches!(&file[..], [(id, _)] if id == "made"), "{file:?}");
        let large = skipped(&Terms {
            bytes: COPYING_BYTES_MAX + 1,
            ..small
        });
        assert!(
            large
                .iter()
                .any(|(id, reason)| id == "copying" && reason.contains("1 GB"))
        );
        let huge = skipped(&Terms {
            bytes: 1 << 60,
            ..small
        });
        assert!(
            huge.iter()
                .any(|(id, reason)| id == "sendfile" && reason.contains("memory")),
            "{huge:?}"
        );
    }

    #[test]
    fn what_is_held_is_where_the_array_begins_and_ends() {
        let held = |id: &str, of_range| {
            let way = WAYS.iter().find(|way| way.id == id).expect("in the list");
            way.arrays_held(of_range)
        };
        assert_eq!((held("copying", true), held("copying", false)), (2, 3));
        assert_eq!(
            (held("made", true), held("view", true), held("sendfile", true)),
            (1, 2, 2)
        );
        assert_eq!((held("handoff", true), held("handoff", false)), (1, 0));
        assert_eq!((held("sendfile-raw", true), held("file-recv", false)), (1, 1));
    }
}
