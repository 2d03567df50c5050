//! What went wrong, in the window's words: with its own fields, and figures as they stand elsewhere on the screen.

use crate::Error;
use crate::transfer::AS_PLAIN;
use crate::units::exact_time;

use super::format;

/// One line for people: what happened, to what, and what to do in this window.
#[must_use]
pub(crate) fn of(error: &Error) -> String {
    match error {
        Error::SinkExists(path) => format!(
            "{} exists and is never overwritten: choose another name under Into",
            path.display()
        ),
        Error::ShmExists(name) => {
            format!("{name} exists and is never overwritten: choose another name under Into")
        }
        Error::LengthNeeded(path) => format!("{} does not tell its length: copy it into a file first", path.display()),
        Error::NotEnoughMemory { needed, available, .. } => not_enough_memory(*needed, *available),
        Error::Silent(timeout) => format!(
            "the peer said nothing for {}: it may hang, or the timeout under Advanced is too short",
            exact_time(*timeout)
        ),
        Error::ClosedEarly {
            missing,
            received,
            total,
        } => format!(
            "the peer closed the connection early: {} had moved, {} are missing",
            format::done_of(*received, *total),
            format::bytes(*missing)
        ),
        Error::SourceInvalid { path, reason } if let Some(why) = reason.to_string().strip_suffix(AS_PLAIN) => {
            format!(
                "{}: {why}; it is damaged, or someone is still writing it",
                path.display()
            )
        }
        other => other.to_string(),
    }
}

/// More is asked for than memory can hold.
#[must_use]
pub(crate) fn not_enough_memory(needed: u64, available: u64) -> String {
    format!(
        "{} of memory are needed and {} are free: receive into a file, or discard",
        format::bytes(needed),
        format::bytes(available)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_and_sizes_have_units() {
        let table = [
            (
                Error::SinkExists("/data/a".into()),
                "/data/a exists and is never overwritten: choose another name under Into",
            ),
            (
                Error::NotEnoughMemory {
                    needed: 28_000_000_000,
                    available: 8_110_000_000,
                    promised: 0,
                },
                "28.0 GB of memory are needed and 8.11 GB are free: receive into a file, or discard",
            ),
            (
                Error::DiskFull {
                    path: "/data/a".into(),
                    needed: 0,
                    room: None,
                },
                "/data/a needs more than its disk has free or a limit allows: choose another folder, or free space",
            ),
            (
                Error::Silent(std::time::Duration::from_secs(30)),
                "the peer said nothing for 30 s: it may hang, or the timeout under Advanced is too short",
            ),
            (
                Error::ClosedEarly {
                    missing: 566_000_000,
                    received: 47_434_000_000,
                    total: 48_000_000_000,
                },
                "the peer closed the connection early: 47.4 of 48.0 GB had moved, 566 MB are missing",
            ),
        ];
        for (error, words) in table {
            assert_eq!(of(&error), words);
            assert!(!words.contains("--"), "no flags in the window");
        }
    }
}
