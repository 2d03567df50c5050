//! Small files: what is decided about them, and how they are stored.

use super::*;

#[test]
fn a_small_file_has_its_bytes_its_mode_and_its_time_to_the_nanosecond() {
    let mut tree = Tree::new(TreePolicy { sync: true, ..POLICY });
    let files = [
        SmallFile {
            item: TreeItem {
                mode: 0o107_777,
                ..file_of("a", 4)
            },
            data: b"data".to_vec(),
            replaces: None,
        },
        small("empty", ""),
    ];
    let durable = Outcome::Stored { durable: Some(true) };
    assert_eq!(tree.sink.store_batch(&files), [durable.clone(), durable]);
    assert_eq!((tree.read("a"), tree.read("empty")), ("data".into(), String::new()));
    assert_eq!(mode(&tree.at("a")), 0o755, "no set-id, no sticky, and the umask");
    assert_eq!(mtime(&tree.at("a")), (1_234_567_890, 987_654_321));
    assert_eq!(tree.names(""), ["a", "empty"]);
}

#[test]
fn a_batch_may_have_each_file_in_a_folder_of_its_own_and_leaves_few_of_them_open() {
    let mut tree = Tree::new(TreePolicy { sync: true, ..POLICY });
    let number = |number: usize| number.to_string();
    for folder in (0..1000).map(number) {
        fs::create_dir(tree.at(&folder)).expect("free");
    }
    let files: Vec<SmallFile> = (0..1000).map(|at| small(&format!("{at}/a"), &number(at))).collect();
    let outcomes = tree.sink.store_batch(&files);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Stored { .. })));
    assert_eq!(tree.read("999/a"), "999");
    let open = fs::read_dir("/proc/self/fd").expect("there").flatten();
    let leads_to = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    let below = leads_to.filter(|path| path.starts_with(tree.root.path())).count();
    assert!((1..40).contains(&below), "{below}");
}

#[test]
fn without_a_sync_nothing_is_told_as_durable_and_a_stricter_umask_is_kept_to() {
    let mut tree = Tree::new(TreePolicy { umask: 0o077, ..POLICY });
    assert_eq!(tree.store("a", "data"), stored());
    assert_eq!(mode(&tree.at("a")), 0o600);
}

#[test]
fn where_files_cannot_be_without_a_name_a_private_one_is_used_and_nothing_else_is_left() {
    let mut tree = Tree::new(TreePolicy { sync: true, ..POLICY });
    tree.sink.places.volumes[0].traits.has_nameless = false;
    let files = [small("a", "first"), small("a", "other"), small("b", "second")];
    let durable = Outcome::Stored { durable: Some(true) };
    let refused = Outcome::Refused(Refusal::Different(MissingRight::Wish));
    let outcomes = tree.sink.store_batch(&files);
    // The two of one name are as long and as old as each other.
    assert_eq!(outcomes, [durable.clone(), Outcome::Had, durable]);
    assert_eq!(tree.store("b", "longer than that"), refused);
    assert_eq!((tree.read("a"), mode(&tree.at("a"))), ("first".into(), 0o644));
    assert_eq!(mtime(&tree.at("a")), (1_234_567_890, 987_654_321));
    assert_eq!(tree.names(""), ["a", "b"]);
}

#[test]
fn a_second_run_has_what_is_there_and_sets_its_mode() {
    let mut tree = Tree::new(POLICY);
    assert_eq!(tree.receive("a", "data"), stored());
    fs::set_permissions(tree.at("a"), fs::Permissions::from_mode(0o600)).expect("own");
    let mut tree = tree.again(POLICY);
    let inode = fs::metadata(tree.at("a")).expect("there").ino();
    assert_eq!(tree.receive("a", "data"), Outcome::Had);
    assert_eq!(mode(&tree.at("a")), 0o644);
    assert_eq!(fs::metadata(tree.at("a")).expect("there").ino(), inode);
}

