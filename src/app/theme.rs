//! The look: two palettes, a few text sizes, one typeface with figures of one width.
//!
//! There is no accent colour. Blue is the sender and orange the receiver wherever they appear (Okabe and Ito's hues, which the colour-blind can
//! tell apart); green means verified, red failed and yellow interrupted, and nothing else is green or red.

use std::sync::Arc;

use eframe::egui::{
    self, Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, RawInput, Shadow,
    Stroke, Style, TextStyle, Theme, ThemePreference, Ui, Visuals, style::WidgetVisuals, vec2,
};

use super::model::settings::ThemeChoice;

/// The rhythm: every distance is a multiple of this.
pub(crate) const STEP: f32 = 8.0;
/// The corners of a button and of a field.
pub(crate) const RADIUS: u8 = 6;
/// The corners of a row.
pub(crate) const ROW_RADIUS: u8 = 8;
/// The corners of a card.
pub(crate) const CARD_RADIUS: u8 = 10;
/// Height of a field, a button, a segmented control.
pub(crate) const FIELD_HEIGHT: f32 = 32.0;
/// Headings of groups.
pub(crate) const TINY: f32 = 11.0;
/// Labels and notes.
pub(crate) const SMALL: f32 = 12.0;
/// Everything else.
pub(crate) const BODY: f32 = 13.0;
/// Titles.
pub(crate) const TITLE: f32 = 15.0;
/// The line over what can be done first.
pub(crate) const HEADLINE: f32 = 20.0;
/// The rate of all transfers.
pub(crate) const TOTAL: f32 = 24.0;

/// The colours of a theme. Neutrals carry everything; a hue is a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    /// The outer edge of the window.
    pub rail: Color32,
    /// The column of the list.
    pub list: Color32,
    /// The instrument, and every page.
    pub background: Color32,
    /// A field, a quiet button, a place where nothing has landed yet.
    pub field: Color32,
    /// The same under the pointer.
    pub hover: Color32,
    /// The picked one of a few.
    pub segment: Color32,
    /// The selected row, and a flag of the plot.
    pub selected_row: Color32,
    /// Lines of a plot.
    pub grid: Color32,
    /// Lines between parts.
    pub hairline: Color32,
    /// An axis, the border of a card.
    pub edge: Color32,
    /// Values, names.
    pub text: Color32,
    /// Labels, sentences.
    pub weak: Color32,
    /// Headings of groups, numbers of an axis: still read with ease.
    pub faint: Color32,
    /// Hatching and what is not there yet; never a text that must be read.
    pub ghost: Color32,
    /// The sender.
    pub sender: Color32,
    /// The receiver.
    pub receiver: Color32,
    /// What is over, and what belongs to neither end.
    pub neutral: Color32,
    /// The buffers between the ends.
    pub buffers: Color32,
    /// The link between the ends.
    pub network: Color32,
    /// Verified bytes.
    pub verified: Color32,
    /// What broke and may go on.
    pub interrupted: Color32,
    /// A failure.
    pub failed: Color32,
    /// The one button of a view that is pressed first.
    pub primary: Color32,
    /// The same under the pointer.
    pub primary_hover: Color32,
    /// Its text.
    pub on_primary: Color32,
}

/// Dark.
pub(crate) const DARK: Palette = Palette {
    rail: Color32::from_rgb(13, 15, 18),
    list: Color32::from_rgb(17, 20, 24),
    background: Color32::from_rgb(21, 25, 30),
    field: Color32::from_rgb(28, 33, 39),
    hover: Color32::from_rgb(36, 42, 49),
    segment: Color32::from_rgb(43, 50, 58),
    selected_row: Color32::from_rgb(30, 36, 43),
    grid: Color32::from_rgb(32, 38, 45),
    hairline: Color32::from_rgb(36, 42, 49),
    edge: Color32::from_rgb(48, 55, 64),
    text: Color32::from_rgb(237, 239, 242),
    weak: Color32::from_rgb(160, 169, 180),
    faint: Color32::from_rgb(131, 141, 153),
    ghost: Color32::from_rgb(74, 83, 94),
    sender: Color32::from_rgb(86, 180, 233),
    receiver: Color32::from_rgb(230, 159, 0),
    neutral: Color32::from_rgb(141, 151, 163),
    buffers: Color32::from_rgb(240, 228, 66),
    network: Color32::from_rgb(204, 121, 167),
    verified: Color32::from_rgb(47, 191, 143),
    interrupted: Color32::from_rgb(226, 200, 92),
    failed: Color32::from_rgb(240, 92, 96),
    primary: Color32::from_rgb(237, 239, 242),
    primary_hover: Color32::from_rgb(255, 255, 255),
    on_primary: Color32::from_rgb(20, 24, 29),
};

