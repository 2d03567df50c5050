//! Large files: their parts, and how they get their names.

use crate::transfer::limits::keep_free::KeepFree;
use crate::transfer::sink::part_name::is_part_name;

use super::*;

fn is_part_of(part: &TreePart, wanted: &str) -> bool {
    let path = part.path();
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
    is_part_name(name) && name.starts_with(&format!("{wanted}."))
}

fn begin(tree: &mut Tree, path: &str, bytes: u64) -> TreePart {
    tree.sink
        .begin_file(file_of(path, bytes), BLOCKS, None)
        .expect("a place")
}

#[test]
fn a_large_file_is_private_and_locked_until_it_is_published_and_then_durable() {
    let mut tree = Tree::new(TreePolicy { sync: true, ..POLICY });
    assert_eq!(tree.folder("d"), stored());
    let part = begin(&mut tree, "d/big", 3 << 20);
    assert!(is_part_of(&part, "big") && part.path().starts_with(tree.at("d")));
    assert_eq!(mode(&part.path()), 0o600);
    let metadata = part.file().metadata().expect("open");
    assert_eq!(metadata.len(), 3 << 20);
    assert_eq!(metadata.blocks(), 0, "it takes space as its bytes come");
    assert!(crate::sys::is_locked(&File::open(part.path()).expect("own")).expect("locks"));
    part.file().write_all_at(b"end", (3 << 20) - 3).expect("room");
    assert_eq!(tree.sink.publish(part), Outcome::Stored { durable: Some(true) });
    assert_eq!(tree.names("d"), ["big"]);
    assert_eq!(mode(&tree.at("d/big")), 0o644);
    assert_eq!(mtime(&tree.at("d/big")), (1_234_567_890, 987_654_321));
    assert!(tree.read("d/big").ends_with("end"));
}

#[test]
fn the_part_of_a_sparse_file_takes_no_space_before_its_bytes_come() {
    let mut tree = Tree::new(POLICY);
    let part = tree
        .sink
        .begin_file(file_of("sparse", 1 << 40), SPARSE, None)
        .expect("a place");
    assert_eq!(part.file().metadata().expect("open").blocks(), 0);
    assert_eq!(tree.sink.publish(part), stored());
    assert_eq!(fs::metadata(tree.at("sparse")).expect("there").len(), 1 << 40);
}

#[test]
fn a_part_grows_only_as_far_as_that_stays_free_which_is_to() {
    let mut tree = Tree::new(TreePolicy {
        keep_free: Some(KeepFree::Percent(100)),
        ..POLICY
    });
    assert!(tree.sink.begin_file(file_of("big", 1 << 20), BLOCKS, None).is_err());
    // Whether it has holes is the sender's word.
    let sparse = file_of("sparse", 1 << 20);
    let part = tree.sink.begin_file(sparse, SPARSE, None).expect("a place");
    match tree.sink.may_grow(&part, 1).expect_err("nothing is free") {
        Outcome::Failed(reason) => assert!(reason.contains("--keep-free keeps"), "{reason}"),
        other => panic!("{other:?}"),
    }
    tree.sink.policy.keep_free = None;
    assert_eq!(tree.sink.may_grow(&part, 1), Ok(()));
    assert!(tree.sink.may_grow(&part, 1 << 60).is_err());
}

#[test]
fn a_part_whose_name_is_taken_has_another_number_and_one_that_is_dropped_is_removed() {
    let mut tree = Tree::new(POLICY);
    let gone = begin(&mut tree, "big", 5);
    let taken = gone.path();
    drop(gone);
    fs::write(&taken, "precious").expect("written");
    let (first, second) = (begin(&mut tree, "big", 5), begin(&mut tree, "big", 5));
    assert!(is_part_of(&first, "big") && is_part_of(&second, "big") && first.path() != second.path());
    assert_eq!(tree.names("").len(), 3);
    drop(first);
    let kept = second.path();
    second.keep();
    assert_eq!(tree.names("").len(), 2);
    assert!(kept.exists() && fs::read(&taken).expect("there") == b"precious");
    let long = "n".repeat(255);
    let part = begin(&mut tree, &long, 5);
    assert_eq!(tree.sink.publish(part), stored());
    assert!(tree.at(&long).exists());
}

#[test]
fn a_name_that_is_taken_at_the_end_is_never_replaced_unasked() {
    let mut tree = Tree::new(TreePolicy { sync: true, ..POLICY });
    let part = begin(&mut tree, "big", 8);
    fs::write(tree.at("big"), "precious").expect("written");
    assert_eq!(
        tree.sink.publish(part),
        Outcome::Refused(Refusal::Different(MissingRight::Wish))
    );
    assert_eq!(
        (tree.read("big"), tree.names("")),
        ("precious".into(), vec!["big".into()])
    );
    // An equal one is had.
    let part = begin(&mut tree, "other", 8);
    assert_eq!(tree.store("other", "original"), Outcome::Stored { durable: Some(true) });
    assert_eq!(tree.sink.publish(part), Outcome::Had);
    assert_eq!(
        (tree.read("other"), tree.names("")),
        ("original".into(), vec!["big".into(), "other".into()])
    );
}

#[test]
fn a_large_file_replaces_what_was_there_when_it_was_decided() {
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Always,
        sync: true,
        ..POLICY
    });
    fs::write(tree.at("big"), "old").expect("written");
    let item = file_of("big", 8);
    let Decision::Replace(seen) = tree.sink.decide(&item) else {
        panic!("it differs");
    };
    let part = tree.sink.begin_file(item, BLOCKS, Some(seen)).expect("a place");
    part.file().write_all_at(b"new data", 0).expect("room");
    assert_eq!(tree.read("big"), "old");
    assert_eq!(tree.sink.publish(part), Outcome::Stored { durable: Some(true) });
    assert_eq!(
        (tree.read("big"), tree.names("")),
        ("new data".into(), vec!["big".into()])
    );
}

#[test]
fn a_part_that_somebody_cut_or_replaced_is_not_published() {
    let mut tree = Tree::new(POLICY);
    let part = begin(&mut tree, "big", 8);
    part.file().set_len(4).expect("own");
    assert_eq!(tree.sink.publish(part), Outcome::Refused(Refusal::OtherLength));
    let part = begin(&mut tree, "big", 8);
    let path = part.path();
    fs::remove_file(&path).expect("there");
    fs::write(&path, "precious").expect("written");
    assert_eq!(tree.sink.publish(part), Outcome::Refused(Refusal::OtherLength));
    assert_eq!(
        (fs::read(&path).expect("there"), tree.names("").len()),
        (b"precious".to_vec(), 1)
    );
}

#[test]
fn a_disk_without_room_is_told_before_the_first_byte() {
    let mut tree = Tree::new(POLICY);
    let begun = tree.sink.begin_file(file_of("big", 1 << 60), BLOCKS, None);
    match begun.expect_err("no disk has that") {
        Outcome::Failed(reason) => assert!(reason.contains("no space"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(tree.names(""), Vec::<String>::new());
}
