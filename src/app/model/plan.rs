//! From what is typed to what can run: every mistake beside its field, or a recipe.

mod ends;
mod options;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::form::{Field, Form};
use super::format;
use super::place::Place;
use super::sources::{FileInfo, Sources};
use crate::app::words::say;
use crate::array::ArrayMeta;
use crate::transfer::{Endpoint, Job, Options};

/// What is known about the paths that are typed. It is found out off the window's thread.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    /// The files at the source's path, or why there are none.
    pub source: Option<PathLookup<Result<Sources, String>>>,
    /// What is at the sink's path.
    pub sink: Option<PathLookup<SinkPathStatus>>,
    /// Bytes of memory that could be had, where that is known.
    pub free_memory_bytes: Option<u64>,
}

/// What was found at a path.
#[derive(Debug, Clone)]
pub struct PathLookup<T> {
    /// The path, as it was given.
    pub place: Place,
    /// What was found there.
    pub found: T,
}

impl<T> PathLookup<T> {
    /// What was found, if this is the path that is meant now.
    fn at<'a>(lookup: Option<&'a Self>, place: &Place) -> Option<&'a T> {
        lookup
            .filter(|lookup| lookup.place == *place)
            .map(|lookup| &lookup.found)
    }
}

/// What is at the path of a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkPathStatus {
    /// Nothing yet, in a folder that is there.
    Free,
    /// A folder.
    Folder,
    /// A file, which is never overwritten.
    File,
    /// Not even a folder to put it in.
    NoFolder,
    /// It cannot be written, and why.
    Refused(String),
}

/// Something that can be started, and again.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What it does; a receiver listens at an endpoint.
    pub job: Job<Endpoint>,
    /// How.
    pub options: Options,
    /// Whether it begins again whenever it is done.
    pub repeat: bool,
    /// The array's name on the screen.
    pub name: String,
    /// The array, where it is known before the peer has said it.
    pub meta: Option<ArrayMeta>,
    /// What was typed.
    pub form: Arc<Form>,
}

impl Recipe {
    /// The same for another file.
    fn with(&self, file: &FileInfo) -> Self {
        let mut recipe = self.clone();
        (recipe.name, recipe.meta) = (file.name.clone(), Some(file.meta.clone()));
        if let Job::Loopback { source, .. } | Job::Send { source, .. } = &mut recipe.job {
            source.origin = file.origin.clone();
        }
        if let Some(path) = file.origin.path() {
            Arc::make_mut(&mut recipe.form).choose_source(vec![path.to_owned()]);
        }
        recipe
    }
}

/// What a form comes to.
#[derive(Debug, Clone)]
pub struct CheckedForm {
    /// What is wrong, beside which field.
    pub mistakes: BTreeMap<Field, String>,
    /// The array in words: `50,000,000 numbers, 400 MB`.
    pub summary: Option<String>,
    /// Whether a path is still being looked at.
    pub pending: bool,
    /// What Start starts; nothing while there are mistakes.
    pub recipe: Option<Recipe>,
    /// The files that it starts, and those that it cannot, where files are what is sent.
    pub sources: Option<Sources>,
}

impl CheckedForm {
    /// What Start starts after the first recipe, one for each further file.
    pub fn further(&self) -> impl Iterator<Item = Recipe> {
        let files = self.sources.as_ref().map_or(&[][..], Sources::files);
        let further = files.get(1..).unwrap_or_default();
        self.recipe
            .iter()
            .flat_map(|first| further.iter().map(|file| first.with(file)))
    }
}

impl CheckedForm {
    /// Whether a tree of files is what is sent.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        self.sources.as_ref().is_some_and(|sources| sources.tree().is_some())
    }
}

/// Checks everything that is typed.
#[must_use]
pub fn check(form: &Form, paths: &Paths) -> CheckedForm {
    let mut checker = Checker {
        form,
        paths,
        mistakes: BTreeMap::new(),
        summary: None,
        pending: false,
        sources: None,
    };
    // What is sent decides which options there are.
    let ends = checker.ends();
    let options = if checker.is_tree() {
        checker.options_of_tree()
    } else {
        checker.options()
    };
    if let Some(options) = options.as_ref().filter(|_| !checker.is_tree()) {
        checker.check_routes(options);
    }
    let is_ready = checker.mistakes.is_empty() && !checker.pending;
    let recipe = options.zip(ends).filter(|_| is_ready).map(|(options, ends)| Recipe {
        job: ends.job,
        options,
        repeat: form.repeat,
        name: ends.name,
        meta: ends.meta,
        form: Arc::new(form.clone()),
    });
    CheckedForm {
        mistakes: checker.mistakes,
        summary: checker.summary,
        pending: checker.pending,
        recipe,
        sources: checker.sources,
    }
}

/// How an array is put in words on the screen: `f64 50,000,000 · 400 MB`.
#[must_use]
pub(crate) fn in_words(dtype: &str, shape: &[u64], total_bytes: Option<u64>) -> String {
    let Some(total_bytes) = total_bytes else {
        return say!("array-unknown-length").to_owned();
    };
    format!("{dtype} {} · {}", format::shape(shape), format::bytes(total_bytes))
}

/// Checks a form. What it reads is here, how it reads the ends and the options is in modules of their own.
struct Checker<'a> {
    form: &'a Form,
    paths: &'a Paths,
    mistakes: BTreeMap<Field, String>,
    summary: Option<String>,
    pending: bool,
    sources: Option<Sources>,
}

impl Checker<'_> {
    /// How many files there are.
    fn file_count(&self) -> usize {
        self.sources.as_ref().map_or(1, |sources| sources.files().len())
    }

    /// Whether a tree of files is what is sent.
    fn is_tree(&self) -> bool {
        self.sources.as_ref().is_some_and(|sources| sources.tree().is_some())
    }

    /// Puts a mistake beside its field; the first one stays.
    fn mistake(&mut self, field: Field, text: impl std::fmt::Display) {
        self.mistakes.entry(field).or_insert_with(|| text.to_string());
    }
}

#[cfg(test)]
mod tests;
