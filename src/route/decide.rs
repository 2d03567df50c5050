//! Chooses the route, by what is sent, who receives it and what was asked for, and says why. This file only decides;
//! the routes themselves are in `send` and `receive`.

use crate::wire::WireChoice;

use super::{ReceiveRouteChoice, SendRouteChoice};

/// What the choice of a send route depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    pub(crate) source: SourceKind,
    /// There is nothing to send.
    pub(crate) empty: bool,
    pub(crate) wire: WireChoice,
    /// The peer is reached over a Unix socket, and so is on this host.
    pub(crate) unix: bool,
}

/// The kind of source, as far as the choice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A range, and whether memory has room for all of it.
    Range { fits_memory: bool },
    /// A file, or memory that others may change.
    File { takes_sendfile: bool },
    /// Memory that nobody can change any more.
    Sealed,
    /// Something that is read once, as it comes, such as a pipe.
    Stream,
}

/// A route other than `auto`, and why that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) route: SendRouteChoice,
    pub(crate) reason: &'static str,
}

const GENERATED: &str = "a range is generated in cache and sent from there";

/// The send route, or why the one that was asked for is impossible.
pub(crate) fn send_route(asked: SendRouteChoice, sending: Sending) -> Result<Chosen, &'static str> {
    use SendRouteChoice::{Auto, Copying, Handoff, Sendfile, Write, Zerocopy};
    let native = speaks_native(sending.wire);
    if asked == Handoff
        && let Some(mistake) = why_no_handoff(sending.wire, sending.unix, None)
    {
        return Err(mistake);
    }
    let chosen = |route, reason| Ok(Chosen { route, reason });
    match (asked, sending.source) {
        (Auto, SourceKind::Stream) => chosen(Write, "a stream passes through a buffer"),
        (Sendfile | Copying | Zerocopy | Handoff, SourceKind::Stream) => {
            Err("is read as it comes, which only the write route can send")
        }
        (Handoff, _) if sending.empty => chosen(Write, "there is nothing to hand over"),
        (Sendfile, SourceKind::File { takes_sendfile: false }) => {
            Err("the system refuses sendfile from this source: take another send route")
        }
        (Auto, SourceKind::Range { fits_memory: true } | SourceKind::Sealed)
            if native && sending.unix && !sending.empty =>
        {
            chosen(
                Handoff,
                "the peer is on this host: it is given the memory itself, sealed",
            )
        }
        (Auto, SourceKind::Range { .. }) => chosen(Write, GENERATED),
        (Auto, SourceKind::Sealed) => chosen(Sendfile, "the memory is sealed: the socket can take its pages"),
        (Auto, SourceKind::File { .. }) if !native => chosen(
            Write,
            "without a result the sender cannot know when the socket has finished with the file's pages",
        ),
        (Auto, SourceKind::File { takes_sendfile: true }) => {
            chosen(Sendfile, "the source is a file, whose pages the socket can take")
        }
        (Auto, SourceKind::File { takes_sendfile: false }) => chosen(
            Write,
            "the system refuses sendfile from this source: it is sent from memory",
        ),
        (asked, _) => chosen(asked, "asked for"),
    }
}

/// Why a handoff that was asked for by name is impossible, and what would help; `None` if it is possible.
///
/// `unix` is whether the peer is reached over a Unix socket, or both ends are here; `receiving` is the receive route
/// and whether it leads into a file, where the receiving end is here as well.
#[must_use]
pub(crate) fn why_no_handoff(
    wire: WireChoice,
    unix: bool,
    receiving: Option<(ReceiveRouteChoice, bool)>,
) -> Option<&'static str> {
    match receiving {
        _ if !speaks_native(wire) => Some("the npy and raw wires carry bytes alone: a handoff needs the native wire"),
        _ if !unix => {
            Some("memory is handed over within one host: take a unix:PATH as endpoint, or another send route")
        }
        Some((_, true)) => {
            Some("memory is handed over and no file written: receive into memory, or take another send route")
        }
        Some((route, false)) if route != ReceiveRouteChoice::Auto => {
            Some("nothing is received where memory is handed over: leave the receive route to auto")
        }
        _ => None,
    }
}

fn speaks_native(wire: WireChoice) -> bool {
    matches!(wire, WireChoice::Auto | WireChoice::Native)
}

/// Why a handoff that `auto` chose did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoHandoff {
    /// The system refuses to make memory that can be handed over.
    NoMemoryFile,
    /// The receiver did not ask for it.
    NotTaken,
    /// The system lets no descriptor through.
    Refused,
}

