//! What the limit was over time, under the plot and on its time axis, and the key to it.

use eframe::egui::{Align2, Color32, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::layout::Body;
use super::plot::frame::{t_of, x_of};
use super::plot::hatch::{self, Hatch};
use super::plot::marks::on;
use super::plot::scene::Scene;
use super::text::{self, Piece};
use crate::app::action::{Action, TransferAction};
use crate::app::model::format;
use crate::app::model::row::{LimitSpan, Row};
use crate::app::theme::{self, Palette};
use crate::app::widgets::{focus_ring, text_width};
use crate::app::words::{causes, say};
use crate::telemetry::Cause;

/// The band is this opaque.
const ALPHA: f32 = 0.84;
/// A span is at least about so wide.
const COLUMN: f32 = 14.0;
/// And there are at most so many, so that a wide band is as calm as a narrow one.
const COLUMNS_MAX: f32 = 96.0;
/// What is not picked keeps so much of its colour.
const NOT_PICKED: f32 = 0.16;
/// The key with its two columns, and the gap between them.
pub(super) const KEY_WIDTH: f32 = 300.0;
const COLUMNS_GAP: f32 = 16.0;
const COLUMN_WIDTH: f32 = (KEY_WIDTH - COLUMNS_GAP) / 2.0;

/// Draws the band.
pub(super) fn ui(ui: &Ui, row: &Row, scene: &Scene, body: &Body) -> Option<Action> {
    let palette = theme::palette(ui);
    let rect = body.band;
    let response = ui.interact(rect, ui.scope_id().with("bottleneck"), Sense::CLICK);
    response.widget_info(|| {
        let shares = row.limit_shares().percents();
        let words = shares.into_iter().map(share).collect::<Vec<_>>().join(say!("comma"));
        WidgetInfo::labeled(Role::Image, true, say!("band-said", shares = words))
    });
    ui.painter().rect_filled(rect, 0.0, palette.field);
    let time = scene.time;
    // A width in points is small and not negative.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and not negative"
    )]
    let columns = (rect.width() / COLUMN).clamp(1.0, COLUMNS_MAX) as usize;
    let spans = row.limit_spans(time.from_s, time.to_s, columns);
    let place = |span: &LimitSpan| {
        let x = x_of(rect, time, span.from_s)..=x_of(rect, time, span.to_s);
        Rect::from_x_y_ranges(x, rect.y_range()).intersect(rect)
    };
    for span in &spans {
        span_ui(ui, place(span), span.cause, row.picked_limit, palette);
    }
    let pointed_at = response.hover_pos().and_then(|pointer| {
        let t_s = t_of(rect, time, pointer.x);
        spans.iter().find(|span| span.from_s <= t_s && t_s < span.to_s)
    });
    let Some(span) = pointed_at else {
        return response
            .clicked()
            .then_some(Action::Transfer(row.key, TransferAction::PickLimit(None)));
    };
    ui.painter()
        .rect_stroke(place(span), 0.0, Stroke::new(1.0, palette.text), StrokeKind::Inside);
    let cause = span.cause;
    let response = response.on_hover_ui_at_pointer(|ui| {
        ui.label(say!(
            "band-span",
            from = time.exact_label(span.from_s),
            until = time.exact_label(span.to_s),
            length = format::duration(span.to_s - span.from_s),
        ));
        if let [Some(shares)] = row.limits_between(span.from_s, span.to_s, 1)[..] {
            for one in shares.percents() {
                ui.label(share(one));
            }
        }
    });
    let picked = Some(cause).filter(|cause| row.picked_limit != Some(*cause));
    response
        .clicked()
        .then_some(Action::Transfer(row.key, TransferAction::PickLimit(picked)))
}

fn span_ui(ui: &Ui, rect: Rect, cause: Cause, picked: Option<Cause>, palette: &Palette) {
    let is_faded = picked.is_some_and(|picked| picked != cause);
    let fade = if is_faded { NOT_PICKED } else { 1.0 };
    let fill = fill(ui, rect, cause, fade, palette);
    let name = causes::name(cause);
    let font = theme::value(12.0);
    let width = text_width(ui, name, font.clone());
    if width + 12.0 > rect.width() || is_faded {
        return;
    }
    let ink = match fill {
        Some(fill) => on(fill.lerp_to_gamma(palette.background, 1.0 - ALPHA)),
        None => palette.text,
    };
    if fill.is_none() {
        // Hatching behind letters is hard to read.
        let patch = Rect::from_center_size(rect.center(), vec2(width + 14.0, 16.0));
        ui.painter().rect_filled(patch, 0.0, palette.field);
    }
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, name, font, ink);
}

/// Fills a rectangle as a cause is shown; returns its colour where it is one.
fn fill(ui: &Ui, rect: Rect, cause: Cause, fade: f32, palette: &Palette) -> Option<Color32> {
    // A hairline of the background keeps neighbours apart.
    let rect = rect.with_max_x((rect.right() - 1.0).max(rect.left() + 0.5));
    match cause {
        Cause::Paused => {
            hatch::paint(ui, rect, Hatch::Pause, palette.ghost.gamma_multiply(0.7 * fade));
            None
        }
        Cause::Limit => {
            ui.painter()
                .rect_filled(rect, 0.0, palette.neutral.gamma_multiply(0.28 * fade));
            hatch::paint(ui, rect, Hatch::Limit, palette.neutral.gamma_multiply(0.7 * fade));
            None
        }
        _ => {
            let colour = colour(cause, palette);
            ui.painter().rect_filled(rect, 0.0, colour.gamma_multiply(ALPHA * fade));
            Some(colour)
        }
    }
}

