//! Who was the limit: one sentence, and a band over the time axis of the plots.

use eframe::egui::{Color32, Label, Mesh, Rangef, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::time_plot::TimeAxis;
use crate::app::model::curves::nice_step;
use crate::app::model::row::Row;
use crate::app::theme::{self, Palette};
use crate::telemetry::{Cause, Shares};

const BAND_HEIGHT: f32 = 8.0;
/// Causes below this share are left out of the key and of the sentence.
const NAMED_MIN: f64 = 0.02;

/// The sentence, and below it the key to the band. Its height is fixed, so that nothing jumps.
pub(crate) fn sentence_ui(ui: &mut Ui, row: &Row) {
    let palette = theme::palette(ui);
    let verdict = row.verdict();
    let sentence = verdict.as_ref().map_or("", |verdict| verdict.sentence.as_str());
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.add(Label::new(RichText::new(sentence).color(palette.text)).truncate());
    let shares = verdict.map(|verdict| verdict.shares).unwrap_or_default();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let mut x = rect.left();
    for (cause, share) in named(&shares) {
        let text = format!("{} {}", cause.name(), percent(share));
        let galley = ui.painter().layout_no_wrap(text, theme::small(), palette.weak);
        if x + galley.size().x + 14.0 > rect.right() {
            break;
        }
        let square = Rect::from_center_size(pos2(x + 4.0, rect.center().y), vec2(8.0, 8.0));
        ui.painter().rect_filled(square, 1.0, colour(cause, palette));
        let at = pos2(x + 14.0, rect.center().y - galley.size().y / 2.0);
        x = at.x + galley.size().x + 16.0;
        ui.painter().galley(at, galley, palette.weak);
    }
}

/// Room for the band, before the plot is drawn that tells where it goes.
pub(crate) fn reserve(ui: &mut Ui) -> Rect {
    ui.allocate_exact_size(vec2(ui.available_width(), BAND_HEIGHT), Sense::hover())
        .0
}

/// Draws the band into `place`, over `plot`, the horizontal extent of a plot of the same `time`.
pub(crate) fn band_ui(ui: &mut Ui, row: &Row, place: Rect, plot: Rangef, time: TimeAxis) {
    let palette = theme::palette(ui);
    let rect = Rect::from_x_y_ranges(plot, place.y_range());
    let band = row.limits_over_time();
    let response = ui.interact(rect, ui.scope_id().with("bottleneck"), Sense::hover());
    response.widget_info(|| {
        let causes = named(&band.shares()).into_iter();
        let words: Vec<String> = causes
            .map(|(cause, share)| format!("{} {}", cause.name(), percent(share)))
            .collect();
        WidgetInfo::labeled(Role::Image, true, format!("The limit over time: {}", words.join(", ")))
    });
    ui.painter().rect_filled(rect, 1.0, palette.field);
    // A column every two pixels, as the curves have a point.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a width in points is small and not negative"
    )]
    let count = (rect.width().clamp(2.0, 8192.0) / 2.0) as usize;
    let columns = band.columns(time.from_s, time.to_s, count);
    let width = rect.width() / count as f32;
    let mut mesh = Mesh::default();
    for (index, shares) in columns.iter().enumerate() {
        let Some(shares) = shares else { continue };
        let left = rect.left() + index as f32 * width;
        let mut bottom = rect.bottom();
        for cause in Cause::ALL {
            // From 0 to 1: no figure that anyone reads depends on the rounding.
            #[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
            let height = shares.of(cause) as f32 * rect.height();
            if height > 0.0 {
                let part = Rect::from_min_max(pos2(left, bottom - height), pos2(left + width, bottom));
                mesh.add_colored_rect(part, colour(cause, palette));
                bottom -= height;
            }
        }
    }
    ui.painter().add(mesh);
    response.on_hover_ui_at_pointer(|ui| hover_ui(ui, &columns, rect, time));
}

/// What the band shows under the pointer.
fn hover_ui(ui: &mut Ui, columns: &[Option<Shares>], rect: Rect, time: TimeAxis) {
    let Some(pointer) = ui.ctx().pointer_hover_pos() else {
        return;
    };
    let part = f64::from(((pointer.x - rect.left()) / rect.width()).clamp(0.0, 1.0));
    let length_s = time.to_s - time.from_s;
    ui.label(time.label(time.from_s + part * length_s, nice_step(length_s / 1000.0)));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to the number of columns"
    )]
    let column = (part * columns.len() as f64) as usize;
    match columns.get(column) {
        Some(Some(shares)) => {
            for (cause, share) in named(shares) {
                ui.label(format!("{} {}", cause.name(), percent(share)));
            }
        }
        _ => drop(ui.label("nothing is known here")),
    }
}

fn named(shares: &Shares) -> Vec<(Cause, f64)> {
    let mut ranked = shares.ranked();
    ranked.retain(|(_, share)| *share >= NAMED_MIN);
    ranked
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Blue belongs to the sender's side and orange to the receiver's, darker towards storage and paler towards the program.
fn colour(cause: Cause, palette: &Palette) -> Color32 {
    let paler = |colour: Color32| colour.lerp_to_gamma(palette.background, 0.5);
    let stronger = |colour: Color32| colour.lerp_to_gamma(palette.text, 0.45);
    match cause {
        Cause::SenderDisk => stronger(palette.sender),
        Cause::WriterPace => paler(palette.sender),
        Cause::Sender => palette.sender,
        Cause::Limit => palette.neutral,
        Cause::Paused => paler(palette.neutral),
        Cause::Buffers => palette.buffers,
        Cause::Network => palette.network,
        Cause::OtherEnd => stronger(palette.neutral),
        Cause::Receiver => palette.receiver,
        Cause::ReaderPace => paler(palette.receiver),
        Cause::ReceiverDisk => stronger(palette.receiver),
        Cause::Stopped => palette.field.lerp_to_gamma(palette.neutral, 0.3),
    }
}
