//! What is in view of a transfer, to take along: as a drawing, as numbers, and in a few words. Pure; the window's
//! picture is taken by `picture`, and files are written by the worker.

pub(super) mod picture;
mod summary;
mod svg;
mod table;

use crate::app::model::entry_text;
use crate::app::model::format::rate_scale;
use crate::app::model::history::Run;
use crate::app::model::plot_view::PlotView;
use crate::app::model::row::Row;
use crate::app::model::second_plot::{SecondScene, Shows};
use crate::app::panels::instrument::plot::scene::Scene;
use crate::app::words::{say, spoken};
use crate::compare::ceilings::Ceilings;
use crate::documents::Page;
use crate::history::{self, Object};
pub(crate) use summary::markdown;

/// A name of at most so many bytes is left for what is saved: with an ending and a number it is still a file's name.
const NAME_BYTES_MAX: usize = 120;

/// In which form it is taken along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// What the window shows, in pixels.
    Png,
    /// The plot, drawn anew.
    Svg,
    /// A report: the plot, and what is known of the transfer.
    Html,
    /// A line a point.
    Csv,
    /// All of it, for programs.
    Json,
}

impl Format {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::Png, Self::Svg, Self::Html, Self::Csv, Self::Json];

    /// What asks for it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Png => say!("export-png"),
            Self::Svg => say!("export-svg"),
            Self::Html => say!("export-html"),
            Self::Csv => say!("export-csv"),
            Self::Json => say!("export-json"),
        }
    }

    /// What its files end with.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// A text for a file, and the name that is offered for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Export {
    /// The name, without a folder.
    pub name: String,
    /// All of the file.
    pub bytes: Vec<u8>,
}

/// What is in view of a row at `now_s` on the window's clock. `None` for a picture: only the window has that.
pub(crate) fn of(format: Format, row: &Row, view: PlotView, ceilings: Option<&Ceilings>, now_s: f64) -> Option<Export> {
    let numbers = row.numbers(now_s);
    let scene = Scene::of(row, &numbers, view, ceilings, now_s, false);
    // A drawing has room for what the window shows where it has much.
    let second = Shows::of(view.second).map(|shows| SecondScene::of(row, shows, scene.time));
    let second = second.filter(|second| !second.lines.is_empty());
    let text = match format {
        Format::Png => return None,
        Format::Svg => svg::drawing(row, &scene, second.as_ref(), &numbers),
        Format::Html => summary::html(row, &scene, second.as_ref(), &numbers),
        Format::Csv => table::csv(row, &scene),
        Format::Json => table::json(row, &scene, &numbers),
    };
    Some(Export {
        name: file_name(row.name(), format.ending()),
        bytes: text.into_bytes(),
    })
}

/// A run of the history, whatever did it. `None` for a picture: only the window has that.
pub(crate) fn of_run(format: Format, run: &Run) -> Option<Export> {
    let Run { entry, curves } = run;
    let rates = rate_scale();
    let text = match format {
        Format::Png => return None,
        Format::Svg => history::drawing(curves, rates),
        Format::Html => {
            let sentence = entry_text::sentence(entry);
            let page = Page {
                title: &entry_text::what(entry),
                sentence: sentence.as_deref(),
                picture: &history::drawing(curves, rates),
                facts: &entry_text::facts(entry),
                program_version: &entry.program_version,
                language: spoken(),
            };
            page.html()
        }
        Format::Csv => history::csv(curves),
        // Names, numbers and texts: it cannot fail.
        Format::Json => serde_json::to_string_pretty(&Object::of(entry, Some(curves))).unwrap_or_default() + "\n",
    };
    Some(Export {
        name: file_name(&entry_text::what(entry), format.ending()),
        bytes: text.into_bytes(),
    })
}

/// The name that is offered for what is saved of a transfer of this name.
pub(crate) fn file_name(of: &str, ending: &str) -> String {
    let kept = |c: char| !crate::text::is_hidden(c) && !"/\\:*?\"<>|".contains(c);
    let name: String = of.chars().map(|c| if kept(c) { c } else { '-' }).collect();
    let name = name.trim_matches(['.', ' ', '-']);
    let name = &name[..name.floor_char_boundary(NAME_BYTES_MAX)];
    let name = if name.is_empty() { say!("export-name") } else { name };
    format!("{name}.arraylift.{ending}")
}

#[cfg(test)]
mod tests;
