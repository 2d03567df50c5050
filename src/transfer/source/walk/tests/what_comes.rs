//! What a walk gives of what is there, and what it says of the rest.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::super::failure::Failure;
use super::*;
use crate::error::Error;
use crate::transfer::tree::path::{NameFault, PathFault};
use crate::wire::native::Timestamp;

#[test]
fn a_walk_goes_depth_first_with_names_by_their_bytes() {
    let folder = tree(&["t/b/2", "t/b/1", "t/a.txt", "t/a/x", "t/empty/", "t/B", "t/é"]);
    put(folder.path(), b"t/\xff");
    let expected = [
        "D t",
        "F t/B",
        "D t/a",
        "F t/a/x",
        "/ t/a",
        "F t/a.txt",
        "D t/b",
        "F t/b/1",
        "F t/b/2",
        "/ t/b",
        "D t/empty",
        "/ t/empty",
        "F t/é",
        "F t/\\xff",
        "/ t",
    ];
    assert_eq!(lines(&walked(folder.path(), Selection::everything())), expected);
}

#[test]
fn mode_time_and_length_come_as_the_system_has_them() {
    let folder = tree(&["t/old", "t/suid"]);
    let old = folder.path().join("t/old");
    let before_1970 = UNIX_EPOCH - Duration::new(10, 5);
    let file = File::options().write(true).open(&old).unwrap();
    file.set_times(FileTimes::new().set_modified(before_1970)).unwrap();
    fs::set_permissions(&old, Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(folder.path().join("t/suid"), Permissions::from_mode(0o4755)).unwrap();
    let [old_entry, suid] = files(&walked(folder.path(), Selection::everything()))
        .try_into()
        .unwrap();
    let expected = Timestamp {
        seconds: -11,
        nanoseconds: 999_999_995,
    };
    assert_eq!(
        (old_entry.mode, old_entry.modified, old_entry.bytes),
        (0o640, expected, 5)
    );
    assert_eq!(old_entry.identity.inode, fs::metadata(&old).unwrap().ino());
    assert_eq!(suid.mode, 0o755);
}

#[test]
fn holes_and_further_names_are_noticed() {
    let folder = tree(&["t/plain"]);
    let t = folder.path().join("t");
    File::create(t.join("holes")).unwrap().set_len(1 << 20).unwrap();
    fs::hard_link(t.join("plain"), t.join("same")).unwrap();
    let found = files(&walked(folder.path(), Selection::everything()));
    let told: Vec<_> = found
        .iter()
        .map(|entry| (entry.path.name(), entry.is_sparse, entry.is_hard_linked))
        .collect();
    assert_eq!(
        told,
        [
            (b"holes".as_slice(), true, false),
            (b"plain".as_slice(), false, true),
            (b"same".as_slice(), false, true)
        ]
    );
}

#[test]
fn links_are_given_as_links_and_those_that_lead_out_are_named() {
    let folder = tree(&["t/d/file"]);
    let t = folder.path().join("t");
    for (name, target) in [
        ("absolute", "/etc"),
        ("d/here", "."),
        ("d/out", "../../.."),
        ("d/sideways", "here/../file"),
        ("d/up", "../.."),
        ("loop", "loop"),
        ("one", "other"),
        ("other", "one"),
    ] {
        symlink(target, t.join(name)).unwrap();
    }
    let expected = [
        "D t",
        "! t/absolute: the link points to an absolute path",
        "D t/d",
        "F t/d/file",
        "L t/d/here -> .",
        "! t/d/out: the link leads out of the tree",
        "! t/d/sideways: the link's target has .. behind a name",
        "L t/d/up -> ../..",
        "/ t/d",
        "L t/loop -> loop",
        "L t/one -> other",
        "L t/other -> one",
        "/ t",
    ];
    assert_eq!(lines(&walked(folder.path(), Selection::everything())), expected);
}

#[test]
fn what_is_no_file_is_named_and_the_rest_goes_on() {
    let folder = tree(&["t/z"]);
    let t = folder.path().join("t");
    mknodat(CWD, t.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let _socket = UnixListener::bind(t.join("socket")).unwrap();
    let expected = [
        "D t",
        "! t/pipe: it is a pipe, and only files, folders and links are sent",
        "! t/socket: it is a socket, and only files, folders and links are sent",
        "F t/z",
        "/ t",
    ];
    assert_eq!(lines(&walked(folder.path(), Selection::everything())), expected);
    let device = Walk::new(roots(&[Path::new("/dev/null")]), Selection::everything());
    assert_eq!(
        lines(&device.collect::<Vec<_>>()),
        ["! null: it is a device, and only files, folders and links are sent"]
    );
}

#[test]
fn names_that_the_wire_refuses_are_named_and_not_cleaned() {
    let folder = tree(&["t/a\nb", "t/a\u{202e}b", "t/d\u{7f}/x", "t/good", "t/x.part.log"]);
    let steps = walked(folder.path(), Selection::everything());
    let refused: Vec<_> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Failed { path, reason } => Some((path.as_slice(), reason.clone())),
            _ => None,
        })
        .collect();
    let hidden = |c| Failure::Path(PathFault::Name(NameFault::Hidden(c)));
    let expected: [(&[u8], Failure); 4] = [
        (b"t/a\nb", hidden('\n')),
        ("t/a\u{202e}b".as_bytes(), hidden('\u{202e}')),
        (b"t/d\x7f", hidden('\u{7f}')),
        (b"t/x.part.log", Failure::Path(PathFault::Name(NameFault::OfRecord))),
    ];
    assert_eq!(refused, expected);
    assert_eq!(files(&steps).len(), 1);
    for line in lines(&steps) {
        assert!(!line.contains(crate::text::is_hidden), "{line:?}");
    }
}

