//! What can go wrong with a transfer, whose fault it is, and one clear line that says what to do.

mod disk_room;
mod for_peer;
mod reason;
mod service_limit;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units;

pub use disk_room::DiskRoom;
pub use reason::Reason;
pub(crate) use reason::reason;
pub use service_limit::ServiceLimit;

/// Who has to act so that the transfer can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The other end of the connection.
    Peer,
    /// Whoever asked for this transfer.
    Caller,
    /// This machine: its kernel, its disk, its memory, its network.
    System,
    /// Arraylift's developers.
    Bug,
}

/// Why a transfer failed. The message of every variant is one line for people: what happened, to what, what to do. What
/// the system said is its [`source`](std::error::Error::source).
///
/// ```
/// use arraylift::{Endpoint, Fault};
///
/// let error = Endpoint::parse("localhost").unwrap_err();
/// assert_eq!(error.fault(), Fault::Caller);
/// assert!(error.to_string().contains("HOST:PORT"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// There is no file at the source's path.
    #[error("there is no file at {0}: check the path")]
    SourceMissing(PathBuf),
    /// The source is a folder.
    #[error("{0} is a folder: name a file in it, or pack it with tar first")]
    SourceIsFolder(PathBuf),
    /// The source cannot be opened or read.
    #[error("cannot read {path}: {reason}")]
    SourceUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        reason: Reason,
    },
    /// The source is not what its name or the options say that it is.
    #[error("{path} cannot be sent as an array: {reason}")]
    SourceInvalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what would help.
        #[source]
        reason: Reason,
    },
    /// The source shrank or was replaced while it was read.
    #[error("{0} changed while it was being sent: send it again when nothing writes to it")]
    SourceChanged(PathBuf),
    /// The source does not tell its length, and nobody else did.
    #[error("{0} does not tell its length: say how many bytes to send, or copy it into a file first")]
    LengthNeeded(PathBuf),
    /// A source that is read as it comes had fewer bytes than were to be sent.
    #[error("{path} ended early: {received} of {total} bytes came")]
    SourceEnded {
        /// The pipe or device.
        path: PathBuf,
        /// Bytes that came.
        received: u64,
        /// Bytes that were to be sent.
        total: u64,
    },
    /// The array is larger than the memory that is free.
    #[error("{} of memory are needed and {} are free: receive into a file, or discard", units::bytes(*needed), units::bytes(*available))]
    NotEnoughMemory {
        /// Bytes asked for.
        needed: u64,
        /// Bytes that could have been had.
        available: u64,
        /// Bytes beside them that are promised to arrays which are still on their way.
        promised: u64,
    },
    /// The disk cannot hold the array.
    #[error("{path} needs {}: choose another folder, or free space", lack(*needed, *room))]
    DiskFull {
        /// The file that was to be written.
        path: PathBuf,
        /// Bytes that it needs; 0 where nobody knows how many come.
        needed: u64,
        /// What the disk has room for; `None` where the system refused a write, for want of room or by a limit.
        room: Option<DiskRoom>,
    },
    /// A file is in the way of the sink.
    #[error("{0} exists and is never overwritten: choose another name")]
    SinkExists(PathBuf),
    /// There is no shared memory of the source's name, `shm:NAME`.
    #[error("there is no shared memory {0}: check the name; whoever made it may have unlinked it")]
    ShmMissing(String),
    /// There is shared memory of the sink's name, `shm:NAME`, already.
    #[error("{0} exists and is never overwritten: choose another name, or unlink it first")]
    ShmExists(String),
    /// Shared memory cannot hold the array.
    #[error("{name} needs {}more than /dev/shm has free: receive into a file, or enlarge /dev/shm", amount(*needed))]
    ShmFull {
        /// `shm:NAME` that was to be made.
        name: String,
        /// Bytes that it needs.
        needed: u64,
    },
    /// What was received so far is not what this machine wrote: someone else cut, grew or replaced the file.
    #[error("{0} was changed by someone else while it was being received: receive it again and leave it alone")]
    SinkChanged(PathBuf),
    /// The sink cannot be created or written.
    #[error("cannot write {path}: {reason}")]
    SinkUnwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        reason: Reason,
    },
    /// All of an array came, and the system could not write it to the disk. It is kept where it is.
    #[error(
        "{path} is not on disk: {reason}; what came is kept there, parts of it may be lost: check the disk, and send again"
    )]
    NotOnDisk {
        /// The file: under its temporary name, or the existing one that was received into.
        path: PathBuf,
        /// What the system said.
        #[source]
        reason: Reason,
    },
    /// All of an array came and is verified, and it cannot have the name that it was to have.
    #[error("{path} cannot be made: {reason}; the array is whole and is kept as {part}: rename it")]
    NotNamed {
        /// The file that was to be made.
        path: PathBuf,
        /// The file that it is.
        part: PathBuf,
        /// What the system said.
        #[source]
        reason: Reason,
    },
    /// The existing array to be received into does not fit what comes.
    #[error("{path} cannot take the array: {reason}")]
    SinkMismatch {
        /// The existing file.
        path: PathBuf,
        /// What does not fit.
        #[source]
        reason: Reason,
    },
    /// The address to listen on is taken.
    #[error("{} is in use by another program: choose another {}", .0, other_address(.0))]
    AddressInUse(String),
    /// Nothing listens at the endpoint.
    #[error("nobody listens at {0}: start the receiver or the server there first, or check the address")]
    NobodyListening(String),
    /// The endpoint cannot be reached or bound for another reason.
    #[error("cannot use {endpoint}: {reason}")]
    Endpoint {
        /// The endpoint as it was given.
        endpoint: String,
        /// What the system said.
        #[source]
        reason: Reason,
    },
    /// The process at the other end of a Unix socket is another user's.
    #[error(
        "the process at {endpoint} is of user {user}, and neither of yours nor of root's: --peer-user takes others"
    )]
    OtherUser {
        /// The endpoint as it was given.
        endpoint: String,
        /// Its name and number.
        user: String,
    },
    /// The peer closed the connection before the array was whole.
    #[error(
        "the peer closed the connection early: {} had moved, {} are missing; the other end may have said why",
        units::done_of(*received, *total),
        units::bytes(*missing)
    )]
    ClosedEarly {
        /// Bytes that did not come.
        missing: u64,
        /// Bytes that came.
        received: u64,
        /// Bytes that were announced.
        total: u64,
    },
    /// The peer closed the connection before it had said what it sends, or before it answered.
    #[error("the peer closed the connection {0}")]
    ClosedWhile(&'static str),
    /// What was to be fetched cannot be.
    #[error("{url} cannot be fetched: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it, or where it leads.
        #[source]
        reason: Reason,
    },
    /// A web server answered something else than the file.
    #[error("cannot fetch {url}: the server answered {status} {meaning}{}", advice(*.status))]
    Answered {
        /// What was asked for.
        url: String,
        /// The number of its answer. RFC 9110, 15.
        status: u16,
        /// What that means.
        meaning: String,
    },
    /// A file on the web does not tell its length, and memory of a length is to be filled.
    #[error("{0} does not tell its length before it comes: fetch it into a file, or discard")]
    LengthUntold(String),
    /// A file on the web is another one than before the connection broke.
    #[error("{0} was changed on its server while it was being fetched: fetch it again")]
    ChangedThere(String),
    /// A server cannot show that it is who it should be.
    #[error("the server is not trusted: {0}")]
    NotTrusted(String),
    /// The peer was silent for longer than the timeout.
    #[error("the peer said nothing for {}: it may hang, or the timeout is too short", units::exact_time(*.0))]
    Silent(Duration),
    /// The peer moved fewer bytes than a service asks of it.
    #[error("the peer moved {bytes} bytes in {}, less than is asked of it here (serve --slowest): its place is for others", units::time(during.as_secs_f64()))]
    TooSlow {
        /// Bytes that moved.
        bytes: u64,
        /// In this time.
        during: Duration,
    },
    /// The peer did not answer the native wire's offer within the timeout.
    #[error("the peer did not answer for {}: one that does not speak the native wire needs npy or raw", units::exact_time(*.0))]
    Unanswered(Duration),
    /// The peer does not speak any of Arraylift's wires.
    #[error("the peer speaks another protocol: {0}")]
    OtherProtocol(String),
    /// The peer broke the rules of the wire.
    #[error("the peer broke the protocol: {0}")]
    Protocol(String),
    /// The peer offered something that cannot be taken.
    #[error("the offer cannot be taken: {0}")]
    BadOffer(String),
    /// The peer offered more than this service takes.
    #[error("refused: {0}")]
    OverLimit(ServiceLimit),
    /// The other end of a connection between a service and its worker has another key.
    #[error("{0} has another key: give both the same")]
    OtherKey(&'static str),
    /// The peer refused the offer.
    #[error("the receiver refused: {0}")]
    Refused(String),
    /// The peer gave up and said why.
    #[error("the peer gave up: {0}")]
    Aborted(String),
    /// The peer ends for now, and said why: the same may be tried again soon.
    #[error("the peer gave up: {0}")]
    GoesAway(String),
    /// A block's checksum is not the one of its bytes.
    #[error("block {index} (bytes {start} to {end}) was damaged on the way: send again")]
    DamagedBlock {
        /// The block's number, from 0.
        index: u64,
        /// Its first byte in the array.
        start: u64,
        /// The byte after its last.
        end: u64,
    },
    /// The transfer failed with a part of an existing file overwritten.
    #[error("{cause}; {}", overwritten(path, *bytes))]
    PartlyOverwritten {
        /// The existing file.
        path: PathBuf,
        /// How many of its bytes are other ones now.
        bytes: u64,
        /// Why the transfer failed.
        cause: Box<Error>,
    },
    /// What the peer handed over is not what it offered.
    #[error("what was handed over cannot be taken: {0}")]
    BadHandoff(String),
    /// A handoff was asked for, and the receiver takes none.
    #[error("the receiver takes no handoff: it receives into a file or does not know how; send by another route")]
    HandoffNotTaken,
    /// The two ends do not agree on the checksum of the whole array.
    #[error("the receiver's checksum of the array differs from the sender's: send again")]
    ResultMismatch,
    /// The worker process that had the transfer is gone.
    #[error("the worker process {pid} that received it {how}: send it again")]
    WorkerLost {
        /// Its process id.
        pid: u32,
        /// How it ended, as far as that is known.
        how: String,
    },
    /// What another process of Arraylift said of a transfer of its own.
    #[error("{message}")]
    Told {
        /// Who has to act.
        fault: Fault,
        /// The line for people.
        message: String,
        /// Whether the same may go well later.
        may_pass: bool,
    },
    /// A mistake in Arraylift itself: something happened that its code rules out.
    #[error("this is a mistake in Arraylift, please report it: {0}")]
    Bug(String),
    /// The system refused something that it should not.
    #[error("{doing}: {reason}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        reason: Reason,
    },
}

