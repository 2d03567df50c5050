//! A transfer in a few words: as Markdown, and with the plot on a page of HTML.

use crate::app::model::format;
use crate::app::model::row::{Numbers, Phase, Row};
use crate::app::model::second_plot::SecondScene;
use crate::app::panels::instrument::plot::scene::Scene;
use crate::documents::{Page, markdown_table};

/// A heading and a table of what is known of it.
pub(crate) fn markdown(row: &Row, now_s: f64) -> String {
    markdown_table(row.name(), &facts(row, &row.numbers(now_s)))
}

/// A page that loads nothing and runs nothing.
pub(super) fn html(row: &Row, scene: &Scene, second: Option<&SecondScene>, numbers: &Numbers) -> String {
    let mut facts = facts(row, numbers);
    // It stands above.
    facts.retain(|(name, _)| *name != LIMIT);
    let sentence = row.sentence();
    let page = Page {
        title: row.name(),
        sentence: sentence.as_deref(),
        picture: &super::svg::drawing(row, scene, second, numbers),
        facts: &facts,
        program_version: env!("CARGO_PKG_VERSION"),
    };
    page.html()
}

const LIMIT: &str = "limit";

fn facts(row: &Row, numbers: &Numbers) -> Vec<(&'static str, String)> {
    let rate = |bytes_per_s: f64| (bytes_per_s > 0.0).then(|| numbers.unit.quantity(bytes_per_s).to_string());
    let moved = match numbers.total {
        Some(total) => format::done_of(numbers.done, total),
        None => format::bytes(numbers.done).to_string(),
    };
    let outcome = match &row.phase {
        Phase::Failed { message, .. } => format!("failed: {message}"),
        Phase::Done { .. } => row.note_in_words(0.0),
        _ if row.is_stopped() => row.note_in_words(0.0),
        phase => phase.name().to_lowercase(),
    };
    let rounds = (row.rounds > 0).then(|| row.rounds_in_words());
    let facts = [
        ("array", Some(row.array_in_words())),
        ("between", Some(row.endpoint_in_words())),
        ("how", Some(row.how_in_words())),
        ("outcome", Some(outcome)),
        ("moved", Some(moved)),
        ("rounds", rounds),
        ("rate", rate(numbers.mean)),
        ("highest", rate(numbers.peak)),
        ("time", (numbers.took_s > 0.0).then(|| format::duration(numbers.took_s))),
        (LIMIT, row.sentence()),
        ("checksum", row.checksum()),
        ("file", row.path.as_ref().map(|path| path.display().to_string())),
    ];
    let known = |(name, value): (&'static str, Option<String>)| Some((name, value.filter(|value| !value.is_empty())?));
    facts.into_iter().filter_map(known).collect()
}
