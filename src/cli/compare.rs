//! `arraylift compare SOURCE`: the same array by each route, side by side.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compare::ceilings::{Measuring, read_cached};
use crate::compare::{CompareEvent, Comparing, Comparison, save};
use crossbeam_channel::{Receiver, bounded, select};
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::CompareArguments;
use super::json::{CommandEvent, JsonLines};
use super::{Failure, comparison_tables, complain, output, plan, printable};
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
    let comparison = result?.ok_or(Failure::Cancelled)?;
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
    show.bar.set_message("measuring what this machine can do at most");
    show.bar.tick();
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
        recv(signals.asked()) -> _ => return Err(Failure::Cancelled),
    }
    if let Some(Err(error)) = measuring.result() {
        show.remark(&format!("the machine's ceilings could not be measured: {error}"));
    }
    Ok(())
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
    json: Option<JsonLines>,
    bar: ProgressBar,
}

impl Output {
    fn new(json: bool) -> Self {
        let bar = if json {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(0)
        };
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self {
            json: json.then(JsonLines::default),
            bar,
        }
    }

    fn event(&mut self, event: &CompareEvent) {
        // The beginning of a run has no name: it only moves the bar.
        if let (Some(lines), false) = (&mut self.json, matches!(event, CompareEvent::Begun { .. })) {
            lines.line(event);
        }
        match event {
            CompareEvent::Planned { runs, .. } => self.bar.set_length(*runs as u64),
            CompareEvent::Begun { id, round, bytes } => {
                let round = if *round == 0 {
                    "warm-up".into()
                } else {
                    format!("round {round}")
                };
                self.bar
                    .set_message(format!("{round}, {}: {id}", crate::units::bytes(*bytes)));
                self.bar.inc(1);
            }
            CompareEvent::Round { .. } | CompareEvent::Lost { .. } | CompareEvent::Size(_) => {}
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn result(&mut self, comparison: &Comparison, with: Option<&Comparison>) {
        if let Some(lines) = &mut self.json {
            lines.line(&CommandEvent::Result(comparison));
            return;
        }
        let bars = std::io::stdout().is_terminal();
        let mut text = comparison_tables::result(comparison, bars);
        if let Some(old) = with {
            text += "\n";
            text += &comparison_tables::overlaid(comparison, old);
        }
        self.say(&text);
    }

    fn saved(&self, path: &Path) {
        if self.json.is_none() {
            self.say(&format!("saved as {}\n", path.display()));
        }
    }

    /// Lines on standard output. Nobody may be reading them, which is no reason to fail.
    fn say(&self, text: &str) {
        self.bar.suspend(|| {
            let lines: Vec<String> = text.lines().map(|line| printable(line) + "\n").collect();
            output::write(lines.concat().as_bytes());
        });
    }

    /// A line beside what was asked for.
    fn remark(&self, line: &str) {
        self.bar.suspend(|| complain(&line));
    }
}

const TEMPLATE: &str = "{wide_bar} {pos}/{len} {msg}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