impl Error {
    /// What stays of an array that came and could not be kept as it was to be.
    pub(crate) fn kept(&self) -> Option<&PathBuf> {
        match self {
            Self::NotOnDisk { path, .. } => Some(path),
            Self::NotNamed { part, .. } => Some(part),
            _ => None,
        }
    }

    /// Whether it may pass by itself: the other end, or the way to it, is not there for the moment.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::ClosedEarly { .. }
                | Self::ClosedWhile(_)
                | Self::Silent(_)
                | Self::Unanswered(_)
                | Self::NobodyListening(_)
                | Self::Endpoint { .. }
                | Self::GoesAway(_)
                | Self::Told { may_pass: true, .. }
        )
    }

    /// Whether a peer that ends with this before it has offered anything is a stranger, such as a scan of ports: nothing
    /// was to be received from it.
    pub(crate) fn is_of_stranger(&self) -> bool {
        matches!(
            self,
            Self::ClosedWhile(_)
                | Self::Silent(_)
                | Self::OtherProtocol(_)
                | Self::OtherUser { .. }
                | Self::Protocol(_)
        )
    }

    /// Who has to act.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::PartlyOverwritten { cause, .. } => cause.fault(),
            Self::Told { fault, .. } => *fault,
            Self::OverLimit(limit) => limit.fault(),
            Self::Usage(_)
            | Self::SourceMissing(_)
            | Self::SourceIsFolder(_)
            | Self::SourceUnreadable { .. }
            | Self::SourceInvalid { .. }
            | Self::SourceChanged(_)
            | Self::LengthNeeded(_)
            | Self::SourceEnded { .. }
            | Self::SinkExists(_)
            | Self::ShmMissing(_)
            | Self::ShmExists(_)
            | Self::SinkChanged(_)
            | Self::SinkUnwritable { .. }
            | Self::SinkMismatch { .. }
            | Self::AddressInUse(_)
            | Self::Endpoint { .. }
            | Self::Url { .. }
            | Self::LengthUntold(_)
            | Self::NobodyListening(_)
            | Self::OtherUser { .. }
            | Self::OtherKey(_)
            // RFC 9110, 15.5: what was asked for is wrong.
            | Self::Answered { status: 400..500, .. } => Fault::Caller,
            Self::NotEnoughMemory { .. }
            | Self::DiskFull { .. }
            | Self::ShmFull { .. }
            | Self::NotOnDisk { .. }
            | Self::NotNamed { .. }
            | Self::WorkerLost { .. }
            | Self::System { .. } => Fault::System,
            Self::ClosedEarly { .. }
            | Self::ClosedWhile(_)
            | Self::Answered { .. }
            | Self::ChangedThere(_)
            | Self::NotTrusted(_)
            | Self::Silent(_)
            | Self::TooSlow { .. }
            | Self::Unanswered(_)
            | Self::OtherProtocol(_)
            | Self::Protocol(_)
            | Self::BadOffer(_)
            | Self::Refused(_)
            | Self::Aborted(_)
            | Self::GoesAway(_)
            | Self::DamagedBlock { .. }
            | Self::BadHandoff(_)
            | Self::HandoffNotTaken
            | Self::ResultMismatch => Fault::Peer,
            Self::Bug(_) => Fault::Bug,
        }
    }

    /// Wraps what the system said while `doing` something that has no variant of its own.
    pub(crate) fn system(doing: &'static str, error: &std::io::Error) -> Self {
        Self::System {
            doing,
            reason: reason(error),
        }
    }

    /// A thread of ours that ended by a panic.
    pub(crate) fn panicked(thread: &str) -> Self {
        Self::Bug(format!("{thread} panicked"))
    }
}