impl NoHandoff {
    /// The reason to show for sending bytes instead.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NoMemoryFile => {
                "the system refuses memory that could be handed over: the range is generated in cache and sent"
            }
            Self::NotTaken => "the receiver takes no handoff: the socket takes the memory's pages",
            Self::Refused => "the system lets no descriptor through to the peer: the socket takes the memory's pages",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SendRouteChoice::{Auto, Copying, Handoff, Sendfile, Write};
    use WireChoice::{Native, Npy, Raw};

    const RANGE: SourceKind = SourceKind::Range { fits_memory: true };
    const HUGE_RANGE: SourceKind = SourceKind::Range { fits_memory: false };
    const FILE: SourceKind = SourceKind::File { takes_sendfile: true };
    const ODD_FILE: SourceKind = SourceKind::File { takes_sendfile: false };
    const SEALED: SourceKind = SourceKind::Sealed;

    #[test]
    fn the_route_follows_from_source_wire_and_peer() {
        // Asked for, source, wire, over a Unix socket; the route, or a part of why not.
        let table = [
            (Auto, RANGE, WireChoice::Auto, true, Ok(Handoff)),
            (Auto, RANGE, Native, true, Ok(Handoff)),
            (Auto, RANGE, Native, false, Ok(Write)),
            (Auto, RANGE, Npy, true, Ok(Write)),
            (Auto, HUGE_RANGE, Native, true, Ok(Write)),
            (Auto, SEALED, Native, true, Ok(Handoff)),
            (Auto, SEALED, Native, false, Ok(Sendfile)),
            (Auto, SEALED, Raw, true, Ok(Sendfile)),
            (Auto, FILE, Native, true, Ok(Sendfile)),
            (Auto, FILE, Native, false, Ok(Sendfile)),
            (Auto, FILE, Raw, false, Ok(Write)),
            (Auto, ODD_FILE, Native, false, Ok(Write)),
            (Sendfile, ODD_FILE, Native, false, Err("refuses sendfile")),
            (Sendfile, FILE, Raw, false, Ok(Sendfile)),
            (Sendfile, RANGE, Native, false, Ok(Sendfile)),
            (Write, SEALED, Native, true, Ok(Write)),
            (Auto, SourceKind::Stream, Native, true, Ok(Write)),
            (Write, SourceKind::Stream, Raw, false, Ok(Write)),
            (Sendfile, SourceKind::Stream, Native, false, Err("as it comes")),
            (Handoff, SourceKind::Stream, Native, true, Err("as it comes")),
            (Copying, FILE, Npy, false, Ok(Copying)),
            (Handoff, FILE, Native, true, Ok(Handoff)),
            (Handoff, HUGE_RANGE, WireChoice::Auto, true, Ok(Handoff)),
            (Handoff, RANGE, Native, false, Err("unix:PATH")),
            (Handoff, RANGE, Npy, true, Err("native wire")),
        ];
        for (asked, source, wire, unix, expected) in table {
            let sending = Sending {
                source,
                empty: false,
                wire,
                unix,
            };
            let what = format!("{asked:?} {sending:?}");
            match (send_route(asked, sending), expected) {
                (Ok(chosen), Ok(route)) => {
                    assert_eq!(chosen.route, route, "{what}");
                    assert_eq!(chosen.reason == "asked for", asked != Auto, "{what}");
                }
                (Err(reason), Err(hint)) => assert!(reason.contains(hint), "{what}: {reason}"),
                (got, _) => panic!("{what}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_handoff_that_contradicts_what_else_was_chosen_is_named() {
        use ReceiveRouteChoice as Receive;
        let why = |wire, unix, receiving| why_no_handoff(wire, unix, receiving).unwrap_or("nothing");
        assert!(why(Raw, true, None).contains("native"));
        assert!(why(Native, false, None).contains("unix:PATH"));
        assert!(why(Native, true, Some((Receive::Auto, true))).contains("into memory"));
        assert!(why(Native, true, Some((Receive::Recv, false))).contains("receive route"));
        assert_eq!(why(Native, true, Some((Receive::Auto, false))), "nothing");
        assert_eq!(why(WireChoice::Auto, true, None), "nothing");
    }

    #[test]
    fn nothing_is_not_handed_over() {
        let sending = Sending {
            source: SEALED,
            empty: true,
            wire: Native,
            unix: true,
        };
        for asked in [Auto, Handoff] {
            assert_ne!(send_route(asked, sending).expect("a route").route, Handoff);
        }
    }
}
