//! Every page in every language: nothing is cut off, and the language is the one that was chosen.

use std::collections::BTreeSet;
use std::path::Path;

use arraylift::internals::RoundTrips;
use arraylift::internals::app::View;
use eframe::egui::epaint::{ClippedShape, Shape, TextShape};
use eframe::egui::{Color32, ColorImage, Context, GlyphBitmap, GlyphRasterizer, RasterizedGlyph, Vec2};

use super::*;

/// What is shown: a name, and how it comes about.
type Scene = (&'static str, fn(&mut Window));

const SCENES: [Scene; 23] = [
    ("empty", |_| {}),
    ("form", |window| press(window, Key::N)),
    ("form with all of it", |window| {
        window.state_mut().settings_mut().advanced_open = true;
        press(window, Key::N);
    }),
    ("running", |window| several(window.state_mut())),
    ("failed", |window| {
        several(window.state_mut());
        let failed = window.state().transfers().rows()[1].key;
        window.state_mut().transfers_mut().select(failed);
    }),
    ("interrupted", |window| {
        several(window.state_mut());
        interrupted::broken(window.state_mut(), false);
    }),
    ("trying again", |window| {
        several(window.state_mut());
        interrupted::broken(window.state_mut(), true);
    }),
    ("done", |window| {
        several(window.state_mut());
        let done = window.state().transfers().rows()[2].key;
        window.state_mut().transfers_mut().select(done);
    }),
    ("list", |window| {
        several(window.state_mut());
        serves_elsewhere(window.state_mut());
        press(window, Key::F);
    }),
    ("menu", |window| {
        several(window.state_mut());
        window.run();
        window.key_press(Key::Menu);
    }),
    ("palette", |window| press(window, Key::K)),
    ("question", |window| {
        several(window.state_mut());
        window.run();
        window.key_press(Key::Escape);
    }),
    ("compare", |window| window.state_mut().show(View::Compare)),
    ("compared", |window| compare::shows_result(window.state_mut())),
    ("round trips", |window| window.state_mut().show(View::RoundTrips)),
    ("round trips that were measured", |window| {
        let page = window.state_mut().round_trips_page_mut();
        page.measured = [1, 64, 64 << 20].map(measured).to_vec();
        window.state_mut().show(View::RoundTrips);
    }),
    ("a limit, a pause and ceilings", |window| {
        window.state_mut().stop_clock(15.0);
        instrument::eventful(window.state_mut());
    }),
    ("history", |window| window.state_mut().show(View::History)),
    ("two runs", two_runs),
    ("a folder that comes", |window| {
        let (key, _) = trees::receives(window.state_mut(), 1);
        window.state_mut().transfers_mut().select(key);
    }),
    ("a folder of which some failed", |window| {
        let (key, id) = trees::receives(window.state_mut(), 1);
        trees::ends(window.state_mut(), id, trees::items(2000, 30));
        window.state_mut().transfers_mut().select(key);
    }),
    ("settings", |window| window.state_mut().show(View::Settings)),
    ("help", |window| window.state_mut().show(View::Help)),
];

/// What stands before a literal that is no text.
const CALLERS: [&str; 27] = [
    "say!(",
    "key!(",
    "Id::unique(",
    "Id::unique((",
    ".with(",
    ".with((",
    "id_salt(",
    "id_salt((",
    "reason =",
    "text::line( ui, &format!(",
    "from_right(ui,",
    "from_right(ui, (",
    "env!(",
    "still_plot(ui,",
    "BarChart::new(",
    "said(ui,",
    "said( ui,",
    "text::line(ui,",
    "text::line( ui,",
    "text::line( ui, &format!(",
    "said(ui, (",
    "said( ui, (",
    "Grid::new(",
    "line_ui(ctx,",
    "load_texture(",
    "strip_prefix(",
    "contains(",
];

/// Keys, units, and what a program is told.
const SHOWN_AS_IT_IS: [&str; 22] = [
    "Esc",
    "Del",
    "Space",
    "Enter",
    "Escape",
    "Delete",
    "GB/s",
    "GiB/s",
    "Gbit/s",
    "auto",
    "handoff",
    "int8",
    "bytes",
    "source",
    "processor",
    "cores",
    "kernel",
    "program",
    "Arraylift ",
    "/data/comparison.json",
    "s/GB",
    "bool",
];

#[test]
fn nothing_is_cut_off_in_any_language() {
    let mut cut = Vec::new();
    for language in Language::ALL {
        for (width, height) in [(900.0, 600.0), (1280.0, 800.0)] {
            for (name, comes_about) in SCENES {
                let mut window = speaking(language, width, height);
                window.state_mut().stop_clock(7.0);
                comes_about(&mut window);
                window.run();
                window.run();
                let texts = cut_texts(&window.output().shapes);
                let texts = texts.into_iter().filter(|text| !may_be_cut(text));
                cut.extend(texts.map(|text| format!("{} {width} {name}: {text}", language.tag())));
            }
        }
    }
    assert!(cut.is_empty(), "cut off:\n{}", cut.join("\n"));
}

#[test]
fn the_language_is_chosen_in_the_settings_and_takes_effect_at_once() {
    let mut window = window();
    window.key_press_modifiers(Modifiers::CTRL, Key::Comma);
    window.run();
    window.get_by_label("Language: 简体中文").click();
    window.run();
    assert_eq!(window.state().settings().language, Some(Language::Chinese));
    window.get_by_label("主题：深色");
    window.get_by_label("传输");
    window.get_by_label("语言：English").click();
    window.run();
    window.get_by_label("Theme: Dark");
    assert_eq!(window.state().settings().language, Some(Language::English));
}

#[test]
fn the_language_of_the_command_line_counts_until_one_is_chosen() {
    let settings = || {
        let mut settings = Settings::default();
        settings.language = Some(Language::English);
        settings
    };
    let language = |asked: Option<Language>| {
        let options = AppOptions {
            language: asked,
            ..AppOptions::default()
        };
        App::with_settings(&Context::default(), settings(), options).language()
    };
    assert_eq!(language(None), Language::English, "as it was kept");
    assert_eq!(language(Some(Language::Chinese)), Language::Chinese);
    let mut window = speaking(Language::Chinese, 900.0, 600.0);
    window.state_mut().show(View::Settings);
    window.run();
    window.get_by_label("语言：English").click();
    window.run();
    assert_eq!(window.state().language(), Language::English);
}

#[test]
fn panels_have_no_words_of_their_own() {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app");
    let mut places = vec![app.join("panels"), app.join("widgets"), app.join("widgets.rs")];
    let mut found = Vec::new();
    while let Some(place) = places.pop() {
        if place.is_dir() {
            places.extend(std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let text = std::fs::read_to_string(&place).unwrap();
            let words = own_words(&text).into_iter();
            found.extend(words.map(|word| format!("{}: {word}", place.display())));
        }
    }
    assert!(found.is_empty(), "say them:\n{}", found.join("\n"));
}

/// Literals that are shown, or may be. What an id, a key of a text or the name of a wire is made of is not.
fn own_words(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    // What is quoted stands between every other quotation mark.
    let parts: Vec<&str> = code.split('"').collect();
    let quoted = parts.windows(2).step_by(2).filter_map(|pair| match pair {
        [before, literal] => Some((before.split_whitespace().collect::<Vec<_>>().join(" "), *literal)),
        _ => None,
    });
    let is_word = |literal: &str| {
        let mut depth = 0;
        let outside: String = literal
            .chars()
            .filter(|character| {
                depth += i32::from(*character == '{') - i32::from(*character == '}');
                depth == 0
            })
            .collect();
        let letters = |pair: &[u8]| pair.iter().all(u8::is_ascii_alphabetic);
        outside.as_bytes().windows(2).any(letters)
    };
    let is_no_text = |before: &str, literal: &str| {
        CALLERS.iter().any(|caller| before.ends_with(caller))
            || SHOWN_AS_IT_IS.contains(&literal)
            || literal.starts_with("Ctrl ")
    };
    quoted
        .filter(|(before, literal)| is_word(literal) && !is_no_text(before, literal))
        .map(|(_, literal)| literal.to_owned())
        .collect()
}

/// Two runs of the history over each other.
fn two_runs(window: &mut Window) {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("arraylift/history.db");
    window.state_mut().keep_history_at(Some(kept));
    for (index, to) in ["1,000,000", "2,000,000"].into_iter().enumerate() {
        to.clone_into(&mut window.state_mut().settings_mut().form.to);
        window.step();
        press(window, Key::Enter);
        until(window, "done", |app| {
            app.transfers().own_rows().len() == index + 1 && matches!(phase(app), Some(Phase::Done { .. }))
        });
    }
    // What ended is there a moment later: it is looked for until it is.
    for _ in 0..1000 {
        window.state_mut().show(View::Transfers);
        window.step();
        window.state_mut().show(View::History);
        window.step();
        let found = |text: &str| window.query_all_by_label_contains(text).next().is_some();
        if found("0 … 1000000") && found("0 … 2000000") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    window.get_all_by_label_contains("0 … 1000000").next().unwrap().hover();
    window.run();
    let lay_over = match window.state().language() {
        Language::English => "Lay over: ",
        Language::Chinese => "叠加：",
    };
    window.get_by_label_contains(lay_over).click();
    until_shown(window, "\u{2212}50.0 %");
}

pub(super) fn measured(size_bytes: u64) -> RoundTrips {
    RoundTrips {
        size_bytes,
        count: 100_000,
        min_s: 0.000_012_3,
        p50_s: 0.000_014_5,
        p90_s: 0.000_018_9,
        p99_s: 0.000_034_5,
        p999_s: 0.000_123,
        max_s: 0.012_3,
        mean_s: 0.000_015_1,
        echoed_bytes_per_s: 1.23e9,
        histogram: Vec::new(),
    }
}

fn press(window: &mut Window, key: Key) {
    window.key_press_modifiers(Modifiers::CTRL, key);
}

/// Chinese characters as squares: so wide they are in any font, and a machine without one measures the same.
pub(super) fn squares() -> GlyphRasterizer {
    GlyphRasterizer::new("squares", |request| {
        let is_wide = |character: char| ('\u{2e80}'..='\u{ffef}').contains(&character);
        request.cluster.chars().any(is_wide).then(|| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some pixels")]
            let side = request.font_size_px.round().max(1.0) as usize;
            RasterizedGlyph {
                bitmap: GlyphBitmap {
                    image: ColorImage::filled([side, side], Color32::WHITE),
                    offset_px: Vec2::new(0.0, -request.font_size_px),
                    is_color: false,
                },
                advance_px: request.font_size_px,
            }
        })
    })
}

/// The texts that are cut off: by an ellipsis, or sideways by what they are drawn in. What is scrolled away is not.
fn cut_texts(shapes: &[ClippedShape]) -> BTreeSet<String> {
    let mut cut = BTreeSet::new();
    for ClippedShape { clip_rect, shape, .. } in shapes {
        each_text(shape, &mut |text| {
            let rect = text.galley.rect.translate(text.pos.to_vec2());
            let is_beyond = rect.left() < clip_rect.left() - 1.0 || rect.right() > clip_rect.right() + 1.0;
            let is_seen = clip_rect.intersects(rect) && !text.galley.text().trim().is_empty();
            if is_seen && (text.galley.elided || is_beyond && text.angle == 0.0) {
                cut.insert(text.galley.text().to_owned());
            }
        });
    }
    cut
}

fn each_text(shape: &Shape, take: &mut impl FnMut(&TextShape)) {
    match shape {
        Shape::Text(text) => take(text),
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| each_text(shape, take)),
        _ => {}
    }
}

/// Names of arrays, and messages, which are shown whole when they are pointed at.
fn may_be_cut(text: &str) -> bool {
    [
        "range 0 …",
        "范围 0 …",
        "peer closed the connection early",
        "对端过早关闭了连接",
    ]
    .iter()
    .any(|name| text.to_lowercase().contains(name))
}
