//! What went wrong, in the window's words: with its own fields, and figures as they stand elsewhere on the screen. What
//! the system or a peer said, and what hardly ever happens, is said as the library says it, in English.

use std::error::Error as _;
use std::io;
use std::path::Path;

use super::format;
use crate::app::words::{say, translated};
use crate::error::DiskRoom;
use crate::transfer::AS_PLAIN;
use crate::units::exact_time;
use crate::{Error, Reason};

/// One line for people: what happened, to what, and what to do in this window.
#[must_use]
pub(crate) fn of(error: &Error) -> String {
    match error {
        Error::SourceMissing(_)
        | Error::SourceIsFolder(_)
        | Error::SourceUnreadable { .. }
        | Error::SourceInvalid { .. }
        | Error::SourceChanged(_)
        | Error::LengthNeeded(_)
        | Error::SourceEnded { .. }
        | Error::ShmMissing(_) => of_source(error),
        Error::NotEnoughMemory { needed, available, .. } => not_enough_memory(*needed, *available),
        Error::DiskFull { path, needed, room } => disk_full(path, *needed, *room),
        Error::SinkExists(path) => say!("error-exists", what = shown(path)),
        Error::ShmExists(name) => say!("error-exists", what = name),
        Error::SinkChanged(path) => say!("error-sink-changed", path = shown(path)),
        Error::SinkUnwritable { path, reason } => {
            say!("error-sink-unwritable", path = shown(path), reason = of_reason(reason))
        }
        Error::PartlyOverwritten { path, bytes, cause } => {
            let bytes = bytes.to_string();
            say!(
                "error-overwritten",
                cause = of(cause),
                bytes = bytes,
                path = shown(path)
            )
        }
        Error::Usage(why) => translated(why).to_owned(),
        other => of_peer(other).unwrap_or_else(|| other.to_string()),
    }
}

/// The same of what is sent.
fn of_source(error: &Error) -> String {
    match error {
        Error::SourceMissing(path) => say!("error-source-missing", path = shown(path)),
        Error::SourceIsFolder(path) => say!("error-source-is-folder", path = shown(path)),
        Error::SourceUnreadable { path, reason } => {
            say!(
                "error-source-unreadable",
                path = shown(path),
                reason = of_reason(reason)
            )
        }
        Error::SourceInvalid { path, reason } => match reason.to_string().strip_suffix(AS_PLAIN) {
            Some(why) => say!("error-source-damaged", path = shown(path), why = why),
            None => say!("error-source-invalid", path = shown(path), reason = of_reason(reason)),
        },
        Error::SourceChanged(path) => say!("error-source-changed", path = shown(path)),
        Error::LengthNeeded(path) => say!("error-length-needed", path = shown(path)),
        Error::SourceEnded { path, received, total } => {
            let (received, total) = (received.to_string(), total.to_string());
            say!(
                "error-source-ended",
                path = shown(path),
                received = received,
                total = total
            )
        }
        Error::ShmMissing(name) => say!("error-shm-missing", name = name),
        other => other.to_string(),
    }
}

