//! Names and paths inside of a tree that is sent: one rule for both ends, and what a link may point to.
//!
//! Names are bytes and need not be UTF-8. They are never cleaned: cleaning makes two names one. A name that breaks the
//! rule is refused with a reason, and the rest of the tree goes on.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;

use crate::text;

/// Bytes of a path, at most: `PATH_MAX` of Linux without its zero byte.
pub(crate) const PATH_BYTES_MAX: usize = 4_095;
/// Bytes of one name, at most: `NAME_MAX` of Linux.
pub(crate) const NAME_BYTES_MAX: usize = 255;
/// Parts of a path, at most.
pub(crate) const DEPTH_MAX: usize = 1_024;
/// Bytes of a link's target, at most.
pub(crate) const TARGET_BYTES_MAX: usize = 4_095;

/// How the name of a record of received parts ends, in any case of letters: no peer may write one.
const RECORD_ENDING: &[u8] = b".part.log";

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameFault {
    /// There is no byte in it.
    #[error("its name is empty")]
    Empty,
    /// It is `.` or `..`.
    #[error("its name is . or ..")]
    Dots,
    /// It has a zero byte.
    #[error("its name has a zero byte")]
    Nul,
    /// It has a slash.
    #[error("its name has a slash")]
    Slash,
    /// It has a control character, one that turns the direction of the text, or one that takes no room.
    #[error("its name has the character U+{:04X}, which does not show itself", u32::from(*.0))]
    Hidden(char),
    /// It has more than [`NAME_BYTES_MAX`] bytes: how many.
    #[error("its name has {0} bytes, and at most {NAME_BYTES_MAX} are taken")]
    TooLong(usize),
    /// It ends as the names of records of received parts do.
    #[error("its name ends in .part.log, as only a receiver's own records do")]
    OfRecord,
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathFault {
    /// One of its names is.
    #[error(transparent)]
    Name(#[from] NameFault),
    /// It has more than [`PATH_BYTES_MAX`] bytes: how many.
    #[error("its path has {0} bytes, and at most {PATH_BYTES_MAX} are taken")]
    TooLong(usize),
    /// It has more than [`DEPTH_MAX`] parts: how many.
    #[error("it lies {0} folders deep, and at most {DEPTH_MAX} are taken")]
    TooDeep(usize),
}

/// Why the target of a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetFault {
    /// There is no byte in it.
    #[error("the link points to nothing")]
    Empty,
    /// It begins with a slash.
    #[error("the link points to an absolute path")]
    Absolute,
    /// It has a zero byte.
    #[error("the link's target has a zero byte")]
    Nul,
    /// It has a character that hides, as a name may not.
    #[error("the link's target has the character U+{:04X}, which does not show itself", u32::from(*.0))]
    Hidden(char),
    /// It has `..` behind a name: that name may be a link itself, and then nobody can tell from the text where it leads.
    #[error("the link's target has .. behind a name")]
    UpAfterName,
    /// It leads out of the tree.
    #[error("the link leads out of the tree")]
    Leaves,
    /// It has more than [`TARGET_BYTES_MAX`] bytes: how many.
    #[error("the link's target has {0} bytes, and at most {TARGET_BYTES_MAX} are taken")]
    TooLong(usize),
}

/// Says whether a name may stand in a tree: not empty, not `.` or `..`, at most [`NAME_BYTES_MAX`] bytes, without zero
/// bytes, slashes and [hidden characters](text::is_hidden), and not ending in `.part.log`.
pub(crate) fn check_name(name: &[u8]) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if matches!(name, b"." | b"..") {
        return Err(NameFault::Dots);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(NameFault::TooLong(name.len()));
    }
    if name.contains(&0) {
        return Err(NameFault::Nul);
    }
    if name.contains(&b'/') {
        return Err(NameFault::Slash);
    }
    if let Some(hidden) = first_hidden(name) {
        return Err(NameFault::Hidden(hidden));
    }
    if is_of_record(name) {
        return Err(NameFault::OfRecord);
    }
    Ok(())
}

/// What is equal for two names that a file system may take for one: where it ignores the case of letters, the form of
/// accents (ext4's casefold), characters that may be left out, or dots and spaces at the end (vfat).
///
/// It is wider than any single file system's rule: `straße` and `STRASSE` have one key. So it says "may be the same",
/// and is meant for file systems that fold. It is no name: it can be empty. Unicode 15, 3.13, "default caseless".
pub(crate) fn fold_key(name: &[u8]) -> Vec<u8> {
    let mut key = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        let mut key = Vec::with_capacity(name.len());
        for chunk in name.utf8_chunks() {
            let letters = chunk.valid().nfd().filter(|c| !is_ignorable(*c));
            let folded = letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
            key.extend_from_slice(folded.nfd().collect::<String>().as_bytes());
            key.extend_from_slice(chunk.invalid());
        }
        key
    };
    let end = key.iter().rposition(|byte| !matches!(byte, b'.' | b' '));
    key.truncate(end.map_or(0, |last| last + 1));
    key
}

