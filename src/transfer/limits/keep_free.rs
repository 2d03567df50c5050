//! How much of a disk stays free.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use rustix::fs::{stat, statvfs};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::units::{self, UnitError, parse_bytes};

use super::promise::promised_on_disk;

/// What is not given to arrays, of the disk that they land on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeepFree {
    /// So many bytes.
    Bytes(u64),
    /// So much of all its bytes, 0 to 100.
    Percent(u8),
}

impl KeepFree {
    /// Whether an array of `bytes` leaves enough of the disk of a folder free, beside what is promised to others.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn check(self, folder: &Path, bytes: u64) -> Result<(), Error> {
        let (Ok(disk), Ok(status)) = (statvfs(folder), stat(folder)) else {
            // Whoever makes the file there tells what is wrong with the folder.
            return Ok(());
        };
        if disk.f_blocks == 0 {
            // A file system without a limit, or one that does not say.
            return Ok(());
        }
        let keep = match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (disk.f_blocks / 100)
                .saturating_mul(disk.f_frsize)
                .saturating_mul(percent.into()),
        };
        let promised = promised_on_disk(status.st_dev);
        let free = disk.f_bavail.saturating_mul(disk.f_frsize).saturating_sub(promised);
        if free < keep.saturating_add(bytes) {
            return Err(Error::BadOffer(format!(
                "it has {}, and of the {} that are free there {} have to stay so",
                units::bytes(bytes),
                units::bytes(free),
                units::bytes(keep)
            )));
        }
        Ok(())
    }
}

impl Default for KeepFree {
    fn default() -> Self {
        Self::Percent(5)
    }
}

impl FromStr for KeepFree {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let Some(percent) = text.trim().strip_suffix('%') else {
            return parse_bytes(text).map(Self::Bytes);
        };
        let percent = percent.trim().parse().ok().filter(|percent| *percent <= 100);
        percent.map(Self::Percent).ok_or(UnitError::Bytes)
    }
}

impl fmt::Display for KeepFree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_bytes_or_as_a_part_of_the_disk() {
        for (typed, read) in [
            ("0", KeepFree::Bytes(0)),
            ("50GB", KeepFree::Bytes(50_000_000_000)),
            ("5%", KeepFree::Percent(5)),
            (" 100 % ", KeepFree::Percent(100)),
        ] {
            assert_eq!(typed.parse(), Ok(read), "{typed}");
            assert_eq!(read.to_string().parse(), Ok(read));
        }
        for wrong in ["", "%", "101%", "-1%", "1.5%", "many"] {
            assert!(wrong.parse::<KeepFree>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_disk_is_not_filled_beyond_what_has_to_stay_free() {
        let check = |keep: KeepFree| keep.check(Path::new("/tmp"), 1);
        assert_eq!(check(KeepFree::Bytes(0)), Ok(()));
        for keep in [KeepFree::Bytes(u64::MAX), KeepFree::Percent(100)] {
            assert!(matches!(check(keep), Err(Error::BadOffer(text)) if text.contains("stay")));
        }
    }
}
