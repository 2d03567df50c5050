//! The rule for names, paths and targets.

use super::*;

fn path(text: &str) -> RelativePath {
    RelativePath::new(text).unwrap()
}

#[test]
fn a_name_is_any_bytes_that_show_themselves() {
    for name in [
        "a",
        "größe 1.npy",
        "...",
        ".hidden",
        "-rf",
        "数组",
        "a\\b",
        "~",
        "x.part",
        "part.log",
        "❤\u{fe0f}",
    ] {
        assert_eq!(check_name(name.as_bytes()), Ok(()), "{name}");
    }
    assert_eq!(check_name(b"latin-1 \xe9\xff"), Ok(()));
    assert_eq!(check_name(&[b'a'; 255]), Ok(()));
}

#[test]
fn a_name_that_is_refused_has_its_reason() {
    let cases: [(&[u8], NameFault); 12] = [
        (b"", NameFault::Empty),
        (b".", NameFault::Dots),
        (b"..", NameFault::Dots),
        (b"a\0b", NameFault::Nul),
        (b"a/b", NameFault::Slash),
        (b"a\nb", NameFault::Hidden('\n')),
        (b"\xff\x1b[2J", NameFault::Hidden('\u{1b}')),
        ("a\u{202e}gpj.exe".as_bytes(), NameFault::Hidden('\u{202e}')),
        ("a\u{200b}".as_bytes(), NameFault::Hidden('\u{200b}')),
        (b"x.Part.LOG", NameFault::OfRecord),
        (b"x.part.log. ", NameFault::OfRecord),
        ("ä.part.lo\u{fe0f}g".as_bytes(), NameFault::OfRecord),
    ];
    for (name, fault) in cases {
        assert_eq!(check_name(name), Err(fault), "{}", shown_bytes(name));
        assert!(!fault.to_string().contains(text::is_hidden), "{fault}");
    }
    assert_eq!(check_name(&[b'a'; 256]), Err(NameFault::TooLong(256)));
}

#[test]
fn a_path_is_refused_for_any_of_its_parts_and_for_its_length_and_depth() {
    for bad in ["", "/a", "a/", "a//b", "a/../b", "./a", "a/.", "a/b\0"] {
        assert!(matches!(RelativePath::new(bad), Err(PathFault::Name(_))), "{bad:?}");
    }
    let deep = vec!["a"; DEPTH_MAX].join("/");
    let deepest = path(&deep);
    assert_eq!(deepest.depth(), DEPTH_MAX);
    assert_eq!(deepest.join(b"a"), Err(PathFault::TooDeep(DEPTH_MAX + 1)));
    let long = vec!["a".repeat(255); 16].join("/");
    let longest = path(&long);
    assert_eq!(longest.as_bytes().len(), PATH_BYTES_MAX);
    assert_eq!(longest.join(b"a"), Err(PathFault::TooLong(PATH_BYTES_MAX + 2)));
    assert_eq!(
        RelativePath::new(format!("{long}a")),
        Err(PathFault::TooLong(PATH_BYTES_MAX + 1))
    );
}

#[test]
fn a_path_knows_its_parts_and_what_lies_below_it() {
    let item = path("runs").join(b"one").unwrap().join(b"x.npy").unwrap();
    assert_eq!(item.as_bytes(), b"runs/one/x.npy");
    assert_eq!(item.parts().collect::<Vec<_>>(), [b"runs".as_slice(), b"one", b"x.npy"]);
    assert_eq!(item.name(), b"x.npy");
    assert_eq!(item.parent(), Some(path("runs/one")));
    assert_eq!(path("runs").parent(), None);
    assert_eq!(item.clone().into_bytes(), item.as_bytes());
}

#[test]
fn what_hides_is_visible_and_what_is_no_text_is_its_numbers() {
    assert_eq!(shown_bytes(b"a\x1b\xff\xc3/\xc3\xa9"), "a\u{fffd}\\xff\\xc3/é");
    let odd = RelativePath::new(b"r/\xe9".to_vec()).unwrap();
    assert_eq!(odd.display(), "r/\\xe9");
}

#[test]
fn names_that_a_folding_file_system_takes_for_one_have_one_key() {
    let same: [(&str, &str); 8] = [
        ("README", "readme"),
        ("Größe", "GRÖSSE"),
        ("é", "e\u{301}"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("\u{212a}", "k"),
        ("x.", "X"),
        ("❤\u{fe0f}", "❤"),
        ("İ", "i\u{307}"),
    ];
    for (one, other) in same {
        assert_eq!(fold_key(one.as_bytes()), fold_key(other.as_bytes()), "{one} {other}");
    }
    for (one, other) in [("a", "b"), ("a-1", "a_1"), ("e", "é"), (".a", "a")] {
        assert_ne!(fold_key(one.as_bytes()), fold_key(other.as_bytes()), "{one} {other}");
    }
    assert_eq!(fold_key(b"A\xff\xc3\x89"), fold_key(b"a\xff\xc3\xa9"));
    assert_ne!(fold_key(b"\xc9"), fold_key(b"\xe9"), "no text, so no letters");
}

#[test]
fn a_link_may_lead_up_to_the_root_and_no_further() {
    let link = path("runs/one/latest");
    for target in [
        "x",
        "./x",
        "two/three",
        "../two",
        "../../b.npy",
        ".././../b",
        "a//b",
        "..",
        "../..",
        ".",
        "a/",
    ] {
        assert_eq!(link.check_target(target.as_bytes()), Ok(()), "{target}");
    }
    let cases: [(&[u8], TargetFault); 9] = [
        (b"", TargetFault::Empty),
        (b"/etc/passwd", TargetFault::Absolute),
        (b"//x", TargetFault::Absolute),
        (b"a\0", TargetFault::Nul),
        (b"a\n", TargetFault::Hidden('\n')),
        (b"../../..", TargetFault::Leaves),
        (b"./..//../../x", TargetFault::Leaves),
        (b"d/../x", TargetFault::UpAfterName),
        (b"../d/..", TargetFault::UpAfterName),
    ];
    for (target, fault) in cases {
        assert_eq!(link.check_target(target), Err(fault), "{}", shown_bytes(target));
    }
    assert_eq!(path("l").check_target(b"../x"), Err(TargetFault::Leaves));
    assert_eq!(check_target(&[b'a'; TARGET_BYTES_MAX], 0), Ok(()));
    assert_eq!(
        check_target(&[b'a'; TARGET_BYTES_MAX + 1], 0),
        Err(TargetFault::TooLong(TARGET_BYTES_MAX + 1))
    );
}
