//! The last name of a new file: it never replaces another one, and is found before the first byte comes.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use rustix::io::Errno;

use super::folder::{Folder, FolderId};

/// A name may have so many bytes.
const NAME_BYTES_MAX: usize = 255;
/// Others may take the name that was free a moment ago, but not for ever.
const TRIES: usize = 1000;

/// A name that was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) name: PathBuf,
    /// Whether `wanted` was taken.
    pub(super) is_another: bool,
}

/// Finds out whether `wanted`, or the same with a number, can be a name in a folder.
///
/// # Errors
/// It cannot: it is too long, say.
pub(super) fn check(folder: &Folder, wanted: &Path) -> io::Result<()> {
    free_name(folder, wanted).map(|_| ())
}

/// Gives `file` the name `wanted` in its folder in place of `part`, or the same with a number where that is taken.
///
/// # Errors
/// The system refuses it: the file keeps its name.
pub(super) fn give(folder: &Folder, file: &File, part: &Path, wanted: &Path) -> io::Result<Given> {
    for _ in 0..TRIES {
        let (name, number) = free_name(folder, wanted)?;
        match rename_new(folder, file, part, &name) {
            Ok(()) => {
                if let Some(number) = number {
                    remember_number(folder, wanted, number);
                }
                let is_another = number.is_some();
                return Ok(Given { name, is_another });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A name that nobody has now, and its number. The ten-thousandth of the same name does not try ten thousand: numbers are
/// skipped in ever larger steps, and looked for in between.
fn free_name(folder: &Folder, wanted: &Path) -> io::Result<(PathBuf, Option<u32>)> {
    if folder.is_free(wanted)? {
        return Ok((wanted.into(), None));
    }
    let mut taken = last_number(folder, wanted)?;
    let mut step = 1_u32;
    let too_many = || io::Error::from(io::ErrorKind::AlreadyExists);
    let mut free = loop {
        let number = taken.checked_add(step).ok_or_else(too_many)?;
        if folder.is_free(&numbered(wanted, number))? {
            break number;
        }
        taken = number;
        step = step.saturating_mul(2);
    };
    while free - taken > 1 {
        let between = taken + (free - taken) / 2;
        if folder.is_free(&numbered(wanted, between))? {
            free = between;
        } else {
            taken = between;
        }
    }
    Ok((numbered(wanted, free), Some(free)))
}

/// `NAME-1`, `NAME-2`, with the ending kept.
fn numbered(name: &Path, number: u32) -> PathBuf {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let ending = match name.extension() {
        Some(extension) => format!("-{number}.{}", extension.to_string_lossy()),
        None => format!("-{number}"),
    };
    let stem = &stem[..stem.floor_char_boundary(NAME_BYTES_MAX.saturating_sub(ending.len()))];
    PathBuf::from(format!("{stem}{ending}"))
}

/// Names whose numbers are remembered; beyond, those before are forgotten, and found again.
const NUMBERED_MAX: usize = 1024;

/// For names that were taken: the number that was given last.
static NUMBERED: LazyLock<Mutex<Numbered>> = LazyLock::new(Mutex::default);

type Numbered = HashMap<(FolderId, PathBuf), u32>;

/// The number to look behind: 0 where nothing is remembered, or where it no longer holds. Its file may have gone, and
/// a new folder may have the inode of one that was removed.
fn last_number(folder: &Folder, name: &Path) -> io::Result<u32> {
    let key = (folder.id(), name.into());
    match with_numbered(|numbered| numbered.get(&key).copied()) {
        Some(number) if !folder.is_free(&numbered(name, number))? => Ok(number),
        _ => Ok(0),
    }
}

fn remember_number(folder: &Folder, name: &Path, number: u32) {
    with_numbered(|numbered| {
        if numbered.len() >= NUMBERED_MAX {
            numbered.clear();
        }
        numbered.insert((folder.id(), name.into()), number);
    });
}

fn with_numbered<T>(act: impl FnOnce(&mut Numbered) -> T) -> T {
    // Nothing that panics is done under the lock.
    act(&mut NUMBERED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Renames and never replaces, in the first of three ways that the file system has.
pub(super) fn rename_new(folder: &Folder, file: &File, from: &Path, to: &Path) -> io::Result<()> {
    match folder.rename_new(from, to) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        result => return Ok(result?),
    }
    match folder.link(from, to) {
        // Both names lead to it: it is where it belongs, whatever becomes of the other one.
        Ok(()) => {
            let _ = folder.unlink(from);
            Ok(())
        }
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK | Errno::INVAL) => {
            rename_over_own(folder, file, from, to)
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the name by an empty file that nobody had before, and renames over that.
fn rename_over_own(folder: &Folder, file: &File, from: &Path, to: &Path) -> io::Result<()> {
    let own = folder.create(to)?;
    let is_still_own = folder.leads_to(to, &own) && own.metadata()?.len() == 0;
    if !is_still_own {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let renamed = folder.rename(from, to).map_err(io::Error::from);
    if renamed.is_err() && !folder.leads_to(to, file) {
        // An empty file would look like one that is whole.
        let _ = folder.unlink(to);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = "part";

    fn part(folder: &Path) -> File {
        let path = folder.join(PART);
        std::fs::write(&path, "whole").expect("write");
        File::open(&path).expect("open")
    }

    #[test]
    fn ten_thousand_of_one_name_are_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("folder");
        let open = Folder::open(folder.path()).expect("there");
        let wanted = Path::new("a.npy");
        std::fs::write(folder.path().join(wanted), "").expect("write");
        for number in 1..=10_500 {
            std::fs::write(folder.path().join(numbered(wanted, number)), "").expect("write");
        }
        for number in 10_501..10_504 {
            let file = part(folder.path());
            let given = give(&open, &file, Path::new(PART), wanted).expect("a name");
            assert_eq!(given.name, numbered(wanted, number));
            assert!(given.is_another);
        }
    }

    #[test]
    fn numbers_begin_anew_where_those_that_were_given_are_gone() {
        let folder = tempfile::tempdir().expect("folder");
        let open = Folder::open(folder.path()).expect("there");
        let wanted = Path::new("a.npy");
        std::fs::write(folder.path().join(wanted), "").expect("write");
        let give_one = || {
            let file = part(folder.path());
            give(&open, &file, Path::new(PART), wanted).expect("a name").name
        };
        let given: Vec<PathBuf> = (0..3).map(|_| give_one()).collect();
        for name in &given {
            std::fs::remove_file(folder.path().join(name)).expect("it is there");
        }
        // As in a new folder that has the inode of this one.
        assert_eq!(give_one(), numbered(wanted, 1));
        assert_eq!(give_one(), numbered(wanted, 2));
    }

    #[test]
    fn a_name_that_no_file_can_have_is_known_before_and_a_long_one_is_numbered_all_the_same() {
        let folder = tempfile::tempdir().expect("folder");
        let open = Folder::open(folder.path()).expect("there");
        check(&open, Path::new(&"n".repeat(256))).expect_err("too long");
        let wanted = PathBuf::from(format!("{}.npy", "é".repeat(125)));
        for _ in 0..3 {
            let file = part(folder.path());
            let given = give(&open, &file, Path::new(PART), &wanted).expect("a name");
            let whole = std::fs::read(folder.path().join(&given.name)).expect("read");
            assert!(given.name.as_os_str().len() <= 255 && whole == b"whole", "{given:?}");
        }
    }

    #[test]
    fn each_of_the_three_ways_gives_a_free_name_and_replaces_no_taken_one() {
        let folder = tempfile::tempdir().expect("folder");
        let open = Folder::open(folder.path()).expect("there");
        for (number, way) in [rename_new, rename_over_own].into_iter().enumerate() {
            let file = part(folder.path());
            let (path, taken) = (folder.path().join(PART), folder.path().join("taken"));
            std::fs::write(&taken, "precious").expect("write");
            let error = way(&open, &file, Path::new(PART), Path::new("taken")).expect_err("taken");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&taken).expect("read"), b"precious");
            let free = number.to_string();
            way(&open, &file, Path::new(PART), Path::new(&free)).expect("free");
            assert!(!path.exists() && std::fs::read(folder.path().join(free)).expect("read") == b"whole");
        }
    }
}
