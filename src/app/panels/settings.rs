//! The page of what a person can choose about the window. Everything takes effect at once.

use eframe::egui::{RichText, Ui};

use super::instrument::sentence;
use crate::app::action::{Action, QueueAction};
use crate::app::model::format::RateScale;
use crate::app::model::settings::{Settings, ThemeChoice};
use crate::app::theme;
use crate::app::widgets::{caption, segments, tick};

const WIDTH: f32 = 420.0;
const THEMES: [(ThemeChoice, &str); 3] = [
    (ThemeChoice::System, "System"),
    (ThemeChoice::Dark, "Dark"),
    (ThemeChoice::Light, "Light"),
];
const RATES: [(RateScale, &str); 3] = [
    (RateScale::Bytes, "GB/s"),
    (RateScale::BinaryBytes, "GiB/s"),
    (RateScale::Bits, "Gbit/s"),
];
/// So many transfers run at once; `None` is as many as can be.
pub(crate) const AT_ONCE: [(Option<usize>, &str); 5] = [
    (None, "All"),
    (Some(1), "1"),
    (Some(2), "2"),
    (Some(4), "4"),
    (Some(8), "8"),
];

/// Draws the page. Where the desktop shows no notifications, it says why.
pub(crate) fn ui(ui: &mut Ui, settings: &Settings, no_notifications: Option<&str>) -> Vec<Action> {
    ui.set_max_width(WIDTH);
    ui.spacing_mut().item_spacing.y = 6.0;
    let mut actions = Vec::new();
    title(ui, "Settings");
    part(ui, "Theme", None);
    let mut chosen = settings.theme;
    segments(ui, "Theme", &mut chosen, &THEMES);
    if chosen != settings.theme {
        actions.push(Action::SetTheme(chosen));
    }
    part(
        ui,
        "Transfers at once",
        Some("The others wait for their turn. All is 32 at most."),
    );
    let mut at_once = settings.at_once;
    segments(ui, "Transfers at once", &mut at_once, &AT_ONCE);
    if at_once != settings.at_once {
        actions.push(Action::Queue(QueueAction::SetAtOnce(at_once)));
    }
    part(ui, "Rates", Some("On the page of transfers."));
    let mut scale = settings.rates;
    segments(ui, "Rates", &mut scale, &RATES);
    if scale != settings.rates {
        actions.push(Action::SetRates(scale));
    }
    part(ui, "Motion", None);
    let mut is_reduced = settings.reduced_motion;
    tick(ui, &mut is_reduced, "Reduced motion")
        .on_hover_text("Curves and numbers change in steps, at most twice a second");
    if is_reduced != settings.reduced_motion {
        actions.push(Action::SetReducedMotion(is_reduced));
    }
    part(ui, "Notifications", None);
    let mut notifies = settings.notifies;
    tick(ui, &mut notifies, "Tell the desktop when a transfer ends")
        .on_hover_text("While this window is not in front; what you cancel yourself is not told");
    if notifies != settings.notifies {
        actions.push(Action::SetNotifies(notifies));
    }
    if let Some(why) = no_notifications.filter(|_| notifies) {
        caption(ui, &sentence(why));
    }
    actions
}

/// The title of a page.
pub(super) fn title(ui: &mut Ui, text: &str) {
    let palette = theme::palette(ui);
    let font = theme::strong_of(theme::TITLE);
    ui.label(RichText::new(text).font(font).color(palette.text));
}

/// The title of a part of a page, with what is to be known of it.
pub(super) fn part(ui: &mut Ui, text: &str, note: Option<&str>) {
    let palette = theme::palette(ui);
    ui.add_space(14.0);
    ui.label(RichText::new(text).font(theme::strong()).color(palette.text));
    if let Some(note) = note {
        caption(ui, note);
    }
}
