//! Looks at what is to be sent: how much there is in a folder, as far as that is seen at once; and of files which can be
//! sent, which cannot and why, and which are no arrays.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::model::error_text;
use super::model::place::Place;
use super::model::sources::{FileInfo, Remark, Sources, TreeInfo};
use crate::Error;
use crate::app::words::say;
use crate::transfer::{Origin, SourceSpec, describe};

/// A look into a folder takes at most so long, and sees at most so much: the transfer goes through all of it.
const LOOK_MAX: Duration = Duration::from_millis(150);
const LOOK_ITEMS_MAX: u64 = 20_000;

/// What is at a source's path: a tree, one file or several.
///
/// # Errors
/// Nothing there can be sent: why, in the window's words.
pub(super) fn look_at(place: &Place) -> Result<Sources, String> {
    if let Some(roots) = place.roots() {
        return Ok(Sources::of_tree(glanced(roots)));
    }
    let found = place.origins().map_err(|error| error_text::of(&error))?;
    let (mut files, mut plain, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for origin in found {
        let name = name_of(&origin);
        match described(origin) {
            Ok((file, why_plain)) => {
                plain.extend(why_plain.map(|why| remark(&file.name, why)));
                files.push(file);
            }
            Err(error) => refused.push(remark(&name, error_text::of(&error))),
        }
    }
    match &refused[..] {
        [first, ..] if files.is_empty() => Err(match refused.len() {
            1 => first.why.clone(),
            len => say!(
                "error-none-can-be-sent",
                count = len,
                name = &first.name,
                why = &first.why
            ),
        }),
        _ => Ok(Sources::new(files, refused, plain)),
    }
}

/// What a short look sees of a tree. What cannot be read is for the transfer to name.
fn glanced(roots: Arc<[PathBuf]>) -> TreeInfo {
    let until = Instant::now() + LOOK_MAX;
    let (mut files, mut folders, mut bytes) = (0, 0, 0_u64);
    let mut left = Vec::new();
    for root in roots.iter() {
        match root.metadata() {
            Ok(metadata) if metadata.is_dir() => left.push(root.clone()),
            Ok(metadata) => (files, bytes) = (files + 1, bytes.saturating_add(metadata.len())),
            Err(_) => {}
        }
    }
    let mut is_all = true;
    'look: while let Some(folder) = left.pop() {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            if files + folders >= LOOK_ITEMS_MAX || Instant::now() >= until {
                is_all = false;
                break 'look;
            }
            // As it is: a link is not followed.
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => {
                    folders += 1;
                    left.push(entry.path());
                }
                Ok(metadata) if metadata.is_file() => {
                    (files, bytes) = (files + 1, bytes.saturating_add(metadata.len()));
                }
                _ => files += 1,
            }
        }
    }
    TreeInfo {
        name: name_of_roots(&roots),
        roots,
        files,
        folders,
        bytes,
        is_all,
    }
}

fn name_of_roots(roots: &[PathBuf]) -> String {
    let first = roots.first().cloned().unwrap_or_default();
    // One such as `..` has its name where it leads to.
    let whole = first.canonicalize().unwrap_or_else(|_| first.clone());
    let name = first.file_name().or(whole.file_name()).unwrap_or(whole.as_os_str());
    let name = name.to_string_lossy().into_owned();
    match roots.len() {
        0 | 1 => name,
        len => say!("form-and-more", first = name, count = len - 1),
    }
}

/// What a file is; and where its name says `.npy` but it is no array, why not: it goes as the plain file that it is.
fn described(origin: Origin) -> Result<(FileInfo, Option<String>), Error> {
    let spec = SourceSpec { origin, slice: None };
    let mut info = describe(&spec)?;
    let why_plain = info.why_plain.take();
    Ok((FileInfo::new(spec.origin, info), why_plain))
}

fn name_of(origin: &Origin) -> String {
    match origin {
        Origin::File { path, .. } => {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        }
        Origin::Shm { name, .. } => name.to_string(),
        Origin::Tree(tree) => tree.title(),
        Origin::Range(_) => "range".to_owned(),
    }
}

fn remark(name: &str, why: String) -> Remark {
    Remark {
        name: name.to_owned(),
        why,
    }
}