/// The width that the key of a row needs: one column where that has a row for each limit.
pub(super) fn key_width(row: &Row, rows: usize) -> f32 {
    if row.limit_shares().percents().len() <= rows {
        COLUMN_WIDTH
    } else {
        KEY_WIDTH
    }
}

/// The key to the band with the shares of the whole, in two columns of so many rows that end at the right of `rect`. A
/// click on an entry leaves that one coloured alone. What it has no room for is summed up in its last entry.
pub(super) fn key_ui(ui: &Ui, row: &Row, rect: Rect, rows: usize) -> Option<Action> {
    let mut shares = row.limit_shares().percents();
    let room = rows * 2;
    let rest = if shares.len() > room {
        shares.split_off(room - 1)
    } else {
        Vec::new()
    };
    let count = shares.len() + usize::from(!rest.is_empty());
    let size = vec2(COLUMN_WIDTH, rect.height() / rows as f32);
    let entry = |index: usize| {
        let (column, line) = if count <= rows {
            (1, index)
        } else {
            (index % 2, index / 2)
        };
        let left = rect.left() + column as f32 * (size.x + COLUMNS_GAP);
        Rect::from_min_size(pos2(left, rect.top() + line as f32 * size.y), size)
    };
    let mut picked = None;
    for (index, (cause, percent)) in shares.into_iter().enumerate() {
        picked = entry_ui(ui, row, entry(index), cause, percent).or(picked);
    }
    if !rest.is_empty() {
        rest_ui(ui, entry(count - 1), &rest);
    }
    picked
}

/// An entry of the key: a square as the band is filled, the name, and the share.
fn entry_ui(ui: &Ui, row: &Row, entry: Rect, cause: Cause, percent: u32) -> Option<Action> {
    let palette = theme::palette(ui);
    let square = Rect::from_center_size(pos2(entry.left() + 5.0, entry.center().y), vec2(10.0, 10.0));
    let fade = if row.picked_limit.is_some_and(|picked| picked != cause) {
        NOT_PICKED
    } else {
        1.0
    };
    fill(ui, square.with_max_x(square.right() + 1.0), cause, fade, palette);
    entry_words(ui, entry, causes::name(cause), percent);
    let response = ui.interact(entry, ui.scope_id().with(("limit", cause)), Sense::click());
    focus_ring(ui, &response, entry.expand2(vec2(5.0, 0.0)));
    response.widget_info(|| {
        WidgetInfo::selected(
            Role::Button,
            true,
            row.picked_limit == Some(cause),
            say!("band-entry", cause = causes::name(cause), percent = percent),
        )
    });
    let is_clicked = response.clicked();
    response.on_hover_text(say!("band-share-hover"));
    is_clicked.then(|| {
        let cause = Some(cause).filter(|cause| row.picked_limit != Some(*cause));
        Action::Transfer(row.key, TransferAction::PickLimit(cause))
    })
}

/// A limit with its share of the time: `network 63 %`.
fn share((cause, percent): (Cause, u32)) -> String {
    format!("{} {percent}\u{a0}%", causes::name(cause))
}

/// The entry of all that the key has no room for.
fn rest_ui(ui: &Ui, entry: Rect, rest: &[(Cause, u32)]) {
    let sum = rest.iter().map(|(_, percent)| percent).sum();
    let name = say!("band-others", count = rest.len());
    entry_words(ui, entry, &name, sum);
    let each: Vec<String> = rest.iter().copied().map(share).collect();
    let said = say!("band-others-said", name = &name, shares = each.join(say!("comma")));
    let response = text::said(ui, "other limits", entry, &said);
    response.on_hover_text(each.join("\n"));
}

fn entry_words(ui: &Ui, entry: Rect, name: &str, percent: u32) {
    let palette = theme::palette(ui);
    let baseline = entry.center().y + 4.5;
    let name = Piece::new(name, theme::label(12.0), palette.weak);
    text::on_baseline(ui, pos2(entry.left() + 18.0, baseline), &[name], 0.0);
    let value = format!("{percent} %");
    let at = pos2(entry.right() - text_width(ui, &value, theme::value(12.0)), baseline);
    let value = Piece::new(value, theme::value(12.0), palette.text);
    text::on_baseline(ui, at, &[value], 0.0);
}

/// Blue belongs to the sender's side and orange to the receiver's, darker towards storage and paler towards the program.
fn colour(cause: Cause, palette: &Palette) -> Color32 {
    let paler = |colour: Color32| colour.lerp_to_gamma(palette.background, 0.5);
    let stronger = |colour: Color32| colour.lerp_to_gamma(palette.text, 0.45);
    match cause {
        Cause::SenderDisk => stronger(palette.sender),
        Cause::WriterPace => paler(palette.sender),
        Cause::Sender => palette.sender,
        Cause::Limit | Cause::Paused => palette.neutral,
        Cause::Buffers => palette.buffers,
        Cause::Network => palette.network,
        Cause::OtherEnd => stronger(palette.neutral),
        Cause::Receiver => palette.receiver,
        Cause::ReaderPace => paler(palette.receiver),
        Cause::ReceiverDisk => stronger(palette.receiver),
        Cause::Stopped => palette.field.lerp_to_gamma(palette.neutral, 0.3),
    }
}
