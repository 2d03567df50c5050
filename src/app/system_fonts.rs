//! Fonts of the system for what the window's own have no glyph for, such as Chinese file names. They are looked for when
//! there is such a text, and off the window's thread: to find them takes hundreds of milliseconds.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui::{Context, FallbackRequest, FontFamily, FontInsert, FontProvider};
use egui_system_font_provider::SystemFontProvider;

use crate::language::Language;
use crate::thread::Thread;

/// Chinese in simplified characters (BCP 47), which look otherwise than those of Japanese.
const SIMPLIFIED: &str = "zh-Hans";

/// A thread that looks for fonts as soon as one is missing. Dropping it ends and joins it.
#[derive(Debug)]
pub(super) struct SystemFonts {
    ask: Sender<Option<Missing>>,
    _thread: Thread,
}

/// A text that has no font.
#[derive(Debug)]
struct Missing {
    cluster: String,
    /// The language whose forms of the characters are meant; `None`: that of the system.
    locale: Option<&'static str>,
    family: FontFamily,
}

/// Tells the thread of the first text without a font.
struct Finder(Sender<Option<Missing>>);

impl SystemFonts {
    /// Lets the context ask for fonts of the system.
    ///
    /// # Errors
    /// There is no thread for it.
    pub(super) fn install(ctx: &Context, begun: Option<SystemFontProvider>) -> std::io::Result<Self> {
        let (tell, told) = bounded(1);
        let (stop, ask) = (tell.clone(), tell.clone());
        ctx.add_font_provider(Arc::new(Finder(tell)));
        let ctx = ctx.clone();
        let is_begun = begun.is_some();
        let thread = Thread::start("system fonts", move || {
            load(&ctx, &told, begun);
            Ok(())
        })?;
        let thread = thread.cancelled_by(move || {
            // Where a text was missing first, the thread ends by itself.
            let _ = stop.try_send(None);
        });
        let fonts = Self { ask, _thread: thread };
        if is_begun {
            fonts.prepare(Language::Chinese);
        }
        Ok(fonts)
    }

    /// Looks for the fonts of a language while there is no window yet; `None` where the window's own have all of it.
    pub(super) fn begin(language: Language) -> Option<SystemFontProvider> {
        (language == Language::Chinese).then(|| looking(Some(SIMPLIFIED)))
    }

    /// Looks for the fonts of a language before a text of it is drawn.
    pub(super) fn prepare(&self, language: Language) {
        if language == Language::Chinese {
            let missing = Missing {
                cluster: "文".to_owned(),
                locale: Some(SIMPLIFIED),
                family: FontFamily::Proportional,
            };
            // Where it is full, or nobody takes it any more, fonts have been asked for.
            let _ = self.ask.try_send(Some(missing));
        }
    }
}

/// Waits for a text without a font, and gives the context the fonts of the system.
fn load(ctx: &Context, told: &Receiver<Option<Missing>>, begun: Option<SystemFontProvider>) {
    let Ok(Some(missing)) = told.recv() else { return };
    let fonts = begun.unwrap_or_else(|| looking(missing.locale));
    // The first answer waits until all fonts are known.
    let request = FallbackRequest {
        cluster: &missing.cluster,
        family: &missing.family,
    };
    let _ = fonts.font_for(&request);
    // Whatever had no glyph is looked up again.
    ctx.add_font_provider(Arc::new(fonts));
}

/// Begins to look, on a thread of its own.
fn looking(locale: Option<&'static str>) -> SystemFontProvider {
    let fonts = SystemFontProvider::new();
    match locale {
        Some(locale) => fonts.with_locale(Some(locale)),
        None => fonts,
    }
}

impl FontProvider for Finder {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let missing = Missing {
            cluster: request.cluster.to_owned(),
            locale: None,
            family: request.family.clone(),
        };
        // It is told of one: that brings fonts for all.
        let _ = self.0.try_send(Some(missing));
        None
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use eframe::egui::{Color32, FontId, RawInput};

    use super::*;

    /// In no font: a place that Unicode leaves to whoever wants it.
    const NOBODYS: char = '\u{10f4e5}';

    /// A glyph as it lies in the texture of all that is drawn, and whether a font of the context has it.
    #[derive(Debug, PartialEq)]
    struct Drawn {
        place: [u16; 2],
        size: [u16; 2],
        has_font: bool,
    }

    fn drawn(ctx: &Context, character: char) -> Drawn {
        let font = FontId::proportional(14.0);
        let mut drawn = None;
        let mut output = ctx.run_ui(RawInput::default(), |ui| {
            let galley = ui
                .painter()
                .layout_no_wrap(character.to_string(), font.clone(), Color32::WHITE);
            let has_font = ui.fonts_mut(|fonts| fonts.has_glyph(&font, character));
            let glyph = &galley.rows[0].row.glyphs[0];
            let (from, to) = (glyph.uv_rect.min, glyph.uv_rect.max);
            drawn = Some(Drawn {
                place: from,
                size: [to[0] - from[0], to[1] - from[1]],
                has_font,
            });
        });
        // Nobody shows it.
        output.textures_delta.clear();
        drawn.unwrap()
    }

    /// Whether there is a font of Chinese on this machine, as fontconfig says.
    fn has_chinese() -> bool {
        let listed = Command::new("fc-list").args([":lang=zh-cn", "family"]).output();
        listed.is_ok_and(|listed| !listed.stdout.is_empty())
    }

    fn until_drawn(ctx: &Context, character: char) -> Drawn {
        let begin = Instant::now();
        loop {
            let drawn = drawn(ctx, character);
            if drawn.has_font {
                return drawn;
            }
            assert!(begin.elapsed() < Duration::from_mins(2), "no font for {character}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn chinese_is_drawn_as_itself_and_not_as_the_box_of_what_is_missing() {
        if !has_chinese() {
            println!("left out: fontconfig knows no font of Chinese on this machine");
            return;
        }
        for speaks_chinese in [false, true] {
            let ctx = Context::default();
            let fonts = SystemFonts::install(&ctx, None).unwrap();
            if speaks_chinese {
                fonts.prepare(Language::Chinese);
            }
            // The window's own fonts have no glyph for it; that brings the others.
            let lacked = drawn(&ctx, '文');
            assert!(speaks_chinese || !lacked.has_font);
            let (first, second) = (until_drawn(&ctx, '文'), until_drawn(&ctx, '件'));
            let missing = drawn(&ctx, NOBODYS);
            assert!(!missing.has_font);
            assert!(first.size[0] > 0 && first.size[1] > 0, "{first:?}");
            assert!(first.place != missing.place && second.place != missing.place);
            assert_ne!(first.place, second.place);
        }
    }
}
