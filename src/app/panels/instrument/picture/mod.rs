//! The picture of the array as its bytes land: an image of one of two dimensions, else a strip of least, mean and greatest
//! value; below it where the values lie, and what they are in numbers.

mod image;
mod keys;

use eframe::egui::{Color32, Mesh, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::layout::Array;
use super::text::{self, Piece};
use crate::app::action::Action;
use crate::app::model::picture;
use crate::app::model::row::{Numbers, Phase, Row};
use crate::app::theme::{self, Palette};
use crate::app::widgets::{focus_ring, text_width};
use crate::transfer::{Side, Stats, Tiles};

/// In the row below the plot, the picture is so wide, and so far from what follows.
const WIDTH: f32 = 320.0;
const GAP: f32 = 32.0;
/// From the line over the row to what stands in it.
const ROW_TOP: f32 = 10.0;
/// The row has room for it from this width on, beside the first values and the checksum.
const ROW_FROM: f32 = 800.0;
/// Its height where it is a strip of a small window.
const THIN: f32 = 12.0;
const HEADING: f32 = 26.0;
const HISTOGRAM: f32 = 40.0;
const LINE: f32 = 20.0;
/// More columns nobody tells apart.
const COLUMNS: usize = 256;
const BINS: usize = 64;

/// Divides the place of the array: what the picture takes of it, and what is left.
pub(super) fn divided(row: &Row, place: Array) -> (Option<Rect>, Array) {
    if !row.sides().iter().any(|side| row.end(*side).stats.is_some()) {
        return (None, place);
    }
    match place {
        Array::Row(rect) if rect.width() >= ROW_FROM => {
            let inner = Rect::from_min_max(rect.min + vec2(0.0, ROW_TOP), rect.max - vec2(0.0, 16.0));
            let rest = rect.with_min_x(rect.left() + WIDTH + GAP);
            (Some(inner.with_max_x(inner.left() + WIDTH)), Array::Row(rest))
        }
        Array::Row(rect) => (None, Array::Row(rect)),
        Array::Column(rect) => {
            let height = (rect.width() * 0.5 + HEADING + HISTOGRAM + 2.0 * LINE).min(rect.height() * 0.5);
            let picture = rect.with_max_y(rect.top() + height);
            let rest = rect.with_min_y(picture.bottom() + 24.0);
            (Some(picture), Array::Column(rest))
        }
        Array::Strip(rect) => {
            let picture = Rect::from_min_size(rect.min + vec2(0.0, 4.0), vec2(rect.width(), THIN));
            (Some(picture), Array::Strip(rect.with_min_y(picture.bottom())))
        }
    }
}

/// Draws the picture into its place. A click on a tile copies what is known of it.
pub(super) fn ui(ui: &mut Ui, row: &Row, numbers: &Numbers, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let side = if row.end(Side::Receiver).stats.is_some() {
        Side::Receiver
    } else {
        Side::Sender
    };
    let stats = row.end(side).stats.as_deref()?;
    let landed = numbers
        .total
        .map_or(0.0, |total| picture::share(numbers.done as f64, (0.0, total as f64)));
    let tiles = stats.tiles.as_deref();
    if rect.height() <= THIN {
        let copied = tiles.and_then(|tiles| tiles_ui(ui, row, stats, tiles, landed, rect));
        return copied;
    }
    if rect.width() <= WIDTH {
        // The line over the row of the array goes on over what is beside it.
        let line = rect.left()..=rect.right() + GAP;
        ui.painter().hline(line, rect.top() - ROW_TOP, (1.0, palette.hairline));
    }
    let title = Piece::new("Values", theme::value(13.0), palette.text);
    text::on_baseline(ui, pos2(rect.left(), rect.top() + 16.5), &[title], 0.0);
    let much = picture::how_much(stats);
    let width = text_width(ui, &much, theme::label(12.0));
    let at = pos2(rect.right() - width, rect.top() + 16.5);
    let placed = text::on_baseline(
        ui,
        at,
        &[Piece::new(much.as_str(), theme::label(12.0), palette.weak)],
        0.0,
    );
    text::said(ui, "how much", placed, &much).on_hover_text(how_measured(stats));
    let Some(tiles) = tiles.filter(|_| stats.array.seen > 0) else {
        let why = picture::sentence(stats);
        let line = Rect::from_min_size(rect.min + vec2(0.0, HEADING), vec2(rect.width(), LINE));
        text::line(
            ui,
            "no picture",
            line,
            &Piece::new(why, theme::label(12.0), palette.weak),
        );
        return None;
    };
    let below = HISTOGRAM + 2.0 * LINE + 12.0;
    let place = Rect::from_min_max(rect.min + vec2(0.0, HEADING), rect.max - vec2(0.0, below));
    let copied = tiles_ui(ui, row, stats, tiles, landed, place);
    let histogram = Rect::from_min_size(pos2(rect.left(), place.bottom() + 12.0), vec2(rect.width(), HISTOGRAM));
    histogram_ui(ui, stats, histogram, palette);
    let ends = histogram
        .translate(vec2(0.0, HISTOGRAM))
        .with_max_y(histogram.bottom() + LINE);
    ends_ui(ui, stats, ends, palette);
    let line = ends.translate(vec2(0.0, LINE));
    text::line(
        ui,
        "values",
        line,
        &Piece::new(counts(stats, row), theme::label(12.0), palette.weak),
    );
    copied
}

/// The tiles as an image or a strip, where bytes land, and what is verified.
fn tiles_ui(ui: &mut Ui, row: &Row, stats: &Stats, tiles: &Tiles, landed: f32, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let response = ui.interact(rect, ui.scope_id().with("picture"), Sense::click());
    let walked_to = keys::tile(ui, row.key, tiles, &response);
    response.widget_info(|| {
        let sentence = format!("The array: {}", picture::sentence(stats));
        let said = walked_to.map_or(sentence.clone(), |tile| {
            format!("{}; {sentence}", tile_in_words(tiles, tile))
        });
        WidgetInfo::labeled(Role::Image, true, said)
    });
    ui.painter().rect_filled(rect, 0.0, palette.field);
    let edge = rect.left() + rect.width() * landed;
    ui.painter().rect_filled(rect.with_max_x(edge), 0.0, palette.grid);
    if tiles.grid.is_image() {
        image::paint(ui, row.key, tiles, rect);
    } else {
        strip(ui, tiles, rect, palette);
    }
    if landed < 1.0 && row.is_moving() {
        let edge = Rect::from_x_y_ranges(edge - 1.0..=edge + 1.0, rect.y_range());
        ui.painter().rect_filled(edge.intersect(rect), 0.0, palette.receiver);
    }
    if matches!(row.phase, Phase::Done { verified: Some(true) }) {
        let line = Rect::from_min_size(pos2(rect.left(), rect.bottom() + 2.0), vec2(rect.width(), 2.0));
        ui.painter().rect_filled(line, 0.0, palette.verified);
    }
    let pointed_at = response
        .hover_pos()
        .and_then(|pointer| tile_at(tiles, rect, (pointer.x, pointer.y)));
    focus_ring(ui, &response, rect.expand(3.0));
    let words = pointed_at.or(walked_to).map(|tile| tile_in_words(tiles, tile));
    let is_clicked = response.clicked();
    if let (None, Some(tile), Some(words)) = (pointed_at, walked_to, &words) {
        keys::point_ui(ui, tiles, tile, rect, words);
    } else if let Some(words) = &words {
        response.on_hover_text_at_pointer(format!("{words}\nA click copies it."));
    }
    words.filter(|_| is_clicked).map(Action::Copy)
}

/// The tile at a place of the picture. Axis 0, or the strip, runs from left to right.
fn tile_at(tiles: &Tiles, rect: Rect, (x, y): (f32, f32)) -> Option<usize> {
    let (down, across) = tiles.grid.tiles();
    let part = |from: f32, length: f32, count: usize| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small and not negative"
        )]
        let index = (from / length.max(1.0) * count as f32).max(0.0) as usize;
        index.min(count.saturating_sub(1))
    };
    let along = x - rect.left();
    let tile = if tiles.grid.is_image() {
        part(along, rect.width(), down) * across + part(y - rect.top(), rect.height(), across)
    } else {
        part(along, rect.width(), across)
    };
    (tile < tiles.tiles.len()).then_some(tile)
}

