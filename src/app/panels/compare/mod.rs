//! The compare page: the same array by each route, side by side.

mod sizes;
mod table;

use eframe::egui::{Align, Button, Layout, RichText, Ui, vec2};

use crate::app::action::{Action, CompareAction, Dialog};
use crate::app::model::compare::{Notice, Page, Progress, ceilings_in_words};
use crate::app::model::contestant_text;
use crate::app::model::plan::in_words;
use crate::app::model::view::View;
use crate::app::theme::{self, FIELD_HEIGHT, STEP};
use crate::app::widgets::{
    MAIN_BUTTON_HEIGHT, bar, caption, heading, main_button, plain_button, segments, text_edit, tick, word_button,
};
use crate::app::words::say;
use crate::compare::ceilings::Ceilings;
use crate::compare::{Comparison, Difference, Skipped, differences};

/// What the page needs to know besides itself.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The array that would be compared, in words; or why there is none.
    pub array: Result<&'a str, &'a str>,
    /// Why nothing can be measured now.
    pub busy: Option<&'static str>,
    /// What this machine can do at most, where it was measured.
    pub ceilings: Option<&'a Ceilings>,
    /// Whether that is being measured.
    pub is_measuring: bool,
    /// Why there is no file dialog, where there is none.
    pub dialog_trouble: Option<&'a str>,
}

/// Draws the page.
pub(crate) fn ui(ui: &mut Ui, page: &Page, context: &Context<'_>) -> Vec<Action> {
    ui.spacing_mut().item_spacing.y = STEP;
    let mut actions = head_ui(ui, page, context);
    let is_running = page.progress.is_some();
    let controls = match &page.progress {
        Some(progress) => progress_ui(ui, progress).into_iter().collect(),
        None => controls_ui(ui, page, context),
    };
    actions.extend(controls.into_iter().map(Action::Compare));
    notice_ui(ui, page.notice.as_ref());
    let Some((shown, beside)) = page.shown() else {
        if !is_running {
            empty_ui(ui, context);
        }
        return actions;
    };
    ui.add_space(STEP);
    let mut picked = page.picked.clone();
    actions.extend(table::ui(ui, shown, beside, is_running, &mut picked));
    if let Some(older) = beside {
        actions.extend(older_ui(ui, shown, older));
    }
    without_ui(ui, shown);
    sizes::ui(ui, shown, beside, is_running, picked.as_deref());
    if picked != page.picked {
        actions.push(Action::Compare(CompareAction::Pick(picked)));
    }
    if !is_running {
        actions.extend(file_ui(ui, page, context));
    }
    actions
}

fn head_ui(ui: &mut Ui, page: &Page, context: &Context<'_>) -> Vec<Action> {
    let head = ui.horizontal(|ui| {
        heading(ui, RichText::new(say!("rail-compare-routes")).font(theme::strong()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let back = word_button(ui, say!("rail-transfers"), say!("compare-back"));
            let is_back = back.on_hover_text(say!("compare-back-hover")).clicked();
            let back = is_back.then_some(Action::Show(View::Transfers));
            back.into_iter().chain(ceilings_ui(ui, context)).collect()
        })
        .inner
    });
    let what = match (page.shown(), context.array) {
        (Some((shown, _)), _) => subject_in_words(shown),
        (None, Ok(array)) => array.to_owned(),
        (None, Err(_)) => String::new(),
    };
    if !what.is_empty() {
        ui.add_space(-4.0);
        caption(ui, &what);
    }
    head.inner
}

/// What this machine can do at most, or how to find out.
fn ceilings_ui(ui: &mut Ui, context: &Context<'_>) -> Option<Action> {
    if context.is_measuring {
        caption(ui, say!("compare-measuring"));
    } else if let Some(ceilings) = context.ceilings {
        caption(ui, &ceilings_in_words(ceilings));
    } else if context.busy.is_none() {
        return measure_ceilings_ui(ui);
    }
    None
}

