//! What was typed to be sent: one source, a list of them, or a tree.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cli::Failure;
use crate::cli::arguments::{LookingArguments, TreeArguments, ViewArguments};
use crate::transfer::{Origin, Replace, SourceSpec, TreeSpec, expand, expand_paths};

use super::ends::source_spec;
use super::usage;

/// One source, or a list of them, which may have any length.
#[derive(Debug)]
pub(crate) enum Sources {
    One(Box<SourceSpec>),
    /// Each with what it is called.
    Many(Vec<(String, SourceSpec)>),
}

/// The tree that is sent, where a folder is among the sources or something is said that concerns folders alone.
pub(super) fn tree(
    given: &[OsString],
    tree: &TreeArguments,
    view: &ViewArguments,
    looking: &LookingArguments,
) -> Result<Option<TreeSpec>, Failure> {
    let expanded: Vec<Option<Vec<PathBuf>>> = given
        .iter()
        .map(|source| expand_paths(source))
        .collect::<Result<_, Error>>()?;
    let has_folder = |(source, paths): (&OsString, &Option<Vec<PathBuf>>)| match paths {
        Some(paths) => paths.iter().any(|path| path.is_dir()),
        None => Path::new(source).is_dir(),
    };
    if !given.iter().zip(&expanded).any(has_folder) && !tree.is_typed() {
        return Ok(None);
    }
    let ViewArguments { dtype, offset, length } = view;
    if dtype.is_some() || offset.is_some() || length.is_some() {
        return Err(usage(
            "--dtype, --offset and --length are for arrays: files of a folder are sent as they are",
        ));
    }
    if looking.stats {
        return Err(usage("--stats is for arrays: files of a folder are sent as they are"));
    }
    let mut roots = Vec::new();
    for (source, paths) in given.iter().zip(expanded) {
        if let Some(paths) = paths {
            roots.extend(paths);
        } else if Path::new(source).is_dir() {
            roots.push(source.into());
        } else {
            match source_spec(source, view)?.origin {
                Origin::File { path, .. } if source != "-" => roots.push(path),
                _ => {
                    let source = source.display();
                    return Err(usage(format!(
                        "{source} is no file: send it by itself, without folders and their options"
                    )));
                }
            }
        }
    }
    Ok(Some(TreeSpec {
        roots,
        excludes: tree.exclude.clone(),
        includes: tree.include.clone(),
        obeys_ignore_files: tree.ignore_files,
        stays_on_file_system: tree.one_file_system,
        replace: match (tree.update, tree.replace) {
            (_, true) => Replace::Always,
            (true, false) => Replace::Older,
            (false, false) => Replace::Never,
        },
        compares: tree.by_content,
    }))
}

/// What is sent where there is no folder among it.
pub(super) fn sources(typed: &[OsString], view: &ViewArguments) -> Result<Sources, Failure> {
    let expanded: Vec<Option<Vec<Origin>>> = typed
        .iter()
        .map(|source| expand(source, view.dtype.as_ref()))
        .collect::<Result<_, Error>>()?;
    if let ([only], [None]) = (typed, &*expanded) {
        return Ok(Sources::One(Box::new(source_spec(only, view)?)));
    }
    if view.offset.is_some() || view.length.is_some() {
        return Err(usage("--offset and --length take a part of one source: send it alone"));
    }
    if typed.iter().filter(|source| *source == "-").count() > 1 {
        return Err(usage("standard input can be sent once"));
    }
    let mut each = Vec::new();
    for (typed, files) in typed.iter().zip(expanded) {
        match files {
            Some(files) => each.extend(files.into_iter().map(found)),
            None => each.push((typed.display().to_string(), source_spec(typed, view)?)),
        }
    }
    Ok(Sources::Many(each))
}

/// A file that a pattern stands for, with what it is called.
fn found(origin: Origin) -> (String, SourceSpec) {
    let name = origin
        .path()
        .map_or_else(String::new, |path| path.display().to_string());
    (name, SourceSpec { origin, slice: None })
}
