//! Follows the transfers of a process and has each kept once it has ended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::transfer::{Event, EventKind, Outcome, TransferId};

use super::again::Again;
use super::draft::Draft;
use super::thinning::{Thinning, host_of, network_of};
use super::writer::{Item, Writer};

/// So many transfers that run are followed; of others only their end is kept.
const DRAFTS_MAX: usize = 4096;

/// Says something to people, once: such as that nothing can be kept. Called from the thread that writes.
pub(crate) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Follows the transfers of a process. Dropping it writes what has ended, for which it waits no longer than a second.
#[derive(Debug)]
pub(crate) struct Recording {
    command: String,
    again: Option<Again>,
    drafts: HashMap<TransferId, Draft>,
    names: HashMap<TransferId, String>,
    /// What transfers without a name are called.
    title: Option<String>,
    thinning: Thinning,
    writer: Writer,
}

impl Recording {
    /// For the transfers of a command, into the history at `path`. Nothing is opened before the first of them has ended.
    pub(crate) fn new(command: &str, again: Option<Again>, path: Option<PathBuf>, tell: Tell) -> Self {
        Self {
            command: command.into(),
            again,
            drafts: HashMap::new(),
            names: HashMap::new(),
            title: None,
            thinning: Thinning::new(Instant::now()),
            writer: Writer::new(path, matches!(command, "serve" | "worker" | "window"), tell),
        }
    }

    /// All transfers are of this, also one that reaches nobody.
    pub(crate) fn all_of(&mut self, title: String) {
        self.title = Some(title);
    }

    /// A transfer begins that is called so where it does not tell its source itself.
    pub(crate) fn name(&mut self, transfer: TransferId, name: &str) {
        if self.names.len() < DRAFTS_MAX {
            self.names.insert(transfer, name.into());
        }
    }

    /// A transfer told something.
    pub(crate) fn hear(&mut self, event: &Event) {
        if matches!(
            event.kind,
            EventKind::Stranger { is_last: true, .. } | EventKind::Joined
        ) {
            // It was no transfer, and nothing more is told of it.
            self.drafts.remove(&event.transfer);
            self.names.remove(&event.transfer);
            return;
        }
        if matches!(event.kind, EventKind::Stranger { .. }) {
            return;
        }
        if matches!(event.kind, EventKind::Started(_)) {
            self.make_room(event.transfer);
        }
        let now = SystemTime::now();
        if let Some(draft) = self.drafts.get_mut(&event.transfer) {
            draft.hear(event, now);
        } else if self.drafts.len() < DRAFTS_MAX {
            let mut draft = Draft::new(event, now);
            draft.hear(event, now);
            self.drafts.insert(event.transfer, draft);
        }
    }

    /// Connections that only wait take the place of no transfer that begins.
    fn make_room(&mut self, transfer: TransferId) {
        if self.drafts.len() < DRAFTS_MAX || self.drafts.contains_key(&transfer) {
            return;
        }
        let waits = self.drafts.iter().find(|(_, draft)| !draft.was_offered());
        if let Some(id) = waits.map(|(id, _)| *id) {
            self.drafts.remove(&id);
        }
    }

