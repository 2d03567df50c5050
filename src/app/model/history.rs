//! The history page: what was found, which run is picked, and which one lies over it.

use crate::history::{Again, Curves, Entry};

/// So many entries are shown at once; a search finds the others.
pub(crate) const SHOWN: u64 = 200;

/// What was read of the history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// What was looked for.
    pub search: String,
    /// The latest ones first, or why there are none.
    pub entries: Result<Vec<Entry>, String>,
}

/// A run whose bytes over time are drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    /// What is known of it.
    pub entry: Entry,
    /// Its bytes over time.
    pub curves: Curves,
}

/// What the page shows.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The latest first.
    pub entries: Vec<Entry>,
    /// What is looked for.
    pub search: String,
    /// Why nothing can be shown.
    pub trouble: Option<String>,
    /// Whether something was read, be it nothing.
    pub is_known: bool,
    /// Whether what this window transfers is left out.
    pub is_switched_off: bool,
    /// The number of the entry that is picked.
    pub picked: Option<u64>,
    /// The number of the one that lies over it.
    pub beside: Option<u64>,
    /// Whether the page asks if the picked one is to be forgotten.
    pub asks_to_forget: bool,
    runs: Vec<Run>,
}

impl Page {
    /// Takes in what was found, unless something else is looked for by now.
    pub(crate) fn take(&mut self, found: Found) {
        if found.search != self.search {
            return;
        }
        self.is_known = true;
        match found.entries {
            Ok(entries) => (self.entries, self.trouble) = (entries, None),
            Err(why) => (self.entries, self.trouble) = (Vec::new(), Some(why)),
        }
        let is_there = |picked| self.run(picked).is_some() || self.entries.iter().any(|entry| entry.id == picked);
        if !self.picked.is_some_and(is_there) {
            self.picked = self.entries.first().map(|entry| entry.id);
        }
    }

    /// Takes in runs whose curves were asked for.
    pub(crate) fn take_runs(&mut self, runs: Vec<Run>) {
        for run in runs {
            if self.is_shown(run.entry.id) && self.run(run.entry.id).is_none() {
                self.runs.push(run);
            }
        }
    }

    /// Picks an entry. What lay over the one before lies over this one.
    pub(crate) fn pick(&mut self, id: u64) {
        self.picked = Some(id);
        self.beside = self.beside.filter(|beside| *beside != id);
        self.asks_to_forget = false;
    }

    /// Lays a run over the picked one, or takes it away.
    pub(crate) fn lay_over(&mut self, id: Option<u64>) {
        self.beside = id.filter(|id| Some(*id) != self.picked);
    }

    /// The numbers of runs that are shown and not known yet.
    pub(crate) fn missing(&self) -> Vec<u64> {
        let shown = self.picked.into_iter().chain(self.beside);
        shown.filter(|id| self.run(*id).is_none()).collect()
    }

    /// The picked run, as far as it is known.
    pub(crate) fn picked_run(&self) -> Option<&Run> {
        self.run(self.picked?)
    }

    /// The run that lies over it.
    pub(crate) fn run_beside(&self) -> Option<&Run> {
        self.run(self.beside?)
    }

    /// Lets go of the curves of runs that are no longer shown.
    pub(crate) fn forget_runs(&mut self) {
        let shown = [self.picked, self.beside];
        self.runs.retain(|run| shown.contains(&Some(run.entry.id)));
    }

    /// An entry is gone.
    pub(crate) fn remove(&mut self, id: u64) {
        self.entries.retain(|entry| entry.id != id);
        self.runs.retain(|run| run.entry.id != id);
        self.beside = self.beside.filter(|beside| *beside != id);
        if self.picked == Some(id) {
            self.picked = self.entries.first().map(|entry| entry.id);
        }
        self.asks_to_forget = false;
    }

    /// What the form was when the window did it; nothing for what another command did.
    pub(crate) fn form(&self, id: u64) -> Option<crate::app::model::form::Form> {
        let entry = self.entries.iter().find(|entry| entry.id == id);
        match entry.or(self.run(id).map(|run| &run.entry))?.again.as_ref()? {
            Again::Form(form) => serde_json::from_value(form.clone()).ok(),
            Again::CommandLine { .. } => None,
        }
    }

    fn is_shown(&self, id: u64) -> bool {
        self.picked == Some(id) || self.beside == Some(id)
    }

    fn run(&self, id: u64) -> Option<&Run> {
        self.runs.iter().find(|run| run.entry.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64) -> Entry {
        Entry { id, ..Entry::default() }
    }

    fn found(search: &str, ids: &[u64]) -> Found {
        Found {
            search: search.into(),
            entries: Ok(ids.iter().map(|id| entry(*id)).collect()),
        }
    }

    fn run(id: u64) -> Run {
        Run {
            entry: entry(id),
            curves: Curves::default(),
        }
    }

    #[test]
    fn the_latest_is_picked_and_a_late_answer_to_another_search_is_dropped() {
        let mut page = Page::default();
        page.take(found("", &[3, 2, 1]));
        assert_eq!((page.picked, page.missing()), (Some(3), vec![3]));
        page.search = "b".into();
        page.take(found("", &[5]));
        assert_eq!(page.entries.len(), 3);
        page.take(found("b", &[2]));
        assert_eq!((page.entries.len(), page.picked), (1, Some(2)));
    }

    #[test]
    fn what_is_picked_before_its_run_is_read_stays_picked_where_it_is_found() {
        let mut page = Page::default();
        page.take(found("", &[3, 2, 1]));
        page.search = "b".into();
        page.pick(2);
        page.take(found("b", &[3, 2]));
        assert_eq!((page.picked, page.missing()), (Some(2), vec![2]));
        page.pick(1);
        page.take(found("b", &[3, 2]));
        assert_eq!(page.picked, Some(3), "it is not among them");
    }

    #[test]
    fn two_runs_are_shown_and_never_the_same_twice() {
        let mut page = Page::default();
        page.take(found("", &[3, 2, 1]));
        page.lay_over(Some(1));
        assert_eq!(page.missing(), [3, 1]);
        page.take_runs(vec![run(3), run(1), run(2)]);
        assert!(page.missing().is_empty());
        assert_eq!(page.run_beside().map(|run| run.entry.id), Some(1));
        page.pick(1);
        assert_eq!((page.picked, page.beside), (Some(1), None));
        page.lay_over(Some(1));
        assert_eq!(page.beside, None);
        // What is picked stays, whatever is found next.
        page.take(found("", &[9]));
        assert_eq!(page.picked, Some(1));
    }

    #[test]
    fn what_is_forgotten_is_no_longer_shown() {
        let mut page = Page::default();
        page.take(found("", &[3, 2, 1]));
        page.take_runs(vec![run(3)]);
        page.remove(3);
        assert_eq!((page.picked, page.picked_run()), (Some(2), None));
    }

    #[test]
    fn only_what_the_window_did_can_be_put_into_its_form() {
        let mut page = Page::default();
        let form = crate::app::model::form::Form {
            to: "77".into(),
            ..Default::default()
        };
        let mut one = entry(1);
        one.again = Some(Again::form(serde_json::to_value(&form).unwrap()));
        page.entries = vec![one, entry(2)];
        assert_eq!(page.form(1), Some(form));
        assert_eq!(page.form(2), None);
    }
}
