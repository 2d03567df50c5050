//! Texts that stand on a line of their own choice, and what they say to assistive technology.

use std::sync::Arc;

use eframe::egui::{
    Color32, FontId, Galley, Id, Pos2, Rect, Response, Role, Sense, TextFormat, Ui, WidgetInfo, text::LayoutJob, vec2,
};

/// A piece of text in one font and colour.
pub(super) struct Piece {
    pub text: String,
    pub font: FontId,
    pub colour: Color32,
}

impl Piece {
    pub(super) fn new(text: impl Into<String>, font: FontId, colour: Color32) -> Self {
        Self {
            text: text.into(),
            font,
            colour,
        }
    }
}

/// Paints pieces one after the other, `gap` apart, on a common baseline; returns what they cover.
pub(super) fn on_baseline(ui: &Ui, at: Pos2, pieces: &[Piece], gap: f32) -> Rect {
    let mut covered = Rect::from_min_max(at, at);
    let mut x = at.x;
    for piece in pieces.iter().filter(|piece| !piece.text.is_empty()) {
        let galley = spaced(ui, piece, 0.0);
        let top = at.y - baseline(&galley);
        let rect = Rect::from_min_size(Pos2::new(x, top), galley.size());
        ui.painter().galley(rect.min, galley, piece.colour);
        covered = covered.union(rect);
        x = rect.right() + gap;
    }
    covered
}

/// A text whose letters stand `spacing` further apart.
pub(super) fn spaced(ui: &Ui, piece: &Piece, spacing: f32) -> Arc<Galley> {
    let format = TextFormat {
        font_id: piece.font.clone(),
        extra_letter_spacing: spacing,
        color: piece.colour,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::default();
    job.append(&piece.text, 0.0, format);
    ui.painter().layout_job(job)
}

/// How far below its top the line is on which a text stands.
pub(super) fn baseline(galley: &Galley) -> f32 {
    let row = galley.rows.first();
    let glyph = row.and_then(|placed| Some(placed.pos.y + placed.row.glyphs.first()?.pos.y));
    glyph.unwrap_or(galley.size().y * 0.8)
}

/// A text that was painted at `rect` for those who cannot see it, and to be pointed at.
pub(super) fn said(ui: &Ui, id: impl std::hash::Hash + std::fmt::Debug, rect: Rect, text: &str) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(Id::unique(id)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// One line of text, cut off at its end where it does not fit; whole in its tooltip then.
pub(super) fn line(ui: &mut Ui, id: &str, rect: Rect, piece: &Piece) -> Response {
    lines(ui, id, rect, piece, 1)
}

/// The same with so many lines at most.
pub(super) fn lines(ui: &mut Ui, id: &str, rect: Rect, piece: &Piece, count: usize) -> Response {
    let mut job = LayoutJob::simple(piece.text.clone(), piece.font.clone(), piece.colour, rect.width());
    job.wrap.max_rows = count;
    job.wrap.break_anywhere = count == 1;
    let galley = ui.painter().layout_job(job);
    let is_cut = galley.elided;
    // A first line stands where a single one would.
    let line_height = galley.size().y / galley.rows.len().max(1) as f32;
    let at = rect.left_center() - vec2(0.0, line_height / 2.0);
    ui.painter().galley(at, galley, piece.colour);
    let response = said(ui, id, rect, &piece.text);
    if is_cut {
        response.on_hover_text(&piece.text)
    } else {
        response
    }
}
