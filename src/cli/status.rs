//! `arraylift status`: what runs on this machine for this user.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;
use crate::control::{EngineEvent, EngineLine, Engines, Viewer, engines};
use crate::service::{AnyEvent, ServiceEvent, Status};
use crate::transfer::{Event, EventKind, Items, Side, State, TransferId};
use crate::units;
use serde::Serialize;

use super::Failure;
use super::arguments::StatusArguments;
use super::output;
use super::report::Report;

/// An engine that does not say all of what it does by then is left out.
const PATIENCE: Duration = Duration::from_secs(2);
/// Transfers that are shown of each.
const SHOWN_MAX: usize = 20;

/// A process and what it moves.
#[derive(Debug, Serialize)]
struct ProcessStatus {
    pid: u32,
    command: String,
    side: Side,
    started_unix_s: u64,
    version: String,
    transfers: Vec<TransferStatus>,
    service: Option<Status>,
}

/// A transfer of that process.
#[derive(Debug, Default, Serialize)]
struct TransferStatus {
    transfer: u64,
    source: Option<String>,
    peer: Option<String>,
    bytes: u64,
    has_begun: bool,
    total_bytes: Option<u64>,
    resumed_bytes: u64,
    /// Of a folder: how far its items are.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Items>,
    /// Over the last second or two.
    rate_bytes_per_s: f64,
    state: Option<State>,
    limit_bytes_per_s: Option<u64>,
}

pub(crate) fn run(typed: &StatusArguments) -> Result<(), Failure> {
    let report = Report::new(typed.json, Side::Receiver);
    let (mut count, mut unasked) = (0_usize, 0_usize);
    let engines = engines();
    for (pid, path) in &engines.found {
        match look(path)
            .transpose()
            .or_else(|| is_there(path).then_some(Err(turned_away())))
        {
            Some(Ok(seen)) => {
                count += 1;
                if typed.json {
                    report.line(&seen);
                } else {
                    for line in lines(&seen, now_unix_s()) {
                        report.say(&line);
                    }
                }
            }
            None => {}
            // It was killed, and could not put its socket away.
            Some(Err(Error::NobodyListening(_))) => {
                // Gone already is as good.
                let _ = std::fs::remove_file(path);
            }
            Some(Err(error)) => {
                unasked += 1;
                output::complain(&Failure::Of {
                    name: format!("process {pid}"),
                    failure: Box::new(error.into()),
                });
            }
        }
    }
    if !engines.unknown.is_empty() {
        return Err(Failure::Incomplete(not_known(&engines)));
    }
    if unasked > 0 {
        let text = format!("it is not known all that runs here: {unasked} could not be asked");
        return Err(Failure::Incomplete(text));
    }
    if count == 0 && !typed.json {
        report.say(&nothing(&engines));
    }
    Ok(())
}

/// Whether somebody listens there still.
fn is_there(path: &Path) -> bool {
    !matches!(Viewer::connect(path, PATIENCE), Err(Error::NobodyListening(_)))
}

fn turned_away() -> Error {
    Error::ClosedWhile("before it said what it does: as many watch it as may, or it does not let this user")
}

/// Nothing runs, as far as one can see.
pub(super) fn nothing(engines: &Engines) -> String {
    let folders: Vec<_> = engines
        .folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    format!(
        "nothing sends, receives or serves here now, as far as is seen in {}",
        folders.join(" and ")
    )
}

/// Where it could not look.
pub(super) fn not_known(engines: &Engines) -> String {
    let unknown: Vec<_> = engines
        .unknown
        .iter()
        .map(|(folder, why)| format!("{}: {why}", folder.display()))
        .collect();
    format!(
        "it is not known what else runs here, cannot look in {}",
        unknown.join(", nor in ")
    )
}

/// What an engine does now; nothing where it ends just then.
fn look(path: &Path) -> Result<Option<ProcessStatus>, Error> {
    let mut viewer = Viewer::connect(path, PATIENCE)?;
    let Some(EngineLine::Engine(EngineEvent::Engine {
        version,
        pid,
        command,
        side,
        started_unix_s,
    })) = viewer.next_line()?
    else {
        return Ok(None);
    };
    let (mut moving, mut service) = (BTreeMap::new(), None);
    loop {
        match viewer.next_line()? {
            Some(EngineLine::Engine(EngineEvent::Now)) => break,
            Some(EngineLine::Engine(EngineEvent::Job { transfer, source })) => {
                of(&mut moving, transfer).source = Some(source);
            }
            Some(EngineLine::Event(AnyEvent::Service(ServiceEvent::Service(status)))) => service = Some(status),
            Some(EngineLine::Event(AnyEvent::Transfer(event))) => {
                note(of(&mut moving, event.transfer), side, &event);
            }
            Some(_) => {}
            None => return Ok(None),
        }
    }
    Ok(Some(ProcessStatus {
        pid,
        command,
        side,
        started_unix_s,
        version,
        transfers: moving.into_values().filter(TransferStatus::has_peer).collect(),
        service,
    }))
}

