//! What is told as JSON Lines: one object a line, which `event` names.
//!
//! All names are here: those of the command itself are the variants of [`CommandEvent`], and [`names`] lists them with
//! those that a transfer, a service, a control socket, a ping and a comparison tell. Each is a variant's name in
//! snake case; the tests hold every type and the manual to the list.

use std::path::Path;

use serde::Serialize;

use crate::compare::Comparison;
use crate::line_queue::json_line;
use crate::service::Leftover;
use crate::transfer::FullFolder;

use super::output::backlog::Omitted;

/// What the command tells of itself.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum CommandEvent<'a> {
    /// Senders can connect: the first object of a receiver or a service.
    Listening {
        /// Where.
        address: &'a str,
    },
    /// The first object of a worker.
    Working {
        /// Its process id.
        worker: u32,
        /// The socket of its service.
        #[serde(serialize_with = "crate::transfer::path_text::path")]
        at: &'a Path,
    },
    /// A service has found a file that an earlier one left behind.
    Leftover(&'a Leftover),
    /// A service refuses every array from its start on: less of the disk is free than is to stay so.
    NoRoom(&'a FullFolder),
    /// Several jobs have ended, each in one of these ways.
    Jobs {
        done: usize,
        failed: usize,
        cancelled: usize,
        not_begun: usize,
    },
    /// A transfer has failed in a way that may pass, and is tried again as another one.
    Retry {
        /// After so many seconds.
        after_s: f64,
        /// How it failed.
        why: String,
    },
    /// What a comparison came to.
    Result(&'a Comparison),
    /// Nobody read for a while: so much was left out before the next line.
    Omitted(Omitted),
}

/// The names of events, by who tells them.
#[cfg(test)]
mod names {
    pub(super) const COMMAND: [&str; 8] = [
        "listening",
        "working",
        "leftover",
        "no_room",
        "jobs",
        "retry",
        "result",
        "omitted",
    ];
    pub(super) const TRANSFER: [&str; 15] = [
        "state",
        "handed_over",
        "started",
        "limit",
        "items",
        "sample",
        "preview",
        "stats",
        "process",
        "bottleneck",
        "finished",
        "failed",
        "cancelled",
        "stranger",
        "joined",
    ];
    pub(super) const SERVICE: [&str; 5] = [
        "service",
        "worker_ready",
        "worker_missing",
        "handed_over",
        "worker_gone",
    ];
    /// `job` is also told by a command with several sources.
    pub(super) const CONTROL: [&str; 5] = ["engine", "now", "job", "passed", "refused"];
    pub(super) const PING: [&str; 2] = ["connected", "round_trips"];
    pub(super) const COMPARE: [&str; 4] = ["planned", "round", "lost", "size"];
}

/// The line that tells what was left out.
pub(super) fn omitted(omitted: Omitted) -> Vec<u8> {
    json_line(&CommandEvent::Omitted(omitted)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;

    use crate::compare::{CompareEvent, Machine, Subject};
    use crate::control::EngineEvent;
    use crate::ping::PingEvent;
    use crate::service::ServiceEvent;
    use crate::transfer::EventKind;

    /// The names that a type of events has, from what it says of one that it has not.
    fn names_of<T: DeserializeOwned>() -> BTreeSet<String> {
        let Err(error) = serde_json::from_str::<T>(r#"{"event":"?"}"#) else {
            panic!("no event has that name");
        };
        let message = error.to_string();
        let (_, expected) = message.split_once("expected ").expect("the names that it has");
        quoted(expected).collect()
    }

    /// What stands between backticks.
    fn quoted(text: &str) -> impl Iterator<Item = String> {
        text.split('`').skip(1).step_by(2).map(ToOwned::to_owned)
    }

    fn listed(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_type_of_events_has_the_names_that_are_listed() {
        assert_eq!(names_of::<EventKind>(), listed(&names::TRANSFER));
        assert_eq!(names_of::<ServiceEvent>(), listed(&names::SERVICE));
        assert_eq!(names_of::<EngineEvent>(), listed(&names::CONTROL));
        assert_eq!(names_of::<PingEvent>(), listed(&names::PING));
        assert_eq!(names_of::<CompareEvent>(), listed(&names::COMPARE));
    }

    #[test]
    fn the_command_has_the_names_that_are_listed() {
        let leftover = Leftover {
            path: "a.1-1.part".into(),
            bytes: 5,
            resumed_bytes: None,
        };
        let full = FullFolder {
            folder: "incoming".into(),
            free_bytes: 1,
            kept_bytes: 2,
        };
        let comparison = Comparison {
            version: Comparison::VERSION,
            program: "arraylift".into(),
            machine: Machine::default(),
            began_unix_s: 0,
            subject: Subject::default(),
            rounds: 1,
            entries: Vec::new(),
            skipped: Vec::new(),
            sizes: Vec::new(),
            ceilings: None,
        };
        let events = [
            CommandEvent::Listening { address: "127.0.0.1:1" },
            CommandEvent::Working {
                worker: 1,
                at: Path::new("a"),
            },
            CommandEvent::Leftover(&leftover),
            CommandEvent::NoRoom(&full),
            CommandEvent::Jobs {
                done: 1,
                failed: 0,
                cancelled: 0,
                not_begun: 0,
            },
            CommandEvent::Retry {
                after_s: 0.5,
                why: "gone".into(),
            },
            CommandEvent::Result(&comparison),
            CommandEvent::Omitted(Omitted { samples: 3, events: 0 }),
        ];
        let lines = events.map(|event| serde_json::to_string(&event).expect("serializes"));
        for (line, name) in lines.iter().zip(names::COMMAND) {
            assert!(line.starts_with(&format!("{{\"event\":\"{name}\",")), "{line}");
        }
        assert_eq!(lines[2], r#"{"event":"leftover","path":"a.1-1.part","bytes":5}"#);
        assert_eq!(lines[7], r#"{"event":"omitted","samples":3,"events":0}"#);
    }

    #[test]
    fn the_manual_has_every_name_and_no_other() {
        let manual = include_str!("../../docs/manual.md");
        let (_, section) = manual.split_once("\n## JSON events\n").expect("the section");
        let section = section.split("\n#").next().unwrap_or(section);
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let documented: BTreeSet<String> = rows
            .filter_map(|row| row.split('|').nth(1))
            .flat_map(|cell| quoted(cell).collect::<Vec<_>>())
            .collect();
        let all = [
            listed(&names::COMMAND),
            listed(&names::TRANSFER),
            listed(&names::SERVICE),
            listed(&names::CONTROL),
            listed(&names::PING),
            listed(&names::COMPARE),
        ];
        assert_eq!(documented, all.into_iter().flatten().collect());
    }
}
