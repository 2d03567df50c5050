//! The limits of a service that an array can be beyond, in words for whoever runs it and for whoever sent.

use std::path::PathBuf;

use super::Fault;
use crate::units;

/// A limit of a service, and the array that is beyond it. Its text is for whoever runs the service, and names the option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceLimit {
    /// Too little of the disk would stay free.
    #[error(
        "{} do not fit into {}: {} are free there and --keep-free keeps {}",
        units::bytes(*bytes), folder.display(), units::bytes(*free_bytes), units::bytes(*kept_bytes)
    )]
    KeepFree {
        /// Bytes of the array.
        bytes: u64,
        /// Where it was to land.
        folder: PathBuf,
        /// Bytes that are free there and not promised to others.
        free_bytes: u64,
        /// Bytes that are to stay free.
        kept_bytes: u64,
    },
    /// The array alone is too large.
    #[error("{} are too much: --max-bytes takes {} at most", units::bytes(*bytes), units::bytes(*most_bytes))]
    MaxBytes {
        /// Bytes of the array.
        bytes: u64,
        /// Bytes that one array may have.
        most_bytes: u64,
    },
    /// All arrays together would be too large.
    #[error(
        "{} are too much: of the {} of --max-total {} are left",
        units::bytes(*bytes), units::bytes(*most_bytes), units::bytes(*left_bytes)
    )]
    MaxTotal {
        /// Bytes of the array.
        bytes: u64,
        /// Bytes that all arrays together may have.
        most_bytes: u64,
        /// Bytes of these that nobody has taken yet.
        left_bytes: u64,
    },
}

impl ServiceLimit {
    /// Who has to act: never the sender, who cannot know of the limit.
    pub(super) fn fault(&self) -> Fault {
        match self {
            Self::KeepFree { .. } => Fault::System,
            Self::MaxBytes { .. } | Self::MaxTotal { .. } => Fault::Caller,
        }
    }

    /// What the sender is told, who may be a stranger: nothing of the disk but that it has no room.
    pub(super) fn for_peer(&self) -> String {
        match self {
            Self::KeepFree { bytes, .. } => format!("its disk has no room for {}", units::bytes(*bytes)),
            Self::MaxBytes { bytes, most_bytes } => format!(
                "it has {}, and at most {} are taken there",
                units::bytes(*bytes),
                units::bytes(*most_bytes)
            ),
            Self::MaxTotal { bytes, left_bytes, .. } => format!(
                "it has {}, and only {} more are taken there",
                units::bytes(*bytes),
                units::bytes(*left_bytes)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn whoever_runs_the_service_hears_the_numbers_and_a_stranger_hears_none_of_the_disk() {
        let refused = Error::OverLimit(ServiceLimit::KeepFree {
            bytes: 40_000_000,
            folder: "incoming".into(),
            free_bytes: 12_300_000_000,
            kept_bytes: 13_500_000_000,
        });
        assert_eq!(
            refused.to_string(),
            "refused: 40.0 MB do not fit into incoming: 12.3 GB are free there and --keep-free keeps 13.5 GB"
        );
        assert_eq!(refused.for_peer(), "its disk has no room for 40.0 MB");
        assert_eq!(refused.fault(), Fault::System);
        let refused = Error::OverLimit(ServiceLimit::MaxBytes {
            bytes: 8_000_000,
            most_bytes: 1_000_000,
        });
        assert_eq!(
            refused.to_string(),
            "refused: 8.00 MB are too much: --max-bytes takes 1.00 MB at most"
        );
        assert!(refused.for_peer().contains("at most 1.00 MB"));
        assert_eq!(refused.fault(), Fault::Caller);
        let refused = Error::OverLimit(ServiceLimit::MaxTotal {
            bytes: 8_000_000,
            most_bytes: 9_000_000,
            left_bytes: 1_000_000,
        });
        assert_eq!(
            refused.to_string(),
            "refused: 8.00 MB are too much: of the 9.00 MB of --max-total 1.00 MB are left"
        );
        assert!(refused.for_peer().contains("1.00 MB more are taken"));
    }
}
