//! How fast a transfer may go while it runs: its limit, and how slow the programs at its ends are made to be. A button
//! drops it.

use eframe::egui::{Popup, PopupCloseBehavior, Response, Slider, Ui};

use crate::app::action::TransferAction;
use crate::app::model::format;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::app::widgets::caption;
use crate::app::words::say;
use crate::transfer::Side;
use crate::units::parse_limit;

/// What `button` drops: a slider for the limit, and one for the program at each end that is here.
pub(super) fn popup(button: &Response, row: &Row) -> Vec<TransferAction> {
    let popup = Popup::menu(button).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let shown = popup.show(|ui| {
        ui.spacing_mut().slider_width = 190.0;
        ui.spacing_mut().item_spacing.y = 6.0;
        ui.set_min_width(300.0);
        let slider = RateSlider {
            name: say!("form-limit"),
            none: say!("form-no-limit"),
            hint: say!("instrument-limit-hover"),
        };
        caption(ui, say!("instrument-limit"));
        let mut bytes_per_s = row.limit_bytes_per_s;
        slider.ui(ui, &mut bytes_per_s);
        let limit = (bytes_per_s != row.limit_bytes_per_s).then_some(TransferAction::SetLimit { bytes_per_s });
        // How slow the programs of another process are is its own business.
        let paces = if row.is_own() { paces_ui(ui, row) } else { Vec::new() };
        limit.into_iter().chain(paces).collect::<Vec<_>>()
    });
    shown.map(|shown| shown.inner).unwrap_or_default()
}

/// A slider for the program at each end that is here.
fn paces_ui(ui: &mut Ui, row: &Row) -> Vec<TransferAction> {
    ui.add_space(4.0);
    caption(ui, say!("instrument-paces"));
    let mut actions = Vec::new();
    for side in row.sides().iter().copied() {
        let (name, slow) = names(side);
        let palette = theme::palette(ui);
        let (hint, colour) = match side {
            Side::Sender => (say!("instrument-writer-hover"), palette.sender),
            Side::Receiver => (say!("instrument-reader-hover"), palette.receiver),
        };
        ui.colored_label(colour, slow);
        let none = say!("instrument-no-pace");
        let pace = row.pace_bytes_per_s(side);
        let mut bytes_per_s = pace;
        RateSlider { name, none, hint }.ui(ui, &mut bytes_per_s);
        if bytes_per_s != pace {
            actions.push(TransferAction::SetPace { side, bytes_per_s });
        }
    }
    actions
}

/// The accessible name of a side's pace, and what stands over it.
fn names(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Sender => (say!("instrument-writer-pace"), say!("instrument-slow-writer")),
        Side::Receiver => (say!("instrument-reader-pace"), say!("instrument-slow-reader")),
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
            .custom_formatter(move |power, _| in_words(power, none))
            .custom_parser(|text| match parse_limit(text) {
                Ok(Some(rate)) => Some((rate as f64).log10()),
                Ok(None) => Some(NONE),
                Err(_) => None,
            });
        ui.add(slider)
            .on_hover_text(self.hint)
            // Its number is a power of ten, which says nothing.
            .accessible_name(say!("labelled", name = self.name, value = in_words(before, none)));
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

/// The rate of a power of ten, and the word for no bound beyond the highest.
fn in_words(power: f64, none: &str) -> String {
    if power > 10.05 {
        none.to_owned()
    } else {
        format::rate(10_f64.powf(power)).to_string()
    }
}
