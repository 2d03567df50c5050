//! Starts, follows and ends comparisons and the measurement of this machine's ceilings.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, bounded};

use super::App;
use super::model::compare::{Notice, Page};
use super::model::error_text;
use super::model::place::typed_path;
use super::words::say;
use super::worker::Task;
use crate::compare::ceilings::{Ceilings, Measuring};
use crate::compare::{CompareEvent, Comparing, Plan};
use crate::transfer::{Job, SinkSpec};

/// The page, and what runs for it.
#[derive(Debug, Default)]
pub(super) struct Comparisons {
    pub(super) page: Page,
    /// The program that compares; `None` is this one.
    program: Option<PathBuf>,
    running: Option<(Comparing, Receiver<CompareEvent>)>,
    /// What this machine can do at most, where it was measured.
    pub(super) ceilings: Option<Ceilings>,
    measuring: Option<Measuring>,
}

impl Comparisons {
    /// Whether anything is being measured that a transfer would disturb.
    pub(super) fn is_comparing(&self) -> bool {
        self.running.is_some()
    }

    /// Whether this machine is being measured.
    pub(super) fn is_measuring(&self) -> bool {
        self.measuring.is_some()
    }
}

impl App {
    /// The compare page.
    #[must_use]
    pub fn compare_page(&self) -> &Page {
        &self.comparisons.page
    }

    /// The same, to show a recorded result.
    pub fn compare_page_mut(&mut self) -> &mut Page {
        &mut self.comparisons.page
    }

    /// Takes this as what the machine can do at most.
    pub fn set_ceilings(&mut self, ceilings: Option<Ceilings>) {
        self.comparisons.ceilings = ceilings;
    }

    /// Lets this `arraylift` program run what is compared: for tests, which are another program.
    pub fn compare_with(&mut self, program: PathBuf) {
        self.comparisons.program = Some(program);
    }

    /// Why nothing can be measured now.
    pub(super) fn measuring_waits_for(&self) -> Option<&'static str> {
        if self.transfers.running() > 0 {
            Some(say!("compare-waits"))
        } else if self.comparisons.is_comparing() {
            Some(say!("compare-runs"))
        } else if self.comparisons.is_measuring() {
            Some(say!("compare-ceilings-run"))
        } else {
            None
        }
    }

    /// The array that the form names, in words; or why there is none to compare.
    pub(super) fn array_to_compare(&self) -> Result<String, &'static str> {
        let checked = &self.form.checked;
        match checked.recipe.as_ref().map(|recipe| &recipe.job) {
            Some(Job::Receive { .. }) => Err(say!("compare-not-here")),
            Some(Job::Fetch { .. }) => Err(say!("compare-not-fetched")),
            Some(_) if checked.is_tree() => Err(say!("compare-no-folder")),
            Some(_) => Ok(checked.summary.clone().unwrap_or_default()),
            None => Err(say!("compare-no-array")),
        }
    }

    /// Compares the routes for the array that the form names.
    pub(super) fn start_comparing(&mut self) {
        let Some(recipe) = self.form.checked.recipe.clone() else {
            return;
        };
        let (source, sink) = match recipe.job {
            Job::Loopback { source, sink } => (source, Some(sink)),
            Job::Send { source, .. } => (source, None),
            Job::Receive { .. } | Job::Fetch { .. } => return,
        };
        if self.form.checked.is_tree() {
            return;
        }
        if self.measuring_waits_for().is_some() {
            return;
        }
        let into = match sink {
            Some(SinkSpec::Folder(folder)) => Some(folder),
            Some(SinkSpec::File(path)) => path.parent().map(PathBuf::from),
            _ => None,
        };
        let program = self.comparisons.program.clone().map_or_else(std::env::current_exe, Ok);
        let Ok(program) = program else {
            let message = say!("compare-no-program");
            self.comparisons.page.notice = Some(Notice::Failure(message.to_owned()));
            return;
        };
        let page = &mut self.comparisons.page;
        let plan = Plan {
            source,
            program,
            into,
            rounds: page.rounds,
            sizes: page.with_sizes,
        };
        // Far more than a frame's worth; whoever compares waits for room.
        let (events, received) = bounded(256);
        page.begin();
        match Comparing::start(plan, events, self.waker.clone()) {
            Ok(comparing) => self.comparisons.running = Some((comparing, received)),
            Err(error) => page.end(Err(error_text::of(&error))),
        }
    }

    /// Gives a comparison up.
    pub(super) fn cancel_comparing(&mut self) {
        if let Some((comparing, _)) = &self.comparisons.running {
            comparing.cancel();
        }
    }

    /// Measures what this machine can do at most.
    pub(super) fn measure_ceilings(&mut self) {
        if self.measuring_waits_for().is_none() {
            match Measuring::start(None, self.waker.clone()) {
                Ok(measuring) => self.comparisons.measuring = Some(measuring),
                Err(error) => self.comparisons.page.notice = Some(Notice::Failure(error_text::of(&error))),
            }
        }
    }

    /// A transfer is about to start: what measures this machine would measure it, too.
    pub(super) fn stop_measuring(&mut self) {
        self.comparisons.measuring = None;
    }

    /// Takes in what was compared and measured since the last frame.
    pub(super) fn take_comparisons(&mut self) {
        let comparisons = &mut self.comparisons;
        let mut ended = None;
        if let Some((comparing, events)) = &comparisons.running {
            // Read before the events, so that the last ones are among those that are taken now.
            let result = comparing.result().cloned();
            for event in events.try_iter() {
                comparisons.page.fold(event);
            }
            if let Some(result) = result {
                let result = result.map_err(|error| error_text::of(&error));
                if let Ok(Some(comparison)) = &result
                    && let Some(ceilings) = &comparison.ceilings
                {
                    comparisons.ceilings = Some(ceilings.clone());
                }
                ended = Some(result.clone());
                comparisons.page.end(result);
                comparisons.running = None;
            }
        }
        if let Some(measured) = comparisons.measuring.as_ref().and_then(Measuring::result).cloned() {
            match measured {
                Ok(Some(ceilings)) => comparisons.ceilings = Some(ceilings),
                Ok(None) => {}
                Err(error) => comparisons.page.notice = Some(Notice::Failure(error_text::of(&error))),
            }
            comparisons.measuring = None;
        }
        match ended {
            Some(Ok(Some(comparison))) => self.note_other_end(|away| away.note_comparison(Ok(&comparison))),
            Some(Err(why)) => self.note_other_end(|away| away.note_comparison(Err(&why))),
            // A person cancelled it.
            Some(Ok(None)) | None => {}
        }
    }

    /// Saves what was compared where the page says.
    pub(super) fn save_comparison(&self) {
        let page = &self.comparisons.page;
        if let Some(result) = &page.result {
            let (comparison, path) = (Box::new(result.clone()), typed_path(&page.path));
            self.ask_worker(Task::SaveComparison { comparison, path });
        }
    }

    /// Reads the older result that the page names.
    pub(super) fn load_older_comparison(&self) {
        let path = typed_path(&self.comparisons.page.path);
        self.ask_worker(Task::LoadComparison(path));
    }
}
