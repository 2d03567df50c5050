//! The last name of a new file: it never replaces another one, and is found before the first byte comes.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use rustix::fs::{CWD, RenameFlags, renameat, renameat_with};
use rustix::io::Errno;

use super::is_of;

/// A name may have so many bytes.
const NAME_BYTES_MAX: usize = 255;
/// Others may take the name that was free a moment ago, but not for ever.
const TRIES: usize = 1000;

/// A name that was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) path: PathBuf,
    /// Whether `wanted` was taken.
    pub(super) is_another: bool,
}

/// Finds out whether `wanted`, or the same with a number, can be a name there.
///
/// # Errors
/// It cannot: it is too long, say.
pub(super) fn check(wanted: &Path) -> io::Result<()> {
    free_name(wanted).map(|_| ())
}

/// Gives `file` the name `wanted` in place of `part`, or the same with a number where that is taken.
///
/// # Errors
/// The system refuses it: the file keeps its name.
pub(super) fn give(file: &File, part: &Path, wanted: &Path) -> io::Result<Given> {
    for _ in 0..TRIES {
        let (path, number) = free_name(wanted)?;
        match rename_new(file, part, &path) {
            Ok(()) => {
                if let Some(number) = number {
                    remember_number(wanted, number);
                }
                let is_another = number.is_some();
                return Ok(Given { path, is_another });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A name that nobody has now, and its number. The ten-thousandth of the same name does not try ten thousand: numbers are
/// skipped in ever larger steps, and looked for in between.
fn free_name(wanted: &Path) -> io::Result<(PathBuf, Option<u32>)> {
    if is_free(wanted)? {
        return Ok((wanted.into(), None));
    }
    let mut taken = last_number(wanted);
    let mut step = 1_u32;
    let too_many = || io::Error::from(io::ErrorKind::AlreadyExists);
    let mut free = loop {
        let number = taken.checked_add(step).ok_or_else(too_many)?;
        if is_free(&numbered(wanted, number))? {
            break number;
        }
        taken = number;
        step = step.saturating_mul(2);
    };
    while free - taken > 1 {
        let between = taken + (free - taken) / 2;
        if is_free(&numbered(wanted, between))? {
            free = between;
        } else {
            taken = between;
        }
    }
    Ok((numbered(wanted, free), Some(free)))
}

fn is_free(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// `NAME-1`, `NAME-2`, with the ending kept.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = match path.extension() {
        Some(extension) => format!("-{number}.{}", extension.to_string_lossy()),
        None => format!("-{number}"),
    };
    let stem = &stem[..stem.floor_char_boundary(NAME_BYTES_MAX.saturating_sub(ending.len()))];
    path.with_file_name(format!("{stem}{ending}"))
}

/// Names whose numbers are remembered; beyond, those before are forgotten, and found again.
const NUMBERED_MAX: usize = 1024;

/// For names that were taken: the number that was given last.
static NUMBERED: LazyLock<Mutex<HashMap<PathBuf, u32>>> = LazyLock::new(Mutex::default);

fn last_number(path: &Path) -> u32 {
    with_numbered(|numbered| numbered.get(path).copied().unwrap_or(0))
}

fn remember_number(path: &Path, number: u32) {
    with_numbered(|numbered| {
        if numbered.len() >= NUMBERED_MAX {
            numbered.clear();
        }
        numbered.insert(path.into(), number);
    });
}

fn with_numbered<T>(act: impl FnOnce(&mut HashMap<PathBuf, u32>) -> T) -> T {
    // Nothing that panics is done under the lock.
    act(&mut NUMBERED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Renames and never replaces, in the first of three ways that the file system has.
fn rename_new(file: &File, from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        result => return Ok(result?),
    }
    match rustix::fs::link(from, to) {
        // Both names lead to it: it is where it belongs, whatever becomes of the other one.
        Ok(()) => {
            let _ = rustix::fs::unlink(from);
            Ok(())
        }
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK | Errno::INVAL) => {
            rename_over_own(file, from, to)
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the name by an empty file that nobody had before, and renames over that.
fn rename_over_own(file: &File, from: &Path, to: &Path) -> io::Result<()> {
    let own = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let is_still_own = is_of(&own, to.symlink_metadata()) && own.metadata()?.len() == 0;
    if !is_still_own {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let renamed = renameat(CWD, from, CWD, to).map_err(io::Error::from);
    if renamed.is_err() && !is_of(file, to.symlink_metadata()) {
        // An empty file would look like one that is whole.
        let _ = std::fs::remove_file(to);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(folder: &Path) -> (File, PathBuf) {
        let path = folder.join("part");
        std::fs::write(&path, "whole").expect("write");
        (File::open(&path).expect("open"), path)
    }

    #[test]
    fn ten_thousand_of_one_name_are_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("folder");
        let wanted = folder.path().join("a.npy");
        std::fs::write(&wanted, "").expect("write");
        for number in 1..=10_500 {
            std::fs::write(numbered(&wanted, number), "").expect("write");
        }
        for number in 10_501..10_504 {
            let (file, path) = part(folder.path());
            let given = give(&file, &path, &wanted).expect("a name");
            assert_eq!(given.path, numbered(&wanted, number));
            assert!(given.is_another);
        }
    }

    #[test]
    fn a_name_that_no_file_can_have_is_known_before_and_a_long_one_is_numbered_all_the_same() {
        let folder = tempfile::tempdir().expect("folder");
        check(&folder.path().join("n".repeat(256))).expect_err("too long");
        let wanted = folder.path().join(format!("{}.npy", "é".repeat(125)));
        for _ in 0..3 {
            let (file, path) = part(folder.path());
            let given = give(&file, &path, &wanted).expect("a name");
            let name = given.path.file_name().expect("a name").to_string_lossy().into_owned();
            assert!(
                name.len() <= 255 && std::fs::read(&given.path).expect("read") == b"whole",
                "{name}"
            );
        }
    }

    #[test]
    fn each_of_the_three_ways_gives_a_free_name_and_replaces_no_taken_one() {
        let folder = tempfile::tempdir().expect("folder");
        for (number, way) in [rename_new, rename_over_own].into_iter().enumerate() {
            let (file, path) = part(folder.path());
            let taken = folder.path().join("taken");
            std::fs::write(&taken, "precious").expect("write");
            let error = way(&file, &path, &taken).expect_err("taken");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&taken).expect("read"), b"precious");
            let free = folder.path().join(number.to_string());
            way(&file, &path, &free).expect("free");
            assert!(!path.exists() && std::fs::read(&free).expect("read") == b"whole");
        }
    }
}
