//! Trees of very many files: what a walk keeps in memory.

use super::*;

/// What the walk through `folders` folders of `each` files needs of memory at most, in bytes, and how many files came.
fn walk_of(folders: usize, each: usize) -> (u64, usize) {
    let top = tempfile::tempdir().unwrap();
    for number in 0..folders {
        let folder = top.path().join(format!("t/{number:04}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..each {
            fs::File::create(folder.join(format!("{file:06}.npy"))).unwrap();
        }
    }
    let named = roots(&[&top.path().join("t")]);
    let mut count = 0;
    let used = allocation_counter::measure(|| {
        count = Walk::new(named, Selection::everything())
            .filter(|step| matches!(step, Step::File(_)))
            .count();
    });
    (used.bytes_max, count)
}

#[test]
fn the_memory_of_a_walk_does_not_grow_with_the_tree() {
    let (small, few) = walk_of(10, 20);
    let (large, many) = walk_of(300, 20);
    assert_eq!((few, many), (200, 6_000));
    // The names of the top folder are more: 20 bytes each.
    assert!(large < small + 290 * 40, "{small} {large}");
}

#[test]
#[ignore = "makes 200,000 files"]
fn a_hundred_thousand_files_stream_in_memory_of_their_largest_folder() {
    let (spread, count) = walk_of(1_000, 100);
    assert_eq!(count, 100_000);
    assert!(spread < 512 << 10, "{spread}");
    let (together, count) = walk_of(1, 100_000);
    assert_eq!(count, 100_000);
    // 16 bytes and a name of 10 each; twice that while the lists grow.
    assert!(together < 6_500_000, "{together}");
    println!("at most {spread} bytes in 1,000 folders, {together} in one");
}
