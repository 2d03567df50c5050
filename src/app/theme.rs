//! The look: two palettes, three text sizes, one typeface with figures of one width.
//!
//! Blue is the sender and orange the receiver wherever they appear (Okabe and Ito's hues, which the colour-blind can
//! tell apart); green means verified and red failed, and nothing else is green or red.

use std::sync::Arc;

use eframe::egui::{
    self, Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke, Style,
    TextStyle, Theme, ThemePreference, Ui, Visuals, style::WidgetVisuals, vec2,
};

use super::model::settings::ThemeChoice;

/// The rhythm: every distance is a multiple of this.
pub(crate) const STEP: f32 = 8.0;
/// Every rounded corner.
pub(crate) const RADIUS: u8 = 5;
/// Height of a field, a button, a segmented control.
pub(crate) const FIELD_HEIGHT: f32 = 32.0;
/// Labels and notes.
pub(crate) const SMALL: f32 = 12.0;
/// Everything else.
pub(crate) const BODY: f32 = 13.5;
/// The rate, and nothing else.
pub(crate) const HERO: f32 = 40.0;

/// A word in the rate's place, such as Listening.
pub(crate) const HERO_WORD: f32 = 27.0;

/// The colours of a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    pub background: Color32,
    pub panel: Color32,
    pub field: Color32,
    pub segment: Color32,
    pub hover: Color32,
    pub selected_row: Color32,
    pub hairline: Color32,
    pub grid: Color32,
    pub text: Color32,
    pub weak: Color32,
    pub sender: Color32,
    pub sender_hover: Color32,
    pub receiver: Color32,
    pub neutral: Color32,
    pub buffers: Color32,
    pub network: Color32,
    pub verified: Color32,
    pub failed: Color32,
    pub on_accent: Color32,
}

/// Dark.
pub(crate) const DARK: Palette = Palette {
    background: Color32::from_rgb(20, 23, 27),
    panel: Color32::from_rgb(26, 30, 35),
    field: Color32::from_rgb(34, 39, 46),
    segment: Color32::from_rgb(49, 56, 65),
    hover: Color32::from_rgb(41, 47, 55),
    selected_row: Color32::from_rgb(32, 38, 45),
    hairline: Color32::from_rgb(42, 48, 55),
    grid: Color32::from_rgb(37, 42, 49),
    text: Color32::from_rgb(230, 233, 237),
    weak: Color32::from_rgb(148, 157, 168),
    sender: Color32::from_rgb(86, 180, 233),
    sender_hover: Color32::from_rgb(112, 192, 238),
    receiver: Color32::from_rgb(230, 159, 0),
    neutral: Color32::from_rgb(141, 151, 163),
    buffers: Color32::from_rgb(240, 228, 66),
    network: Color32::from_rgb(204, 121, 167),
    verified: Color32::from_rgb(47, 191, 143),
    failed: Color32::from_rgb(240, 92, 96),
    on_accent: Color32::from_rgb(9, 26, 38),
};

/// Light.
pub(crate) const LIGHT: Palette = Palette {
    background: Color32::from_rgb(247, 248, 250),
    panel: Color32::from_rgb(255, 255, 255),
    field: Color32::from_rgb(241, 243, 245),
    segment: Color32::from_rgb(255, 255, 255),
    hover: Color32::from_rgb(233, 236, 240),
    selected_row: Color32::from_rgb(235, 242, 247),
    hairline: Color32::from_rgb(226, 230, 234),
    grid: Color32::from_rgb(232, 235, 239),
    text: Color32::from_rgb(24, 28, 33),
    weak: Color32::from_rgb(95, 105, 116),
    sender: Color32::from_rgb(0, 114, 178),
    sender_hover: Color32::from_rgb(0, 100, 160),
    receiver: Color32::from_rgb(213, 94, 0),
    neutral: Color32::from_rgb(104, 114, 125),
    buffers: Color32::from_rgb(196, 170, 0),
    network: Color32::from_rgb(176, 86, 138),
    verified: Color32::from_rgb(11, 138, 99),
    failed: Color32::from_rgb(198, 42, 47),
    on_accent: Color32::from_rgb(255, 255, 255),
};

/// The colours in use.
#[must_use]
pub(crate) fn palette(ui: &Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
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

/// The rate.
#[must_use]
pub(crate) fn hero() -> FontId {
    FontId::new(HERO, medium())
}

/// Sets typeface, sizes and both palettes; once, at the start.
pub(crate) fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    ctx.set_style_of(Theme::Dark, style(&DARK, Visuals::dark()));
    ctx.set_style_of(Theme::Light, style(&LIGHT, Visuals::light()));
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
    visuals.widgets.noninteractive = widget(palette.panel, hairline, palette.text);
    visuals.widgets.inactive = widget(palette.field, Stroke::NONE, palette.text);
    visuals.widgets.hovered = widget(palette.hover, Stroke::NONE, palette.text);
    visuals.widgets.active = widget(palette.segment, Stroke::new(1.0, palette.sender), palette.text);
    visuals.widgets.open = widget(palette.hover, Stroke::NONE, palette.text);
    visuals.selection.bg_fill = palette.sender.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, palette.sender);
    visuals.text_edit_bg_color = Some(palette.field);
    visuals.extreme_bg_color = palette.field;
    visuals.faint_bg_color = palette.selected_row;
    visuals.weak_text_color = Some(palette.weak);
    visuals.hyperlink_color = palette.sender;
    visuals.error_fg_color = palette.failed;
    visuals.warn_fg_color = palette.receiver;
    visuals.panel_fill = palette.background;
    visuals.window_fill = palette.panel;
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
    // A cursor that blinks repaints the window for ever.
    visuals.text_cursor.blink = false;
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Circle;
    visuals
}
