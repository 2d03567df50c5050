//! What has ended while the window was not in front, in the words of one notification.

use super::format;
use super::row::{Phase, Row};
use crate::app::words::say;

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// One line of plain text.
    pub summary: String,
    /// What is to be known besides; plain text, too.
    pub body: String,
}

/// What has ended since the window was in front last.
#[derive(Debug, Default)]
pub(crate) struct Away {
    done: u64,
    failed: u64,
    last: Option<Words>,
}

impl Away {
    /// A transfer of this window has ended. One that a person cancelled or stopped is no news to them.
    pub(crate) fn note(&mut self, row: &Row) {
        let (state, body) = match &row.phase {
            Phase::Done { .. } if row.is_over() && !row.repeats() => {
                self.done += 1;
                (say!("row-done"), done_in_words(row))
            }
            Phase::Failed { message, .. } => {
                self.failed += 1;
                (say!("mark-failed"), message.clone())
            }
            Phase::Done { .. } | Phase::Cancelled | Phase::Starting | Phase::Is(_) => return,
        };
        let summary = say!("notify-one", name = row.name(), state = state);
        self.last = Some(Words { summary, body });
    }

    /// Somebody has seen it.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// All of it; nothing where nothing has ended.
    pub(crate) fn words(&self) -> Option<Words> {
        let last = self.last.as_ref()?;
        if self.done + self.failed == 1 {
            return Some(last.clone());
        }
        let done = (self.done > 0).then(|| say!("strip-done", count = self.done));
        let failed = (self.failed > 0).then(|| say!("strip-failed", count = self.failed));
        let counts: Vec<String> = done.into_iter().chain(failed).collect();
        Some(Words {
            summary: say!("notify-several", counts = counts.join(say!("comma"))),
            body: say!("notify-last", summary = &last.summary, body = &last.body),
        })
    }
}

/// `400 MB at 5.41 GB/s, verified`.
fn done_in_words(row: &Row) -> String {
    let bytes = format::bytes(row.main_end().series.bytes());
    let note = row.note_in_words(0.0);
    say!("notify-done", bytes = bytes, mean = row.mean_in_words(), note = note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::Form;
    use crate::app::model::plan::{Paths, check};
    use crate::transfer::State;

    fn row(to: &str, phase: Phase) -> Row {
        let form = Form {
            to: to.to_owned(),
            ..Form::default()
        };
        let mut row = Row::new(1, check(&form, &Paths::default()).recipe.expect("a recipe"), 0.0);
        row.phase = phase;
        row
    }

    fn failed(message: &str) -> Phase {
        Phase::Failed {
            message: message.to_owned(),
            fault: crate::error::Fault::Peer,
        }
    }

    #[test]
    fn one_that_ended_is_named_and_several_are_counted_until_they_were_seen() {
        let mut away = Away::default();
        assert_eq!(away.words(), None);
        away.note(&row("10", Phase::Cancelled));
        away.note(&row("10", Phase::Is(State::Transferring)));
        assert_eq!(away.words(), None, "a person did that, or it runs");
        away.note(&row("10", Phase::Done { verified: Some(true) }));
        let words = away.words().expect("one");
        assert_eq!(
            (words.summary.as_str(), words.body.as_str()),
            ("range 0 … 10: done", "0 B at 0 MB/s, verified")
        );
        away.note(&row("20", failed("nobody listens")));
        away.note(&row("30", failed("nobody listens")));
        let words = away.words().expect("three");
        assert_eq!(words.summary, "Transfers: 1 done, 2 failed");
        assert_eq!(words.body, "Last of all range 0 … 30: failed, nobody listens");
        away.clear();
        assert_eq!(away.words(), None);
    }
}
