//! Folders and links, and what stands in the way of a path.

use super::*;
use crate::transfer::sink::folder::Folder;
use crate::transfer::sink::tree::unfinished::Mark;

#[test]
fn nothing_lands_behind_a_link_that_stands_in_the_way() {
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Always,
        ..POLICY
    });
    let elsewhere = tempfile::tempdir().expect("folder");
    fs::create_dir_all(elsewhere.path().join("b")).expect("folder");
    symlink(elsewhere.path(), tree.at("a")).expect("free");
    fs::create_dir_all(tree.at("real/b")).expect("folder");
    symlink("real", tree.at("inside")).expect("free");
    let in_path = Refusal::LinkInPath;
    for name in ["a/x", "a/b/x", "inside/x", "inside/b/x"] {
        assert_eq!(tree.sink.decide(&file_of(name, 4)), Decision::Refused(in_path));
        assert_eq!(tree.store(name, "data"), Outcome::Refused(in_path));
        assert_eq!(tree.folder(name), Outcome::Refused(in_path));
        assert_eq!(tree.sink.make_link(&link(name, "b")), Outcome::Refused(in_path));
        let begun = tree.sink.begin_file(file_of(name, 4), BLOCKS, None);
        assert_eq!(begun.expect_err("in the way"), Outcome::Refused(in_path));
    }
    let there = Outcome::Refused(Refusal::LinkThere);
    assert_eq!(tree.folder("a"), there);
    assert_eq!(tree.store("a", "data"), there);
    assert_eq!(
        tree.sink.finish_folder(&path("a"), 0o700, THEN),
        Outcome::Refused(in_path)
    );
    assert_eq!(fs::read_dir(elsewhere.path().join("b")).expect("there").count(), 0);
    assert_eq!(fs::read_dir(elsewhere.path()).expect("there").count(), 1);
    assert_eq!(tree.names("real"), ["b"]);
}

#[test]
fn a_folder_that_becomes_a_link_while_it_is_open_is_still_the_folder() {
    let mut tree = Tree::new(POLICY);
    let elsewhere = tempfile::tempdir().expect("folder");
    assert_eq!(tree.folder("a"), stored());
    assert_eq!(tree.receive("a/x", "data"), stored());
    fs::rename(tree.at("a"), tree.at("moved")).expect("there");
    symlink(elsewhere.path(), tree.at("a")).expect("free");
    assert_eq!(tree.receive("a/y", "data"), stored());
    assert_eq!(tree.names("moved"), ["x", "y"]);
    assert_eq!(fs::read_dir(elsewhere.path()).expect("there").count(), 0);
}

#[test]
fn a_path_of_a_thousand_parts_is_made_and_filled() {
    let mut tree = Tree::new(POLICY);
    let deep = vec!["abc"; 1_000].join("/");
    for parts in 1..=1_000 {
        let folder = vec!["abc"; parts].join("/");
        assert_eq!(tree.folder(&folder), stored());
    }
    assert_eq!(tree.receive(&format!("{deep}/x"), "data"), stored());
    assert_eq!(tree.sink.unfinished_folders(), 1_000);
    for parts in (1..=1_000).rev() {
        let folder = path(&vec!["abc"; parts].join("/"));
        assert_eq!(tree.sink.finish_folder(&folder, 0o755, THEN), stored());
    }
    assert_eq!(tree.sink.unfinished_folders(), 0);
    // A later run finds it anew, from the root.
    let mut tree = tree.again(POLICY);
    assert_eq!(tree.receive(&format!("{deep}/x"), "data"), Outcome::Had);
    assert_eq!(
        mtime(&tree.at(&vec!["abc"; 500].join("/"))),
        (1_234_567_890, 987_654_321)
    );
}