#[test]
fn what_is_there_and_different_is_replaced_only_if_both_ends_say_so() {
    let newer = THEN.seconds + 1;
    for (replace, allow_replace, there_s, expected) in [
        (
            Replace::Never,
            true,
            0,
            Outcome::Refused(Refusal::Different(MissingRight::Wish)),
        ),
        (
            Replace::Always,
            false,
            0,
            Outcome::Refused(Refusal::Different(MissingRight::Leave)),
        ),
        (
            Replace::Older,
            false,
            0,
            Outcome::Refused(Refusal::Different(MissingRight::Leave)),
        ),
        (Replace::Older, true, newer, Outcome::Had),
        (Replace::Older, true, 0, stored()),
        (Replace::Older, true, THEN.seconds, stored()),
        (Replace::Always, true, newer, stored()),
    ] {
        let mut tree = Tree::new(TreePolicy {
            replace,
            allow_replace,
            ..POLICY
        });
        let mut old = small("a", "old data");
        old.item.mtime.seconds = there_s;
        assert_eq!(tree.sink.store_batch(&[old]), [stored()]);
        assert_eq!(tree.receive("a", "new"), expected, "{replace:?} {there_s}");
        let is_new = expected == stored();
        assert_eq!(tree.read("a"), if is_new { "new" } else { "old data" });
        assert_eq!(tree.names(""), ["a"], "no other name is left");
        assert_eq!(mtime(&tree.at("a")).0, if is_new { THEN.seconds } else { there_s });
    }
}

#[test]
fn a_file_that_is_changed_between_the_decision_and_its_replacement_is_decided_anew() {
    let policy = TreePolicy {
        replace: Replace::Older,
        sync: true,
        ..POLICY
    };
    let old = |tree: &Tree| {
        fs::write(tree.at("a"), "old data").expect("written");
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5);
        let file = File::options().write(true).open(tree.at("a")).expect("own");
        file.set_modified(long_ago).expect("own");
    };
    let decide = |tree: &mut Tree| {
        let mut new = small("a", "new");
        match tree.sink.decide(&new.item) {
            Decision::Replace(seen) => new.replaces = Some(seen),
            other => panic!("{other:?}"),
        }
        new
    };
    // Somebody writes to it: now it is newer.
    let mut tree = Tree::new(policy);
    old(&tree);
    let new = decide(&mut tree);
    fs::write(tree.at("a"), "precious").expect("written");
    assert_eq!(tree.sink.store_batch(&[new]), [Outcome::Had]);
    assert_eq!((tree.read("a"), tree.names("")), ("precious".into(), vec!["a".into()]));
    // Somebody removes it, or puts a link or a folder there.
    let mut tree = Tree::new(policy);
    old(&tree);
    let new = decide(&mut tree);
    fs::remove_file(tree.at("a")).expect("there");
    assert_eq!(tree.sink.store_batch(&[new]), [Outcome::Stored { durable: Some(true) }]);
    assert_eq!(tree.read("a"), "new");
    let mut tree = Tree::new(policy);
    old(&tree);
    let new = decide(&mut tree);
    fs::remove_file(tree.at("a")).expect("there");
    symlink("/etc/passwd", tree.at("a")).expect("free");
    assert_eq!(tree.sink.store_batch(&[new]), [Outcome::Refused(Refusal::LinkThere)]);
    assert_eq!(tree.names(""), ["a"]);
    // A store within the same bytes and time still shows in the change time.
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Always,
        ..policy
    });
    old(&tree);
    let new = decide(&mut tree);
    let file = File::options().write(true).open(tree.at("a")).expect("own");
    let modified = file.metadata().and_then(|metadata| metadata.modified()).expect("told");
    file.write_all_at(b"OLD", 0).expect("written");
    file.set_modified(modified).expect("own");
    let seen = new.replaces;
    assert_ne!(seen, decide(&mut tree).replaces);
}

