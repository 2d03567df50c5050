//! Names for files that come from peers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::wire::Offer;

/// The file name for an offer: the sender's, made safe, or one that says what it is.
pub(crate) fn file_name(offer: &Offer) -> String {
    let name = offer.name.as_deref().and_then(safe_file_name);
    let is_npy = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "npy");
    match name {
        // Without a header its dtype and shape would be lost.
        Some(name) if !offer.plain && !is_npy(&name) => format!("{name}.npy"),
        Some(name) => name,
        None if offer.plain => "file.bin".into(),
        None => "array.npy".into(),
    }
}

/// Names whose numbers are remembered; beyond, those before are forgotten, and found again one by one.
const NUMBERED_MAX: usize = 1024;

/// For names that were taken: the number that was given last.
static NUMBERED: LazyLock<Mutex<HashMap<PathBuf, u32>>> = LazyLock::new(Mutex::default);

/// The numbers to try for a name that is taken, in order: the thousandth of the same name does not try a thousand.
pub(crate) fn numbers_for(path: &Path) -> impl Iterator<Item = u32> + use<> {
    let last = with_numbered(|numbered| numbered.get(path).copied().unwrap_or(0));
    last.saturating_add(1)..
}

/// The name was given this number.
pub(crate) fn remember_number(path: &Path, number: u32) {
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

/// What is left of a peer's name when it may neither leave a folder nor hide in it.
fn safe_file_name(name: &str) -> Option<String> {
    const BYTES_MAX: usize = 200;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control()).collect();
    let kept = kept.trim().trim_start_matches('.');
    if kept.is_empty() {
        return None;
    }
    if kept.len() <= BYTES_MAX {
        return Some(kept.into());
    }
    // The ending says what kind of file it is, so the middle goes.
    let (stem, ending) = kept
        .rsplit_once('.')
        .filter(|(_, ending)| ending.len() < 20)
        .unwrap_or((kept, ""));
    let stem = &stem[..stem.floor_char_boundary(BYTES_MAX)];
    Some(if ending.is_empty() {
        stem.into()
    } else {
        format!("{stem}.{ending}")
    })
}

/// `name`, `name-1`, `name-2` with the ending kept.
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.into();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{ArrayMeta, Dtype};
    use crate::wire::ChecksumKind;

    fn offer(name: Option<&str>, plain: bool, count: u64) -> Offer {
        Offer {
            meta: ArrayMeta::vector(Dtype::u8(), count).expect("small"),
            name: name.map(Into::into),
            plain,
            identity: Vec::new(),
            checksum: ChecksumKind::None,
            streams: 1,
            handoff: None,
        }
    }

    #[test]
    fn a_peers_name_neither_leaves_the_folder_nor_hides_in_it() {
        for (name, safe) in [
            ("../../x", Some("x")),
            ("/etc/passwd", Some("passwd")),
            ("..\\evil.exe", Some("evil.exe")),
            (".bashrc", Some("bashrc")),
            ("a\nb\u{7f}.npy", Some("ab.npy")),
            ("..", None),
            ("", None),
            ("a/", None),
        ] {
            assert_eq!(safe_file_name(name).as_deref(), safe, "{name:?}");
        }
        let long = safe_file_name(&format!("{}.npy", "é".repeat(300))).expect("a name");
        assert!(
            long.len() <= 205 && Path::new(&long).extension().is_some_and(|e| e == "npy"),
            "{long}"
        );
    }

    #[test]
    fn the_next_of_the_same_name_goes_on_where_the_last_one_was() {
        let path = Path::new("/nowhere/numbered.npy");
        assert_eq!(numbers_for(path).next(), Some(1));
        remember_number(path, 700);
        assert_eq!(numbers_for(path).take(2).collect::<Vec<_>>(), [701, 702]);
        assert_eq!(numbers_for(Path::new("/nowhere/other.npy")).next(), Some(1));
    }

    #[test]
    fn arrays_without_a_name_get_one_that_says_what_they_are() {
        assert_eq!(file_name(&offer(None, false, 1)), "array.npy");
        assert_eq!(file_name(&offer(None, true, 1)), "file.bin");
        assert_eq!(file_name(&offer(Some("../x.npy"), false, 1)), "x.npy");
        assert_eq!(file_name(&offer(Some("thing"), false, 1)), "thing.npy");
        assert_eq!(file_name(&offer(Some("thing"), true, 1)), "thing");
    }
}