/// Offers to measure what this machine can do at most.
pub(crate) fn measure_ceilings_ui(ui: &mut Ui) -> Option<Action> {
    let text = say!("palette-ceilings");
    let hover = say!("compare-ceilings-hover");
    let button = word_button(ui, text, text).on_hover_text(hover);
    button.clicked().then_some(Action::MeasureCeilings)
}

fn subject_in_words(shown: &Comparison) -> String {
    let subject = &shown.subject;
    let array = in_words(&subject.dtype, &subject.shape, Some(subject.bytes));
    let rounds = say!("compare-round-count", count = shown.rounds);
    let source = contestant_text::source(&subject.source).into_owned();
    let mut words = vec![source, array, rounds];
    let machine = &shown.machine;
    if !machine.cpu.is_empty() {
        words.push(machine.cpu.clone());
        words.push(say!("compare-cores", count = machine.cores));
    }
    words.retain(|word| !word.is_empty());
    words.join(" · ")
}

/// How far a comparison is, and how to end it.
fn progress_ui(ui: &mut Ui, progress: &Progress) -> Option<CompareAction> {
    ui.horizontal(|ui| {
        let cancel = plain_button(ui, say!("compare-cancel")).on_hover_text(say!("compare-cancel-hover"));
        let is_cancelled = cancel.accessible_name(say!("compare-cancel-name")).clicked();
        ui.add_space(4.0);
        let (rect, _) = ui.allocate_exact_size(vec2(160.0, FIELD_HEIGHT), eframe::egui::Sense::hover());
        let track = rect.shrink2(vec2(0.0, rect.height() / 2.0 - 2.0));
        bar(ui, track, progress.share(), theme::palette(ui).neutral);
        ui.add_space(4.0);
        caption(ui, &progress.in_words());
        is_cancelled.then_some(CompareAction::Cancel)
    })
    .inner
}

fn controls_ui(ui: &mut Ui, page: &Page, context: &Context<'_>) -> Vec<CompareAction> {
    let (mut rounds, mut with_sizes) = (page.rounds, page.with_sizes);
    let why_not = context.busy.or(context.array.err());
    let start = ui.horizontal(|ui| {
        let can_start = why_not.is_none();
        let button = ui.allocate_ui(vec2(168.0, MAIN_BUTTON_HEIGHT), |ui| {
            main_button(ui, say!("rail-compare"), "Ctrl Enter", can_start)
        });
        let is_started = can_start && button.inner.clicked();
        if let Some(why) = why_not {
            button.inner.on_hover_text(why);
        }
        ui.add_space(STEP);
        caption(ui, say!("compare-rounds"));
        ui.allocate_ui(vec2(132.0, FIELD_HEIGHT), |ui| {
            ui.set_width(132.0);
            let choices = [(1, "1"), (3, "3"), (5, "5"), (9, "9")];
            segments(ui, say!("compare-rounds"), &mut rounds, &choices);
        });
        ui.add_space(STEP);
        tick(ui, &mut with_sizes, say!("compare-with-sizes"));
        is_started.then_some(CompareAction::Start)
    });
    if let Some(why) = why_not {
        caption(ui, why);
    }
    let rounds = (rounds != page.rounds).then_some(CompareAction::SetRounds(rounds));
    let sizes = (with_sizes != page.with_sizes).then_some(CompareAction::SetWithSizes(with_sizes));
    [start.inner, rounds, sizes].into_iter().flatten().collect()
}

fn notice_ui(ui: &mut Ui, notice: Option<&Notice>) {
    let palette = theme::palette(ui);
    let (text, colour) = match notice {
        Some(Notice::Success(text)) => (text, palette.weak),
        Some(Notice::Failure(text)) => (text, palette.failed),
        None => return,
    };
    ui.label(RichText::new(text).font(theme::small()).color(colour));
}

fn empty_ui(ui: &mut Ui, context: &Context<'_>) {
    let palette = theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).max(STEP));
        ui.label(RichText::new(say!("compare-empty")).font(theme::strong()));
        let text = match context.array {
            Ok(_) => say!("compare-empty-text"),
            Err(_) => say!("compare-empty-choose"),
        };
        ui.label(RichText::new(text).color(palette.weak));
        ui.label(RichText::new(say!("compare-empty-cost")).color(palette.weak));
        ui.add_space(STEP);
    });
}

