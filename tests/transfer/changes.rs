//! Others write to what is sent or received: it is noticed on every route, and nothing wrong is called done.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use arraylift::{
    Error, Event, EventKind, Fault, Job, Options, Origin, Outcome, ReceiveRouteChoice, SendRouteChoice, ShmName, Side,
    SinkSpec, SourceSpec, WireChoice,
};
use crossbeam_channel::Receiver;

use crate::support::*;

const LEN: usize = 8 << 20;

type Change = fn(&File);

const CHANGES: [(&str, Change); 3] = [
    ("shrinks", |file| file.set_len(1 << 10).expect("shrink")),
    ("grows", |file| file.write_all_at(b"more", LEN as u64).expect("write")),
    ("is rewritten", |file| {
        // What has been sent, and what has not.
        file.write_all_at(b"other", 0).expect("write");
        file.write_all_at(b"other", LEN as u64 - 5).expect("write");
    }),
];

/// A transfer that takes its time until the limit is lifted.
fn limited(options: &Options) -> Options {
    Options {
        limit_bytes_per_s: Some(8 << 20),
        ..options.clone()
    }
}

fn writable(path: &Path) -> File {
    File::options().write(true).open(path).expect("there")
}

/// Sends `source` and lets `change` happen on the way. Returns the error, and what there is whole in the sink's folder.
fn changed_on_the_way(source: SourceSpec, options: &Options, change: impl FnOnce()) -> (Error, Vec<String>) {
    let sinks = tempfile::tempdir().expect("folder");
    let job = Job::Loopback {
        source,
        sink: SinkSpec::Folder(sinks.path().into()),
    };
    let error = error(touched_on_the_way(job, options, change));
    (error, whole_in(sinks.path()))
}

/// Lets `touch` happen to a source on its way: half a minute is left until its last byte would leave.
fn touched_on_the_way(job: Job, options: &Options, touch: impl FnOnce()) -> Outcome {
    let options = Options {
        limit_bytes_per_s: Some(LEN as u64 / 32),
        ..options.clone()
    };
    let (transfer, events) = start(job, &options);
    wait_for_bytes(&events, Side::Sender, 1);
    touch();
    transfer.set_limit(None);
    transfer.join()
}

#[test]
fn a_source_that_changes_on_the_way_fails_on_every_route_and_wire_and_nothing_gets_its_name() {
    let folder = tempfile::tempdir().expect("folder");
    // What is handed over is the file itself: nobody reads it on the way.
    let routes = SendRouteChoice::ALL
        .into_iter()
        .filter(|route| *route != SendRouteChoice::Handoff);
    for (name, change) in CHANGES {
        for (send_route, wire) in routes.clone().flat_map(|route| WIRES.map(|wire| (route, wire))) {
            let from = file(folder.path(), "from.bin", &pattern(LEN));
            let options = Options {
                send_route,
                // One copy of the rest for each piece: larger ones, so that it ends.
                chunk_bytes: 1 << 20,
                ..options(wire)
            };
            let (error, kept) = changed_on_the_way(source(&from), &options, || change(&writable(&from)));
            let route = send_route.name();
            assert_eq!(
                error,
                Error::SourceChanged(from),
                "{name}, {route} over {}",
                wire.name()
            );
            assert_eq!(error.fault(), Fault::Caller);
            assert_eq!(kept, [""; 0], "{name}, {route} over {}", wire.name());
        }
    }
}

