//! The names of files that are not whole yet. None of them can come from a peer, and none says whose it is: that is what
//! the lock on the file is for.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checksum::{ChecksumKind, Digest};
use crate::error::Error;
use crate::sys::{is_locked, lock};

use super::folder::Folder;
use super::unwritable;

/// Between the final name and the number.
const MARK: &str = "arraylift-";
/// Behind the number of a file that is not whole.
const PART_ENDING: &str = ".part";
/// Behind the name of a file that is not whole, this is its log.
pub(super) const LOG_ENDING: &str = ".log";
/// Behind the number, this is the log of a part of a file that was there before: nothing half received lies beside it.
const LOG_WITHIN_ENDING: &str = ".at.log";
/// The digits of the number.
const DIGITS: usize = 8;
/// Of the final name, what the temporary one keeps: a name may have 255 bytes, and this one gets longer.
const KEPT_BYTES_MAX: usize = 200;
/// Under so many numbers an item is looked for that goes on.
const NUMBERS_OF_ITEM: u32 = 16;
/// Numbers are drawn, so that the second try is there for chance alone.
const TRIES: usize = 100;

/// The number in the name of a file that is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PartNumber(u32);

impl PartNumber {
    /// One that nobody else has, but for chance.
    pub(crate) fn draw() -> Self {
        // It is seeded by the system once a thread, and counts up with each.
        let [a, b, c, d, ..] = RandomState::new().hash_one(()).to_ne_bytes();
        Self(u32::from_ne_bytes([a, b, c, d]))
    }

    /// What a file of this number is called that shall be called `wanted`.
    pub(super) fn name_for(self, wanted: &Path) -> PathBuf {
        self.name_with(wanted, PART_ENDING)
    }

    fn name_with(self, wanted: &Path, ending: &str) -> PathBuf {
        let name = wanted.file_name().unwrap_or_default().to_string_lossy();
        let name = &name[..name.floor_char_boundary(KEPT_BYTES_MAX)];
        PathBuf::from(format!("{name}.{MARK}{:08x}{ending}", self.0))
    }

    /// That of a file of this name; `None` where no file that is not whole can be called so, in any case of letters: some
    /// file systems do not tell them apart.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::of_name_with(name, PART_ENDING)
    }

    fn of_name_with(name: &str, ending: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (_, marked) = name.strip_suffix(ending)?.rsplit_once('.')?;
        let digits = marked.strip_prefix(MARK)?;
        let is_number = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_number
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
            .map(Self)
    }
}

/// The numbers of files that are not whole and shall be called `wanted`, with items of so many bytes: they are found again
/// by these, and the folder need not be listed. Where somebody has the first, the next one is taken.
pub(crate) fn numbers_for(wanted: &Path, bytes: u64) -> impl Iterator<Item = PartNumber> + use<> {
    let first = number_of(wanted, &[bytes]);
    (0..NUMBERS_OF_ITEM).map(move |step| PartNumber(first.wrapping_add(step)))
}

/// What the log of `bytes` bytes from byte `at` on of the file `name` is called. There is one for each place: what comes
/// there makes what was written down of it before worthless.
pub(super) fn log_within(name: &Path, at: u64, bytes: u64) -> PathBuf {
    PartNumber(number_of(name, &[at, bytes])).name_with(name, LOG_WITHIN_ENDING)
}

/// A number that follows from a name and others.
fn number_of(name: &Path, others: &[u64]) -> u32 {
    let mut digest = Digest::new(ChecksumKind::Crc32);
    digest.update(name.as_os_str().as_bytes());
    // No name has it.
    digest.update(&[0]);
    for other in others {
        digest.update(&other.to_le_bytes());
    }
    let [a, b, c, d, ..] = digest.value().unwrap_or_default().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Makes a file in a folder in which it shall be called `wanted`, only for this user, and locks it. Returns its name, with
/// the first of the numbers that were given for it that no other file has, or with any where all are taken.
pub(super) fn create(
    folder: &Folder,
    wanted: &Path,
    given: impl IntoIterator<Item = PartNumber>,
) -> Result<(File, PathBuf), Error> {
    let drawn = std::iter::repeat_with(PartNumber::draw);
    for number in given.into_iter().chain(drawn).take(TRIES) {
        let name = number.name_for(wanted);
        match folder.create(&name) {
            Ok(file) => {
                // A file system without locks does without: then nothing of it is ever taken for left behind.
                let _ = lock(&file);
                return Ok((file, name));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(folder.path_of(wanted), &error, 0)),
        }
    }
    Err(Error::SinkUnwritable {
        path: folder.path_of(wanted),
        reason: "files of the names that were tried for its .part are in the way".into(),
    })
}

/// Whether a file that is not whole can be called so, or a log of what is not.
pub(crate) fn is_part_name(name: &str) -> bool {
    PartNumber::of_name(name).is_some() || is_log_name(name) || is_log_within_name(name)
}

/// Whether the log of a part of a file that was there before can be called so, in any case of letters.
pub(super) fn is_log_within_name(name: &str) -> bool {
    PartNumber::of_name_with(name, LOG_WITHIN_ENDING).is_some()
}

/// Whether the log of a file that is not whole can be called so, in any case of letters.
pub(super) fn is_log_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(LOG_ENDING).and_then(PartNumber::of_name).is_some()
}

