//! `arraylift resume`: what broke, and how it goes on.

use std::collections::HashSet;
use std::os::unix::process::CommandExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::Error;
use crate::error::{Fault, reason};
use crate::history::{Again, Ending, Entry, Object, Query, Way};
use crate::service::{Leftover, unlogged_below};
use crate::transfer::{InterruptedPart, KEPT, interrupted_parts_below, left_behind};
use crate::units;

use super::arguments::ResumeArguments;
use super::history::{find, open, say, told};
use super::{Failure, output, printable};

pub(crate) fn run(typed: &ResumeArguments) -> Result<(), Failure> {
    if let Some(id) = typed.id {
        return go_on(id);
    }
    let unreadable = |error: std::io::Error| Error::SourceUnreadable {
        path: typed.folder.clone(),
        reason: reason(&error),
    };
    let parts = interrupted_parts_below(&typed.folder).map_err(unreadable)?;
    let unlogged = unlogged_below(&typed.folder);
    if typed.discard {
        return discard(&parts, &unlogged);
    }
    let broken = broken()?;
    if typed.json {
        for part in &parts {
            output::line(&Part::of(part));
        }
        for left in &unlogged {
            output::line(left);
        }
        for entry in &broken {
            output::line(&Object::of(entry, None));
        }
        return Ok(());
    }
    tell_parts(&typed.folder, &parts, &unlogged);
    tell_broken(&broken);
    Ok(())
}

/// Does again what was typed, as that process.
fn go_on(id: u64) -> Result<(), Failure> {
    let (entry, _) = find(id)?;
    if entry.outcome == Ending::Done && entry.items.as_ref().is_none_or(|items| items.failed == 0) {
        return Err(Failure::Incomplete(format!(
            "{id} came to its end: nothing of it is to be gone on with"
        )));
    }
    let Some(Again::CommandLine {
        arguments,
        folder,
        is_whole: true,
    }) = entry.again
    else {
        return Err(Failure::Incomplete(format!(
            "{id} was not done by a command that is known as a whole: type it again, or open it in the window"
        )));
    };
    let failed = |error: std::io::Error| Error::system("cannot start the command again", &error);
    let program = std::env::current_exe().map_err(failed)?;
    say(&format!("arraylift {}", arguments.join(" ")));
    output::finish();
    // It returns only where it fails.
    let error = Command::new(program).args(arguments).current_dir(folder).exec();
    Err(failed(error).into())
}

fn discard(parts: &[InterruptedPart], unlogged: &[Leftover]) -> Result<(), Failure> {
    let logged = parts.iter().map(|part| part.discard().unwrap_or(false));
    // Somebody may have begun to receive into it since.
    let is_removed = |left: &Leftover| left_behind(&left.path).is_some() && std::fs::remove_file(&left.path).is_ok();
    let removed = logged
        .chain(unlogged.iter().map(is_removed))
        .filter(|removed| *removed)
        .count();
    say(&format!("{removed} removed"));
    let all = parts.len() + unlogged.len();
    match all - removed {
        0 => Ok(()),
        left => Err(Failure::Incomplete(format!(
            "{left} of {all} are being received, or cannot be removed"
        ))),
    }
}

/// Sends that did not come to their end, the latest first, for as long as a receiver keeps what it has; not those whose
/// source went to the same place since.
fn broken() -> Result<Vec<Entry>, Failure> {
    let since = SystemTime::now().checked_sub(KEPT).unwrap_or(UNIX_EPOCH);
    let since_ms = since.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let query = Query {
        since_unix_ms: Some(i64::try_from(since_ms).unwrap_or(i64::MAX)),
        ..Query::default()
    };
    let (mut seen, mut broken) = (HashSet::new(), Vec::new());
    let mut take = |entries: Vec<Entry>| {
        for entry in entries {
            // One that reached nobody, or was refused, is not what broke.
            let has_begun = entry.outcome == Ending::Done || entry.bytes > 0 || entry.total_bytes.is_some();
            if entry.way != Way::Send || !has_begun {
                continue;
            }
            // The same source to the same place, whatever else was typed with it.
            let folder = match &entry.again {
                Some(Again::CommandLine { folder, .. }) => folder,
                _ => "",
            };
            let source = entry.source.as_deref().map(|source| absolute(folder, source));
            let is_latest = seen.insert((source, entry.peer.clone()));
            let may_go_on = match entry.outcome {
                Ending::Cancelled => true,
                Ending::Failed => entry.fault == Some(Fault::Peer),
                Ending::Done => entry.items.as_ref().is_some_and(|items| items.failed > 0),
                Ending::Damaged => false,
            };
            if is_latest && may_go_on && can_be_typed_again(&entry) {
                broken.push(entry);
            }
        }
    };
    if let Some(store) = open()? {
        store.list_in_parts(&query, &mut take).map_err(told)?;
    }
    Ok(broken)
}

