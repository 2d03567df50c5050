use super::*;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use crossbeam_channel::bounded;

use super::block_receiver::{BlockReceiver, Received, Wanted};
use super::incoming_array::IncomingArray;
use crate::array::{ArrayMeta, Dtype, npy};
use crate::telemetry::Probe;
use crate::transfer::tell::preview::Prefix;
use crate::wire::ChecksumKind;

fn offer(name: Option<&str>, plain: bool, count: u64) -> Offer {
    Offer {
        meta: ArrayMeta::vector(Dtype::u8(), count).expect("small"),
        name: name.map(Into::into),
        plain,
        identity: Vec::new(),
        checksum: ChecksumKind::None,
        grain: None,
        streams: 1,
        handoff: None,
    }
}

fn prepared(spec: &SinkSpec, offer: &Offer) -> Result<PreparedSink, Error> {
    let ledger = Ledger::new(offer.meta.byte_len(), offer.checksum, 1);
    PreparedSink::prepare(SinkRequest {
        spec: spec.clone(),
        offer: offer.clone(),
        content: Content::Array,
        identity: None,
        ledger,
        route: ReceiveRouteChoice::Auto,
        chunk_bytes: 1 << 16,
        keep_free: None,
        part_number: None,
        publisher: None,
        wanted: None,
    })
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_dropped_sink_leaves_nothing_and_a_published_one_only_its_file() {
    let folder = tempfile::tempdir().expect("folder");
    let spec = SinkSpec::Folder(folder.path().into());
    drop(prepared(&spec, &offer(Some("a.bin"), true, 10)).expect("prepared"));
    assert!(names_in(folder.path()).is_empty());
    for expected in ["a.bin", "a-1.bin"] {
        let sink = prepared(&spec, &offer(Some("a.bin"), true, 10)).expect("prepared");
        let published = sink.publish().expect("published");
        assert_eq!(published.path, Some(folder.path().join(expected)));
    }
    assert_eq!(names_in(folder.path()), ["a-1.bin", "a.bin"]);
}

#[test]
fn where_writes_may_last_another_thread_writes_and_bytes_count_when_they_are_in_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let spec = SinkSpec::Folder(folder.path().into());
    let mut sink = prepared(&spec, &offer(Some("a.bin"), true, 100_000)).expect("prepared");
    sink.writes_may_last = true;
    let (wake, woken) = bounded(8);
    let disk = PublishContext::new(Arc::new(move || wake.send(()).expect("someone waits")));
    let route = sink.route().expect("a route").route;
    let mut receiver = BlockReceiver::new(&sink, route, disk);
    let array = Arc::new(IncomingArray::new(sink, Prefix::new(&offer(None, true, 1).meta, 0)));
    let (mut peer, socket) = UnixStream::pair().expect("pair");
    socket.set_nonblocking(true).expect("set");
    let bytes: Vec<u8> = (0..100_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    // A socket holds twice as many.
    peer.write_all(&bytes).expect("sent");
    let (mut at, mut seen) = (0, Vec::new());
    let mut probe = Probe::light(Instant::now());
    while at < 100_000 {
        let wanted = Wanted {
            at,
            len: 100_000 - at,
            span: None,
            limit_bytes_per_s: None,
            pace_bytes_per_s: None,
            chunk_bytes: 1 << 16,
        };
        let mut from = socket.as_fd();
        let received = receiver.receive(&array, &mut from, wanted, Instant::now(), &mut probe, &mut |bytes| {
            seen.extend_from_slice(bytes);
        });
        match received.expect("it can be kept") {
            Received::Bytes(count, _) => {
                at += count;
                let landed = std::fs::read(array.sink.part().expect("a part")).expect("read");
                assert_eq!(landed[..index(at)], bytes[..index(at)]);
            }
            Received::WaitsForDisk => woken.recv().expect("a wake"),
            Received::Nothing => std::thread::yield_now(),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, bytes);
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("small")
}

#[test]
fn a_file_of_this_machines_page_cache_is_written_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let spec = SinkSpec::Folder(folder.path().into());
    let sink = prepared(&spec, &offer(Some("a.bin"), true, 10)).expect("prepared");
    assert!(!sink.writes_may_last, "of the file systems that tests run on");
    // Processes and what is told of them are no files of a disk.
    let process = File::open("/proc/self/stat").expect("it runs");
    assert!(FileSystem::of(&process).writes_may_last());
}

#[test]
fn a_file_that_appears_meanwhile_is_not_replaced_and_the_array_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.npy");
    let sink = prepared(&SinkSpec::File(path.clone()), &offer(None, false, 10)).expect("prepared");
    std::fs::write(&path, "precious").expect("write");
    let Published {
        path: published, note, ..
    } = sink.publish().expect("published");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), "precious");
    assert_eq!(published, Some(folder.path().join("a-1.npy")));
    assert!(note.is_some_and(|note| note.contains("existed")));
}

#[test]
fn an_offer_larger_than_the_disk_or_the_memory_is_refused_before_anything_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let huge = offer(Some("huge.bin"), true, 1 << 62);
    let error = prepared(&SinkSpec::Folder(folder.path().into()), &huge).err();
    assert!(
        matches!(error, Some(Error::DiskFull { needed, .. }) if needed == 1 << 62),
        "{error:?}"
    );
    assert!(names_in(folder.path()).is_empty());
    assert!(matches!(
        prepared(&SinkSpec::Memory, &huge).err(),
        Some(Error::NotEnoughMemory { .. })
    ));
}

#[test]
fn an_existing_array_takes_what_fits_and_nothing_else() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.npy");
    let existing = ArrayMeta::vector(Dtype::u8(), 100).expect("small");
    let header = npy::write_header(&existing);
    std::fs::write(&path, [header.clone(), vec![0; 100]].concat()).expect("write");
    let within = |at_bytes| SinkSpec::Within {
        path: path.clone(),
        at_bytes,
    };
    let (_, base) = existing::part_of_existing(&path, 40, &offer(None, false, 60).meta).expect("fits");
    assert_eq!(base, header.len() as u64 + 40);
    for (at, count) in [(41, 60), (u64::MAX, 1), (0, 101)] {
        assert!(matches!(
            prepared(&within(at), &offer(None, false, count)).err(),
            Some(Error::SinkMismatch { .. })
        ));
    }
    let mut floats = offer(None, false, 1);
    floats.meta = ArrayMeta::vector(Dtype::f64(), 1).expect("small");
    assert!(matches!(
        prepared(&within(0), &floats).err(),
        Some(Error::SinkMismatch { .. })
    ));
}

#[test]
fn sinks_that_cannot_work_are_named_before_anyone_waits() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("there");
    std::fs::write(&file, "x").expect("write");
    assert_eq!(
        SinkSpec::File(file.clone()).check(),
        Err(Error::SinkExists(file.clone()))
    );
    assert!(matches!(
        SinkSpec::File(folder.path().into()).check(),
        Err(Error::SinkUnwritable { .. })
    ));
    assert!(matches!(
        SinkSpec::Folder(file).check(),
        Err(Error::SinkUnwritable { .. })
    ));
    let missing = folder.path().join("no/such");
    assert!(matches!(
        SinkSpec::File(missing.clone()).check(),
        Err(Error::SinkUnwritable { .. })
    ));
    assert!(matches!(
        SinkSpec::Within {
            path: missing,
            at_bytes: 0
        }
        .check(),
        Err(Error::SinkMismatch { .. })
    ));
    assert_eq!(SinkSpec::Folder(folder.path().into()).check(), Ok(()));
}