/// Light.
pub(crate) const LIGHT: Palette = Palette {
    rail: Color32::from_rgb(236, 238, 241),
    list: Color32::from_rgb(245, 246, 248),
    background: Color32::from_rgb(255, 255, 255),
    field: Color32::from_rgb(243, 245, 247),
    hover: Color32::from_rgb(233, 236, 240),
    segment: Color32::from_rgb(255, 255, 255),
    selected_row: Color32::from_rgb(230, 234, 238),
    grid: Color32::from_rgb(236, 239, 242),
    hairline: Color32::from_rgb(227, 230, 234),
    edge: Color32::from_rgb(207, 213, 219),
    text: Color32::from_rgb(21, 25, 30),
    weak: Color32::from_rgb(84, 94, 105),
    faint: Color32::from_rgb(98, 108, 119),
    ghost: Color32::from_rgb(180, 188, 197),
    sender: Color32::from_rgb(0, 114, 178),
    receiver: Color32::from_rgb(204, 122, 0),
    neutral: Color32::from_rgb(104, 114, 125),
    buffers: Color32::from_rgb(184, 155, 0),
    network: Color32::from_rgb(176, 86, 138),
    verified: Color32::from_rgb(11, 138, 99),
    interrupted: Color32::from_rgb(138, 106, 0),
    failed: Color32::from_rgb(198, 42, 47),
    primary: Color32::from_rgb(21, 25, 30),
    primary_hover: Color32::from_rgb(43, 50, 58),
    on_primary: Color32::from_rgb(255, 255, 255),
};

/// The colours of up to 16 connections side by side, of hues that are neither green nor red, the lighter ones first in
/// the dark and the darker ones first in the light.
const STREAMS_DARK: [Color32; 16] = [
    Color32::from_rgb(140, 190, 253),
    Color32::from_rgb(252, 164, 67),
    Color32::from_rgb(235, 151, 239),
    Color32::from_rgb(15, 214, 206),
    Color32::from_rgb(217, 185, 46),
    Color32::from_rgb(185, 174, 253),
    Color32::from_rgb(254, 148, 191),
    Color32::from_rgb(47, 204, 254),
    Color32::from_rgb(64, 135, 222),
    Color32::from_rgb(189, 114, 15),
    Color32::from_rgb(178, 99, 183),
    Color32::from_rgb(14, 154, 148),
    Color32::from_rgb(158, 132, 10),
    Color32::from_rgb(134, 115, 217),
    Color32::from_rgb(201, 90, 139),
    Color32::from_rgb(14, 148, 186),
];
const STREAMS_LIGHT: [Color32; 16] = [
    Color32::from_rgb(23, 98, 182),
    Color32::from_rgb(141, 84, 6),
    Color32::from_rgb(140, 63, 145),
    Color32::from_rgb(6, 114, 110),
    Color32::from_rgb(117, 98, 8),
    Color32::from_rgb(100, 79, 177),
    Color32::from_rgb(161, 53, 103),
    Color32::from_rgb(0, 110, 140),
    Color32::from_rgb(76, 148, 236),
    Color32::from_rgb(205, 124, 13),
    Color32::from_rgb(191, 111, 196),
    Color32::from_rgb(24, 167, 161),
    Color32::from_rgb(172, 144, 3),
    Color32::from_rgb(146, 127, 231),
    Color32::from_rgb(215, 103, 151),
    Color32::from_rgb(0, 161, 203),
];

/// The colour of a connection, by its number from 1.
#[must_use]
pub(crate) fn stream_colour(number: usize, is_dark: bool) -> Color32 {
    let colours = if is_dark { &STREAMS_DARK } else { &STREAMS_LIGHT };
    colours[number.saturating_sub(1) % colours.len()]
}