    /// A transfer has told everything and ended so; `again` is what it takes to do it again, where that is not the
    /// command's own.
    pub(crate) fn ended(&mut self, transfer: TransferId, outcome: &Outcome, again: Option<Again>) {
        let draft = self.drafts.remove(&transfer);
        let name = self.names.remove(&transfer).or_else(|| self.title.clone());
        // What was no transfer: another one's connection, and a place that was given up before anybody offered anything.
        let was_offered = name.is_some() || draft.as_ref().is_some_and(Draft::was_offered);
        if matches!(outcome, Outcome::Joined) || matches!(outcome, Outcome::Cancelled) && !was_offered {
            return;
        }
        let draft = draft.unwrap_or_else(|| {
            let nothing = Event::new(transfer, crate::transfer::Side::Receiver, 0.0, EventKind::Joined);
            Draft::new(&nothing, SystemTime::now())
        });
        let (mut entry, curves) = draft.finish(&self.command, name, outcome);
        let network = network_of(entry.peer.as_deref().map_or("", host_of));
        if !self.thinning.is_single(&network, Instant::now()) {
            self.writer.keep(Item::Counted(Box::new(entry.in_burst())));
            return;
        }
        entry.again = again.or_else(|| self.again.clone());
        env!("CARGO_PKG_VERSION").clone_into(&mut entry.program_version);
        self.writer.keep(Item::Single(Box::new(entry), curves));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::entry::{Ending, Entry, Way};
    use crate::history::{Query, Store};
    use crate::sys::{process_usage, thread_usage};
    use crate::transfer::{Finished, Side, Started, State};
    use std::path::Path;
    use std::time::Duration;

    /// What a service tells of a small file.
    fn serve(recording: &mut Recording, number: u64) {
        let id = TransferId(number);
        let event = |kind| Event::new(id, Side::Receiver, 0.001, kind);
        let started = Started {
            source: Some(format!("{number:05}.bin")),
            sink: Some("inbox".into()),
            peer: format!("10.0.0.7:{number}"),
            wire: "native".into(),
            dtype: "u8".into(),
            shape: vec![1024],
            total_bytes: Some(1024),
            ..Started::default()
        };
        let finished = Finished {
            bytes: 1024,
            rate_bytes_per_s: 1e6,
            checksum: Some("crc64nvme:0123456789abcdef".into()),
            ..Finished::default()
        };
        recording.hear(&event(EventKind::Started(Box::new(started))));
        recording.hear(&event(EventKind::Finished(Box::new(finished.clone()))));
        recording.ended(id, &Outcome::Done(finished), None);
    }

    #[test]
    fn two_thousand_small_files_cost_a_service_little_and_are_all_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("arraylift/history.db");
        let quiet: Tell = Arc::new(|note: &str| panic!("{note}"));
        let mut recording = Recording::new("serve", None, Some(path.clone()), quiet);
        let cpu = || {
            let usage = thread_usage();
            usage.user + usage.system
        };
        let all = || process_usage().user + process_usage().system;
        let (before, all_before) = (cpu(), all());
        for number in 1..=2000 {
            serve(&mut recording, number);
        }
        let took: Duration = cpu().saturating_sub(before);
        drop(recording);
        println!(
            "2,000 small files: {took:?} of who tells of them, at most {:?} of the whole process",
            all().saturating_sub(all_before)
        );
        let store = Store::open_existing(&path).expect("open").expect("there");
        let kept = store.list(&Query::default()).expect("listed");
        assert_eq!(kept.iter().map(|entry| entry.transfers).sum::<u64>(), 2000);
        assert!(kept.len() <= 103, "{}", kept.len());
        // 5 ms are 1 % of what 2,000 files take; this is for a busy machine.
        assert!(took < Duration::from_millis(100), "{took:?}");
    }

