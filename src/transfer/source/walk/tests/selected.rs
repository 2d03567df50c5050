//! Globs and ignore files.

use super::*;

fn globs(excludes: &[&str], includes: &[&str]) -> Selection {
    let owned = |globs: &[&str]| globs.iter().map(ToString::to_string).collect::<Vec<_>>();
    Selection::new(&owned(excludes), &owned(includes)).unwrap()
}

fn obeying() -> Selection {
    Selection::everything().obeying_ignore_files(true)
}

#[test]
fn excludes_know_any_depth_the_root_folders_and_exceptions() {
    let folder = tree(&[
        "t/a.log",
        "t/b.npy",
        "t/build/x",
        "t/keep.log",
        "t/run/1/c.log",
        "t/run/1/tmp/d",
        "t/run/build/y",
        "t/run/tmp",
        "t/#odd",
    ]);
    let left = |excludes| left(folder.path(), globs(excludes, &[]));
    let all = [
        "#odd",
        "a.log",
        "b.npy",
        "build/x",
        "keep.log",
        "run/1/c.log",
        "run/1/tmp/d",
        "run/build/y",
        "run/tmp",
    ];
    assert_eq!(left(&[]), all);
    assert_eq!(
        left(&["*.log", "!keep.log"]),
        [
            "#odd",
            "b.npy",
            "build/x",
            "keep.log",
            "run/1/tmp/d",
            "run/build/y",
            "run/tmp"
        ]
    );
    assert_eq!(
        left(&["/build", "*.log", "#odd"]),
        ["b.npy", "run/1/tmp/d", "run/build/y", "run/tmp"]
    );
    assert_eq!(left(&["tmp/", "*.log", "build"]), ["#odd", "b.npy", "run/tmp"]);
    assert_eq!(left(&["run/**/d", "run/**/y", "*.*", "build"]), ["#odd", "run/tmp"]);
    assert_eq!(left(&["**/1", "/*", "!/run"]), ["run/build/y", "run/tmp"]);
    // What lies in a folder that is out cannot come back in.
    assert_eq!(left(&["run", "!run/tmp", "[ab]*"]), ["#odd", "keep.log"]);
}

#[test]
fn an_excluded_folder_is_not_even_opened() {
    let folder = tree(&["t/x/y", "t/z"]);
    let steps = walked(folder.path(), globs(&["x"], &[]));
    assert_eq!(lines(&steps), ["D t", "F t/z", "/ t"]);
}

#[test]
fn includes_leave_out_the_folders_in_which_nothing_is_wanted() {
    let folder = tree(&[
        "t/a/1.npy",
        "t/a/1.txt",
        "t/b/c/2.txt",
        "t/d/deep/3.npy",
        "t/docs/x/page",
        "t/e/",
    ]);
    let steps = walked(folder.path(), globs(&["d"], &["*.npy", "docs/"]));
    let expected = [
        "D t",
        "D t/a",
        "F t/a/1.npy",
        "/ t/a",
        "D t/docs",
        "D t/docs/x",
        "F t/docs/x/page",
        "/ t/docs/x",
        "/ t/docs",
        "/ t",
    ];
    assert_eq!(lines(&steps), expected);
    let none = walked(folder.path(), globs(&[], &["*.none"]));
    assert_eq!(lines(&none), [] as [&str; 0]);
}

#[test]
fn globs_speak_of_a_root_that_is_a_file_and_not_of_a_root_that_is_a_folder() {
    let folder = tree(&["t/x", "a.npy", "b.txt"]);
    let at = |name: &str| folder.path().join(name);
    let named = roots(&[&at("t"), &at("a.npy"), &at("b.txt")]);
    let steps = Walk::new(named, globs(&["t", "*.txt"], &[])).collect::<Vec<_>>();
    assert_eq!(lines(&steps), ["D t", "F t/x", "/ t", "F a.npy"]);
}

