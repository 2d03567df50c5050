//! How a transfer ended, from the ends of its connections.

use crate::error::Error;
use crate::transfer::machine::drive::Ended;
use crate::transfer::tell::event::{EventKind, Failure, Finished, Outcome, Side};

/// How a transfer ended whose own thread did not say so, but ended with this error.
pub(crate) fn without_outcome(error: Option<Error>) -> Outcome {
    let error = error.unwrap_or_else(|| Error::Bug("a transfer ended without an outcome".into()));
    Outcome::Failed(failure(error, 0, None))
}

fn failure(error: Error, bytes: u64, peer: Option<&str>) -> Failure {
    Failure {
        peer: peer.map(Into::into),
        fault: error.fault(),
        message: error.to_string(),
        bytes,
        error,
    }
}

pub(crate) fn last_event(ended: Ended, peer: Option<&str>) -> EventKind {
    match ended {
        Ended::Done(finished) => EventKind::Finished(finished),
        Ended::Failed { error, bytes } => EventKind::Failed(failure(error, bytes, peer)),
        Ended::Cancelled { bytes, note } => EventKind::Cancelled { bytes, note },
        Ended::Joined => EventKind::Joined,
        Ended::Stranger(error) => EventKind::Stranger {
            peer: peer.unwrap_or_default().into(),
            message: error.to_string(),
            is_last: true,
        },
        // A side has a first connection, whose end counts for more.
        Ended::Part => EventKind::Failed(failure(
            Error::Bug("a side ended without its first connection".into()),
            0,
            peer,
        )),
    }
}

/// One end for each side, from the ends of its connections: that the array is where it belongs, which nothing undoes,
/// else the cause of a failure, else the cancel that tells most of what is left behind.
pub(super) fn by_side(mut ended: Vec<(Side, Ended)>) -> Vec<(Side, Ended)> {
    ended.sort_by_key(|(side, ended)| {
        let rank = match ended {
            Ended::Done(_) => (0, 0, 0),
            Ended::Failed { error, .. } => (1, is_consequence(error), 0),
            // The others moved bytes until the last of them had stopped.
            Ended::Cancelled { bytes, note } => (2, u8::from(note.is_none()), u64::MAX - bytes),
            Ended::Joined | Ended::Stranger(_) => (3, 0, 0),
            Ended::Part => (4, 0, 0),
        };
        (rank, *side == Side::Sender)
    });
    let mut seen = Vec::new();
    ended.retain(|(side, _)| {
        let is_first = !seen.contains(side);
        seen.push(*side);
        is_first
    });
    ended
}

/// Where one side stops, the other sees its peer vanish or hears what it was told; and a block is also damaged where its
/// source changes under it. The higher, the less it explains.
fn is_consequence(error: &Error) -> u8 {
    match error {
        Error::ClosedEarly { .. } | Error::ClosedWhile(_) => 3,
        Error::Aborted(_) | Error::GoesAway(_) | Error::Refused(_) => 2,
        Error::DamagedBlock { .. } => 1,
        _ => 0,
    }
}

