//! The image of an array of two dimensions: a texel a tile, made anew only when there is more to be seen.

use eframe::egui::{Color32, ColorImage, Id, Mesh, Rect, TextureHandle, TextureOptions, Ui, pos2, vec2};

use crate::app::model::picture::{self, Cell};
use crate::app::model::plot_view::TileValue;
use crate::app::model::row::RowKey;
use crate::app::theme;
use crate::transfer::TiledArray;

/// From low to high, in a dark window and in a light one: no hue, for that would mean an end or a verdict.
const DARK: [Color32; 5] = [
    Color32::from_rgb(16, 21, 28),
    Color32::from_rgb(58, 68, 80),
    Color32::from_rgb(123, 133, 147),
    Color32::from_rgb(195, 198, 201),
    Color32::from_rgb(246, 241, 232),
];
const LIGHT: [Color32; 5] = [
    Color32::from_rgb(31, 40, 51),
    Color32::from_rgb(77, 88, 101),
    Color32::from_rgb(142, 152, 163),
    Color32::from_rgb(203, 207, 211),
    Color32::from_rgb(244, 240, 232),
];

/// What the texture was made of.
#[derive(Clone, Copy, PartialEq)]
struct Made {
    row: RowKey,
    seen: u64,
    shows: TileValue,
    is_dark: bool,
}

/// Draws the image with axis 0 from left to right.
pub(super) fn paint(ui: &Ui, row: RowKey, tiles: &TiledArray, shows: TileValue, rect: Rect) {
    let made = Made {
        row,
        seen: tiles.tiles.iter().map(|tile| tile.seen).sum(),
        shows,
        is_dark: ui.visuals().dark_mode,
    };
    let id = Id::unique("picture of the array");
    let kept = ui.data(|data| data.get_temp::<(Made, TextureHandle)>(id));
    let texture = match kept {
        Some((of, texture)) if of == made => texture,
        _ => {
            let image = image(ui, tiles, made);
            let texture = ui.ctx().load_texture("array", image, TextureOptions::NEAREST);
            ui.data_mut(|data| data.insert_temp(id, (made, texture.clone())));
            texture
        }
    };
    let mut mesh = Mesh::with_texture(texture.id());
    let whole = Rect::from_min_size(pos2(0.0, 0.0), vec2(1.0, 1.0));
    mesh.add_rect_with_uv(rect, whole, Color32::WHITE);
    ui.painter().add(mesh);
}

fn image(ui: &Ui, tiles: &TiledArray, made: Made) -> ColorImage {
    let (down, across) = tiles.grid.tiles();
    let cells = picture::cells(tiles, made.shows);
    let background = theme::palette(ui).background;
    let pixels = (0..down * across).map(|index| {
        // The texels run along axis 0, the tiles along the rows.
        let (x, y) = (index % down, index / down);
        match cells.get(x * across + y) {
            Some(Cell::Value(share)) => shade(*share, made.is_dark),
            Some(Cell::NotFinite) => background,
            Some(Cell::Unseen) | None => Color32::TRANSPARENT,
        }
    });
    ColorImage::new([down, across], pixels.collect())
}

fn shade(share: f32, is_dark: bool) -> Color32 {
    let ramp = if is_dark { &DARK } else { &LIGHT };
    let place = share.clamp(0.0, 1.0) * (ramp.len() - 1) as f32;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 3")]
    let below = (place as usize).min(ramp.len() - 2);
    ramp[below].lerp_to_gamma(ramp[below + 1], place - below as f32)
}
