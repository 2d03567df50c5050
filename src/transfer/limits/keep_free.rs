//! How much of a disk stays free.

use std::fmt;
use std::str::FromStr;

use rustix::fs::StatVfs;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::units::{self, UnitError, parse_bytes};

/// What is not given to arrays, of the disk that they land on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeepFree {
    /// So many bytes.
    Bytes(u64),
    /// So much of all its bytes, 0 to 100.
    Percent(u8),
}

impl KeepFree {
    /// How many bytes of that disk stay free.
    pub(crate) fn bytes_of(self, disk: &StatVfs) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (disk.f_blocks / 100)
                .saturating_mul(disk.f_frsize)
                .saturating_mul(percent.into()),
        }
    }
}

/// The error for an array of `bytes` for which too little of a disk is free, of which `kept_bytes` are to stay so.
pub(crate) fn too_little_is_free(bytes: u64, free_bytes: u64, kept_bytes: u64) -> Error {
    Error::BadOffer(format!(
        "it has {}, and of the {} that are free there {} have to stay so",
        units::bytes(bytes),
        units::bytes(free_bytes),
        units::bytes(kept_bytes)
    ))
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
}
