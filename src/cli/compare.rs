//! `arraylift compare SOURCE`: the same array by each route, side by side.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compare::ceilings::{Measuring, read_cached};
use crate::compare::{CompareEvent, Comparing, Comparison, save};
use crossbeam_channel::{Receiver, bounded, select};

use super::arguments::CompareArguments;
use super::json::CommandEvent;
use super::output::{BarChange, BarId, Look};
use super::{Failure, comparison_tables, output, plan, printable};
use crate::signals::Signals;

/// Events that may wait; the comparison waits for room.
const EVENTS: usize = 256;

pub(crate) fn run(typed: &CompareArguments) -> Result<(), Failure> {
    let plan::ComparePlan { plan, with } = plan::compare(typed)?;
    let signals = Signals::new(1)?;
    let mut show = Output::new(typed.json);
    let folder = plan.into.clone();
    // A source that cannot be sent is found before seconds are spent on the machine.
    crate::compare::check(&plan.source)?;
    measure_ceilings(typed.measure_ceilings, folder, &signals, &show)?;
    let (tell, events) = bounded(EVENTS);
    let comparing = Comparing::start(plan, tell, Arc::new(|| {}))?;
    follow(&comparing, &events, &signals, &mut show);
    let result = comparing.join();
    show.end();
    let comparison = result?.ok_or_else(cancelled)?;
    show.result(&comparison, with.as_ref());
    for path in &typed.save {
        save(&comparison, path)?;
        show.saved(path);
    }
    complete(&comparison)
}

/// Takes events until there are no more; a signal gives up.
fn follow(comparing: &Comparing, events: &Receiver<CompareEvent>, signals: &Signals, show: &mut Output) {
    loop {
        select! {
            recv(events) -> event => match event {
                Ok(event) => show.event(&event),
                Err(_) => return,
            },
            recv(signals.asked()) -> _ => comparing.cancel(),
        }
    }
}

/// What this machine can do at most is measured where it is not known, or was asked for again.
fn measure_ceilings(again: bool, folder: Option<PathBuf>, signals: &Signals, show: &Output) -> Result<(), Failure> {
    let folder = folder.map(|folder| folder.canonicalize().unwrap_or(folder));
    let known = read_cached().is_some_and(|ceilings| {
        let has_disk = |folder: &PathBuf| ceilings.disks.contains_key(&folder.display().to_string());
        folder.as_ref().is_none_or(has_disk)
    });
    if known && !again {
        return Ok(());
    }
    show.runs(0);
    show.at(0, "measuring what this machine can do at most".into());
    let (wake, woken) = bounded(1);
    let measuring = Measuring::start(
        folder,
        Arc::new(move || {
            // Nobody waits any more: then nobody needs to be woken.
            let _ = wake.try_send(());
        }),
    )?;
    select! {
        recv(woken) -> _ => {}
        recv(signals.asked()) -> _ => return Err(cancelled()),
    }
    if let Some(Err(error)) = measuring.result() {
        output::complain(&format_args!("the machine's ceilings could not be measured: {error}"));
    }
    Ok(())
}

fn cancelled() -> Failure {
    Failure::Cancelled(Some("it has no result, and nothing is saved".into()))
}

/// Fails where someone who took part has nothing to show.
fn complete(comparison: &Comparison) -> Result<(), Failure> {
    let without: Vec<&str> = comparison
        .entries
        .iter()
        .filter(|entry| entry.summary.is_none())
        .map(|entry| entry.contestant.name.as_str())
        .collect();
    if without.is_empty() {
        return Ok(());
    }
    Err(Failure::Incomplete(format!(
        "no round went well of: {}",
        without.join("; ")
    )))
}

/// Who is told, and how.
struct Output {
    json: bool,
    /// Runs that have begun.
    begun: u64,
}

impl Output {
    fn new(json: bool) -> Self {
        Self { json, begun: 0 }
    }

    fn event(&mut self, event: &CompareEvent) {
        // The beginning of a run has no name: it only moves the bar.
        if self.json && !matches!(event, CompareEvent::Begun { .. }) {
            output::line(event);
        }
        match event {
            CompareEvent::Planned { runs, .. } => self.runs(*runs as u64),
            CompareEvent::Begun { id, round, bytes } => {
                let round = if *round == 0 {
                    "warm-up".into()
                } else {
                    format!("round {round}")
                };
                self.begun += 1;
                self.at(self.begun, format!("{round}, {}: {id}", crate::units::bytes(*bytes)));
            }
            CompareEvent::Round { .. } | CompareEvent::Lost { .. } | CompareEvent::Size(_) => {}
        }
    }

    fn end(&self) {
        self.bar(BarChange::Clear);
    }

    fn result(&self, comparison: &Comparison, with: Option<&Comparison>) {
        if self.json {
            output::line(&CommandEvent::Result(comparison));
            return;
        }
        let bars = std::io::stdout().is_terminal();
        let mut text = comparison_tables::result(comparison, bars);
        if let Some(old) = with {
            text += "\n";
            text += &comparison_tables::overlaid(comparison, old);
        }
        say(&text);
    }

    fn saved(&self, path: &Path) {
        if !self.json {
            say(&format!("saved as {}\n", path.display()));
        }
    }

    /// So many runs there are in all.
    fn runs(&self, runs: u64) {
        self.bar(BarChange::Show {
            look: Look::Count,
            length: Some(runs),
            name: String::new(),
        });
    }

    fn at(&self, position: u64, text: String) {
        self.bar(BarChange::Move { position, text });
    }

    fn bar(&self, change: BarChange) {
        if !self.json {
            output::bar(BarId::Command, change);
        }
    }
}

/// Lines on standard output.
fn say(text: &str) {
    let lines: Vec<String> = text.lines().map(|line| printable(line) + "\n").collect();
    output::text(lines.concat());
}