/// The same of the other end and of the way to it, where the window has words for it.
fn of_peer(error: &Error) -> Option<String> {
    Some(match error {
        Error::AddressInUse(address) if address.starts_with("unix:") => {
            say!("error-path-in-use", address = address)
        }
        Error::AddressInUse(address) => say!("error-address-in-use", address = address),
        Error::NobodyListening(endpoint) => say!("error-nobody-listening", endpoint = endpoint),
        Error::Endpoint { endpoint, reason } => {
            say!("error-endpoint", endpoint = endpoint, reason = of_reason(reason))
        }
        Error::ClosedEarly {
            missing,
            received,
            total,
        } => {
            let (moved, missing) = (format::done_of(*received, *total), format::bytes(*missing));
            say!("error-closed-early", moved = moved, missing = missing)
        }
        Error::ClosedWhile(when) => say!("error-closed", when = translated(when)),
        Error::Answered { url, status, meaning } => {
            let (status, is_gone) = (status.to_string(), matches!(status, 404 | 410));
            if is_gone {
                say!("error-answered-check", url = url, status = status, meaning = meaning)
            } else {
                say!("error-answered", url = url, status = status, meaning = meaning)
            }
        }
        Error::Url { url, reason } => say!("error-url", url = url, reason = of_reason(reason)),
        Error::LengthUntold(url) => say!("error-length-untold", url = url),
        Error::ChangedThere(url) => say!("error-changed-there", url = url),
        Error::NotTrusted(why) => say!("error-not-trusted", why = why),
        Error::Silent(timeout) => say!("error-silent", time = exact_time(*timeout)),
        Error::Unanswered(timeout) => say!("error-unanswered", time = exact_time(*timeout)),
        Error::OtherProtocol(why) => say!("error-other-protocol", why = why),
        Error::Protocol(why) => say!("error-protocol", why = why),
        Error::BadOffer(why) => say!("error-bad-offer", why = why),
        Error::Refused(why) => say!("error-refused", why = why),
        Error::Aborted(why) | Error::GoesAway(why) => say!("error-aborted", why = why),
        Error::DamagedBlock { index, start, end } => {
            let (index, start, end) = (index.to_string(), start.to_string(), end.to_string());
            say!("error-damaged-block", index = index, start = start, end = end)
        }
        Error::HandoffNotTaken => say!("error-handoff-not-taken").to_owned(),
        Error::ResultMismatch => say!("error-result-mismatch").to_owned(),
        Error::System { doing, reason } => say!("error-system", doing = translated(doing), reason = of_reason(reason)),
        _ => return None,
    })
}

/// More is asked for than memory can hold.
#[must_use]
pub(crate) fn not_enough_memory(needed: u64, available: u64) -> String {
    let (needed, available) = (format::bytes(needed), format::bytes(available));
    say!("error-memory", needed = needed, available = available)
}