#[test]
fn what_is_no_glob_is_refused_by_name() {
    for bad in ["", "!", "/", "{a", "a[z-a]", "[a", "a[", "[]", "a[!]b", "[a]["] {
        let error = Selection::new(&[], &[bad.into()]).unwrap_err().to_string();
        assert!(error.contains(bad) && error.contains("glob"), "{bad}: {error}");
    }
    let error = Selection::new(&[], &["!x".into()]).unwrap_err().to_string();
    assert!(error.contains("includes nothing"), "{error}");
    for good in ["[[]", "[!]]", "[^a]b", r"\[a", "a]"] {
        Selection::new(&[good.into()], &[good.into()]).expect(good);
    }
}

#[test]
fn names_that_are_no_text_are_matched_too() {
    let folder = tree(&["t/a"]);
    put(folder.path(), b"t/\xff.log");
    assert_eq!(left(folder.path(), globs(&["*.log"], &[])), ["a"]);
    assert_eq!(left(folder.path(), globs(&["?.log"], &[])), ["a"]);
}

#[test]
fn ignore_files_are_obeyed_only_when_asked_and_the_deeper_one_decides() {
    let folder = tree(&[
        "t/a.log",
        "t/b.tmp",
        "t/c",
        "t/sub/a.log",
        "t/sub/b.tmp",
        "t/sub/only",
        "t/sub/deep/only",
        "t/sub/deep/a.log",
        "t/out/x",
        "t/sub/out",
    ]);
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
    write("t/.gitignore", "\u{feff}# logs\r\n*.log\r\n*.tmp\n/out/\n\n");
    write("t/sub/.gitignore", "!a.log\n/only\n");
    write("t/sub/deep/.gitignore", "a.log\n");
    write("t/sub/.ignore", "!b.tmp\n");
    assert_eq!(left(folder.path(), Selection::everything()).len(), 14);
    let expected = [
        ".gitignore",
        "c",
        "sub/.gitignore",
        "sub/.ignore",
        "sub/a.log",
        "sub/b.tmp",
        "sub/deep/.gitignore",
        "sub/deep/only",
        "sub/out",
    ];
    assert_eq!(left(folder.path(), obeying()), expected);
    let excepted = globs(&["!b.tmp", ".*"], &[]).obeying_ignore_files(true);
    assert_eq!(
        left(folder.path(), excepted),
        ["b.tmp", "c", "sub/a.log", "sub/b.tmp", "sub/deep/only", "sub/out"]
    );
}

#[test]
fn where_an_ignore_file_cannot_be_obeyed_nothing_of_its_folder_is_sent() {
    let folder = tree(&["t/a/secret", "t/b/x", "t/c/x", "t/d/x", "t/z"]);
    let at = |path: &str| folder.path().join(path);
    std::fs::write(at("t/a/.gitignore"), "fine\n{bad\n").unwrap();
    std::fs::write(at("t/b/.ignore"), b"\xff\n").unwrap();
    std::fs::write(at("t/c/.ignore"), vec![b'\n'; (1 << 20) + 1]).unwrap();
    // git does not follow it either.
    std::os::unix::fs::symlink("/etc/passwd", at("t/d/.gitignore")).unwrap();
    let told = lines(&walked(folder.path(), obeying()));
    assert!(
        told[1].starts_with("! t/a: nothing in it is sent, as its .gitignore cannot be obeyed: line 2: "),
        "{told:?}"
    );
    assert!(
        told[2].starts_with("! t/b: nothing in it is sent, as its .ignore cannot be obeyed: "),
        "{told:?}"
    );
    assert!(
        told[3].ends_with("its .ignore cannot be obeyed: it has more than 1 MiB"),
        "{told:?}"
    );
    let rest = [
        "D t/d",
        "! t/d/.gitignore: the link points to an absolute path",
        "F t/d/x",
        "/ t/d",
        "F t/z",
        "/ t",
    ];
    assert_eq!(told[4..], rest);
}