/// What is known of a tile: which values it has, and what they are.
fn tile_in_words(tiles: &Tiles, index: usize) -> String {
    let tile = &tiles.tiles[index];
    let (first, elements) = tiles.grid.elements_of(index);
    let (rows, across) = tiles.grid.tile();
    let count = crate::units::count;
    let which = if tiles.grid.is_image() {
        format!(
            "tile of {} by {} values from {} on",
            count(rows),
            count(across),
            count(first)
        )
    } else {
        format!(
            "values {} to {}",
            count(first),
            count((first + elements).saturating_sub(1))
        )
    };
    let what = match tile {
        tile if tile.seen == 0 => "not looked at".to_owned(),
        tile if tile.min.is_nan() => "NaN or infinite alone".to_owned(),
        tile => {
            let [min, mean, max] = [tile.min, tile.mean, tile.max].map(picture::short);
            format!("min {min}, mean {mean}, max {max}")
        }
    };
    let not_finite = (tile.not_finite > 0).then(|| format!(", {} NaN or infinite", count(tile.not_finite)));
    let seen = (0 < tile.seen && tile.seen < elements).then(|| format!("; {} looked at", count(tile.seen)));
    format!(
        "{which}: {what}{}{}",
        not_finite.unwrap_or_default(),
        seen.unwrap_or_default()
    )
}

