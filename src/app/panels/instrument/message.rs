//! A message below the rate: where to send to, why it failed, or where the file is.

use eframe::egui::{Color32, Frame, Label, Margin, RichText, Stroke, Ui, vec2};

use crate::app::action::Action;
use crate::app::model::format::elided;
use crate::app::model::row::{Phase, Row};
use crate::app::theme::{self, STEP};
use crate::app::widgets::{caption, from_right, word_button};
use crate::app::words::say;
use crate::text;
use crate::transfer::State;

/// A word on the right of a message.
struct Offer {
    word: &'static str,
    accessible_name: &'static str,
    action: Action,
}

/// Draws the message that the transfer's phase calls for, if any.
pub(super) fn ui(ui: &mut Ui, row: &Row, now_s: f64) -> Option<Action> {
    let palette = theme::palette(ui);
    match &row.phase {
        Phase::Failed { message, .. } => {
            let moved = row.main_end().series.bytes() > 0;
            let again = moved.then(|| say!("message-again"));
            strip(
                ui,
                palette.failed,
                &elided(&sentence(message)),
                again,
                Some(copy_of(message)),
            )
        }
        Phase::Interrupted { message } => {
            let below = sentence(&row.interruption_in_words(now_s));
            let message_words = elided(&sentence(message));
            strip(
                ui,
                palette.interrupted,
                &message_words,
                Some(&below),
                Some(copy_of(message)),
            )
        }
        Phase::Is(State::Listening) => {
            let address = row.address.clone().unwrap_or_default();
            let reachable = reachable(&address);
            let text = say!("message-waits", address = address);
            let how = say!("message-other-end", address = &reachable);
            let copy = Offer {
                word: say!("instrument-copy"),
                accessible_name: say!("message-copy-address"),
                action: Action::Copy(reachable),
            };
            strip(ui, palette.receiver, &text, Some(&how), Some(copy))
        }
        Phase::Done { .. } => {
            let note = row.done_in_words().as_deref().map(sentence);
            let Some(path) = &row.path else {
                return strip(ui, palette.neutral, &note?, None, None);
            };
            let folder = path.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
            let show = Offer {
                word: say!("menu-show-in-folder"),
                accessible_name: say!("menu-show-in-folder"),
                action: Action::ShowFolder(folder),
            };
            let path = path.display().to_string();
            let colour = if row.failed_items() > 0 {
                palette.failed
            } else {
                palette.verified
            };
            strip(ui, colour, &elided(&path), note.as_deref(), Some(show))
        }
        _ => None,
    }
}

fn copy_of(message: &str) -> Offer {
    Offer {
        word: say!("instrument-copy"),
        accessible_name: say!("message-copy"),
        action: Action::Copy(message.to_owned()),
    }
}

/// A text that can be selected, a small grey line below it, and something to do on the right.
fn strip(ui: &mut Ui, colour: Color32, text: &str, below: Option<&str>, offer: Option<Offer>) -> Option<Action> {
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.field)
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::symmetric(14, 10));
    let shown = frame.show(ui, |ui| {
        let width = ui.available_width();
        ui.set_width(width - if offer.is_some() { 110.0 } else { 0.0 });
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.add(
            Label::new(RichText::new(text).color(palette.text))
                .wrap()
                .selectable(true),
        );
        if let Some(below) = below {
            caption(ui, below);
        }
        ui.set_min_width(width);
    });
    let rect = shown.response.rect;
    let action = offer.and_then(|offer| {
        let name = offer.accessible_name;
        let is_clicked = from_right(ui, name, rect.shrink2(vec2(8.0, 0.0)), |ui| {
            word_button(ui, offer.word, name).clicked()
        });
        is_clicked.then_some(offer.action)
    });
    ui.painter().vline(
        rect.left() + 1.0,
        rect.shrink2(vec2(0.0, 1.0)).y_range(),
        Stroke::new(2.0, colour),
    );
    ui.add_space(STEP);
    action
}

/// The address as another machine would say it: `0.0.0.0` and `[::]` are this machine by its name.
fn reachable(address: &str) -> String {
    let any = ["0.0.0.0:", "[::]:"].iter().find_map(|any| address.strip_prefix(any));
    match any {
        Some(port) => format!("{}:{port}", rustix::system::uname().nodename().to_string_lossy()),
        None => address.to_owned(),
    }
}

/// A message of the engine as a sentence on the screen. One that begins with a name or a path leaves that as it is.
pub(crate) fn sentence(message: &str) -> String {
    let word = message.split_whitespace().next().unwrap_or_default();
    if word.chars().all(char::is_alphabetic) {
        text::capitalised(message)
    } else {
        message.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_capital_and_a_path_as_it_is() {
        assert_eq!(sentence("nobody listens"), "Nobody listens");
        assert_eq!(sentence("in/a.npy existed"), "in/a.npy existed");
        assert_eq!(sentence(""), "");
    }
}