#[test]
fn a_folder_that_may_not_be_read_is_named_and_the_rest_goes_on() {
    let folder = tree(&["t/a/x", "t/locked/x", "t/z"]);
    let locked = folder.path().join("t/locked");
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    let path = folder.path().to_path_buf();
    // Of this thread alone: root reads what nobody may.
    let walking = move || {
        without_rights_of_root();
        lines(&walked(&path, Selection::everything()))
    };
    let told = std::thread::Builder::new().spawn(walking).unwrap().join().unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o700)).unwrap();
    let expected = [
        "D t",
        "D t/a",
        "F t/a/x",
        "/ t/a",
        "! t/locked: it cannot be read: permission denied",
        "F t/z",
        "/ t",
    ];
    assert_eq!(told, expected);
}

/// Gives up what lets root read everything, for the calling thread.
fn without_rights_of_root() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut sets = capabilities(None).unwrap();
    sets.effective
        .remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, sets).unwrap();
}

#[test]
fn what_goes_while_the_walk_is_on_is_named() {
    let folder = tree(&["t/a", "t/b", "t/d/x"]);
    let mut walk = Walk::new(roots(&[&folder.path().join("t")]), Selection::everything());
    let first: Vec<_> = walk.by_ref().take(2).collect();
    fs::remove_file(folder.path().join("t/b")).unwrap();
    fs::remove_dir_all(folder.path().join("t/d")).unwrap();
    symlink("/etc", folder.path().join("t/d")).unwrap();
    let rest: Vec<_> = walk.collect();
    assert_eq!(lines(&first), ["D t", "F t/a"]);
    let expected = [
        "! t/b: it cannot be read: no such file or directory",
        "! t/d: it cannot be read: not a directory",
        "/ t",
    ];
    assert_eq!(lines(&rest), expected);
}

#[test]
fn each_root_has_its_last_name_with_a_slash_or_without() {
    let folder = tree(&["one/a/x", "one/b.npy", "c/1.npy", "c/2.npy"]);
    let at = |path: &str| folder.path().join(path);
    let named = [at("one/a/"), at("one/b.npy"), at("c/."), at("one/a/../../c/1.npy")];
    let walk = Walk::new(Arc::new(Roots::new(named).unwrap()), Selection::everything());
    let expected = [
        "D a",
        "F a/x",
        "/ a",
        "F b.npy",
        "D c",
        "F c/1.npy",
        "F c/2.npy",
        "/ c",
        "F 1.npy",
    ];
    assert_eq!(lines(&walk.collect::<Vec<_>>()), expected);
    symlink("one", at("link")).unwrap();
    let followed: Vec<_> = Walk::new(roots(&[&at("link")]), Selection::everything()).collect();
    assert_eq!(lines(&followed)[..2], ["D link", "D link/a"]);
}

#[test]
fn roots_that_cannot_be_sent_are_refused_before_anything_moves() {
    let folder = tree(&["one/a/", "two/a", "bad\nname"]);
    let at = |path: &str| folder.path().join(path);
    let same = Roots::new([at("one/a/"), at("two/a")]).unwrap_err().to_string();
    assert!(
        same.contains("one/a/ and ") && same.contains("would both arrive as a: "),
        "{same}"
    );
    assert_eq!(Roots::new([at("none")]).unwrap_err(), Error::SourceMissing(at("none")));
    let nameless = Roots::new(["/".into()]).unwrap_err().to_string();
    assert!(nameless.contains("/ has no name to arrive under"), "{nameless}");
    let hidden = Roots::new([at("bad\nname")]).unwrap_err().to_string();
    assert!(
        hidden.ends_with(
            "/bad\u{fffd}name cannot be sent: its name has the character U+000A, which does not show itself"
        ),
        "{hidden}"
    );
}

#[test]
fn other_file_systems_are_entered_unless_they_are_not_wanted() {
    let device = |path: &str| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    if device("/dev/pts").is_none() || device("/dev/pts") == device("/dev") {
        eprintln!("left out: no file system begins at /dev/pts");
        return;
    }
    let below = |stays| {
        let selection = Selection::everything().staying_on_file_system(stays);
        let steps = Walk::new(roots(&[Path::new("/dev")]), selection).collect::<Vec<_>>();
        let all = lines(&steps).into_iter();
        all.filter(|line| line.contains("dev/pts")).collect::<Vec<_>>()
    };
    assert_eq!(below(true), ["D dev/pts", "/ dev/pts"]);
    assert!(
        below(false)
            .iter()
            .any(|line| line.starts_with("! dev/pts/ptmx: it is a device"))
    );
}

#[test]
fn a_walk_leaves_no_folder_open() {
    let folder = tree(&["t/a/b/c", "t/d/"]);
    let open = || {
        let own = fs::read_dir("/proc/self/fd").unwrap().flatten();
        own.filter(|fd| fs::read_link(fd.path()).is_ok_and(|path| path.starts_with(folder.path())))
            .count()
    };
    let mut walk = Walk::new(roots(&[&folder.path().join("t")]), Selection::everything());
    assert_eq!(walk.by_ref().take(3).count(), 3);
    assert_eq!(open(), 3, "t, a and b");
    assert_eq!(walk.by_ref().count(), 6);
    assert_eq!(open(), 0);
}
