//! Follows the transfers of a process and has each kept once it has ended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::transfer::{Event, EventKind, Outcome, TransferId};

use super::again::{Again, without_secrets};
use super::bursts::{Counted, Thinning};
use super::draft::Draft;
use super::entry::{Ending, Way};
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
            thinning: Thinning::new(Instant::now()),
            writer: Writer::new(path, tell),
        }
    }

    /// A transfer begins that is called so where it does not tell its source itself.
    pub(crate) fn name(&mut self, transfer: TransferId, name: &str) {
        if self.names.len() < DRAFTS_MAX {
            self.names.insert(transfer, name.into());
        }
    }

    /// A transfer told something.
    pub(crate) fn hear(&mut self, event: &Event) {
        if matches!(event.kind, EventKind::Stranger { .. } | EventKind::Joined) {
            return;
        }
        if let Some(draft) = self.drafts.get_mut(&event.transfer) {
            draft.hear(event);
        } else if self.drafts.len() < DRAFTS_MAX {
            let mut draft = Draft::new(event, SystemTime::now());
            draft.hear(event);
            self.drafts.insert(event.transfer, draft);
        }
    }

    /// A transfer has told everything and ended so; `again` is what it takes to do it again, where that is not the
    /// command's own.
    pub(crate) fn ended(&mut self, transfer: TransferId, outcome: &Outcome, again: Option<Again>) {
        let draft = self.drafts.remove(&transfer);
        let name = self.names.remove(&transfer);
        // What was no transfer.
        if matches!(outcome, Outcome::Joined) {
            return;
        }
        let draft = draft.unwrap_or_else(|| {
            let nothing = Event::new(transfer, crate::transfer::Side::Receiver, 0.0, EventKind::Joined);
            Draft::new(&nothing, SystemTime::now())
        });
        if !self.thinning.is_single(Instant::now()) {
            self.writer.keep(Item::Counted(
                Box::new(counted(&draft, name, outcome)),
                self.command.clone(),
            ));
            return;
        }
        let (mut entry, curves) = draft.finish(outcome);
        // One end may have failed before the other one told anything.
        if self.command == "loopback" {
            entry.way = Way::Loopback;
        }
        entry.command.clone_from(&self.command);
        entry.source = entry.source.or(name.map(|name| without_secrets(&name)));
        entry.again = again.or_else(|| self.again.clone());
        env!("CARGO_PKG_VERSION").clone_into(&mut entry.program_version);
        self.writer.keep(Item::Single(Box::new(entry), curves));
    }
}

fn counted(draft: &Draft, name: Option<String>, outcome: &Outcome) -> Counted {
    let (host, source) = draft.host_and_source();
    Counted {
        host: host.into(),
        source: source.map(str::to_owned).or(name),
        way: draft.way(),
        outcome: match outcome {
            Outcome::Done(_) => Ending::Done,
            Outcome::Failed(_) => Ending::Failed,
            Outcome::Cancelled | Outcome::Joined => Ending::Cancelled,
        },
        message: match outcome {
            Outcome::Failed(failure) => Some(without_secrets(&failure.message)),
            _ => None,
        },
        bytes: draft.bytes(outcome),
        began_unix_ms: draft.began_unix_ms(),
        seconds: draft.seconds(),
    }
}
