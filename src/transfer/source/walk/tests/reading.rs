//! Files opened again after the walk.

use std::fs::{File, FileTimes};
use std::io::Write as _;
use std::os::unix::fs::symlink;

use super::super::failure::Failure;
use super::super::{ReadFault, SMALL_FILE_BYTES_MAX, TreeReader};
use super::*;

/// A tree, its files, and a reader for them.
fn offered(paths: &[&str]) -> (TempDir, Vec<Entry>, TreeReader) {
    let folder = tree(paths);
    let entries = files(&walked(folder.path(), Selection::everything()));
    let reader = TreeReader::new(roots(&[&folder.path().join("t")]));
    (folder, entries, reader)
}

#[test]
fn a_small_file_is_appended_whole() {
    let (_folder, entries, mut reader) = offered(&["t/a", "t/b/c/d", "t/b/c/e", "t/empty/", "t/f"]);
    let mut content = b"before ".to_vec();
    for entry in &entries {
        reader.read_small(entry, &mut content).unwrap();
    }
    assert_eq!(content, b"before t/at/b/c/dt/b/c/et/f");
}

#[test]
fn an_opened_file_is_read_as_long_as_it_is_the_offered_one() {
    let (folder, entries, mut reader) = offered(&["t/a", "t/b"]);
    let opened = reader.open(&entries[0].path, entries[0].identity).unwrap();
    let mut buffer = [0; 10];
    assert_eq!(rustix::io::read(opened.as_fd(), &mut buffer), Ok(3));
    assert_eq!(opened.check(), Ok(()));
    File::options()
        .append(true)
        .open(folder.path().join("t/a"))
        .unwrap()
        .write_all(b"more")
        .unwrap();
    assert_eq!(opened.check(), Err(ReadFault::Changed));
}

#[test]
fn a_file_that_was_replaced_or_written_to_is_not_what_was_offered() {
    let paths = [
        "t/folder",
        "t/gone",
        "t/grown",
        "t/link",
        "t/replaced",
        "t/rewritten",
        "t/same",
    ];
    let (folder, entries, mut reader) = offered(&paths);
    let at = |name: &str| folder.path().join("t").join(name);
    for name in ["folder", "gone", "link"] {
        fs::remove_file(at(name)).unwrap();
    }
    fs::create_dir(at("folder")).unwrap();
    symlink("same", at("link")).unwrap();
    fs::write(at("grown"), b"longer than before").unwrap();
    fs::write(at("new"), b"t/replaced").unwrap();
    fs::rename(at("new"), at("replaced")).unwrap();
    // The same length and modification time: only the status tells.
    let times = FileTimes::new().set_modified(fs::metadata(at("rewritten")).unwrap().modified().unwrap());
    fs::write(at("rewritten"), b"T/REWRITTEN").unwrap();
    File::options()
        .write(true)
        .open(at("rewritten"))
        .unwrap()
        .set_times(times)
        .unwrap();
    let mut content = Vec::new();
    for entry in &entries {
        let is_same = entry.path.name() == b"same";
        let expected = if is_same { Ok(()) } else { Err(ReadFault::Changed) };
        assert_eq!(
            reader.read_small(entry, &mut content),
            expected,
            "{}",
            entry.path.display()
        );
    }
    assert_eq!(content, b"t/same");

    let now: Vec<_> = entries
        .iter()
        .map(|entry| reader.look_again(&entry.path).map(|now| now.bytes))
        .collect();
    let [of_folder, gone, grown, link, replaced, ..] = now.as_slice() else {
        panic!("{now:?}")
    };
    assert_eq!((of_folder, link), (&Err(Failure::NoFileNow), &Err(Failure::NoFileNow)));
    assert!(matches!(gone, Err(Failure::System(_))));
    assert_eq!((grown, replaced), (&Ok(18), &Ok(10)));
    let again = reader.look_again(&entries[2].path).unwrap();
    assert_eq!(reader.read_small(&again, &mut content), Ok(()));
}

#[test]
fn no_link_is_followed_on_the_way_to_a_file() {
    let (folder, entries, mut reader) = offered(&["t/a/b/c"]);
    let a = folder.path().join("t/a");
    fs::rename(&a, folder.path().join("t/moved")).unwrap();
    symlink("moved", &a).unwrap();
    assert_eq!(reader.read_small(&entries[0], &mut Vec::new()), Err(ReadFault::Changed));
}

#[test]
fn a_root_that_is_a_file_is_read_too_and_a_strange_one_is_not_there() {
    let folder = tree(&["x.npy", "y.npy"]);
    let named = roots(&[&folder.path().join("x.npy")]);
    let entries = files(&Walk::new(Arc::clone(&named), Selection::everything()).collect::<Vec<_>>());
    let mut reader = TreeReader::new(named);
    let mut content = Vec::new();
    reader.read_small(&entries[0], &mut content).unwrap();
    assert_eq!(content, b"x.npy");
    let strange = crate::transfer::tree::path::RelativePath::new("y.npy").unwrap();
    assert!(reader.look_again(&strange).is_err());
}

#[test]
fn a_large_file_is_not_read_as_a_small_one() {
    let folder = tree(&["t/"]);
    File::create(folder.path().join("t/large"))
        .unwrap()
        .set_len(SMALL_FILE_BYTES_MAX + 1)
        .unwrap();
    let entries = files(&walked(folder.path(), Selection::everything()));
    let mut reader = TreeReader::new(roots(&[&folder.path().join("t")]));
    let refused = reader.read_small(&entries[0], &mut Vec::new());
    assert_eq!(
        refused,
        Err(ReadFault::Failed(Failure::NotSmall(SMALL_FILE_BYTES_MAX + 1)))
    );
}
