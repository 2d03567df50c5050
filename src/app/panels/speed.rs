//! How fast a transfer may go while it runs: its limit, and how slow the programs at its ends are made to be.

use eframe::egui::{Popup, PopupCloseBehavior, Slider, Ui, vec2};

use crate::app::action::Action;
use crate::app::model::format;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::app::widgets::{caption, word_button};
use crate::transfer::Side;

/// From right to left: the limit, and a word that leads to both paces.
pub fn ui(ui: &mut Ui, row: &Row, actions: &mut Vec<Action>) {
    if row.is_over() {
        return;
    }
    ui.spacing_mut().slider_width = 110.0;
    ui.spacing_mut().interact_size.y = 20.0;
    ui.spacing_mut().button_padding = vec2(6.0, 2.0);
    let hint = "At most so many bytes a second; takes effect at once";
    rate_slider(ui, ["Limit", "no limit", hint], row.limit_bytes_per_s, |limit| {
        actions.push(Action::SetLimit(row.key, limit));
    });
    caption(ui, "limit");
    // How slow the programs of another process are is its own business.
    if row.recipe.what.elsewhere().is_some() {
        return;
    }
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
    Popup::menu(&button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| paces_ui(ui, row, actions));
}

/// A slider for the program at each end that is here.
fn paces_ui(ui: &mut Ui, row: &Row, actions: &mut Vec<Action>) {
    ui.spacing_mut().slider_width = 130.0;
    for side in row.sides() {
        let (name, program) = program(*side);
        let hint = match side {
            Side::Sender => "As if the program that the array comes from yielded no more a second",
            Side::Receiver => "As if the program that the array is for took no more a second",
        };
        let colour = match side {
            Side::Sender => theme::palette(ui).sender,
            Side::Receiver => theme::palette(ui).receiver,
        };
        ui.colored_label(colour, format!("slow {program}"));
        let words = [name, "as fast as it can", hint];
        rate_slider(ui, words, row.pace_bytes_per_s(*side), |pace| {
            actions.push(Action::SetPace(row.key, *side, pace));
        });
    }
}

/// The accessible name of a side's pace, and what the program there does.
fn program(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Sender => ("Writer's pace", "writer"),
        Side::Receiver => ("Reader's pace", "reader"),
    }
}

/// A slider from 1 MB/s to none at all, with its accessible name, the word for none, and what it does.
fn rate_slider(ui: &mut Ui, [name, none, hint]: [&str; 3], rate: Option<u64>, set: impl FnOnce(Option<u64>)) {
    const NONE: f64 = 10.1;
    let mut power = rate.map_or(NONE, |rate| (rate as f64).log10().clamp(6.0, 10.0));
    let before = power;
    let none = none.to_owned();
    let slider = Slider::new(&mut power, 6.0..=NONE)
        .smart_aim(false)
        .custom_formatter(move |power, _| {
            if power > 10.05 {
                none.clone()
            } else {
                format::rate(10_f64.powf(power)).to_string()
            }
        })
        .custom_parser(|text| match format::parse_rate(text) {
            Ok(Some(rate)) => Some((rate as f64).log10()),
            Ok(None) => Some(NONE),
            Err(_) => None,
        });
    ui.add(slider).on_hover_text(hint).accessible_name(name);
    if (power - before).abs() > 1e-9 {
        // At most 10^10: far within what a u64 holds exactly.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 10^6 and 10^10"
        )]
        set((power <= 10.05).then(|| 10_f64.powf(power) as u64));
    }
}
