//! File systems below the root that are others than its own, and rules that only some have.

use super::*;

#[test]
fn memory_is_durable_nowhere() {
    let Ok(root) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let mut sink = TreeSink::open(root.path(), TreePolicy { sync: true, ..POLICY }).expect("there");
    assert_eq!(sink.store_batch(&[small("a", "data")]), [stored()]);
    assert_eq!(sink.store_batch(&[small("a", "data")]), [Outcome::Had]);
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
}