/// What stays in a file that was there before, where a transfer into it does not come to its end.
pub(crate) fn overwritten(path: &Path, bytes: u64) -> String {
    format!("{bytes} bytes of {} are overwritten already", path.display())
}

/// What else can be listened at, where this address is taken.
fn other_address(taken: &str) -> &'static str {
    if taken.starts_with("unix:") {
        "path"
    } else {
        "port; port 0 takes a free one"
    }
}

/// What to do about an answer of a web server.
fn advice(status: u16) -> &'static str {
    match status {
        404 | 410 => ": check the URL",
        _ => "",
    }
}

/// What a file needs that its disk has not.
pub(crate) fn lack(needed: u64, room: Option<DiskRoom>) -> String {
    match room {
        Some(room) => format!("{}, and {room}", units::bytes(needed)),
        None => format!("{}more than its disk has free or a limit allows", amount(needed)),
    }
}

/// So many bytes, with a comma; nothing where nobody knows how many.
fn amount(bytes: u64) -> String {
    match bytes {
        0 => String::new(),
        known => format!("{}, ", units::bytes(known)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;
    use std::io;

    #[test]
    fn what_the_system_said_stays_behind_the_words() {
        let error = Error::system("cannot wait", &io::Error::from_raw_os_error(24));
        assert_eq!(error.to_string(), "cannot wait: too many open files");
        let reason = error.source().expect("a reason");
        let system = reason.source().and_then(|error| error.downcast_ref::<io::Error>());
        assert_eq!(system.and_then(io::Error::raw_os_error), Some(24));
    }

    #[test]
    fn a_mistake_of_our_own_asks_to_be_reported_and_is_nobody_elses_fault() {
        let error = Error::panicked("the sending thread");
        assert_eq!(error.fault(), Fault::Bug);
        assert!(error.to_string().contains("report it"), "{error}");
    }
}