/// The transfer's end from its sides' ends: a failure outweighs a cancel, and a cause a consequence. A cancel that the
/// receiver's end came before was too late.
pub(super) fn outcome_of(ended: &[(Side, Ended)], peer: Option<&str>) -> Outcome {
    let failures = ended.iter().filter_map(|(_, ended)| match ended {
        Ended::Failed { error, bytes } => Some((error, *bytes)),
        Ended::Stranger(error) => Some((error, 0)),
        _ => None,
    });
    if let Some((error, bytes)) = failures.min_by_key(|(error, _)| is_consequence(error)) {
        return Outcome::Failed(failure(error.clone(), bytes, peer));
    }
    let is_received = |(side, ended): &(Side, Ended)| *side == Side::Receiver && matches!(ended, Ended::Done(_));
    let is_cancelled = |(_, ended): &(Side, Ended)| matches!(ended, Ended::Cancelled { .. });
    if ended.iter().any(is_cancelled) && !ended.iter().any(is_received) {
        return Outcome::Cancelled;
    }
    if ended.iter().any(|(_, ended)| matches!(ended, Ended::Joined)) {
        return Outcome::Joined;
    }
    let done = |wanted: Side| -> Option<Finished> {
        ended.iter().find_map(|(side, ended)| match ended {
            Ended::Done(finished) if *side == wanted => Some((**finished).clone()),
            _ => None,
        })
    };
    let (sent, received) = (done(Side::Sender), done(Side::Receiver));
    let sender_note = sent.as_ref().and_then(|sent| sent.note.clone());
    match received.or(sent) {
        Some(finished) => Outcome::Done(Finished {
            note: finished.note.or(sender_note),
            ..finished
        }),
        None => without_outcome(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    fn failed(error: Error) -> Ended {
        Ended::Failed { error, bytes: 7 }
    }

    #[test]
    fn the_outcome_names_the_cause_and_not_its_consequence() {
        let full = Error::DiskFull {
            path: "x".into(),
            needed: 1,
            room: None,
        };
        let sides = [
            (Side::Sender, failed(Error::Aborted("its disk is full".into()))),
            (Side::Receiver, failed(full.clone())),
        ];
        let Outcome::Failed(failure) = outcome_of(&sides, None) else {
            panic!("a failure")
        };
        assert_eq!((failure.error, failure.fault, failure.bytes), (full, Fault::System, 7));
    }

    #[test]
    fn a_block_that_is_damaged_by_a_change_of_its_source_is_the_sources_change() {
        let damaged = Error::DamagedBlock {
            index: 0,
            start: 0,
            end: 8,
        };
        let changed = Error::SourceChanged("x".into());
        let aborted = Error::Aborted("a block is damaged".into());
        for (sender, named) in [(changed.clone(), changed), (aborted, damaged.clone())] {
            let sides = [
                (Side::Receiver, failed(damaged.clone())),
                (Side::Sender, failed(sender)),
            ];
            assert!(matches!(outcome_of(&sides, None), Outcome::Failed(failure) if failure.error == named));
        }
    }

    #[test]
    fn a_cancelled_side_makes_a_cancelled_transfer_unless_one_failed() {
        let cancelled = || Ended::Cancelled { bytes: 1, note: None };
        assert_eq!(
            outcome_of(&[(Side::Sender, cancelled()), (Side::Receiver, cancelled())], None),
            Outcome::Cancelled
        );
        let sides = [
            (Side::Sender, cancelled()),
            (Side::Receiver, failed(Error::ResultMismatch)),
        ];
        assert!(matches!(outcome_of(&sides, None), Outcome::Failed(_)));
    }

    #[test]
    fn a_cancel_tells_all_that_its_connections_have_left_behind() {
        let cancelled = |bytes: u64, note: Option<&str>| {
            let note = note.map(str::to_owned);
            (Side::Receiver, Ended::Cancelled { bytes, note })
        };
        let ended = by_side(vec![
            cancelled(3, None),
            cancelled(2, Some("2 bytes")),
            cancelled(3, Some("3 bytes")),
            cancelled(1, Some("1 byte")),
        ]);
        assert!(
            matches!(&*ended, [(Side::Receiver, Ended::Cancelled { bytes: 3, note: Some(note) })] if note == "3 bytes"),
            "{ended:?}"
        );
    }

    #[test]
    fn an_array_that_is_where_it_belongs_is_not_lost_to_a_late_cancel_or_another_connection() {
        let done = || {
            Ended::Done(Box::new(Finished {
                bytes: 8,
                resumed_bytes: 0,
                rate_bytes_per_s: 1.0,
                verified: Some(true),
                durable: None,
                sync_s: None,
                items: None,
                checksum: None,
                path: None,
                note: None,
            }))
        };
        let receiver = by_side(vec![
            (Side::Receiver, failed(Error::ResultMismatch)),
            (Side::Receiver, Ended::Cancelled { bytes: 1, note: None }),
            (Side::Receiver, done()),
            (Side::Sender, Ended::Cancelled { bytes: 1, note: None }),
        ]);
        assert!(matches!(
            *receiver,
            [
                (Side::Receiver, Ended::Done(_)),
                (Side::Sender, Ended::Cancelled { .. })
            ]
        ));
        assert!(matches!(outcome_of(&receiver, None), Outcome::Done(_)));
    }
}
