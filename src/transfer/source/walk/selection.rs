//! Which items of a tree are sent.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::Error;

/// Which items of a tree are sent: all, unless it says otherwise. gitignore(5) has the form of its globs.
///
/// As in ripgrep, and not in git, `{a,b}` means either.
///
/// They are matched with the path below the root, or with the name of a root that is a file; a folder that was named as
/// a root is always entered. Among globs of one kind the last that matches decides, and `!` at its beginning turns it
/// around. What an exclude matches is out, with all below it. Where there are includes, a file or link must match one,
/// or lie below a folder that does; folders in which nothing does are left out.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    excludes: Gitignore,
    includes: Gitignore,
    pub(super) obeys_ignore_files: bool,
    pub(super) stays_on_file_system: bool,
}

/// What the excludes say of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It stays here.
    Out,
    /// It goes, whatever ignore files say.
    In,
    /// They do not speak of it.
    Open,
}

impl Selection {
    /// All items, in all file systems.
    pub(crate) fn everything() -> Self {
        Self {
            excludes: Gitignore::empty(),
            includes: Gitignore::empty(),
            obeys_ignore_files: false,
            stays_on_file_system: false,
        }
    }

    /// What these globs leave.
    ///
    /// # Errors
    /// One of them is no glob.
    pub(crate) fn new(excludes: &[String], includes: &[String]) -> Result<Self, Error> {
        Ok(Self {
            excludes: matcher(excludes)?,
            includes: {
                if let Some(glob) = includes.iter().find(|glob| glob.len() > 1 && glob.starts_with('!')) {
                    return Err(Error::Usage(format!(
                        "the include \"{glob}\" begins with !, which includes nothing: exclude what follows it"
                    )));
                }
                matcher(includes)?
            },
            ..Self::everything()
        })
    }

    /// The same, and whether `.gitignore` and `.ignore` in the folders of the tree are obeyed, `.ignore` over `.gitignore`
    /// and the deeper folder over the higher one. Those above the root are not looked at. A `!` exclude is stronger.
    pub(crate) fn obeying_ignore_files(self, obeys_ignore_files: bool) -> Self {
        Self {
            obeys_ignore_files,
            ..self
        }
    }

    /// The same, and whether a folder in which another file system begins is sent as an empty one. A subvolume of btrfs is
    /// another file system here; a bind mount of the same one is not.
    pub(crate) fn staying_on_file_system(self, stays_on_file_system: bool) -> Self {
        Self {
            stays_on_file_system,
            ..self
        }
    }

    /// What the excludes say of the item at `path`, below its root.
    pub(super) fn verdict(&self, path: &[u8], is_folder: bool) -> Verdict {
        verdict(&self.excludes, path, is_folder)
    }

    /// Whether there are includes, and so folders that nobody wants empty.
    pub(super) fn has_includes(&self) -> bool {
        !self.includes.is_empty()
    }

    /// Whether an include matches the item at `path` below its root, or there are none.
    pub(super) fn includes(&self, path: &[u8], is_folder: bool) -> bool {
        // To "ignore" it is what a line that matches says; here it says that the item is wanted.
        !self.has_includes() || verdict(&self.includes, path, is_folder) == Verdict::Out
    }
}

/// What the last matching line of such globs says: out with it, unless it is turned around.
pub(super) fn verdict(globs: &Gitignore, path: &[u8], is_folder: bool) -> Verdict {
    match globs.matched(Path::new(OsStr::from_bytes(path)), is_folder) {
        Match::None => Verdict::Open,
        Match::Ignore(_) => Verdict::Out,
        Match::Whitelist(_) => Verdict::In,
    }
}

fn matcher(globs: &[String]) -> Result<Gitignore, Error> {
    let mut builder = GitignoreBuilder::new(".");
    for glob in globs {
        let problem = |error: &ignore::Error| Error::Usage(format!("{glob} is no glob: {error}"));
        if glob.trim_matches(['!', '/', ' ']).is_empty() {
            return Err(Error::Usage(format!(
                "the glob \"{glob}\" matches nothing: name what it is about"
            )));
        }
        // In a file it would be taken for itself. Here it is a slip, and would match nothing.
        if has_open_class(glob) {
            return Err(Error::Usage(format!(
                "{glob} is no glob: a [ has no ] (for the character itself write [[])"
            )));
        }
        // At the beginning of a line in a file, a # begins a comment.
        let escape = if glob.starts_with('#') { "\\" } else { "" };
        builder
            .add_line(None, &format!("{escape}{glob}"))
            .map_err(|error| problem(&error))?;
    }
    let problem = |error: ignore::Error| Error::Usage(format!("these globs cannot be matched: {error}"));
    builder.build().map_err(problem)
}

/// Whether a `[` of a glob has no `]`, which may not follow at once: there it stands for itself.
fn has_open_class(glob: &str) -> bool {
    let mut rest = glob.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => {
                rest.next();
            }
            '[' => {
                let class = rest.as_str().trim_start_matches(['!', '^']);
                let first = class.chars().next().map_or(0, char::len_utf8);
                let Some(end) = class[first..].find(']') else {
                    return true;
                };
                rest = class[first + end + 1..].chars();
            }
            _ => {}
        }
    }
    false
}
