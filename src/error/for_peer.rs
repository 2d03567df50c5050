//! What a peer is told of an error.

use crate::units;

use super::Error;

impl Error {
    /// What a peer is told, who may be a stranger: enough to act on. Every variant says here what of it may be told;
    /// nothing of this machine's paths, addresses and processes is.
    pub(crate) fn for_peer(&self) -> String {
        match self {
            Self::PartlyOverwritten { cause, .. } => cause.for_peer(),
            Self::OverLimit(limit) => limit.for_peer(),
            Self::TooSlow { bytes, during } => format!(
                "{bytes} bytes moved in {}, less than is asked there",
                units::time(during.as_secs_f64())
            ),
            Self::DiskFull { needed: 0, .. } => "its disk is full".into(),
            Self::DiskFull { needed, room: None, .. } => format!("its disk has no room for {}", units::bytes(*needed)),
            Self::DiskFull {
                needed,
                room: Some(room),
                ..
            } => format!("its disk has no room for {}: {room}", units::bytes(*needed)),
            Self::NotEnoughMemory { needed, .. } => format!("it has no memory for {}", units::bytes(*needed)),
            Self::ShmFull { needed, .. } => format!("its shared memory has no room for {}", units::bytes(*needed)),
            Self::ShmExists(_) => "shared memory of that name exists there and is never overwritten".into(),
            Self::SinkChanged(_) => "what it had received was changed by someone else there".into(),
            Self::SinkExists(_) => "a file of that name exists there and is never overwritten".into(),
            Self::SinkUnwritable { reason, .. } => format!("it cannot write the file: {reason}"),
            Self::NotOnDisk { reason, .. } => format!("it has everything, and its disk took not all of it: {reason}"),
            Self::NotNamed { reason, .. } => {
                format!("it has everything under another name, and cannot make the file: {reason}")
            }
            Self::SinkMismatch { reason, .. } => format!("its existing array cannot take this one: {reason}"),
            Self::SourceChanged(_) => "the source changed while it was being sent".into(),
            Self::SourceEnded { received, total, .. } => {
                format!("the source ended early: {received} of {total} bytes came")
            }
            Self::SourceUnreadable { reason, .. } => format!("the source cannot be read: {reason}"),
            // Its own words.
            Self::Aborted(reason) | Self::GoesAway(reason) => reason.clone(),
            // What the peer itself did or said, and what it was asked for.
            Self::ClosedEarly { .. }
            | Self::ClosedWhile(_)
            | Self::Silent(_)
            | Self::Unanswered(_)
            | Self::OtherProtocol(_)
            | Self::Protocol(_)
            | Self::BadOffer(_)
            | Self::Refused(_)
            | Self::DamagedBlock { .. }
            | Self::BadHandoff(_)
            | Self::HandoffNotTaken
            | Self::ResultMismatch => self.to_string(),
            // Only what was being done: the rest is for whoever sits there.
            Self::System { doing, .. } => format!("its system failed: {doing}"),
            Self::Bug(_) => "it met a mistake of its own program".into(),
            Self::OtherUser { .. } => "it takes its own user and root only".into(),
            Self::WorkerLost { .. } => "the process there that received it is gone".into(),
            Self::Usage(_)
            | Self::SourceMissing(_)
            | Self::SourceIsFolder(_)
            | Self::SourceInvalid { .. }
            | Self::LengthNeeded(_)
            | Self::ShmMissing(_)
            | Self::AddressInUse(_)
            | Self::Endpoint { .. }
            | Self::NobodyListening(_)
            | Self::Url { .. }
            | Self::Answered { .. }
            | Self::LengthUntold(_)
            | Self::ChangedThere(_)
            | Self::NotTrusted(_)
            | Self::OtherKey(_)
            | Self::Told { .. } => "it failed there for a reason that is told there".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::error::{DiskRoom, Fault, Reason};

    /// Errors that name something of this machine.
    #[expect(clippy::too_many_lines, reason = "one of each kind")]
    fn with_secrets() -> Vec<Error> {
        let path = || PathBuf::from("/home/someone/secret.npy");
        let text = || "/home/someone/secret.npy".to_owned();
        let reason = || Reason::from("it is a folder");
        vec![
            Error::Usage(text()),
            Error::SourceMissing(path()),
            Error::SourceIsFolder(path()),
            Error::SourceUnreadable {
                path: path(),
                reason: reason(),
            },
            Error::SourceInvalid {
                path: path(),
                reason: text().into(),
            },
            Error::SourceChanged(path()),
            Error::LengthNeeded(path()),
            Error::SourceEnded {
                path: path(),
                received: 1,
                total: 2,
            },
            Error::DiskFull {
                path: path(),
                needed: 1,
                room: Some(DiskRoom::default()),
            },
            Error::SinkExists(path()),
            Error::ShmMissing(text()),
            Error::ShmExists(text()),
            Error::ShmFull {
                name: text(),
                needed: 1,
            },
            Error::SinkChanged(path()),
            Error::SinkUnwritable {
                path: path(),
                reason: reason(),
            },
            Error::SinkMismatch {
                path: path(),
                reason: reason(),
            },
            Error::NotOnDisk {
                path: path(),
                reason: reason(),
            },
            Error::NotNamed {
                path: path(),
                part: path(),
                reason: reason(),
            },
            Error::AddressInUse(text()),
            Error::OtherUser {
                endpoint: text(),
                user: text(),
            },
            Error::NobodyListening(text()),
            Error::Endpoint {
                endpoint: text(),
                reason: reason(),
            },
            Error::Url {
                url: text(),
                reason: reason(),
            },
            Error::Answered {
                url: text(),
                status: 404,
                meaning: text(),
            },
            Error::LengthUntold(text()),
            Error::ChangedThere(text()),
            Error::NotTrusted(text()),
            Error::PartlyOverwritten {
                path: path(),
                bytes: 1,
                cause: Box::new(Error::SourceMissing(path())),
            },
            Error::Told {
                fault: Fault::System,
                message: text(),
                may_pass: false,
            },
            Error::Bug(text()),
            Error::System {
                doing: "cannot start a thread",
                reason: text().into(),
            },
        ]
    }

    #[test]
    fn a_stranger_hears_nothing_of_this_machine() {
        for error in with_secrets() {
            let told = error.for_peer();
            assert!(!told.contains("secret") && !told.is_empty(), "{error:?}: {told}");
        }
    }
}
