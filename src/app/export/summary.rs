//! A transfer in a few words: as Markdown, and with the plot on a page of HTML.

use crate::app::model::format;
use crate::app::model::row::{Numbers, Phase, Row};
use crate::app::model::second_plot::SecondScene;
use crate::app::panels::instrument::plot::scene::Scene;
use crate::app::words::{say, spoken};
use crate::documents::{Page, markdown_table};

/// A heading and a table of what is known of it.
pub(crate) fn markdown(row: &Row, now_s: f64) -> String {
    markdown_table(row.name(), &facts(row, &row.numbers(now_s)))
}

/// A page that loads nothing and runs nothing.
pub(super) fn html(row: &Row, scene: &Scene, second: Option<&SecondScene>, numbers: &Numbers) -> String {
    let sentence = row.sentence();
    let mut facts = facts(row, numbers);
    // It stands above.
    facts.retain(|(name, _)| *name != say!("entry-name-limit"));
    let page = Page {
        title: row.name(),
        sentence: sentence.as_deref(),
        picture: &super::svg::drawing(row, scene, second, numbers),
        facts: &facts,
        program_version: env!("CARGO_PKG_VERSION"),
        language: spoken(),
    };
    page.html()
}

fn facts(row: &Row, numbers: &Numbers) -> Vec<(&'static str, String)> {
    let rate = |bytes_per_s: f64| (bytes_per_s > 0.0).then(|| numbers.unit.quantity(bytes_per_s).to_string());
    let moved = match numbers.total {
        Some(total) => format::done_of(numbers.done, total),
        None => format::bytes(numbers.done).to_string(),
    };
    let outcome = match &row.phase {
        Phase::Failed { message, .. } => say!("title-failed", message = message),
        Phase::Interrupted { message } => say!("title-interrupted", message = message),
        Phase::Done { .. } => row.note_in_words(0.0),
        _ if row.is_stopped() => row.note_in_words(0.0),
        phase => phase.name().to_lowercase(),
    };
    let rounds = (row.rounds > 0).then(|| row.rounds_in_words());
    let what = if row.is_tree() {
        say!("entry-name-sent")
    } else {
        say!("entry-name-array")
    };
    let facts = [
        (what, Some(row.array_in_words())),
        (say!("export-between"), Some(row.endpoint_in_words())),
        (say!("entry-name-how"), Some(row.how_in_words())),
        (say!("export-outcome"), Some(outcome)),
        (say!("entry-name-moved"), Some(moved)),
        (say!("figure-items"), row.items_in_words()),
        (say!("figure-rounds"), rounds),
        (say!("export-rate"), rate(numbers.mean)),
        (say!("export-highest"), rate(numbers.peak)),
        (
            say!("export-time"),
            (numbers.took_s > 0.0).then(|| format::duration(numbers.took_s)),
        ),
        (say!("entry-name-limit"), row.sentence()),
        (say!("entry-name-checksum"), row.checksum()),
        (
            say!("export-file"),
            row.path.as_ref().map(|path| path.display().to_string()),
        ),
    ];
    let known = |(name, value): (&'static str, Option<String>)| Some((name, value.filter(|value| !value.is_empty())?));
    facts.into_iter().filter_map(known).collect()
}
