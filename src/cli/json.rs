//! JSON Lines on standard output: the engine's events as they are, one object a line.

use std::path::Path;

use crate::queue::Counts;
use crate::service::Leftover;
use crate::transfer::{Event, TransferId};
use serde::Serialize;

use super::output;

/// So many bytes are written at once, at most, where many objects come together.
const WRITTEN_TOGETHER_BYTES: usize = 64 << 10;

/// Writes objects for as long as someone reads them.
#[derive(Debug, Default)]
pub struct JsonLines {
    /// The reader has gone, which does not concern the transfer.
    broken: bool,
    /// More follow at once: whole lines that wait to be written with them.
    holds: bool,
    held: Vec<u8>,
}

impl JsonLines {
    /// The first object of a receiver.
    pub fn listening(&mut self, address: &str) {
        #[derive(Serialize)]
        struct Listening<'a> {
            event: &'static str,
            address: &'a str,
        }
        let event = "listening";
        self.line(&Listening { event, address });
    }

    /// A file that an earlier service left behind.
    pub fn leftover(&mut self, leftover: &Leftover) {
        #[derive(Serialize)]
        struct Left<'a> {
            event: &'static str,
            #[serde(flatten)]
            leftover: &'a Leftover,
        }
        let event = "leftover";
        self.line(&Left { event, leftover });
    }

    /// The first object of a worker.
    pub fn working(&mut self, at: &Path) {
        #[derive(Serialize)]
        struct Working<'a> {
            event: &'static str,
            worker: u32,
            at: &'a Path,
        }
        let event = "working";
        let worker = std::process::id();
        self.line(&Working { event, worker, at });
    }

    /// One of several jobs has begun.
    pub fn job(&mut self, transfer: TransferId, source: &str) {
        #[derive(Serialize)]
        struct Job<'a> {
            event: &'static str,
            transfer: TransferId,
            source: &'a str,
        }
        let event = "job";
        self.line(&Job {
            event,
            transfer,
            source,
        });
    }

    /// How several jobs have ended.
    pub fn jobs(&mut self, counts: &Counts) {
        #[derive(Serialize)]
        struct Jobs {
            event: &'static str,
            done: usize,
            failed: usize,
            cancelled: usize,
            not_begun: usize,
        }
        self.line(&Jobs {
            event: "jobs",
            done: counts.done,
            failed: counts.failed,
            cancelled: counts.cancelled,
            not_begun: counts.withdrawn,
        });
    }

    /// A transfer told something.
    pub fn event(&mut self, event: &Event) {
        self.line(event);
    }

    /// Any object.
    pub fn line(&mut self, object: &impl Serialize) {
        if self.broken {
            return;
        }
        self.broken = serde_json::to_writer(&mut self.held, object).is_err();
        self.held.push(b'\n');
        if !self.holds || self.held.len() >= WRITTEN_TOGETHER_BYTES {
            self.write();
        }
    }

    /// Whether more objects follow at once, so that lines are written together.
    pub fn hold(&mut self, holds: bool) {
        self.holds = holds;
        if !holds && !self.held.is_empty() {
            self.write();
        }
    }

    fn write(&mut self) {
        self.broken = !output::write(&self.held);
        self.held.clear();
    }
}