#[test]
fn a_folder_can_be_filled_whatever_its_mode_will_be_and_gets_mode_and_time_at_its_end() {
    let mut tree = Tree::new(TreePolicy { sync: true, ..POLICY });
    let folder = TreeItem {
        mode: 0o040_555,
        ..item("d", ItemKind::Folder)
    };
    assert_eq!(tree.sink.make_folder(&folder), stored());
    assert_eq!(mode(&tree.at("d")), 0o755);
    assert_eq!(tree.receive("d/a", "data"), Outcome::Stored { durable: Some(true) });
    assert_eq!(tree.sink.finish_folder(&path("d"), 0o040_555, THEN), stored());
    assert_eq!(tree.sink.sync(), Ok(()));
    assert_eq!(mode(&tree.at("d")), 0o555);
    assert_eq!(mtime(&tree.at("d")), (1_234_567_890, 987_654_321));
    // A later run may have more to put in there.
    let mut tree = tree.again(POLICY);
    assert_eq!(tree.sink.make_folder(&folder), Outcome::Had);
    assert_eq!(tree.receive("d/a", "data"), Outcome::Had);
    assert_eq!(mode(&tree.at("d")), 0o555, "nothing comes into it yet");
    assert_eq!(tree.receive("d/b", "data"), stored());
    assert_eq!(tree.sink.finish_folder(&path("d"), 0o040_555, THEN), Outcome::Had);
    assert_eq!((mode(&tree.at("d")), mtime(&tree.at("d")).0), (0o555, THEN.seconds));
    fs::set_permissions(tree.at("d"), fs::Permissions::from_mode(0o2700)).expect("own");
    assert_eq!(tree.sink.make_folder(&folder), Outcome::Had);
    assert_eq!(tree.sink.finish_folder(&path("d"), 0o750, THEN), Outcome::Had);
    assert_eq!(
        mode(&tree.at("d")),
        0o2750,
        "the group of what lies in it is the receiver's"
    );
}

#[test]
fn a_folder_is_not_made_where_something_else_is_or_where_its_own_is_missing() {
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Always,
        ..POLICY
    });
    fs::write(tree.at("file"), "precious").expect("written");
    assert_eq!(tree.folder("file"), Outcome::Refused(Refusal::FileThere));
    assert_eq!(tree.folder("file/d"), Outcome::Refused(Refusal::NoFolderInPath));
    assert_eq!(
        tree.store("file/d/a", "data"),
        Outcome::Refused(Refusal::NoFolderInPath)
    );
    assert_eq!(tree.folder("none/d"), Outcome::Refused(Refusal::FolderMissing));
    assert_eq!(tree.store("none/a", "data"), Outcome::Refused(Refusal::FolderMissing));
    fs::create_dir(tree.at("d")).expect("free");
    assert_eq!(tree.receive("d", "data"), Outcome::Refused(Refusal::FolderThere));
    assert_eq!(tree.read("file"), "precious");
}

#[test]
fn a_link_is_made_with_its_time_had_when_equal_and_else_replaced_by_the_same_rule() {
    let mut tree = Tree::new(POLICY);
    assert_eq!(tree.folder("d"), stored());
    assert_eq!(tree.sink.make_link(&link("d/l", "../x")), stored());
    assert_eq!(fs::read_link(tree.at("d/l")).expect("a link"), Path::new("../x"));
    assert_eq!(mtime(&tree.at("d/l")), (1_234_567_890, 987_654_321));
    let mut tree = tree.again(POLICY);
    assert_eq!(tree.sink.make_link(&link("d/l", "../x")), Outcome::Had);
    let other = link("d/l", "../y");
    assert_eq!(
        tree.sink.make_link(&other),
        Outcome::Refused(Refusal::Different(MissingRight::Wish))
    );
    let mut tree = tree.again(TreePolicy {
        replace: Replace::Always,
        ..POLICY
    });
    assert_eq!(tree.sink.make_link(&other), stored());
    assert_eq!(fs::read_link(tree.at("d/l")).expect("a link"), Path::new("../y"));
    assert_eq!(tree.names("d"), ["l"]);
    fs::write(tree.at("d/file"), "precious").expect("written");
    let over_file = link("d/file", "../x");
    assert_eq!(tree.sink.make_link(&over_file), Outcome::Refused(Refusal::FileThere));
}