#[test]
fn a_name_that_was_taken_meanwhile_is_decided_by_the_same_rule() {
    let mut tree = Tree::new(POLICY);
    for name in ["equal", "different", "folder", "fifo"] {
        assert_eq!(tree.sink.decide(&file_of(name, 4)), Decision::Make);
    }
    assert_eq!(tree.store("equal", "data"), stored());
    fs::write(tree.at("different"), "precious").expect("written");
    fs::create_dir(tree.at("folder")).expect("free");
    let fifo = tree.at("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .expect("free");
    let files = ["equal", "different", "folder", "fifo", "free"].map(|name| small(name, "data"));
    assert_eq!(
        tree.sink.store_batch(&files),
        [
            Outcome::Had,
            Outcome::Refused(Refusal::Different(MissingRight::Wish)),
            Outcome::Refused(Refusal::FolderThere),
            Outcome::Refused(Refusal::SpecialThere),
            stored(),
        ]
    );
    assert_eq!(tree.read("different"), "precious");
    assert_eq!(tree.names(""), ["different", "equal", "fifo", "folder", "free"]);
}

#[test]
fn with_checksums_files_of_one_length_are_compared_by_their_bytes() {
    let policy = TreePolicy {
        checksum: true,
        replace: Replace::Always,
        ..POLICY
    };
    let mut tree = Tree::new(policy);
    let old = "x".repeat(700_000);
    fs::write(tree.at("a"), &old).expect("written");
    let item = file_of("a", 700_000);
    let Decision::Compare(seen) = tree.sink.decide(&item) else {
        panic!("it is as long");
    };
    let blocks = tree.sink.block_checksums(&item, seen, ChecksumKind::Crc64Nvme, 1 << 18);
    let blocks: Vec<_> = blocks
        .expect("there")
        .map(|block| block.expect("read").value())
        .collect();
    let expected = old.as_bytes().chunks(1 << 18).map(|block| {
        let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
        digest.update(block);
        digest.value().expect("a checksum")
    });
    assert_eq!(blocks, expected.collect::<Vec<_>>());
    // Equal: it gets the time that was offered, and is had by any later run.
    assert_eq!(tree.sink.decide_compared(&item, seen, true), Decision::Had);
    assert_eq!(mtime(&tree.at("a")), (1_234_567_890, 987_654_321));
    assert!(matches!(tree.sink.decide(&file_of("a", 3)), Decision::Replace(_)));
    // A small file whose name was taken is compared with the bytes that are here.
    let same = small("a", &old);
    let mut other = small("a", &old);
    other.data[0] = b'y';
    assert_eq!(tree.sink.store_batch(&[same, other]), [Outcome::Had, stored()]);
    assert!(tree.read("a").starts_with("yx"));
    // What changes while it is read is no checksum of anything.
    let Decision::Compare(seen) = tree.sink.decide(&item) else {
        panic!("it is as long");
    };
    let mut blocks = tree
        .sink
        .block_checksums(&item, seen, ChecksumKind::Crc32, 1 << 19)
        .expect("there");
    blocks.next().expect("a block").expect("read");
    fs::write(tree.at("a"), "y".repeat(700_000)).expect("written");
    assert!(blocks.any(|block| block.is_err()));
}

#[test]
fn names_that_files_have_until_they_are_whole_are_nobodys_to_give() {
    let mut tree = Tree::new(POLICY);
    let item = file_of("a.Arraylift-0123abcd.part", 4);
    assert_eq!(tree.sink.decide(&item), Decision::Refused(Refusal::NameOfPart));
    assert_eq!(tree.receive("a.part", "data"), stored());
}

#[test]
fn a_file_with_fewer_bytes_than_were_offered_is_not_stored() {
    let mut tree = Tree::new(POLICY);
    let mut file = small("a", "data");
    file.data.pop();
    assert_eq!(tree.sink.store_batch(&[file]), [Outcome::Refused(Refusal::OtherLength)]);
    assert_eq!(tree.names(""), Vec::<String>::new());
}

#[test]
fn a_folder_that_was_moved_away_and_made_anew_gets_what_comes_next() {
    let mut tree = Tree::new(POLICY);
    fs::create_dir(tree.at("d")).expect("free");
    assert_eq!(tree.receive("d/a", "data"), stored());
    fs::remove_dir_all(tree.at("d")).expect("there");
    fs::create_dir(tree.at("d")).expect("free");
    assert_eq!(tree.receive("d/b", "data"), stored());
    assert_eq!(tree.names("d"), ["b"]);
}