/// Whether its command is known, and reads what can be read again: not what came by a pipe.
fn can_be_typed_again(entry: &Entry) -> bool {
    match &entry.again {
        Some(Again::CommandLine {
            arguments,
            is_whole: true,
            ..
        }) => !arguments.iter().any(|argument| argument == "-"),
        _ => false,
    }
}

/// A source as an absolute path without what means nothing, where it is a path.
fn absolute(folder: &str, source: &str) -> PathBuf {
    let typed = Path::new(folder).join(source);
    let mut path = PathBuf::new();
    for component in typed.components() {
        match component {
            Component::CurDir => {}
            // Where a folder is a link, this names another one: then it is no earlier transfer that is told of, but one more.
            Component::ParentDir if path.file_name().is_some() => {
                path.pop();
            }
            component => path.push(component),
        }
    }
    path
}

fn tell_parts(folder: &Path, parts: &[InterruptedPart], unlogged: &[Leftover]) {
    if parts.is_empty() && unlogged.is_empty() {
        say(&format!("nothing lies half received in {}", folder.display()));
    }
    for part in parts {
        let how = if part.is_in_use {
            "being received"
        } else {
            "the same sent or fetched again goes on"
        };
        let is_of = match &part.within {
            Some(within) => format!("a part of that file, from its byte {} on", within.at),
            None => part.part.file_name().unwrap_or_default().display().to_string(),
        };
        say(&format!(
            "{}: {} are there ({is_of}), {how}",
            wanted_below(folder, part),
            units::done_of(part.recorded_bytes, part.bytes)
        ));
    }
    for left in unlogged {
        say(&format!(
            "{} ({}): what came of it is known to nobody, --discard removes it",
            left.path.strip_prefix(folder).unwrap_or(&left.path).display(),
            units::bytes(left.bytes)
        ));
    }
}

/// The path that a part is to have, as seen from a folder.
fn wanted_below(folder: &Path, part: &InterruptedPart) -> String {
    let below = part.part.parent().and_then(|parent| parent.strip_prefix(folder).ok());
    let below = below.unwrap_or(Path::new("")).join(&part.wanted);
    below.display().to_string()
}

fn tell_broken(broken: &[Entry]) {
    for entry in broken {
        let failed = entry.items.as_ref().filter(|_| entry.outcome == Ending::Done);
        let how_far = match (failed, entry.total_bytes) {
            (Some(items), _) => format!("{} of it did not arrive", units::count(items.failed)),
            (None, Some(total)) => format!("{} had moved", units::done_of(entry.there_bytes().min(total), total)),
            (None, None) => format!("{} had moved", units::bytes(entry.bytes)),
        };
        say(&format!(
            "{}  {}: {how_far}; arraylift resume {id} goes on, arraylift history forget {id} takes it off",
            entry.when(),
            printable(&entry.what()),
            id = entry.id
        ));
    }
}

/// A part as an object of JSON.
#[derive(Serialize)]
struct Part<'a> {
    #[serde(serialize_with = "crate::transfer::path_text::path")]
    path: &'a Path,
    name: &'a str,
    bytes: u64,
    recorded_bytes: u64,
    since_unix_s: u64,
    is_in_use: bool,
    /// The byte with which it begins in a file that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_byte: Option<u64>,
}

impl<'a> Part<'a> {
    fn of(part: &'a InterruptedPart) -> Self {
        let since = part.since.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            path: &part.part,
            name: &part.wanted,
            bytes: part.bytes,
            recorded_bytes: part.recorded_bytes,
            since_unix_s: since.as_secs(),
            is_in_use: part.is_in_use,
            at_byte: part.within.as_ref().map(|within| within.at),
        }
    }
}
