//! Trees of files: what arrives, what is there already, what is left out and what is refused.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, Mode};
use serde_json::Value as Json;

use crate::common::{Dir, Ended, Process, names_in};

/// A receiver into the folder `inbox`.
pub(crate) fn inbox(dir: &Dir, options: &str) -> Process {
    if !dir.path().join("inbox").exists() {
        dir.folder("inbox");
    }
    dir.receive(&format!("127.0.0.1:0 --into inbox {options}"))
}

/// Writes a file, and the folders that it needs.
pub(crate) fn put(dir: &Dir, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.path().join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, bytes).expect("written");
    path
}

/// Sends with further words, between `send` and the address.
pub(crate) fn send(dir: &Dir, words: &str, receiver: &Process) -> Ended {
    dir.run(&format!("send {words} {} --json", receiver.address))
}

/// What is told at the end.
pub(crate) fn finished(ended: &Ended) -> Json {
    let objects = ended.objects();
    let finished = objects.into_iter().find(|object| object["event"] == "finished");
    finished.unwrap_or_else(|| panic!("{ended:?}"))
}

/// How many items were stored, were there, and did not arrive.
pub(crate) fn counts(ended: &Ended) -> [u64; 3] {
    let items = &finished(ended)["items"];
    ["stored", "had", "failed"].map(|name| items[name].as_u64().expect("a count"))
}

/// It ended with 1, counts so many items, and names each of these with its reason on standard error.
#[track_caller]
pub(crate) fn incomplete(ended: &Ended, expected: [u64; 3], named: &[(&str, &str)]) {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(counts(ended), expected, "{ended:?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), named.len() + 1, "{ended:?}");
    for (path, why) in named {
        let is_it = |line: &&&str| line.contains(path) && line.contains(why);
        assert!(lines.iter().any(|line| is_it(&line)), "{path}: {why}: {ended:?}");
    }
    let all = expected.iter().sum::<u64>();
    let last = format!("{} of {all} files, folders and links did not arrive", expected[2]);
    assert!(lines.last().is_some_and(|line| line.contains(&last)), "{ended:?}");
}

fn set_mtime(path: &Path, seconds: u64, nanoseconds: u32) {
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    File::open(path).expect("there").set_modified(time).expect("our own");
}

/// What can be compared of one thing in a folder: path, kind and mode, mtime, and content or target.
type Seen = (PathBuf, u32, (i64, i64), Vec<u8>);

/// Everything below a folder.
fn seen(root: &Path) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let status = path.symlink_metadata().expect("there");
            let content = match status.file_type() {
                kind if kind.is_dir() => {
                    folders.push(path.clone());
                    Vec::new()
                }
                kind if kind.is_symlink() => fs::read_link(&path).expect("a link").as_os_str().as_bytes().to_vec(),
                _ => fs::read(&path).expect("a file"),
            };
            let below = path.strip_prefix(root).expect("below").to_path_buf();
            seen.push((below, status.mode(), (status.mtime(), status.mtime_nsec()), content));
        }
    }
    seen.sort();
    seen
}

/// Bytes of a file that no file system makes smaller.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(len).collect()
}

/// A tree of everything that can be sent.
fn tree(dir: &Dir) -> PathBuf {
    for (index, (path, len)) in [
        ("src/a.txt", 5),
        ("src/zero", 0),
        ("src/one block", 65_536),
        ("src/one more", 65_537),
        ("src/deeper/1 MiB", 1 << 20),
        ("src/deeper/5 MiB", (5 << 20) + 1),
        ("src/deeper/a.part", 9),
        ("src/.hidden/-odd 'name'\"\\*?[ü€😀", 3),
    ]
    .into_iter()
    .enumerate()
    {
        let path = put(dir, path, noise(len));
        fs::set_permissions(&path, Permissions::from_mode([0o644, 0o600, 0o755, 0o444][index % 4])).expect("ours");
        set_mtime(&path, 1_234_567_890 + index as u64, 123_456_789);
    }
    put(dir, Path::new("src").join(OsStr::from_bytes(b"no\xff\xfe text")), "x");
    fs::create_dir_all(dir.path().join("src/empty/in it")).expect("folders");
    symlink("a.txt", dir.path().join("src/link")).expect("a link");
    symlink("../zero", dir.path().join("src/deeper/up")).expect("a link");
    symlink("nowhere", dir.path().join("src/dangling")).expect("a link");
    let read_only = dir.path().join("src/read only");
    put(dir, "src/read only/in it", "y");
    fs::set_permissions(&read_only, Permissions::from_mode(0o555)).expect("ours");
    for folder in [
        "src/empty/in it",
        "src/empty",
        "src/deeper",
        "src/.hidden",
        "src/read only",
        "src",
    ] {
        set_mtime(&dir.path().join(folder), 1_000_000_000, 987_654_321);
    }
    for link in ["src/link", "src/dangling", "src/deeper/up"] {
        let time = rustix::fs::Timespec { tv_sec: 5, tv_nsec: 7 };
        let times = rustix::fs::Timestamps {
            last_access: time,
            last_modification: time,
        };
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::utimensat(rustix::fs::CWD, dir.path().join(link), &times, flags).expect("ours");
    }
    // Making links has changed the times of their folders.
    set_mtime(&dir.path().join("src/deeper"), 1_000_000_000, 987_654_321);
    set_mtime(&dir.path().join("src"), 1_000_000_000, 987_654_321);
    dir.path().join("src")
}

