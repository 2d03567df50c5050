//! Where a source or a sink is, as a person gave it: typed, or chosen in a dialog, by a drop or on the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
use crate::app::words::say;
use crate::transfer::{Origin, ShmName, SinkSpec, expand};

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// As someone typed it: a path, a folder, a pattern, or shared memory as `shm:NAME`.
    Typed(String),
    /// Files and folders that were chosen, whatever their names are.
    Chosen(Arc<[PathBuf]>),
}

/// What was chosen where the text in its field does not say it: several files, or a name that is not text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// What stands in the field. As soon as it is changed, what is typed counts.
    shown: String,
    #[serde(with = "as_bytes")]
    paths: Arc<[PathBuf]>,
}

impl Chosen {
    /// The text for a field, and what was chosen where that text does not say it.
    pub(crate) fn of(paths: Vec<PathBuf>) -> (String, Option<Self>) {
        let first = paths.first().map_or(Path::new(""), PathBuf::as_path);
        let shown = match paths.len() {
            0 | 1 => first.display().to_string(),
            len => say!("form-and-more", first = first.display().to_string(), count = len - 1),
        };
        let is_said =
            paths.len() < 2 && matches!(Place::of(&shown, None), Some(Place::Typed(text)) if Path::new(&text) == first);
        let paths = paths.into();
        (shown.clone(), (!is_said).then_some(Self { shown, paths }))
    }
}

impl Place {
    /// What a field's text means, beside which this was chosen; nothing where the field is empty.
    pub(crate) fn of(text: &str, chosen: Option<&Chosen>) -> Option<Self> {
        if let Some(chosen) = chosen.filter(|chosen| chosen.shown == text) {
            return Some(Self::Chosen(Arc::clone(&chosen.paths)));
        }
        let text = text.trim();
        (!text.is_empty()).then(|| Self::Typed(text.to_owned()))
    }

    /// What goes together as a tree of files: all that is named where a folder is among it.
    pub(crate) fn roots(&self) -> Option<Arc<[PathBuf]>> {
        let named = match self {
            Self::Chosen(paths) => Arc::clone(paths),
            Self::Typed(text) => [typed_path(text)].into(),
        };
        named.iter().any(|path| path.is_dir()).then_some(named)
    }

    /// What is sent where there is no folder: shared memory, files, or those of a pattern.
    ///
    /// # Errors
    /// The name of shared memory is malformed, or the pattern names no file.
    pub(crate) fn origins(&self) -> Result<Vec<Origin>, Error> {
        let file = |path: PathBuf| Origin::File { path, dtype: None };
        let typed = match self {
            Self::Chosen(paths) => return Ok(paths.iter().cloned().map(file).collect()),
            Self::Typed(text) => text,
        };
        if let Some(name) = ShmName::parse(typed) {
            return Ok(vec![Origin::Shm {
                name: name?,
                dtype: None,
            }]);
        }
        let path = typed_path(typed);
        Ok(expand(path.as_os_str(), None)?.unwrap_or_else(|| vec![file(path)]))
    }

    /// What is made new: a file, or shared memory.
    ///
    /// # Errors
    /// The name of shared memory is malformed.
    pub(crate) fn new_sink(&self) -> Result<SinkSpec, Error> {
        Ok(match self {
            Self::Typed(text) if let Some(name) = ShmName::parse(text) => SinkSpec::Shm(name?),
            other => SinkSpec::File(other.path()),
        })
    }

    /// The path, or the first of several.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Typed(text) => typed_path(text),
            Self::Chosen(paths) => paths.first().cloned().unwrap_or_default(),
        }
    }
}

/// The path of a file as it is typed, with `~` for the home folder.
#[must_use]
pub(crate) fn typed_path(text: &str) -> PathBuf {
    let text = text.trim();
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(text),
    }
}

/// Keeps paths as the bytes that they are: they need not be text.
mod as_bytes {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

    use super::{Arc, Deserialize as _, Deserializer, PathBuf, Serializer};

    pub(super) fn serialize<S: Serializer>(paths: &Arc<[PathBuf]>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(paths.iter().map(|path| path.as_os_str().as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<[PathBuf]>, D::Error> {
        let paths = Vec::<Vec<u8>>::deserialize(from)?;
        Ok(paths
            .into_iter()
            .map(|bytes| OsString::from_vec(bytes).into())
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn one_path_that_is_text_is_only_text() {
        let (shown, chosen) = Chosen::of(vec!["/data/a.npy".into()]);
        assert_eq!((shown.as_str(), chosen), ("/data/a.npy", None));
        assert_eq!(Place::of(" /a ", None), Some(Place::Typed("/a".to_owned())));
        assert_eq!(Place::of(" ", None), None);
    }

    #[test]
    fn what_text_does_not_say_is_kept_as_it_was_chosen_until_the_text_changes() {
        let odd = PathBuf::from(OsStr::from_bytes(b"/data/b\xff.npy"));
        for paths in [vec![odd], vec!["/data/a ".into()], vec!["/a".into(), "/b".into()]] {
            let (shown, chosen) = Chosen::of(paths.clone());
            let kept = serde_json::to_string(&chosen).expect("it can be kept");
            let chosen: Option<Chosen> = serde_json::from_str(&kept).expect("as it was kept");
            assert_eq!(Place::of(&shown, chosen.as_ref()), Some(Place::Chosen(paths.into())));
            let edited = format!("{shown}x");
            assert_eq!(Place::of(&edited, chosen.as_ref()), Some(Place::Typed(edited)));
        }
    }

    #[test]
    fn what_has_a_folder_among_it_goes_together_and_files_go_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("folder")).expect("folder");
        for name in ["folder/a", "b", "c"] {
            std::fs::write(path(name), "x").expect("write");
        }
        let chosen = |names: &[&str]| Place::Chosen(names.iter().map(|name| path(name)).collect());
        let roots = chosen(&["folder", "b"]).roots().expect("a tree");
        assert_eq!(*roots, ["folder", "b"].map(path));
        let files = chosen(&["b", "c"]);
        assert_eq!(files.roots(), None);
        let found = files.origins().expect("files");
        let found: Vec<PathBuf> = found
            .into_iter()
            .filter_map(|origin| origin.path().map(PathBuf::from))
            .collect();
        assert_eq!(found, ["b", "c"].map(path));
        let typed = |name: &str| Place::Typed(path(name).display().to_string());
        assert!(typed("folder").roots().is_some() && typed("b").roots().is_none());
        assert_eq!(typed("?").origins().expect("a pattern").len(), 2);
    }
}
