//! The list as it is read: groups with their rows, narrowed down by a filter.

use super::format::RateUnit;
use super::row::{Phase, Row, RowKey};
use super::services::{Service, Services};
use super::transfers::Transfers;
use crate::transfer::State;

/// Rows that belong together, from the top to the bottom of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Bytes move, or would if it were not paused.
    Running,
    /// It waits for its turn or for a sender; the next one first.
    Waiting,
    /// It broke, and may go on.
    Interrupted,
    /// It failed, and may be tried again.
    Failed,
    /// It has ended well, or was cancelled.
    Done,
    /// What other processes do.
    Others,
}

/// One line of the list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Line<'a> {
    /// A group begins.
    Heading(Group),
    /// A transfer.
    Row(&'a Row),
    /// A service of another process, by its process id.
    Service(u32, &'a Service),
    /// So many more were done and are not listed any more.
    More(u64),
}

/// What is listed, and which of it a person wants to see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a> {
    /// The transfers of this window and of others.
    pub transfers: &'a Transfers,
    /// The services of other processes.
    pub services: &'a Services,
    /// Words that a row has to have; all of them.
    pub filter: &'a str,
}

impl Row {
    /// Where it stands in the list.
    #[must_use]
    pub(crate) fn group(&self) -> Group {
        match self.phase {
            _ if !self.is_own() => Group::Others,
            Phase::Is(State::Queued | State::Listening) => Group::Waiting,
            Phase::Interrupted { .. } => Group::Interrupted,
            Phase::Failed { .. } => Group::Failed,
            _ if self.is_over() => Group::Done,
            _ => Group::Running,
        }
    }

    /// Whether its name or its other end has all words of a filter, in letters of either case.
    #[must_use]
    pub(crate) fn matches(&self, filter: &str) -> bool {
        if filter.trim().is_empty() {
            return true;
        }
        let text = format!("{} {}", self.name(), self.endpoint_in_words()).to_lowercase();
        filter
            .split_whitespace()
            .all(|word| text.contains(&word.to_lowercase()))
    }
}

impl<'a> List<'a> {
    /// Whether there is nothing to list, whatever the filter.
    #[must_use]
    pub(crate) fn is_empty(self) -> bool {
        self.transfers.rows().is_empty() && self.services.is_empty()
    }

    /// Its lines from top to bottom. A group without rows has no heading.
    #[must_use]
    pub(crate) fn lines(self) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        let own = [
            Group::Running,
            Group::Waiting,
            Group::Interrupted,
            Group::Failed,
            Group::Done,
        ];
        for group in own {
            let rows = self.group(group);
            let more = self.more(group);
            if rows.is_empty() && more.is_none() {
                continue;
            }
            lines.push(Line::Heading(group));
            lines.extend(rows.into_iter().map(Line::Row));
            lines.extend(more.map(Line::More));
        }
        let others = self.group(Group::Others);
        let services = self.services.iter().filter(|(pid, service)| self.shows(*pid, service));
        let mut services = services.map(|(pid, service)| Line::Service(pid, service)).peekable();
        if !others.is_empty() || services.peek().is_some() {
            lines.push(Line::Heading(Group::Others));
            if !self.transfers.others_are_folded() {
                lines.extend(services);
                lines.extend(others.into_iter().map(Line::Row));
            }
        }
        lines
    }

    /// The rows of a group that pass the filter, in the order of the list.
    #[must_use]
    pub(crate) fn group(self, group: Group) -> Vec<&'a Row> {
        let all = match group {
            Group::Others => self.transfers.others(),
            _ => self.transfers.own_rows(),
        };
        let is_meant = |row: &&'a Row| row.group() == group && row.matches(self.filter);
        let mut rows: Vec<&Row> = all.iter().filter(is_meant).collect();
        if group == Group::Waiting {
            // Who listens takes no turn, and stands above those that do.
            rows.reverse();
            rows.sort_by_key(|row| row.is_waiting());
        }
        rows
    }

    /// The keys of all rows that are shown, from top to bottom.
    #[must_use]
    pub(crate) fn keys(self) -> Vec<RowKey> {
        let row = |line| match line {
            Line::Row(row) => Some(row.key),
            _ => None,
        };
        self.lines().into_iter().filter_map(row).collect()
    }

    /// The unit of all rates of the list: that of the selected transfer, or of the highest mean where that is larger.
    #[must_use]
    pub(crate) fn unit(self) -> RateUnit {
        let means = self.transfers.rows().iter().map(Row::mean_bytes_per_s);
        let selected = self.transfers.selected().map(|row| row.rate_unit().divisor);
        self.transfers.scale().unit(means.chain(selected).fold(0.0, f64::max))
    }

    /// How many of a group have no row of their own, where somebody looks at all of it.
    fn more(self, group: Group) -> Option<u64> {
        let done = self.transfers.forgotten_done();
        (group == Group::Done && done > 0 && self.filter.trim().is_empty()).then_some(done)
    }

    fn shows(self, pid: u32, service: &Service) -> bool {
        let text = format!("{} {pid}", service.command).to_lowercase();
        let mut words = self.filter.split_whitespace();
        words.all(|word| text.contains(&word.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::Form;
    use crate::app::model::plan::{Paths, check};

    fn transfers() -> (Transfers, Vec<RowKey>) {
        let mut transfers = Transfers::default();
        let keys = ["10", "20", "30", "40", "50"].map(|to| {
            let form = Form {
                to: to.to_owned(),
                ..Form::default()
            };
            transfers.add(check(&form, &Paths::default()).recipe.expect("a recipe"), 0.0)
        });
        let phases = [
            Phase::Is(State::Queued),
            Phase::Done { verified: Some(true) },
            Phase::Is(State::Queued),
            Phase::Is(State::Listening),
            Phase::Is(State::Paused),
        ];
        for (key, phase) in keys.into_iter().zip(phases) {
            transfers.row_mut(key).expect("a row").phase = phase;
        }
        (transfers, keys.to_vec())
    }

    fn list<'a>(transfers: &'a Transfers, services: &'a Services, filter: &'a str) -> List<'a> {
        List {
            transfers,
            services,
            filter,
        }
    }

    #[test]
    fn what_runs_is_above_what_waits_and_that_above_what_is_done_and_no_group_is_empty() {
        let (transfers, keys) = transfers();
        let services = Services::default();
        let list = list(&transfers, &services, "");
        // Of those that wait: who listens, then the next to begin, then the one after it.
        assert_eq!(list.keys(), [keys[4], keys[3], keys[0], keys[2], keys[1]]);
        let headings: Vec<Group> = list
            .lines()
            .into_iter()
            .filter_map(|line| match line {
                Line::Heading(group) => Some(group),
                _ => None,
            })
            .collect();
        assert_eq!(headings, [Group::Running, Group::Waiting, Group::Done]);
    }

    #[test]
    fn a_filter_keeps_rows_that_have_all_its_words_by_name_or_other_end() {
        let (transfers, keys) = transfers();
        let mut services = Services::default();
        services.note_command(4711, "serve 127.0.0.1:25000".to_owned());
        let shown = |filter: &str| list(&transfers, &services, filter).keys();
        assert_eq!(shown("… 30"), [keys[2]]);
        assert_eq!(shown("THIS machine"), shown(""));
        assert_eq!(shown("20 machine"), [keys[1]]);
        assert!(shown("nowhere").is_empty());
        let lines = |filter| list(&transfers, &services, filter).lines().len();
        assert_eq!((lines("serve 25000"), lines("nowhere")), (2, 0));
    }
}
