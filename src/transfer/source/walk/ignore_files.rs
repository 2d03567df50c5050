//! What the ignore files of one folder say.

use std::io::Read as _;
use std::os::fd::BorrowedFd;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use super::below;
use super::failure::Failure;
use crate::error::{Reason, reason};

/// Their names; of two that speak of an item the later one decides.
const NAMES: [&str; 2] = [".gitignore", ".ignore"];
/// Bytes of one, at most.
const BYTES_MAX: u64 = 1 << 20;

/// Reads the ignore files of a folder; `None` where it has none. Paths are matched as they are below that folder.
///
/// # Errors
/// One of them cannot be read, or a line of it is no glob. What it would have kept here must not go: so nothing does.
pub(super) fn read(folder: BorrowedFd<'_>) -> Result<Option<Gitignore>, Failure> {
    let mut builder = GitignoreBuilder::new(".");
    let mut found = false;
    for name in NAMES {
        let failed = |reason: Reason| Failure::IgnoreFile { name, reason };
        let Some(text) = text_of(folder, name).map_err(failed)? else {
            continue;
        };
        found = true;
        for (index, line) in text.lines().enumerate() {
            let problem = |error: ignore::Error| failed(format!("line {}: {error}", index + 1).into());
            builder.add_line(None, line).map_err(problem)?;
        }
    }
    let problem = |error: ignore::Error| Failure::IgnoreFile {
        name: NAMES[0],
        reason: error.to_string().into(),
    };
    found.then(|| builder.build().map_err(problem)).transpose()
}

/// The text of an ignore file, without a byte order mark; `None` where there is no such file.
fn text_of(folder: BorrowedFd<'_>, name: &str) -> Result<Option<String>, Reason> {
    let file = match below::open_file(folder, name.as_bytes()) {
        // git does not follow links here either. gitignore(5), NOTES.
        Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
        opened => opened.map_err(system)?,
    };
    if FileType::from_raw_mode(fstat(&file).map_err(system)?.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let mut text = String::new();
    let file = std::fs::File::from(file);
    file.take(BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| reason(&error))?;
    if text.len() as u64 > BYTES_MAX {
        return Err("it has more than 1 MiB".into());
    }
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(Some(text))
}

fn system(error: Errno) -> Reason {
    reason(&error.into())
}