fn disk_full(path: &Path, needed: u64, room: Option<DiskRoom>) -> String {
    let path = shown(path);
    match room {
        Some(room) if room.promised_bytes == 0 && room.kept_bytes == 0 => {
            let (needed, free) = (format::bytes(needed), format::bytes(room.free_bytes));
            say!("error-disk-full-free", path = path, needed = needed, free = free)
        }
        Some(room) => {
            let needed = format::bytes(needed);
            say!(
                "error-disk-full-room",
                path = path,
                needed = needed,
                room = room.to_string()
            )
        }
        None if needed == 0 => say!("error-disk-full", path = path),
        None => say!("error-disk-full-needed", path = path, needed = format::bytes(needed)),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What the system said, where it is something that it often says.
fn of_reason(reason: &Reason) -> String {
    let said = reason.source().and_then(|source| source.downcast_ref::<io::Error>());
    let code = said.and_then(io::Error::raw_os_error);
    // Without the advice that some have behind it.
    let is_plain = |code: &i32| crate::error::reason(&io::Error::from_raw_os_error(*code)).as_str() == reason.as_str();
    let words = match code.filter(is_plain) {
        Some(libc::ENOENT) => say!("reason-no-file"),
        Some(libc::EACCES) => say!("reason-denied"),
        Some(libc::EPERM) => say!("reason-not-permitted"),
        Some(libc::ENOSPC) => say!("reason-no-space"),
        Some(libc::EROFS) => say!("reason-read-only"),
        Some(libc::EIO) => say!("reason-io"),
        Some(libc::ENOTDIR) => say!("reason-not-a-folder"),
        Some(libc::EMFILE) => say!("reason-too-many-files"),
        Some(libc::ECONNREFUSED) => say!("reason-refused"),
        Some(libc::ECONNRESET) => say!("reason-reset"),
        Some(libc::EPIPE) => say!("reason-pipe"),
        Some(libc::ETIMEDOUT) => say!("reason-timed-out"),
        Some(libc::ENETUNREACH) => say!("reason-network"),
        Some(libc::EHOSTUNREACH) => say!("reason-host"),
        Some(libc::EADDRNOTAVAIL) => say!("reason-address"),
        _ => translated(reason.as_str()),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::speak;
    use crate::language::Language;

    fn errors_here() -> Vec<Error> {
        let denied = || crate::error::reason(&io::Error::from_raw_os_error(libc::EACCES));
        let path = || "/data/a".into();
        vec![
            Error::SourceMissing(path()),
            Error::SourceIsFolder(path()),
            Error::SourceUnreadable {
                path: path(),
                reason: denied(),
            },
            Error::SourceInvalid {
                path: path(),
                reason: "why".into(),
            },
            Error::SourceChanged(path()),
            Error::SourceEnded {
                path: path(),
                received: 1,
                total: 2000,
            },
            Error::ShmMissing("shm:a".into()),
            Error::SinkChanged(path()),
            Error::SinkUnwritable {
                path: path(),
                reason: denied(),
            },
            Error::DiskFull {
                path: path(),
                needed: 5_000_000,
                room: None,
            },
            Error::DiskFull {
                path: path(),
                needed: 5_000_000,
                room: Some(DiskRoom::default()),
            },
            Error::PartlyOverwritten {
                path: path(),
                bytes: 1200,
                cause: Box::new(Error::ResultMismatch),
            },
        ]
    }

    fn errors_of_peers() -> Vec<Error> {
        let denied = || crate::error::reason(&io::Error::from_raw_os_error(libc::EACCES));
        let text = || "why".to_owned();
        vec![
            Error::AddressInUse("0.0.0.0:25000".into()),
            Error::AddressInUse("unix:/run/a".into()),
            Error::NobodyListening("10.0.0.7:25000".into()),
            Error::Endpoint {
                endpoint: "10.0.0.7:25000".into(),
                reason: denied(),
            },
            Error::ClosedWhile("before it said what it sends"),
            Error::ClosedWhile("before its result came"),
            Error::Answered {
                url: "https://a/b".into(),
                status: 404,
                meaning: "Not Found".into(),
            },
            Error::Answered {
                url: "https://a/b".into(),
                status: 500,
                meaning: text(),
            },
            Error::Url {
                url: "https://a/b".into(),
                reason: denied(),
            },
            Error::LengthUntold("https://a/b".into()),
            Error::ChangedThere("https://a/b".into()),
            Error::NotTrusted(text()),
            Error::Unanswered(std::time::Duration::from_secs(30)),
            Error::OtherProtocol(text()),
            Error::Protocol(text()),
            Error::BadOffer(text()),
            Error::Refused(text()),
            Error::Aborted(text()),
            Error::GoesAway(text()),
            Error::DamagedBlock {
                index: 1200,
                start: 3,
                end: 4,
            },
            Error::HandoffNotTaken,
            Error::ResultMismatch,
            Error::System {
                doing: "cannot wait",
                reason: denied(),
            },
        ]
    }

    #[test]
    fn in_english_it_is_what_the_library_says_and_in_chinese_the_same_in_chinese() {
        for error in errors_here().into_iter().chain(errors_of_peers()) {
            speak(Language::English);
            assert_eq!(of(&error), error.to_string());
            speak(Language::Chinese);
            let words = of(&error);
            let is_chinese = |character: char| ('\u{4e00}'..='\u{9fff}').contains(&character);
            assert!(words.chars().any(is_chinese) && !words.contains(" the "), "{words}");
        }
    }

    #[test]
    fn what_the_system_often_says_is_said_as_it_says_it() {
        let codes = [
            libc::ENOENT,
            libc::EACCES,
            libc::EPERM,
            libc::ENOSPC,
            libc::EROFS,
            libc::EIO,
            libc::ENOTDIR,
            libc::EMFILE,
            libc::ECONNREFUSED,
            libc::ECONNRESET,
            libc::EPIPE,
            libc::ETIMEDOUT,
            libc::ENETUNREACH,
            libc::EHOSTUNREACH,
            libc::EADDRNOTAVAIL,
        ];
        for code in codes {
            let said = crate::error::reason(&io::Error::from_raw_os_error(code));
            speak(Language::English);
            assert_eq!(of_reason(&said), said.as_str());
            speak(Language::Chinese);
            assert_ne!(of_reason(&said), said.as_str());
            let advised = said.and("try again");
            assert_eq!(of_reason(&advised), advised.as_str(), "with advice");
        }
    }

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
