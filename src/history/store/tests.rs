use super::*;
use crate::history::entry::Ending;
use std::time::Instant;

fn entry(number: u64) -> Entry {
    Entry {
        began_unix_ms: 1_000 * signed(number),
        command: "send".into(),
        source: Some(format!("run_{number:06}.npy")),
        peer: Some("10.0.0.7:25000".into()),
        sentence: Some("The receiver was the limit 71 % of the time: 97,659 page faults in 0.9 CPU seconds.".into()),
        ..Entry::default()
    }
}

fn changes(numbers: impl IntoIterator<Item = u64>) -> Vec<Change> {
    let change = |number| Change::New(Box::new(entry(number)), Some(Curves::default().encode()));
    numbers.into_iter().map(change).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("arraylift/history.db");
    (folder, path)
}

#[test]
fn what_was_written_is_listed_the_latest_first_and_found_by_its_words() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    assert_eq!(
        store.write(&changes(1..=20)).expect("written"),
        (1..=20).collect::<Vec<_>>()
    );
    drop(store);
    let store = Store::open_existing(&path).expect("open").expect("there");
    let query = |last, since_unix_ms, search: Option<&str>| {
        let query = Query {
            last,
            since_unix_ms,
            search: search.map(str::to_owned),
        };
        let listed = store.list(&query).expect("listed");
        listed.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(query(Some(3), None, None), [20, 19, 18]);
    assert_eq!(query(None, Some(19_000), None), [20, 19]);
    assert_eq!(query(None, None, Some("RUN_000007")), [7]);
    assert_eq!(query(None, None, Some("run%7")), [0; 0]);
    assert_eq!(query(Some(1), None, Some("10.0.0.7")), [20]);
    let (read, _) = store.entry(7).expect("read").expect("there");
    assert_eq!(read, Entry { id: 7, ..entry(7) });
    assert!(store.entry(21).expect("read").is_none());
}

#[test]
fn a_burst_takes_the_place_of_what_it_was() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    let [id] = store.write(&changes([1])).expect("written")[..] else {
        panic!("one")
    };
    let burst = |id, sum: u64| {
        let of = |transfers, source: &str| {
            Box::new(Entry {
                transfers,
                outcome: Ending::Failed,
                source: Some(source.into()),
                ..entry(1)
            })
        };
        Change::Grown {
            id,
            entry: of(sum, "first"),
            news: of(1, "second"),
        }
    };
    assert_eq!(store.write(&[burst(id, 2000)]).expect("written"), [id]);
    let kept = |store: &Store| {
        let listed = store.list(&Query::default()).expect("listed");
        listed
            .into_iter()
            .map(|entry| (entry.id, entry.transfers, entry.source))
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(&store), [(id, 2000, Some("first".into()))]);
    store.forget(&Chosen::All).expect("forgotten");
    let [new] = store.write(&[burst(id, 2001)]).expect("written")[..] else {
        panic!("one")
    };
    assert_eq!(
        kept(&store),
        [(new, 1, Some("second".into()))],
        "what was forgotten stays so"
    );
    assert_ne!(new, id);
}