#[test]
fn a_link_that_leads_out_is_not_made() {
    let mut tree = Tree::new(POLICY);
    assert_eq!(tree.folder("d"), stored());
    for target in ["/etc/passwd", "../../x", "a/../../x", ""] {
        let outcome = tree.sink.make_link(&link("d/l", target));
        assert!(matches!(outcome, Outcome::Refused(Refusal::Target(_))), "{target}");
    }
    assert_eq!(tree.names("d"), Vec::<String>::new());
}

#[test]
fn what_got_a_name_in_a_new_folder_by_somebody_else_is_not_lost() {
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Never,
        ..POLICY
    });
    assert_eq!(tree.folder("d"), stored());
    fs::write(tree.at("d/a"), "precious").expect("written");
    assert_eq!(tree.sink.decide(&file_of("d/a", 4)), Decision::Make);
    assert_eq!(
        tree.store("d/a", "data"),
        Outcome::Refused(Refusal::Different(MissingRight::Wish))
    );
    symlink("x", tree.at("d/l")).expect("free");
    assert_eq!(
        tree.sink.make_link(&link("d/l", "y")),
        Outcome::Refused(Refusal::Different(MissingRight::Wish))
    );
    assert_eq!(tree.sink.make_link(&link("d/l", "x")), Outcome::Had);
    assert_eq!(tree.read("d/a"), "precious");
}

#[test]
fn nothing_that_is_there_gets_another_mode_or_time_where_nothing_may_be_replaced() {
    let mut tree = Tree::new(POLICY);
    assert_eq!(tree.folder("d"), stored());
    assert_eq!(tree.receive("d/a", "data"), stored());
    assert_eq!(tree.sink.finish_folder(&path("d"), 0o755, THEN), stored());
    for (name, mode) in [("d/a", 0o600), ("d", 0o500)] {
        fs::set_permissions(tree.at(name), fs::Permissions::from_mode(mode)).expect("own");
    }
    let careful = TreePolicy {
        allow_replace: false,
        ..POLICY
    };
    for checksum in [false, true] {
        let mut again = Tree {
            sink: TreeSink::open(tree.root.path(), TreePolicy { checksum, ..careful }).expect("there"),
            root: tree.root,
        };
        assert_eq!(again.folder("d"), Outcome::Had);
        let same = file_of("d/a", 4);
        if let Decision::Compare(seen) = again.sink.decide(&same) {
            assert!(checksum);
            let later = TreeItem {
                mtime: Timestamp {
                    seconds: THEN.seconds + 5,
                    ..THEN
                },
                ..same
            };
            assert!(matches!(again.sink.decide_compared(&later, seen, true), Decision::Had));
        }
        let later = Timestamp {
            seconds: THEN.seconds + 9,
            ..THEN
        };
        assert_eq!(again.sink.finish_folder(&path("d"), 0o777, later), Outcome::Had);
        assert_eq!((mode(&again.at("d")), mtime(&again.at("d")).0), (0o500, THEN.seconds));
        assert_eq!(
            (mode(&again.at("d/a")), mtime(&again.at("d/a")).0),
            (0o600, THEN.seconds)
        );
        tree = again;
    }
    fs::set_permissions(tree.at("d"), fs::Permissions::from_mode(0o700)).expect("own");
}