#[test]
fn a_source_whose_status_alone_changes_on_the_way_is_sent_with_a_note_that_says_what_it_can_mean() {
    use std::os::unix::fs::PermissionsExt as _;
    type Touch = (&'static str, fn(&Path));
    let folder = tempfile::tempdir().expect("folder");
    let touches: [Touch; 3] = [
        ("left alone", |_| {}),
        ("chmod", |path| {
            let mode = std::fs::Permissions::from_mode(0o640);
            std::fs::set_permissions(path, mode).expect("it is ours");
        }),
        ("written, and its time set back", |path| {
            let file = writable(path);
            let modified = file
                .metadata()
                .and_then(|metadata| metadata.modified())
                .expect("a time");
            file.write_all_at(b"other", LEN as u64 - 5).expect("write");
            file.set_modified(modified).expect("it is ours");
        }),
    ];
    for (name, touch) in touches {
        let from = file(folder.path(), "from.bin", &pattern(LEN));
        let job = Job::Loopback {
            source: source(&from),
            sink: SinkSpec::Memory,
        };
        let outcome = touched_on_the_way(job, &options(WireChoice::Native), || touch(&from));
        let Outcome::Done(finished) = outcome else {
            panic!("{name}: {outcome:?}")
        };
        let is_noted = finished.note.is_some_and(|note| note.contains("modification time"));
        assert_eq!(is_noted, name != "left alone", "{name}");
    }
}

#[test]
fn shared_memory_that_changes_on_the_way_fails_as_a_file_does() {
    let name = ShmName::new(&format!("arraylift-test-changes-{}", std::process::id())).expect("a name");
    let path = name.path();
    for (what, change) in CHANGES {
        for send_route in [SendRouteChoice::Sendfile, SendRouteChoice::Write] {
            std::fs::write(&path, pattern(LEN)).expect("/dev/shm");
            let options = Options {
                send_route,
                ..options(WireChoice::Native)
            };
            let origin = Origin::Shm {
                name: name.clone(),
                dtype: None,
            };
            let source = SourceSpec { origin, slice: None };
            let (error, kept) = changed_on_the_way(source, &options, || change(&writable(&path)));
            let expected = Error::SourceChanged(PathBuf::from(name.to_string()));
            assert_eq!((error, kept.len()), (expected, 0), "{what} by {}", send_route.name());
        }
    }
    std::fs::remove_file(path).expect("made above");
}

/// The name under which an array is being received.
fn part_of(events: &Receiver<Event>) -> PathBuf {
    let mut part = None;
    wait_until("it is said where the array lands", || {
        part = events.try_iter().find_map(|event| match event.kind {
            EventKind::Started(started) => started.part,
            _ => None,
        });
        part.is_some()
    });
    part.expect("just found")
}

#[test]
fn a_part_that_others_cut_grow_or_replace_fails_on_every_route_and_nothing_is_kept() {
    type Way = (&'static str, fn(&Path));
    let ways: [Way; 4] = [
        ("cut", |part| writable(part).set_len(1000).expect("cut")),
        ("grown", |part| writable(part).set_len(1 << 30).expect("grown")),
        ("replaced", |part| {
            std::fs::remove_file(part).expect("it is there");
            std::fs::write(part, vec![0; LEN]).expect("write");
        }),
        ("removed", |part| std::fs::remove_file(part).expect("it is there")),
    ];
    for (name, act) in ways {
        for receive_route in ReceiveRouteChoice::ALL {
            let sinks = tempfile::tempdir().expect("folder");
            let options = limited(&Options {
                receive_route,
                ..options(WireChoice::Native)
            });
            let job = Job::Loopback {
                source: range("0:1048576", "f64"),
                sink: SinkSpec::File(sinks.path().join("a.bin")),
            };
            let (transfer, events) = start(job, &options);
            let part = part_of(&events);
            wait_for_bytes(&events, Side::Receiver, 1 << 20);
            act(&part);
            transfer.set_limit(None);
            let error = error(transfer.join());
            let route = receive_route.name();
            // A write into a mapping may be the first to notice that the file has become shorter.
            let by_write = receive_route == ReceiveRouteChoice::Map && matches!(error, Error::SinkUnwritable { .. });
            assert!(
                by_write || error == Error::SinkChanged(part),
                "{name}, {route}: {error:?}"
            );
            let left = names_in(sinks.path());
            assert!(left.iter().all(|name| name != "a.bin"), "{name}, {route}");
            assert_eq!(
                left.len(),
                usize::from(name == "replaced"),
                "{name}, {route}: someone else's stays"
            );
        }
    }
}

#[test]
fn an_existing_file_that_others_cut_or_replace_is_never_called_done() {
    type Way = (&'static str, fn(&Path));
    let ways: [Way; 3] = [
        ("cut", |path| writable(path).set_len(2000).expect("cut")),
        ("removed", |path| std::fs::remove_file(path).expect("it is there")),
        ("replaced", |path| {
            std::fs::rename(path, path.with_extension("old")).expect("it is there");
            std::fs::write(path, vec![0; 2 * LEN]).expect("write");
        }),
    ];
    for (name, act) in ways {
        for receive_route in ReceiveRouteChoice::ALL {
            let folder = tempfile::tempdir().expect("folder");
            let path = file(folder.path(), "whole.bin", &vec![9; 2 * LEN]);
            let options = limited(&Options {
                receive_route,
                ..options(WireChoice::Native)
            });
            let job = Job::Loopback {
                source: range("0:1048576", "f64"),
                sink: SinkSpec::Within {
                    path: path.clone(),
                    at_bytes: 1000,
                },
            };
            let (transfer, events) = start(job, &options);
            wait_for_bytes(&events, Side::Receiver, 1 << 20);
            act(&path);
            transfer.set_limit(None);
            let error = error(transfer.join());
            assert!(
                matches!(&error, Error::PartlyOverwritten { cause, .. } if **cause == Error::SinkChanged(path.clone())),
                "{name}, {}: {error}",
                receive_route.name()
            );
        }
    }
}