/// Something that differs between two results.
fn difference_in_words(difference: &Difference) -> String {
    let what = match difference.what {
        "bytes" => say!("entry-bytes"),
        "source" => say!("compare-source"),
        "processor" => say!("compare-processor"),
        "cores" => say!("compare-differing-cores"),
        "kernel" => say!("compare-kernel"),
        "program" => say!("compare-program"),
        other => other,
    };
    let Difference { new, old, .. } = difference;
    say!("compare-differs", what = what, here = new, there = old)
}

fn older_ui(ui: &mut Ui, shown: &Comparison, older: &Comparison) -> Option<Action> {
    let differing = differences(shown, older);
    let text = if differing.is_empty() || shown.program.is_empty() {
        say!("compare-older").to_owned()
    } else {
        let differing: Vec<String> = differing.iter().map(difference_in_words).collect();
        say!("compare-older-differs", differences = differing.join(say!("semicolon")))
    };
    ui.horizontal(|ui| {
        let remove = word_button(ui, say!("history-take-away"), say!("compare-take-away"));
        caption(ui, &text);
        remove.clicked().then_some(Action::Compare(CompareAction::RemoveOlder))
    })
    .inner
}

/// Who did not take part, and why; and whose rounds were lost.
fn without_ui(ui: &mut Ui, shown: &Comparison) {
    let skipped = shown.skipped.iter().map(|Skipped { contestant, reason }| {
        let (name, why) = (contestant_text::name(contestant), contestant_text::reason(reason));
        say!("compare-skipped", name = name, why = why)
    });
    let lost = shown.entries.iter().filter_map(|entry| {
        let first = entry.lost.first()?;
        let (name, count) = (contestant_text::name(&entry.contestant), entry.lost.len());
        Some(say!("compare-lost", name = name, count = count, why = &first.reason))
    });
    let lines: Vec<String> = skipped.chain(lost).collect();
    if lines.is_empty() {
        return;
    }
    ui.add_space(STEP);
    ui.label(RichText::new(say!("compare-without")).font(theme::small()).strong());
    ui.spacing_mut().item_spacing.y = 4.0;
    for line in lines {
        caption(ui, &line);
    }
    ui.spacing_mut().item_spacing.y = STEP;
}

/// Saves what is shown, and reads back what was saved.
fn file_ui(ui: &mut Ui, page: &Page, context: &Context<'_>) -> Vec<Action> {
    ui.add_space(STEP);
    let label = caption(ui, say!("compare-file")).id;
    let mut path = page.path.clone();
    let buttons = ui.horizontal(|ui| {
        let width = (ui.available_width() - 290.0).clamp(120.0, 420.0);
        ui.allocate_ui(vec2(width, FIELD_HEIGHT), |ui| {
            ui.set_width(width);
            text_edit(ui, &mut path, "/data/comparison.json", false).labelled_by(label);
        });
        let browse = plain_button(ui, say!("form-browse")).accessible_name(say!("compare-browse"));
        let is_typed = !path.trim().is_empty();
        let button =
            |text: &str| Button::new(RichText::new(text).font(theme::body())).min_size(vec2(0.0, FIELD_HEIGHT));
        let save = ui.add_enabled(is_typed && page.result.is_some(), button(say!("compare-save")));
        let save = save.accessible_name(say!("compare-save-name"));
        let load = ui.add_enabled(is_typed, button(say!("compare-lay-beside")));
        [
            browse.clicked().then_some(Action::Browse(Dialog::Comparison)),
            save.clicked().then_some(Action::Compare(CompareAction::Save)),
            load.clicked().then_some(Action::Compare(CompareAction::LoadOlder)),
        ]
    });
    if let Some(trouble) = context.dialog_trouble {
        caption(ui, trouble);
    }
    // What is typed is taken before it is saved.
    let edit = (path != page.path).then_some(Action::Compare(CompareAction::SetPath(path)));
    edit.into_iter().chain(buttons.inner.into_iter().flatten()).collect()
}