#[test]
fn what_is_forgotten_is_in_none_of_the_files() {
    let (folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    store.write(&changes(1..=50)).expect("written");
    let mut forget = |chosen| {
        let forgotten = store.forget(&chosen).expect("forgotten");
        assert!(forgotten.is_wiped);
        forgotten.entries
    };
    assert_eq!(forget(Chosen::Ids(vec![7, 99])), 1);
    assert_eq!(forget(Chosen::Before(5_000)), 4);
    let has = |text: &str| {
        let files = std::fs::read_dir(folder.path().join("arraylift")).expect("a folder");
        let mut bytes = files.map(|file| std::fs::read(file.expect("a file").path()).expect("a file"));
        bytes.any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    assert!(has("run_000008"));
    assert!(!has("run_000007") && !has("run_000003"));
    assert_eq!(forget(Chosen::All), 45);
    assert!(!has("run_0000"));
    assert_eq!(
        store.write(&changes([1])).expect("written"),
        [51],
        "no number is used again"
    );
}

#[test]
fn who_reads_keeps_what_is_forgotten_in_the_log_and_that_is_told() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    store.write(&changes(1..=5)).expect("written");
    let reader = Connection::open(&path).expect("open");
    reader.execute_batch("BEGIN; SELECT * FROM entries").expect("read");
    let forgotten = store.forget(&Chosen::All).expect("forgotten");
    assert_eq!((forgotten.entries, forgotten.is_wiped), (5, false));
    drop(reader);
    let forgotten = store.forget(&Chosen::All).expect("forgotten");
    assert_eq!((forgotten.entries, forgotten.is_wiped), (0, true));
}

#[test]
fn an_entry_that_is_damaged_is_listed_as_such_and_hides_no_other() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    store.write(&changes(1..=4)).expect("written");
    let damage = "UPDATE details SET entry = x'ff00' WHERE id = 2; UPDATE details SET entry = '{' WHERE id = 3;
                  UPDATE entries SET began_unix_ms = 'x', command = x'ff' WHERE id = 3;
                  UPDATE curves SET points = 'text' WHERE id = 2";
    store.connection.execute_batch(damage).expect("damaged");
    let listed = store.list(&Query::default()).expect("listed");
    let told: Vec<_> = listed.iter().map(|entry| (entry.id, entry.outcome)).collect();
    assert_eq!(
        told,
        [
            (4, Ending::Done),
            (3, Ending::Damaged),
            (2, Ending::Damaged),
            (1, Ending::Done)
        ]
    );
    assert_eq!((listed[2].began_unix_ms, listed[2].command.as_str()), (2_000, "send"));
    let (entry, curves) = store.entry(2).expect("read").expect("there");
    assert!(entry.outcome == Ending::Damaged && curves.is_empty());
}

#[test]
fn what_the_system_lacks_for_a_moment_is_worth_another_try() {
    use rustix::io::Errno;
    for (error, may_pass) in [
        (Errno::MFILE, true),
        (Errno::NOSPC, true),
        (Errno::DQUOT, true),
        (Errno::NOTDIR, false),
        (Errno::ACCESS, false),
    ] {
        let error = system(Path::new("history.db"), &error.into());
        assert_eq!(error.may_pass(), may_pass, "{error}");
    }
    let foreign = explained(Path::new("history.db"), &rusqlite::Error::InvalidQuery);
    assert!(!foreign.may_pass());
}

#[test]
fn numbers_that_no_entry_has_end_no_list() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    store.write(&changes(1..=3)).expect("written");
    let odd = "UPDATE entries SET id = -5 WHERE id = 2; UPDATE details SET id = -5 WHERE id = 2;
               INSERT INTO curves VALUES (4, x'00')";
    store.connection.execute_batch(odd).expect("changed");
    let ids = |store: &Store| {
        let listed = store.list(&Query::default()).expect("listed");
        listed.iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&store), [3, 1]);
    store
        .write(&changes([4]))
        .expect("what was left of another one is in nobody's way");
    assert_eq!(ids(&store), [4, 3, 1]);
}

#[test]
fn more_is_listed_than_is_read_at_once() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    store.write(&changes(1..=1000)).expect("written");
    let query = |last| Query {
        last,
        search: Some("run_".into()),
        ..Query::default()
    };
    for (last, count) in [
        (None, 1000),
        (Some(0), 0),
        (Some(256), 256),
        (Some(700), 700),
        (Some(5000), 1000),
    ] {
        let listed = store.list(&query(last)).expect("listed");
        let ids: Vec<u64> = listed.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, (1001 - count..=1000).rev().collect::<Vec<_>>());
    }
    let mut most = 0;
    store
        .list_in_parts(&query(None), &mut |part| most = most.max(part.len()))
        .expect("listed");
    assert!(most <= 256, "{most}");
    let long = Query {
        search: Some("x".repeat(100_000)),
        ..Query::default()
    };
    let error = store.list(&long).expect_err("too long");
    assert_eq!(error.to_string(), "a text to search for has at most 4096 characters");
    let longest = Query {
        search: Some("%".repeat(SEARCH_CHARS_MAX)),
        ..Query::default()
    };
    assert_eq!(store.list(&longest).expect("listed").len(), 0);
}