/// Lets a temporary folder be removed.
fn open_up(dir: &Dir) {
    for folder in ["src/read only", "inbox/src/read only"] {
        let _ = fs::set_permissions(dir.path().join(folder), Permissions::from_mode(0o755));
    }
}

#[test]
fn a_pattern_that_the_shell_left_names_folders_as_well_as_files() {
    let dir = Dir::new();
    put(&dir, "some/file", "f");
    put(&dir, "some/folder/in it", "i");
    let receiver = inbox(&dir, "");
    let sent = send(&dir, "some/f*", &receiver).done();
    assert_eq!(counts(&sent), [3, 0, 0]);
    for path in ["file", "folder/in it"] {
        assert_eq!(dir.read(&format!("inbox/{path}")), dir.read(&format!("some/{path}")));
    }
}

#[test]
fn a_tree_arrives_as_it_was_and_a_second_time_no_byte_moves() {
    let dir = Dir::new();
    let source = tree(&dir);
    let receiver = inbox(&dir, "");
    let first = send(&dir, "src", &receiver).done();
    let items = 19;
    assert_eq!(counts(&first), [items, 0, 0]);
    let expected = seen(&source);
    assert_eq!(expected.len() as u64, items - 1, "all but the root");
    assert_eq!(seen(&dir.path().join("inbox/src")), expected);
    let root = dir.path().join("inbox/src").metadata().expect("there");
    assert_eq!((root.mtime(), root.mtime_nsec()), (1_000_000_000, 987_654_321));

    let second = send(&dir, "src", &receiver).done();
    let told = finished(&second);
    assert_eq!(
        (counts(&second)[..2].iter().sum::<u64>(), told["bytes"].as_u64()),
        (items, Some(0))
    );
    assert_eq!(counts(&second), [0, items, 0]);
    assert_eq!(seen(&dir.path().join("inbox/src")), expected);
    open_up(&dir);
}

#[test]
fn loopback_takes_a_tree_into_a_folder() {
    let dir = Dir::new();
    let source = tree(&dir);
    dir.folder("inbox");
    dir.run("loopback src --into inbox/").done();
    assert_eq!(seen(&dir.path().join("inbox/src")), seen(&source));
    open_up(&dir);
}

#[test]
fn a_file_with_holes_takes_no_more_room_where_it_arrives() {
    let dir = Dir::new();
    dir.folder("src");
    let path = dir.path().join("src/sparse");
    let file = File::create(&path).expect("free");
    file.set_len(32 << 20).expect("set");
    file.write_all_at(b"in the middle", 9 << 20).expect("written");
    let receiver = inbox(&dir, "");
    send(&dir, "src", &receiver).done();
    let arrived = dir.path().join("inbox/src/sparse");
    assert_eq!(fs::read(&arrived).expect("there"), fs::read(&path).expect("there"));
    let taken = arrived.metadata().expect("there").blocks() * 512;
    assert!(taken < 1 << 20, "{taken}");
}