/// The colours in use.
#[must_use]
pub(crate) fn palette(ui: &Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

/// Text of a heading.
#[must_use]
pub(crate) fn tiny() -> FontId {
    FontId::new(TINY, FontFamily::Proportional)
}

/// Text of some size that carries weight.
#[must_use]
pub(crate) fn strong_of(size: f32) -> FontId {
    FontId::new(size, medium())
}

/// Small text: labels and notes.
#[must_use]
pub(crate) fn small() -> FontId {
    FontId::new(SMALL, FontFamily::Proportional)
}

/// Body text.
#[must_use]
pub(crate) fn body() -> FontId {
    FontId::new(BODY, FontFamily::Proportional)
}

/// Body text that carries weight: numbers, names, headings.
#[must_use]
pub(crate) fn strong() -> FontId {
    FontId::new(BODY, medium())
}

/// A value of this size.
#[must_use]
pub(crate) fn value(size: f32) -> FontId {
    FontId::new(size, medium())
}

/// A label or a unit of this size.
#[must_use]
pub(crate) fn label(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Sets typeface, sizes and both palettes; once, at the start.
pub(crate) fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    ctx.set_style_of(Theme::Dark, style(&DARK, Visuals::dark()));
    ctx.set_style_of(Theme::Light, style(&LIGHT, Visuals::light()));
}

/// No texture is wider or higher. The glyphs are kept in one that is as wide as any may be, both here and where it is
/// drawn: as wide as a graphics card allows, a few lines of them would be megabytes.
const TEXTURE_SIDE_MAX: usize = 2048;

/// Bounds the textures of the frame that this input is for, and of those after it.
pub(crate) fn bound_textures(input: &mut RawInput) {
    input.max_texture_side = input.max_texture_side.map(|side| side.min(TEXTURE_SIDE_MAX));
}

/// Follows the chosen theme.
pub(crate) fn choose(ctx: &Context, choice: ThemeChoice) {
    ctx.set_theme(match choice {
        ThemeChoice::System => ThemePreference::System,
        ThemeChoice::Dark => ThemePreference::Dark,
        ThemeChoice::Light => ThemePreference::Light,
    });
}

fn medium() -> FontFamily {
    FontFamily::Name("medium".into())
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let files: [(&str, FontFamily, &[u8]); 2] = [
        (
            "regular",
            FontFamily::Proportional,
            include_bytes!("../../assets/fonts/InterTabular-Regular.otf"),
        ),
        (
            "medium",
            medium(),
            include_bytes!("../../assets/fonts/InterTabular-Medium.otf"),
        ),
    ];
    // What Inter lacks comes from egui's own fonts as far as they go, and then from the system.
    let rest = fonts
        .families
        .get(&FontFamily::Proportional)
        .cloned()
        .unwrap_or_default();
    for (name, family, bytes) in files {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
        let names = std::iter::once(name.to_owned()).chain(rest.iter().cloned()).collect();
        fonts.families.insert(family, names);
    }
    fonts
}

fn style(palette: &Palette, visuals: Visuals) -> Style {
    let mut style = Style {
        visuals: colours(palette, visuals),
        ..Style::default()
    };
    style.text_styles = [
        (TextStyle::Small, small()),
        (TextStyle::Body, body()),
        (TextStyle::Button, body()),
        (TextStyle::Monospace, body()),
        (TextStyle::Heading, strong()),
    ]
    .into();
    style.spacing.item_spacing = vec2(STEP, STEP);
    style.spacing.button_padding = vec2(10.0, 6.0);
    style.spacing.interact_size = vec2(24.0, 24.0);
    style.spacing.icon_width = 16.0;
    style.spacing.icon_width_inner = 8.0;
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.scroll.floating = true;
    // Seen at rest, too: it says that there is more.
    style.spacing.scroll.floating_width = 4.0;
    style.spacing.scroll.dormant_handle_opacity = 0.4;
    style.spacing.tooltip_width = 320.0;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style.animation_time = 0.0;
    style
}

/// The line around a field, and around a quiet button: none in the dark.
#[must_use]
pub(crate) fn edge_of_field(palette: &Palette, is_dark: bool) -> Stroke {
    if is_dark {
        Stroke::NONE
    } else {
        Stroke::new(1.0, palette.edge)
    }
}

/// The fill of a field, and of a quiet button.
#[must_use]
pub(crate) fn fill_of_field(palette: &Palette, is_dark: bool) -> Color32 {
    if is_dark { palette.field } else { palette.background }
}

fn colours(palette: &Palette, mut visuals: Visuals) -> Visuals {
    let radius = CornerRadius::same(RADIUS);
    let hairline = Stroke::new(1.0, palette.hairline);
    let widget = |fill: Color32, stroke: Stroke, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: stroke,
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = widget(palette.list, hairline, palette.text);
    // On a light ground a fill alone is not seen: a line is around what can be pressed or typed into.
    let line = edge_of_field(palette, visuals.dark_mode);
    visuals.widgets.inactive = WidgetVisuals {
        weak_bg_fill: fill_of_field(palette, visuals.dark_mode),
        ..widget(palette.field, line, palette.text)
    };
    visuals.widgets.hovered = widget(palette.hover, line, palette.text);
    visuals.widgets.active = widget(palette.segment, Stroke::new(1.0, palette.weak), palette.text);
    visuals.widgets.open = widget(palette.hover, Stroke::NONE, palette.text);
    visuals.selection.bg_fill = palette.neutral.gamma_multiply(0.4);
    visuals.selection.stroke = Stroke::new(1.0, palette.weak);
    visuals.text_edit_bg_color = Some(palette.field);
    visuals.extreme_bg_color = palette.field;
    visuals.faint_bg_color = palette.selected_row;
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.text;
    visuals.error_fg_color = palette.failed;
    visuals.warn_fg_color = palette.receiver;
    visuals.panel_fill = palette.background;
    visuals.window_fill = palette.list;
    visuals.window_stroke = hairline;
    visuals.window_corner_radius = radius;
    visuals.menu_corner_radius = radius;
    visuals.popup_shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(40),
    };
    visuals.window_shadow = visuals.popup_shadow;
    visuals.text_cursor.stroke.color = palette.text;
    // A cursor that blinks repaints the window for ever.
    visuals.text_cursor.blink = false;
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Circle;
    visuals
}
