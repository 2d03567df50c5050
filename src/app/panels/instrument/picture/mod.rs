//! The picture of the array as its bytes land: an image of one of two dimensions, else a strip of least, mean and greatest
//! value; below it where the values lie, and what they are in numbers.

mod ends;
mod image;
mod keys;
mod read;

use eframe::egui::{Color32, Mesh, Pos2, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::layout::Array;
use super::text::{self, Piece};
use crate::app::action::{Action, TransferAction};
use crate::app::model::picture;
use crate::app::model::plot_view::{PlotView, TileValue};
use crate::app::model::row::{Numbers, Phase, Row};
use crate::app::model::values;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{focus_ring, small_segments, text_width};
use crate::app::words::say;
use crate::transfer::{Stats, TiledArray};

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
/// No side of an image is shorter, so that it can be seen and pointed at.
const SIDE_MIN: f32 = 16.0;

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

/// Draws the picture into its place. A click on it reads the values there.
pub(super) fn ui(ui: &mut Ui, row: &Row, numbers: &Numbers, view: PlotView, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let stats = row.stats()?;
    let so_far = SoFar::of(stats, numbers);
    let tiles = stats.tiles.as_deref();
    if rect.height() <= THIN {
        return tiles.and_then(|tiles| tiles_ui(ui, row, stats, tiles, view.tile, so_far, rect));
    }
    if rect.width() <= WIDTH {
        // The line over the row of the array goes on over what is beside it.
        let line = rect.left()..=rect.right() + GAP;
        ui.painter().hline(line, rect.top() - ROW_TOP, (1.0, palette.hairline));
    }
    let title = rect.with_max_y(rect.top() + HEADING);
    let Some(tiles) = tiles.filter(|_| stats.array.seen > 0) else {
        heading_ui(ui, row, so_far, title);
        how_much_ui(ui, stats, title);
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
    let picked = if tiles.grid.is_image() {
        // A strip shows all three at once.
        let (picked, width) = choice_ui(ui, view, title);
        heading_ui(ui, row, so_far, title.with_max_x(rect.right() - width - 8.0));
        picked
    } else {
        let width = how_much_ui(ui, stats, title);
        heading_ui(ui, row, so_far, title.with_max_x(rect.right() - width - 8.0));
        None
    };
    let below = HISTOGRAM + 2.0 * LINE + 12.0;
    let place = Rect::from_min_max(rect.min + vec2(0.0, HEADING), rect.max - vec2(0.0, below));
    let asked = picked.or(tiles_ui(ui, row, stats, tiles, view.tile, so_far, place));
    if let Some(values) = row.values.as_deref() {
        let place = rect.with_min_y(place.bottom() + 6.0);
        return asked.or(read::ui(ui, row.key, values, place));
    }
    let histogram = Rect::from_min_size(pos2(rect.left(), place.bottom() + 12.0), vec2(rect.width(), HISTOGRAM));
    histogram_ui(ui, stats, histogram, palette);
    let ends = histogram
        .translate(vec2(0.0, HISTOGRAM))
        .with_max_y(histogram.bottom() + LINE);
    ends_ui(ui, stats, ends, palette);
    let mut line = ends.translate(vec2(0.0, LINE));
    if tiles.grid.is_image() {
        line.set_right(line.right() - how_much_ui(ui, stats, line) - 8.0);
    }
    let (words, colour) = match ends::first_difference(row) {
        Some(tile) => {
            let words = [ends::in_words(tiles, tile), counts(stats)];
            (words.join(say!("comma")), palette.failed)
        }
        None => (counts(stats), palette.weak),
    };
    let piece = Piece::new(words, theme::label(12.0), colour);
    text::line(ui, "values", line, &piece);
    asked
}

/// How much was looked at, at the right end of a line; returns how wide it is.
fn how_much_ui(ui: &Ui, stats: &Stats, line: Rect) -> f32 {
    let much = picture::how_much(stats);
    let piece = Piece::new(much.as_str(), theme::label(12.0), theme::palette(ui).weak);
    let width = text_width(ui, &much, theme::label(12.0));
    let at = pos2(line.right() - width, line.center().y + 3.5);
    let placed = text::on_baseline(ui, at, &[piece], 0.0);
    text::said(ui, "how much", placed, &much).on_hover_text(how_measured(stats));
    width
}

/// Which value of its tiles an image shows, at the right end of its heading; returns what was picked, and how wide it is.
fn choice_ui(ui: &mut Ui, mut view: PlotView, title: Rect) -> (Option<Action>, f32) {
    let choices = TileValue::named();
    let before = view.tile;
    let texts = choices.iter().map(|(_, text)| text_width(ui, text, theme::value(12.0)));
    let width = texts.map(|width| width + 14.0).sum::<f32>() + 4.0;
    let place = Rect::from_min_max(
        pos2(title.right() - width, title.top() + 1.0),
        title.max - vec2(0.0, 3.0),
    );
    let mut child = ui.new_child(UiBuilder::new().id_salt("tile value").max_rect(place));
    small_segments(&mut child, say!("picture-tiles"), &mut view.tile, &choices);
    ((view.tile != before).then_some(Action::SetPlotView(view)), width)
}

/// How far the array is here, as shares of it.
#[derive(Clone, Copy)]
struct SoFar {
    landed: f32,
    /// None where no checksums are compared on this side.
    verified: Option<f32>,
}

impl SoFar {
    fn of(stats: &Stats, numbers: &Numbers) -> Self {
        let share = |bytes: u64| {
            numbers
                .total
                .map_or(0.0, |total| picture::share(bytes as f64, (0.0, total as f64)))
        };
        Self {
            landed: share(numbers.done),
            verified: stats.verified_bytes.map(share),
        }
    }
}

/// What the picture is called; while bytes land, the key of its edges, as much of it as there is room for.
fn heading_ui(ui: &Ui, row: &Row, so_far: SoFar, place: Rect) {
    let palette = theme::palette(ui);
    let mut pieces = vec![Piece::new(say!("picture-title"), theme::value(13.0), palette.text)];
    if row.is_moving() && so_far.landed < 1.0 {
        let landed = say!("picture-landed", percent = percent(so_far.landed));
        pieces.push(Piece::new(landed, theme::label(12.0), palette.receiver));
        pieces.extend(so_far.verified.map(|verified| {
            let verified = say!("picture-verified", percent = percent(verified));
            Piece::new(verified, theme::label(12.0), palette.verified)
        }));
    }
    let key: Vec<String> = pieces.iter().skip(1).map(|piece| piece.text.clone()).collect();
    let mut left = place.left();
    pieces.retain(|piece| {
        left += text_width(ui, &piece.text, piece.font.clone());
        let fits = left <= place.right();
        left += 8.0;
        fits
    });
    let placed = text::on_baseline(ui, pos2(place.left(), place.top() + 16.5), &pieces, 8.0);
    if !key.is_empty() {
        text::said(ui, "how far", placed, &key.join(say!("comma")));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
fn percent(share: f32) -> u32 {
    (share * 100.0) as u32
}

/// The tiles as an image or a strip, where bytes land, and what is verified.
fn tiles_ui(
    ui: &mut Ui,
    row: &Row,
    stats: &Stats,
    tiles: &TiledArray,
    shows: TileValue,
    so_far: SoFar,
    place: Rect,
) -> Option<Action> {
    let palette = theme::palette(ui);
    let rect = fitted(tiles, place);
    let response = ui.interact(rect, ui.scope_id().with("picture"), Sense::click());
    let walked_to = keys::tile(ui, row.key, tiles, &response);
    let difference = ends::first_difference(row);
    response.widget_info(|| {
        let why_not = picture::why_not(stats).filter(|_| stats.array.seen > 0);
        let differ = difference.map(|tile| ends::in_words(tiles, tile));
        let words = [Some(picture::sentence(stats)), differ, why_not];
        let words: Vec<String> = words.into_iter().flatten().collect();
        let sentence = say!("picture-said", words = words.join(say!("semicolon")));
        let said = walked_to.map_or(sentence.clone(), |tile| {
            [tile_in_words(tiles, tile).as_str(), &sentence].join(say!("semicolon"))
        });
        WidgetInfo::labeled(Role::Image, true, said)
    });
    ui.painter().rect_filled(rect, 0.0, palette.field);
    let landed = rect.with_max_x(rect.left() + rect.width() * so_far.landed);
    ui.painter().rect_filled(landed, 0.0, palette.grid);
    if tiles.grid.is_image() {
        image::paint(ui, row.key, tiles, shows, rect);
    } else {
        strip(ui, tiles, rect, palette);
    }
    edges_ui(ui, row, so_far, rect);
    if let Some(tile) = difference {
        ends::mark(ui, tiles, tile, rect, palette);
    }
    if let Some(values) = &row.values {
        read::mark(ui, tiles, values.index, rect, palette);
    }
    let pointed_at = response.hover_pos().and_then(|pointer| {
        let tile = tile_at(tiles, rect, (pointer.x, pointer.y))?;
        Some((tile, index_at(tiles, rect, pointer)))
    });
    focus_ring(ui, &response, rect.expand(3.0));
    let is_clicked = response.clicked();
    let walked_to = walked_to.map(|tile| (tile, tiles.grid.elements_of(tile).0));
    let (tile, index) = pointed_at.or(walked_to)?;
    let mut words = tile_in_words(tiles, tile);
    if difference == Some(tile) {
        words = format!("{words}\n{}", ends::in_words(tiles, tile));
    }
    if let Some(values) = row.values.as_ref().filter(|_| place.height() <= THIN) {
        // There is no room for them but here.
        words.extend(values.lines().iter().flat_map(|line| ["\n", line]));
    }
    if pointed_at.is_none() {
        keys::point_ui(ui, tiles, tile, rect, &words);
    } else {
        response.on_hover_text_at_pointer(format!("{words}\n{}", say!("picture-click")));
    }
    is_clicked.then_some(Action::Transfer(row.key, TransferAction::ReadValues { index }))
}

/// Where bytes land, and how many of them are verified.
fn edges_ui(ui: &Ui, row: &Row, so_far: SoFar, rect: Rect) {
    let palette = theme::palette(ui);
    let edge = |share: f32, colour: Color32| {
        let x = rect.left() + rect.width() * share;
        let edge = Rect::from_x_y_ranges(x - 1.0..=x + 1.0, rect.y_range());
        ui.painter().rect_filled(edge.intersect(rect), 0.0, colour);
    };
    let verified = match row.phase {
        Phase::Done { verified: Some(true) } => Some(1.0),
        _ => so_far.verified,
    };
    if so_far.landed < 1.0 && row.is_moving() {
        edge(so_far.landed, palette.receiver);
        if let Some(verified) = verified {
            edge(verified, palette.verified);
        }
    }
    let size = vec2(rect.width() * verified.unwrap_or(0.0), 2.0);
    let line = Rect::from_min_size(pos2(rect.left(), rect.bottom() + 2.0), size);
    ui.painter().rect_filled(line, 0.0, palette.verified);
}

/// The part of a place that an image fills which is as high for its width as the array, as far as both can be seen.
fn fitted(tiles: &TiledArray, place: Rect) -> Rect {
    if !tiles.grid.is_image() || place.height() <= THIN {
        return place;
    }
    let (rows, row_elements) = tiles.grid.extent();
    let scale = (f64::from(place.width()) / rows as f64).min(f64::from(place.height()) / row_elements as f64);
    #[expect(clippy::cast_possible_truncation, reason = "no longer than the place")]
    let length = |elements: u64, most: f32| ((elements as f64 * scale) as f32).max(SIDE_MIN).min(most);
    let size = vec2(length(rows, place.width()), length(row_elements, place.height()));
    Rect::from_min_size(place.min, size)
}

/// The element at a place of the picture, in the order of memory.
fn index_at(tiles: &TiledArray, rect: Rect, pointer: Pos2) -> u64 {
    let along = f64::from((pointer.x - rect.left()) / rect.width().max(1.0));
    let down = f64::from((pointer.y - rect.top()) / rect.height().max(1.0));
    if tiles.grid.is_image() {
        tiles.grid.element_at(along, down)
    } else {
        tiles.grid.element_at(0.0, along)
    }
}

/// Where a tile lies in the picture.
fn place_of(tiles: &TiledArray, tile: usize, rect: Rect) -> Rect {
    let (down, across) = tiles.grid.tiles();
    if tiles.grid.is_image() {
        let size = vec2(rect.width() / down.max(1) as f32, rect.height() / across.max(1) as f32);
        let (column, line) = (tile / across.max(1), tile % across.max(1));
        Rect::from_min_size(rect.min + size * vec2(column as f32, line as f32), size)
    } else {
        let width = rect.width() / across.max(1) as f32;
        let left = rect.left() + tile as f32 * width;
        Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()))
    }
}

/// The tile at a place of the picture. Axis 0, or the strip, runs from left to right.
fn tile_at(tiles: &TiledArray, rect: Rect, (x, y): (f32, f32)) -> Option<usize> {
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
fn tile_in_words(tiles: &TiledArray, index: usize) -> String {
    let tile = &tiles.tiles[index];
    let (first, elements) = tiles.grid.elements_of(index);
    let (rows, across) = tiles.grid.tile();
    let which = if tiles.grid.is_image() {
        let place = values::place(&tiles.meta, first);
        say!("picture-tile", rows = rows, across = across, first = place)
    } else {
        let last = (first + elements).saturating_sub(1);
        say!("picture-values", first = first, last = last)
    };
    let what = match tile {
        tile if tile.seen == 0 => say!("picture-not-looked-at").to_owned(),
        tile if tile.min.is_nan() => say!("picture-none-finite").to_owned(),
        tile => {
            let [min, mean, max] = [tile.min, tile.mean, tile.max].map(picture::short);
            say!("picture-min-mean-max", min = min, mean = mean, max = max)
        }
    };
    let not_finite = (tile.not_finite > 0).then(|| say!("picture-not-finite", count = tile.not_finite));
    let seen = (0 < tile.seen && tile.seen < elements).then(|| say!("picture-looked-at", count = tile.seen));
    let what: Vec<String> = [what].into_iter().chain(not_finite).collect();
    let what: Vec<String> = [what.join(say!("comma"))].into_iter().chain(seen).collect();
    say!("picture-tile-said", which = which, what = what.join(say!("semicolon")))
}

/// From the least to the greatest value a band a column, and the mean in it.
fn strip(ui: &Ui, tiles: &TiledArray, rect: Rect, palette: &Palette) {
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
    let together = histogram.counts.len().div_ceil(bins.len().max(1));
    let width = picture::short(histogram.bin_width * together as f64);
    text::said(ui, "histogram", rect, say!("picture-histogram")).on_hover_text(say!(
        "picture-histogram-how",
        count = bins.len(),
        width = width,
    ));
}

/// The least, the mean and the greatest value below their places.
fn ends_ui(ui: &Ui, stats: &Stats, rect: Rect, palette: &Palette) {
    let array = &stats.array;
    let baseline = rect.center().y + 4.5;
    let signed = |text: String| match text.strip_prefix('-') {
        Some(magnitude) => format!("\u{2212}{magnitude}"),
        None => text,
    };
    let texts = [
        array.min.as_ref().map(picture::glanced).map(signed),
        array
            .mean
            .map(|mean| say!("picture-mean", value = signed(picture::short(mean)))),
        array.max.as_ref().map(picture::glanced).map(signed),
    ];
    for (text, share) in texts.into_iter().zip([0.0, 0.5, 1.0]) {
        let Some(text) = text else { continue };
        let width = text_width(ui, &text, theme::value(12.0));
        let at = pos2(rect.left() + (rect.width() - width) * share, baseline);
        text::on_baseline(ui, at, &[Piece::new(text, theme::value(12.0), palette.text)], 0.0);
    }
}

/// What is no number.
fn counts(stats: &Stats) -> String {
    let parts = [
        match stats.array.nan {
            0 => say!("picture-no-nan").to_owned(),
            count => say!("picture-nan", count = count),
        },
        match stats.array.infinite {
            0 => say!("picture-no-infinities").to_owned(),
            count => say!("picture-infinite", count = count),
        },
    ];
    parts.join(say!("comma"))
}

/// How the numbers came about.
fn how_measured(stats: &Stats) -> String {
    let (seen, all) = (crate::units::count(stats.array.seen), crate::units::count(stats.values));
    let of = if stats.array.exact {
        say!("picture-exact", all = all)
    } else {
        say!("picture-estimated", seen = seen, all = all)
    };
    match picture::why_not(stats) {
        Some(why) => format!("{of}\n{why}"),
        None => of,
    }
}
