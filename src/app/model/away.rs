//! What has ended while the window was not in front, in the words of one notification.

use super::format;
use super::row::{Phase, Row};
use crate::app::words::say;
use crate::compare::Comparison;
use crate::ping::RoundTrips;

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
    /// Something was no transfer.
    is_mixed: bool,
    last: Option<Words>,
}

impl Away {
    /// A transfer of this window has ended. One that a person cancelled or stopped is no news to them.
    pub(crate) fn note(&mut self, row: &Row) {
        let outcome = match &row.phase {
            Phase::Done { .. } if row.is_over() && !row.repeats() => Ok(done_in_words(row)),
            Phase::Failed { message, .. } | Phase::Interrupted { message } => Err(message.clone()),
            Phase::Done { .. } | Phase::Cancelled | Phase::Starting | Phase::Is(_) => return,
        };
        self.note_outcome(row.name(), outcome);
        if let Some(last) = self.last.as_mut().filter(|_| row.is_interrupted()) {
            last.summary = say!("notify-interrupted", name = row.name());
        }
    }

    /// A comparison has ended, with a result or an error in words.
    pub(crate) fn note_comparison(&mut self, result: Result<&Comparison, &String>) {
        self.is_mixed = true;
        self.note_outcome(
            say!("notify-comparison"),
            result.map_err(String::clone).and_then(compared_in_words),
        );
    }

    /// Round trips were measured, or could not be.
    pub(crate) fn note_round_trips(&mut self, measured: &[RoundTrips], trouble: Option<&str>) {
        self.is_mixed = true;
        let outcome = trouble.map_or_else(|| Ok(measured_in_words(measured)), |trouble| Err(trouble.to_owned()));
        self.note_outcome(say!("notify-round-trips"), outcome);
    }

    /// A service of another process has gone that nobody told to end.
    pub(crate) fn note_lost_service(&mut self, command: &str) {
        self.is_mixed = true;
        self.note_outcome(command, Err(say!("notify-service-gone").to_owned()));
    }

    /// What is called `name` has ended; what is to be known of that.
    fn note_outcome(&mut self, name: &str, outcome: Result<String, String>) {
        let (summary, body) = match outcome {
            Ok(body) => {
                self.done += 1;
                (say!("notify-done", name = name), body)
            }
            Err(body) => {
                self.failed += 1;
                (say!("notify-failed", name = name), body)
            }
        };
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
        let mut counts = Vec::new();
        if self.done > 0 {
            counts.push(say!("strip-done", count = self.done));
        }
        if self.failed > 0 {
            counts.push(say!("strip-failed", count = self.failed));
        }
        let counted = counts.join(say!("comma"));
        Some(Words {
            summary: if self.is_mixed {
                say!("notify-several", counted = counted)
            } else {
                say!("notify-transfers", counted = counted)
            },
            body: say!("notify-last", summary = &last.summary, body = &last.body),
        })
    }
}

/// `400 MB at 5.41 GB/s, verified`.
fn done_in_words(row: &Row) -> String {
    say!(
        "notify-transferred",
        bytes = format::bytes(row.main_end().series.bytes()),
        rate = row.mean_in_words(),
        note = row.note_in_words(0.0)
    )
}

/// `400 MB by 7 routes; sendfile was the fastest, at 5.41 GB/s`, or that no route came to an end.
fn compared_in_words(comparison: &Comparison) -> Result<String, String> {
    let ranked = comparison.ranked();
    let (fastest, summary) = ranked
        .first()
        .ok_or_else(|| say!("notify-compared-nothing").to_owned())?;
    Ok(say!(
        "notify-compared",
        bytes = format::bytes(comparison.subject.bytes),
        count = ranked.len(),
        route = &fastest.contestant.name,
        rate = format::rate(summary.rate_bytes_per_s.median)
    ))
}

/// `12.1 µs for 1 B, half of them faster`.
fn measured_in_words(measured: &[RoundTrips]) -> String {
    let smallest = measured.first().map(|one| {
        let (time, bytes) = (format::time(one.p50_s), format::bytes(one.size_bytes));
        say!("notify-measured", time = time, bytes = bytes)
    });
    smallest.unwrap_or_default()
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

    #[test]
    fn what_is_no_transfer_is_named_and_counted_with_them() {
        let mut away = Away::default();
        away.note_round_trips(&[], Some("nobody answers"));
        let words = away.words().expect("one");
        assert_eq!(
            (words.summary.as_str(), words.body.as_str()),
            ("Round trips: failed", "nobody answers")
        );
        away.note(&row("10", Phase::Done { verified: Some(true) }));
        away.note_lost_service("serve 127.0.0.1:25000");
        let words = away.words().expect("three");
        assert_eq!(words.summary, "Arraylift: 1 done, 2 failed");
        assert_eq!(
            words.body,
            "Last of all serve 127.0.0.1:25000: failed, The service has gone, and nobody told it to"
        );
        away.clear();
        away.note_comparison(Err(&"no core is free".to_owned()));
        assert_eq!(away.words().expect("one").summary, "Comparison: failed");
    }
}