#[test]
fn a_newer_history_and_anything_else_is_left_as_it_is() {
    let (_folder, path) = folder();
    drop(Store::open(&path).expect("open"));
    let connection = Connection::open(&path).expect("open");
    connection.pragma_update(None, "user_version", 2).expect("set");
    connection
        .pragma_update(None, "wal_checkpoint", "TRUNCATE")
        .expect("written");
    drop(connection);
    let before = std::fs::read(&path).expect("a file");
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { version: 2, .. })));
    assert_eq!(std::fs::read(&path).expect("a file"), before);
    let other = path.with_file_name("other.db");
    Connection::open(&other)
        .expect("open")
        .execute_batch("CREATE TABLE a (b)")
        .expect("made");
    std::fs::write(path.with_file_name("text.db"), "no database".repeat(1000)).expect("written");
    for name in ["other.db", "text.db"] {
        let opened = Store::open(&path.with_file_name(name));
        assert!(matches!(opened, Err(StoreError::Damaged { .. })), "{opened:?}");
    }
}

#[test]
fn the_oldest_go_and_those_of_services_first() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    store.write(&changes(1..=1000)).expect("written");
    let served: Vec<Change> = changes(1..=SERVICE_ENTRIES_MAX + 2 * TRIM_INTERVAL)
        .into_iter()
        .map(|mut change| {
            if let Change::New(entry, _) = &mut change {
                entry.command = "serve".into();
            }
            change
        })
        .collect();
    for part in served.chunks(10_000) {
        store.write(part).expect("written");
    }
    let kept = store.list(&Query::default()).expect("listed");
    let services = kept.iter().filter(|entry| entry.command == "serve").count() as u64;
    assert_eq!(kept.len() as u64 - services, 1000);
    assert!(services <= SERVICE_ENTRIES_MAX + TRIM_INTERVAL, "{services}");
    assert!(store.entry(1).expect("read").is_some());
}

#[test]
fn a_hundred_thousand_entries_open_and_list_the_latest_in_no_time() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).expect("open");
    for first in (0..ENTRIES_MAX).step_by(5_000) {
        store.write(&changes(first..first + 5_000)).expect("written");
    }
    drop(store);
    let begin = Instant::now();
    let store = Store::open_existing(&path).expect("open").expect("there");
    let query = Query {
        last: Some(200),
        ..Query::default()
    };
    let listed = store.list(&query).expect("listed");
    let took = begin.elapsed();
    assert_eq!((listed.len(), listed[0].id), (200, ENTRIES_MAX));
    println!("100,000 entries: opened and listed the last 200 in {took:?}");
    let begin = Instant::now();
    let query = Query {
        search: Some("run_099".into()),
        ..query
    };
    assert_eq!(store.list(&query).expect("listed").len(), 200);
    let nothing = Query {
        search: Some("nothing".into()),
        ..query
    };
    assert_eq!(store.list(&nothing).expect("listed").len(), 0);
    println!(
        "searched twice in {:?}; the file has {} bytes",
        begin.elapsed(),
        path.metadata().expect("a file").len()
    );
    assert!(took.as_millis() < 100, "{took:?}");
}

#[test]
fn whoever_comes_first_makes_it_and_all_get_in() {
    for _ in 0..20 {
        let (_folder, path) = folder();
        let one = |number| {
            let path = path.clone();
            let open = move || Store::open(&path).and_then(|mut store| store.write(&changes([number])));
            std::thread::Builder::new()
                .name("opens".into())
                .spawn(open)
                .expect("a thread")
        };
        let all: Vec<_> = (0..8).map(one).collect();
        let mut ids: Vec<u64> = all
            .into_iter()
            .flat_map(|one| one.join().expect("it ends").expect("written"))
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=8).collect::<Vec<_>>());
    }
}
