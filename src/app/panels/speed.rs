//! How fast a transfer may go while it runs: its limit, and how slow the programs at its ends are made to be.

use eframe::egui::{Popup, PopupCloseBehavior, Slider, Ui, vec2};

use crate::app::action::{Action, TransferAction};
use crate::app::model::format;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::app::widgets::{caption, word_button};
use crate::transfer::Side;
use crate::units::parse_limit;

/// From right to left: the limit, and a word that leads to both paces.
pub(crate) fn ui(ui: &mut Ui, row: &Row) -> Vec<Action> {
    if row.is_over() {
        return Vec::new();
    }
    ui.spacing_mut().slider_width = 110.0;
    ui.spacing_mut().interact_size.y = 20.0;
    ui.spacing_mut().button_padding = vec2(6.0, 2.0);
    let slider = RateSlider {
        name: "Limit",
        none: "no limit",
        hint: "At most so many bytes a second; takes effect at once",
    };
    let mut bytes_per_s = row.limit_bytes_per_s;
    slider.ui(ui, &mut bytes_per_s);
    let limit = (bytes_per_s != row.limit_bytes_per_s).then_some(TransferAction::SetLimit { bytes_per_s });
    caption(ui, "limit");
    // How slow the programs of another process are is its own business.
    let paces = if row.is_own() {
        slow_ends_ui(ui, row)
    } else {
        Vec::new()
    };
    let actions = limit.into_iter().chain(paces);
    actions.map(|action| Action::Transfer(row.key, action)).collect()
}

/// A word that says which ends are slowed down, and opens a slider for each.
fn slow_ends_ui(ui: &mut Ui, row: &Row) -> Vec<TransferAction> {
    let slow: Vec<&str> = row
        .sides()
        .iter()
        .filter(|side| row.pace_bytes_per_s(**side).is_some())
        .map(|side| program(*side).1)
        .collect();
    let word = if slow.is_empty() {
        "slow an end".to_owned()
    } else {
        format!("slow {}", slow.join(" and "))
    };
    let button = word_button(ui, &word, &word).on_hover_text("See what a slow program at either end does");
    let popup = Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let shown = popup.show(|ui| paces_ui(ui, row));
    shown.map(|shown| shown.inner).unwrap_or_default()
}

/// A slider for the program at each end that is here.
fn paces_ui(ui: &mut Ui, row: &Row) -> Vec<TransferAction> {
    ui.spacing_mut().slider_width = 130.0;
    let mut actions = Vec::new();
    for side in row.sides().iter().copied() {
        let (name, program) = program(side);
        let palette = theme::palette(ui);
        let (hint, colour) = match side {
            Side::Sender => (
                "As if the program that the array comes from yielded no more a second",
                palette.sender,
            ),
            Side::Receiver => (
                "As if the program that the array is for took no more a second",
                palette.receiver,
            ),
        };
        ui.colored_label(colour, format!("slow {program}"));
        let none = "as fast as it can";
        let pace = row.pace_bytes_per_s(side);
        let mut bytes_per_s = pace;
        RateSlider { name, none, hint }.ui(ui, &mut bytes_per_s);
        if bytes_per_s != pace {
            actions.push(TransferAction::SetPace { side, bytes_per_s });
        }
    }
    actions
}

/// The accessible name of a side's pace, and what the program there does.
fn program(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Sender => ("Writer's pace", "writer"),
        Side::Receiver => ("Reader's pace", "reader"),
    }
}

/// A slider from 1 MB/s to no bound at all.
struct RateSlider {
    /// The accessible name.
    name: &'static str,
    /// The word for no bound.
    none: &'static str,
    /// What it does.
    hint: &'static str,
}

impl RateSlider {
    /// Draws it at a rate in bytes a second, and changes that only where it is moved.
    fn ui(self, ui: &mut Ui, rate: &mut Option<u64>) {
        const NONE: f64 = 10.1;
        let mut power = rate.map_or(NONE, |rate| (rate as f64).log10().clamp(6.0, 10.0));
        let before = power;
        let none = self.none;
        let slider = Slider::new(&mut power, 6.0..=NONE)
            .smart_aim(false)
            .custom_formatter(move |power, _| {
                if power > 10.05 {
                    none.to_owned()
                } else {
                    format::rate(10_f64.powf(power)).to_string()
                }
            })
            .custom_parser(|text| match parse_limit(text) {
                Ok(Some(rate)) => Some((rate as f64).log10()),
                Ok(None) => Some(NONE),
                Err(_) => None,
            });
        ui.add(slider).on_hover_text(self.hint).accessible_name(self.name);
        if (power - before).abs() > 1e-9 {
            // At most 10^10: far within what a u64 holds exactly.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 10^6 and 10^10"
            )]
            let moved_to = (power <= 10.05).then(|| 10_f64.powf(power) as u64);
            *rate = moved_to;
        }
    }
}