/// The length of a file that is not whole, and that nobody receives into any more: its process has ended, here or in
/// another container. `None` where it is anything else, or that cannot be told.
pub(crate) fn left_behind(path: &Path) -> Option<u64> {
    PartNumber::of_name(path.file_name()?.to_str()?)?;
    path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    let file = File::open(path).ok()?;
    (!is_locked(&file).ok()?).then_some(())?;
    Some(file.metadata().ok()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_private_and_left_behind_once_nobody_has_it_open() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().expect("folder");
        let wanted = PathBuf::from("é".repeat(127));
        let open = Folder::open(folder.path()).expect("there");
        let number = PartNumber::draw();
        let (file, name) = create(&open, &wanted, Some(number)).expect("room");
        assert_eq!(name.to_str().and_then(PartNumber::of_name), Some(number));
        let path = folder.path().join(name);
        let (_other, beside) = create(&open, &wanted, Some(number)).expect("room");
        let beside = folder.path().join(beside);
        assert_ne!(path, beside);
        assert_eq!(file.metadata().expect("open").mode() & 0o777, 0o600);
        assert!(is_part_name(
            path.file_name().and_then(|name| name.to_str()).expect("UTF-8")
        ));
        assert_eq!(left_behind(&path), None, "it is being received");
        file.set_len(7).expect("length");
        drop(file);
        assert_eq!(left_behind(&path), Some(7));
        assert_eq!(left_behind(&folder.path().join("gone.arraylift-00000000.part")), None);
    }

    #[test]
    fn only_our_own_mark_makes_a_name_one_of_ours() {
        for (name, is_ours) in [
            ("a.npy.arraylift-0123abcd.part", true),
            ("A.NPY.ARRAYLIFT-0123ABCD.PART", true),
            (".arraylift-0123abcd.part", true),
            ("a.npy.4711-0.part", false),
            ("a.part", false),
            ("a.arraylift-0123abc.part", false),
            ("a.arraylift-0123abcx.part", false),
            ("a.arraylift-0123abcd.part_", false),
            ("a.arraylift-0123abcd.part.log", true),
            ("A.ARRAYLIFT-0123ABCD.PART.LOG", true),
            ("a.part.log", false),
            ("a.arraylift-0123abcd.at.log", true),
            ("A.Arraylift-0123ABCD.AT.LOG", true),
            ("a.at.log", false),
            ("a.arraylift-0123abcd.log", false),
        ] {
            assert_eq!(is_part_name(name), is_ours, "{name}");
        }
    }

    #[test]
    fn an_item_has_the_same_numbers_each_time_and_another_name_or_length_has_others() {
        let numbers = |wanted: &str, bytes| -> Vec<PartNumber> { numbers_for(Path::new(wanted), bytes).collect() };
        let ours = numbers("a.npy", 1000);
        assert_eq!(ours, numbers("a.npy", 1000));
        assert_eq!(ours.len(), 16);
        assert_eq!(ours[1].0, ours[0].0.wrapping_add(1));
        assert!(ours[0] != numbers("a.npy", 1001)[0] && ours[0] != numbers("b.npy", 1000)[0]);
    }

    #[test]
    fn the_log_of_a_part_of_a_file_has_a_name_for_each_place_and_is_never_taken_for_the_log_of_a_new_file() {
        let [ours, elsewhere, shorter, other] = [
            ("a.npy", 128, 1000),
            ("a.npy", 136, 1000),
            ("a.npy", 128, 999),
            ("b.npy", 128, 1000),
        ]
        .map(|(name, at, bytes)| log_within(Path::new(name), at, bytes));
        assert_eq!(ours, log_within(Path::new("a.npy"), 128, 1000));
        assert!(ours != elsewhere && ours != shorter && ours != other);
        let long = log_within(Path::new(&"é".repeat(127)), 0, 1000);
        for name in [ours, long] {
            let name = name.to_str().expect("UTF-8");
            assert!(
                is_log_within_name(name) && is_part_name(name) && name.len() <= 255,
                "{name}"
            );
            assert!(!is_log_name(name) && PartNumber::of_name(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_log_is_not_taken_for_a_file_that_is_left_behind() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.arraylift-0123abcd.part.log");
        std::fs::write(&path, "log").expect("written");
        assert_eq!(left_behind(&path), None);
    }
}