/// The bytes of a name, a path or a target as people may read them: hidden characters are visible signs, bytes that
/// are no UTF-8 are `\xNN`. Also for such as were refused.
pub(crate) fn shown_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&text::shown(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// Says whether a link may have this target, where `above` folders of the tree lie above the link (0: it stands in the
/// root itself): relative, `..` only before the first name and at most `above` times, at most [`TARGET_BYTES_MAX`]
/// bytes, and without zero bytes and hidden characters. `.` and doubled slashes lead nowhere and are taken.
///
/// With `d -> .` the path `d/../x` leaves the tree although its text does not; hence no `..` behind a name.
pub(crate) fn check_target(target: &[u8], above: usize) -> Result<(), TargetFault> {
    if target.is_empty() {
        return Err(TargetFault::Empty);
    }
    if target.len() > TARGET_BYTES_MAX {
        return Err(TargetFault::TooLong(target.len()));
    }
    if target.first() == Some(&b'/') {
        return Err(TargetFault::Absolute);
    }
    if target.contains(&0) {
        return Err(TargetFault::Nul);
    }
    if let Some(hidden) = first_hidden(target) {
        return Err(TargetFault::Hidden(hidden));
    }
    let mut ups = 0;
    let mut named = false;
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if named => return Err(TargetFault::UpAfterName),
            b".." => ups += 1,
            _ => named = true,
        }
    }
    if ups > above {
        return Err(TargetFault::Leaves);
    }
    Ok(())
}

/// The path of an item inside of a tree: one to [`DEPTH_MAX`] names that [`check_name`] takes, joined by `/`, at most
/// [`PATH_BYTES_MAX`] bytes. There is no other way to have one.
///
/// It has no order: that of its bytes is not that of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RelativePath(Vec<u8>);

impl RelativePath {
    /// The path that a peer said, or a single name.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, PathFault> {
        let path = Self(bytes.into());
        path.check_bounds()?;
        path.parts().try_for_each(check_name)?;
        Ok(path)
    }

    /// The path of `name` in the folder that this path names.
    pub(crate) fn join(&self, name: &[u8]) -> Result<Self, PathFault> {
        check_name(name)?;
        let path = Self([&self.0, b"/".as_slice(), name].concat());
        path.check_bounds()?;
        Ok(path)
    }

    /// The path as it goes over the wire.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as it goes over the wire, without a copy.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Its names, from the root on.
    pub(crate) fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/')
    }

    /// How many names it has, 1 to [`DEPTH_MAX`].
    pub(crate) fn depth(&self) -> usize {
        self.parts().count()
    }

    /// Its last name.
    pub(crate) fn name(&self) -> &[u8] {
        self.parts().next_back().unwrap_or_default()
    }

    /// The folder that it stands in; `None` where that is the root of the tree.
    pub(crate) fn parent(&self) -> Option<Self> {
        self.parent_bytes().map(|parent| Self(parent.to_vec()))
    }

    /// The bytes of [`parent`](Self::parent).
    pub(crate) fn parent_bytes(&self) -> Option<&[u8]> {
        let slash = self.0.iter().rposition(|byte| *byte == b'/')?;
        self.0.get(..slash)
    }

    /// Says whether a link at this path may have this target. Its `..` may lead up to the folder in which the first
    /// names of the tree stand. See [`check_target`].
    pub(crate) fn check_target(&self, target: &[u8]) -> Result<(), TargetFault> {
        check_target(target, self.depth() - 1)
    }

    /// The path for people. See [`shown_bytes`].
    pub(crate) fn display(&self) -> String {
        shown_bytes(&self.0)
    }

    fn check_bounds(&self) -> Result<(), PathFault> {
        if self.0.len() > PATH_BYTES_MAX {
            return Err(PathFault::TooLong(self.0.len()));
        }
        match self.depth() {
            depth if depth > DEPTH_MAX => Err(PathFault::TooDeep(depth)),
            _ => Ok(()),
        }
    }
}

/// The first hidden character in what is UTF-8 of these bytes.
fn first_hidden(bytes: &[u8]) -> Option<char> {
    let mut chunks = bytes.utf8_chunks();
    chunks.find_map(|chunk| chunk.valid().chars().find(|c| text::is_hidden(*c)))
}

/// Whether some file system may take this name for that of a record.
fn is_of_record(name: &[u8]) -> bool {
    fold_key(name).ends_with(RECORD_ENDING)
}

/// Whether a file system that folds names may leave a character out, of those that [`text::is_hidden`] does not have:
/// Unicode's `Default_Ignorable_Code_Point`.
fn is_ignorable(c: char) -> bool {
    text::is_hidden(c)
        || matches!(
            c,
            // The combining grapheme joiner, fillers of Hangul, vowels of Khmer, and selectors of Mongolian.
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            // Fillers, and selectors of variations.
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            // Controls of shorthand and of music, and the rest of the plane of tags.
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}