/// From the least to the greatest value a band a column, and the mean in it.
fn strip(ui: &Ui, tiles: &Tiles, rect: Rect, palette: &Palette) {
    let Some(range) = picture::range(tiles) else { return };
    let columns = picture::columns(tiles, COLUMNS);
    let width = rect.width() / columns.len() as f32;
    let inner = rect.shrink2(vec2(0.0, 2.0));
    let y = |value: f64| inner.bottom() - inner.height() * picture::share(value, range);
    let mut mesh = Mesh::default();
    let mut fill = |x: f32, top: f32, bottom: f32, colour: Color32| {
        let middle = f32::midpoint(top, bottom);
        let (top, bottom) = (top.min(middle - 0.75), bottom.max(middle + 0.75));
        mesh.add_colored_rect(Rect::from_x_y_ranges(x..=x + width, top..=bottom), colour);
    };
    for (index, column) in columns.into_iter().enumerate() {
        let Some(column) = column else { continue };
        let x = rect.left() + index as f32 * width;
        fill(x, y(column.max), y(column.min), palette.neutral.gamma_multiply(0.45));
        fill(x, y(column.mean), y(column.mean), palette.text);
    }
    ui.painter().add(mesh);
}

/// How many values lie where.
fn histogram_ui(ui: &Ui, stats: &Stats, rect: Rect, palette: &Palette) {
    let Some(histogram) = &stats.array.histogram else {
        return;
    };
    let bins = picture::bins(&histogram.counts, BINS);
    let most = bins.iter().copied().max().unwrap_or(1).max(1) as f32;
    let width = rect.width() / bins.len() as f32;
    let mut mesh = Mesh::default();
    for (index, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
        let x = rect.left() + index as f32 * width;
        let height = (rect.height() * *count as f32 / most).max(1.0);
        let bar = Rect::from_x_y_ranges(x..=x + (width - 1.0).max(1.0), rect.bottom() - height..=rect.bottom());
        mesh.add_colored_rect(bar, palette.neutral);
    }
    ui.painter().add(mesh);
    ui.painter().hline(rect.x_range(), rect.bottom(), (1.0, palette.edge));
    text::said(ui, "histogram", rect, "Histogram of the values").on_hover_text(format!(
        "Where the finite values lie. {} bins, each {} wide.",
        bins.len(),
        picture::short(histogram.bin_width * histogram.counts.len().div_ceil(bins.len().max(1)) as f64)
    ));
}

/// The least, the mean and the greatest value below their places.
fn ends_ui(ui: &Ui, stats: &Stats, rect: Rect, palette: &Palette) {
    let array = &stats.array;
    let baseline = rect.center().y + 4.5;
    let value = |value: &crate::array::Value| match value {
        crate::array::Value::Float(number) => picture::short(*number),
        other => other.to_string(),
    };
    let texts = [
        array.min.as_ref().map(value),
        array.mean.map(|mean| format!("mean {}", picture::short(mean))),
        array.max.as_ref().map(value),
    ];
    for (text, share) in texts.into_iter().zip([0.0, 0.5, 1.0]) {
        let Some(text) = text else { continue };
        let text = if text.starts_with('-') {
            text.replacen('-', "\u{2212}", 1)
        } else {
            text
        };
        let width = text_width(ui, &text, theme::value(12.0));
        let at = pos2(rect.left() + (rect.width() - width) * share, baseline);
        text::on_baseline(ui, at, &[Piece::new(text, theme::value(12.0), palette.text)], 0.0);
    }
}

/// What is no number, and whether both ends have the same where both have looked at all.
fn counts(stats: &Stats, row: &Row) -> String {
    let count = |count: u64, name: &str, none: &str| match count {
        0 => none.to_owned(),
        count => format!("{} {name}", crate::units::count(count)),
    };
    let mut parts = vec![
        count(stats.array.nan, "NaN", "no NaN"),
        count(stats.array.infinite, "infinite", "no infinities"),
    ];
    let ends = [Side::Sender, Side::Receiver].map(|side| row.end(side).stats.as_deref());
    if let [Some(sender), Some(receiver)] = ends
        && let (Some(one), Some(other)) = (&sender.tiles, &receiver.tiles)
        && let Some(tile) = picture::first_difference(one, other)
    {
        let (first, _) = one.grid.elements_of(tile);
        parts.push(format!("the ends differ from value {} on", crate::units::count(first)));
    }
    parts.join(", ")
}

/// How the numbers came about.
fn how_measured(stats: &Stats) -> String {
    let of = format!(
        "{} of {} values were looked at as they passed by, for at most 2 % of the rate.",
        crate::units::count(stats.array.seen),
        crate::units::count(stats.values)
    );
    match &stats.left_out {
        Some(why) => format!("{of}\n{why}"),
        None => of,
    }
}
