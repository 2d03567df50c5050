//! Names for files that come from peers.

use std::path::Path;

use crate::text::is_hidden;
use crate::wire::Offer;

use super::part_name::is_part_name;

/// The file name for an offer: the sender's, made safe, or one that says what it is.
pub(crate) fn file_name(offer: &Offer) -> String {
    let name = offer.name.as_deref().and_then(safe_file_name);
    let is_npy = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "npy");
    match name {
        // Without a header its dtype and shape would be lost.
        Some(name) if !offer.plain && !is_npy(&name) => format!("{name}.npy"),
        // No file of a peer's is to be taken for one that is not whole.
        Some(name) if is_part_name(&name) => format!("{name}_"),
        Some(name) => name,
        None if offer.plain => "file.bin".into(),
        None => "array.npy".into(),
    }
}

/// What is left of a peer's name when it may neither leave a folder nor hide in it.
fn safe_file_name(name: &str) -> Option<String> {
    const BYTES_MAX: usize = 200;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !is_hidden(*c)).collect();
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
            grain: None,
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
    fn a_peers_name_is_never_that_of_a_file_that_is_not_whole() {
        for name in [
            "a.arraylift-0123abcd.part",
            "A.Arraylift-0123ABCD.Part",
            "../a.arraylift-0123abcd.part",
            "a.arraylift-0123abcd.part.log",
        ] {
            let made = file_name(&offer(Some(name), true, 1));
            assert!(!is_part_name(&made) && made.ends_with('_'), "{made}");
        }
        let long = format!("{}.arraylift-0123abcd{}.part", "x".repeat(181), "y".repeat(99));
        assert!(!is_part_name(&file_name(&offer(Some(&long), true, 1))));
    }

    #[test]
    fn arrays_without_a_name_get_one_that_says_what_they_are() {
        assert_eq!(file_name(&offer(None, false, 1)), "array.npy");
        assert_eq!(file_name(&offer(None, true, 1)), "file.bin");
        assert_eq!(file_name(&offer(Some("../x.npy"), false, 1)), "x.npy");
        assert_eq!(file_name(&offer(Some("thing"), false, 1)), "thing.npy");
        assert_eq!(file_name(&offer(Some("thing"), true, 1)), "thing");
        assert_eq!(file_name(&offer(Some("a.part"), true, 1)), "a.part");
    }
}