#[test]
fn a_file_that_has_changed_is_replaced_only_where_both_ends_say_so() {
    let dir = Dir::new();
    put(&dir, "src/same", "same");
    let path = put(&dir, "src/other", "first");
    let careful = inbox(&dir, "");
    send(&dir, "src", &careful).done();
    fs::write(&path, "changed").expect("written");
    // What is missing is told, and no more.
    let both = "replace it the sender needs --update or --replace, and the receiver --allow-replace";
    let leave = "to replace it the receiver needs --allow-replace";
    for (words, why) in [("src", both), ("src --update", leave), ("src --replace", leave)] {
        incomplete(&send(&dir, words, &careful), [0, 2, 1], &[("src/other", why)]);
        assert_eq!(dir.read("inbox/src/other"), b"first");
    }
    let generous = inbox(&dir, "--allow-replace");
    let wish = [("src/other", "to replace it the sender needs --update or --replace")];
    incomplete(&send(&dir, "src", &generous), [0, 2, 1], &wish);
    let ended = send(&dir, "src --update", &generous).done();
    assert_eq!(
        (counts(&ended), dir.read("inbox/src/other")),
        ([1, 2, 0], b"changed".to_vec())
    );

    // What is newer there stays with --update, and goes with --replace.
    fs::write(&path, "older").expect("written");
    set_mtime(&path, 1_000_000_000, 0);
    let ended = send(&dir, "src --update", &generous).done();
    assert_eq!(counts(&ended), [0, 3, 0]);
    assert_eq!(dir.read("inbox/src/other"), b"changed");
    send(&dir, "src --replace", &generous).done();
    assert_eq!(dir.read("inbox/src/other"), b"older");
    assert_eq!(names_in(&dir.path().join("inbox/src")), ["other", "same"]);
    dir.run(&format!("send src {} --update --replace", generous.address))
        .failed(2, &["--replace"]);
}

#[test]
fn a_large_file_that_has_changed_is_replaced_whole() {
    let dir = Dir::new();
    let path = put(&dir, "src/large", noise(3 << 20));
    let receiver = inbox(&dir, "--allow-replace");
    send(&dir, "src", &receiver).done();
    fs::write(&path, &noise(5 << 20)[1..]).expect("written");
    let ended = send(&dir, "src --update", &receiver).done();
    assert_eq!(counts(&ended), [1, 1, 0]);
    assert_eq!(dir.read("inbox/src/large"), noise(5 << 20)[1..]);
    assert_eq!(names_in(&dir.path().join("inbox/src")), ["large"]);
}

#[test]
fn by_content_an_equal_file_of_another_time_is_there_already_and_gets_that_time() {
    let dir = Dir::new();
    let path = put(&dir, "src/a", noise(2 << 20));
    let quiet = put(&dir, "src/quiet", "12345");
    let receiver = inbox(&dir, "--allow-replace");
    send(&dir, "src", &receiver).done();
    set_mtime(&path, 1_000_000_000, 5);
    incomplete(
        &send(&dir, "src", &receiver),
        [0, 2, 1],
        &[("src/a", "a different one is there")],
    );
    let ended = send(&dir, "src --by-content", &receiver).done();
    assert_eq!(
        (counts(&ended), finished(&ended)["bytes"].as_u64()),
        ([0, 3, 0], Some(0))
    );
    let there = dir.path().join("inbox/src/a").metadata().expect("there");
    assert_eq!((there.mtime(), there.mtime_nsec()), (1_000_000_000, 5));

    // Of the same length and time, and with other bytes.
    let time = quiet.metadata().expect("there").modified().expect("a time");
    fs::write(&quiet, "54321").expect("written");
    File::open(&quiet).expect("there").set_modified(time).expect("ours");
    assert_eq!(counts(&send(&dir, "src", &receiver).done()), [0, 3, 0]);
    assert_eq!(
        counts(&send(&dir, "src --by-content --replace", &receiver).done()),
        [1, 2, 0]
    );
    assert_eq!(dir.read("inbox/src/quiet"), b"54321");
}

/// The files that are below a folder, by their paths, sorted.
fn files_below(root: &Path) -> Vec<String> {
    let is_file = |mode: u32| FileType::from_raw_mode(mode) == FileType::RegularFile;
    let files = seen(root).into_iter().filter(|(_, mode, ..)| is_file(*mode));
    files.map(|(path, ..)| path.display().to_string()).collect()
}

