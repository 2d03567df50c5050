//! File systems below the root that are others than its own, and rules that only some have.

use crate::transfer::sink::file_system::FileSystem;

use super::*;

#[test]
fn memory_is_durable_nowhere() {
    let Ok(root) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let mut sink = TreeSink::open(root.path(), TreePolicy { sync: true, ..POLICY }).expect("there");
    let in_memory = Outcome::Stored { durable: None };
    assert_eq!(
        sink.store_batch(&[small("a", "data")]),
        std::slice::from_ref(&in_memory)
    );
    assert_eq!(sink.store_batch(&[small("a", "data")]), [Outcome::Had]);
    let part = sink.begin_file(file_of("big", 4), BLOCKS, None).expect("a place");
    assert_eq!(sink.publish(part), in_memory);
    assert_eq!(sink.make_link(&link("l", "a")), in_memory);
    assert_eq!(sink.make_folder(&item("d", ItemKind::Folder)), in_memory);
    assert_eq!(sink.finish_folder(&path("d"), 0o755, THEN), in_memory);
    assert_eq!(mtime(&root.path().join("a")), (1_234_567_890, 987_654_321));
}

#[test]
fn where_the_case_of_letters_does_not_count_another_spelling_is_refused_and_never_had() {
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Always,
        ..POLICY
    });
    tree.sink.places.volumes[0].traits.folds_case = true;
    assert!(tree.sink.folds_case());
    assert_eq!(tree.receive("Name", "data"), stored());
    assert_eq!(tree.receive("Name", "data"), Outcome::Had);
    // As if it were found by another spelling: the file system says so, and this one does not.
    fs::hard_link(tree.at("Name"), tree.at("NAME")).expect("free");
    let refused = Decision::Refused(Refusal::DiffersByCase);
    assert_eq!(tree.sink.decide(&file_of("NAME", 4)), refused);
    assert_eq!(tree.store("NAME", "data"), Outcome::Refused(Refusal::DiffersByCase));
    assert_eq!(tree.read("Name"), "data");
    // What lies in a folder that was refused for its spelling does not land in the one that is found.
    assert_eq!(tree.folder("Folder"), stored());
    fs::create_dir(tree.at("folder")).expect("free");
    assert_eq!(tree.folder("folder"), Outcome::Refused(Refusal::DiffersByCase));
    assert_eq!(
        tree.receive("folder/a", "data"),
        Outcome::Refused(Refusal::FolderNotTaken)
    );
    assert_eq!(tree.receive("Folder/a", "data"), stored());
    assert_eq!(tree.sink.finish_folder(&path("Folder"), 0o755, THEN), stored());
    assert_eq!(tree.names("folder"), Vec::<String>::new());
}

#[test]
fn where_a_program_may_stand_behind_a_file_system_each_file_and_folder_is_synced() {
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Always,
        sync: true,
        ..POLICY
    });
    tree.sink.places.volumes[0].kind = FileSystem::Unknown;
    assert_eq!(tree.folder("d"), stored());
    let files = [small("d/a", "data"), small("b", "data")];
    let durable = Outcome::Stored { durable: Some(true) };
    assert_eq!(tree.sink.store_batch(&files), [durable.clone(), durable.clone()]);
    assert_eq!(tree.receive("b", "new"), durable);
    let files: Vec<SmallFile> = (0..=300).map(|number| small(&format!("e{number}/a"), "data")).collect();
    for number in 0..=300 {
        fs::create_dir(tree.at(&format!("e{number}"))).expect("free");
    }
    let outcomes = tree.sink.store_batch(&files);
    assert!(outcomes.iter().all(|outcome| *outcome == durable), "{outcomes:?}");
    // As many folders as are held open, and more.
    for number in 0..=300 {
        assert_eq!(tree.folder(&format!("d/{number}")), stored());
        let finished = tree.sink.finish_folder(&path(&format!("d/{number}")), 0o755, THEN);
        assert_eq!(finished, stored());
    }
    assert_eq!(tree.sink.sync(), Ok(()));
}

#[test]
fn what_a_failed_sync_leaves_in_doubt_has_no_name_that_a_later_run_would_trust() {
    let mut tree = Tree::new(TreePolicy {
        replace: Replace::Always,
        sync: true,
        ..POLICY
    });
    fs::write(tree.at("old"), "precious").expect("written");
    let Decision::Replace(seen) = tree.sink.decide(&file_of("old", 3)) else {
        panic!("it differs");
    };
    // No sync goes through a descriptor that is only a place.
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let place = rustix::fs::open(tree.root.path(), flags, rustix::fs::Mode::empty()).expect("there");
    tree.sink.places.volumes[0].to_sync = Some(File::from(place));
    let replacing = SmallFile {
        replaces: Some(seen),
        ..small("old", "new")
    };
    let outcomes = tree.sink.store_batch(&[small("a", "data"), replacing]);
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Outcome::Failed(_))),
        "{outcomes:?}"
    );
    // Nothing gets its name before it is on disk.
    assert_eq!(
        (tree.names(""), tree.read("old")),
        (vec!["old".into()], "precious".into())
    );
}

/// Says to the test below that it runs where it may mount.
const MOUNTED: &str = "ARRAYLIFT_TREE_IS_MOUNTED";

#[test]
#[ignore = "needs a mount namespace: unshare -rm"]
fn a_file_system_that_is_mounted_below_is_entered_and_known_for_what_it_is() {
    let name = "a_file_system_that_is_mounted_below_is_entered_and_known_for_what_it_is";
    let Some(root) = std::env::var_os(MOUNTED) else {
        let root = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("folder");
        fs::create_dir(root.path().join("mnt")).expect("free");
        let own = std::env::current_exe().expect("a test");
        let script = "mount -t tmpfs none \"$0\"/mnt && exec \"$1\" \"$2\" --include-ignored";
        let mut unshare = std::process::Command::new("unshare");
        unshare
            .args(["-rm", "sh", "-c", script])
            .arg(root.path())
            .arg(own)
            .arg(name);
        let status = unshare.env(MOUNTED, root.path()).status().expect("unshare");
        assert!(status.success());
        return;
    };
    let mut sink = TreeSink::open(Path::new(&root), TreePolicy { sync: true, ..POLICY }).expect("there");
    let in_memory = Outcome::Stored { durable: None };
    assert_eq!(sink.make_folder(&item("mnt/d", ItemKind::Folder)), in_memory);
    let outcomes = sink.store_batch(&[small("mnt/d/a", "data"), small("b", "data")]);
    assert_eq!(outcomes, [in_memory.clone(), Outcome::Stored { durable: Some(true) }]);
    let part = sink.begin_file(file_of("mnt/big", 4), BLOCKS, None).expect("a place");
    assert_eq!(sink.publish(part), in_memory);
    assert_eq!(sink.places.volumes.len(), 2);
    assert_eq!(mtime(&Path::new(&root).join("mnt/d/a")), (1_234_567_890, 987_654_321));
}