fn of(moving: &mut BTreeMap<TransferId, TransferStatus>, transfer: TransferId) -> &mut TransferStatus {
    let new = || TransferStatus {
        transfer: transfer.0,
        ..TransferStatus::default()
    };
    moving.entry(transfer).or_insert_with(new)
}

/// Takes in what is told of a transfer of a process that is this `side` of it.
fn note(moving: &mut TransferStatus, side: Side, event: &Event) {
    match &event.kind {
        EventKind::Started(started) => {
            moving.source = moving.source.take().or_else(|| started.source.clone());
            moving.peer = Some(started.peer.clone());
            (moving.has_begun, moving.total_bytes) = (true, started.total_bytes);
            moving.resumed_bytes = started.resumed_bytes;
        }
        EventKind::Sample(sample) => {
            moving.bytes = sample.bytes;
            moving.rate_bytes_per_s = sample.rate_bytes_per_s;
        }
        EventKind::Items(items) if event.side == side => moving.items = Some(items.counts()),
        EventKind::State { state } if event.side == side => moving.state = Some(*state),
        EventKind::Limit { bytes_per_s } => moving.limit_bytes_per_s = *bytes_per_s,
        _ => {}
    }
}

fn lines(seen: &ProcessStatus, now_unix_s: u64) -> Vec<String> {
    let since = units::left(now_unix_s.saturating_sub(seen.started_unix_s) as f64);
    let mut lines = vec![format!("{}  {}  (for {since})", seen.pid, seen.command)];
    if let Some(status) = &seen.service {
        lines.push(format!("    {}", status.in_words()));
    }
    let begun = |moving: &&TransferStatus| moving.has_begun;
    for moving in seen.transfers.iter().filter(begun).take(SHOWN_MAX) {
        let name = moving.source.as_ref().or(moving.peer.as_ref());
        lines.push(format!(
            "    {}: {}  {}  {}",
            moving.transfer,
            name.map_or("", String::as_str),
            moving.how_far(),
            moving.doing()
        ));
    }
    let more = seen.transfers.iter().filter(begun).count().saturating_sub(SHOWN_MAX);
    if more > 0 {
        lines.push(format!("    and {more} more"));
    }
    lines
}

impl TransferStatus {
    /// Whether it is more than a place where a sender is awaited.
    fn has_peer(&self) -> bool {
        self.state != Some(State::Listening)
    }

    /// `12.1 of 40.0 GB`, `12.1 GB  1,234 of 5,678 items`.
    fn how_far(&self) -> String {
        let bytes = match self.total_bytes {
            Some(total) => units::done_of(self.resumed_bytes.saturating_add(self.bytes), total),
            None => units::bytes(self.bytes).to_string(),
        };
        match &self.items {
            Some(items) => format!("{bytes}  {}", items.how_far_in_words()),
            None => bytes,
        }
    }

    /// `153 MB/s`, `4.00 MB/s  limited to 4.00 MB/s`, `paused`.
    fn doing(&self) -> String {
        let doing = match self.state {
            Some(State::Paused) => "paused".to_owned(),
            _ => units::rate(self.rate_bytes_per_s).to_string(),
        };
        match self.limit_bytes_per_s {
            Some(limit) => format!("{doing}  limited to {}", units::rate(limit as f64)),
            None => doing,
        }
    }
}

fn now_unix_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_says_what_it_does_and_what_holds_it() {
        let mut moving = TransferStatus::default();
        let event = |side, kind| Event::new(TransferId(4), side, 1.0, kind);
        let state = |state| event(Side::Sender, EventKind::State { state });
        note(&mut moving, Side::Sender, &state(State::Transferring));
        moving.rate_bytes_per_s = 4e6;
        assert_eq!(moving.doing(), "4.00 MB/s");
        let bytes_per_s = Some(4_000_000);
        let limit = event(Side::Sender, EventKind::Limit { bytes_per_s });
        note(&mut moving, Side::Sender, &limit);
        assert_eq!(moving.doing(), "4.00 MB/s  limited to 4.00 MB/s");
        let items = Items {
            stored: 3,
            known: 8,
            ..Items::default()
        };
        note(
            &mut moving,
            Side::Sender,
            &event(Side::Sender, EventKind::Items(Box::new(items))),
        );
        assert_eq!(moving.how_far(), "0 B  3 of 8 items so far");
        note(&mut moving, Side::Sender, &state(State::Paused));
        assert_eq!(moving.doing(), "paused  limited to 4.00 MB/s");
        let line = serde_json::to_value(&moving).expect("json");
        assert_eq!(
            (&line["state"], &line["limit_bytes_per_s"]),
            (&"paused".into(), &4_000_000.into())
        );
    }
}
