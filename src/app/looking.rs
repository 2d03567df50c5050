//! Looks at what is to be sent: which files can be, which cannot and why, and which are no arrays.

use super::model::error_text;
use super::model::place::{Origins, Place};
use super::model::sources::{FileInfo, Remark, Sources};
use crate::Error;
use crate::app::words::say;
use crate::transfer::{Origin, SourceSpec, describe};

/// What is at a source's path: one file or several.
///
/// # Errors
/// Nothing there can be sent: why, in the window's words.
pub(super) fn look_at(place: &Place) -> Result<Sources, String> {
    let Origins { found, refused } = place.origins().map_err(|error| error_text::of(&error))?;
    let (mut files, mut plain) = (Vec::new(), Vec::new());
    let mut refused: Vec<Remark> = refused
        .iter()
        .map(|(path, error)| remark(&path.to_string_lossy(), error_text::of(error)))
        .collect();
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

/// What a file is; and where its name says `.npy` but it is no array, why not: it goes as the plain file that it is.
fn described(origin: Origin) -> Result<(FileInfo, Option<String>), Error> {
    let spec = SourceSpec { origin, slice: None };
    let mut info = describe(&spec)?;
    let why_plain = info.why_plain.take();
    Ok((FileInfo::new(spec.origin, info), why_plain))
}

fn name_of(origin: &Origin) -> String {
    match origin {
        Origin::File { path, .. } | Origin::InFolder { path, .. } => {
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
