//! The picture of the page that a transfer is shown on: asked for, taken with a frame in which no menu is open, and made
//! a PNG of.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui::{ColorImage, Context, Id, Rect, ScreenshotCallback, ViewportCommand};

use super::Export;
use crate::app::words::say;

/// The menu that a picture was asked for in is still drawn in the frame that it was asked in.
const FRAMES_BEFORE: u8 = 1;

/// Pictures on their way.
#[derive(Debug)]
pub(in crate::app) struct Pictures {
    due: Option<Due>,
    taken: (Sender<Picture>, Receiver<Picture>),
}

#[derive(Debug)]
enum Due {
    /// After so many frames.
    After(u8, String),
    /// With the frame that is drawn now.
    Now,
}

/// A picture, and the name that is offered for it.
#[derive(Debug, Clone)]
pub(in crate::app) struct Picture {
    name: String,
    image: ColorImage,
}

impl Default for Pictures {
    fn default() -> Self {
        // One is taken at a time.
        Self {
            due: None,
            taken: bounded(1),
        }
    }
}

impl Pictures {
    /// Takes one soon, which is to be saved under this name.
    pub(in crate::app) fn ask(&mut self, name: String) {
        self.due = Some(Due::After(FRAMES_BEFORE, name));
    }

    /// Whether one is taken in a moment: what stands over the page for a while is not to be on it.
    pub(in crate::app) fn are_due(&self) -> bool {
        self.due.is_some()
    }

    /// One that was taken since. It has to be called before each frame.
    pub(in crate::app) fn step(&mut self, ctx: &Context) -> Option<Picture> {
        self.due = match self.due.take() {
            Some(Due::After(0, name)) => {
                self.take(ctx, name);
                Some(Due::Now)
            }
            Some(Due::After(frames, name)) => {
                ctx.request_repaint();
                Some(Due::After(frames - 1, name))
            }
            Some(Due::Now) | None => None,
        };
        self.taken.1.try_recv().ok()
    }

    fn take(&self, ctx: &Context, name: String) {
        let (taken, frames) = (self.taken.0.clone(), ctx.clone());
        let callback = ScreenshotCallback::new(move |image: Arc<ColorImage>| {
            let part =
                page(&frames).map_or_else(|| (*image).clone(), |page| cut(&image, page, frames.pixels_per_point()));
            // Where the last one was not looked at yet, this one is not taken.
            let _ = taken.try_send(Picture { name, image: part });
            frames.request_repaint();
        });
        ctx.send_viewport_cmd(ViewportCommand::Screenshot(callback));
    }
}

/// Notes where the page is drawn.
pub(in crate::app) fn note_page(ctx: &Context, rect: Rect) {
    ctx.data_mut(|data| data.insert_temp(Id::unique("page, place"), rect));
}

fn page(ctx: &Context) -> Option<Rect> {
    ctx.data(|data| data.get_temp(Id::unique("page, place")))
}

/// The part of a picture of the window that is at `place`, in points.
fn cut(image: &ColorImage, place: Rect, pixels_per_point: f32) -> ColorImage {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a pixel of a window, and not negative"
    )]
    let pixel = |points: f32| (points * pixels_per_point).round().max(0.0) as usize;
    let [width, height] = image.size;
    let (left, top) = (pixel(place.left()).min(width), pixel(place.top()).min(height));
    let (right, bottom) = (pixel(place.right()).min(width), pixel(place.bottom()).min(height));
    image.region_by_pixels([left, top], [right.saturating_sub(left), bottom.saturating_sub(top)])
}

impl Picture {
    /// A PNG without transparency: what is behind a window is no part of it.
    ///
    /// # Errors
    /// It has no pixels.
    pub(in crate::app) fn into_export(self) -> Result<Export, String> {
        let failed = |error: png::EncodingError| say!("export-no-picture", error = error.to_string());
        let [width, height] = self.image.size.map(|pixels| u32::try_from(pixels).unwrap_or(0));
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let rgb: Vec<u8> = self
            .image
            .pixels
            .iter()
            .flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()])
            .collect();
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&rgb).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(Export { name: self.name, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{Color32, pos2};

    #[test]
    fn a_picture_has_the_pixels_of_the_page_and_nothing_shines_through() {
        let mut image = ColorImage::filled([40, 20], Color32::from_rgba_premultiplied(1, 2, 3, 4));
        image.pixels[10 * 40 + 30] = Color32::from_rgb(200, 100, 50);
        let page = Rect::from_min_max(pos2(15.0, 5.0), pos2(99.0, 99.0));
        let picture = Picture {
            name: "a.png".into(),
            image: cut(&image, page, 2.0),
        };
        let export = picture.into_export().unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(export.bytes));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(
            (info.width, info.height, info.color_type),
            (10, 10, png::ColorType::Rgb)
        );
        assert_eq!(pixels[..6], [200, 100, 50, 1, 2, 3]);
    }
}