#[test]
fn a_folder_that_a_session_left_unfinished_is_known_and_finished_by_the_next() {
    let mut tree = Tree::new(POLICY);
    assert_eq!(tree.folder("d"), stored());
    assert_eq!(
        mode(&tree.at("d")),
        0o744,
        "not one that anybody could tell from others"
    );
    let mut tree = tree.again(TreePolicy {
        allow_replace: false,
        ..POLICY
    });
    assert_eq!(tree.folder("d"), Outcome::Had);
    assert_eq!(tree.receive("d/a", "data"), stored());
    assert_eq!(tree.sink.finish_folder(&path("d"), 0o555, THEN), Outcome::Had);
    assert_eq!((mode(&tree.at("d")), mtime(&tree.at("d")).0), (0o555, THEN.seconds));
    fs::set_permissions(tree.at("d"), fs::Permissions::from_mode(0o700)).expect("own");
}

#[test]
fn an_unfinished_folder_to_which_somebody_has_given_another_mode_keeps_it() {
    let mut tree = Tree::new(POLICY);
    assert_eq!(tree.folder("d"), stored());
    fs::set_permissions(tree.at("d"), fs::Permissions::from_mode(0o700)).expect("own");
    let mut tree = tree.again(TreePolicy {
        allow_replace: false,
        ..POLICY
    });
    assert_eq!(tree.folder("d"), Outcome::Had);
    assert_eq!(tree.sink.finish_folder(&path("d"), 0o755, THEN), Outcome::Had);
    assert_eq!(mode(&tree.at("d")), 0o700);
}

#[test]
fn folders_that_are_there_keep_mode_and_time_whatever_they_are_and_however_often_they_are_offered() {
    let mut tree = Tree::new(TreePolicy {
        allow_replace: false,
        ..POLICY
    });
    let modes = [0o1777, 0o1700, 0o3770, 0o3775, 0o755, 0o2750];
    for (at, given) in modes.into_iter().enumerate() {
        let name = format!("d{at}");
        fs::create_dir(tree.at(&name)).expect("free");
        fs::set_permissions(tree.at(&name), fs::Permissions::from_mode(given)).expect("own");
        let before = mtime(&tree.at(&name));
        assert_eq!(tree.folder(&name), Outcome::Had);
        assert_eq!(tree.folder(&name), Outcome::Had);
        for _ in 0..2 {
            assert_eq!(tree.sink.finish_folder(&path(&name), 0o777, THEN), Outcome::Had);
            assert_eq!(
                (mode(&tree.at(&name)), mtime(&tree.at(&name))),
                (given, before),
                "{given:o}"
            );
        }
    }
}

#[test]
fn a_folder_that_was_opened_for_a_tree_that_broke_gets_its_permissions_again_at_the_end_of_the_next() {
    let mut tree = Tree::new(TreePolicy {
        allow_replace: false,
        ..POLICY
    });
    fs::create_dir(tree.at("d")).expect("free");
    let at = tree.at("d");
    let opened = || Folder::of_descriptor(File::open(&at).expect("there").into(), at.clone());
    // As a session leaves it that was killed.
    Mark::Opened(0o500).put_on(&opened().expect("a folder"));
    fs::set_permissions(tree.at("d"), fs::Permissions::from_mode(0o755)).expect("own");
    assert_eq!(tree.folder("d"), Outcome::Had);
    assert_eq!(tree.receive("d/a", "data"), stored());
    assert_eq!(tree.sink.finish_folder(&path("d"), 0o777, THEN), Outcome::Had);
    assert_eq!(mode(&tree.at("d")), 0o555);
    assert_eq!(Mark::of(&opened().expect("a folder")), None);
    // One whose session ends without it is as it was, too.
    Mark::Opened(0o500).put_on(&opened().expect("a folder"));
    fs::set_permissions(tree.at("d"), fs::Permissions::from_mode(0o755)).expect("own");
    let mut broken = TreeSink::open(tree.root.path(), tree.sink.policy).expect("there");
    assert_eq!(broken.make_folder(&item("d", ItemKind::Folder)), Outcome::Had);
    drop(broken);
    assert_eq!(
        (mode(&tree.at("d")), Mark::of(&opened().expect("a folder"))),
        (0o555, None)
    );
}
