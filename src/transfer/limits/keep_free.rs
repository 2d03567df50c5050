//! How much of a disk stays free.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{StatVfs, statvfs};
use serde::{Deserialize, Serialize};

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

/// A folder whose disk has less free than is to stay so: nothing is taken there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FullFolder {
    /// The folder.
    #[serde(serialize_with = "crate::transfer::path_text::path")]
    pub folder: PathBuf,
    /// Bytes that are free on its disk.
    pub free_bytes: u64,
    /// Bytes that are to stay free.
    pub kept_bytes: u64,
}

impl KeepFree {
    /// The folder with what is free there, where that is no more than is to stay so. `None` also where the system does
    /// not say.
    pub(crate) fn leaves_nothing(self, folder: &Path) -> Option<FullFolder> {
        let disk = statvfs(folder).ok().filter(|disk| disk.f_blocks > 0)?;
        let (free_bytes, kept_bytes) = (disk.f_bavail.saturating_mul(disk.f_frsize), self.bytes_of(&disk));
        (kept_bytes > 0 && free_bytes <= kept_bytes).then(|| FullFolder {
            folder: folder.into(),
            free_bytes,
            kept_bytes,
        })
    }
}

impl fmt::Display for FullFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "every array is refused now: {} are free in {} and --keep-free keeps {} (--keep-free SIZE keeps less)",
            units::bytes(self.free_bytes),
            self.folder.display(),
            units::bytes(self.kept_bytes)
        )
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
        percent.map(Self::Percent).ok_or(UnitError::Share)
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
        let share = "120%".parse::<KeepFree>().map_err(|error| error.to_string());
        assert_eq!(
            share,
            Err("a part of the disk is a whole number from 0% to 100%".into())
        );
        for wrong in ["", "%", "101%", "-1%", "1.5%", "many"] {
            assert!(wrong.parse::<KeepFree>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_folder_where_nothing_is_taken_is_told_with_what_is_free_and_what_is_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let full = KeepFree::Percent(100)
            .leaves_nothing(folder.path())
            .expect("never free");
        assert!(full.free_bytes <= full.kept_bytes, "{full:?}");
        let line = full.to_string();
        assert!(line.contains(&folder.path().display().to_string()), "{line}");
        assert!(line.contains("--keep-free keeps"), "{line}");
        assert_eq!(KeepFree::Bytes(0).leaves_nothing(folder.path()), None);
        assert_eq!(KeepFree::Percent(5).leaves_nothing(Path::new("/no/such/folder")), None);
    }
}