    #[test]
    fn a_transfer_after_thousands_of_strangers_is_kept_with_its_source() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let quiet: Tell = Arc::new(|note: &str| panic!("{note}"));
        let mut recording = Recording::new("serve", None, Some(path.clone()), quiet);
        for number in 1..=5000 {
            let id = TransferId(number);
            let event = |kind| Event::new(id, Side::Receiver, 0.001, kind);
            recording.hear(&event(EventKind::State {
                state: State::Connecting,
            }));
            recording.hear(&event(match number % 2 {
                0 => EventKind::Joined,
                _ => EventKind::Stranger {
                    peer: "10.0.0.7:80".into(),
                    message: "it offered nothing".into(),
                    is_last: true,
                },
            }));
        }
        serve(&mut recording, 6000);
        drop(recording);
        let store = Store::open_existing(&path).expect("open").expect("there");
        let kept = store.list(&Query::default()).expect("listed");
        assert_eq!(kept.len(), 1);
        assert_eq!(
            (kept[0].source.as_deref(), kept[0].sink.as_deref(), kept[0].way),
            (Some("06000.bin"), Some("inbox"), Way::Receive)
        );
    }

    #[test]
    fn of_many_transfers_no_more_is_told_than_of_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let quiet: Tell = Arc::new(|note: &str| panic!("{note}"));
        let mut recording = Recording::new("fetch", None, Some(path.clone()), quiet);
        let url = format!("http://10.0.0.7/{}?s3cret", "x".repeat(100_000));
        for number in 1..=300 {
            let failure = crate::transfer::Failure {
                fault: crate::error::Fault::Peer,
                message: format!("cannot fetch {url}: 404"),
                bytes: 0,
                peer: Some("10.0.0.7:80".into()),
                error: crate::Error::Bug(String::new()),
            };
            recording.name(TransferId(number), &url);
            recording.ended(TransferId(number), &Outcome::Failed(failure), None);
        }
        drop(recording);
        let store = Store::open_existing(&path).expect("open").expect("there");
        let kept = store.list(&Query::default()).expect("listed");
        assert_eq!(kept.iter().map(|entry| entry.transfers).sum::<u64>(), 300);
        for Entry {
            source, message, peer, ..
        } in kept
        {
            let length = |text: Option<String>| text.map_or(0, |text| text.chars().count());
            assert_eq!(peer.expect("a peer").trim_end_matches(":80"), "10.0.0.7");
            assert_eq!((length(source), length(message)), (513, 1025));
        }
        let bytes = std::fs::read(path.with_file_name("history.db-wal")).expect("a log");
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"));
    }

    #[test]
    fn thousands_that_only_wait_hide_nothing_of_a_transfer() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let quiet: Tell = Arc::new(|note: &str| panic!("{note}"));
        let mut recording = Recording::new("serve", None, Some(path.clone()), quiet);
        for number in 1..=5000 {
            let state = State::Connecting;
            let kind = EventKind::State { state };
            recording.hear(&Event::new(TransferId(number), Side::Receiver, 0.001, kind));
        }
        serve(&mut recording, 6000);
        drop(recording);
        let store = Store::open_existing(&path).expect("open").expect("there");
        let kept = store.list(&Query::default()).expect("listed");
        assert_eq!(kept[0].source.as_deref(), Some("06000.bin"));
    }

    /// What is kept there, waited for.
    fn kept_soon(path: &Path, transfers: u64) {
        let begun = Instant::now();
        loop {
            let store = Store::open_existing(path).expect("open");
            let kept = store.map_or_else(Vec::new, |store| store.list(&Query::default()).expect("listed"));
            let sum: u64 = kept.iter().map(|entry| entry.transfers).sum();
            if sum == transfers {
                return;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{sum} of {transfers}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn whoever_holds_the_history_for_long_loses_a_service_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let quiet: Tell = Arc::new(|note: &str| panic!("{note}"));
        let mut recording = Recording::new("serve", None, Some(path.clone()), quiet);
        serve(&mut recording, 1);
        kept_soon(&path, 1);
        let other = rusqlite::Connection::open(&path).expect("open");
        other.execute_batch("BEGIN EXCLUSIVE").expect("held");
        for number in 2..=300 {
            serve(&mut recording, number);
        }
        std::thread::sleep(Duration::from_secs(5));
        other.execute_batch("ROLLBACK").expect("let go");
        kept_soon(&path, 300);
        serve(&mut recording, 301);
        drop(other);
        drop(recording);
        assert!(
            !path.with_file_name("history.db-wal").exists(),
            "a service leaves no log"
        );
        kept_soon(&path, 301);
    }

    #[test]
    fn where_the_file_is_moved_away_a_new_one_has_what_is_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let quiet: Tell = Arc::new(|note: &str| panic!("{note}"));
        let mut recording = Recording::new("serve", None, Some(path.clone()), quiet);
        for number in 1..=200 {
            serve(&mut recording, number);
        }
        kept_soon(&path, 200);
        for end in ["", "-wal", "-shm"] {
            let from = folder.path().join(format!("history.db{end}"));
            std::fs::rename(from, folder.path().join(format!("old.db{end}"))).expect("moved");
        }
        for number in 201..=203 {
            serve(&mut recording, number);
        }
        drop(recording);
        kept_soon(&path, 3);
        kept_soon(&folder.path().join("old.db"), 200);
    }

    #[test]
    fn a_transfer_begins_when_its_sender_is_there() {
        let begun = SystemTime::now();
        let event = |elapsed_s, kind| Event::new(TransferId(1), Side::Receiver, elapsed_s, kind);
        let listening = event(
            0.0,
            EventKind::State {
                state: State::Listening,
            },
        );
        let started = event(0.25, EventKind::Started(Box::default()));
        let mut draft = Draft::new(&listening, begun);
        draft.hear(&listening, begun);
        draft.hear(
            &event(
                3600.0,
                EventKind::State {
                    state: State::Connecting,
                },
            ),
            begun,
        );
        draft.hear(&started, begun + Duration::from_hours(1));
        let (entry, _) = draft.finish("receive", None, &Outcome::Cancelled);
        let passed_ms = entry.began_unix_ms - super::super::draft::unix_ms(begun);
        assert_eq!((passed_ms, entry.seconds), (3_599_750, 0.25));
    }

    #[test]
    fn what_does_not_end_well_is_kept_with_the_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let quiet: Tell = Arc::new(|note: &str| panic!("{note}"));
        let mut recording = Recording::new("send", None, Some(path.clone()), quiet);
        recording.name(TransferId(1), "a.npy");
        recording.ended(TransferId(1), &Outcome::Cancelled, None);
        recording.ended(TransferId(2), &Outcome::Joined, None);
        drop(recording);
        let store = Store::open_existing(&path).expect("open").expect("there");
        let kept = store.list(&Query::default()).expect("listed");
        assert_eq!(kept.len(), 1);
        assert_eq!(
            (kept[0].source.as_deref(), kept[0].outcome),
            (Some("a.npy"), Ending::Cancelled)
        );
    }
}
