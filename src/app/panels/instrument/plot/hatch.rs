//! Hatching by small textures that repeat: a pause, a limit, and what has not landed yet are told apart by it.

use eframe::egui::{Color32, ColorImage, Context, Id, Mesh, Rect, TextureHandle, TextureOptions, Ui, pos2, vec2};

/// A way to hatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in super::super) enum Hatch {
    /// Thin, 8 points apart: a pause.
    Pause,
    /// Bold, 6 points apart: a limit.
    Limit,
}

impl Hatch {
    /// The distance of its lines and their width, in points.
    fn size(self) -> (f32, f32) {
        match self {
            Self::Pause => (8.0, 1.0),
            Self::Limit => (6.0, 2.0),
        }
    }
}

/// Texels a point, so that lines are smooth.
const TEXELS: usize = 2;

/// The texture of a way to hatch, which is made once and kept as long as the window is.
fn texture(ctx: &Context, hatch: Hatch) -> TextureHandle {
    let id = Id::unique(("hatch", hatch));
    let kept = ctx.data(|data| data.get_temp::<TextureHandle>(id));
    kept.unwrap_or_else(|| {
        let made = ctx.load_texture("hatch", image(hatch), TextureOptions::LINEAR_REPEAT);
        ctx.data_mut(|data| data.insert_temp(id, made.clone()));
        made
    })
}

fn image(hatch: Hatch) -> ColorImage {
    let (distance, width) = hatch.size();
    // 16 or 12 of them.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and whole")]
    let side = distance as usize * TEXELS;
    let pixels = (0..side * side).map(|index| {
        let [x, y] = [index % side, index / side].map(|texel| (texel as f32 + 0.5) / TEXELS as f32);
        let across = ((x + y).rem_euclid(distance) - distance / 2.0).abs() / std::f32::consts::SQRT_2;
        let alpha = (width / 2.0 + 0.5 - across).clamp(0.0, 1.0);
        Color32::WHITE.gamma_multiply(alpha)
    });
    ColorImage::new([side, side], pixels.collect())
}

/// Hatches a rectangle in a colour.
pub(in super::super) fn paint(ui: &Ui, rect: Rect, hatch: Hatch, colour: Color32) {
    let (distance, _) = hatch.size();
    let mut mesh = Mesh::with_texture(texture(ui.ctx(), hatch).id());
    let uv = Rect::from_min_size(
        pos2(rect.left() / distance, rect.top() / distance),
        vec2(rect.width() / distance, rect.height() / distance),
    );
    mesh.add_rect_with_uv(rect, uv, colour);
    ui.painter().add(mesh);
}
