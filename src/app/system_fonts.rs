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
