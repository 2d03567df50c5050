//! Starts transfers and looks at how they end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arraylift::{
    Dtype, Error, Event, EventKind, Finished, Job, Options, Origin, Outcome, Range, Side, SourceSpec, Transfer,
    WireChoice,
};
use crossbeam_channel::{Receiver, bounded};

pub(crate) const CHUNK: usize = 64 << 10;

pub(crate) const BLOCK: usize = 4 << 20;

pub(crate) const WIRES: [WireChoice; 3] = [WireChoice::Native, WireChoice::Npy, WireChoice::Raw];

pub(crate) fn start(job: Job, options: &Options) -> (Transfer, Receiver<Event>) {
    let (events, reader) = bounded(1 << 14);
    (
        Transfer::start(job, options.clone(), events, Arc::new(|| {})).expect("a thread"),
        reader,
    )
}

/// Runs a job to its end.
pub(crate) fn run(job: Job, options: &Options) -> (Outcome, Vec<Event>) {
    let (transfer, events) = start(job, options);
    let outcome = transfer.join();
    (outcome, events.try_iter().collect())
}

pub(crate) fn done(outcome: Outcome) -> Finished {
    match outcome {
        Outcome::Done(finished) => finished,
        other => panic!("not done: {other:?}"),
    }
}

pub(crate) fn error(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Failed(failure) => failure.error,
        other => panic!("not failed: {other:?}"),
    }
}

/// Waits for a condition that another thread brings about, for as long as a slow machine may need.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn wait_for_bytes(events: &Receiver<Event>, side: Side, bytes: u64) {
    wait_until("bytes move", || {
        events
            .try_iter()
            .any(|event| event.side == side && matches!(event.kind, EventKind::Sample(sample) if sample.bytes >= bytes))
    });
}

/// Bytes that differ wherever two places could be mixed up.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

pub(crate) fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("write");
    path
}

pub(crate) fn source(path: &Path) -> SourceSpec {
    SourceSpec {
        origin: Origin::File {
            path: path.into(),
            dtype: None,
        },
        slice: None,
    }
}

pub(crate) fn range(text: &str, dtype: &str) -> SourceSpec {
    let range = Range::parse(text, Some(Dtype::from_name(dtype).expect("dtype"))).expect("range");
    SourceSpec {
        origin: Origin::Range(range),
        slice: None,
    }
}

pub(crate) fn options(wire: WireChoice) -> Options {
    Options {
        wire,
        chunk_bytes: CHUNK,
        timeout: Duration::from_secs(20),
        ..Options::default()
    }
}

/// What is in a folder, without what is half received and may be gone on with.
pub(crate) fn whole_in(folder: &Path) -> Vec<String> {
    let is_part = |name: &String| name.contains(".arraylift-");
    names_in(folder).into_iter().filter(|name| !is_part(name)).collect()
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    entries
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect()
}