#[test]
fn globs_and_ignore_files_say_what_goes() {
    for (words, expected) in [
        (
            "",
            &[
                ".ignore",
                "a.log",
                "a.txt",
                "build/b.txt",
                "sub/.gitignore",
                "sub/c.log",
                "sub/c.txt",
            ][..],
        ),
        (
            "--exclude *.log --exclude build/",
            &[".ignore", "a.txt", "sub/.gitignore", "sub/c.txt"],
        ),
        ("--include *.txt", &["a.txt", "build/b.txt", "sub/c.txt"]),
        ("--include *.txt --exclude build", &["a.txt", "sub/c.txt"]),
        (
            "--ignore-files",
            &[".ignore", "a.log", "a.txt", "sub/.gitignore", "sub/c.log"],
        ),
        (
            "--one-file-system --exclude /sub",
            &[".ignore", "a.log", "a.txt", "build/b.txt"],
        ),
    ] {
        let dir = Dir::new();
        for path in ["a.txt", "a.log", "build/b.txt", "sub/c.txt", "sub/c.log"] {
            put(&dir, format!("src/{path}"), path);
        }
        put(&dir, "src/.ignore", "build\n");
        put(&dir, "src/sub/.gitignore", "*.txt\n");
        let receiver = inbox(&dir, "");
        send(&dir, &format!("src {words}"), &receiver).done();
        assert_eq!(files_below(&dir.path().join("inbox/src")), expected, "{words}");
    }
    let dir = Dir::new();
    dir.folder("src");
    dir.run("send src 127.0.0.1:1 --exclude [z-a]")
        .failed(2, &["[z-a] is no glob"]);
}

#[test]
fn what_is_neither_file_nor_folder_nor_link_is_named_and_the_rest_goes() {
    let dir = Dir::new();
    put(&dir, "src/a", "a");
    let fifo = dir.path().join("src/fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a pipe");
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("src/socket")).expect("free");
    put(&dir, "src/two\nlines", "x");
    let receiver = inbox(&dir, "");
    let ended = send(&dir, "src", &receiver);
    incomplete(
        &ended,
        [2, 0, 3],
        &[
            ("src/fifo", "it is a pipe"),
            ("src/socket", "it is a socket"),
            ("lines", "U+000A"),
        ],
    );
    assert_eq!(names_in(&dir.path().join("inbox/src")), ["a"]);
}

#[test]
fn links_that_leave_the_tree_are_named_and_the_others_go() {
    let dir = Dir::new();
    dir.write("secret", "not asked for");
    put(&dir, "src/sub/a", "a");
    for (target, name) in [
        ("/etc/passwd", "absolute"),
        ("../../../secret", "leaves"),
        ("a/../../a", "behind"),
        ("a", "good"),
    ] {
        symlink(target, dir.path().join("src/sub").join(name)).expect("a link");
    }
    // The root may be named by a link.
    symlink("src", dir.path().join("named")).expect("a link");
    let receiver = inbox(&dir, "--once --json");
    let ended = send(&dir, "named", &receiver);
    let named = [
        ("named/sub/absolute", "an absolute path"),
        ("named/sub/leaves", "out of the tree"),
        ("named/sub/behind", ".. behind a name"),
    ];
    incomplete(&ended, [4, 0, 3], &named[..]);
    assert_eq!(names_in(&dir.path().join("inbox/named/sub")), ["a", "good"]);
    // What the sender left out by itself, its receiver knows nothing of.
    receiver.wait().done();
}

#[test]
fn a_file_where_a_folder_is_and_a_folder_where_a_file_is_are_refused_with_all_below() {
    let dir = Dir::new();
    put(&dir, "src/was folder", "a file");
    put(&dir, "src/was file/below", "b");
    put(&dir, "src/was file/deeper/below", "c");
    put(&dir, "src/was link", "d");
    put(&dir, "inbox/src/was folder/x", "x");
    put(&dir, "inbox/src/was file", "y");
    symlink("was file", dir.path().join("inbox/src/was link")).expect("a link");
    let receiver = inbox(&dir, "--allow-replace");
    let ended = send(&dir, "src --replace", &receiver);
    incomplete(
        &ended,
        [0, 1, 6],
        &[
            ("src/was folder", "a folder has its name"),
            ("src/was file", "a file has its name"),
            ("src/was file/below", ""),
            ("src/was file/deeper", ""),
            ("src/was file/deeper/below", ""),
            ("src/was link", "a symbolic link has its name"),
        ],
    );
    assert_eq!(
        (dir.read("inbox/src/was folder/x"), dir.read("inbox/src/was file")),
        (b"x".into(), b"y".into())
    );
}

