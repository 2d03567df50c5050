//! The page of what a person can choose about the window. Everything takes effect at once.

use eframe::egui::{RichText, Ui};

use super::instrument::sentence;
use crate::app::action::{Action, QueueAction};
use crate::app::model::format::RateScale;
use crate::app::model::settings::{Settings, ThemeChoice};
use crate::app::theme;
use crate::app::widgets::{caption, heading, segments, tick};
use crate::app::words::say;
use crate::language::Language;

const WIDTH: f32 = 420.0;
/// What rates are counted in.
pub(crate) const RATES: [(RateScale, &str); 3] = [
    (RateScale::Bytes, "GB/s"),
    (RateScale::BinaryBytes, "GiB/s"),
    (RateScale::Bits, "Gbit/s"),
];

/// So many transfers run at once; `None` is as many as can be.
pub(crate) fn at_once() -> [(Option<usize>, &'static str); 5] {
    [
        (None, say!("settings-at-once-all")),
        (Some(1), "1"),
        (Some(2), "2"),
        (Some(4), "4"),
        (Some(8), "8"),
    ]
}

/// Draws the page. Where the desktop shows no notifications, it says why.
pub(crate) fn ui(ui: &mut Ui, settings: &Settings, no_notifications: Option<&str>) -> Vec<Action> {
    ui.set_max_width(WIDTH);
    ui.spacing_mut().item_spacing.y = 6.0;
    let mut actions = Vec::new();
    title(ui, say!("rail-settings"));
    let theme = say!("settings-theme");
    part(ui, theme, None);
    let mut chosen = settings.theme;
    let themes = ThemeChoice::ALL.map(|choice| (choice, choice.name()));
    segments(ui, theme, &mut chosen, &themes);
    if chosen != settings.theme {
        actions.push(Action::SetTheme(chosen));
    }
    actions.extend(language_ui(ui, settings));
    let name = say!("settings-at-once");
    part(ui, name, Some(say!("settings-at-once-note")));
    let mut count = settings.at_once;
    segments(ui, name, &mut count, &at_once());
    if count != settings.at_once {
        actions.push(Action::Queue(QueueAction::SetAtOnce(count)));
    }
    let name = say!("settings-rates");
    part(ui, name, Some(say!("settings-rates-note")));
    let mut scale = settings.rates;
    segments(ui, name, &mut scale, &RATES);
    if scale != settings.rates {
        actions.push(Action::SetRates(scale));
    }
    part(ui, say!("settings-motion"), None);
    let mut is_reduced = settings.reduced_motion;
    tick(ui, &mut is_reduced, say!("settings-reduced-motion")).on_hover_text(say!("settings-reduced-motion-hover"));
    if is_reduced != settings.reduced_motion {
        actions.push(Action::SetReducedMotion(is_reduced));
    }
    part(ui, say!("settings-breaks"), None);
    let mut retries = settings.retries;
    tick(ui, &mut retries, say!("settings-retries")).on_hover_text(say!("settings-retries-hover"));
    if retries != settings.retries {
        actions.push(Action::SetRetries(retries));
    }
    part(ui, say!("settings-notifications"), None);
    let mut notifies = settings.notifies;
    tick(ui, &mut notifies, say!("settings-notifies")).on_hover_text(say!("settings-notifies-hover"));
    if notifies != settings.notifies {
        actions.push(Action::SetNotifies(notifies));
    }
    if let Some(why) = no_notifications.filter(|_| notifies) {
        caption(ui, &sentence(why));
    }
    actions
}

fn language_ui(ui: &mut Ui, settings: &Settings) -> Option<Action> {
    let name = say!("settings-language");
    part(ui, name, None);
    let system = (None, say!("settings-system"));
    let [english, chinese] = Language::ALL.map(|language| (Some(language), language.name()));
    let mut chosen = settings.language;
    segments(ui, name, &mut chosen, &[system, english, chinese]);
    (chosen != settings.language).then_some(Action::SetLanguage(chosen))
}

/// The title of a page.
pub(super) fn title(ui: &mut Ui, text: &str) {
    let palette = theme::palette(ui);
    let font = theme::strong_of(theme::TITLE);
    heading(ui, RichText::new(text).font(font).color(palette.text));
}

/// The title of a part of a page, with what is to be known of it.
pub(super) fn part(ui: &mut Ui, text: &str, note: Option<&str>) {
    let palette = theme::palette(ui);
    ui.add_space(14.0);
    heading(ui, RichText::new(text).font(theme::strong()).color(palette.text));
    if let Some(note) = note {
        caption(ui, note);
    }
}