#[test]
fn no_link_at_the_receiver_is_walked_through() {
    let dir = Dir::new();
    put(&dir, "src/sub/a", "a");
    dir.folder("outside");
    dir.folder("inbox");
    fs::create_dir(dir.path().join("inbox/src")).expect("a folder");
    symlink("../../outside", dir.path().join("inbox/src/sub")).expect("a link");
    let receiver = inbox(&dir, "--allow-replace");
    let ended = send(&dir, "src --replace", &receiver);
    incomplete(&ended, [0, 1, 2], &[("src/sub", "a symbolic link"), ("src/sub/a", "")]);
    // Nor where the root itself is one.
    symlink("../outside", dir.path().join("inbox/other")).expect("a link");
    put(&dir, "other/a", "a");
    let ended = send(&dir, "other --replace", &receiver);
    incomplete(&ended, [0, 0, 2], &[("other", "a symbolic link"), ("other/a", "")]);
    assert!(names_in(&dir.path().join("outside")).is_empty());
}

#[test]
fn several_roots_arrive_side_by_side_and_two_of_one_name_are_refused() {
    let dir = Dir::new();
    put(&dir, "one/a", "1");
    put(&dir, "two/a", "2");
    put(&dir, "more/one/a", "3");
    dir.write("file", "4");
    let receiver = inbox(&dir, "");
    let ended = send(&dir, "one two/ file", &receiver).done();
    assert_eq!(counts(&ended), [5, 0, 0]);
    assert_eq!(names_in(&dir.path().join("inbox")), ["file", "one", "two"]);
    assert_eq!(
        (dir.read("inbox/one/a"), dir.read("inbox/two/a")),
        (b"1".into(), b"2".into())
    );
    assert_eq!(counts(&send(&dir, "one two file", &receiver).done()), [0, 5, 0]);
    dir.run(&format!("send one more/one {}", receiver.address))
        .failed(2, &["one and more/one would both arrive as one"]);
    dir.run(&format!("send one nowhere {}", receiver.address))
        .failed(1, &["nowhere"]);
    dir.run(&format!("send one range:0:5 {}", receiver.address))
        .failed(2, &["range:0:5 is no file"]);
    dir.run(&format!("send one - {}", receiver.address))
        .failed(2, &["- is no file"]);
}

#[test]
fn five_thousand_small_files_arrive_and_are_there_the_next_time() {
    let dir = Dir::new();
    for number in 0..5_000_u32 {
        put(
            &dir,
            format!("src/{:02}/{number}", number % 50),
            number.to_string().repeat(number as usize % 300),
        );
    }
    let receiver = inbox(&dir, "--no-sync");
    let first = send(&dir, "src", &receiver).done();
    assert_eq!(counts(&first), [5_051, 0, 0]);
    let content = |root: &str| seen(&dir.path().join(root));
    assert_eq!(content("src"), content("inbox/src"));
    let second = send(&dir, "src", &receiver).done();
    assert_eq!(
        (counts(&second), finished(&second)["bytes"].as_u64()),
        ([0, 5_051, 0], Some(0))
    );
}

#[test]
fn a_tree_of_three_hundred_folders_in_one_another_arrives() {
    let dir = Dir::new();
    let deep = ["d"; 300].join("/");
    put(&dir, format!("src/{deep}/bottom"), "deep");
    let receiver = inbox(&dir, "");
    assert_eq!(counts(&send(&dir, "src", &receiver).done()), [302, 0, 0]);
    assert_eq!(dir.read(&format!("inbox/src/{deep}/bottom")), b"deep");
    assert_eq!(counts(&send(&dir, "src", &receiver).done()), [0, 302, 0]);
}

#[test]
fn a_receiver_says_how_many_of_a_tree_did_not_arrive_and_why_the_first_did_not() {
    let dir = Dir::new();
    for name in ["a", "b", "c"] {
        put(&dir, format!("src/{name}"), name);
    }
    put(&dir, "inbox/src/a", "another");
    put(&dir, "inbox/src/b", "another");
    let receiving = dir.listen("receive", "127.0.0.1:0 --into inbox --once");
    let sent = dir.run(&format!("send src {}", receiving.address));
    assert_eq!(sent.status.code(), Some(1), "{sent:?}");
    let received = receiving.wait();
    let told = "; 2 did not arrive, first of all src/a: a different one is there";
    assert!(received.stdout.contains(told), "{received:?}");
}
